"""A CSV file, read as text: commas or another declared delimiter, a header, UTF-8, values quoted as RFC 4180 says.

Nothing is inferred and nothing shifts: a line with too few or too many values is set aside as it came, and a
file whose quotes do not close is not read at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from perennial.facts.batch import ROW, FileFormat, RawBatch, Reject, SourceRequest
from perennial.sources.base import Source, file_bytes, missing_if_blank, raw_batch, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_VALUE = 16 * 2**20
"""Characters of one value; beyond it a quote was left open."""
PIECE_ROWS = 10_000
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What may stand between values, and how it is spoken of."""


class CsvFile(Source):
    r"""Comma-separated values.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("flight,distance\nUA1,200\nUA2\nUA3,\n")
    >>> batch = CsvFile().read(SourceRequest("flights", str(path), "2013-07-01"))
    >>> batch.table.column("distance").to_pylist(), batch.rejects[0].row
    (['200', None], 3)
    """

    @classmethod
    def takes(cls, uri: str, file_format: FileFormat | None) -> bool:
        """Tell whether it is declared as CSV or ends so."""
        return file_format == "csv" or (file_format is None and uri.endswith(".csv"))

    def read_whole(self, request: SourceRequest) -> RawBatch:
        """Read every line; lines that are no rows become rejects."""
        data = file_bytes(request, kind="CSV")
        reading = _Reading(request, data)
        table = _table(reading.names, reading.rows())
        return raw_batch(request, table, data, tuple(reading.rejects))


class _Reading:
    """One pass over a file: its header, its rows with their lines, and what was set aside."""

    def __init__(self, request: SourceRequest, data: bytes) -> None:
        self.request = request
        text, self.all_utf8 = _decoded(data)
        self.lines = list(io.StringIO(text, newline=""))
        self.rejects: list[Reject] = []
        # The limit belongs to the process; ours is the only reader of CSV in it.
        csv.field_size_limit(LONGEST_VALUE)
        self.reader = csv.reader(self.lines, strict=True, delimiter=request.delimiter)
        self.names = self._header()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line and values of every whole row."""
        line = self.reader.line_num + 1
        while (values := self._next(line)) is not None:
            if self._is_row(values, line):
                yield line, values
            line = self.reader.line_num + 1

    def _header(self) -> list[str]:
        names = [name or f"column {i}" for i, name in enumerate(self._next(1) or [], start=1)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            fix = "Give each column a name of its own."
            raise unreadable(self.request, f"has two columns named {twice[0]!r}", fix)
        if not all(map(_is_utf8, names)):
            raise unreadable(self.request, "is not UTF-8", "Save it as UTF-8 (it may be Latin-1).")
        self._refuse_other_delimiter(names)
        return names

    def _refuse_other_delimiter(self, names: list[str]) -> None:
        declared = DELIMITERS.get(self.request.delimiter, self.request.delimiter)
        for delimiter, spoken in DELIMITERS.items():
            if len(names) == 1 and delimiter in names[0] and delimiter != self.request.delimiter:
                problem = f"is separated by {spoken}, and its source declares {declared}"
                fix = f"Write `delimiter: {json.dumps(delimiter)}` under the source, or save it with {declared}."
                raise unreadable(self.request, problem, fix)

    def _next(self, line: int) -> list[str] | None:
        try:
            return next(self.reader, None)
        except csv.Error as error:
            problem = f"has a quote in line {line} that does not close rightly ({error})"
            raise unreadable(self.request, problem, "Deliver it again, whole.") from error

    def _is_row(self, values: list[str], line: int) -> bool:
        if len(values) != len(self.names):
            if values:
                self._set_aside(line, f"has {len(values)} of {len(self.names)} values")
            return False
        if not self.all_utf8 and not all(map(_is_utf8, values)):
            self._set_aside(line, "is not UTF-8")
            return False
        return True

    def _set_aside(self, line: int, reason: str) -> None:
        raw = "".join(self.lines[line - 1 : self.reader.line_num])
        if self.reader.line_num == len(self.lines) and not raw.endswith(("\n", "\r")):
            problem = f"ends in the middle of line {line}, which {reason}"
            raise unreadable(self.request, problem, "It was cut or is still being written: deliver it again.")
        self.rejects.append(Reject(line, _shown(raw), reason))


def _decoded(data: bytes) -> tuple[str, bool]:
    """Decode as UTF-8; where bytes are none, keep them as surrogates, to find their lines."""
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return data.decode("utf-8-sig", "surrogateescape"), False


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _shown(raw: str) -> str:
    return raw.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _table(names: list[str], rows: Iterator[tuple[int, list[str]]]) -> pa.Table:
    """Put rows together in pieces: a million lists at once cost six times as much, in garbage collection."""
    import pyarrow as pa

    schema = pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in names)])
    pieces = []
    while piece := list(islice(rows, PIECE_ROWS)):
        columns = [
            pa.array(column, pa.string()) for column in zip(*(values for _, values in piece), strict=True)
        ]
        lines = pa.array([line for line, _ in piece], pa.int64())
        pieces.append(pa.record_batch([lines, *map(missing_if_blank, columns)], schema=schema))
    return pa.Table.from_batches(pieces, schema).combine_chunks()
