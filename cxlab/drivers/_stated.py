"""Stated importance against the derived one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import ranks
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._scenario import Block
from cxlab.errors import SurveyError, nearest
from cxlab.metrics import names as wordings
from cxlab.result import Base, Result
from cxlab.survey import Survey
from cxlab.words import Sentences, language, sentence

FloatArray = np.ndarray[Any, np.dtype[Any]]
SAID_MORE, SHOWN_MORE, ALIKE = "stated higher", "derived higher", "no clear difference"
_AGREE = {
    "en": "Stated and derived importance of {count} topics agree at Kendall's τ = {tau:.2f} ({level} interval {low:.2f} to {high:.2f}).",
    "zh": "{count} 个方面的自述重要性与推导重要性的一致程度：Kendall τ = {tau:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}）。",
}
_MORE = {
    SAID_MORE: {
        "en": "Said to matter more than it shows: {topics}.",
        "zh": "自述重要性排名高于推导排名：{topics}。",
    },
    SHOWN_MORE: {
        "en": "Matters more than people say: {topics}.",
        "zh": "推导重要性排名高于自述排名：{topics}。",
    },
}


@dataclass(frozen=True, eq=False)
class StatedResult(Result):
    """Ranks of what people say matters beside ranks of what goes with the outcome.

    Attributes
    ----------
    tau, tau_low, tau_high : float
        Kendall's τ_b of both with a percentile interval over replicates.
    """

    tau: float = float("nan")
    tau_low: float = float("nan")
    tau_high: float = float("nan")

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say how far both agree, and where they clearly do not."""
        lang = language(lang)
        said = [
            sentence(
                _AGREE,
                lang,
                count=len(self.table),
                tau=self.tau,
                low=self.tau_low,
                high=self.tau_high,
                level=self.said_level,
            )
        ]
        for kind, template in _MORE.items():
            rows = self.table[self.table["disagreement"] == kind]
            if len(rows):
                topics = (", " if lang == "en" else "、").join(self.label(i, lang) for i in rows["item"])
                said.append(sentence(template, lang, topics=topics))
        return Sentences(said)


def check_stated(survey: Survey, stated: Mapping[str, str | Sequence[str]] | None, drivers: Sequence[str]) -> None:
    """Refuse names that are not there, and fewer than three topics."""
    if stated is None:
        return
    survey.require("stated", stated)
    named = [d for of in stated.values() for d in _list(of)]
    absent = [d for d in named if d not in drivers]
    if absent:
        listed = ", ".join(f"{d!r}{nearest(d, drivers)}" for d in absent)
        raise SurveyError(f"stated names {len(absent)} of {len(named)} drivers that are not in the model: {listed}.")
    twice = sorted({d for d in named if named.count(d) > 1})
    if twice:
        raise SurveyError(
            f"stated names {len(twice)} of {len(named)} drivers under more than one item: {', '.join(map(repr, twice))}."
        )
    if len(stated) < 3:
        raise SurveyError(f"stated has {len(stated)} item{'s' * (len(stated) != 1)}; an order needs at least 3.")


def stated_against_derived(
    survey: Survey,
    prepared: Prepared,
    stated: Mapping[str, str | Sequence[str]],
    share: FloatArray,
    how: tuple[Sequence[Block], float],
) -> StatedResult:
    """Compare the orders under every set of weights.

    Parameters
    ----------
    survey : Survey
    prepared : Prepared
    stated : mapping of item to driver or drivers
    share : array, shape (sets, p)
        Importance shares of the prepared drivers, the sample's own weights first.
    how : (blocks, level)
        Sets of weights in the same order.
    """
    blocks, level = how
    items = list(stated)
    answers = np.column_stack([survey.values(i) for i in items])[prepared.rows]
    weight = np.isfinite(answers) * prepared.weights[:, None]
    means = np.concatenate([
        np.column_stack([
            (m @ np.bincount(piece, np.nan_to_num(a) * w, m.shape[1])) / (m @ np.bincount(piece, w, m.shape[1]))
            for a, w in zip(answers.T, weight.T, strict=True)
        ])
        for m, piece in ((m.astype(float, copy=False), piece) for m, piece in blocks)
    ])  # fmt: skip
    derived = np.column_stack(
        [share[:, [prepared.drivers.index(d) for d in _list(of)]].sum(axis=1) for of in stated.values()]
    )
    said, shown = ranks(means), ranks(derived)
    higher = ((said[1:] < shown[1:]) + 0.5 * (said[1:] == shown[1:])).mean(axis=0)
    tau = np.array([stats.kendalltau(a, b).statistic for a, b in zip(means, derived, strict=True)])
    low, high = np.nanquantile(tau[1:], [(1 - level) / 2, (1 + level) / 2])
    table = pd.DataFrame({
        "item": items, "stated": means[0], "stated_rank": said[0], "derived": derived[0], "derived_rank": shown[0], "stated_higher": higher,
        "disagreement": np.select([higher >= level, higher <= 1 - level], [SAID_MORE, SHOWN_MORE], ALIKE),
    })  # fmt: skip
    labels = {**HEADINGS_STATED, **{i: wordings(survey, i) for i in items}}
    return StatedResult(
        table.sort_values("derived_rank", ignore_index=True), Base(len(prepared.rows)), (), labels, "", _TITLE,
        {"derived": ".0%", "stated": ".1f", "stated_higher": ".0%"}, level, tau=float(tau[0]), tau_low=float(low), tau_high=float(high),
    )  # fmt: skip


def _list(of: str | Sequence[str]) -> list[str]:
    return [of] if isinstance(of, str) else list(of)


_TITLE = {"en": "Stated and derived importance", "zh": "自述重要性与推导重要性"}
HEADINGS_STATED: Mapping[Any, Mapping[str, str]] = {
    "stated": {"en": "Stated (mean)", "zh": "自述重要性（均值）"},
    "stated_rank": {"en": "Rank stated", "zh": "自述排名"},
    "derived": {"en": "Derived (share)", "zh": "推导重要性（占比）"},
    "derived_rank": {"en": "Rank derived", "zh": "推导排名"},
    "stated_higher": {"en": "Stated higher in replicates", "zh": "重抽样中自述更高"},
    "disagreement": {"en": "Disagreement", "zh": "差异"},
    ("disagreement", SAID_MORE): {"en": SAID_MORE, "zh": "自述更高"},
    ("disagreement", SHOWN_MORE): {"en": SHOWN_MORE, "zh": "推导更高"},
    ("disagreement", ALIKE): {"en": ALIKE, "zh": "无明显差异"},
}
