"""The root file system's tar says nothing about who made it, when and in which order."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer import tree
from image.os_layer.overlay import Entry
from image.os_layer.recipe import EPOCH, LAYOUT

OVERLAY = (
    Entry("etc/motd", content=b"ours"),
    Entry("usr/lib/goldfleet/run", 0o755, b"#!/bin/sh\n"),
    Entry("etc/shells", link="/dev/null"),
)


def member(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def folder(name: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=0o755, **fields)


MEMBERS = [
    folder("./"),
    folder("./dev/"),
    member("./dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    folder("./etc/"),
    folder("./etc/apt/"),
    member("./etc/apt/sources.list", b"deb copy:/somewhere"),
    member("./etc/motd", b"theirs"),
    member("./etc/shadow", b"root:!", mode=0o640, gid=42),
    member("./etc/shadow-", b"root:"),
    member("./etc/shells", b"/bin/sh"),
    folder("./usr/"),
    folder("./usr/bin/"),
    member("./usr/bin/perl5.36", b"perl", mode=0o755),
    member("./usr/bin/perl", type=tarfile.LNKTYPE, linkname="./usr/bin/perl5.36"),
    folder("./var/"),
    folder("./var/log/"),
    member("./var/log/dpkg.log", b"2026-11-23 installed"),
]


def write(target: Path, members: list[tuple[tarfile.TarInfo, bytes]], **fields: object) -> Path:
    with tarfile.open(target, "w") as tar:
        for info, content in members:
            own = info.replace(deep=True)
            for field, value in fields.items():
                setattr(own, field, value)
            tar.addfile(own, io.BytesIO(content))
    return target


def made(tmp_path: Path, packages: Path) -> dict[str, tarfile.TarInfo]:
    tree.write(packages, OVERLAY, tmp_path / "made.tar")
    with tarfile.open(tmp_path / "made.tar") as tar:
        return {info.name: info for info in tar}


def content(tmp_path: Path, path: str) -> bytes:
    with tarfile.open(tmp_path / "made.tar") as tar:
        file = tar.extractfile(path)
        assert file
        return file.read()


def test_what_is_left_and_what_is_laid_over(tmp_path: Path) -> None:
    found = made(tmp_path, write(tmp_path / "packages.tar", MEMBERS))
    assert list(found) == [
        *("dev", "etc", "etc/motd", "etc/shadow", "etc/shells", "usr", "usr/bin", "usr/bin/perl", "usr/bin/perl5.36"),
        *("usr/lib", "usr/lib/goldfleet", "usr/lib/goldfleet/run", "var"),
    ]
    assert content(tmp_path, "etc/motd") == b"ours"
    assert found["etc/shells"].issym()
    assert (found["usr/lib/goldfleet/run"].mode, found["usr/lib/goldfleet"].mode) == (0o755, 0o755)
    assert (found["etc/shadow"].gid, found["etc/shadow"].mode) == (42, 0o640)


def test_a_second_name_is_a_file_of_its_own(tmp_path: Path) -> None:
    found = made(tmp_path, write(tmp_path / "packages.tar", MEMBERS))
    assert found["usr/bin/perl"].isreg()
    assert found["usr/bin/perl"].mode == 0o755
    assert content(tmp_path, "usr/bin/perl") == b"perl"


def test_bytecode_is_taken_without_a_look_at_its_source(tmp_path: Path) -> None:
    head, tail = b"\xa7\r\r\n", b"checksum and code"
    files = {"checked": head + b"\3\0\0\0" + tail, "by-time": head + b"\0\0\0\0" + tail}
    made(tmp_path, write(tmp_path / "packages.tar", [member(f"./{name}.pyc", files[name]) for name in files]))
    assert content(tmp_path, "checked.pyc") == head + b"\1\0\0\0" + tail
    assert content(tmp_path, "by-time.pyc") == files["by-time"]


def test_neither_order_nor_times_nor_names_of_owners_count(tmp_path: Path) -> None:
    links_last = [*reversed(MEMBERS[:-5]), *MEMBERS[-5:]]
    one = write(tmp_path / "one.tar", MEMBERS, mtime=1, uname="root", gname="root")
    other = write(tmp_path / "other.tar", links_last, mtime=1_700_000_000, uname="baker", gname="staff")
    bytes_of = []
    for packages in (one, other):
        assert {info.mtime for info in made(tmp_path, packages).values()} == {EPOCH}
        bytes_of.append((tmp_path / "made.tar").read_bytes())
    assert bytes_of[0] == bytes_of[1]


def test_other_bytes_are_another_layout(tmp_path: Path) -> None:
    """When this fails, the same recipe gives other bytes than before: move `LAYOUT`, then the checksum here."""
    tree.write(write(tmp_path / "packages.tar", MEMBERS), OVERLAY, tmp_path / "made.tar")
    checksum = hashlib.sha256((tmp_path / "made.tar").read_bytes()).hexdigest()
    assert (LAYOUT, checksum[:16]) == (2, "9dc4b6124bc38476")


@pytest.mark.parametrize("path", ["etc/motd/file", "usr/bin"])
def test_a_file_cannot_be_laid_over_a_folder_nor_below_a_file(tmp_path: Path, path: str) -> None:
    packages = write(tmp_path / "packages.tar", MEMBERS)
    with pytest.raises(ReleaseError, match=f"/{path}: cannot be laid over"):
        tree.write(packages, [Entry(path, content=b"x")], tmp_path / "made.tar")


def test_one_file_is_read_by_pattern(tmp_path: Path) -> None:
    packages = write(tmp_path / "packages.tar", MEMBERS)
    assert tree.read(packages, "usr/bin/perl5*") == b"perl"
    for pattern in ("boot/vmlinuz-*", "etc/shadow*"):
        with pytest.raises(ReleaseError, match="installed files match"):
            tree.read(packages, pattern)
