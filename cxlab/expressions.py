"""Conditions written as text ("satisfaction >= 9 and card != 'gold'"): parsed, never eval'd."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Columns(Protocol):
    """What an expression needs of a survey."""

    @property
    def data(self) -> pd.DataFrame: ...
    def values(self, name: str) -> np.ndarray: ...
    def codes_of(self, name: str, wanted: Any) -> list[Any]: ...
    def column_of(self, name: str) -> str: ...


def evaluate(text: str, survey: Columns) -> np.ndarray:
    """Evaluate a condition to a bool array, shape (rows,).

    A comparison with a missing answer is false, also ``!=``.

    Raises
    ------
    SurveyError
        If the text is not a condition of the allowed kinds, or names what does not exist.
    """
    result = _node(_parse(text), survey, text)
    if not (isinstance(result, np.ndarray) and result.dtype == bool):
        raise SurveyError(f"{text!r} is not a condition; compare something, e.g. 'satisfaction >= 9'.")
    return result


def compute(text: str, survey: Columns) -> np.ndarray:
    """Evaluate arithmetic on columns (+ − * /, parentheses, mean(a, b), conditions) to floats, shape (rows,)."""
    result = _node(_parse(text), survey, text)
    if not isinstance(result, np.ndarray):
        raise SurveyError(f"{text!r} names no column.")
    return result.astype(float)


def names(text: str) -> list[str]:
    """Column or role names that an expression uses, in order of appearance."""
    nodes = list(ast.walk(_parse(text)))
    called = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    found = [n for n in nodes if isinstance(n, ast.Name) and id(n) not in called]
    return list(dict.fromkeys(n.id for n in sorted(found, key=lambda n: (n.lineno, n.col_offset))))


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, SyntaxError) else error  # str() would add a file name
        raise SurveyError(f"{text!r} cannot be read as an expression: {said}.") from None


def _node(node: ast.expr, survey: Columns, text: str) -> Any:
    match node:
        case ast.Name(id=name):
            return survey.values(name)
        case ast.Constant(value=value) if isinstance(value, (int, float, str)):
            return value
        case ast.BoolOp(op=op, values=parts):
            done = [_condition(p, survey, text) for p in parts]
            return np.logical_and.reduce(done) if isinstance(op, ast.And) else np.logical_or.reduce(done)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return ~_condition(part, survey, text)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -_node(part, survey, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = _ARITHMETIC[type(op)](_node(left, survey, text), _node(right, survey, text))
            return np.where(np.isfinite(value), value, np.nan) if isinstance(value, np.ndarray) else value
        case ast.Call(func=ast.Name(id="mean"), args=args, keywords=[]) if args:
            columns = np.column_stack([_node(a, survey, text) for a in args])
            return columns.mean(axis=1)
        case ast.Compare(left=left, ops=ops, comparators=rights):
            done, lefts = [], [left, *rights[:-1]]
            for one, compare, other in zip(lefts, ops, rights, strict=True):
                done.append(_compare(one, compare, other, survey, text))
            return np.logical_and.reduce(done)
    raise SurveyError(
        f"{text!r} uses {ast.unparse(node)!r}; allowed are names, numbers, quoted labels, comparisons, "
        "in [...], and, or, not, + - * / and mean(...)."
    )


def _condition(node: ast.expr, survey: Columns, text: str) -> np.ndarray:
    value = _node(node, survey, text)
    if not (isinstance(value, np.ndarray) and value.dtype == bool):
        raise SurveyError(f"{text!r}: {ast.unparse(node)!r} is not a condition.")
    return value


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, survey: Columns, text: str) -> np.ndarray:
    if isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) and isinstance(left, ast.Name):
        try:
            wanted = ast.literal_eval(right)
        except ValueError:
            wanted = None
        if wanted is not None:
            column = survey.data[survey.column_of(left.id)]
            among = column.isin(survey.codes_of(left.id, wanted)).to_numpy()
            return among if isinstance(op, (ast.Eq, ast.In)) else ~among & column.notna().to_numpy()
    one, other = _node(left, survey, text), _node(right, survey, text)
    if isinstance(one, str) or isinstance(other, str):
        raise SurveyError(f"{text!r} orders text; compare numbers, or use == and in with labels.")
    if type(op) in _COMPARE:
        return np.asarray(_COMPARE[type(op)](one, other))
    if isinstance(op, ast.Eq):
        return np.asarray(one == other)
    if isinstance(op, ast.NotEq):
        return np.asarray((one != other) & ~np.isnan(one) & ~np.isnan(other))
    raise SurveyError(f"{text!r}: {ast.unparse(left)!r} cannot be compared that way.")
