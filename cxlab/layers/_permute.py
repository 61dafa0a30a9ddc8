"""Permuting the labels of two groups: whole sampling units within strata, and whether the design allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import gammaln

from cxlab.covariances import Sample
from cxlab.moments import Moments, replicate_moments, weighted_moments

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_MOVABLE = 0.9  # share of respondents whose label can change hands
LEAST_ARRANGEMENTS = 1000
_CELLS = 1 << 21  # labels laid out at once


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of two groups and where they may go.

    Attributes
    ----------
    sample : Sample
        Respondents of both groups.
    first : bool array, shape (rows,)
        Who belongs to the first group.
    """

    sample: Sample
    first: np.ndarray

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Units × groups that occur, and the piece of each row."""
        return np.unique(self.sample.design.psu[self.sample.rows] * 2 + self.first, return_inverse=True)

    @property
    def piece(self) -> np.ndarray:
        """Piece of each row: a unit's respondents of one group."""
        return self._pieces[1]

    @cached_property
    def label(self) -> np.ndarray:
        """Whether each piece belongs to the first group."""
        return self._pieces[0] % 2 == 1

    @cached_property
    def whole(self) -> np.ndarray:
        """Pieces that are whole units: all of the unit's respondents are in one group."""
        unit, place = np.unique(self._pieces[0] // 2, return_inverse=True)
        return np.bincount(place, minlength=len(unit))[place] == 1

    @cached_property
    def stratum(self) -> np.ndarray:
        """Stratum of each piece."""
        return self.sample.design.stratum[self._pieces[0] // 2]

    @cached_property
    def movable(self) -> np.ndarray:
        """Pieces whose label can change hands: whole units of strata in which both groups have whole units."""
        strata = len(self.sample.design.names)
        have = [
            np.bincount(self.stratum[self.whole & side], minlength=strata) > 0 for side in (self.label, ~self.label)
        ]
        return self.whole & (have[0] & have[1])[self.stratum]

    @property
    def arrangements(self) -> float:
        """Logarithm of the number of ways to deal the labels out."""
        strata = len(self.sample.design.names)
        n = np.bincount(self.stratum[self.movable], minlength=strata)
        a = np.bincount(self.stratum[self.movable & self.label], minlength=strata)
        return float(np.sum(gammaln(n + 1) - gammaln(a + 1) - gammaln(n - a + 1)))

    def share(self, pieces: np.ndarray) -> float:
        """Share of the respondents in some of the pieces."""
        return float(np.mean(pieces[self.piece]))

    @property
    def obstacle(self) -> str:
        """Why labels cannot be permuted: ``"units"``, ``"strata"``, ``"few"``, or ``""`` where they can.

        Notes
        -----
        Labels that cannot move stay where they are, which keeps a test valid as long as the others can.
        """
        if self.share(self.whole) < LEAST_MOVABLE:
            return "units"
        if self.share(self.movable) < LEAST_MOVABLE * self.share(self.whole):
            return "strata"
        return "few" if self.arrangements < np.log(LEAST_ARRANGEMENTS) else ""

    def dealt(self, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Labels dealt out anew, bool of shape (block, pieces), block after block."""
        places = np.flatnonzero(self.movable)
        places = places[np.argsort(self.stratum[places], kind="stable")]
        stratum, label = self.stratum[places], self.label[places]
        step = max(1, _CELLS // max(len(places), 1))
        for start in range(0, count, step):
            size = min(step, count - start)
            order = np.argsort(stratum + rng.random((size, len(places))), axis=1)  # sorted within each stratum
            out = np.repeat(self.label[None], size, axis=0)
            out[:, places] = label[order]
            yield out

    def moments(self, count: int, rng: np.random.Generator) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """Means (count, k) and covariances (count, k, k) of the first and of the second group under permuted labels.

        One matrix product of labels with the sums of the pieces gives those of the first group; the second is what is left.
        """
        columns, weights = self.sample.columns, self.sample.weights
        whole = weighted_moments(columns, weights)
        found: list[list[tuple[FloatArray, FloatArray]]] = [[], []]
        for labels in self.dealt(count, rng):
            one = replicate_moments(columns, weights, labels, self.piece, whole.center)
            rest = Moments(
                whole.weight - one.weight, whole.sums - one.sums, whole.products - one.products, whole.center
            )
            for side, some in zip(found, (one, rest), strict=True):
                side.append((some.mean(), some.covariance()))
        return tuple((np.concatenate([m for m, _ in s]), np.concatenate([c for _, c in s])) for s in found)
