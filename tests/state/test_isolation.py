"""Requests that are cancelled anywhere, on several clones: nobody ever gets what was meant for another request."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.server import APP
from tests.state.conftest import DATABASE
from tests.state.isolated import Report
from tests.stores import Stores

CLONES = 2
SIDE_BY_SIDE = 24


async def clone(stores: Stores, replies: int) -> Report:
    """Runs one, and reads what it says at its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.state.isolated", str(replies), str(SIDE_BY_SIDE),
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
        env={**stores.environment(DATABASE).to_variables(), "PATH": os.defpath},
    )  # fmt: skip
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    return msgspec.json.decode(told, type=Report)


@pytest.mark.timeout(3600)
async def test_every_reply_is_its_own_requests_whoever_is_cancelled(
    prepared: Stores, counts: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    replies = counts(4000, 1_000_000)
    reports = await asyncio.gather(*(clone(prepared, replies // CLONES) for _ in range(CLONES)))
    done, cut = sum(report.replies for report in reports), sum(report.cancelled for report in reports)
    refused = sum(sum(report.refused.values()) for report in reports)
    seconds = max(report.seconds for report in reports)
    processor = sum(report.processor for report in reports)
    tell(
        f"isolation: {sum(report.mismatches for report in reports)} mismatches in {done} replies of {CLONES} clones, "
        f"{cut} requests cancelled, {refused} refused, {seconds:.0f} s, {processor:.0f} s of processor"
    )
    assert done >= replies
    assert cut > replies / 50
    assert [report.mismatches for report in reports] == [0] * CLONES
    assert refused <= done / 100, reports  # a busy machine's store may be too slow for its deadline; a wrong word never
    assert [report.left for report in reports] == [0] * CLONES
    held = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{APP}' AND state LIKE 'idle in transaction%'"
    assert prepared.main.sql(held) == "0"
