"""People: signing up, proving who one is, and finding somebody by name."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from app import text
from app.passwords import Passwords
from app.problems import Problem, not_found
from app.visit import Visit
from goldfleet.state.cache import Key, Needs, Part
from goldfleet.state.ids import random_logical_shard

NAME_TTL = 3600
"""Seconds that the cache may keep which user a name belongs to; that never changes."""


@dataclass(frozen=True)
class User:
    """A person, by id and by the name as they wrote it."""

    id: int
    name: str


async def sign_up(visit: Visit, passwords: Passwords, raw_name: str, raw_password: str) -> User:
    """Makes a user on a random shard, and gives them the name.

    The directory row is the last to be written and decides: until it is there nobody can find the user, so a process
    that dies in between leaves a row that does no harm, and never a name that belongs to nobody.

    Raises:
        Problem: 422, the name or the password breaks a rule; 409, the name is taken.
    """
    name, password = text.name(raw_name), text.password(raw_password)
    if await _user_id(visit, text.name_key(name)) is not None:
        raise _taken()
    password_hash = await passwords.hash(password)
    user = User(visit.state.ids.new(random_logical_shard()), name)
    await _store(visit, user, password_hash)
    if not await _claim(visit, user):
        async with visit.write(visit.database.of(user.id)) as transaction:
            await transaction.execute("DELETE FROM users WHERE id = $1", user.id)
            for table in _MADE_WITH_A_USER:
                transaction.touch(table, user.id)
        raise _taken()
    return user


async def authenticate(visit: Visit, passwords: Passwords, raw_name: str, raw_password: str) -> User:
    """The user with this name and password.

    Raises:
        Problem: 401, there is no such user, or the password is another; which of both is not said.
    """
    row = await _credentials(visit, raw_name)
    try:
        password = text.password(raw_password)
    except Problem:
        password = b""
    if not await passwords.matches(password, row.password_hash if row else None) or row is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "The name or the password is wrong.", field="password")
    return row.user


async def find(visit: Visit, raw_name: str) -> int:
    """The id of the user with this name, in any spelling.

    Raises:
        Problem: 404, nobody has this name.
    """
    key = _key(raw_name)
    if key is None:
        raise _nobody()

    directory = visit.database.directory

    async def look_up(needs: Needs) -> bytes | None:
        async with directory.read(needs.after(directory)) as reader:
            user_id = await reader.fetchval(_USER_ID, key)
        return None if user_id is None else str(user_id).encode()

    wanted = Key(f"name:{key}", (Part(directory, "names", key),), NAME_TTL)
    cached = await visit.state.cache.get(wanted, look_up, visit.seen)
    if cached.value is None:
        raise _nobody()
    return int(cached.value)


@dataclass(frozen=True)
class _Credentials:
    user: User
    password_hash: str


async def _credentials(visit: Visit, raw_name: str) -> _Credentials | None:
    key = _key(raw_name)
    user_id = await _user_id(visit, key) if key else None
    if user_id is None:
        return None
    sql = "SELECT name, password_hash FROM credentials JOIN users ON users.id = user_id WHERE user_id = $1"
    row = await visit.certain(visit.database.of(user_id), lambda reader: reader.fetchrow(sql, user_id))
    return row and _Credentials(User(user_id, row["name"]), row["password_hash"])


_MADE_WITH_A_USER = ("users", "credentials", "counts")
_USER_ID = "SELECT user_id FROM names WHERE key = $1"


async def _user_id(visit: Visit, key: str) -> int | None:
    return await visit.certain(visit.database.directory, lambda reader: reader.fetchval(_USER_ID, key))


async def _store(visit: Visit, user: User, password_hash: str) -> None:
    async with visit.write(visit.database.of(user.id)) as transaction:
        await transaction.execute("INSERT INTO users (id, name) VALUES ($1, $2)", user.id, user.name)
        sql = "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)"
        await transaction.execute(sql, user.id, password_hash)
        await transaction.execute("INSERT INTO counts (user_id) VALUES ($1)", user.id)
        for table in _MADE_WITH_A_USER:
            transaction.touch(table, user.id)


async def _claim(visit: Visit, user: User) -> bool:
    sql = "INSERT INTO names (key, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING user_id"
    async with visit.write(visit.database.directory) as transaction:
        claimed = await transaction.fetchval(sql, text.name_key(user.name), user.id)
        transaction.touch("names", text.name_key(user.name))
    return claimed is not None


def _key(raw_name: str) -> str | None:
    """The key under which the directory would have this name; None for what cannot be a name."""
    try:
        return text.name_key(text.name(raw_name))
    except Problem:
        return None


def _nobody() -> Problem:
    return not_found("There is nobody with this name.")


def _taken() -> Problem:
    return Problem(HTTPStatus.CONFLICT, "This name is taken.", field="name")
