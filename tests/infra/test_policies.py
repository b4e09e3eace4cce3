"""Policy documents, as the services read them."""

from __future__ import annotations

from infra import policies

ACCOUNT, REGION = "111111111111", "eu-central-1"


def test_a_role_serves_one_service_of_one_account() -> None:
    [statement] = policies.assume_role("vpc-flow-logs.amazonaws.com", ACCOUNT)["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_log_groups_of_this_account_only_use_the_data_key() -> None:
    owner, logs = policies.data_key(ACCOUNT, REGION)["Statement"]
    assert owner["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    [pattern] = logs["Condition"]["ArnLike"].values()
    assert pattern == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"


def test_who_publishes_to_the_topic_may_use_its_key() -> None:
    [publish] = policies.topic("arn:topic", ACCOUNT)["Statement"]
    _, use = policies.topic_key(ACCOUNT)["Statement"]
    assert publish["Principal"] == use["Principal"]
    assert publish["Resource"] == "arn:topic"
    assert {"cloudwatch.amazonaws.com", "budgets.amazonaws.com", "events.rds.amazonaws.com"} == set(
        publish["Principal"]["Service"]
    )


def test_the_balancer_delivers_under_its_accounts_prefix() -> None:
    deliver, deny = policies.access_log_bucket("arn:bucket", ACCOUNT)["Statement"]
    assert deliver["Resource"] == f"arn:bucket/AWSLogs/{ACCOUNT}/*"
    assert deny["Resource"] == ["arn:bucket", "arn:bucket/*"]


def test_a_clone_decrypts_through_secrets_manager_only() -> None:
    document = policies.clone(
        secret_arns=["b", "a"], parameter_arns=["p"], log_group_arn="arn:log", key_arn="arn:key", region=REGION
    )
    by_action = {str(statement["Action"]): statement for statement in document["Statement"]}
    assert by_action["kms:Decrypt"]["Resource"] == "arn:key"
    assert by_action["kms:Decrypt"]["Condition"] == {
        "StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
    }
    assert by_action["secretsmanager:GetSecretValue"]["Resource"] == ["a", "b"]
