"""A clone that cannot serve any more is replaced; one that only has much to do, or a store that is down, is not."""

from __future__ import annotations

import csv
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from chaos.exhaustion import full, take_descriptors
from chaos.load import Load
from chaos.stores import freeze, thaw
from chaos.verdicts import HEALTH_BOUND
from goldfleet.contract import deadlines
from goldfleet.errors import LocalCloudError
from local.events import Events
from local.processes import Process
from local.run_folder import volatile_folder
from tests.app.crowd import Crowd
from tests.fleet.cloud import Cloud, kill, session, wait

FOUND = 5 * HEALTH_BOUND
"""Seconds until a clone that cannot serve is taken out, on a machine that is busy."""
PEOPLE = 300
"""More than two clones take on at once."""


def test_clones_that_cannot_serve_are_replaced_and_their_logs_say_why(
    cloud: Cloud, counts: Callable[[int, int], int]
) -> None:
    cloud.desire(4)
    frozen, without_descriptors, without_memory, good = sorted(cloud.clones())
    process = {process.name: process for process in cloud.processes()}
    with ExitStack() as stack:
        try:
            stack.enter_context(full(volatile_folder(cloud.recorded_run.network) / without_memory))
        except LocalCloudError as error:
            pytest.skip(f"this machine does not allow it: {error}")
        sick = {frozen, without_descriptors, without_memory}
        with no_grace(cloud):
            take_descriptors(process[without_descriptors])
            os.kill(process[frozen].pid, signal.SIGSTOP)
            wait(lambda: not sick & in_service(cloud), FOUND)
        with Load(cloud.url, people=4) as load:
            cloud.settled(4)
            wait(lambda: len(load.clones) == 4, 30)
    assert load.failures == []
    assert sick & load.clones.keys() == set()
    assert good in load.clones
    assert "unhealthy: no file descriptor is left" in console(cloud, without_descriptors)
    assert " is full: " in console(cloud, without_memory)
    cloud.desire(2)
    if counts(0, 1):  # it does not hear the stop signal, so it takes the whole time that a clone has to stop
        wait(lambda: not process[frozen].alive, 2 * (deadlines.DRAIN + deadlines.STOP))


def test_neither_overload_nor_stores_that_are_down_replace_a_clone(cloud: Cloud, person: httpx.Client) -> None:
    """More people than the clones take on, then every store frozen for longer than the health check's bound, then every
    store killed: what a new clone could not mend must not cost one."""
    clones, launched, seen = cloud.clones().keys(), activities(cloud), len(events(cloud))
    with no_grace(cloud), Crowd(cloud.url, person.cookies["session"], PEOPLE) as crowd:
        wait(lambda: crowd.answers[503] > 0 and crowd.answers[200] > 0, 30)
        frozen = stores(cloud)
        assert len(frozen) >= 4
        with ExitStack() as stack:
            for store in frozen:
                stack.callback(thaw, store)
                freeze(store)
            time.sleep(HEALTH_BOUND)
        wait(is_served_again(crowd), 60)
        for store in stores(cloud):
            kill(store)
        time.sleep(1)
        wait(is_served_again(crowd), 60)
    assert crowd.answers.keys() <= {200, 503}
    assert cloud.clones().keys() == clones
    assert activities(cloud) == launched
    assert [event for event in events(cloud)[seen:] if event["subject"] in clones] == []
    assert queued_or_retried(cloud) == 0


@contextmanager
def no_grace(cloud: Cloud) -> Iterator[None]:
    """Inside, a failing health check counts at once: nothing is hidden by how young a clone is."""
    client = session(cloud.recorded_run.endpoint).client("autoscaling")
    (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[cloud.group])["AutoScalingGroups"]
    client.update_auto_scaling_group(AutoScalingGroupName=cloud.group, HealthCheckGracePeriod=0)
    try:
        yield
    finally:
        before = group["HealthCheckGracePeriod"]
        client.update_auto_scaling_group(AutoScalingGroupName=cloud.group, HealthCheckGracePeriod=before)


def in_service(cloud: Cloud) -> set[str]:
    return {clone.id for clone in cloud.view().clones if clone.lifecycle == "InService"}


def stores(cloud: Cloud) -> list[Process]:
    return [process for process in cloud.processes() if process.name.startswith(("rds-", "elasticache-"))]


def is_served_again(crowd: Crowd) -> Callable[[], bool]:
    served = crowd.answers[200]
    return lambda: crowd.answers[200] > served + PEOPLE


def activities(cloud: Cloud) -> set[str]:
    client = session(cloud.recorded_run.endpoint).client("autoscaling")
    answer = client.describe_scaling_activities(AutoScalingGroupName=cloud.group)
    return {activity["ActivityId"] for activity in answer["Activities"]}


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return Events(cloud.run_folder.events).read()


def queued_or_retried(cloud: Cloud) -> int:
    """Requests that HAProxy let wait, or sent a second time."""
    with socket.socket(socket.AF_UNIX) as api:
        api.connect(str(volatile_folder(cloud.recorded_run.network) / "balancer" / "api.sock"))
        api.sendall(b"show stat -1 6 -1\n")
        text = b"".join(iter(lambda: api.recv(65536), b"")).decode()
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return sum(int(row[column] or 0) for row in rows for column in ("qmax", "wretr", "wredis"))


def console(cloud: Cloud, instance: str) -> str:
    """What get-console-output says, also of an instance that is gone."""
    ec2 = session(cloud.recorded_run.endpoint).client("ec2")
    text: str = ec2.get_console_output(InstanceId=instance)["Output"]
    return text
