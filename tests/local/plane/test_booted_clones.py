"""An image with an OS layer: recognised by its volumes, read into disks, told what is true on its own link."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import LocalCloudError
from image.registry.registration import parameters
from image.registry.snapshots import Snapshots
from image.registry.volume import Extent, Volume, empty_volume
from local.machine.network import GUEST, METADATA, guest_network
from local.plane.booted_clones import guest_facts, without_replicas
from local.plane.control import Control
from local.plane.observe_instances import Instances
from local.plane.releases import Releases
from local.plane.wanted import BootedClone, Clone, Release, Sidecar, Wanted
from local.run_folder import RunFolder
from tests.local.control.running import running_control
from tests.local.plane.specs import CLONE

REGION = "eu-central-1"
STORE = Store(Endpoint("127.11.2.1", 6379), "secret")
USER_DATA = UserData(
    project="goldfleet",
    stack="local",
    region=REGION,
    public_url="http://127.11.3.1:8080",
    log_group="/goldfleet/local/app",
    shards=(Shard(Endpoint("127.11.1.1", 5433), "app", "owner", "app", "/goldfleet/local/replicas"),),
    sessions=STORE,
    cache=STORE,
    aws_endpoint="http://127.11.0.1:4566",
)
BOOTED = BootedClone(**vars(replace(CLONE, user_data=USER_DATA.to_text(), role="clone")), root="snap-2")


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield Control(control.endpoint, REGION)


def volume(first: bytes, third_mebibyte: bytes) -> Volume:
    return Volume(2, (Extent(0, first), Extent(3 * 2**20, third_mebibyte)))


def launched(control: Control, release: str, root: Volume) -> Release:
    """Registers an image and launches an instance of it; the release that it should be seen as."""
    snapshots = Snapshots(control.client("ec2"), control.client("ebs"), "booted", lambda _: None)
    behind = snapshots.ensure(f"root {release}", root), snapshots.ensure(release, volume(b"app", b"layer"))
    image = control.client("ec2").register_image(**parameters("booted", release, *behind))["ImageId"]
    control.client("ec2").run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    return Release(release, behind[1], behind[0] if root.extents else "")


def test_an_image_with_an_os_layer_is_run_as_a_machine_and_one_without_as_processes(control: Control) -> None:
    with_os = launched(control, "a" * 64, volume(b"boots", b"kernel"))
    without = launched(control, "b" * 64, empty_volume())
    instances = Instances(control)
    images = instances.images()
    assert set(images.values()) == {with_os, without}
    clones = {clone.release: clone for clone in instances.running(images)}
    booted, plain = clones["a" * 64], clones["b" * 64]
    assert isinstance(booted, BootedClone)
    assert (booted.root, booted.snapshot) == (with_os.root, with_os.snapshot)
    assert type(plain) is Clone
    assert Wanted(clones=(booted, plain)).specs == (booted, plain, Sidecar(plain))


def test_a_snapshot_becomes_a_sparse_disk_of_its_volume(control: Control, tmp_path: Path) -> None:
    release = launched(control, "c" * 64, volume(b"boots", b"kernel"))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    releases = Releases(folder, control.client("ebs"))
    disk = releases.disk(release.root)
    assert disk.stat().st_size == 2 * 2**30
    assert disk.stat().st_blocks * 512 <= 2 * 2**20
    with disk.open("rb") as file:
        assert file.read(8) == b"boots\0\0\0"
        file.seek(3 * 2**20)
        assert file.read(8) == b"kernel\0\0"
    before = disk.stat().st_mtime_ns
    assert releases.disk(release.root).stat().st_mtime_ns == before


def test_a_snapshot_that_is_not_there_is_an_error_and_leaves_nothing(control: Control, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    with pytest.raises(LocalCloudError, match=r"snap-0123456789abcdef0: cannot be read .*; register the release again"):
        Releases(folder, control.client("ebs")).disk("snap-0123456789abcdef0")
    assert list(folder.releases.iterdir()) == []


def test_the_machine_is_told_the_instances_own_facts_and_only_addresses_of_its_link() -> None:
    network = guest_network(without_replicas(USER_DATA), Endpoint(CLONE.address, 8169), "authority")
    told = guest_facts(BOOTED, network)
    assert (told.instance_id, told.zone, told.image_id, told.role) == ("i-1", "us-east-1a", "ami-1", "clone")
    assert told.local_ipv4 == GUEST
    assert told.user_data is not None
    assert "127." not in told.user_data.replace(USER_DATA.public_url, "")
    assert json.loads(told.user_data)["shards"][0]["replicas_parameter"] == ""
    assert {service.outside.host for service in network.services if service.inside == METADATA} == {CLONE.address}
