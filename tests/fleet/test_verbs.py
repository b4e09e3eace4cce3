"""The verbs that read: what a person and a program are told."""

from __future__ import annotations

import json

from tests.fleet.cloud import Cloud


def test_status_tells_people_and_programs_the_same(cloud: Cloud) -> None:
    told = json.loads(cloud.do("status", "--json"))
    assert told["url"] == cloud.url
    assert (told["setting"], told["wanted"], len(told["clones"])) == (2, 2, 2)
    assert {store["role"] for store in told["stores"]} == {"main", "replica", "sessions", "cache"}
    assert {store["status"] for store in told["stores"]} == {"available"}
    text = cloud.do("status")
    for part in (told["url"], *(clone["id"] for clone in told["clones"]), *(store["id"] for store in told["stores"])):
        assert part in text


def test_logs_come_from_every_clone(cloud: Cloud) -> None:
    text = cloud.do("logs", "--since", "1d")
    assert all(f" {clone} info " in text for clone in cloud.clones())
    one = next(iter(cloud.clones()))
    assert {line.split()[1] for line in cloud.do("logs", "--since", "1d", "--clone", one).splitlines()[1:]} == {one}


def test_doctor_finds_nothing_wrong(cloud: Cloud) -> None:
    text = cloud.do("doctor")
    assert "FAIL" not in text
    assert f"control plane at {cloud.recorded_run.endpoint}" in text


def test_prune_keeps_what_runs(cloud: Cloud) -> None:
    cloud.do("image", "prune", "--keep", "1")
    text = cloud.do("image", "prune", "--keep", "1", "--dry-run")
    assert "launches it" in text
    assert "0 would be removed" in text
