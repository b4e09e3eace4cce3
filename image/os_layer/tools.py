"""The programs that bake the OS layer: which there must be, which versions there are, and how to get them."""

from __future__ import annotations

import functools
import getpass
import os
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

from goldfleet.errors import ReleaseError, ToolMissing

PROGRAMS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "mmdebstrap": "mmdebstrap",
    "sqfstar": "squashfs-tools",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
}
"""Program -> the Debian package that brings it."""

WRITERS = ("apt", "dpkg", "dosfstools", "liblz4-1", "mmdebstrap", "mtools", "squashfs-tools", "tar")
"""Packages whose version may decide the bytes of a layer."""

SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Debian keeps some of them where only root looks."""


def require(programs: Collection[str] = tuple(PROGRAMS)) -> None:
    """Raises ToolMissing, naming the one command that gets everything, unless these programs can work here."""
    unprivileged = "mmdebstrap" in programs and os.geteuid() != 0
    absent = sorted({PROGRAMS[program] for program in programs if not find(program)})
    if unprivileged and not find("newuidmap"):
        absent.append("uidmap")
    if absent:
        raise ToolMissing("image tools", f"{', '.join(absent)} not installed here", install_command(absent))
    user = getpass.getuser()
    if unprivileged and not _has_range(user, Path("/etc/subuid")):
        command = f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
        raise ToolMissing("image tools", f"user {user} has no subordinate ids in /etc/subuid", f"`{command}`")


def find(program: str) -> str | None:
    """The path of a program, or None."""
    return shutil.which(program, path=SEARCH_PATH)


def install_command(packages: Sequence[str]) -> str:
    """The way out: the one command that installs `packages`, or why there is none."""
    if not find("apt-get"):
        return "bake on Debian or Ubuntu, or name a release that is registered already as image.release"
    return f"`{'' if os.geteuid() == 0 else 'sudo '}apt-get install --yes {' '.join(packages)}`"


@functools.cache
def versions() -> dict[str, str]:
    """Package -> version of everything here whose version may decide the bytes of a layer.

    Raises:
        ToolMissing: one of them is not installed.
    """
    require()
    written = run(["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n", *WRITERS], "dpkg", 30)
    return dict(sorted(line.split() for line in written.splitlines()))


def run(  # noqa: PLR0913  what a process has
    command: Sequence[str],
    what: str,
    timeout: float,
    *,
    env: dict[str, str] | None = None,
    folder: Path | None = None,
    content: BinaryIO | None = None,
) -> str:
    """Runs a program and returns what it wrote.

    Args:
        command: program and arguments.
        what: what an error is about.
        timeout: seconds.
        env: variables beside those of this process.
        folder: where it runs.
        content: what it reads.

    Raises:
        ReleaseError: it failed, with its last words; or it took too long.
    """
    environment = {**os.environ, "PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(env or {})}
    try:
        done = subprocess.run(
            list(command),
            stdin=content or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(what, f"{command[0]} did not end within {timeout:.0f} s", "run it again") from error
    if done.returncode:
        raise ReleaseError(what, f"{command[0]} failed: {last_words(done.stderr)}", "put that right, run it again")
    return done.stdout


def last_words(stderr: str) -> str:
    """The line that says most: the last error, else the last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "error", "dpkg: error"))]
    return (errors or lines or ["no reason given"])[-1 if not errors else 0]


def _has_range(user: str, file: Path) -> bool:
    names = (user, str(os.getuid()))
    return file.exists() and any(line.split(":")[0] in names for line in file.read_text().splitlines())
