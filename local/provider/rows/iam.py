"""Roles, their policies, instance profiles."""

from __future__ import annotations

from local.provider.row import Call, Find, Item, Name, Row, Step, Tags
from local.provider.tagging import pairs


def _tags(kind: str, member: str) -> Tags:
    return Tags(
        add=f"tag_{kind}",
        remove=f"untag_{kind}",
        whose=lambda it: {member: it.id},
        at_create=lambda tags: {"Tags": pairs(tags)},
    )


def _boundary(it: Item) -> None:
    if it.new.get("permissionsBoundary"):
        boundary = it.new["permissionsBoundary"]
        it.aws.call("iam", "put_role_permissions_boundary", RoleName=it.id, PermissionsBoundary=boundary)
    else:
        it.aws.call("iam", "delete_role_permissions_boundary", RoleName=it.id)


ROLE = Row(
    kind="aws:iam/role:Role",
    service="iam",
    create=Call("create_role"),
    id="Role.RoleName",
    find=Find("get_role", lambda it: {"RoleName": it.id}, "Role"),
    updates=(
        Call(
            "update_assume_role_policy",
            lambda it: {"RoleName": it.id, "PolicyDocument": it["assumeRolePolicy"]},
            takes=("assumeRolePolicy",),
        ),
        Call("update_role", lambda it: {"RoleName": it.id}, takes=("description", "maxSessionDuration")),
        Step(("permissionsBoundary",), _boundary),
    ),
    writes={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
    reads={"permissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn", "uniqueId": "RoleId"},
    json=frozenset({"assumeRolePolicy"}),
    own=frozenset({"forceDetachPolicies"}),
    unset={"description": "", "maxSessionDuration": 3600},
    name=Name(length=64),
    tags=_tags("role", "RoleName"),
    delete=Call("delete_role", lambda it: {"RoleName": it.id}),
)


def _policy_of(it: Item) -> dict[str, str]:
    role, _, policy = it.id.partition(":")
    return {"RoleName": role, "PolicyName": policy}


ROLE_POLICY = Row(
    kind="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    create=Call("put_role_policy"),
    id=lambda it: f"{it['role']}:{it['name']}",
    find=Find("get_role_policy", _policy_of),
    updates=(Call("put_role_policy", _policy_of, takes=("policy",)),),
    writes={"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"},
    json=frozenset({"policy"}),
    name=Name(length=128),
    delete=Call("delete_role_policy", _policy_of),
)


def _attachment_of(it: Item) -> dict[str, str]:
    role, _, policy = it.id.partition("/")
    return {"RoleName": role, "PolicyArn": policy}


ROLE_POLICY_ATTACHMENT = Row(
    kind="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    create=Call("attach_role_policy"),
    id=lambda it: f"{it['role']}/{it['policyArn']}",
    find=Find(
        "list_attached_role_policies",
        lambda it: {"RoleName": _attachment_of(it)["RoleName"]},
        lambda it: f"AttachedPolicies[?PolicyArn=='{_attachment_of(it)['PolicyArn']}'] | [0]",
    ),
    writes={"role": "RoleName"},
    reads={"role": lambda _found, it: _attachment_of(it)["RoleName"]},
    delete=Call("detach_role_policy", _attachment_of),
)


def _set_role(it: Item) -> None:
    if it.old.get("role"):
        it.aws.call("iam", "remove_role_from_instance_profile", InstanceProfileName=it.id, RoleName=it.old["role"])
    if it.new.get("role"):
        it.aws.call("iam", "add_role_to_instance_profile", InstanceProfileName=it.id, RoleName=it.new["role"])


def _delete_profile(it: Item) -> None:
    found = it.aws.call("iam", "get_instance_profile", InstanceProfileName=it.id)["InstanceProfile"]
    for role in found["Roles"]:
        name = role["RoleName"]
        it.aws.call("iam", "remove_role_from_instance_profile", InstanceProfileName=it.id, RoleName=name)
    it.aws.call("iam", "delete_instance_profile", InstanceProfileName=it.id)


INSTANCE_PROFILE = Row(
    kind="aws:iam/instanceProfile:InstanceProfile",
    service="iam",
    create=Call("create_instance_profile"),
    id="InstanceProfile.InstanceProfileName",
    find=Find("get_instance_profile", lambda it: {"InstanceProfileName": it.id}, "InstanceProfile"),
    updates=(Step(("role",), _set_role),),
    writes={"name": "InstanceProfileName"},
    reads={"role": "Roles[0].RoleName", "uniqueId": "InstanceProfileId"},
    name=Name(length=128),
    tags=_tags("instance_profile", "InstanceProfileName"),
    delete=Step((), _delete_profile),
)

ROWS = (ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, INSTANCE_PROFILE)
