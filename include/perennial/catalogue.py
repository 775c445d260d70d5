"""Folders you add a file to: each file is one entry, and its name is the name used in model.yaml.

Gates, detectors, checks, sources, channels, metrics and estimators are catalogues. An entry is the
one class of its file that derives from the catalogue's ``base.py``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from typing import TypeVar

from perennial.errors import UnknownEntryError

NOT_ENTRIES = {"base"}
Entry = TypeVar("Entry")


def entries(package: str, base: type[Entry]) -> dict[str, type[Entry]]:
    """List the entries of a catalogue, by file name."""
    folder = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder))
    return {name: _only_entry(f"{package}.{name}", base) for name in names if name not in NOT_ENTRIES}


def find(name: str, among: Mapping[str, type[Entry]], *, noun: str) -> type[Entry]:
    """Return the entry of that name, or say which name was probably meant."""
    if name in among:
        return among[name]
    near = difflib.get_close_matches(name, among, n=1)
    raise UnknownEntryError(noun=noun, name=name, meant=near[0] if near else None, known=list(among))


def _only_entry(module_name: str, base: type[Entry]) -> type[Entry]:
    module = importlib.import_module(module_name)
    (entry,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module_name
    ]
    return entry
