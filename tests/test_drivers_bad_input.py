"""Bad input to key drivers: a clear error or a stated fallback, one test each (further refusals: test_drivers.py)."""

import re

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.drivers import _sampled_null
from cxlab.drivers._sampled_null import sampled_null
from cxlab.errors import SamplingWarning, SmallBaseWarning, SurveyError
from cxlab.subsets import null_importance
from cxlab.survey import Survey


def asked(count: int = 400, drivers: int = 5, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, drivers))
    df = pd.DataFrame(x, columns=[f"d{j}" for j in range(drivers)])
    return df.assign(y=x[:, 0] + 0.5 * x[:, -1] + rng.normal(size=count), w=1.0, wave=np.arange(count) % 2)


def analysed(df: pd.DataFrame, drivers=None, *, where=None, **options):
    survey = Survey.from_frame(df, weight="w")
    survey = survey if where is None else survey.where(**where)
    drivers = [c for c in df if c.startswith("d")] if drivers is None else drivers
    return cx.key_drivers(survey, "y", drivers, **{"replicates": 200, **options})


def refusal(df: pd.DataFrame, drivers=None, **options) -> str:
    with pytest.raises(SurveyError) as error:
        analysed(df, drivers, **options)
    return str(error.value)


@pytest.mark.parametrize("missing", ["listwise", "em", "dummy"])
def test_a_constant_driver(missing):
    assert refusal(asked().assign(d1=3.0), missing=missing) == (
        "1 of 6 columns have the same answer in all 400 complete rows: 'd1'; a constant explains nothing: leave it out or "
        "widen the filter."
    )


@pytest.mark.parametrize("method", ["shapley", "johnson", "owen", "pratt", "car"])
def test_a_duplicate_driver(method):
    df = asked()
    assert refusal(df.assign(d9=2 * df["d1"] + 1), method=method) == (
        "drivers holds 2 columns that repeat one another ('d1', 'd9'): each is determined by the others; leave one out, or "
        "combine them."
    )


@pytest.mark.parametrize("argument", ["drivers", "always"])
def test_the_outcome_among_the_drivers(argument):
    named = {"drivers": ["d0", "y"]} if argument == "drivers" else {"drivers": ["d0"], "always": ["y"]}
    assert refusal(asked(), **named) == f"{argument} holds the outcome itself ('y'); leave it out."


def test_three_respondents():
    assert refusal(asked(3, 2)) == (
        "drivers: 3 of 3 respondents answered all 2 drivers and 'y'; at least 4 are needed: name fewer drivers or widen the "
        "filter."
    )


def test_three_respondents_and_one_driver():
    assert re.fullmatch(
        r"\d+ of 200 replicates leave a driver or 'y' without variation: the base of 3 is too small for intervals; widen "
        r"the filter, leave that out, or use replicates=0\.",
        refusal(asked(3, 1)),
    )
    with pytest.warns(SmallBaseWarning):
        found = analysed(asked(3, 1), replicates=0)
    assert found.table["reliability"].tolist() == ["suppressed"]
    assert "Too few respondents to say what drives y" in found.sentences("en")[0].text
    assert found.shown("en")["Importance"].tolist() == ["–"]


FORTY = (
    r"40 drivers in (1|100) matrices are too many for exact Shapley values: 1,280 orders were sampled; the largest "
    r"Monte-Carlo standard error of a share is 0\.\d+\."
)


def test_forty_drivers_are_ranked_from_sampled_orders_and_that_is_said():
    with pytest.warns(SamplingWarning) as caught:
        found = analysed(asked(800, 40), replicates=0)
    assert re.fullmatch(FORTY, str(caught[0].message))
    assert found.table["driver"].tolist()[:2] == ["d0", "d39"]
    whole = np.linalg.lstsq(*(v - v.mean(axis=0) for v in (asked(800, 40)[[f"d{j}" for j in range(40)]].to_numpy(),
                                                           asked(800, 40)["y"].to_numpy())), rcond=None)[1]  # fmt: skip
    assert found.table["importance"].sum() == pytest.approx(
        1 - whole[0] / (800 * asked(800, 40)["y"].var(ddof=0)), rel=1e-9
    )


@pytest.mark.slow
def test_forty_drivers_have_intervals_and_null_lines():
    with pytest.warns(SamplingWarning) as caught:
        found = analysed(asked(800, 40), replicates=100)
    assert all(re.fullmatch(FORTY, str(w.message)) for w in caught if w.category is SamplingWarning)
    assert found.table["distinguishable"].tolist()[:2] == [True, True]
    assert found.table["distinguishable"].sum() <= 6
    assert found.table["null_line"].between(0.002, 0.008).all()  # χ²(1) / 800 at .95 is .0048, less what others explain


def test_all_weight_on_one_row():
    df = asked().assign(w=0.0)
    df.loc[5, "w"] = 1.0
    assert refusal(df) == (
        "drivers: 1 of 1 respondents answered all 5 drivers and 'y'; at least 7 are needed: name fewer drivers or widen the "
        "filter."
    )


def test_nearly_all_weight_on_one_row():
    df = asked().assign(w=1e-9)
    df.loc[5, "w"] = 1.0
    assert refusal(df) == (
        "weight: the 400 complete rows count like 1.0 respondents, and one of them carries 100% of the weight; at least 7 are "
        "needed for 5 drivers: correct or trim the weights."
    )


def test_a_heavy_row_is_no_reason_to_refuse():
    df = asked()
    df.loc[5, "w"] = 40.0
    found = analysed(df, replicates=0).audit()
    assert (
        found.table.set_index("check").loc["weighting", "finding"] == "serious" or df["w"].max() / df["w"].sum() < 0.1
    )
    assert found.table.set_index("check").loc["weighting", "value"] == pytest.approx(
        400 * (df["w"] ** 2).sum() / df["w"].sum() ** 2, rel=1e-9
    )


def test_a_driver_absent_in_a_wave():
    df = asked()
    df.loc[df["wave"] == 1, "d2"] = np.nan
    assert refusal(df, where={"wave": 1}) == (
        "drivers: 0 of 200 respondents answered all 5 drivers and 'y'; at least 7 are needed: name fewer drivers or widen the "
        "filter. 'd2' is missing for 100%."
    )
    assert refusal(df, where={"wave": 1}, missing="em") == (
        "1 of 6 columns have no answer in the 200 rows that are used: 'd2'; leave them out or widen the filter."
    )


def test_a_driver_absent_in_one_of_two_waves_is_said_by_the_audit():
    df = asked()
    df.loc[df["wave"] == 1, "d2"] = np.nan
    found = analysed(df, replicates=0)
    assert (found.base.respondents, found.base.excluded, found.base.excluded_share) == (200, 200, 0.5)
    lost = found.audit().sentences("en")[1].text
    assert lost == (
        "Most of the weight is gone: 200 of 400 respondents (50% of the weight) were left out for a missing answer; most often "
        "missing is d2 (50%). Treat missing answers otherwise (missing=), or set that driver aside."
    )


def test_a_factor_with_one_level():
    assert refusal(asked().assign(g=2.0), ["d0", "d1", "factor(g)"]) == (
        "drivers: 'factor(g)' has 1 category among the 400 rows that are used; a factor needs two: leave it out or widen the "
        "filter."
    )


# ---------------------------------------------------------------------- null lines of many drivers
PLAYERS = ((0,), (1, 2), (3,), (4,), (5, 6), (7,))


def correlated(p: int = 9, permutations: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, p + 1)) + 0.6 * rng.normal(size=(2000, 1))
    x[:, -1] += x[:, :p] @ np.linspace(0.3, 0, p)
    return np.corrcoef(x, rowvar=False), rng.normal(size=(2, permutations, p + 1)) / np.sqrt(2000)


@pytest.mark.parametrize("blocks", [None, ((0, 1), (2, 3), (4, 5))])
def test_sampled_null_lines_are_near_the_exact_ones(blocks):
    correlation, shuffled = correlated()
    for player, columns in enumerate(PLAYERS):
        mine = shuffled[: len(columns)]
        exact = null_importance(correlation, player, mine, PLAYERS, blocks=blocks, always=(8,))
        sampled = sampled_null(
            correlation, player, mine, players=PLAYERS, blocks=blocks or (tuple(range(6)),), always=(8,)
        )
        assert np.abs(sampled / exact - 1).mean() < 0.04
        assert np.quantile(sampled, 0.95) == pytest.approx(np.quantile(exact, 0.95), rel=0.02)


def test_every_subset_is_sampled_with_its_share_of_the_orders(monkeypatch):
    monkeypatch.setattr(_sampled_null, "_PAIRS", 6000)
    sets = [frozenset(s) for s in _sampled_null._entered(0, ((0, 1), (2, 3)), np.random.default_rng(1))]
    shares = {s: sets.count(s) / len(sets) for s in set(sets)}
    # its one block mate before it or not, the other block before it or not: four sets, a quarter of the orders each
    assert set(shares) == {frozenset(), frozenset({1}), frozenset({2, 3}), frozenset({1, 2, 3})}
    assert all(share == pytest.approx(0.25, abs=0.02) for share in shares.values())


# ---------------------------------------------------------------------- what only some replicates lack
def test_a_driver_that_replicates_lose_is_named_by_every_analysis():
    df = asked(200, 2).assign(rare=(np.arange(200) == 5).astype(float))
    said = (
        r"\d+ of 100 replicates leave 'rare' without variation: the base of 200 is too small for intervals; widen the "
        r"filter, leave that out, or use replicates=0\."
    )
    survey, names = Survey.from_frame(df), ["d0", "rare", "d1"]
    for call in (
        lambda: cx.key_drivers(survey, "y", names, replicates=100),
        lambda: cx.compare_methods(survey, "y", names, replicates=100),
        lambda: cx.dominance(survey, "y", names, replicates=100),
        lambda: cx.driver_blocks(survey, "y", {"a": ["d0", "rare"], "b": ["d1"]}, replicates=100),
    ):
        with pytest.raises(SurveyError) as error:  # rounding made it vary by 1e-20, and correlate
            call()
        assert re.fullmatch(said, str(error.value))


def test_eight_respondents_and_four_drivers():
    assert re.fullmatch(
        r"\d+ of 200 replicates leave ('d\d', )+'d3' that repeat one another: the base of 8 is too small for intervals; "
        r"widen the filter, leave that out, or use replicates=0\.",
        refusal(asked(8, 4)),
    )


def test_a_pair_that_replicates_lose_is_named():
    df = asked(200, 1)
    rng, place = np.random.default_rng(2), np.arange(200)
    df = df.assign(
        p=np.where(place < 100, rng.normal(size=200), np.nan), q=np.where(place > 97, rng.normal(size=200), np.nan)
    )
    assert re.fullmatch(
        r"\d+ of 200 replicates leave nobody who answered both 'p', 'q': the base of 200 is too small for intervals; "
        r"widen the filter, leave that out, or use replicates=0\.",
        refusal(df, drivers=["d0", "p", "q"], missing="pairwise"),
    )


@pytest.mark.parametrize("rare", [1.0, 3.0])
@pytest.mark.parametrize("role", ["driver", "always"])
def test_a_category_that_replicates_lose_costs_nothing_else(rare, role):
    """Without the first category the others sum to 1: effects of the other drivers were then those of rounding."""
    df = asked(300, 2)
    df["town"] = np.where(np.arange(300) < 2, rare, 2.0 + 2 * (np.arange(300) % 2))
    named = {"drivers": ["d0", "d1", "factor(town)"]} if role == "driver" else {
        "drivers": ["d0", "d1"], "always": ["factor(town)"]}  # fmt: skip
    with_town, without = analysed(df, **named), analysed(df, drivers=["d0", "d1"])
    own, other = (r.draws.coefficients[:, :2] for r in (with_town, without))
    assert np.isfinite(with_town.draws.importance).all()
    assert np.abs(own - other).max() < 0.05


def test_a_single_driver_has_rank_one_and_all_of_r2():
    row = analysed(asked(100, 1)).table.iloc[0]
    assert (row["rank_low"], row["rank_high"], row["share"], row["top1"]) == (1, 1, 1.0, 1.0)
    assert row["importance_low"] < row["importance"] < row["importance_high"]
