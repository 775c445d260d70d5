"""Where an Airflow connection leads, told without Airflow: its own ``AIRFLOW_CONN_<ID>``, in its own two forms.

A workspace asks here for sources, sinks and channels unless it was opened with another way to look them up, as
Airflow's own back ends are. What is found is a secret: no message repeats any of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from perennial.errors import NoConnectionError, UnreadableConnectionError

_SQLALCHEMY = {"postgres": "postgresql", "mssql": "mssql+pymssql"}
"""What SQLAlchemy calls a kind of connection, where Airflow has another word."""
_FILES = ("sqlite", "duckdb")
"""Databases whose host is a path."""


def address_in_environment(connection: str) -> str:
    """Return the URL behind a connection.

    An URL in the connection's extra (``{"url": "slack://…"}``) is taken as it is.

    Raises:
        NoConnectionError: the environment does not hold it.
        UnreadableConnectionError: it is neither a URI nor Airflow's JSON.
    """
    variable = f"AIRFLOW_CONN_{connection.upper()}"
    kept = os.environ.get(variable, "").strip()
    if not kept:
        raise NoConnectionError(connection)
    try:
        address = in_one(json.loads(kept)) if kept.startswith("{") else _of_uri(kept)
    except (ValueError, AttributeError):
        address = ""
    if "://" not in address:
        raise UnreadableConnectionError(
            connection, variable
        )  # outside the handler: a cause would repeat the secret
    return address


def address_or_nothing(connection: str) -> str:
    """Return the URL behind a connection, or an empty text where there is none: a channel then says so."""
    try:
        return address_in_environment(connection)
    except (NoConnectionError, UnreadableConnectionError):
        return ""


def as_database(address: str, connection: str) -> str:
    """Write a connection's address as SQLAlchemy does.

    >>> as_database("postgres://ann:secret@db.example.org/shop", "shop_db")
    'postgresql://ann:secret@db.example.org/shop'

    Raises:
        UnreadableConnectionError: no host and port can be told from it, as with an unquoted slash in a password.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or not _tells_a_port(address):
        raise UnreadableConnectionError(connection, f"the connection {connection!r}")
    return f"{_SQLALCHEMY.get(scheme, scheme)}{separator}{rest}"


def _tells_a_port(address: str) -> bool:
    try:
        urlsplit(address).port  # noqa: B018  asked for its error
    except ValueError:
        return False
    return True


def _of_uri(uri: str) -> str:
    """Take the URI as it is, but for what Airflow keeps in its query: another URL, or the extra as JSON."""
    parts = urlsplit(uri)
    query = dict(parse_qsl(parts.query))
    extra = json.loads(query.pop("__extra__", "{}"))
    carried = extra.get("url") or query.get("url")
    if carried or not extra:
        return str(carried or uri)
    return urlunsplit(parts._replace(query=_query({**query, **extra}).removeprefix("?")))


def in_one(parts: Mapping[str, Any]) -> str:
    """Write a connection's parts, named as Airflow names them, as one URL.

    A whole URL in the extra's ``url``, or as the host, is taken as it is.

    >>> in_one({"conn_type": "sqlite", "host": "/data/shop.db"})
    'sqlite:////data/shop.db'
    """
    extra = parts.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    kind, host, schema = (str(parts.get(field) or "") for field in ("conn_type", "host", "schema"))
    if "url" in extra or "://" in host:
        return str(extra.get("url") or host)
    if kind in _FILES:
        return f"{kind}:///{host or schema}"
    login = quote(unquote(str(parts.get("login") or "")), safe="")
    password = quote(str(parts.get("password") or ""), safe="")
    user = f"{login}{':' + password if password else ''}@" if login or password else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{kind}://{user}{host}{port}/{quote(schema)}{_query(extra)}"


def _query(extra: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in extra.items() if isinstance(value, str | int | float)}
    return f"?{urlencode(plain)}" if plain else ""
