"""Same recipe, same bytes: in another folder, for another umask, time zone and language."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from image import cache
from image.os_layer import recipe
from image.os_layer.layer import OsLayer
from image.os_layer.packages import KIND
from tests.image.conftest import ROOT
from tests.image.os_layer.baked import SECONDS
from tests.image.os_layer.test_recipe import write_project

pytestmark = pytest.mark.timeout(SECONDS)

SCRIPT = """
import pathlib, sys
from image.os_layer import layer
print(layer.build(pathlib.Path(sys.argv[1]), lambda text: None).disk)
"""


def bake_elsewhere(tmp_path: Path, kept: str) -> Path:
    """The disk that another folder and other surroundings give.

    Args:
        tmp_path: where.
        kept: what is taken from this machine's cache: the packages' files or, all installed, the first stage.
    """
    own = tmp_path / "cache" / "goldfleet"
    own.mkdir(parents=True)
    (own / kept).symlink_to(cache.folder(kept))
    root = write_project(tmp_path / "another" / "checkout")
    done = subprocess.run(
        ["/bin/sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-c", SCRIPT, str(root)],
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "TZ": "Asia/Tokyo",
            "LANG": "de_DE.UTF-8",
            "SOURCE_DATE_EPOCH": "5",
        },
    )
    return Path(done.stdout.strip())


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_the_disk_is_the_same_elsewhere(baked: OsLayer, tmp_path: Path) -> None:
    assert checksum(bake_elsewhere(tmp_path, KIND)) == checksum(baked.disk)


def test_all_of_it_is_the_same_elsewhere(baked: OsLayer, tmp_path: Path, counts: Callable[[int, int], int]) -> None:
    """Installs everything anew, which takes a minute."""
    if not counts(0, 1):
        pytest.skip("two whole bakes: make prove")
    disk = bake_elsewhere(tmp_path, "debs")
    name = f"{recipe.read(ROOT).packages_digest}.tar"
    assert checksum(tmp_path / "cache/goldfleet" / KIND / name) == checksum(cache.folder(KIND) / name)
    assert checksum(disk) == checksum(baked.disk)
