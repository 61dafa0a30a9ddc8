"""Estimation on correlations: higher order equals seminr, routes and index scales by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlab.layers import _estimate
from cxlab.layers._model import read_model

ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests/golden/sem/seminr.json").read_text())
DATA = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float)
HIGHER = read_model("""
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Brand =~ Image + Expectation
Satisfaction ~ Brand + Value
""")


def test_two_stages_are_those_of_seminr():
    plan = _estimate.plan(HIGHER)
    found = _estimate.fit(np.corrcoef(DATA[list(HIGHER.items)].to_numpy().T)[None], plan, tolerance=1e-13)
    case = GOLDEN["hoc"]["paths"]
    expected = pd.DataFrame(case["values"], index=case["rows"], columns=case["cols"]).loc[
        list(plan.names), list(plan.names)
    ]
    np.testing.assert_allclose(found.paths[0], expected, atol=1e-12)
    assert found.r_squared[0, plan.names.index("Satisfaction")] == pytest.approx(
        GOLDEN["hoc"]["r_squared"]["values"][0], abs=1e-12
    )


def test_weights_of_items_reach_through_the_parts():
    """The score of the whole, made of items, has variance 1 and correlates as the scores say."""
    plan = _estimate.plan(HIGHER)
    matrix = np.corrcoef(DATA[list(HIGHER.items)].to_numpy().T)
    found = _estimate.fit(matrix[None], plan)
    np.testing.assert_allclose(found.outer[0].T @ matrix @ found.outer[0], found.scores_between[0], atol=1e-12)


def test_a_start_changes_the_passes_and_not_the_result():
    plan = _estimate.plan(HIGHER)
    matrix = np.corrcoef(DATA[list(HIGHER.items)].to_numpy().T)[None]
    found = _estimate.fit(matrix, plan, tolerance=1e-13)
    again = _estimate.fit(matrix, plan, start=_estimate.starts(plan, found, matrix), tolerance=1e-13)
    np.testing.assert_allclose(again.paths, found.paths, atol=1e-12)


def test_routes_and_their_effects():
    paths = np.triu(np.ones((4, 4), dtype=bool), 1)
    found = _estimate.routes(paths, 0, 3)
    assert found == [(0, 1, 3), (0, 2, 3), (0, 1, 2, 3)]
    b = np.triu(np.arange(16.0).reshape(4, 4), 1)[None]
    assert _estimate.route_effects(b, found)[0].tolist() == [1 * 7, 2 * 11, 1 * 6 * 11]
    assert _estimate.routes(paths, 2, 3) == []


def test_an_index_is_a_weighted_mean_of_items():
    """Standardised score × its scale = items weighted so that the weights sum to 1."""
    outer, spread = np.array([[[0.5], [0.6]]]), np.array([[10.0, 20.0]])
    scale = _estimate.index_scales(outer, spread)[0, 0]
    unstandardised = outer[0, :, 0] / spread[0] / scale
    assert scale == pytest.approx(0.05 + 0.03)
    assert unstandardised.sum() == pytest.approx(1)
