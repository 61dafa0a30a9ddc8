"""Claims of the field, tested on a study's own data or marked untestable here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cxlab.claim_register._case import Case, chosen, listed, read_case
from cxlab.claim_register._finding import UNTESTABLE, Finding, Unfit, claim_p_values, status_of
from cxlab.claim_register._register import REGISTER, Claim
from cxlab.claim_register._result import HEADINGS, OTHER_RANGE, ClaimsResult, claims_notes, reason_words
from cxlab.design import design_notes, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError, one_of
from cxlab.metrics import cells, unplaced
from cxlab.result import Base, reliability
from cxlab.study import Study
from cxlab.survey import Survey
from cxlab.words import Note

Key = dict[str, Any]


def claims(
    study: Study | Survey,
    which: str | Sequence[str] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.95,
) -> ClaimsResult:
    """Which claims about customer experience hold on these data, which do not, and which can these data not test?

    Parameters
    ----------
    study : Study or Survey
        Of a study all respondents count, and columns of its linked tables are found as well.
    which : str or list of str, optional
        Claims by name, such as ``"premium"``; the whole register by default.
    by : str or list of str, optional
        A segment, ``"wave"``, or several crossed; every claim is then tested in every group.
    columns : mapping of need to column, optional
        Where a column is not called as the register calls it (ratings that run the other way are turned by their
        ``higher_is_better``): ``{"price_offer": "q31", "price_choice": "q32"}``. Needs are
        satisfaction, repurchase, renewed, price_paid, switching_cost, price_offer (per cent: 3 for 3 %), price_choice, problem,
        voiced, resolved, remembered, visit_minutes, unit, engagement, responded, outlets, sales, and order, the pattern
        of the columns with a touchpoint's place in the visit (``"{item}_order"``).
    ranges : mapping of claim to (low, high), optional
        Other claimed ranges, in the unit of the claim (per cent for the premium, 0.03 for three points of a share); None for an
        open end.
    level : float
        Of intervals. A verdict on either side is a test at (1 − level) / 2.

    Returns
    -------
    ClaimsResult
        One row per claim (and group): ``claim, source, [segment], estimate, se, low, high, claimed_low, claimed_high, status,
        unit, p_value`` (for the claim), ``p_against, base, base_effective, reliability``. Status: ``supported`` if the interval lies
        within the claimed range, ``contradicted`` if it lies outside, ``not decided`` if it reaches across an end (sentences
        and table print as many decimals as show which),
        ``untestable`` with the reason in ``.untestable``. ``.acceptance`` and ``.check`` belong to the premium.

    Raises
    ------
    SurveyError
        For unknown claims, needs or columns, a range in the wrong order, a named 0/1 column with other values, or a
        stratum with one PSU.

    Notes
    -----
    A range is tested by two one-sided tests: the claim is supported if both ends are rejected, which is the case if and only
    if the interval lies within it. Slopes and gaps are weighted linear regressions with design-based errors, shares have
    Korn and Graubard's interval.

    Premium: logit P(accept) = a + b · offer, weighted; the premium is −a / b, the surcharge that half would accept, with Fieller's
    interval of the design covariance. ``.check`` bounds the median by the offers that significantly more, and fewer, than half accept
    (a note says where the logit's lies outside), and the mean willingness to pay without any curve: shares of
    acceptance, pooled until none rises, summed over the steps of the offers at their lower ends (``mean_least``, Turnbull's lower
    bound) and at their upper ends (``mean_most``, up to the highest offer).

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657–680. Fieller (1954), JRSS B 16, 175–185. Haab &
    McConnell (1997), Journal of Environmental Economics and Management 32, 251–270. McCollough, Berry & Yadav (2000),
    Journal of Service Research 3, 121–137.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> offer = rng.choice([3.0, 6, 9, 12, 15, 18, 24], 2000)
    >>> accepts = rng.random(2000) < 1 / (1 + np.exp((offer - 9) / 3))
    >>> survey = Survey.from_frame(pd.DataFrame({"price_offer": offer, "price_choice": accepts}))
    >>> found = claims(survey, "premium")
    >>> found.table[["claimed_low", "claimed_high", "status"]].values.tolist()
    [[13.0, 18.0, 'contradicted']]
    """
    t_quantile(level, 1)
    names = chosen(which, REGISTER)
    case, faults = read_case(study, columns, level)
    claimed = {name: REGISTER[name].claimed for name in names} | _ranges(ranges)
    resolve(case.survey).require_pairs()
    groups = cells(case.survey, by)
    tested = [
        _Row(REGISTER[name], key, *_tested(REGISTER[name], case.within(groups.inside[:, k]), faults))
        for name in names
        for k, key in _of_claim(REGISTER[name], case, faults, groups.keys)
    ]
    weights = case.survey.weights[case.survey.domain]
    keys = list(groups.keys[0])
    table = pd.DataFrame([row.cells(keys, claimed) for row in tested])
    options = {"which": which, "by": by, "columns": columns, "ranges": ranges, "level": level}
    return ClaimsResult(
        table.assign(reliability=np.where(table["base"] > 0, reliability(table["base_effective"]), "")), Base(int((weights > 0).sum()), kish_base(weights)),
        (*claims_notes(table, _remarks(tested, ranges), level),
         *case.notes, *design_notes(case.survey), *unplaced(case.survey, groups)),
        {**HEADINGS, **groups.labels, **{("claim", c.name): c.words for c in REGISTER.values()}}, _call(study, options),
        {"en": "Claims and what these data say of them", "zh": "行业说法与本次数据"}, formats={"p_against": "p"}, level=level,
        untestable=_untestable(tested, keys), acceptance=_details(tested, "acceptance"), check=_details(tested, "check"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """A claim in a group: what was found, or why nothing could be."""

    claim: Claim
    key: Key
    found: Finding | None
    reason: Mapping[str, str] | None

    def cells(self, keys: Sequence[str], claimed: Mapping[str, tuple[float, float]]) -> Key:
        """The row of the table."""
        low, high = claimed[self.claim.name]
        row = {"claim": self.claim.name, "source": self.claim.source, **{k: self.key.get(k) for k in keys}}
        row |= dict.fromkeys(("estimate", "se", "low", "high"), np.nan)
        row |= {"claimed_low": low, "claimed_high": high, "status": UNTESTABLE, "unit": self.claim.unit, "p_value": np.nan,
                "p_against": np.nan, "base": 0, "base_effective": 0.0}  # fmt: skip
        if self.found is not None:
            found = self.found
            row |= {n: getattr(found, n) for n in ("estimate", "se", "low", "high", "base", "base_effective")}
            if self.reason is None:
                row["status"] = status_of(found.low, found.high, (low, high))
                row["p_value"], row["p_against"] = claim_p_values(found.tails, (low, high))
        return row


def _tested(claim: Claim, case: Case, faults: Mapping[str, Note]) -> tuple[Finding | None, Mapping[str, str] | None]:
    """A finding, or the reason why there is none; on a base too small both."""
    missing = case.missing(claim.needed)
    if missing or claim.test is None:
        return None, reason_words("missing", needs=listed(missing))
    wrong = [faults[n] for n in claim.needed if n in faults]
    if wrong:
        return None, wrong[0]
    try:
        found = claim.test(case)
    except Unfit as unfit:
        return None, unfit.reason
    except SurveyError as error:
        return None, reason_words("refused", said=str(error).rstrip("."))
    if reliability(found.base_effective) == "suppressed":
        return found, reason_words("small", effective=found.base_effective)
    if not found.high > found.low:
        return None, reason_words("exact")
    return found, None


def _of_claim(claim: Claim, case: Case, faults: Mapping[str, Note], keys: list[Key]) -> list[tuple[int, Key]]:
    """Groups in which a claim is tested; one row without a group where nothing can be."""
    lacking = bool(case.missing(claim.needed)) or any(n in faults for n in claim.needed)
    return [(0, {})] if lacking else list(enumerate(keys))


def _remarks(tested: list[_Row], ranges: Mapping[str, Any] | None) -> dict[str, tuple[Mapping[str, str], ...]]:
    """What the tests of each claim add to the notes; the same remark of several groups once."""
    out: dict[str, tuple[Mapping[str, str], ...]] = {n: (Note(OTHER_RANGE),) for n in ranges or {}}
    for row in tested:
        if row.found is not None and row.reason is None:
            known = out.get(row.claim.name, ())
            out[row.claim.name] = (*known, *(r for r in row.found.remarks if r not in known))
    return out


def _ranges(ranges: Mapping[str, tuple[float, float]] | None) -> dict[str, tuple[float, float]]:
    out = {}
    for name, given in (ranges or {}).items():
        if name not in REGISTER:
            raise one_of("ranges", name, REGISTER)
        ends = list(given) if isinstance(given, (tuple, list)) else []
        ends = ends if all(e is None or (isinstance(e, Real) and not isinstance(e, bool)) for e in ends) else []
        low, high = (
            (-np.inf if ends[0] is None else float(ends[0]), np.inf if ends[1] is None else float(ends[1]))
            if len(ends) == 2
            else (0.0, 0.0)
        )
        if not low < high or not (np.isfinite(low) or np.isfinite(high)):
            raise SurveyError(
                f"ranges: {name} is {given!r}; give two numbers in order, None for one open end, such as (13, 18) or (0, None)."
            )
        out[name] = (low, high)
    return out


def _untestable(tested: list[_Row], keys: Sequence[str]) -> pd.DataFrame:
    """Claims without a verdict: why, and which study would give one; words by language."""
    rows = [
        {"claim": r.claim.name, **({k: r.key.get(k) for k in keys}), "reason_en": r.reason["en"], "reason_zh": r.reason["zh"],
         "study_en": r.claim.study["en"], "study_zh": r.claim.study["zh"]}
        for r in tested
        if r.reason is not None
    ]  # fmt: skip
    columns = ["claim", *keys, "reason_en", "reason_zh", "study_en", "study_zh"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _details(tested: list[_Row], name: str) -> pd.DataFrame:
    """Further tables of the premium, by group."""
    parts = [
        pd.concat([pd.DataFrame([r.key] * len(r.found.details[name])), r.found.details[name]], axis=1)
        for r in tested
        if r.found is not None and r.found.details is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _call(study: Study | Survey, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"which": None, "by": None, "columns": None, "ranges": None, "level": 0.95}
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.claims({'study' if isinstance(study, Study) else f'survey{study.filter}'}{said})"
