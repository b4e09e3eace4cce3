"""Scaling by metrics: under load the fleet grows, afterwards it shrinks, and no `up` takes that back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.names import Names
from tests.fleet.cloud import PROJECT, STACK, Cloud, session, wait
from tests.fleet.load import Load

GROWN = 4
TARGET = 10.0
"""Requests per clone and minute of CloudWatch that the fleet aims at here: any load at all is too much for two."""


class Scaling:
    """The fleet's group as Auto Scaling tells of it."""

    def __init__(self, cloud: Cloud) -> None:
        self._client = session(cloud.recorded_run.endpoint).client("autoscaling")
        self.group = cloud.group
        self._seen = {activity["ActivityId"] for activity in self._activities()}
        self.policy = self._policy()

    def aim_at(self, requests: float) -> None:
        """Another target for the program's own policy on requests."""
        tracking = {**self.policy["TargetTrackingConfiguration"], "TargetValue": requests}
        self._client.put_scaling_policy(
            AutoScalingGroupName=self.group,
            PolicyName=self.policy["PolicyName"],
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=tracking,
        )

    def change(self, **what: Any) -> None:
        self._client.update_auto_scaling_group(AutoScalingGroupName=self.group, **what)

    def causes(self) -> str:
        """Why the group did what it did since this was made."""
        return "\n".join(each["Cause"] for each in self._activities() if each["ActivityId"] not in self._seen)

    def _activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.describe_scaling_activities(AutoScalingGroupName=self.group)[
            "Activities"
        ]
        return found

    def _policy(self) -> dict[str, Any]:
        name = Names(PROJECT, STACK).of("requests")
        answer = self._client.describe_policies(AutoScalingGroupName=self.group, PolicyNames=[name])
        found: dict[str, Any] = answer["ScalingPolicies"][0]
        return found


@pytest.fixture
def scaling(cloud: Cloud) -> Iterator[Scaling]:
    """Alarms may move the count, up to four clones; a clone's load counts from its second second on."""
    scaling, settings = Scaling(cloud), SettingsFile(cloud.folder, STACK)
    target = scaling.policy["TargetTrackingConfiguration"]["TargetValue"]
    file = cloud.folder / f"Pulumi.{STACK}.yaml"
    before = file.read_text()
    scaling.change(MaxSize=GROWN, DefaultInstanceWarmup=1)
    scaling.aim_at(TARGET)
    cloud.scale_by_metrics(True)
    yield scaling
    cloud.scale_by_metrics(False)
    scaling.aim_at(target)
    scaling.change(MaxSize=settings.raw()["fleet"]["max"], DefaultInstanceWarmup=60)
    file.write_text(before)
    cloud.do("up")


def test_under_load_the_fleet_grows_and_afterwards_it_shrinks(
    cloud: Cloud, scaling: Scaling, tell: Callable[[str], None]
) -> None:
    start = time.monotonic()
    with Load(cloud.url) as load:
        cloud.settled(GROWN)
        grown = time.monotonic() - start
        wait(lambda: len(load.clones) == GROWN, 20)
    assert load.failures == {}
    assert set(Counter(clone.zone for clone in cloud.clones().values()).values()) == {GROWN // 2}
    assert "AlarmHigh" in scaling.causes()
    assert "changing the desired capacity from 2 to 4" in scaling.causes()
    assert "setting 2, running 4" in cloud.do("status")

    with (cloud.folder / f"Pulumi.{STACK}.yaml").open("a") as settings:
        settings.write("  goldfleet:alarms:\n    p99_seconds: 3\n")
    assert "MetricAlarm" in cloud.do("up")
    assert "user request" not in scaling.causes()

    cloud.settled(2)
    assert "AlarmLow" in scaling.causes()
    assert "changing the desired capacity from 3 to 2" in scaling.causes()
    assert "user request" not in scaling.causes()
    tell(f"scaling, local: 2 to {GROWN} healthy clones {grown:.0f} s after the load began ({load.answered} requests, 0 "
         f"failed), 2 again after {time.monotonic() - start:.0f} s; a minute of CloudWatch lasts 2 s")  # fmt: skip
