"""Rollout: the whole fleet on one numbered version of its launch template, and `up` waits for the last clone.

The group itself ignores changes of its template's version, so what a refresh rolls back to is what really ran before.
The refresh is AWS's: when this process is cancelled or dies it goes on, and the next `up` joins it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from goldfleet.errors import GoldfleetError, RolloutFailed
from goldfleet.servicer import (
    UNKNOWN,
    Context,
    Diff,
    Existing,
    PartlyMade,
    Resource,
    TimedOut,
    Values,
    compare,
    has_unknown,
)
from infra.provider.aws import Aws
from infra.provider.group import Groups
from infra.provider.rollout_plan import Refresh, Step, next_step, on_version
from infra.provider.rollout_preferences import preferences

BASE_TIMEOUT, TIMEOUT_PER_CLONE = 900.0, 300.0
"""Seconds, unless the program says otherwise."""


class Rollout(Resource):
    """Inputs `groupName`, `launchTemplateId`, `launchTemplateVersion`, `targetGroupArn`, `alarmNames`, `canarySeconds`
    and `bakeSeconds`; output `refreshId`."""

    replace_on = frozenset({"groupName"})

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def diff(self, old: Existing, new: Values, ignored: Collection[str], context: Context) -> Diff:  # noqa: ARG002
        """Looks at the clones, not only at the inputs: a fleet that is half rolled is never "unchanged"."""
        changed = compare(old.inputs, new, self.replace_on)
        if changed.changes or has_unknown(new):
            return changed
        group = self._fleet(new).groups.get()
        if group is not None and not on_version(_wanted(new), group):
            return Diff(("launchTemplateVersion",))
        return changed

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        if context.preview:
            return "", {**inputs, "refreshId": UNKNOWN}
        return inputs["groupName"], self._roll(inputs, context)

    def update(self, old: Existing, new: Values, context: Context) -> Values:  # noqa: ARG002
        if context.preview:
            return {**new, "refreshId": UNKNOWN}
        return self._roll(new, context)

    def read(self, old: Existing, context: Context) -> Existing | None:  # noqa: ARG002
        return old if self._fleet(old.inputs).groups.get() else None

    def delete(self, old: Existing, context: Context) -> None:
        """Nothing of its own is there."""

    def _roll(self, inputs: Values, context: Context) -> Values:
        fleet = self._fleet(inputs)
        try:
            followed = _Walk(fleet, inputs, context).to_the_end()
        except GoldfleetError as error:
            raise PartlyMade(inputs["groupName"], {**inputs, "refreshId": ""}, error) from error
        return {**inputs, "refreshId": followed or ""}

    def _fleet(self, inputs: Values) -> _Fleet:
        autoscaling = self._aws.client("autoscaling")
        groups = Groups(autoscaling, self._aws.client("elbv2"), inputs["groupName"], inputs["targetGroupArn"])
        return _Fleet(autoscaling, groups, inputs["groupName"])


class _Fleet:
    """The group and its refreshes."""

    def __init__(self, autoscaling: Any, groups: Groups, name: str) -> None:
        self._autoscaling = autoscaling
        self.groups = groups
        self.name = name

    def latest(self) -> Refresh | None:
        answer = self._autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.name, MaxRecords=1)
        if not answer["InstanceRefreshes"]:
            return None
        found = answer["InstanceRefreshes"][0]
        template = found.get("DesiredConfiguration", {}).get("LaunchTemplate", {})
        return Refresh(
            id=found["InstanceRefreshId"],
            status=found["Status"],
            reason=found.get("StatusReason", ""),
            template=(template.get("LaunchTemplateId", ""), str(template.get("Version", ""))),
        )

    def start(self, wanted: tuple[str, str], chosen: Mapping[str, Any]) -> str:
        template = {"LaunchTemplateId": wanted[0], "Version": wanted[1]}
        started = self._autoscaling.start_instance_refresh(
            AutoScalingGroupName=self.name,
            Strategy="Rolling",
            DesiredConfiguration={"LaunchTemplate": template},
            Preferences=chosen,
        )
        return str(started["InstanceRefreshId"])

    def cancel(self) -> None:
        try:
            self._autoscaling.cancel_instance_refresh(AutoScalingGroupName=self.name)
        except self._autoscaling.exceptions.ActiveInstanceRefreshNotFoundFault:
            return


class _Walk:
    """One rollout, step by step."""

    def __init__(self, fleet: _Fleet, inputs: Values, context: Context) -> None:
        self._fleet = fleet
        self._wanted = _wanted(inputs)
        self._preferences = preferences(inputs["canarySeconds"], inputs["bakeSeconds"], inputs["alarmNames"])
        self._context = context
        self._followed: str | None = None

    def to_the_end(self) -> str | None:
        """Takes steps until the fleet is on the version; returns the id of the refresh that did it, if one did.

        Raises:
            RolloutFailed: the refresh failed, or took longer than its deadline and was cancelled.
            Cancelled: the person cancelled; the refresh goes on.
        """
        group = self._fleet.groups.get()
        timeout = BASE_TIMEOUT + TIMEOUT_PER_CLONE * (group.desired if group else 0)
        try:
            last = self._context.wait_for("all clones on the version", self._step, timeout, show=False)
        except TimedOut as error:
            self._fleet.cancel()
            raise RolloutFailed(
                self._fleet.name, f"{error.what}, the refresh is cancelled", "look at the clones' logs, then run again"
            ) from error
        if last.action == "failed":
            way_out = "look at the clones' logs, deploy a release that works or go back to the one before"
            raise RolloutFailed(self._fleet.name, last.text, way_out)
        return self._followed

    def _step(self) -> Step | None:
        """Takes the next step; returns it if it was the last."""
        group = self._fleet.groups.get()
        if group is None:
            return Step("failed", "the group is gone")
        latest = self._fleet.latest()
        step = next_step(self._wanted, group, latest, self._followed)
        self._context.progress(step.text)
        if step.action == "start":
            self._followed = self._fleet.start(self._wanted, self._preferences)
        elif step.action == "cancel":
            self._fleet.cancel()
        elif step.action == "wait" and latest is not None and latest.template == self._wanted:
            self._followed = latest.id
        return step if step.action in ("done", "failed") else None


def _wanted(inputs: Values) -> tuple[str, str]:
    return inputs["launchTemplateId"], str(inputs["launchTemplateVersion"])
