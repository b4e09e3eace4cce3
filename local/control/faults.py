"""Rules that delay or fail AWS calls, the same way for the same seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from goldfleet.errors import LocalCloudError


@dataclass(frozen=True)
class FaultRule:
    """What happens to the calls that match.

    Args:
        service: name of the boto3 client; None matches all.
        action: operation name; None matches all.
        delay_seconds: how long the call waits before it is answered.
        error: AWS error code to answer with instead of carrying the call out; None carries it out.
        status: HTTP status of the error.
        probability: share of the matching calls that the rule hits, 0 to 1.
        seed: makes the choice of calls repeatable.
        times: number of calls that the rule hits before it ends; None for ever.
    """

    service: str | None = None
    action: str | None = None
    delay_seconds: float = 0.0
    error: str | None = None
    status: int = 500
    probability: float = 1.0
    seed: int = 0
    times: int | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Reads one rule.

        Raises:
            LocalCloudError: an unknown key, or a value outside its range.
        """
        unknown = sorted(set(raw) - set(cls.__dataclass_fields__))
        if unknown:
            raise LocalCloudError("fault rule", f"unknown keys {unknown}", f"use {sorted(cls.__dataclass_fields__)}")
        rule = cls(**raw)
        if not (0 <= rule.probability <= 1 and rule.delay_seconds >= 0 and 400 <= rule.status <= 599):
            raise LocalCloudError(
                "fault rule", "a value is out of range", "probability 0 to 1, delay_seconds from 0, status 400 to 599"
            )
        return rule

    def matches(self, service: str, action: str) -> bool:
        """True if the rule is about this call."""
        return self.service in {None, service} and self.action in {None, action}


class Faults:
    """The rules in force, each with its own random numbers and its own count."""

    def __init__(self) -> None:
        self._rules: list[tuple[FaultRule, random.Random]] = []
        self._hits: dict[int, int] = {}

    def add(self, rule: FaultRule) -> None:
        """Puts a rule in force, after the others."""
        self._rules.append((rule, random.Random(rule.seed)))  # noqa: S311  chance, not a secret

    def clear(self) -> None:
        """Ends all rules."""
        self._rules.clear()
        self._hits.clear()

    def strike(self, service: str, action: str) -> FaultRule | None:
        """The first rule that hits this call, or None."""
        for index, (rule, chance) in enumerate(self._rules):
            if not rule.matches(service, action) or self._is_spent(index, rule):
                continue
            if chance.random() < rule.probability:
                self._hits[index] = self._hits.get(index, 0) + 1
                return rule
        return None

    def to_json(self) -> list[dict[str, Any]]:
        """The rules in force, and how many calls each has hit."""
        return [{**asdict(rule), "hits": self._hits.get(index, 0)} for index, (rule, _) in enumerate(self._rules)]

    def _is_spent(self, index: int, rule: FaultRule) -> bool:
        return rule.times is not None and self._hits.get(index, 0) >= rule.times
