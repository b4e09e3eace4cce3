"""GoldenImage with the real engine: look up, bake where possible, remove nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from goldfleet.errors import GoldfleetError, ReleaseError, ToolMissing
from goldfleet.servicer import Context
from image import bake
from image.app_layer.layer import Layer
from image.bake import Baked
from image.os_layer import tools
from image.os_layer.layer import OsLayer
from image.registry import boot_record
from image.registry.registration import parameters
from image.registry.snapshots import Snapshots
from image.registry.volume import empty_volume
from image.release import working_tree
from infra.provider.aws import Aws
from infra.provider.golden_image import GoldenImage as GoldenImageResource
from infra.provider.resources import GoldenImage
from tests.infra.provider.conftest import LEFT_BY_PULUMI, Desk, Lines
from tests.local.control.running import Control

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240), pytest.mark.filterwarnings(*LEFT_BY_PULUMI)]

Declare = Callable[[pulumi.ResourceOptions], None]


def golden(release: str, project: str, layers: tuple[str, ...] = ("app",)) -> Declare:
    def declare(opts: pulumi.ResourceOptions) -> None:
        image = GoldenImage("image", release=release, layers=list(layers), project=project, opts=opts)
        for name in ("image_id", "image_release", "root_device", "app_device"):
            pulumi.export(name, getattr(image, name))

    return declare


@pytest.fixture
def project(tmp_path: Path) -> str:
    return f"p{abs(hash(tmp_path)) % 10**9}"


@pytest.fixture
def baker(desk: Desk, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose provider runs from a tree of its own, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plugins = {"goldfleet": tree / "infra" / "provider"}
    return replace(desk, project=replace(desk.project, plugins=plugins))


def registered(desk: Desk, project: str) -> dict[str, str]:
    """The project's images: release -> id."""
    filters = [{"Name": "tag:goldfleet:project", "Values": [project]}]
    images = desk.control.client("ec2").describe_images(Owners=["self"], Filters=filters)["Images"]
    tags = [{tag["Key"]: tag["Value"] for tag in image["Tags"]} for image in images]
    return {tag["goldfleet:release"]: image["ImageId"] for tag, image in zip(tags, images, strict=True)}


def test_the_working_tree_is_baked_by_up_only_and_an_edit_is_an_update(
    baker: Desk, tree: Path, project: str, tmp_path: Path
) -> None:
    declare = golden("working-tree", project)
    baker.engine(declare).preview()
    assert registered(baker, project) == {}
    assert not list((tmp_path / "cache").rglob("*.iso"))

    outputs, lines = baker.up(declare)
    first = working_tree(tree, ["app"])
    assert registered(baker, project) == {first: outputs["image_id"]}
    assert (outputs["image_release"], outputs["root_device"], outputs["app_device"]) == (
        first,
        "/dev/xvda",
        "/dev/xvdf",
    )
    assert "building the app layer" in lines.passing

    # Our own code is no change of the image.
    (tree / "infra" / "stack.py").write_text("# other\n")
    (tree / "image" / "bake.py").write_text((tree / "image" / "bake.py").read_text() + "# other\n")
    _, lines = baker.up(declare)
    assert lines.operations["image"] == "same"

    (tree / "app" / "__init__.py").write_text("# edited\n")
    again, lines = baker.up(declare)
    second = working_tree(tree, ["app"])
    assert lines.operations["image"] == "update"
    assert again["image_id"] != outputs["image_id"]
    assert set(registered(baker, project)) == {first, second}

    # Pinning what runs is no change, going back is a look-up, destroying removes nothing.
    _, lines = baker.up(golden(second, project))
    assert lines.operations["image"] == "same"
    back, lines = baker.up(golden(first, project))
    assert (lines.operations["image"], back["image_id"]) == ("update", outputs["image_id"])
    assert "building the app layer" not in lines.passing
    said = Lines()
    baker.engine(golden(first, project)).destroy(said)
    assert set(registered(baker, project)) == {first, second}
    for image in (outputs["image_id"], again["image_id"]):
        assert any(f"{image} stays registered" in line and "`goldfleet image prune`" in line for line in said.kept)


def test_a_pinned_release_is_registered_where_its_layer_is_and_refused_elsewhere(
    baker: Desk, tree: Path, project: str, tmp_path: Path
) -> None:
    first = working_tree(tree, ["app"])
    outputs, _ = baker.up(golden(first, project))
    assert outputs["image_release"] == first
    (tree / "app" / "__init__.py").write_text("# edited\n")
    kept, _ = baker.up(golden(first, f"{project}x"))
    assert kept["image_release"] == first
    shutil.rmtree(tmp_path / "cache" / "goldfleet" / "layers")
    with pytest.raises(GoldfleetError, match=rf"no image of release {first[:12]} is registered.*check out"):
        baker.up(golden(first, f"{project}y"))
    assert registered(baker, f"{project}y") == {}


def test_an_image_id_is_looked_up(baker: Desk, tree: Path, project: str) -> None:
    baked, _ = baker.up(golden("working-tree", project))
    outputs, _ = baker.up(golden(baked["image_id"], "another"))
    assert outputs == baked
    with pytest.raises(GoldfleetError, match=r"ami-0123456789abcdef0 does not exist in this account and region"):
        baker.up(golden("ami-0123456789abcdef0", project))


@pytest.mark.parametrize(
    ("release", "layers", "words"),
    [
        ("main", ("app",), "'main' is neither working-tree, nor a digest"),
        ("ABC" + "0" * 61, ("app",), "is neither working-tree"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_way_out(
    desk: Desk, project: str, release: str, layers: tuple[str, ...], words: str
) -> None:
    with pytest.raises(GoldfleetError, match=words):
        desk.up(golden(release, project, layers))
    assert registered(desk, project) == {}


def test_an_image_that_was_removed_is_found_missing_and_registered_again(baker: Desk, project: str) -> None:
    declare: Any = golden("working-tree", project)
    outputs, _ = baker.up(declare)
    baker.control.client("ec2").deregister_image(ImageId=outputs["image_id"])
    engine = baker.engine(declare)
    engine.refresh()
    assert engine.up()["image_id"] != outputs["image_id"]


@pytest.fixture
def bare(desk: Desk, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk on a machine with nothing installed: no image tool is found, nothing is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plugins = {"goldfleet": tree / "infra" / "provider"}
    (tree / "image" / "os_layer" / "tools.py").write_text(
        (tree / "image" / "os_layer" / "tools.py").read_text().replace("SEARCH_PATH =", 'SEARCH_PATH = "/nowhere" or')
    )
    return replace(desk, project=replace(desk.project, plugins=plugins))


def test_where_nothing_can_be_baked_a_registered_release_is_found_and_any_other_is_refused(
    bare: Desk, project: str
) -> None:
    release = "ab" * 32
    with pytest.raises(GoldfleetError) as refused:
        bare.engine(golden(release, project, ("os", "app"))).preview()
    assert f"no image of release {release[:12]} is registered, and none can be baked here" in str(refused.value)
    for way in ("mmdebstrap", "check out its commit on Linux or in CI", "pin the digest", "an image id (ami-...)"):
        assert way in str(refused.value)
    with pytest.raises(GoldfleetError, match=r"no image of working-tree is registered, and none can be baked here"):
        bare.engine(golden("working-tree", project, ("os", "app"))).preview()

    ec2 = bare.control.client("ec2")
    snapshots = Snapshots(ec2, bare.control.client("ebs"), project, lambda _: None)
    behind = snapshots.ensure("root", empty_volume()), snapshots.ensure(release, empty_volume())
    image = ec2.register_image(**parameters(project, release, *behind))["ImageId"]
    outputs, _ = bare.up(golden(release, project, ("os", "app")))
    assert (outputs["image_id"], outputs["image_release"]) == (image, release)


class Elsewhere(Aws):
    """An account that is not of this machine, behind the same door."""

    def __init__(self, control: Control) -> None:
        super().__init__()
        self._control = control

    @property
    def local(self) -> bool:
        return False

    def client(self, service: str) -> Any:
        return self._control.client(service)


def test_but_at_home_no_image_is_registered_that_was_not_booted(
    control: Control, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    disk = tmp_path / "disk"
    disk.write_bytes(b"boots")
    os.truncate(disk, 2**30)
    file_system = tmp_path / "file-system"
    file_system.write_bytes(bytes(2048))
    release, layers = "cd" * 32, ["os", "app"]
    baked = Baked(release, ("os", "app"), OsLayer("0" * 64, disk, disk, 1), Layer(release, file_system))
    monkeypatch.setattr(bake, "kept", lambda wanted: baked if wanted == release else None)
    resource = GoldenImageResource(Elsewhere(control), tmp_path)
    inputs = {"release": release, "digest": release, "layers": layers, "project": project}
    with pytest.raises(ReleaseError, match="has not passed the boot test on this machine; `goldfleet image test`"):
        resource.create(inputs, Context())
    boot_record.record(release, {"seconds": 20})
    _, outputs = resource.create(inputs, Context())
    assert outputs["imageRelease"] == release


def test_an_image_with_an_os_layer_is_baked_and_registered_whole(desk: Desk, tree: Path, project: str) -> None:
    """From the layers that this machine keeps: what was baked once is not baked again."""
    try:
        tools.require()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    baker = replace(desk, project=replace(desk.project, plugins={"goldfleet": tree / "infra" / "provider"}))
    outputs, lines = baker.up(golden("working-tree", project, ("os", "app")))
    release = working_tree(tree, ["os", "app"])
    assert outputs["image_release"] == release
    assert any(line.startswith("sending the snapshot") for line in lines.passing)
    ec2, ebs = desk.control.client("ec2"), desk.control.client("ebs")
    mappings = ec2.describe_images(ImageIds=[outputs["image_id"]])["Images"][0]["BlockDeviceMappings"]
    roots = [one["Ebs"]["SnapshotId"] for one in mappings if one["DeviceName"] == outputs["root_device"]]
    assert len(ebs.list_snapshot_blocks(SnapshotId=roots[0])["Blocks"]) > 100
    _, lines = baker.up(golden(release, project, ("os", "app")))
    assert lines.operations["image"] == "same"
