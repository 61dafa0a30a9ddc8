"""What an importance map says: table, picture, words, and what goes on from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.layers import _ipma_words as words
from cxlab.layers._scenario import PathScenario, scenario
from cxlab.result import Labels, Result
from cxlab.words import Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._ipma_cells import Ground
    from cxlab.layers._what_if import PathWhatIfResult

_NAMED = 4  # others that are named in a sentence


@dataclass(frozen=True, eq=False)
class IpmaResult(Result):
    """Importance, performance and potential gain of what leads to a construct.

    Attributes
    ----------
    target : str
    items : bool
        Whether rows are indicators.
    constructs : DataFrame
        With indicators, the same columns for their constructs.
    ground : Ground
        Total effects, weights and means under every set of weights.
    replicates : int
    """

    target: str = ""
    items: bool = False
    constructs: pd.DataFrame = field(default_factory=pd.DataFrame)
    ground: Ground | None = field(default=None, repr=False)
    replicates: int = 0

    @cached_property
    def scenario(self) -> PathScenario:
        """The what-if kernel: arrays, made once, answering in a fraction of a millisecond."""
        if self.ground is None:
            raise _bare()
        return scenario(self.ground)

    def what_if(
        self,
        changes: Mapping[str, float],
        *,
        reach: float | Mapping[str, float] | None = None,
        cost: Mapping[str, float] | None = None,
    ) -> PathWhatIfResult:
        """How much higher would the indices be expected if ratings rose? See :meth:`cxlab.PathModelResult.what_if`; segments stay."""
        from cxlab.layers._what_if import expected

        if self.ground is None:
            raise _bare()
        return expected(self.ground, self.scenario, changes, (self.target,), reach=reach, cost=cost)

    @property
    def key(self) -> str | None:
        """Column that names the segment: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.table), None)

    def further(self) -> Mapping[str, Result]:
        """With indicators, their constructs."""
        if self.constructs.empty:
            return {}
        title = {"en": "Constructs", "zh": "构念"}
        return {
            "constructs": Result(
                self.constructs, self.base, (), self.labels, self.call, title, self.formats, self.level
            )
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw performance across and importance up, with intervals, lines of equal gain, and a panel per segment."""
        from cxlab.layers._draw_ipma import draw

        return draw(self, ax, language(lang))

    def name(self, row: Any, lang: str) -> str:
        """Wording of what a row is about."""
        return self.label(row.item if self.items else row.construct, lang)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Where the most room is, what comes next, what is to be kept up, what has no effect that can be shown."""
        lang = language(lang)
        shown = self.table[self.table["reliability"] != "suppressed"]
        if shown.empty:
            effective = float(self.table["base_effective"].max())
            return Sentences([sentence(words.NOTHING, lang, effective=effective, target=self.label(self.target, lang))])
        if self.key is None:
            return Sentences(self._about(list(shown.itertuples()), lang))
        return Sentences(
            self._of_segment(list(rows.itertuples()), code, lang) for code, rows in shown.groupby(self.key, sort=False)
        )

    def headline(self, lang: str | None = None) -> Sentence:
        """The finding as a title: where the most room is, and whether that is told apart from the rest."""
        lang = language(lang)
        target = self.label(self.target, lang)
        shown = self.table[self.table["reliability"] != "suppressed"]
        if shown.empty:
            return sentence(words.NOTHING, lang, effective=float(self.table["base_effective"].max()), target=target)
        if self.key is not None:
            return self._of_segments(shown, target, lang)
        rows: list[Any] = list(shown.itertuples())
        top, tied = rows[0], self._tied(rows)
        facts = {"name": self.name(top, lang), "gain": top.gain, "target": target}
        if not np.isfinite(top.gain_low):
            return sentence(words.TITLE_POINTS, lang, **facts)
        if not top.importance_low > 0:
            return sentence(words.TITLE_UNCLEAR, lang, target=target, name=facts["name"])
        return (
            sentence(words.TITLE_TIED, lang, **facts, count=len(tied))
            if tied
            else sentence(words.TITLE_TOP, lang, **facts)
        )

    def _of_segments(self, shown: pd.DataFrame, target: str, lang: str) -> Sentence:
        parts: list[tuple[Any, list[Any]]] = [
            (code, list(rows.itertuples())) for code, rows in shown.groupby(self.key, sort=False)
        ]
        apart = sum(
            not self._tied(rows) and rows[0].importance_low > 0 and not pd.isna(rows[0].rank_low) for _, rows in parts
        )
        names = [self.name(rows[0], lang) for _, rows in parts]
        facts = {"target": target, "count": len(parts), "apart": apart}
        if len(set(names)) == 1:
            return sentence(words.TITLE_SAME, lang, **facts, name=names[0])
        counts = Counter(names)
        listed = [
            f"{number(name, 'in')} ({count})" if lang == "en" else f"“{name}”（{count}）"
            for name, count in counts.most_common(2)
        ]
        more = " …" if len(counts) > len(listed) else ""
        return sentence(words.TITLE_APART, lang, **facts, listed=("、" if lang == "zh" else ", ").join(listed) + more)

    def _about(self, rows: list[Any], lang: str) -> Iterator[Sentence]:
        top, target = rows[0], self.label(self.target, lang)
        if not np.isfinite(top.gain_low):
            yield sentence(words.POINTS, lang, target=target, **self._facts(top, lang))
            return
        sure = [r for r in rows if r.importance_low > 0]
        tied = self._tied(rows)
        if top in sure:
            more = {"others": self._others(tied, lang)} if tied else {}
            yield sentence(
                words.TIED if tied else words.TOP,
                lang,
                target=target,
                **self._facts(top, lang),
                **self._ends(top),
                **more,
            )
        else:
            yield sentence(words.FIRST_UNCLEAR, lang, target=target, **self._facts(top, lang))
        for row in [r for r in sure if r is not top][:1]:
            yield sentence(words.NEXT, lang, **self._facts(row, lang))
        most = max(sure, key=lambda r: r.importance, default=top)
        if most is not top and most not in sure[1:2] and most in sure:
            yield sentence(words.HIGH, lang, **self._facts(most, lang))
        for template, some in ((words.UNCLEAR, [r for r in rows if r.importance_low <= 0 <= r.importance_high]),
                               (words.AGAINST, [r for r in rows if r.importance_high < 0])):  # fmt: skip
            if some:
                yield sentence(template, lang, target=target, names=self._listed(some, lang))

    def _of_segment(self, rows: list[Any], code: Any, lang: str) -> Sentence:
        top, tied = rows[0], self._tied(rows)
        facts = {
            "segment": self.label(code, lang, self.key),
            "target": self.label(self.target, lang),
            **self._facts(top, lang),
        }
        if not np.isfinite(top.gain_low):
            return sentence(words.SEGMENT_POINTS, lang, **facts)
        if not any(r.importance_low > 0 for r in rows):
            return sentence(words.SEGMENT_UNCLEAR, lang, segment=facts["segment"], target=facts["target"])
        if tied:
            return sentence(words.SEGMENT_TIED, lang, **facts, others=self._others(tied, lang))
        return sentence(words.SEGMENT, lang, **facts)

    def _tied(self, rows: list[Any]) -> list[Any]:
        """Rows whose gain may be the largest as well."""
        return [r for r in rows[1:] if not pd.isna(r.rank_low) and r.rank_low == 1]

    def _facts(self, row: Any, lang: str) -> dict[str, Any]:
        return {"name": self.name(row, lang), "points": 10 * row.importance, "performance": row.performance, "gain": row.gain,
                "low": row.gain_low, "high": row.gain_high}  # fmt: skip

    def _ends(self, row: Any) -> dict[str, Any]:
        return {"points_low": 10 * row.importance_low, "points_high": 10 * row.importance_high}

    def _listed(self, rows: list[Any], lang: str) -> str:
        return ("、" if lang == "zh" else ", ").join(number(self.name(r, lang), "in") for r in rows)

    def _others(self, rows: list[Any], lang: str) -> str:
        """The first of them by name, the rest counted."""
        named = rows if len(rows) <= _NAMED else rows[: _NAMED - 1]
        if lang == "zh":
            listed = "、".join(f"“{self.name(r, lang)}”" for r in named)
            return listed if len(named) == len(rows) else f"{listed}等 {len(rows)} 项"
        listed = self._listed(named, lang)
        return listed if len(named) == len(rows) else f"{listed} and {len(rows) - len(named)} more"

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        lang = language(lang)
        return sentence(
            words.METHODS, lang, target=self.label(self.target, lang), base=self.base.respondents, b=self.replicates
        ).text


def _bare() -> SurveyError:
    return SurveyError(
        "a what-if goes on from a result of cx.ipma or cx.path_model; this one holds no estimated model."
    )


HEADINGS: Labels = {
    "construct": {"en": "Construct", "zh": "构念"},
    "importance": {"en": "Importance (per +1 of 0–100)", "zh": "重要性（每 +1 分，0–100）"},
    "raw_point": {"en": "Per +1 answer point", "zh": "每 +1 原始分"},
    "raw_point_low": {"en": "Per answer point, low", "zh": "每原始分下限"},
    "raw_point_high": {"en": "Per answer point, high", "zh": "每原始分上限"},
    "performance": {"en": "Performance 0–100", "zh": "表现（0–100）"},
    "performance_low": {"en": "Performance low", "zh": "表现下限"},
    "performance_high": {"en": "Performance high", "zh": "表现上限"},
    "gain": {"en": "Potential gain", "zh": "潜在提升"},
    "gain_low": {"en": "Gain low", "zh": "提升下限"},
    "gain_high": {"en": "Gain high", "zh": "提升上限"},
}
_ENDS = ("", "_low", "_high")
FORMATS = {
    **{f"importance{e}": ".3f" for e in _ENDS}, **{f"raw_point{e}": "+.2f" for e in _ENDS}, **{f"performance{e}": ".1f" for e in _ENDS},
    **{f"gain{e}": "+.1f" for e in _ENDS}, "rank": ",.0f", "rank_low": ",.0f", "rank_high": ",.0f",
}  # fmt: skip
