"""Airflow's REST API as far as the story and the tests need it.

SQLite sometimes drops a request while tasks start: it then answers 500 after five seconds, and the
run does not exist. Every change here carries a name of its own, so it can be sent again until it is there.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import NotDoneError

_ATTEMPTS = 8
_PAUSE_SECONDS = 0.5
_SERVER_FAULT, _CONFLICT, _UNAUTHORISED, _NOT_FOUND = 500, 409, 401, 404
FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class Run:
    """One DAG run: which DAG, its id, the night it is for, its state, its own times (ISO, UTC)."""

    dag_id: str
    run_id: str
    night: str | None
    state: str
    start: str | None
    end: str | None

    @property
    def finished(self) -> bool:
        """Tell whether the run has come to an end, good or bad."""
        return self.state in FINISHED


class Airflow:
    """A session with one Airflow; sends again what a busy database dropped."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Remember who asks; the token is fetched at the first request."""
        self._login = {"username": user, "password": password}
        # No proxy of the environment may stand between this process and its own machine.
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    @classmethod
    def of(cls, launch: Launch) -> Airflow:
        """Open a session with a launched Airflow."""
        return cls(launch.airflow_url, "admin", launch.password)

    def __enter__(self) -> Self:
        """Return the session; it is closed at the end of the block."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, path: str, *, fine: Collection[int] = (), **request: Any) -> Any:
        """Send a request to ``/api/v2``, again when the server faltered; return the JSON answer.

        Args:
            method: the HTTP method.
            path: below ``/api/v2``.
            fine: statuses that mean the thing asked for is so already; the answer is then ``None``.
            request: what httpx takes: ``json``, ``params``.
        """
        seen = "no answer"
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._http.request(method, f"/api/v2{path}", **request)
            except httpx.TransportError as error:
                seen = repr(error)
            else:
                if answer.status_code in fine:
                    return None
                if answer.is_success:
                    return answer.json() if answer.content else None
                seen = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code == _UNAUTHORISED:
                    self._log_in()
                    continue
                if answer.status_code < _SERVER_FAULT:
                    break
            time.sleep(_PAUSE_SECONDS * (attempt + 1))
        raise NotDoneError(f"Airflow answered {method} {path} with {seen}")

    def trigger(
        self,
        dag_id: str,
        run_id: str,
        *,
        night: str | None = None,
        conf: dict[str, Any] | None = None,
    ) -> None:
        """Start a run under this id, for this night; a run of that id that is there already is fine."""
        body = {
            "dag_run_id": run_id,
            "logical_date": None,
            "partition_key": night,
            "conf": conf or {},
        }
        self.ask("POST", f"/dags/{dag_id}/dagRuns", json=body, fine={_CONFLICT})

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """Return one run, or nothing when there is none of that id."""
        found = self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}", fine={_NOT_FOUND})
        return None if found is None else _run(found)

    def runs(self, dag_id: str = "~", *, dag_prefix: str | None = None, **where: Any) -> list[Run]:
        """List runs, oldest first: of one DAG, or of all whose id begins with ``dag_prefix``."""
        params = {"limit": 100, "order_by": "id", **where}
        if dag_prefix is not None:
            params["dag_id_prefix_pattern"] = dag_prefix
        found: list[Run] = []
        while True:
            page = self.ask("GET", f"/dags/{dag_id}/dagRuns", params={**params, "offset": len(found)})
            found += [_run(one) for one in page["dag_runs"]]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found

    def wait(self, dag_id: str, run_id: str, *, seconds: float = 300) -> Run:
        """Wait until a run has ended, and return it; its state says how it ended."""
        deadline, found = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            found = self.run(dag_id, run_id)
            if found is not None and found.finished:
                return found
            time.sleep(_PAUSE_SECONDS)
        raise NotDoneError(f"{dag_id} did not end its run {run_id} in {seconds:.0f} s: {found}")

    def caused_by(self, dag_id: str, run_id: str) -> list[tuple[str, str]]:
        """List the runs, DAG and id, that followed from what a run published."""
        where = {"source_dag_id": dag_id, "source_run_id": run_id, "limit": 100}
        events = self.ask("GET", "/assets/events", params=where)["asset_events"]
        return [(one["dag_id"], one["run_id"]) for event in events for one in event["created_dagruns"]]

    def begin_again(self, run: Run) -> None:
        """Let a run that was cut off, or failed, run once more from its beginning."""
        self._fail(run)
        self.ask("POST", f"/dags/{run.dag_id}/dagRuns/{run.run_id}/clear", json={"dry_run": False})

    def forget(self, run: Run) -> None:
        """Remove a run that was cut off, or failed, so that it can be started anew under its name."""
        self._fail(run)
        self.ask("DELETE", f"/dags/{run.dag_id}/dagRuns/{run.run_id}", fine={_NOT_FOUND})

    def _fail(self, run: Run) -> None:
        """Fail a run whose tasks still count as running though their processes are gone."""
        if not run.finished:
            self.ask("PATCH", f"/dags/{run.dag_id}/dagRuns/{run.run_id}", json={"state": "failed"})

    def dags(self, *, tag: str | None = None) -> list[str]:
        """List the ids of the DAGs that Airflow has read, with this tag if one is given."""
        params: dict[str, Any] = {"limit": 1000} | ({"tags": [tag]} if tag else {})
        return [one["dag_id"] for one in self.ask("GET", "/dags", params=params)["dags"]]

    def wait_for_dags(self, wanted: Collection[str], *, seconds: float = 60) -> None:
        """Wait until Airflow has read these DAGs; fail with its import errors when it cannot."""
        deadline = time.monotonic() + seconds
        missing = set(wanted)
        while time.monotonic() < deadline:
            missing = set(wanted) - set(self.dags())
            if not missing:
                return
            time.sleep(_PAUSE_SECONDS)
        raise NotDoneError(f"Airflow has no {sorted(missing)}; import errors: {self.import_errors()}")

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """List the task instances of a run as Airflow describes them."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self.ask("GET", path, params={"limit": 1000})["task_instances"]
        return found

    def import_errors(self) -> dict[str, str]:
        """Return what Airflow could not import: file and last line of the stack trace."""
        found = self.ask("GET", "/importErrors", params={"limit": 100})["import_errors"]
        return {one["filename"]: one["stack_trace"].strip().rpartition("\n")[2] for one in found}

    def _log_in(self) -> None:
        answer = self._http.post("/auth/token", json=self._login)
        if answer.is_success:
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _run(answer: dict[str, Any]) -> Run:
    return Run(
        dag_id=answer["dag_id"],
        run_id=answer["dag_run_id"],
        night=answer.get("partition_key"),
        state=answer["state"],
        start=answer["start_date"],
        end=answer["end_date"],
    )
