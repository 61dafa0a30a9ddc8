"""Readers: what real files hold, what is reported of them, and how plainly the unreadable ones fail."""

import datetime as dt
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import cxlab as cx
from cxlab.errors import DataCheckError, DataWarning, SurveyError
from cxlab.items import FILE, MultipleResponse
from cxlab.readers import _cache
from cxlab.readers._missing import reason_of
from cxlab.readers._text import from_text

nan = np.nan


def quiet(path: Path, **options: object) -> cx.Survey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return cx.read_survey(path, **options)


def saved(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# ---------------------------------------------------------------------- every real file
@pytest.mark.parametrize("name", ["Roche_sample.dta", "Roche_sample.por", "Roche_sample.sas7bdat", "Roche_sample.sav"])
def test_the_same_survey_in_four_formats(files: Path, name: str) -> None:
    survey = cx.read_survey(files / name)
    data = survey.data.rename(columns=str.lower)
    assert data["mychar"].tolist() == list("abcde")
    assert data["mynum"].tolist() == [1.1, 1.2, -1000.3, -1.4, 1000.3]
    assert data["mylabl"].tolist() == [1, 2, 1, 2, 1]
    assert data["mylabl"].dtype == np.float64
    assert data["mydate"].tolist()[:4] == [
        pd.Timestamp(d) for d in ("2018-05-06", "1880-05-06", "1960-01-01", "1583-01-01")
    ]
    assert data["dtime"][1] == pd.Timestamp("1880-05-06 10:10:10")
    assert data["mytime"].tolist()[:4] == [pd.Timedelta(t) for t in ("10:10:10", "23:10:10", "00:00:00", "16:10:10")]
    assert data[["mydate", "dtime", "mytime"]].iloc[4].isna().all()
    codebook = {n.lower(): i for n, i in survey.codebook.items.items()}
    assert [codebook[n].kind for n in ("mychar", "mynum", "mydate", "dtime", "mytime")] == [
        "text", "number", "date", "datetime", "time",
    ]  # fmt: skip
    if not name.endswith("sas7bdat"):  # SAS keeps value labels elsewhere
        assert codebook["myord"].values == {1.0: {FILE: "low"}, 2.0: {FILE: "medium"}, 3.0: {FILE: "high"}}
        assert codebook["mydate"].label() == "date"
    assert survey.notes == ()
    assert survey.name == "Roche_sample"
    assert survey.source == str(files / name)


def test_every_spss_file_becomes_a_survey(files: Path) -> None:
    expected = {
        "Roche_hebrews.sav": (99, "ותק_ב"), "Roche_sample_missing.sav": (7, "mychar"), "Roche_tegulu.sav": (1, "record"),
        "Roche_simple_alltypes.sav": (6, "x"), "tidyverse_datetime.sav": (2, "date"), "Roche_sample.zsav": (5, "mychar"),
        "tidyverse_labelled-num-na.sav": (2, "VAR00002"), "tidyverse_umlauts.sav": (4, "var1"),
    }  # fmt: skip
    for name, (rows, first) in expected.items():
        survey = quiet(files / name)
        assert (len(survey), survey.data.columns[0]) == (rows, first), name
    missing = quiet(files / "Roche_sample_missing.sav")
    np.testing.assert_array_equal(missing.missing_reasons["myord"], [nan] * 5 + [-1, -3])
    np.testing.assert_array_equal(missing.data["myord"], [1, 2, 3, 1, 1, nan, nan])
    assert missing.codebook["mylabl"].missing == {-1.0: "undetermined"}


def test_sas_labels_come_from_the_catalog(files: Path, tmp_path: Path) -> None:
    data, catalog = files / "Roche_test_data_win.sas7bdat", files / "Roche_test_formats_win.sas7bcat"
    survey = cx.read_survey(data, catalog=catalog)
    assert survey.data["SEXA"].tolist() == ["1", "2", "1"]
    assert survey.data["ID"].tolist() == ["ID1", "ID2", "ID3"]
    assert survey.codebook["SEXA"].values == {"1": {FILE: "Male"}, "2": {FILE: "Female"}}
    assert [level.label for level in survey.levels("SEXB")] == ["Male", "Female"]
    assert survey.notes == ()
    bare = cx.read_survey(data)
    assert bare.notes == (
        "The value labels of SEXA, SEXB are in a SAS format catalog that is not beside the file; pass catalog=.",
    )
    for source, name in ((data, "wave.sas7bdat"), (catalog, "wave.sas7bcat")):
        (tmp_path / name).write_bytes(source.read_bytes())
    beside = cx.read_survey(tmp_path / "wave.sas7bdat")
    assert beside.codebook["SEXA"].value_label("2") == "Female"


def test_qualtrics_legacy_and_current_agree(files: Path) -> None:
    legacy, current = quiet(files / "qt_Sample_Survey.csv"), quiet(files / "qt_Sample_Survey__Insights_.csv")
    for survey, rows in ((legacy, 2), (current, 3)):
        assert survey.notes[0] == f"Recognised as Qualtrics: {rows} header rows."
        assert survey.data.shape == (5, 183)
        assert survey.data["ResponseID"][0] == "R_e8z6glNpLL4PkcR"
        assert survey.data["StartDate"][0] == pd.Timestamp("2016-05-13 12:14:41")
        assert survey.codebook["StartDate"].kind == "datetime"
        np.testing.assert_array_equal(survey.data["Q2_2"], [nan, 1, 1, 1, 1])
        assert survey.data[["fruits", "Q4#1_1", "Q5_1", "Q19"]].to_numpy().tolist() == [
            [2, 3, 21, 3], [2, 1, 0, 1], [3, 1, 98, 3], [1, 1, 83, 3], [3, 1, 92, 1],
        ]  # fmt: skip
        assert survey.codebook["fruits"].label() == (
            "This is a multiple choice single answer vertical question, please choose one of the fruits below."
        )
        assert survey.data["Q52"][3] == "Tincidunt ante morbi eros nonummy enim pretium! Venenatis massa massa."
        assert not {"IPAddress", "LocationLatitude", "LocationLongitude", "ExternalDataReference"} & {
            *survey.data.columns
        }
    for name in ("fruits", "Q3_1", "Q4#1_1", "Q11#2_1_1", "Q5_1", "Q19"):
        pd.testing.assert_series_equal(legacy.data[name], current.data[name])
    assert current.notes[-1] == (
        "Columns with personal data were left out: IPAddress, RecipientLastName, RecipientFirstName, RecipientEmail, "
        "ExternalDataReference, LocationLatitude, LocationLongitude. keep_personal=True keeps them."
    )
    assert "Name" not in legacy.data.columns


def test_qualtrics_duplicate_names_are_numbered_and_said(files: Path) -> None:
    with pytest.warns(
        DataWarning, match=r"^Column names that occur more than once were given a number \(12\): Q50#1_wed"
    ):
        survey = cx.read_survey(files / "qt_Sample_Survey__Insights_.csv")
    assert survey.data.columns.is_unique
    assert [n for n in survey.data.columns if n.startswith("Q50#2_bites")] == [
        "Q50#2_bites_1231", "Q50#2_bites_1231_2", "Q50#2_bites_1231_3", "Q50#2_bites_1231_4",
    ]  # fmt: skip
    assert survey.codebook["Q50#2_bites_1231_3"].label().endswith("Blueberries-Graham crackers")


def test_personal_data_stays_if_asked_for(files: Path) -> None:
    survey = quiet(files / "qt_Sample_Survey.csv", keep_personal=True)
    assert survey.data["LocationLatitude"][0] == 42.401901245117
    assert survey.data["Name"].tolist() == ["Anonymous"] * 5
    assert survey.data.shape == (5, 189)
    assert not any("personal" in n for n in survey.notes)


def test_json_import_ids_and_a_questionnaire_in_chinese(tmp_path: Path) -> None:
    path = saved(tmp_path / "q.csv", (
        "StartDate,IPAddress,Q1,Q2\nStart Date,IP Address,总体满意度,\"评论,\n请写\"\n"
        '"{""ImportId"":""startDate"",""timeZone"":""Asia/Shanghai""}","{""ImportId"":""ipAddress""}",'
        '"{""ImportId"":""QID1""}","{""ImportId"":""QID2_TEXT""}"\n'
        "2025-01-05 10:00:00,1.2.3.4,9,很好\n2025-01-06 11:30:00,1.2.3.5,7,\n"
    ))  # fmt: skip
    survey = cx.read_survey(path)
    assert list(survey.data.columns) == ["StartDate", "Q1", "Q2"]
    assert survey.data["Q1"].tolist() == [9, 7]
    assert survey.codebook["Q2"].label() == "评论, 请写"
    assert survey.data["Q2"].isna().tolist() == [False, True]


def test_limesurvey_questions_become_labels(files: Path) -> None:
    german = cx.read_survey(files / "limesurvey_automotive_results-survey.csv")
    english = cx.read_survey(files / "limesurvey_automotive_translated.csv")
    assert german.data.shape == english.data.shape == (45, 38)
    assert list(german.data.columns) == list(english.data.columns)
    assert german.codebook["q1_3"].label() == "Welchen fachlichen Hintergrund haben Sie? – Informatik"
    assert english.codebook["q5_8"].label() == (
        "What types of diagrams / models are typically involved (e.g. state diagrams, activity diagrams, ...) – Other"
    )
    assert german.data["q1_1"].head(4).tolist() == ["Ja", "Nein", "Nein", "Nein"]  # yes/no stays text
    assert english.data["q1_7"].tolist()[2] == "Industrial Engineering"
    assert (german.data["q1_3"] == "Ja").sum() == (english.data["q1_3"] == "Yes").sum()
    assert german.notes == (
        "Recognised as LimeSurvey: 2 header rows.",
        "38 columns had a question text for a name; they are called q1_1 … q6_8, the text is their label.",
    )


def test_limesurvey_codes_and_texts_in_one_row(tmp_path: Path) -> None:
    path = saved(tmp_path / "l.csv", (
        'id. Response ID,"submitdate. Date submitted","ipaddr. IP address","G1Q1[SQ001]. How was it? [Queue]",'
        '"G1Q1[SQ002]. How was it? [Nurse]"\n"1","2025-03-01 10:11:12","1.1.1.1","4","5"\n"2","","1.1.1.2","N/A","3"\n'
    ))  # fmt: skip
    survey = cx.read_survey(path)
    assert list(survey.data.columns) == ["id", "submitdate", "G1Q1_SQ001", "G1Q1_SQ002"]
    assert survey.codebook["G1Q1_SQ002"].label() == "How was it? [Nurse]"
    np.testing.assert_array_equal(survey.data["G1Q1_SQ001"], [4, nan])
    assert survey.notes[0] == "Recognised as LimeSurvey: 1 header rows."


def test_full_text_headers_of_other_platforms(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.csv", (
        "序号,1、您的性别,2、您对本次体检的总体满意度,How satisfied were you with your last visit? [Queue],"
        "How satisfied were you with your last visit? [Nurse],来自IP\n1,1,9,3,4,10.0.0.1\n2,2,8,5,5,10.0.0.2\n"
    ))  # fmt: skip
    survey = cx.read_survey(path)
    assert list(survey.data.columns) == ["序号", "q1", "q2", "q4_1", "q4_2"]
    assert survey.codebook["q2"].label() == "您对本次体检的总体满意度"
    assert survey.codebook["q4_2"].label() == "How satisfied were you with your last visit? [Nurse]"


# ---------------------------------------------------------------------- text tables
def test_gbk_with_windows_line_ends(tmp_path: Path) -> None:
    text = '编号,满意度,意见\r\n001,9,排队时间太长\r\n002,8,"护士态度好，\r\n报告也快"\r\n'
    survey = cx.read_survey(saved(tmp_path / "g.csv", text, "gb18030"))
    assert survey.data["编号"].tolist() == ["001", "002"]
    assert survey.data["满意度"].tolist() == [9, 8]
    assert survey.data["意见"].tolist() == ["排队时间太长", "护士态度好，\r\n报告也快"]
    assert survey.notes == (
        "The file does not say its encoding; it was read as gb18030. If the text looks wrong, pass encoding=.",
    )


def test_western_and_big5_texts(tmp_path: Path) -> None:
    western = saved(tmp_path / "w.csv", "id;Bemerkung\n1;schöne Grüße aus Köln\n2;täglich zäh\n", "cp1252")
    assert cx.read_survey(western).data["Bemerkung"].tolist() == ["schöne Grüße aus Köln", "täglich zäh"]
    text = "編號,意見\n1,排隊時間太長，護士態度很好\n2,報告速度很快，希望停車更方便\n"
    big5 = saved(tmp_path / "b.csv", text, "big5")
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(big5)
    assert str(caught.value) == (
        "encoding of b.csv cannot be told: it is neither UTF-8 nor plainly GB18030 or Windows-1252; "
        "pass encoding=, for instance 'big5', 'gb18030' or 'shift_jis'."
    )
    assert cx.read_survey(big5, encoding="big5").data["意見"][0] == "排隊時間太長，護士態度很好"


def test_marked_encodings_and_delimiters(tmp_path: Path) -> None:
    for number, (encoding, mark) in enumerate([("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-8", "|"), ("utf-8", ",")]):
        text = f"id{mark}意见\n1{mark}好；很好\n2{mark}坏\n"
        survey = cx.read_survey(saved(tmp_path / f"{number}.csv", text, encoding))
        assert list(survey.data.columns) == ["id", "意见"], encoding
        assert survey.data["意见"].tolist() == ["好；很好", "坏"]
        assert survey.notes == ()


def test_ids_numbers_and_words_of_a_text_table(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.csv", (
        "id,card,zip,q1,q2,bool,answer,spent,phone,day\n"
        "20250100000000001,6222020000000000,01234,1,0.5,TRUE,None,-1e3,+8613800138000,2025/1/5\n"
        "20250100000000002,6222020000000001,99999,NA,.25,FALSE,NA,12,+8613800138001,2025/12/31\n"
    ))  # fmt: skip
    survey = cx.read_survey(path, keep_personal=True)
    assert survey.data["id"].tolist() == ["20250100000000001", "20250100000000002"]  # a float would change them
    assert survey.data["card"].tolist() == ["6222020000000000", "6222020000000001"]
    assert survey.data["zip"].tolist() == ["01234", "99999"]
    np.testing.assert_array_equal(survey.data["q1"], [1, nan])
    assert survey.data["q2"].tolist() == [0.5, 0.25]
    assert survey.data["bool"].tolist() == ["TRUE", "FALSE"]
    assert survey.data["answer"].tolist()[0] == "None"
    assert pd.isna(survey.data["answer"][1])
    assert survey.data["spent"].tolist() == [-1000, 12]
    assert survey.data["phone"].tolist() == ["+8613800138000", "+8613800138001"]
    assert survey.data["day"].tolist() == [pd.Timestamp("2025-01-05"), pd.Timestamp("2025-12-31")]
    assert survey.codebook["day"].kind == "date"


@pytest.mark.parametrize("column", [["2025-01-05", "2025-02-30"], ["2025-01-05", "tomorrow"], ["5/6/2025", "6/5/2025"]])
def test_dates_that_cannot_be_told_stay_text(column: list[str]) -> None:
    kept, kind, _ = from_text(pd.Series(column, dtype="str"))
    assert (kept.tolist(), kind) == (column, "text")


def test_chinese_dates_and_mixed_times() -> None:
    kept, kind, _ = from_text(pd.Series(["2024年1月5日 9:30", "2024-01-06 10:00:01.5", None], dtype="str"))
    assert kind == "datetime"
    assert kept.tolist()[:2] == [pd.Timestamp("2024-01-05 09:30"), pd.Timestamp("2024-01-06 10:00:01.5")]
    assert pd.isna(kept[2])


def test_decimal_comma_only_if_declared(tmp_path: Path) -> None:
    path = saved(tmp_path / "d.csv", "id;x\n1;3,5\n2;4\n")
    with pytest.warns(DataWarning) as said:
        survey = cx.read_survey(path)
    assert str(said[0].message) == (
        "Columns that look like numbers with a decimal comma stayed text: x. Pass decimal=','."
    )
    assert survey.data["x"].tolist() == ["3,5", "4"]
    assert cx.read_survey(path, decimal=",").data["x"].tolist() == [3.5, 4]


def test_duplicate_and_blank_names_and_blank_rows(tmp_path: Path) -> None:
    path = saved(tmp_path / "d.csv", "q,q,,q_2,\n1,2,3,4,\n,,,,\n5,6,7,8,\n")
    with pytest.warns(DataWarning, match=r"^Column names that occur more than once were given a number \(1\): q_3\.$"):
        survey = cx.read_survey(path)
    assert survey.data.to_dict("list") == {"q": [1, 5], "q_3": [2, 6], "column_3": [3, 7], "q_2": [4, 8]}
    assert survey.notes[-1] == "Rows without any answer were left out (1)."


def test_a_first_row_of_numbers_may_be_a_respondent(tmp_path: Path) -> None:
    with pytest.warns(DataWarning) as said:
        survey = cx.read_survey(saved(tmp_path / "n.csv", "1,9,9\n2,8,7\n"))
    assert str(said[0].message) == (
        "The first row was taken as column names, but holds only numbers (1, 9, 9_2, …). "
        "If it is a respondent, put a row of names above it."
    )
    assert len(survey) == 1


def test_short_records_are_missing_at_their_end(tmp_path: Path) -> None:
    survey = cx.read_survey(saved(tmp_path / "s.csv", "a,b,c\n" + "1,2,x\n" * 9 + "3,4\n"))
    assert survey.data.iloc[9].isna().tolist() == [False, False, True]
    assert survey.data["c"].tolist()[:9] == ["x"] * 9


def test_notes_follow_the_language(tmp_path: Path) -> None:
    path = saved(tmp_path / "d.csv", "q,Email\n1,a@b.c\n")
    cx.set_language("zh")
    try:
        assert cx.read_survey(path).notes == ("含个人信息的列已剔除：Email。如需保留，请设 keep_personal=True。",)
    finally:
        cx.set_language("en")


# ---------------------------------------------------------------------- workbooks, Parquet, Stata, SAS
def test_workbook_with_two_sheets(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    answers = pd.DataFrame({
        "id": ["007", "008", "009"], "q1": [9, 99, None], "when": pd.to_datetime(["2025-01-05", None, "2025-01-07"]),
        "mixed": [1, "NA", 3], "note": ["好", None, "a;b"],
    })  # fmt: skip
    with pd.ExcelWriter(path) as book:
        answers.to_excel(book, sheet_name="答案", index=False)
        pd.DataFrame({"code": [1], "text": ["x"]}).to_excel(book, sheet_name="codes", index=False)
    survey = cx.read_survey(path, missing={"q1": {99: "refused"}})
    assert survey.data["id"].tolist() == ["007", "008", "009"]
    np.testing.assert_array_equal(survey.data["q1"], [9, nan, nan])
    np.testing.assert_array_equal(survey.missing_reasons["q1"], [nan, 99, nan])
    np.testing.assert_array_equal(survey.data["mixed"], [1, nan, 3])
    assert survey.data["when"][2] == pd.Timestamp("2025-01-07")
    assert survey.codebook["when"].kind == "date"
    assert survey.notes[0] == "The workbook has 2 sheets; 答案 was read. The others: codes; choose with sheet=."
    assert cx.read_survey(path, sheet="codes").data["text"].tolist() == ["x"]
    assert cx.read_survey(path, sheet=1).notes == ()
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(path, sheet="code")
    assert str(caught.value) == "sheet is 'code'; allowed: '答案', 'codes' (did you mean 'codes'?)."


def test_parquet_with_categories(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pd.DataFrame({
        "card": pd.Categorical(["gold", None, "plain"], ["plain", "gold", "diamond"], ordered=True),
        "score": pd.Categorical([10, 0, 5], [0, 5, 10]),
        "yes": [True, False, None], "n": pd.array([1, None, 3], dtype="Int64"), "text": ["1", "02", ""],
        "at": pd.to_datetime(["2025-01-05 08:00", None, "2025-01-06 00:00"]).tz_localize("Asia/Shanghai"),
    }).to_parquet(path)  # fmt: skip
    with pytest.warns(DataWarning, match="^at: times with a zone were turned into UTC.$"):
        survey = cx.read_survey(path)
    np.testing.assert_array_equal(survey.data["card"], [2, nan, 1])
    assert survey.codebook["card"].values == {1.0: {FILE: "plain"}, 2.0: {FILE: "gold"}, 3.0: {FILE: "diamond"}}
    assert survey.codebook["card"].measure == "ordinal"
    assert survey.data["score"].tolist() == [10, 0, 5]  # categories that are numbers are the codes
    np.testing.assert_array_equal(survey.data["yes"], [1, 0, nan])
    np.testing.assert_array_equal(survey.data["n"], [1, nan, 3])
    assert survey.data["text"].tolist()[:2] == ["1", "02"]
    assert survey.data["at"][0] == pd.Timestamp("2025-01-05 00:00")


def test_stata_extended_missing_values_keep_their_reason(tmp_path: Path) -> None:
    path = tmp_path / "s.dta"
    frame = pd.DataFrame({"q1": [1.0, "a", 3.0, "b", nan], "q2": [1, 2, 3, 4, 5]})
    pyreadstat.write_dta(
        frame, path, missing_user_values={"q1": ["a", "b"]},
        variable_value_labels={"q1": {1: "low", 3: "high", "a": "refused"}},
    )  # fmt: skip
    survey = cx.read_survey(path)
    np.testing.assert_array_equal(survey.data["q1"], [1, nan, 3, nan, nan])
    np.testing.assert_array_equal(survey.missing_reasons["q1"], [nan, -1001, nan, -1002, nan])
    assert survey.codebook["q1"].missing == {-1001.0: "refused", -1002.0: ".b"}
    assert survey.codebook["q1"].values == {1.0: {FILE: "low"}, 3.0: {FILE: "high"}, -1001.0: {FILE: "refused"}}
    assert survey.data["q2"].dtype == np.float64
    again = cx.read_survey(survey.to_sav(tmp_path / "s.sav"))
    pd.testing.assert_frame_equal(again.data, survey.data)
    pd.testing.assert_frame_equal(again.missing_reasons, survey.missing_reasons)


@pytest.mark.parametrize(
    ("shown", "count", "start"),
    [("%tq", 260, "2025-01-01"), ("%tm", -1, "1959-12-01"), ("%tw", 52, "1961-01-01"), ("%th", 131, "2025-07-01")],
)
def test_stata_periods_become_their_first_day(tmp_path: Path, shown: str, count: int, start: str) -> None:
    path = tmp_path / "p.dta"
    pyreadstat.write_dta(pd.DataFrame({"t": [float(count), nan]}), path, variable_format={"t": shown})
    survey = cx.read_survey(path)
    assert survey.data["t"][0] == pd.Timestamp(start)
    assert pd.isna(survey.data["t"][1])
    assert survey.codebook["t"].kind == "date"


def test_sas_transport_file(tmp_path: Path) -> None:
    path = tmp_path / "x.xpt"
    frame = pd.DataFrame({"Q1": [1.0, nan, 3.0], "CITY": ["北京", "", "Ulm"], "DAY": [dt.date(2025, 1, 5)] * 3})
    pyreadstat.write_xport(frame, path, column_labels={"Q1": "Satisfaction"})
    survey = cx.read_survey(path)
    np.testing.assert_array_equal(survey.data["Q1"], [1, nan, 3])
    assert survey.codebook["Q1"].label() == "Satisfaction"
    assert survey.data["CITY"].isna().tolist() == [False, True, False]
    assert survey.data["DAY"].tolist() == [pd.Timestamp("2025-01-05")] * 3


# ---------------------------------------------------------------------- codes that are no answers
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labels.sav"
    frame = pd.DataFrame(
        {"q1": [9.0, 98, 99, 7], "q2": [1.0, 98, 98, 3], "age": [98.0, 99, 20, 101], "w": [99.0, 1, 1, 2]}
    )
    labels = {"q1": {98: "没有体验", 99: "Refused"}, "q2": {98: "没有体验", 99: "Refused"}}
    pyreadstat.write_sav(frame, path, variable_value_labels=labels)
    return path


def test_undeclared_codes_are_reported_not_masked(tmp_path: Path) -> None:
    with pytest.warns(DataWarning) as said:
        survey = cx.read_survey(labelled(tmp_path))
    assert survey.data["q1"].tolist() == [9, 98, 99, 7]
    assert survey.notes == (
        "Code 98 is labelled 没有体验 but not declared missing, so it counts as an answer: q1 (1), q2 (2). "
        "If it is none, pass missing={98: 'not experienced'}.",
        "Code 99 is labelled Refused but not declared missing, so it counts as an answer: q1 (1). "
        "If it is none, pass missing={99: 'refused'}.",
    )
    assert [str(w.message) for w in said] == list(survey.notes)


def test_named_codes_are_masked_where_they_are_no_answers(tmp_path: Path) -> None:
    with pytest.warns(DataWarning) as said:
        survey = cx.read_survey(labelled(tmp_path), missing={98: "not experienced", 99: "refused"}, weight="w")
    assert [str(w.message) for w in said] == list(survey.notes[2:])  # what was asked for is no warning
    np.testing.assert_array_equal(survey.data["q1"], [9, nan, nan, 7])
    np.testing.assert_array_equal(survey.missing_reasons["q1"], [nan, 98, 99, nan])
    assert survey.codebook["q1"].missing == {98.0: "not experienced", 99.0: "refused"}
    assert survey.data["age"].tolist() == [98, 99, 20, 101]  # ages, not codes
    assert survey.weights.tolist() == [99, 1, 1, 2]
    assert survey.notes == (
        "Code 98 was taken as missing (not experienced) in: q1 (1), q2 (2).",
        "Code 99 was taken as missing (refused) in: q1 (1).",
        "Code 98 has no label and lies among the answers of age (1); it was kept there as an answer. "
        "To take it as missing, name the item: missing={'item': {98: 'not experienced'}}.",
        "Code 99 has no label and lies among the answers of age (1); it was kept there as an answer. "
        "To take it as missing, name the item: missing={'item': {99: 'refused'}}.",
    )


def test_codes_named_for_one_item(tmp_path: Path) -> None:
    survey = quiet(labelled(tmp_path), missing={"age": {99: "refused"}, "q1": [98]})
    np.testing.assert_array_equal(survey.data["age"], [98, nan, 20, 101])
    np.testing.assert_array_equal(survey.data["q1"], [9, nan, 99, 7])
    assert survey.codebook["q1"].missing == {98.0: "没有体验"}
    with pytest.raises(SurveyError) as caught:
        quiet(labelled(tmp_path), missing={"q11": [98]})
    assert str(caught.value) == ("missing names 1 column that is not in the file: 'q11' (did you mean 'q1'?).")
    with pytest.raises(SurveyError) as caught:
        quiet(labelled(tmp_path), missing={98: 5})
    assert str(caught.value) == (
        "missing has 5 for 98; give a reason ({99: 'refused'}) or, for an item, its codes "
        "({'q1': {99: 'refused'}} or {'q1': [98, 99]})."
    )


def test_a_code_that_nobody_has_is_said(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="^missing names code 77, which no item has.$"):
        cx.read_survey(saved(tmp_path / "a.csv", "q\n1\n2\n"), missing=[77])


def test_the_caller_words_a_reason_that_the_file_declares(files: Path) -> None:
    survey = quiet(files / "tidyverse_labelled-num-na.sav", missing={9: "refused"})
    assert survey.codebook["VAR00002"].missing == {9.0: "refused"}
    np.testing.assert_array_equal(survey.missing_reasons["VAR00002"], [nan, 9])


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("Don't know", "don't know"), ("DK", "don't know"), ("98: don’t know / refused", "don't know"), ("N/A", "not applicable"),
        ("不知道", "don't know"), ("说不清", "don't know"), ("不知道/拒答", "don't know"), ("拒绝回答", "refused"),
        ("Prefer not to say", "refused"), ("不适用", "not applicable"), ("没有体验", "not experienced"),
        ("未体验过", "not experienced"), ("没用过", "not experienced"), ("Not experienced", "not experienced"),
        ("无回答", "no answer"), ("No answer", "no answer"), ("(skipped)", "not asked"), ("keine Angabe", "no answer"),
        ("Never", None), ("不知道这个品牌", None), ("Not at all satisfied", None), ("no", None), ("没有", None), ("不满意", None),
        ("Known", None), ("Dissatisfied", None), ("Na ja", None), ("体验", None), ("I do not know this brand", None), ("", None),
    ],
)  # fmt: skip
def test_labels_that_say_no_answer(label: str, reason: str | None) -> None:
    assert reason_of(label) == reason


# ---------------------------------------------------------------------- sets and design
def test_sets_that_the_file_lacks_are_declared(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.csv", "a_1,a_2,b_1,b_2,w\n1,,3,2,1\n0,1,1,,2\n")
    survey = cx.read_survey(
        path, weight="w",
        multiple_response={"a": ["a_1", "a_2"], "b": {"items": ["b_1", "b_2"], "label": "Brands"},
                           "c": {"items": ["b_1", "b_2"], "counted": 2}},
    )  # fmt: skip
    assert survey.codebook.sets == (
        MultipleResponse("a", ("a_1", "a_2"), "dichotomy", {}, 1.0),
        MultipleResponse("b", ("b_1", "b_2"), "category", {FILE: "Brands"}),
        MultipleResponse("c", ("b_1", "b_2"), "dichotomy", {}, 2.0),
    )
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(path, multiple_response={"a": ["a_1", "a_3"]})
    assert str(caught.value) == (
        "multiple_response names 1 column that is not in the file: 'a_3' (did you mean 'a_2'?)."
    )


def test_design_columns_are_checked_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.csv", "q,w,email\n1,-1,a\n2,1,b\n")
    with pytest.raises(DataCheckError, match=r"^weight 'w' has 0 missing and 1 negative values in 2 rows"):
        cx.read_survey(path, weight="w")
    with pytest.raises(SurveyError, match=r"^design names 1 column that is not in the survey: 'weigth'"):
        cx.read_survey(path, weight="weigth")
    assert cx.read_survey(path, psu="email").design.psu == "email"  # personal, but asked for


# ---------------------------------------------------------------------- files that cannot be read
def faulty(folder: Path) -> dict[str, tuple[bytes, str]]:
    return {
        "empty.sav": (b"", "empty.sav is empty (0 bytes); copy or export it again."),
        "empty.csv": (b"\n\n", "empty.csv is empty: it has no header and no rows."),
        "header.csv": (b"a,b\n", "the file has a header of 2 columns and no rows: nobody has answered yet."),
        "old.xls": (b"\xd0\xcf", "old.xls is a workbook of the old .xls kind; open it in Excel and save it as .xlsx."),
        "data.docx": (b"PK", "data.docx ends in '.docx'; files that can be read end in .sav .zsav .por .dta .sas7bdat "
                      ".xpt .csv .tsv .txt .xlsx .parquet."),
        "formats.sas7bcat": (b"x", "formats.sas7bcat is a SAS format catalog: it holds value labels, no answers; "
                             "give the .sas7bdat as path and this file as catalog=."),
        "old.dta": (b"\x66\x02" + bytes(200), "old.dta was saved by a version of Stata that cannot be read (format 102); "
                    "open it in Stata and save it in a newer one (version 12 or later)."),
        "cut.dta": ((folder / "Roche_sample.dta").read_bytes()[:-9],
                    "cut.dta is cut off: it ends before its end mark; copy or export it again."),
        "cut.por": ((folder / "Roche_sample.por").read_bytes()[:700],
                    "cut.por is damaged, cut off or not what its name says; copy or export it again."),
        "cut.sas7bdat": ((folder / "Roche_sample.sas7bdat").read_bytes()[:70000],
                         "cut.sas7bdat is cut off: it ends before its last respondent; copy or export it again."),
        "book.csv": (b"PK\x03\x04\0\0", "book.csv is not text; an Excel workbook or a data file? Give it its own ending."),
        "book.xlsx": (b"PK\x03\x04 not a workbook", "book.xlsx is not a readable Excel workbook (damaged, cut off, "
                      "password-protected or an old .xls); open it in Excel and save it as .xlsx."),
        "bad.parquet": (b"PAR1 nothing", "bad.parquet is not a readable Parquet file (damaged or cut off); export it again."),
        "login.csv": (b"<html>\n<body>\nPlease log in\n</body>", "login.csv is not a table: its lines do not have the same "
                      "number of fields, whether they are split at ',', ';', tab or '|'; export it again as CSV."),
        "prose.txt": (b"Dear all,\nthe survey, as you know, is late.\nIt comes on Monday, or Tuesday, or later.\nYours, A.\n",
                      "prose.txt is not a table: its lines do not have the same "
                      "number of fields, whether they are split at ',', ';', tab or '|'; export it again as CSV."),
        "ragged.csv": (b"a,b\n" + b"1,2\n" * 20 + b"1,2,3\n", "ragged.csv is not a table: line 22 has more fields than the 2 "
                       "of the header (split at ','); quote texts that hold a ',', or export it again."),
        "marked.csv": (b"\xef\xbb\xbfa,b\n1,\xe6\xbb\n", "marked.csv is marked as UTF-8, but holds bytes that are not; it is "
                       "damaged or was pasted together from several encodings: export it again."),
        "open.csv": (b'a,b\n1,"x\n2,3\n', "open.csv is not a table: a quotation mark is opened and never closed; "
                     "export it again."),
        "garbage.xpt": (b"HEADER RECORD*******nothing", "garbage.xpt is cut off: it ends before its last respondent; "
                        "copy or export it again."),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(faulty(Path(__file__).parent / "files")))
def test_unreadable_files_fail_in_plain_words(files: Path, tmp_path: Path, name: str) -> None:
    content, message = faulty(files)[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(tmp_path / name)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_files_that_are_not_there(files: Path, tmp_path: Path) -> None:
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(files / "Roche_sampel.sav")
    assert str(caught.value) == (
        f"path is '{files / 'Roche_sampel.sav'}', which does not exist (did you mean 'Roche_sample.sav'?)."
    )
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(tmp_path / "no" / "a.sav")
    assert str(caught.value) == f"path is '{tmp_path / 'no' / 'a.sav'}', which does not exist (nor does its folder)."
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(tmp_path)
    assert str(caught.value) == f"path is '{tmp_path}', a folder; name the file in it."


def test_wrong_arguments(files: Path, tmp_path: Path) -> None:
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(files / "Roche_sample.sav", catalog="x.sas7bcat")
    assert str(caught.value) == "catalog belongs to SAS data sets (.sas7bdat); Roche_sample.sav is none. Leave it out."
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(files / "Roche_test_data_win.sas7bdat", catalog=files / "Roche_test_formats.sas7bcat")
    assert str(caught.value) == (
        f"catalog is '{files / 'Roche_test_formats.sas7bcat'}', which does not exist "
        "(did you mean 'Roche_test_formats_win.sas7bcat'?)."
    )
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(files / "Roche_test_data_win.sas7bdat", catalog=files / "Roche_sample.sas7bdat")
    assert str(caught.value) == (
        "catalog Roche_sample.sas7bdat is not a readable SAS format catalog (damaged, or from another system); "
        "export the formats again with PROC CATALOG, or leave catalog out."
    )
    path = saved(tmp_path / "a.csv", "q,t\n1,schön\n")
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(path, encoding="utf8x")
    assert str(caught.value) == (
        "encoding is 'utf8x', which is none; usual ones are 'utf-8', 'gb18030', 'big5' and 'cp1252'."
    )
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(path, encoding="ascii")
    assert str(caught.value) == (
        "encoding is 'ascii', in which the text of a.csv cannot be read; "
        "leave encoding out, or try 'utf-8', 'gb18030', 'big5' or 'cp1252'."
    )
    with pytest.raises(SurveyError) as caught:
        cx.read_survey(path, decimal=";")
    assert str(caught.value) == "decimal is ';'; allowed: '.', ','."


def test_chinese_labels_under_a_western_code_page_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "old.sav"
    pyreadstat.write_sav(pd.DataFrame({"q1": [1.0]}), path, column_labels={"q1": "y" * 20})
    raw = path.read_bytes().replace(b"y" * 20, "您对本次体检满意程度".encode("gbk"))
    # As old versions wrote it: no record of the encoding (subtype 20), the code page of a Western machine.
    raw = raw.replace(struct.pack("<4i", 7, 20, 1, 5), struct.pack("<4i", 7, 98, 1, 5))
    path.write_bytes(raw.replace(struct.pack("<i", 65001), struct.pack("<i", 1252)))
    with pytest.warns(DataWarning, match="reads like Chinese in another encoding; pass encoding='gb18030'"):
        cx.read_survey(path)
    assert cx.read_survey(path, encoding="gb18030").codebook["q1"].label() == "您对本次体检满意程度"


# ---------------------------------------------------------------------- cache
@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXLAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(_cache, "SMALLEST", 0)
    return tmp_path / "cache" / "surveys"


def unread(*_: object) -> None:
    raise AssertionError("the file was read again")


NAMES = ["Roche_simple_alltypes.sav", "Roche_sample_missing.sav", "tidyverse_datetime.sav", "Roche_sample.dta",
         "qt_Sample_Survey__Insights_.csv", "limesurvey_automotive_results-survey.csv"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_second_open_gives_the_same(files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    first = quiet(files / name)
    monkeypatch.setattr("cxlab.readers._read", unread)
    second = quiet(files / name)
    pd.testing.assert_frame_equal(second.data, first.data)
    pd.testing.assert_frame_equal(second.missing_reasons, first.missing_reasons)
    assert second.codebook == first.codebook
    assert second.notes == first.notes
    assert second.data_hash == first.data_hash
    second.data.iloc[0, 0] = second.data.iloc[1 if len(second.data) > 1 else 0, 0]  # may be written to


def test_stata_reasons_survive_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_stata_extended_missing_values_keep_their_reason(tmp_path)
    monkeypatch.setattr("cxlab.readers._read", unread)
    survey = cx.read_survey(tmp_path / "s.dta")
    assert survey.codebook["q1"].missing == {-1001.0: "refused", -1002.0: ".b"}


def test_content_and_options_are_the_key(files: Path, tmp_path: Path, cache: Path) -> None:
    path = saved(tmp_path / "a.csv", "q,email\n1,a@b.c\n")
    assert list(cx.read_survey(path).data.columns) == ["q"]
    assert list(cx.read_survey(path, keep_personal=True).data.columns) == ["q", "email"]
    saved(path, "q,email\n2,a@b.c\n")
    assert cx.read_survey(path).data["q"].tolist() == [2]
    assert len(list(cache.glob("*.parquet"))) == 3
    copy = saved(tmp_path / "b.csv", "q,email\n2,a@b.c\n")
    assert cx.read_survey(copy).name == "b"
    assert len(list(cache.glob("*.parquet"))) == 3
    for entry in cache.glob("*.parquet"):
        assert b"a@b.c" not in entry.read_bytes() or len(list(cache.glob("*"))) == 3
        assert entry.stat().st_mode & 0o077 == 0  # answers are nobody else's business


def test_missing_codes_are_applied_to_what_the_cache_holds(tmp_path: Path, cache: Path) -> None:
    path = labelled(tmp_path)
    assert quiet(path).data["q1"].tolist() == [9, 98, 99, 7]
    np.testing.assert_array_equal(quiet(path, missing={99: "refused"}).data["q1"], [9, 98, nan, 7])
    assert quiet(path).data["q1"].tolist() == [9, 98, 99, 7]
    with pytest.warns(DataWarning) as said:
        cx.read_survey(path)
    assert len(said) == 2  # also when it comes from the cache


def test_a_damaged_entry_is_read_anew(files: Path, cache: Path) -> None:
    path = files / "Roche_sample_missing.sav"
    first = quiet(path)
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], whole[:40] + bytes([whole[40] ^ 255]) + whole[41:], b"PAR1" * 50):
        entry.write_bytes(broken)
        pd.testing.assert_frame_equal(quiet(path).data, first.data)
        assert entry.read_bytes() != broken


def test_every_flipped_byte_is_noticed_or_harmless(files: Path, cache: Path) -> None:
    path = files / "Roche_sample_missing.sav"
    first = quiet(path)
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 60):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        pd.testing.assert_frame_equal(quiet(path).data, first.data)


def test_the_cache_can_be_switched_off(files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cx.read_survey(files / "Roche_sample.sav", cache=False)
    monkeypatch.setenv("CXLAB_CACHE", "0")
    cx.read_survey(files / "Roche_sample.sav")
    assert not cache.exists()


def test_small_files_are_not_kept(files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache, "SMALLEST", 1_000_000)
    cx.read_survey(files / "Roche_sample.sav")
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(files: Path, tmp_path: Path, cache: Path) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert len(cx.read_survey(files / "Roche_sample.sav")) == 5


def test_the_entries_unused_for_longest_go_first(files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(files / "Roche_sample.sav")
    (oldest,) = cache.iterdir()
    quiet(files / "Roche_sample.dta")
    (second,) = set(cache.iterdir()) - {oldest}
    os.utime(oldest, (1, 1))
    os.utime(second, (2, 2))
    quiet(files / "Roche_sample.sav")  # used: now the younger one
    monkeypatch.setattr(_cache, "LIMIT", oldest.stat().st_size + second.stat().st_size)
    quiet(files / "Roche_sample.por")
    assert oldest.exists()
    assert not second.exists()


# ---------------------------------------------------------------------- cost
@pytest.mark.slow
def test_a_big_file_costs_no_more_memory_and_half_the_time_when_opened_again() -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "read_sav.py"
    run = subprocess.run(
        [sys.executable, str(script), "--rows", "150000"], capture_output=True, text=True, check=True, timeout=600
    )
    rows = {line[:32].strip(): line[32:].split() for line in run.stdout.splitlines()[1:]}
    seconds = {name: float(cells[0]) for name, cells in rows.items()}
    peak = {name: float(cells[3]) for name, cells in rows.items()}
    assert peak["cxlab, no cache"] <= 1.3 * peak["pyreadstat"]
    assert peak["cxlab, first open"] <= 1.3 * peak["pyreadstat"]
    assert seconds["cxlab, second open"] <= seconds["cxlab, no cache"] / 2
