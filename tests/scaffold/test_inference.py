"""What a column holds is told from its text alone, as the intake will read it."""

import pyarrow as pa
import pytest

from perennial.scaffold.inference import describe


def kind_of(*texts: str | None) -> str:
    """Return the type inferred of a column of these texts."""
    return describe(pa.table({"a": pa.array(list(texts), pa.string())}))["a"].kind


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("1", "2", None), "integer"),
        (("1.0", "2"), "integer"),
        (("1.5", "2"), "number"),
        (("1e3", "2"), "number"),
        (("00123", "45"), "text"),
        (("0", "1"), "integer"),
        (("0.5", "0"), "number"),
        (("1" * 25, "2"), "text"),
        (("true", "False"), "boolean"),
        (("yes", "no"), "boolean"),
        (("2024-01-01", "2024-02-29"), "date"),
        (("2024-01-01 10:00", "2024-02-29T23:59:59Z"), "timestamp"),
        (("2024-02-30", "2024-01-01"), "text"),
        (("31/12/2024", "01/02/2024"), "date"),
        (("1 Jan 2024", "2 Feb 2024"), "date"),
        (("NA", "1"), "integer"),
        (("NA", "ZW"), "text"),
        ((None, None), "text"),
        (("inf", "1"), "text"),
    ],
)
def test_the_narrowest_type_that_loses_nothing(texts: tuple[str | None, ...], kind: str) -> None:
    """Numbers that would lose digits or leading zeros stay text; words for missing do not hide a number."""
    assert kind_of(*texts) == kind


def test_words_for_missing_are_only_read_beside_another_type() -> None:
    """NA is Namibia among countries and missing among numbers."""
    columns = describe(pa.table({"n": ["1", "NA", "?"], "country": ["DE", "NA", "FR"]}))
    assert (columns["n"].null_words, columns["n"].nulls, columns["n"].distinct) == (("NA", "?"), 2, 1)
    assert (columns["country"].null_words, columns["country"].nulls) == ((), 0)


def test_a_lonely_negative_code_means_missing() -> None:
    """-999 among positive numbers is no measurement; among negative ones it is."""
    columns = describe(pa.table({"a": ["5", "-999", "7"], "b": ["-5", "-999", "7"]}))
    assert columns["a"].null_words == ("-999",)
    assert columns["b"].null_words == ()


@pytest.mark.parametrize(
    ("texts", "written"),
    [
        (["02/10/2012 9:00", "03/10/2012 9:00", "12/10/2012 9:00", "01/11/2012 9:00"], "%d/%m/%Y %H:%M"),
        (["10/02/2012 9:00", "10/03/2012 9:00", "10/12/2012 9:00", "11/01/2012 9:00"], "%m/%d/%Y %H:%M"),
        (["13/01/2012 9:00", "01/02/2012 9:00"], "%d/%m/%Y %H:%M"),
        (["2012-10-02 09:00"], None),
    ],
)
def test_day_and_month_are_told_by_what_rises(texts: list[str], written: str | None) -> None:
    """Where both readings are possible, a table in order of time says which is right."""
    assert describe(pa.table({"t": texts}))["t"].time_format == written
