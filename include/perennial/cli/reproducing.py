"""``reproduce``: can a version be made again from what was kept of its training?"""

from __future__ import annotations

from typing import Annotated

import typer

from perennial.cli.session import ModelName, Session, command


def declare(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "reproduce",
        "perennial reproduce flight_delay 3",
        "perennial reproduce flight_delay 3 --json",
    )(reproduce)


def reproduce(
    session: Session,
    model: ModelName,
    version: Annotated[str, typer.Argument(help="Number of the version.")],
) -> int:
    """Train a version again from its kept training set, settings and seed, and compare what it predicts.

    Nothing is registered. The exit status is 0 where it predicts the same; 1 where it predicts otherwise (by how much,
    and which libraries, code or data are other ones now), or where what it was made of is gone. The answer stays in
    the ledger as `reproduced`.
    """
    from perennial.stages.candidates import candidate
    from perennial.stages.reproduce import keep_reproduction

    workspace = session.workspace
    workspace.folder(model)
    found = keep_reproduction(workspace, candidate(workspace, model, version))
    session.answer(found.as_json(), found.sentence())
    return 0 if found.good else 1
