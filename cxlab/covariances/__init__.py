"""Covariances: means and covariances of columns of a survey, and their replicates, for every treatment of missing answers."""

from cxlab.covariances._missing import INCOMPLETE, SOURCES, Imputed, Likelihood, Pairwise, check_pairs
from cxlab.covariances._sample import Sample
from cxlab.covariances._sources import Listwise, Source, Spread
from cxlab.covariances._unmet import structurally_missing, unmet

__all__ = [
    "INCOMPLETE",
    "SOURCES",
    "Imputed",
    "Likelihood",
    "Listwise",
    "Pairwise",
    "Sample",
    "Source",
    "Spread",
    "check_pairs",
    "structurally_missing",
    "unmet",
]
