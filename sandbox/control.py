"""Lets another process watch and disturb the simulator by routes under `/_sandbox/`, which the journal leaves out.

| route | |
| --- | --- |
| `GET /_sandbox/journal?kind=&item=&since=` | the requests so far, and when a PUT landed; `DELETE` forgets them |
| `GET /_sandbox/journal/wait?…&status=&landed=&count=1&seconds=10` | once so many have ended (landed); 408 if not |
| `GET /_sandbox/records` | all of them, whole |
| `GET /_sandbox/records/2043111` | the whole record; `PUT` edits it as staff would |
| `GET /_sandbox/faults` | the switches, and how often each was met; `DELETE` turns all off |
| `POST /_sandbox/faults` | turns one on: the fields of `Fault` in sandbox/faults.py, as JSON |
| `DELETE /_sandbox/faults/0` | turns it off, and lets go whom it holds |
| `GET /_sandbox/faults/0/reached?seconds=10` | once it was met; 408 if not in time |
| `POST /_sandbox/faults/0/release` | lets go whom it holds |
| `POST /_sandbox/tokens/expire` | ends every token's life |
| `PUT /_sandbox/key` | `{"revoked": true}`, or false again |
| `…/_sandbox/dna…` | sandbox/dna_control.py, where the simulator has a SierraDNA |
| `GET /_sandbox/state` | counts, and the clock that the journal goes by |
"""

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from sandbox.dna_control import DnaControl
from sandbox.faults import Fault, Faults, Switch
from sandbox.http import Request, Response
from sandbox.journal import Entry, Journal, Kind
from sandbox.quirks import Refused
from sandbox.records import Records
from sandbox.tokens import Tokens

CONTROL_PREFIX = "/_sandbox/"
_FAULT = TypeAdapter(Fault)
Waited = TypeVar("Waited")


class Control:
    """The routes. Every client that reaches the port may use them: this is a sandbox."""

    def __init__(self, tokens: Tokens, records: Records, faults: Faults, journal: Journal) -> None:
        self._tokens, self._records, self._faults, self._journal = tokens, records, faults, journal
        self.dna: DnaControl | None = None

    async def answer(self, request: Request) -> Response:
        """Answer a request: 200 with JSON; 400, 404 or 408 with a sentence."""
        try:
            return _text(200, await self._route(request))
        except TimeoutError:
            return _text(408, "it has not happened in that time")
        except LookupError as missing:
            return _text(404, str(missing.args[0]))
        except (ValueError, ValidationError, Refused) as wrong:
            return _text(400, str(wrong))

    async def _route(self, request: Request) -> Any:
        parts = request.path.removeprefix(CONTROL_PREFIX).strip("/").split("/")
        match parts[0]:
            case "journal":
                return await self._use_journal(request, parts[1:])
            case "records":
                return self._use_record(request, parts[1:])
            case "faults":
                return await self._use_faults(request, parts[1:])
            case "dna" if self.dna:
                return self.dna.use(request, parts[1:])
        match request.method, parts:
            case "POST", ["tokens", "expire"]:
                self._tokens.expire_all()
            case "PUT", ["key"]:
                self._tokens.key_revoked = bool(json.loads(request.body)["revoked"])
            case "GET", ["state"]:
                pass
            case _:
                raise LookupError(f"no such route: {request.method} {request.path}")
        return self._state()

    async def _use_journal(self, request: Request, rest: list[str]) -> Any:
        query = request.query
        match request.method, rest:
            case "GET", []:
                return [entry.as_dict() for entry in self._find(request)]
            case "GET", ["wait"]:
                count = int(query.get("count", "1"))
                waiting = self._journal.until(lambda _: len(self._ended(request)) >= count)
                await _at_most(query, waiting)
                return [entry.as_dict() for entry in self._ended(request)]
            case "DELETE", []:
                self._journal.clear()
                return self._state()
        raise LookupError(f"no such route: {request.method} {request.path}")

    def _find(self, request: Request) -> list[Entry]:
        query = request.query
        return self._journal.find(
            cast("Kind | None", query.get("kind")), query.get("item"), int(query.get("since", "0"))
        )

    def _ended(self, request: Request) -> list[Entry]:
        status, landed = request.query.get("status"), "landed" in request.query
        ended = [entry for entry in self._find(request) if entry.ended_ns and (not landed or entry.landed_ns)]
        return [entry for entry in ended if status in (None, str(entry.status))]

    def _use_record(self, request: Request, rest: list[str]) -> Any:
        match request.method, rest:
            case "GET", []:
                return [record.shown() for record in self._records.by_number.values()]
            case "GET", [number] if number in self._records.by_number:
                return self._records.by_number[number].shown()
            case "PUT", [number] if number in self._records.by_number:
                return self._records.edit(number, json.loads(request.body)).shown()
        raise LookupError(f"no such record: {request.method} {request.path}")

    async def _use_faults(self, request: Request, rest: list[str]) -> Any:
        match request.method, rest:
            case "GET", []:
                return [_describe(switch) for switch in self._faults.switches]
            case "POST", []:
                return _describe(self._faults.add(_FAULT.validate_json(request.body)))
            case "DELETE", []:
                self._faults.clear()
                return self._state()
        switch = self._switch(rest[0])
        match request.method, rest[1:]:
            case "DELETE", []:
                self._faults.remove(switch)
            case "GET", ["reached"]:
                await _at_most(request.query, switch.reached.wait())
            case "POST", ["release"]:
                switch.released.set()
        return _describe(switch)

    def _switch(self, number: str) -> Switch:
        for switch in self._faults.switches:
            if str(switch.number) == number:
                return switch
        raise LookupError(f"no such fault: {number}")

    def _state(self) -> dict[str, Any]:
        return {
            "records": len(self._records.by_number),
            "requests": len(self._journal.entries),
            "in_flight": self._journal.in_flight,
            "most_in_flight": self._journal.most_in_flight,
            "key_revoked": self._tokens.key_revoked,
            "now_ns": time.monotonic_ns(),
        }


async def _at_most(query: Any, waiting: Awaitable[Waited]) -> Waited:
    return await asyncio.wait_for(waiting, float(query.get("seconds", "10")))


def _describe(switch: Switch) -> dict[str, Any]:
    return {"number": switch.number, "met": switch.met, "released": switch.released.is_set(), **asdict(switch.fault)}


def _text(status: int, content: Any) -> Response:
    body = content if status == 200 else {"detail": content}
    return Response(status, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
