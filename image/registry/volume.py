"""A volume as EBS sees it: a size in GiB and a few extents, zeros between them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError
from image import gpt
from image.registry import blocks
from image.registry.blocks import BLOCK

GIB = 1024**3


@dataclass(frozen=True)
class Extent:
    """Bytes at an offset: given, or the whole of a file."""

    offset: int
    content: bytes | Path

    @property
    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    def read(self, start: int, end: int) -> bytes:
        """The bytes between two positions of the extent."""
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def data(self) -> Iterator[tuple[int, int]]:
        """From where to where the extent holds data, in ascending order; what a sparse file leaves out is zeros.

        Source: Linux man-pages, lseek(2), SEEK_DATA and SEEK_HOLE.
        """
        if isinstance(self.content, bytes):
            yield 0, len(self.content)
            return
        with self.content.open("rb") as file:
            end = 0
            while (start := _seek_data(file.fileno(), end)) is not None:
                end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                yield start, end


@dataclass(frozen=True)
class Volume:
    """Extents in ascending order that do not overlap."""

    gibibytes: int
    extents: Sequence[Extent]

    def block_numbers(self) -> Iterator[int]:
        """The blocks that hold any data of an extent, ascending; all others are zeros."""
        last = -1
        for extent in self.extents:
            for start, end in extent.data():
                first = max((extent.offset + start) // BLOCK, last + 1)
                after = -(-(extent.offset + end) // BLOCK)
                yield from range(first, after)
                last = max(last, after - 1)

    def block(self, number: int) -> bytes:
        """The content of a block, 512 KiB."""
        start = number * BLOCK
        content = bytearray(BLOCK)
        for extent in self.extents:
            low, high = max(start, extent.offset), min(start + BLOCK, extent.offset + extent.size)
            if low < high:
                content[low - start : high - start] = extent.read(low - extent.offset, high - extent.offset)
        return bytes(content)

    def checksums(self) -> dict[int, str]:
        """The checksum of each block that is not all zeros; one block at a time is in memory."""
        contents = ((number, self.block(number)) for number in self.block_numbers())
        return {number: blocks.checksum(content) for number, content in contents if not blocks.is_zero(content)}

    def write(self, path: Path) -> None:
        """Writes the volume as a sparse raw file, for a machine that is not on AWS."""
        with path.open("wb") as file:
            file.truncate(self.gibibytes * GIB)
            for number in self.block_numbers():
                content = self.block(number)
                if not blocks.is_zero(content):
                    file.seek(number * BLOCK)
                    file.write(content)


def os_volume(disk: Path) -> Volume:
    """The volume that carries an OS layer: its disk as it is.

    Args:
        disk: raw file, best sparse, of whole GiB.

    Raises:
        ReleaseError: EBS has no volume of that size.
    """
    size = disk.stat().st_size
    if size == 0 or size % GIB:
        raise ReleaseError(str(disk), f"has {size} bytes, a volume has whole GiB", "bake it anew: remove it first")
    return Volume(size // GIB, (Extent(0, disk),))


def app_volume(release: str, file_system: Path) -> Volume:
    """The volume that carries an app layer: its file system in a partition of its own."""
    size = file_system.stat().st_size
    start = gpt.START * gpt.SECTOR
    gibibytes = -(-(size + 2 * start) // GIB)
    table = gpt.table(release, size, gibibytes * GIB)
    return Volume(
        gibibytes,
        (
            Extent(0, table.head),
            Extent(start, file_system),
            Extent(gibibytes * GIB - len(table.tail), table.tail),
        ),
    )


def empty_volume() -> Volume:
    """A volume without content, for the root of an image that has no OS layer."""
    return Volume(1, ())


def _seek_data(file: int, start: int) -> int | None:
    try:
        return os.lseek(file, start, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole is left
            return None
        raise
