"""Pairs of columns are declared by name, and a name that is not watched is an error at its line."""

from pathlib import Path

import pytest
from tests.spec.conftest import write_model

from perennial.errors import BrokenModelError
from perennial.spec.load import load


def test_a_pair_is_of_two_watched_columns(models_root: Path, smallest: str) -> None:
    """Declared as a list of two names."""
    spec = load(write_model(models_root, "two", smallest + "monitoring: {pairs: [[city, price]]}\n"))
    assert spec.monitoring.pairs == (("city", "price"),)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ("[[city, prize]]", "prize is not watched; watched are city, price"),
        ("[[city, city]]", "both are city"),
        ("[[city, price], [price, city]]", "a pair is declared twice"),
    ],
)
def test_what_is_no_pair_is_refused_with_a_sentence(
    models_root: Path, smallest: str, pairs: str, said: str
) -> None:
    """An unknown column, one column with itself, a pair said twice."""
    with pytest.raises(BrokenModelError, match=said):
        load(write_model(models_root, "two", smallest + f"monitoring: {{pairs: {pairs}}}\n"))
