"""``gates`` and ``checks``: what can be named in ``model.yaml``."""

from __future__ import annotations

import importlib
import inspect

import typer

from perennial.cli import screen, selftesting
from perennial.cli.session import Session, command


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    asked = typer.Typer()
    group.add_typer(asked, name="gates")
    command(asked, "gates", "perennial gates", "perennial gates --json", bare=True)(gates)
    selftesting.declare(asked)
    command(group, "checks", "perennial checks", "perennial checks --json")(checks)


def gates(session: Session) -> None:
    """List what a new model can be asked before it serves."""
    _list(session, "gates")


def checks(session: Session) -> None:
    """List what a row or a delivery can be asked before it is used."""
    _list(session, "checks")


def _list(session: Session, catalogue: str) -> None:
    found = getattr(importlib.import_module(f"perennial.{catalogue}"), catalogue)()
    told = {name: (inspect.getdoc(entry) or "").splitlines()[0] for name, entry in found.items()}
    session.answer(told, lambda: screen.show_table([catalogue, "what it asks"], told.items()))
