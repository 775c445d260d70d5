"""Our DAGs in a real Airflow: who is told what, which links a task gets, what a person's form does.

One Airflow of its own lets a story of runs pass, once for all tests here; a web hook and a mail server listen.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from tests.airflow_alerts import real_runs
from tests.doubles.projects import MODEL, Project
from tests.doubles.receivers import MailServer, WebHook, free_port

from perennial.facts.alert import Alert
from perennial.ledger.outbox import Outbox
from perennial.workspace import Workspace

pytestmark = pytest.mark.airflow

TONIGHT = real_runs.TONIGHT
FAILED = f"{MODEL}: validate failed for {TONIGHT}"
MENDED = f"{MODEL}: validate succeeded for {TONIGHT}"
SILENT = "Alerts do not arrive through gone"
TORN = "torn: its folder cannot be read"
CHANNELS = "alerts:\n  - connection: chat\n  - connection: mail\n  - connection: gone\n"
ADDRESSES = {
    "PARTS": ("json://a.example.org/One/Two", "json://a.example.org/One/Two"),
    "CARRIED": ("generic://?url=slack%3A%2F%2FTokenA%2FTokenB%2FTokenC", "slack://TokenA/TokenB/TokenC"),
    "QUERY": (
        "mailto://me:pass@mail.example.org:25/?to=you@example.org",
        "mailto://me:pass@mail.example.org:25/?to=you%40example.org",
    ),
    "EXTRA": ('{"conn_type": "generic", "extra": {"url": "ntfy://topic"}}', "ntfy://topic"),
    "HOST": ('{"conn_type": "http", "host": "json://a.example.org/hook"}', "json://a.example.org/hook"),
}


@dataclass(frozen=True)
class Story:
    """What happened, and what reached whom."""

    told: dict[str, Any]
    chat: list[dict[str, str]]
    mail: list[EmailMessage]
    output: str
    workspace: Workspace
    secret: str

    @property
    def logged(self) -> list[Alert]:
        """Alerts in the local log."""
        lines = (self.workspace.home / "alerts.log").read_text().splitlines()
        return [Alert.from_json(json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, registry_database: Path) -> Story:
    """Let the runs of ``real_runs.py`` pass; the connection ``gone`` leads to a port on which nobody listens."""
    root = tmp_path_factory.mktemp("story")
    project = Project(root / "project").declare(more=CHANNELS).deliver(real_runs.FIRST, real_runs.LAST)
    torn = project.folder.parent / "torn"
    torn.mkdir()
    (torn / "model.yaml").write_text("perennial: 1\ntask: nonsense\nalerts:\n  - connection: chat\n")
    workspace, secret = project.workspace(registry_database), "s3cret-of-the-channel"
    hook, mail = WebHook(), MailServer()
    gone = f"json://127.0.0.1:{free_port()}/{secret}"
    addresses = {"CHAT": hook.url, "MAIL": mail.url, "GONE": gone}
    connections = {**addresses, **{name: given for name, (given, _) in ADDRESSES.items()}}
    ran = subprocess.run(
        [sys.executable, real_runs.__file__, str(project.root)],
        env=environment(root, workspace)
        | {f"AIRFLOW_CONN_{name}": address for name, address in connections.items()},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    hook.close()
    mail.close()
    assert ran.returncode == 0, ran.stderr[-3000:]
    (result,) = [line for line in ran.stdout.splitlines() if line.startswith("RESULT ")]
    told = json.loads(result.removeprefix("RESULT "))
    return Story(told, hook.got, mail.got, ran.stdout + ran.stderr, workspace, secret)


def environment(root: Path, workspace: Workspace) -> dict[str, str]:
    """Name an Airflow of its own, and our project in it."""
    foreign = ("AIRFLOW", "MLFLOW", "PERENNIAL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    checkout = real_runs.CHECKOUT
    return kept | {
        "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'include'}",
        "AIRFLOW_HOME": str(root / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(checkout / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(checkout / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PERENNIAL_PROJECT": str(workspace.project),
        "PERENNIAL_HOME": str(workspace.home),
        "PERENNIAL_AIRFLOW_URL": "http://airflow.example.org",
        "PERENNIAL_MLFLOW_URL": "http://mlflow.example.org",
        "MLFLOW_TRACKING_URI": workspace.tracking_uri,
        "OMP_NUM_THREADS": "1",
    }


def test_a_failed_night_is_one_alert_that_says_what_to_do(story: Story) -> None:
    """Two tasks fail and the DAG with them: people get one message, of whichever Airflow let run first."""
    assert story.told["failed"]["tasks"] == {
        "take_in/0": "failed",
        "take_in/1": "failed",
        "close_night/-1": "upstream_failed",
    }
    (told,) = [each["message"] for each in story.chat if each["title"] == FAILED]
    assert any(
        f"in task take_in ({source}): {source}: nothing has come for {TONIGHT}" in told
        for source in ("orders", "outcomes")
    )
    assert "What it means: The night's rows are not published" in told
    assert "What to do: Read the task's log, mend the cause, then clear the failed task" in told
    assert f"http://airflow.example.org/dags/{MODEL}.validate/runs/" in told
    assert f"Model {MODEL}, night {TONIGHT}, failure (critical)." in told


def test_a_run_has_a_note_that_says_what_it_decided(story: Story) -> None:
    """Whoever looks down the list of runs reads it there; a run that decided nothing has none."""
    assert story.told["retrain"]["note"].startswith(f"Training on {TONIGHT}: asked for by hand")
    assert story.told["evaluate"]["note"].startswith("version 1 may ")
    assert story.told["failed"]["note"] is None


def test_the_recovery_is_told_when_the_whole_run_has_succeeded(story: Story) -> None:
    """Not by the first task that ends well, but by the last; and only once."""
    recovered = [alert for alert in story.logged if alert.event == "recovery"]
    assert [alert.title for alert in recovered] == [MENDED]
    assert recovered[0].link.endswith("/tasks/close_night")


def test_chat_and_mail_hear_the_same(story: Story) -> None:
    """Every channel gets each alert once; a broken folder's own channel hears of the folder."""
    assert [each["title"] for each in story.chat] == [FAILED, SILENT, MENDED, TORN]
    assert [str(message["subject"]) for message in story.mail] == [FAILED, SILENT, MENDED]
    assert 'task: "nonsense" is not allowed' in story.chat[-1]["message"]


def test_a_channel_that_is_down_fails_no_run_and_is_itself_told(story: Story) -> None:
    """Its alerts wait; its address stands in no log, ours or Airflow's."""
    assert story.told["mended"]["state"] == story.told["train"]["state"] == "success"
    waiting = Outbox(story.workspace.ledger.database).pending()
    assert {each.channel for each in waiting} == {"gone"}
    assert [each.alert.title for each in waiting] == [FAILED, MENDED]
    logs = [path.read_text(errors="replace") for path in story.workspace.home.parents[1].rglob("*.log")]
    assert story.secret not in story.output + "".join(logs)


def test_a_callback_that_fails_is_no_error(story: Story) -> None:
    """Whatever Airflow hands over, and whatever is missing, no callback raises."""
    assert set(story.told["harmless"]) == {None}


def test_tasks_link_to_the_mlflow_run_of_their_version(story: Story) -> None:
    """Training and judging a version lead to one page; a task that is about none has no link."""
    links = story.told["links"]
    run_id = story.workspace.registry.version(MODEL, "1").run_id
    assert links["fit"]["MLflow run"] == links["measure"]["MLflow run"]
    assert links["fit"]["MLflow run"].startswith("http://mlflow.example.org/#/experiments/")
    assert links["fit"]["MLflow run"].endswith(f"/runs/{run_id}")
    assert links["assemble"]["MLflow run"] == ""


def test_retrain_links_to_the_runs_that_followed(story: Story) -> None:
    """The run it triggered is a click away; one that does not exist yet is no link."""
    links = story.told["links"]["decide"]
    run_id = story.told["retrain"]["run_id"].replace(":", "%3A").replace("+", "%2B")
    assert links["Run of train"] == f"http://airflow.example.org/dags/{MODEL}.train/runs/retrain__{run_id}"
    assert links["Run of evaluate"] == links["Run of deploy"] == ""
    assert story.told["links"]["fit"]["Run of train"] == ""


def test_plugins_load_without_errors(story: Story) -> None:
    """A plugin that cannot be imported is silently missing everywhere but here."""
    assert story.told["plugin_errors"] == {}
    assert "perennial_links" in story.told["plugins"]


@pytest.mark.parametrize(
    ("action", "done"),
    [("hold", []), ("rerun", ["monitor"]), ("release", ["monitor", "score"])],
)
def test_a_word_about_a_night_does_what_follows_from_it(story: Story, action: str, done: list[str]) -> None:
    """What does not follow is skipped, and the ledger has the person's name and reason."""
    tasks = story.told["steer"][action]["tasks"]
    assert sorted(name for name, state in tasks.items() if state == "success") == sorted(
        [*(f"{stage}/-1" for stage in done), "say/-1"]
    )
    kinds = {"hold": "night_held", "rerun": "night_rerun", "release": "night_released"}
    (entry,) = story.workspace.ledger.entries(MODEL, kinds={kinds[action]})
    assert (entry.night, entry.actor) == (TONIGHT, "ann" if action == "release" else "dag_test")


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses_are_read_however_a_connection_holds_them(story: Story, name: str) -> None:
    """As its URI, as a whole URL in the host, or in the extra field; slashes in a path stay slashes."""
    assert story.told["addresses"][name] == ADDRESSES[name][1]
