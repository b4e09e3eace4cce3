"""Blocks, checksums and the volume they are cut from."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from image import gpt
from image.registry import blocks
from image.registry.volume import GIB, Extent, Volume, empty_volume

CONTENTS = {0: b"a" * blocks.BLOCK, 7: b"b" * blocks.BLOCK, 2: b"c" * blocks.BLOCK}


def test_the_checksum_of_the_whole_is_over_the_digests_in_order_of_their_blocks() -> None:
    checksums = {number: blocks.checksum(content) for number, content in CONTENTS.items()}
    digests = b"".join(hashlib.sha256(CONTENTS[number]).digest() for number in (0, 2, 7))
    assert base64.b64decode(blocks.linear(checksums)) == hashlib.sha256(digests).digest()


def test_only_a_block_without_any_bit_is_zero() -> None:
    assert blocks.is_zero(bytes(blocks.BLOCK))
    assert not blocks.is_zero(bytes(blocks.BLOCK - 1) + b"\1")


@given(st.lists(st.tuples(st.integers(0, 3 * blocks.BLOCK), st.integers(1, blocks.BLOCK + 9)), max_size=4))
def test_the_blocks_together_are_the_volume(gaps: list[tuple[int, int]]) -> None:
    extents, offset = [], 0
    for number, (gap, size) in enumerate(gaps, 1):
        extents.append(Extent(offset + gap, bytes([number]) * size))
        offset += gap + size
    whole = bytearray(-(-max(offset, 1) // blocks.BLOCK) * blocks.BLOCK)
    for extent in extents:
        whole[extent.offset : extent.offset + extent.size] = extent.read(0, extent.size)
    volume = Volume(1, extents)
    numbers = list(volume.block_numbers())
    assert numbers == sorted(set(numbers))
    for number in range(len(whole) // blocks.BLOCK):
        content = bytes(whole[number * blocks.BLOCK : (number + 1) * blocks.BLOCK])
        assert volume.block(number) == content
        assert number in numbers or blocks.is_zero(content)


@given(st.integers(1, 2**21), st.integers(1, 3))
def test_the_partition_is_found_where_it_was_put(sectors: int, gibibytes: int) -> None:
    size = min(sectors, gibibytes * GIB // gpt.SECTOR - 2 * gpt.START) * gpt.SECTOR
    table = gpt.table("ab" * 32, size, gibibytes * GIB)
    assert gpt.find(table.head, gibibytes * GIB) == (gpt.START * gpt.SECTOR, size)
    assert len(table.head) == 34 * gpt.SECTOR
    assert len(table.tail) == 33 * gpt.SECTOR


def test_every_release_has_the_same_partition_id_and_a_volume_id_of_its_own() -> None:
    one, other = (gpt.table(release * 32, 512, GIB).head for release in ("ab", "cd"))
    partition, volume = slice(2 * gpt.SECTOR + 16, 2 * gpt.SECTOR + 32), slice(gpt.SECTOR + 56, gpt.SECTOR + 72)
    assert one[partition] == other[partition] == gpt.APP_PARTITION.bytes_le
    assert one[volume] != other[volume]


def test_an_empty_volume_has_no_block_to_send() -> None:
    assert list(empty_volume().block_numbers()) == []
