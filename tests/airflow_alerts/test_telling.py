"""What stages decide reaches people: in the ledger's sentence, once, through channels that may be down."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doubles.projects import Project
from tests.doubles.receivers import MailServer, WebHook, free_port

from perennial.clock import after
from perennial.errors import BatchRejectedError, LedgerConflictError
from perennial.ledger.base import NewEntry
from perennial.ledger.outbox import Outbox
from perennial.stages.monitor import monitor
from perennial.stages.recording import RUN_PAGE, record
from perennial.stages.replay import load_history, pass_night, replay
from perennial.stages.telling import declared_channels, tell
from perennial.stages.validate import take_in_range
from perennial.workspace import Workspace

FIRST, LAST = "2024-01-01", "2024-03-15"
TONIGHT = after(LAST)
CHANNELS = """
alerts:
  - connection: chat
  - {connection: mail, events: [drift]}
  - connection: gone
"""
PROMOTED = NewEntry(
    "orders_model", "promoted", "k", "2024-02-01", "deploy", "It passed its gates.", {"version": "3"}
)


@pytest.fixture
def hook() -> Iterator[WebHook]:
    """Listen for web hooks."""
    made = WebHook()
    yield made
    made.close()


@pytest.fixture
def workspace(project: Project, registry_database: Path) -> Workspace:
    """A model with three channels, before its first night."""
    return project.declare(more=CHANNELS).workspace(registry_database)


def titles(workspace: Workspace) -> list[str]:
    """List the titles in the local log."""
    return [json.loads(line)["title"] for line in (workspace.home / "alerts.log").read_text().splitlines()]


def test_a_drift_of_the_loop_is_told_once(
    project: Project, workspace: Workspace, hook: WebHook, caplog: pytest.LogCaptureFixture
) -> None:
    """Sizes written in another unit are found tonight; judging the night again tells nobody anything new."""
    mail = MailServer()
    addresses = {"chat": hook.url, "mail": mail.url, "gone": f"json://127.0.0.1:{free_port()}/secret"}
    project.deliver(FIRST, LAST)
    load_history(workspace, project.name, FIRST, LAST)
    project.world.size_unit = 1000.0
    project.deliver(TONIGHT)
    watched = pass_night(workspace, project.name, TONIGHT).watched
    tell(workspace, addresses.__getitem__)
    monitor(workspace, project.name, TONIGHT)
    tell(workspace, addresses.__getitem__)
    mail.close()
    found = f"orders_model: something moved on {TONIGHT}"
    assert watched.state == "page"
    assert [message["subject"] for message in mail.got] == [found, "Alerts do not arrive through gone"]
    assert hook.titles == titles(workspace) == [found, "Alerts do not arrive through gone"]
    assert watched.reason in hook.got[0]["message"]
    assert str(watched.action) in hook.got[0]["message"]
    assert "secret" not in caplog.text


def test_a_delivery_that_never_came_is_told_as_that(project: Project, workspace: Workspace) -> None:
    """Nothing moved where nothing came."""
    project.deliver(FIRST)
    load_history(workspace, project.name, FIRST, FIRST)
    monitor(workspace, project.name, after(FIRST))
    (alert,) = Outbox(workspace.ledger.database).alerts()
    assert (alert.title, alert.severity) == (
        f"orders_model: a delivery is missing for {after(FIRST)}",
        "critical",
    )
    assert alert.event == "deadline"
    assert "moved" not in alert.as_text()
    assert alert.what_to_do.startswith("Ask whoever delivers it")


def test_a_delivery_held_back_is_told_without_its_values(project: Project, workspace: Workspace) -> None:
    """The alert counts rows by rule; what stood in them goes through no channel, and a retry says nothing new."""
    project.deliver(FIRST)
    rows = project.read("orders", FIRST)
    project.write("orders", FIRST, [{**row, "place": "", "clicks": "Jane Doe"} for row in rows])
    for _ in range(2):
        with pytest.raises(BatchRejectedError):
            take_in_range(workspace, project.name, "orders", FIRST, FIRST)
    (alert,) = Outbox(workspace.ledger.database).alerts()
    assert alert.event == "quarantine"
    assert "orders for 2024-01-01 is held back whole, with 60 rows" in alert.what_happened
    assert "Jane" not in json.dumps(alert.as_json())


def test_a_quiet_workspace_records_and_tells_nobody(
    project: Project, workspace: Workspace, registry_database: Path
) -> None:
    """A replay looks back over nights whose alerts, if there were any, have been told."""
    project.deliver(FIRST)
    project.write("orders", FIRST, [{**row, "place": ""} for row in project.read("orders", FIRST)])
    with pytest.raises(BatchRejectedError):
        list(replay(workspace, project.name, FIRST, FIRST))
    record(project.workspace(registry_database), PROMOTED)
    assert [entry.kind for entry in workspace.ledger.entries(project.name)] == ["quarantined", "promoted"]
    assert [alert.event for alert in Outbox(workspace.ledger.database).alerts()] == ["promotion"]


def test_an_alert_names_the_run_that_decided(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a stage may say where it can be seen."""
    monkeypatch.setenv(RUN_PAGE, "http://127.0.0.1:18080/dags/m.deploy/runs/r")
    record(workspace, PROMOTED)
    (alert,) = Outbox(workspace.ledger.database).alerts()
    assert alert.link.endswith("/dags/m.deploy/runs/r")
    assert alert.what_happened == PROMOTED.reason


def test_a_decision_that_cannot_be_recorded_is_not_told(workspace: Workspace) -> None:
    """Entry and alert are one transaction: another story under the same key leaves neither."""
    record(workspace, PROMOTED)
    with pytest.raises(LedgerConflictError):
        record(workspace, replace(PROMOTED, reason="It was promoted by mistake."))
    assert len(Outbox(workspace.ledger.database).alerts()) == 1


@pytest.mark.parametrize(
    ("more", "known"),
    [(CHANNELS + "colour: blue\n", ["chat", "mail", "gone"]), ("alerts: [blue]\n", []), ("\t", [])],
)
def test_a_broken_folder_still_tells_through_the_channels_that_can_be_read(
    project: Project, registry_database: Path, more: str, known: list[str]
) -> None:
    """A mistake in another place of model.yaml is no reason to be silent about it."""
    broken = project.declare(more=more).workspace(registry_database)
    assert [each.connection for each in declared_channels(broken, project.name)] == known
