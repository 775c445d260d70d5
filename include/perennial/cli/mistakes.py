"""Mistakes as a command tells them: one sentence on stderr, or one object on stdout with ``--json``; a status.

Only a fault of our own keeps its traceback, in a file that the message names.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path

from perennial.cli import screen
from perennial.errors import BrokenModelError, PerennialError
from perennial.facts.evidence import Json

UNREACHABLE, ENVIRONMENT, BUG, INTERRUPTED = 4, 5, 70, 130
_PASSWORD_IN_URL = re.compile(r"://[^\s/@]+@")


def told(mistake: BaseException, *, as_json: bool) -> int:
    """Tell what went wrong and return the exit status."""
    status, code, message = judged(mistake)
    if as_json:
        error: dict[str, Json] = {"code": code, "status": status, "message": message}
        if isinstance(mistake, BrokenModelError):
            error["problems"] = [asdict(problem) for problem in mistake.problems]
        screen.show_json({"error": error})
    else:
        screen.say(message if status == INTERRUPTED else f"{code}: {message}")
    return status


def judged(mistake: BaseException) -> tuple[int, str, str]:
    """Return status, code and sentence of a mistake."""
    if isinstance(mistake, PerennialError):
        return mistake.exit_code, mistake.code, str(mistake)
    if isinstance(mistake, KeyboardInterrupt):
        return (
            INTERRUPTED,
            "interrupted",
            "Stopped. What was published is whole; run the command again to go on.",
        )
    if _unreachable(mistake):
        return UNREACHABLE, "PER-9003", f"Something outside cannot be reached: {_first_line(mistake)}"
    if isinstance(mistake, OSError) and mistake.errno is not None:
        place = f" ({mistake.filename})" if mistake.filename else ""
        return (
            ENVIRONMENT,
            "PER-9001",
            f"The machine refuses: {mistake.strerror}{place}. Nothing was half-written.",
        )
    if isinstance(mistake, sqlite3.OperationalError):
        return ENVIRONMENT, "PER-9002", f"A database of the project cannot be used: {mistake}."
    return BUG, "PER-9999", _bug(mistake)


def _unreachable(mistake: BaseException) -> bool:
    """Tell by the names of its causes, so that no client library is imported to ask."""
    seen: BaseException | None = mistake
    while seen is not None:
        names = {each.__name__ for each in type(seen).__mro__}
        if names & {"ConnectionError", "NewConnectionError", "MaxRetryError", "TimeoutError", "gaierror"}:
            return True
        if "OperationalError" in names and type(seen).__module__.startswith("sqlalchemy"):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _first_line(mistake: BaseException) -> str:
    lines = str(mistake).splitlines() or [type(mistake).__name__]
    return _PASSWORD_IN_URL.sub("://***@", lines[0])


def _bug(mistake: BaseException) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="perennial-", suffix=".txt", delete=False) as file:
        file.writelines(traceback.format_exception(mistake))
    return (
        f"{type(mistake).__name__}: {_first_line(mistake)} That is a fault of Perennial, not yours. "
        f"Please report it with {Path(file.name)}."
    )
