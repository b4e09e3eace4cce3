"""Processes of a run: recorded when they start, found again when their supervisor is dead, and ended.

A record holds the kernel's start time beside the process id, so that a number that the kernel gave to another process
since is never taken for ours. A process that a killed supervisor had no time to record is found by what it writes to:
every process of a run has a file of the run folder as its output.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.accounts import MYSELF, Account
from local.run_folder import RunFolder, write_private

_STARTED_FIELD = 22
_PROC = Path("/proc")
_POLL = 0.02


@dataclass(frozen=True)
class Process:
    """A process as recorded.

    Args:
        name: unique in the run, for example `postgres-main`.
        pid: process id.
        started: its start time in clock ticks since boot.
        command: program and arguments; they never hold a secret.
    """

    name: str
    pid: int
    started: int
    command: tuple[str, ...]

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is none, or only its exit status is left.

    Source: proc(5), field 22 of `/proc/PID/stat`.
    """
    folder = _PROC / str(pid)
    try:
        state, *fields = (folder / "stat").read_text().rpartition(")")[2].split()
        # The first thread can be gone while others still hold the process's ports.
        over = state in "ZX" and len(list((folder / "task").iterdir())) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if over else int(fields[_STARTED_FIELD - 4])


@dataclass(frozen=True)
class Program:
    """A process to be started.

    Args:
        name: name of its record, unique in the run.
        command: program and arguments, without secrets.
        cwd: working directory.
        output: file of the run folder that takes standard output and error, appended.
        environment: all its variables.
        account: who it runs as.
        descriptors: open files that it inherits, under the same numbers.
    """

    name: str
    command: tuple[str, ...]
    cwd: Path
    output: Path
    environment: Mapping[str, str]
    account: Account = MYSELF
    descriptors: tuple[int, ...] = ()


def spawn(folder: RunFolder, program: Program) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own and records it."""
    command = (*program.account.prefix, *program.command)
    descriptor = os.open(program.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        program.account.give(program.output)
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=program.cwd,
            env=dict(program.environment),
            start_new_session=True,
            user=program.account.uid,
            group=program.account.gid,
            extra_groups=None if program.account.uid is None else [],
            pass_fds=program.descriptors,
        )
    finally:
        os.close(descriptor)
    record(folder, program.name, child.pid, command)
    return child


def record(folder: RunFolder, name: str, pid: int, command: Sequence[str]) -> None:
    """Writes `processes/NAME.json`, unless the process is gone already."""
    started = start_time(pid)
    if started is not None:
        process = Process(name, pid, started, tuple(command))
        write_private(folder.processes / f"{name}.json", json.dumps(asdict(process)))


def forget(folder: RunFolder, name: str) -> None:
    """Removes a record."""
    (folder.processes / f"{name}.json").unlink(missing_ok=True)


def recorded(folder: RunFolder) -> list[Process]:
    """The recorded processes that are alive."""
    return [process for path in sorted(folder.processes.glob("*.json")) if (process := _read(path)) and process.alive]


def of_run(folder: RunFolder) -> list[Process]:
    """Every living process of the run but this one: the recorded ones and those that write to a file of its folder."""
    known = {process.pid: process for process in recorded(folder)}
    for pid in _writers(folder.root.resolve()):
        started = start_time(pid)
        if pid not in known and started is not None:
            known[pid] = Process(f"pid-{pid}", pid, started, ())
    return [process for process in known.values() if process.pid != os.getpid()]


def end_all(folder: RunFolder, *, grace: float) -> list[Process]:
    """Ends every process of a run but this one; asked first, killed when `grace` seconds have passed.

    Returns:
        those that were found.
    """
    found = of_run(folder)
    end(found, signal.SIGTERM, grace=grace)
    while late := of_run(folder):
        end(late, signal.SIGKILL, grace=grace)
        found += late
    for process in found:
        forget(folder, process.name)
    return found


def end(processes: Iterable[Process], how: signal.Signals, *, grace: float) -> None:
    """Sends a signal to each, waits at most `grace` seconds for all, then kills what is left with its session."""
    processes = list(processes)
    for process in processes:
        _signal(process, how)
    wait_until(lambda: not any(process.alive for process in processes), grace)
    for process in processes:
        if process.alive:
            _signal(process, signal.SIGKILL, whole_session=True)
    wait_until(lambda: not any(process.alive for process in processes), grace)


def tree(pid: int) -> Iterator[int]:
    """A process and all below it: who stops each as it comes leaves no parent that bears another meanwhile.

    Source: proc(5), `/proc/PID/task/TID/children`.
    """
    yield pid
    try:
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def wait_until(done: Callable[[], bool], seconds: float, every: float = _POLL) -> bool:
    """Waits until `done()`, asked `every` so many seconds, or until the seconds have passed; says which."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _signal(process: Process, how: signal.Signals, *, whole_session: bool = False) -> None:
    if not process.alive:
        return
    try:
        if whole_session and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, how)
        else:
            os.kill(process.pid, how)
    except ProcessLookupError:
        pass


def _read(path: Path) -> Process | None:
    try:
        raw = json.loads(path.read_text())
        return Process(raw["name"], int(raw["pid"]), int(raw["started"]), tuple(raw["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _writers(root: Path) -> list[int]:
    """Process ids whose standard output or error is a file below `root`."""
    found = []
    for folder in _PROC.glob("[0-9]*"):
        for descriptor in ("1", "2"):
            try:
                target = Path((folder / "fd" / descriptor).readlink())
            except OSError:
                continue
            if target.is_relative_to(root):
                found.append(int(folder.name))
                break
    return found
