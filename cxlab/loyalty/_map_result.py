"""What a loyalty map says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.loyalty._map_words import (
    ALIKE,
    CONTRADICTED,
    FLAT,
    HARDER,
    HEADLINE,
    HELD,
    METHODS,
    MORE,
    MOST_LISTED,
    MOVED,
    OPEN,
    PULLED,
    SHARES,
    SHARES_SHORT,
    SLIGHTLY,
    SMALL,
    TITLES,
    WEAKER,
    WITH_CUTS,
    WITHIN,
)
from cxlab.result import Result
from cxlab.words import Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VERDICTS = {"held": HELD, "slightly": SLIGHTLY, "contradicted": CONTRADICTED, "open": OPEN}


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


@dataclass(frozen=True, eq=False)
class LoyaltyMapResult(Result):
    """Loyalists, hostages, mercenaries and defectors, and what holds the hostages.

    Attributes
    ----------
    satisfaction, loyalty : str
    switching_cost : str or None
    at, loyal_at : str
        What counts as satisfied and as loyal, such as ``≥ 7``.
    margin : float
        Difference of switching cost that matters, on its scale.
    costs : DataFrame
        Mean switching cost: ``[segment], type, estimate, se, low, high, base, base_effective, reliability``.
    tests : DataFrame
        Hostages minus another type: ``[segment], type, other, estimate, se, low, high, p_value, reliability, verdict``
        (Holm); the verdict is on the comparison with defectors.
    harder : DataFrame
        Switching cost of hostages, groups against each other: ``segment, other, estimate, se, low, high, p_value,
        reliability`` (Holm).
    pull : DataFrame
        Loyal share of the dissatisfied and the satisfied and their gap: ``[segment], dissatisfied, satisfied, estimate,
        se, low, high, p_value, base, base_effective, reliability`` (Holm).
    differences : DataFrame
        Groups against each other: ``type`` (or ``pull``), ``segment, other, estimate, se, low, high, p_raw, p_value,
        reliability``.
    moved : DataFrame
        The shares with either cut moved by one step: ``satisfaction_cut, loyalty_cut`` and the table's columns;
        ``surplus, surplus_low, surplus_high`` of hostages is their switching cost minus that of defectors.
    cells : DataFrame
        ``satisfaction, loyalty, share, type``: how many gave which two answers.
    alike : float
        p-value of equal shares of all types in all groups.
    """

    satisfaction: str = ""
    loyalty: str = ""
    switching_cost: str | None = None
    at: str = ""
    loyal_at: str = ""
    margin: float = 0.0
    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    harder: pd.DataFrame = field(default_factory=pd.DataFrame)
    pull: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    moved: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    alike: float = float("nan")

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.table), None)

    def further(self) -> Mapping[str, Result]:
        """Switching cost, pull of satisfaction, groups against each other, moved cuts."""
        points = dict.fromkeys(("estimate", "low", "high"), "pp")
        shares = dict.fromkeys(("estimate", "low", "high", "dissatisfied", "satisfied"), ".0%")
        cuts = {"satisfaction_cut": "g", "loyalty_cut": "g"}
        formats = {
            "costs": {},
            "tests": dict.fromkeys(("estimate", "low", "high", "se"), "+.2f") | {"se": ".2f"},
            "harder": dict.fromkeys(("estimate", "low", "high"), "+.2f"),
            "pull": shares | points | {"se": ".3f"},
            "differences": points | {"se": ".3f", "p_raw": "p"},
            "moved": shares | cuts | {"se": ".3f"} | dict.fromkeys(("surplus", "surplus_low", "surplus_high"), "+.2f"),
        }
        return {
            name: Result(getattr(self, name), self.base, (), self.labels, self.call, TITLES[name], spec, self.level)
            for name, spec in formats.items()
            if len(getattr(self, name))
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw who gave which answers in the four fields, or the types of every group, beside their switching cost."""
        from cxlab.loyalty._draw_map import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Shares, what holds hostages, what satisfaction does to loyalty, groups against each other."""
        lang = language(lang)
        parts = (self._about_shares, self._about_costs, self._about_pull, self._about_groups)
        return Sentences([s for part in parts for s in part(lang)])

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: how many are loyal although not satisfied."""
        lang = language(lang)
        hostages = self.table[(self.table["type"] == "hostage") & (self.table["reliability"] != "suppressed")]
        if hostages.empty:
            return sentence(HEADLINE["small"], lang)
        if self.key is None:
            return sentence(HEADLINE["all"], lang, share=float(hostages["estimate"].iloc[0]))
        ordered = hostages.sort_values("estimate", ascending=False)
        shares = [f"{self.label(code, lang, self.key)} {number(share, '.0%')}"
                  for code, share in zip(ordered[self.key], ordered["estimate"], strict=True)]  # fmt: skip
        listed = shares if len(shares) <= MOST_LISTED else [*shares[: MOST_LISTED - 2], "…", shares[-1]]
        return sentence(HEADLINE["groups"], lang, listed=("、" if lang == "zh" else ", ").join(listed))

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(METHODS, lang, level=self.said_level).text

    def _who(self, code: Any, lang: str) -> str:
        if self.key is None:
            return ""
        return self.label(code, lang, self.key) + (": " if lang == "en" else "：")

    def _groups(self, table: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
        """Rows of every group of a table."""
        if self.key is None:
            yield None, table
        else:
            yield from ((code, table[table[self.key] == code]) for code in dict.fromkeys(table[self.key]))

    def _sentence(self, words: Mapping[str, str], lang: str, code: Any, **facts: Any) -> Sentence:
        """A sentence that begins with the group, or with a capital where there is none."""
        who = self._who(code, lang)
        if who or lang == "zh":
            return sentence(words, lang, who=who, **facts)
        plain = words[lang].removeprefix("{who}")
        return sentence({**words, lang: plain[:1].upper() + plain[1:]}, lang, **facts)

    def _about_shares(self, lang: str) -> Iterator[Sentence]:
        names = {
            "satisfaction": self.label(self.satisfaction, lang), "loyalty": self.label(self.loyalty, lang),
            "at": self.at, "loyal_at": self.loyal_at,
        }  # fmt: skip
        for code, table in self._groups(self.table):
            rows = table.set_index("type")
            if rows["reliability"].iloc[0] == "suppressed":
                yield self._sentence(SMALL, lang, code, base=int(rows["base"].iloc[0]))
            elif self.key is None:
                yield self._sentence(SHARES, lang, code, **names, **rows["estimate"])
            else:
                ends = {end: rows.loc["hostage", end] for end in ("low", "high")}
                yield self._sentence(SHARES_SHORT, lang, code, **names, **ends, **rows["estimate"])
        if self.key is None and len(self.moved) and self.table["reliability"].iloc[0] != "suppressed":
            found = self.moved.loc[self.moved["type"] == "hostage", "estimate"]
            yield sentence(MOVED, lang, lowest=found.min(), highest=found.max())

    def _about_costs(self, lang: str) -> Iterator[Sentence]:
        if self.switching_cost is None:
            return
        named = {"cost": self.label(self.switching_cost, lang), "margin": self.margin}
        said = 0
        for row in _records(self.tests[self.tests["other"] == "defector"]):
            if row.reliability == "suppressed" or not np.isfinite(row.se):
                continue
            said += 1
            code = None if self.key is None else getattr(row, self.key)
            facts = {"gap": row.estimate, "low": row.low, "high": row.high, "p": row.p_value}
            alone = self.key is None or row.verdict in ("held", "slightly")
            yield self._sentence(_VERDICTS[row.verdict] if alone else WITHIN, lang, code, **named, **facts)
        for row in _records(self.harder):
            if row.reliability != "suppressed" and row.p_value < 1 - self.level:
                pair, facts = self._pair(row, lang)
                yield sentence(HARDER, lang, more=pair[0], fewer=pair[1], cost=named["cost"], **facts)
        if said and self.key is None and self.moved["surplus"].notna().any():
            found = self.moved["surplus"]
            yield sentence(WITH_CUTS, lang, lowest=found.min(), highest=found.max())

    def _about_pull(self, lang: str) -> Iterator[Sentence]:
        for row in _records(self.pull):
            if row.reliability == "suppressed" or not np.isfinite(row.se):
                continue
            code = None if self.key is None else getattr(row, self.key)
            words = PULLED if row.low > 0 or row.high < 0 else FLAT
            yield self._sentence(
                words, lang, code, dissatisfied=row.dissatisfied, satisfied=row.satisfied, gap=row.estimate, low=row.low,
                high=row.high,
            )  # fmt: skip

    def _about_groups(self, lang: str) -> Iterator[Sentence]:
        if self.key is None or self.differences.empty:
            return
        usable = self.differences[self.differences["reliability"] != "suppressed"]
        found = usable[usable["p_value"] < 1 - self.level]
        if not (found["type"] == "hostage").any():
            yield sentence(ALIKE, lang, p=self.alike)
        for row in _records(found[found["type"].isin(["hostage", "pull"])]):
            pair, facts = self._pair(row, lang)
            if row.type == "hostage":
                yield sentence(MORE, lang, more=pair[0], fewer=pair[1], **facts)
            else:
                yield sentence(WEAKER, lang, less=pair[1], more=pair[0], **facts)

    def _pair(self, row: Any, lang: str) -> tuple[list[str], dict[str, float]]:
        """Two groups, the one with more first, and by how much they differ."""
        pair = [self.label(c, lang, self.key) for c in (getattr(row, str(self.key)), row.other)]
        low, high = sorted((abs(row.low), abs(row.high)))
        return pair if row.estimate > 0 else pair[::-1], {
            "gap": abs(row.estimate),
            "low": low,
            "high": high,
            "p": row.p_value,
        }
