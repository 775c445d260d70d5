"""``findings``: what the monitor found, one line a problem and not one a night."""

from __future__ import annotations

from typing import Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, Session, command


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group, "findings", "perennial findings flight_delay", "perennial findings flight_delay --open --json"
    )(findings)


def findings(
    session: Session,
    model: ModelName,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only what is not over yet.")] = False,
) -> None:
    """List what was found, oldest first: its nights, how grave it got, its causes, what was done, how it ended.

    A finding is one problem over its nights. `notice` was recorded only; `page` and `silent` were told.
    """
    from perennial.stages.findings import findings as known

    session.workspace.folder(model)
    found = [one for one in known(session.workspace, model) if not (only_open and one.finding.ended)]
    columns = ["first", "last", "nights", "gravest", "problem", "causes", "now", "done", "id"]
    rows = [
        (
            one.finding.first_night,
            one.finding.last_night,
            one.finding.nights,
            one.finding.gravest,
            one.finding.problem,
            ", ".join(one.finding.causes),
            f"over on {one.finding.ended}: {one.finding.how}" if one.finding.ended else "open",
            "; ".join(one.finding.done),
            one.finding.id[:8],
        )
        for one in found
    ]
    if rows:
        session.answer([one.as_json() for one in found], lambda: screen.show_table(columns, rows))
    else:
        session.answer([], "Nothing was found." if not only_open else "Nothing is open.")
