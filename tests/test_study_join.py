"""Joining linked tables: who is matched, what counts, what is refused, what stays as it was."""

from __future__ import annotations

import json
import re
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.errors import DataWarning, SurveyError
from cxlab.words import set_language

ROOT = Path(__file__).parents[1]
RENEWED: dict[str, Any] = {
    "measures": {"again": "any(kind == 'renewal')"},
    "on": {"customer_id": "customer_id", "wave": "visit_wave"},
    "window": (0, 12),
    "unit": "calendar_month",
    "date": "wave",
}


def study_of(folder: Path, answers: Any, extra: str = "", **tables: Any) -> cx.Study:
    """A study of a frame (or CSV text) and linked tables with the key ``id`` and, if they have it, the date ``on``."""
    listed = []
    for name, frame in {"answers": answers, **tables}.items():
        text = frame if isinstance(frame, str) else frame.to_csv(index=False)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        if name != "answers":
            head = text.splitlines()[0].split(",")
            listed.append(f"  {name}: {{file: {name}.csv, key: {head[0]}{', date: on' if 'on' in head else ''}}}\n")
    date = "date: asked\n" if "asked" in (folder / "answers.csv").read_text().splitlines()[0] else ""
    linked = "tables:\n" + "".join(listed) if listed else ""
    (folder / "study.yml").write_text(f"study: shop\ndata: answers.csv\n{date}{linked}{extra}", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return cx.open_study(folder)


def error_of(call: Any, *places: Any, **options: Any) -> str:
    with pytest.raises(SurveyError) as raised:
        call(*places, **options)
    return str(raised.value)


def english(joined: cx.Survey) -> list[str]:
    return [note["en"] for note in joined.joins[-1].notes]


ANSWERS = "id,asked,score\na,2025-01-10,9\nb,2025-01-20,4\nc,2025-02-10,6\na,2025-03-01,8\n"
SALES = "id,on,kind,amount\na,2025-01-05,visit,1\na,2025-02-01,renewal,10\na,2025-04-01,visit,20\nb,2025-09-01,renewal,5\nz,2026-01-31,visit,3\n"


@pytest.fixture
def shop(tmp_path: Path) -> cx.Study:
    return study_of(tmp_path, ANSWERS, sales=SALES)


@pytest.fixture(scope="module")
def demo() -> cx.Study:
    return cx.open_study(ROOT / "data" / "healthcheck")


# ---------------------------------------------------------------------- the demo study
def test_renewals_of_the_transactions_are_those_of_the_responses(demo: cx.Study) -> None:
    joined = demo.join(demo.survey(), "transactions", **RENEWED)
    rows = joined.data
    twice = rows.duplicated(["customer_id", "wave"], keep=False)  # planted: an id that is somebody else's
    known = rows["wave"] <= 21
    pd.testing.assert_series_equal(rows["again"][~twice], rows["renewed"][~twice], check_names=False)
    assert (rows["again"] != rows["renewed"])[known & twice].sum() == 12
    assert joined.missing_reasons["again"].eq(-9992).equals(~known)
    assert joined.codebook["again"].missing == {-9992.0: "not yet observed"}
    assert english(joined)[0] == (
        "1,200 respondents are not yet observed to the end: the table reaches to 2026-09-27. They are missing, not counted as “no”."
    )


def test_renewal_rates_by_card_agree_with_the_truth(demo: cx.Study) -> None:
    truth = json.loads((demo.folder / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["renewal"]
    joined = demo.join("transactions", **RENEWED)
    by_card = cx.means(joined, "again", by="card").table
    for row, card in zip(by_card.itertuples(), ("ordinary", "gold", "diamond"), strict=True):
        spread = np.hypot(row.se, truth[card]["se"])
        assert abs(row.estimate - truth[card]["value"]) <= 4.1 * spread
    same = cx.means(joined, "renewed", by="card").table
    assert by_card["estimate"].to_numpy() == pytest.approx(same["estimate"].to_numpy(), abs=0.003)


def test_by_days_only_interviews_whose_year_is_over_are_known(demo: cx.Study) -> None:
    joined = demo.join("transactions", **{**RENEWED, "unit": "month", "date": None})
    days = pd.to_datetime(joined.data["visit_date"], errors="coerce")
    over = days + pd.DateOffset(months=12) <= pd.Timestamp("2026-09-27")
    assert joined.data["again"].notna().equals(over)
    assert joined.missing_reasons["again"].eq(-9994).equals(days.isna())
    assert "6 respondents have a missing or impossible interview date, and so no value." in english(joined)
    complete = demo.join("transactions", **{**RENEWED, "unit": "month", "date": None, "until": "2026-09-30"})
    assert complete.data["again"].notna().equals(days <= "2025-09-30")


def test_follow_up_keeps_the_last_waves_and_censors_them(demo: cx.Study) -> None:
    joined = demo.join("transactions", **{**RENEWED, "measures": {"renewal": "follow_up(kind == 'renewal')"}})
    rows = joined.data
    assert rows[["renewal_months", "renewal_event"]].notna().all().all()
    assert rows["renewal_months"].between(1, 12).all()
    late = rows["wave"] == 24
    assert (rows.loc[late & (rows["renewal_event"] == 0), "renewal_months"] == 9).all()
    assert (rows.loc[(rows["wave"] <= 21) & (rows["renewal_event"] == 0), "renewal_months"] == 12).all()
    alive = rows.duplicated(["customer_id", "wave"], keep=False)
    known = (rows["wave"] <= 21) & ~alive
    assert (rows["renewal_event"] == rows["renewed"])[known].all()
    assert [i.label("zh") for i in joined.codebook.values() if i.name.startswith("renewal_")] == [
        "续约：距发生或观察结束的月数",
        "续约",
    ]
    assert joined.codebook["renewal_event"].value_label(1.0, "zh") == "已发生"


def test_customers_join_without_any_argument(demo: cx.Study) -> None:
    joined = demo.join("customers")
    before = demo.survey()
    assert [c for c in joined.data if c not in before.data] == ["price_paid", "joined"]
    pd.testing.assert_frame_equal(joined.data[before.data.columns], before.data)
    notes = english(joined)
    assert notes[0].endswith("the survey's are kept: card.")
    assert [re.findall(r"“(\w+)”.* (\d+) matched", n)[0] for n in notes[1:]] == [("payer", "20"), ("clinic", "35")]
    result = joined.joins[-1]
    assert result.unmatched["side"].eq("table").all()
    assert (len(result.unmatched), result.use, result.items) == (20, "covariate", ("price_paid", "joined"))


def test_a_clinic_month_is_found_by_the_label_of_the_wave(demo: cx.Study) -> None:
    joined = demo.join("clinics", columns=["engagement"], on={"clinic": "clinic", "wave": "month"})
    table = demo.table("clinics").set_index(["clinic", "month"])["engagement"]
    month = joined.labelled(["wave"])["wave"].astype(str)
    for i in (0, 4_000, 9_599):
        assert joined.data["engagement"][i] == table[joined.data["clinic"][i], month[i]]
    assert joined.joins[-1].table["estimate"][0] == 1
    message = error_of(demo.join, "clinics", columns=["engagement"])
    assert message == (
        "'clinics' has several rows for 12 of 12 ids that respondents have, e.g. 1, 9, 11 (many-to-many: 12 of them have several "
        "interviews as well); aggregate them with measures={'new name': 'count'}, choose one row each with where=, or name a "
        "further key with on={survey column: table column}."
    )


def test_mobi_has_no_tables() -> None:
    mobi = cx.open_study(ROOT / "data" / "mobi")
    assert error_of(mobi.join, mobi.survey(), "customers") == (
        "table is 'customers', but the study 'mobi' declares no tables; add it to study.yml: "
        "tables: {customers: {file: customers.csv, key: ...}}."
    )


# ---------------------------------------------------------------------- what counts
def test_the_day_of_the_interview_is_neither_before_nor_after(tmp_path: Path) -> None:
    sales = "id,on\n" + "".join(
        f"a,{d}\n" for d in ("2025-01-30", "2025-01-31", "2025-02-01", "2025-02-28", "2025-03-01")
    )
    study = study_of(tmp_path, "id,asked\na,2025-01-31\n", sales=sales)
    after = study.join("sales", measures={"n": "count", "last": "last(on)"}, window=(0, 1))
    assert after.data["n"].tolist() == [2]  # one month after 31 January ends on 28 February
    assert after.data["last"].tolist() == [pd.Timestamp("2025-02-28")]
    assert after.codebook["last"].kind == "datetime"
    assert english(after) == [
        "Rows dated before the interview, which an outcome does not count: 1.",
        "Rows dated on the day of the interview, of which nobody knows what came first, not counted: 1.",
    ]
    before = study.join("sales", measures={"n": "count"}, use="covariate")
    assert before.data["n"].tolist() == [1]
    around = study.join("sales", measures={"n": "count"}, use="covariate", window=(-1, 1), unit="day")
    assert around.data["n"].tolist() == [2]
    months = study.join("sales", measures={"n": "count"}, window=(0, 1), unit="calendar_month")
    assert months.data["n"].tolist() == [2]
    assert english(months)[-1].startswith("Rows dated in the month of the interview")


def test_every_measure(shop: cx.Study) -> None:
    measures = {
        "any": "any", "n": "count", "visits": "count(kind == 'visit')", "paid": "sum(amount)", "double": "sum(2 * amount)",
        "mean": "mean(amount)", "low": "min(amount)", "high": "max(amount)", "what": "first(kind)", "end": "last(amount)",
    }  # fmt: skip
    joined = shop.join("sales", measures=measures, window=(0, 3))
    rows = joined.data[list(measures)]
    assert rows.iloc[0, :8].tolist() == [1, 2, 1, 30, 60, 15, 10, 20]
    assert rows.iloc[0, 8:].tolist() == ["renewal", 20]
    assert rows.iloc[1, :5].tolist() == [0, 0, 0, 0, 0]
    assert rows.iloc[1, 5:].isna().all()
    assert rows.iloc[2].isna().all()
    assert joined.missing_reasons.loc[1, ["mean", "low", "high", "end"]].tolist() == [-9995] * 4
    assert joined.missing_reasons.loc[2, "any"] == -9991
    assert joined.codebook["any"].value_label(0.0, "zh") == "否"


def test_a_missing_amount_makes_the_sum_missing_and_is_said(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        "id,asked\na,2025-01-01\nb,2025-01-01\n",
        s="id,on,paid\na,2025-02-01,\na,2025-02-02,4\nb,2025-09-01,7\n",
    )
    joined = study.join("s", measures={"paid": "sum(paid)", "n": "count"}, window=(0, 6))
    np.testing.assert_array_equal(joined.data["paid"], [np.nan, 0])
    assert joined.data["n"].tolist() == [2, 0]
    assert english(joined)[-1] == (
        "Rows that lack a value which a condition or a sum needs: 1; a condition does not hold for them, a sum with them is missing."
    )


def test_windows_that_are_not_over_are_no_refusals(tmp_path: Path) -> None:
    answers = "id,asked\na,2025-01-01\nb,2025-08-01\nc,2025-08-01\n"
    study = study_of(tmp_path, answers, s="id,on\na,2024-12-01\nb,2025-09-01\nc,2025-01-01\nz,2025-12-31\n")
    joined = study.join("s", measures={"any": "any"}, window=(0, 6))
    # b bought already, and is missing all the same: counting the early ones among the unfinished raises the rate.
    np.testing.assert_array_equal(joined.data["any"], [0, np.nan, np.nan])
    assert joined.joins[-1].table["known"].tolist() == pytest.approx([1 / 3])
    later = study.join("s", measures={"any": "any"}, window=(0, 6), until="2026-02-01")
    assert later.data["any"].tolist() == [0, 1, 0]
    followed = study.join("s", measures={"s": "follow_up"}, window=(0, 6)).data
    np.testing.assert_allclose(followed["s_months"], [6, 31 / 30.4375, 152 / 30.4375])
    assert followed["s_event"].tolist() == [0, 1, 0]
    days = study.join("s", measures={"s": "follow_up"}, unit="day").data
    assert days["s_days"].tolist() == [364, 31, 152]


def test_interviews_after_the_records_end_are_not_observed(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,asked\na,2025-01-01\nb,2026-05-01\n", s="id,on\na,2025-02-01\nb,2025-03-01\n")
    joined = study.join("s", measures={"s": "follow_up"})
    np.testing.assert_array_equal(joined.data["s_event"], [1, np.nan])
    assert joined.codebook["s_months"].missing == {-9992.0: "not yet observed"}


def test_history_before_the_records_begin_is_not_known(tmp_path: Path) -> None:
    study = study_of(
        tmp_path, "id,asked\na,2025-06-01\nb,2026-02-01\n", s="id,on\na,2025-01-01\nb,2025-08-01\nb,2026-03-01\n"
    )
    joined = study.join("s", measures={"n": "count"}, window=(-12, 0), use="covariate")
    np.testing.assert_array_equal(joined.data["n"], [np.nan, 1])
    assert english(joined) == [
        "For 1 respondents the window begins before the records do (2025-01-01); they are missing."
    ]
    assert study.join("s", measures={"n": "count"}, use="covariate").data["n"].tolist() == [1, 1]


def test_unmatched_may_stand_for_no_purchase(shop: cx.Study) -> None:
    np.testing.assert_array_equal(
        shop.join("sales", measures={"n": "count"}, window=(0, 3)).data["n"], [2, 0, np.nan, 1]
    )
    joined = shop.join("sales", measures={"n": "count"}, window=(0, 3), unmatched="zero")
    assert joined.data["n"].tolist() == [2, 0, 0, 1]
    assert joined.joins[-1].table["matched"][0] == 3


def test_a_row_may_count_for_two_interviews_of_a_customer(shop: cx.Study) -> None:
    joined = shop.join("sales", measures={"n": "count"}, window=(0, 3))
    assert "Rows that count for more than one interview of the same customer: 1." in english(joined)


def test_where_chooses_rows_and_not_respondents(shop: cx.Study) -> None:
    joined = shop.join("sales", measures={"n": "count"}, where="kind == 'renewal'", window=(0, 12))
    np.testing.assert_array_equal(joined.data["n"], [1, 1, np.nan, np.nan])
    assert joined.joins[-1].table["matched"][0] == 3
    assert joined.missing_reasons["n"].tolist()[2:] == [-9991, -9992]


def test_impossible_and_missing_dates_are_counted(tmp_path: Path) -> None:
    sales = "id,on\na,2025-02-30\na,\na,2125-02-01\na,2025-03-01\nb,2025-03-01\nb,2026-06-01\n" + "z,2026-06-02\n" * 3
    study = study_of(tmp_path, "id,asked\na,2025-01-01\nb,2025-02-29\nc,2025-01-01\nd,2025-01-01\n", sales=sales)
    joined = study.join("sales", measures={"n": "count"}, window=(0, 6))
    np.testing.assert_array_equal(joined.data["n"], [1, np.nan, np.nan, np.nan])
    assert english(joined) == [
        "2 respondents (50.0% of the weight) are not in the table, 0 of them because they have no id; they have no value.",
        "1 respondents have a missing or impossible interview date, and so no value.",
        "Rows of the table with a missing or impossible date, left out of everything that needs dates: 3 (impossible: 2).",
    ]


def test_a_last_date_far_behind_the_others_is_suspected(tmp_path: Path) -> None:
    days = pd.date_range("2025-01-01", periods=30).strftime("%Y-%m-%d").tolist()
    sales = pd.DataFrame({"id": "a", "on": [*days, "2062-01-05"]})
    study = study_of(tmp_path, "id,asked\na,2025-01-15\n", sales=sales)
    said = (
        "the last date of 'sales', 2062-01-05, lies 13,489 days after the one before; until then the table is taken to be "
        "complete: if the date is a slip, say how far it goes with until=."
    )
    with pytest.warns(DataWarning, match=f"^{re.escape(said)}$"):
        assert study.join("sales", measures={"n": "count"}, window=(0, 6)).data["n"].tolist() == [15]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        joined = study.join("sales", measures={"n": "count"}, window=(0, 6), until="2025-02-01")
    assert np.isnan(joined.data["n"][0])
    assert "Rows after the end of observation, left out: 1." in english(joined)


def test_dates_as_spreadsheets_write_them(tmp_path: Path) -> None:
    sales = (
        "id,on\na,2025/1/5 10:00\na,2025.2.3\na,20250405\na,2025-05-06T23:59:00+08:00\na,2025-12-31 9:00\na,2025-W05\n"
    )
    study = study_of(tmp_path, "id,asked\na,2024-12-31\n", s=sales, y="id,on\na,2024\na,2025\n", m="id,on\na,2025/3\n")
    assert study.join("s", measures={"n": "count", "last": "last(on)"}, window=(0, 11)).data["n"].tolist() == [4]
    counted = study.join("s", measures={"n": "count"}, window=(0, 1))
    assert counted.data["n"].tolist() == [1]
    assert english(counted) == [
        "Rows of the table with a missing or impossible date, left out of everything that needs dates: 1 (impossible: 1)."
    ]
    # A year is no day: January 1 would put all of it before, or after, the interview.
    assert error_of(study.join, "y", **MEASURED) == (
        "tables.y.date: 2 values of 'on' are no dates, e.g. '2024'; write 2025-12-31."
    )
    assert error_of(study.join, "m", **MEASURED) == (
        "tables.m.date: 'on' says months and no days; count by unit='calendar_month'."
    )


def test_first_and_last_go_by_days_also_among_months(tmp_path: Path) -> None:
    sales = "id,on,kind\na,2025-02-20,late\na,2025-02-03,early\nb,2025-02-03,one\nb,2025-02-03,other\nb,2025-02-04,end\nz,2026-01-01,x\n"
    study = study_of(tmp_path, "id,asked\na,2025-01-10\nb,2025-01-10\n", s=sales, p="id,x\na,1\n")
    measures = {"f": "first(kind)", "l": "last(kind)"}
    joined = study.join("s", measures=measures, window=(0, 1), unit="calendar_month")
    assert joined.data[["f", "l"]].to_numpy().tolist() == [["early", "late"], ["one", "end"]]
    assert english(joined) == [
        "Respondents with several rows on the day of their first or last one that say different things: 1; the order of the file "
        "decided."
    ]
    assert error_of(study.join, "p", measures={"x": "first(x)"}) == (
        "measures: first needs dates, and tables.p declares none; write date: with their column there."
    )


def test_a_calendar_month_of_which_days_are_to_come_is_not_over(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,asked\na,2025-01-10\n", s="id,on\na,2024-02-03\na,2025-03-05\nz,2026-01-01\n")
    request: dict[str, Any] = {"measures": {"n": "count"}, "window": (0, 2), "unit": "calendar_month"}
    for until, expected in (("2025-03-04", np.nan), ("2025-03-31", 1), ("2025-03", 1), (None, 1)):
        np.testing.assert_array_equal(study.join("s", **request, until=until).data["n"], [expected])
    short = study.join("s", **request, until="2025-03-04")
    assert english(short)[0] == (
        "1 respondents are not yet observed to the end: the table reaches to 2025-02-28. They are missing, not counted as “no”."
    )


def test_what_is_dated_not_after_the_interview_is_no_outcome(tmp_path: Path) -> None:
    answers = "id,asked\na,2025-01-10\nb,\nc,2025-01-10\nd,2025-01-10\n"
    study = study_of(tmp_path, answers, s="id,on,x\na,,5\nb,2025-02-03,6\nc,2025-01-10,3\nd,2025-01-11,4\n")
    joined = study.join("s", columns=["x"], use="outcome")
    np.testing.assert_array_equal(joined.data["x"], [np.nan, np.nan, np.nan, 4])
    np.testing.assert_array_equal(joined.missing_reasons["x"], [-9995, -9994, -9995, np.nan])
    assert english(joined) == [
        "1 respondents have a missing or impossible interview date, and so no value.",
        "2 respondents have no row that counts, and so no value to take over, no mean, lowest, highest, first or last.",
        "Rows of the table with a missing or impossible date, left out of everything that needs dates: 1 (impossible: 0).",
        "Rows dated on the day of the interview, of which nobody knows what came first, not counted: 1.",
    ]
    assert study.join("s", columns=["x"]).data["x"].tolist() == [5, 6, 3, 4]


def test_notes_count_only_rows_that_count(tmp_path: Path) -> None:
    answers = "id,asked\na,2025-01-10\na,2025-01-12\na,2025-11-01\n"
    sales = "id,on,paid\na,2024-02-03,\na,2025-02-01,1\na,2025-02-02,\na,2025-12-01,\nb,2025-12-31,\n"
    study = study_of(tmp_path, answers, s=sales)
    joined = study.join("s", measures={"paid": "sum(paid)"}, window=(0, 6))
    # Of five rows two lie in windows, both in two; the third interview is not observed to the end.
    assert "Rows that count for more than one interview of the same customer: 2." in english(joined)
    assert any(
        note.startswith("Rows that lack a value which a condition or a sum needs: 1;") for note in english(joined)
    )


def test_zero_for_the_unmatched_is_said_so(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,score\na,1\nb,1\n,1\n", t="id,x\na,1\n,2\nz,3\n")
    joined = study.join("t", measures={"n": "count"}, unmatched="zero")
    np.testing.assert_array_equal(joined.data["n"], [1, 0, np.nan])
    assert [n[lang] for n in joined.joins[-1].notes[:1] for lang in ("en", "zh")] == [
        "2 respondents (66.7% of the weight) are not in the table: 1 without an id have no value, the others count as having no "
        "rows.",
        "2 名受访者（占权重 66.7%）未在表中找到：其中 1 人没有编号，按缺失处理；其余视为没有记录。",
    ]
    # A row without an id is no id.
    assert joined.joins[-1].sentences("en")[0].text.endswith("1 ids of the table (1 rows) belong to no respondent.")


# ---------------------------------------------------------------------- keys
@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("1,2,3", "1.0,2.0,9.0", [1, 1, 0]),  # a file that made decimals of whole numbers
        ("1,2,3", "001,002,009", [1, 1, 0]),
        ("A1,A2,A3", " A1,A2 ,A9", [1, 1, 0]),
        ("007,A2,A3", "007,A2,7", [1, 1, 0]),
        ("1,2,", "1,2,2", [1, 1, 0]),
        ("1000,2,3", "1E3,2,3", [0, 1, 1]),  # letters of an id, not a power of ten
        ("12345678901234567,12345678901234568,", "12345678901234568,1,1", [0, 1, 0]),  # more digits than a float has
    ],
)
def test_keys_are_compared_as_what_they_are(tmp_path: Path, mine: str, theirs: str, found: list[int]) -> None:
    answers = "id,score\n" + "".join(f"{i},5\n" for i in mine.split(","))
    table = "id,x\n" + "".join(f"{i},7\n" for i in theirs.split(","))
    study = study_of(tmp_path, answers, t=table)
    joined = study.join("t", measures={"n": "count"})
    np.testing.assert_array_equal(joined.data["n"].notna().astype(int), found)


def test_leading_zeros_set_aside_are_said(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,score\n1,5\n2,6\n", t="id,x\n001,7\n002,8\n")
    assert english(study.join("t")) == [
        "Ids are numbers in the survey and were compared as numbers, leading zeros set aside: id."
    ]
    study = study_of(tmp_path, "id,score\n1,5\n2,6\n", t="id,x\n01,7\n001,8\n")
    assert error_of(study.join, "t") == (
        "on: 'id' holds numbers, and as numbers 2 ids of 't.id' run together, e.g. '001' and '01'; read the survey's ids as text."
    )


def test_leading_zeros_of_one_file_only_are_named(tmp_path: Path) -> None:
    answers = pd.DataFrame({"id": ["007", "B08"], "score": [1, 2]})
    study = study_of(tmp_path, answers, t="id,x\n7,7\n8,8\n")
    assert error_of(study.join, "t") == (
        "on: 'id' and 't.id' differ in leading zeros ('007' in the survey, '7' in the table); write the ids alike in both files, "
        "as text."
    )


def test_keys_of_other_kinds_and_nobody_found(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,name,score\n1,x,5\n2,y,6\n", t="id,x\nA,7\nB,8\n")
    assert error_of(study.join, "t") == (
        "on: 'id' holds numbers (1) and 't.id' text ('A') that is no label of them; compare columns of one kind."
    )
    assert error_of(study.join, "t", on={"name": "id"}) == (
        "t: no respondent is found in it. In the survey name is e.g. 'x'; in the table id is e.g. 'A'; name the columns that agree "
        "with on=."
    )


def test_ids_without_a_partner_are_listed_on_both_sides(tmp_path: Path) -> None:
    answers = "id,card,w\na,1,1\nb,1,2\nb,2,1\nc,2,4\n,2,1\n"
    extra = "segments: [card]\ndesign: {weight: w}\nitems: {card: {values: {1: {en: plain, zh: 普通}, 2: {en: gold, zh: 金卡}}}}\n"
    study = study_of(tmp_path, answers, extra, t="id,x\na,1\ny,2\ny,3\nz,4\n,5\n")
    joined = study.join("t", measures={"n": "count"})
    result = joined.joins[-1]
    assert result.unmatched.values.tolist() == [
        ["survey", "", 1], ["survey", "b", 2], ["survey", "c", 1], ["table", "", 1], ["table", "y", 2], ["table", "z", 1],
    ]  # fmt: skip
    assert result.table[["item", "estimate", "matched", "base"]].values.tolist() == [
        ["total", 1 / 9, 1, 5], ["card", 1 / 3, 1, 2], ["card", 0, 0, 3],
    ]  # fmt: skip
    assert english(joined) == [
        "4 respondents (88.9% of the weight) are not in the table, 1 of them because they have no id; they have no value.",
        "Rows of the table without an id, left out: 1.",
    ]
    assert result.shown("zh")["群体"].tolist() == ["", "普通", "金卡"]
    narrow = study.join(study.survey().where("card == 1"), "t", measures={"n": "count"}).joins[-1]
    assert narrow.table["base"].tolist() == [3 - 1, 2]
    assert narrow.unmatched.values.tolist()[0] == ["survey", "b", 1]


def test_a_key_may_be_called_like_a_column_of_the_list(tmp_path: Path) -> None:
    result = study_of(tmp_path, "rows,x\na,1\n", t="rows,k\na,1\nb,2\n").join("t").joins[-1]
    assert result.unmatched.to_dict("records") == [{"side": "table", "rows_": "b", "rows": 1}]
    assert result.sentences("en")[0].text.endswith("1 ids of the table (1 rows) belong to no respondent.")


# ---------------------------------------------------------------------- what stays
def test_design_roles_domain_and_reasons_stay(demo: cx.Study) -> None:
    survey = demo.survey("last:6").where(card="gold")
    joined = demo.join(demo.join(survey, "customers"), "transactions", **RENEWED)
    assert (joined.design, joined.roles, joined.filter, joined.notes) == (
        survey.design,
        survey.roles,
        survey.filter,
        survey.notes,
    )
    np.testing.assert_array_equal(joined.domain, survey.domain)
    np.testing.assert_array_equal(joined.weights, survey.weights)
    pd.testing.assert_frame_equal(joined.data[survey.data.columns], survey.data)
    pd.testing.assert_frame_equal(joined.missing_reasons[survey.missing_reasons.columns], survey.missing_reasons)
    assert [j.name for j in joined.joins] == ["customers", "transactions"]
    assert joined.joins[1].base.respondents == len(survey)
    assert [n["en"] for n in joined.join_notes("again")] == english(joined)
    assert joined.join_notes("satisfaction") == ()
    assert survey.joins == ()


def test_a_joined_survey_goes_through_spss_and_back(tmp_path: Path, shop: cx.Study) -> None:
    joined = shop.join("sales", measures={"n": "count", "mean": "mean(amount)", "s": "follow_up"}, window=(0, 10))
    back = cx.read_survey(joined.to_sav(tmp_path / "joined.sav"))
    np.testing.assert_array_equal(back.data["n"], joined.data["n"])
    np.testing.assert_array_equal(back.missing_reasons["mean"], joined.missing_reasons["mean"])


def test_reasons_give_way_to_answers(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id\na\nb\n", t="id,x\na,-9991\n")
    joined = study.join("t", measures={"x": "sum(x)"})
    np.testing.assert_array_equal(joined.data["x"], [-9991, np.nan])
    assert joined.codebook["x"].missing == {-19991.0: "not in the table"}
    np.testing.assert_array_equal(joined.missing_reasons["x"], [np.nan, -19991])


def test_words_of_the_table_enter_the_codebook(tmp_path: Path) -> None:
    study = study_of(tmp_path, ANSWERS, sales=SALES, people="id,grade\na,1\nb,2\n")
    path = study.path
    text = path.read_text(encoding="utf-8")
    text = text.replace("date: on}", "date: on, items: {back: {labels: {en: Back again, zh: 再次光顾}}}}")
    text = text.replace(
        "people.csv, key: id}",
        "people.csv, key: id, items: {grade: {labels: {en: Grade, zh: 等级}, values: {1: {en: A, zh: 甲}}}}}",
    )
    path.write_text(text, encoding="utf-8")
    study = cx.open_study(path)
    joined = study.join("people", columns={"grade": "level"})
    joined = study.join(joined, "sales", measures={"back": "follow_up"}, window=(0, 3))
    assert joined.codebook["level"].label("zh") == "等级"
    assert joined.codebook["level"].value_label(1.0, "zh") == "甲"
    assert joined.codebook["back_months"].label("en") == "Back again: months to it or to the end of observation"
    assert joined.codebook["back_months"].label("zh") == "再次光顾：距发生或观察结束的月数"
    assert joined.codebook["back_event"].label("zh") == "再次光顾"


ids = st.sampled_from(["a", "b", "c", "d"])
dates = st.dates(pd.Timestamp("2024-12-20").date(), pd.Timestamp("2025-06-30").date())
respondents = st.lists(st.tuples(ids, st.one_of(st.none(), dates), st.integers(1, 5)), min_size=1, max_size=12)
purchases = st.lists(st.tuples(ids, st.one_of(st.none(), dates), st.integers(-9, 99)), min_size=1, max_size=25)
windows = st.sampled_from([None, (0, 2), (1, 3), (0, None), (-2, 0), (-3, -1), (None, 0)])


def made(answers: Any, sales: Any) -> tuple[cx.Study, pd.DataFrame, pd.DataFrame]:
    mine = pd.DataFrame([("a", "2025-01-01", 1), *answers], columns=["id", "asked", "w"])
    theirs = pd.DataFrame([("a", "2025-06-30", 1), *sales], columns=["id", "on", "paid"])
    folder = Path(tempfile.mkdtemp())
    return (
        study_of(folder, mine, "design: {weight: w}\n", sales=theirs, people="id,grade\na,1\nb,2\nx,3\n"),
        mine,
        theirs,
    )


def by_hand(who: Any, sales: pd.DataFrame, window: Any, unit: str, use: str) -> list[float] | None:
    """Amounts that count for one respondent, by walking through the rows; None where nothing is known."""
    rows = sales[(sales["id"] == who.id)]
    asked = pd.to_datetime(who.asked)
    days = pd.to_datetime(sales["on"])
    if rows.empty or pd.isna(asked):
        return None
    step = {"month": lambda k: pd.DateOffset(months=k), "day": lambda k: pd.DateOffset(days=k)}.get(unit)

    def moved(k: int) -> Any:
        return asked + step(k) if step else asked.to_period("M") + k

    def at(day: Any) -> Any:
        return day if step else day.to_period("M")

    low, high = window or (None, None)
    out = []
    for day, paid in zip(pd.to_datetime(rows["on"]), rows["paid"], strict=True):
        if pd.isna(day):
            continue
        if use == "outcome":
            inside = at(day) > moved(low or 0) and (high is None or at(day) <= moved(high))
        else:
            inside = at(day) < moved(high or 0) and (low is None or at(day) >= moved(low))
        out += [float(paid)] * inside
    end = at(days.max())
    if use == "outcome" and (moved(high) > end if high is not None else at(asked) >= end):
        return None
    if use == "covariate" and (moved(high or 0) - (pd.Timedelta(days=1) if step else 1) > end):
        return None
    if use == "covariate" and low is not None and moved(low) < at(days.min()):
        return None
    return out


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(respondents, purchases, windows, st.sampled_from(["month", "day", "calendar_month"]))
@example([("a", pd.Timestamp("2025-03-31").date(), 1)], [("a", pd.Timestamp("2025-04-30").date(), 5)], (0, 1), "month")
@example([], [("a", pd.Timestamp("2025-01-31").date(), 5)], None, "calendar_month")
def test_windows_agree_with_walking_through_the_rows(answers: Any, sales: Any, window: Any, unit: str) -> None:
    study, mine, theirs = made(answers, sales)
    use = "outcome" if window and (window[0] or 0) >= 0 and window[1] != 0 else "covariate"
    measures = {"n": "count", "paid": "sum(paid)", "mean": "mean(paid)", "low": "min(paid)", "high": "max(paid)"}
    joined = study.join("sales", measures=measures, window=window, unit=unit, use=use)
    for row, who in zip(joined.data.itertuples(), mine.itertuples(), strict=True):
        counted = by_hand(who, theirs, window, unit, use)
        if counted is None:
            expected = [np.nan] * 5
        elif not counted:
            expected = [0, 0, np.nan, np.nan, np.nan]
        else:
            expected = [len(counted), sum(counted), np.mean(counted), min(counted), max(counted)]
        np.testing.assert_allclose([row.n, row.paid, row.mean, row.low, row.high], expected)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(respondents, purchases, st.sampled_from([None, 30, 90]))
def test_follow_up_agrees_with_walking_through_the_rows(answers: Any, sales: Any, length: int | None) -> None:
    study, mine, theirs = made(answers, sales)
    window = None if length is None else (0, length)
    joined = study.join("sales", measures={"s": "follow_up(paid > 0)"}, window=window, unit="day")
    days = pd.to_datetime(theirs["on"])
    for row, who in zip(joined.data.itertuples(), mine.itertuples(), strict=True):
        asked = pd.to_datetime(who.asked)
        end = days.max() if length is None else min(days.max(), asked + pd.Timedelta(days=length))
        events = days[(theirs["id"] == who.id) & (theirs["paid"] > 0) & (days > asked) & (days <= end)]
        if who.id not in set(theirs["id"]) or not asked < end:
            expected = [np.nan, np.nan]
        else:
            expected = [(events.min() - asked).days, 1] if len(events) else [(end - asked).days, 0]
        np.testing.assert_array_equal([row.s_days, row.s_event], expected)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(respondents, purchases, st.randoms())
def test_a_join_never_changes_rows_and_two_joins_commute(answers: Any, sales: Any, random: Any) -> None:
    study, mine, theirs = made(answers, sales)
    survey = study.survey().where(f"w <= {max(1, mine['w'].max() - 1)}")
    request: dict[str, Any] = {"measures": {"n": "count", "s": "follow_up"}, "window": (0, 2)}
    one = study.join(study.join(survey, "people"), "sales", **request)
    other = study.join(study.join(survey, "sales", **request), "people")
    pd.testing.assert_frame_equal(one.data, other.data[one.data.columns])
    pd.testing.assert_frame_equal(one.missing_reasons, other.missing_reasons[one.missing_reasons.columns])
    assert dict(one.codebook.items) == dict(other.codebook.items)
    for joined in (one, other):
        pd.testing.assert_frame_equal(joined.data[survey.data.columns], survey.data)
        np.testing.assert_array_equal(joined.weights, survey.weights)
        np.testing.assert_array_equal(joined.domain, survey.domain)
    # The order of the table's rows says nothing.
    shuffled = theirs.sample(frac=1, random_state=random.randrange(1000))
    shuffled.to_csv(study.folder / "sales.csv", index=False)
    pd.testing.assert_frame_equal(study.join(survey, "sales", **request).data, other.data.drop(columns="grade"))


# ---------------------------------------------------------------------- what is refused
MEASURED: dict[str, Any] = {"measures": {"n": "count"}, "window": (0, 3)}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no such measure": (
        {"measures": {"n": "cuont"}},
        "measures['n'] is 'cuont'; allowed: 'any', 'count', 'sum(x)', 'mean(x)', 'min(x)', 'max(x)', 'first(x)', 'last(x)', "
        "'follow_up' (did you mean 'count'?).",
    ),
    "no column": ({"measures": {"n": "sum"}}, "measures['n'] is 'sum'; name a column: 'sum(amount)'."),
    "unknown column": (
        {"measures": {"n": "sum(amuont)"}},
        "measures['n'] names 1 column that is not in the table 'sales': 'amuont' (did you mean 'amount'?).",
    ),
    "text summed": ({"measures": {"n": "sum(kind)"}, "window": (0, 3)}, "'kind' holds text, numbers are needed."),
    "no measures": (
        {"measures": "count"},
        "measures is a mapping of new names to texts, e.g. {'renewed': 'any', 'spent': 'sum(amount)'}.",
    ),
    "both": (
        {"measures": {"n": "count"}, "columns": ["kind"]},
        "columns and measures are both given; columns takes over values, measures aggregates rows: join twice.",
    ),
    "unknown columns": (
        {"columns": ["knid"], "where": "amount == 10"},
        "columns names 1 column that is not in the table 'sales': 'knid' (did you mean 'kind'?).",
    ),
    "taken": (
        {"measures": {"score": "count"}, "window": (0, 3)},
        "measures makes 1 name(s) that the survey has already: 'score'; choose others, e.g. 'score_2'.",
    ),
    "taken by columns": (
        {"columns": {"kind": "score"}, "where": "amount == 10"},
        "columns makes 1 name(s) that the survey has already: 'score'; choose others, e.g. columns={'score': 'sales_score'}.",
    ),
    "twice": (
        {"measures": {"a": "follow_up", "a_event": "any"}, "window": (0, 3)},
        "measures makes 'a_event' more than once; choose other names.",
    ),
    "unknown key": ({**MEASURED, "on": "idd"}, "on names 1 column that is not in the survey: 'idd' (did you mean 'id'?)."),
    "unknown key of the table": (
        {**MEASURED, "on": {"id": "idd"}},
        "on names 1 column that is not in sales.csv: 'idd' (did you mean 'id'?).",
    ),
    "empty key": (
        {**MEASURED, "on": {}},
        "on is empty; name the columns that link respondents and table, e.g. on={'id': 'customer'}.",
    ),
    "unknown in where": (
        {**MEASURED, "where": "knid == 'visit'"},
        "where names 1 column that is not in the table 'sales': 'knid' (did you mean 'kind'?).",
    ),
    "unknown label in where": (
        {**MEASURED, "where": "kind == 'vist'"},
        "kind has no value 'vist' (did you mean 'visit'?); it has: renewal, visit.",
    ),
    "window": (
        {"measures": {"n": "count"}, "window": (12, 0)},
        "window is (12, 0); a pair of whole numbers of units after the interview is needed, the lower first, e.g. (0, 12), "
        "(-12, 0), or None for an open end, (0, None).",
    ),
    "window with columns": (
        {"window": (0, 12)},
        "window goes with measures, e.g. measures={'renewed': 'any'}; columns takes over values as they are.",
    ),
    "unit": ({**MEASURED, "unit": "moth"}, "unit is 'moth'; allowed: 'month', 'day', 'calendar_month' (did you mean 'month'?)."),
    "use": ({**MEASURED, "use": "outcme"}, "use is 'outcme'; allowed: 'outcome', 'covariate' (did you mean 'outcome'?)."),
    "unmatched": ({**MEASURED, "unmatched": 0}, "unmatched is 0; allowed: 'missing', 'zero'."),
    "until": ({**MEASURED, "until": "2025-13-01"}, "until is '2025-13-01', which is no day; write '2025-12-31'."),
    "date": (
        {**MEASURED, "date": "score"},
        "date is 'score', which holds dates in 0 of 4 rows; dates are written 2025-12-31.",
    ),
    "before": (
        {"measures": {"n": "count"}},
        "use is 'outcome', but 3 rows of 'sales' are dated before the interview (2 respondents, e.g. a), and what came before the "
        "survey is no outcome of it; take it as use='covariate', or count what follows: window=(0, 12).",
    ),
    "window before": (
        {"measures": {"n": "count"}, "window": (-1, 3)},
        "use is 'outcome', but 3 rows of 'sales' are dated before the interview (2 respondents, e.g. a), and what came before the "
        "survey is no outcome of it; take it as use='covariate', or count what follows: window=(0, 12).",
    ),
    "window before, where nothing lies": (
        {"measures": {"n": "count"}, "window": (-1, 3), "where": "kind == 'renewal' and amount == 5"},
        "use is 'outcome', and window is (-1, 3): what came before the survey is no outcome of it; take it as use='covariate', or "
        "count what follows: window=(0, 12).",
    ),
    "columns before": (
        {"columns": ["amount"], "where": "amount == 1", "use": "outcome"},
        "use is 'outcome', but 2 rows of 'sales' are dated before the interview (2 respondents, e.g. a), and what came before the "
        "survey is no outcome of it; take it as use='covariate', or leave use out.",
    ),
    "one-to-many": (
        {"columns": ["amount"], "where": "kind == 'visit'"},
        "'sales' has several rows for 1 of 1 ids that respondents have, e.g. a (many-to-many: 1 of them have several interviews as "
        "well); aggregate them with measures={'new name': 'count'}, choose one row each with where=, or name a further key with "
        "on={survey column: table column}.",
    ),
    "follow-up of the past": (
        {"measures": {"n": "follow_up"}, "use": "covariate"},
        "measures: follow_up runs from the interview on; leave use out and let the window start at 0.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused(shop: cx.Study, name: str) -> None:
    options, message = FAULTS[name]
    assert error_of(shop.join, shop.survey(), "sales", **options) == message


def test_tables_and_dates_that_are_not_there(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,day\na,2025-01-01\n", s="id,on\na,2025-01-05\n", p="id,x\na,1\n", e="id,on\na,\n")
    assert error_of(study.join, "ss") == "table is 'ss'; allowed: 's', 'p', 'e' (did you mean 's'?)."
    assert error_of(study.join, study.survey()) == "table is not given; name one of 's', 'p', 'e'."
    assert error_of(study.join, "s", "p") == "survey is 's'; the survey comes first, the table's name second."
    assert error_of(study.join, "s", measures={"n": "count"}) == (
        "date is not given, and the study declares none; name the survey's column of interview dates, date='...', or write "
        "date: ... in study.yml."
    )
    assert study.join("s", measures={"n": "count"}, date="day", window=(0, None)).data["n"].tolist() == [1]
    assert (
        error_of(study.join, "e", measures={"n": "count"}, date="day") == "tables.e.date: 'on' is empty in all 1 rows."
    )
    for option, value in (("window", (0, 12)), ("until", "2025-12-31"), ("use", "outcome")):
        assert error_of(study.join, "p", measures={"n": "count"}, **{option: value}) == (
            f"{option} needs dates, and tables.p declares none, so that nobody can tell what came after the survey; write date: "
            "with the column of dates there, or leave it out."
        )
    assert error_of(study.join, "p", measures={"n": "follow_up"}) == (
        "measures: follow_up needs dates, and tables.p declares none; write date: with their column there."
    )


def test_dates_of_another_way_of_writing_are_no_slips(tmp_path: Path) -> None:
    study = study_of(
        tmp_path, "id,asked\na,2025-01-01\n", s="id,on\na,31/12/2025\na,30/12/2025\n", m="id,on\na,2025-03\n"
    )
    assert error_of(study.join, "s", **MEASURED) == (
        "tables.s.date: 2 values of 'on' are no dates, e.g. '31/12/2025'; write 2025-12-31."
    )
    assert error_of(study.join, "m", **MEASURED) == (
        "tables.m.date: 'on' says months and no days; count by unit='calendar_month'."
    )
    assert study.join("m", measures={"n": "count"}, window=(0, 2), unit="calendar_month").data["n"].tolist() == [1]


def test_months_as_interview_dates_need_calendar_months(demo: cx.Study) -> None:
    assert error_of(demo.join, "transactions", **{**RENEWED, "unit": "month"}) == (
        "date is 'wave', which says months and no days; count by unit='calendar_month', or name a column of days."
    )


def test_one_row_of_a_dated_table_may_be_an_outcome(tmp_path: Path) -> None:
    study = study_of(tmp_path, "id,asked\na,2025-01-01\nb,2025-01-01\n", s="id,on,x\na,2025-01-05,7\nb,2025-02-05,8\n")
    joined = study.join("s", columns={"x": "later"}, use="outcome")
    assert (joined.data["later"].tolist(), joined.joins[-1].use) == ([7, 8], "outcome")
    assert english(study.join("s", columns=["x"])) == [
        "Joined values dated after the interview: 2; what came later cannot explain answers."
    ]


# ---------------------------------------------------------------------- showing it
def test_sentences_in_both_languages(tmp_path: Path) -> None:
    answers = pd.DataFrame({"id": range(200), "card": [1] * 100 + [2] * 100})
    table = pd.DataFrame({"id": [*range(100), *range(100, 180), 999], "x": 1})
    words = "segments: [card]\nitems: {card: {labels: {en: card, zh: 会员卡}, values: {1: {en: plain, zh: 普通}, 2: {en: gold, zh: 金卡}}}}\n"
    result = study_of(tmp_path, answers, words, t=table).join("t").joins[-1]
    assert [s.text for s in result.sentences("en")] == [
        "90.0% of respondents (weighted) are found in “t”: 180 of 200. 1 ids of the table (1 rows) belong to no respondent.",
        "The match rate differs by card: 80.0% in gold, 100.0% in plain; results on the joined items speak for those who were "
        "matched.",
    ]
    assert [s.text for s in result.sentences("zh")] == [
        "90.0% 的受访者（加权）在“t”中匹配成功：200 人中匹配 180 人。表中另有 1 个编号（1 行）不对应任何受访者。",
        "不同会员卡的匹配率不一：金卡为 80.0%，普通为 100.0%；合并题目的结果只代表匹配成功的受访者。",
    ]
    assert result.methods("zh").startswith("“t”的记录按编号")
    assert "… and 11 more in .unmatched." in result._repr_html_()


def test_workbook_and_call(tmp_path: Path, demo: cx.Study) -> None:
    survey = demo.survey().where(card="gold")
    result = demo.join(survey, "transactions", **RENEWED).joins[-1]
    assert result.call == (
        "study.join(survey.where(card='gold'), 'transactions', measures={'again': \"any(kind == 'renewal')\"}, on={'customer_id': "
        "'customer_id', 'wave': 'visit_wave'}, window=(0, 12), unit='calendar_month', date='wave')"
    )
    try:
        set_language("zh")
        book = openpyxl.load_workbook(result.to_excel(tmp_path / "join.xlsx"))
    finally:
        set_language("en")
    assert book.sheetnames == ["shown", "unmatched", "data", "notes"]
    assert [c.value for c in book["shown"][1]] == ["细分变量", "群体", "匹配率", "匹配人数", "合并题目有值", "样本量"]
    assert book["unmatched"].max_row == len(result.unmatched) + 1
    assert book["unmatched"]["A2"].value == "外部数据表"


def test_a_million_transactions_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    respondents_, rows = 20_000, 1_000_000
    first = np.datetime64("2024-01-01")
    answers = pd.DataFrame(
        {"id": rng.integers(0, 15_000, respondents_), "asked": first + rng.integers(0, 700, respondents_)}
    )
    sales = pd.DataFrame({
        "id": rng.integers(0, 20_000, rows), "on": first - 200 + rng.integers(0, 1_200, rows), "paid": rng.integers(1, 99, rows),
    })  # fmt: skip
    study = study_of(tmp_path, answers, sales=sales)
    begin = time.process_time()
    joined = study.join(
        "sales", measures={"n": "count", "paid": "sum(paid)", "s": "follow_up(paid > 90)"}, window=(0, 6)
    )
    assert time.process_time() - begin < 10  # 2 s of one quiet core, reading included
    who = joined.data.iloc[7]
    day = pd.Timestamp(who["asked"])
    mine = sales[(sales["id"] == who["id"]) & (sales["on"] > day) & (sales["on"] <= day + pd.DateOffset(months=6))]
    assert (who["n"], who["paid"]) == (len(mine), mine["paid"].sum())
