"""Customer types: who weighs price, service or product most, found from answers alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values
from cxlab.design import kish_base, t_quantile
from cxlab.errors import SurveyError, one_of
from cxlab.metrics import design_notes
from cxlab.result import Base, reliability
from cxlab.segments._types_em import Mixture, posterior
from cxlab.segments._types_infer import Replicates, replicate, select
from cxlab.segments._types_prepare import Prepared, Terms, prepare, terms_of
from cxlab.segments._types_result import HEADINGS, TypesResult, leading, type_labels, types_notes
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_REPLICATES = 20
ROWS_PER_PARAMETER = 5


def customer_types(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    *,
    common: Sequence[str] = (),
    membership: Sequence[str] = (),
    k: int | Iterable[int] = range(1, 6),
    starts: int = 10,
    folds: int = 5,
    replicates: int = 100,
    straight_lining: str = "exclude",
    seed: int = 0,
    level: float = 0.95,
) -> TypesResult:
    """Which types of customers are there, and what does each of them weigh most?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    outcome : str
        Column or role on its own scale; a role of several items is their mean on 0–100.
    drivers : mapping of name to items, or list of columns, optional
        What the types may weigh differently; a block is the mean of its items. By default the study's blocks.
    common : list of str
        Further drivers, with one slope for all types.
    membership : list of str
        Covariates that make a type more likely: numbers, or labelled codes, which become indicators.
    k : int or iterable of int
        Numbers of types to try; a single one is taken as it is.
    starts : int
        Random starts for each k; the best four are followed until EM comes to rest.
    folds : int
        Folds of the held-out likelihood; whole PSUs, dealt within strata.
    replicates : int
        Rao–Wu bootstrap replicates for standard errors, at least 20; 0 for none.
    straight_lining : {"exclude", "keep"}
        Whether respondents with one and the same answer to all driver items (six or more) are set aside.
    seed : int
        Of starts, folds and replicates.
    level : float

    Returns
    -------
    TypesResult
        One row per type and driver: ``segment`` (number of the type), ``driver, estimate, se, low, high`` (change of
        the outcome per +1 point of the driver within the type), ``p_value`` (Holm over the table), ``base`` (expected
        members), ``base_effective, reliability``. Further tables: ``types`` (shares), ``common``, ``membership``,
        ``selection``, ``replicates``; ``predict`` is the typing tool.

    Raises
    ------
    SurveyError
        For unknown names, items used twice, terms that do not vary or determine one another, too few respondents for
        k, or impossible options.

    Notes
    -----
    Within type j the outcome is normal with mean a_j + b_j'x + c'z and standard deviation s_j; the probability of type j is a
    multinomial logit in the covariates. EM with squared extrapolation maximises the pseudo-likelihood in which weights
    are scaled to sum to the base. BIC on a pseudo-likelihood is a heuristic, so k is also judged by held-out
    likelihood; where the two disagree the smaller is taken, and the notes say so. Standard errors: Rao–Wu replicates started
    from the full solution, their types matched to it by members; intervals are estimate ± t · se, for shares on
    the logit scale. k counts as known in them. Respondents with a missing answer leave.

    Types are named after the driver with the largest slope per standard deviation. They describe groups: single customers
    are typed with the probabilities that ``predict`` gives, and no more surely.

    References
    ----------
    Grün & Leisch (2008), Journal of Statistical Software 28(4). Lumley & Scott (2015), Journal of Survey Statistics
    and Methodology 3, 1–18. Varadhan & Roland (2008), Scandinavian Journal of Statistics 35, 335–353.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> df = pd.DataFrame(rng.normal(size=(600, 2)), columns=["price", "service"])
    >>> first = rng.random(600) < 0.4
    >>> df["satisfaction"] = np.where(first, df["price"], df["service"]) + rng.normal(0, 0.3, 600)
    >>> types = customer_types(Survey.from_frame(df), "satisfaction", ["price", "service"], k=2, replicates=0)
    >>> [types.label(s, "en", "segment") for s in types.types["segment"]]
    ['price-sensitive', 'service-led']
    >>> types.types["share"].round(1).tolist()
    [0.4, 0.6]
    """
    counts = _counts(k)
    _check(starts, folds, replicates, straight_lining)
    t_quantile(level, 1)  # a level of 95 is refused before the long part
    terms = terms_of(survey, outcome, drivers, common, membership)
    prepared = prepare(survey, terms, straight_lining=straight_lining)
    _check_base(prepared, counts, replicates)
    found, selection = select(prepared, counts, starts, folds, seed)
    chosen, by_bic, by_held_out = _choose(selection)
    ordered = _ordered(prepared, found[chosen].fit.mixture)
    draws = replicate(prepared, ordered, replicates, seed) if replicates else None
    table, types, shared, covariates = _tables(prepared, ordered, draws, level)
    labels = {**HEADINGS, **_term_labels(prepared.terms), **type_labels(prepared.terms, ordered, _spread(prepared))}
    probabilities = posterior(ordered, prepared.rows)
    options = {"drivers": drivers, "common": list(common), "membership": list(membership), "k": k, "starts": starts, "folds": folds,
               "replicates": replicates, "straight_lining": straight_lining, "seed": seed, "level": level}  # fmt: skip
    return TypesResult(
        table, Base(len(prepared.weights), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        (*types_notes(prepared, selection, (chosen, by_bic, by_held_out), draws), *design_notes(survey)),
        labels, _call(survey, outcome, options), {"en": "Customer types", "zh": "顾客类型"},
        {"estimate": "+.2f", "low": "+.2f", "high": "+.2f", "se": ".3f", "base": ",.0f"}, level=level,
        outcome=outcome, types=types, common=shared, membership=covariates, selection=selection,
        replicates=_replicate_frame(ordered, draws, prepared.terms), mixture=ordered, terms=prepared.terms,
        certainty=float(prepared.weights @ probabilities.max(axis=1) / prepared.weights.sum()),
        by_bic=by_bic, by_held_out=by_held_out, seed=found[chosen].seed,
    )  # fmt: skip


def _counts(k: int | Iterable[int]) -> list[int]:
    single = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
    counts = [int(k)] if single else sorted(set(k))  # type: ignore[arg-type]
    if not counts or any(not isinstance(c, (int, np.integer)) or c < 1 for c in counts):
        raise SurveyError(f"k is {k!r}; a number of types, or several, each 1 or more, are needed.")
    return [int(c) for c in counts]


def _check(starts: int, folds: int, replicates: int, straight_lining: str) -> None:
    if starts < 1:
        raise SurveyError(f"starts is {starts}; at least 1 random start is needed, 10 are usual.")
    if folds < 2:
        raise SurveyError(f"folds is {folds}; held-out likelihood needs at least 2.")
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; standard errors need at least {LEAST_REPLICATES}, or 0 for none."
        )
    if straight_lining not in ("exclude", "keep"):
        raise one_of("straight_lining", straight_lining, ("exclude", "keep"))


def _check_base(prepared: Prepared, counts: Sequence[int], replicates: int) -> None:
    rows, most = len(prepared.weights), max(counts)
    q, m = prepared.rows.own.shape[1], prepared.rows.member.shape[1]
    parameters = most * (q + 1) + prepared.rows.shared.shape[1] + (most - 1) * m
    if rows < ROWS_PER_PARAMETER * parameters:
        raise SurveyError(
            f"k: {most} types have {parameters} parameters, and {rows:,} respondents are complete "
            f"({prepared.excluded:,} left); at least {ROWS_PER_PARAMETER} per parameter are needed: try fewer types or terms."
        )
    if replicates:
        prepared.design.require_pairs()


def _choose(selection: pd.DataFrame) -> tuple[int, int, int]:
    """k that is taken, k by BIC, k by held-out likelihood."""
    counts = selection["k"].to_numpy(dtype=int)
    by_bic = int(counts[selection["bic"].to_numpy().argmin()])
    if selection["held_out"].isna().all():
        return by_bic, by_bic, by_bic
    by_held_out = int(counts[selection["held_out"].to_numpy().argmax()])
    return min(by_bic, by_held_out), by_bic, by_held_out


def _spread(prepared: Prepared) -> FloatArray:
    x = prepared.rows.own[:, 1:]
    return np.asarray(np.sqrt(prepared.weights @ x**2 / prepared.weights.sum()))


def _ordered(prepared: Prepared, mixture: Mixture) -> Mixture:
    """Types in the order of the driver that they weigh most, larger ones first within it."""
    share = prepared.weights @ posterior(mixture, prepared.rows)
    return mixture.ordered(np.lexsort((-share, leading(mixture.own, _spread(prepared)))))


def _tables(prepared: Prepared, mixture: Mixture, draws: Replicates | None, level: float) -> tuple[pd.DataFrame, ...]:
    """Slopes, shares, common slopes, membership; standard errors from the replicates."""
    k, q = mixture.own.shape
    c, weights, terms = len(mixture.shared), prepared.weights, prepared.terms
    vector = mixture.vector()
    se = np.full(len(vector), np.nan) if draws is None else np.sqrt(((draws.vectors - vector) ** 2).mean(axis=0))
    t = float(t_quantile(level, prepared.design.df))
    members = posterior(mixture, prepared.rows)
    tau = members * weights[:, None]
    share = tau.sum(axis=0) / weights.sum()
    effective = members.sum(axis=0) * kish_base(weights) / len(weights)
    codes = np.arange(1, k + 1)
    slopes = _rows(mixture.own, se[: k * q].reshape(k, q), t, slice(1, None)).assign(
        segment=np.repeat(codes, q - 1), driver=[x.name for x in terms.own] * k,
        base=np.repeat(members.sum(axis=0).round().astype(int), q - 1), base_effective=np.repeat(effective, q - 1),
    )  # fmt: skip
    slopes["p_value"] = holm(p_values(slopes["estimate"].to_numpy(), slopes["se"].to_numpy(), prepared.design.df))
    slopes["reliability"] = reliability(slopes["base_effective"])
    columns = ["segment", "driver", "estimate", "se", "low", "high", "p_value", "base", "base_effective", "reliability"]
    types = _shares(share, draws, t).assign(
        intercept=mixture.own[:, 0], sigma=mixture.sigma, base=members.sum(axis=0).round().astype(int),
        base_effective=effective, reliability=reliability(effective),
    )  # fmt: skip
    types.insert(0, "leading", [terms.own[j].name for j in leading(mixture.own, _spread(prepared))])
    types.insert(0, "segment", codes)
    at = k * q
    shared = _rows(mixture.shared, se[at : at + c], t).assign(driver=[x.name for x in terms.shared])
    member = _member_rows(mixture, se[at + c + k :], prepared, t)
    return slopes[columns], types, shared[["driver", *_ESTIMATES]], member


_ESTIMATES = ["estimate", "se", "low", "high"]


def _rows(estimate: FloatArray, se: FloatArray, t: float, columns: slice = slice(None)) -> pd.DataFrame:
    value, error = estimate[..., columns].ravel(), se[..., columns].ravel()
    return pd.DataFrame({"estimate": value, "se": error, "low": value - t * error, "high": value + t * error})


def _shares(share: FloatArray, draws: Replicates | None, t: float) -> pd.DataFrame:
    """Shares with intervals on the logit scale."""
    out = pd.DataFrame({"share": share})
    if draws is None or len(share) == 1:
        missing = np.full(len(share), np.nan)
        return out.assign(share_se=missing, share_low=missing, share_high=missing)
    se = np.sqrt(((draws.shares - share) ** 2).mean(axis=0))
    logit, reach = np.log(share / (1 - share)), t * se / (share * (1 - share))
    return out.assign(
        share_se=se, share_low=1 / (1 + np.exp(reach - logit)), share_high=1 / (1 + np.exp(-reach - logit))
    )


def _member_rows(mixture: Mixture, se: FloatArray, prepared: Prepared, t: float) -> pd.DataFrame:
    """Logit coefficients against the first type, per unit of the covariate."""
    k, m = mixture.member.shape
    scale = np.array([x.scale for x in prepared.terms.member])
    rows = _rows(mixture.member[1:, 1:] / scale, se.reshape(k - 1, m)[:, 1:] / scale, t)
    rows = rows.assign(
        segment=np.repeat(np.arange(2, k + 1), m - 1), factor=[x.name for x in prepared.terms.member] * (k - 1)
    )
    return rows[["segment", "factor", *_ESTIMATES]]


def _replicate_frame(mixture: Mixture, draws: Replicates | None, terms: Terms) -> pd.DataFrame:
    """Shares and slopes under each set of replicate weights, one column each."""
    if draws is None:
        return pd.DataFrame()
    k, q = mixture.own.shape
    own = draws.vectors[:, : k * q].reshape(-1, k, q)[:, :, 1:].reshape(len(draws.vectors), -1)
    names = [f"share_{j}" for j in range(1, k + 1)] + [f"{x.name}_{j}" for j in range(1, k + 1) for x in terms.own]
    return pd.DataFrame(np.hstack([draws.shares, own]), columns=names)


def _term_labels(terms: Terms) -> dict[Any, Mapping[str, str]]:
    return {t.name: t.labels for t in (terms.outcome, *terms.own, *terms.shared, *terms.member)}


def _call(survey: Survey, outcome: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"drivers": None, "common": [], "membership": [], "k": range(1, 6), "starts": 10, "folds": 5, "replicates": 100,
             "straight_lining": "exclude", "seed": 0, "level": 0.95}  # fmt: skip
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.customer_types(survey{survey.filter}, {outcome!r}{said})"
