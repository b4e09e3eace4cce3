"""Promises as pure functions: each takes a line and returns how it was broken, in sentences; none if it was kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chaos.line import OVER, Line
from chaos.tally import Failure
from goldfleet.contract.deadlines import HEALTH_INTERVAL, HEALTH_TIMEOUT, UNHEALTHY_THRESHOLD

HEALTH_BOUND = (HEALTH_INTERVAL + HEALTH_TIMEOUT) * UNHEALTHY_THRESHOLD
"""Seconds after which the balancer no longer sends requests to a clone that does not answer its health check: HAProxy
counts an interval from the end of the check before it, and AWS does not say from when."""


def nothing_wrong(line: Line) -> list[str]:
    """No wrong answer, no stale one, no acknowledged write or login lost."""
    found = counted("wrong", line.wrong)
    if line.audit is not None:
        found += [f"{count} acknowledged {what} lost" for what, count in line.audit.lost().items() if count]
    return found


def nothing_failed(line: Line) -> list[str]:
    """Every request was answered well."""
    return nothing_wrong(line) + counted("failed", [*line.failed, *line.failed_repeated])


def nothing_failed_after(line: Line, seconds: float) -> list[str]:
    """Every request that was sent later than `seconds` after the strike was answered well, and some were sent."""
    if not line.sent_later(seconds):
        return [f"no request was sent more than {seconds:g} s after the strike, so nothing is proved"]
    return counted(f"failed, sent more than {seconds:g} s after the strike", line.failed_after(seconds))


def repeated_gets_succeed(line: Line) -> list[str]:
    """A client that repeats GETs saw none fail."""
    return counted("failed although repeated", line.failed_repeated)


def living_clones_serve(line: Line) -> list[str]:
    """No clone that answered said that it cannot: only what the dead ones had to answer may be lost."""
    return counted("failed at a clone that lives", [one for one in line.failed if one.clone])


def seen_afterwards(line: Line) -> list[str]:
    """People used the site after it was over, or nothing is proved."""
    return [] if OVER in line.moments and line.sent_later(line.seconds) else ["no request was sent afterwards"]


def survived(line: Line) -> list[str]:
    """Only what was sent before the balancer had seen the clone's death failed, and no GET that its client repeated."""
    return [
        *nothing_wrong(line),
        *nothing_failed_after(line, HEALTH_BOUND),
        *repeated_gets_succeed(line),
        *seen_afterwards(line),
    ]


def counted(how: str, failures: Iterable[Failure]) -> list[str]:
    """A sentence for each kind of failure, with its count and its first; `how` says what all have in common."""
    kinds: defaultdict[tuple[str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        kinds[failure.kind, failure.detail].append(failure)
    most_first = sorted(kinds.values(), key=len, reverse=True)
    return [f"{len(alike)} {how}, the first {_place(alike[0])}" for alike in most_first]


def _place(failure: Failure) -> str:
    return f"{failure.sent:.1f} s into the load ({failure.request}: {failure.detail})"
