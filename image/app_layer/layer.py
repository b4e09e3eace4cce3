"""Builds the app layer: the app, what it needs of goldfleet, its packages, a manifest; as one file system.

Same inputs, same bytes, on any machine, at any time, for any user.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.contract.service import LAYER_MANIFEST, LAYER_SITE_PACKAGES
from goldfleet.errors import ReleaseError
from image import cache
from image.app_layer import iso, site_packages
from image.release import LOCK, Runtime, digest, file_digest, sources

CONTENTS = "contents.sha256"
"""SHA-256 and path of every other file of the layer, as `sha256sum --check` reads it."""


@dataclass(frozen=True)
class Layer:
    """A built app layer: its release and the file that holds its file system."""

    release: str
    file_system: Path


def build(root: Path, layers: Sequence[str], os_layer: str = "") -> Layer:
    """The app layer of a checkout; from the cache if it was built before.

    Args:
        root: the checkout.
        layers: of `os` and `app`, all that the image has.
        os_layer: digest of the OS layer that it is for, empty without one.

    Raises:
        ReleaseError: a part is missing, cannot be installed or does not compile.
    """
    runtime = Runtime.here()
    with cache.workspace("layers") as folder:
        tree = folder / "tree"
        content = _copy(sources(root), tree)
        release = digest(content, runtime, layers, os_layer)
        built = cached(release)
        if built is not None:
            return built
        packages = site_packages.ensure(tree / LOCK, runtime)
        site_packages.compile_tree(tree)
        _write_manifest(tree / LAYER_MANIFEST, release, runtime)
        files = _listing(tree) | _listing(packages, LAYER_SITE_PACKAGES + "/")
        _write_contents(tree / CONTENTS, files)
        made = folder / "layer"
        iso.write(files | {CONTENTS: tree / CONTENTS}, made)
        cache.move(made, _place(release))
    return Layer(release, _place(release))


def cached(release: str) -> Layer | None:
    """The layer of a release if it was built here before."""
    path = _place(release)
    return Layer(release, cache.used(path)) if path.exists() else None


def _place(release: str) -> Path:
    return cache.folder("layers") / f"{release}.iso"


def _copy(files: Mapping[str, Path], tree: Path) -> dict[str, str]:
    """Copies the sources and returns their digests: what is hashed is what is built, even if someone is typing."""
    content: dict[str, str] = {}
    for path, file in files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(file, target)
        except FileNotFoundError as error:
            raise ReleaseError(str(file), "vanished while the layer was built", "run it again") from error
        content[path] = file_digest(target)
    return content


def _listing(tree: Path, prefix: str = "") -> dict[str, Path]:
    return {prefix + file.relative_to(tree).as_posix(): file for file in sorted(tree.rglob("*")) if file.is_file()}


def _write_manifest(path: Path, release: str, runtime: Runtime) -> None:
    manifest = {"release": release, "runtime": runtime.name, "platform": runtime.platform}
    path.write_text(json.dumps(manifest, sort_keys=True) + "\n", encoding="utf-8")


def _write_contents(path: Path, files: Mapping[str, Path]) -> None:
    lines = [f"{file_digest(file)}  {name}\n" for name, file in sorted(files.items())]
    path.write_text("".join(lines), encoding="utf-8")
