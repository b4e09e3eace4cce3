"""The pages: everything works with links and forms alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app import accounts, follows, forms, posts, profile
from app.feed import Page
from app.forgery import refuse_wrong_token
from app.problems import Problem, invalid
from app.rendering import page, user_path
from app.visit import Visit

LARGEST_ID = 2**63 - 1
LONGEST_ID = 20
SHOWN_BESIDE_THE_FIELD = {HTTPStatus.UNAUTHORIZED, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}


async def home(request: Request) -> Response:
    """The feed of who is logged in; a welcome for everybody else."""
    visit = Visit.of(request)
    if visit.is_stranger:
        return _page(visit, "welcome.html")
    shown = await _feed(request, visit)
    return _page(visit, "feed.html", page=shown, text="", problem=None)


class SignUp(HTTPEndpoint):
    """The form for a new account, and what it sends."""

    async def get(self, request: Request) -> Response:
        return _page(Visit.of(request), "signup.html", name="", problem=None)

    async def post(self, request: Request) -> Response:
        visit = Visit.of(request)
        form = await _form(request, visit, "name", "password")
        try:
            user = await accounts.sign_up(visit, request.state.passwords, form["name"], form["password"])
        except Problem as problem:
            return _again(visit, "signup.html", problem, name=form["name"])
        await visit.enter(user.id, user.name)
        return _see(user_path(user.name))


class LogIn(HTTPEndpoint):
    """The form for name and password, and what it sends."""

    async def get(self, request: Request) -> Response:
        target = forms.local_target(request.query_params.get("next", "/"))
        return _page(Visit.of(request), "login.html", name="", next=target, problem=None)

    async def post(self, request: Request) -> Response:
        visit = Visit.of(request)
        form = await _form(request, visit, "name", "password", "next")
        target = forms.local_target(form["next"])
        try:
            user = await accounts.authenticate(visit, request.state.passwords, form["name"], form["password"])
        except Problem as problem:
            return _again(visit, "login.html", problem, name=form["name"], next=target)
        await visit.enter(user.id, user.name)
        return _see(target)


async def log_out(request: Request) -> Response:
    visit = Visit.of(request)
    visit.require_login()
    await _form(request, visit)
    await visit.leave()
    return _see("/")


async def log_out_everywhere(request: Request) -> Response:
    visit = Visit.of(request)
    visit.require_login()
    await _form(request, visit)
    await visit.leave(everywhere=True)
    return _see("/")


async def post(request: Request) -> Response:
    visit = Visit.of(request)
    user_id = visit.require_login()
    form = await _form(request, visit, "text")
    try:
        await posts.publish(visit, user_id, form["text"])
    except Problem as problem:
        shown = await _feed(request, visit)
        return _again(visit, "feed.html", problem, page=shown, text=form["text"])
    return _see("/")


async def user(request: Request) -> Response:
    """Somebody's page; who is logged in can follow them from here."""
    visit = Visit.of(request)
    user_id = await accounts.find(visit, request.path_params["name"])
    shown = await profile.of(visit, user_id)
    own = visit.session is not None and visit.session.user_id == user_id
    following = None
    if visit.session is not None and not own:
        following = await follows.is_following(visit, visit.session.user_id, user_id)
    return _page(visit, "profile.html", profile=shown, following=following, own=own)


async def follow(request: Request) -> Response:
    visit = Visit.of(request)
    follower_id = visit.require_login()
    await _form(request, visit)
    name = request.path_params["name"]
    await follows.follow(visit, follower_id, await accounts.find(visit, name))
    return _see(user_path(name))


async def unfollow(request: Request) -> Response:
    visit = Visit.of(request)
    follower_id = visit.require_login()
    await _form(request, visit)
    name = request.path_params["name"]
    await follows.unfollow(visit, follower_id, await accounts.find(visit, name))
    return _see(user_path(name))


ROUTES = [
    Route("/", home, methods=["GET"]),
    Route("/signup", SignUp),
    Route("/login", LogIn),
    Route("/logout", log_out, methods=["POST"]),
    Route("/logout-everywhere", log_out_everywhere, methods=["POST"]),
    Route("/posts", post, methods=["POST"]),
    Route("/users/{name}", user, methods=["GET"]),
    Route("/users/{name}/follow", follow, methods=["POST"]),
    Route("/users/{name}/unfollow", unfollow, methods=["POST"]),
]


async def _form(request: Request, visit: Visit, *names: str) -> dict[str, str]:
    """The fields of a form that one of our own pages sent, for this session if there is one."""
    fields = await forms.read(request, "csrf_token", *names)
    if visit.session is not None:
        refuse_wrong_token(visit.session, fields["csrf_token"])
    return dict(fields)


async def _feed(request: Request, visit: Visit) -> Page:
    page: Page = await request.state.feed.page(visit, visit.require_login(), _before(request))
    return page


def _before(request: Request) -> int | None:
    raw = request.query_params.get("before")
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) < LONGEST_ID and 0 < int(raw) <= LARGEST_ID):
        raise invalid("before", "before is the id of a post.")
    return int(raw)


def _again(visit: Visit, template: str, problem: Problem, **context: Any) -> Response:
    """The same form with what was wrong beside its field; anything else is a problem of its own."""
    if problem.status_code not in SHOWN_BESIDE_THE_FIELD:
        raise problem
    return _page(visit, template, status=problem.status_code, problem=problem, **context)


def _page(visit: Visit, template: str, **context: Any) -> Response:
    return page(visit.facts, visit.session, template, **context)


def _see(path: str) -> Response:
    """After a write: look there (RFC 9110, 303), so that loading again does not write again."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
