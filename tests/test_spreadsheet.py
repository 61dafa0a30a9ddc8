import csv
import datetime as dt
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cxlab import spreadsheet
from cxlab.errors import DataWarning, SurveyError
from cxlab.result import Base, Result
from cxlab.spreadsheet import number_format, write_result
from cxlab.words import set_language

ATTACKS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", '=HYPERLINK("x","y")', "{=1+1}", "https://example.org", "\t=1"]


@pytest.fixture
def result() -> Result:
    table = pd.DataFrame(
        {
            "segment": ["gold", "diamond", "=cmd|'/c calc'!A0"],
            "estimate": [7.249, 9.876, np.nan],
            "change": [-0.0312, 0.5, 0.004],
            "p_value": [0.0312, 0.5432, 0.00001],
            "rank": [1, 17, 3],
            "clear": [True, False, True],
            "since": pd.to_datetime(["2025-12-01", "2025-11-01", None]),
            "base": [1200, 25, 80],
            "reliability": ["ok", "suppressed", "low"],
        }
    )
    return Result(
        table,
        Base(1305, 1095.9, excluded=15, excluded_share=0.012),
        notes=({"en": "First note.", "zh": "说明一。"},),
        labels={"gold": {"en": "Gold", "zh": "金卡"}},
        call="cx.means(survey, 'satisfaction')",
        title={"en": "Satisfaction by card", "zh": "各卡种满意度"},
        formats={"estimate": ".1f", "change": "pp"},
    )


@pytest.fixture
def book(result, tmp_path):
    return openpyxl.load_workbook(result.to_excel(tmp_path / "out.xlsx"))


def rows(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_shown_sheet_has_labels_typed_numbers_and_masks(book):
    assert book.sheetnames == ["shown", "data", "notes"]
    header, gold, diamond, third = rows(book["shown"])
    assert header == ["Segment", "Estimate", "change", "p", "Rank", "clear", "since", "Base", "Reliability"]
    assert gold == ["Gold", 7.249, pytest.approx(-3.12), 0.0312, 1, "✓", "2025-12-01", 1200, "ok"]
    assert diamond == ["diamond", "–", "–", "–", "–", "–", "2025-11-01", 25, "suppressed"]
    assert third[:2] == ["=cmd|'/c calc'!A0", "–"]


def test_rounding_is_left_to_the_number_formats(book):
    formats = [cell.number_format for cell in next(book["shown"].iter_rows(min_row=2))]
    assert formats[1:5] == ["0.0", "+0.0;-0.0;0.0", '[<0.001]"< .001";.000', "#,##0"]


def test_data_sheet_keeps_the_unrounded_table(book, result):
    header, *body = rows(book["data"])
    assert header == list(result.table.columns)
    assert body[1] == ["diamond", 9.876, 0.5, 0.5432, 17, False, dt.datetime(2025, 11, 1), 25, "suppressed"]
    assert body[2][1] is None
    assert body[2][6] is None


def test_notes_sheet_in_the_current_language(result, tmp_path):
    set_language("zh")
    try:
        book = openpyxl.load_workbook(result.to_excel(tmp_path / "zh.xlsx"))
    finally:
        set_language("en")
    assert [[v for v in row if v is not None] for row in rows(book["notes"])] == [
        ["各卡种满意度"],
        ["样本量", 1305],
        ["有效样本量", 1095.9],
        ["剔除", 15],
        ["剔除部分的权重占比", 0.012],
        ["说明", "说明一。"],
        ["调用", "cx.means(survey, 'satisfaction')"],
    ]
    assert rows(book["shown"])[0][0] == "细分群体"
    assert rows(book["shown"])[1][0] == "金卡"


def test_headers_are_frozen_and_columns_wide_enough_for_chinese(result, tmp_path):
    wide = replace(result, labels={"gold": {"en": "非常满意的金卡会员客户"}, "diamond": {"en": "x" * 500}})
    book = openpyxl.load_workbook(wide.to_excel(tmp_path / "wide.xlsx"))
    assert (book["shown"].freeze_panes, book["data"].freeze_panes, book["notes"].freeze_panes) == ("A2", "A2", None)
    assert book["shown"].column_dimensions["A"].width == pytest.approx(60, abs=1)
    assert book["data"].column_dimensions["A"].width >= len("=cmd|'/c calc'!A0")
    narrow = openpyxl.load_workbook(replace(wide, table=wide.table.head(1)).to_excel(tmp_path / "narrow.xlsx"))
    assert narrow["shown"].column_dimensions["A"].width == pytest.approx(24, abs=1)  # 11 characters, 2 wide each


def attacked(tmp_path: Path) -> Path:
    table = pd.DataFrame({"item": ATTACKS, "answer": ATTACKS, "=1+1": range(len(ATTACKS))})
    note = {"en": "=1+1"}
    return Result(table, Base(8), notes=(note,), call="=1+1", title=note).to_excel(tmp_path / "attack.xlsx")


def test_text_never_becomes_a_formula_or_a_link(tmp_path):
    book = openpyxl.load_workbook(attacked(tmp_path))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
                if isinstance(cell.value, str) and cell.value[:1] in "=+-@\t":
                    assert cell.quotePrefix
    assert [r[0] for r in rows(book["data"])[1:]] == ATTACKS


def test_libreoffice_opens_it_and_computes_nothing(tmp_path, soffice):
    home = (tmp_path / "home").as_uri()
    subprocess.run(
        [soffice, f"-env:UserInstallation={home}", "--headless", "--convert-to",
         "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2", "--outdir", tmp_path,
         attacked(tmp_path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with next(tmp_path.glob("attack*.csv")).open(encoding="utf-8", newline="") as file:
        header, *body = csv.reader(file)
    assert header == ["item", "answer", "=1+1"]
    assert [row[:2] for row in body] == [[a, a] for a in ATTACKS]


def test_infinity_and_missing_values_of_pandas(tmp_path):
    table = pd.DataFrame({"estimate": [np.inf, -np.inf, np.nan], "rank": pd.array([1, None, 3], dtype="Int64")})
    book = openpyxl.load_workbook(Result(table, Base(3)).to_excel(tmp_path / "out.xlsx"))
    assert rows(book["data"])[1:] == [["inf", 1], ["-inf", None], [None, 3]]
    assert rows(book["shown"])[1:] == [["∞", 1], ["−∞", "–"], ["–", 3]]


def test_too_long_a_text_is_cut_with_a_warning(tmp_path):
    result = Result(pd.DataFrame({"item": ["q1"], "answer": ["x" * 40_000]}), Base(1))
    with pytest.warns(DataWarning) as caught:
        path = result.to_excel(tmp_path / "out.xlsx")
    assert str(caught[0].message) == (
        "row 1, column 2: a text of 40,000 characters was cut to the 32,767 that a cell holds."
    )
    cell = openpyxl.load_workbook(path)["data"]["B2"].value
    assert len(cell) == 32_767
    assert cell.endswith("x…")


def test_a_failed_write_leaves_the_old_file_and_no_other(result, tmp_path, monkeypatch):
    path = tmp_path / "out.xlsx"
    path.write_bytes(b"the old one")

    def break_down(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(spreadsheet, "_note_rows", break_down)
    with pytest.raises(RuntimeError, match="disk full"):
        write_result(result, path)
    assert path.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == ["out.xlsx"]


def test_a_file_that_is_locked_says_so(result, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "locked")

    monkeypatch.setattr(spreadsheet.os, "replace", refuse)
    path = tmp_path / "out.xlsx"
    with pytest.raises(SurveyError) as error:
        write_result(result, path)
    assert str(error.value) == f"{str(path)!r} cannot be written; close it in Excel and try again."
    assert os.listdir(tmp_path) == []


def test_the_new_file_has_the_rights_of_any_new_file(result, tmp_path):
    (tmp_path / "plain").touch()
    assert result.to_excel(tmp_path / "out.xlsx").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_wrong_paths_are_refused(result, tmp_path):
    with pytest.raises(SurveyError) as error:
        result.to_excel("out.xls")
    assert str(error.value) == "path is 'out.xls'; a workbook's name ends in .xlsx."
    with pytest.raises(SurveyError) as error:
        result.to_excel(tmp_path / "no" / "out.xlsx")
    assert str(error.value) == (f"path is in the folder {str(tmp_path / 'no')!r}, which does not exist; make it first.")


def test_a_table_longer_than_a_sheet_is_refused(result, tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    with pytest.raises(SurveyError) as error:
        result.to_excel(tmp_path / "out.xlsx")
    assert str(error.value) == (
        "the table has 3 rows and a sheet holds 2; write .table.to_parquet(...) or filter it first."
    )


@pytest.mark.parametrize(
    ("spec", "excel"),
    [
        (".3f", "0.000"),
        (",", "#,##0"),
        (",.1f", "#,##0.0"),
        (".1%", "0.0%"),
        ("+.1%", "+0.0%;-0.0%;0.0%"),
        (".2e", "General"),
        ("", "General"),
    ],
)
def test_number_formats(spec, excel):
    assert number_format(spec) == excel


def test_shares_in_points_and_their_errors_have_one_unit(tmp_path):
    table = pd.DataFrame({"estimate": [0.0532], "se": [0.0163], "low": [0.02125]})
    result = Result(table, Base(100, 100.0), formats={"estimate": "pp", "se": "pt", "low": "pp2"})
    sheet = openpyxl.load_workbook(result.to_excel(tmp_path / "points.xlsx"))["shown"]
    assert [c.value for c in sheet[2]] == pytest.approx([5.32, 1.63, 2.125])
    assert [c.number_format for c in sheet[2]] == ["+0.0;-0.0;0.0", "0.0", "+0.00;-0.00;0.00"]
