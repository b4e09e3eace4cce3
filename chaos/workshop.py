"""A copy of this checkout, in which a fault edits the app and the settings: what the person has is never touched.

Its `.local` is this checkout's own, so its commands work on the same local cloud, with the copy's app and settings.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType

from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.cli.stack_account import LOCAL
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

    @property
    def reason(self) -> str:
        """The sentence that it failed with; empty if it did not."""
        return next((line for line in self.text.splitlines() if line.startswith("error: ")), "").removeprefix("error: ")


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

    def append(self, path: str, text: str) -> None:
        """Adds to the end of one of the copy's files; makes the file if there is none."""
        with (self.folder / path).open("a") as file:
            file.write(text)

    @property
    def settings(self) -> SettingsFile:
        """The copy's own settings of the stack."""
        return SettingsFile(self.folder, LOCAL, local_cloud.endpoint())

    def begin(self, *arguments: str) -> Command:
        """Starts a verb."""
        return Command(self.folder, arguments)

    def run(self, *arguments: str) -> Done:
        """Runs a verb to its end; an interrupt interrupts it too, and waits for it.

        Raises:
            LocalCloudError: it did not end in time.
        """
        with self.begin(*arguments) as command:
            return command.wait()

    def do(self, *arguments: str) -> str:
        """Runs a verb that must succeed.

        Raises:
            LocalCloudError: it failed; and why.
        """
        done = self.run(*arguments)
        if done.code != 0:
            raise LocalCloudError(f"goldfleet {' '.join(arguments)}", done.reason or "failed", "see `goldfleet status`")
        return done.text


class Command:
    """A verb that runs in the copy; leaving the block interrupts it, as Ctrl-C does, if it has not ended."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self._name = f"goldfleet {' '.join(arguments)}"
        self._output = TemporaryFile("w+")  # noqa: SIM115  closed with the command
        self._process = subprocess.Popen(
            [sys.executable, "-m", "goldfleet.cli", *arguments],
            cwd=folder,
            env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> Done:
        """Waits for its end.

        Raises:
            LocalCloudError: it did not end in time.
        """
        try:
            code = self._process.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            what = f"did not end within {COMMAND_SECONDS} s"
            raise LocalCloudError(self._name, what, "see `goldfleet status`") from error
        self._output.seek(0)
        return Done(code, self._output.read())

    def __enter__(self) -> Command:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._output.close()
