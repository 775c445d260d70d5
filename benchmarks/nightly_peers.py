"""The peers of ``benchmarks/nightly_check.py``: environments of their own, and what each runs on a night.

Versions that work together: fresh installs of these packages fail (Evidently with pandas 3, NannyML without
statsmodels, whylogs with numpy 2, which newer pyarrow needs). Each script reads Parquet, checks the night against the reference, prints
its verdict and its peak memory; "stored" means that what was learned from the reference was kept beforehand.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

HEAD = """
import os, sys, json, pickle, warnings
warnings.filterwarnings("ignore")
import pandas as pd
folder = {folder!r}
def read(name):
    return pd.read_parquet(folder + "/" + name + ".parquet")
def told(said):
    status = open("/proc/self/status").read()
    print(json.dumps({{"said": str(said)[:200], "peak_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024}}))
"""
EVIDENTLY = """
from evidently import Report
from evidently.presets import DataDriftPreset
found = Report([DataDriftPreset()]).run(read("night"), read("reference")).dict()
told(found["metrics"][0]["value"])
"""
NANNYML_FIT = """
import nannyml as nml
reference = read("reference")
calculator = nml.UnivariateDriftCalculator(column_names=list(reference.columns), chunk_size={chunk})
calculator.fit(reference)
"""
NANNYML_CHECK = """
found = calculator.calculate(read("night")).filter(period="analysis").to_df()
told(int(found.xs("alert", axis=1, level=2).to_numpy().sum()))
"""
NANNYML_STORE = (
    NANNYML_FIT + 'pickle.dump(calculator, open(folder + "/nannyml.pickle", "wb"))\ntold("stored")\n'
)
NANNYML_STORED = (
    'import nannyml as nml\ncalculator = pickle.load(open(folder + "/nannyml.pickle", "rb"))\n'
    + NANNYML_CHECK
)
WHYLOGS_STORE = """
import whylogs as why
why.log(read("reference")).profile().view().write(folder + "/whylogs.bin")
told("stored")
"""
WHYLOGS_CHECK = """
from whylogs.core import DatasetProfileView
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores
tonight = why.log(read("night")).profile().view()
scores = calculate_drift_scores(target_view=tonight, reference_view={reference}, with_thresholds=True)
told(sum(bool(one) and one["drift_category"] != "NO_DRIFT" for one in scores.values()))
"""
WHYLOGS = "import whylogs as why\n" + WHYLOGS_CHECK.replace(
    "{reference}", 'why.log(read("reference")).profile().view()'
)
WHYLOGS_STORED = "import whylogs as why\n" + WHYLOGS_CHECK.replace(
    "{reference}", 'DatasetProfileView.read(folder + "/whylogs.bin")'
)


@dataclass(frozen=True)
class Peer:
    """A package at a version that works, and its ways of checking a night."""

    name: str
    packages: tuple[str, ...]
    store: str
    """What is done once and not measured; empty where nothing can be kept."""
    checks: dict[str, str]

    @property
    def python(self) -> Path:
        """Return the interpreter of its environment."""
        return ROOT / ".perennial" / "bench" / self.name.lower() / "bin" / "python"

    def install(self) -> None:
        """Make its environment, once."""
        if (self.python.parents[1] / "complete").exists():
            return
        sys.path.insert(0, str(ROOT))
        import bootstrap

        bootstrap.run_uv(
            "venv", "--quiet", "--clear", "--python", sys.executable, str(self.python.parents[1])
        )
        words = ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(self.python))
        bootstrap.run_uv(*words, *self.packages)
        (self.python.parents[1] / "complete").touch()

    def script(self, text: str, folder: Path, chunk: int) -> str:
        """Return a script for the rows of one folder."""
        return HEAD.format(folder=str(folder)) + text.replace("{chunk}", str(chunk))


PEERS = (
    Peer(
        "Evidently",
        ("evidently==0.7.23", "pandas<3", "pyarrow"),
        "",
        {"default": EVIDENTLY},
    ),
    Peer(
        "NannyML",
        ("nannyml==0.13.1", "statsmodels", "pyarrow"),
        NANNYML_STORE,
        {"default": NANNYML_FIT + NANNYML_CHECK, "stored": NANNYML_STORED},
    ),
    Peer(
        "whylogs",
        ("whylogs[viz]==1.6.4", "numpy<2", "pandas<3", "pyarrow<20"),
        WHYLOGS_STORE,
        {"default": WHYLOGS, "stored": WHYLOGS_STORED},
    ),
)
