"""The database: mains, replicas, and the list that the app reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from infra.database_classes import max_connections
from tests.infra.recorder import Resources, revealed

Made = Callable[..., Resources]
SERVER = "aws:rds/instance:Instance"


@pytest.mark.parametrize("replicas", [0, 1, 3])
def test_the_parameter_lists_the_replicas(made: Made, replicas: int) -> None:
    resources = made("dev", {"database.replicas": replicas})
    parameter = resources.one("aws:ssm/parameter:Parameter").inputs
    assert json.loads(revealed(parameter["value"])) == ["server.example:5433"] * replicas
    assert parameter["name"] == "/goldfleet/dev/database/0/replicas"
    assert len(resources.of(SERVER)) == 1 + replicas


def test_a_main_takes_no_zone_and_replicas_are_spread(made: Made) -> None:
    resources = made("prod", {"database.replicas": 4})
    assert "availabilityZone" not in resources.one(SERVER, "database-0-main").inputs
    zones = [resources.one(SERVER, f"database-0-replica-{n}").inputs["availabilityZone"] for n in (1, 2, 3, 4)]
    assert zones == ["eu-central-1b", "eu-central-1c", "eu-central-1a", "eu-central-1b"]


def test_only_a_main_takes_a_final_snapshot_under_a_name_of_its_own(made: Made) -> None:
    resources = made("dev")
    main = resources.one(SERVER, "database-0-main").inputs
    assert main["skipFinalSnapshot"] is False
    assert main["finalSnapshotIdentifier"] == "goldfleet-dev-shard-0-main-final-0a0b0c0d"
    assert resources.one(SERVER, "database-0-replica-1").inputs["skipFinalSnapshot"] is True


def test_a_replica_says_nothing_that_its_main_decides(made: Made) -> None:
    replica = made("dev").one(SERVER, "database-0-replica-1").inputs
    assert replica["replicateSourceDb"] == "goldfleet-dev-shard-0-main"
    assert not {"engine", "username", "password", "dbName", "allocatedStorage", "kmsKeyId", "dbSubnetGroupName"} & set(
        replica
    )


def test_each_shard_has_servers_secrets_and_a_list_of_its_own(made: Made) -> None:
    resources = made("prod", {"database.shards": 3})
    assert len(resources.of(SERVER)) == 3 * 3
    assert len({one.inputs["name"] for one in resources.of("aws:ssm/parameter:Parameter")}) == 3
    prefixes = {one.inputs["namePrefix"] for one in resources.of("aws:secretsmanager/secret:Secret")}
    assert {f"goldfleet/prod/database/{n}/{role}-" for n in range(3) for role in ("owner", "app")} <= prefixes


def test_logs_of_every_server_are_ours(made: Made) -> None:
    """RDS would make the groups itself, unencrypted and kept for ever."""
    resources = made("prod")
    groups = {one.inputs["name"] for one in resources.of("LogGroup")}
    exported = {
        f"/aws/rds/instance/{one.inputs['identifier']}/{export}"
        for one in resources.of(SERVER)
        for export in one.inputs["enabledCloudwatchLogsExports"]
    }
    assert exported <= groups


def test_the_owners_password_is_a_secret(made: Made) -> None:
    assert revealed(made("dev").one(SERVER, "database-0-main").inputs["password"]) == "generated"


def test_connections_follow_memory_up_to_rds_limit() -> None:
    assert max_connections("db.t4g.micro") < 112
    assert 190 < max_connections("db.t4g.small") < 225
    assert max_connections("db.r7g.4xlarge") == 4990


PROMOTED = {"database.promoted": {"0": "replica-1"}, "database.replicas": 2}


def test_a_promoted_replica_says_nothing_that_would_replace_it(made: Made) -> None:
    """Of what RDS fixes when a server is made, a promoted replica has what it inherited."""
    main = made("dev", PROMOTED).one(SERVER, "database-0-replica-1").inputs
    fixed = {"replicateSourceDb", "engine", "username", "dbName", "kmsKeyId", "dbSubnetGroupName", "availabilityZone"}
    assert not fixed & set(main)
    assert main["identifier"] == "goldfleet-dev-shard-0-replica-1"
    assert revealed(main["password"]) == "generated"
    assert main["backupRetentionPeriod"] == made("dev").one(SERVER, "database-0-main").inputs["backupRetentionPeriod"]
    assert main["finalSnapshotIdentifier"] == "goldfleet-dev-shard-0-replica-1-final-0a0b0c0d"


def test_a_promoted_replica_gets_replicas_of_its_own(made: Made) -> None:
    resources = made("dev", PROMOTED)
    names = {one.name for one in resources.of(SERVER)}
    assert names == {"database-0-replica-1", "database-0-replica-1-1", "database-0-replica-1-2"}
    follower = resources.one(SERVER, "database-0-replica-1-1").inputs
    assert follower["replicateSourceDb"] == "goldfleet-dev-shard-0-replica-1"


def test_a_lost_main_stays_as_it_was(made: Made) -> None:
    before = made("dev").one(SERVER, "database-0-main")
    after = made("dev", {**PROMOTED, "database.lost": {"0": ["main"]}}).one(SERVER, "database-0-main")
    assert (after.inputs, after.protected) == (before.inputs, before.protected)


def test_only_the_promoted_shard_changes(made: Made) -> None:
    resources = made("dev", {**PROMOTED, "database.shards": 2})
    assert {"database-1-main", "database-1-replica-1"} <= {one.name for one in resources.of(SERVER)}
