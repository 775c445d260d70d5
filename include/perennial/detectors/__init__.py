"""Has the world moved? One file, one way of looking.

A good detector says "learning" until it can keep a declared rate of false alarms, names the columns
that moved, and is calibrated on its own past, never on a formula alone. It reads; budgets decide.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from perennial.catalogue import entries
from perennial.detectors.base import Detector


@cache
def detectors() -> dict[str, type[Detector[Any]]]:
    """List every detector by the name used in model.yaml."""
    return entries(__name__, Detector)
