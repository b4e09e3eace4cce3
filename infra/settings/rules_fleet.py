"""Rules of the fleet and of what the app is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from goldfleet.contract.clone import SIZE_LIMIT, Shard, Store, UserData
from goldfleet.contract.deadlines import HEALTH_INTERVAL, UNHEALTHY_THRESHOLD
from goldfleet.contract.environment import PREFIX
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import ContractError, SettingsError
from infra.instance_types import processors, refusal
from infra.settings.settings import Settings

LONGEST_ARN, LONGEST_HOST = "a" * 160, "h" * 120


def min_is_not_above_max(settings: Settings) -> Iterator[SettingsError]:
    fleet = settings.fleet
    if fleet.min > fleet.max:
        yield SettingsError("fleet.min", f"{fleet.min} is above fleet.max, {fleet.max}", "lower it or raise fleet.max")


def desired_is_within_bounds(settings: Settings) -> Iterator[SettingsError]:
    fleet = settings.fleet
    if fleet.desired < fleet.min:
        yield SettingsError(
            "fleet.desired",
            f"{fleet.desired} is below fleet.min, {fleet.min}",
            f"take {fleet.min} or more, or lower fleet.min",
        )
    elif fleet.desired > fleet.max:
        yield SettingsError(
            "fleet.desired",
            f"{fleet.desired} is above fleet.max, {fleet.max}",
            f"take {fleet.max} or fewer, or raise fleet.max",
        )


def production_survives_a_zone(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.fleet.min < 2:
        yield SettingsError("fleet.min", "production has clones in two zones at least", "set it to 2 or more")


def instance_type_boots_the_image(settings: Settings) -> Iterator[SettingsError]:
    reason = refusal(settings.fleet.instance_type)
    if reason:
        yield SettingsError(
            "fleet.instance_type",
            f"'{settings.fleet.instance_type}' cannot start the image: {reason}",
            "take one like t3.small or m7i.large, or add its family to infra/instance_types.py",
        )


def one_process_can_reach_the_cpu_target(settings: Settings) -> Iterator[SettingsError]:
    fleet = settings.fleet
    count = processors(fleet.instance_type)
    if count and fleet.cpu_target_percent * count >= 100:
        yield SettingsError(
            "fleet.cpu_target_percent",
            f"the app is one process, which loads the {count} processors of {fleet.instance_type} by "
            f"{100 // count} % at most: scaling would add no clone",
            f"take less than {100 // count}, or a smaller instance type",
        )


def a_first_clone_that_never_serves_is_noticed(settings: Settings) -> Iterator[SettingsError]:
    """The group takes a clone for healthy until its grace is over, and replaces the next one meanwhile."""
    rollout, grace = settings.rollout, settings.fleet.health_grace_seconds + UNHEALTHY_THRESHOLD * HEALTH_INTERVAL
    alone = rollout.warm_up_seconds + rollout.canary_seconds
    if settings.production and alone < grace:
        yield SettingsError(
            "rollout.canary_seconds",
            f"the first new clone is alone for {alone} seconds, and one that never serves is noticed after {grace}",
            f"raise it to {grace - rollout.warm_up_seconds} or more",
        )


def environment_names_are_free(settings: Settings) -> Iterator[SettingsError]:
    for name in settings.app.environment:
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            yield SettingsError(
                f"app.environment.{name}", "not a variable's name", "take capitals, digits and underscores"
            )
        if name.startswith(PREFIX):
            yield SettingsError(
                f"app.environment.{name}", f"names that start with {PREFIX} are the launcher's", "take another name"
            )


def secret_names_are_valid(settings: Settings) -> Iterator[SettingsError]:
    names = settings.app.secrets
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
            yield SettingsError(
                "app.secrets",
                f"'{name}' is not a secret's name",
                "take lower-case letters, digits, hyphens, underscores",
            )
    if len(set(names)) != len(names):
        yield SettingsError("app.secrets", "names a secret twice", "name each once")


def user_data_fits(settings: Settings) -> Iterator[SettingsError]:
    """With the longest names that AWS may give, what clones are told stays below EC2's limit."""
    store = Store(Endpoint(LONGEST_HOST, 65535), LONGEST_ARN)
    shard = Shard(Endpoint(LONGEST_HOST, 65535), settings.database.name, LONGEST_ARN, LONGEST_ARN, LONGEST_HOST)
    told = UserData(
        project="p" * 20,
        stack=settings.stack,
        region=settings.aws.region,
        public_url=LONGEST_HOST,
        log_group=LONGEST_HOST,
        shards=(shard,) * settings.database.shards,
        sessions=store,
        cache=store,
        app_environment=settings.app.environment,
        app_secrets=dict.fromkeys(settings.app.secrets, LONGEST_ARN),
        aws_endpoint=settings.aws.endpoint,
    )
    try:
        told.to_text()
    except ContractError as error:
        yield SettingsError(
            "app.environment",
            f"what a clone is told must stay below {SIZE_LIMIT} bytes, and may have {error.what}",
            "shorten app.environment, or have fewer database.shards",
        )


RULES = (
    min_is_not_above_max,
    desired_is_within_bounds,
    production_survives_a_zone,
    instance_type_boots_the_image,
    one_process_can_reach_the_cpu_target,
    a_first_clone_that_never_serves_is_noticed,
    environment_names_are_free,
    secret_names_are_valid,
    user_data_fits,
)
