"""The api's handle on an ingest process: starts it, pipes the file into it as it comes, and reads its one line.

If the context ends early (the client went away, the body was refused, the deadline passed), the process is killed: its
transaction rolls back, and nothing of the batch is stored.
"""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

from api.ingest.protocol import END_OF_FILE, NO_MEMORY, Job, LastWords, Result, frame, json_frame

RESULT_LIMIT_BYTES = 1024 * 1024
_SIGNALS = {number.value: number.name for number in signal.Signals}


class IngestEnded(Exception):
    """The process ended, or could not be started, and gave no result. The ETL must send the batch again."""


class Ingest:
    """An ingest under way."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def send(self, file_bytes: bytes) -> None:
        """Pass on a piece of the file, as fast as the process takes it. Drop it if the process is done already."""
        await self._send(frame(file_bytes))

    async def finish(self, last_words: LastWords) -> Result:
        """Return the result, once the whole file was sent. Raises IngestEnded if the process gave none."""
        await self._send(frame(END_OF_FILE) + json_frame(last_words))
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
            return Result(**json.loads(line))
        except (ValueError, TypeError):  # too long a line, no JSON, another object
            raise IngestEnded(_cause(await self._process.wait())) from None

    async def _send(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        # A process that has its result reads no more: the write then raises, or the pipe is closing already.
        if not pipe.is_closing():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                pipe.write(data)
                await pipe.drain()


def _cause(code: int) -> str:
    if code < 0:
        name = _SIGNALS.get(-code, "real-time")  # signals that have no names
        return f"was killed by signal {-code} ({name})" + (": out of memory?" if name == "SIGKILL" else "")
    if code == NO_MEMORY:
        return "got no more memory"
    return f"ended with code {code} and no result"


@contextlib.asynccontextmanager
async def start_ingest(job: Job) -> AsyncIterator[Ingest]:
    """Yield an ingest that ends with this context. Raises IngestEnded if it can't be started."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "api.ingest"),
            stdin=PIPE,
            stdout=PIPE,
            limit=RESULT_LIMIT_BYTES,
            start_new_session=True,  # Ctrl-C is for the api, which lets its requests end
        )
    except OSError as error:  # no memory, no more processes, no more descriptors
        raise IngestEnded(f"could not be started: {error}") from error
    try:
        ingest = Ingest(process)
        await ingest._send(json_frame(job))
        yield ingest
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
