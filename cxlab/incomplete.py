"""Weighted moments of incomplete rows: available pairs, the normal model by EM, and draws from it.

Everything here sees arrays only; a missing answer is NaN. Rows that answered the same columns form a pattern, and EM sees
a pattern only through its moments: its work depends on the patterns, not on the rows, and many sets of replicate weights
are fitted at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from cxlab.errors import SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
FLOOR = 1e-4  # least eigenvalue of a correlation matrix that is put together from pairs
CELLS = 1 << 22  # numbers of a batch of pattern moments held at once
_STEP = 1e-4  # of the numerical derivative of an EM step, in standard deviations
_PLAIN = 2_000  # plain EM steps until Newton's may begin
_POSITIVE = 1e-8  # least eigenvalue of correlations that some data can have
_SINGULAR = 1e-7  # least eigenvalue of scaled columns that are not determined by others
_LEAPS = 20  # Newton's steps of a replicate until plain EM takes over
_ROUNDING = 1e-8  # change of an EM step that near collinear columns may not get below


# ---------------------------------------------------------------------- patterns
@dataclass(frozen=True, eq=False)
class Patterns:
    """Which columns are answered together.

    Attributes
    ----------
    observed : bool array, shape (patterns, k)
    of : int array, shape (rows,)
        Pattern of each row.
    members : tuple of int arrays
        Rows of each pattern.
    """

    observed: np.ndarray
    of: IntArray
    members: tuple[IntArray, ...]


def find_patterns(columns: FloatArray) -> Patterns:
    """Group rows by the columns that they answered.

    Parameters
    ----------
    columns : array, shape (rows, k)

    Returns
    -------
    Patterns

    Examples
    --------
    >>> nan = np.nan
    >>> find_patterns(np.array([[1.0, nan], [2.0, 3.0], [4.0, nan]])).observed.tolist()
    [[True, False], [True, True]]
    """
    observed = np.isfinite(columns)
    packed = np.ascontiguousarray(np.packbits(observed, axis=1))
    keys = packed.view(f"V{packed.shape[1]}")[:, 0]
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(of, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(of, minlength=len(first)))[:-1])
    return Patterns(observed[first], of, tuple(members))


def never_together(observed: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of columns that no row answered both of; (j, j) for a column without an answer.

    Parameters
    ----------
    observed : bool array, shape (rows or patterns, k)

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> never_together(np.array([[True, False, True], [False, True, True]]))
    [(0, 1)]
    """
    seen = observed.astype(float)
    i, j = np.nonzero(np.triu(seen.T @ seen == 0))
    return list(zip(i.tolist(), j.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class PatternMoments:
    """Weighted moments of every pattern, for one or b sets of weights; columns are (x − center) / scale.

    Attributes
    ----------
    observed : bool array, shape (patterns, k)
    weight : array, shape (b, patterns)
    sums : array, shape (b, patterns, k)
        Σw x, 0 where the pattern has no answer.
    products : array, shape (b, patterns, k, k)
        Σw xxᵀ, likewise.
    center, scale : array, shape (k,)
    """

    observed: np.ndarray
    weight: FloatArray
    sums: FloatArray
    products: FloatArray
    center: FloatArray
    scale: FloatArray

    @cached_property
    def total(self) -> FloatArray:
        """Σw, shape (b,)."""
        return self.weight.sum(axis=1)

    @cached_property
    def pairs(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the rows that answered columns i and j: Σw, Σw xᵢ and Σw xᵢxⱼ, each of shape (b, k, k)."""
        seen = self.observed.astype(float)
        both = (self.weight[:, None, :] * seen.T) @ seen
        return both, self.sums.swapaxes(1, 2) @ seen, self.products.sum(axis=1)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Patterns by their number of missing columns; complete ones need no expectation."""
        missing = (~self.observed).sum(axis=1)
        return tuple(_gap(self.observed, np.flatnonzero(missing == m)) for m in np.unique(missing[missing > 0]))

    def unscaled(self, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means and covariances of the columns as they were given."""
        return self.center + self.scale * mean, covariance * self.scale * self.scale[:, None]


@dataclass(frozen=True, eq=False)
class Gap:
    """Patterns that lack the same number m of columns.

    Attributes
    ----------
    patterns : int array, shape (g,)
    missing : int array, shape (g, m)
        The columns lacking.
    rows, cells : sparse arrays, shapes (k, g·m) and (k², g·m²)
        Add up what belongs to a column, or to a pair of them.
    """

    patterns: IntArray
    missing: IntArray
    rows: sparse.csr_array
    cells: sparse.csr_array


def _gap(observed: np.ndarray, patterns: IntArray) -> Gap:
    k = observed.shape[1]
    missing = np.nonzero(~observed[patterns])[1].reshape(len(patterns), -1)
    pairs = (missing[:, :, None] * k + missing[:, None, :]).ravel()
    return Gap(patterns, missing, _adder(missing.ravel(), k), _adder(pairs, k * k))


def _adder(target: IntArray, size: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(target)), (target, np.arange(len(target)))), shape=(size, len(target)))


def pattern_moments(columns: FloatArray, weights: FloatArray, patterns: Patterns | None = None) -> PatternMoments:
    """Take the moments of every pattern under one set of weights.

    Parameters
    ----------
    columns : array, shape (rows, k)
        NaN where not answered; rows without any answer add nothing and may be there.
    weights : array, shape (rows,)
    patterns : Patterns, optional
        Of ``columns``.

    Returns
    -------
    PatternMoments
        With b = 1, centred on the weighted means of the answers and scaled by their standard deviations.
    """
    patterns = find_patterns(columns) if patterns is None else patterns
    answered = np.isfinite(columns)
    size = weights @ answered
    filled = np.where(answered, columns, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = np.where(size > 0, weights @ filled / size, 0.0)
        spread = np.sqrt(weights @ np.where(answered, columns - center, 0.0) ** 2 / size)
    scale = np.where(spread > 0, spread, 1.0)
    empty = PatternMoments(patterns.observed, np.zeros(0), np.zeros(0), np.zeros(0), center, scale)
    return _laid_out(empty, columns, weights, patterns.members, None)


def replicate_patterns(
    moments: PatternMoments,
    patterns: Patterns,
    columns: FloatArray,
    weights: FloatArray,
    multipliers: FloatArray,
    unit: IntArray,
) -> Iterator[PatternMoments]:
    """Take the moments of every pattern under many sets of weights, in blocks that bound the memory.

    Parameters
    ----------
    moments : PatternMoments
        Of the full sample: gives center and scale.
    patterns : Patterns
    columns, weights
        See :func:`pattern_moments`.
    multipliers : array, shape (replicates, units)
    unit : int array, shape (rows,)

    Yields
    ------
    PatternMoments
    """
    step = max(1, CELLS // (len(patterns.observed) * columns.shape[1] ** 2))
    for start in range(0, len(multipliers), step):
        block = multipliers[start : start + step]
        taken = [block[:, unit[rows]].astype(float) for rows in patterns.members]
        yield _laid_out(moments, columns, weights, patterns.members, taken)


def _laid_out(
    frame: PatternMoments,
    columns: FloatArray,
    weights: FloatArray,
    members: tuple[IntArray, ...],
    multipliers: list[FloatArray] | None,
) -> PatternMoments:
    """Moments pattern by pattern: one product of multipliers and rows each."""
    g, k = frame.observed.shape
    b = 1 if multipliers is None else len(multipliers[0])
    weight, sums, products = np.zeros((b, g)), np.zeros((b, g, k)), np.zeros((b, g, k, k))
    for j, rows in enumerate(members):
        seen = np.flatnonzero(frame.observed[j])
        x = (columns[np.ix_(rows, seen)] - frame.center[seen]) / frame.scale[seen]
        w = weights[rows]
        if multipliers is None:
            weight[0, j], sums[0, j, seen] = w.sum(), w @ x
            products[0, j, seen[:, None], seen] = (x * w[:, None]).T @ x
            continue
        upper = np.triu_indices(len(seen))
        laid_out = np.column_stack([np.ones(len(rows)), x, x[:, upper[0]] * x[:, upper[1]]]) * w[:, None]
        found = multipliers[j] @ laid_out
        weight[:, j], sums[:, j, seen] = found[:, 0], found[:, 1 : 1 + len(seen)]
        row, column = seen[upper[0]], seen[upper[1]]
        products[:, j, row, column] = products[:, j, column, row] = found[:, 1 + len(seen) :]
    return replace(frame, weight=weight, sums=sums, products=products)


# ---------------------------------------------------------------------- pairs
def pairwise(moments: PatternMoments, least: float = FLOOR) -> tuple[FloatArray, FloatArray, IntArray]:
    """Means and variances of the answers to each column, correlations of the rows that answered both.

    Parameters
    ----------
    moments : PatternMoments
    least : float
        What eigenvalues of the correlations are raised to; −∞ leaves them.

    Returns
    -------
    mean : array, shape (b, k)
    covariance : array, shape (b, k, k)
        Of the columns as given, divisor Σw.
    floored : int array, shape (b,)
        Eigenvalues that were raised, in matrices where one is not positive: such correlations fit no data.

    Notes
    -----
    Means and variances within a correlation are those of its own pairs, so that no correlation leaves −1 … 1.
    A correlation matrix whose eigenvalues were raised is scaled back to a diagonal of 1.
    """
    weight, sums, products = moments.pairs
    k = range(weight.shape[-1])
    squares = np.einsum("bgii,gj->bij", moments.products, moments.observed.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = sums / weight
        spread = np.maximum(squares / weight - own**2, 0.0)
        covariance = products / weight - own * own.swapaxes(1, 2)
        correlation = covariance / np.sqrt(spread * spread.swapaxes(1, 2))
    correlation[:, k, k] = np.where(spread[:, k, k] > 0, 1.0, np.nan)
    correlation, floored = floor_eigenvalues(correlation, least)
    deviation = np.sqrt(spread[:, k, k])
    with np.errstate(invalid="ignore"):
        scaled = correlation * deviation[:, None, :] * deviation[:, :, None]
    return *moments.unscaled(own[:, k, k], scaled), floored


def floor_eigenvalues(correlation: FloatArray, least: float = FLOOR) -> tuple[FloatArray, IntArray]:
    """Mend correlation matrices that no data have: raise their small eigenvalues, scale the diagonals back to 1.

    Parameters
    ----------
    correlation : array, shape (b, k, k)
        Positive definite ones are left as they are, and those with NaN.
    least : float

    Returns
    -------
    correlation : array, shape (b, k, k)
    floored : int array, shape (b,)

    Examples
    --------
    >>> impossible = np.array([[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]])
    >>> floor_eigenvalues(impossible)[1].tolist()
    [1]
    """
    out, floored = correlation.copy(), np.zeros(len(correlation), dtype=np.intp)
    whole = np.isfinite(correlation).all(axis=(1, 2))
    roots, vectors = np.linalg.eigh(correlation[whole])
    low = roots[:, 0] < min(least, _POSITIVE)
    floored[whole] = np.where(low, (roots < least).sum(axis=1), 0)
    vectors = vectors[low]
    raised = (vectors * np.maximum(roots[low], least)[:, None, :]) @ vectors.swapaxes(1, 2)
    deviation = np.sqrt(np.diagonal(raised, axis1=1, axis2=2))
    out[np.flatnonzero(whole)[low]] = raised / (deviation[:, :, None] * deviation[:, None, :])
    return out, floored


def pairwise_influence(columns: FloatArray, weights: FloatArray, direction: FloatArray) -> FloatArray:
    """How much one more unit of a row's weight moves the pairwise Σv, before any eigenvalue is raised.

    Parameters
    ----------
    columns : array, shape (rows, k)
    weights : array, shape (rows,)
    direction : array, shape (k,)
        The vector v.

    Returns
    -------
    array, shape (rows, k)

    Notes
    -----
    A correlation r moves by z₁z₂ − r(z₁² + z₂²)/2 of its pairs, a variance by the squared deviation of its answers, each
    over its own Σw.
    """
    known = np.isfinite(columns)
    filled = np.where(known, columns, 0.0)
    size = weights @ known
    mean = weights @ filled / size
    centred = np.where(known, columns - mean, 0.0)
    deviation = np.sqrt(weights @ centred**2 / size)
    z = centred / deviation
    stretched = (z**2 - known) / (2 * size)  # d log s of each column
    out = np.zeros_like(filled)
    for i in range(columns.shape[1]):
        both = known & known[:, [i]]
        r, pair = _pair_correlations(z, both, weights, i)
        r_moved = (pair[0] * pair[1] - r * (pair[0] ** 2 + pair[1] ** 2) / 2) * both / (weights @ both)
        moved = r_moved + r * (stretched + stretched[:, [i]])
        out[:, i] = moved @ (deviation[i] * deviation * direction)
    return out


def _pair_correlations(
    z: FloatArray, both: np.ndarray, weights: FloatArray, i: int
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Correlations of column i with each, shape (k,), and both columns in standard deviations of their pairs."""
    size = weights @ both
    scores = []
    for x in (np.where(both, z[:, [i]], 0.0), np.where(both, z, 0.0)):
        x = np.where(both, x - weights @ x / size, 0.0)
        scores.append(x / np.sqrt(weights @ x**2 / size))
    return weights @ (scores[0] * scores[1]) / size, (scores[0], scores[1])


# ---------------------------------------------------------------------- EM
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


# ---------------------------------------------------------------------- rows given the fit
def conditional(
    columns: FloatArray, patterns: Patterns, mean: FloatArray, covariance: FloatArray
) -> Iterator[tuple[IntArray, IntArray, FloatArray, FloatArray]]:
    """What the normal model expects of missing answers, pattern by pattern.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
    mean : array, shape (k,)
    covariance : array, shape (k, k)

    Yields
    ------
    rows : int array
    missing : int array, the columns lacking
    expected : array, shape (rows of the pattern, columns lacking)
    spread : array, shape (columns lacking, columns lacking)
        Covariance given the answers.
    """
    for observed, rows in zip(patterns.observed, patterns.members, strict=True):
        seen, missing = np.flatnonzero(observed), np.flatnonzero(~observed)
        if not len(missing):
            continue
        slopes = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, missing)])
        expected = mean[missing] + (columns[np.ix_(rows, seen)] - mean[seen]) @ slopes
        spread = covariance[np.ix_(missing, missing)] - covariance[np.ix_(missing, seen)] @ slopes
        yield rows, missing, expected, (spread + spread.T) / 2


def impute(
    columns: FloatArray, patterns: Patterns, mean: FloatArray, covariance: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the missing answers from the normal model, given those there are.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
        Of ``columns``.
    mean : array, shape (k,)
    covariance : array, shape (k, k)
        A draw of the parameters, for imputations that are proper.
    rng : Generator

    Returns
    -------
    array, shape (rows, k)
        Without missing values; answers are as they were.

    References
    ----------
    Little & Rubin (2019), *Statistical Analysis with Missing Data*, 3rd ed., §10.2.
    """
    out = columns.copy()
    for rows, missing, expected, spread in conditional(columns, patterns, mean, covariance):
        roots, vectors = np.linalg.eigh(spread)
        noise = rng.standard_normal(expected.shape) * np.sqrt(np.maximum(roots, 0.0))
        out[np.ix_(rows, missing)] = expected + noise @ vectors.T
    return out


def em_influence(columns: FloatArray, patterns: Patterns, fit: NormalFit, direction: FloatArray) -> FloatArray:
    """How much one more unit of a row's weight moves the fitted Σv.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
    fit : NormalFit
    direction : array, shape (k,)
        The vector v; with v = (−β, 1) this is what the slopes β depend on.

    Returns
    -------
    array, shape (rows, k)

    Notes
    -----
    A row moves an EM step by its expected moments minus the fitted ones, over Σw; (I − J)⁻¹ turns that
    into what it moves the maximum. Without missing answers: (x − μ)(x − μ)ᵀv − Σv, over Σw.
    """
    center, scale, k = fit.moments.center, fit.moments.scale, len(fit.mean)
    i, j = np.triu_indices(k)
    effect = np.zeros((k, _size(k)))  # of the packed parameters on Σv, in scaled columns
    inner, packed = direction * scale, k + np.arange(len(i))
    effect[i, packed] += inner[j]
    off = i != j
    effect[j[off], packed[off]] += inner[i[off]]
    effect = scale[:, None] * (effect @ fit.gain) / float(fit.moments.total[0])
    scaled = (columns - center) / scale
    out = np.empty((len(columns), k))
    full = ((r, np.flatnonzero(~o)) for o, r in zip(patterns.observed, patterns.members, strict=True) if o.all())
    complete = [(rows, none, np.empty((len(rows), 0)), np.empty((0, 0))) for rows, none in full]
    parts = conditional(scaled, patterns, fit.inner_mean, fit.inner_covariance)
    for rows, missing, expected, spread in (*complete, *parts):
        x = scaled[rows]
        x[:, missing] = expected
        x -= fit.inner_mean
        fixed = -fit.inner_covariance
        fixed[np.ix_(missing, missing)] += spread
        out[rows] = x @ effect[:, :k].T + (x[:, i] * x[:, j] + fixed[i, j]) @ effect[:, k:].T
    return out
