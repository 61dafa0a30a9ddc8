"""Priority map: quadrants by hand, shares over replicates, cuts, stated importance, labels that keep apart."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey

mpl.use("Agg")
ROOT = Path(__file__).parents[1]
NAMES = ["queue", "doctor", "meal", "sign"]
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
STATED = {
    "stated_price": "price_fairness",
    "stated_service": ["reception", "nurse", "doctor"],
    "stated_product": ["info", "equipment"],
    "stated_brand": "brand_image",
    "stated_convenience": ["booking", "queue"],
}


def frame(seed=1, base=400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.clip(np.round([4, 8, 7.5, 4.5] + 1.5 * rng.normal(size=(base, 4))), 0, 10)
    y = x @ [0.7, 0.6, 0.15, 0.1] + rng.normal(size=base)
    df = pd.DataFrame(x, columns=NAMES).assign(satisfaction=y, w=rng.uniform(0.5, 2, base), u=np.arange(base) // 2)
    return df.assign(
        **{f"say_{n}": np.round(s + rng.normal(size=base)) for n, s in zip(NAMES, [5, 9, 8, 2], strict=True)}
    )


def survey_of(df=None, down=(), scales=None, targets=None) -> Survey:
    survey = Survey.from_frame(frame() if df is None else df, weight="w", psu="u")
    scales = scales or {}
    items = [
        replace(survey.codebook.get(n, Item(n)), scale=scales.get(n, (0.0, 10.0)), higher_is_better=n not in down)
        for n in NAMES
    ]
    return replace(survey, codebook=survey.codebook.with_items(*items), roles=Roles(targets=targets or {}))


def mapped(survey=None, **options):
    return cx.priority_map(survey or survey_of(), drivers=NAMES, **{"replicates": 200, **options})


def quadrants(found) -> dict[str, str]:
    return dict(found.table[["driver", "quadrant"]].itertuples(index=False))


@pytest.fixture(scope="module")
def demo() -> Survey:
    return cx.open_study(ROOT / "data" / "healthcheck").survey()


@pytest.fixture(scope="module")
def demo_map(demo):
    return cx.priority_map(cx.key_drivers(demo, replicates=200), stated=STATED)


# ---------------------------------------------------------------------- places
def test_four_drivers_in_four_quadrants():
    assert quadrants(mapped()) == {
        "queue": "fix first",
        "doctor": "keep up",
        "meal": "maintain",
        "sign": "low priority",
    }


def test_shares_are_counted_over_replicates_of_both_axes():
    df, survey = frame(), survey_of()
    found = mapped(seed=3, performance_cut=7.5)
    drivers = cx.key_drivers(survey, drivers=NAMES, replicates=200, seed=3)
    share = drivers.replicates.to_numpy() / drivers.replicates.sum(axis=1).to_numpy()[:, None]
    means = np.array([
        np.average(df[NAMES], axis=0, weights=df["w"] * m[piece])
        for block, piece in resolve(survey).bootstrap(200, 3, np.arange(len(df))) for m in block
    ])  # fmt: skip
    important, good = share >= share.mean(axis=1, keepdims=True), means >= 7.5
    table = found.table.set_index("driver").loc[NAMES]
    np.testing.assert_allclose(table["keep_up"], (important & good).mean(axis=0), atol=0.006)
    np.testing.assert_allclose(table["low_priority"], (~important & ~good).mean(axis=0), atol=0.006)
    np.testing.assert_allclose(table[["fix_first", "keep_up", "low_priority", "maintain"]].sum(axis=1), 1)
    half = (table["performance_high"] - table["performance_low"]) / 2
    np.testing.assert_allclose(half, stats.t.ppf(0.975, 199) * means.std(axis=0, ddof=1), rtol=1e-3)


def test_a_driver_on_the_cut_is_not_decided():
    df = frame()
    middle = float(np.average(df["meal"], weights=df["w"]))
    found = mapped(performance_cut=middle)
    row = found.table.set_index("driver").loc["meal"]
    assert row["quadrant"] == "not decided"
    assert 0.2 < row["maintain"] < 0.8
    assert "Not decided" in str(found.sentences("en"))
    assert "未判定" in found.shown("zh")["象限"].tolist()


def test_a_result_is_gone_on_from_and_gives_the_same_map(demo):
    wave = demo.where(wave="2025-12")
    drivers = cx.key_drivers(wave, replicates=150, seed=5, method="johnson")
    fresh = cx.priority_map(wave, replicates=150, seed=5, method="johnson")
    again = cx.priority_map(drivers)
    pd.testing.assert_frame_equal(again.table, fresh.table)
    assert again.call == fresh.call


def test_missing_answers_that_are_estimated_leave_the_performance_of_those_who_answered(demo):
    found = cx.key_drivers(
        demo.where(wave="2025-12"), drivers=["queue", "meal", "report"], missing="pairwise", replicates=100
    )
    table = cx.priority_map(found).table.set_index("driver")
    answered = (
        cx.means(
            demo.where(
                wave="2025-12",
            ),
            ["queue"],
        )
        .table["estimate"]
        .iloc[0]
    )
    assert table.loc["queue", "performance"] == pytest.approx(answered, abs=0.05)


def test_factors_have_no_place_on_the_map():
    survey = survey_of(frame().assign(card=np.arange(400) % 3))
    found = cx.priority_map(survey, drivers=["queue", "doctor", "factor(card)"], replicates=100)
    assert sorted(found.table["driver"]) == ["doctor", "queue"]
    fixed = cx.first_to_fix(cx.key_drivers(survey, drivers=["queue", "doctor", "factor(card)"], replicates=100), survey)
    assert fixed.table["driver"].tolist() == ["queue", "doctor"]


# ---------------------------------------------------------------------- cuts and scales
@pytest.mark.parametrize(
    ("options", "cut"),
    [
        ({"performance_cut": "middle"}, 5.0),
        ({"performance_cut": 6.5}, 6.5),
        ({"performance_cut": {"queue": 3, "doctor": 9, "meal": 9, "sign": 3}}, None),
    ],
)
def test_cuts_of_performance(options, cut):
    found = mapped(**options)
    performance = found.cuts.set_index("driver")["performance"]
    if cut is not None:
        assert set(performance) == {cut}
    else:
        assert quadrants(found) == {
            "queue": "keep up",
            "doctor": "fix first",
            "meal": "low priority",
            "sign": "maintain",
        }


def test_mean_and_median_move_with_the_data():
    found = mapped(performance_cut="median", importance_cut="median")
    table = found.table
    assert found.cuts["performance"].iloc[0] == pytest.approx(table["performance"].median())
    assert found.cuts["importance"].iloc[0] == pytest.approx(table["share"].median())


def test_an_importance_cut_by_number():
    assert set(quadrants(mapped(importance_cut=0.9)).values()) == {"maintain", "low priority"}


def test_targets_of_the_study_are_a_cut():
    found = mapped(survey_of(targets={"queue": 3, "doctor": 9, "meal": 9, "sign": 3}), performance_cut="target")
    assert quadrants(found)["doctor"] == "fix first"


def test_less_is_better_is_turned_on_the_map():
    df = frame()
    turned = mapped(survey_of(df.assign(queue=10 - df["queue"]), down=("queue",)))
    plain = mapped(survey_of(df))
    assert quadrants(turned) == quadrants(plain)
    np.testing.assert_allclose(turned.table["performance"], plain.table["performance"])
    assert "Turned, so that more is better: queue." in [n["en"] for n in turned.notes]
    assert turned.table["helps"].all()


def test_different_scales_meet_on_a_hundred():
    df = frame()
    found = mapped(survey_of(df.assign(doctor=df["doctor"] / 2), scales={"doctor": (0.0, 5.0)}))
    mean = np.average(df["doctor"], weights=df["w"])
    assert found.table.set_index("driver").loc["doctor", "performance"] == pytest.approx(10 * mean)
    assert "Scales differ; performance is on 0–100." in [n["en"] for n in found.notes]


# ---------------------------------------------------------------------- stated importance
def test_stated_importance_beside_the_derived_one():
    found = mapped(stated={f"say_{n}": n for n in NAMES}).stated
    table, df = found.table.set_index("item"), frame()
    said = [np.average(df[f"say_{n}"], weights=df["w"]) for n in NAMES]
    shares = mapped().table.set_index("driver")["share"]
    assert found.tau == pytest.approx(stats.kendalltau(said, shares[NAMES]).statistic)
    assert found.tau_low <= found.tau <= found.tau_high
    assert table.loc["say_doctor", "stated_rank"] == 1
    assert table.loc["say_queue", ["stated_rank", "derived_rank", "disagreement"]].tolist() == [3, 1, "derived higher"]
    assert table.loc["say_meal", "disagreement"] in ("stated higher", "no clear difference")
    assert "Matters more than people say: say_queue." in str(found.sentences("en"))


def test_topics_of_several_drivers_add_up(demo_map):
    derived = demo_map.stated.table.set_index("item")["derived"]
    share = demo_map.table.set_index("driver")["share"]
    assert derived["stated_service"] == pytest.approx(share[["reception", "nurse", "doctor"]].sum())
    assert demo_map.stated.table.set_index("item").loc["stated_convenience", "stated_rank"] == 1
    assert set(demo_map.further()) == {"stated"}


# ---------------------------------------------------------------------- the demo study
def test_the_planted_pain_points_are_fixed_first(demo_map):
    found = quadrants(demo_map)
    assert [d for d, q in found.items() if q == "fix first"] == ["queue", "report"]
    assert found["noise"] == "low priority"
    said = demo_map.sentences("en")
    assert said[0].text == (
        "Fix first: Queueing, Report – above the cut in importance, below it in performance, in at least 80% of the resamples."
    )
    assert (
        demo_map.sentences("zh")[0].text
        == "优先改进：排队等候、报告——在至少 80% 的重抽样中，重要性高于分界、表现低于分界。"
    )
    assert "Brand image" in str(said[-2])  # its sign contradicts
    assert not demo_map.table.set_index("driver").loc["brand_image", "helps"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_labels_of_the_map_keep_apart(demo_map, lang):
    ax = demo_map.plot(lang=lang)
    figure = ax.figure
    figure.draw_without_rendering()
    names = {demo_map.label(d, lang) for d in demo_map.table["driver"]}
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text() in names]
    assert len(boxes) == len(names) == 13
    overlaps = [a.overlaps(b) for a, b in itertools.combinations(boxes, 2)]
    assert sum(overlaps) == 0
    mpl.pyplot.close("all")


def test_suppressed_drivers_are_not_drawn():
    found = mapped(survey_of(frame(base=16)))
    assert set(found.table["reliability"]) == {"suppressed"}
    assert found.sentences("en") == ()
    assert "queue" not in [t.get_text() for t in found.plot().texts]
    mpl.pyplot.close("all")


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"importance_cut": "middle"}, "importance_cut is 'middle'; allowed: 'mean', 'median'."),
        ({"importance_cut": 12}, "importance_cut is 12; it is a share of what the drivers explain, between 0 and 1."),
        (
            {"performance_cut": "medain"},
            "performance_cut is 'medain'; allowed: 'mean', 'median', 'middle', 'target' (did you mean 'median'?).",
        ),
        (
            {"performance_cut": "target"},
            "performance_cut: 4 of 4 drivers have no target ('queue', 'doctor', 'meal', 'sign'); declare them under targets: in "
            "study.yml, or pass a number.",
        ),
        (
            {"performance_cut": 12},
            "performance_cut lies outside the scale of 4 of 4 drivers: 'queue' 12 (scale 0–10), 'doctor' 12 (scale 0–10), "
            "'meal' 12 (scale 0–10), 'sign' 12 (scale 0–10).",
        ),
        ({"stated": {"say_queue": "queue", "say_meal": "meal"}}, "stated has 2 items; an order needs at least 3."),
        (
            {"stated": {"say_queue": "quue", "say_meal": "meal", "say_sign": "sign"}},
            "stated names 1 of 3 drivers that are not in the model: 'quue' (did you mean 'queue'?).",
        ),
        (
            {"stated": {"say_queue": "meal", "say_meal": "meal", "say_sign": "sign"}},
            "stated names 1 of 3 drivers under more than one item: 'meal'.",
        ),
        (
            {"stated": {"say_quue": "queue", "say_meal": "meal", "say_sign": "sign"}},
            "stated names 1 column that is not in the survey: 'say_quue' (did you mean 'say_queue'?).",
        ),
        ({"replicates": 0}, "replicates is 0; the map needs at least 100 for the place of each driver."),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        mapped(**options)


def test_a_result_without_replicates_has_no_map():
    found = cx.key_drivers(survey_of(), drivers=NAMES, replicates=0)
    with pytest.raises(SurveyError, match=r"^result has no replicates; run key_drivers with replicates=1000\.$"):
        cx.priority_map(found)
