"""What a token stands for: a session, and where the store has it."""

from __future__ import annotations

from goldfleet.state.sessions import Session, Sessions


async def loaded(sessions: Sessions, token: str) -> Session:
    session = await sessions.load(token)
    assert session is not None
    return session


def key_of(token: str) -> str:
    return f"session:{{{token[:16]}}}:{token[16:32]}"
