"""Copies of this checkout whose app can be broken, on the same OS layer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from goldfleet.errors import ToolMissing
from image.os_layer.layer import OsLayer
from local.machine import firmware, guest
from tests.image.os_layer.baked import baked_os_layer

ROOT = Path(__file__).parents[2]
PARTS = ("app", "goldfleet", "image", "infra", "local")
BOOT_SECONDS = 900
"""For a test that boots, on a machine that does other things too."""


def os_layer() -> OsLayer:
    """The OS layer to boot, or the test is skipped with what is missing."""
    try:
        guest.program()
        firmware.find()
    except ToolMissing as error:
        pytest.skip(str(error))
    return baked_os_layer(ROOT)


def copied(folder: Path) -> Path:
    """A checkout with what baking, booting and the command need."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    """Starts `goldfleet ARGUMENTS` of a checkout."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "goldfleet.cli", *arguments],
        cwd=checkout,
        env={**kept, "TMPDIR": str(checkout.parent)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def without_a_module(checkout: Path) -> None:
    (checkout / "app" / "limits.py").unlink()


def crashing(checkout: Path) -> None:
    main = checkout / "app" / "main.py"
    main.write_text(
        main.read_text() + '\n\ndef serve(environment: Environment) -> None:\n    raise OSError("no such sea")\n'
    )


def with_a_failing_migration(checkout: Path) -> None:
    (checkout / "app" / "migrations" / "0099_broken.sql").write_text("ALTER TABLE nobody_made_this ADD COLUMN x int;\n")


BROKEN: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "missing module": (without_a_module, "the module 'app.limits' is missing from the image"),
    "crash at start": (crashing, "no such sea"),
    "failing migration": (with_a_failing_migration, "nobody_made_this"),
}
"""How it is broken, and what must be in the reason."""
