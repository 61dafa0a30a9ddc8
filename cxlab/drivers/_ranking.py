"""The order of the drivers: which ranks pairwise tests leave open, and who cannot be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlab.contrasts import letter_groups
from cxlab.drivers._result import FORMATS, HEADINGS, DriverResult
from cxlab.errors import SurveyError
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TITLE = {
    "en": "Ranks that pairwise tests leave open, drivers of {outcome:in}",
    "zh": "{outcome}各驱动因素的可能名次（两两检验）",
}
_SETTLED = {
    "en": "Pairwise tests settle the rank of {count} of {total} drivers of {outcome:in}: {drivers}.",
    "zh": "在{outcome}的 {total} 个驱动因素中，两两检验可确定 {count} 个的名次：{drivers}。",
}
_OPEN = {
    "en": "Pairwise tests settle the rank of none of the {total} drivers of {outcome:in}.",
    "zh": "两两检验尚无法确定{outcome}的 {total} 个驱动因素中任何一个的名次。",
}
_WIDEST = {
    "en": "Least sure: {drivers} – any rank from {low} to {high}.",
    "zh": "名次最不确定的是{drivers}：可能居第 {low} 至第 {high} 位。",
}
_LETTERS = {
    "en": "Drivers that share a letter cannot be told apart by pairwise tests (Holm over all pairs, {level} joint confidence).",
    "zh": "含有相同字母的因素在两两检验中无法区分（全部配对经 Holm 校正，联合置信水平 {level}）。",
}
_HEADINGS = {"letters": {"en": "Letters", "zh": "字母分组"}}


@dataclass(frozen=True, eq=False)
class RankingResult(Result):
    """Rank sets and letter groups of drivers.

    Attributes
    ----------
    outcome : str
    """

    outcome: str = ""

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say whose rank is settled, and whose is most open."""
        lang = language(lang)
        if self.table["reliability"].iloc[0] == "suppressed":
            return Sentences()
        settled = self.table["rank_high"] == self.table["rank_low"]
        said = [self._settled(self.table[settled], lang)]
        return Sentences(said if settled.all() else [*said, self._widest(lang)])

    def _widest(self, lang: str) -> Sentence:
        """The largest group of drivers among those with the most ranks left open."""
        width = self.table["rank_high"] - self.table["rank_low"]
        widest = self.table[width == width.max()]
        low = int(widest["rank_low"].mode().iloc[0])
        names = [self.label(d, lang) for d in widest.loc[widest["rank_low"] == low, "driver"]]
        listed = ", ".join(names) if lang == "en" else "、".join(f"“{n}”" for n in names)
        return sentence(_WIDEST, lang, drivers=listed, low=low, high=low + int(width.max()))

    def _settled(self, rows: pd.DataFrame, lang: str) -> Sentence:
        facts = {"total": len(self.table), "outcome": self.label(self.outcome, lang)}
        if rows.empty:
            return sentence(_OPEN, lang, **facts)
        one, between = ("{} ({})", ", ") if lang == "en" else ("“{}”（第 {} 位）", "、")
        named = between.join(one.format(self.label(r.driver, lang), r.rank) for r in rows.itertuples())
        return sentence(_SETTLED, lang, count=len(rows), drivers=named, **facts)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw each driver's rank within the ranks that it may hold, with its letters."""
        from cxlab.drivers._draw_ranking import draw

        return draw(self, ax, language(lang))


def ranking_of(result: DriverResult) -> RankingResult:
    """Rank sets and letters of a result, from the same pairwise tests.

    Raises
    ------
    SurveyError
        If the result has no replicates.
    """
    if result.replicates.empty or result.kernel is None:
        raise SurveyError("result has no replicates; run key_drivers with replicates=1000.")
    columns = ["driver", "share", "share_low", "share_high", "rank", "rank_low", "rank_high"]
    table = result.table[columns].copy()
    draws = result.replicates[table["driver"].tolist()].to_numpy()
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    df = result.kernel.prepared.df
    table["letters"] = letter_groups(result.table["importance"].to_numpy(), covariance, df=df, level=result.level)
    table = table.join(result.table[["top1", "top3", "base", "base_effective", "reliability"]])
    label = result.labels[result.outcome]
    title = {lang: words.replace("{outcome:in}", number(label[lang], "in")).replace("{outcome}", label[lang])
             for lang, words in _TITLE.items()}  # fmt: skip
    return RankingResult(
        table, result.base, (Note(_LETTERS, level=result.said_level), *result.notes), {**HEADINGS, **_HEADINGS, **result.labels},
        f"{result.call.split('  #')[0]}.ranking()", title, FORMATS, result.level, outcome=result.outcome,
    )  # fmt: skip
