"""Exact Shapley values of R² from one correlation matrix: cxlab beside pingouin, in CPU seconds of one run.

    python benchmarks/shapley.py [--pingouin 15 18]

pingouin fits all 2^p regressions on rows; its largest p is chosen by hand, since p = 20 takes over a minute.
Published figures on a machine of this size (CPU seconds at p = 15 / 18 / 20): Displayr's C++ kernel .146 / 1.63 / 8.4,
R's relaimpo 1.0 / 12.4 / 55.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from cxlab.moments import weighted_moments
from cxlab.subsets import shapley

PUBLISHED = {15: (0.146, 1.0), 18: (1.63, 12.4), 20: (8.4, 55.0)}
ROWS = 1000


def _data(p: int) -> pd.DataFrame:
    rng = np.random.default_rng(p)
    x = rng.normal(size=(ROWS, p)) + rng.normal(size=(ROWS, 1))
    y = x @ np.linspace(0, 1, p) + rng.normal(size=ROWS) * 3
    return pd.DataFrame(x, columns=[f"x{k}" for k in range(p)]).assign(y=y)


def _best(call, times: int) -> tuple[float, np.ndarray]:
    seconds = []
    for _ in range(times):
        start = time.process_time()
        value = call()
        seconds.append(time.process_time() - start)
    return min(seconds), value


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pingouin", nargs="*", type=int, default=[15, 18])
    against = parser.parse_args().pingouin
    import pingouin

    print(
        "| drivers | cxlab | pingouin | ratio | ÷ Displayr (published) | ÷ relaimpo (published) | largest difference |"
    )
    print("|---|---|---|---|---|---|---|")
    for p in (15, 18, 20):
        df = _data(p)
        correlation = weighted_moments(df.to_numpy(), np.ones(ROWS)).correlation()
        ours, values = _best(lambda c=correlation: shapley(c), 5)
        peer, ratio, gap = "–", "–", "–"
        if p in against:
            seconds, table = _best(lambda d=df: pingouin.linear_regression(d.iloc[:, :-1], d["y"], relimp=True), 1)
            peer, ratio = f"{seconds:.1f}", f"{seconds / ours:,.0f}×"
            gap = f"{np.abs(table['relimp'].to_numpy()[1:] - values).max():.0e}"
        displayr, relaimpo = (published / ours for published in PUBLISHED[p])
        print(f"| {p} | {ours:.4f} | {peer} | {ratio} | {displayr:.0f}× | {relaimpo:.0f}× | {gap} |")


if __name__ == "__main__":
    main()
