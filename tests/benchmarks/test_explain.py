"""The benchmark of attribution: a seeded fast subset of its trials, and the table that its page shows."""

from pathlib import Path

import pytest
from benchmarks.explain import BEGIN, END, cell, report, write
from benchmarks.injected_causes import Kind


@pytest.mark.parametrize(
    ("kind", "nights"), [("unit", 1), ("category_lost", 1), ("frozen", 1), ("label_rule", 7), ("relation", 7)]
)
def test_the_injected_cause_is_named_first_on_the_generator(kind: Kind, nights: int) -> None:
    """Three seeded trials of each cause, of which the published share is far above two."""
    counted = cell("generator", kind, nights, range(500, 503))
    assert counted["trials"] == 3
    assert counted["first"] >= 2


def test_the_page_says_what_was_counted_and_what_was_not_run(tmp_path: Path) -> None:
    """The table is made of the cells; whoever types a number into it loses it at the next run."""
    one = {"world": "flights", "cause": "unit", "recent_nights": 7, "trials": 20, "first": 19, "misses": []}
    calm = {**one, "cause": "none", "first": 0}
    counted = [{**each, "relation_first": 4, "cpu_s_per_trial": 0.5} for each in (one, calm)]
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{BEGIN}\nTyped.\n{END}\nAfter.\n")
    write(page, report(counted, 3000))
    told = page.read_text()
    assert told.startswith("Before.")
    assert told.endswith("After.\n")
    assert "Typed." not in told
    assert (
        "first in 95.0% of 20 trials, seeds 3000 to 3019; by world: generator not run, flights 19 of 20 (95%)"
        in told
    )
    assert "| a unit changed | not run | 19 of 20 |" in told
    assert "flights, 7 nights: 4 of 20" in told
