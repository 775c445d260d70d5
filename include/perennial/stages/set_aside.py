"""Nights whose feed looked broken: kept out of references and training sets until corrected or released.

The monitor sets a night aside with its diagnosis, in the ledger's own words, or, while inputs cannot be judged by their
past, with what the night shows by itself. It is free again once its file is delivered anew, once a later look at it
finds no fault, or once a person releases it (``stages/steering.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perennial.clock import Night, after
from perennial.facts.evidence import Json
from perennial.facts.first_signs import FirstSign
from perennial.ledger.base import Entry, NewEntry
from perennial.policies.triage import Diagnosis
from perennial.stages import datasets
from perennial.stages.recording import REVISION, record_again
from perennial.workspace import Workspace

SET_ASIDE, FREED = "nights_set_aside", "nights_freed"
RELEASED = "night_released"
GUARDS = " guards"
"""What the key of a line ends with that rests on first signs, and on no diagnosis."""
ACCEPTED_NIGHTS = 56
"""Nights for which a released fault is no fault: by then they are the reference themselves."""


def set_aside(workspace: Workspace, model: str, *, by: Night | None = None) -> frozenset[Night]:
    """Return the nights that were set aside, up to the end of a night if one is given, and are not free again."""
    return frozenset(night for night, word in _words(workspace, model, by) if _stands(workspace, night, word))


def judge_nights(workspace: Workspace, model: str, night: Night, diagnosis: Diagnosis | None) -> None:
    """Set aside the nights that tonight's diagnosis found broken, and free those that it finds so no longer.

    A night that a person released stays free.
    """
    nights = _not_released(workspace, model, night, diagnosis.set_aside if diagnosis else ())
    faults = diagnosis.evidence.get("faults", []) if diagnosis and nights else []
    reason = diagnosis.reason if diagnosis else ""
    _say(workspace, model, night, nights, faults, reason, key=night)


def judge_first_signs(workspace: Workspace, model: str, night: Night, broken: Sequence[FirstSign]) -> None:
    """Set a night aside for what it shows by itself, or free it where a later look shows nothing."""
    nights = _not_released(workspace, model, night, (night,) if broken else ())
    faults: list[Json] = [{"sign": one.kind, "column": one.column, "said": one.said} for one in broken]
    reason = f"{'; '.join(one.said for one in broken)}: no reference is needed to see that."
    _say(workspace, model, night, nights, faults if nights else [], reason, key=night + GUARDS)


def free_first_signs(workspace: Workspace, model: str, night: Night, nights: Sequence[Night]) -> None:
    """Free nights that were set aside for a sign that every night since has shown: so the column comes."""
    standing = dict(_words(workspace, model, after(night, -1), GUARDS))
    freed = [key for key in nights if key in standing and _stands(workspace, key, standing[key])]
    if freed:
        evidence: dict[str, Json] = {"nights": {key: _deliveries(workspace, model, key) for key in freed}}
        said = f"No longer kept out: {', '.join(freed)}, for every night came so since."
        new = NewEntry(model, FREED, f"{night}{GUARDS} usual", night, "monitor", said, evidence)
        record_again(workspace, new, among=(FREED,))


def _not_released(workspace: Workspace, model: str, night: Night, found: Sequence[Night]) -> list[Night]:
    released = {key for key, word in _words(workspace, model, night) if word.kind == RELEASED}
    return [key for key in found if key not in released]


def _say(
    workspace: Workspace,
    model: str,
    night: Night,
    nights: list[Night],
    faults: Json,
    reason: str,
    *,
    key: str,
) -> None:
    """Record which nights are kept out and why; that none is any more, only where some were."""
    asked = [
        entry
        for entry in workspace.ledger.entries(model, {SET_ASIDE, FREED}, first_night=night, last_night=night)
        if entry.key.partition(REVISION)[0] == key
    ]
    if not nights and (not asked or asked[-1].kind == FREED):
        return
    kind = SET_ASIDE if nights else FREED
    delivered: dict[str, Json] = {each: _deliveries(workspace, model, each) for each in nights}
    said = _set_aside_sentence(nights, reason) if nights else _freed_sentence(asked[-1])
    new = NewEntry(model, kind, key, night, "monitor", said, {"nights": delivered, "faults": faults})
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


def _words(
    workspace: Workspace, model: str, by: Night | None, question: str | None = None
) -> Iterator[tuple[Night, Entry]]:
    """Say what was said last of each night, by diagnoses and by first signs, or by one of them."""
    said: dict[tuple[Night, str], Entry] = {}
    for entry in workspace.ledger.entries(model, {SET_ASIDE, FREED, RELEASED}, last_night=by):
        if entry.kind == RELEASED:
            said |= {place: entry for place in said if place[0] == entry.night}
            continue
        asked = _question(entry)
        # What is said again of the same night's diagnosis takes the place of what was said before.
        said = {
            place: word
            for place, word in said.items()
            if word.kind == RELEASED or word.night != entry.night or place[1] != asked
        }
        said |= dict.fromkeys(((key, asked) for key in _nights(entry)), entry)
    yield from ((night, word) for (night, asked), word in said.items() if question in (None, asked))


def _question(entry: Entry) -> str:
    return GUARDS if GUARDS in entry.key else ""


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


def _set_aside_sentence(nights: list[Night], reason: str) -> str:
    which = nights[0] if len(nights) == 1 else f"{len(nights)} nights from {nights[0]} to {nights[-1]}"
    return f"{which} will be in no reference and no training set until delivered anew or released. {reason}"


def _freed_sentence(before: Entry) -> str:
    return f"No longer kept out: {', '.join(sorted(_nights(before)))}, whose feed looks as usual now."
