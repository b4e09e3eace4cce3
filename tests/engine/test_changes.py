"""What a change of settings touches, and what happens to drift: on one stack that is up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.engine.world import Change, World

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stage(world: Callable[..., World]) -> World:
    """The stack `local`, up."""
    made = world("local")
    made.engine().up()
    return made


def _created(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "create")


def _updated(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "update")


def _deleted(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "delete")


TOUCHED: list[tuple[Change, dict[str, str]]] = [
    ({"fleet.desired": 3}, _updated("capacity-desired")),
    ({"fleet.max": 7}, _updated("fleet-group")),
    ({"fleet.cpu_target_percent": 35}, _updated("fleet-cpu")),
    ({"cache.node_type": "cache.t4g.small"}, _updated("cache-group")),
    ({"database.backup_days": 9}, _updated("database-0-main")),
    ({"app.environment": {"COLOUR": "gold"}}, _updated("fleet-template", "rollout-refresh")),
    (
        {"app.secrets": ["stripe-key"]},
        {**_created("app-secrets-stripe-key"), **_updated("clone-policy", "fleet-template", "rollout-refresh")},
    ),
    (
        {"alarms.email": "ops@example.com", "alarms.monthly_budget_usd": 5},
        {**_created("alarms-topic-email"), **_updated("alarms-budget")},
    ),
    (
        {"network.nat": "per_zone"},
        {**_created("network-nat-b", "network-nat-b-address"), **_updated("network-app-b-route")},
    ),
    (
        {"balancer.port": 8081},
        {
            **_created("balancer-world-0-8081"),
            **_updated("balancer-http", "fleet-template", "rollout-refresh"),
            **_deleted("balancer-world-0-8080"),
        },
    ),
    (
        {"database.replicas": 0},
        {
            **_updated("database-0-replicas", "alarms-dashboard"),
            **_deleted(
                "database-0-replica-1",
                "database-0-replica-1-postgresql-log",
                "database-0-replica-1-upgrade-log",
                "alarms-lag-goldfleet-local-shard-0-replica-1",
                "alarms-storage-goldfleet-local-shard-0-replica-1",
            ),
        },
    ),
]


@pytest.mark.parametrize(("changes", "touched"), TOUCHED, ids=[" ".join(changes) for changes, _ in TOUCHED])
def test_a_setting_touches_only_what_it_is_about(stage: World, changes: Change, touched: dict[str, str]) -> None:
    assert stage.touched(changes) == touched


FOREIGN_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}


def _drift(stage: World) -> None:
    """What a person might do by hand, in as many services as there is something to lose."""
    ec2, rds, logs = stage.client("ec2"), stage.client("rds"), stage.client("logs")
    database = _group_id(stage, "goldfleet-local-database-server")
    ec2.authorize_security_group_ingress(
        GroupId=database,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ],
    )
    ec2.revoke_security_group_ingress(
        GroupId=database, SecurityGroupRuleIds=[_rules(stage, database)["From clients of database"]]
    )
    ec2.delete_tags(Resources=[database], Tags=[{"Key": "goldfleet:stack"}])
    rds.modify_db_instance(
        DBInstanceIdentifier="goldfleet-local-shard-0-main", BackupRetentionPeriod=1, ApplyImmediately=True
    )
    logs.put_retention_policy(logGroupName="/goldfleet/local/app", retentionInDays=1)
    stage.client("ssm").put_parameter(
        Name="/goldfleet/local/database/0/replicas", Value="[]", Type="String", Overwrite=True
    )
    stage.client("iam").put_role_policy(
        RoleName="goldfleet-local-clone", PolicyName=_policy_name(stage), PolicyDocument=json.dumps(FOREIGN_POLICY)
    )
    stage.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="goldfleet-local-fleet", MaxSize=20)
    stage.client("cloudwatch").delete_dashboards(DashboardNames=["goldfleet-local"])


DRIFTED = {
    **_created("database-access-server-ingress", "alarms-dashboard"),
    **_updated(
        "app-log", "clone-policy", "database-0-main", "database-0-replicas", "database-access-server", "fleet-group"
    ),
}


def _group_id(stage: World, name: str) -> str:
    filters = [{"Name": "group-name", "Values": [name]}]
    return str(stage.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def _rules(stage: World, group: str) -> dict[str, str]:
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = stage.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return {rule.get("Description", ""): rule["SecurityGroupRuleId"] for rule in rules}


def _policy_name(stage: World) -> str:
    return str(stage.client("iam").list_role_policies(RoleName="goldfleet-local-clone")["PolicyNames"][0])


def test_drift_is_found_by_refresh_and_repaired_by_up(stage: World) -> None:
    assert stage.touched() == {}
    _drift(stage)
    stage.engine().refresh()
    assert stage.touched() == DRIFTED
    stage.engine().up()
    assert stage.touched() == {}
    _assert_repaired(stage)
    stage.engine().refresh()
    assert stage.touched() == {}


def _assert_repaired(stage: World) -> None:
    database = stage.client("rds").describe_db_instances(DBInstanceIdentifier="goldfleet-local-shard-0-main")
    assert database["DBInstances"][0]["BackupRetentionPeriod"] > 1
    groups = stage.client("logs").describe_log_groups(logGroupNamePrefix="/goldfleet/local/app")["logGroups"]
    assert groups[0]["retentionInDays"] > 1
    parameter = stage.client("ssm").get_parameter(Name="/goldfleet/local/database/0/replicas")["Parameter"]
    assert parameter["Value"] != "[]"
    names = {"AutoScalingGroupNames": ["goldfleet-local-fleet"]}
    group = stage.client("autoscaling").describe_auto_scaling_groups(**names)["AutoScalingGroups"][0]
    assert group["MaxSize"] == 6
    assert "From clients of database" in _rules(stage, _group_id(stage, "goldfleet-local-database-server"))
    assert stage.client("cloudwatch").get_dashboard(DashboardName="goldfleet-local")["DashboardBody"]
    document = stage.client("iam").get_role_policy(RoleName="goldfleet-local-clone", PolicyName=_policy_name(stage))
    assert document["PolicyDocument"] != FOREIGN_POLICY
