"""The cache keeps what is used, forgets what is not, and clears up after a killed bake."""

from __future__ import annotations

import os
import time
from pathlib import Path

from image import cache as kept

DAY = 24 * 3600


def aged(path: Path, days: float) -> Path:
    path.mkdir()
    (path / "file").write_text("x")
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def test_old_things_go_but_for_the_newest_few(cache: Path) -> None:
    folder = kept.folder("layers")
    things = [aged(folder / f"thing-{days}", days) for days in range(5, 15)]
    with kept.workspace("layers"):
        pass
    assert sorted(folder.iterdir()) == sorted(things[:5])


def test_recent_things_stay_however_many_they_are(cache: Path) -> None:
    folder = kept.folder("layers")
    things = [aged(folder / f"thing-{number}", 1) for number in range(20)]
    with kept.workspace("layers"):
        pass
    assert sorted(folder.iterdir()) == sorted(things)


def test_what_a_killed_bake_left_goes_after_a_day_and_a_running_ones_stays(cache: Path) -> None:
    folder = kept.folder("layers")
    aged(folder / ".new-killed", 2)
    running = aged(folder / ".new-running", 0)
    with kept.workspace("layers") as mine:
        assert sorted(folder.iterdir()) == sorted([running, mine])
    assert list(folder.iterdir()) == [running]


def test_two_of_the_same_leave_one(cache: Path, tmp_path: Path) -> None:
    target = kept.folder("layers") / "digest"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "made-by").write_text(name)
        kept.move(tmp_path / name, target)
    assert (target / "made-by").read_text() == "first"
