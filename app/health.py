"""`/healthz`: this process lives; it asks nobody. `/readyz`: every store, one by one."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from goldfleet.contract import service


async def healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """200 when every store is `ok`, else 503; the body says which is not."""
    stores = await request.state.visit.state.ready()
    ready = all(said == "ok" for said in stores.values())
    return JSONResponse(dict(stores), HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


ROUTES = [Route(service.HEALTH_PATH, healthz), Route(service.READY_PATH, readyz)]
