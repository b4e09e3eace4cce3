"""Every problem as a response: a page, or JSON for the API."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from app import facts
from app.limits import BODY
from app.log import log
from app.problems import Problem, invalid, login_required, malformed, title, unavailable
from app.rendering import page
from goldfleet.state.exceptions import LoginNeeded, OutcomeUnknown, SessionEnded, Unavailable

API = "/api"
PROBLEM_JSON = "application/problem+json"
LONGEST_FIELD = 60


def answer(scope: Scope, problem: HTTPException) -> Response:
    """The response that tells of a problem, in the form that suits the path."""
    detail = problem.detail if isinstance(problem, Problem) else _SENTENCES.get(problem.status_code, problem.detail)
    if scope["path"].startswith(API + "/"):
        response: Response = _json(scope, problem, detail)
    else:
        response = _page(scope, problem, detail)
    response.headers.update(problem.headers or {})
    return response


def _page(scope: Scope, problem: HTTPException, detail: str) -> Response:
    visit = scope["state"].get("visit")
    status = problem.status_code
    return page(
        facts.of(scope),
        visit.session if visit else None,
        "problem.html",
        status=status,
        code=status,
        heading=title(status),
        detail=detail,
    )


def _json(scope: Scope, problem: HTTPException, detail: str) -> Response:
    body = {
        "type": "about:blank",
        "title": title(problem.status_code),
        "status": problem.status_code,
        "detail": detail,
        "request_id": facts.of(scope).request_id,
    }
    if isinstance(problem, Problem) and problem.field:
        body["field"] = problem.field
    return JSONResponse(body, problem.status_code, media_type=PROBLEM_JSON)


async def _known(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return answer(request.scope, problem)


async def _store_down(request: Request, down: Exception) -> Response:
    assert isinstance(down, Unavailable)
    log.warning("%s", down)
    return answer(request.scope, unavailable(_sentence(down), down.retry_after))


def _sentence(down: Unavailable) -> str:
    if isinstance(down, OutcomeUnknown):
        return "Nobody can tell whether this was done. Please look before doing it again."
    return "This cannot be done right now. Please try again in a moment."


async def _login_needed(request: Request, _: Exception) -> Response:
    return answer(request.scope, login_required())


async def _unreadable(request: Request, error: Exception) -> Response:
    """FastAPI's validation errors, without what was sent: that may not even be text."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return answer(request.scope, malformed("The body is not JSON."))
    place = [str(part).encode(errors="replace").decode()[:LONGEST_FIELD] for part in first["loc"][1:]]
    return answer(request.scope, invalid(".".join(place) or "body", f"{first['msg']}."))


async def _unexpected(request: Request, _: Exception) -> Response:
    """The trace goes to the log, with the request's id; nobody else sees it."""
    return answer(request.scope, HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR))


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HTTPException: _known,
    RequestValidationError: _unreadable,
    LoginNeeded: _login_needed,
    SessionEnded: _login_needed,
    Unavailable: _store_down,
    Exception: _unexpected,
}

_SENTENCES: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The body is too large: at most {BODY} bytes are read.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here. It has been noted.",
}
