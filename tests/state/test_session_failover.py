"""The sessions' primary dies right after it has answered; its replica takes over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import valkey

from goldfleet.contract.environment import StoreAccess
from goldfleet.state import sessions as rules
from goldfleet.state.ids import Ids, random_logical_shard
from goldfleet.state.sessions import Sessions
from goldfleet.state.store import Store
from tests.server import APP
from tests.stores import eventually
from tests.valkey_server import ValkeyServer

OPERATOR = "operator"


class Replica(ValkeyServer):
    """Can be made the primary, as ElastiCache does."""

    def __init__(self, folder: Path, primary: ValkeyServer) -> None:
        super().__init__(folder, "noeviction", primary)
        with self._settings.open("a") as settings:
            settings.write(f"user {OPERATOR} on >{self.password} +replicaof +info\n")

    def operate(self, *words: str) -> object:
        host, port = self.endpoint.host, self.endpoint.port
        with valkey.Valkey(host, port, username=OPERATOR, password=self.password) as client:
            return client.execute_command(*words)


@asynccontextmanager
async def opened(server: ValkeyServer, password: Path) -> AsyncIterator[Sessions]:
    store = Store(StoreAccess(server.endpoint, APP, str(password)), "sessions")
    yield Sessions(store)
    await store.close()


async def test_what_a_login_logout_or_rotation_has_answered_survives_a_failover(
    tmp_path: Path, counts: Callable[[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_REPLICA_WAIT", 5000)  # a busy machine must not take the replica for gone
    primary = ValkeyServer(tmp_path / "primary", "noeviction")
    primary.start()
    replica = Replica(tmp_path / "replica", primary)
    replica.start()
    password = tmp_path / "password"
    password.write_text(primary.password)

    async def streams() -> bool:
        info = replica.operate("INFO", "replication")
        return isinstance(info, dict) and info["master_link_status"] == "up"

    users = [Ids().new(random_logical_shard()) for _ in range(counts(40, 2000))]
    try:
        await eventually(streams)
        async with opened(primary, password) as before:

            async def lives(n: int, user: int) -> tuple[list[str], list[str]]:
                """Tokens that must open a session afterwards, and those that must not."""
                session, token = await before.start(user)
                match n % 4:
                    case 0:
                        return [token], []
                    case 1:
                        await before.end(session)
                        return [], [token]
                    case 2:
                        await before.rotate(session)
                        return [await before.rotate(session)], [token]
                    case _:
                        await before.end_all(user)
                        return [(await before.start(user))[1]], [token]

            expected = await asyncio.gather(*(lives(n, user) for n, user in enumerate(users)))
            primary.kill()
        replica.operate("REPLICAOF", "NO", "ONE")
        async with opened(replica, password) as after:
            for good, bad in expected:
                assert [await after.load(token) is not None for token in good] == [True] * len(good)
                assert [await after.load(token) for token in bad] == [None] * len(bad)
    finally:
        replica.stop()
        primary.stop()
