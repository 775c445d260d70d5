"""What a source brings: whole lines with their numbers, one night's rows, and no password in any message."""

import csv
import io
import sqlite3
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import SourceSilentError, SourceUnreadableError
from perennial.facts.batch import ROW, SourceRequest
from perennial.sources import source_for, sources
from perennial.sources.base import without_password

GROWING = (
    "flight,departs\nUA1,2013-07-01T08:00\nUA2,2013-07-01T23:30\nbroken\nUA3,2013-07-02T00:30\nUA4,nonsense\n"
)


def request(path: Path | str, night: str = "2013-07-01") -> SourceRequest:
    """Ask for flights of New York."""
    return SourceRequest("flights", str(path), night, timezone="America/New_York")


def growing(tmp_path: Path) -> SourceRequest:
    """Write one file with two nights."""
    path = tmp_path / "all.csv"
    path.write_text(GROWING)
    return replace(request(path), time_column="departs")


def flights(batch: object) -> list[str]:
    """List the flights of a batch."""
    return list(batch.table.column("flight").to_pylist())  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=6)] * 3
        ),
        max_size=8,
    )
)
def test_what_was_written_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    """Quotes, commas and line breaks within values shift nothing."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(written.getvalue().encode())
    batch = source_for(str(path)).read(request(path))
    columns = batch.table.select(["a", "b", "c"]).to_pydict().values()
    assert list(zip(*columns, strict=True)) == [tuple(value or None for value in row) for row in rows]
    assert batch.rejects == ()


def test_lines_are_numbered_as_an_editor_shows_them(tmp_path: Path) -> None:
    """The number in a reason leads to the line, also after blank lines and values of several lines."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\r\n1,"x\r\ny"\r\n\r\n2,z\r\n3\r\n4,w\r\n')
    batch = source_for(str(path)).read(request(path))
    assert batch.table.column(ROW).to_pylist() == [2, 5, 7]
    assert [(reject.row, reject.raw) for reject in batch.rejects] == [(6, "3")]


def test_a_growing_file_gives_each_night_its_rows(tmp_path: Path) -> None:
    """What has no readable time stays with the row before it, so that it is set aside once."""
    asked = growing(tmp_path)
    first = source_for(asked.uri).read(asked)
    second = source_for(asked.uri).read(replace(asked, night="2013-07-02"))
    assert (flights(first), [r.row for r in first.rejects]) == (["UA1", "UA2"], [4])
    assert (flights(second), second.rejects) == (["UA3", "UA4"], ())


def test_a_night_stays_the_same_while_its_file_grows(tmp_path: Path) -> None:
    """Otherwise each new night would look like a correction of all nights before."""
    asked = growing(tmp_path)
    before = source_for(asked.uri).read(asked)
    with Path(asked.uri).open("a") as file:
        file.write("UA5,2013-07-03T08:00\n")
    assert source_for(asked.uri).read(asked).sha256 == before.sha256


@pytest.mark.parametrize("by_night", [True, False])
def test_a_range_in_one_pass_is_night_by_night(tmp_path: Path, *, by_night: bool) -> None:
    """History that is loaded in bulk has the same rows and identities."""
    asked = growing(tmp_path)
    if by_night:
        for day in ("01", "03"):
            (tmp_path / f"2013-07-{day}.csv").write_text(f"flight,departs\nUA{day},2013-07-{day}\n")
        asked = replace(asked, uri=str(tmp_path / "{night}.csv"))
    source = source_for(asked.uri)
    ranged = {batch.night: batch for batch in source.read_range(asked, "2013-07-01", "2013-07-04")}
    assert list(ranged) == (["2013-07-01", "2013-07-03"] if by_night else ["2013-07-01", "2013-07-02"])
    assert all(source.read(replace(asked, night=night)) == batch for night, batch in ranged.items())


def test_a_schedule_of_tomorrow_belongs_to_tonight(tmp_path: Path) -> None:
    """A lead of one day moves rows to the night before."""
    asked = replace(growing(tmp_path), lead_days=1)
    assert flights(source_for(asked.uri).read(asked)) == ["UA3", "UA4"]


def test_a_missing_file_is_silence_and_an_empty_one_a_fault(tmp_path: Path) -> None:
    """The monitor treats the two differently."""
    with pytest.raises(SourceSilentError):
        source_for("a.csv").read(request(tmp_path / "a.csv"))
    (tmp_path / "a.csv").touch()
    with pytest.raises(SourceUnreadableError):
        source_for("a.csv").read(request(tmp_path / "a.csv"))


def test_sqlite_and_duckdb_tables_are_read_alike(tmp_path: Path) -> None:
    """Where a table lies does not change its rows."""
    with sqlite3.connect(tmp_path / "a.sqlite") as lite:
        lite.execute(
            "CREATE TABLE flights AS SELECT 'UA1' AS flight, 200.5 AS distance, 7 AS seats, NULL AS gate"
        )
    with duckdb.connect(str(tmp_path / "a.duckdb")) as duck:
        duck.execute(
            "CREATE TABLE flights AS SELECT 'UA1' AS flight, 200.5::DOUBLE AS distance, 7 AS seats, NULL AS gate"
        )
    for uri in (
        f"sqlite:///{tmp_path}/a.sqlite",
        f"duckdb:///{tmp_path}/a.duckdb",
        f"sqlite+pysqlite:///{tmp_path}/a.sqlite",
    ):
        batch = source_for(uri).read(replace(request(uri), table="flights"))
        expected = {ROW: 1, "flight": "UA1", "distance": "200.5", "seats": "7", "gate": None}
        assert batch.table.to_pylist() == [expected]
        assert batch.table.schema.field("distance").type == pa.string()


def test_a_password_is_in_no_message_and_no_report() -> None:
    """Logs are read by many."""
    uri = "mysql+pymysql://ann:hunter2@127.0.0.1:9/sales?ssl_key=hunter2"
    with pytest.raises(SourceUnreadableError) as caught:
        source_for(uri).read(replace(request(uri), table="flights"))
    assert "hunter2" not in str(caught.value)
    assert without_password(uri) == "mysql+pymysql://127.0.0.1:9/sales"


def test_a_database_without_the_table_is_told(tmp_path: Path) -> None:
    """The table's name is what a person can correct."""
    sqlite3.connect(tmp_path / "a.sqlite").close()
    (tmp_path / "a.sqlite").touch()
    asked = replace(request(f"sqlite:///{tmp_path}/a.sqlite"), table="nothing")
    with pytest.raises(SourceUnreadableError, match="table 'nothing'"):
        source_for(asked.uri).read(asked)


def test_a_database_file_that_is_not_there_is_silence(tmp_path: Path) -> None:
    """And no empty database is made in its place."""
    asked = replace(request(f"duckdb:///{tmp_path}/a.duckdb"), table="flights")
    with pytest.raises(SourceSilentError):
        source_for(asked.uri).read(asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "file_format", "entry"),
    [
        ("/a/{night}.csv", None, "csv_file"),
        ("/a/export", "jsonl", "jsonl_file"),
        ("file:///a/b.pq", None, "parquet_file"),
        ("postgresql://db/sales", None, "database"),
    ],
)
def test_the_place_tells_its_source(uri: str, file_format: str | None, entry: str) -> None:
    """A declared format stands above the extension."""
    assert type(source_for(uri, file_format)) is sources()[entry]  # type: ignore[arg-type]
