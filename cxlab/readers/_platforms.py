"""Header rows of survey platforms, short column names, and columns with personal data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cxlab.items import FILE, Item

_IMPORT_ID = re.compile(r"\{\s*['\"]ImportId['\"]")
# LimeSurvey "G1Q2[SQ1]. Text", Wenjuanxing "3、题干": a code, then the question.
_CODED = re.compile(
    r"(?:(?P<code>[A-Za-z]\w*(?:\[[^\]]*\])*)\.\s+|[Qq]?(?P<number>\d+)\s*[、.．](?!\d)\s*)(?P<text>\S.*)"
)
_LONGEST_NAME = 32  # characters; a longer header is a question, not a name
_PERSONAL = frozenset(
    [
        "ipaddress",
        "ipaddr",
        "ip",
        "recipientemail",
        "recipientfirstname",
        "recipientlastname",
        "recipientphone",
        "locationlatitude",
        "locationlongitude",
        "latitude",
        "longitude",
        "externaldatareference",
        "externalreference",
        "emailaddress",
        "email",
        "firstname",
        "lastname",
        "fullname",
        "surname",
        "phone",
        "phonenumber",
        "mobile",
        "mobilephone",
        "telephone",
        "ipadresse",
        "vorname",
        "nachname",
        "emailadresse",
        "telefonnummer",
        "姓名",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "电话号码",
        "联系电话",
        "联系方式",
        "邮箱",
        "电子邮箱",
        "电子邮件",
        "身份证",
        "身份证号",
        "身份证号码",
        "ip地址",
        "来自ip",
        "微信",
        "微信号",
    ]
)


@dataclass(frozen=True)
class Header:
    """Header of a table.

    Attributes
    ----------
    rows : int
        How many records it takes.
    names, labels : tuple of str
        Unique short names; question texts (``""`` where the name says all).
    platform : str
        ``"Qualtrics"``, ``"LimeSurvey"`` or ``""``.
    twice : tuple of str
        Names that were numbered because they occur more than once.
    long : tuple of str
        Names that stand in for a question text.
    """

    rows: int
    names: tuple[str, ...]
    labels: tuple[str, ...]
    platform: str = ""
    twice: tuple[str, ...] = ()
    long: tuple[str, ...] = ()


def header_of(records: Sequence[Sequence[str]]) -> Header:
    """Read the header off the first records of a table."""
    rows = [[" ".join(str(c).split()) for c in r] for r in records[:4]]
    first, second = rows[0], rows[1] if len(rows) > 1 else []
    if len(rows) > 2 and sum(bool(_IMPORT_ID.match(c)) for c in rows[2]) > len(first) / 2:
        return _header(3, first, second, "Qualtrics")
    if second and first[0] == "V1" and second[0].casefold() == "responseid":
        names = [b if re.fullmatch(r"V\d+", a) and b else a for a, b in zip(first, second, strict=False)]
        return _header(2, names, second, "Qualtrics")
    if _two_rows(first, second):
        return _grouped(first, second)
    codes, labels, long = _split(first)
    limesurvey = sum(bool(re.match(r"[A-Za-z]\w*(\[[^\]]*\])*\. ", c)) for c in first) > len(first) / 2
    return _header(1, codes, labels, "LimeSurvey" if limesurvey else "", long)


def _header(rows: int, names: list[str], labels: list[str], platform: str = "", long: Sequence[str] = ()) -> Header:
    names = [n or f"column_{k}" for k, n in enumerate(names, 1)]
    unique = unique_names(names)
    twice = [u for n, u in zip(names, unique, strict=True) if u != n]
    labels = ["" if label == n else label for label, n in zip(labels, names, strict=False)]
    labels += [""] * (len(names) - len(labels))
    return Header(rows, tuple(unique), tuple(labels), platform, tuple(twice), tuple(long))


def unique_names(names: Sequence[str]) -> list[str]:
    """Number what occurs again.

    Examples
    --------
    >>> unique_names(["a", "b", "a", "a_2", "a"])
    ['a', 'b', 'a_3', 'a_2', 'a_4']
    """
    taken, seen, out = set(names), set[str](), []
    for name in names:
        fresh, number = name, 2
        while fresh in seen or (fresh != name and fresh in taken):
            fresh, number = f"{name}_{number}", number + 1
        seen.add(fresh)
        out.append(fresh)
    return out


def _two_rows(first: list[str], second: list[str]) -> bool:
    """Question row with blanks, then a row of sub-questions that are all texts."""
    blank = sum(not c for c in first)
    texts = sum(bool(c) and not re.fullmatch(r"-?[\d.,]+", c) for c in second)
    return bool(first[0]) and blank > 0.3 * len(first) and len(second) == len(first) and texts > 0.9 * len(first)


def _grouped(first: list[str], second: list[str]) -> Header:
    group, within, names, labels = 0, 0, [], []
    question = ""
    for top, below in zip(first, second, strict=True):
        if top:
            question, group, within = top, group + 1, 0
        within += 1
        names.append(f"q{group}_{within}")
        labels.append(f"{question} – {below}" if below else question)
    return _header(2, names, labels, "LimeSurvey", names)


def _split(headers: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Short names and question texts of one header row."""
    names, labels, long = [], [], []
    matches = [_CODED.fullmatch(h) for h in headers]
    stems = Counter(_stem(h) for h in headers if len(h) > _LONGEST_NAME)
    numbers: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for place, (header, match) in enumerate(zip(headers, matches, strict=True), 1):
        if match:
            code = match["code"] or f"q{match['number']}"
            names.append(re.sub(r"\W+", "_", code).strip("_"))
            labels.append(match["text"])
        elif len(header) > _LONGEST_NAME or header.endswith(("?", "？")):
            stem = _stem(header)
            number = numbers.setdefault(stem, place)
            seen[stem] += 1
            names.append(f"q{number}_{seen[stem]}" if stems[stem] > 1 else f"q{place}")
            labels.append(header)
            long.append(names[-1])
        else:
            names.append(header)
            labels.append("")
    return names, labels, long


def _stem(header: str) -> str:
    """Question without its sub-question in brackets at the end."""
    return re.sub(r"\s*\[[^\]]*\]\s*(\[[^\]]*\]\s*)?$", "", header)


def personal(items: Mapping[str, Item], platform: str = "") -> list[str]:
    """Columns that say who somebody is, by the names that survey platforms give them."""
    names = _PERSONAL | {"name"} if platform else _PERSONAL
    return [n for n, i in items.items() if _plain(n) in names or _plain(i.labels.get(FILE, "")) in names]


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()
