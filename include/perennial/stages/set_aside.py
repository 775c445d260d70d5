"""Nights whose feed looked broken: kept out of references and training sets until corrected or released.

The monitor sets a night aside with its diagnosis, in the ledger's own words. It is free again once its file is
delivered anew, once a later look at it finds no fault, or once a person releases it (``stages/steering.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from perennial.clock import Night, after
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.policies.triage import Diagnosis
from perennial.stages import datasets
from perennial.stages.recording import record_again
from perennial.workspace import Workspace

SET_ASIDE, FREED = "nights_set_aside", "nights_freed"
RELEASED = "night_released"
ACCEPTED_NIGHTS = 56
"""Nights for which a released fault is no fault: by then they are the reference themselves."""


def set_aside(workspace: Workspace, model: str, *, by: Night | None = None) -> frozenset[Night]:
    """Return the nights that were set aside, up to the end of a night if one is given, and are not free again."""
    return frozenset(night for night, word in _words(workspace, model, by) if _stands(workspace, night, word))


def judge_nights(workspace: Workspace, model: str, night: Night, diagnosis: Diagnosis | None) -> None:
    """Set aside the nights that tonight's diagnosis found broken, and free those that it finds so no longer.

    A night that a person released stays free.
    """
    released = {key for key, word in _words(workspace, model, night) if word.kind == RELEASED}
    found = diagnosis.set_aside if diagnosis else ()
    nights = [key for key in found if key not in released]
    asked = workspace.ledger.entries(model, {SET_ASIDE, FREED}, first_night=night, last_night=night)
    if not nights and (not asked or asked[-1].kind == FREED):
        return
    kind = SET_ASIDE if nights else FREED
    evidence: dict[str, Json] = {
        "nights": {key: _deliveries(workspace, model, key) for key in nights},
        "faults": diagnosis.evidence.get("faults", []) if diagnosis and nights else [],
    }
    said = _set_aside_sentence(nights, diagnosis) if nights and diagnosis else _freed_sentence(asked[-1])
    new = NewEntry(model, kind, night, night, "monitor", said, evidence)
    record_again(workspace, new, among=(SET_ASIDE, FREED))


def accepted_faults(workspace: Workspace, model: str, night: Night) -> frozenset[tuple[str, str]]:
    """Return the signs, with their columns, of nights that a person released lately: that is how it is now."""
    last = after(night, -1)
    released = {
        entry.night
        for entry in workspace.ledger.entries(
            model, {RELEASED}, first_night=after(night, -ACCEPTED_NIGHTS), last_night=last
        )
    }
    return frozenset(
        (str(fault["sign"]), str(fault["column"]))
        for entry in workspace.ledger.entries(model, {SET_ASIDE}, last_night=last)
        if released & set(_nights(entry))
        for fault in _faults(entry)
    )


def _words(workspace: Workspace, model: str, by: Night | None) -> Iterator[tuple[Night, Entry]]:
    """Say what was said last of each night."""
    said: dict[Night, Entry] = {}
    for entry in workspace.ledger.entries(model, {SET_ASIDE, FREED, RELEASED}, last_night=by):
        if entry.kind == RELEASED:
            said |= {entry.night: entry} if entry.night in said else {}
            continue
        # What is said again of the same night's diagnosis takes the place of what was said before.
        said = {key: word for key, word in said.items() if word.night != entry.night or word.kind == RELEASED}
        said |= dict.fromkeys(_nights(entry), entry)
    yield from said.items()


def _stands(workspace: Workspace, night: Night, word: Entry) -> bool:
    return word.kind == SET_ASIDE and _nights(word)[night] == _deliveries(workspace, word.model, night)


def _nights(entry: Entry) -> Mapping[Night, Any]:
    found: Any = entry.evidence.get("nights", {})
    return found if isinstance(found, Mapping) else {}


def _faults(entry: Entry) -> list[Mapping[str, Any]]:
    found: Any = entry.evidence.get("faults", [])
    return list(found)


def _deliveries(workspace: Workspace, model: str, night: Night) -> dict[str, Json]:
    """Identify what was delivered for a night, without its labels: a late label mends no feed."""
    spec = workspace.spec(model)
    found: dict[str, Json] = {}
    for source in spec.sources:
        if source == spec.label.source and source != spec.rows_source:
            continue
        manifest = workspace.store.manifest(datasets.table(model, source), night)
        found[source] = manifest.content if manifest else None
    return found


def _set_aside_sentence(nights: list[Night], diagnosis: Diagnosis) -> str:
    which = nights[0] if len(nights) == 1 else f"{len(nights)} nights from {nights[0]} to {nights[-1]}"
    return (
        f"{which} will be in no reference and no training set until delivered anew or released. "
        f"{diagnosis.reason}"
    )


def _freed_sentence(before: Entry) -> str:
    return f"No longer kept out: {', '.join(sorted(_nights(before)))}, whose feed looks as usual now."
