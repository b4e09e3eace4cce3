"""Partition tables of our volumes, and how to find the app volume's one partition again.

A volume's device name says nothing on Nitro instances; a partition's own id does (`/dev/disk/by-partuuid/...`).
Source: UEFI Specification, "GUID Partition Table (GPT) Disk Layout".
"""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from goldfleet.errors import ReleaseError

SECTOR = 512
START = 2048
"""First sector of the first partition: 1 MiB, so that it starts with a block of its snapshot."""
APP_PARTITION = uuid.UUID("e7a1c0de-90fd-5f1e-8a99-1a9e5a990001")
"""The app partition's id, the same in every release: what mounts it is in the OS layer, which an app-only change must
not touch."""

EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
LINUX_ROOT = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
"""Types of partitions; root is that of x86-64 (Discoverable Partitions Specification)."""

_SIGNATURE = b"EFI PART"
_READ_ONLY = 1 << 60
_ENTRIES, _ENTRY_SIZE = 128, 128
_TABLE_SECTORS = _ENTRIES * _ENTRY_SIZE // SECTOR
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")


@dataclass(frozen=True)
class Partition:
    """One partition.

    Args:
        kind: its type.
        id: its own, by which it is found.
        start: first sector.
        sectors: how many there are.
        name: up to 36 characters.
    """

    kind: uuid.UUID
    id: uuid.UUID
    start: int
    sectors: int
    name: str


@dataclass(frozen=True)
class Table:
    """The bytes at both ends of a volume, around its partitions."""

    head: bytes
    tail: bytes


def layout(disk: uuid.UUID, partitions: Sequence[Partition], volume_bytes: int) -> Table:
    """The table of a volume.

    Args:
        disk: the volume's id.
        partitions: in the order of their sectors, none on another. All but the EFI system partition, which firmware
            may want to write to, are marked read-only.
        volume_bytes: a whole number of sectors with room for both ends.
    """
    sectors = volume_bytes // SECTOR
    entries = b"".join(map(_entry, partitions)).ljust(_ENTRIES * _ENTRY_SIZE, b"\0")
    first = _header(disk, entries, sectors, backup=False)
    last = _header(disk, entries, sectors, backup=True)
    return Table(_protective_mbr(sectors) + first + entries, entries + last)


def table(release: str, partition_bytes: int, volume_bytes: int) -> Table:
    """The table of an app volume, whose only partition starts at sector `START`.

    Args:
        release: digest; the volume's id derives from it.
        partition_bytes: a whole number of sectors.
        volume_bytes: a whole number of sectors with room for both ends.
    """
    disk = uuid.uuid5(uuid.NAMESPACE_URL, f"goldfleet:volume:{release}")
    partition = Partition(LINUX_DATA, APP_PARTITION, START, partition_bytes // SECTOR, "goldfleet-app")
    return layout(disk, [partition], volume_bytes)


def find(head: bytes, volume_bytes: int) -> tuple[int, int]:
    """Where the partition of a volume made by `table` lies: offset and length in bytes.

    Args:
        head: the volume's first 34 sectors or more.
        volume_bytes: how many bytes there are.

    Raises:
        ReleaseError: no such table, damaged, or the volume ends before its partition does.
    """
    header, entries = head[SECTOR : 2 * SECTOR], head[2 * SECTOR : (2 + _TABLE_SECTORS) * SECTOR]
    if len(entries) < _TABLE_SECTORS * SECTOR or header[:8] != _SIGNATURE:
        raise _damaged("no partition table")
    told = _HEADER.unpack(header[: _HEADER.size])
    blank = header[:16] + bytes(4) + header[20 : _HEADER.size]
    if zlib.crc32(blank) != told[3] or zlib.crc32(entries) != told[13]:
        raise _damaged("the partition table's checksum is wrong")
    _, _, first, last, _, _ = _ENTRY.unpack(entries[: _ENTRY.size])
    if not START <= first <= last or (last + 1) * SECTOR > volume_bytes:
        raise _damaged(f"it ends after {volume_bytes} bytes, its partition after {(last + 1) * SECTOR}")
    return first * SECTOR, (last + 1 - first) * SECTOR


def _entry(partition: Partition) -> bytes:
    return _ENTRY.pack(
        partition.kind.bytes_le,
        partition.id.bytes_le,
        partition.start,
        partition.start + partition.sectors - 1,
        0 if partition.kind == EFI_SYSTEM else _READ_ONLY,
        partition.name.encode("utf-16-le"),
    )


def _header(disk: uuid.UUID, entries: bytes, sectors: int, *, backup: bool) -> bytes:
    own, other = (sectors - 1, 1) if backup else (1, sectors - 1)
    entries_at = own - _TABLE_SECTORS if backup else own + 1
    usable_first, usable_last = 2 + _TABLE_SECTORS, sectors - 2 - _TABLE_SECTORS

    def packed(checksum: int) -> bytes:
        return _HEADER.pack(
            _SIGNATURE,
            0x00010000,
            _HEADER.size,
            checksum,
            0,
            own,
            other,
            usable_first,
            usable_last,
            disk.bytes_le,
            entries_at,
            _ENTRIES,
            _ENTRY_SIZE,
            zlib.crc32(entries),
        )

    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def _protective_mbr(sectors: int) -> bytes:
    whole_disk = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(sectors - 1, 0xFFFFFFFF))
    return bytes(446) + whole_disk.ljust(64, b"\0") + b"\x55\xaa"


def _damaged(what: str) -> ReleaseError:
    return ReleaseError("app volume", what, "read the snapshot again, or register the release again")
