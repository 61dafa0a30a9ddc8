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
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
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

    A comparison with a missing answer is unknown, and so is its negation: neither
    ``q >= 5`` nor ``not q >= 5`` holds for a respondent who did not answer q. ``and`` and ``or`` decide where the
    answers that are there decide.

    Raises
    ------
    SurveyError
        If the text is not a condition of the allowed kinds, or names what does not exist.
    """
    result = _node(_parse(text), survey, text)
    if not _is_condition(result):
        raise SurveyError(f"{text!r} is not a condition; compare something, e.g. 'satisfaction >= 9'.")
    return np.asarray(result == _TRUE)


def compute(text: str, survey: Columns) -> np.ndarray:
    """Evaluate arithmetic on columns (+ − * /, parentheses, mean(a, b), conditions) to floats, shape (rows,).

    A condition counts 1 where it holds, 0 where it does not, NaN where a missing answer leaves it unknown. Whatever is
    computed of a missing answer is missing, also a mean; so is a division by zero.
    """
    result = _number(_parse(text), survey, text)
    if not isinstance(result, np.ndarray):
        raise SurveyError(f"{text!r} names no column.")
    return result


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
            return value if isinstance(value, str) else np.float64(value)
        case ast.BoolOp(op=op, values=parts):
            done = [_condition(p, survey, text) for p in parts]
            return np.minimum.reduce(done) if isinstance(op, ast.And) else np.maximum.reduce(done)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return _TRUE - _condition(part, survey, text)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -_number(part, survey, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = _ARITHMETIC[type(op)](_number(left, survey, text), _number(right, survey, text))
            return np.where(np.isfinite(value), value, np.nan) if isinstance(value, np.ndarray) else value
        case ast.Call(func=ast.Name(id="mean"), args=args, keywords=[]) if args:
            return np.mean(np.broadcast_arrays(*[_number(a, survey, text) for a in args]), axis=0)
        case ast.Compare(left=left, ops=ops, comparators=rights):
            done, lefts = [], [left, *rights[:-1]]
            for one, compare, other in zip(lefts, ops, rights, strict=True):
                done.append(_compare(one, compare, other, survey, text))
            return np.minimum.reduce(done)
    raise SurveyError(
        f"{text!r} uses {ast.unparse(node)!r}; allowed are names, numbers, quoted labels, comparisons, "
        "in [...], and, or, not, + - * / and mean(...)."
    )


# A condition is an int8 array; so `and` is the minimum, `or` the maximum, `not` the mirror image.
_FALSE, _UNKNOWN, _TRUE = np.int8(0), np.int8(1), np.int8(2)


def _is_condition(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.int8


def _truth(holds: Any, known: Any) -> np.ndarray:
    return np.where(known, np.where(holds, _TRUE, _FALSE), _UNKNOWN)


def _condition(node: ast.expr, survey: Columns, text: str) -> np.ndarray:
    value = _node(node, survey, text)
    if not _is_condition(value):
        raise SurveyError(f"{text!r}: {ast.unparse(node)!r} is not a condition.")
    return np.asarray(value)


def _number(node: ast.expr, survey: Columns, text: str) -> Any:
    """Value of a node as floats; text is refused."""
    value = _node(node, survey, text)
    if isinstance(value, str):
        raise SurveyError(f"{text!r} computes with the text {value!r}; labels can only be compared, with == and in.")
    return np.where(value == _UNKNOWN, np.nan, value / 2.0) if _is_condition(value) else value


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, survey: Columns, text: str) -> np.ndarray:
    if isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) and isinstance(left, ast.Name):
        try:
            wanted = ast.literal_eval(right)
        except ValueError:
            wanted = None
        if wanted is not None:
            listed = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
            if not all(isinstance(w, (int, float, str)) for w in listed):
                raise SurveyError(f"{text!r}: {ast.unparse(right)!r} is no code, label or list of them.")
            column = survey.data[survey.column_of(left.id)]
            among = column.isin(survey.codes_of(left.id, wanted)).to_numpy()
            holds = among if isinstance(op, (ast.Eq, ast.In)) else ~among
            return _truth(holds, column.notna().to_numpy())
    one, other = _node(left, survey, text), _node(right, survey, text)
    if isinstance(one, str) or isinstance(other, str):
        raise SurveyError(f"{text!r} orders text; compare numbers, or use == and in with labels.")
    one, other = _number(left, survey, text), _number(right, survey, text)
    if type(op) not in _COMPARE:
        raise SurveyError(f"{text!r}: {ast.unparse(left)!r} cannot be compared that way.")
    return _truth(_COMPARE[type(op)](one, other), ~(np.isnan(one) | np.isnan(other)))
