"""Requests that another site makes in a person's name are refused.

Two checks that fail apart: where the browser says the request comes from, and a token that only our own pages know.
Sources: OWASP, "Cross-Site Request Forgery Prevention Cheat Sheet"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from app.problems import forbidden
from goldfleet.state.sessions import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_other_sites(method: str, headers: Mapping[str, str]) -> None:
    """Refuses what a browser says was started by another site.

    A program that is no browser sends neither header; it has no cookie that somebody else could make it send.

    Raises:
        Problem: 403.
    """
    if method in SAFE_METHODS:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign:
        raise forbidden("This request was started by another site.")


def refuse_wrong_token(session: Session, token: str | None) -> None:
    """Refuses a write without the session's own token.

    Raises:
        Problem: 403.
    """
    if not session.csrf_matches(token):
        raise forbidden("The token of this session is missing or another one. Please load the page again.")
