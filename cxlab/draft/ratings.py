"""Finders of what a report is about: outcomes, the batteries that may drive them, and the codes that are no answers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cxlab.draft import vocabulary as v
from cxlab.draft.columns import Column, pooled
from cxlab.draft.found import File, because, listed, outcome_values
from cxlab.draft.wording import Bilingual, why
from cxlab.readers._missing import reason_of

MOST_DRIVERS = 15  # exact Shapley values of more take long, and nobody reads them
LEAST_COMPLETE = 100
ECSI_PARTS = {
    "imag": {"en": "image", "zh": "形象"},
    "perq": {"en": "perceived quality", "zh": "感知质量"},
    "perv": {"en": "perceived value, quality for the price", "zh": "感知价值（性价比）"},
}


# ---------------------------------------------------------------------- outcomes
def find_outcomes(file: File, outcome: Sequence[str] = ()) -> None:
    """Take satisfaction, recommendation, effort and repurchase intention."""
    if outcome:
        _add_outcome(file, "satisfaction", list(outcome), True, why("named_outcome"))
    ecsi = _ecsi(file)
    if ecsi:
        _ecsi_outcomes(file, ecsi)
    for role in ("satisfaction", "recommend", "effort", "repurchase"):
        if file.value(f"outcomes.{role}") is None:
            _find_outcome(file, role)
        if role == "satisfaction" and file.value("outcomes.satisfaction") is None:
            _satisfaction_run(file)


def _find_outcome(file: File, role: str) -> None:
    words = v.OUTCOMES[role]
    found = []
    for column in file.ratings():
        where = v.says(words, column.name, column.label)
        if where and not v.DERIVED.search(v.spaced(column.name)) and not _aside(column):
            exact = column.name.casefold() == role
            found.append(((exact, where == "name", _span(column), -len(column.label)), column, where))
    if not found:
        return
    best = max(found, key=lambda f: f[0])
    others = [c.name for _, c, _ in found if c is not best[1]]
    _, column, where = best
    reason: Bilingual = because(where, column)
    if others:
        reason = {k: why("several", reason=reason[k], others=listed(others, 4))[k] for k in reason}
    sure = (where == "name" or role in ("satisfaction", "recommend")) and not others
    if role == "recommend":
        sure, reason = _recommend(file, column, sure, reason)
    better = None
    if role == "effort":
        better = bool(v.EASY.search(column.label))
        reason = {k: why("effort_easy" if better else "effort", reason=reason[k])[k] for k in reason}
        sure = False
    _add_outcome(file, role, [column.name], sure, reason, better)


def _recommend(file: File, column: Column, sure: bool, reason: Bilingual) -> tuple[bool, Bilingual]:
    low, high = column.scale or (0, 0)
    if (low, high) == (1, 10) and not column.from_labels and re.search(r"\bnps\b", v.spaced(column.name)):
        file.columns[column.name] = replace(column, scale=(0.0, 10.0), as_others=True)
        seen = {"low": column.distinct[0], "high": column.distinct[-1]}
        return False, {k: why("recommend_no_zero", reason=reason[k], **seen)[k] for k in reason}
    if (low, high) == (0, 10):
        return sure, {k: why("recommend_sure", reason=reason[k])[k] for k in reason}
    return False, {k: why("recommend_scale", reason=reason[k], low=low, high=high)[k] for k in reason}


def _span(column: Column) -> float:
    return column.scale[1] - column.scale[0] if column.scale else 0.0


def _aside(column: Column) -> bool:
    """Tell expectations, emotions and stated importance from ratings of what was met."""
    words = (v.EXPECTATION, v.IMPORTANCE)
    negative = column.scale is not None and column.scale[0] < 0
    return (
        negative
        or any(v.says(w, column.name, column.label) for w in words)
        or bool(v.EMOTION.name.search(v.spaced(column.name)))
    )


def _satisfaction_run(file: File) -> None:
    """Items named CUSA1, CUSA2 … or sat_1, sat_2 …; else the only rating that speaks of satisfaction."""
    runs: dict[str, list[str]] = defaultdict(list)
    for column in file.ratings():
        match = re.fullmatch(r"(\D+?)_?\d+", column.name)
        if match and v.SATISFACTION_STEM.search(match[1].casefold()):
            runs[match[1]].append(column.name)
    runs = {k: names for k, names in runs.items() if 2 <= len(names) <= 4}
    if runs:
        names = next(iter(runs.values()))
        _add_outcome(file, "satisfaction", names, False, why("stem"))
        return
    speak = [c for c in file.ratings() if v.SATISFIED.search(f"{c.name} {c.label}") and not _aside(c)]
    if len(speak) == 1:
        _add_outcome(file, "satisfaction", [speak[0].name], False, why("weak"))


def _add_outcome(
    file: File, role: str, items: list[str], sure: bool, reason: Bilingual, better: bool | None = None
) -> None:
    if role in file.columns and items != [role] and reason != why("named_outcome"):
        return  # that name would mean the column
    value: object = items[0] if len(items) == 1 else items
    if better is not None:
        value = {"items": items, "higher_is_better": better}
    file.add(f"outcomes.{role}", value, sure, reason, items)


def outcome_items(file: File) -> dict[str, list[str]]:
    """Items of each outcome that was found."""
    out = {}
    for guess in file.guesses:
        if guess.key.startswith("outcomes."):
            value = guess.value["items"] if isinstance(guess.value, dict) else guess.value
            out[guess.key.split(".")[1]] = [value] if isinstance(value, str) else list(value)
    return out


def scale_is_plain(column: Column) -> bool:
    """Tell whether the labels or the answers leave no doubt about the scale, so that nobody need declare it.

    The same rule as when a study is opened: labels on both ends or on an unbroken run that enclose all answers; else
    every point of 0–10, 1–5, 1–7 or −5…+5 and nothing else in 100 answers.
    """
    if column.item.scale is not None:
        return True
    codes, answers = column.labelled, column.distinct
    if column.from_labels and len(codes) >= 2:
        unbroken = len(codes) in (2, codes[-1] - codes[0] + 1)
        if unbroken and answers[0] >= codes[0] and answers[-1] <= codes[-1]:
            return (codes[0], codes[-1]) == column.scale
    plain = column.scale in ((0, 10), (1, 5), (1, 7), (-5, 5)) and column.answered >= 100
    return plain and np.array_equal(answers, np.arange(column.scale[0], column.scale[1] + 1)) if column.scale else False


# ---------------------------------------------------------------------- the European index
def _ecsi(file: File) -> dict[str, list[str]]:
    """Items by their ECSI stem, if at least three of its constructs are there."""
    found: dict[str, list[str]] = defaultdict(list)
    for column in file.ratings():
        match = re.fullmatch(r"([A-Za-z]+?)_?\d+", column.name)
        if match and match[1].casefold() in v.ECSI:
            found[match[1].casefold()].append(column.name)
    return dict(found) if len(found) >= 3 else {}


def _is_ecsi(file: File) -> bool:
    return any(g.why == why("ecsi") for g in file.guesses)


def _ecsi_outcomes(file: File, ecsi: dict[str, list[str]]) -> None:
    reason = why("ecsi")
    if "cusa" in ecsi and file.value("outcomes.satisfaction") is None:
        _add_outcome(file, "satisfaction", ecsi["cusa"], True, reason)
    by_number = {re.sub(r"\D", "", n): n for n in ecsi.get("cusl", [])}
    for role, number in (("recommend", "3"), ("repurchase", "1")):
        if number in by_number:
            told: Bilingual = reason
            if role == "recommend":
                told = _recommend(file, file.columns[by_number[number]], False, reason)[1]
            _add_outcome(file, role, [by_number[number]], False, told)
    file.leave("consequence", [n for n in ecsi.get("cusl", []) if n not in file.used])
    file.leave("expectation", ecsi.get("cuex", []))
    file.leave("summary", [n for n in ecsi.get("perq", []) if n.endswith("1")])  # overall quality


# ---------------------------------------------------------------------- batteries
def set_ratings_aside(file: File) -> None:
    """Leave out expectations, emotions, stated importance and likely consequences of satisfaction."""
    for kind, words in (("expectation", v.EXPECTATION), ("importance", v.IMPORTANCE)):
        file.leave(kind, [c.name for c in file.ratings() if v.says(words, c.name, c.label)])
    negative = [c.name for c in file.ratings() if c.scale and c.scale[0] < 0]
    file.leave("emotion", negative)
    file.leave("emotion", [c.name for c in file.ratings() if v.EMOTION.name.search(v.spaced(c.name))])
    file.leave("consequence", [c.name for c in file.ratings() if v.says(v.CONSEQUENCE, c.name, c.label)])
    again = [c.name for c in file.ratings() if any(v.says(w, c.name, "") for w in v.OUTCOMES.values())]
    file.leave("consequence", again)


def find_drivers(file: File) -> None:
    """Take the batteries that may drive the first outcome."""
    outcomes = outcome_items(file)
    role = "satisfaction" if "satisfaction" in outcomes else next(iter(outcomes))
    batteries = [*_ecsi_batteries(file)]
    if not batteries:
        batteries = _batteries(file)
    price = [n for block, names, _, _ in batteries if block == "price" for n in names]
    singles = [c.name for c in file.ratings() if c.name not in {n for b in batteries for n in b[1]}]
    costly = [n for n in singles if v.says(v.PRICE, n, file.columns[n].label)] if batteries else []
    if costly:
        batteries.append(("price", costly, False, why("drivers_price")))
    kept = _usable(file, [n for b in batteries for n in b[1]], outcome_values(file, outcomes[role]))
    if len(kept) > MOST_DRIVERS:
        kept = _strongest(file, kept, outcome_values(file, outcomes[role]))
    blocks: dict[str, list[str]] = {}
    for block in ("none", "price"):
        parts = [(names, sure, reason) for b, names, sure, reason in batteries if b == block]
        names = [n for part in parts for n in part[0] if n in kept]
        if names:
            blocks[block] = names
            told = {k: "; ".join(dict.fromkeys(p[2][k] for p in parts)) for k in ("en", "zh")}
            left = len(file.left.get("weaker", []))
            if left and block == "none":
                told = {k: why("drivers_most", reason=told[k], left=left, outcome=role)[k] for k in told}
            file.add(f"drivers.{block}", names, all(p[1] for p in parts) and not left, told, names)
    file.leave("single", [n for n in singles if n not in file.used and n not in price])


Battery = tuple[str, list[str], bool, Bilingual]  # block, items, sure, why


def _ecsi_batteries(file: File) -> list[Battery]:
    found: list[Battery] = []
    for stem, names in _ecsi_free(file).items():
        reason = {k: why("drivers_ecsi", what=ECSI_PARTS[stem][k])[k] for k in ("en", "zh")}
        found.append(("price" if stem == "perv" else "none", names, True, reason))
    return found


def _ecsi_free(file: File) -> dict[str, list[str]]:
    if not _is_ecsi(file):
        return {}
    found: dict[str, list[str]] = {}
    for column in file.ratings():
        stem = re.sub(r"_?\d+$", "", column.name).casefold()
        if stem in ECSI_PARTS:
            found.setdefault(stem, []).append(column.name)
    return found


def _batteries(file: File) -> list[Battery]:
    """Group free ratings: those with an expectation or emotion beside them, then by name, then by labels in a row."""
    found: list[Battery] = []
    taken: set[str] = set()

    def keep(names: Iterable[str], sure: bool, reason: Bilingual) -> None:
        names = [n for n in names if n not in taken]
        taken.update(names)
        price = [n for n in names if v.says(v.PRICE, n, file.columns[n].label)]
        rest = [n for n in names if n not in price]
        found.extend(
            (block, part, sure and block == "none", reason if block == "none" else why("drivers_price"))
            for block, part in (("none", rest), ("price", price))
            if part
        )

    pairs, suffix = _paired(file)
    if len(pairs) >= 3:
        keep(pairs, True, why("drivers_pairs", count=len(pairs), suffix=suffix))
        file.leave("beside", [c.name for c in file.ratings() if _stem_of(c.name, pairs)])
    for names in _families([c for c in file.ratings() if c.name not in taken]):
        satisfied = all(v.SATISFIED.search(f"{n} {file.columns[n].label}") for n in names)
        key = "drivers_satisfied" if satisfied else "drivers_stem"
        keep(names, satisfied, why(key, count=len(names)))
    for names in _rows([c for c in file.ratings() if c.name not in taken]):
        if any(sure for _, _, sure, _ in found) and not file.columns[names[0]].from_labels:
            continue  # beside a sure battery, numbers in a row prove nothing
        satisfied = all(v.SATISFIED.search(f"{n} {file.columns[n].label}") for n in names)
        key = "drivers_satisfied" if satisfied else "drivers_labels"
        keep(names, satisfied, why(key, count=len(names)))
    return found


def _paired(file: File) -> tuple[list[str], str]:
    """Ratings X beside which X_expected, X_emotion or the like was left out; and the suffixes."""
    aside = [n for kind in ("expectation", "emotion", "importance") for n in file.left.get(kind, [])]
    pairs, suffixes = [], dict[str, None]()
    for column in file.ratings():
        tails = [n[len(column.name) :] for n in aside if re.fullmatch(re.escape(column.name) + r"_[A-Za-z]+", n)]
        if tails:
            pairs.append(column.name)
            suffixes |= dict.fromkeys(tails)
    return pairs, " / ".join(suffixes)


def _stem_of(name: str, stems: Sequence[str]) -> bool:
    """Tell whether a name is one of the stems with an ending: ``queue_order`` of ``queue``."""
    return any(name.startswith(f"{stem}_") for stem in stems)


def _families(columns: list[Column]) -> list[list[str]]:
    """Three ratings or more of one scale with the same name but for a number, an ending or a beginning."""
    stems = (
        lambda n: re.sub(r"(\d+|_[A-Za-z])$", "", n) if re.search(r"(\d+|_[A-Za-z])$", n) else None,
        lambda n: n.rsplit("_", 1)[1] if "_" in n else None,
        lambda n: n.split("_", 1)[0] if "_" in n else None,
    )
    found: list[list[str]] = []
    taken: set[str] = set()
    for stem in stems:
        groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
        for column in columns:
            if column.name not in taken and stem(column.name):
                groups[stem(column.name), _like(column)].append(column.name)
        for names in groups.values():
            if len(names) >= 3:
                found.append(names)
                taken.update(names)
    return found


def _rows(columns: list[Column]) -> list[list[str]]:
    """Three ratings or more of one scale and with the same labels that stand in a row among the columns left."""
    found: list[list[str]] = [[]]
    before: object = None
    for column in columns:
        if _like(column) != before:
            found.append([])
        found[-1].append(column.name)
        before = _like(column)
    return [names for names in found if len(names) >= 3]


def _like(column: Column) -> tuple[object, ...]:
    """What the items of a battery share: the scale, and the labels where there are any."""
    if column.from_labels:
        return column.scale, column.endpoints
    return (_coarse(column),)


def _coarse(column: Column) -> object:
    """Scale without labels: 1–4, 1–5 … are not told apart, because not every item uses every point."""
    low, high = column.scale or (0, 0)
    return "to ten" if high > 7 else "to seven" if low >= 0 else (low, high)


def _usable(file: File, names: list[str], outcome: np.ndarray) -> list[str]:
    """Drivers that a regression can take: often answered, not constant, not determined by others."""
    seldom = [n for n in names if file.columns[n].answered < 0.5 * file.rows or len(file.columns[n].distinct) < 2]
    file.leave("seldom", seldom)
    names = [n for n in names if n not in seldom]
    frame = pd.DataFrame({n: file.columns[n].values for n in names}).assign(**{"\0": outcome}).dropna()
    while len(frame) < LEAST_COMPLETE and len(names) > 3:
        worst = min(names, key=lambda n: file.columns[n].answered)
        if file.columns[worst].answered >= 0.95 * file.rows:
            break
        file.leave("seldom", [worst])
        names = [n for n in names if n != worst]
        frame = pd.DataFrame({n: file.columns[n].values for n in names}).assign(**{"\0": outcome}).dropna()
    if len(frame) <= len(names) + 2:
        return names
    same = _determined(frame[names].to_numpy(dtype=float))
    file.leave("same", [names[k] for k in same])
    return [n for k, n in enumerate(names) if k not in same]


def _determined(matrix: np.ndarray) -> set[int]:
    """Columns that those before them determine (constant ones too), by Gram–Schmidt."""
    matrix = matrix - matrix.mean(axis=0)
    basis = np.empty((len(matrix), 0))
    gone = set()
    for k, column in enumerate(matrix.T):
        rest = column - basis @ (basis.T @ column)
        if float(np.linalg.norm(rest)) <= 1e-4 * max(float(np.linalg.norm(column)), 1.0):
            gone.add(k)
        else:
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    return gone


def _strongest(file: File, names: list[str], outcome: np.ndarray) -> list[str]:
    target = pd.Series(outcome, index=file.survey.data.index)
    strength = {n: abs(file.columns[n].values.astype(float).corr(target)) for n in names}
    ranked = sorted(names, key=lambda n: -np.nan_to_num(strength[n]))
    file.leave("weaker", [n for n in names if n not in ranked[:MOST_DRIVERS]])
    return [n for n in names if n in ranked[:MOST_DRIVERS]]


def find_scales(file: File) -> None:
    """Declare the scales of outcomes and drivers that neither labels nor answers make plain, one for items alike."""
    groups: dict[object, list[Column]] = defaultdict(list)
    for role, names in outcome_items(file).items():
        groups[role] += [file.columns[n] for n in names]
    for name in (n for g in file.guesses if g.key.startswith("drivers.") for n in g.value):
        groups[_like(file.columns[name])].append(file.columns[name])
    ecsi = _is_ecsi(file)
    for columns in groups.values():
        scale = pooled(columns)
        sure, reason = _scale_reason(columns, scale, ecsi)
        for column in columns:
            if not scale_is_plain(column) or column.scale != scale:
                file.add(f"items.{column.name}", {"scale": list(scale)}, sure, reason)


def _scale_reason(columns: Sequence[Column], scale: tuple[float, float], ecsi: bool) -> tuple[bool, Bilingual]:
    if any(c.from_labels for c in columns):
        return True, why("scale_labels")
    if ecsi and scale == (1, 10):
        return True, why("scale_ecsi")
    low, high = min(c.distinct[0] for c in columns), max(c.distinct[-1] for c in columns)
    if all(c.as_others for c in columns):
        return False, why("scale_others", low=low, high=high)
    if scale == (1, 10):
        return False, why("scale_no_zero", low=low, high=high)
    return False, why("scale_answers", low=low, high=high)


# ---------------------------------------------------------------------- codes that are no answers
def find_missing(file: File) -> None:
    """Take codes that are labelled like no answer, or lie outside the scale, and are not declared missing."""
    rated = {i for g in file.guesses for i in _named(g.value)} | {n for names in file.left.values() for n in names}
    codes: dict[float, list[tuple[str, str, bool]]] = defaultdict(list)
    apart = {g.value for g in file.guesses if g.key.split(".")[0] in ("respondent", "wave", "design")}
    for column in (c for n, c in file.columns.items() if n not in apart):
        for code, (reason, labelled) in column.odd.items():
            if labelled or column.name in rated:
                codes[code].append((column.name, reason, labelled))
    for code, found in sorted(codes.items()):
        names = [name for name, _, _ in found]
        means, sure, told = _meaning(file, code, found)
        value: dict[str, object] = {"codes": [code], "means": means}
        if not _means_nothing_else(file, code, names):
            value["items"] = names
        file.add("missing", value, sure, told)


def _meaning(file: File, code: float, found: Sequence[tuple[str, str, bool]]) -> tuple[str, bool, Bilingual]:
    """What a code means: by its labels, by what other items declare, else by habit."""
    labelled = Counter(reason for _, reason, said in found if said)
    if labelled:
        return labelled.most_common(1)[0][0], True, why("missing_label")
    declared = Counter(c.item.missing[code] for c in file.columns.values() if code in c.item.missing)
    if declared:
        said = declared.most_common(1)[0][0]
        return reason_of(said) or said, True, why("missing_elsewhere")
    return found[0][1], False, why("missing_code")


def _named(value: object) -> list[str]:
    if isinstance(value, dict):
        value = value.get("items", [])
    return (
        [value]
        if isinstance(value, str)
        else [v for v in value if isinstance(v, str)]
        if isinstance(value, list)
        else []
    )


def _means_nothing_else(file: File, code: float, names: list[str]) -> bool:
    """Tell whether a code can be declared for all items: in no other column could it be an answer."""
    for column in file.columns.values():
        if column.name in names or not column.numeric or code in column.item.missing:
            continue
        labelled = column.labelled
        near = len(labelled) >= 2 and labelled[0] - 1 <= code <= labelled[-1] + 1
        if near or code in column.distinct:
            return False
    return True
