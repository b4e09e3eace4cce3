"""Keeps the logs of a run bounded; their writers append and need not know."""

from __future__ import annotations

import shutil

from local.run_folder import RunFolder

SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes of a log, and of the older part that is kept beside it."""

_LOGS = ("supervisor.log", "control.log", "stores/*/log", "balancer/log", "instances/*/sidecar.log")


def trim(folder: RunFolder, size_limit: int = SIZE_LIMIT) -> None:
    """Moves what a full log holds to `NAME.1`, over what was there, and empties the log."""
    for pattern in _LOGS:
        for log in folder.root.glob(pattern):
            if log.stat().st_size > size_limit:
                shutil.copyfile(log, log.with_name(f"{log.name}.1"))
                with log.open("r+b") as file:
                    file.truncate(0)
