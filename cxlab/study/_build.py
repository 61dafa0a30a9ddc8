"""From what the files say to what the study says: labels, scales, missing codes, made items, roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab import expressions
from cxlab.errors import SurveyError, nearest
from cxlab.items import FILE, Code, Codebook, Item, pick
from cxlab.readers._missing import reason_of
from cxlab.study._check import Found
from cxlab.study._load import wave_column
from cxlab.study._notes import listed, note
from cxlab.study._schema import ABSENT, ItemPart, Recode, StudyFile
from cxlab.survey import Roles, SampleDesign, Survey, Touchpoint

Texts = Mapping[str, str]

ROLE_LABELS: Mapping[str, Texts] = {
    "satisfaction": {"en": "Satisfaction", "zh": "满意度"},
    "recommend": {"en": "Recommendation", "zh": "推荐意愿"},
    "effort": {"en": "Customer effort", "zh": "客户费力度"},
    "repurchase": {"en": "Repurchase intention", "zh": "再次购买意愿"},
    "trust": {"en": "Trust", "zh": "信任度"},
    "value": {"en": "Value", "zh": "价值"},
    "price": {"en": "Price", "zh": "价格"},
    "sensory": {"en": "Sensory", "zh": "感官"},
    "experience": {"en": "Experience", "zh": "体验"},
    "emotion": {"en": "Emotion", "zh": "情感"},
    "behaviour": {"en": "Behaviour", "zh": "行为"},
}
_SURE_RANGES = ((0.0, 10.0), (1.0, 5.0), (1.0, 7.0), (-5.0, 5.0))
_SURE_ANSWERS = 100


@dataclass
class Work:
    """A survey while it is put together.

    Attributes
    ----------
    notes : list of str
        What happened.
    warned : list of str
        Judgements that a user should act on; they end up in the notes, too.
    """

    survey: Survey
    columns: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    reasons: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    def numbers(self, name: str) -> np.ndarray:
        """Column as floats, shape (rows,)."""
        return np.asarray(self.columns.get(name, self.survey.data.get(name)), dtype=float)

    def finish(self) -> Survey:
        """Survey with the changed columns, items and reasons."""
        old = self.survey
        reasons = old.missing_reasons.assign(**self.reasons) if self.reasons else old.missing_reasons
        return replace(
            old, data=old.data.assign(**self.columns), codebook=Codebook(self.items, old.codebook.sets),
            missing_reasons=reasons, notes=(*old.notes, *self.notes, *self.warned),
        )  # fmt: skip


def build(study: StudyFile, files: Survey, codebook: Mapping[str, ItemPart]) -> tuple[Survey, list[str], list[Found]]:
    """Put the study's survey together.

    Parameters
    ----------
    study : StudyFile
        May name columns that do not exist: other checks report these, here they are passed over.
    files : Survey
        What the files hold.
    codebook : mapping of item to ItemPart
        What codebook.csv says.

    Returns
    -------
    survey : Survey
    warned : list of str
        Judgements about the data.
    found : list of Found
    """
    if files.missing_reasons.empty:
        files = replace(files, missing_reasons=pd.DataFrame(index=files.data.index))
    work = Work(files, items=dict(files.codebook.items))
    _describe(study, work, codebook)
    _mask(study, work)
    labelled = work.finish()
    survey = replace(labelled, roles=_roles(study, labelled), design=_design(study, files), name=study.study)
    made = Work(survey, items=dict(survey.codebook.items))
    for name in _order(study, made):
        _make(study, name, made)
    _after(study, made)
    return made.finish(), work.warned + made.warned, work.found + made.found


# ---------------------------------------------------------------------- labels and scales
def _describe(study: StudyFile, work: Work, codebook: Mapping[str, ItemPart]) -> None:
    """Apply codebook.csv, then items:, then the outcomes, then scales that answers leave no doubt about."""
    unknown = [n for n in codebook if n not in work.items and n not in {*study.derived, *study.recoded}]
    if unknown:
        shown = listed([f"{n}{nearest(n, work.items)}" for n in unknown], 5)
        work.warned.append(note("codebook_extra", file=str(study.codebook), count=len(unknown), items=shown))
    for parts in (codebook, study.items):
        for name, part in parts.items():
            if name in work.items:
                work.items[name] = described(work.items[name], part)
    for role, outcome in study.outcomes.items():
        for name in outcome.items:
            if name not in work.items:
                continue
            item, own = work.items[name], study.items.get(name)
            if outcome.scale and own and own.scale and own.scale != outcome.scale:
                ends = [f"[{low:g}, {high:g}]" for low, high in (outcome.scale, own.scale)]
                said = f"is {ends[0]}, but items.{name}.scale is {ends[1]}; keep one."
                work.found.append(Found(("outcomes", role, "scale"), said))
            better = outcome.higher_is_better
            work.items[name] = replace(
                item, scale=outcome.scale or item.scale,
                higher_is_better=item.higher_is_better if better is None else better,
            )  # fmt: skip
    for name in rated(study):
        if name in work.items and work.items[name].scale is None and work.items[name].kind == "number":
            _guess_scale(study, name, work)


def described(item: Item, part: ItemPart) -> Item:
    """Item with what the study says of it; the study goes before the file."""
    values = {c: {**item.values.get(c, {}), **part.values.get(c, {})} for c in {**item.values, **part.values}}
    return replace(
        item, labels={**item.labels, **part.labels}, values=values, scale=part.scale or item.scale,
        higher_is_better=item.higher_is_better if part.higher_is_better is None else part.higher_is_better,
        measure=part.measure or item.measure,
    )  # fmt: skip


def rated(study: StudyFile) -> list[str]:
    """Items that play the part of a rating: outcomes, drivers, layers, touchpoints, the quality battery."""
    named = [i for o in study.outcomes.values() for i in o.items]
    named += [i for group in (study.drivers, study.layers) for items in group.values() for i in items]
    named += [
        i for s in study.journey for t in s.touchpoints for i in (t.item, t.expectation, t.emotion) if i is not None
    ]
    return list(dict.fromkeys([*named, *study.quality.straight_lining]))


def _guess_scale(study: StudyFile, name: str, work: Work) -> None:
    """Take the scale from value labels, else from the answers, if only one reading is possible.

    Labels at both ends (or on every code of an unbroken run) that enclose all answers are the scale.
    Without labels: every whole number of 0–10, 1–5, 1–7 or −5…+5 occurs, nothing else, in 100 answers or
    more. 1–10 is never taken from the answers: 0–10 without a zero looks the same.
    """
    item = work.items[name]
    codes = _not_answers(study, item)
    answers = work.numbers(name)
    answers = answers[np.isfinite(answers) & ~np.isin(answers, list(codes))]
    labelled = sorted(c for c in item.values if isinstance(c, float) and c not in codes)
    if len(labelled) >= 2:
        low, high = labelled[0], labelled[-1]
        inside = answers.size == 0 or (answers.min() >= low and answers.max() <= high)
        unbroken = len(labelled) == high - low + 1
        if inside and high - low <= 100 and (unbroken or len(labelled) == 2):
            work.items[name] = replace(item, scale=(low, high))
            work.notes.append(note("scale_labels", item=name, low=low, high=high))
            return
    seen = np.unique(answers)
    for low, high in _SURE_RANGES:
        if answers.size >= _SURE_ANSWERS and np.array_equal(seen, np.arange(low, high + 1)):
            work.items[name] = replace(item, scale=(low, high))
            work.notes.append(note("scale_answers", item=name, low=low, high=high))
            return
    if seen.size:
        work.notes.append(note("scale_unknown", item=name, low=float(seen[0]), high=float(seen[-1])))


# ---------------------------------------------------------------------- missing codes
def _not_answers(study: StudyFile, item: Item) -> set[float]:
    """Codes of an item that are missing for sure; a code with the label of an answer is not."""
    codes = set(item.missing)
    for missing in study.missing:
        if missing.items is not None:
            codes |= set(missing.reasons) if item.name in missing.items else set()
            continue
        for code, means in missing.reasons.items():
            texts = item.values.get(code, {}).values()
            if not texts or any(reason_of(t) or means.casefold() in t.casefold() for t in texts):
                codes.add(code)
    return codes


def _mask(study: StudyFile, work: Work) -> None:
    """Turn missing codes into NaN, and keep code and reason."""
    ratings = set(rated(study))
    columns = {v for k, v in vars(study.design).items() if k != "lonely"}
    apart = {study.respondent, wave_column(study, work.survey), *columns}
    for m, missing in enumerate(study.missing):
        names = [n for n in (work.items if missing.items is None else missing.items) if n in work.items]
        names = [n for n in names if work.items[n].kind == "number" and (missing.items is not None or n not in apart)]
        for code, means in missing.reasons.items():
            verdicts = {
                n: "missing" if missing.items is not None else _verdict(study, work, n, code, n in ratings)
                for n in names
            }
            for name in [n for n, v in verdicts.items() if v == "missing"]:
                _mask_code(work, name, code, means)
            if clash := [n for n, v in verdicts.items() if v == "answer"]:
                said = _clash(work.items[clash[0]], len(clash), code, means)
                work.found.append(Found(("missing", m, "short", f"{code:g}"), said))
            kept = [n for n, v in verdicts.items() if v == "unknown" and (work.numbers(n) == code).any()]
            for inside, told in ((True, work.notes), (False, work.warned)):
                if alike := [n for n in kept if _among_answers(work.numbers(n), code) == inside]:
                    told.append(note("code_kept", code=f"{code:g}", means=means, items=listed(alike)))


def _among_answers(answers: np.ndarray, code: float) -> bool:
    """Whether other answers lie on both sides of a code, so that it hardly stands for a missing one."""
    return bool((answers < code).any() and (answers > code).any())


def _verdict(study: StudyFile, work: Work, name: str, code: float, rating: bool) -> str:
    """Tell whether a code can only be missing, is also an answer, or nobody knows.

    It is missing where the file says so, or outside the scale; without a scale, outside the labelled
    codes; without these, where its label says so; and in a rating whose other answers lie within
    −10…10, beyond these.
    """
    item = work.items[name]
    if code in item.missing:
        return "missing"
    no_answer = _not_answers(study, item)
    others = [c for c in item.values if isinstance(c, float) and c not in no_answer and c != code]
    if item.scale is not None or len(others) >= 2:
        low, high = item.scale or _span(others)
        beside = item.scale is None and code not in no_answer and low - 1 <= code <= high + 1
        return "answer" if beside or low <= code <= high else "missing"
    if code in item.values and code in no_answer:
        return "missing"
    answers = work.numbers(name) if rating else np.empty(0)
    answers = answers[np.isfinite(answers) & ~np.isin(answers, list(no_answer))]
    if answers.size and answers.min() >= -10 and answers.max() <= 10 and not -10 <= code <= 10:
        return "missing"
    return "unknown"


def _span(codes: list[float]) -> tuple[float, float]:
    """Range of the labelled codes; 90 and beyond are left out where others stay below."""
    low = [c for c in codes if abs(c) < 90] or codes
    return min(low), max(low)


def _clash(item: Item, count: int, code: float, means: str) -> str:
    scale = f"scale {item.scale[0]:g} to {item.scale[1]:g}" if item.scale else "by its value labels"
    more = f" and of {count - 1} more items" if count > 1 else ""
    return (
        f"({means}) is also a valid answer of {item.name!r} ({scale}){more}; say which items mean it: "
        f"{{codes: [{code:g}], means: {means}, items: [...]}}."
    )


def _mask_code(work: Work, name: str, code: float, means: str) -> None:
    item = work.items[name]
    work.items[name] = replace(item, missing={**item.missing, code: means})
    values = work.numbers(name)
    hit = values == code
    if not hit.any():
        return
    before = work.reasons.get(name)
    if before is None:
        kept = work.survey.missing_reasons.get(name)
        before = np.full(len(values), np.nan) if kept is None else kept.to_numpy(dtype=float)
    work.reasons[name] = np.where(hit, code, before)
    work.columns[name] = np.where(hit, np.nan, values)


# ---------------------------------------------------------------------- derived and recoded items
def _order(study: StudyFile, work: Work) -> list[str]:
    """Made items so that each comes after those it needs; circles become problems."""
    needs: dict[str, set[str]] = {n: {r.from_} for n, r in study.recoded.items()}
    for name, text in study.derived.items():
        try:
            needs[name] = set(expressions.names(text))
        except SurveyError:
            continue  # check_file reports it
    needs = {n: used for n, used in needs.items() if n not in work.items}  # check_columns reports the others
    order: list[str] = []
    while waiting := [n for n in needs if n not in order]:
        ready = [n for n in waiting if not (needs[n] & set(waiting))]
        if not ready:
            group = "derived" if waiting[0] in study.derived else "recoded"
            said = f"needs itself: {', '.join(waiting)} wait for one another."
            work.found.append(Found((group, waiting[0]), said))
            break
        order += ready
    return order


def _make(study: StudyFile, name: str, work: Work) -> None:
    if name in study.recoded:
        recode = study.recoded[name]
        if recode.from_ not in work.items or (recode.bands is None) == (recode.codes is None):
            return
        if recode.bands is not None and work.items[recode.from_].kind != "number":
            return
        column, item = _recoded(name, recode, work)
    else:
        text = study.derived[name]
        survey = work.finish()
        if not all(survey.has(n) for n in expressions.names(text)):
            return
        try:
            column = expressions.compute(text, survey)
        except SurveyError as error:
            work.found.append(Found(("derived", name), f"cannot be computed: {error}"))
            return
        item = _mean_of(name, text, work)
    if name in study.items:
        item = described(item, study.items[name])
    work.columns[name], work.items[name] = column, item


def _mean_of(name: str, text: str, work: Work) -> Item:
    """Item of a derived column; a plain mean of items of one scale and direction keeps both."""
    used = expressions.names(text)
    parts = {(work.items[n].scale, work.items[n].higher_is_better) for n in used if n in work.items}
    plain = text.replace(" ", "") == f"mean({','.join(used)})"
    if plain and len(parts) == 1:
        scale, better = parts.pop()
        return Item(name, measure="scale", scale=scale, higher_is_better=better)
    return Item(name, measure="scale")


def _recoded(name: str, recode: Recode, work: Work) -> tuple[np.ndarray, Item]:
    source = pd.Series(work.columns.get(recode.from_, work.survey.data.get(recode.from_)))
    values: dict[Code, Texts] = {}
    if recode.bands is not None:
        numbers = source.to_numpy(dtype=float)
        column: Any = np.full(len(numbers), np.nan)
        for k, band in enumerate(recode.bands):
            low = -np.inf if band.low is None else band.low
            high = np.inf if band.high is None else band.high
            column[(numbers >= low) & (numbers <= high)] = k + 1
            values[float(k + 1)] = band.labels or {FILE: _band_text(low, high)}
        values = {**values, **recode.values}
    else:
        column = source.map(dict(recode.codes or {}))
        column = column.to_numpy(
            dtype=float if all(isinstance(c, float) for c in (recode.codes or {}).values()) else object
        )
        values = dict(recode.values)
    lost = int((source.notna().to_numpy() & pd.isna(column)).sum())
    if lost:
        work.notes.append(note("recode_lost", item=name, count=lost, source=recode.from_))
    kind = "number" if column.dtype == float else "text"
    labels = recode.labels or work.items[recode.from_].labels
    return column, Item(name, labels, values, "ordinal" if recode.bands else "nominal", kind)  # type: ignore[arg-type]


def _band_text(low: float, high: float) -> str:
    if np.isinf(low):
        return f"≤ {high:g}"
    return f"≥ {low:g}" if np.isinf(high) else f"{low:g}–{high:g}"


# ---------------------------------------------------------------------- roles and design
def _roles(study: StudyFile, files: Survey) -> Roles:
    """Roles of the study; names that the data lack stay, other checks report them."""
    drivers = {"" if block == "none" else block: tuple(items) for block, items in study.drivers.items()}
    labels: dict[str, Texts] = dict(ROLE_LABELS)
    points = []
    for stage in study.journey:
        labels[stage.stage] = stage.labels or {FILE: stage.stage}
        for t in stage.touchpoints:
            owner = pick(t.owner, "en")
            if len(t.owner) > 1:
                labels[owner] = dict(t.owner)
            text = t.labels or (files.codebook[t.item].labels if t.item in files.codebook else {})
            points.append(Touchpoint(t.name, stage.stage, owner, t.item, t.expectation, t.emotion, dict(text)))
    roles = {n: v for n, v in labels.items() if n not in ROLE_LABELS or n in _role_names(study)}
    return Roles(
        respondent=study.respondent, wave=wave_column(study, files),
        outcomes={n: tuple(o.items) for n, o in study.outcomes.items()}, drivers=drivers,
        layers={n: tuple(v) for n, v in study.layers.items()}, touchpoints=tuple(points),
        segments=tuple(study.segments), comments=tuple(study.comments), targets=dict(study.targets),
        labels={**roles, **{n: dict(v) for n, v in study.labels.items()}},
        battery=tuple(study.quality.straight_lining), marker=study.marker, model=study.model,
        renewal=study.renewal,
    )  # fmt: skip


def _role_names(study: StudyFile) -> set[str]:
    return {*study.outcomes, *study.layers, *study.drivers}


def _design(study: StudyFile, files: Survey) -> SampleDesign:
    columns = {k: v for k, v in vars(study.design).items() if k != "lonely"}
    declared = {k: v for k, v in columns.items() if v in files.codebook and v != ABSENT}
    return SampleDesign(**declared, lonely=study.design.lonely)


# ---------------------------------------------------------------------- what the finished survey shows
def _after(study: StudyFile, work: Work) -> None:
    work.found += _target_faults(study, work.items)
    recommend = study.outcomes.get("recommend")
    for name in recommend.items if recommend and len(recommend.items) == 1 else ():
        item = work.items.get(name)
        if item and item.scale and item.scale != (0.0, 10.0):
            work.notes.append(note("nps_scale", item=name, low=item.scale[0], high=item.scale[1]))
    for group in ("drivers", "layers"):
        for name in getattr(study, group):
            if name in work.items and getattr(study, group)[name] != (name,):
                work.warned.append(note("shadowed", group=group, name=name))
    work.warned += _undeclared(work)
    work.notes += _empty_items(study, work)


def _target_faults(study: StudyFile, items: Mapping[str, Item]) -> Iterator[Found]:
    """Targets outside the scale of what they are set for."""
    for metric, target in study.targets.items():
        if metric in ("nps", "csat"):
            continue
        names = study.outcomes[metric].items if metric in study.outcomes else (metric,)
        known = [items[n].scale for n in names if n in items]
        scale = (0.0, 100.0) if len(names) > 1 else known[0] if known else None
        if scale is not None and not scale[0] <= target <= scale[1]:
            what = "0 to 100 (several items)" if len(names) > 1 else f"{scale[0]:g} to {scale[1]:g}"
            yield Found(("targets", metric), f"is {target:g}, outside the scale {what}.")


def _empty_items(study: StudyFile, work: Work) -> Iterator[str]:
    for name in rated(study):
        if name in work.items and work.items[name].kind == "number" and not np.isfinite(work.numbers(name)).any():
            yield note("no_answers", item=name)


def _undeclared(work: Work) -> Iterator[str]:
    """Codes labelled as no answer that nobody declares missing, in one note per code and label."""
    found: dict[tuple[float, str, str], list[str]] = {}
    for name, item in work.items.items():
        codes = [c for c in item.values if isinstance(c, float) and c not in item.missing]
        for code in codes if item.kind == "number" else ():
            label = item.value_label(code)
            if (reason := reason_of(label)) and (work.numbers(name) == code).any():
                found.setdefault((code, label, reason), []).append(name)
    for (code, label, reason), items in found.items():
        yield note("undeclared", code=f"{code:g}", label=label, reason=reason, items=listed(items))
