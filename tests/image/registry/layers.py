"""Small layers to register, what is left of them on the control plane, and a process that registers them.

`python -m tests.image.registry.layers ENDPOINT PROJECT RELEASE OS_DISK APP_FILE [KILLED_AT WHEN]` registers, and ends
itself by SIGKILL before or after the call of that number.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from image.app_layer.layer import Layer
from image.bake import Baked
from image.os_layer.layer import OsLayer
from image.registry.blocks import BLOCK
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.registry.volume import GIB, Volume, app_volume, os_volume
from tests.local.control.running import ROOT, Control

OS_DIGEST = "05" * 32


def write_disk(path: Path, blocks: Mapping[int, bytes], gibibytes: int = 1) -> Path:
    """A sparse disk with these blocks."""
    with path.open("wb") as file:
        file.truncate(gibibytes * GIB)
        for number, content in blocks.items():
            file.seek(number * BLOCK)
            file.write(content)
    return path


def bake(release: str, disk: Path, app: Path) -> Baked:
    """A release of an OS disk and an app's file system."""
    return Baked(release, ("os", "app"), OsLayer(OS_DIGEST, disk, disk, 1), Layer(release, app))


@dataclass(frozen=True)
class Left:
    """What a project has on the control plane."""

    control: Control
    project: str

    @property
    def images(self) -> list[Any]:
        found = self.control.client("ec2").describe_images(Owners=["self"], Filters=self._mine)
        return list(found["Images"])

    @property
    def snapshots(self) -> list[Any]:
        found = self.control.client("ec2").describe_snapshots(OwnerIds=["self"], Filters=self._mine)
        return list(found["Snapshots"])

    def blocks(self, snapshot: str) -> dict[int, bytes]:
        """All that is in a snapshot."""
        ebs, found = self.control.client("ebs"), {}
        for block in ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]:
            index, token = block["BlockIndex"], block["BlockToken"]
            answer = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
            found[index] = answer["BlockData"].read()
        return found

    def assert_one_image(self, baked: Baked) -> None:
        """There is one image, with exactly the snapshots that there are, and they hold the very bytes."""
        (image,) = self.images
        behind = {mapping["DeviceName"]: mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"]}
        assert sorted(behind.values()) == sorted(one["SnapshotId"] for one in self.snapshots)
        assert {one["State"] for one in self.snapshots} == {"completed"}
        assert baked.os
        assert self.blocks(behind["/dev/xvda"]) == content(os_volume(baked.os.disk))
        assert self.blocks(behind["/dev/xvdf"]) == content(app_volume(baked.release, baked.app.file_system))

    @property
    def _mine(self) -> list[dict[str, Any]]:
        return [{"Name": "tag:goldfleet:project", "Values": [self.project]}]


def content(volume: Volume) -> dict[int, bytes]:
    """The blocks of a volume that are sent."""
    return {number: volume.block(number) for number in volume.checksums()}


def start(control: Control, project: str, baked: Baked, *killed: object) -> subprocess.Popen[bytes]:
    """A process that registers; `killed` is the number of the call at which it ends, and `before` or `after`."""
    assert baked.os
    told = [control.endpoint, project, baked.release, baked.os.disk, baked.app.file_system, *killed]
    return subprocess.Popen([sys.executable, "-m", __spec__.name, *map(str, told)], cwd=ROOT)


def calls_of(control: Control) -> list[str]:
    """Names of the AWS calls since the record was cleared."""
    return [call["action"] for call in control.local("GET", "requests")]


def _main(endpoint: str, project: str, release: str, disk: str, app: str, *killed: str) -> None:
    session = boto3.Session("goldfleet-local", "goldfleet-local", region_name="eu-central-1")
    config, numbers = Config(retries={"total_max_attempts": 1}), count(1)
    ec2, ebs = (session.client(service, endpoint_url=endpoint, config=config) for service in ("ec2", "ebs"))

    def end_at(**_: Any) -> None:
        if next(numbers) == int(killed[0]):
            os.kill(os.getpid(), signal.SIGKILL)

    for client in (ec2, ebs) if killed else ():
        client.meta.events.register(f"{killed[1]}-call", end_at)
    baked = bake(release, Path(disk), Path(app))
    register(Snapshots(ec2, ebs, project, lambda _: None), baked, needs_boot_test=False)


if __name__ == "__main__":
    _main(*sys.argv[1:])
