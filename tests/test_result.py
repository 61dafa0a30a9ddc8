from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from cxlab.errors import SurveyError
from cxlab.result import Base, Result, reliability
from cxlab.words import set_language

mpl.use("Agg")


@pytest.fixture(autouse=True)
def english_again():
    yield
    set_language("en")


@pytest.fixture
def result() -> Result:
    table = pd.DataFrame(
        {
            "segment": ["gold", "<b>diamond</b>", "ordinary"],
            "estimate": [7.249, 9.876, float("nan")],
            "low": np.array([7.1, 8.765, 1.5], dtype="float32"),
            "p_value": [0.0312, 0.5432, 0.00001],
            "rank": [1, 17, 3],
            "clear": [True, True, False],
            "base": [1200, 25, 80],
            "base_effective": [1012.3, 22.2, 61.4],
            "reliability": ["ok", "suppressed", "low"],
        }
    )
    return Result(
        table,
        Base(1305, 1095.9, excluded=15, excluded_share=0.012),
        notes=({"en": "Fewer than 30 & masked", "zh": "有效样本量不足 30，不予显示"},),
        labels={
            "gold": {"en": "Gold <i>card</i>", "zh": "金卡"},
            "estimate": {"en": "Mean", "zh": "均值"},
        },
        call="cx.means(survey, 'satisfaction')",
        title={"en": "Satisfaction by <card>", "zh": "各卡种满意度"},
        formats={"estimate": ".1f"},
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_html_as_stored(result, snapshot, lang):
    set_language(lang)
    assert result._repr_html_() == snapshot


def test_html_escapes_keys_labels_titles_and_notes(result):
    html = result._repr_html_()
    for raw in ("<b>", "<i>", "<card>", "30 & masked"):
        assert raw not in html
    assert "&lt;b&gt;diamond&lt;/b&gt;" in html
    assert "Gold &lt;i&gt;card&lt;/i&gt;" in html


def test_no_number_of_a_suppressed_row_is_shown_but_its_base(result):
    row = result.shown("en").iloc[1].to_dict()
    assert row == {
        "Segment": "<b>diamond</b>",
        "Mean": "–",
        "Low": "–",
        "p": "–",
        "Rank": "–",
        "clear": "–",
        "Base": "25",
        "Effective base": "22",
        "Reliability": "suppressed",
    }
    assert result.table.loc[1, "estimate"] == 9.876  # the table keeps it


def test_masking_is_by_row_label_not_by_position(result):
    shuffled = replace(result, table=result.table.set_index(pd.Index([5, 5, 0])))
    assert (shuffled.shown("en") == result.shown("en")).all(axis=None)


def test_cells_of_every_kind(result):
    first, third = result.shown("en").iloc[0].tolist(), result.shown("zh").iloc[2].tolist()
    assert first == ["Gold <i>card</i>", "7.2", "7.10", ".031", "1", "✓", "1,200", "1,012", "ok"]
    assert third == ["ordinary", "–", "1.50", "< .001", "3", "", "80", "61", "样本偏少"]


def test_keys_that_are_missing_or_numbers_read_well():
    table = pd.DataFrame({"code": [1.0, 2.5, float("nan")], "other": ["a", None, "b"]})
    shown = Result(table, Base(3)).shown("en")
    assert shown["Answer"].tolist() == ["1", "2.5", ""]
    assert shown["other"].tolist() == ["a", "", "b"]


def test_two_columns_with_one_label_both_stay(result):
    twice = replace(result, labels={"estimate": {"en": "Mean"}, "low": {"en": "Mean"}})
    assert list(twice.shown("en").columns[:3]) == ["Segment", "Mean", "Mean (low)"]


def test_a_base_without_an_effective_one_says_no_nan():
    html = Result(pd.DataFrame({"item": ["q1"]}), Base(10))._repr_html_()
    assert "nan" not in html
    assert "Base 10<" in html


def test_reliability_at_its_limits_and_without_a_base():
    assert reliability([float("nan"), 0, 29.999, 30, 74.999, 75, np.inf]).tolist() == [
        "suppressed", "suppressed", "suppressed", "low", "low", "ok", "ok",
    ]  # fmt: skip
    assert str(reliability(30)) == "low"


def test_a_result_without_a_picture_says_where_its_numbers_are(result):
    with pytest.raises(SurveyError) as error:
        result.plot()
    assert str(error.value) == "Result has no picture; its table is in .table."
