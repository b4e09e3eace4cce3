"""One local cloud for all these tests: two clones, started from a copy of this checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fleet.cloud import Cloud, running_cloud

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They drive a whole local cloud, which takes its time."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.fleet)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud, after `goldfleet up`; it ends with `goldfleet down`."""
    with running_cloud(tmp_path_factory.mktemp("first") / "checkout") as cloud:
        yield cloud
    assert cloud.processes() == []


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    """The cloud with two healthy clones, whatever the test before did."""
    running.scale_by_metrics(False)  # a test may have begun the whole cloud anew
    if running.view().setting != 2:
        running.do("scale", "2")
    running.desire(2)
    return running


@pytest.fixture
def person(cloud: Cloud) -> Iterator[httpx.Client]:
    """Somebody who has just signed up, with their cookie."""
    with httpx.Client(base_url=cloud.url, timeout=10) as client:
        name = f"ada{id(client)}"
        answer = client.post("/api/v1/users", json={"name": name, "password": "correct horse battery"})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield client
