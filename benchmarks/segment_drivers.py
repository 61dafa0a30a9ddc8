"""Drivers of twenty segments with everything – intervals, null lines, tests of differences – in CPU seconds and peak memory.

Beside it what it replaces: one analysis per segment on its own rows. python benchmarks/segment_drivers.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
CASES = {"at once": (20, 12, 10_000), "one by one": (20, 12, 10_000), "at once, clusters": (20, 12, 10_000)}


def one(case: str) -> None:
    """Measure one case in this process."""
    import numpy as np
    import pandas as pd

    from cxlab.drivers import key_drivers
    from cxlab.survey import Survey

    warnings.simplefilter("ignore")
    segments, p, base = CASES[case]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(base, p)) + rng.normal(size=(base, 1))
    names = [f"x{k}" for k in range(p)]
    df = pd.DataFrame(x, columns=names)
    df["y"] = x @ np.linspace(0, 1, p) + rng.normal(size=base) * 3
    df["w"], df["s"], df["g"] = rng.uniform(0.5, 2, base), rng.integers(0, 3, base), rng.integers(0, segments, base)
    df["u"] = 3 * rng.integers(0, 200, base) + df["s"]
    survey = Survey.from_frame(df, weight="w", stratum="s", psu="u" if "clusters" in case else None)
    key_drivers(survey.where("g < 2"), "y", names[:2], by="g", replicates=100)  # imports and caches
    start = time.process_time()
    if case == "one by one":
        for g in range(segments):
            key_drivers(survey.where(g=g), "y", names, replicates=1000)
    else:
        key_drivers(survey, "y", names, by="g", replicates=1000)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {case} | {segments} | {p} | {base:,} | 1,000 | {seconds:.1f} | {peak:.0f} |")


def main() -> None:
    """Print a table, each case in a process of its own."""
    if len(sys.argv) == 2:
        one(sys.argv[1])
        return
    print(
        "| how | segments | drivers | base | replicates | CPU s | peak MB |\n|---|---|---|---|---|---|---|", flush=True
    )
    for case in CASES:
        subprocess.run([sys.executable, __file__, case], check=True)


if __name__ == "__main__":
    main()
