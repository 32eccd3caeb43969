"""Pages that are open in browsers: each listens, and asks for its page anew at every event, as console.js does.

`python -m bench.open_pages URL COOKIE COUNT` runs until it is ended.
"""

import asyncio
import sys

import httpx


async def keep_open(url: str, cookie: str, count: int) -> None:
    """Keep so many pages open."""
    limits = httpx.Limits(max_connections=2 * count)
    headers = {"Cookie": cookie, "X-Refresh": "1"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=None, trust_env=False, limits=limits) as client:
        await asyncio.gather(*(_listen(client) for _ in range(count)))


async def _listen(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/events") as events:
        print(events.status_code, flush=True)
        async for line in events.aiter_lines():
            if line.startswith("data:"):
                (await client.get("/")).raise_for_status()


if __name__ == "__main__":
    asyncio.run(keep_open(sys.argv[1], sys.argv[2], int(sys.argv[3])))
