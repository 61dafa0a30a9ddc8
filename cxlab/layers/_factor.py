"""Common-factor models: the paths once more, with error of measurement as a part of the model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import design_notes, kish_base, t_quantile
from cxlab.errors import DataWarning, SurveyError, one_of
from cxlab.layers import _factor_check as check
from cxlab.layers._choose import Model, opened
from cxlab.layers._factor_fit import Fitted, fit, measures, misfit, seminr_parts
from cxlab.layers._factor_moments import information
from cxlab.layers._factor_result import FORMATS, HEADINGS, FactorModelResult
from cxlab.layers._factor_spread import Basis, Case, delta_errors, spread_of
from cxlab.layers._factor_tables import Tables, fit_table, split
from cxlab.layers._factor_words import factor_notes, said_problems
from cxlab.layers._intervals import INTERVALS, LEAST_REPLICATES
from cxlab.layers._model import PathModel, read_factors
from cxlab.layers._prepare import prepare
from cxlab.result import Base
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
ERRORS = ("replicates", "linear", "normal")


def factor_model(
    survey: Survey,
    model: Model = None,
    *,
    missing: str = "listwise",
    errors: str = "replicates",
    interval: str = "auto",
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> FactorModelResult:
    """Do the paths stand when the items are measured with error? Covariance-based SEM, or confirmatory factor analysis.

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    model : str, mapping, path of a YAML file, optional
        As :func:`cxlab.path_model` reads it; every construct is a common factor of its items. Without any path all constructs correlate
        (confirmatory factor analysis). A construct with a single indicator is that item, free of error. A construct
        of constructs is a second-order factor.
    missing : {"listwise", "pairwise", "em", "mi"}
    errors : {"replicates", "linear", "normal"}
        Standard errors from refits under replicate weights, from the linearised likelihood under the design (the
        sandwich), or from the expected information of a simple random sample of a normal population (lavaan's default).
    interval : {"auto", "percentile", "t"}
        For replicates: percentiles, or estimate ± t · se; auto takes t where PSUs − strata is under 60.
    replicates : int
        Rao–Wu bootstrap replicates, at least 100.
    seed : int
    level : float

    Returns
    -------
    FactorModelResult
        One row per path, free correlation of constructs, and loading: ``kind, source, target, estimate`` (standardised), ``se, low, high,
        p_value``, ``impact, impact_low, impact_high`` (unstandardised: each construct in the points of its first item on
        0–100), ``base, base_effective, reliability``. ``.effects``: direct, indirect (each route) and total effects.
        ``.constructs``: R². ``.correlations`` of all constructs. ``.fit``: fit measures with what they say. ``.problems``: what speaks
        against the solution. ``.residuals``: pairs of items that the model reproduces worst.

    Raises
    ------
    SurveyError
        If seminr is missing; for constructs formed by their items (``<~``), products, a construct of two items that relates to nothing, more
        parameters than covariances, a model that is not identified, no more respondents than items, or a likelihood without a maximum.

    Warns
    -----
    DataWarning
        For a solution that cannot be (negative variances, loadings above 1, impossible correlations), parameters that the data
        hardly tell apart, constructs that are hardly two, or replicates without a solution.

    Notes
    -----
    Minimises log|Σ(θ)| + tr SΣ(θ)⁻¹ − log|S| − p over the weighted covariance matrix S, with
    Σ = Λ(I − B)⁻¹Ψ(I − B)⁻ᵀΛᵀ + Θ. seminr finds the maximum with all (residual) variances of factors at 1, so that it cannot
    pass a residual variance of zero; where the maximum lies beyond, Newton's method goes on with the variances free, and the solution is
    flagged. Replicates start from the sample's solution; those without one are counted and left out.

    χ² is divided by c = tr(UΓ)/df, where Γ is the design covariance of S times the base (Yuan & Bentler's form, with observed
    information), and CFI, TLI and RMSEA use the same c: without it weights and clusters would look like misfit.
    Words for the fit follow CFI .95 / .90, RMSEA .06 / .08 and SRMR .08 / .10.

    References
    ----------
    Jöreskog (1970), Biometrika 57, 239–251. Muthén & Satorra (1995), Sociological Methodology 25, 267–316. Yuan & Bentler (2000), Sociological
    Methodology 30, 165–200. Brosseau-Liard & Savalei (2014), Multivariate Behavioral Research 49, 460–470. Hu & Bentler (1999),
    Structural Equation Modeling 6, 1–55. R: ``lavaan::sem(std.lv = TRUE)``, ``lavaan.survey``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> joy = rng.normal(size=500)
    >>> stay = 0.6 * joy + rng.normal(scale=0.8, size=500)
    >>> noise = rng.normal(scale=0.5, size=(500, 5))
    >>> items = {f"joy{i}": joy + noise[:, i] for i in range(3)} | {f"stay{i}": stay + noise[:, 3 + i] for i in range(2)}
    >>> survey = Survey.from_frame(pd.DataFrame(items))
    >>> result = factor_model(survey, "Joy =~ joy0 + joy1 + joy2\\nStay =~ stay0 + stay1\\nStay ~ Joy", errors="linear")
    >>> result.table.loc[0, ["source", "target", "estimate"]].tolist()[:2], round(float(result.measures["df"]))
    (['Joy', 'Stay'], 4)
    """
    _check(errors, interval, replicates, level)
    seminr_parts()
    prepared = prepare(survey, _factors(survey, model), missing)
    check.check_model(prepared.model)
    check.check_rows(len(prepared.sample.rows), len(prepared.model.items))
    case = Case(prepared)
    check.check_sound(case.correlations, prepared.model.items)
    found = fit(prepared.model, case.correlations)
    flat, named = check.flatness(found)
    spread = spread_of(case, found, errors, replicates if errors == "replicates" else 0, seed)
    facts = {
        "flat": flat,
        "flat_names": named,
        "base": case.base,
        "replicates": len(spread.found),
        "failed": spread.failed,
    }
    faults = _problems(case, found, facts)
    measured = measures(found, case.correlations, case.base, None if errors == "normal" else spread.scaling)
    tables = Tables(case, found, spread, interval, level)
    facts |= {
        "errors": tables.kind,
        "df": prepared.sample.df,
        "scaling": measured.get("chisq.scaling.factor"),
        "edge": found.edge,
    }
    options = {
        "missing": missing,
        "errors": errors,
        "interval": interval,
        "replicates": replicates,
        "seed": seed,
        "level": level,
    }
    _warn(faults)
    return FactorModelResult(
        tables.main(), Base(case.base, kish_base(prepared.sample.weights), prepared.excluded, prepared.excluded_share),
        (*factor_notes(prepared, facts), *said_problems(faults, prepared.labels).values(), *prepared.notes,
         *design_notes(survey)),
        {**HEADINGS, **prepared.labels, **tables.route_labels()}, _call(survey, prepared.model, options),
        {"en": "Common-factor model (CB-SEM)", "zh": "共同因子模型（CB-SEM）"}, FORMATS, level,
        effects=tables.effects(), constructs=tables.constructs(), correlations=tables.correlations(),
        fit=fit_table(measured), measures=measured, problems=faults, residuals=_residuals(case, found), model=prepared.model,
        basis=Basis(case, found, spread), errors=errors, interval=tables.kind, seed=seed,
    )  # fmt: skip


def _check(errors: str, interval: str, replicates: int, level: float) -> None:
    for argument, value, allowed in (("errors", errors, ERRORS), ("interval", interval, INTERVALS)):
        if value not in allowed:
            raise one_of(argument, value, allowed)
    if errors == "replicates" and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or errors='linear', which needs none."
        )
    t_quantile(level, 1)


def _factors(survey: Survey, model: Model) -> Model:
    """A model that is given, read so that it may do without paths; None for the study's layers."""
    given = survey.roles.model if model is None else model
    return given if isinstance(given, PathModel) or not given else read_factors(opened(given))


def _problems(case: Case, found: Fitted, facts: dict[str, Any]) -> pd.DataFrame:
    function = found.quantities.standardised
    normal = np.linalg.inv(information(found.frame, found.theta)) / case.base
    estimate = split(found, function(found.theta[None])[0])
    return check.problems(found, estimate, split(found, delta_errors(found, normal, function)), facts)


def _warn(faults: pd.DataFrame) -> None:
    grave = faults[faults["problem"] != "few respondents"]
    if len(grave):
        counted = grave["problem"].value_counts(sort=False)
        said = ", ".join(f"{kind} ({count})" for kind, count in counted.items())
        warnings.warn(
            f"model: {len(grave)} things speak against the solution with common factors: {said}; read .problems before the paths.",
            DataWarning,
            stacklevel=3,
        )


def _residuals(case: Case, found: Fitted, count: int = 10) -> pd.DataFrame:
    """Pairs of items whose correlations the model reproduces worst."""
    left, items = misfit(found, case.correlations), found.frame.items
    rows, columns = np.tril_indices(len(items), -1)
    worst = np.argsort(-np.abs(left[rows, columns]), kind="stable")[:count]
    rows, columns = rows[worst], columns[worst]
    observed = case.correlations[rows, columns]
    return pd.DataFrame({
        "first": [items[j] for j in columns], "second": [items[i] for i in rows], "observed": observed,
        "implied": observed - left[rows, columns], "residual": left[rows, columns],
    })  # fmt: skip


def _call(survey: Survey, model: PathModel, options: dict[str, Any]) -> str:
    said = "".join(f", {k}={v!r}" for k, v in options.items())
    return f"cx.factor_model(survey{survey.filter}, {model.text()!r}{said})  # data {survey.data_hash}"
