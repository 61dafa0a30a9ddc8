"""Outcomes of key drivers: what is read, fitted, replicated and said of classes of answers and ordered answers."""

import json
import re
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.drivers._outcomes import choose_model, read_outcome
from cxlab.drivers._relative import RelativeWeights
from cxlab.drivers._subsets import Subsets
from cxlab.drivers._tjur import TjurSubsets
from cxlab.errors import SlowWarning, SmallBaseWarning, SurveyError
from cxlab.items import Item
from cxlab.likelihoods import fit, graded, order_weights
from cxlab.regression import logit
from cxlab.survey import Roles, Survey

HERE = Path(__file__).parent
GOLDEN = {c["id"]: np.array(c["value"]) for c in json.loads((HERE / "golden/logit/logit.json").read_text())["cases"]}
DRIVERS = ["meals", "ell", "mobility", "size"]
NAMES = ["a", "b", "c", "d"]


@cache
def schools(file: str) -> Survey:
    """The surveys that make.R was run on."""
    df = pd.read_csv(HERE / "golden/survey" / f"{file}.csv")
    df["y"], df["size"] = (df["sch.wide"] == "Yes").astype(float), df["enroll"] / 100
    df["grade"] = pd.cut(df["api00"], [0, 550, 650, 750, 1000], labels=False) + 1.0
    parts = {"stratum": "stype"} if file == "apistrat" else {"psu": "dnum"}
    return Survey.from_frame(
        df[["y", "grade", "pw", "fpc", *parts.values(), *DRIVERS]], weight="pw", fpc="fpc", **parts
    )


def frame(base: int, seed: int = 0, slopes: tuple[float, ...] = (1.0, 0.6, 0.3, 0.0), cut: float = 0.0) -> pd.DataFrame:
    """Correlated drivers, a yes/no and a four-step answer, weights and strata."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(base, len(slopes))) + 0.7 * rng.normal(size=(base, 1))
    latent = x @ np.array(slopes) + rng.logistic(size=base)
    df = pd.DataFrame(x, columns=NAMES[: len(slopes)])
    df["y"], df["steps"] = (latent > cut).astype(float), np.digitize(latent, [-1.5, 0.5, 2]) + 1.0
    df["w"], df["s"] = rng.choice([0.5, 1.0, 2.0], base), rng.integers(0, 3, base)
    return df


def survey_of(df: pd.DataFrame) -> Survey:
    return Survey.from_frame(df, weight="w", stratum="s")


def points(survey: Survey, outcome: str, drivers=DRIVERS, **more):
    return cx.key_drivers(survey, outcome, drivers, replicates=0, **more)


def by_driver(result, column: str, drivers=DRIVERS) -> np.ndarray:
    return result.table.set_index("driver")[column].loc[drivers].to_numpy(dtype=float)


# ------------------------------------------------------------------------------ reading
def panel() -> Survey:
    df = pd.DataFrame(
        {
            "satisfaction": [10, 9, 8, 3, np.nan, 0], "effort": [1, 2, 3, 7, 6, np.nan], "recommend": [10, 9, 7, 6, 0, np.nan],
            "member": [1, 2, 1, 2, 2, 1], "unscaled": [1, 2, 3, 4, 5, 6.0], "q": [1, 2, 3, 4, 5, 6.0],
        }
    )  # fmt: skip
    plain = Survey.from_frame(df)
    items = (
        Item("satisfaction", {"en": "Satisfaction", "zh": "满意度"}, scale=(0, 10)),
        Item("effort", {"en": "Effort", "zh": "费力度"}, scale=(1, 7), higher_is_better=False),
        Item("recommend", {"en": "Recommendation", "zh": "推荐意愿"}, scale=(0, 10)),
        Item("member", {"en": "Member", "zh": "会员"}, {1.0: {"en": "no", "zh": "否"}, 2.0: {"en": "yes", "zh": "是"}}),
    )
    roles = Roles(outcomes={"recommend": ("recommend",), "overall": ("satisfaction", "effort")})
    return replace(plain, codebook=plain.codebook.with_items(*items), roles=roles)


@pytest.mark.parametrize(
    ("text", "values", "en", "zh"),
    [
        ("satisfaction", [10, 9, 8, 3, np.nan, 0], "Satisfaction", "满意度"),
        ("top2(satisfaction)", [1, 1, 0, 0, np.nan, 0], "Satisfaction (top 2)", "满意度前两档"),
        ("top3( satisfaction )", [1, 1, 1, 0, np.nan, 0], "Satisfaction (top 3)", "满意度前三档"),
        ("top1(satisfaction)", [1, 0, 0, 0, np.nan, 0], "Satisfaction (top box)", "满意度最高档"),
        ("top2(effort)", [1, 1, 0, 0, 0, np.nan], "Effort (top 2)", "费力度前两档"),
        ("promoters(recommend)", [1, 1, 0, 0, 0, np.nan], "Recommendation (promoters)", "推荐者（推荐意愿）"),
        ("detractors(recommend)", [0, 0, 0, 1, 1, np.nan], "Recommendation (detractors)", "贬损者（推荐意愿）"),
        (" satisfaction >= 9", [1, 1, 0, 0, np.nan, 0], "Satisfaction ≥ 9", "满意度 ≥ 9"),
        ("member == 2", [0, 1, 0, 1, 1, 0], "Member = 2", "会员 = 2"),
        ("satisfaction >= 9 or effort > 5", [1, 1, 0, 1, 1, np.nan], *["satisfaction >= 9 or effort > 5"] * 2),
        ("mean(satisfaction, recommend) >= 9", [1, 1, 0, 0, np.nan, np.nan], *["mean(satisfaction, recommend) >= 9"] * 2),
    ],
)  # fmt: skip
def test_outcomes_are_read(text, values, en, zh):
    found = read_outcome(panel(), text)
    np.testing.assert_array_equal(found.values, values)
    assert found.labels == {"en": en, "zh": zh}
    assert found.kind == ("ordinal" if text == "satisfaction" else "binary")


def test_the_event_of_two_codes_is_named():
    assert read_outcome(panel(), "member").event == {"en": "Member = yes", "zh": "会员 = 是"}
    assert read_outcome(panel(), "overall").kind == "continuous"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("satisfacton", "outcome names 1 column that is not in the survey: 'satisfacton' (did you mean 'satisfaction'?)."),
        ("top2(efort)", "outcome names 1 column that is not in the survey: 'efort' (did you mean 'effort'?)."),
        ("satisfacton >= 9", "outcome names 1 column that is not in the survey: 'satisfacton' (did you mean 'satisfaction'?)."),
        ("tpo2(satisfaction)", "outcome 'tpo2(satisfaction)': 'tpo2' is no class of answers (did you mean 'top2'?); there are "
         "top1(...), top2(...), top3(...), promoters(...), detractors(...), nps(...), and conditions such as 'satisfaction >= 9'."),
        ("top2(unscaled)", "outcome 'top2(unscaled)': the scale of 'unscaled' is not declared, so its best answers are unknown; declare "
         "items: unscaled: {scale: [low, high]} in study.yml, or write a condition such as 'unscaled >= 4'."),
        ("top2(overall)", "outcome 'top2(overall)': 'overall' is a role of 2 items; name one of them: satisfaction, effort."),
        ("nps(effort)", "outcome 'nps(effort)': 'effort' runs 1–7; promoters (9–10) and detractors (0–6) are defined on 0–10. Use "
         "'top2(effort)' or a condition."),
        ("promoters(effort)", "outcome 'promoters(effort)': 'effort' runs 1–7; promoters (9–10) and detractors (0–6) are defined on "
         "0–10. Use 'top2(effort)' or a condition."),
        ("mean(satisfaction, effort)", "outcome 'mean(satisfaction, effort)' is a formula and no condition; compare it, as in "
         "'mean(satisfaction, effort) >= 9', or declare it under derived: in study.yml and name it here."),
        ("satisfaction in 9", "'satisfaction in 9'"),
        ("satisfaction = 9", "'satisfaction = 9' cannot be read as an expression: invalid syntax."),
        ("__import__('os').system('true') == 0", "\"__import__('os').system('true') == 0\" uses"),
        (7, "outcome is 7; name a column or role, or write a condition."),
    ],
)  # fmt: skip
def test_outcomes_that_cannot_be_read(text, message):
    if text == "satisfaction in 9":  # one code in place of a list is understood
        assert np.nansum(read_outcome(panel(), text).values) == 1
        return
    with pytest.raises(SurveyError) as error:
        read_outcome(panel(), text)
    assert str(error.value).startswith(message) if message.endswith("uses") else str(error.value) == message


def said(survey: Survey, text: str, model=None) -> tuple[str, list[str]]:
    name, notes = choose_model(survey, read_outcome(survey, text), model)
    return name, [n["en"] for n in notes]


def test_the_model_suits_the_outcome_and_the_notes_say_so():
    survey = panel()
    rng = np.random.default_rng(0)
    many = Survey.from_frame(pd.DataFrame({"five": rng.integers(1, 6, 200), "ten": rng.integers(0, 11, 200),
                                           "high": np.minimum(10, rng.integers(4, 18, 200))}))  # fmt: skip
    assert said(survey, "member") == (
        "logit",
        ["Logit, chosen since the outcome has two values; the event is “Member = yes”. Effects are average marginal effects in "
         "percentage points."],
    )  # fmt: skip
    assert said(survey, "member", "linear") == (
        "linear",
        [
            "Member has two values and is explained by a linear probability model, as asked; left to choose, a logit is used."
        ],
    )
    assert said(many, "ten") == ("linear", [])
    assert said(many, "five") == (
        "linear", ["five has only 5 different answers; a linear model is used, model=\"ordinal\" treats them as ordered classes."],
    )  # fmt: skip
    assert said(many, "five", "ordinal") == ("ordinal", [])
    name, (crowded,) = said(many, "high")
    assert name == "linear"
    assert re.match(
        r"5\d% of the answers to high lie at one end of the scale; a linear model is used, model=\"ordinal\" or a class",
        crowded,
    )
    assert said(survey, "recommend")[1][-1] == (
        "For what drives NPS, nps(recommend) explains the score itself, promoters(recommend) and detractors(recommend) the two classes "
        "by logit; this analysis explains the mean."
    )
    assert said(survey, "overall") == ("linear", [])


def test_nps_is_promoters_less_detractors_in_both_languages():
    df = pd.DataFrame({"recommend": [10.0, 9, 8, 7, 6, 0, np.nan] * 20, "other": [0.0, 10, 5, 5, 5, 5, 5] * 20})
    survey = Survey.from_frame(df)
    items = [replace(survey.codebook[n], scale=(0.0, 10.0)) for n in df]
    survey = replace(survey, codebook=survey.codebook.with_items(*items))
    found = read_outcome(survey, "nps( recommend )")
    np.testing.assert_array_equal(found.values[:7], [100, 100, 0, 0, -100, -100, np.nan])
    np.testing.assert_array_equal(found.values, cx.metrics.score(survey, "nps", item="recommend").values)
    assert found.labels == {"en": "NPS", "zh": "净推荐值"}
    assert (found.kind, found.form, found.answers, found.items) == ("ordinal", "nps", 3, ("recommend",))
    assert read_outcome(survey, "nps(other)").labels == {"en": "NPS (other)", "zh": "净推荐值（other）"}
    extremes = read_outcome(survey.where("recommend >= 9 or recommend <= 6"), "nps(recommend)")
    assert (extremes.kind, extremes.answers) == ("continuous", 2)  # never a yes/no
    name, notes = choose_model(survey, extremes, None)
    assert name == "linear"
    assert [n["en"] for n in notes] == [
        "Each promoter (9–10) counts 100, each passive 0 and each detractor (0–6) −100; their mean is NPS, and a linear model explains it."
    ]
    assert [n["zh"] for n in notes] == [
        "推荐者（9–10 分）记 100，中立者记 0，贬损者（0–6 分）记 −100，其均值即净推荐值（NPS）；此处以线性模型解释该值。"
    ]


@pytest.mark.parametrize(
    ("outcome", "model", "message"),
    [
        ("satisfaction", "logit", "model is 'logit', and outcome 'satisfaction' has 5 different answers; name a class of them, such as "
         "'top2(satisfaction)' or 'satisfaction >= 9', or leave model out."),
        ("overall", "ordinal", "model is 'ordinal', and outcome 'overall' has 6 different answers; it takes 3 to 15 whole numbers: "
         "leave model out."),
        ("member", "probit", "model is 'probit'; allowed: 'linear', 'logit', 'ordinal'."),
    ],
)  # fmt: skip
def test_models_that_do_not_suit(outcome, model, message):
    with pytest.raises(SurveyError) as error:
        points(panel(), outcome, ["q"], model=model)
    assert str(error.value) == message


# ------------------------------------------------------------------------------ reference values
@pytest.mark.parametrize("file", ["apistrat", "apiclus1"])
def test_logit_equals_r(file):
    survey = schools(file)
    found = points(survey, "y")
    assert found.kernel.name == "logit"
    worths = found.kernel._worths
    np.testing.assert_allclose(
        1 - worths.fits.loglik / worths.fits.loglik[0], GOLDEN[f"{file}.mcfadden_by_subset"], atol=1e-11
    )
    np.testing.assert_allclose(by_driver(found, "importance"), GOLDEN[f"{file}.mcfadden"], atol=1e-11)
    np.testing.assert_allclose(
        by_driver(points(survey, "y", method="tjur"), "importance"), GOLDEN[f"{file}.tjur"], rtol=1e-8
    )
    relative = points(survey, "y", method="relative_weights")
    np.testing.assert_allclose(by_driver(relative, "importance"), GOLDEN[f"{file}.relative"], atol=1e-10)
    assert relative.model["r2"].iloc[0] == pytest.approx(GOLDEN[f"{file}.relative_r2"][0], rel=1e-9)


@pytest.mark.parametrize("file", ["apistrat", "apiclus1"])
def test_effects_equal_r_and_the_package_s_own_logit(file):
    survey = schools(file)
    found = cx.key_drivers(survey, "y", DRIVERS, replicates=100)
    own = logit(survey, "y", DRIVERS).table.iloc[1:]
    np.testing.assert_allclose(by_driver(found, "log_odds"), GOLDEN[f"{file}.log_odds"], rtol=1e-8)
    np.testing.assert_allclose(by_driver(found, "log_odds_se"), GOLDEN[f"{file}.log_odds_se"], rtol=1e-7)
    np.testing.assert_allclose(by_driver(found, "log_odds_se"), own["se"].to_numpy(float), rtol=1e-7)
    np.testing.assert_allclose(by_driver(found, "estimate"), GOLDEN[f"{file}.ame"], rtol=1e-7)
    # R's standard error rests on numerical derivatives with a step of 1e-4
    np.testing.assert_allclose(by_driver(found, "se"), GOLDEN[f"{file}.ame_se"], rtol=1e-6)


@pytest.mark.parametrize("file", ["apistrat", "apiclus1"])
def test_ordinal_equals_r(file):
    survey = schools(file)
    found = cx.key_drivers(survey, "grade", DRIVERS, model="ordinal", replicates=100)
    worths = found.kernel._worths
    # polr minimises with optim: its log-likelihoods are good to about 1e-9, its slopes to 1e-5
    np.testing.assert_allclose(
        1 - worths.fits.loglik / worths.fits.loglik[0], GOLDEN[f"{file}.ordinal_by_subset"], atol=1e-8
    )
    np.testing.assert_allclose(by_driver(found, "importance"), GOLDEN[f"{file}.ordinal"], atol=1e-8)
    np.testing.assert_allclose(by_driver(found, "log_odds"), GOLDEN[f"{file}.svyolr"], rtol=1e-4)
    # svyolr's standard errors invert optim's numerical Hessian
    np.testing.assert_allclose(by_driver(found, "log_odds_se"), GOLDEN[f"{file}.svyolr_se"], rtol=2e-3)
    data, parameters = found.kernel.data, found.kernel.parameters
    zeta = parameters[:3] + (data.center / data.spread) @ parameters[3:]
    np.testing.assert_allclose(zeta, GOLDEN[f"{file}.svyolr_zeta"], rtol=1e-4)


def test_ordinal_equals_statsmodels_without_weights():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    df = frame(400)
    data = graded(df[NAMES].to_numpy(), df["steps"].to_numpy(), np.ones(len(df)))
    found = fit(data, np.array([[True] * 4, [True, False, True, False]]))
    for parameters, loglik, names in zip(found.parameters, found.loglik, (NAMES, ["a", "c"]), strict=True):
        other = OrderedModel(df["steps"].astype(int), df[names], distr="logit").fit(method="bfgs", disp=0, gtol=1e-9)
        assert loglik == pytest.approx(other.llf, abs=1e-8)
        own = dict(zip(NAMES, parameters[3:] / data.spread, strict=True))
        np.testing.assert_allclose([own[n] for n in names], other.params[names], atol=1e-6)


def test_the_effect_on_ordered_answers_is_the_mean_slope_of_the_expected_answer():
    survey = survey_of(frame(500))
    found = points(survey, "steps", NAMES, model="ordinal")
    data, parameters = found.kernel.data, found.kernel.parameters

    def expected(shift: float) -> float:
        x = data.x.copy()
        x[:, 0] += shift / data.spread[0]
        above = 1 / (1 + np.exp(parameters[:3] - (x @ parameters[3:])[:, None]))
        return float(np.average(1 + above.sum(axis=1), weights=data.w))

    slope = (expected(1e-5) - expected(-1e-5)) / 2e-5
    assert by_driver(found, "estimate", ["a"])[0] == pytest.approx(slope, rel=1e-7)


def test_standard_errors_of_ordinal_effects_follow_the_weights():
    """Influences are derivatives by the weights: move some and fit anew."""
    df = frame(300)
    found = points(survey_of(df), "steps", NAMES, model="ordinal")
    moved = found.kernel._influence()[:, 3:] / found.kernel.data.spread
    rows = found.kernel.data.order
    for place in (0, 57, 299):
        sides = []
        for h in (1e-4, -1e-4):
            other = df.copy()
            other.loc[rows[place], "w"] *= 1 + h
            sides.append(by_driver(points(survey_of(other), "steps", NAMES, model="ordinal"), "log_odds", NAMES))
        numeric = (sides[0] - sides[1]) / 2e-4
        np.testing.assert_allclose(moved[place] * found.kernel.data.w[place], numeric, rtol=1e-4, atol=1e-9)


# ------------------------------------------------------------------------------ properties
MODELS = [
    ("y", "logit", "shapley"),
    ("y", "logit", "tjur"),
    ("y", "logit", "relative_weights"),
    ("steps", "ordinal", "shapley"),
]


@pytest.mark.parametrize(("outcome", "model", "method"), MODELS)
def test_importances_sum_to_the_fit(outcome, model, method):
    found = points(survey_of(frame(500)), outcome, NAMES, model=model, method=method)
    assert found.table["importance"].sum() == pytest.approx(found.model["r2"].iloc[0], rel=1e-9)


@pytest.mark.parametrize(("outcome", "model", "method"), MODELS)
def test_scale_of_weights_and_order_of_drivers_do_not_matter(outcome, model, method):
    df = frame(400)
    options = {"model": model, "method": method, "replicates": 100}
    one = cx.key_drivers(survey_of(df), outcome, NAMES, **options).table.set_index("driver")
    other = cx.key_drivers(survey_of(df.assign(w=df["w"] * 1000)), outcome, NAMES[::-1], **options).table.set_index(
        "driver"
    )
    columns = [
        "importance",
        "importance_high",
        "estimate",
        "se",
        "log_odds",
        "log_odds_se",
        "null_line",
        "base_effective",
    ]
    np.testing.assert_allclose(other.loc[NAMES, columns], one.loc[NAMES, columns], rtol=1e-5)


@pytest.mark.parametrize(("outcome", "model", "method"), MODELS)
def test_integer_weights_are_repeated_rows_in_estimates_but_not_in_standard_errors(outcome, model, method):
    df = frame(300)
    df["w"] = np.random.default_rng(1).integers(1, 4, len(df))
    repeated = df.loc[df.index.repeat(df["w"])].assign(w=1.0)
    options = {"model": model, "method": method, "replicates": 100}
    one = cx.key_drivers(survey_of(df), outcome, NAMES, **options)
    other = cx.key_drivers(survey_of(repeated), outcome, NAMES, **options)
    for column in ("importance", "estimate", "log_odds"):
        np.testing.assert_allclose(by_driver(one, column, NAMES), by_driver(other, column, NAMES), rtol=1e-6)
    assert (by_driver(one, "se", NAMES) > 1.2 * by_driver(other, "se", NAMES)).all()


def test_two_ordered_answers_are_a_logit():
    survey = survey_of(frame(300))
    columns = ["driver", "importance", "importance_high", "estimate", "se", "null_line"]
    one, other = (
        cx.key_drivers(survey, "y", NAMES, model=m, replicates=100).table[columns] for m in ("logit", "ordinal")
    )
    pd.testing.assert_frame_equal(one, other)


def test_two_codes_other_than_0_and_1_give_the_same_logit():
    df = frame(300)
    one, other = (points(survey_of(df.assign(y=df["y"] * k + 1)), "y", NAMES).table for k in (1, 4))
    pd.testing.assert_frame_equal(
        one[["driver", "importance", "estimate"]], other[["driver", "importance", "estimate"]]
    )


@pytest.mark.parametrize(("outcome", "model", "method"), [MODELS[0], MODELS[1], MODELS[3]])
def test_factors_are_one_player_and_forced_columns_leave_their_part(outcome, model, method):
    df = frame(600)
    df["kind"] = np.random.default_rng(2).integers(1, 4, len(df))
    survey = survey_of(df)
    found = points(survey, outcome, ["a", "b", "factor(kind)"], model=model, method=method, always=["c"])
    alone = points(survey, outcome, ["c"], model=model, method=method).model["r2"].iloc[0]
    assert found.table["importance"].sum() == pytest.approx(found.model["r2"].iloc[0] - alone, rel=1e-8)
    assert np.isnan(by_driver(found, "estimate", ["factor(kind)"])[0])


def test_shapley_weights_share_out_what_there_is():
    worth = np.random.default_rng(0).normal(size=16)
    parts = order_weights(4) @ worth
    assert parts.sum() == pytest.approx(worth[-1] - worth[0])
    additive = np.array([sum((j + 1) for j in range(4) if k >> j & 1) for k in range(16)], dtype=float)
    np.testing.assert_allclose(order_weights(4) @ additive, [1, 2, 3, 4])


# ------------------------------------------------------------------------------ replicates and null lines
KINDS = [(Subsets, "y"), (TjurSubsets, "y"), (RelativeWeights, "y"), (Subsets, "steps")]


def anew(kind, data, weights, players):
    """The importances with other weights, every subset fitted again."""
    answers, keep = np.repeat(data.codes, np.diff(data.bounds)), weights > 0
    return kind(graded(data.x[keep], answers[keep], weights[keep]), players).importance()


def grouped(outcome: str, base: int = 600):
    df = frame(base)
    df["e"] = np.random.default_rng(3).integers(0, 2, base)
    return graded(df[[*NAMES, "e"]].to_numpy(), df[outcome].to_numpy(), df["w"].to_numpy()), ((0,), (1, 4), (2,), (3,))


@pytest.mark.parametrize(("kind", "outcome"), KINDS)
def test_replicates_equal_refits(kind, outcome):
    data, players = grouped(outcome)
    rng = np.random.default_rng(4)
    times = (
        rng.multinomial(len(data.w) - 1, np.full(len(data.w), 1 / len(data.w)), 400) * len(data.w) / (len(data.w) - 1)
    )
    found = kind(data, players).replicates(times.astype(float))
    fresh = np.array([anew(kind, data, data.w * t, players) for t in times[:25]])
    off = (found[:25] - fresh) / found.std(axis=0)
    assert np.sqrt(np.mean(off**2)) < 0.06
    assert np.abs(off.mean(axis=0)).max() < 0.05


def test_replicates_without_the_newton_step_would_not_do():
    data, players = grouped("y")
    times = np.random.default_rng(4).multinomial(len(data.w), np.full(len(data.w), 1 / len(data.w)), 200).astype(float)
    found = Subsets(data, players).replicates(times)

    class Still(Subsets):
        def _quadratic(self, ids, at, deviations):
            return np.zeros((len(deviations), len(ids)))

    fresh = np.array([anew(Subsets, data, data.w * t, players) for t in times[:25]])
    noise = 3  # the driver that explains nothing lives on the second-order part
    still, moved = ((v[:25] - fresh)[:, noise] for v in (Still(data, players).replicates(times), found))
    assert np.sqrt(np.mean(still**2)) > 5 * np.sqrt(np.mean(moved**2))
    assert abs(still.mean()) > 0.2 * found[:, noise].std()


@pytest.mark.parametrize(("kind", "outcome"), KINDS)
def test_null_lines_equal_refits(kind, outcome):
    data, players = grouped(outcome)
    orders = np.array([np.random.default_rng(k).permutation(len(data.w)) for k in range(12)])
    found = kind(data, players).null_gains(orders)
    answers = np.repeat(data.codes, np.diff(data.bounds))
    for j, columns in enumerate(players):
        for k in range(0, 12, 3):
            x = data.x.copy()
            x[:, list(columns)] = x[orders[k]][:, list(columns)]
            fresh = kind(graded(x, answers, data.w), players).importance()[j]
            assert found[k, j] == pytest.approx(fresh, rel=0.06, abs=2e-5)


def test_coefficients_of_replicates_spread_as_linearisation_says():
    survey = survey_of(frame(800))
    found = cx.key_drivers(survey, "y", NAMES, replicates=600)
    spread = found.draws.coefficients.std(axis=0, ddof=1)
    np.testing.assert_allclose(spread, by_driver(found, "log_odds_se", NAMES), rtol=0.12)  # 600 draws: sd of a sd 3 %


# ------------------------------------------------------------------------------ recovery
@cache
def truth(outcome: str, model: str, method: str) -> pd.DataFrame:
    """Pseudo-true values: the same estimator on very many respondents."""
    big = frame(120_000, seed=99).assign(w=1.0)
    return points(survey_of(big), outcome, NAMES, model=model, method=method).table.set_index("driver")


@pytest.mark.parametrize(("outcome", "model", "method"), MODELS)
def test_planted_slopes_and_pseudo_true_values_are_found(outcome, model, method):
    found = cx.key_drivers(survey_of(frame(3000, seed=5)), outcome, NAMES, model=model, method=method, replicates=300)
    odds = (by_driver(found, "log_odds", NAMES) - [1, 0.6, 0.3, 0]) / by_driver(found, "log_odds_se", NAMES)
    assert np.abs(odds).max() < 4.1
    true = truth(outcome, model, method).loc[NAMES]
    assert np.abs((by_driver(found, "estimate", NAMES) - true["estimate"]) / by_driver(found, "se", NAMES)).max() < 4.1
    spread = np.sqrt(found.replicates.std()[NAMES].to_numpy() ** 2 * (1 + 3000 / 120_000))
    assert np.abs((by_driver(found, "importance", NAMES) - true["importance"]) / spread)[:3].max() < 4.1
    assert found.table["driver"].tolist()[0] == "a"


@pytest.mark.parametrize(("outcome", "model", "method"), MODELS)
def test_an_unrelated_driver_is_noise(outcome, model, method):
    df = frame(700, seed=6)
    df["d"] = np.random.default_rng(7).normal(size=len(df))
    found = cx.key_drivers(survey_of(df), outcome, NAMES, model=model, method=method, replicates=200)
    assert found.table.set_index("driver")["distinguishable"].to_dict() == {"a": True, "b": True, "c": True, "d": False}


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_cover(clustered):
    """300 surveys of 660: effects and importances against their pseudo-true values, half of them in clusters of 33."""
    rng = np.random.default_rng(2026)

    def draw(base: int) -> pd.DataFrame:
        psu = np.arange(base) // 33
        shared = rng.normal(size=(psu[-1] + 1, 4))[psu] * (0.33 if clustered else 0.0)
        x = rng.normal(size=(base, 3)) + 0.5 * rng.normal(size=(base, 1)) + shared[:, :3]
        y = (x @ [0.8, 0.5, 0.2] + 1.8 * shared[:, 3] + rng.logistic(size=base) > 0.5).astype(float)
        return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y, psu=psu)

    names = ["a", "b", "c"]
    big = points(Survey.from_frame(draw(330_000)), "y", names).table.set_index("driver").loc[names]
    effect, importance = np.zeros(3), np.zeros(3)
    for _ in range(300):
        survey = Survey.from_frame(draw(660), psu="psu" if clustered else None)
        table = cx.key_drivers(survey, "y", names, replicates=200).table.set_index("driver").loc[names]
        effect += (table["low"] <= big["estimate"]) & (big["estimate"] <= table["high"])
        importance += (table["importance_low"] <= big["importance"]) & (big["importance"] <= table["importance_high"])
    assert (effect / 300 >= 0.92).all(), effect / 300
    assert (effect / 300 <= 0.98).all(), effect / 300
    assert (importance / 300 >= 0.90).all(), importance / 300


# ------------------------------------------------------------------------------ what bad input gets
def refused(df: pd.DataFrame, outcome: str = "y", drivers=NAMES, **more) -> str:
    with pytest.raises(SurveyError) as error:
        cx.key_drivers(survey_of(df), outcome, drivers, replicates=more.pop("replicates", 0), **more)
    return str(error.value)


@pytest.mark.parametrize("method", ["shapley", "tjur", "relative_weights"])
def test_a_driver_that_separates_is_named(method):
    df = frame(200)
    df["b"] = df["y"] * 2 + np.random.default_rng(0).uniform(0, 1, len(df))
    assert refused(df, method=method) == (
        "outcome 'y' is separated by 'b': some of its answers go with one class only, so that fitted odds grow without end; "
        "leave it out, merge answers, or use model='linear'."
    )
    indicator = frame(200)
    indicator["c"] = ((indicator["y"] == 1) & (indicator["a"] > 1)).astype(float)  # c = 1 only where y = 1
    assert refused(indicator, method=method).startswith("outcome 'y' is separated by 'c':")


def test_drivers_that_separate_together_are_named():
    df = frame(200)
    rng = np.random.default_rng(0)
    df["b"] = rng.normal(size=len(df))
    df["c"] = df["b"] + np.where(df["y"] == 1, 0.1, -0.1)
    assert refused(df).startswith(
        "outcome 'y' is separated by 'b', 'c' together: some of its answers go with one class only"
    )


def test_separated_ordered_answers():
    df = frame(200)
    df["a"] = df["steps"] + np.random.default_rng(0).uniform(0, 0.9, len(df))
    assert refused(df, "steps", model="ordinal").startswith("outcome 'steps' is separated by 'a': ")


def test_few_events():
    df = frame(300)
    df["y"] = (np.arange(300) < 7).astype(float)
    assert refused(df) == (
        "outcome 'y' has 7 of 300 respondents in the event and 293 outside it; a logit needs at least 10 of each: widen the "
        "filter, or take a class of answers that more respondents chose."
    )
    df["y"] = (np.arange(300) % 10 == 0).astype(float)
    with pytest.warns(SmallBaseWarning) as found:
        points(survey_of(df), "y", NAMES)
    assert str(found[0].message) == (
        "outcome 'y': 30 respondents in the smaller class for 4 columns; under 10 per column effects are exaggerated and "
        "intervals rough."
    )
    df["y"] = (np.arange(300) % 5 == 0).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points(survey_of(df), "y", NAMES)


def test_one_class_and_three_respondents():
    df = frame(300)
    assert refused(df, "y >= 0") == (
        "1 of 5 columns have the same answer in all 300 complete rows: 'y >= 0'; a constant explains nothing: leave it out or "
        "widen the filter."
    )
    assert refused(df.head(3), "steps >= 2", ["a", "b"]) == (
        "drivers: 3 of 3 respondents answered all 2 drivers and 'steps >= 2'; at least 4 are needed: name fewer drivers or widen "
        "the filter."
    )


def test_limits_and_options():
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.normal(size=(400, 16)), columns=[f"x{k}" for k in range(16)])
    df["y"], df["steps"], df["w"], df["s"] = rng.integers(0, 2, 400), rng.integers(0, 5, 400), 1.0, 0
    names = [f"x{k}" for k in range(16)]
    assert refused(df, "y", names) == (
        "drivers holds 16 drivers; 'shapley' with model='logit' fits all 65,536 subsets and is limited to 15: name fewer drivers, "
        "or use model='linear' or method='relative_weights'."
    )
    assert refused(df, "steps", names[:13], model="ordinal") == (
        "drivers holds 13 drivers; 'shapley' with model='ordinal' fits all 8,192 subsets and is limited to 12: name fewer drivers, "
        "or use model='linear'."
    )
    assert refused(df, "y", names[:3], method="owen") == (
        "method is 'owen'; allowed: 'shapley', 'tjur', 'relative_weights', 'johnson'."
    )
    assert len(points(survey_of(df), "y", names, method="johnson").table) == 16


def test_incomplete_rows_are_not_for_logit():
    df = frame(300)
    df.loc[:20, "a"] = np.nan
    assert refused(df, missing="em") == (
        "missing is 'em', which leaves 21 of 300 rows incomplete; model='logit' needs complete rows: use missing='listwise' or "
        "missing='dummy'."
    )
    assert points(survey_of(df), "y", NAMES, missing="dummy").base.respondents == 300


def test_replicates_that_lose_an_answer():
    df = frame(200)
    df["steps"] = np.where(np.arange(200) < 2, 5.0, df["steps"])
    assert re.fullmatch(
        r"\d+ of 200 replicates have nobody with one of the 5 answers of 'steps': the base of 200 is too small for intervals; "
        r"merge answers, widen the filter, or use replicates=0\.",
        refused(df, "steps", ["a", "b"], model="ordinal", replicates=200),
    )


def test_the_outcome_s_item_is_no_driver():
    assert refused(frame(100), "a >= 0") == "drivers holds the outcome itself ('a'); leave it out."


# ------------------------------------------------------------------------------ words
def test_effects_are_said_in_percentage_points():
    found = cx.key_drivers(panel_of(frame(600, slopes=(1.6, 0.4, 0.2, 0.0))), "top2(q)", NAMES, replicates=200)
    first, top = found.sentences("en")[0].text, found.table.iloc[0]
    assert first == (
        f"A matters most for quality (top 2): {top.share:.0%} of what the drivers explain (95% interval {top.share_low:.0%} to "
        f"{top.share_high:.0%}); one point more goes with +{100 * top.estimate:.1f} percentage points of quality (top 2), the other "
        "drivers being equal."
    )
    assert found.sentences("zh")[0].text.endswith(
        f"其他因素相同时，该项每高 1 分，“质量前两档”的比例平均相差 +{100 * top.estimate:.1f} 个百分点。"
    )
    assert f"McFadden R² of {found.model['r2'].iloc[0]:.2f} for quality (top 2)" in str(found.sentences("en"))
    assert found.shown("en", ["estimate", "log_odds"]).iloc[0].tolist() == [
        f"+{100 * top.estimate:.1f} pp",
        f"+{top.log_odds:.2f}",
    ]
    assert "Shapley values of McFadden's R² of a weighted logit of 600 respondents" in found.methods("en")
    assert "加权 Logit 模型" in found.methods("zh")


def panel_of(df: pd.DataFrame) -> Survey:
    plain = survey_of(df.rename(columns={"steps": "q"}))
    return replace(plain, codebook=plain.codebook.with_items(Item("q", {"en": "Quality", "zh": "质量"}, scale=(1, 4))))


def test_a_linear_probability_is_said_in_percentage_points_too():
    found = cx.key_drivers(panel_of(frame(600)), "top2(q)", NAMES, model="linear", replicates=100)
    assert "percentage points of quality (top 2)" in found.sentences("en")[0].text
    assert "explain" in str(found.sentences("en")[2])
    assert "log_odds" not in found.table
    note = "Quality (top 2) has two values and is explained by a linear probability model, as asked; left to choose, a logit is used."
    assert note in [n["en"] for n in found.notes]


def test_the_model_row_of_a_logit():
    df = frame(500)
    model = points(survey_of(df), "y", NAMES).model.iloc[0]
    assert model["base_rate"] == pytest.approx(np.average(df["y"], weights=df["w"]))
    own = points(survey_of(df), "y", NAMES).kernel
    p = np.empty(len(df))
    p[own.data.order] = 1 / (1 + np.exp(own.parameters[0] - own.data.x @ own.parameters[1:]))
    pairs = np.outer(df["w"][df["y"] == 1], df["w"][df["y"] == 0])
    higher = np.greater.outer(p[df["y"] == 1], p[df["y"] == 0])
    assert model["auc"] == pytest.approx((pairs * higher).sum() / pairs.sum())
    assert model["mcfadden"] == model["r2"]
    assert model["unsettled"] == 0


# ------------------------------------------------------------------------------ the demo study
@pytest.fixture(scope="module")
def demo() -> Survey:
    return cx.open_study(HERE.parent / "data/healthcheck/study.yml").survey("last:6")


@pytest.mark.parametrize("outcome", ["promoters(recommend)", "top2(satisfaction)"])
def test_the_demo_s_classes_of_answers(demo, outcome):
    names = ["queue", "doctor", "nurse", "report", "reception", "gender"]
    found = cx.key_drivers(demo, outcome, names, replicates=200)
    assert found.kernel.name == "logit"
    assert set(found.table["driver"][:2]) == {"queue", "doctor"}
    noise = found.table.set_index("driver")["distinguishable"]
    assert noise.drop("gender").all()
    assert not noise["gender"]
    reading = read_outcome(demo, outcome)
    own = logit(demo.with_columns(event=reading.values), "event", names).table.set_index("term")
    np.testing.assert_allclose(by_driver(found, "log_odds", names), own.loc[names, "estimate"], rtol=1e-8)
    np.testing.assert_allclose(by_driver(found, "log_odds_se", names), own.loc[names, "se"], rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["promoters(recommend)", "top2(satisfaction)"])
def test_the_demo_with_all_its_drivers(demo, outcome):
    found = cx.key_drivers(demo, outcome)
    assert len(found.table) == 13
    assert set(found.table["driver"][:2]) == {"queue", "doctor"}
    assert found.table.set_index("driver")["distinguishable"].to_dict()["noise"] is False


# ---------------------------------------------------------------------- what would take too long
@pytest.mark.parametrize(
    ("model", "method", "rows", "message"),
    [
        (
            "logit", "shapley", 100_000,
            "drivers: model='logit' fits all 4,096 subsets of 12 drivers to 100,000 respondents, 410 million rows × subsets; more than "
            "300 million are refused: name at most 11 drivers, use method='relative_weights', model='linear', or draw fewer respondents.",
        ),
        (
            "ordinal", "shapley", 100_000,
            "drivers: model='ordinal' fits all 4,096 subsets of 12 drivers to 100,000 respondents, 410 million rows × subsets; more than "
            "300 million are refused: name at most 11 drivers, use model='linear', or draw fewer respondents.",
        ),
    ],
)  # fmt: skip
def test_too_many_fits_are_refused_before_they_begin(model, method, rows, message):
    rng = np.random.default_rng(1)
    names = [f"d{j}" for j in range(12)]
    df = pd.DataFrame(rng.normal(size=(rows, 12)), columns=names)
    df["y"] = rng.integers(0, 2 if model == "logit" else 4, rows)
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.key_drivers(Survey.from_frame(df), "y", names, model=model, method=method)


def test_fits_that_take_minutes_are_announced():
    from cxlab.drivers._logit import Logit
    from cxlab.drivers._prepare import prepare

    rng = np.random.default_rng(1)
    names = [f"d{j}" for j in range(12)]
    df = pd.DataFrame(rng.normal(size=(20_000, 12)), columns=names).assign(y=rng.integers(0, 2, 20_000))
    prepared = prepare(Survey.from_frame(df), "y", names)
    message = (
        "drivers: model='logit' fits all 4,096 subsets of 12 drivers to 20,000 respondents; that takes about 2 minutes of one core, "
        "replicates and null lines included: fewer drivers, method='relative_weights', or model='linear' take seconds."
    )
    with pytest.warns(SlowWarning, match=f"^{re.escape(message)}$"):
        Logit(prepared, "shapley")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Logit(prepared, "relative_weights")
