"""Replicates of a path model: their side of zero, and what products and indices are under them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import resolve
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
    seminr = pytest.importorskip("seminr", reason="seminr for Python is an optional peer")
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
