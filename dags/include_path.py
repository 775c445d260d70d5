"""Puts ``include/`` on the import path, so that these DAGs also run in an Airflow that was not started by us."""

import sys
from pathlib import Path

INCLUDE = str(Path(__file__).resolve().parents[1] / "include")
if INCLUDE not in sys.path:
    sys.path.insert(0, INCLUDE)
