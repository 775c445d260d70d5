"""Addresses of alert channels, from the connections that ``model.yaml`` names.

Asked only when something is to be told. What is read is a secret: Airflow blots it out of every log from then on.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote, urlencode

_log = logging.getLogger(__name__)


def address_of(connection: str) -> str:
    """Return the Apprise URL that an Airflow connection holds; empty if it cannot be had, which a channel reports.

    Three ways to write it are read: the whole URL as ``url`` in the extra field, the whole URL as the host, or
    a connection URI in its parts, such as ``AIRFLOW_CONN_TEAM_CHAT=json://host/hook``. Where a token stands in
    the host's place (Slack, Teams) only the first keeps it: Airflow makes a URI's host lower-case.
    """
    from airflow.sdk import BaseHook

    try:
        found = BaseHook.get_connection(connection)
        address = as_url(found)
    except Exception as problem:  # noqa: BLE001  # no alert may fail a task, and what failed may hold the secret
        _log.warning("connection %s cannot be read (%s)", connection, type(problem).__name__)
        return ""
    _blot_out(address, found)
    return address


def as_url(connection: Any) -> str:
    """Put a connection's parts together as it was written; Airflow's own text would quote slashes in the path."""
    extra = connection.extra_dejson
    if extra.get("url"):
        return str(extra["url"])
    host = connection.host or ""
    if "://" in host:
        return str(host)
    login, password = quote(connection.login or "", safe=""), quote(connection.password or "", safe="")
    person = f"{login}:{password}@" if password else f"{login}@" if login else ""
    port = f":{connection.port}" if connection.port else ""
    query = f"?{urlencode(extra)}" if extra else ""
    return f"{connection.conn_type}://{person}{host}{port}/{quote(connection.schema or '')}{query}"


def _blot_out(address: str, connection: Any) -> None:
    from airflow.sdk.log import mask_secret

    host = connection.host or ""
    token = host if "." not in host and host != "localhost" else ""  # Slack and others put a token there
    pieces = (connection.schema or "").split("/")
    for secret in (address, connection.login, connection.password, token, *pieces):
        if secret:
            mask_secret(secret)
