"""Customer pyramid: tiers by the revenue they bring, and who attracts whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.contrasts import differences, holm
from cxlab.design import Design, kish_base, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError
from cxlab.metrics import Cells, Score, cells, design_notes, korn_graubard, names, score
from cxlab.result import Base, Result, reliability
from cxlab.segments._crisis_facts import frame, shares
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
_TIER = {
    "en": "{tier:cap}: {customers:.0%} of the customers bring {revenue:.0%} of the revenue ({level} {low:.0%} to {high:.0%}).",
    "zh": "{tier}：{customers:.0%} 的顾客贡献 {revenue:.0%} 的收入（{level} 区间 {low:.0%} 至 {high:.0%}）。",
}
_TIER_KNOWN = {
    "en": "{tier:cap}: {customers:.0%} of the customers bring {revenue:.0%} of the revenue.",
    "zh": "{tier}：{customers:.0%} 的顾客贡献 {revenue:.0%} 的收入。",
}
_PLACE = {
    "hold": {
        "en": "Hold: {groups} – worth more than average and more attracted than the rest.",
        "zh": "维系：{groups}——价值高于平均，且对我们的认可高于其他顾客。",
    },
    "win": {
        "en": "Win over: {groups} – worth more than average but less attracted than the rest.",
        "zh": "争取：{groups}——价值高于平均，但对我们的认可低于其他顾客。",
    },
    "serve": {
        "en": "Serve economically: {groups} – attracted, but worth less than average.",
        "zh": "经济服务：{groups}——认可我们，但价值低于平均。",
    },
    "leave": {
        "en": "Least attractive both ways: {groups} – worth less than average and less attracted than the rest.",
        "zh": "双向吸引力均低：{groups}——价值低于平均，对我们的认可也低于其他顾客。",
    },
    "uncertain": {
        "en": "Not decided on this base: {groups}.",
        "zh": "以本次样本尚不能判定：{groups}。",
    },
}
_HEADINGS: dict[Any, Mapping[str, str]] = {
    "segment": {"en": "Tier", "zh": "层级"},
    "customers": {"en": "Customers", "zh": "顾客占比"},
    "customers_low": {"en": "Customers low", "zh": "顾客占比下限"},
    "customers_high": {"en": "Customers high", "zh": "顾客占比上限"},
    "revenue": {"en": "Revenue", "zh": "收入占比"},
    "revenue_low": {"en": "Revenue low", "zh": "收入占比下限"},
    "revenue_high": {"en": "Revenue high", "zh": "收入占比上限"},
    "estimate": {"en": "Mean value", "zh": "平均价值"},
    "from_value": {"en": "From", "zh": "价值下界"},
    "to_value": {"en": "To", "zh": "价值上界"},
}


_DRAWN = ("attraction", "attraction_low", "attraction_high", "value", "value_low", "value_high")


@dataclass(frozen=True, eq=False)
class PyramidResult(Result):
    """Tiers of customers by value, and the two-sided attractiveness of groups.

    Attributes
    ----------
    value : str
    attraction : str
        What the matrix takes for the company's attraction; empty without a matrix.
    matrix : DataFrame
        One row per group: ``segment, value, value_low, value_high, value_gap, value_p`` (against the rest), ``attraction,
        attraction_low, attraction_high, attraction_gap, attraction_p, place`` (hold, win, serve, leave; uncertain unless
        both differences from the rest hold by Holm), ``base, base_effective, reliability``.
    tiers : array, shape (rows,)
        Tier of every row of the data, 1 the most valuable; NaN outside the domain or without a value.
    """

    value: str = ""
    attraction: str = ""
    matrix: pd.DataFrame = field(default_factory=pd.DataFrame)
    tiers: Any = None

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw each tier's share of customers (left) and of revenue (right), the most valuable on top."""
        from cxlab.charts import new_axes

        lang = language(lang)
        rows = self.table[self.table["reliability"] != "suppressed"]
        ax = ax or new_axes(7.2, 1.0 + 0.55 * len(rows))
        y = np.arange(len(rows))
        sides = (("customers", -1, theme.NEUTRAL), ("revenue", 1, theme.GOOD))
        for column, side, colour in sides:
            value, low, high = (100 * rows[c].to_numpy() for c in (column, f"{column}_low", f"{column}_high"))
            ax.barh(y, side * value, color=colour, height=0.6)
            error = np.maximum([value - low, high - value], 0)[
                ::side
            ]  # a share raked to is known: only rounding is left
            ax.errorbar(side * value, y, xerr=error, fmt="none", ecolor=theme.INK, elinewidth=1, capsize=2.5)
            for row, (share, end) in enumerate(zip(value, high, strict=True)):
                ax.annotate(f"{share:.0f}%", (side * end, row), xytext=(5 * side, 0), textcoords="offset points", va="center",
                            ha="left" if side > 0 else "right", fontsize=9)  # fmt: skip
        ax.axvline(0, color=theme.INK, linewidth=0.8)
        ax.set_yticks(y, [self.label(s, lang, "segment") for s in rows["segment"]])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.margins(x=0.14)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        titles = {"en": "Share of customers  |  share of revenue", "zh": "顾客占比  |  收入占比"}
        ax.set_title(titles[lang])
        return ax

    def plot_matrix(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw groups by value to the company and attraction of the company, with intervals; lines at the averages.

        Raises
        ------
        SurveyError
            If there is no attraction to draw.
        """
        from cxlab.charts import new_axes

        if not len(self.matrix):
            raise SurveyError("plot_matrix: no attraction was given; pass attraction= to cx.customer_pyramid.")
        lang = language(lang)
        rows = self.matrix[self.matrix["reliability"] != "suppressed"]
        ax = ax or new_axes(6.4, 4.2)
        colours = {"uncertain": theme.NEUTRAL, "hold": theme.GOOD, "serve": theme.GOOD}
        numbers = {c: rows[c].to_numpy(dtype=float) for c in _DRAWN}
        for i, (segment, place) in enumerate(zip(rows["segment"], rows["place"], strict=True)):
            x, x_low, x_high, y, y_low, y_high = (numbers[c][i] for c in _DRAWN)
            reach = np.maximum([[x - x_low, y - y_low], [x_high - x, y_high - y]], 0)
            ax.errorbar(x, y, xerr=reach[:, :1], yerr=reach[:, 1:], fmt="o", capsize=2.5,
                        color=colours.get(str(place), theme.BAD))  # fmt: skip
            ax.annotate(self.label(segment, lang, "group"), (x, y), xytext=(7, 6), textcoords="offset points")
        ax.axvline(float(self.matrix["attraction_mean"].iloc[0]), color=theme.NEUTRAL, linewidth=0.9, linestyle="--")
        ax.axhline(float(self.matrix["value_mean"].iloc[0]), color=theme.NEUTRAL, linewidth=0.9, linestyle="--")
        ax.margins(0.2)
        ax.set_xlabel(self.label(self.attraction, lang))
        ax.set_ylabel(self.label(self.value, lang))
        ax.set_title({"en": "Who attracts whom", "zh": "双向吸引力"}[lang])
        return ax

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say what each tier brings, and which groups to hold, win over, or serve economically."""
        lang = language(lang)
        said = [
            sentence(_TIER_KNOWN if number(r.revenue_low, ".0%") == number(r.revenue_high, ".0%") else _TIER, lang, tier=self.label(r.segment, lang, "segment"), customers=r.customers, revenue=r.revenue,
                     low=r.revenue_low, high=r.revenue_high, level=self.said_level)
            for r in self.rows() if r.reliability != "suppressed"
        ]  # fmt: skip
        if len(self.matrix):
            shown = self.matrix[self.matrix["reliability"] != "suppressed"]
            for place, template in _PLACE.items():
                groups = [self.label(s, lang, "group") for s in shown.loc[shown["place"] == place, "segment"]]
                if groups:
                    said.append(sentence(template, lang, groups=(", " if lang == "en" else "、").join(groups)))
        return Sentences(said)


def customer_pyramid(
    survey: Survey,
    value: str,
    *,
    tiers: int | Sequence[float] = 3,
    by: str | None = None,
    attraction: str | None = None,
    level: float = 0.95,
) -> PyramidResult:
    """Which customers bring the revenue, and do the valuable ones like us?

    Parameters
    ----------
    survey : Survey
    value : str
        Column of what a customer is worth (price paid, yearly spend), in money, 0 or more. Data of a customer table are
        brought in with ``survey.with_columns``.
    tiers : int or list of float
        Parts of the revenue, counted from the most valuable customers down: 3 means thirds, ``[.5, .3, .2]`` half,
        then 30 %, then the rest.
    by : str, optional
        Segment whose groups stand in the matrix; the tiers by default.
    attraction : str, optional
        Metric of how much the company attracts the customer: ``"nps"``, a column or a role. By default the roles
        ``recommend`` or ``satisfaction``; without them there is no matrix.
    level : float

    Returns
    -------
    PyramidResult
        One row per tier, the most valuable first: ``segment`` (1, 2, …), ``from_value, to_value`` (of its customers),
        ``customers, customers_low, customers_high, revenue, revenue_low, revenue_high`` (shares 0–1, weighted),
        ``estimate, se, low, high`` (mean value), ``base, base_effective, reliability``. ``matrix`` has the groups.

    Raises
    ------
    SurveyError
        If values are negative or all zero, tiers do not sum to 1, or one tier would hold everybody.

    Notes
    -----
    Customers are sorted by value; those of equal value stay together, in the tier in which the middle of their
    revenue lies, so that every customer is in exactly one tier and both shares sum to 1. A customer asked several
    times has the weighted mean of the own values and counts with every interview's weight. Revenue shares are
    ratios by Taylor linearisation, customer shares have Korn–Graubard intervals; the limits of the tiers count as
    fixed. A group has a place in the matrix only where its value and its attraction both differ from the rest
    (design-based t, Holm over the whole matrix).

    References
    ----------
    Curry & Curry (2000), *The Customer Marketing Method*.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"paid": [600.0] * 70 + [2200.0] * 22 + [4500.0] * 8})
    >>> result = customer_pyramid(Survey.from_frame(df), "paid")
    >>> result.table[["from_value", "customers", "revenue"]].round(2).values.tolist()
    [[4500.0, 0.08, 0.28], [2200.0, 0.22, 0.38], [600.0, 0.7, 0.33]]
    """
    parts = _parts(tiers)
    worth, known = _worth(survey, value)
    design = resolve(survey)
    tier = _tiers(worth, np.where(known, survey.weights, 0.0), parts)
    present = [k for k in range(1, len(parts) + 1) if (tier == k).any()]
    if len(present) < 2:
        raise SurveyError(f"tiers: all {int(known.sum()):,} customers of known value fall into one tier, as too many have the same "
                          f"value ({np.nanmax(worth):g}); ask for other parts of the revenue.")  # fmt: skip
    inside = np.column_stack([tier == k for k in present])
    table = _table(design, inside, worth, present, level)
    metric = _attraction(survey, attraction)
    groups = _grouped(survey, by, inside, present, known)
    matrix = _matrix(design, groups, worth, metric, level) if metric else pd.DataFrame()
    labels = {
        **_HEADINGS,
        **_tier_labels(present, "segment"),
        value: names(survey, value),
        **_group_labels(groups, present, by),
    }
    if metric:
        labels[metric.name] = metric.labels
    said = {"tiers": tiers, "by": by, "attraction": attraction, "level": level}
    usual = {"tiers": 3, "by": None, "attraction": None, "level": 0.95}
    options = "".join(f", {k}={v!r}" for k, v in said.items() if v != usual[k])
    return PyramidResult(
        table, _base(survey, known), (*_notes(survey, known, parts, present), *design_notes(survey)), labels,
        f"cx.customer_pyramid(survey{survey.filter}, {value!r}{options})", {"en": "Customer pyramid", "zh": "顾客金字塔"},
        {**dict.fromkeys(_SHARES, ".1%"), **dict.fromkeys(("estimate", "se", "low", "high", "from_value", "to_value"), ",.0f")},
        level=level, value=value, attraction=metric.name if metric else "", matrix=matrix,
        tiers=np.where(tier > 0, tier.astype(float), np.nan),
    )  # fmt: skip


_SHARES = ("customers", "customers_low", "customers_high", "revenue", "revenue_low", "revenue_high")


def _parts(tiers: Any) -> FloatArray:
    """Parts of the revenue, the most valuable first; they sum to 1."""
    if isinstance(tiers, (int, np.integer)) and not isinstance(tiers, bool):
        if not 2 <= tiers <= 10:
            raise SurveyError(f"tiers is {tiers}; 2 to 10 tiers make a pyramid.")
        return np.full(int(tiers), 1 / tiers)
    parts = np.array(list(tiers), dtype=float)
    if len(parts) < 2 or not (parts > 0).all() or abs(parts.sum() - 1) > 1e-6:
        raise SurveyError(f"tiers is {list(tiers)!r}: {len(parts)} parts that sum to {parts.sum():g}; name two or more parts of the revenue, "
                          "each above 0, that sum to 1.")  # fmt: skip
    return parts


def _worth(survey: Survey, value: str) -> tuple[FloatArray, np.ndarray]:
    """What each row's customer is worth, and of whom it is known."""
    survey.require("value", [value])
    worth = survey.values(value)
    counted = survey.domain & (survey.weights > 0)
    known = counted & np.isfinite(worth)
    negative = int((worth[known] < 0).sum())
    if negative or not worth[known].sum() > 0:
        raise SurveyError(f"value {value!r} has {negative} negative of {int(known.sum()):,} known values and sums to {worth[known].sum():g}; "
                          "it is money, 0 or more.")  # fmt: skip
    person = survey.roles.respondent
    if person is None or person not in survey.data.columns:
        return np.where(known, worth, np.nan), known
    codes = pd.factorize(survey.data[person].astype(object))[0]
    single = codes.max(initial=-1) + 1 + np.arange(len(codes))  # without an id everybody is a customer of their own
    who = np.unique(np.where(codes < 0, single, codes), return_inverse=True)[1]
    weights = np.where(known, survey.weights, 0.0)
    total, money = np.bincount(who, weights), np.bincount(who, weights * np.where(known, worth, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, (money / total).round(9)[who], np.nan), known


def _tiers(worth: FloatArray, weights: FloatArray, parts: FloatArray) -> np.ndarray:
    """Tier of each row, 1 the most valuable, 0 where unknown: by the middle of the revenue of all of equal value."""
    known = np.isfinite(worth)
    values, place = np.unique(-worth[known].round(9), return_inverse=True)
    revenue = np.bincount(place, weights[known]) * -values
    middle = (np.cumsum(revenue) - revenue / 2) / revenue.sum()
    limits = np.cumsum(parts)[:-1]
    out = np.zeros(len(worth), dtype=int)
    rank = np.sum(middle[:, None] >= limits, axis=1).astype(int)
    out[known] = 1 + rank[place]
    return out


def _table(design: Design, inside: np.ndarray, worth: FloatArray, present: Sequence[int], level: float) -> pd.DataFrame:
    everybody = np.asarray(inside.any(axis=1))
    count = inside.shape[1]
    head = weighted_means(design, inside.astype(float), np.repeat(everybody[:, None], count, axis=1))
    ends = np.array([korn_graubard(head, k, level, float(head.df[k])) for k in range(count)])
    paid = shares(design, worth, frame(inside, ()))
    low, high = paid.interval(level)
    mean = weighted_means(design, np.repeat(worth[:, None], count, axis=1), inside)
    half = t_quantile(level, mean.df) * mean.se
    return pd.DataFrame(
        {
            "segment": list(present), "from_value": [np.nanmin(worth[i]) for i in inside.T],
            "to_value": [np.nanmax(worth[i]) for i in inside.T],
            "customers": head.estimate, "customers_low": ends[:, 0], "customers_high": ends[:, 1],
            "revenue": paid.estimate, "revenue_low": np.maximum(low, 0), "revenue_high": np.minimum(high, 1),
            "estimate": mean.estimate, "se": mean.se, "low": mean.estimate - half, "high": mean.estimate + half,
            "base": mean.base, "base_effective": mean.base_kish, "reliability": reliability(mean.base_kish),
        }
    )  # fmt: skip


def _attraction(survey: Survey, attraction: str | None) -> Score | None:
    if attraction is not None:
        return score(survey, attraction)
    for role in ("recommend", "satisfaction"):
        if survey.has(role):
            return score(survey, role)
    return None


def _grouped(survey: Survey, by: str | None, inside: np.ndarray, present: Sequence[int], known: np.ndarray) -> Cells:
    if by is None:
        return Cells([{"segment": k} for k in present], inside, {})
    groups = cells(survey, by)
    if len(groups.keys) < 2:
        raise SurveyError(f"by: {by!r} has {len(groups.keys)} group among the respondents; a matrix needs two.")
    return Cells(groups.keys, groups.inside & known[:, None], groups.labels)


def _matrix(design: Design, groups: Cells, worth: FloatArray, metric: Score, level: float) -> pd.DataFrame:
    """Value and attraction of every group, and their differences from the rest."""
    count, parts = groups.inside.shape[1], frame(groups.inside, ())
    direction = 1 if metric.higher_is_better else -1
    sides = np.concatenate([np.repeat(v[:, None], 2 * count + 1, axis=1) for v in (worth, metric.values)], axis=1)
    found = weighted_means(design, sides, np.tile(parts.domains(), (1, 2)))
    own = np.r_[np.arange(count), 2 * count + 1 + np.arange(count)]
    gap = differences(found, own, own + count, design.df)
    raw = np.where((gap.se == 0) & (gap.estimate != 0), 0.0, gap.p_values())  # values that do not vary differ for sure
    p = holm(raw)
    half = t_quantile(level, found.df) * found.se
    clear = np.asarray((p < 1 - level).reshape(2, count).all(axis=0))
    up, liked = gap.estimate[:count] > 0, direction * gap.estimate[count:] > 0
    place = np.select([~clear, up & liked, up, liked], ["uncertain", "hold", "win", "serve"], "leave")
    out: dict[str, Any] = {"segment": [k["segment"] for k in groups.keys]}
    for name, at in (("value", 0), ("attraction", 1)):
        block, rows = own[at * count : (at + 1) * count], slice(at * count, (at + 1) * count)
        out |= {name: found.estimate[block], f"{name}_low": (found.estimate - half)[block],
                f"{name}_high": (found.estimate + half)[block], f"{name}_mean": found.estimate[(at + 1) * (2 * count + 1) - 1],
                f"{name}_gap": gap.estimate[rows], f"{name}_p": p[rows]}  # fmt: skip
    kish = found.base_kish[own].reshape(2, count).min(axis=0)
    return pd.DataFrame({**out, "place": place, "base": found.base[:count], "base_effective": kish,
                         "reliability": reliability(kish)})  # fmt: skip


def _tier_labels(present: Sequence[int], column: str) -> dict[Any, Mapping[str, str]]:
    last = max(present)
    words = {1: {"en": "top tier", "zh": "顶层"}, last: {"en": "bottom tier", "zh": "底层"}}
    if last == 3:
        words[2] = {"en": "middle tier", "zh": "中层"}
    return {(column, k): words.get(k, {"en": f"tier {k}", "zh": f"第 {k} 层"}) for k in present}


def _group_labels(groups: Cells, present: Sequence[int], by: str | None) -> dict[Any, Mapping[str, str]]:
    if by is None:
        return _tier_labels(present, "group")
    return {("group", k["segment"]): groups.labels["segment", k["segment"]] for k in groups.keys}


def _base(survey: Survey, known: np.ndarray) -> Base:
    counted = survey.domain & (survey.weights > 0)
    lost = counted & ~known
    share = float(survey.weights[lost].sum() / survey.weights[counted].sum())
    return Base(int(known.sum()), kish_base(survey.weights[known]), int(lost.sum()), share)


def _notes(
    survey: Survey, known: np.ndarray, parts: FloatArray, present: Sequence[int]
) -> tuple[Mapping[str, str], ...]:
    base = _base(survey, known)
    listed = {lang: "/".join(f"{p:.0%}" for p in parts) for lang in LANGUAGES}
    said: list[Mapping[str, str]] = [Note(_LIMITS, parts=listed)]
    if len(present) < len(parts):
        said.append(Note(_EMPTY, empty=len(parts) - len(present)))
    if base.excluded:
        said.append(Note(_UNKNOWN, excluded=base.excluded, share=base.excluded_share))
    return tuple(said)


_LIMITS = {"en": "Tiers aim at {parts} of the revenue; customers of equal value stay together. The limits count as fixed.",
           "zh": "各层目标收入占比为 {parts}；价值相同的顾客不拆分。分层界限视为固定。"}  # fmt: skip
_EMPTY = {"en": "{empty} tiers stay empty, as too many customers have the same value.",
          "zh": "因价值相同的顾客过多，有 {empty} 层为空。"}  # fmt: skip
_UNKNOWN = {"en": "{excluded:,} respondents ({share:.1%} of the weight) of unknown value are left out.",
            "zh": "{excluded:,} 名受访者（占权重 {share:.1%}）价值未知，未纳入。"}  # fmt: skip
