"""Stacking: the same numbers as pandas.melt with weighted least squares, and intervals that know whose rows they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import cxlab as cx
from cxlab.design import design_notes
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
UNITS = ["queue", "doctor", "report"]
LAYOUT = {"experience": UNITS, "emotion": [f"{u}_mood" for u in UNITS]}


def wide(seed: int = 1, count: int = 300, holes: float = 0.1) -> pd.DataFrame:
    """Three touchpoints; a respondent's ratings go together, and each weighs them in an own way."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(count, 1))
    x = own + rng.normal(size=(count, 3)) + [0, 1, 2]
    y = (0.5 + 0.6 * rng.normal(size=(count, 1))) * x + 0.8 * own + rng.normal(size=(count, 3))
    x[rng.random(x.shape) < holes] = np.nan
    df = pd.DataFrame(np.column_stack([x, y]), columns=[*UNITS, *LAYOUT["emotion"]])
    return df.assign(
        w=rng.uniform(0.5, 2, count),
        stratum=np.repeat([1.0, 2.0], [count // 3, count - count // 3]),
        clinic=np.arange(count) // 5,
        card=rng.integers(1, 4, count).astype(float),
    )


def survey_of(df: pd.DataFrame | None = None, **parts: str) -> Survey:
    return Survey.from_frame(wide() if df is None else df, **parts)


def melted(df: pd.DataFrame) -> pd.DataFrame:
    ids = df.reset_index(names="id")
    parts = [
        ids.melt(["id", "w"], items, "which", name).assign(place=lambda d, items=items: d["which"].map(items.index))
        for name, items in LAYOUT.items()
    ]
    return parts[0].merge(parts[1], on=["id", "w", "place"]).dropna()


# ---------------------------------------------------------------------- numbers
def test_estimates_and_clustered_errors_are_those_of_melt_and_wls():
    df = wide()
    long = cx.stack(survey_of(df, weight="w"), LAYOUT)
    table = cx.key_drivers(long, "emotion", ["experience"], replicates=100).table
    rows = melted(df)
    x = sm.add_constant(rows["experience"])
    fit = sm.WLS(rows["emotion"], x, weights=rows["w"]).fit()
    assert table.loc[0, "base"] == len(rows) < 900
    assert table.loc[0, "estimate"] == pytest.approx(fit.params["experience"], rel=1e-10)
    bread = np.linalg.inv((x.T @ x.mul(rows["w"], axis=0)).to_numpy())
    scores = x.mul(rows["w"] * fit.resid, axis=0).groupby(rows["id"].to_numpy()).sum().to_numpy()
    sandwich = bread @ (scores.T @ scores) @ bread * len(df) / (len(df) - 1)
    assert table.loc[0, "se"] == pytest.approx(np.sqrt(sandwich[1, 1]), rel=1e-9)
    naive = cx.key_drivers(survey_of(long.data, weight="w"), "emotion", ["experience"], replicates=100).table
    assert naive.loc[0, "estimate"] == pytest.approx(table.loc[0, "estimate"], rel=1e-12)
    assert naive.loc[0, "se"] < 0.85 * table.loc[0, "se"]


@pytest.mark.parametrize(
    "parts", [{}, {"weight": "w"}, {"weight": "w", "stratum": "stratum"}, {"weight": "w", "psu": "clinic"}]
)
def test_a_mean_over_rows_is_that_of_the_respondents_means(parts):
    """Without holes both are the same statistic of the same respondents, so estimate and error are equal."""
    df = wide(holes=0).assign(both=lambda d: d[UNITS].mean(axis=1))
    survey = survey_of(df, **parts)
    long = cx.stack(survey, {"experience": UNITS})
    assert long.design.psu == parts.get("psu", "respondent_row")
    for one, many in ((survey, long), (survey.where(card=2), cx.stack(survey.where(card=2), {"experience": UNITS}))):
        expected, got = cx.means(one, "both").table.iloc[0], cx.means(many, "experience").table.iloc[0]
        np.testing.assert_allclose(got[["estimate", "se"]].tolist(), expected[["estimate", "se"]].tolist(), rtol=1e-10)


def test_raked_weights_stay_raked():
    df = wide(holes=0).assign(both=lambda d: d[UNITS].mean(axis=1))
    margins = {"card": {1: 0.5, 2: 0.3, 3: 0.2}, "stratum": {1: 0.4, 2: 0.6}}
    survey = cx.rake(survey_of(df, weight="w"), margins)
    long = cx.stack(survey, {"experience": UNITS}, keep=[])
    expected, got = cx.means(survey, "both").table.iloc[0], cx.means(long, "experience").table.iloc[0]
    np.testing.assert_allclose(got[["estimate", "se"]].tolist(), expected[["estimate", "se"]].tolist(), rtol=1e-9)
    fixed = replace(long, design=replace(long.design, raked=None))
    assert abs(cx.means(fixed, "experience").table["se"][0] / got["se"] - 1) > 1e-3
    for (code, total), (_, before) in zip(long.design.raked.targets[0], survey.design.raked.targets[0], strict=True):
        assert total == pytest.approx(3 * before), code
    one = cx.key_drivers(survey, "both", ["queue"], replicates=100, seed=3)
    same = cx.key_drivers(cx.stack(survey, {"rating": ["queue"]}), "both", ["rating"], replicates=100, seed=3)
    np.testing.assert_allclose(same.replicates["rating"], one.replicates["queue"], rtol=1e-10)  # re-raked alike


def test_one_unit_changes_no_number():
    survey = survey_of(weight="w", stratum="stratum")
    long = cx.stack(survey, {"rating": ["queue"]})
    one = cx.key_drivers(survey, "doctor_mood", ["queue", "doctor"], replicates=100)
    same = cx.key_drivers(long, "doctor_mood", ["rating", "doctor"], replicates=100)
    numbers = one.table.select_dtypes("number").columns
    np.testing.assert_allclose(same.table[numbers], one.table[numbers], rtol=1e-10)


@pytest.mark.slow
def test_clustered_intervals_cover_and_those_of_rows_do_not():
    """500 surveys of 150 respondents × 12 touchpoints whose slopes and levels are the respondent's own."""
    rng, true, hits = np.random.default_rng(2026), 0.5, {"stacked": 0, "rows": 0}
    widths = {"stacked": 0.0, "rows": 0.0}
    items = {"x": [f"x{k}" for k in range(12)], "y": [f"y{k}" for k in range(12)]}
    for _ in range(500):
        own = rng.normal(size=(150, 1))
        x = own + rng.normal(size=(150, 12))
        y = (
            true * x
            + 0.3 * rng.normal(size=(150, 1)) * x
            + 0.7 * rng.normal(size=(150, 1))
            + rng.normal(size=(150, 12))
        )
        df = pd.DataFrame(np.column_stack([x, y]), columns=[*items["x"], *items["y"]])
        long = cx.stack(survey_of(df), items)
        for way, survey in (("stacked", long), ("rows", survey_of(long.data[["x", "y"]]))):
            row = cx.linear(survey, "y", ["x"]).table.set_index("term").loc["x"]
            hits[way] += row["low"] <= true <= row["high"]
            widths[way] += (row["high"] - row["low"]) / 500
    print({k: v / 500 for k, v in hits.items()}, widths)
    assert 0.92 <= hits["stacked"] / 500 <= 0.98
    assert hits["rows"] / 500 < 0.85
    assert widths["stacked"] < 0.20


# ---------------------------------------------------------------------- what goes along
@pytest.fixture(scope="module")
def study() -> Survey:
    return cx.open_study(Path(__file__).parents[1] / "data" / "healthcheck" / "study.yml").survey()


def test_a_journey_stacks_itself(study):
    long = cx.stack(study)
    assert len(long) == 12 * len(study)
    assert [v.label for v in long.levels("touchpoint", "zh")][:6] == [
        "预约",
        "停车",
        "检前须知",
        "前台接待",
        "更衣",
        "排队等候",
    ]
    assert [v.label for v in long.levels("stage", "en")] == ["Before the visit", "During the visit", "After the visit"]
    assert (long.label("experience", "zh"), long.label("emotion", "en")) == ("体验", "Emotion")
    assert (long.scale("experience"), long.scale("emotion")) == ((0.0, 10.0), (-5.0, 5.0))
    assert long.design.columns() == study.design.columns()
    for point in study.roles.touchpoints:
        part = long.where(touchpoint=point.name)
        for column, item in (
            ("experience", point.item),
            ("expectation", point.expectation),
            ("emotion", point.emotion),
        ):
            np.testing.assert_array_equal(part.values(column)[part.domain], study.values(item))
            for reason in (98.0, 99.0):
                gone = part.missing_reasons[column][part.domain] == reason
                before = study.missing_reasons[item] == reason if item in study.missing_reasons else gone & False
                assert gone.sum() == before.sum()
    assert long.codebook["experience"].missing[98.0] == "not experienced"
    assert long.roles.segments == study.roles.segments
    assert (long.roles.respondent, long.roles.wave) == ("customer_id", "wave")
    assert "touchpoints" not in long.roles.names()
    result = cx.key_drivers(long, "emotion", ["experience", "expectation"], replicates=100)
    assert result.table["driver"].tolist() == ["experience", "expectation"]
    (note,) = [n for n in result.notes if n["en"].startswith("Stacked: ")]
    assert note["en"] == (
        "Stacked: 9,600 respondents with 12 rows each, one per touchpoint; bases count rows (115,200 here), intervals know "
        "whose they are."
    )
    assert "9,600 名受访者各占 12 行，每行对应一个触点" in note["zh"]


def test_a_domain_stays_a_domain(study):
    gold = cx.stack(study.where(card="gold"), {"experience": ["queue", "doctor"]}, keep=["satisfaction"])
    assert len(gold) == 2 * len(study.where(card="gold"))
    assert len(gold.data) == 2 * len(study.data)
    assert gold.roles.outcomes == {"satisfaction": ("satisfaction",)}
    assert sorted(gold.data) == sorted(
        ["weight", "card", "customer_id", "wave", "satisfaction", "respondent_row", "unit", "experience"]
    )
    assert [v.label for v in gold.levels("unit", "zh")] == ["排队等候", "医生"]


def test_units_that_were_not_asked_are_empty_rows():
    long = cx.stack(
        survey_of(),
        {"experience": UNITS, "emotion": ["queue_mood", None, "report_mood"]},
        names={"queue": {"en": "Queueing", "zh": "排队"}, "doctor": {"en": "Doctors", "zh": "医生"}, "report": {}},
        unit="place", labels={"experience": "How was it?", "place": {"en": "Place", "zh": "地点"}},
    )  # fmt: skip
    assert np.isnan(long.values("emotion").reshape(-1, 3)[:, 1]).all()
    assert np.isfinite(long.values("emotion").reshape(-1, 3)[:, [0, 2]]).all()
    assert len(long.where(place="医生")) == len(long.where(place="Doctors")) == len(long.where(place="doctor")) == 300
    assert (long.label("experience"), long.label("place", "zh")) == ("How was it?", "地点")
    assert (long.label("emotion", "en"), long.label("emotion", "zh")) == ("Emotion", "情感")


def test_the_respondent_id_is_the_psu_where_it_lies_in_one_stratum():
    df = wide().assign(who=np.r_[np.arange(290), np.arange(10)])
    for parts, psu in (({}, "who"), ({"stratum": "stratum"}, "respondent_row")):  # ten of them are in both strata
        survey = replace(survey_of(df, **parts), roles=Roles(respondent="who"))
        assert cx.stack(survey, LAYOUT).design.psu == psu


def test_user_missing_codes_keep_their_reasons():
    survey = survey_of(wide(holes=0))
    reasons = pd.DataFrame({"queue": np.where(np.arange(300) < 7, 98.0, np.nan)})
    items = [Item(u, missing={98.0: "not experienced"}) for u in UNITS]
    survey = replace(survey, missing_reasons=reasons, codebook=survey.codebook.with_items(*items))
    long = cx.stack(survey, LAYOUT)
    assert (long.missing_reasons["experience"] == 98).sum() == 7
    assert "emotion" not in long.missing_reasons
    assert long.missing_reasons.index.equals(long.data.index)


# ---------------------------------------------------------------------- what is refused
def scaled(**changes) -> Survey:
    survey = survey_of(wide().assign(respondent_row=1.0), weight="w")
    items = {u: Item(u, scale=(0, 10), missing={98.0: "not experienced"}) for u in UNITS}
    items |= {k: replace(items[k], **v) for k, v in changes.items()}
    return replace(survey, codebook=survey.codebook.with_items(*items.values()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.stack(s),
         "layout: the survey declares no touchpoints; declare a journey in study.yml, or pass "
         'layout={"new column": ["item", …], …}.'),
        (lambda s: cx.stack(s, {}), 'layout is empty; pass {"new column": ["item", …], …}.'),
        (lambda s: cx.stack(s, {"experience": UNITS, "emotion": ["queue_mood"]}),
         "layout has lists of 2 lengths ('experience' 3, 'emotion' 1); item k of every list belongs to unit k: put None "
         "where a unit was not asked."),
        (lambda s: cx.stack(s, {"experience": ["queue", "docter"]}),
         "layout['experience'] names 1 column that is not in the survey: 'docter' (did you mean 'doctor'?)."),
        (lambda s: cx.stack(s, {"experience": ["queue", "queue"]}),
         "layout['experience'] names 1 item more than once: 'queue'."),
        (lambda s: cx.stack(s, {"experience": [None, None]}), "layout['experience'] holds None only; leave it out."),
        (lambda s: cx.stack(s, {"card": UNITS}),
         "layout makes 1 column with a name that is taken by the respondent's: 'card'; choose other names, or leave them out "
         "of keep."),
        (lambda s: cx.stack(s.with_columns(respondent_row=1.0), {"experience": UNITS}),
         "layout makes 1 column with a name that is taken by the respondent's: 'respondent_row'; choose other names, or leave "
         "them out of keep."),
        (lambda s: cx.stack(s, {"experience": UNITS}, unit="experience"),
         "unit is 'experience', which is also a new column of layout; give it another name."),
        (lambda s: cx.stack(s, {"experience": UNITS}, names=["a", "b"]),
         "names has 2 units, the lists of layout 3 items; name one per item."),
        (lambda s: cx.stack(s, {"experience": UNITS}, names=["a", "b", "a"]), "names has 1 units more than once: 'a'."),
        (lambda s: cx.stack(s, {"experience": UNITS}, keep=["crad"]),
         "keep names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."),
        (lambda s: cx.stack(s, {"experience": UNITS}, labels={"emotion": "Mood"}),
         "labels names 1 column that is not in the stacked survey: 'emotion'."),
        (lambda s: cx.stack(s, {"x": ["queue", "w"]}),
         "layout names 1 columns of the sample design ('w'); a design is not stacked."),
        (lambda s: cx.stack(scaled(doctor={"scale": (1, 7)}), {"x": UNITS}, keep=[]),
         "layout['x'] mixes 2 response scales (0 to 10: 'queue'; 1 to 7: 'doctor'); bring the items to one scale before "
         "stacking."),
        (lambda s: cx.stack(scaled(doctor={"higher_is_better": False}), {"x": UNITS}, keep=[]),
         "layout['x'] mixes directions: less is better for 1 of 3 items ('doctor'); turn them before stacking."),
        (lambda s: cx.stack(scaled(report={"missing": {98.0: "don't know"}}), {"x": UNITS}, keep=[]),
         "layout['x']: missing code 98 means 'not experienced' for some items and \"don't know\" for 'report'; give it one "
         "meaning before stacking."),
        (lambda s: cx.stack(s.with_columns(town=np.repeat("X", 300)), {"x": ["queue", "town"]}),
         "'town' holds text, numbers are needed."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(survey_of(weight="w"))
    assert str(error.value) == message


def test_an_ordinary_survey_says_nothing_of_stacking():
    assert not any("rows each" in n["en"] for n in design_notes(survey_of(weight="w")))


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (["a", "b"], "layout is ['a', 'b']; pass {\"new column\": [\"item\", …], …}."),
        (None, "survey is a DataFrame; stack starts from a Survey, before any analysis."),
    ],
)
def test_things_in_the_place_of_others(layout, message):
    df = pd.DataFrame({"a": [1.0, 2], "b": [2.0, 1]})
    with pytest.raises(SurveyError) as error:
        cx.stack(Survey.from_frame(df) if layout else df, layout)
    assert str(error.value) == message
