"""Tables of a common-factor model: paths, correlations, loadings, effects, what is explained, how well it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import kish_base, t_quantile
from cxlab.layers._estimate import ARROW
from cxlab.layers._factor_fit import Fitted
from cxlab.layers._factor_spread import Case, Spread, delta_errors
from cxlab.layers._intervals import Intervals
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
LIMITS = {"cfi": (0.95, 0.90), "tli": (0.95, 0.90), "rmsea": (0.06, 0.08), "srmr": (0.08, 0.10)}


def split(found: Fitted, values: FloatArray) -> dict[str, FloatArray]:
    """A vector of standardised quantities by kind."""
    sizes = found.quantities.sizes()
    return dict(zip(sizes, np.split(values, np.cumsum(list(sizes.values()))[:-1], axis=-1), strict=True))


class Tables:
    """Estimates with intervals, laid out.

    Parameters
    ----------
    case : Case
    found : Fitted
    spread : Spread
    interval : {"auto", "percentile", "t"}
    level : float
    """

    def __init__(self, case: Case, found: Fitted, spread: Spread, interval: str, level: float) -> None:
        self.case, self.found, self.spread, self.level = case, found, spread, level
        self.intervals = Intervals(None, interval, spread.df, level)
        own = case.prepared.model.items
        self._scale = case.scale[[own.index(i) for i in found.frame.items]]
        self._parts = {"estimate": self._of(found.quantities.standardised), "impact": self._of(self._plain)}

    @property
    def kind(self) -> str:
        """How intervals were made: percentile, t, linear, normal."""
        if self.spread.draws is not None:
            return self.intervals.kind
        return "linear" if np.isfinite(self.spread.df) else "normal"

    def _plain(self, theta: FloatArray) -> FloatArray:
        """Unstandardised on 0–100, each factor in the points of its first item."""
        q, k, p = self.found.quantities, len(self.found.frame.names), len(self.found.frame.items)
        owner = {int(column): int(row) + (p if place == 3 else 0) for place, row, column in q.first}
        units = np.ones(p + k)
        units[:p] = self._scale
        for column in range(k):  # a whole is in the points of its first part, which is in those of its first item
            at = column
            while owner[at] >= p:
                at = owner[at] - p
            units[p + column] = self._scale[owner[at]]
        by_factor = units[p:]
        loading = units[q.loadings[:, 0]] / by_factor[q.loadings[:, 1]]
        path = by_factor[q.paths[:, 0]] / by_factor[q.paths[:, 1]]
        route = np.array([by_factor[r[-1]] / by_factor[r[0]] for r in q.routes])
        total = by_factor[:, None] / by_factor
        scale = np.concatenate(
            [loading, path, route, total.ravel(), np.outer(by_factor, by_factor).ravel(), by_factor**2]
        )
        return q.plain(theta) * scale

    def _of(self, function: Callable[[FloatArray], FloatArray]) -> dict[str, tuple[FloatArray, ...]]:
        """By kind: estimates, and the replicates, or standard errors where there are none."""
        value = split(self.found, function(self.found.theta[None])[0])
        draws = self.spread.draws
        if draws is None:
            more = split(self.found, delta_errors(self.found, self.spread.covariance, function))
        else:
            with np.errstate(all="ignore"):
                more = split(self.found, function(draws))
        return {name: (value[name], more[name]) for name in value}

    def columns(self, kind: str, at: Any, names: Sequence[str] = ("estimate", "impact")) -> dict[str, FloatArray]:
        """Columns of some entries of a kind."""
        out: dict[str, FloatArray] = {}
        for name in names:
            value, more = self._parts[name][kind]
            out |= self._columns(name, value[at], more[..., at])
        return out

    def _columns(self, name: str, value: FloatArray, more: FloatArray, bounded: bool = False) -> dict[str, FloatArray]:
        if self.spread.draws is not None:
            kept = more[np.isfinite(more).all(axis=1)]
            return self.intervals.columns(name, value, kept, bounded=bounded)
        reach = t_quantile(self.level, self.spread.df) * more
        ends = ("low", "high") if name == "estimate" else (f"{name}_low", f"{name}_high")
        found = {name: value, ends[0]: value - reach, ends[1]: value + reach}
        tested = {"se": more, "p_value": p_values(value, more, self.spread.df)}
        return {name: value, "se": more, **found, "p_value": tested["p_value"]} if name == "estimate" else found

    def _based(self, table: pd.DataFrame) -> pd.DataFrame:
        effective = kish_base(self.case.prepared.sample.weights)
        return table.assign(base=self.case.base, base_effective=effective, reliability=str(reliability(effective)))

    def main(self) -> pd.DataFrame:
        """Paths in the order of targets, free correlations, loadings."""
        q, frame = self.found.quantities, self.found.frame
        k, both = len(frame.names), (*frame.items, *frame.names)
        order = np.lexsort((q.paths[:, 1], q.paths[:, 0]))
        paths = pd.DataFrame({
            "kind": "path", "source": [frame.names[s] for s in q.paths[order, 1]],
            "target": [frame.names[e] for e in q.paths[order, 0]], **self.columns("path", order),
        })  # fmt: skip
        free = [(r, c) if r < c else (c, r) for place, r, c in frame.cells if place == 2 and r != c]
        free = [(a, b) for a, b in free if not ({a, b} & set(q.paths[:, 0].tolist()))]
        at = np.array([a * k + b for a, b in free], dtype=np.intp)
        together = pd.DataFrame({
            "kind": "correlation", "source": [frame.names[a] for a, _ in free], "target": [frame.names[b] for _, b in free],
            **self.columns("correlation", at, ("estimate",)),
        })  # fmt: skip
        every = np.arange(len(q.loadings))
        loadings = pd.DataFrame({
            "kind": "loading", "source": [frame.names[c] for c in q.loadings[:, 1]], "target": [both[i] for i in q.loadings[:, 0]],
            **self.columns("loading", every),
        })  # fmt: skip
        single = np.isin(q.loadings[:, 1], np.flatnonzero(np.bincount(q.loadings[:, 1], minlength=k) == 1))
        loadings.loc[single, ["se", "low", "high", "p_value", "impact_low", "impact_high"]] = np.nan
        marked = (loadings["impact"] == 1) & ~loadings["source"].duplicated()
        loadings.loc[marked, ["impact_low", "impact_high"]] = np.nan
        return self._based(pd.concat([t for t in (paths, together, loadings) if len(t)], ignore_index=True))

    def effects(self) -> pd.DataFrame:
        """Direct, indirect and total effects, named as those of path models."""
        q, names = self.found.quantities, self.found.frame.names
        k = len(names)
        tables = []
        for s in range(k):
            for e in range(k):
                direct = np.flatnonzero((q.paths == (e, s)).all(axis=1))
                through = [j for j, r in enumerate(q.routes) if (r[0], r[-1]) == (s, e)]
                if not (len(direct) or through):
                    continue
                parts = [("direct", "path", direct, [""]), ("indirect", "route", np.array(through, dtype=np.intp),
                         [ARROW.join(names[i] for i in q.routes[j]) for j in through])]  # fmt: skip
                found = [self._effect(kind, part, at, said) for kind, part, at, said in parts if len(at)]
                if through:
                    found.append(self._indirect(np.array(through)))
                found.append(self._effect("total", "total", np.array([e * k + s]), [""]))
                tables.append(pd.concat(found, ignore_index=True).assign(source=names[s], target=names[e]))
        if not tables:
            return pd.DataFrame()
        table = pd.concat(tables, ignore_index=True)
        return table[["source", "target", *(c for c in table if c not in ("source", "target"))]]

    def _effect(self, kind: str, part: str, at: FloatArray, said: Sequence[str]) -> pd.DataFrame:
        return pd.DataFrame({"kind": kind, "route": said, **self.columns(part, at)})

    def _indirect(self, routes: FloatArray) -> pd.DataFrame:
        """All routes between two constructs together."""
        found: dict[str, Any] = {"kind": "total indirect", "route": [""]}
        for name, function in (("estimate", self.found.quantities.standardised), ("impact", self._plain)):
            value, more = (part[..., routes].sum(axis=-1, keepdims=True) for part in self._parts[name]["route"])
            if self.spread.draws is None:
                more = delta_errors(self.found, self.spread.covariance, self._summed(function, routes))
            found |= self._columns(name, value, more)
        return pd.DataFrame(found)

    def _summed(self, function: Callable[[FloatArray], FloatArray], routes: FloatArray) -> Any:
        def whole(theta: FloatArray) -> FloatArray:
            return split(self.found, function(theta))["route"][:, routes].sum(axis=1, keepdims=True)

        return whole

    def constructs(self) -> pd.DataFrame:
        """R² of constructs that have causes, or are parts of a whole."""
        q, frame = self.found.quantities, self.found.frame
        p = len(frame.items)
        explained = {*q.paths[:, 0].tolist(), *(int(i) - p for i in q.loadings[:, 0] if i >= p)}
        at = np.array(sorted(explained), dtype=np.intp)
        value, more = self._parts["estimate"]["r_squared"]
        found = self._columns("r_squared", value[at], more[..., at], bounded=True)
        return self._based(pd.DataFrame({"construct": [frame.names[j] for j in at], **found}))

    def correlations(self) -> pd.DataFrame:
        """Of every two constructs."""
        names = self.found.frame.names
        rows, columns = np.triu_indices(len(names), 1)
        found = self.columns("correlation", rows * len(names) + columns, ("estimate",))
        table = {"source": [names[i] for i in rows], "target": [names[j] for j in columns], **found}
        return self._based(pd.DataFrame(table))

    def route_labels(self) -> dict[str, dict[str, str]]:
        """Wordings of routes."""
        names, labels = self.found.frame.names, self.case.prepared.labels
        return {
            ARROW.join(names[i] for i in r): {
                lang: ARROW.join(labels[names[i]][lang] for i in r) for lang in ("en", "zh")
            }
            for r in self.found.quantities.routes
        }


def fit_table(measured: Mapping[str, float]) -> pd.DataFrame:
    """Measures of fit and what each says: ``measure, estimate, low, high, p_value, reading``."""

    def of(name: str, kind: str) -> float:
        value = measured.get(f"{name}.{kind}", float("nan"))
        return value if np.isfinite(value) else measured[name]

    rows = [("chisq", of("chisq", "scaled"), np.nan, np.nan, of("pvalue", "scaled"), ""),
            ("df", measured["df"], np.nan, np.nan, np.nan, "")]  # fmt: skip
    for name in LIMITS:
        value, ends = of(name, "robust"), (np.nan, np.nan)
        if name == "rmsea":
            ends = (of("rmsea.ci.lower", "robust"), of("rmsea.ci.upper", "robust"))
        rows.append((name, value, *ends, np.nan, _reading(name, value) if measured["df"] > 0 else ""))
    return pd.DataFrame(rows, columns=["measure", "estimate", "low", "high", "p_value", "reading"])


def _reading(name: str, value: float) -> str:
    good, fair = LIMITS[name]
    sign = 1 if good > fair else -1
    return "good" if sign * value >= sign * good else "acceptable" if sign * value >= sign * fair else "poor"
