"""Puts ``include/`` on the import path, whoever imports the files that lie beside this one.

Two words are missing here on purpose: a file that holds both is taken for one of those, and is searched for them.
"""

import sys
from pathlib import Path

INCLUDE = str(Path(__file__).resolve().parents[1] / "include")
if INCLUDE not in sys.path:
    sys.path.insert(0, INCLUDE)
