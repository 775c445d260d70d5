"""May the challenger go further? One question a file; the file's name is the name in ``model.yaml``.

A good gate answers from evidence the challenger has never seen, says HOLD when there is too little
of it, and gives its reason in one sentence with the numbers.
"""

from __future__ import annotations

from perennial.catalogue import entries
from perennial.gates.base import Gate


def gates() -> dict[str, type[Gate]]:
    """List every gate by the name used in ``model.yaml``.

    >>> "against_champion" in gates()
    True
    """
    return entries("perennial.gates", Gate)
