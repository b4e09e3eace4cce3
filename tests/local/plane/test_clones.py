"""Clones and the balancer, end to end: AWS's calls in, HTTP answers out."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.plane.cloud import Cloud, wait_for
from tests.local.plane.stand_in import BROKEN, Fleet, register

pytestmark = pytest.mark.fleet


@pytest.fixture(scope="module")
def fleet(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(cloud, "fleet", register(cloud, tmp_path_factory.mktemp("release")))
    fleet.create()
    fleet.wait_healthy(2)
    yield fleet
    fleet.scale(0)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


class Load:
    """Requests one after the other on two threads; counts what went wrong."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(2)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            try:
                self.answers[get(f"{self._url}/slow/0.05")] += 1
            except OSError as error:
                self.failures.append(str(error))


def test_requests_are_spread_evenly(fleet: Fleet) -> None:
    answers = Counter(get(fleet.url) for _ in range(40))
    assert sorted(answers.values()) == [20, 20]
    assert set(answers) == set(fleet.healthy())


def test_scaling_in_under_requests_loses_none(fleet: Fleet) -> None:
    fleet.scale(4)
    fleet.wait_healthy(4)
    with Load(fleet.url) as load:
        wait_for(lambda: len(load.answers) == 4)
        fleet.scale(2)
        left = set(fleet.wait_healthy(2))
        wait_for(lambda: {path.name for path in fleet.cloud.folder.instances.iterdir()} == left, 60)
    assert not load.failures
    assert len(load.answers) == 4


def test_a_killed_clone_is_replaced(fleet: Fleet) -> None:
    before = set(fleet.wait_healthy(2))
    victim = sorted(before)[0]
    fleet.cloud.kill(victim)
    after = set(wait_for(lambda: ids if victim not in (ids := fleet.healthy()) and len(ids) == 2 else None, 60))
    assert len(after - before) == 1
    assert fleet.cloud.happened("exited", victim)
    wait_for(lambda: not (fleet.cloud.folder.instances / victim).exists())
    assert not (fleet.cloud.volatile / victim).exists()


def test_console_text_is_what_the_clone_said(fleet: Fleet) -> None:
    clone = fleet.wait_healthy(2)[0]
    ec2 = fleet.cloud.client("ec2")
    wait_for(lambda: "serving" in ec2.get_console_output(InstanceId=clone)["Output"])


def test_a_clone_sees_only_what_its_unit_gives_it(fleet: Fleet) -> None:
    process = fleet.cloud.process(fleet.wait_healthy(2)[0])
    assert process is not None
    variables = Path(f"/proc/{process.pid}/environ").read_text().split("\0")
    names = {variable.partition("=")[0] for variable in variables if variable}
    assert all(name.startswith("GOLDFLEET_") or name in {"PATH", "LANG", "PYTHONPATH"} for name in names)
    if os.geteuid() == 0:
        status = Path(f"/proc/{process.pid}/status").read_text()
        capabilities = next(line for line in status.splitlines() if line.startswith("CapEff"))
        assert int(capabilities.split()[1], 16) == 0


def test_a_killed_balancer_is_back_with_its_targets(fleet: Fleet) -> None:
    fleet.wait_healthy(2)
    fleet.cloud.kill("balancer")
    wait_for(lambda: fleet.cloud.happened("restarted", "balancer"), 10)
    answers = {get(fleet.url) for _ in range(4)}
    assert answers == set(fleet.healthy())


def test_a_sick_clone_leaves_rotation_and_its_group_replaces_it(fleet: Fleet) -> None:
    victim = fleet.wait_healthy(2)[0]
    (fleet.cloud.volatile / victim / "sick").touch()
    wait_for(lambda: victim not in fleet.healthy(), 30)
    wait_for(lambda: len(fleet.healthy()) == 2 and victim not in fleet.healthy(), 60)


def test_a_release_that_cannot_start_is_not_tried_all_the_time(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> None:
    broken = Fleet(cloud, "broken", register(cloud, tmp_path_factory.mktemp("broken"), BROKEN), desired=1, port=8081)
    broken.create()
    clone = wait_for(lambda: cloud.client("autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"])
    name = next(one["InstanceId"] for one in clone if one["AutoScalingGroupName"] == "broken")
    wait_for(lambda: cloud.happened("exited", name))
    console = cloud.client("ec2").get_console_output
    wait_for(lambda: "this release cannot start" in console(InstanceId=name)["Output"])
    assert not cloud.happened("unhealthy", name)
    broken.scale(0)
    wait_for(lambda: not (cloud.folder.instances / name).exists())
