"""This model's folder cannot be read, so none of its DAGs exist. All other models run as usual.

The error below names the file, the line, the field, the value and the fix. Correct the file: this DAG goes away
and the model's own DAGs appear. Until then it stays red, so that nobody overlooks it: it runs once by itself, and
again when the folder breaks anew or otherwise.
"""

from __future__ import annotations

import include_path  # noqa: F401 - finds include/ in any Airflow dag folder
from perennial.spec.compiled import BrokenFacts
from perennial_airflow.broken_dag import broken_dag
from perennial_airflow.models import each_broken


def build(model: BrokenFacts) -> None:
    """Declare `<model>.broken`."""
    broken_dag(
        f"{model.name}.broken",
        what=f"{model.name} cannot be read: {model.first_problem}",
        page=__doc__,
        error=model.error,
    )


each_broken(build)
