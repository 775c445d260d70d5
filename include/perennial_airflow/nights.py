"""The night as Airflow sees it: partition keys on the clock, assets between DAGs, the night of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronPartitionTimetable, PartitionedAssetTimetable

from perennial.clock import Night
from perennial.clock import night as as_night
from perennial.errors import NoNightError, NoVersionError
from perennial.spec.compiled import DagFacts
from perennial.workspace import Workspace

KEY_FORMAT = "%Y-%m-%d"
NOT_BEFORE_THE_CLOCK = timedelta(0)
"""`False` says the same in Airflow's documentation, and is taken for `None` by its scheduler (3.3)."""


def every_night(model: DagFacts, *, hours_later: int = 0) -> CronPartitionTimetable:
    """Run on the model's own clock for the night that has just ended, or so many hours after that.

    A new model's first run is the next one the clock has: Airflow alone would also begin at once, but only where it is
    started within a tenth of a day after the hour.
    """
    minute, hour, *rest = model.schedule.split()
    days, moved = divmod(int(hour) + hours_later, 24) if hour.isdigit() else (0, hour)
    cron = " ".join([minute, str(moved), *rest])
    return CronPartitionTimetable(
        cron,
        timezone=model.timezone,
        run_offset=-1 - days,
        run_immediately=NOT_BEFORE_THE_CLOCK,
        key_format=KEY_FORMAT,
    )


def asset(model: str, name: str) -> Asset:
    """Name what one DAG of a model makes and another waits for."""
    return Asset(name=f"{model}/{name}", uri=f"perennial://{model}/{name}")


def whenever(model: str, name: str) -> PartitionedAssetTimetable:
    """Run for each night of an asset as it is published."""
    return PartitionedAssetTimetable(assets=asset(model, name))


def night_of(context: Mapping[str, Any]) -> Night:
    """Return the night a run is about: its partition key, or the form's ``night``."""
    key = context["dag_run"].partition_key or (context.get("params") or {}).get("night")
    if not key:
        raise NoNightError(context["dag_run"].dag_id)
    return as_night(str(key))


def night_or_latest(context: Mapping[str, Any], workspace: Workspace, model: str) -> Night:
    """Return the night a run names, or the newest one whose rows are published."""
    if context["dag_run"].partition_key or (context.get("params") or {}).get("night"):
        return night_of(context)
    from perennial.stages import datasets

    published = workspace.store.keys(datasets.nights(model))
    if not published:
        raise NoNightError(context["dag_run"].dag_id)
    return published[-1]


def version_and_night(context: Mapping[str, Any], workspace: Workspace, model: str) -> tuple[str, Night]:
    """Return the version and night that the triggering asset tells, or that the form names."""
    params = context.get("params") or {}
    told: dict[str, Any] = {}
    for events in (context.get("triggering_asset_events") or {}).values():
        told = dict(events[-1].extra)
    version = params.get("version") or told.get("version")
    if not version:
        raise NoVersionError(context["dag_run"].dag_id)
    night = told.get("night") if not params.get("night") else params["night"]
    return str(version), str(night) if night else night_or_latest(context, workspace, model)


def is_under_way(context: Mapping[str, Any], model: str) -> bool:
    """Tell whether a training of this model, or what follows from one, is running or waiting now."""
    count = context["ti"].get_dr_count
    kinds = ("train", "evaluate", "deploy")
    return any(count(dag_id=f"{model}.{kind}", states=["queued", "running"]) for kind in kinds)
