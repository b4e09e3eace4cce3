"""Capacity: the count of clones that a person wants, applied when the wish changes and at no other time.

A group's DesiredCapacity has two writers, people and scaling. This resource compares the wish with the wish it applied
last, never with what AWS says: an `up` for anything else leaves alone what scaling did in between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import UNKNOWN, Context, Diff, Existing, PartlyMade, Resource, Values, compare, has_unknown
from infra.provider.aws import Aws
from infra.provider.group import Activity, Group, Groups

TIMEOUT = 900.0
"""Seconds until that many clones serve, unless the program says otherwise."""


class Capacity(Resource):
    """Inputs `groupName`, `desired`, `targetGroupArn`; output `running`, what the group wanted when last looked at."""

    replace_on = frozenset({"groupName"})

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def diff(self, old: Existing, new: Values, ignored: Collection[str], context: Context) -> Diff:  # noqa: ARG002
        changed = compare(old.inputs, new, self.replace_on)
        if not changed.changes:
            self._tell_truth(new, context)
        return changed

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        if context.preview:
            return "", {**inputs, "running": UNKNOWN}
        return inputs["groupName"], self._apply(inputs, None, context)

    def update(self, old: Existing, new: Values, context: Context) -> Values:
        if context.preview:
            return {**new, "running": UNKNOWN}
        return self._apply(new, old.inputs.get("desired"), context)

    def read(self, old: Existing, context: Context) -> Existing | None:  # noqa: ARG002
        """The wish stays the person's; only what runs is read."""
        group = self._groups(old.inputs).get()
        return Existing(old.id, old.inputs, {**old.state, "running": group.desired}) if group else None

    def delete(self, old: Existing, context: Context) -> None:
        """Nothing of its own is there: the clones go with their group."""

    def _apply(self, inputs: Values, applied: int | None, context: Context) -> Values:
        wanted = inputs["desired"]
        if wanted != applied:
            self._aws.client("autoscaling").set_desired_capacity(
                AutoScalingGroupName=inputs["groupName"], DesiredCapacity=wanted, HonorCooldown=False
            )
        groups = self._groups(inputs)

        def settled() -> Group | None:
            group = _existing(groups)
            context.progress(f"{group.healthy} of {group.desired} healthy")
            return group if group.settled else None

        try:
            running = context.wait_for("all clones healthy", settled, TIMEOUT, show=False).desired
        except GoldfleetError as error:
            # It is set: the next `up` must only wait.
            raise PartlyMade(inputs["groupName"], {**inputs, "running": wanted}, error) from error
        return {**inputs, "running": running}

    def _tell_truth(self, inputs: Values, context: Context) -> None:
        if has_unknown(inputs):
            return
        groups = self._groups(inputs)
        group = groups.get()
        if group is not None and group.desired != inputs["desired"]:
            context.tell(truth(inputs["desired"], group.desired, groups.activities(), datetime.now(UTC)))

    def _groups(self, inputs: Values) -> Groups:
        clients = self._aws.client("autoscaling"), self._aws.client("elbv2")
        return Groups(*clients, inputs["groupName"], inputs["targetGroupArn"])


def truth(setting: int, running: int, activities: Sequence[Activity], now: datetime) -> str:
    """What to tell a person whose setting is not what runs: "setting 2, running 5 (target tracking, 4 min ago)".

    Args:
        setting, running: counts of clones.
        activities: what scaling did last, newest first.
        now: with a time zone.
    """
    text = f"setting {setting}, running {running}"
    if not activities:
        return text
    minutes = int((now - activities[0].at).total_seconds() // 60)
    return f"{text} ({_who(activities[0].cause)}, {f'{minutes} min' if minutes else 'less than a minute'} ago)"


def _who(cause: str) -> str:
    lower = cause.lower()
    if "targettracking" in lower or "target tracking" in lower:
        return "target tracking"
    if "alarm" in lower or "policy" in lower:
        return "scaling policy"
    if "scheduled" in lower:
        return "scheduled action"
    if "user request" in lower:
        return "somebody's request"
    return "the group itself"


def _existing(groups: Groups) -> Group:
    group = groups.get()
    if group is None:
        raise GoldfleetError("fleet", "its group is gone", "run `goldfleet up` again: it makes a new one")
    return group
