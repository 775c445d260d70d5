"""``backtest``: how would the recipe have fared, and would it fare better on less history?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, NightOption, Session, command

if TYPE_CHECKING:
    from perennial.facts.backtest import Backtest

FEWEST_NIGHTS = 7
"""A shorter window holds no whole week."""


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "backtest",
        "perennial backtest flight_delay",
        "perennial backtest flight_delay --windows all,90,180 --folds 6 --json",
    )(backtest)


def backtest(
    session: Session,
    model: ModelName,
    night: NightOption = None,
    windows: Annotated[
        str, typer.Option(help="Nights of history to learn from, each compared with all: all,90,180.")
    ] = "",
    folds: Annotated[int, typer.Option(min=1, max=60, help="Newest folds of 28 nights.")] = 4,
    *,
    unseen_entities: Annotated[
        bool, typer.Option("--unseen-entities", help="Predict rows by models that never met their entity.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Keep the answer in the ledger.")] = False,
) -> None:
    """Train the recipe and its baselines as of earlier nights, and compare them on the 28 nights after each.

    Every model learns only from rows whose labels were known before the first night it predicts. With --windows,
    says whether another window than all history is shown to be better; unless it is, all history is to be used.
    """
    from perennial.stages.backtest import Asked, keep_backtest
    from perennial.stages.backtest import backtest as run

    session.workspace.folder(model)
    asked = Asked(folds, _windows(windows), unseen_entities)
    found = run(session.workspace, model, session.night(model, night), asked)
    if record:
        keep_backtest(session.workspace, found)
    session.answer(found.as_json(), lambda: _show(found))


def _windows(text: str) -> tuple[int, ...]:
    """Read windows; `all` stands for what the others are compared with."""
    words = [word.strip() for word in text.split(",") if word.strip() not in {"", "all"}]
    bad = next((word for word in words if not word.isdigit() or int(word) < FEWEST_NIGHTS), None)
    if bad is not None:
        message = f"{bad} is no number of nights from {FEWEST_NIGHTS} on: write --windows all,90,180."
        raise typer.BadParameter(message, param_hint="--windows")
    return tuple(dict.fromkeys(int(word) for word in words))


def _show(found: Backtest) -> None:
    names = list(found.folds[0].losses)
    rows = [
        [
            f"{fold.first} to {fold.last}",
            fold.rows,
            fold.learned_rows,
            *(f"{fold.losses[name]:.4g}" for name in names),
        ]
        for fold in found.folds
    ]
    screen.show(f"{found.model}, {found.loss} of a row as known at the end of {found.night}:")
    screen.show_table(["unseen nights", "rows", "learned from", *names], rows)
    screen.show("\n".join(found.sentences()))
