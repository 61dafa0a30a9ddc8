"""Surveys: how frames become codes, how names and labels are found, and what a domain is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey, Touchpoint

CARD = Item("card", {"en": "Card", "zh": "卡种"}, values={
    1.0: {"en": "ordinary", "zh": "普卡"}, 2.0: {"en": "gold", "zh": "金卡"}, 3.0: {"en": "diamond", "zh": "钻卡"},
})  # fmt: skip


@pytest.fixture
def survey() -> Survey:
    df = pd.DataFrame({
        "card": [1, 2, 2, None, 1], "q": [7.0, 9, None, 3, 10], "effort": [1.0, 7, 4, None, None],
        "w": [1.0, 2, 1, 0, 1], "month": [1.0, 1, 2, 2, 2], "city": ["A", "B", None, "A", "C"],
    })  # fmt: skip
    plain = Survey.from_frame(df, weight="w", labels={"q": "How satisfied?"})
    month = Item("month", values={1.0: {"und": "2025-11"}, 2.0: {"und": "2025-12"}, 3.0: {"und": "2026-01"}})
    items = (CARD, month, Item("q", {"en": "Satisfaction", "zh": "满意度"}, scale=(0, 10)),
             Item("effort", scale=(1, 7), higher_is_better=False))  # fmt: skip
    roles = Roles(
        wave="month", outcomes={"satisfaction": ("q",), "loyalty": ("q", "effort")}, drivers={"": ("effort",)},
        labels={"loyalty": {"en": "Loyalty", "zh": "忠诚度"}},
    )  # fmt: skip
    return replace(plain, codebook=plain.codebook.with_items(*items), roles=roles)


# ---------------------------------------------------------------------- from a frame
def test_frames_become_codes():
    df = pd.DataFrame({
        "level": pd.Categorical(["high", None, "low"], ["low", "high"], ordered=True), "yes": [True, False, True],
        "count": pd.array([1, None, 3], dtype="Int64"), "text": ["a", None, "c"],
        "day": pd.to_datetime(["2025-01-01", None, "2025-02-01"]), 5: [1, 2, 3],
    }, index=[9, 9, 2])  # fmt: skip
    survey = Survey.from_frame(df)
    assert survey.data.index.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(survey.values("level"), [2, np.nan, 1])
    np.testing.assert_array_equal(survey.values("yes"), [1, 0, 1])
    np.testing.assert_array_equal(survey.values("count"), [1, np.nan, 3])
    np.testing.assert_array_equal(survey.values("5"), [1, 2, 3])
    assert [survey.codebook[c].kind for c in ("level", "text", "day")] == ["number", "text", "datetime"]
    assert survey.labelled(["level"])["level"].tolist()[0] == "high"
    assert survey.labelled(["level"])["level"].cat.categories.tolist() == ["low", "high"]
    assert df["level"].dtype == "category"  # the frame itself is left alone


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda df: Survey.from_frame(df[["q", "q"]]), "df has 1 column name(s) more than once: 'q'; rename them."),
        (lambda df: Survey.from_frame(df.rename(columns={"q": 1, "w": "1"})),
         "df has 1 column name(s) more than once: '1'; rename them."),
        (lambda df: Survey.from_frame(df, labels={"p": "?"}), "labels names 1 column that is not in df: 'p'."),
        (lambda df: Survey.from_frame(df, weight="wt"),
         "design names 1 column that is not in the survey: 'wt' (did you mean 'w'?)."),
        (lambda df: Survey.from_frame(df.assign(w=[1, -1]), weight="w"),
         "weight 'w' has 0 missing and 1 negative values in 2 rows; correct them, or leave these respondents out of the "
         "file (weight 0 keeps a row but does not count it)."),
    ],
)  # fmt: skip
def test_frames_that_are_refused(make, message):
    with pytest.raises(SurveyError) as error:
        make(pd.DataFrame({"q": [1.0, 2.0], "w": [1.0, 1.0]}))
    assert str(error.value) == message


# ---------------------------------------------------------------------- domains
@pytest.mark.parametrize(
    ("conditions", "groups", "rows"),
    [
        ((), {"card": "gold"}, [1, 2]),
        ((), {"card": "金卡"}, [1, 2]),
        ((), {"card": 2}, [1, 2]),
        ((), {"card": ["gold", "普卡"]}, [0, 1, 2, 4]),
        ((), {"wave": "2025-12"}, [2, 3, 4]),
        ((), {"wave": ["2025-11", 2]}, [0, 1, 2, 3, 4]),
        ((), {"satisfaction": 9}, [1]),
        (("q >= 7",), {}, [0, 1, 4]),
        (("q >= 7", "effort < 5"), {}, [0]),
        (("satisfaction >= 7 and card != 'gold'",), {"wave": 2}, [4]),
        ((), {"city": "A"}, [0, 3]),
    ],
)
def test_where(survey, conditions, groups, rows):
    domain = survey.where(*conditions, **groups)
    assert np.flatnonzero(domain.domain).tolist() == rows
    assert len(domain) == len(rows)
    assert domain.data is survey.data  # no row leaves: variances stay those of the design
    assert survey.domain.all()  # and the survey itself is unchanged


def test_where_adds_up_and_writes_itself_down(survey):
    twice = survey.where("q >= 7").where(card=["gold", "ordinary"])
    assert np.flatnonzero(twice.domain).tolist() == [0, 1, 4]
    assert twice.filter == ".where('q >= 7').where(card=['gold', 'ordinary'])"
    again = eval(f"survey{twice.filter}", {"survey": survey})
    np.testing.assert_array_equal(again.domain, twice.domain)
    assert repr(twice) == "<Survey survey: 3 of 5 respondents × 6 columns; weight w>"
    assert repr(survey) == "<Survey survey: 5 respondents × 6 columns; weight w>"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.where(card="golden"),
         "card has no value 'golden' (did you mean 'gold'?); it has: ordinary, 普卡, gold, 金卡, diamond, 钻卡, 1, 2, 3."),
        (lambda s: s.where(card=7), "card has no value 7; it has: ordinary, 普卡, gold, 金卡, diamond, 钻卡, 1, 2, 3."),
        (lambda s: s.where(crad=1), "name names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."),
        (lambda s: s.where(loyalty=1), "'loyalty' is a role of 2 items; name one column."),
        (lambda s: s.where(card="diamond"), "where(card='diamond') leaves nobody of 5 respondents."),
        (lambda s: s.where("q > 10"), "where('q > 10') leaves nobody of 5 respondents."),
        (lambda s: s.where(wave="2026-02"),
         "month has no value '2026-02' (did you mean '2026-01'?); it has: 2025-11, 2025-12, 2026-01, 1, 2, 3."),
        (lambda s: s.values("loyal"), "name names 1 column that is not in the survey: 'loyal' (did you mean 'loyalty'?)."),
        (lambda s: s.values("city"), "'city' holds text, numbers are needed."),
        (lambda s: replace(s, roles=Roles(layers={"both": ("q", "w")})).values("both"),
         "role 'both' has several items, and the scale of 'w' is not declared: its mean on 0–100 is undefined; give the "
         "item a scale, or name one column."),
        (lambda s: s.codebook["crad"], "the codebook has no item 'crad' (did you mean 'card'?)."),
    ],
)  # fmt: skip
def test_messages(survey, call, message):
    with pytest.raises(SurveyError) as error:
        call(survey)
    assert str(error.value) == message


def test_an_answer_on_the_scale_that_nobody_gave_is_no_typing_error(survey):
    assert survey.codes_of("q", 4) == [4]
    assert np.flatnonzero(survey.where("q in [4, 3]").domain).tolist() == [3]
    with pytest.raises(SurveyError, match=r"^q has no value 11; it has: "):
        survey.codes_of("q", 11)


def test_a_label_of_two_codes_is_refused():
    item = Item("x", values={1.0: {"en": "other"}, 2.0: {"en": "other"}})
    survey = Survey.from_frame(pd.DataFrame({"x": [1, 2]}))
    survey = replace(survey, codebook=survey.codebook.with_items(item))
    with pytest.raises(SurveyError) as error:
        survey.where(x="other")
    assert str(error.value) == "x: the label 'other' stands for 2 codes (1, 2); name the code."
    assert survey.labelled(["x"])["x"].tolist() == ["other (1)", "other (2)"]


# ---------------------------------------------------------------------- names and numbers
def test_a_name_is_a_column_first_and_then_a_role(survey):
    np.testing.assert_array_equal(survey.values("satisfaction"), survey.values("q"))
    shadowed = survey.with_columns(satisfaction=[1.0, 1, 1, 1, 1])
    assert shadowed.values("satisfaction").tolist() == [1, 1, 1, 1, 1]


def test_several_items_are_a_mean_on_0_to_100_turned_so_that_more_is_better(survey):
    # q: 70, 90, –, 30, 100; effort (1 best of 1–7): 100, 0, 50, –, –; half of the items suffices
    np.testing.assert_allclose(survey.values("loyalty"), [85, 45, 50, 30, 100])
    assert survey.scale("loyalty") == (0, 100)
    assert survey.scale("q") == (0, 10)
    assert survey.scale("city") is None


@pytest.mark.parametrize(
    ("name", "lang", "label"),
    [("q", "zh", "满意度"), ("satisfaction", "zh", "满意度"), ("loyalty", "zh", "忠诚度"), ("loyalty", "en", "Loyalty"),
     ("city", "zh", "city")],
)  # fmt: skip
def test_labels(survey, name, lang, label):
    assert survey.label(name, lang) == label


def test_levels_are_those_that_occur_in_code_order(survey):
    assert [(level.code, level.label) for level in survey.levels("card", "zh")] == [(1, "普卡"), (2, "金卡")]
    assert [level.label for level in survey.levels("city")] == ["A", "B", "C"]


def test_labelled_keeps_code_order_and_the_domain(survey):
    shown = survey.where("q >= 7").labelled(["card", "city"], "zh")
    assert shown["card"].tolist() == ["普卡", "金卡", "普卡"]
    assert shown["card"].cat.categories.tolist() == ["普卡", "金卡", "钻卡"]
    assert shown.index.tolist() == [0, 1, 4]


def test_added_columns_leave_the_survey_alone_and_change_the_hash(survey):
    more = survey.with_columns(score=np.arange(5), flag=[True, False, True, True, False])
    assert "score" not in survey.data
    assert more.values("flag").tolist() == [1, 0, 1, 1, 0]
    assert more.codebook["score"].name == "score"
    assert more.data_hash != survey.data_hash
    assert survey.where("q > 3").data_hash == survey.data_hash
    assert len(survey.data_hash) == 16


def test_weights_are_ones_without_a_weight(survey):
    assert survey.weights.tolist() == [1, 2, 1, 0, 1]
    assert Survey.from_frame(pd.DataFrame({"q": [1, 2]})).weights.tolist() == [1, 1]


def test_touchpoints_have_a_name_in_every_language():
    point = Touchpoint("queue", "visit", "Desk", "queue", labels={"en": "Queue", "zh": "排队"})
    assert (point.label("zh"), point.label("en"), Touchpoint("meal", "", "", "meal").label("zh")) == (
        "排队",
        "Queue",
        "meal",
    )


def test_public_functions_work_on_a_plain_frame():
    df = pd.DataFrame({"q": [7, 9, 8, 6], "card": ["gold", "gold", "plain", "plain"]})
    assert cx.means(Survey.from_frame(df), "q", by="card").table["estimate"].tolist() == [8, 7]
