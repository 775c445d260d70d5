"""Text becomes the declared types, value by value: what cannot be read costs its row, never the file.

Nothing changes unseen: a number that would lose digits, an infinity, an hour that the clocks skipped are
faults with a reason, not approximations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from perennial.engine.intake_quarantine import Faults, shown
from perennial.engine.typed import arrow_types
from perennial.facts.batch import ROW
from perennial.sources.base import read_instant
from perennial.spec.source import ColumnType, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

Reader: TypeAlias = Callable[[str], object]

WHOLE_NUMBER = re.compile(r"([+-]?\d+)(\.0*)?")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d+(\.\d{3})*,\d+")
LARGEST_INTEGER = 2**63
TRUTHS = {"true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True}
FALSEHOODS = {"false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False}
BOOLEANS = TRUTHS | FALSEHOODS


def cast(table: pa.Table, source: SourceSpec, *, timezone: str, faults: Faults) -> pa.Table:
    """Return the table with its declared types, rows with a fault included (their bad values are missing)."""
    import pyarrow as pa

    columns = {ROW: table.column(ROW)}
    for name, kind in source.columns.items():
        written = source.event_time_format if name == source.event_time else None
        columns[name] = _column(table, name, kind, _reader(kind, written, timezone), faults)
    return pa.table(columns)


def read_integer(text: str) -> int:
    """Read a whole number that fits 64 bits.

    >>> read_integer("1545"), read_integer("1545.0")
    (1545, 1545)
    """
    match = WHOLE_NUMBER.fullmatch(text)
    if match is None:
        message = "is not a whole number"
        raise ValueError(message)
    # Python refuses to read more than 4300 digits; 64 bits end long before.
    number = int(match[1]) if len(match[1]) <= len(str(LARGEST_INTEGER)) + 8 else LARGEST_INTEGER
    if not -LARGEST_INTEGER <= number < LARGEST_INTEGER:
        message = "is too large for 64 bits; declare it as text"
        raise ValueError(message)
    return number


def read_number(text: str) -> float:
    """Read a finite number that keeps its digits.

    >>> read_number("1e3")
    1000.0
    """
    if not NUMBER.fullmatch(text):
        infinite = text.lstrip("+-").lower() in {"inf", "infinity"}
        message = "is not finite" if infinite else "is not a number"
        if DECIMAL_COMMA.fullmatch(text):
            written = text.replace(".", "").replace(",", ".")
            message = f"has a decimal comma: deliver it with a point, as {written}"
        raise ValueError(message)
    number = float(text)
    if not math.isfinite(number):
        message = "is not finite"
        raise ValueError(message)
    if text.lstrip("+-").isdigit() and int(number) != int(text):
        message = "would lose digits as a number; declare it as integer or text"
        raise ValueError(message)
    return number


def _reader(kind: ColumnType, written: str | None, timezone: str) -> Reader | None:
    readers: dict[ColumnType, Reader] = {
        "integer": read_integer,
        "number": read_number,
        "boolean": _read_boolean,
        "date": partial(_read_date, written=written),
        "timestamp": partial(read_instant, written=written, timezone=ZoneInfo(timezone)),
    }
    return readers.get(kind)


def _read_boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        message = "is neither true nor false"
        raise ValueError(message)
    return BOOLEANS[text.lower()]


def _read_date(text: str, *, written: str | None) -> date:
    try:
        moment = read_instant(text, written=written, timezone=ZoneInfo("UTC"))
    except ValueError as error:
        message = str(error).replace("a time", "a date")
        raise ValueError(message) from error
    if moment.hour or moment.minute or moment.second or moment.microsecond:
        message = "has a time of day, and is declared as a date"
        raise ValueError(message)
    return moment.date()


def _column(
    table: pa.Table, name: str, kind: ColumnType, reader: Reader | None, faults: Faults
) -> pa.ChunkedArray:
    import pyarrow as pa

    column = table.column(name)
    if reader is None:
        return column
    texts = column.to_pylist()
    values, problems = _read_each(set(texts) - {None}, reader)
    if problems:
        for row, text in zip(table.column(ROW).to_pylist(), texts, strict=True):
            if text in problems:
                faults.add(row, "cast", f"cast: {name} {shown(text)} {problems[text]}")
    typed = pa.array([values.get(text) for text in texts], arrow_types()[kind])
    return pa.chunked_array([typed])


def _read_each(texts: set[str], reader: Reader) -> tuple[dict[str, object], dict[str, str]]:
    """Read each distinct text once; return the values, and what is wrong with the others."""
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for text in texts:
        try:
            values[text] = reader(text.strip())
        except (ValueError, OverflowError) as error:
            problems[text] = str(error)
    return values, problems
