"""Errors on their way to the person: one sentence each."""

from __future__ import annotations

from typing import Any

from goldfleet.errors import GoldfleetError
from goldfleet.servicer.values import Values


class PartlyMade(Exception):
    """The resource exists but is not as wanted: the state keeps it, and the next `up` updates it.

    Args:
        id_: how AWS knows it.
        state: what is known of it.
        reason: the error, or a sentence.
    """

    def __init__(self, id_: str, state: Values, reason: BaseException | str) -> None:
        super().__init__(reason if isinstance(reason, str) else sentence(reason))
        self.id = id_
        self.state = state


def sentence(error: BaseException) -> str:
    """What to tell a person: the error's own words; for an AWS error its operation, code and message."""
    if isinstance(error, (GoldfleetError, PartlyMade)):
        return str(error)
    response: Any = getattr(error, "response", None)
    operation: Any = getattr(error, "operation_name", None)
    if isinstance(response, dict) and operation:
        details = response.get("Error", {})
        return f"{operation}: {details.get('Code', 'error')}: {details.get('Message', '')}".rstrip(": ")
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
