"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from test_study import STUDIES, TWELVE
from typer.testing import CliRunner

import cxlab
from cxlab.cli import app

REPOSITORY = Path(__file__).parents[1]


def cxlab_says(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    ran = CliRunner().invoke(app, [str(a) for a in arguments])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STUDIES / "clinic", tmp_path / "clinic"))


def test_version() -> None:
    assert cxlab_says("--version") == (0, f"cxlab {cxlab.__version__}\n", "")


def test_check_prints_every_problem_at_once() -> None:
    assert cxlab_says("check", STUDIES / "faults" / "study.yml") == (2, f"{TWELVE}\n12 problems\n", "")


def test_check_of_one_problem(clinic: Path) -> None:
    text = (clinic / "study.yml").read_text()
    (clinic / "study.yml").write_text(text.replace("segments: [card,", "segments: [cards,"))
    said = "study.yml:30: segments[0] is 'cards', which is not a column of responses.csv (did you mean 'card'?).\n1 problem\n"
    assert cxlab_says("check", clinic) == (2, said, "")


def test_check_of_a_sound_study_says_what_it_is(clinic: Path) -> None:
    assert cxlab_says("check", clinic) == (
        0,
        "clinic: respondents 120, waves 4 (2025-09 … 2025-12), outcomes 3, drivers 4, segments 3, touchpoints 3\n"
        "note: Code 98 (not experienced) also occurs in age, whose scale is not known; there it stays an answer.\n"
        "note: young: 58 answers of age_group fall into no group and are missing.\n"
        "no problems\n",
        "",
    )


def test_check_of_nothing(tmp_path: Path) -> None:
    said = f"{tmp_path}/none is no study file and no folder with a study.yml.\n1 problem\n"
    assert cxlab_says("check", tmp_path / "none") == (2, said, "")


def test_rows_that_contradict_the_study_exit_with_3(clinic: Path, tmp_path: Path) -> None:
    data = pd.read_csv(clinic / "responses.csv")
    data.loc[[3, 5], "w"] = -1.0
    data.to_csv(clinic / "responses.csv", index=False)
    said = (
        "weight 'w' has 0 missing and 2 negative values in 120 rows; correct them, or leave these respondents out of "
        "the file (weight 0 keeps a row but does not count it).\n"
    )
    assert cxlab_says("check", clinic) == (3, "", said)
    assert cxlab_says("report", clinic, "--out", tmp_path / "reports") == (3, "", said)
    assert not any(p.suffix == ".html" for p in tmp_path.rglob("*"))


def test_report_of_a_faulty_study_exits_with_2(tmp_path: Path) -> None:
    assert cxlab_says("report", STUDIES / "faults", "--out", tmp_path) == (2, "", f"{TWELVE}\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--wave", "2025-13"], "wave '2025-13' is not in the study 'clinic'; it has 2025-09, 2025-10, 2025-11, 2025-12 (did you mean '2025-12'?).\n"),
        (["--lang", "de"], "lang is 'de'; allowed: 'en', 'zh'.\n"),
        (["--notebook", "monthly_raport"], None),
    ],
)  # fmt: skip
def test_a_wrong_call_of_report_exits_with_2(
    clinic: Path, tmp_path: Path, options: list[str], said: str | None
) -> None:
    code, out, error = cxlab_says("report", clinic, "--out", tmp_path / "reports", *options)
    assert (code, out) == (2, "")
    assert error == said if said else "monthly_report" in error


def test_unknown_commands_and_options_exit_with_2() -> None:
    assert cxlab_says("chek", "x")[0] == 2
    assert cxlab_says("check")[0] == 2
    assert cxlab_says("check", "x", "--wave", "1")[0] == 2


def test_init_drafts_a_study_that_checks(tmp_path: Path) -> None:
    code, out, error = cxlab_says("init", REPOSITORY / "data" / "mobi" / "mobi.csv", "--folder", tmp_path / "studies")
    assert (code, error) == (0, "")
    made = tmp_path / "studies" / "mobi" / "study.yml"
    assert made.is_file()
    assert out.rstrip().splitlines()[-1].strip() == f"cxlab report {made.as_posix()}"
    code, out, error = cxlab_says("check", made)
    assert (code, error) == (0, "")
    assert out.startswith("mobi: respondents 250, no waves, ")
    before = made.read_text()
    code, out, error = cxlab_says("init", REPOSITORY / "data" / "mobi" / "mobi.csv", "--folder", tmp_path / "studies")
    assert (code, out) == (2, "")
    assert error.startswith(f"{made.as_posix()} is there already;")
    assert made.read_text() == before


def test_init_in_chinese(tmp_path: Path) -> None:
    file = REPOSITORY / "data" / "mobi" / "mobi.csv"
    code, out, _ = cxlab_says("init", file, "--folder", tmp_path, "--lang", "zh")
    assert code == 0
    assert sum("\u4e00" <= c <= "\u9fff" for c in out) > 50


def test_chinese_text_does_not_break_a_console_that_cannot_show_it(clinic: Path) -> None:
    text = (clinic / "study.yml").read_text()
    (clinic / "study.yml").write_text(text.replace("segments: [card,", "segments: [会员卡,"))
    ran = subprocess.run(
        [sys.executable, "-c", "from cxlab.cli import main; main()", "check", str(clinic)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stdout == ("study.yml:30: segments[0] is '???', which is not a column of responses.csv.\n1 problem\n")
    assert ran.stderr == ""


def test_a_judgement_is_one_plain_line_on_stderr() -> None:
    code = "import warnings; from cxlab import cli; from cxlab.errors import DataWarning; cli.app = lambda: "
    code += "(warnings.warn('Code 98 stays.', DataWarning), warnings.warn('other', UserWarning)); cli.main()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    lines = ran.stderr.splitlines()
    assert lines[0] == "warning: Code 98 stays."
    assert lines[1].endswith("UserWarning: other")
