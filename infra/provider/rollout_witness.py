"""What speaks against a new version: a clone of it that its group gives up as sick, or an alarm that rings.

A group with an instance maintenance policy keeps a sick instance until another one is ready, which a bad version never
is; so its word counts, not only its deed (AWS, "Instance maintenance policy for Auto Scaling group").
AWS itself replaces a sick new clone by another one, and gives up after an hour at the earliest; so we look ourselves.
What a clone's health check got is remembered while the clone is there, for AWS forgets it with the clone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from image.report.ended import reason_in
from infra.provider.alarms import ringing
from infra.provider.group import Activity, Clone, Group, Groups
from infra.provider.rollout_plan import UNDER_WAY, Refresh
from infra.provider.template_versions import Goal

CONSOLE_LINES = 200
"""So many of a console's last lines are searched for a reason."""


class Witness:
    """Looks at one rollout.

    Args:
        ec2, cloudwatch: boto3 clients.
        groups: reads the group.
        goal: the version that it watches.
    """

    def __init__(self, ec2: Any, cloudwatch: Any, groups: Groups, goal: Goal) -> None:
        self._ec2 = ec2
        self._cloudwatch = cloudwatch
        self._groups = groups
        self._goal = goal
        self._answers: dict[str, str] = {}
        self._sick: Activity | Clone | None = None
        self._said = ""
        self._alarm = ""

    def look(self, group: Group, refresh: Refresh) -> str:
        """What speaks against the version, empty if nothing does; once something does, it stays.

        Args:
            group: as it is now.
            refresh: the one to the version.
        """
        self._note_answers(group)
        if self._sick is None and refresh.status in UNDER_WAY:
            self._sick = next(self._taken_out(refresh), None) or next(self._given_up(group), None)
        if self._sick is not None:
            return self._told(self._sick)
        if not self._alarm and refresh.status not in UNDER_WAY:
            rung = ringing(self._cloudwatch, refresh.alarms)
            self._alarm = ", ".join(f"alarm {name} rings: {reason}" for name, reason in rung.items())
        if not self._alarm:
            return ""
        sick = next(iter(self._answers), "")
        return self._with_evidence(f"{self._alarm}; clone {sick} is sick", sick) if sick else self._alarm

    def blocked(self) -> str:
        """Why the group's last launch failed, empty if it did not."""
        return next((activity.trouble for activity in self._groups.activities()[:1]), "")

    def _note_answers(self, group: Group) -> None:
        for clone in group.clones:
            if clone.answer and clone.template in self._goal.same:
                self._answers[clone.id] = clone.answer
            elif clone.healthy:
                self._answers.pop(clone.id, None)

    def _given_up(self, group: Group) -> Iterator[Clone]:
        return (clone for clone in group.clones if clone.given_up and clone.template in self._goal.same)

    def _taken_out(self, refresh: Refresh) -> Iterator[Activity]:
        for activity in self._groups.activities():
            if activity.took_out_a_sick_clone and activity.at >= refresh.started and self._is_new(activity.instance):
                yield activity

    def _is_new(self, instance: str) -> bool:
        """Whether an instance, which may be gone by now, was launched from the version."""
        filters = [{"Name": "instance-id", "Values": [instance]}]
        found = self._ec2.describe_instances(Filters=filters)["Reservations"]
        tags = {tag["Key"]: tag["Value"] for one in found for each in one["Instances"] for tag in each.get("Tags", ())}
        launched = tuple(tags.get(f"aws:ec2launchtemplate:{key}", "") for key in ("id", "version"))
        return launched in self._goal.same

    def _told(self, sick: Activity | Clone) -> str:
        """One sentence: how the group put it, what the health check got, what the clone said last."""
        if isinstance(sick, Clone):
            return self._with_evidence(f"clone {sick.id} is unhealthy, says its group", sick.id)
        manner = sick.cause.rpartition("taken out of service ")[2].rstrip(". ")
        return self._with_evidence(f"clone {sick.instance} was taken out of service {manner}", sick.instance)

    def _with_evidence(self, what: str, instance: str) -> str:
        """The sentence, and what is known of the clone."""
        parts = [what]
        if answer := self._answers.get(instance):
            parts.append(f"its health check: {answer.rstrip('.')}")
        self._said = reason_in(self._console(instance)) or self._said
        if self._said:
            parts.append(f"its console: {self._said}")
        return "; ".join(parts)

    def _console(self, instance: str) -> list[str]:
        try:
            text = self._ec2.get_console_output(InstanceId=instance, Latest=True).get("Output", "")
        except ClientError:  # of a machine that EC2 has forgotten
            return []
        return str(text).splitlines()[-CONSOLE_LINES:]
