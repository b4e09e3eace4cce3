from __future__ import annotations

from goldfleet.contract import deadlines


def test_a_leaving_clone_has_time_to_finish() -> None:
    assert deadlines.REQUEST < deadlines.DRAIN < deadlines.STOP


def test_a_clone_never_closes_a_connection_that_the_balancer_still_trusts() -> None:
    assert deadlines.KEEP_ALIVE > deadlines.BALANCER_IDLE


def test_a_request_outlives_each_call_it_makes() -> None:
    assert max(deadlines.STORE_CONNECT + deadlines.STORE_REPLY, deadlines.STATEMENT) < deadlines.REQUEST


def test_health_checks_are_what_an_alb_accepts() -> None:
    assert 5 <= deadlines.HEALTH_INTERVAL <= 300
    assert 2 <= deadlines.HEALTH_TIMEOUT < deadlines.HEALTH_INTERVAL
    assert 2 <= deadlines.HEALTHY_THRESHOLD <= 10
    assert 2 <= deadlines.UNHEALTHY_THRESHOLD <= 10


def test_a_migration_that_waits_in_vain_says_for_what() -> None:
    assert deadlines.MIGRATION_WAIT < deadlines.MIGRATION
