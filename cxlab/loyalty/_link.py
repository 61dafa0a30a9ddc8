"""From satisfaction to loyalty: the curve, its threshold, its zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm, p_values
from cxlab.design import Design, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.loyalty._curve import curve, places
from cxlab.loyalty._groups import covariate, group_labels, groups_of, key_of, keyed
from cxlab.loyalty._link_result import HEADINGS, LoyaltyLinkResult, link_notes
from cxlab.loyalty._threshold import Bend, Pairs, bend, default_knots, regress
from cxlab.loyalty._zones import cuts_of, zones
from cxlab.metrics import design_notes, names
from cxlab.result import Base, reliability
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
        ``smooth, smooth_low, smooth_high`` (monotone), ``base, base_effective, reliability``. ``.threshold`` has the
        test (``statistic, p_value``), ``threshold, low, high``, slopes below and above with intervals, the slope of the
        straight line and ``findable``, the bend that would have been found four times in five; slopes of 0/1
        outcomes are log-odds. ``.zones``, ``.differences`` (slopes of groups against each other).

    Raises
    ------
    SurveyError
        For unknown names, a constant outcome, fewer than 60 respondents or five answers, knots outside the answers.

    Notes
    -----
    y = a + b x + d (x − c)₊ + covariates, by weighted least squares, or its log-odds by pseudo-likelihood, at every knot c. The
    statistic is the largest Wald statistic of d = 0; its null distribution comes from 9,999 draws of a multivariate t with the
    design covariance of all d(c), which takes the place of Davies' bound under weights and clusters. The threshold
    is the knot that fits best, given only if the test rejects (Holm over groups). Its interval holds the knots that a
    test on the criterion does not reject, scaled by the design effect of the score for the knot. Intervals of the slopes
    enclose those at all these knots. Respondents with a missing answer leave.

    Rating scales blunt a bend: coarse answers and response style move the best-fitting knot away from the one in customers' minds.

    References
    ----------
    Hansen (2017), Journal of Business & Economic Statistics 35, 228–240. Rao & Scott (1984), Annals of Statistics 12, 46–60.
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
    tables = [keyed(curve(p, level, replicates, seed), c, by) for c, p in parts.items() if len(p.rows)]
    scale = survey.scale(satisfaction) or (float(whole.x.min()), float(whole.x.max()))
    at = cuts_of(cuts, scale, whole.x)
    zoned = [keyed(zones(p, at, level), c, by) for c, p in parts.items() if len(p.rows)]
    threshold = _thresholds(parts, bends, by, level)
    differences, equal = _differences(parts, by, level) if by is not None else (pd.DataFrame(), float("nan"))
    labels = {**HEADINGS, satisfaction: names(survey, satisfaction), loyalty: names(survey, loyalty)}
    labels |= group_labels(survey, by, list(parts))
    options = {"by": by, "covariates": list(covariates), "knots": knots and list(knots), "cuts": cuts and tuple(cuts), "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    spec, w = (".0%" if whole.binary else ".2f"), whole.w
    share = 1 - w.sum() / survey.weights[survey.domain].sum()
    binned = places(whole.x, w)[2]
    unusual = (binned, survey.scale(satisfaction) is None, _ceiling(parts, threshold, survey.scale(loyalty)))
    return LoyaltyLinkResult(
        pd.concat(tables, ignore_index=True), Base(len(w), kish_base(w), excluded, float(share)),
        (*link_notes(threshold, whole.binary, excluded, float(share), equal, unusual), *design_notes(survey)),
        labels, _call(survey, satisfaction, loyalty, options),
        {"en": "The link from satisfaction to loyalty", "zh": "满意度与忠诚度的关系"},
        {"point": "g" if not binned else ".1f", "estimate": spec, "low": spec, "high": spec, "smooth": spec, "smooth_low": spec,
         "smooth_high": spec, "se": ".3f"},
        level=level, satisfaction=satisfaction, loyalty=loyalty, binary=whole.binary, threshold=threshold,
        zones=pd.concat(zoned, ignore_index=True), differences=differences, cuts=at, equal=equal,
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
def _line(pairs: Pairs) -> tuple[float, float, FloatArray]:
    """Intercept and slope of the straight line, and the slope's influence values."""
    fit = regress(pairs, pairs.line())
    if fit is None:
        return float("nan"), float("nan"), np.zeros(len(pairs.x))
    return float(fit.coefficients[0]), float(fit.coefficients[1]), fit.influence()[:, 1]


def _thresholds(
    parts: Mapping[Any, Pairs], bends: Mapping[Any, Bend | None], by: str | None, level: float
) -> pd.DataFrame:
    """One row per group: the test, and what it lets us say."""
    looked = [c for c, b in bends.items() if b is not None]
    adjusted = dict(zip(looked, holm(np.array([b.p_value for b in bends.values() if b is not None])), strict=True))
    rows = []
    for code, pairs in parts.items():
        found = bends[code]
        row = dict.fromkeys(_COLUMNS, float("nan")) | {"low_open": False, "high_open": False}
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


def _described(found: Bend, p: float, level: float) -> dict[str, Any]:
    """The row of one group; threshold and slopes beside it only if the test rejects."""
    intercept, slope, influence = _line(found.pairs)
    half = float(t_quantile(level, found.df + 1) * np.sqrt(found.pairs.spread(influence[:, None])[0, 0]))
    row: dict[str, Any] = {
        "statistic": found.statistic, "p_value": p, "slope": slope, "slope_low": slope - half, "slope_high": slope + half,
        "findable": found.findable(level), "intercept": intercept, "knots": len(found.knots),
    }  # fmt: skip
    if p >= 1 - level:
        return row
    stand = found.accepted(level)
    kept = found.knots[stand]
    row |= {"threshold": found.threshold, "low": kept.min(), "high": kept.max(), "low_open": bool(stand[0]),
            "high_open": bool(stand[-1]), "intercept": float(found.fits[found.place].coefficients[0])}  # fmt: skip
    for name, (value, _, low, high) in zip(_SLOPES, found.slopes(level), strict=True):
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


def _differences(parts: Mapping[Any, Pairs], by: str, level: float) -> tuple[pd.DataFrame, float]:
    """Slopes of the straight lines of all pairs of groups (Holm), and the test that all are equal."""
    kept = {c: p for c, p in parts.items() if _suffices(p)}
    if len(kept) < 2:
        return pd.DataFrame(), float("nan")
    design: Design = next(iter(kept.values())).design
    influence, slopes = np.zeros((len(design.weights), len(kept))), []
    for k, pairs in enumerate(kept.values()):
        _, slope, values = _line(pairs)
        slopes.append(slope)
        influence[pairs.rows, k] = values
    covariance, slope_of = design.covariance(influence), np.array(slopes)
    inside = (influence != 0).any(axis=1)[:, None]
    df = max(float(design.domain_df(inside)[0]) + 1 - 2 * len(kept), 1.0)
    pairs_of = np.array(list(combinations(range(len(kept)), 2)))
    contrast = np.zeros((len(pairs_of), len(kept)))
    contrast[np.arange(len(pairs_of)), pairs_of[:, 0]] = 1
    contrast[np.arange(len(pairs_of)), pairs_of[:, 1]] = -1
    gaps, se = contrast @ slope_of, np.sqrt(np.maximum(np.diagonal(contrast @ covariance @ contrast.T), 0))
    first = contrast[: len(kept) - 1]  # the first group against every other spans all differences
    q = len(first)
    f = float((first @ slope_of) @ np.linalg.solve(first @ covariance @ first.T, first @ slope_of)) / q
    codes, half = list(kept), t_quantile(level, df) * se
    table = pd.DataFrame({
        key_of(by): [codes[i] for i, _ in pairs_of], "other": [codes[j] for _, j in pairs_of], "estimate": gaps, "se": se,
        "low": gaps - half, "high": gaps + half, "p_value": holm(p_values(gaps, se, df)),
    })  # fmt: skip
    return table, float(stats.f.sf(f, q, df))


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
