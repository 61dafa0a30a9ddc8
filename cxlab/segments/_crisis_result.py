"""The result of a crisis scan: table, lines of the segments beside the total, sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.metrics import SIGNED, SPECS, Score, metric_formats
from cxlab.result import Result
from cxlab.segments._crisis_table import TOTAL
from cxlab.words import LANGUAGES, Figure, Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADINGS: dict[Any, Mapping[str, str]] = {
    "kind": {"en": "Kind", "zh": "类型"},
    ("kind", "level"): {"en": "level", "zh": "水平差距"},
    ("kind", "trend"): {"en": "trend", "zh": "趋势背离"},
    "value": {"en": "Segment", "zh": "该群体"},
    "rest": {"en": "All others", "zh": "其他顾客"},
    "estimate": {"en": "Against the rest", "zh": "与其他顾客之差"},
    "p_value": {"en": "p (BH)", "zh": "p 值（BH）"},
    "p_holm": {"en": "p (Holm)", "zh": "p 值（Holm）"},
    "p_raw": {"en": "p (raw)", "zh": "p 值（未校正）"},
    "pooled": {"en": "Pooled", "zh": "收缩估计"},
    "pooled_low": {"en": "Pooled low", "zh": "收缩估计下限"},
    "pooled_high": {"en": "Pooled high", "zh": "收缩估计上限"},
    "before": {"en": "Gap before", "zh": "前期差距"},
    "after": {"en": "Gap after", "zh": "后期差距"},
    "total": {"en": "Total moved", "zh": "总体变动"},
    "total_low": {"en": "Total low (90%)", "zh": "总体下限（90%）"},
    "total_high": {"en": "Total high (90%)", "zh": "总体上限（90%）"},
    "delta": {"en": "Tolerance δ", "zh": "容差 δ"},
    "flat": {"en": "Total flat", "zh": "总体平稳"},
    "negative": {"en": "Worse", "zh": "偏差"},
    "hidden": {"en": "Hidden", "zh": "被掩盖"},
    "role": {"en": "Role", "zh": "性质"},
    ("role", "cause"): {"en": "cause", "zh": "原因"},
    ("role", "consequence"): {"en": "consequence", "zh": "后果"},
    "cause": {"en": "Follows from", "zh": "源于"},
    "masking": {"en": "Masking", "zh": "掩盖程度"},
    "detectable": {"en": "Smallest gap visible", "zh": "可识别的最小差距"},
    ("segment", TOTAL): {"en": "Total", "zh": "总体"},
}
_ON_SCALE = ("value", "rest")
_AS_CHANGE = ("estimate", "low", "high", "pooled", "pooled_low", "pooled_high", "before", "after", "total", "total_low",
              "total_high")  # fmt: skip
_FOUND = {
    "level": {
        "en": "{segment:cap}: {item:in} is {gap} {way} all others ({level} {low} to {high}, Holm {p:p}); the total moved by {total} "
        "(90% {total_low} to {total_high}, inside ±{delta}) and hides {masking:.0%} of it.",
        "zh": "{segment}：“{item}”比其他顾客{way} {gap}（{level} 区间 {low} 至 {high}，Holm 校正 {p:p}）；而总体仅变动 {total}"
        "（90% 区间 {total_low} 至 {total_high}，在 ±{delta} 以内），差距的 {masking:.0%} 被总体掩盖。",
    },
    "pull": {
        "en": "{segment:cap}: {item:in} is {gap} {way} all others ({level} {low} to {high}, Holm {p:p}); it moves the total by {total} only "
        "(90% {total_low} to {total_high}, inside ±{delta}), which hides {masking:.0%} of it.",
        "zh": "{segment}：“{item}”比其他顾客{way} {gap}（{level} 区间 {low} 至 {high}，Holm 校正 {p:p}）；但对总体的影响仅 {total}"
        "（90% 区间 {total_low} 至 {total_high}，在 ±{delta} 以内），差距的 {masking:.0%} 被总体掩盖。",
    },
    "trend": {
        "en": "{segment:cap}: {item:in} moved by {value} between {before} and {after}, that of all others by {rest}: {gap} apart ({level} {low} to "
        "{high}, Holm {p:p}); the total moved by {total} (90% {total_low} to {total_high}, inside ±{delta}) and hides {masking:.0%} of it.",
        "zh": "{segment}：从 {before} 到 {after}，“{item}”变动 {value}，其他顾客变动 {rest}，两者拉开 {gap}（{level} 区间 {low} 至 {high}，"
        "Holm 校正 {p:p}）；而总体仅变动 {total}（90% 区间 {total_low} 至 {total_high}，在 ±{delta} 以内），其变动的 {masking:.0%} 被总体掩盖。",
    },
}
_WAY = {"en": {True: "above", False: "below"}, "zh": {True: "高", False: "低"}}
_FOLLOWS = {
    "en": "Consequences for {segment} of {causes}: {items}.",
    "zh": "{segment}因{causes}而出现的后果：{items}。",
}
_TREND = {"en": "the trend of {item}", "zh": "{item}的趋势"}
_RISK = {
    "en": "{segment:cap}: {customers:.0%} of the customers ({level} {low:.0%} to {high:.0%}) are at risk.",
    "zh": "{segment}：面临风险的顾客占 {customers:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}）。",
}
_MONEY = {
    "en": "{segment:cap}: {customers:.0%} of the customers and {revenue:.0%} of the revenue ({level} {low:.0%} to {high:.0%}) are at risk.",
    "zh": "{segment}：面临风险的顾客占 {customers:.0%}，收入占 {revenue:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}）。",
}
_RISK_KNOWN = {
    "en": "{segment:cap}: {customers:.0%} of the customers are at risk.",
    "zh": "{segment}：面临风险的顾客占 {customers:.0%}。",
}
_MONEY_KNOWN = {
    "en": "{segment:cap}: {customers:.0%} of the customers and {revenue:.0%} of the revenue are at risk.",
    "zh": "{segment}：面临风险的顾客占 {customers:.0%}，收入占 {revenue:.0%}。",
}
_WEAKER = {
    "en": "Signals that hold at a false-discovery rate of {alpha:.0%}, but not by Holm: {items}.",
    "zh": "在 {alpha:.0%} 的错误发现率下成立、但未通过 Holm 校正的信号：{items}。",
}
_NONE = {
    "en": "No hidden crisis among {tests:,} segment × item facts: none is negative against the rest, significant, and behind a flat total. "
    "On half of them this base would have shown a gap of {size:.1f} × δ or less (single test, 80% power).",
    "zh": "在 {tests:,} 项“群体 × 题目”检查中未发现被掩盖的危机：没有一项既显著差于其他顾客、总体又保持平稳。以本次样本量，"
    "其中一半的检查能识别 {size:.1f} 倍 δ 以内的差距（单项检验，检验效能 80%）。",
}
_NOT_FLAT = {
    "en": "The total is not shown to be flat for {count} of {items} items, so nothing can be hidden behind them: {names}.",
    "zh": "{items} 个题目中有 {count} 个的总体不能判定为平稳，谈不上被总体掩盖：{names}。",
}


@dataclass(frozen=True, eq=False)
class CrisisResult(Result):
    """Segment × item facts with what the total shows of them.

    Attributes
    ----------
    split : DataFrame
        The total's difference between the periods, divided: ``item, segment, share_before, share_after, within, within_se, within_low,
        within_high, mix, mix_se, mix_low, mix_high``; within and mix of all segments sum to the difference of the total's means in
        the two periods.
    at_risk : DataFrame
        ``segment, customers, customers_low, customers_high`` and, with revenue, ``revenue, revenue_low, revenue_high``;
        shares 0–1 of everybody analysed.
    consequences : DataFrame
        One row per consequence and cause: ``segment, item, kind, estimate, low, high, p_value, p_holm, cause,
        cause_kind``.
    waves_of : mapping of hidden item to function
        Makes the item's part of ``by_wave``; empty without waves.
    prior : DataFrame
        ``kind, facts, variance, sd`` of the prior that the effects are drawn to, in units of δ² and δ.
    kinds : mapping of item to kind of metric
    periods : mapping of ``before`` and ``after`` to their wording
    """

    split: pd.DataFrame = field(default_factory=pd.DataFrame)
    at_risk: pd.DataFrame = field(default_factory=pd.DataFrame)
    consequences: pd.DataFrame = field(default_factory=pd.DataFrame)
    waves_of: Mapping[str, Callable[[], pd.DataFrame]] = field(default_factory=dict)
    prior: pd.DataFrame = field(default_factory=pd.DataFrame)
    kinds: Mapping[str, str] = field(default_factory=dict)
    periods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def by_wave(self) -> pd.DataFrame:
        """Hidden items by segment and wave, total included; empty where nothing is hidden.

        Columns ``item, segment, wave, estimate, low, high, base, base_effective, reliability, gap, gap_p`` (Holm over segments
        and waves of the item). It is computed when it is first asked for.
        """
        return pd.concat([f() for f in self.waves_of.values()], ignore_index=True) if self.waves_of else pd.DataFrame()

    @property
    def hidden(self) -> pd.DataFrame:
        """Rows of the table that are hidden: causes first, then consequences."""
        return self.table[self.table["hidden"]].reset_index(drop=True)

    @property
    def causes(self) -> pd.DataFrame:
        """Hidden facts that follow from no other."""
        return self.table[self.table["role"] == "cause"].reset_index(drop=True)

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, item: str | None = None) -> Axes:
        """Draw a hidden item over the waves, segments and total; any other item, or without waves, its gaps to the rest.

        The most certain cause is drawn by default.
        """
        from cxlab.charts import dots, lines
        from cxlab.errors import one_of

        lang = language(lang)
        item = self.table["item"].iloc[0] if item is None else item
        if item not in set(self.table["item"]):
            raise one_of("item", item, dict.fromkeys(self.table["item"]))
        title = self.label(item, lang)
        if item in self.waves_of:
            drawn = self.waves_of[item]()
            drawn = drawn[drawn["reliability"] != "suppressed"]
            drawn = drawn.assign(wave=[self.label(w, lang, "wave") for w in drawn["wave"]])
            whole = drawn["segment"] == TOTAL
            parts = drawn[~whole].assign(segment=[self.label(s, lang, "segment") for s in drawn["segment"][~whole]])
            ax = lines(parts, title=title, lang=lang, ax=ax)
            places = {w: k for k, w in enumerate(dict.fromkeys(parts["wave"]))}
            return _add_total(ax, drawn[whole], places, self.label(TOTAL, lang, "segment"))
        rows = self.table[(self.table["item"] == item) & (self.table["kind"] == "level")]
        rows = rows.assign(label=[self.label(s, lang, "segment") for s in rows["segment"]])
        rows.loc[rows["reliability"] == "suppressed", ["estimate", "low", "high"]] = np.nan
        colours = [theme.BAD if bad else theme.GOOD for bad in rows["hidden"]]
        spec = SIGNED[self.kinds[item]].replace("pp", "+.3f")
        ax = dots(rows, title=title, spec=spec, reference=0, colours=colours, ax=ax)
        ax.set_xlabel(self._heading("estimate", lang))
        return ax

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say every cause that holds by Holm, what follows from it, and what is at risk; or that there is none."""
        lang, alpha = language(lang), 1 - self.level
        causes = self.causes
        sure = causes[causes["p_holm"] < alpha]
        said: list[Sentence] = []
        for segment in dict.fromkeys(sure["segment"]):
            said += [self._found(r, lang) for r in sure[sure["segment"] == segment].itertuples(index=False)]
            said += self._aftermath(segment, lang)
        weaker = causes[causes["p_holm"] >= alpha]
        if len(weaker):
            said.append(sentence(_WEAKER, lang, alpha=alpha, items=self._listed(weaker, lang)))
        if not len(causes):
            tested = self.table["p_raw"].notna()
            size = float((self.table["detectable"] / self.table["delta"])[tested].median())
            said.append(sentence(_NONE, lang, tests=int(tested.sum()), size=size))
        return Sentences([*said, *self._not_flat(lang)])

    def _found(self, fact: Any, lang: str) -> Sentence:
        kind = self.kinds[fact.item]
        unit = {"en": " points", "zh": " 个百分点"}[lang] if kind == "share" else ""

        def figure(value: float) -> Figure:
            return Figure(value, SIGNED[kind], unit)

        apart = {"en": unit or " points", "zh": unit or " 分"}[lang]
        least, most = sorted((abs(fact.low), abs(fact.high)))
        sizes = {"gap": abs(fact.estimate), "low": least, "high": most}
        figures: dict[str, Any] = {
            k: Figure(v * (100 if kind == "share" else 1), ".1f" if kind == "share" else SPECS[kind].replace("+", ""),
                      apart if k == "gap" else "")
            for k, v in sizes.items()
        }  # fmt: skip
        figures |= {k: figure(getattr(fact, k)) for k in ("total", "total_low", "total_high")}
        template = _FOUND[fact.kind if self.periods or fact.kind == "trend" else "pull"]
        periods = {k: self.text(v, lang) for k, v in self.periods.items()}
        return sentence(
            template, lang, segment=self.label(fact.segment, lang, "segment"), item=self.label(fact.item, lang),
            way=_WAY[lang][fact.estimate > 0], value=figure(fact.value), rest=figure(fact.rest), level=self.said_level,
            p=fact.p_holm, delta=Figure(fact.delta * (100 if kind == "share" else 1), ".3g", unit), masking=fact.masking,
            **figures, **periods,
        )  # fmt: skip

    def _aftermath(self, segment: Any, lang: str) -> list[Sentence]:
        """Consequences and stakes of a segment in crisis."""
        name, said = self.label(segment, lang, "segment"), []
        for causes, rows in self.consequences_of(segment):
            said.append(sentence(_FOLLOWS, lang, segment=name, causes=self._listed_causes(causes, lang),
                                 items=self._listed(rows, lang, named=False)))  # fmt: skip
        stake = self.at_risk[self.at_risk["segment"] == segment].iloc[0]
        column = "revenue" if "revenue" in stake else "customers"
        low, high = stake[f"{column}_low"], stake[f"{column}_high"]
        known = number(low, ".0%") == number(high, ".0%")  # weights raked to the segment leave nothing to estimate
        templates = (_MONEY_KNOWN if known else _MONEY) if column == "revenue" else (_RISK_KNOWN if known else _RISK)
        facts = {"low": low, "high": high, "revenue": stake.get("revenue"), "level": self.said_level}
        said.append(sentence(templates, lang, segment=name, customers=stake["customers"], **facts))
        return said

    def consequences_of(self, segment: Any) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """Consequences in a segment, gathered under the causes that they have in common: (causes, consequences)."""
        own = (
            self.consequences[self.consequences["segment"] == segment] if len(self.consequences) else self.consequences
        )
        gathered: dict[tuple[Any, ...], list[Any]] = {}
        for fact, rows in own.groupby(["item", "kind"], sort=False):
            gathered.setdefault(tuple(sorted(zip(rows["cause"], rows["cause_kind"], strict=True))), []).append(fact)
        mine = self.hidden[self.hidden["segment"] == segment]
        facts = pd.MultiIndex.from_frame(mine[["item", "kind"]])
        return [(mine[facts.isin(causes)], mine[facts.isin(found)]) for causes, found in gathered.items()]

    def _listed_causes(self, rows: pd.DataFrame, lang: str) -> str:
        levels, trends = rows[rows["kind"] == "level"], rows[rows["kind"] == "trend"]
        parts = [number(self.label(i, lang), "in") for i in levels["item"]]
        parts += [_TREND[lang].format(item=number(self.label(i, lang), "in")) for i in trends["item"]]
        if lang == "zh":
            return "".join(f"“{p}”" for p in parts)
        return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

    def _listed(self, rows: pd.DataFrame, lang: str, *, named: bool = True) -> str:
        parts = []
        for r in rows.itertuples(index=False):
            who = f"{self.label(r.segment, lang, 'segment')}, " if named else ""
            kind = self.label(r.kind, lang, "kind") if self.periods else ""
            value = number(r.estimate, SIGNED[self.kinds[str(r.item)]])
            text = f"{who}{number(self.label(r.item, lang), 'in')} ({kind + ' ' if kind else ''}{value})"
            parts.append(text if lang == "en" else text.replace(", ", "、").replace(" (", "（").replace(")", "）"))
        return ("; " if lang == "en" else "；").join(parts)

    def _not_flat(self, lang: str) -> list[Sentence]:
        """Items whose total moves, or is too uncertain to be called flat."""
        each = self.table.groupby("item", sort=False)["flat"].any()
        moving = each.index[~each.to_numpy(dtype=bool)]
        if not len(moving):
            return []
        names = (", " if lang == "en" else "、").join(self.label(i, lang) for i in moving)
        return [sentence(_NOT_FLAT, lang, count=len(moving), items=len(each), names=names)]

    def further(self) -> Mapping[str, Result]:
        """Consequences under their causes, what is at risk, and the totals of hidden items divided into mix and within."""
        hidden = self.hidden
        split = self.split[self.split["item"].isin(hidden["item"])] if len(self.split) else self.split
        follows, causes = self._under_causes()
        tables = {
            "consequences": follows,
            "at_risk": self.at_risk[self.at_risk["segment"].isin(hidden["segment"])],
            "split": split,
        }
        formats = {**self.formats, **dict.fromkeys(_SHARES, ".1%"), **dict.fromkeys(_PARTS, "+.2f")}
        return {
            k: Result(v.reset_index(drop=True), self.base, (), {**self.labels, **_FURTHER[k][1], **causes}, title=_FURTHER[k][0],
                      formats=formats, level=self.level)
            for k, v in tables.items() if len(v)
        }  # fmt: skip

    def _under_causes(self) -> tuple[pd.DataFrame, dict[Any, Mapping[str, str]]]:
        """Consequences, one row each, under the causes that they share; the wording of those causes."""
        parts: list[pd.DataFrame] = []
        labels: dict[Any, Mapping[str, str]] = {}
        for segment in dict.fromkeys(self.hidden["segment"]):
            for causes, rows in self.consequences_of(segment):
                key = "+".join(f"{i}:{k}" for i, k in zip(causes["item"], causes["kind"], strict=True))
                labels["causes", key] = {lang: self._listed_causes(causes, lang) for lang in LANGUAGES}
                parts.append(rows[["segment", "item", "kind", "estimate", "low", "high", "p_holm"]].assign(causes=key))
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        return table[["segment", "causes", *table.columns[1:-1]]] if parts else table, labels

    def _repr_html_(self) -> str:
        """Hidden facts alone, in the columns that matter; without any, the worst ten. The table has all."""
        worst = self.table[self.table["negative"] & self.table["p_raw"].notna()].nsmallest(10, "p_raw")
        rows = (self.hidden if len(self.hidden) else worst)[_BRIEF].reset_index(drop=True)
        return Result._repr_html_(_Brief(rows, self.base, self.notes, self.labels, title=self.title,
                                         formats=self.formats, level=self.level, below=self.further()))  # fmt: skip

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the facts were found."""
        return Note(_METHODS, tests=int(self.table["p_raw"].notna().sum()), items=self.table["item"].nunique(),
                    segments=self.table["segment"].nunique(), base=self.base.respondents)[language(lang)]  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Brief(Result):
    """Some rows and columns of a scan, with the scan's further tables beneath."""

    below: Mapping[str, Result] = field(default_factory=dict)

    def further(self) -> Mapping[str, Result]:
        return self.below


_BRIEF = ["segment", "item", "kind", "value", "estimate", "low", "high", "p_holm", "pooled", "total", "masking", "role"]
_SHARES = (
    "customers",
    "customers_low",
    "customers_high",
    "revenue",
    "revenue_low",
    "revenue_high",
    "share_before",
    "share_after",
)
_PARTS = ("within", "within_low", "within_high", "mix", "mix_low", "mix_high")
_FURTHER: dict[str, tuple[Mapping[str, str], dict[Any, Mapping[str, str]]]] = {
    "consequences": (
        {"en": "Consequences under their causes", "zh": "后果及其原因"},
        {"causes": {"en": "Follows from", "zh": "源于"}},
    ),
    "at_risk": (
        {"en": "Share of customers and revenue at risk", "zh": "面临风险的顾客与收入占比"},
        {
            "customers": {"en": "Customers", "zh": "顾客占比"},
            "customers_low": {"en": "Customers low", "zh": "顾客占比下限"},
            "customers_high": {"en": "Customers high", "zh": "顾客占比上限"},
            "revenue": {"en": "Revenue", "zh": "收入占比"},
            "revenue_low": {"en": "Revenue low", "zh": "收入占比下限"},
            "revenue_high": {"en": "Revenue high", "zh": "收入占比上限"},
        },
    ),
    "split": (
        {
            "en": "Change of the total: within the segments, and by their mix",
            "zh": "总体变动的拆分：群体内变动与结构变动",
        },
        {
            "share_before": {"en": "Share before", "zh": "前期占比"},
            "share_after": {"en": "Share after", "zh": "后期占比"},
            "within": {"en": "Within", "zh": "群体内变动"},
            "within_se": {"en": "Within SE", "zh": "群体内变动标准误"},
            "within_low": {"en": "Within low", "zh": "群体内变动下限"},
            "within_high": {"en": "Within high", "zh": "群体内变动上限"},
            "mix": {"en": "Mix", "zh": "结构变动"},
            "mix_se": {"en": "Mix SE", "zh": "结构变动标准误"},
            "mix_low": {"en": "Mix low", "zh": "结构变动下限"},
            "mix_high": {"en": "Mix high", "zh": "结构变动上限"},
        },
    ),
}


def _add_total(ax: Axes, total: pd.DataFrame, places: Mapping[str, int], name: str) -> Axes:
    """The line that everybody looks at, over those of the segments; its name stands at its beginning."""
    total = total[total["wave"].isin(list(places))]
    x, y = [places[w] for w in total["wave"]], total["estimate"].to_numpy(dtype=float)
    if len(x):
        ax.plot(x, y, color=theme.INK, linestyle="--", linewidth=2)
        ax.annotate(name, (x[0], y[0]), xytext=(-6, 0), textcoords="offset points", ha="right", va="center", fontsize=9)
        ax.margins(x=0.08)
    return ax


_METHODS = {
    "en": "{items} items were scanned in {segments} segments ({tests:,} facts, {base:,} respondents). A segment is called negative against the "
    "rest while the total's 90% interval lies inside ±δ and the interaction is significant (Benjamini–Hochberg over all facts; "
    "headlines by Holm). Differences and their covariance are design-based (Taylor linearisation). Outcomes downstream of a "
    "cause are listed as its consequences. Pooled effects use a normal prior about 0 with a DerSimonian–Laird variance.",
    "zh": "共在 {segments} 个群体中检查 {items} 个题目（{tests:,} 项，受访者 {base:,} 人）。判定标准：该群体差于其他顾客，总体的 90% 区间落在 ±δ "
    "以内，且交互作用显著（全部检查按 Benjamini–Hochberg 法校正；标题句按 Holm 法校正）。差异及其协方差按抽样设计计算（泰勒线性化）。"
    "位于原因下游的结果指标列为其后果。收缩估计采用以 0 为中心的正态先验，先验方差按 DerSimonian–Laird 法估计。",
}


def formats_of(scores: Sequence[Score]) -> dict[Any, str]:
    """Formats of the table; items on different scales have their own."""
    kinds = {s.kind for s in scores}
    kind = kinds.pop() if len(kinds) == 1 else "mean"
    plain = SPECS[kind]
    out: dict[Any, str] = {
        **metric_formats(scores),
        **dict.fromkeys(_ON_SCALE, plain),
        **dict.fromkeys(_AS_CHANGE, SIGNED[kind]),
    }
    more = {
        "p_holm": "p",
        "p_raw": "p",
        "masking": ".0%",
        "delta": ".3g",
        "detectable": plain.replace("+", ""),
        "se": ".3f",
    }
    return out | more


def notes_of(
    table: pd.DataFrame,
    prior: pd.DataFrame,
    periods: Mapping[str, Mapping[str, str]],
    default: tuple[bool, bool],
    silent: Sequence[str],
) -> tuple[Mapping[str, str], ...]:
    """What was compared, what δ is, how the families are held, what the prior is, what was not tested."""
    said: list[Mapping[str, str]] = []
    if periods:
        said.append(Note(_LINES if default[1] else _PERIODS, **periods))
    low, high = float(table["delta"].min()), float(table["delta"].max())
    said.append(Note(_DELTA_DEFAULT if default[0] else _DELTA, low=low, high=high))
    said.append(Note(_FAMILIES, tests=int(table["p_raw"].notna().sum())))
    for kind, facts, variance, sd in prior.itertuples(index=False, name=None):
        if np.isfinite(variance):
            said.append(Note(_PRIOR, kind=HEADINGS["kind", str(kind)], variance=variance, sd=sd, facts=facts))
    untested = int(table["p_raw"].isna().sum())
    if untested:
        said.append(Note(_UNTESTED, untested=untested))
    if silent:
        said.append(Note(_SILENT, names={"en": ", ".join(silent), "zh": "、".join(silent)}))
    return tuple(said)


_LINES = {"en": "Trends are straight lines through all waves, shown as the change between the middles of {before} and {after}; the gaps before and "
                "after and the split compare the means of these two periods. Levels are means over all waves.",
          "zh": "趋势按全部期次拟合直线，以 {before} 与 {after} 两段中点之间的变动表示；前期、后期差距及拆分比较的是这两段的均值。"
                "水平为全部期次的均值。"}  # fmt: skip
_PERIODS = {"en": "Trends compare {before} with {after}; levels are means over all waves.",
            "zh": "趋势比较的是 {before} 与 {after}；水平为全部期次的均值。"}  # fmt: skip
_DELTA = {"en": "The total counts as flat within ±δ, as declared: δ = {low:.3g} to {high:.3g} points of the item's scale.",
          "zh": "总体变动的 90% 区间在 ±δ 以内视为平稳，δ 为事先声明：{low:.3g} 至 {high:.3g} 分（按题目量表）。"}  # fmt: skip
_DELTA_DEFAULT = {"en": "The total counts as flat within ±δ = 2.5% of the response scale ({low:.3g} to {high:.3g} points).",
                  "zh": "总体变动的 90% 区间在 ±δ 以内视为平稳，δ 取量表长度的 2.5%（{low:.3g} 至 {high:.3g} 分）。"}  # fmt: skip
_FAMILIES = {"en": "One family of {tests:,} tests: p by Benjamini–Hochberg in the table, by Holm for headline sentences.",
             "zh": "全部 {tests:,} 项检验为一族：表中 p 值按 Benjamini–Hochberg 法校正，标题句按 Holm 法校正。"}  # fmt: skip
_PRIOR = {"en": "Partial pooling, {kind}: prior variance {variance:.3g} δ² (standard deviation {sd:.2g} δ) from {facts:,} facts.",
          "zh": "部分合并（{kind}）：先验方差 {variance:.3g} δ²（标准差 {sd:.2g} δ），由 {facts:,} 项估计得出。"}  # fmt: skip
_UNTESTED = {"en": "{untested:,} facts rest on an effective base under 30 or on no answers, and are not tested.",
             "zh": "{untested:,} 项因有效样本量不足 30 或无人回答，未作检验。"}  # fmt: skip
_SILENT = {"en": "Left out, as nobody analysed answered them: {names}.", "zh": "以下题目无人作答，未纳入：{names}。"}
