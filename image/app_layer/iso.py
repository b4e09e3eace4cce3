"""The app layer's file system: ISO 9660 with Rock Ridge, written without any system tool, mounted by any Linux.

The library takes the time from the clock and the zone from the machine, so the writer is a process of its own in which
the clock stands still: same content, same bytes. Names of ISO 9660 itself are counted through, the real ones are Rock
Ridge's. Owner root, files 0444, folders 0555.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pycdlib

from goldfleet.errors import ReleaseError

EPOCH = 946684800
"""1 January 2000, UTC: the time of everything in a layer, in seconds since 1970."""
TIMEOUT = 300
FILE_MODE, FOLDER_MODE = 0o100444, 0o040555


def write(content: Mapping[str, Path], target: Path) -> None:
    """Writes a file system.

    Args:
        content: path in the file system -> the file with its content.
        target: the file to write.

    Raises:
        ReleaseError: it cannot be written.
    """
    listing = json.dumps({path: str(file) for path, file in sorted(content.items())})
    command = [sys.executable, "-P", "-m", "image.app_layer.iso", str(target)]
    environment = {**os.environ, "TZ": "UTC", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        command, input=listing, text=True, capture_output=True, timeout=TIMEOUT, env=environment, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ReleaseError(str(target), f"the app layer cannot be written ({reason})", "look at the disk, run it again")


def _write(content: Mapping[str, str], target: str) -> None:
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=4, rock_ridge="1.12", vol_ident="GOLDFLEET")
    names = {PurePosixPath("."): ""}
    for number, (path, file) in enumerate(content.items()):
        folder = PurePosixPath(path).parent
        for parent in (*reversed(folder.parents), folder):
            if parent not in names:
                names[parent] = f"{names[parent.parent]}/D{len(names):07}"
                iso.add_directory(names[parent], rr_name=parent.name, file_mode=FOLDER_MODE)
        name = PurePosixPath(path).name
        iso.add_file(file, f"{names[folder]}/F{number:07}", rr_name=name, file_mode=FILE_MODE)
    iso.write(target)
    iso.close()


if __name__ == "__main__":
    time.time = lambda: float(EPOCH)
    _write(json.load(sys.stdin), sys.argv[1])
