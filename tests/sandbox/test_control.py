"""The simulator as a process of its own: what another process can do with it by its control routes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m sandbox.sierra`, and its endpoint."""
    command = [sys.executable, "-m", "sandbox.sierra", "--port", "0", "--items", "60", "--key", "k", "--secret", "s"]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        yield running, running.stdout.readline().strip()
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


@pytest.fixture
def sandbox(process: tuple[subprocess.Popen[str], str]) -> Iterator[httpx.Client]:
    """The control routes, with nothing on and nothing remembered."""
    with httpx.Client(base_url=process[1].removesuffix("/iii/sierra-api/v6") + "/_sandbox", trust_env=False) as client:
        client.delete("/faults")
        client.delete("/journal")
        yield client


@pytest.fixture
def item(process: tuple[subprocess.Popen[str], str]) -> Iterator[httpx.Client]:
    """Sierra's own routes, with a token."""
    with httpx.Client(base_url=process[1], trust_env=False) as client:
        token = client.post("/token", auth=("k", "s"), data={"grant_type": "client_credentials"}).json()
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        yield client


def ask(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def test_records_can_be_read_and_edited_as_staff(sandbox: httpx.Client) -> None:
    assert ask(sandbox.get("/records/2000001"))["id"] == "2000001"
    edit = {"varFields": [{"fieldTag": "m", "content": "damaged"}]}
    assert ask(sandbox.put("/records/2000001", json=edit))["varFields"][-1] == edit["varFields"][0]
    assert sandbox.put("/records/2000001", json={"id": "7"}).status_code == 400
    assert sandbox.get("/records/7").status_code == 404


def test_faults_can_be_turned_on_and_off(sandbox: httpx.Client, item: httpx.Client) -> None:
    switch = ask(sandbox.post("/faults", json={"kind": "get_item", "status": 503, "code": 117}))
    assert item.get("/items/2000001").json()["code"] == 117
    assert ask(sandbox.get("/faults"))[0]["met"] == 1
    ask(sandbox.delete(f"/faults/{switch['number']}"))
    assert item.get("/items/2000001").status_code == 200


@pytest.mark.parametrize("fault", [{"stauts": 503}, {"manner": "rude"}, {"kind": "post"}])
def test_a_fault_that_there_is_not_is_refused(sandbox: httpx.Client, fault: dict[str, str]) -> None:
    assert sandbox.post("/faults", json=fault).status_code == 400
    assert ask(sandbox.get("/faults")) == []


def test_a_barrier_can_be_waited_for_and_released(sandbox: httpx.Client, item: httpx.Client) -> None:
    number = ask(sandbox.post("/faults", json={"kind": "put_item", "times": 1, "hold": True}))["number"]
    assert sandbox.get(f"/faults/{number}/reached", params={"seconds": 0.05}).status_code == 408
    with pytest.raises(httpx.ReadTimeout):
        item.put("/items/2000001", json={}, timeout=0.1)
    assert ask(sandbox.get(f"/faults/{number}/reached"))["met"] == 1
    ask(sandbox.post(f"/faults/{number}/release"))
    assert len(ask(sandbox.get("/journal/wait", params={"kind": "put_item", "status": 204}))) == 1


def test_a_late_put_can_be_released_and_is_in_the_journal_when_it_lands(
    sandbox: httpx.Client, item: httpx.Client
) -> None:
    late = {"kind": "put_item", "write": "late", "hold": True, "manner": "empty", "times": 1}
    number = ask(sandbox.post("/faults", json=late))["number"]
    with pytest.raises(httpx.RemoteProtocolError):
        item.put("/items/2000001", json={})
    (put,) = ask(sandbox.get("/journal/wait", params={"kind": "put_item"}))
    assert (put["write"], put["status"], put["landed_ns"]) == ("late", None, None)
    ask(sandbox.post(f"/faults/{number}/release"))
    (put,) = ask(sandbox.get("/journal/wait", params={"kind": "put_item", "landed": "true"}))
    assert put["landed_ns"] > put["ended_ns"]


def test_the_journal_can_be_read_waited_for_and_forgotten(sandbox: httpx.Client, item: httpx.Client) -> None:
    item.put("/items/2000001", json={})
    item.get("/items/2000002")
    seen = ask(sandbox.get("/journal/wait", params={"kind": "put_item", "item": "2000001", "seconds": 5}))
    assert [(entry["status"], entry["item_numbers"]) for entry in seen] == [(204, ["2000001"])]
    assert ask(sandbox.get("/state"))["now_ns"] > seen[0]["ended_ns"] > seen[0]["arrived_ns"]
    assert sandbox.get("/journal/wait", params={"kind": "put_item", "count": 2, "seconds": 0.05}).status_code == 408
    assert len(ask(sandbox.get("/journal", params={"item": "2000002"}))) == 1
    ask(sandbox.delete("/journal"))
    assert ask(sandbox.get("/journal")) == []


def test_tokens_and_key_can_be_taken_away(sandbox: httpx.Client, item: httpx.Client) -> None:
    ask(sandbox.post("/tokens/expire"))
    assert item.get("/items/2000001").json()["code"] == 123
    assert ask(sandbox.put("/key", json={"revoked": True}))["key_revoked"]
    assert item.post("/token", auth=("k", "s"), data={"grant_type": "client_credentials"}).status_code == 401
    assert not ask(sandbox.put("/key", json={"revoked": False}))["key_revoked"]


def test_control_route_that_fails_says_why(sandbox: httpx.Client) -> None:
    assert sandbox.get("/nothing").status_code == 404
    assert sandbox.delete("/faults/12345").status_code == 404
    assert sandbox.put("/key", content="{").status_code == 400
