"""`python -m app.migrate`, as the launcher starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from goldfleet.contract import service
from goldfleet.contract.environment import Environment
from goldfleet.state.access import read_password
from goldfleet.state.migrate import read_migrations
from tests.app.conftest import SHARDS, owner_variables
from tests.app.served import ROOT
from tests.server import APP
from tests.stores import OWNER, Stores

COMMAND = (sys.executable, *service.MIGRATE_COMMAND)


def start(variables: dict[str, str]) -> subprocess.Popen[str]:
    variables = variables | {"PATH": os.defpath}
    return subprocess.Popen(COMMAND, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(variables: dict[str, str]) -> tuple[int | None, str, str]:
    process = start(variables)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors


@pytest.fixture
def variables(stores: Stores, environment: Environment, tmp_path: Path) -> dict[str, str]:
    return owner_variables(stores, tmp_path, *SHARDS)


def test_again_it_changes_nothing_and_the_app_goes_on(variables: dict[str, str], stores: Stores) -> None:
    code, output, errors = run(variables)
    assert (code, errors) == (0, "")
    assert output.count("nothing to migrate") == len(SHARDS)
    assert stores.app_password_file not in output


def test_clones_that_start_together_migrate_once(stores: Stores, tmp_path: Path) -> None:
    stores.make_database("together")
    variables = owner_variables(stores, tmp_path, "together")
    clones = [start(variables) for _ in range(3)]
    told = [clone.communicate(timeout=60) for clone in clones]
    assert [clone.returncode for clone in clones] == [0, 0, 0], told
    assert sum("0001_people.sql" in output for output, _ in told) == 1


async def test_the_apps_role_reads_and_writes_rows_and_nothing_else(stores: Stores, environment: Environment) -> None:
    shard = environment.shards[0]
    connection = await asyncpg.connect(
        host=shard.main.host, port=shard.main.port, database=shard.database, user=shard.username,
        password=read_password(shard.password_file),
    )  # fmt: skip
    try:
        for forbidden in ("CREATE TABLE mine ()", "DROP TABLE posts", "ALTER TABLE posts ADD COLUMN x int",
                          "TRUNCATE posts", "CREATE ROLE another", f"SET ROLE {OWNER}"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        assert await connection.fetchval("SELECT count(*) FROM posts") >= 0
    finally:
        await connection.close()
    assert (
        stores.main.sql(f"SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = '{APP}'") == "f"
    )


@pytest.mark.parametrize(
    ("roles", "what"),
    [
        (None, "not set"),
        ("", "unreadable"),
        ("{}", "lists 0 roles for 2 shards"),
        ('[{"username": "x", "password_file": "y"}]', "lists 1 roles for 2 shards"),
        ('[{"username": "x"}]', "unreadable"),
    ],
)
def test_without_the_apps_roles_it_says_so(
    variables: dict[str, str], tmp_path: Path, roles: str | None, what: str
) -> None:
    if roles is None:
        del variables["GOLDFLEET_APP_ROLES"]
    else:
        (tmp_path / "app-roles.json").write_text(roles)
    code, _, errors = run(variables)
    assert code == 1
    assert errors.startswith("GOLDFLEET_APP_ROLES: ")
    assert what in errors
    assert "Traceback" not in errors


def test_the_migrations_only_add() -> None:
    assert [migration.name[:4] for migration in read_migrations(ROOT / "app" / "migrations")] == [
        "0001",
        "0002",
        "0003",
    ]
