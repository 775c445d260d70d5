"""``performance``: what the serving version lost by its labels, probably loses since, and how its labels come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from perennial.cli.session import ModelName, NightOption, Session, command

if TYPE_CHECKING:
    from perennial.facts.performance import Performance


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "performance",
        "perennial performance flight_delay",
        "perennial performance flight_delay --night 2013-08-15 --json",
    )(performance)


def performance(session: Session, model: ModelName, night: NightOption = None) -> None:
    """Say what the serving version lost on the last nights with labels, and what the nights since are estimated at.

    Beside what evaluation promised and beside the nights before, for all rows and for each declared slice, with how
    many of its predictions got their outcome, and how late. As it was known at the end of the night.
    """
    from perennial.errors import NoChampionError
    from perennial.stages.candidates import champion
    from perennial.stages.realised import performance_of

    workspace, key = session.workspace, session.night(model, night)
    try:
        version = champion(workspace, model, key)
    except NoChampionError:
        version = None
    found = performance_of(workspace, model, key, version)
    session.answer(found.as_json(), _told(found))


def _told(found: Performance) -> str:
    serving = f"version {found.version}" if found.version else "nobody serves"
    lines = [f"{found.night}  {serving}"]
    lines += [
        f"  {one.night}  {one.loss / one.rows:.4g} by {one.rows} labels" for one in found.realised.nightly
    ]
    lines += [f"  realised   {found.realised.reason}", f"  estimated  {found.estimated.reason}"]
    lines.append(f"  labels     {found.labels.reason}")
    for name, one in found.slices.items():
        lines += [
            f"  {name}",
            f"    realised   {one.realised.reason}",
            f"    estimated  {one.estimated.reason}",
        ]
    return "\n".join(lines)
