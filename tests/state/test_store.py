from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from valkey.exceptions import ResponseError

from goldfleet.state.exceptions import StoreDown
from goldfleet.state.store import Script, Store
from tests.state.conftest import DATABASE
from tests.stores import Stores, eventually
from tests.valkey_server import ValkeyServer

ECHO = Script("return ARGV[1]")


@pytest.fixture
async def store(prepared: Stores) -> AsyncIterator[Store]:
    opened = Store(prepared.environment(DATABASE).cache, "cache")
    yield opened
    await opened.close()
    prepared.start()


async def test_what_is_asked_in_one_turn_travels_together(store: Store, prepared: Stores) -> None:
    await store.command("PING")

    def commands() -> int:
        info = prepared.cache.command("INFO", "stats")
        return int(
            next(line for line in info.split(b"\r\n") if line.startswith(b"total_reads_processed")).split(b":")[1]
        )

    before = commands()
    assert await asyncio.gather(*(store.command("ECHO", str(n)) for n in range(100))) == [b"%d" % n for n in range(100)]
    # One read of the socket for the hundred, and those of the two looks at it.
    assert commands() - before < 20


async def test_every_task_gets_its_own_reply_whoever_is_cancelled(store: Store) -> None:
    async def ask(n: int) -> bytes:
        reply: bytes = await store.command("ECHO", str(n))
        return reply

    for start in range(0, 4000, 20):
        tasks = [asyncio.create_task(ask(start + k)) for k in range(20)]
        for _ in range(start // 20 % 4):
            await asyncio.sleep(0)
        for task in tasks[start // 20 % 3 :: 3]:
            task.cancel()
        for k, reply in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
            assert isinstance(reply, asyncio.CancelledError) or reply == b"%d" % (start + k)


async def test_one_wrong_command_fails_alone(store: Store) -> None:
    replies = await asyncio.gather(
        store.command("ECHO", "a"), store.command("NONSENSE"), store.command("ECHO", "b"), return_exceptions=True
    )
    assert replies[0] == b"a"
    assert isinstance(replies[1], ResponseError)
    assert replies[2] == b"b"


async def test_an_argument_that_cannot_be_sent_fails_alone(store: Store) -> None:
    replies = await asyncio.gather(store.command("ECHO", "\ud800"), store.command("ECHO", "b"), return_exceptions=True)
    assert isinstance(replies[0], UnicodeEncodeError)
    assert replies[1] == b"b"


async def test_more_commands_than_a_batch_holds_all_arrive(store: Store) -> None:
    replies = await asyncio.gather(*(store.command("ECHO", n) for n in range(3000)))
    assert replies == [b"%d" % n for n in range(3000)]


async def test_a_script_is_sent_again_after_the_store_forgot_it(store: Store, prepared: Stores) -> None:
    assert await store.script(ECHO, [], "a") == b"a"
    prepared.cache.kill()
    prepared.cache.start()

    async def answered() -> bool:
        try:
            return bool(await store.script(ECHO, [], "b") == b"b")
        except StoreDown:
            return False

    await eventually(answered)


async def test_a_frozen_store_keeps_no_queue_waiting(store: Store, prepared: Stores) -> None:
    await store.command("PING")
    prepared.cache.freeze()
    try:
        asked = [asyncio.create_task(store.command("PING")) for _ in range(8000)]
        replies = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 12)
        assert {type(reply) for reply in replies} == {StoreDown}
    finally:
        prepared.cache.thaw()


async def test_a_reply_that_comes_too_late_is_nobodys(prepared: Stores) -> None:
    store = Store(prepared.environment(DATABASE).cache, "cache", 0.2)
    await store.command("PING")
    for n in range(3):
        prepared.cache.freeze()
        try:
            with pytest.raises(StoreDown):
                await store.command("ECHO", f"late {n}")
        finally:
            prepared.cache.thaw()

        async def answered(n: int = n) -> bool:
            try:
                return bool(await store.command("ECHO", f"new {n}") == b"new %d" % n)
            except StoreDown:
                return False

        await eventually(answered)
    await store.close()


async def test_a_closed_store_leaves_nobody_waiting(prepared: Stores) -> None:
    store = Store(prepared.environment(DATABASE).cache, "cache")
    await store.command("PING")
    prepared.cache.freeze()
    try:
        asked = asyncio.create_task(store.command("PING"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await store.close()
        with pytest.raises(StoreDown):
            await asked
    finally:
        prepared.cache.thaw()


async def test_waiting_for_a_replica_tells_whether_one_has_it(store: Store, prepared: Stores, tmp_path: Path) -> None:
    assert await store.script_and_wait(ECHO, [], "a", milliseconds=10) == (b"a", False)
    replica = ValkeyServer(tmp_path / "replica", "noeviction", prepared.cache)
    try:
        replica.start()

        async def durable() -> bool:
            put = Script("return redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000)")
            return await store.script_and_wait(put, ["waits"], "a", milliseconds=100) == (b"OK", True)

        await eventually(durable)
    finally:
        replica.stop()


async def test_a_wrong_password_is_a_store_that_is_down(prepared: Stores, tmp_path: Path) -> None:
    access = prepared.environment(DATABASE).cache
    wrong = tmp_path / "wrong.password"
    wrong.write_text("wrong")
    store = Store(type(access)(access.primary, access.username, str(wrong)), "cache")
    with pytest.raises(StoreDown, match=r"WRONGPASS|invalid username-password"):
        await store.command("PING")
    wrong.write_text(prepared.cache.password)
    assert await store.command("PING") == b"PONG"
    await store.close()
