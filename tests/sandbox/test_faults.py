"""Each switch makes its fault, as an HTTP client feels it, and no other."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fix_sierra import SierraInThread, make_record

NEW = {"varFields": [{"fieldTag": "c", "marcTag": "099", "subfields": [{"tag": "a", "content": "84.31"}]}]}
NEWER = {"varFields": [{"fieldTag": "c", "marcTag": "099", "subfields": [{"tag": "a", "content": "86.25"}]}]}


@pytest.fixture
async def client(sierra: SierraInThread) -> AsyncIterator[httpx.AsyncClient]:
    """With a token, and two records to ask for."""
    sierra.add(make_record("7", "84.2"), make_record("8", "85.22"))
    async with httpx.AsyncClient(base_url=sierra.endpoint, trust_env=False, timeout=5) as client:
        token = await client.post("/token", auth=(sierra.key, sierra.secret), data={"grant_type": "client_credentials"})
        client.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        yield client


async def test_a_status_comes_with_its_code(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(kind="put_item", item="7", status=500, code=132, specific_code=2, description="record in use")
    answer = await client.put("/items/7", json=NEW)
    assert answer.status_code == 500
    assert answer.json() == {
        "code": 132,
        "specificCode": 2,
        "httpStatus": 500,
        "name": "Internal Server Error",
        "description": "record in use",
    }
    assert sierra.call_numbers("7") == ["84.2"]


async def test_a_fault_meets_its_item_and_kind_only(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    switch = sierra.fault(kind="put_item", item="7", status=500)
    assert (await client.put("/items/8", json={})).status_code == 204
    assert (await client.get("/items/7")).status_code == 200
    assert switch.met == 0
    assert (await client.put("/items/7", json={})).status_code == 500
    assert switch.met == 1


async def test_a_list_is_met_by_any_item_it_names(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(kind="get_items", item="7", status=500)
    assert (await client.get("/items", params={"id": "8,7"})).status_code == 500
    assert (await client.get("/items", params={"id": "8"})).status_code == 200


async def test_a_fault_is_over_when_it_has_met_its_times(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(times=2, status=503, code=117)
    statuses = [(await client.get("/items/7")).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_a_fault_is_over_when_it_is_turned_off(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    switch = sierra.fault(status=503)
    assert (await client.get("/items/7")).status_code == 503
    switch.off()
    assert (await client.get("/items/7")).status_code == 200


@pytest.mark.parametrize("retry_after", ["3", "Fri, 20 Nov 2026 10:00:00 GMT"])
async def test_429_says_when_to_come_again(sierra: SierraInThread, client: httpx.AsyncClient, retry_after: str) -> None:
    sierra.fault(status=429, retry_after=retry_after)
    answer = await client.get("/items/7")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, retry_after)


async def test_the_page_of_a_proxy_is_no_json(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(status=502, html=True)
    answer = await client.get("/items/7")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_delay_delays(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(delay_seconds=0.2)
    begun = time.monotonic()
    assert (await client.get("/items/7")).status_code == 200
    assert time.monotonic() - begun >= 0.2


async def test_hanging_request_is_never_answered(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(manner="hang")
    with pytest.raises(httpx.ReadTimeout):
        await client.put("/items/7", json=NEW, timeout=0.2)
    entry = await sierra.until(lambda journal: [entry for entry in journal.find("put_item") if entry.ended_ns])
    assert entry[0].status is None
    assert sierra.call_numbers("7") == ["84.2"]


async def test_an_empty_reply_is_a_connection_that_ends(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(manner="empty", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await client.get("/items/7")
    assert (await client.get("/items/7")).status_code == 200


async def test_a_cut_body_is_shorter_than_it_said(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(manner="cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete message"):
        await client.get("/items/7")
    sierra.fault(manner="cut")
    with pytest.raises(httpx.RemoteProtocolError):
        await client.put("/items/7", json=NEW)
    assert sierra.call_numbers("7") == ["84.31"]


async def test_a_trickle_trips_no_time_out_of_a_single_read(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(manner="trickle", pace_seconds=0.005)
    began = time.monotonic()
    whole = await client.get("/items/7", timeout=1, headers={"connection": "close"})  # the server closes it anyway
    assert whole.json()["id"] == "7"
    assert time.monotonic() - began > 1
    sierra.no_faults()
    sierra.fault(manner="trickle", pace_seconds=0.05)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.get("/items/7", timeout=5), 0.6)


@pytest.mark.parametrize("bad", [{"manner": "empty"}, {"manner": "hang"}, {"status": 500}])
async def test_a_put_can_be_done_though_its_answer_fails(
    sierra: SierraInThread, client: httpx.AsyncClient, bad: dict[str, Any]
) -> None:
    sierra.fault(kind="put_item", after_applying=True, **bad)
    with pytest.raises((httpx.HTTPError, AssertionError)):
        assert (await client.put("/items/7", json=NEW, timeout=0.3)).status_code == 204
    await sierra.until(lambda journal: [entry for entry in journal.find("put_item") if entry.call_numbers])
    assert sierra.call_numbers("7") == ["84.31"]


@pytest.mark.parametrize(
    ("answer", "heard"), [({}, "ReadTimeout"), ({"manner": "empty"}, "RemoteProtocolError"), ({"status": 504}, "504")]
)
async def test_a_late_put_lands_on_top_of_a_newer_one(
    sierra: SierraInThread, client: httpx.AsyncClient, answer: dict[str, Any], heard: str
) -> None:
    late = sierra.fault(write="late", times=1, hold=True, **answer)
    assert (await client.get("/items/7")).status_code == 200
    assert late.met == 0, "only a PUT can be late"
    try:
        told = str((await client.put("/items/7", json=NEW, timeout=0.3)).status_code)
    except httpx.HTTPError as error:
        told = type(error).__name__
    assert told == heard
    assert (await client.put("/items/7", json=NEWER)).status_code == 204
    assert sierra.call_numbers("7") == ["86.25"]
    late.release()
    await sierra.until(lambda journal: all(put.landed_ns for put in journal.find("put_item")))
    assert sierra.call_numbers("7") == ["84.31"]
    first, second = sierra.requests("put_item")
    assert first.arrived_ns < second.arrived_ns < (second.landed_ns or 0) < (first.landed_ns or 0)
    assert (first.write, first.call_numbers, sierra.puts()) == ("late", ["84.31"], [second])


async def test_a_late_put_lands_after_its_delay_though_its_fault_is_over(
    sierra: SierraInThread, client: httpx.AsyncClient
) -> None:
    late = sierra.fault(write="late", delay_seconds=0.3, manner="empty")
    with pytest.raises(httpx.RemoteProtocolError):
        await client.put("/items/7", json=NEW)
    late.off()
    assert sierra.call_numbers("7") == ["84.2"]
    (put,) = await sierra.until(lambda journal: [put for put in journal.find("put_item") if put.landed_ns])
    assert (put.landed_ns or 0) - put.arrived_ns >= 0.3e9
    assert sierra.call_numbers("7") == ["84.31"]


@pytest.mark.parametrize("write", ["late", "never"])
async def test_a_put_that_sierra_refuses_is_refused_at_once(
    sierra: SierraInThread, client: httpx.AsyncClient, write: str
) -> None:
    sierra.fault(write=write)
    assert (await client.put("/items/7", json={"id": "7"})).status_code == 400
    assert (await client.put("/items/9", json=NEW)).status_code == 404
    sierra.expire_tokens()
    assert (await client.put("/items/7", json=NEW)).status_code == 401
    assert [put.landed_ns for put in sierra.requests("put_item")] == [None, None, None]
    late = [put for put in sierra.requests("put_item") if put.write == "late"]
    assert late == [], "what was refused is not waited for"


async def test_an_ignored_put_is_answered_204_and_does_nothing(
    sierra: SierraInThread, client: httpx.AsyncClient
) -> None:
    before = sierra.record("7")
    sierra.fault(write="never", item="7", times=1)
    assert (await client.put("/items/7", json=NEW)).status_code == 204
    assert sierra.record("7") == before
    (ignored,) = sierra.requests("put_item")
    assert (ignored.status, ignored.write, ignored.landed_ns, sierra.puts()) == (204, "never", None, [])
    assert (await client.put("/items/7", json=NEW)).status_code == 204
    assert sierra.call_numbers("7") == ["84.31"]


async def test_tokens_can_expire_between_two_requests(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    sierra.fault(kind="put_item", expire_tokens=True, times=1)
    assert (await client.get("/items/7")).status_code == 200
    assert (await client.put("/items/7", json=NEW)).json()["code"] == 123
    assert sierra.call_numbers("7") == ["84.2"]


async def test_a_barrier_holds_a_put_before_it_is_done(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    barrier = sierra.hold()
    put = asyncio.create_task(client.put("/items/7", json=NEW))
    await barrier.reached()
    assert sierra.call_numbers("7") == ["84.2"]
    assert (await client.put("/items/8", json={})).status_code == 204
    barrier.release()
    assert (await put).status_code == 204
    assert sierra.call_numbers("7") == ["84.31"]


async def test_a_barrier_holds_a_put_that_is_done_already(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    barrier = sierra.hold(after_applying=True)
    put = asyncio.create_task(client.put("/items/7", json=NEW))
    await barrier.reached()
    assert sierra.call_numbers("7") == ["84.31"]
    assert not put.done()
    barrier.release()
    assert (await put).status_code == 204


async def test_a_put_whose_client_left_at_the_barrier_is_done_all_the_same(
    sierra: SierraInThread, client: httpx.AsyncClient
) -> None:
    barrier = sierra.hold()
    with pytest.raises(httpx.ReadTimeout):
        await client.put("/items/7", json=NEW, timeout=0.1)
    await barrier.reached()
    barrier.release()
    await sierra.until(lambda journal: journal.puts("7"))
    assert sierra.call_numbers("7") == ["84.31"]


async def test_staff_edit_the_record_between_our_get_and_put(sierra: SierraInThread, client: httpx.AsyncClient) -> None:
    note = {"varFields": [{"fieldTag": "m", "content": "damaged"}]}
    sierra.fault(kind="get_items", item="7", times=1, staff_edit=note)
    read = await client.get("/items", params={"id": "7,8", "fields": "varFields"})
    assert "damaged" not in read.text
    assert "damaged" in (await client.get("/items/7", params={"fields": "varFields"})).text
    assert "damaged" not in (await client.get("/items/8", params={"fields": "varFields"})).text
