"""Volumes of sparse disks: what is sent of them, and what is written back."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.registry.blocks import BLOCK
from image.registry.volume import GIB, Extent, Volume, app_volume, os_volume
from tests.image.registry.layers import content, write_disk

BLOCKS = {0: b"a" * BLOCK, 1: b"b" * BLOCK, 700: b"c" * 5000, 2047: b"\0" * (BLOCK - 1) + b"z"}


def _padded(blocks: dict[int, bytes]) -> dict[int, bytes]:
    return {number: data.ljust(BLOCK, b"\0") for number, data in blocks.items()}


def test_a_disk_is_its_blocks_without_holes_and_zeros(tmp_path: Path) -> None:
    volume = os_volume(write_disk(tmp_path / "disk", {**BLOCKS, 300: bytes(BLOCK)}))
    assert volume.gibibytes == 1
    assert content(volume) == _padded(BLOCKS)
    assert 299 not in set(volume.block_numbers())


def test_a_disk_of_holes_has_no_block(tmp_path: Path) -> None:
    assert content(os_volume(write_disk(tmp_path / "disk", {}, 3))) == {}


@pytest.mark.parametrize("size", [0, 1, GIB - 512, GIB + 1])
def test_a_disk_that_is_no_volume_is_refused(tmp_path: Path, size: int) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(size)
    with pytest.raises(ReleaseError, match=f"has {size} bytes, a volume has whole GiB"):
        os_volume(disk)


def test_a_large_disk_is_never_whole_in_memory(tmp_path: Path) -> None:
    volume = os_volume(write_disk(tmp_path / "disk", dict.fromkeys(range(64), b"x" * BLOCK)))
    tracemalloc.start()
    try:
        assert len(volume.checksums()) == 64
        volume.write(tmp_path / "copy")
        assert tracemalloc.get_traced_memory()[1] < 8 * BLOCK
    finally:
        tracemalloc.stop()


def test_what_is_written_is_the_volume_and_as_sparse(tmp_path: Path) -> None:
    (tmp_path / "fs").write_bytes(b"fs" * BLOCK)
    for volume in (os_volume(write_disk(tmp_path / "disk", BLOCKS)), app_volume("ab" * 32, tmp_path / "fs")):
        volume.write(tmp_path / "copy")
        assert (tmp_path / "copy").stat().st_size == volume.gibibytes * GIB
        assert (tmp_path / "copy").stat().st_blocks * 512 <= 8 * BLOCK
        assert content(os_volume(tmp_path / "copy")) == content(volume)


def test_holes_between_extents_and_within_them_are_zeros(tmp_path: Path) -> None:
    disk = write_disk(tmp_path / "disk", {3: b"d" * BLOCK})
    volume = Volume(2, (Extent(0, b"head"), Extent(BLOCK // 2, disk)))
    assert sorted(content(volume)) == [0, 3, 4]
    assert volume.block(3) == bytes(BLOCK // 2) + b"d" * (BLOCK // 2)
