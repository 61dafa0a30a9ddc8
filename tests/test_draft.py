"""cxlab.draft: what is guessed of a stranger's file, what is not, and that nothing is harmed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.draft import Draft, draft_study
from cxlab.draft.writing import flow
from cxlab.errors import DataWarning
from cxlab.study import open_study

DATA = Path(__file__).parent.parent / "data"
TOUCHPOINTS = [
    "booking",
    "parking",
    "info",
    "reception",
    "changing",
    "queue",
    "nurse",
    "doctor",
    "equipment",
    "meal",
    "report",
    "followup",
]

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.DataWarning")


def rated(rng: np.random.Generator, halo: np.ndarray, mean: float, low: int, high: int) -> np.ndarray:
    return np.clip(np.round(mean + halo + rng.normal(0, 0.25 * (high - low) ** 0.7, len(halo))), low, high)


def csv(folder: Path, name: str = "survey.csv", **columns: Any) -> Path:
    path = folder / name
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def ratings(rows: int = 300, names: Any = ("q1", "q2", "q3"), low: int = 0, high: int = 10, seed: int = 5) -> dict:
    rng = np.random.default_rng(seed)
    halo = rng.normal(0, 1, rows)
    return {n: rated(rng, halo, (low + high) / 2 + 1, low, high) for n in names}


def guess(draft: Draft, key: str) -> Any:
    found = [g.value for g in draft.guesses if g.key == key]
    return found if key in ("segments", "missing") else found[0] if found else None


def sure(draft: Draft, key: str) -> bool:
    return next(g.sure for g in draft.guesses if g.key == key)


def drivers(draft: Draft) -> dict[str, list[str]]:
    return yaml.safe_load(draft.path.read_text(encoding="utf-8")).get("drivers", {})


# ---------------------------------------------------------------------- a Chinese file
@pytest.fixture(scope="module")
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    """A Chinese .sav as agencies deliver it: question numbers for names, everything else in labels."""
    import pyreadstat

    folder = tmp_path_factory.mktemp("hotel")
    rng = np.random.default_rng(2)
    halo = rng.normal(0, 0.6, 600)
    frame = pd.DataFrame({"Q1": rated(rng, halo, 3.9, 1, 5), "Q2": rated(rng, halo, 7.2, 0, 10)})
    labels = {"Q1": "总体来说，您对我们酒店的满意程度如何？", "Q2": "您有多大可能将我们推荐给朋友或同事？"}
    satisfied = {1: "非常不满意", 2: "不满意", 3: "一般", 4: "满意", 5: "非常满意"}
    values: dict[str, dict[float, str]] = {"Q1": satisfied, "Q2": {0: "完全不可能", 10: "非常可能"}}
    for k, thing in enumerate(["前台接待", "客房卫生", "早餐", "停车", "价格合理性", "网络"], 1):
        frame[f"Q3_{k}"] = rated(rng, halo, 3.5 + k / 8, 1, 5)
        frame.loc[rng.random(600) < 0.1, f"Q3_{k}"] = 9
        labels[f"Q3_{k}"], values[f"Q3_{k}"] = f"您对{thing}的满意程度", {**satisfied, 9: "不知道/未使用"}
    frame["Q4"], labels["Q4"] = rated(rng, halo, 3, 1, 7), "办理入住是否轻松"
    frame["Q5"], labels["Q5"] = rated(rng, halo, 3.6, 1, 5), "您下次还会选择我们酒店吗"
    values["Q5"] = {1: "肯定不会", 2: "可能不会", 3: "不确定", 4: "可能会", 5: "肯定会"}
    frame["Q6"] = [f"房间很干净，服务员态度非常好，就是早餐品种少了一些{k}" if k % 3 == 0 else "" for k in range(600)]
    frame["性别"], values["性别"] = rng.integers(1, 3, 600).astype(float), {1: "男", 2: "女"}
    frame["会员等级"], values["会员等级"] = rng.integers(1, 4, 600).astype(float), {1: "普通", 2: "银卡", 3: "金卡"}
    frame["权重"] = rng.uniform(0.5, 1.5, 600)
    frame["月份"], values["月份"] = np.repeat([1.0, 2, 3], 200), {k: f"2025年{9 + k}月" for k in (1, 2, 3)}
    frame["问卷编号"] = np.arange(600) + 1.0
    pyreadstat.write_sav(frame, folder / "酒店满意度.sav", column_labels=labels, variable_value_labels=values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return draft_study(folder / "酒店满意度.sav", name="hotel", folder=folder / "data")


class TestChineseFile:
    def test_roles(self, hotel: Draft) -> None:
        assert guess(hotel, "outcomes.satisfaction") == "Q1"
        assert guess(hotel, "outcomes.recommend") == "Q2"
        assert guess(hotel, "outcomes.repurchase") == "Q5"
        assert guess(hotel, "outcomes.effort") == {"items": ["Q4"], "higher_is_better": True}  # how easy it was
        assert drivers(hotel) == {"none": ["Q3_1", "Q3_2", "Q3_3", "Q3_4", "Q3_6"], "price": ["Q3_5"]}
        assert guess(hotel, "segments") == ["性别", "会员等级"]
        assert guess(hotel, "comments") == ["Q6"]

    def test_design_and_waves(self, hotel: Draft) -> None:
        study = open_study(hotel.path)
        assert study.data.design.columns() == {"weight": "权重"}
        assert (study.period, [w.label for w in study.waves]) == ("month", ["2025年10月", "2025年11月", "2025年12月"])
        assert study.roles.respondent == "问卷编号"

    def test_dont_know_at_the_end_is_missing_unsure_in_the_middle_is_an_answer(self, hotel: Draft) -> None:
        (missing,) = guess(hotel, "missing")
        assert (missing["codes"], missing["items"]) == ([9.0], [f"Q3_{k}" for k in range(1, 7)])
        data = open_study(hotel.path).data.data
        assert data["Q3_1"].max() == 5
        assert (data["Q5"] == 3).any()

    def test_printed_in_both_languages(self, hotel: Draft) -> None:
        english, chinese = hotel.text("en"), hotel.text("zh")
        assert "outcomes.satisfaction: Q1 – the label says so: 总体来说" in english
        assert "outcomes.satisfaction: Q1——标签如此表明：总体来说" in chinese
        assert english.splitlines()[-1] == chinese.splitlines()[-1] == f"  cxlab report {hotel.path.as_posix()}"
        assert "no touchpoint table until" in english
        assert str(hotel) == english

    def test_every_line_of_the_file_says_how_sure_it_is(self, hotel: Draft) -> None:
        text = hotel.path.read_text(encoding="utf-8")
        assert "satisfaction: Q1  # sure: the label says so: 总体来说，您对我们酒店的满意程度如何？" in text
        assert "repurchase: Q5  # check this: the label says so" in text
        body = text[text.index("respondent:") :].splitlines()
        keys = [k for k, line in enumerate(body) if ": " in line and not line.lstrip().startswith("#")]
        bare = [body[k] for k in keys if "# " not in body[k] and not body[k - 1].lstrip().startswith("#")]
        assert not [line for line in bare if "scale:" not in line]


# ---------------------------------------------------------------------- the studies of the repository
@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return draft_study(DATA / "healthcheck" / "responses.sav", folder=tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def mobi(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    return draft_study(DATA / "mobi" / "mobi.csv", folder=tmp_path_factory.mktemp("mobi"))


class TestDemo:
    def test_what_study_yml_says_is_found(self, demo: Draft) -> None:
        drafted, written = open_study(demo.path), open_study(DATA / "healthcheck")
        assert drafted.data.design == written.data.design
        assert drafted.period == written.period
        assert len(drafted.waves) == 24
        assert (drafted.roles.respondent, drafted.roles.wave) == (written.roles.respondent, written.roles.wave)
        assert {
            k: v for k, v in written.roles.outcomes.items() if k in drafted.roles.outcomes
        } == drafted.roles.outcomes
        assert set(drafted.roles.outcomes) == {"satisfaction", "recommend", "effort", "repurchase"}
        assert not drafted.data.higher_is_better("effort")

    def test_drivers_are_the_touchpoints_and_price_nothing_else(self, demo: Draft) -> None:
        assert drivers(demo) == {"none": TOUCHPOINTS, "price": ["price_fairness"]}
        scales = {open_study(demo.path).data.scale(n) for n in TOUCHPOINTS}
        assert scales == {(0.0, 10.0)}

    def test_card_and_gender_are_segments(self, demo: Draft) -> None:
        assert {"card", "gender", "payer"} <= set(guess(demo, "segments"))

    def test_stratum_is_a_guess_to_check(self, demo: Draft) -> None:
        assert not sure(demo, "design.stratum")
        assert sure(demo, "design.psu")


class TestMobi:
    def test_names_of_the_european_index(self, mobi: Draft) -> None:
        assert guess(mobi, "outcomes.satisfaction") == ["CUSA1", "CUSA2", "CUSA3"]
        assert (guess(mobi, "outcomes.recommend"), guess(mobi, "outcomes.repurchase")) == ("CUSL3", "CUSL1")
        found = drivers(mobi)
        assert found["price"] == ["PERV1", "PERV2"]
        assert found["none"] == [f"IMAG{k}" for k in range(1, 6)] + [f"PERQ{k}" for k in range(2, 8)]

    def test_index_and_drivers_can_be_computed(self, mobi: Draft) -> None:
        survey = open_study(mobi.path).survey()
        written = open_study(DATA / "mobi").survey()
        np.testing.assert_allclose(survey.values("satisfaction"), written.values("satisfaction"))
        assert len(cx.key_drivers(survey, replicates=0).table) == 13

    def test_what_lacks_is_said(self, mobi: Draft) -> None:
        gaps = [g["en"].split(":")[0] for g in mobi.gaps]
        assert gaps[:4] == ["No weight", "No wave", "No respondent id", "No groups of respondents"]


def test_strangers_files_end_in_a_draft_or_a_plain_error(files: Path, tmp_path: Path) -> None:
    endings = {".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".csv"}
    tried = 0
    for path in sorted(p for p in files.iterdir() if p.suffix in endings):
        tried += 1
        fault = ""
        try:
            name = open_study(draft_study(path, folder=tmp_path, name=f"s{tried}").path).name
        except cx.SurveyError as error:
            fault, name = str(error), ""
        assert name == f"s{tried}" or path.name in fault
        assert (tmp_path / f"s{tried}").exists() == bool(name)
    assert tried >= 14


# ---------------------------------------------------------------------- single guesses
class TestGuesses:
    @pytest.fixture
    def draft(self, tmp_path: Path) -> Callable[..., Draft]:
        def make(**columns: Any) -> Draft:
            return draft_study(csv(tmp_path, **columns), folder=tmp_path / "data", force=True)

        return make

    def test_a_weight_must_be_usable(self, draft: Callable[..., Draft]) -> None:
        weight = np.tile([0.5, 1.5, 1.0], 100)
        assert guess(draft(nps=ratings()["q1"], weight=weight), "design.weight") == "weight"
        weight[7] = -1
        bad = draft(nps=ratings()["q1"], weight=weight)
        assert guess(bad, "design.weight") is None
        said = "weight looks like a weight, but 1 of its values are missing or negative; it was not used."
        assert bad.gaps[0]["en"] == said

    def test_a_weight_that_projects_is_a_guess_and_kilograms_are_none(self, draft: Callable[..., Draft]) -> None:
        projecting = draft(nps=ratings()["q1"], wt=np.tile([900.0, 1500.5, 600.0], 100))
        assert guess(projecting, "design.weight") == "wt"
        assert not sure(projecting, "design.weight")
        assert guess(draft(nps=ratings()["q1"], body_weight=np.tile([70.0, 81.5, 60.0], 100)), "design.weight") is None
        assert guess(draft(nps=ratings()["q1"], weight=np.ones(300)), "design.weight") is None

    def test_nps_needs_zero_to_ten(self, draft: Callable[..., Draft]) -> None:
        scores = ratings()["q1"]
        scores[:3] = 0
        assert sure(draft(nps=scores), "outcomes.recommend")
        few = draft(nps=np.maximum(scores, 1))  # nobody chose 0
        assert not sure(few, "outcomes.recommend")
        assert open_study(few.path).data.scale("recommend") == (0, 10)
        seven = draft(nps=ratings(low=1, high=7)["q1"])
        assert not sure(seven, "outcomes.recommend")
        why = next(g.why["en"] for g in seven.guesses if g.key == "outcomes.recommend")
        assert why == "the name says so; but answers run from 1 to 7, and NPS needs 0 to 10"

    def test_groups_of_promoters_are_not_the_question(self, draft: Callable[..., Draft]) -> None:
        scores = ratings()["q1"]
        found = draft(Q5_NPS_GROUP=np.digitize(scores, [6.5, 8.5]) + 1, Q5=scores, satisfaction=scores)
        assert guess(found, "outcomes.recommend") is None
        found = draft(Q5_NPS_GROUP=np.digitize(scores, [6.5, 8.5]) + 1, Q5_NPS=scores)
        assert guess(found, "outcomes.recommend") == "Q5_NPS"

    def test_unlabelled_98_outside_the_scale_is_a_guess(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(names=("nps", "q1", "q2", "q3"))
        columns["q1"][:30] = 98
        found = draft(**columns, age=np.tile(np.arange(18.0, 118.0), 3))
        assert guess(found, "missing") == [{"codes": [98.0], "means": "don't know", "items": ["q1"]}]  # 98 is an age
        assert not sure(found, "missing")
        assert drivers(found) == {"none": ["q1", "q2", "q3"]}
        assert open_study(found.path).data.data["age"].max() == 117

    def test_a_slip_of_the_pen_does_not_change_the_scale(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(3000, names=("nps", "q1", "q2", "q3"), low=0, high=10)
        columns["q1"][5] = 55
        study = open_study(draft(**columns).path)
        assert study.data.scale("q1") == (0, 10)
        assert cx.check_quality(study.survey()).table.set_index("check").loc["out_of_range", "count"] == 1

    def test_at_most_fifteen_drivers_those_that_correlate_most(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(400, names=["satisfaction", *(f"q{k}" for k in range(20))])
        noise = np.random.default_rng(1)
        for k in (3, 11, 12, 13, 19):
            columns[f"q{k}"] = noise.integers(0, 11, 400)
        found = draft(**columns)
        assert drivers(found)["none"] == [f"q{k}" for k in range(20) if k not in (3, 11, 12, 13, 19)]
        assert "5 more ratings go less with satisfaction and were left out" in found.text("en")
        assert "ratings that go less with the outcome: q3, q11, q12, q13, q19" in found.path.read_text(encoding="utf-8")

    def test_a_copy_and_a_constant_are_no_drivers(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(names=("satisfaction", "q1", "q2", "q3", "q4"))
        found = draft(**columns, q5=columns["q2"], q6=np.full(300, 7))
        assert drivers(found)["none"] == ["q1", "q2", "q3", "q4"]
        assert cx.key_drivers(open_study(found.path).survey(), replicates=0).table["driver"].isin(columns).all()

    def test_seldom_answered_items_are_no_drivers(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(names=("satisfaction", "q1", "q2", "q3", "q4"))
        columns["q4"][:200] = np.nan
        assert drivers(draft(**columns))["none"] == ["q1", "q2", "q3"]

    def test_dates_of_interviews_make_waves_if_periods_are_full(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"nps": ratings()["q1"], "visit_date": pd.date_range("2025-01-01", periods=300)})
        frame.to_parquet(tmp_path / "a.parquet")
        assert guess(draft_study(tmp_path / "a.parquet", folder=tmp_path), "wave.period") == "quarter"
        frame.assign(visit_date=pd.date_range("2025-01-01", periods=300, freq="6h")).to_parquet(tmp_path / "b.parquet")
        months = draft_study(tmp_path / "b.parquet", folder=tmp_path)
        assert [w.label for w in open_study(months.path).waves] == ["2025-01", "2025-02", "2025-03"]
        assert not sure(months, "wave.column")

    def test_months_as_a_customer_are_no_wave(self, draft: Callable[..., Draft]) -> None:
        assert (
            guess(draft(nps=ratings()["q1"], months_as_customer=np.tile(np.arange(1, 31), 10)), "wave.column") is None
        )

    def test_an_id_with_gaps_is_not_used(self, draft: Callable[..., Draft]) -> None:
        found = draft(nps=ratings()["q1"], respondent_id=[*range(295), *[np.nan] * 5])
        assert guess(found, "respondent") is None
        assert found.gaps[0]["en"] == "respondent_id looks like the respondent id, but 5 rows lack it; it was not used."

    def test_answers_in_words(self, tmp_path: Path) -> None:
        words = np.tile(["Very satisfied", "Satisfied", "Dissatisfied"], 40)
        with pytest.raises(cx.SurveyError) as fault:
            draft_study(csv(tmp_path, Q1=words, Q2=words), folder=tmp_path / "data")
        assert str(fault.value) == (
            "survey.csv: none of its 2 columns looks like an outcome (satisfaction, recommendation, effort, repurchase), "
            "and 2 column(s) hold answers as words (Q1: 'Dissatisfied'); export the data again with codes "
            "(numeric values) instead of texts. No study was written."
        )

    def test_an_outcome_can_be_named(self, tmp_path: Path) -> None:
        path = csv(tmp_path, **ratings(names=("a", "b", "c", "d")))
        with pytest.raises(cx.SurveyError) as fault:
            draft_study(path, folder=tmp_path / "data")
        assert str(fault.value) == (
            "survey.csv: none of its 4 columns looks like an outcome (satisfaction, recommendation, effort, repurchase); "
            "no study was written. Name one with outcome= (--outcome); ratings are: a, b, c, d."
        )
        assert not (tmp_path / "data").exists()
        found = draft_study(path, folder=tmp_path / "data", outcome="b")
        assert guess(found, "outcomes.satisfaction") == "b"
        assert drivers(found) == {"none": ["a", "c", "d"]}
        with pytest.raises(cx.SurveyError, match=r"^outcome names 1 column that is not in survey\.csv: 'e'\.$"):
            draft_study(path, folder=tmp_path / "other", outcome="e")

    def test_names_that_yaml_would_read_otherwise(self, draft: Callable[..., Draft]) -> None:
        columns = ratings(names=("no", "on", "1", "a: b", "# c", "'x'", "null"))
        found = draft(overall_satisfaction=ratings()["q1"], **columns)
        named = [n for block in open_study(found.path).roles.drivers.values() for n in block]
        assert set(named) == set(columns)


# ---------------------------------------------------------------------- files are not harmed
class TestWriting:
    def test_a_study_that_is_there_is_kept(self, tmp_path: Path) -> None:
        path = csv(tmp_path, nps=ratings()["q1"])
        draft = draft_study(path, folder=tmp_path / "data")
        draft.path.write_text("mine", encoding="utf-8")
        with pytest.raises(cx.SurveyError) as fault:
            draft_study(path, folder=tmp_path / "data")
        assert str(fault.value) == (
            f"{draft.path.as_posix()} is there already; force=True (--force) overwrites it, "
            "name= (--name) writes another study."
        )
        assert draft.path.read_text(encoding="utf-8") == "mine"
        assert "nps" in draft_study(path, folder=tmp_path / "data", force=True).path.read_text(encoding="utf-8")

    def test_other_data_of_the_same_name_are_kept(self, tmp_path: Path) -> None:
        (tmp_path / "data" / "survey").mkdir(parents=True)
        other = csv(tmp_path / "data" / "survey", x=[1, 2])
        with pytest.raises(cx.SurveyError) as fault:
            draft_study(csv(tmp_path, nps=ratings()["q1"]), folder=tmp_path / "data")
        assert str(fault.value) == (
            f"{other.as_posix()} is there already and holds other data; choose another name= (--name), or move it."
        )
        assert other.read_text() == "x\n1\n2\n"

    def test_a_file_in_its_place_is_used_where_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "data" / "cafe").mkdir(parents=True)
        path = csv(tmp_path / "data" / "cafe", nps=ratings()["q1"])
        before = path.stat()
        draft = draft_study(path, folder=tmp_path / "data", name="cafe")
        assert path.stat().st_mtime_ns == before.st_mtime_ns
        assert sorted(p.name for p in draft.path.parent.iterdir()) == ["study.yml", "survey.csv"]

    def test_a_draft_that_is_not_sound_leaves_everything_as_it_was(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = csv(tmp_path, nps=ratings()["q1"])
        kept = draft_study(path, folder=tmp_path / "data").path
        before = kept.read_text(encoding="utf-8")
        changed = csv(tmp_path, nps=ratings(seed=9)["q1"])
        monkeypatch.setattr("cxlab.draft.check_study", lambda _: ["study.yml:3: wrong"])
        for folder in ("data", "fresh/deep"):
            with pytest.raises(
                cx.StudyError,
                match=r"^the draft made of survey\.csv is not sound, so it was not written:\nstudy\.yml:3: wrong$",
            ):
                draft_study(changed, folder=tmp_path / folder, force=True)
        assert kept.read_text(encoding="utf-8") == before
        assert pd.read_csv(kept.parent / "survey.csv")["nps"].equals(pd.Series(ratings()["q1"], name="nps"))
        assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "survey.csv"]
        assert len(list(kept.parent.iterdir())) == 2

    def test_a_second_draft_is_the_same(self, tmp_path: Path) -> None:
        path = csv(tmp_path, **ratings(names=("nps", "a1", "a2", "a3")), gender=np.tile(["f", "m"], 150))
        first = draft_study(path, folder=tmp_path / "one").path.read_text(encoding="utf-8")
        second = draft_study(path, folder=tmp_path / "two").path.read_text(encoding="utf-8")
        assert first.replace("/one/", "/two/") == second

    def test_names(self, tmp_path: Path) -> None:
        path = csv(tmp_path, "My Survey (final) 2025.csv", nps=ratings()["q1"])
        draft = draft_study(path, folder=tmp_path / "data")
        assert draft.path.parent.name == "my_survey_final_2025"
        assert open_study(draft.path).name == "my_survey_final_2025"
        with pytest.raises(cx.SurveyError) as fault:
            draft_study(path, folder=tmp_path / "data", name="Café")
        assert str(fault.value) == "name is 'Café'; only small letters, digits, - and _ (it names a folder)."

    def test_reader_options_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "big5.csv"
        pd.DataFrame({"推薦": ratings()["q1"], "nps": ratings()["q1"]}).to_csv(path, index=False, encoding="big5")
        draft = draft_study(path, folder=tmp_path / "data", reader={"encoding": "big5"})
        assert yaml.safe_load(draft.path.read_text(encoding="utf-8"))["reader"] == {"encoding": "big5"}
        assert "推薦" in open_study(draft.path).data.data

    def test_comments_of_the_file_follow_the_language(self, tmp_path: Path) -> None:
        path = csv(tmp_path, nps=np.tile(np.arange(11), 20))
        cx.set_language("zh")
        try:
            text = draft_study(path, folder=tmp_path / "data").path.read_text(encoding="utf-8")
        finally:
            cx.set_language("en")
        assert "recommend: nps  # 确定：列名如此表明；答案为 0–10" in text


@pytest.mark.parametrize("value", ["no", "1", "a: b", "x # y", "", "中文", 1.0, 2.5, [1.0, "on"], {"a": [1.0]}, True])
def test_flow_is_read_back_as_it_was(value: Any) -> None:
    assert yaml.safe_load(f"k: {flow(value)}") == {"k": value}
    assert "\n" not in flow(value)


KINDS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "0-10": lambda r, n: r.integers(0, 11, n),
    "1-5": lambda r, n: r.integers(1, 6, n),
    "few": lambda r, n: r.integers(1, 4, n),
    "coded": lambda r, n: np.where(r.random(n) < 0.1, r.choice([98, 99, -1]), r.integers(0, 11, n)),
    "weights": lambda r, n: r.uniform(0.2, 3, n).round(4),
    "text": lambda r, n: r.choice(["very good", "bad", "don't know", ""], n),
    "gaps": lambda r, n: np.where(r.random(n) < 0.3, np.nan, r.integers(0, 11, n)),
    "same": lambda r, n: np.full(n, 3),
    "dates": lambda r, n: pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d"),
    "ids": lambda r, n: np.arange(n),
}
NAMES = [
    "satisfaction",
    "nps",
    "q1",
    "q2",
    "q3",
    "q4_1",
    "q4_2",
    "q4_3",
    "sat_1",
    "sat_2",
    "weight",
    "wave",
    "month",
    "id",
    "gender",
    "region",
    "stratum",
    "psu",
    "comment",
    "effort",
    "rebuy",
    "no",
    "price",
    "CUSA1",
    "PERQ1",
    "IMAG1",
    "PERV1",
    "满意度",
    "权重",
    "booking",
    "booking_expected",
    "parking",
    "parking_expected",
    "info",
    "info_expected",
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(KINDS)), min_size=2, max_size=14),
    rows=st.sampled_from([3, 40, 250]),
    seed=st.integers(0, 10**6),
)
def test_whatever_the_file_a_sound_study_or_a_plain_error(
    columns: dict[str, str], rows: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rng = np.random.default_rng(seed)
    path = csv(folder, **{name: KINDS[kind](rng, rows) for name, kind in columns.items()})
    try:
        draft = draft_study(path, folder=folder)
    except cx.StudyError:
        raise  # a draft that does not pass its own check
    except cx.SurveyError:
        return
    assert open_study(draft.path).survey() is not None
