"""For all tests: no credentials of the person who runs them, and small counts unless `--prove` is given."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from _pytest.nodeid import coerce_node_id
from _pytest.terminal import TerminalReporter
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_", "GOLDFLEET_"))]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
# A shell starts background jobs with Ctrl-C ignored, and what ignores it cannot be interrupted by a test.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run the same tests at full counts")


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A file's tests share what they start, the fleet's share one local cloud, and one machine at a time is booted:
    each group has one worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((group for group in ("tests/fleet/", "tests/boot/") if file.startswith(group)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Schemathesis gives all operations' tests one id, and of tests with one id xdist runs only one."""
    for item in items:
        if not item.nodeid.endswith(item.name) and item.parent is not None:
            item._id = coerce_node_id(f"{item.parent.nodeid}::{item.name}")


@pytest.fixture(scope="session")
def counts(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`counts(small, full)`: how often to do something, by `make test` and by `make prove`."""
    prove = bool(request.config.getoption("--prove"))
    return lambda small, full: full if prove else small


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`tell(line)`: a figure that the end of the run prints, whichever worker found it."""
    return lambda line: request.node.user_properties.append(("figure", line))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    figures = [line for report in reports for name, line in getattr(report, "user_properties", ()) if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.line(line)
