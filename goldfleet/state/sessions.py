"""Sessions in one central store, so that any clone may answer any request.

>>> async def log_in(sessions: Sessions, user_id: int) -> str:
...     session, token = await sessions.start(user_id)   # a new id, whatever the client sent
...     await session.set("theme", "dark")               # one field, atomically
...     return token                                     # goes into the cookie, and nowhere else

What a token is: `session_token`.
Rules followed: OWASP, "Session Management Cheat Sheet".
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic, time
from types import MappingProxyType
from typing import Protocol

from goldfleet.contract.deadlines import REQUEST, SESSION_ALIAS
from goldfleet.state import session_scripts as scripts
from goldfleet.state.entry import VALUES_LIVE
from goldfleet.state.exceptions import BadField, SessionEnded, SessionsDown, StoreDown
from goldfleet.state.link import Reply
from goldfleet.state.position import Position, Written
from goldfleet.state.session_token import Token, user_key
from goldfleet.state.store import Argument, Script, Store

IDLE = 2 * 3600
"""Seconds without a request after which a session ends."""
ABSOLUTE = 12 * 3600
"""Seconds after which a session ends in any case."""
TOUCH = 60
"""Seconds between two writes of a session that is only read: how exact `IDLE` is."""

FIELDS = 64
NAME_BYTES = 64
VALUE_BYTES = 4096

_SLACK = 60
_REPLICA_WAIT = 100
_REPLICA_PAUSE = 2.0
_WAITS = 8
_FIXED_FIELDS = 16


class _HasIndex(Protocol):
    @property
    def index(self) -> int: ...


class Session:
    """A logged-in person's session, as it was when it was loaded, with this request's own changes.

    Args (made by `Sessions`, not by hand):
        user_id: who is logged in.
        fields: small texts that the app keeps in the session; changed by `set` and `remove` only.
        csrf_token: to be sent back with every request that changes something; see `csrf_matches`.
    """

    def __init__(self, sessions: Sessions, token: Token, stored: Mapping[bytes, bytes]) -> None:
        self._sessions = sessions
        self._token = token
        self._fields = {name[2:].decode(): value.decode() for name, value in stored.items() if name[:2] == b"f:"}
        positions = [Position.from_text(value.decode()) for name, value in stored.items() if name[:2] == b"p:"]
        self._positions = {position.shard: position for position in positions}
        self._distrusts_until = int(stored.get(b"distrusts", 0))
        self._created = int(stored[b"created"])
        self.user_id = int(stored[b"user"])
        self.csrf_token = stored[b"csrf"].decode()

    @property
    def created(self) -> datetime:
        """When they logged in."""
        return datetime.fromtimestamp(self._created / 1000, UTC)

    @property
    def fields(self) -> Mapping[str, str]:
        return MappingProxyType(self._fields)

    def csrf_matches(self, given: str | None) -> bool:
        """True if a request brought this session's CSRF token back."""
        return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self.csrf_token.encode())

    async def set(self, name: str, value: str) -> None:
        """Writes one field and no other, so requests side by side never lose each other's fields.

        Args:
            name: 1 to 64 bytes in UTF-8.
            value: at most 4096 bytes in UTF-8.

        Raises:
            BadField: a limit is broken, or the session has 64 fields or more already.
            SessionEnded: logged out or expired meanwhile; nothing comes to life again.
            SessionsDown: the store does not answer.
        """
        field, content = _checked(name, NAME_BYTES, "name"), _checked(value, VALUE_BYTES, f"field {name!r}")
        if not field:
            raise BadField("name", "is empty", "give the field a name")
        done = await self._sessions.run(scripts.SET, self._token, b"f:" + field, content, FIELDS + _FIXED_FIELDS)
        if done < 0:
            raise BadField(f"field {name!r}", f"the session has {FIELDS} fields", "keep larger things in the database")
        if not done:
            raise SessionEnded
        self._fields[name] = value

    async def remove(self, name: str) -> None:
        """Removes one field; no error if there is none. Raises as `set` does."""
        if not await self._sessions.run(scripts.REMOVE, self._token, b"f:" + _checked(name, NAME_BYTES, "name")):
            raise SessionEnded
        self._fields.pop(name, None)

    def position(self, shard: _HasIndex) -> Position | None:
        """What a read of this shard must have seen, to be passed to `Shard.read`; None if anything will do."""
        return self._positions.get(shard.index)

    @property
    def distrusts_cache(self) -> bool:
        """True while the cache may hold what was there before one of this session's writes."""
        return time() * 1000 < self._distrusts_until

    async def wrote(self, written: Written) -> None:
        """Notes a write, so that this session's later reads see it, whichever clone answers.

        Raises:
            SessionsDown: the store could not be told; within this request reads still see the write.
        """
        position, known = written.position, self._positions.get(written.position.shard)
        if written.renewed and known is not None and known.reached >= position.reached:
            return
        if known is None or known.reached < position.reached:
            self._positions[position.shard] = position
        distrusts = 0 if written.renewed else round((time() + VALUES_LIVE) * 1000)
        self._distrusts_until = max(self._distrusts_until, distrusts)
        name = f"p:{position.shard}"
        await self._sessions.run(scripts.WROTE, self._token, name, position.to_text(), distrusts)


class Sessions:
    """The sessions of all users.

    Every key in the store expires. A session that only reads costs one round trip, and a write once a minute.

    Args:
        store: a replication group that never evicts.
        idle, absolute: lifetimes in seconds.
        alias: seconds for which the secret before a rotation still opens a session.
    """

    def __init__(
        self, store: Store, idle: float = IDLE, absolute: float = ABSOLUTE, alias: float = SESSION_ALIAS
    ) -> None:
        self._store = store
        self._idle = round(idle * 1000)
        self._absolute = round(absolute * 1000)
        self._alias = round(alias * 1000)
        self._touch = min(TOUCH * 1000, self._idle // 4)
        self._no_replica_until = 0.0
        self._waits = asyncio.Semaphore(_WAITS)

    @property
    def absolute(self) -> int:
        """Seconds that a session lives at most: the `Max-Age` of its cookie."""
        return self._absolute // 1000

    async def load(self, token: str | None) -> Session | None:
        """The session that a token opens, or None: unknown, forged, expired, logged out. Nothing is ever made.

        Raises:
            SessionsDown: the store does not answer.
        """
        parsed = Token.parse(token)
        if parsed is None:
            return None
        stored = await self._stored(parsed)
        return Session(self, parsed, stored) if stored else None

    async def start(self, user_id: int) -> tuple[Session, str]:
        """A new session under a new id; what the client sent before plays no part.

        Returns:
            The session, and the token for the client.

        Raises:
            SessionsDown: the store does not answer.
        """
        token = Token.new(user_id)
        csrf = secrets.token_urlsafe(24)
        stored = await self._run_durably(
            scripts.START, token.keys, token.digest, user_id, csrf, self._idle, self._absolute, _SLACK * 1000
        )
        return Session(self, token, _mapping(stored)), token.text

    async def rotate(self, session: Session) -> str:
        """A new secret for the same session, to be called when its rights grow; the old one opens it for 10 s more.

        Requests side by side that rotate the same secret get the same new token.

        Raises:
            SessionEnded: logged out, expired, or the secret is older than that.
            SessionsDown: the store does not answer.
        """
        old, salt = session._token, secrets.token_urlsafe(33)
        new = old.rotated(salt)
        stored = await self._run_durably(scripts.ROTATE, old.keys, old.digest, new.digest, salt, self._alias)
        if not stored:
            raise SessionEnded
        session._token = old.rotated(stored.decode())
        return session._token.text

    async def end(self, session: Session) -> None:
        """Logs out: leaves a tombstone that no slower request can write to.

        Raises:
            SessionsDown: the store does not answer.
        """
        await self._run_durably(scripts.END, session._token.keys, 6 * REQUEST * 1000)

    async def end_all(self, user_id: int) -> None:
        """Logs a user out everywhere, in one step however many sessions there are.

        Raises:
            SessionsDown: the store does not answer.
        """
        await self._run_durably(scripts.END_ALL, [user_key(user_id)], self._absolute + _SLACK * 1000)

    async def run(self, script: Script, token: Token, *arguments: Argument) -> Reply:
        """Runs a script on a session's keys; for `Session`."""
        try:
            return await self._store.script(script, token.keys, *arguments)
        except StoreDown as down:
            raise SessionsDown(down.where, down.what, down.way_out) from down

    async def _stored(self, token: Token) -> Mapping[bytes, bytes] | None:
        """What the store holds of a session that is alive, if the token opens it.

        Plain commands cost the store a fifth of a script. What they cannot tell, a script does.
        """
        session, user = token.keys
        try:
            flat, (born, dead) = await self._store.commands(("HGETALL", session), ("HMGET", user, "born", "dead"))
        except StoreDown as down:
            raise SessionsDown(down.where, down.what, down.way_out) from down
        stored = _mapping(flat)
        if b"secret" not in stored or born is None or int(stored[b"born"]) <= int(dead or 0):
            return None
        if hmac.compare_digest(stored[b"secret"], token.digest):
            if 0 <= time() * 1000 - int(stored[b"seen"]) < self._touch:
                return stored
        elif token.digest != stored.get(b"old"):
            return None
        return _mapping(await self.run(scripts.LOAD, token, token.digest, self._touch, self._idle) or ())

    async def _run_durably(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Reply:
        """Waits a moment for a replica: without it a failover right now would forget a login, or bring one back."""
        try:
            async with self._waits:
                if monotonic() >= self._no_replica_until:
                    return await self._run_and_wait(script, keys, *arguments)
            return await self._store.script(script, keys, *arguments)
        except StoreDown as down:
            raise SessionsDown(down.where, down.what, down.way_out) from down

    async def _run_and_wait(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Reply:
        reply, durable = await self._store.script_and_wait(script, keys, *arguments, milliseconds=_REPLICA_WAIT)
        if not durable:
            # There is no replica, or it is far behind: waiting helps nobody for a while.
            self._no_replica_until = monotonic() + _REPLICA_PAUSE
        return reply


def _mapping(flat: Sequence[bytes]) -> Mapping[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _checked(text: str, limit: int, what: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise BadField(what, "holds half of a surrogate pair", "pass text that UTF-8 can hold") from error
    if len(content) > limit:
        raise BadField(what, f"{len(content)} bytes, at most {limit}", "keep larger things in the database")
    return content
