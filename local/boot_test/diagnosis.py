"""What a console says about a machine that will not serve. Decides only: text -> the reason in plain words.

A machine that fails says so in many lines; the reason is the first thing that went wrong, not the last thing that was
complained about. As soon as a reason is known there is nothing to wait for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from goldfleet.contract import service

_PREFIX = re.compile(r"^(\[ *\d+\.\d+\] )?(<\d>)?([\w@.:-]+\[\d+\]: )?")
"""What the kernel and the journal put before a line on a console: seconds since power-on, program and process id."""

_MISSING_MODULE = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'")
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Refused|Missing|Failed))(?:: (.*))?$")
_TOLD = re.compile(r"^[^\s{\[][^:]*: .+; .+$")
"""An error of ours: where: what; way out."""

_END = re.compile(
    rf"{re.escape(service.UNIT)}: (Failed with result|Main process exited, code=(exited, status=[1-9]|killed|dumped))"
)
_MACHINE = (
    (re.compile(r"Kernel panic - not syncing: (.+)"), "the kernel gave up: {}"),
    (
        re.compile(r"You are in emergency mode"),
        "systemd stopped in emergency mode: a file system it needs is not there",
    ),
    (re.compile(r"Timed out waiting for device (.+?)\.?$"), "a volume is not there: {}"),
    (re.compile(r"BdsDxe: No bootable option or device was found"), "the firmware finds nothing to boot"),
    (re.compile(r"ALERT! +(.+) does not exist"), "the initial RAM disk does not find its root file system: {}"),
)


def reason(console: str) -> str | None:
    """Why the machine will never serve, or None while it still may.

    Args:
        console: all that it has said.
    """
    lines = [_PREFIX.sub("", line.rstrip()) for line in console.splitlines()]
    return next((found for find in _FINDERS if (found := find(lines))), None)


def _machine(lines: Sequence[str]) -> str | None:
    for line in lines:
        for pattern, words in _MACHINE:
            if found := pattern.search(line):
                return words.format(*found.groups())
    return None


def _launcher(lines: Sequence[str]) -> str | None:
    """The launcher ends with one line that tells why; for a migration, the lines above tell more."""
    for number, line in enumerate(lines):
        told = _json(line)
        if told.get("message") == "launch failed":
            why = str(told.get("reason", "it does not say why"))
            if not why.startswith("migration"):
                return f"the launcher gave up: {why}"
            return f"the migration failed: {_last_words(lines[:number]) or why}"
    return None


def _app(lines: Sequence[str]) -> str | None:
    """The app's own process has ended though nobody asked it to."""
    for number, line in enumerate(lines):
        if _END.search(line):
            return f"the app ended at its start: {_last_words(lines[:number]) or line}"
    return None


def _last_words(lines: Sequence[str]) -> str | None:
    """What a process said last about why it ends: an exception of Python, or an error of ours."""
    for line in reversed(lines):
        if found := _MISSING_MODULE.match(line):
            return f"the module '{found[1]}' is missing from the image"
        if _EXCEPTION.match(line) or _TOLD.match(line):
            return line
        told = _json(line)
        if str(told.get("level", "")).lower() in ("error", "critical"):
            return str(told.get("message"))
    return None


def _json(line: str) -> dict[str, Any]:
    start = line.find("{")
    try:
        value = json.loads(line[start:]) if start >= 0 else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


_FINDERS: tuple[Callable[[Sequence[str]], str | None], ...] = (_machine, _launcher, _app)
