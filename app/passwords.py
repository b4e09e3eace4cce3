"""Password hashing on a few threads, so that its memory has a bound.

Argon2id with 19 MiB, two passes, one lane. Source: OWASP, "Password Storage Cheat Sheet".
"""

from __future__ import annotations

import asyncio
import ctypes
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.problems import unavailable

Result = TypeVar("Result")

THREADS = 2
"""At most this many times 19 MiB are in use at once."""
LARGE_BLOCK = 1024 * 1024
"""Bytes from which on a block of memory goes back to the system as soon as it is free."""
WAITING = 32
"""More people than this waiting for a hash would wait longer than a request may take."""


class Passwords:
    """Hashes and checks passwords.

    Args:
        hasher: the parameters; tests use cheaper ones.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        _give_large_blocks_back()
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self._of_nobody = self._hasher.hash(secrets.token_bytes(16))

    async def hash(self, password: bytes) -> str:
        """The hash to store: parameters, salt and digest in one string.

        Raises:
            Problem: 503, too many people are waiting.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: bytes, stored: str | None) -> bool:
        """True if `stored` was made of `password`.

        Without a stored hash the answer is False after the same work, so that its time tells nobody which names exist.

        Raises:
            Problem: 503, too many people are waiting.
        """
        return await self._run(lambda: self._verify(password, stored or self._of_nobody)) and stored is not None

    def close(self) -> None:
        """Lets what is being hashed finish, and starts nothing else."""
        self._threads.shutdown(cancel_futures=True)

    def _verify(self, password: bytes, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= WAITING:
            raise unavailable("Too many people log in at this moment. Please try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _give_large_blocks_back() -> None:
    """Without this glibc keeps the 19 MiB of each thread after its first hash (mallopt(3), M_MMAP_THRESHOLD)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(-3, LARGE_BLOCK)
