"""All pairs of 20 groups on 40 items, 20,000 weighted rows, in CPU seconds; best of three.

python benchmarks/compare_segments.py [--rows 20000] [--groups 20] [--items 40]

Weights alone, then weights with strata and PSUs. For scale: the design-based t tests of the same pairs one at a
time, measured on a part of them.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd

import cxlab as cx
from cxlab.significance import t_test


def study(rows: int, groups: int, items: int) -> pd.DataFrame:
    """Ratings 0–10 with 5 % missing, a segment, weights, 40 strata and PSUs of about three."""
    rng = np.random.default_rng(1)
    psu = rng.integers(0, rows // 3, rows)
    data = {f"q{k}": rng.integers(0, 11, rows).astype(float) for k in range(items)}
    frame = pd.DataFrame(data).mask(rng.random((rows, items)) < 0.05)
    return frame.assign(
        segment=rng.integers(1, groups + 1, rows), w=rng.uniform(0.5, 2, rows), psu=psu, stratum=psu % 40
    )


def cpu_seconds(survey: cx.Survey, items: list[str], runs: int = 3) -> float:
    """Least CPU time of ``runs`` comparisons."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        result = cx.compare_segments(survey, "segment", items)
        times.append(time.process_time() - start)
    assert result.table["p_value"].notna().all()
    return min(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 20_000), ("groups", 20), ("items", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    sizes = parser.parse_args()
    warnings.simplefilter("ignore")
    frame, items = study(sizes.rows, sizes.groups, sizes.items), [f"q{k}" for k in range(sizes.items)]
    pairs = sizes.groups * (sizes.groups - 1) // 2
    print(f"{sizes.rows:,} rows, {sizes.groups} groups, {sizes.items} items: {pairs * sizes.items:,} comparisons")
    for name, parts in (("weights", {}), ("weights, strata, PSUs", {"psu": "psu", "stratum": "stratum"})):
        survey = cx.Survey.from_frame(frame, weight="w", **parts)
        print(f"{'compare_segments, ' + name:44}{cpu_seconds(survey, items):8.2f} CPU s")
        start, count = time.process_time(), 20
        for k in range(count):
            t_test(survey.where(segment=[1, 2 + k % (sizes.groups - 1)]), items[k % len(items)], "segment")
        each = (time.process_time() - start) / count
        print(f"{'  one t test at a time, extrapolated':44}{each * pairs * sizes.items:8.0f} CPU s")


if __name__ == "__main__":
    main()
