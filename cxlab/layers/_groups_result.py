"""What a comparison of paths says: its tables, its picture, its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.layers import _groups_words as words
from cxlab.layers._groups_tests import POWER
from cxlab.layers._groups_words import REASONS
from cxlab.layers._model import PathModel
from cxlab.layers._result import HEADINGS as PATH_HEADINGS
from cxlab.result import Labels, Result
from cxlab.words import Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._kernel import Kernel

MOST_SENTENCES = 8
_NAMED = 2  # paths that a title names
# "gold customers", but not "18–34 customers"
_ADJECTIVE = {"en": re.compile(r"[^\W\d_]+(-[^\W\d_]+)?"), "zh": re.compile(r"[^\d\s]{1,4}")}
_CUSTOMERS = {"en": "{} customers", "zh": "{}顾客"}
_GROUP = {"en": "the group “{}”", "zh": "“{}”组"}


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


@dataclass(frozen=True, eq=False)
class Gated(Result):
    """A table whose rows show numbers only where groups are comparable."""

    def masked(self, column: str) -> np.ndarray:
        """Numbers of rows that are suppressed or not comparable."""
        hidden = super().masked(column)
        if column not in _GATED or "comparable" not in self.table:
            return hidden
        return np.asarray(hidden | ~self.table["comparable"].to_numpy(dtype=bool))


_GATED = (
    "value",
    "value_other",
    "estimate",
    "se",
    "low",
    "high",
    "p_value",
    "p_raw",
    "p_permutation",
    "detectable",
    "df",
    "f",
    "q",
)


@dataclass(frozen=True, eq=False)
class PathGroupsResult(Result):
    """Paths of several groups, whether they may be compared, and where they differ.

    Attributes
    ----------
    by : str
    micom : DataFrame
        Per construct and pair of groups: ``construct, segment, other, items, configural, c, c_null, c_p_value, composed_alike,
        mean_gap, mean_null_low, mean_null_high, mean_p_value, equal_means, variance_ratio, …, equal_variances, invariance``.
    differences : DataFrame
        Per effect and pair; empty of numbers where ``comparable`` is False, with the ``reason``.
    overall : DataFrame
        Per effect the joint test of all groups.
    effects : DataFrame
        Direct, indirect and total effects of every group.
    model : PathModel
    kernels : mapping of group to Kernel
    test : {"permutation", "replicates"}
        How the steps of comparability were tested, and ``why`` not by permutation.
    permutations, replicates, failed, seed : int
    """

    by: str = ""
    micom: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    overall: pd.DataFrame = field(default_factory=pd.DataFrame)
    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: PathModel = field(default_factory=lambda: PathModel((), ()))
    kernels: Mapping[Any, Kernel] = field(default_factory=dict, repr=False)
    test: str = "permutation"
    why: str = ""
    permutations: int = 0
    replicates: int = 0
    failed: int = 0
    seed: int = 0

    def further(self) -> Mapping[str, Result]:
        """Differences of two groups, joint tests, comparability of constructs."""
        parts = {"differences": self.differences, "overall": self.overall, "micom": self.micom}
        return {
            name: Gated(table, self.base, (), {**self.labels, **_MORE_HEADINGS[name]}, self.call, TITLES[name], FORMATS | _MORE_FORMATS[name],
                        self.level)
            for name, table in parts.items()
            if len(table)
        }  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw every path with its interval in every group; hollow where it is not comparable."""
        from cxlab.layers._draw_groups import draw

        return draw(self, ax, language(lang))

    @property
    def groups(self) -> list[Any]:
        """Codes of the groups, in order."""
        return list(dict.fromkeys(self.table["segment"]))

    # ---------------------------------------------------------------------- sentences
    def sentences(self, lang: str | None = None) -> Sentences:
        """What differs for whom, what cannot be compared, whether groups may be pooled, and who is too few."""
        lang = language(lang)
        if self.differences.empty:
            tested = len(self.groups) - len(self._untested())
            alone = sentence(words.ALONE, lang, count=tested, groups=len(self.groups), by=self.label(self.by, lang))
            return Sentences([alone, *self._hidden(lang)])
        return Sentences([*self._found(lang), *self._unlike(lang), *self._invariance(lang), *self._hidden(lang)])

    def people(self, code: Any, lang: str) -> str:
        """The people of a group, where all labels can stand before "customers"."""
        fits = all(_ADJECTIVE[lang].fullmatch(self.label(g, lang, "segment")) for g in self.groups)
        return (_CUSTOMERS if fits else _GROUP)[lang].format(self.label(code, lang, "segment"))

    def _found(self, lang: str) -> Iterator[Sentence]:
        tested = self.differences[self.differences["p_value"].notna()]
        direct = tested[tested["kind"] == "direct"]
        if direct.empty:
            yield sentence(words.NOTHING_LEFT, lang, by=self.label(self.by, lang))
        alpha = 1 - self.level
        found = tested[(tested["p_value"] < alpha) & tested["kind"].isin(["direct", "indirect", "total"])]
        strength = (found["estimate"].abs() / found["se"]).to_numpy()
        found = found.iloc[np.lexsort((-strength, found["kind"].map(_ORDER)))]
        for row in _records(found.head(MOST_SENTENCES)):
            yield self._difference(row, lang)
        if len(found) > MOST_SENTENCES:
            yield sentence(words.MANY, lang, count=len(found) - MOST_SENTENCES)
        yield from self._joint(direct[direct["p_value"] < alpha], lang)
        yield from self._same(direct, lang)

    def headline(self, lang: str | None = None) -> Sentence:
        """The finding as a title: which paths differ, that none was shown to, or why none is compared."""
        lang = language(lang)
        by = self.label(self.by, lang)
        if self.differences.empty:
            return sentence(words.TITLE_ALONE, lang, by=by)
        direct = self.differences[(self.differences["kind"] == "direct") & self.differences["p_value"].notna()]
        if direct.empty:
            shut = self.micom[~self.micom["composed_alike"].to_numpy(dtype=bool)]
            names = dict.fromkeys(self.label(c, lang) for c in shut["construct"])
            return sentence(words.TITLE_SHUT, lang, by=by, constructs=words.BETWEEN[lang].join(names))
        paths = len(direct.drop_duplicates(["source", "target"]))
        found = direct[direct["p_value"] < 1 - self.level].sort_values("p_value", kind="stable")
        if found.empty:
            return sentence(words.TITLE_NONE, lang, by=by, paths=paths, p=direct["p_value"].min())
        found = found.drop_duplicates(["source", "target"])
        which = [f"{self.label(r.source, lang)} → {self.label(r.target, lang)}" for r in _records(found)]
        listed = words.BETWEEN[lang].join(which[:_NAMED]) + (" …" if len(which) > _NAMED else "")
        return sentence(words.TITLE_DIFFERS, lang, by=by, paths=paths, count=len(which), which=listed)

    def _difference(self, row: Any, lang: str) -> Sentence:
        more = abs(row.value) >= abs(row.value_other)
        codes = (row.segment, row.other) if more else (row.other, row.segment)
        own, rest = (row.value, row.value_other) if more else (row.value_other, row.value)
        facts = {
            "segment": self.people(codes[0], lang),
            "other": self.people(codes[1], lang),
            "own": own,
            "rest": rest,
            "p": row.p_value,
        }
        ends = {"source": self.label(row.source, lang), "target": self.label(row.target, lang)}
        if row.kind == "indirect":
            return sentence(words.BY_WAY, lang, route=self.label(row.route, lang), **facts)
        template = words.IN_ALL if row.kind == "total" else words.AGAINST if self._opposed(row) else words.MORE
        return sentence(template, lang, **ends, **facts)

    def _opposed(self, row: Any) -> bool:
        """Whether a path is above zero in one group and below in the other, each beyond chance."""
        own = self.table[(self.table["source"] == row.source) & (self.table["target"] == row.target)].set_index(
            "segment"
        )
        two = own.loc[[row.segment, row.other]]
        return bool((two["low"] > 0).any() and (two["high"] < 0).any())

    def _joint(self, found: pd.DataFrame, lang: str) -> Iterator[Sentence]:
        """Paths that are not the same in all of three or more groups, without a pair that differs."""
        if len(self.overall) == 0 or self.overall["q"].max() < 2:
            return
        said = set(zip(found["source"], found["target"], strict=True))
        for row in self.overall[
            (self.overall["kind"] == "direct") & (self.overall["p_value"] < 1 - self.level)
        ].itertuples():
            if (row.source, row.target) not in said:
                yield sentence(
                    words.JOINT,
                    lang,
                    source=self.label(row.source, lang),
                    target=self.label(row.target, lang),
                    p=row.p_value,
                )

    def _same(self, direct: pd.DataFrame, lang: str) -> Iterator[Sentence]:
        same = direct[direct["p_value"] >= 1 - self.level]
        if same.empty:
            return
        facts = {
            "tests": len(direct),
            "most": same["detectable"].max(),
            "power": POWER,
        }
        if len(same) == len(direct):
            yield sentence(words.NONE, lang, by=self.label(self.by, lang), p=same["p_value"].min(), **facts)
        else:
            yield sentence(words.REST, lang, count=len(same), **facts)

    def _unlike(self, lang: str) -> Iterator[Sentence]:
        failed = self.micom[~self.micom["composed_alike"].to_numpy(dtype=bool)]
        for row in _records(failed):
            known = row.invariance == "none"
            gaps = self.differences[(self.differences["kind"] == "direct") & (self.differences["segment"] == row.segment)
                                    & (self.differences["other"] == row.other) & ~self.differences["comparable"]]  # fmt: skip
            paths = [f"{self.label(r.source, lang)} → {self.label(r.target, lang)}" for r in _records(gaps)
                     if row.construct in (*r.source.split(":"), r.target)]  # fmt: skip
            facts = {"c": row.c, "p": row.c_p_value} if known else {"items": row.items}
            yield sentence(words.UNLIKE if known else words.UNSURE, lang, construct=self.label(row.construct, lang),
                           first=self.people(row.segment, lang), second=self.people(row.other, lang), **facts,
                           paths=words.BETWEEN[lang].join(paths))  # fmt: skip

    def _invariance(self, lang: str) -> Iterator[Sentence]:
        short = self.micom[(self.micom["invariance"] != "full").to_numpy()]
        facts = {"test": words.TEST_WORDS[self.test][lang]}
        if short.empty:
            yield sentence(words.FULL, lang, **facts)
            return
        names = dict.fromkeys(self.label(c, lang) for c in short["construct"])
        listed = words.BETWEEN[lang].join(names)
        if not self.micom["composed_alike"].all():
            yield sentence(words.POOLING, lang, constructs=listed)
        else:
            yield sentence(words.PARTIAL, lang, constructs=listed, **facts)

    def _untested(self) -> pd.DataFrame:
        """One row per group that takes no part in tests."""
        own = self.table.drop_duplicates("segment")
        return own[own["reason"].isin([r for r in REASONS if r != "alone"])]

    def _hidden(self, lang: str) -> Iterator[Sentence]:
        short = self._untested()
        if len(short):
            said = [
                sentence(words.HIDDEN_GROUP, lang, segment=self.label(r.segment, lang, "segment"), base=r.base, why=REASONS[r.reason][lang]).text
                for r in _records(short)
            ]  # fmt: skip
            yield sentence(words.HIDDEN, lang, groups=words.ENDS[lang].join(said))

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        lang = language(lang)
        return sentence(words.METHODS, lang, constructs=len(self.model.constructs), items=len(self.model.items), groups=len(self.groups),
                        by=self.label(self.by, lang), base=self.base.respondents, test=words.TEST_WORDS[self.test][lang],
                        b=self.replicates).text  # fmt: skip


_ORDER = {"direct": 0, "indirect": 1, "total": 2}
TITLES = {
    "differences": {"en": "Groups against each other", "zh": "群体间比较"},
    "overall": {"en": "All groups at once", "zh": "各组整体检验"},
    "micom": {"en": "Are the constructs comparable?", "zh": "构念是否可比"},
}
HEADINGS: Labels = {
    **PATH_HEADINGS,
    "other": {"en": "Against", "zh": "对比群体"}, "comparable": {"en": "Comparable", "zh": "可比"},
    "reason": {"en": "Why not", "zh": "原因"}, ("reason", ""): {"en": " ", "zh": " "},
}  # fmt: skip
_MORE_HEADINGS: Mapping[str, dict[Any, Mapping[str, str]]] = {
    "differences": {
        "value": {"en": "In the group", "zh": "本组"}, "value_other": {"en": "In the other", "zh": "对比组"},
        "estimate": {"en": "Difference", "zh": "差异"}, "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
        "p_raw": {"en": "p, unadjusted", "zh": "p 值（未校正）"}, "p_permutation": {"en": "p, permutation", "zh": "p 值（置换）"},
        "detectable": {"en": "Detectable difference", "zh": "可识别的差异"}, "df": {"en": "df", "zh": "自由度"},
    },
    "overall": {
        "segments": {"en": "Groups", "zh": "组数"}, "f": {"en": "F", "zh": "F"}, "q": {"en": "df 1", "zh": "自由度 1"},
        "df": {"en": "df 2", "zh": "自由度 2"}, "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
        "p_raw": {"en": "p, unadjusted", "zh": "p 值（未校正）"},
    },
    "micom": {
        "items": {"en": "Indicators", "zh": "指标数"}, "configural": {"en": "Same treatment", "zh": "处理相同"},
        "c": {"en": "Correlation of compositions", "zh": "构成的相关系数"}, "c_null": {"en": "Least if alike", "zh": "相同时的下限"},
        "c_p_value": {"en": "p, composition", "zh": "p 值（构成）"}, "composed_alike": {"en": "Composed alike", "zh": "构成相同"},
        "mean_gap": {"en": "Gap of means (SD)", "zh": "均值差（标准差）"}, "mean_null_low": {"en": "Gap if alike, low", "zh": "相同时均值差下限"},
        "mean_null_high": {"en": "Gap if alike, high", "zh": "相同时均值差上限"}, "mean_p_value": {"en": "p, means", "zh": "p 值（均值）"},
        "equal_means": {"en": "Same means", "zh": "均值相同"}, "variance_ratio": {"en": "Ratio of variances", "zh": "方差比"},
        "variance_null_low": {"en": "Ratio if alike, low", "zh": "相同时方差比下限"},
        "variance_null_high": {"en": "Ratio if alike, high", "zh": "相同时方差比上限"},
        "variance_p_value": {"en": "p, variances", "zh": "p 值（方差）"}, "equal_variances": {"en": "Same variances", "zh": "方差相同"},
        "invariance": {"en": "Invariance", "zh": "不变性"}, ("invariance", "none"): {"en": "none", "zh": "不成立"},
        ("invariance", "partial"): {"en": "partial", "zh": "部分"}, ("invariance", "full"): {"en": "full", "zh": "完全"}, ("invariance", "untested"): {"en": "not tested", "zh": "未检验"},
        "c_p_raw": {"en": "p, composition, unadjusted", "zh": "p 值（构成，未校正）"},
        "mean_p_raw": {"en": "p, means, unadjusted", "zh": "p 值（均值，未校正）"},
        "variance_p_raw": {"en": "p, variances, unadjusted", "zh": "p 值（方差，未校正）"},
    },
}  # fmt: skip
FORMATS = {"se": ".3f"}
_MORE_FORMATS: Mapping[str, dict[str, str]] = {
    "differences": {"estimate": "+.2f", "low": "+.2f", "high": "+.2f", "p_raw": "p", "p_permutation": "p", "df": ",.0f",
                    "detectable": ".2f"},
    "overall": {"f": ".2f", "q": ",.0f", "df": ",.0f", "p_raw": "p"},
    "micom": {"c": ".4f", "c_null": ".4f", "mean_gap": "+.2f", "mean_null_low": "+.2f", "mean_null_high": "+.2f",
              **dict.fromkeys([f"{s}_p_{k}" for s in ("c", "mean", "variance") for k in ("value", "raw")], "p")},
}  # fmt: skip
