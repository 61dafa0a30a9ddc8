"""Intervals on small bases: against scipy, by hand, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from cxlab.intervals import adjusted_wald, cautious_base, korn_graubard


def test_korn_graubard_of_a_simple_sample_is_clopper_pearson():
    yes, n = np.arange(0, 21), 20.0
    share = yes / n
    variance = share * (1 - share) / n  # no design effect
    low, high = korn_graubard(share, variance, np.full(21, n), np.full(21, n), np.full(21, n - 1), 0.95)
    exact = [stats.binomtest(int(k), 20).proportion_ci(0.95) for k in yes]
    np.testing.assert_allclose(low, [e.low for e in exact], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(high, [e.high for e in exact], rtol=1e-9)


def test_korn_graubard_of_nobody_one_and_what_is_known():
    share, variance = np.array([np.nan, 1.0, 0.3]), np.array([0.0, 0.0, 1e-30])
    base, kish = np.array([0.0, 1, 500]), np.array([0.0, 1, 400])
    low, high = korn_graubard(share, variance, base, kish, np.array([1.0, 1, 499]), 0.95)
    assert np.isnan([low[:2], high[:2]]).all()
    np.testing.assert_allclose([low[2], high[2]], 0.3, atol=1e-5)


def test_the_adjusted_wald_interval_by_hand():
    """12 promoters, 9 passives, 7 detractors, with ¾, 1½ and ¾ more: 12.75, 10.5 and 7.75 of 31."""
    score = np.repeat([100.0, 0, -100], [12, 9, 7])
    low, high = adjusted_wald(
        np.array([score.mean()]), np.array([score.var()]), np.array([28.0]), np.array([np.inf]), 0.9
    )
    p, d = 12.75 / 31, 7.75 / 31
    half = 1.6448536269514722 * np.sqrt((p + d - (p - d) ** 2) / 31)
    np.testing.assert_allclose([low[0], high[0]], [100 * (p - d - half), 100 * (p - d + half)], rtol=1e-10)


@pytest.mark.parametrize("shares", [(0.5, 0.25), (0.85, 0.05), (0.95, 0.02)])
def test_small_weighted_scores_are_covered_on_the_smaller_base_and_not_on_the_actual_one(shares):
    """20,000 surveys of 60 with weights whose design effect is 1.7."""
    rng, n, surveys = np.random.default_rng(1), 60, 20_000
    u = rng.random((surveys, n))
    score = np.select([u < shares[0], u < sum(shares)], [100.0, -100.0], 0.0)
    w = rng.lognormal(0, 0.77, (surveys, n))
    total = w.sum(axis=1)
    nps = (w * score).sum(axis=1) / total
    off = w * (score - nps[:, None])
    variance = n / (n - 1) * (off**2).sum(axis=1) / total**2
    simple = (off * (score - nps[:, None])).sum(axis=1) / total / (n - 1)
    kish = total**2 / (w**2).sum(axis=1)
    effective = np.where(variance > 0, n * simple / np.where(variance > 0, variance, 1), kish)
    spread, cautious = cautious_base(variance, np.full(surveys, n), effective, kish)
    cover = {}
    for name, base in (("cautious", cautious), ("design", effective), ("actual", np.full(surveys, float(n)))):
        low, high = adjusted_wald(nps, spread, base, np.full(surveys, n - 1.0), 0.95)
        truth = 100 * (shares[0] - shares[1])
        cover[name] = np.mean((low <= truth) & (truth <= high))
        assert np.mean(high - low) < 60
    assert 0.95 <= cover["cautious"] <= 0.99
    assert cover["design"] < 0.945
    assert cover["actual"] < cover["design"] + 0.02
