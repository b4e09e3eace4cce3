"""The image of this checkout, booted by the command that people use: a whole life, and one that is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import bake
from image.registry import boot_record
from tests.boot.checkouts import BOOT_SECONDS, copied, os_layer, start

FINDINGS = (
    "the app is healthy",
    "a page is served",
    "a person signs up and stays logged in",
    "the boot report is complete",
    "the root file system is read-only",
    "only memory can be written",
    "TCP: only the app accepts from outside",
    "UDP: each listener has a reason",
    "no unit has failed",
    "the app's exposure is below 2.0",
    "no account has a password",
    "no private key is baked in",
    "a request under way is finished while the app drains",
    "ACPI power-off ends the machine cleanly",
    "log lines arrive in CloudWatch Logs",
    "lines of a boot that is cut off arrive too",
    "each boot has a machine id of its own",
)


@pytest.mark.timeout(BOOT_SECONDS)
def test_all_is_true_of_the_image_and_it_may_be_registered(tmp_path: Path) -> None:
    os_layer()
    checkout = copied(tmp_path / "checkout")
    with start(checkout, "image", "test") as command:
        said, _ = command.communicate(timeout=BOOT_SECONDS)
    assert command.returncode == 0, said
    found = [line.removeprefix("ok").strip() for line in said.splitlines() if line.startswith(("ok ", "FAIL "))]
    assert [line.partition(":")[0] for line in found] == [name.partition(":")[0] for name in FINDINGS], said
    assert "healthy" in said.splitlines()[-1]

    passed = boot_record.passed(bake.bake(checkout, ("os", "app"), lambda _: None).release)
    assert passed is not None
    assert set(passed["findings"]) == set(FINDINGS)
