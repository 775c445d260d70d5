"""``new`` and ``adopt``: how a model comes into the project, from a table or from elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import Actor, ModelName, NightOption, Session, actor_or_user, command
from perennial.facts.evidence import Json


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(
        group,
        "new",
        "perennial new churn --from customers.csv --label churned",
        "perennial new demand --from sqlite:///data/shop.db --table sales --label sold --time day",
    )(new)
    command(
        group,
        "adopt",
        "perennial adopt flight_delay --from model.skops",
        "perennial adopt flight_delay --from models:/delay/3 --fitted-until 2013-05-31",
    )(adopt)


def new(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name of the new model: lower-case letters, digits and _.")],
    source: Annotated[
        str,
        typer.Option(
            "--from", help="CSV, Parquet or JSON lines file, or the URL of a SQLite or DuckDB file."
        ),
    ],
    label: Annotated[str, typer.Option("--label", help="Column to predict.")],
    time: Annotated[str | None, typer.Option("--time", help="Column that says when a row happens.")] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", help="Column that names whom or what a row is about.")
    ] = None,
    table: Annotated[str | None, typer.Option("--table", help="Table of a database with several.")] = None,
) -> None:
    """Write a model's folder for a table, and say in plain words what was assumed."""
    from perennial.scaffold.new import new as write_folder

    models = session.workspace.models
    models.mkdir(parents=True, exist_ok=True)
    made = write_folder(name, source, label, time, entity, models_root=models, table=table)
    steps = [f"perennial check {name}", "perennial up"]
    plain: dict[str, Json] = {"folder": str(made.folder), "assumptions": made.assumptions, "next": steps}
    session.answer(plain, lambda: screen.show(_told(str(made.folder), made.assumptions, steps)))


def _told(folder: str, assumptions: list[str], steps: list[str]) -> str:
    guesses = "\n".join(f"  - {each}" for each in assumptions)
    return f"Written: {folder}\nAssumed (correct it in model.yaml):\n{guesses}\nNext: {', then '.join(steps)}"


def adopt(
    session: Session,
    model: ModelName,
    source: Annotated[
        str, typer.Option("--from", help="A skops file, or an MLflow version as models:/name/3.")
    ],
    night: NightOption = None,
    fitted_until: Annotated[
        str | None,
        typer.Option(
            "--fitted-until", help="Last night whose rows it was fitted on; later ones then judge it."
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; stays in the ledger.")] = "It served before.",
    actor: Actor = None,
) -> None:
    """Make a fitted scikit-learn model the first champion, by your word: its gates are not asked."""
    from perennial.stages.adopt import adopt as take_over

    workspace = session.prepared
    standing = workspace.ledger.last(model, "promoted")
    entry = take_over(
        workspace,
        model,
        source,
        session.night(model, night),
        reason=reason,
        actor=actor_or_user(actor),
        fitted_until=fitted_until,
    )
    said = "Nothing has changed, it is adopted already. " if entry == standing else ""
    session.answer(entry.as_json(), f"{said}{entry.reason}")
