"""What clones are told, put together from the components' outputs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.names import Names
from goldfleet.contract.stores import Endpoint


@dataclass(frozen=True)
class Told:
    """A clone's user data, parts of it not known before AWS made them.

    Args:
        names: names of the stack.
        region: the region.
        aws_endpoint: URL of a local control plane, or None.
        public_url: where people see the site.
        log_group: the app's log group.
        shards: in shard order, the fields of a contract `Shard` with `host` and `port` instead of `main`.
        sessions, cache: `host`, `port` and `secret` of each store.
        environment: variables for the app.
        secrets: secrets for the app, name -> ARN.
    """

    names: Names
    region: str
    aws_endpoint: str | None
    public_url: pulumi.Input[str]
    log_group: pulumi.Input[str]
    shards: Sequence[Mapping[str, Any]]
    sessions: Mapping[str, Any]
    cache: Mapping[str, Any]
    environment: Mapping[str, str]
    secrets: Mapping[str, pulumi.Input[str]]

    def to_output(self) -> pulumi.Output[str]:
        """The user data as the launch template takes it, in base64."""
        late = pulumi.Output.all(
            public_url=self.public_url,
            log_group=self.log_group,
            shards=list(self.shards),
            sessions=self.sessions,
            cache=self.cache,
            secrets=self.secrets,
        )
        return late.apply(self._text).apply(lambda text: base64.b64encode(text.encode()).decode())

    def _text(self, late: Mapping[str, Any]) -> str:
        return UserData(
            project=self.names.project,
            stack=self.names.stack,
            region=self.region,
            public_url=late["public_url"],
            log_group=late["log_group"],
            shards=tuple(_shard(raw) for raw in late["shards"]),
            sessions=_store(late["sessions"]),
            cache=_store(late["cache"]),
            app_environment=self.environment,
            app_secrets=late["secrets"],
            aws_endpoint=self.aws_endpoint,
        ).to_text()


def _shard(raw: Mapping[str, Any]) -> Shard:
    rest = {key: value for key, value in raw.items() if key not in {"host", "port"}}
    return Shard(main=_endpoint(raw), **rest)


def _store(raw: Mapping[str, Any]) -> Store:
    return Store(primary=_endpoint(raw), secret=raw["secret"])


def _endpoint(raw: Mapping[str, Any]) -> Endpoint:
    return Endpoint(host=raw["host"], port=int(raw["port"]))
