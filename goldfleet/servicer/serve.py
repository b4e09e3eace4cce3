"""Runs a provider as a plugin process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from goldfleet.servicer import protocol
from goldfleet.servicer.engine import Engine
from goldfleet.servicer.resource import Provider
from goldfleet.servicer.servicer import Servicer

CALLS_AT_ONCE = 32
MESSAGE_LIMIT = 64 * 1024 * 1024
PARENT_CHECK = 0.5


def serve(provider: Provider) -> None:
    """Answers the engine on a loopback port, told on standard output, until the engine ends. Does not return.

    The first argument of the process, if any, is the engine's address.
    """
    server = grpc.server(
        ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="call"),
        options=[("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)],
    )
    servicer = Servicer(provider, Engine(sys.argv[1] if len(sys.argv) > 1 else None))
    protocol.provider_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The engine interrupts a plugin when it has no more use for it: nothing is left to finish then.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _end_with_parent(parent: int) -> None:
    """Ends the process when the one that started it is gone: a killed engine leaves no plugin behind."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK)
    os._exit(0)
