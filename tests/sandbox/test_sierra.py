"""The simulator over real HTTP: what a client of Sierra's meets on a good day."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from sandbox.http import HttpServer
from sandbox.sierra import Sierra
from tests.fix_sierra import SierraInThread, make_record

BASIC = (SierraInThread.key, SierraInThread.secret)
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def client(sierra: SierraInThread) -> Iterator[httpx.Client]:
    """With a token that is good for everything."""
    with httpx.Client(base_url=sierra.endpoint, trust_env=False) as client:
        token = client.post("/token", auth=BASIC, data=GRANT).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def problem(response: httpx.Response) -> tuple[int, int]:
    body = response.json()
    assert set(body) == {"code", "specificCode", "httpStatus", "name", "description"}
    assert body["httpStatus"] == response.status_code
    return response.status_code, body["code"]


def test_a_token_is_given_for_key_and_secret(sierra: SierraInThread) -> None:
    given = httpx.post(f"{sierra.endpoint}/token", auth=BASIC, data=GRANT, trust_env=False).json()
    assert given == {"access_token": given["access_token"], "token_type": "bearer", "expires_in": 3600}


def test_no_token_without_key_secret_or_grant(sierra: SierraInThread) -> None:
    with httpx.Client(base_url=sierra.endpoint, trust_env=False) as client:
        assert problem(client.post("/token", data=GRANT)) == (401, 113)
        assert problem(client.post("/token", auth=(BASIC[0], "wrong"), data=GRANT)) == (401, 127)
        assert problem(client.post("/token", auth=BASIC)) == (400, 105)


def test_a_token_that_is_missing_unknown_or_over_is_refused(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2"))
    assert client.get("/items/7").status_code == 200
    assert problem(client.get("/items/7", headers={"authorization": ""})) == (401, 113)
    assert problem(client.get("/items/7", headers={"authorization": "Bearer mine"})) == (401, 120)
    sierra.expire_tokens()
    assert problem(client.get("/items/7")) == (401, 123)


def test_a_revoked_key_gets_no_token_and_its_tokens_die(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.revoke_key()
    assert problem(client.get("/items/7")) == (401, 123)
    assert problem(client.post("/token", auth=BASIC, data=GRANT)) == (401, 127)
    sierra.revoke_key(False)
    assert client.post("/token", auth=BASIC, data=GRANT).status_code == 200


def test_token_info_tells_key_roles_and_seconds_left(client: httpx.Client) -> None:
    info = client.get("/info/token").json()
    assert info["keyId"] == SierraInThread.key
    assert [role["name"] for role in info["roles"]] == ["Items Read", "Items Write"]
    assert 3590 <= info["expiresIn"] <= 3600


def test_a_key_without_the_role_may_not_write(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2"))
    sierra._sierra.tokens.roles = ("Items Read",)
    assert client.get("/items/7").status_code == 200
    assert problem(client.put("/items/7", json={})) == (403, 116)


def test_one_item_is_read_with_the_fields_asked_for(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2 Jännitys"))
    item = client.get("/items/7", params={"fields": "fixedFields,varFields"}).json()
    assert set(item) == {"id", "fixedFields", "varFields"}
    assert "84.2 Jännitys" in str(item["varFields"])
    assert client.get("/items/7").json()["callNumber"] == "|a84.2 Jännitys"
    assert problem(client.get("/items/7", params={"fields": "colour"})) == (400, 108)
    assert problem(client.get("/items/8")) == (404, 107)


def test_a_list_leaves_out_the_absent_and_shows_the_deleted_as_such(
    sierra: SierraInThread, client: httpx.Client
) -> None:
    sierra.add(make_record("9"), replace(make_record("7"), deleted_at="2026-11-01"))
    answer = client.get("/items", params={"id": "9,8,7", "limit": 3, "fields": "id,varFields"}).json()
    assert (answer["total"], answer["start"]) == (2, 0)
    assert answer["entries"][0] == {"id": "7", "deletedDate": "2026-11-01", "deleted": True}
    assert answer["entries"][1]["id"] == "9"
    assert problem(client.get("/items", params={"id": "8"})) == (404, 107)


def test_a_list_without_limit_ends_at_fifty(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(*(make_record(str(number)) for number in range(100, 160)))
    ids = ",".join(map(str, range(100, 160)))
    assert len(client.get("/items", params={"id": ids}).json()["entries"]) == 50
    assert len(client.get("/items", params={"id": ids, "limit": 60}).json()["entries"]) == 60
    assert problem(client.get("/items", params={"id": ids, "limit": "many"})) == (400, 108)
    assert problem(client.get("/items", params={"id": "7,b8"})) == (400, 108)


def test_a_patch_is_done_and_answered_without_a_body(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2 Jännitys"))
    patch = {
        "varFields": [{"fieldTag": "c", "marcTag": "099", "subfields": [{"tag": "a", "content": "84.31 Jännitys"}]}],
        "fixedFields": {"74": {"label": "IUSE3", "value": "1"}},
        "inventoryDate": "2026-11-20T10:00:00Z",
    }
    answer = client.put("/items/7", json=patch)
    assert (answer.status_code, answer.content) == (204, b"")
    record = sierra.record("7")
    assert record.call_numbers() == ["84.31 Jännitys"]
    assert [record.fixed_fields[number]["value"] for number in ("69", "74", "85")] == [
        "2026-11-20T10:00:00Z",
        "1",
        "44",
    ]
    assert [field["fieldTag"] for field in record.var_fields] == ["b", "x", "c"]


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ('{"id": "7", "varFields": []}', 115),
        ("{", 115),
        ("[]", 130),
        ('{"varFields": [{"fieldTag": "c", "marcTag": "099"}]}', 130),
        ('{"varFields": [{"content": "no tag"}]}', 130),
        ('{"fixedFields": {"74": {"value": "1"}}, "inventoryDate": "2026-11-20T10:00:00Z"}', 126),
        ('{"inventoryDate": "yesterday"}', 108),
    ],
)
def test_a_refused_patch_changes_nothing(sierra: SierraInThread, client: httpx.Client, patch: str, code: int) -> None:
    before = make_record("7", "84.2")
    sierra.add(before)
    assert problem(client.put("/items/7", content=patch)) == (400, code)
    assert sierra.record("7") == before


def test_a_ghost_is_read_but_not_written(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2", ghost=True))
    assert client.get("/items/7").status_code == 200
    assert problem(client.put("/items/7", json={})) == (404, 107)


def test_route_that_sierra_lacks_is_not_found(sierra: SierraInThread, client: httpx.Client) -> None:
    assert client.get("/bibs").status_code == 404
    assert client.get(sierra.endpoint.replace("/v6", "/v5") + "/items/7").status_code == 404


async def test_the_prefix_can_be_another() -> None:
    sierra = Sierra(prefix="/elsewhere/")
    endpoint = await sierra.start()
    try:
        assert endpoint.endswith("/elsewhere")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.post(f"{endpoint}/token", auth=BASIC, data=GRANT)).status_code == 200
    finally:
        await sierra.stop()


def test_one_connection_serves_many_requests(sierra: SierraInThread, client: httpx.Client) -> None:
    servers: list[HttpServer] = [sierra._sierra._server]
    for _ in range(3):
        client.get("/items/7")
    assert sierra.run(lambda: len(servers[0]._conversations)) == 1


def test_the_journal_has_every_request_with_its_times(sierra: SierraInThread, client: httpx.Client) -> None:
    sierra.add(make_record("7", "84.2"))
    client.get("/items", params={"id": "7,8"})
    client.put("/items/7", json={})
    assert [entry.kind for entry in sierra.entries] == ["token", "get_items", "put_item"]
    put = sierra.block_until(lambda journal: journal.puts("7"))[0]
    assert (put.status, put.call_numbers, put.item_numbers) == (204, ["84.2"], ("7",))
    assert put.ended_ns is not None
    assert put.ended_ns >= put.arrived_ns > sierra.requests("get_items", "8")[0].arrived_ns


def test_a_sierra_that_was_stopped_refuses_connections_until_it_starts(
    sierra: SierraInThread, client: httpx.Client
) -> None:
    sierra.add(make_record("7"))
    sierra.stop()
    with pytest.raises(httpx.ConnectError):
        client.get("/items/7")
    sierra.start()
    assert client.get("/items/7").status_code == 200
