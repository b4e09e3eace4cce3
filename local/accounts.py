"""Who a server runs as.

PostgreSQL refuses root, and nothing that answers requests should be root. An ordinary person's servers run as that
person. Under root they run as an unprivileged account of the system if it can reach all that they need; else, because
a checkout may lie below a folder that only root can enter, in a user namespace that has no privileges outside.
Why and at what cost: docs/decisions/servers-under-root.md
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.run_folder import write_private

_CANDIDATES = ("postgres", "nobody", "daemon")
_ANSWER = 10.0


@dataclass(frozen=True)
class Account:
    """How to start a process that is not root.

    Args:
        uid, gid: to become before the program starts, or None to stay who we are.
        prefix: command that starts the program; empty for none.
    """

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def give(self, path: Path) -> None:
        """Makes a file or folder belong to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def make_folder(self, folder: Path) -> None:
        """Makes a folder that only this account can enter; its parents must exist."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self.give(folder)

    def write(self, path: Path, text: str) -> None:
        """Replaces a file that only this account can read."""
        write_private(path, text)
        self.give(path)


MYSELF = Account()


def unprivileged(needed: Iterable[Path]) -> Account:
    """The account for programs that need to reach these files and folders.

    Raises:
        LocalCloudError: root, and neither way is open.
    """
    if os.geteuid() != 0:
        return MYSELF
    needed = [path.resolve() for path in needed]
    other = _other_account()
    closed = other and next((path for path in needed if not _reachable(path, other)), None)
    if other and closed is None:
        return Account(other.pw_uid, other.pw_gid)
    if _namespaces_work():
        return Account(prefix=_namespace(other.pw_uid if other else os.geteuid()))
    raise LocalCloudError(
        "root",
        f"servers refuse root, no other account can read {closed}, and user namespaces are not allowed here",
        "run as an ordinary account, or put the checkout where every account can enter",
    )


def _other_account() -> pwd.struct_passwd | None:
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return next((accounts[name] for name in _CANDIDATES if name in accounts), None)


def _reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may enter every folder above the path, and read the path itself."""
    if not all(_allows(parent, account, stat.S_IXUSR) for parent in path.parents):
        return False
    wanted = stat.S_IXUSR if path.is_dir() else stat.S_IRUSR
    return _allows(path, account, wanted)


def _allows(path: Path, account: pwd.struct_passwd, bit: int) -> bool:
    status = path.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & bit)
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & (bit >> 3))
    return bool(status.st_mode & (bit >> 6))


def _namespace(uid: int) -> tuple[str, ...]:
    return ("unshare", "--user", f"--map-user={uid}", "--")


@cache
def _namespaces_work() -> bool:
    if not shutil.which("unshare"):
        return False
    try:
        tried = subprocess.run((*_namespace(1), "true"), capture_output=True, timeout=_ANSWER, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0
