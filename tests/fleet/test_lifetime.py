"""Clones that are older than the fleet's maximum lifetime are replaced, and nobody notices."""

from __future__ import annotations

import json

from goldfleet.contract.deadlines import WARM_UP
from local.plane.control import Control
from tests.fleet.cloud import Cloud, session, wait
from tests.fleet.load import Load

BEYOND = 400 * 86400.0
"""Seconds; more than any lifetime that the settings allow."""


def test_old_clones_are_replaced_one_by_one_under_load_without_a_failed_request(cloud: Cloud) -> None:
    old, counts = set(cloud.clones()), set()
    autoscaling = session(cloud.recorded_run.endpoint).client("autoscaling")
    # The time until a new clone counts is a minute, which proves nothing here.
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=cloud.group, DefaultInstanceWarmup=1)
    try:
        with Load(cloud.url) as load:
            _make_older(cloud, old)

            def replaced() -> bool:
                clones = set(cloud.clones())
                counts.add(len(clones))
                return not old & clones and len(cloud.view().clones) == len(clones) == 2

            wait(replaced, 120)
    finally:
        autoscaling.update_auto_scaling_group(AutoScalingGroupName=cloud.group, DefaultInstanceWarmup=WARM_UP)
    assert load.failures == {}
    assert load.answered > 0
    assert counts <= {2, 3}
    activities = autoscaling.describe_scaling_activities(AutoScalingGroupName=cloud.group)["Activities"]
    ended = {
        each["Description"].rpartition(" ")[2] for each in activities if "maximum instance lifetime" in each["Cause"]
    }
    assert old <= ended


def _make_older(cloud: Cloud, instances: set[str]) -> None:
    endpoint = cloud.recorded_run.endpoint
    control = Control(endpoint, session(endpoint).account.region)
    control.call("POST", "ages", json.dumps(dict.fromkeys(instances, BEYOND)).encode())
