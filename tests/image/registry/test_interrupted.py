"""A process that registers is killed at any of its AWS calls, or there are two: one image, nothing beside it."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from image.bake import Baked
from image.registry.register import register
from image.registry.snapshots import Snapshots
from tests.image.registry.layers import Left, bake, calls_of, start
from tests.local.control.running import Control

pytestmark = pytest.mark.timeout(300)
ENDED = 60.0


def _points(calls: list[str], count: int) -> list[tuple[int, str]]:
    """Calls at which the process is killed, and on which side of them: around the registration, others by chance."""
    registered = calls.index("RegisterImage") + 1
    certain = [(registered, "before"), (registered, "after")]
    others = [(call, when) for call in range(1, len(calls) + 1) for when in ("before", "after")]
    return certain + random.Random(4).sample([point for point in others if point not in certain], count - 2)


def test_killed_at_any_call_and_run_again_there_is_one_image(
    control: Control, project: str, snapshots: Snapshots, baked: Baked, counts: Callable[[int, int], int]
) -> None:
    control.local("DELETE", "requests")
    assert start(control, f"{project}-whole", baked).wait(ENDED) == 0
    points = _points(calls_of(control), counts(6, 20))
    for number, (call, when) in enumerate(points):
        again = replace(snapshots, project=f"{project}-{number}")
        ended = start(control, again.project, baked, call, when).wait(ENDED)
        assert ended == -signal.SIGKILL, (call, when)
        register(again, baked, needs_boot_test=False)
        Left(control, again.project).assert_one_image(baked)


def test_two_at_once_make_one_image(
    control: Control, project: str, baked: Baked, counts: Callable[[int, int], int]
) -> None:
    for number in range(counts(2, 10)):
        both = [start(control, f"{project}-{number}", baked) for _ in range(2)]
        assert [process.wait(ENDED) for process in both] == [0, 0]
        Left(control, f"{project}-{number}").assert_one_image(baked)


def test_two_releases_of_one_os_at_once_leave_no_snapshot_without_an_image(
    control: Control, project: str, baked: Baked, tmp_path: Path
) -> None:
    assert baked.os
    app = tmp_path / "other.iso"
    app.write_bytes(bytes(reversed(baked.app.file_system.read_bytes())))
    both = [start(control, project, one) for one in (baked, bake("ab" * 32, baked.os.disk, app))]
    assert [process.wait(ENDED) for process in both] == [0, 0]
    left = Left(control, project)
    behind = {mapping["Ebs"]["SnapshotId"] for image in left.images for mapping in image["BlockDeviceMappings"]}
    assert len(left.images) == 2
    assert {one["SnapshotId"] for one in left.snapshots} == behind
