"""What a console says about a machine that will not serve. Decides only: text -> the reason in plain words.

As soon as a reason is known there is nothing to wait for: what ends at its first start ends at its fifth too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_MACHINE = (
    (r"Kernel panic - not syncing: (.+)", "the kernel gave up: {}"),
    (r"The boot has failed: (.+)", "the boot has failed: {}"),
    (r"(?:BdsDxe: No bootable option|map: No mapping found)", "the firmware finds nothing to boot"),
    (r"ALERT! +(.+) does not exist", "the initial RAM disk does not find the root file system: {}"),
    (r"Timed out waiting for device (.+)", "a volume is not there: {}"),
    (r"(Failed to start goldfleet-\S+.+)", "{}"),
)
"""What firmware, kernel and systemd say when there is no machine to run the app on."""
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_ENDED = "the app has ended"
"""What the image says after each end of the app that nobody asked for, with its reason."""
_APP_FAILED = re.compile(r"goldfleet-app\.service: Failed with result '(.+)'")


def reason(console: str) -> str | None:
    """Why the machine will not serve, or None while it still may.

    Args:
        console: all that it has said so far; a line counts once it is complete.
    """
    lines = console.splitlines()[: None if console.endswith("\n") else -1]
    return _app(lines) or _machine(lines)


def _app(lines: Sequence[str]) -> str | None:
    for line in lines:
        why = _reason_told(line)
        if why is not None:
            missing = _MISSING_MODULE.search(why)
            return f"the module '{missing[1]}' is missing from the image; {why}" if missing else why
        if failed := _APP_FAILED.search(line):
            return f"the app's unit failed with result '{failed[1]}'"
    return None


def _machine(lines: Sequence[str]) -> str | None:
    for line in lines:
        for pattern, words in _MACHINE:
            if found := re.search(pattern, line):
                return words.format(*found.groups())
    return None


def _reason_told(line: str) -> str | None:
    start = line.find("{")
    try:
        told = json.loads(line[start:]) if start >= 0 else None
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("message") != _ENDED:
        return None
    return str(told.get("reason", _ENDED))
