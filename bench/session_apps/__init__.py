"""The same pages on several session libraries: `GET /` answers the session's text, `GET /set?TEXT` changes it.

`GET /login?TEXT` starts a session with it. Where the store is, the variables STORE_* say.
"""

from __future__ import annotations

import os

from goldfleet.contract.environment import StoreAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.access import read_password


def store_access() -> StoreAccess:
    """For our client."""
    endpoint = Endpoint(os.environ["STORE_HOST"], int(os.environ["STORE_PORT"]))
    return StoreAccess(endpoint, os.environ["STORE_USER"], os.environ["STORE_PASSWORD_FILE"])


def store_url() -> str:
    """For the others'."""
    access = store_access()
    return f"redis://{access.username}:{read_password(access.password_file)}@{access.primary}/0"


def variables(access: StoreAccess) -> dict[str, str]:
    """What `store_access` reads."""
    return {
        "STORE_HOST": access.primary.host,
        "STORE_PORT": str(access.primary.port),
        "STORE_USER": access.username,
        "STORE_PASSWORD_FILE": access.password_file,
    }
