"""Every folder of tests/corpus/config is one mistake in a model.yaml, and what the person is told."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from perennial.errors import BrokenModelError
from perennial.spec.load import load

CASES = sorted(path for path in (Path(__file__).parent / "corpus" / "config").iterdir() if path.is_dir())


def expected(case: Path) -> dict[str, Any]:
    """Read what a case expects."""
    return dict(YAML(typ="safe", pure=True).load((case / "expect.yaml").read_text(encoding="utf-8")))


def laid_out(case: Path, expect: dict[str, Any], project: Path) -> Path:
    """Copy a case into a project of its own and return the model's folder."""
    folder = project / "include" / "models" / expect.get("folder", "rides")
    shutil.copytree(case, folder)
    (folder / "expect.yaml").unlink()
    if roots := expect.get("data_roots"):
        (project / "include" / "perennial.toml").write_text(f"data_roots = {roots}\n")
    for name, text in expect.get("files", {}).items():
        (folder / name).write_text(text)
    change_file(folder / "model.yaml", expect)
    return folder


def change_file(file: Path, expect: dict[str, Any]) -> None:
    """Make of a readable file the unreadable one that the case is about."""
    if expect.get("remove_file"):
        file.unlink()
        return
    text = file.read_text(encoding="utf-8").replace("\n", expect.get("line_end", "\n"))
    content = text.encode(expect.get("encode", "utf-8"))
    file.write_bytes(content + b"#" * expect.get("pad_bytes", 0))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_bad_declaration_is_answered_with_its_place_and_a_fix(case: Path, tmp_path: Path) -> None:
    """Exactly the expected problems are told, each with line and field, quickly, and without secrets."""
    expect = expected(case)
    folder = laid_out(case, expect, tmp_path)
    load(Path(__file__).parents[1] / "include" / "models" / "flight_delay")  # imports are not timed
    started = time.process_time()
    told = problems_of(folder)
    assert time.process_time() - started < expect.get("max_seconds", 5)
    wanted = expect.get("problems", [])
    assert [(p.code, p.line, p.field) for p in told] == [
        (w["code"], w["line"], w["field"]) for w in wanted
    ], told
    for problem, want in zip(told, wanted, strict=True):
        missing = [part for part in want["must_contain"] if part not in str(problem)]
        assert not missing, str(problem)
    everything = "\n".join(f"{problem} {problem.value}" for problem in told)
    assert not [word for word in ("Traceback", *expect.get("must_not_contain", [])) if word in everything]


def problems_of(folder: Path) -> tuple[Any, ...]:
    """Return what is wrong with a folder."""
    try:
        load(folder)
    except BrokenModelError as error:
        return error.problems
    return ()
