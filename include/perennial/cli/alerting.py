"""``alert-test``: does anybody hear when something goes wrong?"""

from __future__ import annotations

import typer

from perennial.cli import screen
from perennial.cli.mistakes import UNREACHABLE
from perennial.cli.session import ModelName, Session, command
from perennial.engine.connections import address_or_nothing
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert, identity


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group, "alert-test", "perennial alert-test flight_delay", "perennial alert-test flight_delay --json"
    )(alert_test)


def alert_test(session: Session, model: ModelName) -> int:
    """Send one test alert through every channel of a model, and say which took it.

    A channel's address is read from AIRFLOW_CONN_<NAME>. The exit status is 4 when one did not take it.
    """
    from perennial.ledger.delivery import routes

    workspace = session.workspace
    declared = workspace.spec(model).alerts
    workspace.home.mkdir(parents=True, exist_ok=True)
    addresses = {one.connection: address_or_nothing(one.connection) for one in declared}
    answers: dict[str, str] = {}
    for route in routes(declared, addresses, home=workspace.home):
        try:
            route.channel.tell(_test_alert(model))
            answers[route.name] = "taken"
        except NotDeliveredError as problem:
            answers[route.name] = str(problem)
    session.answer(dict(answers), lambda: screen.show_table(["channel", "answer"], answers.items()))
    return 0 if set(answers.values()) == {"taken"} else UNREACHABLE


def _test_alert(model: str) -> Alert:
    return Alert(
        model=model,
        night=None,
        event="recovery",
        title=f"{model}: a test of the alerts",
        what_happened=f"Somebody ran `perennial alert-test {model}`.",
        what_it_means="Nothing is wrong: alerts about this model arrive here.",
        what_to_do="Nothing.",
        fingerprint=identity(model, "test", "alert-test"),
        severity="info",
    )
