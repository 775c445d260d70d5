"""A source or sink by Airflow connection works by hand as it does in Airflow, from AIRFLOW_CONN_<ID> alone."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, Project

from perennial.clock import after
from perennial.stages.replay import load_history

LAST = after(FIRST, 2)
BY_CONNECTION = TIMED.replace("uri: data/orders/{{night}}.csv", "connection: shop_db\n    table: orders")
SINK = "sink: {connection: shop_db, table: predictions}\n"
WAYS = {
    "run": ("run", MODEL, "validate", "--since", FIRST, "--night", LAST),
    "night": ("night", MODEL, FIRST),
    "replay": ("replay", MODEL, "--from", FIRST, "--to", LAST),
}


@pytest.fixture
def shop(project: Project) -> Path:
    """Keep the orders of three nights in a database; return its file."""
    project.declare(BY_CONNECTION).deliver(FIRST, LAST)
    database = project.root / "shop.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        columns = "order_id, ordered_at, place, size, weight, clicks"
        connection.execute(f"CREATE TABLE orders ({columns})")
        for night in (FIRST, after(FIRST), LAST):
            rows = [tuple(order.values()) for order in project.read("orders", night)]
            connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", rows)
    return database


@pytest.mark.parametrize("way", WAYS)
def test_every_command_finds_the_database_of_a_connection(
    perennial, project: Project, shop: Path, monkeypatch, way: str
) -> None:
    """The nights come from the table, though no address stands in model.yaml."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", f"sqlite:///{shop}")
    answer = perennial(*WAYS[way], of=project.root)
    assert answer.status == 0, answer.err
    assert re.search(r"(180 rows of orders|60 rows in)", answer.out)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_not_set_names_the_variable(
    perennial, project: Project, monkeypatch, way: str
) -> None:
    """Status 5, the machine is not set up, and what to set."""
    monkeypatch.delenv("AIRFLOW_CONN_SHOP_DB", raising=False)
    answer = perennial(*WAYS[way], of=project.root)
    assert answer.status == 5
    assert "set AIRFLOW_CONN_SHOP_DB" in answer.err


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "address",
    [
        "postgres://ann:s3cret@127.0.0.1:1/shop",
        "postgres://ann:s3/cret@127.0.0.1:1/shop",
        "postgres://ann:s3cret@127.0.0.1:1/shop?password=s3cret",
        "nonsense://ann:s3cret@127.0.0.1:1/shop",
        "s3cret",
    ],
)
def test_a_connection_that_does_not_work_keeps_its_secret(
    perennial, project: Project, monkeypatch, address: str
) -> None:
    """Neither what is said nor a kept traceback repeats the password, and nothing is called our fault."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", address)
    answer = perennial("night", MODEL, FIRST, of=project.root)
    assert answer.status not in (0, 70), answer.err
    assert "s3" not in answer.out + answer.err


def test_a_sink_is_found_by_its_connection(
    perennial, served: Project, monkeypatch, registry_database: Path
) -> None:
    """Predictions arrive in the table that the connection leads to."""
    file = served.folder / "model.yaml"
    file.write_text(file.read_text() + SINK)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", "sqlite:///shop.db")
    night = after(FIRST, 49)
    load_history(served.workspace(registry_database), MODEL, night, night)
    answer = perennial("run", MODEL, "score", "--night", night, of=served.root)
    assert answer.status == 0, answer.err
    with closing(sqlite3.connect(served.root / "shop.db")) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (60,)
