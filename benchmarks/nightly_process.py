"""One nightly check as a process of its own: ``python -m benchmarks.nightly_process HOME NIGHT``.

From the night's Parquet to the verdict's sentence: verify, profile, publish the profile, lay it beside the year of
stored nights, read, decide. ``benchmarks/nightly_check.py`` measures the whole process, imports included.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from perennial.clock import after
from perennial.detectors.night_shift import NightShift
from perennial.facts.edges import Edges
from perennial.facts.profile_parts import profile_files
from perennial.facts.streams import LONGEST_WATCH, Watch, streams_of
from perennial.policies.paging import PageBudget
from perennial.stages import datasets
from perennial.stages.stream_windows import StreamWindows
from perennial.workspace import Workspace

HEAVY = {"pandas", "scipy", "sklearn", "mlflow", "duckdb", "ibis"}


def check(home: Path, night: str) -> str:
    """Return the night's verdict as a sentence."""
    import pyarrow as pa

    from perennial.facts.edges import texts

    workspace = Workspace(home, home)
    store = workspace.store
    edges = Edges.from_json(
        json.loads(store.read(datasets.edges("bench"), "inputs.bench")["edges"][0].as_py())
    )
    manifest = store.manifest(datasets.features("bench", "bench"), night)
    found = profile_files(store.verified(manifest) if manifest else [], edges, prefix="f:")
    kept = pa.Table.from_arrays([texts([json.dumps(found.as_json())])], names=["profile"])
    store.publish(datasets.profiles("bench", "inputs.bench"), night, kept)
    nights = store.keys(datasets.profiles("bench", "inputs.bench"), after(night, 1 - LONGEST_WATCH), night)
    known = StreamWindows(workspace, "bench", "inputs.bench").known(night)
    before = [known.pop(key) for key in nights if key != night]
    budget = PageBudget()
    watch = Watch.of(night, [*before, streams_of(night, found, edges)], budget.rate)
    del before, known, found
    return budget.decide(NightShift().read(watch), []).reason


def peak_mb() -> float:
    """Return the most memory that this process ever had resident; what ``wait4`` tells includes its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> int:
    """Print the verdict, the memory it took, and what was imported that should not have been."""
    said = check(Path(sys.argv[1]), sys.argv[2])
    told = {"said": said, "peak_mb": round(peak_mb(), 1)}
    print(json.dumps(told | {"heavy": sorted(HEAVY & set(sys.modules))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
