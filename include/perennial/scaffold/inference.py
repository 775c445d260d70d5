"""What is in each column: its type as the intake will read it, what means missing, how many values there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from perennial.engine.intake_casting import read_integer, read_number
from perennial.facts.batch import ROW
from perennial.sources.base import read_instant
from perennial.spec.source import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa

NULL_WORDS = {"na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "missing", "unknown", "#n/a"}
SENTINELS = {"-999", "-9999", "-99999", "-999.0", "-9999.0"}
TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
FORMATS = (
    *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y", "%m/%d/%Y"),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d"),
    *("%Y%m%d", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y"),
)
"""Ways of writing a time that are no ISO 8601, tried in this order."""
LONGEST_NUMBER = 18
_LEADING_ZERO = re.compile(r"[+-]?0\d+")

MOST_GAPS = 2
"""Whole numbers that never repeat and of which half of those between are there are counted, not measured."""


@dataclass(frozen=True)
class Column:
    """One column of the table, as a whole."""

    name: str
    kind: ColumnType
    rows: int
    nulls: int
    """Rows without a value, words that mean missing included."""
    values: tuple[str, ...]
    """Every distinct value, as text, without those that mean missing."""
    null_words: tuple[str, ...] = ()
    """Texts that mean missing here."""
    time_format: str | None = None
    """How its times are written, where it is not ISO 8601."""

    @property
    def distinct(self) -> int:
        """Number of distinct values."""
        return len(self.values)

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in {"integer", "number"}

    @property
    def moments(self) -> bool:
        """Whether it holds times."""
        return self.kind in {"date", "timestamp"}

    @cached_property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows one by one, with few gaps: then it is their name, whatever it is called."""
        if self.kind != "integer" or self.distinct != self.rows:
            return False
        numbers = self.numbers()
        return max(numbers) - min(numbers) < MOST_GAPS * self.rows

    def numbers(self) -> list[float]:
        """Every distinct value as a number."""
        return [float(value) for value in self.values]

    @cached_property
    def days(self) -> frozenset[date]:
        """Every day that one of its times falls on, in UTC; read once, as a long table has many times."""
        return frozenset(self.instant(text).date() for text in self.values)

    def instant(self, text: str) -> datetime:
        """Read one of its values as a time."""
        return read_instant(text, written=self.time_format, timezone=ZoneInfo("UTC"))


def describe(table: pa.Table) -> dict[str, Column]:
    """Describe every column of a table of text."""
    return {name: _column(name, table.column(name)) for name in table.column_names if name != ROW}


def _column(name: str, texts: pa.ChunkedArray) -> Column:
    import pyarrow.compute as pc

    counts = {str(each["values"]): each["counts"] for each in pc.value_counts(texts.drop_null()).to_pylist()}
    kind, null_words, written = _kind(list(counts))
    nulls = texts.null_count + sum(counts[word] for word in null_words)
    values = tuple(text for text in counts if text not in null_words)
    return Column(name, kind, len(texts), nulls, values, null_words, written)


def _kind(texts: list[str]) -> tuple[ColumnType, tuple[str, ...], str | None]:
    """Return the narrowest type that reads every value; words for missing count only beside one."""
    words = tuple(text for text in texts if text.strip().lower() in NULL_WORDS)
    values = [text.strip() for text in texts if text not in words]
    if not values:
        return "text", (), None
    if any(_LEADING_ZERO.fullmatch(value) and not value.startswith("0.") for value in values):
        return _times(values, words) or ("text", (), None)
    if _all(values, read_integer) and max(map(len, values)) <= LONGEST_NUMBER:
        return "integer", words + _sentinels(values), None
    if _all(values, read_number):
        return "number", words + _sentinels(values), None
    if {value.lower() for value in values} in TRUTHS:
        return "boolean", words, None
    return _times(values, words) or ("text", (), None)


def _all(values: Iterable[str], reader: Callable[[str], object]) -> bool:
    try:
        for value in values:
            reader(value)
    except ValueError:
        return False
    return True


def _sentinels(values: list[str]) -> tuple[str, ...]:
    """Find numbers such as -999 that stand for missing: the only negative ones of their column."""
    negative = {value for value in values if float(value) < 0}
    return tuple(sorted(negative)) if negative and negative <= SENTINELS else ()


def _times(
    values: list[str], words: tuple[str, ...]
) -> tuple[ColumnType, tuple[str, ...], str | None] | None:
    for written in (None, *FORMATS):
        with suppress(ValueError):
            zone = ZoneInfo("UTC")
            read_instant(values[0], written=written, timezone=zone)
            instants = [read_instant(value, written=written, timezone=zone) for value in values]
            return _precision(instants), words, _day_or_month(values, written, instants)
    return None


def _day_or_month(values: list[str], written: str | None, instants: list[datetime]) -> str | None:
    """Of day first and month first, where both can be read, take the one whose times rise more steadily."""
    if written is None or not written.startswith("%d/%m/"):
        return written
    other = written.replace("%d/%m/", "%m/%d/")
    with suppress(ValueError):
        swapped = [read_instant(value, written=other, timezone=ZoneInfo("UTC")) for value in values]
        return other if _falls(swapped) < _falls(instants) else written
    return written


def _falls(instants: list[datetime]) -> int:
    return sum(later < earlier for earlier, later in pairwise(instants))


def _precision(instants: list[datetime]) -> ColumnType:
    midnight = all(not (each.hour or each.minute or each.second or each.microsecond) for each in instants)
    return "date" if midnight else "timestamp"
