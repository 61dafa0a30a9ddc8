"""Drivers of a class of answers (logit) and of ordered answers, everything included: CPU seconds and peak memory.

python benchmarks/logit_drivers.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
CASES = [
    ("logit", "shapley", 10, 2_400, None),
    ("logit", "shapley", 12, 2_400, 30.0),
    ("logit", "tjur", 12, 2_400, None),
    ("logit", "relative_weights", 12, 2_400, None),
    ("ordinal", "shapley", 10, 2_400, None),
]


def one(model: str, method: str, p: int, base: int) -> None:
    """Measure one case in this process."""
    import numpy as np
    import pandas as pd

    from cxlab.drivers import key_drivers
    from cxlab.survey import Survey

    rng = np.random.default_rng(0)
    x = np.clip(np.round(7 + rng.normal(size=(base, 1)) + 1.3 * rng.normal(size=(base, p))), 0, 10)
    df = pd.DataFrame(x, columns=[f"x{k}" for k in range(p)])
    latent = (x - 7) @ np.linspace(0, 0.5, p) + rng.logistic(size=base)
    df["y"] = latent > 1 if model == "logit" else np.digitize(latent, np.linspace(-4, 4, 10))
    df["w"], df["s"] = rng.choice([1.4, 0.7333, 0.4], base), rng.integers(0, 3, base)
    survey = Survey.from_frame(df, weight="w", stratum="s")
    key_drivers(survey, "y", list(df.columns[:2]), model=model, method=method, replicates=100)  # imports and caches
    start = time.process_time()
    found = key_drivers(survey, "y", list(df.columns[:p]), model=model, method=method, replicates=1000)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    limit = {c[:4]: c[4] for c in CASES}[model, method, p, base]
    shown = "" if limit is None else f"{limit:.0f}"
    print(f"| {model} | {found.method} | {p} | {base:,} | 1,000 | {seconds:.1f} | {shown} | {peak:.0f} |")


def main() -> None:
    """Print a table, each case in a process of its own."""
    if len(sys.argv) == 5:
        one(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    print(
        "| model | method | drivers | base | replicates | CPU s | limit | peak MB |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for case in CASES:
        subprocess.run([sys.executable, __file__, *map(str, case[:4])], check=True)


if __name__ == "__main__":
    main()
