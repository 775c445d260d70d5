"""What can go wrong when an Airflow is launched, and what to do about it.

The command line prints these sentences; everything else that fails there is a bug.
"""

from __future__ import annotations

from pathlib import Path

from perennial.errors import PerennialError


class AlreadyRunningError(PerennialError):
    """Two launches cannot share one home: they would write the same databases."""

    code = "PER-5001"
    exit_code = 1

    def __init__(self, home: Path) -> None:
        """Name the home and both ways out."""
        super().__init__(
            f"An Airflow already runs in {home}. Use it, or stop it first with `make down` "
            "(Ctrl-C in its terminal if it is the demo)."
        )


class DidNotStartError(PerennialError):
    """A part of Airflow or MLflow ended, or was not healthy in time."""

    code = "PER-5002"
    exit_code = 4

    def __init__(self, home: Path, reason: str) -> None:
        """Say which part, and where its log is."""
        super().__init__(f"Airflow did not start: {reason}. The logs are in {home / 'logs'}.")


class NotDoneError(PerennialError):
    """Something that had to happen in Airflow did not."""

    code = "PER-5003"
    exit_code = 1

    def __init__(self, what: str) -> None:
        """Say what was waited for and what was seen instead."""
        super().__init__(f"{what.rstrip('.')}. Look at the run in Airflow, or into its task logs.")


class NoTurnError(PerennialError):
    """Everything ran, but what the story is about did not happen; it is not told as if it had."""

    code = "PER-5004"
    exit_code = 1

    def __init__(self, what: str) -> None:
        """Say what did not happen."""
        super().__init__(
            f"{what}. Every night is in the table above; nothing was arranged to make it otherwise."
        )
