"""Promises about a store that is away: pure functions like those in `verdicts`."""

from __future__ import annotations

from chaos.line import STRUCK, Line
from chaos.tally import Failure, Kind
from chaos.verdicts import counted, nothing_wrong, seen_afterwards
from goldfleet.contract.deadlines import REQUEST

RECOVERY = 5.0
"""Seconds after a store is back in which the clones must have noticed: watchers, breakers and pools look again within
one or two; the rest is for a busy machine."""
_MARGIN = 2.0
"""Seconds that an answer may be late at its reader's."""


def failed_until(line: Line, moment: str) -> list[str]:
    """Requests failed only from the strike until a moment, and the seconds that clones need to notice it."""
    begin, end = line.moments[STRUCK], line.moments.get(moment, float("inf")) + RECOVERY
    outside = [one for one in _failures(line) if not begin - REQUEST <= one.sent <= end]
    return [*nothing_wrong(line), *counted("failed outside the outage", outside), *seen_afterwards(line)]


def reads_go_on(line: Line) -> list[str]:
    """What only reads was answered well all the time."""
    return counted("reads failed", [one for one in _failures(line) if one.request.startswith("GET ")])


def refused_in_time(line: Line) -> list[str]:
    """Who was not served was told so, and when to ask again, within the time that a request may take."""
    rude = [one for one in _failures(line) if one.kind is not Kind.REFUSED]
    late = [one for one in _failures(line) if not one.repeats and one.seconds > REQUEST + _MARGIN]
    return [*counted("failed without a 503 and Retry-After", rude), *counted(f"took more than {REQUEST} s", late)]


def _failures(line: Line) -> list[Failure]:
    return [*line.failed, *line.failed_repeated]
