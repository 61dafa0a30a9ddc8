"""What happens to a study's data on the way in, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cxlab.words import sentence

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "codebook_extra": {
        "en": "{file} describes items that the data do not have ({count}): {items}.",
        "zh": "{file} 中有 {count} 个题目在数据中不存在：{items}。",
    },
    "scale_labels": {
        "en": "The scale of {item} was taken from its value labels: {low:g} to {high:g}.",
        "zh": "{item} 的量表取自数值标签：{low:g} 至 {high:g}。",
    },
    "scale_answers": {
        "en": "The scale of {item} was taken from its answers: {low:g} to {high:g}.",
        "zh": "{item} 的量表取自实际答案：{low:g} 至 {high:g}。",
    },
    "scale_unknown": {
        "en": "The scale of {item} is not known (its answers run from {low:g} to {high:g}); declare it under items.",
        "zh": "{item} 的量表未知（答案范围 {low:g} 至 {high:g}），请在 items 中声明。",
    },
    "code_kept": {
        "en": "Code {code} ({means}) also occurs in {items}, whose scale is not known; there it stays an answer.",
        "zh": "编码 {code}（{means}）也出现在 {items} 中；因其量表未知，仍按有效答案保留。",
    },
    "undeclared": {
        "en": "Code {code} is labelled {label} but not declared missing, so it counts as an answer: {items}. "
        "If it is none, write {code}: {reason} under missing.",
        "zh": "编码 {code} 的标签是“{label}”，但未声明为缺失，目前按有效答案计入：{items}。"
        "如不是有效答案，请在 missing 中写入 {code}: {reason}。",
    },
    "some_missing": {
        "en": "{item}: {count:,} answers have a code that only some of the files declare missing; they are missing.",
        "zh": "{item}：有 {count:,} 个答案的编码只在部分文件中声明为缺失，已一律按缺失处理。",
    },
    "absent": {
        "en": "{file} has no column {columns}; missing for its {count:,} respondents.",
        "zh": "{file} 缺少列 {columns}；其 {count:,} 位受访者在这些列上为缺失。",
    },
    "recode_lost": {
        "en": "{item}: {count:,} answers of {source} fall into no group and are missing.",
        "zh": "{item}：{source} 有 {count:,} 个答案不属于任何分组，按缺失处理。",
    },
    "nps_scale": {
        "en": "{item} is asked on {low:g} to {high:g}; NPS is defined on 0 to 10 and is not computed.",
        "zh": "{item} 采用 {low:g} 至 {high:g} 的量表；NPS 定义在 0 至 10 上，因此不计算。",
    },
    "shadowed": {
        "en": "{group}.{name} has the name of a column; in calls {name} means the column.",
        "zh": "{group}.{name} 与数据列同名；调用时 {name} 指该列。",
    },
    "no_answers": {"en": "{item} has no answers.", "zh": "{item} 没有任何答案。"},
    "wave_order": {
        "en": "The waves are texts and were taken in this order: {waves}. If it is wrong, give them codes with labels.",
        "zh": "期次为文本，按以下顺序排列：{waves}。如顺序有误，请改用带标签的编码。",
    },
    "few_waves": {
        "en": "last:{wanted}: the study has only {count} waves up to {last}.",
        "zh": "last:{wanted}：截至 {last}，本研究只有 {count} 期。",
    },
}


def note(key: str, **facts: Any) -> str:
    """Word a note in the current language."""
    return sentence(TEMPLATES[key], None, **facts).text


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names for people, at most so many."""
    names = list(names)
    return ", ".join(names[:most]) + (f", … (+{len(names) - most})" if len(names) > most else "")
