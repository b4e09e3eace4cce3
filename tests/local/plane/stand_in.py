"""A release small enough to read: an app that says which clone answers, and a stack of AWS resources to run it."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.stores import Endpoint
from image.app_layer import iso
from image.registry.registration import parameters
from image.registry.snapshots import Snapshots
from image.registry.volume import app_volume, empty_volume
from tests.local.plane.cloud import Cloud, wait_for

APP = """
import os, signal, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SICK = os.path.dirname(os.environ["GOLDFLEET_SECRETS_DIR"]) + "/sick"

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.rpartition("/")[2]))
        status = 500 if self.path == "/healthz" and os.path.exists(SICK) else 200
        body = str(self.headers) if self.path == "/headers" else os.environ["GOLDFLEET_INSTANCE_ID"]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass

class Server(ThreadingHTTPServer):
    daemon_threads = False

server = Server((os.environ["GOLDFLEET_HOST"], int(os.environ["GOLDFLEET_PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("serving", flush=True)
server.serve_forever()
server.server_close()
"""
MIGRATE = "print('nothing to migrate', flush=True)\n"
BROKEN = "raise SystemExit('this release cannot start')\n"


def app_layer(folder: Path, app: str = APP) -> tuple[str, Path]:
    """Builds a layer; returns its digest and its file system."""
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    release = hashlib.sha256(app.encode()).hexdigest()
    texts = {
        "app/__init__.py": "",
        "app/__main__.py": app,
        "app/migrate.py": MIGRATE,
        "manifest.json": json.dumps({"release": release, "runtime": runtime, "platform": sys.platform}),
    }
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts["contents.sha256"] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    files = {}
    for name, text in texts.items():
        files[name] = folder / release / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text)
    target = folder / f"{release}.iso"
    iso.write(files, target)
    return release, target


def register(cloud: Cloud, folder: Path, app: str = APP) -> str:
    """Registers a stand-in release; returns the image's id."""
    release, file_system = app_layer(folder, app)
    snapshots = Snapshots(cloud.client("ec2"), cloud.client("ebs"), "standin", lambda _: None)
    root, volume = (
        snapshots.ensure("no-os", empty_volume()),
        snapshots.ensure(release, app_volume(release, file_system)),
    )
    return str(cloud.client("ec2").register_image(**parameters("standin", release, root, volume))["ImageId"])


@dataclass
class Fleet:
    """A load balancer, a target group and an Auto Scaling group of stand-in clones."""

    cloud: Cloud
    name: str
    image: str
    desired: int = 2
    grace: int = 30
    port: int = 8080
    url: str = ""
    target_group: str = ""
    subnets: list[str] = field(default_factory=list)

    def create(self) -> None:
        ec2, elbv2, asg = self.cloud.client("ec2"), self.cloud.client("elbv2"), self.cloud.client("autoscaling")
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
                "SubnetId"
            ]
            for n, zone in enumerate("ab")
        ]
        balancer = elbv2.create_load_balancer(Name=self.name, Subnets=self.subnets, Type="application")[
            "LoadBalancers"
        ][0]
        self.target_group = elbv2.create_target_group(
            Name=self.name, Protocol="HTTP", Port=8000, VpcId=vpc, HealthCheckPath="/healthz",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        elbv2.modify_target_group_attributes(
            TargetGroupArn=self.target_group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "15"}],
        )
        elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=self.port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.target_group}],
        )  # fmt: skip
        self.url = f"http://{balancer['DNSName']}:{self.port}"
        ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=self._template())
        asg.create_auto_scaling_group(
            AutoScalingGroupName=self.name, MinSize=0, MaxSize=6, DesiredCapacity=self.desired,
            LaunchTemplate={"LaunchTemplateName": self.name, "Version": "1"},
            VPCZoneIdentifier=",".join(self.subnets), TargetGroupARNs=[self.target_group],
            HealthCheckType="ELB", HealthCheckGracePeriod=self.grace,
        )  # fmt: skip

    def scale(self, count: int) -> None:
        self.cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=count)

    def healthy(self) -> list[str]:
        """Ids of the targets that AWS calls healthy."""
        health = self.cloud.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        return [
            one["Target"]["Id"]
            for one in health["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] == "healthy"
        ]

    def wait_healthy(self, count: int, seconds: float = 60) -> list[str]:
        wait_for(lambda: len(self.healthy()) == count, seconds)
        return self.healthy()

    def _template(self) -> dict[str, Any]:
        return {
            "ImageId": self.image,
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Name": self._profile()},
            "UserData": base64.b64encode(self._user_data().encode()).decode(),
        }

    def _profile(self) -> str:
        iam = self.cloud.client("iam")
        iam.create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
        )
        iam.create_instance_profile(InstanceProfileName=self.name)
        iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=self.name)
        return self.name

    def _user_data(self) -> str:
        secret = f"{self.name}/any"
        login = json.dumps({"username": "any", "password": "any"})
        self.cloud.client("secretsmanager").create_secret(Name=secret, SecretString=login)
        self.cloud.client("ssm").put_parameter(Name=f"/{self.name}/replicas", Type="String", Value="[]")
        self.cloud.client("logs").create_log_group(logGroupName=f"/{self.name}/app")
        nowhere = Endpoint("127.0.0.1", 1)
        store = Store(nowhere, secret)
        return UserData(
            project="standin", stack="test", region="us-east-1", public_url=self.url, log_group=f"/{self.name}/app",
            shards=(Shard(nowhere, "none", secret, secret, f"/{self.name}/replicas"),), sessions=store, cache=store,
            aws_endpoint=self.cloud.endpoint,
        ).to_text()  # fmt: skip
