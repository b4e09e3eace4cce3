from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandError
from semver import VersionInfo

from goldfleet.cli.pulumi_cli import PulumiCli

Script = Callable[[str, str], Path]
VERSION = VersionInfo(3, 259, 0)


def cli(path: Path, deadline: float = 60) -> PulumiCli:
    return PulumiCli(path, VERSION, {"PATH": os.defpath}, path.parent, deadline)


def test_it_sees_the_given_environment_and_nothing_else(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the person's")
    seen = cli(script("pulumi", "env")).run(["up"], str(tmp_path), {"PULUMI_HOME": "/home"}).stdout
    assert "the person's" not in seen
    assert {"PULUMI_HOME=/home", "PULUMI_AUTOMATION_API=true"} <= set(seen.splitlines())


def test_a_failure_carries_what_was_said(script: Script, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such thing"):
        cli(script("pulumi", "echo no such thing >&2; exit 1")).run(["up"], str(tmp_path), {})


def test_lines_are_handed_on(script: Script, tmp_path: Path) -> None:
    lines: list[str] = []
    cli(script("pulumi", "echo one; echo two")).run(["up"], str(tmp_path), {}, on_output=lines.append)
    assert lines == ["one", "two"]


def test_an_interrupt_reaches_the_engine_once_and_then_the_caller(script: Script, tmp_path: Path) -> None:
    log, before = tmp_path / "log", signal.getsignal(signal.SIGINT)
    body = f"trap 'echo stopping >> {log}; exit 1' INT\necho ready >> {log}\nwhile :; do sleep 0.05; done"
    threading.Thread(target=interrupt_when, args=(log,), daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        cli(script("pulumi", body)).run(["up"], str(tmp_path), {})
    assert log.read_text().split() == ["ready", "stopping"]
    assert signal.getsignal(signal.SIGINT) == before


def test_an_interrupt_while_the_engine_is_being_started_reaches_it(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Struck(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Struck)
    with pytest.raises(KeyboardInterrupt):
        cli(script("pulumi", "exec sleep 20")).run(["up"], str(tmp_path), {})
    assert [engine.poll() for engine in started] == [-signal.SIGINT]


def interrupt_when(log: Path) -> None:
    deadline = time.monotonic() + 20
    while not (log.exists() and log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_past_the_deadline_it_is_killed(script: Script, tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        cli(script("pulumi", "exec sleep 60"), deadline=0.2).run(["up"], str(tmp_path), {})
