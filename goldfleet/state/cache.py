"""A cache in memory that all clones share: ask it before the database, and never be wrong because of it.

>>> async def profile(cache: Cache, user_id: int, assemble: Callable[[], Awaitable[bytes]]) -> bytes:
...     cached = await cache.get(f"profile:{user_id}", assemble, ttl=60)
...     return cached.value

After a write commits, `delete` what it touched. For `INVALIDATED` seconds from then on the key takes no new value: a
value that was read before the write, or from a replica that has not seen it, cannot come in and stay.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from goldfleet.state.exceptions import StoreDown, ValueTooBig
from goldfleet.state.replicas import LAG_LIMIT
from goldfleet.state.store import Store

REPLY = 0.1
"""Seconds to wait for the cache: longer than it ever takes, shorter than anybody notices."""
SLOWEST_FILL = 0.5
"""Seconds; what took longer to read is not kept: it may be older than an invalidation that is over."""
INVALIDATED = LAG_LIMIT + 2 * SLOWEST_FILL
"""Seconds after an invalidation in which a key takes no value."""
VALUE_LIMIT = 1024 * 1024
"""Bytes of a value, at most."""
JITTER = 0.1
"""Part of its lifetime by which a value expires earlier, at random, so that not all expire at once."""

_VALUE = b"+"
_GONE = b"-"


@dataclass(frozen=True)
class Cached:
    """A value, whether the cache had it, and how long it took in seconds."""

    value: bytes
    hit: bool
    seconds: float


class Cache:
    """Values by key. A cache that is down or slow costs speed, never an answer.

    Args:
        store: a replication group that may evict.
        prefix: of every key, to keep apart what shares a store.
    """

    def __init__(self, store: Store, prefix: str = "cache") -> None:
        self._store = store
        self._prefix = prefix

    async def get(self, key: str, fill: Callable[[], Awaitable[bytes]], ttl: float) -> Cached:
        """The value of a key; what the cache does not have, `fill` reads and the cache keeps.

        Args:
            key: any text; the store sees its digest.
            fill: reads the value from where it really lives; its errors pass through and nothing is kept.
            ttl: seconds that the value may be kept.

        Raises:
            ValueTooBig: the value has more than `VALUE_LIMIT` bytes.
        """
        began = monotonic()
        stored = await self._read(key)
        if stored is not None and stored.startswith(_VALUE):
            return Cached(stored[1:], True, monotonic() - began)
        filling = monotonic()
        value = await fill()
        if len(value) > VALUE_LIMIT:
            raise ValueTooBig(key, f"{len(value)} bytes, at most {VALUE_LIMIT}", "cache smaller parts")
        if stored is None and monotonic() - filling <= SLOWEST_FILL:
            await self._keep(key, value, ttl)
        return Cached(value, False, monotonic() - began)

    async def delete(self, *keys: str) -> bool:
        """Invalidates keys, after the write that changed what they stand for has committed.

        Returns:
            False if the cache did not take it: what it still holds may be old until it expires.
        """
        milliseconds = round(INVALIDATED * 1000)
        try:
            await asyncio.gather(
                *(self._store.command("SET", self._name(key), _GONE, "PX", milliseconds) for key in keys)
            )
        except StoreDown:
            return False
        return True

    async def _read(self, key: str) -> bytes | None:
        """What the store has; of a store that does not answer, as if it was gone: nothing is kept then."""
        try:
            stored: bytes | None = await self._store.command("GET", self._name(key))
        except StoreDown:
            return _GONE
        return stored

    async def _keep(self, key: str, value: bytes, ttl: float) -> None:
        milliseconds = max(1, round(ttl * 1000 * (1 - JITTER * random.random())))  # noqa: S311  spreads load
        try:
            await self._store.command("SET", self._name(key), _VALUE + value, "NX", "PX", milliseconds)
        except StoreDown:
            return

    def _name(self, key: str) -> str:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self._prefix}:{digest}"
