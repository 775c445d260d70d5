"""Text is read as Python reads it, or not at all: nothing is rounded, shifted or guessed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.engine.intake_casting import read_integer, read_number
from perennial.sources.base import read_instant

NEW_YORK = ZoneInfo("America/New_York")


@settings(derandomize=True)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_python_wrote_is_read_back_exactly(number: float) -> None:
    """Sixteen digits go in, sixteen come out."""
    assert read_number(repr(number)) == number


@settings(derandomize=True)
@given(st.integers(-(10**25), 10**25))
def test_a_whole_number_is_exact_or_refused(number: int) -> None:
    """A rounded identifier is another identifier."""
    for read in (read_integer, read_number):
        try:
            assert read(str(number)) == number
        except ValueError as error:
            assert "digits" in str(error) or "64 bits" in str(error)  # noqa: PT017


@settings(derandomize=True)
@given(st.text(max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    """What is no value is a ValueError with words, which costs one row."""
    for read in (read_integer, read_number, lambda t: read_instant(t, written=None, timezone=NEW_YORK)):
        try:
            read(text)
        except ValueError as error:
            assert str(error).startswith(("is ", "would ", "did ", "has "))  # noqa: PT017


@pytest.mark.parametrize("text", ["", "nan", "1_000", "0x10", "12abc", "--1", "1e", "."])
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    """Python's float reads 1_000; a delivery means something else by it."""
    with pytest.raises(ValueError, match="is not a number"):
        read_number(text)


def test_a_decimal_comma_is_named_with_what_to_deliver() -> None:
    """Whoever reads the reason knows what the sender's program did."""
    with pytest.raises(ValueError, match=r"has a decimal comma: deliver it with a point, as 1\.5"):
        read_number("1,5")


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2013-07-01", 4),
        ("2013-07-01 08:00", 12),
        ("2013-07-01T08:00:00.250-02:00", 10),
        ("2013-01-01T08:00Z", 8),
    ],
)
def test_a_time_without_offset_is_local(text: str, hour: int) -> None:
    """An offset is believed; without one the model's time zone holds."""
    assert read_instant(text, written=None, timezone=NEW_YORK).hour == hour


def test_an_hour_that_comes_twice_is_the_first() -> None:
    """A rule that can be looked up is better than one row more in the quarantine each autumn."""
    first = read_instant("2013-11-03T01:30", written=None, timezone=NEW_YORK)
    assert first == datetime(2013, 11, 3, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written", "told"),
    [
        ("2013-03-10T02:30", None, "the clocks skipped it"),
        ("2013-07-01T08:00:00.123456789", None, "finer than a microsecond"),
        ("01.07.2013", None, "is not a time"),
        ("2013-07-01", "%d.%m.%Y", "is not a time written as %d.%m.%Y"),
    ],
)
def test_a_time_that_cannot_be_placed_says_why(text: str, written: str | None, told: str) -> None:
    """The reason stands in the quarantine."""
    with pytest.raises(ValueError, match=told):
        read_instant(text, written=written, timezone=NEW_YORK)
