"""Buckets and what is set on them, each a resource of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.provider.casing import to_aws
from local.provider.row import Call, Find, Item, Make, Name, Row, Step, Tags
from local.provider.tagging import pairs

FIRST_REGION = "us-east-1"


def _bucket(it: Item) -> dict[str, str]:
    return {"Bucket": it.id}


def _create(it: Item) -> str:
    place = {"CreateBucketConfiguration": {"LocationConstraint": it.aws.region}}
    it.aws.call("s3", "create_bucket", Bucket=it.new["bucket"], **(place if it.aws.region != FIRST_REGION else {}))
    return str(it.new["bucket"])


def _tag(it: Item) -> None:
    it.aws.call("s3", "put_bucket_tagging", Bucket=it.id, Tagging={"TagSet": pairs(it.new.get("tags") or {})})


def _delete(it: Item) -> None:
    if it["forceDestroy"]:
        pages = it.aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=it.id)
        for page in pages:
            for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                version = entry["VersionId"]
                it.aws.call("s3", "delete_object", Bucket=it.id, Key=entry["Key"], VersionId=version)
    it.aws.call("s3", "delete_bucket", Bucket=it.id)


BUCKET = Row(
    kind="aws:s3/bucket:Bucket",
    service="s3",
    create=Make(("bucket",), _create),
    find=Find("head_bucket", _bucket),
    more=(Find("get_bucket_tagging", _bucket, "TagSet", "TagSet"),),
    reads={
        "arn": lambda _found, it: f"arn:aws:s3:::{it.id}",
        "bucket": lambda _found, it: it.id,
        "bucketDomainName": lambda _found, it: f"{it.id}.s3.amazonaws.com",
    },
    own=frozenset({"forceDestroy"}),
    name=Name(prop="bucket"),
    tags=Tags(replace=_tag, path="TagSet"),
    delete=Step((), _delete),
)


@dataclass(frozen=True)
class _Setting:
    """One thing that is set on a bucket: `put` replaces it as a whole, `delete` removes it.

    `value` is what `parameter` of `put` gets; the type is named after `kind`.
    """

    kind: str
    put: str
    parameter: str
    props: tuple[str, ...]
    value: Callable[[Item], Any]

    def row(self, find: Find, delete: str, **differs: Any) -> Row:
        """The row; `differs` are further fields of it."""
        reads = {"bucket": lambda _found, it: it.id, **differs.pop("reads", {})}
        return Row(
            kind=f"aws:s3/{self.kind[0].lower()}{self.kind[1:]}:{self.kind}",
            service="s3",
            create=Make(("bucket", *self.props), self._create),
            find=find,
            updates=(Step(self.props, self._put),),
            reads=reads,
            delete=Call(delete, _bucket) if delete else None,
            **differs,
        )

    def _create(self, it: Item) -> str:
        self._put(it)
        return str(it["bucket"])

    def _put(self, it: Item) -> None:
        shape = it.aws.input_shape("s3", self.put).members[self.parameter]
        value = to_aws(self.value(it), shape, self.props[0])
        it.aws.call("s3", self.put, Bucket=it["bucket"], **{self.parameter: value})


POLICY = _Setting("BucketPolicy", "put_bucket_policy", "Policy", ("policy",), lambda it: it.new["policy"]).row(
    Find("get_bucket_policy", _bucket), "delete_bucket_policy", json=frozenset({"policy"})
)

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

PUBLIC_ACCESS_BLOCK = _Setting(
    "BucketPublicAccessBlock",
    "put_public_access_block",
    "PublicAccessBlockConfiguration",
    _BLOCKS,
    lambda it: {name: it.new[name] for name in _BLOCKS if name in it.new},
).row(Find("get_public_access_block", _bucket, "PublicAccessBlockConfiguration"), "delete_public_access_block")

OWNERSHIP_CONTROLS = _Setting(
    "BucketOwnershipControls",
    "put_bucket_ownership_controls",
    "OwnershipControls",
    ("rule",),
    lambda it: {"rules": [it.new["rule"]]},
).row(
    Find("get_bucket_ownership_controls", _bucket, "OwnershipControls"),
    "delete_bucket_ownership_controls",
    reads={"rule": "Rules[0]"},
)

ENCRYPTION = _Setting(
    "BucketServerSideEncryptionConfiguration",
    "put_bucket_encryption",
    "ServerSideEncryptionConfiguration",
    ("rules",),
    lambda it: {"rules": it.new["rules"]},
).row(Find("get_bucket_encryption", _bucket, "ServerSideEncryptionConfiguration"), "delete_bucket_encryption")

VERSIONING = _Setting(
    "BucketVersioning",
    "put_bucket_versioning",
    "VersioningConfiguration",
    ("versioningConfiguration",),
    lambda it: it.new["versioningConfiguration"],
).row(Find("get_bucket_versioning", _bucket), "", reads={"versioningConfiguration": "{Status: Status}"})

LIFECYCLE = _Setting(
    "BucketLifecycleConfiguration",
    "put_bucket_lifecycle_configuration",
    "LifecycleConfiguration",
    ("rules",),
    lambda it: {"rules": it.new["rules"]},
).row(Find("get_bucket_lifecycle_configuration", _bucket), "delete_bucket_lifecycle")

ROWS = (BUCKET, POLICY, PUBLIC_ACCESS_BLOCK, OWNERSHIP_CONTROLS, ENCRYPTION, VERSIONING, LIFECYCLE)
