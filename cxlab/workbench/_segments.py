"""The Segments tab: banner, pairs of groups, and the hidden crisis."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar

from cxlab.errors import SurveyError
from cxlab.result import Result
from cxlab.words import Note
from cxlab.workbench import _segments_crisis as crisis
from cxlab.workbench._segments_banner import MOST_COLUMNS, live_banner, rows_asked, settled_banner
from cxlab.workbench._segments_items import (
    NO_ITEMS,
    NO_SEGMENTS,
    codes_inside,
    journey_items,
    lonely,
    metrics_of,
    require_base,
)
from cxlab.workbench._segments_pairs import live_pairs, settled_pairs
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, Control, Option, Pick, Several, Tab, Texts, View
from cxlab.workbench._workspace import Workspace

DOZEN = 12
_KEPT = 16  # scans kept ready


class SegmentsTab(Tab):
    """How do the segments differ, and what does the total hide?"""

    key = "segments"
    title: ClassVar[Texts] = {"en": "Segments", "zh": "细分群体"}

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._tally = Tally(workspace)
        self._scans: OrderedDict[str, Result] = OrderedDict()
        self._lock = threading.Lock()
        self._items = metrics_of(workspace, ["nps"], rated=True) if workspace.segments else {}

    def lacking(self) -> Texts | None:
        """Say if the study has no segments, or nothing to compare them by."""
        if not self.workspace.segments:
            return NO_SEGMENTS
        return lonely(self.workspace) if self._items else NO_ITEMS

    def controls(self) -> Sequence[Control]:
        """Controls of the three views."""
        segments = self.workspace.options(self.workspace.segments)
        items: tuple[Option, ...] = tuple(self._items.items())
        first = [n for n in self._items if n in (*self.workspace.outcomes[:1], "nps")]
        sensible = (*first, *journey_items(self.workspace, list(self._items), DOZEN)) or tuple(self._items)[:DOZEN]
        narrow = tuple(n for n, _ in segments if len(self.workspace.codes(n)) <= DOZEN)
        outcomes = tuple(o for o in self.workspace.options(self.workspace.outcomes))
        banner, pairs = {"show": ("banner",)}, {"show": ("pairs",)}
        return [
            Pick(name="show", label=_SHOW, default="banner", options=_VIEWS),
            Several(name="columns", label=_COLUMNS, options=segments, default=narrow[:2] or (segments[0][0],), when=banner),
            Pick(name="statistic", label=_STATISTIC, default="mean", options=_STATISTICS, when=banner),
            Several(name="items", label=_ITEMS, options=items, default=sensible, when=banner),
            Pick(name="by", label=_BY, default=(narrow or (segments[0][0],))[0], options=segments, when={"show": ("pairs", "crisis")}),
            Pick(name="item", label=_ITEM, default=items[0][0], options=items, when=pairs),
            Pick(name="shown", label=_SHOWN, default="gaps", options=_SHOWN_AS, when=pairs),
            Pick(name="outcome", label=_OUTCOME, default=None, options=((None, _DECLARED), *outcomes), when={"show": ("crisis",)}),
        ]  # fmt: skip

    def live(self, asked: Asked) -> View | None:
        """Values at once; a crisis scan only where it was made before."""
        if asked["show"] == "banner":
            lines = self._lines(asked)
            return live_banner(self.workspace, self._tally, asked, lines)
        if asked["show"] == "pairs":
            return live_pairs(self.workspace, self._tally, asked)
        with self._lock:
            found = self._scans.get(crisis.key_of(asked))
        return None if found is None else crisis.view_of(self.workspace, asked, found)

    def settled(self, asked: Asked) -> View:
        """The library's own banner, comparison or scan."""
        if asked["show"] == "banner":
            return settled_banner(self.workspace, self._tally, asked, self._lines(asked))
        if asked["show"] == "pairs":
            return settled_pairs(self.workspace, self._tally, asked)
        key = crisis.key_of(asked)
        with self._lock:
            found = self._scans.get(key)
        if found is None:
            found = crisis.scan(self.workspace, self._tally, asked)
            with self._lock:
                self._scans[key] = found
                while len(self._scans) > _KEPT:
                    self._scans.popitem(last=False)
        return crisis.view_of(self.workspace, asked, found)

    def _lines(self, asked: Asked) -> list[tuple[str, str]]:
        """Lines of the banner, after a look at what was chosen."""
        lang, columns = asked.lang, list(asked["columns"])
        if not columns:
            raise SurveyError(_NO_COLUMNS[lang])
        if not asked["items"]:
            raise SurveyError(_NOTHING[lang])
        count = sum(len(codes_inside(self.workspace, asked.filter, c)) for c in columns)
        if count > MOST_COLUMNS:
            raise SurveyError(Note(_WIDE, count=count, most=MOST_COLUMNS)[lang])
        lines = rows_asked(self.workspace, asked["items"], asked["statistic"])
        if not lines:
            raise SurveyError(_NO_BOXES[lang])
        require_base(self._tally, list(dict.fromkeys(item for item, _ in lines)), asked.filter, lang)
        return lines


def _texts(en: str, zh: str) -> dict[str, Any]:
    return {"en": en, "zh": zh}


_SHOW = _texts("Show", "视图")
_VIEWS: tuple[Option, ...] = (
    ("banner", _texts("Banner", "交叉分析表")),
    ("pairs", _texts("Pairs of groups", "两两比较")),
    ("crisis", _texts("Hidden crisis", "隐藏的危机")),
)
_COLUMNS, _ITEMS, _STATISTIC = (
    _texts("Segments side by side", "表头（细分变量）"),
    _texts("Items", "题目"),
    _texts("Statistic", "统计量"),
)
_STATISTICS: tuple[Option, ...] = (
    ("mean", _texts("Mean", "均值")),
    ("top2", _texts("Top-2 box", "前两档占比")),
    ("both", _texts("Both", "两者")),
)
_BY, _ITEM = _texts("Segment", "细分变量"), _texts("Item", "题目")
_SHOWN = _texts("Shown as", "显示方式")
_SHOWN_AS: tuple[Option, ...] = (("gaps", _texts("Differences", "差异")), ("levels", _texts("Levels", "各组水平")))
_OUTCOME = _texts("Outcome", "结果指标")
_DECLARED = _texts("as the study declares", "按研究文件")
_NO_COLUMNS = _texts(
    "No segment is ticked; tick at least one under “Segments side by side”.",
    "未勾选细分变量；请在“表头（细分变量）”下至少勾选一个。",
)
_NOTHING = _texts("No item is ticked; tick at least one under “Items”.", "未勾选题目；请在“题目”下至少勾选一个。")
_WIDE = _texts(
    "The segments ticked have {count} groups together; up to {most} fit side by side: untick a segment, or choose groups in the filter.",
    "所选细分变量共有 {count} 个组别，最多并列 {most} 个：请取消部分细分变量，或在筛选中选取部分组别。",
)
_NO_BOXES = _texts(
    "None of the items ticked has a response scale with two best boxes; choose the mean, or declare scales in study.yml, for example:\nitems:\n  queue: {scale: [0, 10]}",
    "所选题目均没有可取前两档的量表；请改选均值，或在 study.yml 中声明量表，例如：\nitems:\n  queue: {scale: [0, 10]}",
)
