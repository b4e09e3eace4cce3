"""Checks of what bakes, boots and registers images."""

from __future__ import annotations

from functools import partial

from goldfleet.aws_session import AwsSession
from goldfleet.cli import release
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.checks.finding import Check, Finding, Level, failed, ok, warning
from goldfleet.contract.names import Names
from goldfleet.errors import GoldfleetError, ToolMissing
from image.os_layer import recipe, tools
from image.registry import images
from infra.settings import Settings
from local.machine import firmware, guest

WORKING_TREE = "working-tree"
WAYS_IN = {"openssh-server", "amazon-ssm-agent"}
"""Packages through which a person gets into a machine."""


def local_checks(settings: Settings) -> list[tuple[str, Check]]:
    """The checks for a stack of this machine: an image without an OS layer needs neither tools nor QEMU."""
    missing = Level.FAILED if "os" in settings.image.layers else Level.WARNING
    return [*tool_checks(missing), ("release", partial(kept_release, settings))]


def tool_checks(missing: Level = Level.WARNING) -> list[tuple[str, Check]]:
    """Whether this machine can bake images, and boot them before they ship.

    Args:
        missing: how bad it is if not; with a release pinned nothing is baked, so a stack of AWS can do without.
    """
    return [("image tools", partial(image_tools, missing)), ("virtual machine", partial(virtual_machine, missing))]


def image_tools(missing: Level) -> Finding:
    """What bakes the OS layer."""
    try:
        versions = tools.versions()
    except ToolMissing as error:
        return Finding(missing, f"no OS layer can be baked here: {error.what}", error.way_out)
    return ok(", ".join(f"{name} {versions[name]}" for name in ("mmdebstrap", "squashfs-tools")))


def virtual_machine(missing: Level) -> Finding:
    """What boots an image, for its boot test and as a clone of the local cloud."""
    try:
        return ok(f"{guest.program()} with {firmware.find().code}")
    except ToolMissing as error:
        return Finding(missing, f"no image can be booted here: {error.where} {error.what}", error.way_out)


def kept_release(settings: Settings) -> Finding:
    """Whether a local cloud can be given the release that the settings name."""
    try:
        release.require_available(settings)
    except GoldfleetError as error:
        return failed(error.what, error.way_out)
    return ok(_named(settings))


def registered_release(session: AwsSession, settings: Settings, names: Names) -> Finding:
    """Whether the image that the settings name is registered in the stack's account and region."""
    wanted, ec2 = settings.image.release, session.client("ec2")
    if wanted == WORKING_TREE:
        return warning("the files as they are", "pin a release with `goldfleet deploy`")
    if wanted.startswith("ami-"):
        return ok(images.get(ec2, wanted).id)
    image = images.find(ec2, names.project, wanted)
    if image is None:
        return failed(
            f"no image of release {wanted[:12]} is registered in {settings.aws.region}",
            "`goldfleet deploy` releases what is here now; or pin a registered release, or name an image (ami-...)",
        )
    return ok(f"{_named(settings)} is {image.id}")


def way_in() -> Finding:
    """Whether a person can get into a clone that runs."""
    found = sorted(set(recipe.wanted(CHECKOUT)) & WAYS_IN)
    if found:
        return ok(f"{', '.join(found)} in {recipe.PACKAGES}")
    return warning(
        "none: the image has neither an SSH server nor the SSM agent, a clone is seen through its logs and its console",
        "see docs/golden-image.md, A way in",
    )


def _named(settings: Settings) -> str:
    wanted = settings.image.release
    return "the files as they are" if wanted == WORKING_TREE else wanted[:12]
