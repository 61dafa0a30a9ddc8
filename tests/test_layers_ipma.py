"""cx.ipma and what_if of path models: by hand, identities, segments, planted truths, words and pictures, bad input."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError
from cxlab.items import Codebook
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
SMALL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"
ITEMS = ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")


def frame(seed: int = 1, base: int = 400, effects: tuple[float, float, float] = (0.6, 0.3, 0.5)) -> pd.DataFrame:
    """A leads to B, both to C; answers 0–10 that pile up at the top, weights and pairs of respondents."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=base)
    b = effects[0] * a + 0.7 * rng.normal(size=base)
    c = effects[1] * a + effects[2] * b + 0.7 * rng.normal(size=base)
    scores = np.column_stack([a, b, c])[:, [0, 0, 0, 1, 1, 2, 2]]
    raw = [7.0, 6.0, 8.5, 6.5, 5.5, 7.0, 6.0] + 1.8 * scores + 1.1 * rng.normal(size=(base, 7))
    df = pd.DataFrame(np.clip(np.round(raw), 0, 10), columns=ITEMS)
    return df.assign(w=rng.uniform(0.5, 2, base), u=np.arange(base) // 2, card=1 + np.arange(base) % 3)


def survey_of(df: pd.DataFrame | None = None, down: tuple[str, ...] = (), **design: str) -> Survey:
    survey = Survey.from_frame(frame() if df is None else df, **{"weight": "w", "psu": "u", **design})
    items = {
        n: replace(i, scale=(0.0, 10.0), higher_is_better=n not in down) if n in ITEMS else i
        for n, i in survey.codebook.items.items()
    }
    return replace(survey, codebook=Codebook(items))


@pytest.fixture(scope="module")
def small() -> cx.PathModelResult:
    return cx.path_model(survey_of(), SMALL, replicates=200)


@pytest.fixture(scope="module")
def ecsi() -> cx.PathModelResult:
    return cx.path_model(cx.open_study(ROOT / "data/mobi/study.yml").survey(), replicates=300)


@pytest.fixture(scope="module")
def demo() -> cx.PathModelResult:
    return cx.path_model(cx.open_study(ROOT / "data/healthcheck/study.yml").survey(), replicates=200)


# ------------------------------------------------------------------------------ by hand
def test_importance_is_regression_on_index_scores(ecsi: cx.PathModelResult):
    """ACSI by hand: indices are weighted means of items on 0–100, paths least squares between them, effects along all routes added."""
    df = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float)
    weights = ecsi.weights
    index = {}
    for name, rows in weights.groupby("construct", sort=False):
        w = rows["weight"].to_numpy() / df[rows["item"]].std(ddof=0).to_numpy()
        index[name] = (100 * (df[rows["item"]] - 1) / 9).to_numpy() @ (w / w.sum())
    effect = {"Loyalty": 1.0}
    slopes = {}
    for target in ("Loyalty", "Complaints", "Satisfaction", "Value", "Quality", "Expectation"):
        causes = ecsi.table.loc[ecsi.table["target"] == target, "source"].tolist()
        x = np.column_stack([np.ones(len(df)), *(index[c] for c in causes)])
        slopes[target] = dict(zip(causes, np.linalg.lstsq(x, index[target], rcond=None)[0][1:], strict=True))
    for name in ("Complaints", "Satisfaction", "Value", "Quality", "Expectation", "Image"):
        effect[name] = sum(s[name] * effect[t] for t, s in slopes.items() if name in s)
    table = ecsi.ipma().table.set_index("construct")
    for name, row in table.iterrows():
        assert row["importance"] == pytest.approx(effect[str(name)], abs=1e-9)
        assert row["performance"] == pytest.approx(index[str(name)].mean(), abs=1e-9)
        assert row["gain"] == pytest.approx(effect[str(name)] * (100 - index[str(name)].mean()), abs=1e-8)
    assert table.index[0] == "Satisfaction"
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6]


def test_standard_errors_are_those_of_refits_under_the_same_weights():
    df = frame()
    survey = survey_of(df)
    found = cx.ipma(survey, SMALL, replicates=100, seed=5, items=True).table.set_index("item")
    gains = []
    for multipliers, piece in resolve(survey).bootstrap(100, 5, np.arange(len(df))):
        for m in multipliers:
            own = survey_of(df.assign(w=df["w"] * m[piece].astype(float)).query("w > 0"))
            gains.append(cx.ipma(own, SMALL, items=True, replicates=0).table.set_index("item")["gain"])
    draws = pd.DataFrame(gains)[found.index]
    half = (found["gain_high"] - found["gain_low"]).to_numpy() / 2
    low, high = np.quantile(draws.to_numpy(), [0.025, 0.975], axis=0)
    np.testing.assert_allclose(half, (high - low) / 2, rtol=1e-4)


# ------------------------------------------------------------------------------ identities
@pytest.mark.parametrize("method", ["pls", "plsc"])
def test_gains_of_items_add_up_to_their_construct_s(method: str):
    result = cx.path_model(survey_of(), SMALL, method=method, replicates=100)
    items = result.ipma(items=True)
    whole = result.ipma().table.set_index("construct")["gain"]
    np.testing.assert_allclose(items.table.groupby("construct")["gain"].sum()[whole.index], whole, rtol=1e-10)
    pd.testing.assert_frame_equal(items.constructs, result.ipma().table)
    np.testing.assert_allclose(items.table["raw_point"], 10 * items.table["importance"])


def test_everything_at_the_top_is_the_gain(small: cx.PathModelResult):
    """What the map calls potential gain is the what-if in which all items of the construct reach their top."""
    gains = small.ipma().table.set_index("construct")
    for name in ("A", "B"):
        row = small.what_if({name: 100}).table.set_index("construct").loc["C"]
        assert row["estimate"] == pytest.approx(gains.loc[name, "gain"], abs=1e-9)
        assert row["low"] == pytest.approx(gains.loc[name, "gain_low"], abs=1e-5)
        assert row["high"] == pytest.approx(gains.loc[name, "gain_high"], abs=1e-5)


def test_a_what_if_is_the_effect_times_what_the_scale_leaves_room_for(small: cx.PathModelResult):
    df, weights = frame(), small.weights.set_index("item")["weight"]
    found = small.what_if({"a3": 2})
    moved = np.average(np.clip(df["a3"] + 2, 0, 10) - df["a3"], weights=df["w"])
    assert 0.5 < moved < 1.6  # the scale binds
    spread = {i: np.sqrt(np.cov(df[i], aweights=df["w"], ddof=0)) for i in ("a1", "a2", "a3")}
    share = (weights["a3"] / spread["a3"]) / sum(weights[i] / spread[i] for i in spread)
    totals = small.effects[(small.effects["source"] == "A") & (small.effects["kind"] == "total")].set_index("target")[
        "impact"
    ]
    table = found.table.set_index("construct")
    assert found.parts["effective_change"].tolist() == pytest.approx([moved])
    assert table.loc["A", "estimate"] == pytest.approx(10 * moved * share)
    for target in ("B", "C"):
        assert table.loc[target, "estimate"] == pytest.approx(10 * moved * share * totals[target])
    np.testing.assert_allclose(table["after"], table["before"] + table["estimate"])
    small_step = small.what_if({"b2": 0.01}).table.set_index("construct")["estimate"]
    item = small.ipma(items=True).table.set_index("item").loc["b2", "raw_point"]
    free = np.average(np.clip(df["b2"] + 0.01, 0, 10) - df["b2"], weights=df["w"])
    assert small_step["C"] == pytest.approx(item * free)


def test_changes_add_up_and_reach_scales_them(small: cx.PathModelResult):
    both = small.what_if({"a1": 1, "B": -5}).table.set_index("construct")["estimate"]
    one = small.what_if({"a1": 1}).table.set_index("construct")["estimate"]
    other = small.what_if({"B": -5}).table.set_index("construct")["estimate"]
    np.testing.assert_allclose(both, one.add(other, fill_value=0)[both.index])
    assert other["B"] < 0
    assert "A" not in other.index
    half = small.what_if({"a1": 1}, reach=0.5).table.set_index("construct")["estimate"]
    np.testing.assert_allclose(half, 0.5 * one)
    parts = small.what_if({"a1": 1, "B": -5}, reach={"a1": 0.2}, cost={"a1": 3, "B": 2}).parts.set_index("source")
    assert parts["reach"].tolist() == [0.2, 1.0]
    assert parts["cost"].tolist() == [3, 10]
    assert parts.loc["a1", "per_cost"] == pytest.approx(0.2 * one["C"] / 3)


def test_less_is_better_turns_the_item():
    df = frame()
    up = cx.path_model(survey_of(df), SMALL, replicates=0)
    down = cx.path_model(survey_of(df.assign(a2=10 - df["a2"]), down=("a2",)), SMALL, replicates=0)
    pd.testing.assert_frame_equal(up.ipma(items=True).table, down.ipma(items=True).table)
    np.testing.assert_allclose(up.what_if({"a2": 1}).table["estimate"], down.what_if({"a2": -1}).table["estimate"])
    assert down.what_if({"a2": 1}).table["estimate"].max() < 0


def test_higher_order_constructs_move_through_the_items_of_their_parts():
    text = "A =~ a1 + a2\nD =~ a3\nW =~ A + D\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ W\nC ~ W + B"
    result = cx.path_model(survey_of(), text, replicates=100)
    items = result.ipma(items="W").table
    assert set(items["item"]) == {"a1", "a2", "a3"}
    whole = result.ipma().table.set_index("construct").loc["W", "gain"]
    assert items["gain"].sum() == pytest.approx(whole)
    assert result.what_if({"W": 100}).table.set_index("construct").loc["C", "estimate"] == pytest.approx(whole)


# ------------------------------------------------------------------------------ segments
def test_one_segment_of_all_is_the_total():
    result = cx.path_model(survey_of(frame().assign(card=1)), SMALL, replicates=150)
    total = result.ipma(items=True).table
    for model_of in ("all", "group"):
        one = result.ipma(items=True, by="card", model_of=model_of).table
        pd.testing.assert_frame_equal(one.drop(columns="segment"), total, rtol=1e-6)
        np.testing.assert_allclose(result.what_if({"a1": 1}, by="card", model_of=model_of).table["estimate"],
                                   result.what_if({"a1": 1}).table["estimate"], rtol=1e-9)  # fmt: skip


def test_gains_of_segments_average_to_the_total_s_under_one_model(small: cx.PathModelResult):
    df = frame()
    share = df.groupby("card")["w"].sum() / df["w"].sum()
    parts = small.ipma(by="card").table.pivot(index="segment", columns="construct", values="gain")
    whole = small.ipma().table.set_index("construct")["gain"]
    np.testing.assert_allclose(share @ parts, whole[parts.columns], rtol=1e-9)
    changes = {"a3": 2, "B": 5}
    moved = small.what_if(changes, by="card").table.pivot(index="segment", columns="construct", values="estimate")
    np.testing.assert_allclose(
        share @ moved, small.what_if(changes).table.set_index("construct")["estimate"][moved.columns], rtol=1e-9
    )


def test_a_group_s_own_model_is_that_of_its_respondents():
    survey = survey_of()
    result = cx.path_model(survey, SMALL, replicates=150, seed=3)
    own = result.ipma(by="card", model_of="group", items=True).table
    for code in (1, 2, 3):
        alone = cx.ipma(survey.where(card=code), SMALL, items=True, replicates=150, seed=3).table
        rows = own[own["segment"] == code].drop(columns="segment").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, alone, rtol=1e-4)


def test_pairwise_means_of_segments():
    rng = np.random.default_rng(3)
    df = frame()
    holes = df.assign(**{i: df[i].mask(rng.random(len(df)) < 0.1) for i in ITEMS})
    result = cx.path_model(survey_of(holes), SMALL, missing="pairwise", replicates=100)
    rows = result.ipma(by="card", items=True).table.set_index(["segment", "item"])["performance"]
    for (code, item), value in rows.items():
        some = holes[(holes["card"] == code) & holes[item].notna()]
        assert value == pytest.approx(10 * np.average(some[item], weights=some["w"]))
    assert [n["en"] for n in result.what_if({"a1": 1}).notes].count(
        "Room on the scale is that of the respondents who answered the item."
    ) == 1


def test_small_segments_are_marked_and_warned_of():
    df = frame().assign(card=np.r_[np.zeros(20), np.ones(60), np.full(320, 2)])
    result = cx.path_model(survey_of(df), SMALL, replicates=100)
    with pytest.warns(SmallBaseWarning) as said:
        found = result.ipma(by="card")
    assert str(said[0].message) == (
        "2 of 3 groups of 'card' have an effective base under 75 (0 20, 1 60): under 30 they are suppressed, the others are read by their "
        "intervals."
    )
    assert found.table.groupby("segment")["reliability"].first().tolist() == ["suppressed", "low", "ok"]
    shown = found.shown("en")
    assert (shown.loc[shown["Segment"] == "0", ["Potential gain", "Rank"]] == "–").all(axis=None)
    assert len(found.sentences("en")) == 2
    with pytest.warns(DataWarning) as bare:
        flat = cx.path_model(
            survey_of(df.assign(a1=np.where(df["card"] == 1, 5, df["a1"]))), SMALL, replicates=100
        ).ipma(by="card", model_of="group")
    assert [str(w.message) for w in bare if w.category is DataWarning] == [
        "1 of 3 groups of 'card' have no solution of their own (1 60); use model_of='all'."
    ]
    assert flat.table[flat.table["segment"] == 1][["gain", "importance"]].isna().all(axis=None)
    flat.plot(lang="en")
    assert np.isfinite(flat.what_if({"b1": 1}).table.query("segment == 2")["estimate"]).all()


def test_whether_groups_are_composed_alike_is_said():
    df = frame(seed=2, base=1500)
    same = cx.path_model(survey_of(df), SMALL, replicates=200).ipma(by="card", model_of="group")
    assert (
        "No difference was found in how the segments compose their constructs (second step of MICOM, 3 pairs, Holm): their importances may be set "
        "side by side." in [n["en"] for n in same.notes]
    )
    rng = np.random.default_rng(0)
    other = df.assign(a1=np.where(df["card"] == 1, rng.integers(0, 11, len(df)), df["a1"]))
    unlike = cx.path_model(survey_of(other), SMALL, replicates=200).ipma(by="card", model_of="group")
    assert (
        "Composed differently in different segments (second step of MICOM): A. Importance and performance of what rests on them are not comparable "
        "between segments." in [n["en"] for n in unlike.notes]
    )
    pooled = cx.path_model(survey_of(df), SMALL, replicates=100).ipma(by="card")
    assert any(
        n["en"].startswith("Effects and weights of the items are those of all respondents;") for n in pooled.notes
    )


# ------------------------------------------------------------------------------ ranks and truths
def test_the_planted_most_important_construct_is_on_top():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(3000, 3))
    y = x @ [0.6, 0.25, 0.0] + 0.6 * rng.normal(size=3000)
    answers = np.clip(np.round(5 + 1.5 * np.column_stack([x, y]) + 0.5 * rng.normal(size=(3000, 4))), 0, 10)
    df = pd.DataFrame(answers, columns=["a1", "a2", "a3", "c1"]).assign(w=1.0, u=np.arange(3000))
    text = "First =~ a1\nSecond =~ a2\nNone =~ a3\nEnd =~ c1\nEnd ~ First + Second + None"
    found = cx.ipma(survey_of(df), text, replicates=200)
    assert found.table["construct"].tolist() == ["First", "Second", "None"]
    assert found.table[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 3]]
    row = found.table.set_index("construct").loc["None"]
    assert row["importance_low"] < 0 < row["importance_high"]
    said = [s.text for s in found.sentences("en")]
    assert said[0].startswith("First has the most room that matters: ten points more go with +5.")
    assert said[-1] == "No effect on end can be told apart from zero for: none."


def test_equal_gains_share_their_ranks():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1500, 2))
    y = x @ [0.4, 0.4] + 0.7 * rng.normal(size=1500)
    answers = np.clip(np.round(5 + 1.5 * np.column_stack([x, y])), 0, 10)
    df = pd.DataFrame(answers, columns=["a1", "a2", "c1"]).assign(w=1.0, u=np.arange(1500))
    found = cx.ipma(survey_of(df), "P =~ a1\nQ =~ a2\nEnd =~ c1\nEnd ~ P + Q", replicates=200)
    assert found.table[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 2], [1, 2]]
    assert "not told apart from that of" in found.sentences("en")[0].text


def test_the_demo_study_s_queue_has_the_most_room(demo: cx.PathModelResult):
    found = demo.ipma("behaviour", items="experience")
    assert found.table["item"].iloc[:2].tolist() == ["queue", "report"]
    assert found.table[["rank_low", "rank_high"]].iloc[0].tolist() == [1, 1]
    gold = demo.ipma("behaviour", items="experience", by="card").table.set_index(["segment", "item"])
    gains = gold["gain"].unstack()
    assert (
        gains.loc[2, ["changing", "reception"]] > gains.loc[1, ["changing", "reception"]]
    ).all()  # gold's planted grievances
    assert (gains.loc[2, ["changing", "reception"]] > gains.loc[3, ["changing", "reception"]]).all()


# ------------------------------------------------------------------------------ the kernel
def test_the_kernel_is_the_table_and_quick(demo: cx.PathModelResult):
    kernel = demo.scenario("card")
    points = kernel.points({"queue": 1, "report": 2})
    table = demo.what_if({"queue": 1, "report": 2}, by="card").table
    gain = kernel.gain(points)
    assert gain.shape == (3, 3, 201)
    assert kernel.segments == (1, 2, 3)
    low, high = kernel.ends(kernel.gain(points, target="behaviour"))
    rows = table[table["construct"] == "behaviour"]
    np.testing.assert_allclose(gain[2, :, 0], rows["estimate"])
    np.testing.assert_allclose(low, rows["low"])
    np.testing.assert_allclose(high, rows["high"])
    assert demo.scenario("card") is kernel
    best = np.inf
    for _ in range(60):
        start = time.perf_counter()
        kernel.ends(kernel.gain(points, target="behaviour"))
        best = min(best, time.perf_counter() - start)
    assert best < 0.001


def test_replicates_without_a_solution_leave_everywhere():
    df = frame(base=200)
    df["c1"] = np.where(np.arange(200) < 4, 1.0, 0.0)
    df["c2"] = df["c1"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        result = cx.path_model(survey_of(df), SMALL, replicates=200)
    assert result.failed > 3
    gains = result.ipma().table.set_index("construct")
    row = result.what_if({"A": 100}).table.set_index("construct").loc["C"]
    assert row[["low", "high"]].tolist() == pytest.approx(gains.loc["A", ["gain_low", "gain_high"]].tolist(), abs=1e-5)


def test_many_different_answers_are_rounded_to_half_points():
    rng = np.random.default_rng(0)
    df = frame()
    fine = df.assign(a1=np.clip(df["a1"] + rng.uniform(-0.5, 0.5, len(df)), 0, 10))
    result = cx.path_model(survey_of(fine), SMALL, replicates=0)
    assert max(len(a.values) for a in result.scenario().answers) <= 201
    moved = np.average(np.clip(fine["a1"] + 2, 0, 10) - fine["a1"], weights=df["w"])
    assert result.what_if({"a1": 2}).parts["effective_change"][0] == pytest.approx(moved, abs=0.01)


# ------------------------------------------------------------------------------ words, pictures, workbook
def test_a_manager_reads_it(ecsi: cx.PathModelResult):
    row = ecsi.ipma().table.iloc[0]
    said = ecsi.ipma("Loyalty").sentences("en")
    assert said[0].text == (
        f"Satisfaction has the largest room that matters, though its gain is not told apart from that of image: ten points more go with "
        f"{10 * row['importance']:+.1f} points of loyalty ({10 * row['importance_low']:+.1f} to {10 * row['importance_high']:+.1f}), and it stands at 72 of 100. "
        f"All the way up would be {row['gain']:+.1f} points ({row['gain_low']:+.1f} to {row['gain_high']:+.1f})."
    )
    expected = ecsi.what_if({"PERQ3": 1})
    row = expected.table.set_index("construct").loc["Loyalty"]
    assert expected.sentences("en")[0].text == (
        f"If customer service and advice were rated 1 point higher (on average +0.82), as far as the scale allows, loyalty would be expected at "
        f"{row['after']:.1f} instead of {row['before']:.1f}: {row['estimate']:+.1f} points (95% interval {row['low']:+.1f} to {row['high']:+.1f}). This carries an "
        "association over to a change; it is no proof of an effect."
    )


def test_the_call_makes_the_result_again(small: cx.PathModelResult):
    survey = survey_of()
    for result in (small.ipma(items="A", by="card"), small.what_if({"a1": 1, "B": -5}, by="card", reach=0.5)):
        again = eval(result.call.split("  #")[0], {"cx": cx, "survey": survey})
        pd.testing.assert_frame_equal(again.table, result.table)


def test_segments_are_told_what_is_asked(small: cx.PathModelResult):
    said = small.what_if({"a1": 1, "B": -5}, by="card").sentences("en")
    assert said[0].text == (
        "What if a1 were rated 1 point higher and all of B stood 5 points of 0–100 lower, as far as the scale allows? An association carried over "
        "to a change, no proof of an effect."
    )
    assert len(said) == 4


@pytest.mark.parametrize("options", [{}, {"items": True}, {"by": "card"}, {"by": "card", "model_of": "group"}])
def test_both_languages_say_the_same(demo: cx.PathModelResult, options: dict[str, object]):
    found = demo.ipma(**options)
    for result in (found, found.what_if({"queue": 1, "emotion": 5}, cost={"queue": 1, "emotion": 1}, reach=0.4)):
        english, chinese = result.sentences("en"), result.sentences("zh")
        assert len(english) == len(chinese) > 0
        assert [s.facts.keys() for s in english] == [s.facts.keys() for s in chinese]
        assert result.methods("en")
        assert result.methods("zh")
        assert all(n["zh"] for n in result.notes)
        assert result.shown("zh").columns.is_unique


def test_without_replicates_no_intervals_are_claimed(ecsi: cx.PathModelResult):
    result = cx.path_model(ecsi.kernel.prepared.survey, replicates=0)
    found = result.ipma(items=True)
    assert found.table[["gain_low", "rank_low"]].isna().all(axis=None)
    assert found.sentences("en")[0].text.endswith("No intervals were asked for.")
    assert result.what_if({"Quality": 5}).sentences("en")[0].text.endswith("No intervals were asked for.")
    found.plot(lang="zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("options", [{}, {"items": "Quality"}])
def test_names_on_the_map_keep_apart(ecsi: cx.PathModelResult, lang: str, options: dict[str, object]):
    found = ecsi.ipma("Loyalty", **options)
    ax = found.plot(lang=lang)
    ax.figure.canvas.draw()
    names = {found.name(r, lang) for r in found.table.itertuples()}
    boxes = [Text.get_window_extent(t) for t in ax.texts if t.get_text() in names]  # without the line to its point
    assert len(boxes) == len(found.table)
    assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


def test_a_panel_for_every_segment(demo: cx.PathModelResult):
    ax = demo.ipma(items="experience", by="card").plot(lang="en")
    assert [p.get_title(loc="left").split("\n")[0] for p in ax.child_axes] == ["ordinary", "gold", "diamond"]
    assert len({p.get_xlim() for p in ax.child_axes}) == 1
    demo.what_if({"queue": 1}, by="card").plot(lang="zh")
    demo.what_if({"queue": 1}).plot(lang="en")


def test_workbooks_hold_every_table(small: cx.PathModelResult, tmp_path: Path):
    import openpyxl

    for name, result in (("map", small.ipma(items=True)), ("what", small.what_if({"a1": 1}))):
        book = openpyxl.load_workbook(result.to_excel(tmp_path / f"{name}.xlsx"))
        assert len(book.sheetnames) >= 3


# ------------------------------------------------------------------------------ bad input
def message(call: object, *args: object, **options: object) -> str:
    with pytest.raises(SurveyError) as error:
        call(*args, **options)  # type: ignore[operator]
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"target": "A"}, "target 'A' has no causes in the model; those with causes: 'B', 'C'."),
        ({"target": "Loyal"}, "target is 'Loyal'; allowed: 'A', 'B', 'C'."),
        ({"by": "cards"}, "by names 1 column that is not in the survey: 'cards' (did you mean 'card'?)."),
        ({"by": ["card", "u"]}, "by is ['card', 'u']; name one column."),
        ({"by": "card", "model_of": "segment"}, "model_of is 'segment'; allowed: 'all', 'group'."),
        ({"by": "a1", "model_of": "group"}, "by is 'a1', an indicator of the model; within a segment it does not vary, so no segment can have a model of its own: "
         "use model_of='all', or name another column."),
        ({"items": "C"}, "items is 'C'; allowed: 'A', 'B'."),
    ],
)  # fmt: skip
def test_messages_of_the_map(small: cx.PathModelResult, options: dict[str, object], expected: str):
    assert message(small.ipma, **options) == expected


@pytest.mark.parametrize(
    ("changes", "options", "expected"),
    [
        ({}, {}, "changes is empty; name at least one item or construct of the model: changes={'queue': 1}."),
        (1, {}, "changes is 1; give a number for each item or construct: changes={'queue': 1}."),
        ({"a1": "1"}, {}, "changes: 1 of 1 values are no numbers: 'a1' ('1')."),
        ({"a11": 1}, {}, "changes names 1 column that is not in the model: 'a11' (did you mean 'a1'?)."),
        ({"a1": 11}, {}, "changes: 'a1' is to move by +11 points, but its scale runs 0–10; at most 10 points are possible."),
        ({"A": -101}, {}, "changes: 'A' is to move by -101 points, but its scale runs 0–100; at most 100 points are possible."),
        ({"a1": float("nan")}, {}, "changes: 'a1' is nan; give a number of points."),
        ({"A": 5, "a1": 1}, {}, "changes names 'A' and 1 of its items ('a1'); name the construct or its items."),
        ({"a1": 1}, {"reach": 1.2}, "reach of 1 changes is no share from 0 to 1: 'a1' (1.2)."),
        ({"a1": 1}, {"reach": {"a2": 1}}, "reach names 1 without a change: 'a2'; changes has 'a1'."),
        ({"a1": 1, "B": 5}, {"cost": {"a1": 1}}, "cost is missing for 1 of 2 changes: 'B'."),
        ({"a1": 1}, {"cost": {"a1": -1}}, "cost of 1 changes is not a number of 0 or more: 'a1' (-1)."),
    ],
)  # fmt: skip
def test_messages_of_what_if(small: cx.PathModelResult, changes: object, options: dict[str, object], expected: str):
    assert message(small.what_if, changes, **options) == expected


def test_models_that_have_no_single_importance():
    survey = survey_of()
    product = cx.path_model(survey, SMALL + "\nC ~ A*B", replicates=0)
    said = (
        "model has 1 products of constructs (A:B); what one point brings then depends on the level of the moderator, and there is no single "
        "importance: leave the products out."
    )
    assert message(product.ipma) == said
    assert message(product.what_if, {"a1": 1}) == said
    ends = cx.path_model(survey, "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A", replicates=0)
    assert message(ends.ipma) == "target: the model ends in 2 constructs ('B', 'C'); name one."
    assert ends.what_if({"B": 5}).sentences("en")[0].text.startswith("If all of B stood 5 points of 0–100 higher")
    higher = cx.path_model(survey, "A =~ a1 + a2\nD =~ a3\nW =~ A + D\nC =~ c1 + c2\nC ~ W", replicates=0)
    assert message(higher.ipma, "A") == "target 'A' is a part of 'W'; what leads to a part is not estimated: name 'W'."
    assert (
        message(higher.what_if, {"A": 5})
        == "changes: 'A' is a part of 'W', which has no index of its own; name its items, or 'W'."
    )
    assert (
        message(cx.ipma, ends)
        == "survey is a PathModelResult; pass a Survey, or call .ipma() of a result of cx.path_model."
    )
    assert message(cx.PathModelResult(ends.table, ends.base).ipma) == (
        "a map of importance goes on from a result of cx.path_model; this one holds no estimated model."
    )


@pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
def test_a_model_without_a_solution_says_so():
    rng = np.random.default_rng(1)
    df, noise = frame(), 2 * rng.normal(size=400)
    df = df.assign(
        a1=5 + 0.8 * (df["c1"] - 6) + noise, a2=5 + 0.8 * (df["c1"] - 6) - noise
    )  # a common factor without reliability
    result = cx.path_model(survey_of(df), "A =~ a1 + a2\nC =~ c1 + c2\nC ~ A", method="plsc", replicates=100)
    assert result.table["estimate"].isna().any()
    found = result.ipma()
    assert (found.table["reliability"] == "suppressed").all()
    found.plot(lang="en")
    assert message(result.what_if, {"a1": 1}) == (
        "the model has no solution, so no change can be carried along its paths; see the warnings of cx.path_model."
    )


@pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
def test_constructs_that_are_no_mean_of_their_items_are_refused():
    df = frame()
    result = cx.path_model(survey_of(df.assign(b2=10 - df["b2"])), SMALL, replicates=100)
    said = (
        "model: 1 of 3 constructs have no index, as their items count against one another: 'B'; turn items whose less is better "
        "(higher_is_better: false), or leave some out."
    )
    assert message(result.ipma) == said
    assert message(result.what_if, {"a1": 1}) == said


def test_plsc_and_negative_weights_are_said():
    found = cx.ipma(survey_of(), SMALL, method="plsc", replicates=0)
    assert any(n["en"].startswith("Importance is corrected for reliability (PLSc):") for n in found.notes)
    df = frame()
    odd = df.assign(a3=5 - 0.25 * (df["a1"] - 7) + 2 * np.random.default_rng(0).normal(size=len(df)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = cx.ipma(survey_of(odd), SMALL, replicates=0)
    assert (
        "These items have a negative weight, so better answers lower their index: a3. Look at the measurement before acting."
        in [n["en"] for n in result.notes]
    )


# ------------------------------------------------------------------------------ coverage
SURVEYS, REPLICATES, SEED = 500, 300, 2031
MEANS = np.array([0.6, -0.4, 0.2, 0.5, -0.3, 0.1, -0.2])
LOW, TOP, STEP = -6.0, 2.0, 1.5
PARTS = ("importance", "performance", "gain", "item gain", "what if")


def drawn(rng: np.random.Generator, clusters: int) -> Survey:
    """Clusters that differ in level (ICC .1); who is content comes more often, weights are the inverse of the chance."""
    unit = np.repeat(np.arange(clusters), 40)

    def shared() -> np.ndarray:
        return np.sqrt(0.1) * rng.normal(size=clusters)[unit] + np.sqrt(0.9) * rng.normal(size=len(unit))

    a = shared()
    b = 0.6 * a + 0.7 * shared()
    c = 0.25 * a + 0.45 * b + 0.7 * shared()
    x = np.column_stack([a, b, c])[:, [0, 0, 0, 1, 1, 2, 2]] + 0.7 * rng.normal(size=(len(unit), 7)) + MEANS
    chance = 0.1 + 0.5 / (1 + np.exp(-1.2 * (x[:, 5] - 0.5 * x[:, 0])))
    came = rng.random(len(unit)) < chance
    survey = Survey.from_frame(
        pd.DataFrame(x[came], columns=ITEMS).assign(w=1 / chance[came], u=unit[came]), weight="w", psu="u"
    )
    scaled = {n: replace(i, scale=(LOW, TOP)) if n in ITEMS else i for n, i in survey.codebook.items.items()}
    return replace(survey, codebook=Codebook(scaled))


def truth() -> dict[str, np.ndarray]:
    """The model on the moments of the population."""
    b, ab = 0.36 + 0.49, 0.6
    ac, bc = 0.25 + 0.45 * ab, 0.25 * ab + 0.45 * b
    c = 0.25**2 + 0.45**2 * b + 2 * 0.25 * 0.45 * ab + 0.49
    scores = np.array([[1, ab, ac], [ab, b, bc], [ac, bc, c]])
    at = [0, 0, 0, 1, 1, 2, 2]
    covariance, unit = scores[np.ix_(at, at)] + 0.49 * np.eye(7), 100 / (TOP - LOW)
    kernel = cx.path_model(drawn(np.random.default_rng(0), 40), SMALL, replicates=0).kernel
    found = kernel.under([((unit * (MEANS - LOW))[None], unit**2 * covariance[None], None)], 1e-12)
    share = (found.outer / found.spread[:, :, None])[0]
    share /= share.sum(axis=0)
    total, index = found.total_impacts[0][:2, 2], found.index[0][:2]
    gain = np.concatenate(
        [total[j] * share[k, j] * (100 - unit * (MEANS[k] - LOW)) for j, k in ((0, [0, 1, 2]), (1, [3, 4]))]
    )
    spread = np.sqrt(covariance[0, 0])
    bound = stats.norm(MEANS[0], spread)
    near = bound.expect(lambda x: TOP - x, lb=TOP - STEP, ub=TOP)
    moved = STEP * bound.cdf(TOP - STEP) + near
    return {"importance": total, "performance": index, "gain": total * (100 - index), "item gain": gain,
            "what if": np.array([total[0] * share[0, 0] * unit * moved])}  # fmt: skip


def ends(clusters: int, number: int) -> list[np.ndarray]:
    survey = drawn(np.random.default_rng([SEED, clusters, number]), clusters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = cx.path_model(survey, SMALL, replicates=REPLICATES, seed=number)
        table = result.ipma().table.sort_values("construct")
        items = result.ipma(items=True).table.sort_values("item")
        moved = result.what_if({"a1": STEP}).table.query("construct == 'C'")
    found = [table[[f"{n}_low", f"{n}_high", n]].to_numpy(float).T for n in ("importance", "performance", "gain")]
    return [
        *found,
        items[["gain_low", "gain_high", "gain"]].to_numpy(float).T,
        moved[["low", "high", "estimate"]].to_numpy(float).T,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [100, 30])
def test_intervals_cover_the_truth_in_92_to_98_of_100_surveys(clusters: int):
    """Weights and clusters; 30 clusters give t intervals. Monte Carlo error .010; nor may they be wide: 1.15 times the normal one."""
    true, found = truth(), [ends(clusters, number) for number in range(SURVEYS)]
    for k, part in enumerate(PARTS):
        low, high, estimate = np.array([f[k] for f in found]).transpose(1, 0, 2)
        cover = ((low <= true[part]) & (true[part] <= high)).mean(axis=0)
        width = (high - low).mean(axis=0) / (2 * 1.96 * estimate.std(axis=0))
        print(f"| {clusters} clusters | {part} | {cover.round(3)} | {width.round(2)} |", flush=True)
        assert ((cover >= 0.92) & (cover <= 0.98)).all(), (part, cover)
        assert (width <= 1.15).all(), (part, width)


@pytest.mark.slow
def test_the_truth_is_what_many_respondents_give():
    result = cx.path_model(drawn(np.random.default_rng(5), 10_000), SMALL, replicates=0)
    true, table = truth(), result.ipma().table.sort_values("construct")
    for name in ("importance", "performance", "gain"):
        np.testing.assert_allclose(table[name], true[name], rtol=0.02)
    np.testing.assert_allclose(result.ipma(items=True).table.sort_values("item")["gain"], true["item gain"], rtol=0.03)
    np.testing.assert_allclose(
        result.what_if({"a1": STEP}).table.query("construct == 'C'")["estimate"], true["what if"], rtol=0.03
    )
