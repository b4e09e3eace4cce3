from __future__ import annotations

from goldfleet.state.breaker import Breaker


def test_it_opens_after_some_failures_in_a_row_and_lets_calls_try_again() -> None:
    now = 0.0
    breaker = Breaker(failures=3, pause=0.5, clock=lambda: now)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert not breaker.open
    breaker.failed()
    assert breaker.open
    now = 0.6
    assert not breaker.open
    breaker.failed()
    assert breaker.open
    now = 1.2
    breaker.succeeded()
    breaker.failed()
    assert not breaker.open
