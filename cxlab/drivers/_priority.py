"""Priority: what to mend first – importance times distance to the best possible answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlab.contrasts import ranks
from cxlab.drivers._layout import is_factor
from cxlab.drivers._result import DriverResult
from cxlab.drivers._scenario import better, check_survey, scale_ends
from cxlab.errors import SurveyError
from cxlab.result import Result
from cxlab.survey import Survey
from cxlab.words import Sentences, language, sentence

FIX_FIRST = {"en": "Fix first", "zh": "优先改进"}
_FIRST = {
    "en": "{driver:cap} promises most: it carries {share:.0%} of the explained differences and is rated {performance:.1f} of {top:.0f}; "
    "importance times room to improve puts it first in {first:.0%} of the resamples.",
    "zh": "最值得先改善的是“{driver}”：它占解释力的 {share:.0%}，平均得分 {performance:.1f}（满分 {top:.0f}）；按“重要性 × 提升空间”，它在 {first:.0%} 的重抽样中居首。",
}
_FIRST_LESS = {
    lang: text.replace(*old)
    for (lang, text), old in zip(
        _FIRST.items(),
        [("of {top:.0f}", "(best answer {top:g})"), ("（满分 {top:.0f}）", "（越低越好，最佳为 {top:g}）")],
        strict=True,
    )
}
_OPEN = {
    "en": "The data do not single out one thing to fix first; candidates: {drivers}.",
    "zh": "数据尚不足以确定唯一的优先改善项，候选为：{drivers}。",
}


@dataclass(frozen=True, eq=False)
class PriorityResult(Result):
    """Drivers ordered by importance × room for improvement."""

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the first thing to mend if it leads in at least 80 % of replicates, else the candidates."""
        lang = language(lang)
        if self.table.empty:
            return Sentences()
        top = self.table.iloc[0]
        if top["reliability"] == "suppressed":
            return Sentences()
        if top["top1"] >= 0.8:
            return Sentences([
                sentence(_FIRST if top["best"] > top["performance"] else _FIRST_LESS, lang, driver=self.label(top["driver"], lang), share=top["share"],
                         performance=top["performance"], top=top["best"], first=top["top1"])
            ])  # fmt: skip
        near = self.table[self.table["top1"] >= 0.05]
        listed = (", " if lang == "en" else "、").join(self.label(d, lang) for d in near["driver"])
        return Sentences([sentence(_OPEN, lang, drivers=listed)])


def first_to_fix(result: DriverResult, survey: Survey) -> PriorityResult:
    """Where does an improvement promise most: an important driver that is rated badly?

    Parameters
    ----------
    result : DriverResult
        From :func:`key_drivers`, with replicates.
    survey : Survey
        For the ends of the response scales.

    Returns
    -------
    PriorityResult
        Drivers above the null line of which a better rating goes with a better outcome: ``driver, priority`` (share ×
        deficit), ``share, performance, best`` (the best answer of the scale), ``deficit`` (part of the scale that is
        missing to the best answer, 0–1; the best answer is the lowest where less is better), ``rank, top1`` (share of
        replicates in which it comes first), ``reliability``.

    Raises
    ------
    SurveyError
        If the result has no replicates, or is one by segment.

    Notes
    -----
    Replicates carry the uncertainty of the importance; that of the mean rating is small beside it and left out.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame({"queue": rng.integers(0, 6, 300), "doctor": rng.integers(5, 11, 300)})
    >>> df["satisfaction"] = df["queue"] + df["doctor"] + rng.normal(size=300)
    >>> survey = cx.Survey.from_frame(df)
    >>> result = cx.key_drivers(survey, "satisfaction", ["queue", "doctor"], replicates=200)
    >>> first_to_fix(result, survey).table["driver"].tolist()
    ['queue', 'doctor']
    """
    if not isinstance(result, DriverResult):
        raise SurveyError(
            f"result is a {type(result).__name__}; pass what key_drivers returns without by=, one segment at a time (survey.where)."
        )
    check_survey("first_to_fix", survey)
    if result.replicates.empty:
        raise SurveyError("result has no replicates; run key_drivers with replicates=1000.")
    columns = ["driver", "share", "performance", "estimate", "distinguishable", "reliability"]
    table = result.table.loc[[not is_factor(d) for d in result.table["driver"]], columns].reset_index(drop=True)
    low, high = scale_ends(survey, table["driver"].tolist()).T
    up = np.array([survey.higher_is_better(d) for d in table["driver"]], dtype=bool)
    table["best"] = np.where(up, high, low)
    missed = np.where(up, high - table["performance"], table["performance"] - low)
    table["deficit"] = np.clip(missed / (high - low), 0, 1)
    helps = better(survey, result.outcome) * np.where(up, 1, -1) * table["estimate"] > 0
    table = table[table["distinguishable"] & helps].reset_index(drop=True)
    draws = result.replicates[table["driver"].tolist()].to_numpy() * table["deficit"].to_numpy()
    table["priority"] = table["share"] * table["deficit"]
    table["rank"] = ranks(table["priority"].to_numpy())
    table["top1"] = (ranks(draws) == 1).mean(axis=0) if len(table) else pd.Series(dtype=float)
    order = ["driver", "priority", "share", "performance", "best", "deficit", "rank", "top1", "reliability"]
    return PriorityResult(
        table.sort_values("rank", ignore_index=True)[order], result.base, result.notes, {**_HEADINGS, **result.labels},
        f"cx.first_to_fix({result.call.split('  #')[0]}, survey)",
        {"en": "What to fix first", "zh": "优先改善项"},
        {"performance": ".1f", "best": "g", "deficit": ".0%", "priority": ".3f"},
    )  # fmt: skip


_HEADINGS = {
    "priority": {"en": "Priority", "zh": "优先度"},
    "best": {"en": "Best answer", "zh": "最佳分"},
    "deficit": {"en": "Room to improve", "zh": "提升空间"},
}
