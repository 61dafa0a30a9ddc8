"""Drivers by segment: the same as segment by segment, tested with shared replicates, corrected at small bases."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import cxlab as cx
from cxlab.contrasts import benjamini_hochberg, holm
from cxlab.drivers._segments_cells import Options, cells
from cxlab.drivers._segments_tests import differences, figures, overall, pool
from cxlab.errors import SmallBaseWarning, SurveyError
from cxlab.survey import Survey

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
NAMES = ["a", "b", "c", "noise"]
SLOPES = np.array([0.6, 0.4, 0.2, 0.0])


def simulated(sizes=(300, 200, 150), seed: int = 1, shift=None, names=NAMES, slopes=SLOPES) -> pd.DataFrame:
    """Segments of these sizes with one truth; ``shift[g]`` is added to the slopes of segment g."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(1.0, len(sizes) + 1), sizes)
    count, p = len(g), len(names)
    x = rng.normal(size=(count, p)) + 0.7 * rng.normal(size=(count, 1))
    each = np.tile(slopes, (count, 1)).astype(float)
    for segment, change in (shift or {}).items():
        each[g == segment] += change
    y = (x * each).sum(axis=1) + rng.normal(size=count)
    return pd.DataFrame(x, columns=names).assign(
        y=y, g=g, w=rng.uniform(0.4, 2.5, count), s=np.arange(count) % 4.0, u=np.arange(count) // 5
    )


def survey_of(df: pd.DataFrame | None = None, **parts: str) -> Survey:
    return Survey.from_frame(simulated() if df is None else df, **parts)


def by_segment(survey: Survey, names=NAMES, **options):
    return cx.key_drivers(survey, "y", list(names), **{"by": "g", "replicates": 200, **options})


@pytest.fixture(scope="module")
def found():
    return by_segment(survey_of(weight="w", stratum="s"), replicates=400)


@pytest.fixture(scope="module")
def study() -> Survey:
    return cx.open_study(Path(__file__).parents[1] / "data" / "healthcheck" / "study.yml").survey("last:6")


# ---------------------------------------------------------------------- the same numbers as segment by segment
def same(table: pd.DataFrame, alone: pd.DataFrame) -> None:
    """Equal in every column that both have, driver by driver."""
    ours, theirs = (t.set_index("driver").sort_index() for t in (table, alone))
    for column in theirs:
        if pd.api.types.is_numeric_dtype(theirs[column]) and not pd.api.types.is_bool_dtype(theirs[column]):
            np.testing.assert_allclose(
                ours[column].astype(float), theirs[column], rtol=1e-9, atol=1e-10, err_msg=column
            )
        else:
            assert ours[column].tolist() == theirs[column].tolist(), column


@pytest.mark.parametrize(
    "parts", [{}, {"weight": "w", "stratum": "s"}, {"weight": "w", "psu": "u"}, {"weight": "w", "psu": "home"}]
)
def test_every_segment_is_the_analysis_of_its_domain(parts):
    survey = survey_of(
        simulated().assign(home=np.arange(650) % 300), **parts
    )  # respondents of several segments share a home
    result = by_segment(survey, seed=5)
    for code in (1.0, 2.0, 3.0):
        alone = cx.key_drivers(survey.where(g=code), "y", NAMES, replicates=200, seed=5)
        same(result.table[result.table["segment"] == code], alone.table)
        draws = result.replicates[result.replicates["segment"] == code][NAMES]
        np.testing.assert_allclose(draws, alone.replicates, rtol=1e-10)
        model = result.model.set_index("segment").loc[code]
        for column in ("r2", "r2_low", "r2_high", "r2_adjusted"):
            assert model[column] == pytest.approx(alone.model[column].iloc[0], rel=1e-10)


def test_one_segment_is_the_total():
    survey = survey_of(simulated().assign(g=1.0), weight="w", stratum="s")
    result, total = by_segment(survey), cx.key_drivers(survey, "y", NAMES, replicates=200)
    same(result.table, total.table)
    np.testing.assert_allclose(result.replicates[NAMES], total.replicates, rtol=1e-10)
    assert result.differences.empty
    assert result.overall["p_value"].isna().all()
    assert list(result.further()) == ["model"]
    np.testing.assert_allclose(result.table["estimate_shrunk"], result.table["estimate"])
    assert [s.text.split(":")[0] for s in result.sentences("en")] == ["Highest estimated importance, by group"]


@pytest.mark.parametrize(
    "options",
    [
        {"method": "johnson"},
        {"always": ["b"], "drivers": ["a", "c", "noise"]},
        {"drivers": ["a", "factor(kind)", "c"]},
        {"missing": "em", "drivers": ["a", "holes", "c"]},
        {"outcome": "y >= 1", "drivers": ["a", "b"]},
    ],
    ids=["johnson", "always", "factor", "em", "logit"],
)
def test_other_analyses_go_by_segment_too(options):
    df = simulated()
    rng = np.random.default_rng(2)
    df["kind"] = rng.integers(1, 4, len(df)).astype(float)
    df.loc[df["g"] == 2, "kind"] = rng.integers(2, 4, 200)  # a segment that lacks the first category
    df["holes"] = df["b"].where(rng.random(len(df)) > 0.2)
    survey = survey_of(df, weight="w")
    call = {"outcome": "y", "drivers": NAMES, "replicates": 100, **options}
    result = cx.key_drivers(survey, by="g", **call)
    for code in (1.0, 2.0):
        alone = cx.key_drivers(survey.where(g=code), **call)
        same(result.table[result.table["segment"] == code], alone.table)
        draws = result.replicates[result.replicates["segment"] == code][list(alone.replicates)]
        np.testing.assert_allclose(draws, alone.replicates, rtol=1e-8)
    assert result.odds == ("outcome" in options)
    assert result.differences["p_value"].notna().sum() == (
        3 * 2 if "kind" in str(options) else 3 * len(call["drivers"])
    )
    if result.odds:
        assert "in the log odds of" in result.sentences("en")[-2].text + result.sentences("en")[0].text


def test_columns_are_those_of_the_total_and_more(found):
    total = cx.key_drivers(survey_of(weight="w"), "y", NAMES, replicates=100).table
    assert found.table.columns[:2].tolist() == ["driver", "segment"]
    assert set(found.table) - set(total) == {
        "segment", "importance_corrected", "share_corrected", "estimate_shrunk", "reason",
    }  # fmt: skip
    assert set(total) <= set(found.table)
    assert found.table["driver"].tolist() == [d for d in NAMES for _ in range(3)]  # in the order of importance
    assert found.table["segment"].tolist() == [1.0, 2.0, 3.0] * 4
    shares = found.table.groupby("segment")[["share", "share_corrected"]].sum()
    np.testing.assert_allclose(shares, 1, rtol=1e-10)


# ---------------------------------------------------------------------- differences
def test_differences_are_those_of_the_replicates(found):
    table = found.table.set_index(["driver", "segment"])
    gaps = found.differences.set_index(["driver", "segment"])
    size = simulated().groupby("g")["w"].sum()
    for name in NAMES:
        for code in (1.0, 2.0, 3.0):
            others = [c for c in (1.0, 2.0, 3.0) if c != code]
            rest = np.average([table.loc[(name, c), "estimate"] for c in others], weights=size[others])
            row = gaps.loc[name, code]
            assert row["value"] == pytest.approx(table.loc[(name, code), "estimate"])
            assert row["rest"] == pytest.approx(rest)
            assert row["estimate"] == pytest.approx(row["value"] - rest)
            rest = np.average([table.loc[(name, c), "share_corrected"] for c in others], weights=size[others])
            assert row["share_gap"] == pytest.approx(table.loc[(name, code), "share_corrected"] - rest)
    p = 2 * stats.t.sf((gaps["estimate"] / gaps["se"]).abs(), gaps["df"])
    np.testing.assert_allclose(gaps["p_raw"], p)
    np.testing.assert_allclose(gaps["p_value"], holm(p))
    np.testing.assert_allclose(gaps["p_bh"], benjamini_hochberg(p))
    half = stats.t.ppf(0.975, gaps["df"]) * gaps["se"]
    np.testing.assert_allclose(gaps["high"] - gaps["estimate"], half)
    strict = stats.t.ppf(1 - 0.05 / 12 / 2, gaps["df"]) + stats.norm.ppf(0.8)
    np.testing.assert_allclose(gaps["detectable"], strict * gaps["se"])
    draws = found.replicates.set_index("segment")
    shares = {c: (d := draws.loc[c]).div(d.sum(axis=1), axis=0)["a"].to_numpy() for c in (1.0, 2.0, 3.0)}
    mean = np.average([shares[2.0], shares[3.0]], axis=0, weights=size[[2.0, 3.0]])
    assert gaps.loc[("a", 1.0), "share_se"] == pytest.approx((shares[1.0] - mean).std(ddof=1))


@pytest.mark.parametrize("parts", [{"weight": "w", "stratum": "s"}, {"weight": "w", "psu": "home"}])
def test_two_segments_are_a_regression_with_interactions(parts):
    """Estimate exactly, errors and joint tests within the noise of 2,000 replicates; homes have people of both segments."""
    rng = np.random.default_rng(3)
    df = simulated((300, 300), seed=4, shift={1.0: [0.3, 0, 0, 0]}).assign(home=np.tile(np.arange(300), 2))
    own = np.tile(rng.normal(size=300), 2)
    df["y"] += 2 * own * df["b"]  # what homes share, so that their members' slopes go together
    survey = survey_of(df, **parts)
    result = by_segment(survey, replicates=2000)
    fit = cx.linear(survey, "y", [f"{n}*g" for n in NAMES], factors=["g"])
    coefficients, tests = fit.table.set_index("coefficient"), fit.tests.set_index("term")
    gaps = result.differences[result.differences["segment"] == 2].set_index("driver")
    for name in NAMES:
        row = coefficients.loc[next(c for c in coefficients.index if ":" in c and name in c.replace("g", ""))]
        assert gaps.loc[name, "estimate"] == pytest.approx(row["estimate"], rel=1e-9)
        assert gaps.loc[name, "se"] == pytest.approx(row["se"], rel=0.08)
        joint = result.overall.set_index("driver").loc[name]
        f = tests.loc[next(t for t in tests.index if set(t.split(":")) == {name, "g"}), "f"]
        assert joint["f"] == pytest.approx(f, rel=0.17)
        assert joint["p_raw"] == pytest.approx(stats.f.sf(joint["f"], 1, joint["df"]))
    if "psu" in parts:
        apart = result.table.set_index(["driver", "segment"])["se"].loc["b"]
        assert gaps.loc["b", "se"] < 0.92 * np.hypot(*apart)  # taken for independent, the difference looks less sure


def test_two_segments_are_one_family_not_two():
    result = by_segment(survey_of(simulated((300, 200)), weight="w"))
    one, two = (result.differences[result.differences["segment"] == c].reset_index(drop=True) for c in (1, 2))
    np.testing.assert_allclose(one["estimate"], -two["estimate"])
    np.testing.assert_allclose(one["p_value"], two["p_value"])
    np.testing.assert_allclose(one["p_value"], holm(one["p_raw"].to_numpy()))
    assert any("Holm over 4 tests (4 drivers, 2 groups)" in n["en"] for n in result.notes)


def test_joint_tests_of_three_segments_are_wald_tests():
    df = simulated(shift={3.0: [0, 0.6, 0, 0]})
    result = by_segment(survey_of(df, weight="w"), replicates=2000)
    dummies = {c: (df["g"] == c).astype(float) for c in (2.0, 3.0)}
    x = pd.DataFrame({n: df[n] for n in NAMES}).assign(**{f"g{c:.0f}": d for c, d in dummies.items()})
    for n in NAMES:
        for c, d in dummies.items():
            x[f"{n}:{c:.0f}"] = df[n] * d
    fit = sm.WLS(df["y"], sm.add_constant(x), weights=df["w"]).fit(cov_type="HC0")
    table = result.overall.set_index("driver")
    for n in NAMES:
        contrasts = np.eye(len(fit.params))[[fit.params.index.get_loc(f"{n}:{c:.0f}") for c in dummies]]
        wald = fit.f_test(contrasts).fvalue
        assert table.loc[n, "f"] == pytest.approx(float(wald), rel=0.12)
        assert table.loc[n, "q"] == 2
    assert table["p_value"].idxmin() == "b"
    np.testing.assert_allclose(result.overall["p_value"], holm(result.overall["p_raw"].to_numpy()))


def test_differences_of_level_are_no_differences_of_effect():
    """Segment 3 is rated higher and is happier: one regression of segments 2 and 3 together finds an effect neither has."""
    df = simulated((400, 300, 300))
    df.loc[df["g"] == 3, ["a", "noise", "y"]] += [0, 3, 3]
    survey = survey_of(df)
    result = by_segment(survey)
    together = cx.key_drivers(survey.where("g >= 2"), "y", NAMES, replicates=0).table.set_index("driver")
    assert together.loc["noise", "estimate"] > 0.5
    gaps = result.differences.set_index(["driver", "segment"])
    assert abs(gaps.loc[("noise", 1.0), "rest"]) < 0.1
    assert (gaps.loc["noise", "p_value"] > 0.05).all()


def test_a_planted_difference_is_found_and_said():
    df = simulated((500, 400, 400), shift={2.0: [0, 0.5, 0, 0], 3.0: [0, 0, -0.6, 0]})
    labels = {1.0: "普卡", 2.0: "金卡", 3.0: "钻卡"}
    survey = survey_of(df.assign(card=pd.Categorical(df["g"].map(labels), list(labels.values()))), weight="w")
    result = cx.key_drivers(survey, "y", NAMES, by="card", replicates=200)
    gaps = result.differences.set_index(["driver", "segment"])
    for key in (("b", 2.0), ("c", 3.0)):
        assert gaps.loc[key, "p_value"] < 0.001
    said = result.sentences("en")
    row = gaps.loc["b", 2.0]
    assert said[1].text == (
        f"B matters more for 金卡 customers than for the others: {row['value']:+.2f} against {row['rest']:+.2f} points of "
        "y per point (Holm p < .001)."
    )
    assert said[1].facts["own"] == row["value"]
    assert said[0].text.startswith("C works the other way for 钻卡 customers: −0.4")
    rest = said[[s.template.startswith("No group of") for s in said].index(True)]
    assert "in 2 of 4 drivers (a, noise)" in rest.text
    own = result.differences[result.differences["driver"].isin(["a", "noise"])]["detectable"]
    assert (rest.facts["least"], rest.facts["most"]) == (own.min(), own.max())
    chinese = result.sentences("zh")
    assert chinese[1].text.startswith("“b”对金卡顾客的影响大于其他顾客：每高 1 分，y相差 +0.")
    assert len(chinese) == len(said)


def test_less_is_said_of_the_segment_that_differs():
    result = by_segment(survey_of(simulated((500, 400, 400), shift={2.0: [-0.45, 0, 0, 0]}), weight="w"))
    first = result.sentences("en")[0].text
    assert first.startswith("A matters less for the group “2” than for the others: +0.1")
    assert result.sentences("zh")[0].text.startswith("“a”对“2”组的影响小于其他顾客：")


def test_no_difference_says_what_could_have_been_found(found):
    (none,) = [s for s in found.sentences("en") if "tests" in s.facts]
    assert none.text.startswith(
        "The drivers do not differ between groups of g beyond chance (4 drivers, 12 tests, smallest Holm p = "
    )
    assert none.facts["least"] == found.differences["detectable"].min()
    assert none.facts["p"] == found.differences["p_value"].min() > 0.05
    assert "有 80% 的把握能识别每高 1 分y相差 0." in str(found.sentences("zh"))
    two = by_segment(survey_of(simulated((300, 200))))
    assert any("(4 drivers, 4 tests," in s.text for s in two.sentences("en"))


def test_two_segments_are_said_once():
    result = by_segment(survey_of(simulated((500, 500), shift={2.0: [0, 0.5, 0, 0]})))
    said = [s for s in result.sentences("en") if "own" in s.facts]
    assert [s.facts["segment"] for s in said] == ["the group “2”"]


# ---------------------------------------------------------------------- small segments
def test_small_segments_are_rows_and_masked_not_dropped():
    sizes = (300, 60, 22, 5)
    result_of = lambda: by_segment(survey_of(simulated(sizes), weight="w"))  # noqa: E731
    with pytest.warns(SmallBaseWarning) as caught:
        result = result_of()
    (message,) = [str(w.message) for w in caught if w.category is SmallBaseWarning]
    assert message == (
        "3 of 4 groups of 'g' have drivers with an effective base under 75 (2, 3, 4): read the intervals, not the ranking."
    )
    grades = result.table.groupby("segment")["reliability"].first()
    assert grades.tolist() == ["ok", "low", "suppressed", "suppressed"]
    lost = result.table[result.table["segment"] == 4]
    assert lost["base"].tolist() == [5] * 4
    assert lost[["importance", "share", "estimate", "se", "rank", "estimate_shrunk"]].isna().all(axis=None)
    assert set(lost["reason"]) == {"few"}
    tiny = result.table[result.table["segment"] == 3]
    assert tiny["importance"].notna().all()
    assert tiny["reason"].eq("").all()
    shown = result.shown("en")
    assert (shown.loc[result.table["segment"] >= 3, ["Importance", "Share", "Effect per +1"]] == "–").all(axis=None)
    assert shown.loc[result.table["segment"] == 4, "Why no numbers"].eq("too few complete answers").all()
    assert shown.loc[result.table["segment"] == 4, "Base"].eq("5").all()
    gaps = result.differences
    assert gaps[gaps["segment"] >= 3]["p_value"].isna().all()
    assert gaps[gaps["segment"] < 3]["p_value"].notna().all()
    alone = by_segment(survey_of(simulated(sizes).query("g < 3"), weight="w")).differences
    kept = gaps[gaps["segment"] < 3].reset_index(drop=True)
    np.testing.assert_allclose(kept["rest"], alone["rest"], rtol=1e-9)  # small segments are no part of "the others"
    assert result.overall["segments"].eq(2).all()
    assert any(n["en"].startswith("4: 5 complete answers, 6 are needed") for n in result.notes)
    assert any(n["zh"].startswith("“4”：完整回答 5 份，至少需要 6 份") for n in result.notes)
    assert result.sentences("en")[-1].text == (
        "Not shown, effective base under 30 or too few complete answers: 3 (22), 4 (5)."
    )
    assert "3（22）、4（5）" in result.sentences("zh")[-1].text


@pytest.mark.parametrize(("column", "reason"), [("constant", "constant"), ("twin", "tied")])
def test_a_segment_without_variation_says_so(column, reason):
    df = simulated()
    df["constant"] = np.where(df["g"] == 2, 3.0, df["c"])
    df["twin"] = np.where(df["g"] == 2, df["a"], df["c"])
    result = by_segment(survey_of(df), ["a", "b", column], replicates=100)
    assert set(result.table.loc[result.table["segment"] == 2, "reason"]) == {reason}
    assert result.model.set_index("segment").loc[2, "base"] == 200
    assert result.overall["segments"].eq(2).all()
    assert len(result.table) == 9


def test_a_segment_too_small_for_replicates_keeps_its_points():
    df = simulated((300, 200, 60))
    df["rare"] = np.random.default_rng(1).normal(size=560)
    df.loc[df["g"] == 3, "rare"] = (np.arange(60) == 7).astype(float)  # some replicates draw it nowhere
    result = by_segment(survey_of(df), ["a", "rare"])
    third = result.table[result.table["segment"] == 3]
    assert set(third["reason"]) == {"replicates"}
    assert third["estimate"].notna().all()
    assert third[["se", "importance_low"]].isna().all(axis=None)
    assert result.differences[result.differences["segment"] == 3]["p_value"].isna().all()
    assert result.differences[result.differences["segment"] < 3]["p_value"].notna().all()


def test_without_replicates_there_are_points_only():
    result = by_segment(survey_of(weight="w"), replicates=0)
    assert result.table["estimate"].notna().all()
    assert (
        result.table[["se", "low", "p_value", "importance_low", "share_corrected", "estimate_shrunk"]]
        .isna()
        .all(axis=None)
    )
    assert result.differences["estimate"].notna().all()
    assert result.differences["p_value"].isna().all()
    (said,) = result.sentences("en")
    assert said.text.endswith("No intervals were asked for.")


# ---------------------------------------------------------------------- bias and shrinkage
def test_corrected_shares_and_fit_are_nearer_the_truth_at_small_bases():
    """120 segments of 80 with one truth: R² .5, all of it from one driver of eight."""
    names, slopes = [f"x{k}" for k in range(8)], np.r_[1.0, np.zeros(7)]
    parts = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(60 * 80, 8))
        df = pd.DataFrame(x, columns=names).assign(
            y=x @ slopes + rng.normal(size=len(x)), g=np.repeat(np.arange(60.0), 80)
        )
        parts.append(by_segment(survey_of(df), names, seed=seed))
    model = pd.concat([r.model for r in parts])
    wrong, right = model["r2"].mean() - 0.5, model["r2_corrected"].mean() - 0.5
    assert wrong > 0.03
    assert abs(right) < 0.3 * wrong
    table = pd.concat([r.table for r in parts]).groupby("driver")[["share", "share_corrected"]].mean()
    assert table.loc["x0", "share"] < 0.93
    assert abs(table.loc["x0", "share_corrected"] - 1) < 0.4 * abs(table.loc["x0", "share"] - 1)
    assert model["r2_adjusted"].mean() == pytest.approx(0.5, abs=0.02)


def test_pooling_is_that_of_dersimonian_and_laird():
    """statsmodels' combine_effects is an implementation of its own."""
    from statsmodels.stats.meta_analysis import combine_effects

    rng = np.random.default_rng(3)
    v = rng.uniform(0.01, 0.05, 9)
    b = 0.4 + rng.normal(0, 0.2, 9) + np.sqrt(v) * rng.normal(size=9)
    theirs = combine_effects(b, v, method_re="dl")
    mean, prior = pool(b, v)
    assert prior == pytest.approx(theirs.tau2, rel=1e-10)
    assert mean == pytest.approx(theirs.mean_effect_re, rel=1e-10)
    assert pool(np.full(4, 0.3), v[:4]) == (pytest.approx(0.3), 0.0)


def test_shrunk_effects_are_nearer_the_truth_than_own_and_common_ones():
    errors, pulls = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        true = {k + 1.0: np.r_[rng.normal(0, 0.1), 0, 0, 0] for k in range(20)}
        result = by_segment(survey_of(simulated([60] * 10 + [200] * 10, seed=seed, shift=true)), replicates=100)
        table = result.table[result.table["driver"] == "a"].set_index("segment")
        pooled = result.overall.set_index("driver").loc["a", "pooled"]
        truth = pd.Series({k: 0.6 + v[0] for k, v in true.items()})
        errors.append([((e - truth) ** 2).mean() for e in (table["estimate"], table["estimate_shrunk"], pooled)])
        pulls.append((1 - (table["estimate_shrunk"] - pooled) / (table["estimate"] - pooled)).to_numpy())
    own, shrunk, common = np.mean(errors, axis=0)
    assert shrunk < 0.85 * min(own, common)
    pull = np.mean(pulls, axis=0)
    assert pull[:10].mean() > 1.25 * pull[10:].mean()  # the less sure, the more


def test_degrees_of_freedom_follow_the_squared_influences():
    """Normal answers leave a quarter of the base, answers of one size nearly all of it; both end at PSUs − columns."""
    rng = np.random.default_rng(1)
    df = pd.DataFrame(
        {"normal": rng.normal(size=2000), "sign": rng.choice([-1.0, 1.0], 2000), "g": np.repeat([1.0, 2], 1000)}
    )
    df["y"] = df["normal"] + df["sign"] + rng.normal(size=2000)
    survey = survey_of(df)
    found = cells(survey, "y", ["normal", "sign"], Options("shapley", None, "listwise", (), "g", 100, 200, 1, 0.95))
    for cell in found.segments:
        normal, sign = figures(cell, 0.95).df
        assert 150 < normal < 400
        assert 800 < sign <= 997


def compared(seed: int, shift=None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Differences and joint tests alone, without the null lines that take most of the time."""
    survey = survey_of(simulated((200, 120, 80), seed=seed, shift=shift), weight="w")
    found = cells(survey, "y", NAMES, Options("shapley", None, "listwise", (), "g", 200, 200, seed, 0.95))
    parts = [figures(c, 0.95) for c in found.segments]
    return differences(found, parts, 0.95).set_index(["driver", "segment"]), overall(found, parts)


@pytest.mark.slow
def test_false_alarms_and_power():
    """300 surveys without a difference, 100 with one of the size that is called detectable with 80 % power."""
    null = [compared(seed) for seed in range(300)]
    alarms = [sum((t["p_value"] < 0.05).any() for t in family) for family in zip(*null, strict=True)]
    size = float(np.median([gaps.loc[("c", 2.0), "detectable"] for gaps, _ in null]))
    planted = [compared(1000 + seed, {2.0: [0, 0, size, 0]})[0] for seed in range(100)]
    hits = sum(gaps.loc[("c", 2.0), "p_value"] < 0.05 for gaps in planted)
    print(alarms, hits, size)
    assert max(alarms) <= 28
    assert 68 <= hits <= 92


# ---------------------------------------------------------------------- the demo study
def test_cards_do_not_differ_in_what_drives_them_and_types_do(study):
    """Planted: neither card nor gender changes a slope; the three latent classes weigh price, service and product."""
    result = cx.key_drivers(study, "satisfaction", by="card", replicates=200)
    assert (result.differences["p_value"] > 0.05).all()
    assert result.table.iloc[0]["driver"] == "queue"
    simulated_study = cx.simulate_healthcheck(1000, waves=4, seed=5)
    survey = simulated_study.survey().with_columns(kind=simulated_study.latent["group"].to_numpy(dtype=float))
    names = ["queue", "price_fairness", "reception", "nurse", "doctor", "info", "equipment", "noise"]
    planted = {1.0: ["price_fairness"], 2.0: ["reception", "nurse", "doctor"], 3.0: ["info", "equipment"]}
    result = cx.key_drivers(survey, "satisfaction", names, by="kind", replicates=200)
    gaps = result.differences.set_index(["driver", "segment"])
    for code, drivers in planted.items():
        for driver in drivers:
            assert gaps.loc[(driver, code), "p_value"] < 0.001
            assert gaps.loc[(driver, code), "estimate"] > 0.1
    for driver in ("noise", "queue"):
        assert (gaps.loc[driver, "p_value"] > 0.05).all()


# ---------------------------------------------------------------------- notes, pictures, exports
def test_who_is_in_no_group_is_counted():
    df = simulated()
    df.loc[:39, "g"] = np.nan
    result = by_segment(survey_of(df, weight="w"))
    share = df["w"][:40].sum() / df["w"].sum()
    assert any(
        n["en"] == f"40 respondents ({share:.1%} of the weight) have no value of g and are in no group."
        for n in result.notes
    )
    assert result.base.respondents == 610


def test_the_call_makes_the_result_again(found):
    again = eval(found.call, {"cx": cx, "survey": survey_of(weight="w", stratum="s")})
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.differences, found.differences)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("count", [3, 8])
def test_the_picture_has_a_panel_per_segment(count, lang, tmp_path):
    df = simulated((200,) * (count - 1) + (12,), shift={2.0: [0, 0.6, 0, 0]})
    result = by_segment(survey_of(df), replicates=100)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # matplotlib's "Glyph missing from font(s)"
        ax = result.plot(lang=lang)
        ax.figure.savefig(tmp_path / "segments.png")
    panels = ax.child_axes
    assert len(panels) == count
    assert len({p.get_xlim() for p in panels}) == 1
    assert "12" in panels[-1].texts[0].get_text()
    rows = result.table.set_index("driver")
    for code, panel in zip(range(1, count), panels, strict=False):
        plain, found = (np.asarray(panel.collections[k].get_offsets()) for k in (1, 2))
        drawn = np.vstack([plain, found])
        own = rows.loc[(rows["segment"] == code).to_numpy(), "estimate"]
        np.testing.assert_allclose(drawn[np.argsort(drawn[:, 1])][:, 0], own)
        holds = result.differences[result.differences["segment"] == code]["p_value"] < 0.05
        assert len(found) == holds.sum()
    assert holds.sum() + (result.differences["p_value"] < 0.05).sum() > 0


def test_the_workbook_has_every_table(found, tmp_path):
    sheets = pd.read_excel(found.to_excel(tmp_path / "segments.xlsx"), sheet_name=None)
    assert len(sheets) >= 4
    text = found._repr_html_()
    assert "Each group against the others" in text
    assert "各组与其他组比较" in found.further()["differences"].text(found.further()["differences"].title, "zh")
    assert "Rao–Wu bootstrap replicates shared by all groups" in found.methods("en")
    assert "400 次 Rao–Wu" in found.methods("zh")


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "crad"}, "by names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."),
        ({"by": ["g", "card"]}, "by is ['g', 'card']; name one column."),
        ({"by": "who"},
         "by: 'who' has 400 groups among the respondents; drivers are compared in up to 60: band them in study.yml "
         "(recoded), or choose some with survey.where."),
        ({"by": "a"},
         "by: 'a' has 650 groups among the respondents; drivers are compared in up to 60: band them in study.yml "
         "(recoded), or choose some with survey.where."),
        ({"by": "s", "drivers": ["a", "s"]},
         "by is 's', which is named in drivers too; within a segment it does not vary: leave it out of drivers."),
        ({"by": "s", "drivers": ["a", "factor(s)"]},
         "by is 's', which is named in drivers too; within a segment it does not vary: leave it out of drivers."),
        ({"by": "s", "drivers": ["a"], "always": ["s"]},
         "by is 's', which is named in always too; within a segment it does not vary: leave it out of always."),
        ({"by": "s", "outcome": "s", "drivers": ["a"]},
         "by is 's', which is named in outcome too; within a segment it does not vary: leave it out of outcome."),
        ({"by": "gone"}, "by: 'gone' is missing for all 650 respondents; name another column."),
        ({"by": "g", "drivers": ["a", "nose"]},
         "drivers names 1 column that is not in the survey: 'nose' (did you mean 'noise'?)."),
        ({"by": "g", "replicates": 5}, "replicates is 5; intervals need at least 100, or 0 for point estimates only."),
    ],
)  # fmt: skip
def test_messages(options, message):
    df = simulated().assign(card=1.0, who=np.arange(650.0) % 400, gone=np.nan)
    with pytest.raises(SurveyError) as error:
        cx.key_drivers(survey_of(df), **{"outcome": "y", "drivers": NAMES, "replicates": 100, **options})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("method", "said", "zh"),
    [
        (
            "tjur",
            "Shapley values of Tjur's D on a weighted logit, whose log odds are what is compared, within each group",
            "加权 Logit 模型（比较的是对数优势）采用Tjur D 的 Shapley 值",
        ),
        (
            "relative_weights",
            "Relative weights (Tonidandel & LeBreton 2010) on a weighted logit",
            "采用相对权重（Tonidandel 与 LeBreton，2010）计算",
        ),
    ],
)
def test_methods_of_a_logit_by_segment_name_the_logit(method, said, zh):
    rng = np.random.default_rng(2)
    df = pd.DataFrame(rng.normal(size=(600, 2)), columns=["a", "b"]).assign(g=np.repeat([1, 2], 300))
    df["y"] = (df["a"] + rng.logistic(size=600) > 0).astype(float)
    found = cx.key_drivers(Survey.from_frame(df), "y", ["a", "b"], by="g", method=method, replicates=100)
    assert said in found.methods("en")
    assert zh in found.methods("zh")
    assert any(n["en"].startswith("Importance describes association") for n in found.notes)
