"""``demo``, ``up`` and ``down``: Airflow and MLflow themselves, as ``make`` starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from perennial.cli.session import Session, command

CHECKOUT = Path(__file__).resolve().parents[3]
LAUNCH = "perennial_airflow.launch"
"""Started as a process of its own: nothing here may import Airflow."""


def declare(group: typer.Typer) -> None:
    """Add the commands."""
    command(group, "demo", "perennial demo", "perennial demo --exit")(demo)
    command(group, "up", "perennial up", "perennial up && perennial status")(up)
    command(group, "down", "perennial down", "perennial down --of demo")(down)


def demo(
    session: Session,
    *,
    leave: Annotated[bool, typer.Option("--exit", help="Leave when the story has ended.")] = False,
) -> int:
    """Watch a model live through real nights in a real Airflow, on the flights of 2013."""
    del session
    return _launch("demo", *(["--exit"] if leave else []))


def up(session: Session) -> int:
    """Start Airflow and MLflow on your own models, in the background."""
    del session
    return _launch("up")


def down(
    session: Session,
    of: Annotated[str, typer.Option("--of", help="Whose Airflow to stop: live or demo.")] = "live",
) -> int:
    """Stop what `up` or `demo` started, and wait until no process is left."""
    del session
    return _launch("down", "--home", of)


def _launch(*words: str) -> int:
    process = subprocess.Popen([sys.executable, "-m", LAUNCH, *words], cwd=CHECKOUT)  # noqa: S603  our own module
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it heard the same signal and ends its processes first
