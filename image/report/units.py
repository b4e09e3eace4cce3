"""What systemd says: states of units, how long the boot took, how exposed the app is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

from goldfleet.contract.service import UNIT

_TIMEOUT = 60


def ask(*command: str) -> str:
    """The output of one of systemd's commands; empty when it fails."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def app() -> dict[str, str]:
    """State of the app's unit (systemctl(1), "show")."""
    names = "ActiveState,SubState,Result,NRestarts,ExecMainStatus"
    return properties(ask("systemctl", "show", UNIT, f"--property={names}"))


def properties(text: str) -> dict[str, str]:
    """Lines `name=value`."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def ended(state: Mapping[str, str]) -> bool:
    """True when the app's unit was not started, or has given up; between two starts it is `activating`."""
    return state.get("ActiveState") in ("failed", "inactive")


def failed() -> list[str]:
    """Units that have failed."""
    lines = ask("systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def exposure(text: str) -> float | None:
    """The overall exposure level in the output of `systemd-analyze security UNIT`: 0 (none) to 10."""
    found = re.search(r"Overall exposure level for \S+: (\d+(?:\.\d+)?)", text)
    return float(found[1]) if found else None


def app_exposure() -> float | None:
    """Of the app's unit."""
    return exposure(ask("systemd-analyze", "security", "--no-pager", UNIT))


def slowest(count: int = 8) -> list[str]:
    """The units whose start took longest, with their times."""
    return [line.strip() for line in ask("systemd-analyze", "blame", "--no-pager").splitlines()[:count]]
