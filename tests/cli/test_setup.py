from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from goldfleet.cli.checkout import CHECKOUT


def test_a_python_that_is_too_old_is_named_with_the_way_out(script: Callable[[str, str], Path], tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    (copy / ".ci").mkdir(parents=True)
    for name in (".ci/setup", ".ci/uv.txt", "requirements-dev.txt"):
        shutil.copy(CHECKOUT / name, copy / name)
    # `-c` asks whether it is recent enough.
    old = script("python3", '[ "$1" = --version ] && echo Python 3.8.10 && exit 0; exit 1')
    for name in ("dirname", "cat", "cksum"):
        (old.parent / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [copy / ".ci" / "setup"], env={"PATH": str(old.parent)}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "3.11 or newer is needed, this machine has Python 3.8.10" in done.stderr
    assert "PYTHON=/path/to/python3.11" in done.stderr
    assert not (copy / ".venv").exists()


def test_every_verb_is_a_make_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True)
    listed = {line.split()[1] for line in shown.stdout.splitlines()}
    assert {"up", "scale", "deploy", "status", "logs", "doctor", "down", "run"} <= listed
    assert {"test", "prove", "check", "bench", "help"} <= listed
