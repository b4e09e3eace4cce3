"""A clone of the local fleet as a real virtual machine, booted from the image's own volumes, behind the balancer."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.deadlines import HEALTH_GRACE
from goldfleet.errors import ToolMissing
from image.os_layer import tools
from local.machine import firmware, guest
from tests.fleet.cloud import INSTANCE, RELEASE, STACK, Cloud, session, wait

SWITCHED_OFF = 60
SHIPPED = 30


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud whose image has an OS layer, with one clone."""
    try:
        tools.require()
        guest.program()
        firmware.find()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    cloud = Cloud.copy(tmp_path_factory.mktemp("booted") / "checkout")
    settings = SettingsFile(cloud.folder, STACK)
    settings.change("image", "layers", ["os", "app"])
    settings.change("fleet", "min", 1)
    settings.change("fleet", "desired", 1)
    settings.change("fleet", "health_grace_seconds", HEALTH_GRACE)
    yield cloud
    cloud.do("down")
    assert cloud.processes() == []


def test_a_virtual_machine_serves_behind_the_balancer_and_switches_itself_off(booted: Cloud) -> None:
    booted.do("up")
    ((clone, release),) = [(id_, one.release) for id_, one in booted.clones().items()]
    (process,) = [process for process in booted.processes() if process.name == clone]
    assert "qemu-system-x86_64" in " ".join(process.command)

    with httpx.Client(base_url=booted.url, timeout=20) as person:
        joined = person.post("/api/v1/users", json={"name": "ada", "password": "correct horse battery"})
        assert joined.status_code == 201, joined.text
        person.headers["X-CSRF-Token"] = joined.json()["csrf_token"]
        person.post("/api/v1/posts", json={"text": "from a machine"}).raise_for_status()
        feed = person.get("/api/v1/feed")
        assert feed.json()["posts"][0]["text"] == "from a machine"
        assert (feed.headers[INSTANCE], feed.headers[RELEASE]) == (clone, release)

    # Its lines arrive where every clone's do, and so do those of its kernel and of the boot report.
    wait(lambda: "boot report logger=image" in booted.do("logs"), SHIPPED)

    aws = session(booted.recorded_run.endpoint)
    aws.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=booted.group, MinSize=0, DesiredCapacity=0)
    wait(lambda: clone not in [process.name for process in booted.processes()], SWITCHED_OFF)
    wait(lambda: "reboot: Power down" in aws.client("ec2").get_console_output(InstanceId=clone)["Output"], SWITCHED_OFF)
