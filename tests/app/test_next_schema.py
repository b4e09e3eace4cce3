"""While the next release rolls out, and after it was rolled back, this release serves on the next one's schema.

Its own tests of pages and API are run once more, on databases that were migrated further.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import migrate
from app.site import Site
from goldfleet.contract.environment import PREFIX, Environment
from tests.app.conftest import URL, cheap_passwords, owner_variables
from tests.app.test_api import *  # noqa: F403  the tests of this release
from tests.app.test_pages import *  # noqa: F403
from tests.stores import Stores

NEXT = Path(__file__).parent / "next_release"
SHARDS = ("next_0", "next_1")


@pytest.fixture(scope="session")
async def environment(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Two shards, migrated by the next release."""
    folder = tmp_path_factory.mktemp("next")
    for source in (migrate.FOLDER, NEXT):
        shutil.copytree(source, folder / "migrations", dirs_exist_ok=True)
    for shard in SHARDS:
        stores.make_database(shard)
    variables = owner_variables(stores, folder, *SHARDS)
    roles = migrate.roles(variables[PREFIX + "APP_ROLES"], len(SHARDS))
    await migrate.prepare(Environment.from_variables(variables), roles, folder / "migrations")
    return stores.environment(*SHARDS, public_url=URL)


@pytest.fixture(scope="session")
async def site(environment: Environment) -> AsyncIterator[Site]:
    made = Site(environment, cheap_passwords())
    async with made.running():
        yield made


async def test_the_schema_is_the_next_ones(site: Site, stores: Stores) -> None:
    assert site
    assert [stores.main.sql("SELECT count(*) FROM likes", shard) for shard in SHARDS] == ["0", "0"]
