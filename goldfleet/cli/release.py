"""Bakes the release of this checkout and registers its image; `deploy` pins it, a local `up` finds it again."""

from __future__ import annotations

from goldfleet.aws_session import AwsSession
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.stack_account import project_name
from goldfleet.cli.terminal import Step
from goldfleet.errors import ReleaseError
from image.app_layer import layer as app_layer
from image.app_layer.layer import Layer
from image.registry import images
from image.registry.register import register
from image.registry.snapshots import Snapshots
from image.release import working_tree
from infra.settings import Settings


def bake(settings: Settings, session: AwsSession, step: Step) -> str:
    """The digest of the release that this checkout is now; its image is registered.

    Raises:
        ReleaseError: it cannot be baked or registered.
    """
    layer = app_layer.build(CHECKOUT, settings.image.layers)
    step.note(f"release {layer.release[:12]}")
    _register(settings, session, layer, step)
    return layer.release


def require_available(settings: Settings) -> None:
    """A release that the settings pin must be one that a local cloud can be given: kept here, or what the tree is.

    Raises:
        ReleaseError: it is neither.
    """
    wanted = settings.image.release
    if not _is_digest(wanted) or app_layer.cached(wanted):
        return
    tree = working_tree(CHECKOUT, settings.image.layers)
    if tree != wanted:
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
    layer = app_layer.cached(wanted)
    if layer:  # else the tree is that release, and the program bakes it
        _register(settings, session, layer, step)


def _is_digest(release: str) -> bool:
    return release != "working-tree" and not release.startswith("ami-")


def _register(settings: Settings, session: AwsSession, layer: Layer, step: Step) -> None:
    snapshots = Snapshots(session.client("ec2"), session.client("ebs"), project_name(), step.note)
    register(snapshots, settings.image.layers, layer)
