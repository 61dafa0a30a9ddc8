"""What the register of claims says: its table, its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from cxlab.claim_register._finding import CONTRADICTED, SUPPORTED, UNDECIDED, UNTESTABLE, status_of
from cxlab.claim_register._register import REGISTER
from cxlab.result import Result
from cxlab.words import Figure, Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Unit(NamedTuple):
    """How numbers of a claim are printed: specification, what follows in either language, the name of the unit."""

    spec: str
    after: Mapping[str, str]
    words: Mapping[str, str]


_NOTHING = {"en": "", "zh": ""}
UNITS: Mapping[str, Unit] = {
    "percent": Unit(".1f", {"en": "%", "zh": "%"}, {"en": "per cent", "zh": "%"}),
    "share": Unit(".1%", _NOTHING, {"en": "share", "zh": "比例"}),
    "points": Unit("pp", {"en": " pp", "zh": " 个百分点"}, {"en": "percentage points", "zh": "百分点"}),
    "rating": Unit("+.2f", _NOTHING, {"en": "scale points", "zh": "量表分"}),
    "ratio": Unit(".2f", _NOTHING, {"en": "ratio", "zh": "比值"}),
    "money": Unit("+,.0f", _NOTHING, {"en": "money", "zh": "金额"}),
    "correlation": Unit(".2f", _NOTHING, {"en": "correlation", "zh": "相关系数"}),
}
NUMBERS = ("estimate", "low", "high", "claimed_low", "claimed_high")


@dataclass(frozen=True, eq=False)
class ClaimsResult(Result):
    """Claims with their verdicts.

    Attributes
    ----------
    untestable : DataFrame
        ``claim, [segment], reason_en, reason_zh, study_en, study_zh``: why there is no verdict, and the study that would give one.
    acceptance : DataFrame
        Of the premium: ``[segment], offer, estimate`` (share that accepts), ``se, low, high, monotone, base, base_effective,
        reliability``.
    check : DataFrame
        Of the premium: ``[segment], estimate`` (the median of the table), ``median_least, median_most`` (offers that
        significantly more, and significantly fewer, than half accept), ``mean_least, mean_least_low, mean_least_high,
        mean_most`` (bounds of the mean that assume no curve), ``base, base_effective, reliability``.
    """

    untestable: pd.DataFrame = field(default_factory=pd.DataFrame)
    acceptance: pd.DataFrame = field(default_factory=pd.DataFrame)
    check: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def keys(self) -> list[str]:
        """Columns of the groups."""
        return [str(c) for c in self.table if str(c).startswith(("segment", "wave"))]

    def masked(self, column: str) -> np.ndarray:
        """Hides what was found on a base too small, not what is claimed."""
        if column.startswith("claimed"):
            return np.zeros(len(self.table), bool)
        return super().masked(column)

    def unit(self, value: Any, spec: str) -> str:
        """What follows a number in a cell; nothing after an open end."""
        return "" if isinstance(value, float) and np.isinf(value) else super().unit(value, spec)

    def specs(self, column: str) -> list[str]:
        """Format of every cell; numbers in the unit of their claim."""
        if column not in (*NUMBERS, "se"):
            return super().specs(column)
        found = [_finer(UNITS[row.unit].spec, decimals_more(row)) for row in _records(self.table)]
        return [s.replace("+", "").replace("pp", "pt") for s in found] if column == "se" else found

    def further(self) -> Mapping[str, Result]:
        """Claims without a verdict; acceptance by offer and the check of the premium."""
        parts: dict[str, tuple[pd.DataFrame, Mapping[Any, str]]] = {
            "acceptance": (self.acceptance, dict.fromkeys(("estimate", "low", "high", "monotone"), ".0%") | {"offer": "g", "se": ".3f"}),
            "check": (self.check, dict.fromkeys(("estimate", "median_least", "median_most", "mean_least", "mean_least_low", "mean_least_high", "mean_most"), ".1f")),
        }  # fmt: skip
        out: dict[str, Result] = {}
        if len(self.untestable):
            table = self.untestable[["claim", *self.keys]].assign(
                reason=self.untestable["reason_en"], study=self.untestable["study_en"]
            )
            told = {
                (what, row[f"{what}_en"]): {"en": row[f"{what}_en"], "zh": row[f"{what}_zh"]}
                for row in self.untestable.to_dict("records")
                for what in ("reason", "study")
            }
            out["untestable"] = Result(table, self.base, (), {**self.labels, **told}, self.call, TITLES["untestable"])
        return out | {
            name: Result(
                table, self.base, (), {**self.labels, **_OF_PREMIUM}, self.call, TITLES[name], formats, self.level
            )
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw every claim on its own scale: the interval, the claimed range as a band, the verdict as colour."""
        from cxlab.claim_register._draw import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """One sentence per claim and group: what was found, and what follows for the claim; or why nothing can be said."""
        lang = language(lang)
        return Sentences([*self._verdicts(lang), *self._gaps(lang)])

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: how many claims hold, do not, or stay open."""
        counts = self.table["status"].value_counts().drop(UNTESTABLE, errors="ignore")
        facts = {name: int(counts.get(name, 0)) for name in (SUPPORTED, CONTRADICTED)}
        return sentence(_HEADLINE, lang, tested=int(counts.sum()), open=int(counts.get(UNDECIDED, 0)), **facts)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(_METHODS, lang, level=self.said_level).text

    def figure(self, row: Any, column: str, lang: str, plain: bool = False) -> Figure:
        """A number of a row as sentences and pictures print it; ``plain`` without a unit in words."""
        unit, value = UNITS[row.unit], getattr(row, column)
        after = "" if not np.isfinite(value) or (plain and unit.after[lang] != "%") else unit.after[lang]
        if not column.startswith("claimed"):
            return Figure(value, _finer(unit.spec, decimals_more(row)), after)
        if unit.spec == ".1%":
            return Figure(float(f"{100 * value:.10g}"), "g", "%")
        if value == 0:
            return Figure(0.0, "g", after)
        if unit.spec in (".1f", ".2f"):  # a claimed end is a round number: 13%, not 13.0%
            return Figure(value, "g", after)
        exact = (k for k in range(5) if np.isclose(round(value, _decimals(unit.spec) + k), value, rtol=1e-9, atol=0))
        return Figure(value, _finer(unit.spec, next(exact, 5)), after)

    def who(self, row: Any, lang: str, within: bool = True) -> str:
        """The group of a row: as the opening of a sentence, or by itself."""
        codes = [(k, getattr(row, k)) for k in self.keys]
        labels = [self.label(code, lang, key) for key, code in codes if code is not None and code == code]
        if not within:
            return " × ".join(labels)
        if not labels:
            return _ON_THESE_DATA[lang]
        return _AMONG[lang].format(" × ".join(labels))

    def _verdicts(self, lang: str) -> Iterator[Sentence]:
        for row in _records(self.table[self.table["status"] != UNTESTABLE]):
            says = REGISTER[row.claim].says
            kind = kind_of(row)
            template = {tongue: f"{says[tongue]}{_VERDICTS[kind][tongue]}" for tongue in ("en", "zh")}
            short = ("low", "high", "claimed_low") if np.isfinite(row.claimed_high) else ("low", "high")
            facts = {c: self.figure(row, c, lang, plain=c in short) for c in NUMBERS}
            yield sentence(template, lang, who=self.who(row, lang), **facts)

    def _gaps(self, lang: str) -> Iterator[Sentence]:
        for row in _records(self.untestable):
            yield sentence(
                _UNTESTABLE, lang, claim=self.label(row.claim, lang, "claim"), who=self._of(row, lang),
                reason=getattr(row, f"reason_{lang}"), study=getattr(row, f"study_{lang}"),
            )  # fmt: skip

    def _of(self, row: Any, lang: str) -> str:
        label = self.who(row, lang, within=False)
        return "" if not label else (f" ({label})" if lang == "en" else f"（{label}）")


def kind_of(row: Any) -> str:
    """Which verdict a row has: by the form of the claimed range, the status and the side."""
    if not np.isfinite(row.claimed_high):
        return f"{row.status}, more"
    if not np.isfinite(row.claimed_low):
        return f"{row.status}, less"
    if row.status == CONTRADICTED:
        return "below" if row.high < row.claimed_low else "above"
    return "within" if row.status == SUPPORTED else "undecided range"


def decimals_more(row: Any) -> int:
    """Further decimals without which the printed interval would have another verdict than the exact one (at most 3)."""
    if row.status == UNTESTABLE:
        return 0
    decimals, claimed = _decimals(UNITS[row.unit].spec), (row.claimed_low, row.claimed_high)
    fits = (
        k
        for k in range(4)
        if status_of(round(row.low, decimals + k), round(row.high, decimals + k), claimed) == row.status
    )
    return next(fits, 3)


def _decimals(spec: str) -> int:
    """Decimals of a number that a specification shows."""
    found = re.search(r"\d", spec)
    return (int(found[0]) if found else 1) + (2 if spec == "pp" or spec.endswith("%") else 0)


def _finer(spec: str, more: int) -> str:
    """A specification with further decimals."""
    if not more:
        return spec
    return f"{spec}{1 + more}" if spec == "pp" else re.sub(r"\d", lambda d: str(int(d[0]) + more), spec)


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def reason_words(kind: str, **facts: Any) -> Note:
    """Why a claim cannot be tested."""
    return Note(_REASONS[kind], **facts)


def claims_notes(
    table: pd.DataFrame, remarks: Mapping[str, tuple[Mapping[str, str], ...]], level: float
) -> tuple[Mapping[str, str], ...]:
    """What the tests that were made assume, and how verdicts are reached."""
    tested = table[table["status"] != UNTESTABLE]
    notes: list[Mapping[str, str]] = []
    if len(tested):
        notes.append(Note(_RULE, side=(1 - level) / 2, tests=len(tested)))
    names = list(dict.fromkeys(tested["claim"]))
    shared = Counter(REGISTER[name].assumes["en"] for name in names)
    for name in names:
        claim = REGISTER[name]
        if shared[claim.assumes["en"]] == 1:
            notes.append(Note(_ABOUT, claim=claim.words, said=Note(claim.assumes)))
        elif Note(claim.assumes) not in notes:
            notes.append(Note(claim.assumes))
        notes += [Note(_ABOUT, claim=claim.words, said=said) for said in remarks.get(name, ())]
    return tuple(notes)


_ON_THESE_DATA = {"en": "On these data, ", "zh": "本次数据显示，"}
_AMONG = {"en": "In the group “{}”, ", "zh": "在“{}”群体中，"}
_VERDICTS = {
    "within": {
        "en": ", within the claimed {claimed_low} to {claimed_high}.",
        "zh": "，落在所称的 {claimed_low} 至 {claimed_high} 之内。",
    },
    "below": {
        "en": ", below the claimed {claimed_low} to {claimed_high}.",
        "zh": "，低于所称的 {claimed_low} 至 {claimed_high}。",
    },
    "above": {
        "en": ", above the claimed {claimed_low} to {claimed_high}.",
        "zh": "，高于所称的 {claimed_low} 至 {claimed_high}。",
    },
    "undecided range": {
        "en": "; the claimed {claimed_low} to {claimed_high} is neither confirmed nor refuted.",
        "zh": "；对于所称的 {claimed_low} 至 {claimed_high}，既不能证实也不能否定。",
    },
    **{
        f"{status}, {side}": {
            "en": said["en"].format(f"{english} than {{{end}}}"), "zh": said["zh"].format(f"“{chinese} {{{end}}}”")
        }
        for side, english, chinese, end in (("more", "more", "高于", "claimed_low"), ("less", "less", "低于", "claimed_high"))
        for status, said in {
            SUPPORTED: {"en": ", which supports the claim of {}.", "zh": "，支持{}的说法。"},
            CONTRADICTED: {"en": ", which contradicts the claim of {}.", "zh": "，与{}的说法不符。"},
            UNDECIDED: {
                "en": "; the claim of {} is neither confirmed nor refuted.", "zh": "；对于{}的说法，既不能证实也不能否定。"
            },
        }.items()
    },
}  # fmt: skip
OTHER_RANGE = {
    "en": "tested against the range that was given, not the one of the source.",
    "zh": "按另行给定的范围检验，而非原文的范围。",
}
_UNTESTABLE = {
    "en": "“{claim}”{who} cannot be tested here: {reason}. It takes {study}.",
    "zh": "“{claim}”{who}在此无法检验：{reason}。检验所需：{study}。",
}
_REASONS = {
    "missing": {"en": "the data lack {needs}", "zh": "数据中缺少{needs}"},
    "refused": {"en": "the estimation was refused ({said})", "zh": "无法估计（{said}）"},
    "small": {"en": "the effective base is only {effective:.0f}", "zh": "有效样本量仅 {effective:.0f}"},
    "exact": {"en": "the data do not scatter, so that no error can be told", "zh": "数据没有离散，无法估计误差"},
}
_RULE = {
    "en": "A claim is supported if its interval lies within the claimed range, contradicted if outside: tests at {side:.2%} on each "
    "side. Claims tested one by one, without adjustment for their number: {tests}.",
    "zh": "区间完全落在所称范围内即为“支持”，完全在外即为“不支持”，相当于每侧以 {side:.2%} 的水平检验。共逐一检验 {tests} 项，"
    "未按检验次数校正。",
}
_ABOUT = {"en": "{claim}: {said}", "zh": "{claim}：{said}"}
_HEADLINE = {
    "en": "Of {tested} verdicts on claims, {supported} support the claim, {contradicted} contradict it and {open} stay open",
    "zh": "{tested} 项可检验的结论中，{supported} 项支持、{contradicted} 项不支持所称，{open} 项未定",
}
_METHODS = {
    "en": "Each claim was put as a range of one quantity and tested by two one-sided tests with design-based errors: supported if its "
    "{level} interval lies within the range, contradicted if outside. Correlations over units rest on Fisher's interval, the units "
    "taken as a sample. The premium is the median of a logit of acceptance on the "
    "surcharge offered, with Fieller's interval.",
    "zh": "将每种说法表述为某一数量的取值范围，并用基于抽样设计的标准误作双单侧检验：{level} 区间落在范围之内为支持，完全在外为不支持。"
    "单位间的相关系数采用 Fisher 区间，将各单位视为样本。溢价为接受率对加价比例的 logit 回归的中位数，区间采用 Fieller 法。",
}
TITLES = {
    "untestable": {"en": "Claims that these data cannot test", "zh": "本次数据无法检验的说法"},
    "acceptance": {"en": "Acceptance of the surcharge", "zh": "各加价比例的接受率"},
    "check": {"en": "Premium: check without a curve", "zh": "溢价的非参数核对"},
}
STATUS = {
    SUPPORTED: {"en": "supported", "zh": "支持"},
    CONTRADICTED: {"en": "contradicted", "zh": "不支持"},
    UNDECIDED: {"en": "not decided", "zh": "未定"},
    UNTESTABLE: {"en": "untestable here", "zh": "在此无法检验"},
}
HEADINGS: dict[Any, Mapping[str, str]] = {
    "claim": {"en": "Claim", "zh": "说法"}, "source": {"en": "Source", "zh": "来源"},
    "claimed_low": {"en": "Claimed from", "zh": "所称下限"}, "claimed_high": {"en": "Claimed to", "zh": "所称上限"},
    "status": {"en": "Verdict", "zh": "结论"}, "unit": {"en": "Unit", "zh": "单位"},
    "p_value": {"en": "p for", "zh": "支持的 p 值"}, "p_against": {"en": "p against", "zh": "否定的 p 值"},
    "reason": {"en": "Why not", "zh": "原因"}, "study": {"en": "What would test it", "zh": "可检验的研究"},
    **{("status", name): words for name, words in STATUS.items()},
    **{("unit", name): unit.words for name, unit in UNITS.items()},
}  # fmt: skip
_OF_PREMIUM: dict[Any, Mapping[str, str]] = {
    "offer": {"en": "Surcharge, per cent", "zh": "加价比例（%）"},
    "monotone": {"en": "Not rising", "zh": "单调化"},
    "median_least": {"en": "Median at least", "zh": "中位数下界"}, "median_most": {"en": "Median at most", "zh": "中位数上界"},
    "mean_least": {"en": "Mean at least", "zh": "均值下界"}, "mean_least_low": {"en": "Mean at least, low", "zh": "均值下界的下限"},
    "mean_least_high": {"en": "Mean at least, high", "zh": "均值下界的上限"}, "mean_most": {"en": "Mean at most", "zh": "均值上界"},
}  # fmt: skip
