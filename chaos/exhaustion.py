"""A clone's machine runs out of something: room in its folder in memory, or file descriptors."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.processes import Process

SIZE = 256 * 1024
"""Bytes of a file system that is soon full."""
FIRST_DESCRIPTORS = 8
"""Numbers that a process holds from its start to its end, so that what it closes gives it none back."""
_TOOL = 10.0


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Makes a clone's folder in memory a small tmpfs of its own, with what it held, and fills that.

    Clones share one tmpfs here, and the others must not suffer.

    Args:
        folder: of one clone; if it is gone when the block ends, nothing is left of it.

    Raises:
        LocalCloudError: this machine does not allow it.
    """
    owner = folder.stat()
    options = f"size={SIZE},mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    filler = folder / "filler"
    with tempfile.TemporaryDirectory(dir=folder.parent) as kept:
        _run("cp", "-a", f"{folder}/.", kept)
        _run("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
        try:
            _run("cp", "-a", f"{kept}/.", str(folder))
            with suppress(OSError):  # no space left on device
                filler.write_bytes(bytes(SIZE))
            yield
        finally:
            is_gone = not filler.exists()
            _run("umount", "-l", str(folder))
            if is_gone:
                shutil.rmtree(folder)


def take_descriptors(process: Process) -> None:
    """Lets a process open nothing more; what it has open stays open.

    Raises:
        LocalCloudError: it is somebody else's.
    """
    used = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    try:
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (min(used, FIRST_DESCRIPTORS, hard), hard))
    except PermissionError as error:
        raise LocalCloudError(process.name, "its limits cannot be changed", "run it as root") from error


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL, check=False)
    if done.returncode:
        raise LocalCloudError(command[0], done.stderr.strip() or f"exit code {done.returncode}", "run it as root")
