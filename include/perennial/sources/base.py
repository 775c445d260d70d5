"""What every source is: it reads a place whole, and tells the rows of one night from the others.

Times are read here, because a row's time says which night it belongs to; the intake reads times the same way.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from perennial.clock import Night, between
from perennial.errors import SourceSilentError, SourceUnreadableError
from perennial.facts.batch import ROW, FileFormat, RawBatch, Reject, SourceRequest

if TYPE_CHECKING:
    import pyarrow as pa

ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.(?P<fraction>\d{1,9}))?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?"
)
MICROSECOND_DIGITS = 6
DISGUISES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (or Excel)",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"SQLite format 3\x00": "a SQLite database",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
}
"""First bytes of what is found under the wrong name."""


class Source(ABC):
    """A kind of place that rows come from."""

    @classmethod
    @abstractmethod
    def takes(cls, uri: str, file_format: FileFormat | None) -> bool:
        """Tell whether this source reads that place."""

    @abstractmethod
    def read_whole(self, request: SourceRequest) -> RawBatch:
        """Read everything that is at the request's location, as text."""

    def read(self, request: SourceRequest) -> RawBatch:
        """Read the night's rows. Raises SourceSilentError when nothing has come for the night."""
        whole = self.read_whole(request)
        if not request.holds_many_nights:
            return whole
        by_night = _split(whole, request)
        if request.night not in by_night:
            found = f"no row has its {request.time_column} on that night"
            raise SourceSilentError(request.source, request.night, whole.location, found)
        return by_night[request.night]

    def read_range(self, request: SourceRequest, first: Night, last: Night) -> Iterator[RawBatch]:
        """Read several nights, one batch each, in one pass over a file that holds many.

        Nights that nothing has come for are left out.
        """
        if request.holds_many_nights:
            by_night = _split(self.read_whole(request), request)
            yield from (by_night[key] for key in sorted(by_night) if first <= key <= last)
            return
        for key in between(first, last):
            try:
                yield self.read(replace(request, night=key))
            except SourceSilentError:
                continue


def without_password(uri: str) -> str:
    """Return an address fit for a message: no user, no password, no query.

    >>> without_password("postgresql://ann:secret@db.example.org/sales?sslkey=k")
    'postgresql://db.example.org/sales'
    >>> without_password("postgresql://ann:sec/ret@db.example.org/sales")
    'postgresql://…'
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    before, _, after = rest.rpartition("@")
    if "/" in before or "?" in before:
        return f"{scheme}://…"  # an @ that may end a password or stand in a query: nothing is certain
    return f"{scheme}://{after.partition('?')[0]}"


def file_bytes(request: SourceRequest, *, kind: str, magic: bytes = b"") -> bytes:
    """Read a file, or say that it has not come, is no file, is empty, or is of another kind inside."""
    path = Path(request.location.removeprefix("file://"))
    if not path.exists():
        raise SourceSilentError(request.source, request.night, str(path))
    if not path.is_file():
        raise unreadable(request, "is not a file", "Name a file; a folder takes `{night}` in its file name.")
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be opened ({error.strerror})"
        raise unreadable(request, problem, "Give the user that runs Airflow the right to read it.") from error
    if not data:
        raise unreadable(
            request, "is empty (0 bytes)", "Deliver it again; a night without rows has a header."
        )
    _refuse_disguise(request, data, kind, magic)
    return data


def unreadable(request: SourceRequest, problem: str, fix: str) -> SourceUnreadableError:
    """Make the error that names the request's place."""
    return SourceUnreadableError(request.source, without_password(request.location), problem, fix)


def raw_batch(
    request: SourceRequest, table: pa.Table, data: bytes, rejects: tuple[Reject, ...] = ()
) -> RawBatch:
    """Put together what a file brought."""
    return RawBatch(
        source=request.source,
        night=request.night,
        location=without_password(request.location),
        table=table,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        rejects=rejects,
    )


def read_instant(text: str, *, written: str | None, timezone: ZoneInfo) -> datetime:
    """Read a time as an instant in UTC; ValueError says in words why it is none.

    Without an offset it is local time. An hour that the clocks repeat is the first of the two; one that
    they skip does not exist and is refused, for a row must not move by an hour unseen.

    >>> read_instant("2013-07-01 05:15", written=None, timezone=ZoneInfo("America/New_York")).isoformat()
    '2013-07-01T09:15:00+00:00'
    """
    moment = _written_time(text.strip(), written)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    instant = moment.replace(tzinfo=timezone).astimezone(UTC)
    if instant.astimezone(timezone).replace(tzinfo=None) != moment:
        message = f"did not exist in {timezone.key}: the clocks skipped it"
        raise ValueError(message)
    return instant


def text_table(table: pa.Table) -> pa.Table:
    """Write every column of a typed table as text that loses nothing, and number the rows from 1.

    Not-a-number becomes missing; the columns that ``nested_columns`` lists are left out.
    """
    import pyarrow as pa

    apart = nested_columns(table)
    columns = {name: _as_text(table.column(name)) for name in table.column_names if name not in apart}
    return pa.table({ROW: pa.array(range(1, table.num_rows + 1), pa.int64()), **columns})


def nested_columns(table: pa.Table) -> dict[str, str]:
    """List the columns that cannot be written as text without a guess, with their type: lists, structures, bytes.

    >>> import pyarrow as pa
    >>> nested_columns(pa.table({"crew": [["ann"]], "origin": ["JFK"]}))
    {'crew': 'list<item: string>'}
    """
    import pyarrow as pa

    kinds = {field.name: _plain_type(field.type) for field in table.schema}
    tests = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return {name: str(kind) for name, kind in kinds.items() if any(test(kind) for test in tests)}


def _refuse_disguise(request: SourceRequest, data: bytes, kind: str, magic: bytes) -> None:
    if magic and data.startswith(magic):
        return
    found = next((name for start, name in DISGUISES.items() if data.startswith(start)), None)
    if found:
        raise unreadable(request, f"is {found}, not {kind}", f"Deliver {kind}, or name the format it has.")
    if magic:
        raise unreadable(request, f"is not {kind}", f"Deliver {kind}, or name the format it has.")


def _written_time(text: str, written: str | None) -> datetime:
    if written:
        try:
            return datetime.strptime(text, written)  # noqa: DTZ007  the zone is the night's, set by the caller
        except ValueError:
            message = f"is not a time written as {written}"
            raise ValueError(message) from None
    match = ISO_TIME.fullmatch(text)
    if match and (match["fraction"] or "")[MICROSECOND_DIGITS:].strip("0"):
        message = "is finer than a microsecond"
        raise ValueError(message)
    try:
        return datetime.fromisoformat(text if match else "")
    except ValueError:
        message = "is not a time"
        raise ValueError(message) from None


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = _plain_type(column.type)
    plain = column.cast(kind)
    if pa.types.is_floating(kind):
        plain = pc.if_else(pc.is_nan(plain), None, plain)
    return missing_if_blank(plain.cast(pa.string()))


def missing_if_blank(text: pa.Array) -> pa.Array:
    """Read the empty text as missing, whatever the format."""
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(text, ""), None, text)


def _split(whole: RawBatch, request: SourceRequest) -> dict[Night, RawBatch]:
    """Tell the rows of one file by night; what has no readable time stays with the row before it."""
    import pyarrow as pa

    if request.time_column not in whole.table.column_names:
        fix = f"It has {', '.join(whole.columns)}; correct `event_time`."
        raise unreadable(request, f"has no column {request.time_column!r}, which tells the night", fix)
    nights = _nights(whole.table.column(request.time_column).to_pylist(), request)
    places: dict[Night, list[int]] = {}
    for place, key in enumerate(nights):
        places.setdefault(key, []).append(place)
    rows = whole.table.column(ROW).to_pylist()
    rejects: dict[Night, list[Reject]] = {}
    for reject in whole.rejects:
        rejects.setdefault(_night_at(reject.row, rows, nights), []).append(reject)
    return {
        key: _part(whole, key, whole.table.take(pa.array(places[key])), rejects.get(key, []))
        for key in places
    }


def _part(whole: RawBatch, key: Night, table: pa.Table, rejects: list[Reject]) -> RawBatch:
    return replace(whole, night=key, table=table, rejects=tuple(rejects), sha256=_rows_hash(table, rejects))


def _nights(times: list[str | None], request: SourceRequest) -> list[Night]:
    zone = ZoneInfo(request.timezone)
    known: dict[str | None, Night] = {}
    nights: list[Night] = []
    for text in times:
        if text not in known:
            known[text] = _night_of(text, request, zone)
        nights.append(known[text] or (nights[-1] if nights else ""))
    first = next((key for key in nights if key), request.night)
    return [key or first for key in nights]


def _night_of(text: str | None, request: SourceRequest, zone: ZoneInfo) -> Night:
    try:
        instant = read_instant(text or "", written=request.time_format, timezone=zone)
    except ValueError:
        return ""
    return (instant.astimezone(zone).date() - timedelta(days=request.lead_days)).isoformat()


def _night_at(row: int, rows: list[int], nights: list[Night]) -> Night:
    from bisect import bisect_left

    return nights[max(bisect_left(rows, row) - 1, 0)]


def _rows_hash(table: pa.Table, rejects: list[Reject]) -> str:
    digest = hashlib.sha256()
    for name in table.column_names:
        if name != ROW:
            digest.update(repr((name, table.column(name).to_pylist())).encode())
    digest.update(repr([reject.raw for reject in rejects]).encode())
    return digest.hexdigest()
