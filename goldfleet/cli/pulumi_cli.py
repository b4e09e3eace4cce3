"""Runs the Pulumi CLI for the Automation API: an exact environment, interrupts forwarded once, a deadline.

The SDK's own runner inherits all of the caller's environment and leaves an interrupt to chance: a Ctrl-C then leaves a
locked state and an orphaned provider behind. It also reads from pipes: an engine whose caller was killed dies of its
next line, with half its work unrecorded. Here it writes to files, so it records what it has made and ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO

from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

DEADLINE = 2 * 60 * 60.0
"""Seconds for one run of the CLI: longer than AWS needs for all databases of a stack."""
GRACE = 60.0
"""Seconds that the engine gets to stop after an interrupt, before it is killed."""


class PulumiCli(PulumiCommand):
    """The Pulumi CLI at a path.

    Args:
        path: the executable.
        version: its version.
        environment: all that it sees, beside what the Automation API adds.
        output: folder for the nameless files that take its output; None: the system's.
        deadline: seconds for one run.
    """

    def __init__(
        self,
        path: Path,
        version: VersionInfo,
        environment: Mapping[str, str],
        output: Path | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self.command = str(path)
        self.version = version
        self._environment = dict(environment)
        self._output = output
        self._deadline = deadline
        self._running: subprocess.Popen[bytes] | None = None
        self._interrupted = False
        self._told: subprocess.Popen[bytes] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """Runs `pulumi ARGS`; it is given no terminal, so it never asks.

        Raises:
            KeyboardInterrupt: the person interrupted; the engine has stopped.
            CommandError: the CLI failed.
        """
        environment = {**self._environment, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with TemporaryFile(dir=self._output) as output, TemporaryFile(dir=self._output) as errors:
            with self._supervised() as watch:
                process = subprocess.Popen(
                    [self.command, "--non-interactive", *args],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    cwd=cwd,
                    env=environment,
                    start_new_session=True,
                )
                watch(process)
                process.wait()
            result = CommandResult(_text(output, on_output), _text(errors, on_error), process.returncode)
        if self._interrupted:
            raise KeyboardInterrupt
        if result.code != 0:
            raise create_command_error(result)
        return result

    @contextmanager
    def _supervised(self) -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
        """While inside: an interrupt reaches the engine that is named to `watch`, and past the deadline it is killed.

        The handlers are there before the engine is, so that none can be started and forgotten by a Ctrl-C.
        """
        main_thread = threading.current_thread() is threading.main_thread()
        before = {number: signal.signal(number, self._interrupt) for number in _STOPS} if main_thread else {}
        timers: list[threading.Timer] = []

        def watch(process: subprocess.Popen[bytes]) -> None:
            self._running = process
            timers.append(_kill_after(self._deadline, process))
            self._forward()

        try:
            yield watch
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for timer in timers:
                timer.cancel()
            self._running = None

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
        self._forward()

    def _forward(self) -> None:
        """Tells the engine once, if there was an interrupt and it runs."""
        process = self._running
        if not self._interrupted or process is None or process is self._told or process.poll() is not None:
            return
        self._told = process
        process.send_signal(signal.SIGINT)
        _kill_after(GRACE, process)


_STOPS = (signal.SIGINT, signal.SIGTERM)


def _kill_after(seconds: float, process: subprocess.Popen[bytes]) -> threading.Timer:
    timer = threading.Timer(seconds, _kill, (process,))
    timer.daemon = True
    timer.start()
    return timer


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _text(file: IO[bytes], callback: OnOutput | None) -> str:
    file.seek(0)
    lines = [line.rstrip() for line in file.read().decode(errors="replace").splitlines()]
    if callback:
        for line in lines:
            callback(line)
    return "\n".join(lines)
