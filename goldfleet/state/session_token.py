"""A session's token, taken apart: what finds the session's keys, and what opens it.

76 characters: a tag of the user (16), the name of the session (16), and a secret of 264 random bits (44). The store
knows the secret's SHA-256 only. Tag and name find the session's keys, they open nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{76}")


class Token:
    """One token.

    Attributes:
        text: what the client has.
        keys: of the session and of its user, in the store.
        digest: SHA-256 of its secret.
    """

    __slots__ = ("digest", "keys", "text")

    def __init__(self, text: str) -> None:
        tag, name = text[:16], text[16:32]
        self.text = text
        self.keys = (f"session:{{{tag}}}:{name}", _user_key(tag))
        self.digest = hashlib.sha256(text[32:].encode()).digest()

    @classmethod
    def parse(cls, text: str | None) -> Token | None:
        """What a client sent; None if it cannot be a token."""
        return cls(text) if text is not None and _WELL_FORMED.fullmatch(text) else None

    @classmethod
    def new(cls, user_id: int) -> Token:
        """A token that nobody can guess, for a session of this user."""
        return cls(_user_tag(user_id) + secrets.token_urlsafe(12) + secrets.token_urlsafe(33))

    def rotated(self, salt: str) -> Token:
        """The same session's token with the secret that follows from this one and the salt."""
        secret = hashlib.blake2b(self.text[32:].encode(), key=salt.encode(), digest_size=33).digest()
        return Token(self.text[:32] + base64.urlsafe_b64encode(secret).decode())


def user_key(user_id: int) -> str:
    """The key in the store of a user, of all whose sessions it tells since when they are good."""
    return _user_key(_user_tag(user_id))


def _user_tag(user_id: int) -> str:
    digest = hashlib.blake2b(str(user_id).encode(), digest_size=12, person=b"goldfleet user").digest()
    return base64.urlsafe_b64encode(digest).decode()


def _user_key(tag: str) -> str:
    return f"user:{{{tag}}}"
