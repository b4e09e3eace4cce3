"""Images that cannot serve: each fails with its reason as soon as that is known, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import bake
from image.registry import boot_record
from local.processes import of_run, wait_until
from local.run_folder import RunFolder
from tests.boot.checkouts import BOOT_SECONDS, BROKEN, copied, os_layer, start

_BOUND = 120.0


@pytest.mark.timeout(BOOT_SECONDS)
@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_image_fails_with_its_reason_and_the_end_of_the_console(how: str, tmp_path: Path) -> None:
    os_layer()
    break_it, reason = BROKEN[how]
    checkout = copied(tmp_path / "checkout")
    break_it(checkout)
    with start(checkout, "image", "test") as command:
        said, _ = command.communicate(timeout=BOOT_SECONDS)
    assert command.returncode == 1, said
    (found,) = [line for line in said.splitlines() if line.startswith(("ok ", "FAIL "))]
    assert found.startswith("FAIL the app is healthy"), said
    assert reason in found
    assert "the end of the console" in said
    assert boot_record.passed(bake.bake(checkout, ("os", "app"), lambda _: None).release) is None
    assert not list(tmp_path.glob("goldfleet-*"))


@pytest.mark.timeout(BOOT_SECONDS)
def test_a_killed_command_takes_machine_and_stores_along(tmp_path: Path) -> None:
    os_layer()
    with start(copied(tmp_path / "checkout"), "image", "test") as command:
        assert wait_until(lambda: any(tmp_path.glob("goldfleet-boot-*/instances/*/console.log")), _BOUND)
        (folder,) = tmp_path.glob("goldfleet-boot-*")
        names = {process.name for process in of_run(RunFolder(folder))}
        assert {"rds-main", "control", "i-00000000000000001"} <= names
        command.kill()
    assert wait_until(lambda: not folder.exists(), _BOUND)
    assert of_run(RunFolder(folder)) == []
    assert not list(tmp_path.glob("goldfleet-*"))
