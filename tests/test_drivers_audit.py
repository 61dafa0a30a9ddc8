"""Audit of key drivers: every check fires on data made for it, is silent elsewhere, and computes what it says."""

import re
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

import cxlab as cx
from cxlab.drivers import _audit as audit_room
from cxlab.drivers import _audit_behind as behind
from cxlab.drivers import _audit_checks as checks
from cxlab.drivers._audit_frame import Frame
from cxlab.drivers._audit_robust import (
    general_factor,
    gradient,
    importance_influence,
    marker_adjusted,
    omitted_as_strong_as,
    overturn,
    pratt_derivative,
    robustness_value,
    unreliable,
)
from cxlab.drivers._audit_words import QUESTIONS, WORDINGS
from cxlab.errors import SurveyError
from cxlab.importance import johnson, pratt
from cxlab.subsets import shapley
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
NAMES = [f"d{j}" for j in range(8)]
EFFECTS = np.array([0.9, 0.4, 0.3, 0.3, 0.2, 0.1, 0, 0])
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


def plain(seed: int = 0, count: int = 400) -> tuple[np.random.Generator, pd.DataFrame]:
    """Eight drivers that correlate at .26, of falling effect, on a continuous scale."""
    rng = np.random.default_rng([77, seed])
    x = rng.normal(size=(count, 8)) + 0.6 * rng.normal(size=(count, 1))
    df = pd.DataFrame(x, columns=NAMES).assign(y=x @ EFFECTS + 1.3 * rng.normal(size=count))
    df["blue"], df["w"], df["s"] = rng.normal(size=count), rng.uniform(0.5, 2, count), np.arange(count) % 4
    return rng, df


def well_behaved(seed: int = 0, count: int = 400) -> Survey:
    """The same as ratings of 0 to 10 with 1 % of answers missing at random."""
    rng, df = plain(seed, count)
    rated = np.clip(np.rint(6 + 1.4 * df[NAMES]), 0, 10).assign(y=np.clip(np.rint(6 + 0.9 * df["y"]), 0, 10))
    df[[*NAMES, "y"]] = rated.mask(rng.random(rated.shape) < 0.01)
    return survey_of(df)


def survey_of(df: pd.DataFrame) -> Survey:
    return Survey.from_frame(df, weight="w", stratum="s")


def result_of(survey: Survey, drivers=NAMES, **options):
    return cx.key_drivers(survey, "y", list(drivers), **{"replicates": 0, **options})


def audit_of(df: pd.DataFrame, drivers=NAMES, marker="blue", **options):
    return result_of(survey_of(df), drivers, **options).audit(marker)


def row_of(found, check: str) -> pd.Series:
    return found.table.set_index("check").loc[check]


def frame_of(df: pd.DataFrame, drivers=NAMES, **options) -> Frame:
    result = result_of(survey_of(df), drivers, **options)
    return audit_room._case(result, result.kernel.prepared, result.kernel.prepared.survey, None).frame


# ---------------------------------------------------------------------- data on which each check fires
def few(count):
    return plain(count=count)[1], {}


def lost(share):
    rng, df = plain()
    df.loc[rng.random(400) < share, "d3"] = np.nan
    return df, {}


def selective():
    rng, df = plain()
    df.loc[(df["y"] < 0) & (rng.random(400) < 0.3), "d3"] = np.nan
    return df, {}


def weighted(spread=None):
    rng, df = plain()
    df["w"] = 1.0 if spread is None else rng.lognormal(0, spread, 400)
    if spread is None:
        df.loc[7, "w"] = 60.0
    return df, {}


def valued(edges):
    df = plain()[1]
    df["y"] = np.digitize(df["y"], edges).astype(float)
    return df, {"model": "linear"}


def capped(limit):
    df = plain()[1]
    df["y"] = df["y"].clip(upper=df["y"].quantile(1 - limit))
    return df, {}


def bent(size):
    df = plain()[1]
    df["y"] -= size * df["d2"] ** 2
    return df, {}


def bent_together():
    df = plain()[1]
    df["y"] += 0.6 * df["d0"] * df["d1"]
    return df, {}


def fanned(slope):
    rng, df = plain()
    fit = df[NAMES] @ EFFECTS
    df["y"] = fit + rng.normal(size=400) * 0.8 * np.exp(slope * fit)
    return df, {}


def repeated(noise):
    rng, df = plain()
    df["d5"] = df["d4"] + noise * rng.normal(size=400)
    return df, {}


def summed(noise):
    rng, df = plain()
    df["d6"] = df["d3"] + df["d4"] + df["d5"] + noise * rng.normal(size=400)
    return df, {}


def suppressed(size):
    rng, df = plain()
    df["d4"] = df["d0"] + 0.8 * rng.normal(size=400)
    df["y"] = df[NAMES[:4]] @ EFFECTS[:4] - size * df["d4"] + rng.normal(size=400)
    return df, {}


def cancelled():
    rng, df = plain()
    df["d4"] = df["d0"] + 0.5 * rng.normal(size=400)
    df["y"] = df["d0"] - 0.9 * df["d4"] + 0.4 * df["d2"] + 0.5 * rng.normal(size=400)
    return df, {}


def outlying(size):
    df = plain()[1]
    df.loc[11, ["d1", "y"]] = df.loc[11, ["d1", "y"]] + [size, -size]
    return df, {}


def haloed(size):
    rng, df = plain(count=800)
    general = rng.normal(size=(800, 1))
    df[NAMES] = size * general + rng.normal(size=(800, 8))
    df["d0"] = general[:, 0] + 0.4 * rng.normal(size=800)
    df["d7"] = rng.normal(size=800)
    df["y"] = general[:, 0] + 0.55 * df["d7"] + 0.5 * rng.normal(size=800)
    return df, {}


def styled(size):
    rng, df = plain(count=800)
    style = size * rng.normal(size=800)
    df["y"] = df[NAMES] @ (0.5 * EFFECTS) + 0.8 * rng.normal(size=800) + style
    df[NAMES] += style[:, None]
    df["blue"] += style
    return df, {}


def led_by_style():
    """Five drivers of which another one is first without what all answers share (correlation .3)."""
    true = np.array([
        [1, 0.76, -0.05, 0.39, 0.33], [0.76, 1, -0.08, 0.21, 0.37], [-0.05, -0.08, 1, 0.11, -0.41],
        [0.39, 0.21, 0.11, 1, -0.26], [0.33, 0.37, -0.41, -0.26, 1],
    ])  # fmt: skip
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6000, 5)) @ np.linalg.cholesky(true).T
    effects = np.array([0.02, 0.19, 0.19, 0.08, 0.13])
    y = x @ effects + np.sqrt(1 - effects @ true @ effects) * rng.normal(size=6000)
    answers = np.sqrt(0.7) * np.column_stack([x, y, rng.normal(size=6000)]) + np.sqrt(0.3) * rng.normal(size=(6000, 1))
    df = pd.DataFrame(answers, columns=[*NAMES[:5], "y", "blue"]).assign(w=1.0, s=0)
    return df, {"drivers": NAMES[:5]}


def led_by_a_mean():
    rng, df = plain()
    df["d7"] = df[NAMES[:7]].mean(axis=1) * 2 + 0.3 * rng.normal(size=400)
    df["y"] = df[NAMES[:7]].sum(axis=1) * 0.3 + 0.8 * rng.normal(size=400)
    return df, {}


def tied(size):
    rng, df = plain()
    effects = np.append([0.6, size], EFFECTS[2:])
    df["y"] = df[NAMES] @ effects + 1.0 * rng.normal(size=400)
    return df, {}


FIRING = {
    "base: low": ("base", few(60), "look", "d0"),
    "base: suppressed": ("base", few(25), "serious", "d0"),
    "lost: a quarter": ("lost", lost(0.25), "look", "d3"),
    "lost: most": ("lost", lost(0.6), "serious", "d3"),
    "selective": ("selective", selective(), "serious", ""),
    "weighting: uneven": ("weighting", weighted(0.95), "look", ""),
    "weighting: one respondent": ("weighting", weighted(), "serious", ""),
    "outcome_type: two": ("outcome_type", valued([0.0]), "serious", ""),
    "outcome_type: five": ("outcome_type", valued([-2, -0.7, 0.7, 2]), "look", ""),
    "at_the_end: a third": ("at_the_end", capped(0.35), "look", ""),
    "at_the_end: most": ("at_the_end", capped(0.55), "serious", ""),
    "curvature: a driver": ("curvature", bent(0.12), "look", "d2"),
    "curvature: strong": ("curvature", bent(0.5), "serious", "d2"),
    "spread: above": ("spread", fanned(0.2), "look", ""),
    "spread: below": ("spread", fanned(-0.45), "serious", ""),
    "inflation": ("inflation", repeated(0.45), "look", "d5"),
    "inflation: high": ("inflation", repeated(0.2), "serious", "d5"),
    "condition": ("condition", summed(0.4), "look", "d6"),
    "condition: high": ("condition", summed(0.12), "serious", "d6"),
    "signs": ("signs", suppressed(0.35), "serious", "d4"),
    "influence": ("influence", outlying(8), "look", "d1"),
    "influence: decides": ("influence", outlying(25), "serious", "d1"),
    "methods": ("methods", cancelled(), "look", "d2"),
    "halo: the leader": ("halo", haloed(0.7), "serious", "d0, d7"),
    "halo: strong": ("halo", haloed(2.0), "look", ""),
    "marker": ("marker", styled(0.5), "look", ""),
    "marker: the leader": ("marker", led_by_style(), "serious", "d2, d1"),
    "omitted": ("omitted", led_by_a_mean(), "serious", "d7"),
    "fragile": ("fragile", tied(0.5), "look", "d1, d0"),
    "fragile: a handful": ("fragile", tied(0.44), "serious", "d1, d0"),
    "errors_in_drivers": ("errors_in_drivers", tied(0.5), "look", "d1, d0"),
    "errors_in_drivers: small": ("errors_in_drivers", tied(0.44), "serious", "d1, d0"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRING)
def test_a_check_fires_on_what_it_is_for(name):
    check, (df, options), finding, drivers = FIRING[name]
    found = audit_of(df, **options)
    row = row_of(found, check)
    assert row["finding"] == finding, found.sentences()
    assert drivers in row["drivers"]
    assert row["drivers"] or drivers == ""


def test_every_check_is_silent_on_a_well_behaved_survey():
    found = result_of(well_behaved(0)).audit("blue")
    assert found.table["finding"].tolist() == ["ok"] * 18
    assert set(found.table["check"]) == set(QUESTIONS) == {check for check, *_ in FIRING.values()}
    assert found.summary["en"] == ("18 checks of the key drivers of y: 18 in order, 0 worth a look, 0 serious.")


@pytest.mark.slow
def test_no_check_fires_on_more_than_5_percent_of_well_behaved_surveys():
    fired: Counter[str] = Counter()
    for seed in range(200):
        table = result_of(well_behaved(seed)).audit("blue").table
        fired.update(table.loc[table["finding"] != "ok", "check"])
    assert max(fired.values(), default=0) <= 10, fired


# ---------------------------------------------------------------------- what is computed
def longley() -> tuple[np.ndarray, np.ndarray]:
    data = sm.datasets.longley.load_pandas()
    return data.exog.to_numpy(), data.endog.to_numpy()


def test_inflation_is_that_of_statsmodels_and_leverage_sums_to_the_coefficients():
    df, _ = repeated(0.45)
    df["w"] = 1.0
    found, frame = audit_of(df), frame_of(df)
    full = sm.add_constant(df[NAMES]).to_numpy()
    expected = [variance_inflation_factor(full, j + 1) for j in range(8)]
    np.testing.assert_allclose(found.drivers["vif"], expected, rtol=1e-10)
    np.testing.assert_allclose(frame.leverage, OLSInfluence(sm.OLS(df["y"], full).fit()).hat_matrix_diag, rtol=1e-9)


def test_the_uncentred_condition_index_is_belsleys_of_the_longley_data():
    exog, _ = longley()
    assert checks.uncentred_index(exog, np.ones(16)) == pytest.approx(43_275, abs=1)  # Belsley, Kuh & Welsch (1980)


def test_variance_proportions_are_those_of_the_singular_value_decomposition():
    df, _ = summed(0.4)
    df["w"] = 1.0
    found = audit_of(df)
    z = ((df[NAMES] - df[NAMES].mean()) / df[NAMES].std()).to_numpy()
    _, values, vectors = np.linalg.svd(z / np.linalg.norm(z, axis=0))
    parts = (vectors.T / values) ** 2
    np.testing.assert_allclose(
        found.drivers["proportion"], (parts / parts.sum(axis=1, keepdims=True))[:, -1], rtol=1e-8
    )
    assert row_of(found, "condition")["value"] == pytest.approx(values[0] / values[-1], rel=1e-9)


def test_the_shift_of_a_respondent_is_that_of_leaving_it_out():
    _, df = plain()
    frame = frame_of(df)
    change = frame.shift * np.sqrt(
        np.maximum(
            frame.slope_errors**2 - (frame.influence * frame.weights[:, None]) ** 2, 0.01 * frame.slope_errors**2
        )
    )
    for row in (0, 57, 399):
        inside = np.arange(400) != row
        x = np.column_stack([np.ones(399), frame.x[inside]])
        fitted = sm.WLS(frame.columns[inside, -1], x, frame.weights[inside]).fit()
        np.testing.assert_allclose(fitted.params[1:] - frame.slopes, change[row], rtol=1e-8)


def test_a_respondent_that_makes_the_standard_error_does_not_hide_behind_it():
    found = audit_of(outlying(40)[0])
    assert row_of(found, "influence")["value"] > 5
    said = found.said[found.table["check"].tolist().index("influence")]
    assert said.sentence("en").facts["row"] == 11


def test_coefficients_and_p_values_are_those_of_the_result():
    df = plain()[1]
    result = result_of(survey_of(df), replicates=100)
    table = result.table.set_index("driver").loc[NAMES]
    found = result.audit().drivers
    np.testing.assert_allclose(found["standardised"], table["standardised"], rtol=1e-9)
    np.testing.assert_allclose(found["p_value"], table["p_value"], rtol=1e-7)
    np.testing.assert_allclose(found["correlation"], table["correlation"], rtol=1e-9)


def test_robustness_values_are_those_published():
    """Cinelli & Hazlett (2020), table 1: Darfur, directly harmed; sensemakr prints the same."""
    assert robustness_value(4.18445, 783) == pytest.approx(0.138776, abs=2e-6)
    assert robustness_value(4.18445, 783, alpha=0.05) == pytest.approx(0.076258, abs=2e-6)
    f = 4.18445**2 / 783
    assert f / (1 + f) == pytest.approx(0.02187, abs=1e-5)
    assert robustness_value(1.5, 783, alpha=0.05) == 0
    assert robustness_value(1e6, 100) == pytest.approx(1, abs=1e-6)
    # where the critical value is large, the extreme scenario binds (Cinelli & Hazlett, appendix)
    whole, critical = 2 / np.sqrt(3), 4.302653 / np.sqrt(2)
    assert robustness_value(4, 3, q=0.5, alpha=0.05) == 0
    assert whole < critical
    assert robustness_value(40, 3, alpha=0.05) == pytest.approx((40**2 / 3 - critical**2) / (1 + 40**2 / 3), rel=1e-6)


def test_an_omitted_cause_as_strong_as_another_driver_takes_away_what_the_bound_says():
    rng = np.random.default_rng(8)
    count = 400_000
    known, omitted = rng.normal(size=(2, count))
    d0 = 0.6 * known + 0.6 * omitted + rng.normal(size=count)
    y = d0 + 0.5 * known + 0.5 * omitted + rng.normal(size=count)
    df = pd.DataFrame({"d0": d0, "d1": known, "y": y, "w": 1.0, "s": 0})
    frame = frame_of(df, ["d0", "d1"])
    spread = np.std(d0) / np.std(y)
    assert omitted_as_strong_as(frame, 0, 1) == pytest.approx(1.0 * spread / frame.slopes[0], abs=0.01)


def test_loadings_of_one_factor_are_found_and_a_heywood_case_ends():
    true = np.array([0.9, 0.7, 0.5, 0.3, 0.6])
    matrix = np.outer(true, true)
    np.fill_diagonal(matrix, 1)
    np.testing.assert_allclose(general_factor(matrix), true, atol=1e-4)
    np.testing.assert_allclose(general_factor(matrix * np.outer([1, -1, 1, 1, 1], [1, -1, 1, 1, 1])), true * [1, -1, 1, 1, 1],
                               atol=1e-4)  # fmt: skip
    heywood = np.array([[1, 0.8, 0.8], [0.8, 1, 0.3], [0.8, 0.3, 1]])
    assert (np.abs(general_factor(heywood)) < 1).all()


def test_without_the_general_factor_importances_sum_to_what_its_score_leaves():
    df, _ = haloed(0.7)
    df["w"] = 1.0
    found = audit_of(df)
    loadings = found.drivers["loading"].to_numpy()
    z = ((df[NAMES] - df[NAMES].mean()) / df[NAMES].std(ddof=0)).to_numpy()
    score = z @ (loadings / np.maximum(1 - loadings**2, 0.005))
    whole = sm.OLS(df["y"], sm.add_constant(z)).fit().rsquared
    alone = sm.OLS(df["y"], sm.add_constant(score)).fit().rsquared
    assert found.drivers["importance_no_halo"].sum() == pytest.approx(whole - alone, abs=1e-6)


def test_a_marker_gives_back_the_correlations_without_style():
    true = np.array([[1, 0.4, 0.3], [0.4, 1, 0.2], [0.3, 0.2, 1]])
    seen = 0.25 + 0.75 * true
    np.testing.assert_allclose(marker_adjusted(seen, 0.25), true, atol=1e-12)
    rng = np.random.default_rng(6)
    answers = np.sqrt(0.75) * rng.normal(size=(20_000, 4)) @ np.linalg.cholesky(
        np.block([[true, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
    ).T + np.sqrt(0.25) * rng.normal(size=(20_000, 1))
    df = pd.DataFrame(answers, columns=["d0", "d1", "y", "blue"]).assign(w=1.0, s=0)
    found = audit_of(df, ["d0", "d1"])
    assert row_of(found, "marker")["value"] == pytest.approx(0.25, abs=0.015)
    np.testing.assert_allclose(found.drivers["importance_marker"], shapley(true), atol=0.015)


def test_a_driver_against_the_outcome_is_turned_before_the_marker_is_averaged():
    df, _ = styled(0.5)
    one = row_of(audit_of(df), "marker")["value"]
    df["d2"] *= -1
    assert row_of(audit_of(df), "marker")["value"] == pytest.approx(one, abs=1e-12)


def test_reliability_corrects_to_the_importances_of_true_scores():
    rng = np.random.default_rng(9)
    count = 200_000
    true = rng.normal(size=(count, 2)) + 0.5 * rng.normal(size=(count, 1))
    y = 0.50 * true[:, 0] + 0.55 * true[:, 1] + rng.normal(size=count)
    seen = true.copy()
    seen[:, 1] += np.sqrt(0.25 * true[:, 1].var() / 0.75) * rng.normal(size=count)  # reliability .75
    frame = frame_of(pd.DataFrame({"d0": seen[:, 0], "d1": seen[:, 1], "y": y, "w": 1.0, "s": 0}), ["d0", "d1"])
    correlation = np.corrcoef(np.column_stack([true, y]), rowvar=False)
    from cxlab.drivers._audit_robust import corrected

    np.testing.assert_allclose(
        frame.importance(corrected(frame.correlation, (1,), 0.75)), shapley(correlation), atol=0.005
    )
    found = unreliable(frame, 0)
    assert (found.rival, found.alone) == (1, True)
    assert shapley(corrected(frame.correlation, (1,), found.reliability)).argmax() == 1
    assert shapley(corrected(frame.correlation, (1,), found.reliability + 0.01)).argmax() == 0


@pytest.mark.parametrize("measure", [shapley, johnson])
def test_influence_is_the_derivative_of_importance_with_respect_to_a_weight(measure):
    frame = frame_of(plain()[1])
    derivative = gradient(measure, frame.correlation)
    for row in (3, 200):
        weights = frame.weights.copy()
        weights[row] += 1e-4
        centred = frame.columns - np.average(frame.columns, axis=0, weights=weights)
        moved = measure(centred.T @ (centred * weights[:, None]) / weights.sum())
        expected = (moved - measure(frame.correlation)) / 1e-4 * frame.total
        computed = [importance_influence(frame.columns, g, frame.correlation)[row] for g in derivative]
        np.testing.assert_allclose(computed, expected, atol=2e-4 * np.abs(expected).max() + 1e-6)


def test_the_derivative_of_pratts_measure():
    frame = frame_of(plain()[1])
    taken = [0, 2, 3, 8]
    expected = gradient(lambda c: pratt(c[..., taken, :][..., :, taken]), frame.correlation)
    np.testing.assert_allclose(pratt_derivative(frame.correlation, taken), expected, atol=1e-6)


def test_without_the_respondents_counted_another_driver_is_first():
    """The bound is reached: the same respondents are dropped from the data, and the ranking is made anew."""
    df, _ = tied(0.5)
    frame = frame_of(df)
    found = overturn(frame, 1, lambda c: gradient(frame.importance, c))
    assert found.rival == 0
    from cxlab.drivers import _audit_robust as room

    gone = {}
    original = room._remove
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_remove", lambda *a: gone.setdefault(len(gone), original(*a)))
        overturn(frame, 1, lambda c: gradient(frame.importance, c))
    rows = next(g for g in gone.values() if g is not None and len(g) == found.respondents)
    assert df.loc[rows, "w"].sum() / df["w"].sum() == pytest.approx(found.share, rel=1e-9)
    kept = df.drop(index=rows).reset_index(drop=True)
    assert result_of(survey_of(df)).table["driver"].iloc[0] == "d1"
    assert result_of(survey_of(kept)).table["driver"].iloc[0] == "d0"


def test_the_bound_is_near_the_smallest_set_that_an_exhaustive_search_finds():
    rng = np.random.default_rng(12)
    x = rng.normal(size=(30, 2))
    df = pd.DataFrame(x, columns=["d0", "d1"]).assign(y=x @ [1, 0.8] + rng.normal(size=30), w=1.0, s=0)
    frame = frame_of(df, ["d0", "d1"])
    leader = int(frame.importance(frame.correlation).argmax())

    def changes(gone) -> bool:
        kept = np.setdiff1d(np.arange(30), gone)
        return bool(shapley(np.corrcoef(frame.columns[kept], rowvar=False)).argmax() != leader)

    smallest = next(k for k in range(1, 5) if any(changes(g) for g in combinations(range(30), k)))
    found = overturn(frame, leader, lambda c: gradient(frame.importance, c))
    assert smallest <= found.respondents <= smallest + 1


def test_a_leader_without_rival_is_never_overturned():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 2))
    df = pd.DataFrame(x, columns=["d0", "d1"]).assign(y=x[:, 0] + 0.01 * rng.normal(size=300), w=1.0, s=0, blue=x[:, 1])
    found = audit_of(df, ["d0", "d1"], None)
    assert np.isnan(row_of(found, "fragile")["value"])
    assert (
        "D0 stays first even without the half of the weight that speaks most for it." in found.sentences("en").__str__()
    )


def test_top_down_agreement():
    """Iman & Conover (1987): Savage scores of four ranks are 25/12, 13/12, 7/12 and 3/12."""
    scores = behind.savage_scores(np.array([9.0, 7, 5, 1]))
    np.testing.assert_allclose(scores, np.array([25, 13, 7, 3]) / 12)
    swapped, turned = behind.savage_scores(np.array([7.0, 9, 5, 1])), scores[::-1]
    assert behind._correlated(scores, swapped) == pytest.approx(11 / 23, abs=1e-12)
    assert behind._correlated(scores, turned) == pytest.approx(-61 / 69, abs=1e-12)
    np.testing.assert_allclose(behind.savage_scores(np.array([3.0, 2, 2, -1])), np.array([25, 10, 10, 3]) / 12)


def test_those_who_left_are_compared_within_the_design():
    df, _ = selective()
    found = row_of(audit_of(df), "selective")
    left = df["d3"].isna()
    design = sm.WLS(df["y"], sm.add_constant(left.astype(float)), df["w"]).fit()
    spread = np.sqrt(np.average((df["y"] - np.average(df["y"], weights=df["w"])) ** 2, weights=df["w"]))
    assert found["value"] == pytest.approx(abs(design.params.iloc[1]) / spread, rel=1e-9)


# ---------------------------------------------------------------------- on every kind of analysis
def test_forced_in_columns_and_factors():
    _, df = plain()
    df["group"] = np.arange(400) % 3
    survey = survey_of(df)
    result = cx.key_drivers(survey, "y", ["d0", "d1", "d2", "factor(group)"], always=["d3"], replicates=0)
    found = result.audit("blue")
    case = audit_room._case(result, result.kernel.prepared, survey, None)
    table = result.table.set_index("driver").loc[list(case.frame.drivers)]
    np.testing.assert_allclose(case.frame.importance(case.frame.correlation), table["importance"], rtol=1e-9)
    assert np.isnan(found.drivers.set_index("driver").loc["factor(group)", "standardised"])
    assert (found.table["finding"] == "ok").all()


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_drivers(count):
    found = audit_of(plain()[1], NAMES[:count])
    assert (found.table["finding"] == "ok").all()


def test_twenty_drivers_use_relative_weights_and_say_so():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1500, 20)) + 0.6 * rng.normal(size=(1500, 1))
    df = pd.DataFrame(x, columns=[f"d{j}" for j in range(20)])
    df = df.assign(y=x[:, 0] + 0.5 * x[:, 1] + rng.normal(size=1500), w=1.0, s=0, blue=rng.normal(size=1500))
    found = audit_of(df, [f"d{j}" for j in range(20)])
    assert "Checks that compute importances anew use Johnson's relative weights." in [n["en"] for n in found.notes]
    assert (found.table["finding"] == "ok").all()
    assert np.isfinite(found.drivers["importance_no_halo"]).all()


def test_a_domain_is_audited_within_the_whole_design():
    df = plain(count=800)[1].assign(half=np.arange(800) % 2)
    survey = survey_of(df)
    found = result_of(survey.where(half=1)).audit("blue")
    assert found.base.respondents == 400
    assert dict(next(n for n in found.said if "left out" in n["en"]).sentence("en").facts) == {}


# ---------------------------------------------------------------------- the marker of a study
def test_the_studys_marker_is_used_and_its_lack_is_said():
    study = cx.open_study(ROOT / "data" / "healthcheck")
    survey = study.survey("last:2")
    assert survey.roles.marker == "marker_blue"
    result = cx.key_drivers(survey, replicates=0)
    assert "marker" in set(result.audit().table["check"])
    without = result_of(well_behaved()).audit()
    assert "marker" not in set(without.table["check"])
    assert without.notes[0]["en"] == (
        "The study declares no marker item (marker: in study.yml, or audit(marker=...)), so how far answers share a way of answering "
        "could not be measured. Harman's single-factor test does not measure it either and is not used (Baumgartner et al. 2021)."
    )


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("bleu", "marker names 1 column that is not in the survey: 'bleu' (did you mean 'blue'?)."),
        (
            "d3",
            "marker 'd3' is a driver, a forced-in column or the outcome; name an item that should relate to none of them.",
        ),
    ],
)
def test_a_marker_that_cannot_be_one(marker, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        result_of(well_behaved()).audit(marker)


def test_a_result_made_by_hand_cannot_be_audited():
    message = "result keeps no kernel to go on from; make it anew with cx.key_drivers(...) and call .audit()."
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        replace(result_of(well_behaved()), kernel=None).audit()


# ---------------------------------------------------------------------- what is said
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", FIRING)
def test_every_sentence_has_its_numbers_and_leaves_no_gap(name, lang):
    _, (df, options), *_ = FIRING[name]
    found = audit_of(df, **options)
    sentences = found.sentences(lang)
    assert len(sentences) == len(found.table) + 1
    for said, row in zip(sentences[1:], found.table.itertuples(), strict=True):
        assert "{" not in said.text
        assert "–" not in said.text.replace(" – ", ""), said.text
        if "value" in said.facts:
            assert said.facts["value"] == row.value or np.isnan(row.value)


def test_every_check_has_a_wording_for_all_it_can_find():
    source = Path(checks.__file__).read_text() + Path(behind.__file__).read_text()
    for check in QUESTIONS:
        assert (check, "ok") in WORDINGS, check
        assert f'Finding("{check}"' in source.replace("\n        ", "")
    assert {check for check, _ in WORDINGS} == set(QUESTIONS)


def test_the_notebook_page_has_question_finding_and_advice(monkeypatch):
    found = audit_of(lost(0.25)[0])
    page = found._repr_html_()
    assert ">Question</th>" in page
    assert "How many were left out?" in page
    assert page.index("How many were left out?") < page.index(
        "Are there enough respondents?"
    )  # what needs a look comes first
    assert "18 checks of the key drivers of y: 17 in order, 1 worth a look, 0 serious." in page
    cx.set_language("zh")
    try:
        page = found._repr_html_()
    finally:
        cx.set_language("en")
    assert "有多少受访者被剔除？" in page
    assert "请换一种缺失处理方式" in page
    assert "<strong>留意</strong>" in page


def test_shown_values_are_in_the_unit_of_their_check(tmp_path):
    found = audit_of(lost(0.25)[0])
    shown = found.shown("en").set_index("Question")
    assert shown.loc["How many were left out?", "Value"] == f"{row_of(found, 'lost')['value']:.0%}"
    assert shown.loc["Do drivers repeat one another?", "Limit"] == "5.0"
    assert found.to_excel(tmp_path / "audit.xlsx").stat().st_size > 5000
