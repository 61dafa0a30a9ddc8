"""What a notebook's parameters cell declares, and whether given values fit it."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cxlab.errors import SurveyError, nearest

_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "list": (list, tuple), "dict": (dict,),
}  # fmt: skip
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Attributes
    ----------
    name : str
    kind : str
        ``"str"``, ``"int"``, ``"float"``, ``"bool"``, ``"list"``, ``"dict"``, or ``""`` where anything goes.
    element : str
        Kind of a list's elements, ``""`` where anything goes.
    optional : bool
        None is allowed.
    required : bool
        The line gives no value.
    """

    name: str
    kind: str = ""
    element: str = ""
    optional: bool = False
    required: bool = False

    @property
    def declared(self) -> str:
        """The declaration as an annotation."""
        if not self.kind:
            return "any JSON value"
        kind = f"{self.kind}[{self.element}]" if self.element else self.kind
        return f"{kind} or None" if self.optional else kind


def declared_parameters(notebook: Mapping[str, Any]) -> dict[str, Parameter]:
    """Read the parameters cell of a notebook.

    The cell is parsed as Python, so that ``wave: str | None = None`` and strings that
    hold ``=`` count as well as plain literals.

    Parameters
    ----------
    notebook : mapping
        A notebook in format 4 (a NotebookNode or the parsed JSON).

    Returns
    -------
    dict of str to Parameter
        Empty if no cell is tagged ``parameters``.

    Raises
    ------
    SurveyError
        If the cell is not valid Python.

    Examples
    --------
    >>> cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "wave: str = '2025-12'"}
    >>> declared_parameters({"cells": [cell]})["wave"].kind
    'str'
    """
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "parameters" in cell.get("metadata", {}).get("tags", ()):
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            try:
                lines = ast.parse(source).body
            except SyntaxError as fault:
                raise SurveyError(
                    f"the parameters cell is not valid Python: {fault.msg}, line {fault.lineno}."
                ) from None
            return {p.name: p for p in map(_parameter, lines) if p}
    return {}


def check_parameters(
    declared: Mapping[str, Parameter], given: Mapping[str, Any], *, notebook: str = "the notebook"
) -> dict[str, Any]:
    """Check names and types before anything runs.

    Text is read the way the declaration says, so that the command line and Python behave
    alike: ``"5"`` is 5 for an ``int``, ``"202601"`` stays text for a ``str``, ``"a,b"`` is a list
    for a ``list``.

    Parameters
    ----------
    declared : mapping of str to Parameter
        From :func:`declared_parameters`.
    given : mapping of str to value
    notebook : str
        Name for messages.

    Returns
    -------
    dict
        Values of the declared types, every one of them JSON.

    Raises
    ------
    SurveyError
        Naming every unknown name, every missing one and every value that does not fit.

    Examples
    --------
    >>> check_parameters({"top": Parameter("top", "int")}, {"top": "5"})
    {'top': 5}
    """
    values, problems = {}, [_unknown(name, declared, notebook) for name in given if name not in declared]
    for name, value in given.items():
        if name in declared:
            try:
                values[name] = _fit(declared[name], value)
            except (TypeError, ValueError) as fault:
                problems.append(f"parameter {name} is {value!r}{fault}; {notebook} declares it as "
                                f"{declared[name].declared}.")  # fmt: skip
    missing = [p.name for p in declared.values() if p.required and p.name not in given]
    problems += [f"parameter {name} has no value in {notebook}, and none was given." for name in missing]
    if problems:
        raise SurveyError("\n".join(problems))
    return values


def _unknown(name: str, declared: Mapping[str, Parameter], notebook: str) -> str:
    has = f"it declares: {', '.join(declared)}" if declared else "it declares none (no cell is tagged 'parameters')"
    return f"parameter {name!r} is not one of {notebook}{nearest(name, declared)}; {has}."


def _parameter(line: ast.stmt) -> Parameter | None:
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
        kind, element, optional = _annotation(line.annotation)
        return Parameter(line.target.id, kind, element, optional, line.value is None)
    if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
        try:
            kind = type(ast.literal_eval(line.value)).__name__
        except ValueError:
            kind = ""
        return Parameter(line.targets[0].id, kind if kind in _KINDS else "", optional=kind not in _KINDS)
    return None


def _annotation(node: ast.expr | None) -> tuple[str, str, bool]:
    """Kind, element kind and whether None is allowed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _annotation(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.BinOp):
        sides = [s for s in (node.left, node.right) if not (isinstance(s, ast.Constant) and s.value is None)]
        kind, element, optional = _annotation(sides[0]) if len(sides) == 1 else ("", "", True)
        return kind, element, optional or len(sides) == 1
    if isinstance(node, ast.Subscript):
        outer, inner = ast.unparse(node.value).rpartition(".")[2], _annotation(node.slice)
        if outer == "Optional":
            return inner[0], inner[1], True
        return (outer, inner[0], False) if outer in _KINDS else ("", "", True)
    name = ast.unparse(node) if node is not None else ""
    return (name, "", False) if name in _KINDS else ("", "", True)


def _fit(parameter: Parameter, value: Any) -> Any:
    """The value in the declared type; ValueError with the end of ``parameter x is 'y'``."""
    if isinstance(value, str) and parameter.kind not in ("str", ""):
        value = _parse(parameter, value)
    if value is None and parameter.optional:
        return None
    value = _typed(parameter.kind, value)
    if parameter.kind == "list":
        value = [_typed(parameter.element, v) for v in value]
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f" ({type(value).__name__}), which cannot be written as JSON") from None
    return value


def _typed(kind: str, value: Any) -> Any:
    fits = not kind or (isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool)))
    if not fits:
        raise ValueError(f" ({type(value).__name__})")
    return float(value) if kind == "float" else value


def _parse(parameter: Parameter, text: str) -> Any:
    if parameter.optional and text.casefold() == "none":
        return None
    if parameter.kind == "bool":
        if text.casefold() in (*_TRUE, *_FALSE):
            return text.casefold() in _TRUE
        raise ValueError(" (text)")
    if parameter.kind == "list" and not text.lstrip().startswith("["):
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [_parse(Parameter("", parameter.element), p) for p in parts] if parameter.element else parts
    try:
        return text if parameter.kind in ("str", "") else _NUMBERS.get(parameter.kind, json.loads)(text)
    except ValueError:
        raise ValueError(" (text)") from None


_NUMBERS: dict[str, Any] = {"int": int, "float": float}
