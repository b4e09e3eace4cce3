"""A commit whose record ends exactly where a page of the log ends."""

from __future__ import annotations

from goldfleet.state.position import PAGE, PAGE_HEADER, end_of_log
from tests.stores import Stores, eventually


def place(stores: Stores) -> int:
    return int(stores.main.sql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def emit(stores: Stores, size: int) -> None:
    stores.main.sql(f"SELECT pg_logical_emit_message(false, '', repeat('x', {size}))")


def fill_the_page(stores: Stores) -> int:
    """Writes until a record ends with its page; returns where the next one will be inserted."""
    for _ in range(50):
        before = place(stores)
        emit(stores, 256)
        after = place(stores)
        overhead, room = after - before - 256, PAGE - after % PAGE
        if 0 < overhead < 128 and overhead + 300 < room:
            emit(stores, room - overhead)
            if place(stores) % PAGE == PAGE_HEADER:
                return place(stores)
    raise AssertionError("no record ended with its page")


async def test_a_replica_that_has_everything_has_reached_the_end_of_the_log(prepared: Stores) -> None:
    end = end_of_log(fill_the_page(prepared))

    async def replayed() -> bool:
        return int(prepared.replica.sql("SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn")) >= end

    await eventually(replayed)


def test_a_place_inside_a_page_is_the_end_of_a_record() -> None:
    assert end_of_log(3 * PAGE + 32) == 3 * PAGE + 32
    assert end_of_log(3 * PAGE + PAGE_HEADER) == 3 * PAGE
