"""The engine's connections see what they are handed and nothing else."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from perennial.engine.duck import arrow, connect, quoted


@pytest.mark.parametrize(
    "query",
    ["FROM read_csv('{file}')", "FROM '{file}'", "COPY (SELECT 1) TO '{file}.out'", "ATTACH '{file}' AS other",
     "INSTALL httpfs", "SET enable_external_access = true", "SELECT * FROM glob('/*')"],
)  # fmt: skip
def test_no_query_reaches_outside(tmp_path: Path, query: str) -> None:
    """Neither files nor extensions, and the lock cannot be taken off."""
    (tmp_path / "file.csv").write_text("a\n1\n")
    with connect() as connection, pytest.raises(duckdb.Error):
        connection.execute(query.format(file=tmp_path / "file.csv")).fetchall()


def test_variables_of_the_program_are_not_tables() -> None:
    """DuckDB would otherwise read any data frame that happens to have the name."""
    secret = pa.table({"a": [1]})
    assert secret.num_rows
    with connect() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("FROM secret").fetchall()


@pytest.mark.parametrize("name", ['a"b', "a b", "select", "a;drop table t", "é"])
def test_any_name_can_be_quoted(name: str) -> None:
    """A name is a name whatever is in it."""
    with connect({"t": pa.table({name: [7]})}) as connection:
        assert arrow(connection, f"SELECT {quoted(name)} AS found FROM t")["found"].to_pylist() == [7]  # noqa: S608


def test_sums_are_the_same_bits_every_time() -> None:
    """One thread adds in the order of the rows."""
    table = pa.table({"x": [0.1 * number for number in range(100_000)]})
    sums = set()
    for _ in range(3):
        with connect({"t": table}) as connection:
            sums.add(arrow(connection, "SELECT sum(x) AS s FROM t")["s"][0].as_py().hex())
    assert len(sums) == 1
