"""Settings of the golden image."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Component


class Image(Component):
    """Which code and which operating system run."""

    release: str = Field(
        description="What runs: a release digest (64 hexadecimal digits), an image id (`ami-...`), or `working-tree`, "
        "which bakes the files as they are."
    )
    layers: list[Literal["os", "app"]] = Field(
        ["os", "app"], description="Layers that the image has; without `os` only a local control plane can run it."
    )
