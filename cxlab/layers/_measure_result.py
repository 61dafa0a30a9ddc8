"""What the measurement of a path model says: its tables, its pictures, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.layers import _measure_words as words
from cxlab.result import Result
from cxlab.words import Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class MeasurementResult(Result):
    """Reliability of the constructs, loadings of their indicators, and whether the constructs are distinct.

    Attributes
    ----------
    loadings : DataFrame
        ``construct, item, mode, loading`` (corrected under PLSc) with interval, ``own`` (correlation with the construct's score),
        ``cross, other`` (the largest in size with another construct's, and whose), ``vif`` (within the construct).
    discriminant : DataFrame
        One row per pair: ``construct, other, htmt, htmt_low, htmt_high`` (two-sided), ``htmt_upper`` (one-sided), ``verdict``, the same
        of HTMT2 (``verdict2``), ``correlation`` (corrected under PLSc) with interval, ``fornell_larcker`` (both √AVE exceed it).
    cross_loadings : DataFrame
        ``construct, item`` and one column per construct.
    fornell_larcker : DataFrame
        √AVE on the diagonal, correlations of scores beneath.
    vif : DataFrame
        ``source, target, vif`` of scores; under PLSc ``vif_corrected``, of the correlations that paths are computed from.
    replicates : int
        That the intervals rest on.
    """

    loadings: pd.DataFrame = field(default_factory=pd.DataFrame)
    discriminant: pd.DataFrame = field(default_factory=pd.DataFrame)
    cross_loadings: pd.DataFrame = field(default_factory=pd.DataFrame)
    fornell_larcker: pd.DataFrame = field(default_factory=pd.DataFrame)
    vif: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: int = 0

    def further(self) -> Mapping[str, Result]:
        """Discriminant validity, loadings, cross-loadings, Fornell–Larcker, collinearity."""
        return {
            name: Result(getattr(self, name), self.base, (), self.labels, self.call, title, self.formats, self.level)
            for name, title in words.TITLES.items()
            if len(getattr(self, name))
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the loadings of every construct, and its reliability beside them."""
        from cxlab.layers._draw_measure import draw

        return draw(self, ax, language(lang))

    def plot_htmt(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw HTMT of every pair with its one-sided upper limit against .85, .90 and 1."""
        from cxlab.layers._draw_measure import draw_htmt

        return draw_htmt(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Unreliable scales, constructs that are not distinct, indicators that hardly belong, collinear causes."""
        lang = language(lang)
        if (self.table["reliability"] == "suppressed").all():
            return Sentences([sentence(words.NOTHING, lang, effective=self.base.effective)])
        return Sentences(
            [*self.about_scales(lang), *self._distinct(lang), *self._indicators(lang), *self._collinear(lang)]
        )

    def about_scales(self, lang: str) -> Iterator[Sentence]:
        """How many scales are reliable, then those that are not."""
        scales = self.table[(self.table["mode"] == "A") & (self.table["indicators"] > 1)]
        if scales.empty:
            return
        least = scales[["alpha", "rho_a", "rho_c"]].min(axis=1)
        yield sentence(
            words.RELIABLE_ALL, lang, all=len(scales), count=int((least >= words.RELIABLE).sum()), limit=words.RELIABLE
        )
        for row in _records(scales[least < words.ENOUGH]):
            yield sentence(words.UNRELIABLE if self.replicates else words.UNRELIABLE_POINT, lang, construct=self.label(row.construct, lang), limit=words.ENOUGH, alpha=row.alpha,
                           low=row.alpha_low, high=row.alpha_high, rho_a=row.rho_a, rho_c=row.rho_c)  # fmt: skip

    def _distinct(self, lang: str) -> Iterator[Sentence]:
        known = self.discriminant[self.discriminant["htmt"].notna()]
        if known.empty:
            return
        if not self.replicates:
            yield sentence(words.NO_INTERVALS, lang)
            return
        facts = {"level": self.said_level}
        one, near = known[known["verdict"] == "not distinct"], known[known["verdict"] == "distinct 1"]
        if len(one):
            yield sentence(words.ONE_CONSTRUCT, lang, pairs=self._paired(one, lang), **facts)
        if len(near):
            yield sentence(words.NEAR, lang, pairs=self._paired(near, lang), limit=words.LIMITS[1][0], **facts)
        if one.empty and near.empty:
            top = known.loc[[known["htmt_upper"].idxmax()]]
            yield sentence(
                words.APART, lang, count=len(known), upper=top["htmt_upper"].iloc[0], pair=self._paired(top, lang), **facts
            )  # fmt: skip

    def _paired(self, rows: pd.DataFrame, lang: str) -> str:
        """Pairs with their HTMT and upper limit, the closest first."""
        said = [
            sentence(
                words.PAIR,
                lang,
                first=self.label(r.construct, lang),
                second=self.label(r.other, lang),
                htmt=r.htmt,
                upper=r.htmt_upper,
            ).text
            for r in _records(rows.sort_values("htmt_upper", ascending=False))
        ]
        return ("、" if lang == "zh" else ", ").join(said)

    def _indicators(self, lang: str) -> Iterator[Sentence]:
        scales = self.loadings[self.loadings["mode"] == "A"]
        weak = scales[scales["loading"].abs() < words.WEAK]
        if len(weak):
            said = [
                sentence(words.ITEM, lang, item=self.label(r.item, lang), loading=r.loading).text
                for r in _records(weak)
            ]
            yield sentence(words.WEAK_ITEMS, lang, limit=words.WEAK, items=("、" if lang == "zh" else ", ").join(said))
        for row in _records(scales[scales["cross"].abs() > scales["own"].abs()]):
            yield sentence(words.ELSEWHERE, lang, item=self.label(row.item, lang), other=self.label(row.other, lang), cross=row.cross,
                           construct=self.label(row.construct, lang), own=row.own)  # fmt: skip

    def _collinear(self, lang: str) -> Iterator[Sentence]:
        column = "vif_corrected" if "vif_corrected" in self.vif else "vif"
        for row in _records(self.vif[self.vif[column] > words.INFLATED]):
            yield sentence(words.COLLINEAR, lang, target=self.label(row.target, lang), source=self.label(row.source, lang),
                           vif=getattr(row, column), limit=words.INFLATED)  # fmt: skip

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return sentence(
            words.METHODS, lang, base=self.base.respondents, level=self.said_level, count=self.replicates
        ).text


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))
