"""What every actor offers to the loop, and the few steps that all of them take."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from goldfleet.errors import LocalCloudError
from local.accounts import Account
from local.processes import wait_until
from local.run_folder import RunFolder

S_contra = TypeVar("S_contra", contravariant=True)


class StorageGone(LocalCloudError):
    """What a unit had written is not there any more: starting it again would not bring it back."""


READY = 30.0
"""Seconds that a server has to answer after it was started."""


class Actor(Protocol[S_contra]):
    """Starts, changes and stops one kind of unit; every call is bounded in time and may be repeated after a failure."""

    def start(self, spec: S_contra) -> subprocess.Popen[bytes]:
        """Starts it with the data it has; returns when it answers."""

    def change(self, process: subprocess.Popen[bytes], before: S_contra, spec: S_contra) -> subprocess.Popen[bytes]:
        """Makes the running process what `spec` says; returns it, or the one that took its place."""

    def stop(self, process: subprocess.Popen[bytes] | None, spec: S_contra, *, forget: bool) -> None:
        """Ends it, gracefully at first; with `forget`, removes its data."""


def clean_environment(**own: str) -> dict[str, str]:
    """The whole environment of a server: nothing of the person's, no credentials."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **own}


def wait_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float = READY) -> None:
    """Waits until the server answers.

    Raises:
        LocalCloudError: it ended, or does not answer in time; it does not run any more.
    """
    wait_until(lambda: process.poll() is not None or ready(), seconds)
    if process.poll() is None and ready():
        return
    what = "does not answer" if process.poll() is None else f"ended with code {process.returncode}"
    end(process, signal.SIGKILL, 5.0)
    raise LocalCloudError(log.parent.name, f"{what}: {last_line(log)}", f"read {log}")


def end(process: subprocess.Popen[bytes] | None, how: signal.Signals, seconds: float) -> None:
    """Sends a signal, waits, then kills the process and its session."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(seconds)


@dataclass(frozen=True)
class OneShot:
    """A program that runs to its end for one step of an actor.

    Args:
        folder: the run. The tool's complaints go to an unnamed file there, so it is found if its supervisor is killed.
        account: who it runs as.
        environment: all its variables.
        seconds: how long it may take.
    """

    folder: RunFolder
    account: Account
    environment: Mapping[str, str]
    seconds: float

    def run(self, command: tuple[str, ...], text: str = "") -> str:
        """Runs it with `text` as its standard input; returns what it wrote to standard output.

        Raises:
            LocalCloudError: it failed or took too long; what it said last is in the error.
        """
        name = Path(command[0]).name
        with tempfile.TemporaryFile(dir=self.folder.root) as complaints:
            try:
                done = subprocess.run(
                    (*self.account.prefix, *command),
                    input=text.encode(),
                    env=dict(self.environment),
                    cwd="/",
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    timeout=self.seconds,
                    check=False,
                    user=self.account.uid,
                    group=self.account.gid,
                    extra_groups=None if self.account.uid is None else [],
                )
            except subprocess.TimeoutExpired:
                raise LocalCloudError(
                    name, f"not done after {self.seconds:.0f} seconds", "is the machine overloaded?"
                ) from None
            complaints.seek(0)
            said = complaints.read() or done.stdout
        if done.returncode:
            lines = said.decode(errors="replace").strip().splitlines()
            raise LocalCloudError(name, f"failed: {lines[-1] if lines else done.returncode}", "read the log")
        return done.stdout.decode()


def last_line(log: Path) -> str:
    """The last line of a log, or what is known instead."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "it said nothing"
    return lines[-1] if lines else "it said nothing"


def remove_data(folder: Path) -> None:
    """Removes a folder and all in it."""
    if folder.exists():
        shutil.rmtree(folder)
