"""Sierra's REST API v6, as far as this project meets it, with its quirks and, if wanted, faults.

`python -m sandbox.sierra --port 9100 --items 2000` runs one, with the sandbox's catalogue in it. Another process
watches and disturbs it by the routes of sandbox/control.py.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace

from sandbox.catalogue import make_catalogue
from sandbox.control import CONTROL_PREFIX, Control
from sandbox.dna import SierraDna
from sandbox.dna_control import DnaControl
from sandbox.faults import Faults, Switch
from sandbox.filters import read_list_query, refuse_unknown_parameters
from sandbox.http import Exchange, HttpServer, Manner, Request, Response
from sandbox.journal import Entry, Journal, Kind
from sandbox.postgres import PostgresFailed
from sandbox.quirks import Refused
from sandbox.records import Records
from sandbox.responses import error_response, faulty_response, json_response
from sandbox.tokens import READ, WRITE, Tokens, bearer

PREFIX = "/iii/sierra-api/v6"


class Sierra:
    """Sierra's tokens, records and routes; the faults that are on, and the journal of what was asked."""

    def __init__(
        self,
        *,
        key: str = "sandbox-key",
        secret: str = "sandbox-secret",  # noqa: S107
        prefix: str = PREFIX,
        token_seconds: float = 3600,
        latency_seconds: float = 0,
    ) -> None:
        self.tokens = Tokens(key, secret, token_seconds)
        self.records = Records()
        self.faults = Faults()
        self.journal = Journal()
        self.latency_seconds = latency_seconds
        self._prefix = prefix.rstrip("/")
        self._control = Control(self.tokens, self.records, self.faults, self.journal)
        self._server = HttpServer(self._handle)
        self._late_writes: set[asyncio.Task[None]] = set()

    def show_in(self, dna: SierraDna) -> None:
        """Let other processes use this SierraDNA, which follows the records, by the control routes."""
        self._control.dna = DnaControl(dna, self.records)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Start to listen. Return the endpoint, as in SIERRA_API_ENDPOINT."""
        return f"http://{host}:{await self._server.start(host, port)}{self._prefix}"

    async def stop(self) -> None:
        """Refuse connections from now on, and drop late writes. Sierra's records stay, so it may start again."""
        await self._server.stop()
        for write in self._late_writes:
            write.cancel()
        await asyncio.gather(*self._late_writes, return_exceptions=True)

    async def _handle(self, request: Request, exchange: Exchange) -> None:
        if request.path.startswith(CONTROL_PREFIX):
            await exchange.send(await self._control.answer(request))
            return
        kind, numbers = self._recognise(request)
        token = bearer(request.headers.get("authorization", ""))
        entry = self.journal.begin(kind, request.method, request.path, numbers, token)
        try:
            response = await self._answer(request, entry)
            await exchange.send(response)
        finally:
            self.journal.end(entry)

    def _recognise(self, request: Request) -> tuple[Kind, tuple[str, ...]]:
        """Return the route of a request, and the items that it names."""
        if not request.path.startswith(self._prefix + "/"):
            return "other", ()
        match request.method, request.path.removeprefix(self._prefix).strip("/").split("/"):
            case "POST", ["token"]:
                return "token", ()
            case "GET", ["info", "token"]:
                return "info", ()
            case "GET", ["items"]:
                named = request.query.get("id", "[")
                return "get_items", () if named.startswith("[") else tuple(named.split(","))  # a range names none
            case "GET", ["items", number]:
                return "get_item", (number,)
            case "PUT", ["items", number]:
                return "put_item", (number,)
        return "other", ()

    async def _answer(self, request: Request, entry: Entry) -> Response:
        """Answer as Sierra would, unless a fault stands in the way."""
        switch = self.faults.take(entry.kind, entry.item_numbers)
        await asyncio.sleep(self.latency_seconds)
        response = self._do(request, entry) if switch is None else await self._meet(switch, request, entry)
        if response.manner not in (Manner.HANG, Manner.EMPTY):
            entry.status = response.status
        entry.manner = response.manner
        return response

    async def _meet(self, switch: Switch, request: Request, entry: Entry) -> Response:
        """Apply a fault: its parts act in the order of its fields."""
        fault = switch.fault
        if fault.expire_tokens:
            self.tokens.expire_all()
        entry.write = fault.write
        if fault.write == "late":
            return self._put_late(switch, request, entry)
        done = self._do(request, entry) if fault.after_applying else None
        switch.reached.set()
        await asyncio.sleep(fault.delay_seconds)
        if fault.hold:
            await switch.released.wait()
        response = faulty_response(fault) if fault.answers_instead else done or self._do(request, entry)
        for number in (fault.item,) if fault.item else entry.item_numbers:
            if fault.staff_edit:
                self.records.edit(number, fault.staff_edit)
        return replace(response, manner=fault.manner, pace_seconds=fault.pace_seconds)

    def _put_late(self, switch: Switch, request: Request, entry: Entry) -> Response:
        """Check a PUT, and start the task that does it. A client that is answered at all hears the fault's answer."""
        fault, checked = switch.fault, self._do(request, entry)
        switch.reached.set()
        if checked.status != 204:
            entry.write = "usual"
            return checked
        task = asyncio.create_task(self._land_late(switch, entry))
        self._late_writes.add(task)
        task.add_done_callback(self._late_writes.discard)
        manner = fault.manner if fault.answers_instead else Manner.HANG
        return replace(faulty_response(fault), manner=manner, pace_seconds=fault.pace_seconds)

    async def _land_late(self, switch: Switch, entry: Entry) -> None:
        await asyncio.sleep(switch.fault.delay_seconds)
        if switch.fault.hold:
            await switch.released.wait()
        with contextlib.suppress(Refused):  # the record was deleted meanwhile
            self._land(entry)

    def _do(self, request: Request, entry: Entry) -> Response:
        routes: dict[Kind, Callable[[Request, Entry], Response]] = {
            "token": self._give_token,
            "info": self._tell_token,
            "get_item": self._get_item,
            "get_items": self._get_items,
            "put_item": self._put_item,
        }
        try:
            return routes.get(entry.kind, _no_such_route)(request, entry)
        except Refused as refused:
            return error_response(refused.status, refused.code, refused.description, refused.specific_code)

    def _give_token(self, request: Request, entry: Entry) -> Response:
        return json_response(self.tokens.give(request.headers.get("authorization", ""), request.body))

    def _tell_token(self, request: Request, entry: Entry) -> Response:
        return json_response(self.tokens.info(request.headers.get("authorization", "")))

    def _get_item(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), READ)
        refuse_unknown_parameters(request.query, ("fields",))
        return json_response(self.records.get(entry.item_numbers[0], request.query.get("fields")))

    def _get_items(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), READ)
        query = read_list_query(request.query)
        entries = self.records.get_list(query)
        return json_response({"total": len(entries), "start": query.offset, "entries": entries})

    def _put_item(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), WRITE)
        try:
            entry.patch = json.loads(request.body)
        except ValueError:
            raise Refused(400, 115, "Invalid JSON") from None
        if entry.write == "usual":
            self._land(entry)
        else:
            self.records.patched(entry.item_numbers[0], entry.patch)  # refused as ever
        return Response(204)

    def _land(self, entry: Entry) -> None:
        self.journal.land(entry, self.records.put(entry.item_numbers[0], entry.patch).call_numbers())


def _no_such_route(request: Request, entry: Entry) -> Response:
    return error_response(404, 104, f"No such route : {request.method} {request.path}")


async def run(options: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM. The first line on stdout is the endpoint, once it listens."""
    sierra = Sierra(
        key=options.key,
        secret=options.secret,
        prefix=options.prefix,
        token_seconds=options.token_seconds,
        latency_seconds=options.latency_ms / 1000,
    )
    items = make_catalogue(options.items)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        if options.dna:
            dna = SierraDna(options.dna, sierra.records, items, indexes=options.dna_indexes)
            sierra.show_in(stack.enter_context(dna))
        else:
            sierra.records.add(item.record() for item in items)
        sys.stdout.write(await sierra.start(options.host, options.port) + "\n")
        sys.stdout.flush()
        await stop.wait()
        await sierra.stop()


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.sierra", description="A Sierra to play with.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0: any that is free")
    parser.add_argument("--items", type=int, default=2000, help="size of the catalogue")
    parser.add_argument("--key", default="sandbox-key")
    parser.add_argument("--secret", default="sandbox-secret")
    parser.add_argument("--prefix", default=PREFIX)
    parser.add_argument("--latency-ms", type=float, default=0, help="how long every answer takes at least")
    parser.add_argument("--token-seconds", type=float, default=3600, help="a token's life")
    parser.add_argument("--dna", metavar="CONNECTION", help="a superuser's, to a PostgreSQL that gets SierraDNA too")
    parser.add_argument("--dna-indexes", action="store_true", help="SierraDNA with indexes on its stamps")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        asyncio.run(run(read_options()))
    except PostgresFailed as failed:
        sys.exit(str(failed))
