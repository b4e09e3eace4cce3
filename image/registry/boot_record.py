"""Which releases have passed the boot test on this machine: one JSON file each, in the user's cache folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image import cache

_KIND = "boot-records"
_RELEASE = "release"


def record(release: str, facts: Mapping[str, object]) -> None:
    """Notes that a release has passed; whole or not at all.

    Args:
        release: digest.
        facts: what the test found, as JSON can say it.
    """
    path = _path(release)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({**facts, _RELEASE: release}, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def passed(release: str) -> Mapping[str, Any] | None:
    """What was noted when the release passed; None if it did not, or the note is damaged or another release's.

    Args:
        release: digest.
    """
    try:
        facts = json.loads(_path(release).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and facts.get(_RELEASE) == release else None


def _path(release: str) -> Path:
    return cache.folder(_KIND) / f"{release}.json"
