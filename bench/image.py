"""How long an image takes from the checkout to registered, and how many blocks are sent for it.

A copy of this checkout is baked, and registered with a control plane on this machine: the seconds are of the bake and
of our side of the upload, not of AWS's. Packages of a cold bake come from the kept files, then from Debian's archive.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from goldfleet.contract.names import TAG_PROJECT
from image import cache
from image.bake import bake
from image.os_layer import repository
from image.registry.register import register
from image.registry.snapshots import TAG_LAYER, Snapshots
from tests.fleet.cloud import Cloud
from tests.local.control.running import Control, running_control

APP_ONLY, COLD = 10.0, 120.0
EDITS = 3
LAYERS = ("os", "app")


def main() -> None:
    """Prints each figure beside its limit."""
    table = Table("what", "measured", "limit", "blocks sent: OS", "app", title="golden image, to a control plane here")
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as name:
        folder = Path(name)
        root = Cloud.copy(folder / "checkout").folder
        for what, packages in (("packages here", True), ("packages downloaded", False)):
            with empty_cache(folder / what, packages):
                took = seconds(lambda: bake(root, LAYERS, quiet))
            table.add_row(f"cold bake, {what}", f"{took:.1f} s", f"{COLD:.0f} s", "", "")
        bake(root, LAYERS, quiet)  # fills the caches of packages and layers
        (folder / "control").mkdir()
        with running_control(folder / "control") as control:
            whole, edits = registrations(control, root)
    table.add_row("whole image, OS layer kept", f"{whole.seconds:.1f} s", "", str(whole.os), str(whole.app))
    for number, edit in enumerate(edits, 1):
        limit = f"{APP_ONLY:.0f} s"
        table.add_row(f"app edited, {number}", f"{edit.seconds:.1f} s", limit, str(edit.os), str(edit.app))
    ratio = whole.seconds / median(edit.seconds for edit in edits)
    table.add_row("whole image / app edited (median)", f"{ratio:.1f}", "", "", "")
    Console().print(table)


@dataclass(frozen=True)
class Registration:
    """How long bake and registration took, and how many blocks of each layer were sent."""

    seconds: float
    os: int
    app: int


def registrations(control: Control, root: Path) -> tuple[Registration, list[Registration]]:
    """A whole image into an empty project, then edits of the app."""
    project = f"bench-{uuid.uuid4().hex[:8]}"
    (root / "app" / "edited.py").write_text("EDIT = 0\n")
    whole, edits = _registered(control, root, project), []
    for number in range(EDITS):
        (root / "app" / "edited.py").write_text(f"EDIT = {number + 1}\n")
        edits.append(_registered(control, root, project))
    return whole, edits


def _registered(control: Control, root: Path, project: str) -> Registration:
    control.local("DELETE", "requests")
    snapshots = Snapshots(control.client("ec2"), control.client("ebs"), project, quiet)
    started = time.monotonic()
    baked = bake(root, LAYERS, quiet)
    register(snapshots, baked, needs_boot_test=False)
    took = time.monotonic() - started
    sent = Counter(_layers_sent(control, project))
    return Registration(took, sent.total() - sent[baked.release], sent[baked.release])


def _layers_sent(control: Control, project: str) -> Iterator[str]:
    """The layer of every block that was sent since the record was cleared."""
    mine = [{"Name": f"tag:{TAG_PROJECT}", "Values": [project]}]
    found = control.client("ec2").describe_snapshots(Filters=mine)["Snapshots"]
    layers = {one["SnapshotId"]: tag["Value"] for one in found for tag in one["Tags"] if tag["Key"] == TAG_LAYER}
    for call in control.local("GET", "requests"):
        if call["action"] == "PutSnapshotBlock":
            yield layers[call["parameters"]["SnapshotId"]]


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def quiet(_: str) -> None:
    """Takes progress and shows none."""


@contextmanager
def empty_cache(folder: Path, packages: bool) -> Iterator[None]:
    """A cache without layers; `packages` says whether downloaded packages and wheels are there."""
    kept, before = cache.folder(repository.KIND), os.environ.get("XDG_CACHE_HOME")
    (folder / "goldfleet").mkdir(parents=True)
    if packages:
        (folder / "goldfleet" / repository.KIND).symlink_to(kept)
        (folder / "uv").symlink_to(kept.parent.parent / "uv")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        yield
    finally:
        del os.environ["XDG_CACHE_HOME"]
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before
