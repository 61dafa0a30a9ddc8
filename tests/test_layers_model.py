"""Model texts: what is read, what is refused, in whole messages."""

from __future__ import annotations

import pytest

from cxlab.errors import SurveyError
from cxlab.layers._model import Construct, layer_model, read_model

TEXT = """
# ECSI, in part
Brand =~ Image + Expectation
Image =~ IMAG1 + IMAG2
Expectation <~ CUEX1 + CUEX2
Value =~ PERV1
Satisfaction =~ CUSA1
Satisfaction ~ Brand + Value + Brand * Value
"""


def test_text_and_mapping_give_the_same_model():
    mapping = {
        "constructs": {
            "Brand": ["Image", "Expectation"], "Image": ["IMAG1", "IMAG2"],
            "Expectation": {"items": ["CUEX1", "CUEX2"], "mode": "B"}, "Value": "PERV1", "Satisfaction": "CUSA1",
        },
        "paths": {"Satisfaction": ["Brand", "Value", "Brand*Value"]},
    }  # fmt: skip
    model = read_model(TEXT)
    assert model == read_model(mapping) == read_model(model.text())
    assert model.names == (
        "Image",
        "Expectation",
        "Brand",
        "Value",
        "Satisfaction",
    )  # parts before the whole, causes before effects
    assert model.construct("Expectation") == Construct("Expectation", ("CUEX1", "CUEX2"), "B")
    assert model.higher() == ("Brand",)
    assert model.products == ("Brand:Value",)
    assert model.items == ("IMAG1", "IMAG2", "CUEX1", "CUEX2", "PERV1", "CUSA1")


@pytest.mark.parametrize(
    "text",
    [
        "A\t=~\tx +\ty\r\nB =~ z\r\nB ~ A\r\n",
        "A =~ x + y; B =~ z; B ~ A;",
        "A ＝～ x ＋ y；B ＝～ z\nB ～ A",
        {"constructs": {"A": ["x", "y"], "B": "z"}, "paths": {"B": "A"}},
    ],
)
def test_ways_of_writing_the_same(text: object):
    assert read_model(text) == read_model("A =~ x + y\nB =~ z\nB ~ A")


def test_names_are_taken_as_they_are():
    model = read_model("到店 体验 =~ 排队 时长 + nurse-2\nB =~ “q”\nB ~ 到店 体验")
    assert model.constructs[0] == Construct("到店 体验", ("排队 时长", "nurse-2"))
    assert model.items == ("排队 时长", "nurse-2", "“q”")
    numbers = read_model({"constructs": {1: [11, 12], "B": 13}, "paths": {"B": [1]}})
    assert numbers.paths == (("1", "B"),)
    assert numbers.items == ("11", "12", "13")


def test_a_construct_may_be_called_like_its_item():
    model = read_model("W =~ queue + B\nqueue =~ queue\nB =~ x + y\nstay =~ stay + come\nstay ~ W")
    assert model.higher() == ("W",)
    assert model.items == ("queue", "x", "y", "stay", "come")
    assert read_model(model.text()) == model


def test_the_study_s_layers_are_a_model():
    model = layer_model({"behaviour": ["buy"], "emotion": ["joy"], "experience": ["queue", "meal"]})
    assert model.paths == (("experience", "emotion"), ("experience", "behaviour"), ("emotion", "behaviour"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "model names no construct; write 'Construct =~ item + item'."),
        ("A =~ x\nB =~ y", "model has no path; write 'Construct ~ cause + cause'."),
        ("A =~ x\nB = y", "model line 2 cannot be read: 'B = y'; write 'Construct =~ item + item' or 'Construct ~ cause + cause'."),
        ("A =~ x\nB =~ y\nA ~ B\nB ~ A",
         "model has a cycle: A -> B -> A; a path model goes one way: leave one of these paths out."),
        ("A =~ x\nB =~ y\nC =~ z\nB ~ A + C\nC ~ B",
         "model has a cycle: B -> C -> B; a path model goes one way: leave one of these paths out."),
        ("A =~ x\nA =~ y\nA ~ A", "model defines 1 construct more than once: 'A'."),
        ("A =~ x\nB =~ y\nB ~ A + B", "model has a cycle: B -> B; a path model goes one way: leave one of these paths out."),
        ("A =~ x\nB =~ x + y\nB ~ A",
         "model: 1 indicator measures more than one construct, or one twice: 'x' is in 'A' and 'B'; an indicator belongs to one construct."),
        ("A =~ x + x\nB =~ y\nB ~ A",
         "model: 1 indicator measures more than one construct, or one twice: 'x' is in 'A'; an indicator belongs to one construct."),
        ("A =~ x\nB =~ y\nC =~ z\nB ~ A",
         "model: 1 construct has no path: 'C'; connect it, or leave it out."),
        ("Image =~ x\nB =~ y\nB ~ Imgae",
         "model: 1 name in paths that no construct has: 'Imgae' (did you mean 'Image'?)."),
        ("A =~ x\nB =~ y\nB ~ A + A", "model names 1 path more than once: A -> B."),
        ("A =~ x\nB =~ y\nC =~ z\nC ~ A + B + A:B + B*A", "model names 1 path more than once: A:B -> C."),
        ("A =~ x\nC =~ z\nC ~ A + A:A",
         "model: the product 'A:A' is not one of two different constructs; only the change of a path by one moderator is estimated."),
        ("A =~ x\nB =~ y\nC =~ z\nD =~ v\nD ~ A + B + C + A:B:C",
         "model: the product 'A:B:C' is not one of two different constructs; only the change of a path by one moderator is estimated."),
        ("A =~ x\nC:D =~ z\nC:D ~ A", "model: construct 'C:D' has ':' or '*' in its name, which stand for products; rename it."),
        (["A =~ x"], "model is of type list; give text such as 'Construct =~ item + item', a mapping of constructs and paths, or the path of a YAML "
                     "file."),
        ({"constructs": {"A": None, "B": "y"}, "paths": {"B": "A"}}, "model: construct 'A' has no indicator; name at least one item."),
        ({"constructs": {"A": "x", "B": "y"}, "paths": {"B": None}}, "model has no path; write 'Construct ~ cause + cause'."),
        ({"constructs": {"A": {"items": ["x"], "modes": "B"}, "B": "y"}, "paths": {"B": "A"}},
         "model: construct 'A' has 1 unknown key: 'modes' (did you mean 'mode'?); allowed: items, mode, labels."),
        ({"constructs": {"A": {"items": {"x": 1}}, "B": "y"}, "paths": {"B": "A"}},
         "model: indicators of 'A' are {'x': 1}; give a name, or a list of names."),
        ({"constructs": {"A": {"items": ["x"], "labels": ["Joy"]}, "B": "y"}, "paths": {"B": "A"}},
         "model: labels of construct 'A' are ['Joy']; give a text, or a mapping such as {en: …, zh: …}."),
        ({"constructs": {"A": "x", "B": "y"}, "paths": {"B": [["A"]]}}, "model: paths to 'B' are [['A']]; give a name, or a list of names."),
        ("A =~ x\nB =~ A + y\nC =~ z\nC ~ B",
         "model: construct 'B' mixes items and constructs; a construct of constructs has no items."),
        ({"constructs": {"A": []}, "paths": {"A": ["A"]}},
         "model: construct 'A' has no indicator; name at least one item."),
        ({"constructs": {"A": {"items": ["x"], "mode": "C"}}, "paths": {}},
         "model: construct 'A' has mode 'C'; allowed: 'A', 'B'."),
        ("A =~ x\nB =~ y\nC =~ z\nC ~ A + A:B",
         "model: the product 'A:B' leads to 'C' without a path from 'B'; the change of a path is read beside the path itself: add it."),
        ("A =~ x + v\nB =~ y\nW =~ A + B\nC =~ z\nC ~ W + A",
         "model: the path 'A' -> 'C' uses 'A', which is a part of 'W'; let the whole take the path, or leave the higher-order "
         "construct out."),
        ("A =~ x\nB =~ A\nC =~ B\nD =~ z\nD ~ C",
         "model: 'B' is both a part and made of parts; two orders of constructs are the most."),
        ({"construct": {}}, "model needs two mappings, constructs (name: items) and paths (name: causes); it has 'construct'."),
    ],
)  # fmt: skip
def test_messages(text, message):
    with pytest.raises(SurveyError) as error:
        read_model(text)
    assert str(error.value) == message


def test_one_layer_is_no_model():
    with pytest.raises(SurveyError) as error:
        layer_model({"emotion": ["joy"]})
    assert str(error.value) == (
        "model: the survey declares 1 of the layers experience, emotion, behaviour; declare experience, behaviour under "
        "layers in study.yml, or pass model=."
    )
