"""Before anything goes wrong one can know who would hear of it."""

import json

import pytest
from tests.doubles.projects import MODEL
from tests.doubles.receivers import WebHook

ALERTS = "alerts: [{connection: team_chat}]\n"


@pytest.fixture
def hook():
    """Listen as a chat's web hook does."""
    listening = WebHook()
    yield listening
    listening.close()


def forms(url: str) -> list[str]:
    """Write an address in the forms that Airflow knows."""
    return [url, json.dumps({"conn_type": "generic", "extra": {"url": url}})]


@pytest.mark.parametrize("form", [0, 1])
def test_every_declared_channel_takes_the_test(perennial, project, hook, monkeypatch, form) -> None:
    """The address comes from the connection, as a URI or as JSON."""
    project.declare(more=ALERTS)
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_CHAT", forms(hook.url)[form])
    answer = perennial("alert-test", MODEL, "--json", of=project.root)
    assert (answer.status, answer.json) == (0, {"log": "taken", "team_chat": "taken"})
    assert hook.titles == [f"{MODEL}: a test of the alerts"]


def test_a_channel_that_fails_is_named_without_its_address(perennial, project, hook, monkeypatch) -> None:
    """The status is 4, and the other channels were told."""
    project.declare(more=ALERTS)
    hook.status = 500
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_CHAT", hook.url.replace("://", "://ann:secret@"))
    answer = perennial("alert-test", MODEL, "--json", of=project.root)
    assert (answer.status, answer.json["log"]) == (4, "taken")
    assert "secret" not in answer.out + answer.err


def test_a_connection_that_is_missing_is_a_channel_that_fails(perennial, project) -> None:
    """It is found out now, and not on the night that matters."""
    project.declare(more=ALERTS)
    assert perennial("alert-test", MODEL, of=project.root).status == 4
