"""Priority map: importance against performance, with the uncertainty of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.drivers._model_words import NOT_CAUSE, formats
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._priority import FIX_FIRST
from cxlab.drivers._result import DriverResult
from cxlab.drivers._scenario import Block, better, check_survey, ground, interval, replicate_blocks, scale_ends
from cxlab.drivers._stated import HEADINGS_STATED, StatedResult, check_stated, stated_against_derived
from cxlab.errors import SurveyError, one_of, unknown_names
from cxlab.metrics import design_notes
from cxlab.result import Result
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
QUADRANTS = ("fix first", "keep up", "low priority", "maintain")
OPEN = "not decided"
_SURE = 0.80
_SAID = {
    "fix first": {
        "en": "Fix first: {drivers} – above the cut in importance, below it in performance, in at least 80% of the resamples.",
        "zh": "优先改进：{drivers}——在至少 80% 的重抽样中，重要性高于分界、表现低于分界。",
    },
    "keep up": {"en": "Keep up: {drivers} – important and well rated.", "zh": "继续保持：{drivers}——重要且表现好。"},
    "maintain": {"en": "Maintain: {drivers} – well rated, less important.", "zh": "维持现状：{drivers}——表现好，重要性较低。"},
    "low priority": {"en": "Low priority: {drivers} – neither important nor well rated.", "zh": "次要改进：{drivers}——重要性和表现均较低。"},
    OPEN: {
        "en": "Not decided, since no quadrant holds them in 80% of the resamples: {drivers}.",
        "zh": "无法判定（没有任何象限达到 80% 的重抽样）：{drivers}。",
    },
}  # fmt: skip
_AGAINST = {
    "en": "Read with care: in the full model better ratings of {drivers} go with a worse outcome; importance has no sign.",
    "zh": "解读须谨慎：在整体模型中，“{drivers}”的评分越好，结果反而越差；重要性本身不带方向。",
}


@dataclass(frozen=True, eq=False)
class PriorityMapResult(Result):
    """Importance and performance of drivers with the quadrant of each.

    Attributes
    ----------
    outcome : str
    cuts : DataFrame
        One row per driver: ``driver, importance, performance``.
    stated : StatedResult or None
        Stated importance beside the derived one.
    """

    outcome: str = ""
    cuts: pd.DataFrame = field(default_factory=pd.DataFrame)
    stated: StatedResult | None = None

    def further(self) -> Mapping[str, Result]:
        """Stated against derived importance, where it was asked for."""
        return {} if self.stated is None else {"stated": self.stated}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the map with crosses of intervals."""
        from cxlab.drivers._draw_priority_map import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the drivers of each quadrant that are sure, then those that are not."""
        lang = language(lang)
        shown = self.table[self.table["reliability"] != "suppressed"]
        said = []
        for kind in (*QUADRANTS, OPEN):
            rows = shown[shown["quadrant"] == kind]
            if len(rows):
                said.append(sentence(_SAID[kind], lang, drivers=self._listed(rows["driver"], lang)))
        against = shown[~shown["helps"]]
        if len(against):
            said.append(sentence(_AGAINST, lang, drivers=self._listed(against["driver"], lang)))
        return Sentences([*said, *(self.stated.sentences(lang) if self.stated is not None else ())])

    def _listed(self, drivers: pd.Series, lang: str) -> str:
        return (", " if lang == "en" else "、").join(self.label(d, lang) for d in drivers)


def priority_map(
    survey: Survey | DriverResult,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | None = None,
    *,
    importance_cut: float | str = "mean",
    performance_cut: float | str | Mapping[str, float] = "mean",
    stated: Mapping[str, str | Sequence[str]] | None = None,
    method: str = "shapley",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> PriorityMapResult:
    """What should be fixed first, what kept up, and how sure is the place of each driver on the map?

    Parameters
    ----------
    survey : Survey or DriverResult
        A result of :func:`key_drivers` with replicates is gone on from: nothing is computed twice, and outcome, drivers,
        method, replicates, seed and level are its own.
    outcome : str
        Column or role.
    drivers : list of str, optional
        See :func:`key_drivers`.
    importance_cut : {"mean", "median"} or float
        Cut of the importance, a share of what the drivers explain (0–1).
    performance_cut : {"mean", "median", "middle", "target"}, float, or mapping of driver to float
        Cut of the performance: mean or median of the drivers, middle of the scale, the study's target of each driver, a number
        on the drivers' own scale, or one for each driver.
    stated : mapping of item to driver or list of drivers, optional
        Items that ask how important something is, and the drivers that stand for it:
        ``{"stated_price": "price_fairness", "stated_service": ["nurse", "doctor"]}``.
    method, replicates, seed, level
        See :func:`key_drivers`; at least 100 replicates.

    Returns
    -------
    PriorityMapResult
        One row per driver: ``driver, quadrant, share, share_low, share_high`` (importance), ``performance, performance_low,
        performance_high`` (turned so that more is better; on 0–100 if the scales differ), ``fix_first, keep_up, low_priority, maintain``
        (shares of replicates in each quadrant), ``estimate`` (effect of +1 point), ``helps`` (whether better goes with a better
        outcome), ``base, base_effective, reliability``. ``.cuts`` has the cuts, ``.stated`` the comparison with stated importance.

    Raises
    ------
    SurveyError
        For an unknown cut, a target that is not declared, a result without replicates, or as in
        :func:`key_drivers`.

    Notes
    -----
    Importance and performance are taken under the same replicate weights, cuts of means and medians included. A driver has a quadrant if at
    least 80 % of the replicates agree; otherwise it is not decided.

    References
    ----------
    Martilla & James (1977), Journal of Marketing 41(1), 77–79.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame({"queue": rng.integers(0, 6, 300), "meal": rng.integers(5, 11, 300), "sign": rng.integers(5, 11, 300)})
    >>> df["satisfaction"] = df["queue"] + 0.3 * df["meal"] + rng.normal(size=300)
    >>> survey = cx.Survey.from_frame(df)
    >>> found = priority_map(survey, drivers=["queue", "meal", "sign"], performance_cut=5, replicates=200)
    >>> found.table[["driver", "quadrant"]].values.tolist()
    [['queue', 'fix first'], ['meal', 'maintain'], ['sign', 'maintain']]
    """
    found = _result(survey, outcome, drivers, (method, replicates, seed, level))
    prepared, origin, seed = ground(found)
    level = found.level
    names = [d for d, c in zip(prepared.drivers, prepared.first, strict=True) if c >= 0]
    check_stated(origin, stated, names)
    ends = scale_ends(origin, names)
    turn = _turn(origin, names, ends)
    blocks = list(replicate_blocks(prepared, len(found.replicates), seed))
    performance = turn(_means(prepared, names, blocks))
    share = _shares(found, prepared.drivers)
    order = [prepared.drivers.index(d) for d in names]
    importance_at = _importance_cut(importance_cut, share[:, order])
    performance_at = _performance_cut(origin, performance_cut, (names, ends, turn), performance)
    place = _place(share[:, order] >= importance_at, performance >= performance_at)
    spread = interval(performance[1:], performance[0], prepared.df, level)
    table = _table(origin, found, names, place, {"performance": performance[0], **spread})
    options = {"importance_cut": importance_cut, "performance_cut": performance_cut, "stated": stated, "method": found.method,
               "replicates": len(found.replicates), "seed": seed, "level": level}  # fmt: skip
    said = "".join(f", {k}={v!r}" for k, v in options.items() if v is not None)
    return PriorityMapResult(
        table,
        found.base,
        (*_notes(origin, names, ends, (importance_cut, performance_cut)), *prepared.notes, *design_notes(origin)),
        {**_HEADINGS, **HEADINGS_STATED, **prepared.labels},
        f"cx.priority_map(survey{origin.filter}, {found.outcome!r}, {list(prepared.drivers)!r}{said})  # data {origin.data_hash}",
        {lang: _TITLE[lang].format(prepared.labels[found.outcome][lang]) for lang in LANGUAGES},
        {**_FORMATS, **{k: v for k, v in formats(found.kernel).items() if k == "estimate"}},  # type: ignore[arg-type]  # ground has seen it
        level,
        outcome=found.outcome,
        cuts=pd.DataFrame({
            "driver": names, "importance": float(importance_at[0, 0]), "performance": np.broadcast_to(performance_at[0], len(names)),
        }),
        stated=stated_against_derived(origin, prepared, stated, share, (blocks, level)) if stated else None,
    )  # fmt: skip


def _shares(found: DriverResult, drivers: Sequence[str]) -> FloatArray:
    """Shares of what the drivers explain under every set of weights, the sample's own first, shape (sets, p)."""
    draws = found.replicates[list(drivers)].to_numpy()
    point = found.table.set_index("driver").loc[list(drivers), "share"].to_numpy(dtype=float)
    return np.concatenate([point[None], draws / draws.sum(axis=1, keepdims=True)])


def _table(
    survey: Survey, found: DriverResult, names: Sequence[str], place: np.ndarray, performance: Mapping[str, FloatArray]
) -> pd.DataFrame:
    """One row per driver with the shares of its quadrants, the surest to be fixed first on top."""
    columns = ["driver", "share", "share_low", "share_high", "estimate", "base", "base_effective", "reliability"]
    table = found.table.set_index("driver").loc[list(names)].reset_index()[columns]
    shares = np.array([(place[1:] == q).mean(axis=0) for q in range(4)])
    up = better(survey, found.outcome) * np.array([1 if survey.higher_is_better(d) else -1 for d in names])
    likeliest, sure = shares.argmax(axis=0), shares.max(axis=0) >= _SURE
    table = table.assign(
        quadrant=np.where(sure, np.array(QUADRANTS)[likeliest], OPEN), performance=performance["performance"],
        performance_low=performance["low"], performance_high=performance["high"], fix_first=shares[0], keep_up=shares[1],
        low_priority=shares[2], maintain=shares[3], helps=up * table["estimate"] >= 0,
    )  # fmt: skip
    rank = np.lexsort(np.stack([-table["share"].to_numpy(dtype=float), np.where(sure, likeliest, 4)]))
    return table.iloc[rank][_COLUMNS].reset_index(drop=True)


_COLUMNS = [
    "driver", "quadrant", "share", "share_low", "share_high", "performance", "performance_low", "performance_high", "fix_first", "keep_up",
    "low_priority", "maintain", "estimate", "helps", "base", "base_effective", "reliability",
]  # fmt: skip


def _result(
    survey: Survey | DriverResult, outcome: str, drivers: Sequence[str] | None, how: tuple[str, int, int, float]
) -> DriverResult:
    """The importances: those given, or computed."""
    method, replicates, seed, level = how
    if isinstance(survey, DriverResult):
        return survey
    from cxlab.drivers import key_drivers

    check_survey("priority_map", survey)
    if not replicates:
        raise SurveyError("replicates is 0; the map needs at least 100 for the place of each driver.")
    return key_drivers(survey, outcome, drivers, method=method, replicates=replicates, seed=seed, level=level)


def _means(prepared: Prepared, names: Sequence[str], blocks: Sequence[Block]) -> FloatArray:
    """Weighted mean answer of each driver under every set of weights, shape (sets, p)."""
    columns = prepared.columns[:, [prepared.first[prepared.drivers.index(d)] for d in names]]
    answered = np.isfinite(columns) * prepared.weights[:, None]
    answers = np.nan_to_num(columns) * prepared.weights[:, None]
    out = []
    for multipliers, piece in blocks:
        units = multipliers.shape[1]
        total, size = (np.column_stack([np.bincount(piece, c, units) for c in part.T]) for part in (answers, answered))
        factor = multipliers.astype(float, copy=False)
        out.append((factor @ total) / (factor @ size))
    return np.concatenate(out)


def _turn(survey: Survey, names: Sequence[str], ends: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Put answers so that more is better, on 0–100 where the scales differ."""
    down = np.array([not survey.higher_is_better(d) for d in names])
    low, high = ends.T
    common = bool((ends == ends[0]).all())

    def turn(values: FloatArray) -> FloatArray:
        faced = np.where(down, low + high - values, values)
        return faced if common else 100 * (faced - low) / (high - low)

    return turn


def _importance_cut(cut: float | str, share: FloatArray) -> FloatArray:
    """Cut under every set of weights, shape (sets, 1)."""
    if isinstance(cut, str):
        rules: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}
        if cut not in rules:
            raise one_of("importance_cut", cut, rules)
        return np.asarray(rules[cut](share, axis=1))[:, None]
    if not 0 < cut < 1:
        raise SurveyError(f"importance_cut is {cut:g}; it is a share of what the drivers explain, between 0 and 1.")
    return np.full((len(share), 1), float(cut))


def _performance_cut(
    survey: Survey, cut: Any, of: tuple[list[str], FloatArray, Any], performance: FloatArray
) -> FloatArray:
    """Cut under every set of weights, shape (sets, 1 or p)."""
    names, ends, turn = of
    if isinstance(cut, str):
        if cut in ("mean", "median"):
            return np.asarray(performance.mean(axis=1) if cut == "mean" else np.median(performance, axis=1))[:, None]
        if cut == "middle":
            cut = dict(zip(names, ends.mean(axis=1), strict=True))
        elif cut == "target":
            cut = {d: survey.roles.targets[d] for d in names if d in survey.roles.targets}
        else:
            raise one_of("performance_cut", cut, ("mean", "median", "middle", "target"))
    strange = [d for d in cut if d not in names] if isinstance(cut, Mapping) else []
    if strange:
        raise unknown_names("performance_cut", strange, names, "the drivers")
    wanted = (
        {d: float(cut[d]) for d in names if d in cut} if isinstance(cut, Mapping) else dict.fromkeys(names, float(cut))
    )
    absent = [d for d in names if d not in wanted]
    if absent:
        raise SurveyError(
            f"performance_cut: {len(absent)} of {len(names)} drivers have no target ({', '.join(map(repr, absent[:6]))}); declare them under "
            "targets: in study.yml, or pass a number."
        )
    values = np.array([wanted[d] for d in names])
    out = [
        f"{d!r} {v:g} (scale {low:g}–{high:g})"
        for d, v, (low, high) in zip(names, values, ends, strict=True)
        if not low <= v <= high
    ]
    if out:
        raise SurveyError(
            f"performance_cut lies outside the scale of {len(out)} of {len(names)} drivers: {', '.join(out)}."
        )
    return np.repeat(turn(values)[None], len(performance), axis=0)


def _place(important: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Number of the quadrant, as in ``QUADRANTS``."""
    return np.where(important, np.where(good, 1, 0), np.where(good, 3, 2))


def _notes(
    survey: Survey, names: Sequence[str], ends: FloatArray, cuts: tuple[Any, Any]
) -> tuple[Mapping[str, str], ...]:
    words = [
        {lang: _CUTS[c][lang] if isinstance(c, str) else f"{c:g}" for lang in LANGUAGES}
        if not isinstance(c, Mapping)
        else _CUTS["each"]
        for c in cuts
    ]
    out = [Note(_CUT, importance=words[0], performance=words[1]), Note(NOT_CAUSE)]
    turned = [d for d in names if not survey.higher_is_better(d)]
    if turned:
        listed = {
            lang: (", " if lang == "en" else "、").join(survey.label(d, lang) for d in turned) for lang in LANGUAGES
        }
        out.append(Note(_TURNED, drivers=listed))
    if not (ends == ends[0]).all():
        out.append(Note(_INDEX))
    return tuple(out)


_CUTS = {
    "mean": {"en": "mean of the drivers", "zh": "各因素均值"},
    "median": {"en": "median of the drivers", "zh": "各因素中位数"},
    "middle": {"en": "middle of the scale", "zh": "量表中点"},
    "target": {"en": "the study's targets", "zh": "研究设定的目标"},
    "each": {"en": "one for each driver", "zh": "各因素分别设定"},
}
_CUT = {
    "en": "Cuts: importance at {importance}, performance at {performance}.",
    "zh": "分界：重要性取{importance}，表现取{performance}。",
}
_TURNED = {"en": "Turned, so that more is better: {drivers}.", "zh": "已反向计分，使分数越高越好：{drivers}。"}
_INDEX = {"en": "Scales differ; performance is on 0–100.", "zh": "各题量表不同，表现统一换算为 0–100。"}
_TITLE = {"en": "Priority map: {}", "zh": "优先改进矩阵：{}"}
_FORMATS = {
    **dict.fromkeys(("fix_first", "keep_up", "low_priority", "maintain"), ".0%"),
    **dict.fromkeys(("performance", "performance_low", "performance_high"), ".1f"), "estimate": "+.2f",
}  # fmt: skip
_HEADINGS: Mapping[Any, Mapping[str, str]] = {
    "quadrant": {"en": "Quadrant", "zh": "象限"},
    "performance": {"en": "Performance", "zh": "表现"},
    "performance_low": {"en": "Performance low", "zh": "表现下限"},
    "performance_high": {"en": "Performance high", "zh": "表现上限"},
    "fix_first": FIX_FIRST,
    "keep_up": {"en": "Keep up", "zh": "继续保持"},
    "low_priority": {"en": "Low priority", "zh": "次要改进"},
    "maintain": {"en": "Maintain", "zh": "维持现状"},
    "estimate": {"en": "Effect per +1", "zh": "每 +1 分的影响"},
    "helps": {"en": "Better goes with better", "zh": "方向一致"},
    ("quadrant", "fix first"): {"en": "fix first", "zh": "优先改进"},
    ("quadrant", "keep up"): {"en": "keep up", "zh": "继续保持"},
    ("quadrant", "low priority"): {"en": "low priority", "zh": "次要改进"},
    ("quadrant", "maintain"): {"en": "maintain", "zh": "维持现状"},
    ("quadrant", OPEN): {"en": "not decided", "zh": "未判定"},
}
