"""The process that owns a launched Airflow: it starts every part, and ends every part.

It runs in a session of its own, so that Ctrl-C reaches it only through its launcher. It holds the
reading end of a pipe: when the launcher dies, however it dies, the pipe closes and the keeper stops.
Airflow is imported once and forked, which halves the time and the memory of four separate starts.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from perennial_airflow.launch import offspring

SERVICES = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
GRACE_SECONDS = 6.0
_TICK = 0.1


class Stop(BaseException):
    """The launcher is gone or asked to stop; raised only where the keeper listens."""


class Keeper:
    """Owns the processes of one home; ``run`` returns when none of them is left."""

    def __init__(self, home: Path, control: int | None) -> None:
        """Remember the home and the pipe whose end means stop (none for a launch in the background)."""
        self.home, self.control = home, control
        self.services: dict[str, int] = {}
        self.asked = 0
        self.lock = os.open(home / "keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def run(self) -> int:
        """Start everything, wait for the end, stop everything; 0 unless a part ended by itself."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 3
        _empty(self.home / "tmp")
        offspring.adopt_orphans()
        offspring.die_with_parent()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)
        reason = "stopped"
        try:
            reason = self._start_and_watch()
        except Stop:
            pass
        except Exception as error:  # noqa: BLE001  whatever it was, nothing may stay behind
            traceback.print_exc()
            reason = f"could not start: {error}"
        self._say("stopping")
        self._end_all()
        self._say(reason)
        return 0 if reason == "stopped" else 1

    def _start_and_watch(self) -> str:
        self._say("creating databases")
        mlflow = self._fork("mlflow-database", _create_mlflow_database, self.home)
        migration = self._fork("migration", _airflow_command, ["db", "migrate"])
        self._finish("migration", migration)
        self._say("starting Airflow")
        for name, words in SERVICES.items():
            self.services[name] = self._fork(name, _airflow_command, words)
        self._finish("mlflow-database", mlflow)
        self.services["mlflow"] = self._fork("mlflow", _exec_mlflow)
        self._say("running")
        while True:
            self._listen()
            for name, status in self._ended():
                return f"{name} ended with {status}, see {self.home / 'logs' / name}.log"

    def _fork(self, name: str, work: Callable[..., object], *arguments: object) -> int:
        self._listen(0.0)
        log = self.home / "logs" / f"{name}.log"
        pid = os.fork()
        if pid == 0:
            os.close(self.lock)
            _become(log)
            _work_and_exit(work, *arguments)
        return pid

    def _finish(self, name: str, pid: int) -> None:
        while True:
            self._listen()
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended and status:
                msg = f"{name} failed, see {self.home / 'logs' / name}.log"
                raise RuntimeError(msg)
            if ended:
                return

    def _ended(self) -> list[tuple[str, int]]:
        names = {pid: name for name, pid in self.services.items()}
        gone = []
        with suppress(ChildProcessError):
            while (pair := os.waitpid(-1, os.WNOHANG))[0]:
                if pair[0] in names:
                    gone.append((names[pair[0]], os.waitstatus_to_exitcode(pair[1])))
        return gone

    def _listen(self, seconds: float = _TICK) -> None:
        """Wait a moment for the pipe to close or a signal to come, and stop if so."""
        with suppress(InterruptedError):
            readable = [] if self.control is None else [self.control]
            if select.select(readable, [], [], seconds)[0]:
                raise Stop
        if self.asked:
            raise Stop

    def _end_all(self) -> None:
        """Ask the workers, then the servers they report to; after the grace, kill what is left."""
        servers = {self.services.get("api-server"), self.services.get("mlflow")}
        children = [one for one in offspring.descendants(os.getpid()) if one.parent == os.getpid()]
        self._ask_to_end([one.pid for one in children if one.pid not in servers], GRACE_SECONDS)
        self._ask_to_end([one.pid for one in children if one.pid in servers], GRACE_SECONDS / 2)
        while remaining := offspring.descendants(os.getpid()):
            offspring.kill(remaining)
            self._ended()
            time.sleep(_TICK / 5)

    def _ask_to_end(self, pids: list[int], grace: float) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self.asked < 2 and time.monotonic() < deadline:  # noqa: PLR2004  asked twice: hurry
            self._ended()
            if not any(one.pid in pids for one in offspring.descendants(os.getpid())):
                return
            time.sleep(_TICK / 2)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1

    def _say(self, phase: str) -> None:
        me = offspring.process(os.getpid())
        state = {
            "phase": phase,
            "pid": os.getpid(),
            "began": me.began if me else 0,
            "boot": offspring.boot(),
            "services": self.services,
        }
        draft = self.home / ".keeper.json"
        draft.write_text(json.dumps(state))
        draft.replace(self.home / "keeper.json")


def _empty(folder: Path) -> None:
    """Remove what the tasks of the last launch left; only the keeper knows that none of them runs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _become(log: Path) -> None:
    """Turn a fork of the keeper into a part of its own: session, log, signals as at a fresh start."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)


def _work_and_exit(work: Callable[..., object], *arguments: object) -> NoReturn:
    status = 1
    try:
        work(*arguments)
        status = 0
    except SystemExit as leave:
        status = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException:  # noqa: BLE001  a fork must never run on into the keeper's own code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _airflow_command(words: list[str]) -> None:
    """Run one ``airflow`` command in this fork, as its command line would."""
    from airflow.cli import cli_parser

    sys.argv = ["airflow", *words]
    importlib.import_module("airflow_local_settings").preload(words)
    arguments = cli_parser.get_parser().parse_args(words)
    arguments.func(arguments)


def _create_mlflow_database(home: Path) -> None:
    from perennial.registry.database import create_database

    create_database(home / "mlflow" / "mlflow.db")


def _exec_mlflow() -> None:
    from perennial_airflow.launch import mlflow_boot

    os.nice(10)  # its pages are for looking; the first nights should not wait for them
    command = mlflow_boot.server_command(os.environ)
    os.execv(command[0], command)  # noqa: S606  our own words, no shell wanted


def main() -> int:
    """Keep the Airflow of the home given first; the second word is the number of the pipe, or ``-``."""
    home, control = Path(sys.argv[1]), sys.argv[2]
    keeper = Keeper(home, None if control == "-" else int(control))
    from airflow.cli import cli_parser

    cli_parser.get_parser()  # imported here once, for all forks
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
