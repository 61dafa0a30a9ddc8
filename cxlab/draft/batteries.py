"""Finder of the batteries of ratings that may drive the outcome."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cxlab.draft import vocabulary as v
from cxlab.draft.columns import Column, alike
from cxlab.draft.found import File, outcome_values
from cxlab.draft.outcomes import is_ecsi, outcome_items
from cxlab.draft.wording import Bilingual, why

MOST_DRIVERS = 15  # exact Shapley values of more take long, and nobody reads them
LEAST_COMPLETE = 100
ECSI_PARTS = {
    "imag": {"en": "image", "zh": "形象"},
    "perq": {"en": "perceived quality", "zh": "感知质量"},
    "perv": {"en": "perceived value, quality for the price", "zh": "感知价值（性价比）"},
}


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
    if not is_ecsi(file):
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
                groups[stem(column.name), alike(column)].append(column.name)
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
        if alike(column) != before:
            found.append([])
        found[-1].append(column.name)
        before = alike(column)
    return [names for names in found if len(names) >= 3]


# ---------------------------------------------------------------------- what a regression can take
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
