"""Common factors: lavaan's digits (plain, robust, weighted, clustered), replicates, faults in models, and what is said of them."""

from __future__ import annotations

import importlib
import json
import re
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seminr

import cxlab as cx
from cxlab.errors import DataWarning, SurveyError
from cxlab.layers import _factor_check as check
from cxlab.layers import _factor_fit as fitting
from cxlab.layers import _factor_moments as moments
from cxlab.layers._factor_spread import Case
from cxlab.layers._model import read_factors
from cxlab.layers._prepare import prepare

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden/sem"
LAVAAN = {n: json.loads((GOLDEN / f"lavaan_mobi_{n}_ml.json").read_text()) for n in ("cfa", "mediation")}
CASES = pd.read_csv(GOLDEN / "factors.csv")
MEASURED = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Loyalty =~ CUSL1 + CUSL2 + CUSL3
"""
MEDIATION = MEASURED + "Satisfaction ~ Image + Value\nLoyalty ~ Satisfaction + Image"
HIGHER = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Brand =~ Image + Quality + Value
Loyalty ~ Brand
"""
MEASURES = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr")


@pytest.fixture(scope="module")
def mobi():
    return cx.open_study(ROOT / "data/mobi/study.yml").survey()


@pytest.fixture(scope="module")
def demo():
    return cx.open_study(ROOT / "data/healthcheck/study.yml").survey()


def frame():
    """The data with the weights and clusters that factors.R makes."""
    df = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float)
    place = np.arange(1, len(df) + 1)
    return df.assign(w=0.5 + (place % 7) / 4, cluster=(place - 1) // 3)


def quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cx.factor_model(*args, **options)


def drawn(paths, count=600, seed=5, loading=0.8):
    """Three constructs of three items each, and the paths between them."""
    rng = np.random.default_rng(seed)
    scores: dict[str, np.ndarray] = {}
    for name, causes in paths.items():
        explained = sum((b * scores[c] for c, b in causes.items()), np.zeros(count))
        scores[name] = explained + rng.normal(scale=np.sqrt(max(1 - explained.var(), 0.05)), size=count)
    error = np.sqrt(1 - loading**2)
    return pd.DataFrame({
        f"{n.lower()}{i}": loading * s + rng.normal(scale=error, size=count) for n, s in scores.items() for i in range(3)
    })  # fmt: skip


PLANTED = {"Joy": {}, "Trust": {"Joy": 0.6}, "Stay": {"Joy": 0.1, "Trust": 0.5}}
THREE = "Joy =~ joy0 + joy1 + joy2\nTrust =~ trust0 + trust1 + trust2\nStay =~ stay0 + stay1 + stay2\n"
PATHS = THREE + "Trust ~ Joy\nStay ~ Joy + Trust"


# ------------------------------------------------------------------------------ R's digits
def keyed(rows):
    sign = {"path": "~", "correlation": "~~", "loading": "=~"}
    for row in rows.itertuples():
        ends = (row.target, row.source) if row.kind == "path" else (row.source, row.target)
        yield (ends[0], sign[row.kind], ends[1]), row


@pytest.mark.parametrize("case", ["cfa", "mediation"])
def test_lavaan_to_five_digits(mobi, case):
    golden = LAVAAN[case]
    model = golden["model"].replace("a*", "").replace("v*", "").replace("b*", "").replace("c*", "").split("ind :=")[0]
    found = quietly(mobi, model, errors="normal")
    for name in MEASURES:
        assert found.measures[name] == pytest.approx(golden["fit"][name], abs=1e-5), name
    standard = {(r["lhs"], r["op"], r["rhs"]): r for r in golden["standardized"]}
    plain = {(r["lhs"], r["op"], r["rhs"]): r for r in golden["parameters"]}
    seen = 0
    for key, row in keyed(found.table):
        assert row.estimate == pytest.approx(standard[key]["est.std"], abs=1e-5), key
        assert row.se == pytest.approx(standard[key]["se"], abs=1e-5), key
        if row.kind != "correlation":
            assert row.impact == pytest.approx(plain[key]["est"], abs=5e-5), key  # lavaan stopped a little before
            half = 1.959963984540054 * (plain[key]["se"] or np.nan)
            assert row.impact_high - row.impact == pytest.approx(half, abs=1e-4, nan_ok=True), key
        seen += 1
    assert seen == {"cfa": 23 + 15, "mediation": 13 + 4 + 1}[case]


def test_effects_are_lavaans(mobi):
    found = quietly(mobi, MEDIATION, errors="normal").effects
    golden = {r["lhs"]: r for r in LAVAAN["mediation"]["standardized"] if r["op"] == ":="}
    plain = {r["lhs"]: r for r in LAVAAN["mediation"]["parameters"] if r["op"] == ":="}
    for name, source, kind in (
        ("ind", "Image", "indirect"),
        ("indv", "Value", "total indirect"),
        ("total", "Image", "total"),
    ):
        (row,) = found[
            (found["source"] == source) & (found["target"] == "Loyalty") & (found["kind"] == kind)
        ].itertuples()
        assert row.estimate == pytest.approx(golden[name]["est.std"], abs=1e-5)
        assert row.se == pytest.approx(golden[name]["se"], abs=1e-5)
        assert row.impact == pytest.approx(plain[name]["est"], abs=2e-5)


@pytest.mark.parametrize(
    ("case", "design", "errors", "model"),
    [
        ("robust", {}, "linear", MEDIATION),
        ("weighted", {"weight": "w"}, "linear", MEDIATION),
        ("clustered", {"weight": "w", "psu": "cluster"}, "linear", MEDIATION),
        ("higher", {}, "normal", HIGHER),
    ],
)
def test_weights_clusters_and_second_order_factors_are_lavaans(case, design, errors, model):
    found = quietly(cx.Survey.from_frame(frame(), **design), model, errors=errors)
    golden = CASES[CASES["case"] == case]
    rows = (
        errors == "linear" and "psu" not in design
    )  # lavaan divides by units − 1, as a design does, only under clusters
    small = np.sqrt(249 / 250) if rows else 1.0
    standard = golden[golden["part"] == "standardized"].set_index(["lhs", "op", "rhs"])
    for key, row in keyed(found.table):
        estimate, se = standard.loc[key, ["est", "se"]].astype(float)
        assert row.estimate == pytest.approx(estimate, abs=5e-6), key
        assert row.se * small == pytest.approx(se, abs=5e-6), key
    fit = golden[golden["part"] == "fit"].set_index("lhs")["est"].astype(float)
    assert found.measures["chisq"] == pytest.approx(fit["chisq"], abs=1e-5)
    if rows:
        assert found.measures["chisq.scaling.factor"] * small**2 == pytest.approx(fit["chisq.scaling.factor"], abs=1e-5)


def test_what_seminr_itself_says(mobi):
    """The same table through the package's own entry point, on rows."""
    items = {"Image": "IMAG", "Value": "PERV", "Satisfaction": "CUSA"}
    count = {"Image": 5, "Value": 2, "Satisfaction": 3}
    measured = seminr.constructs(
        *(seminr.reflective(n, seminr.multi_items(s, range(1, count[n] + 1))) for n, s in items.items())
    )
    paths = seminr.relationships(seminr.paths(["Image", "Value"], "Satisfaction"))
    theirs = seminr.estimate_cbsem(frame().drop(columns=["w", "cluster"]), measured, paths, estimator="ML")
    text = "".join(f"{n} =~ {' + '.join(f'{s}{i}' for i in range(1, count[n] + 1))}\n" for n, s in items.items())
    ours = quietly(mobi, text + "Satisfaction ~ Image + Value", errors="normal")
    values = ours.table[ours.table["kind"] == "path"]["estimate"].to_numpy()
    assert values == pytest.approx(np.asarray(theirs.path_coef.values).ravel(), abs=1e-6)
    assert ours.measures["cfi"] == pytest.approx(theirs.estimation.fit_measures["cfi"], abs=1e-9)


# ------------------------------------------------------------------------------ numerics
def test_derivatives_are_those_of_differences(mobi):
    case = Case(prepare(mobi, MEDIATION))
    found = fitting.fit(case.prepared.model, case.correlations)
    theta = found.theta + np.linspace(-0.02, 0.02, len(found.theta))
    steps = 1e-6 * np.eye(len(theta))
    ends = [moments.discrepancy(found.frame, theta + s * steps, case.correlations) for s in (1, -1)]
    slope = moments.gradient(found.frame, theta[None], case.correlations)[0]
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)
    assert np.abs(moments.gradient(found.frame, found.theta[None], case.correlations)).max() < 1e-9


def test_refits_are_fits_anew(mobi):
    case = Case(prepare(mobi, THREE_OF_MOBI))
    found = fitting.fit(case.prepared.model, case.correlations)
    others = case.replicates(12, seed=2)
    theta, sound = moments.refit(found.frame, found.theta, case.correlations, others)
    assert sound.all()
    for b in (0, 5, 11):
        scale = np.sqrt(np.diagonal(others[b]))
        anew = fitting.fit(case.prepared.model, others[b] / np.outer(scale, scale))
        value = found.quantities.standardised(theta[b][None])
        assert value == pytest.approx(anew.quantities.standardised(anew.theta[None]), abs=2e-4)


THREE_OF_MOBI = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value =~ PERV1 + PERV2
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4
Value ~ Image
Quality ~ Image
"""


def test_replicates_agree_with_linearised_errors():
    survey = cx.Survey.from_frame(drawn(PLANTED))
    linear, refitted = cx.factor_model(survey, PATHS, errors="linear"), cx.factor_model(survey, PATHS, replicates=600)
    assert refitted.basis.spread.failed == 0
    ratio = (refitted.table["se"] / linear.table["se"]).to_numpy()
    assert ((ratio > 0.85) & (ratio < 1.18)).all()
    assert refitted.fit["estimate"].to_numpy() == pytest.approx(linear.fit["estimate"].to_numpy())
    again = cx.factor_model(survey, PATHS, replicates=600)
    pd.testing.assert_frame_equal(refitted.table, again.table)


def test_planted_paths_are_found_and_free_of_error_of_measurement():
    found = cx.factor_model(cx.Survey.from_frame(drawn(PLANTED, count=4000)), PATHS, errors="linear")
    rows = found.table[found.table["kind"] == "path"].set_index(["source", "target"])
    for pair, truth in ((("Joy", "Trust"), 0.6), (("Joy", "Stay"), 0.1), (("Trust", "Stay"), 0.5)):
        assert abs(rows.loc[pair, "estimate"] - truth) < 4.1 * rows.loc[pair, "se"], pair
    assert found.verdict == "good"
    assert found.admissible
    assert found.problems.empty
    pls = cx.path_model(cx.Survey.from_frame(drawn(PLANTED, count=4000)), PATHS, replicates=0).table
    assert (
        pls.set_index(["source", "target"]).loc[("Joy", "Trust"), "estimate"] < 0.54
    )  # composites carry the error along


def test_missing_answers_go_by_their_source():
    df = drawn(PLANTED, count=800)
    gaps = np.random.default_rng(3).random(df.shape) < 0.06
    survey = cx.Survey.from_frame(df.mask(gaps))
    whole, em = (
        cx.factor_model(cx.Survey.from_frame(df), PATHS, errors="linear"),
        quietly(survey, PATHS, missing="em", replicates=200),
    )
    assert em.base.respondents == 800
    assert em.table["estimate"].to_numpy() == pytest.approx(whole.table["estimate"].to_numpy(), abs=0.08)
    message = "errors='linear' linearises complete rows, and missing='em' has none; use errors='replicates'."
    with pytest.raises(SurveyError) as fault:
        cx.factor_model(survey, PATHS, missing="em", errors="linear")
    assert str(fault.value) == message
    short = int(gaps.any(axis=1).sum())
    with pytest.raises(SurveyError) as fault:
        cx.factor_model(survey, PATHS, missing="em", errors="normal")
    assert str(fault.value) == (
        f"errors='normal' counts every respondent as having answered everything, and {short} of 800 did not (missing='em'); use "
        "errors='replicates'."
    )


# ------------------------------------------------------------------------------ what speaks against a solution
def test_ecsi_is_called_what_it_is(mobi):
    """lavaan warns of it too: constructs of mobi correlate up to .99."""
    with pytest.warns(DataWarning) as seen:
        found = cx.factor_model(mobi, errors="linear")
    (said,) = [str(w.message) for w in seen if "speak against" in str(w.message)]
    assert said == (
        "model: 15 things speak against the solution with common factors: hardly two constructs (6), loosely determined (7), near unidentified "
        "(1), few respondents (1); read .problems before the paths."
    ).replace("15 things", "14 things").replace(", few respondents (1)", "")
    assert found.verdict == "poor"
    english, chinese = str(found.sentences("en")), str(found.sentences("zh"))
    assert "The common-factor model does not fit the 24 items: CFI 0.899" in english
    assert "nearly unidentified (smallest eigenvalue of the information 2e−06)" in english
    assert "共同因子模型对 24 个题目拟合不佳：CFI 0.899" in chinese
    assert "模型近乎不可识别" in chinese
    assert "the largest path to “Satisfaction”" not in english  # a path of 1.4 ± 2.1 is no finding


def test_hopeless_replicates_are_not_tried_to_the_end(mobi):
    found = quietly(mobi, replicates=300)
    assert found.interval == "linear"
    assert "failed replicates" in set(found.problems["problem"])
    assert any("37 of 40 replicates have no solution" in n["en"] for n in found.notes)
    assert "linearised under the design" in found.methods("en")  # not: intervals come from refits


def test_impossible_correlations_of_the_cfa(mobi):
    """As lavaan's warning in the golden file: the covariance matrix of the factors is not positive definite."""
    assert "not positive definite" in LAVAAN["cfa"]["provenance"]["warnings"].replace("\n", " ").replace(
        "                ", " "
    )
    found = quietly(mobi, LAVAAN["cfa"]["model"], errors="linear")
    assert not found.admissible
    assert "impossible correlations" in set(found.problems["problem"])
    assert "The solution is not admissible: no constructs can correlate like this" in str(found.sentences("en"))
    assert "解不合理：构念间的相关矩阵非正定" in str(found.sentences("zh"))


def with_odd(link):
    """A construct of two items that relates to Stay with this strength."""
    df, rng = drawn(PLANTED, count=500), np.random.default_rng(8)
    odd = link * df[["stay0", "stay1", "stay2"]].mean(axis=1) + rng.normal(size=500)
    return df.assign(**{f"odd{i}": 0.7 * odd + rng.normal(scale=0.7, size=500) for i in range(2)})


def test_a_construct_that_relates_to_little_is_near_unidentified():
    model = PATHS + "\nOdd =~ odd0 + odd1\nStay ~ Odd"
    found = quietly(cx.Survey.from_frame(with_odd(0.12)), model, errors="linear")
    said = found.problems.set_index("problem")
    assert "near unidentified" in said.index
    assert "Odd" in said.loc["near unidentified", "subject"]
    with pytest.raises(SurveyError) as raised:
        quietly(cx.Survey.from_frame(with_odd(0.0)), model, errors="linear")
    assert str(raised.value) == (
        "model: no maximum of the likelihood was found for 27 parameters of 11 items; items that hardly correlate within their construct, or "
        "constructs that measure the same or relate to nothing, are the usual cause: leave an item out, merge two constructs, or use "
        "cx.path_model."
    )


def test_a_negative_error_variance_is_seen():
    cov = np.array([[1, 0.9, 0.9], [0.9, 1, 0.7], [0.9, 0.7, 1.0]])
    rows = np.random.default_rng(1).normal(size=(400, 3))
    rows = (rows - rows.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T @ np.linalg.cholesky(cov).T
    found = quietly(
        cx.Survey.from_frame(pd.DataFrame(rows, columns=["a", "b", "c"])), "F =~ a + b + c", errors="linear"
    )
    said = found.problems.set_index("problem")
    assert said.loc["negative error variance", "subject"] == "a"
    assert said.loc["loading above 1", "value"] == pytest.approx(0.9 / np.sqrt(0.7))
    assert found.verdict == "none"
    assert found.sentences("en")[0].text == (
        "The model has as many parameters as the 3 items have covariances: it fits any answers, and its fit says nothing."
    )


# ------------------------------------------------------------------------------ the demo study
def test_the_layers_of_the_demo_are_no_three_common_factors(demo):
    """Emotion and behaviour would correlate 1.13: seminr cannot pass the edge, Newton's method can."""
    found = quietly(demo, replicates=100)
    assert found.basis.fitted.edge
    assert not found.admissible
    between = found.correlations.set_index(["source", "target"])["estimate"]
    assert between["emotion", "behaviour"] == pytest.approx(1.134, abs=0.005)
    assert "negative residual variance, R² above 1 (1): Behaviour 1.58" in str(found.sentences("en"))
    assert "残差方差为负、R² 超过 1（1 处）：“行为”1.58" in str(found.sentences("zh"))
    assert "largest path" not in str(found.sentences("en")) + found.headline("en").text
    assert found.headline("en").text == (
        "Common factors: the solution is not admissible – negative residual variance (1), impossible correlations (1)"
    )
    assert found.headline("zh").text == "共同因子模型的解不合理：残差方差为负（1）、相关矩阵非正定（1）"


def test_touchpoints_as_one_factor(demo):
    """Halo and response style make one factor fit well enough; the worst pairs are those that gold and diamond share."""
    found = quietly(demo, "experience =~ " + " + ".join(demo.roles.layers["experience"]), replicates=100)
    assert found.measures["df"] == 54
    assert found.verdict == "good"
    assert found.fit.set_index("measure").loc["chisq", "p_value"] < 1e-6


def test_a_wrong_model_is_said_not_to_fit():
    df = drawn(PLANTED)
    found = quietly(cx.Survey.from_frame(df), "All =~ " + " + ".join(df.columns), errors="linear")
    assert found.verdict == "poor"
    assert found.sentences("en")[0].text.startswith("The common-factor model does not fit the 9 items: CFI ")
    assert found.sentences("en")[0].text.endswith(
        "Its paths and loadings describe a structure that the answers contradict."
    )
    assert found.sentences("zh")[0].text.endswith("模型设定的结构与实际答案不符，其路径与载荷不宜采信。")


# ------------------------------------------------------------------------------ side by side
def test_methods_side_by_side_share_replicates():
    survey = cx.Survey.from_frame(drawn(PLANTED))
    found = cx.factor_model(survey, PATHS, replicates=300)
    table = found.beside(cx.path_model(survey, PATHS, replicates=100)).table
    assert list(dict.fromkeys(table["method"])) == ["CB-SEM", "PLS", "PLSc"]
    by = table.set_index(["method", "source", "target"])
    plsc = cx.path_model(survey, PATHS, method="plsc", replicates=300).table.set_index(["source", "target"])
    for row in plsc.itertuples():
        beside = by.loc[("PLSc", *row.Index)]
        assert beside[["estimate", "low", "high"]].tolist() == pytest.approx([row.estimate, row.low, row.high])
        assert beside["difference"] == pytest.approx(beside["estimate"] - by.loc[("CB-SEM", *row.Index), "estimate"])
    pls = by.loc[("PLS", "Joy", "Trust")]
    assert pls["difference_high"] < 0  # attenuated beyond chance
    assert pls["difference_high"] - pls["difference_low"] < 0.5 * (
        pls["high"] - pls["low"]
    )  # as the replicates are shared
    assert list(zip(table["source"], table["target"], strict=True))[:3] * 3 == list(
        zip(table["source"], table["target"], strict=True)
    )


def test_only_the_same_model_is_laid_beside():
    survey = cx.Survey.from_frame(drawn(PLANTED))
    found = cx.factor_model(survey, PATHS, errors="linear")
    paths = list(found.model.paths)
    fewer = "\n".join([THREE, *(f"{end} ~ {start}" for start, end in paths[:-1])])
    with pytest.raises(SurveyError) as fault:
        found.beside(cx.path_model(survey, fewer, replicates=0))
    start, end = paths[-1]
    assert str(fault.value) == (
        f"beside: 1 path is in one of the two models only ({start} -> {end}), and every path depends on those beside it; estimate both with "
        "the same model=."
    )
    with pytest.raises(SurveyError) as fault:
        found.beside(cx.path_model(survey, PATHS.replace("Joy", "Delight"), replicates=0))
    assert str(fault.value) == (
        "beside: 2 constructs have other items in the path model than here ('Delight', 'Joy'); estimate both with the same model=."
    )


def test_beside_shows_the_path_model_as_it_was_estimated():
    """Other missing data, same rows: the composites' numbers stay those of the path model."""
    df = drawn(PLANTED, count=500)
    gaps = np.random.default_rng(3).random(df.shape) < 0.1
    survey = cx.Survey.from_frame(df.mask(gaps))
    found = quietly(survey, PATHS, missing="em", replicates=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = cx.path_model(survey, PATHS, missing="pairwise", replicates=0)
    table = found.beside(other).table
    by = table[table["method"] == "PLS"].set_index(["source", "target"])["estimate"]
    for row in other.table.itertuples():
        assert by[row.source, row.target] == pytest.approx(row.estimate, abs=1e-10)


def test_a_table_of_estimates_beside():
    survey = cx.Survey.from_frame(drawn(PLANTED))
    found = cx.factor_model(survey, PATHS, errors="linear")
    other = pd.DataFrame(
        {"source": ["Trust", "Joy", "Joy"], "target": ["Stay", "Stay", "Trust"], "estimate": [0.4, 0.2, -0.5]}
    )
    beside = found.beside(other, "regression")
    row = beside.table.set_index(["method", "source", "target"]).loc[("regression", "Joy", "Trust")]
    assert row["estimate"] == -0.5
    assert np.isnan(row["difference_low"])
    gap = -0.5 - found.table["estimate"][0]
    assert beside.sentences("en")[0].text == (
        f"regression against CB-SEM: 1 of 3 paths have the other sign; the widest gap is “Joy” → “Trust” ({gap:+.2f}); no intervals of the "
        "differences."
    ).replace("(-", "(−")
    assert beside.sentences("zh")[0].text.startswith("regression 与 CB-SEM 对照：3 条路径中有 1 条符号相反；")
    with pytest.raises(SurveyError) as fault:
        found.beside(other.iloc[:2])
    assert str(fault.value) == "other lacks 1 of 3 paths of the model: Joy -> Trust."
    with pytest.raises(SurveyError) as fault:
        found.beside(other.drop(columns="estimate"))
    assert str(fault.value) == "other lacks 1 columns: 'estimate'; it needs source, target, estimate."
    with pytest.raises(SurveyError) as fault:
        cx.factor_model(survey, THREE, errors="linear").beside(other)
    assert str(fault.value) == (
        "beside: this model has no path (confirmatory factor analysis); there is nothing to lay side by side."
    )
    with pytest.raises(SurveyError) as fault:
        found.beside(cx.path_model(survey, PATHS.replace(" + joy2", ""), replicates=0))
    assert (
        str(fault.value) == "beside: the path model has other items than this one; estimate both with the same model=."
    )


# ------------------------------------------------------------------------------ pictures, words, tables
def test_pictures_say_fit_and_cut_what_is_absurd(mobi):
    found = quietly(mobi, errors="linear")
    for lang, title in (
        ("en", "The common-factor model does not fit (CFI 0.899, RMSEA 0.066)"),
        ("zh", "共同因子模型拟合不佳（CFI 0.899，RMSEA 0.066）"),
    ):
        ax = found.plot(lang=lang)
        assert ax.get_title(loc="left") == title
        assert ax.get_xlim()[1] < 1.6
        assert len(ax.get_yticklabels()) == len(found.table)
    survey = cx.Survey.from_frame(drawn(PLANTED))
    beside = cx.factor_model(survey, PATHS, errors="linear").beside(cx.path_model(survey, PATHS, replicates=100))
    labels = [t.get_text() for t in beside.plot(lang="en").get_legend().get_texts()]
    assert labels == ["CB-SEM", "PLS", "PLSc"]
    mpl.pyplot.close("all")


def test_everything_is_shown_in_both_languages(mobi, tmp_path):
    found = quietly(mobi, MEDIATION, errors="linear")
    for lang in ("en", "zh"):
        assert not {"path", "loading"} & set(found.shown("zh").iloc[:, 0])
        assert found.methods(lang)
        for part in found.further().values():
            assert len(part.shown(lang))
    assert set(found.further()) == {"fit", "problems", "effects", "constructs", "correlations", "residuals"}
    assert found.further()["fit"].shown("zh")["评价"].tolist()[2:] == ["良好"] * 4
    assert found.to_excel(tmp_path / "factors.xlsx").exists()


def test_unused_rows_and_domains_keep_the_design():
    df = drawn(PLANTED).assign(half=lambda d: np.arange(len(d)) % 2, stratum=lambda d: np.arange(len(d)) % 3)
    survey = cx.Survey.from_frame(df, stratum="stratum")
    found = cx.factor_model(survey.where("half == 1"), PATHS, errors="linear")
    assert found.base.respondents == 300
    alone = cx.factor_model(cx.Survey.from_frame(df[df["half"] == 1], stratum="stratum"), PATHS, errors="linear")
    assert found.table["estimate"].to_numpy() == pytest.approx(alone.table["estimate"].to_numpy())
    ratio = (found.table["se"] / alone.table["se"]).to_numpy()
    assert ratio == pytest.approx(np.ones(len(ratio)), abs=0.03)


# ------------------------------------------------------------------------------ refusals
REFUSED = {
    "formed": (
        PATHS.replace("Joy =~", "Joy <~"), {},
        "model: 1 constructs are formed by their items ('<~': 'Joy'); a common factor is measured by them: write '=~', or use cx.path_model, "
        "which has both.",
    ),
    "product": (
        PATHS + " + Joy:Trust", {},
        "model has 1 products of constructs (Joy:Trust), which covariances of items do not tell of: leave them out here, or use cx.path_model.",
    ),
    "two alone": (
        "Joy =~ joy0 + joy1", {},
        "model: 'Joy' alone has 2 indicators, whose one covariance does not give two loadings; add a third indicator, or a construct that it "
        "relates to.",
    ),
    "singles": (
        "Joy =~ joy0\nStay =~ stay0\nStay ~ Joy", {},
        "model: none of the 2 constructs has two indicators, so that no error of measurement can be told from what is measured; add indicators, or "
        "use cx.linear.",
    ),
    "errors": (PATHS, {"errors": "robust"}, "errors is 'robust'; allowed: 'replicates', 'linear', 'normal'."),
    "replicates": (
        PATHS, {"replicates": 20}, "replicates is 20; intervals need at least 100, or errors='linear', which needs none.",
    ),
    "level": (PATHS, {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    "two parts alone": (
        "Joy =~ joy0 + joy1 + joy2\nStay =~ stay0 + stay1 + stay2\nAll =~ Joy + Stay", {},
        "model: 'All' alone has 2 indicators, whose one covariance does not give two loadings; add a third indicator, or a construct that it "
        "relates to.",
    ),
    "parameters": (
        "Joy =~ joy0 + joy1\nStay =~ stay0\nAll =~ Joy\nStay ~ All", {},
        "model has 7 parameters for the 6 variances and covariances of 3 items (-1 degrees of freedom): it cannot be estimated; give the "
        "constructs more indicators, or leave paths out.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(REFUSED))
def test_refusals_name_the_remedy(fault):
    model, options, message = REFUSED[fault]
    with pytest.raises(SurveyError) as raised:
        quietly(cx.Survey.from_frame(drawn(PLANTED)), model, **options)
    assert str(raised.value) == message


def test_a_model_that_is_not_identified_names_its_parameters():
    case = Case(prepare(cx.Survey.from_frame(drawn(PLANTED)), read_factors(REFUSED["two parts alone"][0])))
    found = fitting.fit(case.prepared.model, case.correlations)
    with pytest.raises(SurveyError) as raised:
        check.flatness(found)
    assert str(raised.value).startswith("model is not identified: different values of ")
    assert str(raised.value).endswith(
        " give the same covariances of the items; give the constructs concerned a third indicator, or leave a path out."
    )
    assert "All =~ " in str(raised.value)


def test_too_few_and_repeated_rows():
    with pytest.raises(SurveyError) as raised:
        quietly(
            cx.Survey.from_frame(drawn(PLANTED, count=60).assign(**more(60))),
            PATHS + "\nMore =~ " + " + ".join(more(60)) + "\nMore ~ Joy",
        )
    assert str(raised.value) == (
        "model: 60 respondents for 69 items: their covariance matrix is singular, and a common-factor model needs more respondents than items "
        "(better 5 per parameter); use fewer items, widen the filter, or use cx.path_model."
    )
    df = drawn(PLANTED)
    with pytest.raises(SurveyError) as raised:
        quietly(cx.Survey.from_frame(df.assign(joy2=df["joy0"])), PATHS)
    assert str(raised.value) == (
        "model: 2 items repeat one another ('joy0', 'joy2'): each is determined by the others; leave one out."
    )


def more(count):
    return {f"more{i}": column for i, column in enumerate(np.random.default_rng(0).normal(size=(60, count)))}


def test_forty_respondents_are_flagged(mobi):
    df = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float).iloc[:40]
    found = quietly(
        cx.Survey.from_frame(df),
        "Image =~ IMAG1 + IMAG2 + IMAG3\nQuality =~ PERQ1 + PERQ3 + PERQ7\nQuality ~ Image",
        errors="linear",
    )
    (row,) = found.problems[found.problems["problem"] == "few respondents"].itertuples()
    assert row.value == pytest.approx(40 / 13)
    assert "only 3.1 respondents per parameter; maximum likelihood wants 5 or more" in str(found.sentences("en"))
    assert "每个参数仅对应 3.1 名受访者" in str(found.sentences("zh"))


def test_without_seminr_the_remedy_is_named(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(fitting, "import_module", absent)
    with pytest.raises(SurveyError) as raised:
        cx.factor_model(cx.Survey.from_frame(drawn(PLANTED)), PATHS)
    assert str(raised.value) == (
        "factor_model needs the package seminr (0.2.1 or a version like it), which was not found; install it with pip install 'cxlab[sem]'."
    )


def test_seminr_is_not_loaded_by_the_room():
    source = Path(importlib.import_module("cxlab.layers._factor_fit").__file__).read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) seminr", source, flags=re.MULTILINE)


def test_a_likelihood_without_a_maximum_is_refused(monkeypatch):
    monkeypatch.setattr(fitting, "newton", lambda frame, start, sample: (start, False))
    monkeypatch.setattr(fitting, "_FLAT", -1.0)
    with pytest.raises(SurveyError) as raised:
        cx.factor_model(cx.Survey.from_frame(drawn(PLANTED)), PATHS)
    assert str(raised.value) == (
        "model: no maximum of the likelihood was found for 21 parameters of 9 items; items that hardly correlate within their construct, or "
        "constructs that measure the same or relate to nothing, are the usual cause: leave an item out, merge two constructs, or use "
        "cx.path_model."
    )
