"""Releases, good and bad, while people use the old one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from chaos.fault import Fault, NotSoon, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.published import INSTANCE_REFRESH, ROLLBACK
from chaos.verdicts import counted, nothing_failed, nothing_wrong, seen_afterwards
from chaos.workshop import Done
from goldfleet.cli.stack_view import find_group

WATCHED_SECONDS = 60
"""How long a release is watched, as its only clone and as the whole fleet, before it falls sick."""
ROLLED_SECONDS = 240
"""Until the release has come so far."""

BAKING = "all clones are new and watched"

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


def sick_as_canary(scene: Scene) -> None:
    """The first new clone fails its health check while it is watched beside old ones."""
    scene.workshop.settings.change("rollout", "canary_seconds", WATCHED_SECONDS)
    scene.workshop.append(_HEALTH, _SICK_WHEN_TOLD)
    old = set(scene.fleet.serving())

    def first_is_watched() -> bool:
        serving = scene.fleet.serving().keys()
        return len(serving) == len(old) and len(serving - old) == 1

    _turned_round(scene, lambda: _deploy_and_fall_sick(scene, "the first clone is watched", first_is_watched))


def sick_in_bake_time(scene: Scene) -> None:
    """Every clone fails its health check as soon as the last one is replaced."""
    scene.workshop.settings.change("rollout", "bake_seconds", WATCHED_SECONDS)
    scene.workshop.append(_HEALTH, _SICK_WHEN_TOLD)
    _turned_round(
        scene, lambda: _deploy_and_fall_sick(scene, BAKING, lambda: _refresh(scene).get("Status") == "Baking")
    )


def kept_good(line: Line) -> list[str]:
    facts = line.facts
    found = [*nothing_failed(line), *seen_afterwards(line)]
    if facts.get("exit code") != 0:
        found.append(f"`deploy` ended with exit code {facts.get('exit code')}")
    if facts.get("old clones left") or len(facts.get("releases", ())) != 1:
        found.append(f"`deploy` returned with {facts.get('old clones left')} old clones still serving")
    return found


def turned_back_unnoticed(line: Line) -> list[str]:
    return [*nothing_failed(line), *turned_back(line)]


def turned_back_from_everywhere(line: Line) -> list[str]:
    """No clone of the old release was left: people may see the sick one from when it fell sick until it is over."""
    if BAKING not in line.moments or OVER not in line.moments:
        return turned_back(line)
    sick, over = line.moments[BAKING], line.moments[OVER]
    outside = [one for one in (*line.failed, *line.failed_repeated) if not sick <= one.sent <= over]
    return [*counted("failed before it fell sick or afterwards", outside), *turned_back(line)]


def turned_back(line: Line) -> list[str]:
    facts = line.facts
    found = [*nothing_wrong(line), *seen_afterwards(line)]
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
    scene.until(OVER, fleet.is_whole, ROLLED_SECONDS)
    scene.note("releases", sorted(fleet.view().releases))
    clones = fleet.serving()
    scene.say(f"deploy failed: {scene.facts['reason']}; an up for anything else")
    scene.workshop.do("up")
    scene.note("clones replaced by the next up", len(clones.keys() - fleet.serving().keys()))


def _deploy_and_fall_sick(scene: Scene, stage: str, reached: Callable[[], bool]) -> Done:
    old = set(scene.fleet.serving())
    with scene.workshop.begin("deploy") as command:
        scene.until(stage, lambda: reached() or not command.running, ROLLED_SECONDS)
        if not command.running:
            raise NotSoon(f"`deploy` ended before {stage}: {command.wait().reason}")
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
_TURNED = "rolled back by itself, `deploy` fails with the reason, {}; the next `up` rolls nothing"
_UNNOTICED = _TURNED.format("0 failed")
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
        _UNNOTICED,
        _PUBLISHED,
        never_healthy,
        turned_back_unnoticed,
    ),
    Fault(
        "release-sick-as-canary",
        "release whose first clone turns unhealthy while it is watched",
        _UNNOTICED,
        _PUBLISHED,
        sick_as_canary,
        turned_back_unnoticed,
    ),
    Fault(
        "release-sick-in-bake",
        "release of which every clone turns unhealthy, when no other is left",
        _TURNED.format("failures only until old clones are back"),
        _PUBLISHED,
        sick_in_bake_time,
        turned_back_from_everywhere,
    ),
    Fault(
        "release-bad-migration",
        "release whose migration fails",
        _UNNOTICED,
        _PUBLISHED,
        failing_migration,
        turned_back_unnoticed,
    ),
)
