"""Bakes the release of this checkout and registers its image; `deploy` pins it, a local `up` finds it again."""

from __future__ import annotations

from goldfleet.aws_session import AwsSession
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.stack_account import project_name
from goldfleet.cli.terminal import Step
from image import app_layer, images
from image.app_layer import Layer
from image.register import register
from image.snapshots import Snapshots
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


def restore(settings: Settings, session: AwsSession, step: Step) -> None:
    """Registers the pinned release again from the cache, where the control plane has lost it.

    A local control plane forgets its images when it goes down. A release that is not in the cache is left to the
    program, which says that it is nowhere.
    """
    release = settings.image.release
    known = release == "working-tree" or release.startswith("ami-")
    if known or images.find(session.client("ec2"), project_name(), release):
        return
    layer = app_layer.cached(release)
    if layer:
        _register(settings, session, layer, step)


def _register(settings: Settings, session: AwsSession, layer: Layer, step: Step) -> None:
    snapshots = Snapshots(session.client("ec2"), session.client("ebs"), project_name(), step.note)
    register(snapshots, settings.image.layers, layer)
