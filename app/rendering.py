"""Templates to pages. Everything that goes into a page is escaped unless it is markup of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from app.facts import Facts
from goldfleet.state.sessions import Session

FOLDER = Path(__file__).parent


def page(
    facts: Facts, session: Session | None, template: str, status: int = HTTPStatus.OK, **context: Any
) -> HTMLResponse:
    """A page with the frame that all pages share.

    Args:
        facts: about this answer; the footer shows them.
        session: whose name stands in the header and whose token guards the forms.
        template: file name in `app/templates`.
        status: HTTP status code.
        context: what the template needs.
    """

    def csrf_field() -> Markup:
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(
            session.csrf_token if session else ""
        )

    html = _templates.get_template(template).render(
        facts=facts,
        user_name=session.fields.get("name") if session else None,
        csrf_field=csrf_field,
        **context,
    )
    return HTMLResponse(html, status)


def user_path(name: str) -> str:
    """Where the page of a user is."""
    return f"/users/{quote(name, safe='')}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.filters |= {"moment": _moment, "user_path": user_path}
