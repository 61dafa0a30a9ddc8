"""Admissible: whether an estimated path model can be believed, and read as it is meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import AdmissibilityWarning, CollinearityWarning, DataWarning, SignFlipWarning
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._stages import Stage, stages
from cxlab.measurement import inflation
from cxlab.words import Note, number

FloatArray = np.ndarray[Any, np.dtype[Any]]
Case = tuple[str, str, float, float]
WEAK, INFLATED, RELIABLE, OFTEN = 0.40, 5.0, 0.60, 0.05
NEAR = 0.9  # correlation from which a pair is named among those that make a matrix impossible
_ROUNDING = 1e-8  # above 1 by more than rounding
_SHOWN = 5
INADMISSIBLE = ("loading above 1", "reliability above 1", "no reliability", "impossible correlations")


def problems(kernel: Kernel, sample: Estimates, draws: Estimates | None) -> pd.DataFrame:
    """What speaks against an estimated model: ``problem, subject, value, limit``, one row per case.

    Parameters
    ----------
    kernel : Kernel
    sample : Estimates
    draws : Estimates or None
        Replicates that have a solution.
    """
    rows: list[Case] = []
    if kernel.consistent:
        rows += [*_heywood(kernel, sample), *_impossible(kernel, sample), *_replicated(kernel, draws)]
    rows += _collinear(kernel, sample)
    for stage in stages(kernel, sample):
        rows += [*_weights(stage), *_loadings(stage), *_unreliable(stage)]
    return pd.DataFrame(rows, columns=["problem", "subject", "value", "limit"])


# ------------------------------------------------------------------------------ common factors
def _factors(kernel: Kernel) -> tuple[np.ndarray, np.ndarray]:
    """Indicator and construct of each loading that is corrected for reliability."""
    blocks, chosen = kernel.plan.structure.blocks, np.flatnonzero(kernel.plan.consistent)
    item = np.concatenate([blocks[j] for j in chosen]) if len(chosen) else np.empty(0, dtype=np.intp)
    return item, np.repeat(chosen, [len(blocks[j]) for j in chosen])


def _heywood(kernel: Kernel, sample: Estimates) -> Iterator[Case]:
    item, construct = _factors(kernel)
    for i, value in zip(item, sample.loadings[0, item, construct], strict=True):
        if abs(value) > 1 + _ROUNDING:
            yield "loading above 1", kernel.plan.indicators[i], float(value), 1.0
    for j in np.unique(construct):
        value = float(sample.rho_a[0, j])
        if value > 1 + _ROUNDING:
            yield "reliability above 1", kernel.names[j], value, 1.0
        elif not value > 0:
            yield "no reliability", kernel.names[j], value, 0.0


def _impossible(kernel: Kernel, sample: Estimates) -> Iterator[Case]:
    """Corrected correlations that no population can have; the closest pairs are named."""
    between = sample.between[0]
    if not np.isfinite(between).all():
        return
    least = float(np.linalg.eigvalsh(between)[0])
    if least <= 0:
        yield "impossible correlations", "", least, 0.0
        size = np.abs(np.triu(between, 1))
        order = np.argsort(-size, axis=None, kind="stable")[:3]
        for rank, (i, j) in enumerate(zip(*np.unravel_index(order, size.shape), strict=True)):
            if rank == 0 or size[i, j] >= NEAR:
                yield "impossible correlations", f"{kernel.names[i]}, {kernel.names[j]}", float(between[i, j]), 1.0


def _replicated(kernel: Kernel, draws: Estimates | None) -> Iterator[Case]:
    if draws is None or not len(draws.paths):
        return
    item, construct = _factors(kernel)
    bad = (np.abs(draws.loadings[:, item, construct]) > 1 + _ROUNDING).any(axis=1)
    bad |= (draws.rho_a[:, np.unique(construct)] > 1 + _ROUNDING).any(axis=1)
    bad |= np.linalg.eigvalsh(draws.between)[:, 0] <= 0
    if bad.any():
        yield "inadmissible replicates", "", float(bad.mean()), OFTEN


# ------------------------------------------------------------------------------ any model
def _collinear(kernel: Kernel, sample: Estimates) -> Iterator[Case]:
    """Causes whose paths share nearly all they say; under PLSc of the corrected correlations."""
    paths = kernel.plan.structure.paths
    for j in np.flatnonzero(paths.any(axis=0)):
        causes = np.flatnonzero(paths[:, j])
        inside = sample.between[:, causes[:, None], causes]
        if not np.isfinite(inside).all() or np.linalg.eigvalsh(inside)[0, 0] <= 0:
            continue  # said by the checks of common factors
        for i, value in zip(causes, inflation(inside)[0], strict=True):
            if value > INFLATED:
                yield "collinear causes", f"{kernel.names[i]} -> {kernel.names[j]}", float(value), INFLATED


def _weights(stage: Stage) -> Iterator[Case]:
    loaded = stage.cross_loadings()[0]
    for j in stage.shown:
        for i in stage.blocks[j]:
            weight = float(stage.outer[0, i, j])
            if weight < 0:
                yield "negative weight", stage.indicators[i], weight, 0.0
            if stage.structure.modes[j] == "B" and weight * loaded[i, j] < 0:
                yield "weight against loading", stage.indicators[i], weight, 0.0


def _loadings(stage: Stage) -> Iterator[Case]:
    loaded = stage.loadings()[0]
    for j in filter(stage.reflective, stage.shown):
        for i in stage.blocks[j]:
            if abs(loaded[i, j]) < WEAK:
                yield "weak loading", stage.indicators[i], float(loaded[i, j]), WEAK


def _unreliable(stage: Stage) -> Iterator[Case]:
    measures = np.stack([stage.alpha()[0], stage.rho_a()[0], stage.composite_reliability()[0]])
    for j in filter(stage.reflective, stage.shown):
        least = float(np.nanmin(measures[:, j]))
        if least < RELIABLE:
            yield "low reliability", stage.names[j], least, RELIABLE


# ------------------------------------------------------------------------------ words
def said(found: pd.DataFrame, labels: Mapping[Any, Mapping[str, str]]) -> dict[str, Note]:
    """Each kind of problem in words, its worst cases first."""
    out = {}
    for kind, rows in found.groupby("problem", sort=False):
        listed = {
            lang: _listed(rows, {k: v[lang] for k, v in labels.items() if lang in v}, lang) for lang in ("en", "zh")
        }
        first = rows.iloc[0]
        out[str(kind)] = Note(PROBLEMS[str(kind)], listed=listed, value=first["value"], limit=first["limit"])
    return out


def warn(found: pd.DataFrame, stacklevel: int) -> None:
    """Warn of every kind of problem but low reliability, which is a note only."""
    for kind, rows in found.groupby("problem", sort=False):
        often = kind == "inadmissible replicates" and rows["value"].iloc[0] <= OFTEN
        if kind == "low reliability" or often:
            continue
        first = rows.iloc[0]
        note = Note(PROBLEMS[str(kind)], listed=_listed(rows, {}, "en"), value=first["value"], limit=first["limit"])
        warnings.warn(note["en"], _CLASSES.get(str(kind), AdmissibilityWarning), stacklevel=stacklevel)


def _listed(rows: pd.DataFrame, labels: Mapping[Any, str], lang: str) -> str:
    """Up to five cases with their values, in the language of the labels; names in quotation marks where there are none."""
    cases = [(s, v) for s, v in zip(rows["subject"], rows["value"], strict=True) if s]
    shown = [f"{_named(s, labels, lang)} {number(float(v), '.2f')}" for s, v in cases[:_SHOWN]]
    more = len(cases) - _SHOWN
    rest = [] if more <= 0 else [f"{more} more" if lang == "en" else f"另有 {more} 处"]
    return (", " if lang == "en" else "、").join([*shown, *rest])


def _named(subject: str, labels: Mapping[Any, str], lang: str) -> str:
    for sign, joined in ((" -> ", " → "), (", ", " – ")):
        if sign in subject:
            return joined.join(_named(part, labels, lang) for part in subject.split(sign))
    if not labels:
        return repr(subject)
    label = labels.get(subject, subject)
    return f"“{label}”" if lang == "zh" else label


def inadmissible(found: pd.DataFrame) -> Sequence[str]:
    """Kinds of problems after which paths are not to be reported."""
    return [kind for kind in INADMISSIBLE if (found["problem"] == kind).any()] if len(found) else []


_CLASSES = {
    "collinear causes": CollinearityWarning,
    "negative weight": SignFlipWarning,
    "weight against loading": SignFlipWarning,
    "weak loading": DataWarning,
}
PROBLEMS = {
    "loading above 1": {
        "en": "Loadings above 1 after correction for reliability (a Heywood case): {listed}. No common factor gives such data; look for items that "
        "repeat one another, or take composites (method='pls').",
        "zh": "校正信度后载荷大于 1（Heywood 现象）：{listed}。不存在能产生此类数据的共同因子；请检查是否有重复的题目，或改用复合构念（method='pls'）。",
    },
    "reliability above 1": {
        "en": "rho_A above 1: {listed}. The correction for reliability overshoots; take composites (method='pls'), or other items.",
        "zh": "rho_A 大于 1：{listed}。信度校正失当；请改用复合构念（method='pls'）或更换题目。",
    },
    "no reliability": {
        "en": "rho_A is not above 0: {listed}. The items do not go together, so that nothing can be corrected and paths from and to the construct "
        "are not defined; take the items apart, or take composites (method='pls').",
        "zh": "rho_A 不大于 0：{listed}。题目彼此不一致，无法校正，与该构念相连的路径没有定义；请拆分题目，或改用复合构念（method='pls'）。",
    },
    "impossible correlations": {
        "en": "The corrected correlations of the constructs are not positive definite (smallest eigenvalue {value:.3f}), so that no population "
        "has them; the closest: {listed}. Merge "
        "constructs that measure the same, or take composites (method='pls').",
        "zh": "校正后的构念相关矩阵非正定（最小特征值 {value:.3f}），任何总体都不会如此；最接近的构念：{listed}。请合并测量同一内容的构念，或改用复合构念（method='pls'）。",
    },
    "inadmissible replicates": {
        "en": "{value:.0%} of the replicates have a loading or rho_A above 1 or correlations that are not positive definite; they stay in the intervals.",
        "zh": "{value:.0%} 的重抽样出现载荷或 rho_A 大于 1、或相关矩阵非正定；这些结果仍计入区间。",
    },
    "collinear causes": {
        "en": "Causes that carry nearly the same information (VIF above {limit:.0f}): {listed}. Their paths are poorly told apart; merge the constructs, "
        "or leave one out.",
        "zh": "成因的信息高度重叠（VIF 大于 {limit:.0f}）：{listed}。其路径难以区分；请合并构念或去掉其中之一。",
    },
    "negative weight": {
        "en": "Negative weights: {listed}. More of such an item lowers the index, which may leave 0–100; check the direction of its scale.",
        "zh": "负权重：{listed}。这些题目得分越高，指数反而越低，且指数可能超出 0–100；请检查量表方向。",
    },
    "weight against loading": {
        "en": "The sign of the weight contradicts that of the loading: {listed}. Other indicators of the index carry the same information; do not read "
        "such a weight alone.",
        "zh": "权重与载荷符号相反：{listed}。同一指数的其他指标含有相同信息，此类权重不可单独解读。",
    },
    "weak loading": {
        "en": "Loadings under {limit:.2f}: {listed}. Such an indicator hardly measures its construct; check its wording and scale, or leave it out.",
        "zh": "载荷低于 {limit:.2f}：{listed}。此类指标几乎不能测量所属构念；请检查措辞与量表，或将其去掉。",
    },
    "low reliability": {
        "en": "Reliability under {limit:.2f} (the lowest of alpha, rho_A and rho_C): {listed}. Paths from and to it are uncertain; see .measurement().",
        "zh": "信度低于 {limit:.2f}（alpha、rho_A、rho_C 中的最小值）：{listed}。与之相连的路径不可靠；详见 .measurement()。",
    },
}
