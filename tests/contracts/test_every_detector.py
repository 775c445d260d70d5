"""What every detector must obey, whoever wrote it. A new file in detectors/ is judged here by itself."""

import subprocess
import sys
from typing import Any, get_type_hints

import pytest

from perennial.catalogue import find
from perennial.detectors import detectors
from perennial.detectors.base import Detector
from perennial.errors import UnknownEntryError
from perennial.facts.reading import Reading
from perennial.facts.residuals import Residuals
from perennial.facts.streams import Watch
from perennial.policies.paging import PageBudget

TONIGHT = "2013-05-12"
NOTHING = {Watch: Watch.of(TONIGHT, [], page_rate=1 / 90), Residuals: Residuals(TONIGHT, (), ())}
"""What each kind of watch is before the first night."""

every_detector = pytest.mark.parametrize("detector", detectors().values(), ids=detectors().keys())


def before_the_first_night(detector: type[Detector[Any]]) -> Reading:
    """Read with no history at all."""
    return detector().read(NOTHING[get_type_hints(detector.read)["watch"]])


@every_detector
def test_without_history_it_is_learning(detector: type[Detector[Any]]) -> None:
    """No evidence is neither good news nor bad news."""
    reading = before_the_first_night(detector)
    assert (reading.state, reading.night, reading.threshold) == ("learning", TONIGHT, None)
    assert PageBudget().decide(reading, []).verdict.value == "hold"


@every_detector
def test_a_reading_says_which_arm_read_it(detector: type[Detector[Any]]) -> None:
    """Each arm has a page budget of its own, found by the name in model.yaml."""
    assert before_the_first_night(detector).arm == detector.__module__.rsplit(".", 1)[-1]


@every_detector
def test_a_reading_survives_being_kept(detector: type[Detector[Any]]) -> None:
    """What the ledger gives back has the hash of what was read."""
    reading = before_the_first_night(detector)
    assert Reading.from_json(reading.as_json()).evidence_hash == reading.evidence_hash


@every_detector
def test_every_parameter_is_explained(detector: type[Detector[Any]]) -> None:
    """The reference page is made from these descriptions."""
    assert not [name for name, field in detector.model_fields.items() if not field.description]


@every_detector
def test_the_class_is_named_after_its_file(detector: type[Detector[Any]]) -> None:
    """A name read in model.yaml is a file a reader can open."""
    assert detector.__name__.lower() == detector.__module__.rsplit(".", 1)[-1].replace("_", "")


def test_the_catalogue_is_light() -> None:
    """model.yaml is read by the dag-processor, which must not pay for numpy."""
    seen = "import sys, perennial.detectors as d; d.detectors(); print({'numpy', 'pandas', 'scipy', 'pyarrow'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_a_mistyped_detector_is_answered_with_the_right_name() -> None:
    """The reader's next step is in the message."""
    with pytest.raises(UnknownEntryError, match=r"Did you mean 'night_shift'\?"):
        find("night_shiff", detectors(), noun="detector")
