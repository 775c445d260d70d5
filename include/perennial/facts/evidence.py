"""Evidence in one canonical form, so that the same finding always has the same hash.

Run ids and wall times lie outside: what is hashed is only what was known and concluded.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Evidence: TypeAlias = Mapping[str, Json]

SIGNIFICANT_DIGITS = 10
"""Numbers are kept to this many digits: beyond them, sums depend on the order of addition."""


def canonical(value: Json) -> Json:
    """Round numbers, name what is not finite, and order keys.

    >>> canonical({"b": 0.1 + 0.2, "a": float("nan")})
    {'a': 'nan', 'b': 0.3}
    """
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: canonical(value[key]) for key in sorted(value)}
    return [canonical(item) for item in value]


def as_text(value: Json) -> str:
    """Write a value as canonical JSON."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(value: Json) -> str:
    """Hash a value in its canonical form (SHA-256, hexadecimal).

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(as_text(value).encode()).hexdigest()
