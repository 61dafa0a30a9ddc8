"""Regression against R's svyglm and regTermTest, on factors and interactions, and on faulty input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_survey import CASES, CLOSED_FORM, DESIGN, DESIGNS, ITERATED, SMALL_P, frame, survey_of

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

THREE = ["ell", "meals", "mobility"]


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("design", DESIGNS)
def test_linear(design):
    expected, found = CASES[f"{design}.glm_gaussian"], cx.linear(survey_of(design), "api00", THREE)
    assert found.table["coefficient"].tolist() == expected["names"]
    for ours, theirs in (("estimate", "coef"), ("se", "se"), ("t", "t")):
        np.testing.assert_allclose(found.table[ours], expected[theirs], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found.table["p_value"], expected["p"], rtol=0, atol=SMALL_P)
    assert found.df == expected["df_resid"]


@pytest.mark.parametrize("design", DESIGNS)
def test_logit(design):
    expected, found = CASES[f"{design}.glm_quasibinomial"], cx.logit(survey_of(design), "sch.wide", THREE, event="Yes")
    for ours, theirs in (("estimate", "coef"), ("se", "se"), ("t", "t"), ("p_value", "p")):
        np.testing.assert_allclose(found.table[ours], expected[theirs], rtol=ITERATED)
    assert found.df == expected["df_resid"]


@pytest.mark.parametrize("design", DESIGNS)
def test_an_interaction_of_a_number_and_a_factor(design):
    expected = CASES[f"{design}.glm_segment_interaction"]
    found = cx.linear(survey_of(design), "api00", ["meals*comp.imp"]).tests.set_index("term").loc["meals:comp.imp"]
    assert (found["df"], found["df_residual"]) == (expected["df"], expected["ddf"])
    np.testing.assert_allclose(found["f"], expected["F"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found["p_value"], expected["p"], rtol=0, atol=SMALL_P)


@pytest.mark.parametrize("design", DESIGNS)
def test_without_terms_the_interval_is_rs_logit_interval_of_a_share(design):
    expected = CASES[f"{design}.ciprop_schwide_logit"]
    found = cx.logit(survey_of(design), "sch.wide", event="Yes").table[["estimate", "low", "high"]].to_numpy()[0]
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), [expected["p"], *expected["ci"]], rtol=ITERATED)


# ---------------------------------------------------------------------- properties
def test_one_factor_gives_the_differences_of_means():
    """The t test's numbers (R's svyttest is this regression)."""
    for design in DESIGNS:
        expected = CASES[f"{design}.ttest_api00_compimp"]
        found = cx.linear(survey_of(design), "api00", ["comp.imp"])
        row = found.table.iloc[1]
        np.testing.assert_allclose(
            row[["estimate", "t"]].astype(float), [expected["diff"], expected["t"]], rtol=CLOSED_FORM
        )
        assert found.df == expected["df"]
        assert found.tests["f"][0] == pytest.approx(expected["t"] ** 2, rel=1e-9)


def test_a_factor_whose_reference_moves():
    survey = Survey.from_frame(frame(), **DESIGN)
    first = cx.linear(survey, "q", ["age"], factors=["age"])
    other = cx.linear(survey, "q", ["age"], factors=["age"], reference={"age": 3})
    assert first.table["coefficient"].tolist() == ["(Intercept)", "age=2", "age=3"]
    assert other.table["coefficient"].tolist() == ["(Intercept)", "age=1", "age=2"]
    assert other.table["estimate"][1] == pytest.approx(-first.table["estimate"][2], rel=1e-9)
    pd.testing.assert_frame_equal(first.tests, other.tests, rtol=1e-8)
    assert first.tests["df"].tolist() == [2]


def test_an_item_of_nominal_measure_is_a_factor():
    survey = Survey.from_frame(frame(), **DESIGN)
    labels = {1.0: {"en": "Young", "zh": "青年"}, 2.0: {"en": "Middle", "zh": "中年"}, 3.0: {"en": "Old", "zh": "老年"}}
    item = Item("age", {"en": "Age", "zh": "年龄"}, labels, measure="nominal")
    survey = Survey(survey.data, survey.codebook.with_items(item), design=survey.design)
    found = cx.linear(survey, "q", ["age"])
    assert found.shown("zh")["系数"].tolist() == ["（截距）", "年龄: 中年", "年龄: 老年"]
    pd.testing.assert_frame_equal(
        cx.linear(survey, "q", ["age"], reference={"age": "Old"}).tests, found.tests, rtol=1e-8
    )


def test_terms_expand_as_in_r():
    survey = Survey.from_frame(frame(), **DESIGN)
    terms = lambda *t: list(dict.fromkeys(cx.linear(survey, "q", list(t)).table["term"]))  # noqa: E731
    assert terms("x*sex") == ["(Intercept)", "x", "sex", "x:sex"]
    assert terms("x:sex", "sex", "x") == ["(Intercept)", "sex", "x", "x:sex"]
    assert terms("x*sex", "x", "sex:x") == ["(Intercept)", "x", "sex", "x:sex"]
    assert terms() == ["(Intercept)"]


def test_terms_are_tested_together():
    found = cx.linear(Survey.from_frame(frame(), **DESIGN), "q", ["x", "sex", "age"])
    assert found.wald(["x"])["f"][0] == pytest.approx(found.table["t"][1] ** 2, rel=1e-9)
    both = found.wald(["x", "age"]).iloc[0]
    assert (both["term"], both["df"], both["df_residual"]) == ("x + age", 2, found.df)
    b, v = found.table["estimate"].to_numpy()[[1, 3]], found.covariance.to_numpy()[np.ix_([1, 3], [1, 3])]
    assert both["f"] == pytest.approx(b @ np.linalg.inv(v) @ b / 2, rel=1e-9)
    with pytest.raises(SurveyError) as error:
        found.wald(["card"])
    assert str(error.value) == (
        "terms names 1 terms that the model does not have: ['card']; it has: ['(Intercept)', 'x', 'sex', 'age']."
    )


@given(scale=st.floats(1e-5, 1e5), seed=st.integers(0, 30))
@settings(max_examples=10, deadline=None)
def test_rescaled_weights_and_row_order_change_nothing(scale, seed):
    df = frame(seed).assign(b=lambda d: (d["q"] + d["x"] > 3).astype(float))
    order = np.random.default_rng(seed).permutation(len(df))
    other = Survey.from_frame(df.assign(w=scale * df["w"]).iloc[order], **DESIGN)
    for call in (lambda s: cx.linear(s, "q", ["x*sex"]), lambda s: cx.logit(s, "b", ["x", "sex"])):
        one = call(Survey.from_frame(df, **DESIGN))
        np.testing.assert_allclose(call(other).covariance, one.covariance, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(call(other).table["estimate"], one.table["estimate"], rtol=1e-7, atol=1e-10)


def test_missing_answers_leave_and_are_counted():
    df = frame().assign(x=lambda d: d["x"].where(d.index % 10 > 0))
    found = cx.linear(Survey.from_frame(df, weight="w"), "q", ["x"])
    assert (found.base.respondents, found.base.excluded) == (216, 24)
    share = df["w"][::10].sum() / df["w"].sum()
    assert [n["en"] for n in found.notes][
        -1
    ] == f"24 respondents ({share:.1%} of the weight) with a missing answer are left out."
    assert found.table["base"].tolist() == [216, 216]


def test_numbers_far_from_zero_stay_exact():
    df = frame().assign(big=lambda d: 1e7 + d["x"])
    survey = Survey.from_frame(df, **DESIGN)
    one, far = (cx.linear(survey, "q", [n]).table.iloc[1] for n in ("x", "big"))
    assert far["estimate"] == pytest.approx(one["estimate"], rel=1e-5)
    assert far["se"] == pytest.approx(one["se"], rel=1e-4)


def test_calls_make_the_result_again():
    survey = Survey.from_frame(frame(), **DESIGN)
    for result in (
        cx.linear(survey.where("x > 2"), "q", ["age"], factors=["age"], reference={"age": 2}, level=0.9),
        cx.logit(survey, "sex", ["q"], event="f"),
    ):
        pd.testing.assert_frame_equal(eval(result.call, {"cx": cx, "survey": survey}).table, result.table)


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda s: cx.linear(s, "q", ["xx"]),
            "terms names 1 column that is not in the survey: 'xx' (did you mean 'x'?).",
        ),
        (lambda s: cx.linear(s, "q", "x"), "terms is the text 'x'; pass a list, such as ['x']."),
        (lambda s: cx.linear(s, "q", ["q"]), "terms holds the outcome itself ('q'); leave it out."),
        (lambda s: cx.linear(s, "q", ["x:x"]), "terms: 'x:x' crosses a column with itself."),
        (
            lambda s: cx.linear(s, "q", ["one"]),
            "terms: 'one' has the same value in all 240 complete rows; leave it out.",
        ),
        (
            lambda s: cx.linear(s.where(sex="f"), "q", ["sex"]),
            "terms: factor 'sex' has 1 category in the {f} complete rows; a comparison needs two.",
        ),
        (
            lambda s: cx.linear(s, "q", ["x", "twice"]),
            "terms: 1 of 3 coefficients cannot be told from the others ('twice'): their columns repeat one another, or a "
            "combination of categories has nobody; leave a term out or merge categories.",
        ),
        (
            lambda s: cx.linear(s, "q", ["x"], factors=["age"]),
            "factors names 1 columns that are not among the terms: 'age'.",
        ),
        (
            lambda s: cx.linear(s, "q", ["empty"]),
            "terms: 0 of 240 respondents have complete answers; 2 coefficients need at least 3: name fewer terms, or widen the filter.",
        ),
        (
            lambda s: cx.logit(s, "age", ["x"]),
            "outcome 'age' has values other than 0 and 1 (2, 3); say which count as 1 with event=.",
        ),
        (
            lambda s: cx.logit(s, "one", ["x"]),
            "outcome 'one' is 1 for all 240 respondents; there is nothing to explain.",
        ),
        (
            lambda s: cx.logit(s, "high", ["x"]),
            "outcome 'high' is separated by the terms (fitted odds grow without end): some category or value goes with 0 only or "
            "1 only; merge categories, or leave a term out.",
        ),
        (
            lambda s: cx.logit(s, "sex", ["x"], event="female"),
            "sex has no value 'female'; it has: f, m.",
        ),
    ],
)
def test_faults(call, said):
    df = frame().assign(
        one=1.0, twice=lambda d: 2 * d["x"] - 1, empty=np.nan, high=lambda d: (d["x"] > 3).astype(float)
    )
    with pytest.raises(SurveyError) as error:
        call(Survey.from_frame(df, **DESIGN))
    assert str(error.value) == said.replace("{f}", str(int((df["sex"] == "f").sum())))


def test_more_coefficients_than_the_design_can_carry():
    df = frame().assign(
        **{f"x{k}": np.random.default_rng(k).normal(size=240) for k in range(3)}, c=lambda d: d["c"] % 100 % 2, s=1
    )
    with pytest.raises(SurveyError) as error:
        cx.linear(Survey.from_frame(df, weight="w", stratum="s", psu="c"), "q", ["x0", "x1"])
    assert str(error.value) == (
        "terms: 3 coefficients leave -1 degrees of freedom (PSUs − strata + 1 − coefficients); name fewer terms, or pass df=."
    )
