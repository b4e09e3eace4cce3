"""Tasks that end for good, and work that nobody can cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN = 0.5
"""Seconds after which a task that has not ended is cancelled once more."""


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels tasks until each of them has ended; what they raise is dropped.

    Once is not enough: `asyncio.wait_for` of Python 3.11, which database drivers use too, forgets a cancellation that
    comes in the moment its own wait ends (python/cpython#86296).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Does work to its end, though its caller is cancelled meanwhile: that is raised then, and nothing of the work's.

    The work must end by itself within a bounded time.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # so that nobody complains that it was never looked at
        raise
