"""The runs a story is made of, each under a name of its own: started once, waited for, never done twice.

``story`` says which and in what order; here is how one run, a night's three or all that a request for a
new model brings about are seen through, also when an earlier telling was cut off in their middle.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from perennial_airflow.launch.errors import NotDoneError
from perennial_airflow.launch.rest import Airflow, Run

NIGHTLY = ("validate", "features", "score")
STARTED_HERE = ("history", "night", "monitor", "first")
"""First words of the names of runs that the story starts; all others follow from these."""
WITHIN_SECONDS = 600.0
_TICK = 0.3

Answer = TypeVar("Answer")
Watching = Callable[[str], None]
"""Is told, while something runs, what runs."""


@dataclass(frozen=True)
class Runs:
    """The runs of one model in one Airflow."""

    airflow: Airflow
    model: str
    watching: Watching

    def go_on(self) -> int:
        """Begin again what an earlier telling left unfinished or failed; return how many runs that are."""
        left = [
            run
            for run in self.airflow.runs(dag_prefix=f"{self.model}.")
            if run.state in ("running", "failed")
        ]
        for run in left:
            if run.run_id.partition("__")[0] in STARTED_HERE:
                self.airflow.forget(run)
            else:
                self.airflow.begin_again(run)
        return len(left)

    def pass_through(
        self, kind: str, run_id: str, *, night: str | None = None, conf: dict[str, Any] | None = None
    ) -> Run:
        """Start a run unless it is there, and wait until it has succeeded."""
        self._start(kind, run_id, night, conf)
        return self.see_through(kind, run_id)

    def see_through(self, kind: str, run_id: str) -> Run:
        """Wait until a run has succeeded.

        Raises:
            NotDoneError: it failed, or did not end in time.
        """
        dag_id = f"{self.model}.{kind}"
        return self._until(
            lambda: _done(self.airflow.run(dag_id, run_id)),
            f"{kind} ({run_id})",
            doing=lambda: self._at(dag_id, run_id),
        )

    def take_in(self, run_id: str, night: str, *, conf: dict[str, Any] | None = None) -> dict[str, Run]:
        """Validate a night under its key and wait until its features and scores have followed."""
        self._start("validate", run_id, night, conf)
        return self.wait_for_night(night)

    def wait_for_night(self, night: str) -> dict[str, Run]:
        """Wait until a night's rows, features and scores are there, whoever started it."""
        return self._until(lambda: self._nightly(night), f"the night {night}", doing=lambda: f"{night}")

    def triggered(self, kind: str, run_id: str, task: str) -> bool:
        """Tell whether a run started another through its task of that name."""
        states = {one["task_id"]: one["state"] for one in self.airflow.tasks(f"{self.model}.{kind}", run_id)}
        return states.get(task) == "success"

    def follower(self, run: Run, kind: str) -> Run:
        """Wait for the run of ``kind`` that follows from what a run published, and see it through."""
        dag_id = f"{self.model}.{kind}"

        def followed() -> str | None:
            caused = dict(self.airflow.caused_by(run.dag_id, run.run_id))
            return caused.get(dag_id)

        run_id = self._until(followed, f"{kind} after {run.run_id}", doing=lambda: kind)
        return self.see_through(kind, run_id)

    def _start(self, kind: str, run_id: str, night: str | None, conf: dict[str, Any] | None) -> None:
        if self.airflow.run(f"{self.model}.{kind}", run_id) is None:
            self.airflow.trigger(f"{self.model}.{kind}", run_id, night=night, conf=conf)

    def _nightly(self, night: str) -> dict[str, Run] | None:
        found = self.airflow.runs(dag_prefix=f"{self.model}.", partition_key_prefix_pattern=night)
        newest = {run.dag_id.removeprefix(f"{self.model}."): run for run in found if run.night == night}
        chain = [newest.get(kind) for kind in NIGHTLY]
        done = [
            _done(run) for run in chain
        ]  # every one is looked at: a failed one must not wait for the others
        return newest if all(done) else None

    def _at(self, dag_id: str, run_id: str) -> str:
        """Name what a run is doing now."""
        running = [one["task_id"] for one in self.airflow.tasks(dag_id, run_id) if one["state"] == "running"]
        return ", ".join([dag_id.rpartition(".")[2], *dict.fromkeys(running)])

    def _until(self, answer: Callable[[], Answer | None], what: str, *, doing: Callable[[], str]) -> Answer:
        deadline, asked = time.monotonic() + WITHIN_SECONDS, 0
        while time.monotonic() < deadline:
            found = answer()
            if found:
                return found
            asked += 1
            if asked % 4 == 0:  # every request takes its share of two cores from the tasks
                self.watching(doing())
            time.sleep(_TICK)
        raise NotDoneError(f"{self.model}: {what} did not end in {WITHIN_SECONDS:.0f} s")


def _done(run: Run | None) -> Run | None:
    if run is not None and run.state == "failed":
        raise NotDoneError(f"{run.dag_id} failed ({run.run_id})")
    return run if run is not None and run.state == "success" else None
