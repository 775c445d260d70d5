"""Find what people changed by hand in MLflow, for all models, and undo it or adopt it as each model declares.

Runs by itself every five minutes; the environment variable `PERENNIAL_RECONCILE` holds another cron expression, or
`never`. One run looks at every model: aliases, tags, deleted versions, changed or vanished bytes.

**Ends with** one line in the ledger and one alert for each change found; usually there is none. Nobody is answered
by a changed registry meanwhile: scoring goes by the ledger and by the hash of the bytes.

**If it fails**, a model could not be looked at, and the log says which and why; all others were. Most often MLflow
cannot be reached, or its database is gone: `perennial ledger rebuild-registry`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from airflow.sdk import DAG, task

import include_path  # noqa: F401 - finds include/ in any Airflow
from perennial_airflow.callbacks import fails
from perennial_airflow.connections import open_workspace
from perennial_airflow.model_dag import ARGUMENTS, Report

SCHEDULE = os.environ.get("PERENNIAL_RECONCILE", "*/5 * * * *")


@task
def reconcile() -> Report:
    """Look at every model, and say what was put right."""
    from perennial.errors import NotReconciledError
    from perennial.stages.reconcile import reconcile_all

    done, failed = reconcile_all(open_workspace())
    if failed:
        raise NotReconciledError(failed)
    return {model: [entry.reason for entry in entries] for model, entries in done.items() if entries}


with DAG(
    "perennial.reconcile",
    schedule=None if SCHEDULE == "never" else SCHEDULE,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    description="Finds changes by hand in the registry, and undoes or adopts them.",
    tags=["perennial", "kind:reconcile"],
    doc_md=f"# Reconcile\n\n{__doc__}",
    default_args={**ARGUMENTS, "owner": "perennial", "retries": 1},
    on_failure_callback=fails,
):
    reconcile()
