"""Proportional fitting and residuals on arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.calibration import Calibration, proportional_fit

CELLS = np.array([[a, b] for a in range(3) for b in range(2)])


@given(seed=st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_margins_are_met_and_odds_ratios_kept(seed):
    rng = np.random.default_rng(seed)
    totals = rng.uniform(0.2, 3, (4, 6))
    targets = [rng.dirichlet(np.ones(k) * 5) * 10 for k in (3, 2)]
    fit = proportional_fit(totals, CELLS, targets, tolerance=1e-13, most=500)
    for j, target in enumerate(targets):
        reached = np.column_stack([fit.totals[:, CELLS[:, j] == k].sum(axis=1) for k in range(len(target))])
        np.testing.assert_allclose(reached, np.broadcast_to(target, reached.shape), rtol=1e-9)
    odds = lambda t: t[:, 0] * t[:, 3] / (t[:, 1] * t[:, 2])  # noqa: E731
    np.testing.assert_allclose(odds(fit.totals), odds(totals), rtol=1e-9)


def test_fitting_anew_from_fitted_totals_ends_in_the_same_place():
    """What lets replicates be raked from the final weights."""
    rng = np.random.default_rng(3)
    start, draw = rng.uniform(1, 5, (1, 6)), rng.poisson(3, (1, 6)) + 0.5
    targets = [np.array([5.0, 3, 2]), np.array([4.0, 6])]
    rake = lambda t: proportional_fit(t, CELLS, targets, tolerance=1e-14, most=500).totals  # noqa: E731
    np.testing.assert_allclose(rake(rake(start) * draw), rake(start * draw), rtol=1e-10)


def test_a_category_that_a_replicate_loses_shares_its_target_out():
    weights = np.ones(6)
    calibration = Calibration(CELLS, weights)
    lost = np.array([[1.0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    factors, emptied = calibration.factors(lost)
    assert emptied == 1
    np.testing.assert_allclose((lost * factors[:, :6]).sum(axis=1), 6)
    np.testing.assert_allclose(factors[0, :4], 1.5)
    np.testing.assert_allclose(factors[1], 1.0)


@pytest.mark.parametrize("unweighted", [True, False])
def test_residuals_leave_nothing_of_the_margins(unweighted):
    rng = np.random.default_rng(1)
    codes = CELLS[rng.integers(0, 6, 300)]
    codes[:40] = -1
    weights = rng.uniform(0.5, 2, 300)
    calibration = Calibration(codes, weights, unweighted)
    effects = np.array([1.0, -2, 4])[codes[:, 0]] + np.array([0.0, 7])[codes[:, 1]]
    values = np.column_stack([effects, rng.normal(size=300)])
    left = calibration.residuals(values)
    np.testing.assert_array_equal(left[:40], values[:40])
    np.testing.assert_allclose(left[40:, 0], 0, atol=1e-9)
    q = np.ones(260) if unweighted else weights[40:]
    for j, k in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1)):
        assert abs(q @ (left[40:, 1] * (codes[40:, j] == k))) < 1e-9
