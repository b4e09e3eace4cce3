"""A note: how tests write it and read it, and as they cache it."""

from __future__ import annotations

import msgspec

from goldfleet.state.cached import Read
from goldfleet.state.position import Position
from goldfleet.state.state import State

INSERT = "INSERT INTO notes VALUES ($1, $2)"
SELECT = "SELECT text FROM notes WHERE id = $1"


class Note(msgspec.Struct):
    id: int
    text: str


async def assemble(read: Read, note_id: int) -> Note | None:
    async with read(note_id) as reader:
        row = await reader.fetchrow("SELECT id, text FROM notes WHERE id = $1", note_id)
    return Note(**row) if row else None


async def write(state: State, user: int, text: str) -> Position:
    async with state.database.of(user).write() as transaction:
        await transaction.execute(INSERT + " ON CONFLICT (id) DO UPDATE SET text = excluded.text", user, text)
    return transaction.written.position


async def read(state: State, user: int, after: Position | None = None) -> tuple[str | None, str]:
    async with state.database.of(user).read(after) as reader:
        return await reader.fetchval(SELECT, user), reader.server
