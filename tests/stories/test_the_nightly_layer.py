"""A model with `adapt: nightly` through the real scheduler: the layer takes over, is switched off, and comes back."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project, World

from perennial.cli import main
from perennial.clock import after, between
from perennial.stages import datasets
from perennial.stages.replay import load_history, pass_night, renew
from perennial.workspace import Workspace
from perennial_airflow.launch import environment, processes
from perennial_airflow.launch.chapters import Runs
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.rest import Airflow

ROOT = Path(__file__).parents[2]
BORN = after(FIRST, 48)
CHANGED, KNOWN = after(BORN, 4), after(BORN, 20)
"""Outcomes rise and stay up; the layer has seen enough of it when Airflow takes the nights over."""
LAYERED, OFF, AGAIN = between(after(KNOWN), after(KNOWN, 2)), after(KNOWN, 3), after(KNOWN, 4)
MORE = """retraining: {cooldown_nights: 1000}
adapt: nightly
sink: {uri: 'data/scores/{night}.csv'}
"""
SECONDS = 600.0
pytestmark = [pytest.mark.airflow, pytest.mark.slow]


@dataclass(frozen=True)
class Lived:
    """A project whose nights Airflow ran, and its twin whose nights passed in one process."""

    launch: Launch
    airflow: Airflow
    project: Project
    alone: Workspace

    @property
    def workspace(self) -> Workspace:
        """Open the scheduled one as it is now."""
        return Workspace.open(self.launch.home, self.project.root)

    def delivered(self, night: str) -> list[float]:
        """Read what came to the sink."""
        with (self.project.root / "data" / "scores" / f"{night}.csv").open(newline="") as file:
            return [float(row["prediction"]) for row in csv.DictReader(file)]

    def said(self, dataset: str, night: str, column: str = "prediction") -> list[float]:
        """Read what is published for a night."""
        found: list[float] = self.workspace.store.read(dataset, night)[column].to_pylist()
        return found


def declare(project: Project, word: str) -> None:
    """Write whether the layer adapts, as a person does: one word."""
    file = project.folder / "model.yaml"
    other = "off" if word == "nightly" else "nightly"
    file.write_text(file.read_text().replace(f"adapt: {other}", f"adapt: {word}"))


def in_turn(project: Project, nights: list[tuple[str, str]]) -> Iterator[str]:
    """Let nights come one after the other, each with its word in `model.yaml`."""
    for night, word in nights:
        declare(project, word)
        yield night


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, registry_database: Path) -> Iterator[Lived]:
    """Let a layer learn for three weeks, then let the same nights pass in Airflow and alone, each on a copy.

    Airflow gets a copy that this process has not opened: copying an open database lets go of its locks.
    """
    made = Project(tmp_path_factory.mktemp("made") / "project").declare(more=MORE).deliver(FIRST, CHANGED)
    made.world = World(shift=1.5)
    made.deliver(after(CHANGED), AGAIN)
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BORN)
    assert renew(workspace, MODEL, BORN).promoted
    for night in between(after(BORN), KNOWN):
        pass_night(workspace, MODEL, night)
    project, copy = (
        made.copied_to(tmp_path_factory.mktemp(name) / "project") for name in ("scheduled", "alone")
    )
    come = [*((night, "nightly") for night in LAYERED), (OFF, "off"), (AGAIN, "nightly")]
    for night in in_turn(copy, come):
        pass_night(copy.workspace(registry_database), MODEL, night)
    launch = environment.prepare(ROOT, project.root / "home", project=project.root)
    with processes.running(launch), Airflow.of(launch) as airflow:
        airflow.wait_for_dags(
            [f"{MODEL}.{kind}" for kind in ("validate", "score", "monitor")], seconds=SECONDS
        )
        runs = Runs(airflow, MODEL, lambda _: None)
        for night in in_turn(project, come):
            runs.take_in(f"night__{night}", night)
            runs.pass_through("monitor", f"monitor__{night}", night=night)
        yield Lived(launch, airflow, project, copy.workspace(registry_database))


def test_what_airflow_delivers_is_the_layers_answer(lived: Lived) -> None:
    """Night after night; the champion's own predictions stay beside it."""
    for night in LAYERED:
        assert lived.delivered(night) == pytest.approx(lived.said(datasets.adapted(MODEL), night))
        assert lived.said(datasets.adapted(MODEL), night) != lived.said(datasets.predictions(MODEL), night)


def test_each_nights_layer_and_its_gate_stand_in_the_ledger(lived: Lived) -> None:
    """Its version, the champion below it, how far it learned, its weights and what the gate said."""
    told = lived.workspace.ledger.entries(MODEL, {"layer"}, first_night=LAYERED[0], last_night=LAYERED[-1])
    assert [entry.night for entry in told] == LAYERED
    assert len({entry.evidence["layer"] for entry in told}) == len(LAYERED)
    for entry in told:
        manifest = lived.workspace.store.manifest(datasets.layers(MODEL), entry.night)
        assert manifest is not None
        assert entry.evidence["layer"] == manifest.meta["layer"]
        assert (entry.evidence["version"], entry.evidence["gate"]["verdict"]) == ("1", "pass")
        assert set(entry.evidence["weights"]) == {"raw", "blend", "twin"}
        assert entry.evidence["learned_through"] < entry.night
    assert lived.workspace.ledger.verify() == []


def test_one_word_brings_the_champion_back_the_next_night(lived: Lived) -> None:
    """With `adapt: off` the night's delivery is the champion's own; nothing is learned and nothing recorded."""
    assert lived.delivered(OFF) == pytest.approx(lived.said(datasets.predictions(MODEL), OFF))
    assert not lived.workspace.store.version(datasets.adapted(MODEL), OFF)
    assert not lived.workspace.ledger.entries(MODEL, {"layer"}, first_night=OFF, last_night=OFF)


def test_and_the_other_word_lets_the_layer_go_on(lived: Lived) -> None:
    """It has learned the night on which it was off, and serves again at once by its record."""
    (told,) = lived.workspace.ledger.entries(MODEL, {"layer"}, first_night=AGAIN, last_night=AGAIN)
    assert told.evidence["gate"]["verdict"] == "pass"
    assert told.evidence["learned_through"] == OFF
    assert lived.delivered(AGAIN) == pytest.approx(lived.said(datasets.adapted(MODEL), AGAIN))


def test_what_served_is_said_in_words(lived: Lived, capsys: pytest.CaptureFixture[str]) -> None:
    """`explain`, `who-served` and `status` name the layer, its weights and what it gained; off, they are silent."""

    def asked(*words: str) -> str:
        capsys.readouterr()
        place = ["--project", str(lived.project.root), "--home", str(lived.launch.home)]
        assert main([*words, *place]) == 0
        return " ".join(capsys.readouterr().out.split())

    for words in (
        ("explain", MODEL, "--night", LAYERED[-1]),
        ("who-served", MODEL, "--at", LAYERED[-1]),
        ("status", MODEL),
    ):
        assert "over version 1 learned up to" in asked(*words)
        assert "The layer serves: it had -" in asked(*words)
    assert "layer" not in asked("who-served", MODEL, "--at", OFF).lower()
    assert "layer" not in asked("explain", MODEL, "--night", OFF).lower()


def test_the_task_says_who_answered(lived: Lived) -> None:
    """What `predict` returns, and its log shows, holds the layer's sentence."""
    run = lived.airflow.run(f"{MODEL}.score", _score_run(lived, LAYERED[-1]))
    assert run is not None
    path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/predict/xcomEntries/return_value"
    said = lived.airflow.ask("GET", path)["value"]
    assert "The layer serves" in str(said)


def _score_run(lived: Lived, night: str) -> str:
    found = lived.airflow.runs(dag_prefix=f"{MODEL}.score", partition_key_prefix_pattern=night)
    return next(run.run_id for run in found if run.night == night)


@pytest.mark.parametrize("night", [*LAYERED, OFF, AGAIN])
def test_replay_gives_the_same_predictions_and_hashes(lived: Lived, night: str) -> None:
    """Predictions, answers, layer and samples have the same content; the ledger the same evidence hashes."""
    names = (datasets.predictions, datasets.adapted, datasets.layers, datasets.layer_samples)
    for dataset in (name(MODEL) for name in names):
        mine, theirs = (one.store.manifest(dataset, night) for one in (lived.workspace, lived.alone))
        assert (mine and mine.content) == (theirs and theirs.content)
    hashes = [
        sorted(
            (entry.kind, entry.evidence_hash)
            for entry in one.ledger.entries(MODEL, None, first_night=night, last_night=night)
        )
        for one in (lived.workspace, lived.alone)
    ]
    assert hashes[0] == hashes[1]
