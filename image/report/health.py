"""Waits until the app answers its health check, or until it is clear that it won't."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from goldfleet.contract import deadlines, service
from image.report import units

WAIT = deadlines.MIGRATION + deadlines.HEALTH_GRACE
LAYER = "/srv/app"
PAUSE = 0.5
ASK_SYSTEMD_EVERY = 5.0
"""Seconds."""


def wait(seconds: float = WAIT) -> str:
    """Returns as soon as the app is healthy, or will not be; then says why not."""
    deadline = time.monotonic() + seconds
    asked = time.monotonic()
    while time.monotonic() < deadline:
        if healthy(own_address()):
            return ""
        time.sleep(PAUSE)
        if time.monotonic() - asked > ASK_SYSTEMD_EVERY:
            asked = time.monotonic()
            state = units.app()
            if units.ended(state):
                return why(state, mounted=Path(LAYER).is_mount())
    return f"{service.HEALTH_PATH} has not answered within {seconds:.0f} seconds"


def why(state: Mapping[str, str], *, mounted: bool) -> str:
    """Why an app whose unit has this state never becomes healthy."""
    if not mounted:
        return f"the app layer is not mounted at {LAYER}: its volume is missing or damaged"
    if state.get("ActiveState") == "failed":
        return f"the app was started {int(state.get('NRestarts') or 0) + 1} times and has ended each time"
    return "the app was not started"


def healthy(address: str, port: int = service.PORT) -> bool:
    """Asks once, as the balancer does."""
    connection = http.client.HTTPConnection(address, port, timeout=deadlines.HEALTH_TIMEOUT)
    try:
        connection.request("GET", service.HEALTH_PATH)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def own_address() -> str:
    """This machine's address on its network; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("169.254.169.254", 80))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
