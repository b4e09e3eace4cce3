from __future__ import annotations

import asyncio
import contextlib

import pytest

from goldfleet.state.tasks import end, uninterrupted


async def test_a_task_that_forgets_a_cancellation_ends_all_the_same() -> None:
    forgotten = 0

    async def forgetful() -> None:
        nonlocal forgotten
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if forgotten == 1:
                    raise
                forgotten += 1

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    await end([task])
    assert task.cancelled()


async def test_what_an_ended_task_raises_is_dropped() -> None:
    async def failing() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        raise ValueError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end([task])
    await end([])
    assert isinstance(task.exception(), ValueError)


async def test_uninterrupted_work_is_done_to_its_end_and_then_its_caller_ends() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), False

    async def work() -> None:
        nonlocal done
        begun.set()
        await go_on.wait()
        done = True
        raise ValueError

    task = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_uninterrupted_work_gives_back_what_it_made_and_raises_what_it_met() -> None:
    async def work(value: int) -> int:
        return 1 // value

    assert await uninterrupted(work(1)) == 1
    with pytest.raises(ZeroDivisionError):
        await uninterrupted(work(0))
