"""Measures the time from a mark's answer to its PUT at Sierra on an idle system, beside the floor of its steps.

The floor: NOTIFY one way, an UPDATE like the claim's, one list GET, one PUT, by the same libraries at the same servers.
Ours and the floor alternate, so that both meet the same machine.
"""

import asyncio
import http.client
import random
import time
from collections.abc import Sequence

import psycopg
import uvloop

from bench.figures import Figure, p50_p99, quantile
from bench.ground import Api, Ground, Simulator, prepare_ground
from bench.httpx_alone import BareClient
from bench.plots import plot_dispatch
from sandbox.catalogue import Item

TURNS = 300
CLAIM = """
UPDATE bare_queue SET lease_until = now() + interval '1 minute'
WHERE id = (SELECT id FROM bare_queue WHERE due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
"""


def measure(quick: bool) -> list[Figure]:
    """Measure dispatch: one row."""
    with (
        prepare_ground(10_000) as ground,
        ground.start_sierra() as sierra,
        ground.start_api() as api,
        ground.start_notifier(sierra),
    ):
        with ground.connect() as connection:
            connection.execute("CREATE TABLE bare_queue AS SELECT 1 AS id, now() AS due_at, now() AS lease_until")
        items = ground.items[: 20 if quick else TURNS + 20]
        ours, floor = uvloop.run(_take_turns(ground, api, sierra, items))
    if not quick:
        plot_dispatch(ours, floor)
    p50, p99 = (quantile(ours, share) / quantile(floor, share) for share in (0.5, 0.99))
    return [
        Figure(
            what="dispatch: answer of PUT /itemdata to Sierra's PUT, idle",
            ours=p50_p99(ours),
            beside=f"floor {p50_p99(floor)}",
            share=f"{p50:.1f} x, {p99:.1f} x",
            goal="p50 ≤ 2.5 x, p99 ≤ 5 x",
            reached=p50 <= 2.5 and p99 <= 5,
        )
    ]


async def _take_turns(
    ground: Ground, api: Api, sierra: Simulator, items: Sequence[Item]
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of ours and of the floor, without the first few turns, which only warm up."""
    ours, floor = [], []
    listening = await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True)
    await listening.execute("LISTEN bare")
    claiming = await psycopg.AsyncConnection.connect(ground.dsn, autocommit=True)
    async with BareClient(sierra, 4) as client:
        for item in items:
            await asyncio.sleep(random.uniform(0.01, 0.06))
            ours.append(time_dispatch(api, sierra, item))
            await asyncio.sleep(random.uniform(0.01, 0.06))
            floor.append(await _floor(ground, sierra, listening, claiming, client, item))
    await listening.close()
    await claiming.close()
    warm = len(items) // 10
    return ours[warm:], floor[warm:]


def time_dispatch(api: Api, sierra: Simulator, item: Item) -> float:
    """The milliseconds from the answer to a mark to the arrival of its PUT."""
    sierra.forget()
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"))
    connection.request("PUT", f"/itemdata/{item.record_id}", headers={"x-api-key": api.printer_key})
    answer = connection.getresponse()
    answered_ns = time.monotonic_ns()
    assert answer.status == 200, answer.read()
    connection.close()
    return (sierra.put_arrived_ns(item) - answered_ns) / 1e6


async def _floor(
    ground: Ground,
    sierra: Simulator,
    listening: psycopg.AsyncConnection[tuple[object, ...]],
    claiming: psycopg.AsyncConnection[tuple[object, ...]],
    client: BareClient,
    item: Item,
) -> float:
    sierra.forget()
    with ground.connect() as sender:
        began_ns = time.monotonic_ns()
        sender.execute("SELECT pg_notify('bare', '')")
        async for _ in listening.notifies(stop_after=1):
            pass
        await claiming.execute(CLAIM, prepare=True)
        await client.read([item])
        await client.write(item)
    return (sierra.put_arrived_ns(item) - began_ns) / 1e6
