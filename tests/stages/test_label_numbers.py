"""Another rule of the labels is told from another relation by the number that labels are made from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, Project, World

from perennial.clock import after, between
from perennial.facts.reading import Reading
from perennial.policies.triage import Diagnosis
from perennial.stages.candidates import champion
from perennial.stages.causes import diagnose
from perennial.stages.replay import load_history, pass_night, renew

BIRTH, NIGHTS = after(FIRST, 48), 14
LAST = after(BIRTH, 2 * NIGHTS)
DECLARED = TIMED.replace("{truth}: {kind}", "late: integer, items: integer, minutes: number").replace(
    "expression: {truth}", "expression: late"
)

pytestmark = pytest.mark.slow


@dataclass
class LateOrders(World):
    """Orders that come late by a number of minutes, which says nothing of how many items they hold."""

    limit: float = 0.0
    """From which minute on whoever delivers them calls them late."""

    def _outcome(self, order: dict[str, object], chance: np.random.Generator) -> dict[str, object]:
        height = self.steep * (float(str(order["size"])) - 10) + (order["place"] == "north") - 1 + self.shift
        minutes = round(30 * (height + float(chance.logistic())), 1)
        return {"late": int(minutes > self.limit), "items": int(chance.integers(1, 9)), "minutes": minutes}


@pytest.fixture(scope="module")
def lived(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let a model of late orders live for two quiet weeks; never to be written to."""
    root = tmp_path_factory.mktemp("late") / "project"
    project = Project(root, world=LateOrders()).declare(DECLARED).deliver(FIRST, after(BIRTH, NIGHTS))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    for night in between(after(BIRTH), after(BIRTH, NIGHTS)):
        pass_night(workspace, MODEL, night)
    return project


def two_weeks_on(project: Project, database: Path) -> Diagnosis:
    """Let two more weeks pass, and name the cause of what the watch of labels says of them."""
    project.deliver(after(BIRTH, NIGHTS + 1), LAST)
    workspace = project.workspace(database)
    for night in between(after(BIRTH, NIGHTS + 1), LAST):
        pass_night(workspace, MODEL, night)
    over = Reading(LAST, "residual_drift", "over", "residual_drift moved.", 6.0, 4.0)
    return diagnose(workspace, MODEL, LAST, champion(workspace, MODEL, LAST), {over.arm: over})


def test_another_limit_is_a_label_problem(lived: Project, registry_database: Path, tmp_path: Path) -> None:
    """Late from the twenty-fifth minute on: labels contradict their number, and nothing is learned from them."""
    project = lived.copied_to(tmp_path / "project")
    project.world = LateOrders(limit=25.0)
    found = two_weeks_on(project, registry_database)
    assert (found.cause, found.asks_for_training) == ("labels", False)
    assert "contradict the number they were made from" in found.reason


def test_orders_that_come_later_are_another_relation(
    lived: Project, registry_database: Path, tmp_path: Path
) -> None:
    """The limit is where it was, and their numbers agree with it: the world changed, and is learned from."""
    project = lived.copied_to(tmp_path / "project")
    project.world = LateOrders(shift=1.5)
    found = two_weeks_on(project, registry_database)
    assert (found.cause, found.asks_for_training) == ("concept", True)
