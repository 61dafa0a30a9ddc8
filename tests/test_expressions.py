"""Conditions and formulas: what they mean for missing answers, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import SurveyError
from cxlab.expressions import compute, evaluate, names
from cxlab.items import Item
from cxlab.survey import Survey

NAN = float("nan")


@pytest.fixture
def survey() -> Survey:
    plain = Survey.from_frame(
        pd.DataFrame(
            {"a": [1, 5, 9, NAN], "b": [9, 5, NAN, NAN], "card": [1, 2, 2, NAN], "city": ["X", None, "Y", "X"]}
        )
    )
    card = Item("card", values={1.0: {"en": "gold", "zh": "金卡"}, 2.0: {"en": "plain", "zh": "普卡"}})
    return Survey(plain.data, plain.codebook.with_items(card))


CONDITIONS = {
    "a >= 5": [0, 1, 1, 0],
    "5 <= a": [0, 1, 1, 0],
    "a == 5": [0, 1, 0, 0],
    "a != 5": [1, 0, 1, 0],
    "not a != 5": [0, 1, 0, 0],
    "not a >= 5": [1, 0, 0, 0],  # the fourth did not answer, and is in neither group
    "not (not a >= 5)": [0, 1, 1, 0],
    "a < b": [1, 0, 0, 0],
    "a == b": [0, 1, 0, 0],
    "a != b": [1, 0, 0, 0],
    "a >= 5 and b >= 5": [0, 1, 0, 0],
    "a >= 5 or b >= 5": [1, 1, 1, 0],  # the third holds whatever b would have been
    "not (a >= 5 and b < 5)": [1, 1, 0, 0],  # the first fails a, so b does not matter; the third is unknown
    "1 < a < 9": [0, 1, 0, 0],
    "2 * a + 1 > b - 3": [0, 1, 0, 0],
    "-a < -4": [0, 1, 1, 0],
    "(a >= 5) + (b >= 5) == 2": [0, 1, 0, 0],
    "mean(a, b) == 5": [1, 1, 0, 0],
    "card == 'gold'": [1, 0, 0, 0],
    "card == '金卡'": [1, 0, 0, 0],
    "card != 'gold'": [0, 1, 1, 0],
    "not card == 'gold'": [0, 1, 1, 0],
    "card in ['gold', 2]": [1, 1, 1, 0],
    "card not in ('gold',)": [0, 1, 1, 0],
    "card in []": [0, 0, 0, 0],
    "city == 'X'": [1, 0, 0, 1],
    "city != 'X'": [0, 0, 1, 0],
    "a - 6 == -1 or a == 9.0": [0, 1, 1, 0],
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions(survey, text):
    found = evaluate(text, survey)
    assert found.dtype == bool
    assert found.tolist() == [bool(v) for v in CONDITIONS[text]]


FORMULAS = {
    "a + b": [10, 10, NAN, NAN],
    "2 * (a - 1) / b": [0, 1.6, NAN, NAN],
    "a / (a - 5)": [-0.25, NAN, 2.25, NAN],  # division by zero is missing, not infinite
    "a + 1 / 0": [NAN, NAN, NAN, NAN],
    "mean(a, b)": [5, 5, NAN, NAN],
    "mean(a, 3)": [2, 4, 6, NAN],
    "a >= 5": [0, 1, 1, NAN],  # not 0 for who did not answer
    "(a >= 5) + (b >= 5)": [1, 2, NAN, NAN],  # a count, not an "or"
    "(a >= 5) - (b >= 5)": [-1, 0, NAN, NAN],
    "-(a >= 5)": [0, -1, -1, NAN],
    "100 * (card == 'gold')": [100, 0, 0, NAN],
    "mean(a >= 5, b >= 5)": [0.5, 1, NAN, NAN],
    "a": [1, 5, 9, NAN],
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(survey, text):
    found = compute(text, survey)
    assert found.dtype == float
    np.testing.assert_allclose(found, FORMULAS[text])


REFUSED = {
    "a": "'a' is not a condition; compare something, e.g. 'satisfaction >= 9'.",
    "1 < 2": "'1 < 2' is not a condition; compare something, e.g. 'satisfaction >= 9'.",
    "a and b >= 5": "'a and b >= 5': 'a' is not a condition.",
    "a >= ": "'a >= ' cannot be read as an expression: invalid syntax.",
    "city < 'Y'": "'city' holds text, numbers are needed.",
    "a < 'nine'": "\"a < 'nine'\" orders text; compare numbers, or use == and in with labels.",
    "card == 'golden'": "card has no value 'golden' (did you mean 'gold'?); it has: gold, 金卡, plain, 普卡, 1, 2.",
    "aa > 1": "name names 1 column that is not in the survey: 'aa' (did you mean 'a'?).",
    "a in b": "'a in b': 'a' cannot be compared that way.",
    "card in [['gold']]": "\"card in [['gold']]\": \"[['gold']]\" is no code, label or list of them.",
    "a + 'x' > 1": "\"a + 'x' > 1\" computes with the text 'x'; labels can only be compared, with == and in.",
}
ALLOWED = "; allowed are names, numbers, quoted labels, comparisons, in [...], and, or, not, + - * / and mean(...)."
FOREIGN = {
    "__import__('os').system('true') == 0": "__import__('os').system('true')",
    "a.real > 1": "a.real",
    "max(a, b) > 1": "max(a, b)",
    "mean() > 1": "mean()",
    "mean(a, axis=1) > 1": "mean(a, axis=1)",
    "a ** 99 > 1": "a ** 99",
    "a if b else a": "a if b else a",
    "[x for x in a] == 1": "[x for x in a]",
    "(lambda: a)() > 1": "(lambda: a)()",
    "a[0] > 1": "a[0]",
    "a == None": "None",
    "f'{a}' == 1": "f'{a}'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_conditions_that_are_refused(survey, text):
    with pytest.raises(SurveyError) as error:
        evaluate(text, survey)
    assert str(error.value) == REFUSED[text]


@pytest.mark.parametrize("text", FOREIGN)
def test_nothing_but_the_grammar_is_read(survey, text):
    with pytest.raises(SurveyError) as error:
        evaluate(text, survey)
    assert str(error.value) == f"{text!r} uses {FOREIGN[text]!r}{ALLOWED}"


@pytest.mark.parametrize(("text", "said"), [("1 + 2", "'1 + 2' names no column."), ("'x'", None)])
def test_formulas_that_are_refused(survey, text, said):
    with pytest.raises(SurveyError) as error:
        compute(text, survey)
    assert str(error.value) == (
        said or "\"'x'\" computes with the text 'x'; labels can only be compared, with == and in."
    )


def test_names_in_order_and_once():
    assert names("mean(q2, q1) > q3 and q1 == 'mean'") == ["q2", "q1", "q3"]


@given(
    a=st.lists(st.one_of(st.integers(0, 3).map(float), st.just(NAN)), min_size=6, max_size=6),
    b=st.lists(st.one_of(st.integers(0, 3).map(float), st.just(NAN)), min_size=6, max_size=6),
)
def test_a_condition_and_its_negation_split_those_who_are_known(a, b):
    plain = Survey.from_frame(pd.DataFrame({"a": a, "b": b}))
    survey = Survey(plain.data, plain.codebook.with_items(Item("a", scale=(0, 3)), Item("b", scale=(0, 3))))
    for text in ("a > 1 and b > 1", "a > 1 or b > 1", "a != b", "a in [1, 2]", "not (a > b or b == 0)"):
        holds, fails = evaluate(text, survey), evaluate(f"not ({text})", survey)
        value = compute(text, survey)
        assert not (holds & fails).any()
        np.testing.assert_array_equal(holds, value == 1)
        np.testing.assert_array_equal(fails, value == 0)
        known = np.isfinite(survey.values("a")) & np.isfinite(survey.values("b"))
        assert (holds | fails)[known].all()
