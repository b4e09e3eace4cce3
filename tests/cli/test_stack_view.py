from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from moto import mock_aws
from rich.console import Console

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli import stack_view, summary
from goldfleet.cli.local_news import local_news
from goldfleet.cli.stack_stores import database_role
from goldfleet.cli.stack_view import LOCAL_SOURCE, Clone, Event, View, observe
from goldfleet.cli.terminal import Terminal
from goldfleet.contract.names import TAG_RELEASE, Names
from local.events import Events
from local.run_folder import RunFolder

REGION = "eu-central-1"
RELEASE = "ab" * 32


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsSession]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield AwsSession(Account("123456789012", REGION))


def make_group(session: AwsSession, names: Names, count: int) -> None:
    ec2 = session.client("ec2")
    image = ec2.register_image(Name=names.prefix)["ImageId"]
    ec2.create_tags(Resources=[image], Tags=[{"Key": TAG_RELEASE, "Value": RELEASE}])
    template = {"ImageId": image, "InstanceType": "t3.small"}
    ec2.create_launch_template(LaunchTemplateName=names.prefix, LaunchTemplateData=template)
    session.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=names.prefix,
        LaunchTemplate={"LaunchTemplateName": names.prefix, "Version": "1"},
        MinSize=1,
        MaxSize=6,
        DesiredCapacity=count,
        AvailabilityZones=[f"{REGION}a"],
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in names.tags.items()],
    )


def make_main(session: AwsSession, name: str) -> None:
    session.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="owner",
        MasterUserPassword="opens-nothing",
        AllocatedStorage=20,
    )


def test_only_what_belongs_to_the_stack_is_seen(session: AwsSession) -> None:
    ours, other = Names("goldfleet", "dev"), Names("goldfleet", "prod")
    make_group(session, other, 1)
    make_group(session, ours, 2)
    make_main(session, other.of("main"))
    make_main(session, ours.of("main"))
    view = observe(session, ours, setting=2)
    assert (view.wanted, view.min, view.max, len(view.clones)) == (2, 1, 6, 2)
    assert view.releases == (RELEASE,)
    assert [store.id for store in view.stores] == ["goldfleet-dev-main"]
    assert view.stores[0].role == "main"


def test_a_stack_that_is_not_there_is_empty(session: AwsSession) -> None:
    view = observe(session, Names("goldfleet", "dev"), setting=2)
    assert (view.clones, view.stores, view.events, view.url, view.wanted) == ((), (), (), "", 0)


def view(wanted: int, *health: str) -> View:
    clones = tuple(
        Clone(f"i-{n}", "a", "10.0.0.1", RELEASE, "InService", state, "why") for n, state in enumerate(health)
    )
    events = (Event("2026-01-01T00:00:00+00:00", "Launching a new EC2 instance", ""),)
    return View("dev", "http://site", (RELEASE,), 2, wanted, 1, 6, clones, (), events, "an alarm did it, yesterday")


def test_the_headline_tells_setting_and_truth() -> None:
    assert "clones: setting 2, running 2\n" in summary.headline(view(2, "healthy", "healthy"))
    moved = summary.headline(view(3, "healthy", "healthy", "initial"))
    assert "setting 2, running 2, wanted 3 (an alarm did it, yesterday)" in moved


def test_what_moved_the_count_is_what_changed_it_last_and_no_rollout_since() -> None:
    request = "a user request explicitly set group desired capacity changing the desired capacity from 2 to 4"
    scaled = f"At 2026-01-01T00:00:00Z {request}.  At 2026-01-01T00:00:01Z an instance was started in response to it."
    rolled = "At 2026-01-02T00:00:00Z an instance was taken out of service in response to an instance refresh."
    activities = [Event("2026-01-01", "Launching", scaled), Event("2026-01-02", "Terminating", rolled)]
    assert stack_view.last_move(activities) == f"{request}, 2026-01-01"
    assert stack_view.last_move(activities[1:]) == ""


def test_news_stand_among_the_activities_newest_last() -> None:
    news = [Event(f"2026-01-0{day}T00:00:00+00:00", f"day {day}", "exited", LOCAL_SOURCE) for day in range(2, 10)]
    seen = view(3).with_news(reversed(news[:3]))
    assert [event.text for event in seen.events] == ["Launching a new EC2 instance", "day 2", "day 3", "day 4"]
    assert [event.text for event in view(3).with_news(news).events] == [f"day {day}" for day in range(2, 10)]


def test_local_news_are_what_nobody_asked_for(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert local_news(folder) == ()
    for kind in ("started", "exited", "restarted", "stopped"):
        Events(folder.events).record(kind, "rds-main", f"rds-main was {kind}")
    assert [event.text for event in local_news(folder)] == ["rds-main was exited", "rds-main was restarted"]
    assert {event.source for event in local_news(folder)} == {LOCAL_SOURCE}


def test_a_pipe_gets_whole_lines_without_colours() -> None:
    out = StringIO()
    summary.show(view(2, "healthy", "unhealthy"), Terminal(Console(file=out, highlight=False, soft_wrap=True)))
    assert "\x1b" not in out.getvalue()
    assert any("i-1" in line and "unhealthy: why" in line for line in out.getvalue().splitlines())


def test_a_main_that_no_clone_writes_to_is_unused() -> None:
    endpoint = {"Endpoint": {"Address": "a.example", "Port": 5433}}
    assert database_role(endpoint, None) == "main"
    assert database_role(endpoint, {"a.example:5433"}) == "main"
    assert database_role(endpoint, {"b.example:5433"}) == "unused"
    assert database_role({**endpoint, "ReadReplicaSourceDBInstanceIdentifier": "b"}, set()) == "replica"
