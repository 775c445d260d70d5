"""What a delivery becomes: published rows, quarantined rows, changed values, and a report that adds up.

``take_in`` is the whole of the validate stage's thinking: raw text goes in, nothing is read or written. Every
row of the delivery is published, quarantined with its reasons, or counted as a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.checks.base import RowCheck
from perennial.clock import Night, end_of
from perennial.engine.intake_casting import cast
from perennial.engine.intake_checking import Outcome, evaluate
from perennial.engine.intake_cleaning import ChangedValue, Changes, changes_table, clean
from perennial.engine.intake_contract import ask_contract
from perennial.engine.intake_keys import (
    Dropped,
    deduplicate,
    note_missing_keys,
    place_in_time,
    with_known_at,
)
from perennial.engine.intake_quarantine import Faults, quarantine_table
from perennial.engine.intake_rejection import Numbers, refuse_too_few, refuse_whole_batch, report_of
from perennial.engine.intake_schema import Matched, declared_checks, match_columns, refuse_misfits
from perennial.facts.batch import IntakeReport, RawBatch, SourceRequest
from perennial.spec.source import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class IntakePlan:
    """How the deliveries of one source are judged."""

    name: str
    """Name of the source in ``model.yaml``."""
    source: SourceSpec
    """Its declaration."""
    timezone: str = "UTC"
    """Time zone of nights, and of times written without an offset."""

    def request(self, night: Night, *, root: Path, address: str | None = None) -> SourceRequest:
        """Say what to ask the source for; ``address`` is its connection's, in place of ``uri``."""
        source = self.source
        return SourceRequest(
            source=self.name,
            uri=resolved(address or source.uri or "", root),
            night=night,
            timezone=self.timezone,
            format=source.format,
            delimiter=source.delimiter,
            table=source.table,
            static=source.static,
            time_column=source.known_at or source.event_time,
            time_format=None if source.known_at else source.event_time_format,
            lead_days=0 if source.known_at else source.lead_days,
        )


@dataclass(frozen=True)
class Intake:
    """What became of one delivery."""

    published: pa.Table
    """Rows with the declared columns and types, ``known_at`` and ``superseded_at``, in the file's order."""
    quarantined: pa.Table
    """Rows set aside: ``source``, ``night``, ``row``, ``rules``, ``reasons``, ``original`` (JSON)."""
    changes: pa.Table
    """Values that cleaning changed, and rows that deduplication dropped though they differ."""
    report: IntakeReport


def resolved(uri: str, root: Path) -> str:
    """Make a path absolute, also within the address of a database file.

    >>> resolved("data/{night}.csv", Path("/srv")), resolved("sqlite:///a.db", Path("/srv"))
    ('/srv/data/{night}.csv', 'sqlite:////srv/a.db')
    """
    for scheme in ("sqlite:///", "duckdb:///", "file://", ""):
        if uri.startswith(scheme) and (scheme or "://" not in uri):
            return f"{scheme}{root / uri.removeprefix(scheme)}"
    return uri


def take_in(
    raw: RawBatch,
    plan: IntakePlan,
    *,
    night: Night | None = None,
    known_at_default: datetime | None = None,
    contract: bool = True,
) -> Intake:
    """Clean, cast, place, deduplicate and check one delivery.

    ``night`` is by default the one that asked for it; ``known_at_default``, when its rows became known, the
    end of that night. ``contract=False`` leaves out Great Expectations, not the checks: for history in bulk.

    Raises ColumnMissingError, CheckMisfitError, and BatchRejectedError (which carries every row) when the
    delivery is too small, breaks a rule about the whole, or too many of its rows are set aside.
    """
    night = night or raw.night
    source, faults = plan.source, Faults()
    refuse_misfits(plan.name, source)
    matched = match_columns(raw, source)
    refuse_too_few(raw, source)
    cleaned, changes = clean(matched.table, source)
    typed = _typed(cleaned, raw, plan, night, faults)
    single, dropped = deduplicate(faults.spared(typed), source, faults)
    candidates = faults.spared(single)
    outcomes = evaluate(candidates, declared_checks(source))
    answers = ask_contract(plan.name, candidates, outcomes) if contract else ()
    kept = _set_aside(candidates, outcomes, faults)
    numbers = Numbers(night, kept, faults, dropped, outcomes, answers)
    report = _with_columns(report_of(raw, numbers, changes), matched, candidates, source)
    refuse_whole_batch(raw, source, numbers, report)
    default = known_at_default or end_of(night, plan.timezone)
    return Intake(
        published=with_known_at(kept, source, default, plan.timezone),
        quarantined=quarantine_table(replace(raw, night=night), faults.by_row),
        changes=changes_table(cleaned, _with_dropped(changes, dropped), source.key),
        report=report,
    )


def _typed(cleaned: pa.Table, raw: RawBatch, plan: IntakePlan, night: Night, faults: Faults) -> pa.Table:
    for reject in raw.rejects:
        faults.add(reject.row, "line", f"line: {reject.reason}")
    typed = cast(cleaned, plan.source, timezone=plan.timezone, faults=faults)
    note_missing_keys(faults.spared(typed), plan.source, faults)
    place_in_time(faults.spared(typed), plan.source, night=night, timezone=plan.timezone, faults=faults)
    return typed


def _set_aside(table: pa.Table, outcomes: list[Outcome], faults: Faults) -> pa.Table:
    for outcome in outcomes:
        if isinstance(outcome.check, RowCheck) and outcome.check.on_failure == "quarantine":
            sentence = outcome.check.sentence()
            faults.add_all(outcome.rows, sentence, f"check: {sentence}, and here not")
    return faults.spared(table)


def _with_columns(
    report: IntakeReport, matched: Matched, table: pa.Table, source: SourceSpec
) -> IntakeReport:
    """Add what can be said of columns: extra, absent, without a value, with one value only."""
    names = [name for name in source.columns if name not in matched.absent] if table.num_rows else []
    empty = [name for name in names if table.column(name).null_count == table.num_rows]
    constant = [
        name
        for name in names
        if table.num_rows > 1
        and name not in empty
        and not table.column(name).null_count
        and len(table.column(name).unique()) == 1
    ]
    return replace(
        report,
        extra_columns=matched.extra,
        absent_columns=matched.absent,
        empty_columns=tuple(empty),
        constant_columns=tuple(constant),
    )


def _with_dropped(changes: Changes, dropped: list[Dropped]) -> Changes:
    differing = [
        ChangedValue(one.row, "", "deduplicate", one.values, None)
        for one in dropped
        if one.values is not None
    ]
    return Changes([*changes.values, *differing], changes.counts)
