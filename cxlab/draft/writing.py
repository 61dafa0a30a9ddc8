"""A draft as YAML: in the order of a study file, each line with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from cxlab.draft.found import File, Guess, listed
from cxlab.draft.wording import LEFT_OUT, MARKS, NOT_USED

WIDE = 110
_ORDER = ("respondent", "wave", "design", "missing", "outcomes", "drivers", "segments", "comments", "recoded", "items")


def study_text(file: File, head: Mapping[str, Any], header: str, lang: str) -> str:
    """Write the study file.

    Parameters
    ----------
    file : File
    head : mapping
        What every study starts with: study, title, data, reader.
    header : str
        Comment at the top.
    lang : {"en", "zh"}
        Language of the comments.

    Returns
    -------
    str
        YAML.
    """
    lines = [f"# {line}" for line in header.splitlines()] + [""]
    lines += [f"{key}: {flow(value)}" for key, value in head.items() if value]
    for section in _ORDER:
        guesses = [g for g in file.guesses if g.key.split(".", 1)[0] == section]
        if guesses:
            lines += ["", *_section(section, guesses, lang)]
    apart = [(kind, names) for kind, names in file.left.items() if names]
    if apart:
        lines.append("")
    for kind, names in apart:
        lines.append(f"# {NOT_USED[lang].format(what=LEFT_OUT[kind][lang], items=listed(names, 20))}")
    return "\n".join(lines) + "\n"


def _section(section: str, guesses: Sequence[Guess], lang: str) -> list[str]:
    if section in ("missing", "segments"):
        return [f"{section}:", *(line for g in guesses for line in _entry("  ", "", g, lang))]
    if guesses[0].key == section:
        return _entry("", section, guesses[0], lang)
    lines, told = [f"{section}:"], ""
    for guess in guesses:
        name = guess.key.split(".", 1)[1]
        if section != "items":
            lines += _entry("  ", name, guess, lang)
            continue
        said = _mark(guess, lang)  # many lines with one reason: said once
        lines += [f"  # {said}"] if said != told else []
        lines.append(f"  {key_text(name)}: {flow(guess.value)}")
        told = said
    return lines


def _entry(indent: str, name: str, guess: Guess, lang: str) -> list[str]:
    """One key with its reason: beside it, or above where the line would be long."""
    start = f"{key_text(name)}:" if name else "-"
    line = f"{indent}{start} {flow(guess.value)}"
    said = _mark(guess, lang)
    if len(line) + len(said) + 4 <= WIDE:
        return [f"{line}  # {said}"]
    return [f"{indent}# {said}", *_wrapped(line, indent)]


def _wrapped(line: str, indent: str) -> list[str]:
    """Break a long flow list at its commas."""
    out, pad = [], indent + "  "
    while len(line) > WIDE and ", " in line[:WIDE]:
        cut = line.rindex(", ", 0, WIDE) + 1
        if line[:cut].count('"') % 2 or line[:cut].count("'") % 2:  # not inside a quoted name
            break
        out.append(line[:cut])
        line = pad + line[cut:].lstrip()
    return [*out, line]


def _mark(guess: Guess, lang: str) -> str:
    colon = "：" if lang == "zh" else ": "
    return f"{MARKS[lang][guess.sure]}{colon}{' '.join(guess.why[lang].split())}"


def key_text(name: str) -> str:
    """A key as YAML writes it, quoted where it would be read as something else."""
    return flow(name)


def flow(value: Any) -> str:
    """A value on one line of YAML; whole floats as integers."""
    text = yaml.safe_dump(_plain(value), default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value == int(value):
        return int(value)
    return value
