"""Databases as AWS treats them, at addresses of this machine, ready once the data plane says so."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control.services.rds_failover import FAILOVER
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import make_network, name


def _main(control: Control, **options: Any) -> dict[str, Any]:
    given = {
        "DBInstanceIdentifier": name("main"),
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "postgres",
        "EngineVersion": "17",
        "DBName": "app",
        "MasterUsername": "owner",
        "MasterUserPassword": "a-long-password",
        "AllocatedStorage": 20,
        "BackupRetentionPeriod": 7,
        "Port": 5433,
    }
    answer = control.client("rds").create_db_instance(**{**given, **options})
    found: dict[str, Any] = answer["DBInstance"]
    return found


def _replica(control: Control, source: str, **options: Any) -> dict[str, Any]:
    answer = control.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier=name("replica"), SourceDBInstanceIdentifier=source, **options
    )
    found: dict[str, Any] = answer["DBInstance"]
    return found


def _describe(control: Control, instance: str) -> dict[str, Any]:
    answer = control.client("rds").describe_db_instances(DBInstanceIdentifier=instance)
    found: dict[str, Any] = answer["DBInstances"][0]
    return found


def _subnet_group(control: Control) -> tuple[str, tuple[str, str]]:
    network, group = make_network(control), name("subnets")
    control.client("rds").create_db_subnet_group(
        DBSubnetGroupName=group, DBSubnetGroupDescription="x", SubnetIds=list(network.subnets)
    )
    return group, network.subnets


def _parameter_group(control: Control, family: str = "postgres17") -> str:
    group = name("parameters")
    control.client("rds").create_db_parameter_group(
        DBParameterGroupName=group, DBParameterGroupFamily=family, Description="x"
    )
    return group


def test_a_main_and_its_replica_have_addresses_and_ids_of_their_own(control: Control) -> None:
    main = _main(control)
    replica = _replica(control, main["DBInstanceIdentifier"])
    addresses = {main["Endpoint"]["Address"], replica["Endpoint"]["Address"]}
    assert len(addresses) == len({main["DbiResourceId"], replica["DbiResourceId"]}) == 2
    assert all(address.startswith(f"127.{control.network + 1}.") for address in addresses)
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == main["DBInstanceIdentifier"]
    assert _describe(control, main["DBInstanceIdentifier"])["Endpoint"]["Port"] == 5433


def test_a_replica_inherits_no_backups_no_protection_and_no_insights(control: Control) -> None:
    main = _main(control, DeletionProtection=True, MultiAZ=True, EnablePerformanceInsights=True)
    replica = _replica(control, main["DBInstanceIdentifier"])
    assert (replica["BackupRetentionPeriod"], replica["DeletionProtection"], replica["MultiAZ"]) == (0, False, False)
    assert main["PerformanceInsightsEnabled"]
    assert main["PerformanceInsightsRetentionPeriod"] == 7
    assert not replica["PerformanceInsightsEnabled"]


def test_a_source_without_backups_has_no_replicas(control: Control) -> None:
    main = _main(control, BackupRetentionPeriod=0)
    with pytest.raises(ClientError, match="Automated backups are not enabled"):
        _replica(control, main["DBInstanceIdentifier"])


def test_a_promoted_replica_stands_alone(control: Control) -> None:
    main = _main(control)["DBInstanceIdentifier"]
    replica = _replica(control, main)["DBInstanceIdentifier"]
    control.client("rds").promote_read_replica(DBInstanceIdentifier=replica, BackupRetentionPeriod=3)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in _describe(control, replica)
    assert _describe(control, replica)["BackupRetentionPeriod"] == 3
    assert not _describe(control, main)["ReadReplicaDBInstanceIdentifiers"]


def test_replicas_of_a_deleted_main_are_promoted(control: Control) -> None:
    main = _main(control)["DBInstanceIdentifier"]
    replica = _replica(control, main)["DBInstanceIdentifier"]
    control.client("rds").delete_db_instance(DBInstanceIdentifier=main, SkipFinalSnapshot=True)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in _describe(control, replica)


def _zones(control: Control, instance: str) -> tuple[str, str | None]:
    found = _describe(control, instance)
    return found["AvailabilityZone"], found.get("SecondaryAvailabilityZone")


def _events(control: Control, instance: str) -> list[str]:
    answer = control.client("rds").describe_events(SourceIdentifier=instance, SourceType="db-instance")
    return [event["Message"] for event in answer["Events"] if "backup" not in event["EventCategories"]]


def _is(control: Control, instance: str, status: str) -> bool:
    return bool(_describe(control, instance)["DBInstanceStatus"] == status)


def test_a_failover_that_is_asked_for_swaps_the_zones(control: Control) -> None:
    group, _ = _subnet_group(control)
    main, rds = _main(control, MultiAZ=True, DBSubnetGroupName=group), control.client("rds")
    instance, (zone, standby) = main["DBInstanceIdentifier"], _zones(control, main["DBInstanceIdentifier"])
    assert standby is not None
    assert standby != zone
    answer = rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"
    assert _zones(control, instance) == (zone, standby)
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        rds.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)
    wait_until(lambda: _is(control, instance, "available"), FAILOVER + 5)
    assert _zones(control, instance) == (standby, zone)
    assert _describe(control, instance)["Endpoint"] == main["Endpoint"]
    assert _events(control, instance) == [
        "DB instance created",
        "Multi-AZ instance failover started",
        "Multi-AZ instance failover completed",
        "The user requested a failover of the DB instance",
        "DB instance restarted",
    ]


def test_without_a_standby_a_failover_is_refused_and_a_reboot_is_not(control: Control) -> None:
    main, rds = _main(control)["DBInstanceIdentifier"], control.client("rds")
    assert _zones(control, main)[1] is None
    with pytest.raises(ClientError, match="not a Multi-AZ"):
        rds.reboot_db_instance(DBInstanceIdentifier=main, ForceFailover=True)
    rds.reboot_db_instance(DBInstanceIdentifier=main)
    assert _describe(control, main)["DBInstanceStatus"] == "available"


def test_a_lost_machine_makes_its_standby_take_over_once(reported: Control) -> None:
    main = _main(reported, MultiAZ=True)["DBInstanceIdentifier"]
    reported.local("POST", "stores", {"rds": {main: "available"}})
    zone, standby = _zones(reported, main)
    reported.local("POST", "impaired", {"rds": {main: standby}})  # where nothing was
    assert _is(reported, main, "available")
    for _ in range(2):
        reported.local("POST", "impaired", {"rds": {main: zone}})
        assert _is(reported, main, "rebooting")
    wait_until(lambda: _is(reported, main, "starting"), FAILOVER + 5)
    reported.local("POST", "impaired", {"rds": {main: zone}})  # is old news
    assert _zones(reported, main) == (standby, zone)
    reported.local("POST", "stores", {"rds": {main: "available"}})
    assert _is(reported, main, "available")
    assert _events(reported, main).count("Multi-AZ instance failover started") == 1


def test_a_database_without_standby_does_not_fail_over(reported: Control) -> None:
    main = _main(reported)["DBInstanceIdentifier"]
    reported.local("POST", "stores", {"rds": {main: "available"}})
    reported.local("POST", "impaired", {"rds": {main: _zones(reported, main)[0]}})
    assert _is(reported, main, "available")


def test_a_final_snapshot_must_be_chosen(control: Control) -> None:
    main, client = _main(control)["DBInstanceIdentifier"], control.client("rds")
    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier is required"):
        client.delete_db_instance(DBInstanceIdentifier=main)
    client.delete_db_instance(DBInstanceIdentifier=main, FinalDBSnapshotIdentifier=f"{main}-final")
    assert client.describe_db_snapshots(DBSnapshotIdentifier=f"{main}-final")["DBSnapshots"]
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        _describe(control, main)


def test_a_subnet_group_can_be_changed_and_stays_while_it_is_used(control: Control) -> None:
    client, (group, subnets) = control.client("rds"), _subnet_group(control)
    client.modify_db_subnet_group(DBSubnetGroupName=group, DBSubnetGroupDescription="y", SubnetIds=list(subnets))
    (found,) = client.describe_db_subnet_groups(DBSubnetGroupName=group)["DBSubnetGroups"]
    assert found["DBSubnetGroupDescription"] == "y"
    main = _main(control, DBSubnetGroupName=group)["DBInstanceIdentifier"]
    with pytest.raises(ClientError, match="InvalidDBSubnetGroupState"):
        client.delete_db_subnet_group(DBSubnetGroupName=group)
    client.delete_db_instance(DBInstanceIdentifier=main, SkipFinalSnapshot=True)
    client.delete_db_subnet_group(DBSubnetGroupName=group)


def test_a_subnet_group_needs_two_zones(control: Control) -> None:
    network = make_network(control)
    with pytest.raises(ClientError, match="DBSubnetGroupDoesNotCoverEnoughAZs"):
        control.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name("subnets"), DBSubnetGroupDescription="x", SubnetIds=[network.subnets[0]]
        )


def test_a_parameter_group_in_use_stays(control: Control) -> None:
    group, client = _parameter_group(control), control.client("rds")
    _main(control, DBParameterGroupName=group)
    with pytest.raises(ClientError, match="InvalidDBParameterGroupState"):
        client.delete_db_parameter_group(DBParameterGroupName=group)


def test_parameters_are_set_and_reset(control: Control) -> None:
    group, client = _parameter_group(control), control.client("rds")
    wanted = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    client.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[wanted])
    (found,) = client.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    assert found["ParameterValue"] == "1"
    client.reset_db_parameter_group(DBParameterGroupName=group, Parameters=[wanted])
    assert not client.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"EngineVersion": "99"}, "Cannot find version 99"),
        ({"MasterUserPassword": "short"}, "shorter than 8"),
        ({"MasterUserPassword": "with a/slash"}, "not a valid password"),
        ({"DBParameterGroupName": "postgres15"}, "DBParameterGroupFamily postgres15"),
    ],
)
def test_what_aws_refuses_is_refused(control: Control, options: dict[str, str], error: str) -> None:
    if "DBParameterGroupName" in options:
        options = {"DBParameterGroupName": _parameter_group(control, options["DBParameterGroupName"])}
    with pytest.raises(ClientError, match=error):
        _main(control, **options)


def test_a_major_version_stands_for_its_latest_minor(control: Control) -> None:
    assert _main(control, EngineVersion="17")["EngineVersion"].startswith("17.")
    assert _main(control, EngineVersion="16.4")["EngineVersion"] == "16.4"


def test_changes_are_kept(control: Control) -> None:
    main = _main(control)["DBInstanceIdentifier"]
    control.client("rds").modify_db_instance(
        DBInstanceIdentifier=main,
        DBPortNumber=6000,
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=31,
        ApplyImmediately=True,
    )
    found = _describe(control, main)
    assert found["Endpoint"]["Port"] == 6000
    assert found["PerformanceInsightsRetentionPeriod"] == 31


def test_a_database_is_creating_until_it_really_runs(reported: Control) -> None:
    main = _main(reported)["DBInstanceIdentifier"]
    assert _describe(reported, main)["DBInstanceStatus"] == "creating"
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        _replica(reported, main)
    reported.local("POST", "stores", {"rds": {main: "available"}})
    assert _describe(reported, main)["DBInstanceStatus"] == "available"
    reported.client("rds").delete_db_instance(DBInstanceIdentifier=main, SkipFinalSnapshot=True)
    _main(reported, DBInstanceIdentifier=main)
    assert _describe(reported, main)["DBInstanceStatus"] == "creating"


def test_the_data_plane_learns_the_password(control: Control) -> None:
    main = _main(control)["DBInstanceIdentifier"]
    told = control.local("GET", "passwords")["rds"][main]
    assert told == {"username": "owner", "password": "a-long-password", "database": "app"}


def test_an_event_subscription_changes(control: Control) -> None:
    topic = control.client("sns").create_topic(Name=name("topic"))["TopicArn"]
    subscription, client = name("subscription"), control.client("rds")
    client.create_event_subscription(
        SubscriptionName=subscription, SnsTopicArn=topic, SourceType="db-instance", EventCategories=["failure"]
    )
    client.modify_event_subscription(SubscriptionName=subscription, EventCategories=["failover"])
    (found,) = client.describe_event_subscriptions(SubscriptionName=subscription)["EventSubscriptionsList"]
    assert found["EventCategoriesList"] == ["failover"]


def test_versions_and_classes_can_be_looked_up(control: Control) -> None:
    client = control.client("rds")
    versions = client.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"]
    assert [version["DBParameterGroupFamily"] for version in versions] == ["postgres17"]
    options = client.describe_orderable_db_instance_options(
        Engine="postgres", EngineVersion="17", DBInstanceClass="db.t4g.micro"
    )["OrderableDBInstanceOptions"]
    assert len(options) == 1
