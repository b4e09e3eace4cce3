"""The disk that ships and boots: partition table, EFI system partition, root file system.

All ids derive from the OS layer's digest, so that the same layer is the same disk.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import BinaryIO

from image import gpt
from image.os_layer.recipe import EPOCH
from image.os_layer.tools import run

GIB = 1024**3
MIB = 1024**2
SQUASHFS_TIMEOUT = 300.0
ROOT_FOLDER = ("-root-mode", "0755", "-root-time", str(EPOCH))
"""Else the root folder would be writable for all, and of today. Its owner is the user who runs sqfstar, whatever
-root-uid says (4.5.1): that must be root, or look like it."""


def disk_id(digest: str) -> uuid.UUID:
    """The id of an OS layer's disk."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"goldfleet:os:{digest}")


def root_id(digest: str) -> uuid.UUID:
    """The id of an OS layer's root partition, by which the kernel finds it."""
    return uuid.uuid5(disk_id(digest), "root")


def squashfs(tree: Path, target: Path) -> None:
    """Writes a root file system. Compressed by LZ4, which a starting clone reads fastest.

    Args:
        tree: a tar.
        target: the file to write.

    Raises:
        ReleaseError: it cannot be written.
    """
    options = ["-comp", "lz4", "-no-xattrs", "-quiet", "-no-progress", *ROOT_FOLDER]
    as_root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
    command = [*as_root, "sqfstar", *options, str(target)]
    with tree.open("rb") as content:
        run(command, "root file system", SQUASHFS_TIMEOUT, env={"SOURCE_DATE_EPOCH": str(EPOCH)}, content=content)


def write(esp: Path, root: Path, digest: str, target: Path) -> None:
    """Writes the disk, a sparse file of whole GiB.

    Args:
        esp: FAT file system.
        root: squashfs.
        digest: the OS layer's.
        target: the file to write.
    """
    offset = gpt.START * gpt.SECTOR
    partitions, places = [], []
    for kind, file, name in ((gpt.EFI_SYSTEM, esp, "goldfleet-esp"), (gpt.LINUX_ROOT, root, "goldfleet-root")):
        size = _up(file.stat().st_size, MIB)
        own = root_id(digest) if file == root else uuid.uuid5(disk_id(digest), "esp")
        partitions.append(gpt.Partition(kind, own, offset // gpt.SECTOR, size // gpt.SECTOR, name))
        places.append((offset, file))
        offset += size
    volume = _up(offset + MIB, GIB)
    table = gpt.layout(disk_id(digest), partitions, volume)
    with target.open("wb") as disk:
        disk.truncate(volume)
        disk.write(table.head)
        for start, file in places:
            disk.seek(start)
            _copy(file, disk)
        disk.seek(volume - len(table.tail))
        disk.write(table.tail)


def _copy(file: Path, disk: BinaryIO) -> None:
    """Leaves out what is zero: there the file has a hole."""
    with file.open("rb") as source:
        while block := source.read(MIB):
            if block.strip(b"\0"):
                disk.write(block)
            else:
                disk.seek(len(block), os.SEEK_CUR)


def _up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
