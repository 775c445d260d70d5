"""Addresses behind the Airflow connections that ``model.yaml`` names: of databases, and of alert channels.

Asked only when one is needed. What is read is a secret: Airflow blots it out of every log from then on.
"""

from __future__ import annotations

import logging
from typing import Any

from perennial.engine.connections import in_one
from perennial.errors import NoConnectionError
from perennial.workspace import Workspace

_log = logging.getLogger(__name__)


def open_workspace() -> Workspace:
    """Open the project as a task sees it: its sources' and sinks' connections are Airflow's own."""
    return Workspace.open(address_of=address_of)


def address_of(connection: str) -> str:
    """Return the URL that an Airflow connection holds.

    Three ways to write it are read: the whole URL as ``url`` in the extra field, the whole URL as the host, or
    a connection URI in its parts, such as ``AIRFLOW_CONN_TEAM_CHAT=json://host/hook``. Where a token stands in
    the host's place (Slack, Teams) only the first keeps it: Airflow makes a URI's host lower-case.

    Raises:
        NoConnectionError: Airflow knows none of that id.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = BaseHook.get_connection(connection)
    except AirflowNotFoundException:
        raise NoConnectionError(connection) from None
    address = in_one({**_parts(found), "extra": found.extra_dejson})
    _blot_out(address, found)
    return address


def address_or_nothing(connection: str) -> str:
    """Return the URL, or an empty text where it cannot be had: a channel then says so, and no run fails for it."""
    try:
        return address_of(connection)
    except Exception as problem:  # noqa: BLE001  # no alert may fail a task, and what failed may hold the secret
        _log.warning("connection %s cannot be read (%s)", connection, type(problem).__name__)
        return ""


def _parts(connection: Any) -> dict[str, Any]:
    """Name the parts of a connection as Airflow's JSON does."""
    return {
        name: getattr(connection, name)
        for name in ("conn_type", "host", "login", "password", "port", "schema")
    }


def _blot_out(address: str, connection: Any) -> None:
    from airflow.sdk.log import mask_secret

    host = connection.host or ""
    token = host if "." not in host and host != "localhost" else ""  # Slack and others put a token there
    pieces = (connection.schema or "").split("/")
    for secret in (address, connection.login, connection.password, token, *pieces):
        if secret:
            mask_secret(secret)
