from __future__ import annotations

import asyncio

from app.feed import POSTS
from app.site import Site
from goldfleet.state.state import State
from tests.app.conftest import PASSWORD, Program, new_name


async def test_from_signing_up_to_logging_out(program: Program) -> None:
    name = await program.sign_up()
    http = program.http
    assert (await http.get("/session")).json()["name"] == name
    written = await http.post("/posts", json={"text": "first"})
    assert written.status_code == 201
    profile = (await http.get(f"/users/{name}")).json()
    assert (profile["posts"], profile["recent"]) == (1, [written.json()])
    assert (await http.get("/feed")).json() == {"posts": [written.json()], "before": None}
    assert (await http.delete("/session")).status_code == 204
    assert (await http.get("/session")).status_code == 401
    again = await http.post("/session", json={"name": name, "password": PASSWORD})
    assert again.status_code == 200
    assert again.json()["csrf_token"] != program.http.headers["x-csrf-token"]


async def test_logging_out_everywhere_ends_every_session(program: Program, site: Site) -> None:
    name = await program.sign_up()
    second = Program(site)
    answer = await second.http.post("/session", json={"name": name, "password": PASSWORD})
    assert (await second.http.get("/session")).status_code == 200
    assert (await program.http.delete("/sessions")).status_code == 204
    assert answer.status_code == 200
    assert (await second.http.get("/session")).status_code == 401
    await second.http.aclose()


async def test_following_twice_counts_once(program: Program, site: Site) -> None:
    other = Program(site)
    followed = await other.sign_up()
    await program.sign_up()
    for method in ("PUT", "PUT", "DELETE", "DELETE", "PUT"):
        assert (await program.http.request(method, f"/users/{followed}/follow")).status_code == 204
        profile = (await program.http.get(f"/users/{followed}")).json()
        assert profile["followers"] == (method == "PUT")
    await other.http.aclose()


async def test_nobody_follows_themselves(program: Program) -> None:
    name = await program.sign_up()
    answer = await program.http.put(f"/users/{name}/follow")
    assert (answer.status_code, answer.json()["field"]) == (422, "name")


async def test_a_feed_is_read_page_by_page_in_order(program: Program, site: Site) -> None:
    other = Program(site)
    followed = await other.sign_up()
    await program.sign_up()
    await program.http.put(f"/users/{followed}/follow")
    written = []
    for number in range(POSTS + 5):
        writer = (program, other)[number % 2]
        written.append((await writer.http.post("/posts", json={"text": str(number)})).json()["id"])
    first = (await program.http.get("/feed")).json()
    second = (await program.http.get("/feed", params={"before": first["before"]})).json()
    assert [post["id"] for post in first["posts"] + second["posts"]] == written[::-1]
    assert (len(first["posts"]), second["before"]) == (POSTS, None)
    await other.http.aclose()


async def test_a_write_needs_the_sessions_token(program: Program) -> None:
    await program.sign_up()
    for token in (b"", b"another", b"\xff"):
        answer = await program.http.post("/posts", json={"text": "x"}, headers={b"X-CSRF-Token": token})
        assert answer.status_code == 403, token
    assert (await program.http.get("/feed")).json()["posts"] == []


async def test_the_description_names_every_path(program: Program) -> None:
    description = (await program.http.get("http://site.test/api/openapi.json")).json()
    paths = {path: set(methods) for path, methods in description["paths"].items()}
    assert paths == {
        "/v1/users": {"post"},
        "/v1/users/{name}": {"get"},
        "/v1/users/{name}/follow": {"put", "delete"},
        "/v1/session": {"get", "post", "delete"},
        "/v1/sessions": {"delete"},
        "/v1/posts": {"post"},
        "/v1/feed": {"get"},
    }
    assert description["servers"] == [{"url": "/api"}]


async def test_of_several_who_want_a_name_at_once_one_gets_it(site: Site, state: State) -> None:
    name = new_name()
    programs = [Program(site) for _ in range(6)]
    account = {"name": name, "password": PASSWORD}
    answers = await asyncio.gather(*(program.http.post("/users", json=account) for program in programs))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    left = 0
    for shard in state.database.shards:
        async with shard.write() as transaction:
            left += await transaction.fetchval("SELECT count(*) FROM users WHERE name = $1", name)
    assert left == 1
    for program in programs:
        await program.http.aclose()
