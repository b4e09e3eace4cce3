"""Scaling policies: those that track a target bring their two alarms, which come and go with them.

AWS, "Target tracking scaling policies for Amazon EC2 Auto Scaling"; API reference "PutScalingPolicy".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from moto.autoscaling import models
from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeScalingPolicy
from moto.cloudwatch.models import Alarm
from moto.core.responses import ActionResult

from local.control.extend import use_model
from local.control.services.autoscaling_backend import Groups
from local.control.services.autoscaling_calls import GroupCalls
from local.control.services.cloudwatch_backend import Watch, watch_of
from local.control.services.cloudwatch_minutes import PERIOD

TRACKING = "TargetTrackingScaling"
HIGH_MINUTES, LOW_MINUTES, LOW_SHARE = 3, 15, 0.9
"""Minutes above the target until a policy scales out, and below so much of it until it scales in."""
_PREDEFINED = {
    "ASGAverageCPUUtilization": ("AWS/EC2", "CPUUtilization", "Average"),
    "ASGAverageNetworkIn": ("AWS/EC2", "NetworkIn", "Average"),
    "ASGAverageNetworkOut": ("AWS/EC2", "NetworkOut", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}


class Policy(FakeScalingPolicy):
    """A scaling policy; `high` and `low` are the names of its alarms, if it has them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.enabled = True
        self.cooling_until = 0.0
        self.high, self.low = "", ""

    @property
    def watch(self) -> Watch:
        backend = self.autoscaling_backend
        return watch_of(backend.account_id, backend.region_name)

    @property
    def tracking(self) -> Mapping[str, Any]:
        """The target tracking configuration; empty for other kinds."""
        return vars(self.target_tracking_configuration) if self.target_tracking_configuration else {}

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """The step adjustments; moto has them as they were given."""
        given: Any = self.step_adjustments
        return list(given or ())

    @property
    def alarms(self) -> list[dict[str, str]]:
        """As DescribePolicies shows them."""
        found = (self.watch.alarms.get(name) for name in (self.high, self.low))
        return [{"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in found if alarm is not None]

    def alarm(self, name: str) -> Alarm | None:
        """One of its alarms, if it is there."""
        return self.watch.alarms.get(name)

    def make_alarms(self) -> None:
        """Makes the alarms of a policy that tracks a target, or brings them up to date."""
        target = float(self.tracking["TargetValue"])
        self.high = self._make_alarm("High", "GreaterThanThreshold", HIGH_MINUTES, target)
        if not self.tracking.get("DisableScaleIn"):
            self.low = self._make_alarm("Low", "LessThanThreshold", LOW_MINUTES, target * LOW_SHARE)

    def delete_alarms(self) -> None:
        self.watch.delete_alarms([name for name in (self.high, self.low) if name])

    def _make_alarm(self, kind: str, comparison: str, minutes: int, threshold: float) -> str:
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.arn}/{kind}")
        name = f"TargetTracking-{self.auto_scaling_group_name}-Alarm{kind}-{identity}"
        self.watch.put_metric_alarm(
            name=name,
            comparison_operator=comparison,
            evaluation_periods=minutes,
            period=PERIOD,
            threshold=threshold,
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {self.arn}.",
            alarm_actions=[self.arn],
            **_metric(self.auto_scaling_group_name, self.tracking),
        )
        return name


class PolicyCalls(GroupCalls):
    """The calls about scaling policies."""

    def put_scaling_policy(self) -> ActionResult:
        backend, params = self.autoscaling_backend, self._get_params()
        name = params["PolicyName"]
        backend.group(params["AutoScalingGroupName"])  # which must exist
        if params.get("PolicyType") == TRACKING:
            _check(params.get("TargetTrackingConfiguration") or {})
        before = backend.policies.get(name)
        super().put_scaling_policy()
        policy = backend.policies[name]
        assert isinstance(policy, Policy)
        policy.enabled = params.get("Enabled", True)
        if policy.tracking:
            policy.make_alarms()
        if isinstance(before, Policy):
            stale = {before.high, before.low} - {policy.high, policy.low, ""}
            policy.watch.delete_alarms(sorted(stale))
        return ActionResult({"PolicyARN": policy.arn, "Alarms": policy.alarms})

    def delete_policy(self) -> ActionResult:
        policy = self.autoscaling_backend.policies.get(self._get_param("PolicyName"))
        if isinstance(policy, Policy):
            policy.delete_alarms()
        return super().delete_policy()

    def delete_auto_scaling_group(self) -> ActionResult:
        backend, group = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
        for policy in policies_of(backend, group):
            policy.delete_alarms()
        return super().delete_auto_scaling_group()


def policies_of(backend: Groups, group: str) -> list[Policy]:
    """The policies of a group, by name."""
    found = [policy for policy in backend.policies.values() if policy.auto_scaling_group_name == group]
    return sorted((each for each in found if isinstance(each, Policy)), key=lambda each: each.name)


def _metric(group: str, tracking: Mapping[str, Any]) -> dict[str, Any]:
    """Namespace, name, dimensions and statistic of what a policy tracks, as PutMetricAlarm takes them."""
    own = tracking.get("CustomizedMetricSpecification")
    if own:
        return {
            "namespace": own["Namespace"],
            "metric_name": own["MetricName"],
            "statistic": own["Statistic"],
            "dimensions": [dict(each) for each in own.get("Dimensions", [])],
        }
    told = tracking["PredefinedMetricSpecification"]
    namespace, name, statistic = _PREDEFINED[told["PredefinedMetricType"]]
    dimensions = {"AutoScalingGroupName": group}
    if namespace == "AWS/ApplicationELB":
        balancer, _, targets = told["ResourceLabel"].partition("/targetgroup/")
        dimensions = {"TargetGroup": f"targetgroup/{targets}", "LoadBalancer": balancer}
    return {
        "namespace": namespace,
        "metric_name": name,
        "statistic": statistic,
        "dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }


def _check(tracking: Mapping[str, Any]) -> None:
    """Refuses what AWS refuses."""
    own, told = tracking.get("CustomizedMetricSpecification"), tracking.get("PredefinedMetricSpecification")
    if bool(own) == bool(told):
        raise ValidationError("A target tracking policy needs either a predefined or a customized metric")
    if own and "MetricName" not in own:
        raise ValidationError("The local control plane tracks customized metrics without metric math only")
    told = told or {}
    by_requests = told.get("PredefinedMetricType") == "ALBRequestCountPerTarget"
    if by_requests and "/targetgroup/" not in told.get("ResourceLabel", ""):
        raise ValidationError("ALBRequestCountPerTarget needs a ResourceLabel: app/NAME/ID/targetgroup/NAME/ID")


def install() -> None:
    """Puts this file in moto's place."""
    use_model(FakeScalingPolicy, Policy, models)
