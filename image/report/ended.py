"""Why the app ended, in plain words: `python -m image.report.ended`, which the app's unit starts after each end.

systemd tells how it ended, the journal what it said last.
Source: systemd.exec(5), "$SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS"; systemd.journal-fields(7).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

from goldfleet.contract import service
from image.launch import log
from image.report import units

LINES = 20
ENDED = "the app has ended"
"""What the line says that gives a reason for one end of the app."""
_LONGEST = 400


def main() -> int:
    """Writes one line to the log, unless the app was stopped or has ended well."""
    variables = os.environ
    if variables.get("SERVICE_RESULT", "success") != "success":
        invocation = variables.get("INVOCATION_ID", "")
        own = (f"_SYSTEMD_INVOCATION_ID={invocation}", f"_SYSTEMD_UNIT={service.UNIT}")
        text = units.ask("journalctl", "--boot", "--output=cat", "--no-pager", f"--lines={LINES}", *own)
        log.line("error", ENDED, reason=sentence(variables, text.splitlines()))
    return 0


def sentence(variables: Mapping[str, str], lines: Sequence[str]) -> str:
    """How it ended, and the last thing it said.

    Args:
        variables: as systemd sets them for ExecStopPost=.
        lines: the last ones of the app, the newest at the end.
    """
    said = last_words(lines)
    return f"{_manner(variables)}; " + (f"its last words: {said}" if said else "it said nothing")


def last_words(lines: Sequence[str]) -> str:
    """The newest line that gives a reason: the launcher's with what led to it, else what a crash ended with."""
    texts = [line for line in lines if line.strip()]
    if not texts:
        return ""
    reason = _fields(texts[-1]).get("reason")
    before = [text for text in texts[:-1] if not _fields(text)]
    if isinstance(reason, str):
        return _cut(f"{reason} ({before[-1].strip()})" if "lines above" in reason and before else reason)
    return _cut(_told(texts[-1]))


def reason_in(lines: Sequence[str]) -> str:
    """Why a clone does not serve, from its console: why its app has ended, else the newest error, else what it said
    last that is no news of an ordinary day.

    Args:
        lines: the console's last ones, the newest at the end.
    """
    told = [(number, _fields(line)) for number, line in enumerate(lines) if line.strip()]
    ends = [number for number, fields in told if fields.get("message") == ENDED]
    errors = [number for number, fields in told if fields.get("level") == "error"]
    others = [number for number, fields in told if fields.get("level") not in ("info", "debug")]
    chosen = ends or errors or others
    return last_words(lines[: chosen[-1] + 1]) if chosen else ""


def _told(text: str) -> str:
    fields = _fields(text)
    exception = str(fields.get("exception", "")).strip().splitlines()
    return exception[-1] if exception else str(fields.get("message", text.strip()))


def _manner(variables: Mapping[str, str]) -> str:
    result, status = variables.get("SERVICE_RESULT", ""), variables.get("EXIT_STATUS", "")
    if result == "oom-kill":
        return "the app was ended because the machine's memory was used up"
    if result == "timeout":
        return "the app did not stop in time and was killed"
    if variables.get("EXIT_CODE") == "exited":
        return f"the app ended with exit code {status}"
    return f"the app was ended by signal {status or 'unknown'} ({result})"


def _fields(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."


if __name__ == "__main__":
    sys.exit(main())
