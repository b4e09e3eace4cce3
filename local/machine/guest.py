"""A machine that runs: started, switched off, ended."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from goldfleet.errors import LocalCloudError, ToolMissing
from local.accounts import Account, unprivileged
from local.machine import qemu
from local.machine.console import Console
from local.machine.monitor import Monitor
from local.machine.qemu import Machine
from local.plane.actor import clean_environment, end, last_line
from local.processes import Program, forget, spawn, wait_until
from local.run_folder import RunFolder

_ENDS = 5.0


def program() -> str:
    """Path of QEMU.

    Raises:
        ToolMissing: it is not here.
    """
    found = shutil.which(qemu.PROGRAM)
    if found is None:
        raise ToolMissing(
            qemu.PROGRAM,
            "not found",
            "`apt-get install qemu-system-x86`, or `dnf install qemu-system-x86-core`",
        )
    return found


def account(disks: Sequence[Path], folder: Path) -> Account:
    """Who runs QEMU: like every server, nobody who could harm this computer.

    Args:
        disks: the files that it must read.
        folder: where it works.
    """
    return unprivileged([*disks, Path(sys.executable), Path(sys.base_prefix), qemu.DOOR, folder])


class Guest:
    """A running machine.

    Args:
        folder: the run; the process is recorded there, so that it is found and ended if this one is killed.
        name: of the process, unique in the run.
        machine: what to run.
        home: a folder for its console, its log and what it writes to its disks while it runs.
        owner: who runs QEMU; `home` belongs to it.

    Raises:
        ToolMissing: QEMU is not here.
        LocalCloudError: it refuses to start.
    """

    def __init__(self, folder: RunFolder, name: str, machine: Machine, home: Path, owner: Account) -> None:
        self._folder, self._name, self._log = folder, name, home / "qemu.log"
        console, consoles_end = socket.socketpair()
        monitor, monitors_end = socket.socketpair()
        with consoles_end, monitors_end:
            self.process: subprocess.Popen[bytes] = spawn(
                folder,
                Program(
                    name=name,
                    command=qemu.command(machine, program(), consoles_end.fileno(), monitors_end.fileno()),
                    cwd=home,
                    output=self._log,
                    environment=clean_environment(TMPDIR=str(home)),
                    account=owner,
                    descriptors=(consoles_end.fileno(), monitors_end.fileno()),
                ),
            )
        self.monitor = Monitor(monitor)
        self.console = Console(console, home / "console.log")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def why_ended(self) -> str:
        """What QEMU itself said last."""
        return last_line(self._log)

    def power_off(self, seconds: float) -> None:
        """Presses the power button and waits until the machine has switched itself off.

        Raises:
            LocalCloudError: it is still on after so many seconds.
        """
        self.monitor.press_power()
        if not wait_until(lambda: not self.alive, seconds):
            raise LocalCloudError(self._name, f"is still on {seconds:.0f} s after ACPI power-off", "read its console")

    def pull_plug(self) -> None:
        """Ends the machine at once, as when its host fails."""
        end(self.process, signal.SIGKILL, _ENDS)

    def close(self) -> None:
        """Ends it, if it still runs, and lets go of everything but its files."""
        self.pull_plug()
        forget(self._folder, self._name)
        self.monitor.close()
        self.console.close()
