"""What the README shows works as it stands there: the model folder, and the notebook's lines."""

import shlex
from pathlib import Path

import pytest
from tests.docs.reading import ROOT, Block, blocks
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.cli import main
from perennial.clock import after
from perennial.engine.plan import compile_plan
from perennial.spec.load import load
from perennial.stages.replay import load_history

README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-model.md"
GATE = ROOT / "docs" / "how-to" / "add-a-gate.md"
LAST = after(FIRST, 40)


def the_block(page: Path, language: str, beginning: str) -> str:
    """Return the one block of a page that begins so."""
    (found,) = [block.text for block in blocks(page, language) if block.text.startswith(beginning)]
    return found


def test_the_smallest_file_loads(tmp_path: Path) -> None:
    """The model.yaml in the README is under 20 lines and loads, and its feature view compiles."""
    folder = tmp_path / "include" / "models" / "returns"
    folder.mkdir(parents=True)
    declaration = the_block(README, "yaml", "perennial: 1")
    (folder / "model.yaml").write_text(declaration)
    (folder / "features.py").write_text(the_block(README, "python", '"""What is known of an order'))
    assert len(declaration.splitlines()) < 20
    spec = load(folder)
    assert (spec.task, spec.label.delay_days) == ("binary", 14)
    assert compile_plan(spec, folder).features == ("shop", "price", "orders_28d")


def test_the_notebook_runs(
    tmp_path: Path,
    registry_database: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The README's lines load a training set, fit three models and compare them, on another project as well."""
    project = Project(tmp_path / "project").declare().deliver(FIRST, LAST)
    load_history(project.workspace(registry_database), MODEL, FIRST, LAST)
    monkeypatch.setenv("PERENNIAL_PROJECT", str(project.root))
    monkeypatch.setenv("PERENNIAL_HOME", str(project.root / "home"))
    lines = the_block(README, "python", "import pyarrow.compute")
    exec(lines.replace('"flight_delay"', repr(MODEL)).replace('"2013-06-30"', repr(LAST)), {})  # noqa: S102 - it is what is tested
    said = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert set(said) == {"constant", "linear", "gradient_boosting"}
    assert float(said["linear"]) < float(said["constant"])


@pytest.mark.slow
def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its blocks, run in order in an empty folder, end with a champion and quiet nights."""
    (tmp_path / "include" / "models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERENNIAL_PROJECT", str(tmp_path))
    for name in ("PERENNIAL_HOME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    said = {}
    for block in blocks(TUTORIAL, "python", "sh"):
        said |= _run(block, capsys)
    assert "Assumed" in said["new"]
    assert "promoted:   yes" in said["run"]
    assert said["replay"].count("quiet") == 6
    assert "champion    version 1 since 2024-03-25" in said["status"]
    assert "version 1" in said["who-served"]


def _run(block: Block, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run a block; return what each command said last."""
    if block.language == "python":
        exec(block.text, {})  # noqa: S102 - it is what is tested
        return {}
    said = {}
    for line in block.text.splitlines():
        program, *words = shlex.split(line)
        assert program == "perennial"
        assert main(words) == 0, line
        said[words[0]] = capsys.readouterr().out
    return said


def test_the_gate_of_the_how_to_is_a_gate() -> None:
    """Saved as a file, the example answers HOLD without evidence, in a sentence."""
    from perennial.facts.evaluation import Evaluation

    made: dict[str, object] = {"__name__": "enough_nights"}
    exec(the_block(GATE, "python", '"""Is the holdout'), made)  # noqa: S102 - it is what is tested
    gate = made["EnoughNights"]
    decision = gate(nights=2).decide(Evaluation("log_loss"))  # type: ignore[operator]
    assert decision.verdict.value == "hold"
    assert decision.reason == "The holdout covers 0 nights, 0 rows, and 2 nights are needed."
