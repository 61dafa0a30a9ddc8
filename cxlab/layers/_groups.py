"""Groups: do the paths of a model differ between them, and may they be compared at all?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cxlab import pls
from cxlab.design import design_notes, kish_base, t_quantile
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError, one_of
from cxlab.groups import split
from cxlab.layers._choose import Model
from cxlab.layers._estimate import ARROW
from cxlab.layers._groups_cells import MOST_GROUPS, Group, Options, groups_of
from cxlab.layers._groups_result import FORMATS, HEADINGS, PathGroupsResult
from cxlab.layers._groups_tests import COMPOSITION, UNKNOWN, compared, differences, effects_of, overall
from cxlab.layers._groups_words import REASONS, group_notes, listed
from cxlab.layers._intervals import LEAST_REPLICATES, Intervals
from cxlab.layers._kernel import Kernel
from cxlab.layers._micom import micom_table, obstacle, pairs_of, permuted
from cxlab.layers._paths import METHODS
from cxlab.layers._prepare import Prepared, prepare
from cxlab.layers._tables import effect_table, path_table
from cxlab.metrics import names as wordings
from cxlab.metrics import value_names
from cxlab.result import Base, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES


def compare_paths(
    survey: Survey,
    model: Model = None,
    *,
    by: str,
    method: str = "pls",
    scheme: str = "path",
    missing: str = "listwise",
    permutations: int = 1000,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> PathGroupsResult:
    """For whom does emotion count more: do paths differ between groups, and may they be compared?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    model : str, mapping, path of a YAML file, optional
        As in :func:`cxlab.path_model`.
    by : str
        Column with 2 to 12 groups.
    method : {"pls", "plsc"}
    scheme : {"path", "factorial", "centroid"}
    missing : {"listwise", "pairwise", "em", "mi"}
        As in :func:`cxlab.path_model`; with any but listwise the steps of comparability are tested by replicates.
    permutations : int
        Permutations of the labels of two groups, at least 100; 0 for Wald tests from replicates.
    replicates : int
        Rao–Wu bootstrap replicates, shared by all groups, at least 100.
    seed : int
    level : float

    Returns
    -------
    PathGroupsResult
        One row per path and group: ``source, target, segment, estimate`` (standardised), ``se, low, high, p_value`` (of the path
        itself), ``impact, impact_low, impact_high``, ``comparable`` (with at least one other group), ``reason`` (why not, or why
        there are no numbers), ``base, base_effective, reliability``. ``.micom``: per construct and pair of groups ``c`` (correlation of
        the composites that both make), its 5 % quantile ``c_null`` under permuted labels, gaps of means (in standard deviations) and
        ratios of variances with the range in which they lie if the groups are alike, ``invariance`` (none, partial, full, untested). ``.differences``:
        per effect and pair ``value, value_other, estimate, se, low, high, p_value`` (Holm), ``p_raw, p_permutation, detectable``.
        ``.overall``: per effect the joint test of all groups. ``.effects``: direct, indirect and total effects of every group.

    Raises
    ------
    SurveyError
        For an unknown ``by``, one that is an indicator of the model, fewer than two or more than 12 groups, or as in
        :func:`cxlab.path_model` for all groups together.

    Warns
    -----
    SmallBaseWarning
        If a group has an effective base under 75; under 30 its numbers are suppressed and it is not tested.
    DataWarning
        If the groups are bands of an indicator, whose spread within them is cut.

    Notes
    -----
    Comparability in three steps (MICOM). 1: the same indicators, treated alike, which one call ensures. 2: the composites of two groups
    are composed alike if c = cor(X w₁, X w₂) on the pooled items X is not under the 5 % quantile of c under permuted labels. 3: their
    means and variances are equal. Differences of paths are masked where step 2 fails for a construct on the way; a failure
    of step 3 forbids only pooling the groups. They are masked as well where step 2 cannot be tested, as the groups have fewer
    sampling units than the construct has weights.

    Labels are permuted as whole PSUs within strata. Where strata or PSUs do not allow it (a stratum lies within one group), weights,
    means and log variances are compared by Wald tests against their covariance over replicates; the notes say which and why.
    Paths are always tested that way, with t and F tests on Satterthwaite and Welch degrees of freedom, as permutation
    assumes that groups are alike in everything; its p-value stands beside. Replicates are shared by the groups, so PSUs with
    members in several are allowed for. Holm over paths × pairs; over indirect and total effects × pairs; over the
    pairs of a construct in steps 2 and 3.

    References
    ----------
    Henseler, Ringle & Sarstedt (2016), International Marketing Review 33(3), 405–431. Chin & Dibbern (2010), in *Handbook of
    Partial Least Squares*, 171–193. Welch (1951), Biometrika 38, 330–336. R: ``cSEM::testMICOM``, ``cSEM::testMGD``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> card = np.repeat([1, 2], 400)
    >>> joy = rng.normal(size=800)
    >>> df = pd.DataFrame({"card": card, "glad": joy + rng.normal(scale=0.5, size=800), "proud": joy + rng.normal(scale=0.5, size=800),
    ...                    "again": np.where(card == 1, 0.2, 0.7) * joy + rng.normal(scale=0.7, size=800)})
    >>> result = compare_paths(Survey.from_frame(df), "Joy =~ glad + proud\\nStay =~ again\\nStay ~ Joy", by="card", permutations=200,
    ...                        replicates=200)
    >>> result.differences[["value", "value_other", "comparable"]].round(1).values.tolist()
    [[0.2, 0.7, True]]
    """
    options = Options(by, method, scheme, missing, permutations, replicates, seed, level)
    _check(options)
    column, codes, member = split(survey, by, MOST_GROUPS, "paths", least=2)
    total = prepare(replace(survey, domain=member >= 0), model, missing)
    _check_apart(total, by, column)
    groups = groups_of(total, member, codes, options)
    found = compared(Kernel(total, scheme, method == "plsc"), groups)
    pairs = pairs_of(total, found.groups, options)
    reason = obstacle(pairs, options)
    drawn = [None if reason else permuted(pair, options, k) for k, pair in enumerate(pairs)]
    micom = micom_table(pairs, drawn, options)
    gaps, joint = differences(found, pairs, drawn, micom, level), overall(found, micom)
    table = _table(total, groups, gaps, options)
    cut = _cut(total, groups)
    _warn(survey, column, groups, cut)
    facts = {"reason": reason, "failed": found.failed, "pairs": len(pairs), "micom": micom, "differences": gaps, "column": column,
             "lost": sum(int((~d.sound).sum()) for d in drawn if d is not None), "cut": cut}  # fmt: skip
    grouped = wordings(survey, column)
    return PathGroupsResult(
        table,
        Base(len(total.sample.rows), kish_base(total.sample.weights), total.excluded, total.excluded_share),
        (*group_notes(survey, total, groups, options, facts), *total.notes, *design_notes(survey)),
        _labels(survey, total, column, groups, (gaps, joint)),
        _call(survey, total, options),
        {"en": f"Paths by {grouped['en'][:1].lower()}{grouped['en'][1:]}", "zh": f"按{grouped['zh']}分组的影响路径"},
        FORMATS, level, by=column, micom=micom, differences=gaps, overall=joint, effects=_effects(groups, options),
        model=total.model, kernels={g.code: g.kernel for g in groups if g.kernel is not None},
        test="replicates" if reason else "permutation", why=reason, permutations=0 if reason else permutations,
        replicates=replicates, failed=found.failed, seed=seed,
    )  # fmt: skip


def _check(options: Options) -> None:
    for argument, allowed in (("method", METHODS), ("scheme", pls.SCHEMES)):
        if getattr(options, argument) not in allowed:
            raise one_of(argument, getattr(options, argument), allowed)
    for argument, value in (("permutations", options.permutations), ("replicates", options.replicates)):
        if value < LEAST_REPLICATES and (value or argument == "replicates"):
            rest = ", or 0 for Wald tests from replicates" if argument == "permutations" else ""
            raise SurveyError(f"{argument} is {value}; tests of groups need at least {LEAST_REPLICATES}{rest}.")
    t_quantile(options.level, 1)


def _check_apart(total: Prepared, by: str, column: str) -> None:
    """A group is no indicator of its own."""
    if column in total.model.items:
        name = next(c.name for c in total.model.constructs if column in c.indicators)
        raise SurveyError(
            f"by is {by!r}, which is an indicator of {name!r}; within a group it does not vary: leave it out of the model, or name another "
            "column."
        )


def _cut(total: Prepared, groups: Sequence[Group]) -> list[str]:
    """Indicators whose answers in one group are all above those in another: the groups are bands of them."""
    held = [g for g in groups if g.base]
    out = []
    for k, item in enumerate(total.model.items):
        columns = [c[np.isfinite(c)] for c in (total.columns[g.inside, k] for g in held)]
        ends = sorted((float(c.min()), float(c.max())) for c in columns if len(c))
        if len(ends) > 1 and all(a[1] < b[0] for a, b in pairwise(ends)):
            out.append(item)
    return out


# ------------------------------------------------------------------------------ tables
def _intervals(group: Group, options: Options) -> Intervals:
    df = 1.0 if group.kernel is None else group.kernel.prepared.sample.df
    return Intervals(None if group.draws is None else group.draws.sound(), "auto", df, options.level)


def _table(total: Prepared, groups: Sequence[Group], gaps: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One row per path and group, the groups of a path beneath each other."""
    paths = [e.key for e in effects_of(Kernel(total, options.scheme, options.method == "plsc")) if e.kind == "direct"]
    parts = []
    for group in groups:
        if group.kernel is None:
            found = pd.DataFrame([{k: p[k] for k in ("source", "target")} for p in paths]).assign(
                reliability="suppressed"
            )
        else:
            found = path_table(group.kernel, group.kernel.sample, _intervals(group, options))
            found["reliability"] = str(reliability(min(group.base, group.base_kish)))
        parts.append(found.assign(segment=group.code, base=group.base, base_effective=group.base_kish))
    table = pd.concat(parts, ignore_index=True)
    order = {(p["source"], p["target"]): k for k, p in enumerate(paths)}
    table["_place"] = [order[s, t] for s, t in zip(table["source"], table["target"], strict=True)]
    table = table.sort_values("_place", kind="stable", ignore_index=True)
    said = {g.code: g for g in groups}
    table["reason"] = [_reason(r, said[r.segment], gaps) for r in table.itertuples()]
    table["comparable"] = [said[c].tested and not r for c, r in zip(table["segment"], table["reason"], strict=True)]
    return table.reindex(columns=_COLUMNS)


_COLUMNS = [
    "source", "target", "segment", "estimate", "se", "low", "high", "p_value", "impact", "impact_low", "impact_high", "comparable",
    "reason", "base", "base_effective", "reliability",
]  # fmt: skip


def _reason(row: Any, group: Group, gaps: pd.DataFrame) -> str:
    """Why a path of a group has no numbers, or is compared with that of no other group."""
    if group.reason:
        return group.reason
    if not group.tested:
        return "base"
    if gaps.empty:
        return "alone"
    own = gaps[(gaps["kind"] == "direct") & (gaps["source"] == row.source) & (gaps["target"] == row.target)]
    own = own[(own["segment"] == row.segment) | (own["other"] == row.segment)]
    return "" if own["comparable"].any() else str(own["reason"].iloc[0])


def _effects(groups: Sequence[Group], options: Options) -> pd.DataFrame:
    """Direct, indirect and total effects of every group that has a model."""
    parts = [
        effect_table(g.kernel, g.kernel.sample, _intervals(g, options)).assign(
            segment=g.code, base=g.base, base_effective=g.base_kish, reliability=str(reliability(min(g.base, g.base_kish)))
        )
        for g in groups
        if g.kernel is not None
    ]  # fmt: skip
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    first = ["source", "target", "kind", "route", "segment"]
    return table[[*first, *(c for c in table.columns if c not in first)]]


# ------------------------------------------------------------------------------ words
def _labels(
    survey: Survey, total: Prepared, column: str, groups: Sequence[Group], tables: Sequence[pd.DataFrame]
) -> dict[Any, Mapping[str, str]]:
    """Wordings of constructs, routes, groups and reasons."""
    people = {(k, g.code): value_names(survey, column, g.code) for k in ("segment", "other") for g in groups}
    out = {**HEADINGS, **total.labels, column: wordings(survey, column), **people}
    out |= {("reason", k): v for k, v in REASONS.items()}
    found = [t[["route", "reason"]] for t in tables if len(t)]
    for route in {r for t in found for r in t["route"] if r}:
        parts = [total.labels[p] for p in route.split(ARROW)]
        out[route] = {lang: ARROW.join(p[lang] for p in parts) for lang in LANGUAGES}
    for reason in {r for t in found for r in t["reason"] if r}:
        names = listed([total.labels[c] for c in reason.removeprefix(COMPOSITION).removeprefix(UNKNOWN).split(", ")])
        known = reason.startswith(COMPOSITION)
        out["reason", reason] = {"en": f"not comparable: {names['en']} {'composed differently' if known else 'not tested, too few units'}",
                                 "zh": f"不可比较：“{names['zh']}”{'的构成不同' if known else '的构成无法检验（抽样单位过少）'}"}  # fmt: skip
    return out


def _warn(survey: Survey, column: str, groups: Sequence[Group], cut: Sequence[str]) -> None:
    weak = [g for g in groups if reliability(min(g.base, g.base_kish)) != "ok"]
    if weak:
        listed = ", ".join(f"{value_names(survey, column, g.code)['en']} {g.base:,}" for g in weak)
        warnings.warn(
            f"{len(weak)} of {len(groups)} groups of {column!r} have an effective base under 75 ({listed}): under 30 they are suppressed "
            "and not tested, the others are read by their intervals.",
            SmallBaseWarning,
            stacklevel=3,
        )
    bare = [g for g in groups if g.reason and g not in weak]
    if bare:
        listed = ", ".join(f"{value_names(survey, column, g.code)['en']}: {REASONS[g.reason]['en']}" for g in bare)
        warnings.warn(
            f"{len(bare)} of {len(groups)} groups of {column!r} cannot be compared ({listed}).",
            DataWarning,
            stacklevel=3,
        )

    if cut:
        warnings.warn(
            f"by: the groups of {column!r} are bands of {', '.join(map(repr, cut))}, an indicator of the model: its spread within them is cut, "
            "and with it the paths of its construct; leave it out of the model.",
            DataWarning,
            stacklevel=3,
        )


def _call(survey: Survey, total: Prepared, options: Options) -> str:
    said = "".join(f", {k}={v!r}" for k, v in vars(options).items())
    return f"cx.compare_paths(survey{survey.filter}, {total.model.text()!r}{said})  # data {survey.data_hash}"
