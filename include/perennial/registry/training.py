"""One training as MLflow shows it: a run with its figures, its artefact and the version it became.

The train stage hands over a ``Training``; recording it twice, after a retry or by two attempts at once,
gives one run and one version.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.engine.behaviour import rows_as_text
from perennial.estimators.base import ColumnKinds, Value
from perennial.facts.evaluation import Task
from perennial.registry.server import keep_files
from perennial.registry.trusted_types import trusted_for

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

NEEDED = ("scikit-learn", "skops", "numpy", "scipy", "pandas")
"""What a process must have installed to load an artefact; named because guessing takes MLflow 20 s."""
LONGEST_DIGEST = 36
BEHAVIOUR_FILE = "behaviour/rows.json"


@dataclass(frozen=True)
class Training:
    """A fitted model and everything that is told of it."""

    model: str
    """Name of the model."""
    run_key: str
    """What makes this training itself: the same key is the same training, tried again."""
    estimator: str
    """Its entry in the catalogue of estimators, or ``adopted``."""
    pipeline: Any
    """The fitted pipeline."""
    task: Task
    """What it predicts."""
    columns: ColumnKinds
    """What it sees."""
    fixed_rows: pd.DataFrame
    """Rows whose predictions are its behaviour, without personal data; the first are the input example."""
    behaviour: str
    """Hash of its predictions for them."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Parameters it was fitted with."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures by name; those that are not finite are left out."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Anything else worth finding it by: the night, the recipe's hash."""
    datasets: Mapping[str, str] = field(default_factory=dict)
    """Hash of each dataset it was trained on, by name."""
    figures: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures (PNG) by file name."""


def tell(client: MlflowClient, run_id: str, training: Training) -> None:
    """Write parameters, metrics, datasets, pictures and fixed rows to the run; again changes nothing.

    A figure that the run has stays: an attempt that measured other seconds would tell it twice for one step,
    and MLflow then refuses to log the model.
    """
    from mlflow.entities import Metric, Param, RunTag

    run = client.get_run(run_id)
    finite = {name: value for name, value in training.metrics.items() if math.isfinite(value)}
    new = {name: value for name, value in finite.items() if name not in run.data.metrics}
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, run.info.start_time, 0) for name, value in new.items()],
        params=[Param(name, str(value)) for name, value in training.parameters.items()],
        tags=[RunTag(f"perennial.{name}", value) for name, value in training.tags.items()],
    )
    _keep_inputs(client, run_id, training)
    _keep_files(client, run_id, training)


def _keep_inputs(client: MlflowClient, run_id: str, training: Training) -> None:
    """Name the data sets; the second of two attempts at once asks again, as MLflow then finds what the first wrote."""
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

    purpose = [InputTag("mlflow.data.context", "training")]
    sets = [Dataset(name, sha[:LONGEST_DIGEST], "perennial", sha) for name, sha in training.datasets.items()]
    inputs = [DatasetInput(dataset, purpose) for dataset in sets]
    try:
        client.log_inputs(run_id, datasets=inputs)
    except MlflowException:
        client.log_inputs(run_id, datasets=inputs)


def log_model(training: Training) -> Any:
    """Write the artefact into the active run, with signature, example and requirements; return MLflow's account."""
    import mlflow.sklearn

    predicts = "predict" if training.task == "regression" else "predict_proba"
    return mlflow.sklearn.log_model(
        training.pipeline,
        name="model",
        serialization_format="skops",
        skops_trusted_types=trusted_for(training.estimator),
        pip_requirements=[f"{name}=={installed(name)}" for name in NEEDED],
        input_example=training.fixed_rows.head(5),
        signature=_signature(training),
        pyfunc_predict_fn=predicts,
    )


def _signature(training: Training) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    # Nothing is required: a missing value is an ordinary input.
    inputs = [ColSpec(DataType.double, name, required=False) for name in training.columns.numeric]
    inputs += [ColSpec(DataType.string, name, required=False) for name in training.columns.categorical]
    classes = getattr(training.pipeline, "classes_", ["prediction"])
    outputs = [ColSpec(DataType.double, str(name)) for name in classes]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _keep_files(client: MlflowClient, run_id: str, training: Training) -> None:
    rows = rows_as_text(training.fixed_rows, training.columns).encode()
    pictures = {f"figures/{Path(name).name}": picture for name, picture in training.figures.items()}
    keep_files(client, run_id, {BEHAVIOUR_FILE: rows, **pictures})


def png(figure: Any) -> bytes:
    """Draw a figure to PNG, without a date in it: the same figure is the same bytes."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=90, metadata={"Software": None})
    return drawn.getvalue()
