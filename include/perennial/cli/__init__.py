"""``perennial``: everything that the DAGs do, and every question about a model, from the command line.

One file a command or small group of them; ``main`` is what ``.venv/bin/perennial`` calls. Commands import what
they need when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from perennial.cli import (
    alerting,
    asking,
    backtesting,
    bringing,
    catalogues,
    deciding,
    declaring,
    finding,
    labelling,
    launching,
    mistakes,
    performing,
    promoting,
    recounting,
    reproducing,
    running,
    screen,
    steering,
    watch_test,
)
from perennial.cli.session import in_paragraphs

MISUSE = 2
PARTS = (
    launching,
    declaring,
    bringing,
    running,
    asking,
    recounting,
    performing,
    backtesting,
    reproducing,
    promoting,
    deciding,
    finding,
    labelling,
    steering,
    watch_test,
    alerting,
    catalogues,
)
"""Modules with commands, in the order of the help."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if words is None else words)
    as_json = "--json" in given
    screen.ready()
    try:
        return _application()(args=given, prog_name="perennial", standalone_mode=False) or 0
    except TyperException as mistake:
        return _misuse(mistake, as_json=as_json)
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return mistakes.told(KeyboardInterrupt(), as_json=as_json)
    except Exception as mistake:  # noqa: BLE001  the last place where a mistake can be told
        return mistakes.told(mistake, as_json=as_json)
    finally:
        screen.flush()


def _application() -> typer.Typer:
    application = typer.Typer(
        name="perennial",
        add_completion=True,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback(help=in_paragraphs(perennial))(perennial)
    for part in PARTS:
        part.declare(application)
    return application


def perennial() -> None:
    """Look after models that live for years: from the first table to the nightly run, and back.

    Data goes to stdout, talk to stderr. The exit status is 0 when all is well, 1 when the answer is no, 2 for
    misuse, 3 for what does not exist, 4 for what cannot be reached, 5 for what the machine refuses, 130 when
    interrupted.
    """


def _misuse(mistake: TyperException, *, as_json: bool) -> int:
    """Tell of a word that the command line does not know, with the nearest one."""
    if type(mistake).__name__ == "NoArgsIsHelpError":
        return 0  # the help has been shown
    message = getattr(mistake, "format_message", lambda: str(mistake))()
    status = getattr(mistake, "exit_code", MISUSE)
    if as_json:
        screen.show_json({"error": {"code": "PER-1004", "status": status, "message": message}})
        return int(status)
    context = getattr(mistake, "ctx", None)
    asked = context.command_path if context is not None else "perennial"
    screen.say(f"{message}\nTry: {asked} --help")
    return int(status)
