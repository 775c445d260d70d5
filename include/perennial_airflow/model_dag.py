"""What every DAG of a model shares: its id, tags, page, retries, bounds and alerts.

None has an Airflow deadline: 3.3.2 answers 500 when a run with one is cleared, and clearing is how people mend a
night. That a night is late is found by ``monitor``, which runs on a clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Param

from perennial.spec.compiled import DagFacts
from perennial_airflow.callbacks import HOOKS, fails
from perennial_airflow.waiting import UNLESS_A_MISTAKE

Report: TypeAlias = object
"""What a task hands on: small JSON. Said this way because of a dict Airflow would store every key apart."""

ARGUMENTS: Mapping[str, Any] = {
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "retry_policy": UNLESS_A_MISTAKE,
    "show_return_value_in_logs": False,  # the log says the decision's sentence
    **HOOKS,
}
"""Default arguments of every task of every model."""


@contextmanager
def model_dag(
    model: DagFacts,
    *,
    kind: str,
    page: str | None,
    schedule: Any = None,
    form: Mapping[str, Param] | None = None,
    retries: int = 2,
) -> Iterator[None]:
    """Declare ``<model>.<kind>`` of the tasks made in here, with the calling file's docstring as its page."""
    with DAG(
        f"{model.name}.{kind}",
        schedule=schedule,
        start_date=_midnight(model.delivered_first, model.timezone),
        end_date=_midnight(model.delivered_end, model.timezone, days=1),
        catchup=False,
        max_active_runs=1,
        description=f"{kind} of {model.name}: {model.description}"[:200],
        tags=["perennial", f"model:{model.name}", f"kind:{kind}", f"owner:{model.owner}"],
        doc_md=f"# {model.name}: {kind}\n\n{model.description}\n\n{page or ''}",
        default_args={**ARGUMENTS, "owner": model.owner, "retries": retries},
        on_failure_callback=fails,
    ) as declared:
        yield
    # The form comes after the tasks: Airflow would copy each field of it, in depth, into each of them.
    declared.params.update({name: copy(field) for name, field in (form or {}).items()})


def _midnight(night: str | None, timezone: str, *, days: int = 0) -> datetime | None:
    """Bound the clock to when deliveries come; runs started by a key or an asset know no such bound."""
    if night is None:
        return None
    return datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(timezone)) + timedelta(days=days)
