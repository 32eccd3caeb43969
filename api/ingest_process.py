"""How does the api run an ingest? It starts the process, pipes the file into it as it comes, and reads one line.

Whatever ends the context early (a client that went away, a refused body, the deadline) kills the process: its
transaction rolls back, and nothing of the batch is stored.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

from api.frames import END_OF_FILE, frame, json_frame
from api.ingest import Job, LastWords, Result

RESULT_LIMIT_BYTES = 1024 * 1024


class Ingest:
    """An ingest under way."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def send(self, file_bytes: bytes) -> None:
        """Pass on a piece of the file, as fast as the process takes it. Into the void if it has its result already."""
        await self._send(frame(file_bytes))

    async def finish(self, last_words: LastWords) -> Result:
        """The result, once the whole file was sent."""
        await self._send(frame(END_OF_FILE) + json_frame(last_words))
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        code = await self._process.wait()
        return Result(**json.loads(line)) if line else Result("failed", f"the ingest process ended with code {code}")

    async def _send(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        # A process that has its result already reads no more: the next write finds that out, or closes the pipe.
        if not pipe.is_closing():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                pipe.write(data)
                await pipe.drain()


@contextlib.asynccontextmanager
async def start_ingest(job: Job) -> AsyncIterator[Ingest]:
    """An ingest that ends with this context."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "api.ingest"),
        stdin=PIPE,
        stdout=PIPE,
        limit=RESULT_LIMIT_BYTES,
        start_new_session=True,  # Ctrl-C is for the api, which lets its requests end
    )
    try:
        ingest = Ingest(process)
        await ingest._send(json_frame(job))
        yield ingest
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
