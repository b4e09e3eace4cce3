"""A Valkey for a measurement, and where it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldfleet.contract.environment import StoreAccess
from goldfleet.state.access import read_password
from tests.server import APP
from tests.valkey_server import ValkeyServer


@contextmanager
def store_of(folder: Path) -> Iterator[StoreAccess]:
    """A store that evicts, with its data in this folder; stopped at the end."""
    folder.chmod(0o755)  # the store's account looks into it
    store = ValkeyServer(folder / "cache", "allkeys-lru")
    password = folder / "password"
    password.write_text(store.password)
    try:
        store.start()
        yield StoreAccess(store.endpoint, APP, str(password))
    finally:
        store.stop()


def url_of(access: StoreAccess) -> str:
    """As the others' clients want it."""
    return f"redis://{access.username}:{read_password(access.password_file)}@{access.primary}/0"
