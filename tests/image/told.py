"""What a clone is told, in AWS's place: user data, secrets, parameters, log group, metadata."""

from __future__ import annotations

import json
import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.stores import Endpoint
from local.metadata import Facts, MetadataServer
from tests.local.control.running import Control


@dataclass(frozen=True)
class Told:
    """One clone and what AWS keeps for it."""

    control: Control
    user_data: UserData
    metadata: MetadataServer

    @property
    def endpoint(self) -> str:
        return "http://{}:{}".format(*self.metadata.server_address[:2])

    def variables(self, runtime: Path) -> dict[str, str]:
        """The environment of a process of the image in this clone; keys that are lying about must not be used."""
        return {
            "PATH": os.defpath,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "else",
            "RUNTIME_DIRECTORY": str(runtime),
        }

    def command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", module, *arguments]


def tell(control: Control, **changes: Any) -> Told:
    """Puts secrets, parameters and a log group in place, and starts the metadata service.

    Args:
        control: a control plane.
        changes: fields of the user data that differ.
    """
    name = f"t{uuid.uuid4().hex[:8]}"
    secrets, ssm = control.client("secretsmanager"), control.client("ssm")
    for who in ("owner", "app", "sessions", "cache"):
        login = {"username": f"{who}-user", "password": f"{who}-password"}
        secrets.create_secret(Name=f"{name}/{who}", SecretString=json.dumps(login))
    secrets.create_secret(Name=f"{name}/mail", SecretString="mail-key\n")
    ssm.put_parameter(Name=f"/{name}/replicas", Value='["127.11.0.9:5432"]', Type="String")
    control.client("logs").create_log_group(logGroupName=f"/{name}/app")
    shard = Shard(Endpoint("127.11.0.8", 5432), "site", f"{name}/owner", f"{name}/app", f"/{name}/replicas")
    fields: dict[str, Any] = {
        "project": name,
        "stack": "test",
        "region": "eu-central-1",
        "public_url": "http://127.11.0.1:8080",
        "log_group": f"/{name}/app",
        "shards": (shard,),
        "sessions": Store(Endpoint("127.11.0.10", 6379), f"{name}/sessions"),
        "cache": Store(Endpoint("127.11.0.11", 6379), f"{name}/cache"),
        "app_environment": {"GREETING": "hello"},
        "app_secrets": {"mail_key": f"{name}/mail"},
        "aws_endpoint": control.endpoint,
        **changes,
    }
    user_data = UserData(**fields)
    facts = Facts(
        instance_id="i-0123456789abcdef0",
        local_ipv4="127.10.0.7",
        zone="eu-central-1b",
        region="eu-central-1",
        image_id="ami-1",
        user_data=user_data.to_text(),
        role="clone",
    )
    return Told(control, user_data, MetadataServer("127.0.0.1", facts, port=0))
