"""What the state library raises, below GoldfleetError.

StateError               something about the stores or what was asked of them
├── Unavailable          a store does not answer: say 503 with `Retry-After: <retry_after>`
│   ├── DatabaseDown     no database server can do this now; nothing was changed
│   │   └── OutcomeUnknown   the connection broke during COMMIT: the write may have happened
│   ├── SessionsDown     the sessions store does not answer
│   └── StoreDown        a key-value store does not answer; inside the library only
├── LoginNeeded          what was asked for needs a login, and there is none
├── SessionEnded         the session was logged out or has expired meanwhile
├── BadField             the name or value of a session's field breaks a rule
├── BadStatement         a statement would change the connection for whoever gets it next
├── ValueTooBig          a value is too big for the cache
└── MigrationError       a migration breaks a rule or fails
"""

from __future__ import annotations

from goldfleet.errors import GoldfleetError


class StateError(GoldfleetError):
    """Something is wrong about the stores, or about what was asked of them."""


AGAIN = "try again in a moment"


class Unavailable(StateError):
    """A store does not answer now; a web application says 503.

    Args:
        where: which store.
        what: what was seen.
        way_out: the next step.
    """

    retry_after = 2
    """Seconds after which asking again makes sense."""

    def __init__(self, where: str, what: str, way_out: str = AGAIN) -> None:
        super().__init__(where, what, way_out)


class DatabaseDown(Unavailable):
    """No database server can do this now; nothing was changed."""


class OutcomeUnknown(DatabaseDown):
    """The connection broke around COMMIT: the write may have happened, or not."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what, "look whether it happened before doing it again")


class SessionsDown(Unavailable):
    """The sessions store does not answer: what needs a login cannot be served."""


class StoreDown(Unavailable):
    """A key-value store does not answer."""


class LoginNeeded(StateError):
    """What was asked for needs a login, and there is none."""

    def __init__(self) -> None:
        super().__init__("session", "there is none", "log in")


class SessionEnded(StateError):
    """The session was logged out or has expired while it was being used."""

    def __init__(self) -> None:
        super().__init__("session", "has ended", "log in again")


class BadField(StateError):
    """The name or value of a session's field breaks a rule."""


class BadStatement(StateError):
    """A statement would change the connection for whoever gets it next."""


class ValueTooBig(StateError):
    """A value is too big for the cache."""


class MigrationError(StateError):
    """A migration breaks a rule, was changed after it was applied, or fails."""
