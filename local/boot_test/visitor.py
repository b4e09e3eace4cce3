"""What a person does at the app's port: asks, signs up, and is in the middle of something when the power goes off."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Callable, Mapping

from goldfleet.contract import deadlines, service
from goldfleet.contract.stores import Endpoint
from local.boot_test.report import Finding

_JSON = {"Content-Type": "application/json"}
_NONE: Mapping[str, str] = {}
_ANSWER = 30.0
_HEALTHY = 2.0
_POLL = 0.1
_TRIES, _RETRY = 30, 1.0

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers by their name in small letters, body."""


def healthy(site: Endpoint) -> bool:
    """Asks once, as the balancer does."""
    try:
        return _ask(site, "GET", service.HEALTH_PATH)[0] == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def sees_a_page(site: Endpoint) -> Finding:
    def ask() -> tuple[bool, str]:
        status, headers, body = _ask(site, "GET", "/")
        kind = headers.get("content-type", "")
        return status == http.client.OK and kind.startswith("text/html"), f"HTTP {status}, {len(body)} bytes of {kind}"

    return _finding("a page is served", ask)


def logs_in(site: Endpoint) -> Finding:
    """A login takes the database, and the session that it makes is read from the store: both over verified TLS.

    Answers of 503 are asked again, as their `Retry-After` says: an emulated machine's first connections are slow.
    """

    def ask() -> tuple[bool, str]:
        name = f"visitor{secrets.token_hex(4)}"
        account = json.dumps({"name": name, "password": secrets.token_urlsafe(16)})
        _patiently(lambda: _ask(site, "GET", service.READY_PATH))
        made, headers, _ = _patiently(lambda: _ask(site, "POST", "/api/v1/users", account, _JSON))
        cookie = headers.get("set-cookie", "").partition(";")[0]
        read, facts, body = _patiently(lambda: _ask(site, "GET", "/api/v1/session", headers={"Cookie": cookie}))
        ready, _, stores = _patiently(lambda: _ask(site, "GET", service.READY_PATH))
        good = (made, read, ready) == (201, 200, 200) and json.loads(body).get("name") == name
        session = facts.get("x-goldfleet-session", "none")
        return good, f"signed up: {made}, session from {session}: {read}, stores: {stores.decode().strip()}"

    return _finding("a person signs up and stays logged in", ask)


class UnfinishedRequest:
    """A sign-up whose body is not all there: the app works on it until the rest comes.

    Raises:
        OSError: the app does not take it.
    """

    def __init__(self, site: Endpoint) -> None:
        account = json.dumps({"name": f"late{secrets.token_hex(4)}", "password": secrets.token_urlsafe(16)})
        self._rest = account[10:]
        self._connection = http.client.HTTPConnection(site.host, site.port, timeout=_ANSWER)
        self._connection.putrequest("POST", "/api/v1/users")
        self._connection.putheader("Content-Type", "application/json")
        self._connection.putheader("Content-Length", str(len(account)))
        self._connection.endheaders(account[:10].encode())

    def finish(self) -> str:
        """Sends the rest; says what came back."""
        try:
            self._connection.send(self._rest.encode())
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__}: {error})"
        else:
            return f"HTTP {answer.status}"
        finally:
            self._connection.close()


def wait_until_closed(site: Endpoint) -> bool:
    """Waits until the app takes no new request; False if it still does when the open one must end."""
    deadline = time.monotonic() + deadlines.REQUEST - 2
    while healthy(site):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _finding(name: str, ask: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        return Finding(name, *ask())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Finding(name, False, f"no answer ({type(error).__name__}: {error})")


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """The first answer that is no 503, or the last one."""
    for _ in range(_TRIES):
        answer = ask()
        if answer[0] != http.client.SERVICE_UNAVAILABLE:
            break
        time.sleep(_RETRY)
    return answer


def _ask(site: Endpoint, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = _NONE) -> Answer:
    seconds = _HEALTHY if path == service.HEALTH_PATH else _ANSWER
    connection = http.client.HTTPConnection(site.host, site.port, timeout=seconds)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
