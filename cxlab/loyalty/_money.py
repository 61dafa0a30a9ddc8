"""What a point of satisfaction is worth: satisfaction → renewal → revenue, with the uncertainty of every link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cxlab.contrasts import holm, p_values
from cxlab.design import Design, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.loyalty._groups import group_labels, groups_of, key_of, replicate_weights, spread
from cxlab.loyalty._money_result import HEADINGS, ValueResult, decimals, value_notes
from cxlab.loyalty._prices import Price, margin_of, populations, prices_of
from cxlab.loyalty._refits import refits, shares
from cxlab.metrics import design_notes, names
from cxlab.result import Base, reliability
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST, LEAST_POINTS, LEAST_REPLICATES = 60, 5, 200
_PER = 100.0  # customers


def value_of_a_point(
    survey: Survey,
    satisfaction: str = "satisfaction",
    renewal: str = "renewed",
    *,
    prices: str | float | Mapping[Any, Any] = "price_paid",
    by: str | None = None,
    population: float | Mapping[Any, float] | None = None,
    margin: float | tuple[float, float] | None = None,
    currency: str | Mapping[str, str] = "",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> ValueResult:
    """How much revenue goes with one point more of satisfaction?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    satisfaction : str
        Column or role, on its own scale.
    renewal : str
        Column of 0 and 1: whether the customer renewed within a year.
    prices : str, number, or mapping of segment to number
        Column with the yearly price of each respondent (``study.join(survey, "customers")``), one price, or the price of every
        segment by code or label. A price may be ``(price, se)`` where it is itself an estimate.
    by : str, optional
        Segment; every group gets its own link and its own price.
    population : number or mapping of segment to number, optional
        Customers there are; adds totals. By default shares of segments are those of the weights.
    margin : number or (number, se), optional
        Share of the price that is left after costs, 0 to 1. Without it the values are revenue.
    currency : str or mapping of language to str
        Unit of the prices, for words and pictures.
    replicates : int
        Draws: a Rao–Wu replicate of the survey each, with prices and margin drawn as well; at least 200.
    seed : int
    level : float

    Returns
    -------
    ValueResult
        One row per segment (one in all without ``by``): ``renewal`` (share), ``gain`` (rise of that share with a point more, ``gain_low,
        gain_high``), ``price`` (mean), ``revenue`` (from renewals per 100 customers and year), ``estimate, se, low, high`` (value of a
        point per 100 customers and year), ``base, base_effective, reliability``; with ``population`` also ``customers, total,
        total_low, total_high``. ``.whole`` has the same for all segments together, ``.differences`` segments against each
        other (Holm), ``.revenue_shares`` who brings the revenue, ``.draws`` every draw.

    Raises
    ------
    SurveyError
        For unknown names, a renewal other than 0 and 1, a segment without price or population, fewer than 60 respondents.

    Notes
    -----
    In every segment the log-odds of renewal are a line in satisfaction that may bend at the answers below which one and two thirds
    of the weight lie (a straight line where there are fewer than five different answers). The bends stay where they are in the
    replicates: no test decides on them, since a shape chosen by a test would make the interval too short. The gain is
    Σ w [p(min(x + 1, top)) − p(x)] / Σ w, as whoever is at the top of the scale cannot rise; the value is the same sum with w · price.
    Intervals are estimate ± t · se on PSUs − strata degrees of freedom, se over the draws.

    The chain assumes that customers who are a point higher would renew like those who are there today, that a renewal
    pays today's price once a year, and that nothing else changes. None of it is shown by a survey without an experiment.

    References
    ----------
    Rust, Lemon & Zeithaml (2004), Journal of Marketing 68(1), 109–127. Rao & Wu (1988), JASA 83, 231–241. Mittal & Kamakura
    (2001), Journal of Marketing Research 38, 131–142.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(0, 11, 2000)
    >>> df = pd.DataFrame({"satisfaction": x, "renewed": rng.random(2000) < 0.2 + 0.05 * x})
    >>> found = value_of_a_point(Survey.from_frame(df), prices=600, replicates=200)
    >>> found.table[["gain", "estimate"]].round(3).values.tolist()
    [[0.048, 2889.644]]
    """
    t_quantile(level, 1)
    if replicates < LEAST_REPLICATES:
        raise SurveyError(f"replicates is {replicates}; {LEAST_REPLICATES} draws or more are needed.")
    groups = groups_of(survey, by)
    price = prices_of(survey, prices, by, groups)
    customers = populations(survey, population, by, list(groups))
    chain, excluded = _chain(survey, (satisfaction, renewal), price, groups)
    left, left_se = margin_of(margin)
    top = (survey.scale(satisfaction) or (0.0, float(chain.x.max())))[1]
    links = _links(chain, list(groups), top)
    rng = np.random.default_rng(seed)
    count = len(groups)
    whole = _values(links, chain, chain.design.weights[chain.asked][None], (price.drawn(1, None), np.array([left])))[0]
    drawn = []
    for weights in replicate_weights(chain.design, chain.asked, replicates, seed):
        margins = left + left_se * rng.standard_normal(len(weights))
        drawn.append(_values(links, chain, weights, (price.drawn(len(weights), rng), margins)))
    draws = np.concatenate(drawn)
    sizes = None if customers is None else np.array([customers[c] for c in groups])
    table = _table(chain, groups, (whole, draws), (by, sizes), level)
    together = _whole(chain, (whole, draws), sizes, level) if by is not None else pd.DataFrame()
    differences = _differences(chain, groups, (whole, draws), by, level) if by is not None else pd.DataFrame()
    revenue, lead = (
        price.revenue_shares(survey, groups, sizes, level) if by is not None else (pd.DataFrame(), float("nan"))
    )
    share = 1 - chain.w.sum() / survey.weights[survey.domain].sum()
    labels = {
        **HEADINGS,
        satisfaction: names(survey, satisfaction),
        renewal: names(survey, renewal),
        **group_labels(survey, by, list(groups)),
    }
    capped = float(np.average(chain.x >= top, weights=chain.w))
    failed = int(np.isnan(draws[:, :, 3]).any(axis=1).sum())
    options = {"prices": prices, "by": by, "population": population, "margin": margin, "currency": currency, "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    words = {"en": "Value of a point of satisfaction", "zh": "满意度每 1 分的价值"}
    return ValueResult(
        table, Base(len(chain.w), kish_base(chain.w), excluded, float(share)),
        (*value_notes((capped, top), margin is not None, (excluded, float(share)), (failed, replicates), price.uncertain),
         *design_notes(survey), *survey.join_notes(satisfaction, renewal, *([prices] if isinstance(prices, str) else []))),
        labels, _call(survey, satisfaction, renewal, options), words, _formats(table), level=level, satisfaction=satisfaction, renewal=renewal,
        currency={"en": currency, "zh": currency} if isinstance(currency, str) else currency, with_margin=margin is not None, whole=together,
        differences=differences, revenue_shares=revenue, lead=lead,
        draws=pd.DataFrame(draws[:, :count, 3], columns=["value"] if by is None else list(groups)),
    )  # fmt: skip


def _formats(table: pd.DataFrame) -> dict[str, str]:
    """Formats of the columns; money with the decimals that its size asks for."""
    out = {**dict.fromkeys(("gain", "gain_low", "gain_high"), "pp"), "renewal": ".0%", "customers": ",.0f"}
    out |= dict.fromkeys(("estimate", "low", "high", "se"), decimals(table["se"].min(), 2))
    for column in {"price", "revenue", "total"} & set(table):
        out[column] = decimals(table[column].abs().min(), 3)
    return out | dict.fromkeys(("total_low", "total_high"), out.get("total", ",.0f"))


# ------------------------------------------------------------------------------ rows
@dataclass(frozen=True, eq=False)
class Chain:
    """Satisfaction, renewal and price of the rows used, their group (its place), and where they stand in the design.

    ``asked`` are all rows of the groups and ``groups`` theirs, whether or not anything else is known of them; ``used`` says which are used.
    """

    x: FloatArray
    y: FloatArray
    price: FloatArray
    group: np.ndarray
    rows: np.ndarray
    design: Design
    asked: np.ndarray
    groups: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Place of the rows used among all rows of the groups."""
        return np.searchsorted(self.asked, self.rows)

    @property
    def w(self) -> FloatArray:
        """Weights of the rows used."""
        return self.design.weights[self.rows]

    def member(self, groups: int) -> np.ndarray:
        """Which rows of the design are in which group, shape (rows, groups)."""
        out = np.zeros((len(self.design.weights), groups), dtype=bool)
        out[self.rows, self.group] = True
        return out


def _chain(survey: Survey, named: tuple[str, str], price: Price, groups: Mapping[Any, np.ndarray]) -> tuple[Chain, int]:
    """Complete rows, and how many of the domain left."""
    satisfaction, renewal = named
    survey.require("satisfaction", [satisfaction])
    survey.require("renewal", [renewal])
    if survey.items_of(satisfaction) == survey.items_of(renewal):
        raise SurveyError(f"renewal {renewal!r} is the satisfaction itself; name another column.")
    x, y = survey.values(satisfaction), survey.values(renewal)
    asked = survey.domain & (survey.weights > 0)
    other = np.unique(y[asked & np.isfinite(y) & ~np.isin(y, (0.0, 1.0))])
    if len(other):
        shown = ", ".join(f"{v:g}" for v in other[:5])
        raise SurveyError(
            f"renewal {renewal!r} has values other than 0 and 1 ({shown}); 1 says that the customer renewed."
        )
    code = np.full(len(x), -1)
    for k, inside in enumerate(groups.values()):
        code[inside] = k
    rows = np.flatnonzero(asked & np.isfinite(x) & np.isfinite(y) & np.isfinite(price.column) & (code >= 0))
    everybody = np.flatnonzero(asked & (code >= 0))
    chain = Chain(x[rows], y[rows], price.column[rows], code[rows], rows, resolve(survey), everybody, code[everybody])
    for k, group in enumerate(groups):
        own = chain.group == k
        where = "" if group is None else f" of segment {group!r}"
        if own.sum() < LEAST:
            raise SurveyError(
                f"satisfaction {satisfaction!r}, renewal {renewal!r} and a price are known for {int(own.sum())} respondents{where}; at least "
                f"{LEAST} are needed: widen the filter, or merge segments."
            )
        for argument, name, values in (("satisfaction", satisfaction, chain.x), ("renewal", renewal, chain.y)):
            if np.ptp(values[own]) == 0:
                raise SurveyError(
                    f"{argument} {name!r} is {values[own][0]:g} for all {int(own.sum()):,} respondents{where}; there is no link."
                )
    return chain, int(asked.sum()) - len(rows)


# ------------------------------------------------------------------------------ the link
@dataclass(frozen=True, eq=False)
class Link:
    """Log-odds of renewal of one group over its different answers.

    Attributes
    ----------
    columns : array, shape (cells, p)
        Of the different pairs of answer and renewal.
    did : array, shape (cells,)
    cells, points : sparse, shape (n, cells) and (n, m)
        Which pair and which answer a row has; no entry for rows of other groups.
    now, more : array, shape (m, p)
        Columns at every answer, and a point higher.
    price : array, shape (n,)
    start : array, shape (p,)
    """

    columns: FloatArray
    did: FloatArray
    cells: Any
    points: Any
    now: FloatArray
    more: FloatArray
    price: FloatArray
    start: FloatArray


def bends_of(x: FloatArray, w: FloatArray) -> FloatArray:
    """Answers at one and two thirds of the weight at which a line may bend; none with fewer than five answers."""
    points = np.unique(x)
    if len(points) < LEAST_POINTS:
        return np.zeros(0)
    below = np.cumsum(np.bincount(np.searchsorted(points, x), w)) / w.sum()
    found = np.unique(points[np.searchsorted(below, [1 / 3, 2 / 3])])
    return np.asarray(found[(found > points[0]) & (found < points[-1])])


def _links(chain: Chain, codes: Sequence[Any], top: float) -> list[Link]:
    out = []
    for k, code in enumerate(codes):
        own = np.flatnonzero(chain.group == k)
        x, y = chain.x[own], chain.y[own]
        knots, centre = bends_of(x, chain.w[own]), float(np.average(x, weights=chain.w[own]))
        pairs, cell = np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)
        points, place = np.unique(x, return_inverse=True)
        shape = (len(chain.x), len(pairs)), (len(chain.x), len(points))
        cells, at = (
            sparse.csr_array((np.ones(len(own)), (own, c.ravel())), shape=s)
            for c, s in zip((cell, place), shape, strict=True)
        )
        columns = _columns(pairs[:, 0], knots, centre)
        start = refits(columns, pairs[:, 1], np.asarray(cells.T @ chain.w)[None])[0]
        if np.isnan(start).any():
            where = "" if code is None else f" of segment {code!r}"
            raise SurveyError(
                f"renewal{where}: no curve over satisfaction can be fitted, as some answers go with 0 only or 1 only; merge segments, or take "
                "several waves together."
            )
        more = np.minimum(points + 1, np.maximum(points, top))
        out.append(
            Link(
                columns,
                pairs[:, 1],
                cells,
                at,
                _columns(points, knots, centre),
                _columns(more, knots, centre),
                chain.price,
                start,
            )
        )
    return out


def _columns(x: FloatArray, knots: FloatArray, centre: float) -> FloatArray:
    return np.column_stack([np.ones(len(x)), x - centre, *(np.maximum(x - k, 0) for k in knots)])


def _values(
    links: Sequence[Link], chain: Chain, everybody: FloatArray, money_of: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Renewal, gain, revenue, value, weight and price of every group, shape (b, groups, 6); the money per 100 customers.

    The weight is that of all customers of the group, so that groups with many unknown prices or renewals do not count for less.
    """
    (factor, margin), weights = money_of, everybody[:, chain.used]
    out = np.empty((len(weights), len(links), 6))
    for g, link in enumerate(links):
        cells = np.asarray((link.cells.T @ weights.T).T)
        beta = refits(link.columns, link.did, cells, link.start)
        rise = shares(link.more, beta) - shares(link.now, beta)
        heads, paid = (np.asarray((link.points.T @ v.T).T) for v in (weights, weights * link.price))
        total, money = heads.sum(axis=1), paid.sum(axis=1)
        renewed = cells @ link.did / total
        bought = np.asarray((link.cells.T @ (weights * link.price).T).T) @ link.did
        scale = _PER * factor[:, g] / total
        out[:, g] = np.column_stack([
            renewed, np.sum(heads * rise, axis=1) / total, scale * bought, scale * margin * np.sum(paid * rise, axis=1), everybody[:, chain.groups == g].sum(axis=1),
            factor[:, g] * money / total,
        ])  # fmt: skip
    return out


# ------------------------------------------------------------------------------ tables
def _table(
    chain: Chain,
    groups: Mapping[Any, np.ndarray],
    found: tuple[FloatArray, FloatArray],
    split: tuple[str | None, FloatArray | None],
    level: float,
) -> pd.DataFrame:
    whole, draws = found
    by, sizes = split
    df = chain.design.domain_df(chain.member(len(groups)))
    rows = []
    for g, code in enumerate(groups):
        own = chain.w[chain.group == g]
        row: dict[str, Any] = {} if by is None else {key_of(by): code}
        row |= _row(whole[g], draws[:, g], float(t_quantile(level, df[g])), None if sizes is None else float(sizes[g]))
        rows.append(row | {"base": len(own), "base_effective": kish_base(own)})
    table = pd.DataFrame(rows)
    return table.assign(reliability=reliability(table["base_effective"]))


def _row(value: FloatArray, draws: FloatArray, reach: float, size: float | None) -> dict[str, Any]:
    se = spread(draws)
    row = {"renewal": value[0], "gain": value[1], "gain_low": value[1] - reach * se[1], "gain_high": value[1] + reach * se[1],
           "price": value[5], "revenue": value[2], "estimate": value[3], "se": se[3], "low": value[3] - reach * se[3],
           "high": value[3] + reach * se[3]}  # fmt: skip
    if size is not None:
        row |= {
            "customers": size,
            **{f"total{e}": size / _PER * row[k] for e, k in (("", "estimate"), ("_low", "low"), ("_high", "high"))},
        }
    return row


def _whole(chain: Chain, found: tuple[FloatArray, FloatArray], sizes: FloatArray | None, level: float) -> pd.DataFrame:
    """All segments together, each with its share of customers."""

    def mixed(values: FloatArray) -> FloatArray:
        part = values[..., 4] if sizes is None else np.broadcast_to(sizes, values.shape[:-1])
        return np.asarray(np.sum(values * (part / part.sum(axis=-1, keepdims=True))[..., None], axis=-2))

    inside = np.zeros((len(chain.design.weights), 1), dtype=bool)
    inside[chain.rows] = True
    reach = float(t_quantile(level, chain.design.domain_df(inside)[0]))
    row = _row(mixed(found[0]), mixed(found[1]), reach, None if sizes is None else float(sizes.sum()))
    effective = kish_base(chain.w)
    return pd.DataFrame(
        [{**row, "base": len(chain.w), "base_effective": effective, "reliability": str(reliability(effective))}]
    )


def _differences(
    chain: Chain, groups: Mapping[Any, np.ndarray], found: tuple[FloatArray, FloatArray], by: str, level: float
) -> pd.DataFrame:
    """Value of a point per 100 customers in all pairs of segments (Holm)."""
    whole, draws = found[0][:, 3], found[1][:, :, 3]
    presence, codes = chain.design.presence(chain.member(len(groups))), list(groups)
    first, second = np.array(list(combinations(range(len(codes)), 2))).T
    df = presence.pair_df(first, second)
    gap, se = whole[first] - whole[second], spread(draws[:, first] - draws[:, second])
    half = t_quantile(level, df) * se
    return pd.DataFrame({
        key_of(by): [codes[i] for i in first], "other": [codes[j] for j in second], "estimate": gap, "se": se, "low": gap - half,
        "high": gap + half, "p_value": holm(p_values(gap, se, df)),
    })  # fmt: skip


def _call(survey: Survey, satisfaction: str, renewal: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"prices": "price_paid", "by": None, "population": None, "margin": None, "currency": "", "replicates": 1000,
                             "seed": 0, "level": 0.95}  # fmt: skip
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.value_of_a_point(survey{survey.filter}, {satisfaction!r}, {renewal!r}{said})"
