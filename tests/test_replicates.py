"""Replicate weights: against R's jackknife, Taylor and hand-made matrices; strata with one PSU; large designs."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from r_survey import CASES, CLOSED_FORM, DESIGN, DESIGNS, frame, survey_of

from cxlab.design import resolve, weighted_means
from cxlab.errors import SurveyError
from cxlab.raking import rake
from cxlab.replicates import Replicates, replicate_weights
from cxlab.survey import Survey


def mean_se(survey: Survey, column: str, made: Replicates) -> float:
    values = survey.values(column)
    sums = made.totals(np.column_stack([values, np.ones(len(values))]))
    estimate = np.average(values, weights=survey.weights)
    return made.covariance(sums[:, :1] / sums[:, 1:], np.array([estimate]))[0, 0] ** 0.5


def taylor(survey: Survey, column: str = "q") -> float:
    return weighted_means(resolve(survey), survey.values(column)[:, None]).se[0]


# ---------------------------------------------------------------------- drop one
def test_rs_jackknife():
    survey = survey_of("dstrat")
    made = replicate_weights(survey, "drop-one")
    np.testing.assert_allclose(mean_se(survey, "api00", made), CASES["rstrat_jkn.mean"]["se"], rtol=CLOSED_FORM)
    assert (len(made), made.df) == (200, 197)


@pytest.mark.parametrize("parts", [{"weight": "w"}, {"weight": "w", "psu": "c"}, DESIGN])
def test_totals_without_a_matrix_are_those_of_the_matrix(parts):
    survey = Survey.from_frame(frame(), **parts)
    made = replicate_weights(survey, "drop-one")
    multipliers, piece = made.multipliers()
    values = survey.data[["q", "x"]].to_numpy()
    by_hand = multipliers[:, piece] @ (values * survey.weights[:, None])
    np.testing.assert_allclose(made.totals(values), by_hand, rtol=1e-10)
    np.testing.assert_allclose(np.concatenate(list(made.weights())) @ values, by_hand, rtol=1e-10)
    assert (multipliers == 0).sum(axis=1).tolist() == [1] * len(made)


def test_without_clusters_no_matrix_of_respondents_by_respondents_arises():
    count = 20_000
    survey = Survey.from_frame(pd.DataFrame({"q": np.random.default_rng(0).normal(size=count)}))
    made = replicate_weights(survey, "drop-one")
    tracemalloc.start()
    se = mean_se(survey, "q", made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * count * 8  # the matrix would take 20,000 × that
    assert se == pytest.approx(taylor(survey), rel=1e-9)
    with pytest.raises(SurveyError) as error:
        made.multipliers()
    assert str(error.value) == (
        'method "drop-one" has 20,000 PSUs: a matrix of 20,000 × 20,000 is not laid out; take .totals() of what is needed, '
        'or use method="groups".'
    )


# ---------------------------------------------------------------------- groups
def test_few_units_are_dropped_one_by_one_and_many_in_groups():
    assert replicate_weights(Survey.from_frame(frame(count=56))).method == "drop-one"
    made = replicate_weights(Survey.from_frame(frame(), weight="w"))
    assert (made.method, len(made), made.df) == ("groups", 60, 59)
    clustered = replicate_weights(Survey.from_frame(frame(), **DESIGN))
    assert (clustered.method, len(clustered), clustered.df) == ("drop-one", 24, 20)


def test_groups_are_dealt_in_turn_and_the_rest_of_a_stratum_fills_up():
    df = pd.DataFrame({"q": np.arange(70.0), "s": np.repeat([0, 1], [40, 30])})
    made = replicate_weights(Survey.from_frame(df, stratum="s"), "groups", groups=12)
    (m,) = made.blocks()
    dropped = m == 0
    assert (dropped.sum(axis=0) == 1).all()
    for h, (count, rows) in enumerate(((40, slice(0, 40)), (30, slice(40, 70)))):
        gone = dropped[:, rows].sum(axis=1)
        assert gone.max() - gone.min() == 1, h
        for g in range(12):
            np.testing.assert_allclose(np.unique(m[g, rows]), [0, count / (count - gone[g])])
    assert made.df == 11


def test_strata_with_fewer_units_than_groups_take_the_extended_form():
    df = pd.DataFrame({"q": np.random.default_rng(2).normal(size=30), "s": np.repeat(np.arange(6), 5)})
    survey = Survey.from_frame(df, stratum="s")
    made = replicate_weights(survey, "groups", groups=20)
    (m,) = made.blocks()
    z = np.sqrt(20 / (19 * 5 * 4))
    np.testing.assert_allclose(np.unique(m.round(12)), np.sort([1 - 4 * z, 1, 1 + z]), atol=1e-11)
    # of a total it is unbiased: equal to drop-one where each PSU of a stratum has a group of its own
    values = df[["q"]].to_numpy()
    exact = resolve(survey).covariance(values)
    extended = made.covariance(made.totals(values), values.sum(axis=0))
    own = [np.flatnonzero(m[:, i] < 0.9)[0] for i in range(30)]
    shared = any(len({own[i] for i in range(5 * a, 5 * a + 5)}) < 5 for a in range(6))
    assert not shared
    assert extended[0, 0] == pytest.approx(exact[0, 0], rel=0.6)
    errors = []
    for seed in range(60):
        again = replicate_weights(survey, "groups", groups=20, seed=seed)
        errors.append(again.covariance(again.totals(values), values.sum(axis=0))[0, 0] / exact[0, 0])
    assert np.mean(errors) == pytest.approx(1, abs=4 * np.std(errors) / np.sqrt(60))


def test_many_strata_of_few_clusters():
    """72 strata × 5 PSUs: dropping groups without refilling strata gave 5 times the true variance."""
    rng = np.random.default_rng(7)
    df = pd.DataFrame({"s": np.repeat(np.arange(72), 50), "c": np.repeat(np.arange(360), 10)})
    df["q"] = 3 * rng.normal(size=72)[df["s"]] + 0.5 * rng.normal(size=360)[df["c"]] + rng.normal(size=3600)
    survey = Survey.from_frame(df, stratum="s", psu="c")
    ratio = [(mean_se(survey, "q", replicate_weights(survey, seed=k)) / taylor(survey)) ** 2 for k in range(20)]
    assert np.mean(ratio) == pytest.approx(1, abs=0.1)  # each has 59 df: sd .18, of the mean .04


def test_groups_know_the_fpc():
    df = frame().assign(n=120)
    whole, part = ({**DESIGN}, {**DESIGN, "fpc": "f"})
    survey = Survey.from_frame(df.assign(f=0.75), **{k: v for k, v in part.items() if k != "psu"})
    free = Survey.from_frame(df, **{k: v for k, v in whole.items() if k not in ("psu", "fpc")})
    ratio = mean_se(survey, "q", replicate_weights(survey)) / mean_se(free, "q", replicate_weights(free))
    assert ratio == pytest.approx(0.5, rel=0.02)


# ---------------------------------------------------------------------- all methods
@pytest.mark.parametrize("method", ["drop-one", "groups", "bootstrap"])
@pytest.mark.parametrize("parts", [{"weight": "w"}, {"weight": "w", "stratum": "s"}, DESIGN])
def test_the_variance_of_a_mean_is_taylors(method, parts):
    survey = Survey.from_frame(frame(1, 2400), **parts)
    units = len(resolve(survey).stratum)
    groups = 24 if units == 24 else 120
    made = replicate_weights(survey, method, replicates=4000, groups=groups)
    # relative sd of a variance on d df: √(2/d); of a standard error half of that
    tolerance = {"drop-one": 0.1, "groups": 2.5 / np.sqrt(2 * made.df), "bootstrap": 0.1}[method]
    assert mean_se(survey, "q", made) == pytest.approx(taylor(survey), rel=tolerance)


def test_rescaled_weights_change_nothing():
    df = frame()
    for method in ("drop-one", "groups", "bootstrap"):
        one, other = (Survey.from_frame(df.assign(w=k * df["w"]), **DESIGN) for k in (1, 1e4))
        made = [mean_se(s, "q", replicate_weights(s, method, replicates=50, groups=8)) for s in (one, other)]
        assert made[0] == pytest.approx(made[1], rel=1e-9)


def test_every_replicate_of_raked_weights_meets_the_margins():
    survey = Survey.from_frame(frame(), **DESIGN)
    raked = rake(survey, {"sex": {"f": 0.4, "m": 0.6}, "age": {1: 0.5, 2: 0.2, 3: 0.3}})
    members = np.column_stack([raked.data["sex"] == "f", raked.data["age"] == 1, raked.data["age"] == 2]).astype(float)
    for method in ("drop-one", "groups", "bootstrap"):
        made = replicate_weights(raked, method, replicates=40, groups=10)
        shares = made.totals(members) / raked.weights.sum()
        np.testing.assert_allclose(shares, np.tile([0.4, 0.5, 0.2], (len(made), 1)), rtol=1e-7)
        multipliers, piece = made.multipliers()
        by_hand = multipliers[:, piece] @ (members * raked.weights[:, None])
        np.testing.assert_allclose(made.totals(members), by_hand, rtol=1e-9)


def test_an_estimate_that_some_replicates_lose():
    made = replicate_weights(Survey.from_frame(frame(count=20)), "drop-one")
    with pytest.raises(SurveyError) as error:
        made.covariance(np.where(np.arange(20)[:, None] == 3, np.nan, 1.0), np.ones(1))
    assert str(error.value) == (
        "1 of 20 replicates leave an estimate undefined: the base is too small for replicates; widen the filter, or use "
        "Taylor linearisation."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"method": "jacknife"},
            "method is 'jacknife'; allowed: 'jackknife', 'drop-one', 'groups', 'bootstrap' (did you mean 'jackknife'?).",
        ),
        ({"method": "bootstrap", "replicates": 1}, "replicates is 1; a variance needs at least 2, usually 500."),
        ({"method": "groups", "groups": 25}, "groups is 25; 24 PSUs can be dealt to 2 to 24 groups, usually 60."),
    ],
)
def test_faults(arguments, said):
    with pytest.raises(SurveyError) as error:
        replicate_weights(Survey.from_frame(frame(), **DESIGN), **arguments)
    assert str(error.value) == said


# ---------------------------------------------------------------------- strata with one PSU
def lonely(how: str, **more: str) -> Survey:
    df = frame()
    df.loc[df["s"] == 3, "c"] = 999
    return Survey.from_frame(df, weight="w", stratum="s", psu="c", lonely=how, **more)


def test_adjust_takes_the_deviation_from_the_mean_over_all_psus():
    """R: options(survey.lonely.psu = "adjust"); for a mean the PSU totals of its influence average to 0."""
    survey = lonely("adjust")
    values = survey.values("q")
    influence = (values - np.average(values, weights=survey.weights)) / survey.weights.sum()
    single = (influence * survey.weights)[survey.data["s"] == 3].sum() ** 2
    without = taylor(lonely("remove")) ** 2
    assert taylor(survey) ** 2 == pytest.approx(without + single, rel=1e-9)
    assert resolve(survey).df == 15


def test_remove_leaves_the_stratum_out_of_the_variance():
    survey = lonely("remove")
    values = survey.values("q")[:, None]
    design = resolve(survey)
    kept = Survey.from_frame(survey.data[survey.data["s"] < 3], weight="w", stratum="s", psu="c")
    np.testing.assert_allclose(
        design.covariance(values), resolve(kept).covariance(values[survey.data["s"] < 3]), rtol=1e-12
    )


@pytest.mark.parametrize("how", ["adjust", "remove"])
def test_the_jackknife_knows_both(how):
    survey = lonely(how)
    assert mean_se(survey, "q", replicate_weights(survey, "drop-one")) == pytest.approx(taylor(survey), rel=0.1)
    made = replicate_weights(survey, "drop-one")
    values = survey.data[["q"]].to_numpy()
    total = np.array([survey.weights @ survey.values("q")])
    linear = made.covariance(made.totals(values), total)
    np.testing.assert_allclose(linear, resolve(survey).covariance(values), rtol=1e-9)
    multipliers, piece = made.multipliers()
    np.testing.assert_allclose(
        made.totals(values), multipliers[:, piece] @ (values * survey.weights[:, None]), rtol=1e-10
    )


def test_groups_know_both():
    """All PSUs in strata of one: every contribution comes from the deviation from the overall mean."""
    df = pd.DataFrame({"q": np.random.default_rng(1).normal(size=80), "s": np.arange(80)})
    for how in ("adjust", "remove"):
        survey = Survey.from_frame(df, stratum="s", lonely=how)
        values, total = df[["q"]].to_numpy(), df["q"].sum()
        estimates = []
        for seed in range(40):
            made = replicate_weights(survey, "groups", groups=20, seed=seed)
            estimates.append(made.covariance(made.totals(values), np.array([total]))[0, 0])
        expected = resolve(survey).covariance(values)[0, 0]
        assert np.mean(estimates) == pytest.approx(expected, rel=0.15, abs=1e-12)


def test_the_bootstrap_knows_only_remove():
    survey = lonely("remove")
    made = replicate_weights(survey, "bootstrap", replicates=3000)
    assert mean_se(survey, "q", made) == pytest.approx(taylor(survey), rel=0.08)
    (first, *_) = made.blocks()
    np.testing.assert_array_equal(first[:, resolve(survey).stratum == 3], 1.0)
    with pytest.raises(SurveyError) as error:
        replicate_weights(lonely("adjust"), "bootstrap").totals(np.ones((240, 1)))
    assert str(error.value) == (
        "stratum has 1 of 4 strata with a single PSU ('3'): no variance can be computed there; merge it with a similar "
        'stratum, or declare lonely="remove".'
    )


def test_a_design_without_the_option_raises():
    with pytest.raises(SurveyError) as error:
        replicate_weights(lonely("fail"))
    assert str(error.value) == (
        "stratum has 1 of 4 strata with a single PSU ('3'): no variance can be computed there; merge it with a similar "
        'stratum in study.yml, or declare lonely="adjust" or lonely="remove".'
    )


def test_all_designs_of_the_reference_have_replicates():
    for design in DESIGNS:
        survey = survey_of(design)
        assert mean_se(survey, "api00", replicate_weights(survey)) == pytest.approx(
            CASES[f"{design}.mean_api00"]["se"], rel=0.3
        )
