"""Coverage of path models: 1,000 simulated surveys per design, seeds stored; the truth is the model on the population's covariances.

``pytest -m slow -s tests/test_layers_coverage.py`` prints the table that benchmarks/coverage.md keeps.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab import pls
from cxlab.errors import SurveyWarning
from cxlab.items import Codebook
from cxlab.layers._estimate import fit, index_scales, plan
from cxlab.layers._model import read_model
from cxlab.moments import to_correlation
from cxlab.survey import Survey

SEED, SURVEYS, MUTANTS, REPLICATES = 2027, 1000, 400, 400
MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"
NAMES = ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
AB, AC, BC, NOISE, ITEM = 0.6, 0.25, 0.45, 0.7, 0.7
ICC, SLOPES = 0.1, 0.2
DESIGNS = ("simple", "weighted", "clustered")
PARTS = ("path", "indirect", "impact", "R²", "f²", "loading")


def answers(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """Items of three constructs: score and noise."""
    return scores[:, [0, 0, 0, 1, 1, 2, 2]] + ITEM * rng.normal(size=(len(scores), 7))


def simple(rng: np.random.Generator, count: int = 600) -> Survey:
    a = rng.normal(size=count)
    b = AB * a + NOISE * rng.normal(size=count)
    c = AC * a + BC * b + NOISE * rng.normal(size=count)
    return Survey.from_frame(pd.DataFrame(answers(rng, np.column_stack([a, b, c])), columns=NAMES))


def weighted(rng: np.random.Generator, count: int = 1200) -> Survey:
    """Who is content with the last construct but not the first comes more often; weights are the inverse of the chance."""
    found = simple(rng, 40 * count).data.to_numpy()
    chance = 0.02 + 0.10 / (1 + np.exp(-1.5 * (found[:, 5] - 0.6 * found[:, 0] + 0.5 * found[:, 3])))
    came = np.flatnonzero(rng.random(len(found)) < chance)[:count]
    return Survey.from_frame(pd.DataFrame(found[came], columns=NAMES).assign(w=1 / chance[came]), weight="w")


def clustered(rng: np.random.Generator, clusters: int = 100, size: int = 33) -> Survey:
    """Clusters that differ in levels (ICC .1) and in their paths."""
    unit = np.repeat(np.arange(clusters), size)

    def shared(count: int = len(unit)) -> np.ndarray:
        return np.sqrt(ICC) * rng.normal(size=clusters)[unit] + np.sqrt(1 - ICC) * rng.normal(size=count)

    paths = np.array([AB, AC, BC]) + SLOPES * rng.normal(size=(clusters, 3))
    a = shared()
    b = paths[unit, 0] * a + NOISE * shared()
    c = paths[unit, 1] * a + paths[unit, 2] * b + NOISE * shared()
    rows = pd.DataFrame(answers(rng, np.column_stack([a, b, c])), columns=NAMES).assign(unit=unit)
    return Survey.from_frame(rows, psu="unit")


def population(slopes: float) -> np.ndarray:
    """Covariances of the items in the population, paths varying between clusters with a standard deviation."""
    b = AB**2 + slopes**2 + NOISE**2
    ab, ac, bc = AB, AC + BC * AB, AC * AB + BC * b
    c = AC**2 + slopes**2 + (BC**2 + slopes**2) * b + 2 * AC * BC * AB + NOISE**2
    scores = np.array([[1, ab, ac], [ab, b, bc], [ac, bc, c]])
    at = [0, 0, 0, 1, 1, 2, 2]
    return scores[np.ix_(at, at)] + ITEM**2 * np.eye(7)


def truth(slopes: float) -> dict[str, np.ndarray]:
    """What the estimators converge to."""
    covariance = population(slopes)[None]
    layout = plan(read_model(MODEL))
    found = fit(to_correlation(covariance), layout, tolerance=1e-13)
    at = (np.array([0, 0, 1]), np.array([1, 2, 2]))
    scale = index_scales(found.outer, np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)))[0]
    paths = found.paths[0]
    return {
        "path": paths[at],
        "indirect": paths[[0], [1]] * paths[[1], [2]],
        "impact": paths[at] * scale[at[0]] / scale[at[1]],
        "R²": found.r_squared[0, 1:],
        "f²": pls.f_squared(found.between, layout.structure)[0][at],
        "loading": found.loadings[0][np.arange(7), [0, 0, 0, 1, 1, 2, 2]],
    }


def intervals(design: str, naive: bool, number: int) -> list[np.ndarray]:
    """Low, high and estimate of each part, shape (3, its size)."""
    survey = globals()[design](np.random.default_rng([SEED, DESIGNS.index(design), number]))
    if naive:
        survey = Survey.from_frame(survey.data[NAMES])
    items = {n: replace(i, scale=(-10.0, 10.0)) for n, i in survey.codebook.items.items()}
    survey = replace(survey, codebook=Codebook(items))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyWarning)
        result = cx.path_model(survey, MODEL, replicates=REPLICATES, seed=number)
    table, effects = result.table, result.effects
    constructs = result.constructs.dropna(subset="r_squared")
    frames = [(table, "low", "high", "estimate"), (effects[effects["kind"] == "indirect"], "low", "high", "estimate"),
              (table, "impact_low", "impact_high", "impact"), (constructs, "r_squared_low", "r_squared_high", "r_squared"),
              (table, "f_squared_low", "f_squared_high", "f_squared"), (result.weights, "loading_low", "loading_high", "loading")]  # fmt: skip
    return [f[list(columns)].to_numpy(dtype=float).T for f, *columns in frames]


@cache
def study(design: str, surveys: int, *, naive: bool = False) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Share of surveys whose interval holds the truth, and mean width over that of a normal interval, for each part."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the processes that are started here
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=context) as pool:
        found = list(pool.map(partial(intervals, design, naive), range(surveys), chunksize=20))
    true, out = truth(SLOPES if design == "clustered" else 0.0), {}
    for k, part in enumerate(PARTS):
        low, high, estimate = np.array([f[k] for f in found]).transpose(1, 0, 2)
        cover = ((low <= true[part]) & (true[part] <= high)).mean(axis=0)
        out[part] = (cover, (high - low).mean(axis=0) / (2 * 1.96 * estimate.std(axis=0)))
        cells = " ".join(f"{c:.3f} ({w:.2f})" for c, w in zip(*out[part], strict=True))
        print(f"| {design}{', naive' if naive else ''} | {surveys:,} | {part} | {cells} |", flush=True)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_the_truth_is_what_many_respondents_give(design):
    sizes = {"simple": {"count": 1_000_000}, "weighted": {"count": 100_000}, "clustered": {"clusters": 30_000}}[design]
    survey = globals()[design](np.random.default_rng([SEED, 9]), **sizes)
    result = cx.path_model(survey, MODEL, replicates=0)
    expected = truth(SLOPES if design == "clustered" else 0.0)
    np.testing.assert_allclose(result.table["estimate"], expected["path"], atol=0.008)
    np.testing.assert_allclose(result.constructs["r_squared"].dropna(), expected["R²"], atol=0.008)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_cover_the_truth_in_92_to_98_of_100_surveys(design, part):
    """1,000 surveys: Monte Carlo error .007. An interval that is always wide is no success: 1.15 times the normal one."""
    cover, width = study(design, SURVEYS)[part]
    assert ((cover >= 0.92) & (cover <= 0.98)).all(), cover
    assert (width <= 1.15).all(), width


@pytest.mark.slow
@pytest.mark.parametrize("design", ["weighted", "clustered"])
def test_the_study_sees_an_interval_that_ignores_the_design(design):
    cover = study(design, MUTANTS, naive=True)["path"][0]
    assert cover.min() < 0.85, cover
