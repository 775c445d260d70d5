"""Every model has every kind of DAG, each can be run by its form, and reading them is light and quiet."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KINDS = {path.stem for path in (ROOT / "dags").glob("*.py")} - {
    "include_path",
    "broken",
    "reconcile",
    "reproduce",
}
FOR_ALL = {"perennial.reconcile", "perennial.reproduce"}
"""The DAGs that are for all models: on a clock of their own, with little or nothing to do for each."""
MODELS = {path.parent.name for path in (ROOT / "include" / "models").glob("*/model.yaml")}
pytestmark = pytest.mark.airflow


def test_every_model_has_every_kind(shipped: dict[str, Any]) -> None:
    """The ids are `<model>.<kind>`, for each file of dags/ and each folder of models/, and nothing is broken."""
    assert set(shipped["dags"]) == {f"{model}.{kind}" for model in MODELS for kind in KINDS} | FOR_ALL
    assert shipped["import_errors"] == {}


def test_reading_dags_imports_nothing_heavy(shipped: dict[str, Any]) -> None:
    """The scheduler and the dag-processor never pay for pandas and its like, nor run a model's code."""
    assert shipped["heavy"] == []


def test_every_dag_explains_itself(shipped: dict[str, Any]) -> None:
    """A page says what it ends with and what to do if it fails; tags name model, kind and owner."""
    for dag_id, dag in shipped["dags"].items():
        model, _, kind = dag_id.partition(".")
        assert {"perennial", f"kind:{kind}"} <= set(dag["tags"]), dag_id
        if dag_id not in FOR_ALL:
            assert f"model:{model}" in dag["tags"], dag_id
            assert any(tag.startswith("owner:") for tag in dag["tags"]), dag_id
        assert "**Ends with**" in dag["doc"], dag_id
        assert "fails**" in dag["doc"] or "skipped**" in dag["doc"], dag_id


def test_forms_open_in_a_state_that_can_be_sent(shipped: dict[str, Any]) -> None:
    """Every field has a title, an explanation and a default that its own check accepts."""
    for dag_id, dag in shipped["dags"].items():
        assert dag["form_problem"] == "", dag_id
        for name, field in dag["form"].items():
            assert field.get("title"), f"{dag_id} {name}"
            assert field.get("description"), f"{dag_id} {name}"


def test_a_field_that_may_stay_empty_says_so(shipped: dict[str, Any]) -> None:
    """A text may be null, has a default that is not empty, or is asked for: else Airflow's form cannot be sent."""
    for dag_id, dag in shipped["dags"].items():
        for name, field in dag["form"].items():
            assert field.get("type") != "string" or field["default"] != "", f"{dag_id} {name}"


def test_two_runs_never_publish_the_same_thing(shipped: dict[str, Any]) -> None:
    """One run of a DAG at a time, no catching up, and tasks are tried again."""
    for dag_id, dag in shipped["dags"].items():
        assert dag["max_active_runs"] == 1, dag_id
        assert dag["catchup"] is False, dag_id
        tried_again = [task for task, about in dag["tasks"].items() if about["retries"] > 0]
        assert tried_again, dag_id


def test_a_source_that_has_ended_schedules_nothing(shipped: dict[str, Any]) -> None:
    """The flights of 2013 are available in 2013 only: a later year is quiet, but for the looks at what is registered."""
    assert {dag_id for dag_id, dag in shipped["dags"].items() if dag["next_run"]} == FOR_ALL
    clocks = {
        dag["timetable"]
        for dag_id, dag in shipped["dags"].items()
        if dag_id.endswith((".validate", ".monitor"))
    }
    assert clocks == {"CronPartitionTimetable"}


def test_assets_lead_from_dag_to_dag(shipped: dict[str, Any]) -> None:
    """What one DAG publishes is what the next waits for, from the night's rows to the champion."""
    outlets = {
        f"{dag_id.rpartition('.')[2]}.{task}": about["outlets"]
        for dag_id, dag in shipped["dags"].items()
        for task, about in dag["tasks"].items()
        if dag_id.startswith("flight_delay.") and about["outlets"]
    }
    assert outlets == {
        "validate.close_night": ["flight_delay/night"],
        "features.build_features": ["flight_delay/features"],
        "score.predict": ["flight_delay/predictions"],
        "train.fit": ["flight_delay/candidate"],
        "evaluate.conclude": ["flight_delay/challenger"],
        "deploy.production": ["flight_delay/champion"],
    }
