"""Processor time of another process, exact to the nanosecond."""

from __future__ import annotations

import time

_SCHEDULED = 2


def microseconds_of(pid: int) -> float:
    """User and system time of a process so far, those of its ended threads too.

    Source: clock_getcpuclockid(3); Python has it for threads only, so the clock's number is made here as Linux does.
    """
    return time.clock_gettime_ns(~pid << 3 | _SCHEDULED) / 1000
