"""The golden image that every clone starts from."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from goldfleet.contract.names import Names
from infra.provider.resources import GoldenImage
from infra.settings.image import Image as ImageSettings


@dataclass(frozen=True)
class ImageArgs:
    """Which image: `names` of the stack and the component's `settings`."""

    names: Names
    settings: ImageSettings


class Image(pulumi.ComponentResource):
    """The registered image and the device names of its volumes; `app_device` is empty if it has no app volume."""

    image_id: pulumi.Output[str]
    release: pulumi.Output[str]
    root_device: pulumi.Output[str]
    app_device: pulumi.Output[str]

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Image", name, None, opts)
        image = GoldenImage(
            f"{name}-golden",
            release=args.settings.release,
            layers=args.settings.layers,
            project=args.names.project,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.image_id = image.image_id
        self.release = image.image_release
        self.root_device = image.root_device
        self.app_device = image.app_device
        self.register_outputs({"image_id": self.image_id, "release": self.release})
