"""SQL to a database as AWS describes it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

PASSWORD = "it's-a-'secret'"
BACK = 10
"""Seconds in which a killed server must be back."""


async def query(database: dict[str, Any], statement: str, password: str = PASSWORD) -> Any:
    """The first value of the answer, on a connection of its own."""
    endpoint = database["Endpoint"]
    connection = await asyncpg.connect(
        host=endpoint["Address"], port=endpoint["Port"], user="owner", password=password, database="goldfleet",
        ssl=False, timeout=5,
    )  # fmt: skip
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def until(database: dict[str, Any], statement: str, wanted: Any) -> None:
    """Asks until the answer is the wanted one; a server that is away just has not answered yet."""
    for _ in range(BACK * 20):
        try:
            if await query(database, statement) == wanted:
                return
        except (OSError, asyncpg.PostgresError, TimeoutError):
            pass
        await asyncio.sleep(0.05)
    pytest.fail(f"{statement} never gave {wanted}")
