from __future__ import annotations

import asyncpg
import pytest

from app import accounts
from app.visit import Visit
from tests.app.conftest import PASSWORD, cheap_passwords, new_name


async def test_a_new_session_sees_what_was_written_before_it_began(visit: Visit) -> None:
    passwords = cheap_passwords()
    user = await accounts.sign_up(visit, passwords, new_name(), PASSWORD)
    await visit.enter(user.id, user.name)
    passwords.close()
    session = visit.session
    assert session is not None
    assert session.fields["name"] == user.name
    assert session.position(visit.database.directory) is not None
    assert session.position(visit.database.of(user.id)) is not None


async def delete_and_fail(visit: Visit, user_id: int) -> None:
    async with visit.write(visit.database.of(user_id)) as transaction:
        await transaction.execute("DELETE FROM users WHERE id = $1", user_id)
        await transaction.execute("DELETE FROM nothing")


async def test_a_write_that_is_undone_is_not_waited_for(visit: Visit) -> None:
    passwords = cheap_passwords()
    user = await accounts.sign_up(visit, passwords, new_name(), PASSWORD)
    await visit.enter(user.id, user.name)
    passwords.close()
    assert visit.session is not None
    shard = visit.database.of(user.id)
    before = visit.session.position(shard)
    with pytest.raises(asyncpg.UndefinedTableError):
        await delete_and_fail(visit, user.id)
    assert visit.session.position(shard) == before
    async with visit.read(shard) as reader:
        assert await reader.fetchval("SELECT name FROM users WHERE id = $1", user.id) == user.name
