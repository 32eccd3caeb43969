"""The client against the simulator, over real HTTP: one token for all, deadlines, repeats, borders of blame."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from notifier.sierra.client import SierraClient
from notifier.sierra.errors import (
    ItemRejected,
    ItemTroubled,
    LeaseTooShort,
    ListFailed,
    SierraRefused,
    SierraUnavailable,
)
from notifier.sierra.records import Record
from notifier.sierra.responses import Deleted
from notifier.sierra.sendings import Sendings
from tests.fix_notifier import access_of
from tests.fix_sierra import SierraInThread, make_record

Connect = Callable[..., AbstractAsyncContextManager[SierraClient]]


@pytest.fixture
def connect(sierra: SierraInThread) -> Connect:
    """A client with these settings."""
    sierra.add(*(make_record(str(number), "84.2") for number in range(1001, 1061)))

    @asynccontextmanager
    async def connected(**others: Any) -> AsyncIterator[SierraClient]:
        async with SierraClient(access_of(sierra, **{"timeout_seconds": 2.0, **others})) as client:
            yield client

    return connected


async def test_more_items_than_sierras_own_limit_are_read_in_one_list(connect: Connect, sierra: SierraInThread) -> None:
    numbers = [str(number) for number in range(1001, 1061)]
    async with connect() as client:
        records = await client.read_items(numbers)
    assert sorted(records) == numbers, "the default limit is 50 and cuts silently"
    assert len(sierra.requests("get_items")) == 1


async def test_absent_and_deleted_items_are_told_apart(connect: Connect, sierra: SierraInThread) -> None:
    sierra.add(make_record("2000", deleted_at="2026-10-01"))
    async with connect() as client:
        records = await client.read_items(["1001", "2000", "999"])
        assert isinstance(records["1001"], Record)
        assert records["2000"] == Deleted("2000", "2026-10-01")
        assert "999" not in records
        assert await client.read_items(["998", "999"]) == {}
        with pytest.raises(ItemRejected, match="Sierra has no item 999"):
            await client.read_item("999")


async def test_one_token_serves_all_requests_however_many_start_at_once(
    connect: Connect, sierra: SierraInThread
) -> None:
    async with connect(pool_size=10) as client:
        await asyncio.gather(*(client.read_item(str(number)) for number in range(1001, 1011)))
    assert len(sierra.requests("token")) == 1


async def test_a_token_is_renewed_before_it_expires(connect: Connect, sierra: SierraInThread) -> None:
    sierra.set_token_seconds(1)
    async with connect() as client:
        await client.read_item("1001")
        assert 0 < client.token.seconds_left <= 0.9
        await asyncio.sleep(client.token.seconds_left)  # the token's life itself is what is waited for
        await client.read_item("1001")
    assert [entry.status for entry in sierra.requests("get_item")] == [200, 200], "never shown too late"
    assert len(sierra.requests("token")) == 2


async def test_a_token_that_died_early_is_renewed_once_and_the_request_repeated(
    connect: Connect, sierra: SierraInThread
) -> None:
    async with connect(pool_size=4) as client:
        await client.read_item("1001")
        sierra.expire_tokens()
        await asyncio.gather(*(client.read_item(str(number)) for number in range(1001, 1005)))
    assert len(sierra.requests("token")) == 2


async def test_a_refused_key_is_for_a_person_and_asked_for_once(connect: Connect, sierra: SierraInThread) -> None:
    sierra.revoke_key()
    async with connect(pool_size=4) as client:
        results = await asyncio.gather(*(client.read_item("1001") for _ in range(4)), return_exceptions=True)
    assert all(isinstance(result, SierraRefused) for result in results)
    assert "SIERRA_API_CLIENT_KEY" in str(results[0])
    assert len(sierra.requests("token")) == 1


async def test_401_twice_refuses_us_as_a_whole(connect: Connect, sierra: SierraInThread) -> None:
    sierra.fault(kind="get_item", status=401, code=123)
    async with connect() as client:
        with pytest.raises(SierraRefused):
            await client.read_item("1001")
    assert len(sierra.requests("get_item")) == 2


async def test_an_empty_reply_is_repeated_at_once(connect: Connect, sierra: SierraInThread) -> None:
    sierra.fault(kind="put_item", manner="empty", times=1)
    async with connect() as client:
        await client.write_item("1001", {"fixedFields": {"74": {"label": "IUSE3", "value": "1"}}})
    assert len(sierra.requests("put_item")) == 2


async def test_repeats_are_no_more_than_the_setting_says(connect: Connect, sierra: SierraInThread) -> None:
    sierra.fault(kind="get_item", manner="empty")
    async with connect(retries=2) as client:
        with pytest.raises(ItemTroubled):
            await client.read_item("1001")
    assert len(sierra.requests("get_item")) == 3


@pytest.mark.parametrize("manner", ["hang", "trickle"])
async def test_a_request_ends_at_its_total_deadline_however_slowly_it_is_answered(
    connect: Connect, sierra: SierraInThread, manner: str
) -> None:
    async with connect(timeout_seconds=0.4) as client:
        await client.token.get()
        sierra.fault(manner=manner, pace_seconds=0.05)
        began = time.monotonic()
        with pytest.raises(SierraUnavailable):
            await client.read_item("1001")
        assert time.monotonic() - began < 5, "a trickle would take half a minute"


async def test_silence_for_one_item_while_sierra_answers_others_is_that_items(
    connect: Connect, sierra: SierraInThread
) -> None:
    sierra.fault(kind="get_item", item="1001", manner="hang")
    async with connect(timeout_seconds=0.6) as client:
        await client.token.get()
        silent = asyncio.create_task(client.read_item("1001"))
        await sierra.until(lambda journal: journal.find("get_item", "1001"))
        await client.read_item("1002")
        with pytest.raises(ItemTroubled, match="item 1001"):
            await silent


async def test_a_port_without_a_listener_is_sierra_being_down(connect: Connect, sierra: SierraInThread) -> None:
    sierra.stop()
    async with connect(retries=1) as client:
        with pytest.raises(SierraUnavailable):
            await client.read_items(["1001"])


@pytest.mark.parametrize("status", [400, 500])
async def test_a_refused_list_says_nothing_about_its_items(
    connect: Connect, sierra: SierraInThread, status: int
) -> None:
    sierra.fault(kind="get_items", status=status)
    async with connect() as client:
        with pytest.raises(ListFailed):
            await client.read_items(["1001", "1002"])


async def test_a_page_in_sierras_place_is_sierra_being_down(connect: Connect, sierra: SierraInThread) -> None:
    sierra.fault(html=True, status=200)
    async with connect() as client:
        with pytest.raises(SierraUnavailable):
            await client.read_items(["1001"])


async def test_a_cut_answer_is_no_answer(connect: Connect, sierra: SierraInThread) -> None:
    async with connect() as client:
        await client.token.get()
        sierra.fault(manner="cut")
        with pytest.raises(SierraUnavailable, match="cut"):
            await client.read_item("1001")


async def test_a_ghost_can_be_read_but_not_written(connect: Connect, sierra: SierraInThread) -> None:
    sierra.add(make_record("3000", "84.2", ghost=True))
    async with connect() as client:
        assert isinstance(await client.read_item("3000"), Record)
        with pytest.raises(ItemRejected, match="ghost"):
            await client.write_item("3000", {"fixedFields": {}})


async def test_a_lease_that_is_too_short_stops_a_write_before_anything_is_sent(
    connect: Connect, sierra: SierraInThread
) -> None:
    def check_lease() -> None:
        raise LeaseTooShort

    async with connect() as client:
        with pytest.raises(LeaseTooShort):
            await client.write_item("1001", {"fixedFields": {}}, Sendings(check_lease))
    assert sierra.requests("put_item") == []


@pytest.mark.parametrize("content", ["a\ud83d", float("nan")])
async def test_what_can_not_be_sent_is_the_items_fault(
    connect: Connect, sierra: SierraInThread, content: object
) -> None:
    async with connect() as client:
        with pytest.raises(ItemRejected, match="can't be sent"):
            await client.write_item("1001", {"varFields": [{"fieldTag": "x", "content": content}]})
        with pytest.raises(ItemRejected, match="can't be sent"):
            await client.read_item("9" * 70_000)
        with pytest.raises(ListFailed):
            await client.read_items(["1001", "9" * 70_000])
    assert sierra.requests("put_item") == []


async def test_the_endpoint_may_end_with_a_slash(connect: Connect, sierra: SierraInThread) -> None:
    async with connect(endpoint=sierra.endpoint + "/") as client:
        assert isinstance(await client.read_item("1001"), Record)
