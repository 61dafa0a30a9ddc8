"""The same paths by composites and by common factors, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.layers._factor_tables import split
from cxlab.layers._kernel import Kernel
from cxlab.layers._model import PathModel, counted
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._factor_result import FactorModelResult
    from cxlab.layers._factor_spread import Basis
    from cxlab.layers._result import PathModelResult

FloatArray = np.ndarray[Any, np.dtype[Any]]
Path = tuple[str, str]
OWN = "CB-SEM"
_LEAST = 50  # replicates with a solution from which differences get intervals


@dataclass(frozen=True, eq=False)
class BesideResult(Result):
    """Path coefficients by method: one row per path and method."""

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw every path with the intervals of all methods."""
        from cxlab.layers._draw_factor import draw_beside

        return draw_beside(self, ax, language(lang))

    @property
    def methods_shown(self) -> list[str]:
        """Methods in the order of the table."""
        return list(dict.fromkeys(self.table["method"]))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Where methods agree, and where not."""
        return Sentences(self._said(language(lang)))

    def headline(self, lang: str | None = None) -> Sentence:
        """The finding as a title: how many paths the methods tell differently."""
        lang = language(lang)
        first, *others = self.methods_shown
        rows = self.table[self.table["method"] != first]
        if rows["difference_low"].isna().all():
            return sentence(_TITLE_ALONE, lang, methods=" / ".join(others), own=first)
        apart = ((rows["difference_low"] > 0) | (rows["difference_high"] < 0)).groupby(rows["method"], sort=False).sum()
        counts = _SEPARATOR[lang].join(f"{method} {count}" for method, count in apart.items())
        return sentence(_TITLE, lang, count=len(rows) // len(others), counts=counts, own=first)

    def _said(self, lang: str) -> Iterator[Sentence]:
        for method in self.methods_shown[1:]:
            rows = self.table[(self.table["method"] == method)]
            other = (rows["estimate"] - rows["difference"]) * rows["estimate"] < 0
            apart = (rows["difference_low"] > 0) | (rows["difference_high"] < 0)
            widest = rows.iloc[int(rows["difference"].abs().to_numpy().argmax())]
            facts = {
                "method": method, "count": len(rows), "source": self.label(widest["source"], lang), "target": self.label(widest["target"], lang),
                "difference": widest["difference"], "turned": int(other.sum()), "apart": int(apart.sum()),
            }  # fmt: skip
            known = bool(rows["difference_low"].notna().any())
            yield sentence((_TESTED if known else _UNTESTED), lang, **facts)


def beside(result: FactorModelResult, other: PathModelResult | pd.DataFrame, name: str) -> BesideResult:
    """Lay path coefficients of another model beside those of common factors."""
    paths = result.model.paths
    if not paths or result.basis is None:
        raise SurveyError(
            "beside: this model has no path (confirmatory factor analysis); there is nothing to lay side by side."
        )
    own = result.table[result.table["kind"] == "path"].set_index(["source", "target"])
    shared = list(zip(*(own.index.get_level_values(k) for k in (0, 1)), strict=True))
    draws = _own_draws(result.basis)
    notes: list[Mapping[str, str]] = []
    tables: dict[str, tuple[pd.DataFrame, FloatArray | None]]
    if isinstance(other, pd.DataFrame):
        tables = {name: (_given(other, shared), None)}
    else:
        tables = _composites(result, result.basis, other, draws is not None)
    rows = [_rows(OWN, own, None, None)]
    for method, (table, drawn) in tables.items():
        rows.append(_rows(method, table, own, None if draws is None or drawn is None else (drawn, draws), result))
    if not result.admissible:
        notes.append(Note(_NOT_ADMISSIBLE))
    if rows[-1]["difference_low"].isna().all():
        notes.append(Note(_ALONE))
    else:
        notes.append(Note(_PAIRED))
    return BesideResult(
        pd.concat(rows, ignore_index=True), result.base, tuple(notes), {**result.labels, **_HEADINGS}, f"{result.call}.beside(…)",
        {"en": "Paths by composites and by common factors", "zh": "复合构念与共同因子的路径对照"},
        {**result.formats, "estimate": ".2f", "low": ".2f", "high": ".2f", "difference": "+.2f", "difference_low": "+.2f",
         "difference_high": "+.2f"}, result.level,
    )  # fmt: skip


def _own_draws(basis: Basis) -> FloatArray | None:
    """Paths in every replicate, NaN in those without a solution, shape (replicates, paths)."""
    spread, found = basis.spread, basis.fitted
    if spread.draws is None or len(spread.draws) < _LEAST:
        return None
    out = np.full((len(spread.found), len(found.quantities.paths)), np.nan)
    out[spread.found] = split(found, found.quantities.standardised(spread.draws))["path"]
    return out


def _composites(
    result: FactorModelResult, basis: Basis, other: PathModelResult, paired: bool
) -> dict[str, tuple[pd.DataFrame, FloatArray | None]]:
    """PLS and PLSc of a path model, with replicates of the same weights if the rows are the same."""
    if other.kernel is None or set(other.model.items) != set(result.model.items):
        raise SurveyError("beside: the path model has other items than this one; estimate both with the same model=.")
    _check_same(result.model, other.model)
    prepared, spread, found = other.kernel.prepared, basis.spread, basis.fitted
    own = basis.case.prepared.sample
    same = np.array_equal(prepared.sample.rows, own.rows) and np.array_equal(prepared.sample.weights, own.weights)
    names, at = found.frame.names, found.quantities.paths
    out = {}
    for method, consistent in (("PLS", False), ("PLSc", True)):
        kernel = Kernel(prepared, other.kernel.scheme, consistent)
        sources = [kernel.names.index(names[s]) for s in at[:, 1]]
        targets = [kernel.names.index(names[e]) for e in at[:, 0]]
        drawn = None
        table = pd.DataFrame({"source": [names[s] for s in at[:, 1]], "target": [names[e] for e in at[:, 0]],
                              "estimate": kernel.sample.paths[0, sources, targets]})  # fmt: skip
        paired = paired and same
        count = len(spread.found) if paired else other.replicates
        if count:
            again = kernel.replicates(count, result.seed if paired else other.seed)
            drawn = np.where(again.converged[:, None], again.paths[:, sources, targets], np.nan)
            tail = (1 - result.level) / 2
            table["low"], table["high"] = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
        out[method] = (table.set_index(["source", "target"]), drawn if paired else None)
    return out


def _check_same(own: PathModel, other: PathModel) -> None:
    """Refuse constructs of other items and other paths: what would be laid side by side is not the same path."""
    measured = [{(c.name, frozenset(c.indicators)) for c in model.constructs} for model in (own, other)]
    unlike = list(dict.fromkeys(name for name, _ in sorted(measured[0] ^ measured[1], key=lambda c: c[0])))
    if unlike:
        raise SurveyError(
            f"beside: {counted(len(unlike), 'construct has', 'constructs have')} other items in the path model than here ({', '.join(map(repr, unlike))}); estimate both with "
            "the same model=."
        )
    apart = [f"{s} -> {t}" for s, t in sorted(set(own.paths) ^ set(other.paths))]
    if apart:
        raise SurveyError(
            f"beside: {counted(len(apart), 'path is', 'paths are')} in one of the two models only ({', '.join(apart)}), and every path depends on those beside it; "
            "estimate both with the same model=."
        )


def _given(table: pd.DataFrame, shared: Sequence[Path]) -> pd.DataFrame:
    """Estimates of a table, in the order of the model's paths."""
    lacking = [c for c in ("source", "target", "estimate") if c not in table]
    if lacking:
        raise SurveyError(
            f"other lacks {len(lacking)} columns: {', '.join(map(repr, lacking))}; it needs source, target, estimate."
        )
    found = table.drop_duplicates(["source", "target"]).set_index(["source", "target"])
    absent = [f"{s} -> {t}" for s, t in shared if (s, t) not in found.index]
    if absent:
        raise SurveyError(f"other lacks {len(absent)} of {len(shared)} paths of the model: {', '.join(absent[:6])}.")
    return found.loc[pd.MultiIndex.from_tuples(shared), [c for c in ("estimate", "low", "high") if c in found]].astype(
        float
    )


def _rows(
    method: str,
    table: pd.DataFrame,
    own: pd.DataFrame | None,
    drawn: tuple[FloatArray, FloatArray] | None,
    result: FactorModelResult | None = None,
) -> pd.DataFrame:
    """Rows of one method; the difference is to common factors."""
    found = pd.DataFrame(index=table.index).assign(
        method=method, estimate=table["estimate"], low=table.get("low", np.nan), high=table.get("high", np.nan),
        difference=np.nan, difference_low=np.nan, difference_high=np.nan,
    )  # fmt: skip
    if own is not None:
        found["difference"] = found["estimate"] - own["estimate"].reindex(found.index)
        if drawn is not None and result is not None:
            gap = drawn[0] - drawn[1]
            tail = (1 - result.level) / 2
            ends = np.nanquantile(gap, [tail, 1 - tail], axis=0)
            found["difference_low"], found["difference_high"] = ends
        found = found.reindex(own.index)
    return found.reset_index()


_HEADINGS: dict[Any, Mapping[str, str]] = {
    "method": {"en": "Method", "zh": "方法"}, "difference": {"en": "Difference from CB-SEM", "zh": "与 CB-SEM 之差"},
    "difference_low": {"en": "Difference low", "zh": "差值下限"}, "difference_high": {"en": "Difference high", "zh": "差值上限"},
}  # fmt: skip
_SEPARATOR = {"en": ", ", "zh": "、"}
_TITLE = {
    "en": "Paths that differ from {own} beyond chance, of {count}: {counts}",
    "zh": "{count} 条路径中与 {own} 的差异超出抽样误差的条数：{counts}",
}
_TITLE_ALONE = {"en": "{methods} beside {own}: differences not tested", "zh": "{methods} 与 {own} 对照：差异未作检验"}
_TESTED = {
    "en": "{method} against CB-SEM: of {count} paths, each taken on its own, {apart} differ beyond chance, and {turned} have the other sign; the widest "
    "gap is “{source}” → “{target}” ({difference:+.2f}).",
    "zh": "{method} 与 CB-SEM 对照：{count} 条路径（逐条检验）中差异超出抽样误差的有 {apart} 条，估计值符号相反的有 {turned} 条；差距最大的是“{source}”→“{target}”（{difference:+.2f}）。",
}
_UNTESTED = {
    "en": "{method} against CB-SEM: {turned} of {count} paths have the other sign; the widest gap is “{source}” → “{target}” ({difference:+.2f}); "
    "no intervals of the differences.",
    "zh": "{method} 与 CB-SEM 对照：{count} 条路径中有 {turned} 条符号相反；差距最大的是“{source}”→“{target}”（{difference:+.2f}）；差值没有区间。",
}
_PAIRED = {
    "en": "Intervals of differences are percentiles over replicates in which both methods had the same weights.",
    "zh": "差值的区间为两种方法在同一组重抽样权重下之差的分位数。",
}
_ALONE = {
    "en": "Differences have no intervals: the two analyses share no replicates.",
    "zh": "两项分析没有共同的重抽样，差值未给出区间。",
}
_NOT_ADMISSIBLE = {
    "en": "The solution with common factors is not admissible: a gap to it speaks against the factors, not against the composites.",
    "zh": "共同因子模型的解不合理：与之有差距，说明的是共同因子设定的问题，而非复合构念的问题。",
}
