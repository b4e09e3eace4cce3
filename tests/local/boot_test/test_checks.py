"""Each check sees what breaks it, and passes what is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.boot_test import checks

PORT = 8000
GOOD: dict[str, Any] = {
    "writes": {"/": "EROFS", "/etc": "EROFS", "/root": "EACCES"},
    "mounts": [
        {"path": "/", "type": "squashfs", "options": "ro,relatime"},
        {"path": "/tmp", "type": "tmpfs", "options": "rw,nosuid"},
        {"path": "/srv/app", "type": "iso9660", "options": "ro"},
    ],
    "sockets": [
        {"protocol": "tcp", "address": "10.0.0.5", "port": 8000, "outside": True, "reason": "the app"},
        {"protocol": "tcp", "address": "127.0.0.1", "port": 5000, "outside": False, "reason": ""},
        {"protocol": "udp", "address": "10.0.0.5", "port": 68, "outside": True, "reason": "DHCP"},
    ],
    "failed_units": [],
    "exposure": 1.4,
    "logins": [],
    "keys": [],
    "problems": [],
}
OPEN = {"address": "0.0.0.0", "outside": True, "reason": ""}


def failed(report: dict[str, Any] | None) -> list[str]:
    return [finding.name for finding in checks.all_of(report, PORT) if not finding.passed]


def test_a_good_report_has_no_bad_finding() -> None:
    assert failed(GOOD) == []
    assert len(checks.all_of(GOOD, PORT)) == 9


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"writes": {"/": "EROFS", "/etc": "written"}}, "the root file system is read-only"),
        ({"writes": {}}, "the root file system is read-only"),
        ({"mounts": [{"path": "/", "type": "squashfs", "options": "rw"}]}, "the root file system is read-only"),
        (
            {"mounts": [*GOOD["mounts"], {"path": "/data", "type": "ext4", "options": "rw"}]},
            "only memory can be written",
        ),
        (
            {"sockets": [*GOOD["sockets"], {**OPEN, "protocol": "tcp", "port": 22}]},
            "TCP: only the app accepts from outside",
        ),
        ({"sockets": []}, "TCP: only the app accepts from outside"),
        (
            {"sockets": [*GOOD["sockets"], {**OPEN, "protocol": "udp", "port": 5353}]},
            "UDP: each listener has a reason",
        ),
        ({"failed_units": ["chrony.service"]}, "no unit has failed"),
        ({"failed_units": None}, "the boot report is complete"),
        ({"exposure": 2.0}, "the app's exposure is below 2.0"),
        ({"exposure": None}, "the boot report is complete"),
        ({"logins": ["root"]}, "no account has a password"),
        ({"keys": ["/etc/ssh/host_key"]}, "no private key is baked in"),
        ({"problems": ["OSError: no"]}, "the boot report is complete"),
    ],
)
def test_what_is_wrong_is_found(change: dict[str, Any], name: str) -> None:
    assert name in failed({**GOOD, **change})


def test_no_report_is_a_bad_finding() -> None:
    assert failed(None) == ["the boot report is complete"]


def test_ids_must_be_told_and_differ() -> None:
    assert checks.ids_differ("a", "b").passed
    assert not checks.ids_differ("a", "a").passed
    assert not checks.ids_differ(None, "a").passed


def test_lines_of_all_speakers_must_arrive() -> None:
    lines = [json.dumps({"logger": name, "message": "x"}) for name in ("app", "image", "kernel", "systemd")]
    assert checks.lines_arrived(lines).passed
    assert not checks.lines_arrived(lines[1:]).passed
    assert checks.cut_off_lines_arrived(lines, healthy=False).passed
    assert not checks.cut_off_lines_arrived([], healthy=False).passed
    assert not checks.cut_off_lines_arrived(lines, healthy=True).passed


def test_report_and_id_are_found_among_other_lines() -> None:
    lines = ["plain", "[1]", '{"report": "no"}', json.dumps({"machine_id": "abc"}), json.dumps({"report": GOOD})]
    assert checks.boot_report(lines) == GOOD
    assert checks.machine_id(lines) == "abc"
    assert checks.boot_report(["plain"]) is None
    assert checks.machine_id(["plain"]) is None
