"""A declared nightly layer: it learns from settled, sound nights, answers beside the champion, and is judged."""

from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import MODEL, TIMED, UNTIMED, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.errors import BrokenModelError
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.adapt import MEMBERS, served_table
from perennial.stages.layer_nights import to_learn
from perennial.stages.replay import pass_night, renew
from perennial.stages.score import score
from perennial.stages.standing import standing
from perennial.stages.validate import close_night, take_in_range
from perennial.workspace import Workspace

CHANGED, LAST = after(BIRTH, 4), after(BIRTH, 30)
NIGHTLY = "retraining: {cooldown_nights: 1000}\nadapt: nightly\nslices: {north: place = 'north'}\n"


@pytest.fixture(scope="module")
def adapted(born: Project, registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let a model with a layer live for a month in which outcomes rise and stay up; never to be written to."""
    project = born.copied_to(tmp_path_factory.mktemp("adapted") / "project")
    file = project.folder / "model.yaml"
    file.write_text(file.read_text() + NIGHTLY)
    project.world = World(shift=1.5)
    project.deliver(CHANGED, after(LAST))
    workspace = project.workspace(registry_database)
    for night in between(after(BIRTH), LAST):
        pass_night(workspace, MODEL, night)
    return project


@pytest.fixture
def lived(adapted: Project, registry_database: Path, tmp_path: Path) -> Workspace:
    """Open a copy of what was lived."""
    return adapted.copied_to(tmp_path / "copy").workspace(registry_database)


def answers(workspace: Workspace, night: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Return what is served for a night, what the champion said, and who serves."""
    manifest = workspace.store.manifest(datasets.adapted(MODEL), night)
    assert manifest is not None
    served = served_table(workspace, MODEL, night)["prediction"].to_numpy()
    said = workspace.store.read(datasets.predictions(MODEL), night)["prediction"].to_numpy()
    return served, said, str(manifest.meta["serves"])


def test_the_champion_serves_alone_until_the_layer_has_shown_itself(lived: Workspace) -> None:
    """Two weeks of matured nights, in which its answers are kept and nobody gets them."""
    served, said, serves = answers(lived, after(BIRTH, 14))
    assert serves == "champion"
    assert np.array_equal(served, said)
    kept = lived.store.read(datasets.adapted(MODEL), after(BIRTH, 14))
    assert {f"m:{name}" for name in (*MEMBERS, "layer")} <= set(kept.column_names)
    (told,) = lived.ledger.entries(
        MODEL, {"layer"}, first_night=after(BIRTH, 14), last_night=after(BIRTH, 14)
    )
    assert "matured nights show what it would have said" in told.reason


def test_then_it_serves_and_follows_outcomes_that_rose(lived: Workspace) -> None:
    """After a month it answers higher than the champion, with less loss, and says by how much."""
    served, said, serves = answers(lived, LAST)
    assert serves == "layer"
    assert served.mean() > said.mean() + 0.1
    told = lived.ledger.entries(MODEL, {"layer"})[-1]
    assert "The layer serves: it had -" in told.reason
    gate = told.evidence["gate"]["evidence"]
    assert abs(gate["layer_off"]) < abs(gate["champion_off"])
    north = gate["slices"]["north"]
    assert 0 < north["rows"] < 28 * 60
    assert north["gain"] > 0
    assert lived.ledger.entries(MODEL, {"promoted"})[-1].evidence["version"] == "1"


def test_what_monitoring_looks_at_is_the_champion_still(
    lived: Workspace, born, registry_database, tmp_path
) -> None:
    """With and without a layer the champion's predictions are the same rows and numbers."""
    plain = born.copied_to(tmp_path / "plain").workspace(registry_database)
    night = after(BIRTH)
    pass_night(plain, MODEL, night)
    with_layer, without = (one.store.manifest(datasets.predictions(MODEL), night) for one in (lived, plain))
    assert with_layer is not None
    assert without is not None
    assert with_layer.content == without.content
    assert not plain.store.version(datasets.adapted(MODEL), night)


def test_a_night_scored_again_is_answered_to_the_byte_as_it_was(lived: Workspace) -> None:
    """Labels that came after it are known by then, and none of them reaches its layer."""
    night = after(BIRTH, 20)
    names = (datasets.adapted(MODEL), datasets.layers(MODEL), datasets.layer_samples(MODEL))
    first = [lived.store.manifest(name, night) for name in names]
    score(lived, MODEL, night)
    assert [lived.store.manifest(name, night) for name in names] == first
    assert len(lived.ledger.entries(MODEL, {"layer"}, first_night=night, last_night=night)) == 1


def test_one_word_turns_it_off(lived: Workspace) -> None:
    """What is delivered is then the champion's own again, also for nights that the layer answered."""
    file = lived.folder(MODEL) / "model.yaml"
    file.write_text(file.read_text().replace("adapt: nightly", "adapt: off"))
    off = Workspace.open(lived.home, lived.project)
    served, said, _ = answers(off, LAST)
    assert np.array_equal(served, said)


def test_a_night_scored_again_after_that_says_so(lived: Workspace) -> None:
    """The ledger does not go on saying that the layer answered it."""
    file = lived.folder(MODEL) / "model.yaml"
    file.write_text(file.read_text().replace("adapt: nightly", "adapt: off"))
    off = Workspace.open(lived.home, lived.project)
    assert standing(off, MODEL).layer == off.ledger.entries(MODEL, {"layer"})[-1].reason
    scored = score(off, MODEL, LAST)
    told = off.ledger.entries(MODEL, {"layer"}, first_night=LAST, last_night=LAST)
    assert len(told) == 2
    assert "`adapt: off` is declared, so version 1 answers by itself" in told[-1].reason
    assert scored.layer == told[-1].reason == standing(off, MODEL).layer


def test_nights_that_are_set_aside_or_not_yet_watched_are_not_learned(lived: Workspace) -> None:
    """A broken feed is left out for good; a night without its verdict is waited for."""
    plan, bad, last = lived.plan(MODEL).hash, after(BIRTH, 10), after(LAST)
    known = to_learn(lived, MODEL, plan, BIRTH, last)
    assert (known[0], known[-1]) == (after(BIRTH), LAST)
    manifest = lived.store.manifest(datasets.table(MODEL, "orders"), bad)
    assert manifest is not None
    evidence = {"nights": {bad: {"orders": manifest.content}}}
    lived.ledger.append(NewEntry(MODEL, "nights_set_aside", bad, bad, "monitor", "It broke.", evidence))
    assert bad not in to_learn(lived, MODEL, plan, BIRTH, last)
    for source in lived.spec(MODEL).sources:
        take_in_range(lived, MODEL, source, last, last)
    close_night(lived, MODEL, last)
    score(lived, MODEL, last)
    assert to_learn(lived, MODEL, plan, BIRTH, after(last))[-1] == LAST


def test_another_champion_takes_its_place_below_the_layer(lived: Workspace) -> None:
    """Its corrections begin anew from nights that it has not seen; the record of losses stays."""
    assert renew(lived, MODEL, LAST).version == "2"
    serving = lived.ledger.champion(MODEL)
    assert serving is not None
    pass_night(lived, MODEL, after(LAST))
    told = lived.ledger.entries(MODEL, {"layer"})[-1]
    assert told.evidence["version"] == serving.version
    assert f"over version {serving.version}" in told.reason
    assert told.evidence["gate"]["evidence"]["nights"] >= 14


@pytest.mark.parametrize(
    ("task", "template", "words"),
    [
        ("multiclass", TIMED, "No nightly layer for a multiclass model"),
        ("binary", UNTIMED, "a table without time has no nights to learn from"),
    ],
)
def test_a_model_that_can_have_no_layer_is_told_so(
    tmp_path: Path, registry_database: Path, task: str, template: str, words: str
) -> None:
    """More than two classes, or a table without time: the declaration is refused with the way out."""
    project = Project(tmp_path / "project", task).declare(template, extra="adapt: nightly")
    with pytest.raises(BrokenModelError, match=f"{words}.*Write `adapt: off`"):
        project.workspace(registry_database).spec(MODEL)
