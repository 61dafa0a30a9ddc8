"""How much would have to be wrong: omitted causes, unreliable answers, halo, a few respondents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cxlab.drivers._audit_frame import Derivative, Frame, Importance
from cxlab.moments import to_correlation

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_REMOVED = 0.5  # share of weight up to which respondents are removed
_STEP = 1e-4  # of correlations, for central differences
_TRACE = 1e-7  # of noise in a factor score: given it, the drivers are then still not tied to one another
_RIVALS = 3
_ROUNDS = 3
_HOPELESS = 1.5  # a rival that takes this many times more weight is not followed up
_PROBES = 17  # importances computed at once


# ---------------------------------------------------------------------- omitted causes
def robustness_value(t: Any, df: Any, *, q: float = 1.0, alpha: float | None = None) -> Any:
    """How strong would an omitted cause have to be to take away a coefficient?

    Parameters
    ----------
    t : float or array
        t statistic of the coefficient.
    df : float or array
        Residual degrees of freedom.
    q : float
        Share of the coefficient to be taken away; 1 brings it to zero.
    alpha : float, optional
        If given, the coefficient only has to become insignificant at this level.

    Returns
    -------
    float or array
        Share of the residual variance, of driver and of outcome, that the omitted cause has to explain (partial R²).

    Notes
    -----
    With f = q |t| / √df − t*/√(df − 1), where t* is the critical value at df − 1 (0 without alpha),
    RV = ½ (√(f⁴ + 4 f²) − f²), 0 for f ≤ 0, and (f² − f*²) / (1 + f²) where the critical value f* is so large
    that the extreme scenario binds.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39–67. R: ``sensemakr::robustness_value``.

    Examples
    --------
    >>> round(float(robustness_value(4.18445, 783)), 6), round(float(robustness_value(4.18445, 783, alpha=0.05)), 6)
    (0.138776, 0.076258)
    """
    t, df = np.asarray(t, dtype=float), np.asarray(df, dtype=float)
    whole = q * np.abs(t) / np.sqrt(df)
    critical = 0.0 if alpha is None else stats.t.ppf(1 - alpha / 2, df - 1) / np.sqrt(df - 1)
    f = np.maximum(whole - critical, 0.0)
    value = (np.sqrt(f**4 + 4 * f**2) - f**2) / 2
    extreme = (f > 0) & (critical > 0) & (whole > 1 / np.where(critical > 0, critical, np.inf))
    return np.where(extreme, (whole**2 - critical**2) / (1 + whole**2), value)


def omitted_as_strong_as(frame: Frame, driver: int, other: int) -> float:
    """Share of a driver's coefficient left if a cause as strong as another driver had been omitted.

    Notes
    -----
    The bound of Cinelli & Hazlett (2020) with k = 1, on weighted partial R²: bias = se √df √(R²_yz R²_dz / (1 − R²_dz)).
    NaN where so strong a cause cannot exist beside the other drivers.
    """
    d, j = int(frame.effect[driver]), int(frame.effect[other])
    precision = np.linalg.inv(frame.correlation[:-1, :-1])
    with_driver = precision[d, j] ** 2 / (precision[d, d] * precision[j, j])
    left = float(1 - frame.slopes @ frame.correlation[:-1, -1])
    with_outcome = _partial(frame.slopes[j], precision[j, j], left)
    if with_driver >= 0.5:
        return float("nan")
    dz = with_driver / (1 - with_driver)
    zj = with_driver**2 / ((1 - with_driver) * (1 - with_driver))
    yz = ((1 + np.sqrt(zj)) / np.sqrt(1 - zj)) ** 2 * with_outcome / (1 - with_outcome) if zj < 1 else np.nan
    own = _partial(frame.slopes[d], precision[d, d], left)
    f = np.sqrt(own / (1 - own))
    return float(1 - np.sqrt(min(yz, 1.0) * dz / (1 - dz)) / f)


def _partial(slope: float, precision: float, left: float) -> float:
    """Partial R² of a column with the outcome."""
    gain = slope**2 / precision
    return float(gain / (gain + left))


# ---------------------------------------------------------------------- unreliable answers
def corrected(correlation: FloatArray, columns: tuple[int, ...], reliability: float) -> FloatArray:
    """Covariances of true scores: of some columns only ``reliability`` of the variance is no error of measurement.

    Returns
    -------
    array, shape (k + 1, k + 1)
        All NaN where the correlations are too high for so low a reliability.
    """
    out = correlation.copy()
    out[columns, columns] *= reliability
    lowest = np.linalg.eigvalsh(to_correlation(out))[0]
    return out if lowest > 1e-6 else np.full_like(out, np.nan)


def leaders_under(frame: Frame, columns: tuple[int, ...], reliabilities: FloatArray) -> np.ndarray:
    """Place of the most important driver for each reliability of some columns; −1 where it is impossible."""
    matrices = np.array([corrected(frame.correlation, columns, r) for r in reliabilities])
    possible = np.isfinite(matrices).all(axis=(1, 2))
    out = np.full(len(reliabilities), -1)
    if possible.any():
        out[possible] = frame.importance(matrices[possible]).argmax(axis=1)
    return out


@dataclass(frozen=True)
class Unreliable:
    """Reliability of other drivers under which another driver is the most important.

    Attributes
    ----------
    reliability : float
        The highest at which rank 1 changes; NaN if it never does down to .5.
    rival : int
        Who is first then.
    alone : bool
        Whether only the rival is unreliable, or all but the leader are.
    """

    reliability: float
    rival: int
    alone: bool


def unreliable(frame: Frame, leader: int, lowest: float = 0.5) -> Unreliable:
    """The highest reliability of one other driver, or of all others, at which rank 1 changes."""
    grid = np.round(np.arange(0.99, lowest - 0.005, -0.01), 2)
    others = [j for j in range(len(frame.players)) if j != leader and len(frame.players[j]) == 1]
    scenarios = [(frame.players[j], True) for j in others]
    if len(others) > 1:
        scenarios.append((tuple(c for j in others for c in frame.players[j]), False))
    best = Unreliable(np.nan, -1, True)
    for columns, alone in scenarios:
        first = _first_change(frame, columns, grid, leader)
        if first is not None and not grid[first[0]] <= best.reliability:
            best = Unreliable(float(grid[first[0]]), first[1], alone)
    return best


def _first_change(frame: Frame, columns: tuple[int, ...], grid: FloatArray, leader: int) -> tuple[int, int] | None:
    """Place in the grid and new leader at the first change of rank 1, by coarse steps and then fine ones."""
    coarse = np.arange(9, len(grid), 10)
    leaders = leaders_under(frame, columns, grid[coarse])
    changed = np.flatnonzero((leaders != leader) | (leaders < 0))
    stop = int(coarse[changed[0]]) if len(changed) else len(grid) - 1
    fine = np.arange(max(stop - 9, 0), stop + 1)
    leaders = leaders_under(frame, columns, grid[fine])
    changed = np.flatnonzero((leaders != leader) & (leaders >= 0))
    return (int(fine[changed[0]]), int(leaders[changed[0]])) if len(changed) else None


# ---------------------------------------------------------------------- halo
def general_factor(correlation: FloatArray) -> FloatArray:
    """Loadings of the first principal factor (iterated communalities), shape (k,), their sum positive."""
    k = len(correlation)
    if k < 3:
        _, vectors = np.linalg.eigh(correlation)
        share = np.sqrt(np.mean(np.abs(correlation[np.triu_indices(k, 1)]))) if k == 2 else 1.0
        return np.sign(vectors[:, -1].sum() or 1.0) * np.sign(vectors[:, -1]) * share
    precision = np.diagonal(np.linalg.inv(correlation))
    communality = 1 - 1 / precision
    loadings = np.zeros(k)
    for _ in range(200):
        reduced = correlation.copy()
        np.fill_diagonal(reduced, communality)
        roots, vectors = np.linalg.eigh(reduced)
        new = np.sqrt(max(roots[-1], 0.0)) * vectors[:, -1]
        settled = np.max(np.abs(new**2 - communality)) < 1e-8
        loadings, communality = new, np.minimum(new**2, 0.995)  # a Heywood case stops short of 1
        if settled:
            break
    return np.clip(loadings * (np.sign(loadings.sum()) or 1.0), -0.9975, 0.9975)


def without_factor(frame: Frame, columns: tuple[int, ...]) -> tuple[Importance, FloatArray]:
    """Importances once the general factor of some columns is taken out, and the loadings.

    Its regression score λ'Ψ⁻¹z is forced in. The importances stay a function of the covariances of the frame's own columns, so that
    their derivative keeps the score a sum of the drivers.
    """
    loadings = general_factor(frame.correlation[np.ix_(columns, columns)])
    size = len(frame.correlation)
    score = np.zeros(size)
    score[list(columns)] = loadings / np.maximum(1 - loadings**2, 0.005)
    widen = np.vstack([np.eye(size)[:-1], score, np.eye(size)[-1]])  # the score stands before the outcome

    def importance(covariances: FloatArray) -> FloatArray:
        wider = widen @ covariances @ widen.T
        wider[..., size - 1, size - 1] *= 1 + _TRACE
        return frame.importance(wider)

    return importance, loadings


def marker_adjusted(correlation: FloatArray, common: float) -> FloatArray:
    """Correlations without a part that all share by the way of asking: (r − c) / (1 − c).

    References
    ----------
    Lindell & Whitney (2001), Journal of Applied Psychology 86, 114–121.
    """
    out = (correlation - common) / (1 - common)
    np.fill_diagonal(out, 1.0)
    return out


# ---------------------------------------------------------------------- a few respondents
def gradient(importance: Importance, correlation: FloatArray) -> FloatArray:
    """Derivative of each importance with respect to the covariances, shape (p, k + 1, k + 1), symmetric.

    Central differences: for a symmetric matrix off-diagonal entries move in pairs, and each gets half.
    """
    size = len(correlation)
    upper = np.column_stack(np.triu_indices(size))
    moved = np.repeat(correlation[None], 2 * len(upper), axis=0)
    for i, (a, b) in enumerate(upper):
        for place, step in ((2 * i, _STEP), (2 * i + 1, -_STEP)):
            moved[place, a, b] += step
            if a != b:
                moved[place, b, a] += step
    found = importance(moved)
    slope = (found[::2] - found[1::2]) / (2 * _STEP)
    out = np.zeros((found.shape[1], size, size))
    for (a, b), own in zip(upper, slope, strict=True):
        out[:, a, b] = out[:, b, a] = own if a == b else own / 2
    return out


def pratt_derivative(correlation: FloatArray, taken: list[int]) -> FloatArray:
    """Derivative of Pratt's measure β r of some columns, shape (len(taken) − 1, k + 1, k + 1); the last taken is the outcome."""
    inner = correlation[np.ix_(taken, taken)]
    r, q = inner[:-1, -1], len(taken) - 1
    inverse = np.linalg.inv(inner[:-1, :-1])
    beta = inverse @ r
    error = np.append(-beta, 1.0)
    found = np.zeros((q, q + 1, q + 1))
    found[:, :-1, :] = (r[:, None] * inverse)[:, :, None] * error
    found[np.arange(q), np.arange(q), -1] += beta
    found[:, -1, -1] -= beta * r
    out = np.zeros((q, *correlation.shape))
    out[np.ix_(range(q), taken, taken)] = (found + np.swapaxes(found, 1, 2)) / 2
    return out


def importance_influence(columns: FloatArray, derivative: FloatArray, correlation: FloatArray) -> FloatArray:
    """Influence of rows on a function of the covariances, by its derivative there: z'Gz − Σ G ∘ R, shape (rows,)."""
    return np.einsum("ij,ij->i", columns @ derivative, columns) - float(np.sum(derivative * correlation))


@dataclass(frozen=True)
class Overturn:
    """A set of respondents without whom another driver comes first.

    Attributes
    ----------
    share : float
        Their share of the weight; NaN if removing half of the weight changes nothing.
    respondents : int
    rival : int
        Who is first without them.
    """

    share: float
    respondents: int
    rival: int


def overturn(frame: Frame, leader: int, derivative: Derivative) -> Overturn:
    """The smallest share of weight found whose removal changes rank 1.

    Parameters
    ----------
    frame : Frame
    leader : int
        Place of the driver at rank 1.
    derivative : callable
        Derivatives of importances, which put respondents in order; may be those of a quicker measure than the frame's.

    Notes
    -----
    Respondents are put in the order of their influence on the importance of rank 1 minus that of a rival
    (linearised, per unit of weight), the first of them are removed, and importances are computed anew: what is returned
    does change rank 1, and is an upper bound of the smallest share. The order is taken again where
    the importances change, since influence is local.

    References
    ----------
    Broderick, Giordano & Meager (2020), arXiv 2011.14999.
    """
    point = frame.importance(frame.correlation)
    rivals = [int(j) for j in np.argsort(-point) if j != leader][:_RIVALS]
    whole = derivative(frame.correlation)
    starts = {
        r: _remove(frame, _order(frame.columns, whole[leader] - whole[r], frame.correlation), leader) for r in rivals
    }
    best = Overturn(np.nan, 0, -1)
    for rival, gone in sorted(starts.items(), key=lambda pair: len(frame.rows) if pair[1] is None else len(pair[1])):
        for _ in range(_ROUNDS):
            if gone is None:
                break
            share = float(frame.weights[gone].sum()) / frame.total
            if share > _HOPELESS * best.share:
                break
            if not share >= best.share:
                first = _leaders_without(frame, gone, np.array([len(gone)]), leader)[0]
                best = Overturn(share, len(gone), int(first))
            gone = _remove(frame, _reordered(frame, gone, (leader, rival), derivative), leader)
    return best


def _order(columns: FloatArray, derivative: FloatArray, correlation: FloatArray) -> np.ndarray:
    """Rows by their influence, the largest first."""
    return np.argsort(-importance_influence(columns, derivative, correlation), kind="stable")


def _reordered(frame: Frame, gone: np.ndarray, pair: tuple[int, int], derivative: Derivative) -> np.ndarray:
    """Order of the rows when influence is taken halfway to where rank 1 changes."""
    half = np.ones(len(frame.rows), dtype=bool)
    half[gone[: len(gone) // 2]] = False
    columns = _restandardised(frame.columns, frame.weights, half)
    correlation = to_correlation((columns[half] * frame.weights[half, None]).T @ columns[half])
    slopes = derivative(correlation)
    return _order(columns, slopes[pair[0]] - slopes[pair[1]], correlation)


def _restandardised(columns: FloatArray, weights: FloatArray, inside: np.ndarray) -> FloatArray:
    """All rows, on the mean and standard deviation of some."""
    centred = columns - np.average(columns[inside], axis=0, weights=weights[inside])
    return centred / np.sqrt(np.average(centred[inside] ** 2, axis=0, weights=weights[inside]))


def _remove(frame: Frame, order: np.ndarray, leader: int) -> np.ndarray | None:
    """Respondents in this order that have to leave until another driver is first; None beyond half of the weight."""
    heavy = np.cumsum(frame.weights[order]) / frame.total
    most = min(int(np.searchsorted(heavy, MOST_REMOVED)), len(order) - frame.columns.shape[1] - 1)
    if most < 1:
        return None
    low, counts = 0, np.unique(np.geomspace(1, most, _PROBES).astype(int))
    while True:
        changed = np.flatnonzero(_leaders_without(frame, order, counts, leader) != leader)
        if not len(changed):
            return None
        high = int(counts[changed[0]])
        low = int(counts[changed[0] - 1]) if changed[0] else low
        if high - low <= 1:
            return order[:high]
        counts = np.unique(np.append(np.linspace(low + 1, high, _PROBES).astype(int), high))


def _leaders_without(frame: Frame, order: np.ndarray, counts: np.ndarray, leader: int) -> np.ndarray:
    """Who is first without the first 1, 2, … rows of an order, for several counts; the leader where too little is left to tell."""
    size = frame.columns.shape[1]
    left, sums, products = frame.total, np.zeros(size), frame.correlation * frame.total
    covariances, start = np.empty((len(counts), size, size)), 0
    for i, stop in enumerate(counts):
        part = order[start:stop]
        columns, weights = frame.columns[part], frame.weights[part]
        left, sums = left - weights.sum(), sums - weights @ columns  # the columns of all rows have mean 0
        products = products - (columns * weights[:, None]).T @ columns
        covariances[i] = products / left - np.outer(sums, sums) / left**2
        start = stop
    out = np.full(len(counts), leader)
    able = (np.diagonal(covariances, axis1=1, axis2=2) > 1e-10).all(axis=1)
    if able.any():
        out[able] = frame.importance(to_correlation(covariances[able])).argmax(axis=1)
    return out
