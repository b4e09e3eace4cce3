"""Pruning a tangle on the control plane: template versions, instances, a rollback target, others' images, an upload."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from goldfleet.contract.names import Names
from goldfleet.errors import ReleaseError
from image.registry.prune import Pruning
from tests.image.registry.layers import calls_of
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import BLOCK, make_image, make_network, make_snapshot, name

WRITES = re.compile(r"Create|Delete|Deregister|Modify|Register|Run|Start|Update")


def tags(**more: str) -> list[dict[str, str]]:
    return [{"Key": f"goldfleet:{key}", "Value": value} for key, value in more.items()]


@dataclass(frozen=True)
class Tangle:
    """A stack `dev` whose group launches version 5 of its template, with an instance left on version 2.

    Versions 1 to 6 have the images a, b, c, c, d, e. Image g is pinned by the stack `prod`, h is in a template that is
    not ours, j is nobody's, f is the newest. x belongs to another project, y to nobody.
    """

    control: Control
    names: Names
    images: dict[str, str]
    snapshots: dict[str, str]
    template: str
    group: str

    def pruning(self, **changes: Any) -> Pruning:
        ec2, autoscaling = (self.control.client(service) for service in ("ec2", "autoscaling"))
        settings = {"prod": "g" * 64, "dev": "working-tree"}
        return replace(Pruning(ec2, autoscaling, self.names, 1, settings, lambda _: None), **changes)

    def left(self) -> tuple[set[int], set[str], set[str]]:
        """Numbers of versions, letters of images, names of snapshots that are there."""
        ec2 = self.control.client("ec2")
        versions = ec2.describe_launch_template_versions(LaunchTemplateId=self.template)["LaunchTemplateVersions"]
        images = {image["ImageId"] for image in ec2.describe_images(Owners=["self"])["Images"]}
        snapshots = {one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
        return (
            {version["VersionNumber"] for version in versions},
            {letter for letter, image in self.images.items() if image in images},
            {layer for layer, snapshot in self.snapshots.items() if snapshot in snapshots},
        )

    def launch(self, letter: str) -> str:
        """An instance from an image, by hand."""
        subnet = make_network(self.control).subnets[0]
        answer = self.control.client("ec2").run_instances(
            ImageId=self.images[letter], MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet
        )
        return str(answer["Instances"][0]["InstanceId"])


@pytest.fixture
def tangle(control: Control, project: str) -> Iterator[Tangle]:
    names = Names(project, "dev")
    snapshots = {"os": make_snapshot(control, {0: b"o" * BLOCK}, Tags=tags(project=project, layer="os-1"))}
    images: dict[str, str] = {}
    for letter in "abcdeghjxyf":
        if letter == "f":  # AWS tells when an image was made to the second
            made = int(time.time())
            wait_until(lambda: int(time.time()) > made)  # noqa: B023  called at once
        mine = {"x": tags(project="other", layer="x"), "y": []}.get(letter, tags(project=project, layer=letter))
        snapshots[letter] = make_snapshot(control, {0: letter.encode() * BLOCK}, Tags=mine)
        shared = snapshots[letter if letter in "xy" else "os"]
        devices = {"/dev/xvda": shared, "/dev/xvdf": snapshots[letter]}
        told = {"x": tags(project="other", release=letter * 64), "y": [{"Key": "team", "Value": "blue"}]}
        own = told.get(letter, tags(project=project, release=letter * 64))
        images[letter] = make_image(
            control,
            BlockDeviceMappings=[{"DeviceName": one, "Ebs": {"SnapshotId": behind}} for one, behind in devices.items()],
            TagSpecifications=[{"ResourceType": "image", "Tags": own}],
        )
    template = _template(control, [images[letter] for letter in "abccde"], tags(project=project, stack="dev"))
    _template(control, [images["h"], images["x"]], tags(project="other", stack="dev"))
    group = _group(control, template)
    half = control.client("ebs").start_snapshot(VolumeSize=1, Tags=tags(project=project, layer="half"))
    snapshots["half"] = half["SnapshotId"]
    yield Tangle(control, names, images, snapshots, template, group)
    control.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=group, ForceDelete=True)


def _template(control: Control, images: list[str], told: list[dict[str, str]]) -> str:
    ec2, data = control.client("ec2"), {"InstanceType": "t3.micro"}
    template: str = ec2.create_launch_template(
        LaunchTemplateName=name("template"),
        LaunchTemplateData={**data, "ImageId": images[0]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": told}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    for image in images[1:]:
        ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={**data, "ImageId": image})
    ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion=str(len(images)))
    return template


def _group(control: Control, template: str) -> str:
    """One instance of version 2, then one of version 5, which it launches from then on."""
    autoscaling, group = control.client("autoscaling"), name("group")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group,
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=1,
        VPCZoneIdentifier=make_network(control).subnets[0],
        LaunchTemplate={"LaunchTemplateId": template, "Version": "2"},
    )
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "5"},
        DesiredCapacity=2,
    )
    return group


STAYS = ({2, 4, 5, 6}, set("bcdefghxy"), {"os", "half", *"bcdefghxy"})


def test_only_what_nothing_refers_to_goes(tangle: Tangle) -> None:
    before = tangle.left()
    entries = tangle.pruning().run()
    assert tangle.left() == STAYS
    gone = [entry.id for entry in entries if entry.goes]
    versions, images = [f"{tangle.template}/{number}" for number in (1, 3)], {tangle.images[one] for one in "aj"}
    assert gone[:2] == versions
    assert set(gone[2:4]) == images
    assert set(gone[4:]) == {tangle.snapshots[one] for one in "aj"}
    assert before == ({1, 2, 3, 4, 5, 6}, set("abcdefghjxy"), {"os", "half", *"abcdefghjxy"})


def test_a_second_run_removes_nothing(control: Control, tangle: Tangle) -> None:
    tangle.pruning().run()
    control.local("DELETE", "requests")
    assert not [entry.id for entry in tangle.pruning().run() if entry.goes]
    assert not [call for call in calls_of(control) if WRITES.match(call)]


def test_a_plan_changes_nothing(control: Control, tangle: Tangle) -> None:
    control.local("DELETE", "requests")
    assert len([entry for entry in tangle.pruning().plan() if entry.goes]) == 6
    assert not [call for call in calls_of(control) if WRITES.match(call)]
    assert tangle.left()[1] == set("abcdefghjxy")


def test_an_instance_that_is_launched_in_the_meantime_keeps_its_image(tangle: Tangle) -> None:
    launched: list[str] = []

    def launch(text: str) -> None:
        if tangle.images["j"] in text and not launched:
            launched.append(tangle.launch("j"))

    entries = tangle.pruning(progress=launch).run()
    assert launched
    versions, images, snapshots = STAYS
    assert tangle.left() == (versions, images | {"j"}, snapshots | {"j"})
    (kept,) = [entry for entry in entries if entry.id == tangle.images["j"]]
    assert kept.reasons == ("1 instance run from it",)


@pytest.mark.parametrize("removals", [1, 3])
def test_cut_off_anywhere_and_run_again_it_has_gone(tangle: Tangle, removals: int) -> None:
    told: list[str] = []

    def cut_off(text: str) -> None:
        told.append(text)
        if len(told) == removals:
            raise KeyboardInterrupt(text)

    with pytest.raises(KeyboardInterrupt):
        tangle.pruning(progress=cut_off).run()
    assert tangle.left() != STAYS
    tangle.pruning().run()
    assert tangle.left() == STAYS


def test_a_refresh_under_way_ends_it_before_anything_goes(control: Control, tangle: Tangle) -> None:
    before, autoscaling = tangle.left(), control.client("autoscaling")
    autoscaling.start_instance_refresh(
        AutoScalingGroupName=tangle.group,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": tangle.template, "Version": "1"}},
        Preferences={"BakeTime": 600},
    )
    with pytest.raises(ReleaseError, match="an instance refresh is under way"):
        tangle.pruning().run()
    assert tangle.left() == before


def test_what_aws_refuses_to_remove_is_told(control: Control, tangle: Tangle) -> None:
    control.local(
        "POST",
        "faults",
        {"service": "ec2", "action": "DeregisterImage", "error": "OperationNotPermitted", "status": 400},
    )
    try:
        entries = tangle.pruning().run()
    finally:
        control.local("DELETE", "faults")
    kept = {entry.id: entry.reasons for entry in entries if entry.reasons}
    assert "OperationNotPermitted" in kept[tangle.images["a"]][0]
    assert tangle.left()[1] == set("abcdefghjxy")
