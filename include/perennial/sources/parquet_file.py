"""A Parquet file: typed already, and still read as text, so that one road leads to the declared types."""

from __future__ import annotations

from dataclasses import replace

from perennial.facts.batch import FileFormat, RawBatch, SourceRequest
from perennial.sources.base import Source, file_bytes, nested_columns, raw_batch, text_table, unreadable


class ParquetFile(Source):
    """Parquet; page checksums are verified where the file has them.

    >>> import tempfile, pathlib, pyarrow as pa, pyarrow.parquet as pq
    >>> path = str(pathlib.Path(tempfile.mkdtemp()) / "a.parquet")
    >>> pq.write_table(pa.table({"distance": [200.5, None]}), path)
    >>> ParquetFile().read(SourceRequest("flights", path, "2013-07-01")).table.column("distance").to_pylist()
    ['200.5', None]
    """

    @classmethod
    def takes(cls, uri: str, file_format: FileFormat | None) -> bool:
        """Tell whether it is declared as Parquet or ends so."""
        return file_format == "parquet" or (file_format is None and uri.endswith((".parquet", ".pq")))

    def read_whole(self, request: SourceRequest) -> RawBatch:
        """Read every row group."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = file_bytes(request, kind="Parquet", magic=b"PAR1")
        try:
            # Without this, a flipped bit is read as another value, silently (measured: 3 of 4 flips).
            table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            problem = f"is cut or damaged ({str(error).splitlines()[0]})"
            raise unreadable(request, problem, "Deliver it again.") from error
        twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
        if twice:
            fix = "Give each column a name of its own."
            raise unreadable(request, f"has two columns named {twice[0]!r}", fix)
        return replace(raw_batch(request, text_table(table), data), nested=nested_columns(table))
