"""Customer types: EM against least squares and statsmodels, recovery, replicates, typing tool, bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from statsmodels.api import MNLogit

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.segments import customer_types
from cxlab.segments._types_em import Mixture, Rows, _membership, em_step, fit, log_density, match, posterior
from cxlab.segments._types_infer import folds_of, random_start, search
from cxlab.survey import Survey

FOLDER = Path(__file__).parent.parent / "data" / "healthcheck"
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
BLOCKS = {"price": ["price_fairness"], "service": ["reception", "nurse", "doctor"], "product": ["info", "equipment"]}
SLOPES = np.array([[0.9, 0.1], [0.1, 1.0]])


def customers(base=1500, seed=1, noise=0.5, slopes=SLOPES):
    """Two types; young ones are mostly of the first. Everybody carries a weight."""
    rng = np.random.default_rng(seed)
    df = pd.DataFrame(
        {"price": rng.normal(7, 1, base), "service": rng.normal(6, 1, base), "queue": rng.normal(5, 1, base)}
    )
    df["age"] = rng.normal(40, 10, base)
    df["type"] = (rng.random(base) > 1 / (1 + np.exp(0.08 * (df["age"] - 40)))) + 1
    b = slopes[df["type"] - 1]
    df["satisfaction"] = b[:, 0] * (df["price"] - 7) + b[:, 1] * (df["service"] - 6) + 0.3 * (df["queue"] - 5)
    df["satisfaction"] += 6 + 0.5 * (df["type"] == 2) + rng.normal(0, noise, base)
    df["weight"] = rng.uniform(0.5, 2, base)
    return df


def rows_of(df):
    one = np.ones(len(df))
    return Rows(
        df["satisfaction"].to_numpy(),
        np.column_stack([one, df["price"] - 7, df["service"] - 6]),
        (df["queue"] - 5).to_numpy()[:, None],
        np.column_stack([one, (df["age"] - 40) / 10]),
    )


@pytest.fixture(scope="module")
def data():
    return customers()


@pytest.fixture(scope="module")
def result(data):
    survey = Survey.from_frame(data, weight="weight")
    return customer_types(survey, "satisfaction", ["price", "service"], common=["queue"], membership=["age"], k=[1, 2, 3],
                          starts=5, replicates=60)  # fmt: skip


# ---------------------------------------------------------------------- EM
@pytest.mark.parametrize("seed", range(4))
def test_every_step_of_em_climbs(data, seed):
    rows, weights = rows_of(data), data["weight"].to_numpy()
    now, before = random_start(rows, weights, 3, (seed,)), -np.inf
    for _ in range(30):
        now, level = em_step(now, rows, weights)
        assert level >= before - 1e-8 * abs(before)
        before = level


def test_one_class_is_weighted_least_squares(data):
    rows, weights = rows_of(data), data["weight"].to_numpy()
    found = fit(random_start(rows, weights, 1, (0,)), rows, weights)
    x, root = np.hstack([rows.own, rows.shared]), np.sqrt(weights)[:, None]
    solved = np.linalg.lstsq(x * root, rows.outcome * root[:, 0], rcond=None)[0]
    np.testing.assert_allclose([*found.mixture.own[0], *found.mixture.shared], solved, rtol=1e-7)
    residual = rows.outcome - x @ solved
    assert found.mixture.sigma[0] ** 2 == pytest.approx(weights @ residual**2 / weights.sum())
    assert found.converged


def test_membership_is_the_logit_of_statsmodels(data):
    rows = rows_of(data)
    group = np.digitize(data["age"] + np.random.default_rng(2).normal(0, 15, len(data)), [35, 45])
    hard = np.eye(3)[group]
    start = Mixture(np.zeros((3, 3)), np.zeros(1), np.ones(3), np.zeros((3, 2)))
    for _ in range(30):
        start = Mixture(start.own, start.shared, start.sigma, _membership(start, rows, hard, np.ones(len(data))))
    expected = MNLogit(group, rows.member).fit(disp=0).params
    np.testing.assert_allclose(start.member[1:], np.asarray(expected).T, atol=1e-6)


def test_where_em_rests_the_likelihood_is_level(data):
    rows, weights = rows_of(data), data["weight"].to_numpy()
    found = search(rows, weights, 2, 4, 0)
    finer = fit(found.fit.mixture, rows, weights, steps=2000, tolerance=1e-13).mixture
    slope = approx_fprime(finer.vector(), lambda v: float(weights @ log_density(finer.like(v), rows)), 1e-6)
    assert np.abs(slope).max() < 0.05  # of a log likelihood of about -2,000, per unit of a parameter
    assert found.reached >= 2


def test_vector_and_order_turn_back(data):
    mixture = random_start(rows_of(data), data["weight"].to_numpy(), 3, (5,))
    mixture = mixture.like(mixture.vector() + 0.1 * np.arange(len(mixture.vector())))
    again = mixture.like(mixture.vector())
    np.testing.assert_allclose(again.member, mixture.member)
    assert len(mixture.vector()) == mixture.parameters == 9 + 1 + 3 + 4
    rows = rows_of(data)
    turned = mixture.ordered([2, 0, 1])
    np.testing.assert_allclose(posterior(turned, rows), posterior(mixture, rows)[:, [2, 0, 1]])
    order = match(posterior(mixture, rows), posterior(turned, rows), np.ones(len(data)))
    np.testing.assert_allclose(posterior(turned.ordered(order), rows), posterior(mixture, rows))


def test_integer_weights_are_repeated_rows(data):
    part = data.head(400)
    times = 1 + np.arange(400) % 3
    rows = rows_of(part)
    start = random_start(rows, np.ones(400), 2, (1,))
    weighted = fit(start, rows, times.astype(float), tolerance=1e-12, steps=3000).mixture
    repeated = fit(
        start, rows.take(np.repeat(np.arange(400), times)), np.ones(times.sum()), tolerance=1e-12, steps=3000
    ).mixture
    np.testing.assert_allclose(weighted.vector(), repeated.vector(), atol=1e-4)


def test_folds_hold_whole_units_of_every_stratum():
    survey = Survey.from_frame(
        pd.DataFrame({"s": np.repeat([1, 2], 60), "id": np.repeat(np.arange(40), 3), "q": 1.0}), stratum="s", psu="id"
    )
    from cxlab.design import resolve

    design = resolve(survey)
    fold = folds_of(design, design.psu, 5, 0)
    assert pd.Series(fold).groupby(design.psu).nunique().eq(1).all()
    assert pd.crosstab(fold, survey.data["s"]).to_numpy().tolist() == [[12, 12]] * 5


# ---------------------------------------------------------------------- recovery
def test_types_are_recovered_with_their_uncertainty(result, data):
    assert (result.by_bic, result.by_held_out) == (2, 2)
    assert [result.label(s, "en", "segment") for s in (1, 2)] == ["price-sensitive", "service-led"]
    assert [result.label(s, "zh", "segment") for s in (1, 2)] == ["价格敏感型", "服务主导型"]
    slopes = result.table["estimate"].to_numpy()
    np.testing.assert_array_less(np.abs(slopes - SLOPES.ravel()), 4.1 * result.table["se"])
    shares = data.groupby("type")["weight"].sum() / data["weight"].sum()
    np.testing.assert_array_less(np.abs(result.types["share"] - shares.to_numpy()), 4.1 * result.types["share_se"])
    assert result.types["share"].sum() == pytest.approx(1)
    assert (result.types["share_low"] < result.types["share"]).all()
    age = result.membership.iloc[0]
    assert age["factor"] == "age"
    assert abs(age["estimate"] - 0.08) < 4.1 * age["se"]
    assert result.common["estimate"].iloc[0] == pytest.approx(0.3, abs=4.1 * result.common["se"].iloc[0])
    assert result.types["base"].sum() == len(data)
    assert len(result.replicates) == 60


def test_sentences_say_shares_slopes_and_doubt(result):
    said = result.sentences("en")
    assert said[0].text == "2 types of customers (1,500 respondents; BIC prefers 2, held-out likelihood 2)."
    assert said[1].text.startswith("Price-sensitive: ")
    assert said[1].facts["slope"] == result.table["estimate"].iloc[0]
    assert said[1].facts["others"] == result.table["estimate"].iloc[2]
    assert 0.5 < said[-1].facts["certainty"] < 1
    assert "价格敏感型：占顾客的" in result.sentences("zh")[1].text
    assert "60 Rao–Wu" in result.methods("en")


def test_customers_without_types_have_one():
    df = customers(600, slopes=np.array([[0.5, 0.5], [0.5, 0.5]])).assign(type=1)
    df["satisfaction"] -= 0.5 * (df["satisfaction"] > 99)
    plain = df.assign(
        satisfaction=0.5 * df["price"] + 0.5 * df["service"] + np.random.default_rng(9).normal(0, 0.5, 600)
    )
    found = customer_types(
        Survey.from_frame(plain), "satisfaction", ["price", "service"], k=range(1, 4), starts=4, replicates=0
    )
    assert len(found.types) == 1
    assert found.sentences("en")[0].text.startswith("No types: one regression describes all customers")
    assert found.label(1, "zh", "segment") == "全体顾客"


def test_replicate_errors_of_one_class_are_those_of_the_sandwich(data):
    survey = Survey.from_frame(data, weight="weight")
    found = customer_types(survey, "satisfaction", ["price", "service"], common=["queue"], k=1, replicates=200)
    rows, w = rows_of(data), data["weight"].to_numpy()
    x = np.hstack([rows.own, rows.shared])
    b = np.linalg.solve((x * w[:, None]).T @ x, (x * w[:, None]).T @ rows.outcome)
    bread = np.linalg.inv((x * w[:, None]).T @ x)
    z = x * (w * (rows.outcome - x @ b))[:, None]
    se = np.sqrt(np.diagonal(bread @ (z.T @ z) @ bread))
    np.testing.assert_allclose(found.table["se"], se[1:3], rtol=0.2)
    np.testing.assert_allclose(found.table["estimate"], b[1:3], rtol=1e-6)


def test_replicate_errors_of_two_types_match_the_spread_of_samples():
    found = []
    for seed in range(40):
        df = customers(700, seed=100 + seed)
        run = customer_types(Survey.from_frame(df, weight="weight"), "satisfaction", ["price", "service"], common=["queue"],
                             membership=["age"], k=2, starts=2, replicates=30 if seed < 5 else 0)  # fmt: skip
        found.append((run.table["estimate"].to_numpy(), run.types["share"].to_numpy()[:1], run.table["se"].to_numpy(),
                      run.types["share_se"].to_numpy()[:1]))  # fmt: skip
    spread = np.concatenate([np.std([f[0] for f in found], axis=0), np.std([f[1] for f in found], axis=0)])
    said = np.concatenate([np.mean([f[2] for f in found[:5]], axis=0), np.mean([f[3] for f in found[:5]], axis=0)])
    np.testing.assert_allclose(said, spread, rtol=0.4)


# ---------------------------------------------------------------------- typing tool
def test_typing_tool_types_by_answers_else_by_covariates_else_not(result, data):
    df = data.copy()
    df.loc[:99, "satisfaction"] = np.nan
    df.loc[50:99, "age"] = np.nan
    typed = result.predict(Survey.from_frame(df, weight="weight").where("queue < 100"))
    assert typed["known"].value_counts().to_dict() == {"answers": 1400, "covariates": 50, "": 50}
    assert typed.loc[50:99, ["segment", "p_1"]].isna().to_numpy().all()
    known = typed["known"] == "answers"
    np.testing.assert_allclose(typed.loc[known, ["p_1", "p_2"]].sum(axis=1), 1)
    right = np.average(typed["segment"][known] == data["type"][known], weights=data["weight"][known])
    assert right == pytest.approx(result.certainty, abs=0.04)  # the doubt is stated as large as it is
    shares = np.average(typed.loc[known, "p_2"], weights=data["weight"][known])
    assert shares == pytest.approx(result.types["share"].iloc[1], abs=0.03)
    young = typed.loc[:49, "p_1"][data["age"][:50] < 30].mean()
    assert young > 0.6
    with pytest.raises(SurveyError) as error:
        result.predict(Survey.from_frame(df.drop(columns="age")))
    assert str(error.value) == "survey names 1 column that is not in the survey: 'age'."


def test_picture_has_a_row_for_every_slope(result):
    ax = result.plot(lang="zh")
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "价格敏感型 · 价格", "价格敏感型 · 服务", "服务主导型 · 价格", "服务主导型 · 服务",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_and_the_winning_seed_is_kept(data):
    survey = Survey.from_frame(data.head(500), weight="weight")
    first, second = (
        customer_types(survey, "satisfaction", ["price", "service"], k=2, starts=3, replicates=20) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.table, second.table)
    rows, weights = rows_of(data.head(500)), data["weight"].head(500).to_numpy()
    assert first.seed[:2] == (0, 2)
    assert first.selection["seed"].iloc[0] == str(first.seed)
    assert np.isfinite(random_start(rows, weights, 2, first.seed).own).all()


def test_labelled_covariates_become_indicators_and_straight_lines_leave():
    df = customers(800)
    df["payer"] = pd.Categorical(np.where(df["age"] > 40, "own", "firm"))
    for j in range(4):
        df[f"x{j}"] = np.random.default_rng(50 + j).normal(7, 1, 800)
    items = ["price", "service", "queue", "x0", "x1", "x2", "x3"]
    df.loc[:29, items] = 7.0
    survey = Survey.from_frame(df)
    run = {"common": ["queue", "x0", "x1", "x2", "x3"], "membership": ["payer"], "k": 2, "starts": 3, "replicates": 0}
    found = customer_types(survey, "satisfaction", ["price", "service"], **run)
    assert found.membership["factor"].tolist() == ["payer=2"]
    assert found.label("payer=2", "en") == "payer: own"
    assert found.membership["estimate"].iloc[0] > 0.5
    assert (found.base.respondents, found.base.excluded) == (770, 30)
    assert any("30 respondents gave one answer to every driver item" in n["en"] for n in found.notes)
    kept = customer_types(survey, "satisfaction", ["price", "service"], straight_lining="keep", **run)
    assert kept.base.respondents == 800


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("outcome", "drivers", "options", "message"),
    [
        ("satisfied", ["price"], {}, "outcome names 1 column that is not in the survey: 'satisfied' (did you mean 'satisfaction'?)."),
        ("satisfaction", ["prise"], {}, "drivers names 1 column that is not in the survey: 'prise' (did you mean 'price'?)."),
        ("satisfaction", "price", {}, "drivers is the text 'price'; a list of columns or a mapping of name to items is needed."),
        ("satisfaction", {}, {}, "drivers is empty, or a block of it is; name at least one item each."),
        ("satisfaction", None, {}, "drivers: the survey declares no blocks of drivers; pass drivers={name: [items], ...}."),
        ("satisfaction", ["price"], {"common": "queue"}, "common is the text 'queue'; a list of columns is needed: ['queue']."),
        ("satisfaction", ["price", "satisfaction"], {},
         "1 items take part more than once (outcome, drivers, common): 'satisfaction'."),
        ("satisfaction", ["price", "text"], {}, "'text' holds text, numbers are needed."),
        ("satisfaction", ["price", "same"], {}, "1 of the model's terms do not vary among 300 respondents: 'same'; leave them out."),
        ("satisfaction", ["price", "double"], {}, "drivers: the 2 terms (price, double) determine one another; leave one out."),
        ("satisfaction", ["price", "empty"], {}, "0 of 300 respondents answered everything the model needs; name fewer items."),
        ("satisfaction", ["price"], {"membership": ["number"]}, "membership: 'number' has 300 groups; up to 10 can be indicators: band it."),
        ("satisfaction", ["price"], {"k": 0}, "k is 0; a number of types, or several, each 1 or more, are needed."),
        ("satisfaction", ["price"], {"k": [1, 30]},
         "k: 30 types have 119 parameters, and 300 respondents are complete (0 left); at least 5 per parameter are needed: try fewer "
         "types or terms."),
        ("satisfaction", ["price"], {"starts": 0}, "starts is 0; at least 1 random start is needed, 10 are usual."),
        ("satisfaction", ["price"], {"folds": 1}, "folds is 1; held-out likelihood needs at least 2."),
        ("satisfaction", ["price"], {"replicates": 5}, "replicates is 5; standard errors need at least 20, or 0 for none."),
        ("satisfaction", ["price"], {"straight_lining": "drop"}, "straight_lining is 'drop'; allowed: 'exclude', 'keep'."),
        ("satisfaction", ["price"], {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input_is_named(outcome, drivers, options, message):
    df = customers(300).assign(text="a", same=1.0, empty=np.nan, number=[f"c{i}" for i in range(300)])
    df["double"] = 2 * df["price"]
    with pytest.raises(SurveyError) as error:
        customer_types(Survey.from_frame(df), outcome, drivers, **options)
    assert str(error.value) == message


# ---------------------------------------------------------------------- the demo study
@pytest.mark.slow
def test_demo_types_are_recovered():
    survey = cx.open_study(FOLDER / "study.yml").survey()
    truth = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["classes"]
    found = customer_types(survey, "satisfaction", BLOCKS, common=["queue", "booking", "changing", "report", "meal"],
                           membership=["payer", "age"], k=range(1, 6), replicates=20)  # fmt: skip
    assert found.by_bic == found.by_held_out == 3
    assert found.types["leading"].tolist() == ["price", "service", "product"]
    shares = [truth[t]["share"]["value"] for t in ("price_sensitive", "service_led", "product_led")]
    assert found.types["share"].to_numpy() == pytest.approx(shares, abs=0.05)
    slopes = found.table.pivot(index="segment", columns="driver", values="estimate")[list(BLOCKS)].to_numpy()
    for j in range(3):
        assert slopes[j].argmax() == slopes[:, j].argmax() == j
    expected = [
        truth[t][d]["value"] for t, d in zip(("price_sensitive", "service_led", "product_led"), BLOCKS, strict=True)
    ]
    assert np.diagonal(slopes) == pytest.approx(expected, abs=0.12)
    effects = found.membership.set_index(["segment", "factor"])["estimate"]
    assert effects[2, "payer=2"] > 0.3
    assert effects[2, "age"] == pytest.approx(0.035, abs=0.02)
