"""What all parts of the response class in `autoscaling` share: the groups of the caller's account and region."""

from __future__ import annotations

from moto.autoscaling.responses import AutoScalingResponse

from local.control.services.autoscaling_backend import Groups


class GroupCalls(AutoScalingResponse):
    @property
    def autoscaling_backend(self) -> Groups:
        backend = super().autoscaling_backend
        assert isinstance(backend, Groups)
        return backend
