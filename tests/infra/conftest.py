"""Settings of the three stacks, and variations of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import Settings, load
from tests.infra.recorder import Resources, recorded

ROOT = Path(__file__).parents[2]
ENDPOINT = "http://127.11.0.1:4566"

Raw = dict[str, dict[str, Any]]
Change = dict[str, Any]


def _raw(stack: str) -> Raw:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    raw = {key.removeprefix("goldfleet:"): value for key, value in config.items()}
    if stack == "local":
        raw["aws"]["endpoint"] = ENDPOINT
    return raw


@pytest.fixture(scope="session")
def raw() -> Callable[..., Raw]:
    """A stack's settings as its file holds them, with changes by path: `raw("prod", {"fleet.desired": 3})`."""

    def changed(stack: str, changes: Change | None = None) -> Raw:
        settings = copy.deepcopy(_raw(stack))
        for path, value in (changes or {}).items():
            component, _, key = path.partition(".")
            if not key:
                settings[component] = value
            elif value is None:
                settings[component].pop(key, None)
            else:
                settings.setdefault(component, {})[key] = value
        return settings

    return changed


@pytest.fixture(scope="session")
def settings_of(raw: Callable[..., Raw]) -> Callable[..., Settings]:
    """The same, checked."""
    return lambda stack, changes=None: load(stack, raw(stack, changes))


@pytest.fixture(scope="session")
def made(settings_of: Callable[..., Settings]) -> Callable[..., Resources]:
    """What the program makes of a stack's settings, with changes as in `raw`; recorded once for the same settings."""
    known: dict[str, Resources] = {}

    def record(stack: str, changes: Change | None = None) -> Resources:
        settings = settings_of(stack, changes)
        key = settings.model_dump_json()
        if key not in known:
            known[key] = recorded(settings)
        return known[key]

    return record
