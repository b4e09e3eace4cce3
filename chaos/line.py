"""One line of the table, as it was seen: requests, failures, moments, and what the journal says. No judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.audit import Audit
from chaos.tally import Failure, Kind, Tally

STRUCK, OVER = "struck", "over"


@dataclass(frozen=True)
class Line:
    """What happened while one fault struck.

    Args:
        tally: all requests.
        moments: seconds since the load began; `struck` and `over` always, others as the fault names them.
        facts: figures that the fault notes.
        audit: the journal against the database and the site; None without load.
        problems: waits that ran out, and errors: each breaks the promise.
    """

    tally: Tally
    moments: Mapping[str, float]
    facts: Mapping[str, Any] = field(default_factory=dict)
    audit: Audit | None = None
    problems: tuple[str, ...] = ()

    @property
    def wrong(self) -> list[Failure]:
        return [failure for failure in self.tally.failures if failure.kind is Kind.WRONG]

    @property
    def failed(self) -> list[Failure]:
        """Every request without a good answer, whatever the reason, of clients that repeat nothing."""
        return [one for one in self.tally.failures if one.kind is not Kind.WRONG and not one.repeats]

    @property
    def failed_repeated(self) -> list[Failure]:
        """GETs that failed although their client repeated them."""
        return [one for one in self.tally.failures if one.kind is not Kind.WRONG and one.repeats]

    @property
    def seconds(self) -> float:
        """From the strike until the fleet was over it."""
        return self.moments.get(OVER, 0.0) - self.moments.get(STRUCK, 0.0)

    def failed_after(self, seconds: float) -> list[Failure]:
        """Failed requests that were sent later than `seconds` after the strike."""
        return [one for one in self.failed if one.sent > self.moments[STRUCK] + seconds]

    def failed_when(self, bound: float) -> dict[str, int]:
        """Failed requests by when they were sent: before the strike, so that it hit them in flight; up to `bound`
        seconds after it; later."""
        later = len(self.failed_after(bound))
        in_flight = len(self.failed) - len(self.failed_after(0))
        return {"in flight": in_flight, "within the bound": len(self.failed) - in_flight - later, "later": later}

    def sent_later(self, seconds: float) -> int:
        """How many requests were sent later than `seconds` after the strike."""
        return sum(sent > self.moments[STRUCK] + seconds for sent in self.tally.sent)

    @property
    def out_of_service(self) -> float:
        """Seconds from the strike until the last failed request was sent; 0 if none failed."""
        return max((one.sent - self.moments[STRUCK] for one in self.failed), default=0.0)
