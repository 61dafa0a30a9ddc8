"""Survival: curves and hazard ratios against lifelines and R, replicates, words, faults, the demo study, coverage."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import lifelines
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError
from cxlab.loyalty._groups import replicate_weights
from cxlab.loyalty._survival_sums import Spells, at_times, cox, kaplan_meier, partial_likelihood

HERE = Path(__file__).parent
DEMO = HERE.parent / "data" / "healthcheck"
GOLDEN = json.loads((HERE / "golden" / "survival" / "survival.json").read_text(encoding="utf-8"))


def golden_frame():
    return pd.read_csv(HERE / "golden" / "survival" / "survival.csv")


def golden_survey(df=None):
    frame = golden_frame() if df is None else df
    return cx.Survey.from_frame(frame, weight="w", stratum="stratum", psu="cluster")


def frame(count=500, *, slope=-0.1, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 11, count).astype(float)
    true = rng.exponential(12 * np.exp(-slope * (x - 6)))
    end = rng.uniform(6, 30, count)
    return pd.DataFrame({
        "months": np.minimum(true, end), "left": (true <= end).astype(float), "happy": x, "w": rng.uniform(0.5, 2, count),
        "card": rng.choice(["gold", "plain"], count),
    })  # fmt: skip


def spells_of(df):
    return Spells(df["months"].to_numpy(dtype=float), df["left"].to_numpy() == 1)


# ---------------------------------------------------------------------- numbers
@pytest.mark.parametrize(("key", "groups"), [("km_all", (1, 2)), ("km_1", (1,)), ("km_2", (2,))])
def test_curves_are_those_of_r(key, groups):
    survey = golden_survey().where(g=list(groups))
    found = cx.survival(survey, "months", "left", at=(3, 6, 12, 18), replicates=1000).table
    assert found["estimate"].to_numpy() == pytest.approx(GOLDEN[key]["estimate"], abs=1e-12)
    assert found["se"].to_numpy() == pytest.approx(GOLDEN[key]["se"], rel=0.15)  # R's is linearised


def test_hazard_ratios_are_those_of_r():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cx.survival(golden_survey(), "months", "left", covariates=["x", "z"], replicates=1000).hazards
    assert found["estimate"].to_numpy() == pytest.approx(GOLDEN["cox"]["coef"], abs=1e-7)
    assert found["se"].to_numpy() == pytest.approx(GOLDEN["cox"]["se_design"], rel=0.12)
    assert found["hazard_ratio"].to_numpy() == pytest.approx(np.exp(GOLDEN["cox"]["coef"]))


def test_information_and_drift_are_those_of_r():
    df = golden_frame()
    spells, x, w = spells_of(df), df[["x", "z"]].to_numpy(dtype=float), df["w"].to_numpy()[None]
    beta = np.array(GOLDEN["cox"]["coef"])
    there = partial_likelihood(spells, x - x.mean(axis=0), w, beta[None])
    inverse = np.linalg.inv(there.information.sum(axis=0)[0])
    assert np.sqrt(np.diagonal(inverse)) == pytest.approx(GOLDEN["cox"]["se_model"], rel=1e-8)
    assert there.score.sum(axis=0)[0] == pytest.approx([0, 0], abs=1e-6)
    plain = kaplan_meier(spells, np.ones((1, len(df))))[0]
    drift = there.drift(1 - np.r_[1.0, plain[:-1]])[0]
    for j, chisq in enumerate(GOLDEN["zph"]["chisq"]):
        g = 1 - np.r_[1.0, plain[:-1]]
        info = there.information[:, 0]
        across = np.tensordot(g, info, axes=1)[:, j]
        rest = np.tensordot(g**2, info, axes=1)[j, j] - across @ inverse @ across
        assert drift[j] ** 2 * rest == pytest.approx(chisq, rel=1e-6)


def test_the_log_rank_test_is_close_to_that_of_r():
    found = cx.survival(golden_survey(), "months", "left", by="g", replicates=2000)
    assert found.equal == pytest.approx(GOLDEN["logrank"]["p"], rel=0.35)


def test_every_replicate_is_a_fit_of_its_own():
    df = golden_frame()
    design, rows = resolve(golden_survey()), np.arange(len(df))
    weights = next(replicate_weights(design, rows, 12, 3))
    spells, x = spells_of(df), df[["x", "z"]].to_numpy(dtype=float)
    curves = at_times(spells, kaplan_meier(spells, weights), np.array([3.0, 12.0, 18.0]))
    betas, _ = cox(spells, x - x.mean(axis=0), weights, np.array(GOLDEN["cox"]["coef"]))
    for w, curve, beta in zip(weights, curves, betas, strict=True):
        kept = df.assign(w=w)[w > 0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            km = lifelines.KaplanMeierFitter().fit(kept["months"], kept["left"], weights=kept["w"])
            ph = lifelines.CoxPHFitter().fit(
                kept[["months", "left", "x", "z", "w"]],
                "months",
                "left",
                weights_col="w",
                fit_options={"precision": 1e-12},
            )
        assert km.survival_function_at_times([3, 12, 18]).to_numpy() == pytest.approx(curve, abs=1e-12)
        assert ph.params_.to_numpy() == pytest.approx(beta, abs=0.005 * min(GOLDEN["cox"]["se_design"]))


def test_without_censoring_the_curve_is_a_share():
    df = frame().assign(left=1.0)
    survey = cx.Survey.from_frame(df.assign(kept=(df["months"] > 6).astype(float)), weight="w")
    row = cx.survival(survey, "months", "left", at=[6]).table.iloc[0]
    share = cx.means(survey, "kept").table.iloc[0]
    assert row["estimate"] == pytest.approx(share["estimate"])
    assert row["se"] == pytest.approx(share["se"], rel=0.12)
    assert row["base_effective"] == pytest.approx(share["base_effective"], rel=0.25)
    assert row["events"] == int((df["months"] <= 6).sum())
    assert row["at_risk"] == int((df["months"] >= 6).sum())


def test_cumulative_shares_are_the_rest():
    survey = cx.Survey.from_frame(frame(), weight="w")
    kept = cx.survival(survey, "months", "left", by="card", replicates=100)
    gone = cx.survival(survey, "months", "left", by="card", cumulative=True, replicates=100)
    assert gone.table["estimate"].to_numpy() == pytest.approx(1 - kept.table["estimate"])
    assert gone.table["low"].to_numpy() == pytest.approx(1 - kept.table["high"])
    assert gone.table["high"].to_numpy() == pytest.approx(1 - kept.table["low"])
    assert (gone.table["low"] < gone.table["estimate"]).all()
    assert gone.differences["estimate"].to_numpy() == pytest.approx(-kept.differences["estimate"])
    assert gone.differences["high"].to_numpy() == pytest.approx(-kept.differences["low"])


def test_times_beyond_follow_up_have_no_estimate():
    df = frame()
    late = cx.survival(cx.Survey.from_frame(df, weight="w"), "months", "left", at=[12, 48], replicates=100)
    assert late.table["estimate"].notna().tolist() == [True, False]
    assert late.table["reliability"].tolist() == ["ok", "suppressed"]
    assert "Times beyond the longest follow-up, which have no estimate: 1." in [n["en"] for n in late.notes]
    gone = cx.survival(cx.Survey.from_frame(df.assign(left=1.0)), "months", "left", at=[999], replicates=100).table
    assert gone["estimate"].tolist() == [0.0]
    assert gone["high"].iloc[0] < 0.02


def test_before_the_first_event_the_interval_is_not_a_point():
    df = frame().assign(months=lambda d: d["months"] + 2)
    row = cx.survival(cx.Survey.from_frame(df, weight="w"), "months", "left", at=[1, 6], replicates=100).table.iloc[0]
    assert (row["estimate"], row["high"], row["events"]) == (1.0, 1.0, 0)
    assert 0.98 < row["low"] < 1


def test_weights_and_domain_count():
    df = frame(800)
    doubled = cx.Survey.from_frame(df.assign(w=np.where(df["card"] == "gold", 2.0, 1.0)), weight="w")
    stacked = cx.Survey.from_frame(pd.concat([df, df[df["card"] == "gold"]], ignore_index=True))
    one, two = (cx.survival(s, "months", "left", replicates=100).table["estimate"] for s in (doubled, stacked))
    assert one.to_numpy() == pytest.approx(two.to_numpy())
    gold = cx.survival(doubled.where(card="gold"), "months", "left", replicates=100).table
    by = cx.survival(doubled, "months", "left", by="card", replicates=100).table
    assert by[by["segment"] == "gold"][["estimate", "se", "low"]].to_numpy() == pytest.approx(
        gold[["estimate", "se", "low"]].to_numpy()
    )


def test_the_median_is_where_the_curve_crosses_one_half():
    found = cx.survival(cx.Survey.from_frame(frame(2000, slope=0.0)), "months", "left", replicates=200)
    row = found.medians.iloc[0]
    assert row["low"] < 12 * np.log(2) < row["high"]
    curve = found.curve.set_index("time")["estimate"]
    assert curve[row["estimate"]] <= 0.5 < curve[curve.index < row["estimate"]].iloc[-1]
    early = cx.survival(cx.Survey.from_frame(frame().assign(months=lambda d: np.minimum(d["months"], 3), left=lambda d: d["left"] * (d["months"] < 3))),
                        "months", "left", at=[2], replicates=100)  # fmt: skip
    assert early.medians[["estimate", "high"]].iloc[0].tolist() == [np.inf, np.inf]


# ---------------------------------------------------------------------- judgements
def test_a_hazard_ratio_that_changes_over_time_is_told():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, 3000).astype(float)
    early = rng.exponential(np.where(x == 1, 4, 12))
    true = np.where((x == 1) & (early > 4), 4 + rng.exponential(40, 3000), early)
    df = pd.DataFrame({"months": np.minimum(true, 24), "left": (true < 24).astype(float), "x": x})
    message = (
        "covariates: 1 of 1 hazard ratios change over time ('x'); each is an average over the follow-up: compare shares at "
        "single times with by= instead."
    )
    with pytest.warns(DataWarning) as caught:
        found = cx.survival(cx.Survey.from_frame(df), "months", "left", covariates=["x"], replicates=200)
    assert [str(w.message) for w in caught] == [message]
    assert found.hazards["drift"].iloc[0] < 0
    assert found.notes[2]["en"].startswith("Hazard ratios that change over time (p < .05, Holm)")


def test_few_events_are_told():
    df = frame(300)
    df["left"] = 0.0
    df.loc[df.index[:7], "left"] = 1.0
    df.loc[df.index[:7], "months"] = np.arange(1.0, 8.0)
    df.loc[df.index[:7], "card"] = "gold"
    with pytest.warns(SmallBaseWarning) as caught:
        found = cx.survival(cx.Survey.from_frame(df), "months", "left", by="card", covariates=["happy"], replicates=100)
    assert [str(w.message) for w in caught] == [
        "by: 2 of 2 groups have fewer than 10 events (gold, plain); their curves say little: merge groups, or wait longer.",
        "covariates: 2 of 2 hazard ratios rest on fewer than 10 effective events per coefficient; name fewer covariates, or take "
        "several waves together.",
    ]
    assert found.hazards["reliability"].tolist() == ["suppressed", "suppressed"]
    assert found.sentences("en")[-1].text == "plain: 0 events are too few for a hazard ratio."
    assert found.sentences("zh")[-1].text == "plain：仅发生 0 例事件，不足以估计风险比。"
    assert found.table[found.table["segment"] == "plain"]["estimate"].dropna().eq(1).all()
    plt.close(found.plot().figure)


def test_groups_are_told_apart_or_not():
    df = frame(1500)
    df["months"] = np.where(df["card"] == "gold", df["months"] / 2, df["months"])
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", by="card", covariates=["happy"], replicates=200)
    assert found.equal < 0.001
    assert "higher in plain than in gold (p < .001)" in " ".join(s.text for s in found.sentences("en"))
    assert len(found.hazards) == 2
    alike = cx.survival(cx.Survey.from_frame(frame(1500)), "months", "left", by="card", replicates=200)
    assert "No difference between the curves of the groups can be told" in str(alike.sentences("en"))
    assert "各群体的曲线看不出差异" in str(alike.sentences("zh"))
    plain = cx.survival(cx.Survey.from_frame(df), "months", "left", replicates=200)
    assert found.differences["p_value"].notna().all()
    assert plain.differences.empty


def test_categories_become_hazard_ratios_of_the_first():
    df = frame(1500)
    df["months"] = np.where(df["card"] == "gold", df["months"] / 2, df["months"])
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", covariates=["card", "happy"], replicates=200)
    assert found.hazards["coefficient"].tolist() == ["card=plain", "happy"]
    assert found.hazards["hazard_ratio"].iloc[0] < 0.7
    said = [s.text for s in found.sentences("en")]
    assert said[-2].startswith("“card: plain” goes with 0.")
    assert said[-1].startswith("A point more of “happy” goes with 0.9")


def test_a_share_of_nobody_is_as_sure_as_those_left_at_the_end():
    df = pd.DataFrame({"months": [5.0] * 97 + [6.0, 7.0, 10.0], "left": [0.0] * 97 + [1.0] * 3})
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", at=[10], replicates=200)
    row = found.table.iloc[0]
    assert row["estimate"] == 0
    assert row["high"] > 0.6  # three were left, not a hundred
    assert row["reliability"] == "suppressed"
    gone = pd.DataFrame({"months": np.arange(1.0, 101.0), "left": 1.0})
    row = cx.survival(cx.Survey.from_frame(gone), "months", "left", at=[100], replicates=500).table.iloc[0]
    assert row["high"] == pytest.approx(1 - 0.025 ** (1 / 100), abs=0.02)


@pytest.mark.parametrize("count", [6, 14, 18, 22])
def test_the_median_of_an_even_number_is_not_missed_by_rounding(count):
    df = pd.DataFrame({"months": np.arange(1.0, count + 1), "left": 1.0})
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", at=[2], replicates=100)
    assert found.medians["estimate"].iloc[0] == count / 2


def test_curves_that_differ_as_a_whole_are_not_called_alike():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        card = rng.integers(0, 2, 400)
        true = rng.exponential(np.where(card == 1, 10, 13.5))
        df = pd.DataFrame({"months": np.minimum(true, 30), "left": (true < 30) * 1.0, "card": card})
        found = cx.survival(cx.Survey.from_frame(df), "months", "left", by="card", replicates=200)
        if found.equal < 0.05 and (found.differences["p_value"] >= 0.05).all():
            break
    else:
        raise AssertionError("no such sample")
    assert found.sentences("en")[-1].text == (
        f"The curves of the groups differ as a whole (log-rank test: p = {found.equal:.3f}), but at none of the single times can a difference "
        "be told after Holm."
    ).replace("0.", ".", 1)
    assert found.sentences("zh")[-1].text.startswith("各群体的曲线整体上有差异")
    assert (
        found.headline("en").text == "The groups differ in how soon “left” comes, but at no single time can it be told"
    )


def test_small_groups_are_neither_shown_nor_told():
    df = frame().assign(card=["gold"] * 12 + ["plain"] * 488)
    df.loc[:11, "months"] = np.linspace(1, 30, 12)
    with pytest.warns(SmallBaseWarning):
        found = cx.survival(
            cx.Survey.from_frame(df.assign(left=df["left"].where(df.index > 4, 0.0))),
            "months",
            "left",
            by="card",
            replicates=100,
        )
    assert found.further()["medians"].shown("en")["Estimate"].iloc[0] == "–"
    assert set(found.differences["reliability"]) <= {"suppressed"}
    assert not any("higher in" in s.text for s in found.sentences("en"))
    axes = found.plot(lang="en")
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["gold (too few)", "plain"]
    plt.close(axes.figure)


def test_respondents_without_a_group_are_counted():
    df = frame()
    df.loc[:99, "card"] = None
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", by="card", replicates=100)
    assert "100 respondents of the base have no “card” and are in none of the groups." in [n["en"] for n in found.notes]


def test_a_hazard_ratio_that_is_not_told_is_not_said_to_hold():
    found = cx.survival(cx.Survey.from_frame(frame(slope=0.0)), "months", "left", covariates=["happy"], replicates=200)
    assert found.hazards["p_value"].iloc[0] > 0.05
    assert found.sentences("en")[-1].text.startswith("Whether the rate of “left” differs with “happy” cannot be told: ")
    assert found.sentences("zh")[-1].text.startswith("看不出“left”的风险率是否随“happy”而不同：")


def test_the_title_says_the_finding():
    survey = cx.Survey.from_frame(frame(), weight="w")
    kept = cx.survival(survey, "months", "left", at=[12], replicates=100)
    share = kept.table["estimate"].iloc[0]
    assert kept.headline("en").text == f"{share:.0%} are still without “left” after 12 months"
    assert kept.headline("zh").text == f"满 12 个月时，{share:.0%} 的顾客尚未发生“left”"
    alike = cx.survival(survey, "months", "left", by="card", at=[12], cumulative=True, replicates=100)
    assert alike.headline("en").text == "No difference between the groups in how soon “left” comes can be told"
    axes = kept.plot(lang="zh")
    assert axes.get_title(loc="left") == kept.headline("zh").text
    plt.close(axes.figure)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_picture_and_workbook(lang, tmp_path):
    survey = cx.Survey.from_frame(frame(), weight="w", labels={"left": "离开"})
    found = cx.survival(survey, "months", "left", by="card", covariates=["happy"], unit="week", replicates=100)
    text = str(found.sentences(lang))
    assert ("weeks" if lang == "en" else "周") in text
    assert "{" not in text + found.methods(lang) + "".join(n[lang] for n in found.notes)
    axes = found.plot(lang=lang)
    counts = [t.get_text() for t in axes.texts]
    gold = int((frame()["card"] == "gold").sum())
    assert f"{gold:,}" in counts
    assert axes.get_xlabel() == {"en": "time in weeks", "zh": "时间（周）"}[lang]
    plt.close(axes.figure)
    assert found.to_excel(tmp_path / "curve.xlsx").stat().st_size > 4000
    assert (
        found.call
        == "cx.survival(survey, 'months', 'left', by='card', covariates=['happy'], unit='week', replicates=100)"
    )


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d.assign(left=d["left"] + 1), {},
         "event 'left' has values other than 0 and 1 (2); 1 says that the event came, 0 that follow-up ended before."),
        (lambda d: d.assign(months=d["months"].where(d.index > 2, -1)), {},
         "time 'months' is negative for 3 of 500 respondents; times run from the survey on: what came before it is no outcome."),
        (lambda d: d.assign(left=0), {},
         "event 'left' is 0 for all 500 respondents: no event came while they were followed; wait longer, or check how the table "
         "was joined."),
        (lambda d: d.assign(months=np.nan), {},
         "time 'months' and event 'left' are known together for none of 500 respondents; join the table that holds them, or widen "
         "the filter."),
        (lambda d: d, {"by": "one"}, "by: 'one' has 1 groups among the respondents; 2 to 40 can be compared."),
        (lambda d: d, {"by": "cart"}, "by names 1 column that is not in the survey: 'cart' (did you mean 'card'?)."),
        (lambda d: d, {"covariates": ["hapy"]},
         "covariates names 1 column that is not in the survey: 'hapy' (did you mean 'happy'?)."),
        (lambda d: d, {"covariates": "happy"}, "covariates is the text 'happy'; pass a list, such as ['happy']."),
        (lambda d: d, {"covariates": ["one"]},
         "covariates: 'one' has fewer than two different answers among 500 respondents; leave it out."),
        (lambda d: d.assign(same=d["happy"] * 2), {"covariates": ["happy", "same"]},
         "covariates: the 2 columns ('happy', 'same') repeat one another; leave one out."),
        (lambda d: d.assign(same=d["left"]), {"covariates": ["same"]},
         "covariates: the hazard ratio grows without end, as some value or category has events only where others have none; merge "
         "categories, or leave the covariate out."),
        (lambda d: d.assign(left=(d.index == 3).astype(float)), {"covariates": ["happy"]},
         "covariates: 1 events among 500 respondents with complete answers cannot carry 1 coefficients; name fewer, or wait longer."),
        (lambda d: d, {"at": ()}, "at is []; name times above 0, such as at=(6, 12)."),
        (lambda d: d, {"at": (0, 6)}, "at is [0, 6]; name times above 0, such as at=(6, 12)."),
        (lambda d: d, {"unit": "months"},
         "unit is 'months'; allowed: 'day', 'week', 'month', 'year' (did you mean 'month'?)."),
        (lambda d: d, {"replicates": 20}, "replicates is 20; intervals need at least 100."),
        (lambda d: d, {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input(change, options, message):
    survey = cx.Survey.from_frame(change(frame()).assign(one=1.0), weight="w")
    with pytest.raises(SurveyError) as caught:
        cx.survival(survey, "months", "left", **options)
    assert str(caught.value) == message


def test_unknown_columns():
    survey = cx.Survey.from_frame(frame())
    with pytest.raises(SurveyError) as caught:
        cx.survival(survey, "month", "left")
    assert str(caught.value) == "time names 1 column that is not in the survey: 'month' (did you mean 'months'?)."
    with pytest.raises(SurveyError) as caught:
        cx.survival(survey, "months", "lift")
    assert str(caught.value) == "event names 1 column that is not in the survey: 'lift' (did you mean 'left'?)."


def test_rows_without_time_leave_and_are_counted():
    df = frame()
    df.loc[df.index[:20], "months"] = np.nan
    found = cx.survival(cx.Survey.from_frame(df), "months", "left", replicates=100)
    assert (found.base.respondents, found.base.excluded) == (480, 20)
    assert "20 respondents (4.0% of the weight) without time or event are left out." in [n["en"] for n in found.notes]


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def demo():
    """Renewals from the transactions: those of the very visit in whole months, and the first of any after the interview."""
    study = cx.open_study(DEMO / "study.yml")
    joined = study.join(study.survey(), "transactions", measures={"renewal": "follow_up(kind == 'renewal')"})
    bought = (
        pd.read_csv(DEMO / "transactions.csv").query("kind == 'renewal'").drop_duplicates(["customer_id", "visit_wave"])
    )
    d = joined.data[["customer_id", "wave"]].merge(
        bought[["customer_id", "visit_wave", "date"]],
        how="left",
        left_on=["customer_id", "wave"],
        right_on=["customer_id", "visit_wave"],
    )
    date = pd.to_datetime(d["date"])
    month = (date.dt.year - 2024) * 12 + date.dt.month - d["wave"]
    once = d.groupby("customer_id")["wave"].transform("size") == 1
    return joined.with_columns(
        months=month.fillna(33 - d["wave"]).to_numpy(),
        came_back=date.notna().to_numpy(dtype=float),
        once=once.to_numpy(dtype=float),
    )


@pytest.fixture(scope="module")
def renewal():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["renewal"]


def test_renewals_within_a_year_although_three_waves_are_censored(demo, renewal):
    assert demo.data.groupby("wave")["months"].max().iloc[-3:].tolist() == [11, 10, 9]
    total = cx.survival(demo, "months", "came_back", cumulative=True, at=[12], replicates=200).table.iloc[0]
    assert abs(total["estimate"] - renewal["total"]["value"]) <= 4.1 * np.hypot(total["se"], renewal["total"]["se"])
    cards = cx.survival(demo, "months", "came_back", by="card", cumulative=True, at=[12], replicates=200)
    for row, name in zip(cards.table.itertuples(), ("ordinary", "gold", "diamond"), strict=True):
        assert abs(row.estimate - renewal[name]["value"]) <= 4.1 * np.hypot(row.se, renewal[name]["se"]), name
    apart = cards.differences.set_index(["segment", "other"])["p_value"]
    assert apart[(1.0, 2.0)] < 0.001
    assert apart[(1.0, 3.0)] < 0.001


def test_counting_the_censored_as_lost_would_be_too_low(demo, renewal):
    naive = cx.means(demo, "came_back").table.iloc[0]
    assert naive["estimate"] < renewal["total"]["value"] - 4.1 * naive["se"]


def test_follow_up_of_a_joined_table(demo, renewal):
    found = cx.survival(demo.where(once=1), "renewal_months", "renewal_event", cumulative=True, at=[14], replicates=200)
    row = found.table.iloc[0]
    assert abs(row["estimate"] - renewal["total"]["value"]) <= 4.1 * np.hypot(row["se"], renewal["total"]["se"])
    said = [n["en"] for n in found.notes]
    assert {n["en"] for n in demo.join_notes("renewal_months")} <= set(said)
    assert "6 respondents have a missing or impossible interview date, and so no value." in said


def test_satisfaction_brings_customers_back_sooner_but_not_hostages(demo):
    hostage = (demo.data["card"] == 1) & (demo.data["payer"] == 2)
    survey = demo.with_columns(hostage=hostage.to_numpy(dtype=float))
    with pytest.warns(DataWarning):
        found = cx.survival(
            survey, "months", "came_back", by="hostage", covariates=["satisfaction"], at=[12], replicates=200
        )
    free, bound = (row for row in found.hazards.itertuples())
    assert free.hazard_low > 1.08
    assert bound.hazard_low < 1.02
    assert bound.hazard_high < free.hazard_low


# ---------------------------------------------------------------------- coverage
def simulated(rng, clusters=60, size=8, slope=-0.15):
    """Clusters that share a frailty too small to bend the hazard ratio, unequal weights that follow the outcome."""
    shared = np.repeat(rng.normal(0, 0.35, clusters), size)
    stratum = np.repeat(np.arange(clusters) % 3, size)
    x = np.clip(
        np.round(6.5 + 2 * rng.normal(size=clusters * size) + 1.5 * np.repeat(rng.normal(size=clusters), size)), 0, 10
    )
    true = rng.exponential(14 * np.exp(-slope * (x - 6.5) - shared - 0.3 * (stratum == 0)))
    end = rng.uniform(6, 30, len(x))
    return pd.DataFrame({
        "months": np.ceil(np.minimum(true, end)), "left": (true <= end) * 1.0, "x": x, "stratum": stratum, "cluster": np.repeat(np.arange(clusters), size),
        "w": np.array([2.5, 1.0, 0.5])[stratum] * rng.uniform(0.8, 1.25, len(x)),
    })  # fmt: skip


@pytest.mark.slow
def test_intervals_cover_under_clusters_and_weights():
    """Share at 12 months and hazard ratio of 500 surveys; the errors that know neither weights nor clusters, the mutant, cover too rarely."""
    rng = np.random.default_rng(8)
    big = simulated(rng, 60_000)
    spells, w = spells_of(big), big["w"].to_numpy()[None]
    share = at_times(spells, kaplan_meier(spells, w), np.array([12.0]))[0, 0]
    centred = big[["x"]].to_numpy() - 6.5
    slope = cox(spells, centred, w, np.zeros(1), 6)[0][0, 0]
    hits = np.zeros(4)
    for k in range(500):
        df = simulated(rng)
        survey = cx.Survey.from_frame(df, weight="w", stratum="stratum", psu="cluster")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = cx.survival(survey, "months", "left", covariates=["x"], at=[12], replicates=200, seed=k)
        row, ratio = found.table.iloc[0], found.hazards.iloc[0]
        naive = np.sqrt(row["estimate"] * (1 - row["estimate"]) / row["base"])
        w = (df["w"] / df["w"].mean()).to_numpy()[None]
        there = partial_likelihood(spells_of(df), df[["x"]].to_numpy() - 6.5, w, np.array([[ratio["estimate"]]]))
        model = there.information.sum() ** -0.5
        hits += [
            row["low"] <= share <= row["high"], ratio["low"] <= slope <= ratio["high"], abs(row["estimate"] - share) <= 1.96 * naive,
            abs(ratio["estimate"] - slope) <= 1.96 * model,
        ]  # fmt: skip
    covered = hits / 500
    assert 0.92 <= covered[0] <= 0.98, covered
    assert 0.92 <= covered[1] <= 0.98, covered
    assert covered[2] < 0.92, covered
    assert covered[3] < 0.92, covered
