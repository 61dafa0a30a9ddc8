"""The order of the drivers: rank sets and letters from the same tests, what is said and drawn of them."""

import itertools
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.contrasts import letter_groups, rank_sets
from cxlab.errors import SurveyError
from cxlab.survey import Survey

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
NAMES = ["a", "b", "c", "d", "e"]


def drawn(seed: int = 2, count: int = 900) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame(rng.normal(size=(count, 5)), columns=NAMES)
    return Survey.from_frame(df.assign(y=df @ [1.0, 0.5, 0.5, 0.45, 0.0] + rng.normal(size=count)))


@pytest.fixture(scope="module")
def result():
    return cx.key_drivers(drawn(), "y", NAMES, replicates=200)


# ---------------------------------------------------------------------- letters
@settings(deadline=None, max_examples=60)
@given(p=st.integers(2, 9), seed=st.integers(0, 10_000))
def test_two_share_a_letter_exactly_if_they_are_not_told_apart(p, seed):
    rng = np.random.default_rng(seed)
    estimates, root = rng.normal(size=p), rng.normal(size=(p, p)) / 4
    covariance = root @ root.T
    letters = letter_groups(estimates, covariance, df=50)
    low, high = rank_sets(estimates, covariance, df=50)
    shared = np.array([[bool(set(x) & set(y)) for y in letters] for x in letters])
    apart = ~shared.astype(bool)
    above = apart & (estimates[:, None] < estimates)  # quantities that are significantly above
    np.testing.assert_array_equal(1 + above.sum(axis=1), low)
    np.testing.assert_array_equal(p - (apart & (estimates[:, None] > estimates)).sum(axis=1), high)
    groups = [frozenset(j for j in range(p) if letter in letters[j]) for letter in sorted(set("".join(letters)))]
    assert not any(g <= h for g, h in itertools.permutations(groups, 2)), "no group lies within another"
    assert "a" in letters[int(np.argmax(estimates))]


def test_more_groups_than_letters_go_on_with_numbers():
    letters = letter_groups(np.arange(54.0)[::-1], 1e-9 * np.eye(54))
    assert letters[:2] + letters[25:27] + letters[51:] == ["a", "b", "z", "A", "Z", "a2", "b2"]


def test_one_quantity_is_alone():
    assert letter_groups(np.array([0.3]), np.array([[0.1]])) == ["a"]


# ---------------------------------------------------------------------- the result
def test_ranks_are_those_of_the_drivers_and_letters_follow_them(result):
    ranking = result.ranking()
    same = ["driver", "share", "rank", "rank_low", "rank_high", "top1", "top3", "base"]
    pd.testing.assert_frame_equal(ranking.table[same], result.table[same])
    letters = ranking.table.set_index("driver")["letters"]
    assert letters[["a", "e"]].tolist() == ["a", "c"]
    assert letters["b"] == letters["c"] == letters["d"] == "b"
    assert ranking.call == result.call.split("  #")[0] + ".ranking()"


def test_what_is_said(result):
    ranking = result.ranking()
    middle = [d for d in ranking.table["driver"] if d in "bcd"]
    listed = ", ".join(d.upper() if k < 0 else d for k, d in enumerate(middle))
    assert [s.text for s in ranking.sentences("en")] == [
        "Pairwise tests settle the rank of 2 of 5 drivers of y: a (1), e (5).",
        f"Least sure: {listed} – any rank from 2 to 4.",
    ]
    zh = [s.text for s in ranking.sentences("zh")]
    assert zh[0] == "在y的 5 个驱动因素中，两两检验可确定 2 个的名次：“a”（第 1 位）、“e”（第 5 位）。"
    assert zh[1] == f"名次最不确定的是{'、'.join(f'“{d}”' for d in middle)}：可能居第 2 至第 4 位。"


def test_nothing_settled_and_all_settled_are_said(result):
    table = result.ranking().table
    from dataclasses import replace

    none = replace(result.ranking(), table=table.assign(rank_low=1, rank_high=5))
    assert none.sentences("en")[0].text == "Pairwise tests settle the rank of none of the 5 drivers of y."
    every = replace(result.ranking(), table=table.assign(rank_low=table["rank"], rank_high=table["rank"]))
    assert len(every.sentences("en")) == 1
    hidden = replace(result.ranking(), table=table.assign(reliability="suppressed"))
    assert len(hidden.sentences("en")) == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_has_a_bar_per_driver_its_rank_and_letters(result, lang):
    ranking = result.ranking()
    ax = ranking.plot(lang=lang)
    bars = [(round(b.get_x() + 0.38, 6), round(b.get_x() + b.get_width() - 0.38, 6)) for b in ax.patches]
    assert bars == list(zip(ranking.table["rank_low"], ranking.table["rank_high"], strict=True))
    assert [t.get_text() for t in ax.texts][:5] == ranking.table["letters"].tolist()
    dots = np.concatenate([c.get_offsets() for c in ax.collections])
    assert sorted(map(tuple, dots.tolist())) == [(k + 1.0, float(k)) for k in range(5)]
    mpl.pyplot.close("all")


def test_without_replicates_there_is_no_order_to_speak_of():
    plain = cx.key_drivers(drawn(), "y", NAMES, replicates=0)
    with pytest.raises(SurveyError, match=re.escape("result has no replicates; run key_drivers with replicates=1000.")):
        plain.ranking()
