"""Cells: the respondents of each segment and wave, with their keys and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.metrics._scores import names, value_names
from cxlab.survey import Survey
from cxlab.words import Note


@dataclass(frozen=True, eq=False)
class Cells:
    """Domains of a survey: who is in each cell, and its keys."""

    keys: list[dict[str, Any]]
    inside: np.ndarray  # (rows, cells)
    labels: dict[Any, Mapping[str, str]]

    @property
    def member(self) -> np.ndarray:
        """Cell of each row, −1 for none, shape (rows,); cells are disjoint."""
        return np.where(self.inside.any(axis=1), self.inside.argmax(axis=1), -1)


def cells(survey: Survey, by: str | Sequence[str] | None) -> Cells:
    """Split the domain by segments, by wave, or by several crossed; one cell of everybody without ``by``.

    The first segment named is the key ``segment``, the next ``segment_2``, and so on; waves are the key ``wave``.

    Raises
    ------
    SurveyError
        For an unknown column, one named twice, more than 200 groups of one, or more than 2,000 crossed.
    """
    wanted = [] if by is None else [by] if isinstance(by, str) else list(by)
    survey.require("by", [name for name in wanted if name != "wave"])
    columns = [survey.column_of(name) for name in wanted]
    if len(set(columns)) < len(columns):
        raise SurveyError(f"by names {len(columns)} columns, {len(set(columns))} of them different; name each once.")
    keys: list[dict[str, Any]] = [{}]
    inside = survey.domain[:, None]
    labels: dict[Any, Mapping[str, str]] = {}
    kinds = _key_columns(survey, columns)
    for name, column, kind in zip(wanted, columns, kinds, strict=True):
        codes = in_order(survey.data[column][survey.domain].dropna().unique().tolist())
        if not codes:
            raise SurveyError(f"by: {name!r} is missing for all {len(survey):,} respondents; name another column.")
        if len(codes) > _MOST_GROUPS:
            raise SurveyError(
                f"by: {name!r} has {len(codes):,} groups among the respondents; up to {_MOST_GROUPS} can be shown: band them in "
                "study.yml (recoded), or choose some with survey.where."
            )
        if len(keys) * len(codes) > _MOST_CELLS:
            raise SurveyError(
                f"by: {', '.join(map(repr, wanted))} crossed have {len(keys) * len(codes):,} groups or more; "
                f"up to {_MOST_CELLS:,} can be shown: name fewer columns, or choose waves with survey.where."
            )
        member = np.column_stack([(survey.data[column] == c).to_numpy() for c in codes])
        keys = [{**k, kind: c} for k in keys for c in codes]
        inside = (inside[:, :, None] & member[:, None, :]).reshape(len(inside), -1)
        labels.update({(kind, c): value_names(survey, column, c) for c in codes})
    segments = {kind: names(survey, c) for kind, c in zip(kinds, columns, strict=True) if kind != "wave"}
    return Cells(keys, inside, labels | (segments if len(segments) > 1 else {}))


_MOST_GROUPS, _MOST_CELLS = 200, 2000


def _key_columns(survey: Survey, columns: Sequence[str]) -> list[str]:
    """Key of each column that ``by`` names: ``wave``, ``segment``, ``segment_2`` …"""
    out: list[str] = []
    for column in columns:
        before = sum(k != "wave" for k in out)
        out.append(
            "wave" if column in (survey.roles.wave, "wave") else f"segment_{before + 1}" if before else "segment"
        )
    return out


def unplaced(survey: Survey, groups: Cells) -> tuple[Mapping[str, str], ...]:
    """Count the respondents who are in no group because the segment or wave is not known of them."""
    outside = survey.domain & (survey.weights > 0) & ~groups.inside.any(axis=1)
    count = int(outside.sum())
    if not count:
        return ()
    share = float(survey.weights[outside].sum() / survey.weights[survey.domain].sum())
    template = {
        "en": "{count:,} respondents ({share:.1%} of the weight) belong to no group and are left out.",
        "zh": "另有 {count:,} 名受访者（占权重 {share:.1%}）无所属群体信息，未计入。",
    }
    return (Note(template, count=count, share=share),)
