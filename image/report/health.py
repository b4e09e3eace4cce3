"""Waits until the app answers its health check, or until it is clear that it won't."""

from __future__ import annotations

import http.client
import socket
import time

from goldfleet.contract import deadlines, service
from image.report import units

WAIT = deadlines.MIGRATION + deadlines.HEALTH_GRACE
PAUSE = 0.5
_ASK_SYSTEMD_EVERY = 5.0


def wait(wait: float = WAIT) -> bool:
    """True as soon as the app is healthy; False when its unit has failed, or after `wait` seconds."""
    deadline = time.monotonic() + wait
    asked = time.monotonic()
    while time.monotonic() < deadline:
        if healthy(own_address()):
            return True
        time.sleep(PAUSE)
        if time.monotonic() - asked > _ASK_SYSTEMD_EVERY:
            asked = time.monotonic()
            if units.ended(units.app()):
                return False
    return False


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
