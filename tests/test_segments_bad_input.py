"""What faulty input gets from metrics, banners, comparisons, scans, regression and the design: one test per fault."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import DataCheckError, SmallBaseWarning, SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

CARDS = {1.0: {"en": "ordinary", "zh": "普卡"}, 2.0: {"en": "gold", "zh": "金卡"}, 3.0: {"en": "diamond", "zh": "钻卡"}}


def survey(*, items: tuple[Item, ...] = (), **columns) -> Survey:
    """400 customers, four strata of ten PSUs."""
    rng = np.random.default_rng(3)
    df = pd.DataFrame({
        "card": np.tile([1.0, 2, 3, 1], 100), "q": rng.integers(0, 11, 400).astype(float),
        "recommend": rng.integers(0, 11, 400).astype(float), "w": rng.uniform(0.5, 2, 400),
        "s": np.repeat(np.arange(4), 100), "c": np.arange(400) // 10,
    }).assign(**columns)  # fmt: skip
    made = Survey.from_frame(df, weight="w", stratum="s", psu="c")
    known = (Item("q", scale=(0, 10)), Item("recommend", scale=(0, 10)), Item("card", {"en": "Card"}, CARDS), *items)
    return replace(made, codebook=made.codebook.with_items(*known))


METRICS = {
    "means": lambda s, by, item: cx.means(s, item, by=by),
    "csat": lambda s, by, item: cx.csat(s, item, by=by),
    "ces": lambda s, by, item: cx.ces(s, item, by=by),
    "index": lambda s, by, item: cx.index(s, item, by=by),
    "nps": lambda s, by, item: cx.nps(s, item, by=by),
}
SHARES = {"proportions": lambda s, by, item: cx.proportions(s, item, by=by)}
TOTALS = {
    "totals": lambda s, by, item: cx.totals(s, item, by=by),
    "ratios": lambda s, by, item: cx.ratios(s, item, "w", by=by),
    "quantiles": lambda s, by, item: cx.quantiles(s, item, by=by),
}
COMPARED = {
    "compare_segments": lambda s, by, item: cx.compare_segments(s, by, item),
    "hidden_crisis": lambda s, by, item: cx.hidden_crisis(s, by, [item]),
    "detectable": lambda s, by, item: cx.detectable(s, item, by=by),
    "against_rest": lambda s, by, item: cx.against_rest(s, [item], by),
    "linear": lambda s, by, item: cx.linear(s, item, [by], factors=[by]),
}
BANNER = {"banner": lambda s, by, item: cx.banner(s, item, by)}
EVERY = {**METRICS, **SHARES, **TOTALS, **COMPARED, **BANNER}


def said(function: str, made: Survey, by: str = "card", item: str = "q") -> str:
    with pytest.raises(SurveyError) as error:
        EVERY[function](made, by, item)
    return str(error.value)


# ---------------------------------------------------------------------- segments
@pytest.mark.parametrize("function", EVERY)
def test_an_unknown_segment(function):
    argument = {"banner": "columns", "linear": "terms"}.get(function, "by")
    assert said(function, survey(), "crad") == (
        f"{argument} names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."
    )


@pytest.mark.parametrize("function", COMPARED)
def test_a_segment_with_one_category_cannot_be_compared(function):
    ends = {"hidden_crisis": "a scan needs two.", "linear": None}.get(function, "a comparison needs two.")
    expected = f"by: 'card' has 1 group among the respondents; {ends}"
    if function == "linear":
        expected = "terms: factor 'card' has 1 category in the 400 complete rows; a comparison needs two."
    assert said(function, survey(card=2.0)) == expected


@pytest.mark.parametrize("function", [*METRICS, *SHARES, *TOTALS])
def test_a_segment_with_one_category_is_everybody(function):
    made = survey(card=2.0)
    parts, whole = EVERY[function](made, "card", "q").table, EVERY[function](made, None, "q").table
    assert parts["segment"].unique().tolist() == [2.0]
    pd.testing.assert_frame_equal(parts.drop(columns="segment"), whole)


def test_a_banner_of_one_group_has_nobody_to_compare_it_with():
    table = cx.banner(survey(card=2.0), "q", "card").table
    alone = table[table["segment"] == "card=2"]
    assert alone["letters"].unique().tolist() == [""]
    assert alone["arrow"].unique().tolist() == [""]
    assert alone["p_value"].isna().all()


@pytest.mark.parametrize("function", EVERY)
def test_four_hundred_categories(function):
    shown = (
        "by: 'card' has 400 groups among the respondents; up to 200 can be shown: band them in study.yml (recoded), or choose "
        "some with survey.where."
    )
    expected = {
        "banner": "columns: 'card' has 400 groups among the 400 respondents; up to 200 make a banner: band it in study.yml (recoded).",
        "compare_segments": "by: 'card' has 400 groups among the respondents, which makes 79,800 pairs per item; up to 60 groups are "
        "compared: band them in study.yml (recoded), or choose some with survey.where.",
        "linear": "terms: factor 'card' has 400 categories; up to 60 can be compared: band it in study.yml (recoded).",
    }
    assert said(function, survey(card=np.arange(400.0))) == expected.get(function, shown)


@pytest.mark.parametrize("function", EVERY)
def test_a_segment_that_is_missing_for_everybody(function):
    expected = {
        "banner": "columns: 'card' is missing for all 400 respondents; name another column.",
        "compare_segments": "by: 'card' has 0 groups among the respondents; a comparison needs two.",
    }
    if function != "linear":  # there it is a missing answer
        alone = "by: 'card' is missing for all 400 respondents; name another column."
        assert said(function, survey(card=np.nan)) == expected.get(function, alone)


@pytest.mark.parametrize("function", [*METRICS, *SHARES, "banner", "compare_segments", "against_rest"])
def test_a_segment_of_numbers_and_texts(function):
    mixed = np.array([2.0, "b", 1.0, "a"] * 100, dtype=object)
    table = EVERY[function](survey(card=mixed), "card", "q").table
    seen = list(dict.fromkeys(table["segment"]))
    expected = {"banner": ["total", "card=1", "card=2", "card=a", "card=b"], "compare_segments": [2.0, "a", "b"]}
    assert seen == expected.get(function, [1.0, 2.0, "a", "b"])


# ---------------------------------------------------------------------- items
@pytest.mark.parametrize("function", [f for f in EVERY if f != "banner"])
def test_an_item_without_answers(function):
    named = {"nps": "'nps'", "csat": "'csat'", "ces": "'ces'"}.get(function, "'q'")
    argument = {"detectable": "metric", "against_rest": "metrics"}.get(function, "items")
    expected = f"{argument}: 1 of 1 have no answer among 400 respondents: {named}; leave them out, or widen the filter."
    other = {
        "proportions": "item 'q' has no answer among 400 respondents; leave it out, or widen the filter.",
        "totals": "'q' has no answer among 400 respondents; widen the filter, or leave it out.",
        "compare_segments": "items: 1 of 1 have no answer among 400 respondents: 'q'; leave them out.",
        "hidden_crisis": "items: 1 of 1 have no answers among the 400 respondents: 'q'; leave them out.",
        "linear": "outcome 'q' has no answer among 400 respondents; widen the filter, or name another one.",
    }
    other |= dict.fromkeys(("ratios", "quantiles"), other["totals"])
    assert said(function, survey(q=np.nan)) == other.get(function, expected)


def test_a_banner_row_without_answers_is_dashes_with_a_warning():
    """A monthly banner must not fail because one question was not asked."""
    with pytest.warns(SmallBaseWarning) as caught:
        found = cx.banner(survey(q=np.nan), ["q", "recommend"], "card")
    lines = found.table[found.table["item"] == "q"]
    assert (
        str(caught[0].message)
        == f"{len(lines)} of {len(found.table)} cells have an effective base under 30 and are not shown."
    )
    assert lines["base"].unique().tolist() == [0]
    wide = found.wide("en")
    assert set(wide.loc["q"].iloc[3:].to_numpy().ravel()) == {"–"}


def test_one_group_without_answers_keeps_its_row():
    made = survey(q=np.where(np.arange(400) % 4 == 2, np.nan, np.arange(400) % 11))
    table = cx.means(made, "q", by="card").table
    assert table["base"].tolist() == [200, 100, 0]
    assert table.loc[2, ["estimate", "se", "low", "high"]].isna().all()
    assert table["reliability"].tolist()[2] == "suppressed"


def test_one_answer_has_no_error():
    q = np.full(400, np.nan)
    q[[0, 4, 8, 1]] = [3, 5, 9, 7]
    row = cx.means(survey(q=q), "q", by="card").table.iloc[1]
    assert (row["estimate"], row["base"]) == (7.0, 1)
    assert row[["se", "low", "high"]].isna().all()


@pytest.mark.parametrize("function", [f for f in EVERY if f not in ("proportions", "banner", "compare_segments")])
def test_a_text_column_where_numbers_are_needed(function):
    made = survey(town=np.tile(["east", "west"], 200))
    assert said(function, made, item="town") == "'town' holds text, numbers are needed."


@pytest.mark.parametrize("function", ["proportions", "banner", "compare_segments"])
def test_texts_without_codes_are_counted(function):
    made = survey(town=np.tile(["east", "west"], 200))
    assert "east" in EVERY[function](made, "card", "town").table["code"].tolist()


@pytest.mark.parametrize("function", EVERY)
def test_a_text_column_is_offered_the_codes_of_the_codebook(function):
    """Shares too are refused: the codes 1 and 2 would have 0 % beside texts of the same wording."""
    values = {1.0: {"en": "bad", "zh": "差"}, 2.0: {"en": "good", "zh": "好"}}
    made = survey(q=np.tile(["good", "bad"], 200), items=(Item("q", {"en": "Queue"}, values, scale=(1, 2)),))
    assert said(function, made) == (
        "'q' holds text, numbers are needed; its codebook has the numeric codes 1 (bad), 2 (good): map the texts to them with "
        "survey.with_columns."
    )
    codes = made.data["q"].map({"bad": 1.0, "good": 2.0})
    repaired = made.with_columns(q=codes)
    assert set(cx.proportions(repaired, "q").shown("en")["Answer"]) == {"bad", "good"}


# ---------------------------------------------------------------------- weights
def test_weights_that_are_all_zero():
    with pytest.raises(DataCheckError, match=r"^weight 'w' is zero in all 400 rows\.$"):
        survey(w=0.0)


@pytest.mark.parametrize("function", EVERY)
def test_a_filter_that_leaves_only_weight_zero(function):
    made = survey(w=np.tile([1.0, 1, 0, 1], 100)).where(card=3)
    with pytest.raises(SurveyError):
        EVERY[function](made, "card", "q")


@pytest.mark.parametrize("function", [*METRICS, *SHARES, *TOTALS, "compare_segments", "banner"])
def test_weight_zero_keeps_a_row_and_does_not_count_it(function):
    zero = survey(w=np.tile([1.0, 2.0, 0.0, 1.0], 100))
    table = EVERY[function](zero, "card", "q").table
    gold = zero.where(card=[1, 2])
    alone = EVERY[function](gold, "card", "q").table
    columns = [c for c in ("estimate", "se", "low", "high", "base", "base_effective") if c in alone]
    key = [c for c in ("item", "statistic", "code", "probability", "segment", "other") if c in alone]
    both = table.merge(alone, on=key, suffixes=("", "_alone"))
    assert len(both) == len(alone)
    for c in columns:
        np.testing.assert_allclose(both[c].astype(float), both[f"{c}_alone"].astype(float), rtol=1e-9)


def test_the_topline_counts_whom_the_base_counts():
    table = cx.frequencies(survey(w=np.tile([1.0, 2.0, 0.0, 1.0], 100)), ["q"]).table
    assert table["count"].sum() == table["base"].iloc[0] == 300


@pytest.mark.parametrize("function", EVERY)
def test_weights_that_sum_to_the_population(function):
    """250,000 instead of 400: totals and weighted bases grow, nothing else moves."""
    small = survey()
    factor = 250_000 / small.weights.sum()
    large = small.with_columns(w=factor * small.data["w"], ratio=small.data["w"])
    if function == "ratios":
        one, other = (cx.ratios(s, "q", "recommend", by="card").table for s in (small, large))
    else:
        one, other = (EVERY[function](s, "card", "q").table for s in (small, large))
    times = {c: factor if function == "totals" and c not in ("base", "base_effective") else 1.0 for c in one.columns}
    times |= {"base_weighted": factor}
    for c in one.columns:
        if pd.api.types.is_float_dtype(one[c]) and c not in ("segment", "other", "probability"):
            np.testing.assert_allclose(other[c], times.get(c, 1.0) * one[c], rtol=1e-8, atol=1e-12, err_msg=c)
    pd.testing.assert_series_equal(one["base"], other["base"])


# ---------------------------------------------------------------------- the design
@pytest.mark.parametrize("function", EVERY)
def test_a_psu_nested_in_two_strata(function):
    made = survey(c=np.where(np.isin(np.arange(400), (0, 399)), 7, np.arange(400) // 10))
    assert said(function, made) == (
        "psu 'c' has 1 of 40 PSUs in more than one stratum ('s'), e.g. '7'; a PSU belongs to one stratum: correct the file, or "
        "number the PSUs within strata."
    )
    with pytest.raises(DataCheckError):
        resolve(made)


@pytest.mark.parametrize("function", EVERY)
def test_a_stratum_with_one_psu(function):
    made = survey(c=np.where(np.arange(400) >= 300, 99, np.arange(400) // 10))
    assert said(function, made) == (
        "stratum has 1 of 4 strata with a single PSU ('3'): no variance can be computed there; merge it with a similar stratum in "
        'study.yml, or declare lonely="adjust" or lonely="remove".'
    )
    for lonely in ("adjust", "remove"):
        EVERY[function](replace(made, design=replace(made.design, lonely=lonely)), "card", "q")
