"""A partition table with one read-only partition, and how to find it again.

A volume's device name says nothing on Nitro instances; a partition's own id does (`/dev/disk/by-partuuid/...`).
Source: UEFI Specification, "GUID Partition Table (GPT) Disk Layout".
"""

from __future__ import annotations

import struct
import uuid
import zlib
from dataclasses import dataclass

from goldfleet.errors import ReleaseError

SECTOR = 512
START = 2048
"""First sector of the partition: 1 MiB, so that it starts with a block of its snapshot."""
APP_PARTITION = uuid.UUID("e7a1c0de-90fd-5f1e-8a99-1a9e5a990001")
"""The app partition's id, the same in every release: what mounts it is in the OS layer, which an app-only change must
not touch."""

_SIGNATURE = b"EFI PART"
_LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_READ_ONLY = 1 << 60
_ENTRIES, _ENTRY_SIZE = 128, 128
_TABLE_SECTORS = _ENTRIES * _ENTRY_SIZE // SECTOR
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")


@dataclass(frozen=True)
class Table:
    """The bytes at both ends of a volume, around its partition."""

    head: bytes
    tail: bytes


def table(release: str, partition_bytes: int, volume_bytes: int) -> Table:
    """The table of a volume whose only partition starts at sector `START`.

    Args:
        release: digest; the volume's id derives from it.
        partition_bytes: a whole number of sectors.
        volume_bytes: a whole number of sectors with room for both ends.
    """
    sectors = volume_bytes // SECTOR
    entry = _ENTRY.pack(
        _LINUX_DATA.bytes_le,
        APP_PARTITION.bytes_le,
        START,
        START + partition_bytes // SECTOR - 1,
        _READ_ONLY,
        "goldfleet-app".encode("utf-16-le"),
    )
    entries = entry.ljust(_ENTRIES * _ENTRY_SIZE, b"\0")
    first = _header(release, entries, sectors, backup=False)
    last = _header(release, entries, sectors, backup=True)
    return Table(_protective_mbr(sectors) + first + entries, entries + last)


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


def _header(release: str, entries: bytes, sectors: int, *, backup: bool) -> bytes:
    own, other = (sectors - 1, 1) if backup else (1, sectors - 1)
    entries_at = own - _TABLE_SECTORS if backup else own + 1
    usable_first, usable_last = 2 + _TABLE_SECTORS, sectors - 2 - _TABLE_SECTORS
    disk = uuid.uuid5(uuid.NAMESPACE_URL, f"goldfleet:volume:{release}").bytes_le

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
            disk,
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
