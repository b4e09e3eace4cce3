"""Entries of the journal as lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.sidecar.entries import parse


def entry(**fields: Any) -> bytes:
    told = {"__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": "1800000000123456", "PRIORITY": "6", **fields}
    return json.dumps(told).encode()


def line(**fields: Any) -> str:
    found = parse(entry(**fields))
    assert found is not None
    assert found.cursor == "s=1;i=2"
    assert found.line.endswith(b"\n")
    return found.line[:-1].decode()


def test_the_apps_lines_stay_as_it_wrote_them() -> None:
    written = '{"time": "2027-01-15T08:00:00+00:00", "message":   "ü"}'
    assert line(MESSAGE=written, _SYSTEMD_UNIT="goldfleet-app.service", SYSLOG_IDENTIFIER="python3") == written


def test_other_lines_become_json_lines() -> None:
    told = json.loads(
        line(
            MESSAGE="Failed\nat all",
            PRIORITY="4",
            SYSLOG_IDENTIFIER="systemd",
            _SYSTEMD_UNIT="init.scope",
            UNIT="x.service",
        )
    )
    assert told == {
        "time": "2027-01-15T08:00:00.123+00:00",
        "level": "warning",
        "logger": "systemd",
        "message": "Failed\nat all",
        "priority": 4,
        "unit": "x.service",
    }


@pytest.mark.parametrize(("message", "text"), [([104, 195, 188, 255], "hü\ufffd"), (None, "")])
def test_messages_that_are_no_text(message: object, text: str) -> None:
    assert json.loads(line(MESSAGE=message, SYSLOG_IDENTIFIER="kernel")).get("message", "") == text


def test_one_entry_is_one_line() -> None:
    assert "\n" not in line(MESSAGE="a\nb", _SYSTEMD_UNIT="goldfleet-app.service")


@given(
    st.binary(max_size=80)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_nonsense_is_passed_over(text: bytes) -> None:
    assert parse(text) is None
