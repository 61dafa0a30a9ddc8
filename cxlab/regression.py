"""Linear and logistic regression with design-based standard errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from cxlab.contrasts import p_values
from cxlab.design import Design, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.metrics import design_notes, value_names
from cxlab.metrics import names as wordings
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
INTERCEPT = "(Intercept)"
_TIED = 1e-8  # share of a column's spread left by the others under which it repeats them
_STEPS, _SETTLED, _SEPARATED = 100, 1e-12, 30.0


@dataclass(frozen=True, eq=False)
class Regression(Result):
    """A regression: coefficients, tests of terms, joint covariance.

    Attributes
    ----------
    tests : DataFrame
        ``term, f, df, df_residual, p_value``: Wald test that all coefficients of a term are zero.
    covariance : DataFrame, shape (p, p)
        Of the coefficients, rows and columns in the order of the table.
    df : float
        Residual degrees of freedom, PSUs − strata + 1 − p.
    """

    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)
    df: float = np.inf

    def wald(self, terms: Sequence[str]) -> pd.DataFrame:
        """Test that all coefficients of several terms are zero together.

        Parameters
        ----------
        terms : list of str
            As in ``tests``.

        Returns
        -------
        DataFrame, one row
            As ``tests``. R: ``survey::regTermTest(model, ~terms)``.

        Raises
        ------
        SurveyError
            For a term that is not in the model.
        """
        known = list(dict.fromkeys(self.table["term"]))
        absent = [t for t in terms if t not in known]
        if absent or not len(terms):
            raise SurveyError(
                f"terms names {len(absent)} terms that the model does not have: {absent}; it has: {known}."
            )
        inside = self.table["term"].isin(list(terms)).to_numpy()
        return _tests(
            self.table["estimate"].to_numpy(), self.covariance.to_numpy(), {" + ".join(terms): inside}, self.df
        )


def linear(
    survey: Survey,
    outcome: str,
    terms: Sequence[str] = (),
    *,
    factors: Sequence[str] | None = None,
    reference: Mapping[str, Any] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Regression:
    """By how much does the outcome differ with each term, the others held equal?

    Parameters
    ----------
    survey : Survey
    outcome : str
        Numeric column or role.
    terms : list of str
        Columns or roles; ``"a:b"`` is an interaction, ``"a*b"`` both and their interaction. Text columns and
        items of nominal measure are factors.
    factors : list of str, optional
        Further columns whose codes are categories.
    reference : mapping of factor to code or label, optional
        Category that others are compared with; the first by default.
    level : float
    df : float, optional
        Degrees of freedom; PSUs − strata + 1 − p by default.

    Returns
    -------
    Regression
        ``coefficient, term, estimate`` (change of the outcome per +1, or against the reference), ``se, low, high,
        t, p_value, base, base_effective, reliability``. ``.tests`` has a Wald test per term,
        ``.covariance`` that of all coefficients.

    Raises
    ------
    SurveyError
        For unknown names, a factor with one category, columns that repeat one another, too few complete
        rows, or a stratum with one PSU.

    Notes
    -----
    Weighted least squares; (X'WX)⁻¹ [variance of Σ w e x] (X'WX)⁻¹ by Taylor linearisation. Rows with a
    missing answer leave; they stay in the design. Wald: F = b'V⁻¹b / q with q and the residual
    degrees of freedom.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279–292.
    R: ``survey::svyglm(y ~ a * b, design)``, ``survey::regTermTest``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [6, 7, 9, 8, 5, 4], "wait": [3, 2, 1, 1, 4, 5]}))
    >>> linear(survey, "q", ["wait"]).table[["coefficient", "estimate"]].round(3).values.tolist()
    [['(Intercept)', 9.5], ['wait', -1.125]]
    """
    values = survey.values(outcome)
    frame = _frame(survey, outcome, values, terms, factors, reference)
    solved, inverse = _solve(frame.x, frame.w, frame.y)
    influence = (frame.y - frame.x @ solved)[:, None] * (frame.x @ inverse)
    call = _call("linear", survey, outcome, terms, factors=factors, reference=reference, level=level, df=df)
    return _result(survey, frame, solved, influence, df, (call, level, False))


def logit(
    survey: Survey,
    outcome: str,
    terms: Sequence[str] = (),
    *,
    event: Any = None,
    factors: Sequence[str] | None = None,
    reference: Mapping[str, Any] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Regression:
    """How do the odds of an answer differ with each term, the others held equal?

    Parameters
    ----------
    survey : Survey
    outcome : str
        A column of 0 and 1, or any column with ``event``.
    terms : list of str
        As in :func:`linear`.
    event : code, label or list of them, optional
        Answers that count as 1; all others as 0.
    factors, reference, level, df
        As in :func:`linear`.

    Returns
    -------
    Regression
        Columns of :func:`linear` on the log-odds scale, and ``odds_ratio, odds_low, odds_high``.

    Raises
    ------
    SurveyError
        As in :func:`linear`, for an outcome of other values than 0 and 1, without variation, or one that
        the terms separate perfectly.

    Notes
    -----
    Pseudo-maximum likelihood by Newton steps; (X'W V X)⁻¹ [variance of Σ w (y − p) x] (X'W V X)⁻¹. Without
    terms, the intercept's interval carried to shares is R's ``svyciprop(method = "logit")``.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279–292.
    R: ``survey::svyglm(y ~ a, design, family = quasibinomial())``.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"stays": [1, 1, 0, 1, 0, 0, 1, 0], "wait": [1, 2, 2, 1, 4, 5, 4, 3]})
    >>> logit(Survey.from_frame(df), "stays", ["wait"]).table["odds_ratio"].round(3).tolist()
    [13.045, 0.389]
    """
    values = survey.values(outcome) if event is None else _events(survey, outcome, event)
    frame = _frame(survey, outcome, values, terms, factors, reference)
    other = np.unique(frame.y[~np.isin(frame.y, (0.0, 1.0))])
    if len(other):
        shown = ", ".join(f"{v:g}" for v in other[:5])
        raise SurveyError(
            f"outcome {outcome!r} has values other than 0 and 1 ({shown}); say which count as 1 with event=."
        )
    if len(np.unique(frame.y)) < 2:
        raise SurveyError(
            f"outcome {outcome!r} is {frame.y[0]:g} for all {len(frame.y):,} respondents; there is nothing to explain."
        )
    estimate = _newton(frame, outcome)
    p = 1 / (1 + np.exp(-frame.x @ estimate))
    _, inverse = _solve(frame.x, frame.w * p * (1 - p), frame.y)
    influence = (frame.y - p)[:, None] * (frame.x @ inverse)
    call = _call("logit", survey, outcome, terms, event=event, factors=factors, reference=reference, level=level, df=df)
    return _result(survey, frame, estimate, influence, df, (call, level, True))


# ------------------------------------------------------------------------------ the model matrix
@dataclass(frozen=True, eq=False)
class Column:
    """A column of the model matrix: the term it belongs to, its name, its wording, its values."""

    term: str
    name: str
    words: Mapping[str, str]
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Frame:
    """Complete rows of a model: matrix, outcome, weights and where they stand in the survey.

    All columns of ``x`` but the first, the ones, are less their ``means``: columns far from zero stay exact.
    """

    columns: list[Column]
    x: FloatArray
    means: FloatArray
    y: FloatArray
    w: FloatArray
    rows: np.ndarray
    design: Design
    asked: np.ndarray


def _frame(
    survey: Survey,
    outcome: str,
    values: FloatArray,
    terms: Sequence[str],
    factors: Sequence[str] | None,
    reference: Mapping[str, Any] | None,
) -> Frame:
    parts = _terms(survey, outcome, terms)
    named = {n for part in parts for n in part}
    for argument, given in (("factors", factors or ()), ("reference", reference or ())):
        unused = [n for n in given if n not in named]
        if unused:
            raise SurveyError(
                f"{argument} names {len(unused)} columns that are not among the terms: {', '.join(map(repr, unused))}."
            )
    asked = survey.domain & (survey.weights > 0)
    complete = asked & np.isfinite(values)
    if not complete.any():
        raise SurveyError(
            f"outcome {outcome!r} has no answer among {int(asked.sum()):,} respondents; widen the filter, or name another one."
        )
    for name in named:
        complete &= (
            survey.data[name].notna().to_numpy()
            if _is_factor(survey, name, factors)
            else np.isfinite(survey.values(name))
        )
    rows = np.flatnonzero(complete)
    blocks = {n: _main(survey, n, factors, reference, rows) for n in sorted(named)}
    columns = [Column(INTERCEPT, INTERCEPT, {"en": INTERCEPT, "zh": "（截距）"}, np.ones(len(rows)))]
    for part in parts:
        columns += [_crossed(combination) for combination in product(*(blocks[n] for n in part))]
    if len(rows) < len(columns) + 1:
        raise SurveyError(
            f"terms: {len(rows):,} of {int(asked.sum()):,} respondents have complete answers; {len(columns)} coefficients "
            f"need at least {len(columns) + 1}: name fewer terms, or widen the filter."
        )
    w = survey.weights[rows]
    means = np.array([0.0, *(np.average(c.values, weights=w) for c in columns[1:])])
    x = np.column_stack([c.values for c in columns]) - means
    _check_rank(x, columns)
    return Frame(columns, x, means, values[rows], w, rows, resolve(survey), asked)


def _terms(survey: Survey, outcome: str, terms: Sequence[str]) -> list[tuple[str, ...]]:
    """Terms as tuples of columns, main effects first, interactions expanded and unique."""
    if isinstance(terms, str):
        raise SurveyError(f"terms is the text {terms!r}; pass a list, such as [{terms!r}].")
    parts: list[tuple[str, ...]] = []
    for term in terms:
        names = [term] if survey.has(term) else [n.strip() for n in term.replace("*", ":").split(":")]
        survey.require("terms", names)
        if outcome in names:
            raise SurveyError(f"terms holds the outcome itself ({outcome!r}); leave it out.")
        if len(set(names)) < len(names):
            raise SurveyError(f"terms: {term!r} crosses a column with itself.")
        if len(names) > 1 and "*" in term:
            subsets = [[n for k, n in enumerate(names) if mask >> k & 1] for mask in range(1, 2 ** len(names))]
            parts += [tuple(s) for s in sorted(subsets, key=len)]
        else:
            parts.append(tuple(names))
    unique = {frozenset(p): p for p in reversed(parts)}
    return sorted((p for p in dict.fromkeys(parts) if unique[frozenset(p)] == p), key=len)


def _is_factor(survey: Survey, name: str, factors: Sequence[str] | None) -> bool:
    if name in (factors or ()):
        return True
    if name not in survey.data.columns:
        return False
    item = survey.codebook.items.get(name)
    return (item is not None and item.measure == "nominal") or not pd.api.types.is_numeric_dtype(survey.data[name])


def _main(
    survey: Survey, name: str, factors: Sequence[str] | None, reference: Mapping[str, Any] | None, rows: np.ndarray
) -> list[Column]:
    """Columns of one main effect."""
    if not _is_factor(survey, name, factors):
        values = survey.values(name)[rows]
        if len(values) and np.ptp(values) == 0:
            raise SurveyError(f"terms: {name!r} has the same value in all {len(rows):,} complete rows; leave it out.")
        return [Column(name, name, wordings(survey, name), values)]
    column = survey.column_of(name)
    series = survey.data[column].to_numpy()[rows]
    codes = in_order(pd.unique(series).tolist())
    if len(codes) < 2:
        raise SurveyError(
            f"terms: factor {name!r} has {len(codes)} category in the {len(rows):,} complete rows; a comparison needs two."
        )
    if len(codes) > _MOST:
        raise SurveyError(
            f"terms: factor {name!r} has {len(codes)} categories; up to {_MOST} can be compared: band it in study.yml (recoded)."
        )
    first = codes[0] if name not in (reference or {}) else survey.codes_of(name, (reference or {})[name])[0]
    if first not in codes:
        raise SurveyError(
            f"reference: nobody in the {len(rows):,} complete rows has {name!r} = {first!r}; choose another category."
        )
    out = []
    for code in codes:
        if code != first:
            words = {
                lang: f"{survey.label(name, lang)}: {value_names(survey, column, code)[lang]}" for lang in LANGUAGES
            }
            plain = f"{code:g}" if isinstance(code, float) else str(code)
            out.append(Column(name, f"{name}={plain}", words, (series == code).astype(float)))
    return out


_MOST = 60


def _crossed(columns: tuple[Column, ...]) -> Column:
    if len(columns) == 1:
        return columns[0]
    words = {lang: " × ".join(c.words[lang] for c in columns) for lang in LANGUAGES}
    values = np.prod([c.values for c in columns], axis=0)
    return Column(":".join(c.term for c in columns), ":".join(c.name for c in columns), words, values)


def _check_rank(x: FloatArray, columns: list[Column]) -> None:
    """Refuse columns that others determine."""
    norm = np.linalg.norm(x, axis=0)
    left = np.abs(np.diagonal(np.linalg.qr(x / np.maximum(norm, np.finfo(float).tiny), mode="r")))
    largest = np.array([np.max(np.abs(c.values)) for c in columns]) * np.sqrt(len(x))
    noise = 100 * np.finfo(float).eps * largest / np.maximum(norm, np.finfo(float).tiny)
    tied = [c.name for c, bad in zip(columns, left < np.maximum(_TIED, noise), strict=True) if bad]
    if tied:
        raise SurveyError(
            f"terms: {len(tied)} of {len(columns)} coefficients cannot be told from the others ({', '.join(map(repr, tied[:6]))}): "
            "their columns repeat one another, or a combination of categories has nobody; leave a term out or merge categories."
        )


def _events(survey: Survey, outcome: str, event: Any) -> FloatArray:
    column = survey.column_of(outcome)
    codes = survey.codes_of(column, event)
    series = survey.data[column]
    return np.where(series.isna().to_numpy(), np.nan, series.isin(codes).to_numpy(dtype=float))


# ------------------------------------------------------------------------------ solving
def _solve(x: FloatArray, w: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted least squares by QR: coefficients, shape (p,), and (X'WX)⁻¹, shape (p, p)."""
    root = np.sqrt(w)[:, None]
    scale = np.linalg.norm(x * root, axis=0)
    q, r = np.linalg.qr(x * root / scale)
    inverse = linalg.solve_triangular(r, np.eye(len(scale))) / scale[:, None]
    return inverse @ (q.T @ (y * root[:, 0])), inverse @ inverse.T


def _newton(frame: Frame, outcome: str) -> FloatArray:
    mean = np.average(frame.y, weights=frame.w)
    estimate = np.zeros(frame.x.shape[1])
    estimate[0] = np.log(mean / (1 - mean))
    for _ in range(_STEPS):
        score = frame.x @ estimate
        if np.max(np.abs(score)) > _SEPARATED:
            break
        p = 1 / (1 + np.exp(-score))
        v = p * (1 - p)
        step, _ = _solve(frame.x, frame.w * v, (frame.y - p) / v)
        estimate = estimate + step
        if np.max(np.abs(frame.x @ step)) < _SETTLED * (1 + np.max(np.abs(score))):
            return estimate
    raise SurveyError(
        f"outcome {outcome!r} is separated by the terms (fitted odds grow without end): some category or value goes with "
        "0 only or 1 only; merge categories, or leave a term out."
    )


def _tests(estimate: FloatArray, covariance: FloatArray, terms: Mapping[str, np.ndarray], df: float) -> pd.DataFrame:
    """Wald tests that the coefficients of each term are zero together."""
    rows = []
    for term, inside in terms.items():
        b, v, q = estimate[inside], covariance[np.ix_(inside, inside)], int(inside.sum())
        defined = df >= 1 and np.linalg.matrix_rank(v, hermitian=True) == q
        f = float(b @ np.linalg.solve(v, b)) / q if defined else np.nan
        p = float(stats.f.sf(f, q, df) if np.isfinite(df) else stats.chi2.sf(f * q, q))
        rows.append((term, f, q, float(df), p))
    return pd.DataFrame(rows, columns=["term", "f", "df", "df_residual", "p_value"])


def _degrees(frame: Frame, df: float | None) -> float:
    """Degrees of freedom: PSUs − strata among the rows used, + 1 − coefficients."""
    count = frame.x.shape[1]
    used = np.zeros((len(frame.asked), 1), dtype=bool)
    used[frame.rows] = True
    degrees = float(frame.design.domain_df(used)[0]) + 1 - count if df is None else df
    if not degrees >= 1:
        raise SurveyError(
            f"terms: {count} coefficients leave {degrees:g} degrees of freedom (PSUs − strata + 1 − coefficients); name fewer "
            "terms, or pass df=."
        )
    return degrees


def _result(
    survey: Survey,
    frame: Frame,
    estimate: FloatArray,
    rows: FloatArray,
    df: float | None,
    said: tuple[str, float, bool],
) -> Regression:
    call, level, odds = said
    degrees = _degrees(frame, df)
    uncentred = np.eye(len(estimate))
    uncentred[0] -= frame.means  # the intercept where all columns are 0
    estimate, rows = uncentred @ estimate, rows @ uncentred.T
    influence = np.zeros((len(frame.asked), len(estimate)))
    influence[frame.rows] = rows
    covariance = frame.design.covariance(influence)
    variance = np.diagonal(covariance)
    se = np.sqrt(np.maximum(variance, 0))
    half = t_quantile(level, degrees) * se
    base, total = len(frame.y), frame.w.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = (frame.w @ rows**2) * total / max(base - 1, 1)
        effective = np.where(variance > 0, base * simple / variance, kish_base(frame.w))
        t = estimate / np.where(se > 0, se, np.nan)
    table = pd.DataFrame(
        {
            "coefficient": [c.name for c in frame.columns], "term": [c.term for c in frame.columns], "estimate": estimate,
            "se": se, "low": estimate - half, "high": estimate + half, "t": t, "p_value": p_values(estimate, se, degrees),
            "base": base, "base_effective": effective, "reliability": reliability(effective),
        }
    )  # fmt: skip
    if odds:
        for name, column in (("odds_ratio", "estimate"), ("odds_low", "low"), ("odds_high", "high")):
            table[name] = np.exp(table[column])
    terms = {t: (table["term"] == t).to_numpy() for t in dict.fromkeys(table["term"]) if t != INTERCEPT}
    lost = int(frame.asked.sum()) - base
    lost_share = 1 - float(total / survey.weights[frame.asked].sum())
    notes = (
        *design_notes(survey),
        Note(_DF, df=degrees),
        *([Note(_LOST, lost=lost, share=lost_share)] if lost else []),
    )
    names = pd.Index(table["coefficient"])
    return Regression(
        table, Base(base, kish_base(frame.w), lost, lost_share), notes,
        {**_HEADINGS, **{("coefficient", c.name): c.words for c in frame.columns}}, call,
        formats={"t": ".2f", "estimate": ".3f", "se": ".3f", "low": ".3f", "high": ".3f"}, level=level,
        tests=_tests(estimate, covariance, terms, degrees), covariance=pd.DataFrame(covariance, names, names), df=degrees,
    )  # fmt: skip


def _call(function: str, survey: Survey, outcome: str, terms: Sequence[str], **more: Any) -> str:
    usual = {"level": 0.95}
    said = "".join(f", {k}={v!r}" for k, v in more.items() if v != usual.get(k))
    return f"cx.{function}(survey{survey.filter}, {outcome!r}, {list(terms)!r}{said})"


_DF = {
    "en": "t and F tests on {df:g} degrees of freedom (PSUs − strata + 1 − coefficients).",
    "zh": "t 检验和 F 检验的自由度为 {df:g}（初级抽样单位数 − 层数 + 1 − 系数个数）。",
}
_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) with a missing answer are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因有缺失回答未纳入。",
}
_HEADINGS: dict[Any, Mapping[str, str]] = {
    "coefficient": {"en": "Coefficient", "zh": "系数"},
    "term": {"en": "Term", "zh": "变量"},
    "t": {"en": "t", "zh": "t 值"},
    "odds_ratio": {"en": "Odds ratio", "zh": "优势比"},
    "odds_low": {"en": "Odds ratio low", "zh": "优势比下限"},
    "odds_high": {"en": "Odds ratio high", "zh": "优势比上限"},
}
