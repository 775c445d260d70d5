"""This model's folder cannot be read, so none of its DAGs exist. All other models run as usual.

The error below names the file, the line, the field, the value and the fix. Correct the file: this DAG goes away
and the model's own DAGs appear. Until then it runs once by itself and stays red, so that nobody overlooks it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import include_path  # noqa: F401 - finds include/ in any Airflow
from airflow.sdk import dag, task
from perennial.errors import PerennialError
from perennial.spec.compiled import BrokenFacts
from perennial_airflow.models import each_broken


def build(model: BrokenFacts) -> None:
    """Declare `<model>.broken`."""

    @dag(
        dag_id=f"{model.name}.broken",
        schedule="@once",
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        catchup=False,
        tags=["perennial", "broken", f"model:{model.name}"],
        description=f"{model.name} cannot be read: {model.first_problem}"[:200],
        doc_md=f"# {model.name} is broken\n\n{__doc__}\n\n```\n{model.error}\n```",
    )
    def broken() -> None:
        @task
        def read_folder() -> None:
            raise PerennialError(model.error)

        read_folder()

    broken()


each_broken(build)
