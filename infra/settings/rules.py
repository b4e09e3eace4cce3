"""Every rule that settings must keep, each one small function.

A rule yields one error for each place where it is broken. `RULES` is the order in which they are reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from goldfleet.errors import SettingsError
from infra.settings import rules_account, rules_fleet, rules_front, rules_network, rules_stores
from infra.settings.settings import Settings


class Rule(Protocol):
    """A function whose name says the rule."""

    __name__: str

    def __call__(self, settings: Settings) -> Iterator[SettingsError]: ...


RULES: Sequence[Rule] = (
    *rules_account.RULES,
    *rules_network.RULES,
    *rules_stores.RULES,
    *rules_front.RULES,
    *rules_fleet.RULES,
)
