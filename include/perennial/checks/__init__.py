"""What makes a row or a batch unacceptable: one file, one rule.

A good check is one that its author can say in a sentence, and that means the same in DuckDB, which finds the
rows, as in Great Expectations, which keeps the contract. Missing values pass every check but ``not_null``.
"""

from __future__ import annotations

from functools import cache

from perennial.catalogue import entries
from perennial.checks.base import Check


@cache
def checks() -> dict[str, type[Check]]:
    """List every check by the name used in model.yaml."""
    return entries(__name__, Check)
