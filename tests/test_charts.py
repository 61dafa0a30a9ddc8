"""Pictures: what is drawn is what the table says, in both languages, without missing glyphs."""

import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from cxlab import charts, theme

mpl.use("Agg")
NAN = float("nan")


@pytest.fixture(autouse=True)
def strict():
    """A glyph that the font lacks, or a position that is not finite, fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield
    plt.close("all")


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def drawn(ax, tmp_path) -> None:
    ax.figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 4000


@pytest.fixture
def importances() -> pd.DataFrame:
    return pd.DataFrame({
        "label": ["排队等候", "Doctor", "Meal", "Noise"], "share": [0.5, 0.3, NAN, 0.01], "share_low": [0.4, 0.2, NAN, 0.02],
        "share_high": [0.62, 0.41, NAN, 0.05], "null_share": [0.03, 0.03, NAN, 0.04],
        "distinguishable": [True, True, True, False],
    })  # fmt: skip


@pytest.mark.parametrize(("lang", "words"), [("en", ("80% interval", "noise line")), ("zh", ("80% 区间", "噪声线"))])
def test_importance(importances, lang, words, tmp_path):
    ax = charts.importance(importances, title="对“满意度”的解释力", lang=lang, level="80%")
    drawn(ax, tmp_path)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["排队等候", "Doctor", "Meal", "Noise"]
    np.testing.assert_allclose([b.get_width() for b in ax.patches], [50, 30, NAN, 1])
    colours = [mpl.colors.to_hex(b.get_facecolor()) for b in ax.patches]
    assert colours[0] == colours[1] == mpl.colors.to_hex(theme.GOOD)
    assert colours[3] == mpl.colors.to_hex(theme.BAND)
    assert texts(ax) == ["50%", "30%", "–", "1%"]
    error = [c for c in ax.containers if isinstance(c, mpl.container.ErrorbarContainer)][-1]
    ends = [s[:, 0] for s in error[2][0].get_segments() if len(s)]
    np.testing.assert_allclose(ends[0], [40, 62])
    np.testing.assert_allclose(ends[-1], [2, 5])
    offsets = [c for c in ax.collections if isinstance(c, PathCollection)][-1].get_offsets().data[:, 0]
    np.testing.assert_allclose(offsets[np.isfinite(offsets)], [3, 3, 4])
    legend = " ".join(t.get_text() for t in ax.get_legend().get_texts())
    assert all(w in legend for w in words)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top
    assert ax.get_xlim()[1] > 62


def test_importance_without_intervals_has_no_legend(importances, tmp_path):
    ax = charts.importance(importances.assign(share_low=NAN, share_high=NAN, null_share=NAN), title="x")
    drawn(ax, tmp_path)
    assert ax.get_legend() is None
    assert texts(ax) == ["50%", "30%", "–", "1%"]


def test_dots(tmp_path):
    table = pd.DataFrame(
        {"label": ["A", "B", "C"], "estimate": [7.24, NAN, -0.5], "low": [7, NAN, -1], "high": [7.5, NAN, 0.1]}
    )
    ax = charts.dots(table, title="评分", spec="+.1f", reference=0, colours=[theme.GOOD, theme.GOOD, theme.BAD])
    drawn(ax, tmp_path)
    assert texts(ax) == ["+7.2", "−0.5"]
    markers = np.vstack([c.get_offsets().data for c in ax.collections if isinstance(c, PathCollection)])
    np.testing.assert_allclose(sorted(markers[np.isfinite(markers[:, 0]), 0]), [-0.5, 7.24])
    assert [line.get_xdata()[0] for line in ax.get_lines()] == [0]


def test_lines(tmp_path):
    table = pd.DataFrame({
        "wave": ["2025-10", "2025-11", "2025-12"] * 2, "segment": ["金卡"] * 3 + ["普卡"] * 3,
        "estimate": [NAN, 6.5, 6.0, 7.0, 7.2, NAN], "low": [NAN, 6, 5.5, 6.8, 7, NAN], "high": [NAN, 7, 6.5, 7.2, 7.4, NAN],
    })  # fmt: skip
    ax = charts.lines(table, title="满意度", names={"金卡": "Gold"}, target=7.5, lang="zh")
    drawn(ax, tmp_path)
    assert [t.get_text() for t in ax.get_xticklabels()][::-1] == ["2025-10", "2025-11", "2025-12"]
    first, second = (line for line in ax.get_lines() if line.get_marker() == "o")
    np.testing.assert_allclose(first.get_ydata().astype(float), [NAN, 6.5, 6.0])
    np.testing.assert_allclose(second.get_ydata().astype(float), [7.0, 7.2, NAN])
    assert texts(ax)[:2] == ["Gold", "普卡"]
    assert texts(ax)[2].startswith("目标")
    assert [t.xy for t in ax.texts][:2] == [(2, 6.0), (1, 7.2)]  # named where the line ends


def test_many_waves_keep_few_ticks_and_the_last():
    waves = [f"2024-{k:02d}" for k in range(1, 25)]
    ax = charts.lines(pd.DataFrame({"wave": waves, "estimate": 1.0, "low": 0.5, "high": 1.5}), title="x")
    shown = [t.get_text() for t in ax.get_xticklabels()]
    assert shown[0] == "2024-24"
    assert len(shown) == 8


def test_pictures_go_into_given_axes(importances):
    _, axes = plt.subplots(1, 2)
    assert charts.importance(importances, title="x", ax=axes[1]) is axes[1]
    assert len(axes[0].patches) == 0
    assert len(axes[1].patches) == 4
