"""Checks of the database servers and of the stores in memory: RDS, ElastiCache."""

from __future__ import annotations

from tests.infra.control_checks.reading import Checks, all_of
from tests.infra.recorder import Recorded, Resources

SERVER = "aws:rds/instance:Instance"
CHECKS = Checks()


def mains(resources: Resources) -> list[Recorded]:
    return [one for one in servers(resources) if "replicateSourceDb" not in one.inputs]


def servers(resources: Resources) -> list[Recorded]:
    return resources.of(SERVER)


@CHECKS.reads("RDS.1")
def snapshots_are_not_shared(resources: Resources) -> None:
    assert not resources.of("Snapshot") + resources.of("SnapshotCopy")


@CHECKS.reads("RDS.2", "RDS.4", "RDS.10", "RDS.13", "RDS.17")
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


@CHECKS.reads("RDS.3")
def storage_is_encrypted_with_the_stacks_key(resources: Resources) -> None:
    all_of(resources, SERVER, storageEncrypted=True)
    assert all(main.inputs["kmsKeyId"] == "arn:aws:mock:::data-key-key" for main in mains(resources))


@CHECKS.reads("RDS.5", "RDS.8")
def mains_survive(resources: Resources) -> None:
    for main in mains(resources):
        assert main.inputs["multiAz"] is True
        assert main.inputs["deletionProtection"] is True


@CHECKS.reads("RDS.6", "RDS.9", "RDS.36")
def servers_are_watched(resources: Resources) -> None:
    for server in servers(resources):
        assert server.inputs["monitoringInterval"] > 0
        assert "postgresql" in server.inputs["enabledCloudwatchLogsExports"]


@CHECKS.reads("RDS.11")
def mains_are_backed_up(resources: Resources) -> None:
    assert all(main.inputs["backupRetentionPeriod"] >= 7 for main in mains(resources))


@CHECKS.reads("RDS.18", "RDS.46")
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


@CHECKS.reads("RDS.20", "RDS.21", "RDS.22")
def database_events_are_heard(resources: Resources) -> None:
    heard = {one.inputs["sourceType"]: set(one.inputs["eventCategories"]) for one in resources.of("EventSubscription")}
    assert heard == {
        "db-instance": {"maintenance", "configuration change", "failure"},
        "db-parameter-group": {"configuration change"},
        "db-security-group": {"configuration change", "failure"},
    }
    all_of(resources, "EventSubscription", snsTopic="arn:aws:mock:::alarms-topic-topic")


@CHECKS.reads("RDS.23", "RDS.25")
def the_database_is_not_where_scanners_look(resources: Resources) -> None:
    assert all(server.inputs["port"] != 5432 for server in servers(resources))
    assert all(main.inputs["username"] not in {"postgres", "admin"} for main in mains(resources))


@CHECKS.reads("RDS.38")
def the_database_demands_tls(resources: Resources) -> None:
    parameters = resources.one("aws:rds/parameterGroup:ParameterGroup").inputs["parameters"]
    assert {"name": "rds.force_ssl", "value": "1"} in parameters
    name = resources.one("aws:rds/parameterGroup:ParameterGroup").inputs["name"]
    assert all(server.inputs["parameterGroupName"] == name for server in servers(resources))


@CHECKS.reads("ElastiCache.1")
def stores_are_snapshotted(resources: Resources) -> None:
    assert all(one.inputs["snapshotRetentionLimit"] >= 1 for one in resources.of("ReplicationGroup"))


@CHECKS.reads("ElastiCache.2", "ElastiCache.4", "ElastiCache.5")
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


@CHECKS.reads("ElastiCache.3")
def the_session_store_fails_over(resources: Resources) -> None:
    group = resources.one("ReplicationGroup", "sessions-group").inputs
    assert group["automaticFailoverEnabled"]
    assert group["multiAzEnabled"]
    assert group["numCacheClusters"] >= 2


@CHECKS.reads("ElastiCache.6")
def stores_have_users(resources: Resources) -> None:
    assert all(len(one.inputs["userGroupIds"]) == 1 for one in resources.of("ReplicationGroup"))
    for user in resources.of("aws:elasticache/user:User"):
        assert user.inputs["authenticationMode"]["type"] == "password" or user.inputs["accessString"].startswith("off")


@CHECKS.reads("ElastiCache.7")
def stores_have_their_own_subnets(resources: Resources) -> None:
    groups = {one.inputs["subnetGroupName"] for one in resources.of("ReplicationGroup")}
    assert groups == {one.inputs["name"] for one in resources.of("aws:elasticache/subnetGroup:SubnetGroup")}
