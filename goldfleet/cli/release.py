"""Bakes, tests and registers the release of this checkout; `deploy` pins it, a local `up` finds it again."""

from __future__ import annotations

from goldfleet.aws_session import AwsSession
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.stack_account import project_name
from goldfleet.cli.terminal import Step
from goldfleet.errors import ReleaseError
from image import bake
from image.bake import Baked
from image.registry import boot_record, images
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.release import working_tree
from infra.settings import Settings
from local.machine import firmware, guest


def needs_boot_test(settings: Settings, baked: Baked) -> bool:
    """Whether a release must be booted before it is registered: anywhere but at home, once, on this machine."""
    return settings.aws.endpoint is None and boot_record.passed(baked.release) is None


def ship(settings: Settings, session: AwsSession, baked: Baked, step: Step) -> None:
    """Registers a release's image.

    Raises:
        ReleaseError: it cannot be registered, or has not passed its boot test.
    """
    snapshots = Snapshots(session.client("ec2"), session.client("ebs"), project_name(), step.note)
    register(snapshots, baked, needs_boot_test=settings.aws.endpoint is None)


def require_available(settings: Settings) -> None:
    """What the settings pin must be a release that a local cloud can be given: kept here, or what the tree is.

    Raises:
        ReleaseError: it is neither.
        ToolMissing: an image with an OS layer cannot be baked or cannot run here.
    """
    if "os" in settings.image.layers:
        guest.program()
        firmware.find()
    wanted = settings.image.release
    if wanted.startswith("ami-") or (_is_digest(wanted) and bake.kept(wanted)):
        return
    tree = working_tree(CHECKOUT, settings.image.layers)
    if _is_digest(wanted) and tree != wanted:
        raise ReleaseError(
            "image.release",
            f"release {wanted[:12]} is not kept on this machine, and this checkout is release {tree[:12]}",
            "`goldfleet deploy` releases what is here now; or check out that release's commit, "
            "or write working-tree into Pulumi.local.yaml",
        )


def restore(settings: Settings, session: AwsSession, step: Step) -> None:
    """Registers the pinned release again, where the local control plane lost it when it went down.

    Raises:
        ReleaseError: it is not on this machine.
    """
    wanted = settings.image.release
    if not _is_digest(wanted) or images.find(session.client("ec2"), project_name(), wanted):
        return
    require_available(settings)
    baked = bake.kept(wanted)
    if baked:  # else the tree is that release, and the program bakes it
        ship(settings, session, baked, step)


def _is_digest(release: str) -> bool:
    return release != "working-tree" and not release.startswith("ami-")
