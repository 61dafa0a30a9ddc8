"""Measurement of path models: R's seminr to the digits, HTMT2 by hand, intervals, what is not defined, words, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab import measurement
from cxlab.layers._kernel import Kernel
from cxlab.layers._prepare import prepare
from cxlab.survey import Survey

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
