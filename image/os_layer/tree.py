"""Stage 2: the root file system as a tar in which nothing depends on who made it, when, or in which order.

The installed packages, without what belongs elsewhere (the kernel is on the ESP, /var is a tmpfs) or to nobody (logs,
locks, the baking machine's name), with our files and code laid over.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from goldfleet.errors import ReleaseError
from image.os_layer.overlay import Entry
from image.os_layer.recipe import EPOCH

EMPTIED = ("boot", "dev", "proc", "run", "sys", "tmp", "var")
"""Folders of which only the folder itself is in the image."""
DROPPED = frozenset(
    {
        "etc/.pwd.lock",
        "etc/apt",
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "etc/group-",
        "etc/gshadow-",
        "etc/passwd-",
        "etc/shadow-",
        "etc/subgid-",
        "etc/subuid-",
        "root/.ssh",
    }
)
"""What installing left behind: the person's who bakes, or of no use."""
FOLDER_MODE = 0o755
UNCHECKED, CHECKED = b"\1\0\0\0", b"\3\0\0\0"

_Member = tuple[tarfile.TarInfo, tarfile.TarInfo | bytes]
"""What is written, and where its content comes from: a file of the source, or these bytes."""


def write(packages: Path, overlay: Sequence[Entry], target: Path) -> None:
    """Writes the root file system.

    Args:
        packages: tar of the installed packages.
        overlay: what is laid over them.
        target: the tar to write: sorted by path, one time for all, owners as numbers.

    Raises:
        ReleaseError: a file is laid over a folder, or the other way round.
    """
    with tarfile.open(packages) as source, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as made:
        members = {path: _normal(path, member, source) for path, member in _kept(source)}
        for entry in overlay:
            _lay(entry, members)
        for path in sorted(members, key=lambda path: path.split("/")):
            info, content = members[path]
            made.addfile(info, _open(source, info, content))


def read(packages: Path, path: str) -> bytes:
    """The content of the one file of the installed packages that matches `path`, a pattern as in `fnmatch`.

    Raises:
        ReleaseError: there is none, or more than one.
    """
    with tarfile.open(packages) as source:
        found = [member for member in source if member.isfile() and PurePosixPath(member.name).match(path)]
        file = source.extractfile(found[0]) if len(found) == 1 else None
        if file is None:
            what = f"{len(found)} installed files match {path}, there must be one"
            raise ReleaseError("OS layer", what, "look at image/os.packages")
        return file.read()


def _kept(source: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
    for member in source:
        path = PurePosixPath(member.name).as_posix().lstrip("/")
        parents = {path, *(parent.as_posix() for parent in PurePosixPath(path).parents)}
        emptied = path.partition("/")[0] in EMPTIED and "/" in path
        if path != "." and not emptied and not parents & DROPPED:
            yield path, member


def _normal(path: str, member: tarfile.TarInfo, source: tarfile.TarFile) -> _Member:
    """A second name of a file becomes a file of its own: squashfs stores equal files once."""
    content = source.getmember(member.linkname) if member.islnk() else member
    info = tarfile.TarInfo(path)
    info.type, info.linkname = content.type, content.linkname
    info.mode, info.uid, info.gid, info.size = content.mode, content.uid, content.gid, content.size
    return _stamped(info), content


def _open(source: tarfile.TarFile, info: tarfile.TarInfo, content: tarfile.TarInfo | bytes) -> IO[bytes] | None:
    if isinstance(content, bytes):
        return io.BytesIO(content)
    file = source.extractfile(content) if info.isreg() else None  # it would follow a link
    return io.BytesIO(_trusted(file.read())) if file and info.name.endswith(".pyc") else file


def _trusted(bytecode: bytes) -> bytes:
    """Bytecode that Python takes without a look at its source, which halves the time of imports: neither can change.

    Source: PEP 552, the flags behind the magic number.
    """
    return bytecode[:4] + UNCHECKED + bytecode[8:] if bytecode[4:8] == CHECKED else bytecode


def _lay(entry: Entry, members: dict[str, _Member]) -> None:
    for parent in list(PurePosixPath(entry.path).parents)[:-1]:
        folder = members.setdefault(parent.as_posix(), (_folder(parent.as_posix()), b""))[0]
        if not folder.isdir():
            raise _misplaced(entry, f"/{parent} is no folder there")
    if entry.path in members and members[entry.path][0].isdir():
        raise _misplaced(entry, "a folder is there")
    info = tarfile.TarInfo(entry.path)
    info.mode, info.size = entry.mode, len(entry.content)
    if entry.link:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
    members[entry.path] = (_stamped(info), entry.content)


def _folder(path: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode = tarfile.DIRTYPE, FOLDER_MODE
    return _stamped(info)


def _stamped(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime, info.uname, info.gname = EPOCH, "", ""
    return info


def _misplaced(entry: Entry, what: str) -> ReleaseError:
    return ReleaseError(f"/{entry.path}", f"cannot be laid over the installed packages: {what}", "look at image/files")
