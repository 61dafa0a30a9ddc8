import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlab import words
from cxlab.errors import SurveyError
from cxlab.words import Sentence, Sentences, number, sentence, set_language


@pytest.fixture(autouse=True)
def english_again():
    yield
    set_language("en")


@pytest.mark.parametrize(
    ("value", "spec", "printed"),
    [
        (-0.0, ".1f", "0.0"),
        (-0.04, "+.1f", "0.0"),
        (0.04, "+.1f", "0.0"),
        (-0.05, "+.1f", "−0.1"),
        (-0.004, ".0%", "0%"),
        (-1234.5, ",.1f", "−1,234.5"),
        (12, "+d", "+12"),
        (float("nan"), ".1f", "–"),
        (np.float32("nan"), ".1f", "–"),
        (pd.NA, ".1f", "–"),
        (pd.NaT, "%Y", "–"),
        (None, "p", "–"),
        (float("-inf"), ".1f", "−∞"),
        (float("inf"), "pp", "∞"),
        ("2025-12", "", "2025-12"),
        ("-x", ".1f", "-x"),
        (dt.date(2025, 12, 1), "%Y-%m", "2025-12"),
        (1e-7, ".0e", "1e−07"),
    ],
)
def test_numbers_as_people_read_them(value, spec, printed):
    assert number(value, spec) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "p < .001"),
        (0.00099, "p < .001"),
        (0.001, "p = .001"),
        (0.0496, "p = .050"),
        (0.5, "p = .500"),
        (0.9996, "p = 1.000"),
        (1.0, "p = 1.000"),
    ],
)
def test_p_values(value, printed):
    assert number(value, "p") == printed


@pytest.mark.parametrize(
    ("difference", "printed"),
    [(0.034, "+3.4"), (-0.034, "−3.4"), (-0.0004, "0.0"), (0.0, "0.0"), (float("nan"), "–")],
)
def test_differences_of_shares_in_percentage_points(difference, printed):
    assert number(difference, "pp") == printed


def test_a_sentence_keeps_the_unrounded_facts_beside_what_is_printed():
    template = {"en": "{who}: {mean:.1f} ({change:+.1f}), {p:p}", "zh": "{who}:{mean:.1f}"}
    said = sentence(template, "en", who="Gold", mean=7.2499, change=-0.0123, p=0.0312, unused=1)
    assert said.text == "Gold: 7.2 (0.0), p = .031"
    assert said.facts == {"who": "Gold", "mean": 7.2499, "change": -0.0123, "p": 0.0312}
    assert said.shown == {"who": "Gold", "mean": "7.2", "change": "0.0", "p": "p = .031"}


def test_braces_in_a_fact_are_not_read_as_a_template():
    assert sentence({"en": "{what}", "zh": ""}, "en", what="{x} {{y}}").text == "{x} {{y}}"


def test_sentences_follow_the_current_language():
    template = {"en": "Base {base:,}.", "zh": "样本量 {base:,}。"}
    set_language("zh")
    assert sentence(template, base=1234).text == "样本量 1,234。"
    assert sentence(template, "en", base=1234).text == "Base 1,234."


def test_an_unknown_language_is_refused_and_changes_nothing():
    set_language("zh")
    with pytest.raises(SurveyError) as error:
        set_language("zn")
    assert str(error.value) == "lang is 'zn'; allowed: 'en', 'zh'."
    assert words.language() == "zh"


def test_sentences_are_escaped_in_html_and_plain_in_text():
    said = Sentences([Sentence("<script>alert(1)</script> & 'x'"), Sentence("second")])
    assert said._repr_html_() == (
        "<ul><li>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#x27;x&#x27;</li><li>second</li></ul>"
    )
    assert str(said) == "<script>alert(1)</script> & 'x'\nsecond"


def test_points_may_have_more_decimals():
    assert [number(-0.03125, spec) for spec in ("pp", "pp2", "pt", "pt3")] == ["−3.1", "−3.12", "−3.1", "−3.125"]
