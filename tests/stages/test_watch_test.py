"""A watch is tried on its own nights: loud changes page at once, and nothing of the model's is written."""

from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project, World

from perennial.clock import after
from perennial.stages import datasets
from perennial.stages.candidates import champion
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.watch_test import watch_test

BIRTH = after(FIRST, 99)
LAST = after(BIRTH, 17)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def watched(registry_database: Path, tmp_path_factory: pytest.TempPathFactory):
    """Let seventeen nights pass under a first version of a hundred; its nights are never changed."""
    project = Project(tmp_path_factory.mktemp("watched") / "project", world=World(1)).declare()
    project.deliver(FIRST, LAST)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    for days in range(1, 18):
        pass_night(workspace, MODEL, after(BIRTH, days))
    return workspace


def files(workspace) -> set[str]:
    """List every published file."""
    return {
        str(path.relative_to(workspace.store.root))
        for path in workspace.store.root.rglob("*")
        if path.is_file()
    }


def test_loud_changes_page_and_only_the_result_is_written(watched) -> None:
    """Another unit, many nulls and a lost category page on the first night; past pages stand beside the budget."""
    before, entries = files(watched), len(watched.ledger.entries(MODEL))
    found = watch_test(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    within = {one.change: one.within for one in found.found}
    assert all(within[name]["1"] == 4 for name in ("unit x1000", "nulls 20 %", "lost category"))
    assert within["mean +0.05 sd"]["7"] <= within["mean +1 sd"]["7"] == 4
    assert {"labels +.1", "labels turned around", "predictions +.5"} <= set(within)
    assert "28" in within["labels +.1"]
    assert all("watch-tests" in path for path in files(watched) - before)
    assert len(watched.ledger.entries(MODEL)) == entries
    past = {one.arm: one for one in found.past}
    assert past["night_shift"].nights == 17
    assert past["night_shift"].low <= past["night_shift"].pages * 90 / 17 <= past["night_shift"].high
    again = watch_test(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    assert again.as_json() == found.as_json()
    assert watched.store.keys(datasets.watch_tests(MODEL)) == [LAST]


def test_what_cannot_be_tried_is_said(watched) -> None:
    """No nights to begin on, labels that are not in, a watch that still learns, nights that nobody profiled."""
    version = champion(watched, MODEL, LAST)
    early = watch_test(watched, MODEL, after(BIRTH), version)
    assert any("labels" in why and "14 are needed" in why for why in early.not_tried)
    young = watch_test(watched, MODEL, after(FIRST, 40), version)
    assert any("still learning" in why for why in young.not_tried)
    none = watch_test(watched, MODEL, FIRST, version)
    assert none.found == ()
    assert none.reason.startswith("Of 0 changes")
    assert "No night has been judged yet" in none.reason
