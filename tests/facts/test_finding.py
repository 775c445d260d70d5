"""One problem is one finding over its nights, in whatever order they were judged."""

import numpy as np
from benchmarks.findings import spells
from hypothesis import given
from hypothesis import strategies as st

from perennial.clock import after
from perennial.facts.finding import RECOVERED_AFTER, Finding, Followed, Sign

FIRST = "2013-05-01"
LOUD, QUIET = (
    Sign("night_shift", "page", "changed_world", columns=("distance",)),
    Sign("night_shift", "quiet"),
)
LEARNING = Sign("night_shift", "learning")


def night(days: int) -> str:
    """Name a night."""
    return after(FIRST, days)


def followed(*nights: list[Sign]) -> Followed:
    """Follow signs from the first night on."""
    return Followed("delay").through((night(i), signs) for i, signs in enumerate(nights))


def test_a_problem_keeps_its_identity_over_its_nights() -> None:
    """First night, last night, nights, causes and columns are told of one finding."""
    (one,) = followed([LOUD], [QUIET], [LOUD]).findings
    assert (one.first_night, one.last_night, one.nights) == (night(0), night(2), 2)
    assert (one.problem, one.causes, one.columns) == ("inputs", ("changed_world",), ("distance",))
    assert one.id == followed([LOUD]).findings[0].id


def test_a_finding_is_read_as_a_verdict_keeps_it() -> None:
    """Beside it stands what the night made of it, which belongs to the night."""
    (one,) = followed([LOUD]).findings
    assert Finding.from_json({**one.as_json(), "life": "opened"}) == one


def test_a_finding_is_over_after_a_week_of_quiet_nights() -> None:
    """Not a night earlier, and the next problem is another one."""
    waiting = followed([LOUD], *[[QUIET]] * (RECOVERED_AFTER - 1))
    assert waiting.findings[0].life(night(RECOVERED_AFTER - 1)) == "waits"
    over = waiting.after(night(RECOVERED_AFTER), [QUIET])
    assert over.findings[0].life(night(RECOVERED_AFTER)) == "recovered"
    again = over.after(night(RECOVERED_AFTER + 1), [LOUD])
    assert [one.life(night(RECOVERED_AFTER + 1)) for one in again.findings] == ["opened"]
    assert again.findings[0].id != over.findings[0].id


def test_nights_that_tell_nothing_are_not_quiet() -> None:
    """Learning nights, silent nights and nights without a verdict neither end a finding nor keep it."""
    silent = [Sign("delivery", "silent", "silent_source")]
    (one,) = [f for f in followed([LOUD], *[[LEARNING]] * 20, silent).findings if f.problem == "inputs"]
    assert (one.quiet_nights, one.ended) == (0, None)


def test_a_notice_that_becomes_a_page_is_graver_once() -> None:
    """What was only recorded is told when it gets grave, and not again."""
    notice = Sign("night_shift", "notice")
    seen = followed([notice])
    assert not seen.findings[0].told
    seen = seen.after(night(1), [LOUD])
    assert (seen.findings[0].life(night(1)), seen.findings[0].told) == ("graver", True)
    assert seen.after(night(2), [LOUD]).findings[0].life(night(2)) == "goes_on"


def test_a_broken_feed_and_a_changed_relation_are_two_findings() -> None:
    """Arms that see one problem share a finding; causes of other families have their own."""
    feed = [Sign("night_shift", "page", "broken_feed"), Sign("residual_drift", "notice", "broken_feed", "1")]
    relation = [QUIET, Sign("residual_drift", "page", "concept", "1")]
    found = followed(feed, relation).findings
    assert [(one.problem, one.arms) for one in found] == [
        ("feed", ("night_shift", "residual_drift")),
        ("relation", ("residual_drift",)),
    ]


def test_another_version_ends_what_was_found_of_the_one_before() -> None:
    """The relation is a version's own; what the project did stays with the finding."""
    asked = Sign("residual_drift", "page", "concept", "1", done="a training was asked for")
    found = followed([asked], [Sign("residual_drift", "learning", version="2")])
    (one,) = found.findings
    assert (one.ended, one.how) == (night(1), "version 2 serves now")
    assert one.done == (f"{night(0)}: a training was asked for",)


def test_missing_deliveries_are_one_finding_until_a_whole_night() -> None:
    """Silence of three nights is one finding, over with the first night that came."""
    silent, whole = [Sign("delivery", "silent", "silent_source")], [Sign("delivery", "quiet")]
    seen = followed(silent, silent, silent, whole)
    (one,) = seen.findings
    assert (one.nights, one.ended, one.gravest) == (3, night(3), "silent")


@given(st.lists(st.sampled_from([[LOUD], [QUIET], [LEARNING]]), max_size=40), st.randoms())
def test_the_order_in_which_nights_are_judged_changes_nothing(nights, random) -> None:
    """A night that was judged late counts as if it had been judged in time."""
    told = [(night(i), signs) for i, signs in enumerate(nights)]
    mixed = random.sample(told, len(told))
    assert Followed("delay").through(mixed) == Followed("delay").through(told)


@given(st.lists(st.sampled_from([[LOUD], [QUIET]]), max_size=60))
def test_what_is_kept_goes_on_as_if_it_had_never_been_written(nights) -> None:
    """Findings and signs survive being written; the benchmark's rule is this rule."""
    seen, ends = Followed("delay"), 0
    for i, signs in enumerate(nights):
        kept = Followed("delay", tuple(Finding.from_json(one.as_json()) for one in seen.findings))
        seen = kept.after(night(i), [Sign.from_json(sign.as_json()) for sign in signs])
        ends += sum(one.ended == night(i) for one in seen.findings)
    told = spells(np.array([signs == [LOUD] for signs in nights], bool), RECOVERED_AFTER)
    assert ends == sum(end is not None for end in told.ends)
    assert [one.first_night for one in seen.findings if not one.ended] == [
        night(begin) for begin, end in zip(told.begins, told.ends, strict=True) if end is None
    ]
