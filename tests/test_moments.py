"""Moments and the measures of importance: against R, against brute force, and at their limits."""

import json
import math
import os
import re
import subprocess
import sys
import tracemalloc
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import SurveyError
from cxlab.moments import (
    Moments,
    coefficients,
    johnson,
    null_importance,
    replicate_moments,
    shapley,
    to_correlation,
    weighted_moments,
)

GOLDEN = Path(__file__).parent / "golden" / "drivers"
CASES = {k: v for k, v in json.loads((GOLDEN / "relaimpo.json").read_text()).items() if "lmg" in v}
CLOSED_FORM = 1e-12  # R prints 15 digits; the rest is rounding in 2^p Schur complements


def golden(name: str) -> tuple[dict, np.ndarray]:
    """A case of relaimpo and the correlations of its drivers and outcome, as cxlab takes them."""
    case = CASES[name]
    data = pd.read_csv(GOLDEN / f"{name}.csv")
    weights = data["w"].to_numpy() if "w" in data else np.ones(len(data))
    columns = data[[*case["drivers"], case["outcome"]]].to_numpy(dtype=float)
    return case, weighted_moments(columns, weights).correlation()


def random_correlations(p: int, seed: int, batch: tuple[int, ...] = ()) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(size=(*batch, p + 1, p + 3))
    return to_correlation(draws @ np.swapaxes(draws, -1, -2))


def r_squared(matrix: np.ndarray, drivers: list[int]) -> float:
    if not drivers:
        return 0.0
    inner, outer = matrix[np.ix_(drivers, drivers)], matrix[drivers, -1]
    return float(outer @ np.linalg.lstsq(inner, outer, rcond=1e-11)[0] / matrix[-1, -1])


def over_all_orders(matrix: np.ndarray) -> np.ndarray:
    """Shapley values straight from their definition."""
    p = len(matrix) - 1
    gains, known = np.zeros(p), {}
    for order in permutations(range(p)):
        for place, driver in enumerate(order):
            sets = [tuple(sorted(order[:k])) for k in (place, place + 1)]
            known.update({s: r_squared(matrix, list(s)) for s in sets if s not in known})
            gains[driver] += known[sets[1]] - known[sets[0]]
    return gains / math.factorial(p)


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("name", CASES)
def test_shapley_is_lmg_of_relaimpo(name):
    case, correlation = golden(name)
    found = shapley(correlation)
    np.testing.assert_allclose(found, case["lmg"], rtol=0, atol=CLOSED_FORM)
    assert found.sum() == pytest.approx(case["R2"], abs=CLOSED_FORM)


@pytest.mark.parametrize("name", CASES)
def test_johnson_is_genizi_of_relaimpo_and_relative_weights(name):
    case, correlation = golden(name)
    found = johnson(correlation)
    np.testing.assert_allclose(found, case["genizi"], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(found, case["johnson_rw"], rtol=0, atol=CLOSED_FORM)
    assert found.sum() == pytest.approx(case["R2"], abs=CLOSED_FORM)


@pytest.mark.parametrize("name", CASES)
def test_coefficients_are_those_of_lm(name):
    case = CASES[name]
    data = pd.read_csv(GOLDEN / f"{name}.csv")
    weights = data["w"].to_numpy() if "w" in data else np.ones(len(data))
    moments = weighted_moments(data[[*case["drivers"], case["outcome"]]].to_numpy(dtype=float), weights)
    # mtcars has a VIF of 22: two digits are lost in solving
    np.testing.assert_allclose(coefficients(moments.covariance()), case["coef_with_intercept"][1:], rtol=1e-10)


def test_the_smallest_case_by_hand():
    # two drivers, r = .5: R²(1) = .36, R²(2) = .16, R²(1, 2) = (.36 + .16 − 2·.6·.4·.5) / .75
    whole = (0.36 + 0.16 - 2 * 0.6 * 0.4 * 0.5) / 0.75
    matrix = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    expected = [(0.36 + whole - 0.16) / 2, (0.16 + whole - 0.36) / 2]
    np.testing.assert_allclose(shapley(matrix), expected, atol=1e-15)


# ---------------------------------------------------------------------- against the definition
@settings(max_examples=40, deadline=None)
@given(p=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_shapley_equals_the_mean_over_all_orders(p, seed):
    matrix = random_correlations(p, seed)
    np.testing.assert_allclose(shapley(matrix), over_all_orders(matrix), atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(p=st.integers(1, 9), seed=st.integers(0, 10_000), batch=st.sampled_from([(3,), (2, 4), (0,), (70,)]))
def test_a_batch_is_a_loop_and_sums_to_r_squared(p, seed, batch):
    matrices = random_correlations(p, seed, batch)
    for measure in (shapley, johnson):
        found = measure(matrices)
        assert found.shape == (*batch, p)
        for at in np.ndindex(batch):
            np.testing.assert_allclose(found[at], measure(matrices[at]), atol=1e-13)
            assert found[at].sum() == pytest.approx(r_squared(matrices[at], list(range(p))), abs=1e-9)


def test_a_batch_larger_than_one_block_is_a_loop():
    matrices = random_correlations(13, 5, (70,))  # blocks hold 32 matrices of 13 drivers
    np.testing.assert_allclose(shapley(matrices), [shapley(m) for m in matrices], atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(2, 8), seed=st.integers(0, 10_000), data=st.data())
def test_the_order_of_the_drivers_does_not_matter(p, seed, data):
    matrix = random_correlations(p, seed)
    order = np.array(data.draw(st.permutations(range(p))))
    moved = matrix[np.ix_([*order, p], [*order, p])]
    for measure in (shapley, johnson):
        np.testing.assert_allclose(measure(moved), measure(matrix)[order], atol=1e-11)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(1, 6), seed=st.integers(0, 10_000), scale=st.integers(-6, 6))
def test_units_do_not_matter(p, seed, scale):
    matrix = random_correlations(p, seed)
    units = 10.0 ** (scale * np.linspace(-1, 1, p + 1))
    for measure in (shapley, johnson):
        np.testing.assert_allclose(measure(matrix * np.outer(units, units)), measure(matrix), atol=1e-11)


def test_a_duplicate_shares_with_its_twin():
    matrix = random_correlations(3, 8)
    at = [0, 1, 2, 1, 3]
    found, without = shapley(matrix[np.ix_(at, at)]), shapley(matrix)
    assert found[1] == pytest.approx(found[3], abs=1e-14)
    assert found.sum() == pytest.approx(without.sum(), abs=1e-12)
    np.testing.assert_allclose(found, over_all_orders(matrix[np.ix_(at, at)]), atol=1e-12)


def test_a_driver_that_others_determine_is_measured_without_blowing_up():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3))
    columns = np.column_stack([x, x[:, 0] + x[:, 1], x[:, 0] + rng.normal(size=400)])
    matrix = weighted_moments(columns, np.ones(400)).correlation()
    np.testing.assert_allclose(shapley(matrix), over_all_orders(matrix), atol=1e-9)
    alone = shapley(matrix[np.ix_([0, 1, 2, 4], [0, 1, 2, 4])]).sum()
    assert shapley(matrix).sum() == pytest.approx(alone, abs=1e-12)
    # the same but for a millionth of noise, which happens to go with the outcome: it must not count
    columns[:, 3] += 1e-6 * (columns[:, 4] - columns[:, 0])
    near = weighted_moments(columns, np.ones(400)).correlation()
    assert shapley(near).sum() == pytest.approx(alone, abs=1e-5)
    with pytest.raises(SurveyError) as error:
        johnson(matrix)
    assert str(error.value) == ("drivers are exactly collinear: relative weights are undefined; leave one of them out.")


# ---------------------------------------------------------------------- what is refused
def message(matrix: np.ndarray) -> str:
    with pytest.raises(SurveyError) as error:
        shapley(matrix)
    return str(error.value)


def test_more_drivers_than_can_be_exact():
    assert message(np.eye(24)) == (
        "correlations holds 23 drivers; exact Shapley values are limited to 22: name fewer drivers, or use method='johnson'."
    )


def test_a_constant_column():
    columns = np.column_stack([np.ones(9), np.arange(9), np.arange(9) ** 2.0])
    said = "correlations holds 1 matrices with missing values (a constant column?); leave it out."
    assert message(weighted_moments(columns, np.ones(9)).correlation()) == said


def test_an_outcome_without_variance():
    matrix = np.diag([1.0, 1.0, 0.0])
    assert message(matrix) == "correlations holds 1 matrices whose outcome does not vary; R² is undefined there."


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1)])
def test_shapes_that_are_no_correlations(shape):
    said = f"correlations has shape {shape}; it needs (..., p + 1, p + 1) with p ≥ 1."
    assert message(np.ones(shape)) == said


# ---------------------------------------------------------------------- size
def test_memory_of_many_matrices_is_that_of_a_block():
    matrices = random_correlations(12, 3, (1000,))
    tracemalloc.start()
    shapley(matrices)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # all at once would take 4 · 2^12 · 1,000 doubles = 131 MB


def test_22_drivers_fit_into_memory():
    """Peak memory of a process of its own: 4 · 2^22 doubles are 134 MB, the fold as much again."""
    code = (
        "import resource, numpy as np; from cxlab.moments import shapley, to_correlation\n"
        "x = np.random.default_rng(1).normal(size=(60, 23)); x[:, -1] += x[:, :5].sum(axis=1)\n"
        "m = np.corrcoef(x.T); start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = shapley(m); r2 = m[-1, :-1] @ np.linalg.solve(m[:-1, :-1], m[:-1, -1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start, abs(found.sum() - r2))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    kilobytes, error = map(float, done.stdout.split())
    assert kilobytes < 400e3
    assert error < 1e-10


# ---------------------------------------------------------------------- permuted drivers
@settings(max_examples=30, deadline=None)
@given(p=st.integers(1, 7), seed=st.integers(0, 10_000), data=st.data())
def test_null_importance_is_shapley_with_the_row_replaced(p, seed, data):
    matrix = random_correlations(p, seed)
    driver = data.draw(st.integers(0, p - 1))
    shuffled = 0.3 * np.random.default_rng(seed).uniform(-1, 1, size=(5, p + 1)) / p
    replaced = np.repeat(matrix[None], 5, axis=0)
    replaced[:, driver, :] = replaced[:, :, driver] = shuffled
    replaced[:, driver, driver] = 1.0
    possible = np.linalg.eigvalsh(replaced)[:, 0] > 1e-6  # not every row completes a correlation matrix
    found = null_importance(matrix, driver, shuffled)
    np.testing.assert_allclose(found[possible], shapley(replaced[possible])[:, driver], atol=1e-10)


def test_null_importance_in_blocks():
    matrix = random_correlations(12, 2)
    shuffled = np.random.default_rng(3).normal(scale=0.02, size=(150, 13))  # blocks hold 64 permutations
    alone = [null_importance(matrix, 4, row[None])[0] for row in shuffled]
    np.testing.assert_allclose(null_importance(matrix, 4, shuffled), alone, atol=1e-15)


# ---------------------------------------------------------------------- moments
def rows(seed: int, count: int = 200, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return offset + rng.normal(size=(count, 4)) @ rng.normal(size=(4, 4)), rng.uniform(0.2, 3, size=count)


def test_moments_are_weighted_means_and_covariances():
    columns, weights = rows(1)
    moments = weighted_moments(columns, weights)
    np.testing.assert_allclose(moments.mean(), np.average(columns, axis=0, weights=weights), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance(), np.cov(columns.T, aweights=weights, ddof=0), rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(moments.correlation()), 1.0, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 199), offset=st.sampled_from([0.0, -7.5, 1e4, 1e8]))
def test_moments_of_parts_add_up(seed, cut, offset):
    columns, weights = rows(seed, offset=offset)
    center = columns[0].copy()
    parts = [weighted_moments(columns[p], weights[p], center) for p in (slice(None, cut), slice(cut, None))]
    added, whole = parts[0] + parts[1], weighted_moments(columns, weights, center)
    np.testing.assert_allclose(added.mean(), whole.mean(), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(added.covariance(), whole.covariance(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(added.weight, whole.weight, rtol=1e-14)


def test_moments_about_different_constants_do_not_add():
    columns, weights = rows(1)
    with pytest.raises(SurveyError) as error:
        weighted_moments(columns, weights, np.zeros(4)) + weighted_moments(columns, weights, np.ones(4))
    assert str(error.value) == "moments about different constants cannot be added; use the same center for both."


@pytest.mark.parametrize("offset", [1e6, 1e8])
def test_an_offset_loses_nothing(offset):
    """Halves of integers move by 1e8 without rounding, so the covariances must be the same to rounding."""
    rng = np.random.default_rng(6)
    columns, weights = rng.integers(-8, 9, size=(5000, 4)) / 2.0, rng.uniform(0.5, 2, 5000)
    near, far = weighted_moments(columns, weights), weighted_moments(columns + offset, weights)
    scale = np.abs(near.covariance()).max()
    assert np.abs(far.covariance() - near.covariance()).max() < 3e-14 * scale
    naive = ((columns + offset) * weights[:, None]).T @ (columns + offset) / weights.sum()
    naive -= np.outer(far.mean(), far.mean())
    assert np.abs(naive - near.covariance()).max() > 1e-6 * scale  # what centring saves


@pytest.mark.parametrize("units", [300, 15_000])  # few units are added up first, many are not
def test_replicate_moments_are_a_loop_over_weights(units):
    columns, weights = rows(2, count=20_000, offset=50.0)  # more rows than one block
    rng = np.random.default_rng(7)
    unit, multipliers = rng.integers(0, units, 20_000), rng.poisson(1.0, size=(9, units)).astype(float)
    center = columns.mean(axis=0)
    found = replicate_moments(columns, weights, multipliers, unit, center)
    loop = [weighted_moments(columns, weights * m[unit], center) for m in multipliers]
    for name in ("weight", "sums", "products"):
        expected = np.array([getattr(m, name) for m in loop])
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-10, atol=1e-8)
    np.testing.assert_allclose(shapley(found.correlation()), [shapley(m.correlation()) for m in loop], atol=1e-12)


def test_replicate_moments_under_multipliers_of_one_are_the_moments():
    columns, weights = rows(3)
    whole = weighted_moments(columns, weights)
    again = replicate_moments(columns, weights, np.ones((1, 200), np.float32), np.arange(200), whole.center)
    np.testing.assert_allclose(again.covariance()[0], whole.covariance(), rtol=1e-12)


def test_a_zero_variance_has_no_correlation_and_hides_no_other():
    moments = Moments(np.asarray(1.0), np.zeros(2), np.diag([0.0, 4.0]), np.zeros(2))
    found = moments.correlation()
    assert np.isnan(found[0]).all()
    assert found[1, 1] == 1.0


def test_golden_values_name_their_calls():
    for name, case in CASES.items():
        assert re.match(r"relaimpo::calc\.relimp\(", case["call"]), name
        assert case["provenance"].startswith("R 4.2.2; relaimpo 2.2.7"), name
