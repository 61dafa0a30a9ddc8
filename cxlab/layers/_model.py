"""The model of a path analysis: constructs, their indicators, and what leads to what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cxlab.errors import SurveyError, nearest

_LINE = re.compile(r"^\s*(?P<left>[^=~<#]+?)\s*(?P<sign>=~|<~|~)\s*(?P<right>[^=~<#]+?)\s*$")
_WIDE = str.maketrans("＝～＜＋＊", "=~<+*")  # as a Chinese keyboard writes the signs
_KEYS = ("items", "mode", "labels")
LAYERS = ("experience", "emotion", "behaviour")
Written = tuple[list["Construct"], list[tuple[str, str]]]


@dataclass(frozen=True)
class Construct:
    """Something that is not asked directly.

    Attributes
    ----------
    name : str
    indicators : tuple of str
        Items; of a higher-order construct the names of other constructs. Its own name is an item.
    mode : {"A", "B"}
        ``=~`` weights each indicator by its correlation (A), ``<~`` by regression (B).
    labels : mapping of language to str
    """

    name: str
    indicators: tuple[str, ...]
    mode: str = "A"
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class PathModel:
    """Constructs in an order in which every path goes forward.

    Attributes
    ----------
    constructs : tuple of Construct
    paths : tuple of pairs of str
        From, to; a name with a colon (``"Image:Value"``) is the product of two constructs.
    """

    constructs: tuple[Construct, ...]
    paths: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Constructs, in order."""
        return tuple(c.name for c in self.constructs)

    @property
    def products(self) -> tuple[str, ...]:
        """Moderating terms, such as ``"Image:Value"``."""
        return tuple(dict.fromkeys(start for start, _ in self.paths if ":" in start))

    def construct(self, name: str) -> Construct:
        """Look a construct up by name."""
        return next(c for c in self.constructs if c.name == name)

    def higher(self) -> tuple[str, ...]:
        """Constructs that are made of other constructs."""
        return tuple(c.name for c in self.constructs if _parts(c, self.names))

    @property
    def items(self) -> tuple[str, ...]:
        """Every item that measures something, once, in order."""
        return tuple(i for c in self.constructs for i in c.indicators if i not in _parts(c, self.names))

    def text(self) -> str:
        """The model in its own notation; reading it gives the same model.

        Examples
        --------
        >>> print(read_model("Joy =~ q1 + q2\\nStay =~ q3\\nStay ~ Joy").text())
        Joy =~ q1 + q2
        Stay =~ q3
        Stay ~ Joy
        """
        lines = [f"{c.name} {'=~' if c.mode == 'A' else '<~'} {' + '.join(c.indicators)}" for c in self.constructs]
        ends = dict.fromkeys(end for _, end in self.paths)
        return "\n".join([*lines, *(f"{e} ~ {' + '.join(s for s, to in self.paths if to == e)}" for e in ends)])


def read_model(text: str | Mapping[str, object]) -> PathModel:
    """Read a model from text or from a mapping such as a YAML file gives.

    Parameters
    ----------
    text : str or mapping
        Lines (or parts between semicolons) ``Construct =~ item + item`` (weights by correlation), ``Construct <~ item + item``
        (weights by regression), ``Construct ~ cause + cause + cause:moderator``; ``#`` starts a comment. A construct whose
        indicators are other constructs is of higher order. As a mapping: ``constructs`` (name → list of items, or
        ``{items, mode, labels}``) and ``paths`` (name → list of causes); there names may contain any sign but ``:`` and ``*``.

    Returns
    -------
    PathModel

    Raises
    ------
    SurveyError
        For a line or an entry that cannot be read, an unknown or repeated construct, an indicator in two constructs, a path
        from a construct to itself, a cycle, a product of more or less than two constructs, or a construct without a path.

    Examples
    --------
    >>> model = read_model("Value =~ PERV1 + PERV2\\nLoyalty =~ CUSL1 + CUSL3\\nLoyalty ~ Value")
    >>> model.names, model.paths
    (('Value', 'Loyalty'), (('Value', 'Loyalty'),))
    """
    return _checked(*_read(text))


def read_factors(text: str | Mapping[str, object]) -> PathModel:
    """Read a model as :func:`read_model` does; one without any path is a measurement model, whose constructs all correlate.

    Examples
    --------
    >>> read_factors("Value =~ PERV1 + PERV2\\nLoyalty =~ CUSL1 + CUSL3").names
    ('Value', 'Loyalty')
    """
    constructs, paths = _read(text)
    if paths:
        return _checked(constructs, paths)
    names = [c.name for c in constructs]
    _check_constructs(constructs, names)
    return PathModel(tuple(sorted(constructs, key=lambda c: bool(_parts(c, names)))), ())


def layer_model(layers: Mapping[str, Sequence[str]]) -> PathModel:
    """The 360 model: experience leads to emotion, both lead to behaviour.

    Raises
    ------
    SurveyError
        If fewer than two of the three layers are declared.
    """
    known = [name for name in LAYERS if layers.get(name)]
    if len(known) < 2:
        missing = [name for name in LAYERS if name not in known]
        raise SurveyError(
            f"model: the survey declares {len(known)} of the layers experience, emotion, behaviour; declare "
            f"{', '.join(missing)} under layers in study.yml, or pass model=."
        )
    constructs = [Construct(name, tuple(layers[name])) for name in known]
    paths = [(a, b) for i, a in enumerate(known) for b in known[i + 1 :]]
    return _checked(constructs, paths)


def _parts(construct: Construct, names: Iterable[str]) -> list[str]:
    """Indicators that are other constructs; a construct's own name is the item of that name."""
    return [i for i in construct.indicators if i in names and i != construct.name]


def _read(given: object) -> Written:
    if isinstance(given, Mapping):
        return _from_mapping(given)
    if isinstance(given, str):
        return _from_text(given)
    raise SurveyError(
        f"model is of type {type(given).__name__}; give text such as 'Construct =~ item + item', a mapping of constructs and paths, or the "
        "path of a YAML file."
    )


def _from_text(text: str) -> Written:
    constructs, paths = [], []
    lines = [(number, line.split("#", 1)[0]) for number, line in enumerate(text.splitlines(), 1)]
    for number, bare in ((number, part.strip()) for number, line in lines for part in re.split("[;；]", line)):
        if not bare:
            continue
        found = _LINE.match(bare) or _LINE.match(bare.translate(_WIDE))
        if found is None:
            raise SurveyError(
                f"model line {number} cannot be read: {bare!r}; write 'Construct =~ item + item' or 'Construct ~ cause + cause'."
            )
        left, sign, right = found["left"].strip(), found["sign"], _terms(found["right"])
        if sign == "~":
            paths += [(_product(cause), left) for cause in right]
        else:
            constructs.append(Construct(left, tuple(right), "A" if sign == "=~" else "B"))
    return constructs, paths


def _terms(text: str) -> list[str]:
    return [part.strip() for part in text.split("+") if part.strip()]


def _product(term: str) -> str:
    return ":".join(part.strip() for part in re.split(r"[:*]", term))


def _from_mapping(given: Mapping[str, object]) -> Written:
    unknown = [k for k in given if k not in ("constructs", "paths")]
    if unknown or not isinstance(given.get("constructs"), Mapping) or not isinstance(given.get("paths"), Mapping):
        raise SurveyError(
            f"model needs two mappings, constructs (name: items) and paths (name: causes); it has {', '.join(map(repr, given))}."
        )
    constructs = [_entry(str(name), said) for name, said in dict(given["constructs"]).items()]  # type: ignore[call-overload]
    paths = [
        (_product(cause), str(end))
        for end, causes in dict(given["paths"]).items()  # type: ignore[call-overload]
        for cause in _listed(causes, f"paths to {str(end)!r}")
    ]
    return constructs, paths


def _entry(name: str, said: object) -> Construct:
    """A construct as a mapping gives it."""
    found: Mapping[str, object] = said if isinstance(said, Mapping) else {"items": said}
    unknown = [k for k in found if k not in _KEYS]
    if unknown:
        shown = ", ".join(f"{k!r}{nearest(k, _KEYS)}" for k in unknown)
        raise SurveyError(
            f"model: construct {name!r} has {counted(len(unknown), 'unknown key')}: {shown}; allowed: {', '.join(_KEYS)}."
        )
    labels = found.get("labels") or {}
    if not isinstance(labels, (str, Mapping)):
        raise SurveyError(
            f"model: labels of construct {name!r} are {labels!r}; give a text, or a mapping such as {{en: …, zh: …}}."
        )
    labels = {"en": labels, "zh": labels} if isinstance(labels, str) else {str(k): str(v) for k, v in labels.items()}
    items = _listed(found.get("items"), f"indicators of {name!r}")
    return Construct(name, tuple(items), str(found.get("mode", "A")), labels)


def _listed(given: object, what: str) -> list[str]:
    """Names from one name or a list of names; numbers are names as well, as YAML reads ``1``."""
    if given is None:
        return []
    if isinstance(given, (str, int)):
        return [str(given)]
    if not isinstance(given, Sequence) or not all(isinstance(n, (str, int)) for n in given):
        raise SurveyError(f"model: {what} are {given!r}; give a name, or a list of names.")
    return [str(n) for n in given]


def _checked(constructs: list[Construct], paths: list[tuple[str, str]]) -> PathModel:
    names = [c.name for c in constructs]
    _check_constructs(constructs, names)
    _check_paths(paths, names)
    _check_parts(constructs, paths, names)
    order = _forward(names, paths, constructs)
    by_name = {c.name: c for c in constructs}
    return PathModel(tuple(by_name[n] for n in order), tuple(paths))


def _check_constructs(constructs: Sequence[Construct], names: Sequence[str]) -> None:
    if not constructs:
        raise SurveyError("model names no construct; write 'Construct =~ item + item'.")
    twice = _repeated(names)
    if twice:
        raise SurveyError(
            f"model defines {counted(len(twice), 'construct')} more than once: {', '.join(map(repr, twice))}."
        )
    for c in constructs:
        if re.search("[:*]", c.name):
            raise SurveyError(
                f"model: construct {c.name!r} has ':' or '*' in its name, which stand for products; rename it."
            )
        if c.mode not in ("A", "B"):
            raise SurveyError(f"model: construct {c.name!r} has mode {c.mode!r}; allowed: 'A', 'B'.")
        if not c.indicators:
            raise SurveyError(f"model: construct {c.name!r} has no indicator; name at least one item.")
        if 0 < len(_parts(c, names)) < len(c.indicators):
            raise SurveyError(
                f"model: construct {c.name!r} mixes items and constructs; a construct of constructs has no items."
            )
    used = [
        (i, i in _parts(c, names), c.name) for c in constructs for i in c.indicators
    ]  # as an item, or as a construct
    keys = [key[:2] for key in used]
    shared = sorted({i for i, is_part in keys if keys.count((i, is_part)) > 1})
    if shared:
        where = dict.fromkeys(name for i, _, name in used if i == shared[0])
        raise SurveyError(
            f"model: {counted(len(shared), 'indicator measures', 'indicators measure')} more than one construct, or one twice: {shared[0]!r} is in "
            f"{' and '.join(map(repr, where))}; an indicator belongs to one construct."
        )


def _check_paths(paths: Sequence[tuple[str, str]], names: Sequence[str]) -> None:
    if not paths:
        raise SurveyError("model has no path; write 'Construct ~ cause + cause'.")
    used = [part for start, end in paths for part in (*start.split(":"), end)]
    unknown = [n for n in dict.fromkeys(used) if n not in names]
    if unknown:
        shown = ", ".join(f"{n!r}{nearest(n, names)}" for n in unknown)
        raise SurveyError(f"model: {counted(len(unknown), 'name')} in paths that no construct has: {shown}.")
    for start, end in paths:
        factors = start.split(":")
        if len(factors) > 2 or len(set(factors)) < len(factors):
            raise SurveyError(
                f"model: the product {start!r} is not one of two different constructs; only the change of a path by one moderator is estimated."
            )
        alone = [part for part in start.split(":") if ":" in start and (part, end) not in paths]
        if alone:
            raise SurveyError(
                f"model: the product {start!r} leads to {end!r} without a path from {' and '.join(map(repr, alone))}; the change of a "
                "path is read beside the path itself: add it."
            )
    twice = _repeated([f"{':'.join(sorted(a.split(':')))} -> {b}" for a, b in paths])
    if twice:
        raise SurveyError(f"model names {counted(len(twice), 'path')} more than once: {', '.join(twice)}.")


def _check_parts(constructs: Sequence[Construct], paths: Sequence[tuple[str, str]], names: Sequence[str]) -> None:
    """A part of a construct has no path of its own: in the last stage only its whole is there."""
    whole = {i: c.name for c in constructs for i in _parts(c, names)}
    for start, end in paths:
        inside = [part for part in (*start.split(":"), end) if part in whole]
        if inside:
            raise SurveyError(
                f"model: the path {start!r} -> {end!r} uses {inside[0]!r}, which is a part of {whole[inside[0]]!r}; let the whole take the "
                "path, or leave the higher-order construct out."
            )
    deep = [c.name for c in constructs if c.name in whole and _parts(c, names)]
    if deep:
        raise SurveyError(
            f"model: {deep[0]!r} is both a part and made of parts; two orders of constructs are the most."
        )


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "path"), counted(2, "path"), counted(2, "path has", "paths have")
    ('1 path', '2 paths', '2 paths have')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _repeated(names: Iterable[str]) -> list[str]:
    names = list(names)
    return sorted({n for n in names if names.count(n) > 1})


def _forward(names: Sequence[str], paths: Sequence[tuple[str, str]], constructs: Sequence[Construct]) -> list[str]:
    """Constructs in an order in which every path goes forward; parts of a construct stand before it."""
    before = {n: {p for start, end in paths if end == n for p in start.split(":")} for n in names}
    parts = {i for c in constructs for i in _parts(c, names)}
    alone = [n for n in names if n not in parts and not before[n] and all(n not in s.split(":") for s, _ in paths)]
    if alone:
        raise SurveyError(
            f"model: {counted(len(alone), 'construct has', 'constructs have')} no path: {', '.join(map(repr, alone))}; connect "
            f"{'it, or leave it' if len(alone) == 1 else 'them, or leave them'} out."
        )
    for c in constructs:
        before[c.name] |= set(_parts(c, names))
    order: list[str] = []
    while len(order) < len(names):
        ready = [n for n in names if n not in order and before[n] <= set(order)]
        if not ready:
            circle = _cycle({n: before[n] - set(order) for n in names if n not in order})
            raise SurveyError(
                f"model has a cycle: {' -> '.join(circle)}; a path model goes one way: leave one of these paths out."
            )
        order.append(ready[0])
    return order


def _cycle(before: Mapping[str, set[str]]) -> list[str]:
    """One cycle, walked backwards from the first construct that has a cause left."""
    walk = [next(iter(before))]
    while walk.count(walk[-1]) == 1:
        walk.append(sorted(before[walk[-1]])[0])
    return list(reversed(walk[walk.index(walk[-1]) :]))


def with_products(model: PathModel) -> PathModel:
    """The model in which each product of constructs is a construct with a single indicator, named ``"A*B"``."""
    made = tuple(Construct(p, (p.replace(":", "*"),)) for p in model.products)
    return PathModel((*made, *model.constructs), model.paths)


def without_products(model: PathModel) -> PathModel:
    """The model with its plain paths alone."""
    return PathModel(model.constructs, tuple(p for p in model.paths if ":" not in p[0]))
