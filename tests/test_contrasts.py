"""Contrasts: adjusted p-values against statsmodels, differences against R and by replicates, rank sets."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

import cxlab as cx
from cxlab.contrasts import benjamini_hochberg, detectable, holm, p_values, rank_sets, ranks
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

GOLDEN = Path(__file__).parent / "golden" / "survey"
R = {c["id"]: c["value"] for c in json.loads((GOLDEN / "survey.json").read_text())["cases"]}
DESIGNS = {
    "dsrs_w": ("apistrat.csv", {"weight": "pw"}),
    "dstrat": ("apistrat.csv", {"weight": "pw", "stratum": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1.csv", {"weight": "pw", "psu": "dnum", "fpc": "fpc"}),
}


# ---------------------------------------------------------------------- families of tests
@settings(max_examples=15, deadline=None)  # statsmodels takes its time
@given(p=st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_statsmodels(p):
    values = np.array(p)
    np.testing.assert_allclose(holm(values), multipletests(values, method="holm")[1], rtol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(values), multipletests(values, method="fdr_bh")[1], rtol=1e-12)


@given(p=st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=12))
def test_missing_p_values_stay_and_do_not_count(p):
    values = np.array(p)
    known = ~np.isnan(values)
    for adjust in (holm, benjamini_hochberg):
        np.testing.assert_array_equal(adjust(values)[known], adjust(values[known]))
        assert np.isnan(adjust(values)[~known]).all()


def test_p_values():
    found = p_values(np.array([2.0, -2.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0, 1.0]), np.array([10, np.inf, 5, 5]))
    np.testing.assert_allclose(found[:2], [2 * stats.t.sf(2, 10), 2 * stats.norm.sf(2)], rtol=1e-12)
    assert np.isnan(found[2])  # a standard error of 0 tests nothing
    assert found[3] == 1


# ---------------------------------------------------------------------- rank sets
def random_quantities(p: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(p, p + 2))
    return rng.normal(scale=3, size=p), draws @ draws.T / p


@given(p=st.integers(1, 9), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_rank_sets_hold_the_estimated_rank_and_do_not_depend_on_order(p, seed):
    values, covariance = random_quantities(p, seed)
    low, high = rank_sets(values, covariance, df=30)
    assert ((low >= 1) & (low <= ranks(values)) & (ranks(values) <= high) & (high <= p)).all()
    assert (low == 1).any()
    assert (high == p).any()
    order = np.random.default_rng(seed).permutation(p)
    moved = rank_sets(values[order], covariance[np.ix_(order, order)], df=30)
    np.testing.assert_array_equal(moved, [low[order], high[order]])
    wider = rank_sets(values, 4 * covariance, df=30)
    assert (wider[0] <= low).all()
    assert (wider[1] >= high).all()
    turned = rank_sets(-values, covariance, df=30)
    np.testing.assert_array_equal(turned, [p + 1 - high, p + 1 - low])


@given(p=st.integers(2, 8), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_rank_sets_count_the_holm_tests_of_all_pairs(p, seed):
    values, covariance = random_quantities(p, seed)
    pairs = [(i, j) for i in range(p) for j in range(i + 1, p)]
    t = [
        (values[i] - values[j]) / np.sqrt(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]) for i, j in pairs
    ]
    reject = multipletests(2 * stats.t.sf(np.abs(t), 12), alpha=0.05, method="holm")[0]
    above, below = np.zeros(p, dtype=int), np.zeros(p, dtype=int)
    for (i, j), decided, value in zip(pairs, reject, t, strict=True):
        if decided:
            winner, loser = (i, j) if value > 0 else (j, i)
            above[loser] += 1
            below[winner] += 1
    np.testing.assert_array_equal(rank_sets(values, covariance, df=12), [1 + above, p - below])


def test_rank_sets_use_the_covariance():
    """Differences of .3 between quantities with standard error 1: clear if they move together, open if not."""
    values = np.array([1.0, 0.7, 0.4])
    together = 0.9999 + 0.0001 * np.eye(3)
    assert [r.tolist() for r in rank_sets(values, together)] == [[1, 2, 3], [1, 2, 3]]
    assert [r.tolist() for r in rank_sets(values, np.eye(3))] == [[1, 1, 1], [3, 3, 3]]


def test_rank_sets_cover_tied_ranks_jointly():
    """2,000 surveys with two pairs of ties: all ranks inside at once in at least 95 %, by design rather more."""
    rng = np.random.default_rng(11)
    truth, covariance = np.array([2.0, 2.0, 1.0, 0.5, 0.5]), 0.04 * (0.3 + 0.7 * np.eye(5))
    best = 1 + (truth[None] > truth[:, None]).sum(axis=1)
    worst = 5 - (truth[None] < truth[:, None]).sum(axis=1)
    covered = 0
    for values in rng.multivariate_normal(truth, covariance, size=2000):
        low, high = rank_sets(values, covariance)
        covered += bool(((low <= best) & (worst <= high)).all())
    assert 0.95 <= covered / 2000 <= 0.999


# ---------------------------------------------------------------------- against the rest
def schools(design: str) -> Survey:
    file, parts = DESIGNS[design]
    data = pd.read_csv(GOLDEN / file)
    data["recommend"] = np.minimum(10, np.floor(data["meals"] / 9.1))
    survey = Survey.from_frame(data, **parts)
    return replace(survey, codebook=survey.codebook.with_items(Item("recommend", scale=(0, 10))))


@pytest.mark.parametrize("design", DESIGNS)
def test_two_groups_are_rs_t_test(design):
    expected = R[f"{design}.ttest_api00_compimp"]
    found = cx.against_rest(schools(design), ["api00"], "comp.imp").table
    assert found["segment"].tolist() == ["No", "Yes"]
    np.testing.assert_allclose(found["estimate"], [-expected["diff"], expected["diff"]], rtol=1e-10)
    np.testing.assert_allclose(found["estimate"] / found["se"], [-expected["t"], expected["t"]], rtol=1e-10)
    # R takes degf − 1; ours are those of both domains, at most the design's: a touch more
    raw = 2 * stats.t.sf(expected["t"], expected["df"])
    assert raw == pytest.approx(expected["p"], rel=1e-8)
    np.testing.assert_allclose(found["p_raw"], expected["p"], rtol=0.015)
    np.testing.assert_allclose(found["p_value"], np.minimum(2 * found["p_raw"], 1), rtol=1e-12)


def test_degrees_of_freedom_without_clusters_are_rs():
    expected = R["dsrs_w.ttest_api00_compimp"]
    found = cx.against_rest(schools("dsrs_w"), ["api00"], "comp.imp").table.iloc[1]
    assert found["p_raw"] == pytest.approx(expected["p"], rel=1e-9)
    np.testing.assert_allclose([found["low"], found["high"]], expected["ci95"], rtol=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
def test_nps_against_the_rest_is_rs_t_test(design):
    expected = R[f"{design}.nps_ttest_compimp"]
    found = cx.against_rest(schools(design), ["nps"], "comp.imp").table.iloc[1]
    assert found["estimate"] == pytest.approx(expected["diff"], rel=1e-9)
    assert found["estimate"] / found["se"] == pytest.approx(expected["t"], rel=1e-9)


def customers(seed: int = 2, count: int = 600) -> Survey:
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, 40, count)
    df = pd.DataFrame({
        "card": rng.choice([1.0, 2, 3], count, p=[0.6, 0.3, 0.1]), "shop": shop, "area": shop % 4,
        "w": rng.uniform(0.5, 3, count), "q": rng.normal(size=40)[shop] + rng.normal(size=count),
        "r": rng.integers(0, 11, count).astype(float),
    })  # fmt: skip
    df["q"] += 0.8 * (df["card"] == 2)
    df.loc[::17, "q"] = np.nan
    return Survey.from_frame(df, weight="w", stratum="area", psu="shop")


def test_differences_are_segment_minus_rest():
    survey = customers()
    found = cx.against_rest(survey, ["q", "r"], "card").table
    assert found["metric"].tolist() == ["q"] * 3 + ["r"] * 3
    for r in found.itertuples():
        part = cx.means(survey.where(card=r.segment), r.metric).table.iloc[0]
        others = cx.means(survey.where(f"card != {r.segment:g}"), r.metric).table.iloc[0]
        assert r.value == pytest.approx(part["estimate"], rel=1e-12)
        assert r.rest == pytest.approx(others["estimate"], rel=1e-12)
        assert r.estimate == pytest.approx(part["estimate"] - others["estimate"], rel=1e-12)
        assert r.base == part["base"]
        assert r.low < r.estimate < r.high
    np.testing.assert_allclose(found["p_value"], holm(found["p_raw"].to_numpy()), rtol=1e-12)


def test_standard_errors_of_differences_by_replicates():
    """4,000 Rao–Wu replicates: Monte Carlo error of a standard error 1.1 %."""
    survey = customers()
    design = resolve(survey)
    q, w, card = survey.values("q"), survey.weights, survey.values("card")
    known = np.isfinite(q)
    sums = {c: [np.bincount(design.psu, x * known * inside, len(design.stratum)) for x in (w * np.nan_to_num(q), w)]
            for c in (1.0, 2.0, 3.0) for inside in [card == c]}  # fmt: skip
    multipliers = np.concatenate(list(design.rao_wu(4000, 5))).astype(float)
    totals = {c: (multipliers @ a, multipliers @ b) for c, (a, b) in sums.items()}
    found = cx.against_rest(survey, ["q"], "card").table.set_index("segment")
    for c in totals:
        rest = [sum(totals[o][k] for o in totals if o != c) for k in (0, 1)]
        draws = totals[c][0] / totals[c][1] - rest[0] / rest[1]
        assert found.loc[c, "se"] == pytest.approx(np.std(draws), rel=0.05)


def test_a_comparison_is_only_as_reliable_as_its_smaller_side():
    df = pd.DataFrame({"card": np.repeat([1, 2], [300, 12]), "q": np.random.default_rng(1).normal(size=312)})
    result = cx.against_rest(Survey.from_frame(df), ["q"], "card")
    assert result.table["reliability"].tolist() == ["suppressed", "suppressed"]
    assert result.table["base"].tolist() == [300, 12]
    hidden = result.shown("en", ["value", "rest", "estimate", "p_value"])
    assert (hidden == "–").all(axis=None)


def test_respondents_of_no_group_are_in_no_rest():
    survey = customers()
    card = survey.data["card"].where(survey.data.index > 99)
    found = cx.against_rest(survey.with_columns(card=card), ["q"], "card")
    assert found.base.respondents == 500
    assert found.notes[1]["en"].startswith("100 respondents (")
    shorter = cx.against_rest(survey.with_columns(card=card).where("card >= 1"), ["q"], "card")
    pd.testing.assert_frame_equal(found.table, shorter.table)


def test_the_call_makes_the_result_again():
    whole = customers()
    found = cx.against_rest(whole.where("r > 1"), ["q", "r"], "card", level=0.9)
    again = eval(found.call, {"cx": cx, "survey": whole})
    pd.testing.assert_frame_equal(again.table, found.table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.against_rest(s.where(card=1), ["q"], "card"),
         "by: 'card' has 1 group among the respondents; a comparison needs two."),
        (lambda s: cx.against_rest(s, [], "card"), "metrics is empty; name at least one."),
        (lambda s: cx.against_rest(s, ["qq"], "card"),
         "metric names 1 column that is not in the survey: 'qq' (did you mean 'q'?)."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(customers())
    assert str(error.value) == message


# ---------------------------------------------------------------------- what a base could have shown
@pytest.mark.parametrize("base", [20, 100, 1000])
def test_detectable_difference_is_that_of_a_t_test(base):
    """Two groups of one size and unit variance; z instead of noncentral t costs under 3 % at 20 per group."""
    se, df = np.sqrt(2 / base), 2 * base - 2
    found = detectable(se, df)
    power = TTestIndPower().power(found, base, 0.05)
    assert power == pytest.approx(0.8, abs=0.01)
    assert detectable(se, df, power=0.9) > found > detectable(se, df, level=0.8)


def test_a_detectable_difference_is_found_four_times_in_five():
    rng = np.random.default_rng(8)
    se, df = np.sqrt(2 / 60), 118
    gap = detectable(se, df)
    first, second = rng.normal(size=(4000, 60)), gap + rng.normal(size=(4000, 60))
    p = stats.ttest_ind(first, second, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.025)
