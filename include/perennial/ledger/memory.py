"""A ledger that lives in this process: for ``Workspace.in_memory()`` and tests, by the same code and SQL."""

from __future__ import annotations

from perennial.ledger.database import IN_MEMORY, Database
from perennial.ledger.sqlite import SqliteLedger


def in_memory() -> SqliteLedger:
    """Open an empty ledger that ends with the process.

    >>> in_memory().verify()
    []
    """
    return SqliteLedger(Database(IN_MEMORY))
