"""The register of claims: verdicts against intervals, estimates against other functions, planted truths, what cannot be tested."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

import cxlab as cx
from cxlab.claim_register import _register
from cxlab.claim_register._case import NEEDS
from cxlab.claim_register._estimators import Slope
from cxlab.claim_register._premium import _falling
from cxlab.claim_register._register import REGISTER
from cxlab.errors import SurveyError

DATA = Path(__file__).parents[1] / "data"
OFFERS = np.array([3.0, 6, 9, 12, 15, 18, 24])
Z = 4.1


@pytest.fixture(scope="module")
def study():
    return cx.open_study(DATA / "healthcheck")


@pytest.fixture(scope="module")
def register(study):
    return cx.claims(study, columns={"unit": "clinic"})


@pytest.fixture(scope="module")
def truth():
    return json.loads((DATA / "healthcheck" / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]


def choices(premium=9.0, count=1500, *, seed=1, spread=3.0):
    rng = np.random.default_rng(seed)
    offer = rng.choice(OFFERS, count)
    return pd.DataFrame({
        "price_offer": offer, "price_choice": (rng.random(count) < 1 / (1 + np.exp((offer - premium) / spread))) * 1.0,
        "w": rng.choice([1.0, 2.0, 3.0], count), "card": rng.choice(["gold", "plain"], count),
    })  # fmt: skip


def premium(df, **options):
    return cx.claims(cx.Survey.from_frame(df, weight="w"), "premium", **options)


def row_of(result, name):
    return result.table.set_index("claim").loc[name]


def reason(result, name="premium"):
    return result.untestable.set_index("claim").loc[name, "reason_en"]


# ---------------------------------------------------------------------- the demo study
def close(row, value, *ses):
    return abs(row["estimate"] - value) <= Z * np.sqrt(row["se"] ** 2 + sum(s**2 for s in ses))


def test_the_planted_premium_is_found_by_card(study, register, truth):
    total = row_of(register, "premium")
    assert close(total, truth["premium"]["total"]["value"], truth["premium"]["total"]["se"])
    assert total["status"] == "contradicted"
    cards = cx.claims(study, "premium", by="card").table.set_index("segment")
    for code, card in enumerate(("ordinary", "gold", "diamond"), start=1):
        assert close(cards.loc[code], truth["premium"][card]["value"], truth["premium"][card]["se"])
    assert cards["status"].tolist() == ["contradicted", "contradicted", "supported"]
    assert (cards["se"] < 0.3).all()


@pytest.mark.parametrize(
    ("name", "groups"),
    [("silent_leave", ("silent", "no_problem")), ("first_time_right", ("voiced_resolved", "voiced_unresolved")),
     ("recovered", ("voiced_resolved", "no_problem")), ("paradox", ("voiced_resolved", "no_problem"))],
)  # fmt: skip
def test_renewals_after_complaints(register, truth, name, groups):
    one, other = (truth["complaints"]["renewal"][g] for g in groups)
    assert close(row_of(register, name), one["value"] - other["value"], one["se"], other["se"])


def test_silence_memory_and_staff(register, truth):
    voiced, part = truth["complaints"]["voiced"], truth["peak_end"]
    assert close(row_of(register, "silence"), 1 - voiced["value"], voiced["se"])
    assert close(row_of(register, "average_forgotten"), part["mean"]["value"], part["mean"]["se"])
    assert close(row_of(register, "length_forgotten"), 10 * part["duration"]["value"], 10 * part["duration"]["se"])
    r = truth["clinics"]["engagement_satisfaction_r"]
    assert abs(row_of(register, "staff")["estimate"] - r["value"]) <= Z * r["se_survey"]


def test_verdicts_on_the_demo_study(register):
    assert register.table.set_index("claim")["status"].to_dict() == {
        "premium": "contradicted", "cost_of_a_point": "untestable", "response_rate": "untestable", "outlets": "untestable",
        "loyalty": "supported", "intention": "supported", "switching_cost": "not decided", "revenue": "supported",
        "staff": "not decided", "silence": "supported", "silent_leave": "supported", "first_time_right": "supported",
        "recovered": "not decided", "paradox": "not decided", "difference": "contradicted",
        "average_forgotten": "contradicted", "length_forgotten": "supported", "people": "untestable",
    }  # fmt: skip


def test_status_is_a_function_of_the_interval_and_p_values_agree(register):
    tested = register.table[register.table["status"] != "untestable"]
    inside = (tested["low"] >= tested["claimed_low"]) & (tested["high"] <= tested["claimed_high"])
    outside = (tested["high"] < tested["claimed_low"]) | (tested["low"] > tested["claimed_high"])
    expected = np.select([inside, outside], ["supported", "contradicted"], "not decided")
    assert tested["status"].tolist() == expected.tolist()
    assert (tested["p_value"] <= 0.025).tolist() == inside.tolist()
    assert (tested["p_against"] <= 0.025).tolist() == outside.tolist()


@pytest.mark.parametrize("name", ["premium", "silence", "staff", "difference", "loyalty"])
def test_a_range_that_ends_at_the_interval_is_just_rejected(study, register, name):
    row = row_of(register, name)
    ranges = {name: (row["low"], row["high"])}
    again = row_of(cx.claims(study, name, columns={"unit": "clinic"}, ranges=ranges), name)
    assert again["p_value"] == pytest.approx(0.025, rel=1e-6)
    assert again["status"] in ("supported", "not decided")  # equal but for rounding
    below = row_of(cx.claims(study, name, columns={"unit": "clinic"}, ranges={name: (row["high"], None)}), name)
    assert below["p_against"] == pytest.approx(0.025, rel=1e-6)


def test_sentences_say_what_a_manager_asks(register):
    english, chinese = [s.text for s in register.sentences("en")], [s.text for s in register.sentences("zh")]
    assert english[0] == (
        "On these data, good experience carries a premium of 9.0% (8.9% to 9.2%), below the claimed 13% to 18%."
    )
    assert chinese[0] == "本次数据显示，好体验的溢价为 9.0%（8.9% 至 9.2%），低于所称的 13% 至 18%。"
    assert (
        "On these data, renewal after a resolved complaint differs by −1.7 pp from that without a problem (−7.2 to +3.8); "
        "the claimed −5.0 to +5.0 pp is neither confirmed nor refuted."
    ) in english
    assert (
        "“2–3% of those invited answer a survey” cannot be tested here: the data lack whether the person invited took part, "
        "0/1 (responded). It takes a file with one row per invitation, answered or not."
    ) in english
    assert (
        "“问卷回复率为 2%–3%”在此无法检验：数据中缺少受邀者是否作答，0/1（responded）。检验所需：每次邀请占一行（无论是否作答）的数据。"
        in chinese
    )
    assert len(english) == len(chinese) == len(REGISTER)
    assert register.sentences("en")[0].facts["estimate"].value == row_of(register, "premium")["estimate"]


def test_notes_say_what_tests_assume(register):
    notes = [n["en"] for n in register.notes]
    assert notes[0] == (
        "A claim is supported if its interval lies within the claimed range, contradicted if outside: tests at 2.50% on each side. "
        "Claims tested one by one, without adjustment for their number: 14."
    )
    assert notes.count("Customers who differ are compared; nobody was assigned to anything.") == 1
    assert "price that the customer pays (price_paid) comes from the linked table customers, as the mean where it has several rows." in notes  # fmt: skip
    assert any("Stated willingness usually exceeds what is paid." in n for n in notes)
    assert all(n["zh"] for n in register.notes)


def test_the_picture_has_a_row_per_claim(study, register):
    for lang in ("en", "zh"):
        ax = register.plot(lang=lang)
        assert len(ax.get_yticks()) == len(REGISTER)
        shown = {t.get_text() for t in ax.texts}
        assert ("9.0% (8.9% to 9.2%)" if lang == "en" else "9.0%（8.9% 至 9.2%）") in shown
        assert sum(t.startswith(("untestable here: ", "在此无法检验：")) for t in shown) == 4
    cards = cx.claims(study, "premium", by="card").plot(lang="en")
    bands = [c.get_paths()[0].get_extents().bounds for c in cards.collections if isinstance(c, PolyCollection)]
    assert [b[0::2] for b in bands] == [bands[0][0::2]] * 3  # groups of a claim share its scale
    assert len(cards.get_yticks()) == 3
    mpl.pyplot.close("all")


def test_renderings(register, tmp_path):
    shown = register.shown("en").set_index("Claim")
    assert shown.loc["Customers pay 13–18% more for good experience", "Verdict"] == "contradicted"
    assert shown.loc["2–3% of those invited answer a survey", "Claimed from"] == "2.0%"
    assert shown.loc["More satisfied customers renew more often", "Claimed to"] == "∞"
    assert list(register.further()) == ["untestable", "acceptance", "check"]
    assert "数据中缺少" in register.further()["untestable"].shown("zh").iloc[0, 1]
    assert "Fieller" in register.methods("en")
    assert register.to_excel(tmp_path / "claims.xlsx").stat().st_size > 4000
    assert register.call == "cx.claims(study, columns={'unit': 'clinic'})"


# ---------------------------------------------------------------------- the premium
def test_another_simulated_premium_flips_the_status():
    found = {
        true: row_of(cx.claims(cx.simulate_healthcheck(100, 6, seed=5, premium=(true,) * 3).survey(), "premium"), "premium")
        for true in (9.0, 13.0, 15.5, 22.0)
    }  # fmt: skip
    assert [r["status"] for r in found.values()] == ["contradicted", "not decided", "supported", "contradicted"]
    assert all(close(r, true) for true, r in found.items())


def test_the_ends_of_the_interval_are_where_the_logit_is_just_not_one_half():
    df = choices(count=400)
    survey = cx.Survey.from_frame(df, weight="w")
    row = row_of(premium(df, level=0.9), "premium")
    fit = cx.logit(survey, "price_choice", ["price_offer"])
    a, b = fit.table["estimate"]
    v = fit.covariance.to_numpy()
    assert row["estimate"] == pytest.approx(-a / b)
    from scipy import stats

    for end in (row["low"], row["high"]):
        x = np.array([1.0, end])
        assert abs(x @ [a, b]) / np.sqrt(x @ v @ x) == pytest.approx(stats.t.ppf(0.95, fit.df))
    gradient = np.array([-1 / b, a / b**2])
    assert row["se"] == pytest.approx(np.sqrt(gradient @ v @ gradient))


def test_turnbulls_bounds_by_hand():
    shares = {3: (9, 10), 6: (5, 10), 9: (6, 10), 12: (1, 10)}
    rows = [(o, float(k < yes)) for o, (yes, n) in shares.items() for k in range(n)]
    df = pd.DataFrame(rows * 4, columns=["price_offer", "price_choice"]).assign(w=1.0)
    found = premium(df)
    assert found.acceptance["monotone"].tolist() == pytest.approx([0.9, 0.55, 0.55, 0.1])
    check = found.check.iloc[0]
    assert check["mean_least"] == pytest.approx(3 * (0.9 + 0.55 + 0.55 + 0.1))
    assert check["mean_most"] == pytest.approx(3 * (1 + 0.9 + 0.55 + 0.55))
    variance = [0.9 * 0.1, 0.5 * 0.5, 0.6 * 0.4, 0.1 * 0.9]  # of 40 each; the pooled pair counts half of twice the step
    se = (check["mean_least_high"] - check["mean_least_low"]) / 2 / 1.9750  # t with 159 degrees of freedom
    assert se == pytest.approx(3 * np.sqrt(sum(variance) / 40), rel=0.03)
    assert _falling(np.array([0.1, 0.2, 0.9]), np.array([1.0, 1, 2]))[0] == pytest.approx([0.525] * 3)


def test_the_bounds_hold_the_median_and_name_a_curve_that_fits_badly():
    found = premium(choices(count=4000)).check.iloc[0]
    assert found["mean_least"] < 9 < found["mean_most"]
    assert (found["median_least"], found["median_most"]) == (6, 12)
    df = choices(count=4000)
    rng = np.random.default_rng(1)
    df["price_choice"] = (rng.random(4000) < np.where(df["price_offer"] <= 3, 0.99, 0.42)) * 1.0  # 3 % or anything
    said = "Customers pay 13–18% more for good experience: The premium lies outside what acceptance offer by offer allows for the "
    said += "median (3% to 9%): the logistic curve does not fit, do not rely on it."
    assert said in [n["en"] for n in premium(df).notes]
    assert not any("does not fit" in n["en"] for n in premium(choices()).notes)


def test_weights_rows_and_domains():
    df = choices()
    row = row_of(premium(df), "premium")
    for other in (df.assign(w=7 * df["w"]), df.sample(frac=1, random_state=2)):
        same = row_of(premium(other), "premium")
        for column in ("estimate", "se", "low", "high", "p_value"):
            assert same[column] == pytest.approx(row[column], rel=1e-9), column
    repeated = df.loc[df.index.repeat(df["w"].astype(int))].assign(w=1.0)
    again = row_of(premium(repeated), "premium")
    assert again["estimate"] == pytest.approx(row["estimate"], rel=1e-9)
    assert again["se"] < 0.9 * row["se"]
    survey = cx.Survey.from_frame(df, weight="w")
    by = cx.claims(survey, "premium", by="card").table.set_index("segment").loc["gold"]
    alone = row_of(cx.claims(survey.where(card="gold"), "premium"), "premium")
    for column in ("estimate", "se", "low", "high", "base"):
        assert by[column] == pytest.approx(alone[column]), column


def test_an_interval_without_ends_decides_nothing():
    found = premium(choices(count=60, spread=60.0, seed=3))
    row = row_of(found, "premium")
    assert (row["low"], row["high"], row["status"]) == (-np.inf, np.inf, "not decided")
    assert np.isnan(row["p_value"])
    assert any(n["en"].endswith("the interval of the premium has no ends.") for n in found.notes)
    assert found.sentences("en")[0].text.endswith("(−∞ to ∞); the claimed 13% to 18% is neither confirmed nor refuted.")
    found.plot(lang="zh")
    mpl.pyplot.close("all")


def test_an_offer_that_two_people_met_proves_nothing():
    df = choices(count=600)
    df = pd.concat([df[df["price_offer"] < 24], df.head(2).assign(price_offer=24.0, price_choice=1.0)]).assign(w=1.0)
    found = premium(df)
    last = found.acceptance.iloc[-1]
    assert last[["estimate", "se", "low", "high"]].tolist() == pytest.approx(
        [1, 0, 0.025**0.5, 1]
    )  # Clopper and Pearson
    assert found.check[["median_least", "median_most"]].iloc[0].tolist() == [6, 12]
    assert not any("does not fit" in n["en"] for n in found.notes)
    width = found.check["mean_least_high"].iloc[0] - found.check["mean_least_low"].iloc[0]
    assert width < 2.5  # 9.6 with the one degree of freedom of two people


def test_a_premium_beyond_the_offers_is_marked():
    df = choices(premium=30.0)
    assert any("outside the surcharges offered (3% to 24%)" in n["en"] for n in premium(df).notes)
    assert not any("outside the surcharges offered" in n["en"] for n in premium(choices()).notes)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.assign(price_choice=1 - d["price_choice"]), "acceptance does not fall as the surcharge rises"),
        (lambda d: d.assign(price_offer=d["price_offer"] / 100),
         "the surcharge runs from 0.03 to 0.24; per cent are needed, 3 for 3%"),
        (lambda d: d.assign(price_offer=9.0), "everybody was offered the same surcharge"),
        (lambda d: d.assign(price_choice=0.0), "all accept, or all refuse, the surcharge"),
        (lambda d: d.assign(price_choice=(d["price_offer"] < 8) * 1.0),
         "one surcharge parts all who accept from all who refuse; the curve between them cannot be told"),
        (lambda d: d.head(20), "only 20 respondents answered the price question; at least 30 are required"),
        (lambda d: d.assign(price_choice=d["price_choice"] + 1),
         "'price_choice' (whether the surcharge was accepted, 0/1) holds 2 beside 0 and 1: recode it"),
        (lambda d: d.drop(columns="price_choice"),
         "the data lack whether the surcharge was accepted, 0/1 (price_choice)"),
    ],
)  # fmt: skip
def test_prices_that_allow_no_test_say_why(change, why):
    found = premium(change(choices()))
    row = row_of(found, "premium")
    assert (row["status"], row["base"], row["reliability"]) == ("untestable", 0, "")
    assert reason(found) == why
    assert found.untestable["reason_zh"].iloc[0] not in ("", why)
    assert found.sentences("zh")[0].text.startswith("“好体验可带来 13%–18% 的溢价”在此无法检验：")


def test_a_small_group_is_masked_and_gets_no_verdict():
    df = choices()
    df.loc[:33, "w"] = np.geomspace(1, 400, 34)
    df["card"] = np.where(np.arange(len(df)) < 34, "new", "plain")
    found = premium(df, by="card")
    small = found.table.set_index("segment").loc["new"]
    assert (small["status"], small["reliability"]) == ("untestable", "suppressed")
    assert np.isfinite(small["estimate"])
    shown = found.shown("en").set_index("Segment")
    assert (shown.loc["new", "Estimate"], shown.loc["new", "Claimed from"]) == ("–", "13.0")
    assert reason(found).startswith("the effective base is only ")
    assert "(new) cannot be tested here" in found.sentences("en")[-1].text


# ---------------------------------------------------------------------- other claims against other functions
@pytest.fixture(scope="module")
def visits():
    rng = np.random.default_rng(4)
    n = 900
    problem = (rng.random(n) < 0.5) * 1.0
    voiced = np.where(problem == 1, (rng.random(n) < 0.4) * 1.0, np.nan)
    resolved = np.where(voiced == 1, (rng.random(n) < 0.5) * 1.0, np.nan)
    x, e = rng.integers(0, 11, n).astype(float), rng.integers(0, 11, n).astype(float)
    df = pd.DataFrame({
        "satisfaction": rng.integers(0, 11, n), "renewed": (rng.random(n) < 0.6) * 1.0, "problem": problem, "voiced": voiced,
        "resolved": resolved, "x": x, "e": e, "feel": 0.5 * x - 0.3 * e + rng.normal(0, 1, n),
        "price_paid": rng.choice([100.0, 300.0], n), "w": rng.uniform(0.5, 2, n),
    })  # fmt: skip
    survey = cx.Survey.from_frame(df, weight="w")
    from cxlab.survey import Touchpoint

    return replace(
        survey, roles=replace(survey.roles, touchpoints=(Touchpoint("desk", "visit", "us", "x", "e", "feel"),))
    )


def test_gaps_slopes_and_shares_are_those_of_the_functions_named_so(visits):
    found = cx.claims(visits)
    group = visits.values("resolved")
    fit = cx.linear(visits.with_columns(group=group), "renewed", ["group"]).table.iloc[1]
    gap = row_of(found, "first_time_right")
    for column in ("estimate", "se", "low", "high", "base"):
        assert gap[column] == pytest.approx(fit[column]), column
    money = visits.with_columns(revenue=visits.values("renewed") * visits.values("price_paid"))
    fit = cx.linear(money, "revenue", ["satisfaction", "price_paid"]).table.iloc[1]
    assert row_of(found, "revenue")[["estimate", "se"]].tolist() == pytest.approx(fit[["estimate", "se"]].tolist())
    shares = cx.proportions(visits.where("problem == 1"), "voiced").table
    share = shares[shares["code"] == 0].iloc[0]
    for column in ("estimate", "se", "low", "high", "base"):
        assert row_of(found, "silence")[column] == pytest.approx(share[column]), column


def turned(survey, **scales):
    """The survey with some ratings written the other way round, and their codebook saying so."""
    values = {name: low + high - survey.values(name) for name, (low, high) in scales.items()}
    items = [replace(survey.codebook[n], scale=ends, higher_is_better=False) for n, ends in scales.items()]
    out = survey.with_columns(**values)
    return replace(out, codebook=out.codebook.with_items(*items))


def test_ratings_that_run_the_other_way_do_not_turn_the_verdict(visits):
    rng = np.random.default_rng(5)
    likes = visits.values("satisfaction")
    survey = visits.with_columns(
        renewed=(rng.random(len(likes)) < (likes + 1) / 12) * 1.0, repurchase=likes + rng.normal(0, 2, len(likes))
    )
    names = ["loyalty", "intention", "difference"]
    other = turned(survey, satisfaction=(0, 10), x=(0, 10), e=(0, 10), feel=(-10, 10), repurchase=(-10, 20))
    one, two = (cx.claims(s, names).table.set_index("claim") for s in (survey, other))
    assert one.loc["loyalty", "status"] == two.loc["loyalty", "status"] == "supported"
    pd.testing.assert_frame_equal(one, two)


def test_the_peak_is_the_best_whatever_way_the_ratings_run(study):
    survey = study.survey()
    points = {p.item: (0, 10) for p in survey.roles.touchpoints} | {"remembered": (0, 10)}
    names = ["average_forgotten", "length_forgotten"]
    one, two = (cx.claims(s, names).table for s in (survey, turned(survey, **points)))
    pd.testing.assert_frame_equal(one, two)


def test_a_group_of_few_or_alike_gets_no_verdict():
    rng = np.random.default_rng(6)
    yes, rest = np.ones(60), np.full(600, np.nan)
    df = pd.DataFrame({
        "problem": np.r_[yes, 0 * rest].astype(float), "voiced": np.r_[yes, rest], "resolved": np.r_[yes, rest],
        "renewed": (rng.random(660) < 0.8) * 1.0, "w": np.r_[1000.0, np.ones(659)],
    }).fillna({"problem": 0.0})  # fmt: skip
    one = cx.claims(cx.Survey.from_frame(df, weight="w"), "paradox")  # one person is nearly all of the group
    assert reason(one, "paradox") == (
        "the smaller of the two groups compared has 60 respondents, and an effective base of 1; at least 30 are required"
    )
    df.loc[:59, "renewed"] = 1.0
    alike = cx.claims(cx.Survey.from_frame(df), "paradox")
    assert reason(alike, "paradox") == (
        "in one of the two groups compared everybody is alike, so that the error of the difference cannot be told"
    )


def test_a_share_of_nobody_or_everybody_is_tested():
    silent = cx.Survey.from_frame(pd.DataFrame({"problem": np.ones(300), "voiced": np.zeros(300)}))
    row = row_of(cx.claims(silent, "silence"), "silence")
    assert (row["estimate"], row["high"], row["status"]) == (1, 1, "supported")
    assert row["low"] == pytest.approx(0.025 ** (1 / 300))  # Clopper and Pearson
    assert row["p_value"] == pytest.approx(0.5**300)
    nobody = cx.Survey.from_frame(pd.DataFrame({"responded": np.zeros(3000)}))
    row = row_of(cx.claims(nobody, "response_rate"), "response_rate")
    assert (row["estimate"], row["low"], row["status"]) == (0, 0, "contradicted")
    assert row["p_against"] == pytest.approx(0.98**3000)


@pytest.mark.parametrize(
    ("shift", "english", "chinese"),
    [
        (-1e-5, "On these data, 55.0% of customers with a problem did not voice it (49.2% to 60.7%), which supports the claim of "
         "more than 49.167%.", "本次数据显示，遇到问题的顾客中有 55.0% 没有反映（49.2% 至 60.7%），支持“高于 49.167%”的说法。"),
        (1e-5, "On these data, 55.000% of customers with a problem did not voice it (49.168% to 60.732%); the claim of more than "
         "49.169% is neither confirmed nor refuted.",
         "本次数据显示，遇到问题的顾客中有 55.000% 没有反映（49.168% 至 60.732%）；对于“高于 49.169%”的说法，既不能证实也不能否定。"),
    ],
)  # fmt: skip
def test_numbers_are_printed_as_finely_as_the_verdict_needs(shift, english, chinese):
    df = pd.DataFrame({"problem": 1.0, "voiced": np.r_[np.ones(135), np.zeros(165)]})
    survey = cx.Survey.from_frame(df)
    low = row_of(cx.claims(survey, "silence"), "silence")["low"]
    found = cx.claims(survey, "silence", ranges={"silence": (round(low + shift, 6), None)})
    assert [found.sentences(lang)[0].text for lang in ("en", "zh")] == [english, chinese]
    assert found.shown("en")["Low"].iloc[0] == ("49.2%" if shift < 0 else "49.168%")


def test_the_balance_of_one_touchpoint_is_a_ratio_of_slopes(visits):
    fit = cx.linear(visits, "feel", ["x", "e"])
    b, v = fit.table["estimate"].to_numpy()[1:], fit.covariance.to_numpy()[1:, 1:]
    row = row_of(cx.claims(visits, "difference"), "difference")
    gradient = np.array([b[1] / b[0] ** 2, -1 / b[0]])
    assert row["estimate"] == pytest.approx(-b[1] / b[0])
    assert row["se"] == pytest.approx(np.sqrt(gradient @ v @ gradient))
    assert row["low"] < 0.6 < row["high"]
    assert row["status"] == "contradicted"


def test_alike_weights_support_the_difference(visits):
    rng = np.random.default_rng(8)
    feel = 0.5 * visits.values("x") - 0.5 * visits.values("e") + rng.normal(0, 0.8, len(visits.data))
    assert row_of(cx.claims(visits.with_columns(feel=feel), "difference"), "difference")["status"] == "supported"
    against = cx.claims(visits.with_columns(feel=-visits.values("x")), "difference")
    assert reason(against, "difference").startswith("experience does not raise the emotion at the touchpoints")


def test_invitations_and_markets():
    rng = np.random.default_rng(3)
    invited = cx.Survey.from_frame(pd.DataFrame({"responded": rng.random(20_000) < 0.025}))
    row = row_of(cx.claims(invited, "response_rate"), "response_rate")
    assert (row["status"], row["claimed_low"]) == ("supported", 0.02)
    took = cx.Survey.from_frame(pd.DataFrame({"responded": np.ones(200)}))
    assert reason(cx.claims(took, "response_rate"), "response_rate") == (
        "the file holds only people who took part, not those who were invited"
    )
    outlets = rng.integers(1, 5, 300).astype(float)
    for power, status in ((1.4, "supported"), (0.6, "contradicted"), (1.0, "not decided")):
        sales = outlets**power * np.exp(rng.normal(0, 0.3, 300))
        markets = cx.Survey.from_frame(pd.DataFrame({"outlets": outlets, "sales": sales}))
        assert row_of(cx.claims(markets, "outlets"), "outlets")["status"] == status


def test_markets_without_outlets_are_counted():
    rng = np.random.default_rng(3)
    df = pd.DataFrame({"outlets": np.r_[0.0, rng.integers(1, 9, 60)], "sales": np.r_[5.0, rng.integers(1, 99, 59), 0]})
    found = cx.claims(cx.Survey.from_frame(df), "outlets")
    assert row_of(found, "outlets")["base"] == 59
    assert (
        "Sales grow at least in proportion to outlets: Rows without outlets or without sales have no logarithm and are left out: 2."
        in [n["en"] for n in found.notes]
    )


def test_units_on_a_line_have_no_error():
    df = pd.DataFrame({"unit": np.repeat(np.arange(9), 40), "engagement": np.repeat(np.arange(9.0), 40)})
    found = cx.claims(cx.Survey.from_frame(df.assign(satisfaction=df["engagement"])), "staff")
    assert reason(found, "staff") == "the data do not scatter, so that no error can be told"


def test_units_too_few_or_alike(study):
    survey = study.survey()
    one = cx.claims(survey.with_columns(engagement=np.ones(len(survey.data))), "staff", columns={"unit": "clinic"})
    assert reason(one, "staff") == "the 12 units do not differ"
    few = survey.with_columns(engagement=survey.values("card"), branch=survey.values("card"))
    found = cx.claims(few, "staff", columns={"unit": "branch"})
    assert reason(found, "staff") == "3 units are too few for a correlation; at least 8 are required"


def test_ranges_move_the_verdict(study):
    found = cx.claims(study, ["recovered", "premium"], ranges={"recovered": (-0.1, 0.1), "premium": (None, 10)})
    assert found.table["status"].tolist() == ["supported", "supported"]
    assert found.table["claim"].tolist() == ["premium", "recovered"]
    assert found.sentences("en")[0].text.endswith(
        "a premium of 9.0% (8.9% to 9.2%), which supports the claim of less than 10%."
    )
    assert [n["en"] for n in found.notes if n["en"].endswith("not the one of the source.")] == [
        "Customers pay 13–18% more for good experience: tested against the range that was given, not the one of the source.",
        "Recovered customers are as loyal as those without a problem: tested against the range that was given, not the one of the "
        "source.",
    ]
    assert found.call.endswith(
        "which=['recovered', 'premium'], ranges={'recovered': (-0.1, 0.1), 'premium': (None, 10)})"
    )


def test_claimed_ends_are_printed_as_they_were_given(study):
    found = cx.claims(
        study, ["loyalty", "recovered", "revenue"], ranges={"loyalty": (0.0333, 0.5), "revenue": (0.5, None)}
    )
    said = [s.text for s in found.sentences("en")]
    assert said[0].endswith(", within the claimed +3.33 to +50.0 pp.")
    assert said[1].endswith(", which supports the claim of more than +0.5.")
    assert said[2].endswith("; the claimed −5.0 to +5.0 pp is neither confirmed nor refuted.")


def test_other_column_names(study):
    data = study.survey().data[["price_offer", "price_choice", "weight"]]
    named = cx.Survey.from_frame(data.rename(columns={"price_offer": "q31", "price_choice": "q32"}), weight="weight")
    found = cx.claims(named, "premium", columns={"price_offer": "q31", "price_choice": "q32"})
    assert row_of(found, "premium")["estimate"] == pytest.approx(
        row_of(cx.claims(study, "premium"), "premium")["estimate"]
    )


def test_one_entry_adds_a_claim(monkeypatch, study):
    new = replace(REGISTER["loyalty"], name="trust", test=Slope(("repurchase",), "satisfaction"), claimed=(0.7, 0.8))
    monkeypatch.setitem(REGISTER, "trust", new)
    assert row_of(cx.claims(study, "trust"), "trust")["status"] == "supported"


@pytest.mark.parametrize("claim", REGISTER.values(), ids=lambda c: c.name)
def test_every_entry_is_whole(claim):
    assert set(claim.needed) <= set(NEEDS)
    assert claim.needed
    assert set(claim.words) == set(claim.study) == {"en", "zh"}
    if claim.test is not None:
        assert set(claim.says) == set(claim.assumes) == {"en", "zh"}
        assert all("{who}" in t and "{estimate}" in t and "{low} " in t and "{high}" in t for t in claim.says.values())
        assert claim.claimed[0] < claim.claimed[1]
    assert _register.REGISTER[claim.name] is claim


# ---------------------------------------------------------------------- columns of linked tables
def linked_study(folder, ids, table):
    rng = np.random.default_rng(7)
    answers = pd.DataFrame({"id": ids, "satisfaction": rng.integers(0, 11, 90), "renewed": rng.integers(0, 2, 90)})
    answers.to_csv(folder / "answers.csv", index=False)
    (folder / "prices.csv").write_text(table, encoding="utf-8")
    (folder / "slips.csv").write_text("id,on\n1,2025-02-30\n", encoding="utf-8")
    tables = "tables:\n  prices: {file: prices.csv, key: id}\n  slips: {file: slips.csv, key: id, date: on}\n"
    (folder / "study.yml").write_text(f"study: shop\ndata: answers.csv\n{tables}", encoding="utf-8")
    return cx.open_study(folder)


def test_prices_are_joined_as_ids_are_and_lost_ids_are_said(tmp_path):
    prices = "id,price_paid\n" + "".join(f"{k:03d},{100 + k % 3}\n{k:03d},{104 + k % 3}\n" for k in range(80))
    study = linked_study(tmp_path, range(90), prices)
    found = cx.claims(study, "revenue")
    survey = study.survey()
    price = np.where(np.arange(90) < 80, 102.0 + np.arange(90) % 3, np.nan)
    money = survey.with_columns(revenue=survey.values("renewed") * price, price=price)
    fit = cx.linear(money, "revenue", ["satisfaction", "price"]).table.iloc[1]
    assert row_of(found, "revenue")[["estimate", "se", "base"]].tolist() == pytest.approx(
        fit[["estimate", "se", "base"]].tolist()
    )
    notes = [n["en"] for n in found.notes]
    assert (
        "10 respondents (11.1% of the weight) are not in the table, 0 of them because they have no id; they have no value."
        in notes
    )
    assert "Ids are numbers in the survey and were compared as numbers, leading zeros set aside: id." in notes


def test_prices_that_cannot_be_joined_say_why(tmp_path):
    study = linked_study(tmp_path, [f"C{k}" for k in range(90)], "id,price_paid\nX1,100\n")
    said = (
        "price that the customer pays could not be joined from the linked table prices (prices: no respondent is found in it. In the "
        "survey id is e.g. 'C0'; in the table id is e.g. 'X1'; name the columns that agree with on=)"
    )
    found = cx.claims(study, ["revenue", "loyalty"])
    assert found.table["status"].tolist()[0] == "not decided"
    assert reason(found, "revenue") == said
    with pytest.raises(SurveyError) as caught:
        cx.claims(study, columns={"price_paid": "price_paid"})
    assert str(caught.value) == f"columns: {said}."


# ---------------------------------------------------------------------- what cannot be tested, and bad input
def test_mobi_can_test_almost_nothing_and_says_why():
    found = cx.claims(cx.open_study(DATA / "mobi"))
    status = found.table.set_index("claim")["status"]
    assert status.pop("intention") == "supported"
    assert set(status) == {"untestable"}
    assert len(found.untestable) == len(REGISTER) - 1
    assert reason(found, "premium") == (
        "the data lack surcharge offered, per cent (price_offer); whether the surcharge was accepted, 0/1 (price_choice)"
    )
    assert reason(found, "difference") == "the data lack touchpoints with experience, expectation and emotion"
    assert len(found.sentences("zh")) == len(REGISTER)
    assert found.table["estimate"].notna().sum() == 1
    found.plot(lang="zh")
    mpl.pyplot.close("all")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"which": "premum"},
         "which is 'premum'; allowed: 'premium', 'cost_of_a_point', 'response_rate', 'outlets', 'loyalty', 'intention', "
         "'switching_cost', 'revenue', 'staff', 'silence', 'silent_leave', 'first_time_right', 'recovered', 'paradox', "
         "'difference', 'average_forgotten', 'length_forgotten', 'people' (did you mean 'premium'?)."),
        ({"which": []}, "which is empty; name a claim, or leave it out for all."),
        ({"columns": {"price_ofer": "q"}},
         "columns names 'price_ofer', which no claim needs (did you mean 'price_offer'?); allowed: satisfaction, repurchase, "
         "renewed, price_paid, switching_cost, price_offer, price_choice, problem, voiced, resolved, remembered, visit_minutes, "
         "order, unit, engagement, responded, outlets, sales."),
        ({"columns": {"price_offer": "price_ofer"}},
         "columns names 1 column that is not in the survey: 'price_ofer' (did you mean 'price_offer'?)."),
        ({"columns": {"price_choice": "price_offer"}},
         "columns: 'price_offer' (whether the surcharge was accepted, 0/1) holds 3, 6, 9, 12, 15, … beside 0 and 1: recode it."),
        ({"columns": {"price_offer": "card"}}, "'card' holds text, numbers are needed."),
        ({"columns": {"order": "place"}},
         "columns: order is 'place'; give the pattern of its columns, such as '{item}_order'."),
        ({"ranges": {"premium": (18, 13)}},
         "ranges: premium is (18, 13); give two numbers in order, None for one open end, such as (13, 18) or (0, None)."),
        ({"ranges": {"premium": (None, None)}},
         "ranges: premium is (None, None); give two numbers in order, None for one open end, such as (13, 18) or (0, None)."),
        ({"ranges": {"premium": ("13", 18)}},
         "ranges: premium is ('13', 18); give two numbers in order, None for one open end, such as (13, 18) or (0, None)."),
        ({"ranges": {"premium": 13}},
         "ranges: premium is 13; give two numbers in order, None for one open end, such as (13, 18) or (0, None)."),
        ({"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
        ({"by": "crd"}, "by names 1 column that is not in the survey: 'crd' (did you mean 'card'?)."),
    ],
)  # fmt: skip
def test_faults_are_named(options, message):
    with pytest.raises(SurveyError) as caught:
        cx.claims(cx.Survey.from_frame(choices(count=200), weight="w"), **options)
    assert str(caught.value) == message


def test_faults_of_the_study_itself():
    with pytest.raises(SurveyError) as caught:
        cx.claims(choices())
    assert str(caught.value) == "study is DataFrame; pass a study of cx.open_study, or a survey."
    df = choices(count=200).assign(s=np.r_[0, np.ones(199)])
    with pytest.raises(SurveyError) as caught:
        cx.claims(cx.Survey.from_frame(df, stratum="s"), "premium")
    assert str(caught.value).startswith("stratum has 1 of 2 strata with a single PSU ('0')")


# ---------------------------------------------------------------------- false alarms and power
@pytest.mark.slow
def test_a_premium_on_the_border_gets_a_verdict_rarely_and_one_within_is_found():
    def verdicts(true, surveys, seed):
        studies = (cx.simulate_healthcheck(100, 4, seed=seed + k, premium=(true,) * 3) for k in range(surveys))
        return [row_of(cx.claims(s.survey(), "premium"), "premium")["status"] for s in studies]

    border = verdicts(13.0, 300, 10_000)
    assert sum(v != "not decided" for v in border) <= 28
    within, outside = verdicts(15.5, 40, 20_000), verdicts(11.0, 40, 30_000)
    assert within.count("supported") >= 32
    assert outside.count("contradicted") >= 32


def test_the_title_counts_the_verdicts(register):
    counts = register.table["status"].value_counts()
    said = register.headline("en")
    assert said.facts == {"tested": int(counts.drop("untestable").sum()), "supported": counts["supported"],
                          "contradicted": counts["contradicted"], "open": counts["not decided"]}  # fmt: skip
    assert register.headline("zh").facts == said.facts
    assert register.plot(lang="en").get_title(loc="left").replace("\n", " ") == said.text
