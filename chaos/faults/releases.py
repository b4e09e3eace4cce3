"""Releases, good and bad, while people use the old one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from chaos.fault import Fault, NotSoon, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.published import INSTANCE_REFRESH, ROLLBACK
from chaos.verdicts import nothing_failed, seen_afterwards
from chaos.workshop import Done
from goldfleet.cli.stack_view import find_group

BAKE_SECONDS = 60
BAKING_SECONDS = 240
"""Until the last clone is replaced, and the release bakes."""

_PAGE = "app/templates/welcome.html"
_HEALTH = "app/health.py"
_NEVER_HEALTHY = """

async def _sick(_: Request) -> Response:
    return PlainTextResponse("sick from the start\\n", 500)


ROUTES = [Route(service.HEALTH_PATH, _sick), *ROUTES]
"""
_SICK_WHEN_TOLD = """

import signal

_told = []
_well = ROUTES[0].endpoint
signal.signal(signal.SIGUSR1, lambda *_: _told.append(True))


async def _sick_when_told(request: Request) -> Response:
    return PlainTextResponse("sick all of a sudden\\n", 500) if _told else await _well(request)


ROUTES = [Route(service.HEALTH_PATH, _sick_when_told), *ROUTES]
"""
_MIGRATION = "app/migrations/9999_broken.sql"
_BROKEN_SQL = "ALTER TABLE there_is_no_such_table ADD COLUMN nothing bigint;\n"


def good(scene: Scene) -> None:
    """Over when `deploy` returns: by then every clone must be a new one."""
    before = scene.fleet.serving()
    scene.workshop.append(_PAGE, "{# another release #}\n")
    scene.mark(STRUCK)
    done = scene.workshop.run("deploy")
    after = scene.fleet.serving()
    scene.mark(OVER)
    scene.note("exit code", done.code)
    scene.note("old clones left", len(before.keys() & after.keys()))
    scene.note("releases", sorted({clone.release for clone in after.values()}))
    scene.note("instances replaced", len(after.keys() - before.keys()))


def never_healthy(scene: Scene) -> None:
    scene.workshop.append(_HEALTH, _NEVER_HEALTHY)
    _turned_round(scene, lambda: scene.workshop.run("deploy"))


def failing_migration(scene: Scene) -> None:
    scene.workshop.append(_MIGRATION, _BROKEN_SQL)
    _turned_round(scene, lambda: scene.workshop.run("deploy"))


def sick_in_bake_time(scene: Scene) -> None:
    """Every new clone fails its health check as soon as the last one is replaced."""
    scene.workshop.settings.change("rollout", "bake_seconds", BAKE_SECONDS)
    scene.workshop.append(_HEALTH, _SICK_WHEN_TOLD)
    _turned_round(scene, lambda: _deploy_and_fall_sick(scene))


def kept_good(line: Line) -> list[str]:
    facts = line.facts
    found = [*nothing_failed(line), *seen_afterwards(line)]
    if facts.get("exit code") != 0:
        found.append(f"`deploy` ended with exit code {facts.get('exit code')}")
    if facts.get("old clones left") or len(facts.get("releases", ())) != 1:
        found.append(f"`deploy` returned with {facts.get('old clones left')} old clones still serving")
    return found


def turned_back(line: Line) -> list[str]:
    facts = line.facts
    found = [*nothing_failed(line), *seen_afterwards(line)]
    if facts.get("exit code") != 1 or not facts.get("reason"):
        found.append(f"`deploy` ended with exit code {facts.get('exit code')}, reason {facts.get('reason')!r}")
    if facts.get("releases") != facts.get("releases before"):
        found.append(f"releases {facts.get('releases')} run, not {facts.get('releases before')}")
    if facts.get("clones replaced by the next up"):
        found.append(f"the next `up` replaced {facts['clones replaced by the next up']} clones")
    return found


def _turned_round(scene: Scene, deploy: Callable[[], Done]) -> None:
    """Over when `deploy` has failed and the old release is everywhere; then an `up` must leave the fleet alone."""
    fleet = scene.fleet
    scene.note("releases before", sorted(fleet.view().releases))
    scene.mark(STRUCK)
    done = deploy()
    scene.mark("deploy ended")
    scene.note("exit code", done.code)
    scene.note("reason", done.reason)
    scene.until(OVER, fleet.is_whole, BAKING_SECONDS)
    scene.note("releases", sorted(fleet.view().releases))
    clones = fleet.serving()
    scene.say(f"deploy failed: {scene.facts['reason']}; an up for anything else")
    scene.workshop.do("up")
    scene.note("clones replaced by the next up", len(clones.keys() - fleet.serving().keys()))


def _deploy_and_fall_sick(scene: Scene) -> Done:
    old = set(scene.fleet.serving())
    with scene.workshop.begin("deploy") as command:
        scene.until("baking", lambda: _refresh(scene).get("Status") == "Baking" or not command.running, BAKING_SECONDS)
        if not command.running:
            raise NotSoon(f"`deploy` ended before the release baked: {command.wait().reason}")
        new = scene.fleet.serving().keys() - old
        scene.say(f"every health check of {', '.join(sorted(new))} fails from now on")
        for clone in new:
            send(scene.fleet.process(clone), signal.SIGUSR1)
        return command.wait()


def _refresh(scene: Scene) -> dict[str, Any]:
    """The group's newest instance refresh."""
    group = find_group(scene.fleet.session, scene.fleet.names)["AutoScalingGroupName"]
    autoscaling = scene.fleet.session.client("autoscaling")
    found = autoscaling.describe_instance_refreshes(AutoScalingGroupName=group)["InstanceRefreshes"]
    return found[0] if found else {}


_PUBLISHED = f"{INSTANCE_REFRESH}; {ROLLBACK}"
_TURNED = "rolled back by itself, `deploy` fails with the reason, 0 failed; the next `up` rolls nothing"
FAULTS = (
    Fault(
        "release-good",
        "rollout of a good release",
        "0 failed; `deploy` returns after the last clone is replaced",
        str(INSTANCE_REFRESH),
        good,
        kept_good,
    ),
    Fault(
        "release-never-healthy",
        "release whose clones never get healthy",
        _TURNED,
        _PUBLISHED,
        never_healthy,
        turned_back,
    ),
    Fault(
        "release-sick-in-bake",
        "release that turns unhealthy in its bake time",
        _TURNED,
        _PUBLISHED,
        sick_in_bake_time,
        turned_back,
    ),
    Fault(
        "release-bad-migration", "release whose migration fails", _TURNED, _PUBLISHED, failing_migration, turned_back
    ),
)
