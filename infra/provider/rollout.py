"""Rollout: the whole fleet on one numbered version of its launch template, and `up` waits for the last clone.

The group itself ignores changes of its template's version, so what a refresh rolls back to is what really ran before.
The refresh is AWS's: when this process is cancelled or dies it goes on, and the next `up` joins it.
"""

from __future__ import annotations

from collections.abc import Collection

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
from infra.provider.alarms import ringing
from infra.provider.aws import Aws
from infra.provider.group import Group, Groups
from infra.provider.refreshes import Refreshes
from infra.provider.rollout_plan import (
    ENDING,
    UNDER_WAY,
    Refresh,
    Step,
    next_step,
    on_version,
    untold,
    version_to_start,
)
from infra.provider.rollout_preferences import preferences
from infra.provider.rollout_witness import Witness
from infra.provider.template_versions import Version, goal

BASE_TIMEOUT, TIMEOUT_PER_CLONE = 900.0, 300.0
"""Seconds, unless the program says otherwise."""


class Rollout(Resource):
    """Inputs `groupName`, `launchTemplateId`, `launchTemplateVersion`, `targetGroupArn`, `alarmNames`,
    `warmUpSeconds`, `canarySeconds` and `bakeSeconds`; output `refreshId`, the last refresh that was followed."""

    replace_on = frozenset({"groupName"})

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def diff(self, old: Existing, new: Values, ignored: Collection[str], context: Context) -> Diff:  # noqa: ARG002
        """Looks at the clones, not only at the inputs: a fleet that is half rolled is never "unchanged"."""
        changed = compare(old.inputs, new, self.replace_on)
        if changed.changes or has_unknown(new):
            return changed
        group = self._groups(new).get()
        if group is not None and not on_version(goal(self._aws.client("ec2"), _version(new)), group):
            return Diff(("launchTemplateVersion",))
        return changed

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        if context.preview:
            return "", {**inputs, "refreshId": UNKNOWN}
        return inputs["groupName"], self._roll(inputs, "", context)

    def update(self, old: Existing, new: Values, context: Context) -> Values:
        if context.preview:
            return {**new, "refreshId": UNKNOWN}
        return self._roll(new, old.state.get("refreshId", ""), context)

    def read(self, old: Existing, context: Context) -> Existing | None:  # noqa: ARG002
        return old if self._groups(old.inputs).get() else None

    def delete(self, old: Existing, context: Context) -> None:
        """Nothing of its own is there."""

    def _roll(self, inputs: Values, told: str, context: Context) -> Values:
        walk = _Walk(self._aws, inputs, told, context)
        try:
            walk.to_the_end()
        except GoldfleetError as error:
            raise PartlyMade(inputs["groupName"], {**inputs, "refreshId": walk.followed or told}, error) from error
        return {**inputs, "refreshId": walk.followed or told}

    def _groups(self, inputs: Values) -> Groups:
        clients = self._aws.client("autoscaling"), self._aws.client("elbv2")
        return Groups(*clients, inputs["groupName"], inputs["targetGroupArn"])


class _Walk:
    """One rollout, step by step; `followed` is the refresh that it has started or joined."""

    def __init__(self, aws: Aws, inputs: Values, told: str, context: Context) -> None:
        name, autoscaling, ec2 = inputs["groupName"], aws.client("autoscaling"), aws.client("ec2")
        self._inputs, self._told, self._context = inputs, told, context
        self._cloudwatch = aws.client("cloudwatch")
        self._groups = Groups(autoscaling, aws.client("elbv2"), name, inputs["targetGroupArn"])
        self._refreshes = Refreshes(autoscaling, name)
        self._goal = goal(ec2, _version(inputs))
        self._witness = Witness(ec2, self._cloudwatch, self._groups, self._goal)
        self._overdue, self._turned = "", False
        self.followed = ""

    def to_the_end(self) -> None:
        """Takes steps until the fleet is on the version.

        Raises:
            RolloutFailed: it is not, and why; the fleet is on the version before if the refresh could be rolled back.
            Cancelled: the person cancelled; the refresh goes on.
        """
        latest = self._refreshes.latest()
        self.followed = untold(self._goal, latest, self._told)
        try:
            last = self._wait()
        except TimedOut as late:
            self._overdue = "; ".join(filter(None, (late.what, self._witness.blocked())))
            last = self._turn_back()
        if last.action == "failed":
            raise RolloutFailed(self._inputs["groupName"], last.text, "mend the release, then deploy it again")

    def _wait(self) -> Step:
        group = self._groups.get()
        timeout = BASE_TIMEOUT + TIMEOUT_PER_CLONE * (group.desired if group else 0)
        timeout += self._inputs["canarySeconds"] + self._inputs["bakeSeconds"]
        return self._context.wait_for("all clones on the version", self._step, timeout, show=False)

    def _turn_back(self) -> Step:
        """After the deadline."""
        self._turned = self._refreshes.roll_back()
        if not self._turned:
            return Step("failed", self._overdue)
        try:
            return self._wait()
        except TimedOut:
            return Step("failed", f"{self._overdue}; and the rollback is not over either")

    def _step(self) -> Step | None:
        """Takes the next step; returns it if it was the last."""
        group, latest = self._groups.get(), self._refreshes.latest()
        if group is None:
            return Step("failed", "the group is gone")
        ours = latest if latest and self._is_ours(latest) else None
        objection = self._witness.look(group, ours) if ours else ""
        step = next_step(self._goal, group, latest, self.followed, self._overdue or objection)
        self._context.progress(step.text)
        if step.action == "start":
            self._start(group)
        elif step.action == "cancel":
            self._refreshes.cancel()
        elif ours:
            self.followed = ours.id
        if step.action == "roll_back" and not self._turned:
            self._context.tell(step.text)
            self._turned = self._refreshes.roll_back()
        return step if step.action in ("done", "failed") else None

    def _is_ours(self, refresh: Refresh) -> bool:
        """Whether it brings the version, and is not one of yesterday."""
        now = refresh.status in UNDER_WAY | ENDING or refresh.id == self.followed
        return now and refresh.template in self._goal.same

    def _start(self, group: Group) -> None:
        silenced = ringing(self._cloudwatch, self._inputs["alarmNames"])
        for name in silenced:
            self._context.tell(f"alarm {name} rings already, so it has no say in this rollout")
        self.followed = self._refreshes.start(version_to_start(self._goal, group), preferences(self._inputs, silenced))


def _version(inputs: Values) -> Version:
    return inputs["launchTemplateId"], str(inputs["launchTemplateVersion"])
