"""The moment cube: build, bytes, and the time of a filter with twelve drivers and all intervals, against the rows.

CPU milliseconds over 100 random filters; beside it the same answer computed from the rows with the same groups.
python benchmarks/cube.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
CASES = {"demo": 0, "100,000": 100_000, "1,000,000": 1_000_000}
FILTERS, BY_ROWS, DRIVERS = 100, 5, 12


def simulated(rows: int):
    """20 columns, 24 waves × 3 cards × 2 genders × 3 ages, customers who come again, 2 % refusals and a rare touchpoint."""
    import numpy as np
    import pandas as pd

    from cxlab.survey import Survey

    rng = np.random.default_rng(0)
    common = rng.normal(size=rows)
    df = pd.DataFrame(
        {f"x{j}": np.clip(np.round(6 + 1.2 * common + 1.5 * rng.normal(size=rows)), 0, 10) for j in range(20)}
    )
    for j, name in enumerate(df):
        df.loc[rng.random(rows) < (0.3 if j == 19 else 0.02), name] = np.nan
    df["wave"], df["gender"], df["age"] = rng.integers(1, 25, rows), rng.integers(0, 2, rows), rng.integers(0, 3, rows)
    df["card"] = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    df["w"] = np.array([1.4, 0.73, 0.4])[df["card"]] * rng.uniform(0.8, 1.2, rows)
    df["u"] = 3 * rng.integers(0, rows // 4, rows) + df["card"]
    survey = Survey.from_frame(df, weight="w", stratum="card", psu="u")
    return survey, [f"x{j}" for j in range(20)], ["wave", "card", "gender", "age"]


def demo():
    """The demo study: its outcomes, touchpoints and further drivers, 24 waves × 3 cards × 2 genders × 2 payers."""
    from cxlab.study import open_study

    survey = open_study(Path(__file__).parents[1] / "data" / "healthcheck" / "study.yml").survey()
    columns = [
        "booking", "info", "reception", "changing", "queue", "nurse", "doctor", "equipment", "report", "price_fairness",
        "brand_image", "noise", "satisfaction", "recommend", "effort", "repurchase", "parking", "meal", "followup",
    ]  # fmt: skip
    return survey, columns, ["wave", "card", "gender", "payer"]


def clocked(call: Callable[[], object]) -> float:
    """CPU milliseconds of a call."""
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


def one(case: str) -> None:
    """Measure one case in this process."""
    import numpy as np

    from cxlab.covariances import Sample
    from cxlab.cube import cube_importance, plan_cube
    from cxlab.cube._sums import Placed, add_replicate_sums, as_moments, size_of
    from cxlab.subsets import shapley

    survey, columns, by = simulated(CASES[case]) if CASES[case] else demo()
    drivers, outcome = columns[:DRIVERS], columns[DRIVERS]
    plan = None

    def make() -> None:
        nonlocal plan, cube
        plan = plan_cube(survey, columns, by)
        cube = plan.build()

    cube = None
    built = clocked(make)
    ready = clocked(lambda: cube.prepare([*drivers, outcome]))
    changed = clocked(lambda: cube.prepare([*drivers[1:], columns[DRIVERS + 1], outcome]))
    cube_importance(cube, outcome, drivers)  # caches
    rng = np.random.default_rng(1)
    filters = []
    while len(filters) < FILTERS:
        some = [name for name in by if rng.random() < 0.6]
        chosen = {n: rng.permutation(codes := cube.codes(n))[: rng.integers(1, len(codes) + 1)].tolist() for n in some}
        if len(chosen.get("wave", range(24))) > 3:
            filters.append(chosen)
    times = {
        "moments": [clocked(lambda c=c: cube.covariances(c, [*drivers, outcome])) for c in filters],
        "Shapley": [clocked(lambda c=c: cube_importance(cube, outcome, drivers, filter=c)) for c in filters],
        "Johnson": [
            clocked(lambda c=c: cube_importance(cube, outcome, drivers, filter=c, method="johnson")) for c in filters
        ],
    }

    def by_rows(chosen: dict) -> None:
        """Choose rows, take those that are complete, sum them up, refit."""
        inside = survey.where(**chosen).domain & (survey.weights > 0)
        values = np.column_stack([survey.values(n) for n in [*drivers, outcome]])
        at = np.flatnonzero(inside & np.isfinite(values).all(axis=1))
        sample = Sample(values[at], survey.weights[at], at, plan.design)
        group = plan.dealt.group[plan.design.psu[at]]
        order = np.lexsort((group, sample.stratum))
        center = values[at].mean(axis=0)
        laid = np.ascontiguousarray((values[at][order] - center).T)
        zeros = np.zeros(len(at), dtype=np.intp)
        rows = Placed(laid, sample.weights[order], sample.stratum[order], group[order], zeros, zeros)
        sums = np.zeros((size_of(len(center)), 1, len(plan.dealt.scale) + 1))
        add_replicate_sums(rows, plan.dealt, sums, zeros)
        shapley(as_moments(sums[:, 0], center).covariance())

    times["rows"] = [clocked(lambda c=c: by_rows(c)) for c in filters[:BY_ROWS]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shown = " | ".join(f"{np.median(t):.1f} / {np.quantile(t, 0.95):.1f}" for t in times.values())
    print(
        f"| {case} | {len(survey.data):,} | {len(columns)} | {len(plan.splits.levels)} | {cube.storage} | {plan.bytes / 1e6:.0f} | "
        f"{built / 1e3:.2f} | {ready:.0f}, {changed:.0f} | {shown} | {peak:.0f} |"
    )


def main() -> None:
    """Print a table, each case in a process of its own."""
    if len(sys.argv) == 2:
        one(sys.argv[1])
        return
    print(
        "| study | rows | columns | cells | held as | MB | build, s | first and next set of drivers, ms | moments, ms (median / p95) | "
        "with Shapley, ms | with Johnson, ms | from rows, Shapley alone, ms | peak MB |\n" + "|---" * 13 + "|",
        flush=True,
    )
    for case in CASES:
        subprocess.run([sys.executable, __file__, case], check=True)


if __name__ == "__main__":
    main()
