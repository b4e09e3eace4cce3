"""What must be true of a machine that was booted, each as one small function of what was seen. Decides only.

Most is read from the boot report, the one line in which an image says what its boot has come to: nobody can log in to
look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.boot_test.report import Finding

EXPOSURE = 2.0
"""What `systemd-analyze security` must stay below."""
_REFUSED = ("EROFS", "EACCES", "EPERM")
BootReport = Mapping[str, Any]


def boot_report(lines: Sequence[str]) -> BootReport | None:
    """The boot report among lines of a log or a console."""
    return next((told["report"] for line in lines if isinstance((told := _json(line)).get("report"), dict)), None)


def machine_id(lines: Sequence[str]) -> str | None:
    """The hash of the machine's id that the log shipper tells as its first line."""
    return next((str(told["machine_id"]) for line in lines if (told := _json(line)).get("machine_id")), None)


def root_is_read_only(report: BootReport) -> Finding:
    writes: Mapping[str, str] = report["writes"]
    roots = [mount for mount in report["mounts"] if mount["path"] == "/"]
    written = [folder for folder, got in writes.items() if got not in _REFUSED]
    read_only = bool(roots) and all("ro" in mount["options"].split(",") for mount in roots)
    saw = f"written: {', '.join(written)}" if written else f"/ refuses with {writes.get('/', 'nothing')}"
    return Finding("the root file system is read-only", read_only and not written and "/" in writes, saw)


def only_memory_is_writable(report: BootReport) -> Finding:
    others = [
        f"{mount['path']} ({mount['type']})"
        for mount in report["mounts"]
        if "rw" in mount["options"].split(",") and mount["type"] not in ("tmpfs", "ramfs")
    ]
    return Finding("only memory can be written", not others, ", ".join(others) or "nothing but tmpfs is mounted rw")


def only_the_app_accepts(report: BootReport, port: int) -> Finding:
    outside = [s for s in report["sockets"] if s["protocol"] == "tcp" and s["outside"]]
    saw = ", ".join(f"{s['address']}:{s['port']}" for s in outside) or "no TCP socket at all"
    return Finding("TCP: only the app accepts from outside", [s["port"] for s in outside] == [port], saw)


def udp_has_reasons(report: BootReport) -> Finding:
    open_ = [s for s in report["sockets"] if s["protocol"] == "udp" and s["outside"]]
    saw = "; ".join(f"{s['address']}:{s['port']} {s['reason'] or 'WITHOUT A REASON'}" for s in open_)
    return Finding("UDP: each listener has a reason", all(s["reason"] for s in open_), saw or "no UDP listener")


def no_unit_failed(report: BootReport) -> Finding:
    failed = report["failed_units"]
    return Finding("no unit has failed", failed == [], ", ".join(failed) or "none")


def app_is_sandboxed(report: BootReport) -> Finding:
    exposure = float(report["exposure"])
    return Finding(
        f"the app's exposure is below {EXPOSURE}", exposure < EXPOSURE, f"systemd-analyze security: {exposure}"
    )


def nobody_can_log_in(report: BootReport) -> Finding:
    return Finding("no account has a password", report["logins"] == [], ", ".join(report["logins"]) or "none has")


def no_keys_in_the_image(report: BootReport) -> Finding:
    return Finding("no private key is baked in", report["keys"] == [], ", ".join(report["keys"]) or "none found")


def report_is_complete(report: BootReport) -> Finding:
    return Finding("the boot report is complete", report["problems"] == [], "; ".join(report["problems"]) or "it is")


def all_of(report: BootReport | None, port: int) -> list[Finding]:
    """Everything that the boot report tells; a report that lacks something is a finding, not a crash."""
    if report is None:
        return [Finding("the boot report is complete", False, "there is none")]
    checks: tuple[Callable[[BootReport], Finding], ...] = (
        report_is_complete,
        root_is_read_only,
        only_memory_is_writable,
        lambda told: only_the_app_accepts(told, port),
        udp_has_reasons,
        no_unit_failed,
        app_is_sandboxed,
        nobody_can_log_in,
        no_keys_in_the_image,
    )
    return [_found(check, report) for check in checks]


def ids_differ(first: str | None, second: str | None) -> Finding:
    told = first is not None and second is not None
    saw = f"SHA-256 {(first or 'not told')[:12]} and {(second or 'not told')[:12]}"
    return Finding("each boot has a machine id of its own", told and first != second, saw)


def lines_arrived(lines: Sequence[str]) -> Finding:
    """The system's lines, the launcher's and the app's."""
    loggers = {str(told["logger"]) for line in lines if (told := _json(line)).get("logger")}
    missing = sorted({"app", "image", "kernel", "systemd"} - loggers)
    saw = f"{len(lines)} lines" + (f", none of {', '.join(missing)}" if missing else ", the app's among them")
    return Finding("log lines arrive in CloudWatch Logs", not missing, saw)


def cut_off_lines_arrived(lines: Sequence[str], healthy: bool) -> Finding:
    saw = f"{len(lines)} lines" + (", but it was healthy already" if healthy else " of a boot that never was healthy")
    return Finding("lines of a boot that is cut off arrive too", bool(lines) and not healthy, saw)


def _found(check: Callable[[BootReport], Finding], report: BootReport) -> Finding:
    try:
        return check(report)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Finding("the boot report is complete", False, f"it lacks what a check needs: {error!r}")


def _json(line: str) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
