"""What a process needs of its own machine: a free file descriptor, and room in its folder in memory.

A clone that lacks one of these cannot mend itself, and a new one has it: so its health check fails, and its group
replaces it. Whoever reads the log sees why, even when the check itself could not be answered any more.
"""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

from app.log import log
from goldfleet.contract.deadlines import HEALTH_INTERVAL

DESCRIPTORS = 4096
"""Enough for all connections that are taken, and for the stores'."""
ROOM = 64 * 1024
"""Bytes that the folder in memory must have left: the machine rewrites the lists of replicas there."""


def lacks(folder: Path) -> list[str]:
    """What this process lacks, one sentence each; nothing is written, and no store is asked.

    Args:
        folder: on a tmpfs, where the machine writes what changes.
    """
    return [lack for lack in (_descriptor(), _room(folder)) if lack]


async def watch(folder: Path, every: float = HEALTH_INTERVAL) -> None:
    """Logs what is lacking when that changes, until it is cancelled; `every` in seconds."""
    before: list[str] = []
    while True:
        now = lacks(folder)
        for lack in now:
            if lack not in before:
                log.error("unhealthy: %s", lack)
        if before and not now:
            log.info("healthy again")
        before = now
        await asyncio.sleep(every)


def take_descriptors() -> None:
    """Lets this process open `DESCRIPTORS` files, if its machine allows that many; shells allow fewer at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _descriptor() -> str | None:
    try:
        os.close(os.dup(1))
    except OSError as error:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"no file descriptor is left, of {soft}: {error.strerror}"
    return None


def _room(folder: Path) -> str | None:
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return f"{folder} cannot be looked at: {error.strerror}"
    # A tmpfs without a limit says 0 blocks in all.
    if found.f_blocks and found.f_bavail * found.f_frsize < ROOM:
        return f"{folder} is full: {found.f_bavail * found.f_frsize} bytes are left"
    return None
