"""Prepare a mixture of regressions: columns, centring, who is complete, who answered at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.design import Design, resolve
from cxlab.errors import SurveyError
from cxlab.metrics import names, value_names
from cxlab.segments._types_em import Rows
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_ITEMS = 6  # the same answer to so many items is no opinion
MOST_CODES = 10  # a labelled covariate with up to so many codes becomes indicators


@dataclass(frozen=True, eq=False)
class Term:
    """A column of the model: where it comes from, how it is centred and scaled.

    Attributes
    ----------
    name : str
    items : tuple of str
        Columns whose mean it is.
    labels : mapping of language to str
    code : code or None
        For an indicator, the code that it marks.
    centre, scale : float
        The model sees (value − centre) / scale.
    """

    name: str
    items: tuple[str, ...]
    labels: Mapping[str, str]
    code: Any = None
    centre: float = 0.0
    scale: float = 1.0

    def values(self, survey: Survey) -> FloatArray:
        """Raw values of every row, NaN unless every item is answered."""
        if self.code is not None:
            column = survey.data[self.items[0]]
            return np.where(column.notna(), (column == self.code).to_numpy(dtype=float), np.nan)
        return np.column_stack([survey.values(i) for i in self.items]).mean(axis=1)

    def column(self, survey: Survey) -> FloatArray:
        """Values as the model sees them."""
        return (self.values(survey) - self.centre) / self.scale


@dataclass(frozen=True, eq=False)
class Terms:
    """Everything that the model is made of."""

    outcome: Term
    own: tuple[Term, ...]
    shared: tuple[Term, ...]
    member: tuple[Term, ...]

    def matrix(self, part: str, survey: Survey) -> FloatArray:
        """Columns of a part, shape (rows, terms)."""
        found = [t.column(survey) for t in getattr(self, part)]
        return np.column_stack(found) if found else np.empty((len(survey.data), 0))


@dataclass(frozen=True, eq=False)
class Prepared:
    """Complete rows with weights that sum to the base, and where they stand in the design."""

    terms: Terms
    rows: Rows
    weights: FloatArray
    where: np.ndarray
    design: Design
    straight: int
    excluded: int
    excluded_share: float


def assemble(terms: Terms, survey: Survey) -> Rows:
    """All rows of a survey as the model sees them, NaN where unknown."""
    one = np.ones((len(survey.data), 1))
    return Rows(terms.outcome.column(survey), np.hstack([one, terms.matrix("own", survey)]),
                terms.matrix("shared", survey), np.hstack([one, terms.matrix("member", survey)]))  # fmt: skip


def prepare(survey: Survey, terms: Terms, *, straight_lining: str) -> Prepared:
    """Keep who is complete, scale the weights to the base, centre the columns.

    Raises
    ------
    SurveyError
        If a column does not vary, or drivers determine one another.
    """
    counted = survey.domain & (survey.weights > 0)
    parts = (terms.outcome, *terms.own, *terms.shared, *terms.member)
    values = np.column_stack([t.values(survey) for t in parts])
    complete = counted & np.isfinite(values).all(axis=1)
    flat = _straight(survey, terms) & complete if straight_lining == "exclude" else np.zeros(len(complete), bool)
    used = complete & ~flat
    total = float(survey.weights[counted].sum())
    if used.sum() < 2:
        raise SurveyError(f"{int(used.sum())} of {int(counted.sum()):,} respondents answered everything the model needs; "
                          "name fewer items.")  # fmt: skip
    raw = survey.weights[used]
    means = raw @ values[used] / raw.sum()
    spread = np.sqrt(raw @ (values[used] - means) ** 2 / raw.sum())
    still = [t.name for t, s in zip(parts, spread, strict=True) if not s > 1e-9]
    if still:
        raise SurveyError(f"{len(still)} of the model's terms do not vary among {int(used.sum()):,} respondents: "
                          f"{', '.join(map(repr, still))}; leave them out.")  # fmt: skip
    fitted = _centred(terms, means, spread)
    rows = assemble(fitted, survey).take(used)
    _check_rank(rows, fitted)
    lost = counted & ~used
    return Prepared(fitted, rows, raw * used.sum() / raw.sum(), np.flatnonzero(used), resolve(survey), int(flat.sum()),
                    int(lost.sum()), float(survey.weights[lost].sum() / total))  # fmt: skip


def _centred(terms: Terms, means: FloatArray, spread: FloatArray) -> Terms:
    """Drivers centred, covariates standardised; the outcome stays."""
    from dataclasses import replace

    at = 1 + len(terms.own) + len(terms.shared)
    drivers = [replace(t, centre=float(m)) for t, m in zip((*terms.own, *terms.shared), means[1:at], strict=True)]
    member = [replace(t, centre=float(m), scale=float(s))
              for t, m, s in zip(terms.member, means[at:], spread[at:], strict=True)]  # fmt: skip
    return Terms(terms.outcome, tuple(drivers[: len(terms.own)]), tuple(drivers[len(terms.own) :]), tuple(member))


def _check_rank(rows: Rows, terms: Terms) -> None:
    for what, matrix, parts in (
        ("drivers", np.hstack([rows.own, rows.shared]), (*terms.own, *terms.shared)),
        ("membership", rows.member, terms.member),
    ):
        if np.linalg.matrix_rank(matrix / np.linalg.norm(matrix, axis=0)) < matrix.shape[1]:
            raise SurveyError(
                f"{what}: the {len(parts)} terms ({', '.join(t.name for t in parts)}) determine one another; leave one out."
            )


def _straight(survey: Survey, terms: Terms) -> np.ndarray:
    """Who gave one and the same answer to every driver item."""
    items = list(dict.fromkeys(i for t in (*terms.own, *terms.shared) for i in t.items))
    if len(items) < LEAST_ITEMS:
        return np.zeros(len(survey.data), dtype=bool)
    answers = np.column_stack([survey.values(i) for i in items])
    known = np.isfinite(answers).all(axis=1)
    return known & (
        np.nanmax(np.where(known[:, None], answers, 0), axis=1)
        == np.nanmin(np.where(known[:, None], answers, 0), axis=1)
    )


# ---------------------------------------------------------------------- which columns
WORDS: Mapping[str, Mapping[str, str]] = {
    "price": {"en": "price", "zh": "价格"}, "service": {"en": "service", "zh": "服务"},
    "product": {"en": "product", "zh": "产品"}, "value": {"en": "value", "zh": "价值"},
    "sensory": {"en": "sensory", "zh": "感官"}, "convenience": {"en": "convenience", "zh": "便利"},
    "relationship": {"en": "relationship", "zh": "关系"}, "brand": {"en": "brand", "zh": "品牌"},
}  # fmt: skip


def terms_of(survey: Survey, outcome: str, drivers: Any, common: Sequence[str], membership: Sequence[str]) -> Terms:
    """Look the names up and turn labelled covariates into indicators.

    Raises
    ------
    SurveyError
        For unknown names, an empty list, or an item that is used twice.
    """
    survey.require("outcome", [outcome])
    for name, value in (("common", common), ("membership", membership)):
        if isinstance(value, str):
            raise SurveyError(f"{name} is the text {value!r}; a list of columns is needed: [{value!r}].")
    blocks = _blocks(survey, drivers)
    for name, items in (
        ("drivers", [i for b in blocks.values() for i in b]),
        ("common", common),
        ("membership", membership),
    ):
        survey.require(name, items)
    used = [*survey.items_of(outcome), *(i for b in blocks.values() for i in b), *common]
    twice = sorted({i for i in used if used.count(i) > 1})
    if twice:
        raise SurveyError(
            f"{len(twice)} items take part more than once (outcome, drivers, common): {', '.join(map(repr, twice))}."
        )
    own = tuple(Term(n, tuple(items), _wording(survey, n, items)) for n, items in blocks.items())
    shared = tuple(Term(n, (n,), names(survey, n)) for n in common)
    member = tuple(t for n in membership for t in _covariates(survey, n))
    return Terms(Term(outcome, (outcome,), names(survey, outcome)), own, shared, member)


def _blocks(survey: Survey, drivers: Any) -> dict[str, list[str]]:
    if drivers is None:
        blocks = {n: list(items) for n, items in survey.roles.drivers.items() if n}
        if not blocks:
            raise SurveyError("drivers: the survey declares no blocks of drivers; pass drivers={name: [items], ...}.")
        return blocks
    if isinstance(drivers, str):
        raise SurveyError(
            f"drivers is the text {drivers!r}; a list of columns or a mapping of name to items is needed."
        )
    if isinstance(drivers, Mapping):
        blocks = {str(n): [items] if isinstance(items, str) else list(items) for n, items in drivers.items()}
    else:
        blocks = {str(n): [n] for n in drivers}
    if not blocks or not all(blocks.values()):
        raise SurveyError("drivers is empty, or a block of it is; name at least one item each.")
    return blocks


def _wording(survey: Survey, name: str, items: Sequence[str]) -> Mapping[str, str]:
    own = names(survey, name) if survey.has(name) else survey.roles.labels.get(name, {})
    if own and set(own.values()) != {name}:
        return own
    return WORDS.get(name) or (names(survey, items[0]) if len(items) == 1 else {"en": name, "zh": name})


def _covariates(survey: Survey, name: str) -> list[Term]:
    """One term, or an indicator for every code but the first."""
    column = survey.column_of(name)
    item, series = survey.codebook.items.get(column), survey.data[column][survey.domain]
    codes = sorted(series.dropna().unique().tolist(), key=lambda c: (isinstance(c, str), c))
    text = not np.issubdtype(np.asarray(codes).dtype, np.number)
    if not text and not (item and item.values and len(codes) <= MOST_CODES):
        return [Term(name, (column,), names(survey, column))]
    if len(codes) > MOST_CODES:
        raise SurveyError(
            f"membership: {name!r} has {len(codes):,} groups; up to {MOST_CODES} can be indicators: band it."
        )
    label = names(survey, column)
    terms = []
    for code in codes[1:]:
        value = value_names(survey, column, code)
        terms.append(Term(f"{name}={code:g}" if isinstance(code, float) else f"{name}={code}", (column,),
                          {lang: f"{label[lang]}: {value[lang]}" if lang == "en" else f"{label[lang]}：{value[lang]}" for lang in label},
                          code))  # fmt: skip
    return terms
