"""The monthly report: analyses made once, pages made of their tables and sentences."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab import journey, quality, tracking
from cxlab.drivers import ChangeResult, DriverResult, PriorityResult, driver_change, first_to_fix, key_drivers
from cxlab.errors import DataCheckError, SurveyError, SurveyWarning
from cxlab.report import answers, segments, texts, wording
from cxlab.report.html import wave_label
from cxlab.report.page import MissingPage, Page, plain_sentence
from cxlab.result import SUPPRESSED_BASE, Base, Result
from cxlab.segments import CompareResult, CrisisResult, compare_segments, hidden_crisis
from cxlab.study import Study
from cxlab.survey import Survey
from cxlab.words import Note, Sentence, language, sentence

if TYPE_CHECKING:
    pass

ROLLING = 6  # waves behind the driver analysis
AnyPage = Page | MissingPage
Column = str | tuple[str, str, str]


@dataclass(eq=False)
class MonthlyReport:
    """What a manager asks every month, answered from one study.

    Attributes
    ----------
    study : Study
    wave : label or code, ``"latest"`` or ``"all"``
    lang : {"en", "zh"}
    replicates, seed : int
        Of the driver analysis.
    pages : list
        Pages made so far, in order.
    """

    study: Study
    wave: Any = "latest"
    lang: str = "en"
    replicates: int = 1000
    seed: int = 0
    pages: list[AnyPage] = field(default_factory=list)
    base: Base = field(init=False)
    drivers_problem: str = ""

    def __post_init__(self) -> None:
        self.lang = language(self.lang)
        self.base = tracking.base_of(self.now)
        base = self.base
        if base.effective < SUPPRESSED_BASE:
            said = f"wave {self.wave_label!r} has" if self.has_waves else "the study has"
            raise DataCheckError(
                f"{said} {base.respondents} respondents (effective base {base.effective:.0f}); a report needs an effective "
                f"base of at least {SUPPRESSED_BASE}: wait for more answers, or report another wave."
            )

    # ------------------------------------------------------------------ who is in it
    @property
    def has_waves(self) -> bool:
        """Whether the study declares waves."""
        return self.study.roles.wave is not None

    @cached_property
    def now(self) -> Survey:
        """The wave reported, or everybody."""
        return self.study.survey(self.wave if self.has_waves else None)

    @cached_property
    def before(self) -> Survey | None:
        """The wave before, if there is one."""
        previous = self.study.previous(self.wave) if self.has_waves else None
        return self.study.survey(previous.code) if previous else None

    @cached_property
    def rolling(self) -> Survey:
        """The last six waves up to the wave reported, or everybody."""
        return self.study.survey(f"last:{ROLLING}", until=self.wave) if self.has_waves else self.now

    @cached_property
    def rolling_before(self) -> Survey | None:
        """The six waves before the rolling base: no respondent's answer is in both."""
        start = self.study.previous(self.wave, ROLLING) if self.has_waves else None
        if start is None or self.study.previous(start.code, ROLLING - 1) is None:
            return None
        return self.study.survey(f"last:{ROLLING}", until=start.code)

    @property
    def wave_label(self) -> str:
        return self.study.wave(self.wave).label if self.has_waves else ""

    @property
    def wave_words(self) -> str:
        """The wave as people say it: December 2025."""
        return self.said_wave(self.wave_label)

    @property
    def before_words(self) -> str:
        """The wave before as people say it; empty if there is none."""
        previous = self.study.previous(self.wave) if self.has_waves else None
        return self.said_wave(previous.label) if previous else ""

    def said_wave(self, label: str) -> str:
        """A wave's label as people say it."""
        return wave_label(label, self.lang)

    # ------------------------------------------------------------------ analyses, each made once
    @cached_property
    def scorecard(self) -> tracking.ScorecardResult | None:
        """Key figures of the wave against the wave before."""
        try:
            if not self.has_waves:
                return tracking.scorecard(self.now)
            found = tracking.scorecard(self.study.survey(), wave=self.study.wave(self.wave).code)
            return replace(found, labels={k: self._said(k, v) for k, v in found.labels.items()})
        except SurveyError:  # the study declares no outcome that a metric is defined for
            return None

    def _said(self, key: Any, texts_: Mapping[str, str]) -> Mapping[str, str]:
        """Labels of waves in words, all others as they are."""
        if not (isinstance(key, tuple) and key[0] == "wave"):
            return texts_
        return {lang: wave_label(text, lang) for lang, text in texts_.items()}

    @property
    def doubtful(self) -> tuple[int, int]:
        """Respondents that a check has flagged, and how many were looked at."""
        return int(self.quality.flagged["row"].nunique()), self.quality.base.respondents

    @cached_property
    def quality(self) -> quality.QualityResult:
        """Findings on the wave's data."""
        return quality.check_quality(self.now)

    @cached_property
    def touchpoints(self) -> journey.TouchpointResult | None:
        """Ratings along the journey."""
        return journey.touchpoints(self.now, before=self.before) if self.study.roles.touchpoints else None

    @cached_property
    def drivers(self) -> DriverResult | None:
        """Key drivers of satisfaction on the rolling base; None where they are not declared or not computable."""
        if not (self.study.roles.drivers and self.now.has("satisfaction")):
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SurveyWarning)  # every judgement stands on the last page
                return key_drivers(self.rolling, "satisfaction", replicates=self.replicates, seed=self.seed)
        except SurveyError as problem:  # too few complete answers, a constant driver: its page says so
            self.drivers_problem = str(problem)
            return None

    @cached_property
    def change(self) -> ChangeResult | None:
        """Shares of the drivers against the six waves before; None where either period cannot be analysed."""
        if self.drivers is None or self.rolling_before is None:
            return None
        with suppress(SurveyError):  # a driver that was not asked in the earlier period
            return driver_change(self.rolling, self.rolling_before, replicates=self.replicates, seed=self.seed)
        return None

    @cached_property
    def first(self) -> PriorityResult | None:
        """What to fix first."""
        return first_to_fix(self.drivers, self.rolling) if self.drivers is not None else None

    @cached_property
    def segments(self) -> CompareResult | None:
        """Key figures and touchpoints of the first segment's groups, every pair tested in one family."""
        metrics = [m for m in self.metric_names if m in ("satisfaction", "nps", "csat")]
        rated = (p.item for p in self.study.roles.touchpoints)
        items = [*metrics, *(i for i in rated if np.isfinite(self.rolling.values(i)[self.rolling.domain]).any())]
        if not (self._segment and metrics):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SurveyWarning)  # small bases stand on the last page
            return compare_segments(self.rolling, self._segment, items)

    @cached_property
    def crisis(self) -> CrisisResult | None:
        """What the total hides of the first segment's groups; None where scales or roles are not declared."""
        if self.segments is None:
            return None
        with warnings.catch_warnings(), suppress(SurveyError):
            warnings.simplefilter("ignore", SurveyWarning)
            return hidden_crisis(self._crisis_survey, self._segment)
        return None

    @cached_property
    def _crisis_survey(self) -> Survey:
        """Three times the rolling base: its thirds are the periods that trends are shown between."""
        return self.study.survey(f"last:{3 * ROLLING}", until=self.wave) if self.has_waves else self.now

    @property
    def crisis_waves(self) -> list[str]:
        """Waves that are searched for a hidden crisis, as people say them."""
        survey = self._crisis_survey
        column = survey.column_of("wave")
        codes = sorted(survey.data[column][survey.domain].dropna().unique().tolist())
        return [self.said_wave(survey.codebook[column].value_label(c, self.lang)) for c in codes]

    @property
    def metric_names(self) -> list[str]:
        return [] if self.scorecard is None else self.scorecard.table["metric"].tolist()

    # ------------------------------------------------------------------ pages
    def verdict(self) -> AnyPage:
        """The month in brief: the finding, key figures, ten questions answered."""
        if self.scorecard is None:
            return self._missing("verdict", "scorecard")
        page = self._page("verdict", answers.finding(self, self.metric_names[0]))
        page.cards(answers.card(self, m) for m in self.metric_names)
        page.answers((k, texts.QUESTIONS[k][self.lang], answers.answer(self, k)) for k in texts.QUESTIONS)
        return page.notes([self._rolling_note()]) if self.has_waves and (self.drivers or self.segments) else page

    def data_quality(self) -> AnyPage:
        """Who answered, and what in the data is doubtful."""
        people, base = self.doubtful
        template = texts.QUALITY_TITLE if people else texts.QUALITY_CLEAN
        page = self._page(
            "quality", sentence(template, self.lang, count=people, base=base, share=people / max(base, 1))
        )
        ran = replace(self.quality, table=self.quality.table[self.quality.table["count"].notna()])
        said = self.quality.sentences(self.lang)  # one per check that ran, then the weights and the effective base
        page.lead([s for s, count in zip(said[:-1], ran.table["count"], strict=True) if count])
        page.table(ran, ["check", "base", "count", "share"]).notes([said[-1]])
        roles = self.study.roles
        groups = [[p.item for p in roles.touchpoints], *roles.outcomes.values(), *roles.drivers.values()]
        missing = self.quality.by_reason([item for items in groups for item in items])
        if missing.table.empty:
            return page
        return page.notes(missing.notes).table(missing, list(missing.table.columns), notes=False)

    def score_card(self) -> AnyPage:
        """Key figures with intervals, change, targets and the smallest change that could have been seen."""
        if self.scorecard is None:
            return self._missing("scorecard", "scorecard")
        found = self.scorecard
        page = self._page("scorecard", answers.score_title(self))
        changed = (found.table["p_value"] < 0.05).to_numpy()
        page.lead([*replace(found, table=found.table[changed]).changes(self.lang), *answers.targets(self)])
        columns: list[Column] = [("estimate", "low", "high"), "before", ("change", "change_low", "change_high"), "p_value",
                                 "detectable", "target", "base", "base_effective"]  # fmt: skip
        page.table(found, ["metric", *_filled(found, columns)])
        page.notes([texts.INTERVALS, *([texts.ADJUSTED, self._detectable] if found.before is not None else [])])
        page.notes([texts.TARGETS_SOURCE] if found.table["target"].notna().any() else [])
        if self.has_waves:
            metric = found.table["metric"].iloc[0]
            label = found.label(metric, self.lang)
            waves = tracking.trend(self.study.survey(None, until=self.wave), metric)
            target = self.study.targets.get(metric)
            page.picture(waves.plot(lang=self.lang, target=target), texts.ALT["trend"][self.lang].format(metric=label))
        else:
            page.notes([texts.NEEDS["trend"]])
        return page

    def touch_points(self) -> AnyPage:
        """Ratings along the journey."""
        found = self.touchpoints
        if found is None:
            return self._missing("touchpoints", "touchpoints")
        if not (said := found.sentences(self.lang)):
            return self._missing("touchpoints", "too_few")
        page = self._page("touchpoints", said[0]).lead(said[1:])
        page.picture(found.plot(lang=self.lang), texts.ALT["touchpoints"][self.lang])
        columns: list[Column] = [("estimate", "low", "high"), ("change", "change_low", "change_high"), "p_value", "expectation_gap",
                   "not_experienced", "base"]  # fmt: skip
        page.table(found, ["touchpoint", "stage", "owner", *_filled(found, columns)])
        return page.notes([texts.INTERVALS, *([texts.ADJUSTED] if self.before is not None else [])])

    def key_drivers(self) -> AnyPage:
        """What goes with satisfaction, how surely, and whether that changed."""
        found = self.drivers
        if found is None:
            problem = self.drivers_problem
            return self._missing("drivers", "drivers", Sentence(problem) if problem else None)
        page = self._page("drivers", answers.drivers_title(self, found))
        first, leaders, *rest = found.sentences(self.lang)
        page.lead([first, leaders, *(self.first.sentences(self.lang) if self.first else ()),
                   *(self.change.sentences(self.lang) if self.change else ())])  # fmt: skip
        page.picture(found.plot(lang=self.lang), texts.ALT["drivers"][self.lang])
        if self.has_waves:
            page.notes([self._rolling_note()])
        page.table(found, ["driver", ("share", "share_low", "share_high"), ("rank", "rank_low", "rank_high"),
                           ("estimate", "low", "high"), "correlation", "performance"])  # fmt: skip
        page.notes([texts.INTERVALS, texts.RANKS, *rest])
        if self.change:
            page.table(self.change, ["driver", "share", "share_before", ("estimate", "low", "high"), "p_value", "rank",
                                     "rank_before"], notes=False, folded=texts.CHANGE_TABLE)  # fmt: skip
        return page

    def segment_comparison(self) -> AnyPage:
        """The groups of the first segment: who is behind, and what the total hides of them."""
        if self.segments is None:
            return self._missing("segments", "segments")
        page = self._page("segments", segments.title(self))
        if self.has_waves:
            page.notes([self._rolling_note()])
        segments.fill(self, page, self.segments)
        others = [s for s in self.study.roles.segments if s != self._segment]
        if not others:
            return page
        names = wording.listed(self, wording.inside([self.rolling.label(s, self.lang) for s in others]))
        return page.notes([sentence(texts.NOT_COMPARED, self.lang, by=self.segment_label, others=names)])

    def limits(self) -> AnyPage:
        """What on the pages before needs care, and how the numbers were made."""
        care = answers.care(self)
        template = texts.LIMITS_TITLE if care else texts.LIMITS_NONE
        page = self._page("limits", sentence(template, self.lang, names=answers.care_names(self)))
        page.lead([*care.values(), plain_sentence(texts.ASSOCIATION, self.lang)])
        if self.drivers is not None:
            page.notes([self.drivers.method_note])
        return page

    def write_facts(self, path: str | Path) -> None:
        """Write every number of the pages made so far as JSON, atomically."""
        whole = {
            "study": self.study.name,
            "wave": self.wave_label or "all",
            "lang": self.lang,
            "facts": [fact for page in self.pages for fact in page.facts],
        }
        target = Path(path)
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.write_text(json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")
        os.replace(temporary, target)

    # ------------------------------------------------------------------ sentences
    def _page(self, key: str, title: Sentence) -> Page:
        page = Page(key, title, self.lang, texts.HEADINGS[key][self.lang])
        self.pages.append(page)
        return page

    def _missing(self, key: str, needs: str, reason: Sentence | None = None) -> MissingPage:
        page = MissingPage(key, texts.HEADINGS[key][self.lang], reason or plain_sentence(texts.NEEDS[needs], self.lang))
        self.pages.append(page)
        return page

    def _rolling_note(self) -> Note:
        column = self.study.roles.wave or ""
        inside = self.rolling.data[column][self.rolling.domain].dropna()
        item = self.study.data.codebook[column]
        first, last = (self.said_wave(item.value_label(f(inside), self.lang)) for f in (min, max))
        template = texts.ROLLING_ONE if first == last else texts.ROLLING
        return Note(template, count=int(inside.nunique()), first=first, last=last)

    @property
    def _detectable(self) -> Note:
        return Note(texts.DETECTABLE, power=answers.POWER)

    @property
    def segment_label(self) -> str:
        """Name of the segment whose groups are compared."""
        return self.rolling.label(self._segment, self.lang)

    @property
    def _segment(self) -> str:
        """The first declared segment with two to twelve groups; empty if there is none."""
        return next((s for s in self.study.roles.segments if 2 <= len(self.rolling.levels(s)) <= 12), "")


def _filled(result: Result, columns: list[Column]) -> list[Column]:
    """Columns that hold anything at all."""
    return [c for c in columns if result.table[c if isinstance(c, str) else c[0]].notna().any()]
