"""Database instances, their subnets and parameters, event subscriptions."""

from __future__ import annotations

from typing import Any

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import Values
from local.provider.row import WAIT_LIMIT, Call, Find, Item, Name, Row, Step, Tags, Wait
from local.provider.tagging import arn_tags


def _tags(kind: str) -> Tags:
    def whose(it: Item) -> Values:
        return {"ResourceName": it["arn"] or it.aws.arn("rds", f"{kind}:{it.id}")}

    return arn_tags("add_tags_to_resource", whose, path="TagList")


def _subnet_group(it: Item) -> Values:
    return {"DBSubnetGroupName": it.id}


SUBNET_GROUP = Row(
    kind="aws:rds/subnetGroup:SubnetGroup",
    service="rds",
    create=Call("create_db_subnet_group"),
    id="DBSubnetGroup.DBSubnetGroupName",
    find=Find("describe_db_subnet_groups", _subnet_group, "DBSubnetGroups[0]"),
    updates=(Call("modify_db_subnet_group", _subnet_group, takes=("description", "subnetIds"), whole=True),),
    writes={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
    reads={"arn": "DBSubnetGroupArn", "subnetIds": "Subnets[].SubnetIdentifier"},
    name=Name(length=255),
    tags=_tags("subgrp"),
    delete=Call("delete_db_subnet_group", _subnet_group),
)


def _parameter_group(it: Item) -> Values:
    return {"DBParameterGroupName": it.id}


def _parameters(parameters: Any) -> list[Values]:
    return [
        {
            "ParameterName": entry["name"],
            "ParameterValue": str(entry["value"]),
            "ApplyMethod": entry.get("applyMethod", "immediate"),
        }
        for entry in parameters
    ]


def _set_parameters(it: Item) -> None:
    wanted = it.new.get("parameters") or []
    names = {entry["name"] for entry in wanted}
    removed = [entry for entry in it.old.get("parameters") or [] if entry["name"] not in names]
    if removed:
        it.aws.call("rds", "reset_db_parameter_group", **_parameter_group(it), Parameters=_parameters(removed))
    if wanted:
        it.aws.call("rds", "modify_db_parameter_group", **_parameter_group(it), Parameters=_parameters(wanted))


PARAMETER_GROUP = Row(
    kind="aws:rds/parameterGroup:ParameterGroup",
    service="rds",
    create=Call("create_db_parameter_group"),
    id="DBParameterGroup.DBParameterGroupName",
    find=Find("describe_db_parameter_groups", _parameter_group, "DBParameterGroups[0]"),
    more=(
        Find(
            "describe_db_parameters",
            lambda it: {**_parameter_group(it), "Source": "user"},
            "Parameters[].{Name: ParameterName, Value: ParameterValue, ApplyMethod: ApplyMethod}",
            "parameters",
        ),
    ),
    updates=(Step(("parameters",), _set_parameters),),
    writes={"name": "DBParameterGroupName", "family": "DBParameterGroupFamily"},
    reads={"arn": "DBParameterGroupArn", "parameters": "parameters"},
    name=Name(length=255),
    tags=_tags("pg"),
    delete=Call("delete_db_parameter_group", _parameter_group),
)


def _instance(it: Item) -> Values:
    return {"DBInstanceIdentifier": it["identifier"] or it.id}


def _export_logs(it: Item) -> None:
    old, new = set(it.old.get("enabledCloudwatchLogsExports") or ()), set(it["enabledCloudwatchLogsExports"] or ())
    change = {"EnableLogTypes": sorted(new - old), "DisableLogTypes": sorted(old - new)}
    it.aws.call("rds", "modify_db_instance", **_instance(it), CloudwatchLogsExportConfiguration=change)


def _move_port(it: Item) -> None:
    immediately = bool(it["applyImmediately"])
    it.aws.call("rds", "modify_db_instance", **_instance(it), DBPortNumber=it["port"], ApplyImmediately=immediately)


def _promote(it: Item) -> None:
    """As pulumi-aws: a replica that has no source any more is promoted first of all, and it never gets another one."""
    if it.new.get("replicateSourceDb"):
        raise GoldfleetError(it.context.name, "cannot elect new source database for replication", "make a new replica")
    backups = {"BackupRetentionPeriod": it["backupRetentionPeriod"], "PreferredBackupWindow": it["backupWindow"]}
    it.aws.call(
        "rds", "promote_read_replica", **_instance(it), **{key: value for key, value in backups.items() if value}
    )

    def promoted() -> bool | None:
        (found,) = it.aws.call("rds", "describe_db_instances", **_instance(it))["DBInstances"]
        return found["DBInstanceStatus"] == "available" or None

    it.context.wait_for("promoted", promoted, WAIT_LIMIT)


def _endpoint(found: Any, _it: Item) -> str | None:
    endpoint = found.get("Endpoint")
    return f"{endpoint['Address']}:{endpoint['Port']}" if endpoint else None


def _deletion(it: Item) -> Values:
    if it["skipFinalSnapshot"]:
        return {**_instance(it), "SkipFinalSnapshot": True}
    return {**_instance(it), "SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": it["finalSnapshotIdentifier"]}


INSTANCE = Row(
    kind="aws:rds/instance:Instance",
    service="rds",
    create=Call("create_db_instance"),
    variant=("replicateSourceDb", Call("create_db_instance_read_replica")),
    id="DBInstance.DbiResourceId",
    find=Find("describe_db_instances", _instance, "DBInstances[0]"),
    updates=(
        Step(("replicateSourceDb",), _promote),
        Call(
            "modify_db_instance",
            lambda it: {**_instance(it), "ApplyImmediately": bool(it["applyImmediately"])},
            without=("enabledCloudwatchLogsExports", "identifier", "port"),
        ),
        Step(("enabledCloudwatchLogsExports",), _export_logs),
        Step(("port",), _move_port),
    ),
    writes={
        "identifier": "DBInstanceIdentifier",
        "instanceClass": "DBInstanceClass",
        "username": "MasterUsername",
        "password": "MasterUserPassword",
        "parameterGroupName": "DBParameterGroupName",
        "replicateSourceDb": "SourceDBInstanceIdentifier",
        "backupWindow": "PreferredBackupWindow",
        "maintenanceWindow": "PreferredMaintenanceWindow",
        "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
        "performanceInsightsEnabled": "EnablePerformanceInsights",
    },
    reads={
        "address": "Endpoint.Address",
        "arn": "DBInstanceArn",
        "dbSubnetGroupName": "DBSubnetGroup.DBSubnetGroupName",
        "enabledCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
        "endpoint": _endpoint,
        "hostedZoneId": "Endpoint.HostedZoneId",
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
        "parameterGroupName": "DBParameterGroups[0].DBParameterGroupName",
        "performanceInsightsEnabled": "PerformanceInsightsEnabled",
        "port": "Endpoint.Port",
        "replicas": "ReadReplicaDBInstanceIdentifiers",
        "replicateSourceDb": "ReadReplicaSourceDBInstanceIdentifier",
        "resourceId": "DbiResourceId",
        "status": "DBInstanceStatus",
        "vpcSecurityGroupIds": "VpcSecurityGroups[].VpcSecurityGroupId",
    },
    hidden=frozenset({"password"}),
    own=frozenset({"applyImmediately", "deleteAutomatedBackups", "finalSnapshotIdentifier", "skipFinalSnapshot"}),
    prefixes=frozenset({"engineVersion"}),
    remembered=frozenset({"availabilityZone"}),
    secrets=frozenset({"password"}),
    name=Name(prop="identifier"),
    tags=_tags("db"),
    ready=Wait(
        "available",
        "DBInstanceStatus",
        frozenset({"available"}),
        frozenset({"failed", "incompatible-parameters", "incompatible-network", "storage-full"}),
    ),
    delete=Call("delete_db_instance", _deletion),
    gone=Wait("deleted", "DBInstanceStatus", frozenset()),
)


def _subscription(it: Item) -> Values:
    return {"SubscriptionName": it.id}


EVENT_SUBSCRIPTION = Row(
    kind="aws:rds/eventSubscription:EventSubscription",
    service="rds",
    create=Call("create_event_subscription"),
    id="EventSubscription.CustSubscriptionId",
    find=Find("describe_event_subscriptions", _subscription, "EventSubscriptionsList[0]"),
    updates=(
        Call(
            "modify_event_subscription", _subscription, takes=("enabled", "eventCategories", "snsTopic", "sourceType")
        ),
    ),
    writes={"name": "SubscriptionName", "snsTopic": "SnsTopicArn"},
    reads={
        "arn": "EventSubscriptionArn",
        "customerAwsId": "CustomerAwsId",
        "eventCategories": "EventCategoriesList",
        "name": "CustSubscriptionId",
        "sourceIds": "SourceIdsList",
    },
    in_place={"snsTopic": "ModifyEventSubscription takes it, and so does pulumi-aws"},
    name=Name(length=255),
    tags=_tags("es"),
    delete=Call("delete_event_subscription", _subscription),
)

ROWS = (SUBNET_GROUP, PARAMETER_GROUP, INSTANCE, EVENT_SUBSCRIPTION)
