"""The columns of a banner: who is in each, against whom it is compared, and its letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from cxlab.errors import SurveyError, unknown_names
from cxlab.items import MultipleResponse, in_order, pick
from cxlab.metrics import names, value_names
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

Texts = Mapping[str, str]
MOST_COLUMNS = 200
TOTAL: Texts = {"en": "Total", "zh": "总体"}


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a banner.

    Attributes
    ----------
    key : str
        ``"total"``, ``"card=2"``, ``"card=2, gender=1"``.
    group : str
        Columns of one group stand side by side under one heading: ``"card"``, ``"card × gender"``.
    headings : tuple of mapping of language to str
        Group heading, then the labels from the outer to the inner variable.
    inside, universe : bool array, shape (rows,)
        Members; members of the whole group, of which the others are "the rest".
    letter : str
        ``""`` for a column that is not compared.
    """

    key: str
    group: str
    headings: tuple[Texts, ...]
    inside: np.ndarray
    universe: np.ndarray
    letter: str = ""


_ALPHABET = "ABCDEFGHJKMNOPQRSTUVWXYZ"  # I and L are left out: lower-case l and upper-case I look alike


def letter(place: int) -> str:
    """Column letter: A … H, J, K, M … Z, AA …

    Examples
    --------
    >>> letter(0), letter(8), letter(23), letter(24), letter(48)
    ('A', 'J', 'Z', 'AA', 'BA')
    """
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, len(_ALPHABET))
        text = _ALPHABET[rest] + text
    return text


def multiple_responses(survey: Survey) -> dict[str, MultipleResponse]:
    """Multiple-response sets by name."""
    return {s.name: s for s in survey.codebook.sets}


def columns_of(
    survey: Survey, wanted: Sequence[str | Sequence[str]], *, total: bool, all_compared: bool
) -> tuple[list[Column], list[Texts]]:
    """Lay out the banner: a total, then the groups asked for.

    Returns
    -------
    columns : list of Column
    notes : list
        Crossed cells that nobody is in.

    Raises
    ------
    SurveyError
        For unknown names, a group without members, or more than 200 columns.
    """
    counted = survey.domain & (survey.weights > 0)
    found: list[Column] = []
    notes: list[Texts] = []
    if total:
        found.append(Column("total", "total", (TOTAL,), counted, counted))
    _require(survey, wanted)
    for spec in wanted:
        made, empty = _group(survey, (spec,) if isinstance(spec, str) else tuple(spec), counted)
        found += made
        if empty:
            notes.append(Note(_EMPTY, count=empty, group=made[0].headings[0]))
    if len(found) > MOST_COLUMNS:
        raise SurveyError(
            f"columns make {len(found):,} columns; a banner has up to {MOST_COLUMNS}: name fewer, or band them in "
            "study.yml (recoded)."
        )
    compared = [c for c in found if all_compared or c.group != "total"]
    letters = {c.key: letter(k) for k, c in enumerate(compared)}
    return [Column(**{**vars(c), "letter": letters.get(c.key, "")}) for c in found], notes


_EMPTY = {
    "en": "{group:cap}: {count} crossed groups that nobody belongs to are left out.",
    "zh": "{group}：有 {count} 个交叉组无受访者，已略去。",
}


def _require(survey: Survey, wanted: Sequence[str | Sequence[str]]) -> None:
    if not wanted:
        raise SurveyError("columns is empty; name at least one segment.")
    flat = [name for spec in wanted for name in ([spec] if isinstance(spec, str) else spec)]
    sets = multiple_responses(survey)
    unknown = [n for n in flat if n not in sets and n != "wave" and not survey.has(n)]
    if unknown:
        raise unknown_names("columns", unknown, [*survey.data.columns, *survey.roles.names(), *sets])
    specs = [(s,) if isinstance(s, str) else tuple(s) for s in wanted]
    twice = [s for s in specs if specs.count(s) > 1 or len(set(s)) < len(s)]
    if twice:
        raise SurveyError(f"columns names {' × '.join(twice[0])!r} more than once; name each group once.")


def _group(survey: Survey, spec: tuple[str, ...], counted: np.ndarray) -> tuple[list[Column], int]:
    """Columns of one variable, or of several nested in each other."""
    parts = [_variable(survey, name, counted) for name in spec]
    universe = counted & np.logical_and.reduce([p.universe for p in parts])
    size = int(np.prod([len(p.keys) for p in parts]))
    if size > MOST_COLUMNS:
        raise SurveyError(
            f"columns: {' × '.join(map(repr, spec))} makes {size:,} columns; a banner has up to {MOST_COLUMNS}: "
            "band it in study.yml (recoded)."
        )
    group = " × ".join(spec)
    heading = {lang: " × ".join(p.labels[lang] for p in parts) for lang in LANGUAGES}
    made = []
    for cell in product(*(range(len(p.keys)) for p in parts)):
        inside = universe.copy()
        for part, k in zip(parts, cell, strict=True):
            inside &= part.inside[:, k]
        chosen = list(zip(parts, cell, strict=True))
        key = ", ".join(f"{p.name}={p.keys[k]}" for p, k in chosen)
        made.append(Column(key, group, (heading, *(p.texts[k] for p, k in chosen)), inside, universe))
    kept = [c for c in made if c.inside.any()]
    if not kept:
        raise SurveyError(f"columns: {group!r} has no members among the {int(counted.sum()):,} respondents.")
    return kept, len(made) - len(kept)


@dataclass(frozen=True, eq=False)
class _Variable:
    """A segment or a multiple-response set: its groups, which need not be disjoint."""

    name: str
    labels: Texts
    keys: list[str]
    texts: list[Texts]
    inside: np.ndarray  # (rows, groups)
    universe: np.ndarray


def _variable(survey: Survey, name: str, counted: np.ndarray) -> _Variable:
    sets = multiple_responses(survey)
    if name in sets:
        picked = answers_of(survey, sets[name])
        labels = set_names(sets[name])
        return _Variable(name, labels, list(map(plain, picked.codes)), picked.texts, picked.given, picked.answered)
    column = survey.column_of(name)
    values = survey.data[column]
    codes = in_order(values[counted].dropna().unique().tolist())
    if not codes:
        raise SurveyError(
            f"columns: {name!r} is missing for all {int(counted.sum()):,} respondents; name another column."
        )
    if len(codes) > MOST_COLUMNS:
        raise SurveyError(
            f"columns: {name!r} has {len(codes):,} groups among the {int(counted.sum()):,} respondents; up to "
            f"{MOST_COLUMNS} make a banner: band it in study.yml (recoded)."
        )
    inside = np.column_stack([(values == c).to_numpy() for c in codes])
    texts: list[Texts] = [value_names(survey, column, c) for c in codes]
    return _Variable(name, names(survey, column), list(map(plain, codes)), texts, inside, values.notna().to_numpy())


def plain(code: Any) -> str:
    """Code as part of a key: 3.0 as ``3``."""
    return f"{code:.15g}" if isinstance(code, float) else str(code)


# ------------------------------------------------------------------ multiple responses
@dataclass(frozen=True, eq=False)
class Answers:
    """Who gave which answer of a multiple-response set, and who was asked it.

    Attributes
    ----------
    given : bool array, shape (rows, answers)
    answered : bool array, shape (rows,)
        Respondents with an answer in any column of the set, "no" included.
    """

    codes: list[Any]
    texts: list[Texts]
    given: np.ndarray
    answered: np.ndarray


def answers_of(survey: Survey, mr: MultipleResponse) -> Answers:
    """Read a set of dichotomies (one column per answer) or of categories (one column per mention)."""
    survey.require(f"set {mr.name!r}", mr.items)
    data = survey.data[list(mr.items)]
    answered = data.notna().any(axis=1).to_numpy()
    if mr.kind == "dichotomy":
        given = np.column_stack([(data[i] == (1.0 if mr.counted is None else mr.counted)).to_numpy() for i in mr.items])
        return Answers(list(mr.items), [names(survey, i) for i in mr.items], given, answered)
    labelled = {
        c: i for i in reversed(mr.items) for c in survey.codebook[i].values if c not in survey.codebook[i].missing
    }
    occurring = {c: i for i in mr.items for c in data[i].dropna().unique().tolist()}
    home: dict[Any, str] = {**occurring, **labelled}
    codes = in_order(home)
    mentioned = np.array([(data == c).any(axis=1).to_numpy() for c in codes], dtype=bool).reshape(len(codes), -1).T
    return Answers(codes, [value_names(survey, home[c], c) for c in codes], mentioned, answered)


def set_names(mr: MultipleResponse) -> dict[str, str]:
    """Wording of a set in every language."""
    return {lang: pick(mr.labels, lang, mr.name.lstrip("$")) for lang in LANGUAGES}
