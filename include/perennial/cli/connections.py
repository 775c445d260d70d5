"""Connections outside Airflow: the environment's ``AIRFLOW_CONN_<ID>``, in Airflow's own two forms.

The command line reads them for sources, sinks and channels; inside Airflow its own back ends answer.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from perennial.errors import NoConnectionError

_SQLALCHEMY = {"postgres": "postgresql", "mssql": "mssql+pymssql"}
"""What SQLAlchemy calls a kind of connection, where Airflow has another word."""


def address(connection: str) -> str:
    """Return the URL behind a connection.

    An URL in the connection's extra (``{"url": "slack://…"}``) is taken as it is.

    Raises:
        NoConnectionError: the environment does not hold it.
    """
    kept = os.environ.get(f"AIRFLOW_CONN_{connection.upper()}", "").strip()
    if not kept:
        raise NoConnectionError(connection)
    return _of_json(json.loads(kept)) if kept.startswith("{") else _of_uri(kept)


def address_or_nothing(connection: str) -> str:
    """Return the URL behind a connection, or an empty text where there is none."""
    try:
        return address(connection)
    except (NoConnectionError, ValueError):
        return ""


def database_address(connection: str | None) -> str | None:
    """Return the database behind a connection, as SQLAlchemy names it; nothing for no connection."""
    if connection is None:
        return None
    scheme, separator, rest = address(connection).partition("://")
    return f"{_SQLALCHEMY.get(scheme, scheme)}{separator}{rest}"


def _of_uri(uri: str) -> str:
    """Take the URI as it is, unless it only carries another one in its query."""
    carried = dict(parse_qsl(urlsplit(uri).query)).get("url")
    return carried or uri


def _of_json(kept: dict[str, Any]) -> str:
    extra = kept.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    if "url" in extra:
        return str(extra["url"])
    login = quote(unquote(str(kept.get("login") or "")), safe="")
    password = quote(str(kept.get("password") or ""), safe="")
    user = f"{login}{':' + password if password else ''}@" if login or password else ""
    port = f":{kept['port']}" if kept.get("port") else ""
    return f"{kept.get('conn_type', '')}://{user}{kept.get('host') or ''}{port}/{kept.get('schema') or ''}"
