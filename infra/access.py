"""Who may reach a server: whoever holds its client group, on one port, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names


@dataclass(frozen=True)
class AccessArgs:
    """A server's door.

    Args:
        names: names of the stack.
        vpc_id: where both groups live.
        label: what the server is, for names and descriptions.
        port: the TCP port that it listens on.
    """

    names: Names
    vpc_id: pulumi.Input[str]
    label: str
    port: int


class Access(pulumi.ComponentResource):
    """Two security groups that name each other: `client_group_id` reaches `server_group_id`."""

    client_group_id: pulumi.Output[str]
    server_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Access", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.client_group_id = self._group("client", f"Clients of {args.label}").id
        self.server_group_id = self._group("server", f"Servers of {args.label}").id
        self._rules()
        self.register_outputs({"client_group_id": self.client_group_id, "server_group_id": self.server_group_id})

    def _group(self, side: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{self._name}-{side}",
            name=self._args.names.of(self._args.label, side),
            description=description,
            vpc_id=self._args.vpc_id,
            tags={"Name": self._args.names.of(self._args.label, side)},
            opts=self._child,
        )

    def _rules(self) -> None:
        port, label = self._args.port, self._args.label
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-client-egress",
            security_group_id=self.client_group_id,
            referenced_security_group_id=self.server_group_id,
            description=f"To servers of {label}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-server-ingress",
            security_group_id=self.server_group_id,
            referenced_security_group_id=self.client_group_id,
            description=f"From clients of {label}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child,
        )
