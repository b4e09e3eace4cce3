"""EC2: the parts of this folder in one backend."""

from __future__ import annotations

from moto.ec2 import urls
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response

from local.control.extend import use_backend, use_response
from local.control.services import ec2_group_rules, ec2_instances, ec2_launch_templates
from local.control.services.ec2_endpoints import Endpoints
from local.control.services.ec2_group_rules import GroupRules
from local.control.services.ec2_images import ImageCalls, Images
from local.control.services.ec2_instances import InstanceCalls, Instances
from local.control.services.ec2_launch_templates import LaunchTemplateCalls, LaunchTemplates
from local.control.services.ec2_network import Network


class Ec2(Images, LaunchTemplates, Instances, Network, GroupRules, Endpoints):
    """The backend with all of them."""


class Ec2Calls(ImageCalls, LaunchTemplateCalls, InstanceCalls):
    """The calls with all of them."""


def install() -> None:
    """Puts the parts in moto's place."""
    ec2_launch_templates.install()
    ec2_instances.install()
    ec2_group_rules.install()
    use_backend(ec2_backends, Ec2)
    use_response(urls, EC2Response, Ec2Calls)
