"""The register: every claim with its source, what it claims in numbers, and the test of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cxlab.claim_register._estimators import (
    AcrossUnits,
    Answered,
    Balance,
    Elasticity,
    Estimator,
    Gap,
    Memory,
    Share,
    Slope,
)
from cxlab.claim_register._premium import Premium

Words = Mapping[str, str]
MORE = (0.0, np.inf)


@dataclass(frozen=True)
class Claim:
    """One claim of the field.

    Attributes
    ----------
    name, source : str
        Id, and where the claim comes from (a model of the source material, a paper).
    words : mapping of language to str
        The claim in a line.
    says : mapping of language to str
        What the data say: a template with ``who``, ``estimate``, ``low``, ``high``.
    claimed : (low, high)
        Range that the claim names; infinite where it names one end.
    unit : str
        Key of :data:`UNITS`.
    study : mapping of language to str
        The study that would test it.
    assumes : mapping of language to str
        What the test rests on.
    test : Estimator or None
        None where no file of answers can hold a test.
    needs : tuple of str
        What is missing where there is no test.
    """

    name: str
    source: str
    words: Words
    says: Words
    claimed: tuple[float, float]
    unit: str
    study: Words
    assumes: Words = field(default_factory=dict)
    test: Estimator | None = None
    needs: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Needs of the claim."""
        return self.needs if self.test is None else self.test.needs


_CUSTOMERS = {
    "en": "Customers who differ are compared; nobody was assigned to anything.",
    "zh": "比较的是彼此不同的顾客，并非随机分组的实验。",
}
_STORES = {"en": "a survey joined with renewals on the customer's id", "zh": "按顾客编号与续约记录关联的调查"}
_COMPLAINTS = {
    "en": "a survey that asks for problems, whether they were voiced and resolved, joined with renewals",
    "zh": "询问是否遇到问题、是否反映及是否解决，并与续约记录关联的调查",
}

_ALL = (
    Claim(
        "premium", "A23",
        {"en": "Customers pay 13–18% more for good experience", "zh": "好体验可带来 13%–18% 的溢价"},
        {"en": "{who}good experience carries a premium of {estimate} ({low} to {high})",
         "zh": "{who}好体验的溢价为 {estimate}（{low} 至 {high}）"},
        (13.0, 18.0), "percent",
        {"en": "a price question with the surcharge drawn at random, or prices varied in the market",
         "zh": "随机给定加价比例的价格询问，或实际市场中的价格实验"},
        {"en": "The premium is the surcharge that half of the customers say they would pay for a better visit: acceptance follows a "
         "logistic curve, surcharges were offered at random, and customers would do what they say. Stated willingness usually exceeds "
         "what is paid.",
         "zh": "溢价指半数顾客表示愿意为更好体验支付的加价比例：假定接受率服从 logistic 曲线、加价比例随机给定、顾客言行一致。"
         "口头的支付意愿通常高于实际支付。"},
        Premium(),
    ),
    Claim(
        "cost_of_a_point", "A23",
        {"en": "One point more of satisfaction costs 10–20 times as much", "zh": "满意度每提高 1 分，成本为 10–20 倍"},
        {}, (10.0, 20.0), "ratio",
        {"en": "measures with recorded costs, introduced branch by branch, with satisfaction measured before and after",
         "zh": "逐店推行并记录费用的改进措施，推行前后均测量满意度"},
        needs=("costs",),
    ),
    Claim(
        "response_rate", "A23",
        {"en": "2–3% of those invited answer a survey", "zh": "问卷回复率为 2%–3%"},
        {"en": "{who}{estimate} of those invited took part ({low} to {high})",
         "zh": "{who}受邀者的作答率为 {estimate}（{low} 至 {high}）"},
        (0.02, 0.03), "share",
        {"en": "a file with one row per invitation, answered or not", "zh": "每次邀请占一行（无论是否作答）的数据"},
        {"en": "Everybody invited is in the file.", "zh": "假定数据包含全部受邀者。"},
        Answered(),
    ),
    Claim(
        "outlets", "A22",
        {"en": "Sales grow at least in proportion to outlets", "zh": "销售额至少与网点数同比例增长"},
        {"en": "{who}one per cent more outlets goes with {estimate} per cent more sales ({low} to {high})",
         "zh": "{who}网点数每增加 1%，销售额相应增加 {estimate}%（{low} 至 {high}）"},
        (1.0, np.inf), "ratio",
        {"en": "a file with one row per market: outlets and sales", "zh": "每行一个市场、含网点数与销售额的数据"},
        {"en": "Markets with few and many outlets are alike otherwise.", "zh": "假定网点多与网点少的市场在其他方面相同。"},
        Elasticity(),
    ),
    Claim(
        "loyalty", "A16",
        {"en": "More satisfied customers renew more often", "zh": "越满意的顾客越常续约"},
        {"en": "{who}renewal changes by {estimate} per point of satisfaction ({low} to {high})",
         "zh": "{who}满意度每高 1 分，续约率变化 {estimate}（{low} 至 {high}）"},
        MORE, "points", _STORES, _CUSTOMERS, Slope(("renewed",), "satisfaction"),
    ),
    Claim(
        "intention", "A16",
        {"en": "More satisfied customers intend to buy again", "zh": "越满意的顾客越愿意再次购买"},
        {"en": "{who}the intention to buy again changes by {estimate} per point of satisfaction ({low} to {high})",
         "zh": "{who}满意度每高 1 分，再次购买意愿变化 {estimate} 分（{low} 至 {high}）"},
        MORE, "rating",
        {"en": "a survey with satisfaction and the intention to buy again", "zh": "同时测量满意度与再次购买意愿的调查"},
        {"en": "Both are answers to one survey, given in one mood: part of the relation is a shared way of answering.",
         "zh": "两者出自同一份问卷、同一心境，部分关系源于共同的作答方式。"},
        Slope(("repurchase",), "satisfaction"),
    ),
    Claim(
        "switching_cost", "A16",
        {"en": "Customers stay where changing is hard, however satisfied", "zh": "无论是否满意，转换成本高的顾客更会留下"},
        {"en": "{who}at equal satisfaction, renewal changes by {estimate} per point of switching cost ({low} to {high})",
         "zh": "{who}满意度相同时，转换成本每高 1 分，续约率变化 {estimate}（{low} 至 {high}）"},
        MORE, "points", _STORES, _CUSTOMERS, Slope(("renewed",), "switching_cost", ("satisfaction",)),
    ),
    Claim(
        "revenue", "A15",
        {"en": "Better experience brings more revenue", "zh": "体验越好，收入越高"},
        {"en": "{who}at equal price, revenue from renewal changes by {estimate} per customer and point of satisfaction ({low} to {high})",
         "zh": "{who}价格相同时，满意度每高 1 分，每位顾客的续约收入变化 {estimate}（{low} 至 {high}）"},
        MORE, "money",
        {"en": "a survey joined with renewals and prices on the customer's id", "zh": "按顾客编号与续约及价格记录关联的调查"},
        {"en": "Revenue is the price paid of those who renewed, 0 of the others; prices are held equal. Customers who differ are "
         "compared; nobody was assigned to anything.",
         "zh": "收入指续约者支付的价格，未续约者记为 0，并控制价格。比较的是彼此不同的顾客，并非随机分组的实验。"},
        Slope(("renewed", "price_paid"), "satisfaction", ("price_paid",)),
    ),
    Claim(
        "staff", "A15",
        {"en": "Where customers are satisfied, staff are engaged", "zh": "顾客满意的单位，员工也敬业"},
        {"en": "{who}staff engagement and satisfaction correlate at {estimate} over units ({low} to {high})",
         "zh": "{who}各单位员工敬业度与顾客满意度的相关系数为 {estimate}（{low} 至 {high}）"},
        MORE, "correlation",
        {"en": "staff engagement per unit, joined with the survey", "zh": "与调查关联的各单位员工敬业度"},
        {"en": "Neither direction is shown: content customers may make content staff.",
         "zh": "无法判断方向：满意的顾客也可能带来敬业的员工。"},
        AcrossUnits("engagement", "satisfaction"),
    ),
    Claim(
        "silence", "A17",
        {"en": "Most customers with a problem stay silent", "zh": "遇到问题的顾客多数保持沉默"},
        {"en": "{who}{estimate} of customers with a problem did not voice it ({low} to {high})",
         "zh": "{who}遇到问题的顾客中有 {estimate} 没有反映（{low} 至 {high}）"},
        (0.5, np.inf), "share",
        {"en": "a survey that asks for problems and whether they were voiced", "zh": "询问是否遇到问题及是否反映的调查"},
        {"en": "The source speaks of an iceberg and gives no figure; more than half is our reading. Problems are those "
         "that customers remember.", "zh": "原文仅以冰山作比，未给出数字；“超过一半”是本工具的理解。问题以顾客记得的为准。"},
        Share("voiced", 0.0, "problem"),
    ),
    Claim(
        "silent_leave", "A17",
        {"en": "Silent customers are lost more often than those without a problem", "zh": "沉默顾客的流失多于没有遇到问题的顾客"},
        {"en": "{who}renewal of silent customers differs by {estimate} from that of customers without a problem ({low} to {high})",
         "zh": "{who}沉默顾客与未遇到问题顾客的续约率相差 {estimate}（{low} 至 {high}）"},
        (-np.inf, 0.0), "points", _COMPLAINTS, _CUSTOMERS, Gap("renewed", {"problem": 1, "voiced": 0}, {"problem": 0}),
    ),
    Claim(
        "first_time_right", "A17",
        {"en": "Resolving a complaint at first contact keeps customers", "zh": "首次反映即解决能留住顾客"},
        {"en": "{who}renewal after a complaint resolved at first contact differs by {estimate} from that after one that was not "
         "({low} to {high})",
         "zh": "{who}首次反映即解决与未解决的投诉相比，续约率相差 {estimate}（{low} 至 {high}）"},
        MORE, "points", _COMPLAINTS, _CUSTOMERS, Gap("renewed", {"voiced": 1, "resolved": 1}, {"voiced": 1, "resolved": 0}),
    ),
    Claim(
        "recovered", "A17",
        {"en": "Recovered customers are as loyal as those without a problem", "zh": "投诉获解决者与无问题者同样忠诚"},
        {"en": "{who}renewal after a resolved complaint differs by {estimate} from that without a problem ({low} to {high})",
         "zh": "{who}投诉获解决的顾客与未遇到问题的顾客续约率相差 {estimate}（{low} 至 {high}）"},
        (-0.05, 0.05), "points", _COMPLAINTS,
        {"en": "As loyal means within five percentage points of renewal, our margin; another one is set with "
         "ranges={{'recovered': (−0.03, 0.03)}}.",
         "zh": "“同样忠诚”指续约率相差不超过 5 个百分点，为本工具设定的界限，可用 ranges={{'recovered': (−0.03, 0.03)}} 更改。"},
        Gap("renewed", {"voiced": 1, "resolved": 1}, {"problem": 0}),
    ),
    Claim(
        "paradox", "A17",
        {"en": "Recovered customers are more loyal than those without a problem (recovery paradox)",
         "zh": "投诉获解决者比无问题者更忠诚（服务补救悖论）"},
        {"en": "{who}renewal after a resolved complaint differs by {estimate} from that without a problem ({low} to {high})",
         "zh": "{who}投诉获解决的顾客与未遇到问题的顾客续约率相差 {estimate}（{low} 至 {high}）"},
        MORE, "points", _COMPLAINTS, _CUSTOMERS, Gap("renewed", {"voiced": 1, "resolved": 1}, {"problem": 0}),
    ),
    Claim(
        "difference", "A7",
        {"en": "Satisfaction is experience minus expectation: both weigh alike", "zh": "满意度＝体验值−期望值：两者权重相同"},
        {"en": "{who}a point of expectation takes away {estimate} times what a point of experience gives ({low} to {high})",
         "zh": "{who}期望每高 1 分带来的减损是体验每高 1 分带来的增益的 {estimate} 倍（{low} 至 {high}）"},
        (0.8, 1.25), "ratio",
        {"en": "a survey that asks for expectation, experience and emotion at touchpoints", "zh": "在触点同时询问期望、体验与情绪的调查"},
        {"en": "Alike means a ratio from 0.8 to 1.25, our margin. Slopes are pooled over touchpoints; errors of rating pull both "
         "towards zero, the one rated less exactly more.",
         "zh": "“相同”指比值在 0.8 至 1.25 之间，为本工具设定的界限。斜率为各触点合并估计；评分误差会使两个斜率趋向零，误差越大影响越大。"},
        Balance(),
    ),
    Claim(
        "average_forgotten", "A6",
        {"en": "Beside peak and end, the average of a visit hardly counts in memory", "zh": "峰值与终点之外，平均体验对回忆几乎没有影响"},
        {"en": "{who}beside peak and end, the remembered visit changes by {estimate} per point of the average ({low} to {high})",
         "zh": "{who}在峰值与终点之外，平均体验每高 1 分，整体回忆评价变化 {estimate} 分（{low} 至 {high}）"},
        (-0.1, 0.1), "rating",
        {"en": "a survey that knows the order of the touchpoints and asks how the visit is remembered",
         "zh": "记录触点先后顺序并询问整体回忆评价的调查"},
        {"en": "Hardly means at most 0.1 points per point, our margin; peak is the best touchpoint met, end the last.",
         "zh": "“几乎没有”指每 1 分的影响不超过 0.1 分，为本工具设定的界限；峰值取评分最高的触点，终点取最后经历的触点。"},
        Memory("mean"),
    ),
    Claim(
        "length_forgotten", "A6",
        {"en": "The length of a visit hardly counts in memory", "zh": "到访时长对回忆几乎没有影响"},
        {"en": "{who}the remembered visit changes by {estimate} per ten minutes ({low} to {high})",
         "zh": "{who}到访时间每多 10 分钟，整体回忆评价变化 {estimate} 分（{low} 至 {high}）"},
        (-0.1, 0.1), "rating",
        {"en": "a survey that knows the order of the touchpoints and the length of the visit",
         "zh": "记录触点先后顺序与到访时长的调查"},
        {"en": "Hardly means at most 0.1 points per ten minutes, our margin, at equal peak, end and average.",
         "zh": "“几乎没有”指每 10 分钟的影响不超过 0.1 分（在峰值、终点与平均相同的条件下），为本工具设定的界限。"},
        Memory("length", 10.0),
    ),
    Claim(
        "people", "A21",
        {"en": "Human contact drives experience more than anything else", "zh": "人际接触对体验的影响最大"},
        {}, (np.nan, np.nan), "share",
        {"en": "touchpoints tagged by element, and their importance with cx.driver_blocks", "zh": "为触点标注接触要素，再以 cx.driver_blocks 计算其重要性"},
        needs=("elements",),
    ),
)  # fmt: skip

REGISTER: Mapping[str, Claim] = {claim.name: claim for claim in _ALL}
