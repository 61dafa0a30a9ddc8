"""What a common-factor model says: its tables, its picture, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.layers import _factor_words as words
from cxlab.layers._model import PathModel
from cxlab.layers._result import HEADINGS as PATH_HEADINGS
from cxlab.result import Labels, Result
from cxlab.words import Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._factor_beside import BesideResult
    from cxlab.layers._factor_spread import Basis
    from cxlab.layers._result import PathModelResult

_TITLES = {
    "fit": {"en": "Fit", "zh": "拟合指标"},
    "problems": {"en": "What speaks against the solution", "zh": "解的问题"},
    "effects": {"en": "Direct, indirect and total effects", "zh": "直接效应、间接效应与总效应"},
    "constructs": {"en": "What is explained", "zh": "解释程度"},
    "correlations": {"en": "Correlations of the constructs", "zh": "构念间相关"},
    "residuals": {"en": "Pairs of items that the model reproduces worst", "zh": "模型再现最差的题目对"},
}
WEAK, NOTABLE = 0.30, 0.10  # loading, and residual correlation, that sentences mention


@dataclass(frozen=True, eq=False)
class FactorModelResult(Result):
    """Paths, correlations and loadings of common factors, how well they fit, and what speaks against them.

    Attributes
    ----------
    effects : DataFrame
        ``source, target, kind`` (direct, indirect, total indirect, total), ``route, estimate, se, low, high, p_value, impact,
        impact_low, impact_high``.
    constructs : DataFrame
        ``construct, r_squared, r_squared_low, r_squared_high``.
    correlations : DataFrame
        ``source, target, estimate, se, low, high, p_value``.
    fit : DataFrame
        ``measure`` (chisq, df, cfi, tli, rmsea, srmr), ``estimate, low, high`` (RMSEA: 90 %), ``p_value, reading``; corrected for the
        design unless ``errors="normal"``.
    measures : mapping of str to float
        All fit measures under lavaan's names.
    problems : DataFrame
        ``problem, subject, value, limit``; empty for a sound solution.
    residuals : DataFrame
        ``first, second, observed, implied, residual`` of the ten worst pairs of items.
    model : PathModel
    basis : Basis
        What further analyses go on from.
    errors : {"replicates", "linear", "normal"}
    interval : {"percentile", "t", "linear", "normal"}
    seed : int
    """

    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    constructs: pd.DataFrame = field(default_factory=pd.DataFrame)
    correlations: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    measures: Mapping[str, float] = field(default_factory=dict)
    problems: pd.DataFrame = field(default_factory=pd.DataFrame)
    residuals: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: PathModel = field(default_factory=lambda: PathModel((), ()))
    basis: Basis | None = field(default=None, repr=False)
    errors: str = "replicates"
    interval: str = "percentile"
    seed: int = 0

    @property
    def admissible(self) -> bool:
        """Whether no variance is negative, no loading above 1, and the correlations of the constructs are possible."""
        return not self.problems["problem"].isin(words.INADMISSIBLE).any()

    @property
    def verdict(self) -> str:
        """Fit in a word: good, acceptable, poor; none where the model cannot but fit."""
        readings = set(self.fit["reading"]) - {""}
        return next((r for r in ("poor", "acceptable", "good") if r in readings), "none")

    def further(self) -> Mapping[str, Result]:
        """Fit, problems, effects, R², correlations, residuals."""
        parts = {name: getattr(self, name) for name in _TITLES}
        return {
            name: Result(table, self.base, (), self.labels, self.call, _TITLES[name], self.formats, self.level)
            for name, table in parts.items()
            if len(table)
        }

    def beside(self, other: PathModelResult | pd.DataFrame, name: str = "PLS") -> BesideResult:
        """Path coefficients of another model beside these.

        Parameters
        ----------
        other : PathModelResult or DataFrame
            Of :func:`cxlab.path_model`: PLS and PLSc are both shown, and the differences have intervals from replicates
            with the same weights. It needs the same constructs and paths. A table with ``source, target, estimate`` (and ``low, high``) gives estimates alone.
        name : str
            Heading of a table's estimates.

        Returns
        -------
        BesideResult
            One row per path and method.
        """
        from cxlab.layers._factor_beside import beside

        return beside(self, other, name)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw paths (or correlations) and loadings with their intervals."""
        from cxlab.layers._draw_factor import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Fit in plain words, what speaks against the solution, and only then paths and loadings."""
        lang = language(lang)
        return Sentences(
            [*self._about_fit(lang), *self._about_problems(lang), *self._about_paths(lang), *self._about_loadings(lang)]
        )

    def _about_fit(self, lang: str) -> Iterator[Sentence]:
        items = len(self.model.items)
        if self.verdict == "none":
            yield sentence(words.NO_FIT, lang, items=items)
            return
        of = self.fit.set_index("measure")
        facts = {m: of.loc[m, "estimate"] for m in ("chisq", "df", "cfi", "rmsea", "srmr")}
        yield sentence(words.FIT[self.verdict], lang, **facts, items=items, low=of.loc["rmsea", "low"], high=of.loc["rmsea", "high"],
                       p=of.loc["chisq", "p_value"], base=self.base.respondents)  # fmt: skip
        worst = self.residuals.iloc[0]
        if abs(worst["residual"]) >= NOTABLE or self.verdict == "poor":
            yield sentence(words.WORST, lang, first=self.label(worst["first"], lang), second=self.label(worst["second"], lang),
                           observed=worst["observed"], implied=worst["implied"])  # fmt: skip

    def _about_problems(self, lang: str) -> Iterator[Sentence]:
        said = words.said_problems(self.problems, self.labels)
        for template, grave in ((words.NOT_ADMISSIBLE, True), (words.SHAKY, False)):
            which = [_inside(note[lang]) for kind, note in said.items() if (kind in words.INADMISSIBLE) == grave]
            if which:
                yield sentence(template, lang, which=("; " if lang == "en" else "；").join(which))

    def _about_paths(self, lang: str) -> Iterator[Sentence]:
        """Nothing of a solution that cannot be."""
        if not self.admissible:
            return
        paths = self.table[self.table["kind"] == "path"]
        for target in dict.fromkeys(paths["target"]):
            top = paths[paths["target"] == target]
            top = top.iloc[[int(top["estimate"].abs().to_numpy().argmax())]]
            if not top["low"].iloc[0] <= 0 <= top["high"].iloc[0]:
                yield self._pair(words.STRONGEST, top, lang)
        unclear = paths[(paths["low"] <= 0) & (paths["high"] >= 0)]
        if len(unclear):
            listed = [f"{self.label(r.source, lang)} → {self.label(r.target, lang)}" for r in unclear.itertuples()]
            yield sentence(
                words.UNCLEAR,
                lang,
                count=len(unclear),
                all=len(paths),
                paths=("、" if lang == "zh" else ", ").join(listed),
            )
        if paths.empty and len(self.correlations):
            yield self._pair(words.TOGETHER, self.correlations, lang)

    def _pair(self, template: Mapping[str, str], rows: pd.DataFrame, lang: str) -> Sentence:
        top = rows.iloc[int(rows["estimate"].abs().to_numpy().argmax())]
        facts = {"effect": top["estimate"], "low": top["low"], "high": top["high"]}
        return sentence(
            template, lang, source=self.label(top["source"], lang), target=self.label(top["target"], lang), **facts
        )

    def _about_loadings(self, lang: str) -> Iterator[Sentence]:
        loadings = self.table[self.table["kind"] == "loading"]
        weak = loadings[loadings["estimate"].abs() < WEAK]
        if len(weak):
            pair = "“{}” {}" if lang == "en" else "“{}”{}"
            listed = [pair.format(self.label(r.target, lang), number(r.estimate, ".2f")) for r in weak.itertuples()]
            yield sentence(words.WEAK, lang, limit=WEAK, listed=("、" if lang == "zh" else ", ").join(listed))

    @property
    def _made(self) -> str:
        """How intervals were made in the end: hopeless replicates give way to the sandwich."""
        return "linear" if self.interval == "linear" else self.errors

    def headline(self, lang: str | None = None) -> Sentence:
        """The finding as a title: what forbids to read the solution, or how it fits and its largest path that is shown."""
        lang = language(lang)
        if not self.admissible:
            names = {"en": "{} ({})", "zh": "{}（{}）"}[lang]
            faults = self.problems[self.problems["problem"].isin(words.INADMISSIBLE)]
            listed = [
                names.format(self.label(kind, lang, "problem"), count)
                for kind, count in faults["problem"].value_counts(sort=False).items()
            ]
            return sentence(words.TITLE_INADMISSIBLE, lang, which=words.BETWEEN[lang].join(listed[:2]))
        of = self.fit.set_index("measure")["estimate"]
        facts = {"fit": words.TITLE_FIT[self.verdict][lang], "cfi": of["cfi"], "rmsea": of["rmsea"]}
        paths = self.table[self.table["kind"] == "path"]
        shown = paths[(paths["low"] > 0) | (paths["high"] < 0)]
        if self.verdict == "poor" or shown.empty:
            return sentence(words.TITLE_FITS if self.verdict != "none" else words.TITLE_NO_FIT, lang, **facts)
        top = shown.iloc[int(shown["estimate"].abs().to_numpy().argmax())]
        ends = {
            "source": self.label(top["source"], lang),
            "target": self.label(top["target"], lang),
            "effect": top["estimate"],
        }
        return sentence(words.TITLE_PATH if self.verdict != "none" else words.TITLE_PATH_ALONE, lang, **facts, **ends)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        lang = language(lang)
        return sentence(words.METHODS, lang, constructs=len(self.model.constructs), items=len(self.model.items),
                        base=self.base.respondents, errors=words.ERROR_WORDS[self._made][lang]).text  # fmt: skip


def _inside(text: str) -> str:
    """A note as a part of a sentence."""
    return number(text.rstrip(".。"), "in")


_MEASURES: dict[str, Any] = {
    "chisq": {"en": "χ²", "zh": "χ²"}, "df": {"en": "Degrees of freedom", "zh": "自由度"}, "cfi": {"en": "CFI", "zh": "CFI"},
    "tli": {"en": "TLI", "zh": "TLI"}, "rmsea": {"en": "RMSEA (90% interval)", "zh": "RMSEA（90% 区间）"}, "srmr": {"en": "SRMR", "zh": "SRMR"},
}  # fmt: skip
_PROBLEMS: dict[str, Any] = {
    "negative error variance": {"en": "negative error variance", "zh": "误差方差为负"},
    "loading above 1": {"en": "loading above 1", "zh": "载荷超过 1"},
    "negative residual variance": {"en": "negative residual variance", "zh": "残差方差为负"},
    "impossible correlations": {"en": "impossible correlations", "zh": "相关矩阵非正定"},
    "hardly two constructs": {"en": "hardly two constructs", "zh": "构念难以区分"},
    "loosely determined": {"en": "loosely determined", "zh": "估计极不稳定"},
    "near unidentified": {"en": "nearly unidentified", "zh": "近乎不可识别"},
    "few respondents": {"en": "few respondents per parameter", "zh": "每个参数的样本过少"},
    "failed replicates": {"en": "replicates without a solution", "zh": "重抽样无解"},
}
HEADINGS: Labels = {
    **PATH_HEADINGS, "kind": {"en": "Kind", "zh": "类型"}, "measure": {"en": "Measure", "zh": "指标"},
    "reading": {"en": "Reading", "zh": "评价"}, "problem": {"en": "Problem", "zh": "问题"}, "subject": {"en": "Where", "zh": "所在"},
    "value": {"en": "Value", "zh": "数值"}, "limit": {"en": "Limit", "zh": "界限"}, "first": {"en": "Item", "zh": "题目"},
    "second": {"en": "with", "zh": "对应题目"}, "observed": {"en": "Observed", "zh": "实际相关"}, "implied": {"en": "By the model", "zh": "模型推算"},
    "residual": {"en": "Difference", "zh": "差值"},
    ("kind", "path"): {"en": "path", "zh": "路径"}, ("kind", "correlation"): {"en": "correlation", "zh": "相关"},
    ("kind", "loading"): {"en": "loading", "zh": "载荷"},
    ("reading", "good"): {"en": "good", "zh": "良好"}, ("reading", "acceptable"): {"en": "acceptable", "zh": "尚可"},
    ("reading", "poor"): {"en": "poor", "zh": "不佳"},
    **{("measure", name): said for name, said in _MEASURES.items()},
    **{("problem", name): said for name, said in _PROBLEMS.items()},
}  # fmt: skip
FORMATS: dict[Any, str] = {"se": ".3f", "estimate": ".3f", "low": ".3f", "high": ".3f", "observed": ".2f", "implied": ".2f",
                           "residual": "+.2f", "value": ".3g", "limit": ".3g"}  # fmt: skip
