"""One check per control that applies: reads it from what the program would make."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.instance_types import FAMILIES
from tests.infra.recorder import Recorded, Resources

Check = Callable[[Resources], None]
CHECKS: dict[str, Check] = {}

WORLD_PORTS = {80, 443}
SERVER = "aws:rds/instance:Instance"


def reads(*controls: str) -> Callable[[Check], Check]:
    """Names the controls that a check reads."""

    def register(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(controls, check))
        return check

    return register


def all_of(resources: Resources, type_: str, **expected: Any) -> None:
    """There is one at least, and every one has these inputs."""
    found = resources.of(type_)
    assert found, type_
    for one in found:
        for key, value in expected.items():
            assert one.inputs.get(key) == value, f"{one.name}.{key} = {one.inputs.get(key)!r}"


def template(resources: Resources) -> Mapping[str, Any]:
    return resources.one("LaunchTemplate").inputs


def mains(resources: Resources) -> list[Recorded]:
    return [one for one in servers(resources) if "replicateSourceDb" not in one.inputs]


def servers(resources: Resources) -> list[Recorded]:
    return resources.of(SERVER)


def world_rules(resources: Resources) -> list[Mapping[str, Any]]:
    return [one.inputs for one in resources.of("SecurityGroupIngressRule") if one.inputs.get("cidrIpv4") == "0.0.0.0/0"]


def documents(resources: Resources, *types: str) -> Iterable[dict[str, Any]]:
    """Statements of all policies of these types."""
    for type_ in types:
        for one in resources.of(type_):
            yield from json.loads(one.inputs.get("policy") or one.inputs["assumeRolePolicy"])["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@reads("EC2.2")
def default_group_is_empty(resources: Resources) -> None:
    all_of(resources, "DefaultSecurityGroup", ingress=[], egress=[])


@reads("EC2.3", "EC2.181")
def volumes_are_encrypted(resources: Resources) -> None:
    mappings = template(resources)["blockDeviceMappings"]
    assert [one["deviceName"] for one in mappings] == ["/dev/xvda", "/dev/sdf"]
    assert all(one["ebs"]["encrypted"] == "true" for one in mappings)


@reads("EC2.4")
def clones_are_replaced(resources: Resources) -> None:
    assert resources.one("aws:autoscaling/group:Group").inputs["maxInstanceLifetime"] <= 30 * 86_400


@reads("EC2.6")
def the_vpc_is_logged(resources: Resources) -> None:
    all_of(resources, "FlowLog", trafficType="REJECT", vpcId="network-vpc-id")


@reads("EC2.8", "EC2.170", "AutoScaling.3", "AutoScaling.4")
def metadata_needs_a_token_and_one_hop(resources: Resources) -> None:
    options = template(resources)["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)


@reads("EC2.9", "EC2.15", "EC2.25", "AutoScaling.5")
def no_public_addresses(resources: Resources) -> None:
    all_of(resources, "Subnet", mapPublicIpOnLaunch=False)
    assert "networkInterfaces" not in template(resources)


@reads("EC2.12")
def addresses_are_used(resources: Resources) -> None:
    used = {one.inputs["allocationId"] for one in resources.of("NatGateway")}
    assert used == {f"{one.name}-id" for one in resources.of("Eip")}


@reads("EC2.13", "EC2.14", "EC2.53", "EC2.54", "EC2.18", "EC2.19")
def the_world_reaches_two_ports(resources: Resources) -> None:
    rules = world_rules(resources)
    assert {rule["fromPort"] for rule in rules} == WORLD_PORTS
    assert all(rule["fromPort"] == rule["toPort"] for rule in rules)
    assert not any(one.inputs.get("cidrIpv6") for one in resources.of("SecurityGroupIngressRule"))
    assert all(not one.inputs.get("ingress") for one in resources.of("SecurityGroup"))


@reads("EC2.16")
def no_network_acls(resources: Resources) -> None:
    assert not resources.of("NetworkAcl")


@reads("EC2.17", "EC2.180")
def one_network_interface(resources: Resources) -> None:
    assert not resources.of("NetworkInterface")
    assert "networkInterfaces" not in template(resources)


@reads("EC2.24")
def clones_are_on_nitro(resources: Resources) -> None:
    assert template(resources)["instanceType"].partition(".")[0] in FAMILIES


@reads("AutoScaling.1")
def the_group_asks_the_balancer(resources: Resources) -> None:
    all_of(resources, "aws:autoscaling/group:Group", healthCheckType="ELB")


@reads("AutoScaling.2")
def the_group_spans_zones(resources: Resources) -> None:
    assert len(set(resources.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"])) >= 2


@reads("AutoScaling.9")
def the_group_uses_a_launch_template(resources: Resources) -> None:
    group = resources.one("aws:autoscaling/group:Group").inputs
    assert group["launchTemplate"]["id"] == "fleet-template-id"
    assert "launchConfiguration" not in group


@reads("ELB.1", "ELB.18")
def http_redirects(resources: Resources) -> None:
    listeners = {one.inputs["protocol"]: one.inputs["defaultActions"][0] for one in resources.of("Listener")}
    assert set(listeners) == {"HTTP", "HTTPS"}
    assert (listeners["HTTP"]["type"], listeners["HTTP"]["redirect"]["protocol"]) == ("redirect", "HTTPS")


@reads("ELB.4", "ELB.6", "ELB.12")
def the_balancer_is_hardened(resources: Resources) -> None:
    all_of(
        resources,
        "LoadBalancer",
        dropInvalidHeaderFields=True,
        enableDeletionProtection=True,
        desyncMitigationMode="defensive",
    )


@reads("ELB.5")
def access_is_logged(resources: Resources) -> None:
    assert resources.one("LoadBalancer").inputs["accessLogs"] == {"enabled": True, "bucket": "balancer-logs-bucket-id"}
    [grant] = [s for s in documents(resources, "BucketPolicy") if s["Effect"] == "Allow"]
    assert grant["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}


@reads("ELB.13")
def the_balancer_spans_zones(resources: Resources) -> None:
    assert len(set(resources.one("LoadBalancer").inputs["subnets"])) >= 2


@reads("ELB.17")
def tls_is_modern(resources: Resources) -> None:
    assert resources.one("Listener", "balancer-https").inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


@reads("ACM.1", "ACM.2")
def the_certificate_renews_and_is_strong(resources: Resources) -> None:
    all_of(resources, "Certificate", validationMethod="DNS", keyAlgorithm="RSA_2048")


@reads("RDS.1")
def snapshots_are_not_shared(resources: Resources) -> None:
    assert not resources.of("Snapshot") + resources.of("SnapshotCopy")


@reads("RDS.2", "RDS.4", "RDS.10", "RDS.13", "RDS.17")
def servers_are_hardened(resources: Resources) -> None:
    all_of(
        resources,
        SERVER,
        publiclyAccessible=False,
        storageEncrypted=True,
        iamDatabaseAuthenticationEnabled=True,
        autoMinorVersionUpgrade=True,
        copyTagsToSnapshot=True,
    )


@reads("RDS.3")
def storage_is_encrypted_with_the_stacks_key(resources: Resources) -> None:
    all_of(resources, SERVER, storageEncrypted=True)
    assert all(main.inputs["kmsKeyId"] == "arn:aws:mock:::data-key-key" for main in mains(resources))


@reads("RDS.5", "RDS.8")
def mains_survive(resources: Resources) -> None:
    for main in mains(resources):
        assert main.inputs["multiAz"] is True
        assert main.inputs["deletionProtection"] is True


@reads("RDS.6", "RDS.9", "RDS.36")
def servers_are_watched(resources: Resources) -> None:
    for server in servers(resources):
        assert server.inputs["monitoringInterval"] > 0
        assert "postgresql" in server.inputs["enabledCloudwatchLogsExports"]


@reads("RDS.11")
def mains_are_backed_up(resources: Resources) -> None:
    assert all(main.inputs["backupRetentionPeriod"] >= 7 for main in mains(resources))


@reads("RDS.18", "RDS.46")
def servers_live_where_no_route_leads_out(resources: Resources) -> None:
    group = resources.one("aws:rds/subnetGroup:SubnetGroup").inputs
    subnets = group["subnetIds"]
    assert all(subnet.startswith("network-data-") for subnet in subnets)
    assert all(main.inputs["dbSubnetGroupName"] == group["name"] for main in mains(resources))
    tables = {
        one.inputs["routeTableId"] for one in resources.of("RouteTableAssociation") if one.inputs["subnetId"] in subnets
    }
    assert tables == {"network-data-routes-id"}
    assert not [one for one in resources.of("Route") if one.inputs["routeTableId"] in tables]


@reads("RDS.20", "RDS.21", "RDS.22")
def database_events_are_heard(resources: Resources) -> None:
    heard = {one.inputs["sourceType"]: set(one.inputs["eventCategories"]) for one in resources.of("EventSubscription")}
    assert heard == {
        "db-instance": {"maintenance", "configuration change", "failure"},
        "db-parameter-group": {"configuration change"},
        "db-security-group": {"configuration change", "failure"},
    }
    all_of(resources, "EventSubscription", snsTopic="arn:aws:mock:::alarms-topic-topic")


@reads("RDS.23", "RDS.25")
def the_database_is_not_where_scanners_look(resources: Resources) -> None:
    assert all(server.inputs["port"] != 5432 for server in servers(resources))
    assert all(main.inputs["username"] not in {"postgres", "admin"} for main in mains(resources))


@reads("RDS.38")
def the_database_demands_tls(resources: Resources) -> None:
    parameters = resources.one("aws:rds/parameterGroup:ParameterGroup").inputs["parameters"]
    assert {"name": "rds.force_ssl", "value": "1"} in parameters
    name = resources.one("aws:rds/parameterGroup:ParameterGroup").inputs["name"]
    assert all(server.inputs["parameterGroupName"] == name for server in servers(resources))


@reads("ElastiCache.1")
def stores_are_snapshotted(resources: Resources) -> None:
    assert all(one.inputs["snapshotRetentionLimit"] >= 1 for one in resources.of("ReplicationGroup"))


@reads("ElastiCache.2", "ElastiCache.4", "ElastiCache.5")
def stores_are_hardened(resources: Resources) -> None:
    all_of(
        resources,
        "ReplicationGroup",
        autoMinorVersionUpgrade=True,
        atRestEncryptionEnabled=True,
        kmsKeyId="arn:aws:mock:::data-key-key",
        transitEncryptionEnabled=True,
        transitEncryptionMode="required",
    )


@reads("ElastiCache.3")
def the_session_store_fails_over(resources: Resources) -> None:
    group = resources.one("ReplicationGroup", "sessions-group").inputs
    assert group["automaticFailoverEnabled"]
    assert group["multiAzEnabled"]
    assert group["numCacheClusters"] >= 2


@reads("ElastiCache.6")
def stores_have_users(resources: Resources) -> None:
    assert all(len(one.inputs["userGroupIds"]) == 1 for one in resources.of("ReplicationGroup"))
    for user in resources.of("aws:elasticache/user:User"):
        assert user.inputs["authenticationMode"]["type"] == "password" or user.inputs["accessString"].startswith("off")


@reads("ElastiCache.7")
def stores_have_their_own_subnets(resources: Resources) -> None:
    groups = {one.inputs["subnetGroupName"] for one in resources.of("ReplicationGroup")}
    assert groups == {one.inputs["name"] for one in resources.of("aws:elasticache/subnetGroup:SubnetGroup")}


@reads("S3.2", "S3.3", "S3.6")
def only_services_may_use_the_bucket(resources: Resources) -> None:
    for statement in documents(resources, "BucketPolicy"):
        if statement["Effect"] == "Allow":
            assert list(statement["Principal"]) == ["Service"]
            assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
            assert statement["Action"] == "s3:PutObject"


@reads("S3.5")
def buckets_demand_tls(resources: Resources) -> None:
    denied = [s for s in documents(resources, "BucketPolicy") if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
    assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert len(denied) == len(resources.of("aws:s3/bucket:Bucket"))


@reads("S3.8")
def public_access_is_blocked(resources: Resources) -> None:
    all_of(
        resources,
        "BucketPublicAccessBlock",
        blockPublicAcls=True,
        blockPublicPolicy=True,
        ignorePublicAcls=True,
        restrictPublicBuckets=True,
    )


@reads("S3.12")
def acls_are_disabled(resources: Resources) -> None:
    all_of(resources, "BucketOwnershipControls", rule={"objectOwnership": "BucketOwnerEnforced"})


@reads("S3.13")
def logs_expire(resources: Resources) -> None:
    [rule] = resources.one("BucketLifecycleConfiguration").inputs["rules"]
    assert (rule["status"], rule["expiration"]) == ("Enabled", {"days": 90})


@reads("S3.14")
def buckets_have_versions(resources: Resources) -> None:
    all_of(resources, "BucketVersioning", versioningConfiguration={"status": "Enabled"})


@reads("IAM.1", "IAM.21", "KMS.1", "KMS.2")
def no_role_may_everything(resources: Resources) -> None:
    statements = list(documents(resources, "RolePolicy"))
    assert statements
    for statement in statements:
        assert "*" not in as_list(statement["Resource"]), statement
        assert not any(action.endswith(":*") or action == "*" for action in as_list(statement["Action"]))
        assert not any("key/*" in resource for resource in as_list(statement["Resource"]))


@reads("IAM.2", "IAM.3", "IAM.4", "IAM.5", "IAM.8")
def no_users(resources: Resources) -> None:
    assert not [one for one in resources if one.type.startswith(("aws:iam/user", "aws:iam/accessKey"))]


@reads("KMS.3", "KMS.4")
def keys_rotate_and_can_be_had_back(resources: Resources) -> None:
    all_of(resources, "aws:kms/key:Key", enableKeyRotation=True, deletionWindowInDays=30)


@reads("KMS.5")
def keys_are_not_public(resources: Resources) -> None:
    for statement in documents(resources, "aws:kms/key:Key"):
        assert "*" not in str(statement["Principal"])


@reads("SecretsManager.3")
def every_secret_is_read_by_clones(resources: Resources) -> None:
    told = json.loads(base64.b64decode(template(resources)["userData"]))
    named = [told["sessions"]["secret"], told["cache"]["secret"], *told["app_secrets"].values()]
    named += [shard[role] for shard in told["shards"] for role in ("owner_secret", "app_secret")]
    assert len(set(named)) == len(resources.of("aws:secretsmanager/secret:Secret"))


@reads("CloudWatch.15", "CloudWatch.17")
def alarms_tell_the_topic(resources: Resources) -> None:
    all_of(resources, "MetricAlarm", alarmActions=["arn:aws:mock:::alarms-topic-topic"], actionsEnabled=True)


@reads("CloudWatch.16")
def logs_are_kept_a_year(resources: Resources) -> None:
    assert all(one.inputs["retentionInDays"] >= 365 for one in resources.of("LogGroup"))


@reads("SNS.1")
def the_topic_is_encrypted(resources: Resources) -> None:
    all_of(resources, "Topic", kmsMasterKeyId="arn:aws:mock:::alarms-topic-key-key")


@reads("SNS.4")
def only_services_of_the_account_publish(resources: Resources) -> None:
    for statement in documents(resources, "TopicPolicy"):
        assert list(statement["Principal"]) == ["Service"]
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
