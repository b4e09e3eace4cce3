"""Rules of the account, the release and the stack's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from goldfleet.aws_session import require_loopback
from goldfleet.contract.names import STACK_LENGTH
from goldfleet.errors import GuardRefused, SettingsError
from infra.settings.settings import Settings

LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""CloudWatch Logs API, PutRetentionPolicy."""
YEAR = 365


def stack_name_fits(settings: Settings) -> Iterator[SettingsError]:
    if not re.fullmatch(rf"[a-z][a-z0-9-]{{0,{STACK_LENGTH - 1}}}", settings.stack):
        yield SettingsError(
            f"stack {settings.stack}",
            f"a stack's name is at most {STACK_LENGTH} lower-case letters, digits and hyphens, a letter first",
            "name the stack, and its file, otherwise",
        )


def account_has_twelve_digits(settings: Settings) -> Iterator[SettingsError]:
    if not re.fullmatch(r"\d{12}", settings.aws.account_id):
        yield SettingsError(
            "aws.account_id",
            f"an account has twelve digits, not '{settings.aws.account_id}'",
            "take it from `aws sts get-caller-identity`",
        )


def region_is_one(settings: Settings) -> Iterator[SettingsError]:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", settings.aws.region):
        yield SettingsError(
            "aws.region", f"'{settings.aws.region}' is not a region's name", "write it like eu-central-1"
        )


def endpoint_is_loopback(settings: Settings) -> Iterator[SettingsError]:
    if settings.aws.endpoint is None:
        return
    try:
        require_loopback(settings.aws.endpoint)
    except GuardRefused as refused:
        yield SettingsError(refused.where, refused.what, refused.way_out)


def log_retention_exists(settings: Settings) -> Iterator[SettingsError]:
    days = settings.aws.log_retention_days
    if days not in LOG_RETENTION_DAYS:
        choices = ", ".join(map(str, LOG_RETENTION_DAYS))
        yield SettingsError(
            "aws.log_retention_days", f"CloudWatch Logs cannot keep {days} days", f"take one of {choices}"
        )
    elif settings.production and days < YEAR:
        yield SettingsError(
            "aws.log_retention_days", f"production keeps logs for a year, not {days} days", f"set it to {YEAR} or more"
        )


def release_is_one(settings: Settings) -> Iterator[SettingsError]:
    if not re.fullmatch(r"working-tree|[0-9a-f]{64}|ami-[0-9a-f]{8,17}", settings.image.release):
        yield SettingsError(
            "image.release",
            f"'{settings.image.release}' is neither a release digest, nor an image id, nor working-tree",
            "take a digest from `goldfleet status`, or an image id `ami-...`",
        )


def production_pins_its_release(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.image.release == "working-tree":
        yield SettingsError(
            "image.release",
            f"stack {settings.stack} never runs the working tree",
            "pin a release digest or an image id",
        )


def layers_hold_the_app_once(settings: Settings) -> Iterator[SettingsError]:
    layers = settings.image.layers
    if "app" not in layers or len(set(layers)) != len(layers):
        yield SettingsError("image.layers", f"{layers} must hold app, and nothing twice", "write [os, app]")


def an_image_without_os_is_local(settings: Settings) -> Iterator[SettingsError]:
    if "os" not in settings.image.layers and settings.aws.endpoint is None:
        yield SettingsError(
            "image.layers",
            "an image without an operating system runs on a local control plane only",
            "write [os, app], or start the stack with `goldfleet up`",
        )


RULES = (
    stack_name_fits,
    account_has_twelve_digits,
    region_is_one,
    endpoint_is_loopback,
    log_retention_exists,
    release_is_one,
    production_pins_its_release,
    layers_hold_the_app_once,
    an_image_without_os_is_local,
)
