"""CPU seconds and peak memory of a banner: 60 rating items by 12 columns on 100,000 weighted rows, and its workbook.

python benchmarks/banner.py [--rows 100000] [--items 60] [--design weights|strata|panel|clinics|raked]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import cxlab as cx
from cxlab.errors import SmallBaseWarning
from cxlab.items import Item

SEGMENTS = ["card", "gender", "age", "payer"]
DESIGNS = {
    "weights": {},
    "strata": {"stratum": "region"},
    "panel": {"stratum": "region", "psu": "customer"},
    "clinics": {"stratum": "region", "psu": "clinic"},
    "raked": {"stratum": "region"},
}


def survey(rows: int, items: int, design: str) -> cx.Survey:
    """Ratings from 0 to 10 with 5 % missing, and segments of 3, 2, 4 and 3 groups."""
    rng = np.random.default_rng(1)
    segments = {"card": 3, "gender": 2, "age": 4, "payer": 3}
    data = {name: rng.integers(1, size + 1, rows).astype(float) for name, size in segments.items()}
    region = rng.integers(0, 24, rows)
    for k in range(items):
        answers = np.clip(np.round(7 - 0.4 * data["card"] + rng.normal(0, 2.2, rows)), 0, 10)
        data[f"q{k}"] = np.where(rng.random(rows) < 0.05, np.nan, answers)
    data |= {"w": rng.lognormal(0, 0.4, rows), "region": region}
    data |= {
        "customer": region * rows + rng.integers(0, rows // 24, rows),
        "clinic": region * 20 + rng.integers(0, 20, rows),
    }
    made = cx.Survey.from_frame(pd.DataFrame(data), weight="w", **DESIGNS[design])
    scales = [Item(f"q{k}", scale=(0, 10)) for k in range(items)]
    made = replace(made, codebook=made.codebook.with_items(*scales))
    margins = {name: dict.fromkeys(range(1, size + 1), 1 / size) for name, size in segments.items()}
    return cx.rake(made, margins) if design == "raked" else made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--design", choices=[*DESIGNS, "all"], default="all")
    said = parser.parse_args()
    warnings.simplefilter("ignore", SmallBaseWarning)
    for name in DESIGNS if said.design == "all" else [said.design]:
        made = survey(said.rows, said.items, name)
        cx.banner(made.where(card=1), ["q0"], ["gender"])  # imports
        start = time.process_time()
        found = cx.banner(made, [f"q{k}" for k in range(said.items)], SEGMENTS)
        used = time.process_time() - start
        tracemalloc.start()  # slows the work down, hence a run of its own on the same plan with two items
        cx.banner(made, ["q0", "q1"], SEGMENTS)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"{name:10}{len(found.table):8,} cells {used:7.2f} CPU s, peak {peak:4.0f} MB", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        found.to_excel(Path(folder) / "banner.xlsx")
        print(f"{'workbook':10}{'':14} {time.process_time() - start:7.2f} CPU s")


if __name__ == "__main__":
    main()
