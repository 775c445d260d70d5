"""Fields that several forms share, each with its title, its explanation and its check.

A field that may stay empty takes null: Airflow's form keeps its *Trigger* button grey while a text that may not be
null is empty, whatever its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

NIGHT = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Night",
    description="The night it is about; 'now' is this night. Empty: the newest night whose rows are published.",
)
VERSION = Param(
    None,
    type=["null", "string"],
    pattern="^[0-9]+$",
    title="Version",
    description="Number of a version in the registry. By hand, name one; a run that follows another knows its own.",
)
TRIGGER = Param(
    "manual",
    enum=["manual", "drift", "performance", "age", "growth", "code", "restart"],
    title="Asked by",
    description="A person (manual), a finding (drift, performance), the model's age, new labelled rows (growth), "
    "changed code, or the nightly layer after a change (restart). A person need not wait for the cooldown.",
)
CAUSE = Param(
    None,
    type=["null", "string"],
    maxLength=60,
    title="Cause",
    description="Likely cause, as triage found it. By hand, leave it empty.",
)
FINDING = Param(
    None,
    type=["null", "string"],
    maxLength=64,
    title="Finding",
    description="Identity of the finding that asks. By hand, leave it empty.",
)
ACTOR = Param(
    None,
    type=["null", "string"],
    maxLength=100,
    title="Who",
    description="Your name, for the ledger. Empty: the name you are logged in with.",
)


def who(context: Mapping[str, Any], otherwise: str) -> str:
    """Name whoever asks: as the form says, as Airflow knows them, or else the part of the project that asks."""
    asked: str | None = context["params"].get("actor") or context["dag_run"].triggering_user_name
    return asked or otherwise
