"""One clone fills the cache with what it has read while another one writes: the older value never stays."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from goldfleet.contract.stores import DATABASE_POOL
from goldfleet.state.entry import RENEWED_WITHIN
from goldfleet.state.sessions import Session
from goldfleet.state.state import State
from tests.state.conftest import DATABASE
from tests.state.filling import MOMENT, SLOW, patiently
from tests.stores import Stores

BATCH = 50
_few = asyncio.Semaphore(DATABASE_POOL)
Ask = Callable[[Sequence[int]], "asyncio.Future[list[str]]"]


@asynccontextmanager
async def filler(stores: Stores) -> AsyncIterator[Ask]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.state.filling", cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**stores.environment(DATABASE).to_variables(), "PATH": os.defpath},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def asked(notes: Sequence[int]) -> list[str]:
        stdin.write(msgspec.json.encode(notes) + b"\n")
        return msgspec.json.decode(await stdout.readline(), type=list[str])

    try:
        yield lambda notes: asyncio.ensure_future(asked(notes))
    finally:
        process.kill()
        await process.wait()


async def write(state: State, note: int, text: str, session: Session) -> None:
    async with _few, state.database.of(note).write() as transaction:
        sql = "INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = $2"
        await transaction.execute(sql, note, text)
        transaction.touch("notes", note)
    await session.wrote(transaction.written)


@pytest.mark.timeout(1800)
async def test_an_older_fill_never_overwrites_a_newer_value(
    state: State,
    prepared: Stores,
    new_user: Callable[[], int],
    counts: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    tries, wrong, old = counts(2 * BATCH, 10_000), 0, 0
    async with filler(prepared) as fill:
        for _ in range(0, tries, BATCH):
            notes = [new_user() for _ in range(BATCH)]
            sessions = [(await state.sessions.start(note))[0] for note in notes]

            async def change(note: int, session: Session) -> str:
                await asyncio.sleep(random.random() * MOMENT)
                await patiently(partial(write, state, note, "new", session))
                found = await patiently(partial(SLOW.get, state, note, session))
                return found.value.text if found.value else ""

            pairs = list(zip(notes, sessions, strict=True))
            await asyncio.gather(*(patiently(partial(write, state, note, "old", session)) for note, session in pairs))
            filled, *own = await asyncio.gather(fill(notes), *(change(note, session) for note, session in pairs))
            await asyncio.sleep(RENEWED_WITHIN)  # so long a stranger may be given what was there before
            later = await fill(notes)
            old += filled.count("old")
            wrong += sum(text != "new" for text in own) + sum(text != "new" for text in later)
    tell(f"stale set: wrong in {wrong} of {tries} tries; {old} fills had read the value from before")
    assert wrong == 0
    assert old > 0
