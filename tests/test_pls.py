"""PLS path models on correlations: R's seminr to the last digits, batches, signs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlab import pls

ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests/golden/sem/seminr.json").read_text())
DATA = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float)
ECSI = {"Image": "IMAG", "Expectation": "CUEX", "Quality": "PERQ", "Value": "PERV", "Satisfaction": "CUSA",
        "Complaints": "CUSCO", "Loyalty": "CUSL"}  # fmt: skip
PATHS = [
    ("Image", "Expectation"), ("Image", "Satisfaction"), ("Image", "Loyalty"), ("Expectation", "Quality"),
    ("Expectation", "Value"), ("Expectation", "Satisfaction"), ("Quality", "Value"), ("Quality", "Satisfaction"),
    ("Value", "Satisfaction"), ("Satisfaction", "Complaints"), ("Satisfaction", "Loyalty"), ("Complaints", "Loyalty"),
]  # fmt: skip
NAMES = list(ECSI)
MATRIX = np.corrcoef(DATA.to_numpy().T)[None]


def structure(mode: str = "A", scheme: str = "path") -> pls.Structure:
    paths = np.zeros((7, 7), dtype=bool)
    for start, end in PATHS:
        paths[NAMES.index(start), NAMES.index(end)] = True
    blocks = tuple(np.flatnonzero([c.startswith(stem) for c in DATA]) for stem in ECSI.values())
    return pls.Structure(blocks, (mode,) * 7, paths, scheme)


def golden(case: str, part: str, rows: list[str] | None = None) -> np.ndarray:
    found = GOLDEN[case][part]
    table = pd.DataFrame(found["values"], index=found["rows"], columns=found["cols"]).astype(float)
    return table.reindex(index=rows or NAMES, columns=NAMES).fillna(0).to_numpy()


@pytest.mark.parametrize(("case", "mode"), [("modeA", "A"), ("modeB", "B"), ("plsc", "A")])
def test_paths_weights_and_totals_are_those_of_seminr(case, mode):
    model = structure(mode)
    found = pls.outer_weights(MATRIX, model, tolerance=1e-13)
    between = pls.construct_correlations(MATRIX, found.outer)
    loaded = pls.loadings(MATRIX, found.outer)
    reliability = pls.rho_a(MATRIX, found.outer, model)
    if case == "plsc":
        between = pls.disattenuated(between, reliability)
        loaded = pls.consistent_loadings(found.outer, reliability, model)
    paths = pls.path_coefficients(between, model)
    columns = list(DATA)
    near = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(found.outer[0], golden(case, "outer_weights", columns), **near)
    np.testing.assert_allclose(
        np.where(found.outer[0] != 0, loaded[0], 0), golden(case, "outer_loadings", columns), **near
    )
    np.testing.assert_allclose(paths[0], golden(case, "paths"), **near)
    np.testing.assert_allclose(pls.total_effects(paths)[0], golden(case, "total_effects"), **near)
    explained = dict(zip(GOLDEN[case]["r_squared"]["cols"], GOLDEN[case]["r_squared"]["values"][0], strict=True))
    for name, value in zip(NAMES, pls.r_squared(between, paths)[0], strict=True):
        assert value == pytest.approx(explained.get(name, 0), abs=1e-12)
    rho = pd.DataFrame(GOLDEN[case]["reliability"]["values"], index=GOLDEN[case]["reliability"]["rows"])
    np.testing.assert_allclose(reliability[0], rho.loc[NAMES].iloc[:, 3].astype(float), **near)


def test_a_batch_gives_what_each_matrix_gives_alone():
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 250, size=(6, 250))
    batch = np.stack([np.corrcoef(DATA.to_numpy()[r].T) for r in rows])
    together = pls.outer_weights(batch, structure(), tolerance=1e-12)
    assert together.converged.all()
    for k in range(6):
        alone = pls.outer_weights(batch[k][None], structure(), tolerance=1e-12)
        np.testing.assert_allclose(together.outer[k], alone.outer[0], atol=1e-10)


@pytest.mark.parametrize("scheme", pls.SCHEMES)
def test_reversing_an_indicator_turns_only_its_weight(scheme):
    sign = np.ones(24)
    sign[list(DATA).index("IMAG3")] = -1
    found = pls.outer_weights(MATRIX, structure(scheme=scheme), tolerance=1e-12)
    turned = pls.outer_weights(
        MATRIX * sign[:, None] * sign, structure(scheme=scheme), start=found.outer[0] * sign[:, None]
    )
    np.testing.assert_allclose(turned.outer[0], found.outer[0] * sign[:, None], atol=1e-8)


@pytest.mark.parametrize("reversed_", ["PERV1", "PERV2", "CUSA3", "PERQ4"])
def test_the_largest_loading_is_positive(reversed_):
    sign = np.where([c == reversed_ for c in DATA], -1.0, 1.0)
    matrix, model = MATRIX * sign[:, None] * sign, structure()
    own = pls.loadings(matrix, pls.outer_weights(matrix, model).outer)[0]
    assert all(own[b, j].max() == np.abs(own[b, j]).max() for j, b in enumerate(model.blocks))


def test_signs_are_those_of_the_start():
    """A construct of two items that point in opposite directions has no side of its own: replicates take the sample's."""
    sign = np.where(np.arange(24) == list(DATA).index("PERV2"), -1.0, 1.0)
    matrix = MATRIX * sign[:, None] * sign
    sample = pls.outer_weights(matrix, structure()).outer[0]
    for start in (sample, -sample):
        found = pls.outer_weights(matrix, structure(), start=start)
        np.testing.assert_allclose(found.outer[0], start, atol=1e-8)


def test_two_passes_are_not_called_converged():
    assert not pls.outer_weights(MATRIX, structure(), tolerance=1e-12, passes=2).converged.any()


def test_total_effects_are_direct_plus_all_routes():
    direct = np.zeros((1, 3, 3))
    direct[0, 0, 1], direct[0, 1, 2], direct[0, 0, 2] = 0.5, 0.4, 0.1
    assert pls.total_effects(direct)[0, 0, 2] == pytest.approx(0.1 + 0.5 * 0.4)


def test_effect_sizes_by_hand():
    """Two uncorrelated causes: without one R² falls by its square."""
    between = np.array([[[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1.0]]])
    paths = np.zeros((3, 3), dtype=bool)
    paths[:2, 2] = True
    model = pls.Structure((np.array([0]), np.array([1]), np.array([2])), ("A",) * 3, paths)
    assert pls.f_squared(between, model)[0, :, 2].tolist() == pytest.approx([0.36 / 0.55, 0.09 / 0.55, 0])
