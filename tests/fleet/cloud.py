"""A copy of this checkout with a local cloud of its own, worked as a person works it: by the command, HTTP and AWS."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.cli.stack_view import Clone, View, find_group, observe
from goldfleet.contract.names import Names
from local import processes
from local.processes import Process
from local.run_folder import Run, RunFolder

LEFT_OUT = (".venv", ".local", ".git", "__pycache__", ".*_cache", ".hypothesis", "*.pyc")
PROJECT, STACK = "goldfleet", "local"
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

    def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> Done:
        """Runs a command to its end, which must come within `seconds`."""
        with self.start(*arguments) as process:
            try:
                text, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()  # or leaving the block would wait for it
                raise
        return Done(process.returncode, text)

    def do(self, *arguments: str) -> str:
        """Runs a command that must succeed; returns what it printed."""
        done = self.run(*arguments)
        assert done.code == 0, done.text
        return done.text

    def view(self) -> View:
        """What AWS says of the stack, as `goldfleet status` shows it."""
        setting = SettingsFile(self.folder, STACK).raw()["fleet"]["desired"]
        return observe(session(self.recorded_run.endpoint), Names(PROJECT, STACK), setting)

    @property
    def url(self) -> str:
        return self.view().url

    @property
    def run_folder(self) -> RunFolder:
        return RunFolder(self.folder / ".local" / "run")

    @property
    def recorded_run(self) -> Run:
        recorded = self.run_folder.read_run()
        assert recorded
        return recorded

    def scale_by_metrics(self, on: bool) -> None:
        """Whether alarms may move the count of clones; a test that needs its own count does not want it."""
        client = session(self.recorded_run.endpoint).client("autoscaling")
        change = client.resume_processes if on else client.suspend_processes
        change(AutoScalingGroupName=self.group, ScalingProcesses=["AlarmNotification"])

    def desire(self, count: int) -> None:
        """Tells the group how many clones to have, past the setting, and waits until they serve."""
        client = session(self.recorded_run.endpoint).client("autoscaling")
        client.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=count)
        self.settled(count)

    @property
    def group(self) -> str:
        """Name of the fleet's Auto Scaling group."""
        return str(find_group(session(self.recorded_run.endpoint), Names(PROJECT, STACK))["AutoScalingGroupName"])

    def processes(self) -> list[Process]:
        """All living processes of this cloud."""
        return processes.of_run(self.run_folder)

    def clones(self) -> dict[str, Clone]:
        """Healthy clones by instance id."""
        return {clone.id: clone for clone in self.view().clones if clone.health == "healthy"}

    def settled(self, count: int) -> None:
        """Waits until exactly `count` clones are there, and all are healthy."""
        wait(lambda: len(self.view().clones) == len(self.clones()) == count, 90)

    def answers_by_clone(self, requests: int, client: httpx.Client | None = None) -> Counter[str]:
        """Sends requests one after the other; who answered how often."""
        with client or httpx.Client(base_url=self.url, timeout=10) as sender:
            answers = [sender.get("/") for _ in range(requests)]
        assert {answer.status_code for answer in answers} == {200}
        return Counter(answer.headers[INSTANCE] for answer in answers)


@contextmanager
def running_cloud(folder: Path) -> Iterator[Cloud]:
    """A cloud in this folder after `goldfleet up`, whose count no alarm moves; it ends with `goldfleet down`."""
    cloud = Cloud.copy(folder)
    try:
        cloud.do("up")
        cloud.scale_by_metrics(False)
        yield cloud
    finally:
        cloud.do("down")


@cache
def session(endpoint: str) -> AwsSession:
    """Calls to a control plane."""
    return AwsSession(Account(DUMMY_ACCOUNT, "us-east-1", endpoint))


def wait(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def kill(process: Process) -> None:
    """What no process can prepare for."""
    os.kill(process.pid, signal.SIGKILL)
