"""Small evaluations to judge: fourteen nights of a hundred rows, with the gain a test asks for."""

from perennial.clock import after
from perennial.facts.evaluation import Evaluation, Residuals, Slice, Tally

ROWS = 100
WOBBLE = (0.0, 0.4, -0.3, 0.2, -0.4, 0.1, 0.0)
"""Luck of a night, in summed loss; sums to zero over a week."""


def nights(
    gain: float, count: int = 14, *, baseline: float = 60.0, anchor: float | None = None
) -> tuple[Tally, ...]:
    """Make nights on which the challenger gains ``gain`` a row over a champion that loses .5 a row."""
    return tuple(
        Tally(
            after("2013-05-01", day),
            ROWS,
            challenger=50.0 - ROWS * gain + WOBBLE[day % 7],
            champion=50.0,
            anchor=None if anchor is None else 50.0 - ROWS * anchor,
            baselines={"constant": baseline},
        )
        for day in range(count)
    )


def evaluation(tallies: tuple[Tally, ...], kind: str = "recipe", **changes) -> Evaluation:
    """Judge v4 beside v3 on nights that trained neither."""
    given = {
        "metric": "log_loss",
        "kind": kind,
        "challenger": "v4",
        "champion": "v3",
        "challenger_cutoff": "2013-04-30",
        "champion_cutoff": "2013-04-02",
        "tallies": tallies,
    }
    return Evaluation(**{**given, **changes})


def group(name: str, gain: float, count: int = 14, **changes) -> Slice:
    """Make a slice that gains ``gain`` a row."""
    return Slice(name, nights(gain, count), **changes)


def miscalibrated(
    bias: float, slope: float = 0.0, *, champion_bias: float = 0.0, count: int = 14
) -> tuple[Tally, ...]:
    """Make nights whose probabilities are off by ``bias`` and ``slope`` a row."""
    return tuple(
        Tally(
            after("2013-05-01", day),
            ROWS,
            challenger=50.0,
            champion=50.0,
            challenger_residuals=Residuals(ROWS * bias + WOBBLE[day % 7], ROWS * slope + WOBBLE[day % 7]),
            champion_residuals=Residuals(ROWS * champion_bias + WOBBLE[day % 7], WOBBLE[day % 7]),
        )
        for day in range(count)
    )
