"""A file of JSON lines: one flat object a line, numbers kept digit by digit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from perennial.facts.batch import ROW, FileFormat, RawBatch, Reject, SourceRequest
from perennial.sources.base import Source, file_bytes, missing_if_blank, raw_batch, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

Values = dict[str, str | None]


class JsonlFile(Source):
    r"""JSON lines.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> _ = path.write_text('{"id": 12345678901234567890, "late": true}\n{"id": NaN}\n')
    >>> batch = JsonlFile().read(SourceRequest("flights", str(path), "2013-07-01"))
    >>> batch.table.column("id").to_pylist(), batch.rejects[0].reason
    (['12345678901234567890'], 'holds NaN, which is not JSON')
    """

    @classmethod
    def takes(cls, uri: str, file_format: FileFormat | None) -> bool:
        """Tell whether it is declared as JSON lines or ends so."""
        return file_format == "jsonl" or (file_format is None and uri.endswith((".jsonl", ".ndjson")))

    def read_whole(self, request: SourceRequest) -> RawBatch:
        """Read every line; lines that are no flat object become rejects."""
        data = file_bytes(request, kind="JSON lines")
        rows: list[tuple[int, Values]] = []
        rejects: list[Reject] = []
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                if line.strip():
                    rows.append((number, _values(line)))
            except (ValueError, RecursionError) as error:
                if number == len(lines):
                    problem = f"ends in the middle of line {number}"
                    raise unreadable(request, problem, "It was cut: deliver it again.") from error
                raw = line.decode("utf-8", "backslashreplace")
                rejects.append(Reject(number, raw, _told(error)))
        return raw_batch(request, _table(rows), data, tuple(rejects))


def _values(line: bytes) -> Values:
    # Numbers stay text: a number of twenty digits would lose some as a float.
    found = json.loads(
        line.decode(), parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_object
    )
    if not isinstance(found, dict):
        message = "is no object"
        raise ValueError(message)  # noqa: TRY004  one kind of error for all that a line can be
    return {name: _text(name, value) for name, value in found.items()}


def _no_constant(name: str) -> NoReturn:
    message = f"holds {name}, which is not JSON"
    raise ValueError(message)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "names a key twice"
        raise ValueError(message)
    return found


def _text(name: str, value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value
    message = f"has something nested under {name!r}"
    raise ValueError(message)


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"is not JSON ({error})"
    return str(error)


def _table(rows: list[tuple[int, Values]]) -> pa.Table:
    import pyarrow as pa

    names = dict.fromkeys(name for _, values in rows for name in values)
    columns = {
        name: missing_if_blank(
            pa.chunked_array([pa.array([values.get(name) for _, values in rows], pa.string())])
        )
        for name in names
    }
    return pa.table({ROW: pa.array([number for number, _ in rows], pa.int64()), **columns})
