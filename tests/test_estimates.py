"""Totals, ratios and quantiles against R's survey package, by hand, and on faulty input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_survey import CASES, CLOSED_FORM, DESIGN, DESIGNS, frame, survey_of

import cxlab as cx
from cxlab.errors import DataCheckError, SurveyError
from cxlab.replicates import replicate_weights
from cxlab.survey import Survey


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("design", DESIGNS)
def test_totals(design):
    expected, found = CASES[f"{design}.total_enroll"], cx.totals(survey_of(design), "enroll").table
    np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found["se"], expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_quantiles_and_their_intervals(design):
    expected, found = CASES[f"{design}.quantile_api00"], cx.quantiles(survey_of(design), "api00").table
    assert found["estimate"].tolist() == expected["q"]
    assert found[["low", "high"]].to_numpy().tolist() == expected["ci"]
    np.testing.assert_allclose(found["se"], expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_ratio_to_the_number_of_respondents_is_the_mean(design):
    survey = survey_of(design).with_columns(one=np.ones(len(survey_of(design))))
    expected, found = CASES[f"{design}.mean_api00"], cx.ratios(survey, "api00", "one").table
    np.testing.assert_allclose(found[["estimate", "se"]], [[expected["estimate"], expected["se"]]], rtol=CLOSED_FORM)


# ---------------------------------------------------------------------- properties
def test_a_ratio_is_linearised_as_its_jackknife_says():
    survey = Survey.from_frame(frame(3, 4000).assign(q=lambda d: d["q"] + 5), **DESIGN)
    jackknife = replicate_weights(survey, "drop-one")
    sums = jackknife.totals(survey.data[["q", "x"]].to_numpy())
    found = cx.ratios(survey, "q", "x").table.iloc[0]
    again = jackknife.covariance(sums[:, :1] / sums[:, 1:], np.array([found["estimate"]]))[0, 0] ** 0.5
    assert found["se"] == pytest.approx(again, rel=0.02)


def test_totals_of_segments_add_up_and_their_covariance_with_them():
    survey = Survey.from_frame(frame(), **DESIGN)
    parts, whole = cx.totals(survey, "x", by="sex"), cx.totals(survey, "x").table.iloc[0]
    assert parts.table["estimate"].sum() == pytest.approx(whole["estimate"], rel=1e-12)
    assert parts.covariance.to_numpy().sum() == pytest.approx(whole["se"] ** 2, rel=1e-12)
    assert list(parts.covariance.columns) == ["x · f", "x · m"]


def test_covariance_reaches_over_items_and_segments():
    survey = Survey.from_frame(frame().assign(y=lambda d: 2 * d["q"]), **DESIGN)
    for result in (cx.totals(survey, ["q", "y"], by="sex"), cx.ratios(survey, ["q", "y"], "x", by="sex")):
        v = result.covariance.to_numpy()
        np.testing.assert_allclose(v[2:, :2], 2 * v[:2, :2], rtol=1e-9)
        np.testing.assert_allclose(np.sqrt(np.diagonal(v)), result.table["se"], rtol=1e-12)


def test_quantiles_of_one_item_move_together():
    result = cx.quantiles(Survey.from_frame(frame(), **DESIGN), "q", [0.45, 0.5], by="sex")
    v = result.covariance.to_numpy() / np.outer(result.table["se"], result.table["se"])
    assert v[0, 1] > 0.6
    np.testing.assert_allclose(np.diagonal(v), 1)
    assert np.linalg.eigvalsh(v).min() > -1e-9


@given(scale=st.floats(1e-5, 1e5), seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_rescaled_weights_rescale_totals_and_nothing_else(scale, seed):
    df = frame(seed)
    one, other = Survey.from_frame(df, **DESIGN), Survey.from_frame(df.assign(w=scale * df["w"]), **DESIGN)
    columns = ["estimate", "se", "low", "high", "base", "base_effective"]
    for call in (lambda s: cx.ratios(s, "q", "x", by="sex"), lambda s: cx.quantiles(s, "q", by="sex")):
        np.testing.assert_allclose(call(other).table[columns], call(one).table[columns], rtol=1e-9)
    first, second = cx.totals(one, "x").table, cx.totals(other, "x").table
    np.testing.assert_allclose(second[columns[:4]], scale * first[columns[:4]], rtol=1e-9)
    np.testing.assert_allclose(second[columns[4:]], first[columns[4:]], rtol=1e-9)


def test_a_quantile_does_not_hang_on_the_order_of_sums():
    values = np.arange(1.0, 11)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(10)
        survey = Survey.from_frame(pd.DataFrame({"q": values[order], "w": np.full(10, 0.1)}), weight="w")
        assert cx.quantiles(survey, "q", [0.1, 0.3, 0.7]).table["estimate"].tolist() == [1, 3, 7]


def test_a_limit_that_the_sample_does_not_reach_is_not_made_up():
    found = cx.quantiles(Survey.from_frame(pd.DataFrame({"q": np.arange(20.0)})), "q", [0.02, 0.97]).table
    assert found["estimate"].tolist() == [0, 19]
    assert np.isnan(found["low"][0])
    assert found["high"][0] > 0
    assert found.loc[1, ["se", "low", "high"]].isna().all()


def test_missing_answers_leave_the_base():
    survey = Survey.from_frame(pd.DataFrame({"y": [1.0, 2, np.nan, 4], "x": [1.0, np.nan, 1, 2]}))
    found = cx.ratios(survey, "y", "x").table.iloc[0]
    assert (found["estimate"], found["base"]) == (5 / 3, 2)
    assert cx.totals(survey, "y").table[["estimate", "base"]].to_numpy().tolist() == [[7, 3]]


def test_calls_make_the_result_again():
    survey = Survey.from_frame(frame(), **DESIGN)
    chosen = survey.where(sex="f")
    for result in (
        cx.totals(chosen, ["q", "x"]), cx.ratios(chosen, "q", "x", by="age", level=0.9), cx.quantiles(chosen, "q", [0.1]),
    ):  # fmt: skip
        again = eval(result.call, {"cx": cx, "survey": survey})
        pd.testing.assert_frame_equal(again.table, result.table)
        assert result.shown("zh").shape == result.table.shape


# ---------------------------------------------------------------------- bad input
def message(call, kind=SurveyError) -> str:
    with pytest.raises(kind) as error:
        call()
    return str(error.value)


def test_weights_that_sum_to_the_population_are_no_base():
    """An answer, no error: bases and intervals are those of respondents; totals say what the weights sum to."""
    df = frame()
    one, whole = (
        Survey.from_frame(df, weight="w"),
        Survey.from_frame(df.assign(w=df["w"] / df["w"].sum() * 5e6), weight="w"),
    )
    pd.testing.assert_frame_equal(cx.means(whole, "q").table, cx.means(one, "q").table, rtol=1e-9)
    result = cx.totals(whole, "x")
    assert result.table["base"].tolist() == [240]
    assert [n["en"] for n in result.notes][-1] == "The weights sum to 5,000,000: totals are of that many."
    assert [n["zh"] for n in result.notes][-1] == "权重之和为 5,000,000，合计即按该总体规模计算。"


def test_zero_weights():
    df = frame()
    with pytest.raises(DataCheckError, match=r"^weight 'w' is zero in all 240 rows\.$"):
        Survey.from_frame(df.assign(w=0.0), weight="w")
    some = Survey.from_frame(df.assign(w=df["w"].where(df["sex"] == "f", 0.0)), **DESIGN)
    for call in (lambda s: cx.totals(s, "q"), lambda s: cx.quantiles(s, "q"), lambda s: cx.ratios(s, "q", "x")):
        expected = call(Survey.from_frame(df, **DESIGN).where(sex="f")).table
        pd.testing.assert_frame_equal(call(some).table, expected, rtol=1e-9)


def test_an_item_without_answers():
    survey = Survey.from_frame(frame().assign(empty=np.nan), **DESIGN)
    said = "'empty' has no answer among 240 respondents; widen the filter, or leave it out."
    assert message(lambda: cx.totals(survey, "empty")) == said
    assert message(lambda: cx.quantiles(survey, "empty")) == said
    assert message(lambda: cx.ratios(survey, "q", "empty")) == said


def test_a_psu_in_two_strata():
    df = frame()
    df.loc[[0, 239], "c"] = 77
    assert message(lambda: cx.totals(Survey.from_frame(df, stratum="s", psu="c"), "q"), DataCheckError) == (
        "psu 'c' has 1 of 25 PSUs in more than one stratum ('s'), e.g. '77'; a PSU belongs to one stratum: "
        "correct the file, or number the PSUs within strata."
    )


def test_a_denominator_of_zero():
    survey = Survey.from_frame(frame().assign(x=lambda d: np.where(d["sex"] == "f", 0.0, 1.0)))
    assert message(lambda: cx.ratios(survey, "q", "x", by="sex")) == (
        "denominator 'x' sums to zero in 1 of 2 cells; no ratio is defined there: widen the cells."
    )


def test_other_faults_of_a_call():
    survey = Survey.from_frame(frame(), **DESIGN)
    assert message(lambda: cx.totals(survey, [])) == "items is empty; name at least one column."
    assert message(lambda: cx.ratios(survey, "qq", "x")) == (
        "numerator names 1 column that is not in the survey: 'qq' (did you mean 'q'?)."
    )
    assert message(lambda: cx.totals(survey, "sex")) == "'sex' holds text, numbers are needed."
    assert message(lambda: cx.quantiles(survey, "q", [50])) == (
        "probabilities is [50]; each lies between 0 and 1, e.g. [0.25, 0.5, 0.75]."
    )
