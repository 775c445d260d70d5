"""Residual nights are written down once, and say what the rows say: also of a night that is looked back on."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.facts.residuals import Residuals
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, champion
from perennial.stages.performance import about
from perennial.stages.replay import pass_night
from perennial.stages.residual_nights import residuals, unseen
from perennial.workspace import Workspace

LIVE = 5


@pytest.fixture
def version(workspace: Workspace) -> Candidate:
    """Let five nights pass, and name who served."""
    for days in range(1, LIVE + 1):
        pass_night(workspace, MODEL, after(BIRTH, days))
    return champion(workspace, MODEL, after(BIRTH, LIVE))


def known(workspace: Workspace, version: Candidate, days: int) -> Residuals:
    """Collect what is known so many nights after the birth."""
    found = residuals(workspace, MODEL, after(BIRTH, days), version)
    assert found is not None
    return found


def test_a_live_night_says_what_its_rows_say(workspace: Workspace, version: Candidate) -> None:
    """Rows and mean of label minus prediction, to the last bit of what was published."""
    live = known(workspace, version, LIVE).live
    assert [one.night for one in live] == [after(BIRTH, days) for days in range(1, LIVE)]
    for one in live:
        rows = workspace.store.read(datasets.performance(MODEL), one.night)
        assert one.rows == rows.num_rows
        mean = pc.mean(pc.subtract(rows["label"], rows["prediction"])).as_py()
        assert one.mean == pytest.approx(mean, abs=1e-12)


def test_a_night_that_is_looked_back_on_counts_what_was_known_then(
    workspace: Workspace, version: Candidate
) -> None:
    """Where a later night has settled more labels, rows are read, and only those known by then count."""
    before = known(workspace, version, 3)
    settled = before.live[-1]
    dataset = datasets.performance(MODEL)
    rows, meta = workspace.store.read(dataset, settled.night), about(workspace, MODEL, settled.night)
    late = rows.slice(0, 2).set_column(
        rows.column_names.index("known_at"), "known_at", pa.array([LATE] * 2, rows["known_at"].type)
    )
    later = {**meta, "by": after(BIRTH, LIVE), "residuals": {version.version: [rows.num_rows + 2, "0.5"]}}
    workspace.store.publish(dataset, settled.night, pa.concat_tables([rows, late]), meta=later)
    assert known(workspace, version, 3) == before
    assert known(workspace, version, LIVE).live[len(before.live) - 1].mean == 0.5


LATE = 4_000_000_000_000_000
"""Microseconds: a moment after all nights of the test."""


def test_unseen_nights_are_summed_up_anew_when_their_rows_change(
    workspace: Workspace, version: Candidate
) -> None:
    """The sums name the rows they are of."""
    dataset = datasets.reference(MODEL)
    rows = workspace.store.read(dataset, version.version)
    first = unseen(workspace, MODEL, version)
    assert list(first.nights) == sorted(set(rows["night"].to_pylist()))
    assert sum(one.rows for one in first.residuals) == rows.num_rows
    workspace.store.publish(dataset, version.version, rows.filter(pc.greater(rows["night"], first.nights[0])))
    again = unseen(workspace, MODEL, version)
    assert again.nights == first.nights[1:]
    assert again.residuals == first.residuals[1:]
