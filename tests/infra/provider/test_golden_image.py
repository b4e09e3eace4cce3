"""GoldenImage with the real engine: look up, bake where possible, remove nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from goldfleet.errors import GoldfleetError
from image.release import working_tree
from infra.provider.resources import GoldenImage
from tests.infra.provider.conftest import LEFT_BY_PULUMI, Desk, Lines

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
    (tree / "image" / "blocks.py").write_text((tree / "image" / "blocks.py").read_text() + "# other\n")
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
        assert any(f"deregister-image --image-id {image} " in line for line in said.kept)


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
        ("working-tree", ("os", "app"), "OS layer cannot be baked yet; give the id of a registered image"),
        ("0" * 64, ("os", "app"), "OS layer cannot be baked yet; give the id of a registered image"),
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
