"""What a check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from botocore.exceptions import BotoCoreError, ClientError

from goldfleet.errors import GoldfleetError


class Level(Enum):
    """How good it is: `FAILED` stops `up`, `WARNING` does not."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of `goldfleet doctor`; `way_out` is empty when all is well."""

    level: Level
    detail: str
    way_out: str = ""


Check = Callable[[], Finding]


def ok(detail: str) -> Finding:
    return Finding(Level.OK, detail)


def warning(detail: str, way_out: str) -> Finding:
    return Finding(Level.WARNING, detail, way_out)


def failed(detail: str, way_out: str) -> Finding:
    return Finding(Level.FAILED, detail, way_out)


def run_checks(checks: Iterable[tuple[str, Check]], gate: str = "") -> Iterator[tuple[str, Finding]]:
    """Names and findings, one after the other; a check that raises has failed, and the next one runs.

    Args:
        checks: in order.
        gate: name of the check without which the ones after it cannot answer; when it fails they are left out.
    """
    for name, check in checks:
        try:
            found = check()
        except GoldfleetError as error:
            found = failed(f"{error.where}: {error.what}", error.way_out)
        except (BotoCoreError, ClientError) as error:
            found = failed(str(error), "see that there are credentials, and that they allow this call")
        yield name, found
        if name == gate and found.level is Level.FAILED:
            return
