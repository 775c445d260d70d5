"""When a whole delivery is held back, and the report that says what became of each of its rows.

A delivery that is held back loses nothing: the error carries every row, with its own reasons or with the
reason of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.engine.intake_checking import Outcome
from perennial.engine.intake_cleaning import Changes
from perennial.engine.intake_keys import Dropped
from perennial.engine.intake_quarantine import Fault, Faults, quarantine_table
from perennial.errors import BatchRejectedError
from perennial.facts.batch import ROW, ContractResult, IntakeReport, RawBatch
from perennial.spec.source import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_SHOWN = 3
"""Reasons that a message repeats."""


@dataclass(frozen=True)
class Numbers:
    """What the steps of the intake found."""

    night: Night
    kept: pa.Table
    faults: Faults
    dropped: Sequence[Dropped]
    outcomes: Sequence[Outcome]
    answers: tuple[ContractResult, ...]


def refuse_too_few(raw: RawBatch, source: SourceSpec) -> None:
    """Raise BatchRejectedError when the delivery has fewer rows than one must have."""
    if raw.rows < source.min_rows:
        problem = (
            f"{raw.source}: {raw.location} has {raw.rows} rows; at least {source.min_rows} make a delivery."
        )
        nothing = Numbers(raw.night, raw.table.slice(0, 0), Faults(), (), (), ())
        _hold_back(raw, nothing, report_of(raw, nothing, Changes()), problem)


def refuse_whole_batch(raw: RawBatch, source: SourceSpec, numbers: Numbers, report: IntakeReport) -> None:
    """Raise BatchRejectedError when a rule about the whole is broken or too many rows are set aside."""
    broken = [
        outcome for outcome in numbers.outcomes if outcome.failed and outcome.check.on_failure == "reject"
    ]
    if broken:
        told = "; ".join(outcome.told() for outcome in broken)
        _hold_back(raw, numbers, report, f"{raw.source}: {raw.location} breaks a rule: {told}.")
    if report.quarantine_share > source.max_quarantine_share:
        problem = (
            f"{raw.source}: {report.rows_quarantined} of {report.rows_in} rows of {raw.location} cannot be used, "
            f"more than the {source.max_quarantine_share:.0%} that `max_quarantine_share` allows. {_first(numbers)}"
        )
        _hold_back(raw, numbers, report, problem)


def report_of(raw: RawBatch, numbers: Numbers, changes: Changes) -> IntakeReport:
    """Count what became of every row."""
    return IntakeReport(
        source=raw.source,
        night=numbers.night,
        location=raw.location,
        sha256=raw.sha256,
        size_bytes=raw.size_bytes,
        rows_in=raw.rows,
        rows_published=numbers.kept.num_rows,
        rows_quarantined=len(numbers.faults.by_row),
        duplicates=len(numbers.dropped),
        quarantined=numbers.faults.by_rule(),
        cleaned=changes.counts,
        warnings=tuple(
            outcome.told()
            for outcome in numbers.outcomes
            if outcome.failed and outcome.check.on_failure == "warn"
        ),
        evaluated=len(numbers.answers),
        successful=sum(answer.success for answer in numbers.answers),
        contract=numbers.answers,
    )


def _first(numbers: Numbers) -> str:
    faults = sorted(numbers.faults.by_row.items())[:FIRST_SHOWN]
    return "First: " + "; ".join(f"line {row}: {found[0].reason}" for row, found in faults) + "."


def _hold_back(raw: RawBatch, numbers: Numbers, report: IntakeReport, problem: str) -> None:
    whole = Fault("batch", f"batch: held back with its delivery: {problem}")
    gone = {one.row for one in numbers.dropped}
    rows = [*raw.table.column(ROW).to_pylist(), *(reject.row for reject in raw.rejects)]
    faults = {row: numbers.faults.by_row.get(row, [whole]) for row in rows if row not in gone}
    quarantined = quarantine_table(replace(raw, night=numbers.night), faults)
    refused = replace(report, rows_published=0, rows_quarantined=len(faults))
    raise BatchRejectedError(problem, quarantined=quarantined, report=refused)
