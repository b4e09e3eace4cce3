"""Writes to a shard whose main is known by a name, again and again; one line for each answer.

Run by `test_new_address.py` where it has an `/etc/hosts` of its own.
"""

from __future__ import annotations

import asyncio
import sys

from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.database import Database
from goldfleet.state.exceptions import DatabaseDown

WHERE = "SELECT host(inet_server_addr())"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(host: str, port: str, *access: str) -> None:
    """Until it is killed."""
    shard = ShardAccess(Endpoint(host, int(port)), *access)
    opened = await Database.open([shard])
    number = 0
    while True:
        number += 1
        try:
            async with opened.shards[0].write() as transaction:
                await transaction.execute("INSERT INTO notes VALUES ($1, 'named')", number)
                where = await transaction.fetchval(WHERE)
            say(f"{number} {where}")
        except DatabaseDown as down:
            say(f"down {down.what}")
        await asyncio.sleep(0.05)


asyncio.run(main(*sys.argv[1:]))
