"""What the tests cache: a note, as it is in the database."""

from __future__ import annotations

import msgspec

from goldfleet.state.cached import Read


class Note(msgspec.Struct):
    id: int
    text: str


async def assemble(read: Read, note_id: int) -> Note | None:
    async with read(note_id) as reader:
        row = await reader.fetchrow("SELECT id, text FROM notes WHERE id = $1", note_id)
    return Note(**row) if row else None
