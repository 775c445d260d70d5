"""What happened, night by night, in plain language, while real DAG runs of the real scheduler make it happen.

The demo and the whole-loop test call ``tell`` on a started Airflow. Nothing is asserted that Airflow's
own runs do not show: a night counts only when its three runs succeeded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console

from perennial_airflow.launch.environment import Launch
from perennial_airflow.launch.errors import NotDoneError
from perennial_airflow.launch.rest import Airflow, Run

CHAIN = ("validate", "features", "score")
NIGHT_WITHIN_SECONDS = 240.0
_TICK = 0.5


@dataclass
class Account:
    """What the story has seen: for each night the runs of its chain, and the seconds they took."""

    nights: dict[str, dict[str, Run]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def tell(launch: Launch, model: str, nights: Sequence[str], screen: Console) -> Account:
    """Let these nights pass in Airflow, one after another, and say what became of each.

    Raises:
        NotDoneError: a run failed or did not come; the message names the DAG and the night.
    """
    account = Account()
    with Airflow.of(launch) as airflow:
        airflow.wait_for_dags([f"{model}.{kind}" for kind in CHAIN])
        for night in nights:
            begun = time.monotonic()
            account.nights[night] = pass_night(airflow, model, night)
            account.seconds[night] = time.monotonic() - begun
            screen.print(f"[bold]{night}[/]  {_sentence(account.nights[night])}")
    return account


def pass_night(airflow: Airflow, model: str, night: str) -> dict[str, Run]:
    """Start the night's validation under its key and wait until features and scores followed."""
    airflow.trigger(f"{model}.validate", f"night__{night}", night=night)
    deadline = time.monotonic() + NIGHT_WITHIN_SECONDS
    seen: dict[str, Run] = {}
    while time.monotonic() < deadline:
        seen = _runs_of(airflow, model, night)
        for run in seen.values():
            if run.state == "failed":
                raise NotDoneError(f"{run.dag_id} failed on {night} (run {run.run_id})")
        if all(kind in seen and seen[kind].state == "success" for kind in CHAIN):
            return seen
        time.sleep(_TICK)
    missing = [kind for kind in CHAIN if kind not in seen or seen[kind].state != "success"]
    raise NotDoneError(
        f"{model} did not finish {', '.join(missing)} on {night} in {NIGHT_WITHIN_SECONDS:.0f} s"
    )


def _runs_of(airflow: Airflow, model: str, night: str) -> dict[str, Run]:
    """Return the newest run of each kind for a night."""
    found = airflow.runs(dag_prefix=f"{model}.", partition_key_prefix_pattern=night)
    return {run.dag_id.removeprefix(f"{model}."): run for run in found if run.night == night}


def _sentence(runs: dict[str, Run]) -> str:
    return ", ".join(f"{kind} {runs[kind].state}" for kind in CHAIN)
