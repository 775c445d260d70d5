"""Starts a launched Airflow for a test as a process of its own, so that the test can kill it."""

import sys
import time
from pathlib import Path

from perennial_airflow.launch import environment, processes, rest

ROOT = Path(__file__).parents[2]


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(home: Path, dags: Path) -> None:
    """Start, say each phase on a line, run the DAG `nightly` for one night, then wait to be ended."""
    launch = environment.prepare(ROOT, home, dags=dags, plugins=home / "plugins")
    with processes.running(launch, say):
        with rest.Airflow.of(launch) as airflow:
            airflow.wait_for_dags(["nightly", "following"])
            airflow.trigger("nightly", "first", night="2013-05-12")
            run = airflow.wait("nightly", "first")
            say(f"nightly {run.state} {run.night}")
            while not (following := airflow.runs("following")) or not following[0].finished:
                time.sleep(0.2)
            say(f"following {following[0].state} {following[0].night}")
        sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
