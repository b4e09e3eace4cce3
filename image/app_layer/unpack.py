"""Reads an app volume's raw bytes and lays its layer out as a read-only tree.

`python -m image.app_layer.unpack --snapshot-file FILE TARGET`, for a data plane that has the blocks of the
image's snapshot.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from goldfleet.contract.service import LAYER_MANIFEST
from goldfleet.errors import GoldfleetError, ReleaseError
from image import gpt
from image.app_layer.layer import CONTENTS

HEAD = 34 * gpt.SECTOR
ENTRIES_LIMIT = 100_000

EPILOG = """\
FILE holds the volume as its snapshot's blocks say, block number times 512 KiB from the start, zeros between; it may be
sparse, and may end after the last block that is not zero. TARGET gets manifest.json, app/, goldfleet/ and
site-packages/: files 0444, folders 0555. It appears at once, complete and with every checksum verified, or not at all;
if it is there with the same content already, nothing is done. To remove it: chmod -R u+w TARGET && rm -r TARGET.

example:
  python -m image.app_layer.unpack --snapshot-file app.raw releases/3f2a...
"""


def unpack(volume: Path, target: Path) -> None:
    """Lays out the layer of a volume.

    Args:
        volume: a file with the volume's bytes.
        target: the folder to make.

    Raises:
        ReleaseError: the bytes are no app volume, are damaged or end early; or `target` holds something else.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        tree = Path(temporary) / "tree"
        tree.mkdir()
        with volume.open("rb") as file:
            _extract(file, tree)
        _verify(tree)
        if _same(tree, target):
            return
        _lock(tree)
        try:
            tree.rename(target)
            # Only now: moving a folder that its owner may not write to is refused to all but root.
            target.chmod(0o555)
        except OSError as error:
            _unlock(tree)
            if not _same(tree, target):
                raise ReleaseError(str(target), "holds something else", "remove it, or name another folder") from error


def _extract(file: BinaryIO, tree: Path) -> None:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    offset, length = gpt.find(file.read(HEAD), size)
    iso = pycdlib.PyCdlib()
    try:
        iso.open_fp(io.BufferedReader(_Part(file, offset, length)))
        for path in _paths(iso):
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            iso.get_file_from_iso(str(target), rr_path=f"/{path}")
        iso.close()
    except (PyCdlibException, struct.error, OSError, ValueError, IndexError, KeyError) as error:
        raise ReleaseError("app volume", f"its file system is damaged ({error})", "read the snapshot again") from error


def _paths(iso: pycdlib.PyCdlib) -> Iterator[PurePosixPath]:
    """Every file's path. Nothing but files and folders with plain names is let through."""
    count = 0
    for folder, _, names in iso.walk(rr_path="/"):
        for name in names:
            path = PurePosixPath(folder.lstrip("/")) / name
            ridge = getattr(iso.get_record(rr_path=f"/{path}"), "rock_ridge", None)
            plain = name not in ("", ".", "..") and "/" not in name and "\0" not in name and ".." not in path.parts
            count += 1
            if not plain or count > ENTRIES_LIMIT or ridge is None or ridge.is_symlink():
                raise ReleaseError("app volume", f"'{path}' is no plain file", "register the release again")
            yield path


def _verify(tree: Path) -> None:
    """Raises ReleaseError unless the tree holds exactly what its list of contents says."""
    found = {file.relative_to(tree).as_posix(): file for file in tree.rglob("*") if file.is_file()}
    listing = found.pop(CONTENTS, None)
    lines = listing.read_text(encoding="utf-8").splitlines() if listing else []
    told = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}
    if LAYER_MANIFEST not in told or told.keys() != found.keys():
        raise ReleaseError("app volume", "its files are not those of its list of contents", "read the snapshot again")
    for name, file in found.items():
        with file.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != told[name]:
                raise ReleaseError("app volume", f"'{name}' is damaged", "read the snapshot again")


def _same(tree: Path, target: Path) -> bool:
    there = target / CONTENTS
    return there.is_file() and there.read_bytes() == (tree / CONTENTS).read_bytes()


def _lock(tree: Path) -> None:
    for path in tree.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _unlock(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


class _Part(io.RawIOBase):
    """A part of a file as a file of its own; it never reads past its end."""

    def __init__(self, file: BinaryIO, offset: int, length: int) -> None:
        super().__init__()
        self._file, self._offset, self._length, self._position = file, offset, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        self._position = max(0, base + position)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs say Buffer
        count = max(0, min(len(buffer), self._length - self._position))
        self._file.seek(self._offset + self._position)
        content = self._file.read(count)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m image.app_layer.unpack",
        description="Lays out the app layer of an image's app volume as a read-only tree.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--snapshot-file", type=Path, required=True, metavar="FILE", help="the volume's bytes")
    parser.add_argument("target", type=Path, metavar="TARGET", help="the folder to make")
    arguments = parser.parse_args()
    try:
        unpack(arguments.snapshot_file, arguments.target)
    except (GoldfleetError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
