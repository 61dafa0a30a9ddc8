"""The case before a claim: which columns stand for what it needs, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxlab.claim_register._finding import Unfit
from cxlab.design import Design, resolve
from cxlab.errors import SurveyError, nearest, one_of, unknown_names
from cxlab.regression import Regression, linear
from cxlab.study import Study
from cxlab.study._tables import read_table
from cxlab.survey import Survey, Touchpoint
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST = 30  # respondents in each of two groups that are compared
ORDER = "{item}_order"


@dataclass(frozen=True)
class Need:
    """Something that a claim needs of a study.

    Attributes
    ----------
    words : mapping of language to str
    kind : {"number", "rating", "binary", "linked", "touchpoints", "order", "study"}
        ``rating``: more is better, or turned so. ``linked``: a column of the survey or of a linked table. ``study``: nothing that a file of answers has.
    """

    words: Mapping[str, str]
    kind: str = "number"


def _need(en: str, zh: str, kind: str = "number") -> Need:
    return Need({"en": en, "zh": zh}, kind)


NEEDS: Mapping[str, Need] = {
    "satisfaction": _need("overall satisfaction", "总体满意度", "rating"),
    "repurchase": _need("intention to buy again", "再次购买意愿", "rating"),
    "renewed": _need("whether the customer renewed, 0/1", "是否续约，0/1", "binary"),
    "price_paid": _need("price that the customer pays", "顾客支付的价格", "linked"),
    "switching_cost": _need("how hard a change of provider would be", "更换机构的难度"),
    "price_offer": _need("surcharge offered, per cent", "询问的加价比例，%"),
    "price_choice": _need("whether the surcharge was accepted, 0/1", "是否接受加价，0/1", "binary"),
    "problem": _need("whether there was a problem, 0/1", "是否遇到问题，0/1", "binary"),
    "voiced": _need("whether the problem was voiced, 0/1", "问题是否反映，0/1", "binary"),
    "resolved": _need("whether it was resolved at first contact, 0/1", "首次反映是否解决，0/1", "binary"),
    "remembered": _need("how the visit is remembered", "整体回忆评价", "rating"),
    "visit_minutes": _need("length of the visit, minutes", "到访停留分钟数"),
    "order": _need("order in which the touchpoints were met", "各触点的经历顺序", "order"),
    "touchpoints": _need("touchpoints with experience, expectation and emotion", "同时测量体验、期望与情绪的触点", "touchpoints"),
    "unit": _need("unit of the company, such as a branch", "经营单位，如门店、分院"),
    "engagement": _need("staff engagement of the unit", "单位员工敬业度", "linked"),
    "responded": _need("whether the person invited took part, 0/1", "受邀者是否作答，0/1", "binary"),
    "outlets": _need("number of outlets, one row per market", "网点数，每行一个市场"),
    "sales": _need("sales of the market", "该市场的销售额"),
    "costs": _need("costs of measures with satisfaction before and after", "改进措施的费用及前后满意度", "study"),
    "elements": _need("touchpoints tagged by element (staff, rules, facilities, other customers)",
                      "按接触要素（员工、制度、设施、其他顾客）标注的触点", "study"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """Respondents, and the columns behind the needs of claims.

    Attributes
    ----------
    survey : Survey
        Its domain is analysed.
    names : mapping of need to column or role
    level : float
    order : str
        Pattern of the columns with a touchpoint's place in the visit.
    notes : tuple of Note
        Where columns came from that are not in the survey.
    """

    survey: Survey
    names: Mapping[str, str]
    level: float
    order: str = ORDER
    notes: tuple[Note, ...] = ()

    def values(self, need: str) -> FloatArray:
        """Numbers behind a need, NaN outside the domain and where not answered; of ratings more is better."""
        read = self.rating if NEEDS[need].kind == "rating" else self.survey.values
        return np.where(self.survey.domain, read(self.names[need]), np.nan)

    def rating(self, column: str) -> FloatArray:
        """Answers on a rating, mirrored within its scale where less is better; a role of several items is turned already."""
        values, items = self.survey.values(column), self.survey.items_of(column)
        if len(items) > 1 or self.survey.higher_is_better(column) or not np.isfinite(values).any():
            return values
        low, high = self.survey.scale(column) or (np.nanmin(values), np.nanmax(values))
        return low + high - values

    @property
    def design(self) -> Design:
        """Sample design of the survey."""
        return resolve(self.survey)

    def touchpoints(self, ordered: bool = False) -> list[Touchpoint]:
        """Touchpoints with expectation and emotion, or those whose place in the visit is known."""
        known = self.survey.roles.touchpoints
        if ordered:
            return [t for t in known if self.order.format(item=t.item) in self.survey.data]
        return [t for t in known if t.expectation and t.emotion]

    def within(self, inside: np.ndarray) -> Case:
        """The same for some of the respondents."""
        return replace(self, survey=replace(self.survey, domain=self.survey.domain & inside))

    def regress(self, outcome: FloatArray, terms: Mapping[str, FloatArray]) -> Regression:
        """Weighted least squares of an outcome on terms, all as arrays."""
        columns = {f"_{name}": values for name, values in terms.items()}
        rows = np.isfinite(np.column_stack([outcome, *columns.values()])).all(axis=1) & self.survey.domain
        if int(rows.sum()) < LEAST:
            raise Unfit(Note(FEW, base=int(rows.sum()), least=LEAST))
        for name, values in [("", outcome), *terms.items()]:
            if np.ptp(values[rows]) == 0:
                raise Unfit(Note(_SAME, what=NEEDS[name].words if name in NEEDS else _PARTS[name]))
        return linear(
            self.survey.with_columns(_outcome=outcome, **columns), "_outcome", list(columns), level=self.level
        )

    def missing(self, needs: tuple[str, ...]) -> list[str]:
        """Needs that this case does not meet."""
        absent = []
        for need in needs:
            kind = NEEDS[need].kind
            if kind == "order":
                met = len(self.touchpoints(ordered=True)) > 1
            else:
                met = bool(self.touchpoints()) if kind == "touchpoints" else need in self.names
            if not met:
                absent.append(need)
        return absent


_PARTS = {
    "": {"en": "the outcome", "zh": "结果变量"},
    "group": {"en": "the group", "zh": "组别"},
    "peak": {"en": "the peak of the visit", "zh": "峰值体验"},
    "end": {"en": "the end of the visit", "zh": "终点体验"},
    "mean": {"en": "the average of the visit", "zh": "平均体验"},
    "length": {"en": "the length of the visit", "zh": "到访时长"},
}
FEW = {
    "en": "only {base:,} respondents have the answers needed; at least {least} are required",
    "zh": "仅 {base:,} 名受访者具备所需回答，至少需要 {least} 名",
}
_SAME = {"en": "{what} is the same for everybody", "zh": "所有受访者的“{what}”都相同"}
_CODES = {
    "en": "{column} ({what}) holds {other} beside 0 and 1: recode it",
    "zh": "{column}（{what}）除 0 和 1 外还含有 {other}，须先重新编码",
}


def read_case(study: Study | Survey, columns: Mapping[str, str] | None, level: float) -> tuple[Case, dict[str, Note]]:
    """The case, and what is wrong with columns that were found by their usual names."""
    survey = study.survey() if isinstance(study, Study) else study
    if not isinstance(survey, Survey):
        raise SurveyError(f"study is {type(study).__name__}; pass a study of cx.open_study, or a survey.")
    given = dict(columns or {})
    allowed = [n for n, need in NEEDS.items() if need.kind not in ("study", "touchpoints")]
    for need in given:
        if need not in allowed:
            raise SurveyError(
                f"columns names {need!r}, which no claim needs{nearest(need, allowed)}; allowed: {', '.join(allowed)}."
            )
    order = given.pop("order", ORDER)
    if "{item}" not in order:
        raise SurveyError(f"columns: order is {order!r}; give the pattern of its columns, such as {ORDER!r}.")
    names: dict[str, str] = {}
    faults: dict[str, Note] = {}
    notes: list[Note] = []
    for need in (n for n in allowed if n != "order"):
        column = given.get(need, need)
        fault: Note | None = None
        if not survey.has(column) and NEEDS[need].kind == "linked" and isinstance(study, Study):
            survey, said, fault = _linked(study, survey, need, column)
            notes += said
        if not survey.has(column) and fault is None:
            if need in given:
                raise unknown_names("columns", [column], [*survey.data.columns, *survey.roles.names()])
            continue
        fault = fault or _fault(survey, need, column)
        if fault is not None and need in given:
            raise SurveyError(f"columns: {fault['en']}.")
        if fault is not None:
            faults[need] = fault
        names[need] = column
    return Case(survey, names, level, order, tuple(notes)), faults


def _fault(survey: Survey, need: str, column: str) -> Note | None:
    """What keeps a column from standing for a need: other codes than 0 and 1."""
    if need == "unit":
        return None
    values = survey.values(column)
    other = np.unique(values[np.isfinite(values) & ~np.isin(values, (0.0, 1.0))])
    if NEEDS[need].kind != "binary" or not len(other):
        return None
    shown = ", ".join(f"{v:g}" for v in other[:5]) + (", …" if len(other) > 5 else "")
    return Note(_CODES, column=repr(column), what=NEEDS[need].words, other=shown)


def _linked(study: Study, survey: Survey, need: str, column: str) -> tuple[Survey, list[Note], Note | None]:
    """The survey with a column of a linked table, joined by the table's key, what to note, and why it could not be had."""
    for name in study.tables:
        if column not in read_table(study.declared, study.folder, name):
            continue
        try:
            joined = study.join(survey, name, measures={column: f"mean({column})"}, use="covariate")
        except SurveyError as error:
            return survey, [], Note(_NOT_LINKED, what=NEEDS[need].words, table=name, said=str(error).rstrip("."))
        said = Note(_LINKED, what=NEEDS[need].words, column=column, table=name)
        return joined, [said, *map(Note, joined.joins[-1].notes)], None
    return survey, [], None


_NOT_LINKED = {
    "en": "{what} could not be joined from the linked table {table} ({said})",
    "zh": "无法从关联表 {table} 合并{what}（{said}）",
}
_LINKED = {
    "en": "{what} ({column}) comes from the linked table {table}, as the mean where it has several rows.",
    "zh": "{what}（{column}）取自关联表 {table}，同一编号有多行时取均值。",
}


def chosen(which: str | Sequence[str] | None, known: Mapping[str, Any]) -> list[str]:
    """Claims asked for, in the order of the register; all by default."""
    if which is None:
        return list(known)
    wanted = [which] if isinstance(which, str) else list(which)
    for name in wanted:
        if name not in known:
            raise one_of("which", name, known)
    if not wanted:
        raise SurveyError("which is empty; name a claim, or leave it out for all.")
    return [name for name in known if name in wanted]


def listed(needs: list[str]) -> dict[str, str]:
    """Needs in words, with the name of the column that is looked for."""
    marks = {"en": ("{} ({})", "; "), "zh": ("{}（{}）", "、")}
    out = {}
    for lang in LANGUAGES:
        form, comma = marks[lang]
        out[lang] = comma.join(
            form.format(NEEDS[n].words[lang], n)
            if NEEDS[n].kind not in ("study", "touchpoints", "order")
            else NEEDS[n].words[lang]
            for n in needs
        )
    return out
