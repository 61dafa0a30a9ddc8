"""The kernel's share of live exploration: CPU and wall of a change in the drivers tab, from choice to finished picture.

A hundred random changes of filter, method, outcome, driver and segments each, on the demo study and on 1,000,000 simulated
respondents; what the browser adds is measured by benchmarks/workbench_browser.py.
python benchmarks/workbench.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
CASES = {"demo": 0, "1,000,000": 1_000_000}
CHANGES, DRIVERS = 100, 12


def opened(case: str) -> Any:
    """The demo study, or simulated respondents with roles."""
    from cxlab.study import open_study

    if not CASES[case]:
        return open_study(Path(__file__).parents[1] / "data" / "healthcheck" / "study.yml")
    from cube import simulated

    from cxlab.survey import Roles

    survey, columns, _ = simulated(CASES[case])
    blocks = {"value": tuple(columns[:6]), "sensory": tuple(columns[6:DRIVERS])}
    outcomes = {"satisfaction": (columns[DRIVERS],), "recommend": (columns[DRIVERS + 1],)}
    roles = Roles(wave="wave", outcomes=outcomes, drivers=blocks, segments=("card", "gender", "age"))
    return replace(survey, roles=roles)


def filters(tab: Any, rng: Any) -> Iterator[dict[str, list[Any]]]:
    """Random filters: a range of four waves or more, some values of some segments."""
    workspace = tab.workspace
    waves = workspace.codes(workspace.wave)
    while True:
        low = int(rng.integers(0, len(waves) - 4))
        chosen = {workspace.wave: waves[low : int(rng.integers(low + 4, len(waves) + 1))]}
        for segment in workspace.segments:
            if rng.random() < 0.3:
                codes = workspace.codes(segment)
                chosen[segment] = sorted(rng.permutation(codes)[: rng.integers(1, len(codes) + 1)].tolist())
        yield chosen


def clocked(call: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall milliseconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)


def one(case: str) -> None:
    """Measure one case in this process."""
    import numpy as np

    from cxlab.workbench._drivers import DriversTab
    from cxlab.workbench._tab import Asked, defaults
    from cxlab.workbench._workspace import Workspace

    workspace = Workspace(opened(case))
    built = clocked(lambda: workspace.cube)
    tab = DriversTab(workspace)
    start = defaults(tab.controls())
    start["drivers"] = start["drivers"][:DRIVERS]
    rng = np.random.default_rng(0)
    first = clocked(lambda: tab.live(Asked(start)))
    moved = filters(tab, rng)

    def changed(**choice: Any) -> Callable[[], object]:
        asked = Asked({**start, **choice}, next(moved))
        return lambda: tab.live(asked)

    other = tab._outcomes[1]
    fewer = [tuple(d for d in start["drivers"] if d != out) for out in start["drivers"]]
    kinds: dict[str, Callable[[int], Callable[[], object]]] = {
        "filter": lambda k: changed(),
        "filter and method": lambda k: changed(method=("shapley", "johnson", "car", "pratt")[k % 4]),
        "filter and picture": lambda k: changed(show=("drivers", "blocks", "map", "effects")[k % 4]),
        "filter, by card (3 groups)": lambda k: changed(by="card"),
        "filter, outcome to and fro": lambda k: changed(outcome=(other, "satisfaction")[k % 2]),
        "a driver off, then on": lambda k: changed(
            drivers=fewer[k // 2 % len(fewer)] if k % 2 == 0 else start["drivers"]
        ),
    }
    print(
        f"\n{case}: {len(workspace.survey.data):,} rows, {workspace.cube!r}; cube built in {built[0] / 1e3:.1f} s CPU, first picture "
        f"{first[0]:.0f} ms CPU, {first[1]:.0f} ms wall\n\n"
        "| change | CPU, ms: median | 95% | most | wall, ms: median | 95% |\n|---|---|---|---|---|---|"
    )
    for name, make in kinds.items():
        times = np.array([clocked(make(k)) for k in range(CHANGES)])
        cpu, wall = times.T
        print(
            f"| {name} | {np.median(cpu):.1f} | {np.quantile(cpu, 0.95):.1f} | {cpu.max():.0f} | {np.median(wall):.1f} | "
            f"{np.quantile(wall, 0.95):.1f} |",
            flush=True,
        )
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    """Print a table per case, each in a process of its own."""
    if len(sys.argv) == 2:
        one(sys.argv[1])
        return
    for case in CASES:
        subprocess.run([sys.executable, __file__, case], check=True)


if __name__ == "__main__":
    main()
