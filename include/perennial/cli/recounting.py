"""``who-served`` and ``ledger``: what was decided, who served at any moment, and that nobody has altered the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from perennial.cli import screen
from perennial.cli.session import ModelName, Session, command
from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from perennial.stages.served_at import ServedAt


class _ListsByItself(TyperGroup):
    """``ledger flight_delay`` lists: a first word that is no command is a model's name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first word names, or the list."""
        own = bool(args) and args[0] in self.commands
        return super().resolve_command(ctx, args if own else ["list", *args])


_HELP = """What was decided about a model, and whether anybody altered the record.

\b
Examples:
  perennial ledger flight_delay --kind promoted
  perennial ledger verify
  perennial ledger export --to audit-2013-12
  perennial ledger rebuild-registry"""


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "who-served", *_WHO_SERVED)(who_served)
    book = typer.Typer(cls=_ListsByItself, help=_HELP, no_args_is_help=True)
    command(book, "list", *_LIST)(entries)
    command(book, "verify", *_VERIFY)(verify)
    command(book, "export", *_EXPORT)(export)
    command(book, "rebuild-registry", *_REBUILD)(rebuild_registry)
    group.add_typer(book, name="ledger")


_WHO_SERVED = (
    "perennial who-served flight_delay --at 2013-08-15",
    "perennial who-served flight_delay --at 2013-08-15T14:30 --entity N14228",
    "perennial who-served flight_delay --at 2013-08-15 --json",
)
_LIST = ("perennial ledger list flight_delay --kind promoted", "perennial ledger list flight_delay --json")
_VERIFY = ("perennial ledger verify", "perennial ledger verify --against audit-2013-12")
_EXPORT = ("perennial ledger export --to audit-2013-12", "perennial ledger export --to /backup/ledger --json")
_REBUILD = ("perennial ledger rebuild-registry", "perennial ledger rebuild-registry --json")


def who_served(
    session: Session,
    model: ModelName,
    at: Annotated[
        str,
        typer.Option(
            "--at", help="A night (2013-05-12) or a time in the model's time zone (2013-05-12T14:30)."
        ),
    ],
    entity: Annotated[
        str | None,
        typer.Option("--entity", help="Whom a row is about: says which version a canary gave it."),
    ] = None,
) -> int:
    """Say which version was in production at any moment, for whom, on whose word, and that the ledger is whole."""
    from perennial.stages.served_at import served_at

    workspace = session.workspace
    workspace.folder(model)
    found = served_at(workspace, model, at, entity)
    session.answer(found.as_json(), lambda: screen.show("\n".join(_told(model, found))))
    return 1 if found.problems else 0


def _told(model: str, found: ServedAt) -> list[str]:
    reign = found.serving
    until = f" until {reign.until}" if reign.until else ""
    lines = [
        f"version {reign.version} of {model} served on {found.asked} (from {reign.first_night}{until}): {reign.reason}"
    ]
    lines += [f"  {one.kind:<9} {one.reason} ({one.actor}, {one.id[:8]})" for one in found.let_through]
    if found.canary:
        lines.append(
            f"  canary    version {found.canary.version} answered for {found.canary.share:.0%} of the entities "
            f"(salt {found.canary.salt}, {found.canary.entry.id[:8]})"
        )
    if found.entity is not None:
        lines.append(f"  entity    {found.entity} was answered by version {found.version}")
    if found.scored:
        lines.append(
            f"  published {found.scored['rows']} rows for {found.night}, scored by version {found.scored['version']}"
        )
    lines += [f"  layer     {found.layer}"] if found.layer else []
    whole = "every line gives its hash and continues the one before it"
    return [*lines, *(f"  ledger    {one}" for one in found.problems or (whole,))]


def entries(
    session: Session,
    model: ModelName,
    kind: Annotated[str | None, typer.Option("--kind", help="Only entries of this kind.")] = None,
    *,
    check: Annotated[bool, typer.Option("--verify", hidden=True)] = False,
) -> int:
    """List what was decided about a model, oldest first."""
    workspace = session.workspace
    workspace.folder(model)
    if check:
        return verify(session)
    found = workspace.ledger.entries(model, {kind} if kind else None)
    rows = [(each.night, each.kind, each.actor, each.id[:8], each.reason) for each in found]
    session.answer(
        [each.as_json() for each in found],
        lambda: screen.show_table(["night", "kind", "by", "id", "reason"], rows),
    )
    return 0


def verify(
    session: Session,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Folder of an export: also finds a ledger that was rewritten whole."),
    ] = None,
) -> int:
    """Check every line against its hash and the line before it, and name each that was altered, removed or put in."""
    from perennial.ledger.export import faults, lines_of

    ledger = session.workspace.ledger
    known = [str(row["hash"]) for row in lines_of(against)] if against else []
    found = [f"{against}: {fault}" for fault in faults(against)] if against else []
    found += ledger.verify(known)
    rows, head = ledger.stored()
    plain: dict[str, Json] = {"whole": not found, "problems": found, "lines": len(rows), "head": vars(head)}
    whole = (
        f"All {len(rows)} lines give their hash and continue the one before; the last is {head.hash[:16]}."
    )
    session.answer(plain, "\n".join(found) or whole)
    return 1 if found else 0


def export(
    session: Session,
    to: Annotated[Path, typer.Option("--to", help="Folder to make; it must not exist.")],
) -> int:
    """Copy the whole ledger to JSON lines and CSV, with a manifest of hashes that any tool can check."""
    from perennial.ledger.export import export as write

    manifest = write(session.workspace.ledger, to)
    problems = manifest["problems"]
    sentence = (
        f"Written: {to}, {manifest['lines']} lines. Keep it elsewhere: perennial ledger verify --against {to}"
    )
    session.answer(manifest, f"{sentence}\nThe ledger is not whole: {problems}" if problems else sentence)
    return 1 if problems else 0


def rebuild_registry(session: Session) -> int:
    """Make MLflow say again what the ledger says: versions whose bytes are left, their tags, and the alias.

    A registry that was lost is begun anew. Runs, figures and pictures of trainings are in no ledger and stay lost.
    """
    from perennial.stages.reconcile import reconcile_all

    done, failed = reconcile_all(session.prepared)
    entries = [one for found in done.values() for one in found]
    lost = [one for one in entries if one.kind == "registry_damaged"]
    lines = [*(one.reason for one in entries), *(f"{model}: {why}" for model, why in failed.items())]
    whole = "The registry says what the ledger says."
    session.answer({"done": [one.as_json() for one in entries], "failed": failed}, "\n".join(lines) or whole)
    return 1 if failed or lost else 0
