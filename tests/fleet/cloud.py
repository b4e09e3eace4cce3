"""A copy of this checkout with a local cloud of its own, worked as a person works it: by the command, HTTP and AWS."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli.checkout import CHECKOUT
from local import processes
from local.processes import Process
from local.run_folder import Run, RunFolder

LEFT_OUT = (".venv", ".local", ".git", "__pycache__", ".*_cache", ".hypothesis", "*.pyc")
COMMAND_SECONDS = 300
INSTANCE = "X-Goldfleet-Instance"
RELEASE = "X-Goldfleet-Release"


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code, and all that it printed."""

    code: int
    text: str


@dataclass(frozen=True)
class Cloud:
    """One checkout, in `folder`."""

    folder: Path

    @classmethod
    def copy(cls, folder: Path) -> Cloud:
        """A copy of this checkout as it is, uncommitted changes included, without what is made from it."""
        shutil.copytree(CHECKOUT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        return cls(folder)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `goldfleet ARGUMENTS` in a process group of its own, as a shell does."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "goldfleet.cli", *arguments],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self, *arguments: str) -> Done:
        """Runs a command to its end."""
        with self.start(*arguments) as process:
            text, _ = process.communicate(timeout=COMMAND_SECONDS)
        return Done(process.returncode, text)

    def do(self, *arguments: str) -> str:
        """Runs a command that must succeed; returns what it printed."""
        done = self.run(*arguments)
        assert done.code == 0, done.text
        return done.text

    def status(self) -> dict[str, Any]:
        """What `goldfleet status --json` says."""
        answer: dict[str, Any] = json.loads(self.do("status", "--json"))
        return answer

    @property
    def url(self) -> str:
        return str(self.status()["url"])

    @property
    def run_folder(self) -> RunFolder:
        return RunFolder(self.folder / ".local" / "run")

    @property
    def recorded_run(self) -> Run:
        recorded = self.run_folder.read_run()
        assert recorded
        return recorded

    def processes(self) -> list[Process]:
        """All living processes of this cloud."""
        return processes.of_run(self.run_folder)

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud's control plane."""
        settings = Account("123456789012", "us-east-1", self.recorded_run.endpoint)
        return AwsSession(settings).client(service)

    def clones(self) -> dict[str, dict[str, Any]]:
        """Healthy clones by instance id."""
        return {clone["id"]: clone for clone in self.status()["clones"] if clone["health"] == "healthy"}

    def settled(self, count: int) -> None:
        """Waits until exactly `count` clones are there, and all are healthy."""

        def is_settled() -> bool:
            view = self.status()
            return len(view["clones"]) == count and all(clone["health"] == "healthy" for clone in view["clones"])

        wait(is_settled, 90)

    def answers_by_clone(self, requests: int, client: httpx.Client | None = None) -> Counter[str]:
        """Sends requests one after the other; who answered how often."""
        with client or httpx.Client(base_url=self.url, timeout=10) as sender:
            answers = [sender.get("/") for _ in range(requests)]
        assert {answer.status_code for answer in answers} == {200}
        return Counter(answer.headers[INSTANCE] for answer in answers)


def wait(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def kill(process: Process) -> None:
    """What no process can prepare for."""
    os.kill(process.pid, signal.SIGKILL)
