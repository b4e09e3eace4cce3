"""The table of contents: every component of a stack, in the order in which what one makes is used by the next.

The only file that knows two components.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from goldfleet.contract.names import PROJECT_LENGTH, Names
from goldfleet.errors import SettingsError
from infra import policies
from infra.alarm_rows import Watched
from infra.alarms import Alarms, AlarmsArgs
from infra.app_secrets import AppSecrets, AppSecretsArgs
from infra.balancer import Balancer, BalancerArgs
from infra.cache import Cache
from infra.capacity import Capacity, CapacityArgs
from infra.clone_role import CloneRole, CloneRoleArgs
from infra.database import Database, DatabaseArgs
from infra.fleet import Fleet, FleetArgs
from infra.flow_log import FlowLog, FlowLogArgs
from infra.image import Image, ImageArgs
from infra.key import EncryptionKey, EncryptionKeyArgs
from infra.log_group import LogKeeping, log_group
from infra.network import Network, NetworkArgs
from infra.outbound import Outbound, OutboundArgs
from infra.outputs import PLAIN_HTTP_NOTICE, Outputs
from infra.providers import providers
from infra.replication_group import ReplicationGroupArgs
from infra.rollout import Rollout, RolloutArgs
from infra.sessions import Sessions
from infra.settings import Settings, load
from infra.settings.replication_group import ReplicationGroup as ReplicationGroupSettings
from infra.user_data import Told

NAMESPACE = "goldfleet"


class GoldenFleet:
    """One stack: each method makes one part from the parts before it.

    Args:
        settings: all settings, already checked.
        names: names of the stack.
    """

    def __init__(self, settings: Settings, names: Names) -> None:
        self._settings, self._names = settings, names
        self._account, self._region = settings.aws.account_id, settings.aws.region
        self._opts = pulumi.ResourceOptions(providers=providers(settings.aws, names))
        self._ground()
        self._image = Image("image", ImageArgs(names, settings.image), self._opts)
        self._stores()
        self._balancer = Balancer("balancer", self._balancer_args(), self._opts)
        self._clones()
        self._watch()
        self._rollout()
        self._outputs()

    def _ground(self) -> None:
        names, settings, opts = self._names, self._settings, self._opts
        policy = policies.data_key(self._account, self._region)
        self._key = EncryptionKey("data-key", EncryptionKeyArgs(names.of("data"), "Data at rest", policy), opts)
        self._keeping = LogKeeping(self._key.arn, settings.aws.log_retention_days)
        self._network = Network("network", NetworkArgs(names, self._region, settings.network), opts)
        FlowLog("flow", FlowLogArgs(names, self._account, self._network.vpc_id, self._keeping), opts)
        self._outbound = Outbound(
            "outbound",
            OutboundArgs(
                names,
                self._region,
                self._network.vpc_id,
                self._network.app_subnet_ids,
                self._network.route_table_ids,
                settings.network,
            ),
            opts,
        )

    def _stores(self) -> None:
        settings, opts = self._settings, self._opts
        self._sessions = Sessions("sessions", self._store_args(settings.sessions), opts)
        self._cache = Cache("cache", self._store_args(settings.cache), opts)
        self._database = Database(
            "database",
            DatabaseArgs(
                self._names,
                self._account,
                self._network.vpc_id,
                self._network.data_subnet_ids,
                self._network.zones,
                self._keeping,
                settings.database,
            ),
            opts,
        )

    def _store_args(self, settings: ReplicationGroupSettings) -> ReplicationGroupArgs:
        network = self._network
        return ReplicationGroupArgs(self._names, network.vpc_id, network.data_subnet_ids, self._key.arn, settings)

    def _balancer_args(self) -> BalancerArgs:
        network = self._network
        return BalancerArgs(
            self._names, self._account, network.vpc_id, network.public_subnet_ids, self._settings.balancer
        )

    def _clones(self) -> None:
        names, settings, opts = self._names, self._settings, self._opts
        self._log = log_group("app-log", names.app_log_group, self._keeping, opts)
        self._secrets = AppSecrets("app-secrets", AppSecretsArgs(names, self._key.arn, settings.app), opts)
        role = CloneRole("clone", self._role_args(), opts)
        balancer, image = self._balancer, self._image
        self._fleet = Fleet(
            "fleet",
            FleetArgs(
                names=names,
                subnet_ids=self._network.app_subnet_ids,
                security_group_ids=self._clone_groups(),
                image_id=image.image_id,
                root_device=image.root_device,
                app_device=image.app_device,
                profile_arn=role.profile_arn,
                user_data=self._told().to_output(),
                target_group_arn=balancer.target_group_arn,
                request_label=balancer.request_label,
                settings=settings.fleet,
            ),
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[self._network, self._outbound])),
        )
        self._capacity = Capacity(
            "capacity",
            CapacityArgs(self._fleet.group_name, balancer.target_group_arn, settings.fleet.desired),
            opts,
        )

    def _clone_groups(self) -> list[pulumi.Output[str]]:
        """Five, as many as AWS allows on a network interface unless asked for more."""
        return [
            self._balancer.target_security_group_id,
            self._outbound.client_group_id,
            self._sessions.client_group_id,
            self._cache.client_group_id,
            self._database.client_group_id,
        ]

    def _role_args(self) -> CloneRoleArgs:
        shards = self._database.shards
        return CloneRoleArgs(
            names=self._names,
            region=self._region,
            secret_arns=[
                self._sessions.secret_arn,
                self._cache.secret_arn,
                *(shard.owner_secret_arn for shard in shards),
                *(shard.app_secret_arn for shard in shards),
                *self._secrets.arns.values(),
            ],
            parameter_arns=[shard.replicas_parameter_arn for shard in shards],
            log_group_arn=self._log.arn,
            key_arn=self._key.arn,
        )

    def _told(self) -> Told:
        settings = self._settings
        return Told(
            names=self._names,
            region=self._region,
            aws_endpoint=settings.aws.endpoint,
            public_url=self._balancer.public_url,
            log_group=self._log.name,
            shards=[shard.told() for shard in self._database.shards],
            sessions=self._sessions.told(),
            cache=self._cache.told(),
            environment=settings.app.environment,
            secrets=self._secrets.arns,
        )

    def _watch(self) -> None:
        shards = self._database.shards
        watched = Watched(
            balancer=self._balancer.balancer_dimension,
            targets=self._balancer.target_dimension,
            mains=[shard.main_id for shard in shards],
            replicas=[replica for shard in shards for replica in shard.replica_ids],
            sessions=self._sessions.node_ids,
            cache=self._cache.node_ids,
            storage_gib=self._settings.database.storage_gib,
        )
        self._alarms = Alarms(
            "alarms", AlarmsArgs(self._names, self._account, self._region, watched, self._settings.alarms), self._opts
        )

    def _rollout(self) -> None:
        fleet, settings = self._fleet, self._settings.rollout
        # While a main is lost alarms ring because of it, and the version before leads to that main.
        alarms = [] if self._settings.database.lost else settings.alarms
        Rollout(
            "rollout",
            RolloutArgs(
                fleet.group_name,
                fleet.template_id,
                fleet.template_version,
                self._balancer.target_group_arn,
                [self._alarms.alarm_names[label] for label in alarms],
                settings,
            ),
            pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=[self._capacity])),
        )

    def _outputs(self) -> None:
        Outputs(
            public_url=self._balancer.public_url,
            release=self._image.release,
            image_id=self._image.image_id,
            group_name=self._fleet.group_name,
            template_id=self._fleet.template_id,
            target_group_arn=self._balancer.target_group_arn,
            log_group=self._log.name,
            topic_arn=self._alarms.topic_arn,
            app_secrets=self._secrets.arns,
            notices=[PLAIN_HTTP_NOTICE] if self._settings.balancer.plain_http else [],
        ).export()


def program(settings: Settings, project: str, stack: str) -> None:
    """Makes everything that the settings say.

    Args:
        settings: all settings, already checked.
        project, stack: Pulumi's names of both; every AWS name starts with them.

    Raises:
        SettingsError: the project's name is too long for AWS's names.
    """
    if len(project) > PROJECT_LENGTH:
        raise SettingsError(
            "name", f"'{project}' has more than {PROJECT_LENGTH} characters", "shorten it in Pulumi.yaml"
        )
    GoldenFleet(settings, Names(project, stack))


def main() -> None:
    """Reads the stack's configuration, checks it, and makes everything.

    Raises:
        pulumi.RunError: a setting breaks a rule.
    """
    try:
        settings = load(pulumi.get_stack(), _raw_settings({**get_config_env(), **CONFIG.get()}))
        program(settings, pulumi.get_project(), pulumi.get_stack())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from error


def _raw_settings(config: Mapping[str, str]) -> dict[str, object]:
    """`{component: value}` from Pulumi's configuration, `{"goldfleet:component": JSON}`."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): json.loads(value) for key, value in config.items() if key.startswith(prefix)}
