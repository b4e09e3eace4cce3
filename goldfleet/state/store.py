"""A connection to Valkey for many tasks at once: what they ask in one turn of the event loop travels together.

Built on valkey-py's connections. Commands that are given in the same turn form one batch on one connection, so the cost
of a round trip is shared. A caller that is cancelled leaves its reply to nobody: the batch reads it and drops it, so no
reply is ever taken for another one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from libvalkey import pack_command
from valkey.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
    ValkeyError,
)

from goldfleet.contract.deadlines import STORE_REPLY
from goldfleet.contract.environment import StoreAccess
from goldfleet.state.access import tls_for, way_out
from goldfleet.state.breaker import Breaker
from goldfleet.state.exceptions import AGAIN, StoreDown
from goldfleet.state.link import Link, Reply, link_to
from goldfleet.state.tasks import end

Argument = bytes | str | int
_Told = list[Reply] | StoreDown
# As a result, not as an exception: asyncio complains of one that a cancelled caller never fetches.

FLIGHTS = 2
"""Batches under way at once, each on its own connection: what is asked meanwhile joins the next batch."""
BATCH = 256
"""Callers whose commands share a batch, at most."""
WAITING = 10_000
"""Callers that may wait for a batch; more are refused."""

_CLOSED = "was closed"
_BROKEN = "does not answer, as of a moment ago"
_NOT_NOW = (ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError)


class Script:
    """A Lua script that the store runs as one step."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Store:
    """One replication group's primary.

    Connects when it is first used, so an app starts although the store is down.

    Args:
        access: where it answers and who asks.
        reply_timeout: seconds until a batch is given up.
        name: how errors call it.
    """

    def __init__(self, access: StoreAccess, name: str, reply_timeout: float = STORE_REPLY) -> None:
        self.name = name
        self._timeout = reply_timeout
        self._access = access
        self._tls = tls_for(access.primary.host)
        self._idle: list[Link] = []
        self._breaker = Breaker()
        self._waiting: list[_Call] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._closed = False

    async def command(self, *arguments: Argument) -> Reply:
        """Sends one command with the next batch.

        Raises:
            StoreDown: no answer in time, or the server cannot do it now.
        """
        return (await self.commands(arguments))[0]

    async def commands(self, *commands: tuple[Argument, ...]) -> list[Reply]:
        """Sends commands in one round trip; others' commands may run between them. Raises as `command` does."""
        self._refuse_if_down()
        if len(self._waiting) >= WAITING:
            raise StoreDown(self.name, f"has {WAITING} callers waiting")
        loop = asyncio.get_running_loop()
        call = _Call(loop.create_future(), commands)
        self._waiting.append(call)
        if len(self._waiting) == 1:
            loop.call_soon(self._depart)
        told = await call.replies
        if isinstance(told, StoreDown):
            raise told
        return [self._checked(reply) for reply in told]

    async def script(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Reply:
        """Runs a script; the store keeps it, so only its digest travels after the first time."""
        try:
            return await self.command("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self.command("EVAL", script.text, len(keys), *keys, *arguments)

    async def script_and_wait(
        self, script: Script, keys: Sequence[str], *arguments: Argument, milliseconds: int
    ) -> tuple[Reply, bool]:
        """Runs a script and waits until one replica has it too, on a connection of its own: mind how many do so.

        Returns:
            The script's reply, and whether a replica had it within so many milliseconds.
        """
        self._refuse_if_down()
        eval_ = ("EVAL", script.text, len(keys), *keys, *arguments)
        commands = [pack_command(eval_), pack_command(("WAIT", 1, milliseconds))]
        reply, replicas = await self._send(commands, self._timeout + milliseconds / 1000)
        return self._checked(reply), not isinstance(replicas, Exception) and replicas > 0

    async def close(self) -> None:
        """Gives up what is under way and closes all connections."""
        self._closed = True
        self._settle(self._waiting, _CLOSED)
        await end(list(self._flights))
        await self._hang_up()

    def _refuse_if_down(self) -> None:
        if self._closed:
            raise StoreDown(self.name, _CLOSED)
        if self._breaker.open:
            raise StoreDown(self.name, _BROKEN)

    def _depart(self) -> None:
        if self._breaker.open:
            self._settle(self._waiting, _BROKEN)
            self._waiting = []
        if not self._waiting or len(self._flights) >= FLIGHTS:
            return
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        flight = asyncio.get_running_loop().create_task(self._fly(batch))
        self._flights.add(flight)
        flight.add_done_callback(lambda landed: self._landed(landed, batch))
        if self._waiting:
            self._depart()

    def _landed(self, flight: asyncio.Task[None], batch: Sequence[_Call]) -> None:
        self._flights.discard(flight)
        self._settle(batch, _CLOSED)  # a flight that was cancelled before it began has settled nothing
        if not self._closed:
            self._depart()

    def _settle(self, calls: Sequence[_Call], what: str, way_out: str = AGAIN) -> None:
        for call in calls:
            if not call.replies.done():
                call.settle(StoreDown(self.name, what, way_out))

    async def _fly(self, batch: Sequence[_Call]) -> None:
        try:
            replies = iter(await self._send([command for call in batch for command in call.packed], self._timeout))
        except StoreDown as down:
            self._settle(batch, down.what, down.way_out)
        else:
            for call in batch:
                call.settle([next(replies) for _ in call.packed])

    async def _send(self, commands: Sequence[bytes], seconds: float) -> list[Reply]:
        link = self._idle.pop() if self._idle else link_to(self._access, self._tls, self._timeout)
        try:
            async with asyncio.timeout(seconds):
                replies = await link.ask(commands)
        except (ValkeyError, OSError, TimeoutError) as error:
            self._breaker.failed()
            raise StoreDown(self.name, f"does not answer ({_short(error)})", way_out(error)) from error
        self._idle.append(link)
        self._breaker.succeeded()
        # After a failover this address still led to the old primary: look it up again.
        if self._closed or any(isinstance(reply, ReadOnlyError) for reply in replies):
            await self._hang_up()
        return replies

    async def _hang_up(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    def _checked(self, reply: Reply) -> Reply:
        if isinstance(reply, _NOT_NOW):
            raise StoreDown(self.name, f"cannot do this now ({_short(reply)})") from reply
        if isinstance(reply, Exception):
            raise reply
        return reply


class _Call:
    """A caller's commands on their way, and the future of their replies; errors of the server are replies too."""

    __slots__ = ("packed", "replies")

    def __init__(self, replies: asyncio.Future[_Told], commands: Sequence[tuple[Argument, ...]]) -> None:
        # Packed here, where an argument that cannot be fails its own caller and not a whole batch.
        self.packed = [pack_command(command) for command in commands]
        self.replies = replies

    def settle(self, told: _Told) -> None:
        if not self.replies.done():
            self.replies.set_result(told)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
