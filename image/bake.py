"""Bakes a release: the OS layer, if its image has one, and the app layer on it. Each is kept by its own digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from image import cache
from image.app_layer import layer as app_layer
from image.app_layer.layer import Layer
from image.os_layer import layer as os_layer
from image.os_layer.layer import OsLayer
from image.release import Runtime, require_os_runtime

_KIND = "releases"
"""Of what is kept: which layers a release is made of."""


@dataclass(frozen=True)
class Baked:
    """A release with all its layers on this machine.

    Args:
        release: its digest.
        layers: `("os", "app")` or `("app",)`.
        os: the OS layer, if it has one.
        app: the app layer.
    """

    release: str
    layers: tuple[str, ...]
    os: OsLayer | None
    app: Layer


def bake(root: Path, layers: Sequence[str], progress: Callable[[str], None]) -> Baked:
    """The release that a checkout is now; what was baked before comes from the cache.

    Args:
        root: the checkout.
        layers: of `os` and `app`.
        progress: told what happens, in short lines.

    Raises:
        ReleaseError: a part is missing or cannot be made.
        ToolMissing: a program that bakes the OS layer is not here.
    """
    os_part = None
    if "os" in layers:
        require_os_runtime(root, Runtime.here())
        os_part = os_layer.build(root, progress)
    progress("building the app layer")
    app = app_layer.build(root, layers, os_part.digest if os_part else "")
    _keep(app.release, os_part)
    return Baked(app.release, _names(os_part), os_part, app)


def kept(release: str) -> Baked | None:
    """A release that was baked here before, if all its layers are still in the cache.

    Args:
        release: digest.
    """
    note, app = _note(release), app_layer.cached(release)
    if app is None or not note.exists():
        return None
    os_digest = json.loads(cache.used(note).read_text(encoding="utf-8"))["os"]
    os_part = os_layer.cached(os_digest) if os_digest else None
    if os_digest and os_part is None:
        return None
    return Baked(release, _names(os_part), os_part, app)


def _keep(release: str, os_part: OsLayer | None) -> None:
    with cache.workspace(_KIND) as folder:
        made = folder / "note"
        made.write_text(json.dumps({"os": os_part.digest if os_part else ""}) + "\n", encoding="utf-8")
        cache.move(made, _note(release))


def _names(os_part: OsLayer | None) -> tuple[str, ...]:
    return ("os", "app") if os_part else ("app",)


def _note(release: str) -> Path:
    return cache.folder(_KIND) / f"{release}.json"
