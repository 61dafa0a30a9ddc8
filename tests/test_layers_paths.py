"""cx.path_model: R's seminr to the digits, weights, products, replicates, effects, planted truths, bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab import pls
from cxlab.design import resolve
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError
from cxlab.items import Codebook
from cxlab.layers._estimate import fit, plan
from cxlab.layers._kernel import Kernel
from cxlab.layers._model import read_model
from cxlab.layers._prepare import prepare
from cxlab.survey import Survey

ROOT = Path(__file__).parents[1]
GOLDEN = json.loads((ROOT / "tests/golden/sem/seminr.json").read_text())
R_BOOTSTRAP = json.loads((ROOT / "tests/golden/sem/bootstrap.json").read_text())
MOBI = pd.read_csv(ROOT / "data/mobi/mobi.csv").astype(float)
MODERATED = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Satisfaction ~ Image + Expectation + Image*Expectation
"""
SMALL = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B"


@pytest.fixture(scope="module")
def mobi() -> Survey:
    return cx.open_study(ROOT / "data/mobi/study.yml").survey()


@pytest.fixture(scope="module")
def demo() -> Survey:
    return cx.open_study(ROOT / "data/healthcheck/study.yml").survey()


@pytest.fixture(scope="module")
def ecsi(mobi: Survey) -> cx.PathModelResult:
    return cx.path_model(mobi)


def golden(case: str, part: str, names: list[str]) -> pd.DataFrame:
    found = GOLDEN[case][part]
    return (
        pd.DataFrame(found["values"], index=found["rows"], columns=found["cols"])
        .astype(float)
        .reindex(index=names, columns=names)
        .fillna(0)
    )


def drawn(rng: np.random.Generator, count: int, effects: tuple[float, float, float] = (0.6, 0.2, 0.5)) -> pd.DataFrame:
    """A leads to B (a), both lead to C (direct c, b); every item is its construct and noise."""
    a, c, b = effects
    first = rng.normal(size=count)
    second = a * first + np.sqrt(1 - a**2) * rng.normal(size=count)
    third = c * first + b * second + np.sqrt(1 - c**2 - b**2 - 2 * a * b * c) * rng.normal(size=count)
    parts = {"a": (first, 3), "b": (second, 2), "c": (third, 2)}
    return pd.DataFrame({
        f"{name}{k + 1}": score + 0.7 * rng.normal(size=count) for name, (score, items) in parts.items() for k in range(items)
    })  # fmt: skip


# ------------------------------------------------------------------------------ R's digits
@pytest.mark.parametrize(("case", "options"), [("modeA", {}), ("modeB", {}), ("plsc", {"method": "plsc"})])
def test_every_number_is_that_of_seminr(mobi: Survey, case: str, options: dict[str, str]):
    text = mobi.roles.model if case != "modeB" else mobi.roles.model.replace("=~", "<~")
    found = cx.path_model(mobi, text, replicates=0, **options)
    names = list(found.kernel.names)
    paths = golden(case, "paths", names)
    totals = golden(case, "total_effects", names)
    indirect = golden(case, "total_indirect_effects", names)
    for row in found.table.itertuples():
        assert row.estimate == pytest.approx(paths.loc[row.source, row.target], abs=1e-9)
    kinds = found.effects.set_index(["kind", "source", "target"])["estimate"]
    for (kind, source, target), value in kinds.items():
        expected = {"total": totals, "total indirect": indirect, "direct": paths}.get(kind)
        if expected is not None:
            assert value == pytest.approx(expected.loc[source, target], abs=1e-9)
    assert len(kinds["total indirect"]) == (indirect.to_numpy() != 0).sum()
    weights = pd.DataFrame(GOLDEN[case]["outer_weights"]["values"], index=GOLDEN[case]["outer_weights"]["rows"],
                           columns=GOLDEN[case]["outer_weights"]["cols"]).astype(float)  # fmt: skip
    for row in found.weights.itertuples():
        assert row.weight == pytest.approx(weights.loc[row.item, row.construct], abs=1e-9)
    explained = dict(zip(GOLDEN[case]["r_squared"]["cols"], GOLDEN[case]["r_squared"]["values"][0], strict=True))
    adjusted = dict(zip(GOLDEN[case]["r_squared"]["cols"], GOLDEN[case]["r_squared"]["values"][1], strict=True))
    for row in found.constructs.dropna(subset="r_squared").itertuples():
        assert row.r_squared == pytest.approx(explained[row.construct], abs=1e-9)
        assert row.r_squared_adjusted == pytest.approx(adjusted[row.construct], abs=1e-9)


def test_moderation_is_that_of_seminr(mobi: Survey):
    """seminr takes scores with divisor n − 1, which stretches their product by n / (n − 1) and its unit by the root of it."""
    found = cx.path_model(mobi, MODERATED, replicates=0).table.set_index("source")["estimate"]
    case = GOLDEN["interaction"]["paths"]
    expected = pd.DataFrame(case["values"], index=case["rows"], columns=case["cols"]).astype(float)["Satisfaction"]
    assert found["Image"] == pytest.approx(expected["Image"], abs=1e-9)
    assert found["Expectation"] == pytest.approx(expected["Expectation"], abs=1e-9)
    assert found["Image:Expectation"] * np.sqrt(250 / 249) == pytest.approx(expected["Image*Expectation"], abs=1e-9)


def test_standard_errors_are_those_of_seminr_s_bootstrap(ecsi: cx.PathModelResult):
    """Two bootstraps of 1,000: their standard errors differ by about 3 % each, the ends of intervals by some .01."""
    expected = pd.DataFrame(
        R_BOOTSTRAP["paths"]["values"], index=R_BOOTSTRAP["paths"]["rows"], columns=R_BOOTSTRAP["paths"]["cols"]
    )
    for row in ecsi.table.itertuples():
        theirs = expected.loc[f"{row.source}  ->  {row.target}"]
        assert row.estimate == pytest.approx(theirs["Original Est."], abs=1e-9)
        assert row.se == pytest.approx(theirs["Bootstrap SD"], rel=0.13)
        assert [row.low, row.high] == pytest.approx([theirs["2.5% CI"], theirs["97.5% CI"]], abs=0.035)


# ------------------------------------------------------------------------------ weights and replicates
def test_integer_weights_are_repeated_rows_in_the_estimate_only():
    rng = np.random.default_rng(8)
    df = drawn(rng, 400)
    times = rng.integers(1, 4, 400)
    weighted = cx.path_model(Survey.from_frame(df.assign(w=times), weight="w"), SMALL, replicates=300)
    repeated = cx.path_model(Survey.from_frame(df.loc[df.index.repeat(times)]), SMALL, replicates=300)
    np.testing.assert_allclose(weighted.table["estimate"], repeated.table["estimate"], atol=1e-10)
    np.testing.assert_allclose(weighted.table["impact"], repeated.table["impact"], atol=1e-10)
    assert (weighted.table["se"] > 1.15 * repeated.table["se"]).all()
    scaled = cx.path_model(Survey.from_frame(df.assign(w=times * 7.5), weight="w"), SMALL, replicates=300)
    pd.testing.assert_frame_equal(scaled.table, weighted.table, rtol=1e-9)


@pytest.mark.parametrize("text", [SMALL, SMALL + "\nC ~ A*B", SMALL.replace("=~", "<~")])
@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")
def test_a_replicate_is_the_model_under_its_weights(text: str, consistent: bool):
    """Each set of replicate weights gives what the whole analysis gives a survey with these weights."""
    rng = np.random.default_rng(2)
    df = drawn(rng, 240).assign(
        w=rng.uniform(0.5, 2, 240), s=np.arange(240) % 3, u=np.arange(240) // 2 // 3 * 3 + np.arange(240) % 3
    )
    survey = with_scales(Survey.from_frame(df, weight="w", stratum="s", psu="u"))
    kernel = Kernel(prepare(survey, text), "path", consistent)
    draws = kernel.replicates(7, seed=3)
    assert draws.converged.all()
    multipliers, piece = next(resolve(survey).bootstrap(7, 3, np.arange(240)))
    for b in range(7):
        again = with_scales(Survey.from_frame(df.assign(w=multipliers[b, piece] * df["w"]), weight="w"))
        alone = Kernel(prepare(again, text), "path", consistent).sample
        for part in ("paths", "loadings", "r_squared", "impacts", "index", "rho_a"):
            np.testing.assert_allclose(getattr(draws, part)[b], getattr(alone, part)[0], atol=2e-5, err_msg=part)


def with_scales(survey: Survey) -> Survey:
    """The items on a declared scale, so that 0 and 100 do not depend on who is drawn."""
    items = {n: replace(i, scale=(-5.0, 5.0)) for n, i in survey.codebook.items.items()}
    return replace(survey, codebook=Codebook(items))


def test_clusters_and_strata_count():
    rng = np.random.default_rng(5)
    shared = drawn(rng, 60)
    df = pd.concat([shared + 0.3 * rng.normal(size=shared.shape) for _ in range(10)]).assign(
        u=np.tile(np.arange(60), 10)
    )
    alone = cx.path_model(Survey.from_frame(df), SMALL, replicates=300).table
    together = cx.path_model(Survey.from_frame(df, psu="u"), SMALL, replicates=300)
    assert together.interval == "t"
    assert (together.table["se"] > 2 * alone["se"]).all()
    wide = together.table
    half = (wide["high"] - wide["low"]) / 2
    np.testing.assert_allclose(half, stats.t.ppf(0.975, 59) * wide["se"])


def test_a_domain_keeps_the_design(demo: Survey):
    part = cx.path_model(demo.where(card="gold", wave=["2025-11", "2025-12"]), replicates=200)
    assert part.base.respondents < 240
    assert part.kernel.prepared.sample.design is not None
    assert part.table["se"].between(0.01, 0.2).all()


# ------------------------------------------------------------------------------ effects
def test_effects_add_up(ecsi: cx.PathModelResult):
    effects = ecsi.effects
    for _, pair in effects.groupby(["source", "target"]):
        by_kind = pair.groupby("kind")[["estimate", "impact"]].sum()
        direct = by_kind.loc["direct"] if "direct" in by_kind.index else 0
        indirect = by_kind.loc["indirect"] if "indirect" in by_kind.index else 0
        np.testing.assert_allclose((direct + indirect).to_numpy(), by_kind.loc["total"].to_numpy(), atol=1e-12)
    assert set(effects["kind"]) == {"direct", "indirect", "total indirect", "total"}
    routes = effects[(effects["source"] == "Expectation") & (effects["target"] == "Satisfaction")]["route"].tolist()
    assert "Expectation → Quality → Value → Satisfaction" in routes


def test_impacts_are_regressions_on_the_indices(mobi: Survey, ecsi: cx.PathModelResult):
    """The ACSI reading: scores on 0–100 by hand, then ordinary least squares."""
    kernel = ecsi.kernel
    items = (MOBI[list(ecsi.model.items)].to_numpy() - 1) / 9 * 100
    weights = kernel.sample.outer[0] / items.std(axis=0)[:, None]
    scores = pd.DataFrame(items @ (weights / weights.sum(axis=0)), columns=list(kernel.names))
    np.testing.assert_allclose(scores.mean(), ecsi.constructs["index"], atol=1e-8)
    for target, rows in ecsi.table.groupby("target"):
        x = np.column_stack([np.ones(250), scores[rows["source"]]])
        slopes = np.linalg.lstsq(x, scores[target], rcond=None)[0][1:]
        np.testing.assert_allclose(rows["impact"], slopes, atol=1e-8)


def test_an_item_where_less_is_better_is_turned():
    rng = np.random.default_rng(1)
    df = drawn(rng, 300)
    plain = cx.path_model(Survey.from_frame(df), SMALL, replicates=0)
    turned = Survey.from_frame(df.assign(b1=-df["b1"]))
    item = turned.codebook["b1"]
    codebook = Codebook({**turned.codebook.items, "b1": replace(item, higher_is_better=False)})
    found = cx.path_model(replace(turned, codebook=codebook), SMALL, replicates=0)
    pd.testing.assert_frame_equal(found.table, plain.table)


# ------------------------------------------------------------------------------ planted truths
def test_planted_indirect_effect_and_null_path():
    """The estimator's own limit: the model on the population's correlations. A direct effect of zero is not shown."""
    a, c, b = 0.6, 0.0, 0.5
    rows = drawn(np.random.default_rng(11), 2_000_000, (a, c, b))
    limit = fit(np.corrcoef(rows.to_numpy().T)[None], plan(read_model(SMALL)), tolerance=1e-12).paths[0]
    for seed, plsc in ((21, False), (22, True)):
        result = cx.path_model(Survey.from_frame(drawn(np.random.default_rng(seed), 1500, (a, c, b))), SMALL,
                               method="plsc" if plsc else "pls", replicates=500)  # fmt: skip
        effects = result.effects.set_index(["kind", "source", "target"])
        row = effects.loc[[("indirect", "A", "C")]].iloc[0]
        expected = a * b if plsc else limit[0, 1] * limit[1, 2]
        assert abs(row["estimate"] - expected) < 4.1 * row["se"]
        assert row["low"] > 0
        direct = effects.loc[[("direct", "A", "C")]].iloc[0]
        assert abs(direct["estimate"] - (c if plsc else limit[0, 2])) < 4.1 * direct["se"]
        if plsc:
            assert direct["low"] < 0 < direct["high"]
            assert "no direct effect can be shown" in str(result.sentences("en"))


def test_the_demo_study_s_layers(demo: Survey):
    result = cx.path_model(demo, replicates=300)
    assert result.model.names == ("experience", "emotion", "behaviour")
    assert "parking" not in result.model.items
    assert (
        "Set aside because more than 20% of respondents have not experienced them or were not asked: Parking, Follow-up."
        in [n["en"] for n in result.notes]
    )
    assert (result.table["low"] > 0).all()
    english, chinese = result.sentences("en"), result.sentences("zh")
    assert len(english) == len(chinese) >= 3
    assert [s.facts.keys() for s in english] == [s.facts.keys() for s in chinese]


@pytest.mark.parametrize("missing", ["pairwise", "em", "mi"])
def test_missing_answers(missing: str):
    """Answers missing at random: every method finds the paths of the complete data within its error."""
    rng = np.random.default_rng(3)
    df = drawn(rng, 1200)
    complete = cx.path_model(Survey.from_frame(df), SMALL, replicates=0).table["estimate"]
    holes = df.mask(rng.random(df.shape) < 0.08)
    found = cx.path_model(Survey.from_frame(holes), SMALL, missing=missing, replicates=200)
    assert (np.abs(found.table["estimate"] - complete) < 3 * found.table["se"]).all()
    assert found.base.respondents == 1200


# ------------------------------------------------------------------------------ bad input
def message(survey: Survey, *args: object, **options: object) -> str:
    with pytest.raises(SurveyError) as error:
        cx.path_model(survey, *args, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (SMALL.replace("a3", "a9"), {}, "model names 1 column that is not in the survey: 'a9'."),
        (SMALL, {"method": "cbsem"}, "method is 'cbsem'; allowed: 'pls', 'plsc'."),
        (SMALL, {"scheme": "mode"}, "scheme is 'mode'; allowed: 'path', 'factorial', 'centroid'."),
        (SMALL, {"replicates": 50}, "replicates is 50; intervals need at least 100, or 0 for point estimates only."),
        (SMALL, {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
        (SMALL + "\nC ~ A*B", {"missing": "em"},
         "missing='em': 1 product of constructs (A:B) needs the answers of every row; use missing='listwise', or leave products out."),
        ("no/such/model.yml", {}, "model: the file 'no/such/model.yml' does not exist."),
        (None, {}, "model: the survey declares 0 of the layers experience, emotion, behaviour; declare experience, emotion, behaviour under layers in "
         "study.yml, or pass model=."),
    ],
)  # fmt: skip
def test_messages(text: str | None, options: dict[str, object], expected: str):
    survey = Survey.from_frame(drawn(np.random.default_rng(0), 100))
    assert message(survey, text, **options) == expected


def test_indicators_that_say_nothing():
    df = drawn(np.random.default_rng(0), 300)
    silent = Survey.from_frame(df.assign(b1=np.nan))
    assert message(silent, SMALL) == (
        "model: 1 of 7 indicators has no answer from the 300 respondents: 'b1'. 'B' would keep the single indicator 'b2', taken as free of "
        "error. Leave it out of the model, or choose waves in which it was asked."
    )
    constant = Survey.from_frame(df.assign(b1=7.0, b2=3.0))
    assert message(constant, SMALL) == (
        "model: 2 of 7 indicators have the same answer in all 300 rows that are used: 'b1', 'b2'. 'B' would keep nothing. Leave them out of the "
        "model, or widen the filter."
    )


def test_too_few_complete_rows():
    df = drawn(np.random.default_rng(0), 300)
    df.loc[6:, "a1"] = np.nan
    assert message(Survey.from_frame(df), SMALL) == (
        "model: 6 of 300 respondents answered all 7 indicators; at least 10 are needed: leave out the emptiest ('a1', missing for 98%), "
        "widen the filter, or use missing='em'."
    )


def test_an_indicator_missing_in_one_wave_is_said(demo: Survey):
    text = "experience =~ parking + queue\nbehaviour =~ recommend\nbehaviour ~ experience"
    part = demo.where(wave=["2024-06", "2024-07", "2024-08"])
    with pytest.warns(DataWarning) as said:
        result = cx.path_model(part, text, replicates=0)
    assert [str(w.message) for w in said] == [
        "1 indicator has no answer at all in some waves ('parking': none in 2024-07); all respondents of this wave leave the model."
    ]
    assert "No answer at all in some waves: Parking. All respondents of 2024-07 leave the model." in [
        n["en"] for n in result.notes
    ]
    assert message(demo.where(wave="2024-07"), text).startswith(
        "model: 1 of 3 indicators has no answer from the 400 respondents: 'parking'."
    )


def test_not_experienced_is_never_imputed(demo: Survey):
    text = "experience =~ meal + queue\nbehaviour =~ recommend\nbehaviour ~ experience"
    for missing in ("em", "mi"):
        assert message(demo, text, missing=missing) == (
            f"missing='{missing}' would give answers to respondents who did not experience 1 of 3 indicators: 'meal' (12%); leave it out of "
            "the model, or use missing='listwise' or 'pairwise'."
        )
    assert cx.path_model(demo, text, missing="pairwise", replicates=0).base.respondents > 9000


def test_forty_respondents_for_24_indicators(mobi: Survey):
    survey = Survey.from_frame(MOBI.iloc[:40])
    with pytest.warns(SmallBaseWarning) as said:
        result = cx.path_model(survey, mobi.roles.model, replicates=200)
    assert str(said[0].message) == (
        "40 respondents (effective 40) for 24 indicators: a path of 0.2 is found four times in five from about 155; smaller ones go unseen."
    )
    assert set(result.table["reliability"]) == {"low"}
    assert (result.table["high"] - result.table["low"]).mean() > 0.4


@pytest.mark.filterwarnings("ignore::cxlab.errors.SmallBaseWarning")
@pytest.mark.filterwarnings("ignore::cxlab.errors.SignFlipWarning")
def test_no_rest_is_said():
    """Unrelated columns on which Wold's iteration goes round in circles."""
    survey = restless()
    with pytest.warns(DataWarning, match="The weights did not come to rest in 300 passes"):
        result = cx.path_model(survey, RESTLESS, replicates=0)
    assert "The weights did not come to rest: read the estimates as provisional." in [n["en"] for n in result.notes]


RESTLESS = "A =~ x0 + x1\nB =~ x2 + x3\nC =~ x4 + x5\nB ~ A\nC ~ A + B"


def restless() -> Survey:
    """The first of a stored sequence of pure-noise samples of twelve whose weights never settle."""
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(4000, 12, 6))
    correlations = np.array([np.corrcoef(s.T) for s in samples])
    structure = plan(read_model(RESTLESS)).structure
    bad = np.flatnonzero(~pls.outer_weights(correlations, structure, tolerance=1e-12).converged)
    return Survey.from_frame(pd.DataFrame(samples[bad[0]], columns=[f"x{k}" for k in range(6)]))


def test_replicates_without_a_solution_are_counted():
    """A rare answer is lost by many replicates: its column is then constant."""
    df = drawn(np.random.default_rng(4), 200)
    df["c1"] = np.where(np.arange(200) < 2, 1.0, 0.0)
    df["c2"] = df["c1"]
    with pytest.warns(DataWarning, match=r"\d+ of 400 replicates have no solution and are left out"):
        result = cx.path_model(Survey.from_frame(df), SMALL, replicates=400)
    assert 30 < result.failed < 90
    assert np.isfinite(result.table["se"]).all()
    assert f"{result.failed} of 400 replicates have no solution and are left out." in [n["en"] for n in result.notes]


def test_a_yaml_file_is_a_model(tmp_path: Path):
    path = tmp_path / "model.yml"
    path.write_text("constructs:\n  A: {items: [a1, a2, a3], labels: {en: Arrival, zh: 到店}}\n  B: [b1, b2]\n  C: {items: [c1, c2], mode: B}\n"
                    "paths: {B: A, C: [A, B]}\n", encoding="utf-8")  # fmt: skip
    survey = Survey.from_frame(drawn(np.random.default_rng(0), 300))
    result = cx.path_model(survey, path, replicates=0)
    assert result.label("A", "zh") == "到店"
    np.testing.assert_allclose(result.table["estimate"],
                               cx.path_model(survey, SMALL.replace("C =~", "C <~"), replicates=0).table["estimate"])  # fmt: skip


def test_the_workbook_holds_every_table(ecsi: cx.PathModelResult, tmp_path: Path):
    import openpyxl

    book = openpyxl.load_workbook(ecsi.to_excel(tmp_path / "paths.xlsx"))
    assert len(book.sheetnames) >= 5


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_shows_every_construct_and_path_apart(ecsi: cx.PathModelResult, lang: str):
    ax = ecsi.plot(lang=lang)
    ax.figure.canvas.draw()
    texts = [t for t in ax.texts if t.get_text()]
    said = [t.get_text().replace("\n", " " if lang == "en" else "") for t in texts]
    assert all(ecsi.label(name, lang) in said for name in ecsi.model.names)
    paths = [t for t in texts if "–" in t.get_text() and t.get_text()[0] in ".−" and "\n" in t.get_text()]
    assert len(paths) == len(ecsi.table)
    boxes = [t.get_window_extent() for t in texts[:-1] if t not in paths] + [t.get_window_extent() for t in paths]
    covered = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert not covered


@pytest.mark.filterwarnings("ignore:1 indicator has no answer")
def test_a_layer_may_be_what_customers_did(demo: Survey):
    result = cx.path_model(demo, layers={"behaviour": ["renewed"]}, replicates=200)
    assert result.model.construct("behaviour").indicators == ("renewed",)
    impact = result.table.set_index(["source", "target"]).loc[("emotion", "behaviour")]
    assert impact["impact_low"] > 0
    for layers, expected in (
        ({"deeds": ["renewed"]}, "layers is 'deeds'; allowed: 'experience', 'emotion', 'behaviour'."),
        ({"behaviour": "renewed"}, "layers['behaviour'] is the text 'renewed'; give a list of items: ['renewed']."),
    ):
        assert message(demo, layers=layers) == expected
    assert message(demo, SMALL, layers={}) == (
        "model and layers are both given; layers changes the study's layers, model replaces them: pass one."
    )
