"""How a node is called after what it answered, or did not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.plane.node_health import FAILED, Seen, report, seen
from local.plane.running import Phase, Unit
from tests.local.plane.specs import NODE

NOW = 1000.0
REPLICA = replace(NODE, identifier="sessions-002", primary=NODE.address)
UNIT = Unit(REPLICA, Phase.RUNNING, since=NOW - 100, created=NOW - 100, started=True)


def replica(link: str, offset: int) -> dict[str, Any]:
    return {"role": "slave", "master_link_status": link, "slave_repl_offset": offset, "master_repl_offset": 0}


def state(known: Seen, unit: Unit = UNIT, now: float = NOW) -> Any:
    return report(unit, known, now, primary_answers=True)["state"]


@pytest.mark.parametrize(
    ("info", "primary_answers", "told"),
    [
        (replica("up", 500), True, "available"),
        (replica("down", 500), True, "creating"),  # it lags behind a primary that lives
        (replica("down", 500), False, "available"),  # it has what the dead primary had
        (replica("down", 1), False, "creating"),  # it never had anything
        ({"role": "master", "master_repl_offset": 0}, True, "available"),
    ],
)
def test_a_replica_is_available_when_it_has_its_primarys_data(
    info: dict[str, Any], primary_answers: bool, told: str
) -> None:
    assert state(seen(Seen(0), info, NOW, primary_answers=primary_answers)) == told


def test_a_node_has_failed_when_it_has_been_silent_for_long_enough_and_nobody_works_on_it() -> None:
    known = seen(seen(Seen(0), replica("up", 500), NOW, primary_answers=True), {}, NOW + 1, primary_answers=True)
    assert state(known, now=NOW + FAILED) == "silent"
    assert state(known, now=NOW + FAILED + 1) == "failed"
    assert state(known, replace(UNIT, phase=Phase.BUSY), NOW + FAILED + 1) == "silent"
    ended = replace(UNIT, phase=Phase.DOWN, since=NOW + 3)
    assert [state(known, ended, NOW + 3 + seconds) for seconds in (FAILED, FAILED + 1)] == ["silent", "failed"]


def test_one_that_never_answered_is_being_created_until_it_has_failed() -> None:
    starting = replace(UNIT, phase=Phase.BUSY, started=False)
    assert state(Seen(0), starting, NOW + 1000) == "creating"
    assert state(Seen(0), replace(UNIT, since=NOW), NOW + FAILED + 1) == "failed"


def test_how_far_a_replica_has_come_is_told_only_when_its_primary_is_silent() -> None:
    known = seen(Seen(0), replica("up", 500), NOW, primary_answers=True)
    assert [report(UNIT, known, NOW, primary_answers=alive)["offset"] for alive in (True, False)] == [0, 500]
