"""One process that is started anew whenever a file changes, until the person ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

from goldfleet.errors import LocalCloudError
from local import processes
from local.run_folder import RunFolder

_STOPS = (signal.SIGINT, signal.SIGTERM)
LOOK_MILLISECONDS = 500
"""How often the process is looked at while no file changes."""


@dataclass(frozen=True)
class Reloader:
    """A process of the local cloud at the person's terminal.

    Args:
        folder: the run that it belongs to: `goldfleet down` ends it too.
        name: of its record, unique in the run.
        command: program and arguments, without secrets.
        cwd: working directory.
        environment: all its variables.
        watched: files below these folders start it anew.
        grace: seconds that it gets to stop before it is killed.
        report: is told when it starts anew, and when it ended by itself.
    """

    folder: RunFolder
    name: str
    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    watched: tuple[Path, ...]
    grace: float
    report: Callable[[str], None]

    def run(self) -> None:
        """Returns after Ctrl-C or SIGTERM; the process has ended then.

        Raises:
            LocalCloudError: the run is over.
        """
        before = {number: signal.signal(number, signal.default_int_handler) for number in _STOPS}
        process, alive = self._start(), True
        try:
            for changed in watch(*self.watched, rust_timeout=LOOK_MILLISECONDS, yield_on_timeout=True):
                if not self.folder.root.exists():
                    raise LocalCloudError("local cloud", "was stopped, and the app with it", "run `goldfleet up`")
                if changed:
                    first = os.path.relpath(min(path for _, path in changed), self.cwd)
                    self.report(f"{first} changed, starting anew")
                    self._stop(process)
                    process, alive = self._start(), True
                elif alive and process.poll() is not None:
                    alive = False
                    self.report(f"it ended with exit code {process.returncode}; the next change starts it anew")
        except KeyboardInterrupt:
            pass  # how a person ends it
        finally:
            for number in _STOPS:
                signal.signal(number, signal.SIG_IGN)  # once is enough
            self._stop(process)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> subprocess.Popen[bytes]:
        # A process group of its own: Ctrl-C is for this command, which then stops it in order.
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            cwd=self.cwd,
            env=dict(self.environment),
            process_group=0,
        )
        processes.record(self.folder, self.name, process.pid, self.command)
        return process

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(self.grace)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        processes.forget(self.folder, self.name)
