"""For all tests: no credentials of the person who runs them, and small counts unless `--prove` is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FLEET = Path(__file__).parent / "fleet"

for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_", "GOLDFLEET_"))]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run the same tests at full counts")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share what they start, and the fleet's share one local cloud: each group has one worker."""
    for item in items:
        group = "fleet" if item.path.is_relative_to(FLEET) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def counts(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`counts(small, full)`: how often to do something, by `make test` and by `make prove`."""
    prove = bool(request.config.getoption("--prove"))
    return lambda small, full: full if prove else small
