"""``decisions``: every decision about training, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from perennial.cli.session import ModelName, NightOption, Session, command

if TYPE_CHECKING:
    from perennial.stages.judging import Decided


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "decisions",
        "perennial decisions flight_delay",
        "perennial decisions flight_delay --night 2013-11-30 --json",
    )(decisions)


def decisions(session: Session, model: ModelName, night: NightOption = None) -> None:
    """List every decision about training with its reason, its cost, and what the nights after it said of it."""
    from perennial.stages.judging import decisions as decided

    session.workspace.folder(model)
    found = decided(session.workspace, model, session.night(model, night))
    lines = [line for one in found for line in _decision(one)]
    session.answer([one.as_json() for one in found], "\n".join(lines) or "No training was ever asked for.")


def _decision(one: Decided) -> list[str]:
    cost = f"{one.cpu_seconds:.1f} CPU seconds" if one.cpu_seconds is not None else "cost not recorded"
    became = f"version {one.version}, {'promoted' if one.promoted else 'refused'}, {cost}"
    made = [f"  {became}"] if one.version else []
    return [f"{one.asked.night}  {one.asked.reason}", *made, f"  {one.came}"]
