"""Bends: arithmetic against plain least squares, the test under no bend, the knot's interval on clustered samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlab.design import Design
from cxlab.errors import SurveyError
from cxlab.loyalty._between import threshold_differences
from cxlab.loyalty._spline import monotone
from cxlab.loyalty._threshold import Pairs, bend, bent, best_knots, default_knots, regress
from cxlab.regression import linear, logit
from cxlab.survey import Survey


def sample(rng, *, slope=0.4, turn=0.0, knot=7.0, binary=False, per=8):
    """60 clusters in two strata, informative spread of weights, integer satisfaction, cluster effects on both sides."""
    units = 60
    psu, count = np.repeat(np.arange(units), per), 60 * per
    u, v = rng.normal(size=(2, units))[:, psu]
    x = np.clip(np.round(6.8 + 1.8 * (np.sqrt(0.1) * v + np.sqrt(0.9) * rng.normal(size=count))), 0, 10)
    w = np.exp(rng.normal(0, 0.5, count))
    mean = slope * x + turn * np.maximum(x - knot, 0)
    if binary:
        y = (rng.random(count) < 1 / (1 + np.exp(2.2 - mean - 0.5 * u))).astype(float)
    else:
        y = 1 + mean + 1.2 * (np.sqrt(0.1) * u + np.sqrt(0.9) * rng.normal(size=count))
    design = Design(w, psu, np.repeat([0, 1], units // 2), np.zeros(2), ("a", "b"))
    return Pairs(x, y, np.zeros((count, 0)), np.arange(count), design, binary)


def found(pairs, *, knots=21, seed=0):
    return bend(pairs, default_knots(pairs.x, pairs.w, knots), seed)


@pytest.mark.parametrize("binary", [False, True])
def test_bends_and_their_errors_are_those_of_a_regression_on_the_bent_column(binary):
    pairs = sample(np.random.default_rng(1), turn=0.5, binary=binary)
    here = bend(pairs, np.array([6.0, 7.5]), 0)
    frame = pd.DataFrame({"y": pairs.y, "x": pairs.x, "w": pairs.w, "psu": pairs.design.psu, "h": 0.0})
    frame["stratum"] = pairs.design.stratum[pairs.design.psu]
    for k, knot in enumerate((6.0, 7.5)):
        survey = Survey.from_frame(frame.assign(h=bent(pairs.x, knot)), weight="w", stratum="stratum", psu="psu")
        model = (logit if binary else linear)(survey, "y", ["x", "h"])
        row = model.table.set_index("coefficient").loc["h"]
        assert here.bends[k] == pytest.approx(row["estimate"], rel=1e-9)
        assert np.sqrt(here.covariance[k, k]) == pytest.approx(row["se"], rel=1e-9)
        assert here.df == model.df


def test_one_knot_is_an_f_test():
    from scipy import stats

    here = bend(sample(np.random.default_rng(2), turn=0.15), np.array([7.0]), 3)
    assert here.p_value == pytest.approx(stats.f.sf(here.statistic, 1, here.df), abs=0.01)
    assert here.null[int(0.95 * len(here.null))] == pytest.approx(stats.f.isf(0.05, 1, here.df), rel=0.06)


def test_an_exact_bend_is_found_exactly():
    pairs = sample(np.random.default_rng(3))
    exact = Pairs(pairs.x, 2 + 0.5 * pairs.x + 1.5 * bent(pairs.x, 7.4), pairs.others, pairs.rows, pairs.design, False)
    here = found(exact, knots=41)
    assert here.threshold == pytest.approx(7.4)
    assert here.slopes(0.95)[:, 0] == pytest.approx([0.5, 2.0, 1.5])


def test_weights_on_another_scale_and_other_row_order_change_nothing():
    pairs = sample(np.random.default_rng(4), turn=0.6)
    d = pairs.design
    order = np.random.default_rng(0).permutation(len(pairs.x))
    moved = Pairs(
        pairs.x[order], pairs.y[order], pairs.others, pairs.rows,
        Design(d.weights[order] * 1000, d.psu[order], d.stratum, d.fraction, d.names), False,
    )  # fmt: skip
    one, two = found(pairs), found(moved)
    assert two.statistic == pytest.approx(one.statistic)
    assert two.p_value == pytest.approx(one.p_value, abs=1e-3)
    assert two.slopes(0.9) == pytest.approx(one.slopes(0.9))
    assert two.knots[two.accepted(0.9)].tolist() == one.knots[one.accepted(0.9)].tolist()


def test_copies_of_a_respondent_are_no_news():
    pairs = sample(np.random.default_rng(12), turn=0.6)
    count = len(pairs.x)
    twice = np.repeat(np.arange(count), 2)

    def of(unit, w):
        design = Design(w, unit, np.zeros(unit.max() + 1, int), np.zeros(1), ("all",))
        return found(
            Pairs(pairs.x[twice], pairs.y[twice], np.zeros((2 * count, 0)), np.arange(2 * count), design, False)
        )

    once = Design(pairs.w, np.arange(count), np.zeros(count, int), np.zeros(1), ("all",))
    single = found(Pairs(pairs.x, pairs.y, pairs.others, pairs.rows, once, False))
    known, naive = of(twice, pairs.w[twice]), of(np.arange(2 * count), pairs.w[twice])
    assert known.statistic == pytest.approx(single.statistic)
    assert known.accepted(0.95).tolist() == single.accepted(0.95).tolist()
    assert naive.statistic == pytest.approx(2 * single.statistic, rel=0.01)
    assert naive.accepted(0.95).sum() < single.accepted(0.95).sum()


def test_the_grid_leaves_answers_on_both_sides():
    x = np.repeat(np.arange(11.0), [1, 1, 2, 4, 6, 10, 20, 25, 20, 8, 3])
    assert default_knots(x, np.ones(100)).tolist() == pytest.approx((4 + 0.1 * np.arange(41)).round(10).tolist())
    assert default_knots(x, np.ones(100))[-1] == 8.0
    assert default_knots(np.repeat([1.0, 2.0, 3.0], [50, 48, 2]), np.ones(100)).tolist() == []


def test_a_knot_whose_far_side_is_all_ones_is_left_out():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 11, 400).astype(float)
    y = np.where(x >= 9, 1.0, (rng.random(400) < 0.5).astype(float))
    design = Design(np.ones(400), np.arange(400), np.zeros(400, int), np.zeros(1), ("all",))
    here = bend(Pairs(x, y, np.zeros((400, 0)), np.arange(400), design, True), np.array([5.0, 8.0, 8.5]), 0)
    assert (here.knots.tolist(), here.left_out) == ([5.0], 2)


def test_columns_that_repeat_one_another_are_no_regression():
    pairs = sample(np.random.default_rng(6))
    assert regress(pairs, np.column_stack([pairs.line(), pairs.x - 3])) is None
    with pytest.raises(SurveyError) as caught:
        bend(pairs, np.array([-5.0, 10.0]), 0)
    assert str(caught.value) == (
        "knots: on none of 2 knots could a bent line be fitted; the outcome is the same for everybody above or below, or too "
        "few answers lie there: widen the filter, or name knots nearer the middle."
    )


@pytest.mark.slow
@pytest.mark.parametrize("binary", [False, True])
def test_straight_lines_get_a_bend_rarely(binary):
    rng = np.random.default_rng(2017)
    false = sum(found(sample(rng, binary=binary), knots=9, seed=k).p_value < 0.05 for k in range(500))
    print(f"size {false} of 500")
    assert 10 <= false <= 41


@pytest.mark.slow
@pytest.mark.parametrize(
    ("binary", "turn", "per", "at"),
    [(False, 0.5, 8, 7.0), (True, 0.8, 16, 7.0), (False, 0.5, 8, 5.4), (True, 1.2, 24, 8.4)],
)
def test_the_knot_and_the_slopes_lie_in_their_intervals(binary, turn, per, at):
    rng = np.random.default_rng(1999)
    surveys, power, knot, width, slopes = 200, 0, 0, [], np.zeros(3)
    for k in range(surveys):
        here = found(sample(rng, turn=turn, knot=at, binary=binary, per=per), seed=k)
        low, high = here.interval(0.95)
        power += here.p_value < 0.05
        knot += low - 1e-9 <= at <= high + 1e-9
        width.append(high - low)
        table = here.slopes(0.95)
        slopes += (table[:, 2] <= (0.4, 0.4 + turn, turn)) & ((0.4, 0.4 + turn, turn) <= table[:, 3])
    print(
        f"power {power / surveys:.3f}, knot {knot / surveys:.3f}, width {np.mean(width):.2f}, slopes {slopes / surveys}"
    )
    assert power >= 0.8 * surveys
    assert knot >= 0.92 * surveys
    assert np.mean(width) < 3.4
    assert (slopes >= 0.92 * surveys).all()


def halves(rng, knots, *, within, per=16, turn=0.8):
    """Two groups with knots of their own, in the same clusters or in different ones."""
    whole = sample(rng, per=per)
    psu = whole.design.psu
    first = rng.random(len(whole.x)) < 0.5 if within else psu % 2 == 0
    out = {}
    for name, inside, at in (("a", first, knots[0]), ("b", ~first, knots[1])):
        x = whole.x[inside]
        y = whole.y[inside] + turn * np.maximum(x - at, 0)
        out[name] = Pairs(x, y, np.zeros((len(x), 0)), np.flatnonzero(inside), whole.design, False)
    return out


def apart(parts, seed=0):
    bends = {name: found(pairs, seed=seed) for name, pairs in parts.items()}
    return threshold_differences(bends, "segment", 0.95)


def test_thresholds_against_each_other_turn_with_the_order_of_the_groups():
    parts = halves(np.random.default_rng(7), (6, 7.4), within=True)
    table, p = apart(parts)
    (one,), (other,) = table.to_dict("records"), apart(dict(reversed(parts.items())))[0].to_dict("records")
    assert [other["low"], other["high"]] == pytest.approx([-one["high"], -one["low"]], abs=0.25)  # of other draws
    assert other["estimate"] == -one["estimate"]
    assert other["p_value"] == pytest.approx(one["p_value"], abs=0.01)
    assert one["p_value"] == p  # of two groups the joint test is the same
    assert (one["p_value"] < 0.05) == (not one["low"] <= 0 <= one["high"])


def test_draws_of_the_best_knot_spread_as_it_does_over_surveys():
    rng = np.random.default_rng(14)
    here = [found(sample(rng, turn=1.5, per=20), knots=41, seed=k) for k in range(150)]
    over = np.std([b.threshold for b in here])
    drawn = np.mean([np.std(best_knots([b], 1)[0]) for b in here[:30]])
    assert drawn == pytest.approx(over, rel=0.2)


def test_a_knot_that_everybody_agrees_on_has_no_interval():
    pairs = sample(np.random.default_rng(3))
    exact = Pairs(pairs.x, 2 + 0.5 * pairs.x + 1.5 * bent(pairs.x, 7.4), pairs.others, pairs.rows, pairs.design, False)
    assert found(exact, knots=41).interval(0.95) == pytest.approx((7.4, 7.4))


@pytest.mark.slow
@pytest.mark.parametrize(("knots", "within"), [((7, 7), True), ((7, 7), False), ((6, 8), True)])
def test_differences_of_thresholds_lie_in_their_intervals(knots, within):
    rng = np.random.default_rng(2003)
    surveys, rejected, covered = 150, 0, 0
    for k in range(surveys):
        table, p = apart(halves(rng, knots, within=within), seed=k)
        row = table.iloc[0]
        rejected += p < 0.05
        covered += row["low"] - 1e-9 <= knots[0] - knots[1] <= row["high"] + 1e-9
    print(f"{knots} within {within}: rejected {rejected / surveys:.3f}, covered {covered / surveys:.3f}")
    assert covered >= 0.92 * surveys
    assert rejected >= 0.6 * surveys if knots[0] != knots[1] else rejected <= 14


# ---------------------------------------------------------------------- the monotone spline
def test_the_spline_is_the_least_squares_curve_among_monotone_ones():
    """Against a general solver on the same columns; and it is never better than free least squares."""
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(1)
    points, w = np.arange(11.0), rng.uniform(20, 900, 11)
    y = 3 + np.cumsum(rng.normal(0.2, 0.5, 11))
    spline = monotone(points, w, (0.0, 10.0), True)
    columns = spline.columns(points)
    solved = spline.fit(columns, y, w)
    root = np.sqrt(w / w.sum())
    expected = lsq_linear(columns * root[:, None], y / 10 * root, (0, np.inf), tol=1e-14)
    assert expected.x.sum() < 1
    assert columns @ solved == pytest.approx(columns @ expected.x, abs=1e-5)
    assert np.diff(spline.values(spline.columns(np.linspace(0, 10, 300)), solved)).min() >= -1e-12


def test_the_spline_recovers_curves_it_can_make_and_keeps_to_the_scale():
    points, w = np.arange(11.0), np.full(11, 50.0)
    spline = monotone(points, w, (0.0, 10.0), True)
    columns, made = spline.columns(points), np.array([0.1, 0.0, 0.2, 0.0, 0.3, 0.1, 0.05])
    assert spline.fit(columns, 10 * columns @ made, w) == pytest.approx(made, abs=1e-6)
    assert columns[0].tolist() == [1, *[0] * (columns.shape[1] - 1)]
    assert columns[-1] == pytest.approx(np.ones(columns.shape[1]))
    steep = spline.values(columns, spline.fit(columns, np.clip(4 * points - 20, -20, 30), w))
    assert steep.min() >= 0
    assert steep.max() <= 10
    falling = monotone(points, w, (0.0, 10.0), False)
    y = 10 - 10 * columns @ made
    assert falling.values(columns, falling.fit(columns, y, w)) == pytest.approx(y, abs=1e-5)
    wavy = spline.values(columns, spline.fit(columns, 5 + np.sin(points), w))
    assert (np.diff(wavy) >= -1e-12).all()


def test_points_without_weight_do_not_count():
    points, w = np.arange(11.0), np.r_[0.0, np.full(9, 40.0), 0.0]
    spline = monotone(points, np.maximum(w, 1), (0.0, 10.0), True)
    columns, y = spline.columns(points), np.r_[9.0, np.linspace(2, 8, 9), 1.0]
    other = np.r_[np.nan_to_num(0.0), y[1:-1], 5.0]
    assert spline.fit(columns, y, w) == pytest.approx(spline.fit(columns, other, w))
    few = monotone(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.full(5, 9.0), (0.0, 10.0), True)
    assert len(few.knots) == 7  # five answers carry one inner knot
