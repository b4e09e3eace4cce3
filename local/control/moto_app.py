"""moto as one WSGI application: only the services that are called are loaded, with this package's extensions."""

from __future__ import annotations

from functools import cache

from moto.backends import get_backend
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.control.services import autoscaling, budgets, ebs, ec2, elasticache, elbv2, iam, logs, rds, s3

_EXTENSIONS = (autoscaling, budgets, ebs, ec2, elasticache, elbv2, iam, logs, rds, s3)

# What nearly every run calls: made ready before the control plane says that it is.
_READY_AT_START = ("ec2", "sts", "iam")

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
    for service in _READY_AT_START:
        get_backend(service)  # type: ignore[call-overload]
    return MotoApp()


def settle() -> bool:
    """Does what is due in target groups and Auto Scaling groups; True if that changed anything.

    Called with the cloud's lock held.
    """
    changed = False
    for _ in range(_MOST_STEPS):
        drained = elbv2.settle()
        if not (autoscaling.settle() or drained):
            break
        changed = True
    return changed
