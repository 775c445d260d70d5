"""What can be wrong with a line of the ledger, or with the file that keeps it.

Raised by the ledger, which refuses what could not be found or read again later.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class LedgerEntryError(PerennialError):
    """A decision that could not be found or read again later is not recorded."""

    code = "PER-1701"

    def __init__(self, model: str, field: str, found: object, expected: str) -> None:
        """Name the field, what it holds and what it must hold."""
        super().__init__(f"Ledger entry of {model!r}: {field} is {found!r}; it must be {expected}.")


class LedgerConflictError(PerennialError):
    """An event is recorded once: two contents under one key are two answers, or a key that says too little."""

    code = "PER-1702"

    def __init__(self, model: str, kind: str, key: str, recorded: str, given: str) -> None:
        """Show both sentences side by side."""
        super().__init__(
            f"The ledger already holds {kind} {key!r} of {model!r} with other content.\n"
            f"  recorded: {recorded}\n  now:      {given}\n"
            "What was decided stays. Record a new decision under a key of its own."
        )


class LedgerUnreadableError(PerennialError):
    """The file where decisions are kept is no ledger, is damaged, or belongs to another version."""

    code = "PER-1703"
    exit_code = 5

    def __init__(self, path: object, found: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(
            f"{path} cannot be opened as a ledger: {found}. "
            "Restore it with `perennial restore`, or move it away to begin a new one."
        )


class ExportExistsError(PerennialError):
    """An export is written once and never over anything: it is what later ledgers are checked against."""

    code = "PER-1704"
    exit_code = 2

    def __init__(self, folder: object) -> None:
        """Name the place."""
        super().__init__(f"{folder} exists already. Name a folder that does not, or move that one away.")


class NotAnExportError(PerennialError):
    """A folder was to be checked as an export of a ledger and is none."""

    code = "PER-1705"
    exit_code = 3

    def __init__(self, folder: object, why: str) -> None:
        """Name the folder and what is wrong."""
        super().__init__(
            f"{folder} is no export of a ledger: {why}. Make one with `perennial ledger export`."
        )
