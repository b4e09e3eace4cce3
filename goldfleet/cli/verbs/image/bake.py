"""`goldfleet image bake`: makes the layers of the image; registers nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.steps import Steps
from goldfleet.cli.terminal import Terminal
from image import bake
from image.bake import Baked

EXAMPLES = """\
  goldfleet image bake                 both layers: the OS as image/os.lock has it, and the app of this checkout
  goldfleet image bake --layers app    the app layer only, which needs no system package

Layers are kept by digest: what was baked before is not baked again. Same lock, files and app: same bytes.
The OS layer needs Linux and Debian's image tools; what is missing is named with the command that gets it.
"""
LAYERS = ("os,app", "app")
MB = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which layers."""
    parser.add_argument("--layers", choices=LAYERS, default=LAYERS[0], help="what to bake (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Runs `image bake`."""
    terminal = Terminal()
    with terminal.step("baking the image") as step:
        steps = Steps(step)
        baked = bake.bake(CHECKOUT, options.layers.split(","), steps)
    for text, seconds in steps.times():
        terminal.line(f"  {seconds:6.1f} s  {text}")
    for line in summary(baked):
        terminal.line(line)
    return 0


def summary(baked: Baked) -> list[str]:
    """What was baked: digests, sizes, number of packages, where things are."""
    lines = [f"release    {baked.release}"]
    if baked.os:
        disk = baked.os.disk
        lines += [
            f"OS layer   {baked.os.digest}",
            f"           {_megabytes(_used(disk))} on a volume of {disk.stat().st_size // 2**30} GiB, {disk}",
            f"packages   {baked.os.packages}, listed in {baked.os.sbom}",
        ]
    file = baked.app.file_system
    return [*lines, f"app layer  {_megabytes(file.stat().st_size)}, {file}"]


def _used(file: Path) -> int:
    """Bytes of a sparse file that are not holes."""
    return file.stat().st_blocks * 512


def _megabytes(size: int) -> str:
    return f"{size / MB:.1f} MB"
