"""``run``, ``night``, ``replay`` and ``rollback``: a model's work by hand, through the functions the DAGs call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from perennial.cli import screen
from perennial.cli.session import (
    Actor,
    ModelName,
    NightArgument,
    NightOption,
    Reason,
    Session,
    actor_or_user,
    command,
)
from perennial.clock import between
from perennial.clock import night as as_night
from perennial.errors import NightsReversedError

if TYPE_CHECKING:
    from perennial.stages.replay import Passed

StageArgument = Annotated[
    Literal["validate", "features", "score", "monitor", "retrain", "train", "evaluate", "deploy", "rollout"],
    typer.Argument(help="The stage."),
]
VersionOption = Annotated[str | None, typer.Option("--version", help="Version, as the registry numbers it.")]


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(
        group,
        "run",
        "perennial run flight_delay validate --since 2013-01-01 --night 2013-06-30",
        "perennial run flight_delay train",
        "perennial run flight_delay evaluate --version 3 --gate minimum_quality",
    )(run)
    command(
        group,
        "night",
        "perennial night flight_delay 2013-07-01",
        "perennial night flight_delay 2013-07-01 --json",
    )(night)
    command(
        group,
        "replay",
        "perennial replay flight_delay --from 2013-07-01 --to 2013-08-15",
        "perennial replay flight_delay --from 2013-07-01 --to 2013-07-31 --json > july.jsonl",
    )(replay)
    command(
        group,
        "rollback",
        'perennial rollback flight_delay --reason "It predicts 0.2 too high since Monday."',
        'perennial rollback flight_delay --version 2 --reason "The last that served well."',
    )(rollback)


def run(
    session: Session,
    model: ModelName,
    stage: StageArgument,
    night: NightOption = None,
    since: Annotated[
        str | None, typer.Option("--since", help="First night of a range that ends with --night.")
    ] = None,
    version: VersionOption = None,
    gate: Annotated[str | None, typer.Option("--gate", help="Ask this gate only (evaluate).")] = None,
) -> int:
    """Run one stage by hand, as its DAG would.

    `retrain` asks the retraining policy and, if it goes ahead, trains, asks the gates and deploys.
    """
    from perennial.cli.stages_by_hand import STAGES, Asked

    last = session.night(model, night)
    asked = Asked(session.prepared, model, as_night(since) if since else last, last, version, gate)
    if asked.first > asked.night:
        raise NightsReversedError(asked.first, asked.night)
    done = STAGES[stage](asked)
    session.tell()
    session.answer(done.plain, done.sentence)
    return 0 if done.good else 1


def night(session: Session, model: ModelName, night: NightArgument) -> None:
    """Let one whole night pass: take it in, score it, judge it, and renew the model if that is asked for."""
    from perennial.stages.replay import pass_night

    passed = pass_night(session.prepared, model, as_night(night))
    session.tell()
    session.answer(passed.as_json(), told(passed))
    _tell_unserved(session, model, passed.night)


def replay(
    session: Session,
    model: ModelName,
    first: Annotated[str, typer.Option("--from", help="First night.")],
    last: Annotated[str, typer.Option("--to", help="Last night, included.")],
) -> None:
    """Let many nights pass in one process, one after the other; with --json, one line a night.

    Looking back tells nobody: what is found stands in the ledger, and no channel hears of it.
    """
    from perennial.stages.replay import pass_night

    nights = between(as_night(first), as_night(last))
    if not nights:
        raise NightsReversedError(first, last)
    workspace = replace(session.prepared, quiet=True)
    workspace.folder(model)
    for key in screen.progress(nights, f"Nights of {model}"):
        passed = pass_night(workspace, model, key)
        if session.as_json:
            screen.show_json(passed.as_json(), one_line=True)
        else:
            screen.show(told(passed))
    _tell_unserved(session, model, nights[-1])


def _tell_unserved(session: Session, model: str, night: str) -> None:
    """Say how a model comes to its first version, where nights pass without any."""
    from perennial.stages.candidates import serving

    if serving(session.prepared, model, night) is None:
        screen.say(
            f"No version of {model} serves yet: `perennial run {model} retrain --night {night}` trains the first."
        )


def told(passed: Passed) -> str:
    """Tell what became of a night, in one line, and more where the model was to be renewed."""
    from perennial.cli.stages_by_hand import renewal_told

    scored = passed.scored
    words = [passed.night, f"{passed.taken_in['rows']} rows in"]
    words.append(f"{passed.taken_in['quarantined']} quarantined")
    words.append(f"{scored.rows} scored by version {scored.version}" if scored else "nothing scored")
    words.append(passed.watched.state)
    line = ", ".join(words)
    if passed.watched.state not in {"quiet", "learning"}:
        line += f": {passed.watched.reason}"
    return f"{line}\n{renewal_told(passed.renewal)}" if passed.renewal else line


def rollback(
    session: Session,
    model: ModelName,
    reason: Reason,
    night: NightOption = None,
    version: VersionOption = None,
    actor: Actor = None,
) -> None:
    """Put an earlier version back into production at once: by default the one that served before."""
    from perennial.stages.roll_back import roll_back

    entry = roll_back(
        session.prepared,
        model,
        session.night(model, night),
        reason=reason,
        actor=actor_or_user(actor),
        version=version,
    )
    session.tell()
    session.answer(entry.as_json(), entry.reason)
