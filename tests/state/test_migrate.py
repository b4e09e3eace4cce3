from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.database import Database
from goldfleet.state.exceptions import DatabaseDown, MigrationError
from goldfleet.state.migrate import Migration, ensure_role, migrate, pending, read_migrations
from tests.server import APP
from tests.stores import Stores

DATABASE = "migrations"
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def write(**files: str) -> Path:
        for name, sql in files.items():
            (tmp_path / f"{name.removeprefix('m')}.sql").write_text(sql)
        return tmp_path

    return write


@pytest.fixture
def owner(stores: Stores) -> ShardAccess:
    stores.main.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    stores.make_database(DATABASE)
    return stores.owner(DATABASE)


async def test_each_is_applied_once_and_in_order(folder: Folder, owner: ShardAccess, stores: Stores) -> None:
    both = folder(m0002_more="ALTER TABLE a ADD COLUMN b text;", m0001_a="CREATE TABLE a (id int);")
    assert await migrate(owner, both) == ["0001_a.sql", "0002_more.sql"]
    assert await migrate(owner, both) == []
    assert await migrate(owner, folder(m0003_index="CREATE INDEX ON a (b);")) == ["0003_index.sql"]
    assert stores.main.sql("SELECT count(*) FROM schema_migrations", DATABASE) == "3"


async def test_clones_that_start_at_once_migrate_once(folder: Folder, owner: ShardAccess) -> None:
    path = folder(m0001_a="CREATE TABLE a (id int); SELECT pg_sleep(0.2);", m0002_b="CREATE TABLE b (id int);")
    applied = await asyncio.gather(*(migrate(owner, path) for _ in range(6)))
    assert sorted(applied) == [[]] * 5 + [["0001_a.sql", "0002_b.sql"]]


async def test_a_failing_one_is_undone_and_those_before_it_stand(
    folder: Folder, owner: ShardAccess, stores: Stores
) -> None:
    path = folder(m0001_a="CREATE TABLE a (id int);", m0002_b="CREATE TABLE b (id int); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"0002_b.sql: division by zero"):
        await migrate(owner, path)
    tables = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"
    assert stores.main.sql(tables, DATABASE) == "a schema_migrations"
    assert await migrate(owner, folder(m0002_b="CREATE TABLE b (id int);")) == ["0002_b.sql"]


async def test_one_that_was_changed_after_it_was_applied_is_refused(folder: Folder, owner: ShardAccess) -> None:
    await migrate(owner, folder(m0001_a="CREATE TABLE a (id int);"))
    changed = folder(m0001_a="CREATE TABLE a (id bigint);", m0002_b="CREATE TABLE b (id int);")
    with pytest.raises(MigrationError, match="was changed after it was applied"):
        await migrate(owner, changed)


async def test_one_that_takes_away_is_refused_before_anything_happens(
    folder: Folder, owner: ShardAccess, stores: Stores
) -> None:
    path = folder(m0001_a="CREATE TABLE a (id int);", m0002_b="DROP TABLE a;")
    with pytest.raises(MigrationError, match=r"0002_b.sql: drops something; only add"):
        await migrate(owner, path)
    assert stores.main.sql("SELECT to_regclass('a')", DATABASE) == ""


@pytest.mark.parametrize("names", [["m1_a"], ["m0001_A"], ["m0001_a", "m0001_b"], ["m0001-a"]])
def test_names_have_one_shape_and_numbers_are_there_once(folder: Folder, names: list[str]) -> None:
    with pytest.raises(MigrationError, match=r"NNNN_name|shares its number"):
        read_migrations(folder(**dict.fromkeys(names, "SELECT 1;")))


def test_a_release_that_is_rolled_back_runs_on_the_newer_schema() -> None:
    mine = [Migration("0001_a.sql", "a")]
    applied = {"0001_a.sql": mine[0].checksum, "0002_later.sql": "whatever"}
    assert pending(mine, applied) == []


async def test_it_waits_for_the_database_and_not_for_ever(folder: Folder, stores: Stores) -> None:
    nowhere = replace(stores.owner(DATABASE), main=Endpoint("127.0.0.1", 1))
    with pytest.raises(DatabaseDown):
        await migrate(nowhere, folder(), deadline=0.3)


async def test_it_waits_while_the_database_starts(folder: Folder, owner: ShardAccess, stores: Stores) -> None:
    stores.main.kill()
    migrating = asyncio.create_task(migrate(owner, folder(m0001_a="CREATE TABLE a (id int);")))
    await asyncio.to_thread(stores.start)
    assert await migrating == ["0001_a.sql"]


async def test_the_apps_role_reads_and_writes_rows_and_nothing_else(
    folder: Folder, owner: ShardAccess, stores: Stores, tmp_path: Path
) -> None:
    await migrate(owner, folder(m0001_a="CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY, b text);"))
    access = stores.shard(DATABASE)
    for _ in range(2):
        await ensure_role(owner, APP, Path(access.password_file))
    database = await Database.open([replace(access, replicas_file=str(tmp_path / "none"))])
    try:
        async with database.directory.write() as transaction:
            await transaction.execute("INSERT INTO a (b) VALUES ('x')")
        for refused in ("CREATE TABLE b (id int)", "DROP TABLE a", "DELETE FROM schema_migrations", "TRUNCATE a"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with database.directory.write() as transaction:
                    await transaction.execute(refused)
    finally:
        await database.close()


async def execute(database: Database, sql: str) -> None:
    async with database.directory.write() as transaction:
        await transaction.execute(sql)


async def test_a_new_password_is_taken_up(folder: Folder, owner: ShardAccess, stores: Stores, tmp_path: Path) -> None:
    await migrate(owner, folder())
    mine = tmp_path / "rotating.password"
    access = replace(stores.shard(DATABASE), username="rotating", password_file=str(mine))
    for password in ("first 'one'", "second%one$"):
        mine.write_text(password + "\n")
        await ensure_role(owner, "rotating", mine)
        database = await Database.open([access])
        try:
            async with database.directory.read() as reader:
                assert await reader.fetchval("SELECT current_user") == "rotating"
        finally:
            await database.close()
    log = (stores.main.folder / "log").read_text()
    assert "ALTER ROLE rotating PASSWORD" in log
    assert "second%one$" not in log
