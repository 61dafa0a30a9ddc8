"""The tests of the textbook against R, and when they are refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm
from cxlab.errors import SurveyError
from cxlab.survey import Roles, Survey

GOLDEN = Path(__file__).parent / "golden"
R = {
    c["id"].split(".")[-1]: c["value"]
    for c in json.loads((GOLDEN / "segments" / "unweighted.json").read_text())["cases"]
}
NPS = {c["id"]: c["value"] for c in json.loads((GOLDEN / "nps" / "nps.json").read_text())["cases"]}
IRIS = pd.read_csv(GOLDEN / "segments" / "iris.csv")
SMALL_P = 1e-12  # absolute
PTUKEY, QTUKEY = 5e-9, 2e-4  # R's ptukey stops at 5e-9 (absolute), its qtukey at four digits


@pytest.fixture(scope="module")
def found():
    return cx.one_way(Survey.from_frame(IRIS), "Sepal.Length", "Species")


def test_anova_is_rs(found):
    eta, omega = found.tests.iloc[0], found.tests.iloc[1]
    expected = R["anova"]
    np.testing.assert_allclose([eta["statistic"], eta["df1"], eta["df2"]], [expected["F"], *expected["df"]], rtol=1e-10)
    assert eta["p_value"] == pytest.approx(expected["p"], abs=SMALL_P)
    assert (eta["measure"], omega["measure"]) == ("eta squared", "omega squared")
    np.testing.assert_allclose([eta["effect"], omega["effect"]], [expected["eta2"], expected["omega2"]], rtol=1e-10)


def test_welch_is_rs(found):
    row, expected = found.tests.iloc[2], R["welch_anova"]
    np.testing.assert_allclose([row["statistic"], row["df1"], row["df2"]], [expected["F"], *expected["df"]], rtol=1e-10)


def test_kruskal_is_rs(found):
    row, expected = found.tests.iloc[3], R["kruskal"]
    np.testing.assert_allclose([row["statistic"], row["df1"]], [expected["H"], expected["df"]], rtol=1e-10)
    assert row["p_value"] == pytest.approx(expected["p"], abs=SMALL_P)


def test_tukey_is_rs(found):
    expected = R["tukey"]
    pairs = [f"{r.segment}-{r.other}" for r in found.table.itertuples()]
    assert pairs == expected["pairs"]
    np.testing.assert_allclose(found.table["estimate"], expected["diff"], rtol=1e-10)
    half = (np.array(expected["upr"]) - expected["lwr"]) / 2
    np.testing.assert_allclose((found.table["high"] - found.table["low"]) / 2, half, rtol=QTUKEY)
    np.testing.assert_allclose(found.table["p_value"], expected["p"], atol=PTUKEY)


def test_wilcoxon_is_rs_with_holm_on_top(found):
    np.testing.assert_allclose(found.table["p_rank"], holm(np.array(R["wilcox"]["p"])), rtol=1e-9)


def test_two_groups_of_promoters():
    """A t test on −100 / 0 / 100; the z of the textbook divides the variances by n."""
    counts = [NPS["nps_two_sample_z"][g] for g in "ab"]
    answers = np.concatenate([
        np.repeat([10.0, 7, 2], [c["promoters"], c["passives"], c["detractors"]]) for c in counts
    ])  # fmt: skip
    df = pd.DataFrame({"q": answers, "g": np.repeat(["a", "b"], 500)})
    survey = Survey.from_frame(df)
    survey = Survey(survey.data, survey.codebook, Roles(outcomes={"recommend": ("q",)}))
    row = cx.compare_segments(survey, "g", "nps").table.iloc[0]
    z, welch = NPS["nps_two_sample_z"], NPS["nps_two_sample_welch"]
    assert row["estimate"] == pytest.approx(-z["diff"], rel=1e-12)
    assert abs(row["estimate"] / row["se"]) == pytest.approx(welch["t"], rel=1e-12)
    assert row["p_raw"] == pytest.approx(welch["p"], rel=1e-10)
    levels = cx.nps(survey, by="g").table
    np.testing.assert_allclose(levels["estimate"], [c["nps"] for c in counts], rtol=1e-12)
    np.testing.assert_allclose(
        levels["se"], [c["se_n_minus_1"] for c in counts], rtol=3e-3
    )  # the whole design's n / (n − 1)
    se = row["se"] * np.sqrt(499 / 500)
    np.testing.assert_allclose([se, 14 / se], [z["se"], z["z"]], rtol=1e-12)
    assert 2 * stats.norm.sf(14 / se) == pytest.approx(z["p"], rel=1e-10)


def test_what_is_shown(found):
    assert found.shown("en").columns.tolist()[:4] == ["Item", "Segment", "Compared with", "Difference"]
    assert found.title["zh"] == "单因素检验: Species"
    again = eval(found.call, {"cx": cx, "survey": Survey.from_frame(IRIS)})
    pd.testing.assert_frame_equal(again.table, found.table)


@pytest.mark.parametrize(
    ("survey", "call", "message"),
    [
        ({"weight": "w"}, ("q", "g"), "survey declares weight, which the tests of the textbook ignore; use cx.compare_segments, whose "
         "tests follow the design."),
        ({}, ("q", "gg"), "by names 1 column that is not in the survey: 'gg' (did you mean 'g'?)."),
        ({}, ("q", "one"), "by: 'one' has 1 groups with answers; 2 to 60 are compared."),
        ({}, ("q", "id"), "by: 'id' has 100 groups with answers; 2 to 60 are compared."),
        ({}, ("q", "rare"), "by: 1 of 3 groups of 'rare' have a single answer; leave them out with survey.where, or band them."),
        ({}, ("none", "g"), "outcome: 1 of 1 have no answer among 100 respondents: 'none'; leave them out, or widen the filter."),
    ],
)  # fmt: skip
def test_refusals(survey, call, message):
    df = pd.DataFrame({
        "q": np.arange(100.0), "g": np.arange(100) % 2, "w": 2.0, "one": 1, "id": np.arange(100), "none": np.nan,
        "rare": np.where(np.arange(100) == 0, 9, np.arange(100) % 2),
    })  # fmt: skip
    with pytest.raises(SurveyError) as error:
        cx.one_way(Survey.from_frame(df, **survey), *call)
    assert str(error.value) == message
