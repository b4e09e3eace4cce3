"""Form posts, read strictly: what a browser would not send is refused instead of guessed at."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.problems import invalid, malformed, wrong_content_type

CONTENT_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 20


async def read(request: Request, *names: str) -> Mapping[str, str]:
    """The fields of a form, each of `names` exactly once; others are passed over.

    Raises:
        Problem: 415, another content type; 400, not a form in UTF-8; 422, a field is missing or there twice.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != CONTENT_TYPE:
        raise wrong_content_type(CONTENT_TYPE)
    fields = parse(await request.body())
    for name in names:
        if len(fields.get(name, ())) != 1:
            raise invalid(name, f"The field {name} is needed, once.")
    return {name: fields[name][0] for name in names}


def parse(body: bytes) -> Mapping[str, list[str]]:
    """All fields of an urlencoded body, by name.

    Raises:
        Problem: 400.
    """
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise malformed("The body is not a form in UTF-8.") from error
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def local_target(target: str) -> str:
    """`target` if it is a path on this site, else `/`: a link to us never leads on to somebody else."""
    local = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if local else "/"
