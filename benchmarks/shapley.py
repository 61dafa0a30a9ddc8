"""Exact Shapley values of R² from one correlation matrix: cxlab beside pingouin, in CPU seconds of one run.

    python benchmarks/shapley.py [--pingouin 15 18]

pingouin fits all 2^p regressions on rows; its largest p is chosen by hand, since p = 20 takes over a minute.
Published figures on a machine of this size (CPU seconds at p = 15 / 18 / 20): Displayr's C++ kernel .146 / 1.63 / 8.4,
R's relaimpo 1.0 / 12.4 / 55. Beneath: what the largest exact case needs, and what stands in for exact values beyond it.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from cxlab.moments import weighted_moments
from cxlab.subsets import sampled_shapley, shapley

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
    _large()


def _large() -> None:
    """Exact values of up to 25 drivers, sampled orders beside them and beyond."""
    print(
        "\n| drivers | way | CPU s | peak MB so far | largest error of a share | its standard error |\n|---|---|---|---|---|---|"
    )
    for p in (20, 22, 25):
        correlation = _correlation(p)
        seconds, values = _best(lambda c=correlation: shapley(c), 1)
        print(f"| {p} | exact | {seconds:.2f} | {_peak()} | – | – |")
        seconds, (sampled, error) = _best(lambda c=correlation: sampled_shapley(c), 1)
        off, said = np.abs(sampled - values).max() / values.sum(), error.max() / values.sum()
        print(f"| {p} | 16 rounds of orders | {seconds:.2f} | {_peak()} | {off:.4f} | {said:.4f} |")
    warnings.simplefilter("ignore")
    seconds, (sampled, error) = _best(lambda: sampled_shapley(_correlation(40)), 1)
    print(f"| 40 | 16 rounds of orders | {seconds:.2f} | {_peak()} | – | {error.max() / sampled.sum():.4f} |")


def _correlation(p: int) -> np.ndarray:
    return weighted_moments(_data(p).to_numpy(), np.ones(ROWS)).correlation()


def _peak() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}"


if __name__ == "__main__":
    main()
