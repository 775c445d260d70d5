"""Put broken models before a model's own gates: which would they stop, and what is too small for this holdout to see?

Asked by ``perennial gates selftest`` and after a change of the gates. Every mutant is made of one real version, its
training set and the rows kept back from it, and judged beside that version as if it were a routine refresh, the kind
that passes most easily.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.engine.fitting import Array, TrainingSet, fit, predict
from perennial.errors import PerennialError
from perennial.facts.decision import Decision, Verdict
from perennial.facts.evaluation import Evaluation, LoadCheck
from perennial.facts.mutants import MUTANTS, Fate, Mutant, broken_answers
from perennial.facts.selftested import SelfTest, hash_of
from perennial.ledger.base import NewEntry
from perennial.policies.promotion import Promotion
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor, candidate, inputs
from perennial.stages.evaluate import gates
from perennial.stages.fed_as_trained import faults_between, trained_nights
from perennial.stages.holdout_sums import Judged, baselines, rows_inside, summed_up
from perennial.stages.importance import leaned_on
from perennial.stages.recording import record_again
from perennial.stages.training_run import declared, training_rows
from perennial.stages.usage import run_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LOADS = LoadCheck(loads=True, predictions_finite=True, same_behaviour=True, same_bytes=True)
LEAK_BLUR = 0.1
"""Spread of what is added to a leaked label, in spreads of the label."""
NOISY_SHARE, OLDEST_SHARE = 0.2, 1 / 3
LEAKED = "leaked label"
LEAST_IN_SLICE = 200
"""Rows that a slice needs before a gate judges it."""
UNITS = {"unit_wrong": (0, 0.001), "second_unit_wrong": (1, 100.0)}
"""Place of the column among those leaned on, and what it is multiplied by."""


def selftest(workspace: Workspace, version: Candidate) -> SelfTest:
    """Make every mutant of a version, and say what the gates of its model did with each.

    Raises:
        CannotSelfTestError: the version was trained elsewhere, so that there is no training set to break.
    """
    bench = Bench.of(workspace, version)
    fates = tuple(bench.fate(mutant) for mutant in MUTANTS)
    same = bench.outcome("the version itself", bench.judged(bench.answers))
    again = bench.outcome("trained again", bench.judged(bench.trained(bench.rows, seed=bench.seed + 1)))
    return SelfTest.of(version.version, workspace.spec(version.model).all_gates, fates, same, again)


def keep_selftest(workspace: Workspace, version: Candidate) -> SelfTest:
    """Test the gates with a version and record what came of it, under the hash of the gates."""
    found = selftest(workspace, version)
    told = found.as_json()
    key = f"{version.version}-{found.gates}"
    entry = NewEntry(version.model, "gates_tested", key, version.night, "evaluate", found.sentence(), told)
    record_again(workspace, entry, among=("gates_tested",))
    return found


def test_gates_once(workspace: Workspace, model: str, version: str) -> SelfTest | None:
    """Test gates that have not been tested as they are; nothing where they have, or with a version made elsewhere."""
    made = candidate(workspace, model, version)
    if are_tested(workspace, model) or run_of(workspace, model, version) is None:
        return None
    return keep_selftest(workspace, made)


def are_tested(workspace: Workspace, model: str) -> bool:
    """Whether the gates as they are declared now have been tested."""
    now = hash_of(workspace.spec(model).all_gates)
    return any(
        entry.evidence.get("gates") == now
        for entry in workspace.ledger.entries(model, kinds={"gates_tested"})
    )


@dataclass(frozen=True)
class Bench:
    """A version with everything its mutants are made of."""

    workspace: Workspace
    version: Candidate
    rows: TrainingSet
    """Rows that trained it."""
    holdout: pa.Table
    """Rows kept back from it, with the baselines' predictions."""
    pipeline: Any
    """The version's own."""
    answers: Array
    """What the version says of them."""

    @classmethod
    def of(cls, workspace: Workspace, version: Candidate) -> Bench:
        """Read them."""
        from perennial.errors import CannotSelfTestError

        run = run_of(workspace, version.model, version.version)
        if run is None:
            raise CannotSelfTestError(version.model, version.version)
        holdout = workspace.store.read(datasets.holdout(version.model), version.version)
        model, rows = Predictor(workspace, version), training_rows(workspace, version.model, run)
        return cls(workspace, version, rows, holdout, model.pipeline, model.predict(holdout))

    @property
    def seed(self) -> int:
        """The seed of the model."""
        return self.workspace.spec(self.version.model).training.seed

    @cached_property
    def frame(self) -> Any:
        """The holdout's features."""
        return inputs(self.holdout)

    def fate(self, mutant: Mutant) -> Fate:
        """Make one mutant and put it before the gates."""
        try:
            evaluation = self._evaluation(mutant)
            missing = "This model has no such thing."
        except PerennialError as error:  # that it could not be made says nothing of the gates
            evaluation, missing = None, str(error)
        if evaluation is None:
            return Fate(mutant.name, mutant.what, mutant.catastrophic, None, (), missing)
        decision, answers = self.outcome(mutant.name, evaluation)
        by = tuple(name for name, answer in answers.items() if answer.verdict is not Verdict.PASS)
        reason = answers[by[0]].reason if by else decision.reason
        killed = decision.verdict is not Verdict.PASS
        return Fate(mutant.name, mutant.what, mutant.catastrophic, killed, by, reason)

    def outcome(self, name: str, evaluation: Evaluation) -> tuple[Decision, dict[str, Decision]]:
        """Ask every gate of the model and combine what they say."""
        asked = gates(self.workspace, self.version.model)
        answers = {each: gate.decide(evaluation) for each, gate in asked.items()}
        return Promotion(required=tuple(asked)).decide(name, answers), answers

    def judged(self, answers: Array, **more: Any) -> Evaluation:
        """Return the evaluation of somebody who answers so, beside the version itself."""
        spec, version = self.workspace.spec(self.version.model), self.version
        predictions = {"challenger": answers, "champion": self.answers, **baselines(self.holdout)}
        rows = Judged.of(self.holdout, predictions)
        tallies, slices = summed_up(spec.judge, version, rows, self._inside)
        made = Evaluation(
            spec.metric,
            "refresh",
            version.task,  # type: ignore[arg-type]
            spec.judge.loss_name,
            "the mutant",
            f"version {version.version}",
            challenger_cutoff=version.cutoff,
            champion_cutoff=version.cutoff,
            tallies=tallies,
            slices=slices,
            load_check=LOADS,
            no_time=version.cutoff is None,
            training_overlap_rows=0,
            feed_faults=(),
            leaks=(),
        )
        return replace(made, **more)

    def trained(self, rows: TrainingSet, *, seed: int | None = None, frame: Any = None) -> Array:
        """Train the recipe on other rows and return what it says of the holdout."""
        chosen = declared(self.workspace, self.version.model).tuned(dict(self.version.parameters))  # type: ignore[arg-type]
        pipeline = fit(chosen, rows, self.seed if seed is None else seed)
        seen = self.frame if frame is None else frame
        return predict(pipeline, seen, task=rows.task, columns=rows.columns)

    def _evaluation(self, mutant: Mutant) -> Evaluation | None:
        made: Mapping[str, Any] = {
            "answers": self._other_answers,
            "inputs": self._other_inputs,
            "training": self._other_training,
            "holdout": self._nothing,
        }
        found: Evaluation | None = made[mutant.made](mutant.name)
        return found

    def _rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def _other_answers(self, name: str) -> Evaluation | None:
        inside = self._slice(name)
        made = broken_answers(name, self.answers, self.version.task, self._rng(name), inside)
        return None if made is None else self.judged(made)

    def _slice(self, name: str) -> Array | None:
        """Return the rows of the largest slice, or of the smallest that is large enough to be judged."""
        known = [rows for rows in self._inside.values() if rows.sum() >= LEAST_IN_SLICE and not rows.all()]
        if not known:
            return None
        return (max if name == "largest_slice_broken" else min)(known, key=lambda rows: int(rows.sum()))

    @cached_property
    def _inside(self) -> dict[str, Array]:
        return rows_inside(self.workspace, self.version, self.holdout)

    @cached_property
    def _trained(self) -> pa.Table | None:
        return trained_nights(self.workspace, self.version)

    def _other_inputs(self, name: str) -> Evaluation | None:
        numbers = [each for each in leaned_on(self.workspace, self.version) if each in self.version.numeric]
        frame = self.frame.copy()
        if name in UNITS:
            place, factor = UNITS[name]
            if place >= len(numbers):
                return None
            frame[numbers[place]] = frame[numbers[place]] * factor
        else:
            if len(numbers) < 2:  # noqa: PLR2004 - two columns to swap
                return None
            one, other = numbers[:2]
            frame[[one, other]] = frame[[other, one]].to_numpy()
        answers = predict(self.pipeline, frame, task=self.rows.task, columns=self.rows.columns)
        seen = (
            faults_between(self._trained, frame, self.holdout["group"].to_pylist()) if self._trained else ()
        )
        return self.judged(answers, feed_faults=seen)

    def _other_training(self, name: str) -> Evaluation:
        rng, rows = self._rng(name), self.rows
        if name == "stale":
            return self.judged(self.trained(rows.take(np.arange(int(len(rows) * OLDEST_SHARE)))))
        if name == "leaked_feature":
            return self._leaked(rng)
        labels = rows.labels.copy()
        drawn = (
            np.arange(len(rows))
            if name == "labels_shuffled"
            else np.flatnonzero(rng.random(len(rows)) < NOISY_SHARE)
        )
        labels[drawn] = labels[rng.permutation(drawn)]
        return self.judged(self.trained(replace(rows, labels=labels)))

    def _leaked(self, rng: np.random.Generator) -> Evaluation:
        """Show the recipe the label itself: nothing but the search for leaks can tell that from a good model."""
        from perennial.engine.leak_signs import statistical_signs

        told = self.holdout["label"].to_numpy(zero_copy_only=False)
        both = np.concatenate([_numbers(self.rows.labels), _numbers(told, self.rows.labels)])
        blurred = both + LEAK_BLUR * both.std() * rng.standard_normal(len(both))
        rows, frame = self.rows.rows.copy(), self.frame.copy()
        rows[LEAKED], frame[LEAKED] = blurred[: len(rows)], blurred[len(rows) :]
        columns = replace(self.rows.columns, numeric=(*self.rows.columns.numeric, LEAKED))
        seen = replace(self.rows, rows=rows, columns=columns)
        signs = statistical_signs(seen, seed=self.seed, new=(LEAKED,), times=None)
        return self.judged(self.trained(seen, frame=frame), leaks=tuple(signs))

    def _nothing(self, name: str) -> Evaluation:
        del name
        return self.judged(self.answers, tallies=(), slices=())


def _numbers(labels: Array, known: Array | None = None) -> Array:
    """Number labels: classes by their order."""
    if labels.dtype.kind in "biuf":
        return labels.astype(float)
    names = sorted({str(each) for each in (labels if known is None else known)})
    places = {name: place for place, name in enumerate(names)}
    return np.asarray([places.get(str(each), -1) for each in labels], dtype=float)
