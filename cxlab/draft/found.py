"""What a draft is made of: guesses, what was left out, and what a file does not tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlab.draft.columns import Column
from cxlab.draft.vocabulary import DEMOGRAPHIC, SCALE_WORDS, spaced
from cxlab.draft.wording import Bilingual, why
from cxlab.survey import Survey


@dataclass(frozen=True)
class Guess:
    """One line of the draft and why it stands there.

    Attributes
    ----------
    key : str
        Place in study.yml, such as ``outcomes.recommend``.
    value : str, number, list or mapping
    sure : bool
        False where a person should look.
    why : mapping of language to str
    """

    key: str
    value: Any
    sure: bool
    why: Bilingual


@dataclass(eq=False)
class File:
    """A survey file while it is looked through; each finder takes the columns that it understands.

    Attributes
    ----------
    survey : Survey
    columns : mapping of name to Column
    used : set of str
        Columns that have a part already.
    guesses : list of Guess
    left : mapping of kind to list of str
        Columns that were understood and not used, by the keys of ``wording.LEFT_OUT``.
    gaps : list of mapping of language to str
        What was not found, and what that costs.
    """

    survey: Survey
    columns: dict[str, Column]
    used: set[str] = field(default_factory=set)
    guesses: list[Guess] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)
    gaps: list[Bilingual] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Respondents of the file."""
        return len(self.survey.data)

    def free(self) -> list[Column]:
        """Columns without a part."""
        return [c for n, c in self.columns.items() if n not in self.used and c.answered]

    def ratings(self) -> list[Column]:
        """Columns without a part that look like ratings."""
        return [c for c in self.free() if is_rating(c)]

    def add(self, key: str, value: Any, sure: bool, reason: Bilingual, names: Iterable[str] = ()) -> None:
        """Note a guess and take its columns."""
        self.guesses.append(Guess(key, value, bool(sure), reason))
        self.used.update(names)

    def leave(self, kind: str, names: Iterable[str]) -> None:
        """Note columns that are understood and not used."""
        names = list(names)
        if names:
            self.left.setdefault(kind, []).extend(names)
            self.used.update(names)

    def value(self, key: str) -> Any:
        """Value of a guess; None if there is none."""
        return next((g.value for g in self.guesses if g.key == key), None)

    def values(self, key: str) -> list[Any]:
        """Values of all guesses of a key."""
        return [g.value for g in self.guesses if g.key == key]


def is_rating(column: Column) -> bool:
    """Tell ratings from groups that are coded 1, 2, 3 … as well."""
    if not column.rating:
        return False
    partly = column.from_labels and len(column.labelled) < column.labelled[-1] - column.labelled[0] + 1
    says_scale = bool(SCALE_WORDS.search(" ".join(column.endpoints)))
    if DEMOGRAPHIC.search(spaced(column.name)):
        return (partly and says_scale) or (
            not column.labelled and column.scale == (0, 10) and len(column.distinct) >= 9
        )
    if not column.from_labels:
        return column.item.measure != "nominal"
    numbers = all(t.strip(" .+-−").isdigit() for t in column.endpoints)
    return partly or numbers or says_scale


def because(where: str, column: Column) -> dict[str, str]:
    """Word where a column gave itself away."""
    text = " ".join(column.label.split())
    return why("name") if where == "name" else why("label", text=f"{text[:57]}…" if len(text) > 58 else text)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names for a comment, cut where there are many."""
    names = list(names)
    return ", ".join(names[:most]) + (f", … ({len(names)})" if len(names) > most else "")


def outcome_values(file: File, items: Iterable[str]) -> np.ndarray:
    """Mean of outcome items, shape (rows,), NaN where one is missing."""
    return np.column_stack([file.columns[i].values.to_numpy(dtype=float) for i in items]).mean(axis=1)


def lacking(parts: Mapping[str, Bilingual], file: File, keys: Mapping[str, str]) -> list[Bilingual]:
    """Costs of what no guess filled; ``keys`` says which guess each part waits for."""
    have = {g.key for g in file.guesses} | {g.key.split(".")[0] for g in file.guesses}
    return [parts[part] for part, key in keys.items() if key not in have]
