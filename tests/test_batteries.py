"""Reliability: against R and pingouin, the one-factor model against its likelihood, intervals, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import optimize

import cxlab as cx
from cxlab.batteries import one_factor
from cxlab.errors import DataWarning, SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
MOBI = pd.read_csv(ROOT / "data" / "mobi" / "mobi.csv")
ALPHA = json.loads((ROOT / "tests" / "golden" / "segments" / "alpha.json").read_text())["alpha"]
BATTERY = {
    "Image": "IMAG",
    "Expectation": "CUEX",
    "Quality": "PERQ",
    "Value": "PERV",
    "Satisfaction": "CUSA",
    "Loyalty": "CUSL",
}


def items_of(construct: str) -> list[str]:
    return [c for c in MOBI.columns if c.startswith(BATTERY[construct])]


@pytest.mark.parametrize("construct", BATTERY)
def test_alpha_is_that_of_r_and_pingouin(construct):
    items = items_of(construct)
    standardised = MOBI[items].apply(lambda x: (x - x.mean()) / x.std())
    found = cx.reliability(Survey.from_frame(standardised), items, replicates=0)
    assert found.value("alpha")["estimate"] == pytest.approx(ALPHA[construct], rel=1e-10)
    raw = cx.reliability(Survey.from_frame(MOBI[items]), items, replicates=0)
    assert raw.value("alpha")["estimate"] == pytest.approx(pingouin.cronbach_alpha(MOBI[items])[0], rel=1e-12)


def test_item_rest_correlations_and_alphas_without_an_item():
    items = items_of("Image")
    found = cx.reliability(Survey.from_frame(MOBI[items]), items, replicates=0)
    for item in items:
        others = [i for i in items if i != item]
        expected = np.corrcoef(MOBI[item], MOBI[others].sum(axis=1))[0, 1]
        assert found.value("item_rest", item)["estimate"] == pytest.approx(expected, rel=1e-12)
        dropped = pingouin.cronbach_alpha(MOBI[others])[0]
        assert found.value("alpha_if_dropped", item)["estimate"] == pytest.approx(dropped, rel=1e-12)


def discrepancy(parameters: np.ndarray, s: np.ndarray) -> float:
    k = len(s)
    sigma = np.outer(parameters[:k], parameters[:k]) + np.diag(np.exp(parameters[k:]))
    return float(np.linalg.slogdet(sigma)[1] + np.trace(s @ np.linalg.inv(sigma)))


@pytest.mark.parametrize("construct", ["Image", "Quality", "Satisfaction"])
def test_the_one_factor_model_is_the_likeliest(construct):
    s = MOBI[items_of(construct)].cov().to_numpy()
    loading, unique, bounded = (x[0] for x in one_factor(s[None]))
    start = np.concatenate([loading * 0.9, np.log(unique * 1.1)])
    best = optimize.minimize(discrepancy, start, args=(s,), method="BFGS", options={"gtol": 1e-9})
    k = len(s)
    np.testing.assert_allclose(loading, best.x[:k], rtol=2e-4)
    np.testing.assert_allclose(unique, np.exp(best.x[k:]), rtol=5e-4)
    assert discrepancy(np.concatenate([loading, np.log(unique)]), s) <= best.fun + 1e-10
    assert not bounded


def test_omega_is_alpha_where_all_loadings_are_equal():
    s = np.full((1, 4, 4), 0.5) + np.diag([0.5, 0.9, 1.3, 0.7])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 4))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T) @ np.linalg.cholesky(s[0]).T
    found = cx.reliability(Survey.from_frame(pd.DataFrame(x, columns=list("abcd"))), list("abcd"), replicates=0)
    assert found.value("omega")["estimate"] == pytest.approx(found.value("alpha")["estimate"], abs=1e-6)


def battery(rng: np.random.Generator, base: int, clusters: int | None = None) -> pd.DataFrame:
    common = rng.normal(size=base)
    shop = np.arange(base) % (clusters or base)
    if clusters:
        common = np.sqrt(0.7) * common + np.sqrt(0.3) * rng.normal(size=clusters)[shop]
    x = common[:, None] * [0.9, 0.7, 0.8, 0.5] + rng.normal(size=(base, 4)) * [0.6, 0.8, 0.7, 1.0]
    return pd.DataFrame(x, columns=list("abcd")).assign(shop=shop, w=rng.uniform(0.5, 2, base))


TRUE_LOADING = np.array([0.9, 0.7, 0.8, 0.5])
TRUE_NOISE = np.array([0.36, 0.64, 0.49, 1.0])
TRUE_OMEGA = TRUE_LOADING.sum() ** 2 / (TRUE_LOADING.sum() ** 2 + TRUE_NOISE.sum())


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [None, 40])
def test_intervals_of_omega_cover(clusters):
    """400 weighted surveys of 160: nominal 95 %, passed at 92 to 98 %."""
    rng = np.random.default_rng(21)
    hits, width = 0, []
    for _ in range(400):
        survey = Survey.from_frame(battery(rng, 160, clusters), weight="w", psu="shop" if clusters else None)
        row = cx.reliability(survey, list("abcd"), replicates=100).value("omega")
        hits += row["low"] <= TRUE_OMEGA <= row["high"]
        width.append(row["high"] - row["low"])
    assert 0.92 <= hits / 400 <= 0.98
    assert np.mean(width) < 0.14


def test_weights_count_and_their_scale_does_not():
    df = battery(np.random.default_rng(1), 300)
    df["w"] = np.where(df["a"] > 0, 3.0, 1.0)
    found = [
        cx.reliability(Survey.from_frame(df.assign(w=df["w"] * k), weight="w"), list("abcd"), replicates=50).table
        for k in (1, 1000)
    ]
    pd.testing.assert_frame_equal(*found, rtol=1e-9)
    plain = cx.reliability(Survey.from_frame(df), list("abcd"), replicates=0).value("alpha")["estimate"]
    assert abs(found[0].loc[0, "estimate"] - plain) > 0.005
    repeated = df.loc[np.repeat(df.index, df["w"].astype(int))]
    again = cx.reliability(Survey.from_frame(repeated), list("abcd"), replicates=0).value("alpha")["estimate"]
    assert found[0].loc[0, "estimate"] == pytest.approx(again, rel=1e-12)


def test_items_are_turned_by_their_direction():
    df = battery(np.random.default_rng(2), 200)
    df["b"] = -df["b"]
    survey = Survey.from_frame(df)
    turned = replace(survey, codebook=survey.codebook.with_items(Item("b", {"en": "Effort"}, higher_is_better=False)))
    upright = Survey.from_frame(df.assign(b=-df["b"]))
    found = cx.reliability(turned, list("abcd"), replicates=20)
    pd.testing.assert_frame_equal(found.table, cx.reliability(upright, list("abcd"), replicates=20).table)
    assert found.notes[-1]["en"] == "Turned to the direction of the first item: Effort."
    message = r"^1 of 4 items run against the others: 'b'; declare higher_is_better: false in study.yml if less is better there\.$"
    with pytest.warns(DataWarning, match=message):
        wrong = cx.reliability(survey, list("abcd"), replicates=0)
    assert wrong.value("alpha")["estimate"] < found.value("alpha")["estimate"] - 0.2


def test_who_answered_all_items_is_counted():
    df = battery(np.random.default_rng(3), 200)
    df.loc[:19, "c"] = np.nan
    found = cx.reliability(Survey.from_frame(df), list("abcd"), replicates=0)
    assert (found.base.respondents, found.base.excluded, found.base.excluded_share) == (180, 20, 0.1)
    assert found.table["base"].unique().tolist() == [180]
    assert found.table["low"].isna().all()


def test_two_items_have_an_alpha_only():
    found = cx.reliability(Survey.from_frame(MOBI[["PERV1", "PERV2"]]), ["PERV1", "PERV2"], replicates=50)
    assert np.isnan(found.value("omega")["estimate"])
    assert found.sentences("en")[0].text.startswith("The 2 items hang together with an alpha of 0.82 (95% 0.7")
    assert found.sentences("zh")[0].text.startswith("2 道题的 alpha 系数为 0.82（95% 区间 0.7")


def test_sentences_give_a_verdict_on_the_lower_bound():
    found = cx.reliability(Survey.from_frame(MOBI), items_of("Quality"))
    assert found.sentences("en")[0].text.endswith(": enough for comparing groups.")
    loyalty = cx.reliability(Survey.from_frame(MOBI), items_of("Loyalty"))
    first, second = (s.text for s in loyalty.sentences("en"))
    assert first.endswith(" and an alpha of 0.44: too little for a common score.")
    assert second.startswith("Without CUSL2 alpha would be 0.7")


def test_a_repeated_item_is_said_to_repeat():
    df = battery(np.random.default_rng(4), 200)
    df["b"] = df["a"]
    with pytest.warns(DataWarning, match="leaves an item no residual variance; omega is an upper bound"):
        cx.reliability(Survey.from_frame(df), list("abc"), replicates=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.reliability(s, ["a"]), "items names 1 item; a battery has two or more."),
        (lambda s: cx.reliability(s, ["a", "aa"]), "items names 1 column that is not in the survey: 'aa' (did you mean 'a'?)."),
        (lambda s: cx.reliability(s.with_columns(e=np.ones(200)), ["a", "b", "e"]),
         "items: 1 of 3 have the same answer from all 200 respondents: 'e'; leave them out."),
        (lambda s: cx.reliability(s.with_columns(e=np.where(np.arange(200) < 3, 1.0, np.nan)), ["a", "b", "e"]),
         "items: 3 of 200 respondents answered all 3 items; at least 4 are needed: leave out items that few were asked."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(Survey.from_frame(battery(np.random.default_rng(5), 200)))
    assert str(error.value) == message
