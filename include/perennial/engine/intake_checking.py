"""All declared checks of a batch in one DuckDB pass: which rows fail which rule, and what the batch measures.

The rows set aside are found here, because Great Expectations is slow to list rows; that it counts the same
ones is checked by ``intake_contract``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from perennial.checks.base import BatchCheck, Check, Condition, RowCheck
from perennial.engine.duck import connect
from perennial.facts.batch import ROW

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class Outcome:
    """What one check found."""

    check: Check
    rows: tuple[int, ...] = ()
    """Rows that fail it, in the order of the file."""
    measured: float | None = None
    """The number that a rule about the batch judges."""

    @property
    def failed(self) -> bool:
        """Whether any row, or the batch, breaks the rule."""
        if isinstance(self.check, BatchCheck) and self.measured is not None:
            return self.check.fails(self.measured)
        return bool(self.rows)

    @property
    def unexpected(self) -> int:
        """Rows that break the rule; 1 where the batch as a whole does."""
        return len(self.rows) if isinstance(self.check, RowCheck) else int(self.failed)

    def told(self) -> str:
        """Say what was found, for a warning or a rejected batch."""
        if self.measured is not None:
            return f"{self.check.sentence()}: it is {self.measured:g}"
        return f"{self.check.sentence()}: {len(self.rows)} rows are not (first in line {self.rows[0]})"


def evaluate(table: pa.Table, checks: Sequence[Check]) -> list[Outcome]:
    """Ask every check of the rows; raises nothing for data, whatever they are."""
    row_checks = [check for check in checks if isinstance(check, RowCheck)]
    batch_checks = [check for check in checks if isinstance(check, BatchCheck)]
    found: dict[int, Outcome] = {}
    with looking_at(table) as connection:
        if row_checks:
            sql, values = _select([check.mask() for check in row_checks], "coalesce(({}), false)")
            flags = connection.execute(f"{sql} ORDER BY {ROW}", values).fetchnumpy()
            rows = table.column(ROW).to_numpy()
            for place, check in enumerate(row_checks):
                found[id(check)] = Outcome(check, tuple(rows[flags[f"c{place}"]].tolist()))
        if batch_checks:
            sql, values = _select([check.measure() for check in batch_checks], "({})")
            measured = connection.execute(sql, values).fetchone() or ()
            found |= {
                id(c): Outcome(c, measured=float(m)) for c, m in zip(batch_checks, measured, strict=True)
            }
    return [found[id(check)] for check in checks]


def _select(conditions: list[Condition], form: str) -> tuple[str, list[object]]:
    columns = ", ".join(f"{form.format(one.sql)} AS c{i}" for i, one in enumerate(conditions))
    return f"SELECT {columns} FROM batch", [value for one in conditions for value in one.values]  # noqa: S608


@contextmanager
def looking_at(table: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that sees the rows as ``batch``.

    It is a cursor on one database of the process: opening a database costs as much as all of a night's
    checks (18 ms). A forked process opens its own.
    """
    with _database(os.getpid()).cursor() as connection:
        connection.register("batch", table)
        yield connection


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    return connect()
