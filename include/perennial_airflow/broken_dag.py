"""A DAG for what cannot be run: red by itself, with the error and its fix on its page, and alone.

Used for a folder that cannot be read, and for a DAG that cannot be built although its folder can.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, dag, task

from perennial.errors import PerennialError
from perennial_airflow.callbacks import HOOKS


def broken_dag(dag_id: str, *, what: str, page: str, error: str) -> DAG:
    """Declare a DAG that runs once by itself and fails with ``error``; ``what`` is its one-line description."""
    model = dag_id.partition(".")[0]

    @dag(  # type: ignore[untyped-decorator]
        dag_id=dag_id,
        schedule="@once",
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=dict(HOOKS),
        tags=["perennial", "broken", f"model:{model}"],
        description=what[:200],
        doc_md=f"# {model} is broken\n\n{page}\n\n```\n{error}\n```",
    )
    def broken() -> None:
        @task(retries=0)  # type: ignore[untyped-decorator]
        def read_folder() -> None:
            raise PerennialError(error)

        read_folder()

    return broken()
