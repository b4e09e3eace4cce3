"""A tiny site with the app's API, in memory, which can be told to lie and to fail in every way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Post = dict[str, Any]
Content = dict[str, Any]
STRANGER = {"title": "Unauthorized"}


class Site:
    """Answers as the app does; each attribute is a way to be wrong.

    Args:
        hide: which own posts a reader is not shown.
        forget_logins: every session is unknown.
        steal: everybody sees the first person's session.
        invent: a post that nobody wrote is shown to everybody.
        broken: takes the count of requests; a status to answer with instead, or 0 to hang up, or None.
    """

    def __init__(self) -> None:
        self.hide: Callable[[Post], bool] = lambda _: False
        self.forget_logins = False
        self.steal = False
        self.invent = False
        self.broken: Callable[[int], int | None] = lambda _: None
        self.requests = 0
        self.url = ""
        self._people: dict[str, str] = {}
        self._sessions: dict[str, str] = {}
        self._posts: list[Post] = []

    @contextmanager
    def serving(self) -> Iterator[Site]:
        """While inside it answers at `url`."""
        loop = asyncio.new_event_loop()
        ready = threading.Event()
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(self._serve(ready, stop)))
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests += 1
                status = self.broken(self.requests)
                if status == 0:
                    break
                method, path, _ = first.split(" ")
                answer = (status, {}, "") if status else self._answer(method, path, headers, body)
                writer.write(_http(*answer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Content, str]:
        told = json.loads(body) if body else {}
        if path in {"/api/v1/users", "/api/v1/session"} and method == "POST":
            self._people[told["name"]] = told["password"]
            cookie = f"c{len(self._sessions)}"
            self._sessions[cookie] = told["name"]
            return 201 if path.endswith("users") else 200, {"name": told["name"], "csrf_token": "t"}, cookie
        name = self._sessions.get(headers.get("cookie", "").partition("=")[2])
        if name is None or self.forget_logins:
            return 401, STRANGER, ""
        if method == "POST":
            self._posts.append({"id": str(len(self._posts) + 1), "author": name, "text": told["text"]})
            return 201, self._posts[-1], ""
        shown = [post for post in reversed(self._posts) if post["author"] == name and not self.hide(post)]
        before = int(path.partition("before=")[2] or len(self._posts) + 1)
        page = [post for post in shown if int(post["id"]) < before][:20]
        if self.invent:
            page = [{"id": str(10**6), "author": name, "text": "not mine"}, *page][:20]
        seen = next(iter(self._people)) if self.steal else name
        more = page[-1]["id"] if len(page) == 20 else None
        return 200, {"name": seen, "csrf_token": "t", "posts": page, "recent": page, "before": more, "page": seen}, ""


def _http(status: int, content: Content, cookie: str) -> bytes:
    body = json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "X-Goldfleet-Instance: i-1"]
    lines += [f"Set-Cookie: session={cookie}; Path=/"] if cookie else []
    lines += ["Retry-After: 1"] if status == 503 else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
