"""The app for an environment: `create` makes it, `serve` runs it until the stop signal."""

from __future__ import annotations

import signal
import sys

import uvicorn

from app import vitals
from app.connections import Connection
from app.log import to_standard_output
from app.passwords import Passwords
from app.site import Site
from goldfleet.contract import deadlines, service
from goldfleet.contract.environment import Environment


def create(environment: Environment) -> Site:
    """The ASGI app. It opens its stores at startup (ASGI lifespan) and closes them at shutdown."""
    return Site(environment, Passwords())


def serve(environment: Environment) -> None:
    """Serves in one process. At SIGTERM it takes no new request, finishes what runs, and returns."""
    to_standard_output()
    vitals.take_descriptors()
    # uvicorn stops gracefully, then raises the signal again: that is a good end, with exit code 0.
    signal.signal(service.STOP_SIGNAL, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        create(environment),
        host=environment.host,
        port=environment.port,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=deadlines.KEEP_ALIVE,
        timeout_graceful_shutdown=deadlines.DRAIN,
        proxy_headers=False,
    )
    uvicorn.Server(config).run()
