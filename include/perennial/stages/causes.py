"""What a finding is likely due to: the facts that triage asks for, gathered on the night it stands.

Asked only on a night that crossed a threshold, so it may read rows: profiles of the finding's nights and of those
before, a bounded sample of scored rows with their labels, and tonight's rows scored once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after, between
from perennial.errors import PerennialError
from perennial.facts.profile import Profile
from perennial.facts.reading import Reading
from perennial.facts.situation import NightScores, Situation
from perennial.policies.triage import Diagnosis, triage
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.performance import nights_until_final
from perennial.stages.profiling import edges_of_inputs, inputs_name, watched_columns
from perennial.stages.set_aside import accepted_faults, set_aside
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.facts.shared_ground import Ground
    from perennial.stages.scored_nights import ScoredNights

REFERENCE_NIGHTS = 56
"""Nights before the finding that are taken as ordinary: eight of each weekday."""
SLOW_NIGHTS = 14
"""Nights that a finding of the slow arm, or of inputs that moved to stay, is about."""
RESCORED_ROWS = 200


def diagnose(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate | None,
    readings: Mapping[str, Reading],
) -> Diagnosis:
    """Name the likely cause of tonight's finding, and what follows from it."""
    from perennial.facts.likely_cause import likely_cause

    facts = _Facts(workspace, model, night, version, readings)
    lasts = facts.relation is None or bool(facts.relation.evidence.get("crossed_before", 1))
    labels_say = facts.relation is not None and facts.relation.state == "over"
    return triage(night, likely_cause(facts.situation()), lasts=lasts, labels_say=labels_say)


@dataclass(frozen=True)
class _Facts:
    """Where the facts about a night's finding come from."""

    workspace: Workspace
    model: str
    night: Night
    version: Candidate | None
    readings: Mapping[str, Reading]

    def situation(self) -> Situation:
        """Gather what is known of the nights the finding is about, and of ordinary ones."""
        bad = set_aside(self.workspace, self.model, by=after(self.night, -1)) - {self.night}
        about = [key for key in self._nights_of_feed() if key not in bad]
        # Else the second night of a broken feed would be compared with the first, and look like it.
        begin = min(about)
        before = self._profiles(after(begin, -REFERENCE_NIGHTS), after(begin, -1))
        usual, scores, ground = self._scored([key for key in self._nights_of_rows() if key not in bad], bad)
        return Situation(
            edges=edges_of_inputs(self.workspace, self.model, self.plan),
            reference={
                key: kept for key, kept in before.items() if key not in bad and not self._strange(key)
            },
            recent={key: kept for key, kept in self._profiles(begin, self.night).items() if key in about},
            usual_scores=usual,
            scores=scores,
            ground=ground,
            inputs=self.readings.get("night_shift"),
            residuals=self.relation,
            accepted=accepted_faults(self.workspace, self.model, self.night),
        )

    @property
    def plan(self) -> str:
        """Definitions of the features that the finding is about."""
        return self.version.plan if self.version else self.workspace.plan(self.model).hash

    @property
    def relation(self) -> Reading | None:
        """The reading of labels that is over its threshold, the slow arm's first; else the slow arm's."""
        slow, shape = self.readings.get("residual_drift"), self.readings.get("residual_shape")
        return next((one for one in (slow, shape) if one is not None and one.state == "over"), slow or shape)

    def _nights_of_feed(self) -> list[Night]:
        """List the nights of which any may have been delivered wrongly, tonight among them."""
        relation = self.relation
        if relation is None or relation.state != "over":
            return [self.night]
        if relation.arm == "residual_drift":
            return between(after(self.night, 1 - SLOW_NIGHTS), self.night)
        return [after(self.night, -nights_until_final(self.workspace.spec(self.model))), self.night]

    def _nights_of_rows(self) -> list[Night]:
        """List the nights whose rows are compared: tonight's alone where inputs moved tonight alone."""
        relation, inputs = self.relation, self.readings.get("night_shift")
        lasting = inputs is not None and inputs.state == "over" and inputs.evidence.get("nights", 1) != 1
        if lasting or (relation is not None and relation.state == "over"):
            return between(after(self.night, 1 - self._lasting), self.night)
        return [self.night]

    @property
    def _lasting(self) -> int:
        """As many nights as the slow arm needed to see it, for a small change needs as many to be named."""
        relation = self.relation
        slow = relation is not None and relation.arm == "residual_drift" and relation.state == "over"
        window = relation.evidence.get("window") if slow and relation else None
        return max(window, SLOW_NIGHTS) if isinstance(window, int) else SLOW_NIGHTS

    def _profiles(self, first: Night, last: Night) -> dict[Night, Profile]:
        store = self.workspace.store
        dataset = datasets.profiles(self.model, inputs_name(self.workspace, self.model, self.plan))
        return {
            key: Profile.from_json(json.loads(store.read(dataset, key, ["profile"])["profile"][0].as_py()))
            for key in store.keys(dataset, first, last)
        }

    def _strange(self, key: Night) -> bool:
        """Whether the nightly watch crossed its threshold: such a night is no measure of what is ordinary."""
        verdict = self.workspace.store.manifest(datasets.verdicts(self.model), key)
        crossings: Any = verdict.meta.get("crossings") if verdict else None
        crossing = (crossings or {}).get("night_shift")
        return crossing is not None and crossing["ratio"] > 1

    def _scored(
        self, about: Sequence[Night], bad: frozenset[Night]
    ) -> tuple[list[NightScores], list[NightScores], Ground | None]:
        """Read what the version said: on ordinary nights, on these, and both beside labels and inputs."""
        if self.version is None or self.version.task == "multiclass":
            return [], [], None
        from perennial.stages.label_numbers import numbers_behind
        from perennial.stages.scored_nights import ScoredNights, ground_of

        columns = watched_columns(self.workspace, self.model, self.plan)
        view = ScoredNights(self.workspace, self.version, columns, self.night)
        usual, recent = view.of(self._usual(view, min(about), bad)), view.of(about)
        scores = [one.told for one in recent]
        if recent and recent[-1].night == self.night:
            scores[-1] = self._told_again(scores[-1], self.version)
        if self.version.task != "binary":
            return [one.told for one in usual], scores, None
        numbers = numbers_behind(self.workspace, self.model, self.night, usual, recent)
        ground = ground_of(usual, recent, numbers)
        return [one.told for one in usual], scores, ground

    def _usual(self, view: ScoredNights, begin: Night, bad: frozenset[Night]) -> list[Night]:
        """List the newest ordinary nights that the version had not seen when it was trained."""
        if self.version is None:
            return []
        served = self.workspace.store.keys(
            datasets.predictions(self.model), after(self.version.night), after(begin, -1)
        )
        nights = sorted({*(key for key in view.unseen if key < begin), *served} - bad)
        return [key for key in nights if not self._strange(key)][-REFERENCE_NIGHTS:]

    def _told_again(self, scores: NightScores, version: Candidate) -> NightScores:
        """Score tonight's rows once more: a sound model says the same of the same rows."""
        try:
            rows, apart = _rescored(self.workspace, version, self.night)
        except PerennialError:  # what cannot be loaded is not judged here
            return scores
        return replace(scores, rescored=rows, apart=apart)


def _rescored(workspace: Workspace, version: Candidate, night: Night) -> tuple[int, int]:
    """Return how many of a night's rows were predicted again, and how many otherwise."""
    import numpy as np

    from perennial.stages.score import loaded_predictor

    store, dataset = workspace.store, datasets.features(version.model, version.plan)
    rows = store.read(dataset, night).slice(0, RESCORED_ROWS)
    predictor = loaded_predictor(workspace, version)
    first, second = predictor.predict(rows), predictor.predict(rows)
    same = np.isclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True)
    said, built = store.manifest(datasets.predictions(version.model), night), store.manifest(dataset, night)
    if said and built and said.meta.get("features") == built.content:
        stored = store.read(datasets.predictions(version.model), night, ["prediction"])["prediction"]
        same &= np.isclose(
            first, stored.slice(0, RESCORED_ROWS).to_numpy(), rtol=1e-6, atol=1e-9, equal_nan=True
        )
    return len(first), int((~same).sum())
