"""Wording of the service–profit chain, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlab.loyalty._chain_panel import Panel
from cxlab.words import LANGUAGES, Note, number

Words = Mapping[str, str]

BETWEEN: Mapping[str, Words] = {
    "more": {
        "en": "Across {units} units ({unit:in}) more “{cause}” goes with more “{effect}”: r = {r:.2f} ({low:.2f} to {high:.2f}; {p:p} "
        "after Holm), Spearman {rho:.2f}.",
        "zh": "在 {units} 个单位（{unit}）之间，“{cause}”越高，“{effect}”越高：r = {r:.2f}（{low:.2f} 至 {high:.2f}；经 Holm 校正 {p:p}），"
        "Spearman 相关 {rho:.2f}。",
    },
    "less": {
        "en": "Across {units} units ({unit:in}) more “{cause}” goes with less “{effect}”: r = {r:.2f} ({low:.2f} to {high:.2f}; {p:p} "
        "after Holm), Spearman {rho:.2f}.",
        "zh": "在 {units} 个单位（{unit}）之间，“{cause}”越高，“{effect}”越低：r = {r:.2f}（{low:.2f} 至 {high:.2f}；经 Holm 校正 {p:p}），"
        "Spearman 相关 {rho:.2f}。",
    },
    "none": {
        "en": "Across {units} units ({unit:in}) no relation of “{cause}” with “{effect}” can be told: r = {r:.2f} ({low:.2f} to {high:.2f}; "
        "{p:p} after Holm), Spearman {rho:.2f}; with so few units a correlation of {findable:.2f} would have been found four times in five.",
        "zh": "在 {units} 个单位（{unit}）之间看不出“{cause}”与“{effect}”的关系：r = {r:.2f}（{low:.2f} 至 {high:.2f}；经 Holm 校正 {p:p}），"
        "Spearman 相关 {rho:.2f}；单位数如此之少，相关系数达到 {findable:.2f} 才有八成把握能够发现。",
    },
}
NOISE: Words = {
    "en": "Across {units} units ({unit:in}) “{cause}” and “{effect}” cannot be related: the differences between the means are mostly sampling "
    "error, which both share (r = {r:.2f}).",
    "zh": "在 {units} 个单位（{unit}）之间无法判断“{cause}”与“{effect}”的关系：各单位均值的差异大多是两者共有的抽样误差（r = {r:.2f}）。",
}
ALONE: Words = {
    "en": " Of itself the link would be told ({raw:p}), among all links it is not.",
    "zh": "单看这一环节则显著（{raw:p}），与其他环节一并检验后不显著。",
}
SHARED: Words = {
    "en": " r holds sampling error that both means share, the p-value does not; r without it: {corrected:.2f}.",
    "zh": "r 含有两者均值共有的抽样误差，p 值已将其扣除；扣除后 r 为 {corrected:.2f}。",
}
WITHIN: Mapping[str, Words] = {
    "doubtful": {
        "en": "Within units, waves and other lags held equal, a point more of “{cause}” seems to go with {b} ({low} to {high}) of “{effect}” {when} ({p:p} "
        "after Holm over {tests} tests), but the wild bootstrap does not confirm it ({wild:p}).",
        "zh": "在单位内部控制期次与其他滞后期后，“{cause}”每提高 1，{when}“{effect}”似乎变化 {b}（{low} 至 {high}；{tests} 次检验经 Holm 校正 "
        "{p:p}），但 wild 自助法未予证实（{wild:p}）。",
    },
    "few": {
        "en": "Within units, waves and other lags held equal, whether “{effect}” follows “{cause}” at any of {lags} lags cannot be told: too few units move for a "
        "test (fewer than 4 degrees of freedom): {b} ({low} to {high}) per point {when}.",
        "zh": "在单位内部控制期次与其他滞后期后，所试的 {lags} 个滞后期均无法判断“{effect}”是否随“{cause}”变化：有变动的单位太少，不足以检验"
        "（自由度不足 4）：“{cause}”每提高 1，{when}变化 {b}（{low} 至 {high}）。",
    },
    "found": {
        "en": "Within units, waves and other lags held equal, a point more of “{cause}” goes with {b} ({low} to {high}) of “{effect}” {when} ({p:p} after "
        "Holm over {tests} tests; wild bootstrap {wild:p}).",
        "zh": "在单位内部控制期次与其他滞后期后，“{cause}”每提高 1，{when}“{effect}”相应变化 {b}（{low} 至 {high}；{tests} 次检验经 Holm 校正 "
        "{p:p}；wild 自助法 {wild:p}）。",
    },
    "none": {
        "en": "Within units, waves and other lags held equal, “{effect}” is not seen to follow “{cause}” at any of {lags} lags: {b} ({low} to {high}) per point "
        "{when}; smallest p over all lags, after Holm: {p:p}.",
        "zh": "在单位内部控制期次与其他滞后期后，所试的 {lags} 个滞后期均看不出“{effect}”随“{cause}”变化：“{cause}”每提高 1，{when}变化 {b}"
        "（{low} 至 {high}）；各滞后期经 Holm 校正后最小的 p 值：{p:p}。",
    },
}
RESPONDENTS: Mapping[str, Words] = {
    "corrected": {
        "en": "Among respondents of the same unit and wave a point more of “{cause}” goes with {b} ({low} to {high}) of “{effect}”; between "
        "the means of units with {unit_b} ({unit_low} to {unit_high}), {corrected} when allowing for sampling error in the means.",
        "zh": "在同一单位、同一期的受访者之间，“{cause}”每提高 1，“{effect}”相应变化 {b}（{low} 至 {high}）；在单位均值之间则为 {unit_b}"
        "（{unit_low} 至 {unit_high}），校正均值的抽样误差后为 {corrected}。",
    },
    "plain": {
        "en": "Among respondents of the same unit and wave a point more of “{cause}” goes with {b} ({low} to {high}) of “{effect}”; between "
        "the means of units with {unit_b} ({unit_low} to {unit_high}), which are too unreliable to be corrected.",
        "zh": "在同一单位、同一期的受访者之间，“{cause}”每提高 1，“{effect}”相应变化 {b}（{low} 至 {high}）；在单位均值之间则为 {unit_b}"
        "（{unit_low} 至 {unit_high}），因均值信度过低，不作误差校正。",
    },
}
HEADLINE: Mapping[str, Words] = {
    "one": {
        "en": "1 of {links} links can be told between {units} units: “{cause}” {arrow} “{effect}”",
        "zh": "{units} 个单位之间，{links} 个环节中有 1 个显著：“{cause}”{arrow}“{effect}”",
    },
    "some": {
        "en": "{told} of {links} links of the service–profit chain can be told between {units} units",
        "zh": "{units} 个单位之间，服务利润链的 {links} 个环节中有 {told} 个显著",
    },
    "none": {
        "en": "No link of the service–profit chain can be told between {units} units",
        "zh": "{units} 个单位之间，服务利润链没有一个环节显著",
    },
    "single": {
        "en": "Between {units} units, “{effect}” goes with “{cause}” ({way})",
        "zh": "{units} 个单位之间，“{effect}”与“{cause}”相关（{way}）",
    },
}
WAYS: Mapping[bool, Words] = {
    True: {"en": "more with more", "zh": "同升同降"}, False: {"en": "less with more", "zh": "此升彼降"},
}  # fmt: skip
SHARE: Words = {
    "en": "Units make up {share:.1%} of the variance of “{effect}” between respondents: what holds between units does not say how "
    "single customers feel.",
    "zh": "单位之间的差异占受访者“{effect}”方差的 {share:.1%}：单位层面的关系不能推及个别顾客。",
}
NOTES: Mapping[str, Words] = {
    "units": {
        "en": "The relations rest on {units} units ({unit:in}). They hold between units or within them over time; to read them as relations "
        "between persons would be the ecological fallacy.",
        "zh": "以上关系仅基于 {units} 个单位（{unit}），只说明单位之间或单位内部随时间的关系；若推论到个人，即犯生态谬误。",
    },
    "equal": {
        "en": "Every unit counts once between units, every unit and wave once within; the means of respondents are weighted by the design.",
        "zh": "单位之间每个单位等权，单位内部每个单位各期等权；受访者均值按抽样设计加权。",
    },
    "within": {
        "en": "Within: unit and wave fixed effects, all lags of a link in one regression, each given the others; p-values after Holm over {tests} "
        "links and lags.",
        "zh": "单位内部：控制单位与期次固定效应，同一环节的各滞后期放入同一回归，互为控制；p 值经 Holm 法校正，共 {tests} 个环节与滞后期。",
    },
    "reliability": {
        "en": "Means of respondents carry sampling error, which pulls slopes on them towards 0. Reliability between units: {between}; "
        "within units over time: {within}.",
        "zh": "受访者均值带有抽样误差，会使以其为自变量的斜率偏向 0。单位之间的信度：{between}；单位内部随时间的信度：{within}。",
    },
    "shared": {
        "en": "Where cause and effect are answered by the same respondents their means share sampling error; the slope that it alone would "
        "give (column shared noise) is subtracted.",
        "zh": "原因与结果由同一批受访者回答时，两者均值的抽样误差相关；仅由此产生的斜率（“共同误差”一列）已从估计值中扣除。",
    },
    "few": {
        "en": "{few} of {rows} slopes have fewer than {least:g} Satterthwaite degrees of freedom: their intervals and p-values are not to be relied on.",
        "zh": "{rows} 个斜率中有 {few} 个的 Satterthwaite 自由度不足 {least:g}：其区间与 p 值不可信。",
    },
    "wild": {
        "en": "Wild cluster bootstrap: {draws:,} draws at most; weights of units: {weights}.",
        "zh": "wild 聚类自助法：至多 {draws:,} 次抽取；单位权重为{weights}。",
    },
    "open": {
        "en": "{opened} wild bootstrap intervals are open on a side: no value there is rejected.",
        "zh": "{opened} 个wild 自助法区间有一侧不封闭：该侧没有任何取值被拒绝。",
    },
    "lost": {
        "en": "{lost:,} respondents without unit or wave are left out.",
        "zh": "{lost:,} 名受访者因缺少单位或期次未纳入。",
    },
    "strangers": {
        "en": "{units} units of the table have no respondent and are left out.",
        "zh": "表中有 {units} 个单位没有受访者，未纳入。",
    },
    "elsewhere": {
        "en": "{rows:,} rows of the table lie after the last wave, or at no wave, and are left out.",
        "zh": "表中有 {rows:,} 行晚于最后一期或不属于任何一期，未纳入。",
    },
    "thin": {
        "en": "{cells:,} of {all:,} means of a unit in a wave rest on fewer than {least} respondents and are left out of the relations within units.",
        "zh": "{all:,} 个单位各期均值中有 {cells:,} 个的样本不足 {least} 人，未纳入单位内部的分析。",
    },
    "still": {
        "en": "{links} links have no relation within units: the cause does not move over time, or too few waves remain.",
        "zh": "有 {links} 个环节无法在单位内部分析：原因指标不随时间变化，或剩余期数太少。",
    },
    "apart": {
        "en": "{links} links have no relation between units: the means of units do not differ, or fewer than five are known.",
        "zh": "有 {links} 个环节无法在单位之间分析：各单位均值没有差异，或已知均值的单位不足五个。",
    },
    "short": {
        "en": "Lags of up to {lag} waves are looked at; longer ones leave fewer than {least} waves.",
        "zh": "滞后期最多考察 {lag} 期；更长的滞后期剩余不足 {least} 期。",
    },
    "counted": {
        "en": "The waves are not labelled as periods; a lag counts waves, whatever lies between them.",
        "zh": "期次标签不是日期；滞后期按期数计算，不计两期之间的间隔。",
    },
    "cause": {
        "en": "The links order measures as the chain supposes; they do not show what raising one would do.",
        "zh": "各环节按服务利润链假设的先后排列，并不说明提高某一指标会带来多大变化。",
    },
}
METHODS: Words = {
    "en": "Survey measures were averaged by unit and wave with design weights. Unit means were related by regression and correlation "
    "({level} interval by Fisher's z); panel regressions had unit and wave fixed effects. Standard errors are clustered by unit, CR2 "
    "with Satterthwaite degrees of freedom (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018), beside a wild cluster bootstrap with "
    "the null imposed and intervals by inversion (Cameron, Gelbach & Miller 2008; Webb 2023).",
    "zh": "调查指标按单位与期次以设计权重求均值。单位均值之间作回归与相关分析（{level} 区间采用 Fisher z 变换）；面板回归控制单位与期次固定"
    "效应。标准误按单位聚类，采用 CR2 估计与 Satterthwaite 自由度（Bell & McCaffrey 2002；Pustejovsky & Tipton 2018），并辅以施加原"
    "假设的 wild 聚类自助法，区间由检验反演得到（Cameron, Gelbach & Miller 2008；Webb 2023）。",
}
WHEN: Mapping[str, Words] = {
    "same": {"en": "in the same wave", "zh": "同期"},
    "one": {"en": "one wave later", "zh": "下一期"},
    "later": {"en": "{lag} waves later", "zh": "{lag} 期后"},
}
WEIGHTS: Mapping[str, Words] = {
    "rademacher": {"en": "two-point (Rademacher)", "zh": "两点分布（Rademacher）"},
    "webb": {"en": "six-point (Webb)", "zh": "六点分布（Webb）"},
}
HEADINGS: Mapping[Any, Words] = {
    "cause": {"en": "Cause", "zh": "原因"}, "effect": {"en": "Effect", "zh": "结果"}, "kind": {"en": "Relation", "zh": "层次"},
    "lag": {"en": "Lag", "zh": "滞后期"}, "df": {"en": "df", "zh": "自由度"}, "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
    "p_raw": {"en": "p (raw)", "zh": "p 值（未校正）"}, "wild_low": {"en": "Wild low", "zh": "自助法下限"},
    "wild_high": {"en": "Wild high", "zh": "自助法上限"}, "wild_p": {"en": "Wild p (Holm)", "zh": "自助法 p 值（Holm）"},
    "shared_noise": {"en": "Shared noise", "zh": "共同误差"}, "few": {"en": "df < 4", "zh": "自由度 < 4"},
    "units": {"en": "Units", "zh": "单位数"}, "cells": {"en": "Cells", "zh": "单元格数"},
    ("kind", "between"): {"en": "between units", "zh": "单位之间"}, ("kind", "within"): {"en": "within units", "zh": "单位内部"},
    ("kind", "respondents"): {"en": "between respondents", "zh": "受访者之间"},
    "r": {"en": "r", "zh": "r"}, "reliable": {"en": "Reliable", "zh": "信度足够"}, "r_corrected": {"en": "r, corrected", "zh": "r（校正后）"},
    "slope_corrected": {"en": "Slope, corrected", "zh": "斜率（校正后）"}, "spearman": {"en": "Spearman", "zh": "Spearman 相关"},
    "spearman_p": {"en": "Spearman p", "zh": "Spearman p 值"}, "findable": {"en": "Findable r", "zh": "可检出的 r"},
    "mean": {"en": "Mean", "zh": "均值"}, "sd_between": {"en": "SD between units", "zh": "单位间标准差"},
    "reliability_between": {"en": "Reliability between", "zh": "单位间信度"}, "sd_within": {"en": "SD within units", "zh": "单位内标准差"},
    "reliability_within": {"en": "Reliability within", "zh": "单位内信度"}, "between_share": {"en": "Share between units", "zh": "单位间方差占比"},
    "unit": {"en": "Unit", "zh": "单位"},
}  # fmt: skip
TITLES: Mapping[str, Words] = {
    "chain": {"en": "The service–profit chain", "zh": "服务利润链"},
    "between": {"en": "Correlations of unit means", "zh": "单位均值的相关"},
    "measures": {"en": "Measures", "zh": "指标"},
    "means": {"en": "Means of units", "zh": "各单位均值"},
}


def when(lag: int, lang: str) -> str:
    """How much later, in words."""
    kind = "same" if lag == 0 else "one" if lag == 1 else "later"
    return WHEN[kind][lang].format(lag=lag)


def chain_notes(
    panel: Panel, table: pd.DataFrame, measures: pd.DataFrame, unit: Words, asked: Mapping[str, Any]
) -> tuple[Note, ...]:
    """Assumptions, losses and judgements; ``asked`` has lags, least_base, draws, weights, wanted, counted, links."""
    lost, strangers, elsewhere, thin, all_cells = panel.dropped
    kinds = table["kind"].value_counts()
    inside = table[table["kind"] == "within"]
    linked = {kind: len(part[["cause", "effect"]].drop_duplicates()) for kind, part in table.groupby("kind")}
    unclear = {kind: asked["links"] - linked.get(kind, 0) for kind in ("between", "within")}
    few = int(table["few"].sum())
    opened = int(
        (~np.isfinite(table[["wild_low", "wild_high"]]) & table[["wild_low", "wild_high"]].notna()).any(axis=1).sum()
    )
    surveyed = any(s.surveyed for s in panel.sources)
    rows: list[tuple[bool, str, dict[str, Any]]] = [
        (True, "units", {"units": len(panel.units), "unit": unit}), (few > 0, "few", {"few": few, "rows": len(table), "least": 4}),
        (True, "equal", {}), (len(inside) > 0, "within", {"tests": int(kinds.get("within", 0))}),
        (surveyed, "reliability", dict(_reliabilities(panel, measures))), (bool((table["shared_noise"] != 0).any()), "shared", {}),
        (True, "wild", {"draws": asked["draws"], "weights": WEIGHTS[asked["weights"]]}), (opened > 0, "open", {"opened": opened}),
        (unclear["between"] > 0, "apart", {"links": unclear["between"]}), (unclear["within"] > 0, "still", {"links": unclear["within"]}),
        (asked["short"] is not None, "short", {"lag": asked["short"], "least": 3}), (asked["counted"], "counted", {}),
        (lost > 0, "lost", {"lost": lost}), (strangers > 0, "strangers", {"units": strangers}),
        (elsewhere > 0, "elsewhere", {"rows": elsewhere}), (thin > 0, "thin", {"cells": thin, "all": all_cells, "least": asked["least_base"]}),
        (True, "cause", {}),
    ]  # fmt: skip
    return tuple(Note(NOTES[name], **facts) for said, name, facts in rows if said)


def _reliabilities(panel: Panel, measures: pd.DataFrame) -> Iterator[tuple[str, Words]]:
    """Both reliabilities of every survey measure, as a list in words."""
    for name in ("between", "within"):
        parts: dict[str, list[str]] = {lang: [] for lang in LANGUAGES}
        for source, value in zip(panel.sources, measures[f"reliability_{name}"], strict=True):
            if source.surveyed:
                for lang in LANGUAGES:
                    parts[lang].append(f"{source.labels[lang]} {number(value, '.2f')}")
        yield name, {"en": ", ".join(parts["en"]), "zh": "、".join(parts["zh"])}
