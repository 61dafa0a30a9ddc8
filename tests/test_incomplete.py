"""Moments of incomplete rows: available pairs, EM against lavaan, many weights at once, draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from cxlab.errors import SurveyError
from cxlab.incomplete import (
    conditional,
    em,
    em_influence,
    em_replicates,
    find_patterns,
    floor_eigenvalues,
    impute,
    never_together,
    pack,
    pairwise,
    pairwise_influence,
    pattern_moments,
    replicate_patterns,
    unpack,
)
from cxlab.moments import weighted_moments

GOLDEN = Path(__file__).parent / "golden" / "missing"
NAN = np.nan


def gapped(rows: int = 400, k: int = 5, share: float = 0.15, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Correlated columns on unlike scales with gaps by chance, and weights."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(k) + 0.4 * rng.normal(size=(k, k))
    columns = rng.normal(size=(rows, k)) @ mixing.T * 10.0 ** np.arange(-1, k - 1) + 7
    columns[rng.random((rows, k)) < share] = NAN
    return columns, rng.uniform(0.4, 1.6, rows)


def pairs_by_hand(columns: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations and available variances with loops."""
    k = columns.shape[1]
    r, variance = np.eye(k), np.empty(k)
    for i in range(k):
        own = np.isfinite(columns[:, i])
        variance[i] = np.cov(columns[own, i], aweights=weights[own], ddof=0)
        for j in range(i):
            both = own & np.isfinite(columns[:, j])
            c = np.cov(columns[both, i], columns[both, j], aweights=weights[both], ddof=0)
            r[i, j] = r[j, i] = c[0, 1] / np.sqrt(c[0, 0] * c[1, 1])
    return r, variance


# --- patterns and pairs ------------------------------------------------------------------------------------------


def test_patterns_hold_every_row_once():
    columns, _ = gapped()
    found = find_patterns(columns)
    assert np.array_equal(found.observed[found.of], np.isfinite(columns))
    assert sorted(np.concatenate(found.members)) == list(range(len(columns)))
    assert len(np.unique(found.observed, axis=0)) == len(found.observed)


def test_patterns_of_more_columns_than_bits():
    columns = np.ones((3, 70))
    columns[1, 69] = columns[2, 0] = NAN
    assert len(find_patterns(columns).observed) == 3


def test_pairwise_by_hand():
    columns, weights = gapped()
    mean, covariance, floored = pairwise(pattern_moments(columns, weights))
    r, variance = pairs_by_hand(columns, weights)
    expected = r * np.sqrt(variance) * np.sqrt(variance)[:, None]
    np.testing.assert_allclose(covariance[0], expected, rtol=1e-11)
    answered = np.isfinite(columns)
    by_column = [np.average(c[a], weights=weights[a]) for c, a in zip(columns.T, answered.T, strict=True)]
    np.testing.assert_allclose(mean[0], by_column, rtol=1e-13)
    assert floored.tolist() == [0]


def test_pairwise_matrices_that_fit_no_data_are_mended_and_counted():
    rng = np.random.default_rng(3)
    columns = np.full((300, 3), NAN)
    for rows, (i, j, sign) in zip(np.split(np.arange(300), 3), [(0, 1, 1), (1, 2, 1), (0, 2, -1)], strict=True):
        columns[rows, i] = rng.normal(size=100)
        columns[rows, j] = sign * columns[rows, i] + 0.2 * rng.normal(size=100)
    moments = pattern_moments(columns, np.ones(300))
    plain = pairwise(moments, least=-np.inf)[1][0]
    assert np.linalg.eigvalsh(plain)[0] < -0.5
    _, mended, floored = pairwise(moments)
    assert floored.tolist() == [1]
    assert np.linalg.eigvalsh(mended[0])[0] > 0
    np.testing.assert_allclose(np.diagonal(mended[0]), np.diagonal(plain), rtol=1e-12)


def test_flooring_leaves_sound_matrices_alone():
    sound = np.array([[[1, 0.5], [0.5, 1.0]]])
    out, floored = floor_eigenvalues(sound)
    assert np.array_equal(out, sound)
    assert floored.tolist() == [0]


def test_columns_never_answered_together():
    observed = np.array([[True, False, True, False], [False, True, True, False]])
    assert never_together(observed) == [(0, 1), (0, 3), (1, 3), (2, 3), (3, 3)]


# --- EM ----------------------------------------------------------------------------------------------------------


def test_em_equals_lavaan_fiml():
    golden = json.loads((GOLDEN / "fiml.json").read_text(encoding="utf-8"))
    columns = pd.read_csv(GOLDEN / "mobi_gaps.csv")[golden["columns"]].to_numpy(dtype=float)
    assert np.isnan(columns).any(axis=1).mean() > 0.35
    fit = em(pattern_moments(columns, np.ones(len(columns))))
    np.testing.assert_allclose(fit.mean, golden["mean"], atol=1e-10)  # 15 digits are kept; the target is 1e-6
    np.testing.assert_allclose(fit.covariance, golden["covariance"], atol=1e-10)
    likelihood = sum(
        stats.multivariate_normal.logpdf(row[seen], fit.mean[seen], fit.covariance[np.ix_(seen, seen)])
        for row, seen in zip(columns, np.isfinite(columns), strict=True)
    )
    assert likelihood == pytest.approx(golden["loglik"], abs=1e-8)


def test_em_maximises_the_weighted_likelihood():
    columns, weights = gapped(60, 2, 0.25, seed=5)
    columns = columns / [1, 10]

    def cost(theta: np.ndarray) -> float:
        root = np.array([[np.exp(theta[2]), 0], [theta[3], np.exp(theta[4])]])
        sigma, total = root @ root.T, 0.0
        for row, w in zip(columns, weights, strict=True):
            seen = np.isfinite(row)
            if seen.any():
                part = stats.multivariate_normal.logpdf(row[seen], theta[:2][seen], sigma[np.ix_(seen, seen)])
                total -= w * part
        return total

    spread = np.log(np.nanstd(columns, axis=0))
    start = [*np.nanmean(columns, axis=0), spread[0], 0, spread[1]]
    found = optimize.minimize(cost, start, method="BFGS", options={"gtol": 1e-6}).x
    root = np.array([[np.exp(found[2]), 0], [found[3], np.exp(found[4])]])
    fit = em(pattern_moments(columns, weights))
    np.testing.assert_allclose(fit.mean, found[:2], rtol=1e-6)
    np.testing.assert_allclose(fit.covariance, root @ root.T, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_without_gaps_everything_is_the_plain_moments(seed):
    columns, weights = gapped(30, 3, 0.0, seed)
    plain = weighted_moments(columns, weights)
    moments = pattern_moments(columns, weights)
    fit, (mean, covariance, _) = em(moments), pairwise(moments)
    for got in (fit.covariance, covariance[0]):
        np.testing.assert_allclose(got, plain.covariance(), rtol=1e-10, atol=1e-12)
    for got in (fit.mean, mean[0]):
        np.testing.assert_allclose(got, plain.mean(), rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weights_are_repeated_rows_and_rows_have_no_order(seed):
    columns, _ = gapped(80, 3, 0.2, seed)
    rng = np.random.default_rng(seed)
    times, order = rng.integers(1, 4, len(columns)), rng.permutation(len(columns))
    weighted = em(pattern_moments(columns, times.astype(float)))
    repeated = em(pattern_moments(np.repeat(columns, times, axis=0), np.ones(times.sum())))
    shuffled = em(pattern_moments(columns[order], times[order] * 2.5))
    for other in (repeated, shuffled):
        np.testing.assert_allclose(other.covariance, weighted.covariance, rtol=1e-8)
        np.testing.assert_allclose(other.mean, weighted.mean, rtol=1e-8)


def test_rows_without_any_answer_say_nothing():
    columns, weights = gapped()
    empty = np.vstack([columns, np.full((20, columns.shape[1]), NAN)])
    more = em(pattern_moments(empty, np.append(weights, np.ones(20))))
    np.testing.assert_allclose(more.covariance, em(pattern_moments(columns, weights)).covariance, rtol=1e-8)


def test_columns_of_any_size():
    columns, weights = gapped()
    scale, shift = np.array([1e-6, 1, 1e6, 1e8, 1]), np.array([0, 1e6, 0, 1e10, -1e4])
    fit, moved = em(pattern_moments(columns, weights)), em(pattern_moments(columns * scale + shift, weights))
    np.testing.assert_allclose(moved.covariance, fit.covariance * scale * scale[:, None], rtol=1e-6)


def test_what_em_cannot_fit_is_refused():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(50, 2))
    columns = np.column_stack([columns, columns.sum(axis=1)])
    columns[:10, 0] = NAN
    with pytest.raises(SurveyError) as error:
        em(pattern_moments(columns, np.ones(50)))
    assert str(error.value) == (
        "EM found no maximum for 3 columns in 2 patterns of missing answers: some columns are determined by others, or too "
        "rarely answered together; leave one out, or use missing='listwise'."
    )


def test_packing():
    mean, covariance = np.array([[1.0, 2.0]]), np.array([[[3.0, 4.0], [4.0, 5.0]]])
    assert pack(mean, covariance).tolist() == [[1, 2, 3, 4, 5]]
    for got, expected in zip(unpack(pack(mean, covariance), 2), (mean, covariance), strict=True):
        assert np.array_equal(got, expected)


# --- replicates --------------------------------------------------------------------------------------------------


def replicated(columns, weights, multipliers, unit):
    patterns = find_patterns(columns)
    moments = pattern_moments(columns, weights, patterns)
    fit = em(moments)
    blocks = list(replicate_patterns(moments, patterns, columns, weights, multipliers, unit))
    return (
        np.concatenate([em_replicates(fit, b)[1] for b in blocks]),
        np.concatenate([pairwise(b)[1] for b in blocks]),
    )


def test_replicates_are_what_fitting_each_gives():
    columns, weights = gapped(300, 5, 0.2)
    multipliers = np.random.default_rng(4).poisson(1.0, (40, 100)).astype(np.float32)
    unit = np.arange(300) % 100
    likelihood, pairs = replicated(columns, weights, multipliers, unit)
    scale = np.sqrt(np.diagonal(em(pattern_moments(columns, weights)).covariance))
    for b in range(40):
        kept = multipliers[b, unit] > 0
        w = (weights * multipliers[b, unit])[kept]
        alone = pattern_moments(columns[kept], w)
        # 1e-5 standard deviations is where the steps stop; the sampling error of a covariance is .06 here
        assert np.abs((likelihood[b] - em(alone).covariance) / scale / scale[:, None]).max() < 1e-5
        np.testing.assert_allclose(pairs[b], pairwise(alone)[1][0], rtol=1e-9)


def test_replicates_come_in_blocks(monkeypatch):
    columns, weights = gapped(100, 4, 0.2)
    multipliers = np.random.default_rng(4).poisson(1.0, (30, 100)).astype(np.float32)
    whole = replicated(columns, weights, multipliers, np.arange(100))
    for room in ("_patterns", "_em"):
        monkeypatch.setattr(f"cxlab.incomplete.{room}.CELLS", 2_000)
    for got, expected in zip(replicated(columns, weights, multipliers, np.arange(100)), whole, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_a_replicate_without_variation_loses_that_column_only():
    columns, weights = gapped(100, 3, 0.2)
    columns = np.column_stack([columns, np.arange(100) < 5.0])
    multipliers = np.ones((2, 100))
    multipliers[1, :5] = 0
    covariance, _ = replicated(columns, weights, multipliers, np.arange(100))
    assert np.isfinite(covariance[0]).all()
    assert np.isnan(covariance[1, 3]).all()
    assert np.isnan(covariance[1, :, 3]).all()
    without = em(pattern_moments(columns[5:, :3], weights[5:])).covariance
    np.testing.assert_allclose(covariance[1, :3, :3], without, rtol=1e-4)


def test_a_thousand_replicates_in_a_few_seconds():
    import time

    columns, weights = gapped(2400, 11, 0.06)
    multipliers = np.random.default_rng(4).poisson(1.0, (1000, 2400)).astype(np.float32)
    start = time.process_time()
    replicated(columns, weights, multipliers, np.arange(2400))
    assert time.process_time() - start < 20  # 3 s on an idle core


# --- rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("treatment", ["em", "pairwise"])
def test_influence_is_the_derivative_by_the_weight(treatment):
    columns, weights = gapped(120, 4, 0.2, seed=9)
    direction, patterns = np.array([-0.5, 0.2, 0.1, 1.0]), find_patterns(columns)

    def moved(w: np.ndarray) -> np.ndarray:
        moments = pattern_moments(columns, w, patterns)
        return (em(moments).covariance if treatment == "em" else pairwise(moments, least=-np.inf)[1][0]) @ direction

    if treatment == "em":
        found = em_influence(columns, patterns, em(pattern_moments(columns, weights, patterns)), direction)
    else:
        found = pairwise_influence(columns, weights, direction)
    size = np.abs(found).max(axis=0)
    for row in range(0, 120, 7):
        step = np.zeros(120)
        step[row] = 1e-4
        numeric = (moved(weights + step) - moved(weights - step)) / 2e-4
        np.testing.assert_allclose(found[row] / size, numeric / size, atol=1e-5)
    np.testing.assert_allclose(weights @ found / size, 0, atol=1e-6)  # a common factor of all weights moves nothing


def test_imputations_have_the_moments_that_they_are_drawn_from():
    columns, weights = gapped(20_000, 3, 0.3)
    patterns = find_patterns(columns)
    fit = em(pattern_moments(columns, weights, patterns))
    whole = impute(columns, patterns, fit.mean, fit.covariance, np.random.default_rng(1))
    assert np.array_equal(whole[np.isfinite(columns)], columns[np.isfinite(columns)])
    scale = np.sqrt(np.diagonal(fit.covariance))
    moments = weighted_moments(whole, weights)
    assert np.abs((moments.covariance() - fit.covariance) / scale / scale[:, None]).max() < 0.03
    assert np.abs((moments.mean() - fit.mean) / scale).max() < 0.02


def test_expectations_are_regressions_on_what_is_there():
    columns, weights = gapped(50, 3, 0.3)
    fit = em(pattern_moments(columns, weights))
    for rows, missing, expected, spread in conditional(columns, find_patterns(columns), fit.mean, fit.covariance):
        seen = np.setdiff1d(np.arange(3), missing)
        slopes = np.linalg.lstsq(fit.covariance[np.ix_(seen, seen)], fit.covariance[np.ix_(seen, missing)])[0]
        by_hand = fit.mean[missing] + (columns[rows][:, seen] - fit.mean[seen]) @ slopes
        np.testing.assert_allclose(expected, by_hand, rtol=1e-9)
        left = fit.covariance[np.ix_(missing, missing)] - slopes.T @ fit.covariance[np.ix_(seen, missing)]
        np.testing.assert_allclose(spread, left, rtol=1e-7, atol=1e-9)
