"""Are the composites of segments with models of their own composed alike? Said as a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.design import kish_base
from cxlab.layers._groups_cells import Group, Options
from cxlab.layers._groups_tests import unlike, untested
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._micom import micom_table, pairs_of
from cxlab.words import Note

if TYPE_CHECKING:
    from cxlab.layers._result import PathModelResult

Tested = tuple[Mapping[str, Any], np.ndarray, Kernel, Estimates | None]


def alike_notes(result: PathModelResult, segments: Sequence[Tested]) -> tuple[Mapping[str, str], ...]:
    """Whether segments weight the items of each construct alike (second step of MICOM, by replicates)."""
    kernel = result.kernel
    if kernel is None:
        return ()
    prepared = kernel.prepared
    groups = [g for g in (_group(*s) for s in segments) if g.tested]
    if len(groups) < 2:
        return (Note(_UNTESTED),)
    options = Options("segment", "plsc" if kernel.consistent else "pls", kernel.scheme, prepared.missing, 0, result.replicates,
                      result.seed, result.level)  # fmt: skip
    pairs = pairs_of(prepared, groups, options)
    table = micom_table(pairs, [None] * len(pairs), options)
    found = ((_UNLIKE, unlike(table)), (_UNKNOWN, untested(table)))
    notes = tuple(
        Note(
            template, constructs={lang: sep.join(prepared.labels[c][lang] for c in names) for lang, sep in _SEPARATORS}
        )
        for template, names in found
        if names
    )
    return notes or (Note(_ALIKE, pairs=len(pairs)),)


def _group(key: Mapping[str, Any], rows: np.ndarray, kernel: Kernel, draws: Estimates | None) -> Group:
    code, weights = next(iter(key.values())), kernel.prepared.sample.weights
    moments = None
    if draws is not None:
        moments = draws.means, draws.correlations * draws.spread[:, :, None] * draws.spread[:, None, :]
    return Group(code, rows, len(weights), kish_base(weights), "", kernel, moments, draws)


_SEPARATORS = (("en", ", "), ("zh", "、"))
_UNKNOWN = {
    "en": "Too few sampling units to test whether segments compose these alike: {constructs}. Compare importance and performance of what rests on them "
    "with care.",
    "zh": "抽样单位过少，无法检验以下构念在各群体中的构成是否一致：{constructs}。跨群体比较其重要性与表现时请谨慎。",
}
_UNTESTED = {
    "en": "Whether the segments compose their constructs alike was not tested: fewer than two have replicates and an effective base of 30.",
    "zh": "未检验各群体的构念构成是否一致：具备重抽样结果且有效样本量达 30 的群体不足两个。",
}
_ALIKE = {
    "en": "No difference was found in how the segments compose their constructs (second step of MICOM, {pairs} pairs, Holm): their importances "
    "may be set side by side.",
    "zh": "未发现各群体的构念构成有差异（MICOM 第二步，{pairs} 对比较，Holm 校正）：其重要性可并列比较。",
}
_UNLIKE = {
    "en": "Composed differently in different segments (second step of MICOM): {constructs}. Importance and performance of what rests on them "
    "are not comparable between segments.",
    "zh": "以下构念在不同群体中的构成不同（MICOM 第二步未通过）：{constructs}。依赖这些构念的重要性与表现不可跨群体比较。",
}
