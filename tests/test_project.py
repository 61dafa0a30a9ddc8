"""House rules: what is declared, shipped and written keeps to what ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import string
import subprocess
import sys
import textwrap
import tokenize
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from programs import PACKAGES, program

import cxlab

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cxlab"
SOURCES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA_NAMES = {"matplotlib": "matplotlib-base", "lazy_loader": "lazy-loader"}
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "matplotlib",
    "seaborn",
    "statsmodels",
    "pyreadstat",
    "pydantic",
    "papermill",
    "yaml",
)
SECTIONS = (
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


# --- what is installed -------------------------------------------------------------------------------------------


def conda_lines() -> list[str]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return [e for e in entries if isinstance(e, str)]


def test_conda_environment_asks_for_what_pyproject_asks_for():
    declared = {}
    for line in PROJECT["project"]["dependencies"]:
        need = Requirement(line)
        declared[CONDA_NAMES.get(need.name, need.name)] = need.specifier
    declared["python"] = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    declared["pip"] = Requirement("pip").specifier
    conda = {line.split(" ")[0]: Requirement(line).specifier for line in conda_lines()}
    assert conda == declared


@pytest.mark.parametrize("line", conda_lines())
def test_conda_reads_every_line(line):
    from rattler import MatchSpec, Version

    spec = MatchSpec(line, strict=True)
    assert line.split(" ")[0] in str(spec.name)
    for clause in Requirement(line).specifier:
        if clause.operator == ">=":
            assert spec.version is not None
            assert Version(clause.version) is not None
            assert clause.version in str(spec.version)


def locked() -> dict[str, list[Requirement]]:
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        pin = Requirement(line)
        pins.setdefault(pin.name.replace("_", "-").lower(), []).append(pin)
    return pins


def test_the_lock_pins_exactly_and_names_no_address():
    for pin in (pin for pins in locked().values() for pin in pins):
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), pin
        assert pin.url is None, pin


def test_the_lock_fulfils_what_pyproject_asks_for():
    pins, project = locked(), PROJECT["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        need = Requirement(line)
        found = pins[need.name.replace("_", "-").lower()]
        for pin in found:
            assert need.specifier.contains(str(pin.specifier)[2:]), f"{pin} against {need}; run `make lock`"


def test_a_missing_program_skips_with_its_remedy_and_fails_in_ci(monkeypatch):
    monkeypatch.setenv("PATH", "")
    remedy = (
        "soffice is not installed; as root: apt-get install libreoffice-calc libreoffice-impress libreoffice-writer"
    )
    for name in ("CI", "CXLAB_REQUIRE_TOOLS"):
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.delenv("CXLAB_REQUIRE_TOOLS", raising=False)
        with pytest.raises(pytest.skip.Exception, match=f"^{remedy}$"):
            program("soffice")
        monkeypatch.setenv(name, "1")
        with pytest.raises(pytest.fail.Exception, match=f"^{remedy}$"):
            program("soffice")


def test_every_program_of_the_tests_is_installed_by_make():
    script = (ROOT / "tools" / "debian.sh").read_text(encoding="utf-8")
    for name, packages in PACKAGES.items():
        assert f'command -v {name} >/dev/null || missing="$missing {packages}"' in script


def test_a_wheel_carries_everything_that_cxlab_reads(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    kept = {p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts} | set(NOTEBOOKS)
    expected = {name_of(p) if p.is_relative_to(PACKAGE) else f"cxlab/{name_of(p)}" for p in kept}
    assert {name for name in expected if name not in inside} == set()
    assert {"cxlab/fonts/NotoSansSC-subset.otf", "cxlab/__init__.pyi", "cxlab/notebooks/monthly_report.ipynb"} <= inside


# --- imports -----------------------------------------------------------------------------------------------------


@cache
def levels() -> dict[str, tuple[int, int]]:
    """Level and place within it of every module, from the table of ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.+) \|$", text, flags=re.MULTILINE)
    return {name: (int(level), i) for level, names in rows for i, name in enumerate(names.split(", "))}


def imported(path: Path) -> set[str]:
    """Modules of cxlab that a file imports when it runs (``cxlab.study._load``), at any depth."""
    found: set[str] = set()
    inside = list(path.relative_to(ROOT).with_suffix("").parts)

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = inside[: -node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            is_package = (ROOT / origin.replace(".", "/")).is_dir()
            found.update(f"{origin}.{alias.name}" if is_package else origin for alias in node.names)
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(tree_of(path))
    return {name for name in found if name.startswith("cxlab.") and not name.startswith("cxlab.__")}


def fault_of_import(source: str, target: str) -> str | None:
    (level, place), (target_level, target_place) = levels()[source], levels()[target]
    if target_level > level:
        return f"{source} (level {level}) imports {target} (level {target_level})"
    if target_level == level == 3:
        return f"{source} and {target} are both analyses of level 3"
    if target_level == level and target_place >= place:
        return f"{source} imports {target}, which stands to its right"
    return None


def test_every_module_has_its_level():
    modules = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in SOURCES}
    assert modules - {"__init__", "__main__"} == set(levels())


def test_imports_only_go_down_or_left():
    faults = []
    for path in SOURCES:
        source = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if source in ("__init__", "__main__"):
            continue
        for name in imported(path):
            target = name.split(".")[1]
            if target != source and (PACKAGE / f"{target}.py").exists() | (PACKAGE / target).is_dir():
                faults += filter(None, [fault_of_import(source, target)])
    assert faults == []


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("drivers", "metrics", True),
        ("contrasts", "metrics", True),
        ("metrics", "contrasts", False),
        ("survey", "design", False),
        ("tracking", "drivers", False),
        ("words", "errors", True),
        ("errors", "words", False),
    ],
)
def test_the_order_itself(source, target, allowed):
    assert (fault_of_import(source, target) is None) == allowed


def test_private_modules_stay_in_their_room():
    faults = []
    for path in SOURCES:
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path):
            if any(part.startswith("_") for part in name.split(".")[2:-1]) and name.split(".")[1] != room:
                faults.append(f"{name_of(path)}: {name}")
    assert faults == []


def test_import_of_cxlab_loads_nothing_heavy():
    code = f"import sys, cxlab; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_is_there():
    for name in cxlab.__all__:
        assert getattr(cxlab, name).__module__.startswith("cxlab.")
    assert sorted(set(cxlab.__all__)) == sorted(cxlab.__all__)
    stub = (PACKAGE / "__init__.pyi").read_text(encoding="utf-8")
    for line in filter(None, stub.replace("__version__: str", "").splitlines()):
        assert re.fullmatch(r"from \.\w+(\.\w+)* import (\w+) as \2", line), line


# --- docstrings --------------------------------------------------------------------------------------------------


def sections_of(text: str) -> dict[str, str]:
    """Sections of a numpydoc docstring by heading, in order; the opening is under ``""``."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(text), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def names_in(section: str) -> list[str]:
    heads = [line.split(" :")[0] for line in section.strip("\n").splitlines() if line[:1].strip()]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def faults_of_function(name: str, function) -> Iterator[str]:
    parts = sections_of(function.__doc__ or "")
    headings = [h for h in parts if h]
    if not parts[""].strip().split("\n\n")[0].endswith((".", "?")):
        yield f"{name}: the first paragraph is no sentence"
    yield from (f"{name}: unknown section {h}" for h in headings if h not in SECTIONS)
    if headings != sorted(headings, key=SECTIONS.index):
        yield f"{name}: sections are in the order {headings}"
    signature = inspect.signature(function)
    wanted = [p for p in signature.parameters if p not in ("self", "cls")]
    if wanted != names_in(parts.get("Parameters", "")):
        yield f"{name}: Parameters has {names_in(parts.get('Parameters', ''))}, the signature {wanted}"
    if signature.return_annotation not in (None, "None") and "Returns" not in parts:
        yield f"{name}: no Returns"
    raises = any(isinstance(n, ast.Raise) for n in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
    if raises and "Raises" not in parts:
        yield f"{name}: no Raises"
    if ">>>" not in parts.get("Examples", ""):
        yield f"{name}: no example"


def faults_of_class(name: str, kind: type) -> Iterator[str]:
    parts = sections_of(kind.__doc__ or "")
    if not parts[""].strip().endswith((".", "!")) and not issubclass(kind, Exception):
        yield f"{name}: the opening is no sentence"
    for member, function in vars(kind).items():
        if inspect.isfunction(function) and not member.startswith("_") and not (function.__doc__ or "").strip():
            yield f"{name}.{member}: no docstring"


def test_public_names_are_documented():
    faults = []
    for name in cxlab.__all__:
        thing = getattr(cxlab, name)
        faults += (faults_of_class if inspect.isclass(thing) else faults_of_function)(name, thing)
    assert faults == []


def test_the_docstring_rules_see_faults():
    def nps(survey, item, *, level=0.95) -> int:
        """Net promoter score

        Returns
        -------
        int

        Parameters
        ----------
        survey : Survey
        level : float
        """
        raise ValueError

    assert list(faults_of_function("nps", nps)) == [
        "nps: the first paragraph is no sentence",
        "nps: sections are in the order ['Returns', 'Parameters']",
        "nps: Parameters has ['survey', 'level'], the signature ['survey', 'item', 'level']",
        "nps: no Raises",
        "nps: no example",
    ]


# --- size and style of the code ----------------------------------------------------------------------------------


def code_lines(path: Path) -> set[int]:
    """Lines that hold code: no blanks, comments or docstrings."""
    text, lines = path.read_text(encoding="utf-8"), set()
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skip:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_and_functions_stay_small(path):
    lines = code_lines(path)
    assert len(lines) <= 400
    long = {
        f.name: size
        for f in functions(tree_of(path))
        if (size := len(lines & set(range(f.lineno, (f.end_lineno or f.lineno) + 1)))) > 60
    }
    assert long == {}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_signatures_stay_short(path):
    """Private functions take 6 parameters; public ones 12, but for the four columns of a sample design."""
    faults = {}
    for f in functions(tree_of(path)):
        names = [a.arg for a in [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs] if a.arg not in ("self", "cls")]
        names = [name for name in names if name not in ("weight", "stratum", "psu", "fpc")]
        if len(names) > (6 if f.name.startswith("_") else 12):
            faults[f.name] = names
    assert faults == {}


def test_no_room_without_an_idea():
    words = {part.strip("_") for path in SOURCES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert words & {"utils", "util", "base", "common", "helpers", "misc", "core", "tools"} == set()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_code_asserts_nothing_and_evaluates_no_text(path):
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: assert vanishes under -O; raise a SurveyError"
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        assert called not in ("eval", "exec"), f"line {node.lineno}: {called}"
        assert called != "NotImplementedError", f"line {node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_what_is_shown_exists_in_both_languages(path):
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Dict):
            continue
        texts = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
        if {"en", "zh"} & set(texts):
            assert {"en", "zh"} <= set(texts), f"line {node.lineno}: one language only"
            assert fields_of(texts["en"]) == fields_of(texts["zh"]), f"line {node.lineno}: other facts in the other one"


def fields_of(node: ast.expr) -> set[str]:
    """Names of the facts that a template prints; of anything but a plain text, none."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return set()
    try:
        return {name for _, name, _, _ in string.Formatter().parse(node.value) if name}
    except ValueError:  # braces that are no template, such as CSS
        return set()


# --- the tree ----------------------------------------------------------------------------------------------------


@cache
def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    return tuple(ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


FORBIDDEN = {
    "a path of one machine": r"(?<![\w.$}/])/(?:work|root|Users|home/\w+|opt/\w+)/",
    "the address of a registry": r"https?://[^\s\"')]*(?:pypi|pythonhosted|npmjs|anaconda|deb\.debian|/simple/)",
    "an address with a port": r"https?://\d+\.\d+\.\d+\.\d+",
    "an index in a lock": r"--(?:extra-)?index-url\s+\S|--find-links\s+\S",
    "a loose end": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}


def test_the_tree_names_no_machine_and_no_registry():
    faults = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" in data[:8000] or path.name == "LICENSE" or path.is_relative_to(ROOT / "tests" / "files"):
            continue
        text = data.decode("utf-8", errors="replace")
        for what, pattern in FORBIDDEN.items():
            if found := re.search(pattern, text):
                faults.append(f"{name_of(path)}: {what}: {found[0]}")
    assert faults == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("open('/ro" + "ot/x')", "a path of one machine"),
        ("see /ho" + "me/ann/data", "a path of one machine"),
        ("https://files." + "pythonhosted.org/x", "the address of a registry"),
        ("--index" + "-url http", "an index in a lock"),
    ],
)
def test_the_search_sees_faults(text, what):
    assert re.search(FORBIDDEN[what], text)


def test_git_keeps_no_products():
    products = (".pyc", ".egg-info", ".ipynb_checkpoints", ".tmp-")
    assert [name_of(p) for p in tracked() if any(s in p.as_posix() for s in products)] == []
    assert {name_of(p) for p in tracked() if p.is_relative_to(ROOT / "reports")} <= {"reports/README.md"}


def test_the_example_of_the_readme_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "data").symlink_to(ROOT / "data")
    code = f"import matplotlib; matplotlib.use('Agg')\n{example}\nassert 0 < gold.domain.sum() < survey.domain.sum()"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "drivers.xlsx").stat().st_size > 5000


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_documents_point_at_files_that_exist(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    used = set(re.findall(r"`?make ([a-z][a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"report", "test", "test-slow", "lab", "lint", "lock"} <= used
    assert {t for t in used if not re.search(rf"^{t}:", makefile, flags=re.MULTILINE)} == set()


# --- notebooks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_are_stored_clean_and_hold_no_logic(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert "".join(cells[0]["source"]).startswith("# ")
    assert cells[-1]["cell_type"] == "markdown", "the last cell says limits and what to read next"
    assert sum("parameters" in c["metadata"].get("tags", []) for c in cells) == 1
    for cell in (c for c in cells if c["cell_type"] == "code"):
        source = "".join(cell["source"])
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        assert len(source.splitlines()) <= 10, source
        logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda)
        code = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
        assert not [n for n in ast.walk(ast.parse(code)) if isinstance(n, logic)], source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_parameters_are_annotated_literals_one_per_line(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (source,) = ("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
    body = ast.parse(source).body
    assert all(isinstance(statement, ast.AnnAssign) for statement in body), source
    assert all(statement.lineno == statement.end_lineno for statement in body), source
    for statement in body:
        ast.literal_eval(statement.value)
