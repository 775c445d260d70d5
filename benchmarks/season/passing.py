"""One policy over one data set from one start: serve, learn, retrain, night by night."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.models import Models
from benchmarks.season.nights import LAG, Table
from benchmarks.season.triggers import Known, Policy
from perennial.adaptation.rows import MatureNight
from perennial.adaptation.scale import LEAST_PROBABILITY
from perennial.adaptation.state import Champion, State, begin, learn, renewed

Numbers = NDArray[np.float64]


@dataclass
class Replay:
    """The state of one replay: everything a night leaves behind."""

    table: Table
    models: Models
    policy: Policy
    first: int
    made: int = 0
    since: int = 0
    restarted: int = 0
    trainings: list[int] = field(default_factory=list)
    full_cpu: float = 0.0
    layer_cpu: float = 0.0
    recent_cpu: float = 0.0
    state: State | None = None
    overtaken: list[int] = field(default_factory=list)
    losses: dict[str, Numbers] = field(default_factory=dict)
    sums: list[tuple[float, int]] = field(default_factory=list)
    served: dict[int, dict[str, Numbers]] = field(default_factory=dict)

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
        self.made, self.since = night, since
        self.trainings.append(night)
        self.full_cpu += self.models.training_cpu(night, since)
        if self.policy.layer and self.state is not None:
            seen = Champion(f"{night}", self.table.nights[night - LAG])
            self.state = renewed(self.state, seen, self.table.nights[night])

    def _retrain(self, night: int) -> None:
        if night == self.first:
            return
        answer = self.policy.due(self._known(night))
        if answer is True:
            self._train(night, self.since)
        elif answer:
            self.restarted = night
            self._train(night, int(answer))

    def _known(self, night: int) -> Known:
        mature = self.models.training_rows(night, self.since)
        trained = self.models.training_rows(self.made, self.since)
        weight = 0.0 if self.state is None else self.state.layer.weights.get("twin", 0.0)
        whole = (self.table, night, self.made, self.since)
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
            self.served[night] = members
            self.overtaken += [night] if served.overtaken else []
            self.layer_cpu += process_time() - began - spent
        if self.policy.recent:
            members["recent"], cpu = self.models.recent(night)
            self.recent_cpu += cpu
        self._count(night, scores, members)

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
            self.state = begin(seen, history, tonight, self.table.task, self.models.settings, fit=fit)
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
            served=self.served.pop(night, {}),
            segments=self.table.segments[rows],
        )

    def _count(self, night: int, scores: Numbers, members: dict[str, Numbers]) -> None:
        labels = self.table.labels[self.table.rows(night)]
        known = np.isfinite(labels)
        for name, said in (("served", scores), *members.items()):
            if name in self.losses:
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
            "nights": self.sums,
        }
