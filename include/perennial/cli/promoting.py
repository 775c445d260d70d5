"""``freeze``, ``unfreeze``, ``approve`` and ``force``: a person's word about what may come into production."""

from __future__ import annotations

from typing import Annotated

import typer

from perennial.cli.session import Actor, ModelName, NightOption, Reason, Session, actor_or_user, command
from perennial.clock import night as as_night


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "freeze", *_FREEZE)(freeze)
    command(group, "unfreeze", *_UNFREEZE)(unfreeze)
    command(group, "approve", *_APPROVE)(approve)
    command(group, "force", *_FORCE)(force)


_FREEZE = (
    'perennial freeze flight_delay --until 2013-12-27 --reason "No changes over the holidays."',
    'perennial freeze flight_delay --until 2013-12-27 --reason "Audit." --actor ann',
)
_UNFREEZE = (
    "perennial unfreeze flight_delay",
    'perennial unfreeze flight_delay --reason "The audit is over."',
)
_APPROVE = (
    'perennial approve flight_delay --reason "Read the report; the slices hold."',
    'perennial approve flight_delay --reason "Seen." --actor ann --json',
)
_FORCE = (
    'perennial force flight_delay 7 --reason "The feed changed; version 6 answers nonsense."',
    'perennial force flight_delay 7 --reason "Emergency 4711." --json',
)


def freeze(
    session: Session,
    model: ModelName,
    until: Annotated[
        str, typer.Option("--until", help="First night on which it may be trained and promoted again.")
    ],
    reason: Reason,
    night: NightOption = None,
    actor: Actor = None,
) -> None:
    """Train and promote nothing until a night; scoring, watching and rolling back go on."""
    from perennial.stages.freezing import freeze as say

    session.workspace.folder(model)
    key = session.night(model, night)
    entry = say(session.workspace, model, key, as_night(until), reason=reason, actor=actor_or_user(actor))
    session.answer(entry.as_json(), entry.reason)


def unfreeze(
    session: Session,
    model: ModelName,
    reason: Annotated[str, typer.Option("--reason", help="Why; stays in the ledger.")] = "",
    night: NightOption = None,
    actor: Actor = None,
) -> None:
    """End a freeze before its date."""
    from perennial.stages.freezing import unfreeze as say

    session.workspace.folder(model)
    key = session.night(model, night)
    entry = say(session.workspace, model, key, reason=reason, actor=actor_or_user(actor))
    session.answer(entry.as_json(), entry.reason)


def approve(
    session: Session, model: ModelName, reason: Reason, night: NightOption = None, actor: Actor = None
) -> None:
    """Let the version that passed its gates and waits go into production, where the model's risk is high."""
    from perennial.stages.approving import approve as say

    session.workspace.folder(model)
    key = session.night(model, night)
    entry = say(session.prepared, model, key, reason=reason, actor=actor_or_user(actor))
    session.tell()
    session.answer(entry.as_json(), entry.reason)


def force(
    session: Session,
    model: ModelName,
    version: Annotated[str, typer.Argument(help="Number of the version.")],
    reason: Reason,
    night: NightOption = None,
) -> None:
    """Put a version into production past its gates: for emergencies, and told of for ever.

    The right comes from `force_by` in model.yaml and is that of the user of this machine; no other name can be given.
    """
    from perennial.stages.forcing import force as say

    session.workspace.folder(model)
    key = session.night(model, night)
    entry = say(session.prepared, model, version, key, reason=reason, actor=actor_or_user(None))
    session.tell()
    session.answer(entry.as_json(), entry.reason)
