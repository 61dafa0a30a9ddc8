"""The codebook table says what is in the file, in both languages, for the respondents that are looked at."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import cxlab as cx
from cxlab.items import Codebook, Item, MultipleResponse
from cxlab.survey import Survey


def survey() -> Survey:
    data = pd.DataFrame({
        "q1": [9.0, np.nan, np.nan, 7.0, np.nan], "city": pd.Series(["北京", None, "Ulm", "北京", None], dtype="str"),
        "a_1": [1.0, 0, 1, 0, 1], "seen": pd.to_datetime(["2025-01-05", None, None, None, None]),
    })  # fmt: skip
    rating = Item("q1", {"en": "Queueing time", "zh": "排队等候"}, {9.0: {"en": "good", "zh": "好"}, 1.0: {"en": "bad", "zh": "差"}},
                  measure="ordinal", scale=(0, 10), missing={98.0: "not experienced", 99.0: "refused"})  # fmt: skip
    items = {"q1": rating, "city": Item("city", kind="text"), "seen": Item("seen", kind="date")}
    sets = (MultipleResponse("aware", ("a_1",), "dichotomy", counted=1.0),)
    reasons = pd.DataFrame({"q1": [np.nan, 99, 98, np.nan, 98]})
    return Survey(data, Codebook(items, sets), missing_reasons=reasons)


def test_one_row_per_column_with_counts_and_reasons() -> None:
    table = cx.codebook(survey()).table.set_index("item")
    assert list(table.index) == ["q1", "city", "a_1", "seen"]
    assert table.loc["q1"].to_dict() == {
        "label": "Queueing time", "kind": "number", "measure": "ordinal", "scale": "0–10", "answered": 2, "missing": 3,
        "reasons": "98 not experienced: 2; 99 refused: 1", "min": 7.0, "max": 9.0, "distinct": 2,
        "values": "1 = bad; 9 = good", "sets": "",
    }  # fmt: skip
    assert table.loc["a_1", "sets"] == "aware"
    assert table.loc["city", ["kind", "answered", "missing", "distinct", "reasons"]].tolist() == ["text", 3, 2, 2, ""]
    assert np.isnan(table.loc["city", "min"])
    assert table.loc["seen", ["kind", "answered"]].tolist() == ["date", 1]


def test_a_domain_counts_its_own_respondents() -> None:
    result = cx.codebook(survey().where("a_1 == 1"))
    row = result.table.set_index("item").loc["q1"]
    assert (row["answered"], row["missing"], row["reasons"]) == (1, 2, "98 not experienced: 2")
    assert result.base.respondents == 3


def test_it_speaks_chinese() -> None:
    result = cx.codebook(survey(), lang="zh")
    assert result.table.loc[0, ["label", "values"]].tolist() == ["排队等候", "1 = 差; 9 = 好"]
    shown = result.shown("zh")
    assert list(shown.columns) == [
        "题目", "题干", "数据类型", "测量水平", "量表", "有效回答", "缺失", "缺失原因", "最小值", "最大值", "不同取值", "值标签", "所属多选题",
    ]  # fmt: skip
    assert shown.loc[0, ["数据类型", "测量水平", "最小值"]].tolist() == ["数值", "有序", "7"]
    cx.set_language("zh")
    try:
        assert "编码表" in result._repr_html_()
    finally:
        cx.set_language("en")


def test_a_file_from_end_to_end(files: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = cx.codebook(cx.read_survey(files / "Roche_simple_alltypes.sav"))
    table = result.table.set_index("item")
    assert table.loc["z", ["answered", "missing", "reasons"]].tolist() == [2, 4, "-9 user-missing: 1; 999 skipped: 1"]
    assert table.loc["ca_subvar_1", "values"] == "a = a; b = b; c = c; d = d"
    assert table.loc["bool2", "sets"] == "mymrset"
    assert len(table) == 12
