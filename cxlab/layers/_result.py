"""What a path model says: its tables, its picture, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlab.design import t_quantile
from cxlab.errors import SurveyError
from cxlab.layers import _words as words
from cxlab.layers._admissible import inadmissible
from cxlab.layers._admissible import said as said_problems
from cxlab.layers._model import PathModel
from cxlab.result import Labels, Result
from cxlab.words import Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._ipma_cells import Ground
    from cxlab.layers._ipma_result import IpmaResult
    from cxlab.layers._kernel import Estimates, Kernel
    from cxlab.layers._measure_result import MeasurementResult
    from cxlab.layers._predict_result import PredictionResult
    from cxlab.layers._scenario import PathScenario
    from cxlab.layers._what_if_result import PathWhatIfResult

_TITLES = {
    "effects": {"en": "Direct, indirect and total effects", "zh": "直接效应、间接效应与总效应"},
    "constructs": {"en": "Constructs", "zh": "构念"},
    "weights": {"en": "Weights and loadings of the indicators", "zh": "指标的权重与载荷"},
}


@dataclass(frozen=True, eq=False)
class PathModelResult(Result):
    """Paths between constructs, their effects along every route, and what is explained.

    Attributes
    ----------
    effects : DataFrame
        ``source, target, kind`` (direct, indirect, total indirect, total), ``route, estimate, se, low, high, p_value, impact,
        impact_low, impact_high``.
    constructs : DataFrame
        ``construct, index`` (mean 0–100), ``r_squared, r_squared_adjusted`` with intervals.
    weights : DataFrame
        ``construct, item, mode, weight, loading`` with intervals.
    model : PathModel
    kernel : Kernel
        What the model was estimated from; further analyses go on from it.
    draws : Estimates or None
        Under replicate weights, those without a solution left out.
    replicates, failed : int
        Replicates asked for, and those without a solution.
    flips : mapping of construct to int
        Replicates in which its sign was turned.
    seed : int
    interval : {"percentile", "t", "bca"}
    problems : DataFrame
        ``problem, subject, value, limit``; empty for a sound model.
    """

    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    constructs: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: PathModel = field(default_factory=lambda: PathModel((), ()))
    kernel: Kernel | None = field(default=None, repr=False)
    draws: Estimates | None = field(default=None, repr=False)
    replicates: int = 0
    failed: int = 0
    flips: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    interval: str = "percentile"
    problems: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["problem", "subject", "value", "limit"])
    )

    @property
    def admissible(self) -> bool:
        """Whether no estimate is one that the model excludes."""
        return not inadmissible(self.problems)

    def further(self) -> Mapping[str, Result]:
        """Effects, constructs, indicators."""
        parts = {"effects": self.effects, "constructs": self.constructs, "weights": self.weights}
        return {
            name: Result(table, self.base, (), self.labels, self.call, _TITLES[name], self.formats, self.level)
            for name, table in parts.items()
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the constructs and their paths, with coefficients and intervals."""
        from cxlab.layers._draw_paths import draw

        return draw(self, ax, language(lang))

    def measurement(self) -> MeasurementResult:
        """How reliably are the constructs measured, and are they distinct?

        Returns
        -------
        MeasurementResult
            One row per construct: ``construct, mode, indicators, alpha`` (of standardised answers), ``alpha_raw`` (of answers on 0–100),
            ``rho_a, rho_c, ave``, each with ``_low`` and ``_high``; ``base, base_effective, reliability``. ``.loadings``,
            ``.discriminant`` (HTMT, HTMT2, Fornell–Larcker), ``.cross_loadings``, ``.fornell_larcker``, ``.vif``.

        Raises
        ------
        SurveyError
            If the result was not made by :func:`path_model`.

        Notes
        -----
        Intervals come from the replicates of the path model: percentiles, or t with few PSUs. Of a construct of higher order the
        indicators are the scores of its parts, which are judged as well. Products of constructs are not measured.

        References
        ----------
        Dijkstra & Henseler (2015), MIS Quarterly 39(2), 297–316 (rho_A). Henseler, Ringle & Sarstedt (2015), Journal of the
        Academy of Marketing Science 43, 115–135; Roemer, Schuberth & Henseler (2021), Industrial Management & Data Systems 121(12),
        2637–2650 (HTMT, HTMT2). Franke & Sarstedt (2019), Internet Research 29(3), 430–447 (one-sided limits). R: ``seminr``.
        """
        from cxlab.layers._measure import measure

        if self.kernel is None:
            raise SurveyError("measurement goes on from a result of cx.path_model; this one holds no estimated model.")
        return measure(self, self.kernel)

    @property
    def outcomes(self) -> list[str]:
        """Constructs that lead to nothing."""
        sources = set(self.table["source"])
        return [c for c in self.constructs["construct"] if c not in sources]

    def sentences(self, lang: str | None = None) -> Sentences:
        """What acts most on the last constructs, which way the first ones act, how much is explained, and which paths are not shown."""
        lang = language(lang)
        if (self.table["reliability"] == "suppressed").all():
            facts = {"effective": self.base.effective, "target": self.label(self.outcomes[0], lang)}
            return Sentences([sentence(words.NOTHING, lang, **facts)])
        said = [s for target in self.outcomes for s in self._about(target, lang)]
        return Sentences([*self._impossible(lang), *said, *self._moderated(lang), *self._unclear(lang)])

    def _impossible(self, lang: str) -> Iterator[Sentence]:
        found = said_problems(self.problems, self.labels)
        yield from (found[kind].sentence(lang) for kind in inadmissible(self.problems))

    def _about(self, target: str, lang: str) -> Iterator[Sentence]:
        totals = self.effects[(self.effects["target"] == target) & (self.effects["kind"] == "total")]
        ordered = totals.iloc[np.argsort(-totals["estimate"].abs().to_numpy(), kind="stable")]
        if ordered.empty:
            return
        top = ordered.iloc[0]
        facts = {
            "source": self.label(top["source"], lang),
            "target": self.label(target, lang),
            "effect": top["estimate"],
        }
        if self.draws is None:
            yield sentence(words.NO_INTERVALS, lang, **facts)
            return
        more = {"low": top["low"], "high": top["high"]} | (
            {"points": 10 * top["impact"]} if np.isfinite(top["impact"]) else {}
        )
        shown = not top["low"] <= 0 <= top["high"]
        tied = [s for s in ordered["source"].iloc[1:] if not self._told_apart(top["source"], s, target)]
        if not shown:
            yield sentence(words.NOT_SHOWN, lang, **facts, low=top["low"], high=top["high"])
        elif tied:
            others = ("”、“" if lang == "zh" else ", ").join(number(self.label(s, lang), "in") for s in tied)
            yield sentence(_with_points(words.TIED, more), lang, **facts, **more, others=others)
        else:
            yield sentence(
                _with_points(words.STRONGEST if len(ordered) > 1 else words.ALONE, more), lang, **facts, **more
            )
        caused = set(self.table["target"])
        for source in (s for s in totals["source"] if s not in caused):
            yield from self._ways(source, target, lang)
        row = self.constructs.set_index("construct").loc[target]
        yield sentence(words.EXPLAINED, lang, target=self.label(target, lang), r2=row["r_squared"], low=row["r_squared_low"],
                       high=row["r_squared_high"], base=self.base.respondents)  # fmt: skip

    def _told_apart(self, first: str, second: str, target: str) -> bool:
        """Whether the size of the first total effect is above that of the second, by an interval of the result's kind."""
        if self.draws is None or self.kernel is None:
            return False
        place = self.kernel.names.index
        total = np.abs(self.draws.total[:, :, place(target)])
        gap = total[:, place(first)] - total[:, place(second)]
        if self.interval == "t":
            own = np.abs(self.kernel.sample.total[0, :, place(target)])
            reach = t_quantile(self.level, self.kernel.prepared.sample.df) * gap.std(ddof=1)
            return bool(own[place(first)] - own[place(second)] > reach)
        return bool(np.quantile(gap, (1 - self.level) / 2) > 0)

    def _ways(self, source: str, target: str, lang: str) -> Iterator[Sentence]:
        """By which way a first cause acts, where it has a direct path and an indirect one."""
        rows = self.effects[(self.effects["source"] == source) & (self.effects["target"] == target)].set_index("kind")
        if not {"direct", "total indirect"} <= set(rows.index):
            return
        direct, whole, total = rows.loc["direct"], rows.loc["total indirect"], rows.loc["total"]
        if not whole["low"] > 0 < whole["estimate"] and not whole["high"] < 0:
            return
        route = rows.loc[["indirect"]].iloc[rows.loc[["indirect"], "estimate"].abs().to_numpy().argmax()]["route"]
        middle = " → ".join(number(m, "in") for m in self.label(route, lang).split(" → ")[1:-1])
        more = len(rows.loc[["indirect"]]) - 1
        if more:
            middle += words.MORE_ROUTES[lang].format(count=more)
        facts = {"source": self.label(source, lang), "target": self.label(target, lang), "route": middle,
                 "indirect": whole["estimate"], "low": whole["low"], "high": whole["high"], "direct": direct["estimate"],
                 "direct_low": direct["low"], "direct_high": direct["high"]}  # fmt: skip
        if direct["low"] <= 0 <= direct["high"]:
            yield sentence(words.ONLY_THROUGH, lang, **facts)
        elif whole["estimate"] * direct["estimate"] < 0:
            yield sentence(words.AGAINST, lang, **facts, total=total["estimate"])
        else:
            yield sentence(words.THROUGH, lang, **facts, share=whole["estimate"] / total["estimate"])

    def _moderated(self, lang: str) -> Iterator[Sentence]:
        for row in self.table[self.table["source"].str.contains(":") & self.table["low"].notna()].itertuples():
            first, moderator = str(row.source).split(":", 1)
            yield sentence(words.MODERATED, lang, source=self.label(first, lang), target=self.label(row.target, lang),
                           moderator=" × ".join(self.label(m, lang) for m in moderator.split(":")), change=row.estimate,
                           low=row.low, high=row.high)  # fmt: skip

    def _unclear(self, lang: str) -> Iterator[Sentence]:
        unclear = self.table[(self.table["low"] <= 0) & (self.table["high"] >= 0)]
        if len(unclear):
            listed = [f"{self.label(r.source, lang)} → {self.label(r.target, lang)}" for r in unclear.itertuples()]
            yield sentence(
                words.UNCLEAR,
                lang,
                count=len(unclear),
                all=len(self.table),
                paths=("、" if lang == "zh" else ", ").join(listed),
            )

    def predict(
        self, folds: int = 10, repetitions: int = 10, antecedents: str = "direct", seed: int = 0
    ) -> PredictionResult:
        """Does the model foretell the answers of respondents that it has not seen (PLSpredict)?

        Parameters
        ----------
        folds : int
            Parts of the sample, each predicted from the others; whole sampling units, dealt within strata.
        repetitions : int
            How often the folds are dealt.
        antecedents : {"direct", "earliest"}
            What a construct is predicted from: its direct causes, or the first causes alone.
        seed : int

        Returns
        -------
        PredictionResult
            One row per indicator of a caused construct: ``construct, item, q_squared`` (share of the mean's squared error that is
            avoided), ``rmse, mae`` (points of its scale), each also for plain regression on the causes' indicators
            (``_linear``), ``rmse_mean, base, base_effective, reliability``. ``.constructs`` tests the losses.

        Raises
        ------
        SurveyError
            For products, constructs of higher order, PLSc, incomplete rows, or folds that leave no solution.

        Notes
        -----
        Errors and moments carry the survey's weights. The loss of a construct is the mean squared error of its standardised items;
        its difference to a rival's is a mean over respondents with the design's standard error.

        References
        ----------
        Shmueli, Ray, Velasquez Estrada & Chatla (2016), Journal of Business Research 69, 4552–4564. Liengaard, Sharma, Hult,
        Jensen, Sarstedt, Hair & Ringle (2021), Decision Sciences 52, 362–392. R: ``seminr::predict_pls``.
        """
        from cxlab.layers._predict import predict

        return predict(self, folds, repetitions, antecedents, seed)

    def ipma(
        self,
        target: str | None = None,
        items: bool | str | Sequence[str] = False,
        *,
        by: str | None = None,
        model_of: str = "all",
    ) -> IpmaResult:
        """Where is there room that matters? Importance, performance and potential gain, see :func:`cxlab.ipma`."""
        from cxlab.layers._ipma import importance_map

        return importance_map(self, target, by, items, model_of)

    def what_if(
        self,
        changes: Mapping[str, float],
        *,
        by: str | None = None,
        model_of: str = "all",
        reach: float | Mapping[str, float] | None = None,
        cost: Mapping[str, float] | None = None,
    ) -> PathWhatIfResult:
        """How much higher would every index downstream be expected if ratings rose?

        Parameters
        ----------
        changes : mapping
            Item → points of its own scale that everybody's answer moves by, or construct → points of 0–100 that each of its
            items moves by. A name that is both is the item.
        by, model_of
            See :func:`cxlab.ipma`.
        reach : float or mapping, optional
            Share of the respondents whom a change reaches, drawn at random; by default all.
        cost : mapping, optional
            Cost of one point of each change as asked for, whether or not all can move.

        Returns
        -------
        PathWhatIfResult
            One row per construct that is moved: ``[segment], construct, estimate`` (points of its 0–100 index), ``se, low, high,
            p_value, before, after, base, base_effective, reliability``. ``.parts`` has what each change brings to the last constructs.

        Raises
        ------
        SurveyError
            For an unknown name, a change beyond the scale, a construct together with its items, a share or cost out of range,
            or a model with products.

        Notes
        -----
        Σ_k mean(clip(x_k + δ_k, 0, 100) − x_k) · Σ_j share_kj · T_jt with total effects T; all under the same replicate weights. All
        answers at the top give the gain of :func:`cxlab.ipma`.
        """
        from cxlab.layers._what_if import expected

        kernel = self.scenario(by, model_of)
        return expected(self._grounds[by, model_of][0], kernel, changes, self.outcomes, reach=reach, cost=cost)

    def scenario(self, by: str | None = None, model_of: str = "all") -> PathScenario:
        """The what-if kernel: arrays, made once, answering in a fraction of a millisecond; see :func:`cxlab.ipma` on segments."""
        from cxlab.layers._ipma_cells import ground
        from cxlab.layers._scenario import scenario

        if (by, model_of) not in self._grounds:
            found = ground(self, by, model_of)
            self._grounds[by, model_of] = found, scenario(found)
        return self._grounds[by, model_of][1]

    @cached_property
    def _grounds(self) -> dict[tuple[str | None, str], tuple[Ground, PathScenario]]:
        """What-if kernels that were made."""
        return {}

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        lang = language(lang)
        if self.kernel is None:
            return ""
        scheme, kind = words.SCHEME_WORDS[self.kernel.scheme][lang], words.KIND_WORDS[self.kernel.consistent][lang]
        b = sentence(
            words.REPLICATED if self.draws is not None else words.NOT_REPLICATED, lang, b=self.replicates - self.failed
        ).text
        return sentence(words.METHODS, lang, kind=kind, scheme=scheme, constructs=len(self.model.constructs), items=len(self.model.items),
                        base=self.base.respondents, b=b).text  # fmt: skip


def _with_points(template: Mapping[str, str], facts: Mapping[str, object]) -> Mapping[str, str]:
    """A sentence on an effect, with what it comes to in points where the constructs have an index."""
    return {lang: text + (words.POINTS[lang] if "points" in facts else "") for lang, text in template.items()}


HEADINGS: Labels = {
    "source": {"en": "From", "zh": "起点"}, "target": {"en": "To", "zh": "终点"},
    "construct": {"en": "Construct", "zh": "构念"}, "kind": {"en": "Effect", "zh": "效应"},
    "route": {"en": "Route", "zh": "路径"}, "mode": {"en": "Mode", "zh": "模式"},
    "impact": {"en": "Points per +1 point", "zh": "每高 1 分的变化"},
    "impact_low": {"en": "Points low", "zh": "变化下限"}, "impact_high": {"en": "Points high", "zh": "变化上限"},
    "f_squared": {"en": "f²", "zh": "f²"}, "f_squared_low": {"en": "f² low", "zh": "f² 下限"},
    "f_squared_high": {"en": "f² high", "zh": "f² 上限"}, "index": {"en": "Index 0–100", "zh": "指数（0–100）"},
    "index_low": {"en": "Index low", "zh": "指数下限"}, "index_high": {"en": "Index high", "zh": "指数上限"},
    "r_squared": {"en": "R²", "zh": "R²"}, "r_squared_low": {"en": "R² low", "zh": "R² 下限"},
    "r_squared_high": {"en": "R² high", "zh": "R² 上限"}, "r_squared_adjusted": {"en": "R² adjusted", "zh": "调整后 R²"},
    "weight": {"en": "Weight", "zh": "权重"}, "weight_low": {"en": "Weight low", "zh": "权重下限"},
    "weight_high": {"en": "Weight high", "zh": "权重上限"}, "loading": {"en": "Loading", "zh": "载荷"},
    "loading_low": {"en": "Loading low", "zh": "载荷下限"}, "loading_high": {"en": "Loading high", "zh": "载荷上限"},
    ("kind", "direct"): {"en": "direct", "zh": "直接"}, ("kind", "indirect"): {"en": "indirect", "zh": "间接"},
    ("kind", "total indirect"): {"en": "total indirect", "zh": "间接合计"}, ("kind", "total"): {"en": "total", "zh": "总效应"},
}  # fmt: skip
FORMATS = {
    "se": ".3f",
    "index": ".1f",
    "index_low": ".1f",
    "index_high": ".1f",
    "f_squared": ".3f",
    "f_squared_low": ".3f",
    "f_squared_high": ".3f",
}
