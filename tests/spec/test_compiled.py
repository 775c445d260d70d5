"""DAG files read compiled declarations: correct, isolated, and light."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.spec.conftest import write_model

from perennial.spec.compiled import BrokenFacts, DagFacts, compiled, one

SHIPPED = Path(__file__).parents[2] / "include" / "models"
HEAVY = ("pydantic", "ruamel", "sqlglot", "numpy", "pandas", "sklearn", "croniter")


def test_the_facts_say_what_dags_need(tmp_path: Path) -> None:
    """Schedule, nights, sources, gates and search of the shipped model."""
    facts = one(SHIPPED, tmp_path, "flight_delay")
    assert isinstance(facts, DagFacts)
    assert (facts.schedule, facts.timezone) == ("0 2 * * *", "America/New_York")
    assert (facts.available_first, facts.available_end) == ("2012-12-31", "2013-12-31")
    assert (facts.delivered_first, facts.delivered_end) == ("2012-12-31", "2014-01-01")
    assert facts.sources == ("flights", "weather", "planes", "outcomes")
    assert facts.arrival_delay_hours == 6
    assert facts.gates[0] == "loads_and_predicts"
    assert facts.generations * facts.batches <= facts.trials
    assert (facts.generations, facts.has_sink) == (2, False)


def test_a_cached_answer_is_the_same(models_root: Path, tmp_path: Path) -> None:
    """What the cache gives back equals what was compiled, healthy and broken alike."""
    write_model(models_root, "empty", "")
    first = compiled(models_root, tmp_path / "cache")
    assert compiled(models_root, tmp_path / "cache") == first
    assert [type(each) for each in first] == [BrokenFacts, DagFacts]
    assert len(list((tmp_path / "cache").glob("*.json"))) == 2


def test_a_changed_file_is_compiled_anew(models_root: Path, smallest: str, tmp_path: Path) -> None:
    """The cache is keyed by content: a correction shows at the next parse."""
    file = models_root / "rides" / "model.yaml"
    file.write_text(smallest.replace("binary", "binry"))
    broken = one(models_root, tmp_path, "rides")
    assert isinstance(broken, BrokenFacts)
    assert 'Did you mean "binary"?' in broken.first_problem
    file.write_text(smallest)
    assert isinstance(one(models_root, tmp_path, "rides"), DagFacts)


def test_a_changed_view_file_is_compiled_anew(models_root: Path, tmp_path: Path) -> None:
    """features.py decides as well: its mistake makes the model broken."""
    assert isinstance(one(models_root, tmp_path, "rides"), DagFacts)
    (models_root / "rides" / "features.py").write_text("def (:\n")
    assert isinstance(one(models_root, tmp_path, "rides"), BrokenFacts)


def test_a_view_that_takes_a_columns_name_breaks_the_folder_without_being_run(
    models_root: Path, tmp_path: Path
) -> None:
    """The DAG processor reads features.py as text: the red DAG is there at once, and no model code has run."""
    code = "raise SystemExit\n\n@view(entity='city', window='7d')\ndef price(rides):\n    return rides.price.mean()\n"
    (models_root / "rides" / "features.py").write_text(code)
    broken = one(models_root, tmp_path, "rides")
    assert isinstance(broken, BrokenFacts)
    assert "features.py:4:1 PER-1054" in broken.first_problem


def test_a_check_that_cannot_be_asked_breaks_the_folder(
    models_root: Path, smallest: str, tmp_path: Path
) -> None:
    """A range of a text is found from model.yaml alone."""
    checks = "    checks: [{between: {column: city, low: 0}}]\n  outcomes:"
    (models_root / "rides" / "model.yaml").write_text(smallest.replace("  outcomes:", checks))
    broken = one(models_root, tmp_path, "rides")
    assert isinstance(broken, BrokenFacts)
    assert "PER-1053" in broken.first_problem


def test_a_damaged_cache_is_compiled_anew(models_root: Path, tmp_path: Path) -> None:
    """Half a file, or one of another version, is not believed."""
    expected = compiled(models_root, tmp_path)
    for damage in ("", "{", json.dumps({"kind": "healthy", "facts": {"name": "rides"}}), "[]"):
        for file in tmp_path.glob("*.json"):
            file.write_text(damage)
        assert compiled(models_root, tmp_path) == expected


def test_a_cache_that_cannot_be_written_is_done_without(models_root: Path, tmp_path: Path) -> None:
    """A read-only home slows parsing down and breaks nothing."""
    (tmp_path / "file").write_text("")
    assert isinstance(one(models_root, tmp_path / "file" / "cache", "rides"), DagFacts)


def test_an_unknown_model_has_no_facts(models_root: Path, tmp_path: Path) -> None:
    """A name that is no folder, or a path, gives nothing."""
    assert one(models_root, tmp_path, "trips") is None
    assert one(models_root, tmp_path, "../models/rides") is None


def test_a_warm_parse_imports_nothing_heavy(models_root: Path, tmp_path: Path) -> None:
    """With a warm cache a hundred models cost the standard library alone."""
    compiled(models_root, tmp_path)
    code = (
        "import sys; from pathlib import Path; from perennial.spec.compiled import compiled;"
        "assert compiled(Path(sys.argv[1]), Path(sys.argv[2]));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, models_root, tmp_path],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_code_in_the_folder_is_never_run(models_root: Path, tmp_path: Path) -> None:
    """Neither features.py nor estimator.py is imported when DAGs are parsed."""
    trace = tmp_path / "trace"
    for name in ("features.py", "estimator.py"):
        (models_root / "rides" / name).write_text(f"open({str(trace)!r}, 'w')\n")
    assert isinstance(one(models_root, tmp_path / "cache", "rides"), DagFacts)
    assert not trace.exists()
