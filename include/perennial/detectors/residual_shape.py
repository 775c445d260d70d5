"""Do labels still follow from the inputs for every height of the score? Found where the mean of all stays put.

Read by the monitor once a night's labels are final; what it crosses is judged by a page budget of its own.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from perennial.detectors.base import Detector
from perennial.detectors.night_shift import NightShift
from perennial.facts.reading import Reading
from perennial.facts.streams import Watch

ARM = "residual_shape"


class ResidualShape(Detector[Watch]):
    """Compare what labels say of each tenth of the scores with the nights before, by the nightly watch's method.

    Each range of scores is a stream: what came true less what was expected, the night's own level taken out
    on the logit. So a night on which everything is late moves nothing here; a relation that turned for
    high scores moves much, even where the mean residual, which the slow arm reads, stays where it was.
    The history begins with nights the version had not seen. ``benchmarks/residual_shape.py`` shows that the
    budget holds, and what is seen.

    It cannot see a change that is the same for all scores, nor one within a range that cancels out. It shows the
    first week of a change: what lasts becomes the noise of its own past. With fewer than sixty rows a night
    there are no two ranges, and nothing to read.

    >>> from perennial.clock import between
    >>> from perennial.facts.streams import NightStreams, Stream
    >>> name = Stream("label minus prediction for scores from 0.5 to 1", "location", "1", "predictions")
    >>> level = {night: 0.01 * (i * 7 % 11) for i, night in enumerate(between("2013-01-01", "2013-05-30"))}
    >>> usual = [NightStreams(night, (name,), (v,), (0.02,), (v,)) for night, v in level.items()]
    >>> turned = NightStreams("2013-05-31", (name,), (-0.9,), (0.02,), (-0.9,))
    >>> reading = ResidualShape().read(Watch.of("2013-05-31", [*usual, turned], page_rate=1 / 365))
    >>> reading.arm, reading.state
    ('residual_shape', 'over')
    """

    false_pages: float = Field(1, gt=0, description="False pages of this arm to accept, in `per_nights`.")
    per_nights: int = Field(365, ge=28, description="Nights over which `false_pages` are counted.")

    @property
    def rate(self) -> float:
        """Share of ordinary nights that may page: what the watch is laid out with."""
        return min(self.false_pages / self.per_nights, 1.0)

    def read(self, watch: Watch) -> Reading:
        """Read the last night of the watch: the newest whose labels are final."""
        return replace(NightShift().read(watch), arm=ARM)
