"""Several clone processes behind HAProxy, and people who use them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import msgspec

from goldfleet.contract.environment import Environment
from local.plane.actor import clean_environment
from local.tools import HAPROXY, find
from tests.server import free_port
from tests.state.clone_app import Answer
from tests.stores import Stores, eventually

ROOT = Path(__file__).parents[2]
GIVEN_UP = 30.0
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """What a person sees: a status (0: the connection broke), the answer if it was 200, and seconds."""

    status: int
    answer: Answer
    seconds: float

    @property
    def good(self) -> bool:
        return self.status == 200


class Person:
    """Asks on a kept connection, and keeps the cookie; made anew whenever the connection breaks."""

    def __init__(self, port: int, note: int) -> None:
        self.note = note
        self._port = port
        self._cookie = ""
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    async def ask(self, page: str, text: str = "") -> Reply:
        began = monotonic()
        try:
            async with asyncio.timeout(GIVEN_UP):
                status, body = await self._exchange(f"/{page}?{urlencode({'note': self.note, 'text': text})}")
        except (OSError, EOFError, TimeoutError):
            self._hang_up()
            return Reply(0, Answer(), monotonic() - began)
        answer = msgspec.json.decode(body, type=Answer) if status == 200 else Answer()
        return Reply(status, answer, monotonic() - began)

    async def must(self, page: str, text: str = "") -> Answer:
        """Asks for what has to work."""
        reply = await self.ask(page, text)
        assert reply.good, (page, reply)
        return reply.answer

    async def _exchange(self, path: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._connection
        cookie = f"cookie: {self._cookie}\r\n" if self._cookie else ""
        writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n".encode())
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        told = {name.lower(): value for name, _, value in (header.partition(": ") for header in headers)}
        if "content-length" in told:
            body = await reader.readexactly(int(told["content-length"]))
        else:
            body = await self._chunks(reader)
        self._cookie = told.get("set-cookie", self._cookie).partition(";")[0]
        if told.get("connection") == "close":
            self._hang_up()
        return int(status.split()[1]), body

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return body

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


@asynccontextmanager
async def fleet(stores: Stores, database: str, folder: Path, clones: int = 3) -> AsyncIterator[int]:
    """The balancer's port, once every clone has all its servers in rotation."""
    environments = [replace(stores.environment(database), instance_id=f"i-{n:017x}") for n in range(clones)]
    port = free_port(HOST)
    config = folder / "haproxy.cfg"
    config.write_text(_configuration(port, environments))
    balancer = [find(HAPROXY)["haproxy"], "-db", "-f", str(config)]
    clone = [sys.executable, "-m", "tests.state.clone_app"]
    wanted = [(clone, environment.to_variables()) for environment in environments]
    processes = _start([*wanted, (balancer, {})], folder / "log")
    try:
        for environment in environments:
            await _until_ready(environment.port, 3 + len(stores.replicas))
        yield port
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert b"Traceback" not in (folder / "log").read_bytes(), (folder / "log").read_text()[-5000:]


def _start(wanted: Iterable[tuple[list[str], dict[str, str]]], output: Path) -> list[subprocess.Popen[bytes]]:
    with output.open("wb") as log:
        return [
            subprocess.Popen(command, cwd=ROOT, env=clean_environment(**variables), stdout=log, stderr=log)
            for command, variables in wanted
        ]


async def _until_ready(port: int, servers: int) -> None:
    async def ready() -> bool:
        async with Person(port, 0) as person:
            reply = await person.ask("ready")
        return reply.good and reply.answer.text == str(servers)

    await eventually(ready, 60)


def _configuration(port: int, clones: Sequence[Environment]) -> str:
    servers = "".join(f"    server clone{n} {clone.host}:{clone.port}\n" for n, clone in enumerate(clones))
    return f"""\
defaults
    mode http
    retries 0
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen site
    bind {HOST}:{port}
    balance roundrobin
{servers}"""
