"""Checks that flag answers: outside the scale, labelled but undeclared codes, impossible dates."""

from __future__ import annotations

import numpy as np

from cxlab.items import Item
from cxlab.quality.dates import DATE_NAME, impossible, read_dates
from cxlab.quality.finding import Found, flag, numeric, together
from cxlab.quality.wording import DECLARE, NEEDS, UNFIT, fill
from cxlab.survey import Survey

LABELS_FIT = 0.05  # above this share outside the labels, the labels are not the whole scale


def out_of_range(survey: Survey) -> Found:
    """Find answers outside the declared scale, or outside the labels where these are the scale."""
    flags, base, unfit = [], 0, []
    for name, item in survey.codebook.items.items():
        outside = _outside(survey.data[name].to_numpy(dtype=float), item) if numeric(survey, name) else None
        if outside is None:
            continue
        outside &= survey.domain
        answered = int((survey.data[name].notna() & survey.domain).sum())
        if item.scale is None and outside.sum() > LABELS_FIT * answered:
            unfit.append(name)
            continue
        base += answered
        flags.append(flag(survey.data.index[outside], name, survey.data[name]))
    shown = ", ".join(unfit[:5]) + (", …" if len(unfit) > 5 else "")
    note = fill(UNFIT, n=len(unfit), items=shown) if unfit else None
    if not flags:
        return Found("out_of_range", needs=NEEDS["out_of_range"], note=note)
    flagged = together(flags)
    facts = {"items": len(flags), "respondents": int(flagged["row"].nunique())}
    return Found("out_of_range", base, len(flagged), flagged, note=note, facts=facts)


def _outside(values: np.ndarray, item: Item) -> np.ndarray | None:
    """Answers outside scale and labels; None where the item declares neither."""
    coded = np.array([c for c in item.values if isinstance(c, float)])
    allowed = np.array([c for c in coded if c not in item.missing])
    if item.scale is not None:
        low, high = item.scale
        outside = (values < low) | (values > high)
    elif len(allowed) >= 2 and len(allowed) > np.ptp(allowed):  # every code between the ends has a label
        outside = np.isfinite(values)
    elif len(allowed) >= 2 and item.measure in ("ordinal", "nominal"):  # only the ends are labelled
        outside = (values < allowed.min()) | (values > allowed.max())
    else:
        return None
    return outside & ~np.isin(values, coded)


def undeclared_missing(survey: Survey) -> Found:
    """Find answers with a labelled code outside the scale: a "don't know" that would count as a number."""
    flags, base = [], 0
    for name, item in survey.codebook.items.items():
        if item.scale is None or not numeric(survey, name):
            continue
        values = survey.data[name].where(survey.domain)
        odd = [c for c in item.values if isinstance(c, float) and not item.scale[0] <= c <= item.scale[1]]
        base += int(values.notna().sum())
        flags.append(flag(survey.data.index[values.isin(odd)], name, survey.data[name]))
    if not flags:
        return Found("undeclared_missing", needs=NEEDS["undeclared_missing"])
    flagged = together(flags)
    codes = ", ".join(sorted(flagged["value"].unique(), key=float))
    note = fill(DECLARE, codes=codes) if codes else None
    return Found("undeclared_missing", base, len(flagged), flagged, note=note, facts={"codes": codes})


def impossible_dates(survey: Survey) -> Found:
    """Find dates that no calendar has, or that lie far outside the others."""
    flags, base = [], 0
    for name, item in survey.codebook.items.items():
        dates, given = read_dates(survey.data[name], bool(DATE_NAME.search(f"{name} {item.label()}")))
        if dates is None:
            continue
        given = given & survey.domain
        base += int(given.sum())
        flags.append(flag(survey.data.index[given & impossible(dates)], name, survey.data[name]))
    if not flags:
        return Found("impossible_dates", needs=NEEDS["impossible_dates"])
    flagged = together(flags)
    return Found("impossible_dates", base, len(flagged), flagged, facts={"columns": len(flags)})
