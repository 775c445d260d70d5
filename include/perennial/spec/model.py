"""``ModelSpec``: everything a model needs for its life, as declared in one ``model.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from perennial.adaptation.settings import unavailable
from perennial.gates.against_champion import AgainstChampion
from perennial.gates.base import Gate
from perennial.gates.calibration import Calibration
from perennial.gates.fed_as_trained import FedAsTrained
from perennial.gates.leaks import Leaks
from perennial.gates.loads_and_predicts import LoadsAndPredicts
from perennial.gates.minimum_quality import MinimumQuality
from perennial.gates.slices import Slices
from perennial.metrics import OF_WORTH, judging, metrics, watching
from perennial.metrics.base import Metric
from perennial.policies.retraining import Retraining
from perennial.policies.rollout import Rollout
from perennial.spec.named import named_gate
from perennial.spec.source import LabelSpec, SourceSpec
from perennial.spec.strict import Strict
from perennial.spec.training import FeaturesSpec, Task, TrainingSpec
from perennial.spec.watching import AlertSpec, MonitoringSpec, PrivacySpec, SinkSpec

DEFAULT_GATES: tuple[Gate, ...] = (
    LoadsAndPredicts(),
    Leaks(),
    FedAsTrained(),
    MinimumQuality(),
    AgainstChampion(),
    Calibration(),
    Slices(),
)
DEFAULT_METRIC = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


class ModelSpec(Strict):
    """A model: a folder's declaration, with every default filled in."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", json_schema_extra={"from": "folder"})
    """The folder's name; not written in the file."""
    perennial: Literal[1] = 1
    """Version of this format."""
    version: int = Field(1, ge=1)
    """Version of the recipe; raise it to force a recipe change when nothing else in the folder changed."""
    description: str = Field(min_length=1)
    """What is predicted, for whom, in one or two sentences."""
    owner: str = "unowned"
    """Who answers for the model: a team or a mail address."""
    risk: Literal["low", "high"] = "low"
    """A `high` risk model stops after staging until a person approves."""
    force_by: tuple[str, ...] = ()
    """Who may force a version into production past its gates, by user name; nobody by default."""
    registry: Literal["revert", "adopt"] = "revert"
    """What happens to a change by hand in MLflow: it is undone, or adopted where the gates let it pass."""
    task: Task
    """Kind of prediction."""
    timezone: str = "UTC"
    """Time zone in which nights begin and end."""
    schedule: str = "0 2 * * *"
    """When a night's work starts (cron, in `timezone`), on the morning after the night."""
    predict_at: Literal["night_end"] = "night_end"
    """When predictions are made: at the end of a row's night; nothing known later is ever used."""
    rows: str = ""
    """Source whose rows are scored; by default the first one."""
    entity: str | None = None
    """Column that names whom or what a row is about; rows of one entity are judged together."""
    sources: dict[str, SourceSpec] = Field(min_length=1)
    """Deliveries, by name."""
    label: LabelSpec
    """The truth to predict."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Groups judged apart, by name: an expression over the scored rows, for example `origin = 'JFK'`."""
    features: FeaturesSpec = FeaturesSpec()
    """What the model sees."""
    training: TrainingSpec = TrainingSpec()
    """How it is trained."""
    gates: tuple[Annotated[object, BeforeValidator(named_gate)], ...] = DEFAULT_GATES
    """What a new model must show before it serves."""
    rollout: Rollout = Rollout()
    """How a version that passed its gates reaches production, and how long it is watched there."""
    monitoring: MonitoringSpec = MonitoringSpec()
    """What is watched."""
    retraining: Retraining = Retraining()
    """When a new model is worth training."""
    adapt: Literal["off", "nightly"] = "off"
    """`nightly` puts a layer over the champion that learns from matured nights and serves only while it is no worse."""
    alerts: tuple[AlertSpec, ...] = ()
    """Who is told; a local log always is."""
    sink: SinkSpec | None = None
    """Where predictions are delivered."""
    privacy: PrivacySpec = PrivacySpec()
    """Columns about persons."""

    @model_validator(mode="after")
    def _sources_exist(self) -> ModelSpec:
        for field, name in (("label.source", self.label.source), ("rows", self.rows_source)):
            if name not in self.sources:
                message = f"{field}: there is no source {name!r}; sources are {', '.join(self.sources)}"
                raise ValueError(message)
        if not self.sources[self.rows_source].key:
            message = f"sources.{self.rows_source}.key: the scored rows need a key"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _layer_exists(self) -> ModelSpec:
        why = unavailable(self.task) if self.adapt == "nightly" else None
        if self.adapt == "nightly" and self.scored.event_time is None:
            why = "a table without time has no nights to learn from"
        if why:
            message = f"adapt: {why} Write `adapt: off`."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _rollout_has_nights(self) -> ModelSpec:
        why = None
        if (self.rollout.steps or self.rollout.watch_nights) and self.scored.event_time is None:
            why = "a table without time has no nights to compare versions on. Leave it out."
        elif "canary" in self.rollout.steps and self.adapt == "nightly":
            why = "the nightly layer answers for every row, so no share can be a canary's. Write `steps: [shadow]`."
        if why:
            message = f"rollout: {why}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _pairs_are_watched(self) -> ModelSpec:
        watched = self.monitoring.watched(self.features.columns)
        unknown = [name for pair in self.monitoring.pairs for name in pair if name not in watched]
        if unknown:
            message = f"monitoring.pairs: {unknown[0]} is not watched; watched are {', '.join(watched)}"
            raise ValueError(message)
        return self

    @property
    def rows_source(self) -> str:
        """Name of the source whose rows are scored."""
        return self.rows or next(iter(self.sources))

    @property
    def scored(self) -> SourceSpec:
        """The source whose rows are scored."""
        return self.sources[self.rows_source]

    @property
    def metric(self) -> str:
        """Name of the primary metric."""
        return self.training.metric or DEFAULT_METRIC[self.task]

    @property
    def judge(self) -> Metric:
        """The primary metric, with the declared worth of outcomes."""
        return judging(self.metric, self.training.value)

    @property
    def watched(self) -> Metric:
        """What single nights are followed by: the primary metric, or a mean over rows where it is none."""
        return watching(self.judge)

    @property
    def shown(self) -> dict[str, Metric]:
        """Every metric that fits the task, by name; those of worth only where it is declared."""
        fit = {name: kind for name, kind in metrics().items() if self.task in kind.tasks}
        return {
            name: self.judge if name == self.metric else kind()
            for name, kind in fit.items()
            if name == self.metric or name not in OF_WORTH
        }

    @property
    def all_gates(self) -> tuple[Gate, ...]:
        """The gates, typed."""
        return tuple(gate for gate in self.gates if isinstance(gate, Gate))
