"""The monitor's findings: told once when they open and once when they are over, the same however often nights run."""

from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.ledger.outbox import Outbox
from perennial.stages.findings import KINDS, findings
from perennial.stages.monitor import monitor
from perennial.stages.replay import pass_night
from perennial.stages.standing import standing
from perennial.workspace import Workspace

FIRST, SECOND, THIRD = (after(BIRTH, days) for days in (1, 2, 3))


def withhold(project: Project, *nights: str) -> list[tuple[Path, str]]:
    """Take deliveries away; what was in them is given back."""
    files = [project.root / "data" / "orders" / f"{night}.csv" for night in nights]
    kept = [(file, file.read_text()) for file in files]
    for file in files:
        file.unlink()
    return kept


def lives(workspace: Workspace) -> list[tuple[str, str]]:
    """List what the ledger says of findings."""
    return [
        (one.night, one.kind.removeprefix("finding_")) for one in workspace.ledger.entries(MODEL, set(KINDS))
    ]


def told(workspace: Workspace) -> list[str]:
    """List the events that people hear of, those of promotions left out."""
    alerts = Outbox(workspace.ledger.database).alerts(MODEL)
    return [one.event for one in alerts if one.event in ("deadline", "drift", "recovery")]


def test_a_silent_week_is_one_finding(served: Project, workspace: Workspace) -> None:
    """Opened on the first night, going on on the second, over with the first whole night; told twice in all."""
    withhold(served, FIRST, SECOND)
    for night in (FIRST, SECOND):
        assert monitor(workspace, MODEL, night).state == "silent"
    assert [one.finding.last_night for one in standing(workspace, MODEL).findings] == [SECOND]
    over = pass_night(workspace, MODEL, THIRD).watched
    assert over.finding is None
    assert lives(workspace) == [(FIRST, "opened"), (SECOND, "goes_on"), (THIRD, "recovered")]
    assert told(workspace) == ["deadline", "recovery"]
    assert standing(workspace, MODEL).findings == ()


def test_nights_judged_again_say_the_same(served: Project, workspace: Workspace) -> None:
    """No line and no alert is added, and the finding keeps its identity."""
    withhold(served, FIRST, SECOND)
    once = [monitor(workspace, MODEL, night) for night in (FIRST, SECOND)]
    before = lives(workspace), told(workspace)
    assert [monitor(workspace, MODEL, night) for night in (FIRST, SECOND)] == once
    assert (lives(workspace), told(workspace)) == before
    assert once[0].finding == once[1].finding


def test_nights_judged_out_of_order_are_one_finding_as_well(served: Project, workspace: Workspace) -> None:
    """The last first: listed as if in order, and judged again it says so itself."""
    withhold(served, FIRST, SECOND, THIRD)
    for night in (THIRD, FIRST, SECOND):
        monitor(workspace, MODEL, night)
    (one,) = findings(workspace, MODEL)
    assert (one.finding.first_night, one.finding.last_night, one.finding.nights) == (FIRST, THIRD, 3)
    assert monitor(workspace, MODEL, THIRD).finding == one.finding.id


def test_a_delivery_that_came_late_takes_its_finding_back(served: Project, workspace: Workspace) -> None:
    """It says that it came late, which ends the alert; nothing stays open."""
    kept = withhold(served, FIRST)
    monitor(workspace, MODEL, FIRST)
    for file, text in kept:
        file.write_text(text)
    pass_night(workspace, MODEL, FIRST)
    assert lives(workspace) == [(FIRST, "opened"), (FIRST, "withdrawn")]
    (line,) = workspace.ledger.entries(MODEL, {"finding_withdrawn"})
    assert "came late" in line.reason
    assert told(workspace) == ["deadline", "recovery"]
    assert findings(workspace, MODEL) == []


@pytest.mark.parametrize("missing", ["orders", "outcomes"])
def test_a_night_of_which_a_part_came_is_partial(served: Project, workspace: Workspace, missing: str) -> None:
    """Rows without their outcomes are something else than no rows."""
    (served.root / "data" / missing / f"{FIRST}.csv").unlink()
    if missing == "outcomes":
        from perennial.stages.validate import take_in_range

        take_in_range(workspace, MODEL, "orders", FIRST, FIRST)
    monitor(workspace, MODEL, FIRST)
    (one,) = findings(workspace, MODEL)
    assert one.finding.causes == ("partial_night" if missing == "outcomes" else "silent_source",)
