"""Coverage of intervals: 1,000 simulated surveys per design, seeds stored, truth known exactly.

``pytest -m slow -s tests/test_coverage.py`` prints the table that benchmarks/coverage.md keeps.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import Design, weighted_means
from cxlab.errors import SurveyWarning
from cxlab.metrics import intervals as bounds
from cxlab.moments import weighted_moments
from cxlab.subsets import shapley
from cxlab.survey import Survey

SEED, SURVEYS, MUTANTS, REPLICATES = 2026, 1000, 400, 400
NAMES = list("abcde")
LIKENESS = np.array([
    [1, 0.5, 0.3, 0.4, 0], [0.5, 1, 0.4, 0.3, 0], [0.3, 0.4, 1, 0.2, 0], [0.4, 0.3, 0.2, 1, 0], [0, 0, 0, 0, 1],
])  # fmt: skip
EFFECTS, NOISE = np.array([0.5, 0.3, 0.2, 0.1, 0.15]), 1.2
ICC, SLOPES = 0.1, 0.2  # of every column between clusters; standard deviation of the effects between them
ROOT = np.linalg.cholesky(LIKENESS)
PARTS = ("importance", "share", "effect")


# ---------------------------------------------------------------------- three designs with one population each
def simple(rng: np.random.Generator, count: int = 600) -> Survey:
    """A simple random sample."""
    x = rng.normal(size=(count, 5)) @ ROOT.T
    return Survey.from_frame(frame(x, x @ EFFECTS + np.sqrt(NOISE) * rng.normal(size=count)))


def weighted(rng: np.random.Generator, count: int = 1200) -> Survey:
    """Respondents come with a probability that rises with the outcome and depends on drivers; weights are its inverse."""
    x = rng.normal(size=(40 * count, 5)) @ ROOT.T
    y = x @ EFFECTS + np.sqrt(NOISE) * rng.normal(size=len(x))
    chance = 0.02 + 0.10 / (1 + np.exp(-1.5 * (y - 0.6 * x[:, 0] + 0.8 * x[:, 1])))
    came = np.flatnonzero(rng.random(len(x)) < chance)[:count]
    return Survey.from_frame(frame(x[came], y[came]).assign(w=1 / chance[came]), weight="w")


def clustered(rng: np.random.Generator, clusters: int = 100, size: int = 33) -> Survey:
    """Clusters that differ in levels (ICC .1 of drivers and noise) and in what drives the outcome."""
    unit = np.repeat(np.arange(clusters), size)
    x = np.sqrt(ICC) * (rng.normal(size=(clusters, 5)) @ ROOT.T)[unit]
    x += np.sqrt(1 - ICC) * rng.normal(size=(len(unit), 5)) @ ROOT.T
    effects = EFFECTS + SLOPES * rng.normal(size=(clusters, 5))
    noise = np.sqrt(ICC) * rng.normal(size=clusters)[unit] + np.sqrt(1 - ICC) * rng.normal(size=len(unit))
    y = (x * effects[unit]).sum(axis=1) + np.sqrt(NOISE) * noise
    return Survey.from_frame(frame(x, y).assign(unit=unit), psu="unit")


def frame(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=NAMES).assign(y=y)


DESIGNS: dict[str, tuple[Callable[..., Survey], float]] = {
    "simple": (simple, 0.0), "weighted": (weighted, 0.0), "clustered": (clustered, SLOPES),
}  # fmt: skip


def truth(slopes: float) -> dict[str, np.ndarray]:
    """What the estimators converge to: functions of the population's covariances."""
    whole = np.empty((6, 6))
    whole[:5, :5], whole[5, :5] = LIKENESS, LIKENESS @ EFFECTS
    whole[:5, 5] = whole[5, :5]
    whole[5, 5] = EFFECTS @ LIKENESS @ EFFECTS + 5 * slopes**2 + NOISE
    importance = shapley(whole)
    return {"importance": importance, "share": importance / importance.sum(), "effect": EFFECTS}


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_the_truth_is_what_a_million_respondents_give(design):
    make, slopes = DESIGNS[design]
    sizes = {"simple": {"count": 1_000_000}, "weighted": {"count": 100_000}, "clustered": {"clusters": 30_000}}[design]
    survey = make(np.random.default_rng([SEED, 9]), **sizes)
    moments = weighted_moments(survey.data[[*NAMES, "y"]].to_numpy(), survey.weights)
    np.testing.assert_allclose(shapley(moments.correlation()), truth(slopes)["importance"], atol=0.004)


# ---------------------------------------------------------------------- the study
@dataclass(frozen=True)
class Coverage:
    """Shares of surveys whose interval holds the truth, per driver, and how wide the intervals are.

    ``width`` is the mean width over that of a normal interval with the true standard error.
    """

    cover: dict[str, np.ndarray]
    width: dict[str, np.ndarray]
    ranks: float


def intervals(design: str, naive: bool, survey_number: int) -> np.ndarray:
    """Low, high and estimate of all parts, then rank sets: shape (4, 3, 5)."""
    make, _ = DESIGNS[design]
    survey = make(np.random.default_rng([SEED, list(DESIGNS).index(design), survey_number]))
    if naive:
        survey = Survey.from_frame(survey.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyWarning)
        table = cx.key_drivers(survey, "y", NAMES, replicates=REPLICATES, seed=survey_number).table
    table = table.set_index("driver").loc[NAMES]
    columns = [("importance_low", "importance_high", "importance"), ("share_low", "share_high", "share"),
               ("low", "high", "estimate"), ("rank_low", "rank_high", "rank")]  # fmt: skip
    return np.array([table[list(c)].to_numpy(dtype=float).T for c in columns])


@cache
def study(design: str, surveys: int, *, naive: bool = False) -> Coverage:
    """Simulate, analyse and count, on all processors."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the processes that are started here
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=context) as pool:
        found = np.array(list(pool.map(partial(intervals, design, naive), range(surveys), chunksize=20)))
    true = truth(DESIGNS[design][1])
    cover, width = {}, {}
    for k, part in enumerate(PARTS):
        low, high, estimate = found[:, k, 0], found[:, k, 1], found[:, k, 2]
        cover[part] = ((low <= true[part]) & (true[part] <= high)).mean(axis=0)
        width[part] = (high - low).mean(axis=0) / (2 * 1.96 * estimate.std(axis=0))
    order = np.argsort(np.argsort(-true["importance"])) + 1
    ranks = ((found[:, 3, 0] <= order) & (order <= found[:, 3, 1])).all(axis=1).mean()
    result = Coverage(cover, width, float(ranks))
    report(design, surveys, naive, result)
    return result


def report(design: str, surveys: int, naive: bool, result: Coverage) -> None:
    """Print rows of the table in benchmarks/coverage.md."""
    for part in PARTS:
        cells = " | ".join(f"{c:.3f} ({w:.2f})" for c, w in zip(result.cover[part], result.width[part], strict=True))
        print(f"| {design}{', naive' if naive else ''} | {surveys:,} | {part} | {cells} |")
    print(
        f"| {design}{', naive' if naive else ''} | {surveys:,} | all ranks | {result.ranks:.3f} | | | | |", flush=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_cover_the_truth_in_92_to_98_of_100_surveys(design, part):
    """1,000 surveys: Monte Carlo error .007. An interval that is always wide is no success: 1.15 times the normal one."""
    found = study(design, SURVEYS)
    assert ((found.cover[part] >= 0.92) & (found.cover[part] <= 0.98)).all(), found.cover[part]
    assert (found.width[part] <= 1.15).all(), found.width[part]


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_rank_sets_hold_all_true_ranks_at_once(design):
    assert study(design, SURVEYS).ranks >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("design", ["weighted", "clustered"])
def test_the_study_sees_an_interval_that_ignores_the_design(design):
    """The same analysis without weights or clusters: what these tests are there to catch."""
    naive = study(design, MUTANTS, naive=True).cover["importance"]
    assert naive.min() < 0.85
    assert naive.mean() < 0.85


# ---------------------------------------------------------------------- means, shares and NPS
def plan(weights: np.ndarray, unit: np.ndarray | None = None) -> Design:
    unit = np.arange(len(weights)) if unit is None else unit
    return Design(weights, unit, np.zeros(unit.max() + 1, dtype=np.intp), np.zeros(1), ("all",))


def covers(design: Design, values: np.ndarray, kind: str, true: float) -> bool:
    low, high = bounds(weighted_means(design, values[:, None]), [kind], level=0.95)
    return bool(low[0] <= true <= high[0])


@pytest.mark.slow
def test_means_with_six_clusters_are_covered_by_t_on_psus_minus_strata():
    rng, unit, hits = np.random.default_rng([SEED, 3]), np.repeat(np.arange(6), 33), np.zeros(2)
    for _ in range(SURVEYS):
        values = np.sqrt(ICC) * rng.normal(size=6)[unit] + np.sqrt(1 - ICC) * rng.normal(size=198)
        hits += [covers(plan(np.ones(198), unit), values, "mean", 0), covers(plan(np.ones(198)), values, "mean", 0)]
    assert 0.92 <= hits[0] / SURVEYS <= 0.98
    assert hits[1] / SURVEYS < 0.75  # without the clusters


@pytest.mark.slow
def test_small_nps_is_covered_on_the_effective_base_and_not_on_the_actual_one():
    """60 respondents with a design effect of 1.8 from weights."""
    rng, hits, true = np.random.default_rng([SEED, 4]), np.zeros(2), 25.0
    for _ in range(SURVEYS):
        answers, weights = (
            rng.choice([-100.0, 0, 100], 60, p=[0.2, 0.35, 0.45]),
            rng.lognormal(0, np.sqrt(np.log(1.8)), 60),
        )
        share, square = np.average([answers / 100, (answers / 100) ** 2], axis=1, weights=weights)
        centre, square = share * 60 / 63, (square * 60 + 1.5) / 63
        half = 1.96 * np.sqrt((square - centre**2) / 63)
        hits += [covers(plan(weights), answers, "nps", true), abs(centre - true / 100) <= half]
    assert 0.92 <= hits[0] / SURVEYS <= 0.98
    assert hits[1] / SURVEYS < 0.90


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.97])
def test_shares_near_the_end_are_covered_by_korn_graubard(share):
    """40 clusters of 10, ICC .1."""
    rng, unit, hits = np.random.default_rng([SEED, 5]), np.repeat(np.arange(40), 10), np.zeros(3)
    for _ in range(SURVEYS):
        values = (rng.random(400) < rng.beta(9 * share, 9 * (1 - share), 40)[unit]).astype(float)
        design, naive = plan(np.ones(400), unit), plan(np.ones(400))
        hits += [covers(design, values, kind, share) for kind in ("share", "mean")] + [
            covers(naive, values, "share", share)
        ]
    assert 0.92 <= hits[0] / SURVEYS <= 0.98
    assert hits[2] / SURVEYS < 0.90  # without the clusters
    if share == 0.97:
        assert hits[1] / SURVEYS < 0.92  # estimate ± t · se
