"""What no model can answer for is found beside the detectors: labels that stop coming, and rows served otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import after
from perennial.facts.decision import Decision
from perennial.facts.reading import Reading
from perennial.facts.skew import Cause, Difference, FeatureSkew, Skew
from perennial.stages.arms import BESIDE, arm_of_skew, arms_beside
from perennial.stages.monitor import conclude
from perennial.stages.realised import performance_of
from perennial.stages.verdict import Arm

NIGHT = after(FIRST, 30)


def test_labels_that_stop_coming_page_by_their_own_words(registry_database: Path, tmp_path: Path) -> None:
    """Nobody asks triage, which looks at rows, and no model is trained on labels that are not there."""
    workspace = Project(tmp_path / "project").declare().workspace(registry_database)
    found = performance_of(workspace, MODEL, NIGHT, None)
    assert arms_beside(workspace, MODEL, NIGHT, None, found, {}) == []
    fallen = Reading(NIGHT, "labels", "over", "Half came.", statistic=9.0, threshold=3.0, p=0.001, tail=0.1)
    found = replace(found, labels=replace(found.labels, reading=fallen))
    arms = arms_beside(workspace, MODEL, NIGHT, None, found, {})
    watched = conclude(workspace, MODEL, NIGHT, arms, [], None)
    assert (watched.state, watched.cause, watched.asks) == ("page", None, None)
    assert watched.action == BESIDE["labels"]


@pytest.mark.parametrize(("cause", "outcome"), [(None, "quiet"), ("late", "notice"), ("outside", "page")])
def test_skew_pages_only_where_nothing_explains_it(cause: Cause | None, outcome: str) -> None:
    """Rows that came late are noted; a view that reads what training will not find wakes somebody."""
    differs = Difference("clicks", 3, 0.4, ())
    features = (FeatureSkew(differs, cause, "So it is."),) if cause else ()
    skew = Skew(NIGHT, "1", "differs" if cause else "match", "Said.", features=features)
    arm = arm_of_skew(NIGHT, skew)
    assert (arm.outcome, arm.reading.state) == (outcome, "over" if outcome == "page" else "quiet")
    assert arm.crossing is None


def test_rows_that_agree_do_not_make_a_night_quiet(registry_database: Path, tmp_path: Path) -> None:
    """While the detectors are learning, nothing was looked at that could have moved: the night is no quiet one."""
    workspace = Project(tmp_path / "project").declare().workspace(registry_database)
    alike = arm_of_skew(NIGHT, Skew(NIGHT, "1", "match", "All agree."))
    reading = Reading(NIGHT, "night_shift", "learning", "12 nights more.")
    learning = Arm("night_shift", "learning", reading, Decision.held("12 nights more."), None)
    watched = conclude(workspace, MODEL, NIGHT, [learning, alike], [], None)
    assert (watched.state, watched.reason) == ("learning", "12 nights more.")
