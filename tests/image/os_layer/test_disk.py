"""The disk: what the system's own tools say about it, and the same bytes from the same parts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from image import gpt
from image.os_layer import disk, esp, tools

DIGEST = "ab" * 32


def need(*programs: str) -> None:
    if absent := [program for program in programs if not tools.find(program)]:
        pytest.skip(f"not installed here: {', '.join(absent)}")


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, Path]:
    """Two file systems in the place of an ESP and a root; the first one mostly zero."""
    one, other = tmp_path / "esp", tmp_path / "root"
    one.write_bytes(b"first" + bytes(3 * disk.MIB) + b"last")
    other.write_bytes(b"root" * 500_000)
    return one, other


def test_the_parts_lie_where_the_table_says(parts: tuple[Path, Path], tmp_path: Path) -> None:
    need("sfdisk")
    target = tmp_path / "disk"
    disk.write(*parts, DIGEST, target)
    assert "No errors" in tools.run(["sfdisk", "--verify", str(target)], "disk", 30)
    table = json.loads(tools.run(["sfdisk", "--json", str(target)], "disk", 30))["partitiontable"]
    assert table["id"] == str(disk.disk_id(DIGEST)).upper()
    first, second = table["partitions"]
    assert (first["type"], second["type"]) == (str(gpt.EFI_SYSTEM).upper(), str(gpt.LINUX_ROOT).upper())
    assert second["uuid"] == str(disk.root_id(DIGEST)).upper()
    for part, partition in zip(parts, (first, second), strict=True):
        wanted = part.read_bytes()
        assert _part(target, partition["start"] * gpt.SECTOR, len(wanted)) == wanted
        assert partition["size"] * gpt.SECTOR >= len(wanted)


def test_it_has_whole_gibibytes_and_holes_where_it_is_zero(parts: tuple[Path, Path], tmp_path: Path) -> None:
    disk.write(*parts, DIGEST, tmp_path / "disk")
    told = (tmp_path / "disk").stat()
    assert told.st_size == disk.GIB
    assert told.st_blocks * 512 < 8 * disk.MIB


def test_ids_are_the_digests(parts: tuple[Path, Path], tmp_path: Path) -> None:
    assert disk.root_id(DIGEST) != disk.root_id("cd" * 32)
    for name in ("one", "other"):
        disk.write(*parts, DIGEST, tmp_path / name)
    used = 8 * disk.MIB
    for start in (0, disk.GIB - used):
        assert _part(tmp_path / "one", start, used) == _part(tmp_path / "other", start, used)


def _part(file: Path, start: int, size: int) -> bytes:
    with file.open("rb") as content:
        content.seek(start)
        return content.read(size)


def test_the_esp_holds_its_files_and_no_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("mkfs.vfat", "mcopy", "mmd")
    files = esp.content(b"kernel" * 1000, b"initrd", b"loader", "1234")
    images = []
    for name, zone in (("one", "Asia/Tokyo"), ("other", "America/New_York")):
        monkeypatch.setenv("TZ", zone)
        (tmp_path / name).mkdir()
        esp.write(files, "abcdef01", tmp_path / name / "esp")
        images.append((tmp_path / name / "esp").read_bytes())
    assert images[0] == images[1]
    listed = tools.run(["mdir", "-/", "-i", str(tmp_path / "one/esp"), "::/"], "ESP", 30)
    dates = re.findall(r"\d{4}-\d\d-\d\d", listed)
    assert (set(dates), len(dates) > len(files)) == ({"2023-01-01"}, True)
    assert b"options root=PARTUUID=1234 ro " in files["loader/entries/goldfleet.conf"]
    for path, wanted in files.items():
        command = ["mcopy", "-i", str(tmp_path / "one/esp"), f"::/{path}", "-"]
        assert subprocess.run(command, check=True, capture_output=True, timeout=30).stdout == wanted
