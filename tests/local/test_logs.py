"""Full logs are emptied, and what they held is kept once."""

from __future__ import annotations

from pathlib import Path

from local import logs
from local.run_folder import RunFolder


def test_a_full_log_is_moved_aside_and_its_writer_appends_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    (folder.stores / "rds-main").mkdir()
    log = folder.stores / "rds-main" / "log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        logs.trim(folder, size_limit=100)
        assert log.stat().st_size == 100
        writer.write(b"y")
        logs.trim(folder, size_limit=100)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert log.with_name("log.1").read_bytes() == b"x" * 100 + b"y"
