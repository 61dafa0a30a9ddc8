"""Replicates of a path model: their side of zero, and what products and indices are under them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import seminr

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.items import Codebook
from cxlab.layers._kernel import Kernel
from cxlab.layers._prepare import prepare
from cxlab.survey import Survey

SMALL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"
HIGHER = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nW =~ A + B\nV =~ v1 + v2\nC =~ c1 + c2\nC ~ W + V + W:V\nV ~ W"


def drawn(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """A leads to B, both lead to C; every item is its construct and noise."""
    a = rng.normal(size=count)
    b = 0.6 * a + 0.8 * rng.normal(size=count)
    c = 0.2 * a + 0.5 * b + 0.75 * rng.normal(size=count)
    parts = {"a": (a, 3), "b": (b, 2), "c": (c, 2)}
    return pd.DataFrame(
        {f"{n}{k + 1}": v + 0.7 * rng.normal(size=count) for n, (v, items) in parts.items() for k in range(items)}
    )


def with_scales(survey: Survey) -> Survey:
    """The items on a declared scale, so that 0 and 100 do not depend on who is drawn."""
    items = {n: replace(i, scale=(-5.0, 5.0)) for n, i in survey.codebook.items.items()}
    return replace(survey, codebook=Codebook(items))


@pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
@pytest.mark.parametrize("text", [SMALL, SMALL + "\nC ~ A:B"])
def test_replicates_stay_on_the_side_of_the_sample(text: str):
    """Items that point in opposite directions: which loads the most changes from replicate to replicate, the sign must not."""
    df = drawn(np.random.default_rng(0), 400)
    plain = cx.path_model(Survey.from_frame(df), text, replicates=300).table
    turned = df.assign(a2=-df["a2"], b2=-df["b2"])
    mixed = cx.path_model(Survey.from_frame(turned), text, replicates=300)
    np.testing.assert_allclose(np.abs(mixed.table["estimate"]), np.abs(plain["estimate"]), atol=1e-8)
    np.testing.assert_allclose(mixed.table["se"], plain["se"], atol=1e-6)
    assert not mixed.flips


@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
@pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")
def test_a_replicate_of_two_stages_and_a_product_is_the_model_under_its_weights(scheme: str, consistent: bool):
    rng = np.random.default_rng(1)
    df = drawn(rng, 240).assign(w=rng.uniform(0.5, 2, 240))
    df["v1"] = 0.5 * df["a1"] + rng.normal(size=240)
    df["v2"] = 0.5 * df["a1"] + 0.6 * df["v1"] + rng.normal(size=240)
    survey = with_scales(Survey.from_frame(df, weight="w"))
    draws = Kernel(prepare(survey, HIGHER), scheme, consistent).replicates(4, seed=3)
    multipliers, piece = next(resolve(survey).bootstrap(4, 3, np.arange(240)))
    for b in range(4):
        again = with_scales(Survey.from_frame(df.assign(w=multipliers[b, piece] * df["w"]), weight="w"))
        alone = Kernel(prepare(again, HIGHER), scheme, consistent).sample
        for part in ("paths", "loadings", "r_squared", "impacts", "index", "rho_a"):
            np.testing.assert_allclose(getattr(draws, part)[b], getattr(alone, part)[0], atol=1e-6, err_msg=part)


def test_a_product_leaves_the_effects_on_indices_defined():
    survey = Survey.from_frame(drawn(np.random.default_rng(0), 400))
    kernel = Kernel(prepare(survey, SMALL + "\nC ~ A:B"))
    sample = kernel.sample
    a, b, c = (kernel.names.index(n) for n in "ABC")
    expected = sample.impacts[0, a, c] + sample.impacts[0, a, b] * sample.impacts[0, b, c]
    assert sample.total_impacts[0, a, c] == pytest.approx(expected)
    assert np.isfinite(sample.total_impacts).all()
    assert not sample.total_impacts[0, kernel.names.index("A:B")].any()


@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_mixed_modes_are_those_of_seminr(scheme: str):
    data = drawn(np.random.default_rng(7), 250)
    blocks = seminr.constructs(
        seminr.composite("A", seminr.multi_items("a", range(1, 4)), weights=seminr.mode_B),
        seminr.composite("B", seminr.multi_items("b", range(1, 3))),
        seminr.composite("C", seminr.single_item("c1")),
    )
    inner = seminr.relationships(seminr.paths(from_="A", to=["B", "C"]), seminr.paths(from_="B", to="C"))
    weights = {"path": seminr.path_weighting, "factorial": seminr.path_factorial}[scheme]
    theirs = seminr.estimate_pls(
        data=data, measurement_model=blocks, structural_model=inner, inner_weights=weights, stop_criterion=12
    ).path_coef
    expected = pd.DataFrame(np.asarray(theirs.values), index=list(theirs.rows), columns=list(theirs.cols))
    found = cx.path_model(
        Survey.from_frame(data),
        "A <~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1\nB ~ A\nC ~ A + B",
        scheme=scheme,
        replicates=0,
    )
    for row in found.table.itertuples():
        assert row.estimate == pytest.approx(expected.loc[row.source, row.target], abs=1e-9)


# ------------------------------------------------------------------------------ indices and solutions
@pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
def test_items_that_oppose_one_another_have_no_index():
    """Two of three items reversed and not declared: the mean of the three would fall where the construct rises."""
    df = drawn(np.random.default_rng(0), 400)
    plain = cx.path_model(Survey.from_frame(df), SMALL, replicates=100)
    mixed = cx.path_model(Survey.from_frame(df.assign(a2=-df["a2"], a3=-df["a3"])), SMALL, replicates=100)
    assert mixed.constructs["index"].isna().tolist() == [True, False, False]
    assert mixed.table["impact"].isna().tolist() == [True, True, False]
    assert mixed.table["impact"].iloc[2] == pytest.approx(plain.table["impact"].iloc[2])
    np.testing.assert_allclose(np.abs(mixed.table["estimate"]), plain.table["estimate"], atol=1e-8)
    assert [n["en"] for n in mixed.notes if n["en"].startswith("No 0–100 index")] == [
        "No 0–100 index, and no effects in points, of A: a quarter or more of its weights are negative, so that a mean of its items says nothing. "
        "Declare items of which less is better (higher_is_better: false), or take them apart."
    ]
    for lang in ("en", "zh"):
        assert "nan" not in str(mixed.sentences(lang))
        assert not [t for t in mixed.plot(lang=lang).texts if "nan" in t.get_text()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A =~ a1\nD =~ d1\nC =~ c1 + c2\nC ~ A + D",
         "model: the causes 'A', 'D' of 'C' carry exactly the same information: their paths are not defined; leave one out, or merge them."),
        ("A =~ a1 + a2\nD =~ d1 + d2\nC =~ c1 + c2\nC ~ A + D",
         "model: the causes 'A', 'D' of 'C' carry exactly the same information: their paths are not defined; leave one out, or merge them."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_causes_that_are_the_same_are_refused(text: str, expected: str, scheme: str):
    df = drawn(np.random.default_rng(0), 400)
    survey = Survey.from_frame(df.assign(d1=df["a1"] * 2 + 1, d2=df["a2"]))
    with pytest.raises(SurveyError) as error:
        cx.path_model(survey, text, scheme=scheme, replicates=100)
    found = str(error.value)
    assert found == expected or found == (
        f"model: no solution on these data, as causes of a construct carry exactly the same information; indicators that repeat one another: "
        f"{', '.join(map(repr, [i for i in ('a1', 'a2', 'd1', 'd2') if i in text]))}. Leave some out, or merge constructs."
    )


def test_adjusted_r_squared_counts_the_effective_base():
    df = drawn(np.random.default_rng(3), 300)
    w = np.where(np.arange(300) < 30, 20.0, 1.0)
    row = cx.path_model(Survey.from_frame(df.assign(w=w), weight="w"), SMALL, replicates=0).constructs.iloc[2]
    effective = w.sum() ** 2 / (w**2).sum()
    assert row["r_squared_adjusted"] == pytest.approx(1 - (1 - row["r_squared"]) * (effective - 1) / (effective - 3))


@pytest.mark.slow
def test_a_product_is_understated_under_plsc_as_its_note_says():
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 200_000))
    c = 0.4 * a + 0.3 * b + 0.3 * a * b + 0.7 * rng.normal(size=200_000)
    parts = {"a": a, "b": b, "c": c / c.std()}
    df = pd.DataFrame({f"{n}{k}": v + 0.8 * rng.normal(size=200_000) for n, v in parts.items() for k in (1, 2)})
    model = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nC ~ A + B + A:B"
    result = cx.path_model(Survey.from_frame(df), model, method="plsc", replicates=0)
    found = result.table.set_index("source")["estimate"]
    assert found["A"] == pytest.approx(0.4 / c.std(), abs=0.01)
    assert 0.6 < found["A:B"] * c.std() / 0.3 < 0.9
    assert "Products are made of scores and not corrected for reliability: the change of a path is understated." in [
        n["en"] for n in result.notes
    ]


# ------------------------------------------------------------------------------ words
def test_one_cause_without_effect_is_not_the_strongest():
    df = pd.DataFrame(np.random.default_rng(5).normal(size=(400, 2)), columns=["a1", "c1"])
    result = cx.path_model(Survey.from_frame(df), "A =~ a1\nC =~ c1\nC ~ A", replicates=200)
    assert str(result.sentences("en")[0]).startswith(
        "No effect on C is shown: the largest total effect, that of A, is "
    )
    assert str(result.sentences("zh")[0]).startswith("未发现对“C”的明确影响：")
    one = cx.path_model(
        Survey.from_frame(drawn(np.random.default_rng(0), 400)), "A =~ a1 + a2\nC =~ c1\nC ~ A", replicates=200
    )
    assert str(one.sentences("en")[0]).startswith("The total effect of A on C is 0.")


def test_ways_that_oppose_each_other_are_not_called_none():
    """Direct −.5, by way of B +.5 · .8: the direct effect is shown, and is no rest of the indirect one."""
    rng = np.random.default_rng(2)
    a = rng.normal(size=2000)
    b = 0.8 * a + 0.6 * rng.normal(size=2000)
    for direct in (-0.5, -0.9):
        c = direct * a + 0.8 * b + 0.6 * rng.normal(size=2000)
        result = cx.path_model(
            Survey.from_frame(pd.DataFrame({"a": a, "b": b, "c": c})),
            "A =~ a\nB =~ b\nC =~ c\nB ~ A\nC ~ A + B",
            replicates=200,
        )
        said = str(result.sentences("en"))
        assert "A acts on C in two ways that oppose each other: by way of B (" in said
        assert "no direct effect" not in said
        assert "of its total effect is indirect" not in said
        assert "方向相反" in str(result.sentences("zh"))


def test_methods_speak_of_intervals_only_where_there_are_any():
    survey = Survey.from_frame(drawn(np.random.default_rng(0), 400))
    assert cx.path_model(survey, SMALL, replicates=0).methods("en").endswith("respondents; no intervals were computed.")
    assert "200 Rao–Wu bootstrap replicates" in cx.path_model(survey, SMALL, replicates=200).methods("en")
