"""Which entities a canary serves: a fixed share of them, chosen by a hash that anyone can compute again.

Scoring asks it while a canary stands, ``who-served`` asks it for any past moment. An entity stays on its side for as
long as the canary stands, and what it is called decides, not when or where it is asked.
"""

from __future__ import annotations

import hashlib

_DIGITS = 16
"""Hexadecimal digits of the hash that count."""
_HASHES = 1 << 4 * _DIGITS


def in_canary(entity: str, salt: str, share: float) -> bool:
    """Whether an entity is served by the canary: the hash of its name, as a share of all hashes, lies below ``share``.

    Args:
        entity: Whom or what a row is about, as text; where no entity is declared, the row's key joined.
        salt: Text of this canary, so that another canary takes other entities.
        share: Share of entities that the canary serves, from 0 for none to 1 for all.

    >>> [in_canary(tail, "flight_delay-7", 0.5) for tail in ("N14228", "N24211", "N619AA")]
    [False, True, True]
    >>> in_canary("N14228", "flight_delay-7", 1.0), in_canary("N14228", "flight_delay-7", 0.0)
    (True, False)
    """
    digits = hashlib.sha256(f"{salt}/{entity}".encode()).hexdigest()[:_DIGITS]
    # Compared as whole numbers: a division would round the highest hashes to 1, and a share of 1 would miss them.
    return int(digits, 16) < share * _HASHES
