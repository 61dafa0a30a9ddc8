"""Study files: what they declare, and every way in which they can be wrong."""

from __future__ import annotations

import copy
import os
import re
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.errors import DataCheckError, DataWarning, StudyError, SurveyError
from cxlab.study import check_study, open_study
from cxlab.study._locate import locate

STUDIES = Path(__file__).parent / "studies"
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """Copy of a sound study: 120 respondents, four waves, three cards."""
    return Path(shutil.copytree(STUDIES / "clinic", tmp_path / "clinic"))


@pytest.fixture(scope="module")
def study() -> cx.Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return open_study(STUDIES / "clinic")


def change(folder: Path, *pairs: tuple[str, str]) -> list[str]:
    """Replace texts in the study file, each of which must be there, and check it."""
    file = folder / "study.yml"
    text = file.read_text()
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text)
    return check_study(folder)


def small(folder: Path, yml: str, **files: str) -> Path:
    """Write a study of a few lines and its data files (``a_csv`` is a.csv)."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_csv", ".csv")).write_text(text)
    (folder / "study.yml").write_text(yml)
    return folder


# ---------------------------------------------------------------------- what a study gives
def test_codes_are_masked_only_outside_the_scale(study: cx.Study) -> None:
    raw = pd.read_csv(STUDIES / "clinic" / "responses.csv")
    survey = study.survey()
    assert survey.data["booking"].isna().sum() == (raw["booking"] == 98).sum() > 0
    assert survey.missing_reasons["queue"].dropna().unique().tolist() == [99.0]
    assert survey.codebook["queue"].missing == {98.0: "not experienced", 99.0: "refused"}
    # An age of 98 is an answer, and so is every number in a column of the design.
    assert (survey.data["age"] == 98).sum() == (raw["age"] == 98).sum() > 0
    assert not survey.codebook["age"].missing
    assert not survey.codebook["customer"].missing


def test_a_code_that_stays_an_answer_is_a_warning_and_a_note(clinic: Path) -> None:
    said = "Code 98 (not experienced) also occurs in age, whose scale is not known; there it stays an answer."
    with pytest.warns(DataWarning) as caught:
        opened = open_study(clinic)
    assert [str(w.message) for w in caught] == [said]
    assert said in opened.notes


def test_labels_scales_and_directions_come_from_study_codebook_and_file(study: cx.Study) -> None:
    items = study.data.codebook
    assert items["queue"].labels == {"en": "Queue", "zh": "排队等候"}  # items: goes before codebook.csv
    assert items["card"].values[2.0] == {"en": "gold", "zh": "金卡"}
    assert items["sat1"].scale == (1.0, 5.0)
    assert not items["effort"].higher_is_better
    assert items["doctor"].higher_is_better
    assert study.roles.touchpoints[1].label("zh") == "排队等候"
    assert study.labels["Contact centre"] == {"en": "Contact centre", "zh": "客服中心"}


def test_a_role_of_several_items_is_their_mean_on_0_to_100(study: cx.Study) -> None:
    raw = pd.read_csv(STUDIES / "clinic" / "responses.csv")
    expected = ((raw["sat1"] - 1) / 4 * 100 + (raw["sat2"] - 1) / 4 * 100) / 2
    np.testing.assert_allclose(study.data.values("satisfaction"), expected, atol=1e-12)


def test_derived_and_recoded_items(study: cx.Study) -> None:
    raw = pd.read_csv(STUDIES / "clinic" / "responses.csv")
    data, items = study.data.data, study.data.codebook
    expected = np.where(raw["booking"] == 98, np.nan, (raw["booking"] + raw["doctor"]) / 2)
    np.testing.assert_allclose(data["service"], expected)
    np.testing.assert_allclose(data["service_gap"], expected - 5)  # needs service, made before it
    assert items["service"].scale == (0.0, 10.0)  # a plain mean keeps the scale of its items
    assert items["service_gap"].scale == (-5.0, 5.0)  # declared under items:
    age = raw["age"]
    assert data["age_group"].tolist() == np.select([age < 35, age < 60], [1.0, 2.0], 3.0).tolist()
    assert [items["age_group"].value_label(c, "zh") for c in (1.0, 2.0, 3.0)] == ["18–34岁", "35–59", "≥ 60"]
    assert items["young"].value_label(1.0, "en") == "Yes"  # YAML 1.1 would read it as true
    lost = int((data["age_group"] == 3).sum())
    assert f"young: {lost} answers of age_group fall into no group and are missing." in study.notes


def test_roles_and_design(study: cx.Study) -> None:
    roles, survey = study.roles, study.survey()
    assert roles.drivers == {"value": ("booking", "doctor"), "price": ("fair",), "sensory": ("queue",)}
    assert survey.design.columns() == {"weight": "w", "stratum": "card", "psu": "customer"}
    assert roles.battery == ("booking", "queue", "doctor")
    assert study.targets == {"nps": 10, "satisfaction": 75, "queue": 7}
    assert study.title == {"en": "Clinic", "zh": "体检中心"}
    assert study.period == "month"
    assert "respondents 120, waves 4 (2025-09 … 2025-12), outcomes 3, drivers 4" in repr(study)
    assert study.summary("zh") == "受访者 120，期次 4（2025-09 至 2025-12），结果指标 3，驱动因素 4，细分变量 3，触点 3"


def test_drivers_without_block(tmp_path: Path) -> None:
    folder = small(tmp_path / "s", "study: s\ndata: a.csv\ndrivers: {value: [x], none: [y]}\n", a_csv="x,y\n1,2\n3,4\n")
    assert open_study(folder).roles.drivers == {"value": ("x",), "": ("y",)}


@pytest.mark.parametrize(
    ("wave", "until", "waves"),
    [
        (None, None, [1, 2, 3, 4]), ("all", None, [1, 2, 3, 4]), ("latest", None, [4]), ("2025-10", None, [2]),
        (3, None, [3]), (["2025-09", "2025-12"], None, [1, 4]), ("last:2", None, [3, 4]),
        ("last:2", "2025-11", [2, 3]), ("last:6", "2025-10", [1, 2]), (None, "2025-11", [1, 2, 3]),
        ("latest", "2025-11", [3]),
    ],
)  # fmt: skip
def test_waves_are_domains(study: cx.Study, wave: object, until: str | None, waves: list[int]) -> None:
    survey = study.survey(wave, until=until)
    assert sorted(survey.data["month"][survey.domain].unique()) == waves
    assert len(survey) == 30 * len(waves)
    assert survey.data is study.data.data  # nothing is copied, and variances see everybody


def test_a_short_window_says_so(study: cx.Study) -> None:
    assert study.survey("last:6", until="2025-10").notes[-1] == "last:6: the study has only 2 waves up to 2025-10."
    assert study.survey("last:2").notes == study.notes


def test_neighbouring_waves(study: cx.Study) -> None:
    assert [w.label for w in study.waves] == ["2025-09", "2025-10", "2025-11", "2025-12"]
    assert study.previous("2025-12").label == "2025-11"
    assert study.previous(steps=3).label == "2025-09"
    assert study.previous("2025-09") is None
    assert study.wave(study.waves[1]).label == "2025-10"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"wave": "2025-21"},
            "wave '2025-21' is not in the study 'clinic'; it has 2025-09, 2025-10, 2025-11, 2025-12 "
            "(did you mean '2025-12'?).",
        ),
        (
            {"wave": "2025-12", "until": "2025-11"},
            "until goes with wave=None, 'latest' or 'last:6', not with '2025-12'.",
        ),
        ({"wave": []}, "wave is an empty list; name a wave, or leave it out."),
    ],
)
def test_wrong_waves(study: cx.Study, arguments: dict, message: str) -> None:
    with pytest.raises(SurveyError) as raised:
        study.survey(**arguments)
    assert str(raised.value) == message


def test_a_study_without_waves_says_so(tmp_path: Path) -> None:
    opened = open_study(small(tmp_path / "s", "study: s\ndata: a.csv\n", a_csv="x\n1\n2\n"))
    assert opened.waves == []
    assert len(opened.survey("all")) == 2
    with pytest.raises(SurveyError) as raised:
        opened.survey("latest")
    assert str(raised.value) == "wave is 'latest', but the study 's' declares no waves; leave wave out."


def test_linked_tables(study: cx.Study, clinic: Path) -> None:
    table = study.table("customers")
    assert table.shape == (60, 3)
    assert table["since"].iloc[0] == pd.Timestamp("2024-01-01")
    with pytest.raises(SurveyError) as raised:
        study.table("custmers")
    assert str(raised.value) == "table is 'custmers'; allowed: 'customers' (did you mean 'customers'?)."
    text = (clinic / "customers.csv").read_text().replace("2024-01-01", "soon", 1)
    (clinic / "customers.csv").write_text(text)
    with pytest.warns(DataWarning), pytest.raises(SurveyError) as raised:
        open_study(clinic).table("customers")
    assert (
        str(raised.value) == "tables.customers.date: 1 values of 'since' are no dates, e.g. 'soon'; write 2025-12-31."
    )


# ---------------------------------------------------------------------- several files
WAVES = """\
study: w
data: waves/*.csv
wave: {from_file: '(?P<wave>\\d{4}-\\d{2})', period: month}
"""


def test_wave_files_are_put_under_one_another(tmp_path: Path) -> None:
    (tmp_path / "waves").mkdir()
    (tmp_path / "waves" / "b 2025-01.csv").write_text("q1,q2,date\n1,7,2025-01-03\n2,,2025-01-04\n")
    (tmp_path / "waves" / "a 2025-02.csv").write_text("q2,q1,q3\n5,3,\n6,4,good\n")
    survey = open_study(small(tmp_path, WAVES)).survey()
    assert survey.data["q1"].tolist() == [3, 4, 1, 2]
    np.testing.assert_equal(survey.data["q2"].to_numpy(), [5, 6, 7, np.nan])
    assert survey.data["q3"].isna().tolist() == [True, False, True, True]
    assert str(survey.data["date"].dtype).startswith("datetime64")
    # The wave is in order of its text, not of the files.
    assert [(w.code, w.label) for w in survey.levels("wave")] == [(1.0, "2025-01"), (2.0, "2025-02")]
    assert survey.data["wave"].tolist() == [2, 2, 1, 1]
    assert survey.notes == (
        "a 2025-02.csv has no column date; missing for its 2 respondents.",
        "b 2025-01.csv has no column q3; missing for its 2 respondents.",
    )


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    yml = "study: w\ndata: [a.csv, b.csv]\nsegments: [card]\n"
    folder = small(tmp_path, yml, a_csv="card,q1\n1,3\n2,4\n", b_csv="card,q1\ngold,3\nplain,2\n")
    assert check_study(folder) == [
        "study.yml:2: data do not fit together: column 'card' holds numbers in a.csv and text in b.csv."
    ]


def test_value_labels_that_contradict_each_other(tmp_path: Path) -> None:
    for name, labels in (("one", {1.0: "plain", 2.0: "gold"}), ("two", {1.0: "Plain ", 2.0: "diamond"})):
        survey = cx.Survey.from_frame(pd.DataFrame({"card": [1.0, 2.0], "q": [3.0, 4.0]}))
        item = survey.codebook["card"].__class__("card", values={c: {"und": t} for c, t in labels.items()})
        from dataclasses import replace

        replace(survey, codebook=survey.codebook.with_items(item)).to_sav(tmp_path / f"{name}.sav")
    folder = small(tmp_path, "study: w\ndata: [one.sav, two.sav]\n")
    assert check_study(folder) == [
        "study.yml:2: data contradict each other: 'card' 2 is 'gold' in one.sav and 'diamond' in two.sav; "
        "correct a file, or say what the codes mean under items.card.values."
    ]
    small(tmp_path, "study: w\ndata: [one.sav, two.sav]\nitems: {card: {values: {1: plain, 2: gold}}}\n")
    assert open_study(folder).data.codebook["card"].value_label(2.0) == "gold"


def test_codes_that_one_file_declares_missing_are_missing_in_all(tmp_path: Path) -> None:
    from dataclasses import replace

    survey = cx.Survey.from_frame(pd.DataFrame({"q": [5.0, np.nan]}))
    item = replace(survey.codebook["q"], missing={9.0: "refused"})
    declared = replace(
        survey, codebook=survey.codebook.with_items(item), missing_reasons=pd.DataFrame({"q": [np.nan, 9.0]})
    )
    declared.to_sav(tmp_path / "one.sav")
    cx.Survey.from_frame(pd.DataFrame({"q": [9.0, 4.0]})).to_sav(tmp_path / "two.sav")
    whole = open_study(small(tmp_path, "study: w\ndata: [one.sav, two.sav]\n")).survey()
    np.testing.assert_equal(whole.data["q"].to_numpy(), [5, np.nan, np.nan, 4])
    np.testing.assert_equal(whole.missing_reasons["q"].to_numpy(), [np.nan, 9, 9, np.nan])
    assert whole.notes == ("q: 1 answers have a code that only some of the files declare missing; they are missing.",)


@pytest.mark.parametrize(
    ("period", "waves"),
    [
        ("week", ["2024-W52", "2025-W01", "2025-W06"]), ("month", ["2024-12", "2025-02"]),
        ("quarter", ["2024-Q4", "2025-Q1"]), ("half", ["2024-H2", "2025-H1"]), ("year", ["2024", "2025"]),
    ],
)  # fmt: skip
def test_waves_from_dates(tmp_path: Path, period: str, waves: list[str]) -> None:
    yml = f"study: w\ndata: a.csv\nwave: {{column: day, period: {period}}}\n"
    csv = "day,q\n2024-12-29,1\n2024-12-31,2\n2025-02-03,3\n"
    opened = open_study(small(tmp_path, yml, a_csv=csv))
    assert [w.label for w in opened.waves] == waves
    assert opened.survey("latest").data.loc[opened.survey("latest").domain, "q"].tolist()[-1] == 3


@pytest.mark.parametrize(
    ("texts", "waves", "noted"),
    [
        (["2025-10", "2025-9", "2025-11"], ["2025-9", "2025-10", "2025-11"], False),
        (["W10", "W9"], ["W9", "W10"], False), (["2025年10月", "2025年9月"], ["2025年9月", "2025年10月"], False),
        (["12/2025", "01/2026"], ["01/2026", "12/2025"], True), (["May", "April"], ["April", "May"], True),
    ],
)  # fmt: skip
def test_waves_that_are_texts(tmp_path: Path, texts: list[str], waves: list[str], noted: bool) -> None:
    yml = "study: w\ndata: a.csv\nwave: {column: wave, period: month}\n"
    folder = small(tmp_path, yml, a_csv="wave,q\n" + "".join(f"{t},{k}\n" for k, t in enumerate(texts)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opened = open_study(folder)
    assert [w.label for w in opened.waves] == waves
    latest = opened.survey(waves[-1])
    assert latest.data["q"][latest.domain].tolist() == [texts.index(waves[-1])]
    said = f"The waves are texts and were taken in this order: {', '.join(waves)}. If it is wrong, give them codes with labels."
    assert (said in opened.notes) is noted
    assert [str(w.message) for w in caught] == [said] * noted


def test_waves_that_are_bare_numbers_or_share_a_label(tmp_path: Path) -> None:
    yml = "study: w\ndata: a.csv\nwave: {column: wave, period: month}\n"
    folder = small(tmp_path, yml, a_csv="wave,q\n20251001,1\n20251101,2\n")
    assert open_study(folder).survey("20251101").filter == ".where(wave=[20251101.0])"
    small(tmp_path, yml + "items: {wave: {values: {20251001: Autumn, 20251101: Autumn}}}\n")
    opened = open_study(folder)
    assert len(opened.survey(20251101)) == 1
    with pytest.raises(SurveyError) as raised:
        opened.survey("Autumn")
    assert str(raised.value) == "wave 'Autumn' stands for 2 codes of 'wave' (20251001, 20251101); name the code."


# ---------------------------------------------------------------------- scales that nobody declares
def answers(*runs: tuple[int, int], each: int = 12) -> str:
    values = [v for low, high in runs for v in range(low, high + 1) for _ in range(each)]
    return "q\n" + "\n".join(map(str, values)) + "\n"


@pytest.mark.parametrize(
    ("csv", "scale", "note"),
    [
        (answers((0, 10)), (0.0, 10.0), "The scale of q was taken from its answers: 0 to 10."),
        (answers((1, 5), each=20), (1.0, 5.0), "The scale of q was taken from its answers: 1 to 5."),
        (answers((-5, 5)), (-5.0, 5.0), "The scale of q was taken from its answers: −5 to 5."),
        # 0–10 without a zero looks like 1–10; 2–5 could be anything; 1–5 of few people proves nothing.
        (
            answers((1, 10)), None,
            "The scale of q is not known (its answers run from 1 to 10); declare it under items.",
        ),
        (answers((2, 5), each=30), None, "The scale of q is not known (its answers run from 2 to 5); declare it under items."),
        (answers((1, 5), each=2), None, "The scale of q is not known (its answers run from 1 to 5); declare it under items."),
    ],
)  # fmt: skip
def test_a_scale_is_taken_from_answers_only_without_doubt(
    tmp_path: Path, csv: str, scale: tuple[float, float] | None, note: str
) -> None:
    opened = open_study(small(tmp_path, "study: s\ndata: a.csv\noutcomes: {satisfaction: q}\n", a_csv=csv))
    assert opened.data.codebook["q"].scale == scale
    assert note in opened.notes


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ("{1: bad, 2: poor, 3: fair, 4: good}", (1.0, 4.0)), ("{0: bad, 10: good}", (0.0, 10.0)),
        ("{1: bad, 4: good, 99: refused}", (1.0, 4.0)),  # 99 is declared missing below
        ("{1: bad, 3: good}", None),  # the answer 4 lies outside
    ],
)  # fmt: skip
def test_a_scale_is_taken_from_labels_that_enclose_all_answers(
    tmp_path: Path, values: str, scale: tuple[float, float] | None
) -> None:
    yml = f"study: s\ndata: a.csv\nmissing: {{99: refused}}\noutcomes: {{satisfaction: q}}\nitems: {{q: {{values: {values}}}}}\n"
    opened = open_study(small(tmp_path, yml, a_csv="q\n1\n2\n3\n4\n2\n99\n"))
    assert opened.data.codebook["q"].scale == scale


# ---------------------------------------------------------------------- missing codes
def test_codes_beyond_a_rating_without_scale_are_missing(tmp_path: Path) -> None:
    yml = "study: s\ndata: a.csv\nmissing: {98: not experienced}\noutcomes: {satisfaction: q}\n"
    opened = open_study(small(tmp_path, yml, a_csv="q,spent\n3,98\n98,13\n9,400\n"))
    np.testing.assert_equal(opened.data.data["q"].to_numpy(), [3, np.nan, 9])
    assert opened.data.data["spent"].tolist() == [98, 13, 400]
    # Amounts lie on both sides of 98 here, so that a note will do.
    assert opened.notes[-1].startswith("Code 98 (not experienced) also occurs in spent, whose scale is not known;")


def test_the_long_form_reaches_only_its_items(tmp_path: Path) -> None:
    yml = "study: s\ndata: a.csv\nmissing:\n  - {9: refused}\n  - {codes: [3, 4], means: not asked, items: [b]}\n"
    yml += "items: {a: {scale: [1, 5]}, b: {scale: [1, 5]}}\n"
    data = open_study(small(tmp_path, yml, a_csv="a,b\n3,3\n9,4\n5,1\n")).data
    np.testing.assert_equal(data.data["a"].to_numpy(), [3, np.nan, 5])
    np.testing.assert_equal(data.data["b"].to_numpy(), [np.nan, np.nan, 1])
    assert data.codebook["b"].missing == {3.0: "not asked", 4.0: "not asked", 9.0: "refused"}


def test_a_code_that_is_also_an_answer_is_refused(tmp_path: Path) -> None:
    yml = "study: s\ndata: a.csv\nmissing:\n  98: not experienced\nitems: {share: {scale: [0, 100]}}\n"
    assert check_study(small(tmp_path, yml, a_csv="share\n98\n12\n")) == [
        "study.yml:4: missing.98 (not experienced) is also a valid answer of 'share' (scale 0 to 100); say which items "
        "mean it: {codes: [98], means: not experienced, items: [...]}."
    ]
    labels = "{1: bad, 2: fair, 3: good, 4: cannot complain}"  # the label of 4 is an answer, whatever missing says
    yml = f"study: s\ndata: a.csv\nmissing: {{4: refused}}\noutcomes: {{satisfaction: q}}\nitems: {{q: {{values: {labels}}}}}\n"
    assert check_study(small(tmp_path, yml, a_csv="q\n4\n1\n")) == [
        "study.yml:3: missing.4 (refused) is also a valid answer of 'q' (scale 1 to 4); say which items mean it: "
        "{codes: [4], means: refused, items: [...]}."
    ]


def test_labelled_codes_that_nobody_declares_are_reported_in_terms_of_the_study(tmp_path: Path) -> None:
    yml = "study: s\ndata: a.csv\nitems: {q: {scale: [0, 10], values: {97: Don't know}}}\n"
    folder = small(tmp_path, yml, a_csv="q\n97\n5\n")
    said = "Code 97 is labelled Don't know but not declared missing, so it counts as an answer: q. If it is none, "
    said += "write 97: don't know under missing."
    with pytest.warns(DataWarning) as caught:
        open_study(folder)
    assert [str(w.message) for w in caught] == [said]
    small(tmp_path, yml + "missing: {97: don't know}\n")
    assert open_study(folder).notes == ()


# ---------------------------------------------------------------------- faults
TWELVE = """\
study.yml:2: title.fr is not a language that cxlab speaks; allowed: 'en', 'zh'.
study.yml:6: wave.period is 'monthly'; allowed: 'week', 'month', 'quarter', 'half', 'year' (did you mean 'month'?).
study.yml:7: design.wieght is not a key of design; allowed: weight, stratum, psu, fpc, lonely (did you mean 'weight'?).
study.yml:15: drivers.value[1] is 'doctr', which is not a column of responses.csv (did you mean 'doctor'?).
study.yml:16: drivers.price[1] is 'sat2', which is the outcome 'satisfaction'; it cannot drive itself.
study.yml:17: drivers.sensory[1] is 'booking', which already stands in drivers.value; keep one.
study.yml:21: journey[0].touchpoints[0] ('booking') has no 'owner' (who answers for this touchpoint).
study.yml:23: segments[1] is 'gender', which is not a column of responses.csv.
study.yml:25: tables.customers.file is 'custmers.csv', and there is no such file in faults (did you mean 'customers.csv'?).
study.yml:26: targets.satisfction is no metric; allowed: nps, csat, satisfaction, recommend, or an item (did you mean \
'satisfaction'?).
study.yml:28: derived.service uses 'reception', which is not a column of responses.csv.
study.yml:34: recoded.age_group.bands[1] 34 to 59 overlaps with 18 to 34 (both ends belong to a band)."""


def test_twelve_faults_are_twelve_messages() -> None:
    assert "\n".join(check_study(STUDIES / "faults")) == TWELVE
    with pytest.raises(StudyError) as raised:
        open_study(STUDIES / "faults" / "study.yml")
    assert str(raised.value) == TWELVE
    assert len(raised.value.problems) == 12


ONE_FAULT = {
    "id": ("study: clinic", "study: My Clinic", "1: study is 'My Clinic'; only small letters, digits, - and _ (it names a folder)."),
    "no id": ("study: clinic\n", "", "1: the study has no 'study' (a short id of small letters, digits, - and _)."),
    "no data": ("data: responses.csv\n", "", "1: the study has no 'data' (the data file, a list of files, or a pattern such as waves/*.sav)."),
    "missing file": ("data: responses.csv", "data: response.csv", "3: data is 'response.csv', and there is no such file in clinic (did you mean 'responses.csv'?)."),
    "empty glob": ("data: responses.csv", "data: waves/*.sav", "3: data is 'waves/*.sav', and no file in clinic matches it."),
    "unreadable": ("data: responses.csv", "data: study.yml", "3: data is 'study.yml', which cannot be read: study.yml ends in '.yml'; files that can be read end in .sav .zsav .por .dta .sas7bdat .xpt .csv .tsv .txt .xlsx .parquet."),
    "no codebook": ("codebook: codebook.csv", "codebook: book.csv", "4: codebook is 'book.csv', and there is no such file in clinic (did you mean 'codebook.csv'?)."),
    "unknown section": ("segments: [", "segmnts: [", "30: segmnts is not a key of a study; allowed: study, data, title, reader, codebook, respondent, date, wave, design, missing, outcomes, drivers, layers, model, journey, segments, comments, marker, renewal, tables, targets, derived, recoded, items, quality, labels (did you mean 'segments'?)."),
    "twice": ("segments: [", "title: Clinic\nsegments: [", "30: title stands here a second time (first on line 2); keep one."),
    "wave column": ("column: month", "column: moth", "6: wave.column is 'moth', which is not a column of responses.csv (did you mean 'month'?)."),
    "no period": (", period: month", "", "6: wave has no 'period' (how often the survey is run: week, month, quarter, half or year)."),
    "no wave source": ("column: month, ", "", "6: wave needs exactly one of column and from_file."),
    "wave pattern": ("column: month,", "from_file: '(',", "6: wave.from_file is '(', not a regular expression: missing ), unterminated subpattern at position 0."),
    "wave not in name": ("column: month,", "from_file: '[0-9]+',", "6: wave.from_file is '[0-9]+', which does not match the file name 'responses.csv'."),
    "weight is text": ("weight: w,", "weight: comment,", "7: design.weight is 'comment', which holds text in responses.csv; numbers are needed."),
    "missing code": ("  98: not", "  ninety: not", "9: missing.ninety is 'ninety'; a number is needed."),
    "long form": ("  98: not experienced\n  99: refused", "  codes: [8]\n  items: [queue]", "8: missing needs codes and means, e.g. {codes: [8, 9], means: refused, items: [q1]}."),
    "text as renewal": ("sensory: [queue]", "sensory: [queue]\nrenewal: comment", "19: renewal is 'comment', which holds text in responses.csv; numbers are needed."),
    "text as marker": ("sensory: [queue]", "sensory: [queue]\nmarker: comment", "19: marker is 'comment', which holds text in responses.csv; numbers are needed."),
    "unknown marker": ("sensory: [queue]", "sensory: [queue]\nmarker: blue", "19: marker is 'blue', which is not a column of responses.csv."),
    "text as driver": ("sensory: [queue]", "sensory: [queue, comment]", "18: drivers.sensory[1] is 'comment', which holds text in responses.csv; numbers are needed."),
    "dates as driver": ("sensory: [queue]", "sensory: [queue, visit_date]", "18: drivers.sensory[1] is 'visit_date', which holds dates in responses.csv; numbers are needed."),
    "list for mapping": ("experience: [", "experience: {a: b}\n  other: [", "20: layers.experience is {'a': 'b'}; a list is needed."),
    "outcome hides column": ("  effort: effort", "  fair: effort", "14: outcomes.fair stands for effort, but responses.csv has a column 'fair' of its own, which that name would mean; rename the outcome."),
    "scale": ("  recommend: recommend", "  recommend: {items: recommend, scale: [10, 0]}", "13: outcomes.recommend.scale is [10, 0]; the low end comes first, e.g. [0, 10]."),
    "half a scale": ("  recommend: recommend", "  recommend: {items: recommend, scale: [10]}", "13: outcomes.recommend.scale is [10]; a pair such as [0, 10] is needed."),
    "direction": ("  effort: effort", "  effort: {items: effort, higher_is_better: maybe}", "14: outcomes.effort.higher_is_better is 'maybe'; true or false is needed."),
    "touchpoint is a name": ("      - {name: queue, owner: Front desk, item: queue}", "      - queue", "28: journey[1].touchpoints[0] is 'queue'; a mapping is needed with the keys name, owner, item, expectation, emotion, labels."),
    "touchpoint twice": ("{name: doctor, owner: Medical, item: doctor}", "{name: queue, owner: Medical, item: doctor}", "29: journey[1].touchpoints[1].name is 'queue', as in the stage 'during'."),
    "stage without touchpoints": ("  - stage: during\n", "  - stage: arrival\n    touchpoints: []\n  - stage: during\n", "26: journey[1] ('arrival') has no touchpoints."),
    "table date": ("date: since", "date: sinse", "33: tables.customers.date is 'sinse', which is not a column of customers.csv (did you mean 'since'?)."),
    "table kind": ("file: customers.csv", "file: study.yml", "33: tables.customers.file is 'study.yml'; a linked table is a .csv file."),
    "target is text": ("nps: 10", "nps: ten", "34: targets.nps is 'ten'; a number is needed."),
    "csat in per cent": ("nps: 10", "csat: 60", "34: targets.csat is 60; a share between 0 and 1 is needed, e.g. 0.6."),
    "nps too high": ("nps: 10", "nps: 101", "34: targets.nps is 101; a number between -100 and 100 is needed."),
    "target off scale": ("queue: 7}", "queue: 70}", "34: targets.queue is 70, outside the scale 0 to 10."),
    "target off index": ("satisfaction: 75", "satisfaction: 750", "34: targets.satisfaction is 750, outside the scale 0 to 100 (several items)."),
    "expression": ("service: mean(booking, doctor)", "service: mean(booking", "36: derived.service is 'mean(booking' cannot be read as an expression: '(' was never closed."),
    "function": ("service: mean(booking, doctor)", "service: max(booking, doctor)", "36: derived.service cannot be computed: 'max(booking, doctor)' uses 'max(booking, doctor)'; allowed are names, numbers, quoted labels, comparisons, in [...], and, or, not, + - * / and mean(...)."),
    "circle": ("service: mean(booking, doctor)", "service: service_gap + 5", "36: derived.service needs itself: service, service_gap wait for one another."),
    "band upside down": ("{low: 35, high: 59}", "{low: 59, high: 35}", "44: recoded.age_group.bands[1] runs from 59 to 35; low comes first."),
    "bands and codes": ("  young: {from: age_group,", "  young: {from: age_group, bands: [{low: 1}],", "46: recoded.young needs exactly one of bands and codes."),
    "bands of text": ("    from: age\n", "    from: comment\n", "40: recoded.age_group.from is 'comment', which holds text in responses.csv; numbers are needed."),
    "language": ("  queue: {labels: {en: Queue}}", "  queue: {labels: {en: Queue, de: Schlange}}", "48: items.queue.labels.de is not a language that cxlab speaks; allowed: 'en', 'zh'."),
    "unknown item": ("  queue: {labels: {en: Queue}}", "  queu: {labels: {en: Queue}}", "48: items.queu is not a column of responses.csv (did you mean 'queue'?)."),
    "measure": ("  queue: {labels: {en: Queue}}", "  queue: {measure: ordnal}", "48: items.queue.measure is 'ordnal'; allowed: 'nominal', 'ordinal', 'scale' (did you mean 'ordinal'?)."),
    "reader": ("codebook: codebook.csv", "codebook: codebook.csv\nreader: {encodng: gbk}", "5: reader.encodng is not an option of read_survey; allowed: sheet, catalog, encoding, decimal, missing, multiple_response, keep_personal, cache (did you mean 'encoding'?)."),
    "indent": ("design: {", " design: {", "7: not valid YAML: while parsing a block mapping, expected <block end>, but found '<block mapping start>'."),
    "tab": ("  98: not", "\t98: not", "9: not valid YAML: while scanning for the next token, found character '\\t' that cannot start any token; indent with spaces, not tabs."),
    "tag": ("comments: comment", "comments: !!python/name:os.system comment", "31: comments has the tag 'tag:yaml.org,2002:python/name:os.system', which a study file cannot use."),
}  # fmt: skip


@pytest.mark.parametrize("fault", ONE_FAULT)
def test_one_fault_is_one_message(clinic: Path, fault: str) -> None:
    old, new, message = ONE_FAULT[fault]
    assert change(clinic, (old, new)) == [f"study.yml:{message}"]


@pytest.mark.parametrize(
    ("pairs", "messages"),
    [
        (
            [("experience: [", "value: [")],
            ["20: layers.value has the name of drivers.value; a name can stand for one role only."],
        ),
        (
            [("  recommend: recommend", "  recommend: {items: recommend, scale: [0, 10]}"),
             ("  queue: {labels: {en: Queue}}", "  recommend: {scale: [1, 10]}")],
            ["13: outcomes.recommend.scale is [0, 10], but items.recommend.scale is [1, 10]; keep one."],
        ),
        (
            [("key: customer,", "key: custmer,")],
            ["33: tables.customers.key is 'custmer', which is not a column of customers.csv (did you mean 'customer'?).",
             "33: tables.customers.key is 'custmer', which is not a column of responses.csv (did you mean 'customer'?)."],
        ),
        (
            [("  service: mean", "  doctor: mean"), ("service_gap: service -", "service_gap: doctor -")],
            ["36: derived.doctor has the name of a column of responses.csv; choose another one."],
        ),
        (
            [("segments: [card, age_group, young]", "segments: [card")],
            ["31: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got ':'."],
        ),
        (
            [("nps: 10", "nps: 10, csat: 0.5"), ("satisfaction: [sat1, sat2]", "trust: [sat1, sat2]"),
             (", satisfaction: 75", "")],
            ["34: targets.csat needs outcomes.satisfaction, which is not declared."],
        ),
    ],
)  # fmt: skip
def test_faults_of_two_places(clinic: Path, pairs: list[tuple[str, str]], messages: list[str]) -> None:
    found = change(clinic, *pairs)
    assert found == [f"study.yml:{m}" for m in messages]


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("item,label_en", "name,label_en", ["1: has no column 'item'; it has: name, label_en, label_zh, scale_low, scale_high, higher_is_better, values, owner."]),
        ("label_zh", "lable_zh", ["1: column 'lable_zh' is not known (did you mean 'label_zh'?)."]),
        ("doctor,Doctor,医生,0,10,true", "queue,Doctor,医生,0,10,true", ["5: 'queue' stands here a second time (first on line 4)."]),
        ("doctor,Doctor,医生,0,10,true", "doctor,Doctor,医生,10,0,true", ["5: doctor: the scale is 10 to 0; scale_low and scale_high are two numbers, low first."]),
        ("doctor,Doctor,医生,0,10,true", "doctor,Doctor,医生,0,,true", ["5: doctor: the scale is 0; scale_low and scale_high are two numbers, low first."]),
        ("doctor,Doctor,医生,0,10,true", "doctor,Doctor,医生,0,10,up", ["5: doctor: higher_is_better is 'up'; allowed: true, false."]),
        ("2=gold|金卡", "2 gold", ["7: card: values holds '2 gold'; write 1=gold|金卡; 2=plain|普通卡."]),
        ("doctor,Doctor", ",Doctor", ["5: the item is empty."]),
    ],
)  # fmt: skip
def test_faults_of_the_codebook(clinic: Path, old: str, new: str, messages: list[str]) -> None:
    file = clinic / "codebook.csv"
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))
    found = [p for p in check_study(clinic) if p.startswith("codebook.csv")]
    assert found == [f"codebook.csv:{m}" for m in messages]


def test_a_codebook_may_describe_more_than_the_data_have(clinic: Path) -> None:
    with open(clinic / "codebook.csv", "a") as stream:
        stream.write("doktor,Doctor,医生,,,,,\n")
    with pytest.warns(DataWarning) as caught:
        open_study(clinic)
    assert str(caught[0].message) == (
        "codebook.csv describes items that the data do not have (1): doktor (did you mean 'doctor'?)."
    )


def test_text_in_other_encodings(clinic: Path) -> None:
    text = (clinic / "codebook.csv").read_text()
    (clinic / "codebook.csv").write_bytes(text.encode("gb18030"))
    assert check_study(clinic) == [
        "codebook.csv: is not UTF-8 text; save it as CSV UTF-8, or name its encoding under reader:."
    ]
    assert change(clinic, ("codebook: codebook.csv", "codebook: codebook.csv\nreader: {encoding: gb18030}")) == []
    assert change(clinic, ("encoding: gb18030", "encoding: [1]")) == [
        "study.yml:5: reader holds a value that read_survey cannot use (lookup() argument must be str, not list).",
        "codebook.csv: is not UTF-8 text; save it as CSV UTF-8, or name its encoding under reader:.",
    ]
    change(clinic, ("\nreader: {encoding: [1]}", ""))
    (clinic / "codebook.csv").write_bytes(text.encode("utf-8-sig"))  # as a spreadsheet saves it
    file = clinic / "study.yml"
    yml = file.read_text()
    file.write_bytes(yml.encode("utf-8-sig"))
    assert check_study(clinic) == []
    file.write_bytes(yml.encode("gb18030"))
    assert check_study(clinic) == ["study.yml:2: not UTF-8 text; save the file as UTF-8."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "study.yml:1: the file is empty; start with study: and data:."),
        ("# nothing yet\n", "study.yml:1: the file is empty; start with study: and data:."),
        ("- study\n", "study.yml:1: the file is not a mapping of keys to values; start with study: and data:."),
        ("data: x\nstudy: &a\n  b: *a\n", "study.yml:3: study.b refers to itself."),
    ],
)
def test_files_that_are_no_study(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "study.yml").write_text(text)
    assert check_study(tmp_path)[-1] == message


def test_no_study_there(tmp_path: Path) -> None:
    (tmp_path / "study.yml").write_text("study: s\n")
    assert check_study(tmp_path / "stduy.yml") == [
        f"{tmp_path}/stduy.yml is no study file and no folder with a study.yml (did you mean 'study.yml'?)."
    ]


def test_sections_without_contents_are_as_good_as_none(tmp_path: Path) -> None:
    opened = open_study(small(tmp_path, "study: s\ndata: a.csv\nsegments:\ndrivers:\ndesign:\n", a_csv="x\n1\n2\n"))
    assert opened.roles.segments == ()


def test_personal_columns_are_named_with_the_remedy(tmp_path: Path) -> None:
    yml = "study: s\ndata: a.csv\nrespondent: ExternalReference\n"
    csv = "StartDate,EndDate,IPAddress,ResponseId,ExternalReference,Q1\nStart,End,IP,Id,Ref,Q\n"
    csv += '"{""ImportId"":""startDate""}","{""ImportId"":""endDate""}","{""ImportId"":""ipAddress""}",'
    csv += '"{""ImportId"":""_recordId""}","{""ImportId"":""externalDataReference""}","{""ImportId"":""QID1""}"\n'
    csv += "2025-01-01 10:00:00,2025-01-01 10:05:00,1.1.1.1,R_1,c1,5\n"
    small(tmp_path, yml, a_csv=csv)
    assert check_study(tmp_path) == [
        "study.yml:3: respondent is 'ExternalReference', which is not a column of a.csv: it was left out as personal "
        "data; write reader: {keep_personal: true} to keep it."
    ]
    (tmp_path / "study.yml").write_text(yml + "reader: {keep_personal: true}\n")
    assert check_study(tmp_path) == []


def test_plain_texts_of_yaml_stay_texts() -> None:
    text = "{a: Yes, b: no, c: off, d: 010, e: 2025-12-01, f: 1:30, g: 1_000, h: 3, i: 1.5, j: 2e3, k: true, l: ~}"
    assert locate(text, "x").data == {
        "a": "Yes", "b": "no", "c": "off", "d": "010", "e": "2025-12-01", "f": "1:30", "g": "1_000",
        "h": 3, "i": 1.5, "j": 2000.0, "k": True, "l": None,
    }  # fmt: skip


def test_places_in_yaml() -> None:
    located = locate("a:\n  - b\n  - {c: 1,\n     d: 2}\nbase: &x {e: 1}\nf:\n  <<: *x\n  e: 2\n", "x.yml")
    assert located.data == {"a": ["b", {"c": 1, "d": 2}], "base": {"e": 1}, "f": {"e": 2}}
    assert located.problems == ()  # what an anchor brings may be overridden
    assert located.line(("a", 1, "d")) == 4
    assert located.shown(("a", 1, "d")) == "a[1].d"
    assert located.line(("f", "e")) == 8
    assert located.shown(("a", "items", 0)) == "a[0]"  # a step that the short form leaves out
    assert located.shown(("nothing",)) == ""


BASE = yaml.safe_load((STUDIES / "clinic" / "study.yml").read_text()) | {"reader": {"decimal": "."}}
NONSENSE = st.sampled_from(
    [None, True, 1, -3.5, "x", "booking", [], {}, [1, 2], ["booking"], {"a": 1}, [[1]], "comment", "visit_date",
     {"en": "a"}, [None], {1: 2}, "mean(", "", "2025-01-01", {"items": "x"}, [{}], "*.csv", float("inf")]
)  # fmt: skip


def spots(part: object) -> list[tuple[object, object]]:
    """Every (container, key) of a document."""
    keys = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    return [spot for key in keys for spot in [(part, key), *spots(part[key])]]


@settings(
    max_examples=int(os.environ.get("STUDY_EXAMPLES", "40")), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_whatever_stands_in_the_file_the_answer_is_a_list_of_placed_problems(
    tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / "clinic"
    if not folder.exists():
        shutil.copytree(STUDIES / "clinic", folder)
    document = copy.deepcopy(BASE)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(spots(document)))
        if data.draw(st.booleans()) or isinstance(container, list):
            container[key] = copy.deepcopy(data.draw(NONSENSE))
        elif data.draw(st.booleans()):
            del container[key]
        else:
            container[data.draw(st.sampled_from(["zz", "items", 5, "en", "name", None]))] = data.draw(NONSENSE)
        if not spots(document):
            break
    (folder / "study.yml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    try:
        problems = check_study(folder)
    except DataCheckError:
        return  # a sound file that declares another column as the weight or the wave
    lines = len((folder / "study.yml").read_text().splitlines())
    for problem in problems:
        file, line, text = re.fullmatch(r"([\w.]+\.(?:yml|csv)):(?:(\d+):)? (.+)", problem, re.DOTALL).groups()
        assert file == "codebook.csv" or 1 <= int(line) <= max(lines, 1)
        assert "\0" not in text
        assert len(text) > 10


# ---------------------------------------------------------------------- rows
def test_rows_that_contradict_the_design_are_told_together(clinic: Path) -> None:
    data = pd.read_csv(clinic / "responses.csv")
    data.loc[[3, 5], "w"] = -1.0
    data.loc[7, "w"] = np.nan
    data.loc[11, "customer"] = np.nan
    data.loc[20:22, "month"] = np.nan
    data.loc[0, "card"] = 2  # its customer also has card 1
    data.to_csv(clinic / "responses.csv", index=False)
    with pytest.raises(DataCheckError) as raised:
        check_study(clinic)
    assert str(raised.value).splitlines() == [
        "weight 'w' has 1 missing and 2 negative values in 120 rows; correct them, or leave these respondents out of "
        "the file (weight 0 keeps a row but does not count it).",
        "respondent 'customer' is missing in 1 of 120 rows; complete it, or leave these rows out of the file.",
        "wave 'month' is missing in 3 of 120 rows; complete it, or leave these rows out of the file.",
        "psu 'customer' is missing in 1 of 120 rows; complete it, or leave these rows out of the file.",
        "psu 'customer' stands in more than one stratum of 'card' for 1 of 60 PSUs, e.g. 1000 in 'ordinary' and 'gold'; "
        "a PSU lies in one stratum (number the PSUs through, or correct the stratum).",
    ]


def test_a_respondent_twice_in_a_wave_is_no_error(clinic: Path) -> None:
    data = pd.read_csv(clinic / "responses.csv")
    pd.concat([data, data.iloc[[0]]]).to_csv(clinic / "responses.csv", index=False)
    assert check_study(clinic) == []


# ---------------------------------------------------------------------- the real study, and speed
def test_mobi() -> None:
    opened = open_study(REPOSITORY / "data" / "mobi")
    survey = opened.survey()
    raw = pd.read_csv(REPOSITORY / "data" / "mobi" / "mobi.csv")
    assert raw.shape == (250, 24)
    assert [c for c in survey.data if c not in raw] == ["expectation"]  # bands of CUEX1
    assert survey.data[list(raw)].shape == (250, 24)
    assert opened.waves == []
    scores = survey.values("satisfaction")
    np.testing.assert_allclose(scores, (raw[["CUSA1", "CUSA2", "CUSA3"]].mean(axis=1) - 1) / 9 * 100, atol=1e-9)
    assert survey.scale("satisfaction") == (0.0, 100.0)
    assert all(survey.codebook[c].scale == (1.0, 10.0) for c in raw)
    assert all(set(i.labels) == {"en", "zh"} for i in survey.codebook.values())
    assert opened.notes == ("CUSL3 is asked on 1 to 10; NPS is defined on 0 to 10 and is not computed.",)
    assert check_study(REPOSITORY / "data" / "mobi") == []


def test_the_demo_study_opens_fast_from_the_cache() -> None:
    folder = REPOSITORY / "data" / "healthcheck"
    assert check_study(folder) == []
    started = time.process_time()
    opened = open_study(folder)
    assert time.process_time() - started < 1.0
    assert (len(opened.data), len(opened.waves), opened.waves[-1].label) == (9600, 24, "2025-12")
    assert opened.data.data.shape[1] >= 80
