"""What may stand in a study.yml: pydantic models, and their errors in plain words."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from cxlab.errors import nearest
from cxlab.items import FILE, LANGUAGES
from cxlab.study._locate import Located, Problem

ABSENT = "\0"  # stands in for a required text that is not there, so that the rest can be checked (no YAML holds it)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


def _labels(value: Any) -> Any:
    return {FILE: value} if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


def _language(value: str) -> str:
    if value not in (*LANGUAGES, FILE):
        raise PydanticCustomError("language", "not a language")
    return value


def _code(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return value
    raise PydanticCustomError("code", "a code is a number or a text")


def _scale(value: tuple[float, float]) -> tuple[float, float]:
    if not value[0] < value[1]:
        raise PydanticCustomError("scale", "the low end comes first, e.g. [0, 10]")
    return value


def _blocks(value: Any) -> Any:
    return {"none": value} if isinstance(value, (str, list)) else value


def _outcome(value: Any) -> Any:
    return {"items": value} if isinstance(value, (str, list)) else value


def _missing(value: Any) -> Any:
    """Bring the short form (code: meaning) and the long one (codes, means, items) to a list of parts."""
    return [
        {"short": part} if isinstance(part, dict) and not {"codes", "means", "items"} & set(part) else part
        for part in (value if isinstance(value, list) else [value])
    ]


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Labels = Annotated[Mapping[Annotated[str, AfterValidator(_language)], str], BeforeValidator(_labels)]
Code = Annotated[float | str, BeforeValidator(_code)]
Values = Mapping[Code, Labels]
Scale = Annotated[tuple[float, float], AfterValidator(_scale)]
Period = Literal["week", "month", "quarter", "half", "year"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Wave(_Part):
    """Where the wave of a respondent stands: a column (codes, texts or dates), or the name of the file."""

    column: str | None = None
    from_file: str | None = None
    period: Period = Field(description="how often the survey is run: week, month, quarter, half or year")


def _one_stage(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        raise PydanticCustomError("stage", "variances are computed from the first stage: name its column alone")
    return value


Column = Annotated[str | None, BeforeValidator(_one_stage)]


class Design(_Part):
    """Columns of the sample design, and what becomes of strata with a single PSU."""

    weight: str | None = None
    stratum: Column = None
    psu: Column = None
    fpc: Column = None
    lonely: Literal["fail", "adjust", "remove"] = "fail"


class Missing(_Part):
    """Codes that are no answers: ``short`` (code: meaning), or codes, their meaning and the items."""

    codes: Annotated[tuple[float, ...], BeforeValidator(_listed)] = ()
    means: str = ""
    items: Names | None = None
    short: dict[float, str] = {}

    @property
    def reasons(self) -> dict[float, str]:
        """Meaning of each code."""
        return self.short or dict.fromkeys(self.codes, self.means)


class Outcome(_Part):
    """Items of an outcome and how to read them."""

    items: Names = Field(description="the items that ask about it")
    higher_is_better: bool | None = None
    scale: Scale | None = None


class TouchpointPart(_Part):
    """A touchpoint of a stage."""

    name: str = Field(description="a short name")
    owner: Labels = Field(description="who answers for this touchpoint")
    item: str = Field(description="the item that rates the experience")
    expectation: str | None = None
    emotion: str | None = None
    labels: Labels = {}


class Stage(_Part):
    """A stage of the journey."""

    stage: str = Field(description="a short name")
    touchpoints: tuple[TouchpointPart, ...] = Field(description="the touchpoints of this stage, in order")
    labels: Labels = {}


class Band(_Part):
    """A band of a numeric item, both ends included; no end means open."""

    low: float | None = None
    high: float | None = None
    labels: Labels = {}


class Recode(_Part):
    """An item made from another one by bands or by codes."""

    from_: str = Field(alias="from", description="the item it is made from")
    bands: tuple[Band, ...] | None = None
    codes: dict[Code, Code] | None = None
    values: Values = {}
    labels: Labels = {}


class ItemPart(_Part):
    """What the files do not say of an item, or say wrongly."""

    labels: Labels = {}
    values: Values = {}
    scale: Scale | None = None
    higher_is_better: bool | None = None
    measure: Literal["nominal", "ordinal", "scale"] | None = None


class Table(_Part):
    """A linked table."""

    file: str = Field(description="a .csv file")
    key: str = Field(description="the column that links it to respondents")
    date: str | None = None
    items: dict[str, ItemPart] = {}


class Quality(_Part):
    """What the data quality page looks at."""

    straight_lining: Names = ()


class StudyFile(_Part):
    """A whole study.yml."""

    study: str = Field(description="a short id of small letters, digits, - and _")
    data: Names = Field(description="the data file, a list of files, or a pattern such as waves/*.sav")
    title: Labels = {}
    reader: dict[str, Any] = {}
    codebook: str | None = None
    respondent: str | None = None
    date: str | None = None
    wave: Wave | None = None
    design: Design = Design()
    missing: Annotated[tuple[Missing, ...], BeforeValidator(_missing)] = ()
    outcomes: dict[str, Annotated[Outcome, BeforeValidator(_outcome)]] = {}
    drivers: Annotated[dict[str, Names], BeforeValidator(_blocks)] = {}
    layers: dict[str, Names] = {}
    model: str | dict[str, Any] | None = None
    journey: tuple[Stage, ...] = ()
    segments: Names = ()
    comments: Names = ()
    marker: str | None = None
    renewal: str | None = None
    tables: dict[str, Table] = {}
    targets: dict[str, float] = {}
    derived: dict[str, str] = {}
    recoded: dict[str, Recode] = {}
    items: dict[str, ItemPart] = {}
    quality: Quality = Quality()
    labels: dict[str, Labels] = {}

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, value: Any) -> Any:
        """A section without contents (``segments:``) is as good as none."""
        if not isinstance(value, dict):
            return value
        return {k: v for k, v in value.items() if v is not None or k in ("study", "data") or k not in cls.model_fields}


def validate(located: Located) -> tuple[StudyFile | None, list[Problem]]:
    """Validate a document; the study that comes back lacks the parts that are faulty.

    Returns
    -------
    study : StudyFile or None
        What can be read, for the checks that follow; None if hardly anything can.
    problems : list of Problem
    """
    if not isinstance(located.data, dict):
        what = "is empty" if located.data is None else "is not a mapping of keys to values"
        return None, [] if located.problems else [
            Problem(located.name, 1, f"the file {what}; start with study: and data:.")
        ]
    data, problems = copy.deepcopy(located.data), None
    for _ in range(12):  # what is cut away may leave a required key without value, so several rounds
        try:
            return StudyFile.model_validate(data), problems or []
        except ValidationError as error:
            faults = error.errors(include_url=False)
        if problems is None:
            problems = list(dict.fromkeys(_worded(located, dict(f)) for f in faults))
        for fault in faults:
            _cut(located, data, dict(fault))
    return None, problems or []


_NEEDED = {
    "string_type": "a text", "float_type": "a number", "float_parsing": "a number", "finite_number": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false", "dict_type": "a mapping (key: value)",
    "tuple_type": "a list", "too_short": "a pair such as [0, 10]", "too_long": "a pair such as [0, 10]",
}  # fmt: skip


def _worded(located: Located, fault: dict[str, Any]) -> Problem:
    """Say a pydantic error in the words of the study file."""
    path = tuple(step for step in fault["loc"] if step != "[key]")
    kind, got = fault["type"], fault["input"]
    if kind == "missing" and isinstance(path[-1], int):
        path, kind = path[:-1], "too_short"
        got = _reach(located.data, located.real(path))
    if kind in ("extra_forbidden", "invalid_key"):
        fields = _keys(_model_at(path[:-1]))
        owner = located.shown(path[:-1])
        return located.problem(
            path, f"is not a key of {owner or 'a study'}; allowed: {', '.join(fields)}{nearest(path[-1], fields)}."
        )
    if kind == "missing":
        model = _model_at(path[:-1])
        why = next(f.description for n, f in model.model_fields.items() if (f.alias or n) == path[-1])
        subject = _called(located, path[:-1])
        return Problem(located.name, located.line(path[:-1]), f"{subject} has no {path[-1]!r} ({why}).")
    if kind == "language":
        return located.problem(
            path, f"is not a language that cxlab speaks; allowed: {', '.join(map(repr, LANGUAGES))}."
        )
    if kind == "literal_error":
        allowed = list(_literals(path))
        return located.problem(
            path, f"is {_brief(got)}; allowed: {', '.join(map(repr, allowed))}{nearest(got, allowed)}."
        )
    if kind in ("scale", "code", "stage"):
        return located.problem(path, f"is {_brief(got)}; {fault['msg']}.")
    if kind in ("model_type", "model_attributes_type"):
        fields = _keys(_model_at(path))
        return located.problem(path, f"is {_brief(got)}; a mapping is needed with the keys {', '.join(fields)}.")
    needed = _NEEDED.get(kind)
    return located.problem(
        path, f"is {_brief(got)}; {needed} is needed." if needed else f"is {_brief(got)}; {fault['msg']}."
    )


def _brief(value: Any) -> str:
    text = "empty" if value is None else repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _called(located: Located, path: tuple[Any, ...]) -> str:
    """Path of a mapping with its own name, if it has one: ``journey[0].touchpoints[1] ('parking')``."""
    part = located.data
    for step in located.real(path):
        part = part[int(step)] if isinstance(part, list) else next(v for k, v in part.items() if str(k) == step)
    name = next((part[k] for k in ("name", "stage") if isinstance(part, dict) and isinstance(part.get(k), str)), None)
    return (located.shown(path) or "the study") + (f" ({name!r})" if name else "")


def _field(model: type[BaseModel], key: Any) -> Any:
    return next((f.annotation for n, f in model.model_fields.items() if (f.alias or n) == key), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [f.alias or n for n, f in model.model_fields.items()]


def _inside(annotation: Any) -> Any:
    """The model or closed list of values in an annotation such as ``dict[str, Names]`` or ``Scale | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [_inside(a) for a in get_args(annotation)]
    return next((f for f in found if f is not None), None)


def _model_at(path: tuple[Any, ...]) -> type[BaseModel]:
    model: type[BaseModel] = StudyFile
    for step in path:
        inner = _inside(_field(model, step))
        model = inner or model
    return model


def _literals(path: tuple[Any, ...]) -> tuple[Any, ...]:
    found = _field(_model_at(path[:-1]), path[-1])
    choices = [a for a in (found, *get_args(found)) if getattr(a, "__origin__", None) is Literal]
    return get_args(choices[0]) if choices else ()


def _cut(located: Located, data: Any, fault: dict[str, Any]) -> None:
    """Take a faulty part out of ``data`` in place, so that list positions and neighbours stay for the next checks."""
    loc = tuple(step for step in fault["loc"] if step != "[key]")
    if fault["type"] in ("missing", "literal_error") and isinstance(loc[-1], str):
        parent = _reach(data, located.real(loc[:-1]))
        if isinstance(parent, dict):
            parent[loc[-1]] = [] if loc[-1] == "touchpoints" else next(iter(_literals(loc)), ABSENT)
            return
    path = located.real(loc[:-1] if fault["type"] == "missing" else loc)
    while path:
        parent = _reach(data, path[:-1])
        keys = [k for k in parent if str(k) == path[-1]] if isinstance(parent, dict) else []
        if keys and parent[keys[0]] != ABSENT:
            del parent[keys[0]]
            return
        if isinstance(parent, list) and int(path[-1]) < len(parent):
            blank: Any = {} if fault["type"].startswith("model") else ABSENT
            if parent[int(path[-1])] != blank:
                parent[int(path[-1])] = blank
                return
        path = path[:-1]


def _reach(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(data, Mapping):
            data = next((v for k, v in data.items() if str(k) == step), None)
        elif isinstance(data, list) and int(step) < len(data):
            data = data[int(step)]
    return data
