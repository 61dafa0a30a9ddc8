"""Parameters of notebooks: what is declared, and which values are let through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxlab.errors import SurveyError
from cxlab.report.parameters import Parameter, check_parameters, declared_parameters


def _declared(source: Any, tags: tuple[str, ...] = ("parameters",)) -> dict[str, Parameter]:
    return declared_parameters({"cells": [{"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source}]})


def _check(line: str, value: Any) -> Any:
    return check_parameters(_declared(line), {"x": value}, notebook="n.ipynb")["x"]


@pytest.mark.parametrize(
    ("line", "declared"),
    [
        ("x: str = 'a'", Parameter("x", "str")),
        ("x: str = 'a = b # c'", Parameter("x", "str")),
        ("x: str | None = None", Parameter("x", "str", optional=True)),
        ("x: None | int = None", Parameter("x", "int", optional=True)),
        ("x: Optional[float] = None", Parameter("x", "float", optional=True)),
        ("x: 'list[int]' = [1]", Parameter("x", "list", "int")),
        ("x: list[str] = [\n    'a',\n    'b',\n]", Parameter("x", "list", "str")),
        ("x: bool", Parameter("x", "bool", required=True)),
        ("x: int | str = 1", Parameter("x", optional=True)),
        ("x = 5", Parameter("x", "int")),
        ("x = -0.5  # a comment", Parameter("x", "float")),
        ("x = None", Parameter("x", optional=True)),
        ("x = 5 * y", Parameter("x", optional=True)),
    ],
)
def test_declarations(line: str, declared: Parameter) -> None:
    assert _declared(line) == {"x": declared}


def test_only_the_tagged_cell_counts_and_lists_of_lines_are_joined() -> None:
    assert _declared("x = 5", tags=()) == {}
    assert list(_declared(["x = 5\n", "import os\n", "y = 6"])) == ["x", "y"]


def test_a_parameters_cell_that_is_no_python() -> None:
    with pytest.raises(SurveyError, match=r"^the parameters cell is not valid Python: .+, line 2\.$"):
        _declared("x = 5\ny = ]")


@pytest.mark.parametrize(
    ("line", "given", "value"),
    [
        ("x: str = ''", "202601", "202601"),
        ("x: str = ''", "true", "true"),
        ("x: str | None = None", None, None),
        ("x: str | None = None", "none", "none"),
        ("x: int = 1", "-7", -7),
        ("x: int | None = 1", "None", None),
        ("x: float = 1.0", "1e3", 1000.0),
        ("x: float = 1.0", 2, 2.0),
        ("x: bool = False", "Yes", True),
        ("x: bool = True", "0", False),
        ("x: list = []", "queue, nurse", ["queue", "nurse"]),
        ("x: list = []", "", []),
        ("x: list[int] = []", "1,2", [1, 2]),
        ("x: list[str] = []", '["a, b", "c"]', ["a, b", "c"]),
        ("x: list = []", ("a", 1), ["a", 1]),
        ("x: dict = {}", '{"a": [1]}', {"a": [1]}),
        ("x = None", {"a": None}, {"a": None}),
    ],
)
def test_values_that_fit(line: str, given: Any, value: Any) -> None:
    fitted = _check(line, given)
    assert fitted == value
    assert type(fitted) is type(value)


@pytest.mark.parametrize(
    ("line", "given", "message"),
    [
        ("x: int = 1", "abc", "parameter x is 'abc' (text); n.ipynb declares it as int."),
        ("x: int = 1", 2.5, "parameter x is 2.5 (float); n.ipynb declares it as int."),
        ("x: int = 1", "2.5", "parameter x is '2.5' (text); n.ipynb declares it as int."),
        ("x: int = 1", True, "parameter x is True (bool); n.ipynb declares it as int."),
        ("x: str = ''", 202601, "parameter x is 202601 (int); n.ipynb declares it as str."),
        ("x: str = ''", None, "parameter x is None (NoneType); n.ipynb declares it as str."),
        ("x: bool = True", "maybe", "parameter x is 'maybe' (text); n.ipynb declares it as bool."),
        ("x: bool = True", 1, "parameter x is 1 (int); n.ipynb declares it as bool."),
        ("x: list[int] = []", "1,b", "parameter x is '1,b' (text); n.ipynb declares it as list[int]."),
        ("x: list[str] = []", [1], "parameter x is [1] (int); n.ipynb declares it as list[str]."),
        ("x: list = []", "[1,", "parameter x is '[1,' (text); n.ipynb declares it as list."),
        ("x: dict = {}", "[1]", "parameter x is '[1]' (list); n.ipynb declares it as dict."),
        ("x: float | None = 1.0", "nan",
         "parameter x is 'nan' (float), which cannot be written as JSON; n.ipynb declares it as float or None."),
        ("x = None", Path("a"), f"parameter x is {Path('a')!r} ({type(Path()).__name__}), which cannot be written as JSON; "
                                "n.ipynb declares it as any JSON value."),
        ("x = None", pd.Timestamp("2025-12-01"),
         "parameter x is Timestamp('2025-12-01 00:00:00') (Timestamp), which cannot be written as JSON; "
         "n.ipynb declares it as any JSON value."),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(line: str, given: Any, message: str) -> None:
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        _check(line, given)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SurveyError) as caught:
        check_parameters(_declared("wave: str = ''\ntop: int = 1\nneeded: int"), {"wav": "x", "top": "y"})
    assert str(caught.value).splitlines() == [
        "parameter 'wav' is not one of the notebook (did you mean 'wave'?); it declares: wave, top, needed.",
        "parameter top is 'y' (text); the notebook declares it as int.",
        "parameter needed has no value in the notebook, and none was given.",
    ]


def test_a_notebook_without_parameters_takes_none() -> None:
    with pytest.raises(SurveyError) as caught:
        check_parameters({}, {"top": 1})
    assert str(caught.value) == (
        "parameter 'top' is not one of the notebook; it declares none (no cell is tagged 'parameters')."
    )
