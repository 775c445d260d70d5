"""Realised and estimated performance over real nights of a small project: the same whenever it is asked."""

from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.facts.performance import Performance
from perennial.facts.residuals import Residuals
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.candidates import champion
from perennial.stages.night_losses import KEPT_EVERY, losses_known, settled_for_good
from perennial.stages.performance import about, settle, settled_nights
from perennial.stages.realised import performance_of
from perennial.stages.replay import load_history, renew
from perennial.stages.residual_nights import residuals
from perennial.stages.score import score
from perennial.stages.validate import close_night, take_in_range
from perennial.workspace import Workspace

SLICES = "slices: {north: \"place = 'north'\", nobody: size > 1000}\n"
LIVE = 20


def live(workspace: Workspace, days: int, silent: str = "") -> str:
    """Let a night pass as far as performance needs it: taken in, scored, settled; one source may stay silent."""
    night = after(BIRTH, days)
    for source in workspace.spec(MODEL).sources:
        if source != silent:
            take_in_range(workspace, MODEL, source, night, night)
    if not silent:
        close_night(workspace, MODEL, night)
    if silent != "orders":
        build_features(workspace, MODEL, night)
        score(workspace, MODEL, night)
    settle(workspace, MODEL, night)
    return night


def told(workspace: Workspace, days: int) -> Performance:
    """Ask how the champion performs, so many nights after the birth."""
    night = after(BIRTH, days)
    return performance_of(workspace, MODEL, night, champion(workspace, MODEL, night))


def settled_and_residuals(workspace: Workspace, night: str) -> tuple[list[str], Residuals | None]:
    """Return the settled nights of the champion, and what it got wrong on them."""
    version = champion(workspace, MODEL, night)
    return settled_nights(workspace, MODEL, version.night, night), residuals(workspace, MODEL, night, version)


@pytest.fixture
def sliced(served: Project, registry_database: Path) -> Workspace:
    """Declare two slices, one of them empty, and open the project."""
    file = served.folder / "model.yaml"
    file.write_text(file.read_text() + SLICES)
    served.deliver(after(BIRTH, LIVE), after(BIRTH, 2 * LIVE))
    return served.workspace(registry_database)


def test_a_version_is_put_beside_its_promise_and_estimated_since_its_labels(sliced: Workspace) -> None:
    """After twenty nights: realised on fourteen, estimated on the one that waits, each slice as well."""
    for days in range(1, LIVE + 1):
        live(sliced, days)
    found = told(sliced, LIVE)
    assert found.realised.mean is not None
    assert (found.realised.mean.nights, found.realised.last) == (14, after(BIRTH, LIVE - 1))
    assert found.realised.promised is not None
    assert (found.estimated.first, found.estimated.rows) == (after(BIRTH, LIVE), 60)
    assert found.estimated.state in ("shown", "muted")
    assert found.labels.coverage == 1.0
    north, nobody = found.slices["north"], found.slices["nobody"]
    assert north.realised.mean is not None
    assert 0 < north.realised.mean.rows < found.realised.mean.rows
    assert nobody.realised.mean is None
    assert nobody.estimated.state == "not_assessable"
    assert "in log loss" in found.reason


def test_an_old_night_says_what_it_said_then(sliced: Workspace) -> None:
    """Also where tables of many nights have been made since, and whether or not it is scored and settled again."""
    said = []
    for days in range(1, 2 * LIVE):
        live(sliced, days)
        said.append(told(sliced, days).evidence_hash)
    assert sliced.store.keys(datasets.streams(MODEL, "night_losses"))
    assert [told(sliced, days).evidence_hash for days in range(1, 2 * LIVE)] == said
    again = Workspace.open(sliced.home, sliced.project)
    for days in range(LIVE, 2 * LIVE):
        live(again, days)
    assert [told(again, days).evidence_hash for days in range(1, 2 * LIVE)] == said


def test_two_homes_say_the_same(served: Project, registry_database: Path, tmp_path: Path) -> None:
    """A replay elsewhere gives the same hashes, number by number."""
    hashes = []
    for root in (tmp_path / "one", tmp_path / "two"):
        workspace = served.copied_to(root).workspace(registry_database)
        hashes.append(
            [(live(workspace, days), told(workspace, days).evidence_hash)[1] for days in range(1, 8)]
        )
    assert hashes[0] == hashes[1]


def test_a_table_of_many_nights_holds_what_the_nights_say(sliced: Workspace) -> None:
    """Read with tables, or with none that is believed: the same nights with the same losses."""
    for days in range(1, LIVE + 1):
        live(sliced, days)
    known = losses_known(sliced, MODEL, after(BIRTH, LIVE))
    assert after(BIRTH, KEPT_EVERY) <= known.through < after(BIRTH, LIVE)
    before, night = told(sliced, LIVE), after(BIRTH, LIVE)
    closed = settled_for_good(sliced, MODEL, night)
    asked = settled_and_residuals(sliced, night)
    assert closed
    for key in sliced.store.keys(datasets.streams(MODEL, "night_losses")):
        made = sliced.store.read(datasets.streams(MODEL, "night_losses"), key)
        sliced.store.publish(datasets.streams(MODEL, "night_losses"), key, made, meta={"revision": -1})
    # As text, since what is expected of a slice without rows is no number, and that equals nothing.
    assert repr(losses_known(sliced, MODEL, after(BIRTH, LIVE)).losses) == repr(known.losses)
    assert told(sliced, LIVE).as_json() == before.as_json()
    assert not settled_for_good(sliced, MODEL, night)
    assert settled_and_residuals(sliced, night) == asked
    assert {key: about(sliced, MODEL, key)["residuals"] for key in closed} == closed


def test_corrected_labels_revise_what_is_known_from_then_on(workspace: Workspace, served: Project) -> None:
    """A label that a later delivery turns counts in the night that knows it, not in those before."""
    for days in range(1, 4):
        live(workspace, days)
    before = told(workspace, 3).realised
    outcomes = served.read("outcomes", after(BIRTH, 3))
    served.write(
        "outcomes", after(BIRTH, 3), [{**row, "returned": 1 - int(str(row["returned"]))} for row in outcomes]
    )
    take_in_range(workspace, MODEL, "outcomes", after(BIRTH, 3), after(BIRTH, 3))
    live(workspace, 4)
    now = {one.night: one for one in told(workspace, 4).realised.nightly}
    then = {one.night: one for one in before.nightly}
    changed = after(BIRTH, 2)
    assert now[changed].loss != then[changed].loss
    assert now[after(BIRTH, 1)] == then[after(BIRTH, 1)]
    assert told(workspace, 3).realised == before


def test_labels_of_rows_that_nobody_scored_change_nothing(workspace: Workspace, served: Project) -> None:
    """Coverage is of predictions: outcomes of unknown orders are not counted."""
    known = served.read("outcomes", after(BIRTH, 2))
    served.write("outcomes", after(BIRTH, 2), [*known, {**known[0], "order_id": "nobody-knows"}])
    for days in (1, 2):
        live(workspace, days)
    (night,) = told(workspace, 2).realised.nightly
    assert night.rows == len(known)


def test_labels_of_one_class_are_a_loss_like_any_other(workspace: Workspace, served: Project) -> None:
    """A night on which everything came back: a finite loss, and calibrations that stay finite."""
    outcomes = served.read("outcomes", after(BIRTH, 2))
    served.write("outcomes", after(BIRTH, 2), [{**row, "returned": 1} for row in outcomes])
    for days in (1, 2, 3):
        live(workspace, days)
    found = told(workspace, 3)
    assert found.realised.nightly[0].loss > 0
    assert all(abs(value) < 100 for value in found.estimated.evidence["expected"].values())  # type: ignore[union-attr]


@pytest.mark.parametrize("rows", [1, 2])
def test_a_night_of_hardly_any_rows_has_a_sentence(workspace: Workspace, served: Project, rows: int) -> None:
    """One or two rows are scored and settled like any others, and the nights after go on."""
    served.write("orders", after(BIRTH, 2), served.read("orders", after(BIRTH, 2))[:rows])
    for days in (1, 2, 3, 4):
        live(workspace, days)
        assert told(workspace, days).reason
    assert told(workspace, 2).estimated.rows == rows
    assert sum(one.rows for one in told(workspace, 4).realised.nightly) == 2 * 60 + rows


def test_a_night_that_was_not_scored_is_no_night(workspace: Workspace) -> None:
    """Nothing came to score: the estimate says that nothing waits, and the nights around it are told."""
    for days, silent in ((1, ""), (2, "orders"), (3, "")):
        live(workspace, days, silent)
    assert "has scored no rows whose labels are still awaited" in told(workspace, 2).estimated.reason
    assert [one.night for one in told(workspace, 3).realised.nightly] == [after(BIRTH, 1)]


def test_labels_that_never_come_are_told(workspace: Workspace) -> None:
    """Nothing realised, an estimate that is still learning, and coverage of nought once nights are final."""
    for days in range(1, 8):
        live(workspace, days, silent="outcomes")
    found = told(workspace, 7)
    assert found.realised.mean is None
    assert found.estimated.state == "learning"
    assert found.labels.coverage == 0.0
    assert "No label of version 1 is known yet" in found.reason


@pytest.mark.parametrize(("task", "state"), [("regression", "learning"), ("multiclass", "not_assessable")])
def test_numbers_are_estimated_and_many_classes_are_not(
    registry_database: Path, tmp_path: Path, task: str, state: str
) -> None:
    """What cannot be estimated says so; its labels are counted all the same."""
    project = Project(tmp_path / "project", task).declare().deliver(FIRST, after(BIRTH, 4))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    for days in range(1, 5):
        live(workspace, days)
    found = told(workspace, 4)
    assert found.estimated.state == state
    assert found.realised.mean is not None
    assert (found.realised.mean.nights, found.realised.mean.rows) == (3, 180)


def test_without_a_champion_there_is_a_sentence(workspace: Workspace) -> None:
    """Before the first version serves, nothing is assessable, and that is said."""
    found = performance_of(workspace, MODEL, BIRTH, None)
    assert "Nothing is estimated" in found.estimated.reason
    assert found.as_json()["version"] is None
