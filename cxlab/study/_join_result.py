"""What became of a join: who was matched, who was not, what could not be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from cxlab.items import Item, in_order
from cxlab.result import SUPPRESSED_BASE, Base, Result
from cxlab.study._keys import Match
from cxlab.study._measures import REASONS
from cxlab.study._spans import NO_DATE, NO_ROW, NOT_YET, TOO_EARLY
from cxlab.survey import Survey
from cxlab.words import Note, Sentence, Sentences, language, sentence

_SHOWN, _NEAR = 10, 0.05  # ids shown in a notebook; match rates further apart than this are called different


@dataclass
class Counts:
    """What was met while joining, in rows of the table unless said otherwise.

    Attributes
    ----------
    no_key, impossible, undated : int
        Rows without key; with a date that is none; without a usable date, these included.
    before, same : int
        Rows dated before and on the day (month) of the interview, which an outcome does not count.
    shared : int
        Rows that count for several interviews of one customer.
    unclear : int
        Rows that lack what a condition or a sum needs.
    tied : int
        Respondents whose first or last value was chosen among other values of the same day.
    zero : bool
        Whether respondents who are not in the table count as having no rows.
    after_end : int
        Rows after ``until``.
    later : int
        Joined values dated after the interview.
    stray : int
        Days between the last date and the one before, where that is suspicious.
    open : bool
        Whether interviews are followed for different lengths of time.
    since, until : date or None
        First day of the records, and the one until which they are complete.
    alike : tuple of str
        Columns that the survey has already with the same values.
    differing : mapping of str to int
        Columns that it has already with other values, and for how many respondents.
    numeric : tuple of str
        Keys compared as numbers despite leading zeros.
    """

    no_key: int = 0
    impossible: int = 0
    undated: int = 0
    before: int = 0
    same: int = 0
    shared: int = 0
    unclear: int = 0
    tied: int = 0
    zero: bool = False
    after_end: int = 0
    later: int = 0
    stray: int = 0
    open: bool = False
    unit: str = "month"
    since: Any = None
    until: Any = None
    alike: tuple[str, ...] = ()
    differing: Mapping[str, int] = field(default_factory=dict)
    numeric: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class JoinResult(Result):
    """How a linked table fitted the respondents; the last of ``survey.joins`` after ``study.join``.

    ``table`` has a row for everybody and one per group of each declared segment: ``item`` (the segment), ``code`` (the
    group), ``estimate`` (matched share of the weight), ``matched`` (respondents found in the table), ``known`` (share of the
    weight for which every joined item has a value), ``base``.

    Attributes
    ----------
    name : str
        The linked table.
    items : tuple of str
        Columns that the join added.
    use : {"outcome", "covariate"}
    unmatched : DataFrame
        ``side`` ("survey": respondents that the table does not have; "table": the reverse), the key columns of the table,
        ``rows`` (interviews, or rows of the table). Keys that are missing are one line per side.
    """

    name: str = ""
    items: tuple[str, ...] = ()
    use: str = "covariate"
    unmatched: pd.DataFrame = field(default_factory=pd.DataFrame)

    def further(self) -> Mapping[str, Result]:
        """The ids that found no partner."""
        if self.unmatched.empty:
            return {}
        return {"unmatched": Result(self.unmatched, self.base, (), _SIDES, self.call, _UNMATCHED)}

    def sentences(self, lang: str | None = None) -> Sentences:
        """Match rate, the group where it is lowest, and what is known of the joined items."""
        return Sentences(self._said(language(lang)))

    def _said(self, lang: str) -> Iterator[Sentence]:
        total = self.table.iloc[0]
        keys = self.unmatched.columns.difference(["side", "rows"])
        ids = self.unmatched[(self.unmatched["side"] == "table") & (self.unmatched[keys] != "").all(axis=1)]
        yield sentence(
            _MATCHED, lang, share=total["estimate"], table=self.name, matched=int(total["matched"]), base=int(total["base"]),
            ids=len(ids), rows=int(ids["rows"].sum()),
        )  # fmt: skip
        groups = self.table[(self.table["code"].notna()) & (self.table["base"] >= SUPPRESSED_BASE)]
        for name, part in groups.groupby("item", sort=False):
            ranked = part.sort_values("estimate", kind="stable")
            low, high = ranked.iloc[0], ranked.iloc[-1]
            if high["estimate"] - low["estimate"] > _NEAR:
                yield sentence(
                    _UNEVEN, lang, segment=self.label(name, lang), group=self.label(low["code"], lang, "code", name),
                    share=low["estimate"], other=self.label(high["code"], lang, "code", name), other_share=high["estimate"],
                )  # fmt: skip
        if total["known"] < total["estimate"]:
            yield sentence(_KNOWN, lang, items=", ".join(self.items), known=total["known"])

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(_METHODS[self.use], lang, table=self.name).text

    def _repr_html_(self) -> str:
        lang = language()
        short = [] if len(self.unmatched) <= _SHOWN else [sentence(_MORE, lang, more=len(self.unmatched) - _SHOWN).text]
        first = replace(self, unmatched=self.unmatched.head(_SHOWN))
        said = [s.text for s in self.sentences(lang)] + short
        return Result._repr_html_(first) + "".join(f"<p class='cx-note'>{escape(t)}</p>" for t in said)


def joined_result(survey: Survey, items: Sequence[str], match: Match, found: np.ndarray, counts: Counts) -> JoinResult:
    """Count who was matched, in the survey's domain.

    Parameters
    ----------
    survey : Survey
        With the joined columns.
    items : sequence of str
        These.
    match : Match
    found : bool array, shape (respondents,)
    counts : Counts
    """
    known = survey.data[list(items)].notna().to_numpy().all(axis=1)
    inside = survey.domain & (survey.weights > 0)
    groups: list[tuple[str, Any, Any]] = [("total", None, inside)]
    labels: dict[Any, Mapping[str, str]] = {**_HEADINGS}
    for name in survey.roles.segments:
        item = survey.codebook.items.get(name, Item(name))
        codes = in_order(survey.data[name][inside].dropna().unique().tolist())
        groups += [(name, c, inside & (survey.data[name] == c).to_numpy()) for c in codes]
        labels[name] = item.labels
        labels.update({("code", name, c): item.values[c] for c in codes if c in item.values})
    rows = [
        {
            "item": name, "code": code, "estimate": _share(survey.weights, found, who), "matched": int((found & who).sum()),
            "known": _share(survey.weights, known, who), "base": int(who.sum()),
        }
        for name, code, who in groups
    ]  # fmt: skip
    total, weight = survey.weights[inside], survey.weights * inside
    effective = float(total.sum() ** 2 / (total**2).sum())
    lost = inside & ~known
    base = Base(int(inside.sum()), effective, int(lost.sum()), float(weight[lost].sum() / weight.sum()))
    frame = pd.DataFrame(rows)
    frame["code"] = frame["code"].astype(object)
    return JoinResult(
        frame, base, tuple(_notes(survey, items, match, found, counts)), labels, "", _TITLE,
        {"estimate": ".1%", "known": ".1%"}, items=tuple(items), unmatched=_unmatched(survey, match, found),
    )  # fmt: skip


def _share(weights: np.ndarray, found: Any, who: Any) -> float:
    return float(weights[found & who].sum() / weights[who].sum()) if who.any() else float("nan")


def _unmatched(survey: Survey, match: Match, found: np.ndarray) -> pd.DataFrame:
    """Ids without partner on both sides."""
    keys = [f"{c}_" if c in ("side", "rows") else str(c) for c in match.texts]  # these two are the table's own columns
    lonely = survey.domain & ~found
    own = survey.data.loc[lonely, list(match.own)].set_axis(keys, axis=1)
    sides = []
    for side, ids in (("survey", own), ("table", match.texts[match.table < 0].set_axis(keys, axis=1))):
        texts = ids.apply(_texts).fillna("")
        sides.append(texts.groupby(keys, sort=True).size().rename("rows").reset_index().assign(side=side))
    return pd.concat(sides, ignore_index=True)[["side", *keys, "rows"]]


def _texts(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column):
        return column.map(lambda v: f"{v:.15g}", na_action="ignore").astype("string")
    return column.astype("string")


def _notes(survey: Survey, items: Sequence[str], match: Match, found: np.ndarray, counts: Counts) -> Iterator[Note]:
    """Everything that was left out or is open, each with its number."""
    inside = survey.domain & (survey.weights > 0)
    lost = inside & ~found
    weight = survey.weights
    if lost.any():
        share = float(weight[lost].sum() / weight[inside].sum())
        yield Note(
            _LOST[counts.zero], lost=int(lost.sum()), share=share, keyless=int((inside & (match.rows < 0)).sum())
        )
    for code, template in ((NOT_YET, _NOT_YET), (TOO_EARLY, _EARLY), (NO_DATE, _NO_DATE), (NO_ROW, _NO_ROW)):
        if count := _without(survey, items, code, inside):
            yield Note(template, count=count, since=str(counts.since), until=str(counts.until))
    facts = vars(counts)
    for about, wording in _COUNTED.items():
        if facts[about]:
            yield Note(wording, **{about: facts[about]})
    if counts.undated:
        yield Note(_UNDATED, undated=counts.undated, impossible=counts.impossible)
    if counts.same:
        yield Note(_SAME[counts.unit == "calendar_month"], same=counts.same)
    if counts.open:
        yield Note(_OPEN, until=str(counts.until))
    for names, wording in ((counts.alike, _ALIKE), (counts.numeric, _NUMERIC)):
        if names:
            yield Note(wording, names=", ".join(names))
    for name, count in counts.differing.items():
        yield Note(_DIFFERING, name=name, count=count)


def _without(survey: Survey, items: Sequence[str], code: float, inside: np.ndarray) -> int:
    """Respondents who lack a joined item for a reason."""
    lacking = np.zeros(len(survey.data), bool)
    for item in items:
        codes = [c for c, text in survey.codebook[item].missing.items() if text == REASONS[code]]
        if codes and item in survey.missing_reasons:
            lacking |= survey.missing_reasons[item].isin(codes).to_numpy()
    return int((lacking & inside).sum())


_TITLE = {"en": "Match of a linked table", "zh": "外部数据匹配情况"}
_UNMATCHED = {"en": "Ids without a partner", "zh": "未匹配的编号"}
_HEADINGS: Mapping[Any, Mapping[str, str]] = {
    "estimate": {"en": "Matched", "zh": "匹配率"}, "matched": {"en": "Matched respondents", "zh": "匹配人数"},
    "known": {"en": "Joined items known", "zh": "合并题目有值"}, "code": {"en": "Group", "zh": "群体"},
    "item": {"en": "Segment", "zh": "细分变量"}, "total": {"en": "Total", "zh": "总体"},
}  # fmt: skip
_SIDES: Mapping[Any, Mapping[str, str]] = {
    "side": {"en": "Found only in", "zh": "仅见于"}, "rows": {"en": "Rows", "zh": "行数"},
    ("side", "survey"): {"en": "survey", "zh": "调查数据"}, ("side", "table"): {"en": "table", "zh": "外部数据表"},
}  # fmt: skip
_MATCHED = {
    "en": "{share:.1%} of respondents (weighted) are found in “{table}”: {matched:,} of {base:,}. {ids:,} ids of the table "
    "({rows:,} rows) belong to no respondent.",
    "zh": "{share:.1%} 的受访者（加权）在“{table}”中匹配成功：{base:,} 人中匹配 {matched:,} 人。表中另有 {ids:,} 个编号（{rows:,} 行）不对应任何受访者。",
}
_UNEVEN = {
    "en": "The match rate differs by {segment}: {share:.1%} in {group}, {other_share:.1%} in {other}; results on the joined items "
    "speak for those who were matched.",
    "zh": "不同{segment}的匹配率不一：{group}为 {share:.1%}，{other}为 {other_share:.1%}；合并题目的结果只代表匹配成功的受访者。",
}
_KNOWN = {
    "en": "For {known:.1%} all of {items} is known; the notes say why the rest is missing.",
    "zh": "{items} 全部有值的受访者占 {known:.1%}；其余缺失的原因见说明。",
}
_MORE = {"en": "… and {more:,} more in .unmatched.", "zh": "……其余 {more:,} 条见 .unmatched。"}
_LOST = {
    False: {
        "en": "{lost:,} respondents ({share:.1%} of the weight) are not in the table, {keyless:,} of them because they have no id; they "
        "have no value.",
        "zh": "{lost:,} 名受访者（占权重 {share:.1%}）未在表中找到，其中 {keyless:,} 人没有编号；均按缺失处理。",
    },
    True: {
        "en": "{lost:,} respondents ({share:.1%} of the weight) are not in the table: {keyless:,} without an id have no value, the "
        "others count as having no rows.",
        "zh": "{lost:,} 名受访者（占权重 {share:.1%}）未在表中找到：其中 {keyless:,} 人没有编号，按缺失处理；其余视为没有记录。",
    },
}
_NOT_YET = {
    "en": "{count:,} respondents are not yet observed to the end: the table reaches to {until}. They are missing, not counted as “no”.",
    "zh": "{count:,} 名受访者的观察期尚未结束（数据截至 {until}），按缺失处理，不计为“否”。",
}
_EARLY = {
    "en": "For {count:,} respondents the window begins before the records do ({since}); they are missing.",
    "zh": "{count:,} 名受访者的时间窗早于数据的起始日期（{since}），按缺失处理。",
}
_NO_DATE = {
    "en": "{count:,} respondents have a missing or impossible interview date, and so no value.",
    "zh": "{count:,} 名受访者的访问日期缺失或不可能存在，因此没有取值。",
}
_NO_ROW = {
    "en": "{count:,} respondents have no row that counts, and so no value to take over, no mean, lowest, highest, first or last.",
    "zh": "{count:,} 名受访者没有可计入的行，因此没有可合并的值，也没有均值、最小值、最大值、首次或末次的值。",
}
_COUNTED: Mapping[str, Mapping[str, str]] = {
    "no_key": {
        "en": "Rows of the table without an id, left out: {no_key:,}.",
        "zh": "表中没有编号、未纳入的行数：{no_key:,}。",
    },
    "before": {
        "en": "Rows dated before the interview, which an outcome does not count: {before:,}.",
        "zh": "日期早于访问、不计入结果的行数：{before:,}。",
    },
    "shared": {
        "en": "Rows that count for more than one interview of the same customer: {shared:,}.",
        "zh": "因同一顾客多次受访而计入多次访问的行数：{shared:,}。",
    },
    "unclear": {
        "en": "Rows that lack a value which a condition or a sum needs: {unclear:,}; a condition does not hold for them, a sum with them is missing.",
        "zh": "缺少条件或求和所需数值的行数：{unclear:,}；条件视为不成立，含有这些行的合计按缺失处理。",
    },
    "tied": {
        "en": "Respondents with several rows on the day of their first or last one that say different things: {tied:,}; the order of "
        "the file decided.",
        "zh": "首次或末次记录当日有多行且取值不同的受访者：{tied:,} 名，以文件中的先后顺序为准。",
    },
    "after_end": {
        "en": "Rows after the end of observation, left out: {after_end:,}.",
        "zh": "晚于观察截止日期、未纳入的行数：{after_end:,}。",
    },
    "later": {
        "en": "Joined values dated after the interview: {later:,}; what came later cannot explain answers.",
        "zh": "日期晚于访问的合并值：{later:,} 个；后发生的情况不能用来解释先前的回答。",
    },
    "stray": {
        "en": "The last date of the table lies {stray:,} days after the one before; if it is a slip, windows seem complete that are not: "
        "give until.",
        "zh": "表中最后一个日期与前一个日期相隔 {stray:,} 天；若属录入错误，未结束的时间窗会被误认为已结束，请指定 until。",
    },
}
_UNDATED = {
    "en": "Rows of the table with a missing or impossible date, left out of everything that needs dates: {undated:,} "
    "(impossible: {impossible:,}).",
    "zh": "表中日期缺失或不可能存在、未计入与日期有关的计算的行数：{undated:,}（其中不可能的日期 {impossible:,}）。",
}
_SAME = {
    False: {
        "en": "Rows dated on the day of the interview, of which nobody knows what came first, not counted: {same:,}.",
        "zh": "日期与访问同日、无法判断先后、未计入的行数：{same:,}。",
    },
    True: {
        "en": "Rows dated in the month of the interview, of which nobody knows what came first, not counted: {same:,}.",
        "zh": "日期与访问同月、无法判断先后、未计入的行数：{same:,}。",
    },
}
_OPEN = {
    "en": "Without an end of the window early interviews are followed longer than late ones (to {until}); compare them by a window or by "
    "follow_up.",
    "zh": "时间窗未设终点，较早的访问比较晚的访问观察得更久（均截至 {until}）；比较时请设定时间窗或使用 follow_up。",
}
_ALIKE = {
    "en": "Columns that the survey has already, with the same values wherever both are known; the survey's are kept: {names}.",
    "zh": "调查数据中已有、且双方均有值时完全一致的列，保留调查数据中的：{names}。",
}
_DIFFERING = {
    "en": "“{name}” is in the survey already and has another value in the table for {count:,} matched respondents: the survey's is "
    "kept; look whether their ids are right.",
    "zh": "调查数据中已有“{name}”，其中 {count:,} 名匹配成功的受访者与表中取值不同：保留调查数据中的值；请核对其编号是否正确。",
}
_NUMERIC = {
    "en": "Ids are numbers in the survey and were compared as numbers, leading zeros set aside: {names}.",
    "zh": "调查数据中的编号为数值，比较时按数值处理，忽略前导零：{names}。",
}
_METHODS = {
    "outcome": {
        "en": "Records of “{table}” were joined to respondents by their ids. A row counts if it is dated after the interview and within the "
        "window; respondents whose window was not over when the records end have no value. Match rates are shares of the "
        "sampling weight.",
        "zh": "“{table}”的记录按编号与受访者合并。仅计入日期晚于访问且落在时间窗内的行；数据截止时时间窗尚未结束的受访者按缺失处理。匹配率为权重占比。",
    },
    "covariate": {
        "en": "Records of “{table}” were joined to respondents by their ids, as covariates. Match rates are shares of the sampling weight.",
        "zh": "“{table}”的记录按编号作为协变量与受访者合并。匹配率为权重占比。",
    },
}
