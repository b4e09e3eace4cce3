"""Why the app ended, from what systemd and the journal tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from image.report import ended

FAILED = {"SERVICE_RESULT": "exit-code", "EXIT_CODE": "exited", "EXIT_STATUS": "1"}
SERVED = json.dumps({"level": "info", "message": "launch", "step": "serve"})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            [SERVED, "Traceback (most recent call last):", "ModuleNotFoundError: No module named 'h11'"],
            "ModuleNotFoundError: No module named 'h11'",
        ),
        (
            [
                "main: migration 0007 fails: column is missing; mend it",
                json.dumps({"level": "error", "reason": "migration: ended with exit code 1; read the lines above"}),
            ],
            "migration: ended with exit code 1; read the lines above (main: migration 0007 fails: column is missing; "
            "mend it)",
        ),
        ([json.dumps({"level": "error", "reason": "secret x: cannot be read"})], "secret x: cannot be read"),
        ([json.dumps({"message": "bad", "exception": "Traceback\n  File\nValueError: no"})], "ValueError: no"),
    ],
)
def test_the_last_words_are_the_reason(lines: list[str], words: str) -> None:
    assert ended.sentence(FAILED, lines) == f"the app ended with exit code 1; its last words: {words}"


@pytest.mark.parametrize(
    ("told", "manner"),
    [
        ({"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "SEGV"}, "ended by signal SEGV"),
        ({"SERVICE_RESULT": "oom-kill", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}, "memory was used up"),
        ({"SERVICE_RESULT": "timeout", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}, "did not stop in time"),
    ],
)
def test_an_end_by_force_is_named(told: dict[str, str], manner: str) -> None:
    sentence = ended.sentence(told, [])
    assert manner in sentence
    assert sentence.endswith("it said nothing")


def test_a_long_line_is_cut() -> None:
    assert len(ended.sentence(FAILED, ["x" * 10_000])) < 500


@pytest.mark.parametrize("result", ["exit-code", "success"])
def test_only_a_bad_end_is_worth_a_line(
    result: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journalctl = tmp_path / "journalctl"
    journalctl.write_text("#!/bin/sh\necho out of coffee\n")
    journalctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, value in {**FAILED, "SERVICE_RESULT": result, "INVOCATION_ID": "0a"}.items():
        monkeypatch.setenv(name, value)
    assert ended.main() == 0
    told = capsys.readouterr().err
    assert ("out of coffee" in told) == (result != "success")


def error(message: str, reason: str) -> str:
    return json.dumps({"level": "error", "message": message, "reason": reason})


@pytest.mark.parametrize(
    ("console", "reason"),
    [
        ([error(ended.ENDED, "no such sea"), error("not healthy", "6 times"), "Power down"], "no such sea"),
        (["0099.sql: division by zero", error("launch failed", "migration; read the lines above"), "bye"],
         "migration; read the lines above (0099.sql: division by zero)"),
        (["booting", "OSError: no such sea"], "OSError: no such sea"),
        (["OSError: no such sea", SERVED], "OSError: no such sea"),
        ([SERVED], ""),
    ],
)  # fmt: skip
def test_a_console_tells_why_a_clone_does_not_serve_whatever_came_after(console: list[str], reason: str) -> None:
    assert ended.reason_in(console) == reason
