"""Where a batch comes from: one file, one kind of place.

A good source reads what is there as text, shifts nothing, loses no line, and says which file is wrong and
how to mend it. It judges no value: that is the intake's work.
"""

from __future__ import annotations

from functools import cache

from perennial.catalogue import entries
from perennial.errors import SourceUnreadableError
from perennial.facts.batch import FileFormat
from perennial.sources.base import Source, without_password


@cache
def sources() -> dict[str, type[Source]]:
    """List every source by file name."""
    return entries(__name__, Source)


def source_for(uri: str, file_format: FileFormat | None = None) -> Source:
    """Return the source that reads this place: by its scheme, the declared format, or the extension.

    >>> type(source_for("/landing/flights/{night}.csv")).__name__
    'CsvFile'
    >>> type(source_for("duckdb:///landing/flights.duckdb")).__name__
    'Database'
    """
    for source in sources().values():
        if source.takes(uri, file_format):
            return source()
    raise SourceUnreadableError(
        "source",
        without_password(uri),
        "is of no known kind",
        "Name the format (csv, parquet or jsonl), or give the URL of a database.",
    )
