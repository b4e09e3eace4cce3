"""One life per resource type: what it is made from, and what is changed in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from goldfleet.servicer import Values
from tests.local.provider.ground import TRUST, Ground


class Life(NamedTuple):
    kind: str
    inputs: Callable[[Ground], Values]
    changes: Callable[[Ground], Values]


def _policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _key_policy(sid: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _alarm(threshold: int, cpu: str) -> Values:
    return {
        "name": "alarm",
        "alarmDescription": f"CPU {cpu}",
        "namespace": "AWS/EC2",
        "metricName": "CPUUtilization",
        "statistic": "Average",
        "period": 60,
        "evaluationPeriods": 2,
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": threshold,
        "dimensions": {"InstanceId": cpu},
        "treatMissingData": "notBreaching",
    }


def _budget(limit: str, threshold: float, topic: str) -> Values:
    return {
        "name": "monthly",
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": limit,
        "limitUnit": "USD",
        "notifications": [
            {
                "notificationType": "ACTUAL",
                "comparisonOperator": "GREATER_THAN",
                "threshold": threshold,
                "thresholdType": "PERCENTAGE",
                "subscriberSnsTopicArns": [topic],
            }
        ],
    }


def _template(image: str, kind: str) -> Values:
    return {
        "imageId": image,
        "instanceType": kind,
        "userData": "aGVsbG8=",
        "updateDefaultVersion": True,
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeType": "gp3"}}],
        "tagSpecifications": [{"resourceType": "volume", "tags": {"Name": kind}}],
    }


def _database(group: str, days: int) -> Values:
    return {
        "identifier": "main",
        "engine": "postgres",
        "engineVersion": "17",
        "instanceClass": "db.t4g.micro",
        "allocatedStorage": 20,
        "username": "owner",
        "password": "a-long-password-of-ours",
        "vpcSecurityGroupIds": [group],
        "backupRetentionPeriod": days,
        "skipFinalSnapshot": True,
        "applyImmediately": True,
    }


def _store(group: str, count: int) -> Values:
    return {
        "replicationGroupId": "store",
        "description": f"{count} nodes",
        "engine": "valkey",
        "engineVersion": "8.0",
        "nodeType": "cache.t4g.micro",
        "numCacheClusters": count,
        "automaticFailoverEnabled": count > 1,
        "securityGroupIds": [group],
        "atRestEncryptionEnabled": True,
        "transitEncryptionEnabled": True,
        "snapshotRetentionLimit": count,
        "applyImmediately": True,
    }


def _balancer(ground: Ground, idle: int) -> Values:
    return {
        "name": "balancer",
        "subnets": ground.subnets[:2],
        "securityGroups": [ground.group],
        "loadBalancerType": "application",
        "internal": False,
        "idleTimeout": idle,
        "dropInvalidHeaderFields": True,
        "tags": {"idle": str(idle)},
    }


def _parameters(family: str, name: str, value: str) -> Values:
    return {
        "name": "parameters",
        "family": family,
        "description": "ours",
        "parameters": [{"name": name, "value": value}],
    }


def _rule(port: int, cidr: str) -> Values:
    return {"ipProtocol": "tcp", "fromPort": 1, "toPort": port, "cidrIpv4": cidr, "description": cidr}


def _endpoint(ground: Ground, tables: list[str]) -> Values:
    service = {"vpcId": ground.vpc, "serviceName": "com.amazonaws.eu-central-1.s3", "vpcEndpointType": "Gateway"}
    return {**service, "routeTableIds": tables}


def _route(ground: Ground, **target: str) -> Values:
    return {"routeTableId": ground.tables[0], "destinationCidrBlock": "0.0.0.0/0", **target}


def _targets(ground: Ground, interval: int) -> Values:
    return {
        "name": "targets",
        "vpcId": ground.vpc,
        "port": 8000,
        "protocol": "HTTP",
        "targetType": "instance",
        "deregistrationDelay": interval,
        "healthCheck": {"path": "/healthz", "interval": interval, "matcher": "200"},
        "stickiness": {"type": "lb_cookie", "enabled": False},
    }


LIVES = (
    Life(
        "vpc:Vpc",
        lambda _: {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True, "tags": {"a": "1", "b": "2"}},
        lambda _: {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": False, "tags": {"a": "3"}},
    ),
    Life(
        "subnet:Subnet",
        lambda g: {"vpcId": g.vpc, "cidrBlock": "10.9.100.0/24", "mapPublicIpOnLaunch": False},
        lambda g: {"vpcId": g.vpc, "cidrBlock": "10.9.100.0/24", "mapPublicIpOnLaunch": True, "tags": {"a": "1"}},
    ),
    Life("eip:Eip", lambda _: {"domain": "vpc"}, lambda _: {"domain": "vpc", "tags": {"a": "1"}}),
    Life(
        "routeTable:RouteTable",
        lambda g: {"vpcId": g.vpc, "tags": {"a": "1"}},
        lambda g: {"vpcId": g.vpc, "tags": {"a": "2"}},
    ),
    Life(
        "vpcEndpoint:VpcEndpoint",
        lambda g: _endpoint(g, g.tables[:1]),
        lambda g: _endpoint(g, g.tables[1:]),
    ),
    Life(
        "route:Route",
        lambda g: _route(g, gatewayId=g.gateway),
        lambda g: _route(g, natGatewayId=g.nat),
    ),
    Life(
        "securityGroup:SecurityGroup",
        lambda g: {"name": "group", "description": "group", "vpcId": g.vpc, "tags": {"a": "1"}},
        lambda g: {"name": "group", "description": "group", "vpcId": g.vpc},
    ),
    Life(
        "IngressRule",
        lambda g: {"securityGroupId": g.group, **_rule(1, "1.0.0.0/8")},
        lambda g: {"securityGroupId": g.group, **_rule(2, "2.0.0.0/8")},
    ),
    Life(
        "launchTemplate:LaunchTemplate",
        lambda g: {"name": "template", **_template(g.image, "t3.micro")},
        lambda g: {"name": "template", **_template(g.image, "t3.small"), "description": "small"},
    ),
    Life(
        "role:Role",
        lambda _: {"name": "role", "assumeRolePolicy": TRUST, "description": "one", "tags": {"a": "1"}},
        lambda _: {"name": "role", "assumeRolePolicy": TRUST, "maxSessionDuration": 7200},
    ),
    Life(
        "rolePolicy:RolePolicy",
        lambda g: {"name": "policy", "role": g.role, "policy": _policy("s3:ListAllMyBuckets")},
        lambda g: {"name": "policy", "role": g.role, "policy": _policy("s3:GetObject")},
    ),
    Life(
        "instanceProfile:InstanceProfile",
        lambda g: {"name": "profile", "role": g.role},
        lambda g: {"name": "profile", "role": g.role, "tags": {"a": "1"}},
    ),
    Life(
        "key:Key",
        lambda _: {"description": "one", "enableKeyRotation": True, "policy": _key_policy("one")},
        lambda _: {"description": "two", "enableKeyRotation": False, "policy": _key_policy("two")},
    ),
    Life(
        "logGroup:LogGroup",
        lambda _: {"name": "/log", "retentionInDays": 30, "tags": {"a": "1"}},
        lambda _: {"name": "/log", "retentionInDays": 60, "tags": {"b": "1"}},
    ),
    Life("metricAlarm:MetricAlarm", lambda _: _alarm(80, "i-1"), lambda _: _alarm(90, "i-2")),
    Life(
        "dashboard:Dashboard",
        lambda _: {"dashboardName": "board", "dashboardBody": '{"widgets": []}'},
        lambda _: {"dashboardName": "board", "dashboardBody": '{"widgets": [], "start": "-PT1H"}'},
    ),
    Life("topic:Topic", lambda _: {"displayName": "one"}, lambda _: {"displayName": "two", "tags": {"a": "1"}}),
    Life("budget:Budget", lambda g: _budget("10", 80, g.topic), lambda g: _budget("20", 90, g.topic)),
    Life(
        "secret:Secret",
        lambda _: {"namePrefix": "secret-", "description": "one", "recoveryWindowInDays": 7},
        lambda _: {"namePrefix": "secret-", "description": "two", "recoveryWindowInDays": 7, "tags": {"a": "1"}},
    ),
    Life(
        "parameter:Parameter",
        lambda _: {"name": "/p", "type": "String", "value": "[]", "description": "one"},
        lambda _: {"name": "/p", "type": "String", "value": "[1]", "description": "two"},
    ),
    Life(
        "elasticache/subnetGroup:SubnetGroup",
        lambda g: {"name": "subnets", "description": "one", "subnetIds": g.subnets[:2]},
        lambda g: {"name": "subnets", "description": "two", "subnetIds": g.subnets},
    ),
    Life(
        "elasticache/parameterGroup:ParameterGroup",
        lambda _: _parameters("valkey8", "maxmemory-policy", "noeviction"),
        lambda _: _parameters("valkey8", "maxmemory-policy", "allkeys-lru"),
    ),
    Life(
        "replicationGroup:ReplicationGroup",
        lambda g: _store(g.group, 2),
        lambda g: {**_store(g.group, 3), "nodeType": "cache.t4g.small"},
    ),
    Life(
        "rds/subnetGroup:SubnetGroup",
        lambda g: {"name": "subnets", "description": "one", "subnetIds": g.subnets[:2]},
        lambda g: {"name": "subnets", "description": "two", "subnetIds": g.subnets},
    ),
    Life(
        "rds/parameterGroup:ParameterGroup",
        lambda _: _parameters("postgres17", "log_connections", "1"),
        lambda _: _parameters("postgres17", "log_connections", "0"),
    ),
    Life("rds/instance:Instance", lambda g: _database(g.group, 7), lambda g: _database(g.group, 8)),
    Life(
        "eventSubscription:EventSubscription",
        lambda g: {"name": "events", "snsTopic": g.topic, "sourceType": "db-instance", "eventCategories": ["failure"]},
        lambda g: {"name": "events", "snsTopic": g.topic, "sourceType": "db-instance", "eventCategories": ["backup"]},
    ),
    Life("loadBalancer:LoadBalancer", lambda g: _balancer(g, 60), lambda g: {**_balancer(g, 30), "subnets": g.subnets}),
    Life("targetGroup:TargetGroup", lambda g: _targets(g, 10), lambda g: _targets(g, 20)),
    Life(
        "record:Record",
        lambda g: {"zoneId": g.zone, "name": "a.example.com", "type": "A", "ttl": 60, "records": ["10.0.0.1"]},
        lambda g: {"zoneId": g.zone, "name": "a.example.com", "type": "A", "ttl": 30, "records": ["10.0.0.2"]},
    ),
    Life(
        "bucket:Bucket",
        lambda _: {"bucket": "a-bucket-of-ours", "forceDestroy": True, "tags": {"a": "1"}},
        lambda _: {"bucket": "a-bucket-of-ours", "forceDestroy": True, "tags": {"b": "1"}},
    ),
)
