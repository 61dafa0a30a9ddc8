"""Sample designs: variances against R's survey package, Rao–Wu replicates against Taylor, faulty designs."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_survey import CASES as UNEQUAL
from r_survey import unequal

from cxlab.design import Design, kish_base, resolve, t_quantile, weighted_means
from cxlab.errors import DataCheckError, StudyError, SurveyError
from cxlab.estimates import totals
from cxlab.metrics import means
from cxlab.study import open_study
from cxlab.survey import SampleDesign, Survey

GOLDEN = Path(__file__).parent / "golden" / "survey"
CASES = {c["id"]: c["value"] for c in json.loads((GOLDEN / "survey.json").read_text())["cases"]}
DESIGNS = {
    "dsrs_w": ("apistrat.csv", {"weight": "pw"}),
    "dstrat": ("apistrat.csv", {"weight": "pw", "stratum": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1.csv", {"weight": "pw", "psu": "dnum", "fpc": "fpc"}),
}
CLOSED_FORM = 1e-11  # relative; R prints 15 digits


@cache
def survey_of(design: str) -> Survey:
    file, parts = DESIGNS[design]
    data = pd.read_csv(GOLDEN / file)
    recommend = np.minimum(10, np.floor(data["meals"] / 9.1))
    data["nps"] = 100.0 * (recommend >= 9) - 100.0 * (recommend <= 6)
    return Survey.from_frame(data, **parts)


def means_of(design: str, column: str, *domains: np.ndarray):
    survey = survey_of(design)
    values = survey.values(column)
    inside = np.column_stack(domains) if domains else np.ones((len(values), 1), dtype=bool)
    return weighted_means(resolve(survey), np.repeat(values[:, None], inside.shape[1], axis=1), inside)


def groups_of(design: str, column: str) -> list[np.ndarray]:
    values = survey_of(design).data[column]
    return [(values == g).to_numpy() for g in sorted(values.unique())]


# ---------------------------------------------------------------------- against R
@pytest.mark.parametrize("design", DESIGNS)
def test_degrees_of_freedom(design):
    survey = survey_of(design)
    resolved = resolve(survey)
    assert resolved.df == CASES[f"{design}.degf"]
    assert resolved.domain_df(np.ones((len(survey), 1), dtype=bool)).tolist() == [CASES[f"{design}.degf"]]


@pytest.mark.parametrize("design", DESIGNS)
def test_mean_its_error_and_its_intervals(design):
    expected, found = CASES[f"{design}.mean_api00"], means_of(design, "api00")
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found.se[0], expected["se"], rtol=CLOSED_FORM)
    for df, key in ((found.df, "ci95_t"), (np.array([np.inf]), "ci95")):
        half = t_quantile(0.95, df)[0] * found.se[0]
        np.testing.assert_allclose(
            [found.estimate[0] - half, found.estimate[0] + half], expected[key], rtol=CLOSED_FORM
        )


@pytest.mark.parametrize("design", DESIGNS)
def test_effective_base_is_the_base_over_the_design_effect(design):
    """R's deff=TRUE compares with sampling without replacement; ours, deff="replace", is smaller by 1 − n/N."""
    found, survey = means_of(design, "api00"), survey_of(design)
    base, population = len(survey), survey.weights.sum()
    deff = CASES[f"{design}.mean_api00"]["deff"] * (1 - base / population)
    np.testing.assert_allclose(base / found.base_effective[0], deff, rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("case", "column"), [("by_stype_api00", "api00"), ("nps_by_stype", "nps")])
def test_domains(design, case, column):
    expected = CASES[f"{design}.{case}"]
    found = means_of(design, column, *groups_of(design, "stype"))
    np.testing.assert_allclose(found.estimate, expected["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found.se, expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_covariance_between_domains(design):
    expected = CASES[f"{design}.by_comp_covmat_api00"]
    found = means_of(design, "api00", *groups_of(design, "comp.imp"))
    np.testing.assert_allclose(found.estimate, expected["estimate"], rtol=CLOSED_FORM)
    scale = np.abs(expected["vcov"]).max()  # off-diagonal elements of dsrs_w are zero up to rounding
    np.testing.assert_allclose(found.covariance, expected["vcov"], rtol=CLOSED_FORM, atol=1e-12 * scale)
    contrast = np.array([-1.0, 1.0])
    se = np.sqrt(contrast @ found.covariance @ contrast)
    np.testing.assert_allclose(se, expected["contrast_Yes_minus_No"]["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_nps(design):
    expected, found = CASES[f"{design}.nps_total"], means_of(design, "nps")
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(found.se[0], expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("design", DESIGNS)
def test_shares(design):
    expected = CASES[f"{design}.prop_stype"]
    types = survey_of(design).data["stype"].to_numpy()
    shares = np.column_stack([types == g for g in "EHM"]).astype(float)
    found = weighted_means(resolve(survey_of(design)), shares)
    np.testing.assert_allclose(found.estimate, expected["estimate"], rtol=CLOSED_FORM)
    # dstrat: a share of the strata themselves does not vary; R prints 0
    np.testing.assert_allclose(found.se, expected["se"], rtol=CLOSED_FORM, atol=1e-15)


@pytest.mark.parametrize("lonely", ["adjust", "remove"])
def test_a_stratum_with_one_psu_as_in_r(lonely):
    survey = unequal(stratum="t", psu="c", lonely=lonely)
    for case, by in (("mean", None), ("by", "b")):
        expected, found = UNEQUAL[f"{lonely}.{case}"], means(survey, "q", by=by).table
        np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(found["se"], expected["se"], rtol=CLOSED_FORM)
    expected, found = UNEQUAL[f"{lonely}.total"], totals(survey, "q").table
    if lonely == "adjust":  # R documents the grand mean, and for a total takes the deviation from 0 instead
        assert found["se"][0] < expected["se"][0]
    else:
        np.testing.assert_allclose(found["se"], expected["se"], rtol=CLOSED_FORM)


# ---------------------------------------------------------------------- properties of the estimates
def frame(seed: int = 0, count: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(4), count // 4)
    cluster = stratum * 100 + rng.integers(0, 6, count)
    level = rng.normal(size=1000)[cluster]
    return pd.DataFrame(
        {"q": level + rng.normal(size=count), "w": rng.uniform(0.3, 3, count), "s": stratum, "c": cluster, "n": 40}
    )


def one_mean(df: pd.DataFrame, column: str = "q", **parts: str):
    survey = Survey.from_frame(df, **parts)
    return weighted_means(resolve(survey), survey.values(column)[:, None])


DESIGN = {"weight": "w", "stratum": "s", "psu": "c", "fpc": "n"}


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_rescaled_weights_and_row_order_change_nothing(scale, seed):
    df = frame(seed)
    order = np.random.default_rng(seed).permutation(len(df))
    whole, again = one_mean(df, **DESIGN), one_mean(df.assign(w=scale * df["w"]).iloc[order], **DESIGN)
    for name in ("estimate", "covariance", "base", "base_effective", "base_kish", "df"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-9)


def test_integer_weights_repeat_rows_in_the_estimate_and_not_in_the_error():
    df = frame().assign(w=np.random.default_rng(2).integers(1, 5, 240))
    weighted = one_mean(df, weight="w")
    repeated = one_mean(df.loc[df.index.repeat(df["w"])].assign(w=1.0), weight="w")
    np.testing.assert_allclose(weighted.estimate, repeated.estimate, rtol=1e-12)
    assert weighted.se[0] > 1.3 * repeated.se[0]
    assert weighted.base[0] == 240


def test_rows_outside_the_domain_stay_in_the_design():
    """A domain mean over random domain sizes is not the mean of a smaller file."""
    df = frame()
    inside = (df["q"] > -0.3).to_numpy()
    survey = Survey.from_frame(df, **DESIGN)
    domain = weighted_means(resolve(survey), df[["q"]].to_numpy(), inside[:, None])
    cut = one_mean(df[inside], **DESIGN)
    np.testing.assert_allclose(domain.estimate, cut.estimate, rtol=1e-12)
    assert abs(domain.se[0] / cut.se[0] - 1) > 0.001
    masked = one_mean(df.assign(q=df["q"].where(inside)), **DESIGN)  # missing answers are a domain as well
    np.testing.assert_allclose(masked.covariance, domain.covariance, rtol=1e-12)


def test_repeated_respondents_count_in_the_difference_of_waves():
    rng = np.random.default_rng(5)
    person = np.tile(np.arange(200), 2)
    df = pd.DataFrame(
        {"id": person, "wave": np.repeat([1, 2], 200), "q": rng.normal(size=200)[person] + rng.normal(size=400)}
    )
    waves = np.column_stack([df["wave"] == w for w in (1, 2)])
    values = np.repeat(df[["q"]].to_numpy(), 2, axis=1)
    found = weighted_means(resolve(Survey.from_frame(df, psu="id")), values, waves)
    pairs = df["q"].to_numpy().reshape(2, 200)
    se = np.sqrt(np.array([1, -1]) @ found.covariance @ np.array([1, -1]))
    np.testing.assert_allclose(
        se, np.std(pairs[0] - pairs[1], ddof=1) / np.sqrt(200), rtol=1e-12
    )  # the paired t test's


def test_nobody_in_a_domain():
    survey = Survey.from_frame(frame(), **DESIGN)
    found = weighted_means(
        resolve(survey), survey.data[["q", "q"]].to_numpy(), np.column_stack([np.ones(240), np.zeros(240)]) > 0
    )
    assert np.isnan(found.estimate[1])
    assert found.base.tolist() == [240, 0]
    assert found.base_effective[1] == 0
    assert np.isfinite(found.estimate[0])
    assert found.se[0] > 0


def test_weight_zero_keeps_the_row_but_does_not_count_it():
    df = frame().assign(w=lambda d: d["w"].where(d.index % 3 > 0, 0.0))
    found = one_mean(df, **DESIGN)
    assert found.base[0] == 160
    assert found.estimate[0] == pytest.approx(np.average(df["q"], weights=df["w"]), rel=1e-12)


def test_kish():
    assert kish_base(np.array([1.0, 1, 1, 1])) == 4
    assert kish_base(np.zeros(3)) == 0
    survey = Survey.from_frame(frame().assign(q=1.0), weight="w")  # no variance to divide by
    found = weighted_means(resolve(survey), survey.data[["q"]].to_numpy())
    assert found.base_effective[0] == pytest.approx(kish_base(survey.weights))


# ---------------------------------------------------------------------- Rao–Wu
def all_multipliers(design: Design, replicates: int, seed: int = 1, used=None) -> np.ndarray:
    return np.concatenate(list(design.rao_wu(replicates, seed, used)))


@pytest.mark.parametrize(
    "parts", [{}, {"stratum": "s"}, {"stratum": "s", "psu": "c"}, {"stratum": "s", "psu": "c", "fpc": "n"}]
)
def test_multipliers_have_mean_one_and_rao_wus_variance(parts):
    design = resolve(Survey.from_frame(frame(), **parts))
    draws = all_multipliers(design, 8000).astype(float)
    left = (1 - design.fraction)[design.stratum]
    # n_h − 1 draws with replacement: t is binomial(n_h − 1, 1/n_h), so Var(multiplier) = (1 − f_h) exactly
    expected = left
    np.testing.assert_allclose(draws.mean(axis=0), 1.0, atol=4.5 * np.sqrt(expected.max() / 8000))
    np.testing.assert_allclose(draws.var(axis=0), expected, rtol=0.15)
    assert (draws >= -1e-6).all()
    totals = np.array([draws[:, design.stratum == h].sum(axis=1) for h in range(len(design.names))])
    np.testing.assert_allclose(totals, design.units[:, None] * np.ones((1, 8000)), rtol=1e-5)  # float32


@pytest.mark.parametrize("parts", [{"weight": "w"}, {"weight": "w", "psu": "c"}, DESIGN, {**DESIGN, "fpc": "f"}])
def test_variance_of_a_mean_over_replicates_is_taylors(parts):
    """20,000 replicates: the Monte Carlo error of a variance is √(2 / 20,000) = 1 %; linearisation adds a little."""
    df = frame().assign(f=lambda d: 0.2 + 0.2 * d["s"])
    survey = Survey.from_frame(df, **parts)
    design = resolve(survey)
    value, total = (np.bincount(design.psu, x, len(design.stratum)) for x in (survey.weights * df["q"], survey.weights))
    replicates = np.concatenate([m @ value / (m @ total) for m in (b.astype(float) for b in design.rao_wu(20_000, 3))])
    taylor = weighted_means(design, df[["q"]].to_numpy()).covariance[0, 0]
    assert np.var(replicates) == pytest.approx(taylor, rel=0.05)
    if "fpc" in parts:
        without = {k: v for k, v in parts.items() if k != "fpc"}
        assert taylor < 0.9 * one_mean(df, **without).covariance[0, 0]


def test_a_domain_gets_its_part_of_the_full_draw():
    design = resolve(Survey.from_frame(frame(), **DESIGN))
    used = np.random.default_rng(4).random(len(design.stratum)) < 0.4
    used[design.stratum == 2] = False
    whole = all_multipliers(design, 300)
    np.testing.assert_array_equal(all_multipliers(design, 300, used=used), whole[:, used])


def test_replicates_come_in_blocks_and_by_seed(monkeypatch):
    design = resolve(Survey.from_frame(frame()))
    monkeypatch.setattr("cxlab.design._DRAWS", 240 * 70)
    blocks = list(design.rao_wu(200, 9))
    assert [len(b) for b in blocks] == [70, 70, 60]
    np.testing.assert_array_equal(np.concatenate(blocks), all_multipliers(design, 200, seed=9))
    assert (all_multipliers(design, 200, seed=10) != np.concatenate(blocks)).any()


def test_a_stratum_that_is_sampled_whole_does_not_vary():
    df = frame().assign(n=lambda d: d.groupby("s")["c"].transform("nunique"))
    design = resolve(Survey.from_frame(df, **DESIGN))
    assert design.fraction.tolist() == [1.0] * 4
    assert weighted_means(design, df[["q"]].to_numpy()).se[0] == 0
    np.testing.assert_array_equal(all_multipliers(design, 50), 1.0)


def test_a_single_psu_that_is_all_there_is_adds_nothing():
    df = frame()
    alone = df["s"] == 3
    df.loc[alone, ["c", "n"]] = 999, 1
    design = resolve(Survey.from_frame(df, **DESIGN))
    influence = (df[["q"]] - np.average(df["q"], weights=df["w"])).to_numpy() / df["w"].sum()
    rest = resolve(Survey.from_frame(df[~alone], **DESIGN))
    np.testing.assert_allclose(design.covariance(influence), rest.covariance(influence[~alone]), rtol=1e-12)
    np.testing.assert_array_equal(all_multipliers(design, 50)[:, design.stratum == 3], 1.0)


# ---------------------------------------------------------------------- faulty designs
def said(df: pd.DataFrame, kind: type[Exception] = DataCheckError, **parts: str) -> str:
    with pytest.raises(kind) as error:
        weighted_means(resolve(Survey.from_frame(df, **parts)), df[["q"]].to_numpy())
    return str(error.value)


def test_a_stratum_with_one_psu():
    df = frame()
    df.loc[df["s"] == 3, "c"] = 999
    message = (
        "stratum has 1 of 4 strata with a single PSU ('3'): no variance can be computed there; "
        'merge it with a similar stratum in study.yml, or declare lonely="adjust" or lonely="remove".'
    )
    assert said(df, SurveyError, stratum="s", psu="c") == message
    design = resolve(Survey.from_frame(df, stratum="s", psu="c"))
    with pytest.raises(SurveyError) as error:
        next(design.rao_wu(10, 0))
    assert str(error.value) == message.replace(" in study.yml", "").replace('lonely="adjust" or ', "")


def test_many_strata_with_one_psu_are_counted():
    df = pd.DataFrame({"q": np.arange(8.0), "s": list("abcdefgh")})
    assert said(df, SurveyError, stratum="s") == (
        "stratum has 8 of 8 strata with a single PSU ('a', 'b', 'c', 'd', 'e', …): no variance can be computed there; "
        'merge it with a similar stratum in study.yml, or declare lonely="adjust" or lonely="remove".'
    )


def test_one_respondent_has_no_variance():
    assert said(pd.DataFrame({"q": [1.0]}), SurveyError).startswith("stratum has 1 of 1 strata with a single PSU ('0')")


def test_a_psu_in_two_strata():
    df = frame()
    df.loc[[0, 239], "c"] = 77
    assert said(df, stratum="s", psu="c") == (
        "psu 'c' has 1 of 25 PSUs in more than one stratum ('s'), e.g. '77'; a PSU belongs to one stratum: "
        "correct the file, or number the PSUs within strata."
    )


@pytest.mark.parametrize("part", ["stratum", "psu"])
def test_design_columns_with_holes(part):
    df = frame().assign(h=lambda d: d["c"].where(d.index > 6))
    assert said(df, **{part: "h"}) == (
        f"{part} 'h' is missing for 7 of 240 respondents; fill it in, or leave them out."
    )


def test_an_fpc_that_is_smaller_than_its_sample():
    assert said(frame().assign(n=5), stratum="s", psu="c", fpc="n") == (
        "fpc 'n' is 5 in stratum '0', which has 6 sampled PSUs; it is the population number of PSUs, or the sampled share."
    )
    assert said(frame().assign(n=-2), stratum="s", psu="c", fpc="n") == (
        "fpc 'n' is -2 in stratum '0', which has 6 sampled PSUs; it is the population number of PSUs, or the sampled share."
    )


def test_an_fpc_that_differs_within_its_stratum_or_is_missing():
    df = frame()
    df["n"] = df["n"].astype(float)
    df.loc[0, "n"] = 41
    df.loc[[100, 101], "n"] = np.nan
    assert said(df, stratum="s", psu="c", fpc="n") == (
        "fpc 'n' has 2 missing values and differs within 1 of 4 strata; it is one number per stratum."
    )


def test_an_fpc_as_number_of_psus_and_as_share_agree():
    df = frame()
    share = df.assign(n=lambda d: d.groupby("s")["c"].transform("nunique") / 40)
    np.testing.assert_allclose(one_mean(share, **DESIGN).se, one_mean(df, **DESIGN).se, rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -1, np.nan, -2], "weight 'w' has 1 missing and 2 negative values in 4 rows; correct them, or leave these "
         "respondents out of the file (weight 0 keeps a row but does not count it)."),
        ([1, np.inf, 1, 1], "weight 'w' has 1 missing and 0 negative values in 4 rows; correct them, or leave these "
         "respondents out of the file (weight 0 keeps a row but does not count it)."),
        ([0, 0, 0, 0], "weight 'w' is zero in all 4 rows."),
        (list("abcd"), "weight 'w' holds text; a weight is a number ≥ 0."),
    ],
)  # fmt: skip
def test_weights_that_are_none(weights, message):
    assert said(pd.DataFrame({"q": [1.0, 2, 3, 4], "w": weights}), weight="w") == message


def test_a_design_column_that_does_not_exist():
    assert said(frame(), SurveyError, stratum="stratun") == (
        "design names 1 column that is not in the survey: 'stratun'."
    )


# ---------------------------------------------------------------------- what is declared once
def test_lonely_is_declared_with_the_survey_and_travels(tmp_path):
    df = frame()
    df.loc[df["s"] == 3, "c"] = 999
    survey = Survey.from_frame(df, stratum="s", psu="c", lonely="remove")
    assert resolve(survey.where("q > 0")).lonely == "remove"
    df.to_csv(tmp_path / "d.csv", index=False)
    study = "study: s\ndata: d.csv\ndesign: {weight: w, stratum: s, psu: c, lonely: adjust}\n"
    (tmp_path / "study.yml").write_text(study, encoding="utf-8")
    found = open_study(tmp_path / "study.yml").survey()
    assert found.design == SampleDesign("w", "s", "c", lonely="adjust")
    note = [n["en"] for n in means(found, "q").notes]
    assert note[1] == "Strata with a single PSU are compared with the overall mean."


def test_lonely_takes_three_words(tmp_path):
    with pytest.raises(SurveyError) as error:
        Survey.from_frame(frame(), lonely="average")
    assert str(error.value) == "lonely is 'average'; allowed: 'fail', 'adjust', 'remove'."
    frame().to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "study.yml").write_text("study: s\ndata: d.csv\ndesign: {lonely: adjusted}\n", encoding="utf-8")
    with pytest.raises(StudyError) as error:
        open_study(tmp_path / "study.yml")
    assert str(error.value).endswith(
        "design.lonely is 'adjusted'; allowed: 'fail', 'adjust', 'remove' (did you mean 'adjust'?)."
    )


def test_a_second_stage(tmp_path):
    with pytest.raises(SurveyError) as error:
        Survey.from_frame(frame(), psu=["c", "s"])
    assert str(error.value) == ("psu names 2 stages (c, s); variances are computed from the first stage: pass psu='c'.")
    with pytest.raises(SurveyError) as error:
        Survey.from_frame(frame(), weight=["w", "q"])
    assert str(error.value) == "weight is ['w', 'q']; name one column."
    frame().to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "study.yml").write_text("study: s\ndata: d.csv\ndesign: {psu: [c, s]}\n", encoding="utf-8")
    with pytest.raises(StudyError) as error:
        open_study(tmp_path / "study.yml")
    assert str(error.value).endswith(
        "design.psu is ['c', 's']; variances are computed from the first stage: name its column alone."
    )
