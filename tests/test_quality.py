"""cxlab.quality: every check has data on which it fires and data on which it stays silent."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.items import Item
from cxlab.quality import QualityResult, check_quality
from cxlab.quality.dates import impossible, read_dates
from cxlab.study import Study, open_study
from cxlab.survey import Roles, SampleDesign, Survey, Touchpoint

RATINGS = [f"q{k}" for k in range(8)]


def make(rows: int = 400, seed: int = 3, **columns: Any) -> Survey:
    """A clean survey: two waves, unique ids, eight 0–10 ratings, three weights."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(np.clip(np.round(rng.normal(7, 1.6, (rows, 8))), 0, 10), columns=RATINGS)
    data = data.assign(id=np.arange(rows, dtype=float), wave=np.repeat([1.0, 2.0], rows // 2))
    data = data.assign(weight=np.tile([1.4, 1.1, 0.5, 1.0], rows // 4), **columns)
    survey = Survey.from_frame(data, weight="weight")
    items = [Item(n, {"en": f"Rating {n}", "zh": f"评分 {n}"}, scale=(0, 10)) for n in RATINGS]
    roles = Roles(respondent="id", wave="wave", drivers={"": tuple(RATINGS)})
    return replace(survey, roles=roles, codebook=survey.codebook.with_items(*items))


def changed(survey: Survey, column: str, rows: Any, value: Any) -> Survey:
    data = survey.data.copy()
    data.loc[rows, column] = value
    return replace(survey, data=data)


def row(result: QualityResult, check: str) -> pd.Series:
    return result.table.set_index("check").loc[check]


def count(survey: Survey, check: str) -> float:
    return float(row(check_quality(survey), check)["count"])


def said(result: QualityResult, part: str, lang: str = "en") -> str:
    found = [s.text for s in result.sentences(lang) if part in s.text]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(Path(__file__).parent.parent / "data" / "healthcheck")


class TestDemo:
    """The faults planted in data/healthcheck are found, all of them and no other."""

    def test_counts(self, study: Study) -> None:
        result = check_quality(study.survey())
        found = result.table.set_index("check")["count"]
        planted = {
            "duplicates": 40,
            "straight_lining": 24 * 25,
            "out_of_range": 12,
            "impossible_dates": 6,
            "weights": 0,
        }
        assert found[list(planted)].to_dict() == planted
        assert result.base.effective == pytest.approx(9600 / 1.173, rel=1e-3)
        assert set(result.not_asked["item"]) == {"parking", "parking_expected", "parking_emotion"}
        assert set(result.not_asked["wave"]) == {7.0}

    def test_no_false_alarm_of_straight_lining_in_any_wave(self, study: Study) -> None:
        flagged = check_quality(study.survey()).flagged
        rows = flagged.loc[flagged["check"] == "straight_lining", "row"]
        assert study.data.data.loc[rows, "wave"].value_counts().eq(25).all()

    def test_one_wave_is_a_domain(self, study: Study) -> None:
        waves = [check_quality(study.survey(w.code)).table.set_index("check") for w in study.waves[:3]]
        assert [w.loc["straight_lining", "base"] for w in waves] == [400, 400, 400]
        assert [w.loc["straight_lining", "count"] for w in waves] == [25, 25, 25]

    def test_reasons_and_shares(self, study: Study) -> None:
        shares = check_quality(study.survey()).missing.set_index(["item", "reason"])["share"]
        assert shares["parking", "not experienced"] == pytest.approx(0.30 * 23 / 24, abs=0.02)
        assert shares["followup", "not experienced"] == pytest.approx(0.25, abs=0.02)
        assert shares["meal", "not experienced"] == pytest.approx(0.12, abs=0.02)
        assert shares["parking", "not asked"] == pytest.approx(1 / 24)
        assert shares["doctor", "refused"] == pytest.approx(0.02, abs=0.006)

    def test_planted_ones_without_their_flag_are_not_found(self, study: Study) -> None:
        survey = study.survey()
        flagged = check_quality(survey).flagged
        kept = np.ones(len(survey.data), dtype=bool)
        kept[flagged["row"].unique().astype(int)] = False
        again = check_quality(replace(survey, domain=kept)).table.set_index("check")["count"]
        assert again[["duplicates", "straight_lining", "out_of_range", "impossible_dates"]].eq(0).all()


def test_clean_data_raise_no_alarm() -> None:
    result = check_quality(make())
    found = result.table.set_index("check")["count"]
    checked = ["duplicates", "straight_lining", "out_of_range", "undeclared_missing", "missing", "not_asked", "weights"]
    assert found[checked].eq(0).all()
    assert len(result.flagged) == 0
    assert found[["impossible_dates", "speeders"]].isna().all()  # no such column: said, not counted as clean


def test_a_check_that_cannot_run_says_what_the_study_would_need() -> None:
    bare = check_quality(Survey.from_frame(pd.DataFrame({"q": [1.0, 2.0]})))
    notes = [n["en"] for n in bare.notes]
    assert sum("study.yml would need" in n for n in notes) == 6
    assert (
        "Duplicates were not looked for: study.yml would need `respondent:`, the column of the respondent id." in notes
    )
    assert all(set(n) == {"en", "zh"} and re.search(r"[\u4e00-\u9fff]", n["zh"]) for n in bare.notes)


class TestDuplicates:
    def test_within_a_wave_only(self) -> None:
        across = changed(make(), "id", [0, 200], 999.0)  # the same respondent in both waves: a panel, no fault
        assert count(across, "duplicates") == 0
        within = changed(across, "id", [1, 2, 3], 7700.0)  # three interviews, one respondent
        result = check_quality(within)
        assert (row(result, "duplicates")["count"], row(result, "duplicates")["base"]) == (1, 398)
        assert result.flagged.loc[result.flagged["check"] == "duplicates", "row"].tolist() == [1, 2, 3]
        assert said(result, "within") == "1 respondent (0.3%) appears more than once within a wave."

    def test_respondents_without_id_are_no_duplicates_of_each_other(self) -> None:
        survey = changed(make(), "id", range(20), np.nan)
        result = check_quality(survey)
        assert row(result, "duplicates")["count"] == 0
        note = "20 respondents have no id in id; duplicates among them cannot be seen."
        assert note in [n["en"] for n in result.notes]

    def test_domain(self) -> None:
        survey = changed(make(), "id", [1, 2], 7700.0)
        assert count(survey.where(wave=2), "duplicates") == 0
        assert count(survey.where(wave=1), "duplicates") == 1


class TestStraightLining:
    def test_planted_ones_are_found_and_no_other(self) -> None:
        survey = make(4000)
        for r, value in ((5, 7.0), (9, 10.0), (12, 0.0)):
            survey = changed(survey, RATINGS, r, value)
        result = check_quality(survey)
        assert result.flagged.loc[result.flagged["check"] == "straight_lining", "row"].tolist() == [5, 9, 12]
        assert said(result, "alike") == (
            "3 respondents (0.1%) answered all rating items alike (at least six of 8); "
            "2 of them at an end of the scale."
        )
        assert "有 3 位受访者（0.1%）对所有评分题给出相同评分" in said(result, "相同评分", "zh")

    def test_five_answers_are_too_few(self) -> None:
        survey = changed(make(), RATINGS, 5, 7.0)
        assert count(changed(survey, RATINGS[:2], 5, np.nan), "straight_lining") == 1
        five = check_quality(changed(survey, RATINGS[:3], 5, np.nan))
        assert (row(five, "straight_lining")["count"], row(five, "straight_lining")["base"]) == (0, 399)

    def test_touchpoints_come_before_drivers_and_are_called_so(self) -> None:
        survey = changed(make(), RATINGS[:6], 5, 7.0)
        assert count(survey, "straight_lining") == 0  # q6, q7 differ
        points = tuple(Touchpoint(n, "all", "x", n) for n in RATINGS[:6])
        result = check_quality(replace(survey, roles=replace(survey.roles, touchpoints=points)))
        assert row(result, "straight_lining")["count"] == 1
        assert "all touchpoints alike (at least six of 6)" in said(result, "alike")

    def test_the_battery_of_the_study_comes_first(self) -> None:
        survey = changed(make(), RATINGS[:6], 5, 7.0)
        assert count(replace(survey, roles=replace(survey.roles, battery=tuple(RATINGS[:6]))), "straight_lining") == 1

    def test_items_of_another_scale_do_not_hide_it(self) -> None:
        survey = changed(make(), RATINGS, 5, 7.0)
        survey = changed(survey, "q7", slice(None), 1.0)
        other = Item("q7", scale=(1, 7))
        assert count(replace(survey, codebook=survey.codebook.with_items(other)), "straight_lining") == 1

    @pytest.mark.parametrize(
        ("battery", "message"),
        [
            (["q0", "wieght"], "battery names 1 column that is not in the survey: 'wieght' (did you mean 'weight'?)."),
            (
                ["q0", "q1"],
                "battery has 2 items; straight-lining needs at least 6, "
                "because fewer answers are often alike honestly.",
            ),
            (
                ["said", *RATINGS],
                "battery names 1 column(s) that hold no numbers: 'said'; straight-lining compares rating items.",
            ),
        ],
    )
    def test_a_wrong_battery(self, battery: list[str], message: str) -> None:
        with pytest.raises(cx.SurveyError) as fault:
            check_quality(make(said="words"), battery=battery)
        assert str(fault.value) == message


class TestAnswers:
    def test_out_of_range(self) -> None:
        survey = changed(changed(make(), "q1", [3, 4], [11.0, -1.0]), "q2", 3, 55.0)
        result = check_quality(survey)
        assert (row(result, "out_of_range")["count"], row(result, "out_of_range")["base"]) == (3, 3200)
        flags = result.flagged[result.flagged["check"] == "out_of_range"]
        assert sorted(zip(flags["row"], flags["item"], flags["value"], strict=True)) == [
            (3, "q1", "11"),
            (3, "q2", "55"),
            (4, "q1", "-1"),
        ]
        assert said(result, "lie outside").endswith("they come from 2 respondents.")

    def test_codes_without_label(self) -> None:
        card = np.tile([1.0, 2.0, 3.0, 2.0], 100)
        card[7] = 5.0
        survey = make(card=card)
        labels = {float(k): {"en": t} for k, t in enumerate(["plain", "gold", "diamond"], 1)}
        whole = replace(survey, codebook=survey.codebook.with_items(Item("card", values=labels, measure="nominal")))
        assert count(whole, "out_of_range") == 1
        # Two labels of a five-point scale are its ends, not all of it.
        ends = Item("card", values={1.0: {"en": "bad"}, 5.0: {"en": "good"}}, measure="ordinal")
        assert count(replace(survey, codebook=survey.codebook.with_items(ends)), "out_of_range") == 0

    def test_labels_that_plainly_are_not_the_scale_are_said_not_counted(self) -> None:
        survey = make(age=np.tile([18.0, 25.0, 40.0, 77.0], 100))
        age = Item("age", values={18.0: {"en": "18"}, 19.0: {"en": "19"}}, measure="ordinal")
        result = check_quality(replace(survey, codebook=survey.codebook.with_items(age)))
        assert row(result, "out_of_range")["count"] == 0
        assert any("1 item(s) have more than 5 % of answers outside their labels" in n["en"] for n in result.notes)

    def test_a_labelled_dont_know_that_counts_as_a_number(self) -> None:
        survey = changed(make(), "q1", range(30), 98.0)
        item = Item("q1", scale=(0, 10), values={98.0: {"en": "not experienced"}})
        result = check_quality(replace(survey, codebook=survey.codebook.with_items(item)))
        assert row(result, "undeclared_missing")["count"] == 30
        assert row(result, "out_of_range")["count"] == 0  # told apart: it is no slip of the pen
        assert any("The codes 98 are labelled but not declared missing" in n["en"] for n in result.notes)

    def test_impossible_dates(self) -> None:
        days = pd.date_range("2024-01-01", periods=400).strftime("%Y-%m-%d").to_numpy(dtype=object)
        assert count(make(visit_date=days), "impossible_dates") == 0
        days[[3, 5, 8, 9]] = ["2024-02-30", "2024-13-01", "1970-01-01", "2099-01-01"]
        result = check_quality(make(visit_date=days))
        assert result.flagged.loc[result.flagged["check"] == "impossible_dates", "row"].tolist() == [3, 5, 8, 9]
        assert said(result, "impossible") == "4 dates of 400 are impossible."

    def test_comments_and_codes_are_not_taken_for_dates(self) -> None:
        texts = np.tile(["it was fine", "12", "2024 was better", ""], 100)
        assert np.isnan(count(make(comment=texts), "impossible_dates"))


class TestDates:
    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            (["2024-02-29", "2023-02-29"], ["2024-02-29", None]),
            (["2024年3月5日", "2024年13月5日"], ["2024-03-05", None]),
            (["31/12/2024", "13/12/2024", "01/02/2024"], ["2024-12-31", "2024-12-13", "2024-02-01"]),
            (["12/31/2024", "12/13/2024", "01/02/2024"], ["2024-12-31", "2024-12-13", "2024-01-02"]),
            (["20240131", "20240132"], ["2024-01-31", None]),
            (["2024/1/5 10:30:00", "2024-07"], ["2024-01-05", "2024-07-01"]),
            (["5-Mar-2024", "31 April 2024"], ["2024-03-05", None]),
        ],
    )
    def test_ways_to_write_a_date(self, texts: list[str], expected: list[str | None]) -> None:
        dates, given = read_dates(pd.Series([*texts, "", None]), named=True)
        if dates is None:  # half of the texts are no dates
            dates, given = read_dates(pd.Series([*texts, texts[0], texts[0], "", None]), named=True)
        assert dates is not None
        assert [None if pd.isna(d) else f"{d:%Y-%m-%d}" for d in dates[: len(texts)]] == expected
        assert not given[-2:].any()
        assert given[: len(texts)].all()

    def test_numbers_need_the_name_of_a_date(self) -> None:
        numbers = pd.Series([20240131.0, 20240229.0, 20240230.0, np.nan])
        assert read_dates(numbers, named=False)[0] is None
        dates, given = read_dates(numbers, named=True)
        assert dates is not None
        assert (given & impossible(dates)).tolist() == [False, False, True, False]

    def test_birthdays_spread_over_a_century_are_possible(self) -> None:
        born = pd.Series(pd.date_range("1930-01-01", "2006-01-01", periods=500))
        assert not impossible(born).any()


class TestMissing:
    def test_by_reason_and_weighted(self) -> None:
        survey = changed(make(), "q1", range(0, 40, 4), np.nan)  # rows of weight 1.4
        survey = changed(survey, "q1", [1, 2], np.nan)
        reasons = pd.DataFrame({"q1": np.full(400, np.nan)})
        reasons.loc[range(0, 40, 4), "q1"] = 98.0
        item = Item("q1", {"en": "Parking", "zh": "停车"}, scale=(0, 10), missing={98.0: "not experienced"})
        survey = replace(survey, codebook=survey.codebook.with_items(item), missing_reasons=reasons)
        result = check_quality(survey)
        frame = result.missing.set_index(["item", "reason"])
        assert frame.loc[("q1", "not experienced"), "count"] == 10
        assert frame.loc[("q1", "not experienced"), "share"] == pytest.approx(10 / 400)
        assert frame.loc[("q1", "not experienced"), "share_weighted"] == pytest.approx(14 / 400)
        assert frame.loc[("q1", "no answer"), "count"] == 2
        assert frame["count"].sum() == row(result, "missing")["count"] == 12
        assert "Parking, where 3.0% of respondents have none (mainly: not experienced)" in said(result, "missing;")
        assert "主要原因：未体验" in said(result, "缺失最多", "zh")
        assert result.by_reason().shown("zh").iloc[0].to_dict() == {"题目": "停车", "未作答": "0.5%", "未体验": "2.5%"}
        assert result.by_reason(["q2"]).table.empty
        assert len(result.plot(lang="en").patches) == 2

    def test_not_asked_in_a_wave(self) -> None:
        survey = changed(make(), "q1", range(200), np.nan)
        result = check_quality(survey)
        assert result.not_asked.to_dict("records") == [{"item": "q1", "wave": 1.0, "base": 200}]
        assert row(result, "missing")["count"] == 0  # who was not asked refused nothing
        assert row(result, "missing")["base"] == 8 * 400 - 200
        assert said(result, "not asked") == "1 item was not asked in every wave: Rating q1 (1)."
        assert check_quality(survey.where(wave=2)).not_asked.empty
        assert len(check_quality(survey.where(wave=1)).not_asked) == 1

    def test_one_answer_or_one_reason_means_that_it_was_asked(self) -> None:
        survey = changed(make(), "q1", range(199), np.nan)
        assert check_quality(survey).not_asked.empty
        reasons = pd.DataFrame({"q1": [99.0] + [np.nan] * 399})
        refused = replace(changed(make(), "q1", range(200), np.nan), missing_reasons=reasons)
        assert check_quality(refused).not_asked.empty

    def test_nine_silent_respondents_prove_nothing(self) -> None:
        nine = changed(changed(make(), "wave", range(9), 0.0), "q1", range(9), np.nan)
        ten = changed(changed(make(), "wave", range(10), 0.0), "q1", range(10), np.nan)
        assert (len(check_quality(nine).not_asked), len(check_quality(ten).not_asked)) == (0, 1)


class TestWeights:
    def test_kish(self) -> None:
        result = check_quality(make())
        w = np.array([1.4, 1.1, 0.5, 1.0])
        effect = 1 + np.var(w) / np.mean(w) ** 2
        line = result.weighting.iloc[0]
        assert line["design_effect"] == pytest.approx(effect, rel=1e-12)
        assert line["cv"] == pytest.approx(np.std(w) / np.mean(w), rel=1e-9)
        assert result.base.effective == pytest.approx(400 / effect, rel=1e-12)
        assert "400 respondents are worth 362." in said(result, "Kish")

    @pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
    def test_bad_weights_are_counted_and_spoil_every_weighted_number(self, bad: float) -> None:
        survey = changed(changed(make(), "weight", [3, 4], bad), "q1", 5, np.nan)
        result = check_quality(survey)
        assert row(result, "weights")["count"] == 2
        assert result.weighting.empty
        assert result.missing["share_weighted"].isna().all()
        assert result.missing["share"].notna().all()
        assert said(result, "trusted").startswith("2 weights (0.5%) are missing or negative")

    def test_rescaled_weights_change_nothing_but_their_range(self) -> None:
        survey = changed(make(), "q1", range(50), np.nan)
        scaled = replace(survey, data=survey.data.assign(weight=1000 * survey.data["weight"]))
        one, other = check_quality(survey), check_quality(scaled)
        np.testing.assert_allclose(one.missing["share_weighted"], other.missing["share_weighted"], rtol=1e-12)
        assert one.base.effective == pytest.approx(other.base.effective, rel=1e-12)

    def test_without_weights(self) -> None:
        survey = replace(make(), design=SampleDesign())
        result = check_quality(survey)
        assert np.isnan(row(result, "weights")["count"])
        assert said(result, "unweighted") == "400 respondents, unweighted."


class TestSpeeders:
    def test_only_a_column_that_is_plainly_the_length_of_the_interview(self) -> None:
        seconds = np.full(400, 600.0)
        seconds[:7] = 190.0
        assert count(make(**{"Duration (in seconds)": seconds}), "speeders") == 7
        assert count(make(interview_time=seconds), "speeders") == 7
        assert np.isnan(count(make(duration=seconds), "speeders"))  # of the visit, perhaps
        survey = make(t1=seconds)
        survey = replace(survey, codebook=survey.codebook.with_items(Item("t1", {"und": "问卷作答时长（秒）"})))
        assert count(survey, "speeders") == 7


class TestResult:
    def test_every_number_in_a_sentence_is_a_fact(self) -> None:
        survey = changed(changed(make(), "id", [1, 2], 7700.0), "q1", [5, 6], [12.0, np.nan])
        for lang in ("en", "zh"):
            for sentence in check_quality(survey).sentences(lang):
                rest = sentence.text
                for shown in sorted(sentence.shown.values(), key=len, reverse=True):
                    assert shown in sentence.text
                    rest = rest.replace(shown, "")
                assert not re.search(r"\d", rest), rest

    def test_shown_table_is_bilingual_and_marks_what_did_not_run(self) -> None:
        result = check_quality(make())
        assert list(result.shown("zh")) == ["检查项", "检查数", "发现数", "占比"]
        shown = result.shown("en").set_index("Check")
        assert shown.loc["Speeders", "Found"] == "–"
        assert shown.loc["Straight-lining", "Found"] == "0"
        assert "<script" not in result._repr_html_()

    def test_empty_domain_of_columns(self) -> None:
        result = check_quality(Survey.from_frame(pd.DataFrame({"text": ["a", "b"]})))
        assert row(result, "missing")["base"] == 0
        assert np.isnan(row(result, "missing")["share"])
        assert list(result.by_reason().shown("en")) == ["Item"]
