"""All that a clone needs around it, for one run: stores, AWS, secrets, and a metadata service for each boot."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.exceptions

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.stores import Endpoint
from local import certificates, processes
from local.addresses import control_address, control_endpoint, instance_address, service_address
from local.network_number import choose_network
from local.plane.actor import clean_environment, wait_ready
from local.plane.address import Address
from local.plane.postgres import Postgres
from local.plane.valkey import Valkey
from local.plane.wanted import Database, StoreNode, StoreUser
from local.run_folder import RunFolder

REGION = "us-east-1"
ZONE = "us-east-1a"
ROLE = "goldfleet-boot-test"
_PROJECT = Path(__file__).parents[2]
_CONTROL_STARTS = 60.0
_STOP = 5.0


@dataclass(frozen=True)
class Passwords:
    """Of this run alone."""

    owner: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    app: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    sessions: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    cache: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass(frozen=True)
class World:
    """What runs around the clones.

    Args:
        folder: of the run.
        network: number of the run's loopback network.
        user_data: what each clone is told, with this computer's addresses.
        authorities: PEM text of who signs the stores' certificates.
        session: to the control plane.
    """

    folder: RunFolder
    network: int
    user_data: UserData
    authorities: str
    session: AwsSession

    def address(self, boot: int) -> str:
        """This computer's address for the guest of a boot."""
        return instance_address(self.network, f"10.0.0.{boot}")

    def lines(self, stream: str) -> list[str]:
        """The lines of one clone in CloudWatch Logs, oldest first; none while there is no such stream."""
        logs = self.session.client("logs")
        where = {"logGroupName": self.user_data.log_group, "logStreamName": stream, "startFromHead": True}
        found: list[str] = []
        token: dict[str, Any] = {}
        while True:
            try:
                page = logs.get_log_events(**where, **token)
            except logs.exceptions.ResourceNotFoundException:
                return found
            except botocore.exceptions.BotoCoreError:
                return found
            if not page["events"]:
                return found
            found += [event["message"] for event in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}


@contextmanager
def world(folder: RunFolder) -> Iterator[World]:
    """Starts everything, side by side; ends it, with whatever else runs in this folder, at the end of the block.

    Args:
        folder: of the run, made already.

    Raises:
        GoldfleetError: a server is not here, or does not start.
    """
    network = choose_network(folder.root)
    passwords = Passwords()
    database, sessions, cache = _specs(network, passwords)
    authorities = certificates.authority(folder.stores)
    try:
        with ThreadPoolExecutor() as pool:
            started = [
                pool.submit(_start_control, folder, network),
                pool.submit(Postgres(folder).start, database),
                pool.submit(Valkey(folder).start, sessions),
                pool.submit(Valkey(folder).start, cache),
            ]
        for each in started:
            each.result()
        session = AwsSession(Account(DUMMY_ACCOUNT, REGION, control_endpoint(network)))
        user_data = _user_data(network, database, sessions, cache)
        _provision(session, user_data, passwords)
        yield World(folder, network, user_data, authorities, session)
    finally:
        processes.end_all(folder, grace=_STOP)


def _start_control(folder: RunFolder, network: int) -> subprocess.Popen[bytes]:
    ready = folder.root / "control.json"
    command = (
        sys.executable, "-m", "local.control", "--network", str(network), "--no-data-plane",
        "--ready-file", str(ready), "--exit-with-parent",
    )  # fmt: skip
    environment = clean_environment(PYTHONPATH=str(_PROJECT), PYTHONUNBUFFERED="1")
    control = processes.spawn(folder, processes.Program("control", command, _PROJECT, folder.control_log, environment))
    wait_ready(control, ready.exists, folder.control_log, _CONTROL_STARTS)
    return control


def _specs(network: int, passwords: Passwords) -> tuple[Database, StoreNode, StoreNode]:
    taken = {control_address(network)}

    def address(name: str, port: int) -> Address:
        host = service_address(network, name, taken)
        taken.add(host)
        return Address(host, port)

    def node(group: str, password: str, policy: str) -> StoreNode:
        return StoreNode(
            group=group,
            identifier=f"{group}-001",
            address=address(f"elasticache/{group}", 6379),
            primary=None,
            parameters=(("maxmemory-policy", policy),),
            users=(StoreUser("app", (password,), "on ~* &* +@all"),),
        )

    database = Database("main", address("rds/main", 5432), "goldfleet_owner", passwords.owner, "goldfleet")
    return (
        database,
        node("sessions", passwords.sessions, "noeviction"),
        node("cache", passwords.cache, "allkeys-lru"),
    )


def _user_data(network: int, database: Database, sessions: StoreNode, cache: StoreNode) -> UserData:
    def store(node: StoreNode) -> Store:
        return Store(Endpoint(node.address.host, node.address.port), f"boot-test/{node.group}")

    return UserData(
        project="goldfleet",
        stack="boot-test",
        region=REGION,
        public_url="http://boot-test.invalid",
        log_group="/goldfleet/boot-test",
        shards=(
            Shard(
                main=Endpoint(database.address.host, database.address.port),
                database=database.database or "",
                owner_secret="boot-test/owner",  # noqa: S106  a secret's name
                app_secret="boot-test/app",  # noqa: S106  a secret's name
                replicas_parameter="/boot-test/replicas",
            ),
        ),
        sessions=store(sessions),
        cache=store(cache),
        aws_endpoint=control_endpoint(network),
    )


def _provision(session: AwsSession, user_data: UserData, passwords: Passwords) -> None:
    manager = session.client("secretsmanager")
    (shard,) = user_data.shards
    logins = {
        shard.owner_secret: ("goldfleet_owner", passwords.owner),
        shard.app_secret: ("goldfleet_app", passwords.app),
        user_data.sessions.secret: ("app", passwords.sessions),
        user_data.cache.secret: ("app", passwords.cache),
    }
    for name, (username, password) in logins.items():
        manager.create_secret(Name=name, SecretString=json.dumps({"username": username, "password": password}))
    session.client("ssm").put_parameter(Name=shard.replicas_parameter, Type="String", Value="[]")
    session.client("logs").create_log_group(logGroupName=user_data.log_group)
