"""Fields that several forms share, each with its title, its explanation and its check."""

from __future__ import annotations

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
    description="Number of a version in the registry. Empty: the one the run is about.",
)
TRIGGER = Param(
    "manual",
    enum=["manual", "drift", "age", "code"],
    title="Asked by",
    description="A person, a finding, the model's age, or changed code. A person goes past the cooldown.",
)
CAUSE = Param("", type="string", maxLength=60, title="Cause", description="Likely cause, as triage found it.")
FINDING = Param(
    "", type="string", maxLength=64, title="Finding", description="Identity of the finding, if there is one."
)
ACTOR = Param("", type="string", maxLength=100, title="Who", description="Your name, for the ledger.")
