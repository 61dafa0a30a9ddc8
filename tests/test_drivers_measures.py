"""Measures of importance, dominance, methods beside each other and blocks: against R, and on planted data."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm
from cxlab.drivers._kernels import Linear
from cxlab.drivers._measures import MEASURES, METHOD_NAMES, SUMS_TO_R2, measured, teams
from cxlab.drivers._prepare import prepare
from cxlab.errors import SurveyError
from cxlab.moments import replicate_moments, weighted_moments
from cxlab.subsets import dominance as gains
from cxlab.subsets import owen, shapley

GOLDEN = Path(__file__).parent / "golden"
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
RELAIMPO = json.loads((GOLDEN / "drivers" / "relaimpo.json").read_text())
CASES = {k: v for k, v in RELAIMPO.items() if "drivers" in v}
CLOSED_FORM = 1e-12  # R prints 15 digits
OF_R = {"shapley": "lmg", "johnson": "genizi", "car": "car", "pratt": "pratt", "first": "first", "last": "last",
        "betasq": "betasq", "partial_r2": "partial_r2"}  # fmt: skip
NAMES = ["info", "nurse", "price", "queue", "noise"]
BLOCKS = {"value": ["info", "nurse"], "cost": ["price"], "sensory": ["queue", "noise"]}


def golden(name: str) -> cx.Survey:
    data = pd.read_csv(GOLDEN / "drivers" / f"{name}.csv")
    return cx.Survey.from_frame(data, weight="w" if "w" in data else None)


def simulated(base: int = 900, seed: int = 5, gap: float = 0.0) -> pd.DataFrame:
    """Correlated drivers; in segment 2 the price counts for ``gap`` more."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=base)
    df = pd.DataFrame({n: 0.6 * common + rng.normal(size=base) for n in NAMES[:-1]}).assign(noise=rng.normal(size=base))
    df["card"] = rng.integers(1, 4, base)
    price = 0.3 + gap * (df["card"] == 2)
    df["satisfaction"] = (
        0.4 * df["info"] + 0.3 * df["nurse"] + price * df["price"] + 0.9 * df["queue"] + rng.normal(size=base)
    )
    return df.assign(w=rng.uniform(0.5, 2, base), payer=rng.integers(1, 4, base))


def survey_of(df: pd.DataFrame | None = None, **options) -> cx.Survey:
    return cx.Survey.from_frame(simulated() if df is None else df, **{"weight": "w", **options})


def message(call) -> str:
    with pytest.raises(SurveyError) as error:
        call()
    return str(error.value)


def r_squared(df: pd.DataFrame, names: list[str]) -> float:
    x = np.column_stack([np.ones(len(df)), df[names]]) if names else np.ones((len(df), 1))
    y, w = df["satisfaction"].to_numpy(), df["w"].to_numpy()
    e = y - x @ np.linalg.solve((x * w[:, None]).T @ x, (x * w[:, None]).T @ y)
    return 1 - np.average(e**2, weights=w) / np.average((y - np.average(y, weights=w)) ** 2, weights=w)


# ---------------------------------------------------------------------- the registry
def test_every_measure_has_a_name_and_says_whether_it_shares_out_r_squared():
    assert set(METHOD_NAMES) == set(MEASURES) == set(SUMS_TO_R2)
    assert all(set(names) == {"en", "zh"} for names in METHOD_NAMES.values())
    matrix = np.cov(simulated()[[*NAMES, "satisfaction"]].T)
    total = shapley(matrix).sum()
    for name, measure in MEASURES.items():
        assert SUMS_TO_R2[name] == bool(np.isclose(measure(matrix, None).sum(), total)), name


def test_teams_are_blocks_in_order_and_drivers_without_one_stand_alone():
    assert teams(["a", "", "b", "a", "", "b"]) == ((0, 3), (1,), (2, 5), (4,))


def test_columns_that_are_always_in():
    df = simulated()
    matrix = weighted_moments(df[[*NAMES, "satisfaction"]].to_numpy(), df["w"].to_numpy()).covariance()
    rest, always = ["info", "price", "noise"], (1, 3)
    whole, forced = r_squared(df, NAMES), r_squared(df, ["nurse", "queue"])
    for name, sums in SUMS_TO_R2.items():
        found = measured(MEASURES[name], matrix, None, always)
        if sums:
            assert found.sum() == pytest.approx(whole - forced, abs=1e-10), name
    last = [whole - r_squared(df, [n for n in NAMES if n != d]) for d in rest]
    np.testing.assert_allclose(measured(MEASURES["last"], matrix, None, always), last, atol=1e-10)
    partial = np.array(last) / (1 - whole + np.array(last))
    np.testing.assert_allclose(measured(MEASURES["partial_r2"], matrix, None, always), partial, atol=1e-10)
    first = [r_squared(df, ["nurse", "queue", d]) - forced for d in rest]
    np.testing.assert_allclose(measured(MEASURES["first"], matrix, None, always), first, atol=1e-10)
    np.testing.assert_allclose(
        measured(MEASURES["standardised"], matrix, None, always),
        MEASURES["standardised"](matrix)[[0, 2, 4]],
        atol=1e-10,
    )


# ---------------------------------------------------------------------- against R
def test_a_factor_and_a_column_that_is_always_in_are_those_of_relaimpo():
    case = RELAIMPO["mtcars_factor"]
    found = cx.key_drivers(golden("mtcars"), "mpg", ["factor(cyl)", "wt", "hp"], replicates=0)
    values = found.table.set_index("driver").loc[["factor(cyl)", "wt", "hp"], "importance"]
    np.testing.assert_allclose(values, case["lmg"], rtol=0, atol=CLOSED_FORM)
    case = RELAIMPO["attitude_always"]
    found = cx.key_drivers(golden("attitude"), "rating", case["names"], always=["complaints"], replicates=0)
    values = found.table.set_index("driver").loc[case["names"], "importance"]
    np.testing.assert_allclose(values, case["lmg"], rtol=0, atol=CLOSED_FORM)
    assert values.sum() == pytest.approx(case["R2_decomp"], abs=CLOSED_FORM)


def test_bootstrap_intervals_are_those_of_relaimpo_within_monte_carlo_error():
    case = RELAIMPO["attitude_boot"]
    found = cx.key_drivers(golden("attitude"), "rating", case["names"], replicates=4000)
    draws = found.replicates[case["names"]]
    # relaimpo draws 30 of 30 respondents, Rao-Wu 29 of 30 with weights 30/29: intervals 1.7 % wider
    np.testing.assert_allclose(draws.quantile(0.025), case["lower"], atol=0.02)
    np.testing.assert_allclose(draws.quantile(0.975), case["upper"], atol=0.02)


R_REPLICATES = pd.read_csv(GOLDEN / "drivers" / "replicates.csv", comment="#")


@pytest.mark.parametrize(("design", "case"), R_REPLICATES[["design", "case"]].drop_duplicates().to_numpy().tolist())
def test_standard_errors_are_those_of_with_replicates(design, case):
    """R loops over all subsets under the same replicate weights; for drop-one and clusters under its own."""
    options = {"bootstrap": {"replicates": 60, "seed": 11}, "groups": {"groups": 25, "seed": 11}}.get(design, {})
    clusters = design == "clusters"
    df = pd.read_csv(GOLDEN / "survey" / ("apiclus1.csv" if clusters else "apistrat.csv"))
    df["dnum"] = df["dnum"].astype(str)
    survey = cx.Survey.from_frame(df, weight="pw", **({"psu": "dnum"} if clusters else {"stratum": "stype"}))
    weights = cx.replicate_weights(survey, "drop-one" if clusters else design, **options)
    columns = np.column_stack([
        df[["meals", "ell", "mobility", "enroll"]], df["stype"] == "H", df["stype"] == "M", df["api00"],
    ]).astype(float)  # fmt: skip
    players, always = (None, ()) if case == "plain" else (((0,), (1,), (3,), (4, 5)), (2,))
    if case == "plain":
        columns = columns[:, [0, 1, 2, 3, 6]]
    multipliers, piece = weights.multipliers()
    center = np.average(columns, axis=0, weights=df["pw"])
    moments = replicate_moments(columns, df["pw"].to_numpy(), multipliers, piece, center)
    estimate = measured(shapley, weighted_moments(columns, df["pw"].to_numpy()).covariance(), players, always)
    covariance = weights.covariance(measured(shapley, moments.covariance(), players, always), estimate)
    expected = R_REPLICATES[(R_REPLICATES["design"] == design) & (R_REPLICATES["case"] == case)]
    np.testing.assert_allclose(estimate, expected["estimate"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), expected["se"], rtol=1e-9)
    r = expected[[f"cov{k}" for k in range(1, 5)]].to_numpy()
    np.testing.assert_allclose(covariance, r, rtol=1e-7, atol=1e-12)  # near zero covariances cancel


@pytest.mark.parametrize("name", ["bootstrap", "groups"])
def test_replicate_weights_are_those_that_r_read(name):
    survey = cx.Survey.from_frame(pd.read_csv(GOLDEN / "survey" / "apistrat.csv"), weight="pw", stratum="stype")
    options = {"replicates": 60} if name == "bootstrap" else {"groups": 25}
    found = np.concatenate(list(cx.replicate_weights(survey, name, seed=11, **options).weights()))
    np.testing.assert_allclose(found.T, pd.read_csv(GOLDEN / "drivers" / f"replicates_{name}.csv"), rtol=1e-15)


# ---------------------------------------------------------------------- key_drivers by other measures
def test_owen_values_by_way_of_key_drivers():
    survey = survey_of()
    found = cx.key_drivers(survey, drivers=BLOCKS, method="owen", replicates=200)
    kernel = Linear(prepare(survey, "satisfaction", BLOCKS), "shapley")
    expected = owen(kernel.covariance, blocks=((0, 1), (2,), (3, 4)))
    table = found.table.set_index("driver").loc[[*BLOCKS["value"], *BLOCKS["cost"], *BLOCKS["sensory"]]]
    np.testing.assert_allclose(table["importance"], expected, atol=1e-13)
    assert table["share"].sum() == pytest.approx(1)
    assert table["distinguishable"].tolist() == [True, True, True, True, False]
    plain = cx.key_drivers(survey, drivers=BLOCKS, replicates=0).table.set_index("driver")["importance"]
    assert (table["importance"] - plain).abs().max() > 0.005  # not the same thing


@pytest.mark.parametrize("method", ["car", "pratt"])
def test_other_measures_that_share_out_r_squared(method):
    found = cx.key_drivers(survey_of(), drivers=NAMES, method=method, replicates=200)
    assert found.table["importance"].sum() == pytest.approx(found.model["r2"].iloc[0], abs=1e-12)
    assert found.table["driver"].iloc[0] == "queue"
    assert not found.table.set_index("driver").loc["noise", "distinguishable"]
    assert METHOD_NAMES[method]["zh"] in found.methods("zh")


def test_measures_that_do_not_share_out_r_squared_are_for_comparison():
    assert message(lambda: cx.key_drivers(survey_of(), drivers=NAMES, method="last", replicates=0)) == (
        "method is 'last'; allowed: 'shapley', 'johnson', 'owen', 'car', 'pratt'."
    )


# ---------------------------------------------------------------------- dominance
def test_dominance_is_that_of_domir():
    case = RELAIMPO["attitude_dominance"]
    found = cx.dominance(golden("attitude"), "rating", case["names"], replicates=0)
    general = found.table.set_index("driver").loc[case["names"]]
    np.testing.assert_allclose(general["importance"], case["general"], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(general["share"], case["standardized"], rtol=0, atol=CLOSED_FORM)
    by_size = found.conditional.pivot(index="driver", columns="size", values="importance").loc[case["names"]]
    np.testing.assert_allclose(by_size, case["conditional_rows_driver_cols_subsetsize"], rtol=0, atol=CLOSED_FORM)
    subsets = found.pairs.pivot(index="driver", columns="other", values="subsets").loc[case["names"], case["names"]]
    fractions = np.array(case["complete_fraction_row_over_col"], dtype=float)
    np.testing.assert_array_equal(subsets, fractions)
    assert general["dominates"].tolist() == (fractions == 1).sum(axis=1).tolist()
    assert general["dominated"].tolist() == (fractions == 1).sum(axis=0).tolist()
    assert found.pairs[["complete_share", "conditional_share", "general_share"]].isna().all(axis=None)


def test_shares_of_replicates_are_counted():
    survey = survey_of()
    found = cx.dominance(survey, drivers=NAMES, replicates=200)
    kernel = Linear(prepare(survey, "satisfaction", NAMES), "shapley")
    blocks = np.concatenate([c for c, _ in kernel.correlations(200, 0)])
    np.testing.assert_allclose(found.replicates, shapley(blocks), atol=1e-12)
    pair = found.pairs.set_index(["driver", "other"]).loc[("info", "nurse")]
    general = found.replicates
    assert pair["general_share"] == (general["info"] > general["nurse"]).mean()
    assert pair["complete_share"] <= pair["conditional_share"] <= pair["general_share"]
    strict = [gains(block)[1][0, 1] == 1 for block in blocks]
    assert pair["complete_share"] == np.mean(strict)
    queue = found.pairs[found.pairs["driver"] == "queue"]
    assert queue["complete"].all()
    assert (queue["complete_share"] > 0.99).all()
    low, high = np.quantile(general["queue"], [0.025, 0.975])
    first = found.table.iloc[0]
    assert (first["driver"], first["importance_low"], first["importance_high"]) == ("queue", low, high)


def test_dominance_goes_on_from_a_driver_result():
    survey = survey_of()
    drivers = ["info", "factor(payer)", "queue"]
    result = cx.key_drivers(survey, drivers=drivers, always=["nurse"], replicates=200, seed=3)
    found = result.dominance()
    np.testing.assert_allclose(found.replicates[drivers], result.replicates[drivers], atol=1e-12)
    importance = result.table.set_index("driver")["importance"]
    np.testing.assert_allclose(found.table["importance"], importance[found.table["driver"]], atol=1e-12)
    direct = cx.dominance(survey, drivers=drivers, always=["nurse"], replicates=200, seed=3)
    pd.testing.assert_frame_equal(direct.pairs, found.pairs)
    assert direct.call == (
        "cx.dominance(survey, 'satisfaction', ['info', 'factor(payer)', 'queue'], missing='listwise', replicates=200, "
        f"seed=3, level=0.95, always=['nurse'])  # data {survey.data_hash}"
    )
    assert found.call.endswith(".dominance(replicates=200, seed=3)")


def test_what_is_said_of_dominance():
    found = cx.dominance(survey_of(), drivers=NAMES, replicates=200)
    decided = found.pairs[found.pairs["complete"]]
    assert [s.text for s in found.sentences("en")] == [
        "Queue completely dominates all 4 other drivers of satisfaction: in every model it adds more than they do (the least "
        "certain pair holds in 100% of replicates).",
        f"Complete dominance is decided for {len(decided)} of 10 pairs of drivers; "
        f"{(decided['complete_share'] >= 0.95).sum()} of them hold in at least 95% of replicates.",
    ]
    assert found.sentences("zh")[0].text == (
        "“queue”对其余 4 个因素均具有完全优势：无论模型中已有哪些因素，它对satisfaction的增量解释力都更大（其中最不稳定的一对在 100% 的重抽样中成立）。"
    )
    table = found._repr_html_()
    assert "Dominates completely" in table
    assert set(found.further()) == {"conditional", "pairs"}


def test_dominance_that_nobody_has():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 2))
    df = pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 0] + x[:, 1], "satisfaction": 2 * x[:, 0] + x[:, 1] + rng.normal(size=300), "w": 1}
    )
    twins = pd.concat([df, df.rename(columns={"a": "b", "b": "a"})])  # exchangeable
    found = cx.dominance(survey_of(twins), drivers=["a", "b"], replicates=0)
    assert found.table["dominates"].tolist() == [0, 0]
    assert "completely dominates no other driver" in found.sentences("en")[0].text
    assert "对任何因素都不具有完全优势" in found.sentences("zh")[0].text


def test_dominance_of_too_many_drivers():
    df = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 20)), columns=[f"x{k}" for k in range(20)])
    survey = cx.Survey.from_frame(df.rename(columns={"x19": "satisfaction"}))
    assert message(lambda: cx.dominance(survey, drivers=[f"x{k}" for k in range(19)], replicates=0)) == (
        "drivers holds 19; every subset is compared for at most 18: name fewer drivers, or use cx.key_drivers."
    )


# ---------------------------------------------------------------------- methods beside each other
@pytest.mark.parametrize("name", CASES)
def test_all_measures_beside_each_other_are_those_of_relaimpo(name):
    case = CASES[name]
    found = cx.compare_methods(golden(name), case["outcome"], case["drivers"], replicates=0)
    values = found.table.pivot(index="driver", columns="method", values="value").loc[case["drivers"]]
    for method, reference in OF_R.items():
        np.testing.assert_allclose(values[method], case[reference], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(values["coefficient"], case["coef_with_intercept"][1:], rtol=1e-9)
    np.testing.assert_allclose(values["standardised"] ** 2, case["betasq"], rtol=0, atol=CLOSED_FORM)
    tau = stats.kendalltau(values["shapley"], values["last"]).statistic
    assert found.agreement.loc["shapley", "last"] == pytest.approx(tau, abs=1e-12)
    size = stats.kendalltau(values["johnson"], values["coefficient"].abs()).statistic
    assert found.agreement.loc["coefficient", "johnson"] == pytest.approx(size, abs=1e-12)


@pytest.fixture(scope="module")
def beside():
    return cx.compare_methods(survey_of(), drivers=[*NAMES, "factor(payer)"], replicates=200)


def test_a_factor_has_no_coefficient_and_keeps_its_place_elsewhere(beside):
    factor = beside.table[beside.table["driver"] == "factor(payer)"].set_index("method")
    assert factor["value"].isna().to_dict() == {m: m == "coefficient" for m in factor.index}
    assert factor["rank"].isna().to_dict() == {m: m == "coefficient" for m in factor.index}
    shares = beside.table.groupby("method")["share"].sum(min_count=1)
    np.testing.assert_allclose(shares.drop("coefficient"), 1)
    assert np.isnan(shares["coefficient"])
    per_point = beside.table[beside.table["method"] == "coefficient"].set_index("driver")
    result = cx.key_drivers(survey_of(), drivers=[*NAMES, "factor(payer)"], replicates=0).table.set_index("driver")
    np.testing.assert_allclose(per_point["value"], result.loc[per_point.index, "estimate"], rtol=1e-10)


def test_intervals_of_methods_are_those_of_their_replicates(beside):
    own = cx.key_drivers(survey_of(), drivers=[*NAMES, "factor(payer)"], method="johnson", replicates=200)
    johnson = beside.table[beside.table["method"] == "johnson"].set_index("driver")
    low, high = own.table.set_index("driver")["importance_low"], own.replicates.quantile(0.975)  # from 0 if noise
    np.testing.assert_allclose(johnson["low"], low[johnson.index], atol=1e-13)
    np.testing.assert_allclose(johnson["high"], high[johnson.index], atol=1e-13)


def test_what_is_said_of_methods(beside):
    said = [s.text for s in beside.sentences("en")]
    assert said[0] == "All 10 methods put queue first among the drivers of satisfaction."
    assert said[1:] == ["All rankings are the same."]
    assert beside.sentences("zh")[0].text == "10 种方法均将“queue”列为satisfaction的首要驱动因素。"
    assert "Owen values of R² (blocks)" not in said[0]
    blocks = cx.compare_methods(survey_of(), drivers=BLOCKS, replicates=0)
    assert "owen" in blocks.agreement.columns
    assert "Kendall" in beside._repr_html_()


def test_methods_that_disagree_on_the_first():
    rng = np.random.default_rng(2)
    common = rng.normal(size=2000)
    df = pd.DataFrame({n: common + 0.5 * rng.normal(size=2000) for n in ("a", "b", "c")}).assign(
        d=rng.normal(size=2000), w=1
    )
    df["satisfaction"] = df[["a", "b", "c"]].sum(axis=1) * 0.3 + 0.7 * df["d"] + 0.3 * rng.normal(size=2000)
    found = cx.compare_methods(survey_of(df), drivers=["a", "b", "c", "d"], replicates=0)
    assert found.sentences("en")[0].text.startswith("The methods disagree on what comes first for satisfaction: ")
    assert found.sentences("zh")[0].text.startswith("对于satisfaction的首要驱动因素，各方法结论不一：")
    tau = found.agreement.to_numpy()[np.tri(len(found.agreement), k=-1, dtype=bool)]
    said = [s.text for s in found.sentences("en")]
    assert said[1].startswith(
        f"Their rankings agree with a Kendall tau of {tau.min():.2f} to {tau.max():.2f}; furthest apart are ".replace(
            "-", "−"
        )
    )
    assert re.fullmatch(r"D moves most: rank 1 by .+, rank 4 by R² alone \(first in\)\.", said[2])


# ---------------------------------------------------------------------- blocks
def test_blocks_and_their_drivers_sum_to_r_squared():
    df = simulated()
    found = cx.driver_blocks(survey_of(df), drivers=BLOCKS, replicates=200)
    total = r_squared(df, NAMES)
    assert found.table["importance"].sum() == pytest.approx(total, abs=1e-12)
    assert found.drivers["importance"].sum() == pytest.approx(total, abs=1e-12)
    assert found.drivers["shapley"].sum() == pytest.approx(total, abs=1e-12)
    by_block = found.drivers.groupby("block")["importance"].sum()
    np.testing.assert_allclose(found.table["importance"], by_block[found.table["block"]], atol=1e-12)
    np.testing.assert_allclose(found.drivers.groupby("block")["within"].sum(), 1)
    alone, without = r_squared(df, ["price"]), total - r_squared(df, ["info", "nurse", "queue", "noise"])
    first = r_squared(df, ["info", "nurse", "price"]) - r_squared(df, ["info", "nurse"])
    second = r_squared(df, ["queue", "noise", "price"]) - r_squared(df, ["queue", "noise"])
    price = alone / 3 + (first + second) / 6 + without / 3  # the definition, with three blocks
    assert found.table.set_index("block").loc["cost", "importance"] == pytest.approx(price, abs=1e-12)
    low, high = np.quantile(found.replicates["value"], [0.025, 0.975])
    value = found.table.set_index("block").loc["value"]
    assert (value["importance_low"], value["importance_high"]) == (low, high)
    gap = (found.drivers["importance"] - found.drivers["shapley"]).abs().max() / total
    assert f"by up to {gap:.1%} of R²" in found.notes[0]["en"]


def test_a_block_of_noise_has_an_interval_from_zero():
    """At exactly zero every percentile interval lies above it: its coverage was 0."""
    rng = np.random.default_rng(8)
    df = pd.DataFrame(rng.normal(size=(400, 4)), columns=["a", "b", "c", "d"])
    df["satisfaction"] = df["a"] + 0.5 * df["b"] + rng.normal(size=400)
    found = cx.driver_blocks(
        cx.Survey.from_frame(df), drivers={"real": ["a", "b"], "noise": ["c", "d"]}, replicates=200
    )
    table = found.table.set_index("block")
    assert table["distinguishable"].to_dict() == {"real": True, "noise": False}
    assert table.loc["noise", ["importance_low", "share_low"]].tolist() == [0, 0]
    assert table.loc["noise", "importance"] <= table.loc["noise", "null_line"] < 0.03
    assert table.loc["real", "importance_low"] > 0.3
    noise = found.drivers[found.drivers["block"] == "noise"]
    assert noise["importance_low"].tolist() == [0, 0]
    assert "Not distinguishable from noise: noise." in [str(s) for s in found.sentences("en")]
    general = cx.dominance(cx.Survey.from_frame(df), drivers=["a", "b", "c", "d"], replicates=200).table.set_index(
        "driver"
    )
    assert general["distinguishable"].tolist() == [True, True, False, False]
    assert general.loc[["c", "d"], "importance_low"].tolist() == [0, 0]
    assert (general.loc[["a", "b"], "importance_low"] > 0.05).all()
    methods = cx.compare_methods(cx.Survey.from_frame(df), drivers=["a", "b", "c", "d"], replicates=200).table
    low = methods.pivot(index="driver", columns="method", values="low")
    parts = ["shapley", "johnson", "car", "first", "last", "betasq", "partial_r2"]
    assert (low.loc[["c", "d"], parts] == 0).all(axis=None)
    assert (low.loc[["a", "b"], parts] > 0).all(axis=None)
    assert (low.loc[["c", "d"], ["coefficient", "standardised"]] < 0).all(axis=None)  # signed: these cover zero


def test_what_is_said_of_blocks():
    found = cx.driver_blocks(survey_of(), drivers=BLOCKS, replicates=200)
    top = found.table.iloc[0]
    assert found.sentences("en")[0].text == (
        f"Sensory carries {top['share']:.0%} of what the drivers explain of satisfaction (95% interval {top['share_low']:.0%} to "
        f"{top['share_high']:.0%}), more than any other block."
    )
    assert found.sentences("zh")[1].text == "“sensory”类中，“queue”贡献最大（占该类的 100%）。"
    point = cx.driver_blocks(survey_of(), drivers=BLOCKS, replicates=0)
    assert point.sentences("en")[0].text.endswith("No intervals were asked for.")
    assert found.call.startswith(
        "cx.driver_blocks(survey, 'satisfaction', {'value': ['info', 'nurse'], 'cost': ['price']"
    )


def test_segments_are_those_of_a_filter():
    survey = survey_of()
    found = cx.driver_blocks(survey, drivers=BLOCKS, by="card", replicates=200)
    for code in (1, 2, 3):
        alone = cx.driver_blocks(survey.where(card=code), drivers=BLOCKS, replicates=200)
        rows = found.segments[found.segments["segment"] == code].set_index("block").loc[alone.table["block"]]
        np.testing.assert_allclose(rows["importance"], alone.table["importance"], atol=1e-12)
        np.testing.assert_allclose(rows["share_low"], alone.table["share_low"], atol=1e-9)
        np.testing.assert_allclose(rows["base"], alone.table["base"])
    others = cx.driver_blocks(survey.where(card=[1, 3]), drivers=BLOCKS, replicates=200)
    rows = found.segments[found.segments["segment"] == 2].set_index("block").loc[others.table["block"]]
    drawn = others.replicates[others.table["block"]].to_numpy()
    bias = (drawn / drawn.sum(axis=1, keepdims=True)).mean(axis=0) - others.table["share"].to_numpy()
    np.testing.assert_allclose(rows["share_rest"], others.table["share"] - bias, atol=1e-9)
    np.testing.assert_allclose(rows["estimate"], rows["share_corrected"] - rows["share_rest"], atol=1e-12)


def test_a_planted_difference_between_segments_is_found_and_none_is_invented():
    found = cx.driver_blocks(survey_of(simulated(2400, gap=0.9)), drivers=BLOCKS, by="card", replicates=300)
    decided = found.segments[found.segments["p_value"] < 0.05]
    assert ("cost", 2) in set(zip(decided["block"], decided["segment"], strict=True))
    assert any("Among 2" in s.text and "cost carries" in s.text for s in found.sentences("en"))
    assert any("在“2”中，“cost”类占解释力的" in s.text for s in found.sentences("zh"))
    same = cx.driver_blocks(survey_of(simulated(2400)), drivers=BLOCKS, by="card", replicates=300)
    assert (same.segments["p_value"] > 0.05).all()
    assert same.sentences("en")[-1].text.startswith("No block's share differs between a segment and all others")
    assert "Holm over 9 tests (3 blocks, 3 groups)" in same.notes[1]["en"]


def test_two_segments_are_one_test():
    df = simulated()
    found = cx.driver_blocks(survey_of(df[df["card"] < 3]), drivers=BLOCKS, by="card", replicates=200).segments
    one, two = found[found["segment"] == 1], found[found["segment"] == 2]
    np.testing.assert_allclose(one["estimate"], -two["estimate"].to_numpy(), atol=1e-10)
    np.testing.assert_array_equal(one["p_value"], two["p_value"].to_numpy())
    np.testing.assert_allclose(one["p_value"], holm(one["p_raw"].to_numpy()))


def test_a_segment_too_small_is_shown_without_numbers():
    df = simulated()
    df["card"] = np.where(np.arange(len(df)) < 5, 9, df["card"])
    found = cx.driver_blocks(survey_of(df), drivers=BLOCKS, by="card", replicates=200)
    small = found.segments[found.segments["segment"] == 9]
    assert small["reliability"].tolist() == ["suppressed"] * 3
    assert small["base"].tolist() == [5] * 3
    assert small[["share", "estimate", "p_value"]].isna().all(axis=None)
    assert found.segments[found.segments["segment"] != 9]["p_value"].notna().all()


def test_a_driver_that_does_not_vary_in_a_segment_adds_nothing_there():
    df = simulated()
    df["price"] = np.where(df["card"] == 2, 1.0, df["price"])
    found = cx.driver_blocks(survey_of(df), drivers=BLOCKS, by="card", replicates=200)
    row = found.segments.set_index(["segment", "block"]).loc[(2, "cost")]
    assert row["share"] == pytest.approx(0, abs=1e-12)


def test_blocks_that_are_refused():
    survey = survey_of()
    assert message(lambda: cx.driver_blocks(survey, drivers={"all": NAMES}, replicates=0)) == (
        "drivers: 5 drivers in 1 blocks; at least two blocks, one of them of several drivers, are needed: declare blocks in "
        "study.yml, or pass drivers={'value': [...], 'price': [...]}."
    )
    assert message(lambda: cx.driver_blocks(survey, drivers=BLOCKS, by="card", missing="em", replicates=0)) == (
        "missing is 'em'; blocks are compared by segment on complete rows only: missing='listwise'."
    )
    with_card = {**BLOCKS, "card": ["card"]}
    assert message(lambda: cx.driver_blocks(survey, drivers=with_card, by="card", replicates=0)) == (
        "by is 'card', which is named in drivers too; within a segment it does not vary."
    )
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.normal(size=(200, 22)), columns=[*(f"d{j}" for j in range(21)), "satisfaction"])
    crowded = {"a": list(wide)[:20], "b": ["d20"]}
    assert message(lambda: cx.driver_blocks(cx.Survey.from_frame(wide), drivers=crowded, replicates=0)) == (
        "drivers: block 'a' holds 20 drivers beside 1 other blocks; together at most 20 are compared: split the block, or name "
        "fewer drivers."
    )


@pytest.mark.parametrize("call", [cx.dominance, cx.compare_methods, cx.driver_blocks])
def test_too_few_replicates(call):
    assert message(lambda: call(survey_of(), drivers=BLOCKS, replicates=50)) == (
        "replicates is 50; intervals need at least 100, or 0 for point estimates only."
    )


# ---------------------------------------------------------------------- pictures
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures(lang, beside):
    survey = survey_of()
    dominant = cx.dominance(survey, drivers=NAMES, replicates=0)
    ax = dominant.plot(lang=lang)
    order = dominant.table["driver"].tolist()
    assert [t.get_text() for t in ax.get_yticklabels()] == order
    bold = {t.get_text() for t in ax.texts if t.get_fontweight() == "bold"}
    assert bold == {"100%"}
    assert sum(t.get_text() == "100%" for t in ax.texts) == dominant.pairs["complete"].sum()
    ax = beside.plot(lang=lang)
    assert len(ax.get_xticklabels()) == beside.table["method"].nunique()
    assert {t.get_text() for t in ax.texts} == {"1", "2", "3", "4", "5", "6"}
    blocks = cx.driver_blocks(survey, drivers=BLOCKS, by="card", replicates=200)
    ax = blocks.plot(lang=lang)
    assert len(ax.collections) == 6  # a line and a dot for each block
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "2", "3"]
    ax = cx.driver_blocks(survey, drivers=BLOCKS, replicates=0).plot(lang=lang)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sensory", "value", "cost"]
    plt.close("all")


# ---------------------------------------------------------------------- many drivers
def test_what_was_sampled_is_said_beside_the_numbers(monkeypatch):
    rng = np.random.default_rng(4)
    names = [f"x{k}" for k in range(27)]
    df = pd.DataFrame(rng.normal(size=(500, 27)), columns=names).assign(w=1, payer=rng.integers(1, 4, 500))
    df["satisfaction"] = df["x3"] + rng.normal(size=500)
    many = cx.key_drivers(survey_of(df), drivers=names, always=["payer"], replicates=0)
    said = re.fullmatch(
        r"Importances of 27 drivers come from a sample of the orders in which drivers enter \(exact up to 25\); the largest "
        r"simulation error \(standard error\) of a share is (\d\.\d\d)%\.",
        many.notes[2]["en"],
    )
    assert said is not None
    assert 0 < float(said[1]) < 0.2
    assert "27 个因素的重要性由抽取的部分进入顺序估算" in many.notes[2]["zh"]
    assert not any("sample" in n["en"] for n in cx.key_drivers(survey_of(), drivers=NAMES, replicates=0).notes)
    monkeypatch.setattr("cxlab.subsets._shapley._WORK", 1 << 10)
    few = cx.key_drivers(survey_of(), drivers=NAMES, replicates=100)
    assert any("in the replicates they come from a sample of orders" in n["en"] for n in few.notes)
