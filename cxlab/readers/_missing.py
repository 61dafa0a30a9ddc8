"""Codes that mean "no answer": those labelled so, and those the caller names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, unknown_names
from cxlab.items import Code, Item, pick
from cxlab.spss import USER_MISSING, Contents, Note

_LABELS: Mapping[str, str] = {
    "don't know": r"(i )?(don.?t|do not|doesn.?t|cannot|can.?t) (know|say|tell|remember|recall|rate)( it)?|dk|unsure|"
    r"(i.?m )?not sure|no opinion|hard to say|undecided|unknown|wei(ß|ss) (ich )?nicht|kann ich nicht (sagen|beurteilen)|"
    r"(我)?不知道|不清楚|不了解|说不清楚?|说不上来?|不好说|难说|很难说|不确定|没(有)?意见|无法(判断|评价|回答)|记不清(楚)?(了)?|不记得(了)?",
    "refused": r"refus(ed|al|e|es)( to answer)?|(prefer|rather|would rather) not( to)? (say|answer|tell|disclose)|declined( to answer)?|"
    r"拒答|拒绝(回答|作答)?|不愿(意)?(回答|透露|作答|说)|不(便|想|方便)(透露|回答|作答|说)|拒访|verweigert",
    "not applicable": r"not applicable|n\W?a|does not apply|doesn.?t apply|不适用|trifft nicht zu|entfällt",
    "not experienced": r"(have |has )?(not|never|didn.?t|did not|haven.?t) (yet )?(been )?(experienced?|used?|visit(ed)?|tried|"
    r"tr(y|ied)( it)?|had( it)?)( (it|this))?|no experience( with (it|this))?|"
    r"(没有?|未|从未|未曾|没有?过)(体验|使用|用|接触|经历|到过|去过|享用)(过)?|无体验|未到过|没去过",
    "no answer": r"no (answer|response)|not answered|unanswered|not stated|missing|keine (angabe|antwort)|k\W?a\W?|"
    r"(无|未|没有|没)(回答|作答|应答|填写|填答)|空白|缺失|漏答|缺答|未答",
    "not asked": r"not asked|skipped|skip|not shown|not displayed|filtered( out)?|(未|没有)(询问|提问|问到|问)|跳答|跳过|跳问",
}
_PATTERNS = {reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _LABELS.items()}
_EDGES = re.compile(r"^\W*(\d+\s*[=:：.、)）-]\s*)?\W*|\W+$")


def reason_of(label: str) -> str | None:
    """Reason that a value label gives for an answer to be missing; None if it is an answer.

    The whole label must say so: "don't know this brand" is an answer.

    Examples
    --------
    >>> reason_of("98 = Not experienced"), reason_of("拒答"), reason_of("Don’t know / refused")
    ('not experienced', 'refused', "don't know")
    >>> reason_of("Known for quality") is None, reason_of("不知道这个品牌") is None
    (True, True)
    """
    whole = _EDGES.sub("", label)
    parts = [whole] if _match(whole) else re.split(r"\s*[/／,，、;；(（)）|]\s*|\s+or\s+|\s*或者?\s*", whole)
    reasons = [_match(_EDGES.sub("", p)) for p in parts if p]
    return reasons[0] if reasons and all(reasons) else None


def _match(text: str) -> str | None:
    return next((reason for reason, pattern in _PATTERNS.items() if pattern.fullmatch(text)), None)


def undeclared(contents: Contents) -> list[Note]:
    """Codes that are labelled like a missing answer, occur, and are not declared missing."""
    found: dict[tuple[Code, str, str], list[str]] = {}
    for name, item in contents.codebook.items.items():
        for code in item.values:
            label = pick(item.values[code], None)
            reason = None if code in item.missing else reason_of(label)
            count = int((contents.data[name] == code).sum()) if reason else 0
            if count:
                found.setdefault((code, label, str(reason)), []).append(f"{name} ({count:,})")
    return [
        Note("undeclared", {"code": _shown(code), "label": label, "reason": _quoted(reason), "items": ", ".join(items)})
        for (code, label, reason), items in found.items()
    ]


def _quoted(reason: str) -> str:
    return reason.replace("'", "\\'")


def _shown(code: Code) -> str:
    return f"{code:g}" if isinstance(code, (int, float)) else repr(code)


def apply(contents: Contents, missing: Any, spared: Iterable[str] = ()) -> Contents:
    """Mask the codes that the caller names.

    Parameters
    ----------
    contents : Contents
    missing : mapping or list
        ``{99: "refused"}`` for all items, ``{"q1": {99: "refused"}}`` or ``{"q1": [98, 99]}`` for one;
        a list takes the reasons from the value labels.
    spared : iterable of str
        Columns that no code for all items touches (weight, stratum, cluster).

    Notes
    -----
    A code for all items is kept as an answer where it has no label and other answers of the item
    lie on both sides of it (99 in an amount spent).
    """
    everywhere, single = _sorted_out(missing, contents)
    work = _Masking(contents)
    for name, codes in single.items():
        for code, reason in codes.items():
            work.mask(name, code, reason)
    spared = set(spared)
    for code, reason in everywhere.items():
        for name in contents.data.columns:
            if name not in spared and code not in single.get(name, {}):
                work.consider(name, code, reason)
    return work.done({**everywhere})


def _sorted_out(missing: Any, contents: Contents) -> tuple[dict[Code, str | None], dict[str, dict[Code, str | None]]]:
    everywhere: dict[Code, str | None] = {}
    single: dict[str, dict[Code, str | None]] = {}
    pairs = missing.items() if isinstance(missing, Mapping) else ((c, None) for c in _listed(missing))
    for key, said in pairs:
        if isinstance(said, Mapping):
            single[str(key)] = {_code(c): r for c, r in said.items()}
        elif isinstance(said, (list, tuple, set)):
            single[str(key)] = {_code(c): None for c in said}
        elif said is None or isinstance(said, str):
            everywhere[_code(key)] = said
        else:
            raise SurveyError(
                f"missing has {said!r} for {key!r}; give a reason ({{99: 'refused'}}) or, for an item, "
                "its codes ({'q1': {99: 'refused'}} or {'q1': [98, 99]})."
            )
    unknown = [n for n in single if n not in contents.data.columns]
    if unknown:
        raise unknown_names("missing", unknown, contents.data.columns, "the file")
    return everywhere, single


def _listed(missing: Any) -> Iterable[Any]:
    if isinstance(missing, (str, int, float)):
        return [missing]
    return missing


def _code(code: Any) -> Code:
    return code if isinstance(code, str) else float(code)


class _Masking:
    """Columns, reasons and items while codes are taken out of them, one code at a time."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.columns: dict[str, Any] = {}
        self.reasons: dict[str, Any] = {}
        self.items: dict[str, Item] = {}
        self.masked: dict[tuple[Code, str], list[str]] = {}
        self.kept: dict[tuple[Code, str], list[str]] = {}
        self.met: set[Code] = set()

    def column(self, name: str) -> pd.Series:
        return self.columns[name] if name in self.columns else self.contents.data[name]

    def item(self, name: str) -> Item:
        return self.items.get(name) or self.contents.codebook[name]

    def consider(self, name: str, code: Code, reason: str | None) -> None:
        """Mask a code that was named for all items, unless it looks like an answer here."""
        item, column = self.item(name), self.column(name)
        if isinstance(code, str) != (item.kind == "text") or item.kind not in ("number", "text"):
            return
        if code in item.missing or code in item.values:
            self.mask(name, code, reason)
            return
        count = int((column == code).sum())
        if not count:
            return
        others = column[column.notna() & (column != code)]
        if not isinstance(code, str) and len(others) and others.min() < code < others.max():
            self.met.add(code)
            self.kept.setdefault((code, reason or USER_MISSING), []).append(f"{name} ({count:,})")
        else:
            self.mask(name, code, reason)

    def mask(self, name: str, code: Code, reason: str | None) -> None:
        item, column = self.item(name), self.column(name)
        reason = reason or pick(item.values.get(code, {}), None, USER_MISSING)
        self.met.add(code)
        self.items[name] = replace(item, missing={**item.missing, code: reason})  # type: ignore[dict-item]
        hit = (column == code).fillna(False).to_numpy(dtype=bool)
        if not hit.any():
            return
        if name not in self.reasons:
            had = self.contents.missing_reasons.get(name)
            self.reasons[name] = had if had is not None else column.mask(column.notna())
        self.reasons[name] = self.reasons[name].mask(hit, code)
        self.columns[name] = column.mask(hit, np.nan)
        self.masked.setdefault((code, reason), []).append(f"{name} ({int(hit.sum()):,})")

    def done(self, everywhere: Mapping[Code, str | None]) -> Contents:
        notes = [
            Note(key, {"code": _shown(code), "reason": _quoted(reason), "items": ", ".join(items)})
            for key, found in (("masked", self.masked), ("not_masked", self.kept))
            for (code, reason), items in found.items()
        ]
        notes += [Note("unused_code", {"code": _shown(c)}) for c in everywhere if c not in self.met]
        return replace(
            self.contents,
            data=_replaced(self.contents.data, self.columns),
            codebook=self.contents.codebook.with_items(*self.items.values()),
            missing_reasons=_replaced(self.contents.missing_reasons, self.reasons),
            notes=(*self.contents.notes, *notes),
        )


def _replaced(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Frame with columns replaced or added, without copying the others."""
    merged: dict[str, Any] = {str(n): frame[n] for n in frame.columns}
    return pd.DataFrame({**merged, **columns}, index=frame.index, copy=False)
