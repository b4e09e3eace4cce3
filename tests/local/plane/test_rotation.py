"""The life of a target, step by step."""

from __future__ import annotations

from dataclasses import replace

from local.plane import rotation
from local.plane.haproxy_api import Inventory, Server
from local.plane.rotation import Admit, Drain, Member, Probe, Remove, Stage, key
from tests.local.plane.specs import GROUP, TARGET

NOW = 1000.0
KEY = key(TARGET)
NAME = ("group", "i-1")
UP, SICK = Server(up=True), Server(up=False, reason="Target.ResponseCodeMismatch", status="503")
EMPTY = Inventory(frozenset({"group"}))


def member(stage: Stage, **fields: object) -> Member:
    return replace(Member(TARGET, GROUP, stage, since=NOW), **fields)  # type: ignore[arg-type]


def has(server: Server) -> Inventory:
    return Inventory(frozenset({"group"}), {NAME: server})


def steps(one: Member, inventory: Inventory | None, now: float = NOW) -> list[rotation.Step]:
    return list(rotation.steps({KEY: one}, inventory, now))


def test_a_new_target_is_probed_and_healthy_after_one_passed_check() -> None:
    known = rotation.members({GROUP.arn: GROUP}, frozenset({TARGET}), {}, NOW)
    assert steps(known[KEY], EMPTY) == [Probe(known[KEY])]
    assert rotation.states(known, EMPTY, NOW)[GROUP.arn]["i-1"]["state"] == "initial"
    passed = rotation.probed(known[KEY], UP, NOW + 1)
    assert passed.stage is Stage.IN_ROTATION
    assert steps(passed, EMPTY) == [Admit(passed)]
    assert rotation.states({KEY: passed}, EMPTY, NOW)[GROUP.arn]["i-1"]["state"] == "initial"
    assert rotation.states({KEY: passed}, has(Server(up=True)), NOW)[GROUP.arn]["i-1"] == {"state": "healthy"}


def test_a_target_that_was_unhealthy_needs_the_threshold() -> None:
    late = NOW + GROUP.check.interval * GROUP.check.unhealthy + 1
    failed = rotation.probed(member(Stage.PROBED), SICK, late)
    assert rotation.states({KEY: failed}, EMPTY, late)[GROUP.arn]["i-1"] == {
        "state": "unhealthy",
        "reason": "Target.ResponseCodeMismatch",
        "status": "503",
    }
    once = rotation.probed(failed, UP, late)
    assert once.stage is Stage.PROBED
    assert once.probe_at == late + GROUP.check.interval
    assert rotation.probed(once, UP, late).stage is Stage.IN_ROTATION


def test_a_probe_is_not_sent_twice() -> None:
    assert steps(member(Stage.PROBED, probing=True), EMPTY) == []
    assert steps(member(Stage.PROBED, probe_at=NOW + 1), EMPTY) == []


def test_nothing_is_asked_of_a_balancer_that_is_away_or_does_not_know_the_group() -> None:
    assert steps(member(Stage.IN_ROTATION), None) == []
    assert steps(member(Stage.IN_ROTATION), Inventory()) == []


def test_a_target_that_leaves_drains_until_its_requests_are_done() -> None:
    left = rotation.members({GROUP.arn: GROUP}, frozenset(), {KEY: member(Stage.IN_ROTATION)}, NOW)[KEY]
    assert left.stage is Stage.DRAINING
    assert steps(left, has(Server(up=True, open=2))) == [Drain(left)]
    told = replace(left, told=True)
    assert steps(told, has(Server(up=True, open=2))) == []
    assert steps(told, has(Server(up=True, open=0))) == [Remove(*NAME)]
    assert steps(told, has(Server(up=True, open=2)), NOW + GROUP.drain) == [Remove(*NAME)]
    assert rotation.gone({KEY: told}, has(Server(up=True))) == frozenset()
    assert rotation.gone({KEY: told}, EMPTY) == {KEY}


def test_a_target_that_never_was_in_rotation_just_goes() -> None:
    assert rotation.members({GROUP.arn: GROUP}, frozenset(), {KEY: member(Stage.PROBED)}, NOW) == {}


def test_a_target_that_comes_back_or_moved_is_new() -> None:
    for before in (member(Stage.DRAINING), replace(member(Stage.IN_ROTATION), target=replace(TARGET, group="other"))):
        known = rotation.members({GROUP.arn: GROUP}, frozenset({TARGET}), {KEY: before}, NOW)
        assert known[KEY].stage is Stage.PROBED


def test_an_unknown_server_is_removed() -> None:
    assert list(rotation.steps({}, has(Server(up=True)), NOW)) == [Remove(*NAME)]


def test_a_failing_check_is_reported_with_its_reason() -> None:
    down = has(Server(up=False, reason="Target.Timeout"))
    said = rotation.states({KEY: member(Stage.IN_ROTATION)}, down, NOW)[GROUP.arn]["i-1"]
    assert said == {"state": "unhealthy", "reason": "Target.Timeout"}
    assert rotation.states({KEY: member(Stage.IN_ROTATION)}, None, NOW)[GROUP.arn]["i-1"]["state"] == "healthy"
