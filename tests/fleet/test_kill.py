"""`kill -9` of anything: nothing that people have is lost, and what was killed comes back."""

from __future__ import annotations

import httpx

from local.events import Events
from tests.fleet.cloud import INSTANCE, Cloud, kill, wait

BACK = 30
"""Seconds until a killed server must be there again; ten are promised, on a machine with nothing else to do."""


def test_a_killed_clone_is_replaced_and_the_login_lives_on(cloud: Cloud, person: httpx.Client) -> None:
    person.post("/api/v1/posts", json={"text": "before"}).raise_for_status()
    killed = person.get("/").headers[INSTANCE]
    kill(next(process for process in cloud.processes() if process.name == killed))
    # As behind an ALB, requests may fail until the health check has seen it; afterwards none does.
    wait(lambda: all(answer.status_code == httpx.codes.OK for answer in feeds(person)), 60)
    answers = feeds(person)
    assert {answer.status_code for answer in answers} == {httpx.codes.OK}
    assert killed not in {answer.headers.get(INSTANCE) for answer in answers}
    cloud.settled(2)
    assert killed not in cloud.clones()
    assert person.get("/api/v1/feed").json()["posts"][0]["text"] == "before"


def test_a_killed_store_is_back_with_its_data(cloud: Cloud, person: httpx.Client) -> None:
    person.post("/api/v1/posts", json={"text": "kept"}).raise_for_status()
    name = person.get("/api/v1/session").json()["name"]
    stores = [process for process in cloud.processes() if process.name.startswith(("rds-", "elasticache-"))]
    assert len(stores) >= 4
    for store in stores:
        kill(store)
        wait(lambda store=store: is_back(cloud, store.name, store.pid), BACK)  # type: ignore[misc]
        wait(lambda: all_good(person, name), BACK)
        restarted = [event for event in Events(cloud.run_folder.events).read() if event["subject"] == store.name]
        assert restarted, f"no event tells of {store.name}"
        wait(lambda store=store: f"{store.name} was restarted" in cloud.do("status"), BACK)  # type: ignore[misc]


def feeds(person: httpx.Client) -> list[httpx.Response]:
    return [person.get("/api/v1/feed") for _ in range(10)]


def is_back(cloud: Cloud, name: str, pid: int) -> bool:
    return any(process.name == name and process.pid != pid for process in cloud.processes())


def all_good(person: httpx.Client, name: str) -> bool:
    """The login is good, the post is there, and both can be written."""
    try:
        feed = person.get("/api/v1/feed")
        profile = person.get(f"/api/v1/users/{name}")
        written = person.post("/api/v1/posts", json={"text": "kept"})
    except httpx.HTTPError:
        return False
    good = (feed.status_code, profile.status_code, written.status_code) == (200, 200, 201)
    return good and feed.json()["posts"][0]["text"] == "kept"
