"""One policy over one data set from one start: serve, learn, retrain, night by night."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.models import Models
from benchmarks.season.nights import LAG, Table
from benchmarks.season.promoting import LEAST_NIGHTS, goes_ahead, kept_back, wrong
from benchmarks.season.triggers import Known, Policy
from perennial.adaptation.gate import Tally, never_worse
from perennial.adaptation.rows import MatureNight
from perennial.adaptation.scale import LEAST_PROBABILITY
from perennial.adaptation.state import Champion, State, begin, learn, renewed
from perennial.facts.decision import Verdict
from perennial.stages.adapt import MEMBERS

Numbers = NDArray[np.float64]


@dataclass
class Replay:
    """The state of one replay: everything a night leaves behind."""

    table: Table
    models: Models
    policy: Policy
    first: int
    made: int = 0
    """The champion knows what had matured on this night; with a gate that is before the night it was trained on."""
    since: int = 0
    restarted: int = 0
    trainings: list[int] = field(default_factory=list)
    promotions: list[tuple[int, tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    """Night, and ``made`` and ``since`` of the champion before and after it."""
    refused_cpu: float = 0.0
    full_cpu: float = 0.0
    layer_cpu: float = 0.0
    recent_cpu: float = 0.0
    state: State | None = None
    overtaken: list[int] = field(default_factory=list)
    losses: dict[str, Numbers] = field(default_factory=dict)
    sums: list[tuple[float, int]] = field(default_factory=list)
    served: dict[int, dict[str, Numbers]] = field(default_factory=dict)
    tallies: dict[int, Tally] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Pass every night from the first on, and say what it lost and cost."""
        nights = len(self.table.nights)
        self.losses = {name: np.full(nights, np.nan) for name in ("served", "raw", "twin", "recent")}
        self.models.twin_cpu = 0.0
        self._train(self.first, 0)
        for night in range(self.first, nights):
            self._retrain(night)
            self._serve(night)
        return self._result()

    def _train(self, night: int, since: int) -> None:
        made = night - kept_back(night - LAG + 1 - since) if self.policy.gated else night
        cpu, first = self.models.training_cpu(made, since), not self.trainings
        self.trainings.append(night)
        self.full_cpu += cpu
        if self.policy.gated and not first:
            models = ((self.made, self.since), (made, since))
            if not goes_ahead(self.table, self._night_losses, models, night):
                self.refused_cpu += cpu
                return
            self.promotions.append((night, *models))
        self.made, self.since = made, since
        if self.policy.layer and self.state is not None:
            seen = Champion(f"{night}", self.table.nights[made - LAG])
            passed = [self._mature(past) for past in range(made - LAG + 1, night - LAG)]
            self.state = renewed(self.state, seen, self.table.nights[night], passed)

    def _night_losses(self, made: int, since: int, night: int) -> Numbers:
        """Return the losses that a model would have, or had, on a night's labelled rows."""
        labels = self.table.labels[self.table.rows(night)]
        known = np.isfinite(labels)
        return self._row_losses(self.models.champion(made, since, night)[known], labels[known])

    def _retrain(self, night: int) -> None:
        if night == self.first:
            return
        answer = self.policy.due(self._known(night))
        if answer is True:
            self._train(night, self.since)
        elif answer:
            self.restarted = night
            enough = night - LAG + 1 - (2 * LEAST_NIGHTS if self.policy.gated else 0)
            self._train(night, min(int(answer), enough))

    def _known(self, night: int) -> Known:
        mature = self.models.training_rows(night, self.since)
        last = self.trainings[-1]
        trained = self.models.training_rows(last, self.since)
        weight = 0.0 if self.state is None else self.state.layer.weights.get("twin", 0.0)
        whole = (self.table, night, last, self.since)
        return Known(*whole, trained, mature, self.first, self.losses, weight, self.restarted)

    def _serve(self, night: int) -> None:
        rows = self.table.rows(night)
        said = self.models.champion(self.made, self.since, night)
        scores, members = said, {"raw": said}
        if self.policy.layer:
            began = process_time()
            spent = self._learn(night)
            assert self.state is not None  # noqa: S101  begun on the first night
            served = self.state.layer.serve(said, self.table.features[rows], self.table.segments[rows])
            scores, members = served.scores, dict(served.members)
            if self.policy.as_shipped and not self._has_shown_itself(night, scores, said):
                scores = said
            self.served[night] = members
            self.overtaken += [night] if served.overtaken else []
            self.layer_cpu += process_time() - began - spent
        if self.policy.recent:
            members["recent"], cpu = self.models.recent(night)
            self.recent_cpu += cpu
        self._count(night, scores, members)

    def _has_shown_itself(self, night: int, layer: Numbers, raw: Numbers) -> bool:
        """Ask the gate of ``adapt: nightly`` whether the layer's answers go out, by what had matured."""
        matured = [self.tallies[past] for past in sorted(self.tallies) if past <= night - LAG]
        labels = self.table.labels[self.table.rows(night)]
        known = np.isfinite(labels)
        champion_lost, layer_lost = (
            float(self._row_losses(said[known], labels[known]).sum()) for said in (raw, layer)
        )
        name, rows = self.table.nights[night], int(known.sum())
        self.tallies[night] = Tally(name, rows, champion_lost, layer_lost, 0.0, 0.0)
        return never_worse(matured).verdict is Verdict.PASS

    def _learn(self, night: int) -> float:
        """Learn what matured; return the CPU seconds that training or reading a twin took here."""
        tonight, spent = self.table.nights[night], 0.0

        def fit(*rows: Any) -> Any:
            nonlocal spent
            began = process_time()
            twin = self.models.twin(*rows)
            spent += process_time() - began
            return twin

        if self.state is None:
            history = [self._mature(past) for past in range(night - LAG + 1)]
            seen = Champion(f"{self.made}", self.table.nights[self.made - LAG])
            settings = self.models.settings
            if self.policy.as_shipped:
                settings = settings.model_copy(update={"members": MEMBERS})
            self.state = begin(seen, history, tonight, self.table.task, settings, fit=fit)
        else:
            self.state = learn(self.state, [self._mature(night - LAG)], tonight, fit=fit)
        return spent

    def _mature(self, night: int) -> MatureNight:
        rows = self.table.rows(night)
        unseen = night > self.made - LAG
        return MatureNight(
            self.table.nights[night],
            self.table.keys[rows],
            self.table.features[rows],
            self.table.labels[rows],
            champion=self.models.champion(self.made, self.since, night) if unseen else None,
            served=self.served.get(night, {}),
            segments=self.table.segments[rows],
        )

    def _count(self, night: int, scores: Numbers, members: dict[str, Numbers]) -> None:
        labels = self.table.labels[self.table.rows(night)]
        known = np.isfinite(labels)
        for name, said in (("served", scores), *members.items()):
            if name in self.losses and known.any():
                self.losses[name][night] = self._row_losses(said[known], labels[known]).mean()
        lost = self._row_losses(scores[known], labels[known])
        self.sums.append((float(lost.sum()), int(known.sum())))

    def _row_losses(self, said: Numbers, labels: Numbers) -> Numbers:
        if self.table.task == "regression":
            return np.asarray((said - labels) ** 2)
        p = np.clip(said, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return np.asarray(-(labels * np.log(p) + (1 - labels) * np.log1p(-p)))

    def _result(self) -> dict[str, Any]:
        total, rows = np.sum(self.sums, axis=0)
        loss = float(total / rows)
        nights = len(self.sums)
        return {
            "loss": loss**0.5 if self.table.task == "regression" else loss,
            "trainings": self.trainings,
            "restarts_and_overtaken": {"restarted": self.restarted, "overtaken_nights": len(self.overtaken)},
            "twins": nights * (self.policy.layer + self.policy.recent),
            "cpu": {
                "full": self.full_cpu,
                "twin": self.models.twin_cpu + self.recent_cpu,
                "layer": self.layer_cpu,
            },
            "gate": self._promoted() if self.policy.gated else None,
            "nights": self.sums,
        }

    def _promoted(self) -> dict[str, Any]:
        """Say what the gate let pass and what not, what the refused trainings cost, and which promotions were wrong."""
        losses = [wrong(self._night_losses, *one, len(self.table.nights)) for one in self.promotions]
        refused = len(self.trainings) - 1 - len(self.promotions)
        return {
            "promoted": len(self.promotions),
            "refused": refused,
            "refused_cpu": self.refused_cpu,
            "wrong": sum(losses),
        }
