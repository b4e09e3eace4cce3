"""What people saw: every request counted, every failure kept with its time, its clone and its kind."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of failure; they are never added up without being told apart."""

    REFUSED = "503 with Retry-After"
    """The site says that it cannot now, and when to ask again."""
    ERROR = "error answer"
    """Any other 5xx: from the balancer (502, 503, 504) or from a clone."""
    SILENT = "no answer"
    """The connection broke under the request, could not be made, or time ran out."""
    WRONG = "wrong answer"
    """A good status with wrong content, a refused login or write that should be good: never allowed."""


@dataclass(frozen=True)
class Failure:
    """One request that was not answered well.

    Args:
        sent: seconds since the load began.
        seconds: until it was given up.
        kind: which kind.
        detail: status and where it came from, or why there was no answer, or what was wrong.
        request: method and path.
        clone: who answered; empty if no clone did.
        retrying: sent by a client that repeats GETs.
        missing: ids of acknowledged posts that the answer lacked.
    """

    sent: float
    seconds: float
    kind: Kind
    detail: str
    request: str
    clone: str = ""
    retrying: bool = False
    missing: tuple[int, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether its client had repeated it: only GETs are."""
        return self.retrying and self.request.startswith("GET ")


@dataclass
class Tally:
    """All requests of a load.

    Args:
        sent: when each was sent, seconds since the load began.
        seconds: what each took, with its repetitions, in the same order.
        failures: those that were not answered well.
        clones: good answers by clone.
        retried: requests that a retrying client had to repeat.
        reopened: connections found closed between two requests, which cost nobody anything.
    """

    sent: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))
    failures: list[Failure] = field(default_factory=list)
    clones: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    reopened: int = 0

    @property
    def requests(self) -> int:
        return len(self.sent)

    def add(self, sent: float, seconds: float) -> None:
        self.sent.append(sent)
        self.seconds.append(seconds)
