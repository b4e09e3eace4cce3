"""Builds the OS layer: locked packages, our files and code over them, as the disk that ships.

Same recipe, same bytes, on any machine with the same tools, at any time, for any user.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from image import cache
from image.os_layer import disk, esp, packages, recipe, sbom, tools, tree

KIND = "os-layers"
KERNEL, INITRD = "boot/vmlinuz-*", "boot/initrd.img-*"
LOADER = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"


@dataclass(frozen=True)
class OsLayer:
    """A built OS layer.

    Args:
        digest: over all that decides its bytes.
        disk: sparse raw file of whole GiB.
        sbom: its bill of materials.
        packages: how many are installed.
    """

    digest: str
    disk: Path
    sbom: Path
    packages: int


def build(root: Path, progress: Callable[[str], None]) -> OsLayer:
    """The OS layer of a checkout; from the cache if it was built before.

    Args:
        root: the checkout.
        progress: told what happens, in short lines.

    Raises:
        ReleaseError: a part is missing, cannot be had, installed or written.
        ToolMissing: a tool is not installed here.
    """
    tools.require()
    wanted = recipe.read(root)
    digest = wanted.digest
    kept = cached(digest)
    if kept:
        progress("OS layer: from the cache")
        return kept
    installed = packages.install(wanted, progress)
    with cache.workspace(KIND, cache.DAY) as folder:
        made = folder / "layer"
        made.mkdir()
        progress("laying files and code over the packages")
        tree.write(installed, wanted.overlay, folder / "root.tar")
        progress("writing the root file system")
        disk.squashfs(folder / "root.tar", folder / "root.squashfs")
        progress("writing the disk")
        _write_esp(installed, digest, folder / "esp")
        disk.write(folder / "esp", folder / "root.squashfs", digest, made / "disk.raw")
        (made / "sbom.spdx.json").write_text(sbom.render(wanted.locked, recipe.SUITE, digest), encoding="utf-8")
        facts = {"packages": len(wanted.locked)}
        (made / "facts.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
        cache.move(made, _place(digest))
    return _layer(digest)


def _write_esp(installed: Path, digest: str, target: Path) -> None:
    kernel, initrd, loader = (tree.read(installed, path) for path in (KERNEL, INITRD, LOADER))
    esp.write(esp.content(kernel, initrd, loader, str(disk.root_id(digest))), digest[:8], target)


def cached(digest: str) -> OsLayer | None:
    """An OS layer that was built here before."""
    if not _place(digest).exists():
        return None
    cache.used(_place(digest))
    return _layer(digest)


def _layer(digest: str) -> OsLayer:
    place = _place(digest)
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    return OsLayer(digest, place / "disk.raw", place / "sbom.spdx.json", facts["packages"])


def _place(digest: str) -> Path:
    return cache.folder(KIND) / digest
