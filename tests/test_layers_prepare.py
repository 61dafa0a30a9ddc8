"""From a survey to the columns of a path model: what is refused, what is said, in whole messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import DataWarning, SurveyError
from cxlab.items import Codebook
from cxlab.survey import Roles, Survey

SMALL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"


def drawn(count: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    score = rng.normal(size=count)
    return pd.DataFrame({n: score + rng.normal(size=count) for n in ("a1", "a2", "a3", "b1", "b2", "c1", "c2")})


def declared(df: pd.DataFrame, **items: dict[str, object]) -> Survey:
    survey = Survey.from_frame(df)
    changed = {n: replace(survey.codebook[n], **said) for n, said in items.items()}
    return replace(survey, codebook=Codebook({**survey.codebook.items, **changed}))


def message(survey: Survey, model: object, **options: object) -> str:
    with pytest.raises(SurveyError) as error:
        cx.path_model(survey, model, **options)
    return str(error.value)


def test_categories_are_no_indicators():
    df = drawn()
    codes = df.assign(b2=np.arange(300) % 5 + 1.0)
    assert message(declared(codes, b2={"measure": "nominal"}), SMALL) == (
        "model: indicator 'b2' is nominal and has 5 categories, whose codes have no order; use a 0/1 column of one category, or declare its "
        "scale if the codes are in order."
    )
    ordered = declared(codes, b2={"measure": "nominal", "scale": (1.0, 5.0)})
    assert len(cx.path_model(ordered, SMALL, replicates=0).table) == 3
    yes_no = declared(df.assign(b2=(df["b2"] > 0) * 1.0), b2={"measure": "nominal"})
    assert len(cx.path_model(yes_no, SMALL, replicates=0).table) == 3


def test_answers_count_once():
    """A role of several items, and one of these items, in two constructs: they would go together of themselves."""
    scale = {"scale": (-5.0, 5.0)}
    survey = declared(drawn(), c1=scale, c2=scale)
    survey = replace(survey, roles=Roles(outcomes={"content": ("c1", "c2")}))
    assert message(survey, "A =~ a1 + c1\nB =~ content\nB ~ A") == (
        "model: the indicators 'c1' and 'content' are made of the same answers ('c1'); leave one out."
    )


@pytest.mark.parametrize("tiny", [0.0, 1e-9])
def test_regression_weights_of_indicators_that_repeat_one_another(tiny: float):
    df = drawn()
    df["a3"] = df["a1"] + df["a2"] + tiny * df["a3"]
    assert message(Survey.from_frame(df), SMALL.replace("A =~", "A <~"), replicates=0) == (
        "model: 3 of 3 indicators of 'A' repeat one another exactly ('a1', 'a2', 'a3'): weights by regression are not defined; leave one out, or "
        "write A =~ …."
    )
    assert np.isfinite(cx.path_model(Survey.from_frame(df), SMALL, replicates=0).table["estimate"]).all()


def test_answers_outside_the_scale_are_said():
    df = drawn().clip(-4, 4)
    df.loc[:2, "b2"] = 98.0
    with pytest.warns(DataWarning) as said:
        result = cx.path_model(declared(df, b2={"scale": (-4.0, 4.0)}), SMALL, replicates=0)
    assert str(said[0].message) == (
        "3 answers lie outside the declared scale and count as they are: 'b2' 3; declare codes that are no answers as missing, or correct the "
        "scale."
    )
    assert "Answers outside the declared scale, used as they are: b2 3." in [n["en"] for n in result.notes]


def test_few_rows():
    assert message(Survey.from_frame(drawn(9)), SMALL) == (
        "model: 9 of 9 respondents answered all 7 indicators; at least 10 are needed: widen the filter."
    )
    assert message(Survey.from_frame(drawn(1)), SMALL) == (
        "model: 1 of 1 respondent answered all 7 indicators; at least 10 are needed: widen the filter."
    )


def test_pairs_that_nobody_answered_are_named_with_the_argument():
    df = drawn()
    df.loc[:149, "a1"], df.loc[150:, "b1"] = np.nan, np.nan
    assert message(Survey.from_frame(df), SMALL, missing="em") == (
        "model: 1 pair of columns has no respondent who answered both ('a1' and 'b1'), so that nothing is known of how they go together; "
        "leave one of them out, or widen the filter."
    )


def test_files_that_are_no_models(tmp_path: Path):
    survey, path = Survey.from_frame(drawn()), tmp_path / "model.yml"
    path.write_bytes("constructs: {到店: [a1]}\npaths: {}".encode("gbk"))
    assert message(survey, path) == "model: model.yml is not UTF-8 (byte 14); save it as UTF-8."
    path.write_text("constructs: {A: [a1\npaths: {}")
    assert message(survey, path).startswith("model: model.yml is no YAML (line 2): ")
    path.write_text("")
    assert message(survey, path) == "model: model.yml holds neither the text of a model nor constructs and paths."
    assert message(survey, tmp_path) == f"model: the file {str(tmp_path)!r} does not exist."
    path.write_text("constructs: {A: [a1, a2], C: c1}\npaths: {C: A}\n", encoding="utf-8-sig")
    assert len(cx.path_model(survey, path, replicates=0).table) == 1


def test_a_construct_called_like_its_item_has_the_item_s_wording():
    survey = declared(drawn(), c1={"labels": {"en": "Would come again", "zh": "愿意再来"}})
    result = cx.path_model(survey, "A =~ a1 + a2\nc1 =~ c1\nc1 ~ A", replicates=0)
    other = cx.path_model(survey, "A =~ a1 + a2\nC =~ c1\nC ~ A", replicates=0)
    assert result.table["estimate"].tolist() == other.table["estimate"].tolist()
    assert result.label("c1", "zh") == "愿意再来"
