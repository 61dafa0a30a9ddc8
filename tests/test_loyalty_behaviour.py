"""Intention against behaviour: shares, slopes, replicates, groups, words, faults, the planted truths of the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.loyalty._groups import replicate_weights
from cxlab.loyalty._refits import refits

DEMO = Path(__file__).parents[1] / "data" / "healthcheck"


def frame(count=1200, *, seed=2):
    rng = np.random.default_rng(seed)
    s = rng.integers(0, 11, count).astype(float)
    says = np.clip(np.round(s + rng.normal(0, 1.5, count)), 0, 10)
    card = rng.choice(["gold", "plain"], count)
    chance = 1 / (1 + np.exp(-(-0.8 + 0.15 * says + np.where(card == "gold", 1.0, 0.0))))
    return pd.DataFrame({
        "satisfaction": s, "repurchase": says, "renewed": (rng.random(count) < chance).astype(float),
        "w": rng.uniform(0.5, 2, count), "card": card, "psu": rng.integers(0, 300, count),
    })  # fmt: skip


def survey_of(df, **options):
    return cx.Survey.from_frame(df, weight="w", **options)


def compare(df, **options):
    return cx.intention_behaviour(survey_of(df), **{"replicates": 200, **options})


# ---------------------------------------------------------------------- numbers
def test_shares_by_answer_are_those_of_the_plain_table():
    df = frame()
    survey = survey_of(df.assign(point=df["repurchase"]))
    plain = cx.means(survey, "renewed", by="point").table
    found = cx.intention_behaviour(survey, replicates=100).table
    for column in ("estimate", "se", "base", "base_effective"):
        assert found[column].to_numpy() == pytest.approx(plain[column].to_numpy()), column
    assert found["share"].sum() == pytest.approx(1)
    assert ((found["low"] <= found["estimate"]) & (found["estimate"] <= found["high"])).all()


def test_bands_hold_the_answers_from_their_lowest_on():
    df = frame()
    table = compare(df, bands=(0, 5, 9)).table
    assert table[["lowest", "highest"]].to_numpy().tolist() == [[0, 4], [5, 8], [9, 10]]
    top = df[df["repurchase"] >= 9]
    assert table["estimate"].iloc[-1] == pytest.approx(np.average(top["renewed"], weights=top["w"]))
    assert table["base"].iloc[-1] == len(top)


def test_overclaim_is_what_is_said_less_what_is_done():
    df = frame()
    row = compare(df).agreement.iloc[0]
    difference = (df["repurchase"] >= 9) * 1.0 - df["renewed"]
    plain = cx.means(survey_of(df.assign(d=difference)), "d").table.iloc[0]
    assert row["overclaim"] == pytest.approx(plain["estimate"])
    assert row["overclaim"] == pytest.approx(row["intended"] - row["behaved"])
    assert row["overclaim_high"] - row["overclaim_low"] == pytest.approx(plain["high"] - plain["low"], rel=0.15)
    less = compare(df, intends=7).agreement.iloc[0]
    assert less["intended"] == pytest.approx(np.average(df["repurchase"] >= 7, weights=df["w"]))


def test_slopes_are_those_of_plain_regressions():
    df = frame()
    row = compare(df, replicates=1000).agreement.iloc[0]
    survey = survey_of(df.assign(stated=df["repurchase"] / 10))
    line = cx.linear(survey, "renewed", ["stated"]).table.set_index("coefficient").loc["stated"]
    assert row["slope"] == pytest.approx(line["estimate"])
    assert row["slope_high"] - row["slope_low"] == pytest.approx(line["high"] - line["low"], rel=0.12)
    w, s, x = (df[c].to_numpy() for c in ("w", "satisfaction", "repurchase"))
    assert row["to_intention"] == pytest.approx(
        np.cov(s, x, aweights=w)[0, 1] / np.sqrt(np.cov(s, aweights=w) * np.cov(x, aweights=w))
    )
    b = cx.logit(survey, "renewed", ["satisfaction"]).table.set_index("coefficient").loc["satisfaction", "estimate"]
    spread = np.sqrt(np.cov(s, aweights=w, ddof=0))
    assert row["to_behaviour"] == pytest.approx(b * spread / np.sqrt(b**2 * spread**2 + np.pi**2 / 3), rel=1e-9)
    assert row["gap"] == pytest.approx(row["to_intention"] - row["to_behaviour"])


def test_replicates_of_logits_are_refits():
    df = frame(400)
    survey = cx.Survey.from_frame(df, weight="w", psu="psu")
    weights = next(replicate_weights(resolve(survey), np.arange(len(df)), 10, 1))
    x = np.column_stack([np.ones(len(df)), df["repurchase"]])
    start = refits(x, df["renewed"].to_numpy(), df["w"].to_numpy()[None])[0]
    found = refits(x, df["renewed"].to_numpy(), weights, start)
    for w, beta in zip(weights, found, strict=True):
        again = cx.logit(cx.Survey.from_frame(df.assign(w=w), weight="w"), "renewed", ["repurchase"]).table
        assert beta == pytest.approx(again["estimate"].to_numpy(), abs=1e-8)


def test_a_separated_replicate_has_no_answer():
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    y = np.array([0, 0, 1, 0, 1, 1.0])
    weights = np.array([np.ones(6), [1, 1, 0, 1, 1, 1], np.zeros(6)])
    found = refits(x, y, weights, refits(x, y, np.ones((1, 6)))[0])
    assert np.isfinite(found).all(axis=1).tolist() == [True, False, False]


# ---------------------------------------------------------------------- groups
def test_groups_that_mean_different_things_by_the_same_answer_are_told_apart():
    df = frame(2500)
    found = compare(df, by="card")
    row = found.differences.set_index("measure").loc["at_equal_intention"]
    plain = cx.logit(survey_of(df), "renewed", ["repurchase", "card"]).table.set_index("coefficient")
    assert (row["segment"], row["other"]) == ("gold", "plain")
    assert row["low"] < 0.21 < row["high"]
    assert plain.loc["card=plain", "estimate"] < 0 < row["estimate"]
    said = found.sentences("en")[-1].text
    assert said.startswith("With equal intentions, “renewed” is ")
    assert said.endswith(
        "more frequent in gold than in plain (p < .001): the same answer does not foretell the same behaviour in both."
    )
    assert found.agreement["base"].sum() == len(df)
    same = compare(df.assign(card=np.where(np.arange(len(df)) % 2, "a", "b")), by="card")
    assert same.sentences("en")[-1].text.startswith(
        "No difference between the groups can be told at equal intentions (smallest p = "
    )
    assert same.sentences("zh")[-1].text.startswith("在意向相同的情况下，各群体的行为看不出差异")


def test_a_group_without_variation_is_kept_and_not_compared():
    df = frame(600)
    df.loc[df["card"] == "gold", "renewed"] = 1.0
    found = compare(df, by="card")
    assert found.agreement.set_index("segment").loc["gold", "behaved"] == 1
    assert found.agreement.set_index("segment").loc["gold", ["to_behaviour", "gap"]].isna().all()
    assert found.differences["measure"].tolist() == ["overclaim"]


def test_satisfaction_can_be_left_out():
    found = compare(frame(), satisfaction=None)
    assert found.agreement[["to_intention", "to_behaviour", "gap"]].isna().all(axis=None)
    assert len(found.sentences("en")) == 2


def test_a_group_that_answers_alike_has_no_slope():
    df = frame()
    df.loc[df["card"] == "gold", "repurchase"] = 7.0
    found = compare(df, by="card", satisfaction="satisfaction")
    gold = found.agreement.set_index("segment").loc["gold"]
    assert np.isnan(gold[["slope", "slope_low", "slope_high", "to_intention"]].to_numpy(dtype=float)).all()
    assert not any("gold: From the lowest" in s.text for s in found.sentences("en"))


def test_one_group_with_behaviour_alone_is_not_compared():
    df = frame()
    df.loc[df["card"] == "gold", "renewed"] = np.nan
    found = compare(df, by="card")
    assert found.agreement["segment"].tolist() == ["plain"]
    assert found.differences.empty
    assert (
        found.headline("en").text == "With equal intentions, no difference between the groups in “renewed” can be told"
    )


def test_respondents_without_a_group_are_counted():
    df = frame()
    df.loc[:99, "card"] = None
    assert "100 respondents of the base have no “card” and are in none of the groups." in [
        n["en"] for n in compare(df, by="card").notes
    ]
    assert "样本中有 100 名受访者缺少“card”，不属于任何群体。" in [n["zh"] for n in compare(df, by="card").notes]


def test_a_negative_tie_is_close_by_its_size():
    df = frame()
    found = compare(df.assign(satisfaction=-df["satisfaction"]))
    row = found.agreement.iloc[0]
    assert row["to_intention"] < row["to_behaviour"] < 0
    assert row["gap_p"] < 0.05
    assert "is tied more closely to what customers say than to what they do" in found.sentences("en")[-1].text
    assert "与顾客所说的关联强于与其所做的" in found.sentences("zh")[-1].text


def test_the_title_says_the_finding():
    found = compare(frame())
    row = found.agreement.iloc[0]
    kind = (
        ("More say they will than do", "说的多、做的少")
        if row["overclaim"] > 0
        else ("More do than say they will", "做的比说的多")
    )
    assert row["overclaim_p"] < 0.05
    assert found.headline("en").text.startswith(kind[0])
    assert found.headline("zh").text.startswith(kind[1])
    groups = compare(frame(2500), by="card")
    gap = groups.differences.set_index("measure").loc["at_equal_intention", "estimate"]
    assert (
        groups.headline("en").text
        == f"With equal intentions, “renewed” is {100 * gap:.1f} points more frequent in gold than in plain"
    )
    assert groups.headline("zh").text == f"意向相同时，gold的“renewed”比例比plain高 {100 * gap:.1f} 个百分点"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_picture_and_workbook(lang, tmp_path):
    for by in (None, "card"):
        found = compare(frame(), by=by)
        text = str(found.sentences(lang)) + found.methods(lang) + "".join(n[lang] for n in found.notes)
        assert "{" not in text
        axes = found.plot(lang=lang)
        labels = [t.get_text() for t in axes.get_legend().get_texts()]
        assert labels[0] == {"en": "if customers did what they say", "zh": "若言行一致"}[lang]
        assert labels[1:] == (
            ["gold", "plain"] if by else [{"en": "did it, 95% interval", "zh": "实际行为比例及 95% 区间"}[lang]]
        )
        plt.close(axes.figure)
        assert found.to_excel(tmp_path / f"{by}.xlsx").stat().st_size > 4000
    first = compare(frame()).sentences(lang)[0].text
    assert {"en": "say they will (“repurchase” 9 or more)", "zh": "的顾客表示会（“repurchase”9 分及以上）"}[
        lang
    ] in first
    assert found.call == "cx.intention_behaviour(survey, 'repurchase', 'renewed', by='card', replicates=200)"


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d.assign(renewed=d["renewed"] * 2), {},
         "behaviour 'renewed' has values other than 0 and 1 (2); 1 says that it was done, 0 that it was not."),
        (lambda d: d.assign(renewed=1.0), {}, "behaviour 'renewed' is 1 for all 1,200 respondents; there is nothing to compare."),
        (lambda d: d.assign(repurchase=5.0), {}, "intention 'repurchase' is 5 for all 1,200 respondents; there is nothing to compare."),
        (lambda d: d.head(20), {},
         "intention 'repurchase' and behaviour 'renewed' are both known for 20 respondents; at least 30 are needed: widen the "
         "filter, or take several waves together."),
        (lambda d: d.assign(satisfaction=np.nan), {},
         "satisfaction 'satisfaction' is missing for all 1,200 respondents; name another column, or satisfaction=None."),
        (lambda d: d, {"behaviour": "repurchase"},
         "intention 'repurchase', behaviour 'repurchase' and satisfaction 'satisfaction' are to be three different columns."),
        (lambda d: d, {"intention": "repurchse"},
         "intention names 1 column that is not in the survey: 'repurchse' (did you mean 'repurchase'?)."),
        (lambda d: d, {"behaviour": "renewd"}, "behaviour names 1 column that is not in the survey: 'renewd' (did you mean 'renewed'?)."),
        (lambda d: d, {"satisfaction": "satisfactoin"},
         "satisfaction names 1 column that is not in the survey: 'satisfactoin' (did you mean 'satisfaction'?)."),
        (lambda d: d, {"by": "cart"}, "by names 1 column that is not in the survey: 'cart' (did you mean 'card'?)."),
        (lambda d: d.assign(card="gold"), {"by": "card"}, "by: 'card' has 1 groups among the respondents; 2 to 40 can be compared."),
        (lambda d: d, {"bands": (0, 5, 5)},
         "bands is [0, 5, 5]; name rising lowest answers, the first at most 0, the lowest answer to 'repurchase'."),
        (lambda d: d, {"bands": (1, 5)},
         "bands is [1, 5]; name rising lowest answers, the first at most 0, the lowest answer to 'repurchase'."),
        (lambda d: d, {"bands": (0, 5, 11)}, "bands: no answer to 'repurchase' lies in 1 of 3 bands (from 11); merge them."),
        (lambda d: d, {"intends": 11},
         "intends is 11; 'repurchase' runs from 0 to 10: name an answer above the lowest of them."),
        (lambda d: d, {"replicates": 10}, "replicates is 10; intervals need at least 100."),
        (lambda d: d, {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input(change, options, message):
    with pytest.raises(SurveyError) as caught:
        compare(change(frame()), **options)
    assert str(caught.value) == message


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def demo():
    survey = cx.open_study(DEMO / "study.yml").survey()
    d = survey.data
    path = np.select(
        [d["problem"] == 0, d["resolved"] == 1, d["voiced"] == 1, d["voiced"] == 0], [1.0, 2.0, 3.0, 4.0], np.nan
    )
    hostage = ((d["card"] == 1) & (d["payer"] == 2)).astype(float)
    return survey.with_columns(path=path, hostage=hostage.to_numpy())


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]


def near(estimate, low, high, true):
    """Within 4.1 standard errors of the pseudo-true value."""
    se = (high - low) / 2 / 1.96
    return abs(estimate - true["value"]) <= 4.1 * np.hypot(se, true["se"])


def test_renewals_after_complaints(demo, truth):
    table = cx.intention_behaviour(demo, by="path", replicates=200)
    by_path = table.agreement.set_index("segment")
    paths = dict(enumerate(("no_problem", "voiced_resolved", "voiced_unresolved", "silent"), start=1))
    for code, name in paths.items():
        row = by_path.loc[float(code)]
        assert near(row["behaved"], row["behaved_low"], row["behaved_high"], truth["complaints"]["renewal"][name]), name
    equal = table.differences[table.differences["measure"] == "at_equal_intention"].set_index(["segment", "other"])
    assert equal.loc[(1.0, 3.0), "p_value"] < 0.001  # a complaint left unresolved costs more than intentions say
    assert equal.loc[(1.0, 3.0), "estimate"] > 0.2
    assert equal.loc[(1.0, 2.0), "p_value"] > 0.05


def test_renewals_by_card(demo, truth):
    found = cx.intention_behaviour(demo, by="card", replicates=200).agreement.set_index("segment")
    for code, name in ((1.0, "ordinary"), (2.0, "gold"), (3.0, "diamond")):
        row = found.loc[code]
        assert near(row["behaved"], row["behaved_low"], row["behaved_high"], truth["renewal"][name]), name


def test_hostages_renew_whatever_they_say(demo, truth):
    found = cx.intention_behaviour(demo.where(card=1), by="hostage", replicates=500)
    free, bound = (found.agreement.set_index("segment").loc[k] for k in (0.0, 1.0))
    assert near(bound["behaved"], bound["behaved_low"], bound["behaved_high"], truth["renewal"]["hostages"])
    assert bound["slope_low"] < 0 < bound["slope_high"] or abs(bound["slope"]) < 0.1
    assert abs(bound["to_behaviour"]) < 0.1 < 0.2 < free["to_behaviour"]
    assert bound["to_intention"] > 0.7
    gap = found.differences.set_index("measure").loc["gap"]
    assert gap["estimate"] < 0  # segment 0 against 1
    assert gap["p_value"] < 0.001
