"""Thirty live nights: quiet when nothing happens, a request when the relation moves, and none when a feed breaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project, World

from perennial.clock import after
from perennial.stages.replay import Passed, load_history, pass_night, renew
from perennial.stages.verdict import Watched

SEED = 1
BIRTH = after(FIRST, 109)
"""The first model trains on the first half of a stationary history and is watched over what follows."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def grown(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project of 110 nights whose model serves from the next; never to be written to."""
    project = Project(tmp_path_factory.mktemp("grown") / "project", world=World(SEED)).declare()
    project.deliver(FIRST, BIRTH)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    return project


def live(
    grown: Project, root: Path, database: Path, nights: int, since: int, **changed: object
) -> Iterator[Passed]:
    """Let nights pass; from ``since`` on the world is changed."""
    project = grown.copied_to(root)
    project.world = World(SEED)
    workspace = project.workspace(database)
    for days in range(1, nights + 1):
        if days == since:
            project.world = World(SEED, **changed)  # type: ignore[arg-type]
        project.deliver(after(BIRTH, days))
        yield pass_night(workspace, MODEL, after(BIRTH, days))


def states(watched: list[Watched]) -> set[str]:
    """List the states of nights."""
    return {one.state for one in watched}


def test_a_model_of_half_a_stationary_history_pages_nobody(
    grown: Project, registry_database: Path, tmp_path: Path
) -> None:
    """Thirty live nights like those before: no page, no request, and each has a verdict."""
    watched = [night.watched for night in live(grown, tmp_path / "calm", registry_database, 30, 0)]
    assert states(watched) <= {"quiet", "learning"}
    assert all(one.asks is None for one in watched)
    assert "residual_drift" in watched[-1].arms


def test_labels_that_no_longer_follow_are_found_and_answered(
    grown: Project, registry_database: Path, tmp_path: Path
) -> None:
    """The slow arm finds it, the cause is the concept, retraining goes ahead once the cooldown is over."""
    passed = list(live(grown, tmp_path / "shift", registry_database, 20, 6, shift=1.5))
    found = next(night for night in passed if night.watched.state == "page")
    assert found.night >= after(BIRTH, 6)
    assert found.watched.cause == "concept"
    assert found.watched.asks == "drift"
    assert found.watched.arms["residual_drift"]["outcome"] == "page"
    renewals = [night.renewal for night in passed if night.renewal]
    trained = [renewal for renewal in renewals if renewal.version]
    assert [renewal.version for renewal in trained] == ["2"]
    assert "asked for by drift (concept)" in trained[0].asked.reason
    assert trained[0].gates is not None


def test_a_relation_that_turns_is_found_where_the_mean_stays(
    grown: Project, registry_database: Path, tmp_path: Path
) -> None:
    """The watch by score finds it within a week of final labels, the slow arm does not; one night asks for nothing."""
    passed = list(live(grown, tmp_path / "turned", registry_database, 16, 6, steep=-0.8))
    assert states([night.watched for night in passed[:8]]) <= {"quiet", "learning"}
    found = next(night.watched for night in passed if night.watched.state == "page")
    assert found.night <= after(BIRTH, 16)
    assert (found.cause, found.asks) == ("concept", None)
    assert found.arms["residual_shape"]["outcome"] == "page"
    assert "label minus prediction for scores" in found.reason
    assert not [night for night in passed if night.watched.arms["residual_drift"]["outcome"] == "page"]


@pytest.mark.parametrize(
    "broken", [{"size_unit": 1000.0}, {"empty": ("weight",)}], ids=["another unit", "an empty column"]
)
def test_a_broken_feed_pages_and_is_never_learned_from(
    grown: Project, registry_database: Path, tmp_path: Path, broken: dict[str, object]
) -> None:
    """From the first night on and on every later one its cause is the feed, and no training is asked for."""
    passed = list(live(grown, tmp_path / "broken", registry_database, 18, 4, **broken))
    assert states([night.watched for night in passed[:3]]) <= {"quiet", "learning"}
    assert passed[3].watched.state == "page"
    loud = [night for night in passed[3:] if night.watched.state in ("page", "notice")]
    assert {night.watched.cause for night in loud} == {"broken_feed"}
    assert not [night.night for night in passed if night.watched.asks or night.renewal]
