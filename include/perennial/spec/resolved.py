"""Every setting of a model, its value and where it came from: what ``perennial show --resolved`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from perennial.spec.draft import Draft, dotted, masked
from perennial.spec.load import draft_of, load
from perennial.spec.model import ModelSpec
from perennial.spec.reading_yaml import KeyPath
from perennial.spec.schema import description_of

DEFAULT = "default"


class Resolved(NamedTuple):
    """One setting."""

    path: str
    """Its name, as in `training.search.trials`."""
    value: Any
    """Its value, as plain data."""
    origin: str
    """`model.yaml:12`, or `default`, or what it is derived from."""
    description: str
    """What it means."""


def resolved(folder: Path) -> list[Resolved]:
    """List every setting of a model, written or not, in the order of the reference.

    Raises:
        BrokenModelError: the folder cannot be used.
    """
    spec, draft = load(folder), draft_of(folder)
    listed = [
        Resolved("name", spec.name, "name of the folder", ModelSpec.model_fields["name"].description or "")
    ]
    for field in ModelSpec.model_fields:
        if field != "name":
            listed.extend(_below((field,), getattr(spec, field), draft))
    return [_derived(each, spec) for each in listed]


def _below(path: KeyPath, value: Any, draft: Draft) -> Iterator[Resolved]:
    """Descend to plain values; a gate or check stands one step deeper, under its name."""
    if isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value):
        for i, each in enumerate(value):
            yield from _entry((*path, i), each, draft)
    elif isinstance(value, dict) and any(isinstance(each, BaseModel) for each in value.values()):
        for key, each in value.items():
            yield from _below((*path, key), each, draft)
    elif isinstance(value, BaseModel) and not isinstance(draft.document.at(path), str):
        for field in type(value).model_fields:
            yield from _below((*path, field), getattr(value, field), draft)
    else:
        yield Resolved(dotted(path), _plain(value, draft, path), _origin(path, draft), description_of(path))


def _entry(path: KeyPath, value: Any, draft: Draft) -> Iterator[Resolved]:
    name = entry_name(value)
    if name is None:
        yield from _below(path, value, draft)
        return
    if not type(value).model_fields:
        yield Resolved(dotted((*path, name)), {}, _origin(path, draft), description_of((*path, name)))
    for field in type(value).model_fields:
        yield from _below((*path, name, field), getattr(value, field), draft)


def entry_name(value: object) -> str | None:
    """Return the catalogue name of a gate or check, None for anything else."""
    from perennial.checks import checks
    from perennial.gates import gates

    known: dict[type, str] = {entry: name for name, entry in (*gates().items(), *checks().items())}
    return known.get(type(value))


def _plain(value: Any, draft: Draft, path: KeyPath) -> Any:
    if isinstance(value, BaseModel):
        written = draft.document.at(path)
        return written if written is not None else value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(each, draft, (*path, i)) for i, each in enumerate(value)]
    return masked(value) if isinstance(value, str) else value


def _origin(path: KeyPath, draft: Draft) -> str:
    place = draft.document.places.get(path)
    return f"model.yaml:{place.line}" if place else DEFAULT


def _derived(setting: Resolved, spec: ModelSpec) -> Resolved:
    """Show what stands behind a default that depends on other settings."""
    if setting.path == "rows" and not spec.rows:
        return setting._replace(value=spec.rows_source, origin="default: the first source")
    if setting.path == "training.metric" and spec.training.metric is None:
        return setting._replace(value=spec.metric, origin=f"default for {spec.task}")
    return setting
