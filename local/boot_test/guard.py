"""Ends a run whose owner was killed: `python -m local.boot_test.guard FOLDER`, with a pipe that the owner holds open.

Standard input ends when the owner does, however it dies. Then every process of the run is ended and its folder removed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import processes
from local.plane.actor import clean_environment
from local.run_folder import RunFolder

_PROJECT = Path(__file__).parents[2]
_GRACE = 5.0


@contextmanager
def guarded_run() -> Iterator[RunFolder]:
    """A run folder that is gone at the end of the block, with all that runs in it, even if this process is killed."""
    folder = RunFolder(Path(tempfile.mkdtemp(prefix="goldfleet-boot-")).resolve())
    guard = subprocess.Popen(
        (sys.executable, "-m", "local.boot_test.guard", str(folder.root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=clean_environment(PYTHONPATH=str(_PROJECT)),
        start_new_session=True,  # Ctrl-C is for its owner
    )
    try:
        folder.create()
        yield folder
    finally:
        guard.communicate()


def _end(folder: RunFolder) -> None:
    processes.end_all(folder, grace=_GRACE)
    folder.remove()


if __name__ == "__main__":
    sys.stdin.read()
    _end(RunFolder(Path(sys.argv[1])))
