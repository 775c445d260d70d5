"""A finding's cause, named in a real project: what broke is told from what moved, and a broken night teaches nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.doubles.projects import MODEL, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import Night, after, between
from perennial.errors import NotHeldError
from perennial.facts.reading import Moved, Reading
from perennial.policies.triage import Diagnosis
from perennial.stages import datasets
from perennial.stages.candidates import champion
from perennial.stages.causes import diagnose
from perennial.stages.profiling import watch
from perennial.stages.replay import pass_night
from perennial.stages.set_aside import accepted_faults, judge_nights, set_aside
from perennial.stages.steering import release
from perennial.stages.training_set import labelled_rows
from perennial.workspace import Workspace

TONIGHT = after(BIRTH, 16)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(born: Project, registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let fifteen quiet nights pass; never to be written to."""
    project = born.copied_to(tmp_path_factory.mktemp("lived") / "project")
    for night in between(after(BIRTH), after(TONIGHT, -1)):
        pass_night(project.workspace(registry_database), MODEL, night)
    return project


def over(arm: str, **evidence: int) -> Reading:
    """Let a detector stand over its threshold."""
    moved = (Moved("size", 6.0, "size mean 10 -> 12"),)
    return Reading(TONIGHT, arm, "over", f"{arm} moved.", 6.0, 4.0, columns=moved, evidence=evidence)


def cause_of(workspace: Workspace, *readings: Reading, night: Night = TONIGHT) -> Diagnosis:
    """Diagnose a night."""
    told = {reading.arm: reading for reading in readings}
    return diagnose(workspace, MODEL, night, champion(workspace, MODEL, night), told)


def changed(project: Project, change: Callable[[dict[str, object]], object]) -> None:
    """Deliver tonight's orders otherwise."""
    rows = project.read("orders", TONIGHT)
    for row in rows:
        change(row)
    project.write("orders", TONIGHT, rows)


@pytest.fixture
def project(lived: Project, tmp_path: Path) -> Project:
    """Copy the project, to do with it as a test likes."""
    return lived.copied_to(tmp_path / "project")


def test_inputs_that_no_label_follows_from_are_a_harmless_shift(
    project: Project, registry_database: Path
) -> None:
    """Heavier orders come back no more often: recorded, and the relation of tonight's rows is said to be unknown."""
    changed(project, lambda row: row.update(weight=float(str(row["weight"])) + 1.5))
    workspace = project.workspace(registry_database)
    pass_night(workspace, MODEL, TONIGHT)
    found = cause_of(workspace, over("night_shift", nights=1))
    assert (found.cause, found.asks_for_training) == ("harmless_shift", False)
    assert "not assessable" in found.reason
    assert "nan" not in found.reason
    assert found.as_json() == cause_of(workspace, over("night_shift", nights=1)).as_json()


def test_labels_that_no_longer_follow_are_a_concept_change(project: Project, registry_database: Path) -> None:
    """Two weeks in which far more come back: the rows of those nights say so, whatever the detector said."""
    project.world, last = World(shift=2.0), after(TONIGHT, 13)
    project.deliver(TONIGHT, last)
    workspace = project.workspace(registry_database)
    for night in between(TONIGHT, last):
        pass_night(workspace, MODEL, night)
    found = cause_of(workspace, over("residual_drift"), night=last)
    assert (found.cause, found.asks_for_training) == ("concept", True)
    assert float(str(found.evidence["beyond"])) > 1
    longer = cause_of(workspace, over("residual_drift", window=28), night=last)
    assert _nights_compared(longer) > _nights_compared(found)


def _nights_compared(found: Diagnosis) -> int:
    """Count the recent nights that a cause rests on: as many as the slow arm needed to see it."""
    strongest: Any = found.evidence["strongest"]
    return int(strongest["nights"][1])


def test_predictions_that_are_all_alike_are_the_models_fault(
    project: Project, registry_database: Path
) -> None:
    """A constant output, and one that is another than the rows give, are told from a world that moved."""
    workspace = project.workspace(registry_database)
    pass_night(workspace, MODEL, TONIGHT)
    said = workspace.store.read(datasets.predictions(MODEL), TONIGHT)
    manifest = workspace.store.manifest(datasets.predictions(MODEL), TONIGHT)
    assert manifest is not None
    place = said.column_names.index("prediction")
    for values, word in (
        ([0.25] * said.num_rows, "within 0"),
        (said["prediction"].to_pylist()[::-1], "otherwise"),
    ):
        table = said.set_column(place, "prediction", pa.array(values))
        meta = dict(manifest.meta) if word == "otherwise" else {}
        workspace.store.publish(datasets.predictions(MODEL), TONIGHT, table, meta=meta)
        found = cause_of(workspace, over("night_shift", nights=1))
        assert (found.cause, found.asks_for_training) == ("model", False)
        assert word in found.reason


@pytest.fixture
def broken(project: Project, registry_database: Path) -> Workspace:
    """Deliver tonight in another unit, and let the monitor find it."""
    changed(project, lambda row: row.update(size=float(str(row["size"])) * 1000))
    workspace = project.workspace(registry_database)
    pass_night(workspace, MODEL, TONIGHT)
    judge_nights(workspace, MODEL, TONIGHT, cause_of(workspace, over("night_shift", nights=1)))
    return workspace


def test_a_broken_night_is_in_no_training_set_and_no_reference(broken: Workspace) -> None:
    """It is written down in words, asks for no training, and is left out from the next night on."""
    [entry] = broken.ledger.entries(MODEL, {"nights_set_aside"})
    assert TONIGHT in entry.reason
    assert "size looks as if multiplied by 1000" in entry.reason
    assert set_aside(broken, MODEL) == {TONIGHT}
    assert set_aside(broken, MODEL, by=after(TONIGHT, -1)) == set()
    later, plan = after(TONIGHT, 3), champion(broken, MODEL, TONIGHT).plan
    nights = set(labelled_rows(broken, MODEL, plan, later)["night"].to_pylist())
    assert after(TONIGHT, -1) in nights
    assert TONIGHT not in nights
    pass_night(broken, MODEL, after(TONIGHT))
    seen = watch(broken, MODEL, after(TONIGHT), plan, None)
    assert seen is not None
    row = seen.values[seen.nights.index(TONIGHT)]
    assert (row != row).all()  # noqa: PLR0124 - NaN


def test_the_same_night_judged_again_says_the_same(broken: Workspace) -> None:
    """No second line, and tonight itself is still compared as it was."""
    judge_nights(broken, MODEL, TONIGHT, cause_of(broken, over("night_shift", nights=1)))
    assert len(broken.ledger.entries(MODEL, {"nights_set_aside", "nights_freed"})) == 1


def test_a_person_may_release_it_and_its_fault_is_none_from_then_on(broken: Workspace) -> None:
    """That is how it is now: the night is learned from, and the same sign is no fault for eight weeks."""
    release(broken, MODEL, TONIGHT, actor="ann", reason="Grams from now on.")
    assert set_aside(broken, MODEL) == set()
    assert ("unit", "size") in accepted_faults(broken, MODEL, after(TONIGHT))
    judge_nights(broken, MODEL, TONIGHT, cause_of(broken, over("night_shift", nights=1)))
    assert set_aside(broken, MODEL) == set()
    with pytest.raises(NotHeldError):
        release(broken, MODEL, TONIGHT, actor="ann")


def test_a_corrected_file_frees_it(broken: Workspace, project: Project) -> None:
    """What was delivered anew is another file, and a look at it that finds nothing is written down."""
    changed(project, lambda row: row.update(size=float(str(row["size"])) / 1000))
    pass_night(broken, MODEL, TONIGHT)
    assert set_aside(broken, MODEL) == set()
    said = broken.ledger.entries(MODEL, {"nights_set_aside", "nights_freed"})
    assert [entry.kind for entry in said] == ["nights_set_aside", "nights_freed"]
