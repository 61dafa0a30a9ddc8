"""What a what-if of a path model says: tables, picture, words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.layers import _ipma_words as words
from cxlab.result import Labels, Result
from cxlab.words import Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class PathWhatIfResult(Result):
    """Expected change of every index that a change of ratings reaches.

    Attributes
    ----------
    parts : DataFrame
        What each change brings to each target: ``[segment], source, target, change, unit`` (of an item in its own points, of a construct
        in points of 0–100), ``reach, effective_change`` (mean, in the same points, that the scale leaves room for), ``estimate, se, low, high,
        p_value``; with a cost ``cost`` and ``per_cost`` (points per unit of it); ``base, base_effective, reliability``.
    changes : mapping of item or construct to points
    targets : tuple of str
        Constructs at the end that the changes reach; ``asked`` are all.
    replicates : int
    """

    parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    changes: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    replicates: int = 0

    @property
    def key(self) -> str | None:
        """Column that names the segment: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.table), None)

    def further(self) -> Mapping[str, Result]:
        """What each change brings."""
        if self.parts.empty:
            return {}
        title = {"en": "What each change brings", "zh": "各项变动的贡献"}
        return {"parts": Result(self.parts, self.base, (), self.labels, self.call, title, self.formats, self.level)}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the change of every index, or of the first target in every segment."""
        from cxlab import charts

        lang = language(lang)
        table, name = self.table, "construct"
        title = self.headline(lang).text
        if self.key is not None:
            target = self.targets[0] if self.targets else str(table["construct"].iloc[-1])
            table, name = table[table["construct"] == target], self.key
        shown = table[["estimate", "low", "high"]].assign(label=[self.label(v, lang, name) for v in table[name]])
        shown.loc[(table["reliability"] == "suppressed").to_numpy(), ["estimate", "low", "high"]] = np.nan
        return charts.dots(shown, title=title, spec="+.1f", reference=0.0, ax=ax)

    def headline(self, lang: str | None = None) -> Sentence:
        """The finding as a title: what is expected of the first target, over the segments."""
        lang = language(lang)
        if not self.targets:
            return sentence(words.NO_EFFECT, lang, target=self.label(self.asked[0], lang))
        rows = self.table[(self.table["construct"] == self.targets[0]) & (self.table["reliability"] != "suppressed")]
        facts = {"target": self.label(self.targets[0], lang)}
        if rows.empty:
            return sentence(_PICTURE["hidden"], lang, **facts)
        if self.key is not None:
            return sentence(
                _PICTURE["segments"],
                lang,
                **facts,
                least=rows["estimate"].min(),
                most=rows["estimate"].max(),
                count=len(rows),
            )
        row = rows.iloc[0]
        facts |= {"gain": row["estimate"], "low": row["low"], "high": row["high"]}
        return sentence(_PICTURE["all" if np.isfinite(row["low"]) else "alone"], lang, **facts)

    def sentences(self, lang: str | None = None) -> Sentences:
        """What is expected at the end of the paths."""
        lang = language(lang)
        if not self.targets:
            return Sentences(sentence(words.NO_EFFECT, lang, target=self.label(t, lang)) for t in self.asked)
        rows = self.table[self.table["construct"].isin(self.targets) & (self.table["reliability"] != "suppressed")]
        said = [self._said(row, lang) for row in rows.itertuples()]
        if self.key is not None and said:
            said.insert(0, sentence(words.ASKED, lang, changes=self._changes(self.targets[0], lang)))
        return Sentences(said)

    def _said(self, row: Any, lang: str) -> Sentence:
        facts = {"target": self.label(row.construct, lang), "gain": row.estimate, "low": row.low, "high": row.high, "before": row.before,
                 "after": row.after, "level": self.said_level}  # fmt: skip
        if self.key is not None:
            template = words.OF_SEGMENT if np.isfinite(row.low) else words.OF_SEGMENT_ALONE
            return sentence(template, lang, segment=self.label(getattr(row, self.key), lang, self.key), **facts)
        changes = self._changes(str(row.construct), lang)
        return sentence(
            words.EXPECTED if np.isfinite(row.low) else words.EXPECTED_ALONE, lang, changes=changes, **facts
        )

    def _changes(self, target: str, lang: str) -> str:
        rows = self.parts[(self.parts["target"] == target) & (self.parts["change"] != 0)].drop_duplicates("source")
        said = []
        row: Any
        for row in rows.itertuples():
            facts = {"name": self.label(row.source, lang), "way": words.WAY[lang][row.change > 0], "points": abs(row.change),
                     "unit": words.UNIT[lang][abs(row.change) == 1]}  # fmt: skip
            index = row.unit == "index"
            if self.key is not None:  # the effective change is that of each segment
                said.append(sentence(words.CONSTRUCT_ASKED if index else words.ITEM_ASKED, lang, **facts).text)
                continue
            template = words.CONSTRUCT if index else words.ITEM
            said.append(sentence(template, lang, effective=row.effective_change, **facts).text)
        return (" and " if lang == "en" else "、").join(said)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return sentence(words.METHODS_WHAT_IF, lang, base=self.base.respondents, b=self.replicates).text


TITLE = {"en": "What if ratings changed: the indices expected", "zh": "情景推演：各指数的预期变化"}
_PICTURE = {
    "all": {
        "en": "{target:cap}: {gain:+.1f} points of 0–100 expected ({low:+.1f} to {high:+.1f})",
        "zh": "“{target}”预期变化 {gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}，0–100 分）",
    },
    "alone": {
        "en": "{target:cap}: {gain:+.1f} points of 0–100 expected (no intervals)",
        "zh": "“{target}”预期变化 {gain:+.1f} 分（0–100 分，未计算区间）",
    },
    "segments": {
        "en": "{target:cap}: {least:+.1f} to {most:+.1f} points of 0–100 expected over {count} groups",
        "zh": "“{target}”在 {count} 个群体中预期变化 {least:+.1f} 至 {most:+.1f} 分（0–100 分）",
    },
    "hidden": {"en": "{target:cap}: too few respondents", "zh": "“{target}”：样本不足"},
}
HEADINGS: Labels = {
    "construct": {"en": "Construct", "zh": "构念"}, "source": {"en": "Change of", "zh": "变动项"}, "target": {"en": "Target", "zh": "目标"},
    "change": {"en": "Change", "zh": "设定变动"}, "reach": {"en": "Reach", "zh": "覆盖率"}, "unit": {"en": "Points of", "zh": "单位"},
    "effective_change": {"en": "Effective change", "zh": "实际变动"}, "estimate": {"en": "Expected change", "zh": "预期变化"},
    "before": {"en": "Now", "zh": "现值"}, "after": {"en": "Expected", "zh": "预期值"}, "cost": {"en": "Cost", "zh": "花费"},
    "per_cost": {"en": "Points per unit of cost", "zh": "每单位花费的分数"}, ("unit", "index"): {"en": "0–100", "zh": "0–100"},
    ("unit", "answer"): {"en": "own scale", "zh": "原始量表"},
}  # fmt: skip
FORMATS = {
    "estimate": "+.2f", "low": "+.2f", "high": "+.2f", "se": ".3f", "before": ".1f", "after": ".1f", "change": "+g", "effective_change": "+.2f",
    "reach": ".0%", "cost": "g", "per_cost": "+.3f",
}  # fmt: skip
