"""The workbench in a real browser: from a change of a control to the repainted picture with intervals, in milliseconds.

Chromium drives ``cxlab app``: real input events, the clock runs in the page from the event to the frame after the picture
has changed. The kernel's share is what the computation of the view took. Beside it the time to first render.
python benchmarks/workbench_browser.py [demo | 1,000,000]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
DEMO = Path(__file__).parents[1] / "data" / "healthcheck" / "study.yml"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURE = ".cxlab-picture:visible"
CHANGES, PAUSE = 120, 350  # changes of each kind of run; pause between two in ms: a hand that does not rest
HEATED = 30  # seconds after which the kernel of the next page is ready
RESTS = 1200  # pause after which the replicates are being computed when the next change comes

CLOCK = """
() => {
  const state = { start: null, took: null, kernel: null };
  const begin = () => { if (state.armed && state.start === null) state.start = performance.now(); };
  for (const kind of ["input", "change", "keydown", "click"]) document.addEventListener(kind, begin, true);
  state.arm = () => {
    const card = [...document.querySelectorAll(".cxlab-picture")].find((c) => c.offsetParent !== null);
    const before = card.dataset.version;
    state.start = state.took = null; state.armed = true;
    state.watch?.disconnect();
    state.watch = new MutationObserver(() => {
      if (card.dataset.version === before || state.took !== null || state.start === null) return;
      setTimeout(() => { state.took = performance.now() - state.start; state.kernel = Number(card.dataset.took); state.armed = false; });
    });
    state.watch.observe(card, { attributes: true, attributeFilter: ["data-version"] });
  };
  window.cxClock = state;
}
"""


def million(folder: Path) -> Path:
    """A study of 1,000,000 respondents: 12 drivers, 24 waves, three segments, weights, strata and customers who come again."""
    import numpy as np
    import pandas as pd

    rows, rng = 1_000_000, np.random.default_rng(0)
    common = rng.normal(size=rows)
    names = [f"q{j}" for j in range(1, 13)]
    df = pd.DataFrame({n: np.clip(np.round(6 + 1.2 * common + 1.5 * rng.normal(size=rows)), 0, 10) for n in names})
    slopes = np.linspace(0.3, 0.02, 12)
    df["satisfaction"] = np.clip(np.round(df[names].to_numpy() @ slopes - 6 + rng.normal(size=rows) * 1.2), 0, 10)
    df["recommend"] = np.clip(np.round(df["satisfaction"] + rng.normal(size=rows)), 0, 10)
    for n in names:
        df.loc[rng.random(rows) < 0.02, n] = np.nan
    df["wave"] = pd.period_range("2024-01", periods=24, freq="M").astype(str).to_numpy()[rng.integers(0, 24, rows)]
    df["card"] = rng.choice(3, rows, p=[0.5, 0.3, 0.2]) + 1
    df["gender"], df["payer"] = rng.integers(1, 3, rows), rng.integers(1, 3, rows)
    df["weight"] = np.array([1.4, 0.73, 0.4])[df["card"] - 1] * rng.uniform(0.8, 1.2, rows)
    df["customer"] = 3 * rng.integers(0, rows // 4, rows) + df["card"] - 1
    df.to_parquet(folder / "answers.parquet")
    (folder / "study.yml").write_text(
        "study: million\ntitle: {en: A million, zh: 百万}\ndata: answers.parquet\nwave: {column: wave, period: month}\n"
        "design: {weight: weight, stratum: card, psu: customer}\noutcomes: {satisfaction: satisfaction, recommend: recommend}\n"
        f"drivers: {{value: [{', '.join(names)}]}}\nsegments: [card, gender, payer]\n",
        encoding="utf-8",
    )
    return folder / "study.yml"


def serve(study: Path) -> tuple[subprocess.Popen[str], str]:
    """``cxlab app`` on a free port, and its address."""
    server = subprocess.Popen(
        [sys.executable, "-c", "from cxlab.cli import main; main()", "app", str(study), "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://\S+", line):
            return server, found[0]
    raise SystemExit("cxlab app did not start")


class Page:
    """The workbench in a page, with the clock."""

    def __init__(self, browser, address: str) -> None:
        self.page = browser.new_page(viewport={"width": 1440, "height": 1000})
        start = time.perf_counter()
        self.page.goto(address, timeout=300_000)
        self.page.wait_for_selector(f"{PICTURE}[data-version]", timeout=300_000)
        self.first = time.perf_counter() - start
        self.page.evaluate(CLOCK)

    def measured(self, act, pause: int) -> tuple[float, float]:
        """Time one change: to the repainted picture, and the kernel's share."""
        self.page.wait_for_timeout(pause)
        self.page.evaluate("cxClock.arm()")
        act()
        self.page.wait_for_function("cxClock.took !== null", polling=5, timeout=60_000)
        return tuple(self.page.evaluate("[cxClock.took, cxClock.kernel]"))

    def changes(self):
        """Changes in turn: outcome, a segment's box, a driver's box, the wave slider."""
        page = self.page
        outcome = page.locator(".cx-outcome select").first
        segments = page.locator(".cx-card input[type=checkbox]")
        drivers = page.locator(".cx-left .cx-several input[type=checkbox]")
        wave = page.locator(".cx-filters .noUi-handle-lower").first
        count, place = outcome.locator("option").count(), 0
        while True:
            place += 1
            at, way = place % min(count, 2), "ArrowRight" if place % 2 else "ArrowLeft"
            yield "outcome", partial(outcome.select_option, index=at)
            for _ in range(2):
                yield "segment", segments.nth(place % 2).click
            for _ in range(2):
                yield "drivers", drivers.nth(place % 3).click
            yield "wave", partial(wave.press, way)


def quantiles(values: list[float]) -> str:
    import numpy as np

    return "  ".join(f"{np.quantile(values, q):7.1f}" for q in (0.5, 0.95, 1.0))


def run(page: Page, steps, pause: int, count: int) -> None:
    """Print median, 95th percentile and maximum by kind of change."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(5):
        page.measured(next(steps)[1], pause)
    for _ in range(count):
        kind, act = next(steps)
        found.setdefault(kind, []).append(page.measured(act, pause))
    every = [m for ms in found.values() for m in ms]
    for kind, ms in {**found, "all": every}.items():
        print(
            f"{kind:10s} {len(ms):5d}   {quantiles([m[0] for m in ms])}   {quantiles([m[1] for m in ms])}", flush=True
        )


def case(name: str, study: Path) -> None:
    from playwright.sync_api import sync_playwright

    start = time.perf_counter()
    server, address = serve(study)
    print(f"\n{name}: server ready after {time.perf_counter() - start:.1f} s")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
            page = Page(browser, address)
            print(f"first render {page.first:.1f} s, kernel and study being made meanwhile")
            print("change     count   ms to picture: median, p95, max    of which kernel: median, p95, max")
            steps = page.changes()
            run(page, steps, PAUSE, CHANGES)
            print("the same while the replicates of the change before are being computed")
            run(page, steps, RESTS, 30)
            page.page.close()
            for _ in range(2):
                time.sleep(HEATED)
                later = Page(browser, address)
                print(f"first render {later.first:.1f} s, kernel ready")
                later.page.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(30)


def main() -> None:
    wanted = sys.argv[1:] or ["demo", "1,000,000"]
    for name in wanted:
        if name == "demo":
            case(name, DEMO)
        else:
            with tempfile.TemporaryDirectory() as folder:
                case(name, million(Path(folder)))


if __name__ == "__main__":
    main()
