"""What the data plane tells the control plane: only what has changed since it was last told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.plane.control import Control

Stores = Mapping[str, Mapping[str, Any]]
Targets = Mapping[str, Mapping[str, Mapping[str, str]]]

_GONE = {"state": "unused", "reason": "Target.NotRegistered"}


class Reports:
    """The reports to one control plane; each call raises LocalCloudError if it does not answer.

    Args:
        control: the control plane.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._stores: Stores = {}
        self._targets: Targets = {}
        self._consoles: dict[str, str] = {}

    def stores(self, statuses: Stores) -> None:
        """Statuses of databases and replication groups, and how their nodes are."""
        if statuses != self._stores:
            self._control.report("stores", statuses)
            self._stores = statuses

    def targets(self, states: Targets) -> None:
        """Health of all targets; one that is not there any more is `unused`."""
        changed = changed_targets(self._targets, states)
        if changed:
            self._control.report("targets", changed)
        self._targets = states

    def consoles(self, texts: Mapping[str, str]) -> None:
        """What instances have said."""
        changed = {name: text for name, text in texts.items() if self._consoles.get(name) != text}
        if changed:
            self._control.report("instances", {name: {"console": text} for name, text in changed.items()})
        self._consoles = dict(texts)


def changed_targets(before: Targets, after: Targets) -> dict[str, dict[str, Any]]:
    """The targets whose state differs, by target group."""
    changed: dict[str, dict[str, Any]] = {}
    for arn in before.keys() | after.keys():
        was, now = before.get(arn, {}), after.get(arn, {})
        states = {name: now.get(name, _GONE) for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
        if states:
            changed[arn] = states
    return changed
