"""A volume as EBS sees it: a size in GiB and a few extents, zeros between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from image import gpt
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


@dataclass(frozen=True)
class Volume:
    """Extents in ascending order that do not overlap."""

    gibibytes: int
    extents: Sequence[Extent]

    def block_numbers(self) -> Iterator[int]:
        """The blocks that hold anything of an extent, ascending; all others are zeros."""
        last = -1
        for extent in self.extents:
            first = max(extent.offset // BLOCK, last + 1)
            end = -(-(extent.offset + extent.size) // BLOCK)
            yield from range(first, end)
            last = max(last, end - 1)

    def block(self, number: int) -> bytes:
        """The content of a block, 512 KiB."""
        start = number * BLOCK
        content = bytearray(BLOCK)
        for extent in self.extents:
            low, high = max(start, extent.offset), min(start + BLOCK, extent.offset + extent.size)
            if low < high:
                content[low - start : high - start] = extent.read(low - extent.offset, high - extent.offset)
        return bytes(content)


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
