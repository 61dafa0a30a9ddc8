"""Banner tables: numbers against the plain estimators, letters recomputed in a loop, the page and the workbook."""

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

import cxlab as cx
from cxlab.banners import _columns, _letters, _rows, _sums
from cxlab.contrasts import benjamini_hochberg, holm
from cxlab.design import resolve, weighted_means
from cxlab.errors import SmallBaseWarning, SurveyError
from cxlab.items import Codebook, Item, MultipleResponse
from cxlab.survey import Survey

DESIGNS = {
    "unweighted": {},
    "strata": {"weight": "w", "stratum": "region", "fpc": "fpc"},
    "clinics": {"weight": "w", "stratum": "region", "psu": "clinic"},
    "panel": {"weight": "w", "stratum": "region", "psu": "customer", "fpc": "fpc"},
}
CARDS = {1.0: ("ordinary", "普卡"), 2.0: ("gold", "金卡"), 3.0: ("diamond", "钻卡")}


def texts(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh": zh}


@cache
def survey(design: str = "strata", rows: int = 1500) -> Survey:
    rng = np.random.default_rng(5)
    card = rng.choice([1.0, 2, 3], rows, p=[0.5, 0.3, 0.2])
    region = rng.integers(0, 5, rows)
    clinic = region * 4 + rng.integers(0, 4, rows)
    q = np.clip(np.round(7 - (card == 2) + 0.3 * (clinic % 4) + rng.normal(0, 2, rows)), 0, 10)
    data = {
        "card": np.where(rng.random(rows) < 0.03, np.nan, card),
        "gender": rng.integers(1, 3, rows).astype(float),
        "q": np.where(rng.random(rows) < 0.1, np.nan, q),
        "effort": rng.integers(1, 8, rows).astype(float),
        "spend": 1e7 + rng.gamma(2, 500, rows) + 200 * (card == 3),
        "city": rng.choice(["Beijing", "Shanghai", "上海"], rows),
        "rare": (rng.random(rows) < 0.003).astype(float),
        "region": region, "clinic": clinic, "customer": region * rows + rng.integers(0, rows // 6, rows),
        "w": np.where(np.arange(rows) < 20, 0.0, rng.lognormal(0, 0.5, rows)), "fpc": 0.3,
    }  # fmt: skip
    for k, name in enumerate(("app", "desk", "phone")):
        data[name] = np.where(rng.random(rows) < 0.05, np.nan, rng.random(rows) < 0.2 + 0.2 * k)
    first = rng.choice([1.0, 2, 3, np.nan], rows)
    data["first"], data["second"] = first, np.where(first == 1, rng.choice([2.0, 3.0, np.nan], rows), np.nan)
    made = Survey.from_frame(pd.DataFrame(data), **DESIGNS[design])
    reasons = {
        c: texts(*t) for c, t in {1.0: ("price", "价格"), 2.0: ("place", "地点"), 3.0: ("staff", "员工")}.items()
    }
    items = [
        Item("card", texts("Card", "会员卡"), {c: texts(*t) for c, t in CARDS.items()}, "nominal"),
        Item("gender", texts("Gender", "性别"), {1.0: texts("male", "男"), 2.0: texts("female", "女")}),
        Item("q", texts("Satisfaction", "满意度"), scale=(0, 10)),
        Item("effort", texts("Effort", "费力度"), scale=(1, 7), higher_is_better=False),
        Item("rare", texts("Complaint", "投诉"), {0.0: texts("no", "否"), 1.0: texts("yes", "是")}, "nominal"),
        Item("app", texts("App", "应用"), kind="number"), Item("first", values=reasons), Item("second", values=reasons),
    ]  # fmt: skip
    sets = (
        MultipleResponse("channels", ("app", "desk", "phone"), "dichotomy", texts("Channels", "渠道"), 1.0),
        MultipleResponse("reasons", ("first", "second"), "category", texts("Reasons", "原因")),
    )
    roles = replace(made.roles, outcomes={"recommend": ("q",), "satisfaction": ("q",)})
    return replace(made, codebook=Codebook(made.codebook.with_items(*items).items, sets), roles=roles)


@pytest.fixture(autouse=True)
def _english():
    cx.set_language("en")
    yield
    cx.set_language("en")


def cells(banner, **keys) -> pd.DataFrame:
    table = banner.table
    for name, value in keys.items():
        table = table[table[name].isna()] if value is None else table[table[name] == value]
    return table


# ---------------------------------------------------------------------- numbers
@pytest.mark.parametrize("design", DESIGNS)
def test_shares_are_those_of_proportions(design):
    whole = survey(design).where("region < 4")
    found = cells(cx.banner(whole, ["q", "city", "rare"], ["card", "gender"]), statistic="share")
    for item in ("q", "city", "rare"):
        for by in (None, "card", "gender"):
            expected = cx.proportions(whole, item, by=by).table
            part = found[(found["item"] == item) & (found["group"] == (by or "total"))]
            numbers = ["estimate", "se", "low", "high", "base"]
            np.testing.assert_allclose(
                part[numbers].to_numpy(float), expected[numbers].to_numpy(float), rtol=1e-8, atol=1e-12
            )
            assert part["code"].tolist() == expected["code"].tolist()


@pytest.mark.parametrize("design", DESIGNS)
def test_means_top_boxes_and_nps_are_those_of_the_metrics(design):
    whole = survey(design)
    found = cx.banner(whole, ["q", "effort", "spend", "nps", "csat"], [("card", "gender")])
    crossed = ["card", "gender"]
    numbers = ["estimate", "se", "low", "high", "base"]
    for keys, expected in (
        ({"item": "q", "statistic": "mean"}, cx.means(whole, "q", by=crossed)),
        ({"item": "spend", "statistic": "mean"}, cx.means(whole, "spend", by=crossed)),
        ({"item": "q", "statistic": "top2"}, cx.csat(whole, "q", by=crossed)),
        ({"item": "csat", "statistic": "top2"}, cx.csat(whole, "q", by=crossed)),
        ({"item": "effort", "statistic": "top2"}, cx.csat(whole, "effort", by=crossed)),
        ({"item": "nps", "statistic": "nps"}, cx.nps(whole, "q", by=crossed)),
    ):
        part = cells(found, group="card × gender", **keys)
        np.testing.assert_allclose(part[numbers].to_numpy(float), expected.table[numbers].to_numpy(float), rtol=1e-7)


def test_nps_of_small_bases_has_the_interval_of_the_metric():
    small = survey("unweighted").where("clinic < 3")
    found = cells(cx.banner(small, "nps", "card"), statistic="nps", group="card")
    expected = cx.nps(small, "q", by="card").table
    assert (expected["base_effective"] < 75).any()
    np.testing.assert_allclose(found[["low", "high"]], expected[["low", "high"]], rtol=1e-10)


def test_one_line_alone_has_its_own_effective_base():
    found = cells(cx.banner(survey("clinics"), "spend", "card"), group="card")
    expected = cx.means(survey("clinics"), "spend", by="card").table
    np.testing.assert_allclose(found["base_effective"], expected["base_effective"], rtol=1e-7)


def test_a_role_of_several_items_is_its_index():
    whole = survey()
    whole = replace(whole, roles=replace(whole.roles, layers={"both": ("q", "effort")}))
    found = cells(cx.banner(whole, "both", "card"), group="card")
    np.testing.assert_allclose(found["estimate"], cx.index(whole, "both", by="card").table["estimate"], rtol=1e-10)
    assert found["statistic"].unique().tolist() == ["mean"]


PLANS = {**DESIGNS, "lonely": {"weight": "w", "stratum": "lone"}, "lonely panel": {"stratum": "lone", "psu": "apart"}}


@pytest.mark.parametrize("design", PLANS)
def test_sums_over_atoms_give_the_general_estimator(design):
    """Every number that sums over atoms, mates or unit totals give is that of ``weighted_means`` on the rows."""
    whole = survey("unweighted")
    alone = np.arange(len(whole.data)) == 77
    data = whole.data.assign(
        lone=np.where(alone, 99, whole.data["region"]), apart=np.where(alone, -1, whole.data["customer"])
    )
    whole = replace(whole, data=data, design=replace(whole.design, **PLANS[design], lonely="adjust")).where(
        "region < 4"
    )
    columns, _ = _columns.columns_of(whole, ["card", ("card", "gender"), "channels"], total=True, all_compared=True)
    pairs, _ = _letters.pairs_of(columns, "all")
    plan = _sums.plan(resolve(whole), columns, pairs)
    assert plan.by_unit == (design == "clinics")
    assert (plan.mates is not None) == ("panel" in design)
    _same_as_by_rows(plan, whole)


@pytest.mark.parametrize("residuals", ["weighted", "start"])
@pytest.mark.parametrize("design", ["unweighted", "strata", "panel", "clinics", "lonely", "lonely panel"])
def test_sums_over_cells_of_the_margins_give_the_general_estimator(design, residuals):
    """The same for raked weights: some respondents alone were raked, to two margins."""
    whole = survey("unweighted")
    alone = np.arange(len(whole.data)) == 77
    data = whole.data.assign(
        lone=np.where(alone, 99, whole.data["region"]), apart=np.where(alone, -1, whole.data["customer"])
    )
    whole = replace(whole, data=data, design=replace(whole.design, **PLANS[design], lonely="adjust"))
    margins = {"gender": {1.0: 0.4, 2.0: 0.6}, "card": {1.0: 0.5, 2.0: 0.3, 3.0: 0.2}}
    whole = replace(
        cx.rake(whole.where("region < 4", card=[1, 2, 3]), margins, residuals=residuals), domain=whole.domain
    )
    columns, _ = _columns.columns_of(whole, ["card", ("card", "gender"), "channels"], total=True, all_compared=True)
    plan = _sums.plan(resolve(whole), columns, _letters.pairs_of(columns, "all")[0])
    assert plan.of_cell is not None
    assert plan.mates is None
    _same_as_by_rows(plan, whole)


def _same_as_by_rows(plan: _sums.Plan, whole: Survey) -> None:
    for block in _rows.blocks_of(whole, ["q", "rare", "spend", "channels"], None, None):
        for lines, found in _sums.estimates(plan, block):
            for k in range(lines.start, lines.stop):
                plain = _sums._by_rows(plan, block, k)
                size = np.nanmax(plain.variance)
                for name in ("variance", "covariance"):
                    off = getattr(found, name)[k - lines.start] - getattr(plain, name)[0]
                    np.testing.assert_allclose(off / size, 0, atol=1e-9)
                np.testing.assert_allclose(found.estimate[k - lines.start], plain.estimate[0], rtol=1e-10, atol=1e-12)
                np.testing.assert_allclose(found.base_effective[k - lines.start], plain.base_effective[0], rtol=1e-7)
                for name in ("base", "base_weighted", "base_kish", "df", "pair_df"):
                    np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=1e-10)


def test_blocks_of_lines_change_nothing(monkeypatch):
    whole = cx.banner(survey("panel"), ["q", "channels"], ["card", "gender"])
    monkeypatch.setattr(_sums, "_NUMBERS", 1)
    split = cx.banner(survey("panel"), ["q", "channels"], ["card", "gender"])
    pd.testing.assert_frame_equal(whole.table, split.table, rtol=1e-12)
    pd.testing.assert_frame_equal(whole.bases, split.bases, rtol=1e-12)


def test_raked_weights_have_their_own_variances():
    whole = cx.rake(survey("strata"), {"gender": {1.0: 0.5, 2.0: 0.5}})
    found = cells(cx.banner(whole, ["gender", "q"], "card"), item="gender", segment="total")
    np.testing.assert_allclose(found["se"], 0, atol=1e-10)  # a margin is known
    part = cells(cx.banner(whole, "q", "card"), statistic="mean", group="card")
    np.testing.assert_allclose(part["se"], cx.means(whole, "q", by="card").table["se"], rtol=1e-10)


# ---------------------------------------------------------------------- letters and arrows
def two_domains(whole: Survey, values: np.ndarray, one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Difference of two domain means, which may overlap, and its p-value, all by hand but for the PSU totals."""
    design = resolve(whole)
    answered = np.isfinite(values)
    influence, gap, df, stuck = np.zeros(len(values)), [], [], 0.0
    for inside, sign in ((one & answered, 1), (other & answered, -1)):
        weight = design.weights * inside
        mean = np.average(values[inside], weights=weight[inside])
        influence += sign * weight * np.where(inside, values - mean, 0) / weight.sum()
        gap.append(mean)
        used = inside & (design.weights > 0)
        df.append(max(len(set(design.psu[used])) - len(set(design.stratum[design.psu[used]])), 1))
        if set(np.unique(values[answered])) <= {0.0, 1.0} and np.ptp(values[used]) == 0:
            kish = weight.sum() ** 2 / (weight**2).sum()
            near = 0.5 / (kish + 1)
            stuck += near * (1 - near) / kish
    variance = stuck
    totals = np.bincount(design.psu, influence, len(design.stratum))
    for h in range(len(design.names)):
        z = totals[design.stratum == h]
        variance += (1 - design.fraction[h]) * len(z) / (len(z) - 1) * np.sum((z - z.mean()) ** 2)
    if variance <= 1e-24:
        return gap[0] - gap[1], np.nan
    t = abs(gap[0] - gap[1]) / np.sqrt(variance)
    either = (one | other) & answered & (design.weights > 0)
    together = len(set(design.psu[either])) - len(set(design.stratum[design.psu[either]]))
    return gap[0] - gap[1], 2 * stats.t.sf(t, min(sum(df), together))


def line_values(whole: Survey, row) -> np.ndarray:
    q = whole.values("q")
    if row.statistic == "mean":
        return q
    codes = [9.0, 10.0] if row.statistic == "top2" else [8.0, 9.0, 10.0] if row.statistic == "net" else [row.code]
    return np.where(np.isnan(q), np.nan, np.isin(q, codes))


def expected_letters(whole: Survey, columns: dict[str, np.ndarray], values: np.ndarray, adjust) -> dict[str, str]:
    """Letters of one line in a loop over the pairs of one group of columns."""
    keys = list(columns)
    pairs = [(a, b) for k, a in enumerate(keys) for b in keys[k + 1 :]]
    tests = [two_domains(whole, values, columns[a], columns[b]) for a, b in pairs]
    p = np.array([t[1] for t in tests])
    p = adjust(p) if adjust else p
    found: dict[str, list[str]] = {k: [] for k in keys}
    for (a, b), (gap, _), value in zip(pairs, tests, p, strict=True):
        high, low = (a, b) if gap > 0 else (b, a)
        if value <= 0.05:
            found[high].append(low)
        elif value <= 0.20:
            found[high].append(low.lower())
    return {k: "".join(sorted(v, key=str.upper)) for k, v in found.items()}


@pytest.mark.parametrize(("adjust", "by_hand"), [("holm", holm), ("bh", benjamini_hochberg), (None, None)])
@pytest.mark.parametrize("design", ["clinics", "panel"])
def test_letters_of_a_weighted_stratified_clustered_survey(design, adjust, by_hand):
    whole = survey(design)
    banner = cx.banner(whole, "q", ["card", "gender"], nets={"q": {"Good": [8, 9, 10]}}, adjust=adjust)
    inside = {
        "card": {x: (whole.data["card"] == c).to_numpy() for x, c in zip("ABC", (1, 2, 3), strict=True)},
        "gender": {x: (whole.data["gender"] == c).to_numpy() for x, c in zip("DE", (1, 2), strict=True)},
    }
    seen = ""
    for stub in banner.stubs:
        for group, columns in inside.items():
            part = cells(banner, statistic=stub.statistic, code=stub.code, group=group)
            expected = expected_letters(whole, columns, line_values(whole, stub), by_hand)
            assert dict(zip(part["letter"], part["letters"], strict=True)) == expected, (stub.statistic, stub.code)
            seen += "".join(expected.values())
    assert re.search("[A-Z]", seen)
    assert re.search("[a-z]", seen)


def test_groups_of_the_same_few_psus_share_their_degrees_of_freedom():
    """Three clinics that all hold both genders give 2 degrees of freedom, not 4, whatever the rest of the design has."""
    whole = survey("clinics")
    clinics = whole.data.loc[whole.data["region"] == 1, "clinic"].unique()[:3].tolist()
    few = whole.where(clinic=clinics)
    assert cx.banner(few, "q", "gender").comparisons["df"].unique().tolist() == [2]
    assert cx.detectable(few, "q", by="gender").table["df"].tolist() == [2]
    alone = cx.means(few, "q", by="gender").table
    assert resolve(whole).domain_df(few.domain[:, None]).tolist() == [2]
    assert len(alone) == 2


def test_arrows_against_the_rest():
    whole = survey("clinics")
    banner = cx.banner(whole, "q", "card")
    known = whole.data["card"].notna().to_numpy()
    for stub in banner.stubs:
        values, tests = line_values(whole, stub), []
        for code in (1, 2, 3):
            member = (whole.data["card"] == code).to_numpy()
            tests.append(two_domains(whole, values, member, known & ~member))
        part = cells(banner, statistic=stub.statistic, code=stub.code, group="card")
        p = np.array([t[1] for t in tests])
        np.testing.assert_allclose(part["p_raw"].to_numpy(), p, rtol=1e-6)
        np.testing.assert_allclose(part["p_value"].to_numpy(), holm(p), rtol=1e-6)
        np.testing.assert_allclose(part["estimate"] - part["rest"], [t[0] for t in tests], atol=1e-10)
        marks = np.select([holm(p) <= 0.05, holm(p) <= 0.2], [0, 1], 2)
        expected = [("▲△ " if gap > 0 else "▼▽ ")[m].strip() for (gap, _), m in zip(tests, marks, strict=True)]
        assert part["arrow"].tolist() == expected
    assert {"▲", "▼"} <= set(banner.table["arrow"])
    assert cells(banner, segment="total")["arrow"].unique().tolist() == [""]


def test_overlapping_columns_are_tested_with_their_covariance():
    whole = survey("clinics")
    banner = cx.banner(whole, "q", ["card", "channels"], compare="all", adjust=None)
    tests = banner.comparisons[banner.comparisons["statistic"] == "mean"]
    counted = np.ones(len(whole.data), dtype=bool)
    app, desk = ((whole.data[c] == 1).to_numpy() for c in ("app", "desk"))
    gold = (whole.data["card"] == 2).to_numpy()
    for one, other, inside in (
        ("total", "card=2", (counted, gold)),
        ("channels=app", "channels=desk", (app, desk)),
        ("card=2", "channels=app", (gold, app)),
    ):
        row = tests[(tests["segment"] == one) & (tests["other"] == other)].iloc[0]
        gap, p = two_domains(whole, whole.values("q"), *inside)
        assert (row["estimate"], row["p_raw"]) == (pytest.approx(gap, rel=1e-9), pytest.approx(p, rel=1e-6))
    # treating the total and its part as independent is another test: the mutant must differ
    row = tests[(tests["segment"] == "total") & (tests["other"] == "card=2")].iloc[0]
    apart = np.sqrt(sum(cells(banner, statistic="mean", segment=k)["se"].iloc[0] ** 2 for k in ("total", "card=2")))
    assert abs(row["se"] / apart - 1) > 0.1
    assert cells(banner, segment="total")["letter"].unique().tolist() == ["A"]


def test_the_rest_of_a_multiple_response_column_includes_those_who_ticked_nothing():
    whole = survey("unweighted")
    row = cells(cx.banner(whole, "q", "channels"), statistic="mean", segment="channels=app").iloc[0]
    asked = whole.data[["app", "desk", "phone"]].notna().any(axis=1) & (whole.data["app"] != 1)
    assert (whole.data.loc[asked, ["app", "desk", "phone"]] != 1).all(axis=1).any()
    assert row["rest"] == pytest.approx(whole.data.loc[asked, "q"].mean(), rel=1e-12)


@given(
    p=st.lists(
        st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=4, max_size=4), min_size=1, max_size=3
    )
)
@settings(max_examples=50, deadline=None)
def test_adjusted_p_values_of_whole_tables(p):
    raw = np.array(p)
    family = np.array([0, 0, 0, 7])
    for name, theirs in (("holm", "holm"), ("bh", "fdr_bh"), ("bonferroni", "bonferroni")):
        found = _letters.adjusted(raw, family, name)
        for line in range(len(raw)):
            known = ~np.isnan(raw[line, :3])
            if known.any():
                expected = multipletests(raw[line, :3][known], method=theirs)[1]
                np.testing.assert_allclose(found[line, :3][known], expected, rtol=1e-12)
            assert np.isnan(found[line, :3][~known]).all()
            np.testing.assert_array_equal(found[line, 3], raw[line, 3])


def test_a_share_of_zero_is_no_certainty():
    data = pd.DataFrame({"g": [1.0] * 60 + [2.0] * 130, "x": [0.0] * 60 + [1.0] * 5 + [0.0] * 125})
    found = cx.banner(Survey.from_frame(data), "x", "g", adjust=None, total=False).comparisons
    p = found.loc[(found["statistic"] == "share") & (found["code"] == 1), "p_raw"].iloc[0]
    naive = 2 * stats.t.sf((5 / 130) / np.sqrt(5 / 130 * 125 / 130 / 129), 188)
    exact = stats.fisher_exact([[0, 60], [5, 125]])[1]
    assert naive < 0.03 < 0.05 < p < exact


def test_letters_skip_the_ambiguous_and_go_on_after_z():
    data = pd.DataFrame({"g": np.arange(3000) % 30, "x": (np.arange(3000) % 30 >= 25) * 5.0 + np.arange(3000) % 7})
    found = cells(cx.banner(Survey.from_frame(data), "x", "g"), statistic="mean")
    assert found["letter"].tolist()[:10] == ["", *"ABCDEFGHJ"]
    assert found["letter"].iloc[-1] == "AF"
    assert found["letters"].iloc[-1].split(" ")[-1] == "AA"


def test_lower_case_only_with_a_second_level():
    one = cx.banner(survey(), "q", "card", levels=0.95)
    two = cx.banner(survey(), "q", "card", levels=(0.95, 0.80))
    assert not re.search("[a-z]", "".join(one.table["letters"]))
    assert not set(one.table["arrow"]) & {"△", "▽"}
    assert one.table["letters"].tolist() == [re.sub("[a-z]", "", v) for v in two.table["letters"]]


# ---------------------------------------------------------------------- nets and multiple responses
def test_nets_add_answers_up():
    labels = {"Fine": {"codes": ["ordinary", "金卡"], "labels": {"zh": "普通或金卡"}}}
    banner = cx.banner(survey(), ["q", "card"], "gender", nets={"q": {"Good": [8, 9, 10]}, "card": labels})
    for item, codes in (("q", [8.0, 9.0, 10.0]), ("card", [1.0, 2.0])):
        part = cells(banner, item=item)
        net = part.loc[part["statistic"] == "net", "estimate"].to_numpy()
        shares = part[(part["statistic"] == "share") & part["code"].isin(codes)]
        np.testing.assert_allclose(net, shares.groupby("segment", sort=False)["estimate"].sum(), rtol=1e-12)
    assert ("会员卡", "合并：普通或金卡") in banner.wide("zh").index
    assert ("Card", "Net: Fine") in banner.wide("en").index


def test_dichotomies_and_their_nets():
    whole = survey("unweighted")
    banner = cx.banner(whole, "channels", "gender", nets={"channels": {"Remote": ["App", "phone"]}})
    data = whole.data[["app", "desk", "phone"]]
    asked = data.notna().any(axis=1)
    total = cells(banner, segment="total").set_index("code")
    assert total.loc["Remote", "estimate"] == pytest.approx((data[asked][["app", "phone"]] == 1).any(axis=1).mean())
    assert total.loc["desk", "estimate"] == pytest.approx((data[asked]["desk"] == 1).mean())
    assert total["base"].unique().tolist() == [int(asked.sum())]
    assert total.loc[["app", "desk", "phone"], "estimate"].sum() < total["estimate"].sum()
    assert any("Multiple responses add up" in n["en"] for n in banner.notes)


def test_categories_count_each_respondent_once_and_their_columns_overlap():
    whole = survey("unweighted")
    banner = cx.banner(whole, "reasons", ["reasons"], nets={"reasons": {"any": ["price", 2.0, 3.0]}})
    mentions = whole.data[["first", "second"]]
    asked = mentions.notna().any(axis=1)
    total = cells(banner, segment="total").set_index("code")
    for code in (1.0, 2.0, 3.0):
        assert total.loc[code, "estimate"] == pytest.approx((mentions[asked] == code).any(axis=1).mean())
    assert total.loc["any", "estimate"] == pytest.approx(1)
    assert cells(banner, segment="reasons=2", code=2.0)["estimate"].tolist() == [1.0]
    assert cells(banner, segment="reasons=2", code=1.0)["estimate"].iloc[0] > 0
    assert banner.label("reasons=2", "zh", "segment") == "地点"


# ---------------------------------------------------------------------- bases
def test_bases_unweighted_weighted_and_effective():
    whole = survey("clinics")
    found = cx.banner(whole, "q", "card").bases.set_index("segment")
    for code in (1, 2, 3):
        inside = (whole.data["card"] == code) & whole.data["q"].notna() & (whole.data["w"] > 0)
        row = found.loc[f"card={code}"]
        assert row["base"] == inside.sum()
        assert row["base_weighted"] == pytest.approx(whole.data.loc[inside, "w"].sum(), rel=1e-12)
    assert (found["base_effective"] < found["base"]).all()
    shares = cx.proportions(whole, "q", by="card").table
    gold = shares[shares["segment"] == 2]
    mean = np.average(gold["base_effective"], weights=gold["se"] ** 2)
    assert found.loc["card=2", "base_effective"] == pytest.approx(mean, rel=1e-9)


def test_small_bases_are_dashes_untested_and_said():
    data = pd.DataFrame({"g": [1.0] * 200 + [2.0] * 29 + [3.0] * 50, "q": [*([5.0, 6.0] * 100), *[9.0] * 20, *[8.0] * 9,
                                                                           *([3.0, 4.0] * 25)]})  # fmt: skip
    with pytest.warns(SmallBaseWarning, match=r"^7 of 28 cells have an effective base under 30 and are not shown\.$"):
        banner = cx.banner(Survey.from_frame(data), "q", "g", statistics=["share", "mean"])
    assert banner.table.groupby("segment")["reliability"].first().to_dict() == {
        "g=1": "ok", "g=2": "suppressed", "g=3": "low", "total": "ok",
    }  # fmt: skip
    wide = banner.wide("en").loc[("q", "Mean")]
    assert wide.tolist() == ["5.47", "5.50 C", "–", "3.50* ▼"]
    assert not banner.table["letters"].str.contains("B").any()
    assert cells(banner, segment="g=2")["estimate"].notna().all()  # the table keeps the number
    tests = banner.comparisons
    assert tests.loc[(tests["segment"] == "g=2") | (tests["other"] == "g=2"), "p_raw"].isna().all()
    # the others of 1 and 3 are compared with a rest that is large enough; 2 is not
    assert cells(banner, segment="g=2")["arrow"].eq("").all()


def test_nobody_answered():
    whole = survey().with_columns(never=np.full(1500, np.nan))
    with pytest.warns(SmallBaseWarning):
        banner = cx.banner(whole, ["never", "q"], "card")
    part = cells(banner, item="never")
    assert (part["base"] == 0).all()
    assert part["estimate"].isna().all()
    assert set(banner.wide("en").loc[("never", "Mean")]) == {"–"}


def test_nested_columns_that_nobody_is_in_are_left_out_with_a_note():
    data = pd.DataFrame({"a": [1.0] * 80 + [2.0] * 40, "b": [1.0, 2.0] * 40 + [1.0] * 40, "q": np.arange(120) % 5})
    banner = cx.banner(Survey.from_frame(data), "q", [("a", "b")], total=False)
    assert [h.key for h in banner.heads] == ["a=1, b=1", "a=1, b=2", "a=2, b=1"]
    assert "A × b: 1 crossed groups that nobody belongs to are left out." in [n["en"] for n in banner.notes]


def test_one_group_has_nobody_to_be_compared_with():
    found = cx.banner(survey().where(card=2), "q", "card")
    assert set(found.table["letters"]) == {""}
    assert found.comparisons.empty
    assert found.table["p_value"].isna().all()
    assert found.sentences().__len__() == 0


def test_weights_that_sum_to_the_population_change_only_the_weighted_base():
    whole = survey("clinics")
    large = replace(whole, data=whole.data.assign(w=whole.data["w"] * 1e6))
    one, other = cx.banner(whole, ["q", "nps"], "card").table, cx.banner(large, ["q", "nps"], "card").table
    np.testing.assert_allclose(other["base_weighted"], 1e6 * one["base_weighted"], rtol=1e-10)
    same = one.columns.drop("base_weighted")
    pd.testing.assert_frame_equal(one[same], other[same], rtol=1e-8)


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"rows": ["qq"]}, "rows names 1 column that is not in the survey: 'qq' (did you mean 'q'?)."),
        ({"columns": ["kard"]}, "columns names 1 column that is not in the survey: 'kard' (did you mean 'card'?)."),
        ({"rows": []}, "rows is empty; name at least one item."),
        ({"columns": []}, "columns is empty; name at least one segment."),
        ({"columns": ["card", "card"]}, "columns names 'card' more than once; name each group once."),
        ({"nets": {"rare": {"x": [1]}}}, "nets has 'rare', which is not among the rows; add it to rows, or leave the net out."),
        ({"nets": {"q": {"x": 9}}}, "nets: 'x' of 'q' is 9; give a list of answers, such as [8, 9, 10]."),
        ({"statistics": ["median"]}, "statistics is 'median'; allowed: 'net', 'share', 'top2', 'mean', 'nps' "
         "(did you mean 'mean'?)."),
        ({"rows": "city", "statistics": ["mean"]}, "statistics leaves nothing of 'city', which has: 'share'."),
        ({"levels": (0.8, 0.95)}, "levels is (0.8, 0.95); give one or two confidence levels between .5 and 1, the stricter "
         "first, such as (.95, .80): upper-case letters, then lower-case."),
        ({"levels": 95}, "levels is 95; give one or two confidence levels between .5 and 1, the stricter first, such as "
         "(.95, .80): upper-case letters, then lower-case."),
        ({"adjust": "hollm"}, "adjust is 'hollm'; allowed: 'holm', 'bonferroni', 'bh', None (did you mean 'holm'?)."),
        ({"compare": "some"}, "compare is 'some'; allowed: 'group', 'all'."),
        ({"columns": ["spend"]}, "columns: 'spend' has 1,480 groups among the 1,480 respondents; up to 200 make a banner: band "
         "it in study.yml (recoded)."),
        ({"columns": [("clinic", "card", "effort")]}, "columns: 'clinic' × 'card' × 'effort' makes 420 columns; a banner has "
         "up to 200: band it in study.yml (recoded)."),
        ({"rows": "nps", "nets": {"nps": {"x": [9]}}}, "nets: 'nps' has no answers of its own to add up; name the item behind "
         "it."),
        ({"rows": "spend", "nets": {"spend": {"x": [9]}}}, "nets: 'spend' is not coded; band it in study.yml (recoded) and name "
         "the bands."),
        ({"rows": "channels", "nets": {"channels": {"x": ["fax"]}}}, "nets: an answer of 'channels' is 'fax'; allowed: 'app', "
         "'desk', 'phone', 'App', 'desk', 'phone'."),
    ],
)  # fmt: skip
def test_faults_are_worded(call, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.banner(survey(), **{"rows": "q", "columns": ["card"], **call})


def test_unknown_answer_in_a_net():
    with pytest.raises(SurveyError, match=r"^card has no value 'platinum'; it has: ordinary, "):
        cx.banner(survey(), "card", "gender", nets={"card": {"x": ["platinum"]}})


def test_four_hundred_categories():
    data = pd.DataFrame({"city": [f"c{k % 400:03d}" for k in range(2000)], "code": np.arange(2000) % 400, "g": 1.0})
    whole = Survey.from_frame(data)
    with pytest.raises(SurveyError, match=r"^rows: 'city' has 400 different answers; 1 to 60 make a table: band it"):
        cx.banner(whole, "city", "g")
    with pytest.raises(
        SurveyError, match=r"^columns: 'city' has 400 groups among the 2,000 respondents; up to 200 make"
    ):
        cx.banner(whole, "code", "city")
    found = cells(cx.banner(whole, "code", "g"), segment="total")  # numbers without labels: the mean alone
    assert found[["statistic", "estimate"]].values.tolist() == [["mean", 199.5]]


def test_a_lonely_stratum_raises_with_the_remedy():
    data = survey("unweighted").data.assign(lone=lambda d: np.where(d.index == 3, 9, d["region"]))
    with pytest.raises(SurveyError, match=r"^stratum has 1 of 6 strata with a single PSU \('9'\)"):
        cx.banner(Survey.from_frame(data, stratum="lone"), "q", "gender")


# ---------------------------------------------------------------------- what people see
ATTACKS = [
    '"><img src=x>',
    "=1+1",
    "<script>alert(1)</script>",
    "+SUM(A1)",
    "@x",
    "-2",
    "https://example.org",
    "{=1}",
    "a & b <i>",
]


def attacked() -> Survey:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"g": rng.integers(0, 9, 1800), "q": rng.integers(0, 9, 1800), "=cmd": rng.integers(0, 9, 1800)}
    )
    whole = Survey.from_frame(data.astype(float))
    values = {float(k): {"en": t, "zh": t} for k, t in enumerate(ATTACKS)}
    items = [
        Item(n, {"en": t, "zh": t}, values) for n, t in (("g", ATTACKS[2]), ("q", ATTACKS[1]), ("=cmd", ATTACKS[0]))
    ]
    return replace(whole, codebook=whole.codebook.with_items(*items))


def test_labels_are_escaped_on_the_page():
    page = cx.banner(attacked(), ["q", "=cmd"], ["g", ("q", "=cmd")], nets={"q": {"<b>net": [1]}})._repr_html_()
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find_all(["script", "i", "a", "b", "img"])
    shown = soup.get_text()
    for text in (*ATTACKS, "<b>net"):
        assert text in shown


def test_the_page_says_what_the_wide_table_says():
    banner = cx.banner(survey("clinics"), ["q", "channels"], ["card", ("gender", "card")])
    soup = BeautifulSoup(banner._repr_html_(), "html.parser")
    rows = [r for r in soup.select("tbody tr") if len(r.find_all("td")) > 1]
    wide = banner.wide("en")
    assert len(rows) == len(wide)
    for row, (key, expected) in zip(rows, wide.iterrows(), strict=True):
        head = row.find(["th", "td"]).get_text()
        assert head == key[1]
        shown = [" ".join(td.get_text(" ").split()) for td in row.find_all("td")[-len(banner.heads) :]]
        assert shown == expected.tolist()
    spanners = [th.get_text().strip() for th in soup.select("th.gt_column_spanner_outer")]
    assert [s for s in spanners if s] == ["Card", "Gender × Card", "male", "female"]


def test_items_of_the_same_wording_stay_apart():
    data = pd.DataFrame({"a": [1.0, 2.0] * 50, "b": [1.0, 1.0] * 50, "g": [1.0] * 50 + [2.0] * 50})
    same = Survey.from_frame(data, labels={"a": "Same", "b": "Same"})
    banner = cx.banner(same, ["a", "b"], "g", statistics="mean")
    assert banner.wide("en").index.get_level_values(0).unique().tolist() == ["Same (a)", "Same (b)"]
    groups = BeautifulSoup(banner._repr_html_(), "html.parser").select(".gt_group_heading")
    assert [g.get_text().strip() for g in groups] == ["Same (a)", "Same (b)"]


def small_banner():
    data = pd.DataFrame({"card": [1.0, 2.0] * 60, "q": [*([9.0, 3.0] * 40), *([8.0, 4.0] * 20)]})
    items = [
        Item("card", texts("Card", "会员卡"), {1.0: texts("ordinary", "普卡"), 2.0: texts("gold", "金卡")}),
        Item("q", texts("Satisfaction", "满意度"), scale=(0, 10)),
    ]
    whole = Survey.from_frame(data)
    return cx.banner(
        replace(whole, codebook=whole.codebook.with_items(*items)), "q", "card", statistics=["mean", "top2"]
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_snapshot(lang, snapshot):
    cx.set_language(lang)
    page = small_banner()._repr_html_()
    assert page == small_banner()._repr_html_()  # no random ids
    assert re.sub(r"<style>.*?</style>", "<style>…</style>", page, flags=re.DOTALL) == snapshot


def test_wide_in_both_languages():
    banner = small_banner()
    assert banner.wide("en").to_dict("split") == {
        "index": [("Satisfaction", t) for t in ("Base (unweighted)", "Base (weighted)", "Effective base", "Top-2 box (9–10)",
                                                "Mean")],
        "columns": [("", "Total", ""), ("Card", "ordinary", "(A)"), ("Card", "gold", "(B)")],
        "data": [["120", "60", "60"], ["120", "60", "60"], ["120", "61", "61"],
                 ["33%", "67%* B ▲", "0%* ▼"], ["6.00", "8.67* B ▲", "3.33* ▼"]],
    }  # fmt: skip
    assert banner.wide("zh").index.tolist() == [
        ("满意度", t) for t in ("样本量（未加权）", "样本量（加权）", "有效样本量", "前两档（9–10）", "均值")
    ]
    assert banner.wide("zh").columns.tolist()[1:] == [("会员卡", "普卡", "(A)"), ("会员卡", "金卡", "(B)")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_shows_the_headline_lines_masked_as_the_table(lang):
    import matplotlib.pyplot as plt

    with pytest.warns(SmallBaseWarning):
        found = cx.banner(survey("clinics"), ["q", "nps"], ["card", ("card", "clinic")])
    ax = found.plot(lang=lang)
    headline = found.table[found.table["statistic"].isin(["mean", "top2", "nps"])]
    texts = [t.get_text() for t in ax.texts]
    assert len(texts) == len(headline) == 3 * len(found.heads)
    hidden = (headline["reliability"] == "suppressed").to_numpy()
    assert hidden.any()
    assert all((text == "–") == masked for text, masked in zip(texts, hidden, strict=True))
    arrows = [text[-1] if text[-1] in "▲▼△▽" else "" for text in texts]
    assert arrows == np.where(hidden, "", headline["arrow"]).tolist()
    assert ax.get_title("left") == {"en": "Banner table", "zh": "交叉分析表"}[lang]
    plt.close(ax.figure)


def test_sentences_say_who_stands_out_or_that_nobody_does():
    said = [s.text for s in small_banner().sentences("en")]
    assert "Gold: satisfaction, mean 3.33 against 8.67 among all others (p < .001)." in said
    assert "金卡：“满意度”均值为 3.33，其他受访者为 8.67（p < .001）。" in [
        s.text for s in small_banner().sentences("zh")
    ]
    (nps,) = [s.text for s in cx.banner(survey(), "nps", "card").sentences("zh") if s.text.startswith("金卡")]
    assert re.fullmatch(r"金卡：净推荐值（NPS）为 −[\d.]+，其他受访者为 [+−][\d.]+（p < \.001）。", nps)
    quiet = cx.banner(survey("unweighted"), "effort", "gender").sentences("en")
    assert [s.text for s in quiet] == [
        "No segment stands out from the others in means, NPS or top-2 box (4 comparisons, 95%, Holm)."
    ]


def test_notes_in_both_languages_say_levels_and_adjustment():
    banner = cx.banner(survey(), "q", "card", levels=(0.99, 0.9), adjust=None)
    (letters,) = [n for n in banner.notes if "upper case" in n["en"]]
    assert "upper case at 99%, lower case at 90%" in letters["en"]
    assert "not adjusted for the number of tests" in letters["en"]
    assert "大写为 99% 置信水平，小写为 90%" in letters["zh"]


def test_the_call_makes_the_banner_again():
    whole = survey().where(gender="male")
    nets = {"q": {"Good": [8, 9, 10]}}
    banner = cx.banner(whole, ["q", "nps"], ["card", ("card", "effort")][:1], nets=nets, levels=0.9, adjust="bh")
    again = eval(banner.call, {"cx": cx, "survey": survey()})
    pd.testing.assert_frame_equal(banner.table, again.table)


# ---------------------------------------------------------------------- workbook
def workbook(banner, tmp_path: Path, **options) -> openpyxl.Workbook:
    return openpyxl.load_workbook(banner.to_excel(tmp_path / "banner.xlsx", **options))


def sheet_cells(sheet) -> tuple[list[str], dict[str, list[tuple]]]:
    """Column letters and, by line, (number, its format, letters) of every column, read from a sheet alone."""
    (head,) = [r for r in sheet.iter_rows() if r[0].value in ("Column letter", "列字母")]
    shaded = head[0].fill.fgColor.rgb
    columns = [j for j in range(1, len(head), 2) if head[j].fill.fgColor.rgb == shaded]  # notes may reach further
    letters = [(head[j].value or "").strip("()") for j in columns]
    lines = {}
    for row in sheet.iter_rows(min_row=head[0].row + 1):
        if row[0].value is None:
            break
        lines[row[0].value] = [(row[j].value, row[j].number_format, row[j + 1].value or "") for j in columns]
    return letters, lines


def test_numbers_in_the_workbook_are_numbers_and_letters_follow_from_them(tmp_path):
    whole = survey("clinics")
    banner = cx.banner(whole, ["q", "nps"], ["card"], total=False, adjust=None)
    book = workbook(banner, tmp_path)
    assert book.sheetnames == ["Index", "T01", "T02", "Notes", "Data"]
    letters, lines = sheet_cells(book["T01"])
    assert letters == ["A", "B", "C"]
    columns = {x: (whole.data["card"] == c).to_numpy() for x, c in zip("ABC", (1, 2, 3), strict=True)}
    q = whole.values("q")
    for code in sorted(set(q[np.isfinite(q)])):
        line = lines[f"{code:g}"]
        assert {f for _, f, _ in line} <= {"0%", '0%"*"'}
        values = np.where(np.isnan(q), np.nan, q == code)
        expected = expected_letters(whole, columns, values, None)
        for (value, _, marks), x in zip(line, letters, strict=True):
            assert isinstance(value, (int, float))
            assert value == pytest.approx(
                weighted_means(resolve(whole), values[:, None], columns[x][:, None]).estimate[0]
            )
            assert re.sub("[ ▲▼△▽]", "", marks) == expected[x]
    mean = lines["Mean"]
    assert [f for _, f, _ in mean] == ["0.00"] * 3
    assert [m for m, _, _ in mean] == pytest.approx(cx.means(whole, "q", by="card").table["estimate"].tolist())
    _, nps = sheet_cells(book["T02"])
    assert {f for _, f, _ in nps["NPS"]} <= {"+0.0;-0.0;0.0", '+0.0"*";-0.0"*";0.0"*"'}
    assert [b for b, _, _ in lines["Base (unweighted)"]] == banner.bases["base"].tolist()[:3]


def test_header_is_frozen_and_index_links_lead_to_the_sheets(tmp_path):
    book = workbook(cx.banner(survey(), ["q", "nps", "channels"], ["card", ("gender", "card")]), tmp_path)
    index = book["Index"]
    links = {c.value: c.hyperlink.location for row in index.iter_rows() for c in row if c.hyperlink}
    assert links == {
        "Satisfaction": "'T01'!A1", "Net promoter score": "'T02'!A1", "Channels": "'T03'!A1",
        "How to read the tables, and how they were made": "'Notes'!A1", "Unrounded values of every cell": "'Data'!A1",
    }  # fmt: skip
    for name in ("T01", "T02", "T03"):
        sheet = book[name]
        assert sheet["A2"].hyperlink.location == "'Index'!A1"
        top, left = re.match(r"([A-Z]+)(\d+)", sheet.freeze_panes).groups()
        assert top == "B"
        assert sheet.cell(int(left) - 1, 1).value == "Column letter"
        assert sheet.cell(int(left), 1).value == "Base (unweighted)"
        assert sheet.print_title_rows == f"$1:${int(left) - 1}"
    texts_ = [c.value for row in book["Notes"].iter_rows() for c in row if c.value]
    assert any(t.startswith("cx.banner(survey, ['q', 'nps', 'channels']") for t in texts_)


def test_small_bases_in_the_workbook(tmp_path):
    data = pd.DataFrame({"g": [1.0] * 200 + [2.0] * 29 + [3.0] * 50, "q": np.arange(279) % 5})
    with pytest.warns(SmallBaseWarning):
        banner = cx.banner(Survey.from_frame(data), "q", "g")
    _, lines = sheet_cells(workbook(banner, tmp_path)["T01"])
    assert [f for _, f, _ in lines["Mean"]] == ["0.00", "0.00", "General", '0.00"*"']
    assert lines["Mean"][2][0] == "–"
    assert [v for v, _, _ in lines["Base (unweighted)"]] == [279, 200, 29, 50]


def test_labels_never_become_formulas_or_links(tmp_path):
    banner = cx.banner(attacked(), ["q", "=cmd"], "g", nets={"q": {"=net()": [1]}})
    book = workbook(banner, tmp_path)
    seen = set()
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None or cell.hyperlink.location.startswith("'")
                if isinstance(cell.value, str):
                    seen.add(cell.value)
                    if cell.value[:1] in tuple("=+-@"):
                        assert cell.quotePrefix, (sheet.title, cell.coordinate)
    assert {*ATTACKS} <= seen


def test_the_workbook_in_chinese(tmp_path):
    book = workbook(cx.banner(survey(), ["q"], ["card"]), tmp_path, lang="zh")
    assert book.sheetnames == ["目录", "T01", "说明", "数据"]
    sheet = book["T01"]
    assert sheet["A1"].value == "满意度"
    shown = {c.value for row in sheet.iter_rows() for c in row if isinstance(c.value, str)}
    assert {"会员卡", "普卡", "金卡", "钻卡", "总体", "样本量（未加权）", "前两档（9–10）", "均值"} <= shown
    latin = {t for t in shown if re.search("[A-Za-z]{4}", t)}
    assert {re.sub(r"[a-z_]+|Holm", "", t) == t for t in latin} <= {False}  # only column names and Holm


def test_the_data_sheet_is_the_unrounded_table(tmp_path):
    banner = cx.banner(survey(), ["q"], ["card"])
    rows = list(workbook(banner, tmp_path)["Data"].iter_rows(values_only=True))
    assert list(rows[0]) == banner.table.columns.tolist()
    place = banner.table.columns.get_loc("estimate")
    assert [r[place] for r in rows[1:]] == pytest.approx(banner.table["estimate"].tolist(), rel=1e-14)


def test_an_existing_workbook_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "banner.xlsx"
    target.write_text("kept")
    monkeypatch.setattr("cxlab.banners._workbook._Workbook._notes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        small_banner().to_excel(target)
    assert target.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["banner.xlsx"]


def test_a_wide_banner_is_printed_on_pages_that_end_between_groups(tmp_path):
    """Groups stay whole where they fit; a number and its letters are never parted; no page is too wide."""
    found = cx.banner(survey(), ["q"], ["card", "gender", ("gender", "card"), "clinic"])
    sheet = workbook(found, tmp_path)["T01"]
    breaks = [b.id for b in sheet.col_breaks.brk]
    heads = [h.group for h in found.heads]
    own = [breaks.count(2 * k + 1) for k in range(len(heads))]
    assert sum(own) == len(breaks) > 1  # each lies before a number
    inside = {heads[k] for k in range(1, len(heads)) if own[k] and heads[k] == heads[k - 1]}
    assert inside <= {"clinic"}  # its columns are wider than a page
    widths = [d.width for d in sheet.column_dimensions.values() for _ in range(d.max - d.min + 1)]
    assert len(widths) == 2 * len(heads) + 1
    ends = [1, *breaks, len(widths)]
    assert all(sum(widths[a:b]) <= 145 for a, b in pairwise(ends))
