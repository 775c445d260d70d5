"""Two workspaces in one process keep to themselves."""

import os

from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import after
from perennial.stages.replay import load_history, renew


def test_a_training_leaves_no_address_behind_for_the_next_workspace(
    project: Project, registry_database
) -> None:
    """MLflow would write the first registry's address into the environment; versions would land there."""
    last = after(FIRST, 29)
    project.declare().deliver(FIRST, last)
    before = os.environ.get("MLFLOW_TRACKING_URI")
    for home in ("one", "two"):
        workspace = project.workspace(registry_database, home)
        load_history(workspace, MODEL, FIRST, last)
        assert renew(workspace, MODEL, last).version == "1"
        assert os.environ.get("MLFLOW_TRACKING_URI") == before
