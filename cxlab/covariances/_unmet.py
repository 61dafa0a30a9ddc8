"""Unmet: answers that are no missing data, as there was nothing to answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxlab.survey import Survey

_STRUCTURAL = ("not experienced", "not asked")


def unmet(survey: Survey, name: str, reasons: Sequence[str] = ("not experienced",)) -> np.ndarray:
    """Rows whose answer is missing for one of these reasons, bool of shape (rows,); of a role more than half its items."""
    columns = survey.items_of(name)
    return np.asarray(2 * np.sum([_given(survey, c, reasons) for c in columns], axis=0) > len(columns))


def _given(survey: Survey, column: str, reasons: Sequence[str]) -> np.ndarray:
    given = survey.missing_reasons.get(column)
    if given is None:
        return np.zeros(len(survey.data), dtype=bool)
    codes = [c for c, reason in survey.codebook[column].missing.items() if reason in reasons]
    return np.asarray(given.isin(codes))


def structurally_missing(survey: Survey, name: str) -> float:
    """Share of the domain's respondents that have nothing to answer: not experienced, or not asked at all."""
    shares = []
    for column in survey.items_of(name):
        coded = float(unmet(survey, column, _STRUCTURAL)[survey.domain].mean())
        shares.append(coded if survey.data[column][survey.domain].notna().any() else 1.0)
    return max(shares)
