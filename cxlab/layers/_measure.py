"""Measure: how reliably constructs are measured, and whether they are distinct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab import measurement
from cxlab.layers import _measure_words as words
from cxlab.layers._intervals import Intervals
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._measure_result import MeasurementResult
from cxlab.layers._result import HEADINGS, PathModelResult
from cxlab.layers._stages import Stage, stages
from cxlab.result import Base, reliability
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
Quantity = Callable[[Stage], FloatArray]


def measure(result: PathModelResult, kernel: Kernel) -> MeasurementResult:
    """Judge the measurement of a path model from its own replicates; see :meth:`PathModelResult.measurement`."""
    kind = "percentile" if result.interval == "bca" else result.interval
    intervals = Intervals(result.draws, kind, kernel.prepared.sample.df, result.level)
    judged = _judged(kernel, intervals)
    tables = {
        "table": pd.concat([_constructs(j) for j in judged], ignore_index=True),
        "loadings": pd.concat([_loadings(j) for j in judged], ignore_index=True),
        "discriminant": pd.concat([_pairs(j, judged[0].sample.names) for j in judged], ignore_index=True),
    }
    based = {name: _based(table, result.base) for name, table in tables.items()}
    labels = {**HEADINGS, **result.labels, **words.HEADINGS, **_verdict_labels()}
    return MeasurementResult(
        based["table"], result.base, _notes(kernel, judged, based, result), labels, f"{result.call.split('  #')[0]}.measurement()",
        {"en": "How well the constructs are measured", "zh": "构念的测量质量"},
        dict.fromkeys(("vif", "vif_corrected"), ".1f"), result.level,
        loadings=based["loadings"], discriminant=based["discriminant"],
        cross_loadings=pd.concat([_cross(j) for j in judged], ignore_index=True), vif=_antecedents(kernel),
        fornell_larcker=_fornell(judged[0]), replicates=0 if result.draws is None else len(result.draws.paths),
    )  # fmt: skip


class _Judged:
    """One stage on the sample and under replicates."""

    def __init__(self, sample: Stage, drawn: Stage | None, intervals: Intervals) -> None:
        self.sample, self.drawn, self.intervals = sample, drawn, intervals

    def ends(self, name: str, quantity: Quantity, known: np.ndarray | None = None) -> dict[str, FloatArray]:
        """Estimate and interval of a quantity (batch, p) as columns; NaN where it is not known."""
        found = self.intervals.columns(
            name, quantity(self.sample)[0], None if self.drawn is None else quantity(self.drawn)
        )
        kept = {c: v for c, v in found.items() if c not in ("se", "p_value")}
        return kept if known is None else {c: np.where(known, v, np.nan) for c, v in kept.items()}

    def upper(self, quantity: Quantity, known: np.ndarray) -> FloatArray:
        """One-sided upper limit of a quantity."""
        if self.drawn is None:
            return np.full(len(known), np.nan)
        values, level = quantity(self.drawn), self.intervals.level
        if self.intervals.kind == "t":
            reach = stats.t.ppf(level, self.intervals.df) * values.std(axis=0, ddof=1)
            return np.where(known, quantity(self.sample)[0] + reach, np.nan)
        return np.where(known, np.quantile(values, level, axis=0), np.nan)


def _judged(kernel: Kernel, intervals: Intervals) -> list[_Judged]:
    sample = stages(kernel, kernel.sample)
    drawn: Sequence[Stage | None] = [None] * len(sample)
    if intervals.draws is not None and len(intervals.draws.paths) > 1:
        drawn = stages(kernel, intervals.draws)
    return [_Judged(s, d, intervals) for s, d in zip(sample, drawn, strict=True)]


def _based(table: pd.DataFrame, base: Base) -> pd.DataFrame:
    return table.assign(
        base=base.respondents, base_effective=base.effective, reliability=str(reliability(base.effective))
    )


# ------------------------------------------------------------------------------ tables
def _constructs(judged: _Judged) -> pd.DataFrame:
    stage, shown = judged.sample, list(judged.sample.shown)
    several = np.array([not stage.single(j) for j in shown])
    reflective = np.array([stage.reflective(j) for j in shown])
    raw = several & np.array([np.isfinite(stage.spread[:, stage.blocks[j]]).all() for j in shown])
    return pd.DataFrame({
        "construct": [stage.names[j] for j in shown],
        "mode": [stage.structure.modes[j] for j in shown],
        "indicators": [len(stage.blocks[j]) for j in shown],
        **judged.ends("alpha", lambda s: s.alpha()[:, shown], several),
        **judged.ends("alpha_raw", lambda s: s.alpha(raw=True)[:, shown], raw),
        **judged.ends("rho_a", lambda s: s.rho_a()[:, shown], reflective),
        **judged.ends("rho_c", lambda s: s.composite_reliability()[:, shown], several),
        **judged.ends("ave", lambda s: s.average_variance()[:, shown], several),
    })  # fmt: skip


def _places(stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Indicator and construct of every loading that is shown."""
    found = [(i, j) for j in stage.shown for i in stage.blocks[j]]
    return np.array([i for i, _ in found]), np.array([j for _, j in found])


def _loadings(judged: _Judged) -> pd.DataFrame:
    stage = judged.sample
    item, construct = _places(stage)
    cross = stage.cross_loadings()[0]
    others = np.abs(cross)[item]
    others[np.arange(len(item)), construct] = -1.0
    largest = others.argmax(axis=1)
    alone = len(stage.names) == 1
    return pd.DataFrame({
        "construct": [stage.names[j] for j in construct], "item": [stage.indicators[i] for i in item],
        "mode": [stage.structure.modes[j] for j in construct],
        **judged.ends("loading", lambda s: s.loadings()[:, item, construct]),
        "own": cross[item, construct],
        "cross": np.nan if alone else cross[item, largest],
        "other": "" if alone else [stage.names[j] for j in largest],
        "vif": stage.inflation()[0, item],
    })  # fmt: skip


def _cross(judged: _Judged) -> pd.DataFrame:
    stage = judged.sample
    item, construct = _places(stage)
    cross = stage.cross_loadings()[0]
    keys = {"construct": [stage.names[j] for j in construct], "item": [stage.indicators[i] for i in item]}
    return pd.DataFrame({**keys, **{name: cross[item, j] for j, name in enumerate(stage.names)}})


def _pairs(judged: _Judged, last: Sequence[str]) -> pd.DataFrame:
    """Every pair of constructs; of a lower stage those with a construct that only it has."""
    stage = judged.sample
    found = [(i, j) for i in range(len(stage.names)) for j in range(i) if {i, j} & set(stage.shown)]
    found = sorted((j, i) for i, j in found)
    at = (slice(None), np.array([i for i, _ in found], dtype=int), np.array([j for _, j in found], dtype=int))
    why = [_undefined(stage, i, j) for i, j in found]
    known = np.array([not w for w in why], dtype=bool)
    root = np.sqrt(stage.average_variance()[0])
    columns: dict[str, Any] = {
        "construct": [stage.names[i] for i, _ in found], "other": [stage.names[j] for _, j in found],
    }  # fmt: skip
    for name, geometric, verdict in (("htmt", False, "verdict"), ("htmt2", True, "verdict2")):

        def ratio(s: Stage, geometric: bool = geometric) -> FloatArray:
            return measurement.htmt(s.correlations, s.blocks, geometric=geometric)[at]

        upper = judged.upper(ratio, known)
        columns |= judged.ends(name, ratio, known) | {f"{name}_upper": upper}
        columns[verdict] = [w or _verdict(u) for w, u in zip(why, upper, strict=True)]
    columns |= judged.ends("correlation", lambda s: s.correlated()[at])
    met = np.minimum(root[at[1]], root[at[2]]) > np.abs(columns["correlation"])
    columns["fornell_larcker"] = [bool(m) if k else None for m, k in zip(met, known, strict=True)]
    return pd.DataFrame(columns)


def _undefined(stage: Stage, i: int, j: int) -> str:
    if "B" in (stage.structure.modes[i], stage.structure.modes[j]) and not (stage.single(i) or stage.single(j)):
        return "index"
    return "single item" if stage.single(i) or stage.single(j) else ""


def _verdict(upper: float) -> str:
    if np.isnan(upper):
        return "not tested"
    return next((code for limit, code in words.LIMITS if upper < limit), "not distinct")


def _fornell(judged: _Judged) -> pd.DataFrame:
    """Roots of AVE on the diagonal, correlations of scores beneath, as ``seminr`` prints them."""
    stage = judged.sample
    found = np.tril(stage.correlated(corrected=False)[0], -1)
    found[np.triu_indices(len(found), 1)] = np.nan
    found[np.diag_indices(len(found))] = np.sqrt(stage.average_variance()[0])
    table = pd.DataFrame(found, columns=list(stage.names))
    table.insert(0, "construct", list(stage.names))
    return table


def _antecedents(kernel: Kernel) -> pd.DataFrame:
    """VIF of each cause among the causes of its target."""
    sample, paths = kernel.sample, kernel.plan.structure.paths
    rows = []
    for j in np.flatnonzero(paths.any(axis=0)):
        causes = np.flatnonzero(paths[:, j])
        inside = (slice(None), causes[:, None], causes)
        scores, corrected = measurement.inflation(sample.scores[inside])[0], _inflated(sample, inside)
        rows += [
            {"source": kernel.names[i], "target": kernel.names[j], "vif": a, "vif_corrected": b}
            for i, a, b in zip(causes, scores, corrected, strict=True)
        ]
    table = pd.DataFrame(rows)
    return table if kernel.plan.consistent.any() else table.drop(columns="vif_corrected")


def _inflated(sample: Estimates, inside: tuple[Any, ...]) -> FloatArray:
    """VIF on corrected correlations; infinite where these are not positive definite."""
    found = sample.between[inside]
    if not np.isfinite(found).all() or np.linalg.eigvalsh(found)[0, 0] <= 0:
        return np.full(found.shape[1], np.inf)
    return measurement.inflation(found)[0]


# ------------------------------------------------------------------------------ notes
def _verdict_labels() -> dict[Any, dict[str, str]]:
    return {(column, code): said for column in ("verdict", "verdict2") for code, said in words.VERDICTS.items()}


def _notes(
    kernel: Kernel, judged: Sequence[_Judged], tables: dict[str, pd.DataFrame], result: PathModelResult
) -> tuple[Note, ...]:
    out = [Note(words.ALPHA)]
    if result.draws is None:
        out.append(Note(words.NO_INTERVALS))
    else:
        out.append(Note(words.ONE_SIDED, level=result.said_level, error=1 - result.level))
    table = tables["table"]
    single, index = table["indicators"] == 1, (table["mode"] == "B") & (table["indicators"] > 1)
    for template, rows in ((words.SINGLE, single), (words.INDEX, index)):
        if rows.any():
            out.append(Note(template, constructs=_listed(result, table.loc[rows, "construct"])))
    low = table[~single & ~index & (table[["alpha", "rho_a", "rho_c"]].min(axis=1) < words.ENOUGH)]
    if len(low):
        out.append(Note(words.UNRELIABLE_NOTE, limit=words.ENOUGH, constructs=_listed(result, low["construct"])))
    against = _against(judged)
    if against:
        out.append(Note(words.SIZES, items=_listed(result, against)))
    if kernel.plan.consistent.any():
        out.append(Note(words.CORRECTED))
    if kernel.products:
        out.append(Note(words.PRODUCTS))
    return tuple(out)


def _against(judged: Sequence[_Judged]) -> list[str]:
    """Indicators with a negative correlation inside a block of mode A."""
    out = []
    for stage in (j.sample for j in judged):
        for j in (j for j in stage.shown if stage.reflective(j)):
            block = stage.blocks[j]
            inside = stage.correlations[0][block[:, None], block]
            loaded = stage.cross_loadings()[0, block, j]
            crossed = (inside < 0).any(axis=1)
            # of the two that run against one another the one that loads less is named
            out += [stage.indicators[i] for i, c, own in zip(block, crossed, loaded, strict=True)
                    if c and (own < 0 or own == loaded[crossed].min())]  # fmt: skip
    return out


def _listed(result: PathModelResult, keys: Sequence[str] | pd.Series) -> dict[str, str]:
    return {lang: sep.join(result.label(k, lang) for k in keys) for lang, sep in (("en", ", "), ("zh", "、"))}
