"""Key drivers: against R, on every kind of base, what is said of them, and what is refused."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm, ranks
from cxlab.drivers import _kernels, _prepare
from cxlab.errors import CollinearityWarning, SignFlipWarning, SmallBaseWarning, SurveyError
from cxlab.items import Item
from cxlab.subsets import shapley
from cxlab.survey import Roles, Survey

mpl.use("Agg")

GOLDEN = Path(__file__).parent / "golden"
RELAIMPO = json.loads((GOLDEN / "drivers" / "relaimpo.json").read_text())
LMG = {k: v for k, v in RELAIMPO.items() if "drivers" in v}
R = {c["id"]: c["value"] for c in json.loads((GOLDEN / "survey" / "survey.json").read_text())["cases"]}
DESIGNS = {
    "dsrs_w": ("apistrat.csv", {"weight": "pw"}),
    "dstrat": ("apistrat.csv", {"weight": "pw", "stratum": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1.csv", {"weight": "pw", "psu": "dnum", "fpc": "fpc"}),
}
NAMES = ["a", "b", "c", "d", "noise"]
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


def golden(name: str) -> Survey:
    data = pd.read_csv(GOLDEN / "drivers" / f"{name}.csv")
    return Survey.from_frame(data, weight="w" if "w" in data else None)


def simulated(seed: int = 1, count: int = 500, **columns) -> pd.DataFrame:
    """Four drivers of falling effect and one of noise; a to d correlate at .4."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 5))
    x[:, :4] += np.sqrt(2 / 3) * rng.normal(size=(count, 1))
    y = x[:, :4] @ [0.6, 0.4, 0.25, 0.1] + 1.2 * rng.normal(size=count)
    w = rng.uniform(0.4, 2.5, count)
    df = pd.DataFrame(x, columns=NAMES).assign(y=y, w=w, s=np.arange(count) % 4, u=np.arange(count) // 10)
    return df.assign(**columns)


def survey_of(df: pd.DataFrame | None = None, **parts: str) -> Survey:
    return Survey.from_frame(simulated() if df is None else df, **parts)


def drivers_of(survey: Survey, names=NAMES, **options):
    return cx.key_drivers(survey, "y", list(names), **{"replicates": 200, **options})


@pytest.fixture(scope="module")
def found():
    return drivers_of(survey_of(weight="w"), replicates=400)


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("name", LMG)
@pytest.mark.parametrize(("method", "reference"), [("shapley", "lmg"), ("johnson", "genizi")])
def test_importances_are_those_of_relaimpo(name, method, reference):
    case = LMG[name]
    result = cx.key_drivers(golden(name), case["outcome"], case["drivers"], method=method, replicates=0)
    table = result.table.set_index("driver").loc[case["drivers"]]
    np.testing.assert_allclose(table["importance"], case[reference], rtol=0, atol=1e-12)
    np.testing.assert_allclose(table["estimate"], case["coef_with_intercept"][1:], rtol=1e-9)
    assert result.model["r2"].iloc[0] == pytest.approx(case["R2"], abs=1e-12)
    assert table["share"].sum() == pytest.approx(1, abs=1e-12)
    n, p = case["n"], len(case["drivers"])
    assert result.model["r2_adjusted"].iloc[0] == pytest.approx(1 - (1 - case["R2"]) * (n - 1) / (n - p - 1), abs=1e-12)


@pytest.mark.parametrize("design", DESIGNS)
def test_effects_are_those_of_svyglm(design):
    file, parts = DESIGNS[design]
    case = R[f"{design}.glm_gaussian"]
    survey = Survey.from_frame(pd.read_csv(GOLDEN / "survey" / file), **parts)
    result = cx.key_drivers(survey, "api00", case["names"][1:], replicates=100)
    table = result.table.set_index("driver").loc[case["names"][1:]]
    np.testing.assert_allclose(table["estimate"], case["coef"][1:], rtol=1e-10)
    np.testing.assert_allclose(table["se"], case["se"][1:], rtol=1e-10)
    np.testing.assert_allclose(table["p_value"], case["p"][1:], rtol=1e-8, atol=1e-14)
    half = stats.t.ppf(0.975, case["df_resid"]) * table["se"]
    np.testing.assert_allclose(table["high"] - table["estimate"], half, rtol=1e-10)
    np.testing.assert_allclose(table["estimate"] - table["low"], half, rtol=1e-10)


def test_percentile_intervals_are_near_those_of_boot_relimp():
    """Both are Monte Carlo, and Rao–Wu draws n − 1 of n = 30: a few hundredths apart."""
    case = RELAIMPO["attitude_boot"]
    table = cx.key_drivers(golden("attitude"), "rating", case["names"], replicates=2000).table
    table = table.set_index("driver").loc[case["names"]]
    clear = table["distinguishable"].to_numpy()
    np.testing.assert_allclose(table["importance_high"], case["upper"], atol=0.03)
    np.testing.assert_allclose(table["importance_low"][clear], np.array(case["lower"])[clear], atol=0.03)
    assert (table["importance_low"][~clear] == 0).all()


def test_effects_have_the_errors_of_a_weighted_regression(found):
    df = simulated()
    fit = sm.WLS(df["y"], sm.add_constant(df[NAMES]), weights=df["w"]).fit(cov_type="HC0")
    table = found.table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(table["estimate"], fit.params[NAMES], rtol=1e-10)
    np.testing.assert_allclose(table["se"], fit.bse[NAMES] * np.sqrt(500 / 499), rtol=1e-10)


def test_performance_correlation_and_effective_base(found):
    df = simulated()
    table = found.table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(table["performance"], np.average(df[NAMES], axis=0, weights=df["w"]), rtol=1e-10)
    covariance = np.cov(df[[*NAMES, "y"]].T, aweights=df["w"])
    expected = covariance[:5, 5] / np.sqrt(np.diag(covariance)[:5] * covariance[5, 5])
    np.testing.assert_allclose(table["correlation"], expected, rtol=1e-10)
    assert (table["base"] == 500).all()
    kish = df["w"].sum() ** 2 / (df["w"] ** 2).sum()
    np.testing.assert_allclose(table["base_effective"], kish, rtol=0.12)  # weights unrelated to anything
    repeated = drivers_of(survey_of(pd.concat([simulated()] * 3).assign(home=np.tile(np.arange(500), 3)), psu="home"))
    alone = drivers_of(survey_of())
    np.testing.assert_allclose(repeated.table["base_effective"], 500, rtol=0.01)
    np.testing.assert_allclose(repeated.table["se"], alone.table["se"], rtol=1e-9)


# ---------------------------------------------------------------------- intervals, ranks, null lines
def test_intervals_and_ranks_are_those_of_the_replicates(found):
    draws, table = found.replicates, found.table.set_index("driver")
    assert draws.shape == (400, 5)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    clear = table.loc[NAMES, "distinguishable"].to_numpy()
    np.testing.assert_allclose(table.loc[NAMES, "importance_high"], high)
    np.testing.assert_allclose(table.loc[NAMES, "importance_low"], np.where(clear, low, 0))
    shares = draws.to_numpy() / draws.sum(axis=1).to_numpy()[:, None]
    np.testing.assert_allclose(table.loc[NAMES, "share_high"], np.quantile(shares, 0.975, axis=0))
    np.testing.assert_allclose(
        found.model[["r2_low", "r2_high"]].iloc[0], np.quantile(draws.sum(axis=1), [0.025, 0.975])
    )
    placed = ranks(draws.to_numpy())
    np.testing.assert_allclose(table.loc[NAMES, "top1"], (placed == 1).mean(axis=0))
    np.testing.assert_allclose(table.loc[NAMES, "top3"], (placed <= 3).mean(axis=0))
    assert found.table["top1"].sum() == pytest.approx(1)
    assert found.table["top3"].sum() == pytest.approx(3)
    assert found.table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert ((found.table["rank_low"] <= found.table["rank"]) & (found.table["rank"] <= found.table["rank_high"])).all()


def test_the_planted_order_is_found_and_noise_is_noise():
    table = drivers_of(survey_of(simulated(count=2000), weight="w")).table.set_index("driver")
    assert table.index.tolist() == NAMES
    assert table["distinguishable"].to_dict() == {"a": True, "b": True, "c": True, "d": True, "noise": False}
    assert table.loc["noise", ["importance_low", "share_low"]].tolist() == [0, 0]
    assert table.loc["noise", "importance"] < table.loc["noise", "null_line"]
    assert table.loc["a", ["rank_low", "rank_high"]].tolist() == [1, 1]


def test_a_null_line_is_the_95th_percentile_of_permuted_drivers():
    """By hand: 2,000 permutations of one driver, all others held."""
    df, rng = simulated(), np.random.default_rng(3)
    columns, drawn = df[[*NAMES, "y"]].to_numpy(), []
    for _ in range(2000):
        moved = np.column_stack([rng.permutation(columns[:, 0]), columns[:, 1:]])
        drawn.append(np.cov(moved.T, aweights=df["w"].to_numpy()))
    expected = np.quantile(shapley(np.array(drawn))[:, 0], 0.95)
    line = drivers_of(survey_of(weight="w"), replicates=100, permutations=2000).table.set_index("driver")["null_line"]
    assert line["a"] == pytest.approx(expected, rel=0.12)  # a 95th percentile of 2,000 has an error of about 4 %


def test_permutations_stay_within_strata():
    """A driver that differs between strata only is the same after every permutation: no line below its importance."""
    df = simulated(count=400)
    df["between"] = df["s"].astype(float)
    df["y"] += df["s"]
    table = drivers_of(survey_of(df, stratum="s"), [*NAMES, "between"]).table.set_index("driver")
    assert table.loc["between", "null_line"] == pytest.approx(table.loc["between", "importance"], rel=1e-9)
    assert not table.loc["between", "distinguishable"]
    assert drivers_of(survey_of(df), [*NAMES, "between"]).table.set_index("driver").loc["between", "distinguishable"]


def test_units_trade_whole_within_their_stratum():
    sizes = [1, 3, 3, 10, 2, 2]
    unit = np.repeat(np.arange(6), sizes)
    df = pd.DataFrame({"u": unit, "s": unit >= 4, "a": np.arange(21.0), "y": np.arange(21.0) ** 2})
    prepared = _prepare.prepare(
        survey_of(df.sample(frac=1, random_state=2), stratum="s", psu="u"), "y", ["a"], "listwise"
    )
    sample = prepared.sample
    unit, rows = sample.unit, np.arange(21)
    read_by_the_single_one = set()
    for order in sample.permutations(400, np.random.default_rng(1)):
        assert (sample.stratum[order] == sample.stratum).all()
        source = [set(unit[order[unit == u]]) for u in range(6)]
        assert sorted(s for one in source for s in one) == list(
            range(6)
        )  # each unit has one source, each is a source once
        for u, (s,) in enumerate(source):
            read = order[unit == u]
            assert len(set(read)) == min(sizes[u], sizes[s])  # no answer twice unless the source is smaller
        read_by_the_single_one |= set(order[unit == 0])
    assert read_by_the_single_one == set(rows[sample.stratum == 0])  # every answer gets its turn


def test_a_driver_that_is_permuted_into_a_constant_counts_nothing():
    """One large unit and many small: trading with them can leave a rare answer out altogether."""
    rng = np.random.default_rng(2)
    unit = np.r_[np.zeros(60), np.arange(1, 61)]
    df = pd.DataFrame({"a": rng.normal(size=120), "rare": (np.arange(120) % 60 == 7).astype(float), "unit": unit})
    df["y"] = df["a"] + rng.normal(size=120)
    df.loc[60:, "rare"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        prepared = _prepare.prepare(survey_of(df, psu="unit"), "y", ["a", "rare"], "listwise")
        lines = _kernels.kernel(prepared, "linear", "shapley").null_lines(200, 0)
    assert np.isfinite(lines).all()


def alarms(make, surveys: int, driver: str = "noise") -> int:
    count = 0
    for seed in range(surveys):
        result = drivers_of(make(np.random.default_rng([2026, seed])), replicates=100, seed=seed)
        count += bool(result.table.set_index("driver").loc[driver, "distinguishable"])
    return count


def clustered(rng: np.random.Generator, likeness: float, size: int = 10) -> Survey:
    """Thirty PSUs in which noise, outcome and drivers are alike; noise is unrelated to everything."""
    df = simulated(int(rng.integers(1 << 30)), count=30 * size)
    unit = np.arange(len(df)) // size
    df["noise"] = np.sqrt(likeness) * rng.normal(size=30)[unit] + np.sqrt(1 - likeness) * rng.normal(size=len(df))
    df["y"] += 0.8 * rng.normal(size=30)[unit]
    return survey_of(df.assign(unit=unit), psu="unit")


@pytest.mark.slow
def test_noise_is_taken_for_a_driver_in_5_of_100_surveys():
    """The line is a 95th percentile, so 25 of 500 are expected; at a rate of .05, 42 or more happen once in 1,000."""
    assert 9 <= alarms(lambda rng: survey_of(simulated(int(rng.integers(1 << 30)), count=300), weight="w"), 500) <= 41


@pytest.mark.slow
@pytest.mark.parametrize("likeness", [0.1, 1.0])
def test_noise_that_is_alike_within_clusters_is_no_driver_either(likeness):
    assert alarms(lambda rng: clustered(rng, likeness), 300) <= 28


@pytest.mark.slow
def test_half_the_weakest_planted_effect_is_found():
    """Power: .05 instead of .1 standard deviations of the outcome at a base of 4,000, in at least 8 of 10."""

    def make(rng: np.random.Generator) -> Survey:
        df = simulated(int(rng.integers(1 << 30)), count=4000)
        df["y"] += 0.08 * df["noise"]
        return survey_of(df)

    assert alarms(make, 50) >= 40


# ---------------------------------------------------------------------- domains, seeds, calls
def test_a_domain_is_analysed_within_the_whole_design():
    df = simulated()
    df["u"] = df["s"] * 100 + np.arange(500) // 20
    survey = survey_of(df, weight="w", stratum="s", psu="u")
    domain, cut = survey.where("a > 0"), survey_of(survey.data[survey.data["a"] > 0], weight="w", stratum="s", psu="u")
    inside, alone = drivers_of(domain), drivers_of(cut)
    points = ["driver", "importance", "estimate", "performance", "correlation", "base"]
    pd.testing.assert_frame_equal(inside.table[points], alone.table[points], rtol=1e-10)
    zero = survey_of(
        survey.data.assign(w=survey.data["w"].where(survey.data["a"] > 0, 0)), weight="w", stratum="s", psu="u"
    )
    again = drivers_of(zero)  # a weight of 0 is another way to say the same domain
    pd.testing.assert_frame_equal(inside.table, again.table, rtol=1e-10)
    pd.testing.assert_frame_equal(inside.replicates, again.replicates, rtol=1e-10)


def test_seeds_reproduce_and_differ():
    survey = survey_of()
    one, two, other = (drivers_of(survey, seed=s) for s in (5, 5, 6))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert (one.replicates != other.replicates).any(axis=None)
    np.testing.assert_array_equal(one.table["importance"], other.table["importance"])


def test_the_order_of_names_changes_nothing():
    survey = survey_of(weight="w")
    pd.testing.assert_frame_equal(drivers_of(survey).table, drivers_of(survey, NAMES[::-1]).table, rtol=1e-9)


def test_rescaled_weights_and_rows_in_another_order_change_nothing():
    df = simulated()
    points = ["driver", "importance", "estimate", "se", "p_value", "base_effective"]
    whole = drivers_of(survey_of(df, weight="w", stratum="s")).table[points]
    scaled = drivers_of(survey_of(df.assign(w=df["w"] * 1e6), weight="w", stratum="s")).table[points]
    moved = drivers_of(survey_of(df.sample(frac=1, random_state=1), weight="w", stratum="s")).table[points]
    pd.testing.assert_frame_equal(scaled, whole, rtol=1e-9)
    pd.testing.assert_frame_equal(moved, whole, rtol=1e-9)


def test_integer_weights_repeat_rows_in_the_estimate_and_not_in_the_error():
    df = simulated(w=np.random.default_rng(1).integers(1, 5, 500).astype(float))
    weighted = drivers_of(survey_of(df, weight="w"))
    repeated = drivers_of(survey_of(df.loc[df.index.repeat(df["w"].astype(int))].assign(w=1.0), weight="w"))
    points = ["driver", "importance", "estimate", "correlation", "performance"]
    pd.testing.assert_frame_equal(weighted.table[points], repeated.table[points], rtol=1e-9)
    assert (weighted.table["se"] > 1.2 * repeated.table["se"]).all()
    assert weighted.replicates.std().sum() > 1.2 * repeated.replicates.std().sum()


@pytest.mark.parametrize(
    "options", [{}, {"level": 0.9, "seed": 4, "permutations": 300}, {"method": "johnson"}, {"replicates": 0}]
)
def test_the_call_makes_the_result_again(options):
    survey = survey_of(weight="w")
    result = drivers_of(survey.where("a > -1", s=[0, 1, 2]), **options)
    call, data = result.call.split("  # data ")
    assert data == survey.data_hash
    again = eval(call, {"cx": cx, "survey": survey})
    pd.testing.assert_frame_equal(again.table, result.table)


def test_no_replicates_give_points_and_claim_nothing_else():
    result = drivers_of(survey_of(), replicates=0)
    empty = [
        "importance_low",
        "importance_high",
        "share_low",
        "top1",
        "top3",
        "se",
        "low",
        "high",
        "p_value",
        "null_line",
    ]
    assert result.table[empty].isna().all(axis=None)
    assert (result.table["rank_low"] == 1).all()
    assert (result.table["rank_high"] == 5).all()
    assert result.replicates.empty
    first = result.sentences("en")[0]
    assert set(first.facts) == {"driver", "outcome", "share"}
    assert first.facts["share"] == result.table["share"].iloc[0]


def test_one_driver_has_all_of_r_squared():
    result = drivers_of(survey_of(), ["a"])
    r = np.corrcoef(simulated()["a"], simulated()["y"])[0, 1]
    assert result.table[["importance", "share", "rank_low", "rank_high", "top1"]].values.tolist()[0] == pytest.approx(
        [r**2, 1, 1, 1, 1]
    )


# ---------------------------------------------------------------------- roles, missing answers
def studied() -> Survey:
    df = simulated()
    df.loc[:149, "d"] = np.nan
    df.loc[480:, "b"] = np.nan
    survey = survey_of(df, weight="w")
    items = (
        Item("a", {"en": "Queueing time", "zh": "排队等候"}, scale=(-4, 4)),
        Item("b", {"en": "Doctor", "zh": "医生"}, scale=(-4, 4)),
        Item("d", {"en": "Meal", "zh": "餐食"}, missing={98.0: "not experienced"}),
        Item("y", {"en": "Overall satisfaction", "zh": "总体满意度"}),
    )
    roles = Roles(drivers={"value": ("a", "b"), "": ("c", "d")}, outcomes={"satisfaction": ("y",)})
    reasons = pd.DataFrame({"d": np.where(df.index < 150, 98.0, np.nan)})
    return replace(survey, codebook=survey.codebook.with_items(*items), roles=roles, missing_reasons=reasons)


def test_default_drivers_leave_out_what_many_have_not_experienced():
    survey = studied()
    result = cx.key_drivers(survey, replicates=100)
    assert sorted(result.table["driver"]) == ["a", "b", "c"]
    assert result.table.set_index("driver")["block"].to_dict() == {"a": "value", "b": "value", "c": ""}
    for lang, meal in (("en", "Meal"), ("zh", "餐食")):
        (aside,) = [n[lang] for n in result.notes if meal in n[lang]]
        assert "20%" in aside
    assert result.base.respondents == 480
    assert result.base.excluded == 20
    assert result.base.excluded_share == pytest.approx(simulated()["w"][480:].sum() / simulated()["w"].sum(), rel=1e-9)
    named = cx.key_drivers(survey, "satisfaction", ["a", "d"], replicates=100)
    assert named.base.respondents == 350


def test_a_role_of_several_items_is_one_driver():
    survey = studied()
    result = cx.key_drivers(survey, "y", ["value", "c"], replicates=0)
    combined = survey.with_columns(value_index=survey.values("value"))
    assert result.table["importance"].tolist() == pytest.approx(
        cx.key_drivers(combined, "y", ["value_index", "c"], replicates=0).table["importance"].tolist()
    )


# ---------------------------------------------------------------------- words and pictures
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sentences_hold_the_numbers_of_the_table(lang):
    result = cx.key_drivers(studied(), replicates=200, level=0.9)
    said = result.sentences(lang)
    top = result.table.iloc[0]
    for value in (
        f"{top['share']:.0%}",
        f"{top['share_low']:.0%}",
        f"{top['share_high']:.0%}",
        f"{top['estimate']:+.2f}",
        "90%",
    ):
        assert value in said[0].text
    assert said[0].facts["share"] == top["share"]
    assert {"en": "Queueing time", "zh": "排队等候"}[lang] in said[0].text
    explained = next(s for s in said if "r2" in s.facts)
    assert f"{result.model['r2'].iloc[0]:.0%}" in explained.text
    assert "480" in explained.text
    if lang == "zh":
        assert not re.search(r"[A-Za-z]{4,}", "".join(s.text for s in said))


def symmetric() -> Survey:
    """Two drivers that are exactly equal: every respondent has a twin with a and b exchanged."""
    rng = np.random.default_rng(1)
    df = pd.DataFrame(rng.integers(0, 11, (100, 2)), columns=["a", "b"]).astype(float)
    df["y"] = df["a"] + df["b"] + rng.normal(scale=3, size=100)
    return survey_of(pd.concat([df, df.rename(columns={"a": "b", "b": "a"})[["a", "b", "y"]]], ignore_index=True))


def test_noise_and_ties_are_said(found):
    text = str(found.sentences("en"))
    assert "Not distinguishable from noise: noise." in text
    assert "could still be the most important" not in text
    tied = drivers_of(symmetric(), ["a", "b"])
    leaders = tied.table.loc[tied.table["rank_low"] == 1, "driver"].tolist()
    assert leaders == ["a", "b"]
    (order,) = [s for s in tied.sentences("en") if "count" in s.facts and "r2" not in s.facts]
    assert order.facts["count"] == len(leaders)
    assert ", ".join(leaders) in order.text


def test_too_few_respondents_are_said_to_be_too_few_and_masked():
    with pytest.warns(SmallBaseWarning, match=r"^5 of 5 drivers rest on an effective base under 75 \(smallest \d+\)"):
        result = drivers_of(survey_of(simulated(count=24)))
    assert set(result.table["reliability"]) == {"suppressed"}
    for lang, opening in (
        ("en", "Too few respondents to say what drives y (base 24"),
        ("zh", "样本过少，无法判断“y”的驱动因素（样本量 24"),
    ):
        (only,) = result.sentences(lang)
        assert only.text.startswith(opening)
    assert (result.shown("en")[["Importance", "Share", "p"]] == "–").all(axis=None)
    assert result.table["importance"].notna().all()
    assert [bar.get_width() for bar in result.plot().patches if np.isfinite(bar.get_width())] == []


def test_a_sign_that_flips_is_flagged():
    """A suppressor: x2 goes with y only through x1, and against it once x1 is held."""
    rng = np.random.default_rng(1)
    x1 = rng.normal(size=800)
    x2 = x1 + 0.5 * rng.normal(size=800)
    df = pd.DataFrame({"x1": x1, "x2": x2, "x3": rng.normal(size=800), "y": 2 * x1 - x2 + 0.5 * rng.normal(size=800)})
    with pytest.warns(SignFlipWarning) as caught:
        result = cx.key_drivers(survey_of(df), "y", ["x1", "x2", "x3"], replicates=100)
    assert str(caught[0].message) == "1 driver has a sign in the full model that contradicts its correlation: x2."
    row = result.table.set_index("driver").loc["x2"]
    assert row["sign_flip"]
    assert row["estimate"] < 0 < row["correlation"]
    assert "Read with care: x2 – correlation with y and effect in the full model have opposite signs." in str(
        result.sentences("en")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", SignFlipWarning)
        assert not drivers_of(survey_of()).table["sign_flip"].any()


def test_near_collinear_drivers_are_warned_of_and_far_ones_not():
    df = simulated()
    df["a2"] = df["a"] + 0.1 * np.random.default_rng(1).normal(size=500)
    with pytest.warns(
        CollinearityWarning, match=r"^2 drivers carry nearly the same information: a \(VIF \d+\), a2 \(VIF \d+\)\.$"
    ):
        result = drivers_of(survey_of(df), [*NAMES, "a2"], replicates=0)
    assert any(n["en"].startswith("Nearly the same information (largest VIF ") for n in result.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollinearityWarning)
        drivers_of(survey_of(), replicates=0)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_has_every_glyph_and_number(lang, tmp_path):
    result = cx.key_drivers(studied(), replicates=100)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # matplotlib's "Glyph missing from font(s)"
        ax = result.plot(lang=lang)
        ax.figure.savefig(tmp_path / "drivers.png")
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels == [result.label(d, lang) for d in result.table["driver"]]
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], 100 * result.table["share"])


def test_methods_name_method_base_and_replicates(found):
    text = found.methods("en")
    assert "Importance of 5 drivers of y: Shapley values of R² (LMG)" in text
    assert "500 respondents" in text
    assert "400 Rao–Wu bootstrap replicates" in text
    assert "400 次 Rao–Wu" in found.methods("zh")


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: drivers_of(s, ["a", "same"]),
         "1 of 3 columns have the same answer in all 500 complete rows: 'same'; a constant explains nothing: leave it out "
         "or widen the filter."),
        (lambda s: cx.key_drivers(s, "same", ["a"]),
         "1 of 2 columns have the same answer in all 500 complete rows: 'same'; a constant explains nothing: leave it out "
         "or widen the filter."),
        (lambda s: drivers_of(s, ["a", "b", "a"]), "drivers names 1 columns more than once: 'a'."),
        (lambda s: drivers_of(s, ["a", "b", "a_again"]),
         "drivers holds 2 columns that repeat one another ('a', 'a_again'): each is determined by the others; leave one "
         "out, or combine them."),
        (lambda s: drivers_of(s, ["a", "b", "sum"]),
         "drivers holds 3 columns that repeat one another ('a', 'b', 'sum'): each is determined by the others; leave one "
         "out, or combine them."),
        (lambda s: drivers_of(s, ["a", "y"]), "drivers holds the outcome itself ('y'); leave it out."),
        (lambda s: drivers_of(s.where("a > -9", who=[1, 2, 3])),
         "drivers: 3 of 3 respondents answered all 5 drivers and 'y'; at least 7 are needed: name fewer drivers or widen "
         "the filter."),
        (lambda s: drivers_of(s, ["a", "holes"]),
         "drivers: 2 of 500 respondents answered all 2 drivers and 'y'; at least 4 are needed: name fewer drivers or widen "
         "the filter. 'holes' is missing for 100%."),
        (lambda s: drivers_of(s, ["a", "nose"]),
         "drivers names 1 column that is not in the survey: 'nose' (did you mean 'noise'?)."),
        (lambda s: cx.key_drivers(s, "satisfactoin", ["a"]),
         "outcome names 1 column that is not in the survey: 'satisfactoin'."),
        (lambda s: drivers_of(s, []), "drivers is empty; name at least one column."),
        (lambda s: cx.key_drivers(s, "y"),
         "drivers: the survey declares none; declare drivers in study.yml, or pass drivers=[...]."),
        (lambda s: drivers_of(s, ["a", "town"]), "'town' holds text, numbers are needed."),
        (lambda s: drivers_of(s, method="shaply"),
         "method is 'shaply'; allowed: 'shapley', 'johnson', 'owen', 'car', 'pratt' (did you mean 'shapley'?)."),
        (lambda s: drivers_of(s, replicates=5),
         "replicates is 5; intervals need at least 100, or 0 for point estimates only."),
        (lambda s: drivers_of(s, permutations=50), "permutations is 50; the null line needs at least 200."),
        (lambda s: drivers_of(s, level=95), "level is 95; a confidence level lies between .5 and 1, usually .95."),
        (lambda s: drivers_of(s, missing="mean"),
         "missing is 'mean'; allowed: 'listwise', 'pairwise', 'em', 'mi', 'dummy'."),
        (lambda s: cx.driver_change(s, survey_of(), "y", NAMES),
         "before must be a domain of the same survey (survey.where(...)), so that replicates are shared."),
        (lambda s: cx.driver_change(s, s, "y", NAMES, replicates=5),
         "replicates is 5; the error of a change needs at least 100."),
        (lambda s: cx.first_to_fix(drivers_of(s, replicates=0), s),
         "result has no replicates; run key_drivers with replicates=1000."),
    ],
)  # fmt: skip
def test_messages(call, message):
    df = simulated()
    rng = np.random.default_rng(5)
    holes = np.where(np.arange(500) < 2, rng.normal(size=500), np.nan)
    df = df.assign(same=3.0, a_again=df["a"], sum=df["a"] + df["b"], who=np.arange(500), holes=holes, town="X")
    with pytest.raises(SurveyError) as error:
        call(survey_of(df))
    assert str(error.value) == message


def test_a_base_too_small_for_replicates():
    df = simulated(count=60)
    df["rare"] = (np.arange(60) == 7).astype(float)  # drawn by nobody in e^-1 of the replicates
    with pytest.raises(SurveyError) as error:
        drivers_of(survey_of(df), ["a", "rare"])
    assert re.fullmatch(
        r"\d+ of 200 replicates leave 'rare' without variation: the base of 60 is too small for intervals; "
        r"widen the filter, leave that out, or use replicates=0\.",
        str(error.value),
    )


# ---------------------------------------------------------------------- change between periods
def two_waves(shift: float, seed: int = 1, count: int = 1500) -> Survey:
    """Second wave: the effect of a falls by ``shift``, that of d rises by it; 30 % answer in both."""
    df = simulated(seed, count).assign(wave=np.repeat([1.0, 2.0], count // 2))
    df["y"] += shift * (df["wave"] == 2) * (df["d"] - df["a"])
    person = np.r_[np.arange(count // 2), np.arange(count // 2) + int(0.7 * count / 2)]
    return survey_of(df.assign(person=person), weight="w", psu="person")


def test_change_is_the_difference_of_shares_under_shared_replicates():
    survey = two_waves(0.0)
    now, then = survey.where(wave=2), survey.where(wave=1)
    change = cx.driver_change(now, then, "y", NAMES, replicates=300, seed=3).table.set_index("driver")
    one, two = (drivers_of(s, replicates=300, seed=3) for s in (now, then))
    for result, column in ((one, "share"), (two, "share_before")):
        np.testing.assert_allclose(
            change.loc[NAMES, column], result.table.set_index("driver").loc[NAMES, "share"], rtol=1e-12
        )
    shares = [r.replicates.div(r.replicates.sum(axis=1), axis=0) for r in (one, two)]
    np.testing.assert_allclose(change.loc[NAMES, "se"], (shares[0] - shares[1]).std()[NAMES], rtol=1e-10)
    np.testing.assert_allclose(change["estimate"], change["share"] - change["share_before"], rtol=1e-12)
    np.testing.assert_allclose(change["p_value"], holm(change["p_raw"].to_numpy()), rtol=1e-12)


def test_a_planted_change_is_said_and_none_is_not():
    changed, same = two_waves(0.5), two_waves(0.0)
    for survey, planted in ((changed, {"a", "d"}), (same, set())):  # shares of the others move with them
        result = cx.driver_change(survey.where(wave=2), survey.where(wave=1), "y", NAMES, replicates=300)
        found = result.table.loc[result.table["p_value"] < 0.05, "driver"].tolist()
        assert planted <= set(found)
        assert bool(planted) == bool(found)
        said = result.sentences("en")
        if planted:
            assert [s.facts["driver"] for s in said] == found
            table = result.table.set_index("driver")
            for s in said:
                row = table.loc[s.facts["driver"]]
                assert (s.facts["now"], s.facts["before"], s.facts["p"]) == (
                    row["share"],
                    row["share_before"],
                    row["p_value"],
                )
        else:
            (only,) = said
            missed = result.table["detectable"]
            assert only.facts == {
                "p": result.table["p_value"].min(),
                "least": missed.min(),
                "most": missed.max(),
                "power": 0.8,
            }
            t = stats.t.ppf(1 - 0.05 / len(NAMES) / 2, len(survey.data) - 2) + stats.norm.ppf(0.8)
            assert missed.to_numpy() == pytest.approx(t * result.table["se"].to_numpy(), rel=1e-3)
    call = cx.driver_change(changed.where(wave=2), changed.where(wave=1), "y", NAMES, replicates=200, level=0.9)
    again = eval(call.call, {"cx": cx, "survey": changed})
    pd.testing.assert_frame_equal(again.table, call.table)


def test_a_change_against_twenty_people_is_not_said():
    df = simulated(count=320).assign(wave=np.r_[np.ones(20), np.full(300, 2.0)])
    survey = survey_of(df)
    result = cx.driver_change(survey.where(wave=2), survey.where(wave=1), "y", NAMES, replicates=100)
    assert set(result.table["reliability"]) == {"suppressed"}
    assert len(result.sentences("en")) == 0
    assert (result.shown("en")["p"] == "–").all()


# ---------------------------------------------------------------------- what to fix first
def rated(seed: int = 4, count: int = 600) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "queue": rng.integers(0, 6, count), "doctor": rng.integers(5, 11, count), "effort": rng.integers(1, 8, count),
        "rude": rng.normal(size=count), "noise": rng.normal(size=count),
    }).astype(float)  # fmt: skip
    df["y"] = df["queue"] + df["doctor"] - 0.3 * df["effort"] - df["rude"] + rng.normal(size=count)
    survey = survey_of(df)
    items = (
        Item("queue", scale=(0, 10)),
        Item("doctor", scale=(0, 10)),
        Item("effort", scale=(1, 7), higher_is_better=False),
    )
    return replace(survey, codebook=survey.codebook.with_items(*items))


def test_priority_is_share_times_what_is_missing_to_the_best_answer():
    survey = rated()
    result = cx.key_drivers(survey, "y", ["queue", "doctor", "effort", "rude", "noise"], replicates=200)
    fix = cx.first_to_fix(result, survey)
    table, shares = fix.table.set_index("driver"), result.table.set_index("driver")
    assert sorted(table.index) == ["doctor", "effort", "queue"]  # rude: a better rating goes with a worse outcome
    mean = survey.data.mean()
    deficit = {
        "queue": (10 - mean["queue"]) / 10,
        "doctor": (10 - mean["doctor"]) / 10,
        "effort": (mean["effort"] - 1) / 6,
    }
    for name, missing in deficit.items():
        assert table.loc[name, "deficit"] == pytest.approx(missing)
        assert table.loc[name, "priority"] == pytest.approx(missing * shares.loc[name, "share"])
    assert fix.table["driver"].iloc[0] == "queue"
    assert fix.table["top1"].iloc[0] > 0.95
    for lang in ("en", "zh"):
        (said,) = fix.sentences(lang)
        assert said.facts["driver"] == "queue"
        assert (said.facts["share"], said.facts["first"]) == tuple(fix.table.loc[0, ["share", "top1"]])
        assert f"{fix.table['share'].iloc[0]:.0%}" in said.text


def test_without_a_clear_first_the_candidates_are_named():
    survey = symmetric()
    fix = cx.first_to_fix(drivers_of(survey, ["a", "b"]), survey)
    assert fix.table["top1"].iloc[0] < 0.8
    (said,) = fix.sentences("en")
    assert said.facts == {"drivers": ", ".join(fix.table["driver"])}


def test_nothing_to_fix_says_nothing():
    df = simulated(seed=3, count=300)
    df["y"] = np.random.default_rng(9).normal(size=300)
    survey = survey_of(df)
    result = drivers_of(survey)
    assert not result.table["distinguishable"].any()
    fix = cx.first_to_fix(result, survey)
    assert fix.table.empty
    assert len(fix.sentences("en")) == 0


# ---------------------------------------------------------------------- which way is better, and which model
def test_what_makes_effort_smaller_is_fixed_first():
    rng = np.random.default_rng(5)
    df = pd.DataFrame({"queue": rng.integers(0, 8, 600), "forms": rng.integers(0, 8, 600)}).astype(float)
    df["effort"] = np.clip(np.round(8 - 0.6 * df["queue"] + 0.3 * df["forms"] + rng.normal(size=600)), 0, 12)
    survey = Survey.from_frame(df)
    effort = replace(survey.codebook["effort"], higher_is_better=False)
    survey = replace(survey, codebook=survey.codebook.with_items(effort))
    fix = cx.first_to_fix(cx.key_drivers(survey, "effort", ["queue", "forms"], replicates=200), survey)
    assert fix.table[["driver", "best"]].values.tolist() == [["queue", 7.0]]  # better forms go with more effort
    wanted = cx.key_drivers(survey, "effort <= 5", ["queue", "forms"], replicates=200)
    assert cx.first_to_fix(wanted, survey).table["driver"].tolist() == ["queue"]


def test_of_less_is_better_the_lowest_answer_is_the_best():
    rng = np.random.default_rng(5)
    df = pd.DataFrame({"wait": rng.integers(2, 8, 600), "care": rng.integers(5, 8, 600)}).astype(float)
    df["y"] = 8 - 0.6 * df["wait"] + 0.1 * df["care"] + rng.normal(size=600)
    survey = Survey.from_frame(df)
    wait = replace(survey.codebook["wait"], higher_is_better=False, scale=(1.0, 7.0))
    survey = replace(survey, codebook=survey.codebook.with_items(wait))
    fix = cx.first_to_fix(cx.key_drivers(survey, "y", ["wait", "care"], replicates=200), survey)
    assert fix.table["best"].iloc[0] == 1.0
    assert "is rated 4.4 (best answer 1); importance times room" in fix.sentences("en")[0].text
    assert "平均得分 4.4（越低越好，最佳为 1）；按" in fix.sentences("zh")[0].text


def test_change_of_a_class_of_answers_is_that_of_the_logit():
    survey = two_waves(0.0)
    now, then = survey.where(wave=2), survey.where(wave=1)
    change = cx.driver_change(now, then, "y > 0", NAMES, replicates=100, seed=3)
    one, two = (cx.key_drivers(s, "y > 0", NAMES, replicates=100, seed=3) for s in (now, then))
    assert one.kernel.name == "logit"
    table = change.table.set_index("driver").loc[NAMES]
    for result, column in ((one, "share"), (two, "share_before")):
        np.testing.assert_allclose(table[column], result.table.set_index("driver").loc[NAMES, "share"], rtol=1e-12)
    assert any(n["en"].startswith("Logit, chosen since the outcome has two values") for n in change.notes)
    assert change.notes[0]["en"].startswith("Importance describes association")


def test_a_period_against_itself_and_one_that_lacks_a_driver():
    survey = two_waves(0.0)
    with pytest.raises(
        SurveyError, match=r"^before holds the same 1,500 respondents as survey; pass an earlier period: survey\.where"
    ):
        cx.driver_change(survey, survey, "y", NAMES)
    df = survey.data.copy()
    df.loc[df["wave"] == 1, "c"] = np.nan
    lacking = survey_of(df, weight="w", psu="person")
    message = "before: drivers: 0 of 750 respondents answered all 5 drivers and 'y'; at least 7 are needed: name fewer drivers or widen the filter. 'c' is missing for 100%."
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.driver_change(lacking.where(wave=2), lacking.where(wave=1), "y", NAMES)


def test_a_result_knows_its_seed():
    assert drivers_of(survey_of(), replicates=100, seed=7).seed == 7
