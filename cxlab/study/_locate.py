"""YAML with places: plain data, and the line on which every key and list entry stands.

Scalars follow YAML 1.2: ``Yes``, ``No`` and ``on`` are texts (they are common value labels), ``010`` is a
text, ``2025-12-01`` is a text. Only ``true`` and ``false`` are booleans.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

KeyPath = tuple[str | int, ...]

_RESOLVERS = {
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    "float": (r"^[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$", "-+0123456789."),
}


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers = {  # noqa: RUF012 – PyYAML reads it as a class attribute
        first: [(tag, rule) for tag, rule in rules if tag.endswith((":null", ":merge"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


for _name, (_rule, _first) in _RESOLVERS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_rule), list(_first))


class Problem(NamedTuple):
    """One fault: file, line (0 where it belongs to the whole file) and what is wrong; sorts by place."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


@dataclass(frozen=True)
class Located:
    """A YAML document and where its parts stand.

    Attributes
    ----------
    name : str
        File name as problems show it.
    data : mapping, list or scalar
    places : mapping of key path (as texts) to (line, key path as people write it, ``drivers.value[2]``)
    problems : tuple of Problem
        Syntax errors, duplicate keys, keys that are no texts or numbers.
    """

    name: str
    data: Any
    places: Mapping[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def real(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """Nearest path that stands in the file.

        Steps that the file leaves out (``items`` where the short form of an outcome is used) are
        passed over.
        """
        found: tuple[str, ...] = ()
        for step in path:
            if (*found, str(step)) in self.places:
                found = (*found, str(step))
        return found

    def line(self, path: Sequence[str | int]) -> int:
        """Line of a path, or of the nearest thing that stands in the file."""
        return self.places.get(self.real(path), (1, ""))[0]

    def shown(self, path: Sequence[str | int]) -> str:
        """Path as people write it."""
        return self.places.get(self.real(path), (1, ""))[1]

    def problem(self, path: Sequence[str | int], text: str) -> Problem:
        """Word a problem of the thing at a path: the path is the subject of ``text``."""
        return Problem(self.name, self.line(path), f"{self.shown(path)} {text}".strip())


def locate(text: str, name: str) -> Located:
    """Parse YAML text; faults become problems, never exceptions."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, [error.context, error.problem]))
        hint = "; indent with spaces, not tabs" if "'\\t'" in said else ""
        return Located(name, None, {}, (Problem(name, mark.line + 1 if mark else 1, f"not valid YAML: {said}{hint}."),))
    except yaml.YAMLError as error:
        return Located(name, None, {}, (Problem(name, 1, f"not valid YAML: {error}."),))
    finally:
        loader.dispose()
    walker = _Walker(loader, name)
    data = walker.walk(node, (), "") if node is not None else None
    return Located(name, data, walker.places, tuple(walker.problems))


class _Walker:
    """Turns nodes into plain data and writes down the line of each."""

    def __init__(self, loader: _Loader, name: str) -> None:
        self.loader, self.name = loader, name
        self.places: dict[tuple[str, ...], tuple[int, str]] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()

    def walk(self, node: yaml.Node, path: tuple[str, ...], shown: str) -> Any:
        if id(node) in self._open:
            self.problems.append(Problem(self.name, self.places[path][0], f"{shown} refers to itself."))
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path, shown)
            if isinstance(node, yaml.SequenceNode):
                out = []
                for k, part in enumerate(node.value):
                    self.places[(*path, str(k))] = (part.start_mark.line + 1, f"{shown}[{k}]")
                    out.append(self.walk(part, (*path, str(k)), f"{shown}[{k}]"))
                return out
            return self._scalar(node, shown)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.Node, shown: str) -> Any:
        try:
            return self.loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError):
            self._fault(node, f"{shown} has the tag {node.tag!r}, which a study file cannot use.")
            return None

    def _mapping(self, node: yaml.MappingNode, path: tuple[str, ...], shown: str) -> dict[Any, Any]:
        own = [k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode)]
        self.loader.flatten_mapping(node)
        merged = len(node.value) - len([k for k in own if k != "<<"])
        out: dict[Any, Any] = {}
        seen: set[Any] = set()
        for position, (key_node, part) in enumerate(node.value):
            key = self._scalar(key_node, shown) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or isinstance(key, bool):
                self._fault(key_node, f"{shown or 'the file'} has a key that is neither text nor number.")
                continue
            here, label = (*path, str(key)), f"{shown}.{key}" if shown else str(key)
            if key in seen:
                first = self.places[here][0]
                self._fault(key_node, f"{label} stands here a second time (first on line {first}); keep one.")
                continue
            if position >= merged:  # what an anchor merges in may be overridden, what is written twice may not
                seen.add(key)
            self.places[here] = (key_node.start_mark.line + 1, label)
            out[key] = self.walk(part, here, label)
        return out

    def _fault(self, node: yaml.Node, text: str) -> None:
        self.problems.append(Problem(self.name, node.start_mark.line + 1, text))
