"""The instance metadata service of one clone, version 2 only.

Imitates what the launcher and the AWS SDKs ask for: a session token is required, the words and status codes are AWS's.
Source: AWS, "Use the Instance Metadata Service to access instance metadata", "Instance metadata categories" and
"Retrieve dynamic data / instance identity documents". Not imitated: version 1, the hop limit of the IP packet (a
request that came through a proxy is refused by its header, as on AWS), the document's signature.

    python -m local.metadata --address 127.0.0.1 --port 8169 --facts facts.json
"""

from __future__ import annotations

import argparse
import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from goldfleet.aws_session import DUMMY_ACCESS_KEY, DUMMY_ACCOUNT, DUMMY_SECRET_KEY

PORT = 8169
MAX_TTL = 21600
_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105  a header's name
_CREDENTIALS_LIFETIME = timedelta(hours=6)
_TOKEN_LIMIT = 1024
_CLOSE_WITHIN = 0.2


@dataclass(frozen=True)
class Facts:
    """What the service tells about one instance.

    Args:
        instance_id, local_ipv4, image_id, instance_type, account_id: as EC2 describes them.
        zone, region: where it runs.
        tags: the instance's tags; as on AWS, one whose key has a `/` cannot be asked for.
        user_data: the text, decoded; None answers 404.
        role: name of the role of its instance profile; None: no credentials.
    """

    instance_id: str
    local_ipv4: str
    zone: str
    region: str
    image_id: str
    instance_type: str = "t3.micro"
    account_id: str = DUMMY_ACCOUNT
    tags: Mapping[str, str] = field(default_factory=dict)
    user_data: str | None = None
    role: str | None = None


def answer(facts: Facts, path: str, now: datetime) -> str | None:
    """The text behind a path such as `/latest/meta-data/instance-id`, or None when there is nothing."""
    path = path.strip("/")
    leaves = _leaves(facts, now)
    if path in leaves:
        return leaves[path]
    below = {leaf[len(path) + 1 :].partition("/")[::2] for leaf in leaves if leaf.startswith(f"{path}/")}
    return "\n".join(sorted({name + ("/" if deeper else "") for name, deeper in below})) or None


def _leaves(facts: Facts, now: datetime) -> dict[str, str]:
    data = {
        "instance-id": facts.instance_id,
        "local-ipv4": facts.local_ipv4,
        "ami-id": facts.image_id,
        "instance-type": facts.instance_type,
        "placement/availability-zone": facts.zone,
        "placement/region": facts.region,
        **{f"tags/instance/{key}": value for key, value in facts.tags.items() if "/" not in key},
    }
    if facts.role:
        data[f"iam/security-credentials/{facts.role}"] = _credentials(now)
    leaves = {f"latest/meta-data/{path}": text for path, text in data.items()}
    leaves["latest/dynamic/instance-identity/document"] = _identity(facts, now)
    if facts.user_data is not None:
        leaves["latest/user-data"] = facts.user_data
    return leaves


def _credentials(now: datetime) -> str:
    credentials = {
        "Code": "Success",
        "LastUpdated": _timestamp(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": DUMMY_ACCESS_KEY,
        "SecretAccessKey": DUMMY_SECRET_KEY,
        "Token": "goldfleet-local",
        "Expiration": _timestamp(now + _CREDENTIALS_LIFETIME),
    }
    return json.dumps(credentials, indent=2)


def _identity(facts: Facts, now: datetime) -> str:
    document = {
        "accountId": facts.account_id,
        "architecture": "x86_64",
        "availabilityZone": facts.zone,
        "imageId": facts.image_id,
        "instanceId": facts.instance_id,
        "instanceType": facts.instance_type,
        "pendingTime": _timestamp(now),
        "privateIp": facts.local_ipv4,
        "region": facts.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Tokens:
    """Session tokens, each with an end."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def issue(self, ttl: int, now: float) -> str:
        """A new token that is valid for `ttl` seconds."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._ends = {known: end for known, end in self._ends.items() if end > now}
            while len(self._ends) >= _TOKEN_LIMIT:
                self._ends.pop(next(iter(self._ends)))
            self._ends[token] = now + ttl
        return token

    def valid(self, token: str | None, now: float) -> bool:
        with self._lock:
            return token is not None and self._ends.get(token, 0) > now


class MetadataServer(ThreadingHTTPServer):
    """The service of one instance, answering on `address` from construction until `close`.

    Raises:
        OSError: the address or port cannot be bound.
    """

    daemon_threads = True

    def __init__(self, address: str, facts: Facts, port: int = PORT) -> None:
        super().__init__((address, port), _Handler)
        self.facts = facts
        self.tokens = Tokens()
        self._thread = threading.Thread(target=self.serve_forever, args=(_CLOSE_WITHIN,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Returns when the service was closed."""
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: MetadataServer
    server_version = "EC2ws"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_PUT(self) -> None:
        if self.headers.get("X-Forwarded-For"):
            return self._send(HTTPStatus.FORBIDDEN)
        if self.path != "/latest/api/token":
            return self._send(HTTPStatus.NOT_FOUND)
        text = self.headers.get(_TTL_HEADER, "")
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_TTL:
            return self._send(HTTPStatus.BAD_REQUEST)
        return self._send(HTTPStatus.OK, self.server.tokens.issue(int(text), time.monotonic()), {_TTL_HEADER: text})

    def do_GET(self) -> None:
        if not self.server.tokens.valid(self.headers.get(_TOKEN_HEADER), time.monotonic()):
            return self._send(HTTPStatus.UNAUTHORIZED)
        text = answer(self.server.facts, self.path, datetime.now(UTC))
        return self._send(HTTPStatus.NOT_FOUND) if text is None else self._send(HTTPStatus.OK, text)

    def _send(self, status: HTTPStatus, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        if status >= HTTPStatus.BAD_REQUEST:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Says nothing: paths would fill the log."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves the facts of a JSON file (the fields of `Facts`) until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.metadata", description="EC2 instance metadata, version 2.")
    parser.add_argument("--address", required=True, help="where to listen")
    parser.add_argument("--port", type=int, default=PORT, help="default %(default)s")
    parser.add_argument("--facts", required=True, type=Path, help="JSON file with the fields of Facts")
    options = parser.parse_args(arguments)
    facts = Facts(**json.loads(options.facts.read_text()))
    MetadataServer(options.address, facts, options.port).wait()


if __name__ == "__main__":
    main()
