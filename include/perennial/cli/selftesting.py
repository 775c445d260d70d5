"""``gates selftest``: which broken models would a model's own gates stop?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli.session import ModelName, Session, command

if TYPE_CHECKING:
    from perennial.facts.selftested import SelfTest

VersionOption = Annotated[
    str | None, typer.Option(help="Version to break; by default the newest that was trained.")
]


def declare(group: typer.Typer) -> None:
    """Add the command to those about gates."""
    command(
        group,
        "selftest",
        "perennial gates selftest flight_delay",
        "perennial gates selftest flight_delay --version 3 --json",
    )(selftest)


def selftest(session: Session, model: ModelName, version: VersionOption = None) -> None:
    """Break a version on purpose in sixteen ways, and say which of them the gates of its model would promote.

    Each is judged beside the version itself, as if it were a routine refresh, on the rows kept back from it. The
    exit status is 1 where a catastrophe got through.
    """
    from perennial.stages.candidates import candidate, trainings
    from perennial.stages.selftest import keep_selftest

    workspace = session.workspace
    named = version or trainings(workspace, model)[-1].version
    found = keep_selftest(workspace, candidate(workspace, model, named))
    session.answer(found.as_json(), _told(found))
    if not found.proven:
        raise typer.Exit(1)


def _told(found: SelfTest) -> str:
    lines = [f"Version {found.version}: {found.sentence()}"]
    for fate in found.fates:
        word = {True: "stopped", False: "PROMOTED", None: "not made"}[fate.killed]
        by = f" by {', '.join(fate.by)}" if fate.by else ""
        lines.append(f"  {word:9} {fate.mutant:22} {fate.what}{by}")
    lines.append(
        f"  beside itself the version is {found.itself}; trained again it would {_passes(found.again)}"
    )
    alone = [f"{gate} alone stops {', '.join(names)}" for gate, names in found.alone.items()]
    return "\n".join([*lines, *(f"  {line}" for line in alone)])


def _passes(verdict: str) -> str:
    return {"pass": "go on", "fail": "be refused"}.get(verdict, "wait")
