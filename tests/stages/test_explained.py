"""A verdict says what it rests on from the first night: guards, reference, and how long until it can tell."""

import json
from dataclasses import replace
from pathlib import Path

from tests.doubles.projects import FIRST, MODEL, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.stages import datasets
from perennial.stages.findings import findings
from perennial.stages.monitor import monitor
from perennial.stages.replay import load_history, pass_night
from perennial.workspace import Workspace


def test_a_first_night_names_what_was_guarded(project: Project, registry_database: Path) -> None:
    """Schema, keys, volume, freshness and every declared check; and for how many nights it cannot tell."""
    project.declare().deliver(FIRST, FIRST)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, FIRST)
    watched = monitor(workspace, MODEL, FIRST)
    assert watched.state == "learning"
    for word in ("schema", "volume", "freshness", "names a row once", "size is from"):
        assert any(word in line for line in watched.guards), word
    assert watched.nights_needed
    assert f"{watched.nights_needed} more nights are needed" in watched.reason


def test_an_empty_column_pages_on_the_first_night_and_is_told_once(
    project: Project, registry_database: Path
) -> None:
    """No reference is needed to see it; it is one finding as long as it lasts."""
    project.world = World(empty=("weight",))
    project.declare().deliver(FIRST, after(FIRST))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, after(FIRST))
    watched = [monitor(workspace, MODEL, night) for night in (FIRST, after(FIRST))]
    assert [(one.state, one.cause) for one in watched] == [("page", "broken_feed")] * 2
    assert "weight has no value on any of 60 rows" in watched[0].reason
    (one,) = findings(workspace, MODEL)
    assert (one.finding.problem, one.finding.nights, one.finding.columns) == ("feed", 2, ("weight",))


def test_every_verdict_names_its_reference(workspace: Workspace) -> None:
    """Which nights, what was left out, and that a year ago is not known."""
    watched = pass_night(workspace, MODEL, after(BIRTH)).watched
    reference = watched.arms["night_shift"]["evidence"]["reading"]["evidence"]["reference"]
    assert reference["kind"] == "weekday"
    assert "A year ago" in reference["said"]
    kept = workspace.store.read(datasets.verdicts(MODEL), watched.night)["verdict"][0].as_py()
    assert json.loads(kept)["guards"] == list(watched.guards)
    assert replace(watched, guards=()) != watched
