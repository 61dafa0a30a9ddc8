"""EM: means and covariances of a normal distribution from incomplete rows, under many weights at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.incomplete._pairs import pairwise
from cxlab.incomplete._patterns import CELLS, Gap, PatternMoments

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
_STEP = 1e-4  # of the numerical derivative of an EM step, in standard deviations
_PLAIN = 2_000  # plain EM steps until Newton's may begin
_SINGULAR = 1e-7  # least eigenvalue of scaled columns that are not determined by others
_LEAPS = 20  # Newton's steps of a replicate until plain EM takes over
_ROUNDING = 1e-8  # change of an EM step that near collinear columns may not get below


@dataclass(frozen=True, eq=False)
class NormalFit:
    """Means and covariances of a multivariate normal, fitted to incomplete rows.

    Attributes
    ----------
    mean : array, shape (k,)
    covariance : array, shape (k, k)
        Of the columns as given, divisor Σw.
    inner_mean, inner_covariance : array
        The same of the scaled columns.
    gain : array, shape (d, d)
        (I − J)⁻¹ with J the derivative of an EM step there, d = k + k(k + 1)/2: what turns an EM step
        into Newton's. I − J is the share of the information that is not missing.
    moments : PatternMoments
    """

    mean: FloatArray
    covariance: FloatArray
    inner_mean: FloatArray
    inner_covariance: FloatArray
    gain: FloatArray
    moments: PatternMoments


def em_step(moments: PatternMoments, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One step of EM for the normal model of scaled columns.

    Parameters
    ----------
    moments : PatternMoments
        Of b sets of weights, or one that all b parameters share.
    mean : array, shape (b, k)
    covariance : array, shape (b, k, k)

    Returns
    -------
    mean, covariance : arrays of the same shapes

    Notes
    -----
    With P = Σ⁻¹ the columns m that a pattern lacks have, given those it has, covariance V = P_mm⁻¹ and mean
    μ_m − V P_mo (x_o − μ_o). Expected moments about μ add up over patterns.
    """
    weight, sums, products = moments.pairs
    k = range(mean.shape[1])
    precision = np.linalg.inv(covariance) if moments.gaps else covariance
    crossed = sums * mean[:, None, :]
    second = products - crossed - crossed.swapaxes(1, 2) + weight * mean[:, :, None] * mean[:, None, :]
    first = sums[:, k, k] - weight[:, k, k] * mean
    for gap in moments.gaps:
        shift, rows, cells = _expected(moments, gap, mean, precision)
        first = first + shift
        second = second + rows + rows.swapaxes(1, 2) + cells
    first = first / moments.total[:, None]
    return mean + first, second / moments.total[:, None, None] - first[:, :, None] * first[:, None, :]


def _expected(
    moments: PatternMoments, gap: Gap, mean: FloatArray, precision: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What a gap's patterns add: to the sums (b, k), to missing × observed and missing × missing (b, k, k)."""
    b, k = mean.shape
    observed, missing = moments.observed[gap.patterns].astype(float), gap.missing
    spread = np.linalg.inv(precision[:, missing[:, :, None], missing[:, None, :]])
    slopes = -(spread @ precision[:, missing]) * observed[:, None, :]
    weight, sums = moments.weight[:, gap.patterns, None], moments.sums[:, gap.patterns]
    known = mean[:, None, :] * observed
    centred = sums - weight * known
    crossed = slopes @ moments.products[:, gap.patterns]
    crossed -= (slopes @ sums[..., None]) * known[:, :, None, :]
    crossed -= (slopes @ known[..., None]) * centred[:, :, None, :]
    inside = crossed @ slopes.swapaxes(2, 3) + weight[..., None] * spread
    flat = crossed.reshape(b, -1, k).swapaxes(0, 1).reshape(-1, b * k)
    return (
        (gap.rows @ (slopes @ centred[..., None]).reshape(b, -1).T).T,
        (gap.rows @ flat).reshape(k, b, k).swapaxes(0, 1),
        (gap.cells @ inside.reshape(b, -1).T).T.reshape(b, k, k),
    )


def em(moments: PatternMoments, tolerance: float = 1e-11) -> NormalFit:
    """Fit a multivariate normal to incomplete rows: weighted pseudo-likelihood, equal to FIML without weights.

    Parameters
    ----------
    moments : PatternMoments
        Of one set of weights; every pair of columns is answered together somewhere.
    tolerance : float
        Largest change of a step at the end, in standard deviations.

    Returns
    -------
    NormalFit

    Raises
    ------
    SurveyError
        If EM finds no maximum inside: too few rows, or columns that others determine.

    Notes
    -----
    Plain EM until a step changes nothing by more than 1e-3 (or less, where that is not near enough), then Newton's method: EM steps multiplied by
    (I − J)⁻¹, J the derivative of the step (Meng & Rubin's DM matrix, taken numerically).

    References
    ----------
    Dempster, Laird & Rubin (1977), JRSS B 39, 1–38; Meng & Rubin (1991), JASA 86, 899–909. R:
    ``lavaan::cfa(missing = "fiml")`` of the saturated model.

    Examples
    --------
    >>> from cxlab.incomplete import pattern_moments
    >>> nan = np.nan
    >>> rows = np.array([[1, 2.0], [2, 3.0], [3, nan], [4, 3.0], [nan, 1.0]])
    >>> em(pattern_moments(rows, np.ones(5))).mean.round(6).tolist()
    [1.94342, 2.366104]
    """
    start, spread, _ = pairwise(moments)
    mean = (start - moments.center) / moments.scale
    covariance = spread / moments.scale / moments.scale[:, None]
    if not moments.gaps:
        mean, covariance = em_step(moments, mean, covariance)
        return _fitted(moments, mean, covariance, np.eye(_size(mean.shape[1])))
    try:
        for near in 0.1 ** np.arange(3, 9):
            mean, covariance = _approach(moments, mean, covariance, near)
            fit = _polished(moments, mean, covariance, tolerance)
            if fit is not None and np.linalg.eigvalsh(fit.inner_covariance)[0] < _SINGULAR:
                break
            if fit is not None:
                return fit
    except np.linalg.LinAlgError:
        pass
    raise SurveyError(
        f"EM found no maximum for {mean.shape[1]} columns in {len(moments.observed)} patterns of missing answers: some columns "
        "are determined by others, or too rarely answered together; leave one out, or use missing='listwise'."
    )


def _fitted(moments: PatternMoments, mean: FloatArray, covariance: FloatArray, gain: FloatArray) -> NormalFit:
    outer = moments.unscaled(mean[0], covariance[0])
    return NormalFit(*outer, mean[0], covariance[0], gain, moments)


def _approach(
    moments: PatternMoments, mean: FloatArray, covariance: FloatArray, near: float
) -> tuple[FloatArray, FloatArray]:
    for _ in range(_PLAIN):
        before = pack(mean, covariance)
        mean, covariance = em_step(moments, mean, covariance)
        if np.abs(pack(mean, covariance) - before).max() < near:
            break
    return mean, covariance


def _polished(moments: PatternMoments, mean: FloatArray, covariance: FloatArray, tolerance: float) -> NormalFit | None:
    """Newton's method as long as it halves the change of an EM step; None if it stalls far from the maximum."""
    last = np.inf
    for _ in range(20):
        gain = _newton(moments, mean, covariance)
        mean, covariance, change = _leap(moments, mean, covariance, gain)
        stalled = change > last / 2
        if change < tolerance or (stalled and change < _ROUNDING):
            return _fitted(moments, mean, covariance, gain)
        if stalled:
            break
        last = change
    return None


def _leap(
    moments: PatternMoments, mean: FloatArray, covariance: FloatArray, gain: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Newton's step from where EM stands; where it leaves the positive definite matrices, EM's own step."""
    before, plain = pack(mean, covariance), em_step(moments, mean, covariance)
    change = pack(*plain) - before
    mean, covariance = unpack(before + change @ gain.T, mean.shape[1])
    sound = np.linalg.eigvalsh(covariance)[:, 0] > 1e-9
    mean = np.where(sound[:, None], mean, plain[0])
    covariance = np.where(sound[:, None, None], covariance, plain[1])
    return mean, covariance, float(np.abs(change).max())


def _newton(moments: PatternMoments, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """(I − J)⁻¹ at one point by central differences, many of them at once."""
    k, middle = mean.shape[1], pack(mean, covariance)[0]
    size, jacobian = len(middle), np.empty((len(middle), len(middle)))
    step = max(1, CELLS // (4 * len(moments.observed) * k * k))
    by = min(_STEP, 0.01 * float(np.linalg.eigvalsh(covariance)[0, 0]))
    for start in range(0, size, step):
        moved = by * np.eye(size)[start : start + step]
        up = pack(*em_step(moments, *unpack(middle + moved, k)))
        down = pack(*em_step(moments, *unpack(middle - moved, k)))
        jacobian[:, start : start + step] = (up - down).T / (2 * by)
    return np.linalg.inv(np.eye(size) - jacobian)


def em_replicates(fit: NormalFit, moments: PatternMoments, tolerance: float = 1e-5) -> tuple[FloatArray, FloatArray]:
    """Fit the normal model under many sets of replicate weights, from the full sample's fit on.

    Parameters
    ----------
    fit : NormalFit
        Of the full sample.
    moments : PatternMoments
        Of the replicates, with the center and scale of ``fit.moments``.
    tolerance : float
        Largest change of a step at the end, in standard deviations.

    Returns
    -------
    mean : array, shape (b, k)
    covariance : array, shape (b, k, k)
        NaN for a column that the weights leave constant, and throughout where no maximum is found.

    Notes
    -----
    EM steps multiplied by the full sample's (I − J)⁻¹: what is missing differs little between replicates, so a step
    removes some nine tenths of the distance, where EM's own would leave the missing share of the information. A replicate
    that has not settled after 20 steps starts again with plain EM.
    """
    b = len(moments.weight)
    mean, covariance = np.tile(fit.inner_mean, (b, 1)), np.tile(fit.inner_covariance, (b, 1, 1))
    moments, constant = _loosened(moments)
    left = np.arange(b)
    for turn in range(_PLAIN if moments.gaps else 1):
        part = moments if len(left) == b else _chosen(moments, left)
        if turn == _LEAPS:
            mean[left], covariance[left] = fit.inner_mean, fit.inner_covariance
        before = pack(mean[left], covariance[left])
        if turn < _LEAPS:
            mean[left], covariance[left], _ = _leap(part, mean[left], covariance[left], fit.gain)
        else:
            mean[left], covariance[left] = em_step(part, mean[left], covariance[left])
        change = np.abs(pack(mean[left], covariance[left]) - before).max(axis=1)
        left = left[~(change <= tolerance)] if moments.gaps else left[:0]
        if not len(left):
            break
    mean[left] = covariance[left] = np.nan
    mean, covariance = moments.unscaled(mean, covariance)
    covariance[constant[:, :, None] | constant[:, None, :]] = np.nan
    return mean, covariance


def _loosened(moments: PatternMoments) -> tuple[PatternMoments, np.ndarray]:
    """Give columns that some weights leave constant a trace of variance; which these are, bool of shape (b, k)."""
    weight, sums, products = (np.diagonal(m, axis1=1, axis2=2) for m in moments.pairs)
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = ~(products / weight - (sums / weight) ** 2 > 1e-10)
    if not constant.any() or not moments.gaps:
        return moments, constant
    k = np.arange(constant.shape[1])
    loose = moments.products.copy()
    loose[:, :, k, k] += 1e-6 * constant[:, None, :] * moments.weight[:, :, None] * moments.observed
    return _kept(replace(moments, products=loose), moments), constant


def _chosen(moments: PatternMoments, which: IntArray) -> PatternMoments:
    weight, sums, products = moments.weight[which], moments.sums[which], moments.products[which]
    return _kept(replace(moments, weight=weight, sums=sums, products=products), moments)


def _kept(part: PatternMoments, whole: PatternMoments) -> PatternMoments:
    """The same patterns lack the same columns."""
    part.__dict__["gaps"] = whole.gaps
    return part


def pack(mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Lay out means (b, k) and the upper triangles of covariances (b, k, k) as (b, k + k(k + 1)/2)."""
    i, j = np.triu_indices(mean.shape[1])
    return np.concatenate([mean, covariance[:, i, j]], axis=1)


def unpack(packed: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Undo :func:`pack`."""
    i, j = np.triu_indices(k)
    covariance = np.empty((len(packed), k, k))
    covariance[:, i, j] = covariance[:, j, i] = packed[:, k:]
    return packed[:, :k].copy(), covariance


def _size(k: int) -> int:
    return k + k * (k + 1) // 2
