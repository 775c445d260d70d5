"""Where things can be seen: the page of an Airflow run, the MLflow run behind a task, the runs that followed.

Workers leave a task's MLflow address as an XCom while MLflow is at hand; the api-server only reads it when asked.
``plugins/perennial_links.py`` registers the links; without an address there is no link.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from perennial.workspace import Workspace

MLFLOW_LINK = "perennial_mlflow_run"
"""XCom with the address of the MLflow run that a task is about."""

ABOUT_A_VERSION = ("train", "evaluate", "deploy", "score", "rollback")
"""Kinds of DAGs whose tasks may be about a version."""

PICTURE = "picture"
"""What `monitor` returns of where its picture is: an MLflow run."""

ASKED_BY = "asked_by"
"""What `retrain` is told of the run of `monitor` that asked for it."""

FOLLOWING = ("train", "evaluate", "deploy")
"""Kinds that follow a ``retrain`` that goes ahead, in order."""


def run_page(dag_id: str, run_id: str) -> str:
    """Return the address of a run's page in Airflow."""
    return f"{_airflow_url()}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def task_page(dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> str:
    """Return the address of a task's page, with its log, in Airflow."""
    mapped = f"/mapped/{map_index}" if map_index is not None and map_index >= 0 else ""
    return f"{run_page(dag_id, run_id)}/tasks/{quote(task_id, safe='')}{mapped}"


def leave_mlflow_link(context: Mapping[str, Any], workspace: Workspace) -> None:
    """Keep the address of the MLflow run of the version that a task was about; none where it is about none."""
    model, _, kind = str(context["dag_run"].dag_id).partition(".")
    base = _mlflow_url()
    run_id = _mlflow_run(context, workspace, model, kind) if base else None
    if run_id:
        context["ti"].xcom_push(key=MLFLOW_LINK, value=workspace.registry.run_url(base, run_id))


def _mlflow_run(context: Mapping[str, Any], workspace: Workspace, model: str, kind: str) -> str | None:
    if kind == "monitor":
        return _returned(context).get(PICTURE)
    version = version_of(context) if kind in ABOUT_A_VERSION else None
    return workspace.registry.version(model, version).run_id if version else None


def _returned(context: Mapping[str, Any]) -> Mapping[str, Any]:
    ti = context["ti"]
    returned = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
    return returned if isinstance(returned, dict) else {}


def version_of(context: Mapping[str, Any]) -> str | None:
    """Find the version that a task tells of: in what its asset says, or in what it returned."""
    told = [event.extra.get("version") for event in _own_events(context)]
    told.append(_returned(context).get("version"))
    return next((str(version) for version in told if version), None)


def _own_events(context: Mapping[str, Any]) -> list[Any]:
    events = context["outlet_events"]
    return [events[outlet] for outlet in context["ti"].task.outlets]


class MlflowRun(BaseOperatorLink):  # type: ignore[misc]  # Airflow's types are not followed
    """From a task to the MLflow run of the version it made, judged, served or scored with."""

    name = "MLflow run"

    @property
    def xcom_key(self) -> str:
        """Where the worker left the address."""
        return MLFLOW_LINK

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address, or nothing."""
        from airflow.serialization.definitions.operatorlink import XComOperatorLink

        if ti_key.dag_id.rpartition(".")[2] not in (*ABOUT_A_VERSION, "monitor"):
            return ""
        left = XComOperatorLink(name=self.name, xcom_key=self.xcom_key)
        return str(left.get_link(operator, ti_key=ti_key))


class FollowingRun(BaseOperatorLink):  # type: ignore[misc]  # Airflow's types are not followed
    """From ``retrain`` to one of the three runs that follow when it goes ahead."""

    def __init__(self, kind: str) -> None:
        """Lead to the run of this kind."""
        self.kind = kind

    @property
    def name(self) -> str:
        """Label of the button."""
        return f"Run of {self.kind}"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  # Airflow's signature
        """Return the address of the run, or nothing as long as there is none."""
        model, _, kind = ti_key.dag_id.rpartition(".")
        if kind != "retrain":
            return ""
        run_id: str | None = f"retrain__{ti_key.run_id}"
        for earlier, later in pairwise(FOLLOWING):
            if earlier == self.kind or run_id is None:
                break
            run_id = _run_made_by(f"{model}.{earlier}", run_id, f"{model}.{later}")
        return (
            run_page(f"{model}.{self.kind}", run_id)
            if run_id and _exists(f"{model}.{self.kind}", run_id)
            else ""
        )


class AskingRun(BaseOperatorLink):  # type: ignore[misc]  # Airflow's types are not followed
    """From ``retrain`` back to the run of ``monitor`` that asked for it."""

    name = "Run of monitor"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  # Airflow's signature
        """Return the address of the run, or nothing where a person asked."""
        model, _, kind = ti_key.dag_id.rpartition(".")
        run_id = _conf(ti_key.dag_id, ti_key.run_id).get(ASKED_BY) if kind == "retrain" else None
        asked = f"{model}.monitor"
        return run_page(asked, run_id) if run_id and _exists(asked, run_id) else ""


def _conf(dag_id: str, run_id: str) -> Mapping[str, Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asked = select(DagRun.conf).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        return session.scalar(asked) or {}


def _run_made_by(dag_id: str, run_id: str, wanted: str) -> str | None:
    """Find the run of ``wanted`` that an asset of that run started."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    told = select(AssetEvent).where(AssetEvent.source_dag_id == dag_id, AssetEvent.source_run_id == run_id)
    with create_session() as session:
        made = [
            run for event in session.scalars(told) for run in event.created_dagruns if run.dag_id == wanted
        ]
        return str(made[-1].run_id) if made else None


def _exists(dag_id: str, run_id: str) -> bool:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalar(select(DagRun.id).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        return found is not None


def _airflow_url() -> str:
    from airflow.configuration import conf

    told = os.environ.get("PERENNIAL_AIRFLOW_URL") or conf.get("api", "base_url", fallback="")
    return (told or "http://localhost:8080").rstrip("/")


def _mlflow_url() -> str:
    """Return where MLflow's pages are; empty where only its database is known."""
    tracking = os.environ.get("MLFLOW_TRACKING_URI", "")
    told = os.environ.get("PERENNIAL_MLFLOW_URL") or (tracking if tracking.startswith("http") else "")
    return told.rstrip("/")
