"""Shapley and Owen values, dominance, permuted players: against R, against their definitions, and at their limits."""

import json
import math
import os
import re
import subprocess
import sys
import time
import tracemalloc
import warnings
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import SamplingWarning, SurveyError
from cxlab.moments import partial_out, to_correlation, weighted_moments
from cxlab.subsets import dominance, null_importance, owen, sampled_shapley, shapley, shapley_gradient, subset_variances

GOLDEN = Path(__file__).parent / "golden" / "drivers"
REFERENCE = json.loads((GOLDEN / "relaimpo.json").read_text())
CASES = {k: v for k, v in REFERENCE.items() if "drivers" in v}
CLOSED_FORM = 1e-12  # R prints 15 digits; the rest is rounding in 2^p Schur complements
TEAMS = ((0, 3), (1,), (2, 4, 5))


def covariance_of(file: str, names: list[str]) -> np.ndarray:
    """Weighted covariances of the columns of a golden file."""
    data = pd.read_csv(GOLDEN / file)
    weights = data["w"].to_numpy() if "w" in data else np.ones(len(data))
    return weighted_moments(data[names].to_numpy(dtype=float), weights).covariance()


def random_correlations(p: int, seed: int, batch: tuple[int, ...] = ()) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(size=(*batch, p + 1, p + 3))
    return to_correlation(draws @ np.swapaxes(draws, -1, -2))


def r_squared(matrix: np.ndarray, columns: list[int]) -> float:
    if not columns:
        return 0.0
    inner, outer = matrix[np.ix_(columns, columns)], matrix[columns, -1]
    return float(outer @ np.linalg.lstsq(inner, outer, rcond=1e-11)[0] / matrix[-1, -1])


def over_all_orders(matrix: np.ndarray, players=None, blocks=None) -> np.ndarray:
    """Shapley or Owen values straight from their definition."""
    players = players or [(j,) for j in range(len(matrix) - 1)]
    p, known = len(players), {}
    team = {j: b for b, members in enumerate(blocks or [range(p)]) for j in members}
    gains, count = np.zeros(p), 0
    for order in permutations(range(p)):
        if sum(team[a] != team[b] for a, b in pairwise(order)) > len(set(team.values())) - 1:
            continue  # a block is torn apart
        count += 1
        for place, player in enumerate(order):
            sets = [tuple(sorted(order[:k])) for k in (place, place + 1)]
            for s in sets:
                if s not in known:
                    known[s] = r_squared(matrix, [c for j in s for c in players[j]])
            gains[player] += known[sets[1]] - known[sets[0]]
    return gains / count


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("name", CASES)
def test_shapley_is_lmg_of_relaimpo(name):
    case = CASES[name]
    found = shapley(covariance_of(f"{name}.csv", [*case["drivers"], case["outcome"]]))
    np.testing.assert_allclose(found, case["lmg"], rtol=0, atol=CLOSED_FORM)
    assert found.sum() == pytest.approx(case["R2"], abs=CLOSED_FORM)
    if "lmg_design" in case:
        np.testing.assert_allclose(found, case["lmg_design"], rtol=0, atol=CLOSED_FORM)


def test_a_factor_is_a_player_of_its_dummies():
    data = pd.read_csv(GOLDEN / "mtcars.csv")
    columns = np.column_stack([data["wt"], data["cyl"] == 6, data["hp"], data["cyl"] == 8, data["mpg"]]).astype(float)
    found = shapley(weighted_moments(columns, np.ones(len(data))).covariance(), ((1, 3), (0,), (2,)))
    case = REFERENCE["mtcars_factor"]
    np.testing.assert_allclose(found, case["lmg"], rtol=0, atol=CLOSED_FORM)
    assert found.sum() == pytest.approx(case["R2"], abs=CLOSED_FORM)


def test_columns_that_are_always_in_are_partialled_out():
    case = REFERENCE["attitude_always"]
    covariance = covariance_of("attitude.csv", ["complaints", *case["names"], "rating"])
    left = partial_out(covariance, (0,))
    found = shapley(left) * left[-1, -1] / covariance[-1, -1]
    np.testing.assert_allclose(found, case["lmg"], rtol=0, atol=CLOSED_FORM)
    assert found.sum() == pytest.approx(case["R2_decomp"], abs=CLOSED_FORM)


def test_dominance_is_that_of_domir():
    case = REFERENCE["attitude_dominance"]
    conditional, complete = dominance(covariance_of("attitude.csv", [*case["names"], "rating"]))
    expected = np.array(case["conditional_rows_driver_cols_subsetsize"])
    np.testing.assert_allclose(conditional, expected, rtol=0, atol=CLOSED_FORM)
    general = conditional.mean(axis=1)
    np.testing.assert_allclose(general, case["general"], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(general / general.sum(), case["standardized"], rtol=0, atol=CLOSED_FORM)
    fractions = np.array(case["complete_fraction_row_over_col"], dtype=float)  # None on the diagonal becomes NaN
    np.testing.assert_array_equal(complete, fractions)


def test_golden_values_name_their_calls():
    for name, case in CASES.items():
        assert re.match(r"relaimpo::calc\.relimp\(", case["call"]), name
        assert case["provenance"].startswith("R 4.2.2; relaimpo 2.2.7"), name


def test_the_smallest_case_by_hand():
    # two drivers, r = .5: R²(1) = .36, R²(2) = .16, R²(1, 2) = (.36 + .16 − 2·.6·.4·.5) / .75
    whole = (0.36 + 0.16 - 2 * 0.6 * 0.4 * 0.5) / 0.75
    matrix = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    expected = [(0.36 + whole - 0.16) / 2, (0.16 + whole - 0.36) / 2]
    np.testing.assert_allclose(shapley(matrix), expected, atol=1e-15)


# ---------------------------------------------------------------------- against the definition
@settings(max_examples=40, deadline=None)
@given(p=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_shapley_equals_the_mean_over_all_orders(p, seed):
    matrix = random_correlations(p, seed)
    np.testing.assert_allclose(shapley(matrix), over_all_orders(matrix), atol=1e-10)


@st.composite
def teams(draw, most: int):
    """Columns dealt out to players."""
    k = draw(st.integers(1, most))
    of = draw(st.lists(st.integers(0, k - 1), min_size=k, max_size=k))
    return tuple(tuple(c for c in range(k) if of[c] == j) for j in sorted(set(of)))


@settings(max_examples=40, deadline=None)
@given(players=teams(8), seed=st.integers(0, 10_000))
def test_players_of_several_columns(players, seed):
    k = sum(map(len, players))
    matrix = random_correlations(k, seed)
    found = shapley(matrix, players)
    assert found.sum() == pytest.approx(r_squared(matrix, list(range(k))), abs=1e-9)
    if len(players) < 7:
        np.testing.assert_allclose(found, over_all_orders(matrix, players), atol=1e-9)
    np.testing.assert_allclose(shapley(matrix, (tuple(range(k)),)), [found.sum()], atol=1e-9)


def test_players_of_several_columns_among_many():
    """More players than are doubled together: the player of two columns is among the first, or among the last."""
    matrix = random_correlations(13, 9)
    singles = [(j,) for j in range(1, 12)]
    early, late = shapley(matrix, ((0, 12), *singles)), shapley(matrix, (*singles, (12, 0)))
    np.testing.assert_allclose(early[1:], late[:-1], atol=1e-13)
    assert early[0] == pytest.approx(late[-1], abs=1e-13)
    variances = subset_variances(matrix[None], ((0, 12), *singles))[:, 0]
    weights = np.array([1 / (12 * math.comb(11, s)) for s in range(12)])
    sizes = np.array([i.bit_count() for i in range(1 << 11)])
    assert early[0] == pytest.approx(weights[sizes] @ (variances[0::2] - variances[1::2]), abs=1e-13)


@settings(max_examples=25, deadline=None)
@given(p=st.integers(1, 11), seed=st.integers(0, 10_000), batch=st.sampled_from([(3,), (2, 4), (0,), (70,)]))
def test_a_batch_is_a_loop_and_sums_to_r_squared(p, seed, batch):
    matrices = random_correlations(p, seed, batch)
    found = shapley(matrices)
    assert found.shape == (*batch, p)
    for at in np.ndindex(batch):
        np.testing.assert_allclose(found[at], shapley(matrices[at]), atol=1e-13)
        assert found[at].sum() == pytest.approx(r_squared(matrices[at], list(range(p))), abs=1e-9)


def test_a_batch_larger_than_one_block_is_a_loop():
    matrices = random_correlations(14, 5, (70,))
    np.testing.assert_allclose(shapley(matrices), [shapley(m) for m in matrices], atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(2, 11), seed=st.integers(0, 10_000), data=st.data())
def test_the_order_of_the_drivers_does_not_matter(p, seed, data):
    matrix = random_correlations(p, seed)
    order = np.array(data.draw(st.permutations(range(p))))
    moved = matrix[np.ix_([*order, p], [*order, p])]
    np.testing.assert_allclose(shapley(moved), shapley(matrix)[order], atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(1, 6), seed=st.integers(0, 10_000), scale=st.integers(-6, 6))
def test_units_do_not_matter(p, seed, scale):
    matrix = random_correlations(p, seed)
    units = 10.0 ** (scale * np.linspace(-1, 1, p + 1))
    np.testing.assert_allclose(shapley(matrix * np.outer(units, units)), shapley(matrix), atol=1e-11)


def test_a_duplicate_shares_with_its_twin():
    matrix = random_correlations(3, 8)
    at = [0, 1, 2, 1, 3]
    found, without = shapley(matrix[np.ix_(at, at)]), shapley(matrix)
    assert found[1] == pytest.approx(found[3], abs=1e-14)
    assert found.sum() == pytest.approx(without.sum(), abs=1e-12)
    np.testing.assert_allclose(found, over_all_orders(matrix[np.ix_(at, at)]), atol=1e-12)
    together = shapley(matrix[np.ix_(at, at)], ((0,), (1, 3), (2,)))
    np.testing.assert_allclose(together, without, atol=1e-12)  # as one player it is the driver itself


def test_a_constant_driver_adds_nothing():
    matrix = np.diag([1.0, 0.0, 1.0, 1.0])
    matrix[0, 3] = matrix[3, 0] = 0.5
    np.testing.assert_allclose(shapley(matrix), [0.25, 0, 0], atol=1e-15)


def test_a_driver_that_others_determine_is_measured_without_blowing_up():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3))
    columns = np.column_stack([x, x[:, 0] + x[:, 1], x[:, 0] + rng.normal(size=400)])
    matrix = weighted_moments(columns, np.ones(400)).correlation()
    np.testing.assert_allclose(shapley(matrix), over_all_orders(matrix), atol=1e-9)
    alone = shapley(matrix[np.ix_([0, 1, 2, 4], [0, 1, 2, 4])]).sum()
    assert shapley(matrix).sum() == pytest.approx(alone, abs=1e-12)
    # the same but for a millionth of noise, which happens to go with the outcome: it must not count
    columns[:, 3] += 1e-6 * (columns[:, 4] - columns[:, 0])
    near = weighted_moments(columns, np.ones(400)).correlation()
    assert shapley(near).sum() == pytest.approx(alone, abs=1e-5)


# ---------------------------------------------------------------------- what is refused
def message(*arguments: object, call=shapley) -> str:
    with pytest.raises(SurveyError) as error:
        call(*arguments)
    return str(error.value)


def test_a_constant_column_of_correlations():
    columns = np.column_stack([np.ones(9), np.arange(9), np.arange(9) ** 2.0])
    said = "correlations holds 1 matrices with missing values (a constant column?); leave it out."
    assert message(weighted_moments(columns, np.ones(9)).correlation()) == said


def test_an_outcome_without_variance():
    matrix = np.diag([1.0, 1.0, 0.0])
    assert message(matrix) == "correlations holds 1 matrices whose outcome does not vary; R² is undefined there."


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1), ()])
def test_shapes_that_are_no_correlations(shape):
    said = f"correlations has shape {shape}; it needs (..., p + 1, p + 1) with p ≥ 1."
    assert message(np.ones(shape)) == said


@pytest.mark.parametrize("players", [((0,), (1,)), ((0, 1), (1, 2)), ((0, 1, 2), ()), ((0, 1, 2, 3),)])
def test_players_that_do_not_share_out_the_columns(players):
    assert message(np.eye(4), players) == (
        f"players is {players}; together they must name each of the 3 columns before the outcome once, "
        "and none may be empty."
    )


def test_blocks_that_do_not_share_out_the_drivers():
    said = "blocks is ((0, 1), (1,)); together they must name each of the 3 drivers once, and none may be empty."
    assert message(np.eye(4), call=lambda m: owen(m, blocks=((0, 1), (1,)))) == said


def test_all_subsets_of_too_many_players():
    said = "players holds 21; all subsets are kept for at most 20: name fewer drivers."
    assert message(np.eye(22)[None], call=subset_variances) == said


# ---------------------------------------------------------------------- size
def test_memory_of_many_matrices_is_that_of_a_block():
    matrices = random_correlations(12, 3, (1000,))
    tracemalloc.start()
    shapley(matrices)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # all at once would take 4 · 2^12 · 1,000 doubles = 131 MB


def test_22_drivers_fit_into_memory():
    """Peak memory of a process of its own: all 2^22 variances would be 34 MB, the state while doubling 134 MB."""
    code = (
        "import resource, numpy as np; from cxlab.subsets import shapley\n"
        "x = np.random.default_rng(1).normal(size=(60, 23)); x[:, -1] += x[:, :5].sum(axis=1)\n"
        "m = np.corrcoef(x.T); start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = shapley(m); r2 = m[-1, :-1] @ np.linalg.solve(m[:-1, :-1], m[:-1, -1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start, abs(found.sum() - r2))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    kilobytes, error = map(float, done.stdout.split())
    assert kilobytes < 60e3
    assert error < 1e-10


# ---------------------------------------------------------------------- sampled orders
def test_sampled_orders_are_unbiased_and_their_error_is_honest():
    matrix = random_correlations(10, 21)
    exact = shapley(matrix)
    z = []
    for seed in range(40):
        found, error = sampled_shapley(matrix, rounds=8, seed=seed)
        assert found.sum() == pytest.approx(exact.sum(), abs=1e-7)
        z.append((found - exact) / error)
    z = np.array(z)
    assert np.abs(z.mean(axis=0)).max() < 4.1 * np.sqrt(7 / 5 / 40)  # t with 7 degrees of freedom has variance 7/5
    assert 0.75 < np.sqrt((z**2).mean() / (7 / 5)) < 1.25


def test_two_players_are_sampled_exactly():
    matrix = random_correlations(5, 2)
    found, error = sampled_shapley(matrix, ((0, 3), (1, 2, 4)))
    np.testing.assert_allclose(found, shapley(matrix, ((0, 3), (1, 2, 4))), atol=1e-8)
    assert error.max() < 1e-8


def test_forty_drivers_are_sampled_and_say_so():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 41)) + rng.normal(size=(500, 1))
    x[:, -1] += x[:, :3].sum(axis=1)
    matrix = np.corrcoef(x.T)
    with pytest.warns(SamplingWarning) as caught:
        found = shapley(matrix)
    said = re.fullmatch(
        r"40 drivers in 1 matrices are too many for exact Shapley values: 1,280 orders were sampled; the largest "
        r"Monte-Carlo standard error of a share is (0\.\d+)\.",
        str(caught[0].message),
    )
    assert said is not None
    assert float(said[1]) < 0.005
    assert found.sum() == pytest.approx(r_squared(matrix, list(range(40))), abs=1e-7)
    assert set(np.argsort(found)[-3:]) == {0, 1, 2}


def test_too_many_matrices_are_sampled_around_an_exact_one(monkeypatch):
    matrices = np.stack([np.corrcoef(np.random.default_rng([3, b]).normal(size=(11, 300)) + 1) for b in range(30)])
    exact = shapley(matrices)
    monkeypatch.setattr("cxlab.subsets._shapley._WORK", 1 << 10)
    with pytest.warns(
        SamplingWarning, match="^10 drivers in 30 matrices are too many for exact Shapley values: 320 orders"
    ):
        found = shapley(matrices)
    np.testing.assert_allclose(found.sum(axis=1), exact.sum(axis=1), atol=1e-7)
    np.testing.assert_allclose(found, exact, atol=0.002)


def test_exact_values_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shapley(random_correlations(16, 1))


@pytest.mark.slow
def test_25_drivers_finish_within_8_gib():
    code = (
        "import resource, numpy as np; from cxlab.subsets import shapley\n"
        "x = np.random.default_rng(1).normal(size=(90, 26)); m = np.corrcoef(x.T); found = shapley(m)\n"
        "r2 = m[-1, :-1] @ np.linalg.solve(m[:-1, :-1], m[:-1, -1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, abs(found.sum() - r2))"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    kilobytes, error = map(float, done.stdout.split())
    assert kilobytes < 1 << 20
    assert error < 1e-10
    assert time.monotonic() - start < 60


# ---------------------------------------------------------------------- blocks
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(3)))
def test_owen_values_are_means_over_orders_that_keep_blocks_together(seed, order):
    matrix = random_correlations(6, seed)
    found = owen(matrix, blocks=[TEAMS[b] for b in order])
    np.testing.assert_allclose(found, over_all_orders(matrix, blocks=TEAMS), atol=1e-9)
    across = shapley(matrix, TEAMS)
    np.testing.assert_allclose([found[list(t)].sum() for t in TEAMS], across, atol=1e-12)


def test_owen_values_of_players_of_several_columns():
    matrix = random_correlations(8, 3)
    players = ((0, 6), (1,), (2, 7), (3,), (4,), (5,))
    np.testing.assert_allclose(owen(matrix, players, blocks=TEAMS), over_all_orders(matrix, players, TEAMS), atol=1e-11)


@pytest.mark.parametrize("blocks", [None, ((2, 0, 1, 4, 3),), tuple((j,) for j in range(5))])
def test_owen_values_without_a_structure_are_shapley_values(blocks):
    matrices = random_correlations(5, 4, (3,))
    np.testing.assert_allclose(owen(matrices, blocks=blocks), shapley(matrices), atol=1e-12)


def test_owen_values_of_24_drivers_in_four_blocks():
    matrix = random_correlations(24, 6)
    blocks = tuple(tuple(range(b, 24, 4)) for b in range(4))
    found = owen(np.stack([matrix] * 3), blocks=blocks)
    assert found[1].sum() == pytest.approx(r_squared(matrix, list(range(24))), abs=1e-9)
    np.testing.assert_allclose([found[2, list(b)].sum() for b in blocks], shapley(matrix, blocks), atol=1e-12)


# ---------------------------------------------------------------------- dominance
@settings(max_examples=15, deadline=None)
@given(p=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_dominance_from_its_definition(p, seed):
    matrices = random_correlations(p, seed, (2,))
    conditional, complete = dominance(matrices)
    np.testing.assert_allclose(conditional.mean(axis=-1), shapley(matrices), atol=1e-11)
    matrix = matrices[1]
    for i in range(p):
        others = [j for j in range(p) if j != i]
        sets = [[j for j in others if code >> j & 1] for code in range(1 << p) if not code >> i & 1]
        for size in range(p):
            gains = [r_squared(matrix, [*s, i]) - r_squared(matrix, s) for s in sets if len(s) == size]
            assert conditional[1, i, size] == pytest.approx(np.mean(gains), abs=1e-9)
        for j in others:
            wins = [r_squared(matrix, [*s, i]) > r_squared(matrix, [*s, j]) for s in sets if j not in s]
            assert complete[1, i, j] == np.mean(wins)


def test_twins_dominate_neither():
    matrix = random_correlations(3, 8)
    at = [0, 1, 2, 1, 3]
    _, complete = dominance(matrix[np.ix_(at, at)])
    assert (complete[1, 3], complete[3, 1]) == (0, 0)


# ---------------------------------------------------------------------- permuted players
PLAYERS = ((0, 5), (1,), (2, 3, 4), (6,), (7, 8), (9,), (10,))
FORCED = (11, 12, 13)
BLOCKS = ((0, 1), (2, 3), (4, 5, 6))


def replaced(matrix: np.ndarray, own: tuple[int, ...], shuffled: np.ndarray) -> np.ndarray:
    """The matrix with the rows of one player's columns replaced; among themselves they stay as they are."""
    out = np.repeat(matrix[None], shuffled.shape[1], axis=0)
    others = [c for c in range(len(matrix)) if c not in own]
    for c, values in zip(own, shuffled, strict=True):
        out[:, c, others] = out[:, others, c] = values[:, others]
    return out


@settings(max_examples=30, deadline=None)
@given(p=st.integers(1, 12), seed=st.integers(0, 10_000), data=st.data())
def test_null_importance_is_shapley_with_the_row_replaced(p, seed, data):
    matrix = random_correlations(p, seed)
    driver = data.draw(st.integers(0, p - 1))
    shuffled = 0.3 * np.random.default_rng(seed).uniform(-1, 1, size=(5, p + 1)) / p
    matrices = replaced(matrix, (driver,), shuffled[None])
    possible = np.linalg.eigvalsh(matrices)[:, 0] > 1e-6  # not every row completes a correlation matrix
    found = null_importance(matrix, driver, shuffled)
    np.testing.assert_allclose(found[possible], shapley(matrices[possible])[:, driver], atol=1e-9)


@pytest.mark.parametrize("player", [1, 2])
@pytest.mark.parametrize("blocks", [None, BLOCKS])
def test_null_importance_of_players_and_blocks_with_columns_forced_in(player, blocks):
    rng = np.random.default_rng(11)
    matrix = np.corrcoef(rng.normal(size=(15, 60)) + rng.normal(size=60))
    own = PLAYERS[player]
    shuffled = rng.normal(scale=0.03, size=(len(own), 5, 15))
    found = null_importance(matrix, player, shuffled, PLAYERS, blocks=blocks, always=FORCED)
    left = partial_out(replaced(matrix, own, shuffled), FORCED)
    value = owen(left, PLAYERS, blocks=blocks)[:, player] * left[:, -1, -1]
    np.testing.assert_allclose(found, value, atol=1e-14)


def test_null_importance_in_pieces():
    matrix = random_correlations(14, 2)  # more others than are doubled together
    shuffled = np.random.default_rng(3).normal(scale=0.02, size=(300, 15))
    alone = [null_importance(matrix, 4, row[None])[0] for row in shuffled]
    np.testing.assert_allclose(null_importance(matrix, 4, shuffled), alone, atol=1e-15)
    np.testing.assert_allclose(alone[:3], shapley(replaced(matrix, (4,), shuffled[None, :3]))[:, 4], atol=1e-12)


# ---------------------------------------------------------------------- gradient
@pytest.mark.parametrize("players", [None, ((3, 0), (1,), (4, 2)), ((4, 3, 2, 1, 0),), ((0, 1), (2, 3, 4))])
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_finite_differences(players, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(60, 6)) + rng.normal(size=(60, 1))
    covariance = np.cov(rows * [1, 3, 0.2, 1, 5, 2], rowvar=False)
    values, gradient = shapley_gradient(covariance, players)
    np.testing.assert_allclose(values, shapley(covariance, players), atol=1e-14)
    np.testing.assert_array_equal(gradient, np.swapaxes(gradient, 1, 2))
    scale = np.sqrt(np.diag(covariance))
    for _ in range(5):
        step = 1e-5 * scale * scale[:, None] * rng.normal(size=(6, 6))
        step = step + step.T
        moved = (shapley(covariance + step, players) - shapley(covariance - step, players)) / 2
        np.testing.assert_allclose((gradient * step).sum(axis=(1, 2)), moved, atol=1e-11, rtol=1e-6)


def test_the_gradient_of_many_drivers_in_pieces():
    rng = np.random.default_rng(0)
    matrix = np.corrcoef(rng.normal(size=(300, 13)) + rng.normal(size=(300, 1)), rowvar=False)
    values, gradient = shapley_gradient(matrix)
    step = 1e-6 * rng.normal(size=(13, 13))
    step = step + step.T
    np.testing.assert_allclose(values, shapley(matrix), atol=1e-14)
    moved = (shapley(matrix + step) - shapley(matrix - step)) / 2
    np.testing.assert_allclose((gradient * step).sum(axis=(1, 2)), moved, rtol=1e-6)


def test_the_gradient_is_of_one_matrix_and_of_18_players():
    with pytest.raises(SurveyError) as error:
        shapley_gradient(np.eye(3)[None])
    assert str(error.value) == "covariance has shape (1, 3, 3); the gradient is that of one matrix."
    with pytest.raises(SurveyError) as error:
        shapley_gradient(np.eye(20))
    assert str(error.value) == (
        "players holds 19; the gradient goes through all subsets of at most 18: name fewer drivers."
    )
