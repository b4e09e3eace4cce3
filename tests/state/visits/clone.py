"""A clone as the test sees it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from goldfleet.contract.environment import StoreAccess
from tests.state.visits.sites import Seen, Visit

Asked = tuple[str, list[Visit]]
_LINE = 2**24
_seen = msgspec.json.Decoder(list[Seen])


class Clone:
    """A process that serves both sites."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def visit(self, site: str, visits: Sequence[Visit]) -> list[Seen]:
        """Lets it serve all visits side by side; what was seen, in their order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode((site, visits)) + b"\n")
        await self._process.stdin.drain()
        return _seen.decode(await self._process.stdout.readline())


@asynccontextmanager
async def clone(access: StoreAccess) -> AsyncIterator[Clone]:
    """Runs for the length of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.state.visits", msgspec.json.encode(access).decode(),
        cwd=Path(__file__).parents[3], limit=_LINE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Clone(process)
    finally:
        process.kill()
        await process.wait()
