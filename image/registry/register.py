"""Layers -> one registered image per release; killed anywhere and run again, one image and no stray snapshot."""

from __future__ import annotations

import botocore.exceptions

from goldfleet.errors import ReleaseError
from image.bake import Baked
from image.registry import boot_record, images
from image.registry.images import Image
from image.registry.registration import parameters
from image.registry.retry import patiently
from image.registry.snapshots import Snapshots
from image.registry.volume import Volume, app_volume, empty_volume, os_volume

NO_OS_LAYER = "no-os"
"""Names the empty root of images without an OS layer; one snapshot serves them all."""
AVAILABLE_PAUSES = (0.2, 0.5, 1, 2, *[5] * 24)
"""Seconds between looks at a new image: about two minutes in all."""
TRIES = 3
"""Somebody else who tidies up may remove the copy of a snapshot that we were about to use."""


def register(snapshots: Snapshots, baked: Baked, *, needs_boot_test: bool) -> Image:
    """The registered image of a release; registered now if there is none.

    Args:
        snapshots: of the project that the image is for.
        baked: the release's layers.
        needs_boot_test: whether an OS layer must have passed the boot test on this machine first.

    Raises:
        ReleaseError: the boot test was not passed, or AWS does not take the image or does not finish in time.
    """
    release = baked.release
    volumes = {_root(baked): _root_volume(baked), release: app_volume(release, baked.app.file_system)}
    found = images.find(snapshots.ec2, snapshots.project, release)
    if found is None:
        _require_boot_test(baked, needs_boot_test)
        found = _registered(snapshots, release, volumes)
    for layer in volumes:
        snapshots.remove_spares(layer)
    return found


def _registered(snapshots: Snapshots, release: str, volumes: dict[str, Volume]) -> Image:
    for _ in range(TRIES):
        root, app = (snapshots.ensure(layer, volume) for layer, volume in volumes.items())
        snapshots.progress("registering the image")
        told = parameters(snapshots.project, release, root, app)
        try:
            patiently(snapshots.sleep, snapshots.ec2.register_image, **told)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "InvalidSnapshot.NotFound":
                continue
            # A name is taken once: somebody else has registered the same release in the meantime.
            if error.response["Error"]["Code"] != "InvalidAMIName.Duplicate":
                raise
        return _wait_available(snapshots, release)
    raise ReleaseError(release, "its snapshots vanish while it is registered", "end what removes them, run this again")


def _wait_available(snapshots: Snapshots, release: str) -> Image:
    for pause in AVAILABLE_PAUSES:
        found = images.find(snapshots.ec2, snapshots.project, release)
        if found is not None:
            return found
        snapshots.progress("waiting until the image is available")
        snapshots.sleep(pause)
    raise ReleaseError(release, "registered, but not available in time", "run the same command again")


def _require_boot_test(baked: Baked, needed: bool) -> None:
    if needed and baked.os is not None and boot_record.passed(baked.release) is None:
        raise ReleaseError(
            f"release {baked.release[:12]}",
            "has not passed the boot test on this machine",
            "`goldfleet image test` boots it and notes the result",
        )


def _root(baked: Baked) -> str:
    return f"os-{baked.os.digest}" if baked.os else NO_OS_LAYER


def _root_volume(baked: Baked) -> Volume:
    return os_volume(baked.os.disk) if baked.os else empty_volume()
