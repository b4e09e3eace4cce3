from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from unittest.mock import create_autospec

import pytest
from argon2 import PasswordHasher

from app import passwords
from app.passwords import Passwords
from app.problems import Problem


@pytest.fixture
def hashing() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_the_parameters_are_owasps(hashing: Passwords) -> None:
    assert (await hashing.hash(b"correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_only_the_same_password_matches(hashing: Passwords) -> None:
    stored = await hashing.hash(b"correct horse")
    assert await hashing.matches(b"correct horse", stored)
    assert not await hashing.matches(b"correct horsf", stored)


async def test_an_unknown_name_costs_one_verification_too() -> None:
    hasher = create_autospec(PasswordHasher, instance=True)
    hasher.hash.return_value = "hash of nobody"
    hasher.verify.return_value = True
    hashing = Passwords(hasher)
    assert not await hashing.matches(b"anything", None)
    hasher.verify.assert_called_once_with("hash of nobody", b"anything")
    hashing.close()


async def test_at_most_so_many_hashes_run_and_so_many_wait() -> None:
    free, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def hash_slowly(password: bytes) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        free.wait(10)
        with lock:
            running -= 1
        return "hash"

    hasher = create_autospec(PasswordHasher, instance=True)
    hasher.hash.return_value = "hash of nobody"
    hashing = Passwords(hasher)
    hasher.hash.side_effect = hash_slowly
    waiting = [asyncio.create_task(hashing.hash(b"x")) for _ in range(passwords.WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as caught:
        await hashing.hash(b"one too many")
    assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "1"})
    free.set()
    assert await asyncio.gather(*waiting) == ["hash"] * passwords.WAITING
    assert most <= passwords.THREADS
    assert await hashing.hash(b"room again") == "hash"
    hashing.close()
