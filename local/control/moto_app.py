"""moto as one WSGI application: only the services that are called are loaded, with this package's extensions."""

from __future__ import annotations

import gc
from functools import cache

from moto.core import responses
from moto.core.routing import get_service_router
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.control.services import (
    autoscaling,
    autoscaling_policies,
    budgets,
    cloudwatch,
    cloudwatch_alarms,
    ebs,
    ec2,
    elasticache,
    elasticache_failover,
    elbv2,
    iam,
    logs,
    rds,
    rds_failover,
    s3,
)

_EXTENSIONS = (autoscaling, autoscaling_policies, budgets, cloudwatch, ebs, ec2, elasticache, elbv2, iam, logs, rds, s3)

# What a run of the program calls, in its order: SDK models of these are read before they are needed.
_SERVICES = (
    *("sts", "ec2", "iam", "kms", "s3", "logs", "secretsmanager", "rds", "elasticache", "elbv2", "autoscaling", "ssm"),
    *("cloudwatch", "sns", "acm", "route53", "budgets", "ebs"),
)

# Steps that groups make at once when nothing holds them up.
_MOST_STEPS = 50


class MotoApp(DomainDispatcherApplication):
    """moto's dispatcher, which remembers which service a host name means."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = cache(super().get_backend_for_host)  # type: ignore[method-assign]


def load_moto() -> MotoApp:
    """moto with this package's extensions, as a WSGI application."""
    # moto lists the methods of a response class anew for each request, which is half the time of an EC2 call.
    setattr(responses, method_names_from_class.__name__, cache(method_names_from_class))
    for extension in _EXTENSIONS:
        extension.install()
    return MotoApp()


def warm_up() -> None:
    """Reads what the first call of each service would have to wait for, and keeps it out of garbage collection."""
    for service in _SERVICES:
        get_service_router(service)
    gc.collect()
    gc.freeze()


def settle() -> bool:
    """Does what is due in target groups, Auto Scaling groups and failovers; True if that changed anything.

    Called with the cloud's lock held.
    """
    changed = any([elasticache_failover.settle(), rds_failover.settle(), cloudwatch_alarms.settle()])  # all of them
    for _ in range(_MOST_STEPS):
        drained = elbv2.settle()
        if not (autoscaling.settle() or drained):
            break
        changed = True
    return changed
