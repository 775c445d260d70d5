"""Rows set aside: each with its original text, its line, and every reason, so that nothing is ever lost.

Intake's steps note faults by line; the quarantine table is made from them and the raw batch at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perennial.facts.batch import ROW, RawBatch

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_SHOWN = 60
"""Characters of a value that a reason shows."""


@dataclass(frozen=True)
class Fault:
    """One rule that one row breaks."""

    rule: str
    """Short name, by which rows are counted: ``cast``, ``key``, or the check's sentence."""

    reason: str
    """What is wrong, with the value."""


@dataclass
class Faults:
    """The faults found so far, by line."""

    by_row: dict[int, list[Fault]] = field(default_factory=dict)

    def add(self, row: int, rule: str, reason: str) -> None:
        """Note that a row breaks a rule."""
        self.by_row.setdefault(row, []).append(Fault(rule, reason))

    def add_all(self, rows: Iterable[int], rule: str, reason: str) -> None:
        """Note that several rows break a rule."""
        for row in rows:
            self.add(row, rule, reason)

    def spared(self, table: pa.Table) -> pa.Table:
        """Return the rows without a fault."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.by_row:
            return table
        faulty = pc.is_in(table.column(ROW), value_set=pa.array(list(self.by_row), pa.int64()))
        return table.filter(pc.invert(faulty))

    def by_rule(self) -> dict[str, int]:
        """Count rows by rule."""
        counts: dict[str, int] = {}
        for faults in self.by_row.values():
            for rule in dict.fromkeys(fault.rule for fault in faults):
                counts[rule] = counts.get(rule, 0) + 1
        return dict(sorted(counts.items()))


def shown(value: object) -> str:
    """Quote a value for a reason, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def quarantine_table(raw: RawBatch, faults: Mapping[int, list[Fault]]) -> pa.Table:
    """Return the rows with a fault as they came, in the order of the file."""
    import pyarrow as pa

    originals = {reject.row: {"line": reject.raw} for reject in raw.rejects if reject.row in faults}
    rows = sorted(faults)
    originals |= _originals(raw, [row for row in rows if row not in originals])
    return pa.table(
        {
            "source": [raw.source] * len(rows),
            "night": [raw.night] * len(rows),
            "row": rows,
            "rules": [list(dict.fromkeys(fault.rule for fault in faults[row])) for row in rows],
            "reasons": [[fault.reason for fault in faults[row]] for row in rows],
            "original": [json.dumps(originals[row], ensure_ascii=False) for row in rows],
        },
        schema=quarantine_schema(),
    )


def quarantine_schema() -> pa.Schema:
    """Return the columns of every quarantine."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    return pa.schema(
        [
            ("source", pa.string()),
            ("night", pa.string()),
            ("row", pa.int64()),
            ("rules", texts),
            ("reasons", texts),
            ("original", pa.string()),
        ]
    )


def _originals(raw: RawBatch, rows: list[int]) -> dict[int, dict[str, str]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not rows:
        return {}
    wanted = raw.table.filter(pc.is_in(raw.table.column(ROW), value_set=pa.array(rows, pa.int64())))
    return {values.pop(ROW): values for values in wanted.to_pylist()}
