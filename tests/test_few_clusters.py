"""Few clusters: CR2 and its degrees of freedom against R's clubSandwich and explicit matrices, the wild bootstrap against refits."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from cxlab.few_clusters import cluster_weights, few_clusters

GOLDEN = Path(__file__).parent / "golden"


def panel():
    return pd.read_csv(GOLDEN / "clusters" / "panel.csv")


def dummies(codes):
    return (np.asarray(codes)[:, None] == np.unique(codes)[1:]).astype(float)


def cases():
    df, api = panel(), pd.read_csv(GOLDEN / "survey" / "apiclus1.csv")
    y, x, z, unit = (df[c].to_numpy(dtype=float) for c in ("y", "x", "z", "unit"))
    one, waves, units = np.ones((len(df), 1)), dummies(df["wave"]), dummies(df["unit"])
    means = df.groupby("unit")[["y", "x"]].mean()
    ell, meals, score = (api[c].to_numpy(dtype=float) for c in ("ell", "meals", "api00"))
    ones = np.ones((len(api), 1))
    return {
        "pooled": [few_clusters(y, x, np.column_stack([one, z]), unit)],
        "unit_effects": [few_clusters(y, x, z[:, None], unit, absorb=True),
                         few_clusters(y, x, np.column_stack([one, z, units]), unit)],
        "both_effects": [few_clusters(y, x, waves, unit, absorb=True),
                         few_clusters(y, x, np.column_stack([one, units, waves]), unit)],
        "both_effects_z": [few_clusters(y, x, np.column_stack([z, waves]), unit, absorb=True)],
        "units": [few_clusters(means["y"].to_numpy(), means["x"].to_numpy(), np.ones((12, 1)), means.index.to_numpy())],
        "districts": [few_clusters(score, ell, np.column_stack([ones, meals]), api["dnum"].to_numpy())],
        "districts_meals": [few_clusters(score, meals, np.column_stack([ones, ell]), api["dnum"].to_numpy())],
    }  # fmt: skip


@pytest.mark.parametrize("name", list(cases()))
def test_clubsandwich(name):
    expected = json.loads((GOLDEN / "clusters" / "clusters.json").read_text(encoding="utf-8"))[name]
    for fit in cases()[name]:
        se, df = fit.cr2
        got = {"estimate": fit.estimate, "se": se, "df": df, "p": fit.interval()[2], "cr1s": fit.cr1_se}
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


def slow(y, x, cluster):
    """CR2 and its degrees of freedom of the first column with whole matrices."""
    hat = x @ np.linalg.pinv(x)
    left = np.eye(len(y)) - hat
    row = np.linalg.pinv(x)[0]
    vectors, scores = [], []
    for g in np.unique(cluster):
        inside = cluster == g
        values, turn = np.linalg.eigh(left[np.ix_(inside, inside)])
        root = turn @ np.diag([v**-0.5 if v > 1e-10 else 0.0 for v in values]) @ turn.T
        vectors.append(left[:, inside] @ root @ row[inside])
        scores.append(row[inside] @ root @ (left @ y)[inside])
    gram = np.array(vectors) @ np.array(vectors).T
    return np.sqrt(np.sum(np.square(scores))), np.trace(gram) ** 2 / np.sum(gram**2)


def test_whole_matrices_agree_with_absorbed_effects():
    df = panel().iloc[::-1]  # order of rows plays no part
    y, x, unit = (df[c].to_numpy(dtype=float) for c in ("y", "x", "unit"))
    waves = dummies(df["wave"])
    fit = few_clusters(y, x, waves, unit, absorb=True)
    whole = np.column_stack([x, np.ones(len(x)), waves, dummies(df["unit"])])
    assert fit.cr2 == pytest.approx(slow(y, whole, unit), rel=1e-8)


def test_cr1_is_that_of_statsmodels():
    df = panel()
    x = sm.add_constant(df[["x", "z"]])
    expected = sm.OLS(df["y"], x).fit(cov_type="cluster", cov_kwds={"groups": df["unit"]}).bse["x"]
    assert cases()["pooled"][0].cr1_se == pytest.approx(expected, rel=1e-9)


def test_under_one_variance_cr2_is_unbiased_and_cr1_is_not():
    """The mean of V over independent errors of one variance is that variance of the coefficient, exactly."""
    df = panel()
    x, unit, waves = df["x"].to_numpy(), df["unit"].to_numpy(), dummies(df["wave"])
    for others, absorb in ((waves, True), (np.ones((len(x), 1)), False)):
        whole = np.column_stack([x, np.ones(len(x)), waves, dummies(unit)] if absorb else [x, others])
        true = np.linalg.inv(whole.T @ whole)[0, 0]
        # V is quadratic in y: its mean is the sum over unit vectors
        fits = [few_clusters(e, x, others, unit, absorb=absorb) for e in np.eye(len(x))]
        assert sum(f.cr2[0] ** 2 for f in fits) == pytest.approx(true, rel=1e-9)
    assert sum(f.cr1_se**2 for f in fits) < 0.95 * true


def wild_by_refits(y, x, others, cluster, weights, null=0.0):
    """Share of |t*| that reach |t|, every draw a regression with all dummies."""
    whole = np.column_stack([x, others])
    groups = dummies(cluster)
    sums = np.column_stack([1 - groups.sum(axis=1), groups])
    inverse = np.linalg.pinv(whole.T @ whole)

    def statistic(outcome):
        b = inverse @ whole.T @ outcome
        e = outcome - whole @ b
        scores = sums.T @ (whole * e[:, None]) @ inverse[0]
        return abs(b[0] - null) / np.sqrt(np.sum(scores**2))

    restricted = y - null * x
    fitted = null * x + others @ np.linalg.lstsq(others, restricted, rcond=None)[0]
    residual = y - fitted
    codes = np.unique(cluster, return_inverse=True)[1]
    drawn = np.array([statistic(fitted + residual * v[codes]) for v in weights])
    return np.mean(drawn >= statistic(y) * (1 - 1e-9))


@pytest.mark.parametrize("null", [0.0, 0.15])
@pytest.mark.parametrize("clusters", [5, 8])
def test_the_wild_bootstrap_is_that_of_refits(clusters, null):
    df = panel()[lambda d: d["unit"] <= clusters]
    y, x, unit = (df[c].to_numpy(dtype=float) for c in ("y", "x", "unit"))
    waves = dummies(df["wave"])
    fit = few_clusters(y, x, waves, unit, absorb=True)
    wild = fit.wild(weights="rademacher")
    assert (wild.draws, wild.complete) == (2 ** (clusters - 1), True)
    others = np.column_stack([np.ones(len(y)), waves, dummies(unit)])
    every = np.array(list(product([-1.0, 1.0], repeat=clusters)))  # both signs: the halves are equal
    assert wild.p_value(null) == pytest.approx(wild_by_refits(y, x, others, unit, every, null), abs=1e-12)


def test_webb_weights_are_those_of_refits():
    df = panel()[lambda d: d["unit"] <= 4]
    y, x, unit = (df[c].to_numpy(dtype=float) for c in ("y", "x", "unit"))
    wild = few_clusters(y, x, np.ones((len(y), 1)), unit).wild()
    assert (wild.weights, wild.complete, wild.draws) == ("webb", True, 6**4 // 2)
    v = cluster_weights(4)[0]
    assert wild.p_value(0.1) == pytest.approx(wild_by_refits(y, x, np.ones((len(y), 1)), unit, v, 0.1), abs=1e-12)


def test_weights_have_mean_zero_and_variance_one():
    assert cluster_weights(12)[0].shape == (2048, 12)
    assert len(np.unique(cluster_weights(12)[0], axis=0)) == 2048
    for clusters, values in ((8, np.sqrt([0.5, 1, 1.5])), (30, [1.0])):
        v, complete = cluster_weights(clusters, 20_000, 3)
        assert not complete
        assert np.unique(np.abs(v)) == pytest.approx(values)
        assert v.mean(axis=0) == pytest.approx(np.zeros(clusters), abs=0.04)
        assert v.var(axis=0) == pytest.approx(np.ones(clusters), abs=0.04)
    assert np.array_equal(cluster_weights(8, 50, 1)[0], cluster_weights(8, 50, 1)[0])


def test_the_wild_interval_ends_where_the_test_begins_to_reject():
    fit = cases()["both_effects"][0]
    wild = fit.wild()
    low, high = wild.interval()
    width = high - low
    assert wild.p_value(low) < 0.05 <= wild.p_value(low + 1e-5 * width)
    assert wild.p_value(high) < 0.05 <= wild.p_value(high - 1e-5 * width)
    assert low < fit.estimate < high
    assert wild.p_value(fit.estimate) == 1.0
    narrow = wild.interval(0.8)
    assert low < narrow[0] < narrow[1] < high


def test_too_few_two_point_weights_bound_nothing():
    df = panel()[lambda d: d["unit"] <= 5]
    y, x, unit = (df[c].to_numpy(dtype=float) for c in ("y", "x", "unit"))
    fit = few_clusters(y, x, np.ones((len(y), 1)), unit)
    assert fit.wild(weights="rademacher").interval() == (-np.inf, np.inf)  # 16 draws: p is at least 1/16
    assert np.isfinite(fit.wild(weights="webb").interval()).all()


def test_a_column_that_the_others_determine_has_no_coefficient():
    df = panel()
    fit = few_clusters(df["y"].to_numpy(), df["unit"].to_numpy(float) * 3, dummies(df["wave"]), df["unit"].to_numpy(), absorb=True)  # fmt: skip
    assert np.isnan([fit.estimate, *fit.cr2]).all()


# ------------------------------------------------------------------------------ size and coverage
def drawn(rng, wildest):
    """Twelve units over 24 waves; persistent focal column and errors, both wilder in some units; effect .5."""
    units, waves = 12, 24
    spread = np.linspace(0.5, wildest, units)[:, None]

    def persistent(scale):
        out = rng.normal(size=(units, waves))
        for t in range(1, waves):
            out[:, t] = 0.8 * out[:, t - 1] + 0.6 * out[:, t]
        return scale * out

    x = persistent(spread) + rng.normal(size=(units, 1))
    y = 0.5 * x + persistent(np.sqrt(spread)) + rng.normal(size=(units, 1)) + rng.normal(size=waves)
    return y.ravel(), x.ravel()


@pytest.mark.slow
@pytest.mark.parametrize("wildest", [0.5, 3.0])
def test_size_and_coverage_with_twelve_clusters(wildest):
    """Of the true effect; with CR1 and the normal distribution the same test rejects far too often."""
    rng = np.random.default_rng(20261122)
    unit, wave = np.repeat(np.arange(12), 24), np.tile(np.arange(24), 12)
    waves = dummies(wave)
    rejected, covered = np.zeros(3), np.zeros(2)
    for _ in range(500):
        fit = few_clusters(*drawn(rng, wildest), waves, unit, absorb=True)
        wild = fit.wild()
        se, df = fit.cr2
        gap = abs(fit.estimate - 0.5)
        half = stats.t.ppf(0.975, df) * se
        ends = wild.interval()
        rejected += [gap > half, wild.p_value(0.5) < 0.05, gap > 1.96 * fit.cr1_se]
        covered += [gap <= half, ends[0] <= 0.5 <= ends[1]]
    assert rejected[0] <= 41
    assert rejected[1] <= 41
    assert rejected[2] > 41
    assert ((covered / 500 > 0.92) & (covered / 500 < 0.98)).all()
