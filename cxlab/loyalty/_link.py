"""From satisfaction to loyalty: the curve, its threshold, its zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm
from cxlab.design import kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.loyalty._between import line_of, slope_differences, threshold_differences
from cxlab.loyalty._curve import curve, places
from cxlab.loyalty._effects import bent_effects, line_effect
from cxlab.loyalty._groups import covariate, group_labels, groups_of, key_of, keyed
from cxlab.loyalty._link_result import LoyaltyLinkResult, link_notes
from cxlab.loyalty._link_words import HEADINGS
from cxlab.loyalty._lost import group_note, intention_note, lost_notes
from cxlab.loyalty._threshold import Bend, Pairs, bend, default_knots, regress
from cxlab.loyalty._zones import cuts_of, zones
from cxlab.metrics import design_notes, names
from cxlab.result import Base, reliability
from cxlab.significance import table_test
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST, LEAST_POINTS = 60, 5  # respondents and different answers on which a bend can be looked for
_AT_TOP = 0.25  # share of highest answers above a threshold that makes a ceiling likely


def loyalty_link(
    survey: Survey,
    satisfaction: str = "satisfaction",
    loyalty: str = "recommend",
    *,
    by: str | None = None,
    covariates: Sequence[str] = (),
    knots: Sequence[float] | None = None,
    cuts: Sequence[float] | None = None,
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> LoyaltyLinkResult:
    """How does loyalty rise with satisfaction, and is there a point from which it rises faster or slower?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    satisfaction : str
        Column or role, on its own scale, with five different answers or more.
    loyalty : str
        Column or role: an intention on its scale, or a behaviour of 0 and 1, such as a renewal.
    by : str, optional
        Segment (or wave); every group gets its own curve and threshold.
    covariates : list of str
        Held equal in the lines, not in the curve of means. Text and nominal items become indicators.
    knots : list of float, optional
        Where a bend is looked for. By default up to 41 knots that leave 5 % of the weight, or 50
        respondents, strictly below and above.
    cuts : two numbers, optional
        Lowest answer of the zone of indifference and lowest of affection; 70 % and 90 % of the scale by default.
    replicates : int
        Rao–Wu replicates for the interval of the smooth curve; 0 for none.
    seed : int
        Of the replicates and of the draws under no bend.
    level : float
        Of intervals; a threshold is shown if the test rejects at 1 − level.

    Returns
    -------
    LoyaltyLinkResult
        One row per point of satisfaction (and ``segment``): ``point, estimate, se, low, high`` (mean, or share for 0/1),
        ``smooth, smooth_low, smooth_high`` (monotone spline), ``base, base_effective, reliability``. ``.threshold`` has the
        test (``statistic, p_value``), ``threshold, low, high``, slopes below and above with intervals, the slope of the
        straight line and ``findable``, the bend that would have been found four times in five; slopes of 0/1
        outcomes are log-odds, with ``effect_below, effect_above, effect``, average differences of the share per point.
        ``.zones``, ``.differences`` and ``.threshold_differences`` (slopes and thresholds of groups against each
        other), ``.smooth`` (the spline between the points).

    Raises
    ------
    SurveyError
        For unknown names, a constant outcome, fewer than 60 respondents or five answers, knots outside the answers.

    Notes
    -----
    y = a + b x + d (x − c)₊ + covariates, by weighted least squares, or its log-odds by pseudo-likelihood, at every knot c. The
    statistic is the largest Wald statistic of d = 0; its null distribution comes from 9,999 draws of a multivariate t with the
    design covariance of all d(c), which takes the place of Davies' bound under weights and clusters. The threshold
    is the knot that fits best, given only if the test rejects (Holm over groups). Its interval is that of the best knot when
    the criteria of all knots vary as their design covariance says, which holds where a rating scale has rounded the bend and
    knots some way apart fit about equally well; it is widened to the knots that a criterion test, scaled by the design effect
    of the score for the knot, leaves standing. Intervals of slopes and effects enclose those at the latter. Thresholds of groups are compared by drawing
    their best knots together; groups without a threshold have none that could differ. Respondents with a missing answer leave.
    The smooth is the monotone spline closest to the answers: quadratic I-splines, non-negative coefficients, up to four
    inner knots at equal shares of the weight.

    Rating scales blunt a bend: coarse answers and response style move the best-fitting knot away from the one in customers' minds.

    References
    ----------
    Hansen (2017), Journal of Business & Economic Statistics 35, 228–240. Ramsay (1988), Statistical
    Science 3, 425–441. Rao & Scott (1984), Annals of Statistics 12, 46–60.
    Jones & Sasser (1995), Harvard Business Review 73(6), 88–99. Mittal & Kamakura (2001), Journal of Marketing
    Research 38, 131–142.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(0, 11, 800).astype(float)
    >>> y = 2 + 0.2 * x + 1.2 * np.maximum(x - 7, 0) + rng.normal(0, 1, 800)
    >>> link = loyalty_link(Survey.from_frame(pd.DataFrame({"satisfaction": x, "recommend": y})), replicates=0)
    >>> link.threshold[["threshold", "slope_below", "slope_above"]].round(1).values.tolist()
    [[7.0, 0.2, 1.4]]
    """
    t_quantile(level, 1)
    if replicates < 0 or 0 < replicates < 100:
        raise SurveyError(
            f"replicates is {replicates}; the interval of the smooth curve needs at least 100, or 0 for none."
        )
    whole, excluded = _pairs(survey, satisfaction, loyalty, covariates)
    _check(whole, satisfaction, loyalty)
    grid = _grid(whole, satisfaction, knots)
    groups = groups_of(survey, by)
    parts = {code: _within(whole, inside) for code, inside in groups.items()}
    bends = {c: _bend(p, satisfaction, grid, seed) if _suffices(p) else None for c, p in parts.items()}
    curves = {c: curve(p, level, replicates, seed) for c, p in parts.items() if len(p.rows)}
    tables, smooth = ([keyed(both[k], c, by) for c, both in curves.items()] for k in (0, 1))
    scale = survey.scale(satisfaction) or (float(whole.x.min()), float(whole.x.max()))
    at = cuts_of(cuts, scale, whole.x)
    zoned = [keyed(zones(p, at, level), c, by) for c, p in parts.items() if len(p.rows)]
    threshold = _thresholds(parts, bends, by, level)
    differences, equal = _apart(whole, parts, (threshold, bends), (by, level), at)
    labels = {**HEADINGS, satisfaction: names(survey, satisfaction), loyalty: names(survey, loyalty)}
    labels |= group_labels(survey, by, list(parts))
    options = {"by": by, "covariates": list(covariates), "knots": knots and list(knots), "cuts": cuts and tuple(cuts), "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    spec, w = (".0%" if whole.binary else ".2f"), whole.w
    share = 1 - w.sum() / survey.weights[survey.domain].sum()
    kept = np.isin(np.arange(len(survey.data)), whole.rows)
    binned = places(whole.x, w)[2]
    unusual = (binned, survey.scale(satisfaction) is None, _ceiling(parts, threshold, survey.scale(loyalty)))
    return LoyaltyLinkResult(
        pd.concat(tables, ignore_index=True), Base(len(w), kish_base(w), excluded, float(share)),
        (*link_notes(threshold, differences[1], equal, whole.binary, unusual), *intention_note(survey, loyalty, whole.binary),
         *lost_notes(survey, [satisfaction, *covariates, loyalty], kept), *group_note(survey, groups), *design_notes(survey)),
        labels, _call(survey, satisfaction, loyalty, options),
        {"en": "The link from satisfaction to loyalty", "zh": "满意度与忠诚度的关系"},
        {"point": "g" if not binned else ".1f", "estimate": spec, "low": spec, "high": spec, "smooth": spec, "smooth_low": spec,
         "smooth_high": spec, "se": ".3f"},
        level=level, satisfaction=satisfaction, loyalty=loyalty, binary=whole.binary, threshold=threshold,
        zones=pd.concat(zoned, ignore_index=True), differences=differences[0], threshold_differences=differences[1],
        smooth=pd.concat(smooth, ignore_index=True), cuts=at, equal=equal[0], equal_thresholds=equal[1], equal_zones=equal[2],
    )  # fmt: skip


# ------------------------------------------------------------------------------ rows
def _pairs(survey: Survey, satisfaction: str, loyalty: str, covariates: Sequence[str]) -> tuple[Pairs, int]:
    """Complete rows, and how many of the domain left."""
    if isinstance(covariates, str):
        raise SurveyError(f"covariates is the text {covariates!r}; pass a list, such as [{covariates!r}].")
    survey.require("satisfaction", [satisfaction])
    survey.require("loyalty", [loyalty])
    survey.require("covariates", covariates)
    same = [n for n in (loyalty, *covariates) if survey.items_of(n) == survey.items_of(satisfaction)]
    if same:
        raise SurveyError(f"{same[0]!r} is the satisfaction itself; name another column.")
    x, y = survey.values(satisfaction), survey.values(loyalty)
    asked = survey.domain & (survey.weights > 0)
    complete = asked & np.isfinite(x) & np.isfinite(y)
    blocks = [np.column_stack([np.zeros((len(x), 0)), *(c.values for c in covariate(survey, n))]) for n in covariates]
    for block in blocks:
        complete &= np.isfinite(block).all(axis=1)
    rows = np.flatnonzero(complete)
    others = np.hstack([np.zeros((len(rows), 0)), *(b[rows] for b in blocks)])
    others = others[:, np.ptp(others, axis=0) > 0] if len(rows) else others
    binary = bool(np.isin(y[rows], (0.0, 1.0)).all())
    return Pairs(x[rows], y[rows], others, rows, resolve(survey), binary), int(asked.sum()) - len(rows)


def _check(pairs: Pairs, satisfaction: str, loyalty: str) -> None:
    if len(pairs.y) < LEAST:
        raise SurveyError(
            f"satisfaction {satisfaction!r} and loyalty {loyalty!r} are both answered by {len(pairs.y)} respondents; at least "
            f"{LEAST} are needed to look for a bend: widen the filter, or take several waves together."
        )
    if np.ptp(pairs.y) == 0:
        raise SurveyError(
            f"loyalty {loyalty!r} is {pairs.y[0]:g} for all {len(pairs.y):,} respondents; there is nothing to explain."
        )
    points = len(np.unique(pairs.x))
    if points < LEAST_POINTS:
        raise SurveyError(
            f"satisfaction {satisfaction!r} has {points} different answers among {len(pairs.x):,} respondents; at least "
            f"{LEAST_POINTS} are needed to tell a bend from a line: compare the groups of answers with cx.linear or cx.logit."
        )
    if regress(pairs, pairs.line()) is None:
        raise SurveyError(
            f"covariates: with {pairs.others.shape[1]} columns of covariates no line of {loyalty!r} on {satisfaction!r} can be fitted: "
            "they repeat one another or determine the outcome; name fewer."
        )


def _suffices(pairs: Pairs) -> bool:
    """Whether a bend can be looked for in a group."""
    enough = len(pairs.y) >= LEAST and np.ptp(pairs.y) > 0 and len(np.unique(pairs.x)) >= LEAST_POINTS
    return bool(enough and regress(pairs, pairs.line()) is not None)


def _grid(pairs: Pairs, satisfaction: str, knots: Sequence[float] | None) -> FloatArray | None:
    if knots is None:
        if not len(default_knots(pairs.x, pairs.w)):
            raise SurveyError(
                f"satisfaction {satisfaction!r}: no answer has 5 % of the weight both below and above it; a bend cannot be "
                "looked for: name knots, or widen the filter."
            )
        return None
    grid = np.unique(np.asarray(list(knots), dtype=float))
    low, high = float(pairs.x.min()), float(pairs.x.max())
    outside = grid[~((grid > low) & (grid < high))]
    if len(outside) or not len(grid):
        shown = ", ".join(f"{k:g}" for k in outside[:5])
        raise SurveyError(
            f"knots names {len(outside)} of {len(grid)} knots that are not between the answers {low:g} and {high:g} of "
            f"{satisfaction!r}{': ' + shown if shown else ''}; name knots strictly inside, or leave knots out."
        )
    return grid


def _within(pairs: Pairs, inside: np.ndarray) -> Pairs:
    kept = inside[pairs.rows]
    others = pairs.others[kept]
    others = others[:, np.ptp(others, axis=0) > 0] if kept.any() else others
    return Pairs(pairs.x[kept], pairs.y[kept], others, pairs.rows[kept], pairs.design, pairs.binary)


def _bend(pairs: Pairs, satisfaction: str, grid: FloatArray | None, seed: int) -> Bend | None:
    inner = default_knots(pairs.x, pairs.w) if grid is None else grid
    inner = inner[(inner > pairs.x.min()) & (inner < pairs.x.max())]
    return bend(pairs, inner, seed) if len(inner) else None


# ------------------------------------------------------------------------------ tables
def _thresholds(
    parts: Mapping[Any, Pairs], bends: Mapping[Any, Bend | None], by: str | None, level: float
) -> pd.DataFrame:
    """One row per group: the test, and what it lets us say."""
    looked = [c for c, b in bends.items() if b is not None]
    adjusted = dict(zip(looked, holm(np.array([b.p_value for b in bends.values() if b is not None])), strict=True))
    rows = []
    binary = next(iter(parts.values())).binary
    for code, pairs in parts.items():
        found = bends[code]
        row = dict.fromkeys((*_COLUMNS, *(_EFFECTS if binary else ())), float("nan")) | {
            "low_open": False,
            "high_open": False,
        }
        if found is not None:
            row |= _described(found, float(adjusted[code]), level)
        row |= {"base": len(pairs.x), "base_effective": kish_base(pairs.w) if len(pairs.x) else 0.0}
        rows.append(({key_of(by): code} if by is not None else {}) | row)
    table = pd.DataFrame(rows)
    return table.assign(reliability=reliability(table["base_effective"]))


_SLOPES = ("slope_below", "slope_above", "bend")
_COLUMNS = ("statistic", "p_value", "threshold", "low", "high", "low_open", "high_open",
            *(f"{s}{end}" for s in _SLOPES for end in ("", "_low", "_high")),
            "slope", "slope_low", "slope_high", "findable", "intercept", "knots")  # fmt: skip
_EFFECTS = (
    *(f"{e}{end}" for e in ("effect_below", "effect_above", "effect") for end in ("", "_low", "_high")),
    "findable_effect",
)


def _described(found: Bend, p: float, level: float) -> dict[str, Any]:
    """The row of one group; threshold and slopes beside it only if the test rejects."""
    intercept, slope, influence = line_of(found.pairs)
    half = float(t_quantile(level, found.df + 1) * np.sqrt(found.pairs.spread(influence[:, None])[0, 0]))
    row: dict[str, Any] = {
        "statistic": found.statistic, "p_value": p, "slope": slope, "slope_low": slope - half, "slope_high": slope + half,
        "findable": found.findable(level), "intercept": intercept, "knots": len(found.knots),
    }  # fmt: skip
    if found.pairs.binary:
        *effect, ratio = line_effect(found.pairs, level)
        row |= dict(zip(("effect", "effect_low", "effect_high"), effect, strict=True))
        row["findable_effect"] = row["findable"] * ratio
    if p >= 1 - level:
        return row
    low, high = found.interval(level)
    row |= {"threshold": found.threshold, "low": low, "high": high, "low_open": low == found.knots[0],
            "high_open": high == found.knots[-1], "intercept": float(found.fits[found.place].coefficients[0])}  # fmt: skip
    for name, (value, _, low, high) in zip(_SLOPES, found.slopes(level), strict=True):
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    if found.pairs.binary:
        for name, (value, low, high) in zip(("effect_below", "effect_above"), bent_effects(found, level), strict=True):
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return row


def _ceiling(parts: Mapping[Any, Pairs], threshold: pd.DataFrame, scale: tuple[float, float] | None) -> bool:
    """Whether a line flattens where a quarter or more give the highest answer of the scale."""
    for pairs, knot, bend_ in zip(parts.values(), threshold["threshold"], threshold["bend"], strict=True):
        if not pairs.binary and bend_ < 0:
            top = pairs.y.max() if scale is None else scale[1]
            above = pairs.x > knot
            if above.any() and np.average(pairs.y[above] >= top, weights=pairs.w[above]) >= _AT_TOP:
                return True
    return False


def _apart(
    whole: Pairs, parts: Mapping[Any, Pairs], found: tuple[pd.DataFrame, Mapping[Any, Bend | None]],
    asked: tuple[str | None, float], cuts: tuple[float, float, float],
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], tuple[float, float, float]]:  # fmt: skip
    """Slopes and thresholds of groups against each other, and p-values of equal slopes, thresholds and zones."""
    (threshold, bends), (by, level) = found, asked
    if by is None:
        return (pd.DataFrame(), pd.DataFrame()), (float("nan"),) * 3
    key = key_of(by)
    slopes, equal = slope_differences({c: p for c, p in parts.items() if _suffices(p)}, key, level)
    shown = threshold.loc[threshold["threshold"].notna(), key]
    places, same = threshold_differences({c: b for c in shown if (b := bends[c]) is not None}, key, level)
    return (slopes, places), (equal, same, _zones_alike(whole, parts, cuts))


def _zones_alike(pairs: Pairs, parts: Mapping[Any, Pairs], cuts: tuple[float, float, float]) -> float:
    """p-value of equal shares of the zones in all groups; NaN where only one zone or group occurs."""
    rows, columns = np.full((2, len(pairs.design.weights)), -1)
    for k, part in enumerate(p for p in parts.values() if len(p.rows)):
        rows[part.rows] = k
        columns[part.rows] = np.digitize(part.x, cuts[:2])
    inside = rows >= 0
    zone, columns[inside] = np.unique(columns[inside], return_inverse=True)
    return float(table_test(pairs.design, rows, columns).p_value) if len(zone) > 1 and rows.max() > 0 else float("nan")


def _call(survey: Survey, satisfaction: str, loyalty: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {
        "by": None,
        "covariates": [],
        "knots": None,
        "cuts": None,
        "replicates": 500,
        "seed": 0,
        "level": 0.95,
    }
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.loyalty_link(survey{survey.filter}, {satisfaction!r}, {loyalty!r}{said})"
