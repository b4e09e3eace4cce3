"""GoldenImage: a release's registered image. Looked up; baked where that is possible; never removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

from goldfleet.errors import GoldfleetError, ReleaseError
from goldfleet.servicer import (
    UNKNOWN,
    Cancelled,
    CheckFailure,
    Context,
    Diff,
    Existing,
    Resource,
    Values,
    compare,
    has_unknown,
)
from image.app_layer import layer as app_layer
from image.registry import images
from image.registry.images import Image
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.release import working_tree
from infra.provider.aws import Aws

WORKING_TREE = "working-tree"
IDENTITY = ("digest", "imageIdWanted", "layers", "project")


class GoldenImage(Resource):
    """`digest` joins the inputs in Check: an edit of the tree is then an update, as a new pinned digest is.

    Args:
        aws: the door.
        root: the checkout whose tree is `working-tree`.
    """

    def __init__(self, aws: Aws, root: Path) -> None:
        self._aws = aws
        self._root = root

    def check(self, new: Values, old: Values, context: Context) -> tuple[Values, list[CheckFailure]]:  # noqa: ARG002
        if has_unknown(new):
            return new, []
        release = str(new.get("release", ""))
        try:
            if release == WORKING_TREE:
                return {**new, "digest": working_tree(self._root, new["layers"])}, []
        except GoldfleetError as error:
            return new, [CheckFailure("release", str(error))]
        if re.fullmatch(r"[0-9a-f]{64}", release):
            return {**new, "digest": release}, []
        if re.fullmatch(r"ami-[0-9a-f]+", release):
            return {**new, "imageIdWanted": release}, []
        rule = (
            f"'{release}' is neither {WORKING_TREE}, nor a digest of 64 hexadecimal digits, nor an image id (ami-...)"
        )
        return new, [CheckFailure("release", rule)]

    def diff(self, old: Existing, new: Values, ignored: Collection[str], context: Context) -> Diff:  # noqa: ARG002
        """Which release it is counts, not how it is named: pinning the digest that runs is no change."""
        before, after = ({name: values.get(name) for name in IDENTITY} for values in (old.inputs, new))
        return compare(before, after)

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        return ("" if context.preview else inputs["project"]), self._state(inputs, context)

    def read(self, old: Existing, context: Context) -> Existing | None:  # noqa: ARG002
        try:
            image = images.get(self._aws.client("ec2"), old.state["imageId"])
        except ReleaseError:
            return None
        return Existing(old.id, old.inputs, {**old.state, **_outputs(image)})

    def update(self, old: Existing, new: Values, context: Context) -> Values:  # noqa: ARG002
        return self._state(new, context)

    def delete(self, old: Existing, context: Context) -> None:
        """Removes nothing: a rollback target or another stack may need an image. Says how to remove each."""
        for image in images.of_project(self._aws.client("ec2"), old.inputs["project"]):
            remove = f"aws ec2 deregister-image --image-id {image.id} --delete-associated-snapshots"
            context.tell(f"{image.id} stays registered, release {image.release[:12]}; remove it by `{remove}`")

    def _state(self, inputs: Values, context: Context) -> Values:
        image = None if has_unknown(inputs) else self._found(inputs)
        if image is None and context.preview:
            return {**inputs, **dict.fromkeys(("imageId", "imageRelease", "rootDevice", "appDevice"), UNKNOWN)}
        return {**inputs, **_outputs(image or self._registered(inputs, context))}

    def _found(self, inputs: Values) -> Image | None:
        ec2 = self._aws.client("ec2")
        if wanted := inputs.get("imageIdWanted"):
            return images.get(ec2, wanted)
        return images.find(ec2, inputs["project"], inputs["digest"])

    def _registered(self, inputs: Values, context: Context) -> Image:
        progress = _progress(context)
        progress("building the app layer")
        layer = self._layer(inputs)
        snapshots = Snapshots(self._aws.client("ec2"), self._aws.client("ebs"), inputs["project"], progress)
        return register(snapshots, inputs["layers"], layer)

    def _layer(self, inputs: Values) -> app_layer.Layer:
        """The layer of a release that is not registered: from the cache, or built if the tree is that release."""
        wanted, layers = inputs["digest"], inputs["layers"]
        if (kept := app_layer.cached(wanted)) is not None:
            return kept
        built = app_layer.build(self._root, layers)
        if built.release == wanted:
            return built
        if inputs["release"] == WORKING_TREE:
            raise ReleaseError("image.release", "the working tree was edited while it was baked", "run it again")
        raise ReleaseError(
            "image.release",
            f"no image of release {wanted[:12]} is registered, and this checkout is release {built.release[:12]}",
            f"check out that release's commit, or write {WORKING_TREE}, {built.release} or an image id",
        )


def _outputs(image: Image) -> Values:
    return {
        "imageId": image.id,
        "imageRelease": image.release,
        "rootDevice": image.root_device,
        "appDevice": image.app_device,
    }


def _progress(context: Context) -> Callable[[str], None]:
    """Shows a line; ends the work once the person has cancelled."""

    def progress(text: str) -> None:
        if context.cancelled:
            raise Cancelled(context.name)
        context.progress(text)

    return progress
