"""``hold``, ``release``, ``skip``, ``accept`` and ``rerun``: a person's word about a night, kept in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from perennial.cli.session import Actor, ModelName, NightArgument, Reason, Session, actor_or_user, command
from perennial.clock import night as as_night

if TYPE_CHECKING:
    from perennial.ledger.base import Entry

Why = Annotated[str, typer.Option("--reason", help="Why; stays in the ledger.")]


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "hold", *_HOLD)(hold)
    command(group, "release", *_RELEASE)(release)
    command(group, "skip", *_SKIP)(skip)
    command(group, "accept", *_ACCEPT)(accept)
    command(group, "rerun", *_RERUN)(rerun)


_HOLD = (
    'perennial hold flight_delay 2013-08-15 --reason "The schedule is being corrected."',
    'perennial hold flight_delay 2013-08-15 --reason "Strike." --actor ann',
)
_RELEASE = (
    "perennial release flight_delay 2013-08-15",
    'perennial release flight_delay 2013-08-15 --reason "Corrected." && perennial rerun flight_delay 2013-08-15',
)
_SKIP = (
    'perennial skip flight_delay 2013-08-15 --reason "The weather station was down."',
    'perennial skip flight_delay 2013-08-15 --reason "Never sent." && perennial rerun flight_delay 2013-08-15',
)
_ACCEPT = (
    'perennial accept flight_delay 2013-08-15 --source flights --rows 3,7 --reason "Seen: real flights."',
    'perennial accept flight_delay 2013-08-15 --source flights --rows all --reason "The limit was too tight."',
)
_RERUN = (
    "perennial rerun flight_delay 2013-08-15",
    "perennial rerun flight_delay 2013-08-15 --from score",
)


def hold(
    session: Session, model: ModelName, night: NightArgument, reason: Reason, actor: Actor = None
) -> None:
    """Let nothing be scored for a night until you release it."""
    from perennial.stages.steering import hold as say

    session.workspace.folder(model)
    _answer(
        session, say(session.workspace, model, as_night(night), reason=reason, actor=actor_or_user(actor))
    )


def release(
    session: Session, model: ModelName, night: NightArgument, reason: Why = "", actor: Actor = None
) -> None:
    """Let a held night be scored, or one whose feed looked broken be learned from again."""
    from perennial.stages.steering import release as say

    session.workspace.folder(model)
    _answer(
        session, say(session.workspace, model, as_night(night), reason=reason, actor=actor_or_user(actor))
    )


def skip(
    session: Session, model: ModelName, night: NightArgument, reason: Reason, actor: Actor = None
) -> None:
    """Do without the deliveries of a night that never came; what did come counts."""
    from perennial.stages.steering import skip as say

    session.workspace.folder(model)
    _answer(
        session, say(session.workspace, model, as_night(night), reason=reason, actor=actor_or_user(actor))
    )


def accept(
    session: Session,
    model: ModelName,
    night: NightArgument,
    source: Annotated[str, typer.Option("--source", help="Whose rows.")],
    reason: Reason,
    rows: Annotated[
        str,
        typer.Option(
            "--rows",
            help="Line numbers as the quarantine names them, 3,7; all; or held: a correction that waits.",
        ),
    ] = "all",
    actor: Actor = None,
) -> None:
    """Publish quarantined rows by your word; what cannot be read as its declared type stays where it is."""
    from perennial.stages.accepting import accept_as_asked

    done = accept_as_asked(
        session.workspace,
        model,
        as_night(night),
        source,
        rows,
        reason=reason,
        actor=actor_or_user(actor),
    )
    session.answer(done.as_json(), f"{done.reason}\nNext: perennial rerun {model} {night} --from features")


def rerun(
    session: Session,
    model: ModelName,
    night: NightArgument,
    stage: Annotated[
        Literal["validate", "features", "score", "monitor"],
        typer.Option("--from", help="First stage to run again; those after it follow."),
    ] = "validate",
    reason: Why = "",
    actor: Actor = None,
) -> None:
    """Run a night again from a stage on; what comes out the same changes nothing."""
    from perennial.cli.stages_by_hand import STAGES, Asked
    from perennial.stages.steering import rerun_from

    key, workspace = as_night(night), session.prepared
    workspace.folder(model)
    asked = Asked(workspace, model, key, key, None, None)
    done = {
        each: STAGES[each](asked)
        for each in rerun_from(workspace, model, key, stage, reason=reason, actor=actor_or_user(actor))
    }
    lines = "\n".join(f"{name}: {one.sentence}" for name, one in done.items())
    session.answer({name: one.plain for name, one in done.items()}, lines)


def _answer(session: Session, entry: Entry) -> None:
    session.answer(entry.as_json(), entry.reason)
