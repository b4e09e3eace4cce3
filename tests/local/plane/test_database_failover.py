"""Multi-AZ failover and promotion, end to end: AWS's calls and accidents in; SQL out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest

from local.control.services.rds_failover import FAILOVER
from tests.local.plane.cloud import Cloud, wait_for
from tests.local.plane.sql import PASSWORD, query, until

pytestmark = pytest.mark.fleet

TIMELINE = "SELECT timeline_id FROM pg_control_checkpoint()"
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
LONGEST = FAILOVER + 30


def describe(cloud: Cloud) -> dict[str, Any]:
    """The databases of this file by identifier."""
    found = cloud.client("rds").describe_db_instances()["DBInstances"]
    return {one["DBInstanceIdentifier"]: one for one in found if one["DBInstanceIdentifier"].startswith("two")}


def available(cloud: Cloud) -> dict[str, Any] | None:
    found = describe(cloud)
    return found if all(one["DBInstanceStatus"] == "available" for one in found.values()) else None


@pytest.fixture(scope="module")
def databases(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A main with a standby, and two replicas."""
    rds = cloud.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="two", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="owner", MasterUserPassword=PASSWORD, DBName="goldfleet", BackupRetentionPeriod=7, MultiAZ=True,
    )  # fmt: skip
    wait_for(lambda: available(cloud), 60)
    for replica in ("two-1", "two-2"):
        rds.create_db_instance_read_replica(DBInstanceIdentifier=replica, SourceDBInstanceIdentifier="two")
    found = wait_for(lambda: available(cloud), 60)
    asyncio.run(query(found["two"], "CREATE TABLE journal (n int PRIMARY KEY)"))
    yield found
    for identifier in describe(cloud):
        rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)
    wait_for(lambda: not list(cloud.folder.stores.glob("rds-two*")), 60)


class Writer:
    """Writes one row after the other, each on a connection of its own, and keeps what was acknowledged.

    Attributes:
        acknowledged: the rows.
        gap: longest time between two of them, in seconds.
        failed: writes that were not acknowledged.
    """

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = database
        self._first = time.monotonic_ns() // 1000 % 1_000_000_000
        self._last = time.monotonic()
        self.acknowledged: list[int] = []
        self.gap = 0.0
        self.failed = 0

    async def run(self) -> None:
        for n in range(self._first, self._first + 100_000):
            try:
                await query(self._database, f"INSERT INTO journal VALUES ({n})")
            except AWAY:
                self.failed += 1
                await asyncio.sleep(0.02)
                continue
            now = time.monotonic()
            self.gap, self._last = max(self.gap, now - self._last), now
            self.acknowledged.append(n)

    async def more(self, rows: int) -> None:
        """Waits until so many more rows are acknowledged."""
        wanted = len(self.acknowledged) + rows
        await asyncio.to_thread(wait_for, lambda: len(self.acknowledged) >= wanted, LONGEST)


async def during(writer: Writer, strike: Callable[[], Any], rows: int = 20) -> None:
    """Writes before, during and after what `strike` does to the database."""
    work = asyncio.create_task(writer.run())
    await writer.more(rows)
    await asyncio.to_thread(strike)
    await asyncio.to_thread(wait_for, lambda: writer.failed, LONGEST)
    await writer.more(rows)
    work.cancel()


def force_failover(cloud: Cloud) -> None:
    cloud.client("rds").reboot_db_instance(DBInstanceIdentifier="two", ForceFailover=True)


def kill(cloud: Cloud) -> None:
    cloud.kill("rds-two")


@pytest.mark.parametrize("strike", [force_failover, kill])
async def test_after_a_failover_the_same_data_goes_on_in_the_other_zone(
    cloud: Cloud, databases: dict[str, Any], strike: Callable[[Cloud], None], tell: Callable[[str], None]
) -> None:
    before, writer = describe(cloud)["two"], Writer(databases["two"])
    timeline = await query(databases["two"], TIMELINE)
    await during(writer, lambda: strike(cloud))
    after = wait_for(lambda: available(cloud))["two"]
    assert (after["AvailabilityZone"], after["SecondaryAvailabilityZone"]) == (
        before["SecondaryAvailabilityZone"],
        before["AvailabilityZone"],
    )
    kept = f"SELECT count(*) FROM journal WHERE n = ANY(ARRAY{writer.acknowledged})"
    assert await query(databases["two"], kept) == len(writer.acknowledged)
    assert await query(databases["two"], TIMELINE) == timeline
    for replica in ("two-1", "two-2"):
        await until(databases[replica], kept, len(writer.acknowledged))
    tell(f"database, {strike.__name__}, local: {writer.gap:.1f} s without writes (AWS: 60 to 120), 0 lost")
