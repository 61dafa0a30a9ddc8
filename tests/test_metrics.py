"""Metrics: against R and hand-worked cases, on every kind of base, and what they refuse."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.design import kish_base
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.result import Result
from cxlab.survey import Roles, Survey

GOLDEN = Path(__file__).parent / "golden"
R = {c["id"]: c["value"] for c in json.loads((GOLDEN / "survey" / "survey.json").read_text())["cases"]}
NPS = {c["id"]: c["value"] for c in json.loads((GOLDEN / "nps" / "nps.json").read_text())["cases"]}
DESIGNS = {
    "dsrs_w": ("apistrat.csv", {"weight": "pw"}),
    "dstrat": ("apistrat.csv", {"weight": "pw", "stratum": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1.csv", {"weight": "pw", "psu": "dnum", "fpc": "fpc"}),
}
CLOSED_FORM = 1e-11  # relative; R prints 15 digits


@cache
def schools(design: str) -> Survey:
    file, parts = DESIGNS[design]
    data = pd.read_csv(GOLDEN / "survey" / file)
    data["recommend"] = np.minimum(10, np.floor(data["meals"] / 9.1))
    survey = Survey.from_frame(data, **parts)
    return replace(survey, codebook=survey.codebook.with_items(Item("recommend", scale=(0, 10))))


def row(result: Result) -> pd.Series:
    (only,) = result.table.index
    return result.table.loc[only]


def answers(promoters: int, passives: int, detractors: int) -> Survey:
    return Survey.from_frame(pd.DataFrame({"q": [10.0] * promoters + [7.0] * passives + [2.0] * detractors}))


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("design", DESIGNS)
def test_means_by_segment(design):
    expected = R[f"{design}.by_stype_api00"]
    found = cx.means(schools(design), "api00", by="stype").table
    assert found["segment"].tolist() == expected["groups"]
    np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found["se"], expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_mean_intervals_with_and_without_degrees_of_freedom(design):
    expected = R[f"{design}.mean_api00"]
    for df, key in ((None, "ci95_t"), (np.inf, "ci95")):
        found = row(cx.means(schools(design), "api00", df=df))
        np.testing.assert_allclose([found["low"], found["high"]], expected[key], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_korn_graubard_interval(design):
    expected = R[f"{design}.ciprop_schwide_beta"]
    found = cx.proportions(schools(design), "sch.wide").table.set_index("code").loc["Yes"]
    np.testing.assert_allclose(found["estimate"], expected["p"], rtol=CLOSED_FORM)
    np.testing.assert_allclose([found["low"], found["high"]], expected["ci"], rtol=1e-10)  # beta quantiles: 1e-11


@pytest.mark.parametrize("design", DESIGNS)
def test_proportions_by_segment(design):
    expected = R[f"{design}.by_stype_prop_schwide"]["values"]
    found = cx.proportions(schools(design), "sch.wide", by="stype").table
    for code in ("No", "Yes"):
        rows = found[found["code"] == code]
        assert rows["segment"].tolist() == ["E", "H", "M"]
        np.testing.assert_allclose(rows["estimate"], expected[f"sch.wide{code}"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(rows["se"], expected[f"se.sch.wide{code}"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_nps_total_and_by_segment(design):
    whole, parts = R[f"{design}.nps_total"], R[f"{design}.nps_by_stype"]
    found = row(cx.nps(schools(design), "recommend"))
    np.testing.assert_allclose([found["estimate"], found["se"]], [whole["estimate"], whole["se"]], rtol=CLOSED_FORM)
    found = cx.nps(schools(design), "recommend", by="stype").table
    np.testing.assert_allclose(found["estimate"], parts["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found["se"], parts["se"], rtol=CLOSED_FORM)


# ---------------------------------------------------------------------- NPS, worked by hand
def test_nps_of_120():
    case = NPS["nps_one_120"]
    found = row(cx.nps(answers(case["promoters"], case["passives"], case["detractors"]), "q", df=np.inf))
    assert found["estimate"] == pytest.approx(case["nps"], rel=1e-12)
    assert found["se"] == pytest.approx(case["se_n_minus_1"], rel=1e-12)  # n − 1, as R; the textbook's n gives se_n
    assert found["se"] * np.sqrt(119 / 120) == pytest.approx(case["se_n"], rel=1e-12)
    assert found["reliability"] == "ok"
    half = 1.959963984540054 * case["se_n_minus_1"]
    np.testing.assert_allclose([found["low"], found["high"]], [case["nps"] - half, case["nps"] + half], rtol=1e-12)


def test_nps_on_a_small_base_is_adjusted_wald():
    case = NPS["nps_adjusted_wald"]
    found = row(cx.nps(answers(*case["counts"]), "q", df=np.inf))
    assert found["estimate"] == pytest.approx(case["t0"]["nps_centre"])  # the estimate itself is not moved
    np.testing.assert_allclose([found["low"], found["high"]], case["t3"]["ci95"], rtol=1e-12)


def test_nps_of_promoters_only_has_an_interval():
    case = NPS["nps_all_promoters"]
    found = row(cx.nps(answers(20, 0, 0), "q", df=np.inf))
    assert (found["estimate"], found["se"]) == (case["nps"], 0.0)
    np.testing.assert_allclose([found["low"], found["high"]], case["adj_t3"]["ci95"], rtol=1e-12)


def test_weighted_nps_of_ten():
    case = NPS["nps_weighted_taylor"]
    weights = [1, 2, 1.5, 0.5, 3, 1, 1, 2, 0.8, 1.2]
    df = pd.DataFrame({"q": [10, 9, 7, 6, 3, 8, 9, 10, 0, 5], "w": weights})
    found = row(cx.nps(Survey.from_frame(df, weight="w"), "q"))
    assert found["estimate"] == pytest.approx(case["nps"], rel=1e-12)
    assert found["se"] == pytest.approx(case["se"], rel=1e-12)
    assert kish_base(np.array(weights)) == pytest.approx(case["kish_neff"], rel=1e-12)


def test_small_nps_intervals_rest_on_the_effective_base():
    """Repeating every answer three times within its household adds no information, so no precision either."""
    once = answers(12, 9, 7)
    three = pd.DataFrame({"q": np.repeat(once.data["q"].to_numpy(), 3), "household": np.repeat(np.arange(28), 3)})
    plain, clustered = (row(cx.nps(s, "q")) for s in (once, Survey.from_frame(three, psu="household")))
    assert clustered["base"] == 84
    assert clustered["base_effective"] == pytest.approx(
        28 * (27 / 28) / (83 / 84), rel=1e-12
    )  # n − 1 of homes and people
    assert clustered["high"] - clustered["low"] == pytest.approx(plain["high"] - plain["low"], rel=0.03)


@pytest.mark.parametrize(("score", "expected"), [(10, 100), (9, 100), (8, 0), (7, 0), (6, -100), (0, -100)])
def test_who_is_a_promoter(score, expected):
    survey = Survey.from_frame(pd.DataFrame({"q": [float(score)] * 3}))
    survey = replace(survey, codebook=survey.codebook.with_items(Item("q", scale=(0, 10))))
    assert row(cx.nps(survey, "q"))["estimate"] == expected


# ---------------------------------------------------------------------- CSAT, index
def rated(values: list, scale: tuple[float, float] | None, *, up: bool = True) -> Survey:
    survey = Survey.from_frame(pd.DataFrame({"q": np.array(values, dtype=float)}))
    item = Item("q", scale=scale, higher_is_better=up)
    return Survey(survey.data, survey.codebook.with_items(item), Roles(outcomes={"satisfaction": ("q",)}))


@pytest.mark.parametrize(
    ("values", "scale", "top", "up", "expected"),
    [
        ([1, 3, 4, 5], (1, 5), 2, True, 0.5),
        ([1, 3, 4, 5], (1, 5), 1, True, 0.25),
        ([1, 3, 4, 5, np.nan], (1, 5), 3, True, 0.75),
        ([0, 8, 9, 10], (0, 10), 2, True, 0.5),
        ([1, 2, 3, 6], (1, 6), 2, False, 0.5),  # school marks: 1 is the best
        ([1, 2, 3, 4], (1, 5), 2, True, 0.25),  # nobody gave a 5: the declared scale counts, not the answers
        ([4, 5, 6, 7], None, 2, True, 0.5),
    ],
)
def test_csat_counts_the_best_boxes(values, scale, top, up, expected):
    assert row(cx.csat(rated(values, scale, up=up), top=top))["estimate"] == pytest.approx(expected)


@pytest.mark.parametrize("top", [0, 5])
def test_csat_with_boxes_that_are_not_there(top):
    with pytest.raises(SurveyError) as error:
        cx.csat(rated([1, 5], (1, 5)), top=top)
    assert str(error.value) == f"top is {top}; 'satisfaction' runs 1–5, so 1 to 4 boxes can be counted."


def test_csat_is_called_by_its_boxes():
    found = [cx.csat(rated([1, 2, 3, 4, 5], (1, 5)), top=k) for k in (1, 2, 3)]
    assert [f.shown("en")["Item"][0] for f in found] == ["CSAT (top-1-box)", "CSAT (top-2-box)", "CSAT (top-3-box)"]
    assert [f.shown("zh")["题目"][0] for f in found] == [f"满意率（CSAT，前{n}档）" for n in "一两三"]


def test_a_scale_that_is_guessed_is_said():
    """A 1–10 item on which nobody gave a 10 would otherwise count 8 and 9 as its top boxes in silence."""
    guessed = cx.csat(rated([1, 5, 8, 9], None)).notes
    assert guessed[-1]["en"] == "The scale of q is not declared; going by the answers it runs from 1 to 9."
    assert guessed[-1]["zh"] == "“q”未声明量表范围，按实际回答取 1 至 9。"
    assert len(cx.csat(rated([1, 5, 8, 9], (1, 10))).notes) == len(guessed) - 1


def test_many_items_by_many_groups_fit_into_memory():
    """One item at a time: 30 items × 40 groups × 20,000 rows at once are 183 MB per array."""
    import tracemalloc

    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.integers(0, 11, (20_000, 30)).astype(float), columns=[f"q{k}" for k in range(30)])
    survey = Survey.from_frame(df.assign(g=rng.integers(0, 40, 20_000)))
    tracemalloc.start()
    table = cx.means(survey, [f"q{k}" for k in range(30)], by="g").table
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    assert len(table) == 1200
    assert peak < 100


def test_shares_of_everybody_and_nobody_have_intervals():
    """Clopper–Pearson of 20 of 20 and 0 of 20: 1 − .025^(1/20)."""
    everybody, nobody = (row(cx.csat(rated([value] * 20, (1, 5)))) for value in (5, 1))
    assert (everybody["estimate"], nobody["estimate"]) == (1.0, 0.0)
    np.testing.assert_allclose([everybody["low"], everybody["high"]], [0.025 ** (1 / 20), 1.0], rtol=1e-12)
    np.testing.assert_allclose([nobody["low"], nobody["high"]], [0.0, 1 - 0.025 ** (1 / 20)], rtol=1e-10)


def test_index_turns_items_and_spans_0_to_100():
    assert row(cx.index(rated([1, 3, 5], (1, 5)), "q"))["estimate"] == 50
    assert row(cx.index(rated([1, 1, 2], (1, 5), up=False), "q"))["estimate"] == pytest.approx(100 * (1 + 1 + 0.75) / 3)


def test_a_role_of_several_items_is_their_mean_on_0_to_100():
    survey = Survey.from_frame(pd.DataFrame({"a": [1.0, 5, np.nan], "b": [7.0, 1, np.nan], "c": [0.0, np.nan, 3]}))
    items = (Item("a", scale=(1, 5)), Item("b", scale=(1, 7), higher_is_better=False), Item("c", scale=(0, 4)))
    survey = Survey(survey.data, survey.codebook.with_items(*items), Roles(layers={"experience": ("a", "b", "c")}))
    # first: 0, 0, 0; second: 100, 100, – ; third answered one of three: not enough
    assert cx.means(survey, "experience").table[["estimate", "base"]].values.tolist() == [[50.0, 2.0]]
    assert cx.index(survey, "experience").table["estimate"].tolist() == [50.0]


# ---------------------------------------------------------------------- proportions and frequencies
def coded(seed: int = 0, count: int = 300) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "q": rng.choice([1.0, 2, 3, np.nan], count), "card": rng.choice(["gold", "plain"], count),
        "w": rng.uniform(0.5, 2, count), "wave": rng.choice([1.0, 2], count),
    })  # fmt: skip
    survey = Survey.from_frame(df, weight="w")
    names = {1.0: {"en": "bad", "zh": "差"}, 2.0: {"en": "fair", "zh": "中"}, 3.0: {"en": "good", "zh": "好"},
             4.0: {"en": "excellent", "zh": "优"}, 99.0: {"en": "refused", "zh": "拒答"}}  # fmt: skip
    reasons = pd.DataFrame({"q": np.where(df["q"].isna() & (df.index % 2 == 0), 99.0, np.nan)})
    item = Item("q", values=names, missing={99.0: "refused"}, scale=(1, 4))
    return replace(survey, codebook=survey.codebook.with_items(item), missing_reasons=reasons)


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_proportions_sum_to_one_in_every_cell(seed):
    table = cx.proportions(coded(seed), "q", by=["card", "wave"]).table
    assert len(table) == 4 * 2 * 2
    np.testing.assert_allclose(table.groupby(["segment", "wave"])["estimate"].sum(), 1.0, rtol=1e-12)
    assert ((table["low"] <= table["estimate"]) & (table["estimate"] <= table["high"])).all()


def test_answers_never_given_have_share_0_and_missing_codes_none():
    table = cx.proportions(coded(), "q").table
    assert table["code"].tolist() == [1, 2, 3, 4]
    assert table["estimate"].iloc[3] == 0
    assert table["high"].iloc[3] > 0


def test_frequencies_count_everybody_once():
    survey = coded().where(card="gold")
    result = cx.frequencies(survey, "q")
    inside, reasons = survey.data["q"][survey.domain], survey.missing_reasons["q"][survey.domain]
    expected = [int((inside == c).sum()) for c in (1, 2, 3, 4)] + [int((reasons == 99).sum())]
    assert result.table["code"].tolist() == [1, 2, 3, 4, 99]
    assert result.table["count"].tolist() == expected
    assert np.isnan(result.table["estimate"].iloc[4])
    weights = survey.weights[survey.domain]
    share = weights[(inside == 2).to_numpy()].sum() / weights[inside.notna().to_numpy()].sum()
    assert result.table["estimate"].iloc[1] == pytest.approx(share, rel=1e-12)
    assert result.shown("zh")["选项"].tolist()[:4] == ["差", "中", "好", "优"]


def test_frequencies_of_a_study_skip_what_has_no_answers():
    survey = coded()
    survey = replace(survey.with_columns(empty=[np.nan] * 300), roles=Roles(outcomes={"s": ("q",), "t": ("empty",)}))
    assert cx.frequencies(survey).table["item"].unique().tolist() == ["q"]


def test_frequencies_without_anything_to_tabulate():
    with pytest.raises(SurveyError) as error:
        cx.frequencies(Survey.from_frame(pd.DataFrame({"x": [1.0]})))
    assert str(error.value) == "items: the survey has no labelled items and no roles; name the columns to tabulate."


def test_too_many_answers():
    survey = Survey.from_frame(pd.DataFrame({"spend": np.arange(1061.0)}))
    with pytest.raises(SurveyError) as error:
        cx.proportions(survey, "spend")
    assert str(error.value) == (
        "item 'spend' has 1,061 different answers; shares are for 1 to 60: band it in study.yml (recoded), or use cx.means."
    )


# ---------------------------------------------------------------------- properties
METRICS = {
    "means": lambda s, **k: cx.means(s, "q", **k),
    "nps": lambda s, **k: cx.nps(s, "q", **k),
    "csat": lambda s, **k: cx.csat(s, "q", **k),
    "index": lambda s, **k: cx.index(s, "q", **k),
    "proportions": lambda s, **k: cx.proportions(s, "q", **k),
}
NUMBERS = ["estimate", "se", "low", "high", "base", "base_effective"]


def ratings(seed: int = 0, count: int = 200, **columns) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({"q": rng.integers(0, 11, count).astype(float), "w": rng.uniform(0.3, 3, count), "card": "all"})
    survey = Survey.from_frame(df.assign(**columns), weight="w")
    return replace(survey, codebook=survey.codebook.with_items(Item("q", scale=(0, 10))))


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3))
@settings(max_examples=8, deadline=None)
def test_rescaled_weights_row_order_and_one_segment_change_nothing(metric, seed, scale):
    survey = ratings(seed)
    whole = METRICS[metric](survey).table[NUMBERS]
    order = np.random.default_rng(seed).permutation(200)
    moved = replace(survey, data=survey.data.iloc[order].reset_index(drop=True))
    scaled = survey.with_columns(w=scale * survey.data["w"])
    for again in (METRICS[metric](moved), METRICS[metric](scaled), METRICS[metric](survey, by="card")):
        np.testing.assert_allclose(again.table[NUMBERS], whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_integer_weights_repeat_rows_in_the_estimate_and_not_in_the_error(metric):
    times = np.random.default_rng(1).integers(1, 5, 200)
    survey = ratings(w=times.astype(float))
    rows = survey.data.loc[survey.data.index.repeat(times)].reset_index(drop=True).assign(w=1.0)
    repeated = replace(survey, data=rows, domain=np.ones(len(rows), dtype=bool))
    weighted, repeated = METRICS[metric](survey).table, METRICS[metric](repeated).table
    np.testing.assert_allclose(weighted["estimate"], repeated["estimate"], rtol=1e-12)
    assert (weighted["se"] > 1.2 * repeated["se"]).all()
    assert (weighted["base"] == 200).all()


def test_the_total_lies_between_its_segments():
    survey = ratings(card=np.where(np.arange(200) % 3, "a", "b"))
    parts, whole = cx.means(survey, "q", by="card").table, row(cx.means(survey, "q"))
    shares = [survey.weights[survey.data["card"] == s].sum() for s in ("a", "b")]
    assert np.average(parts["estimate"], weights=shares) == pytest.approx(whole["estimate"], rel=1e-12)
    assert parts["base"].sum() == whole["base"]


def test_segment_and_wave_are_crossed():
    survey = ratings(card=np.where(np.arange(200) % 2, "a", "b"), wave=np.repeat([1.0, 2], 100))
    table = cx.means(survey, "q", by=["card", "wave"]).table
    assert list(table.columns[:3]) == ["item", "segment", "wave"]
    assert table[["segment", "wave"]].values.tolist() == [["a", 1], ["a", 2], ["b", 1], ["b", 2]]
    alone = row(cx.means(survey.where(card="b", wave=2), "q"))
    np.testing.assert_allclose(table.iloc[3][NUMBERS].astype(float), alone[NUMBERS].astype(float), rtol=1e-12)


# ---------------------------------------------------------------------- bases
def test_small_bases_are_flagged_and_masked_but_kept_in_the_table():
    survey = ratings(w=1.0, card=np.repeat(["a", "b", "c"], [20, 60, 120]))
    result = cx.means(survey, "q", by="card")
    assert result.table["reliability"].tolist() == ["suppressed", "low", "ok"]
    assert result.table["estimate"].notna().all()
    shown = result.shown("en")
    assert shown[["Estimate", "SE", "Low", "High"]].iloc[0].tolist() == ["–"] * 4
    assert shown["Base"].tolist() == ["20", "60", "120"]


def test_it_is_the_effective_base_that_counts():
    rng = np.random.default_rng(3)
    household = np.repeat(np.arange(25), 8)
    survey = ratings(w=1.0, q=rng.integers(0, 11, 25)[household].astype(float), home=household)
    survey = replace(survey, design=replace(survey.design, psu="home"))
    found = row(cx.means(survey, "q"))
    assert found["base"] == 200
    assert found["base_effective"] == pytest.approx(25, rel=0.05)
    assert found["reliability"] == "suppressed"


def test_respondents_of_no_group_are_counted_in_the_notes():
    card = np.where(np.arange(200) < 10, None, "a")
    notes = cx.means(ratings(w=1.0, card=card), "q", by="card").notes
    assert [n["en"] for n in notes][1:] == ["10 respondents (5.0% of the weight) belong to no group and are left out."]
    assert [n["zh"] for n in notes][1:] == ["另有 10 名受访者（占权重 5.0%）无所属群体信息，未计入。"]
    assert len(cx.means(ratings(), "q", by="card").notes) == 1


@pytest.mark.parametrize(
    ("design", "en"),
    [
        ({}, "Unweighted; simple random sampling assumed."),
        ({"weight": "w", "stratum": "card"}, "Design-based: weight (w), stratum (card); weights count as fixed."),
    ],
)
def test_notes_say_the_design(design, en):
    assert cx.means(Survey.from_frame(ratings().data, **design), "q").notes[0]["en"] == en


# ---------------------------------------------------------------------- calls
@pytest.mark.parametrize(
    "result",
    [
        lambda s: cx.means(s, ["q", "w"], by=["card", "wave"], level=0.9, df=40),
        lambda s: cx.nps(s, "q", by="wave"),
        lambda s: cx.csat(s, "q", top=3, level=0.8),
        lambda s: cx.index(s, "q", df=np.inf),
        lambda s: cx.proportions(s, "q", by="card", level=0.9),
        lambda s: cx.frequencies(s, ["q"], level=0.9),
    ],
)
def test_the_call_makes_the_result_again(result):
    whole = ratings(card=np.where(np.arange(200) % 2, "a", "b"), wave=np.repeat([1.0, 2], 100))
    found = result(whole.where("q > 1", card=["a", "b"]))
    again = eval(found.call, {"cx": cx, "survey": whole, "inf": np.inf})
    pd.testing.assert_frame_equal(again.table, found.table)


# ---------------------------------------------------------------------- several segments, effort, labels
def test_crossed_segments_are_their_domains():
    rng = np.random.default_rng(4)
    df = pd.DataFrame({
        "card": rng.choice(["a", "b"], 300), "sex": rng.choice([1.0, 2.0], 300), "wave": rng.integers(1, 4, 300),
        "q": rng.normal(size=300), "w": rng.uniform(1, 2, 300),
    })  # fmt: skip
    survey = Survey.from_frame(df, weight="w", labels={"sex": "Sex of the respondent"})
    result = cx.means(survey, "q", by=["sex", "wave", "card"])
    assert list(result.table.columns[:4]) == ["item", "segment", "wave", "segment_2"]
    assert len(result.table) == 2 * 3 * 2
    for r in result.table.itertuples():
        alone = row(cx.means(survey.where(sex=r.segment, wave=r.wave, card=r.segment_2), "q"))
        np.testing.assert_allclose(
            [r.estimate, r.se, r.base], alone[["estimate", "se", "base"]].astype(float), rtol=1e-12
        )
    assert list(result.shown("en").columns[:4]) == ["Item", "Sex of the respondent", "Wave", "card"]
    assert "segment_2" not in cx.means(survey, "q", by=["card", "wave"]).table


def test_empty_and_small_crossed_cells_keep_their_keys():
    df = pd.DataFrame({"a": [1.0] * 40 + [2.0] * 5, "b": ["x"] * 45, "q": np.arange(45.0)})
    df.loc[44, "b"] = "y"
    shown = cx.means(Survey.from_frame(df), "q", by=["a", "b"]).shown("en")
    assert shown["a"].tolist() == ["1", "1", "2", "2"]
    assert shown["Estimate"].tolist() == ["19.50", "–", "–", "–"]
    assert shown["Base"].tolist() == ["40", "0", "4", "1"]


def test_effort_takes_its_direction_from_the_codebook():
    effort = Survey.from_frame(pd.DataFrame({"e": [1.0, 2, 2, 3, 7, 6, 1, 4]}))
    hard = replace(effort, codebook=effort.codebook.with_items(Item("e", scale=(1, 7), higher_is_better=False)))
    easy = replace(effort, codebook=effort.codebook.with_items(Item("e", scale=(1, 7))))
    assert row(cx.ces(hard, "e"))["estimate"] == row(cx.ces(easy, "e"))["estimate"] == 3.25
    assert row(cx.ces(hard, "e", top=2))["estimate"] == 4 / 8
    assert row(cx.ces(easy, "e", top=2))["estimate"] == 2 / 8
    assert cx.ces(hard, "e").notes[-1]["en"] == "e runs from 1 to 7; 1 is the least effort."
    assert cx.ces(easy, "e").notes[-1]["zh"] == "“e”的量表为 1 至 7，7 表示最不费力。"
    assert cx.ces(hard, "e", top=2, by=None).call == "cx.ces(survey, 'e', top=2)"
    assert cx.ces(hard, "e").shown("en").loc[0, "Item"] == "Customer effort score"


def test_codes_of_the_topline_have_the_labels_of_their_own_item():
    df = pd.DataFrame({"card": pd.Categorical(["gold", "plain"] * 30), "sex": pd.Categorical(["f", "m"] * 30)})
    assert cx.frequencies(Survey.from_frame(df), ["card", "sex"]).shown("en")["Answer"].tolist() == [
        "gold", "plain", "f", "m",
    ]  # fmt: skip


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.means(s, "card"), "'card' holds text, numbers are needed."),
        (lambda s: cx.means(s, ["q", "qq"]), "items names 1 column that is not in the survey: 'qq' (did you mean 'q'?)."),
        (lambda s: cx.means(s, "q", by="crad"),
         "by names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."),
        (lambda s: cx.means(s, []), "items is empty; name at least one column."),
        (lambda s: cx.means(s, "q", level=95), "level is 95; a confidence level lies between .5 and 1, usually .95."),
        (lambda s: cx.means(s, "q", by=["card", "card"]), "by names 2 columns, 1 of them different; name each once."),
        (lambda s: cx.means(s.with_columns(v=np.arange(201) % 101, u=np.arange(201) % 20), "q", by=["v", "u"]),
         "by: 'v', 'u' crossed have 2,020 groups or more; up to 2,000 can be shown: name fewer columns, "
         "or choose waves with survey.where."),
        (lambda s: cx.ces(s), "ces needs the role 'effort', which the survey does not declare; declare outcomes: "
         "effort in study.yml, or pass item=."),
        (lambda s: cx.means(s, "q", by="w"), "by: 'w' has 201 groups among the respondents; up to 200 can be shown: "
         "band them in study.yml (recoded), or choose some with survey.where."),
        (lambda s: cx.nps(s), "nps needs the role 'recommend', which the survey does not declare; declare outcomes: "
         "recommend in study.yml, or pass item=."),
        (lambda s: cx.csat(s), "csat needs the role 'satisfaction', which the survey does not declare; declare outcomes: "
         "satisfaction in study.yml, or pass item=."),
        (lambda s: cx.nps(s, "w"), "item 'w' runs 0.3–3; NPS is defined on 0–10 (promoters 9–10, detractors 0–6). "
         "Use cx.means, or cx.csat with top=2."),
        (lambda s: cx.index(s, "w"),
         "items: the scale of 'w' is not declared, so 0–100 is undefined; declare it in study.yml."),
        (lambda s: cx.proportions(s, "cart"), "item names 1 column that is not in the survey: 'cart' (did you mean 'card'?)."),
    ],
)  # fmt: skip
def test_messages(call, message):
    survey = ratings(count=201, w=np.linspace(0.3, 3, 201))
    with pytest.raises(SurveyError) as error:
        call(survey)
    assert str(error.value) == message


def test_a_numeric_text_column_is_told_from_its_codes():
    survey = ratings()
    survey = replace(survey, codebook=survey.codebook.with_items(Item("card", values={1.0: {"en": "all"}})))
    with pytest.raises(SurveyError) as error:
        cx.means(survey, "card")
    assert str(error.value) == (
        "'card' holds text, numbers are needed; its codebook has the numeric codes 1 (all): "
        "map the texts to them with survey.with_columns."
    )
