"""Methods beside each other: do the measures of importance tell the same story?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import ranks
from cxlab.design import design_notes, kish_base
from cxlab.drivers._kernels import LEAST_REPLICATES, PERMUTATIONS, Linear
from cxlab.drivers._measures import MEASURES, METHOD_NAMES, SUMS_TO_R2, Measure, measured, teams
from cxlab.drivers._measures import measure as look_up
from cxlab.drivers._prepare import prepare
from cxlab.drivers._result import percentiles
from cxlab.errors import SurveyError
from cxlab.importance import coefficients
from cxlab.moments import to_correlation
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Note, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
SIGNED = ("coefficient", "standardised")  # ranked by size
_BELOW_ZERO = (*SIGNED, "pratt")  # intervals that cover zero by themselves
_NAMES = {**METHOD_NAMES, "coefficient": {"en": "Effect per +1 point", "zh": "每 +1 分的影响"}}
_PEOPLE = ("Shapley", "Johnson", "Owen", "Pratt")
_SAME_FIRST = {
    "en": "All {count} methods put {driver:in} first among the drivers of {outcome:in}.",
    "zh": "{count} 种方法均将“{driver}”列为{outcome}的首要驱动因素。",
}
_OTHER_FIRST = {
    "en": "The methods disagree on what comes first for {outcome:in}: {leaders}.",
    "zh": "对于{outcome}的首要驱动因素，各方法结论不一：{leaders}。",
}
_AGREE = {
    "en": "Their rankings agree with a Kendall tau of {least:.2f} to {most:.2f}; furthest apart are {one} and {two}.",
    "zh": "各方法排名的 Kendall tau 介于 {least:.2f} 与 {most:.2f} 之间，差异最大的是“{one}”与“{two}”。",
}
_IDENTICAL = {
    "en": "All rankings are the same.",
    "zh": "各方法的排名完全一致。",
}
_MOVES = {
    "en": "{driver:cap} moves most: rank {best} by {up}, rank {worst} by {down}.",
    "zh": "名次变动最大的是“{driver}”：按“{up}”排第 {best}，按“{down}”排第 {worst}。",
}
_NOTE = {
    "en": "Shapley, Johnson, CAR, Pratt and Owen values share out R²; the others do not sum to it, and their shares are of their own "
    "total. Coefficients are ranked by their size. Methods answer different questions: first-in R² ignores the other drivers, last-in R² "
    "counts only what is unique.",
    "zh": "Shapley、Johnson、CAR、Pratt 与 Owen 值之和等于 R²；其余指标之和不等于 R²，其占比以各自合计为分母。系数按绝对值排名。各方法回答的问题不同："
    "单独进入时的 R² 不考虑其他因素，最后进入时的 R² 增量只计独有部分。",
}


@dataclass(frozen=True, eq=False)
class MethodsResult(Result):
    """Every measure of importance of every driver.

    Attributes
    ----------
    outcome : str
    agreement : DataFrame
        Kendall's tau between the rankings of each pair of methods, named by method.
    """

    outcome: str = ""
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say whether the methods agree on the first, which rankings differ most, and which driver moves most."""
        lang = language(lang)
        if self.table["reliability"].iloc[0] == "suppressed" or self.table["driver"].nunique() < 2:
            return Sentences()
        said = [self._first(lang)]
        tau = self.agreement.to_numpy()
        pairs = np.where(np.tri(len(tau), k=-1, dtype=bool), tau, np.nan)
        one, two = np.unravel_index(int(np.nanargmin(pairs)), pairs.shape)
        if pairs[one, two] > 1 - 1e-9:
            return Sentences([*said, sentence(_IDENTICAL, lang)])
        names = self.agreement.columns.tolist()
        said.append(sentence(_AGREE, lang, least=float(pairs[one, two]), most=float(np.nanmax(pairs)),
                             one=self._inside(names[two], lang), two=self._inside(names[one], lang)))  # fmt: skip
        ranking = self.table.dropna(subset="value")
        spread = ranking.groupby("driver", sort=False)["rank"].agg(lambda r: r.max() - r.min())
        own = ranking[ranking["driver"] == spread.idxmax()].sort_values("rank", kind="stable")
        best, worst = own.iloc[0], own.iloc[-1]
        said.append(sentence(_MOVES, lang, driver=self.label(best["driver"], lang), best=int(best["rank"]),
                             worst=int(worst["rank"]), up=self._inside(best["method"], lang),
                             down=self._inside(worst["method"], lang)))  # fmt: skip
        return Sentences(said)

    def _inside(self, method: str, lang: str) -> str:
        """Name of a method inside a sentence; those of people keep their capital."""
        name = self.label(method, lang, "method")
        return name if name.startswith(_PEOPLE) else number(name, "in")

    def _first(self, lang: str) -> Any:
        firsts = self.table[self.table["rank"] == 1]
        count, outcome = len(firsts), self.label(self.outcome, lang)
        leaders = firsts.groupby("driver", sort=False)["method"].agg(list)
        if len(leaders) == 1:
            return sentence(_SAME_FIRST, lang, count=count, driver=self.label(leaders.index[0], lang), outcome=outcome)
        listed = [(self.label(d, lang), [self.label(m, lang, "method") for m in ms]) for d, ms in leaders.items()]
        text = (
            "; ".join(f"{d} ({', '.join(ms)})" for d, ms in listed)
            if lang == "en"
            else "；".join(f"“{d}”（{'、'.join(ms)}）" for d, ms in listed)
        )
        return sentence(_OTHER_FIRST, lang, outcome=outcome, leaders=text)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the rank of every driver by every method."""
        from cxlab.drivers._draw_methods import method_map

        return method_map(self, language(lang), ax)

    def further(self) -> Mapping[str, Result]:
        """Agreement of the rankings."""
        table = self.agreement.rename_axis("method").reset_index()
        heads = {m: self.labels[("method", m)] for m in self.agreement.columns}
        return {"agreement": Result(table, self.base, (), {**self.labels, **heads}, title=_AGREEMENT)}


_AGREEMENT = {"en": "Agreement of the rankings (Kendall's tau)", "zh": "排名一致性（Kendall tau）"}
_HEADINGS = {
    "method": {"en": "Method", "zh": "方法"},
    "value": {"en": "Value", "zh": "数值"},
    "sums_to_r2": {"en": "Shares out R²", "zh": "合计为 R²"},
}


def compare_methods(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    *,
    missing: str = "listwise",
    always: Sequence[str] = (),
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> MethodsResult:
    """Does the ranking of the drivers depend on how importance is measured?

    Parameters
    ----------
    survey, outcome, drivers, missing, always
        As in :func:`key_drivers`; with blocks of drivers, Owen values are shown too.
    replicates : int
        Rao–Wu bootstrap replicates; 0 for point estimates only.
    seed : int
    level : float

    Returns
    -------
    MethodsResult
        One row per method and driver: ``driver, method, value`` (parts of the outcome's variance; ``coefficient`` in points
        of the outcome per +1 point, ``standardised`` in standard deviations; NaN for a factor's coefficient), ``low, high``
        (percentiles of the replicates; of measures that cannot be negative the lower end is 0 where the Shapley value
        does not exceed its null line, see :func:`key_drivers`), ``share`` (of the method's own total; NaN for coefficients per point), ``rank``,
        ``sums_to_r2, base, base_effective`` (Kish), ``reliability``. ``.agreement``: Kendall's tau of each pair of rankings.

    Raises
    ------
    SurveyError
        As in :func:`key_drivers`.

    Notes
    -----
    All measures come from the same covariances and replicates. Columns that are always in are partialled out of the measures
    that average over models; the others are read off the full model.

    References
    ----------
    Grömping (2015), WIREs Computational Statistics 7, 137–152. R: ``relaimpo::calc.relimp``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.normal(size=(400, 3)), columns=["queue", "doctor", "colour"])
    >>> df["satisfaction"] = df["queue"] + 0.5 * df["doctor"] + rng.normal(size=400)
    >>> found = compare_methods(Survey.from_frame(df), drivers=["queue", "doctor", "colour"], replicates=200)
    >>> print(found.sentences("en")[0])
    All 10 methods put queue first among the drivers of satisfaction.
    """
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or 0 for point estimates only."
        )
    kernel = Linear(prepare(survey, outcome, drivers, missing, always), "shapley")
    prepared = kernel.prepared
    methods = _methods(prepared.blocks)
    scale = np.sqrt(np.diagonal(kernel.covariance))[None]
    points = _values(kernel, methods, to_correlation(kernel.covariance)[None], scale)
    drawn = [_values(kernel, methods, *block) for block in kernel.correlations(replicates, seed)] if replicates else []
    base = Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share)
    table = pd.concat(
        [_rows(name, prepared.drivers, points[name][0], [d[name] for d in drawn], level) for name in points],
        ignore_index=True,
    )
    if replicates:
        noise = kernel.importance() <= kernel.null_lines(PERMUTATIONS, seed) * (1 + 1e-9)
        unclear = table["driver"].isin([d for d, n in zip(prepared.drivers, noise, strict=True) if n])
        table.loc[unclear & ~table["method"].isin(_BELOW_ZERO), "low"] = 0.0
    label, given = (
        prepared.labels[outcome],
        {"missing": missing, "replicates": replicates, "seed": seed, "level": level},
    )
    call = f"cx.compare_methods(survey{survey.filter}, {outcome!r}, {list(prepared.drivers)!r}"
    call += "".join(f", {k}={v!r}" for k, v in given.items()) + (f", always={list(always)!r}" if always else "")
    return MethodsResult(
        table.assign(base=base.respondents, base_effective=base.effective, reliability=str(reliability(base.effective))),
        base, (Note(_NOTE), *prepared.notes, *design_notes(survey)),
        {**_HEADINGS, **prepared.labels, **{("method", m): _NAMES[m] for m in points}},
        f"{call})  # data {survey.data_hash}",
        {"en": f"Measures of importance for {label['en']}", "zh": f"“{label['zh']}”的各种重要性指标"},
        {"value": ".3f", "low": ".3f", "high": ".3f"}, level, outcome=outcome, agreement=_agreement(table),
    )  # fmt: skip


def _methods(blocks: Sequence[str]) -> dict[str, Measure]:
    """Measures that say something of their own: Owen values only where there are blocks of several drivers."""
    of = teams(blocks)
    plain = {name: value for name, value in MEASURES.items() if name != "owen"}
    return plain | ({"owen": look_up("owen", of)} if 1 < len(of) < len(blocks) else {})


def _values(
    kernel: Linear, methods: Mapping[str, Measure], correlations: FloatArray, scale: FloatArray
) -> dict[str, FloatArray]:
    """Values of every method, arrays of shape (batch, p)."""
    prepared, layout = kernel.prepared, kernel.prepared.layout
    out = {name: measured(m, correlations, prepared.players, layout.always) for name, m in methods.items()}
    slopes = coefficients(correlations) * scale[:, -1:] / scale[:, :-1]
    out["coefficient"] = np.where(prepared.first < 0, np.nan, slopes[:, prepared.first])
    return out


def _rows(
    name: str, drivers: Sequence[str], value: FloatArray, drawn: Sequence[FloatArray], level: float
) -> pd.DataFrame:
    """Rows of one method."""
    empty = np.full(len(value), np.nan)
    low, high = percentiles(np.concatenate(drawn), level) if len(drawn) else (empty, empty)
    size = np.abs(value) if name in SIGNED else value
    place = np.full(len(value), np.nan)
    known = np.isfinite(value)
    place[known] = ranks(size[known])
    share = empty if name == "coefficient" else size / size.sum()
    return pd.DataFrame({
        "driver": drivers, "method": name, "value": value, "low": low, "high": high, "share": share,
        "rank": pd.array(place, dtype="Int64") if not known.all() else place.astype(int),
        "sums_to_r2": SUMS_TO_R2.get(name, False),
    })  # fmt: skip


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b between the rankings of the methods."""
    ranking = table.assign(rank=table["rank"].astype("Float64")).pivot(index="driver", columns="method", values="rank")
    ranking = ranking.astype(float)[list(dict.fromkeys(table["method"]))]
    return ranking.corr(method="kendall").rename_axis(index=None, columns=None)
