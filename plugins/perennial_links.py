"""Buttons on a task's page (its MLflow run; of ``retrain`` the run that asked and those that followed), notes on runs.

Every Airflow process imports this file, so it imports next to nothing; ``perennial_airflow`` does the work.
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
from perennial_airflow.links import FOLLOWING, AskingRun, FollowingRun, MlflowRun  # noqa: E402


class PerennialLinks(AirflowPlugin):
    """Registers the links for every task, and what writes a run's note; a task without a link shows none."""

    name = "perennial_links"
    global_operator_extra_links: ClassVar[list[Any]] = [
        MlflowRun(),
        AskingRun(),
        *(FollowingRun(kind) for kind in FOLLOWING),
    ]
    listeners: ClassVar[list[Any]] = [notes]
