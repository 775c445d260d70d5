"""What the real scheduler makes of nights that are not ordinary, and of tables without time; one Airflow for all."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import Night, after
from perennial.scaffold.new import new
from perennial.stages import datasets
from perennial.stages.replay import load_history, renew
from perennial.stages.steering import hold
from perennial.workspace import Workspace
from perennial_airflow.launch import environment, processes
from perennial_airflow.launch.chapters import Runs
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.rest import Airflow

ROOT = Path(__file__).parents[2]
BORN = after(FIRST, 48)
HELD, DELIVERED, LATE = (after(BORN, days) for days in (1, 2, 3))
TABLE_SINK = "sink: {connection: scores_db, table: scores}\n"
FILE_SINK = "sink: {uri: 'data/scores/{night}.csv'}\n"
BROKEN = "perennial: 1\ndescription: Who wrote this?\nsorces: {}\n"
TABLES: dict[str, Callable[..., Any]] = {"diabetes": load_diabetes, "breast_cancer": load_breast_cancer}
SECONDS = 400.0
pytestmark = [pytest.mark.airflow, pytest.mark.slow]


@dataclass(frozen=True)
class Life:
    """A project and the Airflow that runs it."""

    launch: Launch
    airflow: Airflow
    project: Project

    @property
    def workspace(self) -> Workspace:
        """Open it as it is now."""
        return Workspace.open(self.launch.home, self.project.root)

    def runs(self, model: str = MODEL) -> Runs:
        """Follow the runs of a model."""
        return Runs(self.airflow, model, lambda _: None)

    def states(self, kind: str, run_id: str, model: str = MODEL) -> dict[str, str]:
        """Say how each task of a run stands; a mapped one by its name, once it has one."""
        tasks = self.airflow.tasks(f"{model}.{kind}", run_id)
        return {one["rendered_map_index"] or one["task_id"]: one["state"] for one in tasks}

    def steer(self, run_id: str, action: str, night: Night, **more: str) -> None:
        """Send the form of ``steer`` and see it through."""
        form = {"action": action, "night": night, "reason": "It was looked at.", "actor": "ann", **more}
        self.runs().pass_through("steer", run_id, conf=form)

    def delivered(self, night: Night) -> int:
        """Count what lies in the sink's table for a night."""
        with closing(sqlite3.connect(self.project.root / "data" / "scores.db")) as connection:
            query = "SELECT count(*) FROM scores WHERE order_id LIKE ?"
            return int(connection.execute(query, (f"{after(night)}-%",)).fetchone()[0])


def until(answer: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not answer():
        assert time.monotonic() < deadline
        time.sleep(1)


def deliver_table(root: Path, name: str, first: float, last: float) -> int:
    """Write a share of a table's rows in the place of what was there; return how many."""
    frame: pd.DataFrame = TABLES[name](as_frame=True).frame
    frame.columns = [column.replace(" ", "_") for column in frame.columns]
    frame.insert(0, "row_id", range(len(frame)))
    share = frame.sample(frac=1, random_state=7).iloc[int(first * len(frame)) : int(last * len(frame))]
    (root / "data").mkdir(exist_ok=True)
    share.to_csv(root / "data" / f"{name}.csv", index=False)
    return len(share)


def declare_table(project: Project, name: str) -> None:
    """Make a model of a table as a person does, and tune it without trials."""
    deliver_table(project.root, name, 0.0, 0.6)
    made = new(name, project.root / "data" / f"{name}.csv", "target", models_root=project.folder.parent)
    text = (made.folder / "model.yaml").read_text().replace("training: {", "training: {search: {trials: 0}, ")
    (made.folder / "model.yaml").write_text(text + FILE_SINK)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, registry_database: Path) -> Iterator[Life]:
    """Let a shop's first champion be born, lay two tables and a broken folder beside it, and start Airflow."""
    project = Project(tmp_path_factory.mktemp("life") / "project").declare(more=TABLE_SINK)
    project.deliver(FIRST, LATE)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BORN)
    assert renew(workspace, MODEL, BORN).promoted
    for name in TABLES:
        declare_table(project, name)
    write_torn(project, BROKEN)
    launch = environment.prepare(ROOT, project.root / "home", project=project.root)
    with processes.running(launch), Airflow.of(launch) as airflow:
        wanted = [f"{model}.{kind}" for model in (MODEL, *TABLES) for kind in ("validate", "score", "deploy")]
        airflow.wait_for_dags([*wanted, "torn.broken"], seconds=SECONDS)
        place = {"conn_type": "sqlite", "host": str(project.root / "data" / "scores.db")}
        airflow.ask("POST", "/connections", json={"connection_id": "scores_db", **place})
        yield Life(launch, airflow, project)


def write_torn(project: Project, text: str) -> None:
    """Write the declaration of the folder that is broken now and then."""
    folder = project.folder.parent / "torn"
    folder.mkdir(exist_ok=True)
    (folder / "model.yaml").write_text(text)


def test_a_held_night_is_scored_when_it_is_released(life: Life) -> None:
    """Its rows are taken in and its features built; its score run ends well with nothing done, and says so."""
    hold(life.workspace, MODEL, HELD, reason="The feed looks odd.", actor="ann")
    score = life.runs().take_in("held", HELD)["score"]
    assert life.states("score", score.run_id) == {"predict": "skipped", "deliver": "skipped"}
    life.steer("early", "rerun", HELD, stage="score")
    assert not life.workspace.store.version(datasets.predictions(MODEL), HELD)
    life.steer("release", "release", HELD)
    assert life.workspace.store.read(datasets.predictions(MODEL), HELD).num_rows == 60
    assert life.delivered(HELD) == 60


def test_predictions_come_to_the_sink_once(life: Life) -> None:
    """Airflow knows where the sink is; a cleared run, and a night run again, leave as many rows as there are."""
    score = life.runs().take_in("delivered", DELIVERED)["score"]
    assert life.states("score", score.run_id) == {"predict": "success", "deliver": "success"}
    assert life.delivered(DELIVERED) == 60
    life.airflow.begin_again(score)
    assert life.airflow.wait(score.dag_id, score.run_id).state == "success"
    life.steer("again", "rerun", DELIVERED, stage="score")
    assert life.delivered(DELIVERED) == 60


def test_a_delivery_that_has_not_come_is_waited_for_and_found(life: Life) -> None:
    """The task asks again later, monitor says that the source is silent; delivered and cleared, all is well."""
    file = life.project.root / "data" / "outcomes" / f"{LATE}.csv"
    held_up = file.rename(file.with_suffix(".late"))
    life.airflow.trigger(f"{MODEL}.validate", "late", night=LATE)
    until(lambda: "up_for_retry" in life.states("validate", "late").values())
    life.runs().pass_through("monitor", "silent", night=LATE)
    (found,) = life.workspace.ledger.entries(MODEL, {"finding"}, first_night=LATE, last_night=LATE)
    assert found.evidence["cause"] == "silent_source"
    held_up.rename(file)
    run = life.airflow.run(f"{MODEL}.validate", "late")
    assert run is not None
    life.airflow.begin_again(run)
    life.runs().wait_for_night(LATE)
    life.runs().pass_through("monitor", "come", night=LATE)
    said = life.workspace.ledger.entries(MODEL, {"finding", "watched"}, first_night=LATE, last_night=LATE)
    assert [entry.kind for entry in said] == ["finding", "watched"]
    notes = [
        life.airflow.ask("GET", f"/dags/{MODEL}.monitor/dagRuns/{run}")["note"] for run in ("silent", "come")
    ]
    assert notes == [entry.reason for entry in said]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_time_lives(life: Life, name: str) -> None:
    """From `new` to a champion by its gates; a second delivery is scored, delivered and compared."""
    runs, first, second = life.runs(name), BORN, after(BORN)
    runs.take_in("first", first)
    runs.pass_through("retrain", "first", conf={"night": first, "trigger": "manual", "actor": "ann"})
    evaluate = runs.follower(runs.see_through("train", "retrain__first"), "evaluate")
    deploy = runs.follower(evaluate, "deploy")
    until(lambda: "/runs/" in link(life, deploy.dag_id, deploy.run_id, "production"))  # left when all is done
    rows = deliver_table(life.project.root, name, 0.6, 1.0)
    score = runs.take_in("second", second)["score"]
    assert life.states("score", score.run_id, name) == {"predict": "success", "deliver": "success"}
    assert len(pd.read_csv(life.project.root / "data" / "scores" / f"{second}.csv")) == rows
    runs.pass_through("monitor", "second", night=second)
    compared = life.workspace.store.read(datasets.performance(name), second)
    assert compared.num_rows == rows
    score = runs.take_in("third", after(second))["score"]
    assert life.states("score", score.run_id, name)["deliver"] == "success"


def link(life: Life, dag_id: str, run_id: str, task_id: str) -> str:
    """Return the address of the MLflow run behind a task, as the button on its page has it."""
    links = life.airflow.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/links")
    return str(links["extra_links"]["MLflow run"])


def test_a_challenger_that_its_gates_refuse_goes_no_further(life: Life) -> None:
    """The run ends well, the gate that refused stands there by name, nothing is deployed, the champion serves on."""
    text = (life.project.folder / "model.yaml").read_text()
    poorer = text.replace("columns: [place, size, weight, clicks]", "columns: [weight, clicks]")
    (life.project.folder / "model.yaml").write_text(poorer)
    (life.project.folder / "features.py").unlink()
    runs = life.runs()
    runs.pass_through("retrain", "poorer", conf={"night": BORN, "trigger": "manual", "actor": "ann"})
    evaluate = runs.follower(runs.see_through("train", "retrain__poorer"), "evaluate")
    states = life.states("evaluate", evaluate.run_id)
    assert states["conclude"] == "skipped"
    assert states["minimum_quality: fail"] == "success"
    assert life.airflow.runs(f"{MODEL}.deploy") == []
    champion = life.workspace.ledger.champion(MODEL)
    assert champion is not None
    assert champion.version == "1"


def test_a_folder_that_breaks_again_is_red_again(life: Life) -> None:
    """Once for each breakage: the first, the same after it was mended, and another one."""

    def red() -> int:
        return sum(run.state == "failed" for run in life.airflow.runs("torn.broken"))

    until(lambda: red() == 1)
    write_torn(life.project, (life.project.folder / "model.yaml").read_text())
    until(lambda: "torn.broken" not in life.airflow.dags())
    write_torn(life.project, BROKEN)
    until(lambda: red() == 2)
    write_torn(life.project, BROKEN.replace("sorces", "sauces"))
    until(lambda: red() == 3)
    assert life.airflow.import_errors() == {}
