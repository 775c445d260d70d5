"""``check``, ``show`` and ``schema``: what the folders say, and whether they can be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perennial.cli import screen
from perennial.cli.session import ModelName, Session, command
from perennial.errors import BrokenModelError, NoModelsError, PerennialError, Problem
from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from perennial.spec.model import ModelSpec


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "check", "perennial check", "perennial check flight_delay --json")(check)
    command(group, "show", "perennial show flight_delay", "perennial show flight_delay --resolved")(show)
    command(group, "schema", "perennial schema > model.schema.json", "perennial schema | jq .required")(
        schema
    )


def check(
    session: Session,
    model: Annotated[str | None, typer.Argument(help="One model; by default all.")] = None,
) -> int:
    """Say of each folder whether it can be used, with every problem, its place and its fix."""
    from perennial.spec.load import model_folders

    workspace = session.workspace
    folders = model_folders(workspace.models)
    if model is not None:
        folders = [folder for folder in folders if folder.name == model] or [workspace.folder(model)]
    if not folders:
        raise NoModelsError(workspace.models)
    found = {folder.name: _problems(folder) for folder in folders}
    plain: dict[str, Json] = {
        name: {"verdict": "FAIL" if problems else "PASS", "problems": [vars(each) for each in problems]}
        for name, problems in found.items()
    }
    session.answer(plain, lambda: _show_verdicts(found))
    return 1 if any(found.values()) else 0


def _problems(folder: Path) -> list[Problem]:
    """Read the folder, and run its features once, as a night would."""
    from perennial.engine.plan import compile_plan
    from perennial.spec.load import load

    try:
        spec = load(folder)
        compile_plan(spec, folder)
    except BrokenModelError as broken:
        return list(broken.problems)
    except PerennialError as mistake:
        return [Problem(str(folder / "features.py"), 1, 1, "", "", str(mistake), "", mistake.code)]
    return []


def _show_verdicts(found: dict[str, list[Problem]]) -> None:
    for name, problems in found.items():
        screen.show(f"{'FAIL' if problems else 'PASS'}  {name}")
        for problem in problems:
            screen.show(f"      {problem}")


def show(
    session: Session,
    model: ModelName,
    *,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Every setting, also the defaults, and where each comes from.")
    ] = False,
) -> None:
    """Print what a model declares."""
    folder = session.workspace.folder(model)
    if resolved:
        _show_resolved(session, folder)
        return
    spec = session.workspace.spec(model)
    session.answer(spec.model_dump(mode="json"), lambda: screen.show(_page(spec)))


def _show_resolved(session: Session, folder: Path) -> None:
    from perennial.spec.resolved import resolved

    settings = resolved(folder)
    plain: list[Json] = [setting._asdict() for setting in settings]
    rows = [(each.path, each.value, each.origin) for each in settings]
    session.answer(plain, lambda: screen.show_table(["setting", "value", "from"], rows))


def _page(spec: ModelSpec) -> str:
    """Write the few things that are asked most."""
    views = spec.features.views
    lines = {
        "model": spec.name,
        "predicts": spec.description,
        "owner": spec.owner,
        "risk": spec.risk,
        "task": f"{spec.task}, judged by {spec.metric}",
        "nights": f"end in {spec.timezone}; work begins at {spec.schedule}",
        "rows": f"{spec.rows_source}, named by {', '.join(spec.scored.key)}",
        "sources": ", ".join(spec.sources),
        "label": f"{spec.label.expression} from {spec.label.source}, after {spec.label.delay_days} nights",
        "columns": ", ".join(spec.features.columns) or "none",
        "views": views if isinstance(views, str) else ", ".join(views) or "none",
        "estimator": spec.training.estimator,
    }
    return "\n".join(f"{name:<10} {' '.join(text.split())}" for name, text in lines.items())


def schema(session: Session) -> None:
    """Print the JSON Schema of model.yaml, for editors."""
    from perennial.spec.schema import json_schema

    del session
    screen.show_json(json_schema())
