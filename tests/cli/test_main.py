from __future__ import annotations

import argparse
import subprocess
import sys

import pytest
from botocore.exceptions import NoCredentialsError

from goldfleet.cli import checkout
from goldfleet.cli.__main__ import VERBS, main
from goldfleet.cli.verbs import down, scale
from goldfleet.errors import GoldfleetError, SettingsError


def fails_with(error: BaseException) -> int:
    def run(_options: argparse.Namespace) -> int:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(down, "run", run)
        return main(["down"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GoldfleetError("here", "is broken", "mend it"), 1),
        (SettingsError("fleet.desired", "too many", "say less"), 2),
        (NoCredentialsError(), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert fails_with(error) == code


def test_an_error_of_aws_is_one_line_and_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    fails_with(NoCredentialsError())
    text = capsys.readouterr().err
    assert text == "error: AWS: Unable to locate credentials\n  -> `goldfleet doctor -s local` finds out more\n"


def test_an_error_is_shown_in_its_three_parts(capsys: pytest.CaptureFixture[str]) -> None:
    fails_with(SettingsError("fleet.desired", "must be at most 6", "raise fleet.max"))
    assert capsys.readouterr().err == "error: fleet.desired: must be at most 6\n  -> raise fleet.max\n"


@pytest.mark.parametrize("arguments", [[], ["nope"], ["scale"], ["up", "--nope"], ["-s", "dev", "up"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"examples:\n  goldfleet {verb}" in text
    assert "exit codes: 0 done" in text


def test_down_is_for_the_local_cloud_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down", "-s", "prod"]) == 2
    assert "pulumi destroy -s prod" in capsys.readouterr().err


def test_a_count_that_is_no_number() -> None:
    with pytest.raises(SettingsError, match=r"fleet\.desired: 'abc' is not a whole number"):
        scale.parse_count("abc")


def test_one_command_at_a_time() -> None:
    with checkout.locked():
        assert try_lock() == "another goldfleet command works on this checkout"
    assert try_lock() == "free"


def try_lock() -> str:
    program = (
        "from goldfleet.cli.checkout import locked\n"
        "from goldfleet.errors import GoldfleetError\n"
        "try:\n  with locked(): print('free')\n"
        "except GoldfleetError as error: print(error.what)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=checkout.CHECKOUT, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()
