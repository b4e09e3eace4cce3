"""GoldenImage: a release's registered image. Looked up; baked where that is possible; never removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from goldfleet.errors import GoldfleetError, ReleaseError, ToolMissing
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
from image import bake
from image.bake import Baked
from image.registry import images
from image.registry.images import Image
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.release import working_tree
from infra.provider.aws import Aws

WORKING_TREE = "working-tree"
IDENTITY = ("digest", "imageIdWanted", "layers", "project")
UNKNOWN_IMAGE = dict.fromkeys(("imageId", "imageRelease", "rootDevice", "appDevice"), UNKNOWN)
REMOVE = "`goldfleet image prune` removes what nothing needs"
WAYS_OUT = (
    "check out its commit on Linux or in CI and run `goldfleet deploy` there; "
    "or pin the digest of a registered release, or give an image id (ami-...)"
)


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
        try:
            return {**new, **self._named(str(new.get("release", "")), new["layers"])}, []
        except GoldfleetError as error:
            return new, [CheckFailure("release", str(error))]

    def _named(self, release: str, layers: Sequence[str]) -> Values:
        """Which digest or which image the input `release` names."""
        if re.fullmatch(r"[0-9a-f]{64}", release):
            return {"digest": release}
        if re.fullmatch(r"ami-[0-9a-f]+", release):
            return {"imageIdWanted": release}
        if release != WORKING_TREE:
            what = f"'{release}' is neither {WORKING_TREE}, nor a digest, nor an image id"
            raise ReleaseError("image.release", what, "a digest has 64 hexadecimal digits, an image id begins ami-")
        try:
            return {"digest": working_tree(self._root, layers)}
        except ToolMissing as error:
            raise _cannot_bake(WORKING_TREE, error) from error

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
        """Removes nothing: a rollback target or another stack may need an image. Says which stay."""
        for image in images.of_project(self._aws.client("ec2"), old.inputs["project"]):
            context.tell(f"{image.id} stays registered, release {image.release[:12]}; {REMOVE}")

    def _state(self, inputs: Values, context: Context) -> Values:
        if has_unknown(inputs):
            return {**inputs, **UNKNOWN_IMAGE}
        image = self._found(inputs)
        if image is None and context.preview:
            self._kept(inputs)
            return {**inputs, **UNKNOWN_IMAGE}
        return {**inputs, **_outputs(image or self._registered(inputs, context))}

    def _found(self, inputs: Values) -> Image | None:
        ec2 = self._aws.client("ec2")
        if wanted := inputs.get("imageIdWanted"):
            return images.get(ec2, wanted)
        return images.find(ec2, inputs["project"], inputs["digest"])

    def _registered(self, inputs: Values, context: Context) -> Image:
        progress = _progress(context)
        baked = self._baked(inputs, progress)
        snapshots = Snapshots(self._aws.client("ec2"), self._aws.client("ebs"), inputs["project"], progress)
        return register(snapshots, baked, needs_boot_test=not self._aws.local)

    def _baked(self, inputs: Values, progress: Callable[[str], None]) -> Baked:
        """A release that is not registered: from the cache, or baked."""
        kept = self._kept(inputs)
        if kept is not None:
            return kept
        try:
            baked = bake.bake(self._root, inputs["layers"], progress)
        except ToolMissing as error:
            raise _cannot_bake(f"release {inputs['digest'][:12]}", error) from error
        if baked.release != inputs["digest"]:
            raise ReleaseError("image.release", "the working tree was edited while it was baked", "run it again")
        return baked

    def _kept(self, inputs: Values) -> Baked | None:
        """A release from the cache; None if the tree is that release, so that it can be baked.

        Raises:
            ReleaseError: neither.
        """
        wanted = inputs["digest"]
        kept = bake.kept(wanted)
        if kept is not None or inputs["release"] == WORKING_TREE:
            return kept
        try:
            tree = working_tree(self._root, inputs["layers"])
        except ToolMissing as error:
            raise _cannot_bake(f"release {wanted[:12]}", error) from error
        if tree != wanted:
            raise _another_release(wanted, tree)
        return None


def _another_release(wanted: str, tree: str) -> ReleaseError:
    return ReleaseError(
        "image.release",
        f"no image of release {wanted[:12]} is registered, and this checkout is release {tree[:12]}",
        f"{WAYS_OUT}; or write {WORKING_TREE}",
    )


def _cannot_bake(what: str, missing: ToolMissing) -> ReleaseError:
    return ReleaseError(
        "image.release",
        f"no image of {what} is registered, and none can be baked here: {missing.what}",
        f"{missing.way_out}; or {WAYS_OUT}",
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
