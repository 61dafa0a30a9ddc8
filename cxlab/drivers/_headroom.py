"""Headroom: what closing the gap to the best segment, or to a target, would do to the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import kish_base
from cxlab.drivers._layout import column_of
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.drivers._result import DriverResult
from cxlab.drivers._scenario import (
    Model,
    better,
    check_points,
    check_replicates,
    check_survey,
    ground,
    half_blocks,
    interval,
    model,
    place,
    replicate_blocks,
    scale_ends,
)
from cxlab.errors import SurveyError
from cxlab.metrics import cells, design_notes
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
_MOST = {
    "segment": {
        "en": "Most is to be expected from {driver:in}: were everybody's average that of the group {segment} ({best:.1f} instead of {performance:.1f}), {outcome:in} "
        "would be expected {gain:.2f} points {way} ({level} interval {low:+.2f} to {high:+.2f}).",
        "zh": "提升空间最大的是“{driver}”：若全体均值（{performance:.1f}）达到“{segment}”组的水平（{best:.1f}），“{outcome}”的预期均值将{way} "
        "{gain:.2f} 分（{level} 区间 {low:+.2f} 至 {high:+.2f}）。",
    },
    "target": {
        "en": "Most is to be expected from {driver:in}: at its target of {best:g} instead of {performance:.1f}, {outcome:in} would be expected {gain:.2f} points {way} "
        "({level} interval {low:+.2f} to {high:+.2f}).",
        "zh": "提升空间最大的是“{driver}”：若由 {performance:.1f} 达到目标值 {best:g}，“{outcome}”的预期均值将{way} {gain:.2f} 分（{level} 区间 {low:+.2f} "
        "至 {high:+.2f}）。",
    },
}  # fmt: skip
_WAY = {"en": {True: "higher", False: "lower"}, "zh": {True: "提高", False: "降低"}}
_NONE = {
    "en": "For no driver does closing the gap go with a better outcome by more than chance.",
    "zh": "没有哪个因素的差距补齐后，对应的结果改善超出抽样误差。",
}
_REACHED = {"en": "Target reached: {drivers}.", "zh": "已达目标：{drivers}。"}


@dataclass(frozen=True, eq=False)
class HeadroomResult(Result):
    """Gap of every driver and what closing it goes with.

    Attributes
    ----------
    outcome : str
    better : int
        1 where more of the outcome is better, else −1.
    """

    outcome: str = ""
    better: int = 1

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the expected gains with intervals, the largest on top."""
        from cxlab import charts, theme

        lang = language(lang)
        table = self.table.assign(label=[self.label(d, lang) for d in self.table["driver"]])
        table.loc[table["reliability"] == "suppressed", ["estimate", "low", "high"]] = np.nan
        colours = [theme.GOOD if clear else theme.NEUTRAL for clear in self._clear(table)]
        return charts.dots(table, title=self.text(self.title, lang), spec="+.2f", reference=0.0, colours=colours, ax=ax)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the driver whose gap is worth most, if any is worth more than chance."""
        lang = language(lang)
        shown = self.table[self.table["reliability"] != "suppressed"]
        if shown.empty:
            return Sentences()
        kind = "segment" if "segment" in shown else "target"
        clear = shown[self._clear(shown)]
        said = [self._most(clear.iloc[0], kind, lang) if len(clear) else sentence(_NONE, lang)]
        reached = shown[shown["gap"] == 0]
        if kind == "target" and len(reached):
            listed = (", " if lang == "en" else "、").join(self.label(d, lang) for d in reached["driver"])
            said.append(sentence(_REACHED, lang, drivers=listed))
        return Sentences(said)

    def _clear(self, table: pd.DataFrame) -> np.ndarray:
        """Rows whose gap, closed, goes with a better outcome by more than chance."""
        return (table["low"] > 0 if self.better > 0 else table["high"] < 0).to_numpy(dtype=bool)

    def _most(self, row: Any, kind: str, lang: str) -> Any:
        extra = {"segment": self.label(row["segment"], lang, "segment")} if kind == "segment" else {}
        return sentence(_MOST[kind], lang, driver=self.label(row["driver"], lang), outcome=self.label(self.outcome, lang),
                        best=row["best" if kind == "segment" else "target"], performance=row["performance"], gain=abs(row["estimate"]),
                        way=_WAY[lang][row["estimate"] > 0], low=row["low"], high=row["high"], level=self.said_level, **extra)  # fmt: skip


def headroom(
    survey: Survey | DriverResult,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | None = None,
    *,
    by: str | None = None,
    target: float | Mapping[str, float] | str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> HeadroomResult:
    """What would the outcome be expected to gain if a driver reached its best segment, or its target?

    Parameters
    ----------
    survey : Survey or DriverResult
        Of a result of :func:`key_drivers` with replicates the outcome, drivers, what is forced in, replicates, seed and
        level are used; the model here is always linear, on complete rows.
    outcome : str
        Column or role of more than two values.
    drivers : list of str, optional
        Drivers of the full model, see :func:`key_drivers`.
    by : str, optional
        Segment whose best group is the mark. Groups with an effective base under 30 are no mark.
    target : number, mapping of driver to number, or "study", optional
        Mark on the drivers' own scales; ``"study"`` takes those that the study declares. Either ``by`` or ``target``.
    replicates : int
        At least 100.
    seed : int
    level : float

    Returns
    -------
    HeadroomResult
        One row per driver, the largest expected gain first: ``driver, performance`` (mean), ``target``, or ``segment, best`` (its
        mean) and ``best_share`` (share of replicates in which it is the best), ``gap`` (points to the mark in the better
        direction, 0 where it is reached; with ``by`` corrected for having picked the best), ``effect`` (of +1 point), ``estimate`` (gain of
        the outcome's mean: effect × signed gap), ``se, low, high, p_value, base, base_effective, reliability`` (of the best segment).

    Raises
    ------
    SurveyError
        Without a mark or with two, for a target outside the scale or of an unknown driver, a segment that is a driver or the
        outcome or has not two groups of effective base 30, or an outcome of two values.

    Notes
    -----
    Replicates carry both the gap and the coefficient. The best of several segments is partly best by chance: the segment is picked
    on one random half of the respondents (whole PSUs within strata) and measured on the other, 100 splits both ways; ``gap`` is
    their mean, at least 0. ``best`` is the plain mean of the segment that is best among all respondents. The interval stands
    about the corrected gain and is as wide as that of the uncorrected one (replicates of effect × gap to the segment that is
    best among all); which segment is best counts as known.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.integers(0, 11, (400, 2)), columns=["queue", "doctor"])
    >>> df["satisfaction"] = 0.5 * df["queue"] + 0.2 * df["doctor"] + rng.normal(size=400)
    >>> found = headroom(cx.Survey.from_frame(df), drivers=["queue", "doctor"], target=8, replicates=200)
    >>> found.table[["driver", "estimate"]].round(1).values.tolist()
    [['queue', 1.7], ['doctor', 0.6]]
    """
    check_replicates(replicates)
    if (by is None) == (target is None):
        raise SurveyError(
            "name one mark: by= (a segment, whose best group is meant) or target= (a number, or one per driver)."
        )
    origin, prepared, said = _start(survey, outcome, drivers)
    if isinstance(survey, DriverResult):
        replicates, seed, level = len(survey.replicates), survey.seed, survey.level
    outcome = prepared.outcome
    _check_by(origin, prepared, by)
    marks = {} if by else _targets(origin, prepared, target)
    names = (
        [d for d in prepared.drivers if d in marks]
        if marks
        else [d for d, c in zip(prepared.drivers, prepared.first, strict=True) if c >= 0]
    )
    places = place(prepared, "target", names)
    ends = scale_ends(origin, names)
    _check_targets(names, marks, ends)
    groups = cells(origin, by)
    inside = groups.inside[prepared.rows]
    group = np.where(inside.any(axis=1), inside.argmax(axis=1), -1).astype(np.intp)
    found = model(prepared, replicate_blocks(prepared, replicates, seed), places, ends, group)
    up = np.array([1 if origin.higher_is_better(d) else -1 for d in names])
    if by:
        halves = model(prepared, half_blocks(prepared, seed), places, ends, group)
        columns = _to_best(prepared, found, halves, up, (groups.keys, group, by, level))
    else:
        columns = _to_target(prepared, found, up, np.array([marks[d] for d in names]), level)
    table = pd.DataFrame({"driver": names, **columns})
    order = np.argsort(-better(origin, outcome) * table["estimate"].to_numpy(), kind="stable")
    options = {"by": by, "target": target, "replicates": replicates, "seed": seed, "level": level}
    given = "".join(f", {k}={v!r}" for k, v in options.items() if v is not None)
    return HeadroomResult(
        table.iloc[order].reset_index(drop=True),
        Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        (*([Note(_PICKED)] if by else []), Note(_LINEAR), *said, *prepared.notes, *design_notes(origin)),
        {**_HEADINGS, **prepared.labels, **groups.labels},
        f"cx.headroom(survey{origin.filter}, {outcome!r}, {list(prepared.drivers)!r}{given})  # data {origin.data_hash}",
        {lang: _TITLE[lang].format(prepared.labels[outcome][lang]) for lang in LANGUAGES},
        _FORMATS,
        level,
        outcome=outcome,
        better=better(origin, outcome),
    )


def _start(
    survey: Survey | DriverResult, outcome: str, drivers: Sequence[str] | None
) -> tuple[Survey, Prepared, list[Note]]:
    """The survey, its complete rows, and what is to be said of going on from a result."""
    said: list[Note] = []
    if isinstance(survey, DriverResult):
        prepared, origin, _ = ground(survey)
        said = _apart(survey)
        if prepared.missing != "listwise":  # coefficients are taken from complete rows
            prepared = prepare(origin, prepared.outcome, list(prepared.drivers), always=prepared.always)
    else:
        check_survey("headroom", survey)
        origin, prepared = survey, prepare(survey, outcome, drivers)
    check_points(
        "headroom", prepared, "name the rating itself; what_if(...).boxes has the change of its top-2 and NPS."
    )
    return origin, prepared, said


def _apart(result: DriverResult) -> list[Note]:
    """Where the importances rest on another model or on more rows than the gains here."""
    missing, name = result.kernel.prepared.missing, result.kernel.name  # type: ignore[union-attr]  # ground has seen it
    out = [Note(_COMPLETE, missing=missing)] if missing != "listwise" else []
    return [*out, Note(_OTHER, model=name)] if name != "linear" else out


def _check_by(survey: Survey, prepared: Prepared, by: str | None) -> None:
    """A driver is no segment of its own: its best group would be its best answer."""
    if by is None or not survey.has(by):
        return
    behind = prepared.reading.items if prepared.reading else (prepared.outcome,)
    items = {i for n in prepared.drivers for i in survey.items_of(column_of(n))} | set(behind)
    if items & set(survey.items_of(by)):
        raise SurveyError(f"by is {by!r}, which is a driver or the outcome; name a segment, or use target=.")


def _targets(survey: Survey, prepared: Prepared, target: Any) -> dict[str, float]:
    """Target of each driver."""
    if isinstance(target, str):
        if target != "study":
            raise SurveyError(
                f"target is {target!r}; give a number, a number per driver, or 'study' for the declared targets."
            )
        found = {d: float(survey.roles.targets[d]) for d in prepared.drivers if d in survey.roles.targets}
        if not found:
            raise SurveyError(
                f"target: the study declares none for the {len(prepared.drivers)} drivers; add them under targets: in study.yml, "
                "or pass target={driver: number}."
            )
        return found
    if isinstance(target, Mapping):
        if not target:
            raise SurveyError("target is empty; name at least one driver.")
        place(prepared, "target", target)
        return {d: float(v) for d, v in target.items()}
    return {d: float(target) for d, c in zip(prepared.drivers, prepared.first, strict=True) if c >= 0}


def _check_targets(names: Sequence[str], marks: Mapping[str, float], ends: FloatArray) -> None:
    out = [
        f"{d!r} {marks[d]:g} (scale {low:g}–{high:g})"
        for d, (low, high) in zip(names, ends, strict=True)
        if d in marks and not low <= marks[d] <= high
    ]
    if out:
        more = ", …" if len(out) > 3 else ""
        raise SurveyError(
            f"target lies outside the scale of {len(out)} of {len(names)} drivers: {', '.join(out[:3])}{more}; targets are on the drivers' own "
            "scales, and may differ: target={driver: number}."
        )


def _to_target(prepared: Prepared, found: Model, up: np.ndarray, target: FloatArray, level: float) -> dict[str, Any]:
    mean = found.means[:, prepared.first[list(found.places)]]
    gap = np.maximum(up * (target - mean), 0)
    base = kish_base(prepared.weights)
    columns = _gain(prepared, found.scenario.coefficients, up * gap, level)
    return {"performance": mean[0], "target": target, "gap": gap[0], **columns, "base": len(prepared.rows),
            "base_effective": base, "reliability": str(reliability(base))}  # fmt: skip


def _to_best(prepared: Prepared, found: Model, halves: Model, up: np.ndarray, of: tuple[Any, ...]) -> dict[str, Any]:
    keys, group, by, level = of
    bases = np.array([kish_base(prepared.weights[group == g]) for g in range(len(keys))])
    marks = np.flatnonzero(reliability(bases) != "suppressed")
    if len(marks) < 2:
        raise SurveyError(
            f"by: {by!r} has {len(marks)} groups with an effective base of 30 or more; the best of them needs two."
        )
    means = _segment_means(found)[:, :, marks] * up[:, None, None]  # (p, sets, segments), more is better
    total = found.means[:, prepared.first[list(found.places)]].T * up[:, None]
    best = means[:, 0].argmax(axis=1)
    drivers = np.arange(len(best))
    gap = means[drivers, :, best] - total
    split = _segment_means(halves)[:, :, marks] * up[:, None, None]
    split_total = halves.means[:, prepared.first[list(found.places)]].T * up[:, None]
    picked = np.nan_to_num(split, nan=-np.inf).argmax(axis=2)
    other = np.roll(np.arange(split.shape[1]), split.shape[1] // 2)
    measured = np.take_along_axis(split[:, other], picked[:, :, None], axis=2)[:, :, 0] - split_total[:, other]
    honest = np.maximum(np.nanmean(measured, axis=1), 0)
    # the replicates spread about the plain gap; the corrected one takes its place
    columns = _gain(
        prepared, found.scenario.coefficients, (up[:, None] * (gap - gap[:, :1] + honest[:, None])).T, level
    )
    chosen = marks[best]
    kind = next(iter(keys[0]))
    return {"performance": up * total[:, 0], kind: [keys[g][kind] for g in chosen], "best": up * means[drivers, 0, best],
            "best_share": (means[:, 1:].argmax(axis=2) == best[:, None]).mean(axis=1), "gap": honest, **columns,
            "base": [int(np.sum(group == g)) for g in chosen], "base_effective": bases[chosen],
            "reliability": reliability(bases[chosen])}  # fmt: skip


def _segment_means(found: Model) -> FloatArray:
    """Mean answer of each segment, shape (p, sets, segments)."""
    return np.array([np.diff(a.share, axis=-1) @ a.values for a in found.scenario.answers])


def _gain(prepared: Prepared, coefficients: FloatArray, gap: FloatArray, level: float) -> dict[str, FloatArray]:
    """Effect × gap with its interval; both of shape (sets, p)."""
    gain = coefficients * gap
    spread = interval(gain[1:], gain[0], prepared.df, level)
    return {
        "effect": coefficients[0],
        "estimate": gain[0],
        **spread,
        "p_value": p_values(gain[0], spread["se"], prepared.df),
    }


_PICKED = {
    "en": "The best group is picked on one random half of the respondents and measured on the other (100 splits both ways): being best is partly "
    "chance, and the gap is corrected for it.",
    "zh": "最佳群体由随机一半受访者选出，再用另一半测量（100 次拆分并互换）：最佳有偶然成分，差距已据此校正。",
}
_LINEAR = {
    "en": "Expected under the linear model and its association, one driver at a time, the others staying as they are; not proof of what a change would bring.",
    "zh": "按线性模型及其关联逐项推算，假定其他因素不变；并不证明改变会带来相应结果。",
}
_COMPLETE = {
    "en": 'The importances were computed with missing="{missing}"; means and effects here are those of complete rows.',
    "zh": "重要性按 missing=“{missing}” 处理缺失值；此处的均值与影响值取自回答完整的受访者。",
}
_OTHER = {
    "en": "The importances come from an {model} model; effects here are those of a linear one.",
    "zh": "重要性取自 {model} 模型；此处的影响值取自线性模型。",
}
_TITLE = {"en": "What closing the gap goes with: {}", "zh": "补齐差距对应的变化：{}"}
_FORMATS = {
    "performance": ".2f", "target": "g", "best": ".2f", "best_share": ".0%", "gap": ".2f", "effect": "+.3f", "estimate": "+.2f",
    "low": "+.2f", "high": "+.2f", "se": ".3f",
}  # fmt: skip
_HEADINGS: Mapping[Any, Mapping[str, str]] = {
    "performance": {"en": "Mean score", "zh": "平均得分"},
    "target": {"en": "Target", "zh": "目标"},
    "segment": {"en": "Best group", "zh": "最佳群体"},
    "best": {"en": "Its mean", "zh": "其均值"},
    "best_share": {"en": "Best in replicates", "zh": "重抽样中最佳"},
    "gap": {"en": "Gap", "zh": "差距"},
    "effect": {"en": "Effect per +1", "zh": "每 +1 分的影响"},
    "estimate": {"en": "Expected gain", "zh": "预期变化"},
}
