"""The app without a browser: pace, controls, filters, panels, what happens when something goes wrong, exports."""

from __future__ import annotations

import asyncio
import gc
import io
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import DataWarning, SurveyError
from cxlab.workbench._app import Workbench
from cxlab.workbench._controls import Board
from cxlab.workbench._export import csv_bytes, xlsx_bytes
from cxlab.workbench._pace import Pace
from cxlab.workbench._quiet import QUIET
from cxlab.workbench._tab import (
    Asked,
    Control,
    Number,
    Pick,
    Press,
    Several,
    Slide,
    Span,
    Switch,
    Tab,
    View,
    message,
    ticks,
)
from cxlab.workbench._worker import Worker
from cxlab.workbench._workspace import Workspace


def shop(rows: int = 240, **more: Any) -> cx.Survey:
    """Three waves, two cards, twelve shops, a weight; an outcome and two drivers."""
    rng = np.random.default_rng(5)
    df = pd.DataFrame(rng.integers(0, 11, (rows, 2)).astype(float), columns=["queue", "staff"])
    df["overall"] = (0.6 * df["queue"] + 0.2 * df["staff"] + rng.normal(size=rows)).round()
    df["wave"] = np.resize(["2025-01", "2025-02", "2025-03"], rows)
    df["card"], df["shop"] = np.resize([1.0, 2.0], rows), np.resize(np.arange(1.0, 13), rows)
    df["weight"] = np.resize([0.5, 1.5, 1.0, 2.0, 1.0], rows)
    for name, values in more.items():
        df[name] = values
    survey = worded(cx.Survey.from_frame(df, weight="weight"), "card", {1.0: ("plain", "普卡"), 2.0: ("gold", "金卡")})
    roles = {
        "wave": "wave",
        "segments": ("card", "shop", *more),
        "outcomes": {"overall": ("overall",)},
        "drivers": {"": ("queue", "staff")},
    }
    return with_roles(survey, **roles)


def worded(survey: cx.Survey, item: str, values: dict[float, tuple[str, str]]) -> cx.Survey:
    """Value labels in English and Chinese."""
    labels = {code: {"en": en, "zh": zh} for code, (en, zh) in values.items()}
    items = {**survey.codebook.items, item: replace(survey.codebook[item], values=labels)}
    return replace(survey, codebook=replace(survey.codebook, items=items))


def with_roles(survey: cx.Survey, **roles: Any) -> cx.Survey:
    return replace(survey, roles=replace(survey.roles, **roles))


class Means(Tab):
    """The mean of an item: live without a result, settled by the library."""

    key = "means"
    title = {"en": "Means", "zh": "均值"}  # noqa: RUF012  # a subclass's constant, as every tab has it

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.lives: list[Asked] = []
        self.settles: list[Asked] = []
        self.fail: Callable[[Asked], None] = lambda _: None
        self.gate: threading.Event | None = None
        self.only_settled = False

    def controls(self) -> list[Control]:
        items = self.workspace.options(["overall", "queue", "staff"])
        return [
            Pick(name="item", label={"en": "Item", "zh": "题目"}, options=items, default="overall"),
            Several(name="more", label={"en": "Beside it", "zh": "并列"}, options=items, default=()),
            Slide(name="shift", label={"en": "Shift", "zh": "变化"}, low=-2, high=2, step=0.5, default=0.0),
            Number(name="cost", label={"en": "Cost", "zh": "成本"}),
            Switch(name="plain", label={"en": "Plain", "zh": "简洁"}, default=False),
            Press(name="go", label={"en": "Go", "zh": "开始"}),
        ]

    def live(self, asked: Asked) -> View | None:
        self.lives.append(asked)
        self.fail(asked)
        if self.only_settled:
            return None
        mean = self.workspace.cube.covariances(asked.filter, [asked["item"]]).mean[0]
        return View({"kind": "message", "text": f"{mean:.6f}"}, "", None)

    def settled(self, asked: Asked) -> View:
        self.settles.append(asked)
        self.fail(asked)
        if self.gate is not None:
            self.gate.wait(10)
        found = cx.means(self.workspace.inside(asked.filter), asked["item"])
        code = self.workspace.code(asked.filter, f"result = cx.means(survey, {asked['item']!r})")
        return View({"kind": "message", "text": f"{found.table['estimate'][0]:.6f}"}, code, found, ("A sentence <b>.",))


def bench(survey: cx.Survey | None = None, lang: str = "en") -> tuple[Workbench, Means]:
    """A workbench with the one tab."""
    made = Workbench(Workspace(survey or shop()), [Means], lang)
    tab = made.panel.tab
    assert isinstance(tab, Means)
    return made, tab


def text(made: Workbench) -> str:
    """The sentence on the screen."""
    return str(made.panel.picture.spec["text"])


# ---------------------------------------------------------------------- pace
def test_a_drag_of_fifty_changes_is_answered_at_most_thrice_and_ends_with_the_last() -> None:
    state = {"now": 0}
    seen: list[int] = []
    settled: list[int] = []

    async def drag() -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(lambda: seen.append(state["now"]), lambda: settled.append(state["now"]))

        def move(to: int) -> None:
            state["now"] = to
            pace.touch(continuous=True)

        start = loop.time()
        for k in range(1, 51):
            loop.call_at(start + 0.01 * k, move, k)
        await asyncio.sleep(2.0)

    asyncio.run(drag())
    assert len(seen) <= 3
    assert seen[-1] == 50
    assert settled == [50]


def test_single_changes_are_answered_at_once_and_those_that_queue_up_together() -> None:
    state = {"now": 0}

    async def change() -> list[int]:
        seen: list[int] = []
        pace = Pace(lambda: seen.append(state["now"]), lambda: None)
        for k in (1, 2, 3):
            state["now"] = k
            pace.touch()  # nothing runs in between: one answer
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for k in (4, 5):
            state["now"] = k
            pace.touch()
            await asyncio.sleep(0.005)
        return seen

    assert asyncio.run(change()) == [3, 4, 5]


def test_a_single_change_does_not_wait_for_a_drag() -> None:
    async def change() -> list[float]:
        loop, seen = asyncio.get_running_loop(), []
        pace = Pace(lambda: seen.append(loop.time()), lambda: None)
        pace.touch(continuous=True)
        await asyncio.sleep(0.01)
        pace.touch(continuous=True)  # waits for the gap
        start = loop.time()
        pace.touch()
        await asyncio.sleep(0.05)
        return [seen[-1] - start]

    assert asyncio.run(change())[0] < 0.05


# ---------------------------------------------------------------------- live, settled
def test_without_a_loop_a_change_is_answered_and_settled_at_once() -> None:
    made, tab = bench()
    made.panel.board.choose(item="queue")
    survey = tab.workspace.survey
    assert text(made) == f"{cx.means(survey, 'queue').table['estimate'][0]:.6f}"
    assert made.panel.view is not None
    assert made.panel.view.result is not None
    assert "&lt;b&gt;" in made.panel._lines.value
    assert "Final numbers" in made.panel._status.value


def test_the_settled_answer_replaces_the_live_one_when_the_hand_rests() -> None:
    async def watch() -> tuple[bool, bool, int]:
        made, tab = bench()
        made.panel.board.choose(item="queue")
        await asyncio.sleep(0.05)
        assert made.panel.view is not None
        live = made.panel.view.result is None
        await asyncio.sleep(1.2)
        return live, made.panel.view.result is not None, len(tab.settles)

    assert asyncio.run(watch()) == (True, True, 1)


def test_a_settled_answer_that_comes_too_late_is_thrown_away() -> None:
    async def watch() -> tuple[str, str]:
        made, tab = bench()
        await asyncio.sleep(0)
        tab.gate = threading.Event()
        await asyncio.sleep(0.8)  # the first settled answer is being computed
        assert len(tab.settles) == 1
        made.panel.board.choose(item="staff")
        await asyncio.sleep(0.05)
        shown = text(made)
        gate, tab.gate = tab.gate, None
        gate.set()
        await asyncio.sleep(0.1)
        late = text(made)
        return shown, late

    shown, late = asyncio.run(watch())
    expected = f"{cx.means(shop(), 'staff').table['estimate'][0]:.6f}"
    assert shown == late == expected


def test_a_view_without_live_answer_says_that_it_computes() -> None:
    async def watch() -> tuple[str, tuple[str, ...], str, tuple[str, ...]]:
        made, tab = bench()
        tab.only_settled, tab.gate = True, threading.Event()
        made.panel.refresh()
        await asyncio.sleep(0.05)
        before = made.panel._status.value, tuple(made.panel.picture._dom_classes)
        tab.gate.set()
        await asyncio.sleep(0.3)
        return *before, made.panel._status.value, tuple(made.panel.picture._dom_classes)

    status, classes, later, cleared = asyncio.run(watch())
    assert "Computing with all replicates" in status
    assert "cx-busy" in classes
    assert "Final numbers" in later
    assert "cx-busy" not in cleared


# ---------------------------------------------------------------------- errors
def test_errors_are_sentences_in_the_language_and_the_next_choice_works(capsys: pytest.CaptureFixture[str]) -> None:
    made, tab = bench()

    def fail(asked: Asked) -> None:
        if asked["item"] == "queue":
            raise SurveyError("queue is closed.")
        if asked["item"] == "staff":
            raise ZeroDivisionError("by zero")

    tab.fail = fail
    made.panel.board.choose(item="queue")
    assert text(made) == "This cannot be shown: queue is closed."
    assert made.panel.picture.spec["tone"] == "error"
    assert made.panel.code == ""
    made.speak("zh")
    assert text(made) == "无法显示：queue is closed."
    made.panel.board.choose(item="staff")
    assert text(made) == "无法显示：发生了意外错误（ZeroDivisionError：by zero）。请更换选项，其他功能不受影响。"
    made.panel.board.choose(item="overall")
    assert float(text(made)) > 0
    caught = capsys.readouterr()
    assert caught.out + caught.err == ""


def test_an_error_of_the_settled_answer_is_a_sentence_too() -> None:
    async def watch() -> str:
        made, tab = bench()
        tab.fail = lambda asked: None
        await asyncio.sleep(0.01)

        def fail(asked: Asked) -> None:
            raise SurveyError("too few.")

        tab.live = lambda asked: message("live")  # type: ignore[method-assign]
        tab.live = lambda asked: View({"kind": "intervals", "rows": [], "axis": {}})  # type: ignore[method-assign]
        tab.fail = fail
        made.panel.refresh()
        await asyncio.sleep(1.0)
        return text(made)

    assert asyncio.run(watch()) == "This cannot be shown: too few."


def test_what_a_study_lacks_is_said_instead_of_controls() -> None:
    class Lacking(Means):
        def lacking(self) -> dict[str, str]:
            return {"en": "No journey.", "zh": "没有旅程。"}

    made = Workbench(Workspace(shop()), [Lacking], "zh")
    assert text(made) == "没有旅程。"
    assert made.panel.board.handles == {}
    made.filters.choose(card=(1.0,))
    made.speak("en")
    assert text(made) == "No journey."


def test_wrong_sources_and_tabs_are_named() -> None:
    with pytest.raises(SurveyError) as caught:
        Workspace(pd.DataFrame())  # type: ignore[arg-type]
    assert str(caught.value) == (
        "study is a DataFrame; pass a study (cx.open_study), or a survey (study.survey(), cx.Survey.from_frame)."
    )
    with pytest.raises(SurveyError) as caught:
        cx.explore(shop(), tabs=["driver"])
    assert str(caught.value) == (
        "tabs is 'driver'; allowed: 'drivers', 'segments', 'layers', 'loyalty', 'what_if', 'trend' (did you mean 'drivers'?)."
    )
    made, _ = bench()
    with pytest.raises(SurveyError) as caught:
        made.turn_to("mean")
    assert str(caught.value) == "key is 'mean'; allowed: 'means'."


# ---------------------------------------------------------------------- filters
def test_filters_cut_by_waves_and_segments_and_say_so() -> None:
    made, tab = bench()
    made.filters.choose(wave=("2025-02", "2025-03"), card=(2.0,), shop=2.0)
    assert made.filter() == {"wave": ["2025-02", "2025-03"], "card": [2.0], "shop": [2.0]}
    direct = cx.means(tab.workspace.survey.where(wave=["2025-02", "2025-03"], card=2.0, shop=2.0), "overall")
    assert text(made) == f"{direct.table['estimate'][0]:.6f}"
    assert "gold" in made._said.value
    made.speak("zh")
    assert "金卡" in made._said.value
    assert made.filter() == {"wave": ["2025-02", "2025-03"], "card": [2.0], "shop": [2.0]}


def test_the_code_gives_the_same_table() -> None:
    made, tab = bench()
    made.filters.choose(wave=("2025-02", "2025-03"), card=(2.0,))
    assert made.panel.view is not None
    assert made.panel.view.result is not None
    code = made.panel.code
    assert code == made.panel.view.code
    found: dict[str, Any] = {"survey": tab.workspace.survey}
    exec(code, found)
    pd.testing.assert_frame_equal(found["result"].table, made.panel.view.result.table, check_exact=True)


def test_a_filter_that_leaves_nobody_is_a_sentence() -> None:
    made, tab = bench()
    before = len(tab.settles)
    made.filters.choose(card=())
    assert text(made) == ("This cannot be shown: no value of card is chosen, which leaves nobody; tick at least one.")
    assert len(tab.settles) == before
    made.speak("zh")
    assert text(made) == "无法显示：“card”未选择任何取值，没有受访者可供分析；请至少勾选一项。"


def test_four_hundred_values_are_no_filter_but_a_sentence() -> None:
    made, _ = bench(shop(800, branch=np.resize(np.arange(400.0), 800)))
    assert list(made.filters.handles) == ["wave", "card", "shop"]
    assert made._aside.value == (
        "<p>branch has 400 values; filters take up to 60. Band it in study.yml (recoded:).</p>"
    )


def test_a_hidden_tab_is_answered_when_it_is_opened() -> None:
    class Other(Means):
        key = "other"

    made = Workbench(Workspace(shop()), [Means, Other])
    other = made.panels["other"].tab
    assert isinstance(other, Means)
    assert other.lives == []
    made.filters.choose(card=(1.0,))
    assert other.lives == []
    made.turn_to("other")
    assert [a.filter for a in other.lives] == [{"card": [1.0]}]
    made.turn_to("means")
    made.turn_to("other")
    assert len(other.lives) == 1


# ---------------------------------------------------------------------- controls
def test_every_control_has_a_label_in_both_languages_and_keeps_its_choice() -> None:
    made, _ = bench()
    board = made.panel.board
    board.choose(item="staff", more=("queue", "overall"), shift=1.5, cost=2.5, plain=True)
    before = board.choice()
    assert before == {"item": "staff", "more": ("overall", "queue"), "shift": 1.5, "cost": 2.5, "plain": True, "go": 0}
    lives = len(made.panel.tab.lives)  # type: ignore[attr-defined]
    board.speak("zh")
    assert board.choice() == before
    assert len(made.panel.tab.lives) == lives  # type: ignore[attr-defined]
    assert board.handles["item"].box.description == "题目"
    assert board.handles["shift"].box.description == "变化"
    assert board.handles["more"]._title.value == "并列"  # type: ignore[attr-defined]
    made.speak("en")
    assert made.filters.handles["wave"].box.description == "wave: 2025-01 – 2025-03"


def test_a_press_counts_until_something_else_changes() -> None:
    made, tab = bench()
    made.panel.board.handles["go"].box.click()
    assert tab.lives[-1]["go"] == 1
    made.panel.board.choose(shift=1.0)
    assert tab.lives[-1]["go"] == 0


def test_text_in_a_number_field_is_a_sentence() -> None:
    made, _ = bench()
    made.panel.board.handles["cost"].box.value = "ten"
    assert text(made) == (
        "This cannot be shown: Cost: “ten” is no number that can be used here; write digits, such as 120, or leave it empty."
    )
    made.panel.board.handles["cost"].box.value = "1,200"
    assert made.panel.board.choice()["cost"] == 1200
    for written, number in {
        "１，２００": 1200,
        "１２．５": 12.5,
        "￥3万": 3e4,
        "1.5亿元": 1.5e8,
        "$ 40": 40,
        "2e3": 2000,
    }.items():
        made.panel.board.handles["cost"].box.value = written
        assert made.panel.board.choice()["cost"] == number
    for wrong in ("1,5", "三百", "1_000", ".", "1,20,0", "万", "nan"):
        made.panel.board.handles["cost"].box.value = wrong
        assert f"“{wrong}”" in text(made)
    made.panel.board.choose(cost=1234567.5)
    assert made.panel.board.choice()["cost"] == 1234567.5
    made.panel.board.handles["cost"].box.value = "-1"
    assert "“-1”" in text(made)


def test_values_that_are_no_option_are_refused() -> None:
    board = Board([Pick(name="item", label={"en": "Item", "zh": "题目"}, options=(("a", {"en": "A", "zh": "甲"}),), default="a")], "en", lambda *_: None)  # fmt: skip
    with pytest.raises(SurveyError) as caught:
        board.choose(item="b")
    assert str(caught.value) == "item is 'b'; allowed: 'a'."
    with pytest.raises(SurveyError) as caught:
        board.choose(items="a")
    assert str(caught.value) == "'items' is no control; there are: item."


def test_a_span_in_either_order_is_the_same() -> None:
    options = tuple((k, {"en": str(k), "zh": str(k)}) for k in (3, 4, 5))
    board = Board([Span(name="s", label={"en": "S", "zh": "跨度"}, options=options)], "en", lambda *_: None)
    board.choose(s=(5, 4))
    assert board.choice() == {"s": (4, 5)}


# ---------------------------------------------------------------------- what people take away
def test_a_table_that_is_asked_for_early_is_the_settled_one() -> None:
    async def take() -> tuple[list[tuple[str, bytes, str]], int]:
        made, tab = bench()
        offered: list[tuple[str, bytes, str]] = []
        made.panel.picture.offer = lambda *given: offered.append(given)  # type: ignore[method-assign]
        made.panel.take("csv")
        made.panel.take("xlsx")
        assert offered == []
        await asyncio.sleep(0.5)
        return offered, len(tab.settles)

    offered, settled = asyncio.run(take())
    assert settled == 1
    assert [o[0] for o in offered] == ["survey_means.csv", "survey_means.xlsx"]
    table = pd.read_csv(io.BytesIO(offered[0][1]))
    assert table["estimate"][0] == cx.means(shop(), "overall").table["estimate"][0]
    book = openpyxl.load_workbook(io.BytesIO(offered[1][1]))
    assert len(book.sheetnames) >= 2


def test_a_table_asked_for_is_handed_over_although_the_choice_changes_meanwhile() -> None:
    async def take() -> tuple[list[tuple[str, bytes, str]], str]:
        made, tab = bench()
        offered: list[tuple[str, bytes, str]] = []
        made.panel.picture.offer = lambda *given: offered.append(given)  # type: ignore[method-assign]
        tab.gate = threading.Event()
        made.panel.take("csv")
        made.panel.board.choose(item="staff")
        await asyncio.sleep(0.05)
        shown = text(made)
        gate, tab.gate = tab.gate, None
        gate.set()
        await asyncio.sleep(0.3)
        return offered, shown

    offered, shown = asyncio.run(take())
    assert shown == f"{cx.means(shop(), 'staff').table['estimate'][0]:.6f}"
    table = pd.read_csv(io.BytesIO(offered[0][1]))
    assert table["estimate"].tolist() == [cx.means(shop(), "overall").table["estimate"][0]]


def test_a_table_asked_for_while_a_drag_is_unanswered_is_that_of_the_last_place() -> None:
    async def take() -> list[Asked]:
        made, tab = bench()
        made.panel.picture.offer = lambda *given: None  # type: ignore[method-assign]
        await asyncio.sleep(0.01)
        for place in (0.5, 1.0, 1.5):
            made.panel.board.choose(shift=place)
        made.panel.take("csv")
        await asyncio.sleep(0.3)
        return tab.settles

    assert [asked["shift"] for asked in asyncio.run(take())] == [1.5]


def test_a_picture_is_saved_as_settled_or_not_at_all() -> None:
    async def take() -> tuple[list[tuple[str, str]], str, bool]:
        made, tab = bench()
        saved: list[tuple[str, str]] = []
        made.panel.picture.save = lambda *given: saved.append(given)  # type: ignore[method-assign]
        made.panel.take("svg")
        before = list(saved)
        await asyncio.sleep(0.3)
        settled = made.panel.view is not None and made.panel.view.result is not None
        tab.gate = threading.Event()
        made.panel.refresh()
        await asyncio.sleep(0.01)
        made.panel.take("png")
        made.panel.board.choose(item="staff")
        await asyncio.sleep(0.05)
        tab.gate.set()
        await asyncio.sleep(0.1)
        said = made.panel._status.value
        return [*before, *saved], said, settled

    saved, said, settled = asyncio.run(take())
    assert saved == [("svg", "survey_means.svg")]
    assert settled
    assert "The picture was not saved: the choice has changed meanwhile; press once more." in said


def test_a_download_that_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr("cxlab.workbench._panel.xlsx_bytes", fail)
    made, _ = bench()
    made.panel.take("xlsx")
    assert (
        "something unforeseen happened (OSError: no space left). Choose something else; everything else still works."
        in made.panel._status.value
    )


def test_exports_mask_small_bases_and_disarm_formulas() -> None:
    rows = 200
    card = np.where(np.arange(rows) < 12, 1.0, 2.0)
    df = pd.DataFrame({"q": np.resize(np.arange(11.0), rows), "card": card})
    survey = worded(cx.Survey.from_frame(df), "card", {1.0: ("=1+1", "=1+1"), 2.0: ("金卡", "金卡")})
    found = cx.means(survey, "q", by="card")
    raw = csv_bytes(found, "zh")
    assert raw.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(io.BytesIO(raw)).set_index("segment")
    assert list(table.index) == ["'=1+1", "金卡"]
    assert np.isnan(table.loc["'=1+1", "estimate"])
    assert table.loc["'=1+1", "base"] == 12
    assert table.loc["金卡", "estimate"] == found.table["estimate"][1]
    before = cx.words.language()
    assert xlsx_bytes(found, "zh")[:2] == b"PK"
    assert cx.words.language() == before


def test_the_code_is_copied_as_it_stands() -> None:
    made, _ = bench()
    copied: list[str] = []
    made.panel.picture.copy = copied.append  # type: ignore[method-assign]
    made.panel.take("code")
    assert copied == [made.panel.code]
    assert "import cxlab as cx" in copied[0]


def test_the_focus_is_seen_and_what_happens_is_announced() -> None:
    made, _ = bench()
    assert made.panel._status.value == "Final numbers, as the code below gives them."
    assert "outline: 2px solid #0072B2 !important" in made.panel.picture._css
    assert 'setAttribute("aria-live", "polite")' in made.panel._status._esm


# ---------------------------------------------------------------------- threads and memory
def test_a_thrown_away_worker_ends_its_thread_and_holds_nothing() -> None:
    class Large:
        pass

    worker, large = Worker(), Large()
    gone = weakref.ref(large)
    assert worker.submit(lambda held=large: type(held)).result(5) is Large
    thread = worker._thread
    del large
    gc.collect()
    assert gone() is None
    assert thread is not None
    assert thread.daemon
    del worker
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_a_closed_worker_cancels_and_a_failing_call_does_not_end_it() -> None:
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda: 1 // 0).result(5)
    assert worker.submit(lambda: 3).result(5) == 3
    worker.close()
    assert worker.submit(lambda: 4).cancelled()


def test_a_kernel_that_ends_does_not_wait_for_a_settled_answer() -> None:
    code = (
        "import time\nfrom cxlab.workbench._worker import Worker\n"
        "worker = Worker()\nworker.submit(lambda: time.sleep(60))\ntime.sleep(.2)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40, check=True)
    assert done.stdout + done.stderr == ""


def test_a_closed_workbench_is_collected_with_its_cube_and_its_thread() -> None:
    made, tab = bench()
    made.filters.choose(card=(1.0,))
    kept = [weakref.ref(x) for x in (made, tab, made.workspace, made.panel, made.workspace.cube)]
    made.close()
    del made, tab
    gc.collect()
    assert [ref() for ref in kept] == [None] * 5


def test_a_cell_that_runs_again_shares_the_cube() -> None:
    survey = shop()
    first, second = cx.explore(survey, tabs=["drivers"]), cx.explore_drivers(survey)
    assert first.workspace is second.workspace
    assert cx.explore(shop(), tabs="drivers").workspace is not first.workspace
    first.filters.choose(card=(1.0,))
    assert second.filter() == {}


def test_what_a_tab_cannot_say_does_not_keep_the_others_from_opening(caplog: pytest.LogCaptureFixture) -> None:
    class Unmade(Means):
        key = "unmade"

        def __init__(self, workspace: Workspace) -> None:
            raise KeyError("x")

    class Undeclared(Means):
        key = "undeclared"

        def controls(self) -> list[Control]:
            raise SurveyError("no controls.")

    made = Workbench(Workspace(shop()), [Unmade, Undeclared, Means])
    assert text(made) == (
        "This cannot be shown: something unforeseen happened (KeyError: 'x'). Choose something else; everything else still works."
    )
    made.turn_to("undeclared")
    assert text(made) == "This cannot be shown: no controls."
    made.turn_to("means")
    assert float(text(made)) > 0


def test_a_spec_that_cannot_be_drawn_is_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    made, tab = bench()
    tab.settled = lambda asked: View({"kind": "maps"})  # type: ignore[method-assign]
    made.panel.refresh()
    assert text(made) == (
        "This cannot be shown: spec has kind 'maps'; allowed are intervals, panels, map, curve, grid, paths, message (did you mean 'map'?)."
    )


def test_what_stood_in_the_way_of_the_cube_is_said_without_a_new_try(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, tries = Workspace(shop()), []

    def fail(*_: object) -> None:
        tries.append(1)
        raise MemoryError("too large")

    monkeypatch.setattr(type(workspace.plan), "build", fail)
    for _ in range(3):
        with pytest.raises(MemoryError):
            workspace.build()
    assert tries == [1]


# ---------------------------------------------------------------------- the rest
def test_warnings_are_silent_within_and_as_before_after_threads_that_interleave() -> None:
    before = list(warnings.filters)
    first, second = threading.Event(), threading.Event()

    def work() -> None:
        with QUIET:
            first.set()
            second.wait(5)

    thread = threading.Thread(target=work)
    thread.start()
    first.wait(5)
    with QUIET:
        second.set()
        thread.join()
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn("unusual", DataWarning, stacklevel=1)
        assert caught == []
    assert list(warnings.filters) == before


def test_a_large_survey_shows_a_bar_while_its_cube_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxlab.workbench._app._AT_ONCE", 10)

    async def watch() -> tuple[str, bool, str]:
        made = Workbench(Workspace(shop()), [Means])
        first, bar = made.children[0].value, made.children[1] is made._progress
        for _ in range(100):
            await asyncio.sleep(0.02)
            if made.panels:
                break
        return first, bar, text(made)

    first, bar, shown = asyncio.run(watch())
    assert first == "<p>Preparing 240 respondents for exploration …</p>"
    assert bar
    assert float(shown) > 0


def test_a_survey_with_nothing_declared_says_so() -> None:
    with pytest.raises(SurveyError) as caught:
        Workspace(cx.Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 3]}))).cube  # noqa: B018
    assert str(caught.value) == "the survey declares no outcomes, drivers or layers; declare them in study.yml."


@pytest.mark.parametrize(("low", "high", "spec", "texts"), [
    (0, 1, ".0%", ["0%", "20%", "40%", "60%", "80%", "100%"]),
    (-0.4, 0.4, "+.1f", ["−0.4", "−0.2", "0.0", "+0.2", "+0.4"]),
    (3, 3, ".1f", ["3.0"]),
])  # fmt: skip
def test_ticks_are_round(low: float, high: float, spec: str, texts: list[str]) -> None:
    assert [t["text"] for t in ticks(low, high, spec)] == texts


def test_controls_are_shown_while_they_matter_and_keep_their_choice() -> None:
    shows = Pick(name="show", label={"en": "Show", "zh": "显示"}, options=(("a", {"en": "A", "zh": "甲"}), ("b", {"en": "B", "zh": "乙"})), default="a")  # fmt: skip
    only = Switch(name="only", label={"en": "Only", "zh": "仅"}, default=True, group={"en": "Of B", "zh": "乙项"}, when={"show": ("b",)})  # fmt: skip
    board = Board([shows, only], "en", lambda *_: None)
    heading = board.box.children[1]
    assert [board.handles["only"].box.layout.display, heading.layout.display] == ["none", "none"]
    board.choose(show="b")
    assert [board.handles["only"].box.layout.display, heading.layout.display] == [None, None]
    board.choose(only=False, show="a")
    assert board.choice() == {"show": "a", "only": False}
    assert board.handles["only"].box.layout.display == "none"


def test_a_slider_has_zero_among_its_steps() -> None:
    board = Board([Slide(name="s", label={"en": "S", "zh": "滑块"}, low=-7.43, high=2.57, step=0.5, default=0.0)], "en", lambda *_: None)  # fmt: skip
    box = board.handles["s"].box
    assert (box.min, box.max, box.value) == (-7.0, 2.5, 0.0)
