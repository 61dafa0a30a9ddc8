"""CPU seconds of ``import cxlab`` in a fresh interpreter, beside the interpreter's own start; best of five.

python benchmarks/import_time.py
"""

from __future__ import annotations

import resource
import subprocess
import sys


def cpu_seconds(code: str, runs: int = 5) -> float:
    """Least user and system time of ``runs`` interpreters that execute ``code``."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> None:
    """Print the table."""
    bare = cpu_seconds("pass")
    cxlab, pandas = cpu_seconds("import cxlab"), cpu_seconds("import pandas")
    print(f"{'python, nothing imported':30}{bare:6.3f} CPU s")
    print(f"{'import cxlab':30}{cxlab - bare:6.3f} CPU s more")
    print(f"{'import pandas (for scale)':30}{pandas - bare:6.3f} CPU s more")


if __name__ == "__main__":
    main()
