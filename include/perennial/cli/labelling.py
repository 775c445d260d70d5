"""``label export``, ``suspects`` and ``import``: a sheet of rows goes out to people, and comes back with their labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, NightOption, Session, actor_or_user, command
from perennial.clock import after
from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from perennial.stages.suspect_labels import SuspectLabels


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
        "perennial label export flight_delay --suspects doubtful.csv",
    )(export)
    command(
        labels,
        "suspects",
        "perennial label suspects flight_delay",
        "perennial label suspects flight_delay --most 200 --json",
    )(suspects)
    command(
        labels,
        "import",
        'perennial label import flight_delay open.csv --author "Ann Smith"',
        "perennial label import flight_delay open.csv --night 2013-08-20",
    )(take_in)
    group.add_typer(labels, name="label")


MostOption = Annotated[int, typer.Option("--most", min=1, help="Suspect labels to list at most.")]


ShowPrediction = Annotated[
    bool,
    typer.Option("--show-prediction", help="Add what was predicted: who sees it labels less independently."),
]


def export(
    session: Session,
    model: ModelName,
    to: Annotated[Path | None, typer.Option("--to", help="CSV file to write; it must not exist.")] = None,
    night: Annotated[
        str | None,
        typer.Option("--night", help="Rows of this night only; by default of all whose label is due."),
    ] = None,
    most: MostOption = 50,
    *,
    show_prediction: ShowPrediction = False,
    suspects: Annotated[
        Path | None, typer.Option("--suspects", help="Write labels that are probably wrong here instead.")
    ] = None,
) -> None:
    """Write the rows that await a label as a CSV, with an empty column `label` for people to fill.

    With --suspects, rows that have a label which the model does not believe, most doubtful first, with the reason:
    fill in the right label where the one that is given is wrong, and leave the others empty.
    """
    from perennial.clock import night as as_night

    if (to is None) == (suspects is None):
        raise typer.BadParameter(
            "give one file: --to for rows that await a label, --suspects for doubtful ones"
        )
    if suspects is not None:
        _export_suspects(session, model, session.night(model, night), suspects, most)
        return
    _export_awaiting(
        session, model, as_night(night) if night else None, Path(str(to)), predicted=show_prediction
    )


def _export_awaiting(session: Session, model: str, night: str | None, file: Path, *, predicted: bool) -> None:
    from perennial.stages.label_sheet import awaiting, write_sheet

    newest = session.night(model, None)
    rows = write_sheet(awaiting(session.workspace, model, by=newest, night=night, predicted=predicted), file)
    plain: dict[str, Json] = {"file": str(file), "rows": rows}
    session.answer(
        plain,
        f"{rows} rows await a label: {file}. Fill the column `label`, then: "
        f"perennial label import {model} {file}",
    )


def _export_suspects(session: Session, model: str, night: str, file: Path, most: int) -> None:
    from perennial.stages.label_sheet import write_sheet
    from perennial.stages.suspect_labels import sheet

    found = _suspects(session, model, night, most)
    rows = write_sheet(sheet(found, session.workspace.spec(model).scored.key), file)
    session.answer(
        {"file": str(file), "rows": rows, "reason": found.reason},
        f"{found.reason} They are in {file}. Fill the column `label` where the one given is wrong, then: "
        f"perennial label import {model} {file}",
    )


def _suspects(session: Session, model: str, night: str, most: int) -> SuspectLabels:
    from perennial.stages.candidates import champion
    from perennial.stages.suspect_labels import suspect_labels

    version = champion(session.workspace, model, after(night))
    return suspect_labels(session.workspace, model, night, version, most)


def suspects(session: Session, model: ModelName, most: MostOption = 50, night: NightOption = None) -> None:
    """List the labels that are probably wrong, most doubtful first, and what they do to loss and quality gate.

    How many are beyond what chance explains stands in the first sentence: rare events look the same one by one.
    """
    found = _suspects(session, model, session.night(model, night), most)
    session.answer(found.as_json(), lambda: _show(session, model, found))


def _show(session: Session, model: str, found: SuspectLabels) -> None:
    screen.show(found.reason)
    if not found.listed:
        return
    keys = session.workspace.spec(model).scored.key
    rows = [
        ("|".join(str(row[key]) for key in keys), row["night"], row["given"], row["likely"], row["why"])
        for row in found.listed
    ]
    screen.show_table(["row", "night", "given", "likely", "why"], rows)
    if found.loss is not None and found.loss_without is not None:
        screen.show(
            f"Mean {found.metric}: {found.loss:.4g}, and {found.loss_without:.4g} without those listed."
        )
    if found.gate is not None:
        gate = found.gate
        screen.show(
            f"Quality gate without the {gate.dropped} of them in the holdout (shown, decides nothing): "
            f"{gate.before} -> {gate.after}. {gate.reason}"
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
