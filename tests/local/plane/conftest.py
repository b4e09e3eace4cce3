"""One local cloud for the tests that need all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.plane.cloud import Cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.close()
