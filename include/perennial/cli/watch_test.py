"""``watch-test``: what a model's watch would find, how soon, and how often it has paged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, NightOption, Session, command
from perennial.clock import after

if TYPE_CHECKING:
    from perennial.facts.operating import WatchTest


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "watch-test",
        "perennial watch-test flight_delay",
        "perennial watch-test flight_delay --nights 56 --seed 7 --json",
    )(watch_test)


def watch_test(
    session: Session,
    model: ModelName,
    night: NightOption = None,
    nights: Annotated[
        int, typer.Option("--nights", min=1, help="Recent nights among which changes begin.")
    ] = 28,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of what is drawn.")] = 0,
) -> None:
    """Put changes into copies of the model's recent nights, and show what its watch would page for, and how soon.

    Nothing is written but the result. Below stands how often each budget has paged on the nights there were.
    """
    from perennial.stages.candidates import champion
    from perennial.stages.watch_test import watch_test as tried

    key = session.night(model, night)
    version = champion(session.workspace, model, after(key))
    found = tried(session.workspace, model, key, version, nights=nights, seed=seed)
    session.answer(found.as_json(), lambda: _show(found))


def _show(found: WatchTest) -> None:
    screen.show_table(
        ["change", "of", "1 night", "7 nights", "28 nights", "found by"],
        [
            (
                one.change,
                one.where,
                *(_share(one.within.get(most), one.trials) for most in ("1", "7", "28")),
                one.by,
            )
            for one in found.found
        ],
    )
    for one in found.not_tried:
        screen.show(f"Not tried: {one}.")
    screen.show(found.reason)


def _share(paged: int | None, trials: int) -> str:
    return "" if paged is None else f"{paged} of {trials}"
