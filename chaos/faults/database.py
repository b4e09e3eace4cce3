"""The main of a database: failed over, and killed, so that its standby takes over."""

from __future__ import annotations

import signal
from collections.abc import Callable

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.outages import failed_until, reads_go_on, refused_in_time
from chaos.published import DATABASE_FAILOVER
from chaos.stores import MAIN, Server, available, databases

NOTICED = "failover begun"
AVAILABLE = "available"
BACK_SECONDS = 120
PROMISE = "0 committed posts lost; reads go on; writes fail at most for the failover"


def fail_over(scene: Scene) -> None:
    _lose(
        scene,
        lambda main: scene.fleet.session.client("rds").reboot_db_instance(
            DBInstanceIdentifier=main.id, ForceFailover=True
        ),
    )


def kill(scene: Scene) -> None:
    _lose(scene, lambda main: send(scene.fleet.process(main.process), signal.SIGKILL))


def broken(line: Line) -> list[str]:
    return [*failed_until(line, AVAILABLE), *reads_go_on(line), *refused_in_time(line)]


def _lose(scene: Scene, strike: Callable[[Server], object]) -> None:
    """It is over when the zone is another, AWS calls the instance available, and writes are answered again."""
    main = databases(scene.fleet, MAIN)[0]
    zone = _zone(scene, main)
    scene.note("zone before", zone)
    scene.mark(STRUCK)
    strike(main)
    scene.until(NOTICED, lambda: _zone(scene, main) != zone, BACK_SECONDS)
    scene.note("zone", _zone(scene, main))
    scene.until(AVAILABLE, lambda: available(scene.fleet), BACK_SECONDS)
    scene.until(OVER, scene.served_again, BACK_SECONDS)


def _zone(scene: Scene, main: Server) -> str:
    answer = scene.fleet.session.client("rds").describe_db_instances(DBInstanceIdentifier=main.id)
    return str(answer["DBInstances"][0]["AvailabilityZone"])


FAULTS = (
    Fault(
        name="database-failed-over",
        what="RebootDBInstance with failover",
        promise=PROMISE,
        published=str(DATABASE_FAILOVER),
        strike=fail_over,
        broken=broken,
    ),
    Fault(
        name="database-killed",
        what="kill -9 of the database's main",
        promise=PROMISE,
        published=str(DATABASE_FAILOVER),
        strike=kill,
        broken=broken,
    ),
)
