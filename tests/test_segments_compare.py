"""Comparison of segments: unweighted against R, weighted against the design's own tests, families, effects, words."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm
from cxlab.design import resolve
from cxlab.errors import SmallBaseWarning, SurveyError
from cxlab.items import Item
from cxlab.segments import CompareResult
from cxlab.segments._compare_levels import levels, split
from cxlab.segments._compare_tests import adjusted, hedges_correction
from cxlab.significance import chi_square, t_test
from cxlab.survey import Roles, Survey

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
R = {
    c["id"].split(".")[-1]: c["value"]
    for c in json.loads((GOLDEN / "segments" / "unweighted.json").read_text())["cases"]
}
IRIS = pd.read_csv(GOLDEN / "segments" / "iris.csv")
PTUKEY = 5e-9  # absolute: R's ptukey stops there, see test_the_studentized_range_is_closer_than_rs
QTUKEY = 2e-4  # relative: R's qtukey stops at four digits


def iris(**options):
    return cx.compare_segments(Survey.from_frame(IRIS), "Species", "Sepal.Length", **options)


# ---------------------------------------------------------------------- unweighted, against R
def test_welch_anova_is_rs():
    row, expected = iris().overall.iloc[0], R["welch_anova"]
    assert row["test"] == "Welch ANOVA"
    np.testing.assert_allclose([row["statistic"], row["df1"], row["df2"]], [expected["F"], *expected["df"]], rtol=1e-10)
    assert row["p_value"] == pytest.approx(expected["p"], abs=1e-12)
    assert row["effect"] == pytest.approx(R["anova"]["eta2"], rel=1e-12)


def test_pairs_are_rs_welch_tests_with_hedges_g():
    table = iris(adjust="none").table
    for row, expected in zip(table.itertuples(), R["games_howell"], strict=True):
        assert (row.other, row.segment) == (expected["a"], expected["b"])
        assert row.estimate == pytest.approx(-expected["diff"], rel=1e-12)
        assert row.se == pytest.approx(expected["se"], rel=1e-12)
        assert row.p_raw == pytest.approx(expected["welch_p"], rel=1e-9, abs=1e-12)
        assert row.effect == pytest.approx(-expected["hedges_g_exact"], rel=1e-12)
        half = stats.t.ppf(0.975, expected["df"]) * expected["se"]
        np.testing.assert_allclose(
            [row.low, row.high], [-expected["diff"] - half, -expected["diff"] + half], rtol=1e-10
        )


@pytest.mark.parametrize(
    ("adjust", "r"), [("holm", "holm"), ("bh", "BH"), ("bonferroni", "bonferroni"), ("none", "raw")]
)
def test_adjusted_p_values_are_rs(adjust, r):
    np.testing.assert_allclose(iris(adjust=adjust).table["p_value"], R["p_adjust"][r], rtol=1e-9, atol=1e-12)


def test_games_howell_is_rs():
    table = iris(adjust="games-howell").table
    for row, expected in zip(table.itertuples(), R["games_howell"], strict=True):
        assert row.p_value == pytest.approx(expected["p_games_howell"], abs=PTUKEY)
        simultaneous = (expected["ci95"][1] - expected["ci95"][0]) / 2
        z = stats.norm.ppf(0.8)
        assert row.detectable - z * row.se == pytest.approx(simultaneous, rel=QTUKEY)


def test_the_studentized_range_is_closer_than_rs():
    """P(range of 3 normals > q s) by Gauss–Legendre, independent of scipy's routine."""
    pair = R["games_howell"][2]
    z, weight = np.polynomial.legendre.leggauss(400)
    s, scale = 1 + 0.6 * z, 0.6 * weight
    density = 2 * s * pair["df"] * stats.chi2.pdf(pair["df"] * s**2, pair["df"])
    x, step = 10 * z, 10 * weight
    inside = stats.norm.cdf(x[:, None] + pair["q"] * s) - stats.norm.cdf(x)[:, None]
    beyond = 1 - 3 * (step * stats.norm.pdf(x)) @ inside**2
    exact = float((scale * density) @ beyond)
    ours = iris(adjust="games-howell").table.loc[2, "p_value"]
    assert ours == pytest.approx(exact, abs=1e-12)
    assert abs(pair["p_games_howell"] - exact) > 1e-10


def test_tables_without_a_design_are_scipys_chi_square():
    rng = np.random.default_rng(2)
    df = pd.DataFrame({"g": rng.choice(list("abc"), 300), "pay": rng.choice(["cash", "card", "app"], 300)})
    found = cx.compare_segments(Survey.from_frame(df), "g", "pay", adjust="none")
    counts = pd.crosstab(df["pay"], df["g"])
    plain = stats.chi2_contingency(counts, correction=False)
    row = found.overall.iloc[0]
    np.testing.assert_allclose(row[["statistic", "df1", "p_value"]].astype(float), [plain.statistic, 4, plain.pvalue])
    assert row["effect"] == pytest.approx(np.sqrt(plain.statistic / 600), rel=1e-12)
    assert len(found.table) == 9  # three answers, three pairs
    for r in found.table.itertuples():
        two = pd.crosstab(df["pay"] == r.code, df["g"])[[r.other, r.segment]]
        assert r.p_raw == pytest.approx(stats.chi2_contingency(two, correction=False).pvalue, rel=1e-10)
        shares = two.loc[True] / two.sum()
        assert r.effect == pytest.approx(_h(shares), rel=1e-10)


def _h(shares: pd.Series) -> float:
    first, second = 2 * np.arcsin(np.sqrt(shares.to_numpy()))
    return float(second - first)


def test_newcombes_interval_of_two_shares():
    """Newcombe (1998), table II, case a: 56/70 against 48/80."""
    df = pd.DataFrame({"g": ["b"] * 70 + ["a"] * 80, "yes": [1.0] * 56 + [0] * 14 + [1] * 48 + [0] * 32})
    row = cx.compare_segments(Survey.from_frame(df), "g", "yes").table.iloc[0]
    assert row["estimate"] == pytest.approx(0.2)
    np.testing.assert_allclose([row["low"], row["high"]], [0.0524, 0.3339], atol=5e-5)


# ---------------------------------------------------------------------- weighted and clustered
def customers(seed: int = 2, count: int = 900) -> Survey:
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, 60, count)
    df = pd.DataFrame({
        "card": rng.choice([1.0, 2, 3], count, p=[0.5, 0.3, 0.2]), "shop": shop, "area": shop % 4,
        "w": rng.uniform(0.5, 3, count), "q": rng.normal(6, 2, count) + rng.normal(size=60)[shop],
        "recommend": rng.integers(0, 11, count).astype(float), "yes": (rng.random(count) < 0.4).astype(float),
        "pay": rng.choice(["cash", "card", "app"], count),
    })  # fmt: skip
    df["q"] += 1.5 * (df["card"] == 2)
    df.loc[::17, "q"] = np.nan
    survey = Survey.from_frame(df, weight="w", stratum="area", psu="shop", labels={"q": "Queue"})
    items = [Item("q", {"en": "Queue", "zh": "排队"}, scale=(0, 10)), Item("recommend", scale=(0, 10)),
             Item("card", {"en": "Card", "zh": "会员卡"}, {1.0: {"en": "ordinary", "zh": "普卡"}, 2.0: {"en": "gold", "zh": "金卡"},
                                                       3.0: {"en": "diamond", "zh": "钻卡"}})]  # fmt: skip
    return replace(survey, codebook=survey.codebook.with_items(*items))


@pytest.mark.parametrize("item", ["q", "recommend", "yes"])
def test_pairs_under_a_design_are_its_t_tests(item):
    survey = customers()
    found = cx.compare_segments(survey, "card", item)
    for r in found.table.itertuples():
        expected = t_test(survey.where(card=[r.other, r.segment]), item, "card")
        assert r.estimate == pytest.approx(expected.estimate, rel=1e-10)
        assert r.se == pytest.approx(expected.se, rel=1e-10)
        assert r.p_raw == pytest.approx(expected.p_value, rel=1e-9)
        half = stats.t.ppf(0.975, expected.df2) * expected.se
        np.testing.assert_allclose([r.low, r.high], [r.estimate - half, r.estimate + half], rtol=1e-9)
    np.testing.assert_allclose(found.table["p_value"], holm(found.table["p_raw"].to_numpy()), rtol=1e-12)


def test_two_groups_have_one_p_value():
    found = cx.compare_segments(customers().where(card=[1, 2]), "card", "q")
    assert found.overall.loc[0, "p_raw"] == pytest.approx(found.table.loc[0, "p_raw"], rel=1e-9)
    assert found.overall.loc[0, "statistic"] == pytest.approx((found.table["estimate"] / found.table["se"])[0] ** 2)


def test_tables_under_a_design_are_rao_scott():
    survey = customers()
    row = cx.compare_segments(survey, "card", "pay").overall.iloc[0]
    expected = chi_square(survey, "pay", "card")
    assert row["test"] == "Rao–Scott F"
    np.testing.assert_allclose(
        row[["statistic", "df1", "df2", "p_raw", "effect"]].astype(float),
        [expected.statistic, expected.df1, expected.df2, expected.p_value, expected.cramers_v], rtol=1e-9,
    )  # fmt: skip
    assert row["effect_low"] < row["effect"] < row["effect_high"]


def test_levels_are_those_of_means_and_proportions():
    survey = customers()
    found = cx.compare_segments(survey, "card", ["q", "nps", "pay"]).levels
    columns = ["estimate", "se", "low", "high", "base", "base_effective"]
    pd.testing.assert_frame_equal(
        found.loc[found["item"] == "q", columns].reset_index(drop=True),
        cx.means(survey, "q", by="card").table[columns], rtol=1e-9,
    )  # fmt: skip
    pd.testing.assert_frame_equal(
        found.loc[found["item"] == "nps", columns].reset_index(drop=True),
        cx.nps(survey, by="card", item="recommend").table[columns], rtol=1e-9,
    )  # fmt: skip
    pd.testing.assert_frame_equal(
        found.loc[found["item"] == "pay", columns].reset_index(drop=True),
        cx.proportions(survey, "pay", by="card").table[columns], rtol=1e-9,
    )  # fmt: skip


def test_scaled_weights_rows_and_waves_outside_change_nothing():
    survey = customers()
    first = cx.compare_segments(survey, "card", ["q", "yes"]).table
    order = np.random.default_rng(1).permutation(len(survey.data))
    moved = survey.data.iloc[order].reset_index(drop=True).assign(w=lambda d: 1000 * d["w"])
    again = cx.compare_segments(replace(survey, data=moved, domain=None), "card", ["q", "yes"]).table
    pd.testing.assert_frame_equal(first, again, rtol=1e-9)


def test_raked_weights_are_compared_with_their_own_variance():
    survey = customers().with_columns(sex=np.arange(900) % 2)
    raked = cx.rake(survey, {"sex": {0: 0.5, 1: 0.5}})
    found = cx.compare_segments(raked, "card", "q").table
    expected = cx.means(raked, "q", by="card").table["se"].to_numpy()
    levels_ = cx.compare_segments(raked, "card", "q").levels
    np.testing.assert_allclose(levels_["se"], expected, rtol=1e-9)
    assert found["p_value"].notna().all()


# ---------------------------------------------------------------------- effect sizes
def test_hedges_correction_is_the_exact_one():
    assert hedges_correction(98.0) == pytest.approx(
        R["games_howell"][0]["hedges_g_exact"] / R["games_howell"][0]["cohen_d"], rel=1e-10
    )


def coverage(rows: pd.DataFrame, truth: float) -> float:
    return float(((rows["effect_low"] <= truth) & (truth <= rows["effect_high"])).mean())


def compared(columns: np.ndarray, group: np.ndarray, parts: dict, **more) -> CompareResult:
    names = [f"q{k}" for k in range(columns.shape[1])]
    df = pd.DataFrame(columns, columns=names).assign(g=group, **more)
    return cx.compare_segments(Survey.from_frame(df, **parts), "g", names)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_of_hedges_g_cover(clustered):
    """200 draws, skewed answers, unequal spreads; 92 to 98.5 % of 95."""
    rng, group, shop = np.random.default_rng(3), np.arange(240) // 40 % 2, np.arange(240) % 40
    noise = rng.gamma(4, 0.5, (240, 200)) - 2
    if clustered:
        group = shop % 2
        noise = np.sqrt(0.8) * noise + np.sqrt(0.2) * rng.normal(size=(40, 200))[shop]
    columns = np.array([0.0, 1.0])[group][:, None] + np.array([1.0, 1.6])[group][:, None] * noise
    parts = {"weight": "w", "psu": "shop"} if clustered else {}
    found = compared(columns, group, parts, w=rng.uniform(0.5, 2, 240), shop=shop)
    assert 0.92 <= coverage(found.table, 1 / np.sqrt((1 + 1.6**2) / 2)) <= 0.985
    if clustered:  # the naive interval is too short there
        naive = compared(columns, group, {}, shop=shop)
        assert coverage(naive.table, 1 / np.sqrt((1 + 1.6**2) / 2)) < 0.9


def test_intervals_of_cohens_h_cover():
    rng, group = np.random.default_rng(4), np.arange(160) % 2
    columns = (rng.random((160, 300)) < np.array([0.7, 0.9])[group][:, None]).astype(float)
    found = compared(columns, group, {"weight": "w"}, w=rng.uniform(0.5, 2, 160))
    assert 0.92 <= coverage(found.table, 2 * np.arcsin(np.sqrt(0.9)) - 2 * np.arcsin(np.sqrt(0.7))) <= 0.985


@pytest.mark.parametrize("weighted", [False, True])
def test_intervals_of_cramers_v_cover(weighted):
    rng, group = np.random.default_rng(5), np.arange(300) % 2
    shares = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
    expected = shares.mean(axis=0)
    answers = (rng.random((300, 150, 1)) > shares[group].cumsum(axis=1)[:, None]).sum(axis=2).clip(0, 2)
    columns = np.array(["a", "b", "c"], dtype=object)[answers]
    found = compared(columns, group, {"weight": "w"} if weighted else {}, w=rng.uniform(0.5, 2, 300))
    assert 0.91 <= coverage(found.overall, np.sqrt(((shares - expected) ** 2 / expected).sum() / 2)) <= 0.99


def test_shares_of_none_and_all_have_an_effect_but_no_fake_certainty():
    df = pd.DataFrame({"g": [0] * 50 + [1] * 50 + [2] * 50, "yes": [0.0] * 50 + [1.0] * 50 + [0.0] * 50, "w": 1.0})
    table = cx.compare_segments(Survey.from_frame(df, weight="w"), "g", "yes").table
    assert table.loc[0, "effect"] == pytest.approx(np.pi)
    assert table.loc[0, "effect_high"] - table.loc[0, "effect_low"] == pytest.approx(
        2 * 1.98 * np.sqrt(2 / 50), rel=0.01
    )
    assert np.isnan(table.loc[1, "p_raw"])  # 0 % against 0 %: nothing to test
    assert table.loc[1, "effect"] == 0


# ---------------------------------------------------------------------- families and words
def test_the_family_is_named_and_counted():
    survey = customers()
    both = cx.compare_segments(survey, "card", ["q", "yes"])
    assert both.notes[1]["en"] == (
        "p-values: Holm over the family “all comparisons by Card”: 6 comparisons (2 items, 3 pairs of groups). "
        "Intervals are for each comparison alone."
    )
    assert both.notes[1]["zh"] == (
        "p 值经 Holm 法校正，检验族为“按会员卡的全部比较”：共 6 次比较（2 道题，3 对组别）。区间针对单项比较。"
    )
    apart = cx.compare_segments(survey, "card", ["q", "yes"], family="item")
    assert (
        "over the family “comparisons of one item by Card”, item by item: 6 comparisons in 2 families"
        in apart.notes[1]["en"]
    )
    for item, rows in apart.table.groupby("item"):
        np.testing.assert_allclose(rows["p_value"], holm(rows["p_raw"].to_numpy()), rtol=1e-12, err_msg=item)
    assert (both.table["p_value"] >= apart.table["p_value"] - 1e-15).all()
    assert (both.table["detectable"] > apart.table["detectable"]).all()


def test_sentences_say_who_how_much_and_how_surely():
    found = cx.compare_segments(customers().where(card=[1, 2]), "card", "q")
    row = found.table.iloc[0]
    first = found.sentences("en")[0]
    assert first.text == (
        f"Gold customers rate queue {row['estimate']:.1f} points above ordinary (95% {row['low']:.1f} to {row['high']:.1f}, Holm p < .001)."
    )
    assert found.sentences("zh")[0].text == (
        f"金卡顾客对“排队”的评分比普卡顾客高 {row['estimate']:.1f} 分（95% 区间 {row['low']:.1f} 至 {row['high']:.1f}，Holm 校正 p < .001）。"
    )
    found = cx.compare_segments(customers(), "card", "q")
    last = found.sentences("en")[-1].text
    visible = found.table.loc[1, "detectable"]
    assert last == (
        "Queue: the difference stays within chance in 1 of 3 comparisons; "
        f"{visible:.2f} points would have been found in each of them with 80% power."
    )


def test_the_sign_is_in_the_word_and_the_interval_is_positive():
    survey = customers()
    turned = survey.with_columns(q=-survey.data["q"])
    said = cx.compare_segments(turned.where(card=[1, 2]), "card", "q").sentences("en")[0]
    assert " below ordinary (95% " in said.text
    assert "−" not in said.text
    assert said.facts["low"].value < said.facts["gap"].value < said.facts["high"].value


def test_a_non_finding_says_what_it_could_have_found():
    survey = customers().where(card=[1, 3])
    found = cx.compare_segments(survey, "card", "yes")
    assert [s.text for s in found.sentences("en")] == [
        "Nothing distinguishes the groups of card: none of the differences holds against chance (comparisons: 1, items: 1; Holm).",
        "Yes: diamond and ordinary do not differ beyond chance; a difference of "
        f"{100 * found.table.loc[0, 'detectable']:.1f} percentage points would have been found with 80% power.",
    ]


def test_groups_that_are_no_adjective_are_not_called_customers():
    """ "18–34 customers" and "50 and over customers" are no English."""
    survey = customers()
    bands = {
        1.0: {"en": "18–34", "zh": "18–34岁"},
        2.0: {"en": "35–49", "zh": "35–49岁"},
        3.0: {"en": "50 and over", "zh": "50岁及以上"},
    }
    aged = replace(survey, codebook=survey.codebook.with_items(Item("card", {"en": "Age", "zh": "年龄"}, values=bands)))
    for item in ("q", "pay", "recommend"):
        said = cx.compare_segments(aged, "card", item)
        assert "customers" not in str(said.sentences("en"))
        assert "顾客" not in str(said.sentences("zh"))
    row = (found := cx.compare_segments(aged.where(card=[1, 2]), "card", "q")).table.iloc[0]
    assert str(found.sentences("en")[0]).startswith(
        f"35–49: queue is rated {row['estimate']:.1f} points above 18–34 (95% "
    )
    assert str(found.sentences("zh")[0]).startswith(
        f"35–49岁：“排队”的评分比“18–34岁”高 {row['estimate']:.1f} 分（95% "
    )


def test_many_items_without_a_finding_share_a_sentence():
    rng = np.random.default_rng(11)
    df = pd.DataFrame(rng.integers(0, 11, (600, 5)), columns=list("abcde")).assign(g=np.repeat(["x", "y", "z"], 200))
    found = cx.compare_segments(Survey.from_frame(df), "g", list("abcde"))
    said = found.sentences("en")
    worst = found.table.groupby("item")["detectable"].max()
    assert len(said) == len(found.sentences("zh")) == 2
    assert said[1].text == (
        f"No two groups differ beyond chance on 5 items (a, b, c, d, e); differences of {worst.min():.2f} to {worst.max():.2f} "
        "would have been found between any two with 80% power."
    )
    assert len(cx.compare_segments(Survey.from_frame(df), "g", list("abc")).sentences("en")) == 4


def test_less_is_better_is_said():
    survey = customers()
    item = Item("q", {"en": "Effort", "zh": "费力程度"}, scale=(1, 7), higher_is_better=False)
    said = cx.compare_segments(replace(survey, codebook=survey.codebook.with_items(item)), "card", "q").sentences("en")
    assert said[0].text.endswith("Holm p < .001); less is better.")


def test_small_groups_are_masked_said_and_kept():
    survey = customers()
    small = survey.with_columns(card=np.where(np.arange(900) < 12, 4.0, survey.data["card"]))
    with pytest.warns(SmallBaseWarning, match=r"^1 of 4 groups have an effective base under 30 on every item \(4\)"):
        found = cx.compare_segments(small, "card", ["q", "pay"])
    hidden = (found.table["segment"] == 4).to_numpy()
    assert hidden.sum() == 3 * 4
    assert found.table.loc[hidden, "estimate"].notna().all()
    shown = found.shown("en")
    assert (shown.loc[hidden, ["Difference", "p", "Effect size", "Smallest difference visible"]] == "–").all(axis=None)
    assert (shown.loc[~hidden, "Difference"] != "–").all()
    assert found.sentences("en")[-1].text == (
        "12 of 24 comparisons are not shown: the smaller group has an effective base under 30 (4)."
    )
    assert found.overall["left_out"].tolist() == [1, 1]
    assert found.overall["groups"].tolist() == [3, 3]
    assert "–" in found.further()["levels"].shown("en")["Estimate"].tolist()


def test_answers_keep_the_labels_of_their_item_and_sheets_hold_everything(tmp_path):
    df = pd.DataFrame(
        {
            "g": ["a", "b"] * 60,
            "pay": pd.Categorical(["cash", "card", "app"] * 40),
            "size": pd.Categorical(["S", "M", "L", "XL"] * 30),
        }
    )
    found = cx.compare_segments(Survey.from_frame(df), "g", ["pay", "size"])
    assert found.shown("en")["Answer"].tolist() == ["app", "card", "cash", "L", "M", "S", "XL"]
    book = openpyxl.load_workbook(found.to_excel(tmp_path / "compare.xlsx"))
    assert book.sheetnames == ["shown", "overall", "levels", "data", "notes"]
    assert "All groups at once" in found._repr_html_()


def test_plots_leave_out_other_scales_and_say_so():
    found = cx.compare_segments(customers(), "card", ["q", "recommend", "yes", "pay"])
    ax = found.plot(lang="en")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Queue", "recommend"]
    assert ax.get_xlabel() == "On other scales, not drawn: yes, pay"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["ordinary", "gold", "diamond"]
    one = found.plot(item="pay")
    assert len(one.get_yticklabels()) == 9
    with pytest.raises(SurveyError) as error:
        found.plot(item="pya")
    assert str(error.value) == "item is 'pya'; allowed: 'q', 'recommend', 'yes', 'pay' (did you mean 'pay'?)."


def test_the_call_makes_the_result_again():
    whole = customers()
    found = cx.compare_segments(whole.where("recommend > 1"), "card", ["q", "pay"], adjust="bh", level=0.9)
    again = eval(found.call, {"cx": cx, "survey": whole})
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.overall, found.overall)


def test_default_items_are_the_roles_with_answers():
    survey = replace(
        customers(), roles=Roles(outcomes={"satisfaction": ("q",)}, drivers={"": ("recommend", "yes", "card")})
    )
    assert list(cx.compare_segments(survey, "card").kinds.items()) == [
        ("q", "rating"),
        ("recommend", "rating"),
        ("yes", "share"),
    ]


# ---------------------------------------------------------------------- the demo study
@cache
def demo(by: str):
    return cx.compare_segments(cx.open_study(ROOT / "data" / "healthcheck" / "study.yml").survey(), by)


def test_golds_privileges_are_found():
    table = demo("card").table
    gold = table[(table["segment"] == 2) & (table["other"] == 1) & (table["p_value"] < 0.05)]
    touchpoints = [i for i in gold["item"] if i not in ("satisfaction", "recommend", "repurchase", "trust")]
    assert touchpoints == ["parking", "reception", "changing"]
    assert (gold["estimate"] < 0).all()
    planted = {"parking": -0.9, "changing": -1.2, "reception": -0.6}
    found = gold.set_index("item")["estimate"]
    assert all(abs(found[i] - v) < 0.16 for i, v in planted.items())  # rounding and the scale's ends attenuate


def test_gender_distinguishes_nothing():
    found = demo("gender")
    assert (found.table["p_value"] > 0.05).all()
    assert (found.overall["p_value"] > 0.05).all()
    assert found.sentences("zh")[0].text == "按“性别”划分的各组没有差异：19 道题、19 组比较均未超出抽样误差（Holm）。"


@pytest.mark.slow
def test_null_surveys_raise_no_alarm():
    """300 clustered, weighted null surveys, 5 groups × 8 items: at most 28 with any finding, by Holm and by BH."""
    shop, items = np.arange(600) % 60, [f"q{k}" for k in range(8)]
    alarms = {"holm": 0, "bh": 0, "none": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        q = rng.normal(size=(600, 8)) + 0.35 * rng.normal(size=(60, 8))[shop] + 0.7 * rng.normal(size=(600, 1))
        df = pd.DataFrame(q, columns=items)
        df = df.assign(g=rng.integers(0, 5, 600), shop=shop, w=rng.uniform(0.5, 2, 600))
        raw = cx.compare_segments(Survey.from_frame(df, weight="w", psu="shop"), "g", items).table["p_raw"].to_numpy()
        for adjust in alarms:
            alarms[adjust] += bool((adjusted(raw, adjust) < 0.05).any())
    assert alarms["holm"] <= 28
    assert alarms["bh"] <= 28
    assert alarms["none"] > 200


# ---------------------------------------------------------------------- what is refused
def many(count: int = 400) -> Survey:
    return Survey.from_frame(
        pd.DataFrame({"g": np.arange(count), "q": np.arange(count) % 11, "one": 1.0, "none": np.nan})
    )


def coded_text() -> Survey:
    survey = Survey.from_frame(pd.DataFrame({"g": ["a", "b"] * 40, "q": ["bad", "good"] * 40}))
    item = Item("q", values={1.0: {"en": "bad"}, 2.0: {"en": "good"}}, kind="text")
    return replace(survey, codebook=survey.codebook.with_items(item))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cx.compare_segments(many(), "gg", "q"),
         "by names 1 column that is not in the survey: 'gg' (did you mean 'g'?)."),
        (lambda: cx.compare_segments(many(), "one", "q"),
         "by: 'one' has 1 group among the respondents; a comparison needs two."),
        (lambda: cx.compare_segments(many(), "none", "q"),
         "by: 'none' has 0 groups among the respondents; a comparison needs two."),
        (lambda: cx.compare_segments(many(), "g", "q"),
         "by: 'g' has 400 groups among the respondents, which makes 79,800 pairs per item; up to 60 groups are compared: "
         "band them in study.yml (recoded), or choose some with survey.where."),
        (lambda: cx.compare_segments(many(), ["g", "q"], "q"), "by is ['g', 'q']; name one column per call, whose comparisons are a family of their own "
         "(cx.banner sets several side by side, cx.means crosses them)."),
        (lambda: cx.compare_segments(many(), "q", ["g", "none"]),
         "items: 1 of 2 have no answer among 400 respondents: 'none'; leave them out."),
        (lambda: cx.compare_segments(many(), "q", ["gg"]),
         "items names 1 column that is not in the survey: 'gg' (did you mean 'g'?)."),
        (lambda: cx.compare_segments(many(), "q", []), "items is empty; name at least one column."),
        (lambda: cx.compare_segments(many(), "q"),
         "items: the survey declares no outcomes, drivers or touchpoints; name the items to compare."),
        (lambda: cx.compare_segments(coded_text(), "g", "q"),
         "'q' holds text, numbers are needed; its codebook has the numeric codes 1 (bad), 2 (good): map the texts to them with "
         "survey.with_columns."),
        (lambda: cx.compare_segments(customers(), "card", "q", adjust="games-howell"),
         "adjust is 'games-howell', which assumes independent respondents; the survey declares weight, stratum, psu: "
         'use adjust="holm", whose tests follow the design.'),
        (lambda: cx.compare_segments(Survey.from_frame(customers().data), "card", ["q", "pay"], adjust="games-howell"),
         "adjust is 'games-howell', which compares means; 1 of 2 items are compared by shares: 'pay'; use adjust=\"holm\"."),
        (lambda: cx.compare_segments(customers(), "card", "q", adjust="fdr"),
         "adjust is 'fdr'; allowed: 'holm', 'bh', 'bonferroni', 'games-howell', 'none'."),
        (lambda: cx.compare_segments(customers(), "card", "q", family="items"),
         "family is 'items'; allowed: 'all', 'item' (did you mean 'item'?)."),
        (lambda: cx.compare_segments(customers(), "card", "q", level=95),
         "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call()
    assert str(error.value) == message


def test_levels_of_an_empty_group_are_missing():
    survey = customers()
    groups = split(survey, "card")
    found = levels(resolve(survey), np.where(survey.data["card"] == 2, np.nan, 1.0), groups, classic=False)
    assert np.isnan(found.estimates.estimate[1])
    assert found.estimates.base.tolist()[1] == 0
