"""The monthly report: every number traced to its fact, ten questions answered, planted truths said."""

from __future__ import annotations

import json
import math
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import cxlab as cx
from cxlab.errors import DataCheckError
from cxlab.report import make_report
from cxlab.report.answers import care
from cxlab.report.monthly import MonthlyReport
from cxlab.report.page import capital
from cxlab.report.texts import NEEDS, QUESTIONS

ROOT = Path(__file__).parents[1]
DEMO, MOBI = ROOT / "data" / "healthcheck" / "study.yml", ROOT / "data" / "mobi" / "study.yml"
PAGES = ("verdict", "data_quality", "score_card", "touch_points", "key_drivers", "segment_comparison", "limits")


def _report(study: Path, **options: Any) -> MonthlyReport:
    made = MonthlyReport(cx.open_study(study), replicates=options.pop("replicates", 200), **options)
    for page in PAGES:
        getattr(made, page)()
    return made


@pytest.fixture(scope="module")
def demo() -> MonthlyReport:
    return _report(DEMO)


@pytest.fixture(scope="module")
def mobi() -> MonthlyReport:
    return _report(MOBI)


@pytest.fixture(
    scope="module", params=[(DEMO, "en"), (DEMO, "zh"), (MOBI, "en")], ids=["demo-en", "demo-zh", "mobi-en"]
)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    study, lang = request.param
    return make_report(study, lang=lang, out=tmp_path_factory.mktemp("reports"), progress=False)


# ------------------------------------------------------------------ numbers
def _printed(value: Any, spec: str) -> str:
    """Print a number as the report should, written a second time and differently."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return _printed(value["value"], value["spec"]) + value["unit"]
    if isinstance(value, str):
        first, rest = value[:1], value[1:]
        lowered = first.lower() + rest if rest[:1].islower() else value
        return {"cap": first.upper() + rest, "in": lowered}.get(spec, value)
    if spec == "p":
        return "p < .001" if value < 0.001 else "p = " + f"{value:.3f}".removeprefix("0")
    if spec in ("pp", "pt"):
        value, spec = 100 * value, {"pp": "+.1f", "pt": ".1f"}[spec]
    match = re.fullmatch(r"(\+?)(,?)(?:\.(\d))?([f%]?)", spec)
    assert match, spec
    sign, comma, digits, kind = match.groups()
    places = int(digits or 0)
    rounded = f"{abs(value) * (100 if kind == '%' else 1):{comma}.{places}f}"
    zero = float(rounded.replace(",", "")) == 0
    mark = "" if zero else "−" if value < 0 else "+" if sign else ""
    return mark + rounded + ("%" if kind == "%" else "")


def _recomputed(fact: dict[str, Any]) -> str:
    if fact["kind"] == "cell":
        text = _printed(fact["value"], fact["spec"])
        return re.sub(r"^p (= )?", "", text) + fact["unit"]
    if fact["kind"] == "label":
        return fact["text"]
    parts = []
    for literal, name, spec, _ in string.Formatter().parse(fact["template"]):
        parts += [literal] if name is None else [literal, _printed(fact["values"][name], spec or "")]
    return "".join(parts)


def test_every_fact_is_recomputed_from_its_values(published: Path) -> None:
    facts = json.loads((published / "facts.json").read_text(encoding="utf-8"))["facts"]
    assert len(facts) > 100
    wrong = [(f["text"], _recomputed(f)) for f in facts if _recomputed(f) != f["text"]]
    assert wrong == []


def test_every_number_of_the_page_is_a_fact(published: Path) -> None:
    facts = json.loads((published / "facts.json").read_text(encoding="utf-8"))["facts"]
    known = {" ".join(f["text"].split()) for f in facts}
    page = BeautifulSoup((published / "report.html").read_text(encoding="utf-8"), "html.parser")
    main = page.find("main")
    assert main is not None
    shown = [(node, " ".join(node.split())) for node in main.find_all(string=re.compile(r"\d"))]
    assert len(shown) > 100
    # headings of columns are fixed words ("Effect per +1"), not findings
    untraced = [text for node, text in shown if text not in known and node.find_parent("th") is None]
    assert untraced == []


def test_sentences_hold_no_typed_numbers(published: Path) -> None:
    """A number in a wording itself is a convention (95 %, R²), never a finding."""
    facts = json.loads((published / "facts.json").read_text(encoding="utf-8"))["facts"]
    typed = set()
    for fact in facts:
        if "template" in fact:
            literal = "".join(t for t, *_ in string.Formatter().parse(fact["template"]))
            typed |= set(re.findall(r"\d[\d.,]*", literal))
    assert typed <= {"95", "95th", "2020", "1", "100", "0"}, typed


def test_facts_are_the_library_s(demo: MonthlyReport) -> None:
    survey = cx.open_study(DEMO).survey("latest")
    values = {r.metric: r.estimate for r in demo.scorecard.rows()}
    assert values["nps"] == pytest.approx(cx.nps(survey).table["estimate"][0], rel=1e-12)
    assert values["csat"] == pytest.approx(cx.csat(survey).table["estimate"][0], rel=1e-12)
    weights, answers = survey.weights[survey.domain], survey.values("satisfaction")[survey.domain]
    known = np.isfinite(answers)
    assert values["satisfaction"] == pytest.approx(np.average(answers[known], weights=weights[known]), rel=1e-12)


# ------------------------------------------------------------------ ten questions
def _answers(report: MonthlyReport) -> dict[str, dict[str, Any]]:
    return {f["question"]: f for page in report.pages for f in page.facts if f["kind"] == "answer"}


def test_ten_questions_are_answered_in_both_languages_with_the_same_numbers(demo: MonthlyReport) -> None:
    english, chinese = _answers(demo), _answers(_report(DEMO, lang="zh"))
    assert set(english) == set(chinese) == set(QUESTIONS)
    assert len(QUESTIONS) == 10

    def numbers(fact: dict[str, Any]) -> list[float]:
        flat = [v["value"] if isinstance(v, dict) else v for v in fact["values"].values()]
        return sorted(v for v in flat if isinstance(v, (int, float)))

    for key, answer in english.items():
        assert answer["text"], key
        assert re.search("[一-鿿]", chinese[key]["text"]), key
        assert numbers(answer) == numbers(chinese[key]), key


def test_the_demo_study_s_truths_are_said(demo: MonthlyReport) -> None:
    said = {key: fact["text"] for key, fact in _answers(demo).items()}
    assert (
        said["answered"]
        == "400 customers answered in December 2025; after weighting, results are as precise as from 341 (effective base)."
    )
    assert said["worst"].startswith("Queueing is the worst-rated touchpoint: ")
    assert said["drives"].startswith("Queueing has the highest importance for overall satisfaction: ")
    assert re.fullmatch(
        r"Gold: overall satisfaction is 5\.\d\d, 1\.\d\d below ordinary, the next group \(95% interval .*, Holm p < \.001\)\. "
        "The total hides a crisis there; see “Segments compared”\\.",
        said["unhappy"],
    )
    assert said["fix"].startswith("Queueing promises most: ")


# ------------------------------------------------------------------ segments
def _texts(report: MonthlyReport, kind: str) -> list[str]:
    return [f["text"] for p in report.pages if p.key == "segments" for f in p.facts if f["kind"] == kind]


@pytest.mark.parametrize("wave", ["2025-10", "2025-11", "2025-12"])
def test_the_last_months_raise_the_alarm_for_gold_alone(wave: str) -> None:
    """Truths 1 and 2: gold's privileges and its falling satisfaction, behind a level total."""
    report = MonthlyReport(cx.open_study(DEMO), wave=wave)
    report.segment_comparison()
    assert report.pages[0].title.text == (
        "Hidden crisis: gold behind in changing room, parking, reception and overall satisfaction, while the total stays level"
    )
    said = [s for s in _texts(report, "sentence") if "the total hardly moved" in s]
    assert [s.partition(":")[0] for s in said] == ["Changing room", "Parking", "Reception", "Overall satisfaction"]
    assert all("gold" in s and "ordinary" not in s and "diamond" not in s for s in said)
    follows = next(s for s in _texts(report, "sentence") if s.startswith("Consequences for gold"))
    assert {"recommendation", "trust in the clinic"} <= set(re.split(r": |, |\.", follows))
    assert any(s.startswith("At risk: gold, 2") for s in _texts(report, "sentence"))


def test_the_alarm_has_the_library_s_numbers(demo: MonthlyReport) -> None:
    survey = cx.open_study(DEMO).survey("last:18")
    rows = cx.hidden_crisis(survey, "card").causes.set_index("item")
    facts = {f["values"]["item"]: f["values"] for p in demo.pages for f in p.facts if "hardly moved" in f["text"]}
    assert len(facts) == 4
    for item in rows.index:
        values = facts[survey.label(item, "en")]
        assert values["gap"]["value"] == pytest.approx(-rows.loc[item, "estimate"], rel=1e-12)
        assert values["total"]["value"] == pytest.approx(rows.loc[item, "total"], rel=1e-12)
        assert values["p"] == pytest.approx(rows.loc[item, "p_holm"], rel=1e-12)
        assert values["low"]["value"] < values["gap"]["value"] < values["high"]["value"]
    assert facts["Overall satisfaction"]["before"] == "July–December 2024"


def test_the_unhappy_group_is_compared_with_the_next_one(demo: MonthlyReport) -> None:
    found = cx.compare_segments(demo.rolling, "card", list(demo.segments.kinds))
    gap = found.table.query("item == 'satisfaction' and segment == 2 and other == 1").iloc[0]
    values = _answers(demo)["unhappy"]["values"]
    assert (values["segment"], values["other"]) == ("gold", "ordinary")
    assert values["gap"]["value"] == pytest.approx(-gap["estimate"], rel=1e-12)
    assert values["p"] == pytest.approx(gap["p_value"], rel=1e-12)
    assert abs(gap["estimate"]) <= abs(
        found.table.query("item == 'satisfaction' and segment == 3 and other == 2")["estimate"].iloc[0]
    )


def test_the_segment_page_in_chinese(demo: MonthlyReport) -> None:
    chinese = MonthlyReport(cx.open_study(DEMO), lang="zh")
    chinese.segment_comparison()
    assert chinese.pages[0].title.text == "隐藏的危机：总体平稳，但金卡在更衣、停车、前台接待、总体满意度上明显落后"
    said, english = _texts(chinese, "sentence"), _texts(demo, "sentence")
    assert len(said) == len(english)
    assert "从2024年7月至12月到2025年7月至12月，金卡变动" in said[4]

    def digits(text: str) -> list[str]:
        return re.findall(r"[+−]?\d+\.\d+", text)

    assert [digits(s) for s in said] == [digits(s) for s in english]


def _grouped_study(folder: Path, fall: float) -> Path:
    """Two groups of 400 and 80 in each of six waves; in the smaller one queueing is worse by so much."""
    rng = np.random.default_rng(9)
    df = pd.DataFrame({"wave": np.repeat(np.arange(1, 7), 480), "age": np.tile(np.repeat([1, 2], [400, 80]), 6)})
    for item in ("queue", "doctor"):
        df[item] = rng.integers(5, 10, len(df)) - fall * ((df["age"] == 2) & (item == "queue"))
    df["satisfaction"] = rng.integers(4, 10, len(df))
    df.to_csv(folder / "data.csv", index=False)
    (folder / "study.yml").write_text(
        "study: grouped\ndata: data.csv\nwave: {column: wave, period: month}\noutcomes: {satisfaction: satisfaction}\n"
        "drivers: {value: [queue, doctor]}\nsegments: [age]\njourney:\n  - stage: during\n    touchpoints:\n"
        "      - {name: queue, owner: desk, item: queue}\n      - {name: doctor, owner: desk, item: doctor}\n"
        "items:\n  age: {labels: {en: Age, zh: 年龄}, values: {1: {en: under 50, zh: 50岁以下}, 2: {en: 50 and over, zh: 50岁及以上}}}\n"
        "  queue: {scale: [0, 10]}\n  doctor: {scale: [0, 10]}\n  satisfaction: {scale: [0, 10]}\n",
        encoding="utf-8",
    )
    return folder / "study.yml"


def test_no_crisis_is_said_with_what_could_have_been_found(tmp_path: Path) -> None:
    report = MonthlyReport(cx.open_study(_grouped_study(tmp_path, 0.0)))
    report.segment_comparison()
    assert report.pages[0].title.text == "No group of age differs from another in satisfaction beyond chance"
    first, second = _texts(report, "sentence")
    assert re.fullmatch(
        r"No group of age is worse off than another in satisfaction beyond chance; a gap of 0\.\d\d would have shown with 80% power\.",
        first,
    )
    tested = report.crisis.table["p_raw"].notna()
    size = (report.crisis.table["detectable"] / report.crisis.table["delta"])[tested].median()
    assert second == (
        f"No hidden crisis: in none of 12 checks is a group worse off behind a level total. Half of the checks would have shown a gap of "
        f"{size:.1f} × the tolerance δ with 80% power."
    )


def test_a_group_that_is_no_customer_label_and_an_obvious_gap(tmp_path: Path) -> None:
    report = MonthlyReport(cx.open_study(_grouped_study(tmp_path, 1.0)))
    report.segment_comparison()
    assert report.pages[0].title.text == "Hidden crisis: 50 and over behind in queue, while the total stays level"
    said = " ".join(_texts(report, "sentence"))
    assert "Queue: 50 and over is 1.0" in said
    assert "50 and over customers" not in said
    assert "is behind every other group" not in said  # the crisis has told it already


def test_a_shock_is_reported_as_real() -> None:
    """Truth 9: the report fell by 1.5 points in wave 15, and satisfaction with it."""
    shock = _report(DEMO, wave="2025-03", replicates=100)
    said = {key: fact["text"] for key, fact in _answers(shock).items()}
    assert re.match(
        r"Since February 2025, \d+ of 17 key figures and touchpoints moved by more than chance: .*Report",
        said["changed"],
    )
    assert said["real"].startswith("Yes for ")
    assert shock.pages[0].title.text.startswith("Overall satisfaction at ")
    # the base of one wave need not carry the fall of satisfaction, but then the title still says what fell
    row = next(r for r in shock.scorecard.rows() if r.metric == "satisfaction")
    assert row.change < 0
    assert (": down 0." in shock.pages[0].title.text) == (row.p_value < 0.05)
    assert row.p_value < 0.05 or "what moved: Report (down)" in shock.pages[0].title.text
    assert any(f["text"].startswith("Report changed by −1.") for p in shock.pages for f in p.facts)


def test_labels_of_their_own_are_capitalised() -> None:
    shown = [capital(text) for text in ("gold", "under 35", "iPhone", "NPS", "p", "p 值", "50 and over", "金卡")]
    assert shown == ["Gold", "Under 35", "iPhone", "NPS", "p", "p 值", "50 and over", "金卡"]


def test_what_needs_care_is_complete(demo: MonthlyReport, mobi: MonthlyReport) -> None:
    """Lost answers, drivers set aside, noise and doubtful questionnaires of the demo; no weights in mobi."""
    found = care(demo)
    assert {"lost", "aside", "noise", "doubtful"} <= set(found)
    assert "Parking" in found["aside"].text
    assert "unweighted" not in found
    assert "unweighted" in care(mobi)
    assert ("order" in found) == bool((demo.drivers.table["rank_low"] == 1).sum() > 1)


def test_points_of_a_share_have_their_unit(demo: MonthlyReport) -> None:
    cells = [f for p in demo.pages for f in p.facts if f["kind"] == "cell" and f["spec"] in ("pp", "pt")]
    assert len(cells) > 5
    assert all(f["text"].endswith(" pp") for f in cells)


def test_the_first_wave_has_nothing_to_compare_with() -> None:
    first = _report(DEMO, wave="2024-01", replicates=100)
    said = {key: fact["text"] for key, fact in _answers(first).items()}
    assert said["changed"] == said["real"] == "There is no earlier wave to compare with."
    assert first.change is None


# ------------------------------------------------------------------ what a study lacks
def test_pages_without_inputs_are_one_line(mobi: MonthlyReport) -> None:
    titles = {page.key: page.title.text for page in mobi.pages}
    assert titles["touchpoints"] == NEEDS["touchpoints"]["en"]
    assert titles["segments"] == NEEDS["segments"]["en"]
    assert "its lead over 9 other drivers is not settled" in titles["drivers"]
    html = next(p for p in mobi.pages if p.key == "touchpoints")._repr_html_()
    assert html.count("<p>") == 1
    assert "class='page missing'" in html


def test_a_drafted_study_makes_a_report(tmp_path: Path) -> None:
    drafted = cx.draft_study(MOBI.parent / "mobi.csv", name="stranger", folder=tmp_path)
    report = _report(Path(drafted.path), replicates=100)
    assert report.base.respondents == 250
    assert "Satisfaction" in report.pages[0].title.text or "stands at" in report.pages[0].title.text
    assert report.drivers is not None


def _small_study(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    rng = np.random.default_rng(5)
    df = pd.DataFrame(rng.integers(0, 11, size=(260, 4)), columns=["queue", "doctor", "meal", "satisfaction"])
    df["wave"] = np.repeat([1, 2], 130)
    df["weight"] = rng.uniform(0.5, 1.5, len(df))
    change(df).to_csv(folder / "data.csv", index=False)
    (folder / "study.yml").write_text(
        "study: small\ndata: data.csv\nwave: {column: wave, period: month}\ndesign: {weight: weight}\n"
        "outcomes: {satisfaction: satisfaction}\ndrivers: {value: [queue, doctor, meal]}\n"
        "items: {satisfaction: {scale: [0, 10]}, queue: {scale: [0, 10]}, doctor: {scale: [0, 10]}, meal: {scale: [0, 10]}}\n",
        encoding="utf-8",
    )
    return folder / "study.yml"


def test_a_wave_of_twelve_people_is_refused(tmp_path: Path) -> None:
    study = _small_study(tmp_path, lambda df: df.iloc[:142])
    with pytest.raises(DataCheckError) as error:
        MonthlyReport(cx.open_study(study))
    effective = re.search(r"effective base (\d+)", str(error.value))
    assert effective
    assert 9 <= int(effective[1]) <= 12
    assert str(error.value) == (
        f"wave '2' has 12 respondents (effective base {effective[1]}); a report needs an effective base of at least 30: "
        "wait for more answers, or report another wave."
    )
    assert MonthlyReport(cx.open_study(study), wave=1).base.respondents == 130


def test_drivers_that_cannot_be_computed_shrink_their_page(tmp_path: Path) -> None:
    study = _small_study(tmp_path, lambda df: df.assign(queue=np.where(df.index < 258, np.nan, df["queue"])))
    report = _report(study, replicates=100)
    drivers = next(p for p in report.pages if p.key == "drivers")
    assert drivers.title.text.startswith("drivers: 2 of 260 respondents answered all 3 drivers and 'satisfaction'")
    assert "drives" in _answers(report)


def test_facts_are_finite_json(demo: MonthlyReport, tmp_path: Path) -> None:
    demo.write_facts(tmp_path / "facts.json")
    facts = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert (facts["study"], facts["wave"], facts["lang"]) == ("healthcheck", "2025-12", "en")
    values = [f["value"] for f in facts["facts"] if f["kind"] == "cell"]
    assert all(math.isfinite(v) for v in values)
