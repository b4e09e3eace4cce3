"""Runs faults one after the other, each under a load of its own, and leaves the fleet as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from chaos.audit import audit
from chaos.fault import Fault, NotHere, NotSoon, Scene
from chaos.fleet import Fleet
from chaos.line import OVER, STRUCK, Line
from chaos.load import Load
from chaos.result import Result
from chaos.tally import Tally
from goldfleet.errors import GoldfleetError
from local.processes import wait_until

BEFORE, AFTER = 0.1, 0.2
"""Shares of a line's requests that are sent before the strike, and after it is over."""
BEFORE_AT_MOST = 1000
COUNT_SECONDS = 1800
"""For all requests of a line."""
POLL = 0.1

Say = Callable[[str], None]
_NOTHING = Line(Tally(), {STRUCK: 0.0, OVER: 0.0})


def run(faults: Sequence[Fault], fleet: Fleet, requests: int, rounds: int, say: Say) -> Iterator[Result]:
    """Yields each line as soon as it is known.

    Args:
        faults: in this order.
        fleet: whole again after each.
        requests: at least so many per line.
        rounds: how often all of them.
        say: takes progress, a sentence at a time.
    """
    for number in range(1, rounds + 1):
        for fault in faults:
            say(f"{fault.name}: {fault.what}")
            fleet.make_whole()
            yield _result(fault, number, fleet, requests, say)


def _result(fault: Fault, number: int, fleet: Fleet, requests: int, say: Say) -> Result:
    try:
        try:
            with fleet.unscaled():
                line = _line(fault, fleet, requests, say)
        finally:
            fault.leave(fleet)
        return Result(fault, number, line, (*line.problems, *fault.broken(line)))
    except NotHere as reason:
        return Result(fault, number, None, (), str(reason))
    except Exception as error:  # noqa: BLE001  it breaks this line, not the table
        return Result(fault, number, _NOTHING, (_said(error),))


def _line(fault: Fault, fleet: Fleet, requests: int, say: Say) -> Line:
    if not fault.load:
        return _struck(fault, fleet, None, say)
    url = fleet.view().url
    with Load(url) as load:
        _wait_for(load, min(int(requests * BEFORE), BEFORE_AT_MOST))
        line = _struck(fault, fleet, load, say)
        _wait_for(load, max(requests, load.tally.requests + int(requests * AFTER)))
    sent, journal, problems = load.tally.requests, load.journal, line.problems
    if sent < requests:
        problems += (f"only {sent} of {requests} requests within {COUNT_SECONDS} s",)
    say(f"{sent} requests; looking up {len(journal.posts)} posts, {len(journal.logins)} logins")
    return Line(line.tally, line.moments, line.facts, audit(journal, fleet, url), problems)


def _struck(fault: Fault, fleet: Fleet, load: Load | None, say: Say) -> Line:
    undo = ExitStack()
    scene = Scene(fleet, load, say, undo)
    problems: list[str] = []
    try:
        with undo:
            fault.strike(scene)
    except NotHere:
        raise
    except Exception as error:  # noqa: BLE001  it breaks this line, not the table
        problems.append(_said(error))
    scene.moments.setdefault(STRUCK, 0.0)
    if OVER not in scene.moments:
        scene.mark(OVER)
    return Line(load.tally if load else Tally(), scene.moments, scene.facts, None, tuple(problems))


def _wait_for(load: Load, requests: int) -> None:
    wait_until(lambda: load.tally.requests >= requests or load.ended, COUNT_SECONDS, every=POLL)


def _said(error: Exception) -> str:
    """What a person is told of it, in one sentence."""
    match error:
        case NotSoon():
            return str(error)
        case GoldfleetError():
            return f"{error.where}: {error.what}"
    return f"{type(error).__name__}: {error}"
