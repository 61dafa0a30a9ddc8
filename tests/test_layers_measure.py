"""Measurement of path models: R's seminr to the digits, HTMT2 by hand, intervals, what is not defined, words, pictures."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab import measurement
from cxlab.errors import SurveyError, SurveyWarning
from cxlab.items import Codebook
from cxlab.layers._estimate import fit, plan
from cxlab.layers._kernel import Kernel
from cxlab.layers._model import read_model
from cxlab.layers._prepare import prepare
from cxlab.survey import Survey

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests/golden/sem/seminr.json").read_text())
CASES = [("modeA", "pls"), ("modeB", "pls"), ("plsc", "plsc")]
HIGHER = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Brand =~ Image + Expectation
Satisfaction ~ Brand + Value
"""


@pytest.fixture(scope="module")
def mobi() -> Survey:
    return cx.open_study(ROOT / "data/mobi/study.yml").survey()


@pytest.fixture(scope="module")
def ecsi(mobi: Survey) -> cx.PathModelResult:
    return cx.path_model(mobi)


@pytest.fixture(scope="module")
def measured(ecsi: cx.PathModelResult):
    return ecsi.measurement()


def text_of(mobi: Survey, case: str) -> str:
    return mobi.roles.model if case != "modeB" else mobi.roles.model.replace("=~", "<~")


def golden(case: str, part: str) -> pd.DataFrame:
    found = GOLDEN[case][part]
    return pd.DataFrame(found["values"], index=found["rows"], columns=found["cols"]).astype(float)


# ------------------------------------------------------------------------------ R's digits
@pytest.mark.parametrize(("case", "method"), CASES)
def test_reliability_is_that_of_seminr(mobi: Survey, case: str, method: str):
    """seminr's alpha is that of standardised answers; a single item counts as 1 there, as not defined here; so does rho_A of mode B."""
    table = cx.path_model(mobi, text_of(mobi, case), method=method, replicates=0).measurement().table
    theirs = golden(case, "reliability")
    for row in table[table["indicators"] > 1].itertuples():
        expected = theirs.loc[row.construct]
        assert [row.alpha, row.rho_c, row.ave] == pytest.approx(expected[["alpha", "rhoC", "AVE"]].tolist(), abs=1e-9)
        if case == "modeB":
            assert np.isnan(row.rho_a)
            assert expected["rhoA"] == 1
        else:
            assert row.rho_a == pytest.approx(expected["rhoA"], abs=1e-9)
    single = table.set_index("construct").loc["Complaints", ["alpha", "alpha_raw", "rho_a", "rho_c", "ave"]]
    assert single.isna().all()


@pytest.mark.parametrize(("case", "method"), CASES)
def test_htmt_is_that_of_seminr(mobi: Survey, case: str, method: str):
    """All pairs from the arrays, where a single item has a monotrait correlation of 1; the result leaves what is not defined empty."""
    kernel = Kernel(prepare(mobi, text_of(mobi, case)))
    theirs = golden(case, "htmt")
    blocks = [
        np.array([kernel.prepared.model.items.index(i) for i in c.indicators]) for c in kernel.prepared.model.constructs
    ]
    ours = pd.DataFrame(
        measurement.htmt(kernel.sample.correlations, blocks)[0], index=kernel.names, columns=kernel.names
    )
    pairs = theirs.stack().dropna()
    assert len(pairs) == 21
    for (a, b), value in pairs.items():
        assert ours.loc[a, b] == pytest.approx(value, abs=1e-9)
    shown = cx.path_model(mobi, text_of(mobi, case), method=method, replicates=0).measurement().discriminant
    defined = shown.dropna(subset="htmt")
    assert len(defined) == (0 if case == "modeB" else 15)
    for row in defined.itertuples():
        assert row.htmt == pytest.approx(theirs.loc[row.other, row.construct], abs=1e-9)
    assert set(shown.loc[shown["htmt"].isna(), "verdict"]) == (
        {"index", "single item"} if case == "modeB" else {"single item"}
    )


@pytest.mark.parametrize(("case", "method"), CASES)
def test_cross_loadings_fornell_larcker_and_vif_are_those_of_seminr(mobi: Survey, case: str, method: str):
    found = cx.path_model(mobi, text_of(mobi, case), method=method, replicates=0).measurement()
    cross = found.cross_loadings.set_index("item").drop(columns="construct")
    np.testing.assert_allclose(cross, golden(case, "cross_loadings").loc[cross.index, cross.columns], atol=1e-9)
    square = found.fornell_larcker.set_index("construct")
    np.testing.assert_allclose(square, golden(case, "fornell_larcker").loc[square.index, square.columns], atol=1e-9)
    for row in found.loadings.itertuples():
        assert row.vif == pytest.approx(GOLDEN[case]["vif_items"][row.construct][row.item], abs=1e-9)
    for row in found.vif.itertuples():
        expected = GOLDEN[case]["vif_antecedents"][row.target][row.source]
        assert row.vif == pytest.approx(1.0 if expected is None else expected, abs=1e-9)
    own = found.loadings.set_index("item")
    theirs = golden(case, "outer_loadings")
    for item, row in own.iterrows():
        assert row["loading"] == pytest.approx(theirs.loc[item, row["construct"]], abs=1e-9)


@pytest.mark.parametrize(("case", "method"), CASES)
def test_f_squared_of_seminr_estimates_the_weights_anew(mobi: Survey, case: str, method: str):
    """Ours keeps the scores. Refitted without the path ours becomes seminr's, to its stop criterion of 1e-7; R² without any cause is 0."""
    text = text_of(mobi, case)
    found = cx.path_model(mobi, text, method=method, replicates=0)
    theirs = golden(case, "f_square")
    explained = found.constructs.set_index("construct")["r_squared"]
    for row in found.table.itertuples():
        left = _without(found.model.text(), row.source, row.target)
        rest = cx.path_model(mobi, left, method=method, replicates=0).constructs.set_index("construct")["r_squared"]
        whole = explained[row.target]
        refitted = (whole - np.nan_to_num(rest[row.target])) / (1 - whole)
        assert refitted == pytest.approx(theirs.loc[row.source, row.target], abs=2e-6)
    single = found.table[~found.table["target"].duplicated(keep=False)]
    np.testing.assert_allclose(
        single["f_squared"], [theirs.loc[r.source, r.target] for r in single.itertuples()], atol=1e-9
    )
    gaps = found.table["f_squared"] - [theirs.loc[r.source, r.target] for r in found.table.itertuples()]
    limits = {"modeA": 0.02, "modeB": 0.05, "plsc": 0.2}
    assert 1e-4 < np.abs(gaps).max() < limits[case]


def _without(text: str, source: str, target: str) -> str:
    lines = []
    for line in text.splitlines():
        name, sign, causes = line.partition(" ~ ")
        if sign and name.strip() == target:
            left = [c.strip() for c in causes.split("+") if c.strip() != source]
            line = f"{name} ~ {' + '.join(left)}" if left else ""
        lines.append(line)
    return "\n".join(lines)


# ------------------------------------------------------------------------------ by hand
def geometric(r: np.ndarray, first: list[int], second: list[int]) -> float:
    """HTMT2 from its definition, pair by pair."""

    def within(items: list[int]) -> float:
        pairs = [r[a, b] for n, a in enumerate(items) for b in items[:n]]
        return float(np.prod(np.abs(pairs)) ** (1 / len(pairs)))

    across = [r[a, b] for a in first for b in second]
    return float(np.prod(np.abs(across)) ** (1 / len(across)) / np.sqrt(within(first) * within(second)))


def test_htmt2_and_its_limits(ecsi: cx.PathModelResult, measured: cx.MeasurementResult):
    """Estimate pair by pair; interval and one-sided limit from the same formula on each replicate's correlations."""
    items = {c.name: [ecsi.model.items.index(i) for i in c.indicators] for c in ecsi.model.constructs}
    for row in measured.discriminant.dropna(subset="htmt2").iloc[[0, 4, 9]].itertuples():
        pair = items[row.construct], items[row.other]
        assert row.htmt2 == pytest.approx(geometric(ecsi.kernel.sample.correlations[0], *pair), abs=1e-12)
        values = [geometric(r, *pair) for r in ecsi.draws.correlations]
        assert [row.htmt2_low, row.htmt2_high] == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-12)
        assert row.htmt2_upper == pytest.approx(np.quantile(values, 0.95), abs=1e-12)


def test_equal_correlations_give_one_htmt():
    """Where all correlations within and between are equal, both ratios are their quotient."""
    r = np.full((1, 5, 5), 0.3)
    r[:, :2, :2] = r[:, 2:, 2:] = 0.6
    r[:, range(5), range(5)] = 1
    blocks = [np.array([0, 1]), np.array([2, 3, 4])]
    for kind in (False, True):
        assert measurement.htmt(r, blocks, geometric=kind)[0].tolist() == [
            [1, pytest.approx(0.5)],
            [pytest.approx(0.5), 1],
        ]


def test_inflation_of_columns_that_repeat_one_another_is_infinite():
    r = np.ones((1, 3, 3))
    r[0, 2, :2] = r[0, :2, 2] = 0.4
    assert measurement.inflation(r)[0].tolist() == [np.inf, np.inf, pytest.approx(1 / (1 - 0.16))]


def test_raw_alpha_is_that_of_the_battery(mobi: Survey, measured: cx.MeasurementResult):
    theirs = cx.reliability(mobi, ["CUSL1", "CUSL2", "CUSL3"], replicates=0).table["estimate"].iloc[0]
    loyalty = measured.table.set_index("construct").loc["Loyalty"]
    assert loyalty["alpha_raw"] == pytest.approx(theirs, abs=1e-12)
    assert loyalty["alpha"] == pytest.approx(0.47240, abs=1e-5)
    assert 0.30 < loyalty["alpha_low"] < 0.36 < 0.55 < loyalty["alpha_high"] < 0.60


def test_the_numbers_are_those_of_a_weighted_sample():
    """Integer weights give what repeated rows give; replicate intervals are wider than theirs."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(500, 2)) @ np.array([[1, 0.5], [0, 0.8]])
    df = pd.DataFrame(
        scores[:, [0, 0, 0, 1, 1]] + 0.8 * rng.normal(size=(500, 5)), columns=["a1", "a2", "a3", "b1", "b2"]
    )
    times = rng.integers(1, 5, 500)
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nB ~ A"
    weighted = cx.path_model(Survey.from_frame(df.assign(w=times), weight="w"), text, replicates=300).measurement()
    repeated = cx.path_model(Survey.from_frame(df.loc[df.index.repeat(times)]), text, replicates=300).measurement()
    for part in ("alpha", "alpha_raw", "rho_a", "rho_c", "ave"):
        np.testing.assert_allclose(weighted.table[part], repeated.table[part], atol=1e-10)
        widths = [t.table[f"{part}_high"] - t.table[f"{part}_low"] for t in (weighted, repeated)]
        assert (widths[0] > 1.2 * widths[1]).all()
    for part in ("htmt", "htmt2", "correlation"):
        np.testing.assert_allclose(weighted.discriminant[part], repeated.discriminant[part], atol=1e-10)


def test_few_units_take_t():
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(20), 25)
    scores = (rng.normal(size=(500, 2)) + 0.5 * rng.normal(size=(20, 2))[unit]) @ np.array([[1, 0.5], [0, 0.8]])
    df = pd.DataFrame(
        scores[:, [0, 0, 1, 1]] + 0.8 * rng.normal(size=(500, 4)), columns=["a1", "a2", "b1", "b2"]
    ).assign(u=unit)
    result = cx.path_model(Survey.from_frame(df, psu="u"), "A =~ a1 + a2\nB =~ b1 + b2\nB ~ A", replicates=300)
    pair = result.measurement().discriminant.iloc[0]
    r = result.draws.correlations
    draws = r[:, :2, 2:].mean(axis=(1, 2)) / np.sqrt(r[:, 0, 1] * r[:, 2, 3])
    se = draws.std(ddof=1)
    assert pair["htmt_high"] == pytest.approx(pair["htmt"] + stats.t.ppf(0.975, 19) * se)
    assert pair["htmt_upper"] == pytest.approx(pair["htmt"] + stats.t.ppf(0.95, 19) * se)


# ------------------------------------------------------------------------------ verdicts, what is not defined
def test_verdicts_follow_the_one_sided_limit(measured: cx.MeasurementResult):
    pairs = measured.discriminant.dropna(subset="htmt")
    cuts = np.array([0.85, 0.90, 1.0])
    names = np.array(["distinct .85", "distinct .90", "distinct 1", "not distinct"])
    for limit, verdict in (("htmt_upper", "verdict"), ("htmt2_upper", "verdict2")):
        assert pairs[verdict].tolist() == names[np.searchsorted(cuts, pairs[limit], side="right")].tolist()
    assert (pairs["htmt_upper"] < pairs["htmt_high"]).all()
    assert measured.shown("en")["Reliability"].iloc[0] == "ok"
    shown = measured.further()["discriminant"].shown("zh")
    assert {"可区分（.85）", "可区分（1）", "无法区分", "无定义：单一指标"} <= set(shown["HTMT 判断"])


def test_what_is_not_defined_is_said(mobi: Survey):
    found = cx.path_model(mobi, text_of(mobi, "modeA").replace("Value =~", "Value <~"), replicates=200).measurement()
    notes = [{lang: n[lang] for lang in ("en", "zh")} for n in found.notes]
    assert {
        "en": "Measured by one indicator, taken as free of error: Complaint handling. Their reliability and HTMT are not defined.",
        "zh": "仅有一个指标、视为无测量误差：投诉处理。其信度与 HTMT 无定义。",
    } in notes
    assert {
        "en": "Formed by their indicators (mode B): Perceived value. These need not go together, so HTMT is not defined and alpha, rho_C and AVE say "
        "nothing of quality; read weights and VIF.",
        "zh": "由指标构成的构念（模式 B）：感知价值。其指标不必相互一致，HTMT 无定义，alpha、rho_C 与 AVE 也不说明质量；请看权重与 VIF。",
    } in notes
    assert {"en": "Reliability below 0.60: Expectations, Loyalty.", "zh": "信度低于 0.60：顾客预期、忠诚度。"} in notes
    pairs = found.discriminant.set_index(["construct", "other"])["verdict"]
    assert pairs["Image", "Value"] == "index"
    assert pairs["Value", "Complaints"] == "single item"


def test_an_item_that_runs_against_its_construct_is_named(mobi: Survey):
    df = mobi.data[["CUSA1", "CUSA2", "CUSA3", "CUSL1", "CUSL3"]].assign(turned=11 - mobi.data["CUSL1"])
    text = "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\nLoyalty =~ CUSL1 + CUSL3 + turned\nLoyalty ~ Satisfaction"
    notes = [n["en"] for n in cx.path_model(Survey.from_frame(df), text, replicates=0).measurement().notes]
    assert (
        "HTMT takes the sizes of correlations. Indicators that run against another of their construct: turned." in notes
    )


def test_parts_and_whole(mobi: Survey):
    """A construct of higher order is judged by the scores of its parts, the parts by their items; no pair is judged twice."""
    found = cx.path_model(mobi, HIGHER, replicates=200).measurement()
    table = found.table.set_index("construct")
    assert list(table.index) == ["Value", "Brand", "Satisfaction", "Image", "Expectation"]
    flat = cx.path_model(
        mobi,
        HIGHER.replace("Brand =~ Image + Expectation\n", "").replace("Brand", "Image + Expectation"),
        replicates=200,
    )
    np.testing.assert_allclose(table.loc["Image", ["alpha", "rho_c"]].astype(float),
                               flat.measurement().table.set_index("construct").loc["Image", ["alpha", "rho_c"]].astype(float), atol=2e-3)  # fmt: skip
    assert np.isnan(table.loc["Brand", "alpha_raw"])
    scores = flat.kernel.sample
    r = scores.scores[0, list(flat.kernel.names).index("Image"), list(flat.kernel.names).index("Expectation")]
    assert table.loc["Brand", "alpha"] == pytest.approx(2 * r / (1 + r), abs=0.02)
    pairs = [frozenset(p) for p in found.discriminant[["construct", "other"]].to_numpy()]
    assert len(pairs) == len(set(pairs)) == 8
    assert frozenset(("Brand", "Image")) not in pairs


def test_products_are_not_measured(mobi: Survey):
    text = text_of(mobi, "modeA") + "\nLoyalty ~ Image*Satisfaction"
    found = cx.path_model(mobi, text, replicates=0).measurement()
    assert len(found.table) == 7
    assert "Image:Satisfaction" in set(found.vif["source"])
    assert "Products of constructs are not measured and do not appear, except among the causes of VIF." in [
        n["en"] for n in found.notes
    ]


def test_without_replicates_nothing_is_judged(mobi: Survey):
    found = cx.path_model(mobi, replicates=0).measurement()
    assert set(found.discriminant["verdict"]) == {"not tested", "single item"}
    said = "No replicates were asked for: reliability and HTMT have no intervals, and no pair of constructs is judged."
    assert said in [n["en"] for n in found.notes]
    assert said in str(found.sentences("en"))
    assert "alpha 0.47, rho_A 0.75, rho_C 0.72" in str(found.sentences("en"))
    with pytest.raises(SurveyError) as error:
        cx.PathModelResult(found.table, found.base).measurement()
    assert str(error.value) == "measurement goes on from a result of cx.path_model; this one holds no estimated model."


# ------------------------------------------------------------------------------ words, pictures, speed
def test_sentences(measured: cx.MeasurementResult):
    english, chinese = measured.sentences("en"), measured.sentences("zh")
    assert [s.facts.keys() for s in english] == [s.facts.keys() for s in chinese]
    row = measured.table.set_index("construct").loc["Loyalty"]
    interval = f"{row['alpha_low']:.2f}", f"{row['alpha_high']:.2f}"
    assert str(english[0]) == "Of 6 scales with several items, 4 reach 0.70 in alpha, rho_A and rho_C alike."
    assert str(english[2]) == (
        f"Loyalty: reliability is below 0.60 by at least one measure – alpha 0.47 ({interval[0]} to {interval[1]}), rho_A 0.75, rho_C 0.72. Its items "
        "hardly measure one thing; read paths from and to it with care."
    )
    assert str(chinese[2]) == (
        f"“忠诚度”的信度不足，至少一项指标低于 0.60：alpha 0.47（{interval[0]} 至 {interval[1]}），rho_A 0.75，rho_C 0.72。其题目难以算作在测量同一件事，"
        "与之相连的路径须谨慎解读。"
    )
    assert str(english[3]).startswith("Not shown to be two constructs: Satisfaction – Loyalty (0.96, limit 1.10), ")
    assert str(english[5]) == "Loadings under 0.40: Would stay if others were cheaper (0.20)."
    assert "1,000 replicates" in measured.methods("en")
    assert "1,000 次" in measured.methods("zh")


def test_scales_that_are_distinct_and_reliable_are_said_to_be():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(600, 2)) @ np.array([[1, 0.4], [0, 0.9]])
    df = pd.DataFrame(
        scores[:, [0, 0, 0, 1, 1, 1]] + 0.5 * rng.normal(size=(600, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"]
    )
    result = cx.path_model(Survey.from_frame(df), "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", replicates=300)
    found = result.measurement()
    upper = found.discriminant["htmt_upper"].iloc[0]
    assert [str(s) for s in found.sentences("en")] == [
        "Of 2 scales with several items, 2 reach 0.70 in alpha, rho_A and rho_C alike.",
        "All pairs of scales (1) are distinct: the largest upper limit of HTMT (one-sided, 95%) is "
        f"{upper:.2f}, of A – B ({found.discriminant['htmt'].iloc[0]:.2f}, limit {upper:.2f}).",
    ]
    assert result.problems.empty


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures(measured: cx.MeasurementResult, lang: str):
    import matplotlib.pyplot as plt

    ax = measured.plot(lang=lang)
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert len(labels) == 24
    right = ax.figure.axes[1]
    widths = sorted(round(p.get_width(), 6) for p in right.patches)
    shown = measured.table[["alpha", "rho_a", "rho_c"]].to_numpy().ravel()
    assert widths == sorted(round(v, 6) for v in shown[np.isfinite(shown)])
    pairs = measured.plot_htmt(lang=lang)
    assert len(pairs.get_yticks()) == 15
    assert {"en": "Satisfaction – Loyalty", "zh": "满意度 – 忠诚度"}[lang] == pairs.get_yticklabels()[0].get_text()
    lines = {round(float(line.get_xdata()[0]), 2) for line in pairs.lines}
    assert {0.85, 0.9, 1.0} <= lines
    plt.close("all")


def test_the_workbook_holds_every_table(measured: cx.MeasurementResult, tmp_path: Path):
    import openpyxl

    book = openpyxl.load_workbook(measured.to_excel(tmp_path / "measurement.xlsx"))
    assert len(book.sheetnames) >= 7


def test_a_thousand_replicates_take_less_than_a_second(ecsi: cx.PathModelResult):
    start = time.process_time()
    ecsi.measurement()
    assert time.process_time() - start < 1.0


# ------------------------------------------------------------------------------ coverage
TEXT = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2\nB ~ A\nC ~ A + B"
NAMES = ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2"]
LOADED = np.array([0.8, 0.7, 0.6, 0.8, 0.75, 0.65, 0.8, 0.7])
AT = np.array([0, 0, 0, 1, 1, 1, 2, 2])
SHIFT = np.array([0.6, 0.3, 0.0])  # by which the scores of the second stratum lie higher
SURVEYS = 1500
ICC, SHARE = 0.15, 0.25  # between clusters; of the population in the second stratum, which is half of the sample


def population() -> np.ndarray:
    """Correlations of the items over both strata, each as large as its share of the population."""
    scores = np.array([[1, 0.5, 0.4], [0.5, 1, 0.55], [0.4, 0.55, 1]])
    spread = LOADED[:, None] * LOADED * scores[np.ix_(AT, AT)] + np.diag(1 - LOADED**2)
    moved = LOADED * SHIFT[AT]
    spread = spread + SHARE * (1 - SHARE) * np.outer(moved, moved)
    scale = np.sqrt(np.diagonal(spread))
    return spread / np.outer(scale, scale)


def clustered(rng: np.random.Generator, clusters: int = 120, size: int = 8) -> Survey:
    """Two strata of as many clusters; weights as the strata's shares ask, times a harmless factor."""
    root = np.linalg.cholesky(np.array([[1, 0.5, 0.4], [0.5, 1, 0.55], [0.4, 0.55, 1]]))
    unit = np.repeat(np.arange(clusters), size)
    stratum = unit % 2

    def shared(columns: int) -> np.ndarray:
        return np.sqrt(ICC) * rng.normal(size=(clusters, columns))[unit] + np.sqrt(1 - ICC) * rng.normal(
            size=(len(unit), columns)
        )

    scores = shared(3) @ root.T + stratum[:, None] * SHIFT
    items = LOADED * scores[:, AT] + np.sqrt(1 - LOADED**2) * shared(8)
    weight = np.where(stratum == 1, SHARE, 1 - SHARE) * rng.uniform(0.5, 1.5, len(unit))
    made = Survey.from_frame(
        pd.DataFrame(items, columns=NAMES).assign(w=weight, s=stratum, u=unit), weight="w", stratum="s", psu="u"
    )
    items_ = {n: replace(i, scale=(-10.0, 10.0)) for n, i in made.codebook.items.items()}
    return replace(made, codebook=Codebook(items_))


@pytest.mark.slow
def test_coverage_of_reliability_and_htmt():
    """Surveys with weights, strata and clusters; 92 to 98 % of the percentile intervals hold the population's value.

    Found: .927 (rho_A) to .963. The first 500 alone leave HTMT2 of one pair at .916, where a true .94 has a standard error of .011;
    hence 1,500, of which the 500 are a part.
    """
    r = population()[None]
    layout = plan(read_model(TEXT))
    limit = fit(r, layout, tolerance=1e-13)
    blocks = [np.arange(3), np.arange(3, 6), np.arange(6, 8)]
    pairs = (np.array([0, 0, 1]), np.array([1, 2, 2]))
    truth = {"rho_c": [float(measurement.composite_reliability(limit.loadings[0, b, j])) for j, b in enumerate(blocks)],
             "alpha": [float(measurement.alpha(r[:, b[:, None], b])[0]) for b in blocks],
             "rho_a": limit.rho_a[0].tolist(),
             "htmt": measurement.htmt(r, blocks)[0][pairs].tolist(),
             "htmt2": measurement.htmt(r, blocks, geometric=True)[0][pairs].tolist()}  # fmt: skip
    hits = {part: np.zeros(3) for part in truth} | {"htmt_upper": np.zeros(3)}
    for number in range(SURVEYS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SurveyWarning)
            result = cx.path_model(
                clustered(np.random.default_rng([81, number])), TEXT, replicates=400, seed=number, interval="percentile"
            )
        found = result.measurement()
        for part, values in truth.items():
            table = found.discriminant if part.startswith("htmt") else found.table
            hits[part] += (table[f"{part}_low"] <= values) & (values <= table[f"{part}_high"])
        hits["htmt_upper"] += (truth["htmt"] <= found.discriminant["htmt_upper"]).to_numpy()
    shares = {part: (count / SURVEYS).round(3).tolist() for part, count in hits.items()}
    print(shares)
    for part, values in shares.items():
        assert all(0.92 <= v <= 0.98 for v in values), (part, values)
