"""Releases that are no good: each goes away by itself, nobody notices, and it does not come back by another verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.service import HEALTH_PATH
from tests.fleet.cloud import STACK, Cloud, Done, session, wait
from tests.fleet.load import Load

GRACE = 14
LONG_BAKE = 60
ON_DEMAND = """
SICK = []
async def healthz(request):
    SICK.extend(request.query_params.get("spoil", ""))
    return PlainTextResponse("sick" if SICK else "ok", 503 if SICK else 200)
"""


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    """A file of the app with other content, or one that was not there before."""
    before = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


@contextmanager
def health_check(cloud: Cloud, code: str) -> Iterator[None]:
    """The app with another health check."""
    path = cloud.folder / "app" / "health.py"
    head, routes, tail = path.read_text().partition("\nROUTES")
    with edited(path, head + code + routes + tail):
        yield


@pytest.fixture
def fleet(cloud: Cloud) -> Iterator[Cloud]:
    """Two clones of a pinned release; a new clone's failing health check counts soon."""
    settings = settings_of(cloud)
    before = settings.raw()
    settings.change("image", "release", cloud.view().releases[0])
    settings.change("fleet", "health_grace_seconds", GRACE)
    yield cloud
    for component, key in (("fleet", "health_grace_seconds"), ("rollout", "bake_seconds")):
        settings_of(cloud).change(component, key, before[component][key])


def settings_of(cloud: Cloud) -> SettingsFile:
    return SettingsFile(cloud.folder, STACK, cloud.recorded_run.endpoint)


def latest_refresh(cloud: Cloud) -> dict[str, Any]:
    autoscaling = session(cloud.recorded_run.endpoint).client("autoscaling")
    answer = autoscaling.describe_instance_refreshes(AutoScalingGroupName=cloud.group)
    found: dict[str, Any] = answer["InstanceRefreshes"][0]
    return found


def assert_back(cloud: Cloud, done: Done, release: str) -> None:
    """The verb has failed and said why; fleet and setting are on the release before."""
    assert done.code == 1, done.text
    assert "is rolled back: " in done.text
    assert "Traceback (" not in done.text
    assert cloud.view().releases == (release,)
    assert settings_of(cloud).raw()["image"]["release"] == release
    assert latest_refresh(cloud)["Status"] == "RollbackSuccessful"


def test_a_failing_migration_goes_back_and_another_verb_does_not_roll_again(fleet: Cloud) -> None:
    (release,), before = fleet.view().releases, set(fleet.clones())
    bad = fleet.folder / "app" / "migrations" / "0099_bad.sql"
    with edited(bad, "CREATE TABLE half (id int); SELECT 1/0;"), Load(fleet.url) as load:
        done = fleet.run("deploy")
    assert_back(fleet, done, release)
    assert "0099_bad.sql: division by zero" in done.text
    assert load.failures == {}
    assert set(fleet.clones()) == before

    refresh = latest_refresh(fleet)["InstanceRefreshId"]
    fleet.do("scale", "3")
    assert latest_refresh(fleet)["InstanceRefreshId"] == refresh
    assert set(fleet.clones()) > before
    assert fleet.view().releases == (release,)


def test_a_release_that_never_gets_healthy_goes_back(fleet: Cloud) -> None:
    (release,), before = fleet.view().releases, set(fleet.clones())
    never = '\nasync def healthz(_: Request) -> Response:\n    return PlainTextResponse("not yet", 503)\n'
    with health_check(fleet, never), Load(fleet.url) as load:
        done = fleet.run("deploy")
    assert_back(fleet, done, release)
    assert "its health check: Health checks failed with these codes: [503]" in done.text
    assert load.failures == {}
    assert set(fleet.clones()) == before


def test_a_release_that_turns_unhealthy_while_it_is_watched_goes_back(
    fleet: Cloud, tell: Callable[[str], None]
) -> None:
    (release,) = fleet.view().releases
    settings_of(fleet).change("rollout", "bake_seconds", LONG_BAKE)
    with health_check(fleet, ON_DEMAND), Load(fleet.url) as load, fleet.start("deploy") as command:
        wait(lambda: latest_refresh(fleet)["Status"] == "Baking", 120)
        assert len(fleet.clones()) == 2
        assert release not in fleet.view().releases
        assert httpx.get(f"{fleet.url}{HEALTH_PATH}?spoil=x").status_code == 503
        text, _ = command.communicate(timeout=120)
    assert_back(fleet, Done(command.returncode, text), release)
    assert load.failures == {}
    tell(f"rollout, local: {load.answered} requests while a release turned unhealthy and went back, 0 failed")
