"""What a service–profit chain says: its tables, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.loyalty._chain_words import (
    ALONE,
    BETWEEN,
    HEADLINE,
    METHODS,
    NOISE,
    RESPONDENTS,
    SHARE,
    SHARED,
    TITLES,
    WAYS,
    WITHIN,
    when,
)
from cxlab.result import Result
from cxlab.words import Figure, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SCALED = ("estimate", "low", "high", "wild_low", "wild_high", "shared_noise")


@dataclass(frozen=True, eq=False)
class ServiceProfitResult(Result):
    """Links of a chain between units, within units over time, and between respondents.

    Attributes
    ----------
    stages : tuple of tuples of str
        Measures by stage, causes first.
    unit_column : str
        Survey column of the unit.
    correlations : DataFrame
        Of unit means, one row per link: ``cause, effect, r, low, high`` (Fisher), ``p_value`` (Holm over links), ``p_raw``
        (t test; of two survey measures that of the slope less shared noise, missing unless ``reliable``), ``slope_corrected, r_corrected``
        (for sampling errors), ``spearman, spearman_p, reliable`` (both reliabilities ≥ .5), ``findable`` (correlation
        found four times in five), ``units``.
    measures : DataFrame
        ``metric, mean, sd_between, reliability_between, sd_within, reliability_within, between_share`` (of the variance
        between respondents), ``units, cells, base``.
    means : DataFrame
        ``unit, metric, estimate, se, base``; se is missing for measures of the table.
    """

    stages: tuple[tuple[str, ...], ...] = ()
    unit_column: str = ""
    correlations: pd.DataFrame = field(default_factory=pd.DataFrame)
    measures: pd.DataFrame = field(default_factory=pd.DataFrame)
    means: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def links(self) -> list[tuple[str, str]]:
        """Cause and effect of every link, in the order of the chain."""
        return [(a, b) for i, j in pairwise(self.stages) for a in i for b in j]

    def specs(self, column: str) -> list[str]:
        """Format of every cell; slopes get the decimals that their error allows."""
        if column in (*_SCALED, "se"):
            sign = "" if column == "se" else "+"
            return [slope_spec(se, sign) for se in self.table["se"]]
        return super().specs(column)

    def further(self) -> Mapping[str, Result]:
        """Correlations of unit means, measures, means of units."""
        shown = {**dict.fromkeys(("r", "low", "high", "r_corrected", "spearman", "findable"), ".2f"), "slope_corrected": "+.3g",
                 "spearman_p": "p", "p_raw": "p"}  # fmt: skip
        small = {"mean": ",.4g", "sd_between": ".3g", "sd_within": ".3g", "reliability_between": ".2f",
                 "reliability_within": ".2f", "between_share": ".1%", "base": ",.0f"}  # fmt: skip
        parts: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
            "between": (self.correlations, shown), "measures": (self.measures, small),
            "means": (self.means, {"estimate": ",.4g", "se": ".2g", "base": ",.0f"}),
        }  # fmt: skip
        return {
            name: Result(table, self.base, (), self.labels, self.call, TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the chain; without ``ax`` also every link's unit means and its slopes by lag.

        Returns the axes of the chain.
        """
        from cxlab.loyalty._draw_chain import draw, draw_chain

        return draw(self, language(lang)) if ax is None else draw_chain(self, ax, language(lang))

    def scatter(self, cause: str, effect: str, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the means of the units on both measures of a link, every unit with its name."""
        from cxlab.loyalty._draw_chain import scatter

        if (cause, effect) not in self.links:
            known = ", ".join(f"{a!r} → {b!r}" for a, b in self.links)
            raise SurveyError(
                f"cause and effect are {cause!r} → {effect!r}, which is no link of the chain; it has {known}."
            )
        return scatter(self, (cause, effect), ax, language(lang))

    def rows_of(self, link: tuple[str, str], kind: str) -> pd.DataFrame:
        """Rows of the table of one link and kind."""
        table = self.table
        return table[(table["cause"] == link[0]) & (table["effect"] == link[1]) & (table["kind"] == kind)]

    def correlation(self, link: tuple[str, str]) -> Any | None:
        """Correlation of a link's unit means; None where there is none."""
        for row in _records(self.correlations):
            if (row.cause, row.effect) == link:
                return row
        return None

    def sentences(self, lang: str | None = None) -> Sentences:
        """Every link between units, within them, and between respondents."""
        lang = language(lang)
        said: list[Sentence] = []
        for link in self.links:
            names = {k: self.label(n, lang, k) for k, n in zip(("cause", "effect"), link, strict=True)}
            said += self._between(link, names, lang)
            said += self._within(link, names, lang)
            said += self._respondents(link, names, lang)
        return Sentences(said)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(METHODS, lang, level=self.said_level).text

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: how many links can be told between units, or which one."""
        lang = language(lang)
        told = [row for row in _records(self.correlations) if row.p_value < 1 - self.level]
        units = self.means["unit"].nunique()
        if len(told) != 1:
            return sentence(
                HEADLINE["some" if told else "none"], lang, told=len(told), links=len(self.links), units=units
            )
        names = {k: self.label(getattr(told[0], k), lang, k) for k in ("cause", "effect")}
        if len(self.links) == 1:
            return sentence(HEADLINE["single"], lang, units=units, way=WAYS[told[0].r > 0][lang], **names)
        return sentence(HEADLINE["one"], lang, links=len(self.links), units=units, arrow="→", **names)

    def _between(self, link: tuple[str, str], names: dict[str, str], lang: str) -> Iterator[Sentence]:
        row = self.correlation(link)
        if row is None:
            return
        if np.isnan(row.p_value):
            yield sentence(NOISE, lang, units=row.units, unit=self.label("unit", lang), r=row.r, **names)
            return
        told = row.p_value < 1 - self.level
        kind = ("more" if row.r > 0 else "less") if told else "none"
        yield sentence(
            _longer(BETWEEN[kind], ALONE if row.p_raw < 1 - self.level <= row.p_value else {}, SHARED if self._both_asked(link) else {}),
            lang, raw=row.p_raw, corrected=row.r_corrected, units=row.units, unit=self.label("unit", lang), r=row.r, low=row.low, high=row.high, p=row.p_value,
            rho=row.spearman, findable=row.findable, **names,
        )  # fmt: skip
        share = self.measures.set_index("metric")["between_share"]
        if np.isfinite(share[link[1]]) and not np.isfinite(share[link[0]]):
            yield sentence(SHARE, lang, share=float(share[link[1]]), **names)

    def _both_asked(self, link: tuple[str, str]) -> bool:
        """Whether both measures of a link are answers of the same respondents."""
        share = self.measures.set_index("metric")["base"]
        return bool(np.isfinite(share[list(link)]).all())

    def _within(self, link: tuple[str, str], names: dict[str, str], lang: str) -> Iterator[Sentence]:
        rows = self.rows_of(link, "within")
        if rows.empty:
            return
        found = rows[(rows["p_value"] < 1 - self.level) & ~rows["few"]]
        tests = int((self.table["kind"] == "within").sum())
        for row in _records(found):
            yield sentence(
                WITHIN["found" if row.wild_p < 1 - self.level else "doubtful"],
                lang,
                when=when(row.lag, lang),
                p=row.p_value,
                wild=row.wild_p,
                tests=tests,
                **_slope(row),
                **names,
            )
        if found.empty:
            row = next(_records(rows))
            few = bool((rows["few"].astype(bool) & (rows["p_value"] < 1 - self.level)).any() or rows["few"].all())
            yield sentence(
                WITHIN["few" if few else "none"],
                lang,
                when=when(row.lag, lang),
                lags=len(rows),
                p=float(rows["p_value"].min()),
                **_slope(row),
                **names,
            )

    def _respondents(self, link: tuple[str, str], names: dict[str, str], lang: str) -> Iterator[Sentence]:
        single, units, r = self.rows_of(link, "respondents"), self.rows_of(link, "between"), self.correlation(link)
        if single.empty or units.empty or r is None:
            return
        row, unit = next(_records(single)), next(_records(units))
        spec = slope_spec(unit.se)
        yield sentence(
            RESPONDENTS["corrected" if np.isfinite(r.slope_corrected) else "plain"], lang, **_slope(row), unit_b=Figure(unit.estimate, spec), unit_low=Figure(unit.low, spec),
            unit_high=Figure(unit.high, spec), corrected=Figure(r.slope_corrected, spec), **names,
        )  # fmt: skip


def _longer(*parts: Mapping[str, str]) -> dict[str, str]:
    """One template of several, the later ones if there are any."""
    return {lang: "".join(part.get(lang, "") for part in parts) for lang in parts[0]}


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def slope_spec(se: float, sign: str = "+") -> str:
    """Format of a slope: two digits of its standard error.

    Examples
    --------
    >>> slope_spec(0.0138), slope_spec(281.0)
    ('+,.3f', '+,.0f')
    """
    digits = 2 if not se > 0 else int(np.clip(1 - np.floor(np.log10(se)), 0, 6))
    return f"{sign},.{digits}f"


def _slope(row: Any) -> dict[str, Figure]:
    spec = slope_spec(row.se)
    return {"b": Figure(row.estimate, spec), "low": Figure(row.low, spec), "high": Figure(row.high, spec)}
