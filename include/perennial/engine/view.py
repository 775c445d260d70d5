"""``@view``: how a feature is written in a model's ``features.py``.

A view is a function from tables to one column; its name is the feature, its docstring the description.
Only rows known when the prediction is made ever reach it: the framework sees to that, not the author.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from perennial.errors import BadViewError

Function = TypeVar("Function", bound=Callable[..., object])
_WINDOW = re.compile(r"([1-9]\d*)(h|d|w)")
_HOURS = {"h": 1, "d": 24, "w": 168}
MARK = "__perennial_view__"


@dataclass(frozen=True)
class ViewOptions:
    """What ``@view`` declares."""

    entity: str | None
    """Column whose value names whom the feature is about; rows are matched by it."""
    window_hours: int | None
    """How far the view looks back from the prediction; nothing for the newest row of each entity."""
    missing: float | int | str | bool | None
    """Value where an entity has no rows; by default missing."""
    engine: Literal["ibis", "python"]
    """`python` gives pandas tables: allowed, but neither for Spark nor online."""


def view(
    *,
    entity: str | None = None,
    window: str | None = None,
    missing: float | str | None = None,
    engine: Literal["ibis", "python"] = "ibis",
) -> Callable[[Function], Function]:
    """Mark a function of ``features.py`` as a feature.

    ``window`` is written as ``12h``, ``7d`` or ``4w`` and looks back from the moment of prediction.
    """

    def mark(function: Function) -> Function:
        options = ViewOptions(entity, _hours(function.__name__, window), missing, engine)
        setattr(function, MARK, options)
        return function

    return mark


def _hours(name: str, window: str | None) -> int | None:
    if window is None:
        return None
    found = _WINDOW.fullmatch(window)
    if not found:
        raise BadViewError(f"view {name}", f"window {window!r} is not understood; write 12h, 7d or 4w.")
    return int(found[1]) * _HOURS[found[2]]
