"""The environment is made from pinned files of the configured index, and says what the system lacks."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

ROOT = Path(__file__).parents[2]
CONTENT = b"the pinned file"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def bootstrap(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load bootstrap.py as pip.conf configures it for a local index with a login."""
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    address = httpserver.url_for("/simple").replace("://", "://me:s%40cret@")
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {address}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(httpserver: HTTPServer, page: str | dict[str, Any]) -> None:
    """Answer as an index with one project `thing` and one file, to who logs in only."""
    login = {"Authorization": "Basic bWU6c0BjcmV0"}
    project = httpserver.expect_request("/simple/thing/", headers=login)
    if isinstance(page, str):
        project.respond_with_data(page, content_type="text/html")
    else:
        project.respond_with_json(page)
    httpserver.expect_request("/files/thing-1.whl").respond_with_data(CONTENT)


@pytest.mark.parametrize(
    "page",
    [
        '<a href="../../files/thing-1.whl#sha256=0">thing-1.whl</a>',
        {"files": [{"filename": "thing-1.whl", "url": "/files/thing-1.whl"}]},
    ],
    ids=["html", "json"],
)
def test_a_file_comes_from_the_configured_index(
    bootstrap: ModuleType, httpserver: HTTPServer, tmp_path: Path, page: str | dict[str, Any]
) -> None:
    """Pip's setting decides where, both page formats are read, and what is there is not fetched again."""
    serve(httpserver, page)
    path = bootstrap.fetch("thing", "thing-1.whl", SHA256, tmp_path / "kept")
    assert path.read_bytes() == CONTENT
    asked = len(httpserver.log)
    bootstrap.fetch("thing", "thing-1.whl", SHA256, tmp_path / "kept")
    assert len(httpserver.log) == asked


def test_another_file_than_the_pinned_one_is_thrown_away(
    bootstrap: ModuleType, httpserver: HTTPServer, tmp_path: Path
) -> None:
    """A wrong hash is an error without the index's password in it, and nothing is kept."""
    serve(httpserver, '<a href="/files/thing-1.whl">thing-1.whl</a>')
    with pytest.raises(bootstrap.LackingError, match="not the file that was pinned") as refusal:
        bootstrap.fetch("thing", "thing-1.whl", "0" * 64, tmp_path / "kept")
    assert "cret" not in str(refusal.value)
    assert not (tmp_path / "kept").exists()


def test_an_index_without_the_file_is_named(
    bootstrap: ModuleType, httpserver: HTTPServer, tmp_path: Path
) -> None:
    """The sentence says what was looked for and where, without the login."""
    serve(httpserver, "<html></html>")
    with pytest.raises(bootstrap.LackingError, match=r"has no thing-1\.whl") as refusal:
        bootstrap.fetch("thing", "thing-1.whl", SHA256, tmp_path)
    assert "cret" not in str(refusal.value)


def test_a_python_without_its_parts_is_told_what_to_type() -> None:
    """Where a module of the standard library is missing, the first second prints the apt line; status 5."""
    script = (
        "import importlib.util, runpy, sys\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'sqlite3' else found(name, *rest)\n"
        f"sys.argv = ['bootstrap.py']; runpy.run_path({str(ROOT / 'bootstrap.py')!r}, run_name='__main__')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 5
    assert ended.stderr.strip().endswith("Type: apt-get install --yes python3")


def test_a_python_without_venv_ensurepip_and_pip_makes_an_environment(tmp_path: Path) -> None:
    """What Debian leaves out of its bare Python is not needed: uv makes the environment, of that very Python."""
    script = (
        "import pathlib, runpy, sys\n"
        "sys.modules.update(venv=None, ensurepip=None, pip=None)\n"
        f"made = runpy.run_path({str(ROOT / 'bootstrap.py')!r})\n"
        "made['look_for_what_is_needed']()\n"
        "made['make_venv'].__globals__['VENV'] = pathlib.Path(sys.argv[1])\n"
        "made['OWN'].mkdir(exist_ok=True)\n"
        "made['make_venv']()\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(tmp_path / ".venv")]
    subprocess.run(command, capture_output=True, text=True, check=True)
    asked = [str(tmp_path / ".venv" / "bin" / "python"), "-c", "import sys; print(sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert answer.strip() == str(sys.version_info[:2])


def test_every_locked_requirement_has_a_hash() -> None:
    """No line of the lock can be installed unchecked, and tests never pull another version in."""
    pins = {}
    for name in ("requirements.txt", "requirements-test.txt"):
        lines = (ROOT / name).read_text().splitlines()
        pins[name] = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
        assert all(line.endswith("\\") for line in pins[name])
    runtime = {line.partition("==")[0] for line in pins["requirements.txt"]}
    shared = {line.split()[0] for line in pins["requirements-test.txt"] if line.partition("==")[0] in runtime}
    assert shared <= {line.split()[0] for line in pins["requirements.txt"]}


def test_the_lock_is_not_installed_into_an_environment_of_somebody_else(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    """A `.venv` that is a link is used as it is."""
    (tmp_path / "theirs").mkdir()
    bootstrap.VENV = tmp_path / ".venv"
    bootstrap.VENV.symlink_to(tmp_path / "theirs")
    bootstrap.make_environment(test=True)
    assert list((tmp_path / "theirs").iterdir()) == []
