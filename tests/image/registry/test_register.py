"""Registering a release against the control plane: one image, one snapshot per layer, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldfleet.errors import ReleaseError
from image.app_layer.layer import build
from image.app_layer.unpack import unpack
from image.bake import Baked
from image.registry import boot_record, images
from image.registry.blocks import BLOCK
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.registry.volume import app_volume
from tests.image.registry.layers import Left, bake, calls_of, content
from tests.local.control.running import Control


def _other_release(baked: Baked, folder: Path) -> Baked:
    """The same OS with another app."""
    assert baked.os
    app = folder / "other.iso"
    app.write_bytes(bytes(reversed(baked.app.file_system.read_bytes())))
    return bake("ab" * 32, baked.os.disk, app)


def test_the_image_is_what_aws_boots_and_its_snapshots_hold_the_layers(
    left: Left, snapshots: Snapshots, baked: Baked
) -> None:
    image = register(snapshots, baked, needs_boot_test=False)
    left.assert_one_image(baked)
    (described,) = left.images
    assert image == images.Image(described["ImageId"], baked.release, "/dev/xvda", "/dev/xvdf")
    wanted = {"Architecture": "x86_64", "VirtualizationType": "hvm", "BootMode": "uefi", "EnaSupport": True}
    wanted |= {"ImdsSupport": "v2.0", "RootDeviceName": "/dev/xvda"}
    assert {name: described[name] for name in wanted} == wanted
    assert all(mapping["Ebs"]["Encrypted"] for mapping in described["BlockDeviceMappings"])
    assert all(mapping["Ebs"]["DeleteOnTermination"] for mapping in described["BlockDeviceMappings"])


def test_an_image_without_an_os_layer_holds_the_app_on_its_second_volume(
    left: Left, snapshots: Snapshots, checkout: Path, tmp_path: Path
) -> None:
    layer = build(checkout, ["app"])
    register(snapshots, Baked(layer.release, ("app",), None, layer), needs_boot_test=True)
    (described,) = left.images
    root, app = (mapping["Ebs"]["SnapshotId"] for mapping in described["BlockDeviceMappings"])
    assert left.blocks(root) == {}
    with (tmp_path / "app.raw").open("wb") as file:
        for number, block in left.blocks(app).items():
            file.seek(number * BLOCK)
            file.write(block)
    unpack(tmp_path / "app.raw", tmp_path / "tree")
    assert layer.release in (tmp_path / "tree" / "manifest.json").read_text()


def test_registering_again_changes_nothing(control: Control, snapshots: Snapshots, baked: Baked) -> None:
    first = register(snapshots, baked, needs_boot_test=False)
    control.local("DELETE", "requests")
    assert register(snapshots, baked, needs_boot_test=True) == first
    assert set(calls_of(control)) == {"DescribeImages", "DescribeSnapshots"}


def test_another_app_sends_no_block_of_the_os(
    control: Control, left: Left, snapshots: Snapshots, baked: Baked, tmp_path: Path
) -> None:
    register(snapshots, baked, needs_boot_test=False)
    other = _other_release(baked, tmp_path)
    control.local("DELETE", "requests")
    register(snapshots, other, needs_boot_test=False)
    calls = calls_of(control)
    assert calls.count("StartSnapshot") == 1
    assert calls.count("PutSnapshotBlock") == len(content(app_volume(other.release, other.app.file_system)))
    assert (len(left.images), len(left.snapshots)) == (2, 3)


def test_an_os_layer_needs_a_passed_boot_test_of_the_same_release(
    control: Control, left: Left, snapshots: Snapshots, baked: Baked, tmp_path: Path
) -> None:
    boot_record.record(_other_release(baked, tmp_path).release, {"seconds": 17})
    with pytest.raises(ReleaseError, match=r"has not passed the boot test .* `goldfleet image test`"):
        register(snapshots, baked, needs_boot_test=True)
    assert left.snapshots == []
    boot_record.record(baked.release, {"seconds": 17})
    register(snapshots, baked, needs_boot_test=True)
    left.assert_one_image(baked)


def test_an_upload_that_was_cut_off_is_taken_up(left: Left, snapshots: Snapshots, baked: Baked) -> None:
    def stop(text: str) -> None:
        if text.startswith("sending"):
            raise KeyboardInterrupt(text)

    with pytest.raises(KeyboardInterrupt):
        register(replace(snapshots, progress=stop), baked, needs_boot_test=False)
    (begun,) = left.snapshots
    assert (begun["State"], left.images) == ("pending", [])
    register(snapshots, baked, needs_boot_test=False)
    assert begun["SnapshotId"] in {one["SnapshotId"] for one in left.snapshots}
    left.assert_one_image(baked)


def test_an_upload_of_other_content_is_not_taken_up(left: Left, snapshots: Snapshots, baked: Baked) -> None:
    """Ours with one block more, as another version of our code might have begun it."""
    assert baked.os
    with baked.os.disk.open("r+b") as disk:
        disk.seek(100 * BLOCK)
        disk.write(b"more")
    snapshots.ensure(f"os-{baked.os.digest}", app_volume("x", baked.os.disk))
    register(snapshots, baked, needs_boot_test=False)
    (image,) = left.images
    assert len(left.blocks(image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])) == 9


def test_an_upload_that_aws_has_given_up_is_removed(
    control: Control, left: Left, snapshots: Snapshots, baked: Baked
) -> None:
    assert baked.os
    tags = {"goldfleet:project": left.project, "goldfleet:layer": f"os-{baked.os.digest}"}
    begun = control.client("ebs").start_snapshot(
        VolumeSize=1, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )

    def given_up(parsed: Any, **_: Any) -> None:
        for snapshot in parsed.get("Snapshots", ()):
            if snapshot["SnapshotId"] == begun["SnapshotId"]:
                snapshot["State"] = "error"

    events = snapshots.ec2.meta.events
    events.register("after-call.ec2.DescribeSnapshots", given_up)
    try:
        register(snapshots, baked, needs_boot_test=False)
    finally:
        events.unregister("after-call.ec2.DescribeSnapshots", given_up)
    left.assert_one_image(baked)


@pytest.fixture
def throttle(control: Control) -> Iterator[Callable[[int | None], None]]:
    """Makes the control plane refuse so many blocks, or all."""

    def refuse(times: int | None) -> None:
        rule = {"service": "ebs", "action": "PutSnapshotBlock", "error": "RequestThrottledException", "status": 400}
        control.local("POST", "faults", {**rule, "times": times})

    yield refuse
    control.local("DELETE", "faults")


def test_a_block_that_is_refused_for_a_while_is_sent_again(
    left: Left, snapshots: Snapshots, baked: Baked, throttle: Callable[[int | None], None]
) -> None:
    throttle(20)
    slept: list[float] = []
    register(replace(snapshots, sleep=slept.append), baked, needs_boot_test=False)
    left.assert_one_image(baked)
    assert len(slept) >= 20


def test_blocks_that_are_refused_for_ever_are_an_error_not_an_image(
    control: Control, left: Left, snapshots: Snapshots, baked: Baked, throttle: Callable[[int | None], None]
) -> None:
    throttle(None)
    slept: list[float] = []
    with pytest.raises(ReleaseError, match=r"RequestThrottledException.* after \d+ attempts; run the same command"):
        register(replace(snapshots, sleep=slept.append), baked, needs_boot_test=False)
    assert left.images == []
    assert max(slept) <= 15
    control.local("DELETE", "faults")
    register(snapshots, baked, needs_boot_test=False)
    left.assert_one_image(baked)


def test_an_image_that_is_not_there_is_named(control: Control) -> None:
    with pytest.raises(ReleaseError, match="ami-0123456789abcdef0 does not exist in this account and region"):
        images.get(control.client("ec2"), "ami-0123456789abcdef0")
