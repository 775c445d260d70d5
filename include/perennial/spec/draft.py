"""A model's folder as it was found: values with their places, before anything is believed about them.

Every check of the loader reads a draft and answers with problems; a value of the wrong kind is simply
not seen here, because the types are judged elsewhere.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perennial.errors import Problem
from perennial.spec.reading_yaml import Document, KeyPath, Plain

CODES = {
    "PER-1041": "A name that model.yaml does not know at this place.",
    "PER-1042": "Something that every model must say is missing.",
    "PER-1043": "A value of the wrong kind, outside its range, or not one of the allowed words.",
    "PER-1044": "A name that cannot name a model.",
    "PER-1045": "A column that the source does not list.",
    "PER-1046": "The label, or what it is computed from, is also a feature: the model would see the answer.",
    "PER-1047": "A schedule or time zone that does not exist, or never comes.",
    "PER-1048": "A place that rows may not be read from or written to.",
    "PER-1049": "A password in plain text.",
    "PER-1050": "A gate, check, estimator, metric or source that no file of the catalogue has.",
    "PER-1051": "An expression that cannot be read.",
    "PER-1052": "The folder's own Python file is missing or is not Python.",
    "PER-1053": "Two settings that contradict each other.",
    "PER-1054": "A column or view has a name that another one has already, or that the project needs itself.",
}
"""What each code of a `Problem` means: one entry of the reference each."""

_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^\s]*(?=@)")
_QUERY_SECRET = re.compile(
    r"([?&;](?:[\w.-]*(?:password|passwd|pwd|token|secret|apikey|api_key|accountkey|signature)|sig|key)=)[^&;\s]+",
    re.IGNORECASE,
)
_LONGEST_SHOWN = 80


def masked(text: str) -> str:
    """Hide what looks like a password in an address.

    >>> masked("postgresql://ana:s3cret@db/rides")
    'postgresql://ana:***@db/rides'
    """
    return _QUERY_SECRET.sub(r"\1***", _URL_PASSWORD.sub(r"\1***", text))


def holds_password(text: str) -> bool:
    """Tell whether an address carries a password or token."""
    return masked(text) != text


def dotted(path: KeyPath) -> str:
    """Write a path as people do.

    >>> dotted(("gates", 0, "slices", "tolerance"))
    'gates[0].slices.tolerance'
    """
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{_step(step)}" for step in path)
    return steps.removeprefix(".")


def _step(name: str) -> str:
    return name if name.isprintable() and name.strip() else json.dumps(name)


def shown(value: Plain) -> str:
    """Write a value as YAML would, short, on one line, and without passwords."""
    if isinstance(value, str):
        value = masked(value)
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= _LONGEST_SHOWN else f"{written[: _LONGEST_SHOWN - 1]}…"


def meant(name: str, known: Iterable[str]) -> str:
    """Say which of the known names was probably meant, and list them."""
    names = list(known)
    lowered = {each.lower(): each for each in reversed(names)}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f'Did you mean "{lowered[near[0]]}"? ' if near else ""
    listed = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")  # noqa: PLR2004 - one screen line or two
    return f"{hint}Known: {listed}." if names else hint.strip()


@dataclass(frozen=True)
class Draft:
    """The folder, the file as it is named in messages, and what stands in it."""

    folder: Path
    file: str
    document: Document

    def problem(self, path: KeyPath, message: str, fix: str = "", *, code: str) -> Problem:
        """State a problem with what stands at ``path``."""
        place = self.document.place(path)
        value = shown(self.document.at(path))
        return Problem(self.file, place.line, place.column, dotted(path), value, message, fix, code)

    def text(self, *path: str | int) -> str | None:
        """Return the text at ``path``, None if there is none."""
        value = self.document.at(path)
        return value if isinstance(value, str) else None

    def mapping(self, *path: str | int) -> Mapping[str, Plain]:
        """Return the mapping at ``path``, empty if there is none."""
        value = self.document.at(path)
        return value if isinstance(value, dict) else {}

    def texts(self, *path: str | int) -> Iterator[tuple[KeyPath, str]]:
        """List the texts of a list, or the keys of a mapping, each with its own path."""
        value = self.document.at(path)
        if isinstance(value, list):
            yield from (((*path, i), item) for i, item in enumerate(value) if isinstance(item, str))
        elif isinstance(value, dict):
            yield from (((*path, key), key) for key in value)
        elif isinstance(value, str):
            yield path, value

    def items(self, *path: str | int) -> Iterator[tuple[KeyPath, Plain]]:
        """List the items of a list, each with its path."""
        value = self.document.at(path)
        if isinstance(value, list):
            yield from (((*path, i), item) for i, item in enumerate(value))

    @property
    def rows(self) -> str | None:
        """Name of the source whose rows are scored, None if it cannot be told."""
        name = self.text("rows") or next(iter(self.mapping("sources")), None)
        return name if name in self.mapping("sources") else None

    def columns(self, source: str | None) -> list[str]:
        """Names of a source's columns."""
        return list(self.mapping("sources", source, "columns")) if source else []
