"""Service–profit chain: means, slopes and correlations by other ways, shared sampling error, faults, the planted truth."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm
from cxlab.errors import SurveyError
from cxlab.loyalty._chain_panel import _dated

DEMO = Path(__file__).parents[1] / "data" / "healthcheck"
MONTHS = [f"2024-{m:02d}" for m in range(1, 13)]


def company(*, units=8, waves=10, base=15, effect=0.0, lag=0, alike=0.8, apart=0.5, seed=1):
    """Answers and a table of units; engagement moves satisfaction ``lag`` waves later by ``effect``."""
    rng = np.random.default_rng(seed)
    staff = 70 + 4 * rng.normal(size=(units, 1)) + 3 * rng.normal(size=(units, waves + lag))
    table = pd.DataFrame({
        "shop": np.repeat(np.arange(1, units + 1), waves), "month": np.tile(MONTHS[:waves], units),
        "staff": staff[:, lag:].ravel(), "sales": (100 + rng.normal(size=(units, waves))).ravel(),
    })  # fmt: skip
    of = np.repeat(np.arange(units * waves), base)
    level = effect * (staff[:, :waves] - 70).ravel()[of] + apart * rng.normal(size=units)[of // waves]
    own = rng.normal(size=len(of))
    answers = pd.DataFrame({
        "shop": of // waves + 1, "wave": np.array(MONTHS)[of % waves], "person": rng.integers(0, 2 * len(of) // 3, len(of)),
        "happy": 7 + level + own, "loyal": 5 + 0.5 * level + alike * own + 0.6 * rng.normal(size=len(of)),
        "w": rng.uniform(0.5, 2, len(of)),
    })  # fmt: skip
    return answers, table


def chain(answers, table, names=("staff", "happy", "loyal", "sales"), **options):
    survey = cx.Survey.from_frame(answers, weight="w")
    return cx.service_profit_chain(survey, table, list(names), **{"unit": "shop", **options})


def row_of(result, kind, cause, effect, lag=0):
    table = result.rows_of((cause, effect), kind)
    return table[table["lag"] == lag].iloc[0]


# ------------------------------------------------------------------------------ numbers by other ways
def test_means_of_units_are_those_of_cx_means():
    answers, table = company()
    answers["person"] += 10_000 * answers["shop"]
    survey = cx.Survey.from_frame(answers, weight="w", psu="person")
    result = cx.service_profit_chain(survey, table, ["staff", ["happy", "loyal"]], unit="shop", lags=[0])
    expected = cx.means(survey, ["happy", "loyal"], by="shop").table
    got = result.means[result.means["metric"] != "staff"]
    for column in ("estimate", "se", "base"):
        assert got[column].to_numpy(float) == pytest.approx(expected[column].to_numpy(float)), column
    mine = result.means[result.means["metric"] == "staff"]["estimate"]
    assert mine.to_numpy() == pytest.approx(table.groupby("shop")["staff"].mean().to_numpy())


def test_slopes_within_are_those_of_a_regression_with_dummies():
    answers, table = company()
    result = chain(answers, table, lags=[0, 2])
    groups = answers.assign(wx=answers["w"] * answers["happy"]).groupby(["shop", "wave"])
    cells = (groups["wx"].sum() / groups["w"].sum()).rename("happy").reset_index()
    both = cells.merge(table.rename(columns={"month": "wave"}))
    both["before"] = both.groupby("shop")["staff"].shift(2)
    known = both.dropna()
    fit = smf.ols("happy ~ staff + before + C(shop) + C(wave)", known).fit()
    for lag, cause in ((0, "staff"), (2, "before")):
        row = row_of(result, "within", "staff", "happy", lag)
        assert row["estimate"] == pytest.approx(fit.params[cause])
        assert (row["cells"], row["units"], row["shared_noise"]) == (len(known), 8, 0.0)


def test_correlations_are_those_of_scipy():
    result = chain(*company(effect=0.1))
    means = result.means.pivot(index="unit", columns="metric", values="estimate")
    for row in result.correlations.itertuples():
        x, y = means[row.cause], means[row.effect]
        r, rank = stats.pearsonr(x, y), stats.spearmanr(x, y)
        ends = r.confidence_interval(0.95)
        assert (row.r, row.low, row.high) == pytest.approx((r.statistic, ends.low, ends.high))
        if (row.cause, row.effect) != ("happy", "loyal"):
            assert row.p_raw == pytest.approx(r.pvalue)
        assert (row.spearman, row.spearman_p) == pytest.approx((rank.statistic, rank.pvalue))
        slope = row_of(result, "between", row.cause, row.effect)
        assert slope["estimate"] + slope["shared_noise"] == pytest.approx(np.polyfit(x, y, 1)[0])
    assert result.correlations["p_value"].to_numpy() == pytest.approx(holm(result.correlations["p_raw"].to_numpy()))


def test_slopes_of_respondents_are_those_of_a_regression_on_all_cells():
    answers, table = company(units=6, waves=4)
    row = row_of(chain(answers, table), "respondents", "happy", "loyal")
    answers["cell"] = answers["shop"].astype(str) + answers["wave"]
    survey = cx.Survey.from_frame(answers, weight="w")
    fit = cx.linear(survey, "loyal", ["happy", "cell"], factors=["cell"]).table.iloc[1]
    assert (row["estimate"], row["se"]) == pytest.approx((fit["estimate"], fit["se"]))


def test_reliability_is_one_less_the_share_of_sampling_variance():
    answers, table = company()
    result = chain(answers, table)
    rows, means = result.measures.set_index("metric"), result.means[result.means["metric"] == "happy"]
    expected = 1 - (means["se"] ** 2).mean() / means["estimate"].var()
    assert rows.loc["happy", "reliability_between"] == pytest.approx(expected)
    assert rows.loc["staff", "reliability_between"] == 1.0
    assert rows.loc["happy", "reliability_within"] < 0.5  # nothing but sampling error moves over time
    more = chain(*company(base=100)).measures.set_index("metric")
    assert more.loc["happy", "reliability_between"] > expected


def test_holm_spans_all_links_and_lags():
    result = chain(*company(effect=0.1))
    inside = result.table[result.table["kind"] == "within"]
    assert len(inside) == 3 * 4
    assert inside["p_value"].to_numpy() == pytest.approx(holm(inside["p_raw"].to_numpy()))
    assert (inside["wild_p"] >= 2 / 4096).all()
    across = result.table[result.table["kind"] == "between"]
    assert across["p_value"].to_numpy() == pytest.approx(holm(across["p_raw"].to_numpy()))


# ------------------------------------------------------------------------------ what must be found, what must not
@pytest.mark.parametrize("lag", [0, 2])
def test_a_planted_lag_is_found_and_no_other(lag):
    result = chain(*company(units=12, waves=12, base=40, effect=0.2, lag=lag, seed=5), names=["staff", "happy"])
    rows = result.table[result.table["kind"] == "within"].set_index("lag")
    assert rows.loc[lag, "p_value"] < 0.001
    assert (rows["p_value"].drop(lag) > 0.001).all()  # one survey: what is nearly sure
    for low, high in (("low", "high"), ("wild_low", "wild_high")):
        half = (rows[high] - rows[low]) / 2
        assert (abs(rows["estimate"] - 0.2 * (rows.index == lag)) < 2 * half).all()
        assert (half < 0.04).all()
    when = {0: ("in the same wave", "同期"), 2: ("2 waves later", "2 期后")}[lag]
    said = [str(result.sentences(lang)) for lang in ("en", "zh")]
    assert f"of “happy” {when[0]} (p < .001 after Holm over 4 tests; wild bootstrap p = .002)." in said[0]
    assert f"{when[1]}“happy”相应变化" in said[1]


def test_sampling_error_that_two_means_share_is_no_link():
    """Nothing moves over time, yet the cells' means of two related answers go together."""
    found = [row_of(chain(*company(units=12, seed=s), lags=[0], names=["happy", "loyal"]), "within", "happy", "loyal")
             for s in range(25)]  # fmt: skip
    left, shared = np.array([r["estimate"] for r in found]), np.array([r["shared_noise"] for r in found])
    assert abs(left.mean()) < 4 * left.std(ddof=1) / 5
    assert shared.mean() == pytest.approx(0.8, abs=0.1)
    assert sum(r["p_raw"] < 0.05 for r in found) <= 5
    assert all((r["estimate"] + r["shared_noise"]) / r["se"] > 4 for r in found)  # without the correction all reject


def test_units_that_differ_by_sampling_error_alone_are_not_related():
    result = chain(*company(units=12, apart=0.0), names=["happy", "loyal"])
    row = result.correlation(("happy", "loyal"))
    assert row.r > 0.6  # what a plain correlation of unit means would report
    assert np.isnan([row.p_value, row.r_corrected]).all()
    assert not row.reliable
    said = f"(r = {row.r:.2f})."
    assert result.sentences("en")[0].text == (
        "Across 12 units (shop) “happy” and “loyal” cannot be related: the differences between the means are mostly sampling error, "
        f"which both share {said}"
    )
    assert result.sentences("zh")[0].text.startswith("在 12 个单位（shop）之间无法判断“happy”与“loyal”的关系：")
    figure = result.plot().figure
    mpl.pyplot.close(figure)


def test_lags_follow_the_calendar_and_use_rows_before_the_first_wave():
    answers, table = company(units=12, waves=12, base=40, effect=0.2, lag=0)
    late = answers[~answers["wave"].isin([*MONTHS[:3], "2024-06"])]  # the survey pauses in June, the table does not
    result = chain(late, table, names=["staff", "happy"], lags=[0, 3])
    assert (result.table["cells"].to_numpy() == [12, 12 * 8, 12 * 8]).all()
    dated = table.assign(month=pd.to_datetime(table["month"] + "-15"))
    again = chain(late, dated, names=["staff", "happy"], lags=[0, 3])
    pd.testing.assert_frame_equal(result.table, again.table)
    both = late.groupby(["shop", "wave"])["happy"].size()
    assert len(both) == 12 * 8


def test_without_waves_only_units_are_compared():
    answers, table = company()
    result = chain(
        answers.drop(columns="wave"), table.drop_duplicates("shop").drop(columns="month"), names=["staff", "happy"]
    )
    assert result.table["kind"].tolist() == ["between"]
    assert "1 links have no relation within units: the cause does not move over time, or too few waves remain." in [
        n["en"] for n in result.notes
    ]


def test_a_cause_that_stands_still_has_no_relation_within():
    answers, table = company()
    table["staff"] = table.groupby("shop")["staff"].transform("mean")
    result = chain(answers, table, names=["staff", "happy"])
    assert result.table["kind"].tolist() == ["between"]


def test_few_degrees_of_freedom_are_flagged_and_told_by_nobody():
    answers, table = company(units=5, waves=6, effect=1.0)
    table.loc[table["shop"] > 1, "staff"] = 70 + 0.01 * (table["staff"] - 70)  # one unit alone tells
    result = chain(answers, table, names=["staff", "happy"], lags=[0])
    rows = result.table[result.table["kind"] == "within"]
    assert rows["few"].all()
    assert (rows["df"] < 4).all()
    assert "2 of 2 slopes have fewer than 4 Satterthwaite degrees of freedom: their intervals and p-values are not to be relied on." in [
        n["en"] for n in result.notes
    ]  # fmt: skip
    assert "goes with" not in result.sentences("en")[-1].text
    assert (
        "whether “happy” follows “staff” at any of 1 lags cannot be told: too few units move for a test"
        in result.sentences("en")[-1].text
    )
    assert "有变动的单位太少，不足以检验（自由度不足 4）" in result.sentences("zh")[-1].text


def test_what_the_bootstrap_does_not_confirm_is_not_said_to_hold():
    result = chain(*company(units=12, effect=1.0), names=["staff", "happy"], lags=[0])
    table = result.table.assign(wild_p=0.3, p_value=0.01, few=False)
    doubtful, sure = (dataclasses.replace(result, table=t) for t in (table, table.assign(wild_p=0.01)))
    assert doubtful.sentences("en")[-1].text.endswith("but the wild bootstrap does not confirm it (p = .300).")
    assert doubtful.sentences("zh")[-1].text.endswith("但 wild 自助法未予证实（p = .300）。")
    assert "seems" not in sure.sentences("en")[-1].text


def test_a_link_that_only_the_number_of_links_hides_says_so():
    result = chain(*company(units=12), names=["staff", "happy", "sales"], lags=[0])
    rows = result.correlations.assign(p_raw=0.03, p_value=0.06, r=0.6, low=0.05, high=0.9)
    said = dataclasses.replace(result, correlations=rows).sentences
    assert said("en")[0].text.endswith("Of itself the link would be told (p = .030), among all links it is not.")
    assert said("zh")[0].text.endswith("单看这一环节则显著（p = .030），与其他环节一并检验后不显著。")


def test_two_survey_measures_are_related_without_the_error_they_share():
    result = chain(*company(units=12, apart=2.0), names=["happy", "loyal"], lags=[0])
    row = result.correlations.iloc[0]
    assert f"r without it: {row['r_corrected']:.2f}." in result.sentences("en")[0].text
    assert f"扣除后 r 为 {row['r_corrected']:.2f}。" in result.sentences("zh")[0].text
    blurred = dataclasses.replace(result, correlations=result.correlations.assign(slope_corrected=np.nan))
    assert blurred.sentences("en")[-1].text.endswith(", which are too unreliable to be corrected.")
    assert blurred.sentences("zh")[-1].text.endswith("，因均值信度过低，不作误差校正。")


def test_the_title_says_the_finding():
    result = chain(*company(units=12), names=["staff", "happy", "sales"], lags=[0])
    none, one = (
        dataclasses.replace(result, correlations=result.correlations.assign(p_value=p))
        for p in ([0.5, 0.9], [0.9, 0.01])
    )
    assert none.headline("en").text == "No link of the service–profit chain can be told between 12 units"
    assert none.headline("zh").text == "12 个单位之间，服务利润链没有一个环节显著"
    assert one.headline("en").text == "1 of 2 links can be told between 12 units: “happy” → “sales”"
    assert one.headline("zh").text == "12 个单位之间，2 个环节中有 1 个显著：“happy”→“sales”"


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("quarter", ["2024-Q4", "2025-Q1"]),
        ("half", ["2024-H2", "2025-H1"]),
        ("year", ["2024", "2025"]),
        ("week", ["2024-W51", "2025-W01"]),
    ],
)
def test_dates_are_read_as_the_waves_are_written(kind, texts):
    dates = pd.Series(pd.to_datetime(["2024-12-20", "2025-01-02"]))
    assert _dated(dates, kind).tolist() == texts


# ------------------------------------------------------------------------------ words and pictures
def test_words_and_notes():
    result = chain(*company(units=12, effect=0.0), names=["staff", "happy", "loyal"], lags=[0], labels={"staff": {"en": "Engagement", "zh": "敬业度"}})  # fmt: skip
    text = [[s.text for s in result.sentences(lang)] for lang in ("en", "zh")]
    r = result.correlations.iloc[0]
    shown = f"r = {r['r']:.2f} ({r['low']:.2f} to {r['high']:.2f}; ".replace("-", "−")
    assert text[0][0].startswith(
        f"Across 12 units (shop) no relation of “Engagement” with “happy” can be told: {shown}"
    )
    assert text[0][0].endswith("with so few units a correlation of 0.73 would have been found four times in five.")
    assert text[1][0].startswith("在 12 个单位（shop）之间看不出“敬业度”与“happy”的关系：r = ")
    assert re.fullmatch(r"Units make up \d+\.\d% of the variance of “happy” between respondents: what holds between units does not say how single customers feel\.", text[0][1])  # fmt: skip
    assert any(
        t.startswith("Among respondents of the same unit and wave a point more of “happy” goes with +0.8")
        for t in text[0]
    )
    assert len(text[0]) == len(text[1])
    notes = [n["en"] for n in result.notes]
    assert notes[0] == (
        "The relations rest on 12 units (shop). They hold between units or within them over time; to read them as relations "
        "between persons would be the ecological fallacy."
    )
    assert result.notes[0]["zh"].endswith("若推论到个人，即犯生态谬误。")
    assert "Wild cluster bootstrap: 2,048 draws at most; weights of units: two-point (Rademacher)." in notes
    assert "CR2" in result.methods("en")
    assert "CR2" in result.methods("zh")
    assert result.call == (
        "cx.service_profit_chain(survey, units, ['staff', 'happy', 'loyal'], unit='shop', lags=[0], "
        "labels={'staff': {'en': 'Engagement', 'zh': '敬业度'}})"
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_has_every_link_and_every_unit(lang):
    result = chain(*company(effect=0.4), names=["staff", ["happy", "loyal"], "sales"])
    top = result.plot(lang=lang)
    panels = top.figure.axes
    assert len(panels) == 1 + 2 * 4
    said = " ".join(t.get_text() for t in top.texts)
    for row in result.correlations.itertuples():
        assert f"r = {row.r:.2f}".replace("-", "−") in said
    for ax in panels[1::2]:
        assert sorted(t.get_text() for t in ax.texts) == sorted(f"{k}" for k in range(1, 9))
    assert top.get_title(loc="left").startswith(
        {
            "en": "2 of 4 links of the service–profit chain can be told between 8 units",
            "zh": "8 个单位之间，服务利润链的 4 个环节中有 2 个显著",
        }[lang]
    )
    assert len(result.scatter("happy", "sales", lang=lang).texts) == 8
    with pytest.raises(SurveyError, match=re.escape(
        "cause and effect are 'staff' → 'sales', which is no link of the chain; it has 'staff' → 'happy', 'staff' → 'loyal', "
        "'happy' → 'sales', 'loyal' → 'sales'."
    )):  # fmt: skip
        result.scatter("staff", "sales")
    mpl.pyplot.close("all")


def test_it_is_shown_and_exported(tmp_path):
    result = chain(*company())
    assert "<table" in result._repr_html_()
    assert result.shown("zh").columns[0] == "原因"
    assert result.to_excel(tmp_path / "chain.xlsx").stat().st_size > 5000
    assert set(result.further()) == {"between", "measures", "means"}


# ------------------------------------------------------------------------------ faults
def faults():
    answers, table = company()
    few = answers[answers["shop"] <= 4]
    words = answers.assign(shop="Shop " + answers["shop"].astype(str))
    spelt = words.assign(shop=words["shop"].where(words.index % 7 > 0, words["shop"].str.upper()))
    named = table.assign(shop="Shop " + table["shop"].astype(str))
    two = named.assign(shop=named["shop"].where((named["shop"] != "Shop 3") | (named["month"] < "2024-06"), " shop 3"))
    lost = named.assign(shop=named["shop"].replace({"Shop 3": "Shop 33"}))
    gap = table.assign(month=table["month"].where(table.index != 4))
    return {
        "few": (few, table, {}, "unit: 'shop' has 4 units among the respondents; at least 5 are needed to relate units to each other: "
                "widen the filter, or look at respondents with cx.linear."),
        "missing": (answers, table[table["shop"] > 2], {}, "units has no row for 2 of 8 units of the survey: 1, 2; add them to the table, "
                    "or leave these respondents out with survey.where."),
        "misspelt": (words, lost, {}, "units has no row for 1 of 8 units of the survey: 'Shop 3' (did you mean 'Shop 33'?); add them to the "
                     "table, or leave these respondents out with survey.where."),
        "two names in the survey": (spelt, named, {}, "unit: 'SHOP 1', 'Shop 1' of 'shop' are one unit under two names; give it one code."),
        "two names in the table": (words, two, {}, "units: 'Shop 3', ' shop 3' in 'shop' are one unit under two names; write one of them."),
        "lag": (answers, table, {"lags": [0, 8]}, "lags: 8 waves back leave 2 of 10 waves for 'staff' → 'happy'; the longest lag that leaves "
                "3 is 7."),
        "no lag": (answers, table, {"lags": [-1]}, "lags names -1; a lag is a whole number of waves, 0 or more."),
        "constant": (answers, table.assign(staff=70.0), {}, "chain: 'staff' of units is 70 in all 80 rows; there is nothing to relate."),
        "constant answers": (answers.assign(happy=7), table, {}, "chain: 'happy' is 7 for all 1,200 respondents; there is nothing to relate."),
        "no answers": (answers.assign(happy=np.nan), table, {}, "chain: 'happy' has no answer among the respondents of these units; name "
                       "another one."),
        "text": (answers, table.assign(staff="high"), {}, "chain: 'staff' of units holds text; numbers are needed."),
        "months": (answers, table.assign(month=table["month"].str.replace("-", "/")), {}, "period: 10 of 10 values of 'month' in units are "
                   "written unlike the waves (2024-01 … 2024-10), e.g. '2024/01'; write them as the waves are written."),
        "no month": (answers, gap, {}, "period: 'month' is missing in 1 rows of units; fill it in, or leave the rows out."),
        "duplicates": (answers, pd.concat([table, table[:3]]), {}, "units has 3 rows beyond one per 'shop' and 'month', e.g. 1 × 2024-01; "
                       "keep one row of each."),
        "no period": (answers, table.rename(columns={"month": "m"}), {}, "units has 72 rows beyond one per unit and no column named as the "
                      "wave; name the column of the wave with period=."),
        "period": (answers, table, {"period": "moth"}, "period names 1 column that is not in units: 'moth' (did you mean 'month'?)."),
        "unit": (answers, table, {"unit": "shp"}, "unit names 1 column that is not in the survey: 'shp' (did you mean 'shop'?)."),
        "no unit": (answers, table, {"unit": None}, "unit is missing; name the column that the survey and units share, such as unit='clinic'."),
        "name": (answers, table, {"names": ["staf", "happy"]}, "chain names 1 column that is not in the survey or units: 'staf' (did you mean "
                 "'staff'?)."),
        "side": (answers, table, {"names": ["units:happy", "loyal"]}, "chain names 1 column that is not in units: 'happy'."),
        "both": (answers, table.assign(happy=table["staff"]), {}, "chain: 'happy' is a column of the survey and of units; write 'survey:happy' "
                 "or 'units:happy'."),
        "short": (answers, table, {"names": ["happy"]}, "chain has 1 stages; a link needs two or more, causes first."),
        "twice": (answers, table, {"names": ["happy", "loyal", "happy"]}, "chain names 'happy' more than once; name every measure in one stage."),
        "least": (answers, table, {"least_base": 1}, "least_base is 1; a mean needs at least 2 respondents for its error."),
        "absent": (answers, table.assign(staff=table["staff"].where(table["shop"] != 5)), {}, "chain: 'staff' is missing for 1 of 8 units in all "
                   "waves; fill it in, or leave these units out with survey.where."),
        "table": (answers, "shops", {}, "units is the name 'shops'; pass study= as well, or the table itself."),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(faults()))
def test_faults_are_named(name):
    answers, table, options, message = faults()[name]
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        chain(answers, table, **options)


def test_a_chain_is_a_list():
    answers, table = company()
    message = "chain is the text 'happy'; pass a list, causes first, such as ['engagement', 'happy']."
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.service_profit_chain(cx.Survey.from_frame(answers), table, "happy", unit="shop")


def test_what_is_left_out_is_counted():
    answers, table = company()
    answers.loc[:4, "shop"] = np.nan
    answers.loc[answers.index[answers["wave"] == "2024-05"][:10], "happy"] = np.nan
    more = pd.concat([table, table[:10].assign(shop=99), table[:1].assign(month="2025-07")])
    notes = [n["en"] for n in chain(answers, more, names=["staff", "happy"]).notes]
    assert "5 respondents without unit or wave are left out." in notes
    assert "1 units of the table have no respondent and are left out." in notes
    assert "1 rows of the table lie after the last wave, or at no wave, and are left out." in notes
    assert (
        "1 of 80 means of a unit in a wave rest on fewer than 10 respondents and are left out of the relations within units."
        in notes
    )


def test_short_panels_take_fewer_lags_and_say_so():
    answers, table = company(waves=4)
    result = chain(answers, table, names=["staff", "happy"])
    assert result.table["lag"].max() == 1
    assert "Lags of up to 1 waves are looked at; longer ones leave fewer than 3 waves." in [
        n["en"] for n in result.notes
    ]
    counted = chain(answers.replace(dict(zip(MONTHS, range(1, 13), strict=True))), table.replace(dict(zip(MONTHS, range(1, 13), strict=True))), names=["staff", "happy"])  # fmt: skip
    assert "The waves are not labelled as periods; a lag counts waves, whatever lies between them." in [
        n["en"] for n in counted.notes
    ]
    assert counted.table["estimate"].to_numpy() == pytest.approx(result.table["estimate"].to_numpy())


# ------------------------------------------------------------------------------ the demo study
@pytest.fixture(scope="module")
def study():
    return cx.open_study(DEMO)


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]


def z_of(estimate, se, told):
    return abs(estimate - told["value"]) / np.hypot(se, told["se"])


def test_truth_engagement_and_satisfaction_of_clinics(study, truth):
    result = cx.service_profit_chain(
        study.survey(), "clinics", ["engagement", "satisfaction", ["recommend", "renewed"], "sales"], study=study
    )
    told = truth["clinics"]["engagement_satisfaction_r"]
    row = result.correlation(("engagement", "satisfaction"))
    assert z_of(row.r, told["se_survey"], told) < 4.1
    assert row.low < told["value"] < row.high
    assert row.units == 12
    inside = result.table[result.table["kind"] == "within"]
    assert (inside["p_value"] > 0.05).all()  # nothing is planted within clinics
    respondents = row_of(result, "respondents", "satisfaction", "recommend")
    assert respondents["estimate"] > 0.7
    within = row_of(result, "within", "satisfaction", "recommend")
    assert within["shared_noise"] > 0.6
    assert result.measures.set_index("metric").loc["satisfaction", "reliability_between"] > 0.8
    assert next(s.text for s in result.sentences("zh")).startswith(
        "在 12 个单位（门店）之间看不出“员工敬业度”与“总体满意度”的关系"
    )


def test_truth_perceived_queue(study, truth):
    result = cx.service_profit_chain(
        study.survey(), "clinics", ["units:queue_minutes", "survey:queue_minutes"], study=study, lags=[0, 1]
    )
    told = truth["perceived_queue"]
    for kind in ("between", "within"):
        row = row_of(result, kind, "units:queue_minutes", "survey:queue_minutes")
        assert z_of(row["estimate"], row["se"], told["slope"]) < 4.1
        assert row["low"] < 1.25 < row["high"]
    means = result.means.pivot(index="unit", columns="metric", values="estimate")
    slope, start = np.polyfit(means["units:queue_minutes"], means["survey:queue_minutes"], 1)
    assert z_of(start, told["intercept"]["se_survey"], told["intercept"]) < 4.1
    assert row_of(result, "within", "units:queue_minutes", "survey:queue_minutes", 1)["p_value"] > 0.05
    assert slope == pytest.approx(1.25, abs=0.05)


@pytest.mark.slow
def test_size_of_links_where_there_is_none():
    """500 surveys of twelve shops without any link within: a lag of staff, and two answers of the same persons."""
    rejected, any_false = np.zeros(4), 0
    for seed in range(500):
        answers, table = company(units=12, waves=8, base=12, seed=seed)
        result = chain(answers, table, names=["staff", "happy", "loyal"], lags=[0, 1])
        rows = result.table[result.table["kind"] == "within"]
        rejected += (rows["p_raw"] < 0.05).to_numpy()
        any_false += bool((rows["p_value"] < 0.05).any())
    assert (rejected <= 41).all()
    assert any_false <= 41
