"""Key drivers with everything that a decision needs – intervals, rank sets, null lines – in CPU seconds and peak memory.

python benchmarks/key_drivers.py

Beneath: point estimates of 20 drivers by number of rows, which grow linearly.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
CASES = {  # drivers, rows, replicates: seconds allowed
    (12, 10_000, 1000): 1.0,
    (15, 5_000, 1000): 4.0,
    (15, 10_000, 1000): 4.0,
    (20, 10_000, 0): 3.0,
    (20, 100_000, 0): 3.0,
    (20, 1_000_000, 0): 3.0,
}


def one(p: int, base: int, replicates: int) -> None:
    """Measure one case in this process."""
    import numpy as np
    import pandas as pd

    from cxlab.drivers import key_drivers
    from cxlab.survey import Survey

    rng = np.random.default_rng(0)
    x = rng.normal(size=(base, p)) + rng.normal(size=(base, 1))
    df = pd.DataFrame(x, columns=[f"x{k}" for k in range(p)])
    df["y"] = x @ np.linspace(0, 1, p) + rng.normal(size=base) * 3
    df["w"], df["s"] = rng.uniform(0.5, 2, base), rng.integers(0, 3, base)
    survey = Survey.from_frame(df, weight="w", stratum="s")
    key_drivers(survey.where("s >= 0"), "y", list(df.columns[:2]), replicates=100)  # imports and caches
    start = time.process_time()
    key_drivers(survey, "y", list(df.columns[:p]), replicates=replicates)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {p} | {base:,} | {replicates:,} | {seconds:.2f} | {CASES[p, base, replicates]:.0f} | {peak:,.0f} |")


def main() -> None:
    """Print a table, each case in a process of its own."""
    if len(sys.argv) == 4:
        one(*map(int, sys.argv[1:]))
        return
    print("| drivers | base | replicates | CPU s | limit | peak MB |\n|---|---|---|---|---|---|", flush=True)
    for case in CASES:
        subprocess.run([sys.executable, __file__, *map(str, case)], check=True)


if __name__ == "__main__":
    main()
