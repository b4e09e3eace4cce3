"""Small specs for tests of pure functions."""

from __future__ import annotations

from local.plane.address import Address
from local.plane.wanted import Clone, Database, Main, StoreNode, StoreUser
from local.plane.wanted_balancing import Balancing, Forward, HealthCheck, Listener, LoadBalancer, Target, TargetGroup

MAIN = Database("main", Address("127.11.1.1", 5432), "app", "it's", "goldfleet")
REPLICA = Database("main-1", Address("127.11.1.2", 5432), "app", "it's", None, Main("main", MAIN.address))
NODE = StoreNode(
    group="sessions",
    identifier="sessions-001",
    address=Address("127.11.2.1", 6379),
    primary=None,
    parameters=(("maxmemory-policy", "noeviction"), ("reserved-memory-percent", "25")),
    users=(StoreUser("app", ("first", "second"), "on ~* +@all"),),
)
CLONE = Clone("i-1", "127.10.0.5", "us-east-1a", "us-east-1", "ami-1", "t3.micro", "f" * 64, "snap-1")
CHECK = HealthCheck("/healthz", interval=5, timeout=2, healthy=2, unhealthy=2, codes="200")
GROUP = TargetGroup("arn:group", "group", CHECK, drain=15)
TARGET = Target(GROUP.arn, "i-1", Address("127.10.0.5", 8000))
BALANCING = Balancing(
    (LoadBalancer("site", (Listener(Address("127.11.3.1", 8080), "HTTP", Forward(GROUP.arn)),), 60, True),), (GROUP,)
)
