"""The what-if kernel: against sums over respondents, against all sets, and fast enough for a slider."""

import itertools
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import SurveyError
from cxlab.scenarios import Answers, Scenario, best_sets, tabulate


def answers_of(x, w, low=0.0, high=10.0) -> Answers:
    values, code = np.unique(x, return_inverse=True)
    return Answers.of(values, np.bincount(code, w), low, high)


# ---------------------------------------------------------------------- effective shifts
@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (1, [1, 1, 0.5, 0]),  # somebody at 9.5 moves by half a point, somebody at 10 not at all
        (3, [3, 2, 0.5, 0]),
        (10, [10, 2, 0.5, 0]),
        (-1, [0, -1, -1, -1]),
        (-9, [0, -8, -9, -9]),
        (0, [0, 0, 0, 0]),
        (0.5, [0.5, 0.5, 0.5, 0]),
    ],
)
def test_nobody_leaves_the_scale(change, moved):
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    answers = answers_of(np.array([0, 8, 9.5, 10]), weights)
    assert float(answers.shift(change)) == pytest.approx(np.average(moved, weights=weights), abs=1e-15)


def test_answers_beyond_the_scale_are_not_pulled_back():
    answers = answers_of(np.array([-2.0, 5.0, 12.0]), np.ones(3))
    assert float(answers.shift(1)) == pytest.approx((1 + 1 + 0) / 3)
    assert float(answers.shift(-1)) == pytest.approx((0 - 1 - 1) / 3)


def test_a_scale_without_ends_binds_nobody():
    answers = Answers.of(np.array([1.0, 50.0]), np.ones(2), -np.inf, np.inf)
    assert float(answers.shift(7)) == 7
    assert float(answers.shift(-7)) == -7


@settings(max_examples=60, deadline=None)
@given(
    x=st.lists(st.integers(0, 40).map(lambda v: v / 4), min_size=1, max_size=30),
    change=st.floats(-12, 12),
    seed=st.integers(0, 99),
)
def test_tables_equal_the_sum_over_respondents(x, change, seed):
    x = np.array(x)
    w = np.random.default_rng(seed).uniform(0.1, 3, len(x))
    moved = np.clip(x + change, 0, 10) - x
    assert float(answers_of(x, w).shift(change)) == pytest.approx(np.average(moved, weights=w), abs=1e-12)


@pytest.fixture
def large():
    rng = np.random.default_rng(1)
    rows, sets, p = 500, 40, 4
    x, w, b = rng.integers(0, 11, (rows, p)).astype(float), rng.uniform(0.5, 2, rows), rng.normal(size=(sets, p))
    multipliers, piece = rng.integers(0, 3, (sets, 50)).astype(np.float32), rng.integers(0, 50, rows)
    tables = [tabulate(w, column.astype(int), 11, multipliers, piece) for column in x.T]
    scenario = Scenario(b, [Answers.of(np.arange(11.0), t, 0, 10) for t in tables])
    return x, w, b, multipliers, piece, scenario


def test_gain_is_that_of_shifted_rows_under_every_set_of_weights(large):
    x, w, b, multipliers, piece, scenario = large
    changes = np.array([1.0, -2.5, 0.0, 4.0])
    moved = np.clip(x + changes, 0, 10) - x
    expected = [b[s] @ np.average(moved, axis=0, weights=w * multipliers[s, piece]) for s in range(len(b))]
    np.testing.assert_allclose(scenario.gain(changes), expected, rtol=0, atol=1e-12)
    effective, gain = scenario.parts(changes)
    assert effective.shape == gain.shape == (4, 40)
    np.testing.assert_allclose(gain.sum(axis=0), expected, rtol=0, atol=1e-12)


def test_tabulate_adds_up_weights_times_multipliers(large):
    x, w, _, multipliers, piece, _ = large
    found = tabulate(w, x[:, 0].astype(int), 11, multipliers, piece)
    expected = [[(w * multipliers[s, piece])[x[:, 0] == v].sum() for v in range(11)] for s in range(len(multipliers))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_slider_answers_within_five_milliseconds():
    rng = np.random.default_rng(2)
    sets, p = 1001, 15
    tables = [Answers.of(np.arange(11.0), rng.uniform(size=(sets, 11)), 0, 10) for _ in range(p)]
    scenario = Scenario(rng.normal(size=(sets, p)), tables)
    times = []
    for change in rng.uniform(-3, 3, (30, p)):
        start = time.perf_counter()
        scenario.gain(change)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


# ---------------------------------------------------------------------- best sets
def brute(gains, costs, budget):
    """Gain of the best affordable combination, and the least that it costs."""
    found = [
        (sum(g[c] for g, c in zip(gains, combo, strict=True)), -sum(k[c] for k, c in zip(costs, combo, strict=True)))
        for combo in itertools.product(*(range(len(g)) for g in gains))
    ]
    return max(f for f in found if -f[1] <= budget + 1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.integers(1, 5), budget=st.sampled_from([0.0, 2.0, 3.5, 7.0, np.inf]))
def test_best_sets_are_those_of_a_search_through_all(seed, p, budget):
    rng = np.random.default_rng(seed)
    levels = rng.integers(2, 4, p)
    gains = [np.column_stack([np.zeros(3), rng.normal(size=(3, k - 1))]) for k in levels]
    costs = [np.append(0, np.sort(rng.integers(0, 9, k - 1)) / 2) for k in levels]
    chosen = best_sets(gains, costs, budget)
    for s in range(3):
        gain = sum(g[s, c] for g, c in zip(gains, chosen[s], strict=True))
        cost = sum(k[c] for k, c in zip(costs, chosen[s], strict=True))
        assert cost <= budget
        assert gain == pytest.approx(brute([g[s] for g in gains], costs, budget)[0], abs=1e-12)


def test_costs_that_do_not_add_up_exactly_still_fit_the_budget():
    gains = [np.array([[0, 1.0]])] * 3
    assert best_sets(gains, [np.array([0, 0.1])] * 3, 0.3).tolist() == [[1, 1, 1]]


def test_of_equal_gains_the_cheapest():
    gains = [np.array([[0, 1.0]]), np.array([[0, 1.0]])]
    assert best_sets(gains, [np.array([0, 3.0]), np.array([0, 2.0])], 4).tolist() == [[0, 1]]
    assert best_sets([np.array([[0, 0.0]])], [np.array([0, 1.0])], np.inf).tolist() == [[0]]


def test_without_a_limit_all_that_helps_is_chosen():
    rng = np.random.default_rng(4)
    gains = [np.column_stack([np.zeros(50), rng.normal(size=50)]) for _ in range(15)]
    chosen = best_sets(gains, [np.array([0, c]) for c in rng.uniform(1, 3, 15).round(1)], np.inf)
    np.testing.assert_array_equal(chosen.astype(bool), np.column_stack([g[:, 1] > 0 for g in gains]))


def test_too_many_sums_of_costs_are_refused():
    rng = np.random.default_rng(5)
    gains = [np.array([[0, 1.0, 2.0, 3.0]])] * 15
    costs = [np.append(0, np.sort(rng.uniform(1, 2, 3))) for _ in range(15)]
    message = (
        "cost: 15 drivers have more than 200,000 different sums of costs; round the costs to multiples of one unit, or "
        "name fewer drivers."
    )
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        best_sets(gains, costs, np.inf)
