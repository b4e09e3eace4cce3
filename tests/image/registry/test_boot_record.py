"""The note that a release has passed the boot test."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.registry import boot_record

RELEASE = "ab" * 32


@pytest.fixture
def path(cache: Path) -> Path:
    return cache / "boot-records" / f"{RELEASE}.json"


def test_what_was_noted_is_told(path: Path) -> None:
    assert boot_record.passed(RELEASE) is None
    boot_record.record(RELEASE, {"seconds_to_healthy": 17.5})
    boot_record.record(RELEASE, {"seconds_to_healthy": 16.5})
    told = boot_record.passed(RELEASE)
    assert told == {"release": RELEASE, "seconds_to_healthy": 16.5}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "damaged", [b"", b'{"release": "abab', b"[]", b"null", b"\xff\xfe", b'{"release": "cd"}', b"[" * 100_000]
)
def test_a_damaged_note_is_none(path: Path, damaged: bytes) -> None:
    boot_record.record(RELEASE, {})
    path.write_bytes(damaged)
    assert boot_record.passed(RELEASE) is None


def test_a_note_is_of_one_release(path: Path) -> None:
    boot_record.record(RELEASE, {})
    path.rename(path.with_name(f"{'cd' * 32}.json"))
    assert boot_record.passed("cd" * 32) is None
