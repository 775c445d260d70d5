"""The command line as its users meet it: its words go in, what it prints and its exit status come out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.projects import Project

# One project with a champion for all tests of stages and of the command line, made the same way.
from tests.stages.conftest import born as born  # noqa: PLC0414  a fixture is found by its name

from perennial.cli import main

INCLUDE = Path(__file__).parents[2] / "include"


@dataclass
class Answer:
    """What a call came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON: the whole of it."""
        return json.loads(self.out)


@pytest.fixture
def served(born: Project, tmp_path: Path) -> Project:
    """Copy the project with a champion, to do with it as a test likes."""
    return born.copied_to(tmp_path / "served")


@pytest.fixture
def perennial(capsys, monkeypatch):
    """Call the command line in this process, on a project."""
    for name in ("PERENNIAL_PROJECT", "PERENNIAL_HOME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str, of: Path | None = None) -> Answer:
        where = ["--project", str(of), "--home", str(of / "home")] if of else []
        capsys.readouterr()
        status = main([*words, *where])
        printed = capsys.readouterr()
        return Answer(status, printed.out, printed.err)

    return call


@pytest.fixture
def command():
    """Return the command line as a process of its own: its words, and its environment."""

    def words(*given: str) -> list[str]:
        return [sys.executable, "-m", "perennial.cli", *given]

    return words


@pytest.fixture
def environment() -> dict[str, str]:
    """Return an environment in which nothing is set for the project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PERENNIAL", "MLFLOW"))}
    return {**kept, "PYTHONPATH": str(INCLUDE)}


@pytest.fixture
def call(command, environment):
    """Run the command line as a process of its own and wait for its end."""

    def run(*words: str, cwd: Path | None = None, **more: str) -> Answer:
        done = subprocess.run(
            command(*words),
            cwd=cwd,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run
