"""What every command is given: the project it works on, and how it answers.

``command`` declares one: it adds the options that all commands share, and the examples that its help shows.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perennial.cli import screen
from perennial.clock import Night, night
from perennial.errors import NoNightYetError
from perennial.facts.evidence import Json

if TYPE_CHECKING:
    from perennial.workspace import Workspace

Answer = Callable[[], object]
"""Shows an answer to a person."""

ModelName = Annotated[str, typer.Argument(help="Name of the model: its folder below include/models.")]
NightOption = Annotated[
    str | None,
    typer.Option(
        "--night", help="The night, as its date (2013-05-12); by default the newest that is closed."
    ),
]
NightArgument = Annotated[str, typer.Argument(help="The night, as its date (2013-05-12).", metavar="NIGHT")]
Reason = Annotated[str, typer.Option("--reason", help="Why: this sentence stays in the ledger.")]
Actor = Annotated[
    str | None, typer.Option("--actor", help="Who decides; by default the user of this machine.")
]


@dataclass(frozen=True)
class Session:
    """One call of the command line."""

    as_json: bool
    """Whether the answer is for a program."""
    project: Path | None
    home: Path | None

    @cached_property
    def workspace(self) -> Workspace:
        """The project: the one that was named, the one we stand in, or the one this package lies in."""
        from perennial.workspace import Workspace

        return Workspace.open(home=self.home, project=self.project or _project_here())

    @property
    def prepared(self) -> Workspace:
        """The project with a registry to write to: made on the first use, whole and once."""
        from perennial.registry.database import create_database

        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # its progress is no answer of ours
        workspace = self.workspace
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            create_database(workspace.home / "mlflow" / "mlflow.db")
        return workspace

    def answer(self, plain: Json, person: Answer | str) -> None:
        """Give the answer: as JSON if that was asked for, else as a person reads it."""
        if self.as_json:
            screen.show_json(plain)
        elif isinstance(person, str):
            screen.show(person)
        else:
            person()

    def tell(self) -> None:
        """Carry what was recorded to the model's channels, as a run of Airflow does after each task."""
        from perennial.engine.connections import address_or_nothing
        from perennial.stages.telling import tell

        report = tell(self.workspace, address_or_nothing)
        for name, problem in report.silent.items():
            screen.say(f"The channel {name} did not take an alert: {problem} It is kept and tried again.")

    def night(self, model: str, given: str | None) -> Night:
        """Return the night that was given, or the newest closed one of the model."""
        from perennial.stages import datasets

        self.workspace.folder(model)
        if given is not None:
            return night(given)
        closed = self.workspace.store.keys(datasets.nights(model))
        if not closed:
            raise NoNightYetError(model)
        return closed[-1]


def actor_or_user(actor: str | None) -> str:
    """Name who decides: the one given, else the user of this machine."""
    import getpass

    if actor and actor.strip():
        return actor.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "an operator"  # a container's user need not have a name


def command(
    group: typer.Typer, name: str, *examples: str, bare: bool = False
) -> Callable[[Callable[..., int | None]], None]:
    """Declare a command; its function takes a ``Session`` first and returns an exit status or nothing.

    A ``bare`` one is what the group's own name does where no command of it follows.
    """

    def declare(function: Callable[..., int | None]) -> None:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]

        @functools.wraps(function)
        def run(**given: Any) -> int | None:
            shared = {name: given.pop(f"{name}_") for name in ("as_json", "project", "home")}
            context = given.pop("context_", None)
            if context is not None and context.invoked_subcommand:
                return None
            try:
                return function(Session(**shared), **given)
            except KeyboardInterrupt as stop:
                raise typer.Abort from stop  # else Typer makes a bare status of it

        parameters = [*(each.replace(kind=each.KEYWORD_ONLY) for each in own), *_SHARED]
        parameters += [_shared("context", typer.Context, inspect.Parameter.empty)] if bare else []
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        if bare:
            group.callback(invoke_without_command=True, help=_help(function, examples))(run)
        else:
            group.command(name, help=_help(function, examples))(run)

    return declare


def _help(function: Callable[..., object], examples: tuple[str, ...]) -> str:
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{in_paragraphs(function)}\n\n\b\nExamples:\n{lines}"


def in_paragraphs(function: Callable[..., object]) -> str:
    """Return a docstring with one line a paragraph: the terminal breaks it where it is wide."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _shared(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(
        f"{name}_", inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


_PANEL = "For every command"
_SHARED = (
    _shared(
        "as_json",
        Annotated[bool, typer.Option("--json", help="Answer in JSON.", rich_help_panel=_PANEL)],
        default=False,
    ),
    _shared(
        "project",
        Annotated[
            Path | None,
            typer.Option("--project", help="Folder that holds include/models.", rich_help_panel=_PANEL),
        ],
        default=None,
    ),
    _shared(
        "home",
        Annotated[
            Path | None,
            typer.Option("--home", help="Folder of the state.", rich_help_panel=_PANEL),
        ],
        default=None,
    ),
)


def _project_here() -> Path | None:
    """Find the project that this folder lies in, unless the environment names one."""
    if os.environ.get("PERENNIAL_PROJECT"):
        return None
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "include" / "models").is_dir()), None)
