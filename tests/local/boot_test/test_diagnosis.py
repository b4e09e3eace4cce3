"""What a console says -> the reason in plain words."""

from __future__ import annotations

import json

import pytest

from local.boot_test.diagnosis import reason


def ended(why: str) -> str:
    return json.dumps({"level": "error", "logger": "image", "message": "the app has ended", "reason": why}) + "\n"


@pytest.mark.parametrize(
    ("console", "words"),
    [
        (ended("the app ended with exit code 1; its last words: OSError: no sea"), "OSError: no sea"),
        (ended("its last words: ModuleNotFoundError: No module named 'app.limits'"), "'app.limits' is missing"),
        ("[   31.2] systemd[1]: goldfleet-app.service: Failed with result 'oom-kill'.\n", "oom-kill"),
        ("[    4.1] Kernel panic - not syncing: VFS: Unable to mount root fs\n", "Unable to mount root"),
        ("ALERT!  PARTUUID=1-2 does not exist.  Dropping to a shell!\n", "PARTUUID=1-2"),
        ("Timed out waiting for device dev-disk-by.device\n", "a volume is not there"),
        ("BdsDxe: No bootable option or device was found.\n", "nothing to boot"),
    ],
)
def test_a_reason_is_found_wherever_it_is_told(console: str, words: str) -> None:
    assert words in str(reason("[  OK  ] Started something.\n" + console + "more\n"))


@pytest.mark.parametrize("console", ["", "[  OK  ] Started goldfleet-app.service\n", '{"message": "launch"}\n', "{\n"])
def test_a_machine_that_says_nothing_wrong_may_still_serve(console: str) -> None:
    assert reason(console) is None


def test_half_a_line_is_no_reason_yet() -> None:
    whole = "Kernel panic - not syncing: VFS: Unable to mount root fs\n"
    assert reason(whole[:-12]) is None
    assert reason(whole)


def test_what_the_app_says_comes_before_what_systemd_says_of_it() -> None:
    console = "goldfleet-app.service: Failed with result 'exit-code'.\n"
    assert "no sea" in str(reason(ended("no sea") + console))
