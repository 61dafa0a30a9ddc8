"""What a loyalty link says: its tables, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.loyalty import _link_words as words
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class LoyaltyLinkResult(Result):
    """The curve of loyalty over satisfaction, its threshold and its zones.

    Attributes
    ----------
    satisfaction, loyalty : str
    binary : bool
        Whether loyalty is 0 or 1: means are shares then and slopes log-odds.
    threshold : DataFrame
        One row (per segment): ``statistic, p_value`` (Holm over segments), ``threshold, low, high``, ``low_open,
        high_open`` (the interval reaches the end of the grid), ``slope_below, slope_above, bend`` with ``_low, _high``,
        ``slope`` of the straight line, ``findable, intercept, knots, base, base_effective, reliability``. Threshold and
        slopes beside it are missing unless the test rejects. Where loyalty is 0 or 1 also ``effect_below, effect_above,
        effect`` with ``_low, _high`` and ``findable_effect``: average difference of the share per point, 0–1.
    zones : DataFrame
        ``shift, zone, share, share_low, share_high, estimate, se, low, high, base, base_effective, reliability``.
    differences : DataFrame
        Slopes of the straight lines of two groups: ``segment, other, estimate, se, low, high, p_value`` (Holm).
    threshold_differences : DataFrame
        Thresholds of two groups that have one: ``segment, other, estimate, low, high, low_open, high_open, p_value`` (Holm).
    smooth : DataFrame
        The monotone spline between the points: ``[segment], point, smooth, smooth_low, smooth_high``.
    cuts : tuple of float
        Lowest answer of indifference, of affection, and the step of their sensitivity.
    equal, equal_thresholds, equal_zones : float
        p-value of equal slopes in all groups; of one threshold for all that have one; of equal shares of the zones.
    """

    satisfaction: str = ""
    loyalty: str = ""
    binary: bool = False
    threshold: pd.DataFrame = field(default_factory=pd.DataFrame)
    zones: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    threshold_differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    smooth: pd.DataFrame = field(default_factory=pd.DataFrame)
    cuts: tuple[float, float, float] = (0.0, 0.0, 1.0)
    equal: float = float("nan")
    equal_thresholds: float = float("nan")
    equal_zones: float = float("nan")

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.threshold), None)

    def further(self) -> Mapping[str, Result]:
        """Threshold, zones, differences of groups."""
        spec = ".0%" if self.binary else ".2f"
        own = [str(c) for c in self.threshold]
        slopes = {c: "+.2f" for c in own if c.startswith(("slope", "bend", "findable", "intercept"))}
        effects = {c: "pp" for c in own if c.startswith(("effect", "findable_effect"))}
        parts: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
            "threshold": (
                self.threshold,
                {"threshold": ".4g", "low": ".4g", "high": ".4g", "knots": ",.0f", **slopes, **effects},
            ),
            "zones": (self.zones, {"shift": "+g", "estimate": spec, "low": spec, "high": spec, "se": ".3f"}),
            "differences": (self.differences, {"estimate": "+.2f", "low": "+.2f", "high": "+.2f"}),
            "threshold_differences": (self.threshold_differences, {"estimate": "+.4g", "low": "+.4g", "high": "+.4g"}),
        }
        return {
            name: Result(table, self.base, (), self.labels, self.call, words.TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw means with intervals, lines, the threshold with its band and how many gave each answer; a panel per group."""
        from cxlab.loyalty._draw_link import draw

        return draw(self, ax, language(lang))

    def plot_zones(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the shares of the zones, with the cuts as declared and one step lower and higher."""
        from cxlab.loyalty._draw_zones import draw_zones

        return draw_zones(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Threshold or none, zones, differences of groups."""
        lang = language(lang)
        said = [*self._about_thresholds(lang), *self._about_zones(lang), *self._about_differences(lang)]
        return Sentences(said)

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: the threshold, or in which groups there is one."""
        lang = language(lang)
        facts = {"satisfaction": self.label(self.satisfaction, lang), "loyalty": self.label(self.loyalty, lang)}
        told = [row for row in _records(self.threshold) if row.reliability != "suppressed"]
        found = [row for row in told if not np.isnan(row.threshold)]
        if self.key is not None:
            names = [f"{self.label(getattr(row, self.key), lang, self.key)} {row.threshold:.4g}" for row in found]
            kind = "some" if found else "none_of"
            listed = ("、" if lang == "zh" else ", ").join(names)
            more = {"groups": len(told), **({"found": len(found), "listed": listed} if found else {})}
            return sentence(words.HEADLINE[kind], lang, **facts, **more)
        if not found:
            return sentence(words.HEADLINE["none"], lang, **facts)
        row = found[0]
        kind = "more" if row.slope_above > row.slope_below else "less"
        return sentence(words.HEADLINE[kind], lang, **facts, threshold=row.threshold, low=row.low, high=row.high)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        kind = words.METHODS["binary" if self.binary else "line"]
        return sentence(kind, lang, level=self.said_level).text

    def _who(self, row: Any, lang: str) -> str:
        if self.key is None:
            return ""
        label = self.label(getattr(row, self.key), lang, self.key)
        return f"{label}: " if lang == "en" else f"{label}："

    def _about_thresholds(self, lang: str) -> Iterator[Sentence]:
        names = {"satisfaction": self.label(self.satisfaction, lang), "loyalty": self.label(self.loyalty, lang)}
        kind, measure = ("share", "effect") if self.binary else ("points", "slope")
        for row in _records(self.threshold):
            who = self._who(row, lang)
            if row.reliability == "suppressed" or np.isnan(row.p_value):
                yield sentence(words.SMALL, lang, who=who, base=row.base)
            elif np.isnan(row.threshold):
                found = row.findable_effect if self.binary else row.findable
                value, low, high = (getattr(row, measure + end) for end in ("", "_low", "_high"))
                yield sentence(
                    words.NONE[kind], lang, who=who, p=row.p_value, findable=found, slope=value, low=low, high=high, **names
                )  # fmt: skip
            else:
                ends = {f"{side}{end}": getattr(row, f"{measure}_{side}{end}")
                        for side in ("below", "above") for end in ("", "_low", "_high")}  # fmt: skip
                yield sentence(
                    words.FOUND[kind], lang, who=who, threshold=row.threshold, low=row.low, high=row.high, p=row.p_value, **ends,
                    **names,
                )  # fmt: skip

    def _about_zones(self, lang: str) -> Iterator[Sentence]:
        """Shares of the zones of every group; of everybody also how far the upper one moves with its cut."""
        names = {"satisfaction": self.label(self.satisfaction, lang), "loyalty": self.label(self.loyalty, lang)}
        step = self.cuts[2]
        for row in _records(self.threshold):
            if row.reliability == "suppressed":
                continue
            own = self.zones if self.key is None else self.zones[self.zones[self.key] == getattr(row, self.key)]
            zone = own.set_index(["shift", "zone"])
            shares, means = zone["share"], zone["estimate"]
            masked = ((own["shift"] == 0) & (own["reliability"] == "suppressed")).any()
            kind = "small" if masked else "share" if self.binary else "mean"
            facts = {z: shares[0.0, z] for z in ("defection", "indifference", "affection")}
            facts |= {f"loyal_{z}": means[0.0, z] for z in ("defection", "indifference", "affection")}
            if self.key is not None:
                yield sentence(words.GROUP_ZONES[kind], lang, who=self._who(row, lang), **facts, **names)
            elif not masked:
                yield sentence(
                    words.ZONES[kind], lang, first=self.cuts[0], second=self.cuts[1], step=step, **facts,
                    lower=shares[-step, "affection"], higher=shares[step, "affection"], **names,
                )  # fmt: skip

    def _about_differences(self, lang: str) -> Iterator[Sentence]:
        if self.key is None or self.differences.empty:
            return
        found = self.differences[self.differences["p_value"] < 1 - self.level]
        if found.empty:
            yield sentence(words.ALIKE, lang, p=self.equal)
        effects = self.threshold.set_index(self.key)
        for row in _records(found):
            codes = (getattr(row, self.key), row.other)
            steeper, flatter = codes if row.estimate > 0 else codes[::-1]
            said = {"steeper": self.label(steeper, lang, self.key), "flatter": self.label(flatter, lang, self.key)}
            if self.binary:
                here, there = effects.loc[steeper, "effect"], effects.loc[flatter, "effect"]
                yield sentence(words.STEEPER["share"], lang, **said, here=here, there=there, p=row.p_value)
            else:
                bounds = sorted((abs(row.low), abs(row.high)))
                gap = {"gap": abs(row.estimate), "low": bounds[0], "high": bounds[1]}
                yield sentence(words.STEEPER["points"], lang, **said, **gap, p=row.p_value)
        yield from self._about_places(lang)

    def _about_places(self, lang: str) -> Iterator[Sentence]:
        """Whether the thresholds of groups lie at different places."""
        table = self.threshold_differences
        if table.empty:
            return
        found = table[table["p_value"] < 1 - self.level]
        for row in _records(found):
            codes = (getattr(row, str(self.key)), row.other)
            higher, lower = codes if row.estimate > 0 else codes[::-1]
            low, high = sorted((abs(row.low), abs(row.high)))
            yield sentence(
                words.HIGHER, lang, higher=self.label(higher, lang, self.key), lower=self.label(lower, lang, self.key),
                gap=abs(row.estimate), low=low, high=high, p=row.p_value,
            )  # fmt: skip
        if found.empty and len(table) == 1:
            row = next(_records(table))
            one, other = (self.label(c, lang, self.key) for c in (getattr(row, str(self.key)), row.other))
            yield sentence(
                words.ONE_PLACE, lang, one=one, other=other, gap=row.estimate, low=row.low, high=row.high, p=row.p_value
            )
        elif found.empty:
            yield sentence(words.SAME_PLACE, lang, p=self.equal_thresholds)


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def link_notes(
    threshold: pd.DataFrame, differences: pd.DataFrame, equal: tuple[float, float, float], binary: bool,
    unusual: tuple[bool, bool, bool],
) -> tuple[Note, ...]:  # fmt: skip
    """Assumptions and judgements: log-odds, families, open intervals, bins, a scale not declared, a ceiling.

    Parameters
    ----------
    threshold, differences : DataFrame
        Thresholds of groups, and theirs against each other.
    equal : tuple of float
        p-values of equal slopes, thresholds, zones.
    binary : bool
    unusual : tuple of bool
        Bins, no scale, a ceiling.
    """
    binned, no_scale, ceiling = unusual
    slopes, places, zones = equal
    many, few = int(threshold["p_value"].notna().sum()), int(threshold["p_value"].isna().sum())
    opened = int((threshold["low_open"] | threshold["high_open"]).sum())
    ajar = int((differences["low_open"] | differences["high_open"]).sum()) if len(differences) else 0
    notes = [
        (binary, Note(words.LOGIT)), (many > 1, Note(words.HOLM, many=many)), (np.isfinite(slopes), Note(words.EQUAL, p=slopes)),
        (np.isfinite(places), Note(words.EQUAL_PLACES, p=places, many=len(differences))), (ajar > 0, Note(words.AJAR, ajar=ajar)),
        (np.isfinite(zones), Note(words.EQUAL_ZONES, p=zones)), (few > 0 and len(threshold) > 1, Note(words.FEW, few=few)),
        (opened > 0, Note(words.OPEN, opened=opened)), (binned, Note(words.BINNED)), (no_scale, Note(words.NO_SCALE)),
        (ceiling, Note(words.CEILING)), (True, Note(words.NOT_CAUSE)),
    ]  # fmt: skip
    return tuple(note for said, note in notes if said)
