"""Quarantined rows are published by a person's word, whole or not at all, and never as something they are not."""

import pytest
from tests.doubles.projects import FIRST, MODEL

from perennial.clock import after, end_of
from perennial.errors import (
    BatchRejectedError,
    CorrectionWaitsError,
    NotAcceptableError,
    NotInQuarantineError,
    NotRowsError,
    UnknownEntryError,
)
from perennial.stages import datasets
from perennial.stages.accepting import accept, accept_as_asked, accept_correction
from perennial.stages.build_features import build_features
from perennial.stages.replay import load_history
from perennial.stages.validate import close_night, take_in_range

NIGHT = after(FIRST, 3)
CHECKED = "between: {column: clicks, low: 0, high: 100}"
WORD = {"reason": "Seen: a robot, but a customer.", "actor": "ann"}


@pytest.fixture
def workspace(project, registry_database):
    """Take four nights in; on the last, the rows of lines 3, 5 and 7 break a rule."""
    project.declare().deliver(FIRST, after(FIRST, 6))
    declaration = (project.folder / "model.yaml").read_text()
    sized = "between: {column: size, low: -1e9, high: 1e9}"
    (project.folder / "model.yaml").write_text(declaration.replace(sized, CHECKED))
    rows = project.read("orders", NIGHT)
    rows[1]["clicks"], rows[3]["clicks"], rows[5]["clicks"] = 1000, "many", 2000
    project.write("orders", NIGHT, rows)
    opened = project.workspace(registry_database)
    load_history(opened, MODEL, FIRST, NIGHT)
    return opened


def published(workspace, night: str = NIGHT) -> dict[str, dict[str, object]]:
    """Read a night's orders by their key."""
    return {
        row["order_id"]: row
        for row in workspace.store.read(datasets.table(MODEL, "orders"), night).to_pylist()
    }


def test_a_row_that_a_check_refused_can_be_accepted(workspace) -> None:
    """It joins its night with its declared types, leaves the quarantine, and the night is closed anew."""
    done = accept(workspace, MODEL, NIGHT, "orders", [3], **WORD)
    assert (done.rows, done.left, len(published(workspace))) == ((3,), 2, 58)
    assert published(workspace)[f"{after(NIGHT)}-001"]["clicks"] == 1000
    assert close_night(workspace, MODEL, NIGHT)["quarantined"] == 2
    (entry,) = workspace.ledger.entries(MODEL, {"rows_accepted"})
    assert (entry.actor, entry.evidence["rows"]) == ("ann", [3])


def test_text_does_not_become_a_number_by_anybodys_word(workspace) -> None:
    """The sentence names the row and its fault, and the others wait as well."""
    with pytest.raises(NotAcceptableError, match=r"row 5: .*clicks.*many"):
        accept(workspace, MODEL, NIGHT, "orders", None, **WORD)
    assert len(published(workspace)) == 57
    assert accept(workspace, MODEL, NIGHT, "orders", [3, 7], **WORD).left == 1


def test_the_same_delivery_again_keeps_what_was_accepted(workspace) -> None:
    """Running validate once more is harmless."""
    accept(workspace, MODEL, NIGHT, "orders", [3], **WORD)
    take_in_range(workspace, MODEL, "orders", NIGHT, NIGHT)
    assert len(published(workspace)) == 58


def test_rows_accepted_later_are_known_later(workspace) -> None:
    """Nights that were decided without them keep saying what they said."""
    later = after(NIGHT, 2)
    load_history(workspace, MODEL, after(NIGHT), later)
    accept(workspace, MODEL, NIGHT, "orders", [3], **WORD)
    row = published(workspace)[f"{after(NIGHT)}-001"]
    others = {each["known_at"] for key, each in published(workspace).items() if key != row["order_id"]}
    assert (row["known_at"], others) == (end_of(later, "UTC"), {end_of(NIGHT, "UTC")})


def test_a_delivery_that_was_held_back_whole_can_be_accepted_whole(project, workspace) -> None:
    """Then it counts as taken in, and taking it in again changes nothing."""
    night = after(NIGHT)
    rows = [{**row, "clicks": 999} for row in project.read("orders", night)]
    project.write("orders", night, rows)
    with pytest.raises(BatchRejectedError):
        take_in_range(workspace, MODEL, "orders", night, night)
    assert accept(workspace, MODEL, night, "orders", None, **WORD).left == 0
    assert len(published(workspace, night)) == 60
    assert take_in_range(workspace, MODEL, "orders", night, night).nights == 0


def test_a_row_whose_key_is_published_already_is_refused(project, workspace) -> None:
    """One key is one row."""
    rows = project.read("orders", NIGHT)
    twin = {**rows[0], "clicks": 5000}
    project.write("orders", NIGHT, [*rows, twin])
    take_in_range(workspace, MODEL, "orders", NIGHT, NIGHT)
    aside = workspace.store.read(datasets.quarantine(MODEL, "orders"), NIGHT)["row"].to_pylist()
    with pytest.raises(NotAcceptableError):
        accept(workspace, MODEL, NIGHT, "orders", aside, **WORD)


@pytest.mark.parametrize(("rows", "night"), [([4], NIGHT), ([99], NIGHT), (None, FIRST)])
def test_only_rows_that_are_in_quarantine_can_be_accepted(workspace, rows, night) -> None:
    """A slip in the number or the night is told, with the rows there are."""
    with pytest.raises(NotInQuarantineError, match=night):
        accept(workspace, MODEL, night, "orders", rows, **WORD)


def test_an_unknown_source_is_named(workspace) -> None:
    """With those there are."""
    with pytest.raises(UnknownEntryError, match="orders, outcomes"):
        accept(workspace, MODEL, NIGHT, "odrers", None, **WORD)


@pytest.fixture
def corrected(project, workspace):
    """Correct the newest night: one row gone, all others with so many clicks that the delivery is held back whole."""
    rows = [{**row, "clicks": 500} for row in project.read("orders", NIGHT)[1:]]
    project.write("orders", NIGHT, rows)
    with pytest.raises(BatchRejectedError):
        take_in_range(workspace, MODEL, "orders", NIGHT, NIGHT)
    return workspace


def features(workspace, night: str = NIGHT):
    """Build a night's features anew and read them."""
    build_features(workspace, MODEL, night)
    return workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), night)


def clicks(workspace) -> set[float]:
    """Read what features of the night say of clicks."""
    return set(features(workspace)["f:clicks"].to_pylist())


def test_all_rows_are_asked_back_while_a_correction_waits(corrected) -> None:
    """The answer says what it would replace and how each is accepted; nothing has changed."""
    with pytest.raises(CorrectionWaitsError, match="59 rows would take the place of the 57 that"):
        accept_as_asked(corrected, MODEL, NIGHT, "orders", "all", **WORD)
    assert len(published(corrected)) == 57
    assert accept_as_asked(corrected, MODEL, NIGHT, "orders", "3", **WORD).left == 2
    assert accept_correction(corrected, MODEL, NIGHT, "orders", **WORD).left == 0


def test_a_correction_that_was_held_back_takes_the_place_of_the_night(corrected) -> None:
    """Nobody has used the night since: its features are the corrected ones, and the same delivery again is done."""
    assert clicks(corrected) != {500}
    done = accept_as_asked(corrected, MODEL, NIGHT, "orders", "held", **WORD)
    assert (len(done.rows), done.left, len(published(corrected))) == (59, 0, 59)
    assert "56 rows change, 3 are new and 1 are gone" in done.reason
    assert clicks(corrected) == {500}
    assert close_night(corrected, MODEL, NIGHT)["quarantined"] == 0
    assert take_in_range(corrected, MODEL, "orders", NIGHT, NIGHT).nights == 0
    with pytest.raises(NotInQuarantineError, match="no correction that waits"):
        accept_correction(corrected, MODEL, NIGHT, "orders", **WORD)


def test_a_correction_of_a_night_that_was_used_is_known_later(corrected) -> None:
    """Its own rows are the corrected ones, later nights keep what they knew, and both versions stay readable."""
    load_history(corrected, MODEL, after(NIGHT), after(NIGHT, 2))
    later = features(corrected, after(NIGHT))
    accept_correction(corrected, MODEL, NIGHT, "orders", **WORD)
    rows = corrected.store.read(datasets.table(MODEL, "orders"), NIGHT).to_pylist()
    known = {row["superseded_at"] or row["known_at"] for row in rows}
    assert (len(rows), known) == (57 + 59, {end_of(after(NIGHT, 2), "UTC")})
    assert clicks(corrected) == {500}
    assert features(corrected, after(NIGHT)).equals(later)


def test_a_newer_delivery_makes_a_waiting_correction_void(project, corrected) -> None:
    """What was refused cannot take the place of what was corrected since."""
    project.deliver(NIGHT)
    take_in_range(corrected, MODEL, "orders", NIGHT, NIGHT)
    with pytest.raises(NotInQuarantineError):
        accept_correction(corrected, MODEL, NIGHT, "orders", **WORD)
    assert len(published(corrected)) == 60


@pytest.mark.parametrize("rows", ["two", "", "3;7"])
def test_rows_are_numbers_or_a_word(workspace, rows) -> None:
    """Anything else is a slip of the pen."""
    with pytest.raises(NotRowsError):
        accept_as_asked(workspace, MODEL, NIGHT, "orders", rows, **WORD)
