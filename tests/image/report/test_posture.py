"""What files say of a machine."""

from __future__ import annotations

import os
from pathlib import Path

from image.report import posture


def test_a_write_that_succeeds_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    assert posture.writes([str(tmp_path), "/proc", "/no/such/folder"]) == {str(tmp_path): "written", "/proc": "ENOENT"}
    assert not list(tmp_path.iterdir())


def test_private_keys_are_found_wherever_they_hide(tmp_path: Path) -> None:
    (tmp_path / "ssl").mkdir()
    (tmp_path / "ssl" / "server.pem").write_text("-----BEGIN CERTIFICATE-----\n\n-----BEGIN EC PRIVATE KEY-----\n")
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "reader.py").write_text("HEAD = '-----BEGIN PRIVATE KEY-----'\n")
    (tmp_path / "link").symlink_to(tmp_path / "ssl" / "server.pem")
    os.mkfifo(tmp_path / "pipe")
    assert posture.keys([str(tmp_path)]) == [str(tmp_path / "ssl" / "server.pem")]


def test_only_accounts_with_a_password_can_log_in() -> None:
    shadow = "root:!*:20000:::::: \ndaemon:*:20000::::::\n_chrony:!:1::::::\nopen::1::::::\nold:$y$j9T$x:1::::::\n"
    assert posture.logins(shadow) == ["open", "old"]


def test_mounts_without_the_kernels_own() -> None:
    text = "/dev/nvme0n1p2 / squashfs ro,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /var tmpfs rw,nosuid 0 0\n"
    assert posture.mounts(text) == [
        {"path": "/", "type": "squashfs", "options": "ro,relatime"},
        {"path": "/var", "type": "tmpfs", "options": "rw,nosuid"},
    ]


def test_the_machines_id_is_told_by_its_hash_only(tmp_path: Path) -> None:
    path = tmp_path / "machine-id"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    told = posture.machine_id(path)
    assert len(told) == 64
    assert "0123456789abcdef" not in told
    path.write_text("1123456789abcdef0123456789abcdef\n")
    assert posture.machine_id(path) != told
