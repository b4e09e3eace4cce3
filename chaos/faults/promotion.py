"""The main of a database lost with its data, and a replica promoted in its place, as the runbook says."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos.audit import stored
from chaos.fault import Fault, Scene
from chaos.fleet import Fleet, send
from chaos.line import OVER, STRUCK, Line
from chaos.published import REPLICA_PROMOTION
from chaos.stores import MAIN, REPLICA, Server, databases, tell
from chaos.tally import Failure
from chaos.verdicts import counted, seen_afterwards
from chaos.workshop import Workshop
from goldfleet.cli import local_cloud
from goldfleet.cli.promotion import LOST

GIVEN_UP, PROMOTED = "given up by RDS", "fleet writes to the promoted replica"
GIVEN_UP_SECONDS, BACK_SECONDS = 60, 120
RECEIVED_SECONDS = 30
LAG = "replica at most behind, seconds"
LOST_THOUGH_RECEIVED = "posts lost that the replica had"


def strike(scene: Scene) -> None:
    """Over when `goldfleet promote` has returned and people are served again."""
    fleet = scene.fleet
    (main,), (replica, *_) = databases(fleet, MAIN), databases(fleet, REPLICA)
    process, since = fleet.process(main.process), time.monotonic()
    received = list(scene.load.journal.posts) if scene.load else []
    _wait_for_replica(scene, main, replica)
    scene.mark(STRUCK)
    gone = (fleet.folder.stores / main.process).rename(fleet.folder.stores / f"{main.process}.lost")
    send(process, signal.SIGKILL)
    shutil.rmtree(gone, ignore_errors=True)  # its children write on for a moment
    scene.note(LAG, round(time.monotonic() - since, 2))
    scene.until(GIVEN_UP, lambda: _status(fleet, main.id) in LOST, GIVEN_UP_SECONDS)
    with TemporaryDirectory(prefix="goldfleet-chaos-") as folder:
        Workshop.open(Path(folder) / "checkout").do("promote", replica.id)
    scene.mark(PROMOTED)
    scene.until(OVER, scene.served_again, BACK_SECONDS)
    scene.note("posts that the replica had", len(received))
    scene.note(LOST_THOUGH_RECEIVED, len(received) - len(asyncio.run(stored(fleet, received))))


def broken(line: Line) -> list[str]:
    """Nothing is lost but posts that the replica had not received, and nothing is wrong but that these are missing."""
    if line.audit is None:
        return ["nobody used it, so nothing is proved"]
    lost = set(line.audit.lost_posts)
    received = line.facts.get(LOST_THOUGH_RECEIVED)
    found = [] if received == 0 else [f"{received} posts lost that the replica had"]
    found += counted("wrong", [one for one in line.wrong if not _explained(one, lost)])
    others = {what: count for what, count in line.audit.lost().items() if what != "posts" and count}
    found += [f"{count} acknowledged {what} lost" for what, count in others.items()]
    return [*found, *seen_afterwards(line)]


def start_anew(fleet: Fleet) -> None:
    """A promotion cannot be taken back: the local cloud begins again, with the person's own settings."""
    local_cloud.stop(lambda _: None)
    fleet.up()


def _wait_for_replica(scene: Scene, main: Server, replica: Server) -> None:
    """Until the replica has all that the main has now.

    Raises:
        NotSoon: it does not get there.
    """
    place = asyncio.run(tell(scene.fleet, main, "SELECT pg_current_wal_flush_lsn()::text"))
    has = f"SELECT pg_last_wal_receive_lsn() >= '{place}'::pg_lsn"
    scene.until("replica has received", lambda: asyncio.run(tell(scene.fleet, replica, has)), RECEIVED_SECONDS)


def _explained(failure: Failure, lost: set[int]) -> bool:
    return bool(failure.missing) and set(failure.missing) <= lost


def _status(fleet: Fleet, instance: str) -> str:
    return next((store.status for store in fleet.view().stores if store.id == instance), "")


FAULTS = (
    Fault(
        name="database-lost",
        what="a main's process and folder gone; `goldfleet promote`",
        promise="no post lost that the replica had; nothing else wrong; writes come back",
        published=str(REPLICA_PROMOTION),
        strike=strike,
        broken=broken,
        leave=start_anew,
    ),
)
