"""``label export`` and ``label import``: a sheet of rows goes out to people, and comes back with their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perennial.cli.session import ModelName, NightOption, Session, actor_or_user, command
from perennial.facts.evidence import Json


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    labels = typer.Typer(
        help="Let people label rows: a sheet goes out, and comes back filled.", no_args_is_help=True
    )
    command(
        labels,
        "export",
        "perennial label export flight_delay --to open.csv",
        "perennial label export flight_delay --night 2013-08-15 --to open.csv",
    )(export)
    command(
        labels,
        "import",
        'perennial label import flight_delay open.csv --author "Ann Smith"',
        "perennial label import flight_delay open.csv --night 2013-08-20",
    )(take_in)
    group.add_typer(labels, name="label")


def export(
    session: Session,
    model: ModelName,
    to: Annotated[Path, typer.Option("--to", help="CSV file to write; it must not exist.")],
    night: Annotated[
        str | None,
        typer.Option("--night", help="Rows of this night only; by default of all whose label is due."),
    ] = None,
    *,
    show_prediction: Annotated[
        bool,
        typer.Option(
            "--show-prediction", help="Add what was predicted: who sees it labels less independently."
        ),
    ] = False,
) -> None:
    """Write the rows that await a label as a CSV, with an empty column `label` for people to fill."""
    from perennial.clock import night as as_night
    from perennial.stages.label_sheet import awaiting, write_sheet

    newest = session.night(model, None)
    one = as_night(night) if night else None
    rows = write_sheet(
        awaiting(session.workspace, model, by=newest, night=one, predicted=show_prediction), to
    )
    plain: dict[str, Json] = {"file": str(to), "rows": rows}
    session.answer(
        plain,
        f"{rows} rows await a label: {to}. Fill the column `label`, then: "
        f"perennial label import {model} {to}",
    )


def take_in(
    session: Session,
    model: ModelName,
    file: Annotated[Path, typer.Argument(help="The filled sheet.")],
    author: Annotated[
        str | None, typer.Option("--author", help="Who labelled; by default the user of this machine.")
    ] = None,
    night: NightOption = None,
) -> int:
    """Take a filled sheet in: known from the end of the night on, corrections included, conflicts set aside.

    The exit status is 1 when rows were set aside.
    """
    from perennial.stages.label_sheet import import_sheet, set_aside

    known = session.night(model, night)
    done = import_sheet(session.workspace, model, file, author=actor_or_user(author), night=known)
    reasons = set_aside(session.workspace, model, done) if done.quarantined else []
    plain: dict[str, Json] = {**done.as_json(), "reasons": reasons}
    session.answer(plain, "\n".join([done.reason, *reasons]))
    return 1 if done.quarantined else 0
