"""The promises about a store that is away, each kept and each broken."""

from __future__ import annotations

import pytest

from chaos.line import OVER, STRUCK, Line
from chaos.outages import RECOVERY, failed_until, reads_go_on, refused_in_time
from chaos.tally import Failure, Kind, Tally
from goldfleet.contract.deadlines import REQUEST

BACK = "back"
MOMENTS = {STRUCK: 100.0, BACK: 110.0, OVER: 112.0}


def failure(sent: float, seconds: float = 0.1, kind: Kind = Kind.REFUSED, request: str = "POST /x") -> Failure:
    return Failure(sent, seconds, kind, "503", request)


def line(*failures: Failure) -> Line:
    tally = Tally(failures=list(failures))
    for sent in (99.0, 105.0, 130.0):
        tally.add(sent, 0.01)
    return Line(tally, MOMENTS)


@pytest.mark.parametrize("sent", [100.5, 109.0, 110.0 + RECOVERY - 0.1])
def test_failures_within_the_outage_are_what_was_promised(sent: float) -> None:
    assert failed_until(line(failure(sent)), BACK) == []


@pytest.mark.parametrize("sent", [100.0 - REQUEST - 1, 110.0 + RECOVERY + 0.1])
def test_failures_outside_the_outage_break_it(sent: float) -> None:
    (told,) = failed_until(line(failure(sent)), BACK)
    assert told.startswith("1 failed outside the outage")


def test_a_wrong_answer_breaks_it_at_any_time() -> None:
    assert failed_until(line(failure(105.0, kind=Kind.WRONG)), BACK)


def test_nobody_afterwards_proves_nothing() -> None:
    tally = Tally()
    tally.add(105.0, 0.01)
    assert failed_until(Line(tally, MOMENTS), BACK) == ["no request was sent afterwards"]


def test_a_store_that_never_came_back_excuses_nothing_but_its_own_lateness() -> None:
    assert failed_until(line(failure(125.0)), "never came") == []


def test_reads_that_fail_break_it_and_writes_do_not() -> None:
    assert reads_go_on(line(failure(105.0))) == []
    assert reads_go_on(line(failure(105.0, request="GET /x"))) != []


def test_who_is_not_served_must_be_told_so_in_time() -> None:
    assert refused_in_time(line(failure(105.0, REQUEST))) == []
    assert refused_in_time(line(failure(105.0, REQUEST + 3))) == [
        f"1 took more than {REQUEST} s, the first 105.0 s into the load (POST /x: 503)"
    ]
    assert refused_in_time(line(failure(105.0, kind=Kind.ERROR))) != []
