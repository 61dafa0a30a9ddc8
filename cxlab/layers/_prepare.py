"""Prepare: from a survey and a model to columns on 0–100, rows and covariances."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cxlab.covariances import INCOMPLETE, SOURCES, Sample, Source, check_pairs, unmet
from cxlab.design import kish_base, resolve
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError, one_of
from cxlab.layers._choose import Layers, Model, chosen_model, construct_labels
from cxlab.layers._model import PathModel, counted
from cxlab.metrics import names as wordings
from cxlab.moments import to_correlation
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
METHODS = ("listwise", *INCOMPLETE)
_FINDS = 2.486  # z for a one-sided test at .05 with power .8: Kock & Hadaya's inverse square root method
_SMALLEST = 0.2  # standardised path that a study should be able to find
_OUTSIDE = 0.01  # share of an item's answers beyond the ends of its scale from which a warning is given
_SINGULAR = 1e-10  # eigenvalue of a correlation matrix under which columns repeat one another


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an analysis of a path model starts from.

    Attributes
    ----------
    model : PathModel
    sample : Sample
        One column per item in the order of ``model.items``, on 0–100, more is better.
    source : Source
        Means and covariances of these columns.
    scales : array, shape (items, 2)
        Ends of each item's response scale.
    missing : str
    excluded : int
        Respondents of the domain that left, and ``excluded_share``, their share of its weight.
    labels : mapping
        Wordings of items and constructs.
    notes : tuple of Note
    survey : Survey
    """

    model: PathModel
    sample: Sample
    source: Source
    scales: FloatArray
    missing: str
    excluded: int
    excluded_share: float
    labels: Mapping[Any, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[Mapping[str, str], ...] = ()
    survey: Survey | None = field(default=None, repr=False)

    @property
    def columns(self) -> FloatArray:
        """Items on 0–100, shape (rows, items)."""
        return self.sample.columns

    def within(self, inside: np.ndarray) -> Prepared:
        """The same model on some of the rows, bool of shape (rows,): a group."""
        sample = replace(
            self.sample,
            columns=self.columns[inside],
            weights=self.sample.weights[inside],
            rows=self.sample.rows[inside],
        )
        return replace(self, sample=sample, source=SOURCES[self.missing](sample))


def prepare(survey: Survey, model: Model, missing: str = "listwise", layers: Layers = None) -> Prepared:
    """Choose the model and the rows, and say what was left out."""
    if missing not in METHODS:
        raise one_of("missing", missing, METHODS)
    found, notes = chosen_model(survey, model, missing, layers)
    survey.require("model", found.items)
    if found.products and missing != "listwise":
        raise SurveyError(
            f"missing={missing!r}: {counted(len(found.products), 'product of constructs', 'products of constructs')} "
            f"({', '.join(found.products)}) {'needs' if len(found.products) == 1 else 'need'} the answers of every row; use missing='listwise', "
            "or leave products out."
        )
    check_items(survey, found)
    asked = survey.domain & (survey.weights > 0)
    columns, scales, undeclared = _columns(survey, found.items, asked)
    _check_usable(found, columns[asked], survey)
    kept = asked & np.asarray(SOURCES[missing].keep(np.isfinite(columns)))
    if missing == "listwise":
        notes += _absent_waves(survey, found.items, asked)
    else:
        _check_experienced(survey, found.items, missing)
    rows = np.flatnonzero(kept)
    _check_rows(found, columns[asked], len(rows), missing)
    _check_spread(found, columns[rows])
    sample = Sample(columns[rows], survey.weights[rows], rows, resolve(survey))
    if missing in INCOMPLETE:
        check_pairs(sample, list(found.items), "model")
    source = SOURCES[missing](sample)
    _check_regression(found, to_correlation(source.covariance()))
    notes += _outside(columns[rows], found.items, survey)
    if undeclared:
        notes += (Note(_SCALES, items=", ".join(undeclared)),)
    notes += _small(sample, found)
    labels = {i: wordings(survey, i) for i in found.items} | construct_labels(survey, found)
    share = 1 - float(sample.weights.sum() / survey.weights[asked].sum())
    return Prepared(found, sample, source, scales, missing, int(asked.sum()) - len(rows), share, labels, notes, survey)


# ------------------------------------------------------------------------------ columns
def _columns(survey: Survey, items: Sequence[str], asked: np.ndarray) -> tuple[FloatArray, FloatArray, list[str]]:
    """Items on 0–100 turned so that more is better, the ends of their scales, and those whose ends were not declared."""
    columns, scales = np.empty((len(survey.data), len(items))), np.empty((len(items), 2))
    undeclared = []
    for k, name in enumerate(items):
        values, ends = survey.values(name), survey.scale(name)
        if ends is None:
            seen = values[asked & np.isfinite(values)]
            ends = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
            if not np.isin(seen, (0.0, 1.0)).all():
                undeclared.append(name)
        scales[k] = ends
        score = 100 * (values - ends[0]) / max(ends[1] - ends[0], 1e-300)
        columns[:, k] = score if survey.higher_is_better(name) or len(survey.items_of(name)) > 1 else 100 - score
    return columns, scales, undeclared


def check_items(survey: Survey, model: PathModel) -> None:
    """Refuse categories, and answers that are used twice under different names."""
    for name in model.items:
        for column in survey.items_of(name):
            item, values = survey.codebook.items.get(column), survey.data[column]
            if (
                item is not None
                and item.measure == "nominal"
                and item.scale is None
                and values[survey.domain].nunique() > 2
            ):
                raise SurveyError(
                    f"model: indicator {name!r} is nominal and has {values[survey.domain].nunique():,} categories, whose codes have no order; use a "
                    "0/1 column of one category, or declare its scale if the codes are in order."
                )
    used: dict[str, str] = {}
    for name in model.items:
        for column in survey.items_of(name):
            if column in used:
                raise SurveyError(
                    f"model: the indicators {used[column]!r} and {name!r} are made of the same answers ({column!r}); leave one out."
                )
            used[column] = name


def _check_rows(model: PathModel, columns: FloatArray, rows: int, missing: str) -> None:
    """Refuse too few rows, naming what loses them."""
    needed = max(10, -(-len(model.items) // 2))
    if rows >= needed:
        return
    empty = int((~np.isfinite(columns)).any(axis=1).sum())
    remedy = "widen the filter"
    if missing == "listwise" and empty:
        remedy = f"leave out the emptiest ({_emptiest(columns, model.items)}), widen the filter, or use missing='em'"
    raise SurveyError(
        f"model: {rows} of {counted(len(columns), 'respondent')} answered {'all' if missing == 'listwise' else 'any of the'} "
        f"{len(model.items)} indicators; at least {needed} are needed: {remedy}."
    )


def _check_regression(model: PathModel, correlations: FloatArray) -> None:
    """Refuse indicators of mode B that repeat one another: their weights are not defined."""
    for c in model.constructs:
        at = [model.items.index(i) for i in c.indicators if i in model.items]
        if c.mode == "A" or c.name in model.higher() or len(at) < 2:
            continue
        same = repeated(correlations[np.ix_(at, at)])
        if same.any():
            listed = ", ".join(repr(i) for i, s in zip(c.indicators, same, strict=True) if s)
            raise SurveyError(
                f"model: {int(same.sum())} of {len(at)} indicators of {c.name!r} repeat one another exactly ({listed}): weights by regression are "
                f"not defined; leave one out, or write {c.name} =~ ….",
            )


def repeated(correlations: FloatArray) -> np.ndarray:
    """Columns that the others determine, bool of shape (k,).

    Examples
    --------
    >>> repeated(np.array([[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1]])).tolist()
    [True, True, False]
    """
    values, vectors = np.linalg.eigh(correlations)
    return np.asarray((vectors[:, np.abs(values) < _SINGULAR] ** 2).sum(axis=1) > _SINGULAR)


def _outside(columns: FloatArray, items: Sequence[str], survey: Survey) -> tuple[Note, ...]:
    """Say which answers lie beyond the declared ends of a scale, such as a code that means "don't know"; warn of many."""
    with np.errstate(invalid="ignore"):
        count = ((columns < -1e-9) | (columns > 100 + 1e-9)).sum(axis=0)
    if not count.any():
        return ()
    beyond = {i: int(c) for i, c in zip(items, count, strict=True) if c}
    if (count >= _OUTSIDE * np.isfinite(columns).sum(axis=0))[count > 0].any():
        warnings.warn(
            f"{counted(sum(beyond.values()), 'answer lies', 'answers lie')} outside the declared scale and count as they are: "
            f"{', '.join(f'{i!r} {c:,}' for i, c in beyond.items())}; declare codes that are no answers as missing, or correct the scale.",
            DataWarning,
            stacklevel=4,
        )
    listed = {
        lang: sep.join(f"{survey.label(i, lang)} {c:,}" for i, c in beyond.items())
        for lang, sep in (("en", ", "), ("zh", "、"))
    }
    return (Note(_BEYOND, count=sum(beyond.values()), items=listed),)


def _check_usable(model: PathModel, columns: FloatArray, survey: Survey) -> None:
    """Refuse indicators without an answer, naming what would be left of their construct."""
    silent = [i for i, c in zip(model.items, columns.T, strict=True) if not np.isfinite(c).any()]
    if silent:
        raise SurveyError(
            f"model: {len(silent)} of {len(model.items)} indicators {_have(silent)} no answer from the {len(columns):,} respondents: "
            f"{', '.join(map(repr, silent))}.{_left_of(model, silent)} Leave {_them(silent)} out of the model, or choose waves in which {_they(silent)} asked."
        )


def _check_spread(model: PathModel, columns: FloatArray) -> None:
    with np.errstate(invalid="ignore"):
        constant = [i for i, c in zip(model.items, columns.T, strict=True) if not np.nanmax(c) - np.nanmin(c) > 0]
    if constant:
        raise SurveyError(
            f"model: {len(constant)} of {len(model.items)} indicators {_have(constant)} the same answer in all {len(columns):,} rows that are used: "
            f"{', '.join(map(repr, constant))}.{_left_of(model, constant)} Leave {_them(constant)} out of the model, or widen the filter."
        )


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _they(names: Sequence[str]) -> str:
    return "it was" if len(names) == 1 else "they were"


def _left_of(model: PathModel, unusable: Sequence[str]) -> str:
    """What stays of the constructs that lose indicators."""
    said = []
    for c in model.constructs:
        left = [i for i in c.indicators if i not in unusable]
        if len(left) < len(c.indicators) and len(left) < 2:
            kept = f"the single indicator {left[0]!r}, taken as free of error" if left else "nothing"
            said.append(f" {c.name!r} would keep {kept}.")
    return "".join(said)


def _check_experienced(survey: Survey, items: Sequence[str], missing: str) -> None:
    """Refuse to impute what was not experienced."""
    if missing == "pairwise":
        return
    met = [(i, float(unmet(survey, i)[survey.domain].mean())) for i in items]
    absent = [f"{i!r} ({share:.0%})" for i, share in met if share > 0]
    if absent:
        raise SurveyError(
            f"missing={missing!r} would give answers to respondents who did not experience {len(absent)} of {len(items)} "
            f"indicators: {', '.join(absent)}; leave {'it' if len(absent) == 1 else 'these'} out of the model, or use missing='listwise' or 'pairwise'."
        )


def _absent_waves(survey: Survey, items: Sequence[str], asked: np.ndarray) -> tuple[Note, ...]:
    """Warn of waves that listwise deletion loses wholly, as an indicator was not asked there."""
    wave = survey.roles.wave
    if wave is None or wave not in survey.data or survey.data[wave][asked].nunique() < 2:
        return ()
    codes, column = survey.data[wave][asked].to_numpy(), {}
    for i in items:
        answered = np.isfinite(survey.values(i)[asked])
        lost = [c for c in np.unique(codes) if not answered[codes == c].any()]
        if lost:
            column[i] = lost
    if not column:
        return ()
    lost_waves = sorted({c for lost in column.values() for c in lost})
    shown = {level.code: level.label for level in survey.levels(wave)}
    waves = ", ".join(str(shown.get(c, c)) for c in lost_waves)
    warnings.warn(
        f"{counted(len(column), 'indicator has', 'indicators have')} no answer at all in some waves ({', '.join(map(repr, column))}: none in {waves}); all respondents "
        f"of {'this wave' if len(lost_waves) == 1 else 'these waves'} leave the model.",
        DataWarning,
        stacklevel=4,
    )
    items_said = {lang: sep.join(survey.label(i, lang) for i in column) for lang, sep in (("en", ", "), ("zh", "、"))}
    return (Note(_NOT_ASKED, items=items_said, waves=waves),)


def _small(sample: Sample, model: PathModel) -> tuple[Note, ...]:
    """Warn of a base that cannot find a path of ordinary size."""
    effective, needed = kish_base(sample.weights), (_FINDS / _SMALLEST) ** 2
    if effective >= needed:
        return ()
    warnings.warn(
        f"{len(sample.weights)} respondents (effective {effective:.0f}) for {len(model.items)} indicators: a path of "
        f"{_SMALLEST} is found four times in five from about {needed:.0f}; smaller ones go unseen.",
        SmallBaseWarning,
        stacklevel=4,
    )
    return (
        Note(
            _SMALL, base=len(sample.weights), effective=effective, items=len(model.items), path=_SMALLEST, needed=needed
        ),
    )


def _emptiest(columns: FloatArray, items: Sequence[str]) -> str:
    share = np.isnan(columns).mean(axis=0)
    worst = int(np.argmax(share))
    return f"{items[worst]!r}, missing for {share[worst]:.0%}"


_SCALES = {
    "en": "Ends of the scale not declared; the smallest and largest answers stand for 0 and 100: {items}.",
    "zh": "以下题目未声明量表两端，以最小和最大答案作为 0 和 100：{items}。",
}
_BEYOND = {
    "en": "Answers outside the declared scale, used as they are: {items}.",
    "zh": "超出所声明量表范围、仍按原值使用的答案数：{items}。",
}
_NOT_ASKED = {
    "en": "No answer at all in some waves: {items}. All respondents of {waves} leave the model.",
    "zh": "部分期次完全没有答案：{items}。{waves} 的受访者全部未纳入模型。",
}
_SMALL = {
    "en": "{base:,} respondents (effective {effective:,.0f}) for {items} indicators: a path of {path:.1f} is found four times in five from "
    "about {needed:,.0f}.",
    "zh": "{base:,} 名受访者（有效样本量 {effective:,.0f}）对应 {items} 个指标：要以八成把握发现 {path:.1f} 的路径，约需 {needed:,.0f} 人。",
}
