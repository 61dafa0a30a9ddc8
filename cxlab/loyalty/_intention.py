"""What customers say they will do against what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cxlab.contrasts import holm, p_values
from cxlab.design import Design, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.groups import group_means
from cxlab.loyalty._curve import places
from cxlab.loyalty._groups import group_labels, groups_of, key_of, keyed, replicate_weights, spread, ungrouped
from cxlab.loyalty._intention_result import HEADINGS, IntentionResult, intention_notes
from cxlab.loyalty._refits import refits, shares
from cxlab.metrics import design_notes, intervals, names
from cxlab.result import Base, reliability
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST, LEAST_REPLICATES = 30, 100


def intention_behaviour(
    survey: Survey,
    intention: str = "repurchase",
    behaviour: str = "renewed",
    *,
    satisfaction: str | None = "satisfaction",
    by: str | None = None,
    bands: Sequence[float] | None = None,
    intends: float | None = None,
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> IntentionResult:
    """Do customers do what they say they will, and does satisfaction matter as much for the one as for the other?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    intention : str
        Column or role with the stated intention on its scale.
    behaviour : str
        Column of 0 and 1 that holds what happened afterwards.
    satisfaction : str, optional
        Column or role whose slopes on intention and on behaviour are compared; None for no such comparison.
    by : str, optional
        Segment (or wave) whose groups are tested against each other.
    bands : list of float, optional
        Lowest answers of bands of the intention, such as ``(0, 7, 9)``; by default every answer is a band of its own.
    intends : float, optional
        Lowest answer that counts as "intends to"; by default the two highest of the scale.
    replicates : int
        Rao–Wu replicates behind the intervals of comparisons, at least 100.
    seed : int
    level : float

    Returns
    -------
    IntentionResult
        One row per (``segment`` and) band: ``lowest, highest, point`` (mean answer), ``share`` of customers, ``estimate, se, low,
        high`` (share who did it), ``base, base_effective, reliability``. ``.agreement`` has one row per group: ``intended``,
        ``behaved``, ``overclaim`` (their difference), ``slope`` (rise of the behaviour from the lowest to the highest answer;
        1 if answers were probabilities), ``to_intention`` and ``to_behaviour`` (standardised slopes of satisfaction) and
        their ``gap``, each with ``_low, _high``; ``overclaim_p, gap_p``. ``.differences`` compares groups.

    Raises
    ------
    SurveyError
        For unknown names, a behaviour other than 0 and 1 or the same for all, fewer than 30 respondents, bands without answers.

    Notes
    -----
    Shares have Korn–Graubard intervals; everything else is estimate ± t · se with se over Rao–Wu replicates, the same ones for
    all groups. ``slope`` is that of the weighted line of behaviour on (answer − lowest) / (highest − lowest).
    ``to_intention`` is the correlation of satisfaction and intention; ``to_behaviour`` is b·s/√(b²s² + π²/3), with b the logit
    slope and s the standard deviation of satisfaction: the standardised slope of the propensity behind the 0 and 1, so that
    the coarse outcome does not make it smaller. Groups are compared in the share who did it at equal intention (a logit
    in each, averaged over the intentions of all), in overclaim and in the gap, Holm within each of the three.

    References
    ----------
    Mittal & Kamakura (2001), Journal of Marketing Research 38, 131–142. Morwitz, Steckel & Gupta (2007), International Journal of
    Forecasting 23, 347–364. McKelvey & Zavoina (1975), Journal of Mathematical Sociology 4, 103–120.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> says = rng.integers(0, 11, 900)
    >>> df = pd.DataFrame({"repurchase": says, "renewed": rng.random(900) < 0.3 + 0.04 * says})
    >>> found = intention_behaviour(Survey.from_frame(df), satisfaction=None, bands=(0, 7, 9), replicates=100)
    >>> found.table[["lowest", "highest", "estimate"]].round(2).values.tolist()
    [[0.0, 6.0, 0.42], [7.0, 8.0, 0.51], [9.0, 10.0, 0.73]]
    >>> found.agreement["slope"].round(2).tolist()
    [0.41]
    """
    t_quantile(level, 1)
    if replicates < LEAST_REPLICATES:
        raise SurveyError(f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}.")
    pairs, excluded = _pairs(survey, (intention, behaviour, satisfaction))
    scale = survey.scale(intention) or (float(pairs.said.min()) + 0.0, float(pairs.said.max()))
    cut = _cut(survey, intention, scale, intends)
    groups = groups_of(survey, by)
    parts = {c: np.flatnonzero(inside[pairs.rows]) for c, inside in groups.items()}
    band = _bands(pairs, intention, bands)
    table = pd.concat(
        [keyed(_by_band(pairs, own, band, level), c, by) for c, own in parts.items() if len(own)], ignore_index=True
    )
    own = {c: k for c, k in parts.items() if len(k)}
    answers = _answers(pairs, own)
    whole = _measures(answers, len(own), (scale, cut), pairs.w[None])[0]
    weights = replicate_weights(pairs.design, pairs.rows, replicates, seed)
    draws = np.concatenate([_measures(answers, len(own), (scale, cut), w) for w in weights])
    agreement = pd.concat(
        [keyed(_agreement(pairs, k, (whole[g], draws[:, g]), cut, level), c, by) for g, (c, k) in enumerate(own.items())], ignore_index=True
    )  # fmt: skip
    differences = _differences(pairs, own, (whole, draws), by, level) if by is not None else pd.DataFrame()
    share = 1 - pairs.w.sum() / survey.weights[survey.domain].sum()
    labels = {
        **HEADINGS,
        **{n: names(survey, n) for n in (intention, behaviour, satisfaction) if n},
        **group_labels(survey, by, list(parts)),
    }
    options = {"satisfaction": satisfaction, "by": by, "bands": bands and tuple(bands), "intends": intends, "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    return IntentionResult(
        table, Base(len(pairs.w), kish_base(pairs.w), excluded, float(share)),
        (*intention_notes(excluded, float(share), survey.scale(intention) is None, satisfaction is not None, differences), *ungrouped(survey, pairs.rows, groups, by),
         *design_notes(survey),         *survey.join_notes(intention, behaviour)),
        labels, _call(survey, intention, behaviour, options), {"en": "Intention and behaviour", "zh": "意向与实际行为"}, _FORMATS, level=level,
        intention=intention, behaviour=behaviour, satisfaction=satisfaction, scale=scale, cut=cut, agreement=agreement, differences=differences,
    )  # fmt: skip


_FORMATS = {"lowest": "g", "highest": "g", "point": ".1f", "estimate": ".0%", "low": ".0%", "high": ".0%", "se": ".3f"}


# ------------------------------------------------------------------------------ rows
@dataclass(frozen=True, eq=False)
class Said:
    """What was said and done by the rows used; satisfaction is missing where it was not asked for or answered."""

    said: FloatArray
    did: FloatArray
    satisfied: FloatArray
    rows: np.ndarray
    design: Design

    @property
    def w(self) -> FloatArray:
        """Weights of the rows used."""
        return self.design.weights[self.rows]

    def degrees(self, own: np.ndarray) -> float:
        """PSUs − strata of some of the rows, at least 1."""
        inside = np.zeros((len(self.design.weights), 1), dtype=bool)
        inside[self.rows[own]] = True
        return float(self.design.domain_df(inside)[0])


def _pairs(survey: Survey, named: tuple[str, str, str | None]) -> tuple[Said, int]:
    """Rows with intention and behaviour, and how many of the domain left."""
    intention, behaviour, satisfaction = named
    for argument, name in zip(("intention", "behaviour", "satisfaction"), named, strict=True):
        survey.require(argument, [name] if name is not None else [])
    if behaviour in (intention, satisfaction) or intention == satisfaction:
        raise SurveyError(
            f"intention {intention!r}, behaviour {behaviour!r} and satisfaction {satisfaction!r} are to be three different columns."
        )
    said, did = survey.values(intention), survey.values(behaviour)
    satisfied = np.full(len(said), np.nan) if satisfaction is None else survey.values(satisfaction)
    asked = survey.domain & (survey.weights > 0)
    other = np.unique(did[asked & np.isfinite(did) & ~np.isin(did, (0.0, 1.0))])
    if len(other):
        shown = ", ".join(f"{v:g}" for v in other[:5])
        raise SurveyError(
            f"behaviour {behaviour!r} has values other than 0 and 1 ({shown}); 1 says that it was done, 0 that it was not."
        )
    rows = np.flatnonzero(asked & np.isfinite(said) & np.isfinite(did))
    if len(rows) < LEAST:
        raise SurveyError(
            f"intention {intention!r} and behaviour {behaviour!r} are both known for {len(rows)} respondents; at least {LEAST} are needed: "
            "widen the filter, or take several waves together."
        )
    for argument, name, values in (("intention", intention, said), ("behaviour", behaviour, did)):
        if np.ptp(values[rows]) == 0:
            raise SurveyError(
                f"{argument} {name!r} is {values[rows][0]:g} for all {len(rows):,} respondents; there is nothing to compare."
            )
    if satisfaction is not None and not np.isfinite(satisfied[rows]).any():
        raise SurveyError(
            f"satisfaction {satisfaction!r} is missing for all {len(rows):,} respondents; name another column, or satisfaction=None."
        )
    return Said(said[rows], did[rows], satisfied[rows], rows, resolve(survey)), int(asked.sum()) - len(rows)


def _cut(survey: Survey, intention: str, scale: tuple[float, float], intends: float | None) -> float:
    """Lowest answer that counts as an intention."""
    if intends is None:
        return scale[1] - 1 if scale[1] - scale[0] >= 2 else scale[1]
    if not scale[0] < intends <= scale[1]:
        raise SurveyError(
            f"intends is {intends:g}; {intention!r} runs from {scale[0]:g} to {scale[1]:g}: name an answer above the lowest of them."
        )
    return float(intends)


def _bands(pairs: Said, intention: str, bands: Sequence[float] | None) -> np.ndarray:
    """Band of every row."""
    if bands is None:
        return places(pairs.said, pairs.w)[1]
    edges = np.asarray(list(bands), dtype=float)
    if not len(edges) or (np.diff(edges) <= 0).any() or pairs.said.min() < edges[0]:
        raise SurveyError(
            f"bands is {list(bands)!r}; name rising lowest answers, the first at most {pairs.said.min() + 0.0:g}, the lowest answer to {intention!r}."
        )
    band = np.searchsorted(edges, pairs.said, side="right") - 1
    empty = [f"{e:g}" for k, e in enumerate(edges) if not (band == k).any()]
    if empty:
        raise SurveyError(
            f"bands: no answer to {intention!r} lies in {len(empty)} of {len(edges)} bands (from {', '.join(empty)}); merge them."
        )
    return band


# ------------------------------------------------------------------------------ numbers
def _by_band(pairs: Said, own: np.ndarray, band: np.ndarray, level: float) -> pd.DataFrame:
    """Share of customers in every band and share of those who did it."""
    size, count = len(pairs.design.weights), int(band.max()) + 1
    values, codes, inside = np.full(size, np.nan), np.full(size, -1), np.full(size, -1)
    at = pairs.rows[own]
    values[at], codes[at], inside[at] = pairs.did[own], band[own], 0
    found = group_means(pairs.design, values, codes, count)
    low, high = intervals(found, ["share"] * count, level=level)
    w = pairs.w[own]
    sums = np.bincount(band[own], w, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        point = np.bincount(band[own], w * pairs.said[own], count) / sums
    ends = pd.Series(pairs.said).groupby(band).agg(["min", "max"])
    table = pd.DataFrame({
        "lowest": ends["min"].to_numpy(), "highest": ends["max"].to_numpy(), "point": point, "share": sums / w.sum(), "estimate": found.estimate,
        "se": np.where(found.base > 1, found.se, np.nan), "low": low, "high": high, "base": found.base,
        "base_effective": found.base_effective, "reliability": reliability(found.base_effective),
    })  # fmt: skip
    return table[table["base"] > 0]


MEASURES = ("intended", "behaved", "slope", "to_intention", "to_behaviour", "equal")


@dataclass(frozen=True, eq=False)
class Answers:
    """The different combinations of answers that occur, c of them, and which of them every row gave.

    Attributes
    ----------
    said, did, satisfied : array, shape (c,)
    group : int array, shape (c,)
        −1 for none.
    member : sparse array, shape (n, c)
    """

    said: FloatArray
    did: FloatArray
    satisfied: FloatArray
    group: np.ndarray
    member: Any


def _answers(pairs: Said, groups: Mapping[Any, np.ndarray]) -> Answers:
    n, code = len(pairs.w), np.full(len(pairs.w), -1.0)
    for g, own in enumerate(groups.values()):
        code[own] = g
    columns = np.column_stack([pairs.said, pairs.did, np.nan_to_num(pairs.satisfied, nan=np.inf), code])
    found, place = np.unique(columns, axis=0, return_inverse=True)
    member = sparse.csr_array((np.ones(n), (np.arange(n), place.ravel())), shape=(n, len(found)))
    satisfied = np.where(np.isinf(found[:, 2]), np.nan, found[:, 2])
    return Answers(found[:, 0], found[:, 1], satisfied, found[:, 3].astype(int), member)


def _measures(answers: Answers, count: int, ends: tuple[tuple[float, float], float], rows: FloatArray) -> FloatArray:
    """What MEASURES names, for every set of weights of rows and every group, shape (b, count, 6)."""
    (lowest, highest), cut = ends
    weights = np.asarray((answers.member.T @ rows.T).T)
    points, place = np.unique(answers.said, return_inverse=True)
    everybody = np.column_stack([weights[:, place == k].sum(axis=1) for k in range(len(points))])
    everybody /= everybody.sum(axis=1)[:, None]
    out = np.full((len(weights), count, len(MEASURES)), np.nan)
    at = np.column_stack([np.ones(len(points)), points - lowest])
    for g in range(count):
        own = answers.group == g
        w, x, y, s = weights[:, own], answers.said[own], answers.did[own], answers.satisfied[own]
        total = w.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, g, 0], out[:, g, 1] = w @ (x >= cut) / total, w @ y / total
            z = x - x.mean()
            mean, square, both = (w @ v / total for v in (z, z * z, z * y))
            out[:, g, 2] = (both - mean * out[:, g, 1]) / _positive(square - mean**2, z) * (highest - lowest)
        if np.ptp(x) > 0 and np.ptp(y) > 0:
            beta = refits(np.column_stack([np.ones(len(x)), x - lowest]), y, w)
            out[:, g, 5] = np.sum(shares(at, beta) * everybody, axis=1)
        known = np.isfinite(s)
        if known.sum() > 2 and np.ptp(s[known]) > 0:
            out[:, g, 3:5] = _standardised(s[known], x[known], y[known], w[:, known])
    return out


def _standardised(s: FloatArray, x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    """Standardised slopes of satisfaction on intention and on the propensity of the behaviour, shape (b, 2)."""
    total = w.sum(axis=1)
    s = s - s.mean()
    x = x - x.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        ms, mx, ss, xx, sx = (w @ v / total for v in (s, x, s * s, x * x, s * x))
        variance = _positive(ss - ms**2, s)
        first = (sx - ms * mx) / np.sqrt(variance * _positive(xx - mx**2, x))
        slope = refits(np.column_stack([np.ones(len(s)), s]), y, w)[:, 1] if np.ptp(y) > 0 else np.full(len(w), np.nan)
        second = slope * np.sqrt(variance) / np.sqrt(slope**2 * variance + np.pi**2 / 3)
    return np.column_stack([first, second])


def _positive(variance: FloatArray, values: FloatArray) -> FloatArray:
    """Variances, missing where all answers are one but for rounding."""
    return np.where(variance > 1e-12 * max(float(np.max(values**2)), 1e-300), variance, np.nan)


def _agreement(
    pairs: Said, own: np.ndarray, found: tuple[FloatArray, FloatArray], cut: float, level: float
) -> pd.DataFrame:
    """One row: intended, behaved, overclaim, slopes, gap."""
    whole, draws = found
    df = pairs.degrees(own)
    half = t_quantile(level, df) * spread(draws)
    row: dict[str, Any] = {}
    size = len(pairs.design.weights)
    for k, values in enumerate((pairs.said >= cut, pairs.did)):
        column, codes = np.full(size, np.nan), np.full(size, -1)
        column[pairs.rows[own]], codes[pairs.rows[own]] = values[own], 0
        means = group_means(pairs.design, column, codes, 1)
        low, high = intervals(means, ["share"], level=level)
        row |= {MEASURES[k]: whole[k], f"{MEASURES[k]}_low": low[0], f"{MEASURES[k]}_high": high[0]}
    for name, k, j in (("overclaim", 0, 1), ("gap", 3, 4)):
        value, se = whole[k] - whole[j], float(spread((draws[:, k] - draws[:, j])[:, None])[0])
        reach = float(t_quantile(level, df)) * se
        p = float(p_values(np.array([value]), np.array([se]), df)[0])
        row |= {name: value, f"{name}_low": value - reach, f"{name}_high": value + reach, f"{name}_p": p}
    for k in (2, 3, 4):
        row |= {
            MEASURES[k]: whole[k],
            f"{MEASURES[k]}_low": whole[k] - half[k],
            f"{MEASURES[k]}_high": whole[k] + half[k],
        }
    effective = kish_base(pairs.w[own])
    return pd.DataFrame(
        [{**row, "base": len(own), "base_effective": effective, "reliability": str(reliability(effective))}]
    )


def _differences(
    pairs: Said, groups: Mapping[Any, np.ndarray], found: tuple[FloatArray, FloatArray], by: str, level: float
) -> pd.DataFrame:
    """All pairs of groups at equal intention, in overclaim and in the gap of the slopes; Holm within each."""
    whole, draws = (np.stack([v[..., 5], v[..., 0] - v[..., 1], v[..., 3] - v[..., 4]], axis=-1) for v in found)
    member = np.zeros((len(pairs.design.weights), len(groups)), dtype=bool)
    for g, own in enumerate(groups.values()):
        member[pairs.rows[own], g] = True
    presence, codes, rows = pairs.design.presence(member), list(groups), []
    for m, name in enumerate(("at_equal_intention", "overclaim", "gap")):
        for i, j in combinations(range(len(codes)), 2):
            df = float(presence.pair_df(np.array([i]), np.array([j]))[0])
            value, se = whole[i, m] - whole[j, m], float(spread((draws[:, i, m] - draws[:, j, m])[:, None])[0])
            half = float(t_quantile(level, df)) * se
            p = float(p_values(np.array([value]), np.array([se]), df)[0])
            base = min(kish_base(pairs.w[groups[codes[k]]]) for k in (i, j))
            rows.append({"measure": name, key_of(by): codes[i], "other": codes[j], "estimate": value, "se": se, "low": value - half,
                         "high": value + half, "p_value": p, "base_effective": base, "reliability": str(reliability(base))})  # fmt: skip
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows)
    table = table[table["estimate"].notna()].reset_index(drop=True)
    for _, part in table.groupby("measure", sort=False):
        table.loc[part.index, "p_value"] = holm(part["p_value"].to_numpy())
    return table


def _call(survey: Survey, intention: str, behaviour: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"satisfaction": "satisfaction", "by": None, "bands": None, "intends": None, "replicates": 500, "seed": 0,
                             "level": 0.95}  # fmt: skip
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.intention_behaviour(survey{survey.filter}, {intention!r}, {behaviour!r}{said})"
