"""What the program would make, recorded on Pulumi's mocks: types, names, inputs; a call that nobody prepared raises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.stack import Stack

from infra.settings import Settings
from infra.stack import program

PROJECT = "goldfleet"

COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "goldfleet:index:GoldenImage": {
        "imageId": "ami-1",
        "imageRelease": "ab" * 32,
        "rootDevice": "/dev/xvda",
        "appDevice": "/dev/sdf",
    },
    "goldfleet:index:Capacity": {"running": 2},
    "goldfleet:index:Rollout": {"refreshId": "refresh-1"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 7},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"prefixListId": "pl-1"},
    "aws:lb/loadBalancer:LoadBalancer": {"dnsName": "balancer.example", "zoneId": "Z1", "arnSuffix": "app/b/1"},
    "aws:lb/targetGroup:TargetGroup": {"arnSuffix": "targetgroup/t/1"},
    "aws:elasticache/replicationGroup:ReplicationGroup": {"primaryEndpointAddress": "store.example"},
    "aws:rds/instance:Instance": {"address": "server.example"},
    "aws:kms/key:Key": {"keyId": "key-1"},
    "aws:acm/certificate:Certificate": {
        "domainValidationOptions": [
            {
                "domainName": "www.example.com",
                "resourceRecordName": "_proof.www.example.com",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm",
            }
        ]
    },
    "aws:route53/record:Record": {"fqdn": "_proof.www.example.com"},
    "random:index/randomPassword:RandomPassword": {"result": "generated"},
    "random:index/randomId:RandomId": {"hex": "0a0b0c0d"},
}
"""What a provider would answer beside the inputs, an ARN and a name."""


@dataclass(frozen=True)
class Recorded:
    """One resource.

    Args:
        type, name: its token and its logical name.
        inputs: as the provider would get them.
        provider: the provider that gets them.
        protected: whether Pulumi refuses to delete it.
        ignored: inputs whose changes it ignores.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    provider: str
    protected: bool
    ignored: tuple[str, ...]


@dataclass
class Resources:
    """All resources of a program, and its outputs."""

    all: list[Recorded] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.all)

    def of(self, type_: str) -> list[Recorded]:
        """Resources of a type, given by its last part, such as `Vpc`, or by the whole token."""
        return [made for made in self.all if type_ in (made.type, made.type.rpartition(":")[2])]

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """The only resource of the type, or the one of that name."""
        found = [made for made in self.of(type_) if name in (None, made.name)]
        assert len(found) == 1, f"{len(found)} of {type_} {name}: {[made.name for made in self.of(type_)]}"
        return found[0]


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""Pulumi's mark of a secret value."""


def revealed(value: Any) -> Any:
    """What a secret hides.

    Raises:
        AssertionError: it is no secret.
    """
    assert SECRET.items() <= value.items(), "not marked as a secret"
    return value["value"]


class _Recorder(mocks.Mocks):
    """Answers as providers would."""

    def __init__(self) -> None:
        self.inputs: dict[tuple[str, str], Mapping[str, Any]] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.inputs[args.typ, args.name] = args.inputs
        arn = {"arn": f"arn:aws:mock:::{args.name}"} if args.typ.startswith("aws:") else {}
        name = {"name": args.name} if "name" not in args.inputs else {}
        return f"{args.name}-id", {**arn, **name, **args.inputs, **COMPUTED.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"the program calls {args.token}, which nobody prepared")


class _Monitor(mocks.MockMonitor):
    """Keeps what a resource's options ask for, which mocks are not told."""

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__(recorder)
        self.recorder = recorder
        self.made: list[Recorded] = []

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.custom:
            inputs = self.recorder.inputs[request.type, request.name]
            options = (request.provider, request.protect, tuple(request.ignoreChanges))
            self.made.append(Recorded(request.type, request.name, inputs, *options))
        return answer


def recorded(settings: Settings) -> Resources:
    """Runs the program on mocks and returns what it made."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    monitor = _Monitor(_Recorder())
    runtime_settings.reset_options()
    mocks.set_mocks(monitor.recorder, project=PROJECT, stack=settings.stack, preview=False, monitor=monitor)
    outputs: dict[str, Any] = {}

    def run() -> pulumi.Output[None]:
        program(settings, PROJECT, settings.stack)
        stack = cast(Stack, pulumi.runtime.get_root_resource())
        return pulumi.Output.all(**stack.outputs).apply(outputs.update)

    pulumi.runtime.test(run)()  # type: ignore[no-untyped-call]
    return Resources(monitor.made, outputs)
