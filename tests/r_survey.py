"""The designs that R's survey package was run on, and what it found."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from cxlab.survey import Survey

GOLDEN = Path(__file__).parent / "golden" / "survey"
CASES = {
    c["id"]: c["value"]
    for f in ("survey", "estimates", "unequal")
    for c in json.loads((GOLDEN / f"{f}.json").read_text())["cases"]
}
DESIGNS = {
    "dsrs_w": ("apistrat.csv", {"weight": "pw"}),
    "dstrat": ("apistrat.csv", {"weight": "pw", "stratum": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1.csv", {"weight": "pw", "psu": "dnum", "fpc": "fpc"}),
}
MARGINS = {"stype": {"E": 4421, "H": 755, "M": 1018}, "sch.wide": {"No": 1072, "Yes": 5122}}
CLOSED_FORM, ITERATED = 1e-10, 1e-8  # relative: closed forms; iteratively reweighted least squares
SMALL_P = 1e-12  # absolute


TWO = {"a": {0: 0.45, 1: 0.55}, "b": {0: 0.3, 1: 0.7}}


def unequal(**parts: str) -> Survey:
    """Two strata with weights 1 and 9 whose slopes on a margin have opposite signs; ``t`` has a stratum of one PSU."""
    return Survey.from_frame(pd.read_csv(GOLDEN / "unequal.csv"), weight="w", **(parts or {"stratum": "s"}))


@cache
def survey_of(design: str) -> Survey:
    file, parts = DESIGNS[design]
    return Survey.from_frame(pd.read_csv(GOLDEN / file), **parts)


def frame(seed: int = 0, count: int = 240) -> pd.DataFrame:
    """Four strata, six PSUs each, a clustered answer, and two columns to rake to."""
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(4), count // 4)
    cluster = stratum * 100 + rng.integers(0, 6, count)
    level = rng.normal(size=1000)[cluster]
    return pd.DataFrame(
        {
            "q": level + rng.normal(size=count), "x": rng.normal(size=count) + 3, "w": rng.uniform(0.3, 3, count),
            "s": stratum, "c": cluster, "n": 40, "sex": rng.choice(["f", "m"], count), "age": rng.choice([1.0, 2.0, 3.0], count),
        }
    )  # fmt: skip


DESIGN = {"weight": "w", "stratum": "s", "psu": "c", "fpc": "n"}
