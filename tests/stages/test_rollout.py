"""A version that passed its gates reaches production by declared steps, and stays there while it deserves to.

The good model knows sizes and places, the poor one only clicks, which say nothing: nights soon tell them apart.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, TIMED, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.facts.canary import in_canary
from perennial.ledger.base import Entry, NewEntry
from perennial.stages import datasets
from perennial.stages.deploy import promote
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.rollout import begin, look
from perennial.stages.rollout_state import KINDS, standing
from perennial.stages.score import score
from perennial.stages.shadow import served_by_canary
from perennial.stages.train import assemble, fit
from perennial.workspace import Workspace

GOOD, POOR, TWIN = "1", "2", "3"
NIGHT = after(BIRTH, 2)
"""The night on which a version begins its rollout."""
NEXT = after(NIGHT)
"""The first night on which the poor version serves where it was promoted."""
POOR_TEMPLATE = TIMED.replace("[place, size, weight, clicks]", "[clicks]")
LATER = 34
"""Nights after the first model's birth whose deliveries are there."""


@pytest.fixture(scope="session")
def two(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project with a good champion, and a poor version and one as good trained beside it; never to be written to."""
    made = Project(tmp_path_factory.mktemp("two") / "project").declare()
    made.deliver(FIRST, after(BIRTH, LATER))
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    pass_night(workspace, MODEL, after(BIRTH))
    made.declare(POOR_TEMPLATE, features=None)
    (made.folder / "features.py").unlink()
    workspace = made.workspace(registry_database)
    pass_night(workspace, MODEL, NIGHT)
    assert fit(workspace, MODEL, assemble(workspace, MODEL, NIGHT)).version == POOR
    workspace = made.declare().workspace(registry_database)
    assert fit(workspace, MODEL, assemble(workspace, MODEL, NIGHT)).version == TWIN
    return made


@pytest.fixture
def both(two: Project, tmp_path: Path, registry_database: Path) -> "Rollouts":
    """Copy the project, to do with it as a test likes."""
    return Rollouts(two.copied_to(tmp_path / "copy"), registry_database)


class Rollouts:
    """A project with two versions, and what a test does with it."""

    def __init__(self, project: Project, database: Path) -> None:
        """Open it with no rollout declared."""
        self.project, self.database = project, database
        self.declare("")

    def declare(self, rollout: str) -> Workspace:
        """Declare a rollout, as ``{...}``, and open the workspace anew."""
        more = f"rollout: {rollout}\n" if rollout else ""
        self.project.declare(POOR_TEMPLATE, features=None, more=more + "retraining: {on_new_recipe: false}\n")
        self.workspace = replace(self.project.workspace(self.database), quiet=True)
        return self.workspace

    def passes(self, version: str, night: str) -> None:
        """Say that the gates passed a version, whatever it is worth."""
        said = NewEntry(
            MODEL, "passed", f"{version}-{night}", night, "test", "It passed.", {"candidate": version}
        )
        self.workspace.ledger.append(said)

    def begin(self, version: str, night: str) -> Entry:
        """Begin the rollout of a version."""
        self.passes(version, night)
        return begin(self.workspace, MODEL, version, night)

    def nights(self, first: int, last: int) -> Iterator[str]:
        """Let nights after the begin pass, as long as they are asked for."""
        for night in between(after(NIGHT, first), after(NIGHT, last)):
            pass_night(self.workspace, MODEL, night)
            yield night

    def until(self, *kinds: str) -> Entry:
        """Let nights pass until a line of one of these kinds is recorded."""
        for _ in self.nights(1, LATER - 3):
            found = self.workspace.ledger.last(MODEL, *kinds)
            if found is not None:
                return found
        raise AssertionError(f"no {kinds} in {LATER - 3} nights: {self.said()}")

    def said(self) -> list[str]:
        """List the kinds of what a rollout recorded."""
        kinds = (*KINDS, "promoted", "rolled_back", "rollout_refused")
        return [entry.kind for entry in self.workspace.ledger.entries(MODEL, kinds)]

    def serves(self, night: str | None = None) -> str:
        """Name who serves."""
        now = self.workspace.ledger.champion(MODEL, night)
        assert now is not None
        return now.version


def test_without_steps_a_version_serves_at_once(both: Rollouts) -> None:
    """Nothing declared, nothing changed: the night after its gates it is the champion, and nothing is watched."""
    assert both.begin(POOR, NIGHT).kind == "promoted"
    assert both.serves(after(NIGHT)) == POOR
    assert both.said() == ["promoted", "promoted"]


def test_a_better_version_is_promoted_from_its_shadow(both: Rollouts) -> None:
    """It scores the same nights unused, and when its mature nights have told, it serves; the ledger says on what."""
    both.begin(POOR, NIGHT)
    both.declare("{steps: [shadow]}")
    assert both.begin(GOOD, NEXT).kind == "shadow_started"
    ended = both.until("shadow_ended")
    assert ended.evidence["outcome"] == "better"
    assert both.serves() == GOOD
    assert both.serves(after(ended.night, -1)) == POOR
    assert both.said()[-3:] == ["shadow_started", "promoted", "shadow_ended"]
    assert "goes on to production" in ended.reason


def test_only_the_champion_is_used_while_another_is_in_its_shadow(both: Rollouts) -> None:
    """The published predictions are the champion's alone; what the other said lies apart, for the same rows."""
    both.declare("{steps: [shadow]}")
    both.begin(POOR, NIGHT)
    (night,) = both.nights(1, 1)
    store = both.workspace.store
    served = store.read(datasets.predictions(MODEL), night)
    beside = store.read(datasets.shadow(MODEL), night)
    assert set(served["version"].to_pylist()) == {GOOD}
    assert set(beside["version"].to_pylist()) == {POOR}
    assert served["order_id"].to_pylist() == beside["order_id"].to_pylist()
    assert served["prediction"].to_pylist() != beside["prediction"].to_pylist()


def test_a_worse_version_is_stopped_in_its_shadow(both: Rollouts) -> None:
    """Nobody is ever served by it."""
    both.declare("{steps: [shadow]}")
    both.begin(POOR, NIGHT)
    ended = both.until("shadow_ended")
    assert ended.evidence["outcome"] == "worse"
    assert both.serves() == GOOD
    assert standing(both.workspace, MODEL, ended.night).rolling is None
    last = [*both.nights(LATER - 2, LATER - 2)][-1]
    assert not both.workspace.store.version(datasets.shadow(MODEL), last)


def test_a_version_waits_until_labels_are_mature(both: Rollouts) -> None:
    """Labels come a night later: what was scored and has none is waited for, and counts for nothing."""
    both.declare("{steps: [shadow]}")
    both.begin(POOR, NIGHT)
    list(both.nights(1, 3))
    (looked,) = look(both.workspace, MODEL, after(NIGHT, 3))
    assert looked.decision.verdict.value == "hold"
    assert "2 nights are mature, 1 wait for labels" in looked.decision.reason


@pytest.mark.parametrize(("then", "serves"), [("keep", GOOD), ("promote", TWIN)])
def test_an_undecided_version_ends_as_declared(both: Rollouts, then: str, serves: str) -> None:
    """At the horizon the kind of change decides, as model.yaml says: here a refresh that is as good."""
    both.declare(f"{{steps: [shadow], horizon_nights: 14, when_undecided: {{refresh: {then}}}}}")
    both.begin(TWIN, NIGHT)
    ended = both.until("shadow_ended")
    assert ended.evidence["outcome"] == "undecided"
    assert f"`when_undecided` says {then} for a refresh" in ended.reason
    assert both.serves() == serves


def test_a_canary_answers_a_fixed_hashed_share(both: Rollouts) -> None:
    """Every row is answered by exactly one version, which it names, and anyone can compute by which."""
    both.begin(POOR, NIGHT)
    both.declare("{steps: [canary], canary_share: 0.3}")
    started = both.begin(GOOD, NEXT)
    assert started.kind == "canary_started"
    *_, night = both.nights(1, 2)
    served = served_by_canary(both.workspace, MODEL, night)
    assert served is not None
    salt = str(started.evidence["salt"])
    named = dict(zip(served["order_id"].to_pylist(), served["version"].to_pylist(), strict=True))
    assert len(named) == served.num_rows == both.project.world.rows
    assert {key: GOOD if in_canary(key, salt, 0.3) else POOR for key in named} == named
    assert set(named.values()) == {GOOD, POOR}
    beside = both.workspace.store.read(datasets.shadow(MODEL), night)
    own = dict(zip(beside["order_id"].to_pylist(), beside["prediction"].to_pylist(), strict=True))
    rows = zip(served["order_id"].to_pylist(), served["prediction"].to_pylist(), strict=True)
    assert all(score == own[key] for key, score in rows if named[key] == GOOD)


def test_a_canary_follows_a_shadow_and_leads_to_production(both: Rollouts) -> None:
    """Each step is a line of the ledger with its own end."""
    both.begin(POOR, NIGHT)
    both.declare("{steps: [shadow, canary], canary_nights: 5}")
    both.begin(GOOD, NEXT)
    both.until("canary_ended")
    assert both.said()[2:] == [
        "shadow_started",
        "canary_started",
        "shadow_ended",
        "promoted",
        "canary_ended",
    ]
    assert both.serves() == GOOD


def test_a_bad_promotion_is_rolled_back(both: Rollouts) -> None:
    """The version before goes on scoring; when the nights have told, it serves again, by name and with the reason."""
    both.declare("{watch_nights: 30}")
    both.begin(POOR, NIGHT)
    assert both.said()[-2:] == ["promoted", "watch_started"]
    ended = both.until("watch_ended")
    assert ended.evidence["outcome"] == "rolled back"
    back = both.workspace.ledger.last(MODEL, "rolled_back")
    assert back is not None
    assert (back.evidence["version"], back.evidence["from"], back.actor) == (GOOD, POOR, "rollout")
    assert both.serves() == GOOD
    pass_night(both.workspace, MODEL, back.night)
    opened = [
        entry
        for entry in both.workspace.ledger.entries(MODEL, {"finding_opened"})
        if "is rolled back to version 1" in entry.reason
    ]
    assert [entry.night for entry in opened] == [back.night]


def test_two_models_do_not_swap_places(both: Rollouts) -> None:
    """A version that was rolled back from is not promoted again by itself, and no watch returns to it."""
    both.declare("{watch_nights: 30}")
    both.begin(POOR, NIGHT)
    ended = both.until("watch_ended")
    again = both.begin(POOR, ended.night)
    assert again.kind == "rollout_refused"
    assert "was rolled back from" in again.reason
    assert both.serves() == GOOD
    assert standing(both.workspace, MODEL, after(ended.night, 3)).watch is None


def test_a_good_promotion_keeps_its_place(both: Rollouts) -> None:
    """The watch over a version that is no worse ends, and it serves on."""
    both.begin(POOR, NIGHT)
    both.declare("{watch_nights: 10}")
    both.passes(GOOD, NEXT)
    promote(both.workspace, MODEL, GOOD, NEXT)
    ended = both.until("watch_ended")
    assert ended.evidence["outcome"] == "kept"
    assert both.serves() == GOOD


def test_a_version_that_fails_in_its_shadow_is_stopped_and_harms_nobody(both: Rollouts) -> None:
    """Its bytes are gone: the champion's night is whole all the same, and the rollout ends with what happened."""
    both.declare("{steps: [shadow]}")
    both.begin(POOR, NIGHT)
    good = both.workspace.registry.version(MODEL, GOOD).sha256
    for path in both.project.root.rglob("*.skops"):
        if hashlib.sha256(path.read_bytes()).hexdigest() != good:
            path.write_bytes(b"gone")
    (night,) = both.nights(1, 1)
    assert both.workspace.store.version(datasets.predictions(MODEL), night)
    ended = both.workspace.ledger.last(MODEL, "shadow_ended")
    assert ended is not None
    assert ended.evidence["outcome"] == "broken"


def test_looking_again_changes_nothing(both: Rollouts) -> None:
    """A task that is retried, or killed after any of its lines, comes to the same."""
    both.begin(POOR, NIGHT)
    both.declare("{steps: [shadow]}")
    both.begin(GOOD, NEXT)
    ended = both.until("shadow_ended")
    lines = len(both.workspace.ledger.entries())
    night = after(ended.night, -1)
    score(both.workspace, MODEL, night)
    (again,) = look(both.workspace, MODEL, night)
    assert again.decision.reason == ended.reason
    assert len(both.workspace.ledger.entries()) == lines
