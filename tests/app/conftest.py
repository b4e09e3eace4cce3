from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from app import migrate
from app.facts import Facts
from app.passwords import Passwords
from app.site import Site
from app.visit import Visit
from goldfleet.contract.environment import PREFIX, Environment
from goldfleet.state.asgi import SessionCookie, Visitor
from goldfleet.state.state import State
from tests.server import APP
from tests.stores import Stores
from tests.stores import stores as stores  # noqa: PLC0414  a fixture

URL = "http://site.test"
SHARDS = ("app_0", "app_1")
PASSWORD = "correct horse"


class Browser:
    """A person with a browser: keeps the cookie, and sends forms with the token that the page had."""

    def __init__(self, site: Site) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url=URL)

    async def get(self, path: str, **more: str) -> httpx.Response:
        return await self.http.get(path, headers=more)

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form with the token of the page at `/`."""
        token = csrf_token(await self.get("/login"))
        return await self.http.post(path, data={"csrf_token": token, **fields})

    async def sign_up(self, name: str | None = None) -> str:
        name = name or new_name()
        answer = await self.submit("/signup", name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return name


class Program:
    """A program that uses the API with a cookie and the session's token."""

    def __init__(self, site: Site) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url=f"{URL}/api/v1")

    async def sign_up(self, name: str | None = None) -> str:
        name = name or new_name()
        answer = await self.http.post("/users", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return name


def new_name() -> str:
    return f"p-{secrets.token_hex(6)}"


def csrf_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def owner_variables(stores: Stores, folder: Path, *shards: str) -> dict[str, str]:
    """What the launcher gives to the migration."""
    environment = stores.environment(*shards)
    roles = folder / "app-roles.json"
    role = {"username": APP, "password_file": stores.app_password_file}
    roles.write_text(json.dumps([role] * len(shards)))
    owner = Environment(**{**vars(environment), "shards": tuple(stores.owner(shard) for shard in shards)})
    return owner.to_variables() | {PREFIX + "APP_ROLES": str(roles)}


@pytest.fixture(scope="session")
async def environment(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Two shards, migrated."""
    for shard in SHARDS:
        stores.make_database(shard)
    variables = owner_variables(stores, tmp_path_factory.mktemp("migrate"), *SHARDS)
    await migrate.prepare(Environment.from_variables(variables), migrate.roles(variables[PREFIX + "APP_ROLES"], 2))
    return stores.environment(*SHARDS, public_url=URL)


def cheap_passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="session")
async def site(environment: Environment) -> AsyncIterator[Site]:
    made = Site(environment, cheap_passwords())
    async with made.running():
        yield made


@pytest.fixture
async def state(environment: Environment) -> AsyncIterator[State]:
    opened = await State.open(environment)
    yield opened
    await opened.close()


@pytest.fixture
def visit(state: State) -> Visit:
    visitor = Visitor(state.sessions, SessionCookie(URL, 60), None, None)
    return Visit(state, Facts("i-1", "zone", "release"), visitor)


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    made = Browser(site)
    yield made
    await made.http.aclose()


@pytest.fixture
async def other(site: Site) -> AsyncIterator[Browser]:
    made = Browser(site)
    yield made
    await made.http.aclose()


@pytest.fixture
async def program(site: Site) -> AsyncIterator[Program]:
    made = Program(site)
    yield made
    await made.http.aclose()
