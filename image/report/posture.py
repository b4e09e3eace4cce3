"""What a machine's files say of it: where it can be written, what is mounted, keys, logins, its id."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

WRITES = ("/", "/boot", "/etc", "/home", "/opt", "/root", "/srv", "/srv/app", "/usr", "/usr/lib/goldfleet")
"""Folders of the root file system and of the app layer; a write to each must fail."""
KEY_FOLDERS = ("/etc", "/home", "/root", "/srv", "/usr/lib/goldfleet", "/usr/local")
_PRIVATE_KEY = b"PRIVATE KEY-----"
_SOURCES = (".py", ".pyc", ".so")
"""Programs that handle keys have these words in them too."""
_HEAD = 64 * 1024


def writes(folders: Iterable[str] = WRITES) -> dict[str, str]:
    """Each folder that is there -> the name of the error that a write got, or `written`."""
    return {folder: _write(Path(folder)) for folder in folders if Path(folder).is_dir()}


def mounts(text: str) -> list[dict[str, str]]:
    """What of `/proc/self/mounts` holds files: path, type and options."""
    rows = [line.split()[1:4] for line in text.splitlines()]
    return [
        {"path": path, "type": kind, "options": options}
        for path, kind, options in rows
        if not path.startswith(("/proc", "/sys", "/dev"))
    ]


def keys(folders: Iterable[str]) -> list[str]:
    """Files that hold a private key."""
    return sorted(str(path) for folder in folders for path in _files(Path(folder)) if _holds_key(path))


def logins(shadow: str) -> list[str]:
    """Accounts with a password, as `/etc/shadow` says (shadow(5))."""
    fields = [line.split(":") for line in shadow.splitlines()]
    return [name for name, password, *_ in fields if not password.startswith(("*", "!"))]


def machine_id(path: Path = Path("/etc/machine-id")) -> str:
    """SHA-256 of the machine's id, hexadecimal: two boots can be told apart, and the id itself is not told."""
    return hashlib.sha256(path.read_bytes().strip()).hexdigest()


def _write(folder: Path) -> str:
    path = folder / ".goldfleet-report"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    path.unlink()
    return "written"


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names if not name.endswith(_SOURCES))


def _holds_key(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return _PRIVATE_KEY in file.read(_HEAD)
