"""Notes of runs: what each decided, in a sentence, in Airflow's list of runs.

Every Airflow process imports this file, so it imports next to nothing; ``perennial_airflow.notes`` does the work.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

INCLUDE = str(Path(__file__).resolve().parents[1] / "include")
if INCLUDE not in sys.path:  # an Airflow that was not started by us
    sys.path.insert(0, INCLUDE)

from perennial_airflow import notes  # noqa: E402


class PerennialNotes(AirflowPlugin):
    """Registers the listener."""

    name = "perennial_notes"
    listeners: ClassVar[list[Any]] = [notes]
