"""Users never see a server: any clone may answer, the answer is the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

from tests.fleet.cloud import INSTANCE, Cloud

Counts = Callable[[int, int], int]


def test_requests_are_spread_evenly(cloud: Cloud, counts: Counts) -> None:
    answered = cloud.answers_by_clone(counts(100, 400))
    assert set(answered) == set(cloud.clones())
    mean = answered.total() / len(answered)
    assert all(abs(count - mean) <= 0.2 * mean for count in answered.values()), answered


def test_one_login_is_good_on_every_clone(cloud: Cloud, person: httpx.Client) -> None:
    name = person.get("/api/v1/session").json()["name"]
    answers = [person.get(f"/users/{name}") for _ in range(40)]
    assert {answer.headers[INSTANCE] for answer in answers} == set(cloud.clones())
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["X-Goldfleet-Session"] for answer in answers} == {"sessions store"}
    # The footer tells which clone answered; all else is the same, but for the forms' one-time masks.
    pages = {re.sub(r"<footer>.*</footer>|<input[^>]*csrf[^>]*>", "", one.text, flags=re.S) for one in answers}
    assert len(pages) == 1
    assert name in pages.pop()


def test_what_is_written_is_read_at_once_on_every_clone(cloud: Cloud, person: httpx.Client, counts: Counts) -> None:
    for number in range(counts(10, 200)):
        person.post("/api/v1/posts", json={"text": f"post {number}"}).raise_for_status()
        assert person.get("/api/v1/feed").json()["posts"][0]["text"] == f"post {number}"
