"""Sierra's REST API v6, as far as this project meets it, with its quirks and, if wanted, faults.

`python -m sandbox.sierra --port 9100 --items 2000` runs one, with the sandbox's catalogue in it. Another process
watches and disturbs it by the routes of sandbox/control.py.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from sandbox.catalogue import make_catalogue
from sandbox.control import CONTROL_PREFIX, Control
from sandbox.faults import Fault, Faults, Switch
from sandbox.filters import read_list_query, refuse_unknown_parameters
from sandbox.http import Exchange, HttpServer, Manner, Request, Response
from sandbox.journal import Entry, Journal, Kind
from sandbox.quirks import Refused
from sandbox.records import Records
from sandbox.tokens import READ, WRITE, Tokens, bearer

PREFIX = "/iii/sierra-api/v6"
_JSON = {"content-type": "application/json;charset=UTF-8"}
_PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>The service is unavailable</h1></body></html>"
_USUAL_CODES = {400: 108, 401: 123, 403: 116, 404: 107, 409: 133, 500: 111, 503: 117}


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

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Start to listen. Return the endpoint, as in SIERRA_API_ENDPOINT."""
        return f"http://{host}:{await self._server.start(host, port)}{self._prefix}"

    async def stop(self) -> None:
        """Refuse connections from now on. Sierra's records stay, so it may start again."""
        await self._server.stop()

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
        done = self._do(request, entry) if fault.after_applying else None
        switch.reached.set()
        await asyncio.sleep(fault.delay_seconds)
        if fault.hold:
            await switch.released.wait()
        response = _faulty_response(fault) if fault.answers_instead else done or self._do(request, entry)
        for number in (fault.item,) if fault.item else entry.item_numbers:
            if fault.staff_edit:
                self.records.edit(number, fault.staff_edit)
        return replace(response, manner=fault.manner, pace_seconds=fault.pace_seconds)

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
        return _json_response(self.tokens.give(request.headers.get("authorization", ""), request.body))

    def _tell_token(self, request: Request, entry: Entry) -> Response:
        return _json_response(self.tokens.info(request.headers.get("authorization", "")))

    def _get_item(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), READ)
        refuse_unknown_parameters(request.query, ("fields",))
        return _json_response(self.records.get(entry.item_numbers[0], request.query.get("fields")))

    def _get_items(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), READ)
        query = read_list_query(request.query)
        entries = self.records.get_list(query)
        return _json_response({"total": len(entries), "start": query.offset, "entries": entries})

    def _put_item(self, request: Request, entry: Entry) -> Response:
        self.tokens.check(request.headers.get("authorization", ""), WRITE)
        try:
            entry.patch = json.loads(request.body)
        except ValueError:
            raise Refused(400, 115, "Invalid JSON") from None
        entry.call_numbers = self.records.put(entry.item_numbers[0], entry.patch).call_numbers()
        return Response(204)


def error_response(status: int, code: int, description: str, specific_code: int = 0) -> Response:
    """The body and status of an error, as Sierra sends it."""
    return _json_response(
        {
            "code": code,
            "specificCode": specific_code,
            "httpStatus": status,
            "name": "Record not found" if status == 404 else HTTPStatus(status).phrase,
            "description": description,
        },
        status,
    )


def _json_response(content: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), _JSON)


def _no_such_route(request: Request, entry: Entry) -> Response:
    return error_response(404, 104, f"No such route : {request.method} {request.path}")


def _faulty_response(fault: Fault) -> Response:
    status = fault.status or 503
    headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
    if fault.html:
        return Response(status, _PAGE, {"content-type": "text/html", **headers})
    code = fault.code or _USUAL_CODES.get(status, 0)
    response = error_response(status, code, fault.description or "Asked for by the sandbox", fault.specific_code)
    return replace(response, headers={**response.headers, **headers})


async def run(options: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM. The first line on stdout is the endpoint, once it listens."""
    sierra = Sierra(
        key=options.key,
        secret=options.secret,
        prefix=options.prefix,
        token_seconds=options.token_seconds,
        latency_seconds=options.latency_ms / 1000,
    )
    sierra.records.add(item.record() for item in make_catalogue(options.items))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
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
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(run(read_options()))
