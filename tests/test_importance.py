"""Measures in closed form: against R, against regressions, and on bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import SurveyError
from cxlab.importance import betasq, car, coefficients, first, johnson, last, partial_r2, pratt, standardised, vif
from cxlab.moments import to_correlation, weighted_moments

GOLDEN = Path(__file__).parent / "golden" / "drivers"
REFERENCE = json.loads((GOLDEN / "relaimpo.json").read_text())
CASES = {k: v for k, v in REFERENCE.items() if "drivers" in v}
CLOSED_FORM = 1e-12  # R prints 15 digits
MEASURES = {
    "genizi": johnson,
    "johnson_rw": johnson,
    "rwa_pkg_raw_weights": johnson,
    "car": car,
    "pratt": pratt,
    "first": first,
    "last": last,
    "betasq": betasq,
    "partial_r2": partial_r2,
}
ADDITIVE = (johnson, car, pratt)


def covariance_of(name: str) -> tuple[dict, np.ndarray]:
    case, data = CASES[name], pd.read_csv(GOLDEN / f"{name}.csv")
    weights = data["w"].to_numpy() if "w" in data else np.ones(len(data))
    columns = data[[*case["drivers"], case["outcome"]]].to_numpy(dtype=float)
    return case, weighted_moments(columns, weights).covariance()


def random_covariances(p: int, seed: int, batch: tuple[int, ...] = ()) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(size=(*batch, p + 1, p + 5))
    return draws @ np.swapaxes(draws, -1, -2)


def r_squared(matrix: np.ndarray, columns: list[int]) -> float:
    outer = matrix[columns, -1]
    return float(outer @ np.linalg.solve(matrix[np.ix_(columns, columns)], outer) / matrix[-1, -1]) if columns else 0.0


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", CASES)
def test_measures_are_those_of_relaimpo(name, measure):
    case, covariance = covariance_of(name)
    if measure not in case:
        assert (name, measure) == ("apistrat_weighted", "rwa_pkg_raw_weights")  # that package has no weights
        return
    found = MEASURES[measure](covariance)
    np.testing.assert_allclose(found, case[measure], rtol=0, atol=CLOSED_FORM)
    if MEASURES[measure] in ADDITIVE:
        assert found.sum() == pytest.approx(case["R2"], abs=CLOSED_FORM)


@pytest.mark.parametrize("name", CASES)
def test_coefficients_and_inflation_are_those_of_lm(name):
    case, covariance = covariance_of(name)
    # mtcars has a VIF of 22: two digits are lost in solving
    np.testing.assert_allclose(coefficients(covariance), case["coef_with_intercept"][1:], rtol=1e-10)
    np.testing.assert_allclose(vif(covariance), case["vif"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(standardised(covariance) ** 2, case["betasq"], rtol=0, atol=CLOSED_FORM)
    assert np.sign(standardised(covariance)).tolist() == np.sign(case["coef_with_intercept"][1:]).tolist()


def test_a_factor_first_and_last_in_relaimpo():
    data = pd.read_csv(GOLDEN / "mtcars.csv")
    columns = np.column_stack([data["wt"], data["cyl"] == 6, data["hp"], data["cyl"] == 8, data["mpg"]]).astype(float)
    covariance = weighted_moments(columns, np.ones(len(data))).covariance()
    case, players = REFERENCE["mtcars_factor"], ((1, 3), (0,), (2,))
    np.testing.assert_allclose(first(covariance, players), case["first"], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(last(covariance, players), case["last"], rtol=0, atol=CLOSED_FORM)


# ---------------------------------------------------------------------- properties
@settings(max_examples=30, deadline=None)
@given(p=st.integers(1, 7), seed=st.integers(0, 10_000), batch=st.sampled_from([(3,), (2, 2), (0,)]))
def test_a_batch_is_a_loop_and_some_sum_to_r_squared(p, seed, batch):
    matrices = random_covariances(p, seed, batch)
    for measure in {*MEASURES.values(), standardised}:
        found = measure(matrices)
        assert found.shape == (*batch, p)
        for at in np.ndindex(batch):
            np.testing.assert_allclose(found[at], measure(matrices[at]), atol=1e-9)
            if measure in ADDITIVE:
                assert found[at].sum() == pytest.approx(r_squared(matrices[at], list(range(p))), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(2, 7), seed=st.integers(0, 10_000), scale=st.integers(-4, 4), data=st.data())
def test_neither_order_nor_units_matter(p, seed, scale, data):
    matrix = random_covariances(p, seed)
    order = np.array(data.draw(st.permutations(range(p))))
    units = 10.0 ** (scale * np.linspace(-1, 1, p + 1))
    moved = (matrix * np.outer(units, units))[np.ix_([*order, p], [*order, p])]
    for measure in {*MEASURES.values(), standardised}:
        np.testing.assert_allclose(measure(moved), measure(matrix)[order], rtol=1e-6, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_players_of_several_columns_whatever_their_coding(seed):
    matrix, players = random_covariances(5, seed), ((0, 3), (1,), (4, 2))
    turn = np.eye(6)
    turn[np.ix_([0, 3], [0, 3])] = np.random.default_rng(seed).normal(size=(2, 2)) + 3 * np.eye(2)
    coded = turn.T @ matrix @ turn
    whole, everything = r_squared(matrix, [0, 1, 2, 3, 4]), (tuple(range(5)),)
    alone = [r_squared(matrix, list(g)) for g in players]
    without = [r_squared(matrix, [c for c in range(5) if c not in g]) for g in players]
    np.testing.assert_allclose(first(matrix, players), alone, atol=1e-9)
    np.testing.assert_allclose(last(matrix, players), whole - np.array(without), atol=1e-9)
    unique = whole - np.array(without)
    np.testing.assert_allclose(partial_r2(matrix, players), unique / (1 - np.array(without)), atol=1e-9)
    for measure in (first, last, betasq, partial_r2, standardised, pratt):
        np.testing.assert_allclose(measure(coded, players), measure(matrix, players), rtol=1e-6, atol=1e-8)
    for measure in (first, last, betasq, johnson, car, pratt):
        np.testing.assert_allclose(measure(matrix, everything), [whole], atol=1e-9)
    for measure in ADDITIVE:
        by_column = measure(matrix)
        np.testing.assert_allclose(measure(matrix, players), [by_column[list(g)].sum() for g in players])


def test_the_squared_coefficient_of_a_player_is_the_variance_of_its_part_of_the_fit():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 3)) + rng.normal(size=(300, 1))
    y = x @ [1.0, 0.5, -0.3] + rng.normal(size=300)
    matrix = np.cov(np.column_stack([x, y]).T, ddof=0)
    part = x[:, [0, 2]] @ coefficients(matrix)[[0, 2]]
    found = betasq(matrix, ((0, 2), (1,)))
    assert found[0] == pytest.approx(part.var() / y.var(), rel=1e-12)
    assert standardised(matrix, ((0, 2), (1,)))[0] == pytest.approx(part.std() / y.std(), rel=1e-12)


# ---------------------------------------------------------------------- what is refused
def refused(matrix: np.ndarray, measure=johnson) -> str:
    with pytest.raises(SurveyError) as error:
        measure(matrix)
    return str(error.value)


@pytest.mark.parametrize("measure", sorted({*MEASURES.values(), standardised}, key=lambda m: m.__name__))
def test_duplicates_and_constants(measure):
    matrix = to_correlation(random_covariances(3, 8))
    twin = matrix[np.ix_([0, 1, 1, 2, 3], [0, 1, 1, 2, 3])]
    assert refused(twin, measure) == (
        "drivers are exactly collinear: these measures are undefined; leave one of them out, or use method='shapley'."
    )
    matrix[1, :] = matrix[:, 1] = 0
    assert refused(matrix, measure) == "correlations holds 1 matrices with a driver that does not vary; leave it out."
