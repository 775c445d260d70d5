"""What a training set knows that a prediction could not: found once a run, and answered for in model.yaml."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from tests.doubles.projects import MODEL

from perennial.facts.decision import Verdict
from perennial.gates.leaks import Leaks
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.comparison import compare_on_holdout
from perennial.stages.leaks import local, signs_of
from perennial.workspace import Workspace


def test_the_best_honest_column_of_a_first_model_is_no_leak(workspace: Workspace) -> None:
    """Nothing is new to a first model, and nothing in it predicts the label alone."""
    version = candidate(workspace, MODEL, "1")
    assert signs_of(workspace, version) == ()
    assert Leaks().decide(compare_on_holdout(workspace, version, version.night)).verdict is Verdict.PASS


def test_signs_are_found_once_a_run(workspace: Workspace) -> None:
    """They are published beside the run: asking again reads them, and finds the same."""
    version = candidate(workspace, MODEL, "1")
    kept = workspace.store.keys(datasets.leaks(MODEL))
    assert len(kept) == 1
    again = Workspace(workspace.project, workspace.home, quiet=True)
    assert signs_of(again, version) == signs_of(workspace, version)
    assert again.store.version(datasets.leaks(MODEL), kept[0]) == 1


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_an_hour_stays_the_same_hour_when_clocks_are_changed(zone: str | None) -> None:
    """A scheduled hour is known to anyone; read as UTC it is another function of the clock before and after."""
    wall = ZoneInfo("America/New_York")
    noons = [datetime(2013, 3, day, 12, tzinfo=wall).astimezone(UTC) for day in (9, 10, 11)]
    told = pa.chunked_array([pa.array(noons, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))])
    assert set(local(told, "America/New_York").dt.hour) == {12}
