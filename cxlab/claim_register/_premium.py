"""What good experience is worth to customers: the surcharge that half of them would pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.claim_register._case import LEAST, Case
from cxlab.claim_register._finding import Finding, Unfit, by_fieller
from cxlab.design import t_quantile, weighted_means
from cxlab.intervals import korn_graubard
from cxlab.regression import logit
from cxlab.result import reliability
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Premium:
    """Median surcharge accepted: the offer at which a logit of acceptance crosses one half."""

    offer: str = "price_offer"
    choice: str = "price_choice"

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return (self.offer, self.choice)

    def __call__(self, case: Case) -> Finding:
        """Median, Fieller interval, and a check that assumes no curve."""
        offer, choice = case.values(self.offer), case.values(self.choice)
        rows = np.isfinite(offer) & np.isfinite(choice) & (case.survey.weights > 0)
        _check(offer[rows], choice[rows])
        survey = case.survey.with_columns(_offer=offer, _choice=choice)
        fit = logit(survey, "_choice", ["_offer"], level=case.level)
        intercept, slope = fit.table["estimate"].to_numpy(dtype=float)
        if slope >= 0:
            raise Unfit(Note(_RISING))
        turned = np.diag([1.0, -1.0])  # median = −intercept / slope = intercept / (−slope)
        used = fit.table.iloc[1]
        base = (int(used["base"]), float(used["base_effective"]))
        found = by_fieller(intercept, -slope, turned @ fit.covariance.to_numpy() @ turned, fit.df, case.level, base)
        offers = np.unique(offer[rows])
        acceptance, check = _distribution_free(case, offer, np.where(rows, choice, np.nan), offers, found)
        remarks = [] if offers[0] <= found.estimate <= offers[-1] else [Note(_OUTSIDE, low=offers[0], high=offers[-1])]
        if not np.isfinite(found.low):
            remarks.append(Note(_UNBOUNDED))
        bounds = check["median_least"].iloc[0], check["median_most"].iloc[0]
        if found.high < bounds[0] or found.low > bounds[1]:
            remarks.append(Note(_DISAGREES, least=bounds[0], most=bounds[1]))
        details = {"acceptance": acceptance, "check": check}
        return replace(found, remarks=tuple(remarks), details=details)


def _check(offer: FloatArray, choice: FloatArray) -> None:
    if len(offer) < LEAST:
        raise Unfit(Note(_FEW, base=len(offer), least=LEAST))
    offers = np.unique(offer)
    if len(offers) < 2:
        raise Unfit(Note(_ONE_OFFER))
    if offers[0] < 0 or offers[-1] <= 1:
        raise Unfit(Note(_SHARES, low=offers[0], high=offers[-1]))
    if np.ptp(choice) == 0:
        raise Unfit(Note(_ALL_ALIKE))
    yes, no = offer[choice == 1], offer[choice == 0]
    if yes.max() <= no.min() or no.max() <= yes.min():
        raise Unfit(Note(_SEPARATED))


def _distribution_free(
    case: Case, offer: FloatArray, choice: FloatArray, offers: FloatArray, found: Finding
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Acceptance by offer, and what it says of the median and the mean without a curve."""
    inside = offer[:, None] == offers
    shares = weighted_means(case.design, np.repeat(choice[:, None], len(offers), axis=1), inside)
    weight = case.survey.weights @ (inside & np.isfinite(choice)[:, None])
    falling, block = _falling(shares.estimate, weight)
    # of all who answered: an offer that few met would bring its own few degrees of freedom
    t = float(t_quantile(case.level, case.design.domain_df(np.isfinite(choice)[:, None])[0]))
    variance = np.diagonal(shares.covariance)
    lower, upper = korn_graubard(shares.estimate, variance, shares.base, shares.base_kish, shares.df, case.level)
    acceptance = pd.DataFrame({
        "offer": offers, "estimate": shares.estimate, "se": shares.se, "low": lower,
        "high": upper, "monotone": falling, "base": shares.base,
        "base_effective": shares.base_effective, "reliability": reliability(shares.base_effective),
    })  # fmt: skip
    steps = np.diff(offers, prepend=0.0)
    # a pooled block's share is the weighted mean of its shares: each counts by its weight in the block
    pooled = np.array(
        [weight[j] / weight[block == block[j]].sum() * steps[block == block[j]].sum() for j in range(len(offers))]
    )
    least, most = float(steps @ falling), float(steps @ np.r_[1.0, falling[:-1]])
    se = float(np.sqrt(max(pooled @ shares.covariance @ pooled, 0.0)))
    check = pd.DataFrame([{
        "estimate": found.estimate, "median_least": float(offers[acceptance["low"] > 0.5].max(initial=0.0)),
        "median_most": float(offers[acceptance["high"] < 0.5].min(initial=np.inf)), "mean_least": least, "mean_least_low": least - t * se, "mean_least_high": least + t * se,
        "mean_most": most, "base": int(shares.base.sum()), "base_effective": found.base_effective,
        "reliability": str(reliability(found.base_effective)),
    }])  # fmt: skip
    return acceptance, check


def _falling(share: FloatArray, weight: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Shares pooled until none rises with the offer, and the block of each offer."""
    blocks = [[k] for k in range(len(share))]
    means = list(share)
    k = 0
    while k < len(blocks) - 1:
        if means[k] < means[k + 1]:
            blocks[k] += blocks.pop(k + 1)
            means[k] = float(np.average(share[blocks[k]], weights=weight[blocks[k]]))
            means.pop(k + 1)
            k = max(k - 1, 0)
        else:
            k += 1
    sizes = [len(b) for b in blocks]
    return np.repeat(means, sizes), np.repeat(np.arange(len(blocks)), sizes)


_FEW = {
    "en": "only {base:,} respondents answered the price question; at least {least} are required",
    "zh": "仅 {base:,} 名受访者回答了价格问题，至少需要 {least} 名",
}
_ONE_OFFER = {"en": "everybody was offered the same surcharge", "zh": "所有受访者面对的加价比例相同"}
_SHARES = {
    "en": "the surcharge runs from {low:g} to {high:g}; per cent are needed, 3 for 3%",
    "zh": "加价比例取值为 {low:g} 至 {high:g}，应以百分数表示（3% 记为 3）",
}
_ALL_ALIKE = {"en": "all accept, or all refuse, the surcharge", "zh": "所有受访者都接受或都拒绝加价"}
_SEPARATED = {
    "en": "one surcharge parts all who accept from all who refuse; the curve between them cannot be told",
    "zh": "某一加价比例把接受者与拒绝者完全分开，无法估计其间的曲线",
}
_RISING = {"en": "acceptance does not fall as the surcharge rises", "zh": "接受率并未随加价升高而下降"}
_OUTSIDE = {
    "en": "The premium lies outside the surcharges offered ({low:g}% to {high:g}%): it rests on the shape of the curve.",
    "zh": "溢价估计值落在询问范围（{low:g}% 至 {high:g}%）之外，依赖于曲线形状的假定。",
}
_UNBOUNDED = {
    "en": "Acceptance does not clearly fall with the surcharge: the interval of the premium has no ends.",
    "zh": "接受率随加价下降的趋势不明显，溢价的区间没有边界。",
}
_DISAGREES = {
    "en": "The premium lies outside what acceptance offer by offer allows for the median ({least:g}% to {most:g}%): the logistic curve "
    "does not fit, do not rely on it.",
    "zh": "溢价落在逐档接受率所容许的中位数范围（{least:g}% 至 {most:g}%）之外：logistic 曲线拟合不佳，结果不宜采信。",
}
