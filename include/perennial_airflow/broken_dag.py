"""A DAG for what cannot be run: red by itself, with the error and its fix on its page, and alone.

Used for a folder that cannot be read, and for a DAG that cannot be built although its folder can. Its clock strikes
once, when the error is new: what is mended and breaks again, or breaks otherwise, is red again.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from airflow.sdk import DAG, dag, task

# The EventsTimetable of the sdk cannot be read back (Airflow PR 69401).
from airflow.timetables.events import EventsTimetable

from perennial.errors import PerennialError
from perennial_airflow.breakages import since
from perennial_airflow.callbacks import HOOKS

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
SPECIAL, ESCAPED = re.compile(r"[\\`*_{}\[\]<>#|~&]"), r"\\\g<0>"
"""What Markdown would take for its own, and how it is kept from that."""


def broken_dag(dag_id: str, *, what: str, page: str, error: str) -> DAG:
    """Declare a DAG that runs by itself, once for each new ``error``, and fails with it.

    ``what`` is its one-line description.
    """
    model = dag_id.partition(".")[0]

    @dag(  # type: ignore[untyped-decorator]
        dag_id=dag_id,
        schedule=EventsTimetable([since(dag_id, error)], description="once for each new error"),
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        catchup=True,  # the moment has passed when the scheduler hears of it
        max_active_runs=1,
        default_args={**HOOKS, "owner": "perennial"},
        tags=["perennial", "broken", f"model:{model}"],
        description=what[:200],
        doc_md=f"# {model} is broken\n\n{page}\n\n{_lines(error)}",
    )
    def broken() -> None:
        @task(retries=0)  # type: ignore[untyped-decorator]
        def read_folder() -> None:
            raise PerennialError(error)

        read_folder()

    return broken()


def _lines(error: str) -> str:
    """List an error line by line, as plain text: Airflow's pages run fenced lines together, and clip code's ``_``."""
    told = [line for line in error.splitlines() if line.strip()]
    indented = [line.lstrip().rjust(len(line), NO_BREAK_SPACE) for line in told]
    return "\n".join(f"- {SPECIAL.sub(ESCAPED, line)}" for line in indented)
