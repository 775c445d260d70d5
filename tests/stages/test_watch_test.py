"""A watch is tried on its own nights: loud changes page at once, and nothing of the model's is written."""

from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import FIRST, MODEL, Project, World

from perennial.clock import after
from perennial.facts.injected_shifts import PERMUTED, SHIFTS
from perennial.stages import datasets
from perennial.stages.candidates import champion
from perennial.stages.profiling import input_streams
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.watch_test import NO_PAIR, Asked, watch_test
from perennial.stages.watch_test_inputs import Stand
from perennial.stages.watch_test_labels import DELAYS

BIRTH = after(FIRST, 99)
LAST = after(BIRTH, 17)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def watched(registry_database: Path, tmp_path_factory: pytest.TempPathFactory):
    """Let seventeen nights pass under a first version of a hundred; its nights are never changed."""
    project = Project(tmp_path_factory.mktemp("watched") / "project", world=World(1)).declare()
    project.deliver(FIRST, LAST)
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    for days in range(1, 18):
        pass_night(workspace, MODEL, after(BIRTH, days))
    return workspace


def files(workspace) -> set[str]:
    """List every published file."""
    return {
        str(path.relative_to(workspace.store.root))
        for path in workspace.store.root.rglob("*")
        if path.is_file()
    }


def test_loud_changes_page_and_only_the_result_is_written(watched) -> None:
    """Another unit, many nulls and a lost category page on the first night; past pages stand beside the budget."""
    before, entries = files(watched), len(watched.ledger.entries(MODEL))
    found = watch_test(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    within = {one.change: one.within for one in found.found}
    assert all(within[name]["1"] == 4 for name in ("nulls 20 %", "lost category"))
    assert within["mean +0.05 sd"]["7"] <= within["mean +1 sd"]["7"]
    assert {"labels +.1, known after 1 night", "predictions +.5"} <= set(within)
    assert all("watch-tests" in path for path in files(watched) - before)
    assert len(watched.ledger.entries(MODEL)) == entries
    past = {one.arm: one for one in found.past}
    assert past["night_shift"].nights == 17
    assert past["night_shift"].low <= past["night_shift"].pages * 90 / 17 <= past["night_shift"].high
    assert past["night_shift, walked again"].nights > past["night_shift"].nights
    again = watch_test(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    assert again.as_json() == found.as_json()
    assert watched.store.keys(datasets.watch_tests(MODEL)) == [LAST]


def test_a_delay_of_labels_puts_every_page_off_by_as_much(watched) -> None:
    """Labels known after 1, 7 and 30 nights are tried beside the declared delay: what is found is found later."""
    found = watch_test(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    by = {one.change: one for one in found.found if one.change.startswith("labels +.2")}
    declared = watched.spec(MODEL).label.delay_days
    assert by.keys() == {
        f"labels +.2, known after {delay} night{'s' * (delay > 1)}" for delay in sorted({declared, *DELAYS})
    }
    soon, late = by["labels +.2, known after 1 night"], by["labels +.2, known after 30 nights"]
    assert soon.median is not None
    assert late.median == soon.median + 29
    assert soon.by == late.by != ""
    assert late.within["28"] == 0


def test_a_stopped_test_goes_on_where_it_was(watched) -> None:
    """What was tried is kept change by change, and is not tried again; other settings begin anew."""
    version, asked = champion(watched, MODEL, LAST), Asked(seed=3, trials=1)

    def first_two(steps):
        yield from steps[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch_test(watched, MODEL, LAST, version, asked, first_two)
    kept = watched.store.manifest(datasets.watch_tests(MODEL), LAST)
    assert kept.meta["whole"] is False

    def refuse():
        raise AssertionError

    def not_again(steps):
        return [(name, refuse if place < 2 else make) for place, (name, make) in enumerate(steps)]

    found = watch_test(watched, MODEL, LAST, version, asked, not_again)
    assert [one.change for one in found.found][:2] == ["mean +0.05 sd", "mean +0.1 sd"]
    assert all(one.trials == 1 for one in found.found)
    with pytest.raises(AssertionError):
        watch_test(watched, MODEL, LAST, version, Asked(seed=4, trials=1), not_again)


def test_what_is_tolerated_is_recorded_and_pages_nobody(
    watched, registry_database: Path, tmp_path: Path
) -> None:
    """A page is weighed as the monitor weighs it: the settings as they stand decide what wakes somebody."""
    project = Project(watched.project, world=World(1)).copied_to(tmp_path / "lenient")
    project.declare(more="monitoring: {features: {clicks: {tolerated: 100}}}")
    lenient = project.workspace(registry_database)
    version = champion(lenient, MODEL, LAST)
    by = {name: Stand(of, MODEL, LAST, version) for name, of in (("as it is", watched), ("lenient", lenient))}
    start = by["as it is"].starts(28)[0]
    trials = {
        name: stand.trial(SHIFTS["mean +1 sd"], "clicks", start, np.random.default_rng(1))
        for name, stand in by.items()
    }
    assert (trials["as it is"].paged, trials["as it is"].noticed) == (1, 1)
    assert (trials["lenient"].paged, trials["lenient"].noticed) == (None, 1)


def test_a_lost_link_is_found_where_the_pair_is_declared(
    watched, registry_database: Path, tmp_path: Path
) -> None:
    """Without a declared pair it is said that nothing watches it; with one the trial permutes one of the two."""
    bare = Stand(watched, MODEL, LAST, champion(watched, MODEL, LAST))
    assert bare.wanted(SHIFTS[PERMUTED]) == ["size", "weight", "clicks"]
    assert NO_PAIR in watch_test(watched, MODEL, LAST, bare.version).not_tried
    project = Project(watched.project, world=World(1)).copied_to(tmp_path / "paired")
    project.declare(more="monitoring: {pairs: [[size, clicks]]}")
    paired = project.workspace(registry_database)
    input_streams(paired, MODEL, LAST, bare.version.plan)
    stand = Stand(paired, MODEL, LAST, bare.version)
    assert stand.wanted(SHIFTS[PERMUTED]) == ["size", "clicks"]
    assert any(one.aspect == "association" for one in stand.watch.streams)
    trial = stand.trial(SHIFTS[PERMUTED], "clicks", stand.starts(28)[0], np.random.default_rng(1))
    assert trial.paged is None  # these two go together by chance only, so nothing is lost


def test_what_cannot_be_tried_is_said(watched) -> None:
    """No nights to begin on, labels that are not in, a watch that still learns, nights that nobody profiled."""
    version = champion(watched, MODEL, LAST)
    early = watch_test(watched, MODEL, after(BIRTH), version)
    assert any("labels" in why and "14 are needed" in why for why in early.not_tried)
    young = watch_test(watched, MODEL, after(FIRST, 40), version)
    assert any("still learning" in why for why in young.not_tried)
    none = watch_test(watched, MODEL, FIRST, version)
    assert none.found == ()
    assert none.reason.startswith("Of 0 changes")
    assert "No night has been judged yet" in none.reason
