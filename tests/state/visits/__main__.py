"""A clone: lines of visits come in, lines of what was seen go out. Its argument says where the store is."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop

from goldfleet.contract.environment import StoreAccess
from tests.state.visits.clone import Asked
from tests.state.visits.sites import Sites


async def main() -> None:
    sites = Sites(msgspec.json.decode(sys.argv[1], type=StoreAccess))
    decoder = msgspec.json.Decoder(Asked)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        site, visits = decoder.decode(line)
        seen = await asyncio.gather(*(sites.visit(site, visit) for visit in visits))
        sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")
        sys.stdout.buffer.flush()


uvloop.run(main())
