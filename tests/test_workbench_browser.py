"""The workbench in a real browser: what somebody sees and does, in a Voilà page and in JupyterLab, on the demo study."""

from __future__ import annotations

import io
import re
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from browser import SLOW, Server, Watched, app, chromium_pages, jupyterlab, run_in_lab

import cxlab as cx

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "data" / "healthcheck" / "study.yml"
TITLES = {
    "drivers": "Drivers",
    "segments": "Segments",
    "layers": "360",
    "loyalty": "Loyalty",
    "what_if": "What-if",
    "trend": "Trend",
}
CARD = ".cxlab-picture:visible"
FINAL, FINAL_ZH = "Final numbers", "最终结果"


@pytest.fixture(scope="module")
def study() -> cx.Study:
    return cx.open_study(DEMO)


@pytest.fixture(scope="module")
def pages(chromium: str) -> Iterator[Callable[..., Watched]]:
    with chromium_pages(chromium) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with app(DEMO) as started:
        yield started


@pytest.fixture(scope="module")
def shared(server: Server, pages: Callable[..., Watched]) -> Watched:
    """One page for the tests that put back what they change."""
    return opened(pages(server.address))


@pytest.fixture
def watched(shared: Watched) -> Watched:
    """The page as a visitor finds it: English, Drivers, nothing filtered."""
    shared.errors.clear()
    shared.abroad.clear()
    shared.page.get_by_role("button", name="English").click()
    turn_to(shared, "drivers")
    settled(shared)
    return shared


def opened(watched: Watched) -> Watched:
    watched.page.wait_for_selector(f"{CARD}[data-version]", timeout=SLOW)
    return watched


def turn_to(watched: Watched, key: str, lang: str = "en") -> None:
    """Open a tab by its title and wait for its picture."""
    from cxlab.workbench._explore import _tab

    watched.page.get_by_role("tab", name=_tab(key).title[lang], exact=True).click()
    watched.page.wait_for_selector(f"{CARD}[data-version]", timeout=SLOW)


def settled(watched: Watched, text: str = FINAL) -> None:
    """Wait until the replicates have taken over."""
    said = re.compile(f"{text}|in the clipboard")
    watched.page.locator(".cx-status:visible", has_text=said).wait_for(timeout=SLOW)


def changed(watched: Watched, act: Callable[[], object]) -> None:
    """Do something, and wait for another picture."""
    version = watched.page.locator(CARD).get_attribute("data-version")
    act()
    watched.page.wait_for_function(
        "v => [...document.querySelectorAll('.cxlab-picture')].some(c => c.offsetParent && c.dataset.version !== v)",
        arg=version, timeout=SLOW,
    )  # fmt: skip


def marks(watched: Watched) -> np.ndarray:
    """Numbers behind the marks on the screen: value, low, high of each, in the order of the rows."""
    found = watched.page.evaluate(
        "() => [...[...document.querySelectorAll('.cxlab-picture')].find(c => c.offsetParent).querySelectorAll('[data-value]')]"
        ".map(m => [m.dataset.value, m.dataset.low, m.dataset.high].map(Number))"
    )
    return np.array(found)


def shares(result: Any) -> np.ndarray:
    return result.table.sort_values("importance", ascending=False)[["share", "share_low", "share_high"]].to_numpy(float)


def words(watched: Watched) -> str:
    """Text that can be seen, without the code."""
    return str(
        watched.page.evaluate(
            """() => {
              const texts = document.createTreeWalker(document.querySelector(".cx-workbench"), NodeFilter.SHOW_TEXT), seen = [];
              while (texts.nextNode()) {
                const at = texts.currentNode.parentElement;
                if (at.checkVisibility() && !at.closest(".cx-code, style")) seen.push(texts.currentNode.data);
              }
              return seen.join("\\n");
            }"""
        )
    )


# ---------------------------------------------------------------------- numbers on the screen
def test_the_numbers_on_the_screen_are_the_librarys(watched: Watched, study: cx.Study) -> None:
    np.testing.assert_allclose(marks(watched), shares(cx.key_drivers(study.survey(), "satisfaction")), atol=1e-12)
    assert watched.faults == []


def test_outcome_segment_and_wave_change_the_numbers_to_the_librarys(watched: Watched, study: cx.Study) -> None:
    page = watched.page
    outcome, gold = page.locator(".cx-outcome select:visible"), page.locator(".cx-card input[type=checkbox]").nth(1)
    wave = page.locator(".cx-wave .noUi-handle-upper")
    changed(watched, lambda: outcome.select_option(label="Recommendation"))
    changed(watched, gold.click)
    changed(watched, lambda: wave.press("ArrowLeft"))
    live = marks(watched)[:, 0]
    settled(watched)
    waves = [w.label for w in study.waves][:-1]
    expected = shares(cx.key_drivers(study.survey().where(card=["ordinary", "diamond"], wave=waves), "recommend"))
    np.testing.assert_allclose(live, expected[:, 0], atol=1e-10)
    np.testing.assert_allclose(marks(watched), expected, atol=1e-12)
    assert "ordinary, diamond" in words(watched)
    changed(watched, lambda: wave.press("ArrowRight"))
    changed(watched, gold.click)
    changed(watched, lambda: outcome.select_option(label="Overall satisfaction"))
    assert watched.faults == []


# ---------------------------------------------------------------------- dragging
def test_a_drag_of_a_what_if_slider_ends_with_the_last_value(watched: Watched, study: cx.Study) -> None:
    turn_to(watched, "what_if")
    page = watched.page
    handle = page.locator(".cx-left:visible .widget-hslider .noUi-handle").first
    box = handle.bounding_box()
    assert box is not None
    before = int(page.locator(CARD).get_attribute("data-version") or 0)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    start = time.perf_counter()
    for k in range(1, 51):
        page.mouse.move(x + k, y)
        time.sleep(max(0.0, start + 0.01 * k - time.perf_counter()))
    lasted = time.perf_counter() - start
    page.mouse.up()
    settled(watched)
    after = int(page.locator(CARD).get_attribute("data-version") or 0)
    shown = float(page.locator(".cx-left:visible .widget-hslider .widget-readout").first.inner_text())
    assert shown > 0
    assert 1 <= after - before <= 3 + int(max(0.0, lasted - 0.5) / 0.3)
    driver = study.survey().roles.drivers["value"][0]
    expected = cx.what_if(study.survey(), "satisfaction", changes={driver: shown}).table
    numbers = expected[["estimate", "low", "high"]].iloc[0].to_numpy(float)
    assert np.isclose(marks(watched), numbers, atol=1e-9).all(axis=1).any()
    assert watched.faults == []


# ---------------------------------------------------------------------- taking away
def test_tables_and_pictures_are_downloaded(watched: Watched, study: cx.Study) -> None:
    page = watched.page
    files = {}
    for name in ("Table .csv", "Table .xlsx", "Picture .svg", "Picture .png"):
        with page.expect_download(timeout=SLOW) as download:
            page.locator(".cx-actions:visible").get_by_role("button", name=name).click()
        files[Path(download.value.suggested_filename).suffix] = Path(download.value.path()).read_bytes()
    expected = cx.key_drivers(study.survey(), "satisfaction").table
    table = pd.read_csv(io.BytesIO(files[".csv"]))
    assert table["driver"][0] == "Queueing"
    np.testing.assert_allclose(table["share"], expected["share"], rtol=1e-14)
    assert len(openpyxl.load_workbook(io.BytesIO(files[".xlsx"])).sheetnames) >= 2
    svg = files[".svg"].decode()
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "Queueing" in svg
    assert re.findall(r"(?:href|src)=[\"']http", svg) == []
    assert files[".png"].startswith(b"\x89PNG")
    assert watched.faults == []


def test_the_copied_code_makes_the_same_table(watched: Watched, study: cx.Study) -> None:
    page = watched.page
    page.locator(".cx-actions:visible").get_by_role("button", name="Copy as code").click()
    page.locator(".cx-status:visible", has_text="clipboard").wait_for(timeout=SLOW)
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.strip() == page.locator(".cx-code:visible pre").inner_text().strip()
    found: dict[str, Any] = {}
    exec(code, found)
    np.testing.assert_allclose(shares(found["result"]), marks(watched), atol=1e-12)


# ---------------------------------------------------------------------- language, errors, keyboard
def test_the_language_switch_leaves_no_english(watched: Watched) -> None:
    page = watched.page
    changed(watched, lambda: page.get_by_role("button", name="中文").click())
    settled(watched, FINAL_ZH)
    for key in TITLES:
        turn_to(watched, key, "zh")
        page.wait_for_timeout(300)
        text = words(watched)
        latin = set(re.findall(r"[A-Za-z][A-Za-z-]{2,}", text)) - {
            "English", "csv", "xlsx", "svg", "png", "Shapley", "LMG", "Johnson", "NPS", "PLS", "PLSc", "CAR", "Pratt", "Owen",
            "Holm", "study", "yml", "Welch", "HTMT", "MICOM", "CSAT", "CES",
        }  # fmt: skip
        assert latin == set(), key
    turn_to(watched, "drivers", "zh")
    changed(watched, lambda: page.get_by_role("button", name="English").click())
    assert watched.faults == []


def test_an_error_is_a_sentence_and_the_page_lives_on(watched: Watched) -> None:
    page = watched.page
    boxes = page.locator(".cx-payer input[type=checkbox]")
    for k in range(2):
        changed(watched, boxes.nth(k).click)
    assert page.locator(CARD).get_attribute("data-kind") == "message"
    shown = page.locator(CARD).inner_text()
    assert "no value of payer is chosen, which leaves nobody; tick at least one." in shown
    assert "Traceback" not in page.content()
    for k in range(2):
        changed(watched, boxes.nth(k).click)
    assert page.locator(CARD).get_attribute("data-kind") == "intervals"
    assert watched.faults == []


def test_everything_is_reached_by_keyboard_and_has_a_name(watched: Watched) -> None:
    page = watched.page
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.cx-workbench input, .cx-workbench select, .cx-workbench button, .cx-workbench [role=slider]')]
          .filter(e => e.offsetParent !== null)
          .filter(e => !(e.labels && [...e.labels].some(l => l.textContent.trim())) && !e.textContent.trim()
                       && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.title)
          .map(e => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
    page.locator(".cx-outcome select:visible").focus()
    changed(watched, lambda: page.keyboard.press("ArrowDown"))
    changed(watched, lambda: page.keyboard.press("ArrowUp"))
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.tagName + (document.activeElement.getAttribute('role') || '')"))
    assert {"SELECT", "INPUT", "BUTTON"} <= seen
    tab = page.get_by_role("tab", name=_title("drivers"), exact=True)
    tab.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelectorAll('[role=tab]')[1].getAttribute('aria-selected') === 'true'", timeout=SLOW
    )
    turn_to(watched, "drivers")


def _title(key: str) -> str:
    from cxlab.workbench._explore import _tab

    return _tab(key).title["en"]


# ---------------------------------------------------------------------- every tab, two widths
@pytest.mark.parametrize("key", list(TITLES))
def test_every_tab_opens_and_settles_without_faults(watched: Watched, key: str) -> None:
    page = watched.page
    turn_to(watched, key)
    settled(watched)
    assert page.locator(CARD).get_attribute("data-kind") != "message"
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1440, "height": 900})
    assert watched.faults == []


# ---------------------------------------------------------------------- JupyterLab
def test_the_notebook_explores_in_jupyterlab(pages: Callable[..., Watched], tmp_path: Path, study: cx.Study) -> None:
    for folder in ("data/healthcheck", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(DEMO.parent, tmp_path / "data" / "healthcheck", dirs_exist_ok=True)
    shutil.copy(ROOT / "notebooks" / "09_explore.ipynb", tmp_path / "notebooks")
    with jupyterlab(tmp_path) as lab:
        watched = opened(run_in_lab(pages, lab, "notebooks/09_explore.ipynb"))
        settled(watched)
        np.testing.assert_allclose(marks(watched), shares(cx.key_drivers(study.survey(), "satisfaction")), atol=1e-12)
        gold = watched.page.locator(".cx-card input[type=checkbox]").first
        changed(watched, gold.click)
        settled(watched)
        expected = cx.key_drivers(study.survey().where(card=["gold", "diamond"]), "satisfaction")
        np.testing.assert_allclose(marks(watched), shares(expected), atol=1e-12)
        assert watched.abroad == []
        assert [e for e in watched.errors if "cxlab" in e or "widget" in e.lower()] == []
        watched.page.context.close()
