"""Take in deliveries: gather, clean, check, set bad rows aside, publish the rest, and close the night.

The first work of a night. A source's partition is published whole or not at all; the night is closed when every
source that should have delivered has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, between
from perennial.errors import BatchRejectedError, NightNotCompleteError, SourceSilentError
from perennial.facts.batch import RawBatch
from perennial.facts.evidence import Json, as_text, fingerprint
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.arriving import bitemporal, precedes, seen
from perennial.stages.held_corrections import key_of
from perennial.stages.recording import record
from perennial.stages.steering import skipped
from perennial.stages.tables import refuse_another_form
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.intake import Intake, IntakePlan


@dataclass(frozen=True)
class TakenIn:
    """What taking a source in came to, over the nights asked for."""

    source: str
    nights: int
    """Nights published now; 0 when there was nothing new."""
    rows_in: int = 0
    published: int = 0
    quarantined: int = 0
    duplicates: int = 0
    said: tuple[str, ...] = field(default=())
    """What a person should know: new columns, nothing due."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def take_in_range(workspace: Workspace, model: str, source: str, first: Night, last: Night) -> TakenIn:
    """Take in a source's deliveries of the nights from ``first`` to ``last``, in one pass over them.

    A static table is read once and published under the first night when it has changed. A single night that
    should have come and has not raises ``SourceSilentError``, one that is held back ``BatchRejectedError``; in a
    range such a night is left out, said, and seen by the monitor. Nights before it that were taken in under
    another declaration, and cannot be read beside these, raise ``HistoryDiffersError`` before anything is published.
    """
    declared = workspace.spec(model).sources[source]
    due = [
        night
        for night in between(first, last)
        if declared.available is None or declared.available.holds(night)
    ]
    if not due:
        return TakenIn(source, 0, said=(f"{source} delivers nothing for {first} to {last}",))
    refuse_another_form(workspace, model, source, first)
    results = _taken(workspace, model, source, due, contract=first == last)
    if results is None:
        return TakenIn(source, 0, said=(f"{last} is skipped, and {source} has not come",))
    done = [result for result in results if result is not None]
    return TakenIn(
        source,
        nights=sum(not report.get("held") for report in done),
        rows_in=sum(int(report["rows_in"]) for report in done),
        published=sum(int(report["published"]) for report in done),
        quarantined=sum(int(report["quarantined"]) for report in done),
        duplicates=sum(int(report["duplicates"]) for report in done),
        said=tuple(dict.fromkeys(text for report in done for text in report["said"])),
    )


def close_night(workspace: Workspace, model: str, night: Night) -> dict[str, Json]:
    """Publish which tables belong to the night; features and score work on a closed night only.

    Raises:
        NightNotCompleteError: a source that should have delivered has not, and nobody has skipped it.
    """
    import pyarrow as pa

    spec = workspace.spec(model)
    rows: list[dict[str, Any]] = []
    for name, source in spec.sources.items():
        key = _newest(workspace, model, name, night) if datasets.whole(source) else night
        manifest = workspace.store.manifest(datasets.table(model, name), key) if key else None
        if manifest is None:
            due = source.available is None or source.available.holds(night)
            if due and skipped(workspace, model, night) is None:
                raise NightNotCompleteError(model, night, name)
            continue
        aside = workspace.store.manifest(datasets.quarantine(model, name), key or night)
        rows.append(
            {
                "source": name,
                "content": manifest.content,
                "rows": manifest.rows,
                "quarantined": aside.rows if aside else 0,
            }
        )
    workspace.store.publish(datasets.nights(model), night, pa.Table.from_pylist(rows))
    return {
        "night": night,
        "rows": sum(row["rows"] for row in rows if row["source"] == spec.rows_source),
        "quarantined": sum(row["quarantined"] for row in rows),
    }


def _taken(
    workspace: Workspace, model: str, source: str, due: list[Night], *, contract: bool
) -> list[Mapping[str, Any] | None] | None:
    """Publish each delivery there is; nothing for a night that did not come and that a person skipped."""
    try:
        publish = _publish if contract else _published_or_held
        return [
            publish(workspace, model, source, raw, plan, contract=contract)
            for plan, raw in _deliveries(workspace, model, source, due)
        ]
    except SourceSilentError:
        if skipped(workspace, model, due[-1]) is None:
            raise
        return None


def _deliveries(
    workspace: Workspace, model: str, name: str, due: list[Night]
) -> Iterator[tuple[IntakePlan, RawBatch]]:
    from perennial.engine.intake import IntakePlan
    from perennial.sources import source_for

    spec = workspace.spec(model)
    declared = spec.sources[name]
    plan = IntakePlan(name, declared, spec.timezone)
    request = plan.request(due[0], root=workspace.project, address=workspace.database(declared.connection))
    source = source_for(request.uri, request.format)
    if len(due) == 1 or declared.static or not (request.by_night or request.holds_many_nights):
        yield plan, source.read(request)
    else:
        yield from ((plan, raw) for raw in source.read_range(request, due[0], due[-1]))


def _publish(
    workspace: Workspace, model: str, name: str, raw: RawBatch, plan: IntakePlan, *, contract: bool
) -> Mapping[str, Any] | None:
    from perennial.engine.intake import take_in

    dataset = datasets.table(model, name)
    if seen(workspace, model, name, raw):
        return None
    token = workspace.store.version(dataset, raw.night)
    try:
        found = take_in(raw, plan, contract=contract)
    except BatchRejectedError as error:
        _hold_back(workspace, model, raw, error)
        raise
    table = bitemporal(workspace, model, found.published, plan, raw.night)
    _aside(workspace, datasets.quarantine(model, name), raw.night, found.quarantined)
    _aside(workspace, datasets.changes(model, name), raw.night, found.changes)
    report: dict[str, Any] = found.report.as_json()
    if contract:
        _keep_report(workspace, datasets.reports(model, name), raw.night, report)
    meta = _meta(report)
    begun = precedes(workspace, dataset, raw.night)
    if begun:
        meta["precedes"] = begun
    workspace.store.publish(dataset, raw.night, table, meta=meta, token=token)
    return _summary(found)


def _published_or_held(
    workspace: Workspace, model: str, name: str, raw: RawBatch, plan: IntakePlan, *, contract: bool
) -> Mapping[str, Any] | None:
    """Go on with the range where one of its nights is held back whole."""
    try:
        return _publish(workspace, model, name, raw, plan, contract=contract)
    except BatchRejectedError as error:
        said = [f"the delivery for {raw.night} is held back whole: {error}"]
        counts = {"rows_in": raw.rows, "published": 0, "quarantined": raw.rows, "duplicates": 0}
        return {"held": True, "said": said, **counts}


def _hold_back(workspace: Workspace, model: str, raw: RawBatch, error: BatchRejectedError) -> None:
    """Keep every row with its reasons, and tell: nothing of this delivery is published.

    The sentence names rules and counts, no values: it is told through channels that see no personal data.
    """
    report: Any = error.report
    store = datasets.quarantine(model, raw.source)
    stands = workspace.store.manifest(datasets.table(model, raw.source), raw.night)
    key = key_of(raw.night) if stands else raw.night  # the rows set aside of what is published stay
    over = stands.meta["sha256"] if stands else None
    workspace.store.publish(store, key, error.quarantined, meta={"rejected": True, "over": over})
    rules = ", ".join(f"{rule} ({rows})" for rule, rows in sorted(report.quarantined.items()))
    evidence: dict[str, Json] = {"source": raw.source, "sha256": raw.sha256, "rows": raw.rows, "rules": rules}
    record(
        workspace,
        NewEntry(
            model=model,
            kind="quarantined",
            key=f"{raw.night}-{raw.source}-{fingerprint(evidence)[:12]}",
            night=raw.night,
            actor="validate",
            reason=(
                f"The delivery of {raw.source} for {raw.night} is held back whole, with {raw.rows} rows. "
                f"Rules that rows broke: {rules or 'none; a rule about the whole delivery is broken'}."
            ),
            evidence=evidence,
        ),
    )


def _aside(workspace: Workspace, dataset: str, night: Night, table: pa.Table) -> None:
    """Publish what was set aside; an empty table only where it takes the place of another."""
    if table.num_rows or workspace.store.version(dataset, night):
        workspace.store.publish(dataset, night, table)


def _keep_report(workspace: Workspace, dataset: str, night: Night, report: Mapping[str, Json]) -> None:
    """Publish what Great Expectations answered to each declared check."""
    import pyarrow as pa

    workspace.store.publish(dataset, night, pa.table({"report": [as_text(_without_place(report))]}))


def _without_place(report: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in report.items() if key != "location"}


def _meta(report: Mapping[str, Json]) -> dict[str, Json]:
    """Keep the counts beside the rows; where the file lay and what the contract said are no part of the content."""
    apart = ("location", "evaluated", "successful", "contract")
    return {key: value for key, value in report.items() if key not in apart}


def _summary(found: Intake) -> dict[str, Any]:
    report = found.report
    said = [f"new column {name} was left out" for name in report.extra_columns]
    return {
        "rows_in": report.rows_in,
        "published": report.rows_published,
        "quarantined": report.rows_quarantined,
        "duplicates": report.duplicates,
        "said": said,
    }


def _newest(workspace: Workspace, model: str, source: str, night: Night) -> Night | None:
    keys = workspace.store.keys(datasets.table(model, source), last=night)
    return keys[-1] if keys else None
