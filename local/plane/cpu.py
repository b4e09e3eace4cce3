"""How busy the instances are: processor time of their processes, from the kernel.

An instance without an OS layer shares this computer's processors, so 100 % are all of them.
Source: proc(5), `/proc/PID/stat` and `/proc/PID/task/TID/children`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROCESSORS = os.cpu_count() or 1
# Fields 14 to 17 of `stat`: user and system time of the process and of its children that have ended.
_TIMES = slice(11, 15)


def seconds_used(pid: int) -> float:
    """Processor seconds of a process and all that it has started; 0 if it is gone."""
    folder = Path("/proc") / str(pid)
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = [child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return 0.0
    return sum(map(int, fields[_TIMES])) / _TICKS + sum(seconds_used(int(child)) for child in children)


class CpuMeter:
    """Turns processor seconds into load."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}
        self._at = 0.0

    def percents(self, processes: Mapping[str, Sequence[int]], now: float) -> dict[str, float]:
        """Load of each instance since the last call, in percent; without those that are new.

        Args:
            processes: process ids by instance id.
            now: in seconds of a monotonic clock.
        """
        used = {instance: sum(map(seconds_used, pids)) for instance, pids in processes.items()}
        before, elapsed = self._before, now - self._at
        self._before, self._at = used, now
        return {
            instance: max(0.0, min(100.0, 100 * (seconds - before[instance]) / elapsed / _PROCESSORS))
            for instance, seconds in used.items()
            if instance in before
        }
