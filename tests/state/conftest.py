from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from goldfleet.state.ids import Ids, random_logical_shard
from goldfleet.state.migrate import ensure_role, migrate
from goldfleet.state.sessions import Sessions
from goldfleet.state.state import State
from goldfleet.state.store import Store
from tests.server import APP
from tests.stores import Stores, eventually
from tests.stores import stores as stores  # noqa: PLC0414  a fixture

DATABASE = "state"
NewUser = Callable[[], int]


@pytest.fixture(scope="session")
async def prepared(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """The stores, with the tables of the examples, which the app's role may write."""
    await prepare(stores, tmp_path_factory.mktemp("migrations"))
    return stores


async def prepare(stores: Stores, folder: Path) -> None:
    (folder / "0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, text text NOT NULL);")
    desks = "CREATE TABLE signs (id bigint PRIMARY KEY, text text);"
    desks += "CREATE TABLE papers (id bigint, owner bigint, text text);"
    (folder / "0002_desks.sql").write_text(desks)
    stores.make_database(DATABASE)
    assert await migrate(stores.owner(DATABASE), folder) == ["0001_notes.sql", "0002_desks.sql"]
    await ensure_role(stores.owner(DATABASE), APP, Path(stores.app_password_file))


@pytest.fixture
async def state(prepared: Stores) -> AsyncIterator[State]:
    """A clone's state, with the replica in rotation; afterwards every store runs again."""
    async with clone(prepared) as opened:
        yield opened
    prepared.start()


@pytest.fixture
async def other(prepared: Stores) -> AsyncIterator[State]:
    """Another clone's."""
    async with clone(prepared) as opened:
        yield opened


@asynccontextmanager
async def clone(stores: Stores) -> AsyncIterator[State]:
    opened = await State.open(stores.environment(DATABASE))

    async def all_ready() -> bool:
        ready = await opened.ready()
        return len(ready) > 3 and set(ready.values()) == {"ok"}

    try:
        await eventually(all_ready, 30)
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def sessions(prepared: Stores) -> AsyncIterator[Sessions]:
    store = Store(prepared.environment(DATABASE).sessions, "sessions")
    yield Sessions(store)
    await store.close()
    prepared.start()


@pytest.fixture
async def elsewhere(prepared: Stores) -> AsyncIterator[Sessions]:
    """Another clone's."""
    store = Store(prepared.environment(DATABASE).sessions, "sessions")
    yield Sessions(store)
    await store.close()


@pytest.fixture
def new_user() -> NewUser:
    ids = Ids()
    return lambda: ids.new(random_logical_shard())


@pytest.fixture
def paused_replay(prepared: Stores) -> Iterator[None]:
    """The replica receives and does not replay."""
    prepared.replica.pause_replay()
    yield
    prepared.start()
    prepared.replica.sql("SELECT pg_wal_replay_resume()")


@asynccontextmanager
async def own_stores(folders: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores that a test may harm, with two replicas."""
    made = Stores(folders.mktemp("stores"))
    try:
        await prepare(made, folders.mktemp("migrations"))
        made.add_replica("second")
        yield made
    finally:
        made.stop()
