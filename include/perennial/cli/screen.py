"""What a command shows: data on stdout, talk on stderr, both plain where nobody looks at a terminal.

A reader that has had enough (``| head``) ends the output, not the work: the exit status stays the command's own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
PIPED_WIDTH = 200
"""Columns where output goes to a file or pipe: nobody's screen is there to be filled."""


def ready() -> None:
    """Make sure that printing cannot fail: closed streams lead nowhere, unknown letters are spelled out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  lives as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Tell a person something that is no data."""
    _survive(sys.stderr, lambda: _console(sys.stderr).print(text, markup=False, soft_wrap=True))


def show(text: str) -> None:
    """Print data for people."""
    _survive(sys.stdout, lambda: _console(sys.stdout).print(text, markup=False, soft_wrap=True))


def show_json(value: Json, *, one_line: bool = False) -> None:
    """Print data for programs: keys in a fixed order, one object, or one a line."""
    indent = None if one_line else 2
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    _survive(sys.stdout, lambda: sys.stdout.write(f"{text}\n"))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their names, the last column taking the space that is left."""
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _survive(sys.stdout, lambda: _console(sys.stdout).print(table))


def progress(steps: Sequence[T], about: str) -> Iterator[T]:
    """Go through the steps of a long work, with a bar for whoever looks at a terminal."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from rich.progress import track

    yield from track(steps, description=about, console=_console(sys.stderr), transient=True)


def flush() -> None:
    """Bring out what is still held back."""
    _survive(sys.stdout, lambda: None)
    _survive(sys.stderr, lambda: None)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False)


def _cell(value: object) -> Any:
    from rich.text import Text

    return Text("" if value is None else str(value))


def _survive(stream: TextIO, write: Callable[[], object]) -> None:
    """Write; when nobody reads any more, send what follows nowhere."""
    try:
        write()
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
