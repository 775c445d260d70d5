"""A verdict says what it rests on from the first night: guards, reference, and how long until it can tell."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.errors import BatchRejectedError
from perennial.stages import datasets
from perennial.stages.findings import findings
from perennial.stages.monitor import monitor
from perennial.stages.replay import load_history, pass_night
from perennial.stages.set_aside import set_aside
from perennial.stages.steering import release
from perennial.stages.verdict import Watched
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


def first_nights(project: Project, workspace: Workspace, nights: int) -> list[Watched]:
    """Deliver the first nights and judge each of them, one after the other."""
    found = []
    for night in between(FIRST, after(FIRST, nights - 1)):
        project.deliver(night)
        found.append(pass_night(workspace, MODEL, night).watched)
    return found


def test_a_night_that_only_the_guards_find_broken_is_learned_from_by_nobody(
    project: Project, registry_database: Path
) -> None:
    """It is set aside with what it shows, looked at twice it is said once, and a whole delivery frees it."""
    workspace = project.declare().workspace(registry_database)
    first_nights(project, workspace, 2)
    third, project.world = after(FIRST, 2), World(empty=("weight",))
    project.deliver(third)
    pass_night(workspace, MODEL, third)
    assert set_aside(workspace, MODEL) == {third}
    assert monitor(workspace, MODEL, third).cause == "broken_feed"
    (entry,) = workspace.ledger.entries(MODEL, {"nights_set_aside", "nights_freed"})
    assert "weight has no value on any of 60 rows" in entry.reason
    project.world = World()
    project.deliver(third)
    pass_night(workspace, MODEL, third)
    assert set_aside(workspace, MODEL) == set()


def test_a_column_that_has_always_been_empty_is_no_fault(project: Project, registry_database: Path) -> None:
    """For a week it pages; then it is how the column comes, and the nights that were kept out are free."""
    project.world = World(empty=("weight",))
    workspace = project.declare().workspace(registry_database)
    watched = first_nights(project, workspace, 9)
    assert [one.state for one in watched] == ["page"] * 7 + ["learning"] * 2
    assert set_aside(workspace, MODEL, by=after(FIRST, 6)) == set(between(FIRST, after(FIRST, 6)))
    assert set_aside(workspace, MODEL) == set()
    before = len(workspace.ledger.entries(MODEL))
    assert monitor(workspace, MODEL, after(FIRST, 7)).state == "learning"
    assert len(workspace.ledger.entries(MODEL)) == before


def test_what_a_person_released_is_no_fault_on_the_nights_after(
    project: Project, registry_database: Path
) -> None:
    """The same sign in the same column pages nobody for eight weeks."""
    project.world = World(empty=("weight",))
    workspace = project.declare().workspace(registry_database)
    first_nights(project, workspace, 1)
    release(workspace, MODEL, FIRST, actor="ann", reason="Scales come next week.")
    project.deliver(after(FIRST))
    assert pass_night(workspace, MODEL, after(FIRST)).watched.state == "learning"
    assert set_aside(workspace, MODEL) == set()


UNIT = "between: {column: size, low: 0, high: 50, on_failure: %s}"


def test_another_unit_is_told_on_the_first_night_by_the_declared_range(
    project: Project, registry_database: Path
) -> None:
    """Where the check only warns, the rows come in, and the guard pages and keeps the night out."""
    project.world = World(size_unit=1000.0)
    project.declare(TIMED.replace("between: {{column: size, low: -1e9, high: 1e9}}", _braced(UNIT % "warn")))
    (watched,) = first_nights(project, project.workspace(registry_database), 1)
    assert (watched.state, watched.cause) == ("page", "broken_feed")
    assert "size is not from 0 to 50, as declared, on 60 of 60 rows" in watched.reason
    assert set_aside(project.workspace(registry_database), MODEL) == {FIRST}


def test_another_unit_is_held_on_the_first_night_where_the_check_sets_rows_aside(
    project: Project, registry_database: Path
) -> None:
    """More rows than may be set aside: the delivery is held, nothing is judged, and it says so."""
    project.world = World(size_unit=1000.0)
    project.declare(
        TIMED.replace("between: {{column: size, low: -1e9, high: 1e9}}", _braced(UNIT % "quarantine"))
    )
    workspace = project.deliver(FIRST).workspace(registry_database)
    with pytest.raises(BatchRejectedError, match="size is from 0 to 50"):
        load_history(workspace, MODEL, FIRST, FIRST)
    watched = monitor(workspace, MODEL, FIRST)
    assert watched.state == "silent"
    assert "absent data are not quiet data" in watched.reason


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def test_every_verdict_names_its_reference(workspace: Workspace) -> None:
    """Which nights, what was left out, and that a year ago is not known."""
    watched = pass_night(workspace, MODEL, after(BIRTH)).watched
    reference = watched.arms["night_shift"]["evidence"]["reading"]["evidence"]["reference"]
    assert reference["kind"] == "weekday"
    assert "A year ago" in reference["said"]
    kept = workspace.store.read(datasets.verdicts(MODEL), watched.night)["verdict"][0].as_py()
    assert json.loads(kept)["guards"] == list(watched.guards)
    assert replace(watched, guards=()) != watched
