"""A launched Airflow runs DAGs, and however its launcher ends, no process stays behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perennial_airflow.launch import offspring, processes
from perennial_airflow.launch.errors import AlreadyRunningError

ROOT = Path(__file__).parents[2]
DAGS = '''
"""An airflow dag and one that follows it by the same night."""
from airflow.sdk import Asset, CronPartitionTimetable, PartitionedAssetTimetable, dag, task

night = Asset("night")
clock = CronPartitionTimetable("0 2 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d")


@dag(schedule=clock)
def nightly():
    @task(outlets=[night])
    def publish():
        import sys
        assert "pandas" in sys.modules, "the scheduler did not preload"

    publish()


@dag(schedule=PartitionedAssetTimetable(assets=night))
def following():
    @task
    def read():
        return "read"

    read()


nightly()
following()
'''
ENDED_WITHIN_SECONDS = 25

pytestmark = pytest.mark.airflow


class Started:
    """A launcher in a process of its own, and everything that it started."""

    def __init__(self, home: Path, dags: Path) -> None:
        """Start it."""
        words = [sys.executable, str(ROOT / "tests" / "launch" / "launching.py"), str(home), str(dags)]
        shell = {**os.environ, "PYTHONPATH": str(ROOT / "include"), "AIRFLOW__CORE__EXECUTOR": "NoSuch"}
        self.home = home
        self.process = subprocess.Popen(
            words, env=shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_for(self, wanted: str) -> str:
        """Read what it says until a line begins with the wanted word."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith(wanted):
                return line.strip()
        raise AssertionError(f"it said {said} and never {wanted!r}")

    def family(self) -> list[offspring.Process]:
        """List the launcher's processes: itself, its keeper, and all below them."""
        account = processes.kept(self.home)
        keeper = [account.pid] if account else []
        return offspring.descendants(self.process.pid) + [
            one for pid in keeper for one in offspring.descendants(pid)
        ]

    def none_left(self, family: list[offspring.Process]) -> bool:
        """Wait until none of these processes lives."""
        deadline = time.monotonic() + ENDED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            now = {(one.pid, one.began) for one in offspring.processes() if one.state not in "ZX"}
            if not {(one.pid, one.began) for one in family} & now:
                return True
            time.sleep(0.1)
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Started]]:
    """Start launchers on one home; whatever a failed test left is ended."""
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "nightly.py").write_text(DAGS)
    launchers: list[Started] = []

    def begin() -> Started:
        launchers.append(Started(tmp_path / "home", dags))
        return launchers[-1]

    yield begin
    for one in launchers:
        one.process.kill()
        one.process.wait()
        processes.stop(one.home)


@pytest.mark.slow
def test_a_night_passes_and_nothing_is_left(start: Callable[[], Started]) -> None:
    """A run with a night's key succeeds, the DAG that follows it too; then every process has ended.

    Meanwhile a second launch of the same home is refused, and the ports 8080 and 5000 are not touched.
    """
    with socket.socket() as airflow, socket.socket() as mlflow:
        for owner, port in ((airflow, 8080), (mlflow, 5000)):
            owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            owner.bind(("127.0.0.1", port))
        launcher = start()
        assert launcher.wait_for("nightly") == "nightly success 2013-05-12"
        assert launcher.wait_for("following") == "following success 2013-05-12"
    with pytest.raises(AlreadyRunningError):
        processes.sweep(launcher.home)
    family = launcher.family()
    assert len(family) > 6
    launcher.process.communicate("\n", timeout=30)
    assert launcher.process.returncode == 0
    assert launcher.none_left(family)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["creating databases", "starting Airflow", "running"])
def test_an_interrupted_start_leaves_nothing(start: Callable[[], Started], phase: str) -> None:
    """Ctrl-C in any phase of the start ends everything before the launcher itself returns."""
    launcher = start()
    launcher.wait_for(phase)
    family = launcher.family()
    launcher.process.send_signal(signal.SIGINT)
    launcher.process.communicate(timeout=ENDED_WITHIN_SECONDS)
    account = processes.kept(launcher.home)
    assert account is not None
    assert not account.alive
    assert not account.leftovers
    assert launcher.none_left(family)


@pytest.mark.slow
def test_killed_launchers_and_keepers_leave_nothing(start: Callable[[], Started]) -> None:
    """SIGKILL of the launcher: its keeper stops all. SIGKILL of the keeper: the next start sweeps."""
    launcher = start()
    launcher.wait_for("running")
    family = launcher.family()
    launcher.process.kill()
    assert launcher.none_left(family)
    launcher = start()
    launcher.wait_for("running")
    account = processes.kept(launcher.home)
    assert account is not None
    family = launcher.family()
    os.kill(account.pid, signal.SIGKILL)
    launcher.process.wait(timeout=30)
    processes.sweep(launcher.home)
    assert launcher.none_left(family)
