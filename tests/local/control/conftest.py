"""Two control planes for all tests here: one that is ready at once, one that waits for a data plane's reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.control.running import Control, running_control


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """Without a data plane: everything is ready at once."""
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield control


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """With a data plane, which is the test."""
    with running_control(tmp_path_factory.mktemp("reported"), data_plane=True) as control:
        yield control
