"""SPSS files: what they hold is read, what is written is read back, what SPSS cannot hold is refused."""

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlab.errors import DataWarning, SurveyError
from cxlab.items import FILE, Codebook, Item, MultipleResponse
from cxlab.spss import Contents, read_sav, write_sav

SAVS = ["Roche_hebrews.sav", "Roche_sample.sav", "Roche_sample.zsav", "Roche_sample_missing.sav",
        "Roche_simple_alltypes.sav", "Roche_tegulu.sav", "tidyverse_datetime.sav", "tidyverse_labelled-num-na.sav",
        "tidyverse_umlauts.sav"]  # fmt: skip


def write(path: Path, contents: Contents, **options: object) -> Contents:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        write_sav(path, contents.data, contents.codebook, contents.missing_reasons, **options)
    return read_sav(path)


def without_text_width(codebook: Codebook) -> dict[str, dict[str, object]]:
    # SPSS gives a text column the width of its longest text; everything else has to come back.
    return {n: {**vars(i), "format": None if i.kind == "text" else i.format} for n, i in codebook.items.items()}


# ---------------------------------------------------------------------- reading
def test_sample_labels_dates_and_times(files: Path) -> None:
    read = read_sav(files / "Roche_sample.sav")
    assert read.data["mynum"].tolist() == [1.1, 1.2, -1000.3, -1.4, 1000.3]
    assert read.data["mydate"].dt.strftime("%Y-%m-%d").tolist()[:4] == [
        "2018-05-06", "1880-05-06", "1960-01-01", "1583-01-01",
    ]  # fmt: skip
    assert read.data["dtime"].isna().tolist() == [False, False, False, False, True]
    assert read.data["dtime"][1] == pd.Timestamp("1880-05-06 10:10:10")
    assert read.data["mytime"][1] == pd.Timedelta("23:10:10")
    assert read.data["mydate"].dtype == "datetime64[us]"
    assert read.codebook["myord"] == Item(
        "myord", {FILE: "ordinal"}, {1.0: {FILE: "low"}, 2.0: {FILE: "medium"}, 3.0: {FILE: "high"}},
        measure="ordinal", format="F8.2",
    )  # fmt: skip
    assert [read.codebook[n].kind for n in read.codebook] == [
        "text", "number", "date", "datetime", "number", "number", "time",
    ]  # fmt: skip


def test_compressed_file_holds_the_same(files: Path) -> None:
    plain, packed = read_sav(files / "Roche_sample.sav"), read_sav(files / "Roche_sample.zsav")
    pd.testing.assert_frame_equal(plain.data, packed.data)
    assert plain.codebook.items == packed.codebook.items


def test_user_missing_codes_and_ranges_keep_their_reason(files: Path) -> None:
    read = read_sav(files / "Roche_sample_missing.sav")
    np.testing.assert_array_equal(read.data["mynum"], [1.1, 1.2, -1000.3, -1.4, 1000.3, np.nan, np.nan])
    np.testing.assert_array_equal(read.missing_reasons["mynum"], [np.nan] * 5 + [-1, 2500])
    np.testing.assert_array_equal(read.missing_reasons["myord"], [np.nan] * 5 + [-1, -3])
    # The last respondent's mylabl is system-missing: no code, so no reason.
    np.testing.assert_array_equal(read.missing_reasons["mylabl"], [np.nan] * 5 + [-1, np.nan])
    assert read.codebook["mynum"].missing == {-1.0: "user-missing", 2500.0: "user-missing"}
    assert read.codebook["mynum"].missing_ranges == ((2000.0, 3000.0),)
    assert read.codebook["mylabl"].missing == {-1.0: "undetermined"}
    assert read.codebook["myord"].missing == {-3.0: "user-missing", -2.0: "user-missing", -1.0: "missing"}
    assert list(read.missing_reasons.columns) == ["mynum", "mylabl", "myord"]


def test_range_with_a_labelled_code_and_sets(files: Path) -> None:
    read = read_sav(files / "Roche_simple_alltypes.sav")
    np.testing.assert_array_equal(read.data["z"], [np.nan, np.nan, 1.234, np.nan, 3.14159, np.nan])
    np.testing.assert_array_equal(read.missing_reasons["z"], [-9, np.nan, np.nan, 999, np.nan, np.nan])
    assert read.codebook["z"].missing == {-9.0: "user-missing", 999.0: "skipped"}
    assert read.codebook["z"].missing_ranges == ((-999.0, 0.0),)
    np.testing.assert_array_equal(read.data["x"], [1, 2, 3, 4, np.nan, 9])
    assert read.data["str"].tolist()[:4] == ["red", "green", "reg-green-blue-whatever", "NA"]
    assert read.data["str"].isna().tolist() == [False] * 4 + [True, False]
    assert read.data["y"][3] == pd.Timestamp("1776-07-04")
    assert read.data["quarter"].dt.strftime("%Y-%m").tolist() == ["2014-10"] * 4 + ["2015-01"] * 2
    assert read.codebook["quarter"].kind == "date"
    assert read.codebook["quarter"].format == "QYR8"
    assert read.codebook["ca_subvar_1"].values == {c: {FILE: c} for c in "abcd"}
    assert read.codebook.sets == (
        MultipleResponse("categorical_array", ("ca_subvar_1", "ca_subvar_2", "ca_subvar_3"), "category"),
        MultipleResponse("mymrset", ("bool1", "bool2", "bool3"), "dichotomy", {FILE: "My multiple response set"}, 1.0),
    )


def test_a_date_beyond_the_calendar_does_not_kill_the_file(files: Path) -> None:
    read = read_sav(files / "tidyverse_datetime.sav")
    assert read.data["date"].dt.strftime("%Y-%m-%d").tolist() == ["2014-09-22", "2014-09-23"]
    assert read.data["date.posix"].isna().tolist() == [True, False]
    assert read.data["date.posix"][1] == pd.Timestamp("2014-09-23 15:59:20")
    assert read.data["time"].tolist() == [pd.Timedelta("12:11:10.09"), pd.Timedelta("15:59:20.01")]
    assert [n.text() for n in read.notes] == ["date.posix: dates outside the years 1–9999 were set to missing (1)."]
    assert read.notes[0].text(lang="zh") == "date.posix：1 个日期超出公元 1–9999 年，已作缺失处理。"


def test_scripts_survive(files: Path) -> None:
    hebrew = read_sav(files / "Roche_hebrews.sav")
    assert hebrew.data["ותק_ב"].head(5).tolist() == [33, 34, 15, 35, 28]
    assert len(hebrew.data) == 99
    assert hebrew.codebook["ותק_ב"].measure == "nominal"
    telugu = read_sav(files / "Roche_tegulu.sav")
    assert telugu.data["Q16br9oe_Q24br9oe"].tolist() == ["నేను గతంలో వాడిన బ"]
    assert telugu.codebook["record"].label() == "record : Record number"
    umlauts = read_sav(files / "tidyverse_umlauts.sav")
    assert umlauts.codebook["var1"].label() == "This is an ä-umlaut"
    assert [umlauts.codebook["var1"].value_label(c) for c in (1.0, 2.0, 3.0)] == [
        "the ä umlaut", "the ü umlaut", "the ö umlaut",
    ]  # fmt: skip


def test_a_code_that_nobody_labelled_is_missing_all_the_same(files: Path) -> None:
    read = read_sav(files / "tidyverse_labelled-num-na.sav")
    np.testing.assert_array_equal(read.data["VAR00002"], [1, np.nan])
    np.testing.assert_array_equal(read.missing_reasons["VAR00002"], [np.nan, 9])
    assert read.codebook["VAR00002"].missing == {9.0: "user-missing"}


def test_text_codes_can_be_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"card": ["gold", "NA", "plain", "gold"]})
    path = tmp_path / "text.sav"
    pyreadstat.write_sav(
        frame, path, missing_ranges={"card": ["NA"]}, variable_value_labels={"card": {"NA": "refused"}}
    )
    read = read_sav(path)
    assert read.data["card"].isna().tolist() == [False, True, False, False]
    assert read.codebook["card"].missing == {"NA": "refused"}
    assert read.missing_reasons["card"].tolist()[1] == "NA"
    again = write(tmp_path / "again.sav", read)
    pd.testing.assert_frame_equal(again.missing_reasons, read.missing_reasons)


def test_open_ended_ranges_mask_what_they_say(tmp_path: Path) -> None:
    frame = pd.DataFrame({"q": [-5.0, -1.0, 0.0, 3.0, 97.0]})
    path = tmp_path / "lowest.sav"
    lowest = float(-np.finfo(float).max)
    pyreadstat.write_sav(frame, path, missing_ranges={"q": [{"lo": lowest, "hi": -1}, 97]})
    read = read_sav(path)
    np.testing.assert_array_equal(read.data["q"], [np.nan, np.nan, 0, 3, np.nan])
    np.testing.assert_array_equal(read.missing_reasons["q"], [-5, -1, np.nan, np.nan, 97])
    again = write(tmp_path / "again.sav", read)
    pd.testing.assert_frame_equal(again.data, read.data)
    assert again.codebook["q"].missing == read.codebook["q"].missing


def test_the_weight_that_the_file_names_is_told(tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": ["a very long text indeed"] * 3, "q": [1.0, 2, 3], "w": [1.0, 2, 0.5]})
    path = tmp_path / "weighted.sav"
    pyreadstat.write_sav(frame, path)
    raw = bytearray(path.read_bytes())
    raw[76:80] = (5).to_bytes(4, "little")  # three slots of text, one of q, then w
    path.write_bytes(raw)
    assert [n.text() for n in read_sav(path).notes] == [
        "The file says that it is weighted by w; pass weight='w' to use it."
    ]


# ---------------------------------------------------------------------- faults
@pytest.mark.parametrize("name", ["Roche_sample_missing.sav", "Roche_sample.zsav", "Roche_simple_alltypes.sav"])
def test_every_cut_off_file_is_refused_plainly(files: Path, tmp_path: Path, name: str) -> None:
    whole = (files / name).read_bytes()
    path = tmp_path / name
    for length in [*range(1, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(SurveyError, match=r"is (cut off|damaged, cut off|not an SPSS data file)"):
            read_sav(path)


def test_a_file_without_its_last_respondents(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.sav"
    path.write_bytes((files / "Roche_hebrews.sav").read_bytes()[:-80])
    with pytest.raises(SurveyError) as caught:
        read_sav(path)
    assert str(caught.value) == "half.sav is cut off: it ends before its last respondent; copy or export it again."


def test_an_encrypted_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "secret.sav"
    path.write_bytes(b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV\x15" + bytes(200))
    with pytest.raises(SurveyError) as caught:
        read_sav(path)
    assert str(caught.value) == (
        "secret.sav is encrypted with a password; save a copy without one in SPSS (File > Save As) and read that."
    )


def test_a_renamed_file_is_no_spss_file(files: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(files / "Roche_sample.dta", tmp_path / "renamed.sav"))
    with pytest.raises(SurveyError) as caught:
        read_sav(path)
    assert str(caught.value) == (
        "renamed.sav is not an SPSS data file, whatever its name says; export it again as .sav."
    )


def in_gbk(tmp_path: Path, code_page: bytes) -> Path:
    """A file with Chinese labels in GBK, which claims another code page."""
    path = tmp_path / "gbk.sav"
    frame = pd.DataFrame({"q1": [1.0, 2.0], "city": ["x" * 12, "x" * 12]})
    pyreadstat.write_sav(frame, path, column_labels={"q1": "y" * 20}, variable_value_labels={"q1": {1: "z" * 8}})
    raw = path.read_bytes().replace(b"UTF-8", code_page)
    for mark, text in ((b"x" * 12, "北京市海淀区"), (b"y" * 20, "您对本次体检满意程度"), (b"z" * 8, "完全满意")):
        raw = raw.replace(mark, text.encode("gbk"))
    path.write_bytes(raw)
    return path


def test_an_encoding_that_the_file_is_wrong_about(tmp_path: Path) -> None:
    path = in_gbk(tmp_path, b"UTF-8")
    with pytest.raises(SurveyError) as caught:
        read_sav(path)
    assert str(caught.value) == (
        "encoding is not given, and with its own the text of gbk.sav cannot be read; "
        "try encoding='gb18030', 'big5', 'cp1252' or 'utf-8'."
    )
    read = read_sav(path, encoding="gb18030")
    assert read.codebook["q1"].label() == "您对本次体检满意程度"
    assert read.codebook["q1"].value_label(1.0) == "完全满意"
    assert read.data["city"].tolist() == ["北京市海淀区"] * 2
    with pytest.raises(SurveyError, match=r"^encoding is 'nonsense', in which the text of gbk\.sav cannot be read"):
        read_sav(path, encoding="nonsense")


# ---------------------------------------------------------------------- writing
@pytest.mark.parametrize("name", SAVS)
@pytest.mark.parametrize("ending", [".sav", ".zsav"])
def test_what_was_read_comes_back(files: Path, tmp_path: Path, name: str, ending: str) -> None:
    first = read_sav(files / name)
    second = write(tmp_path / f"again{ending}", first)
    pd.testing.assert_frame_equal(second.data, first.data)
    pd.testing.assert_frame_equal(second.missing_reasons, first.missing_reasons)
    assert without_text_width(second.codebook) == without_text_width(first.codebook)


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 3)) | st.just(float("nan"))
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)
moments = st.datetimes(pd.Timestamp("1601-01-01"), pd.Timestamp("9000-01-01")).map(lambda d: d.replace(microsecond=0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(numbers, words, moments, st.sampled_from([1.0, 5.0, 98.0, 99.0])), min_size=1, max_size=12))
def test_any_survey_comes_back(tmp_path: Path, rows: list[tuple[float, str, object, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["amount", "comment", "seen", "rating"])
    reasons = frame[["rating"]].where(frame["rating"] > 90)
    frame["rating"] = frame["rating"].where(frame["rating"] <= 90)
    frame["comment"] = frame["comment"].astype("str").where(frame["comment"] != "")
    frame["seen"] = pd.to_datetime(frame["seen"]).astype("datetime64[us]")
    rating = Item("rating", {"en": "Rating", "zh": "评分"}, {5.0: {"en": "top", "zh": "最高"}},
                  missing={98.0: "not experienced", 99.0: "refused"})  # fmt: skip
    codebook = Codebook(
        {"rating": rating, "seen": Item("seen", kind="datetime"), "comment": Item("comment", kind="text")}
    )
    read = write(tmp_path / "any.sav", Contents(frame, codebook, reasons), lang="zh")
    pd.testing.assert_frame_equal(read.data, frame)
    np.testing.assert_array_equal(read.missing_reasons.get("rating", pd.Series(np.nan, frame.index)), reasons["rating"])
    assert read.codebook["rating"].labels == {FILE: "评分"}
    assert read.codebook["rating"].value_label(5.0) == "最高"
    assert set(read.codebook["rating"].missing) == {98.0, 99.0}


def test_labels_are_english_unless_asked(tmp_path: Path) -> None:
    data = pd.DataFrame({"a": [1.0], "b": [1.0]})
    codebook = Codebook(
        {"a": Item("a", {"en": "Queue", "zh": "排队"}), "b": Item("b", {FILE: "wie im File", "zh": "乙"})}
    )
    read = write(tmp_path / "l.sav", Contents(data, codebook, pd.DataFrame(index=data.index)))
    assert [read.codebook[n].label() for n in "ab"] == ["Queue", "wie im File"]
    read = write(tmp_path / "l.sav", Contents(data, codebook, pd.DataFrame(index=data.index)), lang="zh")
    assert [read.codebook[n].label() for n in "ab"] == ["排队", "乙"]


def item_with_codes(codes: list[float]) -> Contents:
    data = pd.DataFrame({"q": [*[np.nan] * len(codes), 5.0]})
    reasons = pd.DataFrame({"q": [*codes, np.nan]})
    return Contents(data, Codebook({"q": Item("q", missing=dict.fromkeys(codes, "x"))}), reasons)


def test_more_codes_than_three_become_a_range_where_no_answer_lies(tmp_path: Path) -> None:
    first = item_with_codes([-1.0, 96.0, 97.0, 98.0, 99.0])
    read = write(tmp_path / "range.sav", first)
    pd.testing.assert_frame_equal(read.data, first.data)
    pd.testing.assert_frame_equal(read.missing_reasons, first.missing_reasons)
    assert read.codebook["q"].missing_ranges == ((96.0, 99.0),)


def test_codes_that_spss_cannot_declare_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "too_many.sav"
    path.write_bytes(b"the old file")
    with pytest.raises(SurveyError) as caught:
        write(path, item_with_codes([-2.0, -1.0, 98.0, 99.0]))
    assert str(caught.value) == (
        "q has 4 user-missing codes (-2.0, -1.0, 98.0, 99.0); SPSS declares at most 3, or one range without answers in "
        "it and 1 more (text: 3 of at most 8 bytes). Recode some of them."
    )
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir()] == ["too_many.sav"]


def test_names_that_spss_does_not_allow(tmp_path: Path) -> None:
    names = ["1st", "q 1", "queue", "Queue", "AND", "排" * 22, "ok_1", "满意度"]
    data = pd.DataFrame([[1.0] * len(names)], columns=names)
    with pytest.raises(SurveyError) as caught:
        write_sav(tmp_path / "n.sav", data, Codebook(), pd.DataFrame(index=data.index))
    assert str(caught.value) == (
        "data has 5 column name(s) that SPSS does not allow: '1st' (for instance 'v1st'), 'q 1' (for instance 'q_1'), "
        f"'Queue' (the same as 'queue' in SPSS), 'AND' (for instance 'AND_'), '{'排' * 22}' (66 bytes); rename them: "
        "at most 64 bytes, a letter first, then letters, digits, '_' or '.', upper and lower case alike."
    )
    read = write(tmp_path / "n.sav", Contents(data[["ok_1", "满意度"]], Codebook(), pd.DataFrame(index=data.index)))
    assert list(read.data.columns) == ["ok_1", "满意度"]


def test_long_labels_are_cut_with_a_warning(tmp_path: Path) -> None:
    data = pd.DataFrame({"q": [1.0]})
    codebook = Codebook({"q": Item("q", {"en": "问" * 100}, {1.0: {"en": "答" * 50}})})
    with pytest.warns(DataWarning, match=r"^SPSS keeps 256 bytes of a label and 120 of a value label; cut: q\.$"):
        write_sav(tmp_path / "c.sav", data, codebook, pd.DataFrame(index=data.index))
    read = read_sav(tmp_path / "c.sav")
    assert read.codebook["q"].label() == "问" * 85
    assert read.codebook["q"].value_label(1.0) == "答" * 40


def test_sets_are_warned_about_as_they_are_not_written(files: Path, tmp_path: Path) -> None:
    read = read_sav(files / "Roche_simple_alltypes.sav")
    message = "multiple-response sets are not written to SPSS files: categorical_array, mymrset; their columns are."
    with pytest.warns(DataWarning, match=f"^{re.escape(message)}$"):
        write_sav(tmp_path / "s.sav", read.data, read.codebook, read.missing_reasons)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scores.csv", "path is 'scores.csv'; SPSS files end in .sav or .zsav."),
        ("none/scores.sav", "path is in the folder '{folder}/none', which does not exist; make it first."),
    ],
)
def test_paths_that_cannot_be_written(tmp_path: Path, name: str, message: str) -> None:
    data = pd.DataFrame({"q": [1.0]})
    with pytest.raises(SurveyError) as caught:
        write_sav(tmp_path / name, data, Codebook(), pd.DataFrame(index=data.index))
    assert str(caught.value) == message.format(folder=tmp_path)


def test_a_text_longer_than_spss_holds(tmp_path: Path) -> None:
    data = pd.DataFrame({"comment": ["长" * 11_000]})
    with pytest.raises(SurveyError) as caught:
        write_sav(
            tmp_path / "t.sav", data, Codebook({"comment": Item("comment", kind="text")}), pd.DataFrame(index=[0])
        )
    assert str(caught.value) == "comment holds a text of 33,000 bytes; SPSS holds at most 32,767. Shorten it."
