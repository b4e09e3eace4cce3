"""What is laid over the installed packages: the files of `image/files`, and our code that runs on clones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError

CODE = (
    "goldfleet/__init__.py",
    "goldfleet/errors.py",
    "goldfleet/contract",
    "image/__init__.py",
    "image/launch",
    "image/sidecar",
    "image/report",
)
CODE_FOLDER = "usr/lib/goldfleet"
FILE_MODE, PROGRAM_MODE = 0o644, 0o755


@dataclass(frozen=True, order=True)
class Entry:
    """A file or a symbolic link of the root file system.

    Args:
        path: without a leading slash.
        mode: permissions of a file.
        content: of a file.
        link: target of a link, empty for a file.
    """

    path: str
    mode: int = FILE_MODE
    content: bytes = b""
    link: str = ""

    @property
    def told(self) -> list[str]:
        """What counts for a digest."""
        return [self.path, f"{self.mode:o}", self.link or hashlib.sha256(self.content).hexdigest()]


def files(folder: Path, target: str) -> tuple[Entry, ...]:
    """The files and links below a folder of the checkout, to be laid into `target`; sorted by path.

    Raises:
        ReleaseError: there is something that is neither.
    """
    return tuple(sorted(_entries(folder, Path(target)))) if folder.exists() else ()


def code(root: Path) -> tuple[Entry, ...]:
    """Our code that runs on clones: the launcher, the sidecar, the boot report, and what they stand on.

    Raises:
        ReleaseError: a part is missing.
    """
    found: list[Entry] = []
    for part in CODE:
        path, target = root / part, f"{CODE_FOLDER}/{part}"
        if not path.exists():
            raise ReleaseError(str(path), "is missing, clones run it", "restore it from git")
        found += [_file(path, target)] if path.is_file() else files(path, target)
    return tuple(sorted(found))


def _entries(folder: Path, target: Path) -> Iterator[Entry]:
    for path in folder.iterdir():
        if path.name == "__pycache__" or path.name.endswith(("~", ".swp", ".orig", ".rej")):
            continue
        place = target / path.name
        if path.is_symlink():
            yield Entry(place.as_posix(), link=os.readlink(path))  # noqa: PTH115  a link may name what is only in the image
        elif path.is_dir():
            yield from _entries(path, place)
        elif path.is_file():
            yield _file(path, place.as_posix())
        else:
            raise ReleaseError(str(path), "is neither a file nor a link", "remove it")


def _file(path: Path, target: str) -> Entry:
    program = bool(path.stat().st_mode & 0o100)
    return Entry(target, PROGRAM_MODE if program else FILE_MODE, path.read_bytes())
