"""Answers and what-ifs from a cube: equal to the direct computation with the same groups, and to the library's what-if."""

import re
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.cube import cube_scenario, cube_what_if, moment_cube
from cxlab.cube._answers import AnswerRows, AnswerTable
from cxlab.errors import SurveyError
from cxlab.replicates import replicate_weights
from cxlab.survey import Survey

ITEMS = ["a", "b", "c"]
OUTCOMES = ["y", "score", "did"]
EXACT = 1e-10


def frame(rows: int, units: int, strata: int, *, missing: float = 0.06, seed: int = 0) -> pd.DataFrame:
    """Whole answers with gaps, a rating, a score of −100, 0 and 100, and a yes/no with gaps of its own."""
    rng = np.random.default_rng(seed)
    unit = np.concatenate([np.arange(units), rng.integers(0, units, rows - units)])
    common = rng.normal(size=rows) + 0.6 * rng.normal(size=units)[unit]
    answers = {n: np.clip(np.round(6 + 1.4 * common + 1.6 * rng.normal(size=rows)), 0, 10) for n in ITEMS}
    df = pd.DataFrame(answers)
    df["y"] = np.clip(np.round(1 + df @ [0.5, 0.3, 0.0] + rng.normal(size=rows)), 0, 10)
    df["score"] = 100.0 * (df["y"] >= 7) - 100.0 * (df["y"] <= 4)
    df["did"] = (rng.random(rows) < 0.2 + 0.05 * df["a"]).astype(float)
    for name in [*ITEMS, "did"]:
        df.loc[rng.random(rows) < missing, name] = np.nan
    df["w"], df["u"], df["s"] = rng.uniform(0.5, 3, rows), unit, unit % strata
    df["wave"], df["g"], df["size"] = rng.integers(1, 5, rows), rng.integers(1, 3, rows), 2.0 * units / strata
    return df


def survey_of(df: pd.DataFrame, **design) -> Survey:
    survey = Survey.from_frame(df, **design)
    items = [replace(survey.codebook[n], scale=(0.0, 10.0)) for n in ("a", "b")]  # of c the ends seen count
    return replace(survey, codebook=survey.codebook.with_items(*items))


def direct(survey: Survey, chosen: dict, columns: list[str], groups: int = 100) -> tuple[pd.DataFrame, np.ndarray]:
    """Complete rows of a filter, and their weights in the sample and in each replicate."""
    inside = survey.data[columns].notna().all(axis=1).to_numpy() & survey.domain
    for name, wanted in chosen.items():
        inside &= survey.data[name].isin(np.atleast_1d(wanted)).to_numpy()
    made = replicate_weights(survey, "jackknife", groups=groups)
    weights = np.vstack([survey.weights, *(block for block in made.weights())])
    return survey.data[inside], weights[:, inside]


DESIGNS = {
    "nothing declared": (1500, 1500, 1, {}),
    "weights and strata": (1500, 1500, 3, {"weight": "w", "stratum": "s"}),
    "clusters over waves": (2400, 400, 3, {"weight": "w", "stratum": "s", "psu": "u"}),
    "72 strata of 5": (1800, 360, 72, {"weight": "w", "stratum": "s", "psu": "u"}),
    "40 clusters": (1200, 40, 4, {"weight": "w", "stratum": "s", "psu": "u"}),
    "sampled shares": (2400, 300, 3, {"weight": "w", "stratum": "s", "psu": "u", "fpc": "size"}),
}
FILTERS = [{}, {"wave": 2}, {"wave": [1, 3], "g": 2}, {"s": 0}, {"g": 1, "s": [0, 2]}]


@pytest.mark.parametrize("held", [AnswerRows, AnswerTable])
@pytest.mark.parametrize("case", DESIGNS)
def test_shares_are_those_of_replicate_weights(case, held):
    rows, units, strata, design = DESIGNS[case]
    if held is AnswerTable:
        rows, units = 8 * rows, units if "psu" in design else 8 * rows
    by = ["wave", "g", *(["s", "kind"] if held is AnswerRows else [])]
    survey = survey_of(frame(rows, units, strata).assign(kind=lambda d: np.arange(len(d)) % 5), **design)
    cube = moment_cube(survey, [*ITEMS, *OUTCOMES], by)
    for outcome, items in (("y", ITEMS), ("did", ["c", "a"])):
        columns = [*ITEMS, outcome]
        for chosen in FILTERS:
            if not set(chosen) <= set(by) or (case == "nothing declared" and chosen.get("s", 0) != 0):
                continue
            df, weights = direct(survey, chosen, columns)
            assert type(cube.answer_view(columns, items)) is held
            for item, found in zip(items, cube.answers(chosen, columns, items), strict=True):
                seen = survey.data[item]
                assert found.values == pytest.approx(np.unique(seen.dropna()))
                assert (found.low, found.high) == ((0, 10) if item != "c" else (seen.min(), seen.max()))
                below = df[item].to_numpy()[:, None] <= found.values + 1e-9
                expected = weights @ below / weights.sum(axis=1, keepdims=True)
                np.testing.assert_allclose(found.share[:, 1:], expected, rtol=0, atol=EXACT)
                for change in (1.5, -2.0):
                    moved = np.clip(df[item] + change, found.low, found.high) - df[item]
                    mean = weights @ moved.to_numpy() / weights.sum(axis=1)
                    np.testing.assert_allclose(found.shift(change), mean, rtol=0, atol=EXACT)


CHANGES = {"a": 1.0, "c": -0.5}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("chosen", [{}, {"g": 1, "s": [0, 2]}, {"wave": [1, 2]}])
def test_gains_are_those_of_regressions_under_the_same_groups(outcome, chosen):
    survey = survey_of(frame(2400, 400, 3), weight="w", stratum="s", psu="u")
    cube = moment_cube(survey, [*ITEMS, *OUTCOMES], ["wave", "g", "s"])
    df, weights = direct(survey, chosen, [*ITEMS, outcome])
    x, y, gains = df[ITEMS].to_numpy(), df[outcome].to_numpy(), []
    ends = np.array([[0, 10], [survey.data["c"].min(), survey.data["c"].max()]], dtype=float)
    moved = np.clip(x[:, [0, 2]] + [1, -0.5], *ends.T) - x[:, [0, 2]]
    for w in weights:
        own = np.column_stack([np.ones(len(x)), x])
        slopes = np.linalg.solve((own.T * w) @ own, (own.T * w) @ y)[[1, 3]]
        gain = slopes * np.average(moved, axis=0, weights=w)
        gains.append([*gain, gain.sum()])
    gains = np.array(gains)
    scale = replicate_weights(survey, "jackknife", groups=100).scale
    found = cube_what_if(cube, outcome, ITEMS, CHANGES, filter=chosen)
    size = max(1.0, np.abs(gains).max())
    np.testing.assert_allclose(found.table["estimate"], gains[0], atol=EXACT * size)
    np.testing.assert_allclose(found.replicates, gains[1:], atol=EXACT * size)
    np.testing.assert_allclose(found.table["se"], np.sqrt(scale @ (gains[1:] - gains[0]) ** 2), atol=EXACT * size)


@pytest.mark.parametrize(("outcome", "named"), [("y", "y"), ("score", "nps(y)"), ("did", "did")])
@pytest.mark.parametrize("chosen", [{}, {"g": [2], "wave": [1, 3]}])
def test_it_is_the_library_s_what_if(outcome, named, chosen):
    df = frame(2400, 400, 3)
    df["score"] = 100.0 * (df["y"] >= 9) - 100.0 * (df["y"] <= 6)
    survey = survey_of(df, weight="w", stratum="s", psu="u")
    survey = replace(survey, codebook=survey.codebook.with_items(replace(survey.codebook["y"], scale=(0.0, 10.0))))
    cube = moment_cube(survey, [*ITEMS, *OUTCOMES], ["wave", "g"])
    inside = survey.where(**chosen) if chosen else survey
    expected = cx.what_if(inside, named, changes=CHANGES, drivers=ITEMS, replicates=1000).table
    found = cube_what_if(cube, outcome, ITEMS, CHANGES, filter=chosen).table
    assert list(found.columns) == list(expected.columns)
    exact = ["change", "effective_change", "effect", "estimate", "before", "after", "base", "base_effective"]
    for column in exact:
        np.testing.assert_allclose(found[column], expected[column], rtol=EXACT, atol=EXACT)
    assert found[["driver", "reliability"]].equals(expected[["driver", "reliability"]])
    np.testing.assert_allclose(found["se"], expected["se"], rtol=0.35)
    one = cube_what_if(cube, outcome, ITEMS, {"a": 1.0}, filter=chosen).table
    assert one.iloc[0, 1:].tolist()[0] == one.iloc[1, 1:].tolist()[0] == 1


def test_standard_errors_are_on_average_those_of_the_bootstrap():
    ratios = []
    for seed in range(12):
        survey = survey_of(frame(1200, 400, 3, seed=seed), weight="w", stratum="s", psu="u")
        cube = moment_cube(survey, [*ITEMS, *OUTCOMES], ["wave"])
        for outcome in ("y", "did"):
            quick = cube_what_if(cube, outcome, ITEMS, CHANGES).table["se"]
            full = cx.what_if(survey, outcome, changes=CHANGES, drivers=ITEMS, replicates=500, seed=seed).table["se"]
            ratios.append(quick / full)
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)
    assert np.min(ratios) > 0.65
    assert np.max(ratios) < 1.35


def test_nobody_moves_and_everybody_is_at_the_end():
    survey = survey_of(frame(1500, 1500, 1).assign(a=lambda d: np.where(d["g"] == 1, 10.0, d["a"])))
    cube = moment_cube(survey, [*ITEMS, "y"], ["g"])
    still = cube_what_if(cube, "y", ITEMS, {"a": 0.0, "b": 0.0}).table
    assert still[["estimate", "se", "low", "high"]].to_numpy().tolist() == [[0.0] * 4] * 3
    none = moment_cube(survey, [*ITEMS, "y"], ["g", "wave"])
    stuck = cube_what_if(none, "y", ["a", "b"], {"b": 1.0}, filter={"g": 2}).table
    assert stuck["estimate"].iloc[0] > 0
    with pytest.raises(SurveyError, match=r"^'a' does not vary in the filter; leave it out, or widen the filter\.$"):
        cube_what_if(none, "y", ["a", "b"], {"a": 1.0}, filter={"g": 1})


def test_a_filter_s_model_is_made_once():
    survey = survey_of(frame(1500, 1500, 1))
    cube = moment_cube(survey, [*ITEMS, "y", "did"], ["g", "wave"])
    one = cube_scenario(cube, "y", ITEMS, filter={"g": 1})
    assert cube_scenario(cube, "y", ITEMS, filter={"g": [1]}) is one
    assert cube_scenario(cube, "y", ITEMS, filter={"g": 2}) is not one
    assert cube_scenario(cube, "did", ITEMS, filter={"g": 1}) is not one
    before = cube.bytes
    for wave in (1, 2, 3, 4):
        for outcome in ("y", "did"):
            cube_scenario(cube, outcome, ITEMS, filter={"wave": wave, "g": 1})
            cube_scenario(cube, outcome, ITEMS, filter={"wave": wave, "g": 2})
    assert cube_scenario(cube, "y", ITEMS, filter={"g": 1}) is not one  # only the last are kept
    assert cube.bytes >= before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: cube_what_if(c, "y", ITEMS, {}), 'changes is empty; name at least one driver: changes={"queue": +1}.'),
        (lambda c: cube_what_if(c, "y", ["a", "b"], {"c": 1}), "changes names 1 column that is not in the drivers of the model: 'c'."),
        (lambda c: cube_what_if(c, "y", ITEMS, {"a": 11}),
         "changes: 'a' is to move by +11 points, but its scale runs 0–10; at most 10 points are possible."),
        (lambda c: cube_what_if(c, "y", ITEMS, {"a": float("nan")}),
         "changes: 'a' is to move by +nan points, but its scale runs 0–10; at most 10 points are possible."),
        (lambda c: cube_what_if(c, "y", [], {"a": 1}), "drivers is empty; name at least one column."),
        (lambda c: cube_what_if(c, "y", ["a", "y"], {"a": 1}), "drivers names the outcome 'y' too; leave it out."),
        (lambda c: c.answers(None, ["a", "y"], ["b"]), "items names 1 column that is not in columns: 'b'."),
        (lambda c: c.answers({"g": 3}, ["a", "y"], ["a"]), "g has no value 3; it has: 1, 2."),
    ],
)  # fmt: skip
def test_what_is_refused(call, message):
    cube = moment_cube(survey_of(frame(600, 600, 1)), [*ITEMS, "y"], ["g"])
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        call(cube)


@pytest.mark.slow
def test_a_million_respondents_answer_while_a_slider_moves():
    rng, rows = np.random.default_rng(0), 1_000_000
    names = [f"x{j}" for j in range(12)]
    common = rng.normal(size=(rows, 1))
    df = pd.DataFrame(np.clip(np.round(6 + common + 1.5 * rng.normal(size=(rows, 12))), 0, 10), columns=names)
    df["y"] = np.clip(np.round(df.mean(axis=1) + rng.normal(size=rows)), 0, 10)
    df["wave"], df["g"], df["w"] = rng.integers(1, 25, rows), rng.integers(1, 19, rows), rng.uniform(0.5, 2, rows)
    cube = moment_cube(Survey.from_frame(df, weight="w"), [*names, "y"], ["wave", "g"])
    columns = [*names, "y"]
    start = time.process_time()
    cube.answer_view(columns, names)
    assert time.process_time() - start < 4  # under 1 where nothing else runs
    queries, slides = [], []
    for wave in range(1, 13):
        chosen = {"wave": list(range(wave, wave + 12))}
        start = time.perf_counter()
        cube.answers(chosen, columns, names)
        queries.append(time.perf_counter() - start)
        model = cube_scenario(cube, "y", names, filter=chosen)
        start = time.perf_counter()
        model.what_if(dict.fromkeys(names, 0.7))
        slides.append(time.perf_counter() - start)
    assert np.median(queries) < 0.020  # some 5 ms where nothing else runs
    assert np.median(slides) < 0.005
