"""The life of the stacks for AWS on the real engine: seen, made, left alone, destroyed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.engine.life import assert_unchanged, life
from tests.engine.world import World

pytestmark = pytest.mark.engine


def test_dev_is_destroyed_once_its_settings_allow_it(world: Callable[..., World]) -> None:
    unprotected = {"balancer.deletion_protection": False, "database.deletion_protection": False}
    stage = world("dev")
    with life(stage):
        assert_unchanged(stage)
        stage.engine(unprotected).up()
        stage.engine(unprotected).destroy()


def test_prod_is_destroyed_as_its_runbook_says(world: Callable[..., World]) -> None:
    stage = world("prod")
    with life(stage):
        assert_unchanged(stage)
        lift_protection(stage)
        stage.engine().destroy()


def lift_protection(stage: World) -> None:
    """docs/runbooks/destroy.md; the bucket of access logs is empty here."""
    rds, elbv2 = stage.client("rds"), stage.client("elbv2")
    for database in rds.describe_db_instances()["DBInstances"]:
        identifier = database["DBInstanceIdentifier"]
        rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=off)
    project = stage.project()
    command = [str(project.pulumi), "state", "unprotect", "--all", "--yes", "--stack", project.stack]
    subprocess.run(command, check=True, cwd=project.folder, env=dict(project.environment), timeout=60)
