"""What a request with a session costs beside what people use: the same pages on each library, one uvicorn process each.

Each request comes with another session, and each reply is compared with what that session holds. Processor time is the
server process's own, user and system, all threads. Rounds of all servers alternate; the median round counts.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console
from rich.table import Table

from bench._http import Request, load
from bench._processor import microseconds_of
from bench.session_apps import variables
from goldfleet.contract.environment import StoreAccess
from tests.server import APP
from tests.valkey_server import ValkeyServer

ROUNDS = 7
SESSIONS = 1000
APPS = {
    "hello": "nothing",
    "ours": "Goldfleet in plain ASGI",
    "ours_on_starlette": "Goldfleet in Starlette",
    "starsessions_in_plain_asgi": "starsessions in plain ASGI",
    "starsessions_on_starlette": "starsessions in Starlette",
    "django_redis_sessions": "Django, django-redis",
}
LIMITS = {"starsessions_on_starlette": 4.0, "django_redis_sessions": 3.0}
READ, CHANGE = "read only", "one changed field"


class Server:
    """An application of `session_apps` in a uvicorn process of its own, and its thousand sessions."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.name = name
        options = ("--port", str(self.port), "--no-access-log", "--log-level", "warning")
        self._process = subprocess.Popen(
            (sys.executable, "-m", "uvicorn", f"bench.session_apps.{name}:app", *options),
            env={**os.environ, **environment},
        )
        self._cookies = [""] * SESSIONS
        self._texts = ["hello-hello"] * SESSIONS

    def wait(self) -> None:
        """Returns when it answers."""
        end = monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, self.name
                assert monotonic() < end, self.name
                sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    async def log_in(self) -> None:
        """Starts the sessions."""
        if self.name != "hello":
            texts = [f"login-{number:05}" for number in range(SESSIONS)]
            replies = await load(self.port, [Request(f"/login?{text}", "", text) for text in texts])
            self._texts = [reply.body for reply in replies]
            self._cookies = [reply.cookie for reply in replies]

    async def read(self) -> float:
        """Microseconds of processor time per request that reads its session."""
        pairs = zip(self._cookies, self._texts, strict=True)
        return await self._measured([Request("/", cookie, text) for cookie, text in pairs])

    async def change(self) -> float:
        """Microseconds of processor time per request that changes one field."""
        if self.name != "hello":
            self._texts = [f"text{os.urandom(4).hex()[:7]}" for _ in range(SESSIONS)]
        pairs = zip(self._cookies, self._texts, strict=True)
        return await self._measured([Request(f"/set?{text}", cookie, text) for cookie, text in pairs])

    async def _measured(self, requests: list[Request]) -> float:
        before = microseconds_of(self._process.pid)
        await load(self.port, requests)
        return (microseconds_of(self._process.pid) - before) / len(requests)


def main() -> None:
    """Prints microseconds, and how many times ours the others take."""
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103  the store's account looks into it
        store = ValkeyServer(Path(folder) / "sessions", "noeviction")
        store.start()
        stack.callback(store.stop)
        password = Path(folder) / "password"
        password.write_text(store.password)
        access = StoreAccess(store.endpoint, APP, str(password))
        servers = []
        for name in APPS:
            servers.append(Server(name, variables(access)))
            stack.callback(servers[-1].stop)
        for server in servers:
            server.wait()
        Console().print(table(asyncio.run(measure(servers))))


async def measure(servers: list[Server]) -> Mapping[str, Mapping[str, float]]:
    """Microseconds by page and server: the median of the rounds."""
    pages: dict[str, Callable[[Server], Awaitable[float]]] = {READ: Server.read, CHANGE: Server.change}
    told: dict[str, dict[str, list[float]]] = {page: {server.name: [] for server in servers} for page in pages}
    for server in servers:
        await server.log_in()
        await server.read()
        await server.change()
    for _ in range(ROUNDS):
        for page, act in pages.items():
            for server in servers:
                told[page][server.name].append(await act(server))
    return {page: {name: statistics.median(each) for name, each in rounds.items()} for page, rounds in told.items()}


def table(told: Mapping[str, Mapping[str, float]]) -> Table:
    """Each figure, and what it is in ours."""
    made = Table("a request", "sessions", "µs of processor", "in ours", "at least", title="requests with a session")
    for page, figures in told.items():
        for name, figure in figures.items():
            limit = LIMITS.get(name)
            made.add_row(page, APPS[name], f"{figure:.0f}", f"{figure / figures['ours']:.2f}", f"{limit or ''}")
    return made
