"""Promises on lines that were made up: each is broken by what it forbids, and only by that."""

from __future__ import annotations

from array import array
from dataclasses import replace

from chaos.audit import Audit
from chaos.line import OVER, STRUCK, Line
from chaos.tally import Failure, Kind, Tally
from chaos.verdicts import (
    HEALTH_BOUND,
    living_clones_serve,
    nothing_failed,
    nothing_failed_after,
    nothing_wrong,
    repeated_gets_succeed,
    seen_afterwards,
)

AUDIT = Audit(posts=3, logins=2, lost_posts=(), unseen_posts=(), lost_logins=0)
GET, POST = "GET /", "POST /api/v1/posts"


def line(*failures: Failure, sent: tuple[float, ...] = (1.0, 11.0, 40.0), audit: Audit = AUDIT) -> Line:
    """Struck after 10 s, over after 20."""
    tally = Tally(sent=array("d", sent), seconds=array("d", sent), failures=list(failures))
    return Line(tally, {STRUCK: 10.0, OVER: 20.0}, audit=audit)


def failure(sent: float = 11.0, kind: Kind = Kind.SILENT, request: str = GET, *, retrying: bool = False) -> Failure:
    return Failure(sent, 0.1, kind, "x", request, retrying=retrying)


def test_a_good_line_keeps_every_promise() -> None:
    for promise in (nothing_wrong, nothing_failed, repeated_gets_succeed, seen_afterwards):
        assert promise(line()) == []
    assert nothing_failed_after(line(), HEALTH_BOUND) == []


def test_any_failure_breaks_that_nothing_failed() -> None:
    for kind in Kind:
        assert nothing_failed(line(failure(kind=kind)))
    assert nothing_failed(line(failure(retrying=True)))


def test_a_bound_is_held_against_when_a_request_was_sent() -> None:
    at_the_bound, later = 10.0 + HEALTH_BOUND, 10.1 + HEALTH_BOUND
    assert nothing_failed_after(line(failure(at_the_bound)), HEALTH_BOUND) == []
    assert nothing_failed_after(line(failure(later)), HEALTH_BOUND)


def test_a_bound_that_nobody_lived_to_see_proves_nothing() -> None:
    assert nothing_failed_after(line(sent=(1.0, 11.0)), HEALTH_BOUND)
    assert seen_afterwards(line(sent=(1.0, 11.0)))


def test_a_repeated_get_and_a_write_differ() -> None:
    assert repeated_gets_succeed(line(failure(retrying=True)))
    assert repeated_gets_succeed(line(failure(request=POST, retrying=True))) == []
    assert repeated_gets_succeed(line(failure())) == []


def test_what_was_in_flight_is_told_from_what_was_sent_later() -> None:
    seen = line(failure(9.0), failure(9.5), failure(11.0), failure(30.0))
    assert seen.failed_when(HEALTH_BOUND) == {"in flight": 2, "within the bound": 1, "later": 1}


def test_a_living_clone_has_no_excuse() -> None:
    assert living_clones_serve(line(failure())) == []
    assert living_clones_serve(line(replace(failure(kind=Kind.ERROR), clone="i-2")))


def test_what_is_wrong_or_lost_is_never_allowed() -> None:
    assert nothing_wrong(line(failure(kind=Kind.WRONG)))
    for lost in ({"lost_posts": (1,)}, {"unseen_posts": (1,)}, {"lost_logins": 1}):
        assert len(nothing_wrong(line(audit=replace(AUDIT, **lost)))) == 1
    both = replace(AUDIT, lost_posts=(1,), unseen_posts=(1,))
    assert nothing_wrong(line(audit=both)) == ["1 acknowledged posts lost"]
