"""The embedded MLflow database: made once, alone and whole; by a task never.

Several processes that meet a new SQLite file all migrate it, and leave it broken for ever. So the
launcher makes it under a lock, in a temporary file that takes its name only when it is finished.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from perennial.errors import RegistryDatabaseError
from perennial.registry.server import quieten


def create_database(path: Path) -> Path:
    """Make the database at ``path`` with its artefact folder beside it; a whole one is left as it is.

    Raises:
        RegistryDatabaseError: a file is there that is no whole database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
                made = Path(folder) / "new.db"
                _initialise(made, path.parent / "artifacts")
                _sync(made)
                os.link(made, path)
    check_database(path)
    return path


def check_database(path: Path) -> None:
    """Make sure that the database is there, whole, and of the installed MLflow.

    Raises:
        RegistryDatabaseError: it is not.
    """
    if not path.is_file():
        raise RegistryDatabaseError(path, "there is no registry yet")
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=60)
        ) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            tables = {str(name) for (name,) in rows}
            query = "SELECT version_num FROM alembic_version"
            revisions = connection.execute(query).fetchall() if "alembic_version" in tables else []
    except sqlite3.Error as mistake:
        raise RegistryDatabaseError(path, f"it is no database ({mistake})") from mistake
    _judge(path, tables, [str(revision) for (revision,) in revisions])


def _judge(path: Path, tables: set[str], revisions: list[str]) -> None:
    quieten()
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.db.utils import _get_latest_schema_revision

    half_made = sorted(name for name in tables if name.startswith("_alembic_tmp_"))
    missing = sorted(set(Base.metadata.tables) - tables)
    if half_made or missing or len(revisions) != 1:
        raise RegistryDatabaseError(path, f"it was never finished ({', '.join(half_made + missing[:3])})")
    wanted = _get_latest_schema_revision()
    if revisions[0] != wanted:
        raise RegistryDatabaseError(path, f"its schema is {revisions[0]}, this MLflow wants {wanted}")


def _initialise(path: Path, artifacts: Path) -> None:
    quieten()
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    engine = create_sqlalchemy_engine(f"sqlite:///{path}")
    # Without MLflow's own wrapper, which leaves a lock file in the system's temporary folder.
    _initialize_tables(engine)
    engine.dispose()
    # The store makes the default experiment; left to the tasks, they would race for it.
    SqlAlchemyStore(f"sqlite:///{path}", artifacts.as_uri())._dispose_engine()  # noqa: SLF001


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
