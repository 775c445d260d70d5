"""Text to values: what is refused is in tests/corpus/config; here is what is promised of all text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import UnreadableYamlError
from perennial.spec.reading_yaml import LARGEST_BYTES, Place, parse_yaml

LETTERS = st.text(st.sampled_from("ab :-[]{}'\"\n#&*!|>%@`,?1.e~\t\\u"), max_size=60)


@given(LETTERS | st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    """No text makes the reader fail in any other way than a refusal with line and column."""
    line, column = refused_at(text)
    assert line >= 1
    assert column >= 1


def refused_at(text: str) -> tuple[int, int]:
    """Return where a text is refused, its beginning if it is read."""
    try:
        parse_yaml(text)
    except UnreadableYamlError as error:
        return error.line, error.column
    return 1, 1


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("1:30", "1:30"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("2024-02-30", "2024-02-30"),
        ("'5'", "5"),
        ("-3", -3),
        (".5", 0.5),
        ("=", "="),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written: str, value: object) -> None:
    """Words stay words, numbers are numbers, dates are text."""
    read = parse_yaml(f"a: {written}").values["a"]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_names() -> None:
    """A key is text, whatever it looks like."""
    assert parse_yaml("1: a\non: b\n2024-01-01: c").values == {"1": "a", "on": "b", "2024-01-01": "c"}


def test_every_value_has_its_place() -> None:
    """Keys and list items are found by line and column, with what was written."""
    document = parse_yaml("a:\n  - 017\n  - {b: c}\n")
    assert document.place(("a",)) == Place(1, 1)
    assert document.place(("a", 0)) == Place(2, 5, "017")
    assert document.place(("a", 1, "b")) == Place(3, 6, "c")
    assert document.place(("a", 1, "missing")) == document.place(("a", 1))


@pytest.mark.parametrize("piece", ["abc, ", "[a, b], ", "{a: b}, ", "'x', "])
def test_the_largest_file_is_read_in_linear_time(piece: str) -> None:
    """Four times the text takes about four times as long, so that 256 KiB are no attack."""
    import time

    spent = []
    for size in (LARGEST_BYTES // 16, LARGEST_BYTES // 4):
        started = time.process_time()
        parse_yaml(f"a: [{piece * (size // len(piece))}]")
        spent.append(time.process_time() - started)
    assert spent[1] < 10 * spent[0] + 0.1
