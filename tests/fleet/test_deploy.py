"""A new release: every clone replaced one by one, and nobody notices."""

from __future__ import annotations

import httpx

from tests.fleet.cloud import RELEASE, Cloud
from tests.fleet.load import Load

MARK = "the second release"


def test_a_release_and_the_way_back_replace_every_clone_without_a_failed_request(
    cloud: Cloud, person: httpx.Client
) -> None:
    before = cloud.clones()
    page = cloud.folder / "app" / "templates" / "welcome.html"
    page.write_text(page.read_text().replace("{% block content %}", "{% block content %}<p>" + MARK + "</p>"))
    with Load(cloud.url) as load:
        cloud.do("deploy")
        after = cloud.clones()
    assert load.failures == {}
    assert len(after) == 2
    assert set(after) & set(before) == set()
    releases = {clone.release for clone in after.values()}
    assert len(releases) == 1
    assert releases != {clone.release for clone in before.values()}
    assert {httpx.get(cloud.url).headers[RELEASE] for _ in range(10)} == releases
    assert MARK in httpx.get(cloud.url).text
    assert person.get("/api/v1/session").status_code == 200

    with Load(cloud.url) as load:
        said = cloud.do("rollback")
    assert load.failures == {}
    assert "baking" not in said
    assert {clone.release for clone in cloud.clones().values()} == {clone.release for clone in before.values()}
    assert set(cloud.clones()) & (set(before) | set(after)) == set()
    assert MARK not in httpx.get(cloud.url).text
    assert person.get("/api/v1/session").status_code == 200


def test_what_is_being_edited_is_not_shipped_by_another_verb(cloud: Cloud) -> None:
    cloud.do("deploy")
    pinned = cloud.view().releases
    main = cloud.folder / "app" / "main.py"
    good = main.read_text()
    main.write_text(good + "\nthis is not Python")
    try:
        cloud.do("scale", "3")
        assert cloud.view().releases == pinned
        assert len(cloud.clones()) == 3
    finally:
        main.write_text(good)
