"""Publish quarantined rows that a person accepts: what a check refused, never what could not be read.

Accepted rows join their night's table; a whole correction that was held back takes the place of it. Where later
nights have used that table already, they are known from the newest night on, as any correction is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, end_of
from perennial.errors import (
    NotAcceptableError,
    NotInQuarantineError,
    NotPublishedError,
    NotRowsError,
    UnknownEntryError,
)
from perennial.facts.batch import ROW, RawBatch
from perennial.facts.evidence import Json
from perennial.ledger.base import NewEntry
from perennial.spec.source import SourceSpec
from perennial.stages import datasets, held_corrections
from perennial.stages.recording import record
from perennial.stages.tables import tables
from perennial.stages.validate import close_night
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SHOWN = 5
"""Rows that a refusal names."""


@dataclass(frozen=True)
class Accepted:
    """What accepting came to."""

    source: str
    night: Night
    rows: tuple[int, ...]
    """Lines of the delivery that are published now."""
    left: int
    """Rows that stay in quarantine."""
    reason: str
    """The sentence of the ledger."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def accept_as_asked(
    workspace: Workspace, model: str, night: Night, source: str, rows: str, *, reason: str, actor: str
) -> Accepted:
    """Accept what a person wrote: ``3,7`` by number, ``all``, or ``held`` for a correction that waits.

    Raises:
        NotRowsError: it is none of these.
    """
    asked = rows.strip()
    if asked == "held":
        return accept_correction(workspace, model, night, source, reason=reason, actor=actor)
    try:
        numbers = None if asked == "all" else [int(each) for each in asked.split(",")]
    except ValueError:
        raise NotRowsError(rows) from None
    return accept(workspace, model, night, source, numbers, reason=reason, actor=actor)


def accept(
    workspace: Workspace,
    model: str,
    night: Night,
    source: str,
    rows: Collection[int] | None,
    *,
    reason: str,
    actor: str,
) -> Accepted:
    """Publish these rows of a night's quarantine, all of them for ``None``, and close the night anew.

    Raises:
        NotInQuarantineError: there is no such row.
        CorrectionWaitsError: "all" is asked for, and a correction of the night waits as a whole.
        NotAcceptableError: some cannot be read, placed in time or told apart by their key; nothing is published.
    """
    declared = _declared(workspace, model, source)
    if rows is None:
        held_corrections.refuse_while_waiting(workspace, model, source, night)
    aside = _quarantined(workspace, model, source, night)
    there = aside["row"].to_pylist()
    wanted = sorted(there if rows is None else rows)
    missing = [row for row in wanted if row not in there]
    if missing or not wanted:
        raise NotInQuarantineError(source, night, f"row {', '.join(map(str, missing)) or 'left'}", there)
    accepted = _read(workspace, model, source, night, _originals(aside, wanted))
    _publish(workspace, model, source, night, accepted, declared)
    left = aside.filter(_without(aside, wanted))
    workspace.store.publish(datasets.quarantine(model, source), night, left)
    _close_anew(workspace, model, night)
    told = f"accepted {len(wanted)} quarantined rows of {source} on {night}: {reason} {left.num_rows} stay in quarantine."
    return _recorded(
        workspace, model, Accepted(source, night, tuple(wanted), left.num_rows, told), reason, actor
    )


def accept_correction(
    workspace: Workspace, model: str, night: Night, source: str, *, reason: str, actor: str
) -> Accepted:
    """Publish the correction of a night that was held back, whole, in the place of what is published.

    Raises:
        NotInQuarantineError: no correction of that night waits.
        NotAcceptableError: some of its rows cannot be read, placed in time or told apart by their key; nothing is published.
    """
    declared = _declared(workspace, model, source)
    held = held_corrections.waiting(workspace, model, source, night)
    if held is None:
        raise NotInQuarantineError(source, night, "correction that waits", [])
    wanted = held["row"].to_pylist()
    corrected = _read(workspace, model, source, night, _originals(held, wanted))
    before = held_corrections.standing(workspace, model, source, night)
    told = f"accepted the correction of {source} for {night} that was held back: {reason} "
    told += f"{held_corrections.difference(before, corrected, declared)}."
    _replace(workspace, model, source, night, corrected)
    for key in (night, held_corrections.key_of(night)):
        workspace.store.publish(datasets.quarantine(model, source), key, held.slice(0, 0))
    _close_anew(workspace, model, night)
    return _recorded(workspace, model, Accepted(source, night, tuple(wanted), 0, told), reason, actor)


def _close_anew(workspace: Workspace, model: str, night: Night) -> None:
    if workspace.store.version(datasets.nights(model), night):
        close_night(workspace, model, night)


def _declared(workspace: Workspace, model: str, source: str) -> SourceSpec:
    sources = workspace.spec(model).sources
    if source not in sources:
        raise UnknownEntryError(noun=f"source of {model}", name=source, meant=None, known=list(sources))
    return sources[source]


def _quarantined(workspace: Workspace, model: str, source: str, night: Night) -> pa.Table:
    try:
        return workspace.store.read(datasets.quarantine(model, source), night)
    except NotPublishedError:
        raise NotInQuarantineError(source, night, "rows", []) from None


def _originals(aside: pa.Table, wanted: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = zip(aside["row"].to_pylist(), aside["original"].to_pylist(), strict=True)
    return {row: json.loads(text) for row, text in rows if row in wanted}


def _without(aside: pa.Table, rows: Sequence[int]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.invert(pc.is_in(aside["row"], value_set=pa.array(rows, pa.int64())))


def _read(
    workspace: Workspace, model: str, source: str, night: Night, originals: Mapping[int, Mapping[str, Any]]
) -> pa.Table:
    """Clean and cast the rows as their delivery was; only its checks are not asked again."""
    from perennial.engine.intake_casting import cast
    from perennial.engine.intake_cleaning import clean
    from perennial.engine.intake_keys import deduplicate, note_missing_keys, place_in_time, with_known_at
    from perennial.engine.intake_quarantine import Faults
    from perennial.engine.intake_schema import match_columns

    spec, faults = workspace.spec(model), Faults()
    declared = spec.sources[source]
    for row in [row for row, values in originals.items() if list(values) == ["line"]]:
        faults.add(row, "line", "the line is no row")
    raw = _as_batch(
        source, night, {row: values for row, values in originals.items() if row not in faults.by_row}
    )
    cleaned, _ = clean(match_columns(raw, declared).table, declared)
    typed = cast(cleaned, declared, timezone=spec.timezone, faults=faults)
    note_missing_keys(faults.spared(typed), declared, faults)
    place_in_time(faults.spared(typed), declared, night=night, timezone=spec.timezone, faults=faults)
    single, _ = deduplicate(faults.spared(typed), declared, faults)
    if faults.by_row:
        told = [f"row {row}: {found[0].reason}" for row, found in sorted(faults.by_row.items())]
        more = [f"and {len(told) - MOST_SHOWN} rows more"] if len(told) > MOST_SHOWN else []
        raise NotAcceptableError(source, night, [*told[:MOST_SHOWN], *more])
    return with_known_at(single, declared, end_of(night, spec.timezone), spec.timezone)


def _as_batch(source: str, night: Night, originals: Mapping[int, Mapping[str, Any]]) -> RawBatch:
    import pyarrow as pa

    names = list(dict.fromkeys(name for values in originals.values() for name in values))
    columns: dict[str, pa.Array] = {
        name: pa.array([values.get(name) for values in originals.values()], pa.string()) for name in names
    }
    table = pa.table({ROW: pa.array(list(originals), pa.int64()), **columns})
    return RawBatch(source, night, "quarantine", table, sha256="", size_bytes=0)


def _publish(
    workspace: Workspace, model: str, source: str, night: Night, accepted: pa.Table, declared: SourceSpec
) -> None:
    """Put the rows beside those of their night; of a delivery that was held back whole they are the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from perennial.engine.revision import revise

    dataset = datasets.table(model, source)
    token = workspace.store.version(dataset, night)
    manifest = workspace.store.manifest(dataset, night)
    meta: dict[str, Any] = {"sha256": _delivery(workspace, model, source, night)}
    table = accepted
    if manifest is not None:
        (before,) = tables(workspace, model, source, [night])
        standing = before.filter(pc.is_null(before["superseded_at"]))
        _refuse_twins(source, night, standing, accepted, declared)
        table = pa.concat_tables([standing, accepted])
        newest = workspace.store.keys(dataset)[-1]
        if newest > night and declared.key:
            table = revise(before, table, known_at=end_of(newest, workspace.spec(model).timezone))
        meta = dict(manifest.meta)
    done = list(meta.get("accepted_rows", ()))
    meta["accepted_rows"] = [*done, accepted.num_rows]
    workspace.store.publish(dataset, night, table, meta=meta, token=token)


def _replace(workspace: Workspace, model: str, source: str, night: Night, corrected: pa.Table) -> None:
    """Put a correction in the place of a night's rows, as if its delivery had been taken in."""
    dataset = datasets.table(model, source)
    token = workspace.store.version(dataset, night)
    manifest = workspace.store.manifest(dataset, night)
    table = held_corrections.supersede(workspace, model, source, night, corrected)
    kept = {name: value for name, value in (manifest.meta if manifest else {}).items() if name == "precedes"}
    meta = {
        **kept,
        "sha256": _delivery(workspace, model, source, night),
        "accepted_rows": [corrected.num_rows],
    }
    workspace.store.publish(dataset, night, table, meta=meta, token=token)


def _delivery(workspace: Workspace, model: str, source: str, night: Night) -> str:
    """Identify the delivery that was held back whole, so that taking it in again finds it done."""
    told = workspace.ledger.entries(model, {"quarantined"}, first_night=night, last_night=night)
    shas = [str(entry.evidence["sha256"]) for entry in told if entry.evidence.get("source") == source]
    return shas[-1] if shas else ""


def _refuse_twins(
    source: str, night: Night, standing: pa.Table, accepted: pa.Table, declared: SourceSpec
) -> None:
    if not declared.key:
        return
    known = {tuple(row.values()) for row in standing.select(declared.key).to_pylist()}
    twins = [
        key for row in accepted.select(declared.key).to_pylist() if (key := tuple(row.values())) in known
    ]
    if twins:
        told = [
            f"a published row has the key {' '.join(map(str, key))} already" for key in twins[:MOST_SHOWN]
        ]
        raise NotAcceptableError(source, night, told)


def _recorded(workspace: Workspace, model: str, done: Accepted, said: str, actor: str) -> Accepted:
    evidence: dict[str, Json] = {"source": done.source, "rows": list(done.rows), "said": said}
    sentence = f"{actor} {done.reason}"
    before = workspace.ledger.entries(model, {"rows_accepted"}, first_night=done.night, last_night=done.night)
    key = f"{done.night}-{done.source}-{len(before) + 1}"
    entry = NewEntry(model, "rows_accepted", key, done.night, actor, sentence, evidence)
    record(workspace, entry)
    return replace(done, reason=sentence)
