"""An address stands in Airflow's own variable, in either of its forms, and never in a message."""

import json

import pytest

from perennial.engine.connections import address_in_environment, as_database
from perennial.errors import NoConnectionError, UnreadableConnectionError

FORMS = {
    "uri": "postgres://ann:s%2Fcret@db:5432/shop?sslmode=require",
    "airflow's own uri": "postgres://ann:s%2Fcret@db:5432/shop?__extra__=%7B%22sslmode%22%3A+%22require%22%7D",
    "json": json.dumps(
        {
            "conn_type": "postgres",
            "host": "db",
            "port": 5432,
            "login": "ann",
            "password": "s/cret",
            "schema": "shop",
            "extra": {"sslmode": "require"},
        }
    ),
}
BROKEN = (
    "s3cret",
    "{s3cret",
    '{"extra": "s3cret"}',
    '{"extra": ["s3cret"]}',
    "postgres://ann:s3cret/x@db/shop",
)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_airflow_leads_to_the_same_database(monkeypatch, form: str) -> None:
    """Written as a URI, as Airflow prints it, or as JSON: SQLAlchemy gets one address."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", FORMS[form])
    address = as_database(address_in_environment("shop_db"), "shop_db")
    assert address == "postgresql://ann:s%2Fcret@db:5432/shop?sslmode=require"


@pytest.mark.parametrize(
    "kept", ["sqlite:////srv/shop.db", '{"conn_type": "sqlite", "host": "/srv/shop.db"}']
)
def test_the_host_of_a_file_database_is_its_path(monkeypatch, kept: str) -> None:
    """As Airflow's own hook for SQLite reads it."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", kept)
    assert address_in_environment("shop_db") == "sqlite:////srv/shop.db"


def test_a_missing_variable_is_named(monkeypatch) -> None:
    """The person reads exactly what to set."""
    monkeypatch.delenv("AIRFLOW_CONN_SHOP_DB", raising=False)
    with pytest.raises(NoConnectionError, match="set AIRFLOW_CONN_SHOP_DB to its URI"):
        address_in_environment("shop_db")


@pytest.mark.parametrize("kept", BROKEN)
def test_what_is_no_address_is_said_without_being_shown(monkeypatch, kept: str) -> None:
    """Neither the message nor what caused it repeats a part of the secret."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", kept)
    with pytest.raises(UnreadableConnectionError) as told:
        as_database(address_in_environment("shop_db"), "shop_db")
    assert "s3cret" not in str(told.value)
    assert told.value.__context__ is None
