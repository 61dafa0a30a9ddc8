"""What a comparison of segments shows: sentences, a dot plot, further tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.errors import one_of
from cxlab.result import Result
from cxlab.words import Figure, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SENTENCES = 12
MOST_OPEN = 3  # items without a finding that have a sentence each; more share one
SAID = {"holm": "Holm", "bh": "BH", "bonferroni": "Bonferroni", "games-howell": "Games–Howell", "none": ""}
_HIGHER = {"en": {True: "above", False: "below"}, "zh": {True: "高", False: "低"}}
_FOUND = {
    "rating": {
        "en": "{segment:cap} customers rate {item:in} {gap} {way} {other} ({level} {low} to {high}, {how}{p:p}){less}.",
        "zh": "{segment}顾客对“{item}”的评分比{other}顾客{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）{less}。",
    },
    "level": {
        "en": "Among {segment} customers {item:in} is {gap} {way} that among {other} ones ({level} {low} to {high}, {how}{p:p}){less}.",
        "zh": "{segment}顾客的“{item}”比{other}顾客{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）{less}。",
    },
    "answer": {
        "en": "{segment:cap} customers answer “{answer}” to {item:in} {gap} {way} {other} ({level} {low} to {high}, {how}{p:p}).",
        "zh": "{segment}顾客在“{item}”中选“{answer}”的比例比{other}顾客{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）。",
    },
}
_FOUND_PLAIN = {
    "rating": {
        "en": "{segment:cap}: {item:in} is rated {gap} {way} {other} ({level} {low} to {high}, {how}{p:p}){less}.",
        "zh": "{segment}：“{item}”的评分比“{other}”{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）{less}。",
    },
    "level": {
        "en": "{segment:cap}: {item:in} is {gap} {way} {other} ({level} {low} to {high}, {how}{p:p}){less}.",
        "zh": "{segment}：“{item}”比“{other}”{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）{less}。",
    },
    "answer": {
        "en": "{segment:cap}: “{answer}” to {item:in} is {gap} {way} {other} ({level} {low} to {high}, {how}{p:p}).",
        "zh": "{segment}：“{item}”中选“{answer}”的比例比“{other}”{way} {gap}（{level} 区间 {low} 至 {high}，{how}{p:p}）。",
    },
}
# "gold customers", but not "18–34 customers", "2025-01 customers", "50 and over customers"
_ADJECTIVE = {"en": re.compile(r"[^\W\d_]+(-[^\W\d_]+)?"), "zh": re.compile(r"[^\d\s]+")}
_LESS = {"en": {True: "", False: "; less is better"}, "zh": {True: "", False: "（该题分值越低越好）"}}
_OPEN = {
    "one": {
        "en": "{item:cap}: {segment} and {other} do not differ beyond chance; a difference of {most} would have been found "
        "with {power:.0%} power.",
        "zh": "“{item}”：“{segment}”与“{other}”的差异未超出抽样误差；以现有样本量，有 {power:.0%} 的把握能识别 {most}的差异。",
    },
    "none": {
        "en": "{item:cap}: no two groups differ beyond chance; a difference of {most} would have been found between any two "
        "with {power:.0%} power.",
        "zh": "“{item}”：各组之间的差异均未超出抽样误差；以现有样本量，任意两组之间有 {power:.0%} 的把握能识别 {most}的差异。",
    },
    "some": {
        "en": "{item:cap}: the difference stays within chance in {count:,} of {pairs:,} comparisons; {most} would have been found in "
        "each of them with {power:.0%} power.",
        "zh": "“{item}”：{pairs:,} 组比较中有 {count:,} 组的差异未超出抽样误差；以现有样本量，其中任意一组都有 {power:.0%} 的把握能识别 {most}的差异。",
    },
}
_OPEN_MANY = {
    "none": {
        "en": "No two groups differ beyond chance on {count:,} items ({items}); differences of {least} to {most} would have been found "
        "between any two with {power:.0%} power.",
        "zh": "有 {count:,} 道题各组之间的差异均未超出抽样误差（{items}）；以现有样本量，任意两组之间有 {power:.0%} 的把握能识别 {least} 至 {most}的差异。",
    },
    "some": {
        "en": "On {count:,} items some groups do not differ beyond chance ({items}); differences of {least} to {most} would have been "
        "found there with {power:.0%} power.",
        "zh": "有 {count:,} 道题部分组别之间的差异未超出抽样误差（{items}）；以现有样本量，这些组别之间有 {power:.0%} 的把握能识别 {least} 至 {most}的差异。",
    },
}
_ELSEWHERE = {"en": "On other scales, not drawn: {items}", "zh": "量表不同、未绘出：{items}"}
_NOTHING = {
    "en": "Nothing distinguishes the groups of {by:in}: none of the differences holds against chance (comparisons: {count:,}, items: {items}; {how}).",
    "zh": "按“{by}”划分的各组没有差异：{items} 道题、{count:,} 组比较均未超出抽样误差（{how}）。",
}
_MORE = {
    "en": "{count:,} more differences beyond chance are in the table.",
    "zh": "另有 {count:,} 项超出抽样误差的差异，见表。",
}
_HIDDEN = {
    "en": "{count:,} of {pairs:,} comparisons are not shown: the smaller group has an effective base under 30 ({groups}).",
    "zh": "{pairs:,} 组比较中有 {count:,} 组未显示：较小一组的有效样本量不足 30（{groups}）。",
}


@dataclass(frozen=True, eq=False)
class CompareResult(Result):
    """Groups of a segment compared item by item.

    Attributes
    ----------
    overall : DataFrame
        One row per item: ``item, test, statistic, df1, df2, p_value`` (adjusted over the items, but for
        Games–Howell), ``p_raw, measure, effect`` (eta squared, or Cramér's V with ``effect_low, effect_high``),
        ``groups, left_out, base, reliability``.
    levels : DataFrame
        One row per item (and answer) and group: ``item, [code], segment, estimate, se, low, high, base,
        base_effective, reliability``.
    kinds : mapping of item to {"rating", "mean", "nps", "index", "share"}
    better : mapping of item to bool
        Whether more is better.
    scales : mapping of item to (low, high) or None
    by : str
    adjust : str
    power : float
    """

    overall: pd.DataFrame = field(default_factory=pd.DataFrame)
    levels: pd.DataFrame = field(default_factory=pd.DataFrame)
    kinds: Mapping[str, str] = field(default_factory=dict)
    better: Mapping[str, bool] = field(default_factory=dict)
    scales: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)
    by: str = ""
    adjust: str = "holm"
    power: float = 0.8

    def specs(self, column: str) -> list[str]:
        """Format of every cell: that of its item where the items are on different scales."""
        return _specs(self, self.table, column, super().specs(column))

    def further(self) -> Mapping[str, Result]:
        """The tests of all groups at once, and the level of every group."""
        plain = {
            "statistic": ".2f",
            "df1": ".1f",
            "df2": ".1f",
            "effect": ".3f",
            "effect_low": ".3f",
            "effect_high": ".3f",
        }
        overall = Result(self.overall, self.base, (), {**self.labels, "statistic": {"en": "Statistic", "zh": "统计量"}},
                         title={"en": "All groups at once", "zh": "各组整体检验"},
                         formats={**plain, "p_raw": "p", "groups": ",", "left_out": ","}, level=self.level)  # fmt: skip
        levels = _Levels(self.levels, self.base, (), {k: v for k, v in self.labels.items() if k != "estimate"},
                         title={"en": "Level of every group", "zh": "各组水平"}, level=self.level, kinds=self.kinds)  # fmt: skip
        return {"overall": overall, "levels": levels}

    # ---------------------------------------------------------------------- sentences
    def sentences(self, lang: str | None = None) -> Sentences:
        """Differences that hold, the strongest first; then what could have been found where none does; then what is masked."""
        lang = language(lang)
        shown = self.table[(self.table["reliability"] != "suppressed").to_numpy()]
        real = (shown["p_value"] < 1 - self.level).to_numpy(dtype=bool)
        found = shown[real]
        found = found.iloc[np.argsort(-found["effect"].abs().to_numpy(), kind="stable")]
        said = [self._found(r, lang) for r in found.head(MOST_SENTENCES).itertuples(index=False)]
        if len(found) > MOST_SENTENCES:
            said.append(sentence(_MORE, lang, count=len(found) - MOST_SENTENCES))
        open_ = shown[~real & shown["p_value"].notna().to_numpy()]
        if len(open_) and not len(found):
            how = SAID[self.adjust] or ("no adjustment" if lang == "en" else "未校正")
            said.append(
                sentence(
                    _NOTHING,
                    lang,
                    by=self.label(self.by, lang),
                    count=len(open_),
                    items=open_["item"].nunique(),
                    how=how,
                )
            )
        said += self._opens(open_, shown, lang)
        hidden = self.table[(self.table["reliability"] == "suppressed").to_numpy()]
        if len(hidden):
            said.append(self._hidden(hidden, lang))
        return Sentences(said)

    def _found(self, r: Any, lang: str) -> Sentence:
        kind, up = self.kinds[r.item], r.estimate > 0
        ends = sorted((abs(r.low), abs(r.high)))
        how = SAID[self.adjust] + (" 校正 " if lang == "zh" else " ") if SAID[self.adjust] else ""
        facts = {
            "segment": self.label(r.segment, lang, "segment"), "other": self.label(r.other, lang, "segment"),
            "item": self.label(r.item, lang), "way": _HIGHER[lang][bool(up)], "level": self.said_level, "p": r.p_value,
            "how": how, "gap": self._size(r.item, abs(r.estimate), lang, r.estimate),
            "low": self._size(r.item, ends[0], None, r.estimate), "high": self._size(r.item, ends[1], None, r.estimate),
        }  # fmt: skip
        wordings = _FOUND if self._of_customers(lang) else _FOUND_PLAIN
        code = getattr(r, "code", None)
        if code is not None and code == code:
            return sentence(wordings["answer"], lang, answer=self.label(code, lang, "code", r.item), **facts)
        wording = wordings["rating" if kind == "rating" else "level"]
        return sentence(wording, lang, less=_LESS[lang][self.better.get(r.item, True)], **facts)

    def _of_customers(self, lang: str) -> bool:
        """Whether every group's label can stand before "customers"."""
        groups = self.levels["segment"].unique().tolist()
        return all(_ADJECTIVE[lang].fullmatch(self.label(s, lang, "segment")) for s in groups)

    def _size(self, item: str, value: float, lang: str | None, gap: float = 0.0) -> Figure:
        """A difference without its sign, two decimals where the gap is small; with its unit in a language."""
        kind = self.kinds[item]
        if kind == "share":
            return Figure(100 * value, ".1f", {"en": " percentage points", "zh": " 个百分点", None: ""}[lang])
        unit = {"en": "" if kind == "mean" else " points", "zh": "" if kind == "mean" else " 分", None: ""}[lang]
        return Figure(value, ".2f" if kind in ("rating", "mean") and abs(gap) < 0.25 else ".1f", unit)

    def _opens(self, open_: pd.DataFrame, shown: pd.DataFrame, lang: str) -> list[Sentence]:
        """Non-findings: one sentence per item, or one for all items of a scale where they are many."""
        pairs = shown.groupby("item").size()
        found: dict[tuple[Any, ...], list[tuple[Any, pd.DataFrame]]] = {}
        for item, rows in open_.groupby("item", sort=False):
            whole = "none" if len(rows) == pairs[item] else "some"
            found.setdefault((whole, *self._axis_of(str(item))), []).append((item, rows))
        said = []
        for key, members in found.items():
            if len(members) <= MOST_OPEN:
                said += [self._open(item, rows, shown, lang) for item, rows in members]
                continue
            visible = [float(rows["detectable"].max()) for _, rows in members]
            first = str(members[0][0])
            listed = (", " if lang == "en" else "、").join(number(self.label(item, lang), "in") for item, _ in members)
            said.append(sentence(_OPEN_MANY[key[0]], lang, count=len(members), items=listed, power=self.power,
                                 least=self._size(first, min(visible), None), most=self._size(first, max(visible), lang)))  # fmt: skip
        return said

    def _open(self, item: Any, rows: pd.DataFrame, shown: pd.DataFrame, lang: str) -> Sentence:
        """Say of one item's comparisons without a finding what the worst placed of them could have found."""
        pairs, most = int((shown["item"] == item).sum()), float(rows["detectable"].max())
        facts = {"item": self.label(item, lang), "power": self.power, "most": self._size(item, most, lang)}
        if pairs == 1:
            r = rows.iloc[0]
            names = {k: self.label(r[k], lang, "segment") for k in ("segment", "other")}
            return sentence(_OPEN["one"], lang, **facts, **names)
        if len(rows) == pairs:
            return sentence(_OPEN["none"], lang, **facts)
        return sentence(_OPEN["some"], lang, count=len(rows), pairs=pairs, **facts)

    def _hidden(self, hidden: pd.DataFrame, lang: str) -> Sentence:
        small = self.levels[self.levels["reliability"] == "suppressed"]["segment"].unique().tolist()
        names = [self.label(s, lang, "segment") for s in small[:8]] + (["…"] if len(small) > 8 else [])
        listed = (", " if lang == "en" else "、").join(names)
        return sentence(_HIDDEN, lang, count=len(hidden), pairs=len(self.table), groups=listed)

    # ---------------------------------------------------------------------- picture
    def plot(self, ax: Axes | None = None, lang: str | None = None, *, item: str | None = None) -> Axes:
        """Draw levels as dots with intervals: the groups of one item, or a dot per group in the row of every item.

        Parameters
        ----------
        ax : Axes, optional
        lang : {"en", "zh"}, optional
        item : str, optional
            One item; by default all that share the scale of the first.

        Returns
        -------
        Axes

        Raises
        ------
        SurveyError
            For an item that was not compared.
        """
        lang = language(lang)
        if item is not None and item not in self.kinds:
            raise one_of("item", item, self.kinds)
        only = item or (next(iter(self.kinds)) if len(self.kinds) == 1 else None)
        shown = self.levels.copy()
        shown.loc[(shown["reliability"] == "suppressed").to_numpy(), ["estimate", "low", "high"]] = np.nan
        if only is not None:
            return self._one(shown[shown["item"] == only], only, ax, lang)
        return self._all(shown, ax, lang)

    def _one(self, rows: pd.DataFrame, item: str, ax: Axes | None, lang: str) -> Axes:
        share = self.kinds[item] == "share"
        scale = 100 if share else 1
        drawn = pd.DataFrame({c: rows[c].to_numpy(dtype=float) * scale for c in ("estimate", "low", "high")})
        drawn["label"] = [self._row_label(r, lang) for r in rows.itertuples(index=False)]
        title = self.label(item, lang) + (" (%)" if share else "")
        return charts.dots(
            drawn, title=title, spec=".0f" if share else ".1f" if self.kinds[item] == "nps" else ".2f", ax=ax
        )

    def _row_label(self, r: Any, lang: str) -> str:
        name = self.label(r.segment, lang, "segment")
        code = getattr(r, "code", None)
        return name if code is None or code != code else f"{self.label(code, lang, 'code', r.item)} · {name}"

    def _all(self, shown: pd.DataFrame, ax: Axes | None, lang: str) -> Axes:
        alone = {i for i, rows in shown.groupby("item", sort=False) if rows["segment"].is_unique}
        able = [i for i in self.kinds if i in alone] or [next(iter(self.kinds))]
        axis = self._axis_of(able[0])
        items = [i for i in able if self._axis_of(i) == axis]
        groups = list(dict.fromkeys(shown["segment"]))
        ax = ax or charts.new_axes(7.6, 1.1 + (0.2 + 0.14 * len(groups)) * len(items))
        shift = np.linspace(-0.28, 0.28, len(groups)) if len(groups) > 1 else np.zeros(1)
        for g, (segment, colour) in enumerate(zip(groups, theme.SEQUENCE * 9, strict=False)):
            rows = shown[shown["segment"] == segment].drop_duplicates("item").set_index("item").reindex(items)
            y = np.arange(len(items)) + shift[g]
            ax.hlines(y, rows["low"].astype(float), rows["high"].astype(float), color=colour, linewidth=1.6, zorder=2)
            ax.scatter(rows["estimate"].astype(float), y, color=colour, s=26, zorder=3,
                       label=self.label(segment, lang, "segment"))  # fmt: skip
        ax.set_yticks(np.arange(len(items)), [self.label(i, lang) for i in items])
        ax.set_ylim(len(items) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", zorder=0)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(groups), 6), fontsize=8.5)
        ax.set_title(self.label(self.by, lang), pad=26)
        left = [self.label(i, lang) for i in self.kinds if i not in items]
        if left:
            listed = (", " if lang == "en" else "、").join(left[:6]) + ("…" if len(left) > 6 else "")
            ax.set_xlabel(_ELSEWHERE[lang].format(items=listed), fontsize=8.5)
        return ax

    def _axis_of(self, item: str) -> tuple[str, Any]:
        """What one axis can carry: items of one kind and one response scale."""
        return self.kinds[item], self.scales.get(item)


@dataclass(frozen=True, eq=False)
class _Levels(Result):
    """Levels of groups, formatted item by item."""

    kinds: Mapping[str, str] = field(default_factory=dict)

    def specs(self, column: str) -> list[str]:
        return _specs(self, self.table, column, super().specs(column))


_LEVEL = {"rating": ".2f", "mean": ".2f", "nps": "+.1f", "index": ".1f", "share": ".0%"}
_GAP = {"rating": "+.2f", "mean": "+.2f", "nps": "+.1f", "index": "+.1f", "share": "pp"}


def _specs(result: Any, table: pd.DataFrame, column: str, plain: list[str]) -> list[str]:
    differences = "p_raw" in table
    if column in ("estimate", "low", "high"):
        return [(_GAP if differences else _LEVEL)[result.kinds[i]] for i in table["item"]]
    if column in ("se", "detectable"):
        return [".1%" if result.kinds[i] == "share" else ".2f" for i in table["item"]]
    return plain


HEADINGS = {
    "estimate": {"en": "Difference", "zh": "差异"},
    "other": {"en": "Compared with", "zh": "对照组"},
    "p_raw": {"en": "p, unadjusted", "zh": "未校正 p 值"},
    "effect": {"en": "Effect size", "zh": "效应量"},
    "effect_low": {"en": "Effect size, low", "zh": "效应量下限"},
    "effect_high": {"en": "Effect size, high", "zh": "效应量上限"},
    "detectable": {"en": "Smallest difference visible", "zh": "可识别的最小差异"},
    "measure": {"en": "Measured by", "zh": "效应量指标"},
    "test": {"en": "Test", "zh": "检验"},
    "df1": {"en": "df 1", "zh": "自由度 1"},
    "df2": {"en": "df 2", "zh": "自由度 2"},
    "groups": {"en": "Groups tested", "zh": "参与检验的组数"},
    "left_out": {"en": "Groups left out", "zh": "未参与的组数"},
    ("measure", "eta squared"): {"en": "eta squared", "zh": "η²"},
    ("measure", "Cramér V"): {"en": "Cramér V", "zh": "Cramér V"},
}
