"""The note of a run: what it decided, in a sentence, where Airflow lists runs and nobody has to open a task.

The scheduler calls this as a listener when a run ends; tasks cannot write a note, for they have no database. It reads
what the run's tasks returned, and whatever goes wrong in here leaves the run as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from airflow.sdk import get_current_context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

LONGEST = 1000
"""Characters that Airflow keeps of a note."""
SAID = "perennial_said"
"""XCom of a task that decides without returning what it decided."""
_log = logging.getLogger(__name__)


@hookimpl  # type: ignore[untyped-decorator]  # Airflow's types are not followed
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - Airflow's signature
    """Say what the run came to."""
    try:
        _leave_note(dag_run)
    except Exception as problem:  # noqa: BLE001 - a note is never worth a run
        _log.warning("The run %s has no note: %s", dag_run.run_id, type(problem).__name__)


def say(reason: str) -> None:
    """Leave what this task decided, where it returns something else or is skipped."""
    get_current_context()["ti"].xcom_push(SAID, {"reason": reason})


def sentence_of(returned: Iterable[object]) -> str | None:
    """Find the reason in what tasks returned, the newest first; none where none gave one.

    >>> sentence_of([{"rows": 3}, {"reason": "Quiet."}, {"reason": "Earlier."}])
    'Quiet.'
    """
    reasons = (each["reason"] for each in returned if isinstance(each, dict) and each.get("reason"))
    return next((str(reason)[:LONGEST] for reason in reasons), None)


def _leave_note(dag_run: DagRun) -> None:
    from airflow.utils.session import create_session
    from sqlalchemy.orm import object_session

    if "perennial" not in _tags(dag_run):
        return
    session = object_session(dag_run)
    if session is not None:  # the scheduler's own: another one would wait for it on an embedded database
        _write(dag_run, session)
        return
    with create_session() as own:
        _write(dag_run, own)


def _write(dag_run: DagRun, session: Session) -> None:
    from airflow.models.dagrun import DagRunNote

    with session.no_autoflush:
        told = sentence_of(_returned(dag_run, session))
        kept = session.get(DagRunNote, dag_run.id)
        if told and kept is None:
            note = DagRunNote(content=told)
            note.dag_run_id = dag_run.id
            session.add(note)
        elif told and kept is not None and kept.user_id is None:  # what a person wrote stays
            kept.content = told


def _tags(dag_run: DagRun) -> set[str]:
    return set(dag_run.dag.tags) if dag_run.dag is not None else set()


def _returned(dag_run: DagRun, session: Session) -> list[Any]:
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    asked = (
        select(XComModel)
        .where(
            XComModel.dag_id == dag_run.dag_id,
            XComModel.run_id == dag_run.run_id,
            XComModel.key.in_(("return_value", SAID)),
            XComModel.map_index < 0,  # what one of many says is not what the run decided
        )
        .order_by(XComModel.timestamp.desc())
    )
    return [XComModel.deserialize_value(kept) for kept in session.scalars(asked)]
