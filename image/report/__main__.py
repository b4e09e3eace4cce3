"""The command: `python -m image.report`. Prints one line, `{"time": ..., "report": {...}}`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from image.launch import log
from image.report import health, posture, sockets, units

EPILOG = """\
It waits until the app answers its health check or has failed, then looks at the machine and prints one JSON line:
seconds since the kernel started, state of the app's unit and its exposure (systemd-analyze security), failed units,
sockets that wait for others and why they may, what a write to the root file system got, mounts, accounts that can log
in, files with private keys, a hash of the machine's id, the slowest units. What cannot be read is null, and `problems`
says why. The exit code is 0.
"""


def look(*, healthy: bool, key_folders: Sequence[str] = posture.KEY_FOLDERS) -> dict[str, object]:
    """All that the report says.

    Args:
        healthy: whether the app has answered.
        key_folders: where private keys are looked for.
    """
    problems: list[str] = []

    def read(what: Callable[[], object]) -> object:
        try:
            return what()
        except (OSError, ValueError, KeyError, IndexError) as error:
            problems.append(f"{type(error).__name__}: {error}")
            return None

    tables = {name: Path("/proc/net", name) for name in sockets.PROTOCOLS}
    return {
        "healthy": healthy,
        "seconds": round(time.monotonic(), 1),
        "app": read(units.app),
        "exposure": read(units.app_exposure),
        "failed_units": read(units.failed),
        "sockets": read(
            lambda: [
                asdict(socket)
                for socket in sockets.listening(
                    {name: path.read_text() for name, path in tables.items() if path.exists()}, sockets.reasons()
                )
            ]
        ),
        "writes": read(posture.writes),
        "mounts": read(lambda: posture.mounts(Path("/proc/self/mounts").read_text())),
        "logins": read(lambda: posture.logins(Path("/etc/shadow").read_text())),
        "keys": read(lambda: posture.keys(key_folders)),
        "machine_id": read(posture.machine_id),
        "slowest": read(units.slowest),
        "problems": problems,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m image.report",
        description="Says once what this machine's boot has come to.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    trouble = health.wait()
    if trouble:
        log.line("error", "the app is not healthy", reason=trouble)
    report = look(healthy=not trouble)
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": "info", "logger": "image"}
    sys.stdout.write(json.dumps({**line, "message": "boot report", "report": report}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
