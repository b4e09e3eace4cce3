"""The load sees every lie: a site that is wrong in one way is told so, and in no other way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from chaos.load import Load
from chaos.tally import Kind
from local.processes import wait_until
from tests.chaos.site import Site

ENOUGH = 200
SECONDS = 30


@pytest.fixture
def site() -> Iterator[Site]:
    with Site().serving() as site:
        yield site


def used(site: Site, lie: Callable[[Site], None]) -> Load:
    """A load that a site lied to once everybody was in."""
    with Load(site.url, people=4, pause=0) as load:
        lie(site)
        wait_until(lambda: load.tally.requests >= ENOUGH or load.ended, SECONDS)
    return load


def wrong(load: Load) -> set[str]:
    return {failure.detail for failure in load.failures if failure.kind is Kind.WRONG}


def test_an_honest_site_is_found_honest(site: Site) -> None:
    load = used(site, lambda _: None)
    assert load.failures == []
    assert load.answered == load.tally.requests == len(load.tally.seconds) >= ENOUGH
    assert load.journal.posts
    assert set(load.clones) == {"i-1"}


def test_own_posts_that_are_missing(site: Site) -> None:
    def lie(site: Site) -> None:
        site.hide = lambda post: int(post["id"]) % 3 == 0

    load = used(site, lie)
    assert wrong(load) == {"own posts missing"}
    missing = {id_ for failure in load.failures for id_ in failure.missing}
    assert missing
    assert all(id_ % 3 == 0 for id_ in missing)


def test_a_lost_login(site: Site) -> None:
    def lie(site: Site) -> None:
        site.forget_logins = True

    assert "login lost" in wrong(used(site, lie))


def test_another_persons_session(site: Site) -> None:
    def lie(site: Site) -> None:
        site.steal = True

    found = wrong(used(site, lie))
    assert "another person's profile" in found
    assert found <= {"another person's profile", "another person's session", "a page for somebody else"}


def test_a_post_that_nobody_wrote(site: Site) -> None:
    def lie(site: Site) -> None:
        site.invent = True

    assert wrong(used(site, lie)) == {"a post that its author never wrote"}


@pytest.mark.parametrize(
    ("status", "kind", "detail"),
    [
        (503, Kind.REFUSED, "503"),
        (500, Kind.ERROR, "500 from the clone"),
        (0, Kind.SILENT, "connection closed before an answer"),
    ],
)
def test_kinds_of_failure_are_told_apart(site: Site, status: int, kind: Kind, detail: str) -> None:
    def lie(site: Site) -> None:
        site.broken = lambda number: status if number % 5 == 0 else None

    load = used(site, lie)
    assert {(failure.kind, failure.detail) for failure in load.failures} == {(kind, detail)}
    assert load.tally.retried
    assert not [failure for failure in load.failures if failure.repeats], "repeated GETs come through"
    plain = Counter(failure.retrying for failure in load.failures)
    assert plain[False] > plain[True], "a client that repeats has only its writes failed"


def test_what_was_not_acknowledged_may_be_there_or_not(site: Site) -> None:
    """A post whose answer was lost was stored by this site: showing it is right."""

    def lie(site: Site) -> None:
        answer = site._answer

        def silent(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
            done = answer(method, path, headers, body)
            return (503, {}, "") if method == "POST" and path.endswith("posts") else done

        site._answer = silent  # type: ignore[method-assign]

    load = used(site, lie)
    assert wrong(load) == set()
    assert {failure.request for failure in load.failures} == {"POST /api/v1/posts"}
