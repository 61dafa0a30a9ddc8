"""Blocks of drivers: what each carries, how it is split within, and whether segments differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import ranks
from cxlab.design import design_notes, kish_base
from cxlab.drivers._block_segments import Split, block_shares, shares, split_by
from cxlab.drivers._columns import interval_columns
from cxlab.drivers._kernels import LEAST_REPLICATES, PERMUTATIONS, Linear
from cxlab.drivers._measures import teams
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.drivers._result import FORMATS, HEADINGS
from cxlab.errors import SurveyError
from cxlab.metrics import names as wordings
from cxlab.metrics import value_names
from cxlab.result import Base, Result, reliability
from cxlab.subsets import merged
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_PLAYERS = 20  # drivers of a block and other blocks whose subsets are all kept
_FIRST = {
    "en": "{block:cap} carries {share:.0%} of what the drivers explain of {outcome:in} ({level} interval {low:.0%} to {high:.0%}), more than "
    "any other block.",
    "zh": "“{block}”类因素占{outcome}解释力的 {share:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}），高于其他各类。",
}
_HIGHEST = {
    "en": "{block:cap} has the largest share of what the drivers explain of {outcome:in}, {share:.0%} ({level} interval {low:.0%} to "
    "{high:.0%}), but is not separated from {others}.",
    "zh": "“{block}”类因素占{outcome}解释力的比例最高，为 {share:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}），但与{others}尚无法区分高下。",
}
_POINT = {
    "en": "{block:cap} has the largest share of what the drivers explain of {outcome:in}, {share:.0%}. No intervals were asked for.",
    "zh": "“{block}”类因素占{outcome}解释力的比例最高，为 {share:.0%}。本次未计算区间。",
}
_WITHIN = {
    "en": "Within {block:in}, {driver:in} carries most ({within:.0%} of the block).",
    "zh": "“{block}”类中，“{driver}”贡献最大（占该类的 {within:.0%}）。",
}
_NOISE = {
    "en": "Not distinguishable from noise: {blocks}.",
    "zh": "与噪声无法区分：{blocks}。",
}
_DIFFERS = {
    "en": "Among {segment:in}, {block:in} carries {share:.0%} of what the drivers explain, {rest:.0%} among all others ({p:p}).",
    "zh": "在“{segment}”中，“{block}”类占解释力的 {share:.0%}，其余受访者为 {rest:.0%}（{p:p}）。",
}
_SAME = {
    "en": "No block's share differs between a segment and all others by more than chance (smallest adjusted {p:p}).",
    "zh": "各类因素的占比在任一群体与其余受访者之间均无显著差异（校正后最小的 {p:p}）。",
}
_OWEN = {
    "en": "Blocks: Shapley values with each block as one player; within blocks Owen values, in which a block's drivers enter one after the "
    "other. They differ from the plain Shapley values of the same drivers by up to {gap:.1%} of R² ({driver}).",
    "zh": "类别：将每一类视为一个参与者的 Shapley 值；类内为 Owen 值，即同类因素须相继进入模型。与不分类的 Shapley 值相比，差别最大为 R² 的 {gap:.1%}（{driver}）。",
}
_FAMILY = {
    "en": "Block shares by segment: each group against all others, bootstrap bias subtracted, Holm over {tests} tests ({blocks} blocks, "
    "{segments} groups); standard errors from replicates that all groups share.",
    "zh": "各群体的类别占比：各组与其余全部受访者比较，已扣除自助法偏差，p 值经 Holm 法校正，共 {tests} 次检验（{blocks} 个类别，{segments} 组）；"
    "标准误取自各组共用的重抽样。",
}


@dataclass(frozen=True, eq=False)
class BlockResult(Result):
    """Importance of blocks in ``table``, of drivers within them and of blocks by segment beside it.

    Attributes
    ----------
    outcome, by : str
    drivers : DataFrame
        One row per driver: ``driver, block, importance, importance_low, importance_high`` (Owen values), ``share, share_low,
        share_high`` (of R²), ``within`` (part of its block), ``shapley`` (plain Shapley value, for comparison), ``null_line,
        distinguishable``.
    segments : DataFrame
        With ``by``, one row per segment and block: ``segment, block, importance, share, share_low, share_high,
        share_corrected, share_rest`` (bias subtracted; of all others), ``estimate, se, low, high`` (difference of these two),
        ``p_value`` (Holm), ``p_raw, base, base_effective, reliability``.
    replicates : DataFrame
        Block importances under each set of replicate weights.
    """

    outcome: str = ""
    by: str = ""
    drivers: pd.DataFrame = field(default_factory=pd.DataFrame)
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the first block, its first driver, and the segments whose blocks weigh differently."""
        lang = language(lang)
        top = self.table.iloc[0]
        if top["reliability"] == "suppressed":
            return Sentences()
        own = self.drivers[self.drivers["block"] == top["block"]]
        best = own.loc[own["within"].idxmax()]
        block = self.label(top["block"], lang, "block")
        said = [self._lead(top, lang)]
        if len(own) > 1:
            said.append(
                sentence(_WITHIN, lang, block=block, driver=self.label(best["driver"], lang), within=best["within"])
            )
        noise = [self.label(b, lang, "block") for b in self.table.loc[~self.table["distinguishable"], "block"]]
        if noise:
            listed = ", ".join(noise) if lang == "en" else "、".join(f"“{b}”" for b in noise)
            said.append(sentence(_NOISE, lang, blocks=listed))
        if self.segments.empty or not self.segments["p_value"].notna().any():
            return Sentences(said)
        found = self.segments[self.segments["p_value"] < 1 - self.level]
        if found.empty:
            return Sentences([*said, sentence(_SAME, lang, p=float(self.segments["p_value"].min()))])
        said += [
            sentence(_DIFFERS, lang, segment=self.label(r.segment, lang, "segment"), block=self.label(r.block, lang, "block"),
                     share=r.share_corrected, rest=r.share_rest, p=r.p_value)
            for r in found.itertuples()
        ]  # fmt: skip
        return Sentences(said)

    def _lead(self, top: Any, lang: str) -> Any:
        """Sentence on the first block."""
        block, outcome = self.label(top["block"], lang, "block"), self.label(self.outcome, lang)
        if self.replicates.empty:
            return sentence(_POINT, lang, block=block, outcome=outcome, share=top["share"])
        near = self.table[(self.table["rank_low"] == 1) & (self.table["block"] != top["block"])]
        facts = {"block": block, "outcome": outcome, "share": top["share"], "low": top["share_low"],
                 "high": top["share_high"], "level": self.said_level}  # fmt: skip
        if near.empty:
            return sentence(_FIRST, lang, **facts)
        labels = [self.label(b, lang, "block") for b in near["block"]]
        listed = ", ".join(labels) if lang == "en" else "、".join(f"“{b}”" for b in labels)
        return sentence(_HIGHEST, lang, others=listed, **facts)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the blocks' shares with intervals; with segments, in every segment."""
        from cxlab.charts import importance
        from cxlab.drivers._draw_methods import blocks_by_segment

        lang = language(lang)
        if len(self.segments):
            return blocks_by_segment(self, lang, ax)
        table = self.table.assign(
            label=[self.label(b, lang, "block") for b in self.table["block"]],
            null_share=self.table["null_line"] / self.table["importance"].sum(),
        )
        table.loc[table["reliability"] == "suppressed", ["share", "share_low", "share_high"]] = np.nan
        return importance(table, title=self.text(self.title, lang), lang=lang, level=self.said_level, ax=ax)

    def further(self) -> Mapping[str, Result]:
        """Drivers within blocks and, with segments, the blocks of each."""
        out = {"drivers": Result(self.drivers, self.base, (), self.labels, formats=_FORMATS, title=_DRIVERS)}
        if len(self.segments):
            out["segments"] = Result(
                self.segments, self.base, (), self.labels, formats=_FORMATS | _GAPS, title=_SEGMENTS
            )
        return out


_DRIVERS = {"en": "Drivers within blocks", "zh": "类内各因素"}
_SEGMENTS = {"en": "Blocks by segment, each against all others", "zh": "各群体的类别占比（与其余受访者比较）"}
_FORMATS = FORMATS | {"within": ".0%", "shapley": ".3f", "share_corrected": ".0%", "share_rest": ".0%"}
_GAPS = {"estimate": "pp", "low": "pp", "high": "pp", "se": "pt"}
_HEADINGS = {
    "null_line": HEADINGS["null_line"],
    "distinguishable": HEADINGS["distinguishable"],
    "block": {"en": "Block", "zh": "类别"},
    "drivers": {"en": "Drivers", "zh": "因素个数"},
    "within": {"en": "Share of its block", "zh": "占本类比例"},
    "shapley": {"en": "Plain Shapley value", "zh": "不分类的 Shapley 值"},
    "share_corrected": {"en": "Share without bias", "zh": "占比（校正后）"},
    "share_rest": {"en": "Share among all others", "zh": "其余受访者占比"},
    "estimate": {"en": "Difference", "zh": "差异"},
    "p_raw": {"en": "p, not adjusted", "zh": "p 值（未校正）"},
}


def driver_blocks(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    *,
    by: str | None = None,
    missing: str = "listwise",
    always: Sequence[str] = (),
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> BlockResult:
    """Which block of drivers – value, price, sensory – carries the outcome, and does it differ between segments?

    Parameters
    ----------
    survey : Survey
    outcome : str
    drivers : mapping of block to list of str, optional
        By default the study's blocks; a driver without a block stands alone.
    by : str, optional
        Column of segments: block shares of each are compared with those of all others.
    missing, always, replicates, seed, level
        As in :func:`key_drivers`.

    Returns
    -------
    BlockResult
        One row per block: ``block, drivers`` (their number), ``importance, importance_low, importance_high, share, share_low,
        share_high, rank, rank_low, rank_high, null_line, distinguishable, base, base_effective`` (Kish), ``reliability``.
        ``.drivers`` splits each block, ``.segments`` holds the segments. Importances of blocks, and of drivers, sum to R².

    Raises
    ------
    SurveyError
        For fewer than two blocks, or as in :func:`key_drivers`.

    Notes
    -----
    Across blocks: exact Shapley values with each block as one player. Within: Owen values, the mean increase of R² over
    all orders in which the drivers of a block follow one another; plain Shapley values average over all orders, and differ.
    Shares of segments: small bases make them too even, so the bootstrap bias (mean of the replicates less the estimate) is
    subtracted; differences are tested by t with replicate standard errors, Holm over segments × blocks.

    Null line: 95th percentile of a block's importance after all its drivers were permuted together within stratum, 200
    times; where the estimate does not exceed it, the lower ends are 0. The same for each driver within its block.

    References
    ----------
    Owen (1977), in *Mathematical Economics and Game Theory*, 76–88.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.normal(size=(400, 4)), columns=["info", "nurse", "price", "queue"])
    >>> df["satisfaction"] = df["info"] + df["nurse"] + 0.5 * df["price"] + rng.normal(size=400)
    >>> blocks = {"value": ["info", "nurse"], "price": ["price"], "sensory": ["queue"]}
    >>> driver_blocks(Survey.from_frame(df), "satisfaction", blocks, replicates=200).table["block"].tolist()
    ['value', 'price', 'sensory']
    """
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or 0 for point estimates only."
        )
    found = None if by is None else split_by(survey, outcome, drivers, by, missing, always)
    prepared = found.total if found else prepare(survey, outcome, drivers, missing, always)
    own = teams(prepared.blocks)
    if len(own) < 2 or len(own) == len(prepared.drivers):
        raise SurveyError(
            f"drivers: {len(prepared.drivers)} drivers in {len(own)} blocks; at least two blocks, one of them of several drivers, "
            "are needed: declare blocks in study.yml, or pass drivers={'value': [...], 'price': [...]}."
        )
    _check_sizes(prepared, own)
    kernel = Linear(prepared, "owen")
    draws = kernel.draws(replicates, seed).importance if replicates else np.empty((0, len(prepared.drivers)))
    within = _drivers(kernel, draws, level, seed)
    table = _table(kernel, draws, own, level, seed)
    named = [prepared.blocks[t[0]] or prepared.drivers[t[0]] for t in own]
    segments = block_shares(found, own, named, replicates, seed, level) if found else pd.DataFrame()
    furthest = within.iloc[int(np.argmax((within["importance"] - within["shapley"]).abs()))]
    notes = [Note(_OWEN, gap=abs(furthest["importance"] - furthest["shapley"]) / within["importance"].sum(),
                  driver=prepared.labels[furthest["driver"]])]  # fmt: skip
    if found is not None and len(found.codes) > 1 and replicates:
        tests = int(segments["p_value"].notna().sum()) // (2 if len(found.codes) == 2 else 1)
        notes.append(Note(_FAMILY, tests=tests, blocks=len(own), segments=len(found.codes)))
    label = prepared.labels[outcome]
    return BlockResult(
        table, Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        (*notes, *prepared.notes, *design_notes(survey)), _labels(survey, prepared, named, found, by),
        _call(survey, prepared, by, {"missing": missing, "replicates": replicates, "seed": seed, "level": level}),
        {"en": f"Blocks of drivers of {label['en']}", "zh": f"“{label['zh']}”驱动因素的类别占比"},
        _FORMATS, level, outcome=outcome, by=by or "", drivers=within, segments=segments,
        replicates=pd.DataFrame(_sums(draws, own), columns=named),
    )  # fmt: skip


def _check_sizes(prepared: Prepared, own: Sequence[Sequence[int]]) -> None:
    """Refuse blocks whose subsets are too many to keep."""
    largest = max(own, key=len)
    if len(largest) + len(own) - 1 > MOST_PLAYERS:
        raise SurveyError(
            f"drivers: block {prepared.blocks[largest[0]]!r} holds {len(largest)} drivers beside {len(own) - 1} other blocks; together at "
            f"most {MOST_PLAYERS} are compared: split the block, or name fewer drivers."
        )


def _call(survey: Survey, prepared: Prepared, by: str | None, options: dict[str, Any]) -> str:
    blocks: dict[str, list[str]] = {}
    for driver, block in zip(prepared.drivers, prepared.blocks, strict=True):
        blocks.setdefault(block, []).append(driver)
    given = ({"by": by} if by else {}) | options | ({"always": list(prepared.always)} if prepared.always else {})
    said = "".join(f", {k}={v!r}" for k, v in given.items())
    return f"cx.driver_blocks(survey{survey.filter}, {prepared.outcome!r}, {blocks!r}{said})  # data {survey.data_hash}"


def _labels(
    survey: Survey, prepared: Prepared, named: Sequence[str], found: Split | None, by: str | None
) -> dict[Any, Mapping[str, str]]:
    known = {**prepared.labels, **{b: t for b, t in survey.roles.labels.items() if b in named}}
    blocks = {("block", b): known.get(b, dict.fromkeys(LANGUAGES, b)) for b in named}
    if found is None or by is None:
        return {**_HEADINGS, **prepared.labels, **blocks}
    segments = {("segment", c): value_names(survey, found.column, c) for c in found.codes}
    return {**_HEADINGS, **prepared.labels, **blocks, **segments, by: wordings(survey, found.column)}


def _sums(importance: FloatArray, own: Sequence[Sequence[int]]) -> FloatArray:
    """Importances of blocks, shape (..., blocks)."""
    return np.stack([importance[..., list(t)].sum(axis=-1) for t in own], axis=-1)


def _intervals(
    importance: FloatArray, draws: FloatArray, null: Callable[[], FloatArray], df: float, level: float
) -> dict[str, Any]:
    """Intervals, rank sets and null lines of importances; nothing is known of them without replicates."""
    p = len(importance)
    if not len(draws):
        empty = np.full(p, np.nan)
        return {**dict.fromkeys(_ENDS, empty), "rank_low": np.ones(p, dtype=int), "rank_high": np.full(p, p),
                "null_line": empty, "distinguishable": np.ones(p, dtype=bool)}  # fmt: skip
    return interval_columns(importance, draws, null(), df, level)


_ENDS = ("importance_low", "importance_high", "share_low", "share_high")
_TABLE = [
    "block", "drivers", "importance", "importance_low", "importance_high", "share", "share_low", "share_high", "rank", "rank_low",
    "rank_high", "null_line", "distinguishable", "base", "base_effective", "reliability",
]  # fmt: skip
_WITHIN_TABLE = ["driver", "block", "importance", "importance_low", "importance_high", "share", "share_low", "share_high",
                 "within", "shapley", "null_line", "distinguishable"]  # fmt: skip


def _table(kernel: Linear, draws: FloatArray, own: Sequence[Sequence[int]], level: float, seed: int) -> pd.DataFrame:
    prepared, importance = kernel.prepared, _sums(kernel.importance(), own)
    named = tuple(prepared.blocks[t[0]] or prepared.drivers[t[0]] for t in own)
    layout = replace(prepared.layout, players=merged(prepared.layout.players, own))
    whole = replace(prepared, drivers=named, blocks=("",) * len(own), layout=layout)  # each block is one player
    found = _intervals(
        importance,
        _sums(draws, own),
        lambda: Linear(whole, "shapley").null_lines(PERMUTATIONS, seed),
        prepared.df,
        level,
    )
    effective = kish_base(prepared.weights)
    return pd.DataFrame({
        "block": named, "drivers": [len(t) for t in own], "importance": importance, "share": shares(importance),
        "rank": ranks(importance), **found, "base": len(prepared.rows), "base_effective": effective,
        "reliability": str(reliability(effective)),
    })[_TABLE].sort_values("rank", ignore_index=True)  # fmt: skip


def _drivers(kernel: Linear, draws: FloatArray, level: float, seed: int) -> pd.DataFrame:
    prepared, importance = kernel.prepared, kernel.importance()
    blocks = [b or d for b, d in zip(prepared.blocks, prepared.drivers, strict=True)]
    found = _intervals(importance, draws, lambda: kernel.null_lines(PERMUTATIONS, seed), prepared.df, level)
    table = pd.DataFrame({
        "driver": prepared.drivers, "block": blocks, "importance": importance, "share": shares(importance), **found,
        "shapley": Linear(prepared, "shapley").importance(),
    })  # fmt: skip
    table["within"] = table["importance"] / table.groupby("block")["importance"].transform("sum")
    return table[_WITHIN_TABLE]
