"""Replicates: the weights of a survey perturbed many times, as one matrix for every analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.design import Design, resolve
from cxlab.errors import SurveyError, one_of
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
METHODS = ("jackknife", "drop-one", "groups", "bootstrap")
FEW_UNITS = 60  # under these, the jackknife drops one PSU at a time
_LARGEST = 2_000  # PSUs for which drop-one multipliers are laid out as a matrix
_CELLS = 4_000_000  # numbers held at once


@dataclass(frozen=True, eq=False)
class Replicates:
    """Replicate weights of a design: multipliers of the weights, and the factors of a variance.

    Attributes
    ----------
    design : Design
    method : {"drop-one", "groups", "bootstrap"}
    scale : array, shape (replicates,)
        Factor of each squared deviation.
    df : float
        Degrees of freedom of a variance.
    blocks : callable
        Yields multipliers of PSUs, arrays of shape (replicates in the block, units).
    """

    design: Design
    method: str
    scale: FloatArray
    df: float
    blocks: Callable[[], Iterator[FloatArray]]

    def __len__(self) -> int:
        return len(self.scale)

    def multipliers(self) -> tuple[FloatArray, IntArray]:
        """Lay out all multipliers.

        Returns
        -------
        multipliers : array, shape (replicates, pieces)
            Under raking the weights of every replicate are raked anew.
        piece : int array, shape (rows,)
            Column of each row: the weight of row i in replicate r is ``weights[i] * multipliers[r, piece[i]]``.

        Raises
        ------
        SurveyError
            For one PSU dropped at a time of more than 2,000: ask for :meth:`totals`, or for groups.
        """
        self._require_matrix()
        return np.concatenate([self.design.raked(b) for b in self.blocks()]), self.design.pieces[1]

    def weights(self) -> Iterator[FloatArray]:
        """Replicate weights of the rows, in blocks that bound the memory.

        Yields
        ------
        array, shape (replicates in the block, rows)
        """
        self._require_matrix()
        piece, rows = self.design.pieces[1], len(self.design.weights)
        step = max(1, _CELLS // max(rows, 1))
        for block in self.blocks():
            for start in range(0, len(block), step):
                yield self.design.raked(block[start : start + step])[:, piece] * self.design.weights

    def totals(self, values: FloatArray) -> FloatArray:
        """Weighted totals under every set of replicate weights.

        Parameters
        ----------
        values : array, shape (rows, k)
            Without missing values; 0 outside the domain.

        Returns
        -------
        array, shape (replicates, k)

        Notes
        -----
        One matrix product; with one PSU dropped at a time T + T_h / (n_h − 1) − t_i n_h / (n_h − 1) from
        the totals of strata and PSUs, so that no matrix of PSUs × PSUs arises.
        """
        if self.method == "drop-one" and self.design.calibration is None:
            return self._dropped(values)
        unit, piece = self.design.pieces
        weighted = values * self.design.weights[:, None]
        sums = np.column_stack([np.bincount(piece, column, len(unit)) for column in weighted.T])
        blocks = self.blocks() if self.design.calibration is None else self._raked_blocks()
        return np.concatenate([block @ sums for block in blocks])

    def covariance(self, replicates: FloatArray, estimate: FloatArray) -> FloatArray:
        """Covariance of estimates from their values in the replicates.

        Parameters
        ----------
        replicates : array, shape (replicates, k)
        estimate : array, shape (k,)
            Of the full sample; deviations are taken from it.

        Returns
        -------
        array, shape (k, k)

        Raises
        ------
        SurveyError
            If an estimate is undefined in some replicates.
        """
        bad = int(np.sum(~np.isfinite(replicates).all(axis=1)))
        if bad:
            raise SurveyError(
                f"{bad} of {len(replicates)} replicates leave an estimate undefined: the base is too small for replicates; "
                "widen the filter, or use Taylor linearisation."
            )
        deviation = replicates - estimate
        return (deviation * self.scale[:, None]).T @ deviation

    def _raked_blocks(self) -> Iterator[FloatArray]:
        step = max(1, _CELLS // max(len(self.design.pieces[0]), 1))
        for block in self.blocks():
            for start in range(0, len(block), step):
                yield self.design.raked(block[start : start + step])

    def _dropped(self, values: FloatArray) -> FloatArray:
        design = self.design
        weighted = values * design.weights[:, None]
        units = np.column_stack([np.bincount(design.psu, column, len(design.stratum)) for column in weighted.T])
        strata = np.column_stack([np.bincount(design.stratum, column, len(design.names)) for column in units.T])
        total, left = strata.sum(axis=0), np.maximum(design.units - 1, 1)[design.stratum, None]
        out = total + strata[design.stratum] / left - units * (left + 1) / left
        alone = design.units[design.stratum] == 1
        out[alone] = total + (total / len(units) - units[alone] if design.lonely == "adjust" else 0.0)
        return out

    def _require_matrix(self) -> None:
        units = len(self.design.stratum)
        if self.method == "drop-one" and units > _LARGEST:
            raise SurveyError(
                f'method "drop-one" has {units:,} PSUs: a matrix of {units:,} × {units:,} is not laid out; take '
                '.totals() of what is needed, or use method="groups".'
            )


def replicate_weights(
    survey: Survey, method: str = "jackknife", *, replicates: int = 500, groups: int = 60, seed: int = 1
) -> Replicates:
    """How would the weights look in another sample of the same design?

    Parameters
    ----------
    survey : Survey
    method : {"jackknife", "drop-one", "groups", "bootstrap"}
        ``"jackknife"`` drops one PSU at a time where there are fewer than 60, else one group of PSUs.
    replicates : int
        Of the bootstrap.
    groups : int
        Of the delete-a-group jackknife.
    seed : int
        For the bootstrap's draws, and for the order in which PSUs are dealt to groups.

    Returns
    -------
    Replicates
        ``.multipliers()`` as one matrix, ``.weights()`` in blocks, ``.totals(values)`` of anything linear,
        ``.covariance(replicates, estimate)``, ``.scale``, ``.df``.

    Raises
    ------
    SurveyError
        For an unknown method, fewer than two groups or replicates, or a stratum with a single PSU
        (the jackknife knows lonely="adjust" and "remove", the bootstrap only "remove").

    Notes
    -----
    Drop-one: a PSU gets weight 0, the others of its stratum n_h / (n_h − 1); factor (1 − f_h)(n_h − 1) / n_h.
    Groups: PSUs of each stratum are dealt in turn to G groups, in random order; without group g the rest
    of a stratum gets n_h / (n_h − n_hg), in strata with fewer PSUs than groups 1 + Z, and the PSU itself
    1 − (n_h − 1) Z, with Z² = G / ((G − 1) n_h (n_h − 1)); deviations from 1 shrink by √(1 − f_h); factor
    (G − 1) / G, degrees of freedom min(G − 1, PSUs − strata). Bootstrap: Rao–Wu, factor 1 / replicates.
    Deviations are taken from the full-sample estimate. Raked weights are raked anew in every replicate.
    Ranks and quantiles are not smooth: never from a jackknife.

    References
    ----------
    Kott (2001), Journal of Official Statistics 17, 521–526. Rao & Wu (1988), JASA 83, 231–241.
    R: ``survey::as.svrepdesign(type = "JKn", mse = TRUE)``, ``type = "subbootstrap"``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [4.0, 6, 7, 9], "w": [1, 2, 1, 1]}), weight="w")
    >>> jackknife = replicate_weights(survey)
    >>> sums = jackknife.totals(np.column_stack([survey.values("q"), np.ones(4)]))
    >>> means = sums[:, :1] / sums[:, 1:]
    >>> bool(np.isclose(jackknife.covariance(means, np.array([6.4]))[0, 0] ** 0.5, 1.0, atol=0.3))
    True
    """
    if method not in METHODS:
        raise one_of("method", method, METHODS)
    design = resolve(survey)
    units = len(design.stratum)
    if method == "bootstrap":
        if replicates < 2:
            raise SurveyError(f"replicates is {replicates}; a variance needs at least 2, usually 500.")
        scale = np.full(replicates, 1 / replicates)
        return Replicates(design, method, scale, max(design.df, 1.0), lambda: design.rao_wu(replicates, seed))
    design.require_pairs()
    if method == "drop-one" or (method == "jackknife" and units < FEW_UNITS):
        return Replicates(design, "drop-one", _drop_one_scale(design), max(design.df, 1.0), lambda: _drop_one(design))
    if not 2 <= groups <= units:
        raise SurveyError(f"groups is {groups}; {units:,} PSUs can be dealt to 2 to {units:,} groups, usually 60.")
    scale = np.full(groups, (groups - 1) / groups)
    df = max(min(groups - 1.0, design.df), 1.0)
    return Replicates(design, "groups", scale, df, lambda: iter([_drop_groups(design, groups, seed)]))


def _drop_one(design: Design) -> Iterator[FloatArray]:
    """Multipliers without each PSU in turn, in blocks of shape (replicates, units)."""
    units = len(design.stratum)
    step = max(1, _CELLS // units)
    alone = design.units[design.stratum] == 1
    for start in range(0, units, step):
        dropped = np.arange(start, min(start + step, units))
        mates = design.stratum[dropped, None] == design.stratum
        left = np.maximum(design.units[design.stratum[dropped]] - 1, 1)[:, None]
        block = np.where(mates, (left + 1) / left, 1.0)
        block[alone[dropped]] = 1 + (design.lonely == "adjust") / units
        own = np.arange(len(dropped)), dropped
        block[own] = np.where(alone[dropped], block[own] - (design.lonely == "adjust"), 0.0)
        yield block


@dataclass(frozen=True, eq=False)
class Dealt:
    """A jackknife in its shortest form: a weight's multiplier depends on its stratum, its group and the replicate alone.

    Attributes
    ----------
    group : int array, shape (units,)
        Replicate that leaves the PSU out.
    own, others : array, shape (strata, replicates)
        What replicate g multiplies the weights of a stratum's PSUs in group g by, and those of the others.
    scale : array, shape (replicates,)
        Factor of each squared deviation.
    """

    group: IntArray
    own: FloatArray
    others: FloatArray
    scale: FloatArray


def deal(design: Design, groups: int = 60, seed: int = 1) -> Dealt:
    """Deal PSUs to the replicates of a jackknife, without a matrix of replicates × PSUs.

    Parameters
    ----------
    design : Design
    groups, seed : int
        See :func:`replicate_weights`; with fewer than 60 PSUs each is a group of its own, with fewer PSUs than groups
        there are as many groups as PSUs.

    Returns
    -------
    Dealt
        The multipliers of ``replicate_weights(survey, "jackknife", groups=groups, seed=seed)``.

    Raises
    ------
    SurveyError
        For fewer than two groups, or a stratum with a single PSU unless ``lonely="adjust"`` or ``"remove"``.

    Examples
    --------
    >>> import pandas as pd
    >>> design = resolve(Survey.from_frame(pd.DataFrame({"q": [1.0] * 120, "s": [1, 2] * 60}), stratum="s"))
    >>> dealt = deal(design, 20)
    >>> dealt.own.shape, float(dealt.own[0, 0]), float(dealt.others[0, 0].round(3))
    ((2, 20), 0.0, 1.053)
    """
    design.require_pairs()
    units = len(design.stratum)
    if units < FEW_UNITS:
        alone = design.units[design.stratum] == 1
        left = np.maximum(design.units - 1, 1)
        mates = np.arange(len(design.units))[:, None] == design.stratum
        others = np.where(mates & ~alone, ((left + 1) / left)[:, None], 1.0)
        others[:, alone] = 1 + (design.lonely == "adjust") / units
        own = np.where(alone, others - (design.lonely == "adjust"), 0.0)
        return Dealt(np.arange(units), own, others, _drop_one_scale(design))
    if groups < 2:
        raise SurveyError(f"groups is {groups}; a jackknife needs at least 2, usually 60.")
    groups = min(groups, units)
    group, own, others = _dealt(design, groups, seed)
    return Dealt(group, own, others, np.full(groups, (groups - 1) / groups))


def _drop_one_scale(design: Design) -> FloatArray:
    """Factor of each PSU's squared deviation, shape (units,)."""
    scale = ((1 - design.fraction) * np.maximum(design.units - 1, 1) / np.maximum(design.units, 1))[design.stratum]
    alone = design.units[design.stratum] == 1
    scale[alone] = (1 - design.fraction[design.stratum[alone]]) * (design.lonely == "adjust")
    return np.asarray(scale)


def _drop_groups(design: Design, groups: int, seed: int) -> FloatArray:
    """Multipliers without each group of PSUs in turn, shape (groups, units)."""
    group, own, others = _dealt(design, groups, seed)
    out = np.ascontiguousarray(others[design.stratum].T)
    out[group, np.arange(len(group))] = own[design.stratum, group]
    return out


def _dealt(design: Design, groups: int, seed: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Group of each PSU, and the multipliers of those in and not in a group, by stratum: see :class:`Dealt`."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(design.stratum)), design.stratum))
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.arange(len(order)) % groups  # dealt on from stratum to stratum: groups stay of one size
    strata = len(design.units)
    gone = np.zeros((strata, groups))
    np.add.at(gone, (design.stratum, group), 1.0)
    count, root = design.units[:, None].astype(float), np.sqrt(1 - design.fraction)[:, None]
    few, single = count < groups, count == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.sqrt(groups / ((groups - 1) * count * (count - 1)))
        filled = np.where(few, np.where(gone > 0, z, 0.0), gone / (count - gone))
        lost = np.where(few, -(count - 1) * z, -1.0)
    others = 1 + root * np.where(single, 0.0, filled)
    own = np.broadcast_to(1 + root * np.where(single, 0.0, lost), others.shape)
    if design.lonely == "adjust":
        step = root * np.sqrt(groups / (groups - 1)) * (single & (gone > 0))
        shared = step.sum(axis=0) / len(order)
        own, others = own - step + shared, others + shared
    return group, own, others
