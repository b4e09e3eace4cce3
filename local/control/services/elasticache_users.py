"""ElastiCache users and user groups: groups exist, members can change, passwords can be rotated.

AWS, "Role-Based Access Control (RBAC)": names are unique in a group; Redis OSS needs a user named `default` in it;
a group in use by a replication group cannot be deleted, and a deleted user leaves its groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.elasticache.exceptions import ElastiCacheException, PasswordTooShort, UserNotFound
from moto.elasticache.models import ElastiCacheBackend, User
from moto.elasticache.responses import ElastiCacheResponse
from moto.elasticache.utils import AuthenticationTypes


@dataclass
class UserGroup:
    """A user group; `user_ids` in the order in which they were added."""

    group_id: str
    engine: str
    user_ids: list[str]
    arn: str


class Users(ElastiCacheBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.user_groups: dict[str, UserGroup] = {}

    def user_group(self, group_id: str) -> UserGroup:
        """The user group of that id, or UserGroupNotFound."""
        if group_id not in self.user_groups:
            raise ElastiCacheException("UserGroupNotFound", f"User group {group_id} not found.")
        return self.user_groups[group_id]

    def set_members(self, group_id: str, engine: str, user_ids: list[str]) -> UserGroup:
        """Makes a user group, or changes its members, if AWS would."""
        names = []
        for user_id in user_ids:
            if user_id not in self.users:
                raise UserNotFound(user_id)
            names.append(self.users[user_id].name)
        if len(set(names)) < len(names):
            raise ElastiCacheException("DuplicateUserName", "A user group cannot have two users of the same name")
        if engine == "redis" and "default" not in names:
            raise ElastiCacheException("DefaultUserRequired", "A user group of Redis OSS needs a user named default")
        arn = f"arn:aws:elasticache:{self.region_name}:{self.account_id}:usergroup:{group_id}"
        self.user_groups[group_id] = UserGroup(group_id, engine, user_ids, arn)
        return self.user_groups[group_id]

    def groups_using(self, group_id: str) -> list[str]:
        """Ids of the replication groups that use a user group."""
        groups = self.replication_groups.items()
        return [identifier for identifier, group in groups if group_id in group.user_group_ids]

    def delete_user(self, user_id: str) -> User:
        user = super().delete_user(user_id)
        for group in self.user_groups.values():
            group.user_ids = [member for member in group.user_ids if member != user_id]
        return user

    def modify_user(self, user_id: str, change: dict[str, Any]) -> User:
        """ModifyUser; `change` is the call's parameters."""
        if user_id not in self.users:
            raise UserNotFound(user_id)
        user, mode = self.users[user_id], change.get("AuthenticationMode", {})
        passwords = change.get("Passwords") or mode.get("Passwords")
        if passwords is not None:
            if any(len(password) < 16 for password in passwords):
                raise PasswordTooShort
            user.passwords, user.no_password_required = passwords, False
            user.authentication_type = AuthenticationTypes.PASSWORD.value
        if change.get("NoPasswordRequired") or mode.get("Type") == AuthenticationTypes.NOPASSWORD.value:
            user.passwords, user.no_password_required = [], True
        user.access_string = change.get("AccessString", user.access_string)
        user.access_string += change.get("AppendAccessString", "")
        return user


class UserCalls(ElastiCacheResponse):
    @property
    def users_backend(self) -> Users:
        backend = self.elasticache_backend
        assert isinstance(backend, Users)
        return backend

    def create_user_group(self) -> ActionResult:
        params, backend = self._get_params(), self.users_backend
        if params["UserGroupId"] in backend.user_groups:
            raise ElastiCacheException("UserGroupAlreadyExists", f"User group {params['UserGroupId']} already exists.")
        group = backend.set_members(params["UserGroupId"], params["Engine"].lower(), params.get("UserIds", []))
        backend.add_tags_to_resource(group.arn, params.get("Tags", []))
        return ActionResult(self._shown(group))

    def describe_user_groups(self) -> ActionResult:
        group_id, backend = self._get_param("UserGroupId"), self.users_backend
        groups = [backend.user_group(group_id)] if group_id else list(backend.user_groups.values())
        return PaginatedResult({"UserGroups": [self._shown(group) for group in groups]})

    def modify_user_group(self) -> ActionResult:
        params, backend = self._get_params(), self.users_backend
        group = backend.user_group(params["UserGroupId"])
        kept = [user for user in group.user_ids if user not in params.get("UserIdsToRemove", [])]
        changed = backend.set_members(group.group_id, group.engine, [*kept, *params.get("UserIdsToAdd", [])])
        return ActionResult(self._shown(changed))

    def delete_user_group(self) -> ActionResult:
        group = self.users_backend.user_group(self._get_param("UserGroupId"))
        if self.users_backend.groups_using(group.group_id):
            raise ElastiCacheException("InvalidUserGroupState", f"User group {group.group_id} is in use.")
        del self.users_backend.user_groups[group.group_id]
        return ActionResult({**self._shown(group), "Status": "deleting"})

    def modify_user(self) -> ActionResult:
        return ActionResult(self.users_backend.modify_user(self._get_param("UserId"), self._get_params()))

    def _shown(self, group: UserGroup) -> dict[str, Any]:
        return {
            "UserGroupId": group.group_id,
            "Status": "active",
            "Engine": group.engine,
            "UserIds": group.user_ids,
            "MinimumEngineVersion": "6.0" if group.engine == "redis" else "7.2",
            "ReplicationGroups": self.users_backend.groups_using(group.group_id),
            "ARN": group.arn,
        }
