"""The moment cube: every filter equals the direct computation with the same groups, intervals included."""

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlab.contrasts import rank_sets
from cxlab.covariances import Listwise, Sample
from cxlab.cube import cube_importance, drawn_ranks, moment_cube, plan_cube
from cxlab.design import resolve, weighted_means
from cxlab.errors import SurveyError
from cxlab.importance import coefficients, johnson
from cxlab.raking import rake
from cxlab.replicates import deal, replicate_weights
from cxlab.subsets import shapley
from cxlab.survey import SampleDesign, Survey

ITEMS = [f"x{j}" for j in range(5)]
EXACT = 1e-10


def frame(rows: int, units: int, strata: int, *, missing: float = 0.06, seed: int = 0) -> pd.DataFrame:
    """Correlated items with gaps; units belong to strata, several rows to a unit, over waves."""
    rng = np.random.default_rng(seed)
    unit = np.concatenate([np.arange(units), rng.integers(0, units, rows - units)])
    common = rng.normal(size=rows) + 0.6 * rng.normal(size=units)[unit]
    df = pd.DataFrame({name: np.round(6 + common + rng.normal(size=rows), 1) for name in ITEMS})
    df["y"] = df[ITEMS] @ np.array([0.5, 0.4, 0.2, 0.1, 0.0]) + rng.normal(size=rows)
    for name in ITEMS:
        df.loc[rng.random(rows) < missing, name] = np.nan
    df["w"], df["u"], df["s"] = rng.uniform(0.5, 3, rows), unit, unit % strata
    df["wave"], df["g"], df["size"] = rng.integers(1, 5, rows), rng.integers(1, 3, rows), 2.0 * units / strata
    return df


def direct(survey: Survey, chosen: dict, columns: list[str], groups: int = 100) -> tuple[np.ndarray, ...]:
    """Covariance of the rows, that of each replicate, and their factors, from replicate weights of the rows."""
    values = survey.data[columns].to_numpy()
    inside = np.isfinite(values).all(axis=1) & survey.domain
    for name, wanted in chosen.items():
        inside &= survey.data[name].isin(np.atleast_1d(wanted)).to_numpy()
    made = replicate_weights(survey, "jackknife", groups=groups)

    def covariance(weights: np.ndarray) -> np.ndarray:
        centred = values[inside] - np.average(values[inside], axis=0, weights=weights[inside])
        return (centred * weights[inside, None]).T @ centred / weights[inside].sum()

    replicates = np.array([covariance(w) for block in made.weights() for w in block])
    return covariance(survey.weights), replicates, made.scale


DESIGNS = {
    "nothing declared": (1500, 1500, 1, {}),
    "weights and strata": (1500, 1500, 3, {"weight": "w", "stratum": "s"}),
    "clusters over waves": (2400, 400, 3, {"weight": "w", "stratum": "s", "psu": "u"}),
    "72 strata of 5": (1800, 360, 72, {"weight": "w", "stratum": "s", "psu": "u"}),
    "40 clusters": (1200, 40, 4, {"weight": "w", "stratum": "s", "psu": "u"}),
    "sampled shares": (2400, 300, 3, {"weight": "w", "stratum": "s", "psu": "u", "fpc": "size"}),
}
FILTERS = [{}, {"wave": 2}, {"wave": [1, 3], "g": 2}, {"s": 0}, {"g": 1, "s": [0, 2]}]
DRIVERS = [ITEMS, ["x1", "x3"], ["x4", "x0", "x2"], ITEMS]


@pytest.mark.parametrize("storage", ["rows", "cells"])
@pytest.mark.parametrize("case", DESIGNS)
def test_every_filter_is_the_direct_computation(case, storage):
    rows, units, strata, design = DESIGNS[case]
    df = frame(rows, units, strata)
    if storage == "cells":  # enough rows for tables of moments
        df = frame(9 * rows, 9 * rows if "u" not in design.values() else units, strata, missing=0.03)
        df["x4"] = df["x4"].fillna(6.0)
        df.loc[(df["g"] == 2) & (df["w"] > 1.2), "x4"] = np.nan  # a second pattern with tables, not in every cell
    by = ["wave", "g", "s", "kind"] if storage == "rows" else ["g", "s" if strata < 10 else "wave"]
    survey = Survey.from_frame(df.assign(kind=np.arange(len(df)) % 5), **design)
    cube = moment_cube(survey, [*ITEMS, "y"], by)
    for drivers in DRIVERS:
        for chosen in FILTERS:
            if not set(chosen) <= set(by) or (case == "nothing declared" and chosen.get("s", 0) != 0):
                continue
            columns = [*drivers, "y"]
            covariance, replicates, scale = direct(survey, chosen, columns)
            found = cube.covariances(chosen, columns)
            np.testing.assert_allclose(found.covariance, covariance, rtol=0, atol=EXACT)
            np.testing.assert_allclose(found.replicates, replicates, rtol=0, atol=EXACT)
            np.testing.assert_allclose(found.scale, scale, rtol=1e-14)
    assert cube.storage == storage


@pytest.mark.parametrize("storage", ["rows", "cells"])
@pytest.mark.parametrize("method", [shapley, johnson])
@pytest.mark.parametrize("chosen", [{}, {"g": 1, "s": [0, 2]}, {"wave": [1, 2]}])
def test_intervals_of_importances_and_effects_are_the_direct_ones(method, chosen, storage):
    rows, missing = (2400, 0.06) if storage == "rows" else (24_000, 0.02)
    survey = Survey.from_frame(frame(rows, 400, 3, missing=missing), weight="w", stratum="s", psu="u")
    cube = moment_cube(survey, [*ITEMS, "y"], ["wave", "g", "s"])
    assert cube.storage == storage
    for drivers in (ITEMS, ["x4", "x0", "x2"]):
        covariance, replicates, scale = direct(survey, chosen, [*drivers, "y"])
        table = cube_importance(cube, "y", drivers, filter=chosen, method=method.__name__).table
        t = stats.t.ppf(0.975, 99)
        for name, of, low in (("importance", method, 0.0), ("estimate", coefficients, -np.inf)):
            estimate = of(covariance)
            se = np.sqrt(scale @ (of(replicates) - estimate) ** 2)
            prefix = "" if name == "estimate" else "importance_"
            np.testing.assert_allclose(table[name], estimate, atol=EXACT)
            np.testing.assert_allclose(table[f"{prefix}se"], se, atol=EXACT)
            np.testing.assert_allclose(table[f"{prefix}low"], np.maximum(estimate - t * se, low), atol=EXACT)
            np.testing.assert_allclose(table[f"{prefix}high"], estimate + t * se, atol=EXACT)


def test_threads_that_ask_for_many_sets_of_columns_get_their_own_answers():
    cube = moment_cube(Survey.from_frame(frame(1500, 400, 3), weight="w", psu="u"), [*ITEMS, "y"], ["wave", "g"])
    asked = [
        ([*pair, "y"], {"g": g, "wave": [1, w]}) for pair in combinations(ITEMS, 2) for g in (1, 2) for w in (2, 3)
    ]
    alone = [cube.covariances(chosen, columns).covariance for columns, chosen in asked]
    answers = [cube.answers(chosen, columns, columns[:1])[0].values for columns, chosen in asked]

    def ask(k: int) -> bool:
        columns, chosen = asked[k % len(asked)]
        again = cube.answers(chosen, columns, columns[:1])[0].values
        same = np.array_equal(again, answers[k % len(asked)])
        return same and np.array_equal(cube.covariances(chosen, columns).covariance, alone[k % len(asked)])

    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(ask, np.random.default_rng(0).integers(0, 1000, 400).tolist()))
    finally:
        sys.setswitchinterval(pause)


def test_the_jackknife_of_a_mean_is_taylors():
    survey = Survey.from_frame(frame(3000, 3000, 3), weight="w", stratum="s")
    cube = moment_cube(survey, ["y"], ["wave"], groups=60)
    found = cube.covariances({"wave": 1}, ["y"])
    domain = survey.where(wave=1)
    values = np.where(domain.domain, survey.values("y"), np.nan)
    taylor = weighted_means(resolve(survey), values[:, None])
    assert found.mean[0] == pytest.approx(taylor.estimate[0], rel=1e-12)
    assert found.spread(found.means, found.mean)[0, 0] ** 0.5 == pytest.approx(taylor.se[0], rel=0.25)  # 60 groups
    assert found.base_effective[0] == pytest.approx(taylor.base_effective[0], rel=0.5)


# ---------------------------------------------------------------------- what is held
def test_bytes_are_stated_before_and_progress_ends_at_the_total():
    survey = Survey.from_frame(frame(20_000, 20_000, 3, missing=0.05), weight="w", stratum="s")
    plan = plan_cube(survey, [*ITEMS, "y"], ["g", "s"])
    steps: list[tuple[int, int]] = []
    cube = plan.build(lambda done, total: steps.append((done, total)))
    held = sum(block.table.moments.nbytes for block in cube._blocks)
    assert plan.storage == "cells"
    assert plan.bytes == cube.bytes == plan.rows.bytes + plan.pattern.nbytes + held
    assert steps[-1][0] == steps[-1][1] == plan.tables[-1].stop
    cube.prepare([*ITEMS, "y"])
    assert plan.bytes < cube.bytes <= plan.bytes + held
    for left_out in range(5):
        cube.prepare([*ITEMS[:left_out], *ITEMS[left_out + 1 :], "y"])
    assert cube.bytes <= plan.bytes + 4 * held  # only the last sets of columns stay
    small = Survey.from_frame(frame(300, 300, 3), weight="w", stratum="s")
    steps.clear()
    assert plan_cube(small, ["y"], ["g", "s"]).build(lambda *step: steps.append(step)).storage == "rows"
    assert steps == [(300, 300)]


def test_rows_serve_where_tables_would_be_too_large():
    survey = Survey.from_frame(frame(9_000, 9_000, 3), weight="w", stratum="s")
    tables, rows = (moment_cube(survey, [*ITEMS, "y"], ["g", "s"], most_bytes=most) for most in (1 << 30, 0))
    assert (tables.storage, rows.storage) == ("cells", "rows")
    one, other = (cube.covariances({"g": 2}, [*ITEMS, "y"]) for cube in (tables, rows))
    np.testing.assert_allclose(one.replicates, other.replicates, atol=EXACT)
    np.testing.assert_allclose(one.base_effective, other.base_effective, rtol=1e-9)
    assert (one.base, one.df) == (other.base, other.df)
    assert one.base_kish == pytest.approx(other.base_kish, rel=1e-12)
    assert repr(rows) == "MomentCube(6 columns, 9,000 rows, 6 cells, 100 groups, held as rows, 1.4 MB)"


def test_forty_columns_and_their_patterns():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(4000, 40))
    values[rng.random(values.shape) < 0.01] = np.nan
    values[:2000, 39] = np.nan
    names = [f"c{j}" for j in range(40)]
    survey = Survey.from_frame(pd.DataFrame(values, columns=names).assign(g=rng.integers(0, 2, 4000)))
    cube = moment_cube(survey, names, ["g"])
    for columns in (names, names[30:34], ["c39", "c2"], names[:39]):
        found = cube.covariances({"g": 1}, columns)
        covariance, replicates, _ = direct(survey, {"g": 1}, columns)
        np.testing.assert_allclose(found.covariance, covariance, atol=EXACT)
        np.testing.assert_allclose(found.replicates, replicates, atol=EXACT)


def test_columns_of_size_1e8_stay_exact():
    df = frame(2000, 2000, 2, missing=0.0)
    plain = moment_cube(Survey.from_frame(df, stratum="s"), ["x0", "y"], ["g"]).covariances({"g": 1}, ["x0", "y"])
    df[["x0", "y"]] += 1e8
    shifted = moment_cube(Survey.from_frame(df, stratum="s"), ["x0", "y"], ["g"]).covariances({"g": 1}, ["x0", "y"])
    np.testing.assert_allclose(shifted.replicates, plain.replicates, rtol=1e-6)  # 1e8 + x itself has 8 digits less


# ---------------------------------------------------------------------- who counts
def test_domains_weights_and_gaps_in_segments():
    df = frame(1500, 1500, 3, missing=0.0)
    df["g"] = df["g"].where(np.arange(1500) % 10 > 0)
    df.loc[:99, "w"] = 0.0
    survey = Survey.from_frame(df, weight="w", stratum="s").where("wave <= 3")
    cube = moment_cube(survey, ["y"], ["g"])
    inside = survey.domain & (df["w"] > 0)
    assert cube.covariances(None, ["y"]).base == inside.sum()
    assert cube.covariances({"g": [1, 2]}, ["y"]).base == (inside & df["g"].notna()).sum()
    _, replicates, _ = direct(survey, {"g": 1}, ["y"])
    np.testing.assert_allclose(cube.covariances({"g": 1}, ["y"]).replicates, replicates, atol=EXACT)


def test_who_comes_again_is_in_one_group_in_all_waves():
    df = frame(2400, 400, 1, missing=0.0)
    survey = Survey.from_frame(df, weight="w", psu="u")
    design = resolve(survey)
    dealt = deal(design, 100)
    cube = moment_cube(survey, ["y"], ["wave"])
    means = [cube.covariances({"wave": wave}, ["y"]).means for wave in (1, 2)]
    untouched = [np.setdiff1d(np.arange(100), dealt.group[design.psu[df["wave"] == w]]) for w in (1, 2)]
    for found, groups in zip(means, untouched, strict=True):
        assert np.ptp(found[groups]) < 1e-12 if len(groups) else True
    drop = df["u"].isin(np.flatnonzero(dealt.group == 7)) & (df["wave"] == 1)
    kept = (df["wave"] == 1) & ~drop
    assert means[0][7, 0] == pytest.approx(np.average(df["y"][kept], weights=df["w"][kept]), rel=1e-12)


def test_degrees_of_freedom_are_those_of_groups_or_of_the_units_there():
    survey = Survey.from_frame(frame(2400, 360, 72), weight="w", stratum="s", psu="u")
    cube = moment_cube(survey, ["y"], ["s", "wave"])
    assert cube.covariances(None, ["y"]).df == 99
    assert cube.covariances({"s": 3}, ["y"]).df == 4
    assert cube.covariances({"s": [3, 4, 5]}, ["y"]).df == 12
    alone = survey.data.query("s == 3 and wave == 1")["u"].nunique()
    assert cube.covariances({"s": 3, "wave": 1}, ["y"]).df == max(alone - 1, 1)


def test_labels_choose_as_codes_do():
    survey = Survey.from_frame(
        frame(900, 900, 3).assign(g=lambda d: pd.Categorical(d["g"].map({1: "men", 2: "women"}), ["men", "women"]))
    )
    cube = moment_cube(survey, ["y"], ["wave", "g"])
    assert cube.covariances({"g": "women"}, ["y"]).base == cube.covariances({"g": 2}, ["y"]).base
    assert cube.codes("wave") == [1, 2, 3, 4]


# ---------------------------------------------------------------------- ranks
def test_ranks_from_draws_are_about_those_of_pairwise_tests():
    rng = np.random.default_rng(5)
    for _ in range(20):
        spread = rng.normal(size=(6, 6))
        covariance = 0.01 * spread @ spread.T
        estimates = rng.normal(size=6)
        drawn = drawn_ranks(estimates, covariance, df=99, draws=4000)
        low, high = rank_sets(estimates, covariance, df=99)
        assert (np.abs(drawn["rank_low"] - low) <= 1).all()
        assert (np.abs(drawn["rank_high"] - high) <= 1).all()
        assert ((drawn["rank_low"] <= drawn["rank"]) & (drawn["rank"] <= drawn["rank_high"])).all()
        assert drawn["top1"].sum() == pytest.approx(1)
        assert drawn["top3"].sum() == pytest.approx(3)


def test_rank_sets_hold_their_level_where_all_are_tied():
    rng = np.random.default_rng(6)
    narrow = 0
    for _ in range(400):
        spread = np.cov(rng.normal(size=(100, 6)), rowvar=False)
        drawn = drawn_ranks(rng.normal(size=6), spread, df=99)
        narrow += bool((drawn["rank_low"] > 1).any() or (drawn["rank_high"] < 6).any())
    assert narrow / 400 == pytest.approx(0.05, abs=4.1 * (0.05 * 0.95 / 400) ** 0.5)


# ---------------------------------------------------------------------- bad input
SURVEY = Survey.from_frame(frame(600, 600, 2), weight="w", stratum="s")
CUBE = moment_cube(SURVEY, [*ITEMS, "y"], ["wave", "g"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: CUBE.covariances({"wav": 1}, ["y"]),
            "filter names 1 column that is not in the cube's splits: 'wav' (did you mean 'wave'?).",
        ),
        (lambda: CUBE.covariances({"wave": 9}, ["y"]), "wave has no value 9; it has: 1, 2, 3, 4."),
        (lambda: CUBE.covariances({"wave": []}, ["y"]), "the filter wave=[] leaves nobody; choose more values."),
        (
            lambda: CUBE.covariances(None, ["x9"]),
            "columns names 1 column that is not in the cube: 'x9'.",
        ),
        (lambda: CUBE.covariances(None, []), "columns is []; name at least one column, and each once."),
        (lambda: CUBE.covariances(None, ["y", "y"]), "columns is ['y', 'y']; name at least one column, and each once."),
        (
            lambda: CUBE.codes("s"),
            "split names 1 column that is not in the cube's splits: 's'.",
        ),
        (lambda: cube_importance(CUBE, "y", ["x1"]), "drivers names 1; name at least two."),
        (lambda: cube_importance(CUBE, "y", ["y", "x1"]), "drivers names the outcome 'y' too; leave it out."),
        (
            lambda: cube_importance(CUBE, "y", ["x0", "x1"], method="shaply"),
            "method is 'shaply'; allowed: 'shapley', 'johnson', 'car', 'pratt' (did you mean 'shapley'?).",
        ),
        (
            lambda: moment_cube(SURVEY, {"a": np.zeros(3)}, ["g"]),
            "columns: 'a' must have one number for each of the 600 rows.",
        ),
        (
            lambda: moment_cube(SURVEY, {"a": np.full(600, np.nan), "b": np.ones(600)}, ["g"]),
            "columns: 'a' has no answer among 600 respondents; leave it out.",
        ),
        (lambda: moment_cube(SURVEY, ["y"], ["g"], groups=1), "groups is 1; a jackknife needs at least 2, usually 60."),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(SurveyError) as error:
        call()
    assert str(error.value) == message


def sparse(**changes) -> tuple:
    """A cube of a few columns made to be hard."""
    df = frame(600, 600, 2, missing=0.0).assign(**changes)
    return moment_cube(Survey.from_frame(df, weight="w", stratum="s"), [*ITEMS, "y"], ["k"]), df


def test_too_few_constant_and_repeated_say_so():
    small, _ = sparse(k=np.repeat([0, 1, 2], [3, 9, 588]))
    with pytest.raises(SurveyError) as error:
        cube_importance(small, "y", ITEMS, filter={"k": 0})
    assert str(error.value) == (
        "3 respondents of the filter answered all 5 drivers and 'y'; at least 7 are needed: widen the filter, or name fewer "
        "drivers."
    )
    with pytest.raises(SurveyError) as error:
        cube_importance(sparse(k=0, x1=3.3)[0], "y", ITEMS)
    assert str(error.value) == "'x1' does not vary in the filter; leave it out, or widen the filter."
    twins, df = sparse(k=0)
    twins = moment_cube(Survey.from_frame(df.assign(x1=df["x0"])), [*ITEMS, "y"], ["k"])
    with pytest.raises(SurveyError) as error:
        cube_importance(twins, "y", ITEMS)
    assert str(error.value) == (
        "some drivers repeat one another in the filter; leave one of them out, or widen the filter."
    )
    gaps, _ = sparse(k=np.repeat([0, 1], 300), x0=np.repeat([np.nan, 1.0], 300))
    with pytest.raises(SurveyError) as error:
        gaps.covariances({"k": 0}, ["x0", "y"])
    assert str(error.value) == "nobody in the filter answered all 2 columns; widen the filter, or name fewer columns."


def test_a_filter_that_one_group_empties_has_means_but_no_interval():
    cube, df = sparse(k=(np.arange(600) == 5).astype(int))
    found = cube.covariances({"k": 1}, ["y"])
    assert (found.base, found.mean[0]) == (1, pytest.approx(df["y"][5]))
    with pytest.raises(SurveyError) as error:
        found.spread(found.means, found.mean)
    assert str(error.value) == (
        "1 of 100 replicates leave an estimate undefined: the base of 1 is too small for intervals; widen the filter."
    )


def test_an_indicator_that_replicates_lose_says_so():
    hit = np.zeros(600)
    hit[:1] = 1.0
    cube, _ = sparse(k=0, x0=hit)
    with pytest.raises(SurveyError) as error:
        cube_importance(cube, "y", ITEMS)
    assert str(error.value) == (
        "1 of 100 replicates leave a column without variation, or drivers that repeat one another: the base of 600 is too "
        "small for intervals; widen the filter, or name fewer drivers."
    )


def test_notes_say_what_is_left_out_and_what_counts_as_fixed():
    assert [note["en"] for note in CUBE.notes] == [
        "Intervals while exploring: jackknife over 100 groups of the 600 sampling units."
    ]
    few = moment_cube(Survey.from_frame(frame(56, 56, 1)), ["y"], ["g"])
    assert few.notes[0]["zh"] == "浏览时的区间：逐一剔除 56 个抽样单位中的每一个（刀切法）。"
    raked = rake(SURVEY, {"g": {1: 0.4, 2: 0.6}})
    assert moment_cube(raked, ["y"], ["g"]).notes[1]["en"] == (
        "Raked weights count as fixed while exploring; intervals that allow for raking come from the replicates."
    )


def test_a_stratum_with_one_unit_needs_a_declaration():
    df = frame(400, 400, 2).assign(s=np.r_[2, np.arange(399) % 2])
    with pytest.raises(SurveyError, match="stratum has 1 of 3 strata with a single PSU"):
        moment_cube(Survey.from_frame(df, stratum="s"), ["y"], ["g"])
    for lonely in ("adjust", "remove"):
        survey = Survey.from_frame(df, stratum="s")
        object.__setattr__(survey, "design", SampleDesign(stratum="s", lonely=lonely))
        _, replicates, _ = direct(survey, {"g": 1}, ["y", "x1"])
        found = moment_cube(survey, ["y", "x1"], ["g"]).covariances({"g": 1}, ["y", "x1"])
        np.testing.assert_allclose(found.replicates, replicates, atol=EXACT)


# ---------------------------------------------------------------------- against the bootstrap
def drawn_survey(design: str, seed: int, rows: int = 1200) -> Survey:
    """Six correlated drivers that all matter; rows, weighted rows in strata, or clusters of eight in strata."""
    rng = np.random.default_rng([seed, len(design)])
    unit = np.arange(rows) // 8 if design == "clusters" else np.arange(rows)
    stratum = unit % 3
    between = 0.35 * rng.normal(size=unit[-1] + 1)[unit] * (design == "clusters")
    x = rng.normal(size=(rows, 6)) + 0.8 * rng.normal(size=(rows, 1)) + between[:, None]
    df = pd.DataFrame(x, columns=[f"x{j}" for j in range(6)])
    df["y"] = x @ np.array([0.6, 0.5, 0.4, 0.3, 0.2, 0.1]) + 1.5 * rng.normal(size=rows) + between
    df["w"] = np.array([1.4, 0.73, 0.4])[stratum] * rng.uniform(0.6, 1.4, rows)
    df["s"], df["u"], df["g"] = stratum, unit, 0
    declared = {
        "simple random": {},
        "weights and strata": {"weight": "w", "stratum": "s"},
        "clusters": {"weight": "w", "stratum": "s", "psu": "u"},
    }
    return Survey.from_frame(df, **declared[design])


@pytest.mark.slow
@pytest.mark.parametrize("design", ["simple random", "weights and strata", "clusters"])
def test_standard_errors_while_dragging_are_the_bootstraps(design):
    ratios = []
    names = [*(f"x{j}" for j in range(6)), "y"]
    for seed in range(200):
        survey = drawn_survey(design, seed)
        found = cube_importance(moment_cube(survey, names, ["g"]), "y", names[:-1], draws=10)
        rows = np.arange(len(survey.data))
        sample = Sample(survey.data[names].to_numpy(), survey.weights, rows, resolve(survey))
        drawn = np.concatenate([covariances for _, covariances in Listwise(sample).replicates(1000, seed)])
        ratios.append([
            found.values["importance_se"] / shapley(drawn).std(axis=0, ddof=1),
            found.values["se"] / coefficients(drawn).std(axis=0, ddof=1),
        ])  # fmt: skip
    assert np.abs(np.mean(ratios, axis=(0, 2)) - 1).max() < 0.05
    assert np.abs(np.mean(ratios, axis=0) - 1).max() < 0.05  # each driver over all seeds
    assert np.abs(np.array(ratios) - 1).max() < 0.35  # each driver of each survey
    print(design, np.mean(ratios, axis=(0, 2)), np.min(ratios, axis=(0, 2)), np.max(ratios, axis=(0, 2)))
