"""Scorecards and trends: changes with their covariance, which waves are meant, what is masked."""

import warnings
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlab as cx
from cxlab.contrasts import detectable, holm
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey

mpl.use("Agg")

WAVES = {1.0: "2025-10", 2.0: "2025-11", 3.0: "2025-12"}


def tracked(sizes: tuple[int, ...] = (300, 300, 300), shift: float = 0.0, seed: int = 1, **columns) -> Survey:
    """Waves of respondents; satisfaction rises by ``shift`` in the last one."""
    rng = np.random.default_rng(seed)
    wave = np.repeat(np.arange(1.0, len(sizes) + 1), sizes)
    count = len(wave)
    q = np.clip(np.round(rng.normal(7, 1.8, count) + shift * (wave == len(sizes))), 0, 10)
    df = pd.DataFrame({
        "wave": wave, "q": q, "r": np.clip(q + rng.integers(-2, 3, count), 0, 10), "e": rng.integers(1, 8, count),
        "w": rng.uniform(0.5, 2, count), "card": rng.choice([1.0, 2], count),
    })  # fmt: skip
    plain = Survey.from_frame(df.assign(**columns), weight="w")
    items = (
        Item("wave", values={c: {"und": t} for c, t in WAVES.items()}),
        Item("q", {"en": "Satisfaction", "zh": "总体满意度"}, scale=(0, 10)),
        Item("r", {"en": "Recommendation", "zh": "推荐意愿"}, scale=(0, 10)),
        Item("e", {"en": "Effort", "zh": "费力程度"}, scale=(1, 7), higher_is_better=False),
        Item(
            "card",
            {"en": "Card", "zh": "卡种"},
            values={1.0: {"en": "gold", "zh": "金卡"}, 2.0: {"en": "plain", "zh": "普卡"}},
        ),
    )
    outcomes = {"satisfaction": ("q",), "recommend": ("r",), "effort": ("e",)}
    roles = Roles(wave="wave", outcomes=outcomes, targets={"satisfaction": 7.5, "nps": 10.0})
    return replace(plain, codebook=plain.codebook.with_items(*items), roles=roles)


# ---------------------------------------------------------------------- the numbers
def test_levels_are_those_of_the_metrics():
    survey = tracked()
    table = cx.scorecard(survey).table.set_index("metric")
    assert table.index.tolist() == ["satisfaction", "nps", "csat", "effort"]
    last = survey.where(wave=3)
    singles = {
        "satisfaction": cx.means(last, "q"),
        "nps": cx.nps(last),
        "csat": cx.csat(last),
        "effort": cx.means(last, "e"),
    }
    for metric, single in singles.items():
        for column in ("estimate", "se", "low", "high", "base", "base_effective"):
            assert table.loc[metric, column] == pytest.approx(single.table[column].iloc[0], rel=1e-12), (metric, column)
    assert table["target"].tolist()[:2] == [7.5, 10]
    assert table["target"].isna().tolist()[2:] == [True, True]


def test_changes_of_independent_waves_are_welch_tests():
    survey = tracked(w=1.0)
    row = cx.scorecard(survey, ["q"], wave="2025-12", before="2025-11").table.iloc[0]
    now, then = (survey.data["q"][survey.data["wave"] == w] for w in (3, 2))
    assert row["before"] == pytest.approx(then.mean(), rel=1e-12)
    assert row["change"] == pytest.approx(now.mean() - then.mean(), rel=1e-10)
    # linearisation uses n / (n − 1) over all rows of the file, Welch that of each wave
    welch = stats.ttest_ind(now, then, equal_var=False)
    assert row["change"] / ((row["change_high"] - row["change_low"]) / 2 / stats.t.ppf(0.975, 598)) == pytest.approx(
        welch.statistic, rel=0.005
    )
    assert row["p_value"] == pytest.approx(welch.pvalue, rel=0.02)


def test_changes_of_the_same_respondents_are_paired_tests():
    rng = np.random.default_rng(3)
    level = rng.normal(7, 2, 200)
    df = pd.DataFrame(
        {
            "wave": np.repeat([1.0, 2], 200),
            "id": np.tile(np.arange(200), 2),
            "q": np.tile(level, 2) + rng.normal(size=400),
        }
    )
    row = cx.scorecard(Survey.from_frame(df, psu="id"), ["q"]).table.iloc[0]
    paired = stats.ttest_rel(df["q"][200:].to_numpy(), df["q"][:200].to_numpy())
    assert row["change"] == pytest.approx(paired.confidence_interval().low / 2 + paired.confidence_interval().high / 2)
    interval = paired.confidence_interval()
    np.testing.assert_allclose([row["change_low"], row["change_high"]], [interval.low, interval.high], rtol=1e-9)
    assert row["p_value"] == pytest.approx(paired.pvalue, rel=1e-8)
    apart = cx.scorecard(Survey.from_frame(df), ["q"]).table.iloc[0]
    assert apart["change_high"] - apart["change_low"] > 1.8 * (row["change_high"] - row["change_low"])


def test_changes_take_the_covariance_of_overlapping_clusters():
    survey = tracked(clinic=np.random.default_rng(1).integers(0, 30, 900).astype(float))
    survey = replace(survey, design=replace(survey.design, psu="clinic"))
    row = cx.scorecard(survey, ["q"]).table.iloc[0]
    design, q, wave = resolve(survey), survey.values("q"), survey.values("wave")
    multipliers = np.concatenate(list(design.rao_wu(4000, 2))).astype(float)
    means = []
    for w in (3, 2):
        weight = survey.weights * (wave == w)
        sums = [np.bincount(design.psu, x, 30) for x in (weight * q, weight)]
        means.append((multipliers @ sums[0]) / (multipliers @ sums[1]))
    half = stats.t.ppf(0.975, 29) * np.std(means[0] - means[1])
    assert (row["change_high"] - row["change_low"]) / 2 == pytest.approx(half, rel=0.05)


def test_p_values_are_holm_over_the_metrics_and_detectable_fits_the_interval():
    survey = tracked(shift=0.3)
    table = cx.scorecard(survey).table
    alone = [cx.scorecard(survey, [m]).table["p_value"].iloc[0] for m in table["metric"]]
    np.testing.assert_allclose(table["p_value"], holm(np.array(alone)), rtol=1e-10)
    half = (table["change_high"] - table["change_low"]) / 2
    se = half / stats.t.ppf(0.975, 598)
    np.testing.assert_allclose(table["detectable"], detectable(se, 598), rtol=1e-9)


# ---------------------------------------------------------------------- which waves
def test_the_last_two_waves_by_default():
    result = cx.scorecard(tracked())
    assert (result.wave, result.before) == (3, 2)
    assert (cx.scorecard(tracked(), wave="2025-11").before, cx.scorecard(tracked(), wave=3, before=1).before) == (1, 1)


def test_the_first_wave_has_none_before():
    result = cx.scorecard(tracked(), wave=1)
    assert result.before is None
    assert result.table[["before", "change", "p_value", "detectable"]].isna().all(axis=None)
    assert (result.table["reliability_before"] == "").all()
    assert len(result.sentences("en")) == 4
    only = cx.scorecard(tracked().where(wave=3))  # its own domain limits both waves
    assert only.before is None


def test_a_study_without_waves_is_reported_as_a_whole():
    survey = tracked()
    survey = replace(survey, data=survey.data.drop(columns="wave"), roles=replace(survey.roles, wave=None))
    result = cx.scorecard(survey)
    assert result.base.respondents == 900
    assert result.wave is None
    assert result.table["change"].isna().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.scorecard(s, wave="2026-01"),
         "wave has no value '2026-01' (did you mean '2025-12'?); it has: 2025-10, 2025-11, 2025-12, 1, 2, 3."),
        (lambda s: cx.scorecard(s.where(wave=[2, 3]), wave="2025-10"),
         "wave '2025-10' has no respondents among the 600 analysed."),
        (lambda s: cx.scorecard(s.where(wave=3), before="2025-10"),
         "before '2025-10' has no respondents among the 300 analysed."),
        (lambda s: cx.scorecard(s, wave=2, before=2), "before is the wave itself ('2025-11'); name another."),
        (lambda s: cx.scorecard(s, ["npps"]),
         "metric names 1 column that is not in the survey: 'npps'."),
        (lambda s: cx.scorecard(replace(s, roles=Roles(wave="wave"))),
         "metrics: the survey declares no outcome; declare outcomes in study.yml, or pass metrics=[...]."),
        (lambda s: cx.trend(waveless(s), "q"), "trend: the survey declares no waves; declare wave in study.yml."),
        (lambda s: cx.scorecard(waveless(s), wave=1), "wave: the survey declares no waves; leave wave and before out."),
        (lambda s: cx.scorecard(s.with_columns(wave=np.full(900, np.nan))),
         "wave: none of the 900 respondents analysed belongs to a wave."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(tracked())
    assert str(error.value) == message


def waveless(survey: Survey) -> Survey:
    return replace(survey, data=survey.data.drop(columns="wave"), roles=replace(survey.roles, wave=None))


# ---------------------------------------------------------------------- what is said and what is masked
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sentences_hold_the_numbers(lang):
    result = cx.scorecard(tracked(shift=0.8), level=0.9)
    row = result.table.iloc[0]
    level = result.levels(lang)[0]
    assert f"{row['estimate']:.2f}" in level.text
    assert "90%" in level.text
    assert {"en": "Satisfaction", "zh": "总体满意度"}[lang] in level.text
    moved = result.changes(lang)[0]
    assert (moved.facts["change"], moved.facts["p"]) == (row["change"], row["p_value"])
    assert f"{row['change']:+.2f}" in moved.text
    assert "2025-11" in moved.text


def test_what_did_not_move_says_what_would_have_shown():
    result = cx.scorecard(tracked())
    assert (result.table["p_value"] > 0.05).all()
    for said, row in zip(result.changes("en"), result.rows(), strict=True):
        assert said.facts["detectable"] == row.detectable
        assert "p" not in said.facts


def test_a_wave_of_12_people_is_masked():
    result = cx.scorecard(tracked((300, 300, 12)))
    assert set(result.table["reliability"]) == {"suppressed"}
    assert len(result.sentences("en")) == 0
    shown = result.shown("en")
    assert (shown.drop(columns=["Metric", "Base", "Effective base", "Reliability", "Reliability before"]) == "–").all(
        axis=None
    )
    assert shown["Base"].tolist() == ["12"] * 4
    assert result.table["estimate"].notna().all()


def test_a_change_since_a_wave_of_12_people_is_masked_but_the_level_is_not():
    result = cx.scorecard(tracked((300, 12, 300)))
    assert set(result.table["reliability"]) == {"ok"}
    assert set(result.table["reliability_before"]) == {"suppressed"}
    shown = result.shown("en", ["metric", "estimate", "before", "change", "p_value", "detectable"])
    assert (shown.iloc[:, 2:] == "–").all(axis=None)
    assert (shown.iloc[:, :2] != "–").all(axis=None)
    assert len(result.levels("en")) == 4
    assert result.changes("en") == []
    assert result.table["change"].notna().all()


# ---------------------------------------------------------------------- trends
def test_trends_by_segment():
    survey = tracked()
    table = cx.trend(survey, "nps", by="card").table
    assert table[["segment", "wave"]].values.tolist() == [[c, w] for c in (1, 2) for w in (1, 2, 3)]
    alone = cx.nps(survey.where(card=2, wave=3)).table.iloc[0]
    for column in ("estimate", "se", "low", "high", "base"):
        assert table[column].iloc[5] == pytest.approx(alone[column], rel=1e-12)
    assert cx.trend(survey, "q").table["base"].tolist() == [300, 300, 300]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_trends_are_drawn_with_a_gap_where_a_wave_is_suppressed(lang, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ax = cx.trend(tracked((300, 12, 300)), "satisfaction").plot(lang=lang, target=7.5)
        ax.figure.savefig(tmp_path / "trend.png")
    (line,) = [artist for artist in ax.get_lines() if artist.get_marker() == "o"]
    assert np.isfinite(line.get_ydata().astype(float)).tolist() == [True, False, True]
    assert [t.get_text() for t in ax.get_xticklabels()][::-1] == ["2025-10", "2025-11", "2025-12"]


def test_a_segment_without_its_first_wave_leaves_the_waves_in_order():
    card = np.where((np.arange(900) < 300) & (np.arange(900) >= 12), 2.0, 1.0 + np.arange(900) % 2)
    result = cx.trend(tracked(card=card), "satisfaction", by="card")
    assert result.table["reliability"].iloc[0] == "suppressed"
    ax = result.plot(lang="en")
    first, second = [artist for artist in ax.get_lines() if artist.get_marker() == "o"]
    assert first.get_xdata().tolist() == second.get_xdata().tolist() == [0, 1, 2]
    assert np.isfinite(first.get_ydata().astype(float)).tolist() == [False, True, True]
    assert [t.get_text() for t in ax.get_xticklabels()][::-1] == ["2025-10", "2025-11", "2025-12"]


@pytest.mark.parametrize(
    "result",
    [
        lambda s: cx.scorecard(s, wave=2, before=1, level=0.9),
        lambda s: cx.scorecard(s, ["q", "nps"]),
        lambda s: cx.trend(s, "nps", by="card", level=0.8),
    ],
)
def test_the_call_makes_the_result_again(result):
    survey = tracked()
    found = result(survey.where(card="gold"))
    again = eval(found.call, {"cx": cx, "survey": survey})
    pd.testing.assert_frame_equal(again.table, found.table)
