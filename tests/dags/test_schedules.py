"""When Airflow's own clock begins a model's nights."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.projects import Project

from perennial.clock import wall_clock

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize("minutes_ago", [5, 600])
def test_a_new_model_begins_with_the_next_hour_of_its_clock(
    describe: Callable[[Path], dict[str, Any]], project: Project, minutes_ago: int
) -> None:
    """Also where Airflow starts just after that hour: its default would ask for last night's rows at once."""
    begins = wall_clock() - timedelta(minutes=minutes_ago)
    project.declare(more=f"timezone: UTC\nschedule: '{begins.minute} {begins.hour} * * *'\n")
    dag = describe(project.root)["dags"][f"{project.name}.validate"]
    assert dag["next_run"] == str(begins.date())
