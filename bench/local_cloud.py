"""How long the local cloud's verbs take, and how much memory it needs: with two clones, from warm caches.

A copy of this checkout is measured, so that no running cloud is touched. Seconds are of the wall clock, from the start
of the command's process to its end; `up` and `scale` end when the site answers and all clones are healthy.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fleet.cloud import Cloud

MIB = 2**20
UP, UNCHANGED, SCALE, MEMORY = 30.0, 5.0, 10.0, 1024.0


def main() -> None:
    """Prints each figure beside its limit."""
    table = Table("what", "measured", "limit", title="local cloud, two clones")
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder:
        cloud = Cloud.copy(Path(folder) / "checkout")
        try:
            cloud.do("up")  # fills the caches of packages and layers
            cloud.do("down")
            table.add_row("up, to the first 200", f"{seconds(cloud, 'up'):.1f} s", f"{UP:.0f} s")
            pss, rss = memory(process.pid for process in cloud.processes())
            table.add_row("resident memory, shared pages once", f"{pss / MIB:.0f} MiB", f"{MEMORY:.0f} MiB")
            table.add_row("resident memory, shared pages for each process", f"{rss / MIB:.0f} MiB", "")
            table.add_row("up again, nothing changed", f"{seconds(cloud, 'up'):.1f} s", f"{UNCHANGED:.0f} s")
            table.add_row("scale 2 -> 4", f"{seconds(cloud, 'scale', '4'):.1f} s", f"{SCALE:.0f} s")
        finally:
            cloud.do("down")
    Console().print(table)


def seconds(cloud: Cloud, *verb: str) -> float:
    """How long a verb takes."""
    started = time.monotonic()
    cloud.do(*verb)
    return time.monotonic() - started


def memory(pids: Iterable[int]) -> tuple[int, int]:
    """Bytes that processes and their children have resident: shared pages counted once, and for each process.

    Source: proc_pid_smaps(5), `Pss` and `Rss`.
    """
    pss = rss = 0
    for pid in _with_children(set(pids)):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = dict(line.split(":", 1) for line in rollup.splitlines()[1:])
        pss += int(fields["Pss"].split()[0]) * 1024
        rss += int(fields["Rss"].split()[0]) * 1024
    return pss, rss


def _with_children(pids: set[int]) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found
