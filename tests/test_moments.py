"""Moments: of rows, groups and replicates, at offsets, and with columns partialled out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import SurveyError
from cxlab.moments import Moments, group_moments, partial_out, replicate_moments, weighted_moments
from cxlab.subsets import shapley


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


# ---------------------------------------------------------------------- groups
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), groups=st.integers(1, 6), offset=st.sampled_from([0.0, 1e8]))
def test_moments_of_groups_are_a_loop_and_add_up(seed, groups, offset):
    columns, weights = rows(seed, offset=offset)
    group = np.random.default_rng(seed).integers(-1, groups, size=200)
    center = columns[0].copy()
    found = group_moments(columns, weights, group, groups, center)
    for g in range(groups):
        alone = weighted_moments(columns[group == g], weights[group == g], center)
        np.testing.assert_allclose(found.products[g], alone.products, rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(found.sums[g], alone.sums, rtol=1e-10, atol=1e-9)
        assert found.weight[g] == pytest.approx(alone.weight, rel=1e-13)
    whole = weighted_moments(columns[group >= 0], weights[group >= 0], center)
    np.testing.assert_allclose(found.products.sum(axis=0), whole.products, rtol=1e-10, atol=1e-9)


def test_groups_larger_than_one_block_and_empty_ones():
    columns, weights = rows(4, count=20_000)
    group = np.where(np.arange(20_000) % 3 == 0, 5, 2)
    found = group_moments(columns, weights, group, 7)
    assert found.weight[[0, 1, 3, 4, 6]].tolist() == [0.0] * 5
    expected = np.cov(columns[group == 2].T, aweights=weights[group == 2], ddof=0)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.covariance()[2], expected, rtol=1e-11)


def test_group_numbers_that_do_not_exist():
    with pytest.raises(SurveyError) as error:
        group_moments(np.ones((4, 1)), np.ones(4), np.array([0, 1, 2, -2]), 2)
    assert str(error.value) == "group holds 2 numbers outside −1 to 1."


# ---------------------------------------------------------------------- forced-in columns
def test_partialling_out_is_the_covariance_of_residuals():
    columns, _ = rows(5)
    covariance = np.cov(columns.T, ddof=0)
    design = np.column_stack([np.ones(200), columns[:, [2, 0]]])
    residual = columns - design @ np.linalg.lstsq(design, columns, rcond=None)[0]
    expected = np.cov(residual[:, [1, 3]].T, ddof=0)
    np.testing.assert_allclose(partial_out(covariance, (2, 0)), expected, rtol=1e-10)
    batch = np.stack([covariance, 4 * covariance]).reshape(1, 2, 4, 4)
    np.testing.assert_allclose(partial_out(batch, (0, 2))[0, 1], 4 * expected, rtol=1e-10)
    np.testing.assert_allclose(partial_out(covariance, ()), covariance)


def test_partialling_out_a_column_twice_present_takes_it_out_once():
    columns, _ = rows(6)
    double = np.cov(columns[:, [0, 0, 1, 2]].T)
    np.testing.assert_allclose(partial_out(double, (0, 1)), partial_out(np.cov(columns[:, :3].T), (0,)), rtol=1e-9)


@pytest.mark.parametrize("columns", [(3,), (0, 0), (-1,)])
def test_columns_that_cannot_be_partialled_out(columns):
    with pytest.raises(SurveyError) as error:
        partial_out(np.eye(4), columns)
    assert str(error.value) == f"columns is {columns}; it may name each of the 3 columns before the outcome once."
