"""All stores of an app at once, from the environment that the launcher wrote.

>>> async def serve() -> None:
...     state = await State.open(Environment.from_variables(os.environ))
...     try:
...         session = await state.sessions.load(token_from_cookie)
...     finally:
...         await state.close()
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Self

from goldfleet.contract.environment import Environment
from goldfleet.state.cache import REPLY, Cache
from goldfleet.state.database import Database
from goldfleet.state.exceptions import StoreDown
from goldfleet.state.ids import Ids
from goldfleet.state.sessions import Sessions
from goldfleet.state.store import Store
from goldfleet.state.versions import Versions


class State:
    """What an app keeps anywhere: sessions, cache, database, and the ids of new rows; made by `State.open`."""

    def __init__(self, database: Database, sessions: Store, cache: Store, versions: Versions) -> None:
        self.database = database
        self.sessions = Sessions(sessions)
        self.cache = Cache(cache)
        self.ids = Ids()
        self._stores = (sessions, cache)
        self._versions = versions

    @classmethod
    async def open(cls, environment: Environment) -> Self:
        """Connects to nothing yet: an app starts, and says what is down, whatever the stores do."""
        cache = Store(environment.cache, "cache", REPLY)
        versions = Versions(cache)
        database = await Database.open(environment.shards, versions)
        return cls(database, Store(environment.sessions, "sessions"), cache, versions)

    async def ready(self) -> Mapping[str, str]:
        """`ok` or what is wrong, by store: `sessions`, `cache`, `database 0 main`, `database 0 HOST:PORT`."""
        stores = [_check(store) for store in self._stores]
        shards = [shard.check() for shard in self.database.shards]
        told = await asyncio.gather(*stores)
        checks = await asyncio.gather(*shards)
        servers = {
            f"database {index} {server}": said for index, check in enumerate(checks) for server, said in check.items()
        }
        return dict(zip([store.name for store in self._stores], told, strict=True)) | servers

    async def close(self) -> None:
        """Closes all connections; what is under way fails."""
        await self.cache.close()
        await self._versions.close()
        await self.database.close()
        for store in self._stores:
            await store.close()


async def _check(store: Store) -> str:
    try:
        await store.command("PING")
    except StoreDown as down:
        return str(down)
    return "ok"
