"""All settings of a stack."""

from __future__ import annotations

from pydantic import Field

from infra.settings.alarms import Alarms
from infra.settings.app import App
from infra.settings.aws import Aws
from infra.settings.balancer import Balancer
from infra.settings.base import Component
from infra.settings.database import Database
from infra.settings.fleet import Fleet
from infra.settings.image import Image
from infra.settings.network import Network
from infra.settings.replication_group import Cache, Sessions
from infra.settings.rollout import Rollout

LENIENT_STACKS = frozenset({"local", "dev"})


class Components(Component):
    """One value per component, as `Pulumi.<stack>.yaml` holds them under `goldfleet:<component>`."""

    aws: Aws
    network: Network = Field(default_factory=Network)
    image: Image
    sessions: Sessions = Field(default_factory=Sessions)
    cache: Cache = Field(default_factory=Cache)
    database: Database = Field(default_factory=Database)
    balancer: Balancer = Field(default_factory=Balancer)
    fleet: Fleet = Field(default_factory=Fleet)
    rollout: Rollout = Field(default_factory=Rollout)
    alarms: Alarms = Field(default_factory=Alarms)
    app: App = Field(default_factory=App)


class Settings(Components):
    """The components' settings and the stack that they belong to."""

    stack: str

    @property
    def production(self) -> bool:
        """Whether production's rules hold: for every stack but `local` and `dev`, so for unknown ones too."""
        return self.stack not in LENIENT_STACKS
