"""The real OS layer of this checkout, for all tests that need one: baked once, then found by its digest."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError, ToolMissing
from image import cache
from image.os_layer import archive
from image.os_layer.layer import OsLayer, build

SECONDS = 600
"""For a test that may be the first to bake: `pytest.mark.timeout(SECONDS)`."""


def baked_os_layer(root: Path) -> OsLayer:
    """Bakes, or skips the test where this machine cannot: it says what is missing and how to get it.

    One process at a time: the second finds what the first has made.
    """
    with (cache.folder("locks") / "os-layer").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return build(root, lambda _: None)
        except ToolMissing as error:
            pytest.skip(str(error))
        except ReleaseError as error:
            if error.where in (archive.WHERE, archive.CONFIGURATION):
                pytest.skip(str(error))
            raise
