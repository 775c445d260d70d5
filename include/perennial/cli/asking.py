"""``status``, ``explain`` and ``skew``: what is known of a model, and why it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, NightOption, Session, command
from perennial.errors import NoModelsError, NothingKnownError
from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from perennial.stages.standing import Standing


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "status", "perennial status", "perennial status flight_delay --json")(status)
    command(
        group,
        "explain",
        "perennial explain flight_delay --night 2013-08-15",
        "perennial explain flight_delay --night 2013-08-15 --json",
    )(explain)
    command(
        group,
        "skew",
        "perennial skew flight_delay --night 2013-08-15",
        "perennial skew flight_delay --night 2013-08-15 --all --json",
    )(skew)


def status(
    session: Session,
    model: Annotated[str | None, typer.Argument(help="One model; by default all.")] = None,
) -> None:
    """Say who serves since when, how the last nights went, what is open, and what the last retraining came to."""
    from perennial.spec.load import model_folders
    from perennial.stages.standing import standing

    workspace = session.workspace
    names = [model] if model else [folder.name for folder in model_folders(workspace.models)]
    if not names:
        raise NoModelsError(workspace.models)
    found = [standing(workspace, name) for name in names]
    plain: Json = found[0].as_json() if model else [one.as_json() for one in found]
    session.answer(plain, lambda: screen.show("\n\n".join(_told(one) for one in found)))


def _told(one: Standing) -> str:
    lines = [one.model, f"  champion    {_champion(one)}"]
    lines += [f"  frozen      {one.frozen}"] if one.frozen else []
    lines += [f"  layer       {one.layer}"] if one.layer else []
    for state in one.nights:
        scored = f"{state.rows} rows scored by version {state.version}" if state.version else "nothing scored"
        lines.append(f"  {state.night}  {state.state:<9} {scored}")
    lines += [f"  open        {finding.night}: {finding.reason}" for finding in one.findings]
    if not one.findings:
        lines.append("  open        no finding")
    told = one.retraining.sentences() if one.retraining else ["never asked for"]
    lines.append(f"  retraining  {told[0]}")
    return "\n".join([*lines, *(f"              {sentence}" for sentence in told[1:])])


def _champion(one: Standing) -> str:
    if one.champion is None:
        return f"none yet: perennial run {one.model} retrain"
    return f"version {one.champion.version} since {one.champion.first_night}: {one.champion.reason}"


def explain(session: Session, model: ModelName, night: NightOption = None) -> None:
    """Tell all that was decided for a night, in order, with what it rests on, and what a finding is due to.

    Where a finding stands and its causes were not looked for that night, they are now; nothing is written.
    """
    from perennial.stages.attribute import looked_up

    key = session.night(model, night)
    entries = session.workspace.ledger.entries(model, first_night=key, last_night=key)
    if not entries:
        raise NothingKnownError(model, key)
    lines = [f"{each.kind} (by {each.actor}, {each.id[:8]})\n  {each.reason}" for each in entries]
    plain: list[Json] = [each.as_json() for each in entries]
    causes = looked_up(session.workspace, model, key)
    if causes is not None:
        told = "\n".join(f"  {sentence}" for sentence in causes["sentences"])
        lines.append(f"causes (version {causes['version']})\n  {causes['headline']}\n{told}")
        plain.append({"kind": "causes", "reason": causes["headline"], **causes})
    session.answer(plain, "\n".join(lines))


def skew(
    session: Session,
    model: ModelName,
    night: NightOption = None,
    *,
    whole: Annotated[
        bool,
        typer.Option("--all", help="Compare every row, and with features.py as it is written now."),
    ] = False,
) -> int:
    """Compare what a night was scored on with what training would assemble for the same rows now.

    Stored predictions are compared with what the stored version says of the stored features. A difference that
    late or corrected data explain is told; one that nothing explains makes the exit status 1.
    """
    from perennial.stages.candidates import champion
    from perennial.stages.skew import SAMPLED_ROWS, skew_of

    workspace, key = session.workspace, session.night(model, night)
    version = champion(workspace, model, key)
    found = skew_of(workspace, model, key, version, None if whole else SAMPLED_ROWS)
    session.answer(found.as_json(), found.reason)
    return 1 if found.outcome == "finding" else 0
