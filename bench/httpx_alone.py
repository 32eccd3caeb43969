"""The most that this HTTP client can do: the notifier's requests and nothing else, no queue and no rules."""

import asyncio
import base64
import time
from collections.abc import Sequence

import httpx
import uvloop

from bench.ground import Simulator
from sandbox.catalogue import Item
from sandbox.settings import SIERRA_KEY, SIERRA_SECRET

FIELDS = "id,fixedFields,varFields"
GRANT = {"grant_type": "client_credentials"}


class BareClient:
    """A client of Sierra that is httpx alone. Use as `async with`."""

    def __init__(self, sierra: Simulator, pool_size: int) -> None:
        limits = httpx.Limits(max_connections=pool_size, max_keepalive_connections=pool_size)
        self._http = httpx.AsyncClient(base_url=sierra.endpoint + "/", limits=limits, timeout=30, trust_env=False)

    async def __aenter__(self) -> "BareClient":
        basic = base64.b64encode(f"{SIERRA_KEY}:{SIERRA_SECRET}".encode()).decode()
        answer = await self._http.post("token", headers={"Authorization": f"Basic {basic}"}, data=GRANT)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def read(self, items: Sequence[Item]) -> None:
        """Send one list GET."""
        query = {"id": ",".join(str(item.number) for item in items), "limit": str(len(items)), "fields": FIELDS}
        answer = await self._http.get("items", params=query)
        assert len(answer.json()["entries"]) == len(items)

    async def write(self, item: Item) -> None:
        """Send one PUT, of the size of ours."""
        patch = {
            "varFields": [*item.record().var_fields],
            "fixedFields": {"74": {"label": "IUSE3", "value": "1"}},
            "inventoryDate": "2026-11-01T00:00:00Z",
        }
        answer = await self._http.put(f"items/{item.number}", json=patch)
        assert answer.status_code == 204, answer.text


def items_per_second(sierra: Simulator, items: Sequence[Item], pool_size: int) -> float:
    """Read items by chunks of pool size, and write them one by one, pool size at a time. Return items a second."""
    return uvloop.run(_push_all(sierra, items, pool_size))


async def _push_all(sierra: Simulator, items: Sequence[Item], pool_size: int) -> float:
    chunks = [items[at : at + pool_size] for at in range(0, len(items), pool_size)]
    async with BareClient(sierra, pool_size) as client:

        async def work() -> None:
            while chunks:
                chunk = chunks.pop()
                await client.read(chunk)
                for item in chunk:
                    await client.write(item)

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(pool_size)))
        return len(items) / (time.monotonic() - began)
