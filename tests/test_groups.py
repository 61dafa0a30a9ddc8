"""Disjoint groups: the same numbers as a column per group."""

import numpy as np
import pytest
from r_survey import TWO, frame, unequal

import cxlab as cx
from cxlab.design import resolve, weighted_means
from cxlab.groups import group_means
from cxlab.survey import Survey

FIELDS = ("estimate", "covariance", "base", "base_effective", "base_kish", "df")
DESIGNS = {
    "none": {}, "weights": {"weight": "w"}, "strata": {"weight": "w", "stratum": "s"},
    "clusters": {"weight": "w", "stratum": "s", "psu": "c", "fpc": "n"},
}  # fmt: skip


def same(survey: Survey, column: str, codes: np.ndarray, count: int) -> None:
    design, values = resolve(survey), survey.values(column)
    inside = np.column_stack([codes == k for k in range(count)])
    plain = weighted_means(design, np.repeat(values[:, None], count, axis=1), inside)
    found = group_means(design, values, codes, count)
    for name in FIELDS:
        scale = np.nanmax(np.abs(getattr(plain, name)))
        off = (getattr(found, name) - getattr(plain, name)) / scale
        np.testing.assert_allclose(off, np.zeros_like(off) + 0 * getattr(plain, name), atol=1e-10, err_msg=name)


@pytest.mark.parametrize("design", DESIGNS)
def test_groups_are_domains(design):
    df = frame().assign(q=lambda d: d["q"].where(d.index % 7 > 0), w=lambda d: d["w"].where(d.index % 11 > 0, 0.0))
    codes = np.where(np.arange(240) % 5 == 4, -1, np.arange(240) % 5)
    codes[codes == 3] = 5  # groups 3 and 4 have nobody
    same(Survey.from_frame(df, **DESIGNS[design]), "q", codes, 6)


def test_large_numbers_stay_exact():
    df = frame().assign(q=lambda d: 1e9 + d["q"])
    same(Survey.from_frame(df, weight="w", stratum="s"), "q", np.arange(240) % 3, 3)


@pytest.mark.parametrize("residuals", ["weighted", "start"])
def test_raked_weights(residuals):
    raked = cx.rake(unequal(stratum="t", psu="c", lonely="adjust"), TWO, residuals=residuals)
    same(raked, "q", np.arange(240) % 4, 4)


def test_a_margin_is_known_in_every_group_it_holds_in():
    raked = cx.rake(unequal(), TWO)
    found = group_means(resolve(raked), raked.values("a"), np.zeros(240, dtype=int), 1)
    assert found.estimate[0] == pytest.approx(0.55, rel=1e-9)
    assert found.se[0] < 1e-7
    assert found.base_effective[0] == pytest.approx(found.base_kish[0])
