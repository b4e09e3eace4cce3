"""Control planes for engine tests: one per test file, on a free network number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.world import Change, World, new_world
from tests.infra.provider.conftest import pytest_unconfigure as pytest_unconfigure  # noqa: PLC0414  a hook
from tests.local.control.running import running_control


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A control plane where stores and targets are ready at once."""
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield control.endpoint


@pytest.fixture(scope="module")
def world(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., World]:
    """Makes a stack: `world("dev")`, or with changes that all its runs have: `world("local", {"fleet.max": 7})`."""

    def make(stack: str, changes: Change | None = None) -> World:
        return new_world(stack, endpoint, Path(tmp_path_factory.mktemp(stack)), changes or {})

    return make
