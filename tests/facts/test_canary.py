"""A canary serves the share that was declared, always the same entities, and other ones under another salt."""

from hypothesis import given
from hypothesis import strategies as st

from perennial.facts.canary import in_canary

ENTITIES = [f"N{number:05d}" for number in range(20_000)]
SD_OF_SHARE = 0.0035
"""Standard deviation of a share of .5 among so many entities."""


def test_the_declared_share_of_entities_is_served():
    """Of many entities the declared share is in the canary, within four standard deviations."""
    for share in (0.05, 0.2, 0.5, 0.9):
        served = sum(in_canary(one, "m-3", share) for one in ENTITIES) / len(ENTITIES)
        assert abs(served - share) < 4 * SD_OF_SHARE


def test_another_salt_takes_other_entities():
    """Being in one canary says nothing about being in the next."""
    both = sum(in_canary(one, "m-3", 0.5) and in_canary(one, "m-4", 0.5) for one in ENTITIES)
    assert abs(both / len(ENTITIES) - 0.25) < 4 * SD_OF_SHARE


@given(st.text(max_size=20), st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_canary_keeps_whom_it_had(entity: str, salt: str, one: float, other: float):
    """Whoever is served at a share is served at every larger one: widening a canary moves nobody back."""
    low, high = sorted((one, other))
    assert in_canary(entity, salt, high) or not in_canary(entity, salt, low)


def test_the_whole_share_leaves_nobody_out():
    """A share of 1 serves the entity with the very highest hash as well, and 0 serves nobody."""
    assert all(in_canary(one, "m-3", 1.0) and not in_canary(one, "m-3", 0.0) for one in ENTITIES)
