"""Start a keeper and wait until its Airflow is healthy; stop it and wait until nothing is left.

The command line uses this from outside, in the foreground (the keeper dies with it) or for ``up`` (it
stays). A home whose last keeper was killed is swept before it is used again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from perennial_airflow.launch import environment, offspring
from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import AlreadyRunningError, DidNotStartError

HEALTHY_WITHIN_SECONDS = 180.0
GONE_WITHIN_SECONDS = 30.0
_TICK = 0.1

Progress = Callable[[str], None]


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal; raised in the main thread of the launcher."""


@dataclass(frozen=True)
class Kept:
    """What a keeper last wrote about itself."""

    phase: str
    pid: int
    began: int
    boot: str
    services: dict[str, int]

    @property
    def alive(self) -> bool:
        """Tell whether that very keeper still runs (not another process with its number)."""
        if self.boot != offspring.boot():
            return False
        found = offspring.process(self.pid)
        return found is not None and found.began == self.began and found.state not in "ZX"

    @property
    def leftovers(self) -> list[offspring.Process]:
        """List what a killed keeper left behind."""
        if self.boot != offspring.boot():
            return []
        return offspring.members(self.services.values(), since=self.began)


def kept(home: Path) -> Kept | None:
    """Return the last keeper's own account, or nothing when there never was one."""
    try:
        return Kept(**json.loads((home / "keeper.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def running(launch: Launch, on_phase: Progress = lambda _: None) -> Iterator[None]:
    """Run Airflow and MLflow for the length of a block; afterwards no process of them is left.

    Raises:
        AlreadyRunningError: another launch uses this home.
        DidNotStartError: a part ended, or was not healthy in time; the message names its log.
    """
    sweep(launch.home)
    reading, writing = os.pipe()
    with signals_interrupt():
        keeper = _spawn(launch, reading)
        try:
            os.close(reading)
            wait_until_healthy(launch, keeper, on_phase)
            yield
        finally:
            with _patience(keeper):
                os.close(writing)
                keeper.wait()


def start_in_background(launch: Launch, on_phase: Progress = lambda _: None) -> None:
    """Start Airflow and MLflow so that they outlive this process; ``stop`` ends them.

    Raises:
        AlreadyRunningError: they run already.
        DidNotStartError: a part ended, or was not healthy in time; nothing is left running.
    """
    sweep(launch.home)
    with signals_interrupt():
        keeper = _spawn(launch, None)
        try:
            wait_until_healthy(launch, keeper, on_phase)
        except BaseException:
            keeper.terminate()
            keeper.wait()
            raise


def stop(home: Path) -> bool:
    """Stop what runs in this home and wait until nothing is left; return whether anything ran."""
    account = kept(home)
    ran = account is not None and account.alive
    if account is not None and account.alive:
        with suppress(ProcessLookupError):
            os.kill(account.pid, signal.SIGTERM)
        _wait_until_gone(account)
    sweep(home)
    return ran


def sweep(home: Path) -> None:
    """End what an interrupted launch of this home left behind.

    Raises:
        AlreadyRunningError: the launch is not a leftover, it runs.
    """
    account = kept(home)
    if account is None:
        return
    patience = time.monotonic() + 2  # a launcher killed this moment: its keeper is about to notice
    while account is not None and account.alive and account.phase != "stopping":
        if time.monotonic() > patience:
            raise AlreadyRunningError(home)
        time.sleep(_TICK)
        account = kept(home)
    if account is not None:
        _wait_until_gone(account)
        offspring.kill(account.leftovers)


def wait_until_healthy(
    launch: Launch, keeper: subprocess.Popen[bytes], on_phase: Progress = lambda _: None
) -> None:
    """Wait for the keeper's phases, then for Airflow's own word that each of its parts is healthy."""
    deadline, told = time.monotonic() + HEALTHY_WITHIN_SECONDS, ""
    while time.monotonic() < deadline:
        account = kept(launch.home)
        if keeper.poll() is not None:
            raise DidNotStartError(launch.home, account.phase if account else "the keeper ended")
        if account and account.pid == keeper.pid and account.phase != told:
            told = account.phase
            on_phase(told)
        if told == "running" and is_healthy(launch):
            return
        time.sleep(_TICK)
    raise DidNotStartError(launch.home, f"not healthy within {HEALTHY_WITHIN_SECONDS:.0f} seconds")


def is_healthy(launch: Launch) -> bool:
    """Ask Airflow for the health of its database, scheduler, triggerer and dag-processor."""
    try:
        answer = httpx.get(f"{launch.airflow_url}/api/v2/monitor/health", trust_env=False, timeout=2)
        parts: dict[str, dict[str, Any]] = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return False
    return all(part["status"] == "healthy" for part in parts.values())


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into ``Interrupted`` for the length of a block."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _patience(keeper: subprocess.Popen[bytes]) -> Iterator[None]:
    """While stopping, pass further signals on: the keeper hurries, and this process still waits."""

    def hurry(_number: int, _frame: FrameType | None) -> None:
        for _ in range(2):
            with suppress(ProcessLookupError):
                keeper.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hurry)
    yield


def _spawn(launch: Launch, control: int | None) -> subprocess.Popen[bytes]:
    words = [str(launch.home), "-" if control is None else str(control)]
    with (launch.logs / "keeper.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", "perennial_airflow.launch.keeper", *words],
            env=environment.variables(launch),
            cwd=launch.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[] if control is None else [control],
            start_new_session=True,
        )


def _wait_until_gone(account: Kept) -> None:
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while account.alive:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(account.pid, signal.SIGKILL)
        time.sleep(_TICK)
