"""A whole monthly report, study to published page, in CPU seconds of this process and its kernel.

python benchmarks/report.py
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from cxlab.report import make_report

ROOT = Path(__file__).parents[1]


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """Print a table."""
    print("| study | language | CPU s | wall s |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as out:
        for study, lang in (("healthcheck", "en"), ("healthcheck", "zh"), ("mobi", "en")):
            cpu, wall = _cpu(), time.perf_counter()
            make_report(ROOT / "data" / study / "study.yml", lang=lang, out=out, progress=False)
            print(f"| {study} | {lang} | {_cpu() - cpu:.1f} | {time.perf_counter() - wall:.1f} |", flush=True)


if __name__ == "__main__":
    main()
