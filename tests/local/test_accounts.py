"""Who servers run as: an ordinary person's as that person, root's as nobody who matters."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from local import accounts
from local.accounts import MYSELF, Account, unprivileged

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def who(account: Account) -> tuple[int, int]:
    """User id and effective capabilities of a process of the account."""
    command = (*account.prefix, "sh", "-c", "id -u; grep CapEff /proc/self/status")
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd="/", user=account.uid, group=account.gid,
        extra_groups=None if account.uid is None else [],
    )  # fmt: skip
    uid, capabilities = done.stdout.splitlines()
    return int(uid), int(capabilities.split()[1], 16)


@as_root
def test_an_account_that_reaches_everything_is_taken(tmp_path: Path) -> None:
    found = unprivileged([Path("/bin/sh")])
    assert found.uid
    assert who(found) == (found.uid, 0)


@as_root
def test_below_a_closed_folder_it_is_a_user_namespace(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "file"
    inside.write_text("x")
    found = unprivileged([inside])
    assert found.uid is None
    uid, capabilities = who(found)
    assert uid != 0
    assert capabilities == 0
    assert subprocess.run((*found.prefix, "cat", str(inside)), capture_output=True, check=True).stdout == b"x"


@as_root
def test_where_neither_is_possible_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(accounts, "_namespaces_work", lambda: False)
    with pytest.raises(Exception, match=r"no other account can read .*closed.*; run as an ordinary account"):
        unprivileged([closed])


@as_root
def test_what_it_makes_is_the_accounts_own(tmp_path: Path) -> None:
    account = unprivileged([Path("/bin/sh")])
    account.make_folder(tmp_path / "folder")
    account.write(tmp_path / "folder" / "file", "secret")
    for path, mode in ((tmp_path / "folder", 0o700), (tmp_path / "folder" / "file", 0o600)):
        assert path.stat().st_uid == account.uid
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() == 0, reason="root has to become somebody else")
def test_an_ordinary_person_stays_who_they_are(tmp_path: Path) -> None:
    assert unprivileged([tmp_path]) == MYSELF
