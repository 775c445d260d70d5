"""`show --resolved`: every setting, its value, its origin, its meaning."""

from pathlib import Path

import pytest
from tests.spec.conftest import write_model

from perennial.errors import BrokenModelError
from perennial.spec.resolved import resolved


def test_written_settings_name_their_line_and_others_say_default(models_root: Path, smallest: str) -> None:
    """The origin of a value is the line that says it, or the default."""
    text = smallest + "gates:\n  - against_champion: {alpha: 0.1}\n"
    found = {each.path: each for each in resolved(write_model(models_root, "trips", text))}
    assert found["task"][1:3] == ("binary", "model.yaml:2")
    assert found["schedule"][1:3] == ("0 2 * * *", "default")
    assert found["gates[0].against_champion.alpha"][1:3] == (0.1, "model.yaml:17")
    assert found["gates[0].against_champion.min_nights"].origin == "default"
    assert found["rows"][1:3] == ("rides", "default: the first source")
    assert found["training.metric"][1:3] == ("log_loss", "default for binary")
    assert found["name"][1:3] == ("trips", "name of the folder")


def test_every_setting_says_what_it_means(models_root: Path) -> None:
    """No setting is listed without its description."""
    assert [each.path for each in resolved(models_root / "rides") if not each.description] == []


def test_a_broken_model_is_not_resolved(models_root: Path) -> None:
    """What cannot be used is not shown as if it could."""
    with pytest.raises(BrokenModelError):
        resolved(write_model(models_root, "empty", ""))
