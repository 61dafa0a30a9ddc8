"""Every notebook runs with other parameters than its own (nbmake runs the defaults)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from cxlab.report import run_notebook

ROOT = Path(__file__).parents[1]
OTHER: dict[str, dict[str, Any]] = {
    "01_key_drivers": {
        "study": str(ROOT / "data" / "mobi" / "study.yml"), "by": "expectation", "goal": 9.0, "costs": {"PERQ7": 2, "PERV2": 3, "PERQ4": 1}, "budget": 4.0,
        "lang": "zh", "replicates": 200, "seed": 7,
    },
    "02_segments": {
        "study": str(ROOT / "data" / "mobi" / "study.yml"), "by": "expectation", "metrics": ["CUSA1", "CUSL3"], "margins": None,
        "prices": None, "types": {}, "lang": "zh", "replicates": 20, "seed": 7,
    },
    "03_loyalty_links": {
        "study": str(ROOT / "data" / "mobi" / "study.yml"), "behaviour": None, "by": "expectation", "tables": None, "chain": None,
        "lang": "zh", "replicates": 200,
    },
    "04_customer_360": {
        "study": str(ROOT / "data" / "mobi" / "study.yml"), "by": "expectation", "change": {"PERQ4": 1.0}, "event": None, "lang": "zh",
        "replicates": 200, "seed": 7,
    },
    "09_explore": {"study": str(ROOT / "data" / "mobi" / "study.yml"), "lang": "zh"},
    "monthly_report": {
        "study": str(ROOT / "data" / "healthcheck" / "study.yml"), "wave": "2025-03", "lang": "zh", "replicates": 200, "seed": 7,
        "facts_path": "other.json",
    },
}  # fmt: skip


def test_every_notebook_has_other_parameters() -> None:
    assert {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")} == set(OTHER)


@pytest.mark.parametrize("name", list(OTHER))
def test_a_notebook_runs_with_other_parameters(name: str, tmp_path: Path) -> None:
    executed = nbformat.read(run_notebook(ROOT / "notebooks" / f"{name}.ipynb", OTHER[name], tmp_path), as_version=4)
    cells = [c for c in executed.cells if c.cell_type == "code"]
    assert all(c.execution_count for c in cells)
    shown = "".join(str(o.get("data", {}).get("text/html", "")) for c in cells for o in c.outputs)
    assert "满意度" in shown
