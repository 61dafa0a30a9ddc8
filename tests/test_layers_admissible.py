"""Admissibility of path models: each check fires on data made for it and stays silent beside it; whole messages."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import AdmissibilityWarning, CollinearityWarning, DataWarning, SignFlipWarning, SurveyWarning
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
TWO = "A =~ x1 + x2\nY =~ y1 + y2 + y3\nY ~ A"


def exactly(correlations: np.ndarray, names: list[str], count: int = 400) -> Survey:
    """Rows whose sample correlations are those asked for."""
    rows = np.random.default_rng(7).normal(size=(count, len(names)))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(rows.T @ rows / count)).T
    return Survey.from_frame(pd.DataFrame(rows @ np.linalg.cholesky(correlations).T, columns=names))


def matrix(names: list[str], pairs: dict[str, float]) -> np.ndarray:
    """Correlations by pairs of names, "x1 x2"; of name stems, "x y", for all pairs of items of two constructs."""
    out = np.eye(len(names))
    for pair, value in pairs.items():
        a, b = pair.split()
        for i, first in enumerate(names):
            for j, second in enumerate(names):
                if i != j and {
                    (first.startswith(a) and second.startswith(b)),
                    (first.startswith(b) and second.startswith(a)),
                } & {True}:
                    out[i, j] = value
    return out


NAMES = ["x1", "x2", "y1", "y2", "y3"]
SOUND = {"x x": 0.6, "y y": 0.6, "x y": 0.3}


def found(survey: Survey, text: str, **options: object) -> tuple[cx.PathModelResult, list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = cx.path_model(survey, text, **{"replicates": 0, **options})
    return result, [w for w in caught if issubclass(w.category, SurveyWarning)]


def cases(result: cx.PathModelResult, kind: str) -> dict[str, float]:
    rows = result.problems[result.problems["problem"] == kind]
    return dict(zip(rows["subject"], rows["value"], strict=True))


def texts(caught: list[warnings.WarningMessage], kind: type[Warning]) -> list[str]:
    return [str(w.message) for w in caught if w.category is kind]


def in_notes(result: cx.PathModelResult, english: str, chinese: str) -> bool:
    return english in [n["en"] for n in result.notes] and chinese in [n["zh"] for n in result.notes]


# ------------------------------------------------------------------------------ silent
@pytest.mark.parametrize("method", ["pls", "plsc"])
def test_a_sound_model_is_left_in_peace(method: str):
    result, caught = found(exactly(matrix(NAMES, SOUND), NAMES), TWO, method=method, replicates=200)
    assert result.problems.empty
    assert result.admissible
    assert caught == []
    index, caught = found(exactly(matrix(NAMES, SOUND), NAMES), TWO.replace("A =~", "A <~"), method=method)
    assert index.problems.empty
    assert caught == []


# ------------------------------------------------------------------------------ common factors
def test_heywood():
    """x1 and x2 correlate .5, yet x1 goes with Y three times as strongly: λ1 = √(.5 · 3) and λ2 = √(.5 / 3) by hand."""
    survey = exactly(matrix(NAMES, {**SOUND, "x x": 0.5, "x1 y": 0.54, "x2 y": 0.18}), NAMES)
    result, caught = found(survey, TWO, method="plsc")
    assert cases(result, "loading above 1")["x1"] == pytest.approx(np.sqrt(1.5), abs=1e-9)
    assert cases(result, "reliability above 1").keys() == {"A"}
    assert texts(caught, AdmissibilityWarning) == [
        "Loadings above 1 after correction for reliability (a Heywood case): 'x1' 1.22. No common factor gives such data; look for items that "
        "repeat one another, or take composites (method='pls').",
        "rho_A above 1: 'A' 1.28. The correction for reliability overshoots; take composites (method='pls'), or other items.",
    ]
    assert not result.admissible
    assert str(result.sentences("zh")[0]).startswith("校正信度后载荷大于 1（Heywood 现象）：“x1”1.22。") or "x1" in str(
        result.sentences("zh")[0]
    )
    composites, caught = found(survey, TWO)
    assert composites.admissible
    assert texts(caught, AdmissibilityWarning) == []


def test_no_reliability():
    """Two items that run against one another and yet both go with the outcome."""
    survey = exactly(matrix(NAMES, {**SOUND, "x x": -0.2}), NAMES)
    result, caught = found(survey, TWO, method="plsc", replicates=200)
    assert cases(result, "no reliability").keys() == {"A"}
    assert cases(result, "no reliability")["A"] < 0
    assert texts(caught, AdmissibilityWarning) == [
        f"rho_A is not above 0: 'A' −{abs(cases(result, 'no reliability')['A']):.2f}. The items do not go together, so that nothing can be corrected "
        "and paths from and to the construct are not defined; take the items apart, or take composites (method='pls')."
    ]
    assert result.table[["estimate", "low", "high"]].isna().all(axis=None)
    assert not any("come to rest" in str(w.message) for w in caught)
    assert "rho_A is not above 0" in str(result.sentences("en"))
    assert str(result.sentences("zh")).startswith("rho_A 不大于 0：")


def test_impossible_correlations():
    """Two unreliable constructs that correlate as highly as their items do among themselves: corrected above 1."""
    names = ["a1", "a2", "b1", "b2", "c1", "c2"]
    text = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B"
    bad = {"a a": 0.3, "b b": 0.3, "c c": 0.5, "a b": 0.36, "a c": 0.2, "b c": 0.2}
    result, caught = found(exactly(matrix(names, bad), names), text, method="plsc", replicates=200)
    assert cases(result, "impossible correlations") == {"": pytest.approx(-0.2, abs=0.01), "A, B": pytest.approx(1.2)}
    assert texts(caught, AdmissibilityWarning)[0] == (
        "The corrected correlations of the constructs are not positive definite (smallest eigenvalue −0.200), so that no population has them; the closest: 'A' – 'B' 1.20. Merge "
        "constructs that measure the same, or take composites (method='pls')."
    )
    share = result.problems.set_index("problem").loc["inadmissible replicates", "value"]
    assert share > 0.9
    assert texts(caught, AdmissibilityWarning)[1] == (
        f"{share:.0%} of the replicates have a loading or rho_A above 1 or correlations that are not positive definite; they stay in the intervals."
    )
    assert in_notes(result, texts(caught, AdmissibilityWarning)[1],
                    f"{share:.0%} 的重抽样出现载荷或 rho_A 大于 1、或相关矩阵非正定；这些结果仍计入区间。")  # fmt: skip
    good, caught = found(exactly(matrix(names, {**bad, "a b": 0.15}), names, 4000), text, method="plsc", replicates=200)
    assert good.admissible
    assert cases(good, "inadmissible replicates") == {}
    assert texts(caught, AdmissibilityWarning) == []


def test_the_share_of_inadmissible_replicates_is_counted():
    """At r = .85 / .9 some replicates pass 1; the share is that of the replicates' own eigenvalues and loadings."""
    names = ["a1", "a2", "b1", "b2", "c1", "c2"]
    text = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B"
    pairs = {"a a": 0.4, "b b": 0.4, "c c": 0.5, "a b": 0.36, "a c": 0.2, "b c": 0.2}
    result, _ = found(exactly(matrix(names, pairs), names), text, method="plsc", replicates=400)
    share = result.problems.set_index("problem").loc["inadmissible replicates", "value"]
    draws = result.draws
    by_hand = [np.linalg.eigvalsh(b)[0] <= 0 or (np.abs(x) > 1).any() or (r > 1).any()
               for b, x, r in zip(draws.between, draws.loadings, draws.rho_a, strict=True)]  # fmt: skip
    assert share == pytest.approx(np.mean(by_hand))
    assert 0.05 < share < 0.6
    assert result.admissible


# ------------------------------------------------------------------------------ any model
def test_collinear_causes():
    names = ["a1", "b1", "c1"]
    text = "A =~ a1\nB =~ b1\nC =~ c1\nC ~ A + B"
    result, caught = found(exactly(matrix(names, {"a b": 0.92, "a c": 0.5, "b c": 0.5}), names), text)
    vif = 1 / (1 - 0.92**2)
    assert cases(result, "collinear causes") == {"A -> C": pytest.approx(vif), "B -> C": pytest.approx(vif)}
    assert texts(caught, CollinearityWarning) == [
        "Causes that carry nearly the same information (VIF above 5): 'A' → 'C' 6.51, 'B' → 'C' 6.51. Their paths are poorly told apart; merge the "
        "constructs, or leave one out."
    ]
    assert in_notes(result, texts(caught, CollinearityWarning)[0].replace("'", ""),
                    "成因的信息高度重叠（VIF 大于 5）：“A” → “C” 6.51、“B” → “C” 6.51。其路径难以区分；请合并构念或去掉其中之一。")  # fmt: skip
    near, caught = found(exactly(matrix(names, {"a b": 0.88, "a c": 0.5, "b c": 0.5}), names), text)
    assert near.problems.empty
    assert caught == []


def test_a_weight_against_its_loading():
    """Mode B: x2 goes with Y only through x1, at less than x1's share, so that its regression weight is negative."""
    text = TWO.replace("A =~", "A <~")
    survey = exactly(matrix(NAMES, {**SOUND, "x x": 0.7, "x1 y": 0.5, "x2 y": 0.25}), NAMES)
    result, caught = found(survey, text)
    assert cases(result, "weight against loading").keys() == cases(result, "negative weight").keys() == {"x2"}
    value = cases(result, "negative weight")["x2"]
    assert texts(caught, SignFlipWarning) == [
        f"Negative weights: 'x2' −{-value:.2f}. More of such an item lowers the index, which may leave 0–100; check the direction of its scale.",
        f"The sign of the weight contradicts that of the loading: 'x2' −{-value:.2f}. Other indicators of the index carry the same information; do "
        "not read such a weight alone.",
    ]
    same, caught = found(survey, TWO)
    assert cases(same, "negative weight") == {}
    assert texts(caught, SignFlipWarning) == []


def test_an_item_on_a_reversed_scale():
    """Negative weight and negative loading: they do not contradict each other, yet more of it lowers the index."""
    pairs = {**SOUND, "x1 x3": -0.6, "x2 x3": -0.6, "x3 y": -0.3, "x1 x2": 0.6}
    names = ["x1", "x2", "x3", "y1", "y2", "y3"]
    result, caught = found(exactly(matrix(names, pairs), names), TWO.replace("x2", "x2 + x3"))
    assert cases(result, "negative weight").keys() == {"x3"}
    assert cases(result, "weak loading") == cases(result, "weight against loading") == {}
    assert {w.category for w in caught} == {SignFlipWarning}


def test_weak_loadings_and_low_reliability_of_the_ecsi_model():
    survey = cx.open_study(ROOT / "data/mobi/study.yml").survey()
    result, caught = found(survey, survey.roles.model)
    assert [str(w.message) for w in caught] == [
        "Loadings under 0.40: 'CUSL2' 0.20. Such an indicator hardly measures its construct; check its wording and scale, or leave it out."
    ]
    assert caught[0].category is DataWarning
    assert cases(result, "low reliability") == {
        "Expectation": pytest.approx(0.4519, abs=1e-4),
        "Loyalty": pytest.approx(0.4724, abs=1e-4),
    }
    assert in_notes(
        result,
        "Reliability under 0.60 (the lowest of alpha, rho_A and rho_C): Expectations 0.45, Loyalty 0.47. Paths from and to it are uncertain; see "
        ".measurement().",
        "信度低于 0.60（alpha、rho_A、rho_C 中的最小值）：“顾客预期” 0.45、“忠诚度” 0.47。与之相连的路径不可靠；详见 .measurement()。",
    )
    factors, caught = found(survey, survey.roles.model, method="plsc")
    assert cases(factors, "collinear causes").keys() == {
        "Image -> Satisfaction", "Quality -> Satisfaction", "Image -> Loyalty", "Satisfaction -> Loyalty",
    }  # fmt: skip
    assert not factors.admissible
    assert cases(factors, "impossible correlations")[""] == pytest.approx(-0.00303, abs=1e-5)
    assert any("smallest eigenvalue −0.003" in str(w.message) for w in caught)


def test_parts_of_a_whole_are_checked_too():
    """The weak item of a lower-order construct is found, although the last stage no longer has it."""
    survey = cx.open_study(ROOT / "data/mobi/study.yml").survey()
    text = ("Image =~ IMAG1 + IMAG2\nLoyalty =~ CUSL1 + CUSL2 + CUSL3\nBrand =~ Image + Loyalty\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
            "Satisfaction ~ Brand")  # fmt: skip
    result, _ = found(survey, text)
    assert cases(result, "weak loading").keys() == {"CUSL2"}
    assert "Loyalty" in cases(result, "low reliability")
