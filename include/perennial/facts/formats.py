"""What the values of a column look like: texts that are numbers or dates, numbers that are whole or negative.

Part of a column's profile (``facts/column_profile.py``): a feed that changes how it writes a value shows here
before anything else moves. Judged once for each distinct text, so that it costs little.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

TEXTS = {
    "blank": r"^\s*$",
    "padded": r"^\s|\s$",
    "whole": r"^[+-]?\d+$",
    "number": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$",
    "date": r"^\d{4}-\d\d-\d\d$",
    "time": r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d",
}
"""A text is of the first of these that it matches, else ``text``."""


def of_texts(names: pa.Array, counts: NDArray[np.int64]) -> Mapping[str, int]:
    """Count rows by the format of their text; formats that no row has are left out.

    >>> import pyarrow as pa
    >>> of_texts(pa.array(["12", "2013-05-12", "UA", " UA"]), np.array([5, 3, 2, 1]))
    {'padded': 1, 'whole': 5, 'date': 3, 'text': 2}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, int] = {}
    left = np.ones(len(names), bool)
    for name, pattern in TEXTS.items():
        matching = pc.match_substring_regex(names, pattern)
        matches = np.from_dlpack(matching.cast(pa.uint8())).astype(bool) & left
        left &= ~matches
        if matches.any():
            found[name] = int(counts[matches].sum())
    return found | ({"text": int(counts[left].sum())} if left.any() else {})


def of_numbers(ordered: NDArray[np.float64], *, whole: bool) -> Mapping[str, int]:
    """Count the values, given in rising order, that are negative, zero, and whole; ``whole`` where all are.

    >>> of_numbers(np.array([-1.5, 0.0, 2.0]), whole=False)
    {'negative': 1, 'zero': 1, 'whole': 2}
    """
    negative, not_positive = (int(np.searchsorted(ordered, 0.0, side=side)) for side in ("left", "right"))
    wholes = len(ordered) if whole else int((np.rint(ordered) == ordered).sum())
    counted = {"negative": negative, "zero": not_positive - negative, "whole": wholes}
    return {name: count for name, count in counted.items() if count}


def added(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Add two sets of counts; unknown where either is."""
    if one is None or other is None:
        return None
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
