"""``{name: {parameters}}`` as an entry of a catalogue: how gates and checks are written in ``model.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticCustomError, to_json

from perennial.catalogue import find
from perennial.checks import checks
from perennial.errors import UnknownEntryError
from perennial.gates import gates

Entry = TypeVar("Entry", bound=BaseModel)


def named_check(value: object) -> object:
    """Read one check."""
    return _named(value, checks(), noun="check")


def named_gate(value: object) -> object:
    """Read one gate."""
    return _named(value, gates(), noun="gate")


def _named(value: object, among: Mapping[str, type[Entry]], *, noun: str) -> object:
    if isinstance(value, BaseModel):
        return value
    name, parameters = _split(value, noun)
    try:
        entry = find(name, among, noun=noun)
    except UnknownEntryError as error:
        raise PydanticCustomError("unknown_entry", "{said}", {"said": str(error)}) from error
    return entry.model_validate_json(to_json(parameters, inf_nan_mode="constants"), strict=True)


def _split(value: object, noun: str) -> tuple[str, object]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, parameters),) = value.items()
        return str(name), {} if parameters is None else parameters
    message = f"a {noun} is written as its name, or as one `name: {{parameters}}`"
    raise ValueError(message)
