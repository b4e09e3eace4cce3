"""A copy of this checkout, in which a fault edits the app and the settings: what the person has is never touched.

Its `.local` is this checkout's own, so its commands work on the same local cloud, with the copy's app and settings.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.errors import LocalCloudError

LEFT_OUT = (".venv", ".local", ".git", "__pycache__", ".*_cache", ".hypothesis", "*.pyc", "tests", "docs", "bench")
KEPT_VARIABLES = ("PATH", "HOME", "XDG_CACHE_HOME")
COMMAND_SECONDS = 600
STOP_SECONDS = 60


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Args:
        code: its exit code.
        text: all that it printed.
    """

    code: int
    text: str


@dataclass(frozen=True)
class Workshop:
    """The copy, in `folder`."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Workshop:
        """Copies this checkout into a new folder."""
        shutil.copytree(CHECKOUT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (folder / ".local").symlink_to(CHECKOUT / ".local")
        return cls(folder)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replaces a text in one of the copy's files.

        Raises:
            LocalCloudError: it is not there.
        """
        file = self.folder / path
        text = file.read_text()
        if old not in text:
            raise LocalCloudError(path, f"has no {old!r} to be broken", "bring chaos/faults/ up to date with the app")
        file.write_text(text.replace(old, new, 1))

    def goldfleet(self, *arguments: str) -> Done:
        """Runs a verb to its end; an interrupt interrupts it too, and waits for it.

        Raises:
            LocalCloudError: it did not end in time.
        """
        with subprocess.Popen(
            [sys.executable, "-m", "goldfleet.cli", *arguments],
            cwd=self.folder,
            env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        ) as process:
            try:
                text, _ = process.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise LocalCloudError(
                    f"goldfleet {' '.join(arguments)}",
                    f"did not end within {COMMAND_SECONDS} s",
                    "see `goldfleet status`",
                ) from error
            finally:
                _end(process)
        return Done(process.returncode, text)

    def do(self, *arguments: str) -> str:
        """Runs a verb that must succeed.

        Raises:
            LocalCloudError: it failed; with the end of what it printed.
        """
        done = self.goldfleet(*arguments)
        if done.code != 0:
            raise LocalCloudError(f"goldfleet {' '.join(arguments)}", done.text[-2000:], "see `goldfleet status`")
        return done.text


def _end(process: subprocess.Popen[str]) -> None:
    """Asks a command to end, as Ctrl-C does; kills it when it takes too long."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
