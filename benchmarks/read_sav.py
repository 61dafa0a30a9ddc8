"""Reading a large SPSS file: cxlab beside pyreadstat's own read, in CPU seconds and peak memory.

    python benchmarks/read_sav.py [--rows 500000] [--columns 120]

Each read runs in a process of its own. The file (ratings with declared user-missing codes, nominal
items, amounts, dates, texts) is made in a temporary folder, and so is the cache.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

READS = {
    "pyreadstat": "import pyreadstat; pyreadstat.read_sav(PATH)",
    "pyreadstat, user_missing=True": "import pyreadstat; pyreadstat.read_sav(PATH, user_missing=True)",
    "cxlab, no cache": "import cxlab; cxlab.read_survey(PATH, cache=False)",
    "cxlab, first open": "import cxlab; cxlab.read_survey(PATH)",
    "cxlab, second open": "import cxlab; cxlab.read_survey(PATH)",
}
MEASURE = """
import json, resource, sys, warnings
import numpy, pandas, pyreadstat, pyarrow.parquet, cxlab.readers, cxlab.readers._tables
warnings.simplefilter("ignore")
PATH = sys.argv[1]
def now():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = now()
{read}
print(json.dumps([now() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def make(path: Path, rows: int, columns: int) -> None:
    """Write the file that is read."""
    import pyreadstat

    rng = np.random.default_rng(1)
    ratings = {f"q{k}": rng.choice([*range(11), 98, 99], rows).astype(float) for k in range(columns - 15)}
    nominal = {f"n{k}": rng.integers(1, 6, rows).astype(float) for k in range(8)}
    amounts = {f"x{k}": rng.gamma(2, 500, rows).round(2) for k in range(4)}
    other = {
        "id": np.arange(rows, dtype=float),
        "day": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D"),
        "city": rng.choice(["Beijing", "上海", "Guangzhou", ""], rows),
    }
    frame = pd.DataFrame({**ratings, **nominal, **amounts, **other})
    labels = {n: {0: "not at all", 10: "fully", 98: "not experienced", 99: "refused"} for n in ratings}
    missing = {n: [98, 99] for n in ratings}
    pyreadstat.write_sav(frame, path, row_compress=True, variable_value_labels=labels, missing_ranges=missing)


def measure(read: str, path: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of one read in a fresh process."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURE.format(read=read), str(path)],
        env={**os.environ, "CXLAB_CACHE_DIR": str(folder / "cache")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, peak = json.loads(run.stdout)
    return seconds, peak


def main() -> None:
    """Make the file, read it in every way, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--columns", type=int, default=120)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "big.sav"
        # In a process of its own: a child inherits the peak memory of its parent.
        maker = multiprocessing.get_context("spawn").Process(target=make, args=(path, said.rows, said.columns))
        maker.start()
        maker.join()
        _, imports = measure("pass", path, folder)
        print(f"{said.rows:,} × {said.columns}, {path.stat().st_size / 1e6:.0f} MB; imports alone {imports:.0f} MB")
        for label, read in READS.items():
            seconds, peak = measure(read, path, folder)
            print(f"{label:32}{seconds:8.2f} CPU s{peak:9.0f} MB peak")


if __name__ == "__main__":
    main()
