"""Missing answers in key drivers: treatments against what is known by hand, and their coverage under planted gaps.

``pytest -m slow -s tests/test_drivers_missing.py`` prints the table that benchmarks/missing.md keeps.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.covariances import Imputed, Likelihood
from cxlab.drivers._kernels import Linear
from cxlab.drivers._layout import absence
from cxlab.drivers._prepare import prepare
from cxlab.errors import SurveyError, SurveyWarning
from cxlab.importance import coefficients
from cxlab.incomplete import em, impute, pattern_moments
from cxlab.moments import weighted_moments
from cxlab.subsets import shapley
from cxlab.survey import Survey

TREATMENTS = ("pairwise", "em", "mi", "dummy")
NAMES = ["queue", "doctor", "report"]
NAN = np.nan


def simulated(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    halo = rng.normal(size=rows)
    data = {n: 6 + halo + rng.normal(size=rows) for n in NAMES}
    noise = rng.normal(size=rows)
    df = pd.DataFrame(data).assign(
        satisfaction=lambda d: 0.5 * d["queue"] + 0.3 * d["doctor"] + 0.1 * d["report"] + noise
    )
    return df.assign(w=rng.uniform(0.5, 1.5, rows), s=np.arange(rows) % 3, u=np.arange(rows) // 2)


def gaps(df: pd.DataFrame, share: float = 0.15, seed: int = 2) -> pd.DataFrame:
    """Drivers that lack some answers by chance."""
    rng, out = np.random.default_rng(seed), df.copy()
    for name in NAMES:
        out.loc[rng.random(len(df)) < share, name] = NAN
    return out


def survey_of(df: pd.DataFrame, **design: str) -> Survey:
    return Survey.from_frame(df, **(design or {"weight": "w", "stratum": "s"}))


def with_codes(survey: Survey, codes: dict[str, np.ndarray]) -> Survey:
    """A survey whose items have codes 97 not asked, 98 not experienced, 99 refused where ``codes`` says so."""
    data, reasons, items = survey.data.copy(), {}, []
    for name, given in codes.items():
        data[name] = data[name].where(np.isnan(given))
        reasons[name] = given
        meaning = {97.0: "not asked", 98.0: "not experienced", 99.0: "refused"}
        items.append(replace(survey.codebook[name], missing=meaning))
    return replace(
        survey, data=data, missing_reasons=pd.DataFrame(reasons), codebook=survey.codebook.with_items(*items)
    )


def analysed(survey: Survey, missing: str, drivers=NAMES, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyWarning)
        return cx.key_drivers(survey, "satisfaction", drivers, missing=missing, **{"replicates": 0, **options})


def by_driver(result) -> pd.DataFrame:
    return result.table.set_index("driver").loc[lambda t: sorted(t.index)]


# --- what must not change ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", TREATMENTS)
def test_without_gaps_every_treatment_is_listwise(missing):
    survey = survey_of(simulated(200))
    expected = by_driver(analysed(survey, "listwise", replicates=100))
    got = by_driver(analysed(survey, missing, replicates=100))
    numbers = expected.select_dtypes("number").columns
    assert len(numbers) > 20
    np.testing.assert_allclose(got[numbers], expected[numbers], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("missing", ["pairwise", "em", "dummy"])
def test_integer_weights_are_repeated_rows(missing):
    df = gaps(simulated(150)).assign(w=lambda d: 1 + np.arange(len(d)) % 3)
    repeated = df.loc[df.index.repeat(df["w"])].assign(w=1.0)
    weighted, plain = (by_driver(analysed(survey_of(d, weight="w"), missing)) for d in (df, repeated))
    columns = ["importance", "estimate", "correlation", "performance"]
    np.testing.assert_allclose(weighted[columns], plain[columns], rtol=1e-8)


@pytest.mark.parametrize("missing", ["pairwise", "em", "dummy"])
def test_rows_have_no_order(missing):
    df = gaps(simulated(150))
    other = df.sample(frac=1, random_state=3).reset_index(drop=True)
    one, two = (by_driver(analysed(survey_of(d), missing)) for d in (df, other))
    columns = ["importance", "estimate", "base", "base_effective"]
    np.testing.assert_allclose(one[columns], two[columns], rtol=1e-8)


# --- each treatment ----------------------------------------------------------------------------------------------


def test_em_uses_the_maximum_likelihood_covariances():
    df = gaps(simulated())
    table = by_driver(analysed(survey_of(df), "em"))
    columns = df[[*sorted(NAMES), "satisfaction"]].to_numpy()
    fit = em(pattern_moments(columns, df["w"].to_numpy()))
    np.testing.assert_allclose(table["estimate"], coefficients(fit.covariance), rtol=1e-9)
    np.testing.assert_allclose(table["importance"], shapley(fit.covariance), rtol=1e-9)
    np.testing.assert_allclose(table["performance"], fit.mean[:-1], rtol=1e-9)


@pytest.mark.parametrize("missing", ["pairwise", "em", "mi"])
@pytest.mark.parametrize("psu", [None, "u"])
def test_standard_errors_agree_with_replicates(missing, psu):
    survey = (
        Survey.from_frame(gaps(simulated(500)), weight="w", stratum="s")
        if psu is None
        else Survey.from_frame(gaps(simulated(500)).assign(s=1), weight="w", psu="u")
    )
    result = analysed(survey, missing, replicates=1000)
    table = result.table.set_index("driver").loc[list(result.kernel.prepared.drivers)]
    spread = result.draws.coefficients.std(axis=0, ddof=1)
    # 1,000 replicates know a standard error to 2.2 %; linearisation and replicates differ by O(1/n)
    np.testing.assert_allclose(table["se"], spread, rtol=0.11)


def test_rubins_rules_by_hand():
    df = gaps(simulated())
    survey = survey_of(df)
    prepared = prepare(survey, "satisfaction", NAMES, "mi")
    completed = prepared.source.completed
    assert len(completed) == int(np.ceil(100 * df[NAMES].isna().any(axis=1).mean()))
    points, variances = [], []
    for columns in completed:
        whole = survey_of(df.assign(**dict(zip([*NAMES, "satisfaction"], columns.T, strict=True))))
        table = analysed(whole, "listwise", replicates=100).table.set_index("driver").loc[NAMES]
        points.append(table["estimate"].to_numpy())
        variances.append(table["se"].to_numpy() ** 2)
    m = len(completed)
    between = np.var(points, axis=0, ddof=1)
    total = np.mean(variances, axis=0) + (1 + 1 / m) * between
    got = analysed(survey, "mi", replicates=100).table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(got["se"], np.sqrt(total), rtol=1e-9)
    np.testing.assert_allclose(got["estimate"], np.mean(points, axis=0), atol=0.02 * got["se"].min())
    assert (between > 0).all()


def test_imputations_keep_answers_and_hold_weight_and_strata():
    df = gaps(simulated())
    source = prepare(survey_of(df), "satisfaction", NAMES, "mi").source
    columns = df[[*NAMES, "satisfaction"]].to_numpy()
    for whole in source.completed:
        assert np.array_equal(whole[np.isfinite(columns)], columns[np.isfinite(columns)])
    assert source.auxiliary.shape[1] == 3  # log weight, two of three strata
    constant = prepare(survey_of(df.assign(w=1.0)), "satisfaction", NAMES, "mi").source
    assert constant.auxiliary.shape[1] == 2


def test_imputation_is_proper():
    """Parameters are drawn: with them fixed, slopes of imputations would differ less."""
    df = gaps(simulated(120), 0.4)
    sample = prepare(survey_of(df), "satisfaction", NAMES, "mi").sample
    source, fixed = Imputed(sample), Likelihood(sample)
    drawn = np.array([coefficients(c) for c in source._covariances]).std(axis=0)
    rng = np.random.default_rng(1)
    plain = [
        coefficients(weighted_moments(impute(sample.columns, fixed.patterns, fixed.fit.mean, fixed.fit.covariance, rng),
                                      sample.weights).covariance())
        for _ in range(200)
    ]  # fmt: skip
    assert (drawn > 1.15 * np.std(plain, axis=0)).all()


def test_dummy_adjustment_by_hand_is_biased_even_by_chance():
    df = gaps(simulated(20_000), 0.4)
    table = analysed(survey_of(df, weight="w"), "dummy").table.set_index("driver").loc[NAMES]
    design = [np.ones(len(df))]
    for name in NAMES:
        there = df[name].notna()
        design += [df[name].fillna(np.average(df.loc[there, name], weights=df.loc[there, "w"])), ~there]
    root = np.sqrt(df["w"].to_numpy())
    x = np.column_stack(design).astype(float) * root[:, None]
    by_hand = np.linalg.lstsq(x, df["satisfaction"].to_numpy() * root, rcond=None)[0]
    np.testing.assert_allclose(table["estimate"], by_hand[[1, 3, 5]], rtol=1e-8)
    assert (table["estimate"][1:] - [0.3, 0.1] > 4 * 0.012).all()  # Jones 1996: four standard errors and more
    em_table = analysed(survey_of(df, weight="w"), "em").table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(em_table["estimate"], [0.5, 0.3, 0.1], atol=0.04)


def test_pairwise_says_how_many_eigenvalues_were_raised():
    rng = np.random.default_rng(3)
    values = np.full((303, 3), NAN)
    for rows, (i, j, sign) in zip(np.split(np.arange(300), 3), [(0, 1, 1), (1, 2, 1), (0, 2, -1)], strict=True):
        values[rows, i] = rng.normal(size=100)
        values[rows, j] = sign * values[rows, i] + 0.2 * rng.normal(size=100)
    values[300:] = rng.normal(size=(3, 3))
    df = pd.DataFrame(values, columns=NAMES).assign(satisfaction=rng.normal(size=303), w=1.0)
    result = analysed(survey_of(df, weight="w"), "pairwise")
    notes = [n["en"] for n in result.notes]
    assert "The pairwise correlations fit no set of answers: 1 eigenvalues were raised above 0. Prefer EM." in notes
    assert 0 <= result.model["r2"].iloc[0] <= 1
    assert not any("eigenvalues" in n["en"] for n in analysed(survey_of(gaps(simulated())), "pairwise").notes)


# --- not experienced ---------------------------------------------------------------------------------------------


def codes(rows: int, share: float = 0.3, code: float = 98.0, seed: int = 5) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(rows) < share, code, NAN)


@pytest.mark.parametrize("missing", ["pairwise", "em", "mi"])
def test_not_experienced_is_an_indicator_and_never_filled_in(missing):
    df = simulated()
    survey = with_codes(survey_of(df, weight="w"), {"report": codes(len(df))})
    result = analysed(survey, missing)
    away = survey.data["report"].isna().to_numpy()
    x = np.column_stack([np.ones(len(df)), df["queue"], df["doctor"], np.where(away, 0, df["report"]), away])
    root = np.sqrt(df["w"].to_numpy())
    by_hand = np.linalg.lstsq(x * root[:, None], df["satisfaction"].to_numpy() * root, rcond=None)[0]
    table = result.table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(table["estimate"], by_hand[1:4], rtol=1e-9)
    covariance = np.cov(np.column_stack([x[:, 1:], df["satisfaction"]]), rowvar=False, aweights=df["w"], ddof=0)
    players = ((0,), (1,), (2, 3))
    np.testing.assert_allclose(table["importance"], shapley(covariance, players), rtol=1e-8)
    assert result.kernel.prepared.layout.players == players
    assert table["base"].tolist() == [400, 400, int((~away).sum())]
    np.testing.assert_allclose(
        table.loc["report", "performance"], np.average(df["report"][~away], weights=df["w"][~away]), rtol=1e-9
    )
    assert result.base.respondents == 400
    if missing == "mi":
        assert len(result.kernel.prepared.source.completed) == 1


@pytest.mark.parametrize("missing", TREATMENTS)
def test_correlation_and_mean_are_those_of_respondents_who_met_it_and_answered(missing):
    """They stand at the mean otherwise: with 50 % not experienced the correlation shrank by a third."""
    df = simulated(3000)
    rng = np.random.default_rng(4)
    given = np.where(rng.random(3000) < 0.5, 98.0, np.where(rng.random(3000) < 0.2, 99.0, NAN))
    df.loc[given == 98, "satisfaction"] += 1.5  # who did not meet it differs in the outcome
    found = analysed(with_codes(survey_of(df, weight="w"), {"report": given}), missing)
    row, there = found.table.set_index("driver").loc["report"], np.isnan(given)
    expected = np.cov(df.loc[there, "report"], df.loc[there, "satisfaction"], aweights=df.loc[there, "w"])
    correlation = expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1])
    mean = np.average(df.loc[there, "report"], weights=df.loc[there, "w"])
    assert row["correlation"] == pytest.approx(correlation, abs=1e-9)
    assert row["performance"] == pytest.approx(mean, abs=1e-9)


def test_drivers_that_the_same_people_did_not_meet():
    df = simulated(300)
    report = codes(300)
    given = {"report": report, "doctor": report.copy()}  # not met by the same people: one indicator for both
    found = analysed(with_codes(survey_of(df, weight="w"), given), "em")
    there, table = np.isnan(report), found.table.set_index("driver")
    for name in ("doctor", "report"):
        expected = np.cov(df.loc[there, name], df.loc[there, "satisfaction"], aweights=df.loc[there, "w"])
        assert table.loc[name, "correlation"] == pytest.approx(
            expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1]), abs=1e-9
        )
        assert table.loc[name, "performance"] == pytest.approx(
            np.average(df.loc[there, name], weights=df.loc[there, "w"])
        )
    said = [n["en"] for n in found.notes]
    assert (
        "The same respondents did not experience several drivers; what goes with not having experienced them is counted once, "
        "with the first of them, and not with report." in said
    )
    assert any(
        n.startswith("Not experienced is no missing answer and is never filled in: doctor, report each") for n in said
    )


def test_listwise_sets_aside_or_loses_those_who_did_not_experience():
    df = simulated()
    survey = with_codes(survey_of(df), {"report": codes(len(df))})
    result = analysed(survey, "listwise")
    assert result.base.respondents == int(survey.data["report"].notna().sum())
    assert result.kernel.prepared.layout.simple


def test_refused_is_filled_in_and_not_asked_leaves_the_experience_open():
    df = simulated(9)
    given = np.array([98, 99, 97, NAN, NAN, 98, NAN, NAN, NAN])
    survey = with_codes(survey_of(df.assign(report=[1.0, 1, 1, NAN, *range(5)]), weight="w"), {"report": given})
    np.testing.assert_array_equal(absence(survey, "report"), [1, 0, NAN, NAN, 0, 1, 0, 0, 0])


def test_a_role_is_not_experienced_when_most_of_its_items_are():
    df = simulated(6).assign(q1=5.0, q2=6.0, q3=7.0)
    nothing = np.array([98, 98, NAN, NAN, NAN, 99])
    survey = with_codes(survey_of(df, weight="w"), {"q1": nothing, "q2": np.array([98, NAN, 98, NAN, NAN, 99])})
    items = [replace(survey.codebook[q], scale=(0.0, 10.0)) for q in ("q1", "q2", "q3")]
    survey = replace(survey, codebook=survey.codebook.with_items(*items),
                     roles=replace(survey.roles, layers={"care": ("q1", "q2", "q3")}))  # fmt: skip
    assert absence(survey, "care").tolist()[:5] == [1, 0, 0, 0, 0]


def test_who_did_not_meet_the_outcome_is_never_given_one():
    df = simulated()
    survey = with_codes(survey_of(df), {"satisfaction": codes(len(df), 0.1)})
    refused = with_codes(survey_of(df), {"satisfaction": codes(len(df), 0.1, 99.0)})
    lost = int(survey.data["satisfaction"].isna().sum())
    assert analysed(survey, "em").base.excluded == lost
    assert analysed(refused, "em").base.excluded == 0
    assert analysed(refused, "dummy").base.excluded == lost


def test_all_twelve_touchpoints_of_the_demo_study():
    survey = cx.open_study(Path(__file__).parents[1] / "data" / "healthcheck").survey(["2025-11", "2025-12"])
    names = {t.item for t in survey.roles.touchpoints}
    assert len(names) == 12
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cx.key_drivers(survey, missing="em", replicates=0)
        few = cx.key_drivers(survey, replicates=0)
    assert names < set(found.table["driver"])
    assert {"parking", "followup"} & set(few.table["driver"]) == set()
    assert found.base.respondents > 1.2 * few.base.respondents
    table = found.table.set_index("driver")
    assert table.loc["parking", "base"] < 0.75 * table.loc["queue", "base"]


# --- what is said ------------------------------------------------------------------------------------------------


def test_rows_and_weight_are_always_said():
    df = gaps(simulated(300))
    df.loc[:4, [*NAMES, "satisfaction"]] = NAN
    complete = int(df[[*NAMES, "satisfaction"]].notna().all(axis=1).sum())
    weights = df["w"].to_numpy()
    kept = df[[*NAMES, "satisfaction"]].notna().any(axis=1).to_numpy()
    share = 1 - weights[df[NAMES].notna().all(axis=1) & kept].sum() / weights[kept].sum()
    lost = weights[~kept].sum() / weights.sum()
    result = analysed(survey_of(df), "em")
    assert (result.base.respondents, result.base.excluded) == (295, 5)
    assert result.base.excluded_share == pytest.approx(lost)
    assert result.notes[0]["en"] == (
        f"Missing answers by EM: 295 respondents are used. {complete} of them answered every question; the others, {share:.0%} of "
        f"the weight, would be lost listwise. 5 respondents ({lost:.1%} of the weight) could not be used."
    )
    assert (
        result.table.set_index("driver").loc["queue", "base"] == df[["queue", "satisfaction"]].notna().all(axis=1).sum()
    )
    assert "295 respondents (missing answers by EM)" in result.methods("en")
    assert "以 295 名受访者（缺失回答：EM 法）的加权相关矩阵" in result.methods("zh")


def test_dummy_adjustment_warns_of_its_bias():
    notes = [n["en"] for n in analysed(survey_of(gaps(simulated())), "dummy").notes]
    assert (
        "Dummy adjustment sets missing answers to the mean and marks them; effects and importances are then biased even where "
        "answers are missing quite by chance (Jones 1996). Use it for comparison, not for decisions."
    ) in notes


def apart() -> pd.DataFrame:
    df = simulated()
    return df.assign(queue=df["queue"].where(df.index < 200), doctor=df["doctor"].where(df.index >= 200))


@pytest.mark.parametrize("missing", ["pairwise", "em", "mi"])
@pytest.mark.parametrize(
    ("df", "message"),
    [
        (lambda: simulated().assign(report=NAN),
         "1 of 4 columns have no answer in the 400 rows that are used: 'report'; leave them out or widen the filter."),
        (apart,
         "drivers: 1 pair of columns has no respondent who answered both ('queue' and 'doctor'), so that nothing is known of how "
         "they go together; leave one of them out, or widen the filter."),
        (lambda: gaps(simulated()).assign(report=lambda d: 2 * d["queue"] + 1),
         "drivers holds 2 columns that repeat one another ('queue', 'report'): each is determined by the others; leave one out, "
         "or combine them."),
    ],
)  # fmt: skip
def test_messages(missing, df, message):
    with pytest.raises(SurveyError) as error:
        analysed(survey_of(df()), missing)
    assert str(error.value) == message


# --- comparing treatments ----------------------------------------------------------------------------------------


def compared(**options):
    df = gaps(simulated(300))
    survey = with_codes(survey_of(df), {"report": codes(300)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cx.compare_missing(survey, "satisfaction", NAMES, **{"replicates": 100, **options})


def test_comparison_holds_what_key_drivers_finds():
    result = compared()
    assert list(result.results) == ["listwise", "pairwise", "em", "mi", "dummy"]
    assert result.reference == "em"
    assert len(result.table) == 15
    for missing, found in result.results.items():
        own = result.table[result.table["treatment"] == missing].set_index("driver")
        expected = found.table.set_index("driver").loc[own.index]
        np.testing.assert_array_equal(own["importance"], expected["importance"])
        np.testing.assert_array_equal(own["share_low"], expected["share_low"])
        base = result.bases.set_index("treatment").loc[missing]
        assert base["base"] + base["excluded"] == 300
    assert result.bases["complete"].nunique() == 1
    assert len(result.agreement) == 10
    assert result.agreement["tau"].between(-1, 1).all()


def test_differences_of_shares_are_paired():
    result = compared(methods=["listwise", "em"])
    order = list(result.results["em"].table["driver"])
    listwise, likelihood = (result.results[m].replicates[order].to_numpy() for m in ("listwise", "em"))
    share = [d / d.sum(axis=1, keepdims=True) for d in (listwise, likelihood)]
    np.testing.assert_allclose(result.changes["se"], (share[0] - share[1]).std(axis=0, ddof=1))
    apart = np.hypot(share[0].std(axis=0), share[1].std(axis=0))
    assert (result.changes["se"] < apart).all()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_comparison_in_words_and_picture(lang):
    result = compared()
    texts = [s.text for s in result.sentences(lang)]
    said = dict(result.bases.iloc[0])
    first = {
        "en": f"Listwise deletion uses {said['base']} of 300 respondents and loses {said['excluded_share']:.0%} of the weight; "
        "EM uses 300.",
        "zh": f"按个案剔除只用到 300 名受访者中的 {said['base']} 名，损失 {said['excluded_share']:.0%} 的权重；“EM 法”可用 300 名。",
    }
    assert texts[0] == first[lang]
    assert len(texts) == 10
    assert not any(re.search(r"\{|nan", t) for t in texts)
    ax = result.plot(lang=lang)
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        result.label(d, lang) for d in dict.fromkeys(result.table["driver"])
    ]
    assert len(ax.get_legend().get_texts()) == 5
    assert set(result.further()) == {"bases", "agreement", "changes"}
    assert "treatment" not in result.shown(lang).columns


def test_sentences_name_the_driver_that_depends_on_the_treatment():
    result = compared(methods=["listwise", "em"], replicates=0)
    other = result.results["listwise"]
    swapped = other.table.assign(driver=other.table["driver"].to_numpy()[[1, 0, 2]])
    changed = replace(result, results={**result.results, "listwise": replace(other, table=swapped)})
    first, second = (changed.results[m].table["driver"].iloc[0] for m in ("listwise", "em"))
    assert first != second
    assert changed.sentences("en")[1].text == (
        f"Which driver has the highest importance depends on the treatment: {first} (listwise deletion), {second} (EM)."
    )


def test_a_treatment_that_cannot_be_computed_is_said():
    df = simulated()
    for place, name in enumerate(NAMES):
        df.loc[df.index % 3 == place, name] = NAN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = cx.compare_missing(survey_of(df, weight="w"), "satisfaction", NAMES, replicates=0)
    assert list(result.results) == ["pairwise", "em", "mi"]
    assert result.notes[1]["en"] == (
        "Not possible here: listwise deletion. drivers: 0 of 400 respondents answered all 3 drivers and 'satisfaction'; at least 5 "
        "are needed: name fewer drivers or widen the filter. 'queue' is missing for 34%."
    )
    assert result.notes[2]["en"].startswith("Not possible here: dummy adjustment. ")  # the three indicators sum to 1
    assert result.sentences("en")[0].text == (
        "Of 400 respondents 400, 400, 400 are used, by pairwise deletion, EM, multiple imputation."
    )


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (["em", "mean"], "methods is 'mean'; allowed: 'listwise', 'pairwise', 'em', 'mi', 'dummy'."),
        (["em", "em"], "methods names 1 treatment; name at least two: ['listwise', 'em']."),
        ("em", "methods is the text 'em'; give a list: ['listwise', 'em']."),
    ],
)
def test_messages_of_the_comparison(methods, message):
    with pytest.raises(SurveyError) as error:
        compared(methods=methods)
    assert str(error.value) == message


# --- coverage ----------------------------------------------------------------------------------------------------
SEED, REPLICATES = 2026, 400
SURVEYS = {False: 500, True: 200}  # of each design: simple, weighted
LIKENESS = np.array([[1, 0.4, 0.3, 0.2], [0.4, 1, 0.3, 0.2], [0.3, 0.3, 1, 0.2], [0.2, 0.2, 0.2, 1]])
EFFECTS = np.array([0.5, 0.35, 0.25, 0.15])
ROOT = np.linalg.cholesky(LIKENESS)
PRICE = ["price", "service", "product", "place"]


def population() -> np.ndarray:
    """Covariances of the drivers and, last, the outcome, whose noise has variance 1."""
    across = LIKENESS @ EFFECTS
    return np.block([[LIKENESS, across[:, None]], [across[None], np.array([[EFFECTS @ across + 1]])]])


def drawn(rng: np.random.Generator, weighted: bool) -> Survey:
    """A survey whose price is refused where satisfaction is low, and whose service likewise: 60 % of rows lack one.

    Weighted: 1,000 respondents whose chance to answer rises with the outcome; else 600 by chance.
    """
    count = 1000 if weighted else 600
    x = rng.normal(size=(12 * count, 4)) @ ROOT.T
    y = x @ EFFECTS + rng.normal(size=len(x))
    chance = 1 / (1 + np.exp(1.5 - 0.6 * (y + rng.normal(size=len(x))))) if weighted else np.full(len(x), 0.2)
    came = np.flatnonzero(rng.random(len(x)) < chance)[:count]
    x, y = x[came], y[came]
    unhappy = -y / np.sqrt(population()[4, 4])
    x[rng.random(count) < 1 / (1 + np.exp(0.3 - 1.8 * unhappy - 0.5 * x[:, 2])), 0] = NAN
    x[rng.random(count) < 1 / (1 + np.exp(0.8 - 1.2 * unhappy - 0.5 * x[:, 3])), 1] = NAN
    return Survey.from_frame(pd.DataFrame(x, columns=PRICE).assign(satisfaction=y, w=1 / chance[came]), weight="w")


def found_in(seed: int, weighted: bool, treatments: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Importance and effect of one survey, each with its interval: arrays of shape (6, drivers)."""
    survey, out = drawn(np.random.default_rng([SEED, weighted, seed]), weighted), {}
    for missing in treatments:
        kernel = Linear(prepare(survey, "satisfaction", PRICE, missing), "shapley")
        draws = kernel.draws(REPLICATES, seed)
        slopes = kernel.slopes(0.95, draws)
        low, high = np.quantile(draws.importance, [0.025, 0.975], axis=0)
        out[missing] = np.array([kernel.importance(), low, high, slopes.estimate, slopes.low, slopes.high])
    return out


def covered(surveys: int, weighted: bool, treatments: tuple[str, ...]) -> pd.DataFrame:
    """Coverage and relative width per treatment, quantity and driver; prints the rows of the table."""
    design = "weighted" if weighted else "simple"
    found, rows = [found_in(i, weighted, treatments) for i in range(surveys)], []
    for missing in treatments:
        all_ = np.array([f[missing] for f in found])
        for part, true, at in (("importance", shapley(population()), 0), ("effect", EFFECTS, 3)):
            estimate, low, high = (all_[:, at + i] for i in range(3))
            coverage = ((low <= true) & (true <= high)).mean(axis=0)
            width = (high - low).mean(axis=0) / (2 * 1.96 * estimate.std(axis=0))
            bias = (estimate.mean(axis=0) - true) / estimate.std(axis=0)
            cells = [f"{c:.3f} ({w:.2f}; {b:+.2f})" for c, w, b in zip(coverage, width, bias, strict=True)]
            print(f"| {design} | {surveys} | {missing} | {part} | {' | '.join(cells)} |", flush=True)
            rows += [(missing, part, d, c, w) for d, c, w in zip(PRICE, coverage, width, strict=True)]
    return pd.DataFrame(rows, columns=["missing", "part", "driver", "coverage", "width"]).set_index("missing")


def between(table: pd.DataFrame, low: float, high: float, surveys: int) -> None:
    """Coverage lies there on average over drivers, and for each but for two Monte Carlo errors."""
    error = 2 * np.sqrt(0.95 * 0.05 / surveys)
    assert table["coverage"].between(low - error, high + error).all()
    assert table.groupby(["missing", "part"])["coverage"].mean().between(low, high).all()


@pytest.mark.slow
def test_em_and_imputation_cover_where_listwise_fails():
    table = covered(SURVEYS[False], False, ("listwise", "em", "mi"))
    good, bad = table.loc[["em", "mi"]], table.loc["listwise"]
    between(good, 0.92, 0.98, SURVEYS[False])
    assert good["width"].max() < 1.15
    price = bad[bad["driver"] == "price"]
    assert (price["coverage"] < 0.85).all()
    covered(100, False, ("pairwise", "dummy"))


@pytest.mark.slow
def test_em_and_imputation_cover_under_weights():
    table = covered(SURVEYS[True], True, ("em", "mi"))
    between(table.loc["em"], 0.92, 0.98, SURVEYS[True])
    between(table.loc["mi"], 0.92, 1.00, SURVEYS[True])  # Rubin's rules err on the safe side there
    assert table["width"].max() < 1.40
