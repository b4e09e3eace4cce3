"""`/healthz`: this process lives and has what it needs of its machine. `/readyz`: every store, one by one.

The balancer asks `/healthz`, and what fails it is replaced. So it asks no store: a store that is down is down for every
clone, and a new clone would not help.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import vitals
from goldfleet.contract import service


async def healthz(request: Request) -> Response:
    """200, or 503 and one line for each thing that this process lacks and a new machine would have."""
    lacks = vitals.lacks(request.state.memory_folder)
    if lacks:
        return PlainTextResponse("\n".join(lacks) + "\n", HTTPStatus.SERVICE_UNAVAILABLE)
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """200 when every store is `ok`, else 503; the body says which is not."""
    stores = await request.state.visit.state.ready()
    ready = all(said == "ok" for said in stores.values())
    return JSONResponse(dict(stores), HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


ROUTES = [Route(service.HEALTH_PATH, healthz), Route(service.READY_PATH, readyz)]
