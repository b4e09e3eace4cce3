"""Every timeout that two rooms must agree on, in seconds.

request < drain < stop, and keep-alive > balancer idle: a clone that leaves gets no new requests, has time to finish
what it has, and only then is stopped; and never does a clone close a kept connection that the balancer still trusts
(random 502s). Sources: AWS, "Edit target group attributes for your Application Load Balancer" and "Application Load
Balancer attributes".
"""

from __future__ import annotations

STORE_CONNECT = 1.0
STORE_REPLY = 1.0
STATEMENT = 5.0
REQUEST = 10

BALANCER_IDLE = 60
KEEP_ALIVE = 75

DRAIN = 15
"""Deregistration delay of the target group."""
STOP = 20
"""From the stop signal until the process is killed."""

HEALTH_INTERVAL = 5
HEALTH_TIMEOUT = 2
HEALTHY_THRESHOLD = 2
UNHEALTHY_THRESHOLD = 2
HEALTH_GRACE = 180
"""From launch until a failing health check counts: time to boot and to migrate, for an emulated machine too."""
WARM_UP = 60
"""From launch until a clone's load counts for scaling."""

MIGRATION = 300
MIGRATION_WAIT = 120
"""For the database, and for another clone that migrates; it ends first, so that its reason is told."""
METADATA = 2.0
REPLICA_LIST_REFRESH = 10
SESSION_ALIAS = 10
