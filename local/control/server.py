"""The control plane as a process: one HTTP server, one clock, stopped by a signal or with its parent."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import NoReturn

from waitress.server import create_server

from goldfleet.errors import LocalCloudError
from local.addresses import CONTROL_PORT, control_address, control_endpoint
from local.control.clock import Clock
from local.control.cloud import CLOUD
from local.control.front import Front
from local.control.moto_app import load_moto, settle, warm_up

THREADS = 32
CONNECTIONS = 500
LARGEST_BODY = 64 * 1024 * 1024
"""Bytes; a snapshot block has 512 KiB."""


def serve(network: int, data_plane: bool, minute: float, ready_file: Path | None, parent: int | None) -> None:
    """Answers on the control port of `network` until SIGTERM or SIGINT.

    Args:
        network: the checkout's N.
        data_plane: True if stores and targets are only ready once the data plane has reported them.
        minute: seconds that a minute of CloudWatch lasts.
        ready_file: gets `{"endpoint", "pid"}` as soon as calls are answered.
        parent: process id; the control plane ends when this is no longer its parent.

    Raises:
        LocalCloudError: the control port is taken.
    """
    CLOUD.configure(network, data_plane, minute)
    front = Front(load_moto(), CLOUD, settle)
    try:
        server = create_server(
            front,
            host=control_address(network),
            port=CONTROL_PORT,
            threads=THREADS,
            connection_limit=CONNECTIONS,
            max_request_body_size=LARGEST_BODY,
            ident=None,
        )
    except OSError as error:
        raise LocalCloudError(control_endpoint(network), str(error), "stop what listens there") from error
    _stop_on_signals()
    clock = Clock(CLOUD, settle, lambda: _stop_without(parent))
    clock.start()
    if ready_file is not None:
        _write_ready(ready_file, network)
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    server.run()
    clock.stop()


def _write_ready(path: Path, network: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"endpoint": control_endpoint(network), "pid": os.getpid()}) + "\n")
    draft.replace(path)


def _stop_on_signals() -> None:
    def stop(_signal: int, _frame: object) -> NoReturn:
        CLOUD.close()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _stop_without(parent: int | None) -> None:
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
