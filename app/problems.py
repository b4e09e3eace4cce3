"""What a person or a program is told when something cannot be done.

One shape for both: pages show it as a page, the API as `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException

RETRY_AFTER = 1


class Problem(HTTPException):
    """An answer that is not what was asked for.

    Args:
        status: HTTP status code, 4xx or 5xx.
        detail: one sentence for the person who asked.
        field: name of the form field or JSON member that the sentence is about.
        headers: response headers that belong to the answer.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.field = field

    @property
    def title(self) -> str:
        return title(self.status_code)


def title(status: int) -> str:
    """The standard phrase of a status code (RFC 9110, section 15)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def invalid(field: str, detail: str) -> Problem:
    """422: a field was readable and breaks a rule."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=field)


def malformed(detail: str) -> Problem:
    """400: the request cannot be read."""
    return Problem(HTTPStatus.BAD_REQUEST, detail)


def not_found(detail: str) -> Problem:
    """404."""
    return Problem(HTTPStatus.NOT_FOUND, detail)


def wrong_content_type(expected: str) -> Problem:
    """415, with the one content type that is read here."""
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {expected}.", headers={"Accept": expected})


def too_large(limit: int) -> Problem:
    """413: the body has more than `limit` bytes."""
    detail = f"The body is too large: at most {limit} bytes are read."
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, headers={"Connection": "close"})


def login_required() -> Problem:
    """401: there is no session, or the one that the cookie names has ended."""
    headers = {"WWW-Authenticate": 'Cookie realm="goldfleet"'}
    return Problem(HTTPStatus.UNAUTHORIZED, "Log in first.", headers=headers)


def forbidden(detail: str) -> Problem:
    """403."""
    return Problem(HTTPStatus.FORBIDDEN, detail)


def unavailable(detail: str, retry_after: int = RETRY_AFTER) -> Problem:
    """503, with the seconds after which it makes sense to try again."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(retry_after)})
