"""Make the demo study: python data/healthcheck/make.py [--check] [--out FOLDER]

Writes every file of this folder except the scripts and README.md. ``--check`` writes into a temporary
folder and compares with the files here.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from comments import write_comments  # noqa: E402
from truth import truth  # noqa: E402
from wording import BLOCK, MISSING, STAGE, TOUCHPOINT, Column, columns  # noqa: E402

from cxlab.simulate import HealthCheck, simulate_healthcheck  # noqa: E402

FILES = ("responses.sav", "codebook.csv", "customers.csv", "transactions.csv", "clinics.csv", "comments.csv",
         "comments_coded.csv", "study.yml", "truth.json")  # fmt: skip
HEAD = ("item", "label_en", "label_zh", "scale_low", "scale_high", "higher_is_better", "values", "role", "block",
        "stage", "owner_en", "owner_zh")  # fmt: skip


def put(path: Path, text: str) -> None:
    """Write a text file beside its place, then move it there."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def put_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, UTF-8."""
    put(path, table.to_csv(index=False, lineterminator="\n"))


# ---------------------------------------------------------------------- responses.sav, codebook.csv
def write_responses(path: Path, responses: pd.DataFrame) -> None:
    """Write the SPSS file: labels in both languages, missing codes declared."""
    book = columns()
    if list(book) != list(responses.columns):
        raise SystemExit(f"wording.py and the simulation disagree: {set(book) ^ set(responses.columns)}")
    rated = [name for name, column in book.items() if column.missing]
    part = path.with_name(f".{path.name}")
    pyreadstat.write_sav(
        responses.astype({n: float for n, c in book.items() if not c.format.startswith("A")}),
        str(part),
        file_label="Kangheng health check | 康衡体检",
        column_labels={n: " | ".join(c.label) for n, c in book.items()},
        variable_value_labels={n: v for n, c in book.items() if (v := value_labels(c))},
        missing_ranges={n: [float(code) for code in MISSING] for n in rated},
        variable_measure={n: c.measure for n, c in book.items()},
        variable_format={n: c.format for n, c in book.items()},
        row_compress=True,
    )
    os.replace(part, path)


def value_labels(column: Column) -> dict[float, str]:
    """Value labels of a column, with those of the missing codes."""
    texts = {**column.values, **(MISSING if column.missing else {})}
    return {float(code): en if en == zh else f"{en} | {zh}" for code, (en, zh) in texts.items()}


def codebook() -> str:
    """Text of codebook.csv: labels, scales and value labels in both languages, roles, stages, owners."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for name, column in columns().items():
        low, high = column.scale or ("", "")
        values = "; ".join(f"{code}={en}|{zh}" for code, (en, zh) in column.values.items())
        root = name.removesuffix("_expected").removesuffix("_emotion")
        _, stage, owner = TOUCHPOINT.get(root, ("", "", ("", "")))
        better = ("true" if column.higher_is_better else "false") if column.scale else ""
        writer.writerow(
            [name, *column.label, low, high, better, values, column.role, BLOCK.get(name, ""), stage, *owner]
        )
    return out.getvalue()


# ---------------------------------------------------------------------- study.yml
def study_yml() -> str:
    """Text of study.yml."""
    blocks: dict[str, list[str]] = {}
    for name, block in BLOCK.items():
        blocks.setdefault(block, []).append(name)
    journey = []
    for stage, (en, zh) in STAGE.items():
        journey.append(f"  - stage: {stage}\n    labels: {{en: {en}, zh: {zh}}}\n    touchpoints:")
        for name, (label, at, owner) in TOUCHPOINT.items():
            if at == stage:
                journey.append(
                    f"      - {{name: {name}, labels: {{en: {label[0]}, zh: {label[1]}}}, "
                    f"owner: {{en: {owner[0]}, zh: {owner[1]}}},\n"
                    f"         item: {name}, expectation: {name}_expected, emotion: {name}_emotion}}"
                )
    drivers = "\n".join(f"  {block}: [{', '.join(names)}]" for block, names in blocks.items())
    return STUDY.format(drivers=drivers, journey="\n".join(journey), experience=", ".join(TOUCHPOINT))


STUDY = """\
# A simulated study with known truth; README.md says what is planted. Written by make.py.
study: healthcheck
title: {{en: Kangheng health check, zh: 康衡体检}}
data: responses.sav
codebook: codebook.csv
respondent: customer_id
date: visit_date
wave: {{column: wave, period: month}}
design: {{weight: weight, stratum: card, psu: customer_id}}

missing:
  97: not asked
  98: not experienced
  99: refused

outcomes:
  satisfaction: satisfaction
  recommend: recommend
  effort: {{items: [effort], higher_is_better: false}}
  repurchase: repurchase

drivers:   # none: belongs to no block
{drivers}

layers:
  experience: [{experience}]
  emotion: [trust, delight]
  behaviour: [recommend, repurchase]

journey:
{journey}

segments: [card, gender, payer]
comments: [comment]
renewal: renewed       # what the customer did: whether the membership was renewed
marker: marker_blue   # relates to nothing but the way of answering

tables:
  customers: {{file: customers.csv, key: customer_id}}
  transactions:
    file: transactions.csv
    key: customer_id
    date: date
    items:   # words of what is counted from the rows
      renewal: {{labels: {{en: renewal, zh: 续约}}}}
      renewed_12: {{labels: {{en: Renewed within 12 months, zh: 12 个月内续约}}}}
  clinics:
    file: clinics.csv
    key: clinic
    items:
      engagement: {{labels: {{en: Staff engagement, zh: 员工敬业度}}}}
      sales: {{labels: {{en: Sales, zh: 销售额}}}}
      queue_minutes: {{labels: {{en: Measured queue (minutes), zh: 实测排队时长（分钟）}}}}
  comments: {{file: comments.csv, key: response_id}}

targets: {{satisfaction: 7.0, nps: 10, csat: 0.20, effort: 3.0}}

derived:
  service_score: mean(reception, nurse, doctor)

recoded:
  age_group:
    from: age
    labels: {{en: Age group, zh: 年龄段}}
    bands:
      - {{high: 34, labels: {{en: under 35, zh: 35岁以下}}}}
      - {{low: 35, high: 49, labels: {{en: 35–49, zh: 35–49岁}}}}
      - {{low: 50, labels: {{en: 50 and over, zh: 50岁及以上}}}}

items:
  service_score: {{labels: {{en: "Service (reception, nurses, doctors)", zh: 服务（前台、护士、医生）}}}}
"""


# ---------------------------------------------------------------------- all of it
def make(out: Path) -> None:
    """Write all files into a folder."""
    study: HealthCheck = simulate_healthcheck()
    comments, coded = write_comments(study)
    texts = comments.set_index("response_id")["text"].reindex(study.responses["response_id"]).fillna("")
    write_responses(out / "responses.sav", study.responses.assign(comment=texts.to_numpy()))
    put(out / "codebook.csv", codebook())
    put_table(out / "customers.csv", study.customers)
    put_table(out / "transactions.csv", study.transactions)
    put_table(out / "clinics.csv", study.clinics)
    put_table(out / "comments.csv", comments)
    put_table(out / "comments_coded.csv", coded)
    put(out / "study.yml", study_yml())
    put(out / "truth.json", json.dumps(truth(study, coded), ensure_ascii=False, indent=1) + "\n")


def contents(path: Path) -> Any:
    """What two files are compared by: bytes; of an SPSS file, which holds its time of writing, the contents."""
    if path.suffix != ".sav":
        return path.read_bytes()
    data, meta = pyreadstat.read_sav(str(path), user_missing=True)
    parts = (meta.column_names_to_labels, meta.variable_value_labels, meta.missing_ranges, meta.variable_measure,
             meta.original_variable_types, meta.file_label)  # fmt: skip
    return data.to_csv(index=False), *map(repr, parts)


def check() -> list[str]:
    """Names of the files that a new run would change."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        return [n for n in FILES if not (HERE / n).exists() or contents(HERE / n) != contents(Path(folder) / n)]


def main() -> None:
    """Make the study, or check that what is here is what would be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    if not arguments.check:
        make(arguments.out)
    elif changed := check():
        raise SystemExit(f"{len(changed)} file(s) differ from what make.py writes: {', '.join(changed)}")


if __name__ == "__main__":
    main()
