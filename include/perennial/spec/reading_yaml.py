"""Text to plain values, each with its line and column: the first step of reading a ``model.yaml``.

YAML 1.2 without its dangers: no tags, no aliases, no duplicate keys, no deep nesting, no surprises
such as ``no`` for false. Dates stay text, numbers are finite, keys are names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from perennial.errors import (
    AliasInYamlError,
    DuplicateKeyError,
    EmptyYamlError,
    NotUtf8Error,
    SeveralDocumentsError,
    TabInYamlError,
    TagInYamlError,
    TooDeepYamlError,
    TooLargeYamlError,
    WrongYamlValueError,
    YamlSyntaxError,
)

LARGEST_BYTES = 256 * 1024
DEEPEST = 32

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""What YAML can say: nothing, yes or no, numbers, text, lists, and mappings by name."""
KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands: names of mappings and places in lists."""

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OPENED_TOO_OFTEN = re.compile(r"([\[{][ \n]*){33}")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Place:
    """Where a key (or, in a list, an item) stands, counted from 1, and what was written there."""

    line: int
    column: int
    written: str | None = None
    """The value's own letters, for a scalar."""


@dataclass(frozen=True)
class Document:
    """The values of a file, and the place of each."""

    values: dict[str, Plain]
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place:
        """Return where ``path`` stands; of a missing one, where its nearest parent does."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))

    def at(self, path: KeyPath) -> Plain:
        """Return the value at ``path``, None when there is none."""
        node: Plain = self.values
        for step in path:
            if isinstance(node, dict) and step in node:
                node = node[str(step)]
            elif isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
                node = node[step]
            else:
                return None
        return node


def read_yaml(file: Path) -> Document:
    """Read a file, or raise the one `UnreadableYamlError` that says why not, and where."""
    if not file.is_file():
        raise EmptyYamlError(f"There is no {file.name} in this folder.")
    size = file.stat().st_size
    if size > LARGEST_BYTES:
        raise TooLargeYamlError(f"The file has {size:,} bytes.")
    return parse_yaml(_text(file.read_bytes()))


def parse_yaml(text: str) -> Document:
    """Turn text into values with their places, or raise the `UnreadableYamlError` that says why not."""
    _refuse_letters(text)
    composer = _Composer()
    for event in _events(text):
        composer.take(event)
    if composer.root is None:
        raise EmptyYamlError("The file is empty.")
    if not isinstance(composer.root, dict):
        found = "a list" if isinstance(composer.root, list) else "a single value"
        raise YamlSyntaxError(f"The file holds {found}, not `name: value` lines.")
    return Document(composer.root, composer.places)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotUtf8Error(f"Byte {error.start} is not UTF-8.", line) from error


def _refuse_letters(text: str) -> None:
    if "\0" in text:
        raise NotUtf8Error("The file holds zero bytes, as UTF-16 does.")
    if "\t" in text:
        before = text[: text.index("\t")]
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        raise TabInYamlError(f"Tabs cannot indent YAML (line {line}).", line, column)
    if opened := _OPENED_TOO_OFTEN.search(text):  # before the scanner, which is slow on brackets
        line = text.count("\n", 0, opened.start()) + 1
        raise TooDeepYamlError(f"Nested deeper than {DEEPEST} levels.", line)


def _events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        endless = "end of stream" in str(error.problem) and error.context_mark
        mark = error.context_mark if endless else error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise YamlSyntaxError(_explained(error, text, line, column), line + 1, column + 1) from error
    except YAMLError as error:
        raise YamlSyntaxError(f"{str(error).splitlines()[0].capitalize()}.") from error


def _explained(error: Any, text: str, line: int, column: int) -> str:
    said = "; ".join(str(part) for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    shown = lines[line][:200] if line < len(lines) else ""
    caret = f"\n    {shown}\n    {' ' * min(column, 200)}^\n" if shown else ""
    return f"{said[:1].upper()}{said[1:]}.{caret}"


@dataclass
class _Open:
    """A list or mapping whose end has not been seen yet."""

    path: KeyPath
    value: list[Plain] | dict[str, Plain]
    key: str | None = None


@dataclass
class _Composer:
    """Builds the values from the parser's events, without recursion, so that depth is refused at once."""

    root: Plain = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)
    documents: int = 0

    def take(self, event: Any) -> None:
        """Take one event of ruamel.yaml's parser."""
        kind = type(event).__name__
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        _refuse_event(event, kind, line, column)
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise SeveralDocumentsError("A second document starts here (`---`).", line, column)
        elif kind == "ScalarEvent":
            self._scalar(event, line, column)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._start({} if kind == "MappingStartEvent" else [], line, column)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self.open.pop()

    def _scalar(self, event: Any, line: int, column: int) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event.value, line, column)
            return
        value = _meaning(event.value, line, column) if not event.style else event.value
        path = self._put(value, line, column)
        place = self.places.get(path, Place(line, column))
        self.places[path] = Place(place.line, place.column, event.value)

    def _key(self, top: _Open, name: str, line: int, column: int) -> None:
        path = (*top.path, name)
        if name in top.value:
            first = self.places[path].line
            raise DuplicateKeyError(f"`{name}` is written twice, in lines {first} and {line}.", line, column)
        top.key = name
        self.places[path] = Place(line, column)

    def _start(self, value: list[Plain] | dict[str, Plain], line: int, column: int) -> None:
        if len(self.open) >= DEEPEST:
            raise TooDeepYamlError(f"Nested deeper than {DEEPEST} levels.", line, column)
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise WrongYamlValueError("A key is a list or a mapping.", line, column)
        path = self._put(value, line, column)
        self.open.append(_Open(path, value))

    def _put(self, value: Plain, line: int, column: int) -> KeyPath:
        """Put a value where it belongs and return its path."""
        if not self.open:
            self.root = value
            return ()
        top = self.open[-1]
        if isinstance(top.value, list):
            path: KeyPath = (*top.path, len(top.value))
            top.value.append(value)
            self.places[path] = Place(line, column)
            return path
        path = (*top.path, str(top.key))
        top.value[str(top.key)] = value
        top.key = None
        return path


def _refuse_event(event: Any, kind: str, line: int, column: int) -> None:
    if kind == "AliasEvent" or getattr(event, "anchor", None) is not None:
        sign = "*" if kind == "AliasEvent" else "&"
        raise AliasInYamlError(f"Anchors and aliases are not allowed (`{sign}{event.anchor}`).", line, column)
    if getattr(event, "tag", None) is not None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        raise TagInYamlError(f"Tags are not allowed (`{tag}`).", line, column)


def _meaning(written: str, line: int, column: int) -> Plain:
    """Return what a plain scalar means by the core schema of YAML 1.2; dates stay text."""
    if written in _NULL:
        return None
    if written in _TRUE or written in _FALSE:
        return written in _TRUE
    if _ENDLESS.fullmatch(written) or len(written) > LARGEST_BYTES:
        raise WrongYamlValueError(f"`{written}` is not a finite number.", line, column)
    return _number(written, line, column)


def _number(written: str, line: int, column: int) -> Plain:
    if _BASED.fullmatch(written):
        return int(written[2:], 8 if written[1] == "o" else 16)
    if not _NUMBER.fullmatch(written):
        return written
    number = float(written)
    if not math.isfinite(number) or len(written) > 400:  # noqa: PLR2004 - no float has more digits
        raise WrongYamlValueError(f"`{written[:40]}` is not a finite number.", line, column)
    return int(written) if _INTEGER.fullmatch(written) else number
