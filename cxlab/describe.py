"""The codebook of a survey as a table: what each column asks, holds and lacks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlab.items import Item
from cxlab.result import Base, Result
from cxlab.survey import Survey
from cxlab.words import language, number

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "label": {"en": "Wording", "zh": "题干"},
    "kind": {"en": "Stores", "zh": "数据类型"},
    "measure": {"en": "Measure", "zh": "测量水平"},
    "scale": {"en": "Scale", "zh": "量表"},
    "answered": {"en": "Answered", "zh": "有效回答"},
    "missing": {"en": "Missing", "zh": "缺失"},
    "reasons": {"en": "Why missing", "zh": "缺失原因"},
    "min": {"en": "Min", "zh": "最小值"},
    "max": {"en": "Max", "zh": "最大值"},
    "distinct": {"en": "Distinct", "zh": "不同取值"},
    "values": {"en": "Value labels", "zh": "值标签"},
    "sets": {"en": "In set", "zh": "所属多选题"},
}
_WORDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("kind", "number"): {"en": "number", "zh": "数值"},
    ("kind", "text"): {"en": "text", "zh": "文本"},
    ("kind", "date"): {"en": "date", "zh": "日期"},
    ("kind", "time"): {"en": "time", "zh": "时间"},
    ("kind", "datetime"): {"en": "date and time", "zh": "日期时间"},
    ("measure", "nominal"): {"en": "nominal", "zh": "名义"},
    ("measure", "ordinal"): {"en": "ordinal", "zh": "有序"},
    ("measure", "scale"): {"en": "scale", "zh": "度量"},
    ("measure", "unknown"): {"en": "not declared", "zh": "未声明"},
}


def codebook(survey: Survey, *, lang: str | None = None) -> Result:
    """Describe every column: what was asked, which codes it has, who did not answer and why.

    Parameters
    ----------
    survey : Survey
    lang : {"en", "zh"}, optional
        Language of wordings and value labels; the current one if None.

    Returns
    -------
    Result
        ``table`` with one row per column, in file order:

        - ``item``: column name; ``label``: its wording
        - ``kind``: number, text, date, time, datetime; ``measure``: nominal, ordinal, scale, unknown
        - ``scale``: ends of the response scale (``"0–10"``), empty where not declared
        - ``answered``, ``missing``: respondents of the domain with and without an answer, unweighted
        - ``reasons``: how many are missing for which declared reason, with its code
        - ``min``, ``max``: of numbers, NaN else; ``distinct``: number of different answers
        - ``values``: value labels in code order; ``sets``: multiple-response sets it belongs to

    Notes
    -----
    Counts are unweighted: they describe the file, not the population. Missing without a listed
    reason means that the file holds no code at all (system-missing).

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q1": [7, None, 9]}), labels={"q1": "Satisfaction"})
    >>> print(codebook(survey).table[["item", "label", "answered", "missing", "min", "max"]].to_string(index=False))
    item        label  answered  missing  min  max
      q1 Satisfaction         2        1  7.0  9.0
    """
    lang = language(lang)
    rows = [_row(survey, str(name), lang) for name in survey.data.columns]
    return Result(
        pd.DataFrame(rows, columns=["item", *_HEADINGS]),
        Base(len(survey)),
        labels={**_HEADINGS, **_WORDS},
        call=f"codebook({survey.name}{survey.filter})",
        title={"en": "Codebook", "zh": "编码表"},
        formats={"min": "g", "max": "g"},
    )


def _row(survey: Survey, name: str, lang: str) -> dict[str, object]:
    item = survey.codebook.items.get(name, Item(name))
    answers = survey.data[name][survey.domain].dropna()
    numeric = pd.api.types.is_numeric_dtype(answers) and len(answers) > 0
    return {
        "item": name,
        "label": item.label(lang),
        "kind": item.kind,
        "measure": item.measure,
        "scale": f"{number(item.scale[0], 'g')}–{number(item.scale[1], 'g')}" if item.scale else "",
        "answered": len(answers),
        "missing": len(survey) - len(answers),
        "reasons": _reasons(survey, item),
        "min": float(answers.min()) if numeric else np.nan,
        "max": float(answers.max()) if numeric else np.nan,
        "distinct": int(answers.nunique()),
        "values": "; ".join(f"{_code(c)} = {item.value_label(c, lang)}" for c in sorted(item.values, key=_order)),
        "sets": ", ".join(s.name for s in survey.codebook.sets if name in s.items),
    }


def _reasons(survey: Survey, item: Item) -> str:
    """``99 refused: 12; 98 not experienced: 30``, the most frequent first."""
    if item.name not in survey.missing_reasons.columns:
        return ""
    counts = survey.missing_reasons[item.name][survey.domain].value_counts()
    return "; ".join(f"{_code(c)} {item.missing.get(c, '')}".strip() + f": {n:,}" for c, n in counts.items())


def _code(code: object) -> str:
    return f"{code:g}" if isinstance(code, float) else str(code)


def _order(code: object) -> tuple[bool, object]:
    return isinstance(code, str), code
