"""Raking: against R, exact margins, variances that know of it, trimming, groups, the report, faulty margins."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_survey import CASES, CLOSED_FORM, DESIGN, MARGINS, TWO, frame, survey_of, unequal

import cxlab as cx
from cxlab.design import kish_base, resolve, weighted_means
from cxlab.errors import DataWarning, SurveyError
from cxlab.items import Item
from cxlab.raking import RESIDUALS
from cxlab.replicates import replicate_weights
from cxlab.significance import chi_square
from cxlab.survey import Survey

SHARES = {"sex": {"f": 0.4, "m": 0.6}, "age": {1: 0.5, 2: 0.2, 3: 0.3}}


def simulated(**parts: str) -> Survey:
    return Survey.from_frame(frame(), **(parts or DESIGN))


def share(survey: Survey, column: str, code: object) -> float:
    return float(
        survey.weights[(survey.data[column] == code).to_numpy() & survey.domain].sum()
        / survey.weights[survey.domain].sum()
    )


# ---------------------------------------------------------------------- against R
def test_rake():
    raked = cx.rake(survey_of("dstrat"), MARGINS, residuals="equal")
    np.testing.assert_allclose(raked.weights, CASES["rake_dstrat.weights"]["weights"], rtol=CLOSED_FORM)
    whole, parts = cx.means(raked, "api00").table, cx.means(raked, "api00", by="stype").table
    for table, case in ((whole, "rake_dstrat.mean_api00"), (parts, "rake_dstrat.by_stype")):
        np.testing.assert_allclose(table["estimate"], CASES[case]["estimate"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(table["se"], CASES[case]["se"], rtol=CLOSED_FORM)


def test_rake_with_rs_default_stop():
    survey = survey_of("dstrat")
    raked = cx.rake(survey, MARGINS, tolerance=1 / survey.weights.sum())  # R: epsilon = 1 respondent of the population
    np.testing.assert_allclose(raked.weights, CASES["rake_default_dstrat.weights"]["weights"], rtol=CLOSED_FORM)
    assert raked.design.raked.passes == 3


AS_IN_R = {
    "rake": lambda: cx.rake(unequal(), TWO, residuals="equal"),
    "calibrate": lambda: cx.rake(unequal(), TWO, residuals="start"),
    "postStratify": lambda: cx.rake(unequal(), {"a": TWO["a"]}),
}


@pytest.mark.filterwarnings("ignore:raking")
@pytest.mark.parametrize("function", AS_IN_R)
def test_rs_three_answers(function):
    raked = AS_IN_R[function]()
    for case, result in (
        ("mean", cx.means(raked, "q")), ("by", cx.means(raked, "q", by="b")), ("total", cx.totals(raked, "q")),
        ("glm", cx.linear(raked, "q", ["b"])),
    ):  # fmt: skip
        expected = CASES[f"{function}.{case}"]
        np.testing.assert_allclose(result.table["estimate"], expected["estimate"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(result.table["se"], expected["se"], rtol=CLOSED_FORM)
    found, expected = chi_square(raked, "s", "b"), CASES[f"{function}.chisq"]
    np.testing.assert_allclose(
        [found.statistic, found.df1, found.df2, found.p_value], [*expected["F"], *expected["df"], *expected["p"]],
        rtol=CLOSED_FORM,
    )  # fmt: skip


def test_weighted_residuals_agree_with_replicates_where_rs_do_not():
    """The jackknife rakes every replicate anew: .121; R's calibrate .128, R's rake .279."""
    raked = cx.rake(unequal(), TWO)
    made = replicate_weights(raked, "drop-one")
    sums = made.totals(np.column_stack([raked.values("q"), np.ones(240)]))
    mean = cx.means(raked, "q").table.iloc[0]
    se = made.covariance(sums[:, :1] / sums[:, 1:], np.array([mean["estimate"]]))[0, 0] ** 0.5
    assert mean["se"] == pytest.approx(se, rel=0.03)
    assert CASES["calibrate.mean"]["se"][0] > 1.05 * se
    assert CASES["rake.mean"]["se"][0] > 2 * se


def test_a_share_that_the_margins_fix_has_kishs_effective_base():
    found = cx.proportions(cx.rake(unequal(), TWO), "a").table
    assert (found["se"] < 1e-8).all()
    np.testing.assert_allclose(found["base_effective"], kish_base(cx.rake(unequal(), TWO).weights), rtol=1e-9)
    np.testing.assert_allclose(found[["low", "high"]].to_numpy().T, [found["estimate"]] * 2, atol=2e-5)


def test_post_stratification_is_one_margin():
    raked = cx.rake(survey_of("dstrat"), {"stype": MARGINS["stype"]})
    np.testing.assert_allclose(raked.weights, CASES["poststrat_dstrat.weights"]["weights"], rtol=CLOSED_FORM)


def test_kish():
    report = cx.raking_report(cx.rake(survey_of("dstrat"), MARGINS))
    np.testing.assert_allclose(report.base.effective, CASES["kish_dstrat"]["neff"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(200 / report.base.effective, CASES["kish_dstrat"]["deff"], rtol=CLOSED_FORM)
    assert [n["en"] for n in report.notes][1] == (
        "Kish's effective base 168.6 before and 168.6 after raking, of 200 respondents (design effect of the weights 1.19)."
    )


# ---------------------------------------------------------------------- properties
@given(seed=st.integers(0, 100), scale=st.floats(1e-4, 1e4))
@settings(max_examples=15, deadline=None)
def test_margins_are_met_exactly_and_the_scale_of_the_weights_does_not_matter(seed, scale):
    df = frame(seed)
    one, other = (cx.rake(Survey.from_frame(df.assign(w=k * df["w"]), **DESIGN), SHARES) for k in (1, scale))
    for column, margin in SHARES.items():
        for code, target in margin.items():
            assert share(one, column, code) == pytest.approx(target, rel=1e-9)
    np.testing.assert_allclose(other.weights, scale * one.weights, rtol=1e-9)
    assert one.weights.sum() == pytest.approx(df["w"].sum(), rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        np.testing.assert_allclose(cx.means(other, "q").table["se"], cx.means(one, "q").table["se"], rtol=1e-9)


def test_a_category_raked_to_is_known_without_error():
    raked = cx.rake(simulated(), SHARES)
    found = cx.proportions(raked, "age").table
    np.testing.assert_allclose(found["estimate"], [0.5, 0.2, 0.3], rtol=1e-9)
    np.testing.assert_allclose(found["se"], 0, atol=1e-8)
    assert (cx.proportions(simulated(), "age").table["se"] > 0.01).all()


def test_what_the_margins_explain_leaves_the_standard_error():
    df = frame().assign(q=lambda d: 5 * (d["sex"] == "f") + 2 * d["age"] + 0.1 * d["q"])
    survey = Survey.from_frame(df, **DESIGN)
    plain, raked = cx.means(survey, "q").table["se"][0], cx.means(cx.rake(survey, SHARES), "q").table["se"][0]
    assert raked < 0.2 * plain
    fixed = Survey.from_frame(df.assign(v=cx.rake(survey, SHARES).weights), **{**DESIGN, "weight": "v"})
    assert cx.means(fixed, "q").table["se"][0] > 4 * raked  # a weight that is handed over counts as fixed
    assert "weights count as fixed" in cx.means(fixed, "q").notes[0]["en"]
    assert cx.means(cx.rake(survey, SHARES), "q").notes[0]["en"] == (
        "Design-based: weight (weight_raked), stratum (s), psu (c), fpc (n); weights raked to sex, age, which the intervals allow for."
    )


def test_replicates_that_are_raked_anew_agree_with_taylor():
    survey = Survey.from_frame(
        frame(4, 2400).assign(c=np.arange(2400), q=lambda d: d["q"] + 2 * (d["sex"] == "f") * d["age"]),
        weight="w",
        stratum="s",
    )
    raked = cx.rake(survey, SHARES)
    found = cx.means(raked, "q").table.iloc[0]
    for method, tolerance in (("drop-one", 0.02), ("bootstrap", 0.06)):
        made = replicate_weights(raked, method, replicates=2000)
        sums = made.totals(np.column_stack([raked.values("q"), np.ones(2400)]))
        se = made.covariance(sums[:, :1] / sums[:, 1:], np.array([found["estimate"]]))[0, 0] ** 0.5
        assert se == pytest.approx(found["se"], rel=tolerance)
        assert se < 0.9 * cx.means(survey, "q").table["se"][0]


def steep() -> Survey:
    """Unequal strata whose slopes on a margin have opposite signs."""
    rng = np.random.default_rng(5)
    s = np.repeat([0, 1], 300)
    a = (rng.random(600) < np.where(s == 1, 0.3, 0.6)).astype(float)
    b = (rng.random(600) < 0.5).astype(float)
    q = rng.normal(size=600) + np.where(s == 1, 3 * a, -3 * a) + b
    return Survey.from_frame(
        pd.DataFrame({"q": q, "a": a, "b": b, "s": s, "w": np.where(s == 1, 9.0, 1.0)}), weight="w", stratum="s"
    )


def test_where_rs_residuals_mislead_a_warning_says_so():
    """R takes unweighted means of categories; the bootstrap sides with the weighted ones."""
    margins = {"a": {0: 0.67, 1: 0.33}, "b": {0: 0.5, 1: 0.5}}
    equal, weighted = cx.rake(steep(), margins, residuals="equal"), cx.rake(steep(), margins)
    with pytest.warns(DataWarning) as caught:
        loud = cx.means(equal, "q").table["se"][0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet = cx.means(weighted, "q").table["se"][0]
    assert str(caught[0].message) == (
        f'raking: for 1 of 1 estimates the standard error with residuals="equal" (R\'s) differs from that with weighted ones, '
        f'up to {loud / quiet:.2f} times; use residuals="weighted", cx.rake\'s default.'
    )
    assert loud > 1.5 * quiet
    made = replicate_weights(weighted, "bootstrap", replicates=2000)
    sums = made.totals(np.column_stack([weighted.values("q"), np.ones(600)]))
    se = np.std(sums[:, 0] / sums[:, 1])
    assert quiet == pytest.approx(se, rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("margins", "honest", "start", "equal"),
    [
        ({"a": {0: 0.67, 1: 0.33}, "b": {0: 0.5, 1: 0.5}}, (0.88, 1.14), (0.88, 1.14), 2.8),
        ({"a": {0: 0.45, 1: 0.55}, "b": {0: 0.3, 1: 0.7}}, (0.88, 1.14), (1.08, 1.30), 4.8),
    ],
)
def test_variances_over_many_surveys(margins, honest, start, equal):
    """Mean variance over the variance of 1,500 estimates; its own Monte Carlo error is √(2 / 1,500) = 3.7 %."""
    rng, found, estimates = np.random.default_rng(1), {k: [] for k in RESIDUALS}, []
    for _ in range(1500):
        s = np.repeat([0, 1], 200)
        a = (rng.random(400) < np.where(s == 1, 0.3, 0.6)).astype(float)
        b = (rng.random(400) < 0.5).astype(float)
        q = rng.normal(size=400) + np.where(s == 1, 3 * a, -3 * a) + b * (1 + a)
        df = pd.DataFrame({"q": q, "a": a, "b": b, "s": s, "w": np.where(s == 1, 9.0, 1.0)})
        raked = cx.rake(Survey.from_frame(df, weight="w", stratum="s"), margins)
        for kind in RESIDUALS:
            design = replace(raked.design, raked=replace(raked.design.raked, residuals=kind))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                estimate = weighted_means(resolve(replace(raked, design=design)), q[:, None])
            found[kind].append(estimate.covariance[0, 0])
        estimates.append(estimate.estimate[0])
    ratio = {k: np.mean(v) / np.var(estimates) for k, v in found.items()}
    assert honest[0] < ratio["weighted"] < honest[1]
    assert start[0] < ratio["start"] < start[1]
    assert ratio["equal"] > equal


def test_key_drivers_rake_their_replicates():
    rng = np.random.default_rng(0)
    df = frame().assign(y=lambda d: d["x"] + d["q"] + rng.normal(size=240))
    raked = cx.rake(Survey.from_frame(df, **DESIGN), SHARES)
    design, rows = resolve(raked), np.arange(0, 240, 3)
    (block, piece), *_ = design.bootstrap(50, 1, rows)
    whole, everywhere = next(design.bootstrap(50, 1, np.arange(240)))
    np.testing.assert_allclose(block[:, piece], whole[:, everywhere[rows]])
    weights = whole[:, everywhere] * raked.weights
    np.testing.assert_allclose(
        weights[:, (df["sex"] == "f").to_numpy()].sum(axis=1) / weights.sum(axis=1), 0.4, rtol=1e-6
    )
    assert cx.key_drivers(raked, "y", ["x", "q"], replicates=100).table["importance"].between(0, 1).all()


# ---------------------------------------------------------------------- trimming, groups, domains
def test_trimming_keeps_bounds_and_margins():
    survey = simulated(weight="w")
    free, kept = cx.rake(survey, SHARES), cx.rake(survey, SHARES, trim=(0.35, 2.0))
    relative = lambda s: s.weights / s.weights.mean()  # noqa: E731
    assert relative(free).max() > 2.4
    assert relative(kept).max() <= 2.0 * (1 + 1e-4)
    assert relative(kept).min() >= 0.35 * (1 - 1e-4)
    for column, margin in SHARES.items():
        for code, target in margin.items():
            assert share(kept, column, code) == pytest.approx(target, rel=1e-9)
    assert kish_base(kept.weights) > kish_base(free.weights)
    report = cx.raking_report(kept)
    assert [n["en"] for n in report.notes][3] == "Weights were kept between 0.35 and 2 times their mean."


def test_each_wave_is_raked_to_the_same_margins():
    df = frame().assign(wave=np.tile([1.0, 2.0], 120))
    raked = cx.rake(Survey.from_frame(df, **DESIGN), SHARES, by="wave")
    start = df["w"].groupby(df["wave"]).sum()
    for wave in (1, 2):
        part = raked.where(wave=wave)
        assert share(part, "sex", "f") == pytest.approx(0.4, rel=1e-9)
        assert part.weights[part.domain].sum() == pytest.approx(start[wave], rel=1e-12)
    np.testing.assert_allclose(cx.proportions(raked, "sex", by="wave").table["se"], 0, atol=1e-8)
    report = cx.raking_report(raked).table
    assert report.groupby("group")["base"].sum().tolist() == [240, 240]
    assert report["group"].unique().tolist() == [1, 2]


def test_respondents_outside_the_domain_keep_their_weight():
    survey = simulated()
    raked = cx.rake(survey.where(sex="f"), {"age": SHARES["age"]})
    outside = (survey.data["sex"] == "m").to_numpy()
    np.testing.assert_array_equal(raked.weights[outside], survey.weights[outside])
    assert share(raked, "age", 1) == pytest.approx(0.5, rel=1e-9)
    np.testing.assert_allclose(cx.proportions(raked, "age").table["se"], 0, atol=1e-8)
    whole = raked.where()
    assert (cx.proportions(Survey(whole.data, whole.codebook, design=whole.design), "age").table["se"] > 0.005).all()


def test_shares_and_counts():
    survey = simulated()
    counts = cx.rake(survey, {"sex": {"f": 400, "m": 600}, "age": SHARES["age"]})
    assert counts.weights.sum() == pytest.approx(1000, rel=1e-9)
    np.testing.assert_allclose(counts.weights / 1000, cx.rake(survey, SHARES).weights / survey.weights.sum(), rtol=1e-8)


def test_labels_of_any_language_name_categories():
    survey = simulated()
    labels = {1.0: {"en": "Young", "zh": "青年"}, 2.0: {"en": "Middle", "zh": "中年"}, 3.0: {"en": "Old", "zh": "老年"}}
    survey = Survey(survey.data, survey.codebook.with_items(Item("age", {"en": "Age"}, labels)), design=survey.design)
    raked = cx.rake(survey, {"age": {"Young": 0.5, "中年": 0.2, 3: 0.3}})
    assert share(raked, "age", 2) == pytest.approx(0.2, rel=1e-9)
    report = cx.raking_report(raked)
    assert report.shown("zh")["选项"].tolist() == ["青年", "中年", "老年"]
    np.testing.assert_allclose(report.table["estimate"], report.table["target"], rtol=1e-9)
    np.testing.assert_allclose(report.table["unweighted"], [(survey.data["age"] == k).mean() for k in (1, 2, 3)])


def test_respondents_of_weight_zero_are_not_asked_for():
    df = frame()
    df.loc[:9, ["w", "age"]] = 0.0, np.nan
    raked = cx.rake(Survey.from_frame(df, weight="w"), SHARES)
    assert (raked.weights[:10] == 0).all()
    assert cx.means(raked, "q").table["base"].tolist() == [230]


# ---------------------------------------------------------------------- bad input
def said(survey: Survey, margins, **more) -> str:
    with pytest.raises(SurveyError) as error:
        cx.rake(survey, margins, **more)
    return str(error.value)


def test_a_category_that_no_respondent_has():
    survey = simulated()
    labels = {1.0: {"en": "Young"}, 2.0: {"en": "Middle"}, 3.0: {"en": "Old"}, 4.0: {"en": "Oldest"}}
    survey = Survey(survey.data, survey.codebook.with_items(Item("age", {}, labels)), design=survey.design)
    assert said(survey, {"age": {1: 0.5, 2: 0.2, 3: 0.2, "Oldest": 0.1}}) == (
        "margins: no respondent is in 1 of 4 categories of 'age': 'Oldest' (code 4); merge them with similar ones, in the data "
        "(recoded) and in the margins."
    )
    females = survey.where("sex == 'm' or age == 1")
    assert said(females, {"age": {1: 0.5, 2: 0.2, 3: 0.3}}, by="sex") == (
        "margins: no respondent in group 1 of 2 is in 2 of 3 categories of 'age': 'Middle' (code 2), 'Old' (code 3); merge them "
        "with similar ones, in the data (recoded) and in the margins."
    )


def test_an_unknown_category():
    assert (
        said(simulated(), {"sex": {"ff": 0.5, "m": 0.5}}) == "sex has no value 'ff' (did you mean 'f'?); it has: f, m."
    )


def test_respondents_without_a_target():
    count = int((frame()["age"] > 1).sum())
    assert said(simulated(), {"age": {1: 1.0}}) == (
        f"margins: {count} respondents are in 2 categories of 'age' without a target: '2', '3'; give each a target, or leave them "
        "out with survey.where."
    )


def test_respondents_with_a_missing_answer():
    df = frame()
    df.loc[[0, 3], "age"] = np.nan
    lost = df["w"][[0, 3]].sum() / df["w"].sum()
    assert said(Survey.from_frame(df, **DESIGN), SHARES) == (
        f"margins: 'age' is missing for 2 of 240 respondents ({lost:.1%} of the weight); fill it in, give them a category of their "
        "own with a target, or leave them out with survey.where."
    )


@pytest.mark.parametrize(
    ("margins", "more", "words"),
    [
        ({}, {}, 'margins is empty; name at least one column, e.g. {"gender": {"female": 0.52, "male": 0.48}}.'),
        ({"sx": {"f": 1}}, {}, "margins names 1 column that is not in the survey: 'sx' (did you mean 'sex'?)."),
        ({"sex": {"f": 0.5, "m": 0.4}}, {}, "margins: the shares of 1 of 1 margins do not sum to 1: 'sex' to 0.9; correct them."),
        (
            {"sex": {"f": 500, "m": 500}, "age": {1: 500, 2: 300, 3: 300}}, {},
            "margins: the counts of 2 margins have different sums: 'sex' to 1,000, 'age' to 1,100; give shares, or correct them.",
        ),
        (
            {"sex": {"f": 1.0, "m": 0}}, {},
            "margins: 'sex' gives 'm' the target 0; a target is a share or a count above 0 (leave respondents out with survey.where).",
        ),
        ({"sex": {}}, {}, "margins: 'sex' has no categories; name each with its share or count."),
        (SHARES, {"trim": 0.5}, "trim is 0.5; bounds are multiples of the mean weight, low under 1 and high over 1, e.g. 5 or (0.2, 5)."),
        (SHARES, {"name": "w"}, "name 'w' is a column already; choose another one for the raked weights."),
        (SHARES, {"residuals": "equa"}, "residuals is 'equa'; allowed: 'weighted', 'start', 'equal' (did you mean 'equal'?)."),
        (
            SHARES, {"max_passes": 1},
            "margins: the weights do not settle within 1 passes (cells still change by {} of the total): the margins may contradict "
            "each other in this sample; merge small categories, or raise max_passes.",
        ),
    ],
)  # fmt: skip
def test_faulty_margins(margins, more, words):
    head, _, tail = words.partition("{} of")
    found = said(simulated(), margins, **more)
    assert found == words if not tail else found.startswith(head) and found.endswith(tail)


def test_bounds_that_the_margins_do_not_allow():
    words = said(simulated(weight="w"), {"age": {1: 0.9, 2: 0.05, 3: 0.05}}, trim=(0.9, 1.1))
    assert words.startswith(
        "trim (0.9, 1.1) cannot be kept together with the margins: after 300 rounds weights still run from "
    )
    assert words.endswith(" times their mean; widen the bounds, or merge small categories.")


def test_a_survey_is_raked_once():
    raked = cx.rake(simulated(), SHARES)
    assert said(raked, SHARES, name="again") == (
        "survey was raked already, to sex, age; rake the survey with its start weight once, to all margins together."
    )
    with pytest.raises(SurveyError, match=r"^survey was not raked; call cx\.rake\(survey, margins\) first\.$"):
        cx.raking_report(simulated())
