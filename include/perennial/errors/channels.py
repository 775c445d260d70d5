"""Why an alert did not reach anybody, or a named connection could not be used.

Raised by the channels and by the command line; an undelivered alert is kept and tried again.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class NotDeliveredError(PerennialError):
    """A channel did not take an alert; it is kept and tried again, and the other channels are told."""

    code = "PER-1751"
    exit_code = 4

    def __init__(self, problem: str) -> None:
        """Say why, without the channel's address."""
        super().__init__(problem)


class NoConnectionError(PerennialError):
    """A model names a connection that neither Airflow nor the command line's environment holds."""

    code = "PER-1752"
    exit_code = 5

    def __init__(self, connection: str) -> None:
        """Name the variable that is missing."""
        super().__init__(
            f"The connection {connection!r} is not known here. Make it in Airflow (Admin, Connections); outside Airflow, "
            f"set AIRFLOW_CONN_{connection.upper()} to its URI, as Airflow itself reads it."
        )


class UnreadableConnectionError(PerennialError):
    """A connection is there, but no address can be made of what it holds."""

    code = "PER-1753"
    exit_code = 5

    def __init__(self, connection: str, place: str) -> None:
        """Say where it stands and how it is written, and nothing of what it holds."""
        super().__init__(
            f"What {place} holds is not an address. Write the connection {connection!r} as a URI "
            "(postgres://user:password@host:5432/database, with %2F for a slash within the password) "
            "or as Airflow's JSON (conn_type, host, login, password, port, schema)."
        )
