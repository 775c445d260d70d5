"""The whole loop through the real scheduler gives what the same stages give in one process, night by night."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console
from tests.doubles.projects import FIRST, Project, World

from perennial.clock import after
from perennial.stages.replay import load_history, pass_night, renew
from perennial.workspace import Workspace
from perennial_airflow.launch import environment, processes
from perennial_airflow.launch.chapters import Runs
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import NotDoneError
from perennial_airflow.launch.facts import night_facts
from perennial_airflow.launch.rest import Airflow, Run
from perennial_airflow.launch.screen import Screen
from perennial_airflow.launch.story import Story, Told, Window

ROOT = Path(__file__).parents[2]
BORN, LAST = after(FIRST, 59), after(FIRST, 60)
BROKEN = "perennial: 1\ndescription: Who wrote this?\nsorces: {}\n"
pytestmark = [pytest.mark.airflow, pytest.mark.slow]


@dataclass(frozen=True)
class Happened:
    """What one telling left behind, and Airflow while it still runs."""

    launch: Launch
    airflow: Airflow
    told: Told
    window: Window


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Happened]:
    """Let history, a first model and one night happen in a real Airflow, beside a folder that is broken."""
    project = Project(tmp_path_factory.mktemp("loop") / "project", world=World(seed=1, rows=40)).declare()
    project.deliver(FIRST, LAST)
    broken = project.folder.parent / "broken_copy"
    broken.mkdir()
    (broken / "model.yaml").write_text(BROKEN)
    home = project.root / "home"
    home.mkdir()
    (home / "ports.json").write_text(json.dumps({"airflow_port": 19080, "mlflow_port": 19580}))
    launch = environment.prepare(ROOT, home, project=project.root)
    window = Window(project.name, FIRST, BORN, LAST)
    with processes.running(launch), Airflow.of(launch) as airflow:
        told = Story(launch, airflow, window, Screen(Console(quiet=True))).tell()
        yield Happened(launch, airflow, told, window)


@pytest.fixture(scope="module")
def alone(loop: Happened, registry_database: Path) -> Workspace:
    """Let the same happen in one process."""
    root = loop.launch.project
    workspace = Project(root).workspace(registry_database, home="alone")
    model = loop.window.model
    load_history(workspace, model, FIRST, BORN)
    renew(workspace, model, BORN)
    pass_night(workspace, model, LAST)
    return workspace


def test_a_model_is_born_scores_and_is_watched(loop: Happened) -> None:
    """The first champion is promoted through its gates, and scores the night after."""
    (night,) = loop.told.nights
    assert night.night == LAST
    assert (night.rows_in, night.scored, night.version) == (40, 40, "1")
    assert night.verdict["night"] == LAST


def test_the_scheduler_publishes_what_one_process_publishes(loop: Happened, alone: Workspace) -> None:
    """Every partition has the same content, whoever ran the stages."""
    scheduled = Workspace.open(loop.launch.home, loop.launch.project)
    assert contents(scheduled) == contents(alone)


def test_the_ledger_says_the_same_for_the_same_reasons(loop: Happened, alone: Workspace) -> None:
    """Kinds, nights and evidence hashes are equal; only the bytes of the artefact are each training's own."""
    scheduled = Workspace.open(loop.launch.home, loop.launch.project)
    assert decisions(scheduled) == decisions(alone)
    assert scheduled.ledger.verify() == []


def told_runs(loop: Happened) -> list[Run]:
    """List the runs of the story: all but those of the clocks that look at what is registered."""
    return [run for run in loop.airflow.runs() if not run.dag_id.startswith("perennial.")]


def test_a_broken_folder_is_red_by_itself_and_alone(loop: Happened) -> None:
    """Its one DAG ran once without being asked and failed; nothing of the healthy model failed."""
    runs = told_runs(loop)
    assert [run.state for run in runs if run.dag_id == "broken_copy.broken"] == ["failed"]
    assert {run.state for run in runs if run.dag_id != "broken_copy.broken"} == {"success"}
    assert loop.airflow.import_errors() == {}


def test_the_same_key_twice_is_harmless(loop: Happened) -> None:
    """A night triggered again under another name publishes nothing new."""
    scheduled = Workspace.open(loop.launch.home, loop.launch.project)
    before = contents(scheduled)
    loop.airflow.trigger(f"{loop.window.model}.validate", "again", night=LAST)
    again = loop.airflow.wait(f"{loop.window.model}.validate", "again")
    runs = Runs(loop.airflow, loop.window.model, lambda _: None)
    scored = runs.follower(runs.follower(again, "features"), "score")
    assert (again.state, scored.state) == ("success", "success")
    loop.airflow.trigger(f"{loop.window.model}.monitor", "monitor_again", night=LAST)
    assert loop.airflow.wait(f"{loop.window.model}.monitor", "monitor_again").state == "success"
    assert contents(scheduled) == before


def test_a_second_telling_repeats_nothing(loop: Happened) -> None:
    """What has happened already is told again from its runs, and no run is added."""
    before = len(told_runs(loop))
    screen = Screen(Console(quiet=True))
    told = Story(loop.launch, loop.airflow, loop.window, screen).tell()
    assert told == loop.told
    assert len(told_runs(loop)) == before


def test_a_run_that_was_cut_off_begins_again(loop: Happened) -> None:
    """A run left in its middle, its processes gone, is run from its beginning and ends well."""
    dag_id, run_id = f"{loop.window.model}.monitor", f"monitor__{LAST}"
    run = loop.airflow.run(dag_id, run_id)
    assert run is not None
    loop.airflow.begin_again(replace(run, state="running"))
    assert loop.airflow.wait(dag_id, run_id).state == "success"


def test_a_night_can_be_cleared(loop: Happened) -> None:
    """A person mends a night by clearing its run; what it published stays or is published again."""
    dag_id, run_id = f"{loop.window.model}.validate", f"night__{LAST}"
    run = loop.airflow.run(dag_id, run_id)
    assert run is not None
    loop.airflow.begin_again(run)
    assert loop.airflow.wait(dag_id, run_id).state == "success"


def test_a_run_that_was_cut_off_is_started_anew(loop: Happened) -> None:
    """It is removed, and its night passes under the same name again."""
    runs = Runs(loop.airflow, loop.window.model, lambda _: None)
    run = loop.airflow.run(f"{loop.window.model}.validate", f"night__{LAST}")
    assert run is not None
    loop.airflow.forget(replace(run, state="running"))
    assert loop.airflow.run(run.dag_id, run.run_id) is None
    assert runs.take_in(run.run_id, LAST)["validate"].run_id == run.run_id


def test_a_backfill_takes_in_a_range(loop: Happened) -> None:
    """`airflow backfill create` on validate runs each night of a range, and its features and scores follow."""
    nights = [after(LAST, 1), after(LAST, 2)]
    project = Project(loop.launch.project, world=World(seed=1, rows=40)).deliver(*nights)
    model = loop.window.model
    words = ["backfill", "create", "--dag-id", f"{model}.validate", "--max-active-runs", "1"]
    dates = ["--from-date", nights[0], "--to-date", f"{nights[1]}T23:59:59"]
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words, *dates],
        env=environment.variables(loop.launch),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = Runs(loop.airflow, model, lambda _: None)
    scheduled = Workspace.open(loop.launch.home, project.root)
    for night in nights:
        assert {"validate", "features", "score"} <= set(runs.wait_for_night(night))
        assert night_facts(scheduled, model, night).version == "1"


def test_a_form_is_checked_and_obeyed(loop: Happened) -> None:
    """A rollback without a reason is refused at once; with one it is done, and changes nothing needlessly."""
    dag_id = f"{loop.window.model}.rollback"
    with pytest.raises(NotDoneError, match="reason"):
        loop.airflow.trigger(dag_id, "no_reason")
    said = {"reason": "Trying out the form.", "version": "1", "actor": "Ada"}
    loop.airflow.trigger(dag_id, "with_reason", conf=said)
    assert loop.airflow.wait(dag_id, "with_reason").state == "success"
    champion = Workspace.open(loop.launch.home, loop.launch.project).ledger.champion(loop.window.model)
    assert champion is not None
    assert champion.version == "1"


def contents(workspace: Workspace) -> dict[tuple[str, str], str]:
    """Identify the content of every partition of every dataset."""
    store = workspace.store
    root = workspace.home / "store"
    datasets = {str(path.relative_to(root)) for path in root.glob("*/*") if path.is_dir()}
    found = {(name, key): store.manifest(name, key) for name in datasets for key in store.keys(name)}
    return {place: manifest.content for place, manifest in found.items() if manifest}


def decisions(workspace: Workspace) -> list[tuple[str, str, str]]:
    """List what was decided, for which night, on what evidence; gates in the order of their names."""
    entries = [entry for entry in workspace.ledger.entries() if entry.kind != "registered"]
    return sorted((entry.night, entry.kind, entry.evidence_hash) for entry in entries)
