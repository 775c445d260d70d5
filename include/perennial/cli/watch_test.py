"""``watch-test``: what a model's watch would find, how soon, and how often it has paged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, NightOption, Session, command
from perennial.clock import after

if TYPE_CHECKING:
    from perennial.facts.operating import Detection, WatchTest


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "watch-test",
        "perennial watch-test flight_delay",
        "perennial watch-test flight_delay --nights 56 --trials 20 --seed 7 --json",
    )(watch_test)


def watch_test(
    session: Session,
    model: ModelName,
    night: NightOption = None,
    nights: Annotated[
        int, typer.Option("--nights", min=1, help="Recent nights among which changes begin.")
    ] = 28,
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Beginnings of each change; more take longer.")
    ] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of what is drawn.")] = 0,
) -> None:
    """Put changes into copies of the model's recent nights, and show what its watch would page for, and how soon.

    Nothing is written but the result. Below stands how often each budget has paged on the nights there were. Stopped,
    it goes on where it was when it is asked the same again.
    """
    from perennial.stages.candidates import champion
    from perennial.stages.watch_test import Asked, Step
    from perennial.stages.watch_test import watch_test as tried

    def through(steps: Sequence[Step]) -> Iterator[Step]:
        return screen.progress(steps, f"Changes of {model}")

    key = session.night(model, night)
    version = champion(session.workspace, model, after(key))
    found = tried(session.workspace, model, key, version, Asked(nights, seed, trials), through)
    session.answer(found.as_json(), lambda: _show(found))


COLUMNS = ("change", "in", "of", "1 night", "7", "28", "60", "median", "recorded only", "found by")


def _show(found: WatchTest) -> None:
    screen.show_table(COLUMNS, [_row(one) for one in found.found])
    for one in found.not_tried:
        screen.show(f"Not tried: {one}.")
    screen.show(found.reason)


def _row(one: Detection) -> tuple[object, ...]:
    within = (one.within.get(most) for most in ("1", "7", "28", "60"))
    median = "never" if one.median is None else f"{one.median:g}"
    return (one.change, one.where, one.trials, *within, median, one.recorded or "", one.by)
