"""What there is in an account, as boto3 tells it: to see that a stack makes things, and that `destroy` leaves none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jmespath

from tests.engine.world import World


class Kind(NamedTuple):
    service: str
    operation: str
    path: str
    parameters: Mapping[str, Any] = {}


LIVING = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]

KINDS: Mapping[str, Kind] = {
    "vpc": Kind("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "subnet": Kind("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "internet gateway": Kind("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    "address": Kind("ec2", "describe_addresses", "Addresses[].AllocationId"),
    "NAT gateway": Kind("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    "route table": Kind("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "endpoint": Kind("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    "flow log": Kind("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    "security group": Kind("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "launch template": Kind("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateId"),
    "instance": Kind("ec2", "describe_instances", "Reservations[].Instances[].InstanceId", {"Filters": LIVING}),
    "volume": Kind("ec2", "describe_volumes", "Volumes[].VolumeId"),
    "role": Kind("iam", "list_roles", "Roles[].RoleName"),
    "instance profile": Kind("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    "key alias": Kind("kms", "list_aliases", "Aliases[].AliasName"),
    "log group": Kind("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "alarm": Kind("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "dashboard": Kind("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    "topic": Kind("sns", "list_topics", "Topics[].TopicArn"),
    "secret": Kind("secretsmanager", "list_secrets", "SecretList[].Name"),
    "parameter": Kind("ssm", "describe_parameters", "Parameters[].Name"),
    "replication group": Kind("elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"),
    "cache user": Kind("elasticache", "describe_users", "Users[].UserId"),
    "cache user group": Kind("elasticache", "describe_user_groups", "UserGroups[].UserGroupId"),
    "cache subnets": Kind("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups[].CacheSubnetGroupName"),
    "cache parameters": Kind(
        "elasticache", "describe_cache_parameter_groups", "CacheParameterGroups[].CacheParameterGroupName"
    ),
    "database": Kind("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    "database subnets": Kind("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"),
    "database parameters": Kind("rds", "describe_db_parameter_groups", "DBParameterGroups[].DBParameterGroupName"),
    "database events": Kind("rds", "describe_event_subscriptions", "EventSubscriptionsList[].CustSubscriptionId"),
    "scaling group": Kind("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName"),
    "scaling policy": Kind("autoscaling", "describe_policies", "ScalingPolicies[].PolicyName"),
    "load balancer": Kind("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    "target group": Kind("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    "bucket": Kind("s3", "list_buckets", "Buckets[].Name"),
    "budget": Kind("budgets", "describe_budgets", "Budgets[].BudgetName", {"AccountId": "123456789012"}),
}


def inventory(world: World) -> dict[str, set[str]]:
    """Ids of all that exists, by kind."""
    return {name: _ids(world, kind) for name, kind in KINDS.items()}


def _ids(world: World, kind: Kind) -> set[str]:
    client = world.client(kind.service)
    if not client.can_paginate(kind.operation):
        return set(jmespath.search(kind.path, getattr(client, kind.operation)(**kind.parameters)) or ())
    pages = client.get_paginator(kind.operation).paginate(**kind.parameters)
    return {identity for page in pages for identity in jmespath.search(kind.path, page) or ()}
