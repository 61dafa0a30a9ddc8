"""Dominance: does one driver add more than another whatever else is in the model?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import ranks
from cxlab.design import design_notes, kish_base
from cxlab.drivers._kernels import LEAST_REPLICATES, PERMUTATIONS, Linear
from cxlab.drivers._prepare import prepare
from cxlab.drivers._result import HEADINGS, DriverResult, percentiles
from cxlab.errors import SurveyError
from cxlab.moments import partial_out, to_correlation
from cxlab.result import Base, Result, reliability
from cxlab.subsets import dominance as gains
from cxlab.survey import Survey
from cxlab.words import Note, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
LIMIT = 18  # drivers whose subsets are all compared
_ROUND = 1e-12  # part of R² under which two means of gains are equal
_ALL = {
    "en": "{driver:cap} completely dominates all {others} other drivers of {outcome:in}: in every model it adds more than they do "
    "(the least certain pair holds in {least:.0%} of replicates).",
    "zh": "“{driver}”对其余 {others} 个因素均具有完全优势：无论模型中已有哪些因素，它对{outcome}的增量解释力都更大"
    "（其中最不稳定的一对在 {least:.0%} 的重抽样中成立）。",
}
_SOME = {
    "en": "{driver:cap} adds most to the explanation of {outcome:in} on average and completely dominates {count} of the {others} other "
    "drivers; against the rest it depends on what else is in the model.",
    "zh": "“{driver}”对{outcome}的平均增量解释力最大，并对其余 {others} 个因素中的 {count} 个具有完全优势；与其他因素相比孰大孰小，取决于模型中还有哪些因素。",
}
_NONE = {
    "en": "{driver:cap} adds most to the explanation of {outcome:in} on average, but completely dominates no other driver: which one adds "
    "more depends on what else is in the model.",
    "zh": "“{driver}”对{outcome}的平均增量解释力最大，但对任何因素都不具有完全优势：孰大孰小取决于模型中还有哪些因素。",
}
_OPEN = {
    "en": "Complete dominance is decided for {decided} of {pairs} pairs of drivers; {firm} of them hold in at least 95% of replicates.",
    "zh": "{pairs} 对因素中有 {decided} 对可判定完全优势，其中 {firm} 对在至少 95% 的重抽样中成立。",
}
_NOTE = {
    "en": "Complete dominance: more R² added in every subset of the other drivers; conditional: on average at every subset size; general: "
    "on average over sizes (the Shapley value). Each is yes or no in the sample; beside it stands the share of replicates in which it holds.",
    "zh": "完全优势：在其他因素的任一子集上增加的 R² 都更大；条件优势：在每一种子集规模上平均更大；一般优势：在各规模上的总平均更大（即 Shapley 值）。"
    "三者在样本中非是即否，旁列其在重抽样中成立的比例。",
}


@dataclass(frozen=True, eq=False)
class DominanceResult(Result):
    """General dominance in ``table``, with conditional and complete dominance beside it.

    Attributes
    ----------
    outcome : str
    conditional : DataFrame
        One row per driver and size of the set it enters: ``driver, size, importance, importance_low, importance_high``.
    pairs : DataFrame
        One row per ordered pair: ``driver, other, subsets`` (share of the subsets in which the driver adds more),
        ``complete, conditional, general`` (yes or no) and, each with ``_share``, the share of replicates in which it holds.
    replicates : DataFrame
        General dominance under each set of replicate weights; empty without replicates.
    """

    outcome: str = ""
    conditional: pd.DataFrame = field(default_factory=pd.DataFrame)
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say whether the leader leads whatever else is known, and how many pairs are decided."""
        lang = language(lang)
        if self.table["reliability"].iloc[0] == "suppressed" or len(self.table) < 2:
            return Sentences()
        top, others = self.table.iloc[0], len(self.table) - 1
        won = self.pairs[(self.pairs["driver"] == top["driver"]) & self.pairs["complete"]]
        least = won["complete_share"].min()
        template = _NONE if won.empty else _ALL if len(won) == others and np.isfinite(least) else _SOME
        said = [
            sentence(template, lang, driver=self.label(top["driver"], lang), outcome=self.label(self.outcome, lang),
                     others=others, count=len(won), least=least)
        ]  # fmt: skip
        if len(self.replicates):
            decided = self.pairs[self.pairs["complete"]]
            firm = int((decided["complete_share"] >= 0.95).sum())
            said.append(sentence(_OPEN, lang, decided=len(decided), pairs=len(self.pairs) // 2, firm=firm))
        return Sentences(said)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw for every pair the share of subsets in which the row's driver adds more than the column's."""
        from cxlab.drivers._draw_methods import dominance_map

        return dominance_map(self, language(lang), ax)

    def further(self) -> Mapping[str, Result]:
        """Conditional dominance by subset size, and the pairs."""
        return {
            "conditional": Result(self.conditional, self.base, (), self.labels, formats={"size": ","}, title=_BY_SIZE),
            "pairs": Result(self.pairs, self.base, (), self.labels, formats=_FORMATS, title=_PAIRS),
        }


_BY_SIZE = {"en": "R² added, by the number of other drivers in the model", "zh": "按模型中已有因素个数划分的 R² 增量"}
_PAIRS = {"en": "Pairs", "zh": "两两比较"}
_FORMATS = {"subsets": ".0%", "complete_share": ".0%", "conditional_share": ".0%", "general_share": ".0%"}
_HEADINGS = {
    "null_line": HEADINGS["null_line"],
    "distinguishable": HEADINGS["distinguishable"],
    "size": {"en": "Others in the model", "zh": "已有因素个数"},
    "other": {"en": "Compared with", "zh": "比较对象"},
    "subsets": {"en": "Subsets in which it adds more", "zh": "增量更大的子集占比"},
    "complete": {"en": "Completely", "zh": "完全优势"},
    "conditional": {"en": "Conditionally", "zh": "条件优势"},
    "general": {"en": "Generally", "zh": "一般优势"},
    "complete_share": {"en": "Completely, in replicates", "zh": "完全优势在重抽样中成立"},
    "conditional_share": {"en": "Conditionally, in replicates", "zh": "条件优势在重抽样中成立"},
    "general_share": {"en": "Generally, in replicates", "zh": "一般优势在重抽样中成立"},
    "dominates": {"en": "Dominates completely", "zh": "完全优于（个）"},
    "dominated": {"en": "Completely dominated by", "zh": "完全劣于（个）"},
}


def dominance(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    *,
    missing: str = "listwise",
    always: Sequence[str] = (),
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> DominanceResult:
    """Does one driver add more than another whatever else is in the model?

    Parameters
    ----------
    survey, outcome, drivers, missing, always
        As in :func:`key_drivers`; up to 18 drivers.
    replicates : int
        Rao–Wu bootstrap replicates; 0 for the sample alone.
    seed : int
    level : float

    Returns
    -------
    DominanceResult
        One row per driver, the most important first: ``driver, importance, importance_low, importance_high`` (general
        dominance: the Shapley value of R²; the lower end is 0 unless the estimate exceeds the null line of
        :func:`key_drivers`), ``share, rank, null_line, distinguishable, dominates, dominated`` (drivers that it dominates completely, and
        that dominate it), ``base, base_effective`` (Kish), ``reliability``. ``.conditional`` by size of the set
        entered; ``.pairs`` with complete, conditional and general dominance of every pair and the shares of replicates in
        which they hold.

    Raises
    ------
    SurveyError
        For more than 18 drivers, or as in :func:`key_drivers`.

    Notes
    -----
    All statistics come from the outcome's variance given every subset of drivers, 2^p numbers per matrix. Complete
    dominance is a yes or no; the share of replicates in which it holds is not the probability that it is true.

    References
    ----------
    Azen & Budescu (2003), Psychological Methods 8, 129–148. R: ``domir::domir``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.normal(size=(400, 3)), columns=["queue", "doctor", "colour"])
    >>> df["satisfaction"] = df["queue"] + 0.5 * df["doctor"] + rng.normal(size=400)
    >>> found = dominance(Survey.from_frame(df), "satisfaction", ["queue", "doctor", "colour"], replicates=200)
    >>> found.table[["driver", "dominates"]].values.tolist()
    [['queue', 2], ['doctor', 1], ['colour', 0]]
    """
    kernel = Linear(prepare(survey, outcome, drivers, missing, always), "shapley")
    given = {"missing": missing, "replicates": replicates, "seed": seed, "level": level}
    listed = list(kernel.prepared.drivers)
    call = f"cx.dominance(survey{survey.filter}, {outcome!r}, {listed!r}" + "".join(
        f", {k}={v!r}" for k, v in given.items()
    )
    call += (f", always={list(always)!r}" if always else "") + f")  # data {survey.data_hash}"
    return _result(kernel, replicates, seed, level, call, design_notes(survey))


def dominance_of(result: DriverResult, replicates: int | None = None, seed: int | None = None) -> DominanceResult:
    """The same for a result of :func:`key_drivers`, with its replicates, without preparing anew.

    Raises
    ------
    SurveyError
        If the model of the outcome is not linear.
    """
    if not isinstance(result.kernel, Linear):
        said = "none" if result.kernel is None else repr(result.kernel.name)
        raise SurveyError(f"dominance compares parts of R² of a linear model; the model of this result is {said}.")
    count, seed = len(result.replicates) if replicates is None else replicates, result.seed if seed is None else seed
    call = f"{result.call.split('  #')[0]}.dominance(replicates={count}, seed={seed})"
    return _result(result.kernel, count, seed, result.level, call, ())


def _result(
    kernel: Linear, replicates: int, seed: int, level: float, call: str, notes: Sequence[Mapping[str, str]]
) -> DominanceResult:
    prepared = kernel.prepared
    _check(len(prepared.drivers), replicates)
    by_size, subsets = _gains(kernel, to_correlation(kernel.covariance))
    drawn = [_gains(kernel, block) for block, _ in kernel.correlations(replicates, seed)] if replicates else []
    sizes = np.concatenate([d[0] for d in drawn]) if drawn else np.empty((0, *by_size.shape))
    fractions = np.concatenate([d[1] for d in drawn]) if drawn else np.empty((0, *subsets.shape))
    pairs = _pairs(
        prepared.drivers, _facts(by_size, subsets), [_facts(s, f) for s, f in zip(sizes, fractions, strict=True)]
    )
    pairs["subsets"] = subsets[~np.eye(len(subsets), dtype=bool)]
    label = prepared.labels[prepared.outcome]
    base = Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share)
    return DominanceResult(
        _table(prepared.drivers, by_size, sizes, pairs, _null_lines(kernel, replicates, seed), level).assign(
            base=base.respondents, base_effective=base.effective, reliability=str(reliability(base.effective))
        ),
        base, (Note(_NOTE), *prepared.notes, *notes), {**_HEADINGS, **prepared.labels}, call,
        {"en": f"Dominance among the drivers of {label['en']}", "zh": f"“{label['zh']}”驱动因素的优势分析"},
        level=level, outcome=prepared.outcome, conditional=_by_size(prepared.drivers, by_size, sizes, level),
        pairs=pairs[_ORDER], replicates=pd.DataFrame(sizes.mean(axis=2), columns=list(prepared.drivers)),
    )  # fmt: skip


def _check(p: int, replicates: int) -> None:
    if p > LIMIT:
        raise SurveyError(
            f"drivers holds {p}; every subset is compared for at most {LIMIT}: name fewer drivers, or use cx.key_drivers."
        )
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or 0 for point estimates only."
        )


def _gains(kernel: Linear, correlations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean gains by size, as parts of the whole variance, and shares of subsets; what is forced in is partialled out."""
    layout = kernel.prepared.layout
    if not layout.always:
        return gains(correlations, layout.players)
    rest = partial_out(correlations, layout.always)
    free = [c for c in range(correlations.shape[-1] - 1) if c not in set(layout.always)]
    by_size, subsets = gains(rest, tuple(tuple(free.index(c) for c in g) for g in layout.players))
    return by_size * (rest[..., -1, -1] / correlations[..., -1, -1])[..., None, None], subsets


def _facts(by_size: FloatArray, subsets: FloatArray) -> FloatArray:
    """Complete, conditional and general dominance of row over column, bool of shape (3, p, p)."""
    gap = by_size[:, None] - by_size[None]
    general = gap.mean(axis=-1) > _ROUND
    return np.array([subsets == 1, (gap > _ROUND).all(axis=-1), general])


def _pairs(drivers: Sequence[str], found: FloatArray, drawn: Sequence[FloatArray]) -> pd.DataFrame:
    p = len(drivers)
    first, second = np.nonzero(~np.eye(p, dtype=bool))
    names = np.array(drivers, dtype=object)
    shares = np.mean(drawn, axis=0) if len(drawn) else np.full(found.shape, np.nan)
    columns: dict[str, Any] = {"driver": names[first], "other": names[second]}
    for name, yes, share in zip(("complete", "conditional", "general"), found, shares, strict=True):
        columns |= {name: yes[first, second].astype(bool), f"{name}_share": share[first, second]}
    return pd.DataFrame(columns)


_ORDER = ["driver", "other", "subsets", "complete", "complete_share", "conditional", "conditional_share", "general",
          "general_share"]  # fmt: skip


def _null_lines(kernel: Linear, replicates: int, seed: int) -> FloatArray:
    """Null lines beside intervals; NaN where there are none."""
    return kernel.null_lines(PERMUTATIONS, seed) if replicates else np.full(len(kernel.prepared.drivers), np.nan)


def _table(
    drivers: Sequence[str], by_size: FloatArray, sizes: FloatArray, pairs: pd.DataFrame, null: FloatArray, level: float
) -> pd.DataFrame:
    general, empty = by_size.mean(axis=1), np.full(len(drivers), np.nan)
    low, high = percentiles(sizes.mean(axis=2), level) if len(sizes) else (empty, empty)
    noise = general <= null * (1 + 1e-9)
    won, lost = (pairs.loc[pairs["complete"], c].value_counts() for c in ("driver", "other"))
    return pd.DataFrame({
        "driver": drivers, "importance": general, "importance_low": np.where(noise, 0.0, low), "importance_high": high,
        "share": general / general.sum(), "rank": ranks(general), "null_line": null, "distinguishable": ~noise,
        "dominates": [int(won.get(d, 0)) for d in drivers], "dominated": [int(lost.get(d, 0)) for d in drivers],
    }).sort_values("rank", ignore_index=True)  # fmt: skip


def _by_size(drivers: Sequence[str], by_size: FloatArray, sizes: FloatArray, level: float) -> pd.DataFrame:
    p = len(drivers)
    empty = np.full((p, p), np.nan)
    low, high = percentiles(sizes, level) if len(sizes) else (empty, empty)
    return pd.DataFrame({
        "driver": np.repeat(list(drivers), p), "size": np.tile(np.arange(p), p), "importance": by_size.ravel(),
        "importance_low": low.ravel(), "importance_high": high.ravel(),
    })  # fmt: skip
