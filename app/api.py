"""The JSON API, version 1, with its description at `/api/openapi.json`.

Logging in sets the same cookie that pages use; a write also needs the session's token in the header `X-CSRF-Token`.
Problems are `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app import accounts, follows, posts, profile
from app.answers import HANDLERS, PROBLEM_JSON, answer
from app.forgery import refuse_wrong_token
from app.problems import wrong_content_type
from app.text import NAME_LONGEST, NAME_SHORTEST, PASSWORD_SHORTEST, POST_LONGEST
from app.visit import Visit

JSON = "application/json"


class ProblemOut(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    request_id: str


class Account(BaseModel):
    """Name and password of a person."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(json_schema_extra={"minLength": NAME_SHORTEST, "maxLength": NAME_LONGEST})]
    password: Annotated[str, Field(json_schema_extra={"minLength": PASSWORD_SHORTEST, "format": "password"})]


class NewPost(BaseModel):
    """A post to be written."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": POST_LONGEST})]


class PostOut(BaseModel):
    """A post."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    author: str
    text: str
    created_at: datetime


class ProfileOut(BaseModel):
    """A person as others see them."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    joined_at: datetime
    posts: int
    followers: int
    following: int
    recent: list[PostOut]


class FeedOut(BaseModel):
    """Posts, the latest first; `before` asks for the next ones."""

    model_config = ConfigDict(from_attributes=True)

    posts: list[PostOut]
    before: str | None


class SessionOut(BaseModel):
    """Who is logged in; `csrf_token` goes into the header `X-CSRF-Token` of every write."""

    name: str
    csrf_token: str


def visit_of(request: Request) -> Visit:
    return Visit.of(request)


def logged_in(visit: Annotated[Visit, Depends(visit_of)]) -> Visit:
    """For what needs a login."""
    visit.require_login()
    return visit


def writing(visit: Annotated[Visit, Depends(logged_in)], x_csrf_token: Annotated[str, Header()] = "") -> Visit:
    """For what changes something in the name of who is logged in."""
    assert visit.session is not None
    refuse_wrong_token(visit.session, x_csrf_token)
    return visit


def json_body(request: Request) -> None:
    """For what reads a body."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
        raise wrong_content_type(JSON)


Anybody = Annotated[Visit, Depends(visit_of)]
LoggedIn = Annotated[Visit, Depends(logged_in)]
Writing = Annotated[Visit, Depends(writing)]
Name = Annotated[str, Path(description="A person's name, in any spelling")]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Only posts with a smaller id")]

_problem: dict[str, Any] = {
    "description": "What went wrong",
    "content": {PROBLEM_JSON: {"schema": ProblemOut.model_json_schema()}},
}
router = APIRouter(prefix="/v1", responses={"4XX": _problem, "5XX": _problem})
reads_json = [Depends(json_body)]


@router.post("/users", status_code=HTTPStatus.CREATED, dependencies=reads_json)
async def sign_up(request: Request, visit: Anybody, account: Account) -> SessionOut:
    """Makes an account and logs in."""
    user = await accounts.sign_up(visit, request.state.passwords, account.name, account.password)
    await visit.enter(user.id, user.name)
    return _session(visit)


@router.post("/session", dependencies=reads_json)
async def log_in(request: Request, visit: Anybody, account: Account) -> SessionOut:
    """Logs in."""
    user = await accounts.authenticate(visit, request.state.passwords, account.name, account.password)
    await visit.enter(user.id, user.name)
    return _session(visit)


@router.get("/session")
async def session(visit: LoggedIn) -> SessionOut:
    """Who is logged in."""
    return _session(visit)


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
async def log_out(visit: Writing) -> None:
    """Ends this session."""
    await visit.leave()


@router.delete("/sessions", status_code=HTTPStatus.NO_CONTENT)
async def log_out_everywhere(visit: Writing) -> None:
    """Ends all sessions of who is logged in."""
    await visit.leave(everywhere=True)


@router.get("/users/{name}")
async def user(visit: Anybody, name: Name) -> ProfileOut:
    """Somebody's profile."""
    return ProfileOut.model_validate(await profile.of(visit, await accounts.find(visit, name)))


@router.put("/users/{name}/follow", status_code=HTTPStatus.NO_CONTENT)
async def follow(visit: Writing, name: Name) -> None:
    """Follows somebody; doing so again changes nothing."""
    await follows.follow(visit, visit.require_login(), await accounts.find(visit, name))


@router.delete("/users/{name}/follow", status_code=HTTPStatus.NO_CONTENT)
async def unfollow(visit: Writing, name: Name) -> None:
    """Stops following somebody; doing so again changes nothing."""
    await follows.unfollow(visit, visit.require_login(), await accounts.find(visit, name))


@router.post("/posts", status_code=HTTPStatus.CREATED, dependencies=reads_json)
async def post(visit: Writing, new: NewPost) -> PostOut:
    """Writes a post."""
    return PostOut.model_validate(await posts.publish(visit, visit.require_login(), new.text))


@router.get("/feed")
async def feed(request: Request, visit: LoggedIn, before: Before = None) -> FeedOut:
    """The posts of the people one follows and one's own."""
    return FeedOut.model_validate(await request.state.feed.page(visit, visit.require_login(), before))


def _session(visit: Visit) -> SessionOut:
    assert visit.session is not None
    return SessionOut(name=visit.session.fields["name"], csrf_token=visit.session.csrf_token)


async def _method_not_allowed(request: Request, problem: HTTPException) -> Response:
    """Names all methods of the path (RFC 9110, 405); the router knows those of one function only."""
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    routes = [route for route in router.routes if isinstance(route, APIRoute) and route.path_regex.match(path)]
    allowed = sorted({method for route in routes for method in route.methods or ()})
    problem.headers = {"Allow": ", ".join(allowed or ["GET", "HEAD"])}
    return answer(request.scope, problem)


def create() -> FastAPI:
    """The API as an ASGI app, to be mounted at `/api`."""
    api = FastAPI(
        title="Goldfleet",
        version="1",
        description=__doc__,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**HANDLERS, HTTPStatus.METHOD_NOT_ALLOWED: _method_not_allowed},
    )
    api.include_router(router)
    return api
